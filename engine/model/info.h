/* What a file says of itself: fills and frees eng_model.info. */
#ifndef ENGINE_MODEL_INFO_H
#define ENGINE_MODEL_INFO_H

#include "engine/model/model.h"

/*
 * Fills m->info from m->gguf and, when m->cfg.family is set, m->cfg; for other files the
 * hyper-parameters are read leniently from the keys that are there. info.note is the
 * caller's business. The strings live in m->info_store.
 */
int info_load(struct eng_model *m, struct err *e);
void info_release(struct eng_model *m);

#endif
