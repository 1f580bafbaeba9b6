/*
 * Attention, AMX. A number is taken in two parts of eight bits, x = high + low, each a BF16, and
 * of a product of two the three larger products: high · high + high · low + low · high. Keys and
 * values of F16 and BF16 are exactly their two parts; queries and weights keep sixteen bits.
 *
 * Everything goes by tiles of sixteen rows of 64 bytes, in which a number that is to be multiplied
 * by the one 16 further on in the other operand lies beside it:
 *
 *	keys      16 keys × 32 d               as they lie in memory: nothing of them is turned
 *	queries   (16 × 2 d) × 16 queries      turned once a call
 *	scores    16 keys × 16 queries         = keys × queries: lanes are queries, softmax goes down
 *	weights   16 queries × 32 keys         turned
 *	values    (16 × 2 keys) × 16 columns   as they lie in memory
 *	outputs   16 queries × 16 columns      += weights × values
 *
 * Two tiles of each operand are multiplied at a time, four sums. A page's keys that a query does
 * not see weigh 0 for it: a query's numbers depend on nothing but itself and the keys it sees
 * (attn_in_parts() tells what of infinity). Keys and values of F32 and Q8_0 have more bits than two
 * parts hold: their attention is AVX-512's.
 */
#include "config.h"
#include "engine/kernels/kern_amx.h"
#include "engine/kernels/kern_avx512vnni_attn.h"

#include <math.h>

enum {
	SIDE = LANES,			/* rows of a tile, and floats in one of a tile of sums */
	STEP = 2 * SIDE,		/* what one product sums: values of a head, or keys */
	TILE_BYTES = SIDE * 64,
	STEPS = KERN_PAGE / STEP,
	MAX_Q = 192,			/* queries at a time, whole pairs of tiles … */
	MAX_OUT = MAX_Q * 128,		/* … and what their outputs take */
	MAX_HD = KERN_KV_MAX_HEAD,
	LINES = 64,
};

/* High and low parts, in tiles. */
#define PARTS(name, numbers) struct { _Alignas(LINES) char hi[2 * (numbers)], lo[2 * (numbers)]; } name

/* What one call works on. Query m is head m mod g of token m / g. */
struct work {
	const struct kern_attn *a;
	int queries, width;		/* width: hd, filled up to whole steps */
	PARTS(q, MAX_OUT);		/* [tile][step] */
	PARTS(k, STEP * MAX_HD);	/* [tile][step]: a step's keys */
	PARTS(v, KERN_PAGE * STEP);	/* [tile][step]: a page's values of two tiles of columns */
	PARTS(p, MAX_Q * KERN_PAGE);	/* [tile][step] */
	_Alignas(LINES) float s[MAX_Q / SIDE][KERN_PAGE][SIDE];		/* scores */
	_Alignas(LINES) float out[MAX_OUT];		/* [tile][tile of columns][query][column] */
	_Alignas(LINES) float max[MAX_Q], sum[MAX_Q];
	_Alignas(LINES) int32_t from[MAX_Q], to[MAX_Q];	/* what each sees of a page */
	int token[MAX_Q];
	/* What is on its way into the L2 cache: this page's values, the next one's keys and values, NULL where there is none. */
	const char *ahead[3], *end;	/* end: of the first */
	int64_t bytes;			/* of each */
	struct { int key, score, weight, value, product; } lines;	/* fetched for each of these: a page's worth in a page's time */
};

/* So many lines more. All the time a few: a core has no more than ten to twenty misses under way. */
INLINE void fetch_lines(struct work *w, int n)
{
	const char *p = w->ahead[0];

	if (!p)
		return;
	for (int i = 0; i < n; i++)
		__builtin_prefetch(p + i * LINES, 0, 2);
	w->ahead[0] = p + n * LINES;
	if (w->ahead[0] < w->end)
		return;
	w->ahead[0] = w->ahead[1];
	w->ahead[1] = w->ahead[2];
	w->ahead[2] = NULL;
	w->end = w->ahead[0] ? w->ahead[0] + w->bytes : NULL;
}

