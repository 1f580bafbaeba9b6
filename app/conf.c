#include "config.h"
#include "app/conf.h"
#include "app/inifile.h"
#include "app/opt.h"
#include "app/paths.h"
#include "engine/base/xio.h"

#include <stdio.h>
#include <string.h>

struct entry {
	const struct cmd *verb;		/* of its section; NULL: [defaults] */
	char *key, *value;
};

struct conf {
	struct entry *entries;
	size_t n_entries;
	char **folders;			/* NULL-ended once there is one */
	size_t n_folders;
};

static const char section_defaults[] = "defaults", section_models[] = "models", key_folder[] = "folder";

enum { N_NAMES = OPT_MAX + 32 };

/* -- sections and keys --------------------------------------------------------------- */

/* help is no option to have a default. */
static bool configurable(const struct opt *r)
{
	return strcmp(r->key, "help") != 0;
}

static const struct opt *row_of_verb(const struct cmd *verb, const char *name)
{
	for (const char *const *k = verb->opts; *k; k++)
		if (!strcmp(opt_name(opt_by_key(*k)), name) && configurable(opt_by_key(*k)))
			return opt_by_key(*k);
	return NULL;
}

static const struct cmd *verb_of(const char *section)
{
	for (const struct cmd *const *v = cmd_verbs; *v; v++)
		if (!strcmp((*v)->name, section))
			return *v;
	return NULL;
}

static int unknown(const char *what, const char *word, const char *const *names, struct err *e)
{
	const char *near = cmd_nearest(word, names);
	char q[64];

	err_quote(q, sizeof q, word, strlen(word));
	return near ? err_set(e, ERR_ARG, "unknown %s '%s'; did you mean %s?", what, q, near) :
		      err_set(e, ERR_ARG, "unknown %s '%s'", what, q);
}

static int unknown_section(const char *section, struct err *e)
{
	const char *names[N_NAMES] = { section_defaults, section_models };
	int n = 2;

	for (const struct cmd *const *v = cmd_verbs; *v && n < N_NAMES - 1; v++)
		names[n++] = (*v)->name;
	if (!*section)
		return err_set(e, ERR_ARG, "a section comes first: [defaults], [models], or that of a verb");
	return unknown("section", section, names, e);
}

static int unknown_key(const struct cmd *verb, const char *key, struct err *e)
{
	const char *names[N_NAMES] = { NULL };
	char what[64];
	int n = 0;

	snprintf(what, sizeof what, "key of [%s]", verb ? verb->name : section_defaults);
	for (const struct opt *o = opt_table; !verb && o->key && n < N_NAMES - 1; o++)
		if (configurable(o))
			names[n++] = opt_name(o);
	for (const char *const *k = verb ? verb->opts : NULL; k && *k && n < N_NAMES - 1; k++)
		if (configurable(opt_by_key(*k)))
			names[n++] = opt_name(opt_by_key(*k));
	return unknown(what, key, names, e);
}

/*
 * Does the option take the value? Several rows may have one name (a form of output, in two
 * verbs): in [defaults] it is enough that one of them does.
 */
static int check(const struct cmd *verb, const char *key, const char *value, struct err *e)
{
	const struct opt *own = verb ? row_of_verb(verb, key) : NULL;
	struct opts tried = opt_defaults;
	bool found = false;

	for (const struct opt *row = opt_table; row->key; row++) {
		if (verb ? row != own : strcmp(opt_name(row), key) || !configurable(row))
			continue;
		if (!opt_set(row, &tried, key, value, e))
			return 0;
		found = true;
	}
	return found ? -1 : unknown_key(verb, key, e);
}

/* -- reading ------------------------------------------------------------------------- */

static int add_entry(struct conf *c, const struct cmd *verb, const char *key, const char *value, struct err *e)
{
	struct entry *grown = mem_rearray(c->entries, c->n_entries + 1, sizeof *grown), *n;

	if (!grown)
		return err_set(e, ERR_NOMEM, "no memory for this line");
	c->entries = grown;
	n = &grown[c->n_entries++];
	*n = (struct entry){ verb, mem_strdup(key), mem_strdup(value) };
	return n->key && n->value ? 0 : err_set(e, ERR_NOMEM, "no memory for this line");
}

