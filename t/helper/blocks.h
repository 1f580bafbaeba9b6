/*
 * Random weights of every block type, made from random bytes and not by an encoder, so that
 * kernels meet blocks that no encoder writes: the extremes, and all combinations of bits.
 */
#ifndef T_HELPER_BLOCKS_H
#define T_HELPER_BLOCKS_H

#include "engine/quant/quant.h"

#include <string.h>

/* Where the halves of a block are: d, and m or dmin; -1: none. */
struct blocks_type { enum quant_id id; int block, bytes, d, m; };

static const struct blocks_type blocks_types[] = {
	{ QUANT_F32, 1, 4, -1, -1 }, { QUANT_F16, 1, 2, -1, -1 }, { QUANT_BF16, 1, 2, -1, -1 },
	{ QUANT_Q8_0, 32, 34, 0, -1 }, { QUANT_Q6_K, 256, 210, 208, -1 }, { QUANT_Q5_1, 32, 24, 0, 2 },
	{ QUANT_Q5_0, 32, 22, 0, -1 }, { QUANT_Q5_K, 256, 176, 0, 2 }, { QUANT_Q4_1, 32, 20, 0, 2 },
	{ QUANT_Q4_0, 32, 18, 0, -1 }, { QUANT_Q4_K, 256, 144, 0, 2 }, { QUANT_IQ4_NL, 32, 18, 0, -1 },
	{ QUANT_IQ4_XS, 256, 136, 0, -1 }, { QUANT_Q3_K, 256, 110, 108, -1 }, { QUANT_Q2_K, 256, 84, 80, 82 },
	{ QUANT_TQ2_0, 256, 66, 64, -1 }, { QUANT_TQ1_0, 256, 54, 52, -1 },
	{ QUANT_I2_S, 128, 32, -1, -1 },
};

enum blocks_how {
	BLOCKS_RANDOM,		/* all bits random, scales in ±[0.01, 0.02) */
	BLOCKS_ZERO,		/* all bits 0 */
	BLOCKS_ONES,		/* all bits 1, scales 0.02 */
	BLOCKS_LOW,		/* every byte 0x80: the smallest int8 */
	BLOCKS_HUGE,		/* random with scales of ±65504, the largest half */
	BLOCKS_TINY,		/* random with subnormal scales */
	BLOCKS_N
};

static inline uint32_t blocks_rand(uint64_t *s)
{
	*s = *s * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*s >> 33);
}

/* Uniform in [-1, 1). */
static inline float blocks_uniform(uint64_t *s)
{
	return (float)blocks_rand(s) * 0x1p-30f - 1;
}

static inline uint16_t blocks_half(enum blocks_how how, uint64_t *s)
{
	const uint16_t r = (uint16_t)blocks_rand(s), sign = r & 0x8000;

	switch (how) {
	case BLOCKS_ZERO:
		return 0;
	case BLOCKS_HUGE:
		return sign | 0x7bff;
	case BLOCKS_TINY:
		return sign | (r & 0x3ff);
	case BLOCKS_RANDOM:
		return sign | 0x2100 | (r & 0x3ff);
	default:
		return 0x251f;
	}
}

/* n weights (a multiple of the block) of type t. */
static inline void blocks_fill(const struct blocks_type *t, void *dst, int64_t n, enum blocks_how how, uint64_t *s)
{
	static const int fill[BLOCKS_N] = { [BLOCKS_ONES] = 0xff, [BLOCKS_LOW] = 0x80 };

	for (uint8_t *p = dst; n > 0; n -= t->block, p += t->bytes) {
		const uint16_t d = blocks_half(how, s), m = blocks_half(how, s);

		if (t->block == 1) {
			const float f = blocks_uniform(s) * quant_f16_to_f32(d);
			const uint16_t h = t->id == QUANT_F16 ? quant_f32_to_f16(f) : quant_f32_to_bf16(f);

			memcpy(p, t->bytes == 4 ? (const void *)&f : &h, (size_t)t->bytes);
			continue;
		}
		memset(p, fill[how], (size_t)t->bytes);
		for (int i = 0; i < t->bytes && !fill[how] && how != BLOCKS_ZERO; i++)
			p[i] = (uint8_t)(blocks_rand(s) >> 7);
		if (t->d >= 0)
			memcpy(p + t->d, &d, sizeof d);
		if (t->m >= 0)
			memcpy(p + t->m, &m, sizeof m);
	}
}

#endif
