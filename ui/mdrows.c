/*
 * What the parser tells becomes logical lines. A line is collected at the end of the doc's text;
 * what stands before it (bullets, bars, blanks) is made when it ends.
 */
#include "config.h"
#include "ui/mdrows.h"

#include "app/termtext.h"
#include "engine/base/xio.h"
#include "ui/codelook.h"
#include "ui/mdkeep.h"
#include "ui/width.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEPTH = 16,		/* containers that are drawn; deeper ones look like the last */
	CELL_MIN = 4,		/* a table whose columns would be narrower is told cell by cell */
	TABLE_COLS = 32,
};

enum container { QUOTE, UL, OL, LI };

struct level {
	enum container kind;
	unsigned number;	/* OL: of the next item; LI: its own */
	int width;		/* of the mark: columns that its text is indented by */
	bool pending;		/* LI: its mark is not drawn yet */
	char task;		/* LI: 'x', ' ', or 0 */
};

struct cell { size_t off, len; MD_ALIGN align; };

struct md {
	struct doc *d;
	const char *src, *end;
	const char *own_end;	/* text from here on was put there by us */
	bool foreign;		/* ... and the parser took it for text */
	struct level level[DEPTH];
	int depth, deeper;
	bool gap;		/* a blank row before the next block */
	bool leaf, loose;	/* text is being collected; that of a tight item, in no paragraph of its own */
	size_t line;		/* where the line that is collected began */
	unsigned char more;	/* LOOK_ of the text */
	enum style style;
	const char *text_end;	/* behind the last text */
	bool display;		/* between $$ */
	/* code */
	struct str code, info;	/* what stands beside the fence; its first word is the language */
	size_t indent;		/* columns before the text that comes */
	bool in_code;
	size_t lang_len;
	/* links */
	size_t link;		/* where its text began */
	/* table */
	struct cell *cells;
	size_t n_cells, cells_size;
	int n_cols;
	bool head;
};

static void plain(struct md *m)
{
	doc_look(m->d, (struct look){ (unsigned char)m->style, m->more });
}

static void as(struct md *m, enum style s)
{
	doc_look(m->d, (struct look){ (unsigned char)s, 0 });
}

/* -- what stands before a line -------------------------------------------------------- */

static void add_blanks(struct md *m, int n)
{
	while (n-- > 0)
		str_addc(&m->d->text, ' ');
}

/* An item's mark, right-aligned in its column. */
static void add_mark(struct md *m, struct level *l, int nth)
{
	char buf[24];

	as(m, STYLE_DIM);
	if (l->task)
		snprintf(buf, sizeof(buf), "%s ", glyph(l->task == ' ' ? GLYPH_OPEN : GLYPH_DONE));
	else if (l->width > 2)
		snprintf(buf, sizeof(buf), "%u. ", l->number);
	else
		snprintf(buf, sizeof(buf), "%s ", glyph(nth % 2 ? GLYPH_BULLET2 : GLYPH_BULLET));
	add_blanks(m, l->width - width_of(buf, strlen(buf)));
	str_adds(&m->d->text, buf);
}

/* marks: with those that are still to be drawn. */
static struct doc_piece lead(struct md *m, bool marks, const char *more)
{
	struct doc_piece p = { .off = m->d->text.len };
	int lists = 0;

	as(m, STYLE_DIM);
	for (int i = 0; i < m->depth; i++) {
		struct level *l = &m->level[i];

		if (l->kind == QUOTE) {
			as(m, STYLE_FRAME);
			str_addf(&m->d->text, "%s ", glyph(GLYPH_BAR));
		} else if (l->kind == LI && marks && l->pending) {
			add_mark(m, l, lists - 1);
		} else if (l->kind == LI) {
			add_blanks(m, l->width);
		} else {
			lists++;
		}
	}
	as(m, STYLE_FRAME);
	str_adds(&m->d->text, more);
	p.len = m->d->text.len - p.off;
	p.cols = width_of(m->d->text.p + p.off, p.len);
	return p;
}

