#include "config.h"
#include "engine/quant/layout.h"
#include "engine/quant/quant.h"

/* Where 16-bit numbers lie in a block (half precision, and the high bits of scales in IQ4_XS); all else is bytes. */
static const struct { enum quant_id id; int n, at[2]; } halves[] = {
	{ QUANT_F16, 1, { 0 } },	{ QUANT_BF16, 1, { 0 } },
	{ QUANT_Q4_0, 1, { 0 } },	{ QUANT_Q4_1, 2, { 0, 2 } },
	{ QUANT_Q5_0, 1, { 0 } },	{ QUANT_Q5_1, 2, { 0, 2 } },
	{ QUANT_Q8_0, 1, { 0 } },
	{ QUANT_Q2_K, 2, { 80, 82 } },	{ QUANT_Q3_K, 1, { 108 } },
	{ QUANT_Q4_K, 2, { 0, 2 } },	{ QUANT_Q5_K, 2, { 0, 2 } },
	{ QUANT_Q6_K, 1, { 208 } },
	{ QUANT_IQ4_NL, 1, { 0 } },	{ QUANT_IQ4_XS, 2, { 0, 2 } },
	{ QUANT_TQ1_0, 1, { 52 } },	{ QUANT_TQ2_0, 1, { 64 } },
};

enum { I2_S_TAIL = 32 };	/* the tensor's one scale, padded */

bool quant_layout(uint32_t type, struct gguf_layout *out)
{
	const struct quant_type *t = quant_by_id(type);

	if (!t)
		return false;
	*out = (struct gguf_layout){ .name = t->name, .block = t->block, .bytes = t->bytes,
				     .flat = t->id == QUANT_I2_S, .tail = t->id == QUANT_I2_S ? I2_S_TAIL : 0,
				     .word = t->id == QUANT_F32 };
	for (size_t i = 0; i < sizeof halves / sizeof *halves; i++)
		if (halves[i].id == t->id) {
			out->n_half = halves[i].n;
			out->half[0] = halves[i].at[0];
			out->half[1] = halves[i].at[1];
		}
	return true;
}
