/*
 * Attention, AVX-512. A page's keys are turned into floats with a lane for each key, so that
 * no sum crosses lanes, and its values with a lane for each column; then all queries of the
 * tokens and heads that share them walk over both, twelve at a time:
 *
 *	scores    lane: key       s[query][key] = Σ_d q[query][d] · k[d][key]       d ascending
 *	outputs   lane: column    o[query][col] = o · shrink + Σ_j p[query][j] · v[j][col]
 *
 *	tile      12 queries × 2 vectors = 24 sums, 2 of keys or values, a query broadcast
 *
 * A tile's queries are stored turned, [d][12], so that one pointer reaches them all. Keys of a
 * page that a query of the tile does not see weigh 0 for it, and those that none sees are not
 * looked at: a query's numbers depend on nothing but itself and the keys it sees.
 */
#include "config.h"
#include "engine/kernels/kern_avx512vnni_attn.h"

#include <math.h>

enum {
	WIDE = 2 * LANES,		/* keys, or columns, of a tile */
	TILE_Q = 12,
	MAX_Q = 192,			/* queries at a time, and what they take turned */
	MAX_TURNED = MAX_Q * 128,	/* and what their outputs take */
	MAX_HD = KERN_KV_MAX_HEAD,
	Q8_BLOCK = 32, Q8_BYTES = 34,	/* a scale (half) and 32 numbers */
};

INLINE __m512 load_f32(const char *row, int64_t i, __mmask16 mask)
{
	return _mm512_maskz_loadu_ps(mask, row + 4 * i);
}

/* Blocks are filled up with zeros. */
INLINE __m512 load_q8_0(const char *row, int64_t i, __mmask16 mask)
{
	const char *block = row + i / Q8_BLOCK * Q8_BYTES;
	const __m128i q = _mm_loadu_si128((const __m128i *)(block + 2 + i % Q8_BLOCK));
	const __m512 d = _mm512_broadcastss_ps(_mm_cvtph_ps(_mm_loadu_si16(block)));

	(void)mask;
	return _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(q)));
}

/* WIDE keys, of which n are there, as [d][key]; those that are not are 0. */
INLINE void turn_keys(const struct kv_type t, const char *keys, int n, int hd, float *out)
{
	for (int d = 0; d < hd; d += LANES)
		for (int half = 0; half < 2; half++) {
			__m512 v[LANES];

			UNROLL
			for (int j = 0; j < LANES; j++) {
				const int key = half * LANES + j;

				v[j] = key < n ? t.load(keys + key * t.row, d, below(hd - d)) : _mm512_setzero_ps();
			}
			turn(v);
			for (int i = 0; i < LANES && d + i < hd; i++)
				_mm512_storeu_ps(out + (d + i) * WIDE + half * LANES, v[i]);
		}
}

/* Columns c … c + WIDE - 1 of n values as [j][column]; those beyond hd are 0. */
INLINE void spread_values(const struct kv_type t, const char *values, int n, int c, int hd, float *out)
{
	for (int j = 0; j < n; j++)
		for (int half = 0; half < 2; half++) {
			const int at = c + half * LANES;

			_mm512_storeu_ps(out + j * WIDE + half * LANES, at >= hd ? _mm512_setzero_ps() :
					 t.load(values + j * t.row, at, below(hd - at)));
		}
}

/* What one call works on. */
struct work {
	const struct kern_attn *a;
	int queries;			/* t · g, of MAX_Q at most; query m is head m mod g of token m / g */
	float *turned;			/* [tile][d][TILE_Q]: queries, scaled */
	float *p;			/* [query][KERN_PAGE]: scores, then weights */
	float *out;			/* [query][width] */
	int width;			/* hd, or more: a multiple of WIDE */
	int token[MAX_Q];
	float max[MAX_Q + LANES], shrink[MAX_Q + LANES];
	__m512 sum[MAX_Q];		/* of weights, by key mod 16 */
};

INLINE int width_of(const struct kern_attn *a)
{
	return (a->hd + WIDE - 1) / WIDE * WIDE;
}

