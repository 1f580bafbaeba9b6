/* Calls: arguments, binding to parameters, macros, builtins, recursive loops. */
#include "config.h"
#include "engine/text/jinja_eval.h"

#include <string.h>

/* -- arguments --------------------------------------------------------------------- */

static int star_args(struct jx *x, const struct jnode *star, struct jlist *l)
{
	struct jcursor c;
	struct jv v;
	int rc;

	if (jx_eval(x, star, &v) || jx_cursor(x, v, &c))
		return -1;
	while ((rc = jx_next(x, &c, &v)) > 0)
		if (jlist_add(x->h, l, v))
			return jx_limit(x);
	return rc;
}

static int keyword_args(struct jx *x, const struct jcallargs *a, struct jdict *d)
{
	struct jv v;

	for (uint32_t i = 0; i < a->n_kw; i++)
		if (jx_eval(x, a->kw[i].value, &v) || jdict_set(d, a->kw[i].name, v))
			return -1;
	if (!a->dstar)
		return 0;
	if (jx_eval(x, a->dstar, &v))
		return -1;
	if (v.type != J_DICT)
		return jx_raise(x, "argument after ** must be a mapping, not %s", jv_typename(v));
	for (uint32_t i = 0; i < v.u.dict->n && jheap_step(x->h, 1); i++) {
		if (v.u.dict->e[i].key.type != J_STR)
			return jx_raise(x, "keywords must be strings");
		if (jdict_set(d, v.u.dict->e[i].key, v.u.dict->e[i].val))
			return -1;
	}
	return 0;
}

int jx_args(struct jx *x, const struct jcallargs *a, struct jargs *out)
{
	struct jv l, d;
	struct jv v;

	*out = (struct jargs){ 0 };
	if (a->pos.n || a->star) {
		l = jv_list(x->h, J_LIST, a->pos.n);
		for (uint32_t i = 0; i < a->pos.n && !x->h->failed; i++)
			if (jx_eval(x, a->pos.p[i], &v) || jlist_add(x->h, l.u.list, v))
				return -1;
		if (x->h->failed || (a->star && star_args(x, a->star, l.u.list)))
			return -1;
		out->v = l.u.list->v;
		out->n = l.u.list->n;
	}
	if (a->n_kw || a->dstar) {
		d = jv_dict(x->h, J_DICT);
		if (x->h->failed || keyword_args(x, a, d.u.dict))
			return -1;
		out->kw = d.u.dict->e;
		out->n_kw = d.u.dict->n;
	}
	return 0;
}

/* -- builtins ---------------------------------------------------------------------- */

/* Place of a keyword among "a b c", or -1; *n counts them all. */
static int param_index(const char *params, const struct jv *key, int *n)
{
	int found = -1, k = 0;

	for (const char *p = params; *p; k++) {
		const size_t len = strcspn(p, " ");

		if (key && key->len == len && !memcmp(jstr_p(key), p, len))
			found = k;
		p += len;
		p += *p == ' ';
	}
	*n = k;
	return found;
}

int jx_builtin(struct jx *x, const struct jbuiltin *fn, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jv slots[JARGS_MAX];
	struct jargs bound = { .v = slots };
	char name[64];
	int n, k;

	if (fn->params && fn->params[0] == '*')
		return fn->fn(x, self, a, out);
	for (int i = 0; i < JARGS_MAX; i++)
		slots[i] = (struct jv){ .type = J_MISSING };
	param_index(fn->params ? fn->params : "", NULL, &n);
	if (a->n > (uint32_t)n)
		return jx_raise(x, "%s() takes at most %d argument%s (%u given)", fn->name, n, n == 1 ? "" : "s", a->n);
	for (uint32_t i = 0; i < a->n; i++)
		slots[i] = a->v[i];
	for (uint32_t i = 0; i < a->n_kw; i++) {
		k = param_index(fn->params ? fn->params : "", &a->kw[i].key, &n);
		err_quote(name, sizeof name, jstr_p(&a->kw[i].key), a->kw[i].key.len);
		if (k < 0)
			return jx_raise(x, "%s() got an unexpected keyword argument '%s'", fn->name, name);
		if (slots[k].type != J_MISSING)
			return jx_raise(x, "%s() got multiple values for argument '%s'", fn->name, name);
		slots[k] = a->kw[i].val;
	}
	for (int i = 0; i < fn->required; i++)
		if (slots[i].type == J_MISSING)
			return jx_raise(x, "%s() is missing a required argument", fn->name);
	bound.n = (uint32_t)n;
	return fn->fn(x, self, &bound, out);
}

