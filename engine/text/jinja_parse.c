/* Tokens → tree: the grammar of expressions, and what the statements share. */
#include "config.h"
#include "engine/text/jinja_parse.h"
#include "engine/text/jinja_lib.h"

#include <string.h>

int jp_fail(struct jparser *p, const struct jtoken *at, const char *fmt, ...)
{
	va_list ap;
	char msg[400];

	if (p->x.where)
		*p->x.where = (struct jinja_where){ at->line, at->column };
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	return err_set(p->x.e, ERR_TEMPLATE, "%s", msg);
}

int jp_nomem(struct jparser *p)
{
	if (p->x.h->failed == JFAIL_MEMORY)
		return err_set(p->x.e, ERR_LIMIT, "the chat template takes too much memory");
	return err_set(p->x.e, ERR_NOMEM, "no memory for the chat template");
}

const char *jp_describe(struct jparser *p, const struct jtoken *t)
{
	if (t->type != JT_NAME)
		return jtok_text(t->type);
	return err_quote(p->quoted, sizeof p->quoted, t->p, t->n);
}

int jp_next(struct jparser *p)
{
	const struct jtoken last = p->cur;

	if (p->looked)
		p->cur = p->ahead;
	else if (jlex_next(&p->x, &p->cur))
		return -1;
	p->looked = false;
	if (p->cur.type == JT_EOF && last.line) {	/* what is missing is missing behind the last token */
		p->cur.line = last.line;
		p->cur.column = last.column;
	}
	return 0;
}

int jp_look(struct jparser *p)
{
	if (p->looked)
		return 0;
	p->looked = true;
	return jlex_next(&p->x, &p->ahead);
}

bool jp_is(const struct jtoken *t, const char *name)
{
	const size_t n = strlen(name);

	return t->type == JT_NAME && t->n == n && !memcmp(t->p, name, n);
}

int jp_expect(struct jparser *p, enum jtok type)
{
	if (p->cur.type != type) {
		if (p->cur.type == JT_EOF)
			return jp_fail(p, &p->cur, "unexpected end of template, expected '%s'.", jtok_text(type));
		return jp_fail(p, &p->cur, "expected token '%s', got '%s'", jtok_text(type),
			       jp_describe(p, &p->cur));
	}
	return jp_next(p);
}

int jp_skip_name(struct jparser *p, const char *name, bool *found)
{
	*found = jp_is(&p->cur, name);
	return *found ? jp_next(p) : 0;
}

struct jnode *jp_node(struct jparser *p, enum jkind kind, const struct jtoken *at)
{
	struct jnode *n = jheap_alloc(p->x.h, sizeof *n);

	if (!n) {
		jp_nomem(p);
		return NULL;
	}
	n->kind = (uint8_t)kind;
	n->line = at->line;
	n->column = at->column;
	return n;
}

/* Trees that the evaluator could not walk are refused here, once. */
static int raise_height(struct jparser *p, struct jnode *n, const struct jnode *child)
{
	if (child && child->height >= n->height)
		n->height = (uint16_t)(child->height + 1);
	if (n->height > JP_HEIGHT)
		return jp_fail(p, &p->cur, "the template is nested too deeply");
	return 0;
}

int jp_push(struct jparser *p, struct jnode *owner, struct jnodes *l, struct jnode *n)
{
	struct jnode **v = jheap_more(p->x.h, l->p, l->n, &l->room, sizeof *v);

	if (!v)
		return jp_nomem(p);
	l->p = v;
	v[l->n++] = n;
	return owner ? raise_height(p, owner, n) : 0;
}

int jp_text(struct jparser *p, const struct jtoken *t, struct jv *out)
{
	struct jbuf *b = jbuf_static(p->x.h, t->p, t->n);

	*out = jbuf_value(b);
	return b ? 0 : jp_nomem(p);
}

