/* What the AVX-512 files share; kern_init_avx512vnni() puts them together. Included by kern_avx512vnni*.c and, for its vectors, kern_amx*.c. */
#ifndef ENGINE_KERNELS_KERN_AVX512VNNI_H
#define ENGINE_KERNELS_KERN_AVX512VNNI_H

#include "engine/kernels/kern.h"
#include "engine/kernels/kern_inline.h"

#include <immintrin.h>

void kern_avx512vnni_plain_init(struct kern *k);	/* blocks of 32 */
void kern_avx512vnni_super_init(struct kern *k);	/* blocks of 256 */
void kern_avx512vnni_float_init(struct kern *k);	/* F32 F16 BF16, and every type with unrounded activations */
void kern_avx512vnni_ops_init(struct kern *k);
void kern_avx512vnni_attn_init(struct kern *k);

enum { LANES = 16 };

/* Lanes 0 … n-1 set. */
INLINE __mmask16 below(int64_t n)
{
	return n >= LANES ? 0xffff : (__mmask16)((1u << n) - 1);
}

/* e^x as in kern_avx2.h: relative error below 2e-7, 0 below the last normal; x at most 88; NaN stays. */
INLINE __m512 exp_lanes(__m512 x)
{
	const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(0x1.715476p+0f)),
					      _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
	const __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-0x1.05c61p-29f),
					  _mm512_fnmadd_ps(n, _mm512_set1_ps(0x1.62e43p-1f), x));
	const __m512i scale = _mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127)), 23);
	const __mmask16 keep = _mm512_cmp_ps_mask(x, _mm512_set1_ps(-87.3f), _CMP_NLT_UQ);
	__m512 p = _mm512_set1_ps(1.0f / 5040);

	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 720));
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 120));
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 24));
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 6));
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5f));
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
	return _mm512_maskz_mul_ps(keep, p, _mm512_castsi512_ps(scale));
}

#endif
