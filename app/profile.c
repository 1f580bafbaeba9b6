#include "config.h"
#include "app/profile.h"
#include "app/inifile.h"
#include "app/levelname.h"
#include "app/opt.h"
#include "app/paths.h"
#include "engine/base/xio.h"

#include <fnmatch.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_BYTES = 64, SECTIONS_MAX = 256, WORD_MAX = 128 };
enum { VALUES_THINKING = 1, VALUES_NOT = 2, VALUES_BOTH = 3 };

/* Did a section hold for the model, and for which values? By name, so that another file can go on with it. */
struct section { char name[NAME_MAX_BYTES]; bool holds, bound; unsigned values; };

struct reading {
	struct profile *p;
	const struct eng_info *info;
	struct section all[SECTIONS_MAX];
	int n_all;
	struct section now;
	bool begun;		/* a section is being read */
	bool filling;		/* it has had rows that are no conditions */
};

/* -- lists: words or JSON strings, with commas ---------------------------------------- */

typedef int item_fn(void *arg, const char *text, struct err *e);

/* A JSON string at *p into buf; *p goes behind it. */
static int quoted(const char **p, char *buf, size_t size, struct err *e)
{
	const char *end = *p + 1;
	const char *text;
	json_t *j;
	bool fits;

	while (*end && *end != '"')
		end += end[0] == '\\' && end[1] ? 2 : 1;
	j = json_loadb(*p, (size_t)(end - *p) + (*end == '"'), JSON_DECODE_ANY, NULL);
	if (!j)
		return err_set(e, ERR_FORMAT, "a quoted text that is not written as in JSON");
	text = json_string_value(j);
	fits = strlen(text) < size;
	if (fits)
		memcpy(buf, text, strlen(text) + 1);
	json_decref(j);
	*p = end + 1;
	return fits ? 0 : err_set(e, ERR_LIMIT, "a text of more than %zu bytes", size - 1);
}

static int word(const char **p, char *buf, size_t size, struct err *e)
{
	size_t n = strcspn(*p, ",");
	const char *at = *p;

	*p += n;
	while (n && (at[n - 1] == ' ' || at[n - 1] == '\t'))
		n--;
	if (!n)
		return err_set(e, ERR_FORMAT, "nothing between two commas");
	if (n >= size)
		return err_set(e, ERR_LIMIT, "a word of more than %zu bytes", size - 1);
	memcpy(buf, at, n);
	buf[n] = '\0';
	return 0;
}

static int each(const char *value, item_fn *fn, void *arg, struct err *e)
{
	char buf[WORD_MAX];
	const char *p = value;

	for (;;) {
		p += strspn(p, " \t");
		if (*p == '"' ? quoted(&p, buf, sizeof buf, e) : word(&p, buf, sizeof buf, e))
			return -1;
		if (fn(arg, buf, e))
			return -1;
		p += strspn(p, " \t");
		if (!*p)
			return 0;
		if (*p++ != ',')
			return err_set(e, ERR_FORMAT, "expected a comma behind a quoted text");
	}
}

/* -- conditions ------------------------------------------------------------------------ */

struct match { const struct eng_info *info; bool yes; };

static bool is(const char *text, const char *pattern)
{
	return text && !fnmatch(pattern, text, FNM_CASEFOLD);
}

static bool family_known(const char *pattern)
{
	for (int i = 0; eng_family_name(i); i++)
		if (is(eng_family_name(i), pattern))
			return true;
	return false;
}

static int unknown_family(const char *text, struct err *e)
{
	enum { MAX_NAMES = 64 };
	const char *names[MAX_NAMES] = { NULL }, *near;
	char q[64];

	for (int i = 0; i < MAX_NAMES - 1 && eng_family_name(i); i++)
		names[i] = eng_family_name(i);
	near = cmd_nearest(text, names);
	return err_set(e, ERR_FORMAT, "family: '%s' is none that is known%s%s", err_quote(q, sizeof q, text, strlen(text)),
		       near ? "; did you mean " : "", near ? near : "");
}

