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
 *   f_store8(p, a)        the low bytes of whole numbers
 *   f_less, f_upto, f_equal   a < b, a ≤ b, a = b
 *   m_and, m_andnot, m_any, m_bits   a and not b; bit i of m_bits() is lane i
 *   f_pick(m, a, b)       m ? a : b
 *   f_min, f_max          a < b ? a : b and a > b ? a : b, NaN as there
 *   f_highest(a)          the largest lane; no NaN in it
 *   f_abs, f_sqrt, f_trunc    f_trunc: toward zero, within ±2^31
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
LANE void f_store8(uint8_t *p, lanes_f a) { *p = (uint8_t)(int)a; }
LANE lanes_m f_less(lanes_f a, lanes_f b) { return a < b; }
LANE lanes_m f_upto(lanes_f a, lanes_f b) { return a <= b; }
LANE lanes_m f_equal(lanes_f a, lanes_f b) { return a == b; }
LANE lanes_m m_and(lanes_m a, lanes_m b) { return a && b; }
LANE lanes_m m_andnot(lanes_m a, lanes_m b) { return a && !b; }
LANE bool m_any(lanes_m a) { return a; }
LANE uint32_t m_bits(lanes_m a) { return a; }
LANE lanes_f f_pick(lanes_m m, lanes_f a, lanes_f b) { return m ? a : b; }
LANE lanes_f f_min(lanes_f a, lanes_f b) { return a < b ? a : b; }
LANE lanes_f f_max(lanes_f a, lanes_f b) { return a > b ? a : b; }
LANE lanes_f f_abs(lanes_f a) { return fabsf(a); }
LANE float f_highest(lanes_f a) { return a; }
LANE lanes_f f_sqrt(lanes_f a) { return sqrtf(a); }
LANE lanes_f f_trunc(lanes_f a) { return (float)(int32_t)a; }
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
LANE lanes_m f_upto(lanes_f a, lanes_f b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
LANE lanes_m f_equal(lanes_f a, lanes_f b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
LANE lanes_m m_and(lanes_m a, lanes_m b) { return a & b; }
LANE lanes_m m_andnot(lanes_m a, lanes_m b) { return (lanes_m)(a & ~b); }
LANE bool m_any(lanes_m a) { return a; }
LANE uint32_t m_bits(lanes_m a) { return a; }
LANE lanes_f f_pick(lanes_m m, lanes_f a, lanes_f b) { return _mm512_mask_blend_ps(m, b, a); }
LANE lanes_f f_min(lanes_f a, lanes_f b) { return _mm512_min_ps(a, b); }
LANE lanes_f f_max(lanes_f a, lanes_f b) { return _mm512_max_ps(a, b); }
LANE lanes_f f_abs(lanes_f a) { return _mm512_abs_ps(a); }
LANE float f_highest(lanes_f a) { return _mm512_reduce_max_ps(a); }
LANE lanes_f f_sqrt(lanes_f a) { return _mm512_sqrt_ps(a); }
LANE lanes_f f_trunc(lanes_f a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }

LANE void f_store8(uint8_t *p, lanes_f a)
{
	_mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(_mm512_cvttps_epi32(a)));
}

LANE lanes_f f_code(lanes_f x, int lo, int hi)
{
	const __m512i mantissa = _mm512_set1_epi32(LANE_MANTISSA);
	const __m512i exponent = _mm512_set1_epi32(LANE_EXPONENT);
	__m512i n = _mm512_castps_si512(x + f_all(LANE_ROUND));

	n = _mm512_ternarylogic_epi32(n, mantissa, exponent, 0xea);	/* n & mantissa | exponent */
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
LANE lanes_m f_upto(lanes_f a, lanes_f b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
LANE lanes_m f_equal(lanes_f a, lanes_f b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
LANE lanes_m m_and(lanes_m a, lanes_m b) { return _mm256_and_ps(a, b); }
LANE lanes_m m_andnot(lanes_m a, lanes_m b) { return _mm256_andnot_ps(b, a); }
LANE bool m_any(lanes_m a) { return _mm256_movemask_ps(a); }
LANE uint32_t m_bits(lanes_m a) { return (uint32_t)_mm256_movemask_ps(a); }
LANE lanes_f f_pick(lanes_m m, lanes_f a, lanes_f b) { return _mm256_blendv_ps(b, a, m); }
LANE lanes_f f_min(lanes_f a, lanes_f b) { return _mm256_min_ps(a, b); }
LANE lanes_f f_max(lanes_f a, lanes_f b) { return _mm256_max_ps(a, b); }
LANE lanes_f f_abs(lanes_f a) { return _mm256_andnot_ps(f_all(-0.0f), a); }
LANE lanes_f f_sqrt(lanes_f a) { return _mm256_sqrt_ps(a); }
LANE lanes_f f_trunc(lanes_f a) { return _mm256_round_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }

LANE void f_store8(uint8_t *p, lanes_f a)
{
	/* the first byte of each number, in each half */
	const __m256i first = _mm256_set1_epi64x(0x0c080400);
	const __m256i n = _mm256_shuffle_epi8(_mm256_cvttps_epi32(a), first);

	const __m128i lo = _mm256_castsi256_si128(n), hi = _mm256_extracti128_si256(n, 1);

	_mm_storel_epi64((__m128i *)p, _mm_unpacklo_epi32(lo, hi));
}

LANE float f_highest(lanes_f a)
{
	__m128 m = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));

	m = _mm_max_ps(m, _mm_movehl_ps(m, m));
	return _mm_cvtss_f32(_mm_max_ss(m, _mm_shuffle_ps(m, m, 1)));
}

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
LANE lanes_m f_upto(lanes_f a, lanes_f b) { return a <= b; }
LANE lanes_m f_equal(lanes_f a, lanes_f b) { return a == b; }
LANE lanes_m m_and(lanes_m a, lanes_m b) { return a & b; }
LANE lanes_m m_andnot(lanes_m a, lanes_m b) { return a & ~b; }
LANE bool m_any(lanes_m a) { return a[0] | a[1] | a[2] | a[3]; }
LANE uint32_t m_bits(lanes_m a) { return (a[0] & 1) | (a[1] & 2) | (a[2] & 4) | (a[3] & 8); }
LANE lanes_f f_pick(lanes_m m, lanes_f a, lanes_f b)
{
	return (lanes_f)(((lanes_m)a & m) | ((lanes_m)b & ~m));
}
LANE lanes_f f_min(lanes_f a, lanes_f b) { return f_pick(a < b, a, b); }
LANE lanes_f f_max(lanes_f a, lanes_f b) { return f_pick(a > b, a, b); }
LANE lanes_f f_abs(lanes_f a) { return (lanes_f)((lanes_m)a & 0x7fffffff); }
LANE lanes_f f_sqrt(lanes_f a)
{
	return (lanes_f){ sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3]) };
}

