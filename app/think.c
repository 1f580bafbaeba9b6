#include "config.h"
#include "app/think.h"

#include <string.h>

static bool blank(char c)
{
	return c && strchr(" \t\r\n", c);
}

static size_t skip_blank(const char *text, size_t n, size_t at)
{
	while (at < n && blank(text[at]))
		at++;
	return at;
}

/* Line ends behind the closing mark belong to it; an indentation is the answer's. */
static size_t skip_lines(const char *text, size_t n, size_t at)
{
	while (at < n && (text[at] == '\n' || text[at] == '\r'))
		at++;
	return at;
}

void think_init(struct think *t, bool opened)
{
	*t = (struct think){ .state = opened ? THINK_INSIDE : THINK_UNKNOWN };
}

bool think_opens(const char *open, const char *text, size_t n)
{
	const size_t len = open ? strlen(open) : 0;

	while (n && blank(text[n - 1]))
		n--;
	return len && n >= len && !memcmp(text + n - len, open, len);
}

static void look_for_open(struct think *t, const char *open, const char *text, size_t n, bool whole)
{
	const size_t at = skip_blank(text, n, 0), len = strlen(open);
	const size_t have = n - at < len ? n - at : len;

	if (memcmp(text + at, open, have) || (whole && have < len)) {
		t->state = THINK_NONE;
		t->rest = 0;
	} else if (have == len) {
		t->state = THINK_INSIDE;
		t->from = t->to = t->seen = at + len;
	}
}

/* A fence at the start of the line at text[at, end): how many of which character; 0 none. */
static size_t fence(const char *text, size_t at, size_t end, char *which)
{
	size_t i = at, n;

	while (i < end && i < at + 3 && text[i] == ' ')
		i++;
	if (i == end || (text[i] != '`' && text[i] != '~'))
		return 0;
	*which = text[i];
	for (n = 0; i + n < end && text[i + n] == *which; n++)
		continue;
	return n >= 3 ? n : 0;
}

/* Does text[at] stand in a fenced block, or behind an odd number of backticks in its line? */
static bool in_code(const char *text, size_t at)
{
	size_t open = 0, line = 0, ticks = 0;
	char with = 0;

	while (line <= at) {
		const char *nl = memchr(text + line, '\n', at - line);
		const size_t end = nl ? (size_t)(nl - text) : at;
		char which = 0;
		const size_t n = fence(text, line, end, &which);

		if (n && !open) {
			open = n;
			with = which;
		} else if (n && which == with && n >= open) {
			open = 0;
		}
		if (!nl)
			break;
		line = end + 1;
	}
	for (size_t i = line; i < at; i++)
		ticks += text[i] == '`';
	return open || ticks % 2;
}

static void over(struct think *t, size_t close, size_t len, const char *text, size_t n)
{
	t->to = close;
	while (t->to > t->from && blank(text[t->to - 1]))
		t->to--;
	t->rest = skip_lines(text, n, close + len);
	/* as long as only line ends follow, more of them may come */
	t->seen = t->rest;
	t->state = THINK_OVER;
}

static void look_for_close(struct think *t, const char *close, const char *text, size_t n, bool whole)
{
	const size_t len = strlen(close);
	size_t from = t->seen, keep;
	const char *at;

	if (t->state == THINK_NONE && t->strict) {
		t->seen = n;
		return;
	}
	while ((at = memmem(text + from, n - from, close, len))) {
		if (t->state == THINK_INSIDE || !in_code(text, (size_t)(at - text))) {
			t->unopened = t->state == THINK_NONE;
			over(t, (size_t)(at - text), len, text, n);
			return;
		}
		from = (size_t)(at - text) + len;
	}
	/* what could be the beginning of the mark is looked at again */
	keep = n - from < len - 1 ? n - from : len - 1;
	while (!whole && keep && memcmp(text + n - keep, close, keep))
		keep--;
	t->seen = whole ? n : n - keep;
	if (t->state == THINK_INSIDE)
		t->to = t->seen;
}

void think_feed(struct think *t, const struct think_marks *m, const char *text, size_t n, bool whole)
{
	const bool marks = m->open && *m->open && m->close && *m->close;

	if (!marks) {
		t->state = THINK_NONE;
		t->seen = n;
		return;
	}
	if (t->state == THINK_UNKNOWN)
		look_for_open(t, m->open, text, n, whole);
	if (t->state == THINK_INSIDE || t->state == THINK_NONE)
		look_for_close(t, m->close, text, n, whole);
	if (t->state == THINK_OVER && t->seen == t->rest && t->rest < n)
		t->rest = skip_lines(text, n, t->rest);
	if (t->state == THINK_OVER)
		t->seen = t->rest == n ? n : t->rest + 1;
}

static enum think_part part(enum think_part what, size_t lo, size_t hi, size_t *at, size_t *from, size_t *to)
{
	*from = *at > lo ? *at : lo;
	*to = hi;
	if (*at < hi)
		*at = hi;
	return *from < *to ? what : THINK_PART_NOTHING;
}

enum think_part think_next(const struct think *t, size_t n, bool whole, bool hold, size_t *at, size_t *from, size_t *to)
{
	switch (t->state) {
	case THINK_UNKNOWN:
		break;
	case THINK_NONE:
		if (!hold || whole)
			return part(THINK_PART_ANSWER, 0, whole ? n : t->seen, at, from, to);
		break;
	case THINK_INSIDE:
		return part(THINK_PART_THINKING, t->from, t->to, at, from, to);
	case THINK_OVER:
		if (*at < t->to && part(THINK_PART_THINKING, t->from, t->to, at, from, to) == THINK_PART_THINKING)
			return THINK_PART_THINKING;
		return part(THINK_PART_ANSWER, t->rest, n, at, from, to);
	}
	return THINK_PART_NOTHING;
}

bool think_told_late(const struct think *t, enum think_state *was, size_t at)
{
	const bool late = *was == THINK_NONE && t->state == THINK_OVER && at > t->from;

	*was = t->state;
	return late;
}
