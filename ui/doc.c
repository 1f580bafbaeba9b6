#include "config.h"
#include "ui/doc.h"

#include "engine/base/xio.h"
#include "ui/bidi.h"
#include "ui/width.h"

#include <string.h>

enum { TAB = 8, FIRST = 16 };

void doc_init(struct doc *d)
{
	memset(d, 0, sizeof(*d));
	str_init(&d->text, 0);
	str_init(&d->source, 0);
	d->n_blocks = 1;
}

void doc_release(struct doc *d)
{
	str_release(&d->text);
	str_release(&d->source);
	mem_free(d->spans);
	mem_free(d->rows);
	mem_free(d->blocks);
}

void doc_clear(struct doc *d, int cols)
{
	d->cols = cols < 1 ? 1 : cols;
	doc_cut(d, (struct doc_mark){ .blocks = 1 });
	d->failed = false;
	d->block = 0;
}

struct doc_mark doc_mark(const struct doc *d)
{
	return (struct doc_mark){ d->text.len, d->source.len, d->n_spans, d->n_rows, d->n_blocks };
}

void doc_cut(struct doc *d, struct doc_mark m)
{
	str_cut(&d->text, m.text);
	str_cut(&d->source, m.source);
	d->n_spans = m.spans;
	d->n_rows = m.rows;
	d->n_blocks = m.blocks;
}

/* p with room for one more than n things of `size` bytes; NULL without memory, and p is as it was. */
static void *room(struct doc *d, void *p, size_t n, size_t *held, size_t size)
{
	size_t want = *held ? *held * 2 : FIRST;

	if (n < *held)
		return p;
	p = mem_rearray(p, want, size);
	if (p)
		*held = want;
	else
		d->failed = true;
	return p;
}

void doc_look(struct doc *d, struct look look)
{
	struct doc_span *last = d->n_spans ? &d->spans[d->n_spans - 1] : NULL, *p;

	if (last && last->look.style == look.style && last->look.more == look.more)
		return;
	if (last && last->off == d->text.len) {
		last->look = look;
		return;
	}
	p = room(d, d->spans, d->n_spans, &d->spans_size, sizeof(*p));
	if (!p)
		return;
	d->spans = p;
	p[d->n_spans++] = (struct doc_span){ d->text.len, look };
}

void doc_add(struct doc *d, size_t line, const char *s, size_t n)
{
	while (n) {
		const char *tab = memchr(s, '\t', n);
		size_t k = tab ? (size_t)(tab - s) : n;

		str_add(&d->text, s, k);
		if (!tab)
			break;
		for (int col = width_of(d->text.p + line, d->text.len - line) % TAB; col < TAB; col++)
			str_addc(&d->text, ' ');
		s += k + 1;
		n -= k + 1;
	}
	d->failed |= d->text.failed;
}

/* The span that byte `off` lies in; n_spans when there is none before it. */
static size_t span_at(const struct doc *d, size_t off)
{
	size_t lo = 0, hi = d->n_spans;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (d->spans[mid].off <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? lo - 1 : d->n_spans;
}

struct look doc_look_at(const struct doc *d, size_t off)
{
	size_t i = span_at(d, off);

	return i < d->n_spans ? d->spans[i].look : (struct look){ STYLE_TEXT, 0 };
}

bool doc_look_same(const struct doc *d, size_t a, size_t b)
{
	return span_at(d, a) == span_at(d, b);
}

void doc_again(struct doc *d, size_t off, size_t len)
{
	size_t end = off + len, i = span_at(d, off);

	while (off < end) {
		size_t next = i + 1 < d->n_spans && i < d->n_spans ? d->spans[i + 1].off : end;
		char buf[256];

		if (next > end || next <= off)
			next = end;
		if (next - off > sizeof(buf))
			next = off + sizeof(buf);
		doc_look(d, doc_look_at(d, off));
		memcpy(buf, d->text.p + off, next - off);
		str_add(&d->text, buf, next - off);
		off = next;
		i = span_at(d, off);
	}
	d->failed |= d->text.failed;
}

struct wrapping { struct doc *d; struct doc_row row; struct doc_piece first, rest; bool begun; };

static void on_row(void *arg, size_t off, size_t len, int indent)
{
	struct wrapping *w = arg;
	struct doc *d = w->d;
	const struct doc_piece *lead = w->begun ? &w->rest : &w->first;
	struct doc_row *p;

	w->begun = true;
	p = room(d, d->rows, d->n_rows, &d->rows_size, sizeof(*p));
	if (!p)
		return;
	d->rows = p;
	w->row.off = w->row.line + off;
	w->row.len = len;
	w->row.lead = lead->off;
	w->row.lead_len = lead->len;
	w->row.indent = indent;
	p[d->n_rows++] = w->row;
}

void doc_line(struct doc *d, size_t line, size_t len, struct doc_piece first, struct doc_piece rest, enum wrap_mode mode)
{
	int used = first.cols > rest.cols ? first.cols : rest.cols, cols = d->cols - used;
	struct wrapping w = { .d = d, .first = first, .rest = rest };

	if (line > d->text.len || len > d->text.len - line)
		return;
	w.row.line = line;
	w.row.line_len = len;
	w.row.block = d->block;
	w.row.rtl = bidi_needed(d->text.p + line, len);
	w.row.fixed = mode == WRAP_CODE;
	if (cols < 1) {		/* no room for what stands before */
		cols = d->cols;
		w.first = w.rest = (struct doc_piece){ 0 };
	}
	wrap_text(d->text.p + line, w.row.line_len, cols, mode, on_row, &w);
}

void doc_begin_block(struct doc *d)
{
	struct doc_block *p = room(d, d->blocks, d->n_blocks, &d->blocks_size, sizeof(*p));

	if (!p)
		return;
	d->blocks = p;
	d->block = (unsigned)d->n_blocks;
	p[d->n_blocks++] = (struct doc_block){ d->source.len, 0 };
}

void doc_end_block(struct doc *d)
{
	if (d->block)
		d->blocks[d->block].source_len = d->source.len - d->blocks[d->block].source;
	d->block = 0;
}
