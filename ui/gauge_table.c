/* Each gauge: what it reads, and how it is told. */
#include "config.h"
#include "ui/gauge.h"

#include "app/units.h"

#include <stdio.h>
#include <string.h>

/* -- texts ---------------------------------------------------------------------------- */

static void none(char *buf, size_t size)
{
	snprintf(buf, size, "%s", glyph(GLYPH_NONE));
}

static void rate_text(double rate, char *buf, size_t size)
{
	char text[16];

	snprintf(buf, size, "%s tok/s", gauge_rate(text, sizeof(text), rate));
}

/* Two amounts in the unit of the larger: "209 / 896 MiB". */
static void pair(char *buf, size_t size, uint64_t a, uint64_t b)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double unit = 1024;
	int u = 0;

	while ((double)(a > b ? a : b) / unit >= 1023.5 && u < 3) {
		unit *= 1024;
		u++;
	}
	snprintf(buf, size, "%.*f / %.*f %s", (double)a / unit < 9.95 && u ? 1 : 0, (double)a / unit,
		 (double)b / unit < 9.95 && u ? 1 : 0, (double)b / unit, units[u]);
}

static void decode(const struct gauge_reading *r, char *buf, size_t size)
{
	rate_text(r->decode, buf, size);
}

/* While it lasts: how far, and how long still. */
static void prefill(const struct gauge_reading *r, char *buf, size_t size)
{
	char percent[16], left[32];

	if (!r->prefilling) {
		rate_text(answer_prefill_rate(&r->g.stats), buf, size);
		return;
	}
	gauge_percent(percent, sizeof(percent), r->done, r->total);
	if (r->left_ns > 0)
		snprintf(buf, size, "%s, %s left", percent, units_time(left, sizeof(left), r->left_ns));
	else
		snprintf(buf, size, "%s", percent);
}

static void first(const struct gauge_reading *r, char *buf, size_t size)
{
	const int64_t ns = r->g.stats.first_ns;

	if (ns <= 0)
		none(buf, size);
	else
		snprintf(buf, size, ns < 9995000000 ? "%.2f s" : "%.1f s", (double)ns / 1e9);
}

static void context(const struct gauge_reading *r, char *buf, size_t size)
{
	char used[32], all[32];

	gauge_count(all, sizeof(all), r->g.ctx_size);
	snprintf(buf, size, "%*s / %s", (int)strlen(all), gauge_count(used, sizeof(used), r->g.ctx_used), all);
}

/* What the next message will add; until one is typed, how full it is. */
static void room(const struct gauge_reading *r, char *buf, size_t size)
{
	char n[32];

	if (r->c->next_adds)
		snprintf(buf, size, "%s %s", r->c->next_about ? "+ ~" : "+", gauge_count(n, sizeof(n), r->c->next_adds));
	else
		gauge_percent(buf, size, r->g.ctx_used, r->g.ctx_size);
}

static double room_part(const struct gauge_reading *r)
{
	return r->g.ctx_size ? (double)(r->g.ctx_used + r->c->next_adds) / (double)r->g.ctx_size : 0;
}

static void weights(const struct gauge_reading *r, char *buf, size_t size)
{
	units_bytes(buf, size, r->mem.weights);
}

static void kv(const struct gauge_reading *r, char *buf, size_t size)
{
	pair(buf, size, r->g.mem.kv_used, r->g.mem.kv_reserved);
}

static void scratch(const struct gauge_reading *r, char *buf, size_t size)
{
	units_bytes(buf, size, r->mem.scratch);
}

static void other(const struct gauge_reading *r, char *buf, size_t size)
{
	units_bytes(buf, size, r->mem.other);
}

static void rss(const struct gauge_reading *r, char *buf, size_t size)
{
	units_bytes(buf, size, r->mem.rss);
}

static void available(const struct gauge_reading *r, char *buf, size_t size)
{
	units_bytes(buf, size, r->mem.available);
}

/* -- the machine ---------------------------------------------------------------------- */

static void bandwidth(const struct gauge_reading *r, char *buf, size_t size)
{
	const struct limits *l = &r->limits;

	if (l->what == LIMIT_UNKNOWN)
		snprintf(buf, size, "%s", r->machine.limits.n_read ? glyph(GLYPH_NONE) : "tidbit show --machine");
	else
		snprintf(buf, size, "%3.0f %% of %.0f GB/s", 100 * l->share_bandwidth, l->bandwidth / 1e9);
}