int jp_name_id(struct jparser *p, struct jv text, uint32_t *id)
{
	struct jnames *names = &p->t->names;
	const struct jv *known = jdict_get(names->ids, text);
	struct jv *v;

	if (known) {
		*id = (uint32_t)known->u.i;
		return 0;
	}
	v = jheap_more(p->x.h, names->text, names->n, &names->room, sizeof *v);
	if (!v || jdict_set(names->ids, text, jv_int(names->n)))
		return jp_nomem(p);
	names->text = v;
	v[names->n] = text;
	*id = names->n++;
	return 0;
}

int jp_name(struct jparser *p, struct jnode **out)
{
	struct jnode *n = jp_node(p, JN_NAME, &p->cur);

	if (!n || jp_text(p, &p->cur, &n->u.name.text) || jp_name_id(p, n->u.name.text, &n->u.name.id))
		return -1;
	*out = n;
	return jp_next(p);
}

/* -- primary expressions ----------------------------------------------------------- */

/* A macro whose body speaks of these takes them from its caller. */
static void note_special(struct jparser *p, const struct jtoken *t)
{
	for (struct jmacro_scope *m = p->macro; m; m = m->up) {
		m->sig->varargs |= jp_is(t, "varargs");
		m->sig->kwargs |= jp_is(t, "kwargs");
		m->sig->caller |= jp_is(t, "caller");
	}
}

static int parse_name(struct jparser *p, bool with_ns, struct jnode **out)
{
	static const struct { const char *name; struct jv v; } words[] = {
		{ "true", { .type = J_BOOL, .u.b = true } }, { "True", { .type = J_BOOL, .u.b = true } },
		{ "false", { .type = J_BOOL } }, { "False", { .type = J_BOOL } },
		{ "none", { .type = J_NONE } }, { "None", { .type = J_NONE } },
	};
	struct jnode *n;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (jp_is(&p->cur, words[i].name)) {
			*out = n = jp_node(p, JN_CONST, &p->cur);
			if (!n)
				return -1;
			n->u.value = words[i].v;
			return jp_next(p);
		}
	}
	note_special(p, &p->cur);
	if (jp_name(p, out))
		return -1;
	if (!with_ns || p->cur.type != JT_DOT)
		return 0;
	n = *out;
	n->kind = JN_NSREF;
	n->u.ns.id = n->u.name.id;	/* text lies at the same place */
	if (jp_next(p))
		return -1;
	if (p->cur.type != JT_NAME)
		return jp_expect(p, JT_NAME);
	return jp_text(p, &p->cur, &n->u.ns.attr) || jp_next(p) ? -1 : 0;
}

/* Strings side by side are one. */
static int parse_string(struct jparser *p, struct jnode **out)
{
	struct jnode *n = *out = jp_node(p, JN_CONST, &p->cur);
	struct jbuf *b;

	if (!n || jp_text(p, &p->cur, &n->u.value) || jp_next(p))
		return -1;
	if (p->cur.type != JT_STRING)
		return 0;
	b = jbuf_new(p->x.h, 0);
	jbuf_add_str(p->x.h, b, n->u.value);
	while (p->cur.type == JT_STRING) {
		jbuf_add(p->x.h, b, p->cur.p, p->cur.n, JTAG_TEMPLATE);
		if (jp_next(p))
			return -1;
	}
	if (p->x.h->failed)
		return jp_nomem(p);
	b->size = 0;
	n->u.value = jbuf_value(b);
	return 0;
}

static int parse_number(struct jparser *p, struct jnode **out)
{
	struct jnode *n = *out = jp_node(p, JN_CONST, &p->cur);

	if (!n)
		return -1;
	n->u.value = p->cur.type == JT_INT ? jv_int(p->cur.i) : jv_float(p->cur.f);
	return jp_next(p);
}

/* "[a, b]" and "{k: v}" : items up to the bracket, a comma at the end allowed. */
static int parse_display(struct jparser *p, enum jkind kind, enum jtok close, struct jnode **out)
{
	struct jnode *n = *out = jp_node(p, kind, &p->cur), *x;

	if (!n || jp_next(p))
		return -1;
	while (p->cur.type != close) {
		if (n->u.items.n && jp_expect(p, JT_COMMA))
			return -1;
		if (p->cur.type == close)
			break;
		if (jp_expr(p, &x) || jp_push(p, n, &n->u.items, x))
			return -1;
		if (kind == JN_DICT &&
		    (jp_expect(p, JT_COLON) || jp_expr(p, &x) || jp_push(p, n, &n->u.items, x)))
			return -1;
	}
	return jp_expect(p, close);
}

