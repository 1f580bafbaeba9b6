#include "config.h"
#include "engine/base/os.h"

#include <sys/statvfs.h>
#include <time.h>

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
