/* Four bits on an uneven grid: IQ4_NL (a scale a block of 32) and IQ4_XS (in super-blocks). */
#include "config.h"
#include "engine/quant/quant_block.h"

enum { GRID = 16, TRIES = 7 };

static const int8_t grid[GRID] = {
	-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
};

/* Half way between neighbours; all are exact floats, and so is the comparison. */
static const float between[GRID] = {
	-115.5f, -93.5f, -74.0f, -57.0f, -42.0f, -28.5f, -16.0f, -4.5f,
	7.0f, 19.0f, 31.5f, 45.5f, 61.0f, 79.0f, 101.0f, INFINITY,
};

/* The nearest of the grid, the upper one on ties; no branch in it. */
static inline int nearest(float x)
{
	int i = x >= between[7] ? 8 : 0;

	i += x >= between[i + 3] ? 4 : 0;
	i += x >= between[i + 1] ? 2 : 0;
	return i + (x >= between[i]);
}

/*
 * The scale of a block of 32 by least squares weighted by x²; the codes come from where
 * the largest magnitude is laid on the grid: first on its end, then seven units about it.
 */
static float search(const float *x)
{
	const float max = quant_largest(x, QK);
	float d = 0.0f, best = 0.0f;

	if (fabsf(max) < 1e-15f)
		return 0.0f;
	for (int t = -TRIES - 1; t <= TRIES; t++) {
		const bool first = t < -TRIES;
		const float inv = first ? 1.0f / (-max / (float)grid[0])
					: (float)(t + grid[0]) / max;
		float sqx = 0.0f, sq2 = 0.0f;

		for (int j = 0; j < QK; j++) {
			const float q = (float)grid[nearest(inv * x[j])];
			const float wq = x[j] * x[j] * q;

			sqx += wq * x[j];
			sq2 += wq * q;
		}
		if (sq2 > 0.0f && (first || sqx * sqx > best * sq2)) {
			d = sqx / sq2;
			best = d * sqx;
		}
	}
	return d;
}

static inline void put_codes(uint8_t *qs, const float *x, float inv)
{
	for (int j = 0; j < QK / 2; j++)
		qs[j] = (uint8_t)(nearest(inv * x[j]) | nearest(inv * x[j + QK / 2]) << 4);
}

static inline void get_weights(const uint8_t *qs, float d, float *dst)
{
	for (int j = 0; j < QK / 2; j++) {
		dst[j] = d * (float)grid[qs[j] & 15];
		dst[j + QK / 2] = d * (float)grid[qs[j] >> 4];
	}
}

/* -- IQ4_NL: d, nibbles ------------------------------------------------------------ */

enum { IQ4_NL_BYTES = 18 };

void QUANT_NAME(quant_encode_iq4_nl)(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;

	for (; n > 0; n -= QK, b += IQ4_NL_BYTES, src += QK) {
		const float d = search(src);

		put_half(b, d);
		put_codes(b + 2, src, inverse(d));
	}
}

void QUANT_NAME(quant_decode_iq4_nl)(const void *src, float *dst, int64_t n)
{
	const uint8_t *b = src;

	for (; n > 0; n -= QK, b += IQ4_NL_BYTES, dst += QK)
		get_weights(b + 2, get_half(b), dst);
}

/* -- IQ4_XS: d, high pairs and low nibbles of 8 scales, nibbles --------------------- */

enum { IQ4_XS_BYTES = 136, IQ4_XS_HIGH = 2, IQ4_XS_LOW = 4, IQ4_XS_QS = 8 };

static void xs_encode_block(const float *x, uint8_t *b)
{
	float scales[8], d, inv;
	uint32_t high = 0;

	for (int j = 0; j < 8; j++)
		scales[j] = search(x + QK * j);
	d = -quant_largest(scales, 8) / 32.0f;
	inv = inverse(d);
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

	for (; n > 0; n -= QK_K, b += IQ4_XS_BYTES, src += QK_K)
		xs_encode_block(src, b);
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
