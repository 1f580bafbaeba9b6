#include "config.h"
#include "ui/gauge.h"

#include "engine/base/os.h"
#include "ui/width.h"
#include "ui/wrap.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { TEXT = 64, LEVEL_ROWS_MIN = 2 };

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

void gauge_read(struct gauge_reading *r, const struct chat *c)
{
	r->g = c->g;
	r->state = c->state;
	r->done = c->done;
	r->total = c->total;
	r->decode = c->state == CHAT_DECODE && c->g.decode_now > 0 ? c->g.decode_now : answer_decode_rate(&c->g.stats);
	memcpy(r->rates, c->rates, sizeof(r->rates));
	r->n_rates = c->n_rates;
	r->rss = os_rss();
	r->avail = os_mem_available();
	if (!r->c) {
		r->threads = c->o->threads > 0 ? c->o->threads : os_compute_threads();
		read_isa(r->isa, sizeof(r->isa), c->o->isa);
	}
	r->c = c;
}

/* -- texts ---------------------------------------------------------------------------- */

static const char *none(void)
{
	return style_ascii() ? "-" : "\xe2\x80\x93";
}

const char *gauge_rate(char *buf, size_t size, double rate)
{
	if (rate <= 0)
		snprintf(buf, size, "%s", none());
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

static const char *seconds(char *buf, size_t size, int64_t ns)
{
	if (ns <= 0)
		snprintf(buf, size, "%s", none());
	else
		snprintf(buf, size, ns < 9995000000 ? "%.2f s" : "%.1f s", (double)ns / 1e9);
	return buf;
}

/* Two amounts in the unit of the larger: "209 / 896 MiB". */
static void pair(char *buf, size_t size, const char *between, uint64_t a, uint64_t b)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double unit = 1024;
	int u = 0;

	while ((double)(a > b ? a : b) / unit >= 1023.5 && u < 3) {
		unit *= 1024;
		u++;
	}
	snprintf(buf, size, "%.*f%s%.*f %s", (double)a / unit < 9.95 && u ? 1 : 0, (double)a / unit, between,
		 (double)b / unit < 9.95 && u ? 1 : 0, (double)b / unit, units[u]);
}

static uint64_t weights_bytes(const struct eng_mem *m)
{
	return m->weights_resident + m->weights_made;
}

static uint64_t other_bytes(const struct gauge_reading *r)
{
	uint64_t known = weights_bytes(&r->g.mem) + r->g.mem.kv_used + r->g.mem.scratch;

	return r->rss > known ? r->rss - known : 0;
}

/* -- the column ----------------------------------------------------------------------- */

/* "label        value": the value ends where all values end. */
static void labelled(struct box b, int row, const char *label, const char *value)
{
	style_set(STYLE_DIM);
	draw(b.y + row, b.x, b.w, label);
	style_set(STYLE_TEXT);
	draw_right(b.y + row, b.x, b.w, value);
}

