#include "config.h"
#include "ui/pane_models.h"

#include "app/chat.h"
#include "app/termtext.h"
#include "app/units.h"
#include "engine/base/xio.h"
#include "ui/find.h"
#include "ui/gauge.h"
#include "ui/width.h"
#include "ui/wrap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MARGIN = 1, GAP = 2, LEAD = 2, NAME_MIN = 12, NAME_MAX = 48, CELL = 96 };

enum order { BY_NAME, BY_SIZE, BY_NEED, N_ORDERS };

static const char *const orders[N_ORDERS] = { [BY_NAME] = "name", [BY_SIZE] = "size", [BY_NEED] = "what they need" };

struct pane_models {
	struct pane pane;
	struct models *m;
	const struct chat *c;
	enum order order;
	struct find *filter;
	struct str pattern;
	/* what is seen: rows that match, in order */
	struct models_row *rows;
	size_t n, all;
	bool read;
	const char *why;
	unsigned version;
	bool stale;
	char *marked;		/* the path of the marked one, so that it stays marked */
	size_t mark, top;
	int h;			/* rows seen */
};

/* -- rows ------------------------------------------------------------------------------- */

static int by_name(const void *va, const void *vb)
{
	return strcmp(((const struct models_row *)va)->id, ((const struct models_row *)vb)->id);
}

static int by_size(const void *va, const void *vb)
{
	const struct models_row *a = va, *b = vb;

	return a->bytes != b->bytes ? (a->bytes < b->bytes ? -1 : 1) : by_name(va, vb);
}

/* Those of which it is not known come last. */
static int by_need(const void *va, const void *vb)
{
	const uint64_t a = ((const struct models_row *)va)->need - 1, b = ((const struct models_row *)vb)->need - 1;

	return a != b ? (a < b ? -1 : 1) : by_name(va, vb);
}

static int (*const compare[N_ORDERS])(const void *, const void *) = {
	[BY_NAME] = by_name, [BY_SIZE] = by_size, [BY_NEED] = by_need,
};

static bool matches(const struct pane_models *p, const struct models_row *r)
{
	struct find_range range;
	struct str s;
	bool yes;

	if (!p->filter)
		return true;
	str_init(&s, 0);
	termtext_whole(r->id, strlen(r->id), 0, &s);
	str_addf(&s, " %s %s %s", r->family, r->cls, r->level);
	yes = find_in(p->filter, s.p, s.len, &range, 1) > 0;
	str_release(&s);
	return yes;
}

static void keep_mark(struct pane_models *p)
{
	size_t i = 0;

	while (i < p->n && (!p->marked || strcmp(p->rows[i].path, p->marked)))
		i++;
	if (i < p->n)
		p->mark = i;
	else if (p->mark >= p->n)
		p->mark = p->n ? p->n - 1 : 0;
}

static void set_mark(struct pane_models *p, size_t i)
{
	p->mark = i;
	mem_free(p->marked);
	p->marked = i < p->n ? mem_strdup(p->rows[i].path) : NULL;
}

static void refresh(struct pane_models *p)
{
	const unsigned version = models_version(p->m);
	struct models_row *rows, r;

	if (!p->stale && version == p->version)
		return;
	p->version = version;
	p->stale = false;
	p->read = models_count(p->m, &p->all, &p->why);
	rows = mem_rearray(p->rows, p->all + 1, sizeof(*rows));
	p->n = 0;
	if (!rows)
		return;
	p->rows = rows;
	for (size_t i = 0; i < p->all; i++) {
		models_row(p->m, i, &r);
		if (matches(p, &r))
			rows[p->n++] = r;
	}
	if (p->n)
		qsort(rows, p->n, sizeof(*rows), compare[p->order]);
	if (!p->marked && p->c->info)
		p->marked = mem_strdup(p->c->info->path);
	keep_mark(p);
}

/* -- columns ------------------------------------------------------------------------------- */

static bool in_use(const struct pane_models *p, const struct models_row *r)
{
	return p->c->info && !strcmp(r->path, p->c->info->path);
}

typedef void cell_fn(const struct pane_models *p, const struct models_row *r, struct str *out);

static void cell_name(const struct pane_models *p, const struct models_row *r, struct str *out)
{
	(void)p;
	termtext_whole(r->id, strlen(r->id), 0, out);
}

static void cell_family(const struct pane_models *p, const struct models_row *r, struct str *out)
{
	(void)p;
	termtext_whole(r->family, strlen(r->family), 0, out);
}

static void cell_class(const struct pane_models *p, const struct models_row *r, struct str *out)
{
	(void)p;
	str_adds(out, r->cls);
}

static void cell_level(const struct pane_models *p, const struct models_row *r, struct str *out)
{
	(void)p;
	termtext_whole(r->level, strlen(r->level), 0, out);
}

static void cell_size(const struct pane_models *p, const struct models_row *r, struct str *out)
{
	char buf[32];

	(void)p;
	str_adds(out, units_bytes(buf, sizeof(buf), r->bytes));
}

