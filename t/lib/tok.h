/*
 * Vocabularies for tests: made ones, the shipped model's, those of the reference data; and
 * merging done the slow way, by its definition.
 */
#ifndef T_LIB_TOK_H
#define T_LIB_TOK_H

#include "engine/text/vocab.h"
#include "t/lib/ggufmake.h"

/* Loads or ends the test. */
struct vocab *tok_open(const char *path);
/* profiles/stories260K.gguf */
struct vocab *tok_shipped(void);
/* A file of the reference data, or NULL when it is not there. */
struct vocab *tok_data(const char *rel);
/* What was made; NULL with *e when it is refused, which ends the test where e is NULL. Frees m. */
struct vocab *tok_made(struct ggufmake *m, struct err *e);
/* One check: it is refused, in words with `part` among them. Frees m. */
void tok_refused(struct ggufmake *m, enum err_code code, const char *part);

/*
 * A byte-level vocabulary: token b is byte b (but for the bytes in `without`), token 256 + i
 * what merge[i] makes of two tokens before it, then the others with their types.
 */
struct tok_other { const char *text; int type; };
struct tok_bpe {
	const char *pre;
	const int (*merge)[2];
	const int *order;		/* of the merges in the file, best first; NULL: as they are */
	int n_merges;
	const struct tok_other *other;
	int n_other;
	const char *without;
};
struct ggufmake *tok_bpe(const struct tok_bpe *b);

/*
 * SentencePiece: <unk> <s> </s> (or, as in Gemma, <pad> <eos> <bos> and no blank before a
 * text), the 256 bytes at 3 … 258 if asked for, then pieces.
 */
enum { TOK_BYTES = 1, TOK_GEMMA = 2 };
struct tok_piece { const char *text; float score; int type; };
struct ggufmake *tok_spm(const struct tok_piece *p, int n, unsigned how);

struct ids tok_ids(const struct vocab *v, const char *text, size_t n, unsigned flags);
/* "1 2 3" in static memory, for comparing and for messages; two at a time. */
const char *tok_list(const struct ids *l);
/* tok_list() of a text's ids. */
const char *tok_of(const struct vocab *v, const char *text, unsigned flags);
/* Bytes of the ids, raw; true when they are [text, text+n). */
bool tok_back(const struct vocab *v, const struct ids *l, const char *text, size_t n, bool special);

/* Merges part by part: the lowest key first, leftmost on ties. Returns how many are left. */
struct tok_part { size_t at, len; int32_t id, made; int64_t key; };	/* made and key are tok_merge's own */
typedef int64_t tok_key_fn(void *arg, const struct tok_part *l, const struct tok_part *r, int32_t *made);	/* -1: no */
size_t tok_merge(struct tok_part *p, size_t n, tok_key_fn *key, void *arg);
/* Are the ids of a text those that its n parts become by that? */
bool tok_merges_as(const struct vocab *v, const char *text, struct tok_part *p, size_t n, tok_key_fn *key, void *arg);

/*
 * The 109 texts of tokenizers/peer_cases/NAME.json: ids without and with special tokens and
 * BOS; where tokenizers/oracle_cases has the original's answer, that one counts. One check
 * each, or a skip.
 */
void tok_peer_cases(const char *name, const char *path);

/* Numbers that are the same everywhere. */
uint32_t tok_random(void);

#endif