static int parse_parens(struct jparser *p, struct jnode **out)
{
	return jp_next(p) || jp_tuple(p, &(struct jtuple_opts){ .cond = true, .parens = true }, out) ||
	       jp_expect(p, JT_RPAREN) ? -1 : 0;
}

static int parse_primary(struct jparser *p, bool with_ns, struct jnode **out)
{
	switch (p->cur.type) {
	case JT_NAME:
		return parse_name(p, with_ns, out);
	case JT_STRING:
		return parse_string(p, out);
	case JT_INT:
	case JT_FLOAT:
		return parse_number(p, out);
	case JT_LPAREN:
		return parse_parens(p, out);
	case JT_LBRACKET:
		return parse_display(p, JN_LIST, JT_RBRACKET, out);
	case JT_LBRACE:
		return parse_display(p, JN_DICT, JT_RBRACE, out);
	default:
		return jp_fail(p, &p->cur, "unexpected '%s'", jp_describe(p, &p->cur));
	}
}

/* -- calls, subscripts, filters, tests --------------------------------------------- */

static int push_kwarg(struct jparser *p, struct jnode *owner, struct jcallargs *a)
{
	struct jkwarg *kw = jheap_more(p->x.h, a->kw, a->n_kw, &a->room_kw, sizeof *kw);

	if (!kw)
		return jp_nomem(p);
	a->kw = kw;
	kw += a->n_kw++;
	if (jp_text(p, &p->cur, &kw->name) || jp_next(p) || jp_next(p) || jp_expr(p, &kw->value))
		return -1;
	return raise_height(p, owner, kw->value);
}

static int parse_argument(struct jparser *p, struct jnode *owner, struct jcallargs *a)
{
	const struct jtoken at = p->cur;
	struct jnode *x;

	if (at.type == JT_MUL || at.type == JT_POW) {
		struct jnode **where = at.type == JT_MUL ? &a->star : &a->dstar;

		if (a->dstar || *where)
			return jp_fail(p, &at, "invalid syntax for function call expression");
		return jp_next(p) || jp_expr(p, where) || raise_height(p, owner, *where) ? -1 : 0;
	}
	if (at.type == JT_NAME && jp_look(p))
		return -1;
	if (at.type == JT_NAME && p->ahead.type == JT_ASSIGN) {
		if (a->dstar)
			return jp_fail(p, &at, "invalid syntax for function call expression");
		return push_kwarg(p, owner, a);
	}
	if (a->star || a->dstar || a->n_kw)
		return jp_fail(p, &at, "invalid syntax for function call expression");
	return jp_expr(p, &x) || jp_push(p, owner, &a->pos, x) ? -1 : 0;
}

static int parse_args(struct jparser *p, struct jnode *owner, struct jcallargs *a)
{
	bool comma = false;

	if (jp_expect(p, JT_LPAREN))
		return -1;
	while (p->cur.type != JT_RPAREN) {
		if (comma && jp_expect(p, JT_COMMA))
			return -1;
		if (p->cur.type == JT_RPAREN)
			break;
		if (parse_argument(p, owner, a))
			return -1;
		comma = true;
	}
	return jp_expect(p, JT_RPAREN);
}

static int parse_call(struct jparser *p, struct jnode **io)
{
	struct jnode *n = jp_node(p, JN_CALL, &p->cur);

	if (!n)
		return -1;
	n->u.call.x = *io;
	n->line = (*io)->line;		/* where the name stands */
	n->column = (*io)->column;
	if (raise_height(p, n, *io) || parse_args(p, n, &n->u.call.args))
		return -1;
	*io = n;
	return 0;
}

static int make_attr(struct jparser *p, struct jnode *n, struct jnode *x)
{
	n->u.attr.x = x;
	if (jp_text(p, &p->cur, &n->u.attr.name))
		return -1;
	n->u.attr.hash = jv_hash(p->x.h, n->u.attr.name);
	return jp_next(p);
}

