/*
 * The worker. Owns the engine, one model, the weights in use, the session and the sampler;
 * nobody else calls the engine's computing half. Called from the main thread.
 */
#include "config.h"
#include "app/worker.h"
#include "app/handover.h"
#include "app/levelname.h"
#include "app/maker.h"
#include "app/need.h"
#include "app/paths.h"
#include "app/rig.h"
#include "app/store.h"
#include "app/tools.h"
#include "engine/base/hash.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { SPEED_SAMPLES = 32 };
static const int64_t speed_step_ns = 25000000;		/* between samples */
static const int64_t speed_window_ns = 500000000;	/* that decode_now looks back over */
static const int64_t mem_step_ns = 1000000000;		/* counting resident pages costs a walk over the mapping */

/* The way n_gen went lately. */
struct speed {
	struct { int64_t t; int32_t n; } at[SPEED_SAMPLES];
	int n;		/* ever taken */
};

/* A level in the making, while other jobs may run. */
struct making {
	struct worker *w;
	struct maker *maker;
	struct job *job;		/* the JOB_LEVEL, which ends when it is made and handed over to */
	atomic_bool cancelled;
	bool ended;			/* under the lock: what is left is to hand over */
};

struct worker {
	struct loop *loop;
	const struct opts *o;
	pthread_t thread;
	/* under the lock */
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job *jobs, **jobs_end;
	struct event *events, *newest;
	struct event *making_progress;	/* the newest unread one; NULL */
	struct making *making;		/* NULL: nothing is made beside the jobs */
	bool busy, stop;
	_Atomic int64_t hushed_ns;	/* until then text wakes nobody */
	enum job_kind kind;		/* busy: of what runs */
	struct eng_session *cancel_session;	/* = session, for worker_cancel() */
	const struct opened *forget;		/* what is behind this one can go */
	/* set under the lock, read by the progress callbacks */
	atomic_bool cancelled;
	/* the worker thread's own */
	struct eng *eng;
	struct opened *now;		/* NULL: none is open; behind it those that were */
	struct eng_weights *weights;
	struct eng_session *session;
	struct eng_session *beside;	/* of a handover, until it takes the other's place */
	struct eng_sampler *sampler;
	double prefill_rate;		/* tokens/s of the last prefill that says something; 0 none */
	struct str tools;		/* JSON, "" for none */
	bool tools_read;
	struct eng_mem mem;
	int64_t mem_ns;
	struct speed speed;
};

/* What runs, for the callbacks. */
struct task {
	struct worker *w;
	enum job_kind job;
	char what[32];
	int64_t start_ns;
	bool prefill;		/* progress counts tokens of a prompt */
	struct answer_stats had;	/* of the answer that goes on */
};

/* -- queues ------------------------------------------------------------------------ */

static struct event *event_new(enum event_kind kind, enum job_kind job)
{
	struct event *ev = mem_calloc(1, sizeof *ev);

	if (!ev)
		return NULL;
	ev->kind = kind;
	ev->job = job;
	str_init(&ev->text, 0);
	return ev;
}

void event_free(struct event *ev)
{
	if (!ev)
		return;
	str_release(&ev->text);
	eng_ids_release(&ev->ids);
	mem_free(ev);
}

struct job *job_new(enum job_kind kind)
{
	struct job *j = mem_calloc(1, sizeof *j);

	if (!j)
		return NULL;
	j->kind = kind;
	j->thinking = -1;
	j->last = event_new(EV_FAILED, kind);
	if (!j->last) {
		mem_free(j);
		return NULL;
	}
	return j;
}

void job_free(struct job *j)
{
	if (!j)
		return;
	for (size_t i = 0; i < j->n_msgs; i++) {
		mem_free(j->msgs[i].text);
		mem_free(j->msgs[i].ids);
	}
	mem_free(j->msgs);
	eng_ids_release(&j->begun);
	mem_free(j->path);
	mem_free(j->level);
	event_free(j->last);
	mem_free(j);
}

/* Does ev say only more of what the newest unread one says? Then that one takes it over. */
static bool merge(struct event *newest, const struct event *ev)
{
	if (!newest || newest->kind != ev->kind || newest->job != ev->job)
		return false;
	switch (ev->kind) {
	case EV_TEXT:
		str_add(&newest->text, ev->text.p, ev->text.len);
		newest->g = ev->g;
		return true;
	case EV_PROGRESS:
		memcpy(newest->what, ev->what, sizeof newest->what);
		newest->done = ev->done;
		newest->total = ev->total;
		newest->g = ev->g;
		return true;
	default:
		return false;
	}
}

