#include "config.h"
#include "ui/pane_chat.h"

#include "app/termtext.h"
#include "engine/base/xio.h"
#include "ui/docdraw.h"
#include "ui/find.h"
#include "ui/markdown.h"
#include "ui/width.h"

#include <stdio.h>
#include <string.h>

enum { ROOMY = 40, TIGHT = 20 };

/* The rows of an item: its label, its text, its figures, and a blank one. */
enum row_kind { ROW_LABEL, ROW_TEXT, ROW_FIGURES, ROW_BLANK };

struct item_view {
	const struct chat_item *item;	/* only compared, never followed: it may be gone */
	unsigned version;
	int cols;
	bool running, bare;		/* when it was laid out */
	bool unfolded;			/* thinking is shown */
	struct termtext filter;
	size_t fed;			/* bytes of the item's text that went through the filter */
	struct str text;		/* what came out: the source of what is drawn */
	struct think think;		/* the item's, in bytes of that */
	struct doc doc;
	struct markdown md;
	size_t body;			/* where an answer's text begins, behind its thinking */
	bool begun;			/* md stands on doc */
	int32_t n_think;		/* as told in the doc */
	bool thinking;
};

/* A row that is found again when the width has changed. */
struct place { size_t item, row, line, in; int cols; };

struct pane_chat {
	struct pane pane;
	const struct chat *c;
	const struct gauge_reading *reading;
	struct item_view *views;
	size_t n_views, size;
	bool follow, focused, bare;
	struct place top;		/* first row seen */
	struct place mark;		/* the row that keys act on */
	struct find *find;
	struct box seen;
	int caret;			/* the screen's row that the mark is in */
	bool above;			/* there was something above when it was last drawn */
};

/* -- layout of one item --------------------------------------------------------------- */

static size_t head_rows(const struct item_view *v, const struct chat_item *item)
{
	return item->kind != ITEM_NOTE && !v->bare;
}

static size_t view_rows(const struct item_view *v, const struct chat_item *item)
{
	return head_rows(v, item) + v->doc.n_rows + (item->kind == ITEM_ANSWER && !v->bare) + 1;
}

static enum row_kind kind_of(const struct item_view *v, const struct chat_item *item, size_t row, size_t *at)
{
	size_t head = head_rows(v, item);

	if (row < head)
		return ROW_LABEL;
	*at = row - head;
	if (*at < v->doc.n_rows)
		return ROW_TEXT;
	return *at == v->doc.n_rows && item->kind == ITEM_ANSWER && !v->bare ? ROW_FIGURES : ROW_BLANK;
}

static void restart(struct item_view *v)
{
	str_clear(&v->text);
	termtext_init(&v->filter, TERMTEXT_LINES | TERMTEXT_MARKS);
	v->fed = v->body = 0;
	v->think = (struct think){ .state = THINK_UNKNOWN };
	v->begun = false;
}

/* What lies before a place of the item's text goes through the filter, once; *place is where that ends in what comes out. */
static void feed_to(struct item_view *v, const struct chat_item *item, size_t at, size_t *place)
{
	if (at < v->fed)
		return;
	termtext_add(&v->filter, item->text.p + v->fed, at - v->fed, &v->text);
	v->fed = at;
	*place = v->text.len;
}

/* Told anew when it turns out that there is thinking, and when it is over: its marks are no part of it. */
static void feed(struct item_view *v, const struct chat_item *item)
{
	const struct think *t = &item->stats.think;
	size_t end = 0;

	if (item->kind == ITEM_ANSWER && t->state != v->think.state)
		restart(v);
	if (item->kind == ITEM_ANSWER)
		v->think.state = t->state;
	if (v->think.state == THINK_INSIDE || v->think.state == THINK_OVER) {
		feed_to(v, item, t->from, &v->think.from);
		feed_to(v, item, t->to, &v->think.to);
	}
	if (v->think.state == THINK_OVER)
		feed_to(v, item, t->rest, &v->think.rest);
	/* the beginning of a mark may still become one */
	if (!item->running || v->think.state == THINK_OVER || v->think.state == THINK_NONE || item->kind != ITEM_ANSWER)
		feed_to(v, item, item->text.len, &end);
	if (!item->running)
		termtext_end(&v->filter, &v->text);
	if (v->think.state == THINK_INSIDE)
		v->think.to = v->think.rest = v->text.len;
}

