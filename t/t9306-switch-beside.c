/*
 * While a level is being made the level in use goes on: what is asked then is answered by it at once, and the
 * switch follows. The making is held where it asks for memory, until the test lets it go on.
 */
#include "config.h"
#include "engine/base/xio.h"
#include "t/lib/drive.h"
#include "t/lib/model.h"
#include "t/lib/tap.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static atomic_bool held, met;

/* Called in every thread: the maker's has given its priority up. */
static int hold(const char *op, void *arg)
{
	drive_linger(op, arg);
	if (strcmp(op, "malloc") || !atomic_load(&held) || getpriority(PRIO_PROCESS, 0) < 19)
		return 0;
	atomic_store(&met, true);
	while (atomic_load(&held))
		usleep(1000);
	return 0;
}

static bool answered(const struct chat *c) { return !c->answer; }
/* Three tokens, or all of them: a tiny model may be done before anyone looks. */
static bool begun(const struct chat *c) { return !c->answer || c->answer->stats.n_gen >= 3; }
static bool caught(const struct chat *c) { (void)c; return atomic_load(&met); }
static bool emptied(const struct chat *c) { return !c->g.ctx_used; }
static bool unswitched(const struct chat *c) { return !c->n_switches; }
static bool progress(const struct chat *c) { return c->to_make || drive_idle(c); }

/* /quant, and until its making stands still. */
static void begin(struct drive *d, const char *command)
{
	atomic_store(&met, false);
	atomic_store(&held, true);
	chat_submit(d->c, command);
	while (!caught(d->c))
		usleep(1000);
}

static void let_go(struct drive *d)
{
	atomic_store(&held, false);
	drive_wait(d, drive_idle);
}

static const char *level_of(const struct chat *c) { return c->levels[c->level].name; }

static int notes(const struct chat *c, const char *text)
{
	int n = 0;

	for (size_t i = 0; i < c->n_items; i++)
		n += c->items[i]->kind == ITEM_NOTE && strstr(c->items[i]->text.p, text);
	return n;
}

/* The greedy ids of the last answer are those of an engine of its own at a level. */
static bool is_of(const struct chat *c, const char *model, const char *level)
{
	return drive_follows(c, model, level, drive_spliced) > 0;
}

static int answers(const struct chat *c)
{
	int n = 0;

	for (size_t i = 0; i < c->n_items; i++)
		n += c->items[i]->kind == ITEM_ANSWER;
	return n;
}

static void test_answer(struct drive *d, const char *model, const char *how)
{
	char command[64];
	struct chat *c = d->c;
	const struct chat_item *a;
	int before;

	chat_submit(c, "/clear");
	drive_say(d, "Once upon a time");
	snprintf(command, sizeof command, "/quant q4_0 %s", how);
	begin(d, command);
	before = answers(c);
	chat_submit(c, " there was");
	drive_wait(d, answered);
	a = drive_last(c, ITEM_ANSWER);
	ok(answers(c) == before + 1 && c->n_switches == 1 && c->level != c->target && a->end == ANSWER_LENGTH,
	   "%s: answered while the level is being made", how);
	ok(strstr(a->label, "· F32") && !strcmp(level_of(c), "F32"), "by the level in use: %s", a->label);
	ok(is_of(c, model, "F32"), "its ids are those of that level");
	let_go(d);
	ok(!strcmp(level_of(c), "Q4_0") && notes(c, "now Q4_0"), "then the switch is made: %s", drive_last(c, ITEM_NOTE)->text.p);
	drive_say(d, " And");
	a = drive_last(c, ITEM_ANSWER);
	ok(strstr(a->label, "· Q4_0") && !strcmp(how, "--borrowed") == !!strstr(a->label, "borrowed"), "what is asked then is %s",
	   a->label);
	if (!strcmp(how, "--exact"))
		ok(is_of(c, model, "Q4_0"), "with its ids");
	drive_say(d, "/quant F32");
}

