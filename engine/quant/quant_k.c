/*
 * The K types: super-blocks of 256 weights whose sub-blocks have scales of a few bits. A
 * sub-block's scale is found by trying, LANES sub-blocks at once (lanes.h), which may belong
 * to more than one super-block.
 */
#include "config.h"
#include "engine/quant/lanes.h"

#define TINY 1e-15f	/* a sub-block without larger magnitudes is zero */

enum { SUB_MAX = 32 };		/* weights in the longest sub-block */

/* Weights that are searched ahead: enough sub-blocks of so many weights to fill the lanes. */
#define AHEAD(len) (LANES * (len) > QK_K ? LANES * (len) : QK_K)

enum { FITS = AHEAD(SUB_MAX) / SUB_MAX > 16 ? AHEAD(SUB_MAX) / SUB_MAX : 16 };

static inline int32_t code_of(float x, int lo, int hi)
{
	return clamp_int(round_even(x), lo, hi);
}

static inline float largest_positive(const float *x, int n)
{
	float m = 0.0f;

	for (int i = 0; i < n; i++)
		m = x[i] > m ? x[i] : m;
	return m;
}

/* Codes above the lowest, -half, by a scale as it is stored. */
LANE void codes_by(const float *x, float step, int half, uint8_t *q)
{
	for (int i = 0; i < 16; i++)
		q[i] = (uint8_t)(code_of(x[i] / step, -half, half - 1) + half);
}

/* Sub-blocks of `len` to search at weight `at` of n: none but at the first of those AHEAD. */
static inline int subs_ahead(int64_t at, int64_t n, int len)
{
	if (at % AHEAD(len))
		return 0;
	return (int)(n - at < AHEAD(len) ? n - at : AHEAD(len)) / len;
}

/* -- types with a scale and a minimum a sub-block: Q2_K, Q4_K, Q5_K ----------------- */

/* How a type searches. */
struct min_search {
	int len, top, steps;
	float first;		/* where the steps of a tenth start from top */
	bool squares;		/* squared errors, and weights by the mean square too */
};

static const struct min_search q2_search = { 16, 3, 15, -0.5f, false };
static const struct min_search q4_search = { 32, 15, 20, -1.0f, true };
static const struct min_search q5_search = { 32, 31, 15, -0.5f, true };

/* What is found: weights ≈ scale × code - min, code = inv × (x - from), rounded, at most top. */
struct min_fit { float scale[FITS], min[FITS], inv[FITS], from[FITS], top[FITS]; };

/* LANES sub-blocks at work. */
struct min_state {
	lanes_f x[SUB_MAX];
	lanes_f w[SUB_MAX];	/* how much an error at x counts */
	lanes_f sw, sx;		/* sums of w and w x */
	lanes_f lo, hi;		/* minimum so far (at most 0), largest x */
	lanes_m flat;		/* nothing above the minimum */
	lanes_f scale, loss;	/* the best so far, */
	lanes_f inv, from;	/* its codes */
};

LANE void min_weights(const struct min_search *p, struct min_state *m)
{
	lanes_f base = f_all(0.0f);

	for (int i = 0; i < p->len && p->squares; i++)
		base += m->x[i] * m->x[i];
	base = f_sqrt(base / f_all((float)p->len));
	for (int i = 0; i < p->len; i++)
		m->w[i] = base + f_abs(m->x[i]);
}

/* The weighted error of a code at weight i. */
LANE lanes_f min_loss(const struct min_search *p, const struct min_state *m, int i, lanes_f scale,
		      lanes_f lo, lanes_f code)
{
	const lanes_f diff = scale * code + lo - m->x[i];

	if (p->squares)
		return m->w[i] * (diff * diff);
	return m->w[i] * f_abs(diff);
}