/* Text as it was written, one logical line after the other. */
static void add_plain(struct doc *d, const char *s, size_t n, struct look look, struct doc_piece lead, enum wrap_mode mode)
{
	for (;;) {
		const char *nl = memchr(s, '\n', n);
		size_t k = nl ? (size_t)(nl - s) : n, line = d->text.len;

		doc_look(d, look);
		doc_add(d, line, s, k);
		doc_line(d, line, d->text.len - line, lead, lead, mode);
		if (!nl)
			break;
		s += k + 1;
		n -= k + 1;
	}
}

static size_t skip_space(const struct str *s, size_t at)
{
	while (at < s->len && (s->p[at] == ' ' || s->p[at] == '\n'))
		at++;
	return at;
}

/* Where thinking is in the text: [from, to), and where what follows it begins. False: there is none. */
static bool find_thinking(const struct item_view *v, size_t *from, size_t *to, size_t *body)
{
	if (v->think.state != THINK_INSIDE && v->think.state != THINK_OVER)
		return false;
	*from = skip_space(&v->text, v->think.from);
	*to = v->think.to > *from ? v->think.to : *from;
	*body = v->think.rest;
	return true;
}

static struct doc_piece bar(struct doc *d)
{
	struct doc_piece p = { .off = d->text.len };

	doc_look(d, (struct look){ STYLE_FRAME, 0 });
	str_addf(&d->text, "%s ", glyph(GLYPH_BAR));
	p.len = d->text.len - p.off;
	p.cols = 2;
	return p;
}

static void add_thinking(struct item_view *v, size_t from, size_t to)
{
	const struct look dim = { STYLE_DIM, 0 };
	struct doc *d = &v->doc;
	size_t line;
	char count[24];

	while (to > from && (v->text.p[to - 1] == '\n' || v->text.p[to - 1] == ' '))
		to--;
	if (to == from && !v->thinking)
		return;
	doc_look(d, dim);
	line = d->text.len;
	str_addf(&d->text, "%s %s, %s token%s", glyph(v->unfolded ? GLYPH_UNFOLDED : GLYPH_FOLDED),
		 v->thinking ? "thinking" : "thought", gauge_count(count, sizeof(count), v->n_think),
		 v->n_think == 1 ? "" : "s");
	doc_line(d, line, d->text.len - line, (struct doc_piece){ 0 }, (struct doc_piece){ 0 }, WRAP_FLAT);
	if (v->unfolded && to > from) {
		struct doc_piece lead = bar(d);

		add_plain(d, v->text.p + from, to - from, dim, lead, WRAP_HANG);
	}
}

static void lay_out_answer(struct item_view *v, const struct chat_item *item)
{
	size_t from = 0, to = 0, body = 0;
	bool thought = find_thinking(v, &from, &to, &body), thinking = thought && item->running && v->think.state == THINK_INSIDE;

	if (!v->begun || v->thinking || thinking || (thought && v->n_think != item->n_think)) {
		doc_clear(&v->doc, v->cols);
		v->doc.bare = v->bare;
		v->thinking = thinking;
		v->n_think = item->n_think;
		v->body = body;
		if (thought)
			add_thinking(v, from, to);
		markdown_init(&v->md, &v->doc);
		v->begun = true;
	}
	markdown_read(&v->md, &v->doc, v->text.p + v->body, v->text.len - v->body, item->running);
}

static void lay_out_plain(struct item_view *v, const struct chat_item *item)
{
	const enum style style = item->kind != ITEM_NOTE ? STYLE_TEXT : item->error ? STYLE_ERROR : STYLE_DIM;
	size_t n = v->text.len;

	while (n && (v->text.p[n - 1] == '\n' || v->text.p[n - 1] == ' '))
		n--;
	doc_clear(&v->doc, v->cols);
	add_plain(&v->doc, v->text.p, n, (struct look){ (unsigned char)style, 0 }, (struct doc_piece){ 0 },
		  item->kind == ITEM_NOTE ? WRAP_TABLE : WRAP_HANG);
}

