/*
 * Values of a rendering: containers, truth, equality and hashing as Python has them,
 * str() and repr(). Strings and memory are jinja_heap.c's.
 */
#include "config.h"
#include "engine/text/jinja.h"
#include "engine/text/jinja_eval.h"
#include "engine/base/hash.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unictype.h>

struct jv jv_none(void)
{
	return (struct jv){ .type = J_NONE };
}

struct jv jv_bool(bool b)
{
	return (struct jv){ .type = J_BOOL, .u.b = b };
}

struct jv jv_int(int64_t i)
{
	return (struct jv){ .type = J_INT, .u.i = i };
}

struct jv jv_float(double f)
{
	return (struct jv){ .type = J_FLOAT, .u.f = f };
}

int64_t jv_asint(struct jv v)
{
	return v.type == J_BOOL ? v.u.b : v.u.i;
}

double jv_asfloat(struct jv v)
{
	return v.type == J_FLOAT ? v.u.f : (double)jv_asint(v);
}

const char *jv_typename(struct jv v)
{
	static const char *const names[J_N_TYPES] = {
#define J_NAME(t, name) [t] = name,
		J_TYPES(J_NAME)
#undef J_NAME
	};
	static const char *const views[] = { "dict_keys", "dict_values", "dict_items" };

	if (v.type == J_VIEW)
		return views[v.u.view->what];
	if (v.type == J_ITER)
		return v.u.iter->name;
	return v.type < J_N_TYPES ? names[v.type] : "?";
}

/* -- lists ------------------------------------------------------------------------- */

struct jv jv_list(struct jheap *h, enum jtype type, size_t reserve)
{
	struct jlist *l = jheap_alloc(h, sizeof *l);

	if (l && reserve) {
		l->v = jheap_array(h, reserve, sizeof *l->v);
		l->room = l->v ? (uint32_t)reserve : 0;
	}
	return (struct jv){ .type = (uint8_t)type, .u.list = l ? l : &h->no_list };
}

int jlist_add(struct jheap *h, struct jlist *l, struct jv v)
{
	struct jv *p = jheap_more(h, l->v, l->n, &l->room, sizeof *p);

	if (!p)
		return -1;
	l->v = p;
	p[l->n++] = v;
	return 0;
}

struct jv jv_iter(struct jheap *h, struct jlist *l, const char *name)
{
	struct jiter *it = jheap_alloc(h, sizeof *it);

	if (!it)
		return (struct jv){ .type = J_MISSING };
	*it = (struct jiter){ .list = l, .name = name };
	return (struct jv){ .type = J_ITER, .u.iter = it };
}

int64_t jrange_len(const struct jrange *r)
{
	if (r->step > 0)
		return r->stop > r->start ? (r->stop - r->start - 1) / r->step + 1 : 0;
	return r->stop < r->start ? (r->start - r->stop - 1) / -r->step + 1 : 0;
}

/* -- dicts ------------------------------------------------------------------------- */

/* Where the linker and the loader put it differs from run to run: keys cannot be chosen to collide. */
static const char seed;

uint32_t jbytes_hash(const char *p, size_t n)
{
	const uint64_t h = hash_bytes(HASH_EMPTY ^ ((uint64_t)(uintptr_t)&seed >> 4), p, n);

	return (uint32_t)(h ^ h >> 32);
}

static uint32_t mix(uint64_t x)
{
	x = (x ^ x >> 31) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(x >> 32);
}

static uint32_t float_hash(double f)
{
	uint64_t u;

	if (f == floor(f) && fabs(f) < 9e18)
		return mix((uint64_t)(int64_t)f);
	memcpy(&u, &f, sizeof u);
	return mix(u);
}

static bool hashable(struct jv v, int depth)
{
	if (v.type != J_TUPLE)
		return v.type != J_LIST && v.type != J_DICT && v.type != J_SLICE;
	if (!depth)
		return false;
	for (uint32_t i = 0; i < v.u.list->n; i++)
		if (!hashable(v.u.list->v[i], depth - 1))
			return false;
	return true;
}

bool jv_hashable(struct jv v)
{
	/* deep or wide tuples as keys are nobody's honest wish */
	return hashable(v, 4);
}

static uint32_t hash(struct jheap *h, struct jv key, int depth)
{
	uint32_t x = 0x345678;

	switch (key.type) {
	case J_STR:
		jheap_scan(h, key.len);
		return jbytes_hash(jstr_p(&key), key.len);
	case J_BOOL:
	case J_INT:
		return mix((uint64_t)jv_asint(key));
	case J_FLOAT:
		return float_hash(key.u.f);
	case J_TUPLE:
		for (uint32_t i = 0; depth && i < key.u.list->n && jheap_step(h, 1); i++)
			x = x * 1000003u ^ hash(h, key.u.list->v[i], depth - 1);
		return x;
	default:
		return key.type;
	}
}

