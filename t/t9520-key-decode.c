/* The key decoder: every form of a key, cut at every place, and noise. */
#include "config.h"
#include "t/lib/tap.h"
#include "ui/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct form { const char *bytes; const char *key; const char *readline; /* NULL: as sent */ };

static const struct form forms[] = {
	{ "x", "x", NULL }, { " ", "Space", NULL }, { "\xc3\xa9", "\xc3\xa9", NULL },
	{ "\xe6\xbc\xa2", "\xe6\xbc\xa2", NULL }, { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", NULL },
	{ "\r", "Enter", NULL }, { "\n", "C-j", NULL }, { "\t", "Tab", NULL }, { "\x7f", "Backspace", NULL },
	{ "\x08", "C-h", NULL }, { "\x03", "C-c", NULL }, { "\x1a", "C-z", NULL }, { "\x1c", "C-\\", NULL },
	{ "\x1f", "C-_", NULL },
	{ "\033[A", "Up", NULL }, { "\033OA", "Up", NULL }, { "\033[B", "Down", NULL }, { "\033OC", "Right", NULL },
	{ "\033[H", "Home", NULL }, { "\033OH", "Home", NULL }, { "\033[1~", "Home", NULL }, { "\033[7~", "Home", NULL },
	{ "\033[F", "End", NULL }, { "\033[4~", "End", NULL }, { "\033[8~", "End", NULL }, { "\033[1;5F", "C-End", NULL },
	{ "\033[5~", "PgUp", NULL }, { "\033[6~", "PgDn", NULL }, { "\033[6;2~", "S-PgDn", NULL },
	{ "\033[2~", "Insert", NULL }, { "\033[3~", "Delete", NULL },
	{ "\033OP", "F1", NULL }, { "\033[11~", "F1", NULL }, { "\033[[A", "F1", NULL }, { "\033[15~", "F5", NULL },
	{ "\033[[E", "F5", NULL }, { "\033[24~", "F12", NULL }, { "\033[1;2P", "S-F1", NULL },
	/* Alt with an arrow: xterm's two and an ESC before */
	{ "\033[1;3A", "M-Up", NULL }, { "\033[1;9A", "M-Up", NULL }, { "\033\033[A", "M-Up", NULL },
	{ "\033\033OA", "M-Up", NULL }, { "\033[1;3B", "M-Down", NULL }, { "\033[1;9B", "M-Down", NULL },
	{ "\033\033[B", "M-Down", NULL },
	{ "\033[1;5D", "C-Left", NULL }, { "\033[1;6C", "C-S-Right", NULL }, { "\033[1;7A", "C-M-Up", NULL },
	/* rxvt */
	{ "\033[a", "S-Up", NULL }, { "\033Oa", "C-Up", NULL }, { "\033[5^", "C-PgUp", NULL },
	{ "\033[5$", "S-PgUp", NULL }, { "\033[5@", "C-S-PgUp", NULL },
	/* Alt with a character, and a new line in all its forms */
	{ "\033b", "M-b", NULL }, { "\033\r", "M-Enter", NULL }, { "\033\x7f", "M-Backspace", NULL },
	{ "\033\xc3\xa9", "M-\xc3\xa9", NULL }, { "\033\x07", "C-M-g", NULL },
	{ "\033[13;2u", "S-Enter", "\r" }, { "\033[27;2;13~", "S-Enter", "\r" }, { "\033[13;5u", "C-Enter", "\r" },
	{ "\033[13;3u", "M-Enter", "\033\r" },
	{ "\033[106;5u", "C-j", "\n" }, { "\033[97;5u", "a", "\x01" }, { "\033[97;3u", "M-a", "\033a" },
	{ "\033[97;2u", "A", "A" }, { "\033[27;5;99~", "C-c", "\x03" }, { "\033[233u", "\xc3\xa9", "\xc3\xa9" },
	{ "\033[97:65;2u", "A", "A" },
	{ "\033[27u", "Esc", "\033" }, { "\033[127u", "Backspace", "\x7f" },
	{ "\033[Z", "S-Tab", NULL }, { "\033OM", "Enter", "\r" }, { "\033Ow", "7", "7" },
};
enum { N_FORMS = sizeof(forms) / sizeof(forms[0]) };

static bool same(const struct key *k, const struct form *f)
{
	const char *want = f->readline ? f->readline : f->bytes;
	struct key n;

	if (!strcmp(f->bytes, "\033[97;5u"))	/* no name tells Ctrl-A from the letter: */
		return k->code == 'a' && k->mods == MOD_CTRL && k->n == 1 && k->bytes[0] == 1;
	return key_parse(f->key, &n) && key_is(k, n.code, n.mods) && k->n == strlen(want) && !memcmp(k->bytes, want, k->n);
}

/* One form between two letters, cut after `cut` bytes. */
static bool decodes(const struct form *f, size_t cut)
{
	struct keys *k = keys_new(false);
	struct key got;
	size_t n = strlen(f->bytes);
	bool good;

	key_feed(k, f->bytes, cut);
	good = cut == n || !key_next(k, &got);
	if (cut < n)
		key_feed(k, f->bytes + cut, n - cut);
	good = good && key_next(k, &got) && same(&got, f) && !key_next(k, &got) && !key_wait(k);
	key_feed(k, "z", 1);
	good = good && key_next(k, &got) && key_is(&got, 'z', 0);
	keys_free(k);
	return good;
}

static void test_forms(void)
{
	for (int i = 0; i < N_FORMS; i++) {
		size_t bad = 0, n = strlen(forms[i].bytes);

		for (size_t cut = 1; cut <= n; cut++)
			bad += !decodes(&forms[i], cut);
		ok(!bad, "form %d is %s at every cut", i, forms[i].key);
	}
}

static struct key next_late(struct keys *k)
{
	struct key got = { 0 };

	key_late(k);
	key_next(k, &got);
	return got;
}

static void test_lone_escape(void)
{
	struct keys *k = keys_new(false);
	struct key got;

	key_feed(k, "\033", 1);
	ok(!key_next(k, &got) && key_wait(k) == KEY_WAIT_MS && KEY_WAIT_MS <= 80, "an ESC waits, not long");
	got = next_late(k);
	ok(key_is(&got, K_ESC, 0), "and is Esc after that");
	ok(!key_wait(k), "nothing is held then");
	key_feed(k, "\033\033", 2);
	ok(!key_next(k, &got), "ESC ESC waits");
	got = next_late(k);
	ok(key_is(&got, K_ESC, 0), "and is Esc …");
	got = next_late(k);
	ok(key_is(&got, K_ESC, 0), "… twice");
	key_feed(k, "\033[", 2);
	got = next_late(k);
	ok(key_is(&got, '[', MOD_ALT), "ESC [ alone is Alt-[");
	key_feed(k, "\033[1;", 4);
	got = next_late(k);
	ok(!got.code && !key_wait(k), "a sequence that never ends is swallowed");
	key_feed(k, "\xe6\xbc", 2);
	got = next_late(k);
	ok(got.code == 0xfffd && got.n == 3, "half a character is U+FFFD");
	keys_free(k);
}

static void test_unknown(void)
{
	static const char *const unknown[] = {
		"\033[99~", "\033[?1;2c", "\033[<0;1;1M", "\033[I", "\033[O", "\033[?8;1$y", "\033[57399u", "\033[M !!",
		"\033[12;5R", "\033[1;1$x",
	};
	struct keys *k = keys_new(false);
	struct key got = { 0 };

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		key_feed(k, unknown[i], strlen(unknown[i]));
		key_feed(k, "q", 1);
		while (key_next(k, &got) && got.code != 'q')
			if (got.code < K_FIRST)
				break;
		ok(key_is(&got, 'q', 0), "unknown sequence %zu leaves no letters behind", i);
		while (key_next(k, &got))
			;
	}
	keys_free(k);
}

