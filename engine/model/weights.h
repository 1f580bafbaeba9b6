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

struct view {
	const char *name;		/* the tensor's, for messages; owned by the gguf */
	const struct quant_type *type;	/* NULL: this tensor is absent */
	int64_t rows, cols;		/* (out, in) */
	int panel;			/* rows of a panel (kern_pack.h); 0: rows lie as in a file */
	int64_t stride;			/* bytes from a row to the next, or a panel */
	const void *data;
	char *made;			/* data, when it lies in the weights' store */
	float scale;			/* what decode() gives is to be multiplied by it: of a type with a tail, else 1 */
	float factor;			/* on products beside scale: the tensor "….scale" where the file has one, else 1 */
};

/* Tensors that may hold several of a layer's, rows one below the other: query, key and value; gate and up. */
enum whole { ALONE, WHOLE_QKV, WHOLE_UP, WHOLE_N };

/*
 * The matrices of a layer, which must be there: name, rows and cols as expressions of c (config) and
 * l (layer_config); the whole that may hold it, and from which row on. Its view then names the whole.
 */
#define LAYER_Q ((int64_t)l->n_head * c->head_dim)
#define LAYER_KV ((int64_t)l->n_head_kv * c->head_dim)
#define LAYER_MATRICES(X) \
	X(wq, "attn_q.weight", LAYER_Q, c->n_embd, WHOLE_QKV, 0) \
	X(wk, "attn_k.weight", LAYER_KV, c->n_embd, WHOLE_QKV, LAYER_Q) \
	X(wv, "attn_v.weight", LAYER_KV, c->n_embd, WHOLE_QKV, LAYER_Q + LAYER_KV) \
	X(wo, "attn_output.weight", c->n_embd, LAYER_Q, ALONE, 0) \
	X(gate, "ffn_gate.weight", l->n_ff, c->n_embd, WHOLE_UP, 0) \
	X(up, "ffn_up.weight", l->n_ff, c->n_embd, WHOLE_UP, l->n_ff) \
	X(down, "ffn_down.weight", c->n_embd, l->n_ff, ALONE, 0)

/* The vectors of a layer: name, length, whether it must be there, the whole and where in it. */
#define LAYER_VECTORS(X) \
	X(attn_norm, "attn_norm.weight", c->n_embd, true, ALONE, 0) \
	X(ffn_norm, "ffn_norm.weight", c->n_embd, true, ALONE, 0) \
	X(q_norm, "attn_q_norm.weight", c->head_dim, c->family->flags & FAMILY_QK_NORM, ALONE, 0) \
	X(k_norm, "attn_k_norm.weight", c->head_dim, c->family->flags & FAMILY_QK_NORM, ALONE, 0) \
	X(attn_sub_norm, "attn_sub_norm.weight", LAYER_Q, c->family->flags & FAMILY_SUB_NORMS, ALONE, 0) \
	X(ffn_sub_norm, "ffn_sub_norm.weight", l->n_ff, c->family->flags & FAMILY_SUB_NORMS, ALONE, 0) \
	X(attn_post_norm, "post_attention_norm.weight", c->n_embd, c->family->flags & FAMILY_POST_NORMS, ALONE, 0) \
	X(ffn_post_norm, "post_ffw_norm.weight", c->n_embd, c->family->flags & FAMILY_POST_NORMS, ALONE, 0) \
	X(bq, "attn_q.bias", LAYER_Q, false, WHOLE_QKV, 0) \
	X(bk, "attn_k.bias", LAYER_KV, false, WHOLE_QKV, LAYER_Q) \
	X(bv, "attn_v.bias", LAYER_KV, false, WHOLE_QKV, LAYER_Q + LAYER_KV) \
	X(bo, "attn_output.bias", c->n_embd, false, ALONE, 0) \
	X(bgate, "ffn_gate.bias", l->n_ff, false, WHOLE_UP, 0) \
	X(bup, "ffn_up.bias", l->n_ff, false, WHOLE_UP, l->n_ff) \
	X(bdown, "ffn_down.bias", c->n_embd, false, ALONE, 0)

struct layer {
#define MEMBER(id, name, rows, cols, whole, from) struct view id;
	LAYER_MATRICES(MEMBER)
#undef MEMBER
#define MEMBER(id, name, len, must, whole, from) float *id;	/* NULL when absent */
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
	char *store;			/* all matrices that were made, in one block: huge pages hold several. Or NULL */
	float *output_norm;		/* (n_embd) */
	/* (n_rot / 2) divisors of the angle, or NULL: for all; for sessions of up to ctx_orig, and of more */
	float *rope_freqs, *rope_short, *rope_long;
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

/* Bytes in the file, or where it was made; the tail of its type is one of them. */
int64_t view_bytes(const struct view *v);
/* One row as floats: dst (cols). */
void view_decode_row(const struct view *v, int64_t row, float *dst);

#endif