/* The lines of a page by where a token's time goes: a quarter each with keys and values, a sixth each with products. */
static void fetch_begin(struct work *w, const char *values, int64_t bytes)
{
	const int lines = (int)((2 * bytes + LINES - 1) / LINES), steps = w->width / STEP;

	w->ahead[0] = values;
	w->ahead[1] = w->ahead[2] = NULL;
	w->end = values + bytes;
	w->bytes = bytes;
	w->lines.key = (lines / 4 + KERN_PAGE - 1) / KERN_PAGE;
	w->lines.score = lines / 6 / (STEPS * steps) + 1;
	w->lines.weight = lines / 5 / (KERN_PAGE / 2) + 1;
	w->lines.value = (lines / 4 + SIDE * STEPS * steps - 1) / (SIDE * STEPS * steps);
	w->lines.product = lines / 6 / (STEPS * steps) + 1;
}

/* Also the next page. Of what was to come before, only this page's values are still of use. */
static void fetch_next(struct work *w, const char *keys, const char *values)
{
	const int rest = w->ahead[0] != NULL;

	if (w->ahead[1]) {
		w->ahead[0] = w->ahead[2] ? w->ahead[2] : w->ahead[1];
		w->end = w->ahead[0] + w->bytes;
	}
	w->ahead[rest] = keys;
	w->ahead[rest + 1] = values;
	if (!rest)
		w->end = keys + w->bytes;
}

/* -- parts ------------------------------------------------------------------------------------ */

/* Upper halves of lanes side by side: a BF16 of a, one of b. */
INLINE __m512i beside(__m512 a, __m512 b)
{
	return _mm512_ternarylogic_epi32(_mm512_srli_epi32(_mm512_castps_si512(a), 16), _mm512_castps_si512(b),
					 _mm512_set1_epi32((int)0xffff0000), 0xf8);
}

/* The upper eight bits. */
INLINE __m512 cut(__m512 x)
{
	return _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32((int)0xffff0000)));
}

/* Rounded to eight bits (Veltkamp's splitting). */
INLINE __m512 near(__m512 x)
{
	const __m512 t = _mm512_mul_ps(x, _mm512_set1_ps(0x1p16f + 1));

	return _mm512_sub_ps(t, _mm512_sub_ps(t, x));
}

/* For beside(), which cuts: a NaN's upper half says that it is one. */
INLINE __m512 half_up(__m512 x)
{
	return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0x8000)));
}

struct pairs { __m512i hi, lo; };

/* Of numbers of at most sixteen bits. */
INLINE struct pairs pairs_of(__m512 a, __m512 b)
{
	return (struct pairs){ beside(a, b), beside(_mm512_sub_ps(a, cut(a)), _mm512_sub_ps(b, cut(b))) };
}

/* Of any numbers, rounded. */
INLINE struct pairs pairs_near(__m512 a, __m512 b)
{
	const __m512 x = near(a), y = near(b);

	return (struct pairs){ beside(x, y), beside(half_up(_mm512_sub_ps(a, x)), half_up(_mm512_sub_ps(b, y))) };
}

/* -- operands ---------------------------------------------------------------------------------- */

INLINE __m512 load_some(const struct kv_type t, const char *row, int i, int hd)
{
	return i < hd ? t.load(row, i, below(hd - i)) : _mm512_setzero_ps();
}

INLINE void put_pairs(const struct pairs x, char *hi, char *lo)
{
	_mm512_store_si512(hi, x.hi);
	_mm512_store_si512(lo, x.lo);
}

