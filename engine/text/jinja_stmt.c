/* Running statements: scopes, loops, assignments, captured output. */
#include "config.h"
#include "engine/text/jinja_eval.h"

#include <string.h>

/* -- scopes ------------------------------------------------------------------------ */

struct jframe *jx_frame(struct jx *x, struct jframe *up)
{
	struct jframe *f = jheap_alloc(x->h, sizeof *f);

	if (f)
		f->up = up;
	return f;
}

enum { SLOTS_A_STEP = 32 };	/* names looked at that count as a step of work */

struct jv *jx_lookup(struct jx *x, struct jframe *f, uint32_t name)
{
	for (; f; f = f->up) {
		for (uint32_t i = 0; i < f->n; i++)
			if (f->slots[i].name == name)
				return jheap_step(x->h, i / SLOTS_A_STEP) ? &f->slots[i].v : NULL;
		if (!jheap_step(x->h, f->n / SLOTS_A_STEP))
			break;
	}
	return NULL;
}

int jx_store(struct jx *x, struct jframe *f, uint32_t name, struct jv v)
{
	struct jslot *s;

	for (uint32_t i = 0; i < f->n; i++) {
		if (f->slots[i].name == name) {
			f->slots[i].v = v;
			return 0;
		}
	}
	jheap_step(x->h, f->n / SLOTS_A_STEP);
	s = jheap_more(x->h, f->slots, f->n, &f->room, sizeof *s);
	if (!s)
		return -1;
	f->slots = s;
	s[f->n++] = (struct jslot){ name, v };
	return 0;
}

/* Targets "name.attribute" are looked at before the value is. */
static int check_namespaces(struct jx *x, const struct jnode *target)
{
	const struct jv *ns;

	for (uint32_t i = 0; target->kind == JN_TUPLE && i < target->u.items.n; i++)
		if (check_namespaces(x, target->u.items.p[i]))
			return -1;
	if (target->kind != JN_NSREF)
		return 0;
	ns = jx_lookup(x, x->frame, target->u.ns.id);
	return ns && ns->type == J_NS ? 0 : jx_raise(x, "cannot assign attribute on non-namespace object");
}

static int assign_tuple(struct jx *x, const struct jnodes *targets, struct jv v)
{
	struct jlist *l;

	if (v.type == J_NONE || jv_isnum(v) || v.type == J_FUNC || v.type == J_METHOD || v.type == J_MACRO || v.type == J_NS)
		return jx_raise(x, "cannot unpack non-iterable %s object", jv_typename(v));
	if (v.type == J_LIST || v.type == J_TUPLE)
		l = v.u.list;
	else if (jx_list(x, v, &l))
		return -1;
	if (l->n < targets->n)
		return jx_raise(x, "not enough values to unpack (expected %u, got %u)", targets->n, l->n);
	if (l->n > targets->n)
		return jx_raise(x, "too many values to unpack (expected %u)", targets->n);
	for (uint32_t i = 0; i < targets->n; i++)
		if (jx_assign(x, targets->p[i], l->v[i]))
			return -1;
	return 0;
}

int jx_assign(struct jx *x, const struct jnode *target, struct jv v)
{
	struct jv *ns;

	if (target->kind == JN_NAME)
		return jx_store(x, x->frame, target->u.name.id, v);
	if (target->kind == JN_TUPLE)
		return assign_tuple(x, &target->u.items, v);
	ns = jx_lookup(x, x->frame, target->u.ns.id);
	if (!ns || ns->type != J_NS)
		return jx_raise(x, "cannot assign attribute on non-namespace object");
	return jdict_set(ns->u.dict, target->u.ns.attr, v);
}

int jx_capture(struct jx *x, const struct jnodes *body, struct jv *out)
{
	struct jbuf *const was = x->out;
	int rc;

	x->out = jbuf_new(x->h, 0);
	rc = x->out ? jx_run(x, body) : -1;
	*out = jbuf_value(x->out);
	x->out = was;
	return rc;
}

/* -- statements -------------------------------------------------------------------- */

static int run_data(struct jx *x, const struct jnode *n)
{
	jbuf_add_str(x->h, x->out, n->u.value);
	return 0;
}

static int run_print(struct jx *x, const struct jnode *n)
{
	struct jv v;

	for (uint32_t i = 0; i < n->u.items.n; i++) {
		if (jx_eval(x, n->u.items.p[i], &v))
			return -1;
		jv_print(x->h, x->out, v);
	}
	return 0;
}

