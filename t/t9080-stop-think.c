/* Stop texts and thinking, in a text that comes in pieces: however it is cut, the same comes out. */
#include "config.h"
#include "app/stop.h"
#include "app/think.h"
#include "engine/base/str.h"
#include "t/lib/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- stop texts ---------------------------------------------------------------------- */

/* Feeds text in pieces of `step` bytes; out: what was told. Returns whether it was stopped. */
static bool feed_stop(const struct stop *s, const char *text, size_t step, struct str *out)
{
	const size_t n = strlen(text);
	size_t shown = 0, safe;

	str_clear(out);
	for (size_t have = step < n ? step : n;; have = have + step < n ? have + step : n) {
		const size_t at = stop_find(s, text, have, shown, &safe);

		str_add(out, text + shown, safe - shown);
		shown = safe;
		if (at < have)
			return true;
		if (have == n)
			break;
	}
	str_add(out, text + shown, n - shown);
	return false;
}

static void stops(void)
{
	static const struct { const char *text, *stop[3], *told; bool stopped; } cases[] = {
		{ "Hello there", { "the" }, "Hello ", true },
		{ "Hello there", { "xyz" }, "Hello there", false },
		{ "aaaab", { "aab" }, "aa", true },
		{ "a\nUser: b", { "\nUser:" }, "a", true },
		{ "a\nUse", { "\nUser:" }, "a\nUse", false },
		{ "one two three", { "three", "two" }, "one ", true },
		{ "abcabd", { "abd", "bcabd" }, "a", true },
		{ "aabbc", { "aabbc", "b" }, "aa", true },
		{ "stop", { "stop" }, "", true },
		{ "", { "stop" }, "", false },
		{ "any", { NULL }, "any", false },
		{ "ab\xc3\xa9" "d", { "\xc3\xa9" }, "ab", true },
	};
	struct str out;

	str_init(&out, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct stop s = { .n = 0 };
		bool all = true;

		for (int k = 0; k < 3 && cases[i].stop[k]; k++)
			stop_add(&s, cases[i].stop[k]);
		for (size_t step = 1; step <= 12; step++) {
			const bool stopped = feed_stop(&s, cases[i].text, step, &out);

			all &= stopped == cases[i].stopped && !strcmp(out.p, cases[i].told);
			if (!all) {
				printf("# in pieces of %zu: \"%s\"\n", step, out.p);
				break;
			}
		}
		ok(all, "\"%s\" tells \"%s\" in pieces of any size", cases[i].text, cases[i].told);
	}
	str_release(&out);
}

/* Against the definition: the one that is complete first, of two at once the longer. */
static void random_stops(void)
{
	struct str out;
	int wrong = 0;

	str_init(&out, 0);
	srand(1);
	for (int i = 0; i < 20000; i++) {
		char text[17], a[4], b[4];
		struct stop s = { .n = 0 };
		const char *at, *other;
		size_t n;

		for (n = 0; n < 16; n++)
			text[n] = (char)('a' + rand() % 2);
		text[16] = '\0';
		for (n = 0; n < 3; n++) {
			a[n] = (char)('a' + rand() % 2);
			b[n] = (char)('a' + rand() % 2);
		}
		a[1 + rand() % 3] = b[1 + rand() % 3] = '\0';
		a[3] = b[3] = '\0';
		stop_add(&s, a);
		stop_add(&s, b);
		at = strstr(text, a);
		other = strstr(text, b);
		if (!at || (other && (other + strlen(b) < at + strlen(a) || (other + strlen(b) == at + strlen(a) && other < at))))
			at = other;
		if (feed_stop(&s, text, 1 + (size_t)(rand() % 5), &out) != (at != NULL) ||
		    out.len != (at ? (size_t)(at - text) : 16) || memcmp(out.p, text, out.len))
			wrong++;
	}
	ok(!wrong, "20,000 drawn texts stop where the first of two texts that is complete begins (%d wrong)", wrong);
	str_release(&out);
}

/* -- thinking ------------------------------------------------------------------------ */