static void turn_queries(struct work *w)
{
	const struct kern_attn *a = w->a;

	for (int m = 0; m < w->queries; m += TILE_Q)
		for (int d = 0; d < a->hd; d += LANES) {
			float *to = w->turned + (m * a->hd + d * TILE_Q);
			__m512 v[LANES];

			UNROLL
			for (int i = 0; i < LANES; i++) {
				const float *q = i < TILE_Q && m + i < w->queries ?
					a->q + w->token[m + i] * a->ldt + (m + i - w->token[m + i] * a->g) * a->ldq : NULL;

				v[i] = q ? _mm512_mul_ps(_mm512_maskz_loadu_ps(below(a->hd - d), q + d),
							 _mm512_set1_ps(a->scale)) : _mm512_setzero_ps();
			}
			turn(v);
			for (int i = 0; i < LANES && d + i < a->hd; i++)
				_mm512_mask_storeu_ps(to + i * TILE_Q, below(TILE_Q), v[i]);
		}
}

/* Scores of n queries of a tile, the first at q. */
INLINE void score_tile(const float *q, const float *keys, int hd, int n, float *p)
{
	__m512 acc[TILE_Q][2];

	UNROLL
	for (int m = 0; m < n; m++)
		acc[m][0] = acc[m][1] = _mm512_setzero_ps();
	for (int d = 0; d < hd; d++, q += TILE_Q, keys += WIDE) {
		const __m512 k0 = _mm512_loadu_ps(keys), k1 = _mm512_loadu_ps(keys + LANES);

		UNROLL
		for (int m = 0; m < n; m++) {
			const __m512 x = _mm512_set1_ps(q[m]);

			acc[m][0] = _mm512_fmadd_ps(x, k0, acc[m][0]);
			acc[m][1] = _mm512_fmadd_ps(x, k1, acc[m][1]);
		}
	}
	UNROLL
	for (int m = 0; m < n; m++) {
		_mm512_storeu_ps(p + m * KERN_PAGE, acc[m][0]);
		_mm512_storeu_ps(p + m * KERN_PAGE + LANES, acc[m][1]);
	}
}

/* n queries' outputs of columns from c on: o = o · shrink + Σ p[j] · v[j], rows from … to-1. */
INLINE void value_tile(const struct work *w, int m0, const float *v, int c, int from, int to, int n)
{
	const float *p = w->p + m0 * KERN_PAGE;
	float *out = w->out + m0 * w->width + c;
	__m512 acc[TILE_Q][2];

	UNROLL
	for (int m = 0; m < n; m++) {
		const __m512 shrink = _mm512_set1_ps(w->shrink[m0 + m]);

		acc[m][0] = _mm512_mul_ps(shrink, _mm512_loadu_ps(out + m * w->width));
		acc[m][1] = _mm512_mul_ps(shrink, _mm512_loadu_ps(out + m * w->width + LANES));
	}
	for (int j = from; j < to; j++) {
		const __m512 v0 = _mm512_loadu_ps(v + j * WIDE), v1 = _mm512_loadu_ps(v + j * WIDE + LANES);

		UNROLL
		for (int m = 0; m < n; m++) {
			const __m512 x = _mm512_set1_ps(p[m * KERN_PAGE + j]);

			acc[m][0] = _mm512_fmadd_ps(x, v0, acc[m][0]);
			acc[m][1] = _mm512_fmadd_ps(x, v1, acc[m][1]);
		}
	}
	UNROLL
	for (int m = 0; m < n; m++) {
		_mm512_storeu_ps(out + m * w->width, acc[m][0]);
		_mm512_storeu_ps(out + m * w->width + LANES, acc[m][1]);
	}
}

/* The next part of queries m … end-1 that one tile function takes: 12, or up to 4 of one tile. */
INLINE int part(int m, int end)
{
	const int left = end - m, in_tile = TILE_Q - m % TILE_Q, n = left < in_tile ? left : in_tile;

	return n == TILE_Q ? TILE_Q : n >= 4 ? 4 : n;
}

/* What any of queries m … m+n-1 sees; seen: of each token. */
static struct seen seen_by(const struct work *w, const struct seen *seen, int m, int n)
{
	struct seen o = { KERN_PAGE, 0 };

