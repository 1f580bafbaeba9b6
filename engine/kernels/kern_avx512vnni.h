/* The vectors of kern_block.h for AVX-512 with VNNI: sixteen rows. Included by kern_avx512vnni*.c only. */
#ifndef ENGINE_KERNELS_KERN_AVX512VNNI_H
#define ENGINE_KERNELS_KERN_AVX512VNNI_H

#include "engine/kernels/kern.h"
#include "engine/kernels/kern_inline.h"

#include <immintrin.h>
#include <string.h>

void kern_avx512vnni_plain_init(struct kern *k);	/* blocks of 32 */
void kern_avx512vnni_super_init(struct kern *k);	/* blocks of 256 */

typedef __m512i vec;
typedef __m512 vecf, vec_scale;
typedef __mmask16 vec_mask;

enum {
	ROWS = 16,
	TILE = 8,		/* tokens that share a register of weights */
};

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

INLINE vec_mask v_mask(int from, int to)
{
	return (vec_mask)((1u << to) - (1u << from));
}

INLINE vecf vf_load(const float *p, vec_mask mask)
{
	return _mm512_maskz_loadu_ps(mask, p);
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

INLINE int load_u32(const void *p)
{
	int v;

	memcpy(&v, p, sizeof v);
	return v;
}

INLINE __m128i load_4_of_4(const uint8_t *p, int64_t stride)
{
	return _mm_setr_epi32(load_u32(p), load_u32(p + stride), load_u32(p + 2 * stride), load_u32(p + 3 * stride));
}

INLINE vec join(__m128i a, __m128i b, __m128i c, __m128i d)
{
	const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
	const __m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(c), d, 1);

	return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/* 4 bytes of each row. */
INLINE vec load_4(const uint8_t *p, int64_t stride)
{
	return join(load_4_of_4(p, stride), load_4_of_4(p + 4 * stride, stride), load_4_of_4(p + 8 * stride, stride),
		    load_4_of_4(p + 12 * stride, stride));
}

INLINE __m128i load_quad(const uint8_t *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

/* 16 bytes of each row: o[j] has bytes 4j … 4j+3 of row i in lane i. */
INLINE void load_16(const uint8_t *p, int64_t stride, vec o[4])
{
	vec v[4];

	UNROLL
	for (int i = 0; i < 4; i++)
		v[i] = join(load_quad(p + i * stride), load_quad(p + (i + 4) * stride), load_quad(p + (i + 8) * stride),
			    load_quad(p + (i + 12) * stride));
	const vec a = _mm512_unpacklo_epi32(v[0], v[1]), b = _mm512_unpackhi_epi32(v[0], v[1]);
	const vec c = _mm512_unpacklo_epi32(v[2], v[3]), d = _mm512_unpackhi_epi32(v[2], v[3]);

	o[0] = _mm512_unpacklo_epi64(a, c);
	o[1] = _mm512_unpackhi_epi64(a, c);
	o[2] = _mm512_unpacklo_epi64(b, d);
	o[3] = _mm512_unpackhi_epi64(b, d);
}

#include "engine/kernels/kern_block.h"

/* vpdpbusd wants weights unsigned: int8 as w + 128. */
INLINE struct form adjust_form(struct form f)
{
	f.offset = f.sign ? 128 : f.offset;
	return f;
}

INLINE void adjust(const struct form f, struct block *w)
{
	if (!f.sign)
		return;
	UNROLL
	for (int j = 0; j < 8; j++)
		w->w[j] = _mm512_xor_si512(w->w[j], v_set8(128));
}

INLINE vec broadcast_4(const void *p)
{
	return _mm512_set1_epi32(load_u32(p));
}

/* -offset times the sum of a half block's activations, or of both. */
INLINE vec offset_sum(const struct form f, const struct token *x, int64_t b, int half)
{
	const int low = -f.offset & 0xffff, high = (int)((unsigned)-f.offset << 16);

	if (!f.offset)
		return _mm512_setzero_si512();
	if (x->start)
		return broadcast_4(x->start + b);
	return _mm512_madd_epi16(broadcast_4(x->sum + 2 * b), v_set32(!f.scale ? low | high : half ? high : low));
}

INLINE void mul_block(const struct form f, const struct block *w, const struct token *x, int64_t b, int n, vecf *acc)
{
	vec sum[2][TILE];

	UNROLL
	for (int t = 0; t < n; t++) {
		sum[0][t] = offset_sum(f, x + t, b, 0);
		if (f.scale)
			sum[1][t] = offset_sum(f, x + t, b, 1);
	}
	UNROLL
	for (int j = 0; j < 8; j++) {
		const int h = f.scale ? j / 4 : 0;

		UNROLL
		for (int t = 0; t < n; t++)
			sum[h][t] = _mm512_dpbusd_epi32(sum[h][t], w->w[j], broadcast_4(x[t].q + b * GROUP + 4 * j));
	}
	UNROLL
	for (int t = 0; t < n; t++) {
		vecf u = v_to_float(sum[0][t]);

		if (f.scale)	/* each product is below 2^24: exact, and their sum rounded once */
			u = _mm512_fmadd_ps(w->sc[1], v_to_float(sum[1][t]), _mm512_mul_ps(w->sc[0], u));
		u = _mm512_mul_ps(w->d, u);
		if (f.min) {
			const vecf s = x[t].start ? _mm512_set1_ps(x[t].start[b].sum) :
				v_to_float(_mm512_madd_epi16(broadcast_4(x[t].sum + 2 * b),
							     f.scale ? w->mn : _mm512_set1_epi16(1)));

			u = _mm512_fmadd_ps(w->m, s, u);
		}
		acc[t] = _mm512_fmadd_ps(u, _mm512_set1_ps(x[t].d[b]), acc[t]);
	}
}

#endif
