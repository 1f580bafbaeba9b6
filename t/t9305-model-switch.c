/* Another model takes a conversation over: by text, with sampled ids only where they mean the same; or it cannot be opened. */
#include "config.h"
#include "app/slash.h"
#include "engine/base/xio.h"
#include "t/lib/drive.h"
#include "t/lib/model.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER = 12 };

static bool weighed(const struct chat *c) { return !c->weighing && !c->to_weigh; }
static bool said_counted(const struct chat *c) { return drive_idle(c) && c->said; }
static bool begun(const struct chat *c) { return c->answer && c->answer->stats.n_gen >= 3; }

static void start(struct drive *d, const char *model)
{
	drive_init(d, model, ANSWER);
	drive_open(d);
	drive_wait(d, drive_opened);
}

static void sayf(struct drive *d, const char *fmt, const char *arg)
{
	char text[1024];

	snprintf(text, sizeof text, fmt, arg);
	drive_say(d, text);
}

static bool noted(const struct chat *c, const char *text)
{
	for (size_t i = 0; i < c->n_items; i++)
		if (c->items[i]->kind == ITEM_NOTE && strstr(c->items[i]->text.p, text))
			return true;
	return false;
}

/* -- what the prompt must have been ---------------------------------------------------- */

/* The conversation up to its last answer as `tidbit template --ids` is given it. */
static char *context_of(const struct chat *c)
{
	json_t *o = json_object(), *messages = json_array();
	const struct chat_item *stop = drive_last(c, ITEM_ANSWER);
	char *text;

	for (size_t i = 0; i < c->n_items && c->items[i] != stop; i++) {
		const struct chat_item *it = c->items[i];

		if (it->kind != ITEM_NOTE)
			json_array_append_new(messages, json_pack("{s:s, s:o}", "role", it->kind == ITEM_USER ? "user" : "assistant",
								  "content", json_stringn(it->text.p, it->text.len)));
	}
	json_object_set_new(o, "messages", messages);
	json_object_set_new(o, "add_generation_prompt", json_true());
	text = json_dumps(o, 0);
	json_decref(o);
	return text;
}

static void rendered(const struct chat *c, struct eng_model *m, struct eng_ids *out)
{
	char *context = context_of(c);
	struct eng_template_job job = { .context = context, .context_len = strlen(context), .ids = true };
	struct eng_rendering r;
	struct err e;

	eng_rendering_init(&r);
	if (eng_template_render(m, &job, &r, &e))
		printf("# %s\n", e.msg);
	*out = r.ids;
	r.ids = (struct eng_ids){ 0 };
	eng_rendering_release(&r);
	free(context);
}

/* Is the last answer what a fresh session of the model says to that prompt, all of it? */
static bool follows(const struct chat *c, const char *model, drive_prompt_fn *prompt)
{
	return drive_follows(c, model, NULL, prompt) == drive_last(c, ITEM_ANSWER)->stats.n_prompt;
}

/* -- models made here ------------------------------------------------------------------- */

static char *made(const char *shape, const char *name, const char *more)
{
	const char *build = getenv("TEST_BUILD");
	char *path = mem_strdup(tmp_path(name)), line[1024];

	snprintf(line, sizeof line, "'%s/t/helper/mkmodel' %s F32 '%s' %s >&2", build ? build : ".", shape, path, more);
	if (system(line))
		tap_bail("%s", line);
	return path;
}

static void test_other_vocabulary(const char *llama, const char *qwen)
{
	const struct opened *before;
	struct drive d;

	start(&d, llama);
	drive_say(&d, "What is the capital of Japan?");
	ok(follows(d.c, llama, rendered), "the first answer stands on the first model's template");
	before = d.c->opened;
	sayf(&d, "/model %s", qwen);
	ok(d.c->opened != before && !strcmp(d.c->name, "qwen") && !d.c->opening, "another model is open: %s", d.c->name);
	ok(noted(d.c, "now qwen · F32") && noted(d.c, "another vocabulary"), "a mark tells it: %s", drive_last(d.c, ITEM_NOTE)->text.p);
	ok(d.c->n_levels && d.c->target == d.c->level && d.c->levels[d.c->level].own, "with its own levels");
	drive_say(&d, "And of France?");
	ok(drive_last(d.c, ITEM_ANSWER)->label && strstr(drive_last(d.c, ITEM_ANSWER)->label, "qwen"), "its answer is labelled with it");
	ok(follows(d.c, qwen, rendered), "its prompt is the whole conversation in its own template, as the text is");
	sayf(&d, "/model %s", llama);
	drive_say(&d, "Thank you.");
	ok(follows(d.c, llama, drive_spliced) || follows(d.c, llama, rendered), "and back: a prompt of the first one's");
	drive_close(&d);
}