	for (int i = w->token[m]; i <= w->token[m + n - 1]; i++) {
		if (seen[i].from >= seen[i].to)
			continue;
		o.from = seen[i].from < o.from ? seen[i].from : o.from;
		o.to = seen[i].to > o.to ? seen[i].to : o.to;
	}
	return o;
}

static void score_queries(const struct work *w, const struct seen *seen, const float *keys, int at)
{
	const int hd = w->a->hd;

	for (int m = 0, n; m < w->queries; m += n) {
		const float *q = w->turned + m / TILE_Q * TILE_Q * hd + m % TILE_Q;
		float *p = w->p + m * KERN_PAGE + at;
		struct seen s;

		n = part(m, w->queries);
		s = seen_by(w, seen, m, n);
		if (s.to <= at || s.from >= at + WIDE)
			continue;
		if (n == TILE_Q)
			score_tile(q, keys, hd, TILE_Q, p);
		else if (n == 4)
			score_tile(q, keys, hd, 4, p);
		else if (n == 3)
			score_tile(q, keys, hd, 3, p);
		else if (n == 2)
			score_tile(q, keys, hd, 2, p);
		else
			score_tile(q, keys, hd, 1, p);
	}
}

static void value_queries(const struct work *w, const struct seen *seen, const float *v, int c)
{
	for (int m = 0, n; m < w->queries; m += n) {
		struct seen s;

		n = part(m, w->queries);
		s = seen_by(w, seen, m, n);
		if (s.from >= s.to)
			continue;
		if (n == TILE_Q)
			value_tile(w, m, v, c, s.from, s.to, TILE_Q);
		else if (n == 4)
			value_tile(w, m, v, c, s.from, s.to, 4);
		else if (n == 3)
			value_tile(w, m, v, c, s.from, s.to, 3);
		else if (n == 2)
			value_tile(w, m, v, c, s.from, s.to, 2);
		else
			value_tile(w, m, v, c, s.from, s.to, 1);
	}
}

/* A query's scores of a page, those of keys that it does not see minus infinity; their maximum and the old one's. */
static void mask_scores(struct work *w, int m, struct seen seen)
{
	float *p = w->p + m * KERN_PAGE;
	__m512 top = _mm512_set1_ps(w->max[m]);

	UNROLL
	for (int i = 0; i < KERN_PAGE / LANES; i++) {
		const int lo = seen.from - i * LANES, hi = seen.to - i * LANES;
		const __mmask16 mask = hi <= 0 || lo >= LANES ? 0 : (__mmask16)(below(hi) & ~below(lo > 0 ? lo : 0));
		__m512 s = _mm512_loadu_ps(p + i * LANES);

		if (w->a->softcap > 0)
			s = soft_cap(s, w->a->softcap);
		s = _mm512_mask_mov_ps(_mm512_set1_ps(-INFINITY), mask, s);
		_mm512_storeu_ps(p + i * LANES, s);
		top = _mm512_max_ps(top, s);
	}
	w->shrink[m] = w->max[m];
	w->max[m] = _mm512_reduce_max_ps(top);
}

/* Scores → weights relative to their query's new maximum; what the old one makes of all before. */
static void fold_scores(struct work *w, const struct seen *seen)
{
	for (int m = 0; m < w->queries; m++)
		mask_scores(w, m, seen[w->token[m]]);
	for (int m = 0; m < w->queries; m += LANES) {
		const __m512 max = _mm512_loadu_ps(w->max + m), old = _mm512_loadu_ps(w->shrink + m);
		const __mmask16 none = _mm512_cmp_ps_mask(max, _mm512_set1_ps(-INFINITY), _CMP_EQ_OQ);

		/* nothing seen yet: -∞ - -∞ */
		_mm512_storeu_ps(w->shrink + m, exp_lanes(_mm512_maskz_sub_ps((__mmask16)~none, old, max)));
	}
	for (int m = 0; m < w->queries; m++) {
		const __m512 max = _mm512_set1_ps(w->max[m] > -INFINITY ? w->max[m] : 0);
		__m512 sum = _mm512_mul_ps(w->sum[m], _mm512_set1_ps(w->shrink[m]));
		float *p = w->p + m * KERN_PAGE;

		UNROLL
		for (int i = 0; i < KERN_PAGE / LANES; i++) {
			const __m512 e = exp_lanes(_mm512_sub_ps(_mm512_loadu_ps(p + i * LANES), max));

			_mm512_storeu_ps(p + i * LANES, e);
			sum = _mm512_add_ps(sum, e);
		}
		w->sum[m] = sum;
	}
}

