#include "config.h"
#include "engine/quant/quant_block.h"

#include <strings.h>

#define TYPE(name, fn, block, bytes, tail, wide) \
	{ #name, QUANT_##name, block, bytes, tail, quant_decode_##fn, quant_encode_##fn, wide },

const struct quant_type quant_types[] = {
	QUANT_TYPES(TYPE)
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

bool quant_ternary(const float *x, int64_t n, float *scale)
{
	for (int64_t i = 0; i < n; i++) {
		const float a = fabsf(x[i]);

		if (a == 0.0f || a == *scale)
			continue;
		if (*scale != 0.0f || !isfinite(a))
			return false;
		*scale = a;
	}
	return true;
}

float quant_tail_scale(const struct quant_type *t, const void *tail)
{
	return t->tail ? f32_from_bits(get32(tail)) : 1.0f;
}

void quant_tail_write(const struct quant_type *t, float scale, void *tail)
{
	if (!t->tail)
		return;
	memset(tail, 0, (size_t)t->tail);
	put32(tail, f32_bits(scale));
}
