/* Strings in templates: filters and methods. Every byte of a result keeps its author. */
#include "config.h"
#include "engine/text/jinja_eval.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>

static bool given(struct jv v)
{
	return v.type != J_MISSING;
}

/* An argument that must be a string; J_MISSING and None give false without an error. */
static int want_str(struct jx *x, struct jv v, bool *is)
{
	*is = v.type == J_STR;
	if (*is || v.type == J_MISSING || v.type == J_NONE)
		return 0;
	if (v.type == J_UNDEF)
		return jx_raise_undef(x, v);
	return jx_raise(x, "must be str, not %s", jv_typename(v));
}

static int want_int(struct jx *x, struct jv v, int64_t missing, int64_t *out)
{
	*out = missing;
	if (!given(v))
		return 0;
	if (v.type == J_UNDEF)
		return jx_raise_undef(x, v);
	if (!jv_isint(v))
		return jx_raise(x, "'%s' object cannot be interpreted as an integer", jv_typename(v));
	*out = jv_asint(v);
	return 0;
}

/* Filters take anything and make it a string; methods have a string already. */
static struct jv soft(struct jx *x, struct jv v)
{
	return jv_str(x->h, v);
}

static int done(struct jx *x, struct jbuf *b, struct jv *out)
{
	*out = jbuf_value(b);
	return x->h->failed ? jx_limit(x) : 0;
}

/* -- case -------------------------------------------------------------------------- */

enum letters { UPPER, LOWER, TITLE, SWAP, FOLD, FINAL };

static void put_case(struct jheap *h, struct jbuf *b, const char *p, size_t n, uint32_t tag, enum letters how)
{
	uint8_t tmp[64], *r;
	size_t len = sizeof tmp;
	uint32_t cp;

	ju_next(p, n, &cp);
	if (how == SWAP)
		how = uc_is_property_lowercase(cp) ? UPPER : LOWER;
	if (how == FINAL) {
		jbuf_add(h, b, "\xcf\x82", 2, tag);
		return;
	}
	if (cp < 0x80) {
		const char c = how == LOWER || how == FOLD ? (cp >= 'A' && cp <= 'Z' ? (char)(cp + 32) : (char)cp)
							   : (cp >= 'a' && cp <= 'z' ? (char)(cp - 32) : (char)cp);

		jbuf_add(h, b, &c, 1, tag);
		return;
	}
	jheap_step(h, 1);
	if (how == FOLD)
		r = u8_casefold((const uint8_t *)p, n, NULL, NULL, tmp, &len);
	else
		r = (how == UPPER ? u8_toupper : how == LOWER ? u8_tolower : u8_totitle)((const uint8_t *)p, n, NULL,
											 NULL, tmp, &len);
	jbuf_add(h, b, r ? (const char *)r : p, r ? len : n, tag);
	if (r != tmp)
		free(r);	/* libunistring's own allocation */
}

/* Of the filter `title`: its words are strings of their own, but for their first letter. */
static bool opens_word(uint32_t cp)
{
	return ju_space(cp) || cp == '-' || cp == '(' || cp == '{' || cp == '[' || cp == '<';
}

struct casing {
	struct jheap *h;
	struct jbuf *b;
	enum letters first, rest;
	bool (*again)(uint32_t cp);
	bool start;
	const char *whole;
	size_t at, from, n;	/* in it: here, where what is around a letter begins, its end */
};

/* A capital sigma at the end of a word, with a letter before it, has a small letter of its own. */
static bool final_sigma(const struct casing *c)
{
	size_t i = c->at, k;
	uint32_t cp = 0;

	do {
		k = i > c->from ? ju_prev(c->whole + c->from, i - c->from, &cp) : 0;
		i -= k;
	} while (k && uc_is_property_case_ignorable(cp));
	if (!k || !uc_is_property_cased(cp))
		return false;
	i = c->at + 2;
	do {
		k = i < c->n ? ju_next(c->whole + i, c->n - i, &cp) : 0;
		i += k;
	} while (k && uc_is_property_case_ignorable(cp));
	return !k || !uc_is_property_cased(cp);
}

static enum letters how_now(const struct casing *c, uint32_t cp)
{
	const enum letters how = c->start ? c->first : c->rest;

	return cp == 0x3a3 && (how == LOWER || how == SWAP) && final_sigma(c) ? FINAL : how;
}

static void case_run(void *arg, const char *p, size_t n, uint32_t tag)
{
	struct casing *c = arg;
	uint32_t cp;

	jheap_walk(c->h, n);
	for (size_t i = 0, k; i < n && !c->h->failed; i += k) {
		k = ju_next(p + i, n - i, &cp);
		put_case(c->h, c->b, p + i, k, tag, how_now(c, cp));
		c->at += k;
		if (c->start && c->again == opens_word)
			c->from = c->at;
		c->start = c->again && c->again(cp);
	}
}

