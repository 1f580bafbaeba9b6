/*
 * What is answered after a switch, token for token: exact, borrowed, and an answer that goes on at another
 * level, each held against what `tidbit logits` computes for the same ids and the same switch.
 */
#include "config.h"
#include "engine/base/xio.h"
#include "t/lib/drive.h"
#include "t/lib/model.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER = 24 };

static size_t stopped_at;		/* ids of the answer that a switch stopped */

static void pumped(struct drive *d)
{
	const struct chat_item *a = drive_last(d->c, ITEM_ANSWER);

	if (a && !a->running && d->c->n_switches)
		stopped_at = a->ids.n;
}

static bool begun(const struct chat *c) { return (c->answer && c->answer->stats.n_gen >= 3) || drive_idle(c); }

static void start(struct drive *d, const char *model, int64_t n)
{
	drive_init(d, model, n);
	d->pumped = pumped;
	d->o.sample.repeat_penalty = 1;
	opt_give(opt_by_key("repeat-penalty"), &d->o);
	d->o.n_ctx = 4096;
	drive_open(d);
	drive_wait(d, drive_opened);
}

/* -- what it must have been ------------------------------------------------------------ */

/* The prompt of the last answer, by the engine alone; the answer's ids behind it. */
static struct eng_ids ids_of(const char *path, const struct chat *c, int32_t *n_prompt)
{
	struct eng *g = new_engine(1, NULL);
	struct eng_model *m = open_model(g, path);
	const struct chat_item *stop = drive_last(c, ITEM_ANSWER);
	struct eng_ids out = { 0 };
	struct eng_msg msgs[16];
	struct err e = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < c->n_items && c->items[i] != stop && n < 16; i++) {
		const struct chat_item *it = c->items[i];

		if (it->kind == ITEM_NOTE)
			continue;
		msgs[n++] = (struct eng_msg){ .role = it->kind == ITEM_USER ? "user" : "assistant", .text = it->text.p, .len = it->text.len,
					      .ids = it->ids.p, .n_ids = it->ids.n };
	}
	if (eng_chat_tokens(m, msgs, n, &out, &e))
		tap_bail("%s", e.msg);
	*n_prompt = (int32_t)out.n;
	for (size_t i = 0; i < stop->ids.n; i++)
		eng_ids_add(&out, stop->ids.p[i]);
	eng_model_close(m);
	eng_free(g);
	return out;
}

/* How many of the ids from `from` on are the likeliest that `tidbit logits` finds at the position before. */
static int32_t greedy(const char *path, const struct eng_ids *ids, int32_t from, const char *level, const char *more, int64_t vocab)
{
	char ids_path[512], out_path[512], cmd[3000];
	float *row = malloc((size_t)vocab * sizeof *row);
	int32_t same = 0;
	FILE *f;

	snprintf(ids_path, sizeof ids_path, "%s", tmp_path("ids"));
	snprintf(out_path, sizeof out_path, "%s", tmp_path("logits"));
	f = fopen(ids_path, "w");
	for (size_t i = 0; i < ids->n; i++)
		fprintf(f, "%d\n", ids->p[i]);
	fclose(f);
	snprintf(cmd, sizeof cmd, "'%s/tidbit' logits -m '%s' --tokens '%s' -o '%s' -c 4096 -q %s %s 2>/dev/null", getenv("TEST_BUILD"), path, ids_path,
		 out_path, level, more);
	if (system(cmd)) {
		printf("# %s\n", cmd);
		free(row);
		return -1;
	}
	f = fopen(out_path, "rb");
	fseek(f, (long)(from - 1) * (long)(vocab * (int64_t)sizeof *row), SEEK_SET);
	for (int32_t i = from; i < (int32_t)ids->n; i++)
		if (fread(row, sizeof *row, (size_t)vocab, f) == (size_t)vocab)
			same += best(row, vocab) == ids->p[i];
	fclose(f);
	unlink(out_path);
	free(row);
	return same;
}

