/* Where everything stands: on a screen of any size all of it is seen, nothing stands on something else. */
#include "config.h"
#include "t/lib/tap.h"
#include "ui/frame.h"

#include <string.h>

enum { ROWS = 70, COLS = 220 };

static unsigned char taken[ROWS * COLS];

/* Are all of its cells on the screen, and nobody's? */
static bool take(const struct box *b, int rows, int cols)
{
	if (b->h < 0 || b->w < 0 || b->y < 0 || b->x < 0 || b->y + b->h > rows || b->x + b->w > cols)
		return false;
	for (int y = b->y; y < b->y + b->h; y++)
		for (int x = b->x; x < b->x + b->w; x++)
			if (taken[y * COLS + x]++)
				return false;
	return true;
}

static bool fits(int rows, int cols, int input, bool queued)
{
	const struct frame f = frame_of(rows, cols, input, queued);
	const struct box *const all[] = { &f.header, &f.top_rule, &f.body, &f.column, &f.line, &f.low_rule, &f.queued, &f.input, &f.keys };
	bool good = f.input.h >= 1 && f.input.h <= input && (rows < 2 || f.body.h >= 1);

	memset(taken, 0, sizeof taken);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		good &= take(all[i], rows, cols);
	return good;
}

int main(void)
{
	struct frame f;
	int bad = 0;

	for (int rows = 1; rows <= ROWS; rows++)
		for (int cols = 1; cols <= COLS; cols++)
			for (int more = 0; more < 4; more++)
				bad += !fits(rows, cols, more & 1 ? 30 : 1, more & 2);
	ok(!bad, "in every size each part has its own place, the conversation and the input one of at least a row (%d do not)", bad);
	f = frame_of(40, 120, 1, false);
	ok(f.column.h && !f.line.h && f.keys.h && f.header.h, "a large one has a column of gauges");
	f = frame_of(24, 80, 1, false);
	ok(!f.column.h && f.line.h && f.keys.h && f.header.h, "80 columns have a line of them");
	f = frame_of(24, 80, 30, true);
	ok(f.input.h == 8 && f.queued.h, "the input takes a third at most");
	return tap_done();
}
