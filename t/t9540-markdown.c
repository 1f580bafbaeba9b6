/*
 * Markdown while it streams. Over every prefix of 50 answers: what is finished never changes
 * again, nothing is drawn wider than its columns, and the end is the whole drawn at once.
 */
#include "config.h"

#include "app/termtext.h"
#include "engine/base/xio.h"
#include "t/lib/tap.h"
#include "ui/markdown.h"
#include "ui/width.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWERS = 50, PARTS = 128, TEXTS = 20000 };

static const char *const languages[] = {
	"ar", "en", "fa", "he", "hi", "ja", "kn", "ko", "pa", "ru", "ta", "th", "ur", "vi", "zh-CN",
};

static char *answers[ANSWERS];
static int n_answers;
static char *parts[PARTS];
static int n_parts;

/* -- the answers: as they are, and put together anew from their parts ------------------- */

static char *slurp(const char *path)
{
	struct str s;

	str_init(&s, 1 << 20);
	if (xio_slurp(path, &s, NULL)) {
		str_release(&s);
		return NULL;
	}
	return str_take(&s);
}

static void cut_parts(const char *s)
{
	while (*s && n_parts < PARTS) {
		const char *end = strstr(s, "\n\n");
		size_t n = end ? (size_t)(end - s) : strlen(s);

		parts[n_parts++] = mem_strndup(s, n);
		s += n;
		s += strspn(s, "\n");
	}
}

static void read_answers(void)
{
	char path[512], *all, *at, *next;
	const char *data = getenv("TIDBIT_DATA");

	snprintf(path, sizeof(path), "%s/t/lib/answers.md", getenv("TEST_SRC") ? getenv("TEST_SRC") : ".");
	all = slurp(path);
	for (at = all; at && n_answers < ANSWERS; at = next) {
		next = strstr(at, "%%%%\n");
		if (next) {
			*next = 0;
			next += 5;
		}
		answers[n_answers++] = mem_strdup(at);
		cut_parts(at);
	}
	mem_free(all);
	for (size_t i = 0; data && i < sizeof(languages) / sizeof(languages[0]); i++) {
		snprintf(path, sizeof(path), "%s/languages/%s.md", data, languages[i]);
		all = slurp(path);
		if (!all)
			break;
		/* the beginning: every prefix of it is looked at */
		if (strlen(all) > 1500) {
			size_t n = 1500;

			while (((unsigned char)all[n] & 0xc0) == 0x80)
				n--;
			all[n] = 0;
		}
		answers[n_answers++] = all;
	}
}

static unsigned rnd(unsigned *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 16;
}

static void make_answers(void)
{
	static const char *const joints[] = { "\n\n", "\n\n", "\n", "\n\n\n", " " };
	unsigned state = 7;

	while (n_answers < ANSWERS && n_parts) {
		struct str s;

		str_init(&s, 0);
		for (int i = 0; i < 6; i++) {
			str_adds(&s, parts[rnd(&state) % (unsigned)n_parts]);
			str_adds(&s, joints[rnd(&state) % 5]);
		}
		answers[n_answers++] = str_take(&s);
	}
}

/* -- what is seen ----------------------------------------------------------------------- */

static void row_text(const struct doc *d, size_t i, struct str *out)
{
	const struct doc_row *r = &d->rows[i];

	str_add(out, d->text.p + r->lead, r->lead_len);
	for (size_t at = r->off; at < r->off + r->len; at++) {
		struct look l = doc_look_at(d, at);

		if (at == r->off || !doc_look_same(d, at - 1, at))
			str_addf(out, "{%d.%d}", l.style, l.more);
		str_addc(out, d->text.p[at]);
	}
	str_addc(out, '\n');
}

static void all_text(const struct doc *d, struct str *out)
{
	for (size_t i = 0; i < d->n_rows; i++)
		row_text(d, i, out);
}

static bool fits(const struct doc *d)
{
	for (size_t i = 0; i < d->n_rows; i++) {
		const struct doc_row *r = &d->rows[i];
		int w = width_of(d->text.p + r->lead, r->lead_len) + r->indent + width_of(d->text.p + r->off, r->len);

		if (w > d->cols && d->cols > 1) {
			tap_ok(0, __FILE__, __LINE__, "fits", "row %zu takes %d of %d columns", i, w, d->cols);
			return false;
		}
	}
	return true;
}