static int recase(struct jx *x, struct jv v, enum letters first, enum letters rest, bool (*again)(uint32_t cp),
		  struct jv *out)
{
	const struct jv s = soft(x, v);
	struct casing c = { x->h, jbuf_new(x->h, s.len), first, rest, again, true, jstr_p(&s), 0, 0, s.len };

	jstr_runs(&s, case_run, &c);
	return done(x, c.b, out);
}

static int fn_upper(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)a;
	return recase(x, self, UPPER, UPPER, NULL, out);
}

static int fn_lower(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)a;
	return recase(x, self, LOWER, LOWER, NULL, out);
}

static int fn_casefold(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)a;
	return recase(x, self, FOLD, FOLD, NULL, out);
}

static int fn_swapcase(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)a;
	return recase(x, self, SWAP, SWAP, NULL, out);
}

static int fn_capitalize(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)a;
	return recase(x, self, TITLE, LOWER, NULL, out);
}

static bool uncased(uint32_t cp)
{
	return !uc_is_property_cased(cp);
}

/* str.title(): letters after anything without case are capitals. */
static int fn_title_method(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)a;
	return recase(x, self, TITLE, LOWER, uncased, out);
}

/* The filter's words begin after blanks, "-", and opening brackets only. */
static int fn_title_filter(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)a;
	return recase(x, self, UPPER, LOWER, opens_word, out);
}

/* -- stripping --------------------------------------------------------------------- */

enum { STRIP_LEFT = 1, STRIP_RIGHT = 2 };

static bool strippable(struct jx *x, const struct jv *chars, const char *p, size_t k, uint32_t cp)
{
	if (!chars)
		return ju_space(cp);
	return jheap_scan(x->h, chars->len) && memmem(jstr_p(chars), chars->len, p, k);
}

static struct jv strip(struct jx *x, struct jv s, const struct jv *chars, int sides)
{
	const char *p = jstr_p(&s);
	size_t from = 0, to = s.len, k;
	uint32_t cp;

	while ((sides & STRIP_LEFT) && from < to) {
		k = ju_next(p + from, to - from, &cp);
		if (!strippable(x, chars, p + from, k, cp))
			break;
		from += k;
	}
	while ((sides & STRIP_RIGHT) && to > from) {
		k = ju_prev(p + from, to - from, &cp);
		if (!strippable(x, chars, p + to - k, k, cp))
			break;
		to -= k;
	}
	jheap_walk(x->h, s.len - (to - from));
	return jstr_sub(s, from, to - from);
}

static int stripped(struct jx *x, struct jv self, const struct jargs *a, int sides, struct jv *out)
{
	bool has;

	if (want_str(x, a->v[0], &has))
		return -1;
	*out = strip(x, soft(x, self), has ? &a->v[0] : NULL, sides);
	return 0;
}

static int fn_strip(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return stripped(x, self, a, STRIP_LEFT | STRIP_RIGHT, out);
}

static int fn_lstrip(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return stripped(x, self, a, STRIP_LEFT, out);
}

static int fn_rstrip(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return stripped(x, self, a, STRIP_RIGHT, out);
}

/* -- searching --------------------------------------------------------------------- */

/* Where `what` begins for the last time in s, or -1: a hash that rolls from the end. */
static int64_t find_last(struct jx *x, const char *p, size_t n, const char *w, size_t m)
{
	const uint64_t base = 0x9e3779b97f4a7c15u;
	uint64_t want = 0, have = 0, top = 1;

	for (size_t i = m; i-- > 0;) {
		want = want * base + (unsigned char)w[i] + 1;
		have = have * base + (unsigned char)p[n - m + i] + 1;
		top *= base;
	}
	for (size_t i = n - m;; i--) {
		if (have == want && jheap_scan(x->h, m) && !memcmp(p + i, w, m))
			return jheap_walk(x->h, n - i) ? (int64_t)i : -1;
		if (!i || x->h->failed)
			break;
		have = have * base + (unsigned char)p[i - 1] + 1 - top * ((unsigned char)p[i - 1 + m] + 1u);
	}
	jheap_walk(x->h, n);
	return -1;
}

/* Byte offset of the first (or last) `what` in s at or after from, or -1. What was looked through is counted. */
static int64_t find(struct jx *x, const struct jv *s, const struct jv *what, size_t from, bool last)
{
	const char *p = jstr_p(s), *w = jstr_p(what), *hit;
	int64_t at;

	if (from > s->len || what->len > s->len - from)
		return -1;
	if (!what->len)
		return last ? s->len : (int64_t)from;
	if (last) {
		at = find_last(x, p + from, s->len - from, w, what->len);
		return at < 0 ? at : at + (int64_t)from;
	}
	hit = memmem(p + from, s->len - from, w, what->len);
	return jheap_scan(x->h, 2 * (hit ? (size_t)(hit - p) - from + what->len : s->len - from)) && hit ? hit - p : -1;
}

