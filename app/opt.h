/*
 * The options: one table, read by the parser, by --help and by completion. A row tells
 * how an option is written, what it takes, where its value goes in struct opts and what
 * it is for; which verbs take it stands in the verb's own list (cmd.h), by key.
 *
 * Written as `--temp 0.7`, `--temp=0.7`, `-n 128`, `-n128`; options and positional
 * arguments in any order; `--` ends the options; the last one given wins. Every option
 * has an environment variable that gives its default: TIDBIT_ and the long name in
 * capitals (TIDBIT_TOP_K=20; for switches 1 or 0).
 */
#ifndef APP_OPT_H
#define APP_OPT_H

#include "app/cmd.h"

enum opt_type {
	OPT_FLAG,		/* bool; takes no value */
	OPT_TEXT,		/* const char *, points into argv or the environment */
	OPT_INT,		/* int, min … max */
	OPT_LONG,		/* int64_t, min … max */
	OPT_REAL,		/* double, min … max */
	OPT_SEED,		/* uint64_t; sets opts.seed_set */
	OPT_KV,			/* enum eng_kv */
	OPT_CHOICE,		/* const char *, one of `choices` */
	OPT_LEVEL,		/* const char *, the name of a level */
	OPT_LEVELS,		/* the same, a list with commas */
	OPT_TYPE,		/* const char *, the name of a type of tensors */
	OPT_LIST,		/* struct opt_list: may be given again and again */
};

struct opt {
	const char *key;	/* unique: what a verb's list holds */
	const char *name;	/* long name, where it is not the key: two rows may share one */
	char letter;		/* 0: none */
	const char *arg;	/* "N"; NULL for a flag */
	enum opt_type type;
	size_t at;		/* offset in struct opts */
	double min, max;
	const char *choices;	/* "md csv json" */
	const char *unset;	/* the default as help tells it, where the value itself does not */
	const char *help;
};

extern const struct opt opt_table[];	/* ends with key NULL */
extern const struct opts opt_defaults;

static inline const char *opt_name(const struct opt *r)
{
	return r->name ? r->name : r->key;
}

/* The row that a verb's list means; asserts that there is one. */
const struct opt *opt_by_key(const char *key);
/* The same, or NULL. */
const struct opt *opt_find(const char *key);
/*
 * Sets a row's value from text, checked as on the command line; `what` names it in messages
 * ("--temp"). The text is kept where the value is one.
 */
int opt_set(const struct opt *r, struct opts *o, const char *what, const char *value, struct err *e);
/* Copies one row's value. */
void opt_copy(const struct opt *r, struct opts *to, const struct opts *from);
/* Was the row's value given, on the command line, in the environment, or since (opt_give)? */
bool opt_given(const struct opt *r, const struct opts *o);
void opt_give(const struct opt *r, struct opts *o);
/* "TIDBIT_TOP_K" into buf; returns buf. */
const char *opt_env(const struct opt *r, char *buf, size_t size);
/* A value as it is written; "" for none. Returns buf. */
const char *opt_value_text(const struct opt *r, const struct opts *o, char *buf, size_t size);
/* What the option takes: "0 to 100", "exact, borrowed"; "" for any text. Returns buf. */
const char *opt_range(const struct opt *r, char *buf, size_t size);
/* The default as help shows it, "" when there is none to show; returns buf. */
const char *opt_default_text(const struct opt *r, char *buf, size_t size);

/* What one argument is, whatever the verb: so that the verb can be found behind options. */
enum opt_word { OPT_WORD_PLAIN, OPT_WORD_ALONE, OPT_WORD_TAKES_NEXT, OPT_WORD_UNKNOWN, OPT_WORD_END };
enum opt_word opt_word(const char *arg);

/*
 * Fills o for a verb: `base` (opt_defaults, or what tidbit.conf makes of them), then the environment,
 * then args[0 … n-1] (without the program's name and the verb). Positionals are handed to the verb after
 * all options are known. ERR_ARG with a sentence that names the nearest option, the expected value and its range, or the verbs
 * that take the option. `all` (NULL-ended) is asked which those are. o->help stops the rest.
 */
int opt_parse(const struct cmd *verb, const struct cmd *const *all, const struct opts *base, int n, char **args,
	      struct opts *o, struct err *e);

#endif
