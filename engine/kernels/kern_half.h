/*
 * Products of F16 and BF16 weights with activations as they are: one engine for all
 * instruction sets. A set brings vectors of ROWS floats, a lane for each row of a panel
 * (kern_pack.h: ROWS halves side by side, k after k), and how many registers a tile takes.
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
 *	            piece: 128 k              tile: PANELS × TILE outputs in registers
 *	         ┌──────────────────┐
 *	panel 0  │ w[0] … w[127]    │   ×   TILE tokens, broadcast
 *	   …     │                  │
 *	         └──────────────────┘
 */
#ifndef ENGINE_KERNELS_KERN_HALF_H
#define ENGINE_KERNELS_KERN_HALF_H

#include "engine/kernels/kern_inline.h"
#include "engine/kernels/kern_pack.h"

#include <stdbool.h>

enum {
	PIECE = 128,
	FEW = 8,
	LONE = 8,			/* panels that a lone token takes at a time */
	TILES = 24,			/* tokens: whole tiles */
	MANY = 11 * TILES,		/* most tokens between two unpackings of a piece */
	L2_FLOATS = 256 * 1024,		/* their activations stay in the L2 cache meanwhile */
	AHEAD = 2048,			/* bytes of a panel fetched ahead in a decode */
	KEY = 2 * ROWS,			/* bytes of a panel's k */
};

typedef vecf load_fn(const uint8_t *p);
/* x times w, added. */
INLINE vecf vf_fma_at(const float *x, vecf w, vecf acc);
INLINE vecf vf_zero(void);
/* Lanes from … to-1. */
INLINE void vf_store_lanes(float *p, vecf v, int from, int to);

/* A panel, which of its rows are wanted, and where their outputs go. */
struct panel { const uint8_t *w; int from, to; float *y; };

/* Panel i of those from row r on; one that is not there is the last one, unseen. */
INLINE struct panel panel_at(const struct kern_mul *m, int64_t r, int i)
{
	const int64_t last = r + (m->r1 - 1 - r) / ROWS * ROWS, at = r + i * ROWS < last ? r + i * ROWS : last;
	const int rows = m->r1 - at < ROWS ? (int)(m->r1 - at) : ROWS;
	const bool there = r + i * ROWS < m->r1;

	return (struct panel){
		.w = (const uint8_t *)m->w + (m->panel ? at / ROWS : at) * m->w_stride,
		.from = m->r0 > at ? (int)(m->r0 - at) : 0, .to = there ? rows : 0, .y = m->y + at,
	};
}

/* k values of a panel from k0 on: where they lie, or put together in buf from a file's rows. */
INLINE const uint8_t *panel_piece(const struct kern_mul *m, const struct panel *p, enum quant_id id, int64_t k0,
				  int64_t k, uint8_t *buf)
{
	if (m->panel)
		return p->w + k0 * KEY;
	kern_pack(quant_by_id(id), ROWS, p->w + 2 * k0, m->w_stride, p->to ? p->to : 1, k, buf);
	return buf;
}

