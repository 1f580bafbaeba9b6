/* Filters that turn values into text of some form: tojson, string, escape, urlencode. */
#include "config.h"
#include "engine/text/jinja_eval.h"
#include "engine/text/jinja_json.h"

#include <math.h>
#include <string.h>

static int fn_string(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)a;
	*out = jv_str(x->h, self);
	return 0;
}

static int fn_safe(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)a;
	*out = jv_str(x->h, self);
	out->safe = true;
	return 0;
}

struct sink { struct jheap *h; struct jbuf *b; bool query; };

static void escape_run(void *arg, const char *p, size_t n, uint32_t tag)
{
	static const struct { char c; const char *text; } entities[] = {
		{ '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&#34;" }, { '\'', "&#39;" },
	};
	const struct sink *s = arg;

	for (size_t i = 0, k; i < n && !s->h->failed; i++) {
		for (k = 0; k < 5 && entities[k].c != p[i]; k++)
			;
		if (k < 5)
			jbuf_adds(s->h, s->b, entities[k].text, tag);
		else
			jbuf_add(s->h, s->b, p + i, 1, tag);
	}
}

static int fn_forceescape(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const struct jv s = jv_str(x->h, self);
	struct sink to = { .h = x->h, .b = jbuf_new(x->h, s.len) };

	(void)a;
	jheap_scan(x->h, s.len);
	jstr_runs(&s, escape_run, &to);
	*out = jbuf_value(to.b);
	out->safe = true;
	return 0;
}

static int fn_escape(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	if (self.type == J_STR && self.safe) {
		*out = self;
		return 0;
	}
	return fn_forceescape(x, self, a, out);
}

static void quote_run(void *arg, const char *p, size_t n, uint32_t tag)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~";
	const struct sink *s = arg;

	for (size_t i = 0; i < n && !s->h->failed; i++) {
		if ((p[i] && strchr(plain, p[i])) || (p[i] == '/' && !s->query))
			jbuf_add(s->h, s->b, p + i, 1, tag);
		else if (p[i] == ' ' && s->query)
			jbuf_add(s->h, s->b, "+", 1, tag);
		else
			jbuf_addf(s->h, s->b, tag, "%%%02X", (unsigned char)p[i]);
	}
}

static void quote(struct jx *x, struct sink *to, struct jv v)
{
	const struct jv s = jv_str(x->h, v);

	jheap_scan(x->h, s.len);
	jstr_runs(&s, quote_run, to);
}

/* A string is quoted for a path; pairs become a query. */
static int fn_urlencode(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct sink to = { .h = x->h, .b = jbuf_new(x->h, 0) };
	struct jlist *l, *pair;

	(void)a;
	if (self.type == J_DICT && jx_filter(x, "items", self, a, &self))
		return -1;
	if (self.type == J_STR || jv_isnum(self) || self.type == J_NONE) {
		quote(x, &to, self);
		*out = jbuf_value(to.b);
		return 0;
	}
	to.query = true;
	if (jx_list(x, self, &l))
		return -1;
	for (uint32_t i = 0; i < l->n && !x->h->failed; i++) {
		if (jx_list(x, l->v[i], &pair))
			return -1;
		if (pair->n != 2)
			return jx_raise(x, "urlencode needs pairs");
		jbuf_adds(x->h, to.b, i ? "&" : "", JTAG_TEMPLATE);
		quote(x, &to, pair->v[0]);
		jbuf_adds(x->h, to.b, "=", JTAG_TEMPLATE);
		quote(x, &to, pair->v[1]);
	}
	*out = jbuf_value(to.b);
	return 0;
}

/* Is it printed on one line, but for its length, and in the order that it has? */
static bool one_line(struct jx *x, struct jv v, int depth)
{
	bool yes = depth < JINJA_MAX_DEPTH && jheap_step(x->h, 1);

	if (v.type == J_DICT)
		return yes && v.u.dict->n <= 1 && (!v.u.dict->n || one_line(x, v.u.dict->e[0].val, depth + 1));
	for (uint32_t i = 0; (v.type == J_LIST || v.type == J_TUPLE) && i < v.u.list->n && yes; i++)
		yes = one_line(x, v.u.list->v[i], depth + 1);
	return yes;
}

static int fn_pprint(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	enum { LINE = 80 };
	struct jbuf *b = jbuf_new(x->h, 0);

	(void)a;
	if (one_line(x, self, 0) && !x->h->failed) {
		jv_repr(x->h, b, self);
		*out = jbuf_value(b);
		if (jstr_chars(out) <= LINE)
			return 0;
	}
	return x->h->failed ? jx_limit(x) : jx_raise(x, "pprint is supported for what fits a line and has no keys to sort");
}

static int fn_filesizeformat(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	static const char *const units[2][8] = {
		{ "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB" },
		{ "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB" },
	};
	const bool binary = a->v[0].type != J_MISSING && jv_truth(a->v[0]);
	const double base = binary ? 1024 : 1000;
	struct jv none = jv_none();
	const struct jargs args = { .v = &none, .n = 1 };
	const struct jv was = self;
	struct jbuf *b = jbuf_new(x->h, 0);
	double n, unit = base * base;
	char said[64];
	int k = 0;

	if (jx_filter(x, "float", self, &args, &self))
		return -1;
	if (self.type == J_NONE && was.type == J_STR)
		return jx_raise(x, "could not convert string to float: '%s'", err_quote(said, sizeof said, jstr_p(&was), was.len));
	if (self.type == J_NONE)
		return jx_raise(x, "float() argument must be a string or a real number, not '%s'", jv_typename(was));
	n = self.u.f;
	if (n == 1) {
		jbuf_adds(x->h, b, "1 Byte", JTAG_USER);
	} else if (n < base) {
		jbuf_addf(x->h, b, JTAG_USER, "%.0f Bytes", trunc(n) + 0.0);
	} else {
		for (; k < 7 && n >= unit; k++)
			unit *= base;
		jbuf_addf(x->h, b, JTAG_USER, "%.1f %s", base * n / unit, units[binary][k]);
	}
	*out = jbuf_value(b);
	return 0;
}

