/*
 * Measures the machine: which loops on how many threads, how long, and what counts. A figure is the
 * best of many short samples, taken in several rounds over all figures: what disturbs a sample (other
 * processes, interrupts, a clock that has yet to rise) only ever makes it slower, and comes in bursts.
 */
#include "config.h"
#include "engine/engine.h"
#include "engine/base/os.h"
#include "engine/base/pool.h"
#include "engine/base/xio.h"
#include "engine/kernels/cpu.h"
#include "engine/kernels/probe.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum {
	SAMPLE_NS = 1000000,		/* what a sample should take */
	BUDGET_NS = 24000000,		/* what the samples of a figure take together in a round … */
	MIN_SAMPLES = 8,		/* … unless they are fewer */
	MIN_ROUNDS = 3, MAX_ROUNDS = 8,	/* further ones for figures that are still rising */
	MAX_COUNTS = 11,		/* of threads: powers of two up to 1024, and all */
	TOUCH_STEP = 64 << 20,
};

static const uint64_t sizes[] = {
	16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20, 128 << 20,
	256 << 20, 512 << 20, 1ull << 30, 2ull << 30, 4ull << 30,
};

enum { N_SIZES = sizeof sizes / sizeof *sizes };

const struct probe_set probe_sets[] = {
	{ 0, &probe_scalar },
#ifdef HAVE_ISA_AVX2
	{ CPU_AVX2, &probe_avx2 },
#endif
#ifdef HAVE_ISA_AVXVNNI
	{ CPU_AVXVNNI, &probe_avxvnni },
#endif
#ifdef HAVE_ISA_AVX512VNNI
	{ CPU_AVX512VNNI, &probe_avx512vnni },
#endif
#ifdef HAVE_ISA_AMX
	{ CPU_AMX, &probe_amx },
#endif
#ifdef HAVE_ISA_NEON
	{ CPU_NEON, &probe_neon },
#endif
#ifdef HAVE_ISA_DOTPROD
	{ CPU_DOTPROD, &probe_dotprod },
#endif
	{ 0, NULL }
};

enum { N_SETS = sizeof probe_sets / sizeof *probe_sets - 1 };

_Static_assert(N_SIZES * MAX_COUNTS <= ENG_MACHINE_READS, "a place for every size and count of threads");
_Static_assert(N_SETS * 2 * MAX_COUNTS <= ENG_MACHINE_PEAKS, "a place for every set, type and count of threads");

/* One that is measured: a loop, or reading a buffer. */
struct figure {
	int threads;
	void (*loop)(int64_t rounds);	/* NULL: reading */
	uint64_t size;			/* of the buffer */
	uint64_t at;			/* what has been read of it: the next sample goes on from there */
	int64_t rounds;			/* in a sample: of the loop, or steps of PROBE_READ_STEP; grows until it is one */
	double best;			/* rounds a second and thread */
	bool settled;			/* the last round made it hardly better */
	/* what it is called */
	const struct probe_ops *ops;
	const char *type;
	int loop_ops;
};

struct probe {
	eng_progress_fn *progress;
	void *arg;
	int64_t done, total;		/* measurements */
	struct figure figures[ENG_MACHINE_READS + ENG_MACHINE_PEAKS];
	int n_figures;
	void (*read)(const void *p, size_t n);
	char *buf;
	struct pool *pool;
	const struct figure *now;	/* the one that is sampled */
	struct span { _Alignas(64) int64_t start, end; } *spans;	/* a thread's own */
};

/* Reads n bytes of this thread's share of the buffer from where the last sample ended; behind its end comes its start. */
static void read_share(const struct probe *p, uint64_t n, int ith, int nth)
{
	int64_t lo, hi;
	uint64_t at;

	pool_share((int64_t)p->now->size, PROBE_READ_STEP, ith, nth, &lo, &hi);
	if (hi == lo)
		return;
	for (at = p->now->at % (uint64_t)(hi - lo); n; at = 0) {
		const uint64_t left = (uint64_t)(hi - lo) - at, k = n < left ? n : left;

		p->read(p->buf + lo + at, k);
		n -= k;
	}
}

static void pin_thread(void *arg, int ith, int nth)
{
	(void)arg;
	(void)nth;
	os_pin(ith);
}

static void sample_thread(void *arg, int ith, int nth)
{
	struct probe *p = arg;
	struct span *s = &p->spans[ith];

	pool_barrier(p->pool);
	s->start = os_now_ns();
	if (p->now->loop)
		p->now->loop(p->now->rounds);
	else
		read_share(p, (uint64_t)p->now->rounds * PROBE_READ_STEP, ith, nth);
	s->end = os_now_ns();
}

