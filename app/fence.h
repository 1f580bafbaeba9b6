/*
 * Fences of code in Markdown, line by line: which lines are code, and what is still open at the end.
 * Those of lists and quotes are seen as far as they are indented by three blanks at most.
 */
#ifndef APP_FENCE_H
#define APP_FENCE_H

#include <stddef.h>

/* n of `mark` opened it, behind so many blanks; n 0: none is open. */
struct fence { size_t n, indent; char mark; };

enum fence_line { FENCE_OUTSIDE, FENCE_OPENS, FENCE_INSIDE, FENCE_CLOSES };

/* The next line, without its end. */
enum fence_line fence_next(struct fence *f, const char *line, size_t n);

#endif
