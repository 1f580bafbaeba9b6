/*
 * Chat templates: the part of Jinja2 that Hugging Face's templates use, under limits,
 * with one thing Jinja2 does not have: each byte of the output remembers whether the
 * template wrote it or the user did (strings of the context are the user's, through
 * filters and concatenation), so that user text never becomes a control token.
 *
 * Environment as in transformers: trim_blocks, lstrip_blocks, loop controls, the
 * generation block, tojson without ASCII escaping, raise_exception, strftime_now. Of Jinja2 itself
 * there is no autoescape, no urlize and wordwrap, and no other file (include, import, extends);
 * integers have 64 bits, more is an error; lists may append, extend, insert and pop.
 */
#ifndef ENGINE_TEXT_JINJA_H
#define ENGINE_TEXT_JINJA_H

#include "engine/base/err.h"
#include "engine/base/str.h"
#include "engine/text/vocab.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Limits (security page, "Defaults"). A limit reached is an ERR_LIMIT. */
enum {
	JINJA_MAX_SOURCE = 1 << 20,
	JINJA_MAX_STEPS = 1000000,
	JINJA_MAX_DEPTH = 128,
	JINJA_MAX_OUTPUT = 4 << 20,
	JINJA_MAX_RANGE = 100000,
	JINJA_MAX_MEMORY = 16 << 20,	/* bytes of values alive in one rendering */
};

struct jinja;		/* a compiled template: immutable, shareable */
struct jinja_ctx;	/* the variables of one rendering */
struct jval;		/* a value inside a jinja_ctx; freed with it */

/* Where in the template an error stands; line and column from 1, 0 unknown. */
struct jinja_where { int line, column; };

int jinja_compile(struct jinja **out, const char *src, size_t n, struct jinja_where *where, struct err *e);
void jinja_free(struct jinja *t);

/*
 * A context owns all values made in it. Functions return NULL when memory runs out. It may
 * be rendered more than once; the templates it went through must live as long as it does.
 */
struct jinja_ctx *jinja_ctx_new(void);
void jinja_ctx_free(struct jinja_ctx *c);
/* The clock that strftime_now reads; default: now, local time. */
void jinja_ctx_set_now(struct jinja_ctx *c, const struct tm *now);

struct jval *jval_bool(struct jinja_ctx *c, bool b);
/* user false: the template's own (bos_token, eos_token). Bytes are copied. */
struct jval *jval_str(struct jinja_ctx *c, const char *s, size_t n, bool user);
/* The user's, and its runs in the output can be told from others: jinja_out.marks. */
struct jval *jval_marked(struct jinja_ctx *c, const char *s, size_t n, uint32_t mark);
struct jval *jval_list(struct jinja_ctx *c);
struct jval *jval_dict(struct jinja_ctx *c);
int jval_append(struct jval *list, struct jval *v);
int jval_set(struct jval *dict, const char *key, struct jval *v);
/* JSON text → a value whose strings are all the user's. */
int jval_from_json(struct jinja_ctx *c, const char *json, size_t n, struct jval **out, struct err *e);
/* A variable of the template. */
int jinja_ctx_set(struct jinja_ctx *c, const char *name, struct jval *v);

/* A run of the output that comes from one marked string (jval_marked). */
struct jinja_mark { size_t start, end; uint32_t mark; };

/* Text and who wrote it. */
struct jinja_out {
	struct str text;
	struct text_span *spans;
	size_t n_spans;
	struct jinja_mark *marks;	/* in order of the text */
	size_t n_marks;
};
void jinja_out_init(struct jinja_out *o);
void jinja_out_release(struct jinja_out *o);

/*
 * Renders. raise_exception and errors of the template are ERR_TEMPLATE with the message
 * that Jinja2 gives; where (may be NULL) tells line and column. Errors are cut, and have no
 * control bytes; out->text then holds the message as it is, or nothing.
 */
int jinja_render(const struct jinja *t, struct jinja_ctx *c, struct jinja_out *out,
		 struct jinja_where *where, struct err *e);

#endif
