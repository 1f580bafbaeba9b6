/* Evaluation of expressions: one small function for each kind of node, and Python's operators. */
#include "config.h"
#include "engine/text/jinja_eval.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* -- errors ------------------------------------------------------------------------ */

int jx_raise_text(struct jx *x, const char *p, size_t n)
{
	char msg[sizeof x->e->msg];

	x->said = jstr(x->h, p, n, JTAG_TEMPLATE);
	return err_set(x->e, ERR_TEMPLATE, "%s", err_quote(msg, sizeof msg, p, n));
}

int jx_raise(struct jx *x, const char *fmt, ...)
{
	char msg[sizeof x->e->msg];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	return jx_raise_text(x, msg, strlen(msg));
}

int jx_limit(struct jx *x)
{
	static const char *const texts[] = {
		[JFAIL_MEMORY] = "the chat template takes too much memory",
		[JFAIL_OUTPUT] = "the chat template makes a text that is too long",
		[JFAIL_STEPS] = "the chat template takes too many steps",
	};

	if (x->h->failed == JFAIL_NOMEM)
		return err_set(x->e, ERR_NOMEM, "no memory to render the chat template");
	return err_set(x->e, ERR_LIMIT, "%s", texts[x->h->failed]);
}

int jx_enter(struct jx *x)
{
	if (x->nest >= JX_NEST)
		return err_set(x->e, ERR_LIMIT, "the chat template is nested too deeply");
	x->nest++;
	jheap_step(x->h, 1);
	return 0;
}

int jx_leave(struct jx *x, const struct jnode *n, int rc)
{
	x->nest--;
	if (x->h->failed)
		rc = jx_limit(x);
	if (rc && !x->where.line)
		x->where = (struct jinja_where){ n->line, n->column };
	return rc ? -1 : 0;
}

int jx_raise_undef(struct jx *x, struct jv v)
{
	static const char *const modules[J_N_TYPES] = {
		[J_NS] = "jinja2.utils.Namespace", [J_CYCLER] = "jinja2.utils.Cycler", [J_JOINER] = "jinja2.utils.Joiner",
		[J_LOOP] = "jinja2.runtime.LoopContext", [J_MACRO] = "jinja2.runtime.Macro",
	};
	const struct jundef *u = v.u.undef;
	struct jbuf *b;
	struct jv s;

	if (u->hint)
		return jx_raise(x, "%s", u->hint);
	b = jbuf_new(x->h, 0);
	if (u->obj.type == J_MISSING) {
		jv_repr(x->h, b, u->name);
		jbuf_adds(x->h, b, " is undefined", 0);
	} else {
		const bool attr = u->name.type == J_STR;
		const char *type = modules[u->obj.type] ? modules[u->obj.type] : jv_typename(u->obj);

		jbuf_addf(x->h, b, 0, u->obj.type == J_NONE ? "%sNone%s" : attr ? "%s%s object" : "%.0s%s object",
			  attr ? "'" : "", u->obj.type == J_NONE ? attr ? "'" : "" : type);
		if (attr && u->obj.type != J_NONE)
			jbuf_adds(x->h, b, "'", 0);
		jbuf_adds(x->h, b, attr ? " has no attribute " : " has no element ", 0);
		jv_repr(x->h, b, u->name);
	}
	s = jbuf_value(b);
	return x->h->failed ? jx_limit(x) : jx_raise_text(x, jstr_p(&s), s.len);
}

/* -- order and membership ---------------------------------------------------------- */

static const char *const signs[] = {
	[JOP_ADD] = "+", [JOP_SUB] = "-", [JOP_MUL] = "*", [JOP_DIV] = "/", [JOP_FLOORDIV] = "//", [JOP_MOD] = "%",
	[JOP_POW] = "** or pow()", [JOP_NEG] = "-", [JOP_POS] = "+", [JOP_LT] = "<", [JOP_LE] = "<=", [JOP_GT] = ">",
	[JOP_GE] = ">=",
};

static int order_as(struct jx *x, enum jop op, struct jv a, struct jv b, int depth, int *out);

static int order_lists(struct jx *x, enum jop op, const struct jlist *a, const struct jlist *b, int depth, int *out)
{
	for (uint32_t i = 0; i < a->n && i < b->n; i++) {
		if (jv_equal(x->h, a->v[i], b->v[i]))
			continue;
		return order_as(x, op, a->v[i], b->v[i], depth, out);
	}
	*out = (a->n > b->n) - (a->n < b->n);
	return 0;
}

