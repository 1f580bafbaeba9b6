/*
 * What an unforeseen end must not take away, in files (0600, in the user's state folder): what was being
 * typed, and the conversation. Each running program has its own; one that a program still running
 * has written is left alone.
 */
#ifndef APP_DRAFT_H
#define APP_DRAFT_H

#include "engine/base/err.h"
#include "engine/base/str.h"

enum draft { DRAFT_TYPED, DRAFT_CHAT };

/* Replaces what is kept; n 0: nothing is any more. */
int draft_keep(enum draft d, const char *text, size_t n, struct err *e);
/* The path of the newest that an ended program has left; out stays empty when there is none. */
int draft_find(enum draft d, struct str *path, struct err *e);
/* The text of that one, whose file goes. */
int draft_take(enum draft d, struct str *out, struct err *e);

#endif
