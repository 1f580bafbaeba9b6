/*
 * What the files of this room share: little-endian fields at any alignment, halves, and
 * the roundings that the formats are defined by. All of it is defined for every float:
 * weights come from files, and NaN or infinity must give some bytes, not a trap.
 * Loops over these functions vectorize, which is why they are here and inline.
 */
#ifndef ENGINE_QUANT_QUANT_BLOCK_H
#define ENGINE_QUANT_QUANT_BLOCK_H

#include "engine/quant/quant.h"

#include <math.h>
#include <string.h>

#define QK 32		/* weights in a block of the plain types */
#define QK_K 256	/* weights in a super-block */

/* Said so that loops over them vectorize. */
static inline uint16_t get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap16(v);
#endif
	return v;
}

static inline uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap32(v);
#endif
	return v;
}

static inline void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)v);
	put16(p + 2, (uint16_t)(v >> 16));
}

static inline uint32_t f32_bits(float f)
{
	uint32_t u;

	memcpy(&u, &f, sizeof u);
	return u;
}

static inline float f32_from_bits(uint32_t u)
{
	float f;

	memcpy(&f, &u, sizeof f);
	return f;
}

static inline float half_decode(uint16_t h)
{
	const uint32_t sign = (uint32_t)(h & 0x8000) << 16;
	const uint32_t mag = h & 0x7fff;
	/* a subnormal counts 2^-24; the exponent's bias goes from 15 to 127, 31 means 255 */
	const uint32_t small = f32_bits((float)(int32_t)mag * 0x1p-24f);
	const uint32_t normal = (mag << 13) + (mag >= 0x7c00 ? 224u << 23 : 112u << 23);

	return f32_from_bits(sign | (mag < 0x0400 ? small : normal));
}

static inline uint16_t half_encode(float f)
{
	const uint32_t u = f32_bits(f);
	const uint32_t mag = u & 0x7fffffff;
	/* beside 0.5 a float's last place is 2^-24, a subnormal's unit: the addition rounds */
	const float tiny = f32_from_bits(mag < 0x38800000 ? mag : 0);
	const uint32_t small = f32_bits(tiny + 0.5f) - f32_bits(0.5f);
	const uint32_t normal = (mag + 0xfff + (mag >> 13 & 1) - (112u << 23)) >> 13;
	uint32_t h = mag < 0x38800000 ? small : normal;

	h = mag >= 0x47800000 ? 0x7c00 : h;
	h = mag > 0x7f800000 ? 0x7e00 : h;
	return (uint16_t)(u >> 16 & 0x8000) | (uint16_t)h;
}

static inline float bf16_decode(uint16_t h)
{
	return f32_from_bits((uint32_t)h << 16);
}

static inline uint16_t bf16_encode(float f)
{
	const uint32_t u = f32_bits(f);
	const uint32_t even = (u + 0x7fff + (u >> 16 & 1)) >> 16;
	const uint32_t quiet = u >> 16 | 64;

	return (uint16_t)((u & 0x7fffffff) > 0x7f800000 ? quiet : even);
}

static inline float get_half(const uint8_t *p)
{
	return half_decode(get16(p));
}

static inline void put_half(uint8_t *p, float f)
{
	put16(p, half_encode(f));
}

/*
 * Half to even, for |f| < 2^22: beside 1.5 × 2^23 a float's last place is 1. Beyond it
 * some number in ±2^22, the same on every machine.
 */
static inline int32_t round_even(float f)
{
	return (int32_t)(f32_bits(f + 0x1.8p23f) & 0x7fffff) - 0x400000;
}

static inline int32_t clamp_int(int32_t v, int32_t lo, int32_t hi)
{
	v = v > lo ? v : lo;
	return v < hi ? v : hi;
}

/* 1 / d; 0 for 0, of which nothing is a multiple. */
static inline float inverse(float d)
{
	return d != 0.0f ? 1.0f / d : 0.0f;
}

/* Pairs of bits: 128 weights in 32 bytes, byte l holding weights l, l + 32, l + 64, l + 96. */
static inline void put_pairs(uint8_t *qs, const uint8_t *q)
{
	for (int h = 0; h < 2; h++, qs += 32, q += 128)
		for (int l = 0; l < 32; l++)
			qs[l] = (uint8_t)((q[l] & 3) | (q[l + 32] & 3) << 2 | (q[l + 64] & 3) << 4 |
					  (q[l + 96] & 3) << 6);
}

static inline void get_pairs(const uint8_t *qs, uint8_t *q)
{
	for (int h = 0; h < 2; h++, qs += 32, q += 128)
		for (int n = 0; n < 4; n++)
			for (int l = 0; l < 32; l++)
				q[32 * n + l] = qs[l] >> 2 * n & 3;
}

/* The scale of largest magnitude, the first one on ties; 0 when all are; NaN is never one. */
static inline float largest_scale(const float *x, int n)
{
	float max = 0.0f;

	for (int j = 0; j < n; j++)
		max = fabsf(x[j]) > fabsf(max) ? x[j] : max;
	return max;
}

/*
 * The types: name and id, functions, weights and bytes a block, bytes behind a tensor, wide.
 * The files with their functions are compiled once for any machine and once for each
 * instruction set, with QUANT_ISA for the end of their names.
 */
#define QUANT_TYPES(X) \
	X(F32, f32, 1, 4, 0, false) \
	X(F16, f16, 1, 2, 0, false) \
	X(BF16, bf16, 1, 2, 0, false) \
	X(Q8_0, q8_0, QK, 34, 0, true) \
	X(Q6_K, q6_k, QK_K, 210, 0, true) \
	X(Q5_1, q5_1, QK, 24, 0, false) \
	X(Q5_K, q5_k, QK_K, 176, 0, false) \
	X(Q5_0, q5_0, QK, 22, 0, false) \
	X(Q4_1, q4_1, QK, 20, 0, false) \
	X(Q4_K, q4_k, QK_K, 144, 0, false) \
	X(IQ4_NL, iq4_nl, QK, 18, 0, false) \
	X(Q4_0, q4_0, QK, 18, 0, false) \
	X(IQ4_XS, iq4_xs, QK_K, 136, 0, false) \
	X(Q3_K, q3_k, QK_K, 110, 0, false) \
	X(Q2_K, q2_k, QK_K, 84, 0, false) \
	X(TQ2_0, tq2_0, QK_K, 66, 0, false) \
	X(I2_S, i2_s, 128, 32, 32, false) \
	X(TQ1_0, tq1_0, QK_K, 54, 0, false)

/* Q8_0_BYTES and the like. */
#define QUANT_SIZES(name, fn, block, bytes, tail, wide) name##_BLOCK = block, name##_BYTES = bytes,
enum { QUANT_TYPES(QUANT_SIZES) };

#ifndef QUANT_ISA
#define QUANT_ISA
#endif
#define QUANT_JOIN(a, b) a##b
#define QUANT_PASTE(a, b) QUANT_JOIN(a, b)
#define QUANT_NAME(name) QUANT_PASTE(name, QUANT_ISA)

#define QUANT_CODEC(name, fn, block, bytes, tail, wide) \
	quant_decode_fn QUANT_NAME(quant_decode_##fn); \
	quant_encode_fn QUANT_NAME(quant_encode_##fn);
QUANT_TYPES(QUANT_CODEC)

#endif
