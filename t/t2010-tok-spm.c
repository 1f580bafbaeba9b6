/*
 * SentencePiece: the shipped model's vocabulary against known ids, made ones against
 * merging by its definition, one in the manner of Gemma's, others' answers.
 */
#include "config.h"

#include "t/lib/tap.h"
#include "t/lib/tmp.h"
#include "t/lib/tok.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void is(const struct vocab *v, const char *text, unsigned flags, const char *want, const char *what)
{
	const char *got = tok_of(v, text, flags);

	ok(!strcmp(got, want), "%s (%s)", what, got);
}

/* Ids as SentencePiece and llama.cpp give them (they agree). */
static void test_shipped(void)
{
	struct vocab *v = tok_shipped();

	ok(vocab_kind(v) == VOCAB_SPM && vocab_size(v) == 512 && vocab_bos(v) == 1 && vocab_eos(v) == 2 &&
	   vocab_add_bos(v) && !vocab_add_eos(v) && vocab_is_end(v, 2) && !vocab_is_end(v, 1), "the shipped vocabulary");
	is(v, "", 0, "", "no text, no ids");
	is(v, "", TOK_BOS, "1", "no text, BOS alone");
	is(v, "a", 0, "261", "a blank is put before a text");
	is(v, " ", 0, "410 410", "and before a blank");
	is(v, "\n", 0, "410 13", "a newline is a byte");
	is(v, "Hello world", TOK_BOS, "1 346 306 414 263 304 341", "words, with BOS");
	is(v, "  Hello  world  ", 0, "410 410 346 306 414 410 263 304 341 410 410", "runs of blanks");
	is(v, "\xf0\x9f\x99\x82", 0, "410 243 162 156 133", "bytes for what has no token");
	is(v, "<s>", 0, "410 504 419 505", "control tokens are text");
	is(v, "<s>", TOK_SPECIAL, "1", "unless they are asked for");
	is(v, "<s>a", TOK_SPECIAL | TOK_BOS, "1 261", "BOS once");
	is(v, " <s> x </s> ", TOK_SPECIAL, "410 410 1 410 410 444 410 2 410 410", "a blank after every one of them");
	is(v, "\xe2\x96\x81under\xe2\x96\x81line", 0, "410 318 264 285 278 271 411", "U+2581 is a blank");
	is(v, "\xff", 0, "410 258", "a byte that is no UTF-8");
	ok(vocab_find(v, " a", 2) == 261 && vocab_find(v, "</s>", 4) == 2 && vocab_find(v, "\n", 1) < 0,
	   "tokens by their bytes, but not those of type byte");
	vocab_free(v);
}

