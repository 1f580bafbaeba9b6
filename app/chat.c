/*
 * The conversation on the main thread: what is asked becomes jobs, what the worker tells
 * becomes items and gauges. Views read struct chat; only this file and the commands
 * (slash.c) change it.
 */
#include "config.h"
#include "app/chat.h"
#include "app/units.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const int64_t rate_step_ns = 100000000;	/* between points of the graph */
enum { RATE_MIN_TOKENS = 8 };			/* shorter answers say nothing of a level's speed */

/* -- items ------------------------------------------------------------------------- */

static void touch(struct chat *c, struct chat_item *i)
{
	c->version++;
	if (i)
		i->version = c->version;
}

static struct chat_item *item_add(struct chat *c, enum item_kind kind)
{
	struct chat_item **items = mem_rearray(c->items, c->n_items + 1, sizeof *items);
	struct chat_item *i;

	if (!items)
		return NULL;
	c->items = items;
	i = mem_calloc(1, sizeof *i);
	if (!i)
		return NULL;
	i->kind = kind;
	i->serial = ++c->n_made;
	str_init(&i->text, 0);
	items[c->n_items++] = i;
	touch(c, i);
	return i;
}

static void item_free(struct chat_item *i)
{
	mem_free(i->label);
	str_release(&i->text);
	eng_ids_release(&i->ids);
	mem_free(i);
}

static size_t item_index(const struct chat *c, const struct chat_item *i)
{
	size_t at = 0;

	while (at < c->n_items && c->items[at] != i)
		at++;
	return at;
}

static void item_remove(struct chat *c, size_t at)
{
	assert(at < c->n_items);
	item_free(c->items[at]);
	c->n_items--;
	memmove(c->items + at, c->items + at + 1, (c->n_items - at) * sizeof *c->items);
	touch(c, NULL);
}

static void set_label(struct chat *c, struct chat_item *i, int level)
{
	struct str s;

	str_init(&s, 0);
	str_adds(&s, c->name);
	if (level < c->n_levels)
		str_addf(&s, " · %s", c->levels[level].name);
	mem_free(i->label);
	i->label = str_take(&s);
	touch(c, i);
}

static void add_note(struct chat *c, bool error, const char *fmt, va_list ap)
{
	struct chat_item *i = item_add(c, ITEM_NOTE);

	if (!i)
		return;
	i->error = error;
	str_vaddf(&i->text, fmt, ap);
}

void chat_note(struct chat *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_note(c, false, fmt, ap);
	va_end(ap);
}

void chat_complain(struct chat *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_note(c, true, fmt, ap);
	va_end(ap);
}

const char *chat_bytes(char *buf, size_t size, uint64_t bytes)
{
	return units_bytes(buf, size, bytes);
}

static void give_back(struct chat *c, const char *text)
{
	mem_free(c->draft);
	c->draft = mem_strdup(text);
	touch(c, NULL);
}

/* -- asking ------------------------------------------------------------------------ */

/* The state when nothing tells of itself just now. */
static void settle(struct chat *c)
{
	if (c->info)
		c->state = c->n_switches ? CHAT_SWITCHING : c->answer ? CHAT_PREFILL : CHAT_IDLE;
	c->what = NULL;
	c->done = c->total = 0;
	touch(c, NULL);
}

static int copy_msg(struct job_msg *m, const char *role, const struct str *text, const struct eng_ids *ids)
{
	m->role = role;
	m->text = mem_strndup(text->p, text->len);
	if (!m->text)
		return -1;
	if (!ids || !ids->n)
		return 0;
	m->ids = mem_array(ids->n, sizeof *m->ids);
	if (!m->ids)
		return -1;
	memcpy(m->ids, ids->p, ids->n * sizeof *m->ids);
	m->n_ids = ids->n;
	return 0;
}

/* An answer that ended inside its thinking gets the closing mark, so that a template can tell what it was. */
static int copy_answer(const struct chat *c, struct job_msg *m, const struct chat_item *i)
{
	const struct think *t = &i->stats.think;
	struct str s;
	int r;

	if (t->state != THINK_INSIDE) {
		r = copy_msg(m, "assistant", &i->text, &i->ids);
		m->rest = t->state == THINK_OVER ? t->rest : 0;
		return r;
	}
	str_init(&s, 0);
	str_addf(&s, "%s\n%s\n\n", i->text.p, worker_profile(c->worker)->think_close);
	r = s.failed ? -1 : copy_msg(m, "assistant", &s, NULL);
	str_release(&s);
	return r;
}

