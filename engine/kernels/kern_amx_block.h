/*
 * Products of many tokens with AMX: a tile of sixteen tokens times a panel of sixteen rows,
 * a block of 32 k at a time. The integers are exact in whatever order and the floats do what
 * kern_avx512vnni_block.h does, so outputs have the same bits as there.
 *
 * A tile register is up to sixteen rows of 64 bytes. With weights as signed bytes, a block's
 * eight vectors (kern_piece.h) are the second operand as they lie, and a tile of activations
 * (struct kern_acts) is the first, its rows 64 bytes apart:
 *
 *	first: 16 tokens × 32 k      second: 8 × (16 rows × 4 k)      sums: 16 tokens × 16 rows
 *	  ┌ token 0   k 0 … 31 ┐       ┌ k 0 … 3    rows 0 … 15 ┐       ┌ token 0   rows 0 … 15 ┐
 *	  │ …                  │   ×   │ …                      │   =   │ …                     │
 *	  └ token 15           ┘       └ k 28 … 31              ┘       └ token 15              ┘
 *
 * Blocks have scales of their own, so each block's sums leave by memory and meet the outputs in
 * vector registers: sixteen, one a token. Storing a tile takes as long as multiplying it; for the
 * two to overlap, block b + 2 is multiplied while b + 1 is stored and b is joined. Types with
 * scales per half block multiply and store halves.
 */
#ifndef ENGINE_KERNELS_KERN_AMX_BLOCK_H
#define ENGINE_KERNELS_KERN_AMX_BLOCK_H

enum {
	PANELS = 2,
	TILE = 16,		/* tokens */
	MANY = 16,		/* most tiles between two unpackings of a piece */
	HALVES = 2,
};

#include "engine/kernels/kern_avx512vnni_vec.h"

/* -- tiles --------------------------------------------------------------------------------- */

/* What tile registers hold: 0 … 3 sums, 4 and 5 activations, 6 and 7 weights. */
INLINE void tiles_begin(const struct form f)
{
	struct tile_config c = { .palette = 1 };
	const int k = halves_apart(f) ? GROUP / 2 : GROUP;

	for (int i = 0; i < 4; i++) {
		c.bytes[i] = 4 * ROWS;
		c.rows[i] = TILE;
	}
	for (int i = 4; i < 6; i++) {
		c.bytes[i] = (uint16_t)k;
		c.rows[i] = TILE;
		c.bytes[i + 2] = 4 * ROWS;
		c.rows[i + 2] = (uint8_t)(k / 4);
	}
	TILE_CONFIG(c);
}

/* -- a block ------------------------------------------------------------------------------- */

/* tdpbssd wants weights signed: without their offset. */
INLINE void adjust(const struct form f, struct block *w)
{
	if (f.offset) {
		UNROLL
		for (int j = 0; j < 8; j++)
			w->w[j] = v_sub8(w->w[j], v_set8(f.offset));
	}
	lift_scales(f, w);
}

/* A tile of tokens, or of their rests, from a piece's first block on, which is the first of a pair. */
struct tile {
	const int8_t *q;
	const float *d;
	const int16_t *sum;
};

/* Group g of a tile's first token; the next token's is two on. */
INLINE int64_t place(int64_t g)
{
	return g / 2 * 2 * TILE + g % 2;
}

typedef int32_t tile_sums[HALVES][TILE][ROWS];

/* What a call works with. */
struct work {
	_Alignas(64) int32_t lift[TILE][ROWS];	/* LIFT_BITS: what sums begin with, but for those of second halves */
	tile_sums sums[2];		/* on their way from tile registers: of an even block, of an odd one */
	float mins[PIECE * TILE];	/* Σ x of each token, where minimums have no scales of their own */
};

INLINE void fill_mins(struct work *k, const struct tile *x, int64_t n)
{
	for (int64_t i = 0; i < (n + 1) / 2 * 2 * TILE; i += ROWS)
		_mm512_storeu_ps(k->mins + i, v_to_float(_mm512_madd_epi16(_mm512_loadu_si512(x->sum + 2 * i),
								     _mm512_set1_epi16(1))));
}