static void limit(const struct gauge_reading *r, char *buf, size_t size)
{
	const struct limits *l = &r->limits;
	const char *peak = r->act;

	switch (l->what) {
	case LIMIT_UNKNOWN:
		none(buf, size);
		break;
	case LIMIT_NEITHER:
		snprintf(buf, size, "neither (%s %.0f %%)", peak, 100 * l->share_peak);
		break;
	case LIMIT_MEMORY:
		snprintf(buf, size, "memory (%s %.0f %%)", peak, 100 * l->share_peak);
		break;
	case LIMIT_COMPUTE:
		snprintf(buf, size, "%s, %.0f %%", peak, 100 * l->share_peak);
		break;
	}
}

static void threads(const struct gauge_reading *r, char *buf, size_t size)
{
	snprintf(buf, size, "%d %s %s", r->threads, glyph(GLYPH_TIMES), r->isa);
}

static void activations(const struct gauge_reading *r, char *buf, size_t size)
{
	snprintf(buf, size, "%s", *r->act ? r->act : glyph(GLYPH_NONE));
}

static void energy(const struct gauge_reading *r, char *buf, size_t size)
{
	if (r->c->joules > 0)
		snprintf(buf, size, r->c->joules < 9.995 ? "%.2f J/token" : "%.1f J/token", r->c->joules);
	else
		none(buf, size);
}

static int energy_rows(const struct gauge_reading *r)
{
	return r->c->energy.n > 0;
}

/* -- sampling ------------------------------------------------------------------------- */

static const struct eng_sample_opts *how(const struct gauge_reading *r)
{
	return &r->c->o->sample;
}

static void temperature(const struct gauge_reading *r, char *buf, size_t size)
{
	if (how(r)->temp <= 0)
		snprintf(buf, size, "greedy");
	else
		snprintf(buf, size, "temp %.4g top-p %.4g", how(r)->temp, how(r)->top_p);
}

static int cut_rows(const struct gauge_reading *r)
{
	return how(r)->temp > 0 && (how(r)->top_k > 0 || how(r)->min_p > 0);
}

static void cut(const struct gauge_reading *r, char *buf, size_t size)
{
	int n = 0;

	if (how(r)->top_k > 0)
		n = snprintf(buf, size, "top-k %d", how(r)->top_k);
	if (how(r)->min_p > 0)
		snprintf(buf + n, size - (size_t)n, "%smin-p %.4g", n ? "  " : "", how(r)->min_p);
}

static int repeat_rows(const struct gauge_reading *r)
{
	return how(r)->repeat_penalty != 1;
}

static void repeat(const struct gauge_reading *r, char *buf, size_t size)
{
	snprintf(buf, size, "%.4g", how(r)->repeat_penalty);
}

static int seed_rows(const struct gauge_reading *r)
{
	return how(r)->temp > 0;
}

static void seed(const struct gauge_reading *r, char *buf, size_t size)
{
	snprintf(buf, size, "%llu", (unsigned long long)how(r)->seed);
}

/* -- the ladder ----------------------------------------------------------------------- */

static int level_rows(const struct gauge_reading *r)
{
	return r->c->n_levels ? r->c->n_levels + 1 : 0;
}

static void draw_level(const struct gauge_reading *r, int i, struct box b, int row)
{
	const struct chat_level *l = &r->c->levels[i];
	bool in_use = i == r->c->level, target = i == r->c->target && !in_use;
	char size[24], rate[16], text[24];

	style_set(in_use ? STYLE_LEVEL : target ? STYLE_WARN : STYLE_TEXT);
	if (in_use || target)
		draw(b.y + row, b.x, 1, glyph(in_use ? GLYPH_MARK : GLYPH_ARROW));
	draw(b.y + row, b.x + 2, 7, l->name);
	draw_right(b.y + row, b.x + 9, 8, units_bytes(size, sizeof(size), l->bytes));
	snprintf(text, sizeof(text), "%.*f", l->bpw < 10 ? 2 : 1, l->bpw);
	draw_right(b.y + row, b.x + 17, 5, text);
	draw_right(b.y + row, b.x + 22, 6, gauge_rate(rate, sizeof(rate), l->rate));
}

