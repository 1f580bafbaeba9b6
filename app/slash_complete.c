/* Completion of the chat's commands and of what follows them: what the rows' args say (argspec.h). */
#include "config.h"
#include "app/argspec.h"
#include "app/opt.h"
#include "app/slash.h"
#include "app/store.h"
#include "engine/base/xio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <readline/readline.h>

/* The words that fit, kept from the first question (i 0) to the last. The main thread's. */
static struct words {
	char **v;
	size_t n;
} found;

struct place {
	const struct chat *c;
	const char *line;
	size_t start, end;	/* the word to complete */
	size_t rest;		/* where the command's arguments begin */
};

static void add(const char *word)
{
	char **v = mem_rearray(found.v, found.n + 1, sizeof *v), *copy = strdup(word);

	if (v)
		found.v = v;
	if (v && copy)
		v[found.n++] = copy;
	else
		free(copy);
}

static void offer(const struct place *p, const char *word)
{
	const size_t n = p->end - p->start;

	if (!strncasecmp(word, p->line + p->start, n))
		add(word);
}

/* -- what stands for something ------------------------------------------------------------ */

static void levels(const struct place *p)
{
	const char *name;

	for (int i = 0; (name = eng_level_name(i)); i++)
		offer(p, name);
	/* a file's own may have no name that others know */
	for (int i = 0; i < p->c->n_levels; i++)
		if (!eng_level_known(p->c->levels[i].name))
			offer(p, p->c->levels[i].name);
}

/* A path may have blanks in it: all from the first argument on is one, and what stands before the word is left away. */
static void files(const struct place *p)
{
	char *text = mem_strndup(p->line + p->rest, p->end - p->rest), *name;

	for (int state = 0; text && (name = rl_filename_completion_function(text, state)); state = 1) {
		if (strlen(name) >= p->start - p->rest)
			add(name + (p->start - p->rest));
		free(name);
	}
	/* a folder goes on with a slash */
	rl_filename_completion_desired = found.n > 0;
	mem_free(text);
}

static void models(const struct place *p)
{
	const char *id;

	for (int i = 0; (id = store_word(p->c->o->folders, i)); i++)
		offer(p, id);
	if (strpbrk(p->line + p->rest, "/~.") || !found.n)
		files(p);
}

static void settings(const struct place *p)
{
	struct setting s;

	for (int i = 0; slash_setting(i, &s); i++)
		offer(p, s.name);
}

/* Of a setting that is one of a few words. */
static void values(const struct place *p)
{
	const size_t n = strcspn(p->line + p->rest, " \t=");
	struct setting s;
	char word[ARGSPEC_WORD];
	const char *own;

	for (int i = 0; slash_setting(i, &s); i++) {
		if (strlen(s.name) != n || strncasecmp(s.name, p->line + p->rest, n))
			continue;
		for (int k = 0; s.choices && argspec_word(s.choices, k, 0, word); k++)
			offer(p, word);
		for (int k = 0; s.word && (own = s.word(p->c, k)); k++)
			offer(p, own);
	}
}

static void commands(const struct place *p)
{
	for (const struct slash *r = slashes; r->name; r++)
		offer(p, r->name);
}

static const struct { const char *word; void (*offer)(const struct place *p); } kinds[] = {
	{ "LEVEL", levels }, { "MODEL", models }, { "FILE", files }, { "NAME", settings }, { "VALUE", values },
	{ "COMMAND", commands },
};

static void stands_for(const struct place *p, const char *word)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(kinds[i].word, word))
			kinds[i].offer(p);
}

/* -- the line --------------------------------------------------------------------------------- */

static const struct slash *command_of(const char *line, size_t n)
{
	const size_t len = strcspn(line, " \t");

	for (const struct slash *r = slashes; r->name && len && len <= n; r++)
		if (strlen(r->name) == len - 1 && !strncasecmp(line + 1, r->name, len - 1))
			return r;
	return NULL;
}

/* How many words that are no options stand before the one to complete. */
static int place_of(const struct place *p)
{
	int n = 0;

	for (size_t i = p->rest; i < p->start;) {
		const size_t blank = strspn(p->line + i, " \t=");
		const size_t len = strcspn(p->line + i + blank, " \t=");

		if (len && i + blank + len <= p->start)
			n += p->line[i + blank] != '-' || len == 1;
		i += blank + len;
	}
	return n;
}

static void arguments(const struct place *p, const struct slash *of)
{
	const bool option = p->line[p->start] == '-' && p->end > p->start;
	char word[ARGSPEC_WORD];

	for (int i = 0; argspec_word(of->args, place_of(p), i, word); i++) {
		if (argspec_stands(word))
			stands_for(p, word);
		else
			offer(p, word);
	}
	for (int i = 0; option && argspec_word(of->args, ARGSPEC_OPTIONS, i, word); i++)
		offer(p, word);
}

static void look(const struct chat *c, const char *line, size_t start, size_t end)
{
	const struct slash *of = start ? command_of(line, start) : NULL;
	struct place p = { c, line, start, end, strcspn(line, " \t") };
	char word[64];

	if (line[0] != '/' || !end || (start && !of))
		return;
	p.rest += strspn(line + p.rest, " \t");
	if (of) {
		arguments(&p, of);
		return;
	}
	for (const struct slash *r = slashes; r->name; r++) {
		snprintf(word, sizeof word, "/%s", r->name);
		offer(&p, word);
	}
}

char *slash_complete(const struct chat *c, const char *line, size_t start, size_t end, int i)
{
	if (!i) {
		while (found.n)
			free(found.v[--found.n]);
		look(c, line, start, end);
	}
	return (size_t)i < found.n ? strdup(found.v[i]) : NULL;
}
