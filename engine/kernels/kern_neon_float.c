/*
 * Products with activations as they are, NEON: F32, F16 and BF16 weights, and every other
 * type decoded. An output is the sum over pieces of PIECE k of f8_sum() of eight chains,
 * k mod 8, whether a row is read where it lies (one token) or unpacked first (several).
 *
 * A tile is four rows times three tokens, eight chains each: 24 of the 32 registers. Four k
 * are taken at a time, the low chains' or the high ones': three registers of activations and
 * one of weights.
 *
 *	            x token 0   x token 1   x token 2
 *	w row 0   [ lo | hi ] [ lo | hi ] [ lo | hi ]
 *	w row 1   [ lo | hi ] …
 */
#include "config.h"
#include "engine/kernels/kern_neon.h"
#include "engine/kernels/kern_pack.h"

#include <stdbool.h>

enum {
	PIECE = 1024,
	ROWS = 4,
	TILE = 3,
};

/* Weights i … i+3 of a row. */
typedef float32x4_t load_fn(const uint8_t *row, int64_t i);

struct weights {
	int bytes;		/* a weight; 0: must be decoded */
	load_fn *load;
};

INLINE float32x4_t load_f32(const uint8_t *row, int64_t i)
{
	return vreinterpretq_f32_u8(vld1q_u8(row + 4 * i));
}

INLINE float32x4_t load_f16(const uint8_t *row, int64_t i)
{
	return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(row + 2 * i)));
}

INLINE float32x4_t load_bf16(const uint8_t *row, int64_t i)
{
	return vreinterpretq_f32_u32(vshll_n_u16(vreinterpret_u16_u8(vld1_u8(row + 2 * i)), 16));
}

static const struct weights f32 = { 4, load_f32 };

struct acc {
	float32x4_t v[2][ROWS][TILE];
};

/* Eight k, from i of each row and token. */
INLINE void step(const struct weights t, const uint8_t *w, int64_t stride, const float *x, int64_t ldx, int64_t i,
		 int rows, int n, struct acc *acc)
{
	float32x4_t v[TILE];

	UNROLL
	for (int half = 0; half < 2; half++) {
		UNROLL
		for (int j = 0; j < n; j++)
			v[j] = vld1q_f32(x + j * ldx + i + 4 * half);
		UNROLL
		for (int r = 0; r < rows; r++) {
			const float32x4_t u = t.load(w + r * stride, i + 4 * half);

			UNROLL
			for (int j = 0; j < n; j++)
				acc->v[half][r][j] = vfmaq_f32(acc->v[half][r][j], u, v[j]);
		}
	}
}

/* The last k mod 8, zeros after them. */
INLINE void last_step(const struct weights t, const uint8_t *w, int64_t stride, const float *x, int64_t ldx, int64_t k,
		      int rows, int n, struct acc *acc)
{
	const size_t rest = (size_t)(k % 8);
	const int64_t i = k - (int64_t)rest;
	uint8_t wl[ROWS * 32] = { 0 };
	float xl[TILE * 8] = { 0 };

	for (int r = 0; r < rows; r++)
		memcpy(wl + r * 32, w + r * stride + i * t.bytes, rest * (size_t)t.bytes);
	for (int j = 0; j < n; j++)
		memcpy(xl + j * 8, x + j * ldx + i, rest * sizeof *x);
	step(t, wl, 32, xl, 8, 0, rows, n, acc);
}

/* rows × n outputs get their share of k values: rows of weights `stride` bytes apart, of activations ldx. */
INLINE void tile(const struct weights t, const uint8_t *w, int64_t stride, const float *x, int64_t ldx, int64_t k,
		 int rows, int n, float *y, int64_t ldy)
{
	struct acc acc;

	UNROLL
	for (int r = 0; r < rows; r++)
		UNROLL
		for (int j = 0; j < n; j++)
			acc.v[0][r][j] = acc.v[1][r][j] = vdupq_n_f32(0);
	for (int64_t i = 0; i + 8 <= k; i += 8) {
		step(t, w, stride, x, ldx, i, rows, n, &acc);
		UNROLL
		for (int r = 0; n == 1 && r < rows; r++)	/* the rows after these */
			__builtin_prefetch(w + (r + rows) * stride + i * t.bytes);
	}
	if (k % 8)
		last_step(t, w, stride, x, ldx, k, rows, n, &acc);
	UNROLL
	for (int r = 0; r < rows; r++)
		UNROLL
		for (int j = 0; j < n; j++)
			y[j * ldy + r] += f8_sum((struct f8){ acc.v[0][r][j], acc.v[1][r][j] });
}

