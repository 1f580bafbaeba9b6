#include "config.h"
#include "ui/pane_help.h"

#include "app/chat.h"
#include "app/slash.h"
#include "engine/base/xio.h"
#include "ui/binding.h"
#include "ui/gauge.h"
#include "ui/ttyask.h"
#include "ui/width.h"
#include "ui/wrap.h"

#include <string.h>

enum { SIDE_BY_SIDE = 48, LEFT_MAX = 24, MARGIN = 1, GAP = 2 };

struct entry { char *left; const char *right; };	/* right NULL: a heading or a blank row (left NULL too) */

struct pane_help {
	struct pane pane;
	struct entry *entries;
	size_t n, size;
	int left_cols;
	int top, rows, h;	/* first row seen; rows that there are; rows that are seen */
};

static void add(struct pane_help *p, char *left, const char *right)
{
	if (p->n == p->size) {
		size_t size = p->size ? p->size * 2 : 64;
		struct entry *e = mem_rearray(p->entries, size, sizeof(*e));

		if (!e) {
			mem_free(left);
			return;
		}
		p->entries = e;
		p->size = size;
	}
	p->entries[p->n++] = (struct entry){ left, right };
	if (left && right) {
		int w = width_of(left, strlen(left));

		if (w > p->left_cols && w <= LEFT_MAX)
			p->left_cols = w;
	}
}

static void heading(struct pane_help *p, const char *text)
{
	if (p->n)
		add(p, NULL, NULL);
	add(p, mem_strdup(text), NULL);
}

/* The keys of one place, an action a row with all its keys. */
static void add_keys(struct pane_help *p, enum where where)
{
	struct str s;

	str_init(&s, 256);
	for (enum action a = ACT_NONE + 1; a < ACT_N; a++) {
		str_clear(&s);
		binding_keys(a, where, style_ascii(), &s);
		if (s.len)
			add(p, mem_strdup(s.p), action_help(a));
	}
	str_release(&s);
}

static void add_commands(struct pane_help *p)
{
	struct str s;

	str_init(&s, 256);
	for (const struct slash *c = slashes; c->name; c++) {
		str_clear(&s);
		str_addf(&s, "/%s%s%s", c->name, *c->args ? " " : "", c->args);
		add(p, mem_strdup(s.p), c->help);
	}
	add(p, mem_strdup(SLASH_TEXT), SLASH_TEXT_HELP);
	str_release(&s);
}

/* What the commands can set: value and range stand behind what it is for. */
static void add_settings(struct pane_help *p)
{
	struct setting set;
	struct str s;

	str_init(&s, 256);
	for (int i = 0; slash_setting(i, &set); i++) {
		str_clear(&s);
		str_addf(&s, "/set %s", set.name);
		add(p, mem_strdup(s.p), set.help);
	}
	str_release(&s);
}

static void add_gauges(struct pane_help *p)
{
	for (const struct gauge *g = gauge_table; g->name; g++)
		add(p, mem_strdup(g->name), g->help);
}

static const char *bidi_help(void)
{
	if (tty_multiplexed())
		return "tidbit puts it in order, and tmux or screen shows it as it comes: a terminal outside that orders it once more "
		       "is told not to by printf '\\033[8l' in a shell outside tmux; after /set bidi terminal it is left to that terminal";
	return "auto: tidbit puts it in order, and tells a terminal that would do so too not to; app and terminal say who does";
}

/* -- drawing: every row passes by, those that are seen are drawn ------------------------ */

struct cursor { struct pane_help *p; struct box b; const char *text; int x, w; int row; };

static void on_row(void *arg, size_t off, size_t len, int indent)
{
	struct cursor *c = arg;
	int y = c->row++ - c->p->top;

	if (y >= 0 && y < c->b.h)
		draw_text(c->b.y + y, c->x + indent, c->w - indent, c->text + off, len);
}

static void put(struct cursor *c, const char *text, int x, int w)
{
	c->text = text;
	c->x = c->b.x + x;
	c->w = w < 1 ? 1 : w;
	wrap_text(text, strlen(text), c->w, WRAP_HANG, on_row, c);
}

