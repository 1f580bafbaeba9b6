/*
 * The vectors of kern_piece.h for NEON: four rows. Whoever includes this says before how
 * many tokens share a register of weights (TILE) and brings sum_block() after: multiplying
 * bytes is all in which the two instruction sets differ.
 *
 * Vector j of a block, and what it meets (r: row, k: weight):
 *
 *	bytes     0    1    2    3     4    5    6    7     8 …  11   12 …  15
 *	weights  r0k0 r0k1 r0k2 r0k3  r1k0 r1k1 r1k2 r1k3  r2k0 … k3  r3k0 … k3    (k counted from 4j)
 *	token     x0   x1   x2   x3    x0   x1   x2   x3    x0 …  x3   x0 …  x3
 *	sum       row 0 (int32)       row 1                row 2      row 3
 */
#ifndef ENGINE_KERNELS_KERN_NEON_BLOCK_H
#define ENGINE_KERNELS_KERN_NEON_BLOCK_H

#include "engine/kernels/kern_neon.h"

enum {
	ROWS = 4,
	PANELS = 1,
	FEW = TILE,
};

typedef uint8x16_t vec;
typedef float32x4_t vecf;
typedef int32x4_t vec_scale;
typedef struct { int from, to; } vec_mask;

#define v_and vandq_u8
#define v_or vorrq_u8
#define v_add8 vaddq_u8
#define v_sub8 vsubq_u8
#define v_shuffle vqtbl1q_u8
#define v_set8(x) vdupq_n_u8((uint8_t)(x))
#define vf_zero() vdupq_n_f32(0)
#define vf_one() vdupq_n_f32(1)
#define vf_mul vmulq_f32
#define vf_add vaddq_f32
#define vf_neg vnegq_f32

INLINE vec v_set32(int x)
{
	return vreinterpretq_u8_s32(vdupq_n_s32(x));
}

INLINE vec v_sub32(vec a, vec b)
{
	return vreinterpretq_u8_u32(vsubq_u32(vreinterpretq_u32_u8(a), vreinterpretq_u32_u8(b)));
}

/* Shifts by operator: the intrinsics want numbers that are constant before anything is inlined. */
INLINE vec v_srl16(vec v, int n)
{
	return vreinterpretq_u8_u16(vreinterpretq_u16_u8(v) >> n);
}

INLINE vec v_sll16(vec v, int n)
{
	return vreinterpretq_u8_u16(vreinterpretq_u16_u8(v) << n);
}

INLINE vec v_srl32(vec v, int n)
{
	return vreinterpretq_u8_u32(vreinterpretq_u32_u8(v) >> n);
}

INLINE vecf v_to_float(vec v)
{
	return vcvtq_f32_s32(vreinterpretq_s32_u8(v));
}

INLINE vec v_quads(int a, int b, int c, int d)
{
	const int32_t v[4] = { a, b, c, d };

	return vreinterpretq_u8_s32(vld1q_s32(v));
}

/* 1 in each byte that is at least x, unsigned. */
INLINE vec v_at_least(vec v, int x)
{
	return v_and(vcgeq_u8(v, v_set8(x)), v_set8(1));
}

/* The low half of each lane as a float. */
INLINE vecf v_low_halves(vec v)
{
	return vcvt_f32_f16(vreinterpret_f16_u16(vmovn_u32(vreinterpretq_u32_u8(v))));
}

/* Byte b of each lane, signed. */
INLINE vec_scale v_scale(vec v, int b)
{
	return vreinterpretq_s32_u8(v) << (24 - 8 * b) >> 24;
}

/* Bytes b and b + 1 of each lane as int16; an index beyond 15 gives 0. */
INLINE vec v_pair(vec v, int b)
{
	const vec apart = v_set32((int)0x80008000 | b | (b + 1) << 16);

	return v_shuffle(v, v_or(apart, v_quads(0, 0x00040004, 0x00080008, 0x000c000c)));
}

INLINE vec_mask v_mask(int from, int to)
{
	return (vec_mask){ from, to };
}

/* Lanes outside the mask belong to other threads: they are not written. */
INLINE void vf_store(float *p, vec_mask mask, vecf v)
{
	float all[ROWS];

	if (mask.to - mask.from == ROWS) {
		vst1q_f32(p, v);
		return;
	}
	vst1q_f32(all, v);
	for (int i = mask.from; i < mask.to; i++)
		p[i] = all[i];
}

INLINE int32_t load_s32(const void *p)
{
	int32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

INLINE vec v_load(const uint8_t *p)
{
	return vld1q_u8(p);
}

INLINE vecf vf_load_halves(const uint8_t *p)
{
	return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p)));
}

#include "engine/kernels/kern_block.h"

/* Bytes are signed in both factors: nothing to adjust. */
INLINE struct form adjust_form(struct form f)
{
	return f;
}

INLINE void adjust(const struct form f, struct block *w)
{
	(void)f, (void)w;
}

/* Per row Σ (w - offset) · x of block b, times the scales of its halves: exact. */
INLINE void sum_block(const struct form f, const struct block *w, const struct token *x, int64_t b, int n,
		      int32x4_t *sum);

/* -offset times the sum of a half block's activations where halves have scales, or of both. */
INLINE int32x4_t offset_sum(const struct form f, const struct token *x, int64_t b, int half)
{
	const int16_t *s = x->sum + 2 * b;

	if (!f.offset)
		return vdupq_n_s32(0);
	if (x->start)
		return vdupq_n_s32(x->start[b].offset);
	return vdupq_n_s32(-f.offset * (f.scale ? s[half] : s[0] + s[1]));
}

/* What a block's minimum is multiplied with. */
INLINE vecf min_sum(const struct form f, const struct block *w, const struct token *x, int64_t b)
{
	const int16_t *s = x->sum + 2 * b;
	const int16x8_t mn = vreinterpretq_s16_u8(w->mn), both = vreinterpretq_s16_s32(vdupq_n_s32(load_s32(s)));

	if (x->start)
		return vdupq_n_f32(x->start[b].sum);
	if (!f.scale)
		return vdupq_n_f32((float)(s[0] + s[1]));
	return vcvtq_f32_s32(vpaddq_s32(vmull_s16(vget_low_s16(mn), vget_low_s16(both)),
					vmull_high_s16(mn, both)));
}

INLINE int tile_tokens(const struct form f)
{
	(void)f;
	return TILE;
}

INLINE bool start_wanted(const struct form f)
{
	return !f.scale && (f.offset || f.min);
}

INLINE void start_fill(const struct form f, union start *o, const int16_t *sum, int64_t n)
{
	start_each(f, o, sum, n);
}

INLINE void mul_block(const struct form f, const struct block *w, int n_panels, const struct token *x, int64_t b, int n,
		      vecf acc[PANELS][TILE])
{
	int32x4_t sum[TILE];

	(void)n_panels;
	sum_block(f, w, x, b, n, sum);
	UNROLL
	for (int t = 0; t < n; t++) {
		vecf u = vmulq_f32(w->d, vcvtq_f32_s32(sum[t]));

		if (f.min)
			u = vfmaq_f32(u, w->m, min_sum(f, w, x + t, b));
		acc[0][t] = vfmaq_n_f32(acc[0][t], u, x[t].d[b]);
	}
}

#endif
