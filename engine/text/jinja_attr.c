/* Attributes, items, slices and iteration of values, as the sandbox of Jinja2 sees them. */
#include "config.h"
#include "engine/text/jinja_eval.h"

#include <string.h>

/* -- undefined --------------------------------------------------------------------- */

static struct jv undef(struct jx *x, struct jundef u)
{
	struct jundef *p = jheap_alloc(x->h, sizeof *p);

	if (!p)
		return jv_none();
	*p = u;
	return (struct jv){ .type = J_UNDEF, .u.undef = p };
}

struct jv jx_undef(struct jx *x, struct jv obj, struct jv name)
{
	return undef(x, (struct jundef){ .obj = obj, .name = name });
}

struct jv jx_undef_hint(struct jx *x, const char *hint)
{
	return undef(x, (struct jundef){ .hint = hint });
}

static struct jv unsafe(struct jx *x, struct jv obj, struct jv name)
{
	struct jbuf *b = jbuf_new(x->h, 0);

	jbuf_adds(x->h, b, "access to attribute ", JTAG_TEMPLATE);
	jv_repr(x->h, b, name);
	jbuf_addf(x->h, b, JTAG_TEMPLATE, " of '%s' object is unsafe.", jv_typename(obj));
	jbuf_add(x->h, b, "", 1, JTAG_TEMPLATE);
	return jx_undef_hint(x, x->h->failed ? "" : b->p);
}

/* -- attributes -------------------------------------------------------------------- */

static int bind_method(struct jx *x, struct jv self, const struct jbuiltin *fn, struct jv *out)
{
	struct jmethod *m = jheap_alloc(x->h, sizeof *m);

	if (!m)
		return -1;
	*m = (struct jmethod){ .self = self, .fn = fn };
	*out = (struct jv){ .type = J_METHOD, .u.method = m };
	return 0;
}

static bool macro_attr(struct jx *x, const struct jsignature *sig, struct jv name, struct jv *out)
{
	static const char *const names[] = { "name", "arguments", "catch_varargs", "catch_kwargs", "caller" };
	size_t i = 0;

	while (i < sizeof names / sizeof *names && !jstr_is(&name, names[i]))
		i++;
	switch (i) {
	case 0:
		*out = sig->name;
		return true;
	case 1:
		*out = jv_list(x->h, J_TUPLE, sig->n);
		for (uint32_t k = 0; k < sig->n && !x->h->failed; k++)
			jlist_add(x->h, out->u.list, sig->params[k].text);
		return true;
	case 2:
	case 3:
	case 4:
		*out = jv_bool(i == 2 ? sig->varargs : i == 3 ? sig->kwargs : sig->caller);
		return true;
	default:
		return false;
	}
}

/* A method or a field of the object itself; false when it has none of that name. */
static bool own_attr(struct jx *x, struct jv obj, struct jv name, struct jv *out, int *rc)
{
	bool forbidden = false;
	const struct jbuiltin *fn = jlib_method((enum jtype)obj.type, &name, &forbidden);

	*rc = 0;
	if (fn) {
		*rc = bind_method(x, obj, fn, out);
		return true;
	}
	if (forbidden) {
		*out = unsafe(x, obj, name);
		return true;
	}
	if (obj.type == J_LOOP) {
		*rc = jx_loop_attr(x, obj.u.loop, name, out);
		return *rc || out->type != J_MISSING;
	}
	if (obj.type == J_MACRO && macro_attr(x, obj.u.macro->sig, name, out))
		return true;
	if (obj.type == J_TUPLE && obj.u.list->group && (jstr_is(&name, "grouper") || jstr_is(&name, "list"))) {
		*out = obj.u.list->v[jstr_is(&name, "list")];
		return true;
	}
	if (obj.type == J_CYCLER && jstr_is(&name, "current")) {
		*out = obj.u.cycler->list->v[obj.u.cycler->at];
		return true;
	}
	return false;
}

int jx_getattr(struct jx *x, struct jv obj, struct jv name, uint32_t hash, struct jv *out)
{
	const struct jv *v = NULL;
	int rc;

	if (obj.type == J_UNDEF)
		return jx_raise_undef(x, obj);
	if (obj.type == J_NS)
		v = jdict_get_hashed(obj.u.dict, name, hash);
	if (!v && own_attr(x, obj, name, out, &rc))
		return rc;
	if (obj.type == J_DICT)
		v = jdict_get_hashed(obj.u.dict, name, hash);
	*out = v ? *v : jx_undef(x, obj, name);
	return 0;
}

