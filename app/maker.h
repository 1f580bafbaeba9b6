/*
 * Levels made in the background: by threads of the lowest priority, so that what else the machine
 * does is not slowed down. Called by the thread that computes, which waits meanwhile.
 */
#ifndef APP_MAKER_H
#define APP_MAKER_H

#include "engine/engine.h"

/* eng_weights_get(), but for who does the work; progress is called by another thread than the caller's. */
int maker_weights(struct eng_model *m, const char *level, int threads, eng_progress_fn *progress, void *arg,
		  struct eng_weights **out, struct err *e);

#endif