static int order_as(struct jx *x, enum jop op, struct jv a, struct jv b, int depth, int *out)
{
	if (!depth || !jheap_step(x->h, 1))
		return x->h->failed ? jx_limit(x) : jx_raise(x, "maximum recursion depth exceeded in comparison");
	if (a.type == J_UNDEF || b.type == J_UNDEF)
		return jx_raise_undef(x, a.type == J_UNDEF ? a : b);
	if (jv_isint(a) && jv_isint(b)) {
		*out = (jv_asint(a) > jv_asint(b)) - (jv_asint(a) < jv_asint(b));
	} else if (jv_isnum(a) && jv_isnum(b)) {
		*out = (jv_asfloat(a) > jv_asfloat(b)) - (jv_asfloat(a) < jv_asfloat(b));
	} else if (a.type == J_STR && b.type == J_STR) {
		const size_t n = a.len < b.len ? a.len : b.len;
		const int c = jheap_scan(x->h, n) ? memcmp(jstr_p(&a), jstr_p(&b), n) : 0;

		*out = c ? (c > 0) - (c < 0) : (a.len > b.len) - (a.len < b.len);
	} else if (a.type == b.type && (a.type == J_LIST || a.type == J_TUPLE)) {
		return order_lists(x, op, a.u.list, b.u.list, depth - 1, out);
	} else {
		return jx_raise(x, "'%s' not supported between instances of '%s' and '%s'", signs[op], jv_typename(a),
				jv_typename(b));
	}
	return 0;
}

int jx_order(struct jx *x, struct jv a, struct jv b, int *out)
{
	return order_as(x, JOP_LT, a, b, JINJA_MAX_DEPTH, out);
}

int jx_contains(struct jx *x, struct jv box, struct jv v, bool *out)
{
	struct jcursor c;
	struct jv item;
	int rc;

	*out = false;
	if (box.type == J_STR) {
		if (v.type != J_STR)
			return jx_raise(x, "'in <string>' requires string as left operand, not %s", jv_typename(v));
		*out = !v.len || (jheap_scan(x->h, 2 * (size_t)box.len) && memmem(jstr_p(&box), box.len, jstr_p(&v), v.len));
		return 0;
	}
	if (box.type == J_DICT || (box.type == J_VIEW && box.u.view->what == JVIEW_KEYS)) {
		if (!jv_hashable(v))
			return jx_raise(x, "unhashable type: '%s'", jv_typename(v));
		*out = jdict_get(box.type == J_DICT ? box.u.dict : box.u.view->dict, v);
		return 0;
	}
	if (box.type != J_UNDEF && box.type != J_LIST && box.type != J_TUPLE && box.type != J_RANGE &&
	    box.type != J_ITER && box.type != J_VIEW && box.type != J_LOOP)
		return jx_raise(x, "argument of type '%s' is not iterable", jv_typename(box));
	if (jx_cursor(x, box, &c))
		return -1;
	while ((rc = jx_next(x, &c, &item)) > 0) {
		*out = jv_equal(x->h, item, v);
		if (*out)
			return 0;
	}
	return rc;
}

int jx_compare(struct jx *x, enum jop op, struct jv l, struct jv r, bool *out)
{
	int c = 0;

	if (op == JOP_EQ || op == JOP_NE) {
		*out = jv_equal(x->h, l, r) == (op == JOP_EQ);
		return 0;
	}
	if (op == JOP_IN || op == JOP_NOTIN) {
		if (jx_contains(x, r, l, out))
			return -1;
		*out = *out == (op == JOP_IN);
		return 0;
	}
	if (order_as(x, op, l, r, JINJA_MAX_DEPTH, &c))
		return -1;
	if (jv_isnum(l) && jv_isnum(r) && (isnan(jv_asfloat(l)) || isnan(jv_asfloat(r))))
		*out = false;
	else
		*out = op == JOP_LT ? c < 0 : op == JOP_LE ? c <= 0 : op == JOP_GT ? c > 0 : c >= 0;
	return 0;
}

/* -- arithmetic -------------------------------------------------------------------- */

static int overflow(struct jx *x)
{
	return jx_raise(x, "integer does not fit in 64 bits");
}