static int parse_dot(struct jparser *p, struct jnode **io)
{
	struct jnode *n = jp_node(p, JN_ATTR, &p->cur), *x = *io;

	if (!n || jp_next(p) || raise_height(p, n, x))
		return -1;
	*io = n;
	if (p->cur.type == JT_NAME)
		return make_attr(p, n, x);
	if (p->cur.type != JT_INT)
		return jp_fail(p, &p->cur, "expected name or number");
	n->kind = JN_ITEM;
	n->u.two.l = x;
	return parse_number(p, &n->u.two.r);
}

static int slice_part(struct jparser *p, struct jnode *n, struct jnode **part)
{
	if (p->cur.type == JT_COLON || p->cur.type == JT_RBRACKET || p->cur.type == JT_COMMA)
		return 0;
	return jp_expr(p, part) || raise_height(p, n, *part) ? -1 : 0;
}

/* What stands between brackets: an expression, or start:stop:step. */
static int parse_subscript(struct jparser *p, struct jnode **out)
{
	const struct jtoken at = p->cur;
	struct jnode *first = NULL, *n;

	if (at.type != JT_COLON && jp_expr(p, &first))
		return -1;
	*out = first;
	if (p->cur.type != JT_COLON)
		return 0;
	*out = n = jp_node(p, JN_SLICE, &at);
	if (!n || raise_height(p, n, first) || jp_next(p))
		return -1;
	n->u.slice.start = first;
	if (slice_part(p, n, &n->u.slice.stop))
		return -1;
	if (p->cur.type != JT_COLON)
		return 0;
	return jp_next(p) || slice_part(p, n, &n->u.slice.step) ? -1 : 0;
}

static int parse_brackets(struct jparser *p, struct jnode **io)
{
	struct jnode *n = jp_node(p, JN_ITEM, &p->cur);
	struct jnode *tuple = jp_node(p, JN_TUPLE, &p->cur), *x;

	if (!n || !tuple || jp_next(p))
		return -1;
	while (p->cur.type != JT_RBRACKET) {
		if (tuple->u.items.n && jp_expect(p, JT_COMMA))
			return -1;
		if (parse_subscript(p, &x) || jp_push(p, tuple, &tuple->u.items, x))
			return -1;
	}
	n->u.two.l = *io;
	n->u.two.r = tuple->u.items.n == 1 ? tuple->u.items.p[0] : tuple;
	if (raise_height(p, n, n->u.two.l) || raise_height(p, n, n->u.two.r))
		return -1;
	*io = n;
	return jp_expect(p, JT_RBRACKET);
}

static int parse_postfix(struct jparser *p, struct jnode **io)
{
	int rc = 0;

	while (!rc) {
		if (p->cur.type == JT_DOT)
			rc = parse_dot(p, io);
		else if (p->cur.type == JT_LBRACKET)
			rc = parse_brackets(p, io);
		else if (p->cur.type == JT_LPAREN)
			rc = parse_call(p, io);
		else
			break;
	}
	return rc;
}

/* The dotted name of a filter or test. */
static int applied_name(struct jparser *p, struct jv *name)
{
	struct jtoken t = p->cur;

	if (t.type != JT_NAME)
		return jp_expect(p, JT_NAME);
	if (jp_next(p))
		return -1;
	while (p->cur.type == JT_DOT) {
		if (jp_next(p))
			return -1;
		if (p->cur.type != JT_NAME)
			return jp_expect(p, JT_NAME);
		t.n = (uint32_t)(p->cur.p + p->cur.n - t.p);
		if (jp_next(p))
			return -1;
	}
	return jp_text(p, &t, name);
}

/* As in Jinja2 the last of a chain is found first. */
static void note_unknown(struct jparser *p, const struct jnode *n, const char *what)
{
	if (!n->u.apply.fn && !p->soft && (!p->unknown.node || p->unknown.node == n->u.apply.x))
		p->unknown = (struct junknown){ n, what };
}

