/* The memory that a model and a session are going to take: told, and held against what there is. */
#ifndef APP_NEED_H
#define APP_NEED_H

#include "engine/engine.h"

/*
 * Before weights are made and a session is begun. ERR_LIMIT when they do not fit, with need,
 * what there is, and what would fit; with `force` never. *out tells in any case.
 */
int need_check(struct eng_model *m, const char *level, const struct eng_session_opts *so, bool force,
	       struct eng_need *out, struct err *e);
/* "needs 285 MiB (weights 92.1 MiB, KV 180 MiB for 8192 tokens, scratch 12.7 MiB), 22.9 GiB available"; returns buf. */
const char *need_text(char *buf, size_t size, const struct eng_need *n);

#endif
