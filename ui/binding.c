#include "config.h"
#include "ui/binding.h"

#include "app/inifile.h"
#include "ui/builtin.h"
#include "ui/width.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum { MAX = 256 };

static struct binding rows[MAX];
static int n_rows;

static const struct { const char *name, *word, *help; } actions[] = {
	[ACT_NONE] = { "readline", NULL, "" },
#define ACTION_ROW(id, name, word, help) [ACT_##id] = { name, word, help },
	ACTIONS(ACTION_ROW)
#undef ACTION_ROW
};

static const char *const places[N_WHERE] = {
	[IN_INPUT] = "input", [IN_CONVERSATION] = "conversation", [IN_LIST] = "list", [IN_HELP] = "help", [ALWAYS] = "always",
};

const char *action_help(enum action a)
{
	return actions[a].help;
}

const char *action_word(enum action a)
{
	return actions[a].word;
}

const struct binding *bindings(int *n)
{
	*n = n_rows;
	return rows;
}

/* -- reading -------------------------------------------------------------------------- */

/* A key that has a row in the place gets the new one; it keeps its turn. */
static int put(const struct key *k, enum where where, enum action a, struct err *e)
{
	int i = 0;

	while (i < n_rows && !(rows[i].where == where && key_is(&rows[i].key, k->code, k->mods)))
		i++;
	if (i == MAX)
		return err_set(e, ERR_ARG, "more keys than %d", MAX);
	rows[i] = (struct binding){ *k, where, a };
	n_rows += i == n_rows;
	return 0;
}

static int on_row(void *arg, const char *section, const char *key, const char *value, struct err *e)
{
	enum where where = 0;
	enum action a = 0;
	struct key k;

	(void)arg;
	while (where < N_WHERE && strcmp(places[where], section))
		where++;
	if (where == N_WHERE)
		return err_set(e, ERR_ARG, "no place [%.40s]: there are [input], [conversation], [list], [help] and [always]", section);
	if (!key_parse(key, &k))
		return err_set(e, ERR_ARG, "no key \"%.40s\": keys are written a, C-a, M-Enter, S-F1, PgUp", key);
	while (a < ACT_N && strcmp(actions[a].name, value))
		a++;
	if (a == ACT_N)
		return err_set(e, ERR_ARG, "no action \"%.40s\": profiles/keys.conf has them all", value);
	return put(&k, where, a, e);
}

static void read_builtin(struct str *complaints)
{
	n_rows = 0;
	inifile_text(builtin_keys, strlen(builtin_keys), "keys.conf", on_row, NULL, complaints);
}

void bindings_builtin(void)
{
	struct str complaints;

	str_init(&complaints, 0);
	read_builtin(&complaints);
	assert(!complaints.len);
	str_release(&complaints);
}

void bindings_load(struct str *complaints)
{
	read_builtin(complaints);
	builtin_user("keys.conf", on_row, NULL, complaints);
}

/* -- looking up ----------------------------------------------------------------------- */

enum action binding_find(const struct key *k, enum where where)
{
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < n_rows; i++)
			if (rows[i].where == (pass ? ALWAYS : where) && key_is(&rows[i].key, k->code, k->mods))
				return rows[i].action;
	return ACT_NONE;
}

/* A row of ALWAYS is hidden by one of the place itself. */
static bool holds(const struct binding *b, enum action a, enum where where)
{
	return b->action == a && (b->where == where || b->where == ALWAYS) && binding_find(&b->key, where) == a;
}

static const struct binding *first_of(enum action a, enum where where)
{
	for (int i = 0; i < n_rows; i++)
		if (holds(&rows[i], a, where))
			return &rows[i];
	return NULL;
}

void binding_keys(enum action a, enum where where, bool ascii, struct str *out)
{
	size_t start = out->len;

	for (int i = 0; i < n_rows; i++) {
		if (!(where == ALWAYS ? rows[i].action == a && rows[i].where == ALWAYS :
		      rows[i].where == where && holds(&rows[i], a, where)))
			continue;
		str_adds(out, out->len > start ? ", " : "");
		key_label(&rows[i].key, ascii, out);
	}
}

/* -- the key line --------------------------------------------------------------------- */

/* "Alt-↑" and "Alt-↓" are "Alt-↑↓". */
static void add_neighbour(struct str *out, const struct key *first, const struct key *k, bool ascii)
{
	char buf[8];

	if (k->mods != first->mods) {
		str_adds(out, "/");
		key_label(k, ascii, out);
		return;
	}
	if (ascii || k->code < K_FIRST)
		str_adds(out, "/");
	str_adds(out, key_symbol(k, ascii, buf));
}

/* Puts the finished entry behind the line if there is room. */
static void close_entry(struct str *out, struct str *entry, const char *word, int cols)
{
	const char *gap = out->len ? "  " : "";

	str_addf(entry, " %s", word);
	if (width_of(out->p, out->len) + width_of(entry->p, entry->len) + (int)strlen(gap) <= cols)
		str_addf(out, "%s%s", gap, entry->p);
	str_clear(entry);
}

void binding_line(struct str *out, int cols, bool ascii, enum where where,
		  const char *(*word)(void *arg, enum action a), void *arg)
{
	const struct binding *first = NULL, *b;
	const char *now = NULL;
	struct str entry;

	str_init(&entry, 256);
	for (enum action a = ACT_NONE + 1; a < ACT_N; a++) {
		const char *w = actions[a].word && (b = first_of(a, where)) ? word(arg, a) : NULL;

		if (!w)
			continue;
		if (now && !strcmp(now, w)) {
			add_neighbour(&entry, &first->key, &b->key, ascii);
			continue;
		}
		if (now)
			close_entry(out, &entry, now, cols);
		key_label(&b->key, ascii, &entry);
		first = b;
		now = w;
	}
	if (now)
		close_entry(out, &entry, now, cols);
	str_release(&entry);
}
