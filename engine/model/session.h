/* A session: a list of token ids with its KV cache. The public functions are in engine.h. */
#ifndef ENGINE_MODEL_SESSION_H
#define ENGINE_MODEL_SESSION_H

#include "engine/model/kv.h"
#include "engine/model/model.h"

#include <stdatomic.h>

enum {
	SESSION_CTX_DEFAULT = 8192,	/* positions, when the model was trained on more */
	SESSION_CHUNK = 512,		/* tokens computed together in a prefill */
	SESSION_MAX_CTX = ENG_CTX_MAX,
};

struct eng_session {
	struct eng_weights *w;
	struct kv kv;
	enum eng_act act;
	int32_t *ids;			/* (kv.n_ctx) */
	int32_t n;			/* of them have keys and values */
	int chunk;
	float *logits;			/* (n_vocab) after position n-1 … */
	bool have_logits;		/* … when this is set */
	float *chunk_logits;		/* (chunk, n_vocab): only when every position's are wanted */
	atomic_bool cancel;
	struct {			/* while it is in a sync: sched.c */
		const int32_t *ids;
		int32_t n, from;	/* ids[from …] are to be computed */
		int take;		/* rows in this step */
		bool in;
		struct eng_sync *st, own;
	} turn;
};

/* The context that the options mean for a model. */
int64_t session_ctx(const struct eng_model *m, const struct eng_session_opts *opts);
/* Positions n and above are forgotten; in a model with windows perhaps more. */
void session_rewind(struct eng_session *s, int32_t n);

#endif