/* Takes the event; NULL (no memory) is a lost progress or text event and nothing worse. */
static void put(struct worker *w, struct event *ev)
{
	bool hushed;

	if (!ev)
		return;
	hushed = ev->kind == EV_TEXT && os_now_ns() < atomic_load(&w->hushed_ns);
	pthread_mutex_lock(&w->lock);
	if (merge(w->newest, ev)) {
		event_free(ev);
	} else {
		if (w->newest)
			w->newest->next = ev;
		else
			w->events = ev;
		w->newest = ev;
	}
	pthread_mutex_unlock(&w->lock);
	if (!hushed)
		loop_wake(w->loop);
}

void worker_hush(struct worker *w, int64_t until_ns)
{
	atomic_store(&w->hushed_ns, until_ns);
}

struct event *worker_events(struct worker *w)
{
	struct event *ev;

	pthread_mutex_lock(&w->lock);
	ev = w->events;
	if (w->making_progress) {
		w->making_progress->next = ev;
		ev = w->making_progress;
	}
	w->events = w->newest = w->making_progress = NULL;
	pthread_mutex_unlock(&w->lock);
	return ev;
}

void worker_post(struct worker *w, struct job *j)
{
	pthread_mutex_lock(&w->lock);
	j->next = NULL;
	*w->jobs_end = j;
	w->jobs_end = &j->next;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
}

enum { ANSWERS = 1, SWITCHES = 2 };	/* a switch: all that is no answer */

static unsigned sort_of(enum job_kind kind)
{
	return kind == JOB_ANSWER ? ANSWERS : SWITCHES;
}

static void cancel(struct worker *w, unsigned sorts)
{
	pthread_mutex_lock(&w->lock);
	for (struct job *j = w->jobs; j; j = j->next)
		if (sort_of(j->kind) & sorts)
			j->cancelled = true;
	if (w->making && sorts & SWITCHES)
		atomic_store(&w->making->cancelled, true);
	if (w->busy && sort_of(w->kind) & sorts) {
		atomic_store(&w->cancelled, true);
		if (w->cancel_session)
			eng_session_cancel(w->cancel_session);
	}
	pthread_mutex_unlock(&w->lock);
}

void worker_cancel(struct worker *w)
{
	cancel(w, ANSWERS | SWITCHES);
}

void worker_cancel_answers(struct worker *w)
{
	cancel(w, ANSWERS);
}

void worker_cancel_switches(struct worker *w)
{
	cancel(w, SWITCHES);
}

void worker_forget(struct worker *w, const struct opened *now)
{
	pthread_mutex_lock(&w->lock);
	w->forget = now;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
}

/* -- gauges ------------------------------------------------------------------------ */

static void speed_add(struct speed *s, int64_t t, int32_t n)
{
	if (s->n && t - s->at[(s->n - 1) % SPEED_SAMPLES].t < speed_step_ns)
		return;
	s->at[s->n % SPEED_SAMPLES].t = t;
	s->at[s->n % SPEED_SAMPLES].n = n;
	s->n++;
}

/* From the oldest sample in the window to now; a slow model's window is its last token. */
static double speed_rate(const struct speed *s, int64_t t, int32_t n)
{
	const int first = s->n > SPEED_SAMPLES ? s->n - SPEED_SAMPLES : 0;
	double rate = 0;

	for (int i = s->n - 1; i >= first; i--) {
		const int64_t dt = t - s->at[i % SPEED_SAMPLES].t;
		const int32_t dn = n - s->at[i % SPEED_SAMPLES].n;

		if (dt > speed_window_ns && rate > 0)
			break;
		if (dt > 0 && dn > 0)
			rate = (double)dn * 1e9 / (double)dt;
	}
	return rate;
}

static void read_mem(struct worker *w, int64_t now, bool force)
{
	if (!w->session || (!force && w->mem_ns && now - w->mem_ns < mem_step_ns))
		return;
	eng_session_mem(w->session, &w->mem);
	if (w->beside) {
		struct eng_mem more;

		eng_session_mem(w->beside, &more);
		w->mem.kv_used += more.kv_used;
		w->mem.weights_made += more.weights_made;
	}
	w->mem_ns = now;
}

static void read_gauges(struct worker *w, const struct answer_stats *s, bool force, struct gauges *g)
{
	read_mem(w, os_now_ns(), force);
	*g = (struct gauges){ .mem = w->mem };
	if (s)
		g->stats = *s;
	if (w->session) {
		g->ctx_used = eng_session_len(w->session);
		g->ctx_size = eng_session_ctx(w->session);
	}
}

/* -- what runs tells how far it is ------------------------------------------------- */

static void task_init(struct task *t, struct worker *w, enum job_kind job, bool prefill,
		      const char *verb, const char *object)
{
	*t = (struct task){ .w = w, .job = job, .prefill = prefill, .start_ns = os_now_ns() };
	snprintf(t->what, sizeof t->what, "%s%s%s", verb, object ? " " : "", object ? object : "");
}

