/* Norm, gate, rounding of activations, the cache's types and attention: against plain definitions in double. */
#include "config.h"
#include "engine/kernels/cpu.h"
#include "engine/kernels/kern.h"
#include "t/helper/blocks.h"
#include "t/lib/tap.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed = 7;

static bool close_to(double got, double want, double rel, double abs)
{
	return fabs(got - want) <= rel * fabs(want) + abs;
}

static void fill(float *x, int64_t n, float scale)
{
	for (int64_t i = 0; i < n; i++)
		x[i] = blocks_uniform(&seed) * scale;
}

/* -- rounding ------------------------------------------------------------------------ */

enum { GROUPS = 64, K = GROUPS * KERN_ACT_BLOCK };

struct rounded { int8_t q[K]; float d[GROUPS]; int16_t sum[2 * GROUPS]; };

/* Group by group: zeros, ties, one outlier, subnormal, the smallest that counts, the largest, infinity, NaN, then random. */
static void groups_fill(float *x)
{
	fill(x, K, 3);
	memset(x, 0, 32 * sizeof *x);
	for (int i = 0; i < 32; i++) {
		x[32 + i] = (float)i - 15.5f;
		x[96 + i] = blocks_uniform(&seed) * 1e-38f;
		x[128 + i] = (float)(i - 16) * 127 / 16 * FLT_MIN;
		x[160 + i] = i % 2 ? FLT_MAX : -FLT_MAX;
		x[640 + i] = x[32 + i];	/* among ordinary ones, which may be rounded together */
	}
	x[32] = x[640] = 127;
	x[64 + 9] = -1e6f;
	x[192 + 5] = -INFINITY;
	x[224 + 30] = NAN;
	x[256] = -0.0f;
}

static void round_ref(const float *x, struct rounded *o)
{
	for (int g = 0; g < GROUPS; g++) {
		double amax = 0;
		bool finite = true;

		for (int i = 0; i < 32; i++) {
			finite = finite && isfinite(x[32 * g + i]);
			amax = fmax(amax, fabs((double)x[32 * g + i]));
		}
		o->d[g] = finite ? (float)((float)amax / 127.0) : NAN;
		if (o->d[g] < FLT_MIN)
			o->d[g] = 0;
		o->sum[2 * g] = o->sum[2 * g + 1] = 0;
		for (int i = 0; i < 32; i++) {
			o->q[32 * g + i] = (int8_t)(o->d[g] > 0 ? nearbyintf(x[32 * g + i] / o->d[g]) : 0);
			o->sum[2 * g + i / 16] = (int16_t)(o->sum[2 * g + i / 16] + o->q[32 * g + i]);
		}
	}
}

/* Tokens t0 … t1-1, each whole. */
static void round_tokens(kern_quant_fn *fn, const struct kern_acts *a, int64_t t0, int64_t t1)
{
	for (int64_t t = t0; t < t1; t++)
		fn(a, &(struct kern_span){ t, 0, a->k, a->x + t * a->k });
}

static void rest_tokens(const struct kern *k, const struct kern_acts *a, const struct kern_acts *rest, int64_t t0, int64_t t1)
{
	for (int64_t t = t0; t < t1; t++)
		k->rest_q8(a, rest, &(struct kern_span){ t, 0, a->k, a->x + t * a->k });
}

