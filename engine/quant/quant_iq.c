/* Four bits on an uneven grid: IQ4_NL (a scale a block of 32) and IQ4_XS (in super-blocks). */
#include "config.h"
#include "engine/quant/lanes.h"

enum { GRID = 16, TRIES = 7, BLOCKS = LANES > 8 ? LANES : 8 };	/* BLOCKS: searched ahead */

static const int8_t grid[GRID] = {
	-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
};

/* Half way between neighbours; all are exact floats, and so is the comparison. */
static const float between[GRID] = {
	-115.5f, -93.5f, -74.0f, -57.0f, -42.0f, -28.5f, -16.0f, -4.5f,
	7.0f, 19.0f, 31.5f, 45.5f, 61.0f, 79.0f, 101.0f, INFINITY,
};

/* The nearest of the grid, the upper one on ties; NaN is the lowest. */
LANE lanes_f nearest(lanes_f x)
{
	lanes_f q = f_all((float)grid[0]);

	for (int i = 0; i < GRID - 1; i++)
		q += f_pick(f_upto(f_all(between[i]), x), f_all((float)(grid[i + 1] - grid[i])), f_all(0.0f));
	return q;
}

/* Its number. */
LANE lanes_f nearest_code(lanes_f x)
{
	lanes_f code = f_all(0.0f);

	for (int i = 0; i < GRID - 1; i++)
		code += f_pick(f_upto(f_all(between[i]), x), f_all(1.0f), f_all(0.0f));
	return code;
}

/*
 * The scales of n ≤ BLOCKS blocks of 32 by least squares weighted by x²; the codes come from
 * where the largest magnitude is laid on the grid: first on its end, then seven units about it.
 */
static inline void search(const float *src, int n, float *scale)
{
	const lanes_f zero = f_all(0.0f);

	for (int s = 0; s < n; s += LANES) {
		lanes_f x[QK], w[QK], max, d = zero, best = zero;

		side_by_side(src + s * QK, n - s, QK, x);
		max = f_largest(x, QK);
		for (int j = 0; j < QK; j++)
			w[j] = x[j] * x[j];
		for (int t = -TRIES - 1; t <= TRIES; t++) {
			const bool first = t < -TRIES;
			const lanes_f inv = first ? f_all(1.0f) / (-max / f_all((float)grid[0]))
						  : f_all((float)(t + grid[0])) / max;
			lanes_f sqx = zero, sq2 = zero;
			lanes_m better;

			for (int j = 0; j < QK; j++) {
				const lanes_f q = nearest(inv * x[j]);
				const lanes_f wq = w[j] * q;

				sqx += wq * x[j];
				sq2 += wq * q;
			}
			better = f_less(zero, sq2);
			if (!first)
				better = m_and(better, f_less(best * sq2, sqx * sqx));
			d = f_pick(better, sqx / sq2, d);
			best = f_pick(better, d * sqx, best);
		}
		f_store(scale + s, f_pick(f_less(f_abs(max), f_all(1e-15f)), zero, d));
	}
}

static inline void put_codes(uint8_t *qs, const float *x, float inv)
{
	uint8_t q[QK];

	for (int j = 0; j < QK; j += LANES)
		f_store8(q + j, nearest_code(f_all(inv) * f_load(x + j)));
	for (int j = 0; j < QK / 2; j++)
		qs[j] = (uint8_t)(q[j] | q[j + QK / 2] << 4);
}

static inline void get_weights(const uint8_t *qs, float d, float *dst)
{
	for (int j = 0; j < QK / 2; j++) {
		dst[j] = d * (float)grid[qs[j] & 15];
		dst[j + QK / 2] = d * (float)grid[qs[j] >> 4];
	}
}

/* -- IQ4_NL: d, nibbles ------------------------------------------------------------ */

void QUANT_NAME(quant_encode_iq4_nl)(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;
	float scale[BLOCKS];

	for (int64_t i = 0; i < n / QK; i++, b += IQ4_NL_BYTES, src += QK) {
		const float *d = &scale[i % BLOCKS];

		if (d == scale)
			search(src, (int)(n / QK - i < BLOCKS ? n / QK - i : BLOCKS), scale);
		put_half(b, *d);
		put_codes(b + 2, src, inverse(*d));
	}
}

void QUANT_NAME(quant_decode_iq4_nl)(const void *src, float *dst, int64_t n)
{
	const uint8_t *b = src;

	for (; n > 0; n -= QK, b += IQ4_NL_BYTES, dst += QK)
		get_weights(b + 2, get_half(b), dst);
}

/* -- IQ4_XS: d, high pairs and low nibbles of 8 scales, nibbles --------------------- */

enum { IQ4_XS_HIGH = 2, IQ4_XS_LOW = 4, IQ4_XS_QS = 8 };

static void xs_encode_block(const float *x, const float *scales, uint8_t *b)
{
	const float d = -largest_scale(scales, 8) / 32.0f;
	const float inv = inverse(d);
	uint32_t high = 0;

	put_half(b, d);
	memset(b + IQ4_XS_LOW, 0, 4);
	for (int j = 0; j < 8; j++) {
		const int code = clamp_int(round_even(inv * scales[j]), -32, 31);
		const uint32_t bits = (uint32_t)(code + 32);

		put_codes(b + IQ4_XS_QS + 16 * j, x + QK * j, inverse(d * (float)code));
		b[IQ4_XS_LOW + j / 2] |= (uint8_t)((bits & 15) << 4 * (j % 2));
		high |= bits >> 4 << 2 * j;
	}
	put16(b + IQ4_XS_HIGH, (uint16_t)high);
}

void QUANT_NAME(quant_encode_iq4_xs)(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;
	float scale[BLOCKS];

	for (int64_t i = 0; i < n / QK; i += 8, b += IQ4_XS_BYTES, src += QK_K) {
		if (i % BLOCKS == 0)
			search(src, (int)(n / QK - i < BLOCKS ? n / QK - i : BLOCKS), scale);
		xs_encode_block(src, scale + i % BLOCKS, b);
	}
}

void QUANT_NAME(quant_decode_iq4_xs)(const void *src, float *dst, int64_t n)
{
	const uint8_t *b = src;

	for (; n > 0; n -= QK_K, b += IQ4_XS_BYTES) {
		const float d = get_half(b);
		const int high = get16(b + IQ4_XS_HIGH);

		for (int j = 0; j < 8; j++, dst += QK) {
			const int low = b[IQ4_XS_LOW + j / 2] >> 4 * (j % 2) & 15;
			const int code = low | (high >> 2 * j & 3) << 4;

			get_weights(b + IQ4_XS_QS + 16 * j, d * (float)(code - 32), dst);
		}
	}
}
