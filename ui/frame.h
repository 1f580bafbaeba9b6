/*
 * Where everything stands on a screen of any size, and the rules between. What has no room has a box of no rows:
 * parts go one after the other as the screen gets smaller, the conversation and the input line last.
 */
#ifndef UI_FRAME_H
#define UI_FRAME_H

#include "ui/style.h"

#include <stdbool.h>

struct frame {
	struct box header, top_rule, body;
	struct box column, line;	/* gauges: beside the conversation, or in one row below it */
	struct box low_rule, queued, input, keys;
};

/* input_rows: as many as it would like; queued: there is something to say above it. */
struct frame frame_of(int rows, int cols, int input_rows, bool queued);
void frame_draw_rules(const struct frame *f);

#endif