uint32_t jv_hash(struct jheap *h, struct jv key)
{
	return hash(h, key, 4);
}

static uint32_t *slot(const struct jdict *d, struct jv key, uint32_t x)
{
	uint32_t i = x & (d->n_index - 1);

	for (;; i = (i + 1) & (d->n_index - 1)) {
		const uint32_t k = d->index[i];

		if (!k || (d->e[k - 1].hash == x && jv_equal(d->h, d->e[k - 1].key, key)))
			return &d->index[i];
	}
}

struct jv *jdict_get_hashed(const struct jdict *d, struct jv key, uint32_t x)
{
	const uint32_t k = d->n_index ? *slot(d, key, x) : 0;

	return k ? &d->e[k - 1].val : NULL;
}

struct jv *jdict_get(const struct jdict *d, struct jv key)
{
	return d->n ? jdict_get_hashed(d, key, jv_hash(d->h, key)) : NULL;
}

static int reindex(struct jdict *d)
{
	const uint32_t n = d->n_index ? d->n_index * 2 : 8;
	uint32_t *index = jheap_array(d->h, n, sizeof *index);

	if (!index)
		return -1;
	d->index = index;
	d->n_index = n;
	for (uint32_t k = 0; k < d->n; k++) {
		uint32_t i = d->e[k].hash & (n - 1);

		while (index[i])
			i = (i + 1) & (n - 1);
		index[i] = k + 1;
	}
	return 0;
}

int jdict_set(struct jdict *d, struct jv key, struct jv val)
{
	const uint32_t x = jv_hash(d->h, key);
	struct jentry *e;
	uint32_t *at;

	if (d->n * 3 >= d->n_index * 2 && reindex(d))
		return -1;
	at = slot(d, key, x);
	if (*at) {
		d->e[*at - 1].val = val;
		return 0;
	}
	e = jheap_more(d->h, d->e, d->n, &d->room, sizeof *e);
	if (!e)
		return -1;
	d->e = e;
	e[d->n++] = (struct jentry){ .key = key, .val = val, .hash = x };
	*at = d->n;
	return 0;
}

struct jv jv_dict(struct jheap *h, enum jtype type)
{
	struct jdict *d = jheap_alloc(h, sizeof *d);

	if (!d)
		d = &h->no_dict;
	d->h = h;
	return (struct jv){ .type = (uint8_t)type, .u.dict = d };
}

/* -- truth, length, equality ------------------------------------------------------- */

int64_t jv_len(struct jv v)
{
	switch (v.type) {
	case J_STR:
		return (int64_t)jstr_chars(&v);
	case J_LIST:
	case J_TUPLE:
		return v.u.list->n;
	case J_DICT:
		return v.u.dict->n;
	case J_VIEW:
		return v.u.view->dict->n;
	case J_RANGE:
		return jrange_len(v.u.range);
	case J_UNDEF:
		return 0;
	default:
		return -1;
	}
}

bool jv_truth(struct jv v)
{
	switch (v.type) {
	case J_MISSING:
	case J_UNDEF:
	case J_NONE:
		return false;
	case J_BOOL:
		return v.u.b;
	case J_INT:
		return v.u.i != 0;
	case J_FLOAT:
		return v.u.f != 0;
	case J_STR:
		return v.len != 0;
	default:
		return jv_len(v) != 0;
	}
}

static bool equal(struct jheap *h, struct jv a, struct jv b, int depth);

static bool equal_lists(struct jheap *h, const struct jlist *a, const struct jlist *b, int depth)
{
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (!equal(h, a->v[i], b->v[i], depth))
			return false;
	return true;
}

static bool equal_dicts(struct jheap *h, const struct jdict *a, const struct jdict *b, int depth)
{
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++) {
		const struct jv *v = b->n ? jdict_get_hashed(b, a->e[i].key, a->e[i].hash) : NULL;

		if (!v || !equal(h, a->e[i].val, *v, depth))
			return false;
	}
	return true;
}

static bool equal_numbers(struct jv a, struct jv b)
{
	if (a.type != J_FLOAT && b.type != J_FLOAT)
		return jv_asint(a) == jv_asint(b);
	return jv_asfloat(a) == jv_asfloat(b);
}

static bool equal(struct jheap *h, struct jv a, struct jv b, int depth)
{
	if (!depth || !jheap_step(h, 1))
		return false;
	if (jv_isnum(a) && jv_isnum(b))
		return equal_numbers(a, b);
	if (a.type != b.type)
		return false;
	switch (a.type) {
	case J_MISSING:
	case J_UNDEF:
	case J_NONE:
		return true;
	case J_STR:
		return a.len == b.len && jheap_scan(h, a.len) && !memcmp(jstr_p(&a), jstr_p(&b), a.len);
	case J_LIST:
	case J_TUPLE:
		return a.u.list == b.u.list || equal_lists(h, a.u.list, b.u.list, depth - 1);
	case J_DICT:
		return a.u.dict == b.u.dict || equal_dicts(h, a.u.dict, b.u.dict, depth - 1);
	case J_RANGE:
		return a.u.range->start == b.u.range->start && a.u.range->stop == b.u.range->stop &&
		       a.u.range->step == b.u.range->step;
	default:
		return a.u.list == b.u.list;	/* the same object */
	}
}