/* A key as row `at` of its tiles. */
INLINE void place_key(struct work *w, const struct kv_type t, const char *key, ptrdiff_t at)
{
	const int hd = w->a->hd;
	int d = 0;

	for (; d + STEP <= hd; d += STEP, at += TILE_BYTES)
		put_pairs(pairs_of(t.load(key, d, 0xffff), t.load(key, d + SIDE, 0xffff)), w->k.hi + at, w->k.lo + at);
	if (d < hd)
		put_pairs(pairs_of(load_some(t, key, d, hd), load_some(t, key, d + SIDE, hd)), w->k.hi + at, w->k.lo + at);
}

/* Keys j … j+STEP-1 of a page, those outside s as 0. */
INLINE void place_keys(struct work *w, const struct kv_type t, const char *keys, int j, struct seen s)
{
	const int steps = w->width / STEP;

	for (int i = 0; i < STEP; i++) {
		const ptrdiff_t at = (ptrdiff_t)i / SIDE * steps * TILE_BYTES + i % SIDE * LINES;

		fetch_lines(w, w->lines.key);
		if (j + i >= s.from && j + i < s.to)
			place_key(w, t, keys + (j + i) * t.row, at);
		else
			for (int d = 0; d < steps; d++)
				put_pairs((struct pairs){ _mm512_setzero_si512(), _mm512_setzero_si512() },
					  w->k.hi + at + d * TILE_BYTES, w->k.lo + at + d * TILE_BYTES);
	}
}

/* Columns c … c+STEP-1 of the values of the steps that s touches, those outside it as 0. */
INLINE void place_values(struct work *w, const struct kv_type t, const char *values, int c, struct seen s)
{
	const int hd = w->a->hd;

	for (int j = s.from / STEP * STEP; j < (s.to + STEP - 1) / STEP * STEP; j += j % SIDE < SIDE - 1 ? 1 : SIDE + 1) {
		const char *row = values + j * t.row, *also = row + SIDE * t.row;
		const bool first = j >= s.from && j < s.to, second = j + SIDE >= s.from && j + SIDE < s.to;
		char *hi = w->v.hi + j / STEP * TILE_BYTES + j % SIDE * LINES, *lo = hi + (w->v.lo - w->v.hi);

		fetch_lines(w, w->lines.value);
		if (first && second && c + STEP <= hd) {
			put_pairs(pairs_of(t.load(row, c, 0xffff), t.load(also, c, 0xffff)), hi, lo);
			put_pairs(pairs_of(t.load(row, c + SIDE, 0xffff), t.load(also, c + SIDE, 0xffff)),
				  hi + STEPS * TILE_BYTES, lo + STEPS * TILE_BYTES);
		} else
			for (int i = 0; i < 2; i++)
				put_pairs(pairs_of(load_some(t, row, c + i * SIDE, first ? hd : 0),
						   load_some(t, also, c + i * SIDE, second ? hd : 0)),
					  hi + i * STEPS * TILE_BYTES, lo + i * STEPS * TILE_BYTES);
	}
}

/* Sixteen rows of pairs, turned, into a tile. */
INLINE void put_turned(const __m512i rows[SIDE], char *to)
{
	__m512 v[SIDE];

	UNROLL
	for (int i = 0; i < SIDE; i++)
		v[i] = _mm512_castsi512_ps(rows[i]);
	turn(v);
	UNROLL
	for (int i = 0; i < SIDE; i++)
		_mm512_store_ps(to + i * LINES, v[i]);
}

static void place_queries(struct work *w)
{
	const struct kern_attn *a = w->a;
	const __m512 scale = _mm512_set1_ps(a->scale);
	const int steps = w->width / STEP;

	for (int m = 0; m < w->queries; m += SIDE)
		for (int d = 0; d < steps; d++) {
			const int at = (m / SIDE * steps + d) * TILE_BYTES;
			__m512i hi[SIDE], lo[SIDE];

			for (int i = 0; i < SIDE; i++) {
				__m512 x[2] = { _mm512_setzero_ps(), _mm512_setzero_ps() };
				struct pairs p;

				for (int h = 0; h < 2 && m + i < w->queries; h++) {
					const int token = w->token[m + i], from = d * STEP + h * SIDE;
					const float *q = a->q + token * a->ldt + (m + i - token * a->g) * a->ldq;

					if (from < a->hd)
						x[h] = _mm512_mul_ps(_mm512_maskz_loadu_ps(below(a->hd - from), q + from), scale);
				}
				p = pairs_near(x[0], x[1]);
				hi[i] = p.hi;
				lo[i] = p.lo;
			}
			put_turned(hi, w->q.hi + at);
			put_turned(lo, w->q.lo + at);
		}
}