static void draw_decode(const struct gauge_reading *r, struct box b, int row)
{
	char rate[16], text[TEXT];

	snprintf(text, sizeof(text), "%s tok/s", gauge_rate(rate, sizeof(rate), r->decode));
	labelled(b, row, "decode", text);
	if (r->state == CHAT_DECODE) {
		style_set(STYLE_STRONG);
		draw_right(b.y + row, b.x, b.w, text);
	}
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

static void draw_prefill(const struct gauge_reading *r, struct box b, int row)
{
	char rate[16], text[TEXT];

	snprintf(text, sizeof(text), "%s tok/s", gauge_rate(rate, sizeof(rate), answer_prefill_rate(&r->g.stats)));
	labelled(b, row, "prefill", text);
}

static void draw_first(const struct gauge_reading *r, struct box b, int row)
{
	char text[TEXT];

	labelled(b, row, "first token", seconds(text, sizeof(text), r->g.stats.first_ns));
}

static void draw_context(const struct gauge_reading *r, struct box b, int row)
{
	char used[32], size[32], text[TEXT + 8];

	snprintf(text, sizeof(text), "%s / %s", gauge_count(used, sizeof(used), r->g.ctx_used),
		 gauge_count(size, sizeof(size), r->g.ctx_size));
	labelled(b, row, "context", text);
}

static void draw_context_bar(const struct gauge_reading *r, struct box b, int row)
{
	int inner = b.w - 8, full = 0;
	char text[16];
	double part = r->g.ctx_size ? (double)r->g.ctx_used / (double)r->g.ctx_size : 0;

	full = (int)(part * inner + 0.5);
	if (!full && r->g.ctx_used)
		full = 1;
	style_set(STYLE_DIM);
	draw(b.y + row, b.x, 1, glyph(GLYPH_BAR_LEFT));
	draw(b.y + row, b.x + 1 + inner, 1, glyph(GLYPH_BAR_RIGHT));
	style_set(part > 0.9 ? STYLE_WARN : STYLE_TEXT);
	for (int i = 0; i < full && i < inner; i++)
		draw(b.y + row, b.x + 1 + i, 1, glyph(GLYPH_BAR_FULL));
	style_set(STYLE_DIM);
	draw_right(b.y + row, b.x, b.w, gauge_percent(text, sizeof(text), r->g.ctx_used, r->g.ctx_size));
}

static void draw_weights(const struct gauge_reading *r, struct box b, int row)
{
	char text[TEXT];

	labelled(b, row, "weights", chat_bytes(text, sizeof(text), weights_bytes(&r->g.mem)));
}

static void draw_kv(const struct gauge_reading *r, struct box b, int row)
{
	char text[TEXT];

	pair(text, sizeof(text), " / ", r->g.mem.kv_used, r->g.mem.kv_reserved);
	labelled(b, row, "KV", text);
}

static void draw_scratch(const struct gauge_reading *r, struct box b, int row)
{
	char text[TEXT];

	labelled(b, row, "scratch", chat_bytes(text, sizeof(text), r->g.mem.scratch));
}

static void draw_other(const struct gauge_reading *r, struct box b, int row)
{
	char text[TEXT];

	labelled(b, row, "other", chat_bytes(text, sizeof(text), other_bytes(r)));
}

static void draw_rss(const struct gauge_reading *r, struct box b, int row)
{
	char text[TEXT];

	labelled(b, row, "RSS", chat_bytes(text, sizeof(text), r->rss));
}

static void draw_free(const struct gauge_reading *r, struct box b, int row)
{
	char text[TEXT];

	labelled(b, row, "free", chat_bytes(text, sizeof(text), r->avail));
}

static void draw_level(const struct gauge_reading *r, int i, struct box b, int row)
{
	const struct chat_level *l = &r->c->levels[i];
	bool in_use = i == r->c->level, target = i == r->c->target && !in_use;
	char size[24], rate[16], text[TEXT];

	style_set(in_use ? STYLE_LEVEL : target ? STYLE_WARN : STYLE_TEXT);
	if (in_use || target)
		draw(b.y + row, b.x, 1, glyph(in_use ? GLYPH_MARK : GLYPH_ARROW));
	draw(b.y + row, b.x + 2, 6, l->name);
	draw_right(b.y + row, b.x + 9, 8, chat_bytes(size, sizeof(size), l->bytes));
	snprintf(text, sizeof(text), "%.*f", l->bpw < 10 ? 2 : 1, l->bpw);
	draw_right(b.y + row, b.x + 17, 5, text);
	draw_right(b.y + row, b.x + 22, 6, gauge_rate(rate, sizeof(rate), l->rate));
}

static int level_rows(const struct gauge_reading *r)
{
	return r->c->n_levels ? r->c->n_levels + 1 : 0;
}

/* Given fewer rows than levels, those around the one in use. */
static void draw_levels(const struct gauge_reading *r, struct box b, int row)
{
	int n = b.h - 1, first = r->c->level - n / 2;

	if (first > r->c->n_levels - n)
		first = r->c->n_levels - n;
	if (first < 0)
		first = 0;
	style_set(STYLE_DIM);
	draw(b.y + row, b.x, b.w, "level        size  bpw tok/s");
	for (int i = 0; i < n && first + i < r->c->n_levels; i++)
		draw_level(r, first + i, b, row + 1 + i);
}

static void draw_threads(const struct gauge_reading *r, struct box b, int row)
{
	char text[TEXT];

	snprintf(text, sizeof(text), "%d %s %s", r->threads, glyph(GLYPH_TIMES), r->isa);
	labelled(b, row, "threads", text);
}

static void draw_sampling(const struct gauge_reading *r, struct box b, int row)
{
	const struct eng_sample_opts *s = &r->c->o->sample;
	char text[TEXT];

	if (s->temp <= 0) {
		labelled(b, row, "sampling", "greedy");
		return;
	}
	snprintf(text, sizeof(text), "temp %.4g  top-p %.4g", s->temp, s->top_p);
	style_set(STYLE_TEXT);
	draw(b.y + row, b.x, b.w, text);
}

static int cut_rows(const struct gauge_reading *r)
{
	const struct eng_sample_opts *s = &r->c->o->sample;

	return s->temp > 0 && (s->top_k > 0 || s->min_p > 0);
}

static void draw_cut(const struct gauge_reading *r, struct box b, int row)
{
	const struct eng_sample_opts *s = &r->c->o->sample;
	char text[TEXT];
	int n = 0;

	if (s->top_k > 0)
		n = snprintf(text, sizeof(text), "top-k %d  ", s->top_k);
	if (s->min_p > 0)
		snprintf(text + n, sizeof(text) - (size_t)n, "min-p %.4g", s->min_p);
	style_set(STYLE_TEXT);
	draw(b.y + row, b.x, b.w, text);
}

static int repeat_rows(const struct gauge_reading *r)
{
	return r->c->o->sample.repeat_penalty != 1;
}

static void draw_repeat(const struct gauge_reading *r, struct box b, int row)
{
	char text[TEXT];

	snprintf(text, sizeof(text), "%.4g", r->c->o->sample.repeat_penalty);
	labelled(b, row, "repeat penalty", text);
}

static int seed_rows(const struct gauge_reading *r)
{
	return r->c->o->sample.temp > 0;
}

static void draw_seed(const struct gauge_reading *r, struct box b, int row)
{
	char text[TEXT];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)r->c->o->sample.seed);
	labelled(b, row, "seed", text);
}