static void lay_out(struct item_view *v, const struct chat_item *item, int cols, bool bare)
{
	if (!v->running || v->item != item || item->text.len < v->fed)
		restart(v);
	if (v->item != item)
		v->unfolded = false;
	if (v->cols != cols || v->bare != bare)
		v->begun = false;
	v->item = item;
	v->version = item->version;
	v->cols = cols;
	v->bare = bare;
	v->running = item->running;
	feed(v, item);
	if (item->kind == ITEM_ANSWER)
		lay_out_answer(v, item);
	else
		lay_out_plain(v, item);
}

static int text_indent(const struct pane_chat *p)
{
	return p->bare ? 0 : p->seen.w >= ROOMY ? 3 : p->seen.w >= TIGHT ? 2 : 0;
}

static int text_cols(const struct pane_chat *p)
{
	int cols = p->seen.w - text_indent(p) - (p->seen.w >= ROOMY && !p->bare);

	return cols < 1 ? 1 : cols;
}

static struct item_view *view_of(struct pane_chat *p, size_t i)
{
	const struct chat_item *item = p->c->items[i];
	struct item_view *v = &p->views[i];
	int cols = text_cols(p);

	if (v->item != item || v->version != item->version || v->cols != cols || v->bare != p->bare ||
	    v->running != item->running)
		lay_out(v, item, cols, p->bare);
	return v;
}

static size_t rows_of(struct pane_chat *p, size_t i)
{
	return view_rows(view_of(p, i), p->c->items[i]);
}

static void release_view(struct item_view *v)
{
	str_release(&v->text);
	doc_release(&v->doc);
}

/* As many views as there are items. False: no memory. */
static bool fit_views(struct pane_chat *p)
{
	size_t n = p->c->n_items;

	while (p->n_views > n)
		release_view(&p->views[--p->n_views]);
	if (n > p->size) {
		struct item_view *views = mem_rearray(p->views, n + 16, sizeof(*views));

		if (!views)
			return false;
		p->views = views;
		p->size = n + 16;
	}
	while (p->n_views < n) {
		memset(&p->views[p->n_views], 0, sizeof(*p->views));
		doc_init(&p->views[p->n_views].doc);
		str_init(&p->views[p->n_views++].text, 0);
	}
	return true;
}

/* -- the place that is seen ----------------------------------------------------------- */

/* h rows up from (item, row); false when the beginning came first. */
static bool rows_up(struct pane_chat *p, size_t *item, size_t *row, size_t h)
{
	while (h > *row) {
		h -= *row;
		if (!*item) {
			*row = 0;
			return false;
		}
		*row = rows_of(p, --*item);
	}
	*row -= h;
	return true;
}

/* h rows down, at most to the last row of all but the blank one. */
static void rows_down(struct pane_chat *p, size_t *item, size_t *row, size_t h)
{
	size_t n;

	for (*row += h; *row >= (n = rows_of(p, *item)) && *item + 1 < p->c->n_items; ++*item)
		*row -= n;
	if (*row >= n)
		*row = n - 1;
	if (*item + 1 == p->c->n_items && *row + 1 == n && n > 1)
		--*row;
}

/* The first row of the last screenful. The blank row of the last item is left out. */
static void bottom(struct pane_chat *p, size_t *item, size_t *row)
{
	*item = *row = 0;
	if (!p->c->n_items)
		return;
	*item = p->c->n_items - 1;
	*row = rows_of(p, *item);
	if (*row > 1)
		--*row;
	rows_up(p, item, row, (size_t)p->seen.h);
}

static bool before(size_t item_a, size_t row_a, size_t item_b, size_t row_b)
{
	return item_a < item_b || (item_a == item_b && row_a < row_b);
}

