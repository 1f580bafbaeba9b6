/* Searching in what is seen: a PCRE2 pattern, smart case (a capital letter makes the case count). */
#ifndef UI_FIND_H
#define UI_FIND_H

#include "engine/base/err.h"

#include <stddef.h>

struct find;
struct find_range { size_t from, to; };

/* ERR_ARG tells what is wrong with the pattern. */
int find_new(struct find **out, const char *pattern, struct err *e);
void find_free(struct find *f);
/* The places in a line of valid UTF-8, at most `max`; a pattern that takes too long finds nothing. Empty ones are left out. */
int find_in(const struct find *f, const char *s, size_t n, struct find_range *ranges, int max);

#endif