/* -- items ------------------------------------------------------------------------- */

static struct jv string_item(struct jv s, int64_t i, bool *found)
{
	const char *p = jstr_p(&s);
	size_t at;

	if (i < 0)
		i += (int64_t)jstr_chars(&s);
	at = i < 0 || i >= (int64_t)s.len ? s.len : ju_offset(p, s.len, (size_t)i);
	*found = at < s.len;
	return *found ? jstr_sub(s, at, ju_next(p + at, s.len - at, NULL)) : s;
}

static bool sequence_item(struct jx *x, struct jv obj, int64_t i, struct jv *out)
{
	const int64_t n = obj.type == J_STR ? 0 : jv_len(obj);
	bool found;

	if (obj.type == J_STR) {
		jheap_walk(x->h, obj.len);
		*out = string_item(obj, i, &found);
		return found;
	}
	if (i < 0)
		i += n;
	if (i < 0 || i >= n)
		return false;
	if (obj.type == J_RANGE)
		*out = jv_int(obj.u.range->start + i * obj.u.range->step);
	else
		*out = obj.u.list->v[i];
	return true;
}

int jx_getitem(struct jx *x, struct jv obj, struct jv key, struct jv *out)
{
	const struct jv *v = NULL;
	int rc;

	if (obj.type == J_UNDEF)
		return jx_raise_undef(x, obj);
	if ((obj.type == J_STR || obj.type == J_LIST || obj.type == J_TUPLE || obj.type == J_RANGE) && jv_isint(key) &&
	    sequence_item(x, obj, jv_asint(key), out))
		return 0;
	if ((obj.type == J_DICT || obj.type == J_NS) && jv_hashable(key))
		v = jdict_get(obj.u.dict, key);
	if (!v && key.type == J_STR && own_attr(x, obj, key, out, &rc))
		return rc;
	*out = v ? *v : jx_undef(x, obj, key);
	return 0;
}

/* Python's rules for start and stop of a sequence of n. */
static void clip(const struct jrange *s, int64_t n, int64_t *start, int64_t *stop)
{
	const int64_t low = s->step < 0 ? -1 : 0, high = s->step < 0 ? n - 1 : n;
	int64_t *const at[] = { start, stop };
	const bool has[] = { s->has_start, s->has_stop };
	const int64_t given[] = { s->start, s->stop };
	const int64_t missing[] = { s->step < 0 ? high : low, s->step < 0 ? low : high };

	for (int k = 0; k < 2; k++) {
		int64_t v = given[k];

		if (v < 0)
			v = v < -n ? low : v + n;
		else if (v > high)
			v = high;
		*at[k] = has[k] ? v : missing[k];
	}
}

static struct jv slice_str(struct jx *x, struct jv s, int64_t start, int64_t count, int64_t step)
{
	const char *p = jstr_p(&s);
	size_t from, k;
	struct jbuf *b;

	if (!jheap_walk(x->h, s.len) || count <= 0)
		return jstr_sub(s, 0, 0);
	from = ju_offset(p, s.len, (size_t)start);
	if (step == 1)
		return jstr_sub(s, from, ju_offset(p + from, s.len - from, (size_t)count));
	b = jbuf_new(x->h, 0);
	for (;; count--) {
		k = ju_next(p + from, s.len - from, NULL);
		jbuf_add_str(x->h, b, jstr_sub(s, from, k));
		if (count == 1 || !jheap_step(x->h, 1 + (size_t)(step < 0 ? -step : step) / 16))
			break;
		if (step > 0)
			from += ju_offset(p + from, s.len - from, (size_t)step);
		else
			for (int64_t i = 0; i < -step; i++)
				from -= ju_prev(p, from, NULL);
	}
	return jbuf_value(b);
}

static struct jv slice_list(struct jx *x, struct jv l, int64_t start, int64_t count, int64_t step)
{
	struct jv out = jv_list(x->h, l.type, count > 0 ? (size_t)count : 0);

	for (int64_t i = 0; i < count && jheap_step(x->h, 1); i++)
		jlist_add(x->h, out.u.list, l.u.list->v[start + i * step]);
	out.user = l.user;
	return out;
}

static struct jv slice_range(struct jx *x, const struct jrange *r, const struct jrange *s)
{
	struct jrange *out = jheap_alloc(x->h, sizeof *out);