/* A row as a logical line and a place in it, which are the same at every width. */
static void set_place(struct pane_chat *p, struct place *at, size_t item, size_t row)
{
	const struct item_view *v = view_of(p, item);
	const struct doc_row *r = v->doc.rows;
	size_t i = 0;

	*at = (struct place){ .item = item, .row = row, .cols = v->cols };
	if (kind_of(v, p->c->items[item], row, &i) == ROW_LABEL || !v->doc.n_rows)
		return;
	if (i >= v->doc.n_rows)
		i = v->doc.n_rows - 1;
	for (size_t k = 0; k <= i; k++)
		at->line += r[k].off == r[k].line;
	at->in = r[i].off - r[i].line;
}

/* After a new width the row is the one that holds the same place in the text. */
static void find_place(struct pane_chat *p, struct place *at)
{
	const struct item_view *v;
	const struct doc_row *r;
	size_t head, n, line = 0, i;

	if (at->item >= p->c->n_items)
		at->item = p->c->n_items - 1;
	v = view_of(p, at->item);
	r = v->doc.rows;
	n = rows_of(p, at->item);
	if (at->cols != v->cols && at->line) {
		head = head_rows(v, p->c->items[at->item]);
		for (i = 0; i + 1 < v->doc.n_rows; i++) {
			line += r[i].off == r[i].line;
			if (line == at->line && (r[i].off - r[i].line + r[i].len > at->in || r[i + 1].line != r[i].line))
				break;
		}
		at->row = head + i;
	}
	at->cols = v->cols;
	if (at->row >= n)
		at->row = n - 1;
}

static void settle(struct pane_chat *p)
{
	size_t item, row;

	bottom(p, &item, &row);
	if (p->top.item >= p->c->n_items)
		p->follow = true;
	if (!p->follow) {
		find_place(p, &p->top);
		/* The end may have come nearer (a wider screen, a message taken back). */
		p->follow = !before(p->top.item, p->top.row, item, row);
	}
	if (p->follow)
		set_place(p, &p->top, item, row);
}

static bool ready(struct pane_chat *p)
{
	if (!p->c->n_items || p->seen.w <= 0 || p->seen.h <= 0 || !fit_views(p))
		return false;
	settle(p);
	return true;
}

/* The marked row stays on the screen: the view goes with it. */
static void show_mark(struct pane_chat *p)
{
	size_t item = p->top.item, row = p->top.row, h = (size_t)p->seen.h;

	if (before(p->mark.item, p->mark.row, item, row)) {
		p->follow = false;
		set_place(p, &p->top, p->mark.item, p->mark.row);
		return;
	}
	rows_down(p, &item, &row, h - 1);
	if (!before(item, row, p->mark.item, p->mark.row))
		return;
	item = p->mark.item;
	row = p->mark.row;
	rows_up(p, &item, &row, h - 1);
	set_place(p, &p->top, item, row);
	settle(p);
}

static void move_mark(struct pane_chat *p, long rows)
{
	size_t item, row;

	find_place(p, &p->mark);
	item = p->mark.item;
	row = p->mark.row;
	if (rows < 0)
		rows_up(p, &item, &row, (size_t)-rows);
	else
		rows_down(p, &item, &row, (size_t)rows);
	set_place(p, &p->mark, item, row);
	show_mark(p);
}

static void roll(struct pane *pane, int rows)
{
	struct pane_chat *p = (struct pane_chat *)pane;
	size_t item, row;

	if (!ready(p))
		return;
	item = p->top.item;
	row = p->top.row;
	if (rows < 0) {
		rows_up(p, &item, &row, (size_t)-rows);
		p->follow = false;
		set_place(p, &p->top, item, row);
	} else {
		rows_down(p, &item, &row, (size_t)rows);
		set_place(p, &p->top, item, row);
		settle(p);
	}
	if (p->focused)
		move_mark(p, rows);
}

static void page(struct pane *pane, int pages)
{
	const int h = ((struct pane_chat *)pane)->seen.h;

	roll(pane, pages * (h > 3 ? h - 2 : 1));
}