/* Given fewer rows than levels, those around the one in use. */
static void draw_levels(const struct gauge_reading *r, struct box b, int row)
{
	int n = b.h - 1, first_row = r->c->level - n / 2;

	if (first_row > r->c->n_levels - n)
		first_row = r->c->n_levels - n;
	if (first_row < 0)
		first_row = 0;
	style_set(STYLE_DIM);
	draw(b.y + row, b.x, b.w, "level        size  bpw tok/s");
	for (int i = 0; i < n && first_row + i < r->c->n_levels; i++)
		draw_level(r, first_row + i, b, row + 1 + i);
}

/* -- the table ------------------------------------------------------------------------ */

#define TEXT .kind = GAUGE_TEXT_ROW

const struct gauge gauge_table[] = {
	{ "decode", "tokens a second of the answer", "decode", TEXT, .rank = 0, .line_cols = 11, .nameless = true, .text = decode },
	{ "graph", "how that went", "", .kind = GAUGE_GRAPH, .rank = 7 },
	{ "prefill", "tokens of a prompt a second; while it is read, how far and how long still", "prefill", TEXT, .rank = 3,
	  .line_cols = 12, .text = prefill },
	{ "first", "time to the first token", "first token", TEXT, .rank = 2, .line_cols = 6, .text = first },
	{ "context", "tokens in the context, and how many it holds", "context", TEXT, .rank = 1, .line_cols = 1, .text = context },
	{ "room", "the same as a bar, with what the next message adds", "", .kind = GAUGE_BAR, .rank = 8, .text = room, .part = room_part },
	{ "weights", "memory: the model, as far as it is in memory", "weights", TEXT, .rank = 5, .line_cols = 8, .text = weights },
	{ "kv", "memory: keys and values in use, and when the context is full", "KV", TEXT, .rank = 4, .line_cols = 13, .text = kv },
	{ "scratch", "memory: what the engine works in", "scratch", TEXT, .rank = 9, .line_cols = 8, .text = scratch },
	{ "other", "memory: vocabulary, conversation, the program and its libraries", "other", TEXT, .rank = 10, .line_cols = 8,
	  .text = other },
	{ "rss", "memory of the process as the kernel counts it", "RSS", TEXT, .rank = 3, .line_cols = 8, .text = rss },
	{ "free", "memory that can still be had", "free", TEXT, .rank = 6, .line_cols = 8, .text = available },
	{ "levels", "the ladder: size, bits per weight and measured speed", "", .kind = GAUGE_ROWS, .rank = 4, .rows = level_rows,
	  .draw = draw_levels },
	{ "bandwidth", "share of the memory's bandwidth; `tidbit show --machine` measures what there is", "bandwidth", TEXT, .rank = 11,
	  .line_cols = 16, .text = bandwidth },
	{ "limit", "what holds it up: memory or arithmetic, neither below 40 %; measured as the bandwidth is", "limit", TEXT, .rank = 11, .line_cols = 18,
	  .text = limit },
	{ "threads", "threads and instruction set", "threads", TEXT, .rank = 11, .line_cols = 10, .text = threads },
	{ "act", "what weights are multiplied with", "activations", TEXT, .rank = 12, .line_cols = 5, .text = activations },
	{ "sampling", "how tokens are drawn", "sampling", TEXT, .rank = 12, .line_cols = 6, .text = temperature },
	{ "cut", "which are left out before", "", TEXT, .rank = 13, .text = cut, .rows = cut_rows },
	{ "repeat", "penalty on what was said", "repeat penalty", TEXT, .rank = 13, .text = repeat, .rows = repeat_rows },
	{ "seed", "of the random numbers", "seed", TEXT, .rank = 14, .text = seed, .rows = seed_rows },
	{ "energy", "of the whole package, all programs together", "energy, package", TEXT, .rank = 12, .line_cols = 11, .text = energy,
	  .rows = energy_rows },
	{ .name = NULL },
};

const char gauge_default[] = "decode graph prefill first context room | weights kv scratch other rss free | levels | "
			     "bandwidth limit threads act energy sampling cut repeat seed";
const char gauge_default_line[] = "decode context rss first prefill weights kv bandwidth";
