#include "config.h"
#include "ui/style.h"

#include "ui/builtin.h"
#include "ui/width.h"

#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>

/* A style's attributes and colours; -1: the terminal's own. */
struct face { attr_t attr; short fg, bg; };

static struct face faces[STYLE_N];

static const char *const names[] = {
#define STYLE_NAME(id, name) name,
	STYLES(STYLE_NAME)
#undef STYLE_NAME
};

enum { THEMES = 32, THEME_NAME = 24 };
static char themes[THEMES][THEME_NAME], theme_now[THEME_NAME];
static int n_themes;

static const char *const glyphs[][2] = {
#define GLYPH_ROW(id, unicode, in_ascii) { unicode, in_ascii },
	GLYPHS(GLYPH_ROW)
#undef GLYPH_ROW
};

static const char *const graph[][2] = {
	{ "\xe2\x96\x81", "_" }, { "\xe2\x96\x82", "." }, { "\xe2\x96\x83", ":" }, { "\xe2\x96\x84", "-" },
	{ "\xe2\x96\x85", "=" }, { "\xe2\x96\x86", "+" }, { "\xe2\x96\x87", "*" }, { "\xe2\x96\x88", "#" },
};

static bool ascii, text_ascii, coloured, own_colours;
static attr_t italic = A_UNDERLINE;

void style_init(bool in_ascii, bool text_in_ascii)
{
	const char *no_color = getenv("NO_COLOR");

	const char *sitm = tigetstr((char *)"sitm");

	ascii = in_ascii;
	text_ascii = text_in_ascii;
	italic = sitm && sitm != (char *)-1 ? A_ITALIC : A_UNDERLINE;
	coloured = !(no_color && *no_color) && has_colors() && start_color() == OK;
	if (coloured)
		own_colours = use_default_colors() == OK;
	for (int i = 0; i < STYLE_N; i++)
		faces[i] = (struct face){ A_NORMAL, -1, -1 };
}

bool style_ascii(void)
{
	return ascii;
}

/* -- themes --------------------------------------------------------------------------- */

struct reading { const char *theme; struct face *faces; bool found, named; };

static const struct { const char *name; attr_t attr; } attributes[] = {
	{ "bold", A_BOLD }, { "dim", A_DIM }, { "underline", A_UNDERLINE }, { "reverse", A_REVERSE },
};

/* "red", "bright-red", "208"; -1: it is none. */
static short colour_of(const char *word)
{
	static const char *const colours[] = { "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white" };
	bool bright = !strncmp(word, "bright-", 7);
	char *end;
	long n = strtol(word, &end, 10);

	if (end != word && !*end)
		return n >= 0 && n < 256 ? (short)n : -1;
	for (short i = 0; i < 8; i++)
		if (!strcmp(word + (bright ? 7 : 0), colours[i]))
			return (short)(bright ? i + 8 : i);
	return -1;
}

/* A palette that is too small gives the colour without its brightness, or none. */
static short in_palette(short c)
{
	return c < COLORS ? c : c < 16 && c - 8 < COLORS ? (short)(c - 8) : -1;
}