static int int_pow(struct jx *x, int64_t base, int64_t exp, struct jv *out)
{
	int64_t v = 1;

	if (exp < 0) {
		if (!base)
			return jx_raise(x, "0.0 cannot be raised to a negative power");
		*out = jv_float(pow((double)base, (double)exp));
		return 0;
	}
	if (base == 1 || base == 0 || base == -1) {
		*out = jv_int(base == 0 ? exp == 0 : base == 1 || exp % 2 == 0 ? 1 : -1);
		return 0;
	}
	for (; exp; exp--)
		if (__builtin_mul_overflow(v, base, &v))
			return overflow(x);
	*out = jv_int(v);
	return 0;
}

/* Quotient towards minus infinity; b is not 0. */
static int64_t floor_div(int64_t a, int64_t b)
{
	const int64_t q = a / b;

	return a % b && (a < 0) != (b < 0) ? q - 1 : q;
}

/* What is left has the sign of b. */
static int64_t floor_mod(int64_t a, int64_t b)
{
	const int64_t rest = b == -1 ? 0 : a % b;

	return rest && (rest < 0) != (b < 0) ? rest + b : rest;
}

static int int_binary(struct jx *x, enum jop op, int64_t a, int64_t b, struct jv *out)
{
	int64_t v = 0;
	bool over = false;

	if ((op == JOP_DIV || op == JOP_FLOORDIV || op == JOP_MOD) && !b)
		return jx_raise(x, op == JOP_DIV ? "division by zero" : "integer division or modulo by zero");
	switch (op) {
	case JOP_ADD:
		over = __builtin_add_overflow(a, b, &v);
		break;
	case JOP_SUB:
		over = __builtin_sub_overflow(a, b, &v);
		break;
	case JOP_MUL:
		over = __builtin_mul_overflow(a, b, &v);
		break;
	case JOP_DIV:
		/* 64 bits of mantissa hold both */
		*out = jv_float((double)((long double)a / (long double)b));
		return 0;
	case JOP_POW:
		return int_pow(x, a, b, out);
	case JOP_MOD:
		v = floor_mod(a, b);
		break;
	default:
		over = b == -1 && a == INT64_MIN;
		v = over ? 0 : floor_div(a, b);
	}
	*out = jv_int(v);
	return over ? overflow(x) : 0;
}

/* By the remainder, as Python has it: 1e3 // 0.1 is 9999, since 0.1 is a little more than a tenth. */
static double floor_div_float(double a, double b)
{
	const double rest = fmod(a, b), whole = (a - rest) / b - (rest != 0 && (rest < 0) != (b < 0));
	const double down = floor(whole);

	return !whole ? copysign(0, a / b) : whole - down > 0.5 ? down + 1 : down;
}

static int float_binary(struct jx *x, enum jop op, double a, double b, struct jv *out)
{
	double v;

	if ((op == JOP_DIV || op == JOP_FLOORDIV || op == JOP_MOD) && b == 0)
		return jx_raise(x, op == JOP_DIV ? "float division by zero" : op == JOP_MOD ? "float modulo"
				: "float floor division by zero");
	switch (op) {
	case JOP_ADD:
		v = a + b;
		break;
	case JOP_SUB:
		v = a - b;
		break;
	case JOP_MUL:
		v = a * b;
		break;
	case JOP_DIV:
		v = a / b;
		break;
	case JOP_FLOORDIV:
		v = floor_div_float(a, b);
		break;
	case JOP_MOD:
		v = fmod(a, b);
		if (v != 0 && (v < 0) != (b < 0))
			v += b;
		v = v == 0 ? copysign(0, b) : v;
		break;
	default:
		if (!a && b < 0)
			return jx_raise(x, "0.0 cannot be raised to a negative power");
		if (a < 0 && b != floor(b))
			return jx_raise(x, "complex numbers are not supported");
		v = pow(a, b);
		if (isinf(v) && !isinf(a) && !isinf(b))
			return jx_raise(x, "(34, 'Numerical result out of range')");
	}
	*out = jv_float(v);
	return 0;
}

static int repeat_str(struct jx *x, struct jv s, int64_t n, struct jv *out)
{
	struct jbuf *b;

	if (n > 0 && s.len && n > JINJA_MAX_OUTPUT / s.len) {
		x->h->failed = JFAIL_OUTPUT;
		return jx_limit(x);
	}
	if (n == 1) {
		*out = s;
		return 0;
	}
	b = jbuf_new(x->h, n > 0 ? s.len * (size_t)n : 0);
	for (int64_t i = 0; i < n && s.len && !x->h->failed; i++)
		jbuf_add_str(x->h, b, s);
	*out = jbuf_value(b);
	return 0;
}