static void marks_drawn(struct md *m)
{
	for (int i = 0; i < m->depth; i++)
		m->level[i].pending = false;
}

/* Ends the line that was collected. */
static void end_line(struct md *m, const char *first, const char *rest, enum wrap_mode mode)
{
	size_t line = m->line, len = m->d->text.len - line;
	struct doc_piece a = lead(m, true, first), b = lead(m, false, rest);

	marks_drawn(m);
	doc_line(m->d, line, len, a, b, mode);
	m->line = m->d->text.len;
	plain(m);
}

static void blank_row(struct md *m)
{
	m->line = m->d->text.len;
	doc_line(m->d, m->line, 0, lead(m, false, ""), (struct doc_piece){ 0 }, WRAP_FLAT);
	m->line = m->d->text.len;
}

/* Before the first line of a block that holds text. */
static void begin_leaf(struct md *m)
{
	if (m->gap)
		blank_row(m);
	m->gap = false;
	m->line = m->d->text.len;
	plain(m);
}

/* The text of a tight item begins without a block of its own, and ends where something else begins. */
static void begin_loose(struct md *m)
{
	if (m->leaf)
		return;
	begin_leaf(m);
	m->leaf = m->loose = true;
}

static void end_loose(struct md *m)
{
	if (!m->loose)
		return;
	m->leaf = m->loose = false;
	end_line(m, "", "", WRAP_FLAT);
}

/* -- code ----------------------------------------------------------------------------- */

static void code_rows(struct md *m)
{
	const struct codelook *look = codelook_find(m->info.p, m->lang_len);
	const char *s = m->code.p, *bar = m->d->bare ? "" : glyph(GLYPH_BAR);
	size_t n = m->code.len;
	char lead_text[16];
	int state = 0;

	snprintf(lead_text, sizeof(lead_text), "%s%s", bar, *bar ? " " : "");
	while (n) {
		const char *nl = memchr(s, '\n', n);
		size_t k = nl ? (size_t)(nl - s) : n;

		codelook_add(m->d, look, &state, s, k);
		end_line(m, lead_text, lead_text, WRAP_CODE);
		k += nl != NULL;
		s += k;
		n -= k;
	}
}

static void frame_row(struct md *m, enum glyph corner, const char *text)
{
	if (m->d->bare)
		return;
	as(m, STYLE_FRAME);
	str_addf(&m->d->text, "%s%s%s", glyph(corner), *text ? " " : "", text);
	end_line(m, "", "", WRAP_FLAT);
}

/*
 * The parser gives a line's indentation as blanks of its own. What is copied has to have the
 * source's tabs: they stand before the text that follows.
 */
static void code_text(struct md *m, const char *s, size_t n)
{
	bool ours = s >= m->src && s <= m->end;

	if (!ours && *s == ' ') {
		m->indent += n;
		return;
	}
	if (m->indent) {
		const char *p = s;
		size_t cols = 0;

		while (ours && p > m->src && cols < m->indent && (p[-1] == ' ' || p[-1] == '\t'))
			cols += *--p == '\t' ? 4 : 1;
		if (cols == m->indent)
			str_add(&m->code, p, (size_t)(s - p));
		else
			while (m->indent--)
				str_addc(&m->code, ' ');
		m->indent = 0;
	}
	str_add(&m->code, s, n);
}

static void end_code(struct md *m)
{
	m->in_code = false;
	doc_begin_block(m->d);
	str_add(&m->d->source, m->code.p, m->code.len);
	frame_row(m, GLYPH_FRAME_TOP, m->info.p);
	code_rows(m);
	frame_row(m, GLYPH_FRAME_END, "");
	doc_end_block(m->d);
	str_clear(&m->code);
	m->gap = true;
}

