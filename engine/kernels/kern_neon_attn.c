/*
 * Attention, NEON. Keys are taken eight at a time, values 64 columns at a time; when
 * several heads share them they are turned into floats once. A head's numbers do not
 * depend on the heads beside it.
 *
 * Eight keys are eight pairs of registers that sum q · k along the head, eight values a
 * step; in the end lane j of one pair has the score of key j. 64 columns of an output are
 * eight pairs too, and row after row of values is added to them.
 */
#include "config.h"
#include "engine/kernels/kern_neon.h"

#include <math.h>
#include <stdbool.h>

enum { KEYS = 8, COLS = 64 };

/* Eight values of a key or value of the cache, from i, a multiple of eight. */
typedef struct f8 load_fn(const char *row, int64_t i);
/* The last n < 8 of them, zeros above; reads nothing behind the row. */
typedef struct f8 load_last_fn(const char *row, int64_t i, int64_t n);

struct kv_type {
	load_fn *load;
	load_last_fn *load_last;
	int64_t row;		/* bytes of a key */
};

INLINE struct f8 load_f16(const char *row, int64_t i)
{
	const float16x8_t h = vreinterpretq_f16_u8(vld1q_u8((const uint8_t *)row + 2 * i));

	return (struct f8){ vcvt_f32_f16(vget_low_f16(h)), vcvt_high_f32_f16(h) };
}

INLINE struct f8 load_bf16(const char *row, int64_t i)
{
	const uint16x8_t h = vreinterpretq_u16_u8(vld1q_u8((const uint8_t *)row + 2 * i));

	return (struct f8){ vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(h), 16)),
			    vreinterpretq_f32_u32(vshll_high_n_u16(h, 16)) };
}

INLINE struct f8 load_f32(const char *row, int64_t i)
{
	return f8_load((const float *)row + i);
}

/* Blocks of a scale (half) and 32 numbers. */
enum { Q8_BLOCK = 32, Q8_BYTES = 34 };

INLINE struct f8 load_q8_0(const char *row, int64_t i)
{
	const char *block = row + i / Q8_BLOCK * Q8_BYTES;
	const int16x8_t q = vmovl_s8(vld1_s8((const int8_t *)block + 2 + i % Q8_BLOCK));
	uint16_t half;

	memcpy(&half, block, sizeof half);
	return f8_mul(f8_set(vgetq_lane_f32(vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(half))), 0)),
		      (struct f8){ vcvtq_f32_s32(vmovl_s16(vget_low_s16(q))), vcvtq_f32_s32(vmovl_high_s16(q)) });
}

INLINE struct f8 last_f16(const char *row, int64_t i, int64_t n)
{
	char last[16] = { 0 };

	memcpy(last, row + 2 * i, (size_t)(2 * n));
	return load_f16(last, 0);
}

INLINE struct f8 last_bf16(const char *row, int64_t i, int64_t n)
{
	char last[16] = { 0 };

	memcpy(last, row + 2 * i, (size_t)(2 * n));
	return load_bf16(last, 0);
}

INLINE struct f8 last_f32(const char *row, int64_t i, int64_t n)
{
	return f8_load_some((const float *)row + i, n);
}

/* Blocks are filled up with zeros. */
INLINE struct f8 last_q8_0(const char *row, int64_t i, int64_t n)
{
	(void)n;
	return load_q8_0(row, i);
}

/* What was unpacked COLS columns at a time. */
static const struct kv_type floats = { load_f32, last_f32, COLS * sizeof(float) };

/* Values c0 … c1-1 of n rows → out, rows `ld` apart; the last eight are filled up with zeros. */
INLINE void unpack(const struct kv_type t, const char *rows, int64_t c0, int64_t c1, int n, float *out, int64_t ld)
{
	for (int j = 0; j < n; j++) {
		const char *row = rows + j * t.row;
		int64_t i = c0;

		for (; i + 8 <= c1; i += 8)
			f8_store(out + j * ld + i - c0, t.load(row, i));
		if (i < c1)
			f8_store(out + j * ld + i - c0, t.load_last(row, i, c1 - i));
	}
}

/* Lane j: the sum of v[j]. */
INLINE float32x4_t sum_each(const struct f8 v[4])
{
	const float32x4_t lo = vpaddq_f32(vpaddq_f32(v[0].lo, v[1].lo), vpaddq_f32(v[2].lo, v[3].lo));
	const float32x4_t hi = vpaddq_f32(vpaddq_f32(v[0].hi, v[1].hi), vpaddq_f32(v[2].hi, v[3].hi));

	return vaddq_f32(lo, hi);
}