INLINE void page(struct work *w, const struct kv_type t, int64_t at)
{
	const struct kern_attn *a = w->a;
	const char *keys = a->kpage[at / KERN_PAGE], *values = a->vpage[at / KERN_PAGE];
	const char *next = at + KERN_PAGE < a->n + a->t - 1 ? a->kpage[at / KERN_PAGE + 1] : keys;
	const int64_t part = KERN_PAGE * t.row * WIDE / w->width;
	_Alignas(64) float buf[MAX_HD * WIDE];
	struct seen seen[MAX_Q];
	int to = 0;

	for (int i = 0; i < a->t; i++) {
		seen[i] = seen_of(a, i, at);
		to = seen[i].to > to && seen[i].from < seen[i].to ? seen[i].to : to;
	}
	for (int k = 0; k < to; k += WIDE) {
		fetch(values + k * t.row, (to - k < WIDE ? to - k : WIDE) * t.row);
		turn_keys(t, keys + k * t.row, to - k < WIDE ? to - k : WIDE, a->hd, buf);
		score_queries(w, seen, buf, k);
	}
	fold_scores(w, seen);
	for (int c = 0; c < a->hd; c += WIDE) {
		fetch(next + c / WIDE * part, part);
		spread_values(t, values, to, c, a->hd, buf);
		value_queries(w, seen, buf, c);
	}
}

INLINE bool attn_some(const struct kern_attn *a, const struct kv_type t)
{
	_Alignas(64) float turned[MAX_TURNED + TILE_Q * MAX_HD], out[MAX_TURNED], p[MAX_Q * KERN_PAGE];
	struct work w = { .a = a, .queries = a->t * a->g, .turned = turned, .p = p, .out = out, .width = width_of(a) };
	const int64_t n = a->n + a->t - 1;
	__mmask16 nan = 0;

	for (int m = 0; m < w.queries; m++) {
		w.token[m] = m / a->g;
		w.max[m] = -INFINITY;
		w.sum[m] = _mm512_setzero_ps();
		for (int i = 0; i < w.width; i++)
			out[m * w.width + i] = 0;
	}
	turn_queries(&w);
	for (int64_t at = a->first / KERN_PAGE * KERN_PAGE; at < n; at += KERN_PAGE)
		page(&w, t, at);
	for (int m = 0; m < w.queries; m++) {
		const __m512 share = _mm512_set1_ps(1 / _mm512_reduce_add_ps(w.sum[m]));
		float *to = a->out + w.token[m] * a->ldto + (m - w.token[m] * a->g) * a->ldo;

		for (int i = 0; i < a->hd; i += LANES) {
			const __m512 x = _mm512_mul_ps(_mm512_loadu_ps(out + m * w.width + i), share);

			nan |= _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
			_mm512_mask_storeu_ps(to + i, below(a->hd - i), x);
		}
	}
	return nan != 0;
}

INLINE void attn(const struct kern_attn *a, const struct kv_type t)
{
	const int fit = MAX_TURNED / width_of(a);

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

static void attn_f32(const struct kern_attn *a)
{
	attn(a, (struct kv_type){ load_f32, 4 * a->hd });
}

static void attn_q8_0(const struct kern_attn *a)
{
	attn(a, (struct kv_type){ load_q8_0, (a->hd + Q8_BLOCK - 1) / Q8_BLOCK * Q8_BYTES });
}

void kern_avx512vnni_attn_init(struct kern *k)
{
	k->kv[KERN_KV_F16].attn = attn_f16;
	k->kv[KERN_KV_BF16].attn = attn_bf16;
	k->kv[KERN_KV_F32].attn = attn_f32;
	k->kv[KERN_KV_Q8_0].attn = attn_q8_0;
}