/* The first guess: from the minimum to the largest in equal steps. */
LANE void min_start(const struct min_search *p, struct min_state *m)
{
	const lanes_f zero = f_all(0.0f);

	m->sw = m->sx = m->loss = zero;
	m->lo = m->hi = m->x[0];
	for (int i = 0; i < p->len; i++) {
		m->lo = f_min(m->x[i], m->lo);
		m->hi = f_max(m->x[i], m->hi);
		m->sw += m->w[i];
		m->sx += m->w[i] * m->x[i];
	}
	m->lo = f_pick(f_less(zero, m->lo), zero, m->lo);
	m->flat = f_equal(m->hi, m->lo);
	m->inv = f_all((float)p->top) / (m->hi - m->lo);
	m->from = m->lo;
	m->scale = f_all(1.0f) / m->inv;
	for (int i = 0; i < p->len; i++)
		m->loss += min_loss(p, m, i, m->scale, m->lo,
				    f_code(m->inv * (m->x[i] - m->lo), 0, p->top));
}

/* Codes by another step, the scale and minimum that fit them best; kept if they do better. */
LANE void min_try(const struct min_search *p, struct min_state *m, int step)
{
	const lanes_f zero = f_all(0.0f);
	const lanes_f inv = f_all(p->first + 0.1f * (float)step + (float)p->top) / (m->hi - m->lo);
	lanes_f code[SUB_MAX], sl = zero, sl2 = zero, sxl = zero, loss = zero;
	lanes_f det, scale, lo;
	lanes_m up, keep;

	for (int i = 0; i < p->len; i++) {
		const lanes_f c = f_code(inv * (m->x[i] - m->lo), 0, p->top);
		const lanes_f wc = m->w[i] * c;

		code[i] = c;
		sl += wc;
		sl2 += wc * c;
		sxl += wc * m->x[i];
	}
	det = m->sw * sl2 - sl * sl;
	lo = (sl2 * m->sx - sl * sxl) / det;
	up = f_less(zero, lo);
	scale = f_pick(up, sxl / sl2, (m->sw * sxl - m->sx * sl) / det);
	lo = f_pick(up, zero, lo);
	for (int i = 0; i < p->len; i++)
		loss += min_loss(p, m, i, scale, lo, code[i]);
	keep = m_and(f_less(zero, det), f_less(loss, m->loss));
	m->loss = f_pick(keep, loss, m->loss);
	m->scale = f_pick(keep, scale, m->scale);
	m->inv = f_pick(keep, inv, m->inv);
	m->from = f_pick(keep, m->lo, m->from);
	m->lo = f_pick(keep, lo, m->lo);
}

/*
 * n sub-blocks: steps of 1 / scale are tried, each with the best scale and minimum for its
 * codes, and the least weighted error is kept. A kept minimum is where the next steps start
 * from.
 */
LANE void min_search(const struct min_search *p, const float *x, int n, struct min_fit *fit)
{
	const lanes_f zero = f_all(0.0f);

	for (int s = 0; s < n; s += LANES, x += LANES * p->len) {
		struct min_state m;

		side_by_side(x, n - s, p->len, m.x);
		min_weights(p, &m);
		min_start(p, &m);
		for (int step = 0; step <= p->steps; step++)
			min_try(p, &m, step);
		f_store(fit->scale + s, f_pick(m.flat, zero, m.scale));
		f_store(fit->min + s, -m.lo);
		f_store(fit->inv + s, m.inv);
		f_store(fit->from + s, m.from);
		f_store(fit->top + s, f_pick(m.flat, zero, f_all((float)p->top)));
	}
}

/* The codes of sub-block j by the scale and minimum as they are stored; without a scale, those found. */
LANE void min_codes(const struct min_search *p, const struct min_fit *fit, int j, const float *x,
		    float step, float min, uint8_t *q)
{
	const float inv = fit->inv[j], from = fit->from[j];
	const int top = (int)fit->top[j];

	if (step == 0.0f) {
		for (int i = 0; i < p->len; i++)
			q[i] = (uint8_t)code_of(inv * (x[i] - from), 0, top);
		return;
	}
	for (int i = 0; i < p->len; i++)
		q[i] = (uint8_t)code_of((x[i] + min) / step, 0, p->top);
}

