/* The loops that measure a machine: they do what they count, no more and no less. */
#include "config.h"
#include "engine/base/os.h"
#include "engine/engine.h"
#include "engine/kernels/cpu.h"
#include "engine/kernels/probe.h"
#include "t/lib/tap.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Nanoseconds of the fastest of many runs. */
static double fastest(void (*loop)(int64_t), int64_t rounds)
{
	double best = 1e18;

	for (int i = 0; i < 60; i++) {
		const int64_t start = os_now_ns();

		loop(rounds);
		if ((double)(os_now_ns() - start) < best)
			best = (double)(os_now_ns() - start);
	}
	return best;
}

/* A loop that a compiler has thinned out, or that ends early, is not twice as long with twice the rounds. */
static void test_rounds(const struct probe_ops *o, const char *what, void (*loop)(int64_t), int ops)
{
	const int64_t rounds = 1 + 4000000 / ops;
	double one = 0, two = 0;
	bool doubles = false;

	for (int i = 0; i < 5 && !doubles; i++) {
		one = fastest(loop, rounds);
		two = fastest(loop, 2 * rounds);
		doubles = two > 1.7 * one && two < 2.3 * one;
	}
	ok(doubles, "%s %s: twice the rounds take twice the time (%.0f and %.0f ns)", o->isa, what, one, two);
}

/* Floats and bytes go through the same ports: an instruction has four times as many bytes. */
static void test_ratio(const struct probe_ops *o)
{
	double ratio = 0;

	for (int i = 0; i < 5 && !(ratio > 3 && ratio < 5); i++)
		ratio = fastest(o->f32, 40000) / (40000.0 * o->f32_ops) / (fastest(o->int8, 40000) / (40000.0 * o->int8_ops));
	ok(ratio > 3 && ratio < 5, "%s: int8 is %.2f times as fast as f32", o->isa, ratio);
}

static long faults(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return ru.ru_minflt;
}

/* Every page of memory that was never touched is a fault; the page behind it must not be read. */
static void test_read(const struct probe_ops *o)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), n = 64 * page;
	char *p = mmap(NULL, n + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long before;

	if (p == MAP_FAILED || mprotect(p + n, page, PROT_NONE)) {
		ok(0, "memory to read");
		return;
	}
#ifdef MADV_NOHUGEPAGE
	madvise(p, n, MADV_NOHUGEPAGE);
#endif
	before = faults();
	o->read(p, n);
	ok(faults() - before >= 64, "%s reads all pages, and none behind them", o->isa);
	munmap(p, n + page);
}

static bool stop(void *arg, int64_t done, int64_t total)
{
	int *asked = arg;

	(void)done;
	(void)total;
	return ++*asked < 3;
}

static void test_stop(void)
{
	static struct eng_machine m;
	struct err e = { 0 };
	int asked = 0;

	ok(eng_probe(1, stop, &asked, &m, &e) < 0 && e.code == ERR_CANCELLED && asked == 3, "it can be stopped");
	ok(eng_probe(-1, NULL, NULL, &m, &e) < 0 && e.code == ERR_ARG, "a count of threads that is none");
}

int main(void)
{
	const unsigned flags = cpu_flags();

	for (const struct probe_set *s = probe_sets; s->ops; s++) {
		const struct probe_ops *o = s->ops;

		if ((s->flag & flags) != s->flag) {
			tap_skip("this machine has no %s", o->isa);
			continue;
		}
		test_rounds(o, "int8", o->int8, o->int8_ops);
		if (o->f32)
			test_rounds(o, "f32", o->f32, o->f32_ops);
		if (o->read)
			test_read(o);
		if (s->flag == CPU_AVX512VNNI)
			test_ratio(o);
	}
	test_stop();
	return tap_done_min(5);
}
