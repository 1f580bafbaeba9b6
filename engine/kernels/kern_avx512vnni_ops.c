/* What is neither a product with weights nor attention, AVX-512. */
#include "config.h"
#include "engine/kernels/kern_avx512vnni.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

enum { HALVES = KERN_ACT_BLOCK / LANES, TWO = 2 };

INLINE __m512i magnitude(__m512 x)
{
	return _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7fffffff));
}

INLINE float largest(__m512i magnitudes)
{
	return _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(_mm512_reduce_max_epi32(magnitudes))));
}

/* Numbers of eight bits, and the sums of their halves. */
INLINE void put_group(const __m512i n[HALVES], int8_t *q, int16_t *sum)
{
	const __m256i all = _mm256_set_m128i(_mm512_cvtepi32_epi8(n[1]), _mm512_cvtepi32_epi8(n[0]));
	__m256i fours = _mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_set1_epi8(1), all);

	_mm256_storeu_si256((__m256i *)q, all);
	fours = _mm256_add_epi32(fours, _mm256_shuffle_epi32(fours, 0x4e));
	fours = _mm256_add_epi32(fours, _mm256_shuffle_epi32(fours, 0xb1));
	sum[0] = (int16_t)_mm256_extract_epi32(fours, 0);
	sum[1] = (int16_t)_mm256_extract_epi32(fours, 4);
}

/*
 * x / d to the nearest, which is what a division gives, in a third of its time: r is 1 / d to the nearest, the first
 * correction brings the quotient within one unit of its last place, and the second, by a theorem of Markstein's, to
 * the nearest. The remainders must not underflow: where d is tiny, a division.
 */
#define TINY 0x1p-64f
struct divisor { __m512 d, r; bool tiny; };

INLINE struct divisor divisor(float d)
{
	return (struct divisor){ _mm512_set1_ps(d), _mm512_set1_ps(1 / d), d < TINY };
}

INLINE __m512 divide(__m512 x, const struct divisor by)
{
	__m512 q;

	if (by.tiny)
		return _mm512_div_ps(x, by.d);
	q = _mm512_mul_ps(x, by.r);
	UNROLL
	for (int i = 0; i < 2; i++)
		q = _mm512_fmadd_ps(_mm512_fnmadd_ps(q, by.d, x), by.r, q);
	return q;
}

/* Bytes of two groups in their order, and their sums by half group. */
INLINE void put_two(const __m512i n[TWO][HALVES], int8_t *q, int16_t *sum)
{
	const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
	/* quarter i: four numbers of each of the four halves */
	const __m512i bytes = _mm512_packs_epi16(_mm512_packs_epi32(n[0][0], n[0][1]), _mm512_packs_epi32(n[1][0], n[1][1]));
	__m512i sums = _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_set1_epi8(1), bytes);
	__m128i four;

	_mm512_storeu_si512(q, _mm512_permutexvar_epi32(order, bytes));
	sums = _mm512_add_epi32(sums, _mm512_shuffle_i32x4(sums, sums, 0x4e));
	sums = _mm512_add_epi32(sums, _mm512_shuffle_i32x4(sums, sums, 0xb1));
	four = _mm512_castsi512_si128(sums);
	_mm_storel_epi64((__m128i *)sum, _mm_packs_epi32(four, four));
}

/* The largest lanes of two vectors, in lanes 0 and 1, and again in 2 and 3. */
INLINE __m128i largest_of_two(__m512i a, __m512i b)
{
	__m512i m = _mm512_max_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));

	m = _mm512_max_epi32(m, _mm512_shuffle_epi32(m, 0x4e));
	m = _mm512_max_epi32(m, _mm512_shuffle_i32x4(m, m, 0x4e));
	m = _mm512_max_epi32(m, _mm512_shuffle_i32x4(m, m, 0xb1));
	return _mm512_castsi512_si128(m);
}

