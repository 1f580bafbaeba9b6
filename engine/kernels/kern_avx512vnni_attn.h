/* What AVX-512's attention and AMX's share. Included by kern_avx512vnni_attn.c and kern_amx_attn.c only. */
#ifndef ENGINE_KERNELS_KERN_AVX512VNNI_ATTN_H
#define ENGINE_KERNELS_KERN_AVX512VNNI_ATTN_H

#include "engine/kernels/kern_avx512vnni.h"

#include <stdbool.h>

/* -- the cache's types ----------------------------------------------------------------------- */

/* Sixteen values of a key or value of the cache from i, a multiple of sixteen; those outside the mask are 0. */
typedef __m512 load_kv_fn(const char *row, int64_t i, __mmask16 mask);

struct kv_type {
	load_kv_fn *load;
	int64_t row;			/* bytes of a key */
};

INLINE __m512 load_f16(const char *row, int64_t i, __mmask16 mask)
{
	return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, row + 2 * i));
}

INLINE __m512 load_bf16(const char *row, int64_t i, __mmask16 mask)
{
	return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, row + 2 * i)), 16));
}

INLINE struct kv_type kv_f16(const struct kern_attn *a)
{
	return (struct kv_type){ load_f16, 2 * a->hd };
}

INLINE struct kv_type kv_bf16(const struct kern_attn *a)
{
	return (struct kv_type){ load_bf16, 2 * a->hd };
}

/* -- lanes ----------------------------------------------------------------------------------- */

/* c tanh(x / c) */
INLINE __m512 soft_cap(__m512 x, float c)
{
	const __m512i sign = _mm512_set1_epi32((int)0x80000000);
	const __m512 one = _mm512_set1_ps(1), y = _mm512_div_ps(x, _mm512_set1_ps(c));
	const __m512 e = exp_lanes(_mm512_mul_ps(_mm512_set1_ps(-2), _mm512_abs_ps(y)));
	const __m512 t = _mm512_div_ps(_mm512_sub_ps(one, e), _mm512_add_ps(one, e));
	const __m512i signed_t = _mm512_ternarylogic_epi32(sign, _mm512_castps_si512(x), _mm512_castps_si512(t), 0xca);

	return _mm512_mul_ps(_mm512_set1_ps(c), _mm512_castsi512_ps(signed_t));
}

/* Sixteen rows of sixteen → column i of them in v[i]. */
INLINE void turn(__m512 v[LANES])
{
	__m512 a[LANES];
	__m512d b[LANES];

	UNROLL
	for (int i = 0; i < LANES; i += 2) {
		a[i] = _mm512_unpacklo_ps(v[i], v[i + 1]);
		a[i + 1] = _mm512_unpackhi_ps(v[i], v[i + 1]);
	}
	UNROLL
	for (int i = 0; i < LANES; i += 4)
		for (int j = 0; j < 2; j++) {
			const __m512d lo = _mm512_castps_pd(a[i + j]), hi = _mm512_castps_pd(a[i + j + 2]);

			b[i + 2 * j] = _mm512_unpacklo_pd(lo, hi);
			b[i + 2 * j + 1] = _mm512_unpackhi_pd(lo, hi);
		}
	/* b[4r + c] has column 4l + c of rows 4r … 4r+3 in its quarter l */
	UNROLL
	for (int c = 0; c < 4; c++) {
		const __m512 r0 = _mm512_castpd_ps(b[c]), r1 = _mm512_castpd_ps(b[4 + c]);
		const __m512 r2 = _mm512_castpd_ps(b[8 + c]), r3 = _mm512_castpd_ps(b[12 + c]);
		const __m512 even01 = _mm512_shuffle_f32x4(r0, r1, 0x88), odd01 = _mm512_shuffle_f32x4(r0, r1, 0xdd);
		const __m512 even23 = _mm512_shuffle_f32x4(r2, r3, 0x88), odd23 = _mm512_shuffle_f32x4(r2, r3, 0xdd);

		v[c] = _mm512_shuffle_f32x4(even01, even23, 0x88);
		v[4 + c] = _mm512_shuffle_f32x4(odd01, odd23, 0x88);
		v[8 + c] = _mm512_shuffle_f32x4(even01, even23, 0xdd);
		v[12 + c] = _mm512_shuffle_f32x4(odd01, odd23, 0xdd);
	}
}

/* -- who sees what ------------------------------------------------------------------------- */

/* Keys of a page that someone sees: from … to-1, none when to <= from. */
struct seen { int from, to; };

static struct seen seen_of(const struct kern_attn *a, int token, int64_t page)
{
	const struct kern_attn one = kern_attn_token(a, token);
	const int64_t from = one.first - page, to = one.n - page;

	return (struct seen){ from > 0 ? from < KERN_PAGE ? (int)from : KERN_PAGE : 0, to < KERN_PAGE ? (int)to : KERN_PAGE };
}

/* Into the L2 cache: keys and values are walked over in strides that no hardware foresees. */
INLINE void fetch(const char *p, int64_t bytes)
{
	for (int64_t i = 0; i < bytes; i += 64)
		__builtin_prefetch(p + i, 0, 2);
}

/* As many queries as there is room for; whether an output is NaN. */
typedef bool attn_fn(const struct kern_attn *a, const struct kv_type t);

/*
 * Heads, then tokens, at most so many queries at a time. A value that a query does not see, but that a later token of
 * the call does, weighs 0 for it, which of infinity or NaN is NaN: then its tokens are taken again, each alone.
 */
INLINE void attn_in_parts(const struct kern_attn *a, const struct kv_type t, int most, attn_fn *attn_some)
{
	const int heads = a->g < most ? a->g : most, tokens = most / heads;

	for (int h = 0; h < a->g; h += heads)
		for (int i = 0, alone = 0; i < a->t;) {
			struct kern_attn some = kern_attn_token(a, i);

			some.t = i < alone ? 1 : a->t - i < tokens ? a->t - i : tokens;
			some.g = a->g - h < heads ? a->g - h : heads;
			some.q += h * a->ldq;
			some.out += h * a->ldo;
			if (attn_some(&some, t) && some.t > 1)
				alone = i + some.t;
			else
				i += some.t;
		}
}

#endif
