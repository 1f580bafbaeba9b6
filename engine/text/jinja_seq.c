/* Filters that take sequences: choosing, ordering, joining, reshaping. */
#include "config.h"
#include "engine/text/jinja_eval.h"

#include <stdlib.h>
#include <string.h>

static bool given(struct jv v)
{
	return v.type != J_MISSING;
}

static bool flag(struct jv v)
{
	return given(v) && jv_truth(v);
}

static struct jv fresh(struct jx *x)
{
	return jv_list(x->h, J_LIST, 0);
}

static int generator(struct jx *x, struct jv list, struct jv *out)
{
	*out = x->h->failed ? list : jv_iter(x->h, list.u.list, "generator");
	return x->h->failed ? jx_limit(x) : 0;
}

/* -- attributes of items: "a.b.0", 0 ----------------------------------------------- */

static bool all_digits(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	return n > 0 && n < 10;
}

/* attr: a dotted path or an index; J_MISSING: the item itself. */
static int attribute(struct jx *x, struct jv item, struct jv attr, struct jv missing, struct jv *out)
{
	size_t from = 0;

	*out = item;
	if (!given(attr) || attr.type == J_NONE)
		return 0;
	if (attr.type != J_STR)
		return jx_getitem(x, item, attr, out);
	while (from <= attr.len) {
		const char *p = jstr_p(&attr) + from, *dot = memchr(p, '.', attr.len - from);
		const size_t n = dot ? (size_t)(dot - p) : attr.len - from;
		const struct jv key = all_digits(p, n) ? jv_int(strtol(p, NULL, 10)) : jstr_sub(attr, from, n);

		if (jx_getitem(x, *out, key, out))
			return -1;
		if (out->type == J_UNDEF && given(missing))
			*out = missing;
		from += n + 1;
	}
	return 0;
}

/* What an item is compared by: its attribute, in lower case unless case counts. */
static int sort_key(struct jx *x, struct jv item, struct jv attr, struct jv missing, bool with_case, struct jv *out)
{
	if (attribute(x, item, attr, missing, out))
		return -1;
	return out->type == J_STR && !with_case ? jx_filter(x, "lower", *out, &(struct jargs){ 0 }, out) : 0;
}

/* What `sort` compares: "a,b" are several attributes, one is a tuple too, so that equal ones need not have an order. */
static int sort_keys(struct jx *x, struct jv item, struct jv attr, bool with_case, struct jv *out)
{
	const struct jv missing = { .type = J_MISSING }, t = jv_list(x->h, J_TUPLE, 1);
	const bool text = attr.type == J_STR;
	size_t from = 0, n;
	struct jv part;

	do {
		const char *p = text ? jstr_p(&attr) + from : NULL, *comma = text ? memchr(p, ',', attr.len - from) : NULL;

		n = comma ? (size_t)(comma - p) : text ? attr.len - from : 0;
		if (sort_key(x, item, text ? jstr_sub(attr, from, n) : attr, missing, with_case, &part))
			return -1;
		jlist_add(x->h, t.u.list, part);
		from += n + 1;
	} while (text && from <= attr.len && !x->h->failed);
	*out = t;
	return x->h->failed ? jx_limit(x) : 0;
}

/* -- ordering ---------------------------------------------------------------------- */

struct keyed { struct jv key, v; };

/* Merges [lo, mid) and [mid, hi) of a into b; equal keys keep their order. */
static int merge(struct jx *x, const struct keyed *a, struct keyed *b, size_t lo, size_t mid, size_t hi, bool down)
{
	size_t i = lo, k = mid;
	int c;

	for (size_t o = lo; o < hi; o++) {
		c = i == mid ? 1 : -1;
		if (i < mid && k < hi) {
			if (jx_order(x, a[i].key, a[k].key, &c))
				return -1;
			c = down ? -c : c;
		}
		b[o] = c <= 0 ? a[i++] : a[k++];
	}
	return 0;
}

static int sort(struct jx *x, struct keyed *a, size_t n, bool down)
{
	struct keyed *b = jheap_array(x->h, n, sizeof *b), *from = a, *to = b, *tmp;

	if (!b)
		return jx_limit(x);
	for (size_t width = 1; width < n; width *= 2) {
		for (size_t lo = 0; lo < n; lo += 2 * width) {
			const size_t mid = lo + width < n ? lo + width : n, hi = mid + width < n ? mid + width : n;

			if (merge(x, from, to, lo, mid, hi, down))
				return -1;
		}
		tmp = from;
		from = to;
		to = tmp;
	}
	if (from != a)
		memcpy(a, from, n * sizeof *a);
	return 0;
}

