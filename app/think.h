/*
 * Where a model thinks in what it writes, and where the answer begins. Tolerant: the opening
 * mark may stand in the prompt, or nowhere at all; the answer may end inside the thinking.
 * A mark in the middle of an answer, or a closing one in code, is text.
 *
 *	<think>\nLet me see …\n</think>\n\nFour.
 *	       ^from          ^to        ^rest
 */
#ifndef APP_THINK_H
#define APP_THINK_H

#include <stdbool.h>
#include <stddef.h>

enum think_state {
	THINK_UNKNOWN,		/* blanks, or the beginning of the mark: not told yet */
	THINK_INSIDE,
	THINK_OVER,		/* from, to and rest are told */
	THINK_NONE,		/* an answer without thinking; a closing mark may still come */
};

struct think {
	enum think_state state;
	size_t from, to;	/* the thinking, without marks; while INSIDE `to` is as far as it is told */
	size_t rest;		/* where the answer begins */
	size_t seen;		/* bytes looked at, but for the beginning of a mark */
	bool strict;		/* set it after think_init(): a closing mark that nothing opened is text */
	bool unopened;		/* OVER by a closing mark that nothing opened */
};

struct think_marks { const char *open, *close; };	/* "" or NULL: the model has none */

/* `opened`: the prompt ends inside the thinking. */
void think_init(struct think *t, bool opened);
/* The text so far, of an answer that grows; `whole` once it is all there. */
void think_feed(struct think *t, const struct think_marks *m, const char *text, size_t n, bool whole);

enum think_part { THINK_PART_NOTHING, THINK_PART_THINKING, THINK_PART_ANSWER };
/*
 * What can be told next of a text of n bytes, of which *at are told: [*from, *to) of it, and *at
 * moves on. Marks are left out. With `hold` what may yet turn out as thinking waits for the end
 * (`whole`): for readers that cannot be told afterwards.
 */
enum think_part think_next(const struct think *t, size_t n, bool whole, bool hold, size_t *at, size_t *from, size_t *to);

/*
 * The closing mark of an opening one that never came, behind text of which `at` bytes were told as the answer: true once,
 * for who cannot take it back. *was holds the state of the last call; THINK_UNKNOWN before the first.
 */
bool think_told_late(const struct think *t, enum think_state *was, size_t at);
#define THINK_CUT "the text before a closing mark that nothing opened is left out, as thinking: --think off keeps it"
#define THINK_LATE "what came before this was thinking, although nothing opened it: it is no part of the answer"

/* Does text, but for blanks behind it, end with the mark? */
bool think_opens(const char *open, const char *text, size_t n);

#endif
