/*
 * The conversation on the main thread: what is asked becomes jobs, what the worker tells
 * becomes items and gauges. Views read struct chat; only this file and the commands
 * (slash.c) change it.
 */
#include "config.h"
#include "app/chat_impl.h"
#include "app/slash.h"
#include "app/saver.h"
#include "app/units.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

static const int64_t rate_step_ns = 100000000;	/* between points of the graph */
enum { CHAT_FILE_MAX = 16 << 20 };
enum { RATE_MIN_TOKENS = 8 };			/* shorter answers say nothing of a level's speed */

/* -- items ------------------------------------------------------------------------- */

void chat_touch(struct chat *c, struct chat_item *i)
{
	c->version++;
	if (i)
		i->version = c->version;
}

struct chat_item *chat_add_item(struct chat *c, enum item_kind kind)
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
	chat_touch(c, i);
	return i;
}

static void item_free(struct chat_item *i)
{
	if (!i)
		return;
	mem_free(i->label);
	mem_free(i->attached_names);
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

void chat_drop_items(struct chat *c, size_t at)
{
	while (c->n_items > at)
		item_free(c->items[--c->n_items]);
	chat_touch(c, NULL);
}

/* Out of the conversation: the caller's. */
static struct chat_item *item_take(struct chat *c, size_t at)
{
	struct chat_item *i;

	assert(at < c->n_items);
	i = c->items[at];
	c->n_items--;
	memmove(c->items + at, c->items + at + 1, (c->n_items - at) * sizeof *c->items);
	chat_touch(c, NULL);
	return i;
}

static void item_remove(struct chat *c, size_t at)
{
	item_free(item_take(c, at));
}

void chat_label(struct chat *c, struct chat_item *i)
{
	const int level = c->level;
	struct str s;

	str_init(&s, 0);
	str_adds(&s, c->name);
	if (level < c->n_levels)
		str_addf(&s, " · %s", c->levels[level].name);
	if (c->borrowed)
		str_adds(&s, " · borrowed KV");
	mem_free(i->label);
	i->label = str_take(&s);
	chat_touch(c, i);
}

static void add_note(struct chat *c, bool error, const char *fmt, va_list ap)
{
	struct chat_item *i = chat_add_item(c, ITEM_NOTE);

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
	c->failed = true;
}

void chat_doubt(struct chat *c, const char *text)
{
	const bool failed = c->failed;

	chat_complain(c, "%s", text);
	c->failed = failed;
}

const char *chat_bytes(char *buf, size_t size, uint64_t bytes)
{
	return units_bytes(buf, size, bytes);
}

void chat_give_back(struct chat *c, const char *text)
{
	struct str s;

	str_init(&s, 0);
	str_addf(&s, "%s%s", *text == '/' ? "/" : "", text);
	mem_free(c->draft);
	c->draft = str_take(&s);
	chat_touch(c, NULL);
}

static void forget_attached(struct chat *c)
{
	mem_free(c->attached);
	mem_free(c->attached_names);
	c->attached = c->attached_names = NULL;
}

void chat_reattach(struct chat *c, const struct chat_item *q)
{
	struct str text, names;

	if (!q->attached)
		return;
	str_init(&text, 0);
	str_init(&names, 0);
	str_add(&text, q->text.p, q->attached);
	str_adds(&text, c->attached ? c->attached : "");
	str_addf(&names, "%s%s%s", q->attached_names ? q->attached_names : "", c->attached_names ? "; " : "",
		 c->attached_names ? c->attached_names : "");
	if (!text.failed && !names.failed) {
		forget_attached(c);
		c->attached = str_take(&text);
		c->attached_names = str_take(&names);
	}
	str_release(&text);
	str_release(&names);
}

/* What was typed of a message is the draft again, and its files wait for the next one: a line of input need not hold them. */
static void give_item_back(struct chat *c, struct chat_item *q)
{
	chat_reattach(c, q);
	chat_give_back(c, q->text.p + q->attached);
	if (q->attached)
		chat_note(c, "goes with the next message again: %s (/clear drops it)", chat_attached(c));
	item_free(q);
}

/* -- asking ------------------------------------------------------------------------ */

void chat_settle(struct chat *c)
{
	if (c->info)
		c->state = c->n_switches ? CHAT_SWITCHING : c->answer ? CHAT_PREFILL : CHAT_IDLE;
	c->what = NULL;
	c->done = c->total = 0;
	chat_touch(c, NULL);
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
		m->vocab = i->vocab;
		m->rest = t->state == THINK_OVER ? t->rest : 0;
		return r;
	}
	str_init(&s, 0);
	str_addf(&s, "%s\n%s\n\n", i->text.p, c->opened->profile.think_close);
	r = s.failed ? -1 : copy_msg(m, "assistant", &s, NULL);
	str_release(&s);
	return r;
}

