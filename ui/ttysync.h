/*
 * What the terminal is to do besides drawing, kept as it should be: the tab's title, the mouse's
 * wheel, who orders right-to-left text, a bell. Settings may change at any time, and the terminal
 * tells of itself when it likes; what has changed is sent before the next paint.
 */
#ifndef UI_TTYSYNC_H
#define UI_TTYSYNC_H

#include "app/cmd.h"
#include "ui/ttyask.h"

struct ttysync {
	char title[160];		/* as it was sent */
	bool titled;			/* it was, since the screen was taken */
	enum tty_bidi bidi;
	bool looked_at, tells_focus;
	bool ring;
};

void ttysync_init(struct ttysync *t);
/* Reports and focus; false: the key is something else. */
bool ttysync_key(struct ttysync *t, const struct key *k);
/* Sends what is not as it should be. The title is filtered text. True when right-to-left text comes in another order now. */
bool ttysync_apply(struct ttysync *t, const struct opts *o, const char *title);
/* The screen was given away and is ours again. */
void ttysync_again(struct ttysync *t);
/* Rings with the next apply, unless somebody looks at the terminal; `touched`: a key came lately, for terminals that do not tell. */
void ttysync_ring(struct ttysync *t, const struct opts *o, bool touched);

#endif
