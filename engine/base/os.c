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

uint64_t os_disk_free(const char *path)
{
	struct statvfs v;

	return statvfs(path, &v) < 0 ? UINT64_MAX : (uint64_t)v.f_bavail * v.f_frsize;
}
