/*
 * Products with activations as they are: F32, F16 and BF16 weights, and every other type
 * decoded. One engine for all instruction sets: a set brings vectors of ROWS floats, a lane
 * for each row of a panel (kern_pack.h: ROWS weights side by side, k after k), and how many
 * registers a tile takes.
 * An output is one chain in the order of k,
 *
 *	acc = fma(w, x, acc)
 *
 * so all of them give the same bits.
 *
 * Few tokens (a decode) meet weights as they are loaded, several panels at a time, for a lone
 * chain would wait for itself. For many, pieces of PANELS panels are unpacked into the L1
 * cache as floats, and tiles of tokens walk over them:
 *
 *	            piece: PIECE k            tile: PANELS × TILE outputs in registers
 *	         ┌──────────────────┐
 *	panel 0  │ w[0] … w[k-1]    │   ×   TILE tokens, broadcast
 *	   …     │                  │
 *	         └──────────────────┘
 */
#ifndef ENGINE_KERNELS_KERN_FLOAT_H
#define ENGINE_KERNELS_KERN_FLOAT_H

#include "engine/kernels/kern_inline.h"
#include "engine/kernels/kern_pack.h"

#include <stdbool.h>

enum {
	PIECE = 128, DECODED_PIECE = 256,	/* k unpacked at a time; whole blocks of every type */
	FEW = 8,
	LONE = 8,			/* panels that a lone token takes at a time */
	TILES = 24,			/* tokens: whole tiles */
	MANY = 11 * TILES,		/* most tokens between two unpackings of a piece */
	L2_FLOATS = 256 * 1024,		/* their activations stay in the L2 cache meanwhile */
	AHEAD = 2048,			/* bytes of a panel fetched ahead in a decode */
};

/* ROWS weights. */
typedef vecf load_fn(const uint8_t *p);
INLINE vecf load_f32(const uint8_t *p);
INLINE vecf load_f16(const uint8_t *p);
INLINE vecf load_bf16(const uint8_t *p);
/* x times w, added. */
INLINE vecf vf_fma_at(const float *x, vecf w, vecf acc);
INLINE vecf vf_zero(void);
/* Lanes from … to-1. */
INLINE void vf_store_lanes(float *p, vecf v, int from, int to);

struct weights {
	enum quant_id id;
	int bytes;		/* a weight, where it is read from */
	load_fn *load;
	bool decode;		/* into floats, first */
	int64_t piece;
};

/* A panel, which of its rows are wanted, and where their outputs go. */
struct panel { int64_t row; const uint8_t *w; int from, to; float *y; };

/* Panel i of those from row r on; one that is not there is the last one, unseen. */
INLINE struct panel panel_at(const struct kern_mul *m, int64_t r, int i)
{
	const int64_t last = r + (m->r1 - 1 - r) / ROWS * ROWS, at = r + i * ROWS < last ? r + i * ROWS : last;
	const int rows = m->r1 - at < ROWS ? (int)(m->r1 - at) : ROWS;
	const bool there = r + i * ROWS < m->r1;

	return (struct panel){
		.row = at, .w = (const uint8_t *)m->w + (m->panel ? at / ROWS : at) * m->w_stride,
		.from = m->r0 > at ? (int)(m->r0 - at) : 0, .to = there ? rows : 0, .y = m->y + at - m->y0,
	};
}

/* k values of a panel from k0 on: where they lie, or put together in buf. */
INLINE const uint8_t *panel_piece(const struct kern_mul *m, const struct panel *p, const struct weights t, int64_t k0,
				  int64_t k, uint8_t *buf)
{
	const int rows = p->to ? p->to : 1;
	float row[DECODED_PIECE], *out = (float *)(void *)buf;

	if (t.decode) {
		for (int i = 0; i < rows; i++) {
			kern_decode(quant_by_id(t.id), m->w, m->w_stride, m->panel, m->a->k, p->row + i, k0, k, row);
			for (int64_t b = 0; b < k; b++)
				out[b * ROWS + i] = row[b];
		}
		return buf;
	}
	if (m->panel)
		return p->w + k0 * t.bytes * ROWS;
	kern_pack(quant_by_id(t.id), ROWS, p->w + k0 * t.bytes, m->w_stride, rows, k, buf);
	return buf;
}

