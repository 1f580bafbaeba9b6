/*
 * Products with activations as they are: F32 weights, and every type of less than 16 bits
 * decoded (kern_half.h has those of 16). One engine for all instruction sets: a set brings a vector of CHAINS floats
 * (vecf, and the functions below), its tile of ROWS × TILE vectors of registers, and the
 * order in which the lanes of a vector are added.
 *
 *	            x token 0    x token 1    x token 2
 *	w row 0   [ chains ]   [ chains ]   [ chains ]
 *	w row 1   [ chains ]   …
 *
 * An output is the sum over pieces of PIECE k of its chains, k mod CHAINS, whether a row is
 * read where it lies (few tokens) or unpacked first (more). A piece's weights stay in the L1
 * cache while all tokens walk over them, its activations in the L2 cache for all rows.
 */
#ifndef ENGINE_KERNELS_KERN_FLOAT_H
#define ENGINE_KERNELS_KERN_FLOAT_H

#include "engine/kernels/kern_inline.h"
#include "engine/kernels/kern_pack.h"

#include <string.h>

enum {
	PIECE = 1024,
	L2_FLOATS = 256 * 1024,	/* activations of a piece that stay there */
};

INLINE vecf vf_load(const float *p);
INLINE vecf vf_zero(void);
INLINE vecf vf_fma(vecf a, vecf b, vecf sum);
/* y[r] += the lanes of v[r], for n rows. */
INLINE void add_sums(float *y, const vecf *v, int n);

/* CHAINS k of each row and token, from i on. */
INLINE void step(const float *w, int64_t ldw, const float *x, int64_t ldx, int64_t i,
		 int rows, int n, vecf acc[TILE][ROWS])
{
	vecf v[TILE];

	UNROLL
	for (int j = 0; j < n; j++)
		v[j] = vf_load(x + j * ldx + i);
	UNROLL
	for (int r = 0; r < rows; r++) {
		const vecf u = vf_load(w + r * ldw + i);

		UNROLL
		for (int j = 0; j < n; j++)
			acc[j][r] = vf_fma(u, v[j], acc[j][r]);
	}
}

/* The last k mod CHAINS, zeros after them. */
INLINE void last_step(const float *w, int64_t ldw, const float *x, int64_t ldx, int64_t k,
		      int rows, int n, vecf acc[TILE][ROWS])
{
	const int64_t rest = k % CHAINS, i = k - rest;
	float wl[ROWS * CHAINS] = { 0 }, xl[TILE * CHAINS] = { 0 };

	for (int r = 0; r < rows; r++)
		memcpy(wl + r * CHAINS, w + r * ldw + i, (size_t)rest * sizeof *w);
	for (int j = 0; j < n; j++)
		memcpy(xl + j * CHAINS, x + j * ldx + i, (size_t)rest * sizeof *x);
	step(wl, CHAINS, xl, CHAINS, 0, rows, n, acc);
}

/* rows × n outputs get their share of k values: rows of weights `stride` bytes apart, of activations ldx. */
INLINE void tile(const float *w, int64_t ldw, const float *x, int64_t ldx, int64_t k,
		 int rows, int n, float *y, int64_t ldy)
{
	vecf acc[TILE][ROWS];

	UNROLL
	for (int j = 0; j < n; j++)
		UNROLL
		for (int r = 0; r < rows; r++)
			acc[j][r] = vf_zero();
	for (int64_t i = 0; i + CHAINS <= k; i += CHAINS) {
		step(w, ldw, x, ldx, i, rows, n, acc);
		UNROLL
		for (int r = 0; n == 1 && r < rows; r++)	/* the rows after these */
			__builtin_prefetch(w + (r + rows) * ldw + i);
	}
	if (k % CHAINS)
		last_step(w, ldw, x, ldx, k, rows, n, acc);
	UNROLL
	for (int j = 0; j < n; j++)
		add_sums(y + j * ldy, acc[j], rows);
}

/* Tokens t0 … t1-1. */
INLINE void tiles(const float *w, int64_t ldw, const struct kern_mul *m, int64_t r,
		  int64_t k0, int64_t k, int rows, int64_t t0, int64_t t1)
{
	const int64_t ldx = m->a->k;
	const float *x = m->a->x + k0;
	int64_t j = t0;

	for (; j + TILE <= t1; j += TILE)
		tile(w, ldw, x + j * ldx, ldx, k, rows, TILE, m->y + j * m->ldy + r, m->ldy);
	for (; j < t1; j++)
		tile(w, ldw, x + j * ldx, ldx, k, rows, 1, m->y + j * m->ldy + r, m->ldy);
}

/* `type` NULL: the weights are floats. */
INLINE void rows_piece(const struct quant_type *type, const struct kern_mul *m, int64_t r, int rows, int64_t k0,
		       int64_t k, int64_t t0, int64_t t1)
{
	_Alignas(64) float scratch[ROWS * PIECE];

	if (!type) {
		const int64_t ldw = m->w_stride / (int64_t)sizeof(float);

		tiles((const float *)m->w + r * ldw + k0, ldw, m, r, k0, k, rows, t0, t1);
		return;
	}
	for (int i = 0; i < rows; i++)
		kern_decode(type, m->w, m->w_stride, m->panel, m->a->k, r + i, k0, k, scratch + i * PIECE);
	tiles(scratch, PIECE, m, r, k0, k, rows, t0, t1);
}

INLINE void mul_rows(const struct kern_mul *m, const struct quant_type *type)
{
	const int64_t most = L2_FLOATS / PIECE;

	for (int64_t j = 0; j < m->a->t; j++)
		memset(m->y + j * m->ldy + m->r0, 0, (size_t)(m->r1 - m->r0) * sizeof *m->y);
	for (int64_t t0 = 0; t0 < m->a->t; t0 += most) {
		const int64_t t1 = m->a->t - t0 < most ? m->a->t : t0 + most;

		for (int64_t k = 0; k < m->a->k; k += PIECE) {
			const int64_t n = m->a->k - k < PIECE ? m->a->k - k : PIECE;
			int64_t r = m->r0;

			for (; r + ROWS <= m->r1; r += ROWS)
				rows_piece(type, m, r, ROWS, k, n, t0, t1);
			for (; r < m->r1; r++)
				rows_piece(type, m, r, 1, k, n, t0, t1);
		}
	}
}

static void mul_F32(const struct kern_mul *m)
{
	mul_rows(m, NULL);
}

static void mul_decoded(const struct kern_mul *m, enum quant_id id)
{
	mul_rows(m, quant_by_id(id));
}

#define DECODED(X) \
	X(Q4_0) X(Q4_1) X(Q5_0) X(Q5_1) X(Q8_0) X(Q2_K) X(Q3_K) X(Q4_K) X(Q5_K) X(Q6_K) X(IQ4_NL) X(IQ4_XS) \
	X(TQ1_0) X(TQ2_0) X(I2_S)
#define DECODED_FN(id) \
	static void mul_##id(const struct kern_mul *m) \
	{ \
		mul_decoded(m, QUANT_##id); \
	}
DECODED(DECODED_FN)

static void float_init(struct kern *k)
{
#define DECODED_SET(id) k->type[QUANT_##id].mul_f32 = mul_##id;
	k->type[QUANT_F32].mul = k->type[QUANT_F32].mul_f32 = mul_F32;
	DECODED(DECODED_SET)
}

#endif
