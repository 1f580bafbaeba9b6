/*
 * The conversation. Each item is filtered and wrapped once for a width; an answer that
 * streams is laid out again only from its last line end. Rows are made only for what is
 * looked at, from the bottom up while it follows the stream, from the anchored row down when
 * the reader has scrolled: then it does not move, whatever comes, and survives a resize.
 */
#ifndef UI_PANE_CHAT_H
#define UI_PANE_CHAT_H

#include "ui/gauge.h"
#include "ui/pane.h"

/* r is read while drawing, for the figures of the answer that runs. Both are borrowed. NULL without memory. */
struct pane *pane_chat_new(const struct chat *c, const struct gauge_reading *r);
/* Has the reader scrolled away from the end? */
bool pane_chat_scrolled(const struct pane *p);

#endif
