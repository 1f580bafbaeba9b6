#include "config.h"
#include "ui/pane_chat.h"

#include "app/termtext.h"
#include "engine/base/xio.h"
#include "ui/width.h"
#include "ui/wrap.h"

#include <stdio.h>
#include <string.h>

enum { TAB = 8, ROOMY = 40, TIGHT = 20 };

enum row_kind { ROW_BLANK, ROW_LABEL, ROW_TEXT, ROW_FIGURES };

struct row {
	enum row_kind kind;
	size_t off, len;	/* ROW_TEXT: of the view's text */
	int indent;
};

struct item_view {
	const struct chat_item *item;	/* only compared, never followed: it may be gone */
	unsigned version;
	int cols;
	bool running;			/* when it was laid out */
	struct termtext filter;
	size_t fed;			/* bytes of the item's text that went through the filter */
	struct str text;		/* what can be drawn; tabs are blanks */
	size_t firm_text;		/* rows up to here will not change: the text's last line end … */
	size_t firm_rows;		/* … and the rows before it */
	struct row *rows;
	size_t n_rows, size;
};

struct pane_chat {
	struct pane pane;
	const struct chat *c;
	const struct gauge_reading *reading;
	struct item_view *views;
	size_t n_views, size;
	bool follow;
	size_t top_item, top_row;	/* first row seen */
	size_t top_off;			/* its offset, to find it again at another width */
	int top_cols;
	struct box seen;
	bool above;			/* there was something above when it was last drawn */
};

/* -- layout of one item --------------------------------------------------------------- */

struct layout { struct item_view *v; size_t base; int cols; };

static void add_row(struct item_view *v, enum row_kind kind, size_t off, size_t len, int indent)
{
	if (v->n_rows == v->size) {
		size_t size = v->size ? v->size * 2 : 8;
		struct row *rows = mem_rearray(v->rows, size, sizeof(*rows));

		if (!rows)
			return;		/* the rest is not seen; nothing is lost */
		v->rows = rows;
		v->size = size;
	}
	v->rows[v->n_rows++] = (struct row){ .kind = kind, .off = off, .len = len, .indent = indent };
}

static void on_row(void *arg, size_t off, size_t len, int indent)
{
	struct layout *l = arg;

	add_row(l->v, ROW_TEXT, l->base + off, len, indent);
}

/* Tabs become blanks up to the next stop. */
static void append(struct str *text, const char *p, size_t n)
{
	while (n) {
		const char *tab = memchr(p, '\t', n);
		size_t k = tab ? (size_t)(tab - p) : n, line = text->len;

		str_add(text, p, k);
		if (!tab)
			break;
		for (line = text->len; line && text->p[line - 1] != '\n'; line--)
			;
		for (int col = width_of(text->p + line, text->len - line) % TAB; col < TAB; col++)
			str_addc(text, ' ');
		p += k + 1;
		n -= k + 1;
	}
}

static void feed(struct item_view *v, const struct chat_item *item)
{
	struct str out;

	str_init(&out, 0);
	termtext_add(&v->filter, item->text.p + v->fed, item->text.len - v->fed, &out);
	if (!item->running)
		termtext_end(&v->filter, &out);
	append(&v->text, out.p, out.len);
	v->fed = item->text.len;
	str_release(&out);
}

static void restart(struct item_view *v)
{
	str_clear(&v->text);
	termtext_init(&v->filter, TERMTEXT_LINES);
	v->fed = v->firm_text = v->firm_rows = v->n_rows = 0;
}

/* Blank lines before an answer are the template's, one blank is the first token's own. */
static size_t skip_blank(const struct item_view *v)
{
	size_t at = 0, i = 0;

	while (i < v->text.len && (v->text.p[i] == ' ' || v->text.p[i] == '\n'))
		if (v->text.p[i++] == '\n')
			at = i;
	return i == v->text.len || i == at + 1 ? i : at;
}