static void begin_code(struct md *m, const MD_BLOCK_CODE_DETAIL *c)
{
	str_clear(&m->info);
	if (c->info.size)
		str_add(&m->info, c->info.text, c->info.size);
	m->lang_len = c->lang.size < m->info.len ? c->lang.size : m->info.len;
	begin_leaf(m);
	m->in_code = true;
	str_clear(&m->code);
}

/* -- tables --------------------------------------------------------------------------- */

static int cell_cols(const struct md *m, const struct cell *c)
{
	return width_of(m->d->text.p + c->off, c->len);
}

/* Each column as wide as its widest cell where that fits; else the widest are cut down together. */
static bool fit_columns(const struct md *m, int *w, int cols)
{
	int n = m->n_cols, room = cols - 3 * (n - 1), sum = 0;

	if (room < CELL_MIN * n)
		return false;
	memset(w, 0, (size_t)n * sizeof(*w));
	for (size_t i = 0; i < m->n_cells; i++) {
		int c = cell_cols(m, &m->cells[i]), *at = &w[i % (size_t)n];

		*at = c > *at ? c : *at;
	}
	for (int i = 0; i < n; i++)
		sum += w[i];
	while (sum > room) {
		int widest = 0;

		for (int i = 1; i < n; i++)
			widest = w[i] >= w[widest] ? i : widest;
		w[widest]--;
		sum--;
	}
	return true;
}

/* The pieces of a cell, one a row of the screen. */
struct piece { size_t off, len; };
struct pieces { size_t base; struct piece *at; int n, size; };

static void on_piece(void *arg, size_t off, size_t len, int indent)
{
	struct pieces *p = arg;

	(void)indent;
	if (p->n == p->size) {
		const int size = p->size ? p->size * 2 : 8;
		struct piece *more = mem_rearray(p->at, (size_t)size, sizeof(*more));

		if (!more)
			return;
		p->at = more;
		p->size = size;
	}
	p->at[p->n].off = p->base + off;
	p->at[p->n++].len = len;
}

static void add_piece(struct md *m, const struct pieces *p, int row, int w, MD_ALIGN align)
{
	int used = row < p->n ? width_of(m->d->text.p + p->at[row].off, p->at[row].len) : 0, pad = w - used;
	int left = align == MD_ALIGN_RIGHT ? pad : align == MD_ALIGN_CENTER ? pad / 2 : 0;

	plain(m);
	add_blanks(m, left);
	if (row < p->n)
		doc_again(m->d, p->at[row].off, p->at[row].len);
	plain(m);
	add_blanks(m, pad - left);
}

/* Left-to-right marks around it keep cells of right-to-left text in their order. */
static void add_separator(struct md *m, enum glyph g)
{
	as(m, STYLE_FRAME);
	str_addf(&m->d->text, "\xe2\x80\x8e%s%s%s\xe2\x80\x8e", g == GLYPH_BAR ? " " : glyph(GLYPH_HLINE), glyph(g),
		 g == GLYPH_BAR ? " " : glyph(GLYPH_HLINE));
}

static void table_row(struct md *m, const struct cell *cells, const int *w)
{
	struct pieces *p = mem_calloc((size_t)m->n_cols, sizeof(*p));
	int rows = 1;

	if (!p)
		return;
	for (int i = 0; i < m->n_cols; i++) {
		p[i].base = cells[i].off;
		if (cells[i].len)
			wrap_text(m->d->text.p + cells[i].off, cells[i].len, w[i] > 0 ? w[i] : 1, WRAP_FLAT, on_piece, &p[i]);
		rows = p[i].n > rows ? p[i].n : rows;
	}
	for (int row = 0; row < rows; row++) {
		m->line = m->d->text.len;
		for (int i = 0; i < m->n_cols; i++) {
			if (i)
				add_separator(m, GLYPH_BAR);
			add_piece(m, &p[i], row, w[i], cells[i].align);
		}
		end_line(m, "", "", WRAP_CODE);
	}
	for (int i = 0; i < m->n_cols; i++)
		mem_free(p[i].at);
	mem_free(p);
}

