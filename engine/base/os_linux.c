/* Linux: /proc, /sys and cgroups. Every file may be missing; then the next best answer is given. */
#include "config.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef __aarch64__
#include <sys/auxv.h>
#endif

/* First line of a small file without its newline; false when it cannot be read. */
static bool first_line(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");
	bool ok;

	if (!f)
		return false;
	ok = fgets(buf, (int)size, f) != NULL;
	fclose(f);
	if (ok)
		buf[strcspn(buf, "\n")] = '\0';
	return ok;
}

/* The value of "Name:   123 kB" in a /proc file, in bytes; 0 when absent. */
static uint64_t proc_kb(const char *path, const char *name)
{
	FILE *f = fopen(path, "re");
	char line[256];
	uint64_t kb = 0;
	const size_t n = strlen(name);

	if (!f)
		return 0;
	while (fgets(line, sizeof line, f))
		if (!strncmp(line, name, n) && line[n] == ':') {
			kb = strtoull(line + n + 1, NULL, 10);
			break;
		}
	fclose(f);
	return kb * 1024;
}

/* This process's cgroup v2 folder under /sys/fs/cgroup, or false. */
static bool cgroup_dir(char *buf, size_t size)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[512];
	bool ok = false;

	if (!f)
		return false;
	while (fgets(line, sizeof line, f))
		if (!strncmp(line, "0::", 3)) {
			line[strcspn(line, "\n")] = '\0';
			ok = snprintf(buf, size, "/sys/fs/cgroup%s", line + 3) < (int)size;
			break;
		}
	fclose(f);
	return ok;
}

/*
 * Calls fn for the file `name` in this process's cgroup and in each folder above it: a
 * limit set anywhere on the way up holds.
 */
static void cgroup_walk(const char *name, void (*fn)(const char *line, void *arg), void *arg)
{
	char dir[600], path[700], line[128];

	if (!cgroup_dir(dir, sizeof dir))
		return;
	for (;;) {
		char *slash;

		snprintf(path, sizeof path, "%s/%s", dir, name);
		if (first_line(path, line, sizeof line))
			fn(line, arg);
		slash = strrchr(dir, '/');
		if (!slash || slash - dir < (long)strlen("/sys/fs/cgroup"))
			break;
		*slash = '\0';
	}
}

static void cpu_quota(const char *line, void *arg)
{
	int *most = arg;
	long long quota, period;

	if (sscanf(line, "%lld %lld", &quota, &period) == 2 && quota > 0 && period > 0) {
		const int n = (int)((quota + period - 1) / period);

		if (n < *most)
			*most = n < 1 ? 1 : n;
	}
}

enum { MAX_CORES = 1024 };

/* One CPU of each physical core that this thread may run on: SMT siblings share package and core id. */
static int cores(int *cpus)
{
	struct { int pkg, core; } seen[MAX_CORES];
	cpu_set_t set;
	int n = 0;

	if (sched_getaffinity(0, sizeof set, &set) < 0)
		return 0;
	for (int cpu = 0; cpu < CPU_SETSIZE && n < MAX_CORES; cpu++) {
		char path[128], line[32];
		int pkg = 0, core = cpu, i;

		if (!CPU_ISSET(cpu, &set))
			continue;
		snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/physical_package_id", cpu);
		if (first_line(path, line, sizeof line))
			pkg = atoi(line);
		snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/core_id", cpu);
		if (first_line(path, line, sizeof line))
			core = atoi(line);
		for (i = 0; i < n; i++)
			if (seen[i].pkg == pkg && seen[i].core == core)
				break;
		if (i == n) {
			seen[n].pkg = pkg;
			seen[n].core = core;
			cpus[n++] = cpu;
		}
	}
	return n;
}

int os_compute_threads(void)
{
	int cpus[MAX_CORES], most = cores(cpus);

	if (!most) {
		const long n = sysconf(_SC_NPROCESSORS_ONLN);

		return n < 1 ? 1 : (int)n;
	}
	cgroup_walk("cpu.max", cpu_quota, &most);
	return most < 1 ? 1 : most;
}

static _Thread_local cpu_set_t before_pin;
static _Thread_local bool pinned;

void os_pin(int i)
{
	int cpus[MAX_CORES], n;
	cpu_set_t one;

	os_unpin();
	n = cores(cpus);
	if (!n || sched_getaffinity(0, sizeof before_pin, &before_pin) < 0)
		return;
	CPU_ZERO(&one);
	CPU_SET(cpus[i % n], &one);
	pinned = !sched_setaffinity(0, sizeof one, &one);
}