/* Runs of white space and HTML are user-defined and matched first; nothing is put before a text; digits stand alone. */
static void test_gemma(void)
{
	static const struct tok_piece p[] = {
		{ "\n", 0, 4 }, { "\n\n", 0, 4 }, { "\n\n\n", 0, 4 }, { "  ", 0, 4 }, { "▁▁▁", 0, 4 }, { "\t", 0, 4 },
		{ "<h1>", 0, 4 }, { "</h1>", 0, 4 }, { "<s>", 0, 4 }, { "</s>", 0, 4 }, { "<unused0>", 0, 5 },
		{ "<end_of_turn>", 0, 3 }, { "▁", -10, 1 }, { "a", -11, 1 }, { "▁a", -5, 1 }, { "1", -12, 1 }, { "b", -13, 1 }, { "ab", -4, 1 },
	};
	enum { NL = 259, NL2, NL3, SP2, SP3, TAB, H1, H1E, S, SE, UNUSED, EOT, SP, A, _A, ONE, B, AB };
	struct vocab *v = tok_made(tok_spm(p, sizeof p / sizeof *p, TOK_BYTES | TOK_GEMMA), NULL);
	char want[128];

	snprintf(want, sizeof want, "%d %d %d", A, _A, AB);
	is(v, "a aab", 0, want, "no blank before the text");
	snprintf(want, sizeof want, "%d %d %d %d", SP2, A, SP3, B);
	is(v, "  a   b", 0, want, "runs of blanks, spelled either way");
	snprintf(want, sizeof want, "%d %d %d %d %d", SP3, SP2, A, NL3, NL);
	is(v, "     a\n\n\n\n", 0, want, "the longest first");
	snprintf(want, sizeof want, "%d %d %d %d", H1, A, H1E, TAB);
	is(v, "<h1>a</h1>\t", 0, want, "HTML and tabs");
	snprintf(want, sizeof want, "%d %d %d", A, EOT, _A);
	is(v, "a<end_of_turn> a", TOK_SPECIAL, want, "no blank after a special token either");
	snprintf(want, sizeof want, "%d %d %d", S, A, SE);
	is(v, "<s>a</s>", 0, want, "</s> closes <s>: HTML here");
	snprintf(want, sizeof want, "2 %d", A);
	is(v, "a", TOK_BOS, want, "its own BOS");
	snprintf(want, sizeof want, "%d %d %d", ONE, ONE, 3 + '2');
	is(v, "112", 0, want, "digits alone, bytes for the unknown");
	ok(vocab_is_end(v, EOT) && vocab_is_end(v, 1) && !vocab_is_end(v, H1E) && !vocab_is_end(v, SE), "what ends an answer");
	vocab_free(v);
}

static void test_ends(void)
{
	static const struct tok_piece html[] = { { "<em>", 0, 4 }, { "a", -1, 1 } };
	struct vocab *v = tok_made(tok_spm(html, 2, TOK_BYTES), NULL);

	ok(vocab_is_end(v, 2) && vocab_attr(v, 2) == VOCAB_CONTROL, "</s> beside a <s> that is control ends an answer");
	vocab_free(v);
}

static void test_unknown(void)
{
	static const struct tok_piece p[] = { { "a", -1, 1 }, { "▁", -1, 1 } };
	struct vocab *v = tok_made(tok_spm(p, 2, 0), NULL);

	is(v, "a\xc3\xa9" "a", 0, "4 3 0 3", "without bytes: one <unk> a character");
	vocab_free(v);
}

static void test_scores(void)
{
	static const struct tok_piece p[] = {
		{ "a", -9, 1 }, { "b", -9, 1 }, { "c", -9, 1 }, { "ab", -2, 1 }, { "bc", -1, 1 }, { "aa", -0.0f, 1 }, { "aaaa", 0.0f, 1 },
		{ "▁", -9, 1 }, { "cc", __builtin_nanf(""), 1 }, { "ac", -__builtin_inff(), 1 },
	};
	enum { A = 3, B, C, AB, BC, AA, A4, SP, CC, AC };
	struct ggufmake *m = tok_spm(p, sizeof p / sizeof *p, 0);
	struct vocab *v;

	gm_bool(m, "tokenizer.ggml.add_space_prefix", false);
	v = tok_made(m, NULL);
	is(v, "abc", 0, "3 7", "the higher score first");
	is(v, "aaaaa", 0, "9 3", "equal scores from the left, -0 is 0");
	is(v, "ccc", 0, "11 5", "a score that is no number is the lowest, not an accident");
	is(v, "acc", 0, "12 5", "with -inf the leftmost counts");
	vocab_free(v);
}

/* -- by definition ------------------------------------------------------------------ */

enum { PIECES = 300, LONG = 6000 };

struct table { char text[PIECES][32]; int n; float score[PIECES]; const char *p; };

static int32_t piece_of(const struct table *t, const char *p, size_t n)
{
	for (int i = 0; i < t->n; i++)
		if (strlen(t->text[i]) == n && !memcmp(t->text[i], p, n))
			return 3 + i;
	return -1;
}

