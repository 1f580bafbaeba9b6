/*
 * The models that are here, one a row: family, class, level, size, what it needs, whether that fits. It
 * has a marked row, an order and perhaps a pattern that names must match; opening one is the caller's.
 */
#ifndef UI_PANE_MODELS_H
#define UI_PANE_MODELS_H

#include "app/models.h"
#include "ui/pane.h"

#include "engine/base/err.h"

struct chat;

/* Takes the list over. c is read while drawing, for the model in use. NULL without memory (the list is freed). */
struct pane *pane_models_new(struct models *m, const struct chat *c);
/* Is there something new to see? */
bool pane_models_changed(const struct pane *p);
/* The marked model's file; NULL: none is marked. */
const char *pane_models_take(struct pane *p);
/* Orders them by the next thing; its name. */
const char *pane_models_sort(struct pane *p);
/* Only names that match; NULL or "": all. ERR_ARG for a bad pattern. */
int pane_models_filter(struct pane *p, const char *pattern, struct err *e);

#endif
