#include "config.h"
#include "ui/binding.h"

#include "ui/width.h"

#include <stddef.h>
#include <string.h>

const struct binding bindings[] = {
	{ "Enter", ACT_SEND, "send", true },
	{ "C-c", ACT_INTERRUPT, "stop", true },
	{ "C-j", ACT_NEWLINE, "newline", true },
	{ "M-Enter", ACT_NEWLINE, NULL, true },
	{ "S-Enter", ACT_NEWLINE, NULL, false },
	{ "M-Up", ACT_LEVEL_UP, "level", true },
	{ "M-Down", ACT_LEVEL_DOWN, "level", true },
	{ "Esc", ACT_CLOSE, "close", true },
	{ "PgUp", ACT_PAGE_UP, "read back", true },
	{ "PgDn", ACT_PAGE_DOWN, NULL, true },
	{ "End", ACT_FOLLOW, "follow", true },
	{ "C-End", ACT_FOLLOW, NULL, true },
	{ "Up", ACT_LINE_UP, NULL, true },
	{ "Down", ACT_LINE_DOWN, NULL, true },
	{ "C-d", ACT_LEAVE, "leave", true },
	{ "C-z", ACT_SUSPEND, NULL, true },
	{ "C-l", ACT_REDRAW, NULL, true },
	{ "F1", ACT_HELP, NULL, true },
	{ NULL, ACT_NONE, NULL, false },
};

static const char *const helps[] = {
	[ACT_NONE] = "",
#define ACTION_HELP(id, help) [ACT_##id] = help,
	ACTIONS(ACTION_HELP)
#undef ACTION_HELP
};

const char *action_help(enum action a)
{
	return helps[a];
}

enum action binding_find(const struct key *k)
{
	struct key b;

	for (const struct binding *i = bindings; i->key; i++)
		if (key_parse(i->key, &b) && key_is(&b, k->code, k->mods))
			return i->action;
	return ACT_NONE;
}

/* "Alt-↑" and "Alt-↓" are "Alt-↑↓". */
static void add_neighbour(struct str *out, const struct key *first, const struct key *k, bool ascii)
{
	char buf[8];

	if (k->mods != first->mods) {
		str_adds(out, "/");
		key_label(k, ascii, out);
		return;
	}
	if (ascii)
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

void binding_line(struct str *out, int cols, bool ascii, const char *(*word)(void *arg, const struct binding *b),
		  void *arg)
{
	const char *now = NULL;
	struct key first = { 0 }, k;
	struct str entry;

	str_init(&entry, 256);
	for (const struct binding *b = bindings; b->key; b++) {
		const char *w = b->word ? word(arg, b) : NULL;

		if (!w || !key_parse(b->key, &k))
			continue;
		if (now && !strcmp(now, w)) {
			add_neighbour(&entry, &first, &k, ascii);
			continue;
		}
		if (now)
			close_entry(out, &entry, now, cols);
		key_label(&k, ascii, &entry);
		first = k;
		now = w;
	}
	if (now)
		close_entry(out, &entry, now, cols);
	str_release(&entry);
}