static int repeat_list(struct jx *x, struct jv l, int64_t n, struct jv *out)
{
	if (n > 0 && l.u.list->n && n > JINJA_MAX_MEMORY / l.u.list->n) {
		x->h->failed = JFAIL_MEMORY;
		return jx_limit(x);
	}
	*out = jv_list(x->h, l.type, n > 0 ? l.u.list->n * (size_t)n : 0);
	for (int64_t k = 0; k < n && l.u.list->n && !x->h->failed; k++)
		for (uint32_t i = 0; i < l.u.list->n && jheap_step(x->h, 1); i++)
			jlist_add(x->h, out->u.list, l.u.list->v[i]);
	return 0;
}

static int cat_lists(struct jx *x, struct jv l, struct jv r, struct jv *out)
{
	const struct jlist *parts[] = { l.u.list, r.u.list };

	*out = jv_list(x->h, l.type, (size_t)l.u.list->n + r.u.list->n);
	out->user = l.user && r.user;
	for (int k = 0; k < 2; k++)
		for (uint32_t i = 0; i < parts[k]->n && jheap_step(x->h, 1); i++)
			jlist_add(x->h, out->u.list, parts[k]->v[i]);
	return 0;
}

static int cat_strings(struct jx *x, struct jv l, struct jv r, struct jv *out)
{
	const struct jargs none = { 0 };

	if (l.safe != r.safe) {		/* Markup + str escapes the plain side */
		if (jx_filter(x, "escape", l.safe ? r : l, &none, l.safe ? &r : &l))
			return -1;
	}
	*out = jstr_cat(x->h, l, r);
	out->safe = l.safe || r.safe;
	return 0;
}

static bool is_sequence(struct jv v)
{
	return v.type == J_STR || v.type == J_LIST || v.type == J_TUPLE;
}

int jx_binary(struct jx *x, enum jop op, struct jv l, struct jv r, struct jv *out)
{
	struct jargs args = { .v = &r, .n = 1 };

	if (op == JOP_ADD && l.type == J_STR && r.type == J_STR)
		return cat_strings(x, l, r, out);
	if (jv_isint(l) && jv_isint(r))
		return int_binary(x, op, jv_asint(l), jv_asint(r), out);
	if (jv_isnum(l) && jv_isnum(r))
		return float_binary(x, op, jv_asfloat(l), jv_asfloat(r), out);
	if (op == JOP_MOD && l.type == J_STR)
		return jx_filter(x, "%", l, &args, out);
	if (l.type == J_UNDEF || r.type == J_UNDEF)
		return jx_raise_undef(x, l.type == J_UNDEF ? l : r);
	if (op == JOP_MUL && is_sequence(l) && jv_isint(r))
		return (l.type == J_STR ? repeat_str : repeat_list)(x, l, jv_asint(r), out);
	if (op == JOP_MUL && jv_isint(l) && is_sequence(r))
		return (r.type == J_STR ? repeat_str : repeat_list)(x, r, jv_asint(l), out);
	if (op == JOP_ADD && l.type == r.type && is_sequence(l))
		return cat_lists(x, l, r, out);
	if (op == JOP_ADD && is_sequence(l))
		return jx_raise(x, "can only concatenate %s (not \"%s\") to %s", jv_typename(l), jv_typename(r),
				jv_typename(l));
	return jx_raise(x, "unsupported operand type(s) for %s: '%s' and '%s'", signs[op], jv_typename(l), jv_typename(r));
}

/* -- nodes ------------------------------------------------------------------------- */

static int eval_const(struct jx *x, const struct jnode *n, struct jv *out)
{
	(void)x;
	*out = n->u.value;
	return 0;
}

static int eval_name(struct jx *x, const struct jnode *n, struct jv *out)
{
	const uint32_t id = n->u.name.id;
	const struct jv *v = jx_lookup(x, x->frame, id);
	struct jv *global = &x->globals[id];

	if (!v && global->type == J_MISSING) {
		const struct jbuiltin *fn;

		v = jdict_get(x->c->vars, n->u.name.text);
		fn = v ? NULL : jlib_global(&n->u.name.text);
		if (v)
			*global = *v;
		else if (fn)
			*global = (struct jv){ .type = J_FUNC, .u.func = fn };
		else
			*global = jx_undef(x, (struct jv){ .type = J_MISSING }, n->u.name.text);
	}
	*out = v ? *v : *global;
	return 0;
}