int chat_copy_msgs(const struct chat *c, struct job *j)
{
	const char *sys = c->o->system;

	j->msgs = mem_calloc(c->n_items + 2, sizeof *j->msgs);
	if (!j->msgs)
		return -1;
	if (sys && *sys) {
		const struct str s = { .p = (char *)sys, .len = strlen(sys) };

		if (copy_msg(&j->msgs[j->n_msgs++], "system", &s, NULL))
			return -1;
	}
	for (size_t i = 0; i < c->n_items && c->items[i] != c->answer; i++) {
		const struct chat_item *it = c->items[i];

		if (it->gone)
			continue;
		if (it->kind == ITEM_USER && copy_msg(&j->msgs[j->n_msgs++], "user", &it->text, NULL))
			return -1;
		if (it->kind == ITEM_ANSWER && copy_answer(c, &j->msgs[j->n_msgs++], it))
			return -1;
	}
	j->raw = c->o->raw;
	j->thinking = !strcmp(c->o->think, "on") ? 1 : !strcmp(c->o->think, "off") ? 0 : -1;
	return 0;
}

/* What the answer has already, when it goes on. */
static int copy_begun(const struct chat *c, struct job *j)
{
	j->begun_vocab = c->answer->vocab;
	if (c->answer->ids.n)
		j->had = c->answer->stats;
	for (size_t i = 0; i < c->answer->ids.n; i++)
		if (eng_ids_add(&j->begun, c->answer->ids.p[i]))
			return -1;
	return 0;
}

/* most: tokens that the answer may have in all. */
static int post_answer(struct chat *c, int64_t most)
{
	struct job *j = job_new(JOB_ANSWER);

	if (!j || chat_copy_msgs(c, j) || copy_begun(c, j)) {
		job_free(j);
		return -1;
	}
	c->had = j->had;
	c->most = most;
	chat_weigh_nothing(c);
	j->drop_oldest = c->drop_oldest || !strcmp(c->o->policy, "drop-oldest");
	j->sample = c->o->sample;
	j->n_max = most < 0 ? -1 : most - (int64_t)j->begun.n;
	j->fill = true;
	memcpy(j->given, c->o->given, sizeof j->given);
	worker_post(c->worker, j);
	return 0;
}

/* Takes the question and its empty answer out of the conversation; the question is the caller's. */
static struct chat_item *take_back(struct chat *c)
{
	size_t at = item_index(c, c->answer);

	c->answer = NULL;
	item_remove(c, at);
	while (at-- && c->items[at]->kind != ITEM_USER)
		continue;
	return item_take(c, at);
}

/*
 * The question and its answer are out again, or what an answer had before it went on is all of it; the text is
 * the draft again.
 */
static void withdraw(struct chat *c)
{
	if (c->answer->ids.n) {
		c->answer->running = false;
		chat_touch(c, c->answer);
		c->answer = NULL;
		return;
	}
	give_item_back(c, take_back(c));
}

bool chat_ask_again(struct chat *c)
{
	c->answer = chat_add_item(c, ITEM_ANSWER);
	if (!c->answer)
		return false;
	c->answer->running = true;
	c->again = false;
	chat_label(c, c->answer);
	if (post_answer(c, c->o->n)) {
		c->answer = NULL;
		item_remove(c, c->n_items - 1);
		return false;
	}
	c->drop_oldest = false;
	if (c->state == CHAT_IDLE)
		chat_settle(c);
	return true;
}

static void ask(struct chat *c, const char *text)
{
	struct chat_item *q;

	if (c->cut)
		chat_cut(c);
	q = chat_add_item(c, ITEM_USER);
	if (!q)
		goto fail;
	if (c->attached)
		str_adds(&q->text, c->attached);
	q->attached = q->text.len;
	str_adds(&q->text, text);
	if (q->text.failed || !chat_ask_again(c)) {
		item_remove(c, c->n_items - 1);
		goto fail;
	}
	q->attached_names = c->attached_names;
	c->attached_names = NULL;
	forget_attached(c);
	return;
fail:
	chat_give_back(c, text);
	chat_complain(c, "no memory for this message");
}

