/*
 * The input line: readline inside the screen. Bytes of keys that nothing else wants go in,
 * readline edits (the user's inputrc, vi mode, kill ring, undo, history, Ctrl-R), and what it
 * holds is drawn here, over several rows, the caret where it belongs. readline itself never
 * touches the terminal: no signals, no modes, no output, no size, no environment.
 *
 * readline is one per program, so there is one input at a time.
 */
#ifndef UI_INPUT_H
#define UI_INPUT_H

#include "ui/key.h"
#include "ui/style.h"

#include "engine/base/err.h"

struct input;

struct input_ops {
	/* Enter: the text, pastes in full. It is in the history already. */
	void (*send)(void *arg, const char *text);
	/* The i-th way to complete line[start, end), from malloc; NULL after the last. */
	char *(*complete)(void *arg, const char *line, size_t start, size_t end, int i);
	/* Ctrl-X Ctrl-E, and v in vi mode: the text in the user's editor; input_whole() gives it, input_replace() takes it back. */
	void (*edit)(void *arg);
	/* Of the user's inputrc, when it is read again. */
	void (*complain)(void *arg, const char *what);
};

/* Before term_start(): readline looks at the terminal in its own way and then lets go of it. */
int input_new(struct input **out, const struct input_ops *ops, void *arg, struct err *e);
void input_free(struct input *in);

/* A key for readline. */
void input_key(struct input *in, const struct key *k);
/*
 * Esc alone, which is over: what readline is in the middle of ends. It is no Meta for the key that
 * follows: Alt is told by the decoder.
 */
void input_esc(struct input *in);
/*
 * Text as it is, undone as a whole; control bytes are taken out. Ends a search first. A long one is
 * one character that is drawn as "[pasted 214 lines]" and moved over, killed and undone as such.
 */
void input_paste(struct input *in, const char *p, size_t n);
void input_newline(struct input *in);
/* Accepts the line: send() is called. */
void input_send(struct input *in);
/* Into the kill ring, an unfinished command or search with it; false when there was nothing. */
bool input_clear(struct input *in);
void input_set(struct input *in, const char *text);
/* Words in place of the text, from outside; its pastes that are found in them whole stay what they are. */
void input_replace(struct input *in, const char *text, size_t n);
/* A message that was sent, in place of the text, as it was typed and pasted. */
void input_take_back(struct input *in, const char *text);
const char *input_text(const struct input *in);
/* The whole text, pastes in full. */
void input_whole(const struct input *in, struct str *out);
/*
 * The text for a file, `sent` (NULL: what stands in the input) as it was sent; and back from there.
 * Pastes are told apart in it: a long text that was typed comes back as its lines, a paste as a paste.
 */
void input_save(const struct input *in, const char *sent, struct str *out);
void input_load(struct input *in, const char *p, size_t n);
/* An earlier message, for the history. */
void input_recall(struct input *in, const char *text);
bool input_empty(const struct input *in);
/* readline is in the middle of a search: Enter, Ctrl-J and Esc belong to it. */
bool input_searching(const struct input *in);
/* In vi's insert mode Esc belongs to readline. */
bool input_wants_esc(const struct input *in);
/* To the row above or below, keeping the column; false on the first or last one. */
bool input_move(struct input *in, int rows);
/*
 * The list of candidates after Tab, or NULL; gone with the next key. What does not fit into so many
 * columns is told at the end, and another Tab leads to it.
 */
const char *input_hint(struct input *in, int cols);

/* Rows that it needs in a box so wide, at least 1. */
int input_rows(struct input *in, int cols);
/* Draws it and tells where the caret is. focus: keys go here. */
void input_draw(struct input *in, struct box b, bool focus, int *y, int *x);

#endif