static void cell_need(const struct pane_models *p, const struct models_row *r, struct str *out)
{
	char buf[32];

	(void)p;
	if (r->need)
		str_adds(out, units_bytes(buf, sizeof(buf), r->need));
}

static void cell_fit(const struct pane_models *p, const struct models_row *r, struct str *out)
{
	char buf[32];

	switch (r->fit) {
	case MODELS_UNKNOWN:
		str_adds(out, glyph(GLYPH_ELLIPSIS));
		break;
	case MODELS_FITS:
		str_adds(out, in_use(p, r) ? "in use" : "fits");
		break;
	case MODELS_FITS_LESS:
		str_addf(out, "-c %s", gauge_count(buf, sizeof(buf), r->fit_ctx));
		break;
	case MODELS_FITS_NOT:
		str_adds(out, "too large");
		break;
	case MODELS_BAD:
		termtext_whole(r->why, strlen(r->why), 0, out);
		break;
	}
}

/* In the order they stand; those with the higher number go first where it is narrow. */
static const struct column {
	const char *title;
	cell_fn *cell;
	int width, goes;
	bool right;
} columns[] = {
	{ "name", cell_name, 0, 0, false },
	{ "family", cell_family, 12, 5, false },
	{ "class", cell_class, 6, 4, false },
	{ "level", cell_level, 7, 2, false },
	{ "size", cell_size, 8, 3, true },
	{ "needs", cell_need, 8, 6, true },
	{ "fits", cell_fit, 9, 1, false },
};
enum { N_COLUMNS = sizeof(columns) / sizeof(columns[0]), MOST = 7 };

/* The columns that there is room for beside a name; the name takes the rest. */
static int choose(int cols, bool *shown, int *name)
{
	int most = MOST, used;

	do {
		used = 2 * MARGIN + LEAD;
		for (int i = 0; i < N_COLUMNS; i++) {
			shown[i] = columns[i].goes < most;
			used += i && shown[i] ? columns[i].width + GAP : 0;
		}
	} while (cols - used < NAME_MIN && most-- > 1);
	*name = cols - used > NAME_MAX ? NAME_MAX : cols - used > 0 ? cols - used : 0;
	return used;
}

static void put_cell(int y, int x, int w, const char *text, bool right)
{
	const int have = width_of(text, strlen(text));

	if (w <= 0)
		return;
	if (right && have < w)
		x += w - have;
	if (have <= w) {
		draw(y, x, w, text);
	} else {
		const int used = draw(y, x, w - 1, text);

		draw(y, x + used, 1, glyph(GLYPH_ELLIPSIS));
	}
}

/* What cannot be opened says why over the rest of its row. */
static void draw_row(const struct pane_models *p, struct box b, int y, const struct models_row *r, const bool *shown,
		     int name, bool marked)
{
	int x = b.x + MARGIN;
	struct str s;

	str_init(&s, 0);
	style_set(in_use(p, r) ? STYLE_LEVEL : r->fit == MODELS_BAD || r->fit == MODELS_FITS_NOT ? STYLE_DIM : STYLE_TEXT);
	if (marked)
		draw(y, x, 1, glyph(GLYPH_MARK));
	x += LEAD;
	for (int i = 0; i < N_COLUMNS; i++) {
		const int w = i ? columns[i].width : name;
		const bool last = r->fit == MODELS_BAD ? columns[i].cell == cell_fit : i == N_COLUMNS - 1;

		if (!shown[i])
			continue;
		str_clear(&s);
		columns[i].cell(p, r, &s);
		put_cell(y, x, last ? b.x + b.w - MARGIN - x : w, s.p, columns[i].right);
		x += w + GAP;
	}
	if (marked)
		mark_row(y, b.x, b.w);
	str_release(&s);
}

static void draw_titles(struct box b, const bool *shown, int name)
{
	int x = b.x + MARGIN + LEAD;

	style_set(STYLE_HEADING);
	for (int i = 0; i < N_COLUMNS; i++) {
		if (!shown[i])
			continue;
		put_cell(b.y, x, i ? columns[i].width : name, columns[i].title, columns[i].right);
		x += (i ? columns[i].width : name) + GAP;
	}
}

struct rows { const char *text; struct box b; int n; };

static void on_row(void *arg, size_t off, size_t len, int indent)
{
	struct rows *r = arg;

	if (r->n < r->b.h)
		draw_text(r->b.y + r->n, r->b.x + indent, r->b.w - indent, r->text + off, len);
	r->n++;
}

/*
 * "12 models by name, 3 match /llama/"; of a marked one that cannot be opened, all of why, over several rows
 * where there are some to spare. Returns the rows taken.
 */
