/*
 * What the build makes of the tables (verbs, options, commands, settings, keys): the man page, and
 * completions for shells. A program of the build's own (mkdoc FORM); nothing of it is in tidbit.
 */
#ifndef UI_MKDOC_H
#define UI_MKDOC_H

#include "app/opt.h"
#include "engine/base/str.h"

void mkdoc_man(struct str *out);
void mkdoc_bash(struct str *out);
void mkdoc_zsh(struct str *out);
void mkdoc_fish(struct str *out);

/* What a value or an argument is, for a shell. */
enum mkdoc_kind {
	MKDOC_ANY,	/* nothing is known */
	MKDOC_WORDS,	/* one of some words */
	MKDOC_LIST,	/* some of them, with commas */
	MKDOC_THEME,	/* one of some words, or of the user's own themes.conf */
	MKDOC_MODEL,	/* a name of `tidbit list`, or a file */
	MKDOC_FILE,
};
/* Of an option's value; words (apart by blanks) are appended. */
enum mkdoc_kind mkdoc_value(const struct opt *r, struct str *words);
/* Of a verb's n'th argument: every alternative that its help spells; words are appended. */
enum mkdoc_kind mkdoc_argument(const struct cmd *verb, int n, struct str *words);
/* "run" → its row's place among the verbs that take this option's row. */
bool mkdoc_takes(const struct cmd *verb, const struct opt *r);

#endif