/* A number of what was asked runs its command, another is asked for again; all else ends the choice. */
static bool choose(struct chat *c, const char *text)
{
	const size_t blank = strspn(text, " \t"), digits = strspn(text + blank, "0123456789");
	const bool number = digits && !text[blank + digits + strspn(text + blank + digits, " \t\r\n")];
	const int n = number && digits < 4 ? atoi(text + blank) : 0;
	char command[sizeof c->choices->command];

	if (number && (n < 1 || n > c->n_choices)) {
		chat_complain(c, "%.*s is none of them: a number from 1 to %d takes one", digits < 16 ? (int)digits : 16,
			      text + blank, c->n_choices);
		return true;
	}
	c->n_choices = 0;
	if (!number)
		return false;
	memcpy(command, c->choices[n - 1].command, sizeof command);
	slash_run(c, command);
	return true;
}

bool chat_is_command(const char *text)
{
	return text[0] == '/' && text[1] != '/';
}

static const char *message_of(const char *text)
{
	return *text == '/' ? text + 1 : text;
}

void chat_submit(struct chat *c, const char *text)
{
	if (!text[strspn(text, " \t\r\n")])
		return;
	if (c->n_choices && choose(c, text))
		return;
	if (chat_is_command(text)) {
		slash_run(c, text);
		return;
	}
	text = message_of(text);
	if (c->answer) {
		chat_give_back(c, text);
		chat_complain(c, "an answer is running: Ctrl-C stops it");
		return;
	}
	if (c->state == CHAT_FAILED) {
		chat_give_back(c, text);
		chat_complain(c, "no model is open");
		return;
	}
	ask(c, text);
	chat_leave(c);
}

/* -- choices ----------------------------------------------------------------------- */

void chat_offer(struct chat *c, const char *command, const char *fmt, ...)
{
	struct chat_choice *ch;
	va_list ap;

	if (!c->choices)
		c->choices = mem_array(CHAT_CHOICES, sizeof *c->choices);
	if (!c->choices || c->n_choices == CHAT_CHOICES)
		return;
	ch = &c->choices[c->n_choices++];
	snprintf(ch->command, sizeof ch->command, "%s", command);
	va_start(ap, fmt);
	vsnprintf(ch->label, sizeof ch->label, fmt, ap);
	va_end(ap);
}

void chat_ask_choice(struct chat *c, const char *question)
{
	struct str s;

	str_init(&s, 0);
	str_adds(&s, question);
	for (int i = 0; i < c->n_choices; i++)
		str_addf(&s, "\n%d. %s", i + 1, c->choices[i].label);
	chat_note(c, "%s", s.p);
	str_release(&s);
}

/* -- room in the context ------------------------------------------------------------ */

static void ask_held(struct chat *c)
{
	struct chat_item *q = c->held;

	c->held = NULL;
	if (!q)
		return;
	chat_reattach(c, q);
	ask(c, q->text.p + q->attached);
	item_free(q);
}

void chat_drop(struct chat *c)
{
	if (!c->held) {
		chat_complain(c, "no message waits for room");
		return;
	}
	c->drop_oldest = true;
	ask_held(c);
}

void chat_leave(struct chat *c)
{
	c->go_on = false;
	if (c->held)
		give_item_back(c, c->held);
	c->held = NULL;
}

void chat_grow(struct chat *c, int64_t n_ctx)
{
	struct job *j = job_new(JOB_GROW);

	if (!n_ctx)
		n_ctx = c->room.grow_ctx > c->g.ctx_size ? c->room.grow_ctx : 2 * c->g.ctx_size;
	if (n_ctx <= c->g.ctx_size) {
		chat_complain(c, "the context holds %lld already", (long long)c->g.ctx_size);
		job_free(j);
		return;
	}
	if (!j) {
		chat_complain(c, "no memory for a larger context");
		return;
	}
	j->n_ctx = n_ctx;
	worker_post(c->worker, j);
	c->n_switches++;
	c->state = CHAT_SWITCHING;
	chat_touch(c, NULL);
}

