/* Weights that are -d, 0 or d. */
#include "config.h"
#include "engine/quant/lanes.h"

/* 0, 1, 2 for -d, 0, d; d is 256 weights' largest magnitude, which goes to *scale. */
static void ternary_codes(const float *x, uint8_t *q, float *scale)
{
	const float d = amax(x, QK_K);
	const float inv = inverse(d);

	for (int i = 0; i < QK_K; i += LANES)
		f_store8(q + i, f_away(f_load(x + i) * f_all(inv)) + f_all(1.0f));
	*scale = d;
}

/* -- TQ1_0: five digits of base 3 a byte, then four, d ------------------------------ */

enum { TQ1_0_D = 52 };

/* `bytes` bytes from byte `from` hold `digits` each: n of byte m is weight at + n × bytes + m. */
static const struct run { int at, from, bytes, digits; } tq1_runs[] = {
	{ 0, 0, 32, 5 }, { 160, 32, 16, 5 }, { 240, 48, 4, 4 },
};
enum { TQ1_RUNS = sizeof tq1_runs / sizeof *tq1_runs };

/* Five digits as a fraction of 256, rounded up, so that each comes out by a multiplication. */
static uint8_t tq1_pack(const uint8_t *q, int stride, int digits)
{
	int v = 0;

	for (int n = 0; n < 5; n++)
		v = 3 * v + (n < digits ? q[n * stride] : 0);
	return (uint8_t)((v * 256 + 242) / 243);
}

void QUANT_NAME(quant_encode_tq1_0)(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;

	for (; n > 0; n -= QK_K, b += TQ1_0_BYTES, src += QK_K) {
		uint8_t q[QK_K];
		float d;

		ternary_codes(src, q, &d);
		for (const struct run *r = tq1_runs; r < tq1_runs + TQ1_RUNS; r++)
			for (int m = 0; m < r->bytes; m++)
				b[r->from + m] = tq1_pack(q + r->at + m, r->bytes, r->digits);
		put_half(b + TQ1_0_D, d);
	}
}

static inline void tq1_unpack(const uint8_t *b, int bytes, int digits, float d, float *dst)
{
	unsigned power = 1;

	for (int n = 0; n < digits; n++, power *= 3)
		for (int m = 0; m < bytes; m++) {
			const unsigned rest = b[m] * power & 255;

			dst[n * bytes + m] = d * (float)((int)(rest * 3 >> 8) - 1);
		}
}

void QUANT_NAME(quant_decode_tq1_0)(const void *src, float *dst, int64_t n)
{
	const uint8_t *b = src;

	for (; n > 0; n -= QK_K, b += TQ1_0_BYTES, dst += QK_K) {
		const float d = get_half(b + TQ1_0_D);

		for (const struct run *r = tq1_runs; r < tq1_runs + TQ1_RUNS; r++)
			tq1_unpack(b + r->from, r->bytes, r->digits, d, dst + r->at);
	}
}

/* -- TQ2_0: pairs of bits, d -------------------------------------------------------- */

enum { TQ2_0_D = 64 };

void QUANT_NAME(quant_encode_tq2_0)(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;

	for (; n > 0; n -= QK_K, b += TQ2_0_BYTES, src += QK_K) {
		uint8_t q[QK_K];
		float d;

		ternary_codes(src, q, &d);
		put_pairs(b, q);
		put_half(b + TQ2_0_D, d);
	}
}

void QUANT_NAME(quant_decode_tq2_0)(const void *src, float *dst, int64_t n)
{
	const uint8_t *b = src;

	for (; n > 0; n -= QK_K, b += TQ2_0_BYTES, dst += QK_K) {
		const float d = get_half(b + TQ2_0_D);
		uint8_t q[QK_K];

		get_pairs(b, q);
		for (int i = 0; i < QK_K; i++)
			dst[i] = d * (float)(q[i] - 1);
	}
}

/* -- I2_S: pairs of bits, first weight highest; the scale lies behind the tensor ----- */

void QUANT_NAME(quant_encode_i2_s)(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;

	for (; n > 0; n -= I2_S_BLOCK, b += I2_S_BYTES, src += I2_S_BLOCK) {
		for (int m = 0; m < 32; m++) {
			unsigned v = 0;

			for (int k = 0; k < 4; k++) {
				const float x = src[32 * k + m];

				v = v << 2 | (unsigned)((x > 0.0f) - (x < 0.0f) + 1);
			}
			b[m] = (uint8_t)v;
		}
	}
}

void QUANT_NAME(quant_decode_i2_s)(const void *src, float *dst, int64_t n)
{
	const uint8_t *b = src;

	for (; n > 0; n -= I2_S_BLOCK, b += I2_S_BYTES)
		for (int k = 0; k < 4; k++)
			for (int m = 0; m < 32; m++)
				*dst++ = (float)((b[m] >> (6 - 2 * k) & 3) - 1);
}
