/* Look-up in the tables, the global functions, and the methods of lists, dicts and helpers. */
#include "config.h"
#include "engine/text/jinja_eval.h"

#include <math.h>
#include <string.h>
#include <time.h>

/* -- globals ----------------------------------------------------------------------- */

static int fn_raise_exception(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const struct jv s = jv_str(x->h, a->v[0]);

	(void)self;
	(void)out;
	return jx_raise_text(x, jstr_p(&s), s.len);
}

/* The format ends in a character of its own, so that an empty time is told from one without room. */
static int print_time(struct jx *x, const char *fmt, size_t room, const char **text, size_t *n)
{
	char *p = NULL;

	for (*n = 0; !*n && !x->h->failed && room <= JINJA_MAX_OUTPUT; room *= 4) {
		p = jheap_array(x->h, room, 1);
		*n = p && jheap_walk(x->h, room) ? strftime(p, room, fmt, &x->c->now) : 0;
	}
	if (!*n && !x->h->failed)
		x->h->failed = JFAIL_OUTPUT;
	*text = p;
	return x->h->failed ? jx_limit(x) : 0;
}

static int fn_strftime_now(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jbuf *b = jbuf_new(x->h, 0);
	struct jv fmt = jv_str(x->h, a->v[0]);
	const char *text;
	size_t n;

	(void)self;
	if (memchr(jstr_p(&fmt), '\0', fmt.len))
		return jx_raise(x, "embedded null character");
	if (!x->c->now_set) {
		const time_t t = time(NULL);

		localtime_r(&t, &x->c->now);
		x->c->now_set = true;
	}
	jbuf_add_str(x->h, b, fmt);
	jbuf_add(x->h, b, ".", 2, JTAG_TEMPLATE);
	if (x->h->failed)
		return jx_limit(x);
	if (print_time(x, b->p, 128 + 4 * (size_t)fmt.len, &text, &n))
		return -1;
	*out = jstr(x->h, text, n - 1, jstr_any(&fmt));
	return 0;
}

static int range_arg(struct jx *x, struct jv v, int64_t *out)
{
	if (v.type == J_UNDEF)
		return jx_raise_undef(x, v);
	if (!jv_isint(v))
		return jx_raise(x, "'%s' object cannot be interpreted as an integer", jv_typename(v));
	*out = jv_asint(v);
	return 0;
}

static int fn_range(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jrange *r = jheap_alloc(x->h, sizeof *r);
	const bool two = a->v[1].type != J_MISSING;
	const int64_t far = INT64_MAX / 4;

	(void)self;
	if (!r)
		return jx_limit(x);
	r->step = 1;
	if (range_arg(x, a->v[0], two ? &r->start : &r->stop) || (two && range_arg(x, a->v[1], &r->stop)) ||
	    (a->v[2].type != J_MISSING && range_arg(x, a->v[2], &r->step)))
		return -1;
	if (!r->step)
		return jx_raise(x, "range() arg 3 must not be zero");
	if (r->start > far || r->start < -far || r->stop > far || r->stop < -far || r->step > far || r->step < -far ||
	    jrange_len(r) > JINJA_MAX_RANGE)
		return err_set(x->e, ERR_LIMIT,
			       "Range too big. The sandbox blocks ranges larger than MAX_RANGE (%d).", JINJA_MAX_RANGE);
	*out = (struct jv){ .type = J_RANGE, .u.range = r };
	return 0;
}

static int add_pairs(struct jx *x, struct jdict *d, struct jv src)
{
	struct jcursor c;
	struct jlist *pair;
	struct jv v;
	int rc;

	if (src.type == J_DICT) {
		for (uint32_t i = 0; i < src.u.dict->n && jheap_step(x->h, 1); i++)
			if (jdict_set(d, src.u.dict->e[i].key, src.u.dict->e[i].val))
				return jx_limit(x);
		return 0;
	}
	if (jx_cursor(x, src, &c))
		return -1;
	while ((rc = jx_next(x, &c, &v)) > 0) {
		if (jx_list(x, v, &pair))
			return -1;
		if (pair->n != 2)
			return jx_raise(x, "dictionary update sequence element has length %u; 2 is required", pair->n);
		if (!jv_hashable(pair->v[0]))
			return jx_raise(x, "unhashable type: '%s'", jv_typename(pair->v[0]));
		if (jdict_set(d, pair->v[0], pair->v[1]))
			return jx_limit(x);
	}
	return rc;
}

