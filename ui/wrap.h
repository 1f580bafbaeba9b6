/*
 * Logical lines to rows. Words stay whole where they can (line breaks by UAX 14, so that
 * Chinese and Japanese break between characters); a word longer than the row is cut between
 * clusters; the rows after the first begin where the line's text began, past a bullet or a
 * number, so that lists stay readable on a narrow screen.
 */
#ifndef UI_WRAP_H
#define UI_WRAP_H

#include <stdbool.h>
#include <stddef.h>

/* One row: the bytes [off, off + len) of the text, `indent` columns in. */
typedef void wrap_row_fn(void *arg, size_t off, size_t len, int indent);

enum wrap_mode {
	WRAP_HANG,		/* rows after the first begin where the line's text began */
	WRAP_TABLE,		/* the same; a line may be two columns, apart by two blanks: they begin in the second */
	WRAP_FLAT,		/* they begin at the left */
	WRAP_CODE,		/* cut where the row ends; every blank is kept */
};

/* Wraps n bytes of valid UTF-8 (lines ended by \n; no other control bytes) to cols >= 1. */
void wrap_text(const char *s, size_t n, int cols, enum wrap_mode mode, wrap_row_fn *row, void *arg);

#endif
