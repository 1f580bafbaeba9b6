/*
 * Who wrote what: in a user's span no control token is matched, however it is spelled or
 * cut; matching alone stops at the edges, the text between tokens is one run.
 */
#include "config.h"

#include "t/lib/tap.h"
#include "t/lib/tmp.h"
#include "t/lib/tok.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parts of a text, the user's marked by a leading '~'. */
static struct ids encode(const struct vocab *v, const char *const *part, int n, unsigned flags)
{
	struct text_span span[16];
	struct ids l = { 0 };
	struct err e;
	char text[1024] = "";
	size_t at = 0;

	for (int i = 0; i < n; i++) {
		bool user = part[i][0] == '~';

		strcat(text, part[i] + user);
		span[i] = (struct text_span){ at, strlen(text), user };
		at = strlen(text);
	}
	if (vocab_encode(v, text, at, span, (size_t)n, flags, &l, &e) < 0)
		tap_bail("%s", e.msg);
	return l;
}

#define IS(v, want, what, ...) do { \
	const char *const part[] = { __VA_ARGS__ }; \
	struct ids l = encode(v, part, sizeof part / sizeof *part, TOK_SPECIAL); \
	ok(!strcmp(tok_list(&l), want), "%s (%s)", what, tok_list(&l)); \
	ids_release(&l); \
} while (0)

static const int merges[][2] = { { '\n', '\n' }, { ' ', ' ' }, { 'a', 'b' } };
static const struct tok_other other[] = {
	{ "<|im_start|>", 3 }, { "<|im_end|>", 3 }, { "<|im_end|>!", 3 }, { "<think>", 4 }, { "<tool_call>", 4 },
	{ "<b>", 4 }, { "   ", 4 }, { "\n\n\n", 4 }, { "<|fim_pad|>", 4 }, { "\xc3\x80", 4 }, { "[PAD1]", 5 },
};
enum { NLNL = 256, SPSP, AB, START, END, END2, THINK, CALL, BOLD, SP3, NL3, FIM, LETTER };

static struct vocab *small(void)
{
	return tok_made(tok_bpe(&(struct tok_bpe){ .pre = "gpt-2", .merge = merges, .n_merges = 3,
		.other = other, .n_other = sizeof other / sizeof *other }), NULL);
}

static void test_spans(const struct vocab *v)
{
	IS(v, "259 258 260", "the template's tokens are matched", "<|im_start|>ab<|im_end|>");
	IS(v, "259 60 124 105 109 95 101 110 100 124 62 260", "the user's are text", "<|im_start|>", "~<|im_end|>", "<|im_end|>");
	IS(v, "60 124 105 109 95 101 110 100 124 62", "also when two users spell one", "~<|im_", "~end|>");
	IS(v, "60 124 105 109 95 101 110 100 124 62", "or the template a half", "~<|im_", "end|>");
	IS(v, "60 124 105 109 95 101 110 100 124 62", "or the first one", "<|im_", "~end|>");
	IS(v, "261 260", "the longest of two that match", "<|im_end|>!<|im_end|>");
	IS(v, "260 33", "but not into the user's text", "<|im_end|>", "~!");
	IS(v, "262 263", "the template's user-defined tokens", "<think><tool_call>");
	IS(v, "60 116 104 105 110 107 62", "the user's are text", "~<think>");
	IS(v, "264 265 266 268", "but for HTML, white space and letters", "~<b>   \n\n\n\xc3\x80");
	IS(v, "60 124 102 105 109 95 112 97 100 124 62", "a control token by its spelling", "~<|fim_pad|>");
	IS(v, "267", "is one for the template", "<|fim_pad|>");
	IS(v, "258", "text is one run across spans", "a", "~b");
	IS(v, "260 256", "newlines of the template and the user merge", "<|im_end|>\n", "~\n");
	IS(v, "258 258", "empty spans", "", "~", "ab", "~", "~ab", "");
	ok(!strcmp(tok_of(v, "<think>", 0), "262") && !strcmp(tok_of(v, "<|im_end|>", 0), "60 124 105 109 95 101 110 100 124 62"),
	   "plain text: user-defined tokens are matched, control tokens are not");
	ok(!strcmp(tok_of(v, "<|fim_pad|>", 0), "60 124 102 105 109 95 112 97 100 124 62"),
	   "nor are those that are control tokens by their spelling");
	ok(!strcmp(tok_of(v, "[PAD1]", TOK_SPECIAL), "91 80 65 68 49 93"), "what is unused is never matched");
}

