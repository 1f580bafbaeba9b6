/*
 * The parser is run once for what it tells, and then the text is looked through for lines of which it
 * told nothing. That a row has more cells is found by its last text: behind it are that cell's end and
 * the others'.
 */
#include "config.h"
#include "ui/mdkeep.h"

#include "engine/base/xio.h"
#include "ui/mdrows.h"

#include <stdint.h>
#include <string.h>

enum { TOLD = 1, ESCAPE = 2, ROUNDS = 8 };

struct keep {
	const char *s, *end;
	unsigned char *mark;		/* (n): TOLD, ESCAPE */
	size_t escapes;
	/* the row of a table that is read */
	unsigned cols, cell;		/* of the table; of the text before `last` */
	unsigned cells;			/* begun in this row */
	const char *last;		/* behind its last text, NULL: none */
};

static bool inside(const struct keep *k, const char *p)
{
	return (uintptr_t)p >= (uintptr_t)k->s && (uintptr_t)p < (uintptr_t)k->end;
}

static void told(struct keep *k, const char *p, size_t n)
{
	if (n && p && inside(k, p))
		k->mark[p - k->s] |= TOLD;
}

static void escape(struct keep *k, const char *p)
{
	k->escapes += !(k->mark[p - k->s] & ESCAPE);
	k->mark[p - k->s] |= ESCAPE;
}

/* The next | that no backslash stands before, or the line's end. */
static const char *next_bar(const struct keep *k, const char *p)
{
	for (; p < k->end && *p != '\n' && *p != '|'; p++)
		if (*p == '\\' && p + 1 < k->end && p[1] != '\n')
			p++;
	return p < k->end ? p : k->end;
}

static bool is_bar(const struct keep *k, const char *p)
{
	return p < k->end && *p == '|';
}

/* Is there anything but what draws a table, up to the line's end? */
static bool has_text(const struct keep *k, const char *p)
{
	while (p < k->end && strchr(" \t|", *p))
		p++;
	return p < k->end && *p != '\n';
}

/* This one and those behind it are text; what ends the line is its own. */
static void escape_bars(struct keep *k, const char *p)
{
	for (; is_bar(k, p) && has_text(k, p); p = next_bar(k, p + 1))
		escape(k, p);
}

static void end_row(struct keep *k)
{
	const char *p = k->last;

	if (!p || !k->cols)
		return;
	for (unsigned i = k->cell; i <= k->cols; i++) {
		p = next_bar(k, p);
		if (!is_bar(k, p))
			return;
		p += i < k->cols;
	}
	escape_bars(k, p);
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
	struct keep *k = arg;

	if (type == MD_BLOCK_TABLE) {
		k->cols = ((MD_BLOCK_TABLE_DETAIL *)detail)->col_count;
	} else if (type == MD_BLOCK_TR) {
		k->cells = k->cell = 0;
		k->last = NULL;
	} else if (type == MD_BLOCK_TH || type == MD_BLOCK_TD) {
		k->cells++;
	}
	return 0;
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
	struct keep *k = arg;

	(void)detail;
	if (type == MD_BLOCK_TR)
		end_row(k);
	else if (type == MD_BLOCK_TABLE)
		k->cols = 0;
	return 0;
}

/* A definition that is used is told by its target. */
static int leave_span(MD_SPANTYPE type, void *detail, void *arg)
{
	const MD_ATTRIBUTE *a = type == MD_SPAN_A ? &((MD_SPAN_A_DETAIL *)detail)->href :
				type == MD_SPAN_IMG ? &((MD_SPAN_IMG_DETAIL *)detail)->src : NULL;

	if (a)
		told(arg, a->text, a->size);
	return 0;
}

static int text(MD_TEXTTYPE type, const MD_CHAR *s, MD_SIZE n, void *arg)
{
	struct keep *k = arg;

	(void)type;
	told(k, s, n);
	if (k->cols && inside(k, s)) {
		k->last = s + n;
		k->cell = k->cells;
	}
	return 0;
}

/* Past what stands before a line's text: marks of quotes and lists. */
static const char *past_marks(const char *p, const char *end)
{
	while (p < end && strchr(" \t>-+*.)0123456789", *p))
		p++;
	return p;
}

/* Of these lines nothing was told. */
static void look_at_line(struct keep *k, const char *p, const char *end)
{
	const char *at = past_marks(p, end), *bar;

	if (memchr(k->mark + (p - k->s), TOLD, (size_t)(end - p)))
		return;
	if (at < end && *at == '[') {
		escape(k, at);
		return;
	}
	/* cells, but none in the table's columns: all of it goes into the first */
	bar = next_bar(k, p);
	if (bar < end && has_text(k, bar) && strspn(bar, " \t|:-") < (size_t)(end - bar))
		escape_bars(k, next_bar(k, bar + (bar == at)));
}

static void look_through(struct keep *k)
{
	for (const char *p = k->s; p < k->end;) {
		const char *nl = memchr(p, '\n', (size_t)(k->end - p)), *end = nl ? nl : k->end;

		look_at_line(k, p, end);
		p = end + 1;
	}
}

/* "\[" would be shown as it is: it is LaTeX's. */
static bool copy(const struct keep *k, size_t *at, struct str *out)
{
	size_t moved = *at;

	for (const char *p = k->s; p < k->end; p++) {
		const char *what = !(k->mark[p - k->s] & ESCAPE) ? NULL : *p == '[' ? "&#91;" : "\\|";

		if (what)
			str_adds(out, what);
		else
			str_addc(out, *p);
		if (what && (size_t)(p - k->s) < *at)
			moved += strlen(what) - 1;
	}
	*at = moved;
	return !out->failed;
}

static bool once(const char *s, size_t n, size_t *at, struct str *out)
{
	static const MD_PARSER parser = {
		.flags = MDROWS_FLAGS, .enter_block = enter_block, .leave_block = leave_block,
		.enter_span = mdrows_pass_span, .leave_span = leave_span, .text = text,
	};
	struct keep k = { .s = s, .end = s + n };
	bool changed = false;

	if (!memmem(s, n, "]:", 2) && !memchr(s, '|', n))
		return false;
	k.mark = mem_calloc(n, 1);
	if (k.mark && !md_parse(s, (MD_SIZE)n, &parser, &k)) {
		look_through(&k);
		changed = k.escapes && copy(&k, at, out);
	}
	mem_free(k.mark);
	return changed;
}

bool mdkeep(const char *s, size_t n, size_t *at, struct str *out)
{
	struct str next;

	if (!once(s, n, at, out))
		return false;
	/* what has become text may have changed what follows it */
	for (int i = 1; i < ROUNDS; i++) {
		str_init(&next, 0);
		if (!once(out->p, out->len, at, &next)) {
			str_release(&next);
			break;
		}
		str_release(out);
		*out = next;
	}
	return true;
}
