/* The vectors of kern_float.h for AVX2: eight chains, tiles of 4 × 3 registers. */
#include "config.h"
#include "engine/kernels/kern_avx2.h"

typedef __m256 vecf;

enum { CHAINS = 8, ROWS = 4, TILE = 3 };

#include "engine/kernels/kern_float.h"

INLINE vecf vf_load(const float *p)
{
	return _mm256_loadu_ps(p);
}

INLINE vecf vf_zero(void)
{
	return _mm256_setzero_ps();
}

INLINE vecf vf_fma(vecf a, vecf b, vecf sum)
{
	return _mm256_fmadd_ps(a, b, sum);
}

INLINE void add_sums(float *y, const vecf *v, int n)
{
	UNROLL
	for (int r = 0; r < n; r++)
		y[r] += sum_lanes(v[r]);
}

void kern_avx2_float_init(struct kern *k)
{
	float_init(k);
}
