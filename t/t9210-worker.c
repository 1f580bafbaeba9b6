/* The worker by itself: one closing event a job and in order, merged events, cancelling, failures that leave all as it was. */
#include "config.h"
#include "app/opt.h"
#include "app/worker.h"
#include "engine/base/xio.h"
#include "t/lib/model.h"
#include "t/lib/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
enum { SLOW = 1 };
#else
enum { SLOW = 0 };
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { LONG = 3000 };	/* bytes of a prompt that takes its time */
#else
enum { LONG = 12000 };
#endif
enum { WAIT_MS = 240000, TRIES = 5 };	/* in vain: sanitizers on a busy machine take their time */

struct drive {
	struct loop *l;
	struct worker *w;
	struct opts o;
	struct event *first, **end;	/* all that came */
	int closing, want;		/* closing events seen; leave at this many */
	enum event_kind stop_at;	/* cancel at the first event of this kind */
	bool stop;
	int64_t cancelled_ns, closed_ns;	/* tap_cpu_ns() */
	bool late;
};

static bool closes(const struct event *ev)
{
	return ev->kind != EV_TEXT && ev->kind != EV_PROGRESS;
}

static void on_wake(void *arg)
{
	struct drive *d = arg;

	*d->end = worker_events(d->w);
	for (; *d->end; d->end = &(*d->end)->next) {
		if (closes(*d->end)) {
			d->closing++;
			d->closed_ns = tap_cpu_ns();
		} else if (d->stop && (*d->end)->kind == d->stop_at) {
			d->stop = false;
			/* from the middle of a step, not from its end */
			usleep(15000);
			d->cancelled_ns = tap_cpu_ns();
			worker_cancel(d->w);
		}
	}
	if (d->closing >= d->want)
		loop_quit(d->l, 0);
}

static void on_timer(void *arg)
{
	struct drive *d = arg;

	d->late = true;
	loop_quit(d->l, 1);
}

static const struct loop_ops ops = { .wake = on_wake, .timer = on_timer };

static void forget(struct drive *d)
{
	for (struct event *ev = d->first, *next; ev; ev = next) {
		next = ev->next;
		event_free(ev);
	}
	d->first = NULL;
	d->end = &d->first;
	d->closing = 0;
}

/* Turns until `want` jobs are over; the events of the time before are forgotten. */
static const struct event *finish_jobs(struct drive *d, int want)
{
	const struct event *ev;

	forget(d);
	d->want = want;
	loop_timer(d->l, WAIT_MS);
	loop_wake(d->l);
	loop_run(d->l);
	if (d->late)
		tap_bail("waited in vain");
	for (ev = d->first; ev->next; ev = ev->next)
		continue;
	return ev;
}

static void start(struct drive *d)
{
	struct err e;

	*d = (struct drive){ .o = opt_defaults };
	d->end = &d->first;
	d->o.threads = 2;
	d->o.sample.temp = 0;
	if (loop_new(&d->l, &ops, d, &e) || worker_new(&d->w, d->l, &d->o, &e))
		tap_bail("%s", e.msg);
	loop_watch_input(d->l, false);
}

static void finish(struct drive *d)
{
	worker_free(d->w);
	loop_free(d->l);
	forget(d);
}

static void post_open(struct drive *d, const char *path, const char *level)
{
	struct job *j = job_new(JOB_OPEN);

	j->path = mem_strdup(path);
	j->level = level ? mem_strdup(level) : NULL;
	worker_post(d->w, j);
}

static void open_now(struct drive *d, const char *path)
{
	const struct event *ev;

	post_open(d, path, NULL);
	ev = finish_jobs(d, 1);
	if (ev->kind != EV_OPENED)
		tap_bail("%s", ev->err.msg);
}

static void post_level(struct drive *d, const char *level)
{
	struct job *j = job_new(JOB_LEVEL);

	j->level = mem_strdup(level);
	worker_post(d->w, j);
}

static void post_answer(struct drive *d, const char *text, int64_t n)
{
	struct job *j = job_new(JOB_ANSWER);

	j->msgs = mem_calloc(1, sizeof *j->msgs);
	j->msgs[0] = (struct job_msg){ .role = "user", .text = mem_strdup(text) };
	j->n_msgs = 1;
	j->sample = d->o.sample;
	j->n_max = n;
	worker_post(d->w, j);
}