/* n tokens from the first on, of which the last may stand there more than once. */
INLINE void panels_few(const struct kern_mul *m, const struct weights t, int64_t r, int panels, int n)
{
	const int64_t k = m->a->k;
	_Alignas(64) uint8_t buf[LONE][DECODED_PIECE * ROWS * 4];
	const float *x[FEW];
	struct panel p[LONE];
	vecf acc[LONE][FEW];

	UNROLL
	for (int j = 0; j < n; j++)
		x[j] = m->a->x + (j < m->a->t ? j : m->a->t - 1) * k;
	UNROLL
	for (int i = 0; i < panels; i++) {
		p[i] = panel_at(m, r, i);
		UNROLL
		for (int j = 0; j < n; j++)
			acc[i][j] = vf_zero();
	}
	for (int64_t at = 0; at < k; at += t.piece) {
		const int64_t some = k - at < t.piece ? k - at : t.piece;
		const uint8_t *w[LONE];

		UNROLL
		for (int i = 0; i < panels; i++)
			w[i] = panel_piece(m, &p[i], t, at, some, buf[i]);
		for (int64_t b = 0; b < some; b++)
			UNROLL
			for (int i = 0; i < panels; i++) {
				const uint8_t *from = w[i] + b * t.bytes * ROWS;
				const vecf u = t.load(from);

				__builtin_prefetch(from + AHEAD);
				UNROLL
				for (int j = 0; j < n; j++)
					acc[i][j] = vf_fma_at(x[j] + at + b, u, acc[i][j]);
			}
	}
	UNROLL
	for (int i = 0; i < panels; i++)
		UNROLL
		for (int j = 0; j < n; j++)
			if (j < m->a->t)
				vf_store_lanes(p[i].y + j * m->ldy, acc[i][j], p[i].from, p[i].to);
}

/* n tokens from t on, of which those from `last` on are the last one again; acc: theirs, [token][panel]. */
INLINE void piece_tile(const struct kern_mul *m, const vecf w[DECODED_PIECE][PANELS], int64_t k0, int64_t k, int64_t t,
		       int64_t last, int n, vecf *out)
{
	const float *x[TILE];
	vecf acc[TILE][PANELS];

	UNROLL
	for (int j = 0; j < n; j++) {
		x[j] = m->a->x + (t + j < last ? t + j : last - 1) * m->a->k + k0;
		UNROLL
		for (int i = 0; i < PANELS; i++)
			acc[j][i] = k0 ? out[j * PANELS + i] : vf_zero();
	}
	for (int64_t b = 0; b < k; b++)
		UNROLL
		for (int j = 0; j < n; j++)
			UNROLL
			for (int i = 0; i < PANELS; i++)
				acc[j][i] = vf_fma_at(x[j] + b, w[b][i], acc[j][i]);
	UNROLL
	for (int j = 0; j < n; j++)
		UNROLL
		for (int i = 0; i < PANELS; i++)
			out[j * PANELS + i] = acc[j][i];
}

