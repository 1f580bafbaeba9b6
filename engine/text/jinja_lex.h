/*
 * Template source → tokens, one at a time. White space control (trim_blocks,
 * lstrip_blocks, the signs beside the delimiters), comments and raw blocks are settled
 * here: the parser sees text, delimiters and the tokens between them.
 */
#ifndef ENGINE_TEXT_JINJA_LEX_H
#define ENGINE_TEXT_JINJA_LEX_H

#include "engine/text/jinja.h"
#include "engine/text/jinja_val.h"

/* token, spelling of an operator or description for messages */
#define JTOKENS(X) \
	X(JT_EOF, "end of template") \
	X(JT_DATA, "template data / text") \
	X(JT_VAR_BEGIN, "begin of print statement") \
	X(JT_VAR_END, "end of print statement") \
	X(JT_BLOCK_BEGIN, "begin of statement block") \
	X(JT_BLOCK_END, "end of statement block") \
	X(JT_NAME, "name") \
	X(JT_STRING, "string") \
	X(JT_INT, "integer") \
	X(JT_FLOAT, "float") \
	X(JT_FLOORDIV, "//") \
	X(JT_POW, "**") \
	X(JT_EQ, "==") \
	X(JT_NE, "!=") \
	X(JT_GE, ">=") \
	X(JT_LE, "<=") \
	X(JT_ADD, "+") \
	X(JT_SUB, "-") \
	X(JT_DIV, "/") \
	X(JT_MUL, "*") \
	X(JT_MOD, "%") \
	X(JT_TILDE, "~") \
	X(JT_LBRACKET, "[") \
	X(JT_RBRACKET, "]") \
	X(JT_LPAREN, "(") \
	X(JT_RPAREN, ")") \
	X(JT_LBRACE, "{") \
	X(JT_RBRACE, "}") \
	X(JT_GT, ">") \
	X(JT_LT, "<") \
	X(JT_ASSIGN, "=") \
	X(JT_DOT, ".") \
	X(JT_COLON, ":") \
	X(JT_PIPE, "|") \
	X(JT_COMMA, ",") \
	X(JT_SEMICOLON, ";")

enum jtok {
#define JT_ENUM(t, text) t,
	JTOKENS(JT_ENUM)
#undef JT_ENUM
	JT_N
};

struct jtoken {
	enum jtok type;
	const char *p;		/* DATA, NAME, STRING (escapes resolved) */
	uint32_t n;
	int64_t i;
	double f;
	int line, column;
};

enum { JLEX_NEST = 256 };

struct jlex {
	struct jheap *h;	/* for the source and for strings with escapes */
	const char *src;	/* newlines made "\n", the last one dropped */
	size_t n, pos;
	enum { JLEX_ROOT, JLEX_VAR, JLEX_BLOCK } mode;
	bool line_start;	/* what was last taken ended a line */
	enum jtok pending;	/* a delimiter found at the end of text, or JT_EOF */
	size_t pending_at;
	char nest[JLEX_NEST];	/* closing brackets that are owed */
	int n_nest;
	size_t seen;		/* line and column are counted up to here */
	int line, column;
	struct jinja_where *where;
	struct err *e;
};

int jlex_init(struct jlex *x, struct jheap *h, const char *src, size_t n, struct jinja_where *where, struct err *e);
int jlex_next(struct jlex *x, struct jtoken *t);
const char *jtok_text(enum jtok t);

#endif