/* The part s[start:end] that find, count, startswith look at. */
static int part(struct jx *x, struct jv s, struct jv start, struct jv end, struct jv *out, size_t *skipped)
{
	struct jrange r = { .step = 1, .has_start = jv_isint(start), .has_stop = jv_isint(end) };

	*skipped = 0;
	*out = s;
	if (!r.has_start && !r.has_stop)
		return 0;
	r.start = r.has_start ? jv_asint(start) : 0;
	r.stop = r.has_stop ? jv_asint(end) : 0;
	if (jx_slice(x, s, &r, out))
		return -1;
	*skipped = out->off - s.off;
	if (!out->len && r.has_start) {		/* nothing has a place too */
		const int64_t n = (int64_t)jstr_chars(&s), at = r.start < 0 ? r.start + n : r.start;

		*skipped = at > 0 ? ju_offset(jstr_p(&s), s.len, (size_t)(at < n ? at : n)) : 0;
	}
	return 0;
}

static int find_in(struct jx *x, struct jv s, const struct jargs *a, bool last, struct jv *out)
{
	struct jv in;
	size_t skipped;
	int64_t at;
	bool has;

	if (want_str(x, a->v[0], &has) || part(x, s, a->v[1], a->v[2], &in, &skipped))
		return -1;
	if (!has)
		return jx_raise(x, "must be str, not None");
	jheap_walk(x->h, 2 * (size_t)s.len);
	at = jv_isint(a->v[1]) && jv_asint(a->v[1]) > (int64_t)jstr_chars(&s) ? -1 : find(x, &in, &a->v[0], 0, last);
	*out = jv_int(at < 0 ? -1 : (int64_t)ju_chars(jstr_p(&s), skipped + (size_t)at));
	return 0;
}

static int fn_find(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return find_in(x, self, a, false, out);
}

static int fn_rfind(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return find_in(x, self, a, true, out);
}

static int index_in(struct jx *x, struct jv self, const struct jargs *a, bool last, struct jv *out)
{
	if (find_in(x, self, a, last, out))
		return -1;
	return out->u.i < 0 ? jx_raise(x, "substring not found") : 0;
}

static int fn_index(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return index_in(x, self, a, false, out);
}

static int fn_rindex(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return index_in(x, self, a, true, out);
}

static int fn_count(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jv in;
	size_t skipped, from = 0;
	int64_t at, n = 0;
	bool has;

	if (want_str(x, a->v[0], &has) || part(x, self, a->v[1], a->v[2], &in, &skipped))
		return -1;
	if (has && !a->v[0].len) {
		jheap_walk(x->h, in.len);
		*out = jv_int((int64_t)jstr_chars(&in) + 1);
		return 0;
	}
	for (; has && (at = find(x, &in, &a->v[0], from, false)) >= 0 && jheap_step(x->h, 1); n++)
		from = (size_t)at + a->v[0].len;
	*out = jv_int(n);
	return 0;
}

static bool has_end(struct jx *x, struct jv s, struct jv what, bool suffix)
{
	return what.type == J_STR && what.len <= s.len && jheap_scan(x->h, what.len) &&
	       !memcmp(jstr_p(&s) + (suffix ? s.len - what.len : 0), jstr_p(&what), what.len);
}

static int fn_removeprefix(struct jx *x, struct jv s, const struct jargs *a, struct jv *out)
{
	const struct jv p = a->v[0];
	bool has;

	if (want_str(x, p, &has))
		return -1;
	*out = has && has_end(x, s, p, false) ? jstr_sub(s, p.len, s.len - p.len) : s;
	return 0;
}

static int fn_removesuffix(struct jx *x, struct jv s, const struct jargs *a, struct jv *out)
{
	const struct jv p = a->v[0];
	bool has;

	if (want_str(x, p, &has))
		return -1;
	*out = has && has_end(x, s, p, true) ? jstr_sub(s, 0, s.len - p.len) : s;
	return 0;
}

/* startswith and endswith: one string, or any of a tuple. */
static int ends(struct jx *x, struct jv self, const struct jargs *a, bool suffix, struct jv *out)
{
	const struct jv what = a->v[0];
	struct jv in;
	size_t skipped;
	bool yes = false;

	if (what.type != J_TUPLE && what.type != J_STR)
		return what.type == J_UNDEF ? jx_raise_undef(x, what) :
		       jx_raise(x, "%s first arg must be str or a tuple of str, not %s", suffix ? "endswith" : "startswith",
				jv_typename(what));
	if (part(x, self, a->v[1], a->v[2], &in, &skipped))
		return -1;
	if (what.type == J_STR)
		yes = has_end(x, in, what, suffix);
	else
		for (uint32_t i = 0; i < what.u.list->n && !yes && jheap_step(x->h, 1); i++)
			yes = has_end(x, in, what.u.list->v[i], suffix);
	*out = jv_bool(yes);
	return 0;
}

