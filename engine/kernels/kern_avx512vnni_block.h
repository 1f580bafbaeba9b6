/* Blocks with AVX-512's VNNI. */
#ifndef ENGINE_KERNELS_KERN_AVX512VNNI_BLOCK_H
#define ENGINE_KERNELS_KERN_AVX512VNNI_BLOCK_H

enum { PANELS = 2, FEW = 8, TILE = FEW };

#include "engine/kernels/kern_avx512vnni_vec.h"
#include "engine/kernels/kern_block.h"

INLINE void adjust(const struct form f, struct block *w)
{
	if (f.sign) {
		UNROLL
		for (int j = 0; j < 8; j++)
			w->w[j] = _mm512_xor_si512(w->w[j], v_set8(128));
	}
	lift_scales(f, w);
}

/* Two panels take 12 sums, 12 outputs, 2 weights and an activation; with halves 8 of each, and 8 joined sums. */
INLINE int tile_tokens(const struct form f)
{
	return halves_apart(f) ? 4 : 6;
}

INLINE void start_fill(const struct form f, union start *o, const int16_t *sum, int64_t n)
{
	const vec pairs = _mm512_maskz_loadu_epi32((__mmask16)((1u << n) - 1), sum), lift = v_set32(LIFT_BITS);
	const int low = -f.offset & 0xffff, high = (int)((unsigned)-f.offset << 16);

	if (!f.offset) {
		_mm512_storeu_ps(o, v_to_float(_mm512_madd_epi16(pairs, _mm512_set1_epi16(1))));
	} else if (!f.scale) {
		_mm512_storeu_si512(o, _mm512_add_epi32(_mm512_madd_epi16(pairs, v_set32(low | high)), lift));
	} else {
		_mm512_storeu_si512(o, _mm512_add_epi32(_mm512_madd_epi16(pairs, v_set32(low)), lift));
		_mm512_storeu_si512(o + PIECE, _mm512_madd_epi16(pairs, v_set32(high)));
	}
}

/* What a sum begins with: -offset times that of a half block's activations, or of both; lifted, but for second halves. */
INLINE vec begin_sum(const struct form f, const struct token *x, int64_t b, int half)
{
	const int low = -f.offset & 0xffff, high = (int)((unsigned)-f.offset << 16);
	const vec lift = half ? _mm512_setzero_si512() : v_set32(LIFT_BITS);

	if (!f.offset)
		return lift;
	if (x->start)
		return broadcast_4(x->start + half * PIECE + b);
	return _mm512_add_epi32(lift, _mm512_madd_epi16(broadcast_4(x->sum + 2 * b),
							v_set32(!f.scale ? low | high : half ? high : low)));
}

/* What a block's minimum is multiplied with. */
INLINE vecf min_sum(const struct form f, const struct block *w, const struct token *x, int64_t b)
{
	if (x->start)
		return _mm512_set1_ps(x->start[b].sum);
	return v_to_float(_mm512_madd_epi16(broadcast_4(x->sum + 2 * b), f.scale ? w->mn : _mm512_set1_epi16(1)));
}

/* sum += w · x over vectors from … to-1 of the block. */
INLINE void dot_block(const struct block *w, int n_panels, const struct token *x, int64_t b, int n, int from, int to,
		      vec sum[PANELS][TILE])
{
	UNROLL
	for (int j = from; j < to; j++)
		UNROLL
		for (int t = 0; t < n; t++) {
			const vec x4 = broadcast_4(x[t].q + b * GROUP + 4 * j);

			UNROLL
			for (int p = 0; p < n_panels; p++)
				sum[p][t] = _mm512_dpbusd_epi32(sum[p][t], w[p * PIECE].w[j], x4);
		}
}

INLINE void mul_block(const struct form f, const struct block *w, int n_panels, const struct token *x, int64_t b, int n,
		      vecf acc[PANELS][TILE])
{
	const int halves = halves_apart(f) ? 2 : 1;
	vec sum[PANELS][TILE];
	vecf u[PANELS][TILE];

	UNROLL
	for (int h = 0; h < halves; h++) {
		UNROLL
		for (int t = 0; t < n; t++) {
			sum[0][t] = begin_sum(f, x + t, b, h);
			UNROLL
			for (int p = 1; p < n_panels; p++)
				sum[p][t] = sum[0][t];
		}
		dot_block(w, n_panels, x, b, n, h * 4, 8 / halves * (h + 1), sum);
		UNROLL
		for (int t = 0; t < n; t++)
			UNROLL
			for (int p = 0; p < n_panels; p++)
				u[p][t] = h ? _mm512_fmadd_ps(w[p * PIECE].sc[1], v_to_float(sum[p][t]), u[p][t]) :
					_mm512_fmadd_ps(halves_apart(f) ? w[p * PIECE].sc[0] : w[p * PIECE].d,
							_mm512_castsi512_ps(sum[p][t]), w[p * PIECE].lift);
	}
	UNROLL
	for (int t = 0; t < n; t++)
		UNROLL
		for (int p = 0; p < n_panels; p++) {
			if (f.min)
				u[p][t] = _mm512_fmadd_ps(w[p * PIECE].m, min_sum(f, w + p * PIECE, x + t, b), u[p][t]);
			acc[p][t] = _mm512_fmadd_ps(u[p][t], _mm512_set1_ps(x[t].d[b]), acc[p][t]);
		}
}

#endif
