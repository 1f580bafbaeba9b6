/*
 * What the parser of markdown reads and never tells: cells beyond a table's columns, definitions of
 * links that nothing refers to. Escaped in the right places they are text. For mdrows.c.
 */
#ifndef UI_MDKEEP_H
#define UI_MDKEEP_H

#include "engine/base/str.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A copy of n bytes in which all of it is told; false: s is like that, or memory is short. *at, a
 * byte of s, becomes the same byte of the copy.
 */
bool mdkeep(const char *s, size_t n, size_t *at, struct str *out);

#endif