int jp_unknown(struct jparser *p)
{
	const struct jnode *n = p->unknown.node;

	if (p->x.where)
		*p->x.where = (struct jinja_where){ n->line, n->column };
	return err_set(p->x.e, ERR_TEMPLATE, "No %s named '%s'.", p->unknown.what,
		       err_quote(p->quoted, sizeof p->quoted, jstr_p(&n->u.apply.name), n->u.apply.name.len));
}

int jp_filter(struct jparser *p, struct jnode *x, struct jnode **out)
{
	struct jnode *n = jp_node(p, JN_FILTER, &p->cur);

	if (!n || applied_name(p, &n->u.apply.name) || (x && raise_height(p, n, x)))
		return -1;
	n->u.apply.x = x;
	n->u.apply.fn = jlib_filter(&n->u.apply.name);
	note_unknown(p, n, "filter");
	*out = n;
	return p->cur.type == JT_LPAREN ? parse_args(p, n, &n->u.apply.args) : 0;
}

int jp_filters(struct jparser *p, struct jnode **io)
{
	while (p->cur.type == JT_PIPE)
		if (jp_next(p) || jp_filter(p, *io, io))
			return -1;
	return 0;
}

static bool starts_argument(const struct jtoken *t)
{
	switch (t->type) {
	case JT_NAME:
		return !jp_is(t, "else") && !jp_is(t, "or") && !jp_is(t, "and");
	case JT_STRING:
	case JT_INT:
	case JT_FLOAT:
	case JT_LBRACKET:
	case JT_LBRACE:
		return true;
	default:
		return false;
	}
}

static int parse_test(struct jparser *p, struct jnode **io)
{
	struct jnode *n = jp_node(p, JN_TEST, &p->cur), *x;

	if (!n || jp_next(p) || jp_skip_name(p, "not", &n->flag) || applied_name(p, &n->u.apply.name) ||
	    raise_height(p, n, *io))
		return -1;
	n->u.apply.x = *io;
	n->u.apply.fn = jlib_test(&n->u.apply.name);
	note_unknown(p, n, "test");
	*io = n;
	if (p->cur.type == JT_LPAREN)
		return parse_args(p, n, &n->u.apply.args);
	if (!starts_argument(&p->cur))
		return 0;
	if (jp_is(&p->cur, "is"))
		return jp_fail(p, &p->cur, "You cannot chain multiple tests with is");
	return parse_primary(p, false, &x) || parse_postfix(p, &x) || jp_push(p, n, &n->u.apply.args.pos, x) ? -1 : 0;
}

static int parse_filter_expr(struct jparser *p, struct jnode **io)
{
	for (;;) {
		if (p->cur.type == JT_PIPE) {
			if (jp_filters(p, io))
				return -1;
		} else if (jp_is(&p->cur, "is")) {
			if (parse_test(p, io))
				return -1;
		} else if (p->cur.type == JT_LPAREN) {
			if (parse_call(p, io))
				return -1;
		} else {
			return 0;
		}
	}
}

/* -- operators, loosest last ------------------------------------------------------- */

static int binary(struct jparser *p, enum jkind kind, const struct jtoken *at, struct jnode *l, struct jnode *r,
		  struct jnode **out)
{
	struct jnode *n = jp_node(p, kind, at);

	if (!n)
		return -1;
	n->u.two.l = l;
	n->u.two.r = r;
	*out = n;
	return raise_height(p, n, l) || raise_height(p, n, r) ? -1 : 0;
}

static int parse_unary(struct jparser *p, bool filters, struct jnode **out)
{
	const struct jtoken at = p->cur;

	if (at.type == JT_SUB || at.type == JT_ADD) {
		struct jnode *n = jp_node(p, JN_UNARY, &at);

		if (!n || ++p->depth > JINJA_MAX_DEPTH)
			return n ? jp_fail(p, &at, "the template is nested too deeply") : -1;
		if (jp_next(p) || parse_unary(p, false, &n->u.one) || raise_height(p, n, n->u.one))
			return -1;
		p->depth--;
		n->op = at.type == JT_SUB ? JOP_NEG : JOP_POS;
		*out = n;
	} else if (parse_primary(p, false, out)) {
		return -1;
	}
	if (parse_postfix(p, out))
		return -1;
	return filters ? parse_filter_expr(p, out) : 0;
}

