/*
 * What things look like: the styles and glyphs by name, each a table with a way out for
 * terminals without colour or without Unicode, and the one place where text goes to curses.
 */
#ifndef UI_STYLE_H
#define UI_STYLE_H

#include "engine/base/err.h"
#include "engine/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Meaning first: how each looks is a row of a theme (profiles/themes.conf). id, name there. */
#define STYLES(X) \
	X(TEXT, "text") \
	X(DIM, "dim")			/* what can be overlooked: rules, units, notes */ \
	X(STRONG, "strong") \
	X(USER, "user") \
	X(MODEL, "model") \
	X(LEVEL, "level")		/* the level in use */ \
	X(WARN, "warn")			/* something goes on, or wants to be seen */ \
	X(ERROR, "error") \
	X(KEY, "key") \
	X(HEADING, "heading") \
	X(LINK, "link") \
	X(QUOTE, "quote") \
	X(FRAME, "frame")		/* around code and between a table's cells */ \
	X(CODE, "code")			/* in a line of text */ \
	X(WORD, "word")			/* in code: words of the language */ \
	X(LITERAL, "literal")		/* in code: strings and numbers */ \
	X(COMMENT, "comment")		/* in code */ \
	X(MATCH, "match")		/* what was searched for */ \
	X(MARKED, "marked")		/* the line that keys act on */

enum style {
#define STYLE_ENUM(id, name) STYLE_##id,
	STYLES(STYLE_ENUM)
#undef STYLE_ENUM
	STYLE_N
};

/* What a style can have on top. */
enum { LOOK_BOLD = 1, LOOK_ITALIC = 2, LOOK_UNDER = 4, LOOK_STRIKE = 8, LOOK_REVERSE = 16 };
struct look { unsigned char style, more; };

/* name, glyph, what stands for it in ASCII. Each takes one column. */
#define GLYPHS(X) \
	X(HLINE, "\xe2\x94\x80", "-") \
	X(VLINE, "\xe2\x94\x82", "|") \
	X(TEE_DOWN, "\xe2\x94\xac", "+") \
	X(TEE_UP, "\xe2\x94\xb4", "+") \
	X(PROMPT, "\xe2\x80\xba", ">") \
	X(MARK, "\xe2\x96\xb8", ">") \
	X(DOT, "\xc2\xb7", "-") \
	X(ELLIPSIS, "\xe2\x80\xa6", "~") \
	X(NONE, "\xe2\x80\x93", "-") \
	X(TIMES, "\xc3\x97", "x") \
	X(BAR_LEFT, "\xe2\x96\x95", "[") \
	X(BAR_RIGHT, "\xe2\x96\x8f", "]") \
	X(BAR_FULL, "\xe2\x96\x88", "#") \
	X(ARROW, "\xe2\x86\x92", ">") \
	X(MORE, "\xe2\x86\x93", "v") \
	X(FOLDED, "\xe2\x96\xb8", ">") \
	X(UNFOLDED, "\xe2\x96\xbe", "v") \
	X(BULLET, "\xe2\x80\xa2", "*") \
	X(BULLET2, "\xe2\x97\xa6", "-") \
	X(DONE, "\xe2\x98\x91", "x") \
	X(OPEN, "\xe2\x98\x90", "o") \
	X(BAR, "\xe2\x94\x82", "|") \
	X(CROSS, "\xe2\x94\xbc", "+") \
	X(FRAME_TOP, "\xe2\x94\x8c", "+") \
	X(FRAME_END, "\xe2\x94\x94", "+")

enum glyph {
#define GLYPH_ENUM(id, unicode, ascii) GLYPH_##id,
	GLYPHS(GLYPH_ENUM)
#undef GLYPH_ENUM
	GLYPH_N
};

/* A part of the screen. h or w 0: nothing is shown. */
struct box { int y, x, h, w; };

/*
 * After term_start(). ascii: glyphs are ASCII, and so are signs of a text that look like some of it; text_ascii:
 * all else in a text becomes '?', where nothing else can be shown. Everything is plain text.
 */
void style_init(bool ascii, bool text_ascii);
/*
 * Takes a theme, NULL: one that suits the terminal. Without colours (NO_COLOR, a terminal that has
 * none) their attributes remain. Mistakes in the user's rows are lines in complaints. ERR_ARG names
 * the themes for an unknown one; what was in use still is.
 */
int style_theme(const char *name, struct str *complaints, struct err *e);
/* The i-th theme's name, NULL after the last; valid until the next call. After style_theme(). */
const char *style_theme_name(int i);
const char *style_theme_now(void);
bool style_ascii(void);
const char *glyph(enum glyph g);
/* Eight steps of a graph and ten of a bar's last cell: level 0 … max → glyph. */
const char *graph_glyph(int step);
enum { GRAPH_STEPS = 8 };

/* The following text has this style. */
void style_set(enum style s);

void look_set(struct look l);

/* Draws at most max columns of n bytes at y, x; returns the columns taken. Nothing outside the screen is touched. */
int draw_text(int y, int x, int max, const char *s, size_t n);
int draw(int y, int x, int max, const char *s);
int draw_char(int y, int x, int max, uint32_t cp);
/* Ends at column x + max; too long: cut at the left side. */
void draw_right(int y, int x, int max, const char *s);
void draw_hline(int y, int x, int n);
void draw_blank(int y, int x, int n);
/* The row that keys act on. */
void mark_row(int y, int x, int n);

#endif
