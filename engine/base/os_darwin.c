/* macOS: sysctl and Mach. Not run on real hardware yet (HACKING says what was). */
#include "config.h"
#include "engine/base/os.h"

#include <mach/mach.h>
#include <malloc/malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysctl.h>

static uint64_t sysctl_u64(const char *name)
{
	uint64_t v = 0;
	uint32_t small = 0;
	size_t n = sizeof v;

	if (sysctlbyname(name, &v, &n, NULL, 0) < 0)
		return 0;
	if (n == sizeof v)
		return v;
	n = sizeof small;
	return sysctlbyname(name, &small, &n, NULL, 0) < 0 ? 0 : small;
}

int os_compute_threads(void)
{
	uint64_t n = sysctl_u64("hw.perflevel0.physicalcpu");

	if (!n)
		n = sysctl_u64("hw.physicalcpu");
	return n < 1 ? 1 : (int)n;
}

/* The system takes hints about threads that share data, and no orders. */
void os_pin(int i)
{
	(void)i;
}

void os_unpin(void)
{
}

uint64_t os_mem_total(void)
{
	return sysctl_u64("hw.memsize");
}

uint64_t os_mem_available(void)
{
	vm_statistics64_data_t vm;
	mach_msg_type_number_t n = HOST_VM_INFO64_COUNT;

	if (host_statistics64(mach_host_self(), HOST_VM_INFO64, (host_info64_t)&vm, &n) != KERN_SUCCESS)
		return 0;
	return ((uint64_t)vm.free_count + vm.inactive_count + vm.purgeable_count) * vm_page_size;
}

size_t os_rss(void)
{
	mach_task_basic_info_data_t info;
	mach_msg_type_number_t n = MACH_TASK_BASIC_INFO_COUNT;

	if (task_info(mach_task_self(), MACH_TASK_BASIC_INFO, (task_info_t)&info, &n) != KERN_SUCCESS)
		return 0;
	return (size_t)info.resident_size;
}

size_t os_rss_peak(void)
{
	struct rusage ru;

	return getrusage(RUSAGE_SELF, &ru) < 0 ? 0 : (size_t)ru.ru_maxrss;
}

size_t os_heap(void)
{
	malloc_statistics_t st = { 0 };

	malloc_zone_statistics(NULL, &st);
	return st.size_in_use ? st.size_in_use : SIZE_MAX;
}

/* Shared by all programs: the system does not say what of it is ours. */
size_t os_image(void)
{
	return SIZE_MAX;
}

void os_idle_priority(void)
{
	pthread_set_qos_class_self_np(QOS_CLASS_BACKGROUND, 0);
}

size_t os_resident(const void *p, size_t n)
{
	(void)p;
	(void)n;
	return SIZE_MAX;
}

void os_drop(const void *p, size_t n)
{
	const uintptr_t page = vm_page_size;
	const uintptr_t lo = ((uintptr_t)p + page - 1) & ~(page - 1), hi = ((uintptr_t)p + n) & ~(page - 1);

	if (hi > lo)
		madvise((void *)lo, hi - lo, MADV_DONTNEED);
}

void os_want_huge(void *p, size_t n)
{
	(void)p;
	(void)n;
}

void os_give_back(void)
{
	malloc_zone_pressure_relief(NULL, 0);
}

void os_large_apart(void)
{
}

const char *os_cpu_name(void)
{
	static char name[128];
	size_t n = sizeof name;

	return sysctlbyname("machdep.cpu.brand_string", name, &n, NULL, 0) < 0 ? "unknown" : name;
}

bool os_has_dotprod(void)
{
	return sysctl_u64("hw.optional.arm.FEAT_DotProd") == 1;
}

bool os_allow_amx(void)
{
	return false;
}
