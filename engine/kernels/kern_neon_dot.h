/*
 * Blocks with the dot product instructions (FEAT_DotProd): one of them does a whole vector,
 * four bytes to an int32, and takes the token's four activations from any lane of sixteen, so
 * nothing needs to be broadcast.
 *
 * Registers for eight tokens, half a block (16 k) at a time: 8 sums, 8 outputs, 8 of
 * activations, 4 of weights, which leaves 4 of the 32.
 */
#ifndef ENGINE_KERNELS_KERN_NEON_DOT_H
#define ENGINE_KERNELS_KERN_NEON_DOT_H

enum { TILE = 8 };

#include "engine/kernels/kern_neon_block.h"

INLINE int8x16_t weights(vec v)
{
	return vreinterpretq_s8_u8(v);
}

INLINE int32x4_t dot_half(int32x4_t sum, const vec *w, int8x16_t x)
{
	sum = vdotq_laneq_s32(sum, weights(w[0]), x, 0);
	sum = vdotq_laneq_s32(sum, weights(w[1]), x, 1);
	sum = vdotq_laneq_s32(sum, weights(w[2]), x, 2);
	return vdotq_laneq_s32(sum, weights(w[3]), x, 3);
}

INLINE void sum_block(const struct form f, const struct block *w, const struct token *x, int64_t b, int n,
		      int32x4_t *sum)
{
	UNROLL
	for (int h = 0; h < 2; h++)
		UNROLL
		for (int t = 0; t < n; t++) {
			const int32x4_t from = h && !f.scale ? sum[t] : offset_sum(f, x + t, b, h);
			const int32x4_t to = dot_half(from, w->w + 4 * h, vld1q_s8(x[t].q + b * GROUP + 16 * h));

			sum[t] = !f.scale ? to : h ? vmlaq_s32(sum[t], to, w->sc[1]) : vmulq_s32(to, w->sc[0]);
		}
}

#endif