/* In tiles, in spans that begin and end anywhere: the same numbers in other places, and nothing else written. */
static void test_tiles(const struct kern *k)
{
	enum { TOKENS = 37, LEN = 7 * 32, TILE = 16, PLACES = 48 * 8, BYTES = PLACES * (32 + 4 + 4) + 192 };
	static float x[TOKENS * LEN];
	static _Alignas(64) char bytes[2][BYTES], rest_bytes[2][BYTES];
	struct kern_acts a[2], rest[2];
	bool right = true;
	int used = 0;

	fill(x, TOKENS * LEN, 3);
	memset(bytes, 0x55, sizeof bytes);
	memset(rest_bytes, 0x55, sizeof rest_bytes);
	for (int i = 0; i < 2; i++) {
		a[i] = rest[i] = (struct kern_acts){ .t = TOKENS, .k = LEN, .tile = i ? TILE : 0, .x = x };
		kern_acts_place(&a[i], bytes[i]);
		kern_acts_place(&rest[i], rest_bytes[i]);
		right = right && kern_acts_bytes(TOKENS, LEN, a[i].tile) <= sizeof *bytes;
		for (int64_t t = 0; t < TOKENS; t++)
			for (int64_t at = 0, n = 1 + t % 4; at < LEN / 32; at += n, n = n % 3 + 1) {
				const struct kern_span span = { t, at * 32, (at + n < LEN / 32 ? n : LEN / 32 - at) * 32,
								x + t * LEN + at * 32 };

				k->quant_q8(&a[i], &span);
				k->rest_q8(&a[i], &rest[i], &span);
			}
	}
	for (int64_t t = 0; t < TOKENS; t++)
		for (int64_t g = 0; g < LEN / 32; g++) {
			const int64_t row = kern_act_group(&a[0], t, g), at = kern_act_group(&a[1], t, g);

			right = right && row == t * (LEN / 32) + g && at >= 0 && at < PLACES &&
				at == ((t / TILE * 4 + g / 2) * TILE + t % TILE) * 2 + g % 2;
			for (int i = 0; i < 2 && right; i++) {
				const struct kern_acts *b = i ? rest : a;

				right = !memcmp(b[0].q + 32 * row, b[1].q + 32 * at, 32) && b[0].d[row] == b[1].d[at] &&
					!memcmp(b[0].sum + 2 * row, b[1].sum + 2 * at, 4);
			}
			used += right;
		}
	for (int64_t at = 0; at < PLACES; at++)
		used += a[1].q[32 * at] == 0x55 && a[1].q[32 * at + 31] == 0x55 && a[1].sum[2 * at] == 0x5555;
	ok(right && used == PLACES, "%s rounding: in tiles, the same and nothing beside", k->name);
}

static void test_round(const struct kern *k)
{
	static float x[K];
	static struct rounded got, want;
	struct kern_acts a = { .t = 4, .k = K / 4, .x = x, .q = got.q, .d = got.d, .sum = got.sum };
	bool q_right, d_right = true;

	groups_fill(x);
	round_ref(x, &want);
	memset(&got, 0x55, sizeof got);
	round_tokens(k->quant_q8, &a, 1, 3);
	ok(got.q[0] == 0x55 && got.q[K / 4 - 1] == 0x55 && got.q[3 * K / 4] == 0x55 &&
	   !memcmp(got.q + K / 4, want.q + K / 4, K / 2), "%s rounding: only the tokens that were asked for", k->name);
	round_tokens(k->quant_q8, &a, 0, 4);
	q_right = !memcmp(got.q, want.q, sizeof got.q) && !memcmp(got.sum, want.sum, sizeof got.sum);
	for (int g = 0; g < GROUPS; g++)
		d_right = d_right && (isnan(want.d[g]) ? isnan(got.d[g]) : got.d[g] == want.d[g]);
	ok(q_right && d_right, "%s rounding: zeros, ties, extremes, infinity and NaN", k->name);
	ok(got.q[33] == -14 && got.q[34] == -14 && got.q[35] == -12 && got.d[3] == 0, "%s rounding: half to even", k->name);
}

/* The rest brings every finite value back to half a step of the second scale, and is the same bytes in every set. */
static void test_rest(const struct kern *k, const struct kern *scalar)
{
	static float x[K];
	static struct rounded a, got, want;
	struct kern_acts acts = { .t = 4, .k = K / 4, .x = x, .q = a.q, .d = a.d, .sum = a.sum };
	struct kern_acts rest = { .t = 4, .k = K / 4, .q = got.q, .d = got.d, .sum = got.sum };
	bool near = true, sums = true;
	int q_max = 0;

	groups_fill(x);
	round_tokens(k->quant_q8, &acts, 0, 4);
	memset(&got, 0x55, sizeof got);
	rest_tokens(k, &acts, &rest, 1, 3);
	ok(got.q[0] == 0x55 && got.q[K / 4 - 1] == 0x55 && got.q[K / 4] != 0x55 && got.q[3 * K / 4] == 0x55,
	   "%s rest: only the tokens that were asked for", k->name);
	rest_tokens(k, &acts, &rest, 0, 4);
	for (int g = 0; g < GROUPS; g++) {
		int sum[2] = { 0, 0 };

		for (int i = 0; i < 32; i++) {
			const double back = (double)a.d[g] * a.q[32 * g + i] + (double)got.d[g] * got.q[32 * g + i];

			sum[i / 16] += got.q[32 * g + i];
			q_max = abs(got.q[32 * g + i]) > q_max ? abs(got.q[32 * g + i]) : q_max;
			if (got.d[g] >= FLT_MIN && !(fabs(back - x[32 * g + i]) <= 0.55 * got.d[g]))
				near = false;
		}
		sums = sums && sum[0] == got.sum[2 * g] && sum[1] == got.sum[2 * g + 1];
	}
	ok(near && q_max > 100, "%s rest: values at 16 bits come back (largest %d)", k->name, q_max);
	ok(sums, "%s rest: its sums are those of its values", k->name);
	rest = (struct kern_acts){ .t = 4, .k = K / 4, .q = want.q, .d = want.d, .sum = want.sum };
	rest_tokens(scalar, &acts, &rest, 0, 4);
	ok(!memcmp(got.q, want.q, sizeof got.q) && !memcmp(got.sum, want.sum, sizeof got.sum),
	   "%s rest: as scalar, infinity and NaN too", k->name);
}

