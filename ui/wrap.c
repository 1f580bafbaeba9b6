#include "config.h"
#include "ui/wrap.h"

#include "engine/base/xio.h"
#include "ui/width.h"

#include <stdint.h>
#include <string.h>
#include <unilbrk.h>

enum { HANG_MAX = 24 };

/* The start of a line's second column, 0 when it has none. */
static size_t second_column(const char *s, size_t n, size_t i)
{
	for (; i + 2 < n; i++) {
		if (s[i] == ' ' && s[i + 1] == ' ') {
			while (i < n && s[i] == ' ')
				i++;
			return i < n ? i : 0;
		}
	}
	return 0;
}

/* Where the rows after the first begin: under the text, past a bullet or a number if there is one. */
static int hang(const char *s, size_t n, int cols, enum wrap_mode mode)
{
	size_t i = 0, mark;

	if (mode == WRAP_FLAT)
		return 0;
	while (i < n && s[i] == ' ')
		i++;
	mark = i;
	if (mode == WRAP_TABLE && (i = second_column(s, n, mark))) {
		int w = width_of(s, i);

		return w > cols / 2 ? 0 : w;
	}
	i = mark;
	if (i < n && strchr("-*+", s[i]))
		i++;
	else
		while (i < n && i < mark + 3 && s[i] >= '0' && s[i] <= '9')
			i++;
	if (i > mark && i < n && (s[i] == '.' || s[i] == ')') && s[i - 1] >= '0' && s[i - 1] <= '9')
		i++;
	i = i > mark && i + 1 < n && s[i] == ' ' ? i + 1 : mark;
	return (int)i > HANG_MAX || (int)i > cols / 2 ? 0 : (int)i;
}

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

/*
 * Places that the library offers and a reader does not: behind the slash that begins a command, a path or
 * an address ("/restore", "~/x", "https://x"), and in "b.c" (UAX 14 has it whole since its rule LB29).
 */
static bool holds(const char *p, size_t i, size_t n)
{
	size_t slash = i;

	if (i && i < n && strchr(".,:;", p[i - 1]) && letter(p[i]))
		return true;
	while (slash && p[slash - 1] == '/')
		slash--;
	return slash < i && (!slash || !letter(p[slash - 1]));
}

/* One that it does not: before a "/restore", ".config" and "../x", whose first sign it takes for the end of a sentence. */
static bool leads(const char *p, size_t i, size_t n)
{
	size_t at = i;

	if (!i || p[i - 1] != ' ')
		return false;
	while (at < n && at < i + 2 && p[at] == '.')
		at++;
	return at < n && (p[at] == '/' || (at == i + 1 && letter(p[at])));
}

static bool may_break(const char *breaks, const char *p, size_t i, size_t n)
{
	return leads(p, i, n) || (breaks[i] == UC_BREAK_POSSIBLE && !holds(p, i, n));
}

static void wrap_line(const char *s, size_t off, size_t n, const char *breaks, int cols, enum wrap_mode mode,
		      wrap_row_fn *row, void *arg)
{
	const char *p = s + off;
	int indent = 0, rest = hang(p, n, cols, mode), used = 0;
	size_t start = 0, good = 0, i = 0;	/* good: the last place to break after start */

	while (i < n) {
		int w;
		size_t k = width_next(p + i, n - i, &w), cut;

		if (i > start && breaks && may_break(breaks + off, p, i, n))
			good = i;
		if (indent + used + w <= cols || i == start || p[i] == ' ') {
			used += w;
			i += k;
			continue;
		}
		cut = good > start ? good : i;
		for (k = cut; k > start && p[k - 1] == ' '; k--)
			;
		row(arg, off + start, k - start, indent);
		start = cut;
		while (start < n && p[start] == ' ')
			start++;
		indent = rest;
		good = start;
		i = start;
		used = 0;
	}
	while (n > start && p[n - 1] == ' ')
		n--;
	if (n > start || !start)
		row(arg, off + start, n - start, indent);
}

/* Blanks are as good as letters here. */
static void wrap_code(const char *s, size_t off, size_t n, int cols, wrap_row_fn *row, void *arg)
{
	const char *p = s + off;
	size_t start = 0;
	int used = 0;

	for (size_t i = 0; i < n;) {
		int w;
		size_t k = width_next(p + i, n - i, &w);

		if (used + w > cols && i > start) {
			row(arg, off + start, i - start, 0);
			start = i;
			used = 0;
		}
		used += w;
		i += k;
	}
	row(arg, off + start, n - start, 0);
}

void wrap_text(const char *s, size_t n, int cols, enum wrap_mode mode, wrap_row_fn *row, void *arg)
{
	char *breaks = n && mode != WRAP_CODE ? mem_alloc(n) : NULL;
	size_t off = 0;

	/* Without memory words are cut wherever the row ends. */
	if (breaks)
		u8_possible_linebreaks((const uint8_t *)s, n, "UTF-8", breaks);
	for (;;) {
		const char *nl = memchr(s + off, '\n', n - off);
		size_t len = nl ? (size_t)(nl - s) - off : n - off;

		if (mode == WRAP_CODE)
			wrap_code(s, off, len, cols, row, arg);
		else
			wrap_line(s, off, len, breaks, cols, mode, row, arg);
		if (!nl)
			break;
		off += len + 1;
	}
	mem_free(breaks);
}
