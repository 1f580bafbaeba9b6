/* The types' functions as this file is compiled: its own table for each instruction set. */
#include "config.h"
#include "engine/quant/quant_block.h"

#define CODEC(name, fn, block, bytes, tail, wide) \
	{ QUANT_NAME(quant_decode_##fn), QUANT_NAME(quant_encode_##fn) },

const struct quant_codec QUANT_NAME(quant_codecs)[] = { QUANT_TYPES(CODEC) };