/* Answers of the terminal that come when nobody waits for them any more: whole, cut, with both ends. */
static void test_answers(void)
{
	static const char *const answers[] = {
		"\033]11;rgb:0000/0000/0000\a", "\033]11;rgb:ffff/ffff/ffff\033\\", "\033]4;1;rgb:cd/00/00\a", "\033]lxterm\033\\",
		"\033P1$r0m\033\\", "\033P>|tmux 3.4\033\\", "\033P1+r524742=8\033\\", "\033_Gi=31;OK\033\\",
		"\033\033]11;rgb:0000/0000/0000\a", "\033]52;c;aMOkw6k=\a",
	};
	struct keys *k = keys_new(false);
	struct key got = { 0 };

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		size_t n = strlen(answers[i]), bad = 0;

		for (size_t cut = 2; cut <= n; cut++) {
			key_feed(k, answers[i], cut);
			bad += key_next(k, &got);
			bad += cut < n && !key_wait(k);
			key_feed(k, answers[i] + cut, n - cut);
			bad += key_next(k, &got) || key_wait(k);
			key_feed(k, "q", 1);
			bad += !key_next(k, &got) || !key_is(&got, 'q', 0);
		}
		ok(!bad, "answer %zu types nothing, wherever it is cut", i);
	}
	key_feed(k, "\033]11;rgb", 8);
	ok(!key_next(k, &got) && key_wait(k), "one without an end is waited for");
	got = next_late(k);
	ok(!got.code && !key_wait(k), "not for ever");
	key_feed(k, "hi", 2);
	ok(key_next(k, &got) && key_is(&got, 'h', 0) && key_next(k, &got), "then a person types");
	key_feed(k, "\033]11;rgb\003", 9);
	ok(key_next(k, &got) && key_is(&got, 'c', MOD_CTRL), "Ctrl-C ends it at once");
	key_feed(k, "\033P1$r0\033[A", 9);
	ok(key_next(k, &got) && key_is(&got, K_UP, 0), "so does an arrow");
	for (int i = 0; i < 100; i++)
		key_feed(k, i ? "0123456789012345678901234567890123456789" : "\033P1$r", i ? 40 : 5);
	key_feed(k, "\033\\z", 3);
	ok(key_next(k, &got) && key_is(&got, 'z', 0), "its length does not matter");
	key_feed(k, "\033P", 2);
	ok(!key_next(k, &got) && key_wait(k) == KEY_WAIT_MS, "Alt with such a letter waits as Esc does");
	got = next_late(k);
	ok(key_is(&got, 'P', MOD_ALT), "and is a key");
	key_feed(k, "\033Px", 3);
	ok(key_next(k, &got) && key_is(&got, 'P', MOD_ALT) && key_next(k, &got) && got.code == 'x', "also where text follows at once");
	keys_free(k);
}