struct sorting {
	struct jv attr, missing;	/* missing: in place of attributes that are not there; J_MISSING: none */
	bool with_case, down, many;	/* many: the attribute may be several */
};

static int sorted(struct jx *x, struct jv items, const struct sorting *s, struct keyed **out, size_t *n)
{
	struct jlist *l;

	if (jx_list(x, items, &l))
		return -1;
	*n = l->n;
	*out = jheap_array(x->h, l->n + 1, sizeof **out);
	if (!*out)
		return jx_limit(x);
	for (uint32_t i = 0; i < l->n; i++) {
		(*out)[i].v = l->v[i];
		if (s->many ? sort_keys(x, l->v[i], s->attr, s->with_case, &(*out)[i].key) :
			      sort_key(x, l->v[i], s->attr, s->missing, s->with_case, &(*out)[i].key))
			return -1;
	}
	return sort(x, *out, *n, s->down);
}

static int fn_sort(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const struct sorting s = { .attr = a->v[2], .with_case = flag(a->v[1]), .down = flag(a->v[0]), .many = true };
	struct keyed *k;
	size_t n;

	if (sorted(x, self, &s, &k, &n))
		return -1;
	*out = jv_list(x->h, J_LIST, n);
	for (size_t i = 0; i < n && !x->h->failed; i++)
		jlist_add(x->h, out->u.list, k[i].v);
	return 0;
}

static int fn_dictsort(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const bool by_value = given(a->v[1]) && jstr_is(&a->v[1], "value");
	const struct sorting s = {
		.attr = jv_int(by_value), .missing = { .type = J_MISSING }, .with_case = flag(a->v[0]), .down = flag(a->v[2]),
	};
	const struct jargs none = { 0 };
	struct keyed *k;
	struct jv items;
	size_t n;

	if (given(a->v[1]) && !by_value && !jstr_is(&a->v[1], "key"))
		return jx_raise(x, "You can only sort by either \"key\" or \"value\"");
	if (jx_filter(x, "items", self, &none, &items) ||
	    sorted(x, items, &s, &k, &n))
		return -1;
	*out = jv_list(x->h, J_LIST, n);
	for (size_t i = 0; i < n && !x->h->failed; i++)
		jlist_add(x->h, out->u.list, k[i].v);
	return 0;
}

static int extreme(struct jx *x, struct jv self, const struct jargs *a, bool max, struct jv *out)
{
	const struct jv none = { .type = J_MISSING };
	struct jv best = none, key;
	struct jlist *l;
	int c;

	if (jx_list(x, self, &l))
		return -1;
	*out = jx_undef_hint(x, "No aggregated item, sequence was empty.");
	for (uint32_t i = 0; i < l->n; i++) {
		c = max ? 1 : -1;
		if (sort_key(x, l->v[i], a->v[1], none, flag(a->v[0]), &key) || (i && jx_order(x, key, best, &c)))
			return -1;
		if (max ? c <= 0 : c >= 0)
			continue;
		best = key;
		*out = l->v[i];
	}
	return 0;
}

static int fn_min(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return extreme(x, self, a, false, out);
}

static int fn_max(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return extreme(x, self, a, true, out);
}

static int fn_unique(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const struct jv l = fresh(x), seen = jv_dict(x->h, J_DICT), none = { .type = J_MISSING };
	struct jlist *items;
	struct jv key;

	if (x->h->failed || jx_list(x, self, &items))
		return -1;
	for (uint32_t i = 0; i < items->n; i++) {
		if (sort_key(x, items->v[i], a->v[1], none, flag(a->v[0]), &key))
			return -1;
		if (!jv_hashable(key))
			return jx_raise(x, "unhashable type: '%s'", jv_typename(key));
		if (jdict_get(seen.u.dict, key))
			continue;
		if (jdict_set(seen.u.dict, key, jv_none()) || jlist_add(x->h, l.u.list, items->v[i]))
			return jx_limit(x);
	}
	return generator(x, l, out);
}

static int push_group(struct jx *x, struct jlist *groups, struct jv key, struct jv **items)
{
	struct jv pair = jv_list(x->h, J_TUPLE, 2), l = fresh(x);

	if (x->h->failed || jlist_add(x->h, pair.u.list, key) || jlist_add(x->h, pair.u.list, l) ||
	    jlist_add(x->h, groups, pair))
		return jx_limit(x);
	pair.u.list->group = true;
	*items = &pair.u.list->v[1];
	return 0;
}

