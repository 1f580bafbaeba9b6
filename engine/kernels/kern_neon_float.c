/* The vectors of kern_float.h for NEON: eight chains, two registers, in tiles of 24 of the 32 registers. */
#include "config.h"
#include "engine/kernels/kern_neon.h"

typedef struct f8 vecf;

enum { CHAINS = 8, ROWS = 4, TILE = 3 };

#include "engine/kernels/kern_float.h"

INLINE vecf vf_load(const float *p)
{
	return f8_load(p);
}

INLINE vecf vf_zero(void)
{
	return f8_set(0);
}

INLINE vecf vf_fma(vecf a, vecf b, vecf sum)
{
	return f8_fma(sum, a, b);
}

INLINE void add_sums(float *y, const vecf *v, int n)
{
	UNROLL
	for (int r = 0; r < n; r++)
		y[r] += f8_sum(v[r]);
}

void kern_neon_float_init(struct kern *k)
{
	float_init(k);
}
