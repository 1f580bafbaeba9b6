/*
 * The chat's commands: one table, read by what runs them, by /help and F1, by completion in the screen
 * and in lines, by the man page. What they have to say becomes notes.
 */
#ifndef APP_SLASH_H
#define APP_SLASH_H

#include "app/chat.h"

enum slash_when {
	SLASH_BESIDE,		/* may run beside an answer */
	SLASH_STOPS,		/* stops the answer first */
	SLASH_EMPTIES,		/* the same, and what was read until it was asked for goes too (chat_detach) */
	SLASH_ALONE,		/* is refused while an answer runs */
};

struct slash {
	const char *name;		/* "quant" */
	const char *args;		/* "[LEVEL|+|-] [--borrowed]": what completes it too (argspec.h) */
	const char *help;
	enum slash_when when;
	void (*run)(struct chat *c, const char *args);
};
extern const struct slash slashes[];	/* ends with name NULL */
/* How a message begins with '/', as help and the man page tell it: what is typed, and what comes of it. */
#define SLASH_TEXT "//TEXT"
#define SLASH_TEXT_HELP "a message that begins with /: it is sent as /TEXT"

/* Runs "/name args". */
void slash_run(struct chat *c, const char *line);
/*
 * Completion, as readline's generators are: the i-th way to complete line[start, end), from
 * malloc, or NULL after the last. Commands at the start of the line, their words after it.
 */
char *slash_complete(const struct chat *c, const char *line, size_t start, size_t end, int i);

/* -- what /set can change (slash_set.c) ---------------------------------------------- */

/*
 * The i-th setting: its name, what it takes ("0 to 100"; choices: "exact borrowed", or NULL) and what it is for;
 * false after the last.
 */
struct setting {
	const char *name, *help, *choices;
	const char *(*word)(const struct chat *c, int i);	/* words that only the view knows, NULL behind the last; or NULL */
	char takes[48];
};
bool slash_setting(int i, struct setting *out);
void slash_set(struct chat *c, const char *args);

/* -- commands in files of their own --------------------------------------------------- */

void slash_quant(struct chat *c, const char *args);
void slash_model(struct chat *c, const char *args);
void slash_stats(struct chat *c, const char *args);
void slash_show(struct chat *c, const char *args);
void slash_context(struct chat *c, const char *args);
void slash_copy(struct chat *c, const char *args);
void slash_export(struct chat *c, const char *args);
void slash_restore(struct chat *c, const char *args);	/* keep.c */
void slash_new(struct chat *c, const char *args);

/* "name   " before what it is; in plain lines "name: ". */
void slash_name(const struct chat *c, struct str *s, const char *name, int columns);
/* "no level "Q9": did you mean Q8_0?": the nearest of the names (NULL-ended), or what else there is to say. */
void slash_unknown(struct chat *c, const char *what, const char *word, const char *const *names, const char *otherwise);

#endif
