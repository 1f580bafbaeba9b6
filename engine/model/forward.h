/*
 * One step through the model: rows of (session, position, token), so that the chunk of a
 * prefill and the next tokens of many sessions go through the weights together. A chat is
 * the case of one.
 *
 * A row's result depends on the weights and on what its session holds below its position,
 * on nothing else: not on the other rows, not on the threads.
 */
#ifndef ENGINE_MODEL_FORWARD_H
#define ENGINE_MODEL_FORWARD_H

#include "engine/model/kv.h"
#include "engine/model/model.h"

#include <stdatomic.h>

struct row {
	struct kv *kv;		/* of its session; pages up to pos are there and are its own from pos on */
	int32_t pos;
	int32_t token;
	float *logits;		/* (n_vocab) wanted here, or NULL */
	const atomic_bool *cancel;	/* its session's; NULL: cannot be stopped */
};

/*
 * Computes rows in order (rows of one session side by side, in ascending positions), with
 * activations as `act` says. Any thread may set a row's `cancel`: then ERR_CANCELLED, and what
 * the rows wrote is void. ERR_NOMEM when the scratch cannot be had. All rows share the
 * weights' model.
 */
int forward(const struct eng_weights *w, const struct row *rows, int n, enum eng_act act, struct err *e);

/* The kinds of work of a step, in its order, as eng_profile() tells them. */
#define FORWARD_WORKS(X) \
	X(BEGIN, "embedding, angles") \
	X(NORM, "norm, rounding") \
	X(QKV, "query, key, value") \
	X(ROPE, "rope, cache") \
	X(ATTN, "attention") \
	X(ROUND_O, "rounding") \
	X(O, "attention's output") \
	X(UP, "gate, up, activation") \
	X(GATE, "gated norm, rounding") \
	X(DOWN, "down") \
	X(HEAD_NORM, "last norm") \
	X(HEAD, "output matrix")
enum forward_work {
#define WORK_ID(id, name) WORK_##id,
	FORWARD_WORKS(WORK_ID)
#undef WORK_ID
	WORK_N
};

/* Bytes of scratch that a step of n rows needs, n_logits of them with logits, at a context of n_ctx. */
size_t forward_scratch(const struct eng_model *m, int n, int n_logits, int64_t n_ctx);

#endif