/* The system prompt, then what was said, up to the answer that is wanted. */
static int copy_msgs(const struct chat *c, struct job *j)
{
	const char *sys = c->o->system;

	j->msgs = mem_calloc(c->n_items + 1, sizeof *j->msgs);
	if (!j->msgs)
		return -1;
	if (sys && *sys) {
		const struct str s = { .p = (char *)sys, .len = strlen(sys) };

		if (copy_msg(&j->msgs[j->n_msgs++], "system", &s, NULL))
			return -1;
	}
	for (size_t i = 0; i < c->n_items && c->items[i] != c->answer; i++) {
		const struct chat_item *it = c->items[i];

		if (it->kind == ITEM_USER && copy_msg(&j->msgs[j->n_msgs++], "user", &it->text, NULL))
			return -1;
		if (it->kind == ITEM_ANSWER && copy_answer(c, &j->msgs[j->n_msgs++], it))
			return -1;
	}
	return 0;
}

static int post_answer(struct chat *c)
{
	struct job *j = job_new(JOB_ANSWER);

	if (!j || copy_msgs(c, j)) {
		job_free(j);
		return -1;
	}
	j->raw = c->o->raw;
	j->sample = c->o->sample;
	j->n_max = c->o->n;
	j->thinking = !strcmp(c->o->think, "on") ? 1 : !strcmp(c->o->think, "off") ? 0 : -1;
	j->fill = true;
	memcpy(j->given, c->o->given, sizeof j->given);
	worker_post(c->worker, j);
	return 0;
}

/* Takes the question and its empty answer out of the conversation; the text is the draft again. */
static void withdraw(struct chat *c)
{
	size_t at = item_index(c, c->answer);

	c->answer = NULL;
	item_remove(c, at);
	while (at-- && c->items[at]->kind != ITEM_USER)
		continue;
	assert(at < c->n_items);
	give_back(c, c->items[at]->text.p);
	item_remove(c, at);
}

static void ask(struct chat *c, const char *text)
{
	struct chat_item *q = item_add(c, ITEM_USER);

	if (!q)
		goto fail;
	str_adds(&q->text, text);
	c->answer = item_add(c, ITEM_ANSWER);
	if (!c->answer) {
		item_remove(c, c->n_items - 1);
		goto fail;
	}
	c->answer->running = true;
	c->again = false;
	set_label(c, c->answer, c->target);
	if (q->text.failed || post_answer(c)) {
		withdraw(c);
		goto fail;
	}
	if (c->state == CHAT_IDLE)
		settle(c);
	return;
fail:
	give_back(c, text);
	chat_complain(c, "no memory for this message");
	c->failed = true;
}

void chat_submit(struct chat *c, const char *text)
{
	if (!text[strspn(text, " \t\r\n")])
		return;
	if (*text == '/') {
		slash_run(c, text);
		return;
	}
	if (c->answer) {
		give_back(c, text);
		chat_complain(c, "an answer is running: Ctrl-C stops it");
		return;
	}
	if (c->state == CHAT_FAILED) {
		give_back(c, text);
		chat_complain(c, "no model is open");
		c->failed = true;
		return;
	}
	ask(c, text);
}

bool chat_stop(struct chat *c)
{
	if (!c->answer && !c->n_switches)
		return false;
	c->again = false;
	worker_cancel(c->worker);
	return true;
}

static int find_level(const struct chat *c, const char *name)
{
	for (int i = 0; i < c->n_levels; i++)
		if (!strcasecmp(c->levels[i].name, name))
			return i;
	return -1;
}

void chat_set_level(struct chat *c, int level)
{
	struct job *j;

	if (level < 0 || level >= c->n_levels || level == c->target)
		return;
	j = job_new(JOB_LEVEL);
	if (j)
		j->level = mem_strdup(c->levels[level].name);
	if (!j || !j->level) {
		job_free(j);
		chat_complain(c, "no memory to switch levels");
		return;
	}
	if (c->answer || c->n_switches) {
		c->again = c->answer != NULL;
		worker_cancel(c->worker);
	}
	c->target = level;
	c->n_switches++;
	worker_post(c->worker, j);
	if (c->state == CHAT_IDLE)
		settle(c);
	touch(c, NULL);
}

