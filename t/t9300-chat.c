/* A conversation on the shipped model: answers, stops, turns, levels, refusals, commands. */
#include "config.h"
#include "app/slash.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"
#include "t/lib/drive.h"
#include "t/lib/model.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_THREAD__)
enum { SLOW = 1 };
#else
enum { SLOW = 0 };
#endif

static bool begun(const struct chat *c) { return c->answer && c->answer->stats.n_gen >= 5; }
static bool reset(const struct chat *c) { return c->g.ctx_used == 0; }

static void start(struct drive *d, const char *model)
{
	drive_init(d, model, 24);
	drive_open(d);
}

static bool note_has(const struct chat *c, const char *text)
{
	const struct chat_item *i = drive_last(c, ITEM_NOTE);

	return i && strstr(i->text.p, text);
}

/* Is the last answer what a fresh session of another engine says at this level to the same transcript? */
static bool as_fresh(const struct chat *c, const char *model, const char *level)
{
	return drive_follows(c, model, level, drive_spliced) > 0;
}

static void test_answers(struct drive *d, const char *model)
{
	struct chat *c = d->c;
	const struct chat_item *a;
	int32_t held;

	ok(c->state == CHAT_LOADING && !c->info, "it opens in the background");
	drive_wait(d, drive_opened);
	if (!ok(c->state == CHAT_IDLE && c->info, "the model is open"))
		tap_bail("%s", drive_last(c, ITEM_NOTE)->text.p);
	ok(!strcmp(c->name, "stories260K"), "its short name is the file's: %s", c->name);
	ok(c->n_levels >= 4 && c->levels[c->level].own && c->target == c->level, "the file's own level is in use");
	ok(c->g.ctx_size == 512 && !c->g.ctx_used, "gauges tell the context");

	drive_say(d, "Once upon a time");
	a = drive_last(c, ITEM_ANSWER);
	ok(a && !a->running && a->end == ANSWER_LENGTH && a->ids.n == 24 && a->text.len > 20, "an answer of 24 tokens");
	ok(a->stats.n_gen == 24 && a->stats.n_reused == 0 && a->stats.first_ns > 0 && a->stats.decode_ns > 0,
	   "with its figures");
	ok(a->label && strstr(a->label, "stories260K · F32"), "labelled with model and level");
	ok(as_fresh(c, model, NULL), "its ids are those of a fresh session");
	ok(c->levels[c->level].rate > 0, "the level's speed is noted");

	held = a->stats.n_prompt + a->stats.n_gen;
	drive_say(d, " They played and");
	a = drive_last(c, ITEM_ANSWER);
	ok(a->stats.n_reused >= held - 1 && a->stats.n_reused <= held, "the second turn finds %d of %d tokens there",
	   a->stats.n_reused, held);
	ok(a->stats.n_prompt > held && a->stats.n_prefill == a->stats.n_prompt - a->stats.n_reused,
	   "and prefills only what is new (%d)", a->stats.n_prefill);
	ok(as_fresh(c, model, NULL), "its ids are those of a fresh session");
}

static void test_stop(struct drive *d, const char *model)
{
	struct chat *c = d->c;
	const struct chat_item *a;
	const size_t n = c->n_items;

	d->o.n = 300;
	chat_submit(c, " The dog");
	drive_wait(d, begun);
	ok(c->state == CHAT_DECODE, "an answer streams");
	chat_submit(c, "and another");
	ok(c->n_items == n + 3 && c->draft && !strcmp(c->draft, "and another") && drive_last(c, ITEM_NOTE)->error,
	   "a message beside it is refused and comes back");
	chat_submit(c, "/continue");
	ok(c->n_items == n + 4, "so is /continue");
	ok(chat_stop(c), "it is stopped");
	drive_wait(d, drive_idle);
	a = drive_last(c, ITEM_ANSWER);
	ok(a->end == ANSWER_STOPPED && a->ids.n >= 5 && a->ids.n < 300 && a->text.len, "in its middle, and stays as it is");
	ok(!chat_stop(c), "nothing more to stop");
	d->o.n = 16;
	drive_say(d, " So");
	ok(as_fresh(c, model, NULL), "the next turn stands on the stopped one");
}