	if (!out)
		return jv_none();
	out->start = r->start + s->start * r->step;
	out->step = r->step * s->step;
	out->stop = r->start + s->stop * r->step;
	return (struct jv){ .type = J_RANGE, .u.range = out };
}

int jx_slice(struct jx *x, struct jv obj, const struct jrange *s, struct jv *out)
{
	struct jrange r = { .step = s->step };
	int64_t count, n;

	if (obj.type == J_UNDEF)
		return jx_raise_undef(x, obj);
	if (obj.type != J_STR && obj.type != J_LIST && obj.type != J_TUPLE && obj.type != J_RANGE) {
		*out = jx_undef_hint(x, "only strings, lists, tuples and ranges have slices");
		return x->h->failed ? jx_limit(x) : 0;
	}
	if (obj.type == J_STR && !jheap_walk(x->h, obj.len))
		return jx_limit(x);
	n = jv_len(obj);
	if (r.step > n)		/* one item at most; keeps the products small */
		r.step = n + 1;
	if (r.step < -n)
		r.step = -n - 1;
	clip(&(struct jrange){ .start = s->start, .stop = s->stop, .step = r.step, .has_start = s->has_start,
			       .has_stop = s->has_stop }, n, &r.start, &r.stop);
	count = jrange_len(&r);
	if (obj.type == J_STR)
		*out = slice_str(x, obj, r.start, count, r.step);
	else if (obj.type == J_RANGE)
		*out = slice_range(x, obj.u.range, &r);
	else
		*out = slice_list(x, obj, r.start, count, r.step);
	return 0;
}

/* -- iteration --------------------------------------------------------------------- */

int jx_cursor(struct jx *x, struct jv src, struct jcursor *c)
{
	switch (src.type) {
	case J_UNDEF:
	case J_STR:
	case J_LIST:
	case J_TUPLE:
	case J_DICT:
	case J_RANGE:
	case J_VIEW:
	case J_ITER:
	case J_LOOP:
		*c = (struct jcursor){ .src = src };
		return 0;
	default:
		return jx_raise(x, "'%s' object is not iterable", jv_typename(src));
	}
}

static struct jv view_item(struct jx *x, const struct jview *v, size_t i)
{
	const struct jentry *e = &v->dict->e[i];
	struct jv pair;

	if (v->what != JVIEW_ITEMS)
		return v->what == JVIEW_KEYS ? e->key : e->val;
	pair = jv_list(x->h, J_TUPLE, 2);
	if (!x->h->failed) {
		jlist_add(x->h, pair.u.list, e->key);
		jlist_add(x->h, pair.u.list, e->val);
	}
	return pair;
}

static int next_char(struct jcursor *c, struct jv *out)
{
	if (c->at >= c->src.len)
		return 0;
	*out = jstr_sub(c->src, c->at, ju_next(jstr_p(&c->src) + c->at, c->src.len - c->at, NULL));
	out->safe = false;
	c->at += out->len;
	return 1;
}

int jx_next(struct jx *x, struct jcursor *c, struct jv *out)
{
	const size_t i = c->at;
	struct jiter *it;

	if (!jheap_step(x->h, 1))
		return jx_limit(x);
	switch (c->src.type) {
	case J_STR:
		return next_char(c, out);
	case J_LIST:
	case J_TUPLE:
		if (i >= c->src.u.list->n)
			return 0;
		*out = c->src.u.list->v[i];
		break;
	case J_DICT:
		if (i >= c->src.u.dict->n)
			return 0;
		*out = c->src.u.dict->e[i].key;
		break;
	case J_VIEW:
		if (i >= c->src.u.view->dict->n)
			return 0;
		*out = view_item(x, c->src.u.view, i);
		break;
	case J_RANGE:
		if ((int64_t)i >= jrange_len(c->src.u.range))
			return 0;
		*out = jv_int(c->src.u.range->start + (int64_t)i * c->src.u.range->step);
		break;
	case J_ITER:
		it = c->src.u.iter;
		if (it->at >= it->list->n)
			return 0;
		*out = it->list->v[it->at++];
		break;
	case J_LOOP:
		return jx_loop_fetch(x, c->src.u.loop, out);
	default:
		return 0;
	}
	c->at++;
	return 1;
}