int jx_filter(struct jx *x, const char *name, struct jv self, const struct jargs *a, struct jv *out)
{
	const struct jv n = jstr_z(x->h, name);
	const struct jbuiltin *fn = jlib_filter(&n);

	return fn ? jx_builtin(x, fn, self, a, out) : jx_raise(x, "No filter named '%s'.", name);
}

/* -- macros ------------------------------------------------------------------------ */

static struct jv missing_param(struct jx *x, const struct jparam *p)
{
	struct jbuf *b = jbuf_new(x->h, 0);

	jbuf_adds(x->h, b, "parameter ", JTAG_TEMPLATE);
	jv_repr(x->h, b, p->text);
	jbuf_add(x->h, b, " was not provided", 18, JTAG_TEMPLATE);	/* with its NUL */
	return jx_undef_hint(x, x->h->failed ? "" : b->p);
}

static const char *macro_name(const struct jsignature *sig, char *buf, size_t size)
{
	if (sig->name.type != J_STR)
		return "None";
	return err_quote(buf, size, jstr_p(&sig->name), sig->name.len);
}

static int param_of(const struct jsignature *sig, const struct jv *key)
{
	for (uint32_t i = 0; i < sig->n; i++)
		if (sig->params[i].text.len == key->len && !memcmp(jstr_p(&sig->params[i].text), jstr_p(key), key->len))
			return (int)i;
	return -1;
}

/* Keywords into slots; what no parameter takes goes to kwargs or caller. */
static int bind_keywords(struct jx *x, const struct jsignature *sig, const struct jargs *a, struct jv *slots,
			 struct jdict *rest)
{
	char name[64], macro[64];

	for (uint32_t i = 0; i < a->n_kw; i++) {
		const struct jv key = a->kw[i].key;
		const int k = param_of(sig, &key);

		err_quote(name, sizeof name, jstr_p(&key), key.len);
		if (k >= 0) {
			if (slots[k].type != J_MISSING)
				return jx_raise(x, "macro '%s' takes no keyword argument '%s'",
						macro_name(sig, macro, sizeof macro), name);
			slots[k] = a->kw[i].val;
		} else if (sig->caller && jstr_is(&key, "caller")) {
			if (jx_store(x, x->frame, JNAME_CALLER, a->kw[i].val))
				return -1;
		} else if (!sig->kwargs && jstr_is(&key, "caller")) {
			return jx_raise(x, "macro '%s' was invoked with two values for the special caller argument. "
					"This is most likely a bug.", macro_name(sig, macro, sizeof macro));
		} else if (!sig->kwargs) {
			return jx_raise(x, "macro '%s' takes no keyword argument '%s'",
					macro_name(sig, macro, sizeof macro), name);
		} else if (jdict_set(rest, key, a->kw[i].val)) {
			return -1;
		}
	}
	return 0;
}

static int bind_specials(struct jx *x, const struct jsignature *sig, const struct jargs *a, struct jv rest)
{
	struct jv extra;

	if (sig->varargs) {
		extra = jv_list(x->h, J_TUPLE, 0);
		for (uint32_t i = sig->n; i < a->n && !x->h->failed; i++)
			jlist_add(x->h, extra.u.list, a->v[i]);
		if (x->h->failed || jx_store(x, x->frame, JNAME_VARARGS, extra))
			return -1;
	}
	return sig->kwargs ? jx_store(x, x->frame, JNAME_KWARGS, rest) : 0;
}