/* How often each kind came. */
static int count(const struct drive *d, enum event_kind kind)
{
	int n = 0;

	for (const struct event *ev = d->first; ev; ev = ev->next)
		n += ev->kind == kind;
	return n;
}

static void test_order(const char *model)
{
	static const enum event_kind want[] = { EV_FAILED, EV_FAILED, EV_OPENED, EV_FAILED, EV_ANSWERED, EV_LEVEL,
						EV_FAILED, EV_RESET };
	const struct event *ev;
	struct drive d;
	int i = 0;
	bool right = true;

	start(&d);
	post_answer(&d, "Hello", 4);
	post_open(&d, "/nonexistent.gguf", NULL);
	post_open(&d, model, "q4_0");
	post_open(&d, "/nonexistent.gguf", NULL);
	post_answer(&d, "Once upon a time", 64);
	post_level(&d, "Q8_0");
	post_level(&d, "q9_9");
	worker_post(d.w, job_new(JOB_RESET));
	finish_jobs(&d, 8);
	for (ev = d.first; ev; ev = ev->next)
		if (closes(ev))
			right = right && i < 8 && ev->kind == want[i++];
	ok(right && i == 8, "each job has one closing event, in order");
	for (ev = d.first; ev; ev = ev->next) {
		if (ev->kind == EV_OPENED)
			ok(!strcmp(ev->level.name, "Q4_0") && ev->level.made && ev->g.ctx_size == 512,
			   "opened at the level that was asked for");
		if (ev->kind == EV_LEVEL)
			ok(!strcmp(ev->level.name, "Q8_0") && ev->level.held > 60 && ev->level.prefilled == ev->level.held,
			   "all that the session held is prefilled again (%d)", ev->level.prefilled);
		if (ev->kind == EV_FAILED && ev->job == JOB_LEVEL)
			ok(ev->err.code == ERR_ARG && !strcmp(ev->level.name, "Q8_0"), "a level that is none leaves %s in use",
			   ev->level.name);
		if (ev->kind == EV_RESET)
			ok(ev->g.ctx_used == 0, "a reset empties the session");
	}
	finish(&d);
}

/* Nobody reads while an answer runs: its text comes as one event. */
static void test_merge(const char *model)
{
	struct drive d;
	struct event *ev, *next;
	size_t len = 0;
	int text = 0;

	start(&d);
	open_now(&d, model);
	post_answer(&d, "Once upon a time", 40);
	post_answer(&d, "Once upon a time there", 40);
	for (int closing = 0; closing < 2;) {
		usleep(200000);
		for (ev = worker_events(d.w); ev; ev = next) {
			next = ev->next;
			if (ev->kind == EV_TEXT) {
				text++;
				len += ev->text.len;
				ok(ev->g.stats.n_gen <= 40 && ev->g.ctx_used > 0 && ev->g.mem.kv_used > 0, "with its gauges");
			}
			closing += closes(ev);
			event_free(ev);
		}
	}
	ok(text >= 2 && text < 40, "80 tokens are few events for a slow reader (%d)", text);
	ok(len > 100, "with all of the text (%zu bytes)", len);
	finish(&d);
}

/* Text that nobody is to be woken for lies there, whole, when something else comes: the prefill, or the end. */
static void test_hush(const char *model)
{
	const struct event *ev;
	struct drive d;
	size_t len = 0;

	start(&d);
	open_now(&d, model);
	worker_hush(d.w, INT64_MAX);
	post_answer(&d, "Once upon a time", 200);
	ev = finish_jobs(&d, 1);
	for (const struct event *t = d.first; t; t = t->next)
		len += t->kind == EV_TEXT ? t->text.len : 0;
	ok(ev->kind == EV_ANSWERED && count(&d, EV_TEXT) <= 5 && len > 200, "hushed, 200 tokens wake nobody (%d events, %zu bytes)",
	   count(&d, EV_TEXT), len);
	worker_hush(d.w, 0);
	post_answer(&d, "Once upon a time there", 200);
	finish_jobs(&d, 1);
	ok(count(&d, EV_TEXT) > 1, "else they are heard as they come (%d events)", count(&d, EV_TEXT));
	finish(&d);
}

