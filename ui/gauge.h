/*
 * The gauges: what an answer costs, as a table of const structs. Each draws itself in the
 * column beside the conversation (28 columns) and, if it matters enough, on the one line that
 * remains on a narrow screen. To add one: a row in gauge.c.
 *
 * They show a reading, taken at most ten times a second and only when something is painted:
 * numbers that cannot be read do not help, and an idle screen costs nothing.
 */
#ifndef UI_GAUGE_H
#define UI_GAUGE_H

#include "app/chat.h"
#include "ui/style.h"

enum { GAUGE_COLS = 28, GAUGE_PERIOD_MS = 100 };

struct gauge_reading {
	const struct chat *c;		/* names and levels are read there */
	struct gauges g;
	enum chat_state state;
	int64_t done, total;
	double decode;			/* tok/s now, else of the last answer; 0 none */
	double rates[CHAT_RATE_HISTORY];
	int n_rates;
	uint64_t rss, avail;
	int threads;
	char isa[16];
};

void gauge_read(struct gauge_reading *r, const struct chat *c);

/* Draws what fits of the column, the least important gauges left out first. */
void gauge_column(const struct gauge_reading *r, struct box b);
void gauge_line(const struct gauge_reading *r, struct box b);

/* Short texts that others show too; each returns buf. "61.3", "842"; "–" for nothing known. */
const char *gauge_rate(char *buf, size_t size, double rate);
/* 1912 → "1,912" */
const char *gauge_count(char *buf, size_t size, int64_t n);
/* "52 %", or "" when the whole is not known. */
const char *gauge_percent(char *buf, size_t size, int64_t done, int64_t total);

#endif
