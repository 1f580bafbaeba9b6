/*
 * What the NEON files share; kern_init_neon() puts them together. Included by kern_neon*.c
 * only.
 *
 * NEON does what AVX2 does, operation for operation and in the same order, so both give the
 * same bits: eight floats are two registers of four, the eight rows of a panel two panels of
 * four. What is said there about order holds here.
 */
#ifndef ENGINE_KERNELS_KERN_NEON_H
#define ENGINE_KERNELS_KERN_NEON_H

#include "engine/kernels/kern.h"
#include "engine/kernels/kern_inline.h"

#include <arm_neon.h>
#include <string.h>

void kern_neon_plain_init(struct kern *k);	/* blocks of 32 */
void kern_neon_super_init(struct kern *k);	/* blocks of 256 */
void kern_neon_float_init(struct kern *k);	/* F32 F16 BF16, and every type with unrounded activations */
void kern_neon_ops_init(struct kern *k);
void kern_neon_attn_init(struct kern *k);
void kern_neon_dot_plain_init(struct kern *k);	/* the blocks once more, by dot products of bytes */
void kern_neon_dot_super_init(struct kern *k);

/* Eight floats: lanes 0 … 3 and 4 … 7. */
struct f8 {
	float32x4_t lo, hi;
};

INLINE struct f8 f8_set(float v)
{
	return (struct f8){ vdupq_n_f32(v), vdupq_n_f32(v) };
}

INLINE struct f8 f8_load(const float *p)
{
	return (struct f8){ vld1q_f32(p), vld1q_f32(p + 4) };
}

INLINE void f8_store(float *p, struct f8 v)
{
	vst1q_f32(p, v.lo);
	vst1q_f32(p + 4, v.hi);
}

/* The first n; zeros after them. */
INLINE struct f8 f8_load_some(const float *p, int64_t n)
{
	float v[8] = { 0 };

	memcpy(v, p, (size_t)n * sizeof *v);
	return f8_load(v);
}

INLINE void f8_store_some(float *p, struct f8 v, int64_t n)
{
	float all[8];

	f8_store(all, v);
	memcpy(p, all, (size_t)n * sizeof *p);
}

INLINE struct f8 f8_add(struct f8 a, struct f8 b)
{
	return (struct f8){ vaddq_f32(a.lo, b.lo), vaddq_f32(a.hi, b.hi) };
}

INLINE struct f8 f8_mul(struct f8 a, struct f8 b)
{
	return (struct f8){ vmulq_f32(a.lo, b.lo), vmulq_f32(a.hi, b.hi) };
}

/* sum + a · b, rounded once */
INLINE struct f8 f8_fma(struct f8 sum, struct f8 a, struct f8 b)
{
	return (struct f8){ vfmaq_f32(sum.lo, a.lo, b.lo), vfmaq_f32(sum.hi, a.hi, b.hi) };
}

/* ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)) */
INLINE float f8_sum(struct f8 v)
{
	const float32x4_t a = vaddq_f32(v.lo, v.hi);

	return vpadds_f32(vadd_f32(vget_low_f32(a), vget_high_f32(a)));
}

/* e^x by the polynomial of kern_avx2.h; x must not exceed 88. */
INLINE float32x4_t exp_lanes(float32x4_t x)
{
	const float32x4_t n = vrndnq_f32(vmulq_f32(x, vdupq_n_f32(0x1.715476p+0f)));
	const float32x4_t r = vfmsq_f32(vfmsq_f32(x, n, vdupq_n_f32(0x1.62e43p-1f)), n,
					vdupq_n_f32(-0x1.05c61p-29f));
	const int32x4_t scale = vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23);
	const uint32x4_t flush = vcltq_f32(x, vdupq_n_f32(-87.3f));
	float32x4_t p = vdupq_n_f32(1.0f / 5040);

	p = vfmaq_f32(vdupq_n_f32(1.0f / 720), p, r);
	p = vfmaq_f32(vdupq_n_f32(1.0f / 120), p, r);
	p = vfmaq_f32(vdupq_n_f32(1.0f / 24), p, r);
	p = vfmaq_f32(vdupq_n_f32(1.0f / 6), p, r);
	p = vfmaq_f32(vdupq_n_f32(0.5f), p, r);
	p = vfmaq_f32(vdupq_n_f32(1), p, r);
	p = vfmaq_f32(vdupq_n_f32(1), p, r);
	p = vmulq_f32(p, vreinterpretq_f32_s32(scale));
	return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(p), flush));
}

INLINE struct f8 f8_exp(struct f8 v)
{
	return (struct f8){ exp_lanes(v.lo), exp_lanes(v.hi) };
}

#endif