/* -- Q2_K: 16 scales and minima in nibbles, pairs, d, dmin -------------------------- */

enum { Q2_K_QS = 16, Q2_K_D = 80 };

static void q2_encode_block(const float *x, const struct min_fit *fit, uint8_t *b)
{
	const float top_scale = largest_positive(fit->scale, 16);
	const float top_min = largest_positive(fit->min, 16);
	const float inv_scale = top_scale > 0.0f ? 15.0f / top_scale : 0.0f;
	const float inv_min = top_min > 0.0f ? 15.0f / top_min : 0.0f;
	float d, dmin;
	uint8_t q[QK_K];

	put_half(b + Q2_K_D, top_scale / 15.0f);
	put_half(b + Q2_K_D + 2, top_min / 15.0f);
	d = get_half(b + Q2_K_D);
	dmin = get_half(b + Q2_K_D + 2);
	for (int j = 0; j < 16; j++) {
		const int sc = code_of(inv_scale * fit->scale[j], 0, 15);
		const int mn = code_of(inv_min * fit->min[j], 0, 15);

		b[j] = (uint8_t)(sc | mn << 4);
		min_codes(&q2_search, fit, j, x + 16 * j, d * (float)sc, dmin * (float)mn,
			  q + 16 * j);
	}
	put_pairs(b + Q2_K_QS, q);
}

void QUANT_NAME(quant_encode_q2_k)(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;

	for (; n > 0; n -= QK_K, b += Q2_K_BYTES, src += QK_K) {
		struct min_fit fit;

		min_search(&q2_search, src, 16, &fit);
		q2_encode_block(src, &fit, b);
	}
}

void QUANT_NAME(quant_decode_q2_k)(const void *src, float *dst, int64_t n)
{
	const uint8_t *b = src;

	for (; n > 0; n -= QK_K, b += Q2_K_BYTES, dst += QK_K) {
		const float d = get_half(b + Q2_K_D), dmin = get_half(b + Q2_K_D + 2);
		uint8_t q[QK_K];

		get_pairs(b + Q2_K_QS, q);
		for (int j = 0; j < 16; j++) {
			const float step = d * (float)(b[j] & 15), min = dmin * (float)(b[j] >> 4);

			for (int i = 16 * j; i < 16 * j + 16; i++)
				dst[i] = step * (float)q[i] - min;
		}
	}
}

/* -- Q4_K, Q5_K: d, dmin, 8 scales and minima of six bits, (fifth bits,) nibbles ---- */

enum { K_SCALES = 4, Q4_K_QS = 16, Q5_K_HIGH = 16, Q5_K_QS = 48 };

/* Four whole ones, then four whose high two bits lie above the first. */
static void put_six(uint8_t *p, const uint8_t *sc, const uint8_t *mn)
{
	for (int j = 0; j < 4; j++) {
		p[j] = (uint8_t)(sc[j] | sc[j + 4] >> 4 << 6);
		p[j + 4] = (uint8_t)(mn[j] | mn[j + 4] >> 4 << 6);
		p[j + 8] = (uint8_t)((sc[j + 4] & 15) | (mn[j + 4] & 15) << 4);
	}
}

static void get_six(const uint8_t *p, uint8_t *sc, uint8_t *mn)
{
	for (int j = 0; j < 4; j++) {
		sc[j] = p[j] & 63;
		mn[j] = p[j + 4] & 63;
		sc[j + 4] = (uint8_t)((p[j + 8] & 15) | p[j] >> 6 << 4);
		mn[j + 4] = (uint8_t)(p[j + 8] >> 4 | p[j + 4] >> 6 << 4);
	}
}

/* 64 weights in 32 bytes: the first 32 low, the next 32 high */
static void put_nibbles(uint8_t *qs, const uint8_t *q)
{
	for (int h = 0; h < 4; h++, qs += 32, q += 64)
		for (int l = 0; l < 32; l++)
			qs[l] = (uint8_t)((q[l] & 15) | q[l + 32] << 4);
}