static int eval_sequence(struct jx *x, const struct jnode *n, enum jtype type, struct jv *out)
{
	struct jv v;

	*out = jv_list(x->h, type, n->u.items.n);
	for (uint32_t i = 0; i < n->u.items.n && !x->h->failed; i++)
		if (jx_eval(x, n->u.items.p[i], &v) || jlist_add(x->h, out->u.list, v))
			return -1;
	return 0;
}

static int eval_list(struct jx *x, const struct jnode *n, struct jv *out)
{
	return eval_sequence(x, n, J_LIST, out);
}

static int eval_tuple(struct jx *x, const struct jnode *n, struct jv *out)
{
	return eval_sequence(x, n, J_TUPLE, out);
}

static int eval_dict(struct jx *x, const struct jnode *n, struct jv *out)
{
	struct jv k, v;

	*out = jv_dict(x->h, J_DICT);
	for (uint32_t i = 0; i + 1 < n->u.items.n && !x->h->failed; i += 2) {
		if (jx_eval(x, n->u.items.p[i], &k) || jx_eval(x, n->u.items.p[i + 1], &v))
			return -1;
		if (!jv_hashable(k))
			return jx_raise(x, "unhashable type: '%s'", jv_typename(k));
		jdict_set(out->u.dict, k, v);
	}
	return 0;
}

static int eval_binary(struct jx *x, const struct jnode *n, struct jv *out)
{
	struct jv l, r;

	if (jx_eval(x, n->u.two.l, &l) || jx_eval(x, n->u.two.r, &r))
		return -1;
	return jx_binary(x, (enum jop)n->op, l, r, out);
}

static int eval_unary(struct jx *x, const struct jnode *n, struct jv *out)
{
	struct jv v;

	if (jx_eval(x, n->u.one, &v))
		return -1;
	if (v.type == J_UNDEF)
		return jx_raise_undef(x, v);
	if (!jv_isnum(v))
		return jx_raise(x, "bad operand type for unary %s: '%s'", signs[n->op], jv_typename(v));
	if (v.type == J_FLOAT)
		*out = jv_float(n->op == JOP_NEG ? -v.u.f : v.u.f);
	else if (n->op == JOP_NEG && jv_asint(v) == INT64_MIN)
		return overflow(x);
	else
		*out = jv_int(n->op == JOP_NEG ? -jv_asint(v) : jv_asint(v));
	return 0;
}

static int eval_and(struct jx *x, const struct jnode *n, struct jv *out)
{
	if (jx_eval(x, n->u.two.l, out))
		return -1;
	return jv_truth(*out) ? jx_eval(x, n->u.two.r, out) : 0;
}

static int eval_or(struct jx *x, const struct jnode *n, struct jv *out)
{
	if (jx_eval(x, n->u.two.l, out))
		return -1;
	return jv_truth(*out) ? 0 : jx_eval(x, n->u.two.r, out);
}

static int eval_not(struct jx *x, const struct jnode *n, struct jv *out)
{
	struct jv v;

	if (jx_eval(x, n->u.one, &v))
		return -1;
	*out = jv_bool(!jv_truth(v));
	return 0;
}

static int eval_concat(struct jx *x, const struct jnode *n, struct jv *out)
{
	struct jv v;

	*out = jbuf_value(NULL);
	for (uint32_t i = 0; i < n->u.items.n && !x->h->failed; i++) {
		if (jx_eval(x, n->u.items.p[i], &v))
			return -1;
		*out = jstr_cat(x->h, *out, jv_str(x->h, v));
	}
	out->safe = false;
	return 0;
}

static int eval_compare(struct jx *x, const struct jnode *n, struct jv *out)
{
	struct jv l, r;
	bool yes = true;

	if (jx_eval(x, n->u.cmp.first, &l))
		return -1;
	for (uint32_t i = 0; i < n->u.cmp.n && yes; i++) {
		if (jx_eval(x, n->u.cmp.p[i].x, &r) || jx_compare(x, n->u.cmp.p[i].op, l, r, &yes))
			return -1;
		l = r;
	}
	*out = jv_bool(yes);
	return 0;
}