void chat_step_level(struct chat *c, int step)
{
	chat_set_level(c, c->target + step);
}

void chat_reset(struct chat *c)
{
	struct job *j = job_new(JOB_RESET);

	assert(!c->answer);
	while (c->n_items)
		item_free(c->items[--c->n_items]);
	c->g.stats = (struct answer_stats){ 0 };
	touch(c, NULL);
	if (j)
		worker_post(c->worker, j);
}

/* -- what the worker tells ---------------------------------------------------------- */

static void take_gauges(struct chat *c, const struct event *ev)
{
	const struct answer_stats stats = c->g.stats;

	c->g = ev->g;
	/* only an answer has figures of an answer */
	if (ev->job != JOB_ANSWER || ev->kind == EV_FAILED)
		c->g.stats = stats;
}

static void take_rate(struct chat *c, double rate)
{
	const int64_t now = os_now_ns();

	if (rate <= 0 || now - c->rate_ns < rate_step_ns)
		return;
	c->rate_ns = now;
	if (c->n_rates == CHAT_RATE_HISTORY)
		memmove(c->rates, c->rates + 1, (size_t)--c->n_rates * sizeof *c->rates);
	c->rates[c->n_rates++] = rate;
}

static void on_progress(struct chat *c, struct event *ev)
{
	static const enum chat_state states[] = {
		[JOB_OPEN] = CHAT_LOADING, [JOB_ANSWER] = CHAT_PREFILL,
		[JOB_LEVEL] = CHAT_SWITCHING, [JOB_RESET] = CHAT_IDLE,
	};

	c->state = states[ev->job];
	memcpy(c->what_buf, ev->what, sizeof c->what_buf);
	c->what = c->what_buf;
	c->done = ev->done;
	c->total = ev->total;
}

static int copy_levels(struct chat *c)
{
	const struct eng_level *l;
	const int n = eng_model_levels(worker_model(c->worker), &l);

	c->levels = mem_calloc((size_t)n, sizeof *c->levels);
	if (!c->levels)
		return -1;
	for (int i = 0; i < n; i++) {
		struct chat_level *d = &c->levels[i];

		snprintf(d->name, sizeof d->name, "%s", l[i].name);
		d->bytes = l[i].bytes;
		d->bpw = l[i].bpw;
		d->own = l[i].own;
	}
	c->n_levels = n;
	return 0;
}

/* A level that the ladder does not offer can be asked for by -q: it gets its place by size. */
static int insert_level(struct chat *c, const struct level_report *r)
{
	struct chat_level *l = mem_rearray(c->levels, (size_t)c->n_levels + 1, sizeof *l);
	int at = 0;

	if (!l)
		return -1;
	c->levels = l;
	while (at < c->n_levels && l[at].bytes > r->bytes)
		at++;
	memmove(l + at + 1, l + at, (size_t)(c->n_levels - at) * sizeof *l);
	c->n_levels++;
	c->level += c->level >= at;
	c->target += c->target >= at;
	l[at] = (struct chat_level){ .bytes = r->bytes, .bpw = r->bpw };
	memcpy(l[at].name, r->name, sizeof l[at].name);
	return at;
}

/* The level in use is what the worker says it is. */
static void use_level(struct chat *c, const struct level_report *r)
{
	int i = find_level(c, r->name);

	if (i < 0 && r->name[0])
		i = insert_level(c, r);
	if (i < 0)
		return;
	c->level = i;
	c->levels[i].made = true;
	c->levels[i].bytes = r->bytes;
	c->levels[i].bpw = r->bpw;
	if (!c->n_switches)
		c->target = i;
	if (c->answer)
		set_label(c, c->answer, c->target);
}

