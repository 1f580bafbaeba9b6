/* The vectors of kern_block.h for AVX2: eight rows. */
#ifndef ENGINE_KERNELS_KERN_AVX2_BLOCK_H
#define ENGINE_KERNELS_KERN_AVX2_BLOCK_H

#include "engine/kernels/kern_avx2.h"

#include <string.h>

typedef __m256i vec, vec_mask;
typedef __m256 vecf;
typedef __m256i vec_scale;	/* int16, the row's scale in both halves of its lane */

enum {
	ROWS = 8,
	PANELS = 1,
	FEW = 4,
	TILE = FEW,
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

/* Byte b of each lane, signed. */
INLINE vec_scale v_scale(vec v, int b)
{
	const vec to_high = v_set32(0x00800080 | b << 8 | b << 24);

	return _mm256_srai_epi16(v_shuffle(v, v_or(to_high, v_quads(0, 0x04000400, 0x08000800, 0x0c000c00))), 8);
}

/* Bytes b and b + 1 of each lane as int16. */
INLINE vec v_pair(vec v, int b)
{
	const vec apart = v_set32((int)0x80008000 | b | (b + 1) << 16);

	return v_shuffle(v, v_or(apart, v_quads(0, 0x00040004, 0x00080008, 0x000c000c)));
}

INLINE int load_u32(const void *p)
{
	int v;

	memcpy(&v, p, sizeof v);
	return v;
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

INLINE struct form adjust_form(struct form f)
{
	return f;
}

INLINE void adjust(const struct form f, struct block *w)
{
	(void)f, (void)w;
}

/* How many results of vpmaddubsw an int16 takes; more than 4 costs registers. */
INLINE int run_length(const struct form f)
{
	const int most = 32767 / (2 * 127 * (f.sign ? 128 : f.max));

	return most >= 4 ? 4 : most >= 2 ? 2 : 1;
}

INLINE vec broadcast_4(const void *p)
{
	return _mm256_set1_epi32(load_u32(p));
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

INLINE void mul_block(const struct form f, const struct block *w, int n_panels, const struct token *x, int64_t b, int n,
		      vecf acc[PANELS][TILE])
{
	const vec ones = _mm256_set1_epi16(1);
	const vec pair = f.scale ? _mm256_blend_epi16(w->sc[0], w->sc[1], 0xaa) : ones;
	const vec offset = _mm256_mullo_epi16(pair, _mm256_set1_epi16((short)-f.offset));
	const int length = run_length(f);
	vec sum[TILE], run[TILE];

	(void)n_panels;
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
	for (int t = 0; t < n; t++) {
		vecf u = _mm256_mul_ps(w->d, _mm256_cvtepi32_ps(sum[t]));

		if (f.min) {
			const vecf s = x[t].start ? _mm256_broadcast_ss(&x[t].start[b].sum) :
				_mm256_cvtepi32_ps(_mm256_madd_epi16(broadcast_4(x[t].sum + 2 * b),
								     f.scale ? w->mn : ones));

			u = _mm256_fmadd_ps(w->m, s, u);
		}
		acc[0][t] = _mm256_fmadd_ps(u, _mm256_broadcast_ss(x[t].d + b), acc[0][t]);
	}
}

#endif
