/* Floats of three widths, and the types with one scale a block of 32. */
#include "config.h"
#include "engine/quant/quant_block.h"

#include <float.h>

void QUANT_NAME(quant_decode_f32)(const void *src, float *dst, int64_t n)
{
	const uint8_t *p = src;

	for (int64_t i = 0; i < n; i++)
		dst[i] = f32_from_bits(get32(p + 4 * i));
}

void QUANT_NAME(quant_encode_f32)(const float *src, void *dst, int64_t n)
{
	uint8_t *p = dst;

	for (int64_t i = 0; i < n; i++)
		put32(p + 4 * i, f32_bits(src[i]));
}

void QUANT_NAME(quant_decode_f16)(const void *src, float *dst, int64_t n)
{
	const uint8_t *p = src;

	for (int64_t i = 0; i < n; i++)
		dst[i] = half_decode(get16(p + 2 * i));
}

void QUANT_NAME(quant_encode_f16)(const float *src, void *dst, int64_t n)
{
	uint8_t *p = dst;

	for (int64_t i = 0; i < n; i++)
		put16(p + 2 * i, half_encode(src[i]));
}

void QUANT_NAME(quant_decode_bf16)(const void *src, float *dst, int64_t n)
{
	const uint8_t *p = src;

	for (int64_t i = 0; i < n; i++)
		dst[i] = bf16_decode(get16(p + 2 * i));
}

void QUANT_NAME(quant_encode_bf16)(const float *src, void *dst, int64_t n)
{
	uint8_t *p = dst;

	for (int64_t i = 0; i < n; i++)
		put16(p + 2 * i, bf16_encode(src[i]));
}

/* The lanes forget which zero came first, and the sign of a smallest zero is stored. */
static float first_zero(const float *x, int n)
{
	for (int j = 0; j < n; j++)
		if (x[j] == 0.0f)
			return x[j];
	return 0.0f;
}

static inline void extent(const float *x, float *min, float *max)
{
	float lo[WIDE], hi[WIDE];

	for (int l = 0; l < WIDE; l++) {
		lo[l] = FLT_MAX;
		hi[l] = -FLT_MAX;
	}
	for (int j = 0; j < QK; j += WIDE) {
		for (int l = 0; l < WIDE; l++) {
			lo[l] = x[j + l] < lo[l] ? x[j + l] : lo[l];
			hi[l] = x[j + l] > hi[l] ? x[j + l] : hi[l];
		}
	}
	for (int l = 1; l < WIDE; l++) {
		lo[0] = lo[l] < lo[0] ? lo[l] : lo[0];
		hi[0] = hi[l] > hi[0] ? hi[l] : hi[0];
	}
	*min = lo[0] == 0.0f ? first_zero(x, QK) : lo[0];
	*max = hi[0] == 0.0f ? 0.0f : hi[0];
}

/* -- codes of four and five bits --------------------------------------------------- */

/* code = x × id + bias, cut to a whole number; at most top */
static inline void codes_centred(const float *x, float id, float bias, int top, uint8_t *q)
{
	for (int j = 0; j < QK; j++) {
		const int32_t v = trunc_int(x[j] * id + bias);

		q[j] = (uint8_t)(v < top ? v : top);
	}
}

/* code = (x - min) × id, rounded */
static inline void codes_above(const float *x, float min, float id, int top, uint8_t *q)
{
	for (int j = 0; j < QK; j++) {
		const int32_t v = trunc_int((x[j] - min) * id + 0.5f);

		q[j] = (uint8_t)(v < top ? v : top);
	}
}

static inline void put_nibbles(uint8_t *qs, const uint8_t *q)
{
	for (int j = 0; j < QK / 2; j++)
		qs[j] = (uint8_t)((q[j] & 15) | q[j + QK / 2] << 4);
}

static inline void get_nibbles(const uint8_t *qs, uint8_t *q)
{
	for (int j = 0; j < QK / 2; j++) {
		q[j] = qs[j] & 15;
		q[j + QK / 2] = qs[j] >> 4;
	}
}

static inline void put_fifth(uint8_t *qh, const uint8_t *q)
{
	uint32_t bits = 0;

	for (int j = 0; j < QK; j++)
		bits |= (uint32_t)(q[j] >> 4 & 1) << j;
	put32(qh, bits);
}

static inline void add_fifth(const uint8_t *qh, uint8_t *q)
{
	for (int j = 0; j < QK; j++)
		q[j] |= (uint8_t)((qh[j / 8] >> j % 8 & 1) << 4);
}

/* -- Q8_0: d, 32 signed bytes ------------------------------------------------------ */

enum { Q8_0_BYTES = 34, Q5_1_BYTES = 24, Q5_0_BYTES = 22, Q4_1_BYTES = 20, Q4_0_BYTES = 18 };

