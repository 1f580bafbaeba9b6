/*
 * Where blocks of 32 weights come from, for all block types and all instruction sets: panels
 * of packed rows, or a file's rows packed on the way, unpacked block by block. A type brings a
 * loader and the constants of struct form (kern_plain.h and kern_super.h), an instruction set
 * brings vectors (kern_avx2_block.h is one) and adjust(). Everything is inlined into one
 * function a type.
 *
 * A panel is ROWS rows, as many as a vector has lanes (kern_pack.h). A block of 32 k is
 * eight vectors; vector j holds the four weights k = 4j … 4j+3 of row i in its lane i. Where
 * many tokens meet the same weights, pieces of PANELS panels are unpacked into the L1 cache:
 *
 *	            piece: 16 blocks of k
 *	         ┌──────────────────────┐
 *	panel 0  │ w[0][0] … w[0][15]   │
 *	panel 1  │ w[1][0] … w[1][15]   │
 *	         └──────────────────────┘
 */
#ifndef ENGINE_KERNELS_KERN_PIECE_H
#define ENGINE_KERNELS_KERN_PIECE_H

#include "engine/kernels/kern_pack.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	GROUP = KERN_ACT_BLOCK,
	PIECE = 16,		/* blocks unpacked at a time */
	SUBS = 8,		/* blocks of 32 in a super-block */
	L2_BYTES = 1 << 20,	/* activations that stay in the L2 cache beside the rest */
};

struct block {
	vec w[8];
	vecf d, m, lift;	/* lift: the instruction set's own, from adjust() */
	vec_scale sc[2];	/* per half block, where the form has them */
	vec mn;			/* int16 in pairs, the same */
};

struct form {
	enum quant_id id;
	int per;		/* blocks of 32 in one of the file's: 1 … SUBS */
	int words;		/* of four bytes in one of the file's */
	int max;		/* largest weight before the offset */
	int offset;		/* each weight is w - offset */
	bool sign;		/* weights are int8 instead */
	bool min;		/* there are minimums m */
	bool scale;		/* there are integer scales sc and, with min, mn */
	bool fold;		/* and a weight times its scale fits a byte, for sets that want it so */
};

/* One of the file's blocks of ROWS rows: its words, its halves. */
struct source { const uint8_t *w, *h; };

/* Block i of 32 in one of the file's. What several of them have in common the compiler finds. */
typedef void load_fn(const struct source *s, int i, struct block *o);

/* What an instruction set wants of a block's weights beyond what loaders give. */
INLINE void adjust(const struct form f, struct block *w);

/* -- where weights come from ------------------------------------------------------------ */

/* Word i of each row of the block, and of four words from i on. */
INLINE vec load_word(const struct source *s, int i)
{
	return v_load(s->w + (ptrdiff_t)i * 4 * ROWS);
}

INLINE void load_words(const struct source *s, int i, vec o[4])
{
	UNROLL
	for (int j = 0; j < 4; j++)
		o[j] = load_word(s, i + j);
}

/* The half of each row as a float. */
INLINE vecf load_half(const struct source *s)
{
	return vf_load_halves(s->h);
}

/* A panel: the rows of it that are wanted, and where their outputs go. */
struct panel {
	const uint8_t *w;
	int rows;		/* that are there: of a file's rows, fewer than ROWS at the end of a matrix */
	float *y;
	vec_mask mask;
};

enum { PIECE_BYTES = PIECE * GROUP / 32 * 36 * ROWS };	/* Q8_0 takes the most: 34 a row's block, and whole lines */

/* Blocks b … b+n-1 of 32: in the panel, or put together in buf from a file's rows. */
INLINE struct source piece_source(const struct kern_mul *m, const struct panel *p, const struct form f, int64_t b,
				  int64_t n, uint8_t *buf)
{
	const int64_t blocks = m->a->k / GROUP / f.per, at = b / f.per;
	const struct quant_type *t;

	if (m->panel)
		return (struct source){ p->w + at * f.words * 4 * ROWS, p->w + (blocks * f.words * 4 + at * 2) * ROWS };
	t = quant_by_id(f.id);
	kern_pack(t, ROWS, p->w + at * t->bytes, m->w_stride, p->rows, n * GROUP, buf);
	return (struct source){ buf, buf + n / f.per * f.words * 4 * ROWS };
}

