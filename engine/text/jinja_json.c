/* JSON into values, and values into JSON as Hugging Face's tojson writes it. */
#include "config.h"
#include "engine/text/jinja_eval.h"
#include "engine/text/jinja_json.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

/* -- reading ----------------------------------------------------------------------- */

static struct jv convert(struct jheap *h, const json_t *j, int depth);

static struct jv convert_array(struct jheap *h, const json_t *j, int depth)
{
	struct jv l = jv_list(h, J_LIST, json_array_size(j));

	for (size_t i = 0; i < json_array_size(j) && !h->failed; i++)
		jlist_add(h, l.u.list, convert(h, json_array_get(j, i), depth));
	return l;
}

static struct jv convert_object(struct jheap *h, const json_t *j, int depth)
{
	struct jv d = jv_dict(h, J_DICT), key;
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)j, name, v) {
		if (h->failed)
			break;
		key = jstr(h, name, strlen(name), JTAG_USER);
		jdict_set(d.u.dict, key, convert(h, v, depth));
	}
	return d;
}

static struct jv convert(struct jheap *h, const json_t *j, int depth)
{
	struct jv v = jv_none();

	if (!depth) {
		h->failed = h->failed ? h->failed : JFAIL_STEPS;
		return v;
	}
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		v = convert_object(h, j, depth - 1);
		break;
	case JSON_ARRAY:
		v = convert_array(h, j, depth - 1);
		break;
	case JSON_STRING:
		v = jstr(h, json_string_value(j), json_string_length(j), JTAG_USER);
		break;
	case JSON_INTEGER:
		v = jv_int(json_integer_value(j));
		break;
	case JSON_REAL:
		v = jv_float(json_real_value(j));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		v = jv_bool(json_is_true(j));
		break;
	default:
		break;
	}
	v.user = true;
	return v;
}

int jjson_read(struct jheap *h, const char *text, size_t n, struct jv *out, struct err *e)
{
	json_error_t at;
	json_t *j = json_loadb(text, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &at);
	char quoted[200];

	if (!j)
		return err_set(e, ERR_FORMAT, "JSON, line %d: %s", at.line,
			       err_quote(quoted, sizeof quoted, at.text, strlen(at.text)));
	*out = convert(h, j, JINJA_MAX_DEPTH);
	json_decref(j);
	if (!h->failed)
		return 0;
	return err_set(e, h->failed == JFAIL_NOMEM ? ERR_NOMEM : ERR_LIMIT,
		       "the conversation is too large for its template");
}

/* -- writing ----------------------------------------------------------------------- */

struct writer {
	struct jx *x;
	struct jheap *h;
	struct jbuf *b;
	bool ascii, sort;
	bool lines;		/* one for each item; else all in one */
	struct jv indent;	/* repeated at each level */
	struct jv comma, colon;
};

static void escape_char(struct writer *w, uint32_t cp, const char *p, size_t k, uint32_t tag)
{
	static const char letters[128] = {
		['"'] = '"', ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['\f'] = 'f', ['\b'] = 'b',
	};

	if (cp < 0x80 && letters[cp]) {
		const char two[2] = { '\\', letters[cp] };

		jbuf_add(w->h, w->b, two, 2, tag);
	} else if (cp < 0x20 || (w->ascii && cp >= 0x7f && cp < 0x10000)) {
		jbuf_addf(w->h, w->b, tag, "\\u%04x", (unsigned)cp);
	} else if (w->ascii && cp >= 0x10000) {
		jbuf_addf(w->h, w->b, tag, "\\u%04x\\u%04x", 0xd7c0 + (unsigned)(cp >> 10), 0xdc00 + (unsigned)(cp & 0x3ff));
	} else {
		jbuf_add(w->h, w->b, p, k, tag);
	}
}

static void write_run(void *arg, const char *p, size_t n, uint32_t tag)
{
	struct writer *w = arg;
	size_t plain = 0;
	uint32_t cp;

	for (size_t i = 0, k; i < n && !w->h->failed; i += k) {
		k = ju_next(p + i, n - i, &cp);
		if (cp >= 0x20 && cp != '"' && cp != '\\' && (cp < 0x7f || !w->ascii))
			continue;
		jbuf_add(w->h, w->b, p + plain, i - plain, tag);
		escape_char(w, cp, p + i, k, tag);
		plain = i + k;
	}
	jbuf_add(w->h, w->b, p + plain, n - plain, tag);
}

static void write_str(struct writer *w, struct jv s, uint32_t tag)
{
	if (s.len && jstr_tag(&s, 0) != JTAG_TEMPLATE)
		tag = JTAG_USER;
	jbuf_add(w->h, w->b, "\"", 1, tag);
	jstr_runs(&s, write_run, w);
	jbuf_add(w->h, w->b, "\"", 1, tag);
}

/* Of a container of the user's all is the user's; else what the template was given keeps its author. */
static void put(struct writer *w, struct jv s, uint32_t tag)
{
	if (tag == JTAG_TEMPLATE)
		jbuf_add_str(w->h, w->b, s);
	else
		jbuf_add(w->h, w->b, jstr_p(&s), s.len, tag);
}

static void newline(struct writer *w, int level, uint32_t tag)
{
	if (!w->lines)
		return;
	jbuf_adds(w->h, w->b, "\n", tag);
	for (int i = 0; i < level && !w->h->failed; i++)
		put(w, w->indent, tag);
}

static int write_value(struct writer *w, struct jv v, int level);

