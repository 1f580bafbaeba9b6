/* Another model takes a conversation over: by text, with sampled ids only where they mean the same; or it cannot be opened. */
#include "config.h"
#include "app/chat.h"
#include "app/opt.h"
#include "app/slash.h"
#include "engine/base/xio.h"
#include "t/lib/model.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 60000, ANSWER = 12 };

struct drive {
	struct loop *l;
	struct chat *c;
	struct opts o;
	bool (*until)(const struct chat *c);
	bool late;
};

static void on_wake(void *arg)
{
	struct drive *d = arg;

	chat_pump(d->c);
}

static void on_turn(void *arg)
{
	struct drive *d = arg;

	if (d->until(d->c))
		loop_quit(d->l, 0);
}

static void on_timer(void *arg)
{
	struct drive *d = arg;

	d->late = true;
	loop_quit(d->l, 1);
}

static const struct loop_ops ops = { .wake = on_wake, .turn = on_turn, .timer = on_timer };

static void wait_for(struct drive *d, bool (*until)(const struct chat *))
{
	d->until = until;
	loop_timer(d->l, WAIT_MS);
	loop_run(d->l);
	loop_timer(d->l, -1);
	if (d->late) {
		printf("Bail out! waited in vain\n");
		exit(1);
	}
}

static bool opened(const struct chat *c) { return c->state != CHAT_LOADING; }
static bool idle(const struct chat *c) { return c->state == CHAT_IDLE && !c->answer && !c->n_switches && !c->after; }
static bool begun(const struct chat *c) { return c->answer && c->answer->stats.n_gen >= 3; }

static void start(struct drive *d, const char *model)
{
	struct err e;

	*d = (struct drive){ .o = opt_defaults };
	d->o.model = model;
	d->o.threads = 2;
	d->o.sample.temp = 0;
	opt_give(opt_by_key("temp"), &d->o);
	d->o.n = ANSWER;
	if (loop_new(&d->l, &ops, d, &e) || chat_new(&d->c, d->l, &d->o, &e)) {
		printf("Bail out! %s\n", e.msg);
		exit(1);
	}
	loop_watch_input(d->l, false);
	wait_for(d, opened);
}

static void finish(struct drive *d)
{
	chat_free(d->c);
	loop_free(d->l);
}

static void say(struct drive *d, const char *text)
{
	chat_submit(d->c, text);
	wait_for(d, idle);
}

static void sayf(struct drive *d, const char *fmt, const char *arg)
{
	char text[1024];

	snprintf(text, sizeof text, fmt, arg);
	say(d, text);
}