/* Whether one of some answers was stopped before it had ended by itself. */
static bool stopped(struct drive *d)
{
	struct chat *c = d->c;

	for (int i = 0; i < 50; i++) {
		chat_submit(c, "/clear");
		chat_submit(c, " One day");
		drive_wait(d, begun);
		if (c->answer && chat_stop(c)) {
			drive_wait(d, answered);
			if (drive_last(c, ITEM_ANSWER)->end == ANSWER_STOPPED)
				return true;
		}
	}
	return false;
}

/* Ctrl-C: first the answer, then the switch. */
static void test_stop(struct drive *d)
{
	struct chat *c = d->c;
	int rows;

	d->o.n = 400;
	begin(d, "/quant q8_0");
	ok(stopped(d), "an answer beside the making is stopped");
	ok(c->n_switches == 1 && c->target != c->level, "the making goes on");
	let_go(d);
	ok(!strcmp(level_of(c), "Q8_0"), "and is of use");
	rows = c->n_levels;
	begin(d, "/quant q6_k");
	ok(c->n_levels == rows + 1 && !strcmp(c->levels[c->target].name, "Q6_K"), "a level beside the ladder is headed for");
	ok(chat_stop(c), "the making is stopped");
	let_go(d);
	ok(!strcmp(level_of(c), "Q8_0") && notes(c, "stopped: still Q8_0") == 1, "and nothing is switched");
	ok(c->n_levels == rows && c->target == c->level, "what was never reached leaves no row");
	d->o.n = 24;
}

/* A level that cannot be had takes no answer away. */
static void test_refused(struct drive *d)
{
	struct chat *c = d->c;
	const int i = c->level ? 0 : 1;
	const struct chat_item *a;
	char name[sizeof c->levels->name];

	memcpy(name, c->levels[i].name, sizeof name);
	d->o.n = 300;
	chat_submit(c, "/clear");
	chat_submit(c, " One day");
	drive_wait(d, begun);
	snprintf(c->levels[i].name, sizeof name, "Q9_9");
	chat_switch_level(c, i, CHAT_GO_ON);
	ok(c->target == i, "a level is headed for that cannot be made");
	drive_wait(d, drive_idle);
	a = drive_last(c, ITEM_ANSWER);
	ok(a->end == ANSWER_LENGTH && a->stats.n_gen == 300, "the answer is not stopped for it (%d tokens, %s)", a->stats.n_gen,
	   answer_end_text(a->end));
	ok(drive_last(c, ITEM_NOTE)->error && strstr(drive_last(c, ITEM_NOTE)->text.p, "Q9_9"), "it is told: %s",
	   drive_last(c, ITEM_NOTE)->text.p);
	ok(c->target == c->level && !c->n_switches && !c->go_on_there && !c->again, "and nothing is switched");
	memcpy(c->levels[i].name, name, sizeof name);
	d->o.n = 24;
}

enum { LONG = 400 };
static int32_t seen;			/* tokens of the answer when it was looked at */
static struct chat_item stopped_as;	/* figures, when a switch had stopped it and it was to go on */

static bool grown(const struct chat *c) { return !c->answer || c->answer->stats.n_gen >= seen + 5; }

static void pumped(struct drive *d)
{
	const struct chat_item *a = drive_last(d->c, ITEM_ANSWER);

	if (a && chat_pauses(d->c, a)) {
		stopped_as.stats = a->stats;
		stopped_as.n_think = !a->running;
	}
}

/* A long answer, and a switch in the midst of it whose making is held. True: the answer goes on meanwhile. */
static bool answers_beside(struct drive *d, const char *command)
{
	struct chat *c = d->c;

	drive_pace(DRIVE_SLOW);
	d->o.n = LONG;
	stopped_as = (struct chat_item){ 0 };
	chat_submit(c, "/clear");
	chat_submit(c, " One day");
	drive_wait(d, begun);
	begin(d, command);
	seen = c->answer ? c->answer->stats.n_gen : LONG;
	drive_wait(d, grown);
	return c->answer && c->state == CHAT_DECODE && c->n_switches == 1 && c->level != c->target;
}