static void get_nibbles(const uint8_t *qs, uint8_t *q)
{
	for (int h = 0; h < 4; h++, qs += 32, q += 64) {
		for (int l = 0; l < 32; l++) {
			q[l] = qs[l] & 15;
			q[l + 32] = qs[l] >> 4;
		}
	}
}

/*
 * Writes d, dmin and the scales to the head of a block, whose sub-blocks start at `first` of
 * those found; q gets the codes.
 */
static inline void min_encode(const struct min_search *p, const struct min_fit *fit, int first,
			      const float *x, uint8_t *b, uint8_t *q)
{
	const float top_scale = largest_positive(fit->scale + first, 8);
	const float top_min = largest_positive(fit->min + first, 8);
	const float inv_scale = top_scale > 0.0f ? 63.0f / top_scale : 0.0f;
	const float inv_min = top_min > 0.0f ? 63.0f / top_min : 0.0f;
	uint8_t sc[8], mn[8];
	float d, dmin;

	put_half(b, top_scale / 63.0f);
	put_half(b + 2, top_min / 63.0f);
	d = get_half(b);
	dmin = get_half(b + 2);
	for (int j = 0; j < 8; j++) {
		sc[j] = (uint8_t)code_of(inv_scale * fit->scale[first + j], 0, 63);
		mn[j] = (uint8_t)code_of(inv_min * fit->min[first + j], 0, 63);
		min_codes(p, fit, first + j, x + 32 * j, d * (float)sc[j], dmin * (float)mn[j],
			  q + 32 * j);
	}
	put_six(b + K_SCALES, sc, mn);
}

static inline void min_decode(const uint8_t *b, const uint8_t *q, float *dst)
{
	const float d = get_half(b), dmin = get_half(b + 2);
	uint8_t sc[8], mn[8];

	get_six(b + K_SCALES, sc, mn);
	for (int j = 0; j < 8; j++) {
		const float step = d * (float)sc[j], min = dmin * (float)mn[j];

		for (int i = 32 * j; i < 32 * j + 32; i++)
			dst[i] = step * (float)q[i] - min;
	}
}

void QUANT_NAME(quant_encode_q4_k)(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;
	struct min_fit fit;

	for (int64_t at = 0; at < n; at += QK_K, b += Q4_K_BYTES, src += QK_K) {
		uint8_t q[QK_K];

		min_search(&q4_search, src, subs_ahead(at, n, 32), &fit);
		min_encode(&q4_search, &fit, at % AHEAD(32) / 32, src, b, q);
		put_nibbles(b + Q4_K_QS, q);
	}
}

void QUANT_NAME(quant_decode_q4_k)(const void *src, float *dst, int64_t n)
{
	const uint8_t *b = src;

	for (; n > 0; n -= QK_K, b += Q4_K_BYTES, dst += QK_K) {
		uint8_t q[QK_K];

		get_nibbles(b + Q4_K_QS, q);
		min_decode(b, q, dst);
	}
}

/* The fifth bit of weight 32 j + l is bit j of byte l. */
static void put_fifth(uint8_t *qh, const uint8_t *q)
{
	memset(qh, 0, 32);
	for (int j = 0; j < 8; j++)
		for (int l = 0; l < 32; l++)
			qh[l] |= (uint8_t)(q[32 * j + l] >> 4 << j);
}

void QUANT_NAME(quant_encode_q5_k)(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;
	struct min_fit fit;

	for (int64_t at = 0; at < n; at += QK_K, b += Q5_K_BYTES, src += QK_K) {
		uint8_t q[QK_K];

		min_search(&q5_search, src, subs_ahead(at, n, 32), &fit);
		min_encode(&q5_search, &fit, at % AHEAD(32) / 32, src, b, q);
		put_fifth(b + Q5_K_HIGH, q);
		put_nibbles(b + Q5_K_QS, q);
	}
}