static const struct chat_item *last(const struct chat *c, enum item_kind kind)
{
	for (size_t i = c->n_items; i--;)
		if (c->items[i]->kind == kind)
			return c->items[i];
	return NULL;
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
	const struct chat_item *stop = last(c, ITEM_ANSWER);
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

/* With the ids that were sampled, in place of the text they spell. */
static void spliced(const struct chat *c, struct eng_model *m, struct eng_ids *out)
{
	struct eng_msg *msgs = mem_calloc(c->n_items, sizeof *msgs);
	const struct chat_item *stop = last(c, ITEM_ANSWER);
	struct err e;
	size_t n = 0;

	for (size_t i = 0; i < c->n_items && c->items[i] != stop; i++) {
		const struct chat_item *it = c->items[i];

		if (it->kind != ITEM_NOTE)
			msgs[n++] = (struct eng_msg){ .role = it->kind == ITEM_USER ? "user" : "assistant",
				.text = it->text.p, .len = it->text.len, .ids = it->ids.p, .n_ids = it->ids.n };
	}
	if (eng_chat(m, msgs, n, NULL, out, &e))
		printf("# %s\n", e.msg);
	mem_free(msgs);
}

typedef void prompt_fn(const struct chat *c, struct eng_model *m, struct eng_ids *out);

/* Is the last answer what a fresh session of the model says to that prompt? */
static bool follows(const struct chat *c, const char *model, prompt_fn *prompt)
{
	const struct chat_item *a = last(c, ITEM_ANSWER);
	struct eng *g = new_engine(1, NULL);
	struct eng_model *m = open_model(g, model);
	struct eng_weights *w = weights_at(m, NULL);
	struct eng_session *s = new_session(w, ENG_KV_F16, 0, 0);
	struct eng_ids ids = { 0 };
	size_t n;
	bool same;

	prompt(c, m, &ids);
	n = ids.n;
	for (size_t i = 0; i < a->ids.n; i++)
		eng_ids_add(&ids, 0);
	go_on(s, ids.p, (int32_t)n, (int32_t)a->ids.n);
	same = n && (int32_t)n == a->stats.n_prompt && a->ids.n && !memcmp(ids.p + n, a->ids.p, a->ids.n * sizeof *a->ids.p);
	printf("# %zu ids, the answer's prompt had %d, answer of %zu\n", n, a->stats.n_prompt, a->ids.n);
	eng_ids_release(&ids);
	eng_session_free(s);
	eng_weights_release(w);
	eng_model_close(m);
	eng_free(g);
	return same;
}

/* -- models made here ------------------------------------------------------------------- */

static char *made(const char *shape, const char *name, const char *more)
{
	const char *build = getenv("TEST_BUILD");
	char *path = mem_strdup(tmp_path(name)), line[1024];

	snprintf(line, sizeof line, "'%s/t/helper/mkmodel' %s F32 '%s' %s >&2", build ? build : ".", shape, path, more);
	if (system(line)) {
		printf("Bail out! %s\n", line);
		exit(1);
	}
	return path;
}

static void test_other_vocabulary(const char *llama, const char *qwen)
{
	const struct opened *before;
	struct drive d;

	start(&d, llama);
	say(&d, "What is the capital of Japan?");
	ok(follows(d.c, llama, rendered), "the first answer stands on the first model's template");
	before = d.c->opened;
	sayf(&d, "/model %s", qwen);
	ok(d.c->opened != before && !strcmp(d.c->name, "qwen") && !d.c->opening, "another model is open: %s", d.c->name);
	ok(noted(d.c, "now qwen · F32") && noted(d.c, "another vocabulary"), "a mark tells it: %s", last(d.c, ITEM_NOTE)->text.p);
	ok(d.c->n_levels && d.c->target == d.c->level && d.c->levels[d.c->level].own, "with its own levels");
	say(&d, "And of France?");
	ok(last(d.c, ITEM_ANSWER)->label && strstr(last(d.c, ITEM_ANSWER)->label, "qwen"), "its answer is labelled with it");
	ok(follows(d.c, qwen, rendered), "its prompt is the whole conversation in its own template, as the text is");
	sayf(&d, "/model %s", llama);
	say(&d, "Thank you.");
	ok(follows(d.c, llama, spliced) || follows(d.c, llama, rendered), "and back: a prompt of the first one's");
	finish(&d);
}

static void test_same_vocabulary(const char *llama, const char *twin)
{
	struct drive d;

	start(&d, llama);
	say(&d, "What is the capital of Japan?");
	sayf(&d, "/model %s", twin);
	ok(noted(d.c, "the same vocabulary"), "a model of the same vocabulary says so: %s", last(d.c, ITEM_NOTE)->text.p);
	say(&d, "And of France?");
	ok(follows(d.c, twin, spliced), "answers go over as they were sampled");
	finish(&d);
}

static void test_failures(const char *llama)
{
	const struct opened *before;
	const char *bad = tmp_path("bad.gguf");
	struct drive d;
	size_t n;

	tmp_write(bad, "GGUFnonsense", 12);
	start(&d, llama);
	say(&d, "Hello");
	before = d.c->opened;
	n = d.c->n_items;
	sayf(&d, "/model %s", bad);
	ok(d.c->opened == before && !strcmp(d.c->name, "llama") && d.c->n_items == n + 1 && last(d.c, ITEM_NOTE)->error &&
	   !strchr(last(d.c, ITEM_NOTE)->text.p, '\n'), "a damaged one leaves the old one: %s", last(d.c, ITEM_NOTE)->text.p);
	say(&d, "/model no-such-model");
	ok(d.c->opened == before && noted(d.c, "no-such-model"), "so does a name that is none");
	say(&d, "Go on");
	ok(follows(d.c, llama, spliced), "and the conversation goes on");
	finish(&d);
}

static void test_running(const char *llama, const char *qwen)
{
	const struct chat_item *a;
	struct drive d;
	char line[1024];

	start(&d, llama);
	d.o.n = 100000;
	chat_submit(d.c, "Tell me everything");
	wait_for(&d, begun);
	snprintf(line, sizeof line, "/model %s", qwen);
	d.o.n = ANSWER;
	chat_submit(d.c, line);
	wait_for(&d, idle);
	a = last(d.c, ITEM_ANSWER);
	ok(a->end == ANSWER_STOPPED && a->ids.n >= 3 && strstr(a->label, "llama") && !strcmp(d.c->name, "qwen"),
	   "a running answer is stopped and stays (%zu tokens)", a->ids.n);
	chat_submit(d.c, "/continue");
	wait_for(&d, idle);
	ok(last(d.c, ITEM_NOTE)->error && strstr(last(d.c, ITEM_NOTE)->text.p, "/regen"),
	   "it does not go on in ids that mean something else: %s", last(d.c, ITEM_NOTE)->text.p);
	chat_submit(d.c, "/regen");
	wait_for(&d, idle);
	ok(last(d.c, ITEM_ANSWER)->ids.n && follows(d.c, qwen, rendered), "/regen writes it anew");
	sayf(&d, "/model %s", llama);
	/* both are asked before the loop turns: the message waits for the model */
	snprintf(line, sizeof line, "/model %s", qwen);
	chat_submit(d.c, line);
	chat_submit(d.c, "Well?");
	wait_for(&d, idle);
	ok(strstr(last(d.c, ITEM_ANSWER)->label, "qwen") && d.c->items[d.c->n_items - 1]->kind != ITEM_USER &&
	   follows(d.c, qwen, spliced), "a message that waits for a model is answered by it: %s", last(d.c, ITEM_ANSWER)->label);
	finish(&d);
}

/* Five models one after the other: each is gone when the next one is read. */
static void test_many(const char *llama, const char *qwen)
{
	struct drive d;

	start(&d, llama);
	say(&d, "Hello");
	for (int i = 0; i < 5; i++)
		sayf(&d, "/model %s", i % 2 ? llama : qwen);
	ok(!strcmp(d.c->name, "qwen"), "models one after the other");
	say(&d, "/clear");
	say(&d, "Hello");
	ok(follows(d.c, qwen, rendered), "and the last one answers");
	finish(&d);
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