static void look_for_switch(struct worker *w);

static bool on_progress(void *arg, int64_t done, int64_t total)
{
	struct task *t = arg;
	struct event *ev = event_new(EV_PROGRESS, t->job);

	if (t->job == JOB_ANSWER)
		look_for_switch(t->w);
	if (ev) {
		memcpy(ev->what, t->what, sizeof ev->what);
		ev->done = done;
		ev->total = total;
		read_gauges(t->w, NULL, false, &ev->g);
		if (t->prefill) {
			ev->g.stats.n_prefill = (int32_t)done;
			ev->g.stats.prefill_ns = os_now_ns() - t->start_ns;
		}
		put(t->w, ev);
	}
	return !atomic_load(&t->w->cancelled);
}

static void on_text(void *arg, const char *text, size_t n, const struct answer_stats *s)
{
	struct task *t = arg;
	struct worker *w = t->w;
	struct event *ev = event_new(EV_TEXT, t->job);
	const int64_t now = os_now_ns();

	look_for_switch(w);
	if (!ev)
		return;
	str_add(&ev->text, text, n);
	/* the prompt's pages are seen with the first token */
	read_gauges(w, s, s->n_gen <= 1, &ev->g);
	answer_stats_join(&ev->g.stats, &t->had);
	ev->g.decode_now = speed_rate(&w->speed, now, s->n_gen);
	speed_add(&w->speed, now, s->n_gen);
	put(w, ev);
}

/* -- jobs: each fills the event that ends it ---------------------------------------- */

static void opened_free(struct opened *o)
{
	for (struct opened *next; o; o = next) {
		next = o->next;
		if (o->model)
			eng_model_close(o->model);
		profile_release(&o->profile);
		mem_free(o);
	}
}

static struct opened *opened_new(struct err *e)
{
	struct opened *o = mem_calloc(1, sizeof *o);

	if (!o)
		err_set(e, ERR_NOMEM, "no memory to open a model");
	return o;
}

/* The session, and what it stands on, become these; the old ones go. */
static void take_session(struct worker *w, struct eng_weights *weights, struct eng_session *session)
{
	struct eng_session *old = w->session;

	pthread_mutex_lock(&w->lock);
	w->session = w->cancel_session = session;
	pthread_mutex_unlock(&w->lock);
	eng_session_free(old);
	eng_weights_release(w->weights);
	w->weights = weights;
	eng_sampler_free(w->sampler);
	w->sampler = NULL;
	w->prefill_rate = 0;
	w->mem_ns = 0;
}

static void close_model(struct worker *w)
{
	take_session(w, NULL, NULL);
	opened_free(w->now);
	w->now = NULL;
}

/* The same for two vocabularies with the same tokens in the same order. */
static uint64_t vocab_of(struct eng_model *m)
{
	const int64_t n = eng_model_info(m)->n_tokens;
	uint64_t h = HASH_EMPTY;

	for (int64_t id = 0; id < n && id <= INT32_MAX; id++) {
		size_t len = 0;
		const char *p = eng_token(m, (int32_t)id, &len);

		h = hash_number(h, len);
		h = p ? hash_bytes(h, p, len) : h;
	}
	return h ? h : 1;
}

static int open_file(struct worker *w, const char *word, struct opened *o, struct err *e)
{
	const struct eng_opts eo = { .threads = w->o->threads, .isa = w->o->isa };
	struct str own, path;
	int r = -1;

	str_init(&own, 0);
	str_init(&path, 0);
	if (!w->eng && eng_new(&w->eng, &eo, e))
		goto out;
	if (paths_expand(word, &own, e) < 0 || store_resolve(own.p, w->o->folders, &path, e) < 0)
		goto out;
	/* a tokenizer that cannot be built is told before memory and time go into weights */
	if (!eng_model_open(w->eng, path.len ? path.p : own.p, false, &o->model, e))
		r = eng_text(o->model, e) ? -1 : 0;
out:
	str_release(&own);
	str_release(&path);
	return r;
}

static int open_session(struct worker *w, const struct job *j, const struct opened *o, struct eng_weights **weights,
			struct eng_session **session, struct err *e)
{
	struct eng_session_opts so;
	struct eng_need need;
	char what[32];
	struct task t;

	task_init(&t, w, JOB_OPEN, false, levelname_work(what, sizeof what, eng_model_info(o->model), j->level), NULL);
	if (rig_session_opts(w->o, w->o->n_ctx, &so, e) < 0 || need_check(o->model, j->level, &so, w->o->force, &need, e) < 0 ||
	    eng_weights_get(o->model, j->level, on_progress, &t, weights, e))
		return -1;
	return eng_session_new(*weights, &so, session, e);
}

