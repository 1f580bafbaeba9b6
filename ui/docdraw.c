#include "config.h"
#include "ui/docdraw.h"

#include "ui/bidi.h"
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

static void draw_cluster(const struct doc *d, const struct doc_row *row, const struct bidi_cluster *c, int y, int x,
			 const struct find_range *found, int n_found)
{
	struct look look = doc_look_at(d, row->line + c->off);

	if (n_found && inside(found, n_found, c->off))
		look.style = STYLE_MATCH;
	look_set(look);
	if (c->mirror)
		draw_char(y, x, c->cols, c->mirror);
	else
		draw_text(y, x, c->cols, d->text.p + row->line + c->off, c->len);
}

/* A line that begins at the right has what stands before it there too, the other way round. */
static void draw_lead_right(const struct doc *d, const struct doc_row *row, int y, int end)
{
	for (size_t i = row->lead, to = row->lead + row->lead_len; i < to;) {
		int w;
		size_t k = width_next(d->text.p + i, to - i, &w);

		look_set(doc_look_at(d, i));
		end -= w;
		draw_text(y, end, w, d->text.p + i, k);
		i += k;
	}
}

static bool draw_bidi(const struct doc *d, const struct doc_row *row, int y, int x, int max,
		      const struct find_range *found, int n_found)
{
	int lead = width_of(d->text.p + row->lead, row->lead_len), end = max < d->cols ? max : d->cols;
	struct bidi_row r;

	if (!bidi_order(&r, d->text.p + row->line, row->line_len, row->off - row->line, row->len,
			row->fixed ? BIDI_LTR : BIDI_AUTO))
		return false;
	if (lead + row->indent + r.cols > end) {
		bidi_release(&r);
		return false;
	}
	if (r.rtl) {
		draw_lead_right(d, row, y, x + end);
		x += end - lead - row->indent - r.cols;
	} else {
		x += draw_run(d, row->lead, row->lead_len, y, x, max, 0, NULL, 0) + row->indent;
	}
	for (size_t i = 0; i < r.n; i++) {
		draw_cluster(d, row, &r.p[i], y, x, found, n_found);
		x += r.p[i].cols;
	}
	bidi_release(&r);
	return true;
}

void doc_draw_row(const struct doc *d, const struct doc_row *row, int y, int x, int max, const struct find *found)
{
	struct find_range ranges[RANGES];
	int n = found ? find_in(found, d->text.p + row->line, row->line_len, ranges, RANGES) : 0, used = 0;

	if (row->rtl && bidi_enabled() && draw_bidi(d, row, y, x, max, ranges, n))
		return;
	if (row->lead_len)
		used = draw_run(d, row->lead, row->lead_len, y, x, max, 0, NULL, 0);
	used += row->indent;
	if (used < max)
		draw_run(d, row->off, row->len, y, x + used, max - used, row->line, ranges, n);
}
