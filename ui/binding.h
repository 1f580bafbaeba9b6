/*
 * The keys of the screen as a table: what is pressed, what it does, and the words for it. The
 * key line and the help are made from these rows and show a key only while it does something.
 * Keys that no row takes belong to readline.
 */
#ifndef UI_BINDING_H
#define UI_BINDING_H

#include "ui/key.h"

#include <stdbool.h>

/* id, words for the help. What an action does, and when it can, is in screen.c. */
#define ACTIONS(X) \
	X(SEND, "send the message") \
	X(NEWLINE, "new line in the message") \
	X(LEVEL_UP, "a better level: larger, slower, closer to the original") \
	X(LEVEL_DOWN, "a smaller level: faster, less memory; the conversation goes on") \
	X(INTERRUPT, "stop the answer; else clear the message (Ctrl-Y brings it back); else leave") \
	X(LEAVE, "leave, on an empty message") \
	X(CLOSE, "close the help; else stop the answer") \
	X(PAGE_UP, "read back; the view then stays while the answer streams") \
	X(PAGE_DOWN, "read on; at the end the view follows again") \
	X(FOLLOW, "to the end, and follow") \
	X(HELP, "this help, and back") \
	X(REDRAW, "draw the screen again") \
	X(SUSPEND, "suspend; fg comes back") \
	X(LINE_UP, "up in the message; from its first line: earlier messages") \
	X(LINE_DOWN, "down in the message; from its last line: later messages")

enum action {
	ACT_NONE,
#define ACTION_ENUM(id, help) ACT_##id,
	ACTIONS(ACTION_ENUM)
#undef ACTION_ENUM
	ACT_N
};

struct binding {
	const char *key;	/* as key_parse() reads it */
	enum action action;
	const char *word;	/* on the key line; neighbours with the same word share it; NULL: not there */
	bool help;		/* the key is told in the help (the other forms of a key are not) */
};

/* In the order of the key line and of the help; ends with key NULL. */
extern const struct binding bindings[];

const char *action_help(enum action a);
/* The action of a key, ACT_NONE when it is readline's. */
enum action binding_find(const struct key *k);

/*
 * The key line: "Enter send  Ctrl-J newline  Alt-↑↓ level", as many as fit into cols. `word` says
 * what the key of a row does now; NULL leaves it out.
 */
void binding_line(struct str *out, int cols, bool ascii, const char *(*word)(void *arg, const struct binding *b),
		  void *arg);

#endif