/* One scale a token: zeros, far below the least magnitude, one outlier, halves, infinity, then random. */
static void test_round_token(const struct kern *k)
{
	enum { TOKENS = 8, LEN = K / TOKENS };
	static float x[K];
	static struct rounded got;
	struct kern_acts a = { .t = TOKENS, .k = LEN, .x = x, .q = got.q, .d = got.d, .sum = got.sum };
	bool right = true;

	fill(x, K, 3);
	memset(x, 0, LEN * sizeof *x);
	fill(x + LEN, LEN, 1e-9f);
	x[2 * LEN + 7] = -1e6f;
	for (int i = 0; i < LEN; i++)
		x[3 * LEN + i] = i ? (float)(i % 64) - 31.5f : 127;
	x[4 * LEN + 200] = -INFINITY;
	x[5 * LEN + LEN - 1] = NAN;
	memset(&got, 0x55, sizeof got);
	round_tokens(k->quant_q8_token, &a, 0, TOKENS);
	for (int t = 0; t < TOKENS; t++) {
		float amax = 1e-5f;
		bool finite = true;

		for (int i = 0; i < LEN; i++) {
			finite = finite && isfinite(x[t * LEN + i]);
			amax = fmaxf(amax, fabsf(x[t * LEN + i]));
		}
		for (int i = 0; i < LEN; i++) {
			const int at = t * LEN + i;
			const float q = finite ? nearbyintf(x[at] * (127 / amax)) : 0;

			right = right && (float)got.q[at] == q;
			right = right && (finite ? got.d[at / 32] == 1 / (127 / amax) : isnan(got.d[at / 32]) != 0);
		}
	}
	for (int h = 0; h < K / 16; h++) {
		int sum = 0;

		for (int i = 0; i < 16; i++)
			sum += got.q[16 * h + i];
		right = right && sum == got.sum[h];
	}
	ok(right && got.q[2 * LEN + 7] == -127 && got.q[3 * LEN + 1] == -30, "%s rounding by token", k->name);
}

/* An activation that is no number spoils its own token and no other. */
static void test_nan(const struct kern *k)
{
	static float x[3 * 64], y[3 * 8];
	static _Alignas(64) char buf[4096];
	static uint8_t w[8 * 2 * 34];
	struct kern_acts a = { .t = 3, .k = 64, .x = x };
	const struct kern_mul m = { .w = w, .w_stride = 68, .a = &a, .r1 = 8, .y = y, .ldy = 8 };
	bool right = true;

	fill(x, 3 * 64, 1);
	x[64 + 40] = NAN;
	blocks_fill(&blocks_types[3], w, 8 * 64, BLOCKS_RANDOM, &seed);
	kern_acts_place(&a, buf);
	round_tokens(k->quant_q8, &a, 0, 3);
	k->type[QUANT_Q8_0].mul(&m);
	for (int i = 0; i < 24; i++)
		right = right && (i / 8 == 1) == (isnan(y[i]) != 0);
	ok(right, "%s: NaN stays in its token", k->name);
}

/* -- norm, sum, gate ----------------------------------------------------------------- */

static const int64_t lengths[] = { 1, 3, 7, 8, 9, 64, 172, 576, 1536 };
enum { MAX_N = 1536 };