/* All tokens. */
INLINE void tiles(const struct weights t, const uint8_t *w, int64_t stride, const struct kern_mul *m, int64_t r,
		  int64_t k0, int64_t k, int rows)
{
	const struct kern_acts *a = m->a;
	const float *x = a->x + k0;
	int64_t j = 0;

	for (; j + TILE <= a->t; j += TILE)
		tile(t, w, stride, x + j * a->k, a->k, k, rows, TILE, m->y + j * m->ldy + r, m->ldy);
	for (; j < a->t; j++)
		tile(t, w, stride, x + j * a->k, a->k, k, rows, 1, m->y + j * m->ldy + r, m->ldy);
}

INLINE void unpack_floats(const struct weights t, const uint8_t *w, int64_t stride, int64_t k0, int64_t k, int rows,
			  float *out)
{
	for (int r = 0; r < rows; r++) {
		const uint8_t *row = w + r * stride + k0 * t.bytes;
		int64_t i = 0;

		for (; i + 4 <= k; i += 4)
			vst1q_f32(out + r * PIECE + i, t.load(row, i));
		if (i < k) {
			uint8_t last[16] = { 0 };

			memcpy(last, row + i * t.bytes, (size_t)((k - i) * t.bytes));
			vst1q_f32(out + r * PIECE + i, t.load(last, 0));
		}
	}
}

INLINE void rows_piece(const struct weights t, const struct quant_type *type, const struct kern_mul *m, int64_t r,
		       int rows, int64_t k0, int64_t k)
{
	const uint8_t *w = (const uint8_t *)m->w + r * m->w_stride;
	float scratch[ROWS * PIECE];

	if (t.bytes && (t.load == load_f32 || m->a->t <= TILE)) {
		tiles(t, w + k0 * t.bytes, m->w_stride, m, r, k0, k, rows);
		return;
	}
	if (t.bytes)
		unpack_floats(t, w, m->w_stride, k0, k, rows, scratch);
	else
		for (int i = 0; i < rows; i++)
			kern_decode(type, m->w, m->w_stride, m->panel, m->a->k, r + i, k0, k, scratch + i * PIECE);
	tiles(f32, (const uint8_t *)scratch, PIECE * sizeof *scratch, m, r, k0, k, rows);
}

INLINE void mul_rows(const struct kern_mul *m, const struct weights t, enum quant_id id)
{
	const struct quant_type *type = t.bytes ? NULL : quant_by_id(id);

	for (int64_t r = m->r0; r < m->r1;) {
		const int rows = m->r1 - r >= ROWS ? ROWS : 1;

		for (int64_t j = 0; j < m->a->t; j++)
			memset(m->y + j * m->ldy + r, 0, (size_t)rows * sizeof *m->y);
		for (int64_t k = 0; k < m->a->k; k += PIECE) {
			const int64_t n = m->a->k - k < PIECE ? m->a->k - k : PIECE;

			if (rows == ROWS)
				rows_piece(t, type, m, r, ROWS, k, n);
			else
				rows_piece(t, type, m, r, 1, k, n);
		}
		r += rows;
	}
}

static void mul_F32(const struct kern_mul *m)
{
	mul_rows(m, f32, QUANT_F32);
}

static void mul_F16(const struct kern_mul *m)
{
	mul_rows(m, (struct weights){ 2, load_f16 }, QUANT_F16);
}

static void mul_BF16(const struct kern_mul *m)
{
	mul_rows(m, (struct weights){ 2, load_bf16 }, QUANT_BF16);
}

static void mul_decoded(const struct kern_mul *m, enum quant_id id)
{
	mul_rows(m, (struct weights){ 0, load_f32 }, id);
}

#define DECODED(X) \
	X(Q4_0) X(Q4_1) X(Q5_0) X(Q5_1) X(Q8_0) X(Q2_K) X(Q3_K) X(Q4_K) X(Q5_K) X(Q6_K) X(IQ4_NL) X(IQ4_XS) \
	X(TQ1_0) X(TQ2_0) X(I2_S)
#define DECODED_FN(id) \
	static void mul_##id(const struct kern_mul *m) \
	{ \
		mul_decoded(m, QUANT_##id); \
	}
DECODED(DECODED_FN)

void kern_neon_float_init(struct kern *k)
{
#define FLOAT_SET(id) k->type[QUANT_##id].mul = k->type[QUANT_##id].mul_f32 = mul_##id;
#define DECODED_SET(id) k->type[QUANT_##id].mul_f32 = mul_##id;
	FLOAT_SET(F32)
	FLOAT_SET(F16)
	FLOAT_SET(BF16)
	DECODED(DECODED_SET)
}
