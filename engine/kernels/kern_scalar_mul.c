/*
 * Products with weights, scalar. Rounded activations meet the weights as integers: per
 * block of 32,
 *
 *	y += (d · Σ_j sc_j Σ q·x + m · Σ_j mn_j Σ x) · dx		j: half blocks of 16
 *
 * with both sums exact in int32. Every type is thus a function that unpacks one block;
 * what the bytes mean is told in engine/quant.
 */
#include "config.h"
#include "engine/kernels/kern_pack.h"
#include "engine/kernels/kern_scalar.h"

enum { N = KERN_ACT_BLOCK, H = N / 2, SUPER = 256, SUBS = SUPER / N, TOKENS = 64 };

struct block {
	int8_t q[N];
	float d, m;
	int sc[2], mn[2];
};

/* Block b of 32 in a row. */
typedef void unpack_fn(const uint8_t *row, int64_t b, struct block *o);

static float half(const uint8_t *p)
{
	return quant_f16_to_f32((uint16_t)(p[0] | p[1] << 8));
}

static void set(struct block *o, float d, int sc0, int sc1, float m, int mn0, int mn1)
{
	o->d = d;
	o->sc[0] = sc0;
	o->sc[1] = sc1;
	o->m = m;
	o->mn[0] = mn0;
	o->mn[1] = mn1;
}

/* -- blocks of 32 ------------------------------------------------------------------- */

static void nibbles(const uint8_t *qs, int offset, int8_t *q)
{
	for (int i = 0; i < H; i++) {
		q[i] = (int8_t)((qs[i] & 15) - offset);
		q[i + H] = (int8_t)((qs[i] >> 4) - offset);
	}
}

static void fifth_bits(const uint8_t *qh, int8_t *q)
{
	for (int i = 0; i < N; i++)
		q[i] = (int8_t)(q[i] + ((qh[i / 8] >> i % 8 & 1) << 4));
}

static void unpack_q4_0(const uint8_t *row, int64_t b, struct block *o)
{
	const uint8_t *p = row + b * 18;

	nibbles(p + 2, 8, o->q);
	set(o, half(p), 1, 1, 0, 0, 0);
}

static void unpack_q4_1(const uint8_t *row, int64_t b, struct block *o)
{
	const uint8_t *p = row + b * 20;

	nibbles(p + 4, 0, o->q);
	set(o, half(p), 1, 1, half(p + 2), 1, 1);
}

static void unpack_q5_0(const uint8_t *row, int64_t b, struct block *o)
{
	const uint8_t *p = row + b * 22;

	nibbles(p + 6, 16, o->q);
	fifth_bits(p + 2, o->q);
	set(o, half(p), 1, 1, 0, 0, 0);
}

static void unpack_q5_1(const uint8_t *row, int64_t b, struct block *o)
{
	const uint8_t *p = row + b * 24;

	nibbles(p + 8, 0, o->q);
	fifth_bits(p + 4, o->q);
	set(o, half(p), 1, 1, half(p + 2), 1, 1);
}

static void unpack_q8_0(const uint8_t *row, int64_t b, struct block *o)
{
	const uint8_t *p = row + b * 34;

	for (int i = 0; i < N; i++)
		o->q[i] = (int8_t)p[2 + i];
	set(o, half(p), 1, 1, 0, 0, 0);
}

static void table_nibbles(const uint8_t *qs, int8_t *q)
{
	static const int8_t values[16] = { -127, -104, -83, -65, -49, -35, -22, -10,
					   1, 13, 25, 38, 53, 69, 89, 113 };

	for (int i = 0; i < H; i++) {
		q[i] = values[qs[i] & 15];
		q[i + H] = values[qs[i] >> 4];
	}
}

static void unpack_iq4_nl(const uint8_t *row, int64_t b, struct block *o)
{
	const uint8_t *p = row + b * 18;

	table_nibbles(p + 2, o->q);
	set(o, half(p), 1, 1, 0, 0, 0);
}

/* -- super-blocks of 256: sub-block i of 32 ----------------------------------------- */

/* Two bits a weight, 128 weights in 32 bytes, 32 weights at one shift. */
static void pairs_of_bits(const uint8_t *qs, int i, int offset, int8_t *q)
{
	for (int l = 0; l < N; l++)
		q[l] = (int8_t)((qs[i / 4 * N + l] >> 2 * (i % 4) & 3) - offset);
}

static void unpack_q2_k(const uint8_t *row, int64_t b, struct block *o)
{
	const uint8_t *p = row + b / SUBS * 84, *sc = p + b % SUBS * 2;

	pairs_of_bits(p + 16, (int)(b % SUBS), 0, o->q);
	set(o, half(p + 80), sc[0] & 15, sc[1] & 15, -half(p + 82), sc[0] >> 4, sc[1] >> 4);
}

static int scale_q3_k(const uint8_t *sc, int j)
{
	return ((j < 8 ? sc[j] & 15 : sc[j - 8] >> 4) | (sc[8 + j % 4] >> 2 * (j / 4) & 3) << 4) - 32;
}

