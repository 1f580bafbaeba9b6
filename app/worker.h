/*
 * The model worker: the one thread that touches models and sessions. Jobs go in, events
 * come out; both queues hand ownership over. Each event wakes the loop; events that only
 * tell more of the same (text, progress) are merged into the newest unread one, so that a
 * slow reader finds a short queue.
 *
 * Every job ends with exactly one event that is not EV_TEXT or EV_PROGRESS, in the order
 * of the jobs; but while a level is made in the background, answers, counts and resets that are
 * asked for then go before its JOB_LEVEL ends: the level in use has them. And a JOB_LEVEL that stops
 * answers is begun beside the one that runs; it may fail, or find nothing to do, before that has ended. A
 * worker serves one model at a time. Another is opened beside it and takes its place when it is whole; the old one stays for
 * who reads it until worker_forget().
 */
#ifndef APP_WORKER_H
#define APP_WORKER_H

#include "app/answer.h"
#include "app/cmd.h"
#include "app/handover.h"
#include "app/loop.h"
#include "app/profile.h"
#include "app/room.h"

struct worker;
struct event;

enum job_kind {
	JOB_OPEN,		/* model, then weights and session by the options; what is open stays if that fails */
	JOB_ANSWER,		/* msgs → answer */
	JOB_LEVEL,		/* make or find the level and hand the session over */
	JOB_GROW,		/* a larger context: a session anew, whose next answer computes all of it */
	JOB_COUNT,		/* how many tokens msgs are, with the header of the next answer; nothing changes */
	JOB_RESET,		/* empty the session, begin the sampler's sequence anew */
};

/*
 * Owned by the job. rest: where an answer begins behind its thinking, 0 at the start. vocab: whose
 * the ids are; a model of another vocabulary takes the text.
 */
struct job_msg { const char *role; char *text; int32_t *ids; size_t n_ids, rest; uint64_t vocab; };

struct job {
	enum job_kind kind;
	char *path;			/* JOB_OPEN: a file, or a name of the list of models */
	char *level;			/* JOB_OPEN (or NULL), JOB_LEVEL */
	bool borrowed;			/* JOB_LEVEL: keep the KV; the next answer starts at once */
	bool stops;			/* JOB_LEVEL: stops the answer that runs, once the level is there */
	struct job_msg *msgs;		/* JOB_ANSWER: the whole conversation */
	size_t n_msgs;
	bool raw;			/* no template: the texts in a row */
	struct eng_sample_opts sample;
	int64_t n_max;			/* most tokens, those that it has begun with apart; -1: no limit */
	bool drop_oldest;		/* what does not fit goes without its oldest turns */
	struct eng_ids begun;		/* ids of the answer that there are: it is gone on with … */
	uint64_t begun_vocab;		/* … by a model of this vocabulary, or not at all … */
	struct answer_stats had;	/* … and its figures so far */
	int64_t n_ctx;			/* JOB_GROW */
	int thinking;			/* enable_thinking: 1, 0, or -1 not to say */
	/* what was given of the options: the rest of `sample` is as the model's profile has it */
	bool fill;
	bool given[OPT_MAX];
	/* the worker's own */
	bool cancelled;			/* stopped before it began */
	struct event *last;		/* the event that ends the job, made with it: it always comes */
	struct job *next;
};

enum event_kind {
	EV_PROGRESS,		/* something long: what, done of total */
	EV_OPENED,		/* the model is there: info, levels, level */
	EV_TEXT,		/* more text of the running answer */
	EV_ANSWERED,		/* the answer is complete: ids, end, stats */
	EV_LEVEL,		/* the level is in use */
	EV_GROWN,		/* the context is larger: g.ctx_size */
	EV_COUNTED,		/* n_tokens */
	EV_RESET,		/* the session is empty */
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
	bool beside;			/* EV_PROGRESS of what is done beside other jobs: g says nothing */
	char what[32];			/* EV_PROGRESS: "making Q4_0", "prefill" */
	int64_t done, total;
	struct level_report level;	/* EV_OPENED, EV_LEVEL */
	char plain_why[160];		/* EV_OPENED: why there is no chat template to use, or "" */
	char template_note[160];	/* EV_OPENED: whose template stands in for the file's, or "" */
	struct str text;		/* EV_TEXT; EV_OPENED: mistakes in profiles, a line each */
	const struct opened *opened;	/* EV_OPENED */
	struct eng_ids ids;		/* EV_ANSWERED */
	enum answer_end end;
	struct room room;		/* need 0: it fits. EV_FAILED: refused; EV_ANSWERED: room.drop turns were left out */
	int64_t n_tokens;		/* EV_COUNTED */
	struct gauges g;
	struct err err;			/* EV_FAILED */
	struct event *next;
};

/* A model that is or was open, for reading what never changes: the worker's, until worker_forget(). */
struct opened {
	struct eng_model *model;
	struct profile profile;		/* what is known of it besides */
	struct stop stop_texts;		/* its own and the user's */
	uint64_t vocab;			/* the same for models whose ids mean the same; 0: not known */
	struct opened *next;		/* the worker's own: the one that was open before */
};

/* o is borrowed for the worker's life: threads, isa, kv, n_ctx, stop, tools_path, folders. */
int worker_new(struct worker **out, struct loop *l, const struct opts *o, struct err *e);
/* Stops what runs, frees model and session. */
void worker_free(struct worker *w);
/* Takes the job. */
void worker_post(struct worker *w, struct job *j);
struct job *job_new(enum job_kind kind);
void job_free(struct job *j);
/*
 * Stops the running job and those that wait, within 50 ms. An answer ends as
 * ANSWER_STOPPED; a switch fails as cancelled, and what was in use before still is. Opening and
 * resetting are not stopped but for the making of a level, and before they begin.
 */
void worker_cancel(struct worker *w);
/* The same of answers alone: a level that is being made goes on. */
void worker_cancel_answers(struct worker *w);
/* The same of all but answers: the one that runs goes on. */
void worker_cancel_switches(struct worker *w);
/* Takes all events, oldest first; NULL when there are none. */
struct event *worker_events(struct worker *w);
/*
 * Text wakes the loop no more before that time (os_now_ns()): who looks at it then anyway leaves the
 * cores to the model until then. Everything else does.
 */
void worker_hush(struct worker *w, int64_t until_ns);
void event_free(struct event *ev);
/* Nobody reads any more what was open before `now` (of the last EV_OPENED that was taken). */
void worker_forget(struct worker *w, const struct opened *now);

#endif