static void table_rule(struct md *m, const int *w)
{
	m->line = m->d->text.len;
	for (int i = 0; i < m->n_cols; i++) {
		if (i)
			add_separator(m, GLYPH_CROSS);
		as(m, STYLE_FRAME);
		for (int k = 0; k < w[i]; k++)
			str_adds(&m->d->text, glyph(GLYPH_HLINE));
	}
	end_line(m, "", "", WRAP_CODE);
}

/* Too narrow for columns: "head: cell", a line each. */
static void table_told(struct md *m)
{
	size_t n = (size_t)m->n_cols;

	for (size_t i = n; i < m->n_cells; i++) {
		m->line = m->d->text.len;
		if (i > n && i % n == 0)
			blank_row(m);
		doc_again(m->d, m->cells[i % n].off, m->cells[i % n].len);
		as(m, STYLE_DIM);
		str_adds(&m->d->text, ": ");
		doc_again(m->d, m->cells[i].off, m->cells[i].len);
		end_line(m, "", "", WRAP_FLAT);
	}
}

static void end_table(struct md *m)
{
	int w[TABLE_COLS], lead_cols = lead(m, true, "").cols;

	m->gap = true;
	if (m->n_cols < 1 || m->n_cells < (size_t)m->n_cols)
		return;
	if (m->n_cols > TABLE_COLS || !fit_columns(m, w, m->d->cols - lead_cols)) {
		table_told(m);
		return;
	}
	for (size_t i = 0; i + (size_t)m->n_cols <= m->n_cells; i += (size_t)m->n_cols) {
		table_row(m, m->cells + i, w);
		if (!i)
			table_rule(m, w);
	}
}

static void begin_cell(struct md *m, MD_ALIGN align)
{
	if (m->n_cells == m->cells_size) {
		size_t size = m->cells_size ? m->cells_size * 2 : 32;
		struct cell *p = mem_rearray(m->cells, size, sizeof(*p));

		if (!p) {
			m->d->failed = true;
			return;
		}
		m->cells = p;
		m->cells_size = size;
	}
	m->cells[m->n_cells++] = (struct cell){ .off = m->d->text.len, .align = align };
	plain(m);
}

static void end_cell(struct md *m)
{
	if (m->n_cells)
		m->cells[m->n_cells - 1].len = m->d->text.len - m->cells[m->n_cells - 1].off;
}

/* -- blocks --------------------------------------------------------------------------- */

static void push(struct md *m, struct level l)
{
	if (m->depth < DEPTH)
		m->level[m->depth++] = l;
	else
		m->deeper++;
}

static void pop(struct md *m)
{
	if (m->deeper)
		m->deeper--;
	else if (m->depth)
		m->depth--;
}

static bool in_item(const struct md *m)
{
	return m->depth && m->level[m->depth - 1].kind == LI;
}

static void begin_list(struct md *m, struct level l)
{
	/* an item whose first block is a list still shows its own mark */
	if (in_item(m)) {
		if (m->level[m->depth - 1].pending) {
			begin_leaf(m);
			end_line(m, "", "", WRAP_FLAT);
		}
		m->gap = false;
	} else if (m->gap) {
		blank_row(m);
		m->gap = false;
	}
	push(m, l);
}

static void begin_item(struct md *m, const MD_BLOCK_LI_DETAIL *li)
{
	struct level *list = m->depth ? &m->level[m->depth - 1] : NULL;
	struct level l = { .kind = LI, .width = 2, .pending = true, .task = li->is_task ? li->task_mark : 0 };
	char buf[16];

	if (list && list->kind == OL && !m->deeper) {
		l.number = list->number++;
		l.width = snprintf(buf, sizeof(buf), "%u. ", l.number);
		l.width = l.width > list->width ? l.width : list->width;
	}
	m->gap = false;
	push(m, l);
}

