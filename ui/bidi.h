/*
 * Right to left: the clusters of a row in the order in which they stand on the screen (UAX 9,
 * levels by fribidi over the whole logical line, reordering by row and by whole clusters).
 * Letters are not shaped here: terminals do that.
 */
#ifndef UI_BIDI_H
#define UI_BIDI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bidi_base { BIDI_AUTO, BIDI_LTR };	/* AUTO: by the line's first letter that has a direction */

struct bidi_cluster {
	size_t off, len;	/* of the line */
	int cols;
	uint32_t mirror;	/* drawn in its place: the other bracket of a pair; 0: itself */
	bool rtl;
};

struct bidi_row {
	struct bidi_cluster *p;	/* from left to right */
	size_t n;
	bool rtl;		/* the line begins at the right */
	int cols;
};

/* False: the terminal does it, or nobody; nothing is reordered. */
void bidi_enable(bool on);
bool bidi_enabled(void);
/* Is there a letter that runs from right to left? */
bool bidi_needed(const char *s, size_t n);
/*
 * The row [off, off + len) of a line of n bytes of valid UTF-8. False without memory, or when the
 * line is too long to be worth it: draw it as it is. Release what it gave.
 */
bool bidi_order(struct bidi_row *out, const char *line, size_t n, size_t off, size_t len, enum bidi_base base);
void bidi_release(struct bidi_row *r);

#endif
