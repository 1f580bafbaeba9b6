/*
 * What kind of model a file holds: its family (a row of the table below) and its
 * hyper-parameters, read from the keys `<arch>.*` and checked before anything is
 * allocated by them. A new family that is a mixture of known switches is a row.
 *
 * Facts: llama.cpp (Aug 2026) src/models, llama-model.cpp, llama-hparams.
 */
#ifndef ENGINE_MODEL_CONFIG_H
#define ENGINE_MODEL_CONFIG_H

#include "engine/base/err.h"
#include "engine/format/gguf.h"

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

enum rope_kind {
	ROPE_NORM,	/* pairs (2i, 2i+1): the converter permuted the rows of q and k */
	ROPE_NEOX,	/* pairs (i, i + n_rot/2) */
};

/* Switches of a family's graph. */
enum family_flags {
	FAMILY_QK_NORM = 1,	/* RMSNorm per head on q and k, before rope */
	FAMILY_NOPE4 = 2,	/* no rope in every fourth layer (il + 1) % 4 == 0 */
};

struct family {
	const char *arch;	/* general.architecture, and the prefix of its keys */
	const char *name;	/* what people call it */
	enum rope_kind rope;
	unsigned flags;
};
extern const struct family families[];	/* ends with arch NULL */

struct layer_config {
	int32_t n_head, n_head_kv;
	int32_t n_ff;
	int32_t window;		/* a position sees that many, itself the last of them; 0: all below it */
	bool rope;
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
	float logit_softcap;		/* 0: none */
	float rope_base;
	float rope_freq_scale;		/* 1 / linear factor */
	/* yarn; ext 0 means off */
	float yarn_ext, yarn_attn, yarn_beta_fast, yarn_beta_slow;
	int64_t rope_ctx_orig;
	struct layer_config *layer;	/* (n_layer) */
	int32_t max_head, max_head_kv, max_ff;	/* over the layers */
};

/* The family of an architecture name, or NULL. */
const struct family *family_find(const char *arch, size_t n);

/*
 * Fills c from a file of a known family. ERR_UNSUPPORTED for an unknown one, ERR_FORMAT
 * with key and offset for a value that makes no sense. c is released in any case.
 */
int config_load(struct config *c, const struct gguf *g, struct err *e);
void config_release(struct config *c);

/* Bytes of K and V of one position over all layers, `bytes` per value. */
int64_t config_kv_values(const struct config *c);

#endif