void QUANT_NAME(quant_decode_q8_0)(const void *src, float *dst, int64_t n)
{
	const uint8_t *b = src;

	for (; n > 0; n -= QK, b += Q8_0_BYTES, dst += QK) {
		const float d = get_half(b);

		for (int j = 0; j < QK; j++)
			dst[j] = d * (float)(int8_t)b[2 + j];
	}
}

void QUANT_NAME(quant_encode_q8_0)(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;

	for (; n > 0; n -= QK, b += Q8_0_BYTES, src += QK) {
		const float d = amax(src, QK) / 127.0f;
		const float id = inverse(d);
		int8_t q[QK];

		for (int j = 0; j < QK; j++)
			q[j] = (int8_t)round_away(src[j] * id);
		put_half(b, d);
		memcpy(b + 2, q, sizeof q);
	}
}

/* -- Q5_1: d, m, fifth bits, nibbles ----------------------------------------------- */

void QUANT_NAME(quant_decode_q5_1)(const void *src, float *dst, int64_t n)
{
	const uint8_t *b = src;

	for (; n > 0; n -= QK, b += Q5_1_BYTES, dst += QK) {
		const float d = get_half(b), m = get_half(b + 2);
		uint8_t q[QK];

		get_nibbles(b + 8, q);
		add_fifth(b + 4, q);
		for (int j = 0; j < QK; j++)
			dst[j] = d * (float)q[j] + m;
	}
}

void QUANT_NAME(quant_encode_q5_1)(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;

	for (; n > 0; n -= QK, b += Q5_1_BYTES, src += QK) {
		float min, max, d;
		uint8_t q[QK];

		extent(src, &min, &max);
		d = (max - min) / 31.0f;
		codes_above(src, min, inverse(d), 31, q);
		put_half(b, d);
		put_half(b + 2, min);
		put_fifth(b + 4, q);
		put_nibbles(b + 8, q);
	}
}

/* -- Q5_0: d, fifth bits, nibbles -------------------------------------------------- */

void QUANT_NAME(quant_decode_q5_0)(const void *src, float *dst, int64_t n)
{
	const uint8_t *b = src;

	for (; n > 0; n -= QK, b += Q5_0_BYTES, dst += QK) {
		const float d = get_half(b);
		uint8_t q[QK];

		get_nibbles(b + 6, q);
		add_fifth(b + 2, q);
		for (int j = 0; j < QK; j++)
			dst[j] = d * (float)(q[j] - 16);
	}
}

void QUANT_NAME(quant_encode_q5_0)(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;

	for (; n > 0; n -= QK, b += Q5_0_BYTES, src += QK) {
		const float d = quant_largest(src, QK) / -16.0f;
		uint8_t q[QK];

		codes_centred(src, inverse(d), 16.5f, 31, q);
		put_half(b, d);
		put_fifth(b + 2, q);
		put_nibbles(b + 6, q);
	}
}

/* -- Q4_1: d, m, nibbles ----------------------------------------------------------- */

void QUANT_NAME(quant_decode_q4_1)(const void *src, float *dst, int64_t n)
{
	const uint8_t *b = src;

	for (; n > 0; n -= QK, b += Q4_1_BYTES, dst += QK) {
		const float d = get_half(b), m = get_half(b + 2);
		uint8_t q[QK];

		get_nibbles(b + 4, q);
		for (int j = 0; j < QK; j++)
			dst[j] = d * (float)q[j] + m;
	}
}

void QUANT_NAME(quant_encode_q4_1)(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;

	for (; n > 0; n -= QK, b += Q4_1_BYTES, src += QK) {
		float min, max, d;
		uint8_t q[QK];

		extent(src, &min, &max);
		d = (max - min) / 15.0f;
		codes_above(src, min, inverse(d), 15, q);
		put_half(b, d);
		put_half(b + 2, min);
		put_nibbles(b + 4, q);
	}
}

/* -- Q4_0: d, nibbles -------------------------------------------------------------- */

void QUANT_NAME(quant_decode_q4_0)(const void *src, float *dst, int64_t n)
{
	const uint8_t *b = src;

	for (; n > 0; n -= QK, b += Q4_0_BYTES, dst += QK) {
		const float d = get_half(b);
		uint8_t q[QK];

		get_nibbles(b + 2, q);
		for (int j = 0; j < QK; j++)
			dst[j] = d * (float)(q[j] - 8);
	}
}

void QUANT_NAME(quant_encode_q4_0)(const float *src, void *dst, int64_t n)
{
	uint8_t *b = dst;

	for (; n > 0; n -= QK, b += Q4_0_BYTES, src += QK) {
		const float d = quant_largest(src, QK) / -8.0f;
		uint8_t q[QK];

		codes_centred(src, inverse(d), 8.5f, 15, q);
		put_half(b, d);
		put_nibbles(b + 2, q);
	}
}