static int run_if(struct jx *x, const struct jnode *n)
{
	const struct jnodes *rest;
	struct jv v;

	for (;; n = rest->p[0]) {
		rest = &n->u.branch.orelse;
		if (jx_eval(x, n->u.branch.test, &v))
			return -1;
		if (jv_truth(v))
			return jx_run(x, &n->u.branch.body);
		/* an elif goes on here */
		if (rest->n != 1 || rest->p[0]->kind != JN_IF || !rest->p[0]->flag)
			return jx_run(x, rest);
	}
}

static int run_set(struct jx *x, const struct jnode *n)
{
	struct jv v;

	return check_namespaces(x, n->u.set.target) || jx_eval(x, n->u.set.value, &v) ||
	       jx_assign(x, n->u.set.target, v) ? -1 : 0;
}

static int run_body_in(struct jx *x, const struct jnodes *body)
{
	struct jframe *const was = x->frame;
	int rc;

	x->frame = jx_frame(x, was);
	rc = x->frame ? jx_run(x, body) : -1;
	x->frame = was;
	return rc;
}

/* The body's output, through the filters that stand in the tag. */
static int captured(struct jx *x, const struct jnode *n, struct jv *out)
{
	struct jframe *const was = x->frame;
	int rc;

	x->frame = jx_frame(x, was);
	rc = x->frame ? jx_capture(x, &n->u.capture.body, out) : -1;
	x->frame = was;
	if (rc || !n->u.capture.filter)
		return rc;
	x->piped = *out;
	return jx_eval(x, n->u.capture.filter, out);
}

static int run_setblock(struct jx *x, const struct jnode *n)
{
	struct jv v;

	return captured(x, n, &v) || jx_assign(x, n->u.capture.target, v) ? -1 : 0;
}

static int run_filterblock(struct jx *x, const struct jnode *n)
{
	struct jv v;

	if (captured(x, n, &v))
		return -1;
	jv_print(x->h, x->out, v);
	return 0;
}

static int make_macro(struct jx *x, const struct jsignature *sig, struct jv *out)
{
	struct jmacro *m = jheap_alloc(x->h, sizeof *m);

	if (!m)
		return -1;
	*m = (struct jmacro){ .sig = sig, .env = x->frame };
	for (struct jframe *f = x->frame; f && !f->kept; f = f->up)
		f->kept = true;
	*out = (struct jv){ .type = J_MACRO, .u.macro = m };
	return 0;
}

static int run_macro(struct jx *x, const struct jnode *n)
{
	struct jv m;

	return make_macro(x, &n->u.macro.sig, &m) || jx_store(x, x->frame, n->u.macro.id, m) ? -1 : 0;
}

static int run_callblock(struct jx *x, const struct jnode *n)
{
	const struct jnode *call = n->u.macro.call;
	struct jentry *kw;
	struct jargs a;
	struct jv fn, v, caller;

	if (jx_eval(x, call->u.call.x, &fn) || jx_args(x, &call->u.call.args, &a) ||
	    make_macro(x, &n->u.macro.sig, &caller))
		return -1;
	kw = jheap_array(x->h, a.n_kw + 1, sizeof *kw);
	if (!kw)
		return -1;
	if (a.n_kw)
		memcpy(kw, a.kw, a.n_kw * sizeof *kw);
	kw[a.n_kw++] = (struct jentry){ .key = x->t->names.text[JNAME_CALLER], .val = caller };
	a.kw = kw;
	if (jx_call(x, fn, &a, &v))
		return -1;
	jv_print(x->h, x->out, v);
	return 0;
}

static int run_with(struct jx *x, const struct jnode *n)
{
	struct jframe *const was = x->frame, *inner = jx_frame(x, was);
	struct jv v;
	int rc = 0;

	for (uint32_t i = 0; inner && i < n->u.with.targets.n && !rc; i++) {
		rc = jx_eval(x, n->u.with.values.p[i], &v);	/* values see the scope outside */
		x->frame = inner;
		rc = rc || jx_assign(x, n->u.with.targets.p[i], v);
		x->frame = was;
	}
	if (!inner || rc)
		return -1;
	x->frame = inner;
	rc = jx_run(x, &n->u.with.body);
	x->frame = was;
	return rc;
}

