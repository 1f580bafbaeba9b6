/*
 * Products of quantized weights with int8 activations: one engine for all block types and
 * all instruction sets. What kern_piece.h tells of brings the weights, an instruction set
 * brings mul_block() and what is declared around it, and this file walks over rows and tokens.
 *
 * The four weights of a row in a vector's lane (kern_piece.h) meet four activations that are
 * broadcast, so that every lane sums its own row: nothing is added across lanes. The integer
 * sum of a block is exact in whatever order; in floats, each output is
 *
 *	acc = fma(u, dx, acc),  u = d · sum  or  fma(m, Σ x, d · sum)
 *
 * where sum is that of both halves, or made from theirs by their scales, block after block.
 * Few tokens (FEW, a decode) meet blocks as they are loaded, a panel at a time, so that weights
 * are read once and never stored. For many (a prefill), pieces are unpacked, and tiles of tokens
 * walk over them: PANELS × T outputs in registers, beside them as many integer sums.
 *
 * Outputs lie in a buffer of their own between pieces (the rows of y are often a power of
 * two apart, and would fight for the same lines of the cache). All of this does the same to
 * an output, in the same order.
 */
#ifndef ENGINE_KERNELS_KERN_BLOCK_H
#define ENGINE_KERNELS_KERN_BLOCK_H

#include "engine/kernels/kern_piece.h"

enum {
	TILES = 24,		/* a whole number of any set's tiles */
	MANY = 11 * TILES,	/* most tokens between two unpackings of a piece */
	AHEAD = 2048,		/* bytes fetched ahead in a decode, beyond the block at hand */
};

/* What a block's sum begins with, or its minimum is multiplied with, where that needs no integer scales. */
union start {
	int32_t offset;		/* -offset · Σ x */
	float sum;		/* Σ x */
};

/* What one token brings to a piece; a token's rest (kern.h) counts as a token of its own here. */
struct token {
	const int8_t *q;
	const float *d;
	const int16_t *sum;
	const union start *start;	/* NULL: not worth it */
};

/*
 * Block w of n_panels panels, PIECE blocks from one to the next, times block b of each of n
 * tokens, into acc[panel][token]: the instruction set's part.
 */
INLINE void mul_block(const struct form f, const struct block *w, int n_panels, const struct token *x, int64_t b, int n,
		      vecf acc[PANELS][TILE]);
/* How many tokens make a tile: most of TILE that leaves registers for the form. */
INLINE int tile_tokens(const struct form f);
/* Where mul_block() wants signed weights otherwise than loaders give them: the form, as adjust() does the weights. */
INLINE struct form adjust_form(struct form f);
/* Starts of n ≤ PIECE blocks from pairs of sums: start_each(), or something faster; of halves at o and o + PIECE. */
INLINE bool start_wanted(const struct form f);
INLINE void start_fill(const struct form f, union start *o, const int16_t *sum, int64_t n);

INLINE void start_each(const struct form f, union start *o, const int16_t *sum, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		const int s = sum[2 * i] + sum[2 * i + 1];

		if (f.min)
			o[i].sum = (float)s;
		else
			o[i].offset = -f.offset * s;
	}
}

/* -- tokens ----------------------------------------------------------------------------- */

INLINE int64_t tokens_of(const struct kern_mul *m)
{
	return m->rest ? 2 * m->a->t : m->a->t;
}

INLINE struct token token_at(const struct kern_mul *m, int64_t t, int64_t b)
{
	const struct kern_acts *a = m->rest && t % 2 ? m->rest : m->a;
	const int64_t i = (m->rest ? t / 2 : t) * (a->k / GROUP) + b;

	return (struct token){ a->q + i * GROUP, a->d + i, a->sum + 2 * i, NULL };
}

/* Starts of n blocks from x on, where the form wants them. */
INLINE void begin_piece(const struct form f, struct token *x, union start *start, int64_t n)
{
	if (start_wanted(f)) {
		start_fill(f, start, x->sum, n);
		x->start = start;
	}
}

/* -- few tokens ------------------------------------------------------------------------- */

/*
 * What a decode fetches into the L2 cache while it multiplies block `at` of the file's: the words AHEAD bytes
 * behind it, behind the last one those of the next panel, and the halves of the next panel, which are wanted
 * together with its first words.
 */
struct fetch { const uint8_t *w, *h; };

