/*
 * Markdown (CommonMark by md4c, with tables, task lists and strikethrough) to rows, while it
 * still grows.
 *
 * The text is read in chunks: a chunk ends before a line that would begin a block of its own at
 * the left margin, whatever came before. A chunk that has ended is finished: its rows never
 * change again. Of the last one everything that is open is drawn as if it were closed: emphasis,
 * code, links, a table that has only its head. A mark that may still become something else (a
 * lone "-" or "``" at the very end) waits until that is known. So the rows of a text that came
 * in pieces are in the end those of the whole text at once.
 *
 * Where this differs from CommonMark: a line end is a line end (models write poems); HTML and
 * LaTeX are text; a link's definition ("[x]: url") is only known in its own chunk, so that
 * nothing that comes later changes what was read, and one that nothing refers to is text, as is a
 * cell beyond a table's columns; lists are drawn without blank rows between their items, tight or
 * loose. Titles of links and what stands beside a fence are shown.
 */
#ifndef UI_MARKDOWN_H
#define UI_MARKDOWN_H

#include "ui/doc.h"

struct markdown {
	size_t firm;		/* bytes of the source in finished chunks */
	size_t looked;		/* up to here, after firm, no chunk ends */
	size_t tried;		/* where the parser was asked last: a long chunk is not asked at every blank line */
	struct doc_mark mark;	/* of the doc, after the finished chunks */
};

/* A source that is read from its beginning into an empty doc (or one that holds something before). */
void markdown_init(struct markdown *m, const struct doc *d);
/*
 * Makes the rows of n bytes of valid UTF-8 without control bytes but \n and \t. The bytes that
 * were there at the last call are the same. open: more may come.
 */
void markdown_read(struct markdown *m, struct doc *d, const char *s, size_t n, bool open);

#endif
