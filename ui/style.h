/*
 * What things look like: the styles and glyphs by name, each a table with a way out for
 * terminals without colour or without Unicode, and the one place where text goes to curses.
 */
#ifndef UI_STYLE_H
#define UI_STYLE_H

#include <stdbool.h>
#include <stddef.h>

/* name, attributes, colour (curses' number, -1: the terminal's own). Meaning first, colour second. */
#define STYLES(X) \
	X(TEXT, A_NORMAL, -1) \
	X(DIM, A_DIM, -1)		/* what can be overlooked: rules, units, notes */ \
	X(STRONG, A_BOLD, -1) \
	X(USER, A_BOLD, COLOR_CYAN) \
	X(MODEL, A_BOLD, COLOR_GREEN) \
	X(LEVEL, A_BOLD, COLOR_GREEN)	/* the level in use */ \
	X(WARN, A_BOLD, COLOR_YELLOW)	/* something goes on, or wants to be seen */ \
	X(ERROR, A_BOLD, COLOR_RED) \
	X(KEY, A_BOLD, -1)

enum style {
#define STYLE_ENUM(id, attr, colour) STYLE_##id,
	STYLES(STYLE_ENUM)
#undef STYLE_ENUM
	STYLE_N
};

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
	X(TIMES, "\xc3\x97", "x") \
	X(BAR_LEFT, "\xe2\x96\x95", "[") \
	X(BAR_RIGHT, "\xe2\x96\x8f", "]") \
	X(BAR_FULL, "\xe2\x96\x88", "#") \
	X(ARROW, "\xe2\x86\x92", ">") \
	X(MORE, "\xe2\x86\x93", "v")

enum glyph {
#define GLYPH_ENUM(id, unicode, ascii) GLYPH_##id,
	GLYPHS(GLYPH_ENUM)
#undef GLYPH_ENUM
	GLYPH_N
};

/* A part of the screen. h or w 0: nothing is shown. */
struct box { int y, x, h, w; };

/* After term_start(). ascii: no glyph beyond ASCII is drawn, text of others becomes '?'. */
void style_init(bool ascii);
bool style_ascii(void);
const char *glyph(enum glyph g);
/* Eight steps of a graph and ten of a bar's last cell: level 0 … max → glyph. */
const char *graph_glyph(int step);
enum { GRAPH_STEPS = 8 };

/* The following text has this style. */
void style_set(enum style s);

/* Draws at most max columns of n bytes at y, x; returns the columns taken. Nothing outside the screen is touched. */
int draw_text(int y, int x, int max, const char *s, size_t n);
int draw(int y, int x, int max, const char *s);
/* Ends at column x + max; too long: cut at the left side. */
void draw_right(int y, int x, int max, const char *s);
void draw_hline(int y, int x, int n);
void draw_blank(int y, int x, int n);

#endif
