/*
 * Products of quantized weights with int8 activations: one engine for all block types and
 * all instruction sets. An instruction set brings vectors (kern_avx2_block.h is one) and
 * mul_block(); a type brings a loader and the constants of struct form (kern_plain.h and
 * kern_super.h); this file walks over rows and tokens. Everything is inlined into one
 * function a type.
 *
 * ROWS rows, as many as a vector has lanes, are taken together. A block of 32 k is eight
 * vectors; vector j holds the four weights k = 4j … 4j+3 of row i in its lane i, so that
 * four activations, broadcast, meet all rows at once and every lane sums its own row:
 * nothing is added across lanes. The integer sum of a block is exact in whatever order; in
 * floats, each output is
 *
 *	acc = fma(u, dx, acc),  u = d · sum  or  fma(m, Σ x, d · sum)
 *
 * block after block. One token loads blocks and multiplies them at once; several first
 * unpack a piece of the rows and then walk over it. Both do the same to an output.
 */
#ifndef ENGINE_KERNELS_KERN_BLOCK_H
#define ENGINE_KERNELS_KERN_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	GROUP = KERN_ACT_BLOCK,
	PIECE = 32,		/* blocks unpacked at a time: they and their tokens' activations stay in the L1 cache */
	SUBS = 8,		/* blocks of 32 in a super-block */
};

struct block {
	vec w[8];
	vecf d, m;
	vec_scale sc[2];	/* per half block, where the form has them */
	vec mn;			/* int16 in pairs, the same */
};

struct form {
	int per;		/* blocks that one load gives: 1 … SUBS */
	int bytes;		/* of those in a row */
	int max;		/* largest weight before the offset */
	int offset;		/* each weight is w - offset */
	bool sign;		/* weights are int8 instead */
	bool min;		/* there are minimums m */
	bool scale;		/* there are integer scales sc and, with min, mn */
};

/* ROWS rows, `stride` apart; p points at what is to be loaded of the first. */
typedef void load_fn(const uint8_t *p, int64_t stride, struct block *o);

/* What a block's sum begins with, or its minimum is multiplied with, where that needs no integer scales. */
union start {
	int32_t offset;		/* -offset · Σ x */
	float sum;		/* Σ x */
};

/* What one token brings to a piece. */
struct token {
	const int8_t *q;
	const float *d;
	const int16_t *sum;
	const union start *start;	/* NULL: not worth it for one */
};

/* Block w times block b of each of n tokens, into acc: the instruction set's part. */
INLINE void mul_block(const struct form f, const struct block *w, const struct token *x, int64_t b, int n, vecf *acc);
/* Where mul_block() wants signed weights otherwise than loaders give them: the form, and the weights. */
INLINE struct form adjust_form(struct form f);
INLINE void adjust(const struct form f, struct block *w);

INLINE struct token token_at(const struct kern_acts *a, int64_t t, int64_t b)
{
	const int64_t i = t * (a->k / GROUP) + b;

	return (struct token){ a->q + i * GROUP, a->d + i, a->sum + 2 * i, NULL };
}

INLINE void start_fill(const struct form f, union start *o, const int16_t *sum, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		const int s = sum[2 * i] + sum[2 * i + 1];

		if (f.min)
			o[i].sum = (float)s;
		else
			o[i].offset = -f.offset * s;
	}
}

INLINE void load_blocks(const struct form f, load_fn *load, const uint8_t *p, int64_t stride, struct block *w)
{
	load(p, stride, w);
	UNROLL
	for (int i = 0; i < f.per; i++)
		adjust(f, w + i);
}

/* ROWS rows of the matrix, of which those in `mask` are wanted. */
struct panel {
	const uint8_t *w;
	int64_t stride;
	float *y;
	vec_mask mask;
};

