/*
 * kernbench [NAME...]: how fast the kernels are, one thread, per type and instruction set.
 * Decode (one token, or two) is told in GB/s of weights, more in Gop/s, two a multiply-add.
 * Weights are packed where kernels want them so. NAME picks types, "attn" the attention.
 */
#include "config.h"
#include "engine/base/xio.h"
#include "engine/kernels/cpu.h"
#include "engine/kernels/kern.h"
#include "engine/kernels/kern_pack.h"
#include "t/helper/blocks.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct shape { const char *name; int64_t rows, k, t; };

static const struct shape shapes[] = {
	{ "decode 16384x576", 16384, 576, 1 },
	{ "decode 4096x4096", 4096, 4096, 1 },
	{ "batch 2 4096x4096", 4096, 4096, 2 },
	{ "batch 8 1536x1024", 1536, 1024, 8 },
	{ "prefill 576x1536", 576, 1536, 128 },
	{ "prefill 3072x1024", 3072, 1024, 256 },
	{ "prefill 1024x3072", 1024, 3072, 256 },
};

/* The thread's own time: others on the machine cost less so. */
static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t best_ns(void (*fn)(void *), void *arg)
{
	int64_t best = INT64_MAX;
	const int64_t end = now_ns() + 120000000;

	do {
		const int64_t t0 = now_ns();

		fn(arg);
		const int64_t t = now_ns() - t0;

		best = t < best ? t : best;
	} while (now_ns() < end);
	return best;
}

