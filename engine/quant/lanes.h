/*
 * LANES floats side by side, each lane a block or sub-block of its own. Sums over a block
 * are taken in index order, as the bytes of a file depend on their last bit; so it is
 * blocks, not the weights of one, that fill a vector, and the number of lanes changes no
 * result. Sums, differences, products and quotients are the operators of C; the rest is
 * here: one lane, which is the definition and what tests compare with (QUANT_SCALAR), four
 * in the compiler's own vectors for any machine, and those of the instruction sets.
 *
 *   lanes_f, lanes_m      floats; a mask, the outcome of a comparison
 *   f_all(x)              x in every lane
 *   f_load(p), f_store()  LANES floats at any alignment
 *   f_less, f_equal, m_and, m_andnot (a and not b), m_any
 *   f_pick(m, a, b)       m ? a : b
 *   f_min, f_max          a < b ? a : b and a > b ? a : b, NaN as there
 *   f_abs, f_sqrt
 *   f_code(x, lo, hi)     clamp_int(round_even(x), lo, hi)
 */
#ifndef ENGINE_QUANT_LANES_H
#define ENGINE_QUANT_LANES_H

#include "engine/quant/quant_block.h"

#define LANE static inline __attribute__((always_inline))

/* What round_even() does to the bits: a number n of 23 bits is at first 1.5 × 2^23 + n. */
#define LANE_ROUND 0x1.8p23f
enum { LANE_MANTISSA = 0x7fffff, LANE_EXPONENT = 0x4b000000, LANE_ZERO = 0x4b400000 };

#if defined QUANT_SCALAR

enum { LANES = 1 };
typedef float lanes_f;
typedef bool lanes_m;

LANE lanes_f f_all(float x) { return x; }
LANE lanes_f f_load(const float *p) { return *p; }
LANE void f_store(float *p, lanes_f a) { *p = a; }
LANE lanes_m f_less(lanes_f a, lanes_f b) { return a < b; }
LANE lanes_m f_equal(lanes_f a, lanes_f b) { return a == b; }
LANE lanes_m m_and(lanes_m a, lanes_m b) { return a && b; }
LANE lanes_m m_andnot(lanes_m a, lanes_m b) { return a && !b; }
LANE bool m_any(lanes_m a) { return a; }
LANE lanes_f f_pick(lanes_m m, lanes_f a, lanes_f b) { return m ? a : b; }
LANE lanes_f f_min(lanes_f a, lanes_f b) { return a < b ? a : b; }
LANE lanes_f f_max(lanes_f a, lanes_f b) { return a > b ? a : b; }
LANE lanes_f f_abs(lanes_f a) { return fabsf(a); }
LANE lanes_f f_sqrt(lanes_f a) { return sqrtf(a); }
LANE lanes_f f_code(lanes_f x, int lo, int hi) { return (float)clamp_int(round_even(x), lo, hi); }

#elif defined __AVX512F__ && defined __AVX512DQ__
#include <immintrin.h>

enum { LANES = 16 };
typedef __m512 lanes_f;
typedef __mmask16 lanes_m;

