/*
 * Blocks with AVX-VNNI, vpdpbusd as a VEX instruction: one of them does a whole vector, four bytes
 * to an int32, weights unsigned and activations signed; nothing saturates.
 *
 * Sixteen registers for six tokens: 6 sums, 6 outputs, weights, activations, and two that are left;
 * with scales of half blocks four tokens, and a sum for each half.
 */
#ifndef ENGINE_KERNELS_KERN_AVXVNNI_H
#define ENGINE_KERNELS_KERN_AVXVNNI_H

#include <immintrin.h>

enum { TILE = 6 };
typedef __m256 vec_scale;

#include "engine/kernels/kern_avx2_block.h"
#include "engine/kernels/kern_lift.h"

/* Byte b of each lane, signed. */
INLINE vec_scale v_scale(vec v, int b)
{
	return v_to_float(_mm256_srai_epi32(_mm256_slli_epi32(v, 24 - 8 * b), 24));
}

INLINE void adjust(const struct form f, struct block *w)
{
	if (f.sign) {
		UNROLL
		for (int j = 0; j < 8; j++)
			w->w[j] = _mm256_xor_si256(w->w[j], v_set8(128));
	}
}

INLINE int tile_tokens(const struct form f)
{
	return f.scale ? 4 : 6;
}

/* -offset times the sums of a block's first half, second half, or both together; lifted. */
INLINE vec lifted(const struct form f, vec pairs, bool first, bool second)
{
	const int low = first ? -f.offset & 0xffff : 0, high = second ? (int)((unsigned)-f.offset << 16) : 0;

	return _mm256_add_epi32(_mm256_madd_epi16(pairs, v_set32(low | high)), v_set32(LIFT_BITS));
}

INLINE void start_fill(const struct form f, union start *o, const int16_t *sum, int64_t n)
{
	for (int64_t i = 0; i < n; i += ROWS) {
		const int left = n - i < ROWS ? (int)(n - i) : ROWS;
		const vec pairs = _mm256_maskload_epi32((const int *)(const void *)(sum + 2 * i), lanes(left));

		if (!f.offset)
			_mm256_storeu_ps(&o[i].sum, v_to_float(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1))));
		else
			_mm256_storeu_si256((void *)(o + i), lifted(f, pairs, true, !f.scale));
		if (f.offset && f.scale)
			_mm256_storeu_si256((void *)(o + PIECE + i), lifted(f, pairs, false, true));
	}
}

/* What a half block's sum begins with, or the whole one's. */
INLINE vec begin_sum(const struct form f, const struct token *x, int64_t b, int half)
{
	if (!f.offset)
		return v_set32(LIFT_BITS);
	if (x->start)
		return broadcast_4(x->start + half * PIECE + b);
	return lifted(f, broadcast_4(x->sum + 2 * b), !half, !f.scale || half);
}

INLINE vecf to_float(vec sum)
{
	return _mm256_sub_ps(_mm256_castsi256_ps(sum), _mm256_set1_ps(LIFT));
}

/* With scales the halves take turns: twice as many sums that do not wait for each other. */
INLINE void sum_block(const struct form f, const struct block *w, const struct token *x, int64_t b, int n,
		      vecf total[TILE])
{
	const int halves = f.scale ? 2 : 1;
	vec sum[2][TILE];

	UNROLL
	for (int h = 0; h < halves; h++)
		UNROLL
		for (int t = 0; t < n; t++)
			sum[h][t] = begin_sum(f, x + t, b, h);
	UNROLL
	for (int j = 0; j < 8; j++) {
		const int h = j % halves, at = h * 4 + j / halves;

		UNROLL
		for (int t = 0; t < n; t++)
			sum[h][t] = _mm256_dpbusd_avx_epi32(sum[h][t], w->w[at], broadcast_4(x[t].q + b * GROUP + 4 * at));
	}
	UNROLL
	for (int t = 0; t < n; t++)
		total[t] = !f.scale ? to_float(sum[0][t]) :
			   _mm256_fmadd_ps(to_float(sum[1][t]), w->sc[1], _mm256_mul_ps(to_float(sum[0][t]), w->sc[0]));
}

#endif