/* q times eight keys, `row` bytes apart, whose last eight values may be filled up with zeros. */
INLINE struct f8 dot_keys(load_fn *load, const float *q, int64_t hd, const char *keys, int64_t row)
{
	struct f8 a[KEYS];
	int64_t i = 0;

	UNROLL
	for (int j = 0; j < KEYS; j++)
		a[j] = f8_set(0);
	for (; i + 8 <= hd; i += 8) {
		const struct f8 v = f8_load(q + i);

		UNROLL
		for (int j = 0; j < KEYS; j++)
			a[j] = f8_fma(a[j], v, load(keys + j * row, i));
	}
	if (i < hd) {
		const struct f8 v = f8_load_some(q + i, hd - i);

		UNROLL
		for (int j = 0; j < KEYS; j++)
			a[j] = f8_fma(a[j], v, load(keys + j * row, i));
	}
	return (struct f8){ sum_each(a), sum_each(a + 4) };
}

/* c tanh(x / c) */
INLINE float32x4_t soft_cap(float32x4_t x, float c)
{
	const uint32x4_t sign = vdupq_n_u32(0x80000000);
	const float32x4_t one = vdupq_n_f32(1), y = vdivq_f32(x, vdupq_n_f32(c));
	const float32x4_t e = exp_lanes(vmulq_n_f32(vabsq_f32(y), -2));
	const float32x4_t t = vdivq_f32(vsubq_f32(one, e), vaddq_f32(one, e));

	return vmulq_n_f32(vbslq_f32(sign, x, t), c);
}

/* Scores of keys from … n-1 of a page, in whole eights: -inf for those outside. */
INLINE void score_page(const struct kv_type t, const struct kern_attn *a, const char *keys, int from, int n,
		       float p[][KERN_PAGE], float *scratch)
{
	const int64_t ld = (a->hd + 7) & ~7;
	const struct f8 scale = f8_set(a->scale);

	for (int j = from & -KEYS; j < n; j += KEYS) {
		const char *k = keys + j * t.row;
		const int have = n - j < KEYS ? n - j : KEYS;
		const bool direct = have == KEYS && a->hd % 8 == 0 && (a->g == 1 || t.load == load_f32);

		if (!direct) {
			unpack(t, k, 0, a->hd, have, scratch, ld);
			memset(scratch + have * ld, 0, (size_t)((KEYS - have) * ld) * sizeof *scratch);
		}
		for (int h = 0; h < a->g; h++) {
			const float *q = a->q + h * a->ldq;
			struct f8 s = direct ? dot_keys(t.load, q, a->hd, k, t.row) :
					       dot_keys(load_f32, q, a->hd, (const char *)scratch,
							ld * (int64_t)sizeof *scratch);

			s = f8_mul(s, scale);
			if (a->softcap > 0)
				s = (struct f8){ soft_cap(s.lo, a->softcap), soft_cap(s.hi, a->softcap) };
			f8_store(p[h] + j, s);
			for (int i = j; i < from; i++)
				p[h][i] = -INFINITY;
			for (int i = j + have; i < j + KEYS; i++)
				p[h][i] = -INFINITY;
		}
	}
}

/* Scores of keys from … n-1 → their weights relative to the new maximum; what the old ones shrink by. */
INLINE float fold_scores(float *p, int from, int n, float *max, float *sum)
{
	float32x4_t top = vdupq_n_f32(*max), lo = vdupq_n_f32(0), hi = lo;
	const float old = *max;
	float shrink;

	for (int j = from & -8; j < n; j += 8)
		top = vmaxnmq_f32(top, vmaxnmq_f32(vld1q_f32(p + j), vld1q_f32(p + j + 4)));
	*max = vmaxnmvq_f32(top);
	top = vdupq_n_f32(*max);
	for (int j = from & -8; j < n; j += 8) {
		const struct f8 e = { exp_lanes(vsubq_f32(vld1q_f32(p + j), top)),
				      exp_lanes(vsubq_f32(vld1q_f32(p + j + 4), top)) };

		f8_store(p + j, e);
		lo = vaddq_f32(lo, e.lo);
		hi = vaddq_f32(hi, e.hi);
	}
	shrink = vgetq_lane_f32(exp_lanes(vdupq_n_f32(old - *max)), 0);
	*sum = *sum * shrink + f8_sum((struct f8){ lo, hi });
	return shrink;
}

/* out = out · shrink + Σ_j p[j] · row j, 8 · n columns from c0, the last eight of which may be only `last`. */
INLINE void add_columns(const struct kv_type t, float *out, const float *p, int rows, const char *v, int64_t c0,
			float shrink, int n, int last)
{
	struct f8 acc[COLS / 8];

	UNROLL
	for (int c = 0; c < n; c++)
		acc[c] = f8_mul(f8_set(shrink), c < n - 1 || last == 8 ? f8_load(out + 8 * c) :
							f8_load_some(out + 8 * c, last));
	for (int j = 0; j < rows; j++) {
		const struct f8 w = f8_set(p[j]);

		UNROLL
		for (int c = 0; c < n; c++)
			acc[c] = f8_fma(acc[c], w, t.load(v + j * t.row, c0 + 8 * c));
	}
	UNROLL
	for (int c = 0; c < n; c++)
		if (c < n - 1 || last == 8)
			f8_store(out + 8 * c, acc[c]);
		else
			f8_store_some(out + 8 * c, acc[c], last);
}