void QUANT_NAME(quant_decode_q5_k)(const void *src, float *dst, int64_t n)
{
	const uint8_t *b = src;

	for (; n > 0; n -= QK_K, b += Q5_K_BYTES, dst += QK_K) {
		const uint8_t *qh = b + Q5_K_HIGH;
		uint8_t q[QK_K];

		get_nibbles(b + Q5_K_QS, q);
		for (int j = 0; j < 8; j++)
			for (int l = 0; l < 32; l++)
				q[32 * j + l] |= (uint8_t)((qh[l] >> j & 1) << 4);
		min_decode(b, q, dst);
	}
}

/* -- Q3_K: third bits, pairs, 16 scales of six bits, d ------------------------------ */

enum { Q3_K_QS = 32, Q3_K_SCALES = 96, Q3_K_D = 108, Q3_SWEEPS = 5 };

struct q3_fit { float scale[16], code[16][16]; };	/* code[weight][sub-block], -4 … 3 */

/*
 * The scales of 16 sub-blocks of 16: from the first rounding on, each weight in turn takes
 * the code that is best for the scale of the others, while the squared error falls.
 */
static inline void q3_search(const float *src, struct q3_fit *fit)
{
	const lanes_f zero = f_all(0.0f);

	for (int first = 0; first < 16; first += LANES) {
		lanes_f x[16], w[16], l[16], max, inv, scale, slx = zero, sl2 = zero;
		lanes_m none;
		bool moved = true;

		side_by_side(src + 16 * first, LANES, 16, x);
		max = f_largest(x, 16);
		none = f_less(f_abs(max), f_all(TINY));
		inv = f_all(-4.0f) / max;
		for (int i = 0; i < 16; i++) {
			w[i] = x[i] * x[i];
			l[i] = f_code(inv * x[i], -4, 3);
			slx += w[i] * x[i] * l[i];
			sl2 += w[i] * l[i] * l[i];
		}
		for (int sweep = 0; sweep < Q3_SWEEPS && moved; sweep++) {
			moved = false;
			for (int i = 0; i < 16; i++) {
				const lanes_f wx = w[i] * x[i];
				const lanes_f rest = slx - wx * l[i];
				const lanes_f rest2 = sl2 - w[i] * l[i] * l[i];
				const lanes_f c = f_code(x[i] * rest2 / rest, -4, 3);
				const lanes_f nlx = rest + wx * c;
				const lanes_f nl2 = rest2 + w[i] * c * c;
				const lanes_m better = f_less(slx * slx * nl2, nlx * nlx * sl2);
				const lanes_m fit_for = m_and(f_less(zero, rest), f_less(zero, nl2));
				const lanes_m take = m_andnot(m_and(fit_for, better), f_equal(c, l[i]));

				l[i] = f_pick(take, c, l[i]);
				slx = f_pick(take, nlx, slx);
				sl2 = f_pick(take, nl2, sl2);
				moved |= m_any(take);
			}
		}
		scale = f_pick(m_andnot(f_less(zero, sl2), none), slx / sl2, zero);
		f_store(fit->scale + first, scale);
		for (int i = 0; i < 16; i++)
			f_store(fit->code[i] + first, f_pick(none, f_all(-4.0f), l[i]));
	}
}

static void q3_put_scale(uint8_t *p, int j, int code)
{
	p[j % 8] |= (uint8_t)((code & 15) << 4 * (j / 8));
	p[8 + j % 4] |= (uint8_t)(code >> 4 << 2 * (j / 4));
}

static int q3_get_scale(const uint8_t *p, int j)
{
	return (p[j % 8] >> 4 * (j / 8) & 15) | (p[8 + j % 4] >> 2 * (j / 4) & 3) << 4;
}