INLINE void join(const struct form f, const struct block *w, const struct tile *x, int64_t g, const struct work *k,
		 vecf acc[TILE])
{
	UNROLL
	for (int t = 0; t < TILE; t++) {
		const int64_t at = place(g) + 2 * t;
		const vec first = _mm512_load_si512(k->sums[g % 2][0][t]);
		vecf u = _mm512_fmadd_ps(halves_apart(f) ? w->sc[0] : w->d, _mm512_castsi512_ps(first), w->lift);

		if (halves_apart(f))
			u = _mm512_fmadd_ps(w->sc[1], v_to_float(_mm512_load_si512(k->sums[g % 2][1][t])), u);
		if (f.min && f.scale)
			u = _mm512_fmadd_ps(w->m, v_to_float(_mm512_madd_epi16(broadcast_4(x->sum + 2 * at), w->mn)), u);
		else if (f.min)
			u = _mm512_fmadd_ps(w->m, _mm512_set1_ps(k->mins[at]), u);
		acc[t] = _mm512_fmadd_ps(u, _mm512_set1_ps(x->d[at]), acc[t]);
	}
}

/* -- a piece ------------------------------------------------------------------------------- */

#define MUL_PART(to, tokens, weights, from, x, half) do { \
		TILE_LOAD(tokens, (x) + (half) * GROUP / 2, 2 * GROUP, TILE * 2 * GROUP - GROUP); \
		TILE_LOAD(weights, (from)->w + 4 * (half), 4 * ROWS, 4 * 4 * ROWS); \
		TILE_MUL("tdpbssd", to, tokens, weights); \
	} while (0)

/* Sums of a block into tile registers `to` and, of its second half, `also`. */
#define MUL_BLOCK(f, k, to, also, from, x) do { \
		TILE_LOAD(to, (k)->lift, 4 * ROWS, sizeof (k)->lift); \
		MUL_PART(to, 4, 6, from, x, 0); \
		if (halves_apart(f)) { \
			TILE_ZERO(also); \
			MUL_PART(also, 5, 7, from, x, 1); \
		} \
	} while (0)
#define STORE_BLOCK(f, tile, also, s) do { \
		TILE_STORE(tile, (s)[0], 4 * ROWS, sizeof (s)[0]); \
		if (halves_apart(f)) \
			TILE_STORE(also, (s)[1], 4 * ROWS, sizeof (s)[1]); \
	} while (0)

/* A panel of a piece and a tile, which are multiplied pair of blocks by pair. */
struct unit { const struct block *w; const int8_t *q; };

/*
 * Unit u of n blocks, joined to outputs at o, PANELS from one token to the next. Before it its first two blocks
 * have been multiplied and the first one stored, as this does for the next unit.
 */
INLINE void mul_unit(const struct form f, struct work *k, const struct unit u, const struct unit next, int64_t n,
		     const struct tile *x, const int8_t *ahead, bool fresh, vecf *o)
{
	vecf acc[TILE];

	UNROLL
	for (int t = 0; t < TILE; t++)
		acc[t] = fresh ? vf_zero() : o[t * PANELS];
	for (int64_t b = 0; b < n; b += 2) {
		const struct unit then = b + 2 < n ? (struct unit){ u.w + b + 2, u.q + place(b + 2) * GROUP } : next;

		MUL_BLOCK(f, k, 0, 1, then.w, then.q);
		STORE_BLOCK(f, 2, 3, k->sums[1]);
		join(f, u.w + b, x, b, k, acc);
		UNROLL
		for (int t = 0; ahead && t < TILE; t++)
			__builtin_prefetch(ahead + place(b) * GROUP + 2 * GROUP * t);
		MUL_BLOCK(f, k, 2, 3, then.w + 1, then.q + GROUP);
		STORE_BLOCK(f, 0, 1, k->sums[0]);
		if (b + 1 < n)
			join(f, u.w + b + 1, x, b + 1, k, acc);
	}
	UNROLL
	for (int t = 0; t < TILE; t++)
		o[t * PANELS] = acc[t];
}

/* -- rows ---------------------------------------------------------------------------------- */

/* Tile i of the tokens from group g on; with a rest the odd ones are the rests of the even ones. */
INLINE struct tile tile_at(const struct kern_mul *m, int64_t i, int64_t g)
{
	const struct kern_acts *a = m->rest && i % 2 ? m->rest : m->a;
	const int64_t at = kern_act_group(a, (m->rest ? i / 2 : i) * TILE, g);

	return (struct tile){ a->q + at * GROUP, a->d + at, a->sum + 2 * at };
}

