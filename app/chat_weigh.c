/* What the next message will add to the context: counted by the worker between answers, else by its length. */
#include "config.h"
#include "app/chat_impl.h"
#include "engine/base/xio.h"

#include <string.h>

enum { COUNTED_MAX = 64 << 10, SAYS_SOMETHING = 64 };	/* bytes that are counted; tokens from which a ratio can be taken */

/* Bytes a token, by what was said so far. */
static double ratio(const struct chat *c)
{
	double bytes = 0;

	for (size_t i = 0; i < c->n_items; i++)
		if (c->items[i]->kind != ITEM_NOTE && !c->items[i]->gone)
			bytes += (double)c->items[i]->text.len;
	return c->g.ctx_used >= SAYS_SOMETHING && bytes > 0 ? bytes / (double)c->g.ctx_used : 4;
}

static void set(struct chat *c, int64_t adds, bool about)
{
	if (adds == c->next_adds && about == c->next_about)
		return;
	c->next_adds = adds;
	c->next_about = about;
	chat_touch(c, NULL);
}

static int add_message(const struct chat *c, struct job *j)
{
	struct str s;

	str_init(&s, 0);
	if (c->attached)
		str_adds(&s, c->attached);
	str_adds(&s, c->to_weigh);
	j->msgs[j->n_msgs++] = (struct job_msg){ .role = "user", .text = str_take(&s) };
	return j->msgs[j->n_msgs - 1].text ? 0 : -1;
}

void chat_weigh_now(struct chat *c)
{
	const bool said = c->said_due;
	struct job *j;

	if ((!c->to_weigh && !said) || c->weighing || c->answer || c->state != CHAT_IDLE || !c->info)
		return;
	j = job_new(JOB_COUNT);
	if (!j || chat_copy_msgs(c, j) || (!said && add_message(c, j))) {
		job_free(j);
		return;
	}
	c->weighing = true;
	c->weighs_said = said;
	c->said_due = false;
	if (said) {
		worker_post(c->worker, j);
		return;
	}
	mem_free(c->to_weigh);
	c->to_weigh = NULL;
	worker_post(c->worker, j);
}

void chat_weigh(struct chat *c, const char *text)
{
	const size_t n = strlen(text);

	mem_free(c->to_weigh);
	c->to_weigh = NULL;
	c->typing = text[strspn(text, " \t\r\n")] && !chat_is_command(text);
	if (!c->typing) {
		set(c, c->said, false);
		return;
	}
	if (n <= COUNTED_MAX)
		c->to_weigh = mem_strdup(text);
	if (!c->next_adds || !c->to_weigh || c->answer)
		set(c, c->said + (int64_t)((double)n / ratio(c)) + 1, true);
	chat_weigh_now(c);
}

void chat_on_counted(struct chat *c, struct event *ev)
{
	const int64_t more = ev->n_tokens > c->g.ctx_used ? ev->n_tokens - c->g.ctx_used : 1;

	c->weighing = false;
	if (c->weighs_said) {
		/* unless it is asked for by now */
		c->said = c->answer ? 0 : more;
		if (!c->answer)
			set(c, c->typing ? c->next_adds + more : more, c->typing);
		return;
	}
	/* a newer text is on its way, or none is left */
	if (!c->to_weigh && c->next_adds)
		set(c, more, false);
}

void chat_weigh_said(struct chat *c)
{
	bool any = false;

	for (size_t i = 0; i < c->n_items; i++)
		any |= c->items[i]->kind != ITEM_NOTE && !c->items[i]->gone;
	c->said = 0;
	c->said_due = any;
}

void chat_weigh_nothing(struct chat *c)
{
	c->said_due = false;
	if (c->said)
		set(c, 0, false);
	c->said = 0;
}

void chat_failed_count(struct chat *c, struct event *ev)
{
	(void)ev;
	c->weighing = false;
}