static void on_opened(struct chat *c, struct event *ev)
{
	if (copy_levels(c)) {
		c->state = CHAT_FAILED;
		chat_complain(c, "no memory for the model's levels");
		return;
	}
	c->info = eng_model_info(worker_model(c->worker));
	use_level(c, &ev->level);
	profile_fill(worker_profile(c->worker), c->o);
	if (ev->text.len)
		chat_complain(c, "%s", ev->text.p);
	if (ev->template_note[0])
		chat_note(c, "%s: %s", c->name, ev->template_note);
	if (ev->level.note[0])
		chat_note(c, "%s · %s", ev->level.name, ev->level.note);
	if (ev->plain_why[0])
		chat_note(c, "%s goes on with your text instead of answering it: %s", c->name, ev->plain_why);
	if (c->info->n_ctx_train > 0 && c->g.ctx_size > c->info->n_ctx_train)
		chat_note(c, "a context of %lld is more than the %lld the model was trained on",
			  (long long)c->g.ctx_size, (long long)c->info->n_ctx_train);
	settle(c);
}

static void on_text(struct chat *c, struct event *ev)
{
	if (!c->answer)
		return;
	c->state = CHAT_DECODE;
	c->what = NULL;
	str_add(&c->answer->text, ev->text.p, ev->text.len);
	c->answer->stats = ev->g.stats;
	c->answer->n_think = ev->g.stats.n_think;
	touch(c, c->answer);
	take_rate(c, ev->g.decode_now);
}

static void finish_answer(struct chat *c, struct event *ev)
{
	struct chat_item *i = c->answer;

	c->answer = NULL;
	i->running = false;
	i->stats = ev->g.stats;
	i->n_think = ev->g.stats.n_think;
	i->end = ev->end;
	i->ids = ev->ids;
	ev->ids = (struct eng_ids){ 0 };
	touch(c, i);
	if (i->stats.n_gen >= RATE_MIN_TOKENS && c->level < c->n_levels)
		c->levels[c->level].rate = answer_decode_rate(&i->stats);
}

static void on_answered(struct chat *c, struct event *ev)
{
	const bool again = c->again;

	c->again = false;
	if (!c->answer)
		return;
	if (ev->end == ANSWER_STOPPED && !ev->ids.n) {
		if (!again || post_answer(c))
			withdraw(c);
	} else {
		finish_answer(c, ev);
	}
	settle(c);
}

static void note_level(struct chat *c, const struct level_report *r)
{
	char bytes[32], time[32];
	struct str s;

	str_init(&s, 0);
	str_addf(&s, "now %s", r->name);
	if (r->note[0])
		str_addf(&s, " · %s", r->note);
	str_addf(&s, " · %s", chat_bytes(bytes, sizeof bytes, r->bytes));
	if (r->held && r->prefilled == r->held)
		str_addf(&s, " · exact: %d tokens prefilled again in %s", r->held,
			 units_time(time, sizeof time, r->prefill_ns));
	else if (r->held)
		str_addf(&s, " · exact: %d of %d tokens prefilled again, the rest with the next message",
			 r->prefilled, r->held);
	chat_note(c, "%s", s.p);
	str_release(&s);
}

static void on_level(struct chat *c, struct event *ev)
{
	const int before = c->level;

	c->n_switches--;
	use_level(c, &ev->level);
	/* on the way to another one, it is no mark in the conversation */
	if (!c->n_switches && c->level != before)
		note_level(c, &ev->level);
	settle(c);
}

static void failed_open(struct chat *c, struct event *ev)
{
	c->state = CHAT_FAILED;
	c->failed = true;
	c->what = NULL;
	chat_complain(c, "%s", ev->err.msg);
}

static void failed_answer(struct chat *c, struct event *ev)
{
	c->failed = true;
	if (!c->answer)
		return;
	if (c->answer->text.len || ev->ids.n) {
		ev->end = ANSWER_STOPPED;
		finish_answer(c, ev);
	} else {
		withdraw(c);
	}
	chat_complain(c, "%s", ev->err.msg);
	settle(c);
}

static void failed_level(struct chat *c, struct event *ev)
{
	c->n_switches--;
	use_level(c, &ev->level);
	if (c->n_switches == 0) {
		c->target = c->level;
		if (ev->err.code == ERR_CANCELLED)
			chat_note(c, "stopped: still %s", c->levels[c->level].name);
		else
			chat_complain(c, "%s", ev->err.msg);
	}
	settle(c);
}

