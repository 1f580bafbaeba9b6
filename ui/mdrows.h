/* One chunk of markdown to rows, and how the parser is asked. For markdown.c and mdkeep.c. */
#ifndef UI_MDROWS_H
#define UI_MDROWS_H

#include "ui/doc.h"

#include <md4c.h>

#define MDROWS_FLAGS (MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_TASKLISTS | MD_FLAG_NOHTML | \
		      MD_FLAG_LATEXMATHSPANS | MD_FLAG_PERMISSIVEURLAUTOLINKS)

/* Where a parser looks for a function and nothing is to be done. */
static inline int mdrows_pass_span(MD_SPANTYPE type, void *detail, void *arg)
{
	(void)type;
	(void)detail;
	(void)arg;
	return 0;
}

/*
 * Appends the rows of n bytes, a blank one first when something stands before. Bytes from `own`
 * on were put there to close what is open: false when one of them was taken for text.
 */
bool mdrows_add(struct doc *d, const char *s, size_t n, size_t own);

#endif