static void test_switch(const char *path, const char *from, const char *to, bool borrowed)
{
	char command[64], more[128];
	const struct chat_item *a;
	struct eng_ids ids;
	int32_t n_prompt, same;
	struct drive d;

	start(&d, path, ANSWER);
	drive_say(&d, "One day, Lily went to the park.");
	snprintf(command, sizeof command, "/quant %s %s", to, borrowed ? "--borrowed" : "--exact");
	drive_say(&d, command);
	drive_say(&d, "Then what did she see?");
	a = drive_last(d.c, ITEM_ANSWER);
	ids = ids_of(path, d.c, &n_prompt);
	ok(a->stats.n_prompt == n_prompt && a->stats.n_reused > 20 && a->ids.n, "%s, %s: the prompt is the one it is taken for (%d tokens, %d kept)",
	   to, borrowed ? "borrowed" : "exact", a->stats.n_prompt, a->stats.n_reused);
	snprintf(more, sizeof more, "--switch-from %s --at %d --mode %s", from, a->stats.n_reused, borrowed ? "borrowed" : "exact");
	same = greedy(path, &ids, n_prompt, to, more, d.c->info->n_vocab);
	ok(same == (int32_t)a->ids.n, "%s, %s: the answer's ids are those of logits %s (%d of %zu)", to, borrowed ? "borrowed" : "exact", more, same,
	   a->ids.n);
	if (borrowed && same >= 0)
		ok(strstr(a->label, "borrowed") != NULL, "and its label says so");
	eng_ids_release(&ids);
	drive_close(&d);
}

static void test_go_on(const char *path, const char *from, const char *to, const char *how)
{
	char command[64], more[128];
	const struct chat_item *a;
	struct eng_ids ids, first;
	int32_t n_prompt, k, same;
	struct drive d;

	start(&d, path, 80);
	drive_pace(DRIVE_UNTIL_MADE);
	chat_submit(d.c, "One day, Lily went to the park.");
	drive_wait(&d, begun);
	snprintf(command, sizeof command, "/quant %s --go-on %s", to, how);
	drive_say(&d, command);
	drive_pace(DRIVE_FAST);
	a = drive_last(d.c, ITEM_ANSWER);
	k = (int32_t)stopped_at;
	ids = ids_of(path, d.c, &n_prompt);
	ok(k >= 3 && a->ids.n > (size_t)k, "an answer goes on at %s from its token %d (to %zu)", to, k, a->ids.n);
	/* the last id of the old level was sampled, and its position computed by the new one */
	snprintf(more, sizeof more, "--switch-from %s --at %d --mode %s", from, n_prompt + k - 1, *how ? "borrowed" : "exact");
	same = greedy(path, &ids, n_prompt + k, to, more, d.c->info->n_vocab);
	ok(same == (int32_t)a->ids.n - k, "from there its ids are those of logits %s (%d of %d)", more, same, (int)a->ids.n - k);
	first = (struct eng_ids){ ids.p, (size_t)(n_prompt + k), ids.size };
	same = greedy(path, &first, n_prompt, from, "", d.c->info->n_vocab);
	ok(same == k, "up to there they are those of %s (%d of %d)", from, same, k);
	eng_ids_release(&ids);
	drive_close(&d);
}

static void test_model(const char *path, const char *from, const char *to)
{
	test_switch(path, from, to, false);
	test_switch(path, from, to, true);
	test_go_on(path, from, to, "");
	test_go_on(path, from, to, "--borrowed");
}

int main(void)
{
	char *shipped = shipped_model(), *large = data_path("models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");

	if (!getenv("TEST_BUILD")) {
		tap_skip("no TEST_BUILD: the program is somewhere else");
		return tap_done();
	}
	xio_set_fault(drive_linger, NULL);
	test_model(shipped, "F32", "Q4_0");
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	tap_skip("a real model: too slow with a sanitizer");
#else
	if (large)
		test_model(large, "Q4_1", "Q4_0");
	else
		tap_skip("no reference data");
#endif
	free(shipped);
	free(large);
	return tap_done();
}
