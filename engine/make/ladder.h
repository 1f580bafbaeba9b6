/*
 * The ladder: the levels of an open model, and levels made in memory from the open file. A
 * made level is, tensor by tensor, what `quantize` would write: the same rules, the same
 * encoders. Tensors that a level leaves as they are stay in the mapping.
 */
#ifndef ENGINE_MAKE_LADDER_H
#define ENGINE_MAKE_LADDER_H

#include "engine/make/level.h"
#include "engine/model/model.h"

/* Makes the weights of a level in a pool of threads; NULL on failure or when progress returns false. */
struct eng_weights *ladder_make(struct eng_model *m, const struct level *l, struct pool *pool, eng_progress_fn *progress,
				void *arg, struct err *e);

/* Fills m->levels: the file's own level and the rungs that are offered, largest first. */
int ladder_list(struct eng_model *m, struct err *e);

/* Are there encoders and kernels here for all that the level's tensors become? */
bool ladder_can(const struct eng_model *m, const struct level *l);

/* Bytes of the tensors at a level, and bits a weight (bpw may be NULL). Nothing is made. */
uint64_t ladder_bytes(const struct eng_model *m, const struct level *l, double *bpw);

#endif
