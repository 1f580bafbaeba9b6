/*
 * Blocks with AVX2 alone: bytes are multiplied and added in pairs to int16 (vpmaddubsw, one factor
 * unsigned) and added up there as long as nothing can be lost, then folded into int32.
 */
#ifndef ENGINE_KERNELS_KERN_AVX2_MAD_H
#define ENGINE_KERNELS_KERN_AVX2_MAD_H

#include <immintrin.h>

enum { TILE = 4 };
typedef __m256i vec_scale;	/* int16, the row's scale in both halves of its lane */

#include "engine/kernels/kern_avx2_block.h"

/* Byte b of each lane, signed. */
INLINE vec_scale v_scale(vec v, int b)
{
	const vec to_high = v_set32(0x00800080 | b << 8 | b << 24);

	return _mm256_srai_epi16(v_shuffle(v, v_or(to_high, v_quads(0, 0x04000400, 0x08000800, 0x0c000c00))), 8);
}

INLINE struct form adjust_form(struct form f)
{
	return f;
}

INLINE void adjust(const struct form f, struct block *w)
{
	(void)f, (void)w;
}

/* Sixteen registers: 3 sums, 3 runs, 3 outputs, weights, activations and constants. */
INLINE int tile_tokens(const struct form f)
{
	(void)f;
	return 3;
}

INLINE bool start_wanted(const struct form f)
{
	return !f.scale && (f.offset || f.min);
}

INLINE void start_fill(const struct form f, union start *o, const int16_t *sum, int64_t n)
{
	start_each(f, o, sum, n);
}

/* How many results of vpmaddubsw an int16 takes; more than 4 costs registers. */
INLINE int run_length(const struct form f)
{
	const int most = 32767 / (2 * 127 * (f.sign ? 128 : f.max));

	return most >= 4 ? 4 : most >= 2 ? 2 : 1;
}

INLINE void sum_block(const struct form f, const struct block *w, const struct token *x, int64_t b, int n,
		      vecf total[TILE])
{
	const vec ones = _mm256_set1_epi16(1);
	const vec pair = f.scale ? _mm256_blend_epi16(w->sc[0], w->sc[1], 0xaa) : ones;
	const vec offset = _mm256_mullo_epi16(pair, _mm256_set1_epi16((short)-f.offset));
	const int length = run_length(f);
	vec sum[TILE], run[TILE];

	UNROLL
	for (int t = 0; t < n; t++)
		sum[t] = !f.offset ? _mm256_setzero_si256() :
			 x[t].start ? broadcast_4(x[t].start + b) :
				      _mm256_madd_epi16(broadcast_4(x[t].sum + 2 * b), offset);
	UNROLL
	for (int j = 0; j < 8; j++) {
		const vec abs = f.sign ? _mm256_abs_epi8(w->w[j]) : w->w[j];
		const vec scale = f.scale ? w->sc[j / 4] : ones;

		UNROLL
		for (int t = 0; t < n; t++) {
			const vec x4 = broadcast_4(x[t].q + b * GROUP + 4 * j);
			const vec p = _mm256_maddubs_epi16(abs, f.sign ? _mm256_sign_epi8(x4, w->w[j]) : x4);

			run[t] = j % length ? _mm256_add_epi16(run[t], p) : p;
			if ((j + 1) % length == 0)
				sum[t] = _mm256_add_epi32(sum[t], _mm256_madd_epi16(run[t], scale));
		}
	}
	UNROLL
	for (int t = 0; t < n; t++)
		total[t] = _mm256_cvtepi32_ps(sum[t]);
}

#endif