INLINE void next_block(const struct form f, struct source *s)
{
	s->w += (ptrdiff_t)f.words * 4 * ROWS;
	s->h += 2 * ROWS;
}

/* -- pieces ----------------------------------------------------------------------------- */

struct piece {
	struct block w[PANELS][PIECE];
	int64_t b, n;		/* first block of the row, how many */
};

INLINE void unpack_piece(const struct kern_mul *m, const struct panel *p, const struct form f, load_fn *load,
			 struct piece *c)
{
	_Alignas(64) uint8_t buf[PIECE_BYTES];

	for (int i = 0; i < PANELS; i++) {
		struct source s = piece_source(m, p + i, f, c->b, c->n, buf);

		for (int64_t b = 0; b < c->n; b += f.per) {
			UNROLL
			for (int j = 0; j < f.per; j++) {
				load(&s, j, &c->w[i][b + j]);
				adjust(f, &c->w[i][b + j]);
			}
			next_block(f, &s);
		}
	}
}

/* Where the weights of the piece behind c begin, or of the rows behind p: fetched while tiles are walked over. */
struct ahead { const uint8_t *at[PANELS]; int64_t lines, next; };

INLINE struct ahead ahead_of(const struct kern_mul *m, const struct panel *p, const struct form f, const struct piece *c)
{
	const int64_t blocks = m->a->k / GROUP, b = c->b + c->n < blocks ? c->b + c->n : 0;
	const int64_t n = b && blocks - b < c->n ? blocks - b : c->n;
	struct ahead a = { .lines = m->panel ? n / f.per * f.words * 4 * ROWS / 64 : 0 };

	for (int i = 0; i < PANELS; i++)
		a.at[i] = p[i].w + (b ? b / f.per * f.words * 4 * ROWS : PANELS * m->w_stride);
	return a;
}

/* What is due when `done` of `all` tokens are. */
INLINE void fetch_ahead(struct ahead *a, int64_t done, int64_t all)
{
	for (const int64_t due = a->lines * done / all; a->next < due; a->next++)
		for (int i = 0; i < PANELS; i++)
			__builtin_prefetch(a->at[i] + a->next * 64, 0, 2);
}

/* Blocks of a piece: equal parts of a row, for a short one costs nearly as much as a long one. */
INLINE int64_t piece_blocks(const struct form f, int64_t blocks)
{
	const int64_t parts = (blocks + PIECE - 1) / PIECE;

	return (blocks + parts * f.per - 1) / (parts * f.per) * f.per;
}

/* The panel that begins at row r, of which rows r0 … r1-1 are wanted. */
INLINE struct panel panel_at(const struct kern_mul *m, int64_t r)
{
	const int64_t left = m->r1 - r;

	return (struct panel){
		.w = (const uint8_t *)m->w + (m->panel ? r / ROWS : r) * m->w_stride,
		.rows = left < ROWS ? (int)left : ROWS, .y = m->y + r - m->y0,
		.mask = v_mask(m->r0 > r ? (int)(m->r0 - r) : 0, left < ROWS ? (int)left : ROWS),
	};
}

/* PANELS of them; for one that is not there the last one again, unseen. */
INLINE void panels_at(const struct kern_mul *m, int64_t r, struct panel p[PANELS])
{
	p[0] = panel_at(m, r);
	for (int i = 1; i < PANELS; i++) {
		const bool there = r + i * ROWS < m->r1;

		p[i] = there ? panel_at(m, r + i * ROWS) : p[i - 1];
		if (!there)
			p[i].mask = v_mask(0, 0);
	}
}

#endif
