/*
 * The tools that a model is offered: a file with a JSON array, as templates take it; and
 * whether a template listens to what it is passed.
 */
#ifndef APP_TOOLS_H
#define APP_TOOLS_H

#include "engine/base/err.h"
#include "engine/base/str.h"
#include "engine/engine.h"

enum { TOOLS_MAX_BYTES = 1 << 20 };

/* Puts the array, of objects, into out, as JSON. ERR_FORMAT names the line of a mistake. */
int tools_read(const char *path, struct str *out, struct err *e);
/* Does the model's template make something of them? One that fails is taken to. */
bool tools_heard(struct eng_model *m, const char *tools);
/* The same of enable_thinking: can its template be told whether to think? */
bool thinking_heard(struct eng_model *m);

#endif
