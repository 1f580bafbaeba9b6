/*
 * The tree of a compiled template. It lies in the template's heap, is never changed
 * after parsing, and is read by any number of renderings at a time.
 */
#ifndef ENGINE_TEXT_JINJA_AST_H
#define ENGINE_TEXT_JINJA_AST_H

#include "engine/text/jinja_val.h"

/* kind, and the function of jinja_expr.c or jinja_stmt.c that runs it */
#define JN_EXPRS(X) \
	X(JN_CONST, const) \
	X(JN_NAME, name) \
	X(JN_LIST, list) \
	X(JN_TUPLE, tuple) \
	X(JN_DICT, dict) \
	X(JN_BINARY, binary) \
	X(JN_UNARY, unary) \
	X(JN_AND, and) \
	X(JN_OR, or) \
	X(JN_NOT, not) \
	X(JN_CONCAT, concat) \
	X(JN_COMPARE, compare) \
	X(JN_COND, cond) \
	X(JN_ATTR, attr) \
	X(JN_ITEM, item) \
	X(JN_SLICE, slice) \
	X(JN_CALL, call) \
	X(JN_FILTER, filter) \
	X(JN_TEST, test)

#define JN_STMTS(X) \
	X(JN_DATA, data) \
	X(JN_PRINT, print) \
	X(JN_IF, if) \
	X(JN_FOR, for) \
	X(JN_SET, set) \
	X(JN_SETBLOCK, setblock) \
	X(JN_MACRO, macro) \
	X(JN_CALLBLOCK, callblock) \
	X(JN_FILTERBLOCK, filterblock) \
	X(JN_WITH, with) \
	X(JN_SCOPE, scope) \
	X(JN_BREAK, break) \
	X(JN_CONTINUE, continue)

enum jkind {
#define JN_ENUM(k, fn) k,
	JN_EXPRS(JN_ENUM)
	JN_STMTS(JN_ENUM)
#undef JN_ENUM
	JN_NSREF,	/* target of an assignment: name.attribute */
	JN_N
};

enum jop {
	JOP_ADD, JOP_SUB, JOP_MUL, JOP_DIV, JOP_FLOORDIV, JOP_MOD, JOP_POW,
	JOP_NEG, JOP_POS,
	JOP_EQ, JOP_NE, JOP_LT, JOP_LE, JOP_GT, JOP_GE, JOP_IN, JOP_NOTIN,
};

struct jnode;

struct jnodes { struct jnode **p; uint32_t n, room; };

struct jkwarg { struct jv name; struct jnode *value; };

struct jcallargs {
	struct jnodes pos;
	struct jkwarg *kw;
	uint32_t n_kw, room_kw;
	struct jnode *star, *dstar;	/* *args, **kwargs */
};

struct jparam { uint32_t name; struct jv text; struct jnode *def; };

/* A macro, or the block of a call: what can be called and has a body. */
struct jsignature {
	struct jv name;
	struct jparam *params;
	uint32_t n, room;
	bool varargs, kwargs, caller;	/* the body speaks of them */
	struct jnodes body;
};

struct jcmp { enum jop op; struct jnode *x; };

struct jnode {
	uint8_t kind;		/* enum jkind */
	uint8_t op;		/* enum jop */
	bool flag;		/* FOR: recursive; TEST: negated; IF: an elif */
	uint16_t height;	/* of the tree below */
	int line, column;
	union {
		struct jv value;					/* CONST, DATA */
		struct { uint32_t id; struct jv text; } name;		/* NAME */
		struct jnodes items;					/* LIST, TUPLE, CONCAT, PRINT; DICT: key, value, … */
		struct { struct jnode *l, *r; } two;			/* BINARY, AND, OR, ITEM */
		struct jnode *one;					/* UNARY, NOT */
		struct { struct jnode *first; struct jcmp *p; uint32_t n, room; } cmp;
		struct { struct jnode *test, *yes, *no; } cond;		/* no may be NULL */
		struct { struct jnode *x; struct jv name; uint32_t hash; } attr;	/* ATTR */
		struct { uint32_t id; struct jv text, attr; } ns;	/* NSREF */
		struct { struct jnode *start, *stop, *step; } slice;	/* each may be NULL */
		struct { struct jnode *x; struct jcallargs args; } call;
		/* FILTER, TEST; x NULL: what a block hands in. fn NULL: no such */
		struct { struct jnode *x; struct jv name; const struct jbuiltin *fn; struct jcallargs args; } apply;
		struct { struct jnode *test; struct jnodes body, orelse; } branch;
		struct { struct jnode *target, *iter, *test; struct jnodes body, orelse; } loop;
		struct { struct jnode *target, *value; } set;
		struct { struct jnode *target, *filter; struct jnodes body; } capture;	/* SETBLOCK, FILTERBLOCK */
		struct { struct jsignature sig; uint32_t id; struct jnode *call; } macro;	/* MACRO, CALLBLOCK */
		struct { struct jnodes targets, values, body; } with;	/* WITH, SCOPE */
	} u;
};

/* Names that a template speaks of, numbered. */
struct jnames { struct jv *text; uint32_t n, room; struct jdict *ids; };

struct jinja {
	struct jheap heap;
	struct jnodes body;
	struct jnames names;
};

struct jinja_where;

int jparse(struct jinja *t, const char *src, size_t n, struct jinja_where *where, struct err *e);

#endif
