/* Floats of three widths, and the types with one scale a block of 32. */
#include "config.h"
#include "engine/quant/lanes.h"

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

/* -- codes of four and five bits --------------------------------------------------- */

static inline void extent(const float *x, float *min, float *max)
{
	lanes_f lo = f_all(FLT_MAX), hi = f_all(-FLT_MAX);
	int zero;

	for (int j = 0; j < QK; j += LANES) {
		lo = f_min(f_load(x + j), lo);
		hi = f_max(f_load(x + j), hi);
	}
	*min = -f_highest(-lo);
	*max = f_highest(hi);
	/* lanes forget which zero came first, and the sign of a smallest one is stored */
	zero = *min == 0.0f ? first_of(x, QK, 0.0f) : QK;
	*min = zero < QK ? x[zero] : *min;
	*max = *max == 0.0f ? 0.0f : *max;
}

/* code = x × id + bias, cut to a whole number; at most top */
static inline void codes_centred(const float *x, float id, float bias, int top, uint8_t *q)
{
	for (int j = 0; j < QK; j += LANES)
		f_store8(q + j, f_min(f_cut(f_load(x + j) * f_all(id) + f_all(bias)), f_all((float)top)));
}

/* code = (x - min) × id, rounded */
static inline void codes_above(const float *x, float min, float id, int top, uint8_t *q)
{
	for (int j = 0; j < QK; j += LANES) {
		const lanes_f c = (f_load(x + j) - f_all(min)) * f_all(id) + f_all(0.5f);

		f_store8(q + j, f_min(f_cut(c), f_all((float)top)));
	}
}

static inline void put_nibbles(uint8_t *qs, const uint8_t *q)
{
	const uint64_t low = 0x0f0f0f0f0f0f0f0f;

	for (int j = 0; j < QK / 2; j += 8) {
		uint64_t a, b;

		memcpy(&a, q + j, 8);
		memcpy(&b, q + j + QK / 2, 8);
		a = (a & low) | (b & low) << 4;
		memcpy(qs + j, &a, 8);
	}
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
	/* the product brings the lowest bit of byte i to bit 56 + i */
	for (int j = 0; j < QK / 8; j++, q += 8) {
		const uint64_t v = get32(q) | (uint64_t)get32(q + 4) << 32;

		qh[j] = (uint8_t)((v >> 4 & 0x0101010101010101) * 0x0102040810204080 >> 56);
	}
}

static inline void add_fifth(const uint8_t *qh, uint8_t *q)
{
	for (int j = 0; j < QK; j++)
		q[j] |= (uint8_t)((qh[j / 8] >> j % 8 & 1) << 4);
}

/* -- Q8_0: d, 32 signed bytes ------------------------------------------------------ */

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

		put_half(b, d);
		for (int j = 0; j < QK; j += LANES)
			f_store8(b + 2 + j, f_away(f_load(src + j) * f_all(id)));
	}
}

/* -- Q5_1, Q5_0, Q4_1, Q4_0: d, (m,) (32 fifth bits,) nibbles ------------------------- */

/* Where a block has them, 0: it has none. A weight is d × code + m, or d × (code - zero). */
struct form { int bytes, m, fifth, nibbles, top, zero; };

static const struct form q5_1 = { Q5_1_BYTES, 2, 4, 8, 31, 0 };
static const struct form q5_0 = { Q5_0_BYTES, 0, 2, 6, 31, 16 };
static const struct form q4_1 = { Q4_1_BYTES, 2, 0, 4, 15, 0 };
static const struct form q4_0 = { Q4_0_BYTES, 0, 0, 2, 15, 8 };

LANE void decode(const struct form *f, const uint8_t *b, float *dst, int64_t n)
{
	for (; n > 0; n -= QK, b += f->bytes, dst += QK) {
		const float d = get_half(b), m = f->m ? get_half(b + f->m) : 0.0f;
		uint8_t q[QK];

		get_nibbles(b + f->nibbles, q);
		if (f->fifth)
			add_fifth(b + f->fifth, q);
		/* without a minimum -0 stays -0 */
		for (int j = 0; j < QK; j++)
			dst[j] = f->m ? d * (float)q[j] + m : d * (float)(q[j] - f->zero);
	}
}

LANE void encode_above(const struct form *f, const float *src, uint8_t *b, uint8_t *q)
{
	float min, max, d;

	extent(src, &min, &max);
	d = (max - min) / (float)f->top;
	codes_above(src, min, inverse(d), f->top, q);
	put_half(b, d);
	put_half(b + f->m, min);
}

LANE void encode_centred(const struct form *f, const float *src, uint8_t *b, uint8_t *q)
{
	const float d = largest(src, QK) / -(float)f->zero;

	codes_centred(src, inverse(d), (float)f->zero + 0.5f, f->top, q);
	put_half(b, d);
}

LANE void encode(const struct form *f, const float *src, uint8_t *b, int64_t n)
{
	for (; n > 0; n -= QK, b += f->bytes, src += QK) {
		uint8_t q[QK];

		if (f->m)
			encode_above(f, src, b, q);
		else
			encode_centred(f, src, b, q);
		if (f->fifth)
			put_fifth(b + f->fifth, q);
		put_nibbles(b + f->nibbles, q);
	}
}

#define CODEC(form) \
	void QUANT_NAME(quant_decode_##form)(const void *src, float *dst, int64_t n) \
	{ \
		decode(&form, src, dst, n); \
	} \
	void QUANT_NAME(quant_encode_##form)(const float *src, void *dst, int64_t n) \
	{ \
		encode(&form, src, dst, n); \
	}
CODEC(q5_1)
CODEC(q5_0)
CODEC(q4_1)
CODEC(q4_0)