static void whole(const char *s, size_t n, int cols, struct str *out)
{
	struct markdown m;
	struct doc d;

	doc_init(&d);
	doc_clear(&d, cols);
	markdown_init(&m, &d);
	markdown_read(&m, &d, s, n, false);
	all_text(&d, out);
	doc_release(&d);
}

/* Bytes by which two texts begin alike. */
static bool begins(const struct str *s, const struct str *with)
{
	return s->len >= with->len && !memcmp(s->p, with->p, with->len);
}

/*
 * Every prefix of whole characters: the finished rows at the time are the beginning of the rows
 * in the end. (The looks at their joint are those of the row, so rows can be compared one by one.)
 */
static bool stable(const char *s, int cols, size_t *finished)
{
	size_t n = strlen(s), firm = 0;
	struct str end, firm_text, now;
	struct markdown m;
	struct doc d;
	bool good = true;

	str_init(&end, 0);
	str_init(&firm_text, 0);
	str_init(&now, 0);
	whole(s, n, cols, &end);
	doc_init(&d);
	doc_clear(&d, cols);
	markdown_init(&m, &d);
	for (size_t i = 1; i <= n && good; i++) {
		if (((unsigned char)s[i] & 0xc0) == 0x80)
			continue;
		markdown_read(&m, &d, s, i, true);
		good = fits(&d);
		if (m.mark.rows == firm)
			continue;
		str_clear(&firm_text);
		for (size_t r = 0; r < m.mark.rows; r++)
			row_text(&d, r, &firm_text);
		good &= begins(&end, &firm_text);
		firm = m.mark.rows;
	}
	markdown_read(&m, &d, s, n, false);
	all_text(&d, &now);
	good &= now.len == end.len && begins(&end, &now);
	if (!good)
		printf("# whole:\n%s\n# in pieces:\n%s\n", end.p, now.p);
	*finished = firm;
	str_release(&end);
	str_release(&firm_text);
	str_release(&now);
	doc_release(&d);
	return good;
}

static void test_prefixes(void)
{
	static const int widths[] = { 84, 33, 7, 1 };
	size_t finished, sum = 0;

	for (int i = 0; i < n_answers; i++) {
		for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++) {
			if (w >= 2 && i % 5)
				continue;
			ok(stable(answers[i], widths[w], &finished), "answer %d in %d columns", i + 1, widths[w]);
			sum += finished;
		}
	}
	ok(n_answers == ANSWERS && sum > 1000, "%d answers; %zu rows were finished before the end", n_answers, sum);
}

/* -- single cases ----------------------------------------------------------------------- */

static char *seen(const char *s, int cols, bool open)
{
	struct markdown m;
	struct str out;
	struct doc d;

	str_init(&out, 0);
	doc_init(&d);
	doc_clear(&d, cols);
	markdown_init(&m, &d);
	markdown_read(&m, &d, s, strlen(s), open);
	for (size_t i = 0; i < d.n_rows; i++) {
		str_add(&out, d.text.p + d.rows[i].lead, d.rows[i].lead_len);
		for (size_t k = 0; k < d.rows[i].len; k++) {
			const char *c = d.text.p + d.rows[i].off + k;

			/* marks that only lay out are not seen */
			if (!strncmp(c, "\xe2\x80\x8e", 3))
				k += 2;
			else
				str_addc(&out, *c);
		}
		str_adds(&out, i + 1 < d.n_rows ? "\n" : "");
	}
	doc_release(&d);
	return str_take(&out);
}