static int read_face(const char *value, struct face *out, struct err *e)
{
	struct face f = { A_NORMAL, -1, -1 };
	char copy[160], *save = NULL;
	bool on = false;

	snprintf(copy, sizeof(copy), "%s", value);
	for (char *w = strtok_r(copy, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		size_t i = 0;
		short c = colour_of(w);

		while (i < sizeof(attributes) / sizeof(attributes[0]) && strcmp(w, attributes[i].name))
			i++;
		if (i < sizeof(attributes) / sizeof(attributes[0]))
			f.attr |= attributes[i].attr;
		else if (!strcmp(w, "italic"))
			f.attr |= italic;
		else if (!strcmp(w, "on"))
			on = true;
		else if (c >= 0)
			*(on ? &f.bg : &f.fg) = c;
		else
			return err_set(e, ERR_ARG, "no attribute or colour \"%.40s\"", w);
	}
	*out = f;
	return 0;
}

static void note_theme(const char *name)
{
	for (int i = 0; i < n_themes; i++)
		if (!strcmp(themes[i], name))
			return;
	if (n_themes < THEMES && *name && strlen(name) < THEME_NAME)
		snprintf(themes[n_themes++], THEME_NAME, "%s", name);
}

static int on_row(void *arg, const char *section, const char *key, const char *value, struct err *e)
{
	struct reading *r = arg;
	struct face face;
	enum style s = 0;

	r->named |= !strcmp(section, r->theme);
	while (s < STYLE_N && strcmp(names[s], key))
		s++;
	if (s == STYLE_N)
		return err_set(e, ERR_ARG, "nothing is called \"%.40s\": profiles/themes.conf has the names", key);
	if (read_face(value, &face, e))
		return -1;
	note_theme(section);
	if (strcmp(section, r->theme))
		return 0;
	r->found = true;
	r->faces[s] = face;
	return 0;
}

static const char *suitable(void)
{
	const char *fgbg = getenv("COLORFGBG"), *bg = fgbg ? strrchr(fgbg, ';') : NULL;

	return !coloured ? "mono" : bg && (!strcmp(bg, ";7") || !strcmp(bg, ";15")) ? "light" : "dark";
}

static void use(const struct face *f)
{
	memcpy(faces, f, sizeof(faces));
	if (!coloured)
		return;
	for (int i = 0; i < STYLE_N; i++) {
		short fg = in_palette(f[i].fg), bg = in_palette(f[i].bg);

		if (fg >= 0 || bg >= 0)
			init_pair((short)(i + 1), fg < 0 && !own_colours ? COLOR_WHITE : fg,
				  bg < 0 && !own_colours ? COLOR_BLACK : bg);
	}
}

int style_theme(const char *name, struct str *complaints, struct err *e)
{
	struct face f[STYLE_N];
	struct reading base = { "dark", f, false, false }, chosen = { name ? name : suitable(), f, false, false };

	for (int i = 0; i < STYLE_N; i++)
		f[i] = (struct face){ A_NORMAL, -1, -1 };
	n_themes = 0;
	inifile_text(builtin_themes, strlen(builtin_themes), "themes.conf", on_row, &base, complaints);
	inifile_text(builtin_themes, strlen(builtin_themes), "themes.conf", on_row, &chosen, complaints);
	builtin_user("themes.conf", on_row, &chosen, complaints);
	if (!chosen.found && chosen.named)
		return err_set(e, ERR_ARG, "theme \"%.40s\": none of its rows in themes.conf can be used", chosen.theme);
	if (!chosen.found) {
		struct str s;

		str_init(&s, 256);
		for (int i = 0; i < n_themes; i++)
			str_addf(&s, "%s%s", i ? ", " : "", themes[i]);
		err_set(e, ERR_ARG, "no theme \"%.40s\": there are %s", chosen.theme, s.p);
		str_release(&s);
		return -1;
	}
	use(f);
	snprintf(theme_now, sizeof(theme_now), "%s", chosen.theme);
	return 0;
}

const char *style_theme_name(int i)
{
	return i < n_themes ? themes[i] : NULL;
}

const char *style_theme_now(void)
{
	return theme_now;
}

/* -- drawing -------------------------------------------------------------------------- */

const char *glyph(enum glyph g)
{
	return glyphs[g][ascii];
}

const char *graph_glyph(int step)
{
	return graph[step < 0 ? 0 : step >= GRAPH_STEPS ? GRAPH_STEPS - 1 : step][ascii];
}

static short pair_of(enum style s)
{
	return coloured && (faces[s].fg >= 0 || faces[s].bg >= 0) ? (short)(s + 1) : 0;
}

void style_set(enum style s)
{
	attr_set(faces[s].attr, pair_of(s), NULL);
}

void look_set(struct look l)
{
	static const struct { unsigned bit; attr_t attr; } more[] = {
		{ LOOK_BOLD, A_BOLD }, { LOOK_UNDER, A_UNDERLINE }, { LOOK_STRIKE, A_DIM }, { LOOK_REVERSE, A_REVERSE },
	};
	const enum style s = l.style < STYLE_N ? l.style : STYLE_TEXT;
	attr_t attr = faces[s].attr;

	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (l.more & more[i].bit)
			attr |= more[i].attr;
	if (l.more & LOOK_ITALIC)
		attr |= italic;
	attr_set(attr, pair_of(s), NULL);
}

/* What is common in English text has a likeness in ASCII. */
static const struct { wchar_t from; char to; } likeness[] = {
	{ 0xa0, ' ' }, { 0xb7, '-' }, { 0xd7, 'x' }, { 0x2010, '-' }, { 0x2011, '-' }, { 0x2013, '-' },
	{ 0x2014, '-' }, { 0x2018, '\'' }, { 0x2019, '\'' }, { 0x201c, '"' }, { 0x201d, '"' },
	{ 0x2022, '*' }, { 0x2026, '~' }, { 0x203a, '>' }, { 0x2191, '^' }, { 0x2192, '>' }, { 0x2193, 'v' },
	{ 0x25b8, '>' },
};

/* In ASCII mode a cell that is something else becomes what looks like it; where only that can be shown, else '?'. */
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
	for (int i = 0; text_ascii && i < cols; i++) {
		p[i] = '?';
		p[i + 1] = 0;
	}
}

