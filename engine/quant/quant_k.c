/*
 * The K types: super-blocks of 256 weights whose sub-blocks have scales of a few bits. A
 * sub-block's scale is found by trying. The sums over a sub-block are taken in index
 * order, as the bytes depend on their last bit; so it is sub-blocks (or candidates) that
 * stand side by side in the inner loops and fill a vector.
 */
#include "config.h"
#include "engine/quant/quant_block.h"

#define TINY 1e-15f	/* a sub-block without larger magnitudes is zero */

enum {
	SUBS = 8,		/* sub-blocks that are searched side by side */
	SUB_MAX = 32,		/* weights in the longest sub-block */
};

static inline int32_t code_of(float x, int lo, int hi)
{
	return clamp_int(round_even(x), lo, hi);
}

/* x (SUBS, len) → t (len, SUBS) */
static inline void side_by_side(const float *x, int len, float (*t)[SUBS])
{
	for (int s = 0; s < SUBS; s++)
		for (int i = 0; i < len; i++)
			t[i][s] = x[s * len + i];
}

static inline float largest_positive(const float *x, int n)
{
	float m = 0.0f;

	for (int i = 0; i < n; i++)
		m = x[i] > m ? x[i] : m;
	return m;
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

/* SUBS sub-blocks at work: weights i of all of them lie together. */
struct min_state {
	float x[SUB_MAX][SUBS];
	float w[SUB_MAX][SUBS];		/* how much an error at x counts */
	float sw[SUBS], sx[SUBS];	/* sums of w and w x */
	float lo[SUBS], hi[SUBS];	/* minimum so far (at most 0), largest x */
	bool flat[SUBS];		/* nothing above the minimum */
	float scale[SUBS], loss[SUBS];	/* the best so far, */
	float inv[SUBS], from[SUBS];	/* its codes: inv × (x - from), rounded */
};

static inline void min_weights(const struct min_search *p, struct min_state *m)
{
	float base[SUBS] = { 0 };

	for (int i = 0; i < p->len && p->squares; i++)
		for (int s = 0; s < SUBS; s++)
			base[s] += m->x[i][s] * m->x[i][s];
	for (int s = 0; s < SUBS; s++)
		base[s] = sqrtf(base[s] / (float)p->len);
	for (int i = 0; i < p->len; i++)
		for (int s = 0; s < SUBS; s++)
			m->w[i][s] = base[s] + fabsf(m->x[i][s]);
}

static inline float min_loss(const struct min_search *p, float diff)
{
	return p->squares ? diff * diff : fabsf(diff);
}

static inline void min_extent(const struct min_search *p, struct min_state *m)
{
	memset(m->sw, 0, sizeof m->sw);
	memset(m->sx, 0, sizeof m->sx);
	memcpy(m->lo, m->x[0], sizeof m->lo);
	memcpy(m->hi, m->x[0], sizeof m->hi);
	for (int i = 0; i < p->len; i++) {
		for (int s = 0; s < SUBS; s++) {
			const float x = m->x[i][s];

			m->lo[s] = x < m->lo[s] ? x : m->lo[s];
			m->hi[s] = x > m->hi[s] ? x : m->hi[s];
			m->sw[s] += m->w[i][s];
			m->sx[s] += m->w[i][s] * x;
		}
	}
}

/* The first guess: from the minimum to the largest in equal steps. */
static inline void min_start(const struct min_search *p, struct min_state *m)
{
	min_extent(p, m);
	for (int s = 0; s < SUBS; s++) {
		m->lo[s] = m->lo[s] > 0.0f ? 0.0f : m->lo[s];
		m->flat[s] = m->hi[s] == m->lo[s];
		m->inv[s] = (float)p->top / (m->hi[s] - m->lo[s]);
		m->from[s] = m->lo[s];
		m->scale[s] = 1.0f / m->inv[s];
		m->loss[s] = 0.0f;
	}
	for (int i = 0; i < p->len; i++) {
		for (int s = 0; s < SUBS; s++) {
			const float c =
			    (float)code_of(m->inv[s] * (m->x[i][s] - m->lo[s]), 0, p->top);

			m->loss[s] +=
			    m->w[i][s] * min_loss(p, m->scale[s] * c + m->lo[s] - m->x[i][s]);
		}
	}
}

/* Codes by another step, the scale and minimum that fit them best; kept if they do better. */
static inline void min_try(const struct min_search *p, struct min_state *m, int step)
{
	float code[SUB_MAX][SUBS], inv[SUBS];
	float sl[SUBS] = { 0 }, sl2[SUBS] = { 0 }, sxl[SUBS] = { 0 };
	float det[SUBS], scale[SUBS], lo[SUBS], loss[SUBS] = { 0 };

	for (int s = 0; s < SUBS; s++)
		inv[s] = (p->first + 0.1f * (float)step + (float)p->top) / (m->hi[s] - m->lo[s]);
	for (int i = 0; i < p->len; i++) {
		for (int s = 0; s < SUBS; s++) {
			const float c = (float)code_of(inv[s] * (m->x[i][s] - m->lo[s]), 0, p->top);
			const float wc = m->w[i][s] * c;

			code[i][s] = c;
			sl[s] += wc;
			sl2[s] += wc * c;
			sxl[s] += wc * m->x[i][s];
		}
	}
	for (int s = 0; s < SUBS; s++) {
		const float through_zero = sxl[s] / sl2[s];

		det[s] = m->sw[s] * sl2[s] - sl[s] * sl[s];
		scale[s] = (m->sw[s] * sxl[s] - m->sx[s] * sl[s]) / det[s];
		lo[s] = (sl2[s] * m->sx[s] - sl[s] * sxl[s]) / det[s];
		scale[s] = lo[s] > 0.0f ? through_zero : scale[s];
		lo[s] = lo[s] > 0.0f ? 0.0f : lo[s];
	}
	for (int i = 0; i < p->len; i++)
		for (int s = 0; s < SUBS; s++)
			loss[s] +=
			    m->w[i][s] * min_loss(p, scale[s] * code[i][s] + lo[s] - m->x[i][s]);
	for (int s = 0; s < SUBS; s++) {
		if (!(det[s] > 0.0f && loss[s] < m->loss[s]))
			continue;
		m->loss[s] = loss[s];
		m->scale[s] = scale[s];
		m->inv[s] = inv[s];
		m->from[s] = m->lo[s];
		m->lo[s] = lo[s];
	}
}

/*
 * Weights ≈ scale × code - min, for SUBS sub-blocks: steps of 1 / scale are tried, each
 * with the best scale and minimum for its codes, and the least weighted error is kept. A
 * kept minimum is where the next steps start from.
 */
static inline void min_search(const struct min_search *p, const float *x, float *scale, float *min,
			      uint8_t *q)
{
	struct min_state m;

	side_by_side(x, p->len, m.x);
	min_weights(p, &m);
	min_start(p, &m);
	for (int step = 0; step <= p->steps; step++)
		min_try(p, &m, step);
	for (int s = 0; s < SUBS; s++) {
		for (int i = 0; i < p->len; i++) {
			const float c = m.inv[s] * (m.x[i][s] - m.from[s]);

			q[s * p->len + i] = m.flat[s] ? 0 : (uint8_t)code_of(c, 0, p->top);
		}
		scale[s] = m.flat[s] ? 0.0f : m.scale[s];
		min[s] = -m.lo[s];
	}
}

/* The codes that fit the scale and minimum as they are stored. */
static inline void min_requant(const float *x, int len, int top, float step, float min, uint8_t *q)
{
	for (int i = 0; i < len && step != 0.0f; i++)
		q[i] = (uint8_t)code_of((x[i] + min) / step, 0, top);
}

/* -- Q2_K: 16 scales and minima in nibbles, pairs, d, dmin -------------------------- */

enum { Q2_K_BYTES = 84, Q2_K_QS = 16, Q2_K_D = 80 };

static void q2_encode_block(const float *x, uint8_t *b)
{
	float scale[16], min[16], top_scale, top_min, d, dmin, inv_scale, inv_min;
	uint8_t q[QK_K];

	for (int h = 0; h < 2; h++)
		min_search(&q2_search, x + 128 * h, scale + SUBS * h, min + SUBS * h, q + 128 * h);
	top_scale = largest_positive(scale, 16);
	top_min = largest_positive(min, 16);
	inv_scale = top_scale > 0.0f ? 15.0f / top_scale : 0.0f;
	inv_min = top_min > 0.0f ? 15.0f / top_min : 0.0f;
	put_half(b + Q2_K_D, top_scale / 15.0f);
	put_half(b + Q2_K_D + 2, top_min / 15.0f);
	d = get_half(b + Q2_K_D);
	dmin = get_half(b + Q2_K_D + 2);
	for (int j = 0; j < 16; j++) {
		const int sc = code_of(inv_scale * scale[j], 0, 15);
		const int mn = code_of(inv_min * min[j], 0, 15);

		b[j] = (uint8_t)(sc | mn << 4);
		min_requant(x + 16 * j, 16, 3, d * (float)sc, dmin * (float)mn, q + 16 * j);
	}
	put_pairs(b + Q2_K_QS, q);
}

void quant_encode_q2_k(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;

	for (; n > 0; n -= QK_K, b += Q2_K_BYTES, src += QK_K)
		q2_encode_block(src, b);
}

void quant_decode_q2_k(const void *src, float *dst, int64_t n)
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

enum {
	Q4_K_BYTES = 144, Q4_K_QS = 16,
	Q5_K_BYTES = 176, Q5_K_HIGH = 16, Q5_K_QS = 48,
	K_SCALES = 4,
};

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

/* Writes d, dmin and the scales to the head of a block; q gets the codes. */
static inline void min_encode(const struct min_search *p, const float *x, uint8_t *b, uint8_t *q)
{
	float scale[SUBS], min[SUBS], top_scale, top_min, d, dmin, inv_scale, inv_min;
	uint8_t sc[SUBS], mn[SUBS];

	min_search(p, x, scale, min, q);
	top_scale = largest_positive(scale, SUBS);
	top_min = largest_positive(min, SUBS);
	inv_scale = top_scale > 0.0f ? 63.0f / top_scale : 0.0f;
	inv_min = top_min > 0.0f ? 63.0f / top_min : 0.0f;
	put_half(b, top_scale / 63.0f);
	put_half(b + 2, top_min / 63.0f);
	d = get_half(b);
	dmin = get_half(b + 2);
	for (int j = 0; j < SUBS; j++) {
		sc[j] = (uint8_t)code_of(inv_scale * scale[j], 0, 63);
		mn[j] = (uint8_t)code_of(inv_min * min[j], 0, 63);
		min_requant(x + 32 * j, 32, p->top, d * (float)sc[j], dmin * (float)mn[j],
			    q + 32 * j);
	}
	put_six(b + K_SCALES, sc, mn);
}

static inline void min_decode(const uint8_t *b, const uint8_t *q, float *dst)
{
	const float d = get_half(b), dmin = get_half(b + 2);
	uint8_t sc[SUBS], mn[SUBS];

	get_six(b + K_SCALES, sc, mn);
	for (int j = 0; j < SUBS; j++) {
		const float step = d * (float)sc[j], min = dmin * (float)mn[j];

		for (int i = 32 * j; i < 32 * j + 32; i++)
			dst[i] = step * (float)q[i] - min;
	}
}

void quant_encode_q4_k(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;

	for (; n > 0; n -= QK_K, b += Q4_K_BYTES, src += QK_K) {
		uint8_t q[QK_K];

		min_encode(&q4_search, src, b, q);
		put_nibbles(b + Q4_K_QS, q);
	}
}

void quant_decode_q4_k(const void *src, float *dst, int64_t n)
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

void quant_encode_q5_k(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;

	for (; n > 0; n -= QK_K, b += Q5_K_BYTES, src += QK_K) {
		uint8_t q[QK_K];

		min_encode(&q5_search, src, b, q);
		put_fifth(b + Q5_K_HIGH, q);
		put_nibbles(b + Q5_K_QS, q);
	}
}

void quant_decode_q5_k(const void *src, float *dst, int64_t n)
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

enum { Q3_K_BYTES = 110, Q3_K_QS = 32, Q3_K_SCALES = 96, Q3_K_D = 108, Q3_SWEEPS = 5 };

/*
 * Scales of SUBS sub-blocks of 16: from the first rounding on, each weight in turn takes
 * the code that is best for the scale of the others, while the squared error falls.
 */
static void q3_search(const float *x, float *scale, uint8_t *q)
{
	float xt[16][SUBS], w[16][SUBS], l[16][SUBS];
	float inv[SUBS], slx[SUBS] = { 0 }, sl2[SUBS] = { 0 };
	bool zero[SUBS], moved = true;

	side_by_side(x, 16, xt);
	for (int s = 0; s < SUBS; s++) {
		const float max = quant_largest(x + 16 * s, 16);

		zero[s] = fabsf(max) < TINY;
		inv[s] = -4.0f / max;
	}
	for (int i = 0; i < 16; i++) {
		for (int s = 0; s < SUBS; s++) {
			w[i][s] = xt[i][s] * xt[i][s];
			l[i][s] = (float)code_of(inv[s] * xt[i][s], -4, 3);
			slx[s] += w[i][s] * xt[i][s] * l[i][s];
			sl2[s] += w[i][s] * l[i][s] * l[i][s];
		}
	}
	for (int sweep = 0; sweep < Q3_SWEEPS && moved; sweep++) {
		int moves = 0;

		for (int i = 0; i < 16; i++) {
			for (int s = 0; s < SUBS; s++) {
				const float wx = w[i][s] * xt[i][s];
				const float rest = slx[s] - wx * l[i][s];
				const float rest2 = sl2[s] - w[i][s] * l[i][s] * l[i][s];
				const float c = (float)code_of(xt[i][s] * rest2 / rest, -4, 3);
				const float nlx = rest + wx * c;
				const float nl2 = rest2 + w[i][s] * c * c;
				const bool take = (rest > 0.0f) & (c != l[i][s]) & (nl2 > 0.0f) &
						  (nlx * nlx * sl2[s] > slx[s] * slx[s] * nl2);

				l[i][s] = take ? c : l[i][s];
				slx[s] = take ? nlx : slx[s];
				sl2[s] = take ? nl2 : sl2[s];
				moves += take;
			}
		}
		moved = moves > 0;
	}
	for (int s = 0; s < SUBS; s++) {
		scale[s] = !zero[s] && sl2[s] > 0.0f ? slx[s] / sl2[s] : 0.0f;
		for (int i = 0; i < 16; i++)
			q[16 * s + i] = zero[s] ? 0 : (uint8_t)(l[i][s] + 4.0f);
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
	float scale[16], max, inv, d;
	uint8_t q[QK_K];

	memset(b, 0, Q3_K_BYTES);
	for (int h = 0; h < 2; h++)
		q3_search(x + 128 * h, scale + SUBS * h, q + 128 * h);
	max = quant_largest(scale, 16);
	inv = max != 0.0f ? -32.0f / max : 0.0f;
	put_half(b + Q3_K_D, inverse(inv));
	d = get_half(b + Q3_K_D);
	for (int j = 0; j < 16; j++) {
		const int code = code_of(inv * scale[j], -32, 31);
		const float step = d * (float)code;

		if (max != 0.0f)
			q3_put_scale(b + Q3_K_SCALES, j, code + 32);
		for (int i = 16 * j; i < 16 * j + 16 && step != 0.0f; i++)
			q[i] = (uint8_t)(code_of(x[i] / step, -4, 3) + 4);
	}
	for (int j = 0; j < 8; j++)
		for (int l = 0; l < 32; l++)
			b[l] |= (uint8_t)(q[32 * j + l] >> 2 << j);
	put_pairs(b + Q3_K_QS, q);
}

void quant_encode_q3_k(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;

	for (; n > 0; n -= QK_K, b += Q3_K_BYTES, src += QK_K)
		q3_encode_block(src, b);
}

void quant_decode_q3_k(const void *src, float *dst, int64_t n)
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

enum { Q6_K_BYTES = 210, Q6_K_HIGH = 128, Q6_K_SCALES = 192, Q6_K_D = 208, Q6_TRIES = 20 };

/* First guess, then -9 … 9 tenths without 0; the 20th is there to fill the vector. */
static const float q6_try[Q6_TRIES] = {
	0, -9, -8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0,
};

/* The scale of 16 weights by least squares weighted by x², over 19 roundings; codes, 0 … 63. */
static float q6_search(const float *x, uint8_t *q)
{
	const float max = quant_largest(x, 16);
	float is[Q6_TRIES], slx[Q6_TRIES] = { 0 }, sl2[Q6_TRIES] = { 0 };
	float scale, best;
	int kept = 0;

	memset(q, 0, 16);
	if (fabsf(max) < TINY)
		return 0.0f;
	for (int t = 0; t < Q6_TRIES; t++)
		is[t] = -(32.0f + 0.1f * q6_try[t]) / max;
	for (int i = 0; i < 16; i++) {
		const float w = x[i] * x[i];

		for (int t = 0; t < Q6_TRIES; t++) {
			const float l = (float)code_of(is[t] * x[i], -32, 31);

			slx[t] += w * x[i] * l;
			sl2[t] += w * l * l;
		}
	}
	scale = sl2[0] != 0.0f ? slx[0] / sl2[0] : 0.0f;
	best = scale * slx[0];
	for (int t = 1; t < Q6_TRIES - 1; t++) {
		if (sl2[t] > 0.0f && slx[t] * slx[t] > best * sl2[t]) {
			scale = slx[t] / sl2[t];
			best = scale * slx[t];
			kept = t;
		}
	}
	for (int i = 0; i < 16; i++)
		q[i] = (uint8_t)(code_of(is[kept] * x[i], -32, 31) + 32);
	return scale;
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
	float scales[16], inv, d;
	uint8_t q[QK_K];
	int8_t *codes = (int8_t *)b + Q6_K_SCALES;

	for (int j = 0; j < 16; j++)
		scales[j] = q6_search(x + 16 * j, q + 16 * j);
	d = quant_largest(scales, 16);
	if (!(fabsf(d) >= TINY)) {
		memset(b, 0, Q6_K_BYTES);
		return;
	}
	inv = -128.0f / d;
	put_half(b + Q6_K_D, 1.0f / inv);
	d = get_half(b + Q6_K_D);
	for (int j = 0; j < 16; j++) {
		float step;

		codes[j] = (int8_t)code_of(inv * scales[j], -128, 127);
		step = d * (float)codes[j];
		for (int i = 16 * j; i < 16 * j + 16 && step != 0.0f; i++)
			q[i] = (uint8_t)(code_of(x[i] / step, -32, 31) + 32);
	}
	q6_pack(b, q);
}

void quant_encode_q6_k(const float *src, void *dst, int64_t n)
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

void quant_decode_q6_k(const void *src, float *dst, int64_t n)
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
