/* What is neither a product with weights nor attention, AVX2. */
#include "config.h"
#include "engine/kernels/kern_avx2.h"

#include <float.h>
#include <math.h>

INLINE int32_t max_lane(__m256i v)
{
	__m128i m = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));

	m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4e));
	return _mm_cvtsi128_si32(_mm_max_epi32(m, _mm_shuffle_epi32(m, 0xb1)));
}

/* 32 numbers of eight bits, and the sums of their halves. */
INLINE void pack_group(const __m256i *n, int8_t *q, int16_t *sum)
{
	const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
	const __m256i lo = _mm256_packs_epi32(n[0], n[1]), hi = _mm256_packs_epi32(n[2], n[3]);
	const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(lo, hi), order);
	const __m256i sums = _mm256_hadd_epi16(lo, hi);		/* per lane: 4 of lo, 4 of hi */
	__m128i s = _mm_add_epi16(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));

	s = _mm_hadd_epi16(s, s);
	s = _mm_hadd_epi16(s, s);
	_mm256_storeu_si256((__m256i *)q, bytes);
	_mm_storeu_si32(sum, s);
}

/* The same bits as the scalar definition: magnitudes are compared as integers, where NaN and infinity are the largest. */
static int round_groups(const float *x, int8_t *q, float *d, int16_t *sum, int64_t left)
{
	const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
	__m256i max = _mm256_setzero_si256(), n[4];
	__m256 v[4];
	float amax;

	(void)left;
	UNROLL
	for (int i = 0; i < 4; i++) {
		v[i] = _mm256_loadu_ps(x + 8 * i);
		max = _mm256_max_epi32(max, _mm256_and_si256(_mm256_castps_si256(v[i]), magnitude));
	}
	amax = _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(max_lane(max))));
	*d = amax <= FLT_MAX ? amax / 127 : NAN;
	if (*d < FLT_MIN)
		*d = 0;
	UNROLL
	for (int i = 0; i < 4; i++)
		n[i] = *d > 0 ? _mm256_cvtps_epi32(_mm256_div_ps(v[i], _mm256_set1_ps(*d))) : _mm256_setzero_si256();
	pack_group(n, q, sum);
	return 1;
}

static float largest_of(const float *x, int64_t n)
{
	__m256i max = _mm256_setzero_si256();

	for (int64_t i = 0; i < n; i += 8)
		max = _mm256_max_epi32(max, _mm256_and_si256(_mm256_castps_si256(_mm256_loadu_ps(x + i)),
							     _mm256_set1_epi32(0x7fffffff)));
	return _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(max_lane(max))));
}

static void round_by(const float *x, float by, int8_t *q, int16_t *sum)
{
	__m256i n[4];

	UNROLL
	for (int i = 0; i < 4; i++)
		n[i] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + 8 * i), _mm256_set1_ps(by)));
	pack_group(n, q, sum);
}

static void rest_group(const float *x, const int8_t *q, float d, int8_t *rest, float *rest_d, int16_t *sum)
{
	const float small = d / 254;
	__m256i n[4];

	UNROLL
	for (int i = 0; i < 4; i++) {
		const __m256 whole = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(q + 8 * i))));
		const __m256 left = _mm256_fnmadd_ps(_mm256_set1_ps(d), whole, _mm256_loadu_ps(x + 8 * i));

		n[i] = small >= FLT_MIN ? _mm256_cvtps_epi32(_mm256_div_ps(left, _mm256_set1_ps(small))) : _mm256_setzero_si256();
		n[i] = _mm256_max_epi32(_mm256_min_epi32(n[i], _mm256_set1_epi32(127)), _mm256_set1_epi32(-127));
	}
	*rest_d = small;
	pack_group(n, rest, sum);
}

static void rmsnorm(float *y, const float *x, const float *w, int64_t n, float eps)
{
	__m256d lo = _mm256_setzero_pd(), hi = _mm256_setzero_pd();
	double part[4], sum;
	__m256 scale;
	int64_t i = 0;

	for (; i + 8 <= n; i += 8) {
		const __m256d a = _mm256_cvtps_pd(_mm_loadu_ps(x + i)), b = _mm256_cvtps_pd(_mm_loadu_ps(x + i + 4));

		lo = _mm256_fmadd_pd(a, a, lo);
		hi = _mm256_fmadd_pd(b, b, hi);
	}
	_mm256_storeu_pd(part, _mm256_add_pd(lo, hi));
	sum = (part[0] + part[1]) + (part[2] + part[3]);
	for (; i < n; i++)
		sum += (double)x[i] * x[i];
	scale = _mm256_set1_ps((float)(1 / sqrt(sum / (double)n + eps)));
	for (i = 0; i + 8 <= n; i += 8)
		_mm256_storeu_ps(y + i, _mm256_mul_ps(_mm256_mul_ps(_mm256_loadu_ps(x + i), scale), _mm256_loadu_ps(w + i)));
	for (; i < n; i++)
		y[i] = x[i] * _mm256_cvtss_f32(scale) * w[i];
}

static void add(float *y, const float *x, int64_t n)
{
	int64_t i = 0;

	for (; i + 8 <= n; i += 8)
		_mm256_storeu_ps(y + i, _mm256_add_ps(_mm256_loadu_ps(y + i), _mm256_loadu_ps(x + i)));
	for (; i < n; i++)
		y[i] += x[i];
}

/* 1 / (1 + e^-x) */
INLINE __m256 sigmoid(__m256 x)
{
	const __m256 one = _mm256_set1_ps(1);
	const __m256 e = exp_lanes(_mm256_or_ps(x, _mm256_set1_ps(-0.0f)));

	return _mm256_div_ps(_mm256_blendv_ps(one, e, x), _mm256_add_ps(one, e));
}

typedef __m256 gate_fn(__m256 x);

INLINE __m256 silu(__m256 x)
{
	return _mm256_mul_ps(x, sigmoid(x));
}

/* x (1 + tanh u) / 2 = x / (1 + e^-2u) */
INLINE __m256 gelu(__m256 x)
{
	const __m256 cube = _mm256_mul_ps(_mm256_mul_ps(_mm256_mul_ps(_mm256_set1_ps(0.044715f), x), x), x);
	const __m256 u = _mm256_mul_ps(_mm256_set1_ps(0x1.988454p-1f), _mm256_add_ps(x, cube));

	return _mm256_mul_ps(x, sigmoid(_mm256_add_ps(u, u)));
}

/* NaN stays: it is the second operand. */
INLINE __m256 relu2(__m256 x)
{
	const __m256 r = _mm256_max_ps(_mm256_setzero_ps(), x);

	return _mm256_mul_ps(r, r);
}

INLINE void glu(gate_fn *f, float *y, const float *gate, const float *up, int64_t n)
{
	int64_t i = 0;

	for (; i + 8 <= n; i += 8)
		_mm256_storeu_ps(y + i, _mm256_mul_ps(f(_mm256_loadu_ps(gate + i)), _mm256_loadu_ps(up + i)));
	if (i < n) {
		const __m256i rest = lanes((int)(n - i));

		_mm256_maskstore_ps(y + i, rest, _mm256_mul_ps(f(_mm256_maskload_ps(gate + i, rest)),
							       _mm256_maskload_ps(up + i, rest)));
	}
}

#include "engine/kernels/kern_ops.h"

void kern_avx2_ops_init(struct kern *k)
{
	ops_set(k);
}
