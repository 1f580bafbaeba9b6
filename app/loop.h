/*
 * The main thread's loop: poll over file descriptors, signals (through a pipe that the
 * handlers write to), wakes from other threads (coalesced) and one timer. After every
 * turn the `turn` callback runs once: the one place that paints.
 */
#ifndef APP_LOOP_H
#define APP_LOOP_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

struct loop_ops {
	void (*input)(void *arg);			/* standard input can be read */
	void (*signal)(void *arg, int sig);		/* SIGINT SIGTERM SIGHUP SIGWINCH SIGTSTP SIGCONT */
	void (*wake)(void *arg);			/* another thread called loop_wake() */
	void (*timer)(void *arg);			/* the time of loop_timer() has come */
	void (*turn)(void *arg);			/* after any of them: paint if dirty */
};

int loop_new(struct loop **out, const struct loop_ops *ops, void *arg, struct err *e);
void loop_free(struct loop *l);
/* Returns the value given to loop_quit(). */
int loop_run(struct loop *l);
void loop_quit(struct loop *l, int value);
/* One timer: fires once, `ms` from now; -1 stops it. A later call replaces it. */
void loop_timer(struct loop *l, int64_t ms);
/* From any thread and from signal handlers. Many wakes before a turn are one. */
void loop_wake(struct loop *l);
/* Stop or go on watching standard input (end of file). */
void loop_watch_input(struct loop *l, bool on);

#endif