void os_unpin(void)
{
	if (pinned)
		sched_setaffinity(0, sizeof before_pin, &before_pin);
	pinned = false;
}

/* The two kinds of control groups: how /proc/self/cgroup names them, where they lie, what they call things. */
struct mem_groups {
	const char *line, *root;
	const char *limit, *used, *inactive, *active;
};
static const struct mem_groups mem_groups[] = {
	{ "0::", "/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file", "active_file" },
	{ ":memory:", "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
	  "total_inactive_file", "total_active_file" },
};

/* "name 123" in a file of lines; 0 when absent. */
static uint64_t stat_value(const char *path, const char *name)
{
	FILE *f = fopen(path, "re");
	const size_t n = strlen(name);
	char line[128];
	uint64_t v = 0;

	if (!f)
		return 0;
	while (fgets(line, sizeof line, f))
		if (!strncmp(line, name, n) && line[n] == ' ') {
			v = strtoull(line + n + 1, NULL, 10);
			break;
		}
	fclose(f);
	return v;
}

static bool number_in(const char *dir, const char *name, uint64_t *v)
{
	char path[800], line[64];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return first_line(path, line, sizeof line) && sscanf(line, "%" SCNu64, v) == 1;
}

/* What a group leaves, pages of files not counted: those are given up when memory is short. */
static void group_room(const struct mem_groups *g, const char *dir, uint64_t *limit, uint64_t *room)
{
	char path[800];
	uint64_t most, used = 0, files;

	if (!number_in(dir, g->limit, &most))
		return;
	*limit = most < *limit ? most : *limit;
	number_in(dir, g->used, &used);
	snprintf(path, sizeof path, "%s/memory.stat", dir);
	files = stat_value(path, g->inactive) + stat_value(path, g->active);
	used = used > files ? used - files : 0;
	most = most > used ? most - used : 0;
	*room = most < *room ? most : *room;
}

/* The least limit, and the least room, of this process's groups and those above them. */
static void groups_walk(uint64_t *limit, uint64_t *room)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[512], dir[700];

	while (f && fgets(line, sizeof line, f))
		for (size_t i = 0; i < sizeof mem_groups / sizeof *mem_groups; i++) {
			const struct mem_groups *g = &mem_groups[i];
			const char *at = strstr(line, g->line);

			line[strcspn(line, "\n")] = '\0';
			if (!at || (at != line && i == 0))
				continue;
			snprintf(dir, sizeof dir, "%s%s", g->root, at + strlen(g->line));
			for (char *slash; strlen(dir) >= strlen(g->root); *slash = '\0') {
				group_room(g, dir, limit, room);
				slash = strrchr(dir, '/');
			}
		}
	if (f)
		fclose(f);
}

uint64_t os_mem_total(void)
{
	const uint64_t total = proc_kb("/proc/meminfo", "MemTotal");
	uint64_t limit = UINT64_MAX, room = UINT64_MAX;

	groups_walk(&limit, &room);
	return limit < total ? limit : total;
}

uint64_t os_mem_available(void)
{
	const uint64_t avail = proc_kb("/proc/meminfo", "MemAvailable");
	uint64_t limit = UINT64_MAX, room = UINT64_MAX;

	groups_walk(&limit, &room);
	return room < avail ? room : avail;
}