static int make_dict(struct jx *x, enum jtype type, const struct jargs *a, struct jv *out)
{
	*out = jv_dict(x->h, type);
	if (x->h->failed)
		return jx_limit(x);
	if (a->n > 1)
		return jx_raise(x, "expected at most 1 argument, got %u", a->n);
	if (a->n && add_pairs(x, out->u.dict, a->v[0]))
		return -1;
	for (uint32_t i = 0; i < a->n_kw; i++)
		if (jdict_set(out->u.dict, a->kw[i].key, a->kw[i].val))
			return jx_limit(x);
	return 0;
}

static int fn_dict(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)self;
	return make_dict(x, J_DICT, a, out);
}

static int fn_namespace(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)self;
	return make_dict(x, J_NS, a, out);
}

static int helper(struct jx *x, enum jtype type, const struct jargs *a, struct jv *out)
{
	struct jcycler *c = jheap_alloc(x->h, sizeof *c);
	const struct jv l = jv_list(x->h, J_LIST, a->n);

	if (x->h->failed)
		return jx_limit(x);
	for (uint32_t i = 0; i < a->n; i++)
		jlist_add(x->h, l.u.list, a->v[i]);
	c->list = l.u.list;
	*out = (struct jv){ .type = (uint8_t)type, .u.cycler = c };
	return 0;
}

static int fn_cycler(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)self;
	if (!a->n)
		return jx_raise(x, "at least one item has to be provided");
	return helper(x, J_CYCLER, a, out);
}

static int fn_joiner(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const struct jargs none = { 0 };

	(void)self;
	if (helper(x, J_JOINER, &none, out))
		return -1;
	out->u.cycler->sep = a->v[0].type == J_MISSING ? jstr_z(x->h, ", ") : a->v[0];
	return 0;
}

const struct jbuiltin jlib_globals[] = {
	{ "raise_exception", fn_raise_exception, "message", 1 },
	{ "strftime_now", fn_strftime_now, "format", 1 },
	{ "range", fn_range, "start stop step", 1 },
	{ "namespace", fn_namespace, "*", 0 },
	{ "dict", fn_dict, "*", 0 },
	{ "cycler", fn_cycler, "*", 0 },
	{ "joiner", fn_joiner, "sep", 0 },
	{ NULL, NULL, NULL, 0 },
};

/* -- methods of lists -------------------------------------------------------------- */

static int fn_append(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	*out = jv_none();
	return jlist_add(x->h, self.u.list, a->v[0]) ? jx_limit(x) : 0;
}

static int fn_extend(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jlist *l;

	*out = jv_none();
	if (jx_list(x, a->v[0], &l))
		return -1;
	for (uint32_t i = 0; i < l->n; i++)
		if (jlist_add(x->h, self.u.list, l->v[i]))
			return jx_limit(x);
	return 0;
}

static int fn_insert(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jlist *l = self.u.list;
	int64_t at = 0;

	if (range_arg(x, a->v[0], &at))
		return -1;
	if (at < 0)
		at = at < -(int64_t)l->n ? 0 : at + l->n;
	if (at > l->n)
		at = l->n;
	if (!jheap_step(x->h, l->n / 64) || jlist_add(x->h, l, a->v[1]))
		return jx_limit(x);
	memmove(l->v + at + 1, l->v + at, (size_t)(l->n - 1 - at) * sizeof *l->v);
	l->v[at] = a->v[1];
	*out = jv_none();
	return 0;
}