/* -- the line ------------------------------------------------------------------------- */

static void brief_decode(const struct gauge_reading *r, char *buf, size_t size)
{
	char rate[16];

	gauge_rate(rate, sizeof(rate), r->decode);
	snprintf(buf, size, "%*s%s tok/s", 5 - width_of(rate, strlen(rate)), "", rate);
}

static void brief_first(const struct gauge_reading *r, char *buf, size_t size)
{
	char text[24];

	snprintf(buf, size, "first %s", seconds(text, sizeof(text), r->g.stats.first_ns));
}

static void brief_context(const struct gauge_reading *r, char *buf, size_t size)
{
	char used[24], whole[24];

	gauge_count(whole, sizeof(whole), r->g.ctx_size);
	gauge_count(used, sizeof(used), r->g.ctx_used);
	snprintf(buf, size, "context %*s / %s", (int)strlen(whole), used, whole);
}

static void brief_rss(const struct gauge_reading *r, char *buf, size_t size)
{
	char text[24];

	snprintf(buf, size, "RSS %s", chat_bytes(text, sizeof(text), r->rss));
}

static void brief_weights(const struct gauge_reading *r, char *buf, size_t size)
{
	char text[24];

	snprintf(buf, size, "weights %s", chat_bytes(text, sizeof(text), weights_bytes(&r->g.mem)));
}