static void end_item(struct md *m)
{
	if (in_item(m) && !m->deeper && m->level[m->depth - 1].pending) {
		begin_leaf(m);
		end_line(m, "", "", WRAP_FLAT);
	}
	pop(m);
	m->gap = false;
}

static void heading(struct md *m, unsigned level)
{
	begin_leaf(m);
	m->style = STYLE_HEADING;
	m->more = level == 1 ? LOOK_UNDER : 0;
	plain(m);
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
	struct md *m = arg;

	end_loose(m);
	m->leaf = type == MD_BLOCK_P || type == MD_BLOCK_H || type == MD_BLOCK_TH || type == MD_BLOCK_TD;
	switch (type) {
	case MD_BLOCK_QUOTE:
		if (m->gap)
			blank_row(m);
		m->gap = false;
		push(m, (struct level){ .kind = QUOTE });
		break;
	case MD_BLOCK_UL:
		begin_list(m, (struct level){ .kind = UL });
		break;
	case MD_BLOCK_OL:
		begin_list(m, (struct level){ .kind = OL, .number = ((MD_BLOCK_OL_DETAIL *)detail)->start, .width = 3 });
		break;
	case MD_BLOCK_LI:
		begin_item(m, detail);
		break;
	case MD_BLOCK_HR:
		begin_leaf(m);
		as(m, STYLE_FRAME);
		for (int i = lead(m, false, "").cols; i < m->d->cols; i++)
			str_adds(&m->d->text, glyph(GLYPH_HLINE));
		end_line(m, "", "", WRAP_CODE);
		m->gap = true;
		break;
	case MD_BLOCK_H:
		heading(m, ((MD_BLOCK_H_DETAIL *)detail)->level);
		break;
	case MD_BLOCK_CODE:
		begin_code(m, detail);
		break;
	case MD_BLOCK_P:
		begin_leaf(m);
		break;
	case MD_BLOCK_TABLE:
		begin_leaf(m);
		m->n_cells = 0;
		m->n_cols = (int)((MD_BLOCK_TABLE_DETAIL *)detail)->col_count;
		break;
	case MD_BLOCK_TH:
	case MD_BLOCK_TD:
		m->more = type == MD_BLOCK_TH ? LOOK_BOLD : 0;
		begin_cell(m, ((MD_BLOCK_TD_DETAIL *)detail)->align);
		break;
	default:
		break;
	}
	return 0;
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
	struct md *m = arg;

	(void)detail;
	end_loose(m);
	m->leaf = false;
	switch (type) {
	case MD_BLOCK_QUOTE:
	case MD_BLOCK_UL:
	case MD_BLOCK_OL:
		pop(m);
		m->gap = !in_item(m);
		break;
	case MD_BLOCK_LI:
		end_item(m);
		break;
	case MD_BLOCK_H:
	case MD_BLOCK_P:
		end_line(m, "", "", WRAP_FLAT);
		m->style = STYLE_TEXT;
		m->more = 0;
		m->gap = true;
		break;
	case MD_BLOCK_CODE:
		end_code(m);
		break;
	case MD_BLOCK_TABLE:
		end_table(m);
		break;
	case MD_BLOCK_TH:
	case MD_BLOCK_TD:
		end_cell(m);
		m->more = 0;
		break;
	default:
		break;
	}
	return 0;
}

/* -- inside a line -------------------------------------------------------------------- */

static void add_text(struct md *m, const char *s, size_t n)
{
	plain(m);
	doc_add(m->d, m->line, s, n);
}

static void add_attribute(struct md *m, const MD_ATTRIBUTE *a)
{
	doc_add(m->d, m->line, a->text ? a->text : "", a->size);
}

/* Is the target what stands there, or a mail address that does? */
static bool says(const char *text, size_t n, const MD_ATTRIBUTE *a)
{
	static const char mail[] = "mailto:";
	const size_t k = sizeof(mail) - 1;

	return (n == a->size && !memcmp(text, a->text, n)) ||
	       (n + k == a->size && !memcmp(a->text, mail, k) && !memcmp(text, a->text + k, n));
}