/* x->frame is the macro's own. */
static int bind_macro(struct jx *x, const struct jsignature *sig, const struct jargs *a)
{
	struct jv *slots = jheap_array(x->h, sig->n + 1, sizeof *slots);
	const struct jv rest = jv_dict(x->h, J_DICT), undefined = { .type = J_MISSING };
	char macro[64];

	if (x->h->failed)
		return -1;
	if (a->n > sig->n && !sig->varargs)
		return jx_raise(x, "macro '%s' takes not more than %u argument(s)", macro_name(sig, macro, sizeof macro), sig->n);
	for (uint32_t i = 0; i < sig->n; i++)
		slots[i] = i < a->n ? a->v[i] : undefined;
	if (sig->caller && jx_store(x, x->frame, JNAME_CALLER, jx_undef_hint(x, "No caller defined")))
		return -1;
	if (bind_keywords(x, sig, a, slots, rest.u.dict))
		return -1;
	for (uint32_t i = 0; i < sig->n; i++) {
		struct jv v = slots[i];

		if (v.type == J_MISSING && sig->params[i].def) {
			if (jx_eval(x, sig->params[i].def, &v))
				return -1;
		} else if (v.type == J_MISSING) {
			v = missing_param(x, &sig->params[i]);
		}
		if (jx_store(x, x->frame, sig->params[i].name, v))
			return -1;
	}
	return bind_specials(x, sig, a, rest);
}

static int call_macro(struct jx *x, struct jmacro *m, const struct jargs *a, struct jv *out)
{
	struct jframe *const was = x->frame;
	int rc;

	if (++x->depth > JINJA_MAX_DEPTH)
		return err_set(x->e, ERR_LIMIT, "the chat template is nested too deeply");
	x->frame = jx_frame(x, m->env);
	rc = !x->frame || bind_macro(x, m->sig, a) || jx_capture(x, &m->sig->body, out) ? -1 : 0;
	x->frame = was;
	x->depth--;
	return rc;
}

/* -- anything that can be called --------------------------------------------------- */

static int call_loop(struct jx *x, struct jloop *l, const struct jargs *a, struct jv *out)
{
	struct jbuf *const was = x->out;
	int rc;

	if (!l->node->flag)
		return jx_raise(x, "The loop must have the 'recursive' marker to be called recursively.");
	if (a->n != 1 || a->n_kw)
		return jx_raise(x, "loop() takes one argument");
	x->out = jbuf_new(x->h, 0);
	rc = x->out ? jx_loop(x, l->node, l->env, a->v[0], l->depth0 + 1) : -1;
	*out = jbuf_value(x->out);
	x->out = was;
	return rc;
}

static int call_cycler(struct jx *x, struct jcycler *c, const struct jargs *a, struct jv *out)
{
	(void)x;
	(void)a;
	*out = c->at ? c->sep : jbuf_value(NULL);	/* a joiner: nothing the first time */
	c->at = 1;
	return 0;
}

int jx_call(struct jx *x, struct jv fn, const struct jargs *a, struct jv *out)
{
	switch (fn.type) {
	case J_FUNC:
		return jx_builtin(x, fn.u.func, (struct jv){ .type = J_MISSING }, a, out);
	case J_METHOD:
		return jx_builtin(x, fn.u.method->fn, fn.u.method->self, a, out);
	case J_MACRO:
		return call_macro(x, fn.u.macro, a, out);
	case J_LOOP:
		return call_loop(x, fn.u.loop, a, out);
	case J_JOINER:
		return call_cycler(x, fn.u.cycler, a, out);
	case J_UNDEF:
		return jx_raise_undef(x, fn);
	default:
		return jx_raise(x, "'%s' object is not callable", jv_typename(fn));
	}
}