static bool norm_right(const struct kern *k, int64_t n, float scale, float eps)
{
	static float x[MAX_N], w[MAX_N], y[MAX_N];
	double sum = 0;
	bool right = true;

	fill(x, n, scale);
	fill(w, n, 2);
	k->rmsnorm(y, x, w, n, eps);
	for (int64_t i = 0; i < n; i++)
		sum += (double)x[i] * x[i];
	for (int64_t i = 0; i < n; i++)
		right = right && close_to(y[i], x[i] / sqrt(sum / (double)n + eps) * w[i], 3e-7, 0);
	k->rmsnorm(x, x, w, n, eps);
	return right && !memcmp(x, y, (size_t)n * sizeof *x);
}

static void test_norm(const struct kern *k)
{
	bool right = true;

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
		right = right && norm_right(k, lengths[i], 1, 1e-5f) && norm_right(k, lengths[i], 1e25f, 1e-6f) &&
			norm_right(k, lengths[i], 1e-3f, 1e-5f);
	ok(right, "%s norm: lengths, squares beyond a float, in place", k->name);
}

static double silu(double x)
{
	return x / (1 + exp(-x));
}

static double gelu(double x)
{
	return x * 0.5 * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
}

static double relu2(double x)
{
	return x > 0 ? x * x : 0;
}

struct gate { kern_glu_fn *fn; double (*f)(double x); double rel, abs; };

static bool gate_right(const struct kern *k, const struct gate *gate, int64_t n, float scale)
{
	static float g[MAX_N], u[MAX_N], y[MAX_N + 1];
	bool right = true;

	fill(g, n, scale);
	fill(u, n, 2);
	y[n] = 42;
	gate->fn(y, g, u, n);
	for (int64_t i = 0; i < n; i++)
		right = right && close_to(y[i], gate->f(g[i]) * u[i], gate->rel, gate->abs);
	right = right && y[n] == 42;
	gate->fn(g, g, u, n);
	right = right && !memcmp(g, y, (size_t)n * sizeof *g);
	k->add(y, u, n);
	for (int64_t i = 0; i < n; i++)
		right = right && y[i] == g[i] + u[i];
	return right && y[n] == 42;
}