static int draw_summary(const struct pane_models *p, struct box b)
{
	struct rows rows = { .b = { b.y, b.x + MARGIN, b.h / 3 > 1 ? b.h / 3 : 1, b.w - 2 * MARGIN } };
	const struct models_row *bad = p->mark < p->n && p->rows[p->mark].fit == MODELS_BAD ? &p->rows[p->mark] : NULL;
	const char *why = p->why ? p->why : bad ? bad->why : NULL;
	struct str s;

	str_init(&s, 0);
	if (why)
		termtext_whole(why, strlen(why), 0, &s);
	else if (!p->read)
		str_adds(&s, "looking for models");
	else if (!p->all)
		str_adds(&s, "no models are here: /model FILE opens one");
	else
		str_addf(&s, "%zu model%s by %s", p->all, p->all == 1 ? "" : "s", orders[p->order]);
	if (p->filter && !why)
		str_addf(&s, ", %zu match%s /%s/", p->n, p->n == 1 ? "es" : "", p->pattern.p);
	style_set(STYLE_DIM);
	rows.text = s.p;
	wrap_text(s.p, s.len, rows.b.w > 0 ? rows.b.w : 1, WRAP_FLAT, on_row, &rows);
	str_release(&s);
	return rows.n < rows.b.h ? rows.n : rows.b.h;
}

static void draw_pane(struct pane *pane, struct box b)
{
	struct pane_models *p = (struct pane_models *)pane;
	int head = b.h >= 3 ? 1 : 0;
	bool shown[N_COLUMNS];
	int name;

	refresh(p);
	if (b.w <= 0 || b.h <= 0)
		return;
	choose(b.w, shown, &name);
	if (head)
		head = draw_summary(p, b);
	if (b.h >= 5)
		draw_titles((struct box){ b.y + head++, b.x, 1, b.w }, shown, name);
	p->h = b.h - head;
	if (p->mark < p->top)
		p->top = p->mark;
	if (p->mark >= p->top + (size_t)p->h)
		p->top = p->mark - (size_t)p->h + 1;
	if (p->top + (size_t)p->h > p->n)
		p->top = p->n > (size_t)p->h ? p->n - (size_t)p->h : 0;
	for (int y = 0; y < p->h && p->top + (size_t)y < p->n; y++)
		draw_row(p, b, b.y + head + y, &p->rows[p->top + (size_t)y], shown, name, p->top + (size_t)y == p->mark);
}

/* -- moving --------------------------------------------------------------------------------- */

static void step(struct pane *pane, int rows)
{
	struct pane_models *p = (struct pane_models *)pane;
	const long to = (long)p->mark + rows, last = p->n ? (long)p->n - 1 : 0;

	set_mark(p, (size_t)(to < 0 ? 0 : to > last ? last : to));
}

static void page(struct pane *pane, int pages)
{
	const struct pane_models *p = (const struct pane_models *)pane;

	step(pane, pages * (p->h > 3 ? p->h - 2 : 1));
}

static void home(struct pane *pane)
{
	set_mark((struct pane_models *)pane, 0);
}

static void end(struct pane *pane)
{
	struct pane_models *p = (struct pane_models *)pane;

	set_mark(p, p->n ? p->n - 1 : 0);
}

static bool more(const struct pane *pane)
{
	const struct pane_models *p = (const struct pane_models *)pane;

	return p->n > (size_t)p->h;
}

static void free_pane(struct pane *pane)
{
	struct pane_models *p = (struct pane_models *)pane;

	models_free(p->m);
	find_free(p->filter);
	str_release(&p->pattern);
	mem_free(p->marked);
	mem_free(p->rows);
	mem_free(p);
}

static const struct pane_ops ops = {
	.name = "models", .draw = draw_pane, .page = page, .roll = step, .step = step, .home = home, .end = end, .more = more,
	.free = free_pane,
};

/* -- for the screen ---------------------------------------------------------------------------- */

struct pane *pane_models_new(struct models *m, const struct chat *c)
{
	struct pane_models *p = mem_calloc(1, sizeof(*p));

	if (!p) {
		models_free(m);
		return NULL;
	}
	p->pane.ops = &ops;
	p->m = m;
	p->c = c;
	p->stale = true;
	str_init(&p->pattern, 0);
	return &p->pane;
}

bool pane_models_changed(const struct pane *pane)
{
	const struct pane_models *p = (const struct pane_models *)pane;

	return models_version(p->m) != p->version;
}

const char *pane_models_take(struct pane *pane)
{
	const struct pane_models *p = (const struct pane_models *)pane;

	return p->mark < p->n ? p->rows[p->mark].path : NULL;
}

const char *pane_models_sort(struct pane *pane)
{
	struct pane_models *p = (struct pane_models *)pane;

	p->order = (p->order + 1) % N_ORDERS;
	p->stale = true;
	return orders[p->order];
}

int pane_models_filter(struct pane *pane, const char *pattern, struct err *e)
{
	struct pane_models *p = (struct pane_models *)pane;
	struct find *f = NULL;

	if (pattern && *pattern && find_new(&f, pattern, e))
		return -1;
	find_free(p->filter);
	p->filter = f;
	str_clear(&p->pattern);
	str_adds(&p->pattern, f ? pattern : "");
	p->stale = true;
	return 0;
}