static int eval_cond(struct jx *x, const struct jnode *n, struct jv *out)
{
	struct jv v;
	char *hint;

	if (jx_eval(x, n->u.cond.test, &v))
		return -1;
	if (jv_truth(v))
		return jx_eval(x, n->u.cond.yes, out);
	if (n->u.cond.no)
		return jx_eval(x, n->u.cond.no, out);
	hint = jheap_alloc(x->h, 128);
	if (hint)
		snprintf(hint, 128, "the inline if-expression on line %d evaluated to false and no else section was defined.",
			 n->line);
	*out = jx_undef_hint(x, hint ? hint : "");
	return 0;
}

static int eval_attr(struct jx *x, const struct jnode *n, struct jv *out)
{
	struct jv v;

	return jx_eval(x, n->u.attr.x, &v) || jx_getattr(x, v, n->u.attr.name, n->u.attr.hash, out) ? -1 : 0;
}

static int eval_item(struct jx *x, const struct jnode *n, struct jv *out)
{
	struct jv v, key;

	if (jx_eval(x, n->u.two.l, &v) || jx_eval(x, n->u.two.r, &key))
		return -1;
	return key.type == J_SLICE ? jx_slice(x, v, key.u.range, out) : jx_getitem(x, v, key, out);
}

static int slice_index(struct jx *x, const struct jnode *n, int64_t *v, bool *has)
{
	struct jv i;

	*has = false;
	if (!n)
		return 0;
	if (jx_eval(x, n, &i))
		return -1;
	if (i.type == J_NONE)
		return 0;
	if (!jv_isint(i))
		return jx_raise(x, "slice indices must be integers or None or have an __index__ method");
	*has = true;
	*v = jv_asint(i);
	return 0;
}

static int eval_slice(struct jx *x, const struct jnode *n, struct jv *out)
{
	struct jrange *s = jheap_alloc(x->h, sizeof *s);
	bool has_step;

	if (!s)
		return -1;
	s->step = 1;
	if (slice_index(x, n->u.slice.start, &s->start, &s->has_start) ||
	    slice_index(x, n->u.slice.stop, &s->stop, &s->has_stop) ||
	    slice_index(x, n->u.slice.step, &s->step, &has_step))
		return -1;
	if (!s->step)
		return jx_raise(x, "slice step cannot be zero");
	*out = (struct jv){ .type = J_SLICE, .u.range = s };
	return 0;
}

static int eval_call(struct jx *x, const struct jnode *n, struct jv *out)
{
	struct jargs a;
	struct jv fn;

	return jx_eval(x, n->u.call.x, &fn) || jx_args(x, &n->u.call.args, &a) || jx_call(x, fn, &a, out) ? -1 : 0;
}

static int applied(struct jx *x, const struct jnode *n, const char *what, struct jv *out)
{
	struct jargs a;
	struct jv v = x->piped;
	char name[100];

	if (n->u.apply.x && jx_eval(x, n->u.apply.x, &v))
		return -1;
	if (!n->u.apply.fn)
		return jx_raise(x, "No %s named '%s' found.", what,
				err_quote(name, sizeof name, jstr_p(&n->u.apply.name), n->u.apply.name.len));
	if (jx_args(x, &n->u.apply.args, &a))
		return -1;
	return jx_builtin(x, n->u.apply.fn, v, &a, out);
}

static int eval_filter(struct jx *x, const struct jnode *n, struct jv *out)
{
	return applied(x, n, "filter", out);
}

static int eval_test(struct jx *x, const struct jnode *n, struct jv *out)
{
	if (applied(x, n, "test", out))
		return -1;
	if (n->flag)
		*out = jv_bool(!jv_truth(*out));
	return 0;
}

typedef int eval_fn(struct jx *x, const struct jnode *n, struct jv *out);

static eval_fn *const evals[JN_N] = {
#define JN_EVAL(k, fn) [k] = eval_##fn,
	JN_EXPRS(JN_EVAL)
#undef JN_EVAL
};

int jx_eval(struct jx *x, const struct jnode *n, struct jv *out)
{
	*out = (struct jv){ .type = J_NONE };
	if (jx_enter(x))
		return -1;
	return jx_leave(x, n, x->h->failed ? -1 : evals[n->kind](x, n, out));
}