/* What is known of the model besides its file: mistakes in that are told, and harm nothing. */
static int open_profile(struct worker *w, struct opened *o, struct str *complaints, struct err *e)
{
	const struct opt_list *stops = &w->o->stop;

	if (profile_load(&o->profile, eng_model_info(o->model), complaints, e))
		return -1;
	for (int i = 0; i < o->profile.n_stops; i++)
		stop_add(&o->stop_texts, o->profile.stops[i]);
	for (int i = 0; i < stops->n; i++)
		stop_add(&o->stop_texts, stops->v[i]);
	if (w->tools_read || !w->o->tools_path)
		return 0;
	w->tools_read = !tools_read(w->o->tools_path, &w->tools, e);
	return w->tools_read ? 0 : -1;
}

static void report_unheard(struct event *ev, const char *option)
{
	str_addf(&ev->text, "%s%s makes nothing of %s", ev->text.len ? "\n" : "",
		 ev->plain_why[0] ? "a model without a template" : "the model's template", option);
}

static void report_template(struct worker *w, struct event *ev)
{
	const char *why = NULL;

	if (!w->o->raw && !eng_has_template(w->now->model, &why))
		snprintf(ev->plain_why, sizeof ev->plain_why, "%s", why ? why : "it has no chat template");
	else if (!w->o->raw && why)
		snprintf(ev->template_note, sizeof ev->template_note, "%s", why);
	if (!w->o->raw && w->tools.len && !tools_heard(w->now->model, w->tools.p))
		report_unheard(ev, "--tools");
	if (!w->o->raw && !strcmp(w->o->think, "on") && !thinking_heard(w->now->model))
		report_unheard(ev, "--think on");
}

static int run_open(struct worker *w, const struct job *j, struct event *ev)
{
	struct opened *o = opened_new(&ev->err);
	struct eng_weights *weights = NULL;
	struct eng_session *session = NULL;

	if (w->now && j->cancelled) {
		err_set(&ev->err, ERR_CANCELLED, "stopped");
		goto fail;
	}
	if (!o || open_file(w, j->path, o, &ev->err) || open_session(w, j, o, &weights, &session, &ev->err) ||
	    open_profile(w, o, &ev->text, &ev->err))
		goto fail;
	take_session(w, weights, session);
	o->vocab = vocab_of(o->model);
	o->next = w->now;
	w->now = o;
	ev->kind = EV_OPENED;
	ev->opened = o;
	level_report(w->session, &ev->level);
	report_template(w, ev);
	return 0;
fail:
	eng_session_free(session);
	eng_weights_release(weights);
	opened_free(o);
	return -1;
}

/* -- the prompt, and room for it ---------------------------------------------------- */

/* Where the turn begins that follows the first n: at the question after them. */
static size_t turn_at(const struct job *j, int n)
{
	size_t i = 0;

	while (i < j->n_msgs && !strcmp(j->msgs[i].role, "system"))
		i++;
	for (; i < j->n_msgs; i++)
		if (!strcmp(j->msgs[i].role, "user") && n-- == 0)
			break;
	return i;
}

static int count_turns(const struct job *j)
{
	int n = 0;

	for (size_t i = 0; i < j->n_msgs; i++)
		n += !strcmp(j->msgs[i].role, "user");
	return n;
}

static int tokens_raw(struct worker *w, const struct job *j, size_t from, size_t to, struct eng_ids *out, struct err *e)
{
	struct str all;
	int r;

	str_init(&all, 0);
	for (size_t i = 0; i < j->n_msgs; i++)
		if (i < from || i >= to)
			str_adds(&all, j->msgs[i].text);
	r = all.failed ? err_set(e, ERR_NOMEM, "no memory for the conversation") :
		eng_tokenize(w->now->model, all.p, all.len, false, out, e);
	str_release(&all);
	return r;
}

static int tokens_chat(struct worker *w, const struct job *j, size_t from, size_t to, struct eng_ids *out, struct err *e)
{
	const struct eng_chat_opts co = { .thinking = j->thinking, .tools = w->tools.len ? w->tools.p : NULL };
	struct eng_msg *m = mem_array(j->n_msgs, sizeof *m);
	size_t n = 0;
	int r;

	if (!m)
		return err_set(e, ERR_NOMEM, "no memory for the conversation");
	for (size_t i = 0; i < j->n_msgs; i++) {
		const struct job_msg *jm = &j->msgs[i];
		const bool same = jm->vocab == w->now->vocab;

		if (i < from || i >= to)
			m[n++] = (struct eng_msg){ .role = jm->role, .text = jm->text, .len = strlen(jm->text),
						   .ids = same ? jm->ids : NULL, .n_ids = same ? jm->n_ids : 0,
						   .rest = jm->rest };
	}
	r = eng_chat(w->now->model, m, n, &co, out, e);
	mem_free(m);
	return r;
}