static void test_same_vocabulary(const char *llama, const char *twin)
{
	struct drive d;
	int64_t said;
	double rate;

	start(&d, llama);
	drive_say(&d, "What is the capital of Japan?");
	rate = d.c->levels[d.c->level].rate;
	sayf(&d, "/model %s", twin);
	ok(noted(d.c, "the same vocabulary"), "a model of the same vocabulary says so: %s", drive_last(d.c, ITEM_NOTE)->text.p);
	drive_wait(&d, said_counted);
	said = d.c->said;
	ok(d.c->next_adds == said && !d.c->next_about, "what the next message brings over is told at once (%lld)", (long long)said);
	chat_weigh(d.c, "And");
	drive_wait(&d, weighed);
	ok(d.c->next_adds > said, "with what is typed, more");
	chat_weigh(d.c, "");
	ok(d.c->next_adds == said, "without it, that again");
	drive_say(&d, "/stats");
	ok(noted(d.c, "llama") && noted(d.c, "answer of") && !noted(d.c, "no answer yet"), "/stats tells the last answer's figures, and whose it is");
	ok(!d.c->levels[d.c->level].rate, "nothing is measured of the twin");
	drive_say(&d, "And of France?");
	ok(follows(d.c, twin, drive_spliced), "answers go over as they were sampled");
	ok(drive_last(d.c, ITEM_ANSWER)->stats.n_prefill > said && !d.c->said && !d.c->next_adds, "and are brought over (%d)",
	   drive_last(d.c, ITEM_ANSWER)->stats.n_prefill);
	sayf(&d, "/model %s", llama);
	ok(rate > 0 && d.c->levels[d.c->level].rate == rate, "a model that is opened again is as fast as it was");
	chat_reset(d.c);
	drive_wait(&d, drive_idle);
	ok(!d.c->said && !d.c->next_adds, "an empty conversation brings nothing over");
	drive_close(&d);
}

static void test_failures(const char *llama)
{
	const struct opened *before;
	const char *bad = tmp_path("bad.gguf");
	struct drive d;
	size_t n;

	tmp_write(bad, "GGUFnonsense", 12);
	start(&d, llama);
	drive_say(&d, "Hello");
	before = d.c->opened;
	n = d.c->n_items;
	sayf(&d, "/model %s", bad);
	ok(d.c->opened == before && !strcmp(d.c->name, "llama") && d.c->n_items == n + 1 && drive_last(d.c, ITEM_NOTE)->error &&
	   !strchr(drive_last(d.c, ITEM_NOTE)->text.p, '\n'), "a damaged one leaves the old one: %s", drive_last(d.c, ITEM_NOTE)->text.p);
	drive_say(&d, "/model no-such-model");
	ok(d.c->opened == before && noted(d.c, "no-such-model"), "so does a name that is none");
	drive_say(&d, "Go on");
	ok(follows(d.c, llama, drive_spliced), "and the conversation goes on");
	drive_close(&d);
}

static void test_running(const char *llama, const char *qwen)
{
	const struct chat_item *a;
	struct drive d;
	char line[1024];

	start(&d, llama);
	d.o.n = 100000;
	chat_submit(d.c, "Tell me everything");
	drive_wait(&d, begun);
	snprintf(line, sizeof line, "/model %s", qwen);
	d.o.n = ANSWER;
	chat_submit(d.c, line);
	drive_wait(&d, drive_idle);
	a = drive_last(d.c, ITEM_ANSWER);
	ok(a->end == ANSWER_STOPPED && a->ids.n >= 3 && strstr(a->label, "llama") && !strcmp(d.c->name, "qwen"),
	   "a running answer is stopped and stays (%zu tokens)", a->ids.n);
	chat_submit(d.c, "/continue");
	drive_wait(&d, drive_idle);
	ok(drive_last(d.c, ITEM_NOTE)->error && strstr(drive_last(d.c, ITEM_NOTE)->text.p, "/regen"),
	   "it does not go on in ids that mean something else: %s", drive_last(d.c, ITEM_NOTE)->text.p);
	chat_submit(d.c, "/regen");
	drive_wait(&d, drive_idle);
	ok(drive_last(d.c, ITEM_ANSWER)->ids.n && follows(d.c, qwen, rendered), "/regen writes it anew");
	sayf(&d, "/model %s", llama);
	/* both are asked before the loop turns: the message waits for the model */
	snprintf(line, sizeof line, "/model %s", qwen);
	chat_submit(d.c, line);
	chat_submit(d.c, "Well?");
	drive_wait(&d, drive_idle);
	ok(strstr(drive_last(d.c, ITEM_ANSWER)->label, "qwen") && d.c->items[d.c->n_items - 1]->kind != ITEM_USER &&
	   follows(d.c, qwen, drive_spliced), "a message that waits for a model is answered by it: %s", drive_last(d.c, ITEM_ANSWER)->label);
	drive_close(&d);
}

/* Five models one after the other: each is gone when the next one is read. */
static void test_many(const char *llama, const char *qwen)
{
	struct drive d;

	start(&d, llama);
	drive_say(&d, "Hello");
	for (int i = 0; i < 5; i++)
		sayf(&d, "/model %s", i % 2 ? llama : qwen);
	ok(!strcmp(d.c->name, "qwen"), "models one after the other");
	drive_say(&d, "/clear");
	drive_say(&d, "Hello");
	ok(follows(d.c, qwen, rendered), "and the last one answers");
	drive_close(&d);
}

int main(void)
{
	char *llama, *qwen, *twin;

	llama = made("tiny-llama3", "llama.gguf", "");
	qwen = made("tiny-qwen3", "qwen.gguf", "");
	twin = made("tiny-llama3", "twin.gguf", "--seed 7");
	test_other_vocabulary(llama, qwen);
	test_same_vocabulary(llama, twin);
	test_failures(llama);
	test_running(llama, qwen);
	test_many(llama, qwen);
	mem_free(llama);
	mem_free(qwen);
	mem_free(twin);
	return tap_done();
}
