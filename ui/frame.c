#include "config.h"
#include "ui/frame.h"

#include "ui/gauge.h"

/* Where the screen gives parts up, columns and rows. */
enum {
	COLUMN_MIN_COLS = 100, KEYS_MIN_COLS = 60, PARTS_MIN_COLS = 20,
	KEYS_MIN_ROWS = 16, GAUGES_MIN_ROWS = 10, HEADER_MIN_ROWS = 4,
};

static struct box take_top(struct box *rest, int h)
{
	struct box b = { rest->y, rest->x, h, rest->w };

	rest->y += h;
	rest->h -= h;
	return b;
}

static struct box take_bottom(struct box *rest, int h)
{
	rest->h -= h;
	return (struct box){ rest->y + rest->h, rest->x, h, rest->w };
}

struct frame frame_of(int rows, int cols, int input_rows, bool queued)
{
	struct frame f = { 0 };
	struct box rest = { 0, 0, rows, cols };
	bool parts = cols >= PARTS_MIN_COLS, ruled = parts && rows >= GAUGES_MIN_ROWS;
	int most = rows / 3 > 0 ? rows / 3 : 1;

	if (parts && rows >= HEADER_MIN_ROWS)
		f.header = take_top(&rest, 1);
	if (ruled)
		f.top_rule = take_top(&rest, 1);
	if (rows >= KEYS_MIN_ROWS && cols >= KEYS_MIN_COLS)
		f.keys = take_bottom(&rest, 1);
	f.input = take_bottom(&rest, input_rows < most ? input_rows : most);
	if (queued && rest.h > 2)
		f.queued = take_bottom(&rest, 1);
	if (ruled && cols < COLUMN_MIN_COLS)
		f.line = take_bottom(&rest, 1);
	if (ruled)
		f.low_rule = take_bottom(&rest, 1);
	f.body = rest;
	if (ruled && cols >= COLUMN_MIN_COLS) {
		f.body.w = cols - GAUGE_COLS - 3;
		f.column = (struct box){ rest.y, f.body.w + 2, rest.h, GAUGE_COLS };
	}
	return f;
}

void frame_draw_rules(const struct frame *f)
{
	int sep = f->body.w;

	style_set(STYLE_DIM);
	if (f->top_rule.h)
		draw_hline(f->top_rule.y, 0, f->top_rule.w);
	if (f->low_rule.h)
		draw_hline(f->low_rule.y, 0, f->low_rule.w);
	if (!f->column.h)
		return;
	draw(f->top_rule.y, sep, 1, glyph(GLYPH_TEE_DOWN));
	draw(f->low_rule.y, sep, 1, glyph(GLYPH_TEE_UP));
	for (int y = 0; y < f->body.h; y++)
		draw(f->body.y + y, sep, 1, glyph(GLYPH_VLINE));
}