LANE lanes_f f_all(float x) { return _mm512_set1_ps(x); }
LANE lanes_f f_load(const float *p) { return _mm512_loadu_ps(p); }
LANE void f_store(float *p, lanes_f a) { _mm512_storeu_ps(p, a); }
LANE lanes_m f_less(lanes_f a, lanes_f b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
LANE lanes_m f_equal(lanes_f a, lanes_f b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
LANE lanes_m m_and(lanes_m a, lanes_m b) { return a & b; }
LANE lanes_m m_andnot(lanes_m a, lanes_m b) { return (lanes_m)(a & ~b); }
LANE bool m_any(lanes_m a) { return a; }
LANE lanes_f f_pick(lanes_m m, lanes_f a, lanes_f b) { return _mm512_mask_blend_ps(m, b, a); }
LANE lanes_f f_min(lanes_f a, lanes_f b) { return _mm512_min_ps(a, b); }
LANE lanes_f f_max(lanes_f a, lanes_f b) { return _mm512_max_ps(a, b); }
LANE lanes_f f_abs(lanes_f a) { return _mm512_abs_ps(a); }
LANE lanes_f f_sqrt(lanes_f a) { return _mm512_sqrt_ps(a); }

LANE lanes_f f_code(lanes_f x, int lo, int hi)
{
	__m512i n = _mm512_castps_si512(x + f_all(LANE_ROUND));

	/* n & MANTISSA | EXPONENT */
	n = _mm512_ternarylogic_epi32(n, _mm512_set1_epi32(LANE_MANTISSA), _mm512_set1_epi32(LANE_EXPONENT), 0xea);
	n = _mm512_max_epi32(n, _mm512_set1_epi32(LANE_ZERO + lo));
	n = _mm512_min_epi32(n, _mm512_set1_epi32(LANE_ZERO + hi));
	return _mm512_castsi512_ps(n) - f_all(LANE_ROUND);
}

#elif defined __AVX2__
#include <immintrin.h>

enum { LANES = 8 };
typedef __m256 lanes_f;
typedef __m256 lanes_m;

LANE lanes_f f_all(float x) { return _mm256_set1_ps(x); }
LANE lanes_f f_load(const float *p) { return _mm256_loadu_ps(p); }
LANE void f_store(float *p, lanes_f a) { _mm256_storeu_ps(p, a); }
LANE lanes_m f_less(lanes_f a, lanes_f b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
LANE lanes_m f_equal(lanes_f a, lanes_f b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
LANE lanes_m m_and(lanes_m a, lanes_m b) { return _mm256_and_ps(a, b); }
LANE lanes_m m_andnot(lanes_m a, lanes_m b) { return _mm256_andnot_ps(b, a); }
LANE bool m_any(lanes_m a) { return _mm256_movemask_ps(a); }
LANE lanes_f f_pick(lanes_m m, lanes_f a, lanes_f b) { return _mm256_blendv_ps(b, a, m); }
LANE lanes_f f_min(lanes_f a, lanes_f b) { return _mm256_min_ps(a, b); }
LANE lanes_f f_max(lanes_f a, lanes_f b) { return _mm256_max_ps(a, b); }
LANE lanes_f f_abs(lanes_f a) { return _mm256_andnot_ps(f_all(-0.0f), a); }
LANE lanes_f f_sqrt(lanes_f a) { return _mm256_sqrt_ps(a); }

LANE lanes_f f_code(lanes_f x, int lo, int hi)
{
	__m256i n = _mm256_castps_si256(x + f_all(LANE_ROUND));

	n = _mm256_and_si256(n, _mm256_set1_epi32(LANE_MANTISSA));
	n = _mm256_or_si256(n, _mm256_set1_epi32(LANE_EXPONENT));
	n = _mm256_max_epi32(n, _mm256_set1_epi32(LANE_ZERO + lo));
	n = _mm256_min_epi32(n, _mm256_set1_epi32(LANE_ZERO + hi));
	return _mm256_castsi256_ps(n) - f_all(LANE_ROUND);
}

#else

enum { LANES = 4 };
typedef float lanes_f __attribute__((vector_size(16)));
typedef int32_t lanes_m __attribute__((vector_size(16)));

LANE lanes_f f_all(float x) { return (lanes_f){ x, x, x, x }; }
LANE lanes_f f_load(const float *p) { return (lanes_f){ p[0], p[1], p[2], p[3] }; }
LANE void f_store(float *p, lanes_f a) { memcpy(p, &a, sizeof a); }
LANE lanes_m f_less(lanes_f a, lanes_f b) { return a < b; }
LANE lanes_m f_equal(lanes_f a, lanes_f b) { return a == b; }
LANE lanes_m m_and(lanes_m a, lanes_m b) { return a & b; }
LANE lanes_m m_andnot(lanes_m a, lanes_m b) { return a & ~b; }
LANE bool m_any(lanes_m a) { return a[0] | a[1] | a[2] | a[3]; }
LANE lanes_m m_pick(lanes_m m, lanes_m a, lanes_m b) { return (a & m) | (b & ~m); }
LANE lanes_f f_pick(lanes_m m, lanes_f a, lanes_f b) { return (lanes_f)m_pick(m, (lanes_m)a, (lanes_m)b); }
LANE lanes_f f_min(lanes_f a, lanes_f b) { return f_pick(a < b, a, b); }
LANE lanes_f f_max(lanes_f a, lanes_f b) { return f_pick(a > b, a, b); }
LANE lanes_f f_abs(lanes_f a) { return (lanes_f)((lanes_m)a & 0x7fffffff); }
LANE lanes_f f_sqrt(lanes_f a) { return (lanes_f){ sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3]) }; }

LANE lanes_f f_code(lanes_f x, int lo, int hi)
{
	lanes_f c = (lanes_f)(((lanes_m)(x + LANE_ROUND) & LANE_MANTISSA) | LANE_EXPONENT) - LANE_ROUND;

	c = f_max(c, f_all((float)lo));
	return f_min(c, f_all((float)hi));
}

#endif

/* x (n, len), n ≤ LANES → t (len, LANES), with zeros beside. */
LANE void side_by_side(const float *x, int n, int len, lanes_f *t)
{
	float *lane = (float *)t;

	if (n < LANES)
		memset(t, 0, (size_t)len * sizeof *t);
	for (int i = 0; i < len; i++)
		for (int s = 0; s < (n < LANES ? n : LANES); s++)
			lane[i * LANES + s] = x[s * len + i];
}

/* The values of largest magnitude, the first ones on ties, as quant_largest(). */
LANE lanes_f f_largest(const lanes_f *t, int len)
{
	lanes_f max = f_all(0.0f), top = max;

	for (int i = 0; i < len; i++) {
		const lanes_f a = f_abs(t[i]);

		max = f_pick(f_less(top, a), t[i], max);
		top = f_max(a, top);
	}
	return max;
}

#endif
