/* The commands /stats and /context: what answers cost, where the memory is, room in the context. */
#include "config.h"
#include "app/memory.h"
#include "app/slash.h"
#include "engine/base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* -- /stats ------------------------------------------------------------------------- */

enum { STATS_COLUMNS = 13 };

static void add_answer_stats(const struct chat *c, struct str *s)
{
	const struct answer_stats *a = &c->g.stats;
	const struct chat_item *last = NULL;

	/* another model's, or of an earlier run: of the last that is here */
	for (size_t i = c->n_items; !a->n_prompt && !a->n_gen && i-- && !last;)
		if (c->items[i]->kind == ITEM_ANSWER && !c->items[i]->running)
			last = c->items[i];
	if (last) {
		a = &last->stats;
		slash_name(c, s, "answer of", STATS_COLUMNS);
		str_addf(s, "%s\n", last->label ? last->label : "another model");
	}
	if (!a->n_prompt && !a->n_gen) {
		str_adds(s, "no answer yet\n");
		return;
	}
	slash_name(c, s, "prompt", STATS_COLUMNS);
	str_addf(s, "%d tokens: %d reused, %d prefilled", a->n_prompt, a->n_reused, a->n_prefill);
	if (answer_prefill_rate(a) > 0)
		str_addf(s, " at %.1f tok/s", answer_prefill_rate(a));
	str_addc(s, '\n');
	slash_name(c, s, "first token", STATS_COLUMNS);
	str_addf(s, "%.2f s\n", (double)a->first_ns / 1e9);
	slash_name(c, s, "answer", STATS_COLUMNS);
	str_addf(s, "%d tokens", a->n_gen);
	if (a->n_think)
		str_addf(s, ", %d of them thinking", a->n_think);
	if (answer_decode_rate(a) > 0)
		str_addf(s, " at %.1f tok/s", answer_decode_rate(a));
	str_addc(s, '\n');
}

static void add_memory(const struct chat *c, struct str *s, const char *name, uint64_t bytes, const char *more)
{
	char buf[32];

	slash_name(c, s, name, STATS_COLUMNS);
	str_addf(s, c->lines ? "%s%s\n" : "%10s%s\n", chat_bytes(buf, sizeof buf, bytes), more + (c->lines && *more == ' '));
}

void slash_stats(struct chat *c, const char *args)
{
	const struct eng_mem *m = &c->g.mem;
	struct memory all;
	char of[64], buf[32];
	struct str s;

	(void)args;
	memory_read(&all, m);
	str_init(&s, 0);
	add_answer_stats(c, &s);
	slash_name(c, &s, "context", STATS_COLUMNS);
	str_addf(&s, "%lld of %lld tokens\n", (long long)c->g.ctx_used, (long long)c->g.ctx_size);
	snprintf(of, sizeof of, "  resident of %s mapped", chat_bytes(buf, sizeof buf, m->weights_mapped));
	if (m->weights_mapped)
		add_memory(c, &s, "weights", m->weights_resident, of);
	if (m->weights_made)
		add_memory(c, &s, "made", m->weights_made, "  made in memory");
	snprintf(of, sizeof of, "  of %s", chat_bytes(buf, sizeof buf, m->kv_reserved));
	add_memory(c, &s, "KV", m->kv_used, of);
	add_memory(c, &s, "scratch", m->scratch, "");
	add_memory(c, &s, "other", all.other, all.counted ? "" : "  what is left of the RSS");
	snprintf(of, sizeof of, "  peak %s", chat_bytes(buf, sizeof buf, os_rss_peak()));
	add_memory(c, &s, "RSS", all.rss, of);
	str_cut(&s, s.len - 1);
	chat_note(c, "%s", s.p);
	str_release(&s);
}

/* -- /context ------------------------------------------------------------------------------ */

static void show_context(struct chat *c)
{
	char used[32], all[32];

	chat_note(c, "the context holds %lld tokens, %lld are in use: %s of %s for keys and values%s", (long long)c->g.ctx_size,
		  (long long)c->g.ctx_used, chat_bytes(used, sizeof used, c->g.mem.kv_used),
		  chat_bytes(all, sizeof all, c->g.mem.kv_reserved), c->held ? "; a message waits for room" : "");
}

static const char *const context_words[] = { "drop", "grow", "more", "leave", NULL };

static void grow(struct chat *c, const char *args)
{
	char *end;
	const long long n = strtoll(args, &end, 10);

	if (*end || n < 0)
		chat_complain(c, "/context grow takes a number of tokens");
	else if (n > ENG_CTX_MAX)
		chat_complain(c, "/context grow takes %lld tokens at most", (long long)ENG_CTX_MAX);
	else
		chat_grow(c, n);
}

static void more(struct chat *c, const char *args)
{
	c->go_on = true;
	grow(c, args);
}

static void drop(struct chat *c, const char *args)
{
	(void)args;
	chat_drop(c);
}

static void leave(struct chat *c, const char *args)
{
	(void)args;
	chat_leave(c);
}

void slash_context(struct chat *c, const char *args)
{
	static void (*const runs[])(struct chat *c, const char *args) = { drop, grow, more, leave };
	const size_t n = strcspn(args, " \t");

	if (!c->info) {
		chat_complain(c, "the model is not open yet");
		return;
	}
	if (!*args) {
		show_context(c);
		return;
	}
	for (int i = 0; context_words[i]; i++) {
		if (strlen(context_words[i]) != n || strncasecmp(context_words[i], args, n))
			continue;
		runs[i](c, args + n + strspn(args + n, " \t"));
		return;
	}
	chat_complain(c, "/context takes drop, grow [N], more or leave");
}
