/* The vectors of kern_float.h for NEON: tiles of 4 panels × 6 tokens. */
#include "config.h"
#include "engine/kernels/kern_neon.h"

typedef float32x4_t vecf;

enum { ROWS = 4, PANELS = 4, TILE = 6 };

#include "engine/kernels/kern_float.h"

INLINE vecf load_f32(const uint8_t *p)
{
	return vreinterpretq_f32_u8(vld1q_u8(p));
}

INLINE vecf load_f16(const uint8_t *p)
{
	return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p)));
}

INLINE vecf load_bf16(const uint8_t *p)
{
	return vreinterpretq_f32_u32(vshll_n_u16(vreinterpret_u16_u8(vld1_u8(p)), 16));
}

INLINE vecf vf_fma_at(const float *x, vecf w, vecf acc)
{
	return vfmaq_n_f32(acc, w, *x);
}

INLINE vecf vf_zero(void)
{
	return vdupq_n_f32(0);
}

INLINE void vf_store_lanes(float *p, vecf v, int from, int to)
{
	float all[ROWS];

	vst1q_f32(all, v);
	for (int i = from; i < to; i++)
		p[i] = all[i];
}

void kern_neon_float_init(struct kern *k)
{
	float_init(k);
}
