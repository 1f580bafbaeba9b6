#include "config.h"
#include "ui/style.h"

#include "ui/width.h"

#include <curses.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>

static const struct { attr_t attr; short colour; } styles[] = {
#define STYLE_ROW(id, attr, colour) { attr, colour },
	STYLES(STYLE_ROW)
#undef STYLE_ROW
};

static const char *const glyphs[][2] = {
#define GLYPH_ROW(id, unicode, in_ascii) { unicode, in_ascii },
	GLYPHS(GLYPH_ROW)
#undef GLYPH_ROW
};

static const char *const graph[][2] = {
	{ "\xe2\x96\x81", "_" }, { "\xe2\x96\x82", "." }, { "\xe2\x96\x83", ":" }, { "\xe2\x96\x84", "-" },
	{ "\xe2\x96\x85", "=" }, { "\xe2\x96\x86", "+" }, { "\xe2\x96\x87", "*" }, { "\xe2\x96\x88", "#" },
};

static bool ascii, coloured;
static attr_t italic = A_UNDERLINE;

void style_init(bool in_ascii)
{
	const char *no_color = getenv("NO_COLOR");

	const char *sitm = tigetstr((char *)"sitm");

	ascii = in_ascii;
	italic = sitm && sitm != (char *)-1 ? A_ITALIC : A_UNDERLINE;
	coloured = !(no_color && *no_color) && has_colors() && start_color() == OK;
	if (!coloured)
		return;
	bool own = use_default_colors() == OK;

	for (int i = 0; i < STYLE_N; i++)
		if (styles[i].colour >= 0)
			init_pair((short)(i + 1), styles[i].colour, own ? -1 : COLOR_BLACK);
}

bool style_ascii(void)
{
	return ascii;
}

const char *glyph(enum glyph g)
{
	return glyphs[g][ascii];
}

const char *graph_glyph(int step)
{
	return graph[step < 0 ? 0 : step >= GRAPH_STEPS ? GRAPH_STEPS - 1 : step][ascii];
}

void style_set(enum style s)
{
	attr_set(styles[s].attr, coloured && styles[s].colour >= 0 ? (short)(s + 1) : 0, NULL);
}

void look_set(struct look l)
{
	static const struct { unsigned bit; attr_t attr; } more[] = {
		{ LOOK_BOLD, A_BOLD }, { LOOK_UNDER, A_UNDERLINE }, { LOOK_STRIKE, A_DIM }, { LOOK_REVERSE, A_REVERSE },
	};
	const enum style s = l.style < STYLE_N ? l.style : STYLE_TEXT;
	attr_t attr = styles[s].attr;

	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (l.more & more[i].bit)
			attr |= more[i].attr;
	if (l.more & LOOK_ITALIC)
		attr |= italic;
	attr_set(attr, coloured && styles[s].colour >= 0 ? (short)(s + 1) : 0, NULL);
}

/* What is common in English text has a likeness in ASCII. */
static const struct { wchar_t from; char to; } likeness[] = {
	{ 0xa0, ' ' }, { 0xb7, '-' }, { 0xd7, 'x' }, { 0x2010, '-' }, { 0x2011, '-' }, { 0x2013, '-' },
	{ 0x2014, '-' }, { 0x2018, '\'' }, { 0x2019, '\'' }, { 0x201c, '"' }, { 0x201d, '"' },
	{ 0x2022, '*' }, { 0x2026, '~' }, { 0x25b8, '>' },
};

/* In ASCII mode a cell that is something else becomes what looks like it, or '?'. */
static void only_ascii(wchar_t *p, int cols)
{
	bool plain = true;

	for (int i = 0; p[i]; i++)
		plain &= p[i] < 0x7f;
	if (plain)
		return;
	for (size_t i = 0; !p[1] && i < sizeof(likeness) / sizeof(likeness[0]); i++) {
		if (likeness[i].from == p[0]) {
			p[0] = likeness[i].to;
			return;
		}
	}
	for (int i = 0; i < cols; i++)
		p[i] = '?';
	p[cols] = 0;
}

int draw_text(int y, int x, int max, const char *s, size_t n)
{
	int used = 0;

	if (y < 0 || y >= LINES || x < 0)
		return 0;
	if (max > COLS - x)
		max = COLS - x;
	for (size_t i = 0; i < n;) {
		wchar_t cell[WIDTH_CELLS];
		int w;
		size_t k = width_cells(s + i, n - i, &w, cell);

		if (used + w > max)
			break;
		if (ascii)
			only_ascii(cell, w);
		if (w)
			mvaddwstr(y, x + used, cell);
		used += w;
		i += k;
	}
	return used;
}

int draw(int y, int x, int max, const char *s)
{
	return draw_text(y, x, max, s, strlen(s));
}

void draw_right(int y, int x, int max, const char *s)
{
	size_t n = strlen(s), i = 0;
	int w = width_of(s, n), cut;

	while (w > max && i < n) {
		i += width_next(s + i, n - i, &cut);
		w -= cut;
	}
	draw_text(y, x + max - w, w, s + i, n - i);
}

void draw_hline(int y, int x, int n)
{
	for (int i = 0; i < n; i++)
		draw(y, x + i, 1, glyph(GLYPH_HLINE));
}

void draw_blank(int y, int x, int n)
{
	if (y < 0 || y >= LINES || x < 0 || x >= COLS)
		return;
	move(y, x);
	for (int i = 0; i < n && x + i < COLS; i++)
		addch(' ');
}

void mark_row(int y, int x, int n)
{
	if (y < 0 || y >= LINES || x < 0 || x >= COLS)
		return;
	mvchgat(y, x, n < COLS - x ? n : COLS - x, styles[STYLE_MARKED].attr,
		coloured && styles[STYLE_MARKED].colour >= 0 ? STYLE_MARKED + 1 : 0, NULL);
}