static void end(struct pane *pane)
{
	struct pane_chat *p = (struct pane_chat *)pane;

	p->follow = true;
	if (p->focused && ready(p))
		move_mark(p, (long)p->c->n_items * 1000000);
}

static bool more(const struct pane *pane)
{
	const struct pane_chat *p = (const struct pane_chat *)pane;

	return p->above;
}

bool pane_chat_scrolled(const struct pane *pane)
{
	return !((const struct pane_chat *)pane)->follow;
}

/* -- drawing -------------------------------------------------------------------------- */

/* Adds a part behind the others if all of them fit in cols. */
static void add_part(char *buf, size_t size, int cols, const char *part)
{
	const char *gap = *buf ? glyph(GLYPH_DOT) : "";
	char all[128];

	snprintf(all, sizeof(all), "%s%s%s%s%s", buf, *buf ? " " : "", gap, *buf ? " " : "", part);
	if (*part && width_of(all, strlen(all)) <= cols)
		snprintf(buf, size, "%s", all);
}

/* What is said under an answer: its figures, or how far it is; as much as there is room for. */
static void figures(const struct pane_chat *p, const struct chat_item *item, int cols, char *buf, size_t size)
{
	static const char *const ends[] = {
		[ANSWER_DONE] = "", [ANSWER_LENGTH] = "token limit",
		[ANSWER_CONTEXT] = "context full", [ANSWER_STOPPED] = "stopped",
	};
	const struct gauge_reading *r = p->reading;
	const struct answer_stats *s = item->running ? &r->g.stats : &item->stats;
	char rate[16], a[24], b[24], text[64];

	*buf = 0;
	if (item->running && r->state == CHAT_PREFILL && r->total > 0) {
		snprintf(text, sizeof(text), "prefill %s", gauge_percent(rate, sizeof(rate), r->done, r->total));
		add_part(buf, size, cols, text);
		snprintf(text, sizeof(text), "%s of %s", gauge_count(a, sizeof(a), r->done), gauge_count(b, sizeof(b), r->total));
		add_part(buf, size, cols, text);
		return;
	}
	if (item->running && r->state != CHAT_DECODE) {
		snprintf(buf, size, "%s", r->state == CHAT_PREFILL ? "prefill" : "waiting");
		return;
	}
	if (!item->running && !chat_pauses(r->c, item) && (size_t)item->end < sizeof(ends) / sizeof(ends[0]) && ends[item->end])
		add_part(buf, size, cols, ends[item->end]);
	if (s->n_gen <= 0)
		return;
	snprintf(text, sizeof(text), "%s tok/s",
		 gauge_rate(rate, sizeof(rate), item->running ? r->decode : answer_decode_rate(s)));
	add_part(buf, size, cols, text);
	snprintf(text, sizeof(text), "%s token%s", gauge_count(a, sizeof(a), s->n_gen), s->n_gen == 1 ? "" : "s");
	add_part(buf, size, cols, text);
	snprintf(text, sizeof(text), "%.2f s", (double)s->first_ns / 1e9);
	add_part(buf, size, cols, text);
}

static void draw_label(const struct chat_item *item, struct box b, int y)
{
	struct str s;

	str_init(&s, 256);
	termtext_whole(item->kind == ITEM_USER ? "you" : item->label ? item->label : "",
		       item->kind == ITEM_USER ? 3 : item->label ? strlen(item->label) : 0, 0, &s);
	style_set(item->kind == ITEM_USER ? STYLE_USER : STYLE_MODEL);
	draw(y, b.x + (b.w >= ROOMY), b.w - (b.w >= ROOMY), s.p);
	str_release(&s);
}