static void lay_out(struct item_view *v, const struct chat_item *item, int cols)
{
	bool more = v->running && v->item == item && item->text.len >= v->fed, table = item->kind == ITEM_NOTE;
	struct layout l = { .v = v, .cols = cols };
	size_t end;

	if (!more)
		restart(v);
	if (v->cols != cols)
		v->firm_text = v->firm_rows = 0;
	v->item = item;
	v->version = item->version;
	v->cols = cols;
	v->running = item->running;
	feed(v, item);
	v->n_rows = v->firm_rows;
	if (!v->n_rows && item->kind != ITEM_NOTE)
		add_row(v, ROW_LABEL, 0, 0, 0);
	if (!v->firm_text && item->kind == ITEM_ANSWER)
		v->firm_text = skip_blank(v);
	for (end = v->text.len; end > v->firm_text && (v->text.p[end - 1] == ' ' || v->text.p[end - 1] == '\n'); end--)
		;
	l.base = v->firm_text;
	if (end > l.base) {
		const char *nl = memrchr(v->text.p + l.base, '\n', end - l.base);
		size_t firm = nl ? (size_t)(nl - v->text.p) : l.base;

		if (nl)
			wrap_text(v->text.p + l.base, firm - l.base, cols, table, on_row, &l);
		if (nl && v->running) {
			v->firm_text = firm + 1;
			v->firm_rows = v->n_rows;
		}
		l.base = nl ? firm + 1 : l.base;
		wrap_text(v->text.p + l.base, end - l.base, cols, table, on_row, &l);
	}
	if (item->kind == ITEM_ANSWER)
		add_row(v, ROW_FIGURES, 0, 0, 0);
	add_row(v, ROW_BLANK, 0, 0, 0);
}

static int text_indent(int w)
{
	return w >= ROOMY ? 3 : w >= TIGHT ? 2 : 0;
}

static int text_cols(int w)
{
	int cols = w - text_indent(w) - (w >= ROOMY ? 1 : 0);

	return cols < 1 ? 1 : cols;
}

static struct item_view *view_of(struct pane_chat *p, size_t i)
{
	const struct chat_item *item = p->c->items[i];
	struct item_view *v = &p->views[i];
	int cols = text_cols(p->seen.w);

	if (v->item != item || v->version != item->version || v->cols != cols || v->running != item->running)
		lay_out(v, item, cols);
	return v;
}

static void release_view(struct item_view *v)
{
	str_release(&v->text);
	mem_free(v->rows);
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
		*row = view_of(p, --*item)->n_rows;
	}
	*row -= h;
	return true;
}

/* The first row of the last screenful. The blank row of the last item is left out. */
static void bottom(struct pane_chat *p, size_t *item, size_t *row)
{
	size_t h = (size_t)p->seen.h;

	*item = *row = 0;
	if (!p->c->n_items)
		return;
	*item = p->c->n_items - 1;
	*row = view_of(p, *item)->n_rows;
	if (*row > 1)
		(*row)--;
	rows_up(p, item, row, h);
}

static bool before(size_t item_a, size_t row_a, size_t item_b, size_t row_b)
{
	return item_a < item_b || (item_a == item_b && row_a < row_b);
}

/* After a new width the anchored row is the one that holds the same place in the text. */
static void find_top(struct pane_chat *p)
{
	const struct item_view *v = view_of(p, p->top_item);
	int cols = text_cols(p->seen.w);

	if (p->top_cols != cols) {
		size_t i = 0;

		while (i + 1 < v->n_rows && !(v->rows[i].kind == ROW_TEXT && v->rows[i].off + v->rows[i].len >= p->top_off))
			i++;
		p->top_row = p->top_off ? i : 0;
		p->top_cols = cols;
	}
	if (p->top_row >= v->n_rows)
		p->top_row = v->n_rows ? v->n_rows - 1 : 0;
}

static void set_top(struct pane_chat *p, size_t item, size_t row)
{
	const struct item_view *v = view_of(p, item);

	p->top_item = item;
	p->top_row = row;
	p->top_off = row < v->n_rows && v->rows[row].kind == ROW_TEXT ? v->rows[row].off : 0;
	p->top_cols = v->cols;
}

static void settle(struct pane_chat *p)
{
	size_t item, row;

	bottom(p, &item, &row);
	if (p->top_item >= p->c->n_items)
		p->follow = true;
	if (!p->follow) {
		find_top(p);
		/* The end may have come nearer (a wider screen, a message taken back). */
		p->follow = !before(p->top_item, p->top_row, item, row);
	}
	if (p->follow)
		set_top(p, item, row);
}

