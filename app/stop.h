/* Texts that end an answer: found in a text that grows, wherever tokens end. */
#ifndef APP_STOP_H
#define APP_STOP_H

#include <stddef.h>

enum { STOP_MAX = 64 };
/* The texts are borrowed; none is empty. {0} is no list at all. */
struct stop { const char *texts[STOP_MAX]; int n; };

/* Empty texts, and those beyond STOP_MAX, are left out. */
void stop_add(struct stop *s, const char *text);
/*
 * Where the one begins that is complete first in text[from, n), or n when there is none; *safe is
 * then how far the text can be told already: what follows may be the beginning of one. What
 * was safe before needs not be looked at again (from).
 */
size_t stop_find(const struct stop *s, const char *text, size_t n, size_t from, size_t *safe);

#endif
