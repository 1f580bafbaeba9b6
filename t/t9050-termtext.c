/* What passes the filter before the terminal, and what it becomes. */
#include "config.h"
#include "app/termtext.h"
#include "t/lib/tap.h"

#include <stdio.h>
#include <string.h>
#include <unistr.h>

enum { LINES = TERMTEXT_LINES, MARKS = TERMTEXT_MARKS };

static const struct { const char *name, *in, *out; unsigned flags; } cases[] = {
	{ "plain ASCII", "abc ~", "abc ~", 0 },
	{ "letters of many scripts", "äß 日本 हिन्दी ไทย", "äß 日本 हिन्दी ไทย", 0 },
	{ "escape sequences lose their escape", "\33[31mred\33]0;t\7", "\xef\xbf\xbd[31mred\xef\xbf\xbd]0;t\xef\xbf\xbd", 0 },
	{ "DEL", "a\x7f""b", "a\xef\xbf\xbd""b", 0 },
	{ "C1 as UTF-8", "\xc2\x9b""31m", "\xef\xbf\xbd""31m", 0 },
	{ "C1 as a byte", "\x9b""31m", "\xef\xbf\xbd""31m", 0 },
	{ "backspace and vertical tab", "a\bb\vc", "a\xef\xbf\xbd""b\xef\xbf\xbd""c", LINES },
	{ "line ends and tabs in lines", "a\nb\r\nc\td", "a\nb\nc\td", LINES },
	{ "line ends and tabs in one line", "a\nb\r\nc\td", "a b c d", 0 },
	{ "a lone carriage return cannot overwrite", "good\rbad", "good\xef\xbf\xbd""bad", LINES },
	{ "two carriage returns before the line end", "a\r\r\nb", "a\xef\xbf\xbd\nb", LINES },
	{ "a carriage return at the end", "a\r", "a\xef\xbf\xbd", LINES },
	{ "line and paragraph separator", "a\xe2\x80\xa8""b\xe2\x80\xa9""c", "a\nb\nc", LINES },
	{ "overrides are shown", "a\xe2\x80\xae""b\xe2\x80\xac", "a<RLO>b<PDF>", 0 },
	{ "isolates are shown", "\xe2\x81\xa6x\xe2\x81\xa9", "<LRI>x<PDI>", 0 },
	{ "marks are not printed", "a\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c""b", "ab", 0 },
	{ "marks stay for the layout", "a\xe2\x80\x8e\xe2\x80\x8f""b", "a\xe2\x80\x8e\xe2\x80\x8f""b", MARKS },
	{ "ZWSP, BOM, soft hyphen, word joiner", "a\xe2\x80\x8b\xef\xbb\xbf\xc2\xad\xe2\x81\xa0""b", "ab", 0 },
	{ "ZWNJ in Persian", "\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae", "\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae", 0 },
	{ "ZWNJ in Latin", "ab\xe2\x80\x8c""c", "abc", 0 },
	{ "ZWNJ before a space in Persian", "\xdb\x8c\xe2\x80\x8c b", "\xdb\x8c b", 0 },
	{ "ZWJ behind a virama", "\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d\xe0\xa4\xb7", "\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d\xe0\xa4\xb7", 0 },
	{ "ZWJ at the end of Malayalam", "\xe0\xb4\xa8\xe0\xb5\x8d\xe2\x80\x8d", "\xe0\xb4\xa8\xe0\xb5\x8d\xe2\x80\x8d", 0 },
	{ "ZWJ between emoji", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80", 0 },
	{ "ZWJ behind a skin tone", "\xf0\x9f\x91\xa9\xf0\x9f\x8f\xbd\xe2\x80\x8d\xf0\x9f\x9a\x80", "\xf0\x9f\x91\xa9\xf0\x9f\x8f\xbd\xe2\x80\x8d\xf0\x9f\x9a\x80", 0 },
	{ "ZWJ behind an emoji alone", "\xf0\x9f\x91\xa9\xe2\x80\x8d""a", "\xf0\x9f\x91\xa9""a", 0 },
	{ "ZWJ at the beginning", "\xe2\x80\x8d""a", "a", 0 },
	{ "variation selector behind an emoji", "\xe2\x9d\xa4\xef\xb8\x8f", "\xe2\x9d\xa4\xef\xb8\x8f", 0 },
	{ "variation selector behind nothing", "\xef\xb8\x8f""a", "a", 0 },
	{ "flag made of tags", "\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa7\xf3\xa0\x81\xbf", "\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa7\xf3\xa0\x81\xbf", 0 },
	{ "tags elsewhere", "a\xf3\xa0\x81\xa7""b", "ab", 0 },
	{ "tags behind a flag's end", "\xf0\x9f\x8f\xb4\xf3\xa0\x81\xbf\xf3\xa0\x81\xa7", "\xf0\x9f\x8f\xb4\xf3\xa0\x81\xbf", 0 },
	{ "a byte that begins nothing", "a\xff""b", "a\xef\xbf\xbd""b", 0 },
	{ "overlong", "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd", 0 },
	{ "surrogate", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 0 },
	{ "beyond Unicode", "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 0 },
	{ "cut before a letter", "\xe2\x82z", "\xef\xbf\xbdz", 0 },
	{ "cut at the end", "a\xf0\x9f\x98", "a\xef\xbf\xbd", 0 },
	{ "noncharacters", "\xef\xbf\xbe\xef\xb7\x90", "\xef\xbf\xbd\xef\xbf\xbd", 0 },
};

static void show(const char *name, const char *want, const struct str *got)
{
	printf("# %s: expected ", name);
	for (; *want; want++)
		printf("%02x", (unsigned char)*want);
	printf(", got ");
	for (size_t i = 0; i < got->len; i++)
		printf("%02x", (unsigned char)got->p[i]);
	putchar('\n');
}

static void test_cases(void)
{
	struct str out;

	str_init(&out, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		str_clear(&out);
		termtext_whole(cases[i].in, strlen(cases[i].in), cases[i].flags, &out);
		if (!ok(!strcmp(out.p, cases[i].out) && out.len == strlen(cases[i].out), "%s", cases[i].name))
			show(cases[i].name, cases[i].out, &out);
	}
	str_release(&out);
}

/* However a text is cut, the same comes out. */
static void test_cuts(void)
{
	struct str out;
	int off = 0;

	str_init(&out, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const size_t n = strlen(cases[i].in);

		for (size_t cut = 0; cut <= n; cut++) {
			struct termtext t;

			str_clear(&out);
			termtext_init(&t, cases[i].flags);
			termtext_add(&t, cases[i].in, cut, &out);
			termtext_add(&t, cases[i].in + cut, n - cut, &out);
			termtext_end(&t, &out);
			off += strcmp(out.p, cases[i].out) != 0;
		}
	}
	ok(!off, "cut anywhere, every text becomes the same (%d do not)", off);
	str_release(&out);
}

/* A byte that a terminal could take for a command: C0 but line ends and tabs, DEL, C1. */
static bool harmless(const struct str *s)
{
	for (size_t i = 0; i < s->len; i++) {
		const unsigned char c = (unsigned char)s->p[i];

		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ||
		    (c == 0xc2 && (unsigned char)s->p[i + 1] < 0xa0))
			return false;
	}
	return !u8_check((const uint8_t *)s->p, s->len);
}

static void test_all_scalars(void)
{
	int off = 0, kept = 0;
	struct str in, out;

	str_init(&in, 0);
	str_init(&out, 0);
	for (unsigned c = 0; c < 0x110000; c++) {
		if (c >= 0xd800 && c < 0xe000)
			continue;
		str_clear(&in);
		str_clear(&out);
		str_add_utf8(&in, c);
		termtext_whole(in.p, in.len, LINES, &out);
		off += !harmless(&out);
		kept += out.len == in.len && !memcmp(out.p, in.p, in.len);
	}
	ok(!off, "no scalar value lets a control byte through (%d do)", off);
	ok(kept > 1100000, "all but the invisible and the dangerous pass as they are (%d do)", kept);
	str_release(&in);
	str_release(&out);
}

static void test_all_pairs(void)
{
	struct str out;
	int off = 0;

	str_init(&out, 0);
	for (int a = 0; a < 256; a++) {
		for (int b = 0; b < 256; b++) {
			const char pair[2] = { (char)a, (char)b };

			str_clear(&out);
			termtext_whole(pair, 2, LINES, &out);
			off += !harmless(&out);
		}
	}
	ok(!off, "every pair of bytes becomes valid and harmless text (%d do not)", off);
	str_release(&out);
}

int main(void)
{
	test_cases();
	test_cuts();
	test_all_scalars();
	test_all_pairs();
	return tap_done();
}
