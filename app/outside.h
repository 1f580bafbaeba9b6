/* The user's editor on a text, in a terminal that we leave for it. */
#ifndef APP_OUTSIDE_H
#define APP_OUTSIDE_H

#include "engine/base/err.h"
#include "engine/base/str.h"

/*
 * Opens a copy of the text ($VISUAL, else $EDITOR, else vi) and waits until the editor ends; around it
 * leave() gives the terminal away and resume() takes it again. back (may be NULL) gets what the file
 * then holds. suffix: ".md".
 */
int outside_edit(const char *text, size_t n, const char *suffix, struct str *back, void (*leave)(void), void (*resume)(void),
		 struct err *e);

#endif