/* Operators of one rank, from the left: level 0 is tightest. */
static const struct jrank { struct { enum jtok tok; enum jop op; } ops[4]; int n; } ranks[] = {
	{ { { JT_POW, JOP_POW } }, 1 },
	{ { { JT_MUL, JOP_MUL }, { JT_DIV, JOP_DIV }, { JT_FLOORDIV, JOP_FLOORDIV }, { JT_MOD, JOP_MOD } }, 4 },
	{ { { JT_ADD, JOP_ADD }, { JT_SUB, JOP_SUB } }, 2 },
};

static int parse_concat(struct jparser *p, struct jnode **out);

static int parse_rank(struct jparser *p, int level, struct jnode **out)
{
	const struct jrank *rank = &ranks[level];

	if (level == 2 ? parse_concat(p, out) : level ? parse_rank(p, level - 1, out) : parse_unary(p, true, out))
		return -1;
	for (;;) {
		const struct jtoken at = p->cur;
		struct jnode *r;
		int k = 0;

		while (k < rank->n && rank->ops[k].tok != at.type)
			k++;
		if (k == rank->n)
			return 0;
		if (jp_next(p) ||
		    (level == 2 ? parse_concat(p, &r) : level ? parse_rank(p, level - 1, &r) : parse_unary(p, true, &r)) ||
		    binary(p, JN_BINARY, &at, *out, r, out))
			return -1;
		(*out)->op = rank->ops[k].op;
	}
}

static int parse_concat(struct jparser *p, struct jnode **out)
{
	struct jnode *n, *x;

	if (parse_rank(p, 1, out))
		return -1;
	if (p->cur.type != JT_TILDE)
		return 0;
	n = jp_node(p, JN_CONCAT, &p->cur);
	if (!n || jp_push(p, n, &n->u.items, *out))
		return -1;
	while (p->cur.type == JT_TILDE)
		if (jp_next(p) || parse_rank(p, 1, &x) || jp_push(p, n, &n->u.items, x))
			return -1;
	*out = n;
	return 0;
}

/* The comparison that stands here, if one does; its tokens are taken. */
static int take_comparison(struct jparser *p, enum jop *op, bool *found)
{
	static const struct { enum jtok tok; enum jop op; } ops[] = {
		{ JT_EQ, JOP_EQ }, { JT_NE, JOP_NE }, { JT_LT, JOP_LT }, { JT_LE, JOP_LE }, { JT_GT, JOP_GT }, { JT_GE, JOP_GE },
	};

	*found = true;
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
		if (p->cur.type == ops[i].tok) {
			*op = ops[i].op;
			return jp_next(p);
		}
	}
	*op = JOP_IN;
	if (jp_is(&p->cur, "in"))
		return jp_next(p);
	*op = JOP_NOTIN;
	*found = false;
	if (!jp_is(&p->cur, "not"))
		return 0;
	if (jp_look(p))
		return -1;
	*found = jp_is(&p->ahead, "in");
	return *found && (jp_next(p) || jp_next(p)) ? -1 : 0;
}

static int parse_compare(struct jparser *p, struct jnode **out)
{
	struct jnode *n = NULL;
	struct jtoken at;
	struct jcmp *c;
	enum jop op;
	bool found;

	if (parse_rank(p, 2, out))
		return -1;
	for (;;) {
		at = p->cur;
		if (take_comparison(p, &op, &found))
			return -1;
		if (!found)
			return 0;
		if (!n) {
			n = jp_node(p, JN_COMPARE, &at);
			if (!n || raise_height(p, n, *out))
				return -1;
			n->u.cmp.first = *out;
			*out = n;
		}
		c = jheap_more(p->x.h, n->u.cmp.p, n->u.cmp.n, &n->u.cmp.room, sizeof *c);
		if (!c)
			return jp_nomem(p);
		n->u.cmp.p = c;
		c += n->u.cmp.n++;
		c->op = op;
		if (parse_rank(p, 2, &c->x) || raise_height(p, n, c->x))
			return -1;
	}
}