static void unpack_q3_k(const uint8_t *row, int64_t b, struct block *o)
{
	const uint8_t *p = row + b / SUBS * 110;
	const int i = (int)(b % SUBS);

	pairs_of_bits(p + 32, i, 4, o->q);
	for (int l = 0; l < N; l++)
		o->q[l] = (int8_t)(o->q[l] + ((p[l] >> i & 1) << 2));
	set(o, half(p + 108), scale_q3_k(p + 96, 2 * i), scale_q3_k(p + 96, 2 * i + 1), 0, 0, 0);
}

static void set_q45_k(struct block *o, const uint8_t *p, int i)
{
	const uint8_t *s = p + 4;
	const int sc = i < 4 ? s[i] & 63 : (s[i + 4] & 15) | s[i - 4] >> 6 << 4;
	const int mn = i < 4 ? s[i + 4] & 63 : s[i + 4] >> 4 | s[i] >> 6 << 4;

	set(o, half(p), sc, sc, -half(p + 2), mn, mn);
}

static void unpack_q4_k(const uint8_t *row, int64_t b, struct block *o)
{
	const uint8_t *p = row + b / SUBS * 144, *qs = p + 16 + b % SUBS / 2 * N;

	for (int l = 0; l < N; l++)
		o->q[l] = (int8_t)(b % 2 ? qs[l] >> 4 : qs[l] & 15);
	set_q45_k(o, p, (int)(b % SUBS));
}

static void unpack_q5_k(const uint8_t *row, int64_t b, struct block *o)
{
	const uint8_t *p = row + b / SUBS * 176, *qh = p + 16, *qs = p + 48 + b % SUBS / 2 * N;
	const int i = (int)(b % SUBS);

	for (int l = 0; l < N; l++)
		o->q[l] = (int8_t)((i % 2 ? qs[l] >> 4 : qs[l] & 15) | (qh[l] >> i & 1) << 4);
	set_q45_k(o, p, i);
}

static void unpack_q6_k(const uint8_t *row, int64_t b, struct block *o)
{
	const uint8_t *p = row + b / SUBS * 210;
	const int i = (int)(b % SUBS), n = i % 4;
	const uint8_t *ql = p + i / 4 * 64 + n % 2 * N, *qh = p + 128 + i / 4 * N;
	const int8_t *sc = (const int8_t *)p + 192 + 2 * i;

	for (int l = 0; l < N; l++)
		o->q[l] = (int8_t)(((n < 2 ? ql[l] & 15 : ql[l] >> 4) | (qh[l] >> 2 * n & 3) << 4) - 32);
	set(o, half(p + 208), sc[0], sc[1], 0, 0, 0);
}

static void unpack_iq4_xs(const uint8_t *row, int64_t b, struct block *o)
{
	const uint8_t *p = row + b / SUBS * 136;
	const int i = (int)(b % SUBS);
	const int high = (p[2] | p[3] << 8) >> 2 * i & 3;
	const int sc = ((p[4 + i / 2] >> 4 * (i % 2) & 15) | high << 4) - 32;

	table_nibbles(p + 8 + i * H, o->q);
	set(o, half(p), sc, sc, 0, 0, 0);
}

/* Digit n, counted from the most significant, of five base-3 digits stored as a fraction of 256. */
static int digit(uint8_t byte, int n)
{
	static const uint8_t pow3[5] = { 1, 3, 9, 27, 81 };

	return ((byte * pow3[n] & 255) * 3) >> 8;
}

static void unpack_tq1_0(const uint8_t *row, int64_t b, struct block *o)
{
	const uint8_t *p = row + b / SUBS * 54;
	const int i = (int)(b % SUBS) * N;

	for (int l = 0; l < N; l++) {
		const int w = i + l;
		const int v = w < 160 ? digit(p[w % 32], w / 32) :
			      w < 240 ? digit(p[32 + w % 16], (w - 160) / 16) :
					digit(p[48 + w % 4], (w - 240) / 4);

		o->q[l] = (int8_t)(v - 1);
	}
	set(o, half(p + 52), 1, 1, 0, 0, 0);
}

static void unpack_tq2_0(const uint8_t *row, int64_t b, struct block *o)
{
	const uint8_t *p = row + b / SUBS * 66;

	pairs_of_bits(p, (int)(b % SUBS), 1, o->q);
	set(o, half(p + 64), 1, 1, 0, 0, 0);
}

/* Pairs of bits, 128 weights in 32 bytes, the first 32 in the highest. */
static void unpack_i2_s(const uint8_t *row, int64_t b, struct block *o)
{
	const uint8_t *p = row + b / 4 * N;

	for (int l = 0; l < N; l++)
		o->q[l] = (int8_t)((p[l] >> (6 - 2 * (b % 4)) & 3) - 1);
	set(o, 1, 1, 1, 0, 0, 0);
}

