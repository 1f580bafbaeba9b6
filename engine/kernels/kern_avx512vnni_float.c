/* The vectors of kern_float.h for AVX-512: sixteen chains, tiles of 8 × 3 registers. */
#include "config.h"
#include "engine/kernels/kern_avx512vnni.h"

typedef __m512 vecf;

enum { CHAINS = 16, ROWS = 8, TILE = 3 };

#include "engine/kernels/kern_float.h"

INLINE vecf vf_load(const float *p)
{
	return _mm512_loadu_ps(p);
}

INLINE vecf vf_zero(void)
{
	return _mm512_setzero_ps();
}

INLINE vecf vf_fma(vecf a, vecf b, vecf sum)
{
	return _mm512_fmadd_ps(a, b, sum);
}

/* Lane i + lane i + 8, for i < 8. */
INLINE __m256 fold(__m512 v)
{
	return _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
}

/* Pairs of neighbours are added, then pairs of those, then the two halves; eight rows at a time or one. */
INLINE void add_sums(float *y, const vecf *v, int n)
{
	__m256 a[ROWS];
	__m128 sum[2];

	UNROLL
	for (int r = 0; r < ROWS; r++)
		a[r] = r < n ? fold(v[r]) : _mm256_setzero_ps();
	UNROLL
	for (int half = 0; half < 2; half++) {
		const __m256 b = _mm256_hadd_ps(_mm256_hadd_ps(a[4 * half], a[4 * half + 1]),
						_mm256_hadd_ps(a[4 * half + 2], a[4 * half + 3]));

		sum[half] = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
	}
	if (n == ROWS)
		_mm256_storeu_ps(y, _mm256_add_ps(_mm256_loadu_ps(y), _mm256_set_m128(sum[1], sum[0])));
	else
		for (int r = 0; r < n; r++)
			y[r] += _mm_cvtss_f32(sum[0]);
}

void kern_avx512vnni_float_init(struct kern *k)
{
	float_init(k);
}
