/* The vectors of kern_piece.h for AVX-512: sixteen rows. Whoever includes this says before how many PANELS a piece has. */
#ifndef ENGINE_KERNELS_KERN_AVX512VNNI_VEC_H
#define ENGINE_KERNELS_KERN_AVX512VNNI_VEC_H

#include "engine/kernels/kern_avx512vnni.h"

typedef __m512i vec;
typedef __m512 vecf, vec_scale;
typedef __mmask16 vec_mask;

enum { ROWS = 16 };

#define v_and _mm512_and_si512
#define v_or _mm512_or_si512
#define v_add8 _mm512_add_epi8
#define v_sub8 _mm512_sub_epi8
#define v_sub32 _mm512_sub_epi32
#define v_srl16 _mm512_srli_epi16
#define v_sll16 _mm512_slli_epi16
#define v_srl32 _mm512_srli_epi32
#define v_set32 _mm512_set1_epi32
#define v_set8(x) _mm512_set1_epi8((char)(x))
#define v_shuffle _mm512_shuffle_epi8	/* within 16 bytes */
#define v_to_float _mm512_cvtepi32_ps
#define vf_zero _mm512_setzero_ps
#define vf_mul _mm512_mul_ps
#define vf_add _mm512_add_ps

INLINE vec_mask v_mask(int from, int to)
{
	return (vec_mask)((1u << to) - (1u << from));
}

INLINE vec v_load(const uint8_t *p)
{
	return _mm512_loadu_si512(p);
}

INLINE vecf vf_load_halves(const uint8_t *p)
{
	return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}

INLINE void vf_store(float *p, vec_mask mask, vecf v)
{
	_mm512_mask_storeu_ps(p, mask, v);
}

/* The same 16 bytes in every 128-bit lane. */
INLINE vec v_quads(int a, int b, int c, int d)
{
	return _mm512_broadcast_i32x4(_mm_setr_epi32(a, b, c, d));
}

/* 1 in each byte that is at least x, unsigned. */
INLINE vec v_at_least(vec v, int x)
{
	return _mm512_maskz_mov_epi8(_mm512_cmpge_epu8_mask(v, v_set8(x)), v_set8(1));
}

INLINE vecf vf_one(void)
{
	return _mm512_set1_ps(1);
}

INLINE vecf vf_neg(vecf v)
{
	return _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(v), v_set32((int)0x80000000)));
}

/* The low half of each lane as a float. */
INLINE vecf v_low_halves(vec v)
{
	return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(v));
}

/* Byte b of each lane, signed. */
INLINE vec_scale v_scale(vec v, int b)
{
	return v_to_float(_mm512_srai_epi32(_mm512_slli_epi32(v, (unsigned)(24 - 8 * b)), 24));
}

/* Bytes b and b + 1 of each lane as int16. */
INLINE vec v_pair(vec v, int b)
{
	const vec apart = v_set32((int)0x80008000 | b | (b + 1) << 16);

	return v_shuffle(v, v_or(apart, v_quads(0, 0x00040004, 0x00080008, 0x000c000c)));
}

INLINE vec broadcast_4(const void *p)
{
	return _mm512_set1_epi32(load_u32(p));
}

#include "engine/kernels/kern_piece.h"
#include "engine/kernels/kern_lift.h"

/* Whether half blocks are summed apart, each with its scale. */
INLINE bool halves_apart(const struct form f)
{
	return f.scale && !f.fold;
}

/* Scales of half blocks are multiplied with the weights where they fit a byte, else with the block's: 11 bits by 8, exact. */
INLINE void lift_scales(const struct form f, struct block *w)
{
	UNROLL
	for (int j = 0; j < 8; j++)
		if (f.fold) {
			const vec sc = _mm512_cvtps_epi32(w->sc[j / 4]);

			w->w[j] = _mm512_mullo_epi16(w->w[j], v_or(sc, _mm512_slli_epi32(sc, 16)));
		}
	if (halves_apart(f)) {
		w->sc[0] = _mm512_mul_ps(w->d, w->sc[0]);
		w->sc[1] = _mm512_mul_ps(w->d, w->sc[1]);
	}
	w->lift = _mm512_mul_ps(halves_apart(f) ? w->sc[0] : w->d, _mm512_set1_ps(-LIFT));
}

#endif