static void test_levels(struct drive *d, const char *model)
{
	struct chat *c = d->c;
	const int64_t used = c->g.ctx_used;
	const int own = c->level;
	int at;

	ok(!chat_step_level(c, -1) && c->target == own && !c->n_switches, "above the best level there is nothing");
	chat_step_level(c, 1);
	ok(c->target == own + 1 && c->level == own && c->state == CHAT_SWITCHING, "the target is shown at once");
	drive_wait(d, drive_idle);
	ok(c->level == own + 1 && c->target == c->level, "and reached");
	ok(c->g.ctx_used == used, "the context is as full as before (%lld)", (long long)used);
	ok(note_has(c, "now Q8_0") && note_has(c, "exact"), "a mark: %s", drive_last(c, ITEM_NOTE)->text.p);
	drive_say(d, " Then");
	ok(drive_last(c, ITEM_ANSWER)->stats.n_reused >= used - 1, "the next turn finds it all prefilled");
	ok(as_fresh(c, model, "Q8_0"), "its ids are those of a fresh session at Q8_0 on the same transcript");
	ok(strstr(drive_last(c, ITEM_ANSWER)->label, "· Q8_0"), "and the label says so");

	/* through levels quickly: only the last is a mark */
	at = (int)c->n_items;
	chat_submit(c, "/quant -");
	chat_submit(c, "/quant -");
	ok(c->target == own + 3, "two steps at once");
	drive_wait(d, drive_idle);
	ok(c->level == own + 3 && (int)c->n_items == at + 1 && note_has(c, "now Q4_0"), "one mark for both");

	d->o.n = 300;
	drive_pace(DRIVE_UNTIL_MADE);
	chat_submit(c, " Now");
	drive_wait(d, begun);
	chat_submit(c, "/quant q5_1");
	drive_wait(d, drive_idle);
	drive_pace(DRIVE_FAST);
	ok(drive_last(c, ITEM_ANSWER)->end == ANSWER_STOPPED && drive_last(c, ITEM_ANSWER)->text.len,
	   "a switch stops the answer and keeps its text");
	ok(!strcmp(c->levels[c->level].name, "Q5_1"), "then it switches");
	d->o.n = 8;
	drive_say(d, " And");
	ok(as_fresh(c, model, "Q5_1"), "and what comes next is Q5_1's");

	/* beside the ladder */
	chat_submit(c, "/quant bf16");
	drive_wait(d, drive_idle);
	ok(!strcmp(c->levels[c->level].name, "BF16") && note_has(c, "now BF16"), "a level beside the ladder: %s",
	   drive_last(c, ITEM_NOTE)->text.p);
	drive_say(d, " So");
	ok(as_fresh(c, model, "BF16"), "with its ids");
	chat_step_level(c, 1);
	ok(c->target == c->level + 1 && !strcmp(c->levels[c->target].name, "Q8_0"), "a step from it leads to the next rung");
	drive_wait(d, drive_idle);
	chat_step_level(c, -1);
	ok(c->target == 0 && !strcmp(c->levels[0].name, "F32"), "a step does not lead to it");
	drive_wait(d, drive_idle);
	chat_submit(c, "/quant Q5_1");
	drive_wait(d, drive_idle);

	chat_submit(c, "/quant Q5_2");
	ok(drive_last(c, ITEM_NOTE)->error && note_has(c, "Q8_0"), "an unknown level names those there are: %s",
	   drive_last(c, ITEM_NOTE)->text.p);
	chat_submit(c, "/quant q5_1");
	ok(!c->n_switches && note_has(c, "already"), "the level in use is not switched to");
}

static void test_again(struct drive *d, const char *model)
{
	struct chat *c = d->c;
	const struct chat_item *a;
	const char *level;

	/* asked while a switch is on its way, then switched elsewhere before it could begin */
	chat_submit(c, "/quant q8_0");
	chat_submit(c, " When");
	chat_submit(c, "/quant q4_0");
	ok(c->answer && c->n_switches == 2, "a question waits behind two switches");
	drive_wait(d, drive_idle);
	a = drive_last(c, ITEM_ANSWER);
	ok(!strcmp(c->levels[c->level].name, "Q4_0"), "the last switch counts");
	/* by the level in use, beside the making, or by the new one when that was quicker */
	level = strstr(a->label, " · ");
	ok((a->end == ANSWER_LENGTH && level && as_fresh(c, model, level + strlen(" · "))) || (a->end == ANSWER_STOPPED && a->ids.n),
	   "and the question was asked again (%s)", a->label);
}

static void test_refusal(struct drive *d, const char *model)
{
	struct chat *c = d->c;
	const size_t n = c->n_items;
	const int64_t used = c->g.ctx_used;
	char *text = malloc(8001);

	for (int i = 0; i < 8000; i++)
		text[i] = "one two three four "[i % 19];
	text[8000] = '\0';
	mem_free(c->draft);
	c->draft = NULL;
	drive_say(d, text);
	ok(c->n_items == n + 1 && drive_last(c, ITEM_NOTE)->error && note_has(c, "512"), "refused: %s",
	   drive_last(c, ITEM_NOTE)->text.p);
	ok(c->draft && !strcmp(c->draft, text), "its text comes back");
	ok(c->g.ctx_used == used, "nothing of the context is lost");
	drive_say(d, " She");
	ok(drive_last(c, ITEM_ANSWER)->stats.n_reused >= used - 1 && as_fresh(c, model, "Q4_0"), "and the conversation goes on");
	free(text);
}

