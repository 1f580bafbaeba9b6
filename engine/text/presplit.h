/*
 * How a text is cut into pieces before byte-level BPE merges inside each: regular
 * expressions, one row for every tokenizer.ggml.pre. Several in a row are passes: each
 * splits every piece that the one before left; what an expression does not match stays
 * a piece of its own.
 *
 * Expressions are those of the tokenizers' makers, run by PCRE2 with Unicode classes,
 * on text that was found to be valid UTF-8. White space is Unicode's White_Space
 * (PCRE2's own \s has U+180E too).
 */
#ifndef ENGINE_TEXT_PRESPLIT_H
#define ENGINE_TEXT_PRESPLIT_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	PRESPLIT_NFC = 1,		/* the text is normalized first */
	PRESPLIT_IGNORE_MERGES = 2,	/* a piece that is a token is taken whole */
	PRESPLIT_ADD_BOS = 4,		/* unless the file says otherwise */
	PRESPLIT_NO_BOS = 8,		/* has no default BOS */
};

struct presplit_row {
	const char *name;	/* tokenizer.ggml.pre */
	int split;		/* which expressions */
	unsigned flags;
};

/* The row of a name, or NULL. n 0 (the key is missing) is "default". */
const struct presplit_row *presplit_find(const char *name, size_t n);
/* The i-th row, NULL at the end. */
const struct presplit_row *presplit_at(size_t i);

struct presplit;	/* compiled; immutable, for any number of threads */
int presplit_new(struct presplit **out, const struct presplit_row *row, struct err *e);
void presplit_free(struct presplit *p);

/* One thread's use of it. */
struct presplit_run;
/* Called with each piece in order; -1 stops. */
typedef int presplit_fn(void *arg, const char *piece, size_t n);
struct presplit_run *presplit_open(const struct presplit *p, presplit_fn *fn, void *arg, struct err *e);
void presplit_close(struct presplit_run *r);
/* Valid UTF-8 → pieces. ERR_LIMIT when an expression meets PCRE2's limits: never a wrong piece. */
int presplit_text(struct presplit_run *r, const char *text, size_t n, struct err *e);

#endif