static int fn_startswith(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return ends(x, self, a, false, out);
}

static int fn_endswith(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return ends(x, self, a, true, out);
}

/* -- splitting and joining --------------------------------------------------------- */

static int split_at(struct jx *x, struct jv s, struct jv sep, int64_t max, struct jlist *l)
{
	size_t from = 0;
	int64_t at;

	while (max-- && jheap_step(x->h, 1) && (at = find(x, &s, &sep, from, false)) >= 0) {
		if (jlist_add(x->h, l, jstr_sub(s, from, (size_t)at - from)))
			return jx_limit(x);
		from = (size_t)at + sep.len;
	}
	return jlist_add(x->h, l, jstr_sub(s, from, s.len - from)) ? jx_limit(x) : 0;
}

/* From the right; the list is turned round at the end. */
static int rsplit_at(struct jx *x, struct jv s, struct jv sep, int64_t max, struct jlist *l)
{
	int64_t at;

	while (max-- && jheap_step(x->h, 1) && (at = find(x, &s, &sep, 0, true)) >= 0) {
		const size_t from = (size_t)at + sep.len;

		if (jlist_add(x->h, l, jstr_sub(s, from, s.len - from)))
			return jx_limit(x);
		s = jstr_sub(s, 0, (size_t)at);
	}
	return jlist_add(x->h, l, s) ? jx_limit(x) : 0;
}

/* Length of the leading (or trailing) run of characters that are blank, or not. */
static size_t run_of(struct jv s, bool blank, bool right)
{
	const char *p = jstr_p(&s);
	size_t n = s.len, k;
	uint32_t cp;

	while (n) {
		k = right ? ju_prev(p, n, &cp) : ju_next(p + (s.len - n), n, &cp);
		if (ju_space(cp) != blank)
			break;
		n -= k;
	}
	return s.len - n;
}

/* Words between white space. */
static int split_words(struct jx *x, struct jv s, int64_t max, bool right, struct jlist *l)
{
	size_t k;

	for (;; max--) {
		k = run_of(s, true, right);
		s = jstr_sub(s, right ? 0 : k, s.len - k);
		if (!s.len)
			return 0;
		if (!max || !jheap_step(x->h, 1))
			break;
		k = run_of(s, false, right);
		if (jlist_add(x->h, l, jstr_sub(s, right ? s.len - k : 0, k)))
			return jx_limit(x);
		s = jstr_sub(s, right ? 0 : k, s.len - k);
	}
	s = strip(x, s, NULL, right ? STRIP_RIGHT : STRIP_LEFT);
	return jlist_add(x->h, l, s) ? jx_limit(x) : 0;
}

static void reverse(struct jlist *l)
{
	for (uint32_t i = 0; i < l->n / 2; i++) {
		const struct jv v = l->v[i];

		l->v[i] = l->v[l->n - 1 - i];
		l->v[l->n - 1 - i] = v;
	}
}

static int split(struct jx *x, struct jv self, const struct jargs *a, bool right, struct jv *out)
{
	int64_t max;
	bool has;
	int rc;

	if (want_str(x, a->v[0], &has) || want_int(x, a->v[1], -1, &max))
		return -1;
	if (has && !a->v[0].len)
		return jx_raise(x, "empty separator");
	*out = jv_list(x->h, J_LIST, 0);
	if (x->h->failed || (!has && !jheap_walk(x->h, self.len)))
		return jx_limit(x);
	if (max < 0)
		max = INT64_MAX;
	if (!has)
		rc = split_words(x, self, max, right, out->u.list);
	else
		rc = (right ? rsplit_at : split_at)(x, self, a->v[0], max, out->u.list);
	if (right)
		reverse(out->u.list);
	return rc;
}

static int fn_split(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return split(x, self, a, false, out);
}

static int fn_rsplit(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return split(x, self, a, true, out);
}

/* Bytes of the line break at i, or 0. */
static size_t line_break(struct jv s, size_t i)
{
	const char *p = jstr_p(&s) + i;
	uint32_t cp;
	const size_t k = ju_next(p, s.len - i, &cp);

	if (cp == '\r')
		return i + 1 < s.len && p[1] == '\n' ? 2 : 1;
	return cp == '\n' || cp == 0x0b || cp == 0x0c || (cp >= 0x1c && cp <= 0x1e) || cp == 0x85 || cp == 0x2028 ||
	       cp == 0x2029 ? k : 0;
}