/* Files that go before a message are not part of what was typed, wherever it comes back. */
static void test_attached(struct drive *d)
{
	static char big[4000], command[300];
	const char *small = tmp_path("small");
	struct chat *c = d->c;

	memset(big, 'x', sizeof big);
	tmp_write(small, "one\n", 4);
	tmp_write(tmp_path("big"), big, sizeof big);
	drive_say(d, "/clear");
	snprintf(command, sizeof command, "/read %s", small);
	chat_submit(c, command);
	drive_say(d, "//two");
	ok(strstr(drive_last(c, ITEM_USER)->text.p, "one\n\n/two") && !c->attached, "a file, and a message with a slash");
	chat_submit(c, "/edit");
	ok(c->draft && !strcmp(c->draft, "//two") && note_has(c, "small, 4 bytes"), "edited: %s", c->draft);
	drive_say(d, "three");
	ok(strstr(drive_last(c, ITEM_USER)->text.p, "one\n\nthree") && chat_turns(c) == 1, "the file goes before it again");
	chat_submit(c, "/edit");
	chat_edit_leave(c);
	ok(!c->attached, "left as it was: nothing waits");
	snprintf(command, sizeof command, "/read %s", tmp_path("big"));
	chat_submit(c, command);
	mem_free(c->draft);
	c->draft = NULL;
	drive_say(d, "/four");
	drive_say(d, "//five");
	ok(c->draft && !strcmp(c->draft, "//five") && c->attached && strlen(c->attached) > sizeof big && chat_turns(c) == 1,
	   "refused: the text comes back, the file waits beside it");
	drive_say(d, "/clear");
	ok(!c->attached, "/clear drops it");
	mem_free(c->draft);
	c->draft = NULL;
}

static void test_commands(struct drive *d)
{
	struct chat *c = d->c;
	char *w;

	chat_submit(c, "/set temp 0.25");
	chat_submit(c, "/set TOP-K=7");
	chat_submit(c, "/set seed 18446744073709551615");
	chat_submit(c, "/set n -1");
	ok(d->o.sample.temp == 0.25 && d->o.sample.top_k == 7 && d->o.sample.seed == UINT64_MAX && d->o.n == -1,
	   "/set changes values");
	static const char *const bad[] = { "/set temp -1", "/set temp x", "/set temp nan", "/set top_k 1.5", "/set top_p 1.1",
		"/set seed -1", "/set n -2", "/set repeat 0", "/set tempo 1", "/set seed 18446744073709551616" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		chat_submit(c, bad[i]);
		ok(drive_last(c, ITEM_NOTE)->error && c->items[c->n_items - 1] == drive_last(c, ITEM_NOTE), "%s: %s", bad[i],
		   drive_last(c, ITEM_NOTE)->text.p);
	}
	ok(d->o.sample.temp == 0.25 && d->o.sample.top_k == 7 && d->o.n == -1, "and wrong ones change nothing");
	chat_submit(c, "/set");
	ok(note_has(c, "0.25") && note_has(c, "repeat"), "/set alone lists them");
	chat_submit(c, "/stats");
	ok(note_has(c, "reused") && note_has(c, "prefilled") && note_has(c, "RSS") && note_has(c, "KV"), "/stats");
	chat_submit(c, "/quant");
	ok(note_has(c, "▸ Q4_0"), "/quant alone lists the levels");
	chat_submit(c, "/help");
	for (const struct slash *r = slashes; r->name; r++)
		ok(note_has(c, r->help), "/help tells of /%s", r->name);
	chat_submit(c, "/qaunt");
	ok(note_has(c, "/quant?"), "an unknown command names the nearest");

	w = slash_complete(c, "/qu", 0, 3, 0);
	ok(w && !strcmp(w, "/quant"), "completion of commands");
	free(w);
	w = slash_complete(c, "/quant q5_1", 7, 11, 0);
	ok(w && !strcmp(w, "Q5_1"), "and of levels");
	free(w);
	w = slash_complete(c, "/quant q6", 7, 9, 0);
	ok(w && !strcmp(w, "Q6_K"), "those beside the ladder too");
	free(w);
	ok(!slash_complete(c, "/quant q5_1", 7, 11, 1) && !slash_complete(c, "qu", 0, 2, 0) &&
	   !slash_complete(c, "/bye ", 5, 5, 0), "and of nothing else");

	chat_submit(c, "/clear");
	ok(c->n_items == 0, "/clear empties the conversation");
	drive_wait(d, reset);
	ok(c->g.ctx_used == 0, "and the session");
	chat_submit(c, "  \n ");
	ok(c->n_items == 0, "an empty line is nothing");
	chat_submit(c, "/bye");
	ok(c->quit, "/bye");
}

