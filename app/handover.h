/*
 * A session handed over from one level to another: exact (what it holds is computed again, in a
 * session beside it that takes its place when it is whole) or borrowed (its KV stays as it was
 * made). Whatever fails or is cancelled leaves level and KV as they were.
 *
 * The new level's weights are made before (maker.h), while the old level may go on. Called by the thread
 * that computes.
 */
#ifndef APP_HANDOVER_H
#define APP_HANDOVER_H

#include "app/cmd.h"

/* The weights that are in use now. */
struct level_report {
	char name[16];			/* "Q4_0" */
	char note[96];			/* "made from Q4_1: no better than it", or "" */
	bool made;
	bool borrowed;			/* of a handover: the KV is what other levels computed */
	char act[12];			/* what they are multiplied with: eng_session_act() */
	uint64_t bytes;
	double bpw;
	/* of a handover */
	int32_t held, prefilled;	/* tokens the session held, and how many of them were computed again */
	int64_t prefill_ns;
};

struct handover {
	/* in */
	struct eng_model *model;
	const struct opts *o;
	const char *level;
	bool borrowed;
	/* of handover_run(): tells what runs, and of which session (NULL: of none), so that it can be cancelled; then progress */
	void (*begin)(void *arg, const char *verb, const char *object, struct eng_session *at_work);
	eng_progress_fn *progress;
	void *arg;
	/* in and out: what is in use */
	struct eng_weights *weights;
	struct eng_session *session;
};

/* Names, notes and sizes of a session's weights, without the figures of a handover. */
void level_report(const struct eng_session *s, struct level_report *r);
/* ERR_LIMIT, before anything is taken, when level and KV do not fit beside what is there until then. */
int handover_check(const struct handover *h, struct err *e);
/* To these weights, which are the handover's from now on. ERR_CANCELLED when progress said so, or eng_session_cancel(). */
int handover_run(struct handover *h, struct eng_weights *neu, struct level_report *r, struct err *e);

#endif