static int fn_splitlines(struct jx *x, struct jv s, const struct jargs *a, struct jv *out)
{
	const bool keep = given(a->v[0]) && jv_truth(a->v[0]);
	size_t from = 0, k;

	*out = jv_list(x->h, J_LIST, 0);
	jheap_walk(x->h, s.len);
	for (size_t i = 0; i < s.len && !x->h->failed; i += k) {
		const size_t end = line_break(s, i);

		k = end ? end : ju_next(jstr_p(&s) + i, s.len - i, NULL);
		if (!end)
			continue;
		jlist_add(x->h, out->u.list, jstr_sub(s, from, i + (keep ? end : 0) - from));
		from = i + end;
	}
	if (from < s.len && !x->h->failed)
		jlist_add(x->h, out->u.list, jstr_sub(s, from, s.len - from));
	return x->h->failed ? jx_limit(x) : 0;
}

static int partition(struct jx *x, struct jv s, const struct jargs *a, bool last, struct jv *out)
{
	const struct jv sep = a->v[0], none = jstr_sub(s, 0, 0);
	struct jv parts[3] = { s, none, none };
	int64_t at;
	bool has;

	if (want_str(x, sep, &has))
		return -1;
	if (!has || !sep.len)
		return jx_raise(x, "empty separator");
	at = find(x, &s, &sep, 0, last);
	if (at >= 0) {
		parts[0] = jstr_sub(s, 0, (size_t)at);
		parts[1] = jstr_sub(s, (size_t)at, sep.len);
		parts[2] = jstr_sub(s, (size_t)at + sep.len, s.len - (size_t)at - sep.len);
	} else if (last) {
		parts[0] = none;
		parts[2] = s;
	}
	*out = jv_list(x->h, J_TUPLE, 3);
	for (int i = 0; i < 3 && !x->h->failed; i++)
		jlist_add(x->h, out->u.list, parts[i]);
	return 0;
}

static int fn_partition(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return partition(x, self, a, false, out);
}

static int fn_rpartition(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return partition(x, self, a, true, out);
}

static int fn_join_method(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jbuf *b = jbuf_new(x->h, 0);
	struct jcursor c;
	struct jv v;
	int rc, n = 0;

	if (jx_cursor(x, a->v[0], &c))
		return -1;
	while ((rc = jx_next(x, &c, &v)) > 0) {
		if (v.type != J_STR)
			return jx_raise(x, "sequence item %d: expected str instance, %s found", n, jv_typename(v));
		if (n++)
			jbuf_add_str(x->h, b, self);
		jbuf_add_str(x->h, b, v);
	}
	return rc ? rc : done(x, b, out);
}

/* -- replacing --------------------------------------------------------------------- */

/* Between all characters, for an empty `from`. */
static void interleave(struct jx *x, struct jv s, struct jv to, int64_t max, struct jbuf *b)
{
	size_t i = 0, k;

	for (; max; max--) {
		jbuf_add_str(x->h, b, to);
		if (i >= s.len || !jheap_step(x->h, 1))
			return;
		k = ju_next(jstr_p(&s) + i, s.len - i, NULL);
		jbuf_add_str(x->h, b, jstr_sub(s, i, k));
		i += k;
	}
	jbuf_add_str(x->h, b, jstr_sub(s, i, s.len - i));
}

static int replace(struct jx *x, struct jv s, struct jv from, struct jv to, int64_t max, struct jv *out)
{
	struct jbuf *b = jbuf_new(x->h, 0);
	size_t at = 0;
	int64_t hit;

	if (max < 0)
		max = INT64_MAX;
	if (!from.len) {
		interleave(x, s, to, max, b);
		return done(x, b, out);
	}
	while (max-- && jheap_step(x->h, 1) && (hit = find(x, &s, &from, at, false)) >= 0) {
		jbuf_add_str(x->h, b, jstr_sub(s, at, (size_t)hit - at));
		jbuf_add_str(x->h, b, to);
		at = (size_t)hit + from.len;
	}
	if (!at) {
		*out = s;	/* nothing to replace: nothing copied */
		return x->h->failed ? jx_limit(x) : 0;
	}
	jbuf_add_str(x->h, b, jstr_sub(s, at, s.len - at));
	return done(x, b, out);
}

static int fn_replace_method(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	int64_t max;
	bool from, to;

	if (want_str(x, a->v[0], &from) || want_str(x, a->v[1], &to) || want_int(x, a->v[2], -1, &max))
		return -1;
	if (!from || !to)
		return jx_raise(x, "replace() argument must be str, not None");
	return replace(x, self, a->v[0], a->v[1], max, out);
}

static int fn_replace_filter(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	int64_t max = -1;

	if (a->v[2].type != J_NONE && want_int(x, a->v[2], -1, &max))
		return -1;
	return replace(x, soft(x, self), soft(x, a->v[0]), soft(x, a->v[1]), max, out);
}

/* -- layout ------------------------------------------------------------------------ */