static void test_gate(const struct kern *k)
{
	static const float edge[8] = { 0, -0.0f, 1e30f, -1e30f, 88.8f, -88.8f, -103, FLT_MAX };
	const float one[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	/* far below 0 gelu is the small difference of large numbers, of which 1e-6 is lost in the double's tanh too */
	const struct gate gates[] = {
		{ k->swiglu, silu, 6e-7, 1e-34 }, { k->geglu, gelu, 2e-6, 1e-6 }, { k->relu2glu, relu2, 3e-7, 0 },
	};
	float y[8];

	for (size_t g = 0; g < sizeof gates / sizeof *gates; g++) {
		bool right = true;

		for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
			right = right && gate_right(k, &gates[g], lengths[i], 4) && gate_right(k, &gates[g], lengths[i], 80);
		ok(right, "%s gate %d and sum: lengths, in place", k->name, (int)g);
		gates[g].fn(y, (const float[1]){ NAN }, one, 1);
		ok(isnan(y[0]), "%s gate %d: NaN stays", k->name, (int)g);
	}
	k->swiglu(y, edge, one, 8);
	ok(y[0] == 0 && y[1] == 0 && y[2] == 1e30f && close_to(y[3], 0, 0, 1e-30) && close_to(y[4], 88.8, 1e-6, 0) &&
	   close_to(y[5], 0, 0, 1e-35) && close_to(y[6], 0, 0, 1e-35) && y[7] == FLT_MAX, "%s gate: extremes", k->name);
	k->geglu(y, edge, one, 8);
	ok(y[0] == 0 && y[1] == 0 && y[2] == 1e30f && y[3] == 0 && y[4] == 88.8f && y[5] == 0 && y[6] == 0 &&
	   y[7] == FLT_MAX, "%s gelu: extremes", k->name);
}

/* -- the cache ----------------------------------------------------------------------- */

static void test_store(const struct kern *k)
{
	static float f[65536];
	static uint16_t h[65536];
	bool same = true, rounded = true;

	for (int i = 0; i < 65536; i++)
		f[i] = quant_f16_to_f32((uint16_t)i);
	k->kv[KERN_KV_F16].store(h, f, 65536);
	for (int i = 0; i < 65536; i++)
		same = same && (isnan(f[i]) ? isnan(quant_f16_to_f32(h[i])) : h[i] == i);
	ok(same, "%s f16: every half comes back, subnormal and infinite ones too", k->name);
	for (int i = 0; i < 65535; i++) {
		uint32_t bits = (uint32_t)i << 16 | (i & 1 ? 0x1000 : blocks_rand(&seed) & 0xffff);

		memcpy(f + i, &bits, sizeof bits);
		f[i] = isnan(f[i]) ? 0 : f[i];
	}
	k->kv[KERN_KV_F16].store(h, f, 65535);
	for (int i = 0; i < 65535; i++)
		rounded = rounded && h[i] == quant_f32_to_f16(f[i]);
	ok(rounded, "%s f16: rounded as weights are", k->name);
	k->kv[KERN_KV_F32].store(h, f, 1001);
	ok(!memcmp(h, f, 1001 * sizeof *f), "%s f32: as it is", k->name);
}

/* -- attention ----------------------------------------------------------------------- */

enum { MAX_PAGES = 4, MAX_G = 17, MAX_HD = 256, LD = MAX_HD + 3, MAX_TOKENS = 100 };

static float keys[MAX_PAGES * KERN_PAGE * MAX_HD], values[MAX_PAGES * KERN_PAGE * MAX_HD];
static _Alignas(64) char kmem[MAX_PAGES][KERN_PAGE * MAX_HD * 4], vmem[MAX_PAGES][KERN_PAGE * MAX_HD * 4];
static float query[MAX_G * LD], out[MAX_G * LD], alone[MAX_G * LD];

static const enum quant_id stored_as[KERN_KV_N] = {
	[KERN_KV_F16] = QUANT_F16, [KERN_KV_BF16] = QUANT_BF16, [KERN_KV_F32] = QUANT_F32, [KERN_KV_Q8_0] = QUANT_Q8_0,
};

/* A key as weights of the cache's type would keep it. */
static void round_trip(enum kern_kv kv, float *x, int n)
{
	const struct quant_type *t = quant_by_id(stored_as[kv]);
	float whole[MAX_HD] = { 0 };
	char bytes[MAX_HD * 4];

	memcpy(whole, x, (size_t)n * sizeof *x);
	t->encode(whole, bytes, MAX_HD);
	t->decode(bytes, whole, MAX_HD);
	memcpy(x, whole, (size_t)n * sizeof *x);
}

/* What is stored is what is compared with: rounded to the cache's type; pages are NaN beyond n. */
static void cache_fill(const struct kern *k, enum kern_kv kv, int hd, int64_t n)
{
	memset(kmem, 0xff, sizeof kmem);
	memset(vmem, 0xff, sizeof vmem);
	fill(keys, n * hd, 1);
	fill(values, n * hd, 2);
	for (int64_t j = 0; j < n; j++) {
		const int64_t at = j % KERN_PAGE * kern_kv_row(k, kv, hd);

		k->kv[kv].store(kmem[j / KERN_PAGE] + at, keys + j * hd, hd);
		k->kv[kv].store(vmem[j / KERN_PAGE] + at, values + j * hd, hd);
		round_trip(kv, keys + j * hd, hd);
		round_trip(kv, values + j * hd, hd);
	}
}

/* Of a score or a weight, relative. AMX multiplies in two parts of eight bits and leaves their smallest product out. */
static double attn_error(const struct kern *k)
{
	return strcmp(k->name, "amx") ? 2e-6 : 0x1p-15;
}

static bool head_right(const struct kern_attn *a, double error, int h)
{
	static double p[MAX_PAGES * KERN_PAGE];
	double max = -INFINITY, sum = 0, spread = 0;

	for (int64_t j = a->first; j < a->n; j++) {
		double size = 0;

		p[j] = 0;
		for (int i = 0; i < a->hd; i++) {
			p[j] += (double)query[h * LD + i] * keys[j * a->hd + i] * a->scale;
			size += fabs((double)query[h * LD + i] * keys[j * a->hd + i] * a->scale);
		}
		if (a->softcap > 0)
			p[j] = a->softcap * tanh(p[j] / a->softcap);
		max = fmax(max, p[j]);
		spread = fmax(spread, size);
	}
	for (int64_t j = a->first; j < a->n; j++)
		sum += p[j] = exp(p[j] - max);
	for (int i = 0; i < a->hd; i++) {
		double want = 0;

		for (int64_t j = a->first; j < a->n; j++)
			want += p[j] / sum * values[j * a->hd + i];
		if (!close_to(out[h * LD + i], want, 0, error * (2 + spread))) {
			printf("# g %d hd %d keys %d to %d head %d value %d: %g, not %g\n", a->g, a->hd,
			       (int)a->first, (int)a->n, h, i, out[h * LD + i], want);
			return false;
		}
	}
	return true;
}

struct range { int64_t first, n; float scale, softcap; };

static bool attn_right(const struct kern *k, enum kern_kv kv, int g, int hd, struct range w)
{
	const void *kp[MAX_PAGES], *vp[MAX_PAGES];
	struct kern_attn a = { .t = 1, .q = query, .ldq = LD, .g = g, .hd = hd, .kpage = kp, .vpage = vp, .first = w.first,
			       .n = w.n, .scale = w.scale, .softcap = w.softcap, .out = out, .ldo = LD };
	const int64_t row = kern_kv_row(k, kv, hd);
	bool right = true;

	for (int64_t p = 0; p < MAX_PAGES; p++) {
		const bool there = p * KERN_PAGE < w.n && (p + 1) * KERN_PAGE > w.first;

		kp[p] = there ? kmem[p] : NULL;
		vp[p] = there ? vmem[p] : NULL;
	}
	cache_fill(k, kv, hd, w.n);
	/* what lies below the first position is not read either */
	for (int64_t j = 0; j < w.first; j++) {
		memset(kmem[j / KERN_PAGE] + j % KERN_PAGE * row, 0xff, (size_t)row);
		memset(vmem[j / KERN_PAGE] + j % KERN_PAGE * row, 0xff, (size_t)row);
	}
	fill(query, MAX_G * LD, 1);
	for (int i = 0; i < MAX_G * LD; i++)
		out[i] = alone[i] = 42;
	k->kv[kv].attn(&a);
	for (int h = 0; h < g; h++)
		right = right && head_right(&a, attn_error(k), h);
	a.g = 1;
	for (int h = 0; h < g; h++) {
		a.q = query + h * LD;
		a.out = alone + h * LD;
		k->kv[kv].attn(&a);
	}
	return right && !memcmp(out, alone, sizeof out);
}

/* Of the last key in the cache, one number. */
static void spoil_last(const struct kern *k, enum kern_kv kv, int hd, float by)
{
	const int64_t last = MAX_PAGES * KERN_PAGE - 1, at = last % KERN_PAGE * kern_kv_row(k, kv, hd);

	values[last * hd + hd / 2] = by;
	k->kv[kv].store(vmem[last / KERN_PAGE] + at, values + last * hd, hd);
}

/* Tokens together: each has the bits that it has alone; what the last one's value is spoiled by, unless 0, stays there. */
static bool tokens_right(const struct kern *k, enum kern_kv kv, int g, int hd, int tokens, int64_t window, float by)
{
	static float q[MAX_TOKENS * MAX_G * MAX_HD], together[MAX_TOKENS * MAX_G * MAX_HD], one[MAX_TOKENS * MAX_G * MAX_HD];
	const void *kp[MAX_PAGES], *vp[MAX_PAGES];
	const int64_t n = MAX_PAGES * KERN_PAGE - tokens + 1 - (by != 0 ? 0 : window % 3), ld = (int64_t)g * hd;
	struct kern_attn a = { .t = tokens, .q = q, .ldt = ld, .ldq = hd, .g = g, .hd = hd, .kpage = kp, .vpage = vp,
			       .first = window && n > window ? n - window : 0, .n = n, .window = window, .scale = 0.3f,
			       .out = together, .ldto = ld, .ldo = hd };

	for (int64_t p = 0; p < MAX_PAGES; p++) {
		kp[p] = kmem[p];
		vp[p] = vmem[p];
	}
	cache_fill(k, kv, hd, MAX_PAGES * KERN_PAGE);
	if (by != 0)
		spoil_last(k, kv, hd, by);
	fill(q, tokens * ld, 1);
	k->kv[kv].attn(&a);
	for (int i = 0; i < tokens; i++) {
		struct kern_attn b = kern_attn_token(&a, i);

		b.out = one + i * ld;
		k->kv[kv].attn(&b);
	}
	for (int64_t i = 0; i < tokens * ld; i++)
		if (memcmp(together + i, one + i, sizeof *one) || (by != 0 && !isfinite(one[i]) && i < (tokens - 1) * ld)) {
			printf("# g %d hd %d, %d tokens, window %d: token %d differs\n", g, hd, tokens, (int)window, (int)(i / ld));
			return false;
		}
	return true;
}

static void test_tokens(const struct kern *k, enum kern_kv kv)
{
	static const struct { int g, hd, tokens; int64_t window; } cases[] = {
		{ 1, 64, 32, 0 }, { 2, 128, 33, 0 }, { 3, 64, 32, 0 }, { 8, 20, 5, 0 }, { 1, 256, 100, 0 }, { 5, 8, 70, 0 },
		{ 2, 128, 33, 64 }, { 1, 64, 100, 40 }, { 4, 256, 32, 130 }, { MAX_G, 64, 3, 1 },
	};
	bool right = true, apart = true;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		right = right && tokens_right(k, kv, cases[i].g, cases[i].hd, cases[i].tokens, cases[i].window, 0);
		apart = apart && tokens_right(k, kv, cases[i].g, cases[i].hd, cases[i].tokens, cases[i].window, i % 2 ? INFINITY : NAN);
	}
	ok(right, "%s attention, %s: tokens together, the same bits", k->name, quant_by_id(stored_as[kv])->name);
	ok(apart, "%s attention, %s: what is spoiled by a later token's value is that token's", k->name,
	   quant_by_id(stored_as[kv])->name);
}

