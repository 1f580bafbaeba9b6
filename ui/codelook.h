/*
 * A line of code with its looks: comments, strings, numbers, and the words of the language.
 * One simple scanner for all languages, told what differs by a table; a language that is not
 * in it is drawn as it is.
 */
#ifndef UI_CODELOOK_H
#define UI_CODELOOK_H

#include "ui/doc.h"

struct codelook;	/* a language */

/* By the name after the fence ("c", "Python"), any case; NULL: unknown. */
const struct codelook *codelook_find(const char *name, size_t n);
/* Appends a line (no \n) to the doc. *state goes from line to line of a block, 0 at first. c may be NULL. */
void codelook_add(struct doc *d, const struct codelook *c, int *state, const char *s, size_t n);

#endif
