/* The levels of the model in use: the ladder, and what was asked for beside it. */
#include "config.h"
#include "app/chat_impl.h"
#include "app/levelname.h"
#include "engine/base/hash.h"
#include "engine/base/xio.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static uint64_t rate_key(const struct chat *c, const char *level)
{
	const char *path = c->info ? c->info->path : "";

	return hash_bytes(hash_bytes(HASH_EMPTY, path, strlen(path) + 1), level, strlen(level));
}

double chat_known_rate(const struct chat *c, const char *level)
{
	const uint64_t key = rate_key(c, level);

	for (size_t i = 0; i < c->n_known; i++)
		if (c->known[i].key == key)
			return c->known[i].rate;
	return 0;
}

void chat_keep_rate(struct chat *c, const struct chat_level *l)
{
	const uint64_t key = rate_key(c, l->name);
	struct chat_rate *known;
	size_t i = 0;

	while (i < c->n_known && c->known[i].key != key)
		i++;
	if (i == c->n_known) {
		known = mem_rearray(c->known, i + 1, sizeof *known);
		if (!known)
			return;
		c->known = known;
		c->n_known++;
	}
	c->known[i] = (struct chat_rate){ key, l->rate };
}

static int find(const struct chat *c, const char *name)
{
	for (int i = 0; i < c->n_levels; i++)
		if (!strcasecmp(c->levels[i].name, name))
			return i;
	return -1;
}

/* One that the ladder does not offer, at its place by size; -1 without memory. */
static int insert(struct chat *c, const char *name, uint64_t bytes, double bpw)
{
	struct chat_level *l = mem_rearray(c->levels, (size_t)c->n_levels + 1, sizeof *l);
	int at = 0;

	if (!l)
		return -1;
	c->levels = l;
	while (at < c->n_levels && l[at].bytes > bytes)
		at++;
	memmove(l + at + 1, l + at, (size_t)(c->n_levels - at) * sizeof *l);
	c->n_levels++;
	c->level += c->level >= at;
	c->target += c->target >= at;
	l[at] = (struct chat_level){ .bytes = bytes, .bpw = bpw, .beside = true };
	snprintf(l[at].name, sizeof l[at].name, "%s", name);
	l[at].rate = chat_known_rate(c, name);
	return at;
}

int chat_find_level(struct chat *c, const char *name, struct err *e)
{
	struct eng_level l;
	int i = find(c, name);

	if (i >= 0)
		return i;
	if (!eng_level_known(name))
		return levelname_check("/quant", name, e);
	if (eng_model_level(c->opened->model, name, &l, e))
		return -1;
	i = find(c, l.name);		/* it has two names */
	if (i < 0)
		i = insert(c, l.name, l.bytes, l.bpw);
	return i < 0 ? err_set(e, ERR_NOMEM, "no memory for another level") : i;
}

/* What was headed for and never reached. */
static void drop_strays(struct chat *c)
{
	for (int i = c->n_levels; i--;) {
		if (!c->levels[i].beside || c->levels[i].made || i == c->level || i == c->target)
			continue;
		memmove(c->levels + i, c->levels + i + 1, (size_t)(--c->n_levels - i) * sizeof *c->levels);
		c->level -= c->level > i;
		c->target -= c->target > i;
	}
}

void chat_use_level(struct chat *c, const struct level_report *r)
{
	int i = find(c, r->name);

	if (i < 0 && r->name[0])
		i = insert(c, r->name, r->bytes, r->bpw);
	if (i < 0)
		return;
	c->level = i;
	c->levels[i].made = true;
	memcpy(c->levels[i].act, r->act, sizeof r->act);
	c->levels[i].bytes = r->bytes;
	c->levels[i].bpw = r->bpw;
	if (!c->n_switches) {
		c->target = i;
		drop_strays(c);
	}
}

int chat_next_level(const struct chat *c, int step)
{
	int i = c->target + step;

	while (i >= 0 && i < c->n_levels && c->levels[i].beside)
		i += step;
	return i < c->n_levels ? i : -1;
}

bool chat_step_level(struct chat *c, int step)
{
	const int i = chat_next_level(c, step);

	if (i >= 0)
		chat_set_level(c, i);
	return i >= 0;
}
