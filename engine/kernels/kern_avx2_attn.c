/*
 * Attention, AVX2. Keys are taken eight at a time, values 64 columns at a time; when
 * several heads share them they are turned into floats once. A head's numbers do not
 * depend on the heads beside it.
 */
#include "config.h"
#include "engine/kernels/kern_avx2.h"

#include <math.h>
#include <string.h>

enum { KEYS = 8, COLS = 64 };

/* Eight values of a key or value of the cache, from i, a multiple of eight. */
typedef __m256 load_fn(const char *row, int64_t i);

/* The last n < 8 of them, zeros above; reads nothing behind the row. */
typedef __m256 load_last_fn(const char *row, int64_t i, int64_t n);

struct kv_type {
	load_fn *load;
	load_last_fn *load_last;
	int64_t row;		/* bytes of a key */
};

INLINE __m256 load_f16(const char *row, int64_t i)
{
	return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(row + 2 * i)));
}

INLINE __m256 load_bf16(const char *row, int64_t i)
{
	const __m256i h = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(row + 2 * i)));

	return _mm256_castsi256_ps(_mm256_slli_epi32(h, 16));
}

INLINE __m256 load_f32(const char *row, int64_t i)
{
	return _mm256_loadu_ps((const float *)row + i);
}

/* Blocks of a scale (half) and 32 numbers. */
enum { Q8_BLOCK = 32, Q8_BYTES = 34 };

INLINE __m256 load_q8_0(const char *row, int64_t i)
{
	const char *block = row + i / Q8_BLOCK * Q8_BYTES;
	const __m128i q = _mm_loadl_epi64((const __m128i *)(block + 2 + i % Q8_BLOCK));
	const __m256 d = _mm256_broadcastss_ps(_mm_cvtph_ps(_mm_loadu_si16(block)));

	return _mm256_mul_ps(d, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(q)));
}

INLINE __m256 last_f16(const char *row, int64_t i, int64_t n)
{
	char last[16] = { 0 };

	memcpy(last, row + 2 * i, (size_t)(2 * n));
	return load_f16(last, 0);
}

INLINE __m256 last_bf16(const char *row, int64_t i, int64_t n)
{
	char last[16] = { 0 };

	memcpy(last, row + 2 * i, (size_t)(2 * n));
	return load_bf16(last, 0);
}

INLINE __m256 last_f32(const char *row, int64_t i, int64_t n)
{
	return _mm256_maskload_ps((const float *)row + i, lanes((int)n));
}

/* Blocks are filled up with zeros. */
INLINE __m256 last_q8_0(const char *row, int64_t i, int64_t n)
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
			_mm256_storeu_ps(out + j * ld + i - c0, t.load(row, i));
		if (i < c1)
			_mm256_storeu_ps(out + j * ld + i - c0, t.load_last(row, i, c1 - i));
	}
}

/* Lane j: the sum of the lanes of v[j]. */
INLINE __m256 sum_each(const __m256 v[8])
{
	const __m256 a = _mm256_hadd_ps(_mm256_hadd_ps(v[0], v[1]), _mm256_hadd_ps(v[2], v[3]));
	const __m256 b = _mm256_hadd_ps(_mm256_hadd_ps(v[4], v[5]), _mm256_hadd_ps(v[6], v[7]));

	return _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
}

/* q times eight keys, `row` bytes apart, whose last eight values may be filled up with zeros. */
INLINE __m256 dot_keys(load_fn *load, const float *q, int64_t hd, const char *keys, int64_t row)
{
	__m256 acc[KEYS];
	int64_t i = 0;

	UNROLL
	for (int j = 0; j < KEYS; j++)
		acc[j] = _mm256_setzero_ps();
	for (; i + 8 <= hd; i += 8) {
		const __m256 v = _mm256_loadu_ps(q + i);

		UNROLL
		for (int j = 0; j < KEYS; j++)
			acc[j] = _mm256_fmadd_ps(v, load(keys + j * row, i), acc[j]);
	}
	if (i < hd) {
		const __m256 v = _mm256_maskload_ps(q + i, lanes((int)(hd - i)));

		UNROLL
		for (int j = 0; j < KEYS; j++)
			acc[j] = _mm256_fmadd_ps(v, load(keys + j * row, i), acc[j]);
	}
	return sum_each(acc);
}

/* c tanh(x / c) */
INLINE __m256 soft_cap(__m256 x, float c)
{
	const __m256 sign = _mm256_set1_ps(-0.0f), one = _mm256_set1_ps(1);
	const __m256 y = _mm256_div_ps(x, _mm256_set1_ps(c));
	const __m256 e = exp_lanes(_mm256_mul_ps(_mm256_set1_ps(-2), _mm256_andnot_ps(sign, y)));
	const __m256 t = _mm256_div_ps(_mm256_sub_ps(one, e), _mm256_add_ps(one, e));

	return _mm256_mul_ps(_mm256_set1_ps(c), _mm256_or_ps(t, _mm256_and_ps(sign, x)));
}