/* Two groups, unless one is zero, tiny, or not finite: then nothing, and false. */
INLINE bool round_two(const float *x, int8_t *q, float *d, int16_t *sum)
{
	__m512 v[TWO][HALVES];
	__m512i top[TWO], n[TWO][HALVES];
	__m128 scale, r;

	UNROLL
	for (int g = 0; g < TWO; g++) {
		UNROLL
		for (int h = 0; h < HALVES; h++)
			v[g][h] = _mm512_loadu_ps(x + g * KERN_ACT_BLOCK + h * LANES);
		top[g] = _mm512_max_epi32(magnitude(v[g][0]), magnitude(v[g][1]));
	}
	scale = _mm_div_ps(_mm_castsi128_ps(largest_of_two(top[0], top[1])), _mm_set1_ps(127));
	r = _mm_div_ps(_mm_set1_ps(1), scale);
	if (_mm_movemask_ps(_mm_and_ps(_mm_cmpge_ps(scale, _mm_set1_ps(TINY)), _mm_cmple_ps(scale, _mm_set1_ps(FLT_MAX / 127)))) != 15)
		return false;
	_mm_storel_pi((__m64 *)d, scale);
	UNROLL
	for (int g = 0; g < TWO; g++) {
		const __m512i lane = _mm512_set1_epi32(g);
		const struct divisor by = { _mm512_permutexvar_ps(lane, _mm512_castps128_ps512(scale)),
					    _mm512_permutexvar_ps(lane, _mm512_castps128_ps512(r)), false };

		UNROLL
		for (int h = 0; h < HALVES; h++)
			n[g][h] = _mm512_cvtps_epi32(divide(v[g][h], by));
	}
	put_two(n, q, sum);
	return true;
}

/* The same bits as the scalar definition: magnitudes are compared as integers, where NaN and infinity are the largest. */
static int round_groups(const float *x, int8_t *q, float *d, int16_t *sum, int64_t left)
{
	const __m512 v[HALVES] = { _mm512_loadu_ps(x), _mm512_loadu_ps(x + LANES) };
	__m512i n[HALVES] = { _mm512_setzero_si512(), _mm512_setzero_si512() };
	float amax;

	if (left >= TWO && round_two(x, q, d, sum))
		return TWO;
	amax = largest(_mm512_max_epi32(magnitude(v[0]), magnitude(v[1])));
	*d = amax <= FLT_MAX ? amax / 127 : NAN;
	if (*d < FLT_MIN)
		*d = 0;
	for (int h = 0; h < HALVES && *d > 0; h++)
		n[h] = _mm512_cvtps_epi32(divide(v[h], divisor(*d)));
	put_group(n, q, sum);
	return 1;
}

static float largest_of(const float *x, int64_t n)
{
	__m512i max = _mm512_setzero_si512();

	for (int64_t i = 0; i < n; i += LANES)
		max = _mm512_max_epi32(max, magnitude(_mm512_loadu_ps(x + i)));
	return largest(max);
}

static void round_by(const float *x, float by, int8_t *q, int16_t *sum)
{
	__m512i n[HALVES];

	UNROLL
	for (int h = 0; h < HALVES; h++)
		n[h] = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x + h * LANES), _mm512_set1_ps(by)));
	put_group(n, q, sum);
}

static void rest_group(const float *x, const int8_t *q, float d, int8_t *rest, float *rest_d, int16_t *sum)
{
	const __m512i most = _mm512_set1_epi32(127), least = _mm512_set1_epi32(-127);
	const float small = d / 254;
	__m512i n[HALVES] = { _mm512_setzero_si512(), _mm512_setzero_si512() };

	for (int h = 0; h < HALVES && small >= FLT_MIN; h++) {
		const __m512 whole = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(q + LANES * h))));
		const __m512 left = _mm512_fnmadd_ps(_mm512_set1_ps(d), whole, _mm512_loadu_ps(x + LANES * h));

		n[h] = _mm512_cvtps_epi32(divide(left, divisor(small)));
		n[h] = _mm512_max_epi32(_mm512_min_epi32(n[h], most), least);
	}
	*rest_d = small;
	put_group(n, rest, sum);
}

