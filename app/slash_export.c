/* The commands that take a conversation out of the program: /copy, /export, /new. */
#include "config.h"
#include "app/clip.h"
#include "app/export.h"
#include "app/fence.h"
#include "app/paths.h"
#include "app/slash.h"
#include "engine/base/xio.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* -- /copy ------------------------------------------------------------------------------ */

static const char none[] = "there is no answer to copy";

static const struct chat_item *last_answer(const struct chat *c)
{
	for (size_t i = c->n_items; i--;)
		if (c->items[i]->kind == ITEM_ANSWER && c->items[i]->text.len)
			return c->items[i];
	return NULL;
}

static size_t answer_from(const struct chat_item *i)
{
	const struct think *t = &i->stats.think;

	return t->state == THINK_OVER && t->rest <= i->text.len ? t->rest : 0;
}

static const char *take_answer(const struct chat *c, struct str *out)
{
	const struct chat_item *i = last_answer(c);
	const size_t from = i ? answer_from(i) : 0;

	if (!i)
		return none;
	str_add(out, i->text.p + from, i->text.len - from);
	return NULL;
}

/* The lines between the last pair of fences; a block that is not closed yet goes to the end. */
static const char *take_code(const struct chat *c, struct str *out)
{
	const struct chat_item *i = last_answer(c);
	const char *p = i ? i->text.p + answer_from(i) : NULL, *end = i ? i->text.p + i->text.len : NULL;
	struct fence f = { 0 };
	bool any = false;

	if (!i)
		return none;
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const size_t n = (size_t)((nl ? nl : end) - p);
		const enum fence_line is = fence_next(&f, p, n);

		if (is == FENCE_OPENS) {
			str_clear(out);
			any = true;
		} else if (is == FENCE_INSIDE) {
			size_t cut = 0;

			while (cut < n && cut < f.indent && p[cut] == ' ')
				cut++;
			str_add(out, p + cut, n - cut);
			str_addc(out, '\n');
		}
		p = nl ? nl + 1 : end;
	}
	if (!any)
		return "there is no code in the last answer";
	return out->len ? NULL : "the last block of code is empty: nothing was sent";
}

static const char *take_all(const struct chat *c, struct str *out)
{
	struct err e;

	if (export_text(c, EXPORT_MD, out, &e))
		return "no memory for the conversation";
	return out->len ? NULL : "nothing has been said";
}

static const struct { const char *word; const char *(*take)(const struct chat *c, struct str *out); } parts[] = {
	{ "", take_answer }, { "code", take_code }, { "all", take_all },
};

void slash_copy(struct chat *c, const char *args)
{
	const size_t n = sizeof parts / sizeof *parts;
	const char *why = "/copy takes code or all; alone it takes the last answer";
	char told[160];
	struct str s;
	struct err e;
	size_t i = 0;

	str_init(&s, 0);
	while (i < n && strcasecmp(parts[i].word, args))
		i++;
	if (i < n)
		why = parts[i].take(c, &s);
	if (why || s.failed)
		chat_complain(c, "%s", why ? why : "no memory to copy");
	else if (clip_send(s.p, s.len, c->to_terminal, !c->o->private, told, sizeof told, &e))
		chat_complain(c, "%s", e.msg);
	else
		chat_note(c, "%s", told);
	str_release(&s);
}

/* -- /export --------------------------------------------------------------------------------- */

/* Takes --force out of the words, wherever it stands; what is left is a path, blanks and all. */
static bool take_force(char *args)
{
	static const char word[] = "--force";
	const size_t k = sizeof word - 1;
	char *at = args;
	size_t n;

	while ((at = strstr(at, word)) && ((at > args && at[-1] != ' ') || (at[k] && at[k] != ' ')))
		at++;
	if (!at)
		return false;
	memmove(at, at + k, strlen(at + k) + 1);
	memmove(args, args + strspn(args, " "), strlen(args + strspn(args, " ")) + 1);
	for (n = strlen(args); n && args[n - 1] == ' '; n--)
		args[n - 1] = '\0';
	return true;
}

static void write_out(struct chat *c, const char *name, enum export_form f, bool replace)
{
	struct str path;
	struct stat st;
	struct err e;

	str_init(&path, 0);
	if (paths_expand(name, &path, &e) < 0)
		chat_complain(c, "%s", e.msg);
	else if (!export_file(c, path.p, f, replace, &e) && !stat(path.p, &st))
		chat_note(c, "wrote %s: %lld bytes", path.p, (long long)st.st_size);
	else
		chat_complain(c, e.code == ERR_ARG ? "%s: /export %s --force replaces it" : "%s", e.msg, name);
	str_release(&path);
}

void slash_export(struct chat *c, const char *args)
{
	char *name = mem_strdup(args), when[32], made[64];
	enum export_form f;
	bool force;

	if (!name)
		return;
	force = take_force(name);
	f = *name ? export_form_of(name) : EXPORT_MD;
	if (!chat_turns(c)) {
		chat_complain(c, "nothing has been said");
	} else if (f == EXPORT_N) {
		chat_complain(c, "/export writes md, json or txt: the file's ending says which");
	} else if (!strchr(name, '.')) {
		snprintf(made, sizeof made, "tidbit-%s.%s", export_time(when, sizeof when), export_form_name(f));
		write_out(c, made, f, force);
	} else {
		write_out(c, name, f, force);
	}
	mem_free(name);
}

/* -- /new ------------------------------------------------------------------------------------- */

/* $XDG_STATE_HOME/tidbit/chats/TIME.json; two of one second have numbers. */
static int keep(const struct chat *c, struct str *path, struct err *e)
{
	enum { TRIES = 100 };
	char when[32];
	size_t at;
	int r = -1;

	if (paths_dir(PATHS_STATE, path, e) < 0)
		return -1;
	str_adds(path, "/chats");
	if (xio_mkdirs(path->p, e) < 0)
		return -1;
	str_addf(path, "/%s", export_time(when, sizeof when));
	at = path->len;
	for (int i = 1; r && i < TRIES; i++) {
		str_cut(path, at);
		if (i > 1)
			str_addf(path, "-%d", i);
		str_adds(path, ".json");
		r = export_file(c, path->p, EXPORT_JSON, false, e);
		if (r && e->code != ERR_ARG)
			break;
	}
	return r;
}

void slash_new(struct chat *c, const char *args)
{
	const bool kept = !c->o->private && chat_turns(c);
	struct str path;
	struct err e;

	(void)args;
	str_init(&path, 0);
	if (kept && keep(c, &path, &e) < 0) {
		chat_complain(c, "%s: /clear empties the conversation without keeping it", e.msg);
	} else {
		chat_reset(c);
		chat_detach(c);
		if (kept)
			chat_note(c, "what was said is kept in %s", path.p);
	}
	str_release(&path);
}