static const struct think_marks marks = { "<think>", "</think>" };

static void feed_think(const char *text, bool opened, bool hold, size_t step, struct str *thought, struct str *answer)
{
	const size_t n = strlen(text);
	struct think t;
	size_t told = 0, from, to, have = 0;
	enum think_part what;
	bool whole;

	str_clear(thought);
	str_clear(answer);
	think_init(&t, opened);
	do {
		have = have + step < n ? have + step : n;
		whole = have == n;
		think_feed(&t, &marks, text, have, false);
		if (whole)
			think_feed(&t, &marks, text, have, true);
		do {
			what = think_next(&t, have, whole, hold, &told, &from, &to);
			if (what != THINK_PART_NOTHING)
				str_add(what == THINK_PART_THINKING ? thought : answer, text + from, to - from);
		} while (what == THINK_PART_THINKING);
	} while (!whole);
}

static void thinking(void)
{
	static const struct { const char *name, *text; bool opened; const char *thought, *answer; } cases[] = {
		{ "none", "Four.", false, "", "Four." },
		{ "as trained", "<think>\nSum.\n</think>\n\nFour.", false, "\nSum.", "Four." },
		{ "blanks before it", "\n <think>a</think>b", false, "a", "b" },
		{ "opened by the prompt", "Sum.\n</think>\n\nFour.", true, "Sum.", "Four." },
		{ "without its opening", "Sum.\n</think>\n\nFour.", false, "Sum.", "Four." },
		{ "stopped inside", "<think>Sum of tw", false, "Sum of tw", "" },
		{ "stopped inside, opened by the prompt", "Sum of", true, "Sum of", "" },
		{ "stopped in the opening mark", "<thi", false, "", "<thi" },
		{ "stopped in the closing mark", "<think>a</th", false, "a</th", "" },
		{ "empty", "<think>\n\n</think>\n\nFour.", false, "", "Four." },
		{ "a mark in the answer is text", "Write <think> first.", false, "", "Write <think> first." },
		{ "both marks in the answer's code", "So:\n```\n<think>x</think>\n```\nDone.", false, "",
		  "So:\n```\n<think>x</think>\n```\nDone." },
		{ "a closing mark in backticks", "Use `</think>` here.", false, "", "Use `</think>` here." },
		{ "a closing mark behind a fence", "```\ncode\n```\n</think>\nFour.", false, "```\ncode\n```", "Four." },
		{ "a second pair is text", "<think>a</think>b <think>c</think>", false, "a", "b <think>c</think>" },
		{ "an indentation stays", "<think>a</think>\n\n    code", false, "a", "    code" },
		{ "nothing", "", false, "", "" },
	};
	struct str t, a;

	str_init(&t, 0);
	str_init(&a, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool all = true;

		for (size_t step = 1; step <= 40 && all; step++) {
			feed_think(cases[i].text, cases[i].opened, true, step, &t, &a);
			/* blanks before the closing mark may have been told before it came */
			all = !strcmp(a.p, cases[i].answer) && !strncmp(t.p, cases[i].thought, strlen(cases[i].thought)) &&
			      strspn(t.p + strlen(cases[i].thought), " \n") == strlen(t.p) - strlen(cases[i].thought);
			if (!all)
				printf("# in pieces of %zu: thought \"%s\", answer \"%s\"\n", step, t.p, a.p);
		}
		ok(all, "%s", cases[i].name);
	}
	str_release(&t);
	str_release(&a);
}

static void marks_of_prompt(void)
{
	static const char yes[] = "<|im_start|>assistant\n<think>\n", no[] = "<|im_start|>assistant\n<think>\n\n</think>\n\n";

	ok(think_opens("<think>", yes, strlen(yes)), "a prompt that opens the thinking");
	ok(!think_opens("<think>", no, strlen(no)), "one that closes it again");
	ok(!think_opens("", yes, strlen(yes)) && !think_opens("<think>", "", 0), "no mark, no prompt");
}

int main(void)
{
	stops();
	random_stops();
	thinking();
	marks_of_prompt();
	return tap_done();
}