bool jv_equal(struct jheap *h, struct jv a, struct jv b)
{
	return equal(h, a, b, JINJA_MAX_DEPTH);
}

/* -- str() and repr() -------------------------------------------------------------- */

/* The shortest decimal that reads back as f, laid out as Python's repr does. */
static void print_float(struct jheap *h, struct jbuf *b, double f, uint32_t tag)
{
	char s[40], digits[24];
	int n = 0, exp10;

	if (isnan(f) || isinf(f)) {
		jbuf_adds(h, b, isnan(f) ? "nan" : f < 0 ? "-inf" : "inf", tag);
		return;
	}
	for (int prec = 0; prec < 17; prec++) {
		snprintf(s, sizeof s, "%.*e", prec, f);
		if (strtod(s, NULL) == f)
			break;
	}
	exp10 = atoi(strchr(s, 'e') + 1);
	for (const char *p = s; *p != 'e'; p++)
		if (*p >= '0' && *p <= '9')
			digits[n++] = *p;
	digits[n] = '\0';
	if (signbit(f))
		jbuf_adds(h, b, "-", tag);
	if (exp10 < -4 || exp10 >= 16) {
		jbuf_addf(h, b, tag, n > 1 ? "%.1s.%s" : "%.1s%s", digits, digits + 1);
		jbuf_addf(h, b, tag, "e%c%02d", exp10 < 0 ? '-' : '+', abs(exp10));
	} else if (exp10 < 0) {
		jbuf_addf(h, b, tag, "0.%.*s%s", -exp10 - 1, "0000", digits);
	} else if (n <= exp10 + 1) {
		jbuf_addf(h, b, tag, "%s%.*s.0", digits, exp10 + 1 - n, "0000000000000000");
	} else {
		jbuf_addf(h, b, tag, "%.*s.%s", exp10 + 1, digits, digits + exp10 + 1);
	}
}

static bool printable(uint32_t cp)
{
	if (cp == ' ')
		return true;
	return !uc_is_general_category_withtable(cp, UC_CATEGORY_MASK_C | UC_CATEGORY_MASK_Z);
}

struct repr { struct jheap *h; struct jbuf *b; char quote; };

static void repr_run(void *arg, const char *p, size_t n, uint32_t tag)
{
	const struct repr *r = arg;
	uint32_t cp;

	for (size_t i = 0, k; i < n && !r->h->failed; i += k) {
		k = ju_next(p + i, n - i, &cp);
		if (cp == (unsigned char)r->quote || cp == '\\')
			jbuf_addf(r->h, r->b, tag, "\\%c", (int)cp);
		else if (cp == '\n' || cp == '\r' || cp == '\t')
			jbuf_adds(r->h, r->b, cp == '\n' ? "\\n" : cp == '\r' ? "\\r" : "\\t", tag);
		else if (printable(cp))
			jbuf_add(r->h, r->b, p + i, k, tag);
		else
			jbuf_addf(r->h, r->b, tag, cp < 0x100 ? "\\x%02x" : cp < 0x10000 ? "\\u%04x" : "\\U%08x",
				  (unsigned)cp);
	}
}

static void repr_str(struct jheap *h, struct jbuf *b, struct jv s)
{
	const char *p = jstr_p(&s);
	const bool two = memchr(p, '\'', s.len) && !memchr(p, '"', s.len);
	struct repr r = { h, b, two ? '"' : '\'' };
	const uint32_t first = s.len ? jstr_tag(&s, 0) : JTAG_TEMPLATE;

	jbuf_add(h, b, &r.quote, 1, first);
	jstr_runs(&s, repr_run, &r);
	jbuf_add(h, b, &r.quote, 1, first);
}

static void repr(struct jheap *h, struct jbuf *b, struct jv v, int depth);

static void repr_items(struct jheap *h, struct jbuf *b, const struct jlist *l, uint32_t tag, int depth)
{
	for (uint32_t i = 0; i < l->n && !h->failed; i++) {
		if (i)
			jbuf_adds(h, b, ", ", tag);
		repr(h, b, l->v[i], depth);
	}
}