static const struct { const char *name, *text; bool open; const char *want; } cases[] = {
	{ "emphasis that is open is drawn", "a **bold", true, "a bold" },
	{ "a mark with nothing behind it waits", "a **", true, "a" },
	{ "half of what closes it is not seen", "a **bold*", true, "a bold" },
	{ "what never closes is text in the end", "a **bold", false, "a **bold" },
	{ "open code", "run `ls -l", true, "run ls -l" },
	{ "both open", "a **b `c", true, "a b c" },
	{ "a name with underscores is not emphasis", "snake_case_na", true, "snake_case_na" },
	{ "a product is none", "2 * 3 * 4", true, "2 * 3 * 4" },
	{ "a link that is open", "see [x](http://e", true, "see x (http://e)" },
	{ "a dash may become a list, a rule or a heading", "text\n-", true, "text" },
	{ "and so may a number", "text\n\n1", true, "text" },
	{ "a fence is not drawn as its half", "text\n\n``", true, "text" },
	{ "an open fence is a block", "```c\nint x;", true, "┌ c\n│ int x;\n└" },
	{ "the fence that ends it grows unseen", "```\nx\n``", true, "┌\n│ x\n└" },
	{ "a table begins with its head", "| a | b |", true, "a │ b\n──┼──" },
	{ "its second line does not change that", "| a | b |\n|--", true, "a │ b\n──┼──" },
	{ "a table", "| a | b |\n|---|--:|\n| 1 | 22 |", false, "a │  b\n──┼───\n1 │ 22" },
	{ "lists in lists", "- a\n  - b\n- c", false, "• a\n  ◦ b\n• c" },
	{ "numbers", "9. a\n10. b", false, "9. a\n10. b" },
	{ "tasks", "- [x] a\n- [ ] b", false, "☑ a\n☐ b" },
	{ "quotes", "> a\n> b", false, "│ a\n│ b" },
	{ "line ends stay", "a\nb", false, "a\nb" },
	{ "one blank row between blocks", "# a\nb\n\n\n\nc", false, "a\n\nb\n\nc" },
	{ "LaTeX keeps its backslashes", "\\(x_1\\) and \\[y\\]", false, "\\(x_1\\) and \\[y\\]" },
	{ "lines between $$ stay lines", "so\n$$\nE = mc^2\n  x + 1\n$$\nend", false, "so\n$$\nE = mc^2\nx + 1\n$$\nend" },
	{ "in a quote too", "> $$\n> x\n> $$", false, "│ $$\n│ x\n│ $$" },
	{ "and on one line there is one", "$$ x $$ and $a$", false, "$$ x $$ and $a$" },
	{ "a mail address is told once", "<a@b.c> [x](mailto:a@b.c)", false, "a@b.c x (mailto:a@b.c)" },
	{ "HTML is text", "<b>x</b>\n\n<script>y</script>", false, "<b>x</b>\n\n<script>y</script>" },
	{ "an entity is no way in for control bytes", "&#27;[2J &#x9b;x", false, "\xef\xbf\xbd[2J \xef\xbf\xbdx" },
	{ "an override by entity is shown", "&#x202e;x", false, "<RLO>x" },
	{ "all that stands beside a fence", "```c title=\"a file\" and more\nx\n```", false, "┌ c title=\"a file\" and more\n│ x\n└" },
	{ "cells beyond the columns", "| a |\n|---|\n| 1 | 2 | 3 |", false, "a        \n─────────\n1 | 2 | 3" },
	{ "and of a row that has no others", "| a | b |\n|---|---|\n| | | 3 |", false, "a     │ b\n──────┼──\n| | 3 │  " },
	{ "a definition that nothing refers to", "[x]: http://e \"t\"\n\ny", false, "[x]: http://e \"t\"\n\ny" },
	{ "one that is used", "[x]: http://e\nsee [x]", false, "see x (http://e)" },
	{ "a link's title", "[x](http://e \"t\") ![](p.png 'u')", false, "x (http://e \"t\") image: (p.png \"u\")" },
	{ "nothing", "", true, "" },
};

static void test_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *got = seen(cases[i].text, 40, cases[i].open);

		if (!ok(!strcmp(got, cases[i].want), "%s", cases[i].name))
			printf("# got:  %s\n# want: %s\n", got, cases[i].want);
		mem_free(got);
	}
}

static void test_narrow_table(void)
{
	char *got = seen("| name | value |\n|---|---|\n| a | 1 |\n| b | 2 |", 9, false);

	ok(!strcmp(got, "name: a\nvalue: 1\n\nname: b\nvalue: 2"), "a table too narrow for columns is told");
	mem_free(got);
}

/*
 * Nothing that was written is hidden: words that name themselves, in every place that markdown has, put
 * together at random. Also while the text grows, but for what still waits at its end.
 */