INLINE struct fetch fetch_of(const struct kern_mul *m, const struct panel *p, const struct form f, int64_t at)
{
	const int64_t blocks = m->a->k / GROUP / f.per, bytes = (int64_t)f.words * 4 * ROWS, words = blocks * bytes;
	const int64_t after = (at + 1) * bytes + AHEAD, others = m->w_stride - words;
	const bool halves = others >= blocks * 2 * ROWS;

	return (struct fetch){ p->w + after + (after < words ? 0 : others),
			       halves ? p->w + m->w_stride + words + at * 2 * ROWS : NULL };
}

/* Block j's share of it: fetched at once it would take all the buffers that the lines wanted now arrive in. */
INLINE void fetch_part(const struct form f, const struct fetch *t, int j)
{
	const int lines = (f.words * 4 * ROWS + 63) / 64;

	if (!j && t->h)
		__builtin_prefetch(t->h, 0, 2);
	for (int i = lines * j / f.per; i < lines * (j + 1) / f.per; i++)
		__builtin_prefetch(t->w + i * 64, 0, 2);
}

/*
 * The file's block s, blocks b … of a piece. For a token or two each is multiplied as it is loaded, from registers;
 * more of them need the registers themselves.
 */
INLINE void source_few(const struct source *s, const struct fetch *t, const struct form f, load_fn *load,
		       const struct token *x, int64_t b, int n, vecf acc[PANELS][TILE])
{
	struct block w[SUBS];

	UNROLL
	for (int j = 0; j < f.per; j++) {
		load(s, j, w + j);
		adjust(f, w + j);
		if (n > 2)
			continue;
		fetch_part(f, t, j);
		KEEP_ORDER;
		mul_block(f, w + j, 1, x, b + j, n, acc);
	}
	for (int j = 0; j < f.per && n > 2; j++) {
		fetch_part(f, t, j);
		mul_block(f, w + j, 1, x, b + j, n, acc);
	}
}

/* n tokens, of which the last may stand there more than once. */
INLINE void panel_few(const struct kern_mul *m, const struct panel *p, const struct form f, load_fn *load, int n)
{
	const int64_t blocks = m->a->k / GROUP, t = tokens_of(m);
	union start start[TILE][2 * PIECE];
	struct token x[TILE];
	vecf acc[PANELS][TILE];
	_Alignas(64) uint8_t buf[PIECE_BYTES];

	UNROLL
	for (int i = 0; i < n; i++)
		acc[0][i] = vf_zero();
	for (int64_t b = 0; b < blocks; b += PIECE) {
		const int64_t some = blocks - b < PIECE ? blocks - b : PIECE;
		struct source s = piece_source(m, p, f, b, some, buf);

		UNROLL
		for (int i = 0; i < n; i++) {
			x[i] = token_at(m, i < t ? i : t - 1, b);
			begin_piece(f, x + i, start[i], some);
		}
		for (int64_t i = 0; i < some; i += f.per) {
			const struct fetch ahead = fetch_of(m, p, f, (b + i) / f.per);

			source_few(&s, &ahead, f, load, x, i, n, acc);
			next_block(f, &s);
		}
	}
	if (!m->rest) {
		UNROLL
		for (int i = 0; i < n; i++)
			if (i < t)
				vf_store(p->y + i * m->ldy, p->mask, acc[0][i]);
		return;
	}
	UNROLL
	for (int i = 0; i + 1 < n; i += 2)
		if (i < t)
			vf_store(p->y + i / 2 * m->ldy, p->mask, vf_add(acc[0][i], acc[0][i + 1]));
}

INLINE void panels_few(const struct kern_mul *m, const struct panel *p, const struct form f, load_fn *load)
{
	const int64_t t = tokens_of(m);

	if (t == 1)
		panel_few(m, p, f, load, 1);
	else if (t == 2)
		panel_few(m, p, f, load, 2);
	else if (t <= 4)
		panel_few(m, p, f, load, 4);
	else
		panel_few(m, p, f, load, FEW);
}

/* -- many tokens ------------------------------------------------------------------------ */

/* n tokens; out: their outputs, of all panels. */
INLINE void piece_tile(const struct piece *c, const struct form f, const struct token *tokens, int n, vecf *out)
{
	union start start[TILE][2 * PIECE];
	struct token x[TILE];
	vecf acc[PANELS][TILE];

	UNROLL
	for (int i = 0; i < n; i++) {
		x[i] = (struct token){ tokens[i].q + c->b * GROUP, tokens[i].d + c->b, tokens[i].sum + 2 * c->b, NULL };
		begin_piece(f, x + i, start[i], c->n);
		UNROLL
		for (int p = 0; p < PANELS; p++)
			acc[p][i] = c->b ? out[i * PANELS + p] : vf_zero();
	}
	for (int64_t i = 0; i < c->n; i++)
		mul_block(f, &c->w[0][i], PANELS, x, i, n, acc);
	UNROLL
	for (int i = 0; i < n; i++)
		UNROLL
		for (int p = 0; p < PANELS; p++)
			out[i * PANELS + p] = acc[p][i];
}