static void pad(struct jheap *h, struct jbuf *b, int64_t n, struct jv fill)
{
	for (; n > 0 && !h->failed; n--)
		jbuf_add_str(h, b, fill);
}

static int justify(struct jx *x, struct jv s, int64_t width, struct jv fill, int align, struct jv *out)
{
	const int64_t room = jheap_walk(x->h, s.len) ? width - (int64_t)jstr_chars(&s) : 0;
	/* str.center puts the odd blank where Python does */
	const int64_t left = align < 0 ? 0 : align > 0 ? room : room / 2 + (room & width & 1);
	struct jbuf *b;

	if (!given(fill) || fill.type != J_STR)
		fill = jstr_z(x->h, " ");
	if (jstr_chars(&fill) != 1)
		return jx_raise(x, "The fill character must be exactly one character long");
	if (room <= 0) {
		*out = s;
		return 0;
	}
	b = jbuf_new(x->h, 0);
	pad(x->h, b, left, fill);
	jbuf_add_str(x->h, b, s);
	pad(x->h, b, room - left, fill);
	return done(x, b, out);
}

static int justified(struct jx *x, struct jv self, const struct jargs *a, int align, int64_t missing, struct jv *out)
{
	int64_t width;

	return want_int(x, a->v[0], missing, &width) || justify(x, soft(x, self), width, a->v[1], align, out) ? -1 : 0;
}

static int fn_ljust(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return justified(x, self, a, -1, 0, out);
}

static int fn_rjust(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return justified(x, self, a, 1, 0, out);
}

static int fn_center(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return justified(x, self, a, 0, 0, out);
}

static int fn_center_filter(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jv slots[2] = { a->v[0], { .type = J_MISSING } };

	return justified(x, self, &(struct jargs){ .v = slots, .n = 2 }, 0, 80, out);
}

static int fn_zfill(struct jx *x, struct jv s, const struct jargs *a, struct jv *out)
{
	const bool sign = s.len && (*jstr_p(&s) == '-' || *jstr_p(&s) == '+');
	struct jbuf *b = jbuf_new(x->h, 0);
	int64_t width;

	if (want_int(x, a->v[0], 0, &width))
		return -1;
	jbuf_add_str(x->h, b, jstr_sub(s, 0, sign));
	pad(x->h, b, width - (int64_t)jstr_chars(&s), jstr_z(x->h, "0"));
	jbuf_add_str(x->h, b, jstr_sub(s, sign, s.len - sign));
	return done(x, b, out);
}

static int fn_expandtabs(struct jx *x, struct jv s, const struct jargs *a, struct jv *out)
{
	struct jbuf *b = jbuf_new(x->h, 0);
	const struct jv blank = jstr_z(x->h, " ");
	int64_t size, column = 0;

	if (want_int(x, a->v[0], 8, &size))
		return -1;
	for (size_t i = 0, k; i < s.len && !x->h->failed; i += k) {
		const char c = jstr_p(&s)[i];

		k = ju_next(jstr_p(&s) + i, s.len - i, NULL);
		if (c == '\t') {
			pad(x->h, b, size > 0 ? size - column % size : 0, blank);
			column = 0;
			continue;
		}
		jbuf_add_str(x->h, b, jstr_sub(s, i, k));
		column = c == '\n' || c == '\r' ? 0 : column + 1;
	}
	return done(x, b, out);
}

static int fn_indent(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const struct jv s = soft(x, self);
	const bool first = given(a->v[1]) && jv_truth(a->v[1]), blank = given(a->v[2]) && jv_truth(a->v[2]);
	struct jv fill = a->v[0];
	struct jbuf *b = jbuf_new(x->h, s.len);
	int64_t width;
	size_t from = 0, end, k;

	if (fill.type != J_STR) {
		if (want_int(x, fill, 4, &width) ||
		    jx_binary(x, JOP_MUL, jstr_z(x->h, " "), jv_int(width), &fill))
			return -1;
	}
	jheap_walk(x->h, s.len);
	for (bool start = true; !x->h->failed; start = false) {
		for (end = from, k = 0; end < s.len && !(k = line_break(s, end));)
			end += ju_next(jstr_p(&s) + end, s.len - end, NULL);
		if (start ? first : (blank || end > from))
			jbuf_add_str(x->h, b, fill);
		jbuf_add_str(x->h, b, jstr_sub(s, from, end - from));
		from = end + k;
		/* a "\r" at the end and the "\n" that Jinja2 puts behind it are one */
		if (end == s.len || (from == s.len && jstr_p(&s)[end] == '\r' && k == 1))
			break;
		jbuf_add(x->h, b, "\n", 1, jstr_tag(&s, end));
	}
	return done(x, b, out);
}