struct asked { struct worker *w; const struct job *j; };

/* The prompt without the first turns, and the answer's own beginning behind it. */
static int tokens(void *arg, int drop, struct eng_ids *out, struct err *e)
{
	const struct asked *a = arg;
	const struct job *j = a->j;
	const size_t from = turn_at(j, 0), to = turn_at(j, drop);

	if (j->raw ? tokens_raw(a->w, j, from, to, out, e) : tokens_chat(a->w, j, from, to, out, e))
		return -1;
	for (size_t i = 0; i < j->begun.n; i++)
		if (eng_ids_add(out, j->begun.p[i]) < 0)
			return err_set(e, ERR_NOMEM, "no memory for the conversation");
	return 0;
}

/* How long n tokens take, by the last prefill; where there was none, the first of these are computed to see. */
static int64_t prefill_time(struct worker *w, const struct eng_ids *ids)
{
	enum { TRIAL = 32 };
	struct eng_sync st = { 0 };
	const int32_t n = ids->n < TRIAL ? (int32_t)ids->n : TRIAL;
	const int64_t t = os_now_ns();

	if (w->prefill_rate <= 0 && n && !eng_session_len(w->session) && !eng_session_sync(w->session, ids->p, n, &st, NULL))
		w->prefill_rate = (double)n * 1e9 / (double)(os_now_ns() - t + 1);
	return w->prefill_rate > 0 ? (int64_t)((double)ids->n / w->prefill_rate * 1e9) : 0;
}

static void note_rate(struct worker *w, const struct answer_stats *s)
{
	enum { ENOUGH = 32 };

	if (s->n_prefill >= ENOUGH || (w->prefill_rate <= 0 && s->n_prefill > 1))
		w->prefill_rate = answer_prefill_rate(s);
}

/*
 * Before anything is computed or dropped. One position must be left for the answer. Without room
 * the oldest turns go where the job says so; else it is refused, and r tells what could be done.
 */
static int check_fit(struct worker *w, const struct job *j, struct eng_ids *ids, struct room *r, struct err *e)
{
	struct asked a = { w, j };
	struct eng_mem mem;
	struct str s;

	*r = (struct room){ .need = (int64_t)ids->n, .ctx = eng_session_ctx(w->session), .turns = count_turns(j) };
	if (r->need < r->ctx) {
		r->need = 0;
		return 0;
	}
	eng_session_mem(w->session, &mem);
	if (room_find(r, j->n_max, tokens, &a, ids, e) < 0)
		return -1;
	r->grow_bytes = (uint64_t)((double)mem.kv_reserved / (double)r->ctx * (double)(r->grow_ctx - r->ctx));
	if (r->drop)
		r->prefill_ns = prefill_time(w, ids);
	if (r->drop && j->drop_oldest)
		return 0;
	str_init(&s, 0);
	room_text(r, 0, &s);
	err_set(e, ERR_CONTEXT, "%s", s.p);
	str_release(&s);
	return -1;
}

static int set_sampler(struct worker *w, const struct eng_sample_opts *so, struct err *e)
{
	if (w->sampler)
		eng_sampler_set(w->sampler, so);
	else
		w->sampler = eng_sampler_new(so, e);
	return w->sampler ? 0 : -1;
}

/* How the answer is sampled: what was given, and for the rest what the profile says. */
static struct eng_sample_opts sampling(const struct worker *w, const struct job *j)
{
	struct opts o = { .sample = j->sample, .think = j->thinking == 0 ? "off" : "auto" };

	memcpy(o.given, j->given, sizeof o.given);
	if (j->fill)
		profile_fill(&w->now->profile, &o);
	return o.sample;
}

static int answer_job(struct worker *w, const struct job *j, struct event *ev)
{
	const struct eng_sample_opts so = sampling(w, j);
	struct asked all = { w, j };
	struct eng_ids prompt = { 0 };
	struct answer a;
	struct task t;
	int r = -1;

	if (tokens(&all, 0, &prompt, &ev->err))
		goto out;
	if (check_fit(w, j, &prompt, &ev->room, &ev->err) || set_sampler(w, &so, &ev->err))
		goto out;
	task_init(&t, w, JOB_ANSWER, true, "prefill", NULL);
	t.had = j->had;
	w->speed.n = 0;
	a = (struct answer){
		.model = w->now->model, .session = w->session, .sampler = w->sampler,
		.prompt = prompt.p, .n_prompt = (int32_t)prompt.n, .n_max = j->n_max,
		.n_begun = (int32_t)j->begun.n, .stop = &w->now->stop_texts,
		.marks = { j->raw ? "" : w->now->profile.think_open, j->raw ? "" : w->now->profile.think_close },
		.no_thinking = j->thinking == 0,
		.text = on_text, .progress = on_progress, .arg = &t,
	};
	r = answer_run(&a, &ev->err);
	ev->ids = a.ids;
	ev->end = a.end;
	note_rate(w, &a.stats);
	answer_stats_join(&a.stats, &t.had);
	ev->g.stats = a.stats;
out:
	eng_ids_release(&prompt);
	return r;
}