static bool all_seen(unsigned *state, int nth)
{
	static const char *const places[] = {
		"%s ", "%s\n", "\n%s\n\n", "# %s\n", "\n```%s\n", "\n``` a %s\n", "\n~~~ %s b c\n", "```\n", "    %s\n", "- %s\n", "  - %s\n", "1. %s\n",
		"> %s\n", "> ", "- ", "**%s**", "`%s`", "``` %s ``` ", "[%s](u)", "[x](%s)", "[x](u \"%s\")", "[x](<u %s>)", "![%s](u)", "![x](%s \"t\")", "<%s>",
		"</%s>\n", "<!-- %s -->\n", "<!%s>\n", "<?%s?>", "<a href=\"%s\">", "<http://%s>", "http://e/%s ", "\n[%s]: u\n", "\n[r]: %s\n", "\n[r]: u \"%s\"\n",
		"\n[r]:\n%s\n'x'\n", "[r][%s]", "[r]", "\n| %s | b |\n|---|---|\n", "\n|%s|\n|:-:|\n", "| a | b | %s |\n", "|||%s|\n", "|||\n", "| `a|b` | %s | c\n",
		"| a \\| %s |\n", "|%s\n", "|", "---\n", "===\n", "\\%s", "&%s;", "&#%s;", "&amp;%s", "$%s$", "$$%s$$", "\\(%s\\)", "~~%s~~", "_%s_", "*%s", "[", "](", "\n", "\t%s\n",
	};
	const int n = 1 + (int)(rnd(state) % 9);
	bool waits = false, good = true;
	struct str s;
	char word[32], *got;

	str_init(&s, 0);
	for (int i = 0; i < n; i++) {
		snprintf(word, sizeof(word), "q%dw%dz", nth, i);
		str_addf(&s, places[rnd(state) % (sizeof(places) / sizeof(places[0]))], word);
	}
	for (int open = 0; open < 2; open++) {
		got = seen(s.p, 400, open);
		for (int i = 0; i < n; i++) {
			const char *at;

			snprintf(word, sizeof(word), "q%dw%dz", nth, i);
			at = strstr(s.p, word);
			waits = open && at && !strpbrk(at, "\n ");
			if (at && !waits && !strstr(got, word)) {
				printf("# %s is not seen%s:\n%s\n# but:\n%s\n", word, open ? " while more may come" : "", s.p, got);
				good = false;
			}
		}
		mem_free(got);
	}
	str_release(&s);
	return good;
}

static void test_all_seen(void)
{
	unsigned state = 3;
	int good = 0;

	while (good < TEXTS && all_seen(&state, good))
		good++;
	ok(good == TEXTS, "20,000 texts of odd markdown: every word is seen");
}

/* A cell may have any number of rows. */
static void test_tall_cell(void)
{
	struct str s;
	char *got;

	str_init(&s, 0);
	str_adds(&s, "| a | b |\n|---|---|\n| x |");
	for (int i = 0; i < 200; i++)
		str_addf(&s, " word%03d", i);
	got = seen(s.p, 20, false);
	ok(strstr(got, "word000") && strstr(got, "word199"), "a table's cell of 200 rows ends in its last");
	mem_free(got);
	str_release(&s);
}

/* What a block's copy gives is its source. */
static void test_source(void)
{
	static const char text[] = "x\n\n```c\n\tint a;\n\n\tint b;\n```\n\ny";
	struct markdown m;
	struct doc d;

	doc_init(&d);
	doc_clear(&d, 30);
	markdown_init(&m, &d);
	markdown_read(&m, &d, text, sizeof(text) - 1, false);
	ok(d.n_blocks == 2 && !strcmp(d.source.p, "\tint a;\n\n\tint b;\n"), "a code block's source, tabs and all");
	ok(d.rows[2].block == 1 && d.rows[d.n_rows - 1].block == 0, "its rows know it, others do not");
	doc_release(&d);
}

/* Hostile shapes end, and soon. */
static void test_hostile(void)
{
	static const char *const units[] = { "> ", "- ", "**", "[", "`", "| ", "\n\n", "1. ", "<", "&", "_a", "```\n\n", "#", "$", "\\" };
	struct markdown m;
	struct str s;
	struct doc d;
	bool good = true;

	doc_init(&d);
	str_init(&s, 0);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		str_clear(&s);
		while (s.len < 20000)
			str_adds(&s, units[i]);
		doc_clear(&d, 20);
		markdown_init(&m, &d);
		markdown_read(&m, &d, s.p, s.len, true);
		markdown_read(&m, &d, s.p, s.len, false);
		good &= !d.failed && fits(&d);
	}
	ok(good, "20,000 bytes of one mark each");
	str_release(&s);
	doc_release(&d);
}

int main(void)
{
	setlocale(LC_ALL, "C.UTF-8");
	style_init(false, false);
	read_answers();
	make_answers();
	test_cases();
	test_narrow_table();
	test_tall_cell();
	test_all_seen();
	test_source();
	test_hostile();
	test_prefixes();
	for (int i = 0; i < n_answers; i++)
		mem_free(answers[i]);
	for (int i = 0; i < n_parts; i++)
		mem_free(parts[i]);
	return tap_done_min(60);
}
