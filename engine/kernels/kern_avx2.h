/* What the AVX2 files share; kern_init_avx2() puts them together. Included by kern_avx2*.c and kern_avxvnni*.c only. */
#ifndef ENGINE_KERNELS_KERN_AVX2_H
#define ENGINE_KERNELS_KERN_AVX2_H

#include "engine/kernels/kern.h"
#include "engine/kernels/kern_inline.h"

#include <immintrin.h>

void kern_avx2_plain_init(struct kern *k);	/* blocks of 32 */
void kern_avx2_super_init(struct kern *k);	/* blocks of 256 */
void kern_avx2_float_init(struct kern *k);	/* F32 F16 BF16, and every type with unrounded activations */
void kern_avx2_ops_init(struct kern *k);
void kern_avx2_attn_init(struct kern *k);
void kern_avxvnni_plain_init(struct kern *k);	/* the blocks once more, by dot products of bytes */
void kern_avxvnni_super_init(struct kern *k);

/* Lanes 0 … n-1 set. */
INLINE __m256i lanes(int n)
{
	return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/* ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)) */
INLINE float sum_lanes(__m256 v)
{
	const __m128 a = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
	const __m128 b = _mm_add_ps(a, _mm_movehl_ps(a, a));

	return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
}

/*
 * e^x, relative error below 2e-7: 2^n · e^r with |r| <= ln 2 / 2 and the Taylor
 * polynomial of degree 7. Below -87.3 (the last normal) it is 0; x must not exceed 88; NaN stays.
 */
INLINE __m256 exp_lanes(__m256 x)
{
	const __m256 n = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(0x1.715476p+0f)),
					 _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
	const __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(-0x1.05c61p-29f),
					  _mm256_fnmadd_ps(n, _mm256_set1_ps(0x1.62e43p-1f), x));
	const __m256i scale = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
	const __m256 flush = _mm256_cmp_ps(x, _mm256_set1_ps(-87.3f), _CMP_LT_OQ);
	__m256 p = _mm256_set1_ps(1.0f / 5040);

	p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 720));
	p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 120));
	p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 24));
	p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 6));
	p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.5f));
	p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1));
	p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1));
	return _mm256_andnot_ps(flush, _mm256_mul_ps(p, _mm256_castsi256_ps(scale)));
}

#endif
