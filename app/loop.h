/*
 * The main thread's loop: poll over standard input, signals (through a pipe that the
 * handlers write to), wakes from other threads (coalesced) and one timer. After every
 * turn the `turn` callback runs once: the one place that paints.
 *
 * One loop at a time in a program: signal handlers have no argument. It takes its signals
 * (SIGINT SIGTERM SIGHUP SIGWINCH SIGTSTP SIGCONT) over from loop_new() to loop_free() and
 * gives back what was there before. A signal that comes many times before a turn is told
 * once. Standard input is never made non-blocking: that flag belongs to the open file,
 * which the shell shares. Nothing here allocates after loop_new(), and a loop without
 * events sleeps in poll.
 */
#ifndef APP_LOOP_H
#define APP_LOOP_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* Any of them may be NULL. All run on the thread of loop_run(). */
struct loop_ops {
	void (*input)(void *arg);			/* standard input can be read, or has ended: read it */
	void (*signal)(void *arg, int sig);		/* SIGINT SIGTERM SIGHUP SIGWINCH SIGTSTP SIGCONT */
	void (*wake)(void *arg);			/* another thread called loop_wake() */
	void (*timer)(void *arg);			/* the time of loop_timer() has come */
	void (*turn)(void *arg);			/* after any of them, and once before the first wait: paint if dirty */
};

/* Threads that wake the loop must be gone before it is freed. */
int loop_new(struct loop **out, const struct loop_ops *ops, void *arg, struct err *e);
void loop_free(struct loop *l);
/* Returns the value given to loop_quit(). */
int loop_run(struct loop *l);
void loop_quit(struct loop *l, int value);
/*
 * Called in the handler of SIGTERM and SIGHUP, NULL: nothing is. For what may hold the loop's thread where no
 * callback gets to: a terminal that takes nothing. Only what signal handlers may do.
 */
void loop_on_kill(void (*fn)(void));
/* One timer: fires once, `ms` from now; -1 stops it. A later call replaces it. */
void loop_timer(struct loop *l, int64_t ms);
/* From any thread and from signal handlers. Many wakes before a turn are one. */
void loop_wake(struct loop *l);
/* Stop or go on watching standard input (after its end of file it can be read for ever). */
void loop_watch_input(struct loop *l, bool on);
/*
 * Stops the program as SIGTSTP does by default, and returns when it is continued. For
 * ops->signal, which has given the terminal back before and takes it again afterwards;
 * ops->signal(SIGCONT) follows in the next turn.
 */
void loop_suspend(struct loop *l);
/* Blocks the loop's signals in the calling thread: for threads that are not the loop's. */
void loop_block_signals(void);

#endif