/* " (url)", unless the text says it already; with its title. */
static void end_link(struct md *m, const MD_ATTRIBUTE *a, const MD_ATTRIBUTE *title)
{
	const struct str *t = &m->d->text;
	size_t len = t->len - m->link;

	m->style = STYLE_TEXT;
	if (!title->size && (!a->size || says(t->p + m->link, len, a)))
		return;
	as(m, STYLE_DIM);
	str_adds(&m->d->text, len ? " (" : "(");
	add_attribute(m, a);
	if (title->size) {
		str_adds(&m->d->text, a->size ? " \"" : "\"");
		add_attribute(m, title);
		str_adds(&m->d->text, "\"");
	}
	str_adds(&m->d->text, ")");
	plain(m);
}

static void break_line(struct md *m)
{
	if (m->line <= m->d->text.len)
		end_line(m, "", "", WRAP_FLAT);
}

/*
 * Between $$ lines stay lines; the parser tells their ends as blanks of its own, and the first and the last
 * not at all. In a quote each begins with its mark.
 */
static void add_display(struct md *m, const char *s, size_t n)
{
	const char *p = s;

	if (s < m->src || s >= m->end)
		return;
	while (p > m->src && strchr(" \t>", p[-1]))
		p--;
	if (p > m->src && p[-1] == '\n')
		break_line(m);
	add_text(m, s, n);
	m->text_end = s + n;
}

static void end_display(struct md *m)
{
	const char *p = m->text_end;

	while (p && p < m->end && (*p == ' ' || *p == '\t'))
		p++;
	if (p && p < m->end && *p == '\n')
		break_line(m);
	add_text(m, "$$", 2);
	m->display = false;
}

static unsigned char emphasis(MD_SPANTYPE type)
{
	return type == MD_SPAN_EM ? LOOK_ITALIC :
	       type == MD_SPAN_STRONG ? LOOK_BOLD :
	       type == MD_SPAN_DEL ? LOOK_STRIKE : 0;
}

static int enter_span(MD_SPANTYPE type, void *detail, void *arg)
{
	struct md *m = arg;

	(void)detail;
	begin_loose(m);
	m->more |= emphasis(type);
	switch (type) {
	case MD_SPAN_IMG:
		as(m, STYLE_DIM);
		str_adds(&m->d->text, "image: ");
		/* fall through */
	case MD_SPAN_A:
		m->link = m->d->text.len;
		m->style = STYLE_LINK;
		break;
	case MD_SPAN_CODE:
		m->style = STYLE_CODE;
		break;
	case MD_SPAN_LATEXMATH:
		add_text(m, "$", 1);
		break;
	case MD_SPAN_LATEXMATH_DISPLAY:
		add_text(m, "$$", 2);
		m->display = true;
		m->text_end = NULL;
		break;
	default:
		break;
	}
	return 0;
}

static int leave_span(MD_SPANTYPE type, void *detail, void *arg)
{
	struct md *m = arg;

	m->more &= (unsigned char)~emphasis(type);
	switch (type) {
	case MD_SPAN_IMG:
		end_link(m, &((MD_SPAN_IMG_DETAIL *)detail)->src, &((MD_SPAN_IMG_DETAIL *)detail)->title);
		break;
	case MD_SPAN_A:
		end_link(m, &((MD_SPAN_A_DETAIL *)detail)->href, &((MD_SPAN_A_DETAIL *)detail)->title);
		break;
	case MD_SPAN_CODE:
		m->style = STYLE_TEXT;
		break;
	case MD_SPAN_LATEXMATH:
		add_text(m, "$", 1);
		break;
	case MD_SPAN_LATEXMATH_DISPLAY:
		end_display(m);
		break;
	default:
		break;
	}
	return 0;
}

