/*
 * The table of model families: one row a family, all that tells its graph from the others'.
 * The keys of a file give the numbers (config.h), the row gives what no key tells. A family
 * that mixes known switches is a row and nothing else.
 *
 * Every family is: embedding; layers of x += attention(norm(x)), x += feed_forward(norm(x));
 * norm; output. Tensors that may or may not be there (biases, fused query, key and value,
 * a scale a matrix, divisors of rope's angles) are used where the file has them.
 *
 * Facts: llama.cpp (Aug 2026) src/models; BitNet: Microsoft's gpu/model.py.
 */
#ifndef ENGINE_MODEL_FAMILY_H
#define ENGINE_MODEL_FAMILY_H

#include <stddef.h>

enum rope_kind {
	ROPE_NORM,	/* pairs (2i, 2i+1): the converter permuted the rows of q and k */
	ROPE_NEOX,	/* pairs (i, i + n_rot/2) */
};

/* What the gate goes through before it meets the other half. */
enum gate_kind {
	GATE_SILU,
	GATE_GELU,	/* by tanh */
	GATE_RELU2,	/* squared */
};

/* Switches of a family's graph. */
enum family_flags {
	FAMILY_QK_NORM = 1,	/* RMSNorm per head on q and k, before rope */
	FAMILY_NOPE4 = 2,	/* no rope in every fourth layer (il + 1) % 4 == 0 */
	FAMILY_FUSED_UP = 4,	/* ffn_up holds gate and up, one below the other */
	FAMILY_POST_NORMS = 8,	/* norms on what attention and feed-forward give, before it is added */
	FAMILY_SUB_NORMS = 16,	/* norms inside, before attn_output and before ffn_down */
	FAMILY_SCALE_EMBD = 32,	/* the embedding × sqrt(n_embd) */
	FAMILY_ACT_TOKEN = 64,	/* the layers' activations are rounded to int8 by token: so it was trained */
};

struct family {
	const char *arch;	/* general.architecture, and the prefix of its keys */
	const char *name;	/* what people call it */
	enum rope_kind rope;
	enum gate_kind gate;
	unsigned flags;
	/*
	 * Sliding windows: attention.sliding_window counts only with a period, every period-th
	 * layer sees everything, unless attention.sliding_window_pattern says otherwise.
	 */
	int window_period;	/* 0: none */
	int window;		/* when the key is absent; 0: then there is none */
	float window_base;	/* rope's base in layers with a window, never scaled; 0: as in the others */
	/* when the keys are absent; the one on scores counts only in families that have one */
	float attn_softcap, logit_softcap;
	int layers_wide;	/* models of that many layers scale scores by 1 / sqrt(n_embd / n_head) */
};
extern const struct family families[];	/* ends with arch NULL */

/* The family of an architecture name, or NULL. */
const struct family *family_find(const char *arch, size_t n);

#endif