static int parse_not(struct jparser *p, struct jnode **out)
{
	struct jnode *n;

	if (!jp_is(&p->cur, "not"))
		return parse_compare(p, out);
	n = jp_node(p, JN_NOT, &p->cur);
	if (!n || ++p->depth > JINJA_MAX_DEPTH)
		return n ? jp_fail(p, &p->cur, "the template is nested too deeply") : -1;
	if (jp_next(p) || parse_not(p, &n->u.one) || raise_height(p, n, n->u.one))
		return -1;
	p->depth--;
	*out = n;
	return 0;
}

static int parse_and(struct jparser *p, struct jnode **out)
{
	struct jtoken at;
	struct jnode *r;

	if (parse_not(p, out))
		return -1;
	for (at = p->cur; jp_is(&at, "and"); at = p->cur)
		if (jp_next(p) || parse_not(p, &r) || binary(p, JN_AND, &at, *out, r, out))
			return -1;
	return 0;
}

static int parse_or(struct jparser *p, struct jnode **out)
{
	struct jtoken at;
	struct jnode *r;

	if (parse_and(p, out))
		return -1;
	for (at = p->cur; jp_is(&at, "or"); at = p->cur)
		if (jp_next(p) || parse_and(p, &r) || binary(p, JN_OR, &at, *out, r, out))
			return -1;
	return 0;
}

static int parse_cond(struct jparser *p, struct jnode **out)
{
	const struct jtoken at = p->cur;
	const struct junknown before = p->unknown;
	struct jnode *n;
	bool found;

	if (parse_or(p, out))
		return -1;
	while (jp_is(&p->cur, "if")) {
		n = jp_node(p, JN_COND, &at);
		if (!n || jp_next(p) || parse_or(p, &n->u.cond.test) || jp_skip_name(p, "else", &found))
			return -1;
		n->u.cond.yes = *out;
		if (found && jp_expr(p, &n->u.cond.no))
			return -1;
		if (raise_height(p, n, n->u.cond.test) || raise_height(p, n, n->u.cond.yes) ||
		    raise_height(p, n, n->u.cond.no))
			return -1;
		p->unknown = before;	/* all of it waits */
		*out = n;
	}
	return 0;
}

/* The one place where an expression begins inside another: depth is counted here. */
static int nested(struct jparser *p, bool cond, struct jnode **out)
{
	int rc;

	if (++p->depth > JINJA_MAX_DEPTH)
		return jp_fail(p, &p->cur, "the template is nested too deeply");
	rc = cond ? parse_cond(p, out) : parse_or(p, out);
	p->depth--;
	return rc;
}

int jp_expr(struct jparser *p, struct jnode **out)
{
	return nested(p, true, out);
}

static bool tuple_end(struct jparser *p, const struct jtuple_opts *o)
{
	return p->cur.type == JT_VAR_END || p->cur.type == JT_BLOCK_END || p->cur.type == JT_RPAREN ||
	       (o->end && jp_is(&p->cur, o->end));
}

int jp_tuple(struct jparser *p, const struct jtuple_opts *o, struct jnode **out)
{
	const struct jtoken at = p->cur;
	struct jnode *n = jp_node(p, JN_TUPLE, &at), *x;
	bool comma = false;

	if (!n)
		return -1;
	while (!tuple_end(p, o)) {
		if (o->target ? parse_primary(p, o->ns, &x) : nested(p, o->cond, &x))
			return -1;
		if (jp_push(p, n, &n->u.items, x))
			return -1;
		if (p->cur.type != JT_COMMA)
			break;
		comma = true;
		if (jp_next(p))
			return -1;
	}
	if (!comma && n->u.items.n) {
		*out = n->u.items.p[0];
		return 0;
	}
	if (!comma && !o->parens)
		return jp_fail(p, &p->cur, "Expected an expression, got '%s'", jp_describe(p, &p->cur));
	*out = n;
	return 0;
}