/* One token: blocks are loaded and multiplied at once; the next panel is fetched meanwhile. */
INLINE void panel_token(const struct kern_mul *m, const struct panel *p, const struct form f, load_fn *load)
{
	const int64_t blocks = m->a->k / GROUP;
	const struct token x = token_at(m->a, 0, 0);
	const uint8_t *ahead = p->w + ROWS * p->stride;
	vecf acc = vf_zero();
	struct block w[SUBS];

	for (int64_t b = 0; b < blocks; b += f.per) {
		load_blocks(f, load, p->w + b / f.per * f.bytes, p->stride, w);
		for (int i = 0; i < ROWS * f.bytes; i += 64)
			__builtin_prefetch(ahead + i);
		ahead += ROWS * f.bytes;
		for (int i = 0; i < f.per; i++)
			mul_block(f, w + i, &x, b + i, 1, &acc);
	}
	vf_store(p->y, p->mask, acc);
}

/* n tokens from t over n_blocks unpacked blocks, the first of which is block b of the row. */
INLINE void piece_tile(const struct kern_mul *m, const struct panel *p, const struct form f, const struct block *w,
		       int64_t b, int64_t n_blocks, int64_t t, int n)
{
	union start start[TILE][PIECE];
	struct token x[TILE];
	vecf acc[TILE];

	UNROLL
	for (int i = 0; i < n; i++) {
		x[i] = token_at(m->a, t + i, b);
		if (!f.scale && (f.offset || f.min)) {
			start_fill(f, start[i], x[i].sum, n_blocks);
			x[i].start = start[i];
		}
		acc[i] = b ? vf_load(p->y + (t + i) * m->ldy, p->mask) : vf_zero();
	}
	for (int64_t i = 0; i < n_blocks; i++)
		mul_block(f, w + i, x, i, n, acc);
	UNROLL
	for (int i = 0; i < n; i++)
		vf_store(p->y + (t + i) * m->ldy, p->mask, acc[i]);
}

INLINE void panel_tokens(const struct kern_mul *m, const struct panel *p, const struct form f, load_fn *load)
{
	const int64_t blocks = m->a->k / GROUP;
	struct block w[PIECE];

	for (int64_t b = 0; b < blocks; b += PIECE) {
		const int64_t n = blocks - b < PIECE ? blocks - b : PIECE;
		int64_t t = 0;

		for (int64_t i = 0; i < n; i += f.per)
			load_blocks(f, load, p->w + (b + i) / f.per * f.bytes, p->stride, w + i);
		for (; t + TILE <= m->a->t; t += TILE)
			piece_tile(m, p, f, w, b, n, t, TILE);
		for (; TILE > 4 && t + 4 <= m->a->t; t += 4)
			piece_tile(m, p, f, w, b, n, t, 4);
		for (; t + 2 <= m->a->t; t += 2)
			piece_tile(m, p, f, w, b, n, t, 2);
		if (t < m->a->t)
			piece_tile(m, p, f, w, b, n, t, 1);
	}
}

/*
 * The last rows of a range come as a panel that reaches back over rows before them; only
 * wanted lanes are stored. A matrix of fewer rows than lanes goes row by row.
 */
INLINE void mul_rows(const struct kern_mul *m, const struct form f, load_fn *load)
{
	int64_t r = m->r0;

	while (r < m->r1) {
		const bool single = m->r1 < ROWS;
		const int64_t base = single || m->r1 - r >= ROWS ? r : m->r1 - ROWS;
		const struct panel p = {
			(const uint8_t *)m->w + base * m->w_stride, single ? 0 : m->w_stride, m->y + base,
			single ? v_mask(0, 1) : v_mask((int)(r - base), ROWS),
		};

		if (m->a->t == 1)
			panel_token(m, &p, f, load);
		else
			panel_tokens(m, &p, f, load);
		r = single ? r + 1 : base + ROWS;
	}
}

/* A row of a table of types: name, loader, the members of its form. */
#define BLOCK_FN(name, load, ...) \
	static void mul_##name(const struct kern_mul *m) \
	{ \
		mul_rows(m, adjust_form((struct form){ __VA_ARGS__ }), load); \
	}
#define BLOCK_SET(name, load, ...) k->type[QUANT_##name].mul = mul_##name;

#endif