/* As add_columns, for any number of columns up to COLS; rows are filled up to eight. */
INLINE void add_values(const struct kv_type t, float *out, const float *p, int rows, const char *v, int64_t c0,
		       float shrink, int64_t cols)
{
	if (cols == COLS) {
		add_columns(t, out, p, rows, v, c0, shrink, 8, 8);
		return;
	}
	for (int64_t c = 0; c < cols;) {
		const int64_t left = cols - c;
		const int n = left >= 32 ? 4 : left >= 16 ? 2 : 1;

		if (n == 4)
			add_columns(t, out + c, p, rows, v, c0 + c, shrink, 4, 8);
		else if (n == 2)
			add_columns(t, out + c, p, rows, v, c0 + c, shrink, 2, 8);
		else
			add_columns(t, out + c, p, rows, v, c0 + c, shrink, 1, left < 8 ? (int)left : 8);
		c += 8 * n;
	}
}

INLINE void value_page(const struct kv_type t, const struct kern_attn *a, const char *page, int from, int n,
		       float p[][KERN_PAGE], const float *shrink, float *scratch)
{
	const char *values = page + from * t.row;
	const bool direct = a->hd % 8 == 0 && (a->g == 1 || t.load == load_f32);

	for (int64_t c = 0; c < a->hd; c += COLS) {
		const int64_t cols = a->hd - c < COLS ? a->hd - c : COLS;

		if (!direct)
			unpack(t, values, c, c + cols, n - from, scratch, COLS);
		for (int h = 0; h < a->g; h++) {
			float *out = a->out + h * a->ldo + c;

			if (direct)
				add_values(t, out, p[h] + from, n - from, values, c, shrink[h], cols);
			else
				add_values(floats, out, p[h] + from, n - from, (const char *)scratch, 0,
					   shrink[h], cols);
		}
	}
}

INLINE void attn_token(const struct kern_attn *a, const struct kv_type t)
{
	float p[KERN_MAX_GROUP][KERN_PAGE], scratch[KERN_PAGE * COLS];
	float max[KERN_MAX_GROUP], sum[KERN_MAX_GROUP], shrink[KERN_MAX_GROUP];

	_Static_assert(KEYS * KERN_KV_MAX_HEAD <= KERN_PAGE * COLS, "keys of the largest head fit");
	for (int h = 0; h < a->g; h++) {
		max[h] = -INFINITY;
		sum[h] = 0;
		memset(a->out + h * a->ldo, 0, (size_t)a->hd * sizeof *a->out);
	}
	for (int64_t j = a->first / KERN_PAGE * KERN_PAGE; j < a->n; j += KERN_PAGE) {
		const int from = a->first > j ? (int)(a->first - j) : 0;
		const int n = a->n - j < KERN_PAGE ? (int)(a->n - j) : KERN_PAGE;

		score_page(t, a, a->kpage[j / KERN_PAGE], from, n, p, scratch);
		for (int h = 0; h < a->g; h++)
			shrink[h] = fold_scores(p[h], from, n, &max[h], &sum[h]);
		value_page(t, a, a->vpage[j / KERN_PAGE], from, n, p, shrink, scratch);
	}
	for (int h = 0; h < a->g; h++)
		for (int i = 0; i < a->hd; i++)
			a->out[h * a->ldo + i] /= sum[h];
}

INLINE void attn(const struct kern_attn *a, const struct kv_type t)
{
	for (int i = 0; i < a->t; i++) {
		const struct kern_attn one = kern_attn_token(a, i);

		attn_token(&one, t);
	}
}

static void attn_f16(const struct kern_attn *a)
{
	attn(a, (struct kv_type){ load_f16, last_f16, 2 * a->hd });
}

static void attn_bf16(const struct kern_attn *a)
{
	attn(a, (struct kv_type){ load_bf16, last_bf16, 2 * a->hd });
}

static void attn_f32(const struct kern_attn *a)
{
	attn(a, (struct kv_type){ load_f32, last_f32, 4 * a->hd });
}

static void attn_q8_0(const struct kern_attn *a)
{
	attn(a, (struct kv_type){ load_q8_0, last_q8_0, (a->hd + Q8_BLOCK - 1) / Q8_BLOCK * Q8_BYTES });
}

static void store_f16(void *dst, const float *src, int64_t n)
{
	uint16_t *h = dst;
	int64_t i = 0;

	for (; i + 4 <= n; i += 4)
		vst1_u16(h + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(src + i))));
	for (; i < n; i++)
		h[i] = quant_f32_to_f16(src[i]);
}

/* BF16 and Q8_0 are stored by the scalar definition: a key and a value a head and token. */
void kern_neon_attn_init(struct kern *k)
{
	k->kv[KERN_KV_F16].store = store_f16;
	k->kv[KERN_KV_F16].attn = attn_f16;
	k->kv[KERN_KV_BF16].attn = attn_bf16;
	k->kv[KERN_KV_F32].attn = attn_f32;
	k->kv[KERN_KV_Q8_0].attn = attn_q8_0;
}
