/*
 * The weights of a model at one level: views of matrices, each with its own type, and
 * the small vectors (norms, biases) as floats. A view points into the file's mapping or
 * into memory that the weights own; nobody who multiplies needs to know which.
 *
 * Built from rows, by whatever makes a level (engine/make) or straight from the file;
 * immutable afterwards; counted references, counted by the thread that computes.
 */
#ifndef ENGINE_MODEL_WEIGHTS_H
#define ENGINE_MODEL_WEIGHTS_H

#include "engine/engine.h"
#include "engine/model/config.h"
#include "engine/quant/quant.h"

/* How the rows of a view lie. A layout belongs to an instruction set; FILE suits them all. */
enum layout {
	LAYOUT_FILE,		/* rows of blocks as in the file, `stride` bytes apart */
};

struct view {
	const char *name;		/* the tensor's, for messages; owned by the gguf */
	const struct quant_type *type;	/* NULL: this tensor is absent */
	enum layout layout;
	int64_t rows, cols;		/* (out, in) */
	int64_t stride;			/* bytes */
	const void *data;
	void *owned;			/* data, when it is memory of ours */
};

/* The matrices of a layer. name, rows and cols as expressions of c (config), l (layer_config); whether it must be there. */
#define LAYER_MATRICES(X) \
	X(wq, "attn_q.weight", (int64_t)l->n_head * c->head_dim, c->n_embd, true) \
	X(wk, "attn_k.weight", (int64_t)l->n_head_kv * c->head_dim, c->n_embd, true) \
	X(wv, "attn_v.weight", (int64_t)l->n_head_kv * c->head_dim, c->n_embd, true) \
	X(wo, "attn_output.weight", c->n_embd, (int64_t)l->n_head * c->head_dim, true) \
	X(gate, "ffn_gate.weight", l->n_ff, c->n_embd, true) \
	X(up, "ffn_up.weight", l->n_ff, c->n_embd, true) \
	X(down, "ffn_down.weight", c->n_embd, l->n_ff, true)

/* The vectors of a layer: name, length, whether it must be there. */
#define LAYER_VECTORS(X) \
	X(attn_norm, "attn_norm.weight", c->n_embd, true) \
	X(ffn_norm, "ffn_norm.weight", c->n_embd, true) \
	X(q_norm, "attn_q_norm.weight", c->head_dim, c->family->flags & FAMILY_QK_NORM) \
	X(k_norm, "attn_k_norm.weight", c->head_dim, c->family->flags & FAMILY_QK_NORM) \
	X(bq, "attn_q.bias", (int64_t)l->n_head * c->head_dim, false) \
	X(bk, "attn_k.bias", (int64_t)l->n_head_kv * c->head_dim, false) \
	X(bv, "attn_v.bias", (int64_t)l->n_head_kv * c->head_dim, false) \
	X(bo, "attn_output.bias", c->n_embd, false)

struct layer {
#define MEMBER(id, name, rows, cols, must) struct view id;
	LAYER_MATRICES(MEMBER)
#undef MEMBER
#define MEMBER(id, name, len, must) float *id;	/* NULL when absent */
	LAYER_VECTORS(MEMBER)
#undef MEMBER
};

struct eng_model;

struct eng_weights {
	struct eng_model *model;
	int refs;
	struct eng_weights_info info;
	char level[16], note[96];
	struct layer *layer;		/* (n_layer) */
	struct view embd;		/* (n_vocab, n_embd) */
	struct view output;		/* (n_vocab, n_embd); the embedding again when tied */
	bool tied;
	float *output_norm;		/* (n_embd) */
	float *rope_freqs;		/* (n_rot / 2) divisors of the angle, or NULL */
	uint64_t mapped, made;		/* bytes of the views, and of the vectors in `made` */
	struct eng_weights *next;	/* in the model's list of those alive */
};

/*
 * The weights as the file has them. Shapes are checked against the configuration and
 * every type must have a kernel: errors name the tensor, its offset, what was expected
 * and found.
 */
struct eng_weights *weights_open(struct eng_model *m, struct err *e);
/* Calls fn for every view once (a tied output is not told twice). */
typedef int weights_view_fn(void *arg, struct view *v, int layer);
int weights_each_view(struct eng_weights *w, weights_view_fn *fn, void *arg);
/* Sums up info.bytes, mapped, made and bpw after views were changed. */
void weights_account(struct eng_weights *w);
void weights_free(struct eng_weights *w);

/* One row as floats: dst (cols). */
void view_decode_row(const struct view *v, int64_t row, float *dst);

#endif