/* -- products ---------------------------------------------------------------------------------- */

/* Tiles of the steps of one operand: `step` bytes from one to the next, `second` to the second row or column of tiles. */
struct operand { const char *hi, *lo; ptrdiff_t step, second; };

#define LOAD_FIRST(p) do { \
		TILE_LOAD(4, p, LINES, TILE_BYTES); \
		if (na == 2) \
			TILE_LOAD(5, (p) + a.second, LINES, TILE_BYTES); \
	} while (0)
#define LOAD_SECOND(p) do { \
		TILE_LOAD(6, p, LINES, TILE_BYTES); \
		if (nb == 2) \
			TILE_LOAD(7, (p) + b.second, LINES, TILE_BYTES); \
	} while (0)
#define MUL_PAIRS do { \
		TILE_MUL("tdpbf16ps", 0, 4, 6); \
		if (nb == 2) \
			TILE_MUL("tdpbf16ps", 1, 4, 7); \
		if (na == 2) \
			TILE_MUL("tdpbf16ps", 2, 5, 6); \
		if (na == 2 && nb == 2) \
			TILE_MUL("tdpbf16ps", 3, 5, 7); \
	} while (0)

/* Tile registers 0 … 3 += a0 b0, a0 b1, a1 b0, a1 b1, of which there are na and nb, over n steps; meanwhile so many lines for each. */
INLINE void multiply(struct work *w, const struct operand a, const int na, const struct operand b, const int nb, int n, int lines)
{
	for (int i = 0; i < n; i++) {
		fetch_lines(w, lines);
		LOAD_SECOND(b.hi + i * b.step);
		LOAD_FIRST(a.lo + i * a.step);
		MUL_PAIRS;
		LOAD_FIRST(a.hi + i * a.step);
		MUL_PAIRS;
		LOAD_SECOND(b.lo + i * b.step);
		MUL_PAIRS;
	}
}

/* Scores of n tiles of queries and the keys that are placed, from key j of the page on. */
INLINE void score(struct work *w, int tile, const int n, int j)
{
	const int steps = w->width / STEP;
	const ptrdiff_t row = (ptrdiff_t)steps * TILE_BYTES;
	const struct operand k = { w->k.hi, w->k.lo, TILE_BYTES, row };
	const struct operand q = { w->q.hi + tile * row, w->q.lo + tile * row, TILE_BYTES, row };

	TILE_ZERO(0);
	TILE_ZERO(1);
	TILE_ZERO(2);
	TILE_ZERO(3);
	multiply(w, k, 2, q, n, steps, w->lines.score);
	TILE_STORE(0, w->s[tile][j], LINES, TILE_BYTES);
	TILE_STORE(2, w->s[tile][j + SIDE], LINES, TILE_BYTES);
	if (n == 2) {
		TILE_STORE(1, w->s[tile + 1][j], LINES, TILE_BYTES);
		TILE_STORE(3, w->s[tile + 1][j + SIDE], LINES, TILE_BYTES);
	}
}