static int run_scope(struct jx *x, const struct jnode *n)
{
	return run_body_in(x, &n->u.with.body);
}

static int run_break(struct jx *x, const struct jnode *n)
{
	(void)n;
	x->flow = JFLOW_BREAK;
	return 0;
}

static int run_continue(struct jx *x, const struct jnode *n)
{
	(void)n;
	x->flow = JFLOW_CONTINUE;
	return 0;
}

/* -- loops ------------------------------------------------------------------------- */

/* Does the loop's condition hold for this item? */
static int passes(struct jx *x, struct jloop *l, struct jv item, bool *yes)
{
	struct jframe *const was = x->frame;
	struct jv v;
	int rc;

	*yes = true;
	if (!l->test)
		return 0;
	x->frame = l->test;
	l->test->n = 0;
	rc = jx_assign(x, l->node->u.loop.target, item) || jx_eval(x, l->node->u.loop.test, &v);
	x->frame = was;
	*yes = !rc && jv_truth(v);
	return rc ? -1 : 0;
}

int jx_loop_fetch(struct jx *x, struct jloop *l, struct jv *out)
{
	bool yes = false;
	int rc;

	while (!yes) {
		rc = jx_next(x, &l->cursor, out);
		if (rc <= 0)
			return rc;
		if (passes(x, l, *out, &yes))
			return -1;
	}
	return 1;
}

static int loop_turn(struct jx *x, struct jloop *l)
{
	const struct jv self = { .type = J_LOOP, .u.loop = l };
	int rc = 1;

	l->prev = l->now;
	if (l->has_ahead)
		l->now = l->ahead;
	else
		rc = jx_loop_fetch(x, l, &l->now);
	l->has_ahead = false;
	if (rc <= 0)
		return rc;
	l->index0++;
	if (l->frame->kept) {
		l->frame = jx_frame(x, l->env);
		if (!l->frame)
			return -1;
	}
	x->frame = l->frame;
	l->frame->n = 0;
	if (jx_store(x, l->frame, JNAME_LOOP, self) || jx_assign(x, l->node->u.loop.target, l->now) ||
	    jx_run(x, &l->node->u.loop.body))
		return -1;
	l->whole |= x->flow == JFLOW_ON;
	if (x->flow == JFLOW_BREAK)
		rc = 0;
	x->flow = JFLOW_ON;
	return rc;
}

int jx_loop(struct jx *x, const struct jnode *n, struct jframe *env, struct jv items, int64_t depth0)
{
	struct jframe *const was = x->frame;
	struct jloop *l = jheap_alloc(x->h, sizeof *l);
	int rc;

	if (!l)
		return -1;
	*l = (struct jloop){ .node = n, .env = env, .frame = jx_frame(x, env), .index0 = -1, .depth0 = depth0 };
	if (n->u.loop.test)
		l->test = jx_frame(x, env);
	if (x->h->failed || jx_cursor(x, items, &l->cursor))
		return -1;
	if (++x->depth > JINJA_MAX_DEPTH)
		return err_set(x->e, ERR_LIMIT, "the chat template is nested too deeply");
	do
		rc = loop_turn(x, l);
	while (rc > 0);
	x->frame = was;
	x->depth--;
	if (rc || l->whole)
		return rc;
	return run_body_in(x, &n->u.loop.orelse);
}

static int run_for(struct jx *x, const struct jnode *n)
{
	struct jv items;

	return jx_eval(x, n->u.loop.iter, &items) || jx_loop(x, n, x->frame, items, 0) ? -1 : 0;
}

/* -- dispatch ---------------------------------------------------------------------- */

typedef int run_fn(struct jx *x, const struct jnode *n);

static run_fn *const runs[JN_N] = {
#define JN_RUN(k, fn) [k] = run_##fn,
	JN_STMTS(JN_RUN)
#undef JN_RUN
};

int jx_stmt(struct jx *x, const struct jnode *n)
{
	if (jx_enter(x))
		return -1;
	return jx_leave(x, n, x->h->failed ? -1 : runs[n->kind](x, n));
}

int jx_run(struct jx *x, const struct jnodes *body)
{
	for (uint32_t i = 0; i < body->n && x->flow == JFLOW_ON; i++)
		if (jx_stmt(x, body->p[i]))
			return -1;
	return 0;
}
