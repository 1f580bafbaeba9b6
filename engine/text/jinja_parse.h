/*
 * The parser's two halves see each other through this: jinja_parse.c has the
 * expressions, jinja_block.c the statements. Every function returns 0, or -1 with the
 * error and its place set.
 */
#ifndef ENGINE_TEXT_JINJA_PARSE_H
#define ENGINE_TEXT_JINJA_PARSE_H

#include "engine/text/jinja_ast.h"
#include "engine/text/jinja_lex.h"

#include <stdio.h>

enum { JP_HEIGHT = 600 };	/* of the tree; the evaluator walks it by recursion */

/* Macros and call blocks around the place being parsed. */
struct jmacro_scope { struct jsignature *sig; struct jmacro_scope *up; };

/* Tags that are open, for messages. */
struct jopen { const char *tag; const char *const *ends; struct jopen *up; };

struct jparser {
	struct jinja *t;
	struct jlex x;
	struct jtoken cur, ahead;
	bool looked;		/* ahead is read already */
	struct jmacro_scope *macro;
	struct jopen *open;
	int depth;		/* of expressions and blocks */
	int loops;		/* around this place: break and continue */
	bool soft;		/* right inside an `if`: unknown filters and tests wait until they are run */
	struct junknown { const struct jnode *node; const char *what; } unknown;	/* the first that does not wait */
	char quoted[100];
};

struct jtuple_opts {
	bool target;		/* names and literals only */
	bool ns;		/* a target may be name.attribute */
	bool cond;		/* "a if b else c" may stand here */
	bool parens;		/* in parentheses: may be empty */
	const char *end;	/* a word that ends it */
};

int jp_fail(struct jparser *p, const struct jtoken *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int jp_nomem(struct jparser *p);
const char *jp_describe(struct jparser *p, const struct jtoken *t);
int jp_next(struct jparser *p);
/* Reads one token more, into p->ahead; as late as can be, for what it holds may be wrong. */
int jp_look(struct jparser *p);
bool jp_is(const struct jtoken *t, const char *name);
int jp_expect(struct jparser *p, enum jtok type);
int jp_skip_name(struct jparser *p, const char *name, bool *found);
struct jnode *jp_node(struct jparser *p, enum jkind kind, const struct jtoken *at);
/* owner may be NULL: the whole template */
int jp_push(struct jparser *p, struct jnode *owner, struct jnodes *l, struct jnode *n);
int jp_text(struct jparser *p, const struct jtoken *t, struct jv *out);
int jp_name_id(struct jparser *p, struct jv text, uint32_t *id);
int jp_name(struct jparser *p, struct jnode **out);

int jp_expr(struct jparser *p, struct jnode **out);
int jp_tuple(struct jparser *p, const struct jtuple_opts *o, struct jnode **out);
/* One filter, whose name stands here, on x; and all that follow a "|". */
int jp_filter(struct jparser *p, struct jnode *x, struct jnode **out);
int jp_filters(struct jparser *p, struct jnode **io);
/* The error of a filter or test that there is not, once all else is known to be right. */
int jp_unknown(struct jparser *p);

#endif
