#include "config.h"
#include "engine/quant/layout.h"
#include "engine/quant/quant.h"

/*
 * Every type that files may hold (ggml.h and ggml-common.h of llama.cpp, Aug 2026), so that
 * sizes can be checked and shown for models that we cannot run too. Where quant.h has a row
 * it must agree: a test compares them. half: where 16-bit numbers lie in a block (scales in
 * half precision, the high bits of IQ4_XS); all else is bytes. Types that cannot be decoded
 * here list none.
 */
static const struct layout { uint32_t id; const char *name; int block, bytes, n_half, half[2]; } layouts[] = {
	{ 0, "F32", 1, 4, 0, { 0 } },
	{ 1, "F16", 1, 2, 1, { 0 } },
	{ 2, "Q4_0", 32, 18, 1, { 0 } },
	{ 3, "Q4_1", 32, 20, 2, { 0, 2 } },
	{ 6, "Q5_0", 32, 22, 1, { 0 } },
	{ 7, "Q5_1", 32, 24, 2, { 0, 2 } },
	{ 8, "Q8_0", 32, 34, 1, { 0 } },
	{ 9, "Q8_1", 32, 36, 0, { 0 } },
	{ 10, "Q2_K", 256, 84, 2, { 80, 82 } },
	{ 11, "Q3_K", 256, 110, 1, { 108 } },
	{ 12, "Q4_K", 256, 144, 2, { 0, 2 } },
	{ 13, "Q5_K", 256, 176, 2, { 0, 2 } },
	{ 14, "Q6_K", 256, 210, 1, { 208 } },
	{ 15, "Q8_K", 256, 292, 0, { 0 } },
	{ 16, "IQ2_XXS", 256, 66, 0, { 0 } },
	{ 17, "IQ2_XS", 256, 74, 0, { 0 } },
	{ 18, "IQ3_XXS", 256, 98, 0, { 0 } },
	{ 19, "IQ1_S", 256, 50, 0, { 0 } },
	{ 20, "IQ4_NL", 32, 18, 1, { 0 } },
	{ 21, "IQ3_S", 256, 110, 0, { 0 } },
	{ 22, "IQ2_S", 256, 82, 0, { 0 } },
	{ 23, "IQ4_XS", 256, 136, 2, { 0, 2 } },
	{ 24, "I8", 1, 1, 0, { 0 } },
	{ 25, "I16", 1, 2, 1, { 0 } },
	{ 26, "I32", 1, 4, 0, { 0 } },
	{ 27, "I64", 1, 8, 0, { 0 } },
	{ 28, "F64", 1, 8, 0, { 0 } },
	{ 29, "IQ1_M", 256, 56, 0, { 0 } },
	{ 30, "BF16", 1, 2, 1, { 0 } },
	{ 34, "TQ1_0", 256, 54, 1, { 52 } },
	{ 35, "TQ2_0", 256, 66, 1, { 64 } },
	{ 36, "I2_S", 128, 32, 0, { 0 } },
	{ 39, "MXFP4", 32, 17, 0, { 0 } },
	{ 40, "NVFP4", 64, 36, 0, { 0 } },
	{ 41, "Q1_0", 128, 18, 0, { 0 } },
	{ 42, "Q2_0", 64, 18, 0, { 0 } },
};

enum { I2_S_TAIL = 32 };	/* the tensor's one scale, padded */

bool quant_layout(uint32_t type, struct gguf_layout *out)
{
	for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
		const struct layout *l = &layouts[i];

		if (l->id != type)
			continue;
		*out = (struct gguf_layout){ .name = l->name, .block = l->block, .bytes = l->bytes,
					     .flat = type == QUANT_I2_S, .tail = type == QUANT_I2_S ? I2_S_TAIL : 0,
					     .word = type == QUANT_F32, .n_half = l->n_half,
					     .half = { l->half[0], l->half[1] } };
		return true;
	}
	return false;
}