/* From the first thread's start to the last one's end. */
static int64_t sample(struct probe *p)
{
	int64_t start, end;

	pool_run(p->pool, sample_thread, p);
	start = p->spans[0].start;
	end = p->spans[0].end;
	for (int i = 1; i < pool_threads(p->pool); i++) {
		start = p->spans[i].start < start ? p->spans[i].start : start;
		end = p->spans[i].end > end ? p->spans[i].end : end;
	}
	return end > start ? end - start : 1;
}

/* Asked between samples, so that stopping takes a few milliseconds. */
static int go_on(const struct probe *p, struct err *e)
{
	if (!p->progress || p->progress(p->arg, p->done, p->total))
		return 0;
	return err_set(e, ERR_CANCELLED, "measuring was stopped");
}

static int measure(struct probe *p, struct figure *f, struct err *e)
{
	const int64_t until = os_now_ns() + BUDGET_NS;
	const double before = f->best;

	p->now = f;
	for (int i = 0; i < MIN_SAMPLES || os_now_ns() < until; i++) {
		const int64_t ns = sample(p);
		const double rate = (double)f->rounds / (double)ns * 1e9;

		f->at += (uint64_t)f->rounds * PROBE_READ_STEP;
		/* what is short of a sample says how long one is, and nothing else */
		if (ns < SAMPLE_NS / 2) {
			f->rounds = ns < SAMPLE_NS / 64 ? f->rounds * 16 : f->rounds * SAMPLE_NS / ns + 1;
			i = -1;
		} else if (rate > f->best) {
			f->best = rate;
		}
		if (go_on(p, e) < 0)
			return -1;
	}
	f->settled = f->best < before * 1.01;
	p->done++;
	return 0;
}

/* -- the buffer ---------------------------------------------------------------------- */

/* The largest of the sizes within 4 GiB and a quarter of what is free. */
static int n_sizes(void)
{
	const uint64_t avail = os_mem_available();
	int n = N_SIZES;

	while (n > 1 && avail && sizes[n - 1] > avail / 4)
		n--;
	return n;
}

struct touch { char *p; uint64_t n; };

/* Every page gets memory of its own: one that was never written is the same zeros as all others. */
static void touch_thread(void *arg, int ith, int nth)
{
	const struct touch *t = arg;
	int64_t lo, hi;

	pool_share((int64_t)t->n, 4096, ith, nth, &lo, &hi);
	for (; lo < hi; lo += 4096)
		t->p[lo] = 1;
}

static int touch(struct probe *p, uint64_t n, struct err *e)
{
	for (uint64_t at = 0; at < n; at += TOUCH_STEP) {
		struct touch t = { p->buf + at, n - at < TOUCH_STEP ? n - at : TOUCH_STEP };

		pool_run(p->pool, touch_thread, &t);
		if (go_on(p, e) < 0)
			return -1;
	}
	return 0;
}

/* -- all of it ------------------------------------------------------------------------- */

/* 1, 2, 4 … and all of them. */
static int thread_counts(int most, int *counts)
{
	int n = 0;

	for (int k = 1; k < most && n < MAX_COUNTS - 1; k *= 2)
		counts[n++] = k;
	counts[n++] = most;
	return n;
}

static void plan(struct probe *p, const struct figure *f)
{
	p->figures[p->n_figures] = *f;
	p->figures[p->n_figures++].rounds = 16;
}

static void plan_set(struct probe *p, const struct probe_ops *o, int threads)
{
	const struct figure int8 = { .threads = threads, .loop = o->int8, .ops = o, .type = "int8", .loop_ops = o->int8_ops };
	const struct figure f32 = { .threads = threads, .loop = o->f32, .ops = o, .type = "f32", .loop_ops = o->f32_ops };

	if (o->int8)
		plan(p, &int8);
	if (o->f32)
		plan(p, &f32);
}

/* The best set's loads stand for all: memory does not know who asks. Large buffers come first, while they are cold. */
static void plan_all(struct probe *p, const int *counts, int n_counts, int n_read)
{
	const unsigned flags = cpu_flags();

	for (int k = 0; k < n_counts; k++) {
		for (int i = n_read - 1; i >= 0; i--)
			plan(p, &(struct figure){ .threads = counts[k], .size = sizes[i] });
		for (int i = 0; i < N_SETS; i++) {
			if ((probe_sets[i].flag & flags) != probe_sets[i].flag)
				continue;
			plan_set(p, probe_sets[i].ops, counts[k]);
			if (probe_sets[i].ops->read)
				p->read = probe_sets[i].ops->read;
		}
	}
	p->total = (int64_t)p->n_figures * MIN_ROUNDS;
}