static void brief_kv(const struct gauge_reading *r, char *buf, size_t size)
{
	char text[24];

	snprintf(buf, size, "KV %s", chat_bytes(text, sizeof(text), r->g.mem.kv_used));
}

static void brief_prefill(const struct gauge_reading *r, char *buf, size_t size)
{
	char rate[16];

	snprintf(buf, size, "prefill %s", gauge_rate(rate, sizeof(rate), answer_prefill_rate(&r->g.stats)));
}

/* -- the table ------------------------------------------------------------------------ */

struct gauge {
	int group;		/* a blank row between groups, where there is room */
	int rank;		/* when rows are few, those with the highest rank go first */
	void (*draw)(const struct gauge_reading *r, struct box b, int row);
	int (*rows)(const struct gauge_reading *r);	/* NULL: 1 */
};

static const struct gauge gauges[] = {
	{ 0, 0, draw_decode, NULL },
	{ 0, 7, draw_graph, NULL },
	{ 0, 3, draw_prefill, NULL },
	{ 0, 2, draw_first, NULL },
	{ 0, 1, draw_context, NULL },
	{ 0, 8, draw_context_bar, NULL },
	{ 1, 5, draw_weights, NULL },
	{ 1, 4, draw_kv, NULL },
	{ 1, 9, draw_scratch, NULL },
	{ 1, 10, draw_other, NULL },
	{ 1, 3, draw_rss, NULL },
	{ 1, 6, draw_free, NULL },
	{ 2, 4, draw_levels, level_rows },
	{ 3, 11, draw_threads, NULL },
	{ 3, 12, draw_sampling, NULL },
	{ 3, 13, draw_cut, cut_rows },
	{ 3, 13, draw_repeat, repeat_rows },
	{ 3, 14, draw_seed, seed_rows },
};
enum { N_GAUGES = sizeof(gauges) / sizeof(gauges[0]) };

/* For the line: in this order, as many as fit. */
static void (*const briefs[])(const struct gauge_reading *, char *, size_t) = {
	brief_decode, brief_context, brief_rss, brief_first, brief_prefill, brief_weights, brief_kv,
};

/* Which gauges get how many rows; returns what is left of b.h. */
static int share_rows(const struct gauge_reading *r, int h, int rows[N_GAUGES])
{
	int sum = 0;

	for (int i = 0; i < N_GAUGES; i++)
		sum += rows[i] = gauges[i].rows ? gauges[i].rows(r) : 1;
	while (sum > h) {
		int worst = -1;

		for (int i = 0; i < N_GAUGES; i++)
			if (rows[i] && (worst < 0 || gauges[i].rank >= gauges[worst].rank))
				worst = i;
		if (worst < 0)
			break;
		/* A list can be shortened before it goes. */
		int drop = rows[worst] > LEVEL_ROWS_MIN ? 1 : rows[worst];

		rows[worst] -= drop;
		sum -= drop;
	}
	return h - sum;
}

void gauge_column(const struct gauge_reading *r, struct box b)
{
	int rows[N_GAUGES], spare, row = 0, group = -1;

	if (b.h <= 0)
		return;
	spare = share_rows(r, b.h, rows);
	for (int i = 0; i < N_GAUGES; i++) {
		if (!rows[i])
			continue;
		if (group >= 0 && gauges[i].group != group && spare > 0) {
			spare--;
			row++;
		}
		group = gauges[i].group;
		gauges[i].draw(r, (struct box){ b.y, b.x, rows[i], b.w }, row);
		row += rows[i];
	}
}

void gauge_line(const struct gauge_reading *r, struct box b)
{
	char text[128];
	int at = 0;

	style_set(STYLE_DIM);
	for (size_t i = 0; i < sizeof(briefs) / sizeof(briefs[0]); i++) {
		briefs[i](r, text, sizeof(text));
		int w = width_of(text, strlen(text));

		if (at + w > b.w)
			break;
		draw(b.y, b.x + at, b.w - at, text);
		at += w + 3;
	}
}
