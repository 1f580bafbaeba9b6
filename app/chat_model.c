/* Models of a conversation: the first one, and others that take its place. */
#include "config.h"
#include "app/chat_impl.h"
#include "engine/base/xio.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

char *chat_short_name(const char *path)
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

/* -- asking -------------------------------------------------------------------------- */

int chat_post_open(struct chat *c, const char *word, const char *level, struct err *e)
{
	struct job *j = job_new(JOB_OPEN);

	if (j) {
		j->path = mem_strdup(word);
		j->level = level ? mem_strdup(level) : NULL;
	}
	if (!j || !j->path || (level && !j->level)) {
		job_free(j);
		return err_set(e, ERR_NOMEM, "no memory to open the model");
	}
	worker_post(c->worker, j);
	return 0;
}

void chat_open_model(struct chat *c, const char *word, const char *level)
{
	char *name = chat_short_name(word);
	struct err e;

	if (!c->info || c->opening) {
		chat_complain(c, c->info ? "%s is being opened: one after the other" : "the model is not open yet", c->opening);
		mem_free(name);
		return;
	}
	if (c->answer || c->n_switches) {
		c->again = c->answer != NULL;
		worker_cancel(c->worker);
	}
	if (!name || chat_post_open(c, word, level, &e)) {
		mem_free(name);
		chat_complain(c, "no memory to open the model");
		return;
	}
	chat_leave(c);
	c->ctx_before = c->g.ctx_size;
	c->opening = name;
	c->n_switches++;
	if (c->state == CHAT_IDLE)
		chat_settle(c);
	chat_touch(c, NULL);
}

/* -- what the worker tells ------------------------------------------------------------ */

static int copy_levels(struct chat *c, const struct eng_model *m)
{
	struct chat_level *levels;
	const struct eng_level *l;
	const int n = eng_model_levels(m, &l);

	levels = mem_calloc((size_t)n, sizeof *levels);
	if (!levels)
		return -1;
	mem_free(c->levels);
	c->levels = levels;
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

static void note_opened(struct chat *c, const struct event *ev)
{
	if (ev->text.len)
		chat_doubt(c, ev->text.p);
	if (ev->template_note[0])
		chat_note(c, "%s: %s", c->name, ev->template_note);
	if (ev->level.note[0])
		chat_note(c, "%s · %s", ev->level.name, ev->level.note);
	if (ev->plain_why[0])
		chat_note(c, "%s goes on with your text instead of answering it: %s", c->name, ev->plain_why);
	if (c->info->n_ctx_train > 0 && c->g.ctx_size > c->info->n_ctx_train)
		chat_note(c, "a context of %lld is more than the %lld the model was trained on",
			  (long long)c->g.ctx_size, (long long)c->info->n_ctx_train);
}

/* The mark in the conversation: from here on it is another model's, and how what was said came over. */
static void note_model(struct chat *c, uint64_t vocab_before)
{
	const struct chat_level *l = &c->levels[c->level];
	int answers = 0;
	char bytes[32];

	for (size_t i = 0; i < c->n_items; i++)
		answers += c->items[i]->kind == ITEM_ANSWER && c->items[i]->ids.n;
	chat_note(c, "now %s · %s · %s · %s%s", c->name, l->name, chat_bytes(bytes, sizeof bytes, l->bytes),
		  eng_class_name(c->info->cls), !answers ? "" : vocab_before == c->opened->vocab ?
		  " · the same vocabulary: answers go over as they were sampled" :
		  " · another vocabulary: answers go over as text");
}

/* What had no room in the old one's context may have it here. */
static void take_turns_back(struct chat *c)
{
	for (size_t i = 0; i < c->n_items; i++) {
		if (!c->items[i]->gone)
			continue;
		c->items[i]->gone = false;
		chat_touch(c, c->items[i]);
	}
	c->n_gone = 0;
}

static void replaced(struct chat *c, uint64_t vocab_before, int64_t ctx_before)
{
	c->n_switches--;
	mem_free(c->opening);
	c->opening = NULL;
	c->borrowed = c->go_on_there = false;
	c->n_choices = 0;
	c->target = c->level;
	/* figures are those of a model */
	c->g.stats = (struct answer_stats){ 0 };
	c->n_rates = 0;
	/* what is being typed was counted in the old one's tokens */
	c->next_about = c->next_adds > 0;
	chat_weigh_said(c);
	note_model(c, vocab_before);
	if (c->g.ctx_size > ctx_before)
		take_turns_back(c);
}

void chat_on_opened(struct chat *c, struct event *ev)
{
	const struct opened *before = c->opened;
	const uint64_t vocab = before ? before->vocab : 0;
	const int64_t ctx = c->ctx_before;
	char *name = chat_short_name(eng_model_info(ev->opened->model)->path);

	if (!name || copy_levels(c, ev->opened->model)) {
		mem_free(name);
		c->state = CHAT_FAILED;
		err_set(&c->why, ERR_NOMEM, "no memory for the model's levels");
		return;
	}
	mem_free(c->name);
	c->name = name;
	c->level = c->target = 0;
	c->opened = ev->opened;
	c->info = eng_model_info(ev->opened->model);
	for (int i = 0; i < c->n_levels; i++)
		c->levels[i].rate = chat_known_rate(c, c->levels[i].name);
	worker_forget(c->worker, ev->opened);
	chat_use_level(c, &ev->level);
	profile_fill(&c->opened->profile, c->o);
	if (before)
		replaced(c, vocab, ctx);
	if (c->answer && !c->answer->ids.n)
		chat_label(c, c->answer);
	note_opened(c, ev);
	chat_settle(c);
}

void chat_failed_open(struct chat *c, struct event *ev)
{
	if (!c->info) {
		c->state = CHAT_FAILED;
		c->failed = true;
		c->what = NULL;
		c->why = ev->err;
		return;
	}
	c->n_switches--;
	mem_free(c->opening);
	c->opening = NULL;
	if (!c->n_switches)
		c->target = c->level;
	if (ev->err.code == ERR_CANCELLED)
		chat_note(c, "stopped: still %s", c->name);
	else
		chat_complain(c, "still %s: %s", c->name, ev->err.msg);
	chat_settle(c);
}