static int fn_groupby(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const struct sorting s = { .attr = a->v[0], .missing = a->v[1], .with_case = flag(a->v[2]) };
	struct jv *items = NULL, name;
	struct keyed *k;
	size_t n;

	*out = fresh(x);
	if (x->h->failed || sorted(x, self, &s, &k, &n))
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (attribute(x, k[i].v, a->v[0], a->v[1], &name))
			return -1;
		if ((!i || !jv_equal(x->h, k[i].key, k[i - 1].key)) && push_group(x, out->u.list, name, &items))
			return -1;
		if (jlist_add(x->h, items->u.list, k[i].v))
			return jx_limit(x);
	}
	return 0;
}

/* -- choosing ---------------------------------------------------------------------- */

/* Does the item pass the test named in a->v[from]? Without one: is it true? */
static int test(struct jx *x, struct jv v, const struct jargs *a, uint32_t from, bool *yes)
{
	const struct jbuiltin *fn;
	struct jargs rest;
	struct jv r;
	char name[64];

	if (from >= a->n) {
		*yes = jv_truth(v);
		return 0;
	}
	fn = a->v[from].type == J_STR ? jlib_test(&a->v[from]) : NULL;
	if (!fn)
		return jx_raise(x, "No test named '%s'.", a->v[from].type != J_STR ? jv_typename(a->v[from]) :
				err_quote(name, sizeof name, jstr_p(&a->v[from]), a->v[from].len));
	rest = (struct jargs){ .v = a->v + from + 1, .n = a->n - from - 1, .kw = a->kw, .n_kw = a->n_kw };
	if (jx_builtin(x, fn, v, &rest, &r))
		return -1;
	*yes = jv_truth(r);
	return 0;
}

static int choose(struct jx *x, struct jv self, const struct jargs *a, bool attr, bool keep, struct jv *out)
{
	const struct jv none = { .type = J_MISSING }, l = fresh(x);
	struct jcursor c;
	struct jv item, v;
	bool yes = false;
	int rc;

	if (x->h->failed)
		return jx_limit(x);
	if (!jv_truth(self))	/* None, undefined, 0: as if empty, whatever the rest says */
		return generator(x, l, out);
	if (attr && !a->n)
		return jx_raise(x, "Missing parameter for attribute name");
	if (jx_cursor(x, self, &c))
		return -1;
	while ((rc = jx_next(x, &c, &item)) > 0) {
		if (attribute(x, item, attr ? a->v[0] : none, none, &v) || test(x, v, a, attr, &yes))
			return -1;
		if (yes == keep && jlist_add(x->h, l.u.list, item))
			return jx_limit(x);
	}
	return rc ? rc : generator(x, l, out);
}

static int fn_select(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return choose(x, self, a, false, true, out);
}

static int fn_reject(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return choose(x, self, a, false, false, out);
}

static int fn_selectattr(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return choose(x, self, a, true, true, out);
}

static int fn_rejectattr(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return choose(x, self, a, true, false, out);
}

static struct jv keyword(const struct jargs *a, const char *name)
{
	for (uint32_t i = 0; i < a->n_kw; i++)
		if (jstr_is(&a->kw[i].key, name))
			return a->kw[i].val;
	return (struct jv){ .type = J_MISSING };
}

static int map_one(struct jx *x, struct jv item, const struct jargs *a, struct jv attr, struct jv missing, struct jv *out)
{
	const struct jbuiltin *fn;
	struct jargs rest;
	char name[64];

	if (given(attr))
		return attribute(x, item, attr, missing, out);
	fn = a->v[0].type == J_STR ? jlib_filter(&a->v[0]) : NULL;
	if (!fn)
		return jx_raise(x, "No filter named '%s'.", a->v[0].type != J_STR ? jv_typename(a->v[0]) :
				err_quote(name, sizeof name, jstr_p(&a->v[0]), a->v[0].len));
	rest = (struct jargs){ .v = a->v + 1, .n = a->n - 1, .kw = a->kw, .n_kw = a->n_kw };
	return jx_builtin(x, fn, item, &rest, out);
}

static int fn_map(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const struct jv attr = a->n ? (struct jv){ .type = J_MISSING } : keyword(a, "attribute");
	const struct jv missing = keyword(a, "default"), l = fresh(x);
	struct jcursor c;
	struct jv item, v;
	int rc;

	if (x->h->failed)
		return jx_limit(x);
	if (!jv_truth(self))
		return generator(x, l, out);
	if (!a->n && !given(attr))
		return jx_raise(x, "map requires a filter argument");
	if (jx_cursor(x, self, &c))
		return -1;
	while ((rc = jx_next(x, &c, &item)) > 0)
		if (map_one(x, item, a, attr, missing, &v) || jlist_add(x->h, l.u.list, v))
			return -1;
	return rc ? rc : generator(x, l, out);
}