static void test_xterm_form(void)
{
	static const struct { const char *key, *form; } forms_of[] = {
		{ "Up", "\033[A" }, { "C-Left", "\033[1;5D" }, { "Home", "\033[H" }, { "PgUp", "\033[5~" }, { "S-PgUp", "\033[5;2~" },
		{ "F1", "\033OP" }, { "S-F1", "\033[1;2P" }, { "F5", "\033[15~" }, { "Delete", "\033[3~" }, { "a", "" }, { "S-Tab", "" },
		{ "WheelUp", "" },
	};
	struct key k;
	char buf[KEY_XTERM];

	for (size_t i = 0; i < sizeof(forms_of) / sizeof(forms_of[0]); i++) {
		size_t n = key_parse(forms_of[i].key, &k) ? key_xterm(&k, buf) : KEY_XTERM;

		ok(n == strlen(forms_of[i].form) && !memcmp(buf, forms_of[i].form, n), "%s as xterm sends it", forms_of[i].key);
	}
}

static bool pasted(struct keys *k, const char *want)
{
	struct key got;

	return key_next(k, &got) && got.code == K_PASTE && got.n == strlen(want) && !memcmp(got.bytes, want, got.n);
}

static void test_paste(void)
{
	static const char whole[] = "\033[200~one\r\ntwo\rthree\033[A\n\003\033[201~x";
	static const char text[] = "one\ntwo\nthree\033[A\n\003";
	struct key got;
	size_t bad = 0;

	for (size_t cut = 0; cut < sizeof(whole) - 2; cut++) {
		struct keys *k = keys_new(false);
		bool good;

		key_feed(k, whole, cut);
		good = !key_next(k, &got);
		key_feed(k, whole + cut, sizeof(whole) - 1 - cut);
		good = good && pasted(k, text) && key_next(k, &got) && key_is(&got, 'x', 0);
		bad += !good;
		keys_free(k);
	}
	ok(!bad, "a paste is one key whatever it holds and wherever it is cut");

	struct keys *k = keys_new(false);

	key_feed(k, "\033[200~lost end", 14);
	ok(!key_next(k, &got) && key_wait(k) == KEY_PASTE_WAIT_MS, "a paste without an end waits");
	key_late(k);
	ok(pasted(k, "lost end"), "and is given after a while");
	ok(!key_wait(k), "no timer runs then");
	key_feed(k, " more\r", 6);
	ok(!key_next(k, &got), "what comes late is still no typing");
	key_late(k);
	ok(pasted(k, " more\n"), "but pasted");
	key_feed(k, "\003", 1);
	ok(key_next(k, &got) && key_is(&got, 'c', MOD_CTRL), "Ctrl-C is a person again");
	key_feed(k, "y", 1);
	ok(key_next(k, &got) && key_is(&got, 'y', 0), "and so is what follows");
	keys_free(k);

	k = keys_new(false);
	key_feed(k, "\033[200~lost", 10);
	key_next(k, &got);
	key_late(k);
	ok(pasted(k, "lost"), "another without an end");
	key_feed(k, "\r", 1);
	ok(!key_next(k, &got), "a line end alone may be pasted");
	key_late(k);
	ok(pasted(k, "\n"), "and sends nothing");
	key_feed(k, "\303\244", 2);
	ok(key_next(k, &got) && key_is(&got, 0xe4, 0), "a character that comes alone is typed");
	key_feed(k, "\r", 1);
	ok(key_next(k, &got) && key_is(&got, K_ENTER, 0), "and Enter is Enter behind it");
	keys_free(k);

	k = keys_new(false);
	key_feed(k, "\033[200~", 6);
	for (int i = 0; i < 1024; i++) {
		static char kilo[1024];

		memset(kilo, 'a' + i % 26, sizeof(kilo));
		key_feed(k, kilo, sizeof(kilo));
		key_next(k, &got);
	}
	key_feed(k, "\033[201~", 6);
	ok(key_next(k, &got) && got.code == K_PASTE && got.n == 1 << 20, "1 MiB arrives whole");
	keys_free(k);
}