static void page(struct pane *pane, int pages)
{
	struct pane_chat *p = (struct pane_chat *)pane;
	size_t h = (size_t)(p->seen.h > 3 ? p->seen.h - 2 : 1), item, row;

	if (!p->c->n_items || p->seen.w <= 0 || p->seen.h <= 0 || !fit_views(p))
		return;
	settle(p);
	item = p->top_item;
	row = p->top_row;
	if (pages < 0) {
		rows_up(p, &item, &row, h);
		p->follow = false;
		set_top(p, item, row);
		return;
	}
	for (row += h; item + 1 < p->c->n_items && row >= view_of(p, item)->n_rows; item++)
		row -= view_of(p, item)->n_rows;
	set_top(p, item, row);
	settle(p);
}

static void end(struct pane *pane)
{
	((struct pane_chat *)pane)->follow = true;
}

static bool more(const struct pane *pane)
{
	const struct pane_chat *p = (const struct pane_chat *)pane;

	return p->above || !p->follow;
}

bool pane_chat_scrolled(const struct pane *pane)
{
	return !((const struct pane_chat *)pane)->follow;
}

/* -- drawing -------------------------------------------------------------------------- */

/* What is said under an answer: its figures, or how far it is. */
static void figures(const struct pane_chat *p, const struct chat_item *item, char *buf, size_t size)
{
	static const char *const ends[] = {
		[ANSWER_DONE] = "", [ANSWER_LENGTH] = "token limit",
		[ANSWER_CONTEXT] = "context full", [ANSWER_STOPPED] = "stopped",
	};
	const struct gauge_reading *r = p->reading;
	const char *dot = glyph(GLYPH_DOT), *why = item->running ? "" : ends[item->end];
	const struct answer_stats *s = item->running ? &r->g.stats : &item->stats;
	char rate[16], a[24], b[24];

	if (item->running && r->state == CHAT_PREFILL && r->total > 0)
		snprintf(buf, size, "prefill %s of %s  %s", gauge_count(a, sizeof(a), r->done),
			 gauge_count(b, sizeof(b), r->total), gauge_percent(rate, sizeof(rate), r->done, r->total));
	else if (item->running && r->state != CHAT_DECODE)
		snprintf(buf, size, "%s", r->state == CHAT_PREFILL ? "prefill" : "waiting");
	else if (s->n_gen <= 0)
		snprintf(buf, size, "%s", why);
	else
		snprintf(buf, size, "%s%s%s%s%s tok/s %s %s token%s %s %.2f s", why, *why ? " " : "", *why ? dot : "",
			 *why ? " " : "", gauge_rate(rate, sizeof(rate), item->running ? r->decode : answer_decode_rate(s)),
			 dot, gauge_count(a, sizeof(a), s->n_gen), s->n_gen == 1 ? "" : "s", dot, (double)s->first_ns / 1e9);
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

static void draw_row(struct pane_chat *p, const struct item_view *v, size_t i, struct box b, int y)
{
	const struct row *row = &v->rows[i];
	const struct chat_item *item = v->item;
	int indent = text_indent(b.w);
	char text[128];

	switch (row->kind) {
	case ROW_BLANK:
		break;
	case ROW_LABEL:
		draw_label(item, b, y);
		break;
	case ROW_TEXT:
		style_set(item->kind != ITEM_NOTE ? STYLE_TEXT : item->error ? STYLE_ERROR : STYLE_DIM);
		if (item->kind == ITEM_NOTE && !i && indent)
			draw(y, b.x + (b.w >= ROOMY), 1, item->error ? "!" : glyph(GLYPH_DOT));
		draw_text(y, b.x + indent + row->indent, b.w - indent - row->indent, v->text.p + row->off, row->len);
		break;
	case ROW_FIGURES:
		figures(p, item, text, sizeof(text));
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
	if (!p->c->n_items || b.w <= 0 || b.h <= 0 || !fit_views(p))
		return;
	settle(p);
	p->above = p->top_item || p->top_row;
	item = p->top_item;
	row = p->top_row;
	for (int y = 0; y < b.h && item < p->c->n_items; y++) {
		const struct item_view *v = view_of(p, item);

		if (row < v->n_rows)
			draw_row(p, v, row, b, b.y + y);
		if (++row >= v->n_rows) {
			item++;
			row = 0;
		}
	}
}

static void free_pane(struct pane *pane)
{
	struct pane_chat *p = (struct pane_chat *)pane;

	while (p->n_views)
		release_view(&p->views[--p->n_views]);
	mem_free(p->views);
	mem_free(p);
}

static const struct pane_ops ops = {
	.name = "chat", .draw = draw_pane, .page = page, .end = end, .more = more, .free = free_pane,
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
