/*
 * The conversation. Each item is filtered and laid out once for a width; of an answer that
 * streams only what is not finished is laid out again. Rows are made only for what is
 * looked at, from the bottom up while it follows the stream, from the anchored row down when
 * the reader has scrolled: then it does not move, whatever comes, and survives a resize.
 *
 * With the focus it has a marked row, which keys move and act on: on the code block or the
 * item that the row stands in.
 */
#ifndef UI_PANE_CHAT_H
#define UI_PANE_CHAT_H

#include "ui/gauge.h"
#include "ui/pane.h"

#include "engine/base/err.h"
#include "engine/base/str.h"

/* r is read while drawing, for the figures of the answer that runs. Both are borrowed. NULL without memory. */
struct pane *pane_chat_new(const struct chat *c, const struct gauge_reading *r);
/* Has the reader scrolled away from the end? */
bool pane_chat_scrolled(const struct pane *p);

void pane_chat_focus(struct pane *p, bool on);
/* Text alone, from the first column on, for the terminal's own selection. */
void pane_chat_bare(struct pane *p, bool on);
/* Appends the source of what the mark stands in; what that is ("the answer", "the code"), NULL: nothing. */
const char *pane_chat_take(struct pane *p, struct str *out);
/* Shows or hides the thinking of the answer that the mark stands in; false when it has none. */
bool pane_chat_fold(struct pane *p);
bool pane_chat_foldable(const struct pane *p);
/* Where the mark was drawn last. */
void pane_chat_caret(const struct pane *p, int *y, int *x);
/* What is searched for is shown everywhere; NULL or "" ends that. ERR_ARG for a bad pattern. */
int pane_chat_search(struct pane *p, const char *pattern, struct err *e);
bool pane_chat_searched(const struct pane *p);
/* The mark goes to the next row (+1) or the one before (-1) in which it is found; false: nowhere. */
bool pane_chat_next(struct pane *p, int step);

#endif