static void let_it_be_made(struct drive *d)
{
	drive_pace(DRIVE_UNTIL_MADE);
	let_go(d);
	drive_pace(DRIVE_FAST);
	d->o.n = 24;
}

/* A switch in the midst of an answer: it goes on until the level is there, and is stopped then. */
static void test_stops(struct drive *d, const char *model)
{
	struct chat *c = d->c;
	const struct chat_item *a;

	drive_say(d, "/quant f32");
	ok(answers_beside(d, "/quant q4_0"), "an answer goes on while the level is made");
	let_it_be_made(d);
	a = drive_last(c, ITEM_ANSWER);
	ok(a->end == ANSWER_STOPPED && a->stats.n_gen >= seen + 5 && a->stats.n_gen < LONG, "it is stopped when that is there (%d tokens)",
	   a->stats.n_gen);
	ok(is_of(c, model, "F32") && strstr(a->label, "F32"), "all of it is the old level's");
	ok(!strcmp(level_of(c), "Q4_0") && !c->n_switches, "and the level is in use");

	answers_beside(d, "/quant f32 --go-on");
	drive_pace(DRIVE_FAST);
	drive_wait(d, answered);
	ok(c->n_switches == 1 && !strcmp(level_of(c), "Q4_0"), "one that ends meanwhile");
	let_it_be_made(d);
	a = drive_last(c, ITEM_ANSWER);
	ok(a->end == ANSWER_LENGTH && a->stats.n_gen == LONG && !strstr(a->label, "F32") && !c->go_on_there, "is followed by the switch");
	ok(!strcmp(level_of(c), "F32"), "which is made");

	answers_beside(d, "/quant q5_1");
	chat_submit(c, "/quant q8_0");
	seen = c->answer ? c->answer->stats.n_gen : LONG;
	drive_wait(d, grown);
	ok(c->answer && c->n_switches == 2, "a second step stops no answer either");
	let_it_be_made(d);
	ok(drive_last(c, ITEM_ANSWER)->end == ANSWER_STOPPED && !strcmp(level_of(c), "Q8_0") && notes(c, "now ") == 1, "its level does");
	drive_say(d, "/quant f32");

	answers_beside(d, "/quant q5_1");
	chat_submit(c, "/quant f32");
	atomic_store(&held, false);
	drive_wait(d, unswitched);
	ok(c->answer && c->state == CHAT_DECODE && c->level == c->target, "back to the level in use: the answer has noticed nothing");
	drive_pace(DRIVE_FAST);
	drive_wait(d, drive_idle);
	ok(drive_last(c, ITEM_ANSWER)->end == ANSWER_LENGTH && !strcmp(level_of(c), "F32") && c->target == c->level, "and comes to its end");
	d->o.n = 24;
}

/* --go-on in the midst of an answer: one answer, by two levels. */
static void test_go_on(struct drive *d)
{
	const struct answer_stats *s, *had = &stopped_as.stats;
	struct chat *c = d->c;
	const struct chat_item *a;

	d->pumped = pumped;
	ok(answers_beside(d, "/quant q4_0 --go-on"), "an answer that is to go on there goes on here until then");
	let_it_be_made(d);
	a = drive_last(c, ITEM_ANSWER);
	s = &a->stats;
	ok(had->n_gen >= seen + 5 && had->n_gen < LONG && stopped_as.n_think, "then it pauses (%d tokens)", had->n_gen);
	ok(a->end == ANSWER_LENGTH && a->ids.n == LONG && strstr(a->label, "F32 → Q4_0"), "and goes on: -n bounds all of it (%zu tokens, %s)",
	   a->ids.n, a->label);
	ok(s->n_gen == LONG && c->g.stats.n_gen == LONG, "its tokens are told (%d)", s->n_gen);
	ok(s->n_prompt == had->n_prompt && s->n_prefill == had->n_prefill && s->n_reused == had->n_reused && s->prefill_ns == had->prefill_ns,
	   "and its prompt (%d)", s->n_prompt);
	ok(s->first_ns == had->first_ns, "and its first token");
	ok(s->n_decode == LONG - 2 && s->decode_ns > had->decode_ns && had->n_decode == had->n_gen - 1, "and its rate, over both levels' time");
	drive_say(d, "/continue");
	a = drive_last(c, ITEM_ANSWER);
	ok(a->stats.n_gen == LONG + 24 && a->ids.n == LONG + 24, "/continue is for so many more");
	drive_say(d, "/quant f32");

	answers_beside(d, "/quant q4_0 --go-on");
	ok(chat_stop(c), "Ctrl-C beside the making");
	drive_wait(d, answered);
	a = drive_last(c, ITEM_ANSWER);
	seen = a->stats.n_gen;
	ok(a->end == ANSWER_STOPPED && c->n_switches == 1 && !chat_pauses(c, a), "stops the answer");
	let_it_be_made(d);
	ok(!strcmp(level_of(c), "Q4_0") && a->stats.n_gen == seen && a->end == ANSWER_STOPPED, "which stays so under the new level");
	d->pumped = NULL;
	drive_say(d, "/quant f32");
}

