/*
 * The types of quant.h as a GGUF reader needs them: block sizes, and the order of bytes in
 * files that were written on a big-endian machine.
 */
#ifndef ENGINE_QUANT_LAYOUT_H
#define ENGINE_QUANT_LAYOUT_H

#include "engine/format/gguf.h"

/* For gguf_open(): false for a type that quant.h does not list. */
bool quant_layout(uint32_t type, struct gguf_layout *out);

#endif