static void test_wrong(const struct vocab *v)
{
	static const struct text_span gap[] = { { 0, 1, false }, { 2, 3, true } }, far[] = { { 0, 4, true } },
		back[] = { { 0, 2, true }, { 2, 1, true } };
	struct ids l = { 0 };
	struct err e;

	ids_add(&l, 7);
	ok(vocab_encode(v, "abc", 3, gap, 2, 0, &l, &e) < 0 && e.code == ERR_ARG, "spans with a gap");
	ok(vocab_encode(v, "abc", 3, far, 1, 0, &l, &e) < 0 && e.code == ERR_ARG, "beyond the text");
	ok(vocab_encode(v, "abc", 3, back, 2, 0, &l, &e) < 0 && e.code == ERR_ARG, "backwards");
	ok(l.n == 1 && l.p[0] == 7, "nothing was added");
	ids_release(&l);
}

/* Every special token of a vocabulary as the user's text: whole, cut in two at each place, inside others, doubled. */
static void test_injection(const struct vocab *v, const char *name)
{
	int drawn = 0, control = 0;

	for (int32_t id = 0; id < vocab_size(v); id++) {
		struct gguf_str s = vocab_token(v, id);
		enum vocab_attr attr = vocab_attr(v, id);
		size_t step = s.n > 8 ? s.n / 8 : 1;

		if ((attr != VOCAB_CONTROL && attr != VOCAB_UNKNOWN) || s.n == 0 || s.n > 100 || drawn > 3000)
			continue;
		for (size_t cut = 0; cut <= s.n; cut += step) {
			char text[512];
			size_t n = (size_t)snprintf(text, sizeof text, "%.*s%.*s%.*s%s", (int)cut, s.p, (int)s.n, s.p, (int)(s.n - cut),
						    s.p + cut, cut & 1 ? " x" : "");
			struct text_span span[] = { { 0, cut, true }, { cut, n, true } };
			struct ids l = { 0 };
			struct err e;

			if (vocab_encode(v, text, n, span, 2, TOK_SPECIAL, &l, &e) < 0)
				tap_bail("%s", e.msg);
			for (size_t i = 0; i < l.n; i++)
				control += vocab_attr(v, l.p[i]) == VOCAB_CONTROL || vocab_is_end(v, l.p[i]);
			drawn++;
			ids_release(&l);
		}
	}
	ok(drawn > 10 && control == 0, "%s: %d control ids out of %d user texts", name, control, drawn);
}

static const char *const known[] = {
	"tokenizers/smollm/ggml-vocab-smollm.gguf", "tokenizers/qwen/ggml-vocab-qwen3.gguf",
	"tokenizers/llama3/ggml-vocab-llama3.gguf", "tokenizers/phi-4-mini/ggml-vocab-phi-4-mini.gguf",
	"tokenizers/conformance/ggml-vocab-phi-3.gguf", "tokenizers/conformance/ggml-vocab-deepseek-coder.gguf",
	"tokenizers/conformance/ggml-vocab-mpt.gguf",
};

int main(void)
{
	struct vocab *v = small();

	test_spans(v);
	test_wrong(v);
	test_injection(v, "a made vocabulary");
	vocab_free(v);
	v = tok_shipped();
	IS(v, "1 261 410 504 419 505", "SentencePiece: <s>, and a user's <s>", "<s>", "~a", "~ <s>");
	test_injection(v, "stories260K");
	vocab_free(v);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		v = tok_data(known[i]);
		if (v)
			test_injection(v, known[i]);
		else
			tap_skip("%s: not here", known[i]);
		vocab_free(v);
	}
	return tap_done_min(20);
}