/* What a message that has no room could do, to choose from; its text is held until then. */
static void ask_for_room(struct chat *c, const struct room *r)
{
	char bytes[32], time[32];
	struct str s, turns;

	c->room = *r;
	str_init(&s, 0);
	str_init(&turns, 0);
	room_text(r, c->n_gone, &s);
	c->n_choices = 0;
	if (r->drop) {
		room_turns(r, c->n_gone, &turns);
		chat_offer(c, "/context drop", "leave out %s: about %s until the answer begins", turns.p,
			   r->prefill_ns ? units_time(time, sizeof time, r->prefill_ns) : "as long as a new chat");
	}
	chat_offer(c, "/context grow", "a context of %lld, %s more%s", (long long)r->grow_ctx,
		   units_bytes(bytes, sizeof bytes, r->grow_bytes),
		   c->info && c->info->n_ctx_train > 0 && r->grow_ctx > c->info->n_ctx_train ?
		   ": more than the model was trained on" : "");
	chat_offer(c, "/context leave", "change the message");
	chat_ask_choice(c, s.p);
	str_release(&s);
	str_release(&turns);
}

/* Turns that went are marked as gone, for what comes after. */
static void mark_gone(struct chat *c, int drop, int64_t need)
{
	struct room r = { .drop = drop };
	int turns = 0;
	struct str s;

	for (size_t i = 0; i < c->n_items; i++) {
		struct chat_item *it = c->items[i];

		if (it->gone || it->kind == ITEM_NOTE)
			continue;
		turns += it->kind == ITEM_USER;
		if (turns > drop)
			break;
		it->gone = true;
		chat_touch(c, it);
	}
	str_init(&s, 0);
	room_turns(&r, c->n_gone, &s);
	chat_note(c, "left out %s: all of it takes %lld tokens, the context holds %lld", s.p, (long long)need,
		  (long long)c->g.ctx_size);
	str_release(&s);
	c->n_gone += drop;
}

static void offer_more(struct chat *c)
{
	const int64_t more = c->g.ctx_size;
	const uint64_t bytes = c->g.mem.kv_reserved;
	char buf[32], q[96];

	c->room = (struct room){ .grow_ctx = 2 * more };
	snprintf(q, sizeof q, "the context of %lld is full: the answer stops here", (long long)more);
	if (!c->can_ask) {
		chat_note(c, "%s; /context grow %lld makes it larger, then /continue goes on (or begin with -c)", q,
			  (long long)(2 * more));
		return;
	}
	c->n_choices = 0;
	chat_offer(c, "/context more", "go on in a context of %lld, %s more%s", (long long)(2 * more),
		   units_bytes(buf, sizeof buf, bytes),
		   c->info && c->info->n_ctx_train > 0 && 2 * more > c->info->n_ctx_train ?
		   ": more than the model was trained on" : "");
	chat_offer(c, "/context leave", "leave it");
	chat_ask_choice(c, q);
}

/* -- going on ------------------------------------------------------------------------ */

static struct chat_item *last_answer(const struct chat *c)
{
	for (size_t i = c->n_items; i--;)
		if (c->items[i]->kind != ITEM_NOTE)
			return c->items[i]->kind == ITEM_ANSWER ? c->items[i] : NULL;
	return NULL;
}

/* It may have that many tokens in all. */
static bool go_on(struct chat *c, int64_t most)
{
	struct chat_item *i = c->answer || c->state == CHAT_FAILED ? NULL : last_answer(c);

	if (i && i->end == ANSWER_STOP_TEXT) {
		chat_complain(c, "a stop text ended the last answer, and ends it again there: /regen writes it anew");
		return false;
	}
	if (!i || !i->ids.n) {
		chat_complain(c, "there is no answer to go on with");
		return false;
	}
	if (!answer_can_go_on(i->end)) {
		chat_complain(c, "the last answer came to its end by itself");
		return false;
	}
	if (i->end == ANSWER_CONTEXT && i->stats.n_prompt + i->stats.n_gen >= c->g.ctx_size) {
		offer_more(c);
		return false;
	}
	c->answer = i;
	c->again = false;
	c->resumed = true;
	i->running = true;
	if (post_answer(c, most)) {
		i->running = false;
		c->answer = NULL;
		chat_complain(c, "no memory to go on");
		return false;
	}
	chat_touch(c, i);
	chat_settle(c);
	return true;
}

bool chat_continue(struct chat *c)
{
	const struct chat_item *i = last_answer(c);

	return go_on(c, i && c->o->n >= 0 ? (int64_t)i->ids.n + c->o->n : -1);
}

/* "a.txt, 17 bytes; b.txt, 20 bytes"; left as it was without memory. */
static void name_attached(struct chat *c, const char *path, size_t bytes)
{
	struct str s;

	str_init(&s, 0);
	str_addf(&s, "%s%s%s, %zu bytes", c->attached_names ? c->attached_names : "", c->attached_names ? "; " : "", path, bytes);
	if (!s.failed) {
		mem_free(c->attached_names);
		c->attached_names = str_take(&s);
	}
	str_release(&s);
}

