/* The one width function, and the wrapping that stands on it. */
#include "config.h"
#include "t/lib/tap.h"
#include "ui/width.h"
#include "ui/wrap.h"

#include "engine/base/str.h"

#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

struct sample { const char *what, *text; int clusters, cols; };

static const struct sample samples[] = {
	{ "ASCII", "abc", 3, 3 },
	{ "an accent of its own", "e\xcc\x81x", 2, 2 },
	{ "four marks on one letter", "a\xcc\x81\xcc\x82\xcc\x83\xcc\x84", 1, 1 },
	{ "more marks than a cell holds", "a\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85\xcc\x86", 2, 2 },
	{ "a mark without a letter", "\xcc\x81", 1, 1 },
	{ "Chinese", "\xe6\xbc\xa2\xe5\xad\x97", 2, 4 },
	{ "Hangul from jamo", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", 1, 2 },
	{ "Devanagari", "\xe0\xa4\xa8\xe0\xa4\xae", 2, 2 },
	{ "Thai", "\xe0\xb8\x81\xe0\xb8\xb3", 1, 2 },
	{ "Arabic with a vowel sign", "\xd8\xa8\xd9\x8e", 1, 1 },
	{ "a flag", "\xf0\x9f\x87\xaf\xf0\x9f\x87\xb5", 1, 2 },
	{ "two flags", "\xf0\x9f\x87\xaf\xf0\x9f\x87\xb5\xf0\x9f\x87\xaf\xf0\x9f\x87\xb5", 2, 4 },
	{ "a face", "\xf0\x9f\x98\x80", 1, 2 },
	{ "a family, drawn as its first", "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7", 1, 2 },
	{ "a skin tone, drawn as the hand", "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd", 1, 2 },
	{ "a zero-width space", "a\xe2\x80\x8b" "b", 3, 2 },
	{ "right-to-left mark", "\xe2\x80\x8f", 1, 0 },
	{ "an override", "\xe2\x80\xae", 1, 1 },
	{ "a control", "\x01", 1, 2 },
	{ "DEL", "\x7f", 1, 2 },
	{ "C1 as UTF-8", "\xc2\x9b", 1, 1 },
	{ "no UTF-8", "\xff\xfe", 2, 2 },
	{ "half a character", "\xe6\xbc", 2, 2 },
};

static int count(const char *s, size_t n)
{
	int clusters = 0, w;

	for (size_t i = 0; i < n; clusters++)
		i += width_next(s + i, n - i, &w);
	return clusters;
}

static int cells_width(const wchar_t *p)
{
	int sum = 0;

	for (; *p; p++)
		sum += wcwidth(*p) > 0 ? wcwidth(*p) : wcwidth(*p) < 0;
	return sum;
}

static void test_samples(void)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct sample *s = &samples[i];
		size_t n = strlen(s->text);
		int w = width_of(s->text, n), c = count(s->text, n);

		ok(w == s->cols && c == s->clusters, "%s: %d columns, %d clusters", s->what, w, c);
	}
}

/* What is drawn takes the columns that were measured, and nothing in it steers a terminal. */
static bool harmless(const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		wchar_t cells[WIDTH_CELLS];
		int w, w2;
		size_t k = width_next(s + i, n - i, &w);

		if (!k || k > n - i || k != width_cells(s + i, n - i, &w2, cells) || w != w2 || cells_width(cells) != w)
			return false;
		for (const wchar_t *p = cells; *p; p++)
			if (*p < 0x20 || (*p >= 0x7f && *p < 0xa0) || (*p >= 0x202a && *p <= 0x202e) || (*p >= 0x2066 && *p <= 0x2069))
				return false;
		i += k;
	}
	return true;
}

/* What stands in the cells, where it is not what stands in the text. */
static void test_composed(void)
{
	static const struct { const char *text; const wchar_t *cells; } drawn[] = {
		{ "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", L"\xd55c" }, { "\xe1\x84\x80\xe1\x85\xa1", L"\xac00" },
		{ "\xea\xb0\x80\xe1\x86\xa8", L"\xac01" },		/* a syllable and a final */
		{ "\xe1\x84\x92\xe1\x86\x9e\xe1\x86\xab", L"\x1112\x119e\x11ab" },	/* no such syllable */
		{ "e\xcc\x81", L"e\x301" }, { "\xe3\x81\x8b\xe3\x82\x99", L"\x304b\x3099" },
	};

	for (size_t i = 0; i < sizeof(drawn) / sizeof(drawn[0]); i++) {
		wchar_t cells[WIDTH_CELLS];
		int w;
		size_t n = strlen(drawn[i].text), k = width_cells(drawn[i].text, n, &w, cells);

		ok(k == n && !wcscmp(cells, drawn[i].cells) && cells_width(cells) == w, "%zu: drawn as it should be", i);
	}
}