static int fn_pop(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jlist *l = self.u.list;
	int64_t at = -1;

	if (a->v[0].type != J_MISSING && range_arg(x, a->v[0], &at))
		return -1;
	if (!l->n)
		return jx_raise(x, "pop from empty list");
	at = at < 0 ? at + l->n : at;
	if (at < 0 || at >= l->n)
		return jx_raise(x, "pop index out of range");
	*out = l->v[at];
	jheap_step(x->h, l->n / 64);
	memmove(l->v + at, l->v + at + 1, (size_t)(l->n - 1 - at) * sizeof *l->v);
	l->n--;
	return 0;
}

static int fn_clear(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)x;
	(void)a;
	self.u.list->n = 0;
	*out = jv_none();
	return 0;
}

static int fn_list_copy(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jlist *l;

	(void)a;
	if (jx_list(x, self, &l))
		return -1;
	*out = (struct jv){ .type = J_LIST, .user = self.user, .u.list = l };
	return 0;
}

static int fn_list_index(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jbuf *b;
	struct jv s;

	for (uint32_t i = 0; i < self.u.list->n; i++) {
		if (!jheap_step(x->h, 1))
			return jx_limit(x);
		if (jv_equal(x->h, self.u.list->v[i], a->v[0])) {
			*out = jv_int(i);
			return 0;
		}
	}
	b = jbuf_new(x->h, 0);
	jv_repr(x->h, b, a->v[0]);
	jbuf_adds(x->h, b, " is not in list", JTAG_TEMPLATE);
	s = jbuf_value(b);
	return jx_raise_text(x, jstr_p(&s), s.len);
}

static int fn_list_count(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	int64_t n = 0;

	for (uint32_t i = 0; i < self.u.list->n && jheap_step(x->h, 1); i++)
		n += jv_equal(x->h, self.u.list->v[i], a->v[0]);
	*out = jv_int(n);
	return 0;
}

static const struct jbuiltin list_methods[] = {
	{ "append", fn_append, "object", 1 },
	{ "extend", fn_extend, "iterable", 1 },
	{ "insert", fn_insert, "index object", 2 },
	{ "pop", fn_pop, "index", 0 },
	{ "clear", fn_clear, NULL, 0 },
	{ "copy", fn_list_copy, NULL, 0 },
	{ "index", fn_list_index, "value", 1 },
	{ "count", fn_list_count, "value", 1 },
	{ NULL, NULL, NULL, 0 },
};

static const struct jbuiltin tuple_methods[] = {
	{ "index", fn_list_index, "value", 1 },
	{ "count", fn_list_count, "value", 1 },
	{ NULL, NULL, NULL, 0 },
};

/* -- methods of dicts -------------------------------------------------------------- */

static int fn_get(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const struct jv *v;

	if (!jv_hashable(a->v[0]))
		return jx_raise(x, "unhashable type: '%s'", jv_typename(a->v[0]));
	v = jdict_get(self.u.dict, a->v[0]);
	*out = v ? *v : a->v[1].type == J_MISSING ? jv_none() : a->v[1];
	return 0;
}

static int view(struct jx *x, struct jv self, int what, struct jv *out)
{
	struct jview *v = jheap_alloc(x->h, sizeof *v);

	if (!v)
		return jx_limit(x);
	v->dict = self.u.dict;
	v->what = what;
	*out = (struct jv){ .type = J_VIEW, .user = self.user, .u.view = v };
	return 0;
}

static int fn_keys(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)a;
	return view(x, self, JVIEW_KEYS, out);
}

static int fn_values(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)a;
	return view(x, self, JVIEW_VALUES, out);
}

static int fn_items(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)a;
	return view(x, self, JVIEW_ITEMS, out);
}

static int fn_dict_copy(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)a;
	*out = jv_dict(x->h, J_DICT);
	out->user = self.user;
	return x->h->failed || add_pairs(x, out->u.dict, self) ? jx_limit(x) : 0;
}

static const struct jbuiltin dict_methods[] = {
	{ "get", fn_get, "key default", 1 },
	{ "items", fn_items, NULL, 0 },
	{ "keys", fn_keys, NULL, 0 },
	{ "values", fn_values, NULL, 0 },
	{ "copy", fn_dict_copy, NULL, 0 },
	{ NULL, NULL, NULL, 0 },
};

