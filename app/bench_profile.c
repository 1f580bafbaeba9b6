/* bench --profile: where the time of a token, or of a prompt, goes. */
#include "config.h"
#include "app/bench.h"
#include "app/limits.h"
#include "app/machine.h"
#include "app/meter.h"

/* What the machine can: reading what no cache holds, and multiplying. */
struct peaks { double read, int8, f32; };

static const uint64_t no_cache = 4ull << 30;

static int find_peaks(const struct bench *b, struct peaks *out, struct err *e)
{
	const int threads = eng_threads(b->rig.eng);
	const char *isa = eng_isa(b->rig.eng);
	struct err unkept;
	struct machine m;
	struct meter meter;
	int ret;

	meter_init(&meter, "measuring the machine");
	ret = machine_get(false, meter_progress, &meter, &m, &unkept, e);
	meter_clear(&meter);
	if (ret < 0)
		return -1;
	out->read = limits_read_rate(&m.limits, no_cache, threads);
	out->int8 = limits_peak_rate(&m.limits, isa, "int8", threads);
	out->f32 = limits_peak_rate(&m.limits, isa, "f32", threads);
	return 0;
}

/* The least that a work can take, ns: its arithmetic, or its reading. */
static double least_ns(const struct peaks *p, const struct eng_work *w)
{
	const double ops = w->int8_ops / p->int8 + w->f32_ops / p->f32, read = w->bytes / p->read;

	return 1e9 * (ops > read ? ops : read);
}

static void show_row(FILE *f, const char *name, const struct eng_work *w, double total, int64_t per, double least)
{
	const double ns = (double)w->ns, ops = w->int8_ops + w->f32_ops;

	fprintf(f, "| %-21s | %9.4f | %5.1f |", name, ns / 1e6 / (double)per, 100 * ns / total);
	if (w->bytes > 0 && ns > 0)
		fprintf(f, " %6.1f | %7.1f | %5.1f |\n", w->bytes / ns, ops / ns, 100 * least / ns);
	else
		fprintf(f, " %6s | %7s | %5s |\n", "", "", "");
}

static void show_works(FILE *f, const struct peaks *p, const struct eng_work *w, int n, int64_t tokens)
{
	struct eng_work all = { 0 };
	double least = 0;

	for (int i = 0; i < n; i++) {
		all.ns += w[i].ns;
		all.bytes += w[i].bytes;
		all.int8_ops += w[i].int8_ops;
		all.f32_ops += w[i].f32_ops;
		least += least_ns(p, &w[i]);
	}
	fprintf(f, "| work                  |  ms/token | time%% |   GB/s |   Gop/s | limit%% |\n"
		   "| --------------------- | --------: | ----: | -----: | ------: | -----: |\n");
	for (int i = 0; i < n; i++)
		if (w[i].ns)
			show_row(f, w[i].name, &w[i], (double)all.ns, tokens, least_ns(p, &w[i]));
	show_row(f, "all", &all, (double)all.ns, tokens, least);
}

int bench_profile(const struct bench *b, FILE *f, struct err *e)
{
	const struct eng_work *works;
	struct peaks peaks;
	double ns;

	if (find_peaks(b, &peaks, e) < 0)
		return -1;
	fprintf(f, "limits: %.1f GB/s, %.0f int8 and %.0f f32 Gop/s (%d threads, %s)\n", peaks.read / 1e9, peaks.int8 / 1e9,
		peaks.f32 / 1e9, eng_threads(b->rig.eng), eng_isa(b->rig.eng));
	for (int i = 0; i < b->n_cases; i++) {
		const struct bench_case *c = &b->cases[i];
		int n;

		if (bench_warm(b, c, e) < 0)
			return -1;
		eng_profile(b->rig.eng, true);
		if (bench_once(b, c, c->n, &ns, e) < 0)
			return -1;
		n = eng_profile_works(b->rig.eng, &works);
		fprintf(f, "\n%s, %s%d", eng_weights_info(c->level->weights)->level,
			c->kind == BENCH_PREFILL ? "pp" : "tg", (int)c->n);
		if (b->o->bench_d)
			fprintf(f, " @ d%lld", (long long)b->o->bench_d);
		fprintf(f, ": %.2f tokens/s\n\n", c->n * 1e9 / ns);
		show_works(f, &peaks, works, n, c->n);
		eng_profile(b->rig.eng, false);
	}
	return 0;
}