static void repr_entries(struct jheap *h, struct jbuf *b, const struct jdict *d, uint32_t tag, int what, int depth)
{
	for (uint32_t i = 0; i < d->n && !h->failed; i++) {
		if (i)
			jbuf_adds(h, b, ", ", tag);
		if (what == JVIEW_ITEMS)
			jbuf_adds(h, b, "(", tag);
		if (what != JVIEW_VALUES)
			repr(h, b, d->e[i].key, depth);
		if (what != JVIEW_VALUES && what != JVIEW_KEYS)
			jbuf_adds(h, b, what == JVIEW_ITEMS ? ", " : ": ", tag);
		if (what != JVIEW_KEYS)
			repr(h, b, d->e[i].val, depth);
		if (what == JVIEW_ITEMS)
			jbuf_adds(h, b, ")", tag);
	}
}

static void repr_container(struct jheap *h, struct jbuf *b, struct jv v, int depth)
{
	const uint32_t tag = v.user ? JTAG_USER : JTAG_TEMPLATE;

	if (!depth) {		/* Python marks cycles the same way */
		jbuf_adds(h, b, "...", tag);
		return;
	}
	switch (v.type) {
	case J_LIST:
		jbuf_adds(h, b, "[", tag);
		repr_items(h, b, v.u.list, tag, depth - 1);
		jbuf_adds(h, b, "]", tag);
		break;
	case J_TUPLE:
		jbuf_adds(h, b, "(", tag);
		repr_items(h, b, v.u.list, tag, depth - 1);
		jbuf_adds(h, b, v.u.list->n == 1 ? ",)" : ")", tag);
		break;
	case J_NS:
		jbuf_adds(h, b, "<Namespace {", tag);
		repr_entries(h, b, v.u.dict, tag, -1, depth - 1);
		jbuf_adds(h, b, "}>", tag);
		break;
	case J_VIEW:
		jbuf_addf(h, b, tag, "%s([", jv_typename(v));
		repr_entries(h, b, v.u.view->dict, tag, (int)v.u.view->what, depth - 1);
		jbuf_adds(h, b, "])", tag);
		break;
	default:
		jbuf_adds(h, b, "{", tag);
		repr_entries(h, b, v.u.dict, tag, -1, depth - 1);
		jbuf_adds(h, b, "}", tag);
	}
}

static void repr_range(struct jheap *h, struct jbuf *b, const struct jrange *r)
{
	jbuf_addf(h, b, JTAG_TEMPLATE, "range(%lld, %lld", (long long)r->start, (long long)r->stop);
	if (r->step != 1)
		jbuf_addf(h, b, JTAG_TEMPLATE, ", %lld", (long long)r->step);
	jbuf_adds(h, b, ")", JTAG_TEMPLATE);
}

static void repr(struct jheap *h, struct jbuf *b, struct jv v, int depth)
{
	const uint32_t tag = v.user ? JTAG_USER : JTAG_TEMPLATE;

	switch (v.type) {
	case J_NONE:
		jbuf_adds(h, b, "None", tag);
		break;
	case J_BOOL:
		jbuf_adds(h, b, v.u.b ? "True" : "False", tag);
		break;
	case J_INT:
		jbuf_addf(h, b, tag, "%lld", (long long)v.u.i);
		break;
	case J_FLOAT:
		print_float(h, b, v.u.f, tag);
		break;
	case J_STR:
		jbuf_adds(h, b, v.safe ? "Markup(" : "", tag);
		repr_str(h, b, v);
		jbuf_adds(h, b, v.safe ? ")" : "", tag);
		break;
	case J_LIST:
	case J_TUPLE:
	case J_DICT:
	case J_NS:
	case J_VIEW:
		repr_container(h, b, v, depth);
		break;
	case J_RANGE:
		repr_range(h, b, v.u.range);
		break;
	case J_UNDEF:
		jbuf_adds(h, b, "Undefined", tag);
		break;
	case J_MACRO:
		jbuf_adds(h, b, "<Macro ", tag);
		if (v.u.macro->sig->name.type == J_STR)
			repr_str(h, b, v.u.macro->sig->name);
		else
			jbuf_adds(h, b, "anonymous", tag);
		jbuf_adds(h, b, ">", tag);
		break;
	default:
		jbuf_addf(h, b, tag, "<%s object>", jv_typename(v));
	}
}

void jv_repr(struct jheap *h, struct jbuf *b, struct jv v)
{
	repr(h, b, v, JINJA_MAX_DEPTH);
}

void jv_print(struct jheap *h, struct jbuf *b, struct jv v)
{
	if (v.type == J_STR)
		jbuf_add_str(h, b, v);
	else if (v.type != J_UNDEF && v.type != J_MISSING)
		jv_repr(h, b, v);
}

struct jv jv_str(struct jheap *h, struct jv v)
{
	struct jbuf *b;

	if (v.type == J_STR)
		return v;
	b = jbuf_new(h, 0);
	jv_print(h, b, v);
	return jbuf_value(b);
}