const char *chat_attached(const struct chat *c)
{
	return c->attached_names ? c->attached_names : "what was read";
}

void chat_detach(struct chat *c)
{
	if (c->late)
		return;
	if (c->attached)
		chat_note(c, "no longer goes with the next message: %s", chat_attached(c));
	forget_attached(c);
}

int chat_attach(struct chat *c, const char *path, struct err *e)
{
	struct str s;
	size_t at, size;
	int r = -1;

	str_init(&s, CHAT_FILE_MAX);
	if (c->attached)
		str_adds(&s, c->attached);
	str_addf(&s, "%s:\n", path);
	at = s.len;
	if (xio_slurp_regular(path, &s, e) < 0)
		goto out;
	size = s.len - at;
	if (memchr(s.p, '\0', s.len)) {
		err_set(e, ERR_FORMAT, "%s: this is no text", path);
		goto out;
	}
	str_adds(&s, s.len && s.p[s.len - 1] == '\n' ? "\n" : "\n\n");
	if (s.failed) {
		err_set(e, ERR_LIMIT, "%s: larger than the %d MiB that are taken", path, CHAT_FILE_MAX >> 20);
		goto out;
	}
	mem_free(c->attached);
	c->attached = str_take(&s);
	name_attached(c, path, size);
	r = 0;
out:
	str_release(&s);
	return r;
}

/* -- a message that waits ---------------------------------------------------------- */

void chat_queue(struct chat *c, const char *text)
{
	char *copy = mem_strdup(text);

	if (!copy) {
		chat_give_back(c, message_of(text));
		return;
	}
	mem_free(c->queued);
	c->queued = copy;
	chat_touch(c, NULL);
}

bool chat_unqueue(struct chat *c)
{
	if (!c->queued)
		return false;
	mem_free(c->draft);
	c->draft = c->queued;
	c->queued = NULL;
	chat_touch(c, NULL);
	return true;
}

/* The answer has ended: what waited is asked. */
static void ask_queued(struct chat *c)
{
	char *text = c->queued;

	if (!text || c->answer || !c->info)
		return;
	c->queued = NULL;
	ask(c, message_of(text));
	mem_free(text);
}

bool chat_stop(struct chat *c)
{
	if (!c->answer && !c->n_switches && !c->saver)
		return false;
	if (!c->answer && !c->n_switches) {
		saver_cancel(c->saver);
		return true;
	}
	chat_unqueue(c);
	c->again = c->go_on_there = false;
	if (c->answer)
		worker_cancel_answers(c->worker);
	else
		worker_cancel(c->worker);
	return true;
}

static bool borrows(const struct chat *c, unsigned how)
{
	if (how & (CHAT_EXACT | CHAT_BORROWED))
		return how & CHAT_BORROWED;
	return c->o->switch_mode && !strcmp(c->o->switch_mode, "borrowed");
}

/* One that waits, or computes its prompt, is asked again when a switch comes in between. */
static bool has_begun(const struct chat_item *i)
{
	return i->text.len || i->ids.n;
}

void chat_switch_level(struct chat *c, int level, unsigned how)
{
	struct job *j;

	if (level < 0 || level >= c->n_levels || level == c->target)
		return;
	if (c->opening) {
		chat_complain(c, "another model is being opened");
		return;
	}
	j = job_new(JOB_LEVEL);
	if (j)
		j->level = mem_strdup(c->levels[level].name);
	if (!j || !j->level) {
		job_free(j);
		chat_complain(c, "no memory to switch levels");
		return;
	}
	j->borrowed = borrows(c, how);
	/* one that a switch before has stopped waits for this one then */
	c->go_on_there = c->answer ? how & CHAT_GO_ON : c->go_on_there;
	c->again = c->answer != NULL;
	j->stops = c->answer && (has_begun(c->answer) || !c->n_switches);
	if (c->n_switches && j->stops)
		worker_cancel_switches(c->worker);
	else if (c->n_switches)
		worker_cancel(c->worker);
	c->target = level;
	c->n_switches++;
	worker_post(c->worker, j);
	if (c->state == CHAT_IDLE)
		chat_settle(c);
	chat_touch(c, NULL);
}

void chat_set_level(struct chat *c, int level)
{
	chat_switch_level(c, level, 0);
}

