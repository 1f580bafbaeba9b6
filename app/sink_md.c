/* A table for people, in the columns of llama-bench's: one can be pasted below the other. */
#include "config.h"
#include "app/sink.h"
#include "app/units.h"

#include <string.h>

static const struct { const char *head; int width; bool right; } columns[] = {
	{ "model", 30, false }, { "size", 10, true }, { "params", 10, true }, { "backend", 10, false },
	{ "threads", 7, true }, { "act", 8, false }, { "test", 15, true }, { "t/s", 20, true },
};

enum { N_COLUMNS = sizeof columns / sizeof *columns };

/* Columns of the terminal, not bytes: the sign between mean and deviation is two bytes. */
static int width_of(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static void cell(FILE *f, int i, const char *text)
{
	const int pad = columns[i].width > width_of(text) ? columns[i].width - width_of(text) : 0;

	fprintf(f, " %*s%s%*s |", columns[i].right ? pad : 0, "", text, columns[i].right ? 0 : pad, "");
}

static void begin(FILE *f)
{
	char rule[64];

	fputc('|', f);
	for (int i = 0; i < N_COLUMNS; i++)
		cell(f, i, columns[i].head);
	fputs("\n|", f);
	for (int i = 0; i < N_COLUMNS; i++) {
		memset(rule, '-', sizeof rule);
		rule[columns[i].width] = '\0';
		if (columns[i].right)
			rule[columns[i].width - 1] = ':';
		fprintf(f, " %s |", rule);
	}
	fputc('\n', f);
}

static void row(FILE *f, const struct bench_row *r, bool first)
{
	const double mib = (double)r->model_size / (1 << 20);
	char text[N_COLUMNS][96], depth[32] = "";

	(void)first;
	if (r->n_depth)
		snprintf(depth, sizeof depth, " @ d%lld", (long long)r->n_depth);
	snprintf(text[0], sizeof text[0], "%s", r->model_type);
	snprintf(text[1], sizeof text[1], mib < 1024 ? "%.2f MiB" : "%.2f GiB", mib < 1024 ? mib : mib / 1024);
	snprintf(text[2], sizeof text[2], r->model_n_params < 1000000000 ? "%.2f M" : "%.2f B",
		 (double)r->model_n_params / (r->model_n_params < 1000000000 ? 1e6 : 1e9));
	snprintf(text[3], sizeof text[3], "%s", "CPU");
	snprintf(text[4], sizeof text[4], "%lld", (long long)r->n_threads);
	snprintf(text[5], sizeof text[5], "%s", r->act);
	snprintf(text[6], sizeof text[6], "%s%lld%s", r->n_prompt ? "pp" : "tg",
		 (long long)(r->n_prompt ? r->n_prompt : r->n_gen), depth);
	snprintf(text[7], sizeof text[7], "%.2f ± %.2f", r->avg_ts, r->stddev_ts);
	fputc('|', f);
	for (int i = 0; i < N_COLUMNS; i++)
		cell(f, i, text[i]);
	fputc('\n', f);
}

static void end(FILE *f)
{
	fprintf(f, "\nbuild: tidbit %s\n", eng_version());
}

const struct sink_ops sink_md = { .name = "md", .begin = begin, .row = row, .end = end };
