/* Small steps that every test of models takes. They end the test when something is wrong. */
#ifndef T_LIB_MODEL_H
#define T_LIB_MODEL_H

#include "engine/engine.h"

/* A file under TIDBIT_DATA, or NULL when it is not there; free() it. */
char *data_path(const char *rel);
/* profiles/stories260K.gguf; free() it. */
char *shipped_model(void);

struct eng *new_engine(int threads, const char *isa);
struct eng_model *open_model(struct eng *g, const char *path);
struct eng_weights *weights_at(struct eng_model *m, const char *level);
struct eng_model *model_of(const struct eng_weights *w);
struct eng_session *new_session(struct eng_weights *w, enum eng_kv kv, int64_t n_ctx, int chunk);
/* Syncs to ids and returns the logits of the positions that were computed, (n, n_vocab); free() it. */
float *logits_of(struct eng_session *s, const int32_t *ids, int32_t n);
/* The lowest id of the largest logit. */
int32_t best(const float *logits, int64_t n);
/* The greedy continuation: appends k ids to ids[n …] and leaves the session after them. */
void go_on(struct eng_session *s, int32_t *ids, int32_t n, int32_t k);

#endif