void chat_reset(struct chat *c)
{
	struct job *j = job_new(JOB_RESET);

	assert(!c->answer);
	chat_drop_items(c, 0);
	chat_weigh_nothing(c);
	c->cut = 0;
	c->g.stats = (struct answer_stats){ 0 };
	item_free(c->held);
	c->held = NULL;
	c->go_on = false;
	c->n_choices = c->n_gone = 0;
	c->borrowed = c->go_on_there = false;
	chat_touch(c, NULL);
	if (j)
		worker_post(c->worker, j);
}

/* -- what the worker tells ---------------------------------------------------------- */

static void take_gauges(struct chat *c, const struct event *ev)
{
	const struct answer_stats stats = c->g.stats;

	if (ev->beside)
		return;
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

/* From an answer's first token that is seen to now; the prompt's is another matter. */
static void take_energy(struct chat *c, const struct answer_stats *s)
{
	const int64_t now = os_now_ns();
	double joules;

	if (!c->energy.n || (c->energy_from && s->n_gen >= c->energy_from && now - c->energy_ns < rate_step_ns))
		return;
	joules = energy_read(&c->energy);
	c->energy_ns = now;
	if (!c->energy_from || s->n_gen < c->energy_from) {
		c->energy_from = s->n_gen;
		c->energy_before = joules;
	} else if (s->n_gen > c->energy_from) {
		c->joules = (joules - c->energy_before) / (s->n_gen - c->energy_from);
	}
}

static void on_progress(struct chat *c, struct event *ev)
{
	static const enum chat_state states[] = {
		[JOB_OPEN] = CHAT_LOADING, [JOB_ANSWER] = CHAT_PREFILL,
		[JOB_LEVEL] = CHAT_SWITCHING, [JOB_GROW] = CHAT_SWITCHING, [JOB_RESET] = CHAT_IDLE,
	};

	if (ev->beside) {
		c->made = ev->done;
		c->to_make = ev->total;
		/* the answer beside it says more */
		if (c->answer && c->state != CHAT_SWITCHING)
			return;
	}
	c->state = ev->job == JOB_OPEN && c->info ? CHAT_SWITCHING : states[ev->job];
	memcpy(c->what_buf, ev->what, sizeof c->what_buf);
	c->what = c->what_buf;
	c->done = ev->done;
	c->total = ev->total;
}

static void on_text(struct chat *c, struct event *ev)
{
	if (!c->answer)
		return;
	c->state = CHAT_DECODE;
	c->what = NULL;
	/* an answer that goes on begins with whole characters */
	if (c->resumed)
		str_cut(&c->answer->text, ev->g.stats.begun);
	c->resumed = false;
	str_add(&c->answer->text, ev->text.p, ev->text.len);
	c->answer->stats = ev->g.stats;
	c->answer->n_think = ev->g.stats.n_thought;
	chat_touch(c, c->answer);
	take_rate(c, ev->g.decode_now);
	take_energy(c, &ev->g.stats);
}

/* What was sampled, behind what there was when the answer went on; none spell a text that was cut inside a token. */
static void take_ids(struct chat_item *i, struct eng_ids *neu)
{
	bool lost = i->end == ANSWER_STOP_TEXT && !neu->n && i->text.len > i->stats.begun;

	for (size_t k = 0; k < neu->n && i->ids.n && !lost; k++)
		lost = eng_ids_add(&i->ids, neu->p[k]) != 0;
	if (!i->ids.n && !lost) {
		i->ids = *neu;
		*neu = (struct eng_ids){ 0 };
	}
	if (lost)
		eng_ids_release(&i->ids);
}

static void finish_answer(struct chat *c, struct event *ev)
{
	struct chat_item *i = c->answer;

	c->answer = NULL;
	i->running = false;
	c->energy_from = 0;
	i->stats = ev->g.stats;
	i->n_think = ev->g.stats.n_thought;
	i->end = ev->end;
	i->vocab = c->opened->vocab;
	take_ids(i, &ev->ids);
	chat_touch(c, i);
	if (i->stats.n_gen - c->had.n_gen >= RATE_MIN_TOKENS && c->level < c->n_levels) {
		c->levels[c->level].rate = answer_decode_rate_since(&i->stats, &c->had);
		chat_keep_rate(c, &c->levels[c->level]);
	}
}

static void on_answered(struct chat *c, struct event *ev)
{
	const bool again = c->again;

	c->again = false;
	c->go_on_there = c->go_on_there && ev->end == ANSWER_STOPPED;
	if (!c->answer)
		return;
	if (ev->room.need && ev->room.drop)
		mark_gone(c, ev->room.drop, ev->room.need);
	if (ev->end == ANSWER_STOPPED && !ev->ids.n && !c->after) {
		if (!again || post_answer(c, c->most))
			withdraw(c);
	} else {
		const struct chat_item *i = c->answer;

		finish_answer(c, ev);
		if (answer_only_thought(&i->stats, i->end))
			chat_note(c, "the answer ended inside its thinking, %d tokens: %s", i->n_think,
				  answer_why_only_thought(i->end));
		if (ev->end == ANSWER_CONTEXT)
			offer_more(c);
	}
	chat_settle(c);
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
	if (r->borrowed)
		str_addf(&s, " · borrowed: the KV of %d tokens stays as it was made", r->held);
	else if (r->held)
		str_addf(&s, " · exact: %d tokens prefilled again in %s", r->held,
			 units_time(time, sizeof time, r->prefill_ns));
	chat_note(c, "%s", s.p);
	str_release(&s);
}

bool chat_pauses(const struct chat *c, const struct chat_item *i)
{
	return c->go_on_there && !c->answer && i == last_answer(c) && i->end == ANSWER_STOPPED;
}

/* Nothing to be done, or nothing that could be: an answer that runs beside it has not noticed. */
static void settle_beside(struct chat *c)
{
	if (c->answer && (c->state == CHAT_DECODE || c->state == CHAT_PREFILL))
		chat_touch(c, NULL);
	else
		chat_settle(c);
}

/* The new level takes the answer over that the switch has stopped, and the label says so. */
static void go_on_there(struct chat *c)
{
	struct chat_item *i = c->go_on_there && !c->answer ? last_answer(c) : NULL;
	struct str s;

	c->go_on_there = false;
	/* it is one answer: -n bounds the whole of it */
	if (!i || i->end != ANSWER_STOPPED || !go_on(c, c->most))
		return;
	str_init(&s, 0);
	str_addf(&s, "%s → %s", i->label ? i->label : "", c->levels[c->level].name);
	if (!s.failed) {
		mem_free(i->label);
		i->label = str_take(&s);
	}
	str_release(&s);
}

static void on_level(struct chat *c, struct event *ev)
{
	const int before = c->level;

	c->n_switches--;
	c->made = c->to_make = 0;
	chat_use_level(c, &ev->level);
	/* on the way to another one, it is no mark in the conversation */
	if (!c->n_switches && c->level != before)
		note_level(c, &ev->level);
	c->borrowed = ev->level.borrowed || (c->borrowed && c->level == before);
	/* one that waited is the new level's; what it has already is not */
	if (c->answer && !c->resumed)
		chat_label(c, c->answer);
	settle_beside(c);
	if (!c->n_switches)
		go_on_there(c);
}

/* No room: asked what to do where somebody is there, else told. */
static void refused(struct chat *c, const struct event *ev)
{
	const bool ask_now = c->can_ask && !strcmp(c->o->policy, "ask") && !c->answer->ids.n;
	struct str s;

	if (ask_now) {
		item_free(c->held);
		c->held = take_back(c);
		ask_for_room(c, &ev->room);
	} else {
		withdraw(c);
		str_init(&s, 0);
		room_text(&ev->room, c->n_gone, &s);
		if (ev->room.grow_ctx > c->g.ctx_size)
			chat_complain(c, "%s (/context grow %lld or -c makes it larger, /clear begins anew)", s.p,
				      (long long)ev->room.grow_ctx);
		else
			chat_complain(c, "%s (-c makes it larger, /clear begins anew)", s.p);
		str_release(&s);
	}
	chat_settle(c);
}

static void failed_answer(struct chat *c, struct event *ev)
{
	c->failed = true;
	mem_free(c->after);
	c->after = NULL;
	if (!c->answer)
		return;
	if (ev->err.code == ERR_CONTEXT && ev->room.need) {
		refused(c, ev);
		return;
	}
	if (ev->ids.n || (c->answer->text.len && !c->answer->ids.n)) {
		ev->end = ANSWER_STOPPED;
		finish_answer(c, ev);
	} else {
		withdraw(c);
	}
	chat_complain(c, "%s", ev->err.msg);
	chat_settle(c);
}

static void failed_level(struct chat *c, struct event *ev)
{
	c->n_switches--;
	c->made = c->to_make = 0;
	chat_use_level(c, &ev->level);
	if (c->n_switches == 0) {
		c->target = c->level;
		c->again = c->go_on_there = false;
		if (ev->err.code == ERR_CANCELLED)
			chat_note(c, "stopped: still %s", c->levels[c->level].name);
		else
			chat_complain(c, "%s", ev->err.msg);
	}
	settle_beside(c);
}

static void failed_grow(struct chat *c, struct event *ev)
{
	c->n_switches--;
	chat_leave(c);
	chat_complain(c, "%s", ev->err.msg);
	chat_settle(c);
}

static void failed_reset(struct chat *c, struct event *ev)
{
	chat_complain(c, "%s", ev->err.msg);
}

static void on_failed(struct chat *c, struct event *ev)
{
	static void (*const failed[])(struct chat *, struct event *) = {
		[JOB_OPEN] = chat_failed_open, [JOB_ANSWER] = failed_answer,
		[JOB_LEVEL] = failed_level, [JOB_GROW] = failed_grow, [JOB_COUNT] = chat_failed_count,
		[JOB_RESET] = failed_reset,
	};

	failed[ev->job](c, ev);
}

static void on_grown(struct chat *c, struct event *ev)
{
	const bool go_on = c->go_on;

	(void)ev;
	c->n_switches--;
	c->go_on = false;
	chat_note(c, "the context holds %lld tokens now", (long long)c->g.ctx_size);
	chat_settle(c);
	if (go_on)
		chat_continue(c);
	else
		ask_held(c);
}

static void on_reset(struct chat *c, struct event *ev)
{
	(void)ev;
	chat_settle(c);
}

/* The answer has ended that a command wanted out of its way. */
static void run_after(struct chat *c)
{
	char *line = c->after;

	if (!line || c->answer)
		return;
	c->after = NULL;
	c->late = true;
	slash_run(c, line);
	c->late = false;
	mem_free(line);
}

void chat_hush(struct chat *c, int64_t until_ns)
{
	worker_hush(c->worker, until_ns);
}

bool chat_pump(struct chat *c)
{
	static void (*const take[])(struct chat *, struct event *) = {
		[EV_PROGRESS] = on_progress, [EV_OPENED] = chat_on_opened, [EV_TEXT] = on_text,
		[EV_ANSWERED] = on_answered, [EV_LEVEL] = on_level, [EV_GROWN] = on_grown,
		[EV_COUNTED] = chat_on_counted, [EV_RESET] = on_reset,
		[EV_FAILED] = on_failed,
	};
	struct event *ev = worker_events(c->worker);
	const bool any = chat_pump_saver(c) || ev;

	while (ev) {
		struct event *next = ev->next;

		take_gauges(c, ev);
		take[ev->kind](c, ev);
		event_free(ev);
		ev = next;
	}
	run_after(c);
	ask_queued(c);
	chat_weigh_now(c);
	if (any)
		chat_touch(c, NULL);
	return any;
}

/* -- beginning and end -------------------------------------------------------------- */

static uint64_t fresh_seed(void)
{
	uint32_t r;

	/* 32 bits: it is told, and people type it again */
	if (getentropy(&r, sizeof r))
		r = (uint32_t)(os_now_ns() >> 10) ^ (uint32_t)getpid();
	return r;
}

int chat_new(struct chat **out, struct loop *l, struct opts *o, struct err *e)
{
	struct chat *c = mem_calloc(1, sizeof *c);

	if (!c)
		return err_set(e, ERR_NOMEM, "no memory for the chat");
	c->loop = l;
	c->o = o;
	energy_open(&c->energy, NULL);
	c->state = CHAT_LOADING;
	if (!o->model) {
		err_set(e, ERR_ARG, "no model: name a .gguf file");
		goto fail;
	}
	if (!o->seed_set)
		o->sample.seed = fresh_seed();
	c->name = chat_short_name(o->model);
	if (!c->name) {
		err_set(e, ERR_NOMEM, "no memory for the chat");
		goto fail;
	}
	if (worker_new(&c->worker, l, o, e) || chat_post_open(c, o->model, o->level, e))
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
	if (c->saver)
		saver_cancel(c->saver);
	saver_free(c->saver, NULL, NULL);
	mem_free(c->saving);
	mem_free(c->left);
	worker_free(c->worker);
	chat_drop_items(c, 0);
	mem_free(c->items);
	mem_free(c->levels);
	mem_free(c->name);
	mem_free(c->to_weigh);
	mem_free(c->known);
	mem_free(c->draft);
	item_free(c->held);
	forget_attached(c);
	mem_free(c->choices);
	mem_free(c->queued);
	mem_free(c->after);
	mem_free(c->system);
	for (int i = 0; i < CHAT_SETTINGS; i++)
		mem_free(c->set[i]);
	mem_free(c->opening);
	mem_free(c);
}