/* n tokens from the first on, of which the last may stand there more than once. */
INLINE void panels_few(const struct kern_mul *m, enum quant_id id, load_fn *load, int64_t r, int panels, int n)
{
	const int64_t k = m->a->k;
	_Alignas(64) uint8_t buf[LONE][PIECE * KEY];
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
	for (int64_t at = 0; at < k; at += PIECE) {
		const int64_t some = k - at < PIECE ? k - at : PIECE;
		const uint8_t *w[LONE];

		UNROLL
		for (int i = 0; i < panels; i++)
			w[i] = panel_piece(m, &p[i], id, at, some, buf[i]);
		for (int64_t b = 0; b < some; b++)
			UNROLL
			for (int i = 0; i < panels; i++) {
				const vecf u = load(w[i] + b * KEY);

				__builtin_prefetch(w[i] + b * KEY + AHEAD);
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
INLINE void piece_tile(const struct kern_mul *m, const vecf w[PIECE][PANELS], int64_t k0, int64_t k, int64_t t,
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
INLINE void panels_many(const struct kern_mul *m, enum quant_id id, load_fn *load, int64_t r, int64_t t0, int64_t t1)
{
	_Alignas(64) uint8_t buf[PIECE * KEY];
	vecf out[(MANY + TILE) * PANELS], w[PIECE][PANELS];
	struct panel p[PANELS];
	int64_t t, k;

	for (int i = 0; i < PANELS; i++)
		p[i] = panel_at(m, r, i);
	for (int64_t k0 = 0; k0 < m->a->k; k0 += k) {
		k = m->a->k - k0 < PIECE ? m->a->k - k0 : PIECE;
		for (int i = 0; i < PANELS; i++) {
			const uint8_t *from = panel_piece(m, &p[i], id, k0, k, buf);

			for (int64_t b = 0; b < k; b++)
				w[b][i] = load(from + b * KEY);
		}
		for (t = t0; t1 - t > 1; t += TILE)
			piece_tile(m, w, k0, k, t, t1, TILE, out + (t - t0) * PANELS);
		if (t < t1)
			piece_tile(m, w, k0, k, t, t1, 1, out + (t - t0) * PANELS);
	}
	for (t = t0; t < t1; t++)
		for (int i = 0; i < PANELS; i++)
			vf_store_lanes(p[i].y + t * m->ldy, out[(t - t0) * PANELS + i], p[i].from, p[i].to);
}

/* Tokens taken together: equal parts of all, whole tiles. */
INLINE int64_t tokens_step(int64_t tokens, int64_t k)
{
	const int64_t fit = L2_FLOATS / k < 2 * TILES ? 2 * TILES : L2_FLOATS / k < MANY ? L2_FLOATS / k : MANY;
	const int64_t parts = (tokens + fit - 1) / fit;

	return (tokens + parts * TILES - 1) / (parts * TILES) * TILES;
}

INLINE void mul_rows(const struct kern_mul *m, enum quant_id id, load_fn *load)
{
	const int64_t step = tokens_step(m->a->t, m->a->k);
	const int64_t first = m->panel ? m->r0 / ROWS * ROWS : m->r0;

	for (int64_t r = first; r < m->r1 && m->a->t == 1; r += LONE * ROWS)
		panels_few(m, id, load, r, LONE, 1);
	for (int64_t r = first; r < m->r1 && m->a->t == 2; r += LONE / 2 * ROWS)
		panels_few(m, id, load, r, LONE / 2, 2);
	for (int64_t r = first; r < m->r1 && m->a->t > 2 && m->a->t <= 4; r += 2 * ROWS)
		panels_few(m, id, load, r, 2, 4);
	for (int64_t r = first; r < m->r1 && m->a->t > 4 && m->a->t <= FEW; r += ROWS)
		panels_few(m, id, load, r, 1, FEW);
	for (int64_t t = 0; t < m->a->t && m->a->t > FEW; t += step)
		for (int64_t r = first; r < m->r1; r += PANELS * ROWS)
			panels_many(m, id, load, r, t, m->a->t - t < step ? m->a->t : t + step);
}

INLINE vecf load_f16(const uint8_t *p);
INLINE vecf load_bf16(const uint8_t *p);

static void mul_F16(const struct kern_mul *m)
{
	mul_rows(m, QUANT_F16, load_f16);
}

static void mul_BF16(const struct kern_mul *m)
{
	mul_rows(m, QUANT_BF16, load_bf16);
}

static void half_init(struct kern *k)
{
	k->type[QUANT_F16].mul = k->type[QUANT_F16].mul_f32 = mul_F16;
	k->type[QUANT_BF16].mul = k->type[QUANT_BF16].mul_f32 = mul_BF16;
}

#endif
