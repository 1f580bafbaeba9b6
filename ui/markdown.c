/*
 * Where chunks end, and what is open at the end of the last one. How a chunk is drawn is in
 * mdrows.c.
 */
#include "config.h"
#include "ui/markdown.h"

#include "ui/mdrows.h"

#include <string.h>

enum { DELIMS = 32, FENCE_MIN = 3, INDENT_MAX = 3 };

void markdown_init(struct markdown *m, const struct doc *d)
{
	*m = (struct markdown){ .mark = doc_mark(d) };
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t line_end(const char *s, size_t n, size_t at)
{
	const char *nl = memchr(s + at, '\n', n - at);

	return nl ? (size_t)(nl - s) : n;
}

static size_t line_start(const char *s, size_t at)
{
	while (at && s[at - 1] != '\n')
		at--;
	return at;
}

static bool blank_line(const char *s, size_t from, size_t end)
{
	while (from < end && blank(s[from]))
		from++;
	return from == end;
}

/* -- where a chunk ends --------------------------------------------------------------- */

struct probe { int depth; const char *at; bool found; };

static int probe_enter(MD_BLOCKTYPE type, void *detail, void *arg)
{
	struct probe *p = arg;

	(void)type;
	(void)detail;
	p->depth++;
	return 0;
}

static int probe_leave(MD_BLOCKTYPE type, void *detail, void *arg)
{
	struct probe *p = arg;

	(void)type;
	(void)detail;
	p->depth--;
	return 0;
}

static int probe_text(MD_TEXTTYPE type, const MD_CHAR *s, MD_SIZE n, void *arg)
{
	struct probe *p = arg;

	(void)n;
	/* the document, and in it the paragraph */
	if (s == p->at && type == MD_TEXT_NORMAL && p->depth == 2)
		p->found = true;
	return 0;
}

/* Would a paragraph that follows n bytes be a block of its own? Asked of the parser itself. */
static bool all_closed(const char *s, size_t n)
{
	const MD_PARSER parser = {
		.flags = MDROWS_FLAGS, .enter_block = probe_enter, .leave_block = probe_leave,
		.enter_span = mdrows_pass_span, .leave_span = mdrows_pass_span, .text = probe_text,
	};
	struct probe p = { 0 };
	struct str copy;

	str_init(&copy, 0);
	str_add(&copy, s, n);
	str_addc(&copy, 'x');
	p.at = copy.p + n;
	if (!copy.failed)
		md_parse(copy.p, (MD_SIZE)copy.len, &parser, &p);
	str_release(&copy);
	return p.found;
}

/*
 * The first byte of a line that continues no list: those that may be a list's mark are left out
 * until more is known, and then nothing ends here: that must not depend on how much has come.
 */
static bool may_begin(char c)
{
	return !blank(c) && c != '\n' && !strchr("-+*", c) && !(c >= '0' && c <= '9');
}

/* The end of the first chunk of s; 0: it goes on to the end. */
static size_t chunk_end(const char *s, size_t n, struct markdown *m)
{
	size_t at = line_start(s, m->looked);

	for (;;) {
		size_t end = line_end(s, n, at);

		if (end == n) {
			m->looked = at;
			return 0;
		}
		if (blank_line(s, at, end) && end + 1 < n && may_begin(s[end + 1]) && end >= m->tried + m->tried / 8) {
			if (all_closed(s, end + 1))
				return end + 1;
			m->tried = end;
		}
		if (end + 1 == n) {	/* the next line's first byte is not known */
			m->looked = at;
			return 0;
		}
		at = end + 1;
	}
}

/* -- what is open at the end ---------------------------------------------------------- */

/* The length of a fence that this line may be, and its character; 0: it is none. */
static size_t fence(const char *s, size_t from, size_t end, char *mark)
{
	size_t i = from, n;

	while (i < end && i < from + INDENT_MAX && s[i] == ' ')
		i++;
	if (i == end || (s[i] != '`' && s[i] != '~'))
		return 0;
	*mark = s[i];
	for (n = 0; i < end && s[i] == *mark; n++)
		i++;
	return n >= FENCE_MIN && !(*mark == '`' && memchr(s + i, '`', end - i)) ? n : 0;
}

/* Is the last line in a code block? *len is what its fence has. */
static bool in_code(const char *s, size_t n, size_t *len)
{
	size_t open = 0;
	char mark = 0, c;

	for (size_t at = 0; at < n; at = line_end(s, n, at) + 1) {
		size_t end = line_end(s, n, at), k = fence(s, at, end, &c);

		if (end == n && open)
			break;
		if (!k)
			continue;
		if (!open) {
			open = k;
			mark = c;
		} else if (c == mark && k >= open) {
			open = 0;
		}
	}
	*len = open;
	return open > 0;
}

/* Could the last line still become something else altogether? */
static bool undecided(const char *s, size_t from, size_t n)
{
	size_t i = from;

	while (i < n && (blank(s[i]) || (s[i] >= '0' && s[i] <= '9')))
		i++;
	while (i < n && (blank(s[i]) || strchr("-=*_+#>`~|:.)$", s[i])))
		i++;
	return i == n;
}

struct delim { char c; int n; size_t at; };
struct tail {
	const char *s;
	size_t n;
	struct delim open[DELIMS];
	int n_open;
};

static void open_delim(struct tail *t, char c, size_t n, size_t at)
{
	if (t->n_open < DELIMS)
		t->open[t->n_open++] = (struct delim){ c, (int)n, at };
}

/* A run of * _ or ~: closes what it can, opens what is left. */
static void take_run(struct tail *t, size_t at, size_t end)
{
	const char *s = t->s;
	char c = s[at];
	int left = (int)(end - at);
	bool before = at && !blank(s[at - 1]) && s[at - 1] != '\n', after = end < t->n && !blank(s[end]) && s[end] != '\n';

	if (c == '~' && left != 2)
		return;
	while (before && left && t->n_open && t->open[t->n_open - 1].c == c) {
		struct delim *d = &t->open[t->n_open - 1];
		int k = left < d->n ? left : d->n;

		left -= k;
		d->n -= k;
		if (!d->n)
			t->n_open--;
	}
	if (c == '_' && before && end < t->n && after)
		return;
	if (left && (after || end == t->n))
		open_delim(t, c, (size_t)left, at);
}

/* Behind the next run of exactly k bytes c; 0: there is none. */
static size_t run_after(const char *s, size_t n, size_t at, char c, size_t k)
{
	while (at < n) {
		size_t from;

		while (at < n && s[at] != c)
			at++;
		for (from = at; at < n && s[at] == c; at++)
			;
		if (at - from == k)
			return at;
	}
	return 0;
}

/* Goes through the inline text of the last block and leaves in `open` what would have to be closed. */
static void scan_tail(struct tail *t, size_t from)
{
	const char *s = t->s;
	size_t i = from;

	while (i < t->n) {
		size_t end = i;

		while (end < t->n && s[end] == s[i])
			end++;
		if (s[i] == '\\') {
			i += 2;
		} else if (s[i] == '`') {
			size_t close = run_after(s, t->n, end, '`', end - i);

			if (!close) {
				open_delim(t, '`', end - i, i);
				return;
			}
			i = close;
		} else if (strchr("*_~", s[i])) {
			take_run(t, i, end);
			i = end;
		} else if (s[i] == '(' && i && s[i - 1] == ']') {
			size_t close = i;

			while (close < t->n && s[close] != ')' && !blank(s[close]) && s[close] != '\n')
				close++;
			if (close == t->n)
				open_delim(t, ')', 1, i);
			i = close;
		} else {
			i = end;
		}
	}
}

static void trim(const char *s, size_t *n)
{
	while (*n && (blank(s[*n - 1]) || s[*n - 1] == '\n'))
		--*n;
}

/* Where the inline text of the last block begins: after the last blank line, heading or row. */
static size_t last_block(const char *s, size_t n)
{
	size_t at = line_start(s, n);

	while (at) {
		size_t above = line_start(s, at - 1), i = above;

		if (blank_line(s, above, at - 1))
			break;
		while (s[i] == ' ')
			i++;
		if (s[i] == '#' || s[i] == '|' || s[i] == '`' || s[i] == '~')
			break;
		i = at;
		while (blank(s[i]))
			i++;
		if (strchr("-+*>#|", s[i]) || (s[i] >= '0' && s[i] <= '9'))
			break;
		at = above;
	}
	return at;
}

/* A table's head alone gets the line that makes it a table. */
static void close_table(const char *s, size_t n, struct str *out)
{
	size_t at = line_start(s, n), cells = 0;

	if (s[at] != '|' || (at > 1 && !blank_line(s, line_start(s, at - 1), at - 1)))
		return;
	for (size_t i = at + 1; i < n; i++)
		cells += s[i] == '|' && s[i - 1] != '\\';
	cells += s[n - 1] != '|';
	if (!cells)
		return;
	str_adds(out, "\n|");
	while (cells--)
		str_adds(out, "---|");
}

/* A copy of the open chunk with everything closed. */
static void close_all(const char *s, size_t n, struct str *out)
{
	struct tail t = { .s = s };
	size_t len, kept = n;

	if (in_code(s, n, &len)) {
		size_t at = line_start(s, n), i = at;

		/* the beginning of the fence that ends it */
		while (i < n && (s[i] == '`' || s[i] == '~'))
			i++;
		str_add(out, s, i == n && i - at < len ? at : n);
		return;
	}
	trim(s, &kept);
	if (kept && undecided(s, line_start(s, kept), kept)) {
		kept = line_start(s, kept);
		trim(s, &kept);
	}
	t.n = kept;
	scan_tail(&t, last_block(s, kept));
	/* marks with nothing behind them are not drawn yet */
	while (t.n_open && t.open[t.n_open - 1].c != ')' && t.open[t.n_open - 1].at + (size_t)t.open[t.n_open - 1].n >= kept)
		kept = t.open[--t.n_open].at;
	trim(s, &kept);
	str_add(out, s, kept);
	while (t.n_open--)
		for (int i = 0; i < t.open[t.n_open].n; i++)
			str_addc(out, t.open[t.n_open].c);
	if (kept)
		close_table(s, kept, out);
}

/* -- reading -------------------------------------------------------------------------- */

static void read_open(struct doc *d, const char *s, size_t n)
{
	struct doc_mark mark = doc_mark(d);
	struct str closed;
	size_t k;

	str_init(&closed, 0);
	close_all(s, n, &closed);
	/* what is the same from the beginning is the text's own; what the parser takes for text of the rest is not */
	for (k = 0; k < n && k < closed.len && s[k] == closed.p[k]; k++)
		;
	if (!closed.failed && !mdrows_add(d, closed.p, closed.len, k)) {
		doc_cut(d, mark);
		mdrows_add(d, s, n, n);
	}
	str_release(&closed);
}

void markdown_read(struct markdown *m, struct doc *d, const char *s, size_t n, bool open)
{
	size_t len;

	doc_cut(d, m->mark);
	while ((len = chunk_end(s + m->firm, n - m->firm, m))) {
		mdrows_add(d, s + m->firm, len, len);
		m->firm += len;
		m->looked = m->tried = 0;
		m->mark = doc_mark(d);
	}
	if (open)
		read_open(d, s + m->firm, n - m->firm);
	else
		mdrows_add(d, s + m->firm, n - m->firm, n - m->firm);
}