/* -- methods of loop, cycler, float ------------------------------------------------ */

static int fn_cycle(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	if (!a->n)
		return jx_raise(x, "no items for cycling given");
	*out = a->v[(uint64_t)self.u.loop->index0 % a->n];
	return 0;
}

static int fn_changed(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jv now = jv_list(x->h, J_TUPLE, a->n);

	for (uint32_t i = 0; i < a->n && !x->h->failed; i++)
		jlist_add(x->h, now.u.list, a->v[i]);
	if (x->h->failed)
		return jx_limit(x);
	*out = jv_bool(self.u.loop->changed.type != J_TUPLE || !jv_equal(x->h, self.u.loop->changed, now));
	self.u.loop->changed = now;
	return 0;
}

static int fn_cycler_next(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jcycler *c = self.u.cycler;

	(void)x;
	(void)a;
	*out = c->list->v[c->at];
	c->at = (c->at + 1) % c->list->n;
	return 0;
}

static int fn_cycler_reset(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)x;
	(void)a;
	self.u.cycler->at = 0;
	*out = jv_none();
	return 0;
}

static int fn_is_integer(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)x;
	(void)a;
	*out = jv_bool(isfinite(self.u.f) && self.u.f == trunc(self.u.f));
	return 0;
}

static const struct jbuiltin loop_methods[] = {
	{ "cycle", fn_cycle, "*", 0 },
	{ "changed", fn_changed, "*", 0 },
	{ NULL, NULL, NULL, 0 },
};

static const struct jbuiltin cycler_methods[] = {
	{ "next", fn_cycler_next, NULL, 0 },
	{ "reset", fn_cycler_reset, NULL, 0 },
	{ NULL, NULL, NULL, 0 },
};

static const struct jbuiltin float_methods[] = {
	{ "is_integer", fn_is_integer, NULL, 0 },
	{ NULL, NULL, NULL, 0 },
};

/* -- look-up ----------------------------------------------------------------------- */

static const struct jbuiltin *find(const struct jbuiltin *table, const struct jv *name)
{
	for (; table->name; table++)
		if (jstr_is(name, table->name))
			return table;
	return NULL;
}

const struct jbuiltin *jlib_filter(const struct jv *name)
{
	static const struct jbuiltin *const tables[] = {
		jlib_string_filters, jlib_seq_filters, jlib_text_filters, jlib_number_filters,
	};
	const struct jbuiltin *fn = NULL;

	for (size_t i = 0; i < sizeof tables / sizeof *tables && !fn; i++)
		fn = find(tables[i], name);
	return fn;
}

const struct jbuiltin *jlib_test(const struct jv *name)
{
	return find(jlib_tests, name);
}

const struct jbuiltin *jlib_global(const struct jv *name)
{
	return find(jlib_globals, name);
}

const struct jbuiltin *jlib_method(enum jtype type, const struct jv *name, bool *forbidden)
{
	/* what would change a list or dict in place, and the sandbox refuses */
	static const char *const unsafe_list[] = { "remove", "reverse", "sort", NULL };
	static const char *const unsafe_dict[] = { "clear", "pop", "popitem", "setdefault", "update", NULL };
	static const struct { const struct jbuiltin *methods; const char *const *unsafe; } types[J_N_TYPES] = {
		[J_STR] = { jlib_string_methods, NULL },
		[J_LIST] = { list_methods, unsafe_list },
		[J_TUPLE] = { tuple_methods, NULL },
		[J_DICT] = { dict_methods, unsafe_dict },
		[J_LOOP] = { loop_methods, NULL },
		[J_CYCLER] = { cycler_methods, NULL },
		[J_FLOAT] = { float_methods, NULL },
	};
	const char *const *u = types[type].unsafe;

	for (; u && *u; u++)
		*forbidden |= jstr_is(name, *u);
	return types[type].methods ? find(types[type].methods, name) : NULL;
}