static int fn_truncate(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jv s = soft(x, self), end = given(a->v[2]) ? a->v[2] : jstr_z(x->h, "...");
	const struct jv blank = jstr_z(x->h, " ");
	int64_t length, leeway, keep, at;
	struct jbuf *b;

	if (want_int(x, a->v[0], 255, &length) || want_int(x, a->v[3].type == J_NONE ? (struct jv){ .type = J_MISSING } : a->v[3], 5, &leeway))
		return -1;
	end = soft(x, end);
	keep = length - (int64_t)jstr_chars(&end);
	if (keep < 0)
		return jx_raise(x, "expected length >= %zu, got %lld", jstr_chars(&end), (long long)length);
	if (leeway < 0)
		return jx_raise(x, "expected leeway >= 0, got %lld", (long long)leeway);
	*out = s;
	jheap_walk(x->h, 2 * (size_t)s.len);
	if (x->h->failed || (int64_t)jstr_chars(&s) - length <= leeway)
		return 0;
	s = jstr_sub(s, 0, ju_offset(jstr_p(&s), s.len, (size_t)keep));
	at = given(a->v[1]) && jv_truth(a->v[1]) ? -1 : find(x, &s, &blank, 0, true);
	if (at >= 0)
		s = jstr_sub(s, 0, (size_t)at);
	b = jbuf_new(x->h, 0);
	jbuf_add_str(x->h, b, s);
	jbuf_add_str(x->h, b, end);
	return done(x, b, out);
}

static int fn_wordcount(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const struct jv s = soft(x, self);
	int64_t n = 0;
	bool in = false;
	uint32_t cp;

	(void)a;
	jheap_walk(x->h, 2 * (size_t)s.len);
	for (size_t i = 0; i < s.len && !x->h->failed;) {
		i += ju_next(jstr_p(&s) + i, s.len - i, &cp);
		if (uc_is_alnum(cp) || cp == '_') {
			n += !in;
			in = true;
		} else {
			in = false;
		}
	}
	*out = jv_int(n);
	return 0;
}

/* -- what a string is made of ------------------------------------------------------ */

enum quality { ALPHA, DIGIT, DECIMAL, NUMERIC, ALNUM, SPACE, PRINTABLE, ASCII };

static bool has_quality(uint32_t cp, enum quality q)
{
	switch (q) {
	case ALPHA:
		return uc_is_general_category(cp, UC_LETTER);
	case DIGIT:
		return uc_digit_value(cp) >= 0;
	case DECIMAL:
		return uc_decimal_value(cp) >= 0;
	case NUMERIC:
		return uc_numeric_value(cp).denominator != 0;
	case ALNUM:
		return uc_is_general_category(cp, UC_LETTER) || uc_numeric_value(cp).denominator != 0;
	case SPACE:
		return ju_space(cp);
	case ASCII:
		return cp < 0x80;
	default:
		return cp == ' ' || !uc_is_general_category_withtable(cp, UC_CATEGORY_MASK_C | UC_CATEGORY_MASK_Z);
	}
}

static int all(struct jx *x, struct jv s, enum quality q, struct jv *out)
{
	bool yes = s.len || q == PRINTABLE || q == ASCII;
	uint32_t cp;

	jheap_walk(x->h, 2 * (size_t)s.len);
	for (size_t i = 0; i < s.len && yes && !x->h->failed;) {
		i += ju_next(jstr_p(&s) + i, s.len - i, &cp);
		yes = has_quality(cp, q);
	}
	*out = jv_bool(yes);
	return 0;
}

#define IS(name, quality) \
	static int fn_##name(struct jx *x, struct jv self, const struct jargs *a, struct jv *out) \
	{ \
		(void)a; \
		return all(x, self, quality, out); \
	}
IS(isalpha, ALPHA)
IS(isdigit, DIGIT)
IS(isdecimal, DECIMAL)
IS(isnumeric, NUMERIC)
IS(isalnum, ALNUM)
IS(isspace, SPACE)
IS(isprintable, PRINTABLE)
IS(isascii, ASCII)
#undef IS

/* Letters with case are all of one, and there is one. */
static int cased(struct jx *x, struct jv self, bool upper, struct jv *out)
{
	const struct jv s = soft(x, self);
	bool some = false, all_so = true;
	uint32_t cp;

	jheap_walk(x->h, 2 * (size_t)s.len);
	for (size_t i = 0; i < s.len && all_so && !x->h->failed;) {
		i += ju_next(jstr_p(&s) + i, s.len - i, &cp);
		if (upper ? uc_is_property_uppercase(cp) : uc_is_property_lowercase(cp))
			some = true;
		else if (uc_is_property_cased(cp))
			all_so = false;
	}
	*out = jv_bool(some && all_so);
	return 0;
}

int jlib_is_lower(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)a;
	return cased(x, self, false, out);
}

int jlib_is_upper(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)a;
	return cased(x, self, true, out);
}

