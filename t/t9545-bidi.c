/* Rows with right-to-left text: the order on the screen, by the rules of UAX 9, worked out by hand. */
#include "config.h"

#include "engine/base/str.h"
#include "engine/base/xio.h"
#include "t/lib/tap.h"
#include "ui/bidi.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *name, *line; enum bidi_base base; bool rtl; const char *want; } cases[] = {
	{ "left to right stays", "abc", BIDI_AUTO, false, "abc" },
	{ "a Hebrew word", "אבג", BIDI_AUTO, true, "גבא" },
	{ "two words turn as a whole", "אב גד", BIDI_AUTO, true, "דג בא" },
	{ "a word in an English line", "x אבג y", BIDI_AUTO, false, "x גבא y" },
	{ "an English word in a Hebrew line", "אב xy גד", BIDI_AUTO, true, "דג xy בא" },
	{ "a number keeps its order", "אב 123 גד", BIDI_AUTO, true, "דג 123 בא" },
	{ "Arabic letters, and Arabic digits", "سعر ١٢ درهم", BIDI_AUTO, true, "مهرد ١٢ رعس" },
	{ "brackets are mirrored", "(אב)", BIDI_AUTO, true, "(בא)" },
	{ "a full stop at the end stands at the left", "אב.", BIDI_AUTO, true, ".בא" },
	{ "and at the right where the line is not its own", "אב.", BIDI_LTR, false, "בא." },
	{ "a letter and its points stay together", "שָׁלוֹם", BIDI_AUTO, true, "םוֹלשָׁ" },
	{ "cells of a table stay in their places", "אב\u200e | \u200eגד", BIDI_LTR, false, "בא\u200e | \u200eדג" },
};

static void visual(const char *line, size_t off, size_t len, enum bidi_base base, struct str *out, bool *rtl)
{
	struct bidi_row r;

	str_clear(out);
	if (!bidi_order(&r, line, strlen(line), off, len, base))
		return;
	for (size_t i = 0; i < r.n; i++) {
		if (r.p[i].mirror)
			str_add_utf8(out, r.p[i].mirror);
		else
			str_add(out, line + r.p[i].off, r.p[i].len);
	}
	*rtl = r.rtl;
	bidi_release(&r);
}

/* Rows and the order that another implementation gives them. */
static void test_rows(struct str *s)
{
	const char *src = getenv("TEST_SRC");
	char path[1024], line[4096];
	bool rtl = false;
	int n = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s/t/data/bidi-rows.txt", src ? src : ".");
	f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f)) {
		char *want = strchr(line, '\t');

		line[strcspn(line, "\n")] = 0;
		if (*line == '#' || !want)
			continue;
		*want++ = 0;
		visual(line, 0, strlen(line), BIDI_AUTO, s, &rtl);
		if (!ok(!strcmp(s->p, want), "row %d is in python-bidi's order", ++n))
			printf("# got  %s\n# want %s\n", s->p, want);
	}
	if (f)
		fclose(f);
	ok(n >= 10, "rows of Arabic, Persian, Hebrew and Urdu (%d)", n);
}

int main(void)
{
	struct str s;
	bool rtl;

	setlocale(LC_ALL, "C.UTF-8");
	str_init(&s, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rtl = !cases[i].rtl;
		visual(cases[i].line, 0, strlen(cases[i].line), cases[i].base, &s, &rtl);
		if (!ok(!strcmp(s.p, cases[i].want) && rtl == cases[i].rtl, "%s", cases[i].name))
			printf("# got  %s\n# want %s\n", s.p, cases[i].want);
	}
	/* "אב 12 | גד" broken before the bar: the number's level comes from the whole line */
	visual("אב 12 גד", 5, 7, BIDI_AUTO, &s, &rtl);
	ok(!strcmp(s.p, "דג 12"), "a row that begins in the middle: %s", s.p);
	ok(bidi_needed("x א", 4) && !bidi_needed("漢字 é", 9) && bidi_needed("ا", 2), "who needs it");
	test_rows(&s);
	str_release(&s);
	return tap_done_min(10);
}
