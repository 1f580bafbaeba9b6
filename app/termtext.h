/*
 * The one filter between text from outside and a terminal: model text, file names, metadata,
 * errors, pasted text. What comes out is valid UTF-8 that draws glyphs and moves the cursor
 * forward, never anything else.
 *
 *   in                                      out
 *   C0, DEL, C1 (as U+0080 … U+009F)        U+FFFD each, but for line ends and tabs (below)
 *   bytes that are not UTF-8                U+FFFD for each maximal part
 *   noncharacters (U+FFFE …)                U+FFFD
 *   bidi embeddings, overrides, isolates    their names, visible: <RLO>
 *   LRM, RLM, ALM                           nothing; kept with TERMTEXT_MARKS
 *   ZWNJ, ZWJ                               kept between letters that join (Arabic and others),
 *                                           after Indic letters, and ZWJ between emoji; else nothing
 *   variation selectors                     kept after something to vary
 *   tags (U+E0020 …)                        kept in a flag that begins with U+1F3F4; else nothing
 *   everything else that never draws        nothing: ZWSP, BOM, soft hyphen, fillers …
 *
 * With TERMTEXT_LINES a text has lines: \n stays, \r\n is one \n, U+2028 and U+2029 are \n,
 * and a tab stays. Without it everything is one line: a tab or a line end is a space.
 *
 * Where an answer goes to a file or a pipe it is passed through byte for byte: that is data,
 * and whoever shows it filters it. Messages on stderr are filtered always.
 *
 * The filter is a stream: text may be cut anywhere, in the middle of a character too. One
 * filter belongs to one text.
 */
#ifndef APP_TERMTEXT_H
#define APP_TERMTEXT_H

#include "engine/base/str.h"

#include <stdint.h>

enum termtext_flags {
	TERMTEXT_LINES = 1,
	TERMTEXT_MARKS = 2,	/* LRM, RLM, ALM stay, for text that is laid out before it is drawn */
};

struct termtext {
	unsigned flags;
	unsigned char part[4];	/* a character that is not yet whole */
	int n_part;
	uint32_t base;		/* the last character that was no mark, for what may follow it; 0 none */
	uint32_t held;		/* ZWNJ, ZWJ or CR that waits for the next character; 0 none */
	bool flag;		/* in a flag made of tags */
};

void termtext_init(struct termtext *t, unsigned flags);
/* Appends what n more bytes become. */
void termtext_add(struct termtext *t, const char *s, size_t n, struct str *out);
/* The text is over: what was held back comes out. The filter can be used for another text. */
void termtext_end(struct termtext *t, struct str *out);

/* A whole text at once, appended to out. */
void termtext_whole(const char *s, size_t n, unsigned flags, struct str *out);

#endif
