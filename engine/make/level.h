/*
 * Levels: what a whole model is quantized to, and by which rules each tensor gets its
 * type. The same table and code serve a level made in memory and `quantize` to a file.
 * Rules: llama.cpp's llama-quant.cpp (Aug 2026) without an importance matrix.
 */
#ifndef ENGINE_MAKE_LEVEL_H
#define ENGINE_MAKE_LEVEL_H

#include "engine/base/err.h"
#include "engine/quant/quant.h"

/* Which tensors of a kind a rule moves; i counts them by layer. */
enum level_when {
	LEVEL_NONE,			/* none: all stay at the level's base */
	LEVEL_ALL,
	LEVEL_GQA4,			/* all, if four query heads or more share a KV head */
	LEVEL_FIRST2, LEVEL_FIRST4,	/* i < 2, i < 4 */
	LEVEL_EIGHTH, LEVEL_SIXTEENTH,	/* i < layers / 8, i < layers / 16 */
	LEVEL_MORE_BITS,		/* first eighth, last eighth, every third between */
};

struct level_rule {
	enum level_when when;
	enum quant_id type;		/* of those that it moves */
	enum quant_id rest;		/* of the others */
};

struct level {
	const char *name;		/* "Q4_0", "Q4_K_M" */
	int ftype;			/* general.file_type (I2_S: that of Microsoft's fork) */
	enum quant_id base;		/* type of a matrix that no rule moves */
	const char *help;
	struct level_rule attn_v;	/* fused attn_qkv too */
	struct level_rule ffn_down;
	struct level_rule attn_output;
	struct level_rule token_embd;	/* when it is not the output matrix too */
	bool ternary;			/* I2_S: other models than ternary ones cannot be made */
	bool wants_imatrix;		/* the peer refuses it without an importance matrix: warn */
};

enum { LEVELS_MAX = 32 };
extern const struct level levels[];	/* in the order of bits; ends with name NULL */
const struct level *level_by_name(const char *name);	/* any case; "Q4_K" is Q4_K_M; NULL unknown */
const struct level *level_by_ftype(int64_t ftype);
/* The same for a name that a user gave: ERR_ARG tells the names there are. */
int level_parse(const char *name, const struct level **out, struct err *e);

/* What the rules look at, gathered once over a model's tensors. */
struct level_model {
	int n_layer;			/* what attn_v and ffn_down tensors are counted against */
	int n_gqa;			/* query heads a KV head, of the first layer */
	bool has_output;		/* output.weight exists: not tied */
};

/*
 * The type that tensor `name` of shape ne (fastest first) gets at a level, odd row lengths
 * seen to. NULL: it keeps its own type (norms, biases, what is no matrix). Every layer is
 * taken to have its attn_v (or attn_qkv) and its ffn_down, so that the number in the name
 * "blk.7.attn_v.weight" is the count that the rules want.
 */
const struct quant_type *level_tensor_type(const struct level *l, const struct level_model *m,
					   const char *name, int n_dims, const int64_t *ne);

/*
 * The same for a model in which some tensors got their types otherwise: those are not
 * counted, so that the nth of the others is not the layer's number. level_counts() tells
 * which count a name belongs to (LEVEL_ROWS: none) and its layer.
 */
enum level_row { LEVEL_ROW_V, LEVEL_ROW_DOWN, LEVEL_ROWS };
enum level_row level_counts(const char *name, long *layer);
const struct quant_type *level_tensor_nth(const struct level *l, const struct level_model *m,
					  const char *name, int n_dims, const int64_t *ne, long nth);

/* `t`, or for rows that are no whole blocks of it the type that is used instead: F16 at the end. */
const struct quant_type *level_fallback(const struct quant_type *t, int64_t row);

#endif
