/* Filters that turn values into text of some form: tojson, string, escape, urlencode. */
#include "config.h"
#include "engine/text/jinja_eval.h"
#include "engine/text/jinja_json.h"

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

static int fn_pprint(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jbuf *b = jbuf_new(x->h, 0);

	(void)a;
	jv_repr(x->h, b, self);
	*out = jbuf_value(b);
	return 0;
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
	{ NULL, NULL, NULL, 0 },
};