static int match_family(void *arg, const char *text, struct err *e)
{
	struct match *m = arg;
	const bool yes = is(m->info->family, text) || is(m->info->arch, text);

	m->yes |= yes;
	return yes || family_known(text) ? 0 : unknown_family(text, e);
}

static int match_name(void *arg, const char *text, struct err *e)
{
	struct match *m = arg;
	const char *path = m->info->path ? m->info->path : "";
	const char *slash = strrchr(path, '/');

	(void)e;
	m->yes |= is(m->info->name, text) || is(slash ? slash + 1 : path, text);
	return 0;
}

static int match_tokenizer(void *arg, const char *text, struct err *e)
{
	struct match *m = arg;

	(void)e;
	m->yes |= is(m->info->tokenizer, text);
	return 0;
}

static int condition(struct reading *r, item_fn *fn, const char *value, struct err *e)
{
	struct match m = { .info = r->info };

	if (r->filling)
		return err_set(e, ERR_FORMAT, "a condition behind other rows: begin the section with them");
	r->now.bound = true;
	if (each(value, fn, &m, e)) {
		r->now.holds = false;
		return -1;
	}
	r->now.holds &= m.yes;
	return 0;
}

static int on_family(struct reading *r, const char *value, struct err *e)
{
	return condition(r, match_family, value, e);
}

static int on_name(struct reading *r, const char *value, struct err *e)
{
	return condition(r, match_name, value, e);
}

static int on_tokenizer(struct reading *r, const char *value, struct err *e)
{
	return condition(r, match_tokenizer, value, e);
}

static int on_thinking(struct reading *r, const char *value, struct err *e)
{
	const bool on = !strcasecmp(value, "on"), off = !strcasecmp(value, "off");

	if (r->filling)
		return err_set(e, ERR_FORMAT, "a condition behind other rows: begin the section with them");
	if (!on && !off)
		return err_set(e, ERR_FORMAT, "thinking: expected on or off");
	r->now.values = on ? VALUES_THINKING : VALUES_NOT;
	return 0;
}

/* -- what a section says ------------------------------------------------------------------ */

static int keep(char **list, int *n, int max, const char *text, const char *what, struct err *e)
{
	if (*n == max)
		return err_set(e, ERR_LIMIT, "%s: at most %d are taken", what, max);
	list[*n] = mem_strdup(text);
	return list[*n] ? ++*n, 0 : err_set(e, ERR_NOMEM, "no memory for a profile");
}

static void forget(char **list, int *n)
{
	while (*n)
		mem_free(list[--*n]);
}

/* Rows of a section that does not hold are checked all the same, so that mistakes are told. */
static int stop_text(void *arg, const char *text, struct err *e)
{
	struct reading *r = arg;

	if (!r->now.holds)
		return 0;
	if (*text)
		return keep(r->p->stops, &r->p->n_stops, PROFILE_STOPS, text, "stop", e);
	forget(r->p->stops, &r->p->n_stops);
	return 0;
}

static int on_stop(struct reading *r, const char *value, struct err *e)
{
	return each(value, stop_text, r, e);
}

struct pair { char *v[2]; int n; };

static int pair_text(void *arg, const char *text, struct err *e)
{
	struct pair *p = arg;

	return keep(p->v, &p->n, 2, text, "think", e);
}

static int on_think(struct reading *r, const char *value, struct err *e)
{
	struct pair p = { 0 };
	int rc = each(value, pair_text, &p, e);

	if (!rc && p.n == 1 && !*p.v[0])
		rc = pair_text(&p, "", e);
	if (!rc && (p.n != 2 || !*p.v[0] != !*p.v[1]))
		rc = err_set(e, ERR_FORMAT, "think: expected two texts, the opening and the closing mark, or \"\"");
	if (!rc && r->now.holds) {
		mem_free(r->p->think_open);
		mem_free(r->p->think_close);
		r->p->think_open = p.v[0];
		r->p->think_close = p.v[1];
		return 0;
	}
	forget(p.v, &p.n);
	return rc;
}

struct names { char *v[PROFILE_LEVELS]; int n; };

static int level(void *arg, const char *text, struct err *e)
{
	struct names *l = arg;

	return levelname_check("levels", text, e) ? -1 : keep(l->v, &l->n, PROFILE_LEVELS, text, "levels", e);
}

