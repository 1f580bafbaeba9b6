/*
 * The one width function: how many columns a piece of text takes, and what is put into the
 * cells. Every pane, the input line and every gauge measure by it, so that what is laid out
 * is what is drawn.
 *
 * A cluster is what a reader takes for one character (UAX 29). Its width is the sum of
 * wcwidth() over its characters, because that is what curses counts and what nearly every
 * terminal does; where wcwidth() knows nothing, libunistring's. Four exceptions:
 *
 * - emoji made of several characters whose sum is not 2: only the base is drawn (terminals
 *   do not agree on the rest, and the row would drift);
 * - Hangul that is spelled in jamo is drawn in syllables, where there are such;
 * - a mark without a base, and more marks than a cell holds: drawn on a dotted circle;
 * - control bytes: "^A"; bytes that are no UTF-8, C1 and bidi controls: U+FFFD. The filter
 *   before (app/termtext.h) leaves none; this is the second lock on that door.
 *
 * Needs LC_CTYPE set to a UTF-8 locale.
 */
#ifndef UI_WIDTH_H
#define UI_WIDTH_H

#include <stddef.h>
#include <wchar.h>

enum { WIDTH_CELLS = 32 };	/* most wide characters of one cluster, final 0 included */

/* Bytes of the cluster at s (n > 0 bytes left), its columns in *cols. Never 0. */
size_t width_next(const char *s, size_t n, int *cols);
/* The same, and what to draw: `out` ends with 0 and takes *cols columns. */
size_t width_cells(const char *s, size_t n, int *cols, wchar_t out[WIDTH_CELLS]);
int width_of(const char *s, size_t n);
/* The start of the cluster before byte `at` (at > 0). */
size_t width_prev(const char *s, size_t at);

#endif
