/* A session: a list of token ids with its KV cache. The public functions are in engine.h. */
#ifndef ENGINE_MODEL_SESSION_H
#define ENGINE_MODEL_SESSION_H

#include "engine/model/kv.h"
#include "engine/model/model.h"

#include <stdatomic.h>

enum {
	SESSION_CTX_DEFAULT = 8192,	/* positions, when the model was trained on more */
	SESSION_CHUNK = 128,		/* tokens computed together in a prefill */
	SESSION_MAX_CTX = 1 << 24,
};

struct eng_session {
	struct eng_weights *w;
	struct kv kv;
	int32_t *ids;			/* (kv.n_ctx) */
	int32_t n;			/* of them have keys and values */
	int chunk;
	float *logits;			/* (n_vocab) after position n-1 … */
	bool have_logits;		/* … when this is set */
	struct row *rows;		/* (chunk) */
	float *chunk_logits;		/* (chunk, n_vocab): only when every position's are wanted */
	atomic_bool cancel;
};

#endif