/* Tokens t0 … t1-1, at most MANY. */
INLINE void panels_many(const struct kern_mul *m, const struct weights t, int64_t r, int64_t t0, int64_t t1)
{
	_Alignas(64) uint8_t buf[DECODED_PIECE * ROWS * 4];
	vecf out[(MANY + TILE) * PANELS], w[DECODED_PIECE][PANELS];
	struct panel p[PANELS];
	int64_t j, k;

	for (int i = 0; i < PANELS; i++)
		p[i] = panel_at(m, r, i);
	for (int64_t k0 = 0; k0 < m->a->k; k0 += k) {
		k = m->a->k - k0 < t.piece ? m->a->k - k0 : t.piece;
		for (int i = 0; i < PANELS; i++) {
			const uint8_t *from = panel_piece(m, &p[i], t, k0, k, buf);

			for (int64_t b = 0; b < k; b++)
				w[b][i] = t.load(from + b * t.bytes * ROWS);
		}
		for (j = t0; t1 - j > 1; j += TILE)
			piece_tile(m, w, k0, k, j, t1, TILE, out + (j - t0) * PANELS);
		if (j < t1)
			piece_tile(m, w, k0, k, j, t1, 1, out + (j - t0) * PANELS);
	}
	for (j = t0; j < t1; j++)
		for (int i = 0; i < PANELS; i++)
			vf_store_lanes(p[i].y + j * m->ldy, out[(j - t0) * PANELS + i], p[i].from, p[i].to);
}

/* Tokens taken together: equal parts of all, whole tiles. */
INLINE int64_t tokens_step(int64_t tokens, int64_t k)
{
	const int64_t fit = L2_FLOATS / k < 2 * TILES ? 2 * TILES : L2_FLOATS / k < MANY ? L2_FLOATS / k : MANY;
	const int64_t parts = (tokens + fit - 1) / fit;

	return (tokens + parts * TILES - 1) / (parts * TILES) * TILES;
}

INLINE void mul_rows(const struct kern_mul *m, const struct weights t)
{
	const int64_t step = tokens_step(m->a->t, m->a->k);
	const int64_t first = m->panel ? m->r0 / ROWS * ROWS : m->r0;

	for (int64_t r = first; r < m->r1 && m->a->t == 1; r += LONE * ROWS)
		panels_few(m, t, r, LONE, 1);
	for (int64_t r = first; r < m->r1 && m->a->t == 2; r += LONE / 2 * ROWS)
		panels_few(m, t, r, LONE / 2, 2);
	for (int64_t r = first; r < m->r1 && m->a->t > 2 && m->a->t <= 4; r += 2 * ROWS)
		panels_few(m, t, r, 2, 4);
	for (int64_t r = first; r < m->r1 && m->a->t > 4 && m->a->t <= FEW; r += ROWS)
		panels_few(m, t, r, 1, FEW);
	for (int64_t j = 0; j < m->a->t && m->a->t > FEW; j += step)
		for (int64_t r = first; r < m->r1; r += PANELS * ROWS)
			panels_many(m, t, r, j, m->a->t - j < step ? m->a->t : j + step);
}

#define FLOATS(X) X(F32, 4, load_f32) X(F16, 2, load_f16) X(BF16, 2, load_bf16)
#define DECODED(X) \
	X(Q4_0) X(Q4_1) X(Q5_0) X(Q5_1) X(Q8_0) X(Q2_K) X(Q3_K) X(Q4_K) X(Q5_K) X(Q6_K) X(IQ4_NL) X(IQ4_XS) \
	X(TQ1_0) X(TQ2_0) X(I2_S)
#define FLOAT_FN(id, bytes, load) \
	static void mul_##id(const struct kern_mul *m) \
	{ \
		mul_rows(m, (struct weights){ QUANT_##id, bytes, load, false, PIECE }); \
	}

FLOATS(FLOAT_FN)

static void mul_decoded(const struct kern_mul *m, enum quant_id id)
{
	mul_rows(m, (struct weights){ id, 4, load_f32, true, DECODED_PIECE });
}

#define DECODED_FN(id) \
	static void mul_##id(const struct kern_mul *m) \
	{ \
		mul_decoded(m, QUANT_##id); \
	}
DECODED(DECODED_FN)

static void float_init(struct kern *k)
{
#define FLOAT_SET(id, bytes, load) k->type[QUANT_##id].mul = k->type[QUANT_##id].mul_f32 = mul_##id;
#define DECODED_SET(id) k->type[QUANT_##id].mul_f32 = mul_##id;
	FLOATS(FLOAT_SET)
	DECODED(DECODED_SET)
}

#endif