static int write_list(struct writer *w, struct jv v, int level, uint32_t tag)
{
	const struct jlist *l = v.u.list;

	jbuf_adds(w->h, w->b, "[", tag);
	for (uint32_t i = 0; i < l->n; i++) {
		if (i)
			put(w, w->comma, tag);
		newline(w, level + 1, tag);
		if (write_value(w, l->v[i], level + 1))
			return -1;
	}
	if (l->n)
		newline(w, level, tag);
	jbuf_adds(w->h, w->b, "]", tag);
	return 0;
}

static int write_key(struct writer *w, struct jv key, uint32_t tag)
{
	struct jbuf *b = w->b;
	struct jv s;

	if (key.type == J_STR) {
		write_str(w, key, tag);
		return 0;
	}
	if (key.type > J_FLOAT)
		return jx_raise(w->x, "keys must be str, int, float, bool or None, not %s", jv_typename(key));
	w->b = jbuf_new(w->h, 0);
	if (write_value(w, key, 0))
		return -1;
	s = jbuf_value(w->b);
	w->b = b;
	write_str(w, s, tag);
	return 0;
}

/* The entries in the order they are written in. */
static int entries(struct writer *w, const struct jdict *d, const struct jentry **out)
{
	struct jentry *e;
	int c;

	*out = d->e;
	if (!w->sort || d->n < 2)
		return 0;
	e = jheap_array(w->h, d->n, sizeof *e);
	if (!e)
		return jx_limit(w->x);
	memcpy(e, d->e, d->n * sizeof *e);
	for (uint32_t i = 1; i < d->n; i++) {
		const struct jentry one = e[i];
		uint32_t k = i;

		for (; k; k--) {
			if (jx_order(w->x, e[k - 1].key, one.key, &c))
				return -1;
			if (c <= 0)
				break;
			e[k] = e[k - 1];
		}
		e[k] = one;
	}
	*out = e;
	return 0;
}

static int write_dict(struct writer *w, struct jv v, int level, uint32_t tag)
{
	const struct jdict *d = v.u.dict;
	const struct jentry *e;

	if (entries(w, d, &e))
		return -1;
	jbuf_adds(w->h, w->b, "{", tag);
	for (uint32_t i = 0; i < d->n; i++) {
		if (i)
			put(w, w->comma, tag);
		newline(w, level + 1, tag);
		if (write_key(w, e[i].key, tag))
			return -1;
		put(w, w->colon, tag);
		if (write_value(w, e[i].val, level + 1))
			return -1;
	}
	if (d->n)
		newline(w, level, tag);
	jbuf_adds(w->h, w->b, "}", tag);
	return 0;
}

static void write_float(struct writer *w, struct jv v, uint32_t tag)
{
	if (isnan(v.u.f) || isinf(v.u.f))
		jbuf_adds(w->h, w->b, isnan(v.u.f) ? "NaN" : v.u.f < 0 ? "-Infinity" : "Infinity", tag);
	else
		jv_repr(w->h, w->b, v);
}

static int write_value(struct writer *w, struct jv v, int level)
{
	const uint32_t tag = v.user ? JTAG_USER : JTAG_TEMPLATE;

	if (!jheap_step(w->h, 1) || w->h->failed)
		return jx_limit(w->x);
	if (level >= JINJA_MAX_DEPTH)
		return jx_raise(w->x, "Circular reference detected");
	switch (v.type) {
	case J_NONE:
		jbuf_adds(w->h, w->b, "null", tag);
		return 0;
	case J_BOOL:
		jbuf_adds(w->h, w->b, v.u.b ? "true" : "false", tag);
		return 0;
	case J_INT:
		jv_repr(w->h, w->b, v);
		return 0;
	case J_FLOAT:
		write_float(w, v, tag);
		return 0;
	case J_STR:
		write_str(w, v, tag);
		return 0;
	case J_LIST:
	case J_TUPLE:
		return write_list(w, v, level, tag);
	case J_DICT:
		return write_dict(w, v, level, tag);
	default:
		return jx_raise(w->x, "Object of type %s is not JSON serializable", jv_typename(v));
	}
}

static bool flag(struct jv v)
{
	return v.type != J_MISSING && jv_truth(v);
}

/* indent: a count of blanks, or the text itself. */
static int set_indent(struct jx *x, struct writer *w, struct jv v)
{
	if (v.type == J_MISSING || v.type == J_NONE)
		return 0;
	w->lines = true;
	w->indent = v;
	if (v.type == J_STR)
		return 0;
	if (!jv_isint(v))
		return jx_raise(x, "can't multiply sequence by non-int of type '%s'", jv_typename(v));
	return jx_binary(x, JOP_MUL, jstr_z(x->h, " "), v, &w->indent);
}

static int set_separators(struct jx *x, struct writer *w, struct jv v)
{
	struct jlist *l;

	w->comma = jstr_z(x->h, w->lines ? "," : ", ");
	w->colon = jstr_z(x->h, ": ");
	if (v.type == J_MISSING || v.type == J_NONE)
		return 0;
	if (jx_list(x, v, &l))
		return -1;
	if (l->n != 2 || l->v[0].type != J_STR || l->v[1].type != J_STR)
		return jx_raise(x, "separators must be two strings");
	w->comma = l->v[0];
	w->colon = l->v[1];
	return 0;
}

int jjson_filter(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct writer w = { .x = x, .h = x->h, .b = jbuf_new(x->h, 0), .ascii = flag(a->v[0]), .sort = flag(a->v[3]) };

	if (set_indent(x, &w, a->v[1]) || set_separators(x, &w, a->v[2]))
		return -1;
	if (self.type == J_UNDEF)
		return jx_raise(x, "Object of type Undefined is not JSON serializable");
	if (write_value(&w, self, 0))
		return -1;
	*out = jbuf_value(w.b);
	return 0;
}