static const struct { const char *name; unsigned cp; } entities[] = {
	{ "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&apos;", '\'' }, { "&nbsp;", 0xa0 },
	{ "&copy;", 0xa9 }, { "&reg;", 0xae }, { "&deg;", 0xb0 }, { "&plusmn;", 0xb1 }, { "&times;", 0xd7 },
	{ "&divide;", 0xf7 }, { "&ndash;", 0x2013 }, { "&mdash;", 0x2014 }, { "&hellip;", 0x2026 }, { "&larr;", 0x2190 },
	{ "&rarr;", 0x2192 }, { "&le;", 0x2264 }, { "&ge;", 0x2265 }, { "&ne;", 0x2260 }, { "&bull;", 0x2022 },
};

/* What it stands for goes through the filter: it may be a control character. */
static void add_entity(struct md *m, const char *s, size_t n)
{
	struct str raw, clean;
	unsigned cp = 0;

	str_init(&raw, 64);
	str_init(&clean, 64);
	if (n > 3 && s[1] == '#')
		cp = (unsigned)strtoul(s + 2 + (s[2] == 'x' || s[2] == 'X'), NULL, s[2] == 'x' || s[2] == 'X' ? 16 : 10);
	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
		if (n == strlen(entities[i].name) && !memcmp(s, entities[i].name, n))
			cp = entities[i].cp;
	if (cp && cp < 0x110000 && (cp < 0xd800 || cp > 0xdfff))
		str_add_utf8(&raw, cp);
	else
		str_add(&raw, s, n);
	termtext_whole(raw.p, raw.len, 0, &clean);
	add_text(m, clean.p, clean.len);
	str_release(&raw);
	str_release(&clean);
}

static int text(MD_TEXTTYPE type, const MD_CHAR *s, MD_SIZE n, void *arg)
{
	struct md *m = arg;

	if (m->in_code) {
		code_text(m, s, n);
		return 0;
	}
	begin_loose(m);
	switch (type) {
	case MD_TEXT_BR:
	case MD_TEXT_SOFTBR:
		break_line(m);
		break;
	case MD_TEXT_LATEXMATH:
		if (m->display)
			add_display(m, s, n);
		else
			add_text(m, s, n);
		break;
	case MD_TEXT_ENTITY:
		add_entity(m, s, n);
		break;
	case MD_TEXT_NULLCHAR:
		add_text(m, "\xef\xbf\xbd", 3);
		break;
	default:
		if (type == MD_TEXT_NORMAL && s + n > m->own_end && *s != '\n')
			m->foreign = true;
		/* \( and \[ begin LaTeX more often than they keep a bracket from being markdown */
		if (type == MD_TEXT_NORMAL && s > m->src && s[-1] == '\\' && s != m->text_end &&
		    strchr("()[]", *s))
			add_text(m, "\\", 1);
		add_text(m, s, n);
		m->text_end = s + n;
		break;
	}
	return 0;
}

bool mdrows_add(struct doc *d, const char *s, size_t n, size_t own)
{
	static const MD_PARSER parser = {
		.flags = MDROWS_FLAGS, .enter_block = enter_block, .leave_block = leave_block,
		.enter_span = enter_span, .leave_span = leave_span, .text = text,
	};
	struct md m = { .d = d, .gap = d->n_rows > 0, .style = STYLE_TEXT };
	struct str kept;

	str_init(&kept, 0);
	if (mdkeep(s, n, &own, &kept)) {
		s = kept.p;
		n = kept.len;
	}
	m.src = s;
	m.end = s + n;
	m.own_end = s + own;
	str_init(&m.code, 0);
	str_init(&m.info, 0);
	d->block = 0;
	if (n && md_parse(s, (MD_SIZE)n, &parser, &m))
		d->failed = true;
	str_release(&m.code);
	str_release(&m.info);
	str_release(&kept);
	mem_free(m.cells);
	return !m.foreign;
}