static void draw_row(struct pane_chat *p, const struct item_view *v, size_t row, struct box b, int y)
{
	const struct chat_item *item = v->item;
	int indent = text_indent(p);
	char text[128];
	size_t i = 0;

	switch (kind_of(v, item, row, &i)) {
	case ROW_BLANK:
		break;
	case ROW_LABEL:
		draw_label(item, b, y);
		break;
	case ROW_TEXT:
		if (item->kind == ITEM_NOTE && !i && indent) {
			style_set(item->error ? STYLE_ERROR : STYLE_DIM);
			draw(y, b.x + (b.w >= ROOMY), 1, item->error ? "!" : glyph(GLYPH_DOT));
		}
		doc_draw_row(&v->doc, &v->doc.rows[i], y, b.x + indent, b.w - indent, p->find);
		break;
	case ROW_FIGURES:
		figures(p, item, b.w - (b.w >= ROOMY), text, sizeof(text));
		style_set(STYLE_DIM);
		draw_right(y, b.x, b.w - (b.w >= ROOMY), text);
		break;
	}
}

static void draw_pane(struct pane *pane, struct box b)
{
	struct pane_chat *p = (struct pane_chat *)pane;
	size_t item, row;

	p->seen = b;
	p->above = false;
	if (!ready(p))
		return;
	if (p->focused)
		find_place(p, &p->mark);
	p->above = p->top.item || p->top.row;
	item = p->top.item;
	row = p->top.row;
	for (int y = 0; y < b.h && item < p->c->n_items; y++) {
		const struct item_view *v = view_of(p, item);

		draw_row(p, v, row, b, b.y + y);
		if (p->focused && item == p->mark.item && row == p->mark.row) {
			mark_row(b.y + y, b.x, b.w);
			p->caret = b.y + y;
		}
		if (++row >= view_rows(v, p->c->items[item])) {
			item++;
			row = 0;
		}
	}
}

/* -- what keys do in it --------------------------------------------------------------- */

/* The mark begins on the last row that is seen. */
void pane_chat_focus(struct pane *pane, bool on)
{
	struct pane_chat *p = (struct pane_chat *)pane;
	size_t item, row;

	p->focused = on;
	if (!on || !ready(p))
		return;
	item = p->top.item;
	row = p->top.row;
	rows_down(p, &item, &row, (size_t)p->seen.h - 1);
	set_place(p, &p->mark, item, row);
}

void pane_chat_bare(struct pane *pane, bool on)
{
	struct pane_chat *p = (struct pane_chat *)pane;

	p->bare = on;
	/* rows come and go: the same width would hide that */
	p->top.cols = p->mark.cols = -1;
}

static void step(struct pane *pane, int rows)
{
	struct pane_chat *p = (struct pane_chat *)pane;

	if (ready(p))
		move_mark(p, rows);
}

static void home(struct pane *pane)
{
	struct pane_chat *p = (struct pane_chat *)pane;

	if (!ready(p))
		return;
	p->follow = false;
	set_place(p, &p->top, 0, 0);
	set_place(p, &p->mark, 0, 0);
	settle(p);
}

static const struct doc_row *marked_row(const struct pane_chat *p, const struct item_view *v)
{
	size_t i = 0;

	return kind_of(v, p->c->items[p->mark.item], p->mark.row, &i) == ROW_TEXT ? &v->doc.rows[i] : NULL;
}

/* An answer's text behind its thinking, as it came. */
static void take_text(const struct chat_item *item, struct str *out)
{
	const struct think *t = &item->stats.think;
	size_t at = item->kind == ITEM_ANSWER && t->state == THINK_OVER ? t->rest : 0;

	at = item->kind == ITEM_ANSWER ? skip_space(&item->text, at) : at;
	str_add(out, item->text.p + at, item->text.len - at);
}

const char *pane_chat_take(struct pane *pane, struct str *out)
{
	static const char *const names[] = {
		[ITEM_USER] = "the message", [ITEM_ANSWER] = "the answer", [ITEM_NOTE] = "the note",
	};
	struct pane_chat *p = (struct pane_chat *)pane;
	const struct chat_item *item;
	const struct doc_row *row;
	const struct item_view *v;

	if (!ready(p))
		return NULL;
	find_place(p, &p->mark);
	item = p->c->items[p->mark.item];
	v = view_of(p, p->mark.item);
	row = marked_row(p, v);
	if (row && row->block) {
		const struct doc_block *b = &v->doc.blocks[row->block];

		str_add(out, v->doc.source.p + b->source, b->source_len);
		return "the code";
	}
	take_text(item, out);
	return names[item->kind];
}