/* Four chains of squares in double: they, not the memory, would be waited for. */
static double sum_squares(const float *x, int64_t n)
{
	__m512d acc[4] = { _mm512_setzero_pd(), _mm512_setzero_pd(), _mm512_setzero_pd(), _mm512_setzero_pd() };
	double sum;
	int64_t i = 0;

	for (; i + 32 <= n; i += 32)
		for (int j = 0; j < 4; j++) {
			const __m512d v = _mm512_cvtps_pd(_mm256_loadu_ps(x + i + 8 * j));

			acc[j] = _mm512_fmadd_pd(v, v, acc[j]);
		}
	sum = _mm512_reduce_add_pd(_mm512_add_pd(_mm512_add_pd(acc[0], acc[1]), _mm512_add_pd(acc[2], acc[3])));
	for (; i < n; i++)
		sum += (double)x[i] * x[i];
	return sum;
}

static void rmsnorm(float *y, const float *x, const float *w, int64_t n, float eps)
{
	const __m512 scale = _mm512_set1_ps((float)(1 / sqrt(sum_squares(x, n) / (double)n + eps)));

	for (int64_t i = 0; i < n; i += LANES) {
		const __mmask16 m = below(n - i);
		const __m512 v = _mm512_mul_ps(_mm512_maskz_loadu_ps(m, x + i), scale);

		_mm512_mask_storeu_ps(y + i, m, _mm512_mul_ps(v, _mm512_maskz_loadu_ps(m, w + i)));
	}
}

static void add(float *y, const float *x, int64_t n)
{
	for (int64_t i = 0; i < n; i += LANES) {
		const __mmask16 m = below(n - i);

		_mm512_mask_storeu_ps(y + i, m, _mm512_add_ps(_mm512_maskz_loadu_ps(m, y + i), _mm512_maskz_loadu_ps(m, x + i)));
	}
}

/* 1 / (1 + e^-x) */
INLINE __m512 sigmoid(__m512 x)
{
	const __m512 one = _mm512_set1_ps(1);
	const __m512i minus = _mm512_or_si512(_mm512_castps_si512(x), _mm512_set1_epi32((int)0x80000000));
	const __m512 e = exp_lanes(_mm512_castsi512_ps(minus));
	const __mmask16 negative = _mm512_movepi32_mask(_mm512_castps_si512(x));

	return _mm512_div_ps(_mm512_mask_mov_ps(one, negative, e), _mm512_add_ps(one, e));
}

typedef __m512 gate_fn(__m512 x);

INLINE __m512 silu(__m512 x)
{
	return _mm512_mul_ps(x, sigmoid(x));
}

/* x (1 + tanh u) / 2 = x / (1 + e^-2u) */
INLINE __m512 gelu(__m512 x)
{
	const __m512 cube = _mm512_mul_ps(_mm512_mul_ps(_mm512_mul_ps(_mm512_set1_ps(0.044715f), x), x), x);
	const __m512 u = _mm512_mul_ps(_mm512_set1_ps(0x1.988454p-1f), _mm512_add_ps(x, cube));

	return _mm512_mul_ps(x, sigmoid(_mm512_add_ps(u, u)));
}

/* NaN stays: it is the second operand. */
INLINE __m512 relu2(__m512 x)
{
	const __m512 r = _mm512_max_ps(_mm512_setzero_ps(), x);

	return _mm512_mul_ps(r, r);
}

INLINE void glu(gate_fn *f, float *y, const float *gate, const float *up, int64_t n)
{
	for (int64_t i = 0; i < n; i += LANES) {
		const __mmask16 m = below(n - i);

		_mm512_mask_storeu_ps(y + i, m, _mm512_mul_ps(f(_mm512_maskz_loadu_ps(m, gate + i)),
							      _mm512_maskz_loadu_ps(m, up + i)));
	}
}

#include "engine/kernels/kern_ops.h"

void kern_avx512vnni_ops_init(struct kern *k)
{
	ops_set(k);
}