static bool wanted(const struct figure *f, int round, int threads)
{
	return f->threads == threads && (round < MIN_ROUNDS || !f->settled);
}

/* One round over the figures of a count of threads. */
static int measure_count(struct probe *p, int round, int threads, struct err *e)
{
	int r = 0, n = 0;

	for (int i = 0; i < p->n_figures; i++)
		n += wanted(&p->figures[i], round, threads);
	if (!n)
		return 0;
	if (round >= MIN_ROUNDS)
		p->total += n;
	p->pool = pool_new(threads, e);
	if (!p->pool)
		return -1;
	pool_run(p->pool, pin_thread, NULL);
	for (int i = 0; i < p->n_figures && !r; i++)
		if (wanted(&p->figures[i], round, threads))
			r = measure(p, &p->figures[i], e);
	pool_free(p->pool);
	os_unpin();
	return r;
}

/* All threads give the buffer its memory. */
static int warm_up(struct probe *p, int threads, uint64_t n, struct err *e)
{
	int r;

	p->pool = pool_new(threads, e);
	if (!p->pool)
		return -1;
	pool_run(p->pool, pin_thread, NULL);
	r = touch(p, n, e);
	pool_free(p->pool);
	os_unpin();
	return r;
}

static int measure_all(struct probe *p, int threads, int n_read, struct err *e)
{
	int counts[MAX_COUNTS];
	const int n = thread_counts(threads, counts);

	plan_all(p, counts, n, n_read);
	if (warm_up(p, threads, sizes[n_read - 1], e) < 0)
		return -1;
	for (int round = 0; round < MAX_ROUNDS; round++)
		for (int k = 0; k < n; k++)
			if (measure_count(p, round, counts[k], e) < 0)
				return -1;
	return 0;
}

static void tell_peak(const struct figure *f, struct eng_peak *p)
{
	*p = (struct eng_peak){ .threads = f->threads, .rate = f->best * f->loop_ops * f->threads };
	snprintf(p->isa, sizeof p->isa, "%s", f->ops->isa);
	snprintf(p->type, sizeof p->type, "%s", f->type);
}

/* By threads, small buffers first. */
static void tell(const struct probe *p, struct eng_machine *m, int n_read)
{
	for (int i = 0; i < p->n_figures; i++) {
		const struct figure *f = &p->figures[i];

		if (f->loop)
			tell_peak(f, &m->peak[m->n_peak++]);
		else
			m->read[m->n_read / n_read * n_read + n_read - 1 - m->n_read % n_read] =
				(struct eng_read_rate){
					.bytes = f->size, .threads = f->threads,
					.rate = f->best * PROBE_READ_STEP * f->threads,
				};
		m->n_read += !f->loop;
	}
}

int eng_probe(int threads, eng_progress_fn *progress, void *arg, struct eng_machine *out, struct err *e)
{
	struct probe *p = mem_calloc(1, sizeof *p);
	const int64_t start = os_now_ns();
	int n = n_sizes(), r = -1;

	*out = (struct eng_machine){ .threads = threads ? threads : os_compute_threads() };
	if (threads < 0 || threads > 1024) {
		err_set(e, ERR_ARG, "%d threads: expected 1 to 1024, or 0 for all cores", threads);
		goto out;
	}
	if (p) {
		p->progress = progress;
		p->arg = arg;
		/* a limit of this process may be lower than what the machine has */
		while (!(p->buf = mem_aligned(sizes[n - 1])) && n > 1)
			n--;
		p->spans = mem_aligned((size_t)out->threads * sizeof *p->spans);
	}
	if (!p || !p->buf || !p->spans) {
		err_set(e, ERR_NOMEM, "no memory for a buffer of %llu bytes to measure with",
			(unsigned long long)sizes[n - 1]);
		goto out;
	}
	memset(p->spans, 0, (size_t)out->threads * sizeof *p->spans);
	r = measure_all(p, out->threads, n, e);
	if (!r)
		tell(p, out, n);
	out->ns = os_now_ns() - start;
out:
	if (p) {
		mem_free(p->buf);
		mem_free(p->spans);
	}
	mem_free(p);
	return r;
}