/* Scores of keys from … n-1 of a page, in whole eights: -inf for those outside. */
INLINE void score_page(const struct kv_type t, const struct kern_attn *a, const char *keys, int from, int n,
		       float p[][KERN_PAGE], float *scratch)
{
	const int64_t ld = (a->hd + 7) & ~7;
	const __m256 scale = _mm256_set1_ps(a->scale), none = _mm256_set1_ps(-INFINITY);

	for (int j = from & -KEYS; j < n; j += KEYS) {
		const __m256i asked = _mm256_andnot_si256(lanes(from - j), lanes(n - j));
		const char *k = keys + j * t.row;
		const int have = n - j < KEYS ? n - j : KEYS;
		const bool direct = have == KEYS && a->hd % 8 == 0 && (a->g == 1 || t.load == load_f32);

		if (!direct) {
			unpack(t, k, 0, a->hd, have, scratch, ld);
			memset(scratch + have * ld, 0, (size_t)((KEYS - have) * ld) * sizeof *scratch);
		}
		for (int h = 0; h < a->g; h++) {
			const float *q = a->q + h * a->ldq;
			__m256 s = direct ? dot_keys(t.load, q, a->hd, k, t.row) :
					    dot_keys(load_f32, q, a->hd, (const char *)scratch,
						     ld * (int64_t)sizeof *scratch);

			s = _mm256_mul_ps(s, scale);
			if (a->softcap > 0)
				s = soft_cap(s, a->softcap);
			_mm256_storeu_ps(p[h] + j, _mm256_blendv_ps(none, s, _mm256_castsi256_ps(asked)));
		}
	}
}

/* Scores of keys from … n-1 → their weights relative to the new maximum; what the old ones shrink by. */
INLINE float fold_scores(float *p, int from, int n, float *max, float *sum)
{
	__m256 top = _mm256_set1_ps(*max), total = _mm256_setzero_ps(), shrink;
	float each[8], old = *max;

	for (int j = from & -8; j < n; j += 8)
		top = _mm256_max_ps(top, _mm256_loadu_ps(p + j));
	_mm256_storeu_ps(each, top);
	for (int j = 0; j < 8; j++)
		*max = each[j] > *max ? each[j] : *max;
	top = _mm256_set1_ps(*max);
	for (int j = from & -8; j < n; j += 8) {
		const __m256 e = exp_lanes(_mm256_sub_ps(_mm256_loadu_ps(p + j), top));

		_mm256_storeu_ps(p + j, e);
		total = _mm256_add_ps(total, e);
	}
	shrink = exp_lanes(_mm256_set1_ps(old - *max));
	*sum = *sum * _mm256_cvtss_f32(shrink) + sum_lanes(total);
	return _mm256_cvtss_f32(shrink);
}

/* out = out · shrink + Σ_j p[j] · row j, 8 · n columns from c0; `mask` holds for the last eight. */
INLINE void add_columns(const struct kv_type t, float *out, const float *p, int rows, const char *v, int64_t c0,
			float shrink, int n, __m256i mask)
{
	__m256 acc[COLS / 8];

	UNROLL
	for (int c = 0; c < n; c++)
		acc[c] = _mm256_mul_ps(_mm256_set1_ps(shrink), c < n - 1 ? _mm256_loadu_ps(out + 8 * c) :
				       _mm256_maskload_ps(out + 8 * c, mask));
	for (int j = 0; j < rows; j++) {
		const __m256 w = _mm256_broadcast_ss(p + j);

		UNROLL
		for (int c = 0; c < n; c++)
			acc[c] = _mm256_fmadd_ps(w, t.load(v + j * t.row, c0 + 8 * c), acc[c]);
	}
	UNROLL
	for (int c = 0; c < n - 1; c++)
		_mm256_storeu_ps(out + 8 * c, acc[c]);
	_mm256_maskstore_ps(out + 8 * (n - 1), mask, acc[n - 1]);
}

/* As add_columns, for any number of columns up to COLS; rows are filled up to eight. */
INLINE void add_values(const struct kv_type t, float *out, const float *p, int rows, const char *v, int64_t c0,
		       float shrink, int64_t cols)
{
	if (cols == COLS) {
		add_columns(t, out, p, rows, v, c0, shrink, 8, lanes(8));
		return;
	}
	for (int64_t c = 0; c < cols;) {
		const int64_t left = cols - c;
		const int n = left >= 32 ? 4 : left >= 16 ? 2 : 1;

		if (n == 4)
			add_columns(t, out + c, p, rows, v, c0 + c, shrink, 4, lanes(8));
		else if (n == 2)
			add_columns(t, out + c, p, rows, v, c0 + c, shrink, 2, lanes(8));
		else
			add_columns(t, out + c, p, rows, v, c0 + c, shrink, 1, lanes((int)(left < 8 ? left : 8)));
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
				add_values(floats, out, p[h] + from, n - from, (const char *)scratch, 0, shrink[h], cols);
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

	for (; i + 8 <= n; i += 8)
		_mm_storeu_si128((__m128i *)(h + i), _mm256_cvtps_ph(_mm256_loadu_ps(src + i), _MM_FROUND_TO_NEAREST_INT));
	for (; i < n; i++)
		h[i] = quant_f32_to_f16(src[i]);
}

/* BF16 and Q8_0 are stored by the scalar definition: a key and a value a head and token. */
void kern_avx2_attn_init(struct kern *k)
{
	k->kv[KERN_KV_F16].store = store_f16;
	k->kv[KERN_KV_F16].attn = attn_f16;
	k->kv[KERN_KV_BF16].attn = attn_bf16;
	k->kv[KERN_KV_F32].attn = attn_f32;
	k->kv[KERN_KV_Q8_0].attn = attn_q8_0;
}
