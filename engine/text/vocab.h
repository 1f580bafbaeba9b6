/*
 * The vocabulary of a model and the two ways between text and token ids: byte-level
 * BPE (tokenizer.ggml.model "gpt2") and SentencePiece ("llama"). A vocabulary is
 * immutable once built and may be read by any thread.
 *
 * Facts: keys and defaults as in llama.cpp's llama-vocab.cpp (Aug 2026); pre-split
 * patterns are rows of presplit.c.
 */
#ifndef ENGINE_TEXT_VOCAB_H
#define ENGINE_TEXT_VOCAB_H

#include "engine/base/err.h"
#include "engine/base/str.h"
#include "engine/format/gguf.h"

#include <stdbool.h>
#include <stdint.h>

/* A growing list of token ids. {0} is empty. */
struct ids { int32_t *p; size_t n, size; };
int ids_add(struct ids *l, int32_t id);		/* -1: no memory */
int ids_append(struct ids *l, const int32_t *p, size_t n);
void ids_release(struct ids *l);

enum vocab_attr {
	VOCAB_NORMAL = 1, VOCAB_UNKNOWN = 2, VOCAB_CONTROL = 3, VOCAB_USER = 4, VOCAB_UNUSED = 5, VOCAB_BYTE = 6,
};

enum vocab_kind { VOCAB_BPE, VOCAB_SPM };

struct vocab;

/*
 * Builds the tokenizer from a file's keys. ERR_NOT_FOUND when the file has no
 * vocabulary, ERR_UNSUPPORTED for an unknown tokenizer model or `pre` (the message
 * names it), ERR_FORMAT for keys that contradict each other or name tokens that there are
 * not, ERR_LIMIT, ERR_NOMEM, and what reading gives. Once built it does not need the file.
 */
int vocab_load(struct vocab **out, const struct gguf *g, struct err *e);
void vocab_free(struct vocab *v);

enum vocab_kind vocab_kind(const struct vocab *v);
const char *vocab_pre(const struct vocab *v);		/* the row's name: "smollm"; "" for SentencePiece */
int32_t vocab_size(const struct vocab *v);
/*
 * The bytes that a token stands for: normal tokens of byte-level BPE are out of GPT-2's
 * alphabet, SentencePiece's U+2581 is a blank, <0x0A> of type byte is that byte; the others
 * are as the file spells them. Empty for an id outside the vocabulary.
 */
struct gguf_str vocab_token(const struct vocab *v, int32_t id);
/* Its type; user-defined tokens that are an end or a mark of their family by their spelling are control tokens. */
enum vocab_attr vocab_attr(const struct vocab *v, int32_t id);
/* -1 when the model has none. */
int32_t vocab_bos(const struct vocab *v);
int32_t vocab_eos(const struct vocab *v);
bool vocab_add_bos(const struct vocab *v);
bool vocab_add_eos(const struct vocab *v);
/* The token of exactly these bytes (in the sense of vocab_token(), never one of type byte), or -1; special ones first. */
int32_t vocab_find(const struct vocab *v, const char *text, size_t n);
/* Does this token end an answer? (eos, eot, eom ids and the family's control tokens; never a normal token.) */
bool vocab_is_end(const struct vocab *v, int32_t id);

/* A part of a text and who wrote it. Spans are in order, touch each other, and cover the text. */
struct text_span { size_t start, end; bool user; };

enum {
	TOK_SPECIAL = 1,	/* control tokens in the text are matched (outside user spans) */
	TOK_BOS = 2,		/* begin with BOS if the file says so, unless the text already does */
	TOK_EOS = 4,		/* end with EOS if the file says so */
};

/*
 * Text → ids, appended to out. Without spans the whole text is one template span; in
 * user spans no control token is matched, and of the user-defined ones (type 4) only
 * runs of white space, HTML tags and single letters. Only the matching stops at a span's edge: what
 * lies between two matched tokens is tokenized as one run. Invalid UTF-8 is taken byte
 * by byte; bytes that the vocabulary does not have are dropped. Time is linear in n. After
 * an error (ERR_NOMEM, ERR_LIMIT, ERR_ARG for spans that do not fit) out is as before.
 */
int vocab_encode(const struct vocab *v, const char *text, size_t n, const struct text_span *spans,
		 size_t n_spans, unsigned flags, struct ids *out, struct err *e);

/* Ids → text as a stream, made by detok_init; one per stream. */
struct detok {
	const struct vocab *v;
	bool special;		/* show control tokens as their spelling; else they are silent */
	bool raw;		/* set after init: bytes go out as they are, nothing is held or replaced */
	bool drop;		/* SentencePiece: the next text loses the one blank that encoding put before it */
	char held[8];		/* bytes of an unfinished character */
	int n_held;
};
/* `at_start`: this is the beginning of a text (SentencePiece drops the one space it added). */
void detok_init(struct detok *d, const struct vocab *v, bool special, bool at_start);
/* Appends the text of one more token; bytes of an unfinished character are held back. */
void detok_push(struct detok *d, int32_t id, struct str *out);
/* The end: held bytes come out as U+FFFD. */
void detok_end(struct detok *d, struct str *out);

#endif