/* n tiles of outputs, columns from c on, += weights × the values that are placed, of the steps of s. */
INLINE void add_values(struct work *w, int tile, const int n, int c, struct seen s)
{
	const int tiles = w->width / SIDE, steps = (s.to - s.from) / STEP;
	const ptrdiff_t first = s.from / STEP * TILE_BYTES, row = STEPS * TILE_BYTES;
	const struct operand p = { w->p.hi + tile * row + first, w->p.lo + tile * row + first, TILE_BYTES, row };
	const struct operand v = { w->v.hi + first, w->v.lo + first, TILE_BYTES, row };
	float *o = w->out + (tile * tiles + c / SIDE) * SIDE * SIDE, *o2 = o + tiles * SIDE * SIDE;

	TILE_LOAD(0, o, LINES, TILE_BYTES);
	TILE_LOAD(1, o + SIDE * SIDE, LINES, TILE_BYTES);
	if (n == 2) {
		TILE_LOAD(2, o2, LINES, TILE_BYTES);
		TILE_LOAD(3, o2 + SIDE * SIDE, LINES, TILE_BYTES);
	}
	multiply(w, p, n, v, 2, steps, w->lines.product);
	TILE_STORE(0, o, LINES, TILE_BYTES);
	TILE_STORE(1, o + SIDE * SIDE, LINES, TILE_BYTES);
	if (n == 2) {
		TILE_STORE(2, o2, LINES, TILE_BYTES);
		TILE_STORE(3, o2 + SIDE * SIDE, LINES, TILE_BYTES);
	}
}

/* -- softmax ----------------------------------------------------------------------------------- */

/* Caps scores, and makes those of keys that a query does not see minus infinity. */
static void mask_scores(struct work *w, int tile, struct seen s)
{
	const __m512i from = _mm512_load_si512(w->from + tile * SIDE), to = _mm512_load_si512(w->to + tile * SIDE);

	for (int j = s.from; j < s.to; j++) {
		float *at = w->s[tile][j];
		const __m512i key = _mm512_set1_epi32(j);
		const __mmask16 sees = _mm512_cmple_epi32_mask(from, key) & _mm512_cmpgt_epi32_mask(to, key);
		__m512 x = _mm512_load_ps(at);

		if (w->a->softcap > 0)
			x = soft_cap(x, w->a->softcap);
		_mm512_store_ps(at, _mm512_mask_mov_ps(_mm512_set1_ps(-INFINITY), sees, x));
	}
}

/* Whether every query of a tile sees all of s. */
static bool all_see(const struct work *w, int tile, struct seen s)
{
	const __m512i from = _mm512_load_si512(w->from + tile * SIDE), to = _mm512_load_si512(w->to + tile * SIDE);

	return (_mm512_cmple_epi32_mask(from, _mm512_set1_epi32(s.from)) & _mm512_cmpge_epi32_mask(to, _mm512_set1_epi32(s.to))) == 0xffff;
}

/* Outputs of a tile's queries by what the new maximum leaves of them, mostly all. */
static void shrink_outputs(struct work *w, int tile, __m512 shrink)
{
	const int tiles = w->width / SIDE;
	float *out = w->out + tile * tiles * SIDE * SIDE;
	__mmask16 left = _mm512_cmp_ps_mask(shrink, _mm512_set1_ps(1), _CMP_NEQ_UQ);

	for (; left; left &= (__mmask16)(left - 1)) {
		const int i = __builtin_ctz(left);
		const __m512 x = _mm512_permutexvar_ps(_mm512_set1_epi32(i), shrink);

		for (int c = 0; c < tiles; c++) {
			float *o = out + (c * SIDE + i) * SIDE;

			_mm512_store_ps(o, _mm512_mul_ps(x, _mm512_load_ps(o)));
		}
	}
}

