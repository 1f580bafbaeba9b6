/*
 * A text ready to be drawn: bytes with their looks, cut into rows of one width.
 *
 * A builder appends text, tells from where on it looks how, and ends each logical line,
 * which is then wrapped into rows. Whoever draws goes by rows; whoever searches or copies
 * goes by the logical lines and blocks that the rows know.
 *
 * Rows at the end can be taken back (doc_cut), for text that still grows. Out of memory
 * only shortens what is seen: `failed` tells.
 */
#ifndef UI_DOC_H
#define UI_DOC_H

#include "engine/base/str.h"
#include "ui/style.h"
#include "ui/wrap.h"

#include <stdbool.h>
#include <stddef.h>

/* From byte `off` of the text on. */
struct doc_span { size_t off; struct look look; };

struct doc_row {
	size_t off, len;		/* what is seen of the line */
	size_t line, line_len;		/* the logical line that it is part of */
	size_t lead, lead_len;		/* drawn before it: a bullet, a bar, blanks */
	int indent;			/* columns before it, after the lead */
	unsigned block;			/* in blocks[], 0: none */
	bool rtl;			/* the line has letters that run from right to left */
	bool fixed;			/* it begins at the left all the same: code, tables */
};

/* A piece of the text, with its width. */
struct doc_piece { size_t off, len; int cols; };

/* Something that can be copied on its own: a code block. Its source is bytes of `source`. */
struct doc_block { size_t source, source_len; };

struct doc {
	int cols;
	bool bare;			/* for the terminal's own selection: no frames */
	struct str text, source;
	struct doc_span *spans;
	size_t n_spans, spans_size;
	struct doc_row *rows;
	size_t n_rows, rows_size;
	struct doc_block *blocks;	/* [0] is no block */
	size_t n_blocks, blocks_size;
	unsigned block;			/* rows made now belong to it */
	bool failed;
};

/* A place to come back to. */
struct doc_mark { size_t text, source, spans, rows, blocks; };

void doc_init(struct doc *d);
void doc_release(struct doc *d);
/* Empties it for a width. */
void doc_clear(struct doc *d, int cols);
struct doc_mark doc_mark(const struct doc *d);
void doc_cut(struct doc *d, struct doc_mark m);

/* The text that follows looks so. */
void doc_look(struct doc *d, struct look look);
/* Appends text; a tab becomes blanks up to its stop, counted from byte `line`. */
void doc_add(struct doc *d, size_t line, const char *s, size_t n);
/* Appends a piece of its own text with its looks. */
void doc_again(struct doc *d, size_t off, size_t len);
/*
 * Makes the rows of a logical line: `len` bytes from `line` on. `first` and `rest` (they may be empty) stand
 * before its first row and the others, in cols - their width. No \n may be in the line.
 */
void doc_line(struct doc *d, size_t line, size_t len, struct doc_piece first, struct doc_piece rest, enum wrap_mode mode);
/* Between them, rows and `source` are a block's that can be copied on its own. */
void doc_begin_block(struct doc *d);
void doc_end_block(struct doc *d);
/* How byte `off` looks. */
struct look doc_look_at(const struct doc *d, size_t off);
/* Is there no change of looks between two bytes? */
bool doc_look_same(const struct doc *d, size_t a, size_t b);

#endif
