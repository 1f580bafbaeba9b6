/*
 * Products of quantized weights with int8 activations, AVX2: one engine for all types,
 * which differ in how a block is loaded and in the constants of struct form.
 *
 * Eight rows are taken together. A block of 32 k is eight registers; register j holds the
 * four weights k = 4j … 4j+3 of row i in its lane i, so that four activations, broadcast,
 * meet eight rows at once and every lane sums its own row: nothing is added across lanes.
 * The integer sum of a block is exact in whatever order; in floats, each output is
 *
 *	acc = fma(u, dx, acc),  u = d · sum  or  fma(m, Σ x, d · sum)
 *
 * block after block. One token loads blocks and multiplies them at once; several first
 * unpack a piece of the eight rows and then walk over it. Both do the same to an output.
 */
#ifndef ENGINE_KERNELS_KERN_AVX2_BLOCK_H
#define ENGINE_KERNELS_KERN_AVX2_BLOCK_H

#include "engine/kernels/kern_avx2.h"

#include <stdbool.h>
#include <string.h>

enum {
	ROWS = 8,
	GROUP = KERN_ACT_BLOCK,
	PIECE = 32,		/* blocks unpacked at a time: 12 KiB, a third of the L1 cache */
	TILE = 3,		/* tokens that share a register of weights */
};

struct block {
	__m256i w[8];
	__m256 d, m;
	__m256i sc[2];		/* per half block: the row's scale in both halves of its lane */
};

struct form {
	int per;		/* blocks that one load gives */
	int bytes;		/* of those in a row */
	bool sign;		/* weights are signed: |w| meets x with the sign of w */
	int run;		/* maddubs results that int16 can sum: 1, 2, 4 or 8 */
	int offset;		/* each weight is w - offset */
	bool min;		/* there are minimums m */
	bool scale;		/* there are integer scales sc */
};

/* Eight rows, `stride` apart; p points at what is to be loaded of the first. */
typedef void load_fn(const uint8_t *p, int64_t stride, struct block *o);

/* -- for loaders --------------------------------------------------------------------- */

/* 16 bytes of each row → in o[j], lane i: bytes 4j … 4j+3 of row i. */
INLINE void load_16(const uint8_t *p, int64_t stride, __m256i o[4])
{
	__m256i v[4];

	UNROLL
	for (int i = 0; i < 4; i++)
		v[i] = _mm256_inserti128_si256(
			_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(p + i * stride))),
			_mm_loadu_si128((const __m128i *)(p + (i + 4) * stride)), 1);
	const __m256i a = _mm256_unpacklo_epi32(v[0], v[1]), b = _mm256_unpackhi_epi32(v[0], v[1]);
	const __m256i c = _mm256_unpacklo_epi32(v[2], v[3]), d = _mm256_unpackhi_epi32(v[2], v[3]);

	o[0] = _mm256_unpacklo_epi64(a, c);
	o[1] = _mm256_unpackhi_epi64(a, c);
	o[2] = _mm256_unpacklo_epi64(b, d);
	o[3] = _mm256_unpackhi_epi64(b, d);
}

