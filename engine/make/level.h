/*
 * Levels: what a whole model is quantized to, and by which rules each tensor gets its
 * type. The same table and code serve a level made in memory and `quantize` to a file.
 * Rules: llama.cpp's llama-quant.cpp (Aug 2026) without an importance matrix.
 */
#ifndef ENGINE_MAKE_LEVEL_H
#define ENGINE_MAKE_LEVEL_H

#include "engine/base/err.h"
#include "engine/quant/quant.h"

struct level {
	const char *name;		/* "Q4_0", "Q4_K_M" */
	int ftype;			/* general.file_type */
	enum quant_id base;		/* type of a matrix that no rule moves */
	const char *help;
};

extern const struct level levels[];	/* in the order of bits; ends with name NULL */
const struct level *level_by_name(const char *name);	/* any case; NULL unknown */
const struct level *level_by_ftype(int64_t ftype);

/* What the rules look at, gathered once over a model's tensors. */
struct level_model {
	int n_layer;			/* attn_v and ffn_down tensors are counted against it */
	int n_gqa;			/* query heads a KV head */
	bool has_output;		/* output.weight exists: not tied */
};

/*
 * The type that tensor `name` of this shape gets at a level. `i_layer` is the layer its
 * name carries, -1 for none. A tensor that is no matrix, or whose name does not end in
 * "weight", keeps its own type (NULL is returned).
 */
const struct quant_type *level_tensor_type(const struct level *l, const struct level_model *m,
					   const char *name, int n_dims, const int64_t *ne);

#endif
