/*
 * The model worker: the one thread that touches models and sessions. Jobs go in, events
 * come out; both queues hand ownership over. Each event wakes the loop once.
 */
#ifndef APP_WORKER_H
#define APP_WORKER_H

#include "app/answer.h"
#include "app/cmd.h"
#include "app/loop.h"

struct worker;

enum job_kind {
	JOB_OPEN,		/* model, then weights and session by the options */
	JOB_ANSWER,		/* msgs → answer */
	JOB_LEVEL,		/* make or find the level, bind the session (exact), prefill `msgs` again */
	JOB_RESET,		/* empty the session */
};

struct job_msg { const char *role; char *text; int32_t *ids; size_t n_ids; };	/* owned by the job */

struct job {
	enum job_kind kind;
	char *path;			/* JOB_OPEN */
	char *level;			/* JOB_OPEN (or NULL), JOB_LEVEL */
	struct job_msg *msgs;		/* JOB_ANSWER, JOB_LEVEL: the whole conversation */
	size_t n_msgs;
	bool raw;			/* no template: the last message's text as it is */
	struct eng_sample_opts sample;
	int64_t n_max;
	struct job *next;
};

enum event_kind {
	EV_PROGRESS,		/* something long: what, done of total */
	EV_OPENED,		/* the model is there: info, levels */
	EV_TEXT,		/* more text of the running answer */
	EV_ANSWERED,		/* the answer is complete: ids, end, stats */
	EV_LEVEL,		/* the level is in use */
	EV_FAILED,		/* the job failed: err; what was there before still is */
};

/* What the gauges read: taken by the worker between steps, a copy in each event. */
struct gauges {
	struct answer_stats stats;	/* of the running or last answer */
	double decode_now;		/* tokens/s over the last 0.5 s or so; 0 when idle */
	struct eng_mem mem;
	int64_t ctx_used, ctx_size;
};

struct event {
	enum event_kind kind;
	enum job_kind job;
	const char *what;		/* EV_PROGRESS: "making Q4_0", "prefill" (static text) */
	int64_t done, total;
	struct str text;		/* EV_TEXT */
	struct eng_ids ids;		/* EV_ANSWERED */
	enum answer_end end;
	struct gauges g;
	struct err err;			/* EV_FAILED */
	struct event *next;
};

/* o is borrowed for the worker's life: threads, isa, kv, n_ctx. */
int worker_new(struct worker **out, struct loop *l, const struct opts *o, struct err *e);
/* Stops what runs, frees model and session. */
void worker_free(struct worker *w);
/* Takes the job. */
void worker_post(struct worker *w, struct job *j);
struct job *job_new(enum job_kind kind);
void job_free(struct job *j);
/* Stops the running job (an answer ends as ANSWER_STOPPED, a level switch fails as cancelled). */
void worker_cancel(struct worker *w);
/* Takes all events, oldest first; NULL when there are none. */
struct event *worker_events(struct worker *w);
void event_free(struct event *ev);
/*
 * The open model, for reading what never changes (info, levels): valid after EV_OPENED until
 * the worker is freed or another EV_OPENED.
 */
const struct eng_model *worker_model(const struct worker *w);

#endif
