/* The command /set: options of opt.c that can be changed while a conversation runs. */
#include "config.h"
#include "app/opt.h"
#include "app/slash.h"
#include "engine/base/xio.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { N_NAMES = 64 };

static int check_theme(const struct chat *c, const char *value, struct err *e)
{
	return c->take_theme ? c->take_theme(value, e) : 0;
}

static const char *theme(const struct chat *c, int i)
{
	return c->theme_name ? c->theme_name(i) : NULL;
}

/* Ranges, words and what they are for are the option's; the profile speaks of it by its key. */
static const struct row {
	const char *name, *key;
	bool answers;			/* an answer that runs goes on as it began */
	int (*check)(const struct chat *c, const char *value, struct err *e);	/* what the option's row cannot know; or NULL */
	const char *(*word)(const struct chat *c, int i);	/* the same of words to choose from */
} rows[] = {
	{ "temp", "temp", true, NULL, NULL },
	{ "top_k", "top-k", true, NULL, NULL },
	{ "top_p", "top-p", true, NULL, NULL },
	{ "min_p", "min-p", true, NULL, NULL },
	{ "repeat", "repeat-penalty", true, NULL, NULL },
	{ "seed", "seed", true, NULL, NULL },
	{ "n", "max-tokens", true, NULL, NULL },
	{ "switch", "mode", false, NULL, NULL },
	{ "policy", "context-policy", true, NULL, NULL },
	{ "theme", "theme", false, check_theme, theme },
	{ "bidi", "bidi", false, NULL, NULL },
	{ "bell", "bell", false, NULL, NULL },
	{ "mouse", "mouse", false, NULL, NULL },
};
enum { N_ROWS = sizeof rows / sizeof *rows };

_Static_assert(sizeof rows / sizeof *rows <= CHAT_SETTINGS, "CHAT_SETTINGS is too small");

bool slash_setting(int i, struct setting *out)
{
	const struct opt *o;

	if (i >= N_ROWS)
		return false;
	o = opt_by_key(rows[i].key);
	*out = (struct setting){ .name = rows[i].name, .help = o->help, .choices = o->choices, .word = rows[i].word };
	opt_range(o, out->takes, sizeof out->takes);
	return true;
}

/* What it is when nobody says otherwise: the profile's word, or else our own. */
static void add_default(const struct chat *c, struct str *s, const struct opt *o, const char *value)
{
	const struct profile *p = c->opened ? &c->opened->profile : NULL;
	const bool profile = p && p->has[o - opt_table];
	char text[64];

	if (profile)
		opt_value_text(o, &p->values[!strcmp(c->o->think, "off")], text, sizeof text);
	else
		opt_default_text(o, text, sizeof text);
	if (*text && strcmp(text, value))
		str_addf(s, "%s%s: %s", s->len ? "; " : "", profile ? "the model's profile" : "default", text);
}

static void add_setting(const struct chat *c, struct str *s, const struct row *r)
{
	const struct opt *o = opt_by_key(r->key);
	char value[64], range[64];
	struct str more;

	opt_value_text(o, c->o, value, sizeof value);
	str_init(&more, 0);
	str_adds(&more, opt_range(o, range, sizeof range));
	add_default(c, &more, o, value);
	str_adds(s, s->len ? "\n" : "");
	if (c->lines)
		str_addf(s, "%s is %s: %s", r->name, *value ? value : "not set", o->help);
	else
		str_addf(s, "  %-7s %-10s  %s", r->name, *value ? value : "-", o->help);
	if (more.len)
		str_addf(s, " (%s)", more.p);
	str_release(&more);
}

static void list_settings(struct chat *c)
{
	struct str s;

	str_init(&s, 0);
	for (int i = 0; i < N_ROWS; i++)
		add_setting(c, &s, &rows[i]);
	chat_note(c, "%s", s.p);
	str_release(&s);
}

/* The value is kept for as long as the option may point at it. */
static void set_one(struct chat *c, const struct row *r, const char *arg)
{
	const struct opt *o = opt_by_key(r->key);
	char *kept = *arg ? mem_strdup(arg) : NULL;
	char value[64];
	struct err e;

	if (kept && r->check && r->check(c, kept, &e) < 0) {
		chat_complain(c, "%s", e.msg);
		mem_free(kept);
		return;
	}
	if (*arg && (!kept || opt_set(o, c->o, r->name, kept, &e) < 0)) {
		chat_complain(c, "%s", kept ? e.msg : "no memory for this value");
		mem_free(kept);
		return;
	}
	if (kept) {
		mem_free(c->set[r - rows]);
		c->set[r - rows] = kept;
		opt_give(o, c->o);
	}
	opt_value_text(o, c->o, value, sizeof value);
	chat_note(c, "%s %s%s", r->name, *value ? value : "is not set",
		  *arg && c->answer && r->answers ? ", from the next answer on" : "");
}

static void unknown_setting(struct chat *c, const char *name)
{
	const char *names[N_NAMES + 1] = { NULL };

	for (int i = 0; i < N_ROWS && i < N_NAMES; i++)
		names[i] = rows[i].name;
	slash_unknown(c, "setting", name, names, "/set lists them");
}

/* top_k is top-k is TOP_K. */
static bool same(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (strncasecmp(*a == '_' ? "-" : a, *b == '_' ? "-" : b, 1))
			return false;
	return !*a && !*b;
}

void slash_set(struct chat *c, const char *args)
{
	const size_t n = strcspn(args, " \t=");
	const char *value = args + n + strspn(args + n, " \t=");
	char name[32];

	if (!*args) {
		list_settings(c);
		return;
	}
	snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), args);
	for (int i = 0; i < N_ROWS; i++) {
		if (same(rows[i].name, name) || same(rows[i].key, name)) {
			set_one(c, &rows[i], value);
			return;
		}
	}
	unknown_setting(c, name);
}