static void test_stop(const char *model)
{
	const struct event *ev;
	struct drive d;

	start(&d);
	open_now(&d, model);
	d.stop = true;
	d.stop_at = EV_TEXT;
	post_answer(&d, "Once upon a time", 400);
	post_answer(&d, "Never", 400);
	ev = finish_jobs(&d, 2);
	ok(ev->kind == EV_ANSWERED && ev->end == ANSWER_STOPPED && !ev->ids.n, "one that waits is stopped before it begins");
	for (ev = d.first; ev->next && ev->kind != EV_ANSWERED; ev = ev->next)
		continue;
	ok(ev->end == ANSWER_STOPPED && ev->ids.n && ev->ids.n < 400, "the one that runs is stopped in its middle (%zu)",
	   ev->ids.n);
	post_answer(&d, "Once upon a time", 4);
	ev = finish_jobs(&d, 1);
	ok(ev->end == ANSWER_LENGTH && ev->ids.n == 4, "and the next one runs");
	ok(count(&d, EV_TEXT) >= 1, "with text");
	finish(&d);
}

static const char *long_text(void)
{
	static char text[LONG];

	for (size_t i = 0; i + 1 < sizeof text; i++)
		text[i] = "The quick brown fox jumps over the lazy dog, again and again. "[i % 62];
	return text;
}

/* The KV that was there stays until the new one is whole. */
static void test_stopped_switch(const char *model)
{
	const struct event *ev;
	struct drive d;
	int64_t used;

	start(&d);
	d.o.chunk = 1;
	d.o.n_ctx = 8192;
	open_now(&d, model);
	post_answer(&d, long_text(), 1);
	ev = finish_jobs(&d, 1);
	used = ev->g.ctx_used;
	d.stop = true;
	d.stop_at = EV_PROGRESS;
	post_level(&d, "F16");
	ev = finish_jobs(&d, 1);
	ok(ev->kind == EV_FAILED && ev->err.code == ERR_CANCELLED && !strcmp(ev->level.name, "F32"),
	   "a switch that is stopped leaves the level in use (%s)", ev->level.name);
	ok(used > LONG / 12 && ev->g.ctx_used == used, "and all that it held (%lld of %lld)", (long long)ev->g.ctx_used, (long long)used);
	post_level(&d, "F16");
	ev = finish_jobs(&d, 1);
	ok(ev->kind == EV_LEVEL && ev->level.prefilled == used && ev->g.ctx_used == used, "one that is not computes it again");
	finish(&d);
}

/* Computed after the cancel by each of the threads, the least of a few tries. */
static double cancel_ms(struct drive *d, enum event_kind at, void (*post)(struct drive *))
{
	double best = 1e9;

	for (int i = 0; i < TRIES && best > 50; i++) {
		double ms;

		d->stop = true;
		d->stop_at = at;
		d->cancelled_ns = 0;
		post(d);
		finish_jobs(d, 1);
		ms = (double)(d->closed_ns - d->cancelled_ns) / 1e6 / d->o.threads;
		if (d->cancelled_ns && ms < best)
			best = ms;
	}
	return best;
}

static void post_long(struct drive *d) { post_answer(d, long_text(), 1); }
static void post_short(struct drive *d) { post_answer(d, "Once upon a time", 400); }
static void post_make(struct drive *d) { post_level(d, "Q5_1"); }

/* On a model that takes its time. */
static void test_latency(void)
{
	char *model = data_path("models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
	const struct event *ev;
	struct drive d;
	double ms;

	if (!model || SLOW) {
		tap_skip("cancelling within 50 ms: %s", SLOW ? "too slow with this sanitizer" : "no reference data");
		free(model);
		return;
	}
	start(&d);
	open_now(&d, model);
	ms = cancel_ms(&d, EV_PROGRESS, post_long);
	ok(ms < 50, "a prefill is stopped within 50 ms (%.1f)", ms);
	ms = cancel_ms(&d, EV_TEXT, post_short);
	ok(ms < 50, "an answer is stopped within 50 ms (%.1f)", ms);
	ms = cancel_ms(&d, EV_PROGRESS, post_make);
	ev = d.first;
	while (ev->next)
		ev = ev->next;
	ok(ms < 50, "the making of a level is stopped within 50 ms (%.1f)", ms);
	ok(ev->kind == EV_FAILED && ev->err.code == ERR_CANCELLED && !strcmp(ev->level.name, "Q4_1"),
	   "and the old one is still in use");
	finish(&d);
	free(model);
}

int main(void)
{
	char *model = shipped_model();

	test_order(model);
	test_merge(model);
	test_hush(model);
	test_stop(model);
	test_stopped_switch(model);
	test_latency();
	free(model);
	return tap_done();
}