/* A panel's outputs of tokens t0 … t1-1, whole pairs where there is a rest. */
INLINE void put(const struct kern_mul *m, const struct panel *p, int64_t t0, int64_t t1, const vecf *v)
{
	if (!m->rest)
		for (int64_t t = t0; t < t1; t++, v += PANELS)
			vf_store(p->y + t * m->ldy, p->mask, *v);
	else
		for (int64_t t = t0; t < t1; t += 2, v += 2 * PANELS)
			vf_store(p->y + t / 2 * m->ldy, p->mask, vf_add(v[0], v[PANELS]));
}

/* Tokens t0 … t1-1, at most MANY: x[0] is t0, and what comes after the last one is the last one again. */
INLINE void panels_many(const struct kern_mul *m, const struct panel *p, const struct form f, load_fn *load,
			const struct token *x, int64_t t0, int64_t t1)
{
	const int64_t blocks = m->a->k / GROUP, most = piece_blocks(f, blocks);
	const int tile = tile_tokens(f);
	vecf out[(MANY + TILE) * PANELS];
	struct piece c;

	for (c.b = 0; c.b < blocks; c.b += most) {
		struct ahead ahead;
		int64_t ready = t0;

		c.n = blocks - c.b < most ? blocks - c.b : most;
		unpack_piece(m, p, f, load, &c);
		ahead = ahead_of(m, p, f, &c);
		for (int64_t t = t0; t < t1; t += tile) {
			const int64_t end = t1 - t < tile ? t1 : t + tile, from = ready;

			if (end - t > 2)
				piece_tile(&c, f, x + (t - t0), tile, out + (t - t0) * PANELS);
			else
				piece_tile(&c, f, x + (t - t0), 2, out + (t - t0) * PANELS);
			fetch_ahead(&ahead, end - t0, t1 - t0);
			if (c.b + c.n < blocks)
				continue;
			ready = m->rest ? end & ~INT64_C(1) : end;
			for (int i = 0; i < PANELS; i++)
				put(m, p + i, from, ready, out + (from - t0) * PANELS + i);
		}
	}
}

/* -- rows ------------------------------------------------------------------------------- */

/* Tokens taken together: equal parts of all, whole tiles, that stay in the L2 cache. */
INLINE int64_t tokens_step(int64_t tokens, int64_t k)
{
	const int64_t fit = L2_BYTES / k < TILES ? TILES : L2_BYTES / k < MANY ? L2_BYTES / k / TILES * TILES : MANY;
	const int64_t parts = (tokens + fit - 1) / fit;

	return (tokens + parts * TILES - 1) / (parts * TILES) * TILES;
}

INLINE void mul_rows(const struct kern_mul *m, const struct form f, load_fn *load)
{
	const int64_t tokens = tokens_of(m), step = tokens_step(tokens, m->a->k);
	const int64_t first = m->panel ? m->r0 / ROWS * ROWS : m->r0;
	struct panel p[PANELS];

	if (tokens <= FEW) {
		for (int64_t r = first; r < m->r1; r += ROWS) {
			p[0] = panel_at(m, r);
			panels_few(m, p, f, load);
		}
		return;
	}
	for (int64_t t = 0; t < tokens; t += step) {
		struct token x[MANY + TILE];

		for (int64_t i = 0; i < step + TILE; i++)
			x[i] = token_at(m, t + i < tokens ? t + i : tokens - 1, 0);
		for (int64_t r = first; r < m->r1; r += PANELS * ROWS) {
			panels_at(m, r, p);
			panels_many(m, p, f, load, x, t, tokens - t < step ? tokens : t + step);
		}
	}
}

/* A row of a table of types: name, loader, the members of its form. */
#define BLOCK_FN(name, load, ...) \
	static void mul_##name(const struct kern_mul *m) \
	{ \
		mul_rows(m, adjust_form((struct form){ .id = QUANT_##name, __VA_ARGS__ }), load); \
	}
#define BLOCK_SET(name, load, ...) k->type[QUANT_##name].mul = mul_##name;

#endif
