/*
 * The table of block types: how weights lie in a file and what they mean. One row a
 * type; everything that asks "which types are there" reads this table. The functions
 * here are the scalar definition; fast kernels are checked against them.
 *
 * Layouts and rounding rules: ggml-common.h and ggml-quants.c of llama.cpp (Aug 2026)
 * describe them; encoders are byte-identical to the *_ref quantizers that write files.
 * Blocks run along a row (the fastest dimension); a row is a whole number of blocks.
 */
#ifndef ENGINE_QUANT_QUANT_H
#define ENGINE_QUANT_QUANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ids as in GGUF files (ggml_type). */
enum quant_id {
	QUANT_F32 = 0, QUANT_F16 = 1, QUANT_Q4_0 = 2, QUANT_Q4_1 = 3, QUANT_Q5_0 = 6,
	QUANT_Q5_1 = 7, QUANT_Q8_0 = 8, QUANT_Q2_K = 10, QUANT_Q3_K = 11, QUANT_Q4_K = 12, QUANT_Q5_K = 13,
	QUANT_Q6_K = 14, QUANT_IQ4_NL = 20, QUANT_IQ4_XS = 23, QUANT_BF16 = 30, QUANT_TQ1_0 = 34,
	QUANT_TQ2_0 = 35, QUANT_I2_S = 36,
};

/*
 * n weights, a multiple of the block; packed bytes need no alignment; src and dst do not
 * overlap. Any thread. Whatever the bytes or floats hold (NaN and infinities among them),
 * the result is the same bits on every machine.
 */
typedef void quant_decode_fn(const void *src, float *dst, int64_t n);
typedef void quant_encode_fn(const float *src, void *dst, int64_t n);

struct quant_type {
	const char *name;		/* "Q4_0" */
	enum quant_id id;
	int block;			/* weights a block */
	int bytes;			/* bytes a block */
	int tail;			/* bytes behind a tensor's last row: its scale (below); mostly 0 */
	quant_decode_fn *decode;
	quant_encode_fn *encode;
	/*
	 * Multiplied with activations at 16 bits: at 8 their rounding would lose more than a
	 * tenth of what this type loses itself.
	 */
	bool wide;
};

/* All types, in the order of precision (F32 first); ends with name NULL. */
extern const struct quant_type quant_types[];

/*
 * The same functions by instruction set, in the order of quant_types[]: one source, compiled
 * again with more lanes (lanes.h), and the same bits. What may be run is for the caller to
 * know: kern_codec() of engine/kernels/kern.h.
 */
struct quant_codec { quant_decode_fn *decode; quant_encode_fn *encode; };
extern const struct quant_codec quant_codecs[], quant_codecs_avx2[], quant_codecs_avx512vnni[];

/* NULL when unknown. Names in any case. */
const struct quant_type *quant_by_id(uint32_t id);
const struct quant_type *quant_by_name(const char *name);

/* Bytes of a row of n weights; -1 when n is no multiple of the block or the product overflows. */
int64_t quant_row_bytes(const struct quant_type *t, int64_t n);

/*
 * I2_S has one scale for a whole tensor, in the tail behind its rows: 4 bytes F32, the rest
 * zero. Rows are blocks like those of any other type, but decode() gives -1, 0 and 1, to be
 * multiplied by quant_tail_scale(), and encode() stores the signs alone. quant_ternary()
 * tells whether weights can be stored so: true while all of them so far (from *scale = 0 on)
 * are 0 or of one finite magnitude, which is then in *scale.
 */
float quant_tail_scale(const struct quant_type *t, const void *tail);	/* 1 if there is none */
void quant_tail_write(const struct quant_type *t, float scale, void *tail);
bool quant_ternary(const float *x, int64_t n, float *scale);

/* Bytes of a tensor of `rows` rows of n weights, tail included; -1 as above. */
int64_t quant_tensor_bytes(const struct quant_type *t, int64_t n, int64_t rows);

/* IEEE half and bfloat16, to nearest even; NaN stays NaN. */
float quant_f16_to_f32(uint16_t h);
uint16_t quant_f32_to_f16(float f);
float quant_bf16_to_f32(uint16_t h);
uint16_t quant_f32_to_bf16(float f);

#endif