/* One that is wrong leaves those that there were. */
static int on_levels(struct reading *r, const char *value, struct err *e)
{
	struct names l = { 0 };
	const int rc = each(value, level, &l, e);

	if (rc || !r->now.holds) {
		forget(l.v, &l.n);
		return rc;
	}
	forget(r->p->levels, &r->p->n_levels);
	memcpy(r->p->levels, l.v, sizeof l.v);
	r->p->n_levels = l.n;
	return 0;
}

/* -- rows ------------------------------------------------------------------------------------ */

struct key {
	const char *name;
	int (*take)(struct reading *r, const char *value, struct err *e);	/* NULL: the option of that name */
	bool condition;
};

static const struct key keys[] = {
	{ "family", on_family, true },
	{ "name", on_name, true },
	{ "tokenizer", on_tokenizer, true },
	{ "thinking", on_thinking, true },
	{ "temp", NULL, false },
	{ "top-k", NULL, false },
	{ "top-p", NULL, false },
	{ "min-p", NULL, false },
	{ "repeat-penalty", NULL, false },
	{ "stop", on_stop, false },
	{ "think", on_think, false },
	{ "levels", on_levels, false },
};
enum { N_KEYS = sizeof keys / sizeof *keys };

static const struct key *find_key(const char *name)
{
	for (int i = 0; i < N_KEYS; i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static int unknown_key(const char *name, struct err *e)
{
	const char *names[N_KEYS + 1] = { NULL };
	const char *near;
	char q[64];

	for (int i = 0; i < N_KEYS; i++)
		names[i] = keys[i].name;
	near = cmd_nearest(name, names);
	err_quote(q, sizeof q, name, strlen(name));
	return near ? err_set(e, ERR_FORMAT, "unknown key \"%s\": did you mean %s?", q, near) :
		      err_set(e, ERR_FORMAT, "unknown key \"%s\"", q);
}

static int set_option(struct reading *r, const char *name, const char *value, struct err *e)
{
	const struct opt *row = opt_by_key(name);
	struct opts o = opt_defaults;

	if (opt_set(row, &o, name, value, e))
		return -1;
	for (int i = 0; r->now.holds && i < 2; i++)
		if (r->now.values & (i ? VALUES_NOT : VALUES_THINKING))
			opt_copy(row, &r->p->values[i], &o);
	if (r->now.holds)
		r->p->has[row - opt_table] = true;
	return 0;
}

/* -- sections -------------------------------------------------------------------------------- */

static struct section *known(struct reading *r, const char *name)
{
	for (int i = 0; i < r->n_all; i++)
		if (!strcasecmp(r->all[i].name, name))
			return &r->all[i];
	return NULL;
}

static void end_section(struct reading *r)
{
	struct section *s = r->begun ? known(r, r->now.name) : NULL;

	if (s)
		*s = r->now;
	else if (r->begun && r->n_all < SECTIONS_MAX)
		r->all[r->n_all++] = r->now;
	r->begun = false;
}

static void begin_section(struct reading *r, const char *name)
{
	end_section(r);
	r->now = (struct section){ .holds = true, .values = VALUES_BOTH };
	snprintf(r->now.name, sizeof r->now.name, "%s", name);
	r->begun = true;
	r->filling = false;
}

static void note_section(struct reading *r)
{
	struct str s;

	str_init(&s, 0);
	str_addf(&s, "%s%s%s", r->p->sections, *r->p->sections ? ", " : "", r->now.name);
	if (!s.failed) {
		mem_free(r->p->sections);
		r->p->sections = str_take(&s);
	}
	str_release(&s);
}

/* The first row that is no condition: does the section hold? */
static int settle(struct reading *r, struct err *e)
{
	const struct section *s = r->now.bound ? NULL : known(r, r->now.name);

	r->filling = true;
	if (s) {
		r->now.holds = s->holds;
		r->now.bound = true;
		if (r->now.values == VALUES_BOTH)
			r->now.values = s->values;
	}
	if (!r->now.bound) {
		r->now.holds = false;
		return err_set(e, ERR_FORMAT, "section [%s] has no condition and is none of ours: name a family or a name",
			       r->now.name);
	}
	if (r->now.holds)
		note_section(r);
	return 0;
}

static int on_row(void *arg, const char *section, const char *name, const char *value, struct err *e)
{
	struct reading *r = arg;
	const struct key *k = find_key(name);

	if (!r->begun || strcmp(r->now.name, section))
		begin_section(r, section);
	if (!*section)
		return err_set(e, ERR_FORMAT, "a row before the first [section]");
	if (!k)
		return unknown_key(name, e);
	if (!k->condition && !r->filling && settle(r, e))
		return -1;
	return k->take ? k->take(r, value, e) : set_option(r, name, value, e);
}

/* -- files ------------------------------------------------------------------------------------- */

void profile_init(struct profile *p)
{
	*p = (struct profile){ .values = { opt_defaults, opt_defaults } };
	p->sections = mem_strdup("");
	p->think_open = mem_strdup("<think>");
	p->think_close = mem_strdup("</think>");
}

void profile_release(struct profile *p)
{
	mem_free(p->sections);
	mem_free(p->think_open);
	mem_free(p->think_close);
	forget(p->stops, &p->n_stops);
	forget(p->levels, &p->n_levels);
	*p = (struct profile){ 0 };
}

/* A list of sections goes through all files; each ends the one that was open. */
static int read_files(struct profile *p, const struct eng_info *info, const char *const *paths, int n,
		      struct str *complaints, struct err *e)
{
	struct reading *r = mem_calloc(1, sizeof *r);
	int rc = 0;

	if (!r || !p->sections || !p->think_open || !p->think_close) {
		mem_free(r);
		return err_set(e, ERR_NOMEM, "no memory for a profile");
	}
	r->p = p;
	r->info = info;
	for (int i = 0; i < n && !rc; i++) {
		struct err why;

		rc = inifile_read(paths[i], on_row, r, complaints, &why);
		end_section(r);
		if (rc && why.code == ERR_NOT_FOUND)
			rc = 0;
		else if (rc)
			*e = why;
	}
	mem_free(r);
	return rc;
}

int profile_read(struct profile *p, const struct eng_info *info, const char *const *paths, int n,
		 struct str *complaints, struct err *e)
{
	struct err ignored;

	profile_init(p);
	return read_files(p, info, paths, n, complaints, e ? e : &ignored);
}

void profile_doubt_split(const struct eng_info *info, struct str *complaints)
{
	if (info->tokenizer && !strcmp(info->tokenizer, "gpt2"))
		str_addf(complaints, "%s%s: has no tokenizer.ggml.pre: text is split as by default, answers may be worse for it",
			 complaints->len ? "\n" : "", info->path);
}

int profile_load(struct profile *p, const struct eng_info *info, struct str *complaints, struct err *e)
{
	struct str ours, theirs;
	const char *paths[2];
	int n = 0, rc;

	str_init(&ours, 0);
	str_init(&theirs, 0);
	if (!paths_profiles(&ours, NULL)) {
		str_adds(&ours, "/" PROFILE_FILE);
		paths[n++] = ours.p;
	}
	if (!paths_dir(PATHS_CONFIG, &theirs, NULL)) {
		str_adds(&theirs, "/" PROFILE_FILE);
		paths[n++] = theirs.p;
	}
	rc = profile_read(p, info, paths, n, complaints, e);
	profile_doubt_split(info, complaints);
	str_release(&ours);
	str_release(&theirs);
	return rc;
}

/* -- use ------------------------------------------------------------------------------------------ */

void profile_fill(const struct profile *p, struct opts *o)
{
	const struct opts *from = &p->values[o->think && !strcmp(o->think, "off")];

	for (int i = 0; i < N_KEYS; i++) {
		const struct opt *row = keys[i].take ? NULL : opt_by_key(keys[i].name);

		if (row && !opt_given(row, o))
			opt_copy(row, o, from);
	}
}

bool profile_recommends(const struct profile *p, const char *level_name)
{
	for (int i = 0; i < p->n_levels; i++)
		if (!strcasecmp(p->levels[i], level_name))
			return true;
	return false;
}
