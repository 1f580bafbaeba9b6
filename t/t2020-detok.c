/*
 * Ids → text: streams that never show half a character, one leading blank, and the way
 * there and back for every character, every pair of bytes and random bytes.
 */
#include "config.h"

#include "t/lib/tap.h"
#include "t/lib/tmp.h"
#include "t/lib/tok.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

/* What comes out push by push, with "|" between, and at the end. */
static const char *stream(const struct vocab *v, bool special, bool at_start, const int32_t *id, int n)
{
	static char out[512];
	struct detok d;
	struct str s;

	str_init(&s, 0);
	detok_init(&d, v, special, at_start);
	for (int i = 0; i < n; i++) {
		detok_push(&d, id[i], &s);
		str_addc(&s, '|');
	}
	detok_end(&d, &s);
	snprintf(out, sizeof out, "%s", s.p);
	str_release(&s);
	return out;
}

#define STREAM(v, special, start, want, what, ...) do { \
	const int32_t id[] = { __VA_ARGS__ }; \
	const char *got = stream(v, special, start, id, sizeof id / sizeof *id); \
	ok(!strcmp(got, want), "%s (%s)", what, got); \
} while (0)

enum { BYTE = 3 };	/* id of <0x00> in the shipped vocabulary */

static void test_stream(const struct vocab *v)
{
	STREAM(v, false, true, "Once| upon||", "one leading blank is dropped, once", 403, 407, 1);
	STREAM(v, false, false, " Once| upon|", "and none in the middle of a text", 403, 407);
	STREAM(v, false, true, "||a||", "control tokens are silent, and the blank after BOS is dropped", 1, 410, 412, 2);
	STREAM(v, true, true, "<s>|Once|</s>|Once|", "shown, they drop the blank that follows them", 1, 403, 2, 403);
	STREAM(v, false, false, "|||\xf0\x9f\x99\x82|", "a character of four bytes comes out whole",
	       BYTE + 0xf0, BYTE + 0x9f, BYTE + 0x99, BYTE + 0x82);
	STREAM(v, false, false, "||\xef\xbf\xbd", "half a character at the end is U+FFFD", BYTE + 0xe4, BYTE + 0xb8);
	STREAM(v, false, false, "||\xef\xbf\xbd Once|", "and before something else", BYTE + 0xe4, BYTE + 0xb8, 403);
	STREAM(v, false, false, "\xef\xbf\xbd|\xef\xbf\xbd|", "bytes that begin nothing", BYTE + 0x80, BYTE + 0xff);
	STREAM(v, false, false, "|\xef\xbf\xbd|\xc3\xa9|", "a new character inside one", BYTE + 0xe4, BYTE + 0xc3, BYTE + 0xa9);
	STREAM(v, false, false, "||", "ids outside the vocabulary are nothing", -1, 512);
}

/* Text of n bytes, there and back: raw bytes the same; as a stream it is valid UTF-8. */
static bool round_trip(const struct vocab *v, const char *p, size_t n)
{
	struct ids l = tok_ids(v, p, n, 0);
	bool same = tok_back(v, &l, p, n, false);
	struct detok d;
	struct str s;

	str_init(&s, 0);
	detok_init(&d, v, false, true);
	for (size_t i = 0; i < l.n; i++) {
		detok_push(&d, l.p[i], &s);
		same = same && d.n_held < 4;
	}
	detok_end(&d, &s);
	same = same && !u8_check((const uint8_t *)s.p, s.len);
	str_release(&s);
	ids_release(&l);
	return same;
}

enum { BIG = 1 << 20 };

static void test_round(const struct vocab *v, const char *name, bool all_bytes)
{
	char *buf = malloc(8 * BIG);
	size_t n = 0;

	if (!buf)
		exit(1);
	for (unsigned c = 0; c < 0x110000; c++) {
		if (c >= 0xd800 && c < 0xe000)
			continue;
		if (c == 0x2581 && vocab_kind(v) == VOCAB_SPM)	/* is a blank there */
			continue;
		n += (size_t)u8_uctomb((uint8_t *)buf + n, c, 4);
	}
	/* two texts: the beginning, where most differences lie, and all in one */
	ok(round_trip(v, buf, 0x3000), "%s: the first characters", name);
	ok(round_trip(v, buf, n), "%s: every character", name);
	if (all_bytes) {
		n = 0;
		for (int a = 0; a < 256; a++) {
			for (int b = 0; b < 256; b++) {
				buf[n++] = (char)a;
				buf[n++] = (char)b;
			}
		}
		ok(round_trip(v, buf, n), "%s: every pair of bytes", name);
		for (n = 0; n < BIG / 4; n++)
			buf[n] = (char)tok_random();
		ok(round_trip(v, buf, n), "%s: random bytes", name);
	}
	free(buf);
}

static void test_spaces(const struct vocab *v)
{
	static const char *const texts[] = { "", " ", "  ", "a", " a", "a ", "\n", "\t a", " \n ", "a  b   c" };
	int right = 0, n = sizeof texts / sizeof *texts;

	for (int i = 0; i < n; i++)
		right += round_trip(v, texts[i], strlen(texts[i]));
	ok(right == n, "%d of %d texts of blanks", right, n);
}

/* Type 4 is spelled as it stands, also where it looks like the alphabet of byte-level BPE. */
static void test_letters(void)
{
	static const struct tok_other other[] = { { "\xc3\x80", 4 }, { "<|user|>", 3 } };
	static const int none[1][2] = { { 'a', 'b' } };
	struct vocab *v = tok_made(tok_bpe(&(struct tok_bpe){
		.pre = "gpt-2", .merge = none, .n_merges = 1, .other = other, .n_other = 2 }), NULL);
	struct ids l;

	ok(!strcmp(tok_of(v, "x\xc3\x80y", 0), "120 257 121"), "a letter of type 4 is matched as it stands");
	l = tok_ids(v, "x\xc3\x80" "y<|user|>", 12, TOK_SPECIAL);
	ok(tok_back(v, &l, "x\xc3\x80" "y<|user|>", 12, true), "and is that letter, not the byte C0");
	ids_release(&l);
	vocab_free(v);
}

static const struct { const char *path; bool all_bytes; } known[] = {
	{ "tokenizers/conformance/ggml-vocab-gpt-2.gguf", true },
	{ "tokenizers/llama3/ggml-vocab-llama3.gguf", true },
	{ "tokenizers/phi-4-mini/ggml-vocab-phi-4-mini.gguf", true },
	{ "tokenizers/conformance/ggml-vocab-llama-spm.gguf", true },
	{ "tokenizers/conformance/ggml-vocab-deepseek-llm.gguf", false },
};

int main(void)
{
	struct vocab *v = tok_shipped();

	test_stream(v);
	test_spaces(v);
	test_round(v, "stories260K", true);
	vocab_free(v);
	test_letters();
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		v = tok_data(known[i].path);
		if (v)
			test_round(v, known[i].path, known[i].all_bytes);
		else
			tap_skip("%s: not here", known[i].path);
		vocab_free(v);
	}
	return tap_done_min(15);
}
