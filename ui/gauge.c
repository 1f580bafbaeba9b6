#include "config.h"
#include "ui/gauge.h"

#include "engine/base/os.h"
#include "ui/width.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LIST_ROWS_MIN = 2, GAP = 3, BAR_TEXT_COLS = 9, MEMORY_PERIOD_MS = 1000 };

/* -- the reading ---------------------------------------------------------------------- */

/* The best instruction set that --isa leaves, as the engine chooses it. */
static void read_isa(char *out, size_t size, const char *mask)
{
	char names[128], *name, *save = NULL;

	eng_isa_names(names, sizeof(names));
	out[0] = 0;
	for (name = strtok_r(names, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
		const char *at = mask ? strcasestr(mask, name) : NULL;

		if (!mask || (at && strchr(",", at[strlen(name)]) && (at == mask || at[-1] == ',')))
			snprintf(out, size, "%s", name);
	}
}

/* What stays as it is. */
static void read_once(struct gauge_reading *r, const struct chat *c)
{
	r->threads = c->o->threads > 0 ? c->o->threads : os_compute_threads();
	read_isa(r->isa, sizeof(r->isa), c->o->isa);
	machine_kept(&r->machine);
}

static int64_t time_left(const struct gauge_reading *r)
{
	const struct answer_stats *s = &r->g.stats;

	if (!r->prefilling || r->done <= 0 || s->n_prefill <= 0 || r->done >= r->total)
		return 0;
	return (int64_t)((double)s->prefill_ns / s->n_prefill * (double)(r->total - r->done));
}

static void read_limits(struct gauge_reading *r, const struct chat *c)
{
	const struct chat_level *l = c->level < c->n_levels ? &c->levels[c->level] : NULL;
	const bool prefill = r->prefilling && r->state == CHAT_PREFILL;
	const int chunk = c->o->chunk > 0 ? c->o->chunk : 64;
	struct limits_load load = {
		.info = c->info, .kv = r->g.mem.kv_used, .n_past = r->g.ctx_used, .isa = r->isa, .threads = r->threads,
		.peak = strcmp(r->act, "f32") ? "int8" : "f32", .passes = strstr(r->act, "16") ? 2 : 1,
		.rate = prefill ? answer_prefill_rate(&r->g.stats) : 0, .together = prefill ? chunk : 1,
	};

	r->limits = (struct limits){ 0 };
	if (!l || !c->info || !*r->act)
		return;
	/* of the level in use: the last answer may be another's */
	if (!prefill)
		load.rate = r->state == CHAT_DECODE ? r->decode : l->rate;
	load.weights = l->bytes;
	load.bpw = l->bpw;
	limits_find(&r->machine.limits, &load, &r->limits);
}

static void read_memory(struct gauge_reading *r, const struct chat *c)
{
	const int64_t now = os_now_ns();
	const bool same_work = r->state == c->state && (c->state == CHAT_DECODE || c->state == CHAT_PREFILL);

	if (r->mem_ns && same_work && now - r->mem_ns < (int64_t)MEMORY_PERIOD_MS * 1000000)
		return;
	memory_read(&r->mem, &c->g.mem);
	r->mem_ns = now;
}

void gauge_read(struct gauge_reading *r, const struct chat *c)
{
	if (!r->c)
		read_once(r, c);
	r->c = c;
	r->g = c->g;
	read_memory(r, c);
	r->state = c->state;
	r->prefilling = c->what && !strcmp(c->what, "prefill");
	r->done = c->done;
	r->total = c->total;
	r->left_ns = time_left(r);
	r->decode = c->state == CHAT_DECODE && c->g.decode_now > 0 ? c->g.decode_now : answer_decode_rate(&c->g.stats);
	memcpy(r->rates, c->rates, sizeof(r->rates));
	r->n_rates = c->n_rates;
	snprintf(r->act, sizeof(r->act), "%s", c->level < c->n_levels ? c->levels[c->level].act : "");
	read_limits(r, c);
}

/* -- texts that others show too ------------------------------------------------------- */

const char *gauge_rate(char *buf, size_t size, double rate)
{
	if (rate <= 0)
		snprintf(buf, size, "%s", glyph(GLYPH_NONE));
	else
		snprintf(buf, size, rate < 99.95 ? "%.1f" : "%.0f", rate);
	return buf;
}

const char *gauge_count(char *buf, size_t size, int64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%lld", (long long)n), at = 0;

	for (int i = 0; i < len && (size_t)at + 2 < size; i++) {
		if (i && (len - i) % 3 == 0 && digits[i - 1] != '-')
			buf[at++] = ',';
		buf[at++] = digits[i];
	}
	buf[at] = 0;
	return buf;
}

const char *gauge_percent(char *buf, size_t size, int64_t done, int64_t total)
{
	buf[0] = 0;
	if (total > 0)
		snprintf(buf, size, "%d %%", (int)(100 * (double)(done < total ? done : total) / (double)total));
	return buf;
}

/* -- which, and in what order --------------------------------------------------------- */

/* A gauge; a blank row before it. */
struct choice { const struct gauge *gauge; bool gap; };
struct choices { struct choice p[GAUGES_MAX]; int n; };
static struct choices column, line;

static const struct gauge *find(const char *name, size_t n)
{
	const struct gauge *g = gauge_table;

	while (g->name && (strlen(g->name) != n || strncasecmp(g->name, name, n)))
		g++;
	return g->name ? g : NULL;
}

static int unknown(const char *name, size_t n, struct err *e)
{
	const char *names[GAUGES_MAX + 1] = { NULL }, *near;
	char word[32], quoted[64];
	int k = 0;

	for (const struct gauge *g = gauge_table; g->name && k < GAUGES_MAX; g++)
		names[k++] = g->name;
	snprintf(word, sizeof(word), "%.*s", (int)n, name);
	near = cmd_nearest(word, names);
	err_quote(quoted, sizeof(quoted), name, n);
	return near ? err_set(e, ERR_ARG, "gauges: there is no '%s'; did you mean %s?", quoted, near) :
		      err_set(e, ERR_ARG, "gauges: there is no '%s'", quoted);
}

static int choose(struct choices *c, const char *names, struct err *e)
{
	static const char apart[] = " \t\n,";
	bool gap = false;
	size_t n;

	c->n = 0;
	for (const char *p = names + strspn(names, apart); *p; p += n + strspn(p + n, apart)) {
		const struct gauge *g;

		n = strcspn(p, apart);
		if (n == 1 && *p == '|') {
			gap = c->n > 0;
			continue;
		}
		g = find(p, n);
		if (!g)
			return unknown(p, n, e);
		if (c->n == GAUGES_MAX)
			return err_set(e, ERR_LIMIT, "gauges: %d are enough", GAUGES_MAX);
		c->p[c->n++] = (struct choice){ g, gap };
		gap = false;
	}
	return 0;
}

int gauge_choose(const char *names, struct err *e)
{
	struct choices neu;

	if (choose(&neu, names ? names : gauge_default, e))
		return -1;
	column = neu;
	if (!names)
		choose(&neu, gauge_default_line, NULL);
	line = neu;
	return 0;
}

/* -- the column ----------------------------------------------------------------------- */

static void draw_text_row(const struct gauge *g, const struct gauge_reading *r, struct box b, int row)
{
	char text[GAUGE_TEXT];

	g->text(r, text, sizeof(text));
	style_set(STYLE_DIM);
	/* a long one says itself what it is */
	if (width_of(g->label, strlen(g->label)) < b.w - width_of(text, strlen(text)))
		draw(b.y + row, b.x, b.w, g->label);
	style_set(STYLE_TEXT);
	draw_right(b.y + row, b.x, b.w, text);
}

static void draw_bar(const struct gauge *g, const struct gauge_reading *r, struct box b, int row)
{
	const int inner = b.w - BAR_TEXT_COLS - 2;
	const double part = g->part(r);
	int full = (int)(part * inner + 0.5);
	char text[GAUGE_TEXT];

	if (!full && part > 0)
		full = 1;
	style_set(STYLE_DIM);
	draw(b.y + row, b.x, 1, glyph(GLYPH_BAR_LEFT));
	draw(b.y + row, b.x + 1 + inner, 1, glyph(GLYPH_BAR_RIGHT));
	style_set(part > 0.9 ? STYLE_WARN : STYLE_TEXT);
	for (int i = 0; i < full && i < inner; i++)
		draw(b.y + row, b.x + 1 + i, 1, glyph(GLYPH_BAR_FULL));
	g->text(r, text, sizeof(text));
	style_set(STYLE_DIM);
	draw_right(b.y + row, b.x + 2 + inner, b.w - inner - 2, text);
}

static void draw_graph(const struct gauge_reading *r, struct box b, int row)
{
	int n = r->n_rates < b.w ? r->n_rates : b.w;
	const double *p = r->rates + (r->n_rates - n);
	double top = 0;

	for (int i = 0; i < n; i++)
		top = p[i] > top ? p[i] : top;
	style_set(r->state == CHAT_DECODE ? STYLE_MODEL : STYLE_DIM);
	for (int i = 0; i < n; i++)
		draw(b.y + row, b.x + b.w - n + i, 1, graph_glyph((int)(p[i] / top * GRAPH_STEPS - 0.5)));
}

static void draw_gauge(const struct gauge *g, const struct gauge_reading *r, struct box b, int row)
{
	switch (g->kind) {
	case GAUGE_TEXT_ROW:
		draw_text_row(g, r, b, row);
		break;
	case GAUGE_BAR:
		draw_bar(g, r, b, row);
		break;
	case GAUGE_GRAPH:
		draw_graph(r, b, row);
		break;
	case GAUGE_ROWS:
		g->draw(r, b, row);
		break;
	}
}

/* Which gauges get how many rows; returns what is left of h. */
static int share_rows(const struct gauge_reading *r, int h, int rows[GAUGES_MAX])
{
	int sum = 0;

	for (int i = 0; i < column.n; i++)
		sum += rows[i] = column.p[i].gauge->rows ? column.p[i].gauge->rows(r) : 1;
	while (sum > h) {
		int worst = -1;

		for (int i = 0; i < column.n; i++)
			if (rows[i] && (worst < 0 || column.p[i].gauge->rank >= column.p[worst].gauge->rank))
				worst = i;
		if (worst < 0)
			break;
		/* A list can be shortened before it goes. */
		int drop = rows[worst] > LIST_ROWS_MIN ? 1 : rows[worst];

		rows[worst] -= drop;
		sum -= drop;
	}
	return h - sum;
}

void gauge_column(const struct gauge_reading *r, struct box b)
{
	int rows[GAUGES_MAX], spare, row = 0;
	bool gap = false;

	if (b.h <= 0)
		return;
	spare = share_rows(r, b.h, rows);
	for (int i = 0; i < column.n; i++) {
		gap |= column.p[i].gap;
		if (!rows[i])
			continue;
		if (gap && row && spare > 0) {
			spare--;
			row++;
		}
		gap = false;
		draw_gauge(column.p[i].gauge, r, (struct box){ b.y, b.x, rows[i], b.w }, row);
		row += rows[i];
	}
}

/* -- the line ------------------------------------------------------------------------- */

/* As many as fit whole; each begins where it began before, whatever it shows. */
void gauge_line(const struct gauge_reading *r, struct box b)
{
	char text[GAUGE_TEXT], part[GAUGE_TEXT + 32];
	int at = 0;

	style_set(STYLE_DIM);
	for (int i = 0; i < line.n; i++) {
		const struct gauge *g = line.p[i].gauge;
		int pad, w;

		if (!g->line_cols)
			continue;
		g->text(r, text, sizeof(text));
		pad = g->line_cols - width_of(text, strlen(text));
		snprintf(part, sizeof(part), "%s%s%*s%s", g->nameless ? "" : g->label, g->nameless ? "" : " ",
			 pad > 0 ? pad : 0, "", text);
		w = width_of(part, strlen(part));
		if (at + w > b.w)
			break;
		draw(b.y, b.x + at, b.w - at, part);
		at += w + GAP;
	}
}
