/*
 * Blocks on any aarch64: bytes are multiplied to int16 and added up there as long as nothing
 * can be lost, then folded into int32. A vector's rows 0 and 1 go to one register of int16,
 * rows 2 and 3 to another; one pairwise addition joins them and a second one widens:
 *
 *	low    r0k0 r0k1 r0k2 r0k3 r1k0 r1k1 r1k2 r1k3		high   r2 …  r3 …
 *	paddq  r0k01 r0k23 r1k01 r1k23 r2k01 r2k23 r3k01 r3k23
 *	padal  r0 r1 r2 r3
 *
 * Registers for four tokens: 8 of int16, 4 sums, 4 outputs, 4 or fewer of activations, the
 * weights one by one: all 32 are not needed, and more tokens would not fit.
 */
#ifndef ENGINE_KERNELS_KERN_NEON_MLA_H
#define ENGINE_KERNELS_KERN_NEON_MLA_H

enum { TILE = 4 };

#include "engine/kernels/kern_neon_block.h"

/* How many vectors an int16 takes, after the pairwise addition too. */
INLINE int run_length(const struct form f)
{
	const int most = 32767 / (2 * 127 * (f.sign ? 128 : f.max));

	return most >= 8 && !f.scale ? 8 : most >= 4 ? 4 : most >= 2 ? 2 : 1;
}

INLINE void sum_block(const struct form f, const struct block *w, const struct token *x, int64_t b, int n,
		      int32x4_t *sum)
{
	const int length = run_length(f);
	int16x8_t low[TILE], high[TILE];
	int32x4_t part[TILE];

	UNROLL
	for (int j = 0; j < 8; j++) {
		const int8x16_t v = vreinterpretq_s8_u8(w->w[j]);

		UNROLL
		for (int t = 0; t < n; t++) {
			const int8x16_t x4 = vreinterpretq_s8_s32(vdupq_n_s32(load_s32(x[t].q + b * GROUP + 4 * j)));

			if (j == 0 || (f.scale && j == 4))
				part[t] = offset_sum(f, x + t, b, j / 4);
			if (j % length) {
				low[t] = vmlal_s8(low[t], vget_low_s8(v), vget_low_s8(x4));
				high[t] = vmlal_high_s8(high[t], v, x4);
			} else {
				low[t] = vmull_s8(vget_low_s8(v), vget_low_s8(x4));
				high[t] = vmull_high_s8(v, x4);
			}
			if ((j + 1) % length == 0)
				part[t] = vpadalq_s16(part[t], vpaddq_s16(low[t], high[t]));
			if (f.scale && j == 3)
				sum[t] = vmulq_s32(part[t], w->sc[0]);
			else if (j == 7)
				sum[t] = f.scale ? vmlaq_s32(sum[t], part[t], w->sc[1]) : part[t];
		}
	}
}

#endif
