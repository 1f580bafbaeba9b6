/*
 * What a verb that computes stands on: engine, model, weights at the level asked for and a
 * session, opened by the options and closed in the right order. Progress is shown on stderr
 * when that is a terminal; Ctrl-C stops it (ERR_CANCELLED).
 */
#ifndef APP_RIG_H
#define APP_RIG_H

#include "app/cmd.h"

struct rig {
	struct eng *eng;
	struct eng_model *model;
	struct eng_weights *weights;
	struct eng_session *session;
};

/* The engine alone. */
int rig_engine(struct rig *r, const struct opts *o, struct err *e);
/* Engine and model. {0} first; close it whatever happened. */
int rig_open(struct rig *r, const struct opts *o, struct err *e);
/*
 * Weights at `level` (NULL: the file's own) and a session of n_ctx positions (0: the default).
 * What they need is held against the memory there is first (ERR_LIMIT, but with --force), and told
 * on stderr when that is a terminal, or with --stats.
 */
int rig_session(struct rig *r, const struct opts *o, const char *level, int64_t n_ctx, struct err *e);
/* The check alone, and other weights of the rig's model, made when needed; the caller releases them. */
int rig_need(const struct rig *r, const struct opts *o, const char *level, const struct eng_session_opts *so,
	     struct err *e);
int rig_weights(struct rig *r, const char *level, struct eng_weights **out, struct err *e);
/* The session that the options ask for. */
int rig_session_opts(const struct opts *o, int64_t n_ctx, struct eng_session_opts *so, struct err *e);
void rig_close(struct rig *r);

/* Says so on stderr when more context is asked for than the model was trained on. */
void rig_note_context(const struct rig *r, const struct opts *o);
/* Exit code for a failure: tells it, but for a cancel that a signal asked for. */
int rig_fail(const struct err *e);

#endif
