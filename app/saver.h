/*
 * A level written to a file beside the conversation: quantize's work, by threads of the lowest
 * priority and an engine of their own, so that neither answers nor the model in use are touched.
 * The file appears when it is whole.
 */
#ifndef APP_SAVER_H
#define APP_SAVER_H

#include "app/loop.h"
#include "engine/engine.h"

struct saver;

/* Starts; the loop is woken ten times a second while it gets on, and when it has ended. */
int saver_new(struct saver **out, struct loop *l, const char *in, const char *path, const char *level, int threads,
	      struct err *e);
/* How far it is; true once it has ended. */
bool saver_ended(struct saver *s, int64_t *done, int64_t *total);
void saver_cancel(struct saver *s);
/* Waits for its end, which saver_cancel() brings near; what came of it. */
int saver_free(struct saver *s, struct eng_quantize_result *r, struct err *e);

#endif
