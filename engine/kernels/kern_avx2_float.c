/*
 * Products with activations as they are, AVX2: F32, F16 and BF16 weights, and every other
 * type decoded. An output is the sum over pieces of PIECE k of sum_lanes() of eight chains,
 * k mod 8, whether a row is read where it lies (one token) or unpacked first (several).
 */
#include "config.h"
#include "engine/kernels/kern_avx2.h"
#include "engine/kernels/kern_pack.h"

#include <stdbool.h>
#include <string.h>

enum {
	PIECE = 1024,
	ROWS = 4,
	TILE = 3,	/* 4 × 3 chains of 8 fill the registers */
};

/* Weights i … i+7 of a row, and the last n < 8 with zeros after them. */
typedef __m256 load_fn(const uint8_t *row, int64_t i);
typedef __m256 load_last_fn(const uint8_t *row, int64_t i, int n);

struct weights {
	int bytes;		/* a weight; 0: must be decoded */
	load_fn *load;
	load_last_fn *load_last;
};

INLINE __m256 load_f32(const uint8_t *row, int64_t i)
{
	return _mm256_loadu_ps((const float *)row + i);
}

INLINE __m256 load_last_f32(const uint8_t *row, int64_t i, int n)
{
	return _mm256_maskload_ps((const float *)row + i, lanes(n));
}

INLINE __m256 load_f16(const uint8_t *row, int64_t i)
{
	return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(row + 2 * i)));
}

INLINE __m256 load_last_f16(const uint8_t *row, int64_t i, int n)
{
	uint8_t last[16] = { 0 };

	memcpy(last, row + 2 * i, (size_t)n * 2);
	return load_f16(last, 0);
}

INLINE __m256 load_bf16(const uint8_t *row, int64_t i)
{
	const __m128i h = _mm_loadu_si128((const __m128i *)(row + 2 * i));

	return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}

INLINE __m256 load_last_bf16(const uint8_t *row, int64_t i, int n)
{
	uint8_t last[16] = { 0 };

	memcpy(last, row + 2 * i, (size_t)n * 2);
	return load_bf16(last, 0);
}

static const struct weights f32 = { 4, load_f32, load_last_f32 };

/* rows × n outputs get their share of k values: rows of weights `stride` bytes apart, of activations ldx. */
INLINE void tile(const struct weights t, const uint8_t *w, int64_t stride, const float *x, int64_t ldx, int64_t k,
		 int rows, int n, float *y, int64_t ldy)
{
	__m256 acc[ROWS][TILE], v[TILE];
	const int rest = (int)(k % 8);
	int64_t i = 0;

	UNROLL
	for (int r = 0; r < rows; r++)
		UNROLL
		for (int j = 0; j < n; j++)
			acc[r][j] = _mm256_setzero_ps();
	for (; i + 8 <= k; i += 8) {
		UNROLL
		for (int j = 0; j < n; j++)
			v[j] = _mm256_loadu_ps(x + j * ldx + i);
		UNROLL
		for (int r = 0; r < rows; r++) {
			const __m256 u = t.load(w + r * stride, i);

			if (n == 1)	/* the rows after these */
				__builtin_prefetch(w + (r + rows) * stride + i * t.bytes);
			UNROLL
			for (int j = 0; j < n; j++)
				acc[r][j] = _mm256_fmadd_ps(u, v[j], acc[r][j]);
		}
	}
	UNROLL
	for (int r = 0; r < rows; r++) {
		const __m256 u = rest ? t.load_last(w + r * stride, i, rest) : _mm256_setzero_ps();

		UNROLL
		for (int j = 0; j < n; j++) {
			if (rest)
				acc[r][j] = _mm256_fmadd_ps(u, load_last_f32((const uint8_t *)(x + j * ldx), i, rest), acc[r][j]);
			y[j * ldy + r] += sum_lanes(acc[r][j]);
		}
	}
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

		for (; i + 8 <= k; i += 8)
			_mm256_storeu_ps(out + r * PIECE + i, t.load(row, i));
		if (i < k)
			_mm256_storeu_ps(out + r * PIECE + i, t.load_last(row, i, (int)(k - i)));
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
	mul_rows(m, (struct weights){ 2, load_f16, load_last_f16 }, QUANT_F16);
}

static void mul_BF16(const struct kern_mul *m)
{
	mul_rows(m, (struct weights){ 2, load_bf16, load_last_bf16 }, QUANT_BF16);
}

static void mul_decoded(const struct kern_mul *m, enum quant_id id)
{
	mul_rows(m, (struct weights){ 0, load_f32, load_last_f32 }, id);
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

void kern_avx2_float_init(struct kern *k)
{
#define FLOAT_SET(id) k->type[QUANT_##id].mul = k->type[QUANT_##id].mul_f32 = mul_##id;
#define DECODED_SET(id) k->type[QUANT_##id].mul_f32 = mul_##id;
	FLOAT_SET(F32)
	FLOAT_SET(F16)
	FLOAT_SET(BF16)
	DECODED(DECODED_SET)
}