static int fn_first(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jcursor c;
	int rc;

	(void)a;
	if (jx_cursor(x, self, &c))
		return -1;
	rc = jx_next(x, &c, out);
	if (!rc)
		*out = jx_undef_hint(x, "No first item, sequence was empty.");
	return rc < 0 ? -1 : 0;
}

static int fn_last(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jlist *l;

	(void)a;
	if (self.type == J_ITER)
		return jx_raise(x, "'generator' object is not reversible");
	if (jx_list(x, self, &l))
		return -1;
	*out = l->n ? l->v[l->n - 1] : jx_undef_hint(x, "No last item, sequence was empty.");
	return 0;
}

/* -- reshaping --------------------------------------------------------------------- */

static int fn_list(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jlist *l;

	(void)a;
	if (jx_list(x, self, &l))
		return -1;
	*out = (struct jv){ .type = J_LIST, .u.list = l };
	return 0;
}

static int fn_reverse(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	static const struct jrange back = { .step = -1 };
	struct jlist *l;

	(void)a;
	if (self.type == J_STR)
		return jx_slice(x, self, &back, out);
	if (jx_list(x, self, &l))
		return self.type == J_UNDEF || x->h->failed ? -1 : jx_raise(x, "argument must be iterable");
	for (uint32_t i = 0; i < l->n / 2; i++) {
		const struct jv v = l->v[i];

		l->v[i] = l->v[l->n - 1 - i];
		l->v[l->n - 1 - i] = v;
	}
	*out = jv_iter(x->h, l, "list_reverseiterator");
	return 0;
}

static int fn_items(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jview *v;

	(void)a;
	if (self.type == J_UNDEF)
		return generator(x, fresh(x), out);
	if (self.type != J_DICT)
		return jx_raise(x, "Can only get item pairs from a mapping.");
	v = jheap_alloc(x->h, sizeof *v);
	if (!v)
		return jx_limit(x);
	*v = (struct jview){ .dict = self.u.dict, .what = JVIEW_ITEMS };
	if (fn_list(x, (struct jv){ .type = J_VIEW, .u.view = v }, a, out))
		return -1;
	return generator(x, *out, out);
}

static int fn_join(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const struct jv sep = given(a->v[0]) ? jv_str(x->h, a->v[0]) : jbuf_value(NULL), none = { .type = J_MISSING };
	struct jbuf *b = jbuf_new(x->h, 0);
	struct jcursor c;
	struct jv v;
	bool first = true;
	int rc;

	if (jx_cursor(x, self, &c))
		return -1;
	while ((rc = jx_next(x, &c, &v)) > 0 && !x->h->failed) {
		if (!first)
			jbuf_add_str(x->h, b, sep);
		first = false;
		if (attribute(x, v, a->v[1], none, &v))
			return -1;
		jv_print(x->h, b, v);
	}
	*out = jbuf_value(b);
	return rc < 0 ? -1 : 0;
}

static int fn_sum(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const struct jv none = { .type = J_MISSING };
	struct jcursor c;
	struct jv v;
	int rc;

	*out = given(a->v[1]) ? a->v[1] : jv_int(0);
	if (out->type == J_STR)
		return jx_raise(x, "sum() can't sum strings [use ''.join(seq) instead]");
	if (jx_cursor(x, self, &c))
		return -1;
	while ((rc = jx_next(x, &c, &v)) > 0)
		if (attribute(x, v, a->v[0], none, &v) || jx_binary(x, JOP_ADD, *out, v, out))
			return -1;
	return rc;
}

static int fn_length(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	int64_t n;

	(void)a;
	if (self.type == J_STR && !jheap_walk(x->h, self.len))
		return jx_limit(x);
	n = jv_len(self);
	if (n < 0)
		return jx_raise(x, "object of type '%s' has no len()", jv_typename(self));
	*out = jv_int(n);
	return 0;
}