/* A tile's scores → weights relative to its queries' new maxima, in parts. */
static void fold(struct work *w, int tile, struct seen s)
{
	const float (*scores)[SIDE] = (const float (*)[SIDE])w->s[tile];
	const __m512 old = _mm512_load_ps(w->max + tile * SIDE);
	__m512 max = old, also = old, sum[4], shrink, top;
	__mmask16 some;

	if (w->a->softcap > 0 || !all_see(w, tile, s))
		mask_scores(w, tile, s);
	for (int j = s.from; j < s.to; j += 2) {
		max = _mm512_max_ps(max, _mm512_load_ps(scores[j]));
		also = _mm512_max_ps(also, _mm512_load_ps(scores[j + 1]));
	}
	max = _mm512_max_ps(max, also);
	some = _mm512_cmp_ps_mask(max, _mm512_set1_ps(-INFINITY), _CMP_NEQ_UQ);	/* nothing seen yet: -∞ - -∞ */
	shrink = exp_lanes(_mm512_maskz_sub_ps(some, old, max));
	top = _mm512_maskz_mov_ps(some, max);
	UNROLL
	for (int i = 0; i < 4; i++)
		sum[i] = _mm512_setzero_ps();
	for (int j = s.from; j < s.to; j += STEP) {
		const int at = (tile * STEPS + j / STEP) * TILE_BYTES;
		__m512i hi[SIDE], lo[SIDE];

		for (int i = 0; i < SIDE; i += 2)
			for (int k = 0; k < 2; k++) {
				const __m512 a = exp_lanes(_mm512_sub_ps(_mm512_load_ps(scores[j + i + k]), top));
				const __m512 b = exp_lanes(_mm512_sub_ps(_mm512_load_ps(scores[j + SIDE + i + k]), top));
				const struct pairs p = pairs_near(a, b);

				fetch_lines(w, w->lines.weight);
				hi[i + k] = p.hi;
				lo[i + k] = p.lo;
				sum[2 * k] = _mm512_add_ps(sum[2 * k], a);
				sum[2 * k + 1] = _mm512_add_ps(sum[2 * k + 1], b);
			}
		put_turned(hi, w->p.hi + at);
		put_turned(lo, w->p.lo + at);
	}
	sum[0] = _mm512_add_ps(_mm512_add_ps(sum[0], sum[1]), _mm512_add_ps(sum[2], sum[3]));
	_mm512_store_ps(w->sum + tile * SIDE, _mm512_fmadd_ps(_mm512_load_ps(w->sum + tile * SIDE), shrink, sum[0]));
	_mm512_store_ps(w->max + tile * SIDE, max);
	shrink_outputs(w, tile, shrink);
}

/* -- pages ------------------------------------------------------------------------------------- */

static struct seen join_seen(struct seen a, struct seen b)
{
	if (b.from >= b.to)
		return a;
	return (struct seen){ b.from < a.from ? b.from : a.from, b.to > a.to ? b.to : a.to };
}

/* What any query of n tiles sees, in whole steps. */
static struct seen seen_by(const struct work *w, int tile, int n)
{
	struct seen s = { KERN_PAGE, 0 };

	for (int i = tile * SIDE; i < (tile + n) * SIDE && i < w->queries; i++)
		s = join_seen(s, (struct seen){ w->from[i], w->to[i] });
	return (struct seen){ s.from / STEP * STEP, (s.to + STEP - 1) / STEP * STEP };
}