static void draw_entry(struct cursor *c, const struct entry *e)
{
	int right = MARGIN + c->p->left_cols + GAP, row = c->row;
	bool beside = c->b.w >= SIDE_BY_SIDE && e->left && width_of(e->left, strlen(e->left)) <= c->p->left_cols;

	if (!e->left) {
		c->row++;
		return;
	}
	style_set(e->right ? STYLE_KEY : STYLE_USER);
	put(c, e->left, MARGIN, c->b.w - MARGIN);
	if (!e->right)
		return;
	if (beside)
		c->row = row;
	if (c->b.w < SIDE_BY_SIDE)
		right = MARGIN + GAP;
	style_set(STYLE_TEXT);
	put(c, e->right, right, c->b.w - right - MARGIN);
}

static void draw_all(struct pane_help *p, struct box b)
{
	struct cursor c = { .p = p, .b = b };

	for (size_t i = 0; i < p->n; i++)
		draw_entry(&c, &p->entries[i]);
	p->rows = c.row;
	p->h = b.h;
}

static void draw_pane(struct pane *pane, struct box b)
{
	struct pane_help *p = (struct pane_help *)pane;
	int top = p->top;

	if (b.w <= 0 || b.h <= 0)
		return;
	/* Once to count the rows at this width, once more if the place seen was past their end. */
	draw_all(p, b);
	if (p->top > p->rows - b.h)
		p->top = p->rows > b.h ? p->rows - b.h : 0;
	if (p->top == top)
		return;
	for (int y = 0; y < b.h; y++)
		draw_blank(b.y + y, b.x, b.w);
	draw_all(p, b);
}

static void step(struct pane *pane, int rows)
{
	struct pane_help *p = (struct pane_help *)pane;

	p->top += rows;
	if (p->top > p->rows - p->h)
		p->top = p->rows - p->h;
	if (p->top < 0)
		p->top = 0;
}

static void page(struct pane *pane, int pages)
{
	const struct pane_help *p = (const struct pane_help *)pane;

	step(pane, pages * (p->h > 3 ? p->h - 2 : 1));
}

static void home(struct pane *pane)
{
	((struct pane_help *)pane)->top = 0;
}

static void end(struct pane *pane)
{
	struct pane_help *p = (struct pane_help *)pane;

	p->top = p->rows > p->h ? p->rows - p->h : 0;
}

static bool more(const struct pane *pane)
{
	const struct pane_help *p = (const struct pane_help *)pane;

	return p->rows > p->h;
}

static void free_pane(struct pane *pane)
{
	struct pane_help *p = (struct pane_help *)pane;

	for (size_t i = 0; i < p->n; i++)
		mem_free(p->entries[i].left);
	mem_free(p->entries);
	mem_free(p);
}

static const struct pane_ops ops = {
	.name = "help", .draw = draw_pane, .page = page, .roll = step, .step = step, .home = home, .end = end, .more = more,
	.free = free_pane,
};

struct pane *pane_help_new(void)
{
	struct pane_help *p = mem_calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->pane.ops = &ops;
	heading(p, "keys while you write");
	add_keys(p, IN_INPUT);
	add(p, mem_strdup("others"), "as in readline: Ctrl-R searches, Ctrl-W and Ctrl-K cut, Ctrl-Y puts back, Tab completes commands; your inputrc holds");
	heading(p, "keys while you read");
	add_keys(p, IN_CONVERSATION);
	heading(p, "keys in a list");
	add_keys(p, IN_LIST);
	heading(p, "keys in all of them");
	add_keys(p, ALWAYS);
	heading(p, "commands");
	add_commands(p);
	heading(p, "gauges, for `gauges = …` in tidbit.conf");
	add_gauges(p);
	heading(p, "right-to-left text");
	add(p, mem_strdup("/set bidi"), bidi_help());
	heading(p, "settings");
	add_settings(p);
	heading(p, "keys in this help; any other closes it and does what it does below");
	add_keys(p, IN_HELP);
	return &p->pane;
}