static int fn_batch(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const struct jv rows = fresh(x);
	struct jv row = { .type = J_MISSING };
	struct jlist *l;
	int64_t n;

	if (!jv_isint(a->v[0]) || jv_asint(a->v[0]) < 1)
		return jx_raise(x, "batch() needs a positive count");
	n = jv_asint(a->v[0]);
	if (x->h->failed || jx_list(x, self, &l))
		return -1;
	for (uint32_t i = 0; i < l->n && !x->h->failed; i++) {
		if (i % n == 0) {
			row = fresh(x);
			if (x->h->failed || jlist_add(x->h, rows.u.list, row))
				return jx_limit(x);
		}
		jlist_add(x->h, row.u.list, l->v[i]);
	}
	while (row.type == J_LIST && given(a->v[1]) && a->v[1].type != J_NONE && row.u.list->n < n && jheap_step(x->h, 1))
		jlist_add(x->h, row.u.list, a->v[1]);
	return generator(x, rows, out);
}

static int fn_slice(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const struct jv rows = fresh(x);
	const bool fill = given(a->v[1]) && a->v[1].type != J_NONE;
	struct jlist *l;
	int64_t n, from = 0;

	if (!jv_isint(a->v[0]) || jv_asint(a->v[0]) < 1)
		return jx_raise(x, "slice() needs a positive count");
	n = jv_asint(a->v[0]);
	if (x->h->failed || jx_list(x, self, &l))
		return -1;
	for (int64_t k = 0; k < n && jheap_step(x->h, 1); k++) {
		const int64_t count = l->n / n + (k < l->n % n);
		const struct jv row = fresh(x);

		if (x->h->failed || jlist_add(x->h, rows.u.list, row))
			return jx_limit(x);
		for (int64_t i = 0; i < count && !x->h->failed; i++)
			jlist_add(x->h, row.u.list, l->v[from + i]);
		if (fill && k >= l->n % n)	/* all of them when they come out even: as Jinja2 does */
			jlist_add(x->h, row.u.list, a->v[1]);
		from += count;
	}
	return generator(x, rows, out);
}

static int fn_attr(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const struct jv name = jv_str(x->h, a->v[0]);

	if (self.type == J_UNDEF)
		return jx_raise_undef(x, self);
	if (self.type == J_DICT) {	/* attributes only, no items */
		bool forbidden = false;

		*out = jx_undef(x, self, name);
		return jlib_method(J_DICT, &name, &forbidden) ? jx_getattr(x, self, name, jv_hash(x->h, name), out) : 0;
	}
	return jx_getattr(x, self, name, jv_hash(x->h, name), out);
}

static int fn_default(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const bool missing = self.type == J_UNDEF || (flag(a->v[1]) && !jv_truth(self));

	(void)x;
	*out = !missing ? self : given(a->v[0]) ? a->v[0] : jbuf_value(NULL);
	return 0;
}

/* Any item will do, but one conversation has to give one prompt. */
static int fn_random(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jlist *l;

	(void)a;
	if (jx_list(x, self, &l))
		return -1;
	*out = l->n ? l->v[x->h->steps * 2654435761u % l->n] : jx_undef_hint(x, "No random item, sequence was empty.");
	return 0;
}

const struct jbuiltin jlib_seq_filters[] = {
	{ "first", fn_first, NULL, 0 },
	{ "last", fn_last, NULL, 0 },
	{ "length", fn_length, NULL, 0 },
	{ "count", fn_length, NULL, 0 },
	{ "list", fn_list, NULL, 0 },
	{ "join", fn_join, "d attribute", 0 },
	{ "items", fn_items, NULL, 0 },
	{ "map", fn_map, "*", 0 },
	{ "select", fn_select, "*", 0 },
	{ "reject", fn_reject, "*", 0 },
	{ "selectattr", fn_selectattr, "*", 0 },
	{ "rejectattr", fn_rejectattr, "*", 0 },
	{ "default", fn_default, "default_value boolean", 0 },
	{ "d", fn_default, "default_value boolean", 0 },
	{ "reverse", fn_reverse, NULL, 0 },
	{ "sort", fn_sort, "reverse case_sensitive attribute", 0 },
	{ "dictsort", fn_dictsort, "case_sensitive by reverse", 0 },
	{ "unique", fn_unique, "case_sensitive attribute", 0 },
	{ "min", fn_min, "case_sensitive attribute", 0 },
	{ "max", fn_max, "case_sensitive attribute", 0 },
	{ "sum", fn_sum, "attribute start", 0 },
	{ "groupby", fn_groupby, "attribute default case_sensitive", 1 },
	{ "batch", fn_batch, "linecount fill_with", 1 },
	{ "slice", fn_slice, "slices fill_with", 1 },
	{ "attr", fn_attr, "name", 1 },
	{ "random", fn_random, NULL, 0 },
	{ NULL, NULL, NULL, 0 },
};
