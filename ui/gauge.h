/*
 * The gauges: what an answer costs, as a table of const structs (gauge_table.c). Each is a text, a
 * bar, a graph, or rows of its own, in the column beside the conversation (28 columns), and, if it
 * matters enough, a part of the one line that remains on a narrow screen. Which there are and in
 * what order is the user's: `gauges` in tidbit.conf. To add one: a row in the table.
 *
 * They show a reading, taken at most ten times a second and only when something is painted:
 * numbers that cannot be read do not help, and an idle screen costs nothing.
 */
#ifndef UI_GAUGE_H
#define UI_GAUGE_H

#include "app/chat.h"
#include "app/limits.h"
#include "app/machine.h"
#include "app/memory.h"
#include "ui/style.h"

enum { GAUGE_COLS = 28, GAUGE_PERIOD_MS = 100, GAUGE_TEXT = 64, GAUGES_MAX = 48 };

struct gauge_reading {
	const struct chat *c;		/* names and levels are read there */
	struct gauges g;
	enum chat_state state;
	bool prefilling;		/* of an answer, or of a switch */
	int64_t done, total;
	int64_t left_ns;		/* until the prefill is over, about; 0 not known */
	double decode;			/* tok/s now, else of the last answer; 0 none */
	double rates[CHAT_RATE_HISTORY];
	int n_rates;
	struct memory mem;		/* while a model works it is counted once a second: that takes time from it */
	int64_t mem_ns;			/* when that was */
	struct machine machine;		/* as it was measured once; n_read 0: it was not */
	struct limits limits;
	int threads;
	char isa[32], act[12];
};

void gauge_read(struct gauge_reading *r, const struct chat *c);

enum gauge_kind {
	GAUGE_TEXT_ROW,		/* label, and text() at the right */
	GAUGE_BAR,		/* part() of a whole, and text() behind it */
	GAUGE_GRAPH,		/* what decode was, newest at the right */
	GAUGE_ROWS,		/* rows(), drawn by draw() */
};

struct gauge {
	const char *name, *help;	/* in tidbit.conf and for people */
	const char *label;
	enum gauge_kind kind;
	int rank;			/* when rows are few, those with the highest rank go first */
	int line_cols;			/* on the one line its text has so many columns; 0: it is not there */
	bool nameless;			/* there it needs no label */
	void (*text)(const struct gauge_reading *r, char *buf, size_t size);
	double (*part)(const struct gauge_reading *r);
	int (*rows)(const struct gauge_reading *r);	/* NULL: 1; 0: there is nothing to show */
	void (*draw)(const struct gauge_reading *r, struct box b, int row);
};
extern const struct gauge gauge_table[];	/* ends with name NULL */
/* What is shown when nobody says otherwise: the column, and the line. '|' stands for a blank row. */
extern const char gauge_default[], gauge_default_line[];

/* Takes names apart by blanks or commas, NULL: the default. ERR_ARG names the nearest to an unknown one; then nothing changes. */
int gauge_choose(const char *names, struct err *e);
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