static void q3_encode_block(const float *x, uint8_t *b)
{
	struct q3_fit fit;
	float max, inv, d;
	uint8_t q[QK_K];

	memset(b, 0, Q3_K_BYTES);
	q3_search(x, &fit);
	max = largest_scale(fit.scale, 16);
	inv = max != 0.0f ? -32.0f / max : 0.0f;
	put_half(b + Q3_K_D, inverse(inv));
	d = get_half(b + Q3_K_D);
	for (int j = 0; j < 16; j++) {
		const int code = code_of(inv * fit.scale[j], -32, 31);
		const float step = d * (float)code;

		if (max != 0.0f)
			q3_put_scale(b + Q3_K_SCALES, j, code + 32);
		for (int i = 0; i < 16 && step == 0.0f; i++)
			q[16 * j + i] = (uint8_t)(fit.code[i][j] + 4.0f);
		if (step != 0.0f)
			codes_by(x + 16 * j, step, 4, q + 16 * j);
	}
	for (int j = 0; j < 8; j++)
		for (int l = 0; l < 32; l++)
			b[l] |= (uint8_t)(q[32 * j + l] >> 2 << j);
	put_pairs(b + Q3_K_QS, q);
}

void QUANT_NAME(quant_encode_q3_k)(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;

	for (; n > 0; n -= QK_K, b += Q3_K_BYTES, src += QK_K)
		q3_encode_block(src, b);
}

void QUANT_NAME(quant_decode_q3_k)(const void *src, float *dst, int64_t n)
{
	const uint8_t *b = src;

	for (; n > 0; n -= QK_K, b += Q3_K_BYTES, dst += QK_K) {
		const float d = get_half(b + Q3_K_D);
		uint8_t q[QK_K];

		get_pairs(b + Q3_K_QS, q);
		for (int j = 0; j < 8; j++)
			for (int l = 0; l < 32; l++)
				q[32 * j + l] |= (uint8_t)((b[l] >> j & 1) << 2);
		for (int j = 0; j < 16; j++) {
			const float step = d * (float)(q3_get_scale(b + Q3_K_SCALES, j) - 32);

			for (int i = 16 * j; i < 16 * j + 16; i++)
				dst[i] = step * (float)(q[i] - 4);
		}
	}
}

/* -- Q6_K: low nibbles, high pairs, 16 signed scales, d ---------------------------- */

enum { Q6_K_HIGH = 128, Q6_K_SCALES = 192, Q6_K_D = 208, Q6_TRIES = 9 };

/* Weights ≈ scale × code, code = inv × x, rounded, -32 … top. */
struct q6_fit { float scale[16], inv[16], top[16]; };

/* Sums of w x code and w code² for the codes by one step. */
LANE void q6_sums(const lanes_f *x, const lanes_f *w, const lanes_f *wx, lanes_f inv, lanes_f *slx,
		  lanes_f *sl2)
{
	*slx = *sl2 = f_all(0.0f);
	for (int i = 0; i < 16; i++) {
		const lanes_f c = f_code(inv * x[i], -32, 31);

		*slx += wx[i] * c;
		*sl2 += w[i] * c * c;
	}
}

/*
 * The scales of 16 sub-blocks of 16 by least squares weighted by x², over 19 roundings: with
 * the largest on -32, and up to nine tenths to each side.
 */
static inline void q6_search(const float *src, struct q6_fit *fit)
{
	const lanes_f zero = f_all(0.0f);

	for (int first = 0; first < 16; first += LANES) {
		lanes_f x[16], w[16], wx[16], max, kept, scale, best, slx, sl2;
		lanes_m none;

		side_by_side(src + 16 * first, LANES, 16, x);
		max = f_largest(x, 16);
		none = f_less(f_abs(max), f_all(TINY));
		for (int i = 0; i < 16; i++) {
			w[i] = x[i] * x[i];
			wx[i] = w[i] * x[i];
		}
		kept = f_all(-32.0f) / max;
		q6_sums(x, w, wx, kept, &slx, &sl2);
		scale = f_pick(f_equal(sl2, zero), zero, slx / sl2);
		best = scale * slx;
		for (int t = -Q6_TRIES; t <= Q6_TRIES; t += t == -1 ? 2 : 1) {
			const lanes_f inv = f_all(-(32.0f + 0.1f * (float)t)) / max;
			lanes_m better;

			q6_sums(x, w, wx, inv, &slx, &sl2);
			better = m_and(f_less(zero, sl2), f_less(best * sl2, slx * slx));
			kept = f_pick(better, inv, kept);
			scale = f_pick(better, slx / sl2, scale);
			best = f_pick(better, scale * slx, best);
		}
		f_store(fit->scale + first, f_pick(none, zero, scale));
		f_store(fit->inv + first, kept);
		f_store(fit->top + first, f_pick(none, f_all(-32.0f), f_all(31.0f)));
	}
}

