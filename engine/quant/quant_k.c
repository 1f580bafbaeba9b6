/*
 * The K types: super-blocks of 256 weights whose sub-blocks have scales of a few bits. A
 * sub-block's scale is found by trying: the sums over a sub-block are taken in index
 * order, as the bytes depend on their last bit; candidates stand side by side, so that
 * it is they that fill a vector.
 */
#include "config.h"
#include "engine/quant/quant_block.h"

#define TINY 1e-15f	/* a sub-block without larger magnitudes is zero */

/* -- Q6_K: low nibbles, high pairs, 16 signed scales, d ---------------------------- */

enum { Q6_K_BYTES = 210, Q6_K_HIGH = 128, Q6_K_SCALES = 192, Q6_K_D = 208, Q6_TRIES = 20 };

/* First guess, then -9 … 9 tenths without 0; the 20th is there to fill the vector. */
static const float q6_try[Q6_TRIES] = {
	0, -9, -8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0,
};

static inline int32_t q6_code(float x)
{
	return clamp_int(round_even(x), -32, 31);
}

/* The scale of 16 weights by least squares weighted by x², over 19 roundings; their codes, 0 … 63. */
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
			const float l = (float)q6_code(is[t] * x[i]);

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
		q[i] = (uint8_t)(q6_code(is[kept] * x[i]) + 32);
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

		codes[j] = (int8_t)clamp_int(round_even(inv * scales[j]), -128, 127);
		step = d * (float)codes[j];
		for (int i = 16 * j; i < 16 * j + 16 && step != 0.0f; i++)
			q[i] = (uint8_t)(q6_code(x[i] / step) + 32);
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
