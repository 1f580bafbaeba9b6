/* The vectors of kern_float.h for AVX-512: tiles of 4 panels × 6 tokens. */
#include "config.h"
#include "engine/kernels/kern_avx512vnni.h"

typedef __m512 vecf;

enum { ROWS = 16, PANELS = 4, TILE = 6 };

#include "engine/kernels/kern_float.h"

INLINE vecf load_f32(const uint8_t *p)
{
	return _mm512_loadu_ps(p);
}

INLINE vecf load_f16(const uint8_t *p)
{
	return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}

INLINE vecf load_bf16(const uint8_t *p)
{
	const __m256i h = _mm256_loadu_si256((const __m256i *)p);

	return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
}

INLINE vecf vf_fma_at(const float *x, vecf w, vecf acc)
{
	return _mm512_fmadd_ps(_mm512_set1_ps(*x), w, acc);
}

INLINE vecf vf_zero(void)
{
	return _mm512_setzero_ps();
}

INLINE void vf_store_lanes(float *p, vecf v, int from, int to)
{
	_mm512_mask_storeu_ps(p, (__mmask16)((1u << to) - (1u << (from < to ? from : to))), v);
}

void kern_avx512vnni_float_init(struct kern *k)
{
	float_init(k);
}
