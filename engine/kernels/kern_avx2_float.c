/* The vectors of kern_float.h for AVX2: tiles of 4 panels × 3 tokens. */
#include "config.h"
#include "engine/kernels/kern_avx2.h"

typedef __m256 vecf;

enum { ROWS = 8, PANELS = 4, TILE = 3 };

#include "engine/kernels/kern_float.h"

INLINE vecf load_f32(const uint8_t *p)
{
	return _mm256_loadu_ps((const float *)p);
}

INLINE vecf load_f16(const uint8_t *p)
{
	return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}

INLINE vecf load_bf16(const uint8_t *p)
{
	return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)), 16));
}

INLINE vecf vf_fma_at(const float *x, vecf w, vecf acc)
{
	return _mm256_fmadd_ps(_mm256_broadcast_ss(x), w, acc);
}

INLINE vecf vf_zero(void)
{
	return _mm256_setzero_ps();
}

INLINE void vf_store_lanes(float *p, vecf v, int from, int to)
{
	_mm256_maskstore_ps(p, _mm256_andnot_si256(lanes(from), lanes(to)), v);
}

void kern_avx2_float_init(struct kern *k)
{
	float_init(k);
}