/* Everything from each `open` to the `close` after it is left out; what does not close stays. */
static struct jv without(struct jx *x, struct jv s, const char *open, const char *close)
{
	struct jbuf *b = jbuf_new(x->h, s.len);
	size_t from = 0;

	while (from < s.len && jheap_step(x->h, 1)) {
		const char *p = jstr_p(&s) + from, *start = memmem(p, s.len - from, open, strlen(open));
		const size_t before = start ? (size_t)(start - p) : s.len - from;
		const char *end = start ? memmem(start, s.len - from - before, close, strlen(close)) : NULL;

		jbuf_add_str(x->h, b, jstr_sub(s, from, end ? before : s.len - from));
		from = end ? (size_t)(end - jstr_p(&s)) + strlen(close) : s.len;
	}
	jheap_scan(x->h, 2 * (size_t)s.len);
	return jbuf_value(b);
}

/* "&lt;" and its like, as escape writes them. */
static struct jv unescaped(struct jx *x, struct jv s)
{
	static const struct { const char *from, *to; } entities[] = {
		{ "&lt;", "<" }, { "&gt;", ">" }, { "&#34;", "\"" }, { "&quot;", "\"" }, { "&#39;", "'" }, { "&amp;", "&" },
	};
	struct jv args[3] = { [2] = { .type = J_MISSING } };

	for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
		args[0] = jstr_z(x->h, entities[i].from);
		args[1] = jstr(x->h, entities[i].to, 1, JTAG_USER);
		if (jx_filter(x, "replace", s, &(struct jargs){ .v = args, .n = 2 }, &s))
			break;
	}
	return s;
}

static int fn_striptags(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jv s = without(x, without(x, jv_str(x->h, self), "<!--", "-->"), "<", ">");
	struct jbuf *b = jbuf_new(x->h, s.len);
	bool blank = false;
	uint32_t cp;

	(void)a;
	for (size_t i = 0, k; i < s.len && jheap_step(x->h, 1); i += k) {	/* words, one blank between */
		k = ju_next(jstr_p(&s) + i, s.len - i, &cp);
		if (ju_space(cp)) {
			blank = b && b->len;
			continue;
		}
		if (blank)
			jbuf_add(x->h, b, " ", 1, jstr_tag(&s, i));
		blank = false;
		jbuf_add_str(x->h, b, jstr_sub(s, i, k));
	}
	*out = unescaped(x, jbuf_value(b));
	return 0;
}

static int fn_xmlattr(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const bool space = a->v[0].type == J_MISSING || jv_truth(a->v[0]);
	struct sink to = { .h = x->h, .b = jbuf_new(x->h, 0) };

	if (self.type != J_DICT)
		return self.type == J_UNDEF ? jx_raise_undef(x, self) :
		       jx_raise(x, "'%s' object has no attribute 'items'", jv_typename(self));
	for (uint32_t i = 0; i < self.u.dict->n && jheap_step(x->h, 1); i++) {
		const struct jv v = self.u.dict->e[i].val, key = jv_str(x->h, self.u.dict->e[i].key), text = jv_str(x->h, v);

		if (v.type == J_NONE || v.type == J_UNDEF)
			continue;
		for (size_t k = 0; k < key.len; k++)
			if (strchr(" \t\n\v\f\r/>=", jstr_p(&key)[k]))
				return jx_raise(x, "Invalid character in attribute name");
		jbuf_adds(x->h, to.b, space || (to.b && to.b->len) ? " " : "", JTAG_TEMPLATE);
		jstr_runs(&key, escape_run, &to);
		jbuf_adds(x->h, to.b, "=\"", JTAG_TEMPLATE);
		jstr_runs(&text, escape_run, &to);
		jbuf_adds(x->h, to.b, "\"", JTAG_TEMPLATE);
	}
	*out = jbuf_value(to.b);
	return 0;
}

/* Jinja2 has these two for pages of HTML. */
static int fn_not_here(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)self;
	(void)a;
	(void)out;
	return jx_raise(x, "the filters urlize and wordwrap are not supported in chat templates");
}

const struct jbuiltin jlib_text_filters[] = {
	{ "tojson", jjson_filter, "ensure_ascii indent separators sort_keys", 0 },
	{ "string", fn_string, NULL, 0 },
	{ "safe", fn_safe, NULL, 0 },
	{ "escape", fn_escape, NULL, 0 },
	{ "e", fn_escape, NULL, 0 },
	{ "forceescape", fn_forceescape, NULL, 0 },
	{ "urlencode", fn_urlencode, NULL, 0 },
	{ "pprint", fn_pprint, "verbose", 0 },
	{ "filesizeformat", fn_filesizeformat, "binary", 0 },
	{ "striptags", fn_striptags, NULL, 0 },
	{ "xmlattr", fn_xmlattr, "autospace", 0 },
	{ "urlize", fn_not_here, "*", 0 },
	{ "wordwrap", fn_not_here, "*", 0 },
	{ NULL, NULL, NULL, 0 },
};