/* The answer that it wanted out of its way has ended: another one is none of it. */
static void stop_no_more(struct worker *w)
{
	if (w->making)
		w->making->job->stops = false;
}

static int run_answer(struct worker *w, const struct job *j, struct event *ev)
{
	int r;

	ev->kind = EV_ANSWERED;
	if (!w->session)
		return err_set(&ev->err, ERR_NOT_FOUND, "no model is open");
	if (j->cancelled) {
		ev->end = ANSWER_STOPPED;
		return 0;
	}
	if (j->begun.n && j->begun_vocab != w->now->vocab)
		return err_set(&ev->err, ERR_ARG, "the answer is of a model with another vocabulary: /regen writes it anew");
	r = answer_job(w, j, ev);
	stop_no_more(w);
	return r;
}

/* What a handover tells: its prefill is of the session that can be cancelled then. */
static void on_begin(void *arg, const char *verb, const char *object, struct eng_session *at_work)
{
	struct task *t = arg;
	struct worker *w = t->w;

	task_init(t, w, JOB_LEVEL, object == NULL, verb, object);
	pthread_mutex_lock(&w->lock);
	w->cancel_session = at_work;
	w->beside = at_work != w->session ? at_work : NULL;
	if (at_work && atomic_load(&w->cancelled))
		eng_session_cancel(at_work);
	pthread_mutex_unlock(&w->lock);
}

/* -- levels, made beside other jobs -------------------------------------------------- */

static bool on_made(void *arg, int64_t done, int64_t total)
{
	struct making *k = arg;
	struct worker *w = k->w;
	struct event *ev = event_new(EV_PROGRESS, JOB_LEVEL), *old;

	if (ev) {
		ev->beside = true;
		levelname_work(ev->what, sizeof ev->what, eng_model_info(w->now->model), k->job->level);
		ev->done = done;
		ev->total = total;
		pthread_mutex_lock(&w->lock);
		old = w->making_progress;
		w->making_progress = ev;
		pthread_mutex_unlock(&w->lock);
		event_free(old);
		loop_wake(w->loop);
	}
	return !atomic_load(&k->cancelled);
}

static void on_making_ended(void *arg)
{
	struct making *k = arg;

	pthread_mutex_lock(&k->w->lock);
	k->ended = true;
	pthread_cond_signal(&k->w->more);
	pthread_mutex_unlock(&k->w->lock);
}

static struct handover handover_of(struct worker *w, const struct job *j, struct task *t)
{
	*t = (struct task){ .w = w };
	return (struct handover){
		.model = w->now->model, .o = w->o, .level = j->level, .borrowed = j->borrowed, .begin = on_begin,
		.progress = on_progress, .arg = t, .weights = w->weights, .session = w->session,
	};
}

/* What is made is no longer beside anything; its weights, if all went well. */
static int end_making(struct worker *w, struct eng_weights **out, struct err *e)
{
	struct making *k = w->making;
	int r;

	*out = NULL;
	r = maker_free(k->maker, out, e);
	pthread_mutex_lock(&w->lock);
	w->making = NULL;
	pthread_mutex_unlock(&w->lock);
	if (!r && atomic_load(&k->cancelled)) {
		eng_weights_release(*out);
		*out = NULL;
		r = err_set(e, ERR_CANCELLED, "stopped");
	}
	/* what was made of it; where all went well, the old level's end does that */
	if (r)
		os_give_back();
	mem_free(k);
	return r;
}

static struct job *pop(struct worker *w)
{
	struct job *j = w->jobs;

	w->jobs = j->next;
	if (!w->jobs)
		w->jobs_end = &w->jobs;
	return j;
}

/*
 * Of the job that runs, or, queued, of the first one in the queue, which leaves it at the same moment that a cancel finds
 * it as what is made. -1: it could not be, and the job's error says why.
 */
