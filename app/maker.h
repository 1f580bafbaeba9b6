/*
 * A level made in the background: by threads of the lowest priority, so that what else the machine
 * does, and an answer of the level in use, are not slowed down. Owned by the thread that computes:
 * sessions of the model may compute meanwhile, nothing else of the model may be called.
 */
#ifndef APP_MAKER_H
#define APP_MAKER_H

#include "engine/engine.h"

struct maker;

/*
 * Begins. progress (false: stop) and, at the end, `ended` are called by the maker's thread, with arg. The
 * level's name is the caller's until maker_free().
 */
int maker_new(struct maker **out, struct eng_model *m, const char *level, int threads, eng_progress_fn *progress,
	      void (*ended)(void *arg), void *arg, struct err *e);
/* After `ended`: the weights, still the maker's; NULL where something went wrong. */
const struct eng_weights *maker_weights(const struct maker *k);
/* Waits for the end. The weights, which are the caller's; or what went wrong. */
int maker_free(struct maker *k, struct eng_weights **out, struct err *e);

#endif
