#include "config.h"
#include "ui/mkdoc.h"

#include "app/argspec.h"
#include "ui/builtin.h"
#include "ui/gauge.h"

#include <stdio.h>
#include <string.h>

static const struct { const char *name; void (*make)(struct str *out); } forms[] = {
	{ "man", mkdoc_man }, { "bash", mkdoc_bash }, { "zsh", mkdoc_zsh }, { "fish", mkdoc_fish },
};

/* -- what stands for what ----------------------------------------------------------------- */

static void add_levels(struct str *words)
{
	for (int i = 0; eng_level_name(i); i++)
		str_addf(words, " %s", eng_level_name(i));
}

static void add_verbs(struct str *words)
{
	for (const struct cmd *const *v = cmd_verbs; *v; v++)
		str_addf(words, " %s", (*v)->name);
}

/* Words of help in capitals that mean the same wherever they stand. */
static const struct { const char *word; enum mkdoc_kind kind; void (*words)(struct str *words); } known[] = {
	{ "MODEL", MKDOC_MODEL, NULL },
	{ "FILE", MKDOC_FILE, NULL },
	{ "IDS", MKDOC_FILE, NULL },
	{ "IN", MKDOC_MODEL, NULL },
	{ "OUT", MKDOC_FILE, NULL },
	{ "LEVEL", MKDOC_WORDS, add_levels },
	{ "VERB", MKDOC_WORDS, add_verbs },
};

static enum mkdoc_kind kind_of(const char *word, struct str *words)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].word, word))
			continue;
		if (known[i].words)
			known[i].words(words);
		return known[i].kind;
	}
	return MKDOC_ANY;
}

static int on_theme(void *arg, const char *section, const char *key, const char *value, struct err *e)
{
	struct str *words = arg;
	const size_t n = strlen(section);

	(void)key;
	(void)value;
	(void)e;
	/* rows of a theme stand together */
	if (words->len < n || strcmp(words->p + words->len - n, section))
		str_addf(words, " %s", section);
	return 0;
}

static void add_themes(struct str *words)
{
	struct str complaints;

	str_init(&complaints, 0);
	inifile_text(builtin_themes, strlen(builtin_themes), "themes.conf", on_theme, words, &complaints);
	str_release(&complaints);
}

static void add_gauges(struct str *words)
{
	for (const struct gauge *g = gauge_table; g->name; g++)
		str_addf(words, " %s", g->name);
}

static void add_sets(struct str *words)
{
	char names[128];

	str_adds(words, " ");
	for (const char *p = eng_isa_built(names, sizeof(names)); *p; p++)
		str_addc(words, *p == ',' ? ' ' : *p);
}

/* Options whose words are another table's. */
static const struct { const char *key; enum mkdoc_kind kind; void (*words)(struct str *words); } values[] = {
	{ "theme", MKDOC_THEME, add_themes },
	{ "gauges", MKDOC_LIST, add_gauges },
	{ "isa", MKDOC_LIST, add_sets },
};

enum mkdoc_kind mkdoc_value(const struct opt *r, struct str *words)
{
	char range[512];

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (strcmp(values[i].key, r->key))
			continue;
		values[i].words(words);
		return values[i].kind;
	}

	switch (r->type) {
	case OPT_KV:
	case OPT_CHOICE:
	case OPT_LEVEL:
	case OPT_LEVELS:
	case OPT_TYPE:
		opt_range(r, range, sizeof(range));
		for (const char *p = range; *p; p++)
			if (*p != ',')
				str_addc(words, *p);
		return r->type == OPT_LEVELS ? MKDOC_LIST : MKDOC_WORDS;
	case OPT_TEXT:
		return kind_of(r->arg, words);
	default:
		return MKDOC_ANY;
	}
}

enum mkdoc_kind mkdoc_argument(const struct cmd *verb, int n, struct str *words)
{
	enum mkdoc_kind kind = MKDOC_ANY;
	char word[ARGSPEC_WORD];

	for (int i = 0; argspec_word(verb->args, n, i, word); i++) {
		if (argspec_stands(word)) {
			kind = kind_of(word, words);
		} else {
			str_addf(words, " %s", word);
			kind = MKDOC_WORDS;
		}
	}
	return kind;
}

bool mkdoc_takes(const struct cmd *verb, const struct opt *r)
{
	for (const char *const *k = verb->opts; *k; k++)
		if (!strcmp(*k, r->key))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	const size_t n = sizeof(forms) / sizeof(forms[0]);
	struct str out;
	size_t i = 0;
	int bad;

	while (i < n && (argc != 2 || strcmp(forms[i].name, argv[1])))
		i++;
	if (i == n) {
		fputs("usage: mkdoc man|bash|zsh|fish\n", stderr);
		return EXIT_USAGE;
	}
	str_init(&out, 0);
	forms[i].make(&out);
	bad = out.failed || fwrite(out.p, 1, out.len, stdout) != out.len || fflush(stdout);
	str_release(&out);
	return bad ? EXIT_FAIL : EXIT_OK;
}
