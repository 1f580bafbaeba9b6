/*
 * The vectors of kern_piece.h for AVX2: eight rows. Whoever includes this says before how many
 * tokens share a register of weights (TILE), and what scales of half blocks are (vec_scale), and
 * brings sum_block() after: multiplying bytes is all in which the two instruction sets differ.
 */
#ifndef ENGINE_KERNELS_KERN_AVX2_BLOCK_H
#define ENGINE_KERNELS_KERN_AVX2_BLOCK_H

#include "engine/kernels/kern_avx2.h"

typedef __m256i vec, vec_mask;
typedef __m256 vecf;

enum {
	ROWS = 8,
	PANELS = 1,
	FEW = TILE,
};

#define v_and _mm256_and_si256
#define v_or _mm256_or_si256
#define v_add8 _mm256_add_epi8
#define v_sub8 _mm256_sub_epi8
#define v_sub32 _mm256_sub_epi32
#define v_srl16 _mm256_srli_epi16
#define v_sll16 _mm256_slli_epi16
#define v_srl32 _mm256_srli_epi32
#define v_set32 _mm256_set1_epi32
#define v_set8(x) _mm256_set1_epi8((char)(x))
#define v_shuffle _mm256_shuffle_epi8	/* within 16 bytes */
#define v_to_float _mm256_cvtepi32_ps
#define vf_zero _mm256_setzero_ps
#define vf_mul _mm256_mul_ps
#define vf_add _mm256_add_ps
#define vf_store _mm256_maskstore_ps

INLINE vec_mask v_mask(int from, int to)
{
	return _mm256_andnot_si256(lanes(from), lanes(to));
}

/* The same 16 bytes in every 128-bit lane. */
INLINE vec v_quads(int a, int b, int c, int d)
{
	return _mm256_broadcastsi128_si256(_mm_setr_epi32(a, b, c, d));
}

/* 1 in each byte that is at least x, unsigned. */
INLINE vec v_at_least(vec v, int x)
{
	return v_and(_mm256_cmpeq_epi8(_mm256_max_epu8(v, v_set8(x)), v), v_set8(1));
}

INLINE vecf vf_one(void)
{
	return _mm256_set1_ps(1);
}

INLINE vecf vf_neg(vecf v)
{
	return _mm256_xor_ps(v, _mm256_set1_ps(-0.0f));
}

/* The low half of each lane as a float. */
INLINE vecf v_low_halves(vec v)
{
	const vec low = v_and(v, v_set32(0xffff));
	const vec packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, low), 0xd8);

	return _mm256_cvtph_ps(_mm256_castsi256_si128(packed));
}

/* Bytes b and b + 1 of each lane as int16. */
INLINE vec v_pair(vec v, int b)
{
	const vec apart = v_set32((int)0x80008000 | b | (b + 1) << 16);

	return v_shuffle(v, v_or(apart, v_quads(0, 0x00040004, 0x00080008, 0x000c000c)));
}

INLINE vec v_load(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)p);
}

INLINE vecf vf_load_halves(const uint8_t *p)
{
	return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}

#include "engine/kernels/kern_block.h"

INLINE vec broadcast_4(const void *p)
{
	return _mm256_set1_epi32(load_u32(p));
}

/* Per row Σ (w - offset) · x of block b, times the scales of its halves: exact, also as a float. */
INLINE void sum_block(const struct form f, const struct block *w, const struct token *x, int64_t b, int n,
		      vecf sum[TILE]);

/* What a block's minimum is multiplied with. */
INLINE vecf min_sum(const struct form f, const struct block *w, const struct token *x, int64_t b)
{
	if (!f.scale && x->start)
		return _mm256_broadcast_ss(&x->start[b].sum);
	return _mm256_cvtepi32_ps(_mm256_madd_epi16(broadcast_4(x->sum + 2 * b),
						    f.scale ? w->mn : _mm256_set1_epi16(1)));
}

INLINE void mul_block(const struct form f, const struct block *w, int n_panels, const struct token *x, int64_t b, int n,
		      vecf acc[PANELS][TILE])
{
	vecf sum[TILE];

	(void)n_panels;
	sum_block(f, w, x, b, n, sum);
	UNROLL
	for (int t = 0; t < n; t++) {
		vecf u = _mm256_mul_ps(w->d, sum[t]);

		if (f.min)
			u = _mm256_fmadd_ps(w->m, min_sum(f, w, x + t, b), u);
		acc[0][t] = _mm256_fmadd_ps(u, _mm256_broadcast_ss(x[t].d + b), acc[0][t]);
	}
}

#endif