size_t os_rss(void)
{
	char line[128];
	unsigned long long pages;

	if (!first_line("/proc/self/statm", line, sizeof line) || sscanf(line, "%*u %llu", &pages) != 1)
		return 0;
	return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

size_t os_rss_peak(void)
{
	struct rusage ru;

	return getrusage(RUSAGE_SELF, &ru) < 0 ? 0 : (size_t)ru.ru_maxrss * 1024;
}

/* Pages that the process has: bit 63 of an entry says so. SIZE_MAX where the kernel keeps that to itself. */
static size_t pages_mine(int fd, uintptr_t first, size_t n)
{
	uint64_t entry[512];
	size_t in = 0;

	for (size_t at = 0; at < n;) {
		const size_t want = n - at < 512 ? n - at : 512;
		const ssize_t got = pread(fd, entry, want * sizeof *entry, (off_t)((first + at) * sizeof *entry));

		if (got < (ssize_t)sizeof *entry)
			return SIZE_MAX;
		for (size_t i = 0; i < (size_t)got / sizeof *entry; i++)
			in += entry[i] >> 63;
		at += (size_t)got / sizeof *entry;
	}
	return in;
}

/* Pages that the system has, for us or for others. */
static size_t pages_cached(uintptr_t lo, size_t n, size_t page)
{
	unsigned char vec[4096];
	size_t in = 0;

	for (size_t at = 0; at < n; at += sizeof vec) {
		const size_t len = n - at < sizeof vec ? n - at : sizeof vec;

		if (mincore((void *)(lo + at * page), len * page, vec) < 0)
			return SIZE_MAX;
		for (size_t i = 0; i < len; i++)
			in += vec[i] & 1;
	}
	return in;
}

size_t os_resident(const void *p, size_t n)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const uintptr_t lo = (uintptr_t)p & ~(page - 1), hi = ((uintptr_t)p + n + page - 1) & ~(page - 1);
	const int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t in = SIZE_MAX;

	if (fd >= 0) {
		in = pages_mine(fd, lo / page, (hi - lo) / page);
		close(fd);
	}
	if (in == SIZE_MAX)
		in = pages_cached(lo, (hi - lo) / page, page);
	if (in == SIZE_MAX)
		return SIZE_MAX;
	return in * page < n ? in * page : n;
}

size_t os_heap(void)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
	const struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd ? m.uordblks + m.hblkhd : SIZE_MAX;
#else
	return SIZE_MAX;
#endif
}

static int add_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	size_t *sum = arg;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		const size_t in = h->p_type == PT_LOAD ? os_resident((void *)(info->dlpi_addr + h->p_vaddr), h->p_memsz) : 0;

		*sum += in == SIZE_MAX ? 0 : in;
	}
	return 0;
}

size_t os_image(void)
{
	size_t sum = 0;

	dl_iterate_phdr(add_object, &sum);
	return sum ? sum : SIZE_MAX;
}

void os_idle_priority(void)
{
	enum { LOWEST = 19 };

	/* SCHED_IDLE would be lower still: beside two busy programs it does not get on at all */
	setpriority(PRIO_PROCESS, (id_t)gettid(), LOWEST);
}

void os_drop(const void *p, size_t n)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	/* only whole pages inside the range: its neighbours may be in use */
	const uintptr_t lo = ((uintptr_t)p + page - 1) & ~(page - 1), hi = ((uintptr_t)p + n) & ~(page - 1);

	if (hi > lo)
		madvise((void *)lo, hi - lo, MADV_DONTNEED);
}

void os_want_huge(void *p, size_t n)
{
	madvise(p, n, MADV_HUGEPAGE);
}

void os_give_back(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

void os_large_apart(void)
{
#ifdef __GLIBC__
	enum { LARGE = 1 << 20 };

	/* the allocator raises both by itself otherwise, up to 32 and 64 MiB, and malloc_trim() leaves such ends alone */
	mallopt(M_MMAP_THRESHOLD, LARGE);
	mallopt(M_TRIM_THRESHOLD, LARGE);
#endif
}

static char cpu_name[128];
static pthread_once_t cpu_once = PTHREAD_ONCE_INIT;

static void read_cpu_name(void)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[256];

	/* ARM's cpuinfo has numbers only; the board's name is the next best */
	if (!first_line("/proc/device-tree/model", cpu_name, sizeof cpu_name))
		snprintf(cpu_name, sizeof cpu_name, "unknown");
	if (!f)
		return;
	while (fgets(line, sizeof line, f)) {
		const char *v = strchr(line, ':');

		if (strncmp(line, "model name", 10) || !v)
			continue;
		v += 1 + strspn(v + 1, " \t");
		snprintf(cpu_name, sizeof cpu_name, "%.*s", (int)strcspn(v, "\n"), v);
		break;
	}
	fclose(f);
}

const char *os_cpu_name(void)
{
	pthread_once(&cpu_once, read_cpu_name);
	return cpu_name;
}

bool os_has_dotprod(void)
{
#ifdef __aarch64__
	return getauxval(AT_HWCAP) & HWCAP_ASIMDDP;
#else
	return false;
#endif
}

/* From the kernel's Documentation/arch/x86/xstate.rst: ARCH_REQ_XCOMP_PERM, and the state's number. */
bool os_allow_amx(void)
{
#if defined(__x86_64__) && defined(SYS_arch_prctl)
	enum { REQUEST = 0x1023, TILE_DATA = 18 };

	return !syscall(SYS_arch_prctl, REQUEST, TILE_DATA);
#else
	return false;
#endif
}
