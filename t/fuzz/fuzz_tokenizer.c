/*
 * libFuzzer: a text through a tokenizer and back. The first byte chooses the tokenizer (each
 * row of presplit.c, SentencePiece with and without bytes, Gemma's kind), the second who wrote
 * what; the rest is the text. No failure but for memory; what comes back is the text, where
 * the vocabulary has its bytes and does not normalize; no control token from the user.
 */
#include "config.h"
#include "engine/base/str.h"
#include "engine/text/presplit.h"
#include "t/lib/tok.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

enum { ROWS = 256 };

static const struct tok_other others[] = {
	{ "<|im_end|>", 3 }, { "<|im|>", 3 }, { "<think>", 4 }, { "  ", 4 }, { "<b>", 4 }, { "\xc3\x80", 4 },
};
static const int merges[][2] = { { 't', 'h' }, { 256, 'e' }, { ' ', 257 }, { 'a', 'a' }, { 259, 259 }, { 0xc3, 0xa9 }, { '1', '2' } };
static const struct tok_piece pieces[] = {
	{ "\xe2\x96\x81", -1, 1 }, { "a", -2, 1 }, { "aa", -1.5f, 1 }, { "\xe2\x96\x81the", -3, 1 }, { "t", -4, 1 }, { "h", -4, 1 },
	{ "e", -4, 1 }, { "th", -3.5f, 1 }, { "\xe2\x96\x81t", -3.6f, 1 }, { "he", -3.7f, 1 }, { "<end_of_turn>", 0, 3 }, { "\n\n", 0, 4 },
};

static struct vocab *made(size_t i, bool *spm)
{
	const struct presplit_row *row = presplit_at(i);
	struct err e;

	*spm = !row;
	if (row) {
		const struct tok_bpe b = {
			.pre = row->name, .merge = merges, .n_merges = sizeof merges / sizeof *merges, .other = others,
			.n_other = sizeof others / sizeof *others,
		};

		return tok_made(tok_bpe(&b), &e);
	}
	return tok_made(tok_spm(pieces, sizeof pieces / sizeof *pieces, i % 2 ? TOK_BYTES | TOK_GEMMA : TOK_BYTES), &e);
}

static void check_back(const struct vocab *v, const struct ids *l, const char *text, size_t n, bool spm)
{
	const struct presplit_row *row = spm ? NULL : presplit_find(vocab_pre(v), strlen(vocab_pre(v)));

	/* U+2581 comes back as a blank; NFC as what it made */
	if ((row && row->flags & PRESPLIT_NFC) || (spm && memmem(text, n, "\xe2\x96\x81", 3)))
		return;
	if (!tok_back(v, l, text, n, true))
		abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct vocab *vocabs[ROWS];
	static bool spms[ROWS];
	const char *text = (const char *)data + 2;
	struct ids plain = { 0 }, cut = { 0 };
	struct text_span spans[2];
	struct err e;
	size_t i, n;

	if (size < 2)
		return 0;
	for (i = 0; presplit_at(i); i++)
		continue;
	i = data[0] % (i + 2);
	if (!vocabs[i])
		vocabs[i] = made(i, &spms[i]);
	if (!vocabs[i])
		abort();
	n = size - 2;
	if (vocab_encode(vocabs[i], text, n, NULL, 0, data[1] & TOK_SPECIAL, &plain, &e) < 0)
		abort();
	check_back(vocabs[i], &plain, text, n, spms[i]);
	spans[0] = (struct text_span){ 0, n * data[1] / 256, true };
	spans[1] = (struct text_span){ spans[0].end, n, true };
	if (vocab_encode(vocabs[i], text, n, spans, 2, TOK_SPECIAL, &cut, &e) < 0)
		abort();
	for (size_t k = 0; k < cut.n; k++)
		if (vocab_attr(vocabs[i], cut.p[k]) == VOCAB_CONTROL)
			abort();
	check_back(vocabs[i], &cut, text, n, spms[i]);
	ids_release(&plain);
	ids_release(&cut);
	return 0;
}
