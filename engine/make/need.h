/*
 * What a model at a level takes of memory together with a session, before any of it is taken,
 * and what would fit where that does not. The public half is in engine.h.
 */
#ifndef ENGINE_MAKE_NEED_H
#define ENGINE_MAKE_NEED_H

#include "engine/model/model.h"

/* eng_model_need() on a machine with that much available. */
int need_of(struct eng_model *m, const char *level, const struct eng_session_opts *opts, uint64_t available,
	    struct eng_need *out, struct err *e);

#endif
