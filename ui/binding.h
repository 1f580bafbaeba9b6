/*
 * The keys of the screen: what is pressed, where, what it does, and the words for it. Rows are
 * text, profiles/keys.conf and the user's keys.conf; what can be done is the table of actions
 * here. The key line and the help are made from both and show a key only while it does something.
 * Keys that no row takes belong to readline.
 */
#ifndef UI_BINDING_H
#define UI_BINDING_H

#include "ui/key.h"

#include <stdbool.h>

/* id, name in keys.conf, word on the key line (NULL: not there), words for the help. In the order of both. */
#define ACTIONS(X) \
	X(SEND, "send", "send", "send the message") \
	X(INTERRUPT, "interrupt", "stop", "stop the answer; else clear the message (Ctrl-Y brings it back); else leave") \
	X(CLOSE, "close", "close", "close what is open; else stop the answer") \
	X(LINE_UP, "line-up", "take back", "up in the message; from its first line: earlier messages") \
	X(NEWLINE, "newline", "newline", "new line in the message") \
	X(ROW_DOWN, "row-down", "move", "down one row") \
	X(ROW_UP, "row-up", "move", "up one row") \
	X(COPY, "copy", "copy", "copy the source of the marked code block or answer to the clipboard") \
	X(EDITOR, "editor", "editor", "open a copy of it in $VISUAL or $EDITOR") \
	X(OPEN, "open", "open", "open the marked model: the conversation goes on with it") \
	X(SORT, "sort", "sort", "sort by the next column") \
	X(SEARCH, "search", "search", "search: a regular expression; small letters match capitals too") \
	X(NEXT, "next", "next", "the next place that was found") \
	X(PREVIOUS, "previous", NULL, "the one before") \
	X(UNFOLD, "unfold", "unfold", "show or fold the thinking of the marked answer; else write again") \
	X(WRITE, "write", "write", "back to the message") \
	X(LEVEL_UP, "level-up", "level", "a better level: larger, slower, closer to the original") \
	X(LEVEL_DOWN, "level-down", "level", "a smaller level: faster, less memory; the conversation goes on") \
	X(PAGE_UP, "page-up", "read back", "read back; the view then stays while the answer streams") \
	X(PAGE_DOWN, "page-down", NULL, "read on; at the end the view follows again") \
	X(SCROLL_UP, "scroll-up", NULL, "read back by three rows (the wheel, after /set mouse on)") \
	X(SCROLL_DOWN, "scroll-down", NULL, "read on by three rows") \
	X(FOLLOW, "follow", "follow", "to the end, and follow") \
	X(FOCUS, "focus", "mark", "to the conversation, and back: mark, copy, search") \
	X(LEAVE, "leave", "leave", "leave, on an empty message") \
	X(TOP, "top", NULL, "to the beginning") \
	X(BOTTOM, "bottom", NULL, "to the end") \
	X(LINE_DOWN, "line-down", NULL, "down in the message; from its last line: later messages") \
	X(MODELS, "models", "models", "the models on this machine, and whether they fit") \
	X(BARE, "bare", NULL, "the conversation alone, for the terminal's own selection, and back") \
	X(HELP, "help", NULL, "this help, and back") \
	X(REDRAW, "redraw", NULL, "draw the screen again") \
	X(SUSPEND, "suspend", NULL, "suspend; fg comes back")

enum action {
	ACT_NONE,		/* "readline" in keys.conf */
#define ACTION_ENUM(id, name, word, help) ACT_##id,
	ACTIONS(ACTION_ENUM)
#undef ACTION_ENUM
	ACT_N
};

enum where { IN_INPUT, IN_CONVERSATION, IN_LIST, IN_HELP, ALWAYS, N_WHERE };

struct binding {
	struct key key;
	enum where where;
	enum action action;
};

/* The rows that come along, alone. */
void bindings_builtin(void);
/* Reads the rows, then the user's; what is wrong with the user's goes to complaints, a line each. */
void bindings_load(struct str *complaints);
/* All rows, in their order. */
const struct binding *bindings(int *n);

const char *action_help(enum action a);
const char *action_word(enum action a);
/* The action of a key in a place other than ALWAYS, ACT_NONE when it is readline's. */
enum action binding_find(const struct key *k, enum where where);
/* "Ctrl-J, Alt-Enter": the keys of an action in a place, "" when there is none. */
void binding_keys(enum action a, enum where where, bool ascii, struct str *out);

/*
 * The key line: "Enter send  Ctrl-J newline  Alt-↑↓ level", as many as fit into cols. `word` says
 * what an action does now; NULL leaves it out.
 */
void binding_line(struct str *out, int cols, bool ascii, enum where where,
		  const char *(*word)(void *arg, enum action a), void *arg);

#endif