static int begin_making(struct worker *w, struct job *j, bool queued)
{
	struct making *k = mem_calloc(1, sizeof *k);
	struct err *e = &j->last->err;
	struct handover h;
	struct task t;

	pthread_mutex_lock(&w->lock);
	if (queued)
		pop(w);
	if (k) {
		k->w = w;
		k->job = j;
		/* what was asked to stop since it was taken */
		atomic_init(&k->cancelled, queued ? j->cancelled : atomic_load(&w->cancelled));
		w->making = k;
	}
	pthread_mutex_unlock(&w->lock);
	if (!k) {
		err_set(e, ERR_NOMEM, "no memory to make a level");
	} else if (!w->session) {
		err_set(e, ERR_NOT_FOUND, "no model is open");
	} else if (atomic_load(&k->cancelled)) {
		err_set(e, ERR_CANCELLED, "stopped");
	} else {
		h = handover_of(w, j, &t);
		if (handover_check(&h, e) >= 0 &&
		    !maker_new(&k->maker, h.model, j->level, w->o->threads, on_made, on_making_ended, k, e))
			return 0;
	}
	pthread_mutex_lock(&w->lock);
	w->making = NULL;
	pthread_mutex_unlock(&w->lock);
	mem_free(k);
	return -1;
}

static void end_job(struct worker *w, struct job *j);

/* The first job is a switch that wants the running answer out of its way: it waits until its level is there. */
static void begin_beside(struct worker *w)
{
	struct job *j;

	/* others only append */
	pthread_mutex_lock(&w->lock);
	j = w->jobs && w->jobs->kind == JOB_LEVEL && w->jobs->stops ? w->jobs : NULL;
	pthread_mutex_unlock(&w->lock);
	if (j && begin_making(w, j, true))
		end_job(w, j);
}

/* Is a level made, so that it can be handed over to? */
static bool made(const struct worker *w)
{
	return w->making && w->making->ended;
}

/*
 * Between the steps of an answer: its level goes on until the other one is there. What cannot be, or is in use already,
 * stops no answer.
 */
static void look_for_switch(struct worker *w)
{
	const struct eng_weights *neu;
	bool there, stop;

	if (!w->making)
		begin_beside(w);
	if (!w->making)
		return;
	pthread_mutex_lock(&w->lock);
	there = made(w);
	neu = there && !atomic_load(&w->making->cancelled) ? maker_weights(w->making->maker) : NULL;
	stop = neu && neu != w->weights && w->making->job->stops;
	if (stop) {
		atomic_store(&w->cancelled, true);
		eng_session_cancel(w->session);
	}
	pthread_mutex_unlock(&w->lock);
	if (there && (!neu || neu == w->weights))
		end_job(w, w->making->job);
}

/* What is left when the level is made, or was not. */
static int run_level(struct worker *w, const struct job *j, struct event *ev)
{
	struct eng_weights *neu;
	struct handover h;
	struct task t;
	int r = -1;

	ev->kind = EV_LEVEL;
	if (w->making && !end_making(w, &neu, &ev->err)) {
		h = handover_of(w, j, &t);
		r = handover_run(&h, neu, &ev->level, &ev->err);
		pthread_mutex_lock(&w->lock);
		w->weights = h.weights;
		w->session = w->cancel_session = h.session;
		w->beside = NULL;
		pthread_mutex_unlock(&w->lock);
	}
	/* also with a failure: it tells which level is in use */
	if (w->session)
		level_report(w->session, &ev->level);
	return r;
}

/* The old session stays until the new one is there. */
static int run_grow(struct worker *w, const struct job *j, struct event *ev)
{
	struct eng_session_opts so;
	struct eng_session *neu = NULL, *old = w->session;
	const struct eng_weights_info *wi;
	struct eng_need need;

	ev->kind = EV_GROWN;
	if (!old)
		return err_set(&ev->err, ERR_NOT_FOUND, "no model is open");
	if (j->cancelled)
		return err_set(&ev->err, ERR_CANCELLED, "stopped");
	wi = eng_weights_info(w->weights);
	if (rig_session_opts(w->o, j->n_ctx, &so, &ev->err) ||
	    need_check(w->now->model, wi->made ? wi->level : NULL, &so, w->o->force, &need, &ev->err) ||
	    eng_session_new(w->weights, &so, &neu, &ev->err))
		return -1;
	pthread_mutex_lock(&w->lock);
	w->session = w->cancel_session = neu;
	pthread_mutex_unlock(&w->lock);
	eng_session_free(old);
	return 0;
}

static int run_count(struct worker *w, const struct job *j, struct event *ev)
{
	struct asked all = { w, j };
	struct eng_ids ids = { 0 };
	int r;

	ev->kind = EV_COUNTED;
	if (!w->session)
		return err_set(&ev->err, ERR_NOT_FOUND, "no model is open");
	if (j->cancelled)
		return err_set(&ev->err, ERR_CANCELLED, "stopped");
	r = tokens(&all, 0, &ids, &ev->err);
	ev->n_tokens = (int64_t)ids.n;
	eng_ids_release(&ids);
	return r;
}