INLINE int load_u32(const uint8_t *p)
{
	int v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* 4 bytes of each row. */
INLINE __m256i load_4(const uint8_t *p, int64_t stride)
{
	const uint8_t *q = p + 4 * stride;
	const __m128i a = _mm_setr_epi32(load_u32(p), load_u32(p + stride), load_u32(p + 2 * stride),
					 load_u32(p + 3 * stride));
	const __m128i b = _mm_setr_epi32(load_u32(q), load_u32(q + stride), load_u32(q + 2 * stride),
					 load_u32(q + 3 * stride));

	return _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
}

/* Low halves of the lanes, and high ones. */
INLINE void halves(__m256i v, __m256 *low, __m256 *high)
{
	const __m256i both = _mm256_packus_epi32(_mm256_and_si256(v, _mm256_set1_epi32(0xffff)),
						 _mm256_srli_epi32(v, 16));
	const __m256i order = _mm256_permute4x64_epi64(both, 0xd8);

	*low = _mm256_cvtph_ps(_mm256_castsi256_si128(order));
	*high = _mm256_cvtph_ps(_mm256_extracti128_si256(order, 1));
}

INLINE __m256 low_halves(__m256i v)
{
	__m256 low, high;

	halves(v, &low, &high);
	return low;
}

/* -- the engine ---------------------------------------------------------------------- */

/* What one token brings to a block. */
struct token {
	const int8_t *q;
	const float *d;
	const int16_t *sum;
};

INLINE struct token token_at(const struct kern_acts *a, int64_t t, int64_t b)
{
	const int64_t i = t * (a->k / GROUP) + b;

	return (struct token){ a->q + i * GROUP, a->d + i, a->sum + 2 * i };
}

INLINE __m256i broadcast_4(const void *p)
{
	return _mm256_set1_epi32(load_u32(p));
}

/* Block w times block b of n tokens, into acc. */
INLINE void mul_block(const struct form f, const struct block *w, const struct token *x, int64_t b, int n,
		      __m256 *acc)
{
	const __m256i ones = _mm256_set1_epi16(1);
	__m256i sum[TILE], run[TILE];

	UNROLL
	for (int t = 0; t < n; t++)
		sum[t] = f.offset ? _mm256_madd_epi16(broadcast_4(x[t].sum + 2 * b), _mm256_set1_epi16((short)-f.offset)) :
				    _mm256_setzero_si256();
	UNROLL
	for (int j = 0; j < 8; j++) {
		const __m256i abs = f.sign ? _mm256_abs_epi8(w->w[j]) : w->w[j];

		UNROLL
		for (int t = 0; t < n; t++) {
			const __m256i x4 = broadcast_4(x[t].q + b * GROUP + 4 * j);
			const __m256i p = _mm256_maddubs_epi16(abs, f.sign ? _mm256_sign_epi8(x4, w->w[j]) : x4);

			run[t] = j % f.run ? _mm256_add_epi16(run[t], p) : p;
			if ((j + 1) % f.run == 0)
				sum[t] = _mm256_add_epi32(sum[t], _mm256_madd_epi16(run[t], f.scale ? w->sc[j / 4] : ones));
		}
	}
	UNROLL
	for (int t = 0; t < n; t++) {
		__m256 u = _mm256_mul_ps(w->d, _mm256_cvtepi32_ps(sum[t]));

		if (f.min) {
			const __m256i s = _mm256_madd_epi16(broadcast_4(x[t].sum + 2 * b), ones);

			u = _mm256_fmadd_ps(w->m, _mm256_cvtepi32_ps(s), u);
		}
		acc[t] = _mm256_fmadd_ps(u, _mm256_broadcast_ss(x[t].d + b), acc[t]);
	}
}

/* Eight rows of the matrix, of which those in `mask` are wanted. */
struct panel {
	const uint8_t *w;
	int64_t stride;
	float *y;
	__m256i mask;
};

/* One token: blocks are loaded and multiplied at once; the next panel is fetched meanwhile. */
INLINE void panel_token(const struct kern_mul *m, const struct panel *p, const struct form f, load_fn *load)
{
	const int64_t blocks = m->a->k / GROUP;
	const struct token x = token_at(m->a, 0, 0);
	const uint8_t *ahead = p->w + ROWS * p->stride;
	__m256 acc = _mm256_setzero_ps();
	struct block w[8];

	for (int64_t b = 0; b < blocks; b += f.per) {
		load(p->w + b / f.per * f.bytes, p->stride, w);
		for (int i = 0; i < ROWS * f.bytes; i += 64)
			_mm_prefetch((const char *)ahead + i, _MM_HINT_T0);
		ahead += ROWS * f.bytes;
		UNROLL
		for (int i = 0; i < f.per; i++)
			mul_block(f, w + i, &x, b + i, 1, &acc);
	}
	_mm256_maskstore_ps(p->y, p->mask, acc);
}

/* n tokens from t over n_blocks unpacked blocks, the first of which is block b of the row. */
INLINE void piece_tile(const struct kern_mul *m, const struct panel *p, const struct form f, const struct block *w,
		       int64_t b, int64_t n_blocks, int64_t t, int n)
{
	struct token x[TILE];
	__m256 acc[TILE];

	UNROLL
	for (int i = 0; i < n; i++) {
		x[i] = token_at(m->a, t + i, b);
		acc[i] = b ? _mm256_maskload_ps(p->y + (t + i) * m->ldy, p->mask) : _mm256_setzero_ps();
	}
	for (int64_t i = 0; i < n_blocks; i++)
		mul_block(f, w + i, x, i, n, acc);
	UNROLL
	for (int i = 0; i < n; i++)
		_mm256_maskstore_ps(p->y + (t + i) * m->ldy, p->mask, acc[i]);
}

INLINE void panel_tokens(const struct kern_mul *m, const struct panel *p, const struct form f, load_fn *load)
{
	const int64_t blocks = m->a->k / GROUP;
	struct block w[PIECE];

	for (int64_t b = 0; b < blocks; b += PIECE) {
		const int64_t n = blocks - b < PIECE ? blocks - b : PIECE;
		int64_t t = 0;

		for (int64_t i = 0; i < n; i += f.per)
			load(p->w + (b + i) / f.per * f.bytes, p->stride, w + i);
		for (; t + TILE <= m->a->t; t += TILE)
			piece_tile(m, p, f, w, b, n, t, TILE);
		if (m->a->t - t == 2)
			piece_tile(m, p, f, w, b, n, t, 2);
		else if (m->a->t - t == 1)
			piece_tile(m, p, f, w, b, n, t, 1);
	}
}

INLINE void panel(const struct kern_mul *m, const struct panel *p, const struct form f, load_fn *load)
{
	if (m->a->t == 1)
		panel_token(m, p, f, load);
	else
		panel_tokens(m, p, f, load);
}

/*
 * The last rows of a range come as a panel that reaches back over rows before them; only
 * wanted lanes are stored. A matrix of less than eight rows goes row by row.
 */
INLINE void mul_rows(const struct kern_mul *m, const struct form f, load_fn *load)
{
	int64_t r = m->r0;

	while (r < m->r1) {
		const int64_t base = m->r1 - r >= ROWS ? r : m->r1 >= ROWS ? m->r1 - ROWS : r;
		const bool single = m->r1 < ROWS;
		const struct panel p = {
			(const uint8_t *)m->w + base * m->w_stride, single ? 0 : m->w_stride, m->y + base,
			single ? lanes(1) : _mm256_andnot_si256(lanes((int)(r - base)), lanes(ROWS)),
		};

		panel(m, &p, f, load);
		r = single ? r + 1 : base + ROWS;
	}
}

#endif
