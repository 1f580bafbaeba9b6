/* The user's editor on a text, in the terminal that we have left for it. */
#ifndef UI_OUTSIDE_H
#define UI_OUTSIDE_H

#include "engine/base/err.h"
#include "engine/base/str.h"

/*
 * Opens a copy of the text ($VISUAL, else $EDITOR, else vi) and waits until the editor ends; the
 * screen is taken again. back (may be NULL) gets what the file then holds. suffix: ".md".
 */
int outside_edit(const char *text, size_t n, const char *suffix, struct str *back, struct err *e);

#endif
