/*
 * How far something long is, as one line on stderr that is written over and leaves nothing
 * behind. Only on a terminal, only when it takes longer than a blink.
 */
#ifndef APP_METER_H
#define APP_METER_H

#include <stdbool.h>
#include <stdint.h>

struct meter {
	const char *what;	/* "reading the prompt" */
	bool on;		/* stderr is a terminal that can write over a line */
	int shown;		/* columns that stand there now */
	int64_t next_ns;
};

void meter_init(struct meter *m, const char *what);
void meter_update(struct meter *m, int64_t done, int64_t total);
void meter_clear(struct meter *m);
/* The same as an eng_progress_fn (arg is the meter); false once a signal asked to stop. */
bool meter_progress(void *arg, int64_t done, int64_t total);

#endif