static void test_early(const char *model)
{
	struct drive d;

	start(&d, model);
	chat_submit(d.c, "Once upon a time");
	ok(d.c->answer && d.c->n_items == 2, "a question may be asked before the model is open");
	drive_wait(&d, drive_idle);
	ok(drive_last(d.c, ITEM_ANSWER)->ids.n == 24, "and is answered");
	drive_close(&d);

	start(&d, model);
	chat_submit(d.c, "Once upon a time");
	ok(chat_stop(d.c), "stopped before its first token");
	drive_wait(&d, drive_idle);
	ok(!drive_last(d.c, ITEM_USER) && !drive_last(d.c, ITEM_ANSWER) && d.c->draft && !strcmp(d.c->draft, "Once upon a time"),
	   "it is the draft again");
	drive_close(&d);

	start(&d, model);
	chat_submit(d.c, "Once upon a time");
	drive_close(&d);
	ok(true, "leaving while it loads");
}

static void test_bad(void)
{
	struct drive d;

	start(&d, "/nonexistent/model.gguf");
	drive_wait(&d, drive_opened);
	ok(d.c->state == CHAT_FAILED && d.c->failed && strstr(d.c->why.msg, "/nonexistent/model.gguf"), "no model: %s",
	   d.c->why.msg);
	chat_submit(d.c, "Hello");
	ok(d.c->draft && !strcmp(d.c->draft, "Hello") && !drive_last(d.c, ITEM_USER), "a message comes back");
	drive_close(&d);
}

static void test_system(const char *model)
{
	struct drive d;

	start(&d, model);
	d.o.level = "q4_0";
	d.o.system = "One day";
	drive_say(&d, ", a boy");
	ok(drive_last(d.c, ITEM_ANSWER)->stats.n_prompt > 4, "the system prompt goes before");
	drive_close(&d);
}

/* With a template, a system prompt, and weights that are worth a switch. */
static void test_template(void)
{
	char *model = data_path("models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
	const struct chat_item *a;
	struct drive d;
	struct chat *c;
	int32_t held;

	if (!model || SLOW) {
		tap_skip("a chat with a template: %s", SLOW ? "too slow with this sanitizer" : "no reference data");
		free(model);
		return;
	}
	start(&d, model);
	c = d.c;
	ok(!strcmp(c->name, "SmolLM2-135M-Instruct"), "the level is no part of the name: %s", c->name);
	d.o.n = 12;
	drive_say(&d, "What is the capital of Japan?");
	a = drive_last(c, ITEM_ANSWER);
	ok(a->end == ANSWER_DONE && strstr(a->text.p, "Tokyo"), "it answers: %s", a->text.p);
	ok(!drive_last(c, ITEM_NOTE), "and nothing is said of a missing template");
	held = a->stats.n_prompt + a->stats.n_gen;
	drive_say(&d, "And of France?");
	a = drive_last(c, ITEM_ANSWER);
	ok(a->stats.n_reused >= held - 1 && a->stats.n_prefill < 32, "the second turn prefills %d of %d tokens",
	   a->stats.n_prefill, a->stats.n_prompt);
	chat_submit(c, "/quant q4_0");
	drive_wait(&d, drive_idle);
	ok(note_has(c, "now Q4_0") && note_has(c, "made from Q4_1"), "a level made from one already quantized says so: %s",
	   drive_last(c, ITEM_NOTE)->text.p);
	drive_say(&d, "And of Italy?");
	ok(as_fresh(c, model, "Q4_0"), "after an exact switch the greedy ids are those of a fresh session at Q4_0");
	drive_close(&d);
	free(model);
}

int main(void)
{
	char *model = shipped_model();
	struct drive d;

	xio_set_fault(drive_linger, NULL);
	start(&d, model);
	test_answers(&d, model);
	test_stop(&d, model);
	test_levels(&d, model);
	chat_submit(d.c, "/clear");
	test_again(&d, model);
	test_refusal(&d, model);
	test_commands(&d);
	test_attached(&d);
	drive_close(&d);
	test_early(model);
	test_bad();
	test_system(model);
	test_template();
	free(model);
	return tap_done();
}