INLINE void page(struct work *w, const struct kv_type t, int64_t at)
{
	const struct kern_attn *a = w->a;
	const char *keys = a->kpage[at / KERN_PAGE], *values = a->vpage[at / KERN_PAGE];
	const int64_t next = at / KERN_PAGE + 1;
	const bool last = next * KERN_PAGE >= a->n + a->t - 1;
	const int tiles = (w->queries + SIDE - 1) / SIDE;
	struct seen all = { KERN_PAGE, 0 }, s[MAX_Q / SIDE];	/* by tile; a pair's have the same */

	if (!last)
		fetch_next(w, a->kpage[next], a->vpage[next]);
	for (int m = 0; m < w->queries; m++) {
		const struct seen see = m && w->token[m] == w->token[m - 1] ? (struct seen){ w->from[m - 1], w->to[m - 1] } :
			seen_of(a, w->token[m], at);

		w->from[m] = see.from;
		w->to[m] = see.to;
		all = join_seen(all, see);
	}
	for (int i = 0; i < tiles; i++)
		s[i] = i % 2 ? s[i - 1] : seen_by(w, i, 2);
	for (int j = all.from / STEP * STEP; j < all.to; j += STEP) {
		place_keys(w, t, keys, j, all);
		for (int i = 0; i < tiles; i += 2) {
			if (j < s[i].from || j >= s[i].to)
				continue;
			if (i + 1 < tiles)
				score(w, i, 2, j);
			else
				score(w, i, 1, j);
		}
	}
	for (int i = 0; i < tiles; i++)
		if (s[i].from < s[i].to)
			fold(w, i, s[i]);
	for (int c = 0; c < w->width; c += STEP) {
		place_values(w, t, values, c, all);
		for (int i = 0; i < tiles; i += 2) {
			if (s[i].from >= s[i].to)
				continue;
			if (i + 1 < tiles)
				add_values(w, i, 2, c, s[i]);
			else
				add_values(w, i, 1, c, s[i]);
		}
	}
}

static bool put_outputs(const struct work *w)
{
	const struct kern_attn *a = w->a;
	__mmask16 nan = 0;

	for (int m = 0; m < w->queries; m++) {
		const __m512 share = _mm512_set1_ps(1 / w->sum[m]);
		float *to = a->out + w->token[m] * a->ldto + (m - w->token[m] * a->g) * a->ldo;

		for (int c = 0; c < a->hd; c += SIDE) {
			const float *o = w->out + ((m / SIDE * (w->width / SIDE) + c / SIDE) * SIDE + m % SIDE) * SIDE;
			const __m512 x = _mm512_mul_ps(share, _mm512_load_ps(o));

			nan |= _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
			_mm512_mask_storeu_ps(to + c, below(a->hd - c), x);
		}
	}
	return nan != 0;
}

INLINE bool attn_some(const struct kern_attn *a, const struct kv_type t)
{
	const int64_t n = a->n + a->t - 1;
	struct tile_config c = { .palette = 1 };
	struct work w;
	int whole;

	w.a = a;
	w.queries = a->t * a->g;
	w.width = (a->hd + STEP - 1) / STEP * STEP;
	whole = (w.queries + SIDE - 1) / SIDE * SIDE;
	for (int m = 0; m < whole; m++) {
		w.token[m] = m / a->g;
		w.max[m] = -INFINITY;
		w.sum[m] = 0;
		w.from[m] = 0;
		w.to[m] = KERN_PAGE;	/* those that are not there see all, for nothing */
	}
	for (int i = 0; i < whole * w.width; i++)
		w.out[i] = 0;
	place_queries(&w);
	for (int i = 0; i < 8; i++) {
		c.bytes[i] = LINES;
		c.rows[i] = SIDE;
	}
	TILE_CONFIG(c);
	fetch_begin(&w, a->vpage[a->first / KERN_PAGE], KERN_PAGE * t.row);
	for (int64_t at = a->first / KERN_PAGE * KERN_PAGE; at < n; at += KERN_PAGE)
		page(&w, t, at);
	TILE_RELEASE;
	return put_outputs(&w);
}

INLINE void attn(const struct kern_attn *a, const struct kv_type t)
{
	const int fit = MAX_OUT / ((a->hd + STEP - 1) / STEP * STEP) / SIDE * SIDE;

	attn_in_parts(a, t, fit < MAX_Q ? fit : MAX_Q, attn_some);
}

static void attn_f16(const struct kern_attn *a)
{
	attn(a, kv_f16(a));
}

static void attn_bf16(const struct kern_attn *a)
{
	attn(a, kv_bf16(a));
}

void kern_amx_attn_init(struct kern *k)
{
	k->kv[KERN_KV_F16].attn = attn_f16;
	k->kv[KERN_KV_BF16].attn = attn_bf16;
}
