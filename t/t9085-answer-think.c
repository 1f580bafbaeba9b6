/*
 * Thinking in answers of a real model, its marks two texts that it is known to write: an answer
 * that was cut and goes on is in every respect the one that was not.
 */
#include "config.h"
#include "app/answer.h"
#include "t/lib/model.h"
#include "t/lib/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH = 24 };

static struct eng_model *model;
static struct eng_session *session;
static struct eng_sampler *sampler;

/* At most n tokens behind the prompt and what was said already. The caller frees text and ids. */
static void say(struct think_marks marks, const struct eng_ids *begun, size_t n_begun, int64_t n, struct answer *a,
		struct str *text)
{
	struct eng_ids prompt = { 0 };
	struct err e;

	if (eng_tokenize(model, "Once upon a time", 16, true, &prompt, &e) < 0)
		abort();
	for (size_t i = 0; i < n_begun; i++)
		if (eng_ids_add(&prompt, begun->p[i]))
			abort();
	*a = (struct answer){
		.model = model, .session = session, .sampler = sampler, .prompt = prompt.p, .n_prompt = (int32_t)prompt.n,
		.n_max = n, .n_begun = (int32_t)n_begun, .marks = marks,
	};
	if (answer_run(a, &e) < 0)
		tap_bail("%s", e.msg);
	for (size_t i = 0; i < a->ids.n; i++)
		if (eng_ids_add(&prompt, a->ids.p[i]))
			abort();
	str_init(text, 0);
	if (eng_decode(model, prompt.p + a->n_prompt - n_begun, n_begun + a->ids.n, false, text, &e) < 0)
		abort();
	eng_ids_release(&prompt);
	a->prompt = NULL;
}

static bool same(const struct answer *a, const struct answer *b)
{
	return a->stats.think.state == b->stats.think.state && a->stats.think.from == b->stats.think.from &&
	       a->stats.think.to == b->stats.think.to && a->stats.think.rest == b->stats.think.rest &&
	       a->stats.n_thought == b->stats.n_thought;
}

static void thinks(const char *name, const char *open, const char *close, enum think_state state, const char *thought,
		   int32_t n_thought)
{
	const struct think_marks marks = { open, close };
	struct answer whole, part;
	struct str text, again;
	int bad = 0;

	say(marks, NULL, 0, LENGTH, &whole, &text);
	ok(whole.stats.think.state == state && whole.stats.n_thought == n_thought && whole.stats.n_think == n_thought &&
	   (!*thought || (whole.stats.think.to - whole.stats.think.from == strlen(thought) &&
			  !memcmp(text.p + whole.stats.think.from, thought, strlen(thought)))),
	   "%s: %d of %d tokens", name, whole.stats.n_thought, whole.stats.n_gen);
	for (size_t k = 1; k < LENGTH; k++) {
		say(marks, &whole.ids, k, (int64_t)(LENGTH - k), &part, &again);
		bad += !same(&whole, &part) || part.stats.n_think > part.stats.n_gen || strcmp(text.p, again.p) != 0;
		eng_ids_release(&part.ids);
		str_release(&again);
	}
	ok(!bad, "and the same when it was cut behind each of its tokens, and went on (%d differ)", bad);
	eng_ids_release(&whole.ids);
	str_release(&text);
}

int main(void)
{
	const struct eng_opts o = { .threads = 2 };
	const struct eng_session_opts so = { .n_ctx = 128 };
	const struct eng_sample_opts greedy = { .repeat_penalty = 1, .top_p = 1 };
	struct eng_weights *w = NULL;
	char *path = shipped_model();
	struct eng *g = NULL;
	struct err e;

	if (eng_new(&g, &o, &e) < 0 || eng_model_open(g, path, false, &model, &e) < 0 ||
	    eng_weights_get(model, NULL, NULL, NULL, &w, &e) < 0 || eng_session_new(w, &so, &session, &e) < 0 ||
	    !(sampler = eng_sampler_new(&greedy, &e)))
		tap_bail("%s", e.msg);
	/* ", there was a little girl named Lily. She loved to play …" */
	thinks("both marks", ", there", " girl", THINK_OVER, " was a little", 8);
	thinks("the opening mark alone", ", there", "</no>", THINK_INSIDE, "", LENGTH);
	thinks("the closing mark alone", "<no>", " girl", THINK_OVER, ", there was a little", 8);
	thinks("neither", "<no>", "</no>", THINK_NONE, "", 0);
	eng_sampler_free(sampler);
	eng_session_free(session);
	eng_weights_release(w);
	eng_model_close(model);
	eng_free(g);
	free(path);
	return tap_done();
}