static void *take(size_t n)
{
	void *p = mem_aligned(n);

	if (!p) {
		fputs("kernbench: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

struct mul_run { const struct kern *k; kern_mul_fn *fn; struct kern_mul m; };

static void run_mul(void *arg)
{
	const struct mul_run *r = arg;

	r->fn(&r->m);
}

/* The rows of m in panels: memory to free, or NULL when they are left as they are. */
static uint8_t *pack(const struct kern *k, const struct quant_type *t, struct kern_mul *m)
{
	const int64_t bytes = k->panel ? kern_panel_bytes(t, k->panel, m->a->k) : 0;
	uint8_t *p;

	if (!bytes)
		return NULL;
	p = take((size_t)((m->r1 + k->panel - 1) / k->panel * bytes));
	for (int64_t r = 0; r < m->r1; r += k->panel)
		kern_pack(t, k->panel, (const uint8_t *)m->w + r * m->w_stride, m->w_stride,
			  (int)(m->r1 - r < k->panel ? m->r1 - r : k->panel), m->a->k, p + r / k->panel * bytes);
	m->w = p;
	m->w_stride = bytes;
	m->panel = k->panel;
	return p;
}

static void bench_mul(const struct kern *k, const struct blocks_type *t, const struct shape *s)
{
	uint64_t seed = 1;
	const int64_t stride = s->k / t->block * t->bytes;
	uint8_t *w = take((size_t)(s->rows * stride));
	float *x = take((size_t)(s->t * s->k) * sizeof *x), *y = take((size_t)(s->t * s->rows) * sizeof *y);
	const bool tiles = k->type[t->id].mul_tiles && s->t >= k->tiles_from;
	struct kern_acts a = { .t = s->t, .k = s->k, .tile = tiles ? k->tile : 0, .x = x };
	void *acts = take(kern_acts_bytes(a.t, a.k, a.tile));
	struct mul_run r = { k, tiles ? k->type[t->id].mul_tiles : k->type[t->id].mul, { .w = w, .w_stride = stride, .a = &a, .r1 = s->rows, .y = y, .ldy = s->rows } };
	uint8_t *packed = NULL;
	double ns;

	if (s->k % t->block) {
		printf("       -");
		goto out;
	}
	blocks_fill(t, w, s->rows * s->k, BLOCKS_RANDOM, &seed);
	for (int64_t i = 0; i < s->t * s->k; i++)
		x[i] = blocks_uniform(&seed);
	kern_acts_place(&a, acts);
	for (int64_t i = 0; i < a.t; i++)
		k->quant_q8(&a, &(struct kern_span){ i, 0, a.k, x + i * a.k });
	packed = pack(k, quant_by_id(t->id), &r.m);
	ns = (double)best_ns(run_mul, &r);
	printf(" %7.1f", s->t <= 2 ? (double)(s->rows * stride) / ns : 2.0 * (double)(s->rows * s->k * s->t) / ns);
	fflush(stdout);
out:
	mem_free(packed);
	mem_free(w);
	mem_free(x);
	mem_free(y);
	mem_free(acts);
}

static int wanted(int argc, char **argv, const char *name)
{
	const struct quant_type *t = quant_by_name(name);

	for (int i = 1; i < argc; i++)
		if (t ? quant_by_name(argv[i]) == t : !strcmp(name, argv[i]))
			return 1;
	return argc < 2;
}

struct attn_run { const struct kern *k; struct kern_attn a; enum kern_kv kv; };

static void run_attn(void *arg)
{
	const struct attn_run *r = arg;

	r->k->kv[r->kv].attn(&r->a);
}

struct attn_shape { int t, g, hd; int64_t n; };

static const struct attn_shape attn_shapes[] = {
	{ 1, 3, 64, 512 }, { 1, 2, 128, 4096 }, { 1, 1, 128, 4096 }, { 64, 2, 128, 1 }, { 64, 2, 128, 193 }, { 64, 4, 256, 193 },
};

/* Query heads of one KV head, of tokens from depth n on: bytes are counted once a token, operations as seen. */
static void bench_attn(const struct kern *k, enum kern_kv kv, const struct attn_shape *s)
{
	static const char *const names[KERN_KV_N] = { "f16", "bf16", "f32", "q8_0" };
	const int64_t page = (int64_t)KERN_PAGE * s->hd, row = kern_kv_row(k, kv, s->hd), ld = s->g * s->hd;
	const int64_t keys = s->n + s->t - 1, pages = (keys + KERN_PAGE - 1) / KERN_PAGE;
	const double seen = (double)s->t * (double)(s->n + keys) / 2;
	float *f = take((size_t)page * sizeof *f), *q = take((size_t)(s->t * ld) * sizeof *q);
	float *out = take((size_t)(s->t * ld) * sizeof *out);
	const void *kp[256], *vp[256];
	uint64_t seed = 1;
	struct attn_run r = { k, { .t = s->t, .q = q, .ldt = ld, .ldq = s->hd, .g = s->g, .hd = s->hd, .kpage = kp, .vpage = vp,
				    .n = s->n, .scale = 0.125f, .out = out, .ldto = ld, .ldo = s->hd }, kv };
	double ns;

	for (int64_t i = 0; i < s->t * ld; i++)
		q[i] = blocks_uniform(&seed);
	for (int64_t p = 0; p < 2 * pages; p++) {
		void *mem = take((size_t)page * 4);

		for (int64_t i = 0; i < page; i++)
			f[i] = blocks_uniform(&seed);
		for (int64_t i = 0; i < KERN_PAGE; i++)
			k->kv[kv].store((char *)mem + i * row, f + i * s->hd, s->hd);
		(p % 2 ? vp : kp)[p / 2] = mem;
	}
	ns = (double)best_ns(run_attn, &r);
	printf("attn %-4s %-10s t %3d g %d hd %3d n %5d %7.1f GB/s %7.1f Gop/s\n", names[kv], k->name, s->t, s->g, s->hd,
	       (int)s->n, 2 * seen * (double)row / ns, 4 * seen * (double)ld / ns);
	for (int64_t p = 0; p < 2 * pages; p++)
		mem_free((void *)(p % 2 ? vp : kp)[p / 2]);
	mem_free(f);
	mem_free(q);
	mem_free(out);
}

int main(int argc, char **argv)
{
	printf("%-7s %-10s", "type", "isa");
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		printf(" | %s", shapes[i].name);
	puts("   (decode GB/s, others Gop/s)");
	for (size_t i = 0; i < sizeof blocks_types / sizeof *blocks_types; i++) {
		const struct quant_type *t = quant_by_id(blocks_types[i].id);

		if (!t || !wanted(argc, argv, t->name))
			continue;
		for (int set = -1; set < CPU_N; set++) {
			struct kern k, before;

			if (set >= 0 && !(cpu_flags() >> set & 1))
				continue;
			kern_fill(&k, set < 0 ? 0 : (2u << set) - 1);
			kern_fill(&before, set < 0 ? 0 : (1u << set) - 1);
			if (set >= 0 && k.type[t->id].mul == before.type[t->id].mul &&
			    k.type[t->id].mul_tiles == before.type[t->id].mul_tiles)
				continue;
			printf("%-7s %-10s", t->name, k.name);
			for (size_t j = 0; j < sizeof shapes / sizeof *shapes; j++)
				bench_mul(&k, &blocks_types[i], &shapes[j]);
			putchar('\n');
		}
	}
	if (!wanted(argc, argv, "attn"))
		return 0;
	for (int set = -1; set < CPU_N; set++) {
		struct kern k;

		if (set >= 0 && !(cpu_flags() >> set & 1))
			continue;
		kern_fill(&k, set < 0 ? 0 : (2u << set) - 1);
		for (int kv = 0; kv < KERN_KV_N; kv++)
			for (size_t i = 0; i < sizeof attn_shapes / sizeof *attn_shapes; i++)
				bench_attn(&k, kv, &attn_shapes[i]);
	}
	return 0;
}
