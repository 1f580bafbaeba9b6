/*
 * What is known about a model besides its file: how its makers sample it, where its answers
 * end, how it marks its thinking, which levels are worth having. Rows are text: families.conf
 * in profiles/, then in the user's folder ($XDG_CONFIG_HOME/tidbit). Every section whose
 * conditions a model meets applies, in the order of the files, so that later rows win over
 * earlier ones and the user's over ours.
 *
 *	[qwen3]
 *	family = qwen3				conditions: those that are given must all hold;
 *	name = *instruct-2507*, *-it		patterns of a shell, of the model's name or file
 *	tokenizer = gpt2/llama-bpe		as `show` tells it
 *	thinking = off				only while thinking is switched off (or: on)
 *	temp = 0.6				options by their names: PROFILE_OPTIONS
 *	stop = "\nUser:", "###"			texts that end an answer; "" begins the list anew
 *	think = "<think>", "</think>"		what thinking stands between; "" for none
 *	levels = Q8_0, Q6_K			worth having, best first; a wrong name takes the row away
 *
 * A section of the user's that repeats the name of one of ours, and gives no conditions, has its.
 * What the command line, the environment or /set say stands over every profile.
 */
#ifndef APP_PROFILE_H
#define APP_PROFILE_H

#include "app/cmd.h"

#define PROFILE_FILE "families.conf"
enum { PROFILE_STOPS = 32, PROFILE_LEVELS = 16 };

struct profile {
	char *sections;			/* those that apply: "qwen3, mine"; "" when none does */
	/* values of options: while the model thinks or is left to itself, and while it must not */
	struct opts values[2];
	bool has[OPT_MAX];		/* by row of opt_table: some section speaks of it */
	char *stops[PROFILE_STOPS];
	int n_stops;
	char *think_open, *think_close;	/* "" when it has no marks */
	char *levels[PROFILE_LEVELS];
	int n_levels;
};

/*
 * What holds for a model, from both files; one that is not there says nothing. Mistakes in rows are lines in
 * `complaints`, and so is what the model's own file should say of its text and does not. ERR_NOMEM, or a file
 * that is there and cannot be read. Release it whatever came.
 */
int profile_load(struct profile *p, const struct eng_info *info, struct str *complaints, struct err *e);
/* That alone: byte pairs without the name of an expression that splits text before them; the default may be another. */
void profile_doubt_split(const struct eng_info *info, struct str *complaints);
/* The same from these files. */
int profile_read(struct profile *p, const struct eng_info *info, const char *const *paths, int n,
		 struct str *complaints, struct err *e);
/* What holds for a model that nothing is known of. */
void profile_init(struct profile *p);
void profile_release(struct profile *p);

/*
 * Options that nobody gave (opt_given) become what the profile says, or else what they are by
 * default. May be done again, after o->think changed or for another model.
 */
void profile_fill(const struct profile *p, struct opts *o);

/* Is this level one of those worth having? */
bool profile_recommends(const struct profile *p, const char *level);

#endif