/* Quick steps, and another model: only the last counts, whatever runs. */
static void test_overtaken(struct drive *d, const char *model)
{
	struct chat *c = d->c;
	int marks;

	marks = notes(c, "now ");
	begin(d, "/quant q5_1");
	chat_submit(c, "/quant q4_0");
	chat_submit(c, " When");
	ok(c->n_switches == 2, "a step while another is made");
	let_go(d);
	ok(!strcmp(level_of(c), "Q4_0") && notes(c, "now ") == marks + 1, "only the last is a mark");
	ok(!drive_last(c, ITEM_ANSWER)->running && drive_last(c, ITEM_ANSWER)->ids.n, "and the question was answered (%s)",
	   drive_last(c, ITEM_ANSWER)->label);

	begin(d, "/quant q8_0");
	chat_open_model(c, model, "q5_1");
	let_go(d);
	ok(!strcmp(level_of(c), "Q5_1") && !c->n_switches && notes(c, "now stories260K · Q5_1"), "another model does not wait for it");

	begin(d, "/quant q4_0");
	chat_reset(c);
	drive_wait(d, emptied);
	ok(c->n_switches == 1, "/clear does not wait for it either");
	chat_submit(c, " One");
	drive_wait(d, answered);
	ok(c->n_switches == 1 && drive_last(c, ITEM_ANSWER)->stats.n_reused == 0, "and a conversation begins anew beside it");
	let_go(d);
	ok(!strcmp(level_of(c), "Q4_0"), "which the new level takes over");
}

static void test_progress(struct drive *d)
{
	struct chat *c = d->c;

	chat_submit(c, "/quant q8_0");
	drive_wait(d, progress);
	ok(c->level != c->target ? c->to_make >= c->made : !c->to_make, "how far it is, is told");
	drive_wait(d, drive_idle);
	ok(!c->to_make, "and no longer when it is there");
}

/* Left in the middle of it. */
static void test_leave(struct drive *d)
{
	begin(d, "/quant q5_1");
	chat_submit(d->c, " When");
	drive_wait(d, begun);
	chat_submit(d->c, "/bye");
	atomic_store(&held, false);
	drive_close(d);
	ok(true, "left while a level is made and an answer runs");
}

int main(void)
{
	char *model = shipped_model();
	struct drive d;

#ifndef __linux__
	tap_skip("only on Linux a thread tells its priority");
	free(model);
	return tap_done();
#endif
	xio_set_fault(hold, NULL);
	drive_init(&d, model, 24);
	drive_open(&d);
	drive_wait(&d, drive_opened);
	test_answer(&d, model, "--exact");
	test_answer(&d, model, "--borrowed");
	test_stop(&d);
	test_refused(&d);
	test_stops(&d, model);
	test_go_on(&d);
	test_overtaken(&d, model);
	test_progress(&d);
	test_leave(&d);
	free(model);
	return tap_done();
}