static void test_attn(const struct kern *k, enum kern_kv kv)
{
	static const int sizes[] = { 4, 8, 20, 64, 80, 96, 128, MAX_HD }, groups[] = { 1, 2, 3, 8, MAX_G };
	static const int64_t depths[] = { 1, 7, 8, 9, 63, 64, 65, 128, 201, 256 };
	static const int64_t firsts[] = { 1, 6, 8, 13, 63, 64, 65, 100, 127, 200, 255 };
	bool right = true, sharp = true, window = true, capped = true;

	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
		for (size_t n = 0; n < sizeof depths / sizeof *depths; n++)
			right = right && attn_right(k, kv, groups[(s + n) % 5], sizes[s], (struct range){
				.n = depths[n], .scale = 1 / sqrtf((float)sizes[s]) });
	for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
		sharp = sharp && attn_right(k, kv, groups[g], 64, (struct range){ .n = 201, .scale = 40 });
	for (size_t f = 0; f < sizeof firsts / sizeof *firsts; f++)
		for (size_t n = 0; n < sizeof depths / sizeof *depths; n++)
			window = window && (firsts[f] >= depths[n] ||
				attn_right(k, kv, groups[(f + n) % 5], sizes[(f + 2 * n) % 8], (struct range){
					.first = firsts[f], .n = depths[n], .scale = 0.2f }));
	for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
		capped = capped && attn_right(k, kv, groups[g], 64, (struct range){
			.first = 70 * (int64_t)(g % 2), .n = 201, .scale = 2, .softcap = 5 });
	ok(right, "%s attention, %s: head sizes, depths, groups; heads do not touch each other", k->name,
	   quant_by_id(stored_as[kv])->name);
	ok(sharp, "%s attention, %s: scores far apart", k->name, quant_by_id(stored_as[kv])->name);
	ok(window, "%s attention, %s: nothing below the first position is read", k->name,
	   quant_by_id(stored_as[kv])->name);
	ok(capped, "%s attention, %s: soft caps", k->name, quant_by_id(stored_as[kv])->name);
}

int main(void)
{
	for (int set = -1; set < CPU_N; set++) {
		struct kern k, scalar;

		if (set >= 0 && !(cpu_flags() >> set & 1))
			continue;
		kern_fill(&k, set < 0 ? 0 : (2u << set) - 1);
		kern_fill(&scalar, 0);
		test_round(&k);
		test_rest(&k, &scalar);
		test_round_token(&k);
		test_tiles(&k);
		test_nan(&k);
		test_norm(&k);
		test_gate(&k);
		test_store(&k);
		for (int kv = 0; kv < KERN_KV_N; kv++) {
			test_attn(&k, kv);
			test_tokens(&k, kv);
		}
	}
	return tap_done();
}
