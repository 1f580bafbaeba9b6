/*
 * The ladder: the levels of an open model, and weights at a level in memory, made from the
 * open file. A made level is, tensor by tensor, what `quantize` would write: the same rules,
 * the same encoders. The file's own level is made too, by packing alone (kern_pack.h); packed
 * tensors replace the pages of the mapping. What a level leaves as it is, and no kernel wants
 * packed, stays in the mapping.
 */
#ifndef ENGINE_MAKE_LADDER_H
#define ENGINE_MAKE_LADDER_H

#include "engine/make/level.h"
#include "engine/model/model.h"

/* Fills m->levels: the file's own level and the rungs that are offered, largest first. */
int ladder_list(struct eng_model *m, struct err *e);

/* Are there encoders and kernels here for all that the level's tensors become? */
bool ladder_can(const struct eng_model *m, const struct level *l);

/* Bytes of the tensors at a level, and bits a weight (bpw may be NULL). Nothing is made. */
uint64_t ladder_bytes(const struct eng_model *m, const struct level *l, double *bpw);

#endif