static int fn_istitle(struct jx *x, struct jv s, const struct jargs *a, struct jv *out)
{
	bool some = false, right = true, start = true;
	uint32_t cp;

	(void)a;
	jheap_walk(x->h, 2 * (size_t)s.len);
	for (size_t i = 0; i < s.len && right && !x->h->failed;) {
		i += ju_next(jstr_p(&s) + i, s.len - i, &cp);
		if (!uc_is_property_cased(cp)) {
			start = true;
			continue;
		}
		right = uc_is_property_lowercase(cp) != start;
		some = true;
		start = false;
	}
	*out = jv_bool(some && right);
	return 0;
}

static int fn_isidentifier(struct jx *x, struct jv s, const struct jargs *a, struct jv *out)
{
	bool yes = s.len;
	uint32_t cp;

	(void)a;
	jheap_walk(x->h, 2 * (size_t)s.len);
	for (size_t i = 0, k; i < s.len && yes && !x->h->failed; i += k) {
		k = ju_next(jstr_p(&s) + i, s.len - i, &cp);
		yes = cp == '_' || (i ? uc_is_property_xid_continue(cp) : uc_is_property_xid_start(cp));
	}
	*out = jv_bool(yes);
	return 0;
}

/* -- tables ------------------------------------------------------------------------ */

const struct jbuiltin jlib_string_filters[] = {
	{ "upper", fn_upper, NULL, 0 },
	{ "lower", fn_lower, NULL, 0 },
	{ "capitalize", fn_capitalize, NULL, 0 },
	{ "title", fn_title_filter, NULL, 0 },
	{ "trim", fn_strip, "chars", 0 },
	{ "replace", fn_replace_filter, "old new count", 2 },
	{ "indent", fn_indent, "width first blank", 0 },
	{ "truncate", fn_truncate, "length killwords end leeway", 0 },
	{ "center", fn_center_filter, "width", 0 },
	{ "wordcount", fn_wordcount, NULL, 0 },
	{ NULL, NULL, NULL, 0 },
};

const struct jbuiltin jlib_string_methods[] = {
	{ "strip", fn_strip, "chars", 0 },
	{ "lstrip", fn_lstrip, "chars", 0 },
	{ "rstrip", fn_rstrip, "chars", 0 },
	{ "split", fn_split, "sep maxsplit", 0 },
	{ "rsplit", fn_rsplit, "sep maxsplit", 0 },
	{ "splitlines", fn_splitlines, "keepends", 0 },
	{ "startswith", fn_startswith, "prefix start end", 1 },
	{ "endswith", fn_endswith, "suffix start end", 1 },
	{ "replace", fn_replace_method, "old new count", 2 },
	{ "upper", fn_upper, NULL, 0 },
	{ "lower", fn_lower, NULL, 0 },
	{ "title", fn_title_method, NULL, 0 },
	{ "capitalize", fn_capitalize, NULL, 0 },
	{ "swapcase", fn_swapcase, NULL, 0 },
	{ "casefold", fn_casefold, NULL, 0 },
	{ "find", fn_find, "sub start end", 1 },
	{ "rfind", fn_rfind, "sub start end", 1 },
	{ "index", fn_index, "sub start end", 1 },
	{ "rindex", fn_rindex, "sub start end", 1 },
	{ "count", fn_count, "sub start end", 1 },
	{ "join", fn_join_method, "iterable", 1 },
	{ "partition", fn_partition, "sep", 1 },
	{ "rpartition", fn_rpartition, "sep", 1 },
	{ "removeprefix", fn_removeprefix, "prefix", 1 },
	{ "removesuffix", fn_removesuffix, "suffix", 1 },
	{ "ljust", fn_ljust, "width fillchar", 1 },
	{ "rjust", fn_rjust, "width fillchar", 1 },
	{ "center", fn_center, "width fillchar", 1 },
	{ "zfill", fn_zfill, "width", 1 },
	{ "expandtabs", fn_expandtabs, "tabsize", 0 },
	{ "isalpha", fn_isalpha, NULL, 0 },
	{ "isdigit", fn_isdigit, NULL, 0 },
	{ "isdecimal", fn_isdecimal, NULL, 0 },
	{ "isnumeric", fn_isnumeric, NULL, 0 },
	{ "isalnum", fn_isalnum, NULL, 0 },
	{ "isspace", fn_isspace, NULL, 0 },
	{ "isprintable", fn_isprintable, NULL, 0 },
	{ "isascii", fn_isascii, NULL, 0 },
	{ "islower", jlib_is_lower, NULL, 0 },
	{ "isupper", jlib_is_upper, NULL, 0 },
	{ "istitle", fn_istitle, NULL, 0 },
	{ "isidentifier", fn_isidentifier, NULL, 0 },
	{ "format", jlib_str_format, "*", 0 },
	{ "format_map", jlib_str_format_map, "mapping", 1 },
	{ NULL, NULL, NULL, 0 },
};
