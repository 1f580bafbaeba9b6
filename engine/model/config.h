/*
 * What kind of model a file holds: its family (a row of family.h) and its hyper-parameters,
 * read from the keys `<arch>.*` and checked before anything is allocated by them.
 *
 * Facts: llama.cpp (Aug 2026) src/models, llama-model.cpp, llama-hparams.
 */
#ifndef ENGINE_MODEL_CONFIG_H
#define ENGINE_MODEL_CONFIG_H

#include "engine/base/err.h"
#include "engine/format/gguf.h"
#include "engine/model/family.h"

#include <stdbool.h>
#include <stdint.h>

/* Bounds that no known model comes near; beyond them a file is refused. */
enum {
	CONFIG_MAX_LAYERS = 1024,
	CONFIG_MAX_EMBD = 1 << 17,
	CONFIG_MAX_FF = 1 << 19,
	CONFIG_MAX_HEADS = 1024,
	CONFIG_MAX_VOCAB = 1 << 22,
};

/* How positions turn a head: rope.h. */
struct rope_config {
	float base;
	float freq_scale;	/* 1 / linear factor */
	float attn;		/* on cosine and sine */
	/* yarn; ext 0 means off */
	float ext, beta_fast, beta_slow;
	int64_t ctx_orig;	/* that it was trained on before it was stretched */
};

/* A layer's rope is one of these. */
enum { ROPE_FULL, ROPE_WINDOW, ROPE_N, ROPE_NOT = ROPE_N };

struct layer_config {
	int32_t n_head, n_head_kv;
	int32_t n_ff;
	int32_t window;		/* a position sees that many, itself the last of them; 0: all below it */
	int32_t rope;		/* ROPE_… */
};

struct config {
	const struct family *family;
	int32_t n_layer;
	int32_t n_embd;
	int32_t head_dim;		/* of q, k and v alike */
	int32_t n_vocab;		/* rows of the embedding */
	int32_t n_rot;			/* rotated dimensions of a head */
	int64_t n_ctx_train;
	float norm_eps;
	float attn_scale;		/* on the scores */
	float embd_scale;		/* on the embedding's rows; mostly 1 */
	float attn_softcap, logit_softcap;	/* 0: none */
	struct rope_config rope[ROPE_N];
	int64_t window;			/* of the layers that have one */
	struct layer_config *layer;	/* (n_layer) */
	int32_t max_head, max_head_kv, max_ff;	/* over the layers */
};

/*
 * Fills c from a file of a known family. ERR_UNSUPPORTED for an unknown one, ERR_FORMAT
 * with key and offset for a value that makes no sense. c is released in any case.
 */
int config_load(struct config *c, const struct gguf *g, struct err *e);
void config_release(struct config *c);

/* Bytes of K and V of one position over all layers, `bytes` per value. */
int64_t config_kv_values(const struct config *c);

#endif