/* -- the products ------------------------------------------------------------------- */

static int dot16(const int8_t *a, const int8_t *b)
{
	int s = 0;

	for (int i = 0; i < H; i++)
		s += a[i] * b[i];
	return s;
}

/* Block w times block b of token t. */
static float mul_block(const struct block *w, const struct kern_acts *a, int64_t t, int64_t b)
{
	const int64_t i = t * (a->k / N) + b;
	const int8_t *x = a->q + i * N;
	const int16_t *sum = a->sum + 2 * i;
	const int dot = w->sc[0] * dot16(w->q, x) + w->sc[1] * dot16(w->q + H, x + H);
	const int low = w->mn[0] * sum[0] + w->mn[1] * sum[1];

	return (w->d * (float)dot + w->m * (float)low) * a->d[i];
}

/* Row r for tokens t0 … t1-1. */
static void mul_row(const struct kern_mul *m, int64_t r, int64_t t0, int64_t t1, unpack_fn *unpack)
{
	const uint8_t *row = (const uint8_t *)m->w + r * m->w_stride;
	float acc[TOKENS] = { 0 }, rest[TOKENS] = { 0 };
	struct block w;

	for (int64_t b = 0; b < m->a->k / N; b++) {
		unpack(row, b, &w);
		for (int64_t t = t0; t < t1; t++) {
			acc[t - t0] += mul_block(&w, m->a, t, b);
			if (m->rest)
				rest[t - t0] += mul_block(&w, m->rest, t, b);
		}
	}
	for (int64_t t = t0; t < t1; t++)
		m->y[t * m->ldy + r - m->y0] = m->rest ? acc[t - t0] + rest[t - t0] : acc[t - t0];
}

static void mul_rows(const struct kern_mul *m, unpack_fn *unpack)
{
	for (int64_t t = 0; t < m->a->t; t += TOKENS)
		for (int64_t r = m->r0; r < m->r1; r++)
			mul_row(m, r, t, t + TOKENS < m->a->t ? t + TOKENS : m->a->t, unpack);
}

/* Any type: decoded in pieces of at most 256, times the activations as they are. */
static void mul_decoded(const struct kern_mul *m, enum quant_id id)
{
	const struct quant_type *type = quant_by_id(id);
	const struct kern_acts *a = m->a;
	float w[SUPER];

	for (int64_t r = m->r0; r < m->r1; r++) {
		for (int64_t t = 0; t < a->t; t++)
			m->y[t * m->ldy + r - m->y0] = 0;
		for (int64_t k = 0; k < a->k; k += SUPER) {
			const int64_t n = a->k - k < SUPER ? a->k - k : SUPER;

			kern_decode(type, m->w, m->w_stride, m->panel, a->k, r, k, n, w);
			for (int64_t t = 0; t < a->t; t++) {
				const float *x = a->x + t * a->k + k;
				float s = m->y[t * m->ldy + r - m->y0];

				for (int64_t i = 0; i < n; i++)
					s += w[i] * x[i];
				m->y[t * m->ldy + r - m->y0] = s;
			}
		}
	}
}

#define FLOATS(X) \
	X(F32) \
	X(F16) \
	X(BF16)

#define BLOCKS(X) \
	X(Q4_0, unpack_q4_0) \
	X(Q4_1, unpack_q4_1) \
	X(Q5_0, unpack_q5_0) \
	X(Q5_1, unpack_q5_1) \
	X(Q8_0, unpack_q8_0) \
	X(Q2_K, unpack_q2_k) \
	X(Q3_K, unpack_q3_k) \
	X(Q4_K, unpack_q4_k) \
	X(Q5_K, unpack_q5_k) \
	X(Q6_K, unpack_q6_k) \
	X(IQ4_NL, unpack_iq4_nl) \
	X(IQ4_XS, unpack_iq4_xs) \
	X(TQ1_0, unpack_tq1_0) \
	X(TQ2_0, unpack_tq2_0) \
	X(I2_S, unpack_i2_s)

#define DECODED_FN(type) \
	static void decoded_##type(const struct kern_mul *m) \
	{ \
		mul_decoded(m, QUANT_##type); \
	}
#define BLOCKS_FN(type, unpack) \
	DECODED_FN(type) \
	static void mul_##type(const struct kern_mul *m) \
	{ \
		mul_rows(m, unpack); \
	}
FLOATS(DECODED_FN)
BLOCKS(BLOCKS_FN)

void kern_scalar_mul_init(struct kern *k)
{
#define FLOATS_SET(id) k->type[QUANT_##id] = (struct kern_type){ .act = KERN_ACT_F32, .mul = decoded_##id, .mul_f32 = decoded_##id };
#define BLOCKS_SET(id, unpack) k->type[QUANT_##id] = (struct kern_type){ .act = KERN_ACT_Q8, .mul = mul_##id, .mul_f32 = decoded_##id };
	FLOATS(FLOATS_SET)
	BLOCKS(BLOCKS_SET)
}