int jx_list(struct jx *x, struct jv src, struct jlist **out)
{
	const struct jv l = jv_list(x->h, J_LIST, 0);
	struct jcursor c;
	struct jv v;
	int rc;

	if (x->h->failed)
		return jx_limit(x);
	*out = l.u.list;
	if (jx_cursor(x, src, &c))
		return -1;
	while ((rc = jx_next(x, &c, &v)) > 0)
		if (jlist_add(x->h, l.u.list, v))
			return jx_limit(x);
	return rc;
}

/* -- loop.* ------------------------------------------------------------------------ */

/* Looks one item ahead; false at the end. */
static int peek(struct jx *x, struct jloop *l, bool *more)
{
	int rc = 1;

	if (!l->has_ahead) {
		rc = jx_loop_fetch(x, l, &l->ahead);
		l->has_ahead = rc > 0;
	}
	*more = l->has_ahead;
	return rc < 0 ? -1 : 0;
}

/* How many items are still to come; what cannot be counted is read into a list. */
static int remaining(struct jx *x, struct jloop *l, int64_t *out)
{
	struct jlist *rest;
	struct jcursor *c = &l->cursor;
	struct jv v;
	int rc;

	if (!l->test && c->src.type != J_ITER && c->src.type != J_STR && c->src.type != J_LOOP) {
		*out = jv_len(c->src) - (int64_t)c->at + l->has_ahead;
		return 0;
	}
	v = jv_list(x->h, J_LIST, 0);
	if (x->h->failed)
		return jx_limit(x);
	rest = v.u.list;
	if (l->has_ahead && jlist_add(x->h, rest, l->ahead))
		return jx_limit(x);
	while ((rc = jx_loop_fetch(x, l, &v)) > 0)
		if (jlist_add(x->h, rest, v))
			return jx_limit(x);
	l->has_ahead = false;
	l->test = NULL;
	*c = (struct jcursor){ .src = { .type = J_LIST, .u.list = rest } };
	*out = rest->n;
	return rc;
}

static int loop_neighbour(struct jx *x, struct jloop *l, bool next, struct jv *out)
{
	bool more = false;

	if (next && peek(x, l, &more))
		return -1;
	if (next ? more : l->index0 > 0)
		*out = next ? l->ahead : l->prev;
	else
		*out = jx_undef_hint(x, next ? "there is no next item" : "there is no previous item");
	return 0;
}

enum loop_field { LF_INDEX, LF_INDEX0, LF_FIRST, LF_LAST, LF_LENGTH, LF_REVINDEX, LF_REVINDEX0, LF_DEPTH, LF_DEPTH0, LF_PREV, LF_NEXT, LF_N };

int jx_loop_attr(struct jx *x, struct jloop *l, struct jv name, struct jv *out)
{
	static const char *const names[LF_N] = {
		[LF_INDEX] = "index", [LF_INDEX0] = "index0", [LF_FIRST] = "first", [LF_LAST] = "last",
		[LF_LENGTH] = "length", [LF_REVINDEX] = "revindex", [LF_REVINDEX0] = "revindex0",
		[LF_DEPTH] = "depth", [LF_DEPTH0] = "depth0", [LF_PREV] = "previtem", [LF_NEXT] = "nextitem",
	};
	int field = 0;
	int64_t rest = 0;
	bool more = false;

	while (field < LF_N && !jstr_is(&name, names[field]))
		field++;
	*out = (struct jv){ .type = J_MISSING };
	if ((field == LF_LENGTH || field == LF_REVINDEX || field == LF_REVINDEX0) && remaining(x, l, &rest))
		return -1;
	switch (field) {
	case LF_INDEX:
	case LF_INDEX0:
		*out = jv_int(l->index0 + (field == LF_INDEX));
		break;
	case LF_FIRST:
		*out = jv_bool(l->index0 == 0);
		break;
	case LF_LAST:
		if (peek(x, l, &more))
			return -1;
		*out = jv_bool(!more);
		break;
	case LF_LENGTH:
		*out = jv_int(l->index0 + 1 + rest);
		break;
	case LF_REVINDEX:
	case LF_REVINDEX0:
		*out = jv_int(rest + (field == LF_REVINDEX));
		break;
	case LF_DEPTH:
	case LF_DEPTH0:
		*out = jv_int(l->depth0 + (field == LF_DEPTH));
		break;
	case LF_PREV:
	case LF_NEXT:
		return loop_neighbour(x, l, field == LF_NEXT, out);
	default:
		break;
	}
	return 0;
}
