#include "config.h"
#include "engine/quant/quant_block.h"

#include <strings.h>

#define ROW(name, fn, block, bytes) \
	{ #name, QUANT_##name, block, bytes, 0, quant_decode_##fn, quant_encode_##fn, false }
#define WIDE(name, fn, block, bytes) \
	{ #name, QUANT_##name, block, bytes, 0, quant_decode_##fn, quant_encode_##fn, true }

const struct quant_type quant_types[] = {
	ROW(F32, f32, 1, 4),
	ROW(F16, f16, 1, 2),
	ROW(BF16, bf16, 1, 2),
	WIDE(Q8_0, q8_0, QK, 34),
	WIDE(Q6_K, q6_k, QK_K, 210),
	ROW(Q5_1, q5_1, QK, 24),
	ROW(Q5_K, q5_k, QK_K, 176),
	ROW(Q5_0, q5_0, QK, 22),
	ROW(Q4_1, q4_1, QK, 20),
	ROW(Q4_K, q4_k, QK_K, 144),
	ROW(IQ4_NL, iq4_nl, QK, 18),
	ROW(Q4_0, q4_0, QK, 18),
	ROW(IQ4_XS, iq4_xs, QK_K, 136),
	ROW(Q3_K, q3_k, QK_K, 110),
	ROW(Q2_K, q2_k, QK_K, 84),
	ROW(TQ2_0, tq2_0, QK_K, 66),
	{ "I2_S", QUANT_I2_S, 128, 32, 32, quant_decode_i2_s, quant_encode_i2_s, false },
	ROW(TQ1_0, tq1_0, QK_K, 54),
	{ NULL, 0, 0, 0, 0, NULL, NULL, false },
};

const struct quant_type *quant_by_id(uint32_t id)
{
	for (const struct quant_type *t = quant_types; t->name; t++)
		if ((uint32_t)t->id == id)
			return t;
	return NULL;
}

const struct quant_type *quant_by_name(const char *name)
{
	for (const struct quant_type *t = quant_types; t->name; t++)
		if (!strcasecmp(t->name, name))
			return t;
	return NULL;
}

int64_t quant_row_bytes(const struct quant_type *t, int64_t n)
{
	if (n < 0 || n % t->block || n / t->block > INT64_MAX / t->bytes)
		return -1;
	return n / t->block * t->bytes;
}

int64_t quant_tensor_bytes(const struct quant_type *t, int64_t n, int64_t rows)
{
	const int64_t row = quant_row_bytes(t, n);

	if (row < 0 || rows < 0 || (row && rows > (INT64_MAX - t->tail) / row))
		return -1;
	return row * rows + t->tail;
}

float quant_f16_to_f32(uint16_t h)
{
	return half_decode(h);
}

uint16_t quant_f32_to_f16(float f)
{
	return half_encode(f);
}

float quant_bf16_to_f32(uint16_t h)
{
	return bf16_decode(h);
}

uint16_t quant_f32_to_bf16(float f)
{
	return bf16_encode(f);
}