static void test_noise(void)
{
	struct keys *k = keys_new(false);
	struct key got;
	unsigned seed = 12345, held = 0, given = 0;

	for (int i = 0; i < 200000; i++) {
		static const char spicy[] = "\033[O;1~u$^M]P\\200\r\n\x80\xc3\xff";
		char c;

		seed = seed * 1103515245u + 12345u;
		c = (seed >> 16) % 3 ? spicy[(seed >> 18) % (sizeof(spicy) - 1)] : (char)(seed >> 20);
		key_feed(k, &c, 1);
		while (key_next(k, &got))
			given++;
		if (i % 97 == 0) {
			key_late(k);
			while (key_next(k, &got))
				given++;
			key_feed(k, "\033[201~", 6);	/* noise may have begun a paste */
			while (key_next(k, &got))
				given++;
			held += key_wait(k) != 0;
		}
	}
	ok(given > 1000 && !held, "noise is taken, and nothing stays behind (%u keys)", given);
	keys_free(k);
}

static void test_names(void)
{
	struct key k;
	struct str s;

	str_init(&s, 64);
	ok(key_parse("C-j", &k), "C-j is a name");
	key_label(&k, false, &s);
	ok(!strcmp(s.p, "Ctrl-J"), "told as %s", s.p);
	str_clear(&s);
	key_parse("M-Up", &k);
	key_label(&k, true, &s);
	ok(!strcmp(s.p, "Alt-Up"), "in ASCII %s", s.p);
	str_clear(&s);
	key_label(&k, false, &s);
	ok(!strcmp(s.p, "Alt-\xe2\x86\x91"), "else %s", s.p);
	ok(!key_parse("X-a", &k) && !key_parse("", &k) && !key_parse("Hyperspace", &k), "others are no names");
	str_release(&s);
}

int main(void)
{
	test_forms();
	test_lone_escape();
	test_unknown();
	test_answers();
	test_xterm_form();
	test_paste();
	test_noise();
	test_names();
	return tap_done();
}