static int64_t score_of(void *arg, const struct tok_part *l, const struct tok_part *r, int32_t *to)
{
	const struct table *t = arg;

	*to = piece_of(t, t->p + l->at, l->len + r->len);
	return *to < 0 ? -1 : (int64_t)(-t->score[*to - 3] * 16);
}

static void test_definition(void)
{
	static char text[LONG];
	static struct tok_part part[LONG];
	static struct table t;
	int right = 0, all = 0;

	for (int round = 0; round < 6; round++) {
		struct tok_piece p[PIECES];
		struct ggufmake *m;
		struct vocab *v;

		t.n = 0;
		for (int i = 0; i < 4; i++) {
			snprintf(t.text[t.n], sizeof t.text[0], "%c", " abc"[i]);
			t.score[t.n++] = -100;
		}
		while (t.n < PIECES) {
			char both[64];

			snprintf(both, sizeof both, "%s%s", t.text[tok_random() % (unsigned)t.n], t.text[tok_random() % (unsigned)t.n]);
			if (strlen(both) > 24 || piece_of(&t, both, strlen(both)) >= 0)
				continue;
			/* every other vocabulary has words that no piece goes across, so that the text is cut */
			if (round & 1 && strchr(both + 1, ' '))
				continue;
			strcpy(t.text[t.n], both);
			t.score[t.n++] = -(float)(tok_random() % 64) / 4;
		}
		for (int i = 0; i < PIECES; i++)
			p[i] = (struct tok_piece){ t.text[i], t.score[i], 1 };
		m = tok_spm(p, PIECES, 0);
		gm_bool(m, "tokenizer.ggml.add_space_prefix", false);
		v = tok_made(m, NULL);
		for (int kind = 0; kind < 3; kind++) {
			const size_t n = LONG - (size_t)round;

			for (size_t i = 0; i < n; i++) {
				text[i] = kind == 0 ? " abc"[tok_random() % 4] : kind == 1 ? 'a' : "abc "[i % 4];
				part[i] = (struct tok_part){ .at = i, .len = 1 };
				part[i].id = piece_of(&t, text + i, 1);
			}
			t.p = text;
			right += tok_merges_as(v, text, part, n, score_of, &t);
			all++;
		}
		vocab_free(v);
	}
	ok(right == all, "%d of %d long texts as the definition has them", right, all);
}

static void test_refused(void)
{
	static const char *const two[] = { "<unk>", "a", "<0x-1>" };
	struct ggufmake *m = gm_new();

	gm_str(m, "tokenizer.ggml.model", "llama");
	gm_strs(m, "tokenizer.ggml.tokens", two, 2);
	gm_f32s(m, "tokenizer.ggml.scores", (float[]){ 0 }, 1);
	tok_refused(m, ERR_FORMAT, "tokenizer.ggml.scores has 1");
	m = gm_new();
	gm_str(m, "tokenizer.ggml.model", "llama");
	gm_strs(m, "tokenizer.ggml.tokens", two, 3);
	gm_i32s(m, "tokenizer.ggml.token_type", (int32_t[]){ 2, 1, 6 }, 3);
	tok_refused(m, ERR_FORMAT, "\"<0x-1>\"");
	m = gm_new();
	gm_str(m, "tokenizer.ggml.model", "llama");
	gm_strs(m, "tokenizer.ggml.tokens", two, 1);
	gm_bool(m, "tokenizer.ggml.add_bos_token", true);
	tok_refused(m, ERR_FORMAT, "there is no BOS");
}

int main(void)
{
	test_shipped();
	test_gemma();
	test_ends();
	test_unknown();
	test_scores();
	test_definition();
	test_refused();
	tok_peer_cases("stories260K", "models/stories260K/stories260K-F32.gguf");
	tok_peer_cases("llama-spm", "tokenizers/conformance/ggml-vocab-llama-spm.gguf");
	tok_peer_cases("phi-3", "tokenizers/conformance/ggml-vocab-phi-3.gguf");
	return tap_done_min(25);
}