static int add_folder(struct conf *c, const char *value, struct err *e)
{
	char **grown = mem_rearray(c->folders, c->n_folders + 2, sizeof *grown), q[128];
	struct str s;

	if (!grown)
		return err_set(e, ERR_NOMEM, "no memory for this line");
	c->folders = grown;
	grown[c->n_folders] = grown[c->n_folders + 1] = NULL;
	str_init(&s, 1 << 16);
	if (paths_expand(value, &s, e) < 0) {
		str_release(&s);
		return -1;
	}
	if (s.p[0] != '/') {
		str_release(&s);
		return err_set(e, ERR_ARG, "folder: expected a path that begins with / or ~/, got '%s'",
			       err_quote(q, sizeof q, value, strlen(value)));
	}
	grown[c->n_folders] = str_take(&s);
	c->n_folders += grown[c->n_folders] != NULL;
	return grown[c->n_folders ? c->n_folders - 1 : 0] ? 0 : err_set(e, ERR_NOMEM, "no memory for this line");
}

static int take(void *arg, const char *section, const char *key, const char *value, struct err *e)
{
	static const char *const folder_keys[] = { key_folder, NULL };
	const struct cmd *verb = verb_of(section);

	if (!strcmp(section, section_models))
		return strcmp(key, key_folder) ? unknown("key of [models]", key, folder_keys, e) :
						 add_folder(arg, value, e);
	if (!verb && strcmp(section, section_defaults))
		return unknown_section(section, e);
	return check(verb, key, value, e) < 0 ? -1 : add_entry(arg, verb, key, value, e);
}

/* Without a home folder there is no file of the user's. */
static int read_file(struct conf *c, struct str *complaints, struct err *e)
{
	struct str path;
	int r = 0;

	str_init(&path, 0);
	if (!paths_dir(PATHS_CONFIG, &path, NULL)) {
		str_adds(&path, "/tidbit.conf");
		r = inifile_read(path.p, take, c, complaints, e);
		if (r < 0 && e->code == ERR_NOT_FOUND)
			r = 0;
		else if (complaints->len || complaints->failed)
			r = err_set(e, ERR_ARG, "%s has mistakes", path.p);
	}
	str_release(&path);
	return r;
}

int conf_load(struct conf **out, struct str *complaints, struct err *e)
{
	struct conf *c = mem_calloc(1, sizeof *c);

	*out = NULL;
	if (!c)
		return err_set(e, ERR_NOMEM, "no memory for the configuration");
	if (read_file(c, complaints, e) < 0) {
		conf_free(c);
		return -1;
	}
	*out = c;
	return 0;
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_entries; i++) {
		mem_free(c->entries[i].key);
		mem_free(c->entries[i].value);
	}
	for (size_t i = 0; i < c->n_folders; i++)
		mem_free(c->folders[i]);
	mem_free(c->entries);
	mem_free(c->folders);
	mem_free(c);
}

/* -- using --------------------------------------------------------------------------- */

const char *const *conf_folders(const struct conf *c)
{
	return c ? (const char *const *)c->folders : NULL;
}

/* The entries of a section: a verb's own, or [defaults] (NULL). */
static void apply(const struct conf *c, const struct cmd *section, const struct cmd *verb, struct opts *o)
{
	for (size_t i = 0; i < c->n_entries; i++) {
		const struct entry *n = &c->entries[i];
		const struct opt *row = n->verb == section ? row_of_verb(verb, n->key) : NULL;
		struct err unfit;

		/* a value of [defaults] may be one that only another verb's option takes */
		if (row && !opt_set(row, o, n->key, n->value, &unfit))
			opt_give(row, o);
	}
}

void conf_apply(const struct conf *c, const struct cmd *verb, struct opts *o)
{
	o->folders = conf_folders(c);
	if (!c)
		return;
	apply(c, NULL, verb, o);
	apply(c, verb, verb, o);
}