static void test_every_character(void)
{
	int bad = 0, first = 0;

	for (uint32_t cp = 0; cp < 0x110000; cp++) {
		char buf[24] = "a";
		int n;

		if (cp >= 0xd800 && cp < 0xe000)
			continue;
		n = 1 + u8_uctomb((uint8_t *)buf + 1, cp, 8);
		if (!harmless(buf, (size_t)n) || !harmless(buf + 1, (size_t)n - 1)) {
			bad++;
			first = first ? first : (int)cp;
		}
	}
	ok(!bad, "every Unicode scalar value draws what it measures (%d do not, first U+%04X)", bad, (unsigned)first);
	bad = 0;
	for (int a = 0; a < 256; a++) {
		for (int b = 0; b < 256; b++) {
			char two[2] = { (char)a, (char)b };

			bad += !harmless(two, 2);
		}
	}
	ok(!bad, "so does every pair of bytes");
}

static void test_prev(void)
{
	static const char s[] = "a\xe6\xbc\xa2" "b";

	ok(width_prev(s, 4) == 1 && width_prev(s, 1) == 0, "the cluster before");
}

/* -- wrapping --------------------------------------------------------------------------- */

struct rows { const char *s; struct str out; int cols, n, too_wide; size_t last; bool forward; };

static void on_row(void *arg, size_t off, size_t len, int indent)
{
	struct rows *r = arg;

	r->forward &= off >= r->last;
	r->last = off + len;
	r->too_wide += indent + width_of(r->s + off, len) > r->cols;
	r->n++;
	str_addf(&r->out, "%*s", indent, "");
	str_add(&r->out, r->s + off, len);
	str_addc(&r->out, '|');
}

static struct rows wrapped(const char *s, int cols, bool table)
{
	struct rows r = { .s = s, .cols = cols, .forward = true };

	str_init(&r.out, 0);
	wrap_text(s, strlen(s), cols, table, on_row, &r);
	return r;
}

static void test_wrap(void)
{
	static const struct { const char *text; int cols; bool table; const char *want; } cases[] = {
		{ "", 10, false, "|" },
		{ "one two three", 8, false, "one two|three|" },
		{ "one two", 7, false, "one two|" },
		{ "a\n\nb", 5, false, "a||b|" },
		{ "abcdefghijkl", 5, false, "abcde|fghij|kl|" },
		{ "to abcdefgh", 5, false, "to|abcde|fgh|" },
		{ "- a point that is long", 12, false, "- a point|  that is|  long|" },
		{ "12. and another", 12, false, "12. and|    another|" },
		{ "  indented and long", 12, false, "  indented|  and long|" },
		{ "/a  what it does", 12, true, "/a  what it|    does|" },
		{ "trailing    ", 8, false, "trailing|" },
		{ "model: /restore it", 10, false, "model:|/restore|it|" },
		{ "to https://a.b", 12, false, "to|https://a.b|" },
		{ "to https://a/bcd", 14, false, "to https://a/|bcd|" },
		{ "in /a /etc/x ../y .z", 5, false, "in /a|/etc/|x|../y|.z|" },
		{ "and so ... on", 10, false, "and so ...|on|" },
		{ "in ~/notes", 7, false, "in|~/notes|" },
		{ "to a@b.cc and", 7, false, "to|a@b.cc|and|" },
		{ "this and/or that", 9, false, "this and/|or that|" },
		{ "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", 5, false, "\xe6\xbc\xa2\xe5\xad\x97|\xe6\xbc\xa2|" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rows r = wrapped(cases[i].text, cases[i].cols, cases[i].table);

		ok(!strcmp(r.out.p, cases[i].want), "wrapping %zu: %s", i, strchr(r.out.p, '\n') ? "" : r.out.p);
		str_release(&r.out);
	}
}

static void test_wrap_widths(void)
{
	static const char text[] = "The quick   brown fox\n\n  1. jumps over thelazydoganditsveryverylongtail\n"
				   "\xe6\xbc\xa2\xe5\xad\x97 \xe0\xa4\xa8\xe0\xa4\xae\xe0\xa4\xb8 e\xcc\x81 end.";
	int bad = 0;

	for (int cols = 2; cols < 100; cols++) {
		struct rows r = wrapped(text, cols, false);

		bad += r.too_wide || !r.forward || r.n < 4;
		str_release(&r.out);
	}
	ok(!bad, "no row is wider than its box, at any width");
	struct rows r = wrapped(text, 1, false);

	ok(r.n > 20, "one column: it ends");
	str_release(&r.out);
}

int main(void)
{
	if (!setlocale(LC_CTYPE, "C.UTF-8") && !setlocale(LC_CTYPE, "en_US.UTF-8")) {
		tap_skip("no UTF-8 locale here");
		return tap_done();
	}
	test_samples();
	test_composed();
	test_every_character();
	test_prev();
	test_wrap();
	test_wrap_widths();
	return tap_done();
}