static void q6_pack(uint8_t *b, const uint8_t *q)
{
	for (int h = 0; h < 2; h++, q += 128) {
		uint8_t *ql = b + 64 * h, *qh = b + Q6_K_HIGH + 32 * h;

		for (int l = 0; l < 32; l++) {
			ql[l] = (uint8_t)((q[l] & 15) | q[l + 64] << 4);
			ql[l + 32] = (uint8_t)((q[l + 32] & 15) | q[l + 96] << 4);
			qh[l] = (uint8_t)(q[l] >> 4 | q[l + 32] >> 4 << 2 | q[l + 64] >> 4 << 4 |
					  q[l + 96] >> 4 << 6);
		}
	}
}

static void q6_encode_block(const float *x, uint8_t *b)
{
	struct q6_fit fit;
	float inv, d;
	uint8_t q[QK_K];
	int8_t *codes = (int8_t *)b + Q6_K_SCALES;

	q6_search(x, &fit);
	d = largest_scale(fit.scale, 16);
	if (!(fabsf(d) >= TINY)) {
		memset(b, 0, Q6_K_BYTES);
		return;
	}
	inv = -128.0f / d;
	put_half(b + Q6_K_D, 1.0f / inv);
	d = get_half(b + Q6_K_D);
	for (int j = 0; j < 16; j++, x += 16) {
		float step;

		codes[j] = (int8_t)code_of(inv * fit.scale[j], -128, 127);
		step = d * (float)codes[j];
		for (int i = 0; i < 16 && step == 0.0f; i++)
			q[16 * j + i] = (uint8_t)(code_of(fit.inv[j] * x[i], -32, (int)fit.top[j]) + 32);
		if (step != 0.0f)
			codes_by(x, step, 32, q + 16 * j);
	}
	q6_pack(b, q);
}

void QUANT_NAME(quant_encode_q6_k)(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;

	for (; n > 0; n -= QK_K, b += Q6_K_BYTES, src += QK_K)
		q6_encode_block(src, b);
}

static void q6_unpack(const uint8_t *b, uint8_t *q)
{
	for (int h = 0; h < 2; h++, q += 128) {
		const uint8_t *ql = b + 64 * h, *qh = b + Q6_K_HIGH + 32 * h;

		for (int l = 0; l < 32; l++) {
			q[l] = (uint8_t)((ql[l] & 15) | (qh[l] & 3) << 4);
			q[l + 32] = (uint8_t)((ql[l + 32] & 15) | (qh[l] >> 2 & 3) << 4);
			q[l + 64] = (uint8_t)(ql[l] >> 4 | (qh[l] >> 4 & 3) << 4);
			q[l + 96] = (uint8_t)(ql[l + 32] >> 4 | qh[l] >> 6 << 4);
		}
	}
}

void QUANT_NAME(quant_decode_q6_k)(const void *src, float *dst, int64_t n)
{
	const uint8_t *b = src;

	for (; n > 0; n -= QK_K, b += Q6_K_BYTES, dst += QK_K) {
		const float d = get_half(b + Q6_K_D);
		const int8_t *codes = (const int8_t *)b + Q6_K_SCALES;
		uint8_t q[QK_K];

		q6_unpack(b, q);
		for (int j = 0; j < 16; j++)
			for (int i = 16 * j; i < 16 * j + 16; i++)
				dst[i] = d * (float)codes[j] * (float)(q[i] - 32);
	}
}