static void failed_reset(struct chat *c, struct event *ev)
{
	chat_complain(c, "%s", ev->err.msg);
}

static void on_failed(struct chat *c, struct event *ev)
{
	static void (*const failed[])(struct chat *, struct event *) = {
		[JOB_OPEN] = failed_open, [JOB_ANSWER] = failed_answer,
		[JOB_LEVEL] = failed_level, [JOB_RESET] = failed_reset,
	};

	failed[ev->job](c, ev);
}

static void on_reset(struct chat *c, struct event *ev)
{
	(void)ev;
	settle(c);
}

bool chat_pump(struct chat *c)
{
	static void (*const take[])(struct chat *, struct event *) = {
		[EV_PROGRESS] = on_progress, [EV_OPENED] = on_opened, [EV_TEXT] = on_text,
		[EV_ANSWERED] = on_answered, [EV_LEVEL] = on_level, [EV_RESET] = on_reset,
		[EV_FAILED] = on_failed,
	};
	struct event *ev = worker_events(c->worker);
	const bool any = ev != NULL;

	while (ev) {
		struct event *next = ev->next;

		take_gauges(c, ev);
		take[ev->kind](c, ev);
		event_free(ev);
		ev = next;
	}
	if (any)
		touch(c, NULL);
	return any;
}

/* -- beginning and end -------------------------------------------------------------- */

/* "models/SmolLM2-135M-Instruct.Q4_1.gguf" → "SmolLM2-135M-Instruct": short, and what people call it. */
static char *short_name(const char *path)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t n = strlen(base);
	char buf[128];

	if (n > 5 && !strcasecmp(base + n - 5, ".gguf"))
		n -= 5;
	for (size_t at = n; at-- > 1;) {
		/* a level's name at the end: Q4_1, IQ4_XS, TQ2_0, F16, BF16, I2_S */
		if (base[at] != '.' && base[at] != '-')
			continue;
		if (at + 2 < n && strchr("QqIiTtFfBb", base[at + 1]) && strcspn(base + at, "0123456789") <= 3)
			n = at;
		break;
	}
	return mem_strdup(err_quote(buf, sizeof buf, base, n));
}

static uint64_t fresh_seed(void)
{
	uint32_t r;

	/* 32 bits: it is told, and people type it again */
	if (getentropy(&r, sizeof r))
		r = (uint32_t)(os_now_ns() >> 10) ^ (uint32_t)getpid();
	return r;
}

static int post_open(struct chat *c, struct err *e)
{
	struct job *j = job_new(JOB_OPEN);

	if (j) {
		j->path = mem_strdup(c->o->model);
		j->level = c->o->level ? mem_strdup(c->o->level) : NULL;
	}
	if (!j || !j->path || (c->o->level && !j->level)) {
		job_free(j);
		return err_set(e, ERR_NOMEM, "no memory to open the model");
	}
	worker_post(c->worker, j);
	return 0;
}

int chat_new(struct chat **out, struct loop *l, struct opts *o, struct err *e)
{
	struct chat *c = mem_calloc(1, sizeof *c);

	if (!c)
		return err_set(e, ERR_NOMEM, "no memory for the chat");
	c->loop = l;
	c->o = o;
	c->state = CHAT_LOADING;
	if (!o->model) {
		err_set(e, ERR_ARG, "no model: name a .gguf file");
		goto fail;
	}
	if (!o->seed_set)
		o->sample.seed = fresh_seed();
	c->name = short_name(o->model);
	if (!c->name) {
		err_set(e, ERR_NOMEM, "no memory for the chat");
		goto fail;
	}
	if (worker_new(&c->worker, l, o, e) || post_open(c, e))
		goto fail;
	if (o->note)
		chat_note(c, "%s", o->note);
	*out = c;
	return 0;
fail:
	chat_free(c);
	return -1;
}

void chat_free(struct chat *c)
{
	if (!c)
		return;
	worker_free(c->worker);
	while (c->n_items)
		item_free(c->items[--c->n_items]);
	mem_free(c->items);
	mem_free(c->levels);
	mem_free(c->name);
	mem_free(c->draft);
	mem_free(c);
}