static int run_reset(struct worker *w, const struct job *j, struct event *ev)
{
	(void)j;
	ev->kind = EV_RESET;
	eng_sampler_free(w->sampler);
	w->sampler = NULL;
	if (!w->session)
		return 0;
	eng_session_uncancel(w->session);
	return eng_session_sync(w->session, NULL, 0, &(struct eng_sync){ 0 }, &ev->err);
}

typedef int run_fn(struct worker *w, const struct job *j, struct event *ev);
static run_fn *const runs[] = {
	[JOB_OPEN] = run_open,
	[JOB_ANSWER] = run_answer,
	[JOB_LEVEL] = run_level,
	[JOB_GROW] = run_grow,
	[JOB_COUNT] = run_count,
	[JOB_RESET] = run_reset,
};

static void run_job(struct worker *w, const struct job *j, struct event *ev)
{
	struct answer_stats stats;

	if (runs[j->kind](w, j, ev)) {
		assert(ev->err.code != ERR_NONE);
		ev->kind = EV_FAILED;
	}
	stats = ev->g.stats;
	read_gauges(w, &stats, true, &ev->g);
}

/* Runs what is left of it, and tells what came of it. */
static void end_job(struct worker *w, struct job *j)
{
	struct event *ev = j->last;

	j->last = NULL;
	run_job(w, j, ev);
	job_free(j);
	put(w, ev);
}

/* -- the thread -------------------------------------------------------------------- */

/* Under the lock, which is left while models are closed. */
static void forget(struct worker *w)
{
	struct opened *o = w->now, *old = NULL;

	while (o && o != w->forget)
		o = o->next;
	if (o) {
		old = o->next;
		o->next = NULL;
	}
	w->forget = NULL;
	pthread_mutex_unlock(&w->lock);
	opened_free(old);
	pthread_mutex_lock(&w->lock);
}

/* Does the first job leave alone what a level is made of? All others wait until it is made. */
static bool may_run(const struct worker *w)
{
	static const bool alone[] = { [JOB_OPEN] = true, [JOB_LEVEL] = true, [JOB_GROW] = true, [JOB_RESET] = false };

	return w->jobs && (!w->making || !alone[w->jobs->kind]);
}

/* The next job, ready to run: what was asked to stop before it began stays stopped. NULL: leave. */
static struct job *next_job(struct worker *w)
{
	struct job *j = NULL;

	pthread_mutex_lock(&w->lock);
	w->busy = false;
	for (;;) {
		if (w->forget)
			forget(w);
		else if (w->stop || made(w) || may_run(w))
			break;
		else
			pthread_cond_wait(&w->more, &w->lock);
	}
	if (!w->stop) {
		j = made(w) ? w->making->job : pop(w);
		w->busy = true;
		w->kind = j->kind;
		atomic_store(&w->cancelled, made(w) ? atomic_load(&w->making->cancelled) : j->cancelled);
		if (w->cancel_session)
			eng_session_uncancel(w->cancel_session);
	}
	pthread_mutex_unlock(&w->lock);
	return j;
}

static void drop_making(struct worker *w)
{
	struct eng_weights *weights;
	struct job *j;
	struct err e;

	if (!w->making)
		return;
	atomic_store(&w->making->cancelled, true);
	j = w->making->job;
	if (!end_making(w, &weights, &e))
		eng_weights_release(weights);
	job_free(j);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct job *j;

	loop_block_signals();
	while ((j = next_job(w))) {
		/* it comes again when it is made, and stops no answer that came after it */
		if (j->kind == JOB_LEVEL && !w->making) {
			j->stops = false;
			if (!begin_making(w, j, false))
				continue;
		}
		end_job(w, j);
	}
	drop_making(w);
	close_model(w);
	str_release(&w->tools);
	eng_free(w->eng);
	return NULL;
}

int worker_new(struct worker **out, struct loop *l, const struct opts *o, struct err *e)
{
	struct worker *w = mem_calloc(1, sizeof *w);

	if (!w)
		return err_set(e, ERR_NOMEM, "no memory for the worker");
	w->loop = l;
	w->o = o;
	w->jobs_end = &w->jobs;
	str_init(&w->tools, 0);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	if (os_thread(&w->thread, work, w)) {
		pthread_mutex_destroy(&w->lock);
		pthread_cond_destroy(&w->more);
		mem_free(w);
		return err_set(e, ERR_LIMIT, "cannot start the worker thread");
	}
	*out = w;
	return 0;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	worker_cancel(w);
	pthread_join(w->thread, NULL);
	for (struct job *j = w->jobs, *next; j; j = next) {
		next = j->next;
		job_free(j);
	}
	for (struct event *ev = worker_events(w), *next; ev; ev = next) {
		next = ev->next;
		event_free(ev);
	}
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->more);
	mem_free(w);
}
