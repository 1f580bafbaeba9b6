#include "config.h"
#include "ui/docdraw.h"

#include "ui/width.h"

enum { RANGES = 64 };

static bool inside(const struct find_range *r, int n, size_t at)
{
	for (int i = 0; i < n; i++)
		if (at >= r[i].from && at < r[i].to)
			return true;
	return false;
}

/* One cluster after the other: looks may change anywhere. Returns the columns taken. */
static int draw_run(const struct doc *d, size_t off, size_t len, int y, int x, int max, size_t line,
		    const struct find_range *found, int n_found)
{
	const char *s = d->text.p;
	size_t end = off + len;
	int used = 0;

	while (off < end) {
		struct look look = doc_look_at(d, off);
		bool hit = n_found && inside(found, n_found, off - line);
		size_t to = off;
		int w;

		/* as far as it looks the same */
		do {
			int cols;

			to += width_next(s + to, end - to, &cols);
		} while (to < end && !n_found && doc_look_same(d, off, to));
		w = width_of(s + off, to - off);
		if (hit)
			look.style = STYLE_MATCH;
		look_set(look);
		draw_text(y, x + used, max - used, s + off, to - off);
		used += w;
		if (used >= max)
			return max;
		off = to;
	}
	return used;
}

void doc_draw_row(const struct doc *d, const struct doc_row *row, int y, int x, int max, const struct find *found)
{
	struct find_range ranges[RANGES];
	int n = found ? find_in(found, d->text.p + row->line, row->line_len, ranges, RANGES) : 0, used = 0;

	if (row->lead_len)
		used = draw_run(d, row->lead, row->lead_len, y, x, max, 0, NULL, 0);
	used += row->indent;
	if (used < max)
		draw_run(d, row->off, row->len, y, x + used, max - used, row->line, ranges, n);
}
