#include "config.h"
#include "engine/base/os.h"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <time.h>

int os_thread(pthread_t *id, void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	size_t size;
	bool started;

	if (pthread_attr_init(&attr))
		return -1;
	started = !pthread_attr_getstacksize(&attr, &size) &&
		(size >= OS_STACK || !pthread_attr_setstacksize(&attr, OS_STACK)) && !pthread_create(id, &attr, fn, arg);
	pthread_attr_destroy(&attr);
	return started ? 0 : -1;
}

bool os_want_stack(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_STACK, &r) || r.rlim_cur == RLIM_INFINITY || r.rlim_cur >= OS_STACK)
		return true;
	r.rlim_cur = r.rlim_max != RLIM_INFINITY && r.rlim_max < OS_STACK ? r.rlim_max : OS_STACK;
	return !setrlimit(RLIMIT_STACK, &r) && r.rlim_cur >= OS_STACK / 2;
}

int64_t os_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

uint64_t os_disk_free(const char *path, uint64_t *block)
{
	struct statvfs v;

	*block = 1;
	/* no blocks at all: it has no bound, or does not tell (a tmpfs of size=0) */
	if (statvfs(path, &v) < 0 || !v.f_blocks)
		return UINT64_MAX;
	*block = v.f_frsize;
	return (uint64_t)v.f_bavail * v.f_frsize;
}