bool pane_chat_foldable(const struct pane *pane)
{
	const struct pane_chat *p = (const struct pane_chat *)pane;
	size_t from, to, body;

	return p->focused && p->mark.item < p->n_views && p->mark.item < p->c->n_items &&
	       p->c->items[p->mark.item]->kind == ITEM_ANSWER && find_thinking(&p->views[p->mark.item], &from, &to, &body);
}

void pane_chat_caret(const struct pane *pane, int *y, int *x)
{
	const struct pane_chat *p = (const struct pane_chat *)pane;

	*y = p->caret;
	*x = p->seen.x;
}

bool pane_chat_fold(struct pane *pane)
{
	struct pane_chat *p = (struct pane_chat *)pane;
	struct item_view *v;
	size_t from, to, body;

	if (!ready(p))
		return false;
	find_place(p, &p->mark);
	v = view_of(p, p->mark.item);
	if (p->c->items[p->mark.item]->kind != ITEM_ANSWER || !find_thinking(v, &from, &to, &body))
		return false;
	v->unfolded = !v->unfolded;
	v->begun = false;
	v->version--;		/* laid out anew */
	find_place(p, &p->mark);
	return true;
}

/* -- search --------------------------------------------------------------------------- */

static bool row_matches(struct pane_chat *p, size_t item, size_t row)
{
	const struct item_view *v = view_of(p, item);
	struct find_range r[64];
	size_t i = 0;
	int n;

	if (kind_of(v, p->c->items[item], row, &i) != ROW_TEXT)
		return false;
	const struct doc_row *at = &v->doc.rows[i];

	n = find_in(p->find, v->doc.text.p + at->line, at->line_len, r, 64);
	/* the row on which it begins */
	for (int k = 0; k < n; k++)
		if (at->line + r[k].from >= at->off && at->line + r[k].from < at->off + at->len)
			return true;
	return false;
}

bool pane_chat_next(struct pane *pane, int step)
{
	struct pane_chat *p = (struct pane_chat *)pane;
	size_t item, row, first_item, first_row;

	if (!p->find || !ready(p))
		return false;
	find_place(p, &p->mark);
	item = first_item = p->mark.item;
	row = first_row = p->mark.row;
	do {
		if (step > 0 && ++row >= rows_of(p, item)) {
			item = (item + 1) % p->c->n_items;
			row = 0;
		} else if (step < 0 && row-- == 0) {
			item = (item ? item : p->c->n_items) - 1;
			row = rows_of(p, item) - 1;
		}
		if (row_matches(p, item, row)) {
			set_place(p, &p->mark, item, row);
			show_mark(p);
			return true;
		}
	} while (item != first_item || row != first_row);
	return false;
}

int pane_chat_search(struct pane *pane, const char *pattern, struct err *e)
{
	struct pane_chat *p = (struct pane_chat *)pane;
	struct find *f = NULL;

	if (pattern && *pattern && find_new(&f, pattern, e))
		return -1;
	find_free(p->find);
	p->find = f;
	return 0;
}

bool pane_chat_searched(const struct pane *pane)
{
	return ((const struct pane_chat *)pane)->find != NULL;
}

static void free_pane(struct pane *pane)
{
	struct pane_chat *p = (struct pane_chat *)pane;

	while (p->n_views)
		release_view(&p->views[--p->n_views]);
	find_free(p->find);
	mem_free(p->views);
	mem_free(p);
}

static const struct pane_ops ops = {
	.name = "chat", .draw = draw_pane, .page = page, .roll = roll, .step = step, .home = home, .end = end, .more = more,
	.free = free_pane,
};

struct pane *pane_chat_new(const struct chat *c, const struct gauge_reading *r)
{
	struct pane_chat *p = mem_calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->pane.ops = &ops;
	p->c = c;
	p->reading = r;
	p->follow = true;
	return &p->pane;
}