LANE lanes_f f_trunc(lanes_f a)
{
	return __builtin_convertvector(__builtin_convertvector(a, lanes_m), lanes_f);
}

LANE void f_store8(uint8_t *p, lanes_f a)
{
	for (int i = 0; i < LANES; i++)
		p[i] = (uint8_t)(int)a[i];
}

LANE float f_highest(lanes_f a)
{
	const float b = a[0] > a[1] ? a[0] : a[1], c = a[2] > a[3] ? a[2] : a[3];

	return b > c ? b : c;
}

LANE lanes_f f_code(lanes_f x, int lo, int hi)
{
	lanes_f c = (lanes_f)(((lanes_m)(x + LANE_ROUND) & LANE_MANTISSA) | LANE_EXPONENT) - LANE_ROUND;

	c = f_max(c, f_all((float)lo));
	return f_min(c, f_all((float)hi));
}

#endif

/* Toward zero; 0 for what no int32 holds, NaN among it. */
LANE lanes_f f_cut(lanes_f x)
{
	return f_trunc(f_pick(f_less(f_abs(x), f_all(0x1p31f)), x, f_all(0.0f)));
}

/* Half away from zero, as roundf(); 0 beyond 2^22, where no format has a code. */
LANE lanes_f f_away(lanes_f x)
{
	const lanes_f zero = f_all(0.0f), one = f_all(1.0f), half = f_all(0.5f);
	const lanes_f g = f_pick(f_less(f_abs(x), f_all(0x1p22f)), x, zero);
	const lanes_f whole = f_trunc(g), rest = g - whole;

	return whole + f_pick(f_upto(half, rest), one, zero) - f_pick(f_upto(rest, -half), one, zero);
}

/* -- n weights of one block, a multiple of LANES; extremes need no order, NaN is never one. */

LANE float amax(const float *x, int n)
{
	lanes_f m = f_all(0.0f);

	for (int j = 0; j < n; j += LANES)
		m = f_max(f_abs(f_load(x + j)), m);
	return f_highest(m);
}

/* Where x is first found; n if nowhere. */
LANE int first_of(const float *x, int n, float magnitude)
{
	for (int j = 0; j < n; j += LANES) {
		const uint32_t bits = m_bits(f_equal(f_abs(f_load(x + j)), f_all(magnitude)));

		if (bits)
			return j + __builtin_ctz(bits);
	}
	return n;
}

/* The value of largest magnitude, the first one on ties; 0 when all are. */
LANE float largest(const float *x, int n)
{
	const float top = amax(x, n);

	return top > 0.0f ? x[first_of(x, n, top)] : 0.0f;
}

/* -- blocks side by side, one a lane ------------------------------------------------- */

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

/* The values of largest magnitude, the first ones on ties. */
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
