/*
 * One rendering in progress: what the files of the evaluator share. Functions return 0,
 * or -1 with the error set; the innermost node that failed gives the place. After an
 * addition to the heap nobody needs to look whether memory was left: the evaluator looks
 * at every node.
 */
#ifndef ENGINE_TEXT_JINJA_EVAL_H
#define ENGINE_TEXT_JINJA_EVAL_H

#include "engine/text/jinja.h"
#include "engine/text/jinja_ast.h"
#include "engine/text/jinja_lib.h"

#include <time.h>

enum { JX_NEST = 1500 };	/* nodes inside nodes: bounds the C stack */

/* Variables of one scope. A macro keeps the scope it was made in. */
struct jslot { uint32_t name; struct jv v; };
struct jframe { struct jframe *up; struct jslot *slots; uint32_t n, room; bool kept; };

struct jmacro { const struct jsignature *sig; struct jframe *env; };

/* A place in something that can be iterated. */
struct jcursor { struct jv src; size_t at; };

struct jloop {
	struct jcursor cursor;
	const struct jnode *node;
	struct jframe *frame;		/* of the body */
	struct jframe *test;		/* of "for … if": targets are tried here */
	struct jframe *env;		/* around the loop */
	struct jv prev, now, ahead;	/* ahead: looked at before its turn */
	bool has_ahead;
	bool whole;			/* a turn came to its end; where none did, the `else` follows, as in Jinja2 */
	int64_t index0, depth0;
	struct jv changed;		/* what loop.changed() saw last */
};

enum jflow { JFLOW_ON, JFLOW_BREAK, JFLOW_CONTINUE };

/* Ids that every template has. */
enum { JNAME_LOOP, JNAME_CALLER, JNAME_VARARGS, JNAME_KWARGS };

struct jx {
	const struct jinja *t;
	struct jinja_ctx *c;
	struct jheap *h;
	struct jbuf *out;
	struct jframe *frame;
	struct jv *globals;		/* by name id; J_MISSING: not looked up yet */
	struct jv piped;		/* what a filter block hands to its filter */
	enum jflow flow;
	int nest, depth;
	struct jinja_where where;
	struct jv said;			/* the message of an ERR_TEMPLATE, all of it as it is */
	struct err *e;
};

struct jinja_ctx {
	struct jheap heap;
	struct jdict *vars;
	struct tm now;
	bool now_set;
};

/* -- errors ------------------------------------------------------------------------ */

int jx_raise(struct jx *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same with a message of any bytes. */
int jx_raise_text(struct jx *x, const char *p, size_t n);
int jx_raise_undef(struct jx *x, struct jv v);
/* The heap's refusal as an error. */
int jx_limit(struct jx *x);
/* Around the work of a node: it is none too many, nor too deep; of an error the innermost node is told. */
int jx_enter(struct jx *x);
int jx_leave(struct jx *x, const struct jnode *n, int rc);

/* -- expressions (jinja_expr.c) ---------------------------------------------------- */

int jx_eval(struct jx *x, const struct jnode *n, struct jv *out);
/* "{{ 'a' + 'b' }}": what JN_BINARY does, for the library. */
int jx_binary(struct jx *x, enum jop op, struct jv l, struct jv r, struct jv *out);
int jx_compare(struct jx *x, enum jop op, struct jv l, struct jv r, bool *out);
/* -1, 0, 1; raises where Python has no order. */
int jx_order(struct jx *x, struct jv a, struct jv b, int *out);
int jx_contains(struct jx *x, struct jv box, struct jv v, bool *out);

/* -- attributes, items, iteration (jinja_attr.c) ------------------------------------ */

struct jv jx_undef(struct jx *x, struct jv obj, struct jv name);
struct jv jx_undef_hint(struct jx *x, const char *hint);
int jx_getattr(struct jx *x, struct jv obj, struct jv name, uint32_t hash, struct jv *out);
int jx_getitem(struct jx *x, struct jv obj, struct jv key, struct jv *out);
int jx_slice(struct jx *x, struct jv obj, const struct jrange *s, struct jv *out);
/* Can it be iterated at all? Raises when not. */
int jx_cursor(struct jx *x, struct jv src, struct jcursor *c);
/* 1: *out is the next item; 0: the end. */
int jx_next(struct jx *x, struct jcursor *c, struct jv *out);
/* All items as a fresh list. */
int jx_list(struct jx *x, struct jv src, struct jlist **out);
/* Attributes of `loop`. */
int jx_loop_attr(struct jx *x, struct jloop *l, struct jv name, struct jv *out);

/* -- calls (jinja_call.c) ---------------------------------------------------------- */

int jx_args(struct jx *x, const struct jcallargs *a, struct jargs *out);
int jx_call(struct jx *x, struct jv fn, const struct jargs *a, struct jv *out);
/* Binds arguments to a builtin's parameters and calls it. */
int jx_builtin(struct jx *x, const struct jbuiltin *fn, struct jv self, const struct jargs *a, struct jv *out);
int jx_filter(struct jx *x, const char *name, struct jv self, const struct jargs *a, struct jv *out);

/* -- statements (jinja_stmt.c) ----------------------------------------------------- */

int jx_run(struct jx *x, const struct jnodes *body);
int jx_stmt(struct jx *x, const struct jnode *n);
struct jframe *jx_frame(struct jx *x, struct jframe *up);
int jx_store(struct jx *x, struct jframe *f, uint32_t name, struct jv v);
/* NULL also when the work became too much. */
struct jv *jx_lookup(struct jx *x, struct jframe *f, uint32_t name);
int jx_assign(struct jx *x, const struct jnode *target, struct jv v);
/* Runs a body with its output caught as a string. */
int jx_capture(struct jx *x, const struct jnodes *body, struct jv *out);
/* One more item of a loop, its filter applied. 1, 0 at the end, -1. */
int jx_loop_fetch(struct jx *x, struct jloop *l, struct jv *out);
int jx_loop(struct jx *x, const struct jnode *n, struct jframe *env, struct jv items, int64_t depth0);

#endif