/* Outputs of tile i, which is whole, at v; those of a pair when its second one is. */
INLINE void put_tile(const struct kern_mul *m, const struct panel *p, int64_t i, const vecf *v)
{
	const int64_t t = (m->rest ? i / 2 : i) * TILE, n = m->a->t - t < TILE ? m->a->t - t : TILE;

	if (m->rest && i % 2 == 0)
		return;
	for (int64_t j = 0; j < n; j++, v += PANELS)
		for (int k = 0; k < PANELS; k++)
			vf_store(p[k].y + (t + j) * m->ldy, p[k].mask, m->rest ? vf_add(v[k - TILE * PANELS], v[k]) : v[k]);
}

/* Tiles i0 … i1-1, at most MANY, and whole pairs where there is a rest. */
INLINE void panels_times(const struct kern_mul *m, const struct panel *p, const struct form f, load_fn *load,
			 struct work *k, int64_t i0, int64_t i1)
{
	const int64_t blocks = m->a->k / GROUP;
	const int64_t most = piece_blocks((struct form){ .per = f.per < 2 ? 2 : f.per }, blocks);	/* whole pairs */
	vecf out[MANY * TILE * PANELS];
	struct piece c;

	for (c.b = 0; c.b < blocks; c.b += most) {
		struct ahead ahead;

		c.n = blocks - c.b < most ? blocks - c.b : most;
		unpack_piece(m, p, f, load, &c);
		ahead = ahead_of(m, p, f, &c);
		MUL_BLOCK(f, k, 0, 1, c.w[0], tile_at(m, i0, c.b).q);
		MUL_BLOCK(f, k, 2, 3, c.w[0] + 1, tile_at(m, i0, c.b).q + GROUP);
		STORE_BLOCK(f, 0, 1, k->sums[0]);
		for (int64_t i = i0; i < i1; i++) {
			const struct tile x = tile_at(m, i, c.b), then = tile_at(m, i + 1 < i1 ? i + 1 : i, c.b);
			vecf *o = out + (i - i0) * TILE * PANELS;

			if (f.min && !f.scale)
				fill_mins(k, &x, c.n);
			for (int j = 0; j < PANELS; j++) {
				const bool last = j + 1 == PANELS;
				const struct unit next = { c.w[last ? 0 : j + 1], last ? then.q : x.q };

				mul_unit(f, k, (struct unit){ c.w[j], x.q }, next, c.n, &x, last ? then.q : NULL, !c.b, o + j);
			}
			fetch_ahead(&ahead, i + 1 - i0, i1 - i0);
			if (c.b + c.n == blocks)
				put_tile(m, p, i, o);
		}
	}
}

INLINE void mul_tiles(const struct kern_mul *m, const struct form f, load_fn *load)
{
	const int64_t tiles = (m->a->t + TILE - 1) / TILE * (m->rest ? 2 : 1), fit = L2_BYTES / (TILE * m->a->k) / 2 * 2;
	const int64_t step = fit < 2 ? 2 : fit < MANY ? fit : MANY;
	struct work k;

	for (int i = 0; i < TILE; i++)
		_mm512_store_si512(k.lift[i], v_set32(LIFT_BITS));
	tiles_begin(f);
	for (int64_t i = 0; i < tiles; i += step)
		for (int64_t r = m->panel ? m->r0 / ROWS * ROWS : m->r0; r < m->r1; r += PANELS * ROWS) {
			struct panel p[PANELS];

			panels_at(m, r, p);
			panels_times(m, p, f, load, &k, i, tiles - i < step ? tiles : i + step);
		}
	TILE_RELEASE;
}

/* A row of a table of types, as in kern_block.h. */
#define TILES_FN(name, load, ...) \
	static void mul_##name(const struct kern_mul *m) \
	{ \
		mul_tiles(m, (struct form){ .id = QUANT_##name, __VA_ARGS__ }, load); \
	}
#define TILES_SET(name, load, ...) k->type[QUANT_##name].mul_tiles = mul_##name;

#endif