/*
 * Each character together with its marks: curses, given them one by one, loses those behind a wide
 * character.
 */
static void put_cells(int y, int x, const wchar_t *p)
{
	move(y, x);
	while (*p) {
		wchar_t one[CCHARW_MAX + 1] = { *p++ };
		cchar_t cell;

		for (int n = 1; *p && !wcwidth(*p); p++)
			if (n < CCHARW_MAX - 1)
				one[n++] = *p;
		if (setcchar(&cell, one, A_NORMAL, 0, NULL) == OK)
			add_wch(&cell);
	}
}

/* Letters of ASCII that nothing behind them changes, at most max: a column each. Most of what is drawn is that. */
static size_t plain_run(const char *s, size_t n, int max)
{
	size_t k = 0;

	while (k < n && k < (size_t)max && s[k] >= ' ' && s[k] < 0x7f)
		k++;
	/* a mark may follow the last */
	return k && k < n && (s[k] & 0x80) ? k - 1 : k;
}

int draw_text(int y, int x, int max, const char *s, size_t n)
{
	int used = 0;

	if (y < 0 || y >= LINES || x < 0)
		return 0;
	if (max > COLS - x)
		max = COLS - x;
	for (size_t i = 0; i < n && max > 0;) {
		wchar_t cell[WIDTH_CELLS];
		const size_t simple = plain_run(s + i, n - i, max - used);
		int w;
		size_t k;

		if (simple) {
			mvaddnstr(y, x + used, s + i, (int)simple);
			used += (int)simple;
			i += simple;
			continue;
		}
		k = width_cells(s + i, n - i, &w, cell);
		if (used + w > max)
			break;
		if (ascii)
			only_ascii(cell, w);
		if (w)
			put_cells(y, x + used, cell);
		used += w;
		i += k;
	}
	return used;
}

int draw_char(int y, int x, int max, uint32_t cp)
{
	struct str s;
	int w;

	str_init(&s, 16);
	str_add_utf8(&s, cp);
	w = draw_text(y, x, max, s.p, s.len);
	str_release(&s);
	return w;
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
	wchar_t line[2] = L"";
	cchar_t cell;

	if (y < 0 || y >= LINES || x < 0 || x >= COLS || mbtowc(line, glyph(GLYPH_HLINE), 4) < 1 ||
	    setcchar(&cell, line, A_NORMAL, 0, NULL) == ERR)
		return;
	mvhline_set(y, x, &cell, n < COLS - x ? n : COLS - x);
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
	mvchgat(y, x, n < COLS - x ? n : COLS - x, faces[STYLE_MARKED].attr,
		pair_of(STYLE_MARKED), NULL);
}
