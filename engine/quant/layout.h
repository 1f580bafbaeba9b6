/*
 * Tensor types as a GGUF reader needs them: names, block sizes, and the order of bytes in
 * files that were written on a big-endian machine. More types than quant.h can decode: a
 * model that cannot be run can still be checked and shown.
 */
#ifndef ENGINE_QUANT_LAYOUT_H
#define ENGINE_QUANT_LAYOUT_H

#include "engine/format/gguf.h"

/* For gguf_open(): false for a type that nobody knows. */
bool quant_layout(uint32_t type, struct gguf_layout *out);

#endif
