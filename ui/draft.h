/*
 * What was being typed, kept in a file (0600, in the user's state folder) so that nothing that
 * ends the program takes it away. Each terminal has its own; one that a program still running
 * has written is left alone.
 */
#ifndef UI_DRAFT_H
#define UI_DRAFT_H

#include "engine/base/err.h"
#include "engine/base/str.h"

/* Replaces what is kept; n 0: nothing is any more. */
int draft_keep(const char *text, size_t n, struct err *e);
/* Takes a draft that an ended program has left; out stays empty when there is none. */
int draft_take(struct str *out, struct err *e);

#endif
