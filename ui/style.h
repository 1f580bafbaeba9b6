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
	X(KEY, A_BOLD, -1) \
	X(HEADING, A_BOLD, COLOR_BLUE) \
	X(LINK, A_UNDERLINE, -1) \
	X(QUOTE, A_DIM, -1) \
	X(FRAME, A_DIM, -1)		/* around code and between a table's cells */ \
	X(CODE, A_NORMAL, COLOR_CYAN)	/* in a line of text */ \
	X(WORD, A_BOLD, -1)		/* in code: words of the language */ \
	X(LITERAL, A_NORMAL, COLOR_GREEN)	/* in code: strings and numbers */ \
	X(COMMENT, A_DIM, -1)		/* in code */ \
	X(MATCH, A_REVERSE, -1)		/* what was searched for */ \
	X(MARKED, A_REVERSE, -1)	/* the line that keys act on */

enum style {
#define STYLE_ENUM(id, attr, colour) STYLE_##id,
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

/* After term_start(). ascii: no glyph beyond ASCII is drawn, text of others becomes '?'. */
void style_init(bool ascii);
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
/* Ends at column x + max; too long: cut at the left side. */
void draw_right(int y, int x, int max, const char *s);
void draw_hline(int y, int x, int n);
void draw_blank(int y, int x, int n);
/* The row that keys act on. */
void mark_row(int y, int x, int n);

#endif
