/* Numbers, and the two ways of laying values out by a pattern: "%s" and "{}". */
#include "config.h"
#include "engine/text/jinja_eval.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool given(struct jv v)
{
	return v.type != J_MISSING;
}

/* -- numbers ----------------------------------------------------------------------- */

static int fn_abs(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)a;
	if (self.type == J_UNDEF)
		return jx_raise_undef(x, self);
	if (!jv_isnum(self))
		return jx_raise(x, "bad operand type for abs(): '%s'", jv_typename(self));
	if (self.type == J_FLOAT) {
		*out = jv_float(fabs(self.u.f));
		return 0;
	}
	return jx_binary(x, JOP_MUL, self, jv_int(jv_asint(self) < 0 ? -1 : 1), out);
}

/* A number's text without blanks around and underscores inside; false when it cannot be one. */
static bool number_text(struct jv s, char *buf, size_t size)
{
	const char *p = jstr_p(&s);
	size_t n = s.len, o = 0;

	while (n && ju_space((unsigned char)*p)) {
		p++;
		n--;
	}
	while (n && ju_space((unsigned char)p[n - 1]))
		n--;
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '_' && i && i + 1 < n && p[i - 1] != '_')
			continue;
		if (o + 1 >= size || !p[i])
			return false;
		buf[o++] = p[i];
	}
	buf[o] = '\0';
	return o > 0;
}

/* What "0x" and the like stand for; 0: nothing. */
static int prefix_base(const char *p)
{
	const char c = *p == '0' ? (char)(p[1] | 0x20) : 0;

	return c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 0;
}

/* Base 0: as the prefix says. Returns 1, 0: it is no integer, -1: it is too large. */
static int parse_int(struct jv s, int base, int64_t *out)
{
	char buf[128], *end, *p = buf;
	bool minus, bare = false;

	if (!number_text(s, buf, sizeof buf))
		return 0;
	minus = *p == '-';
	p += *p == '-' || *p == '+';
	if (prefix_base(p) && (!base || base == prefix_base(p))) {
		base = prefix_base(p);
		p += 2;
	} else if (!base) {
		base = 10;
		bare = *p == '0';	/* decimals do not begin with 0, but for 0 */
	}
	if (*p == '-' || *p == '+' || *p == ' ' || (base == 16 && prefix_base(p) == 16))
		return 0;
	errno = 0;
	*out = strtoll(p, &end, base);
	if (end == p || *end || (bare && *out))
		return 0;
	if (minus)
		*out = -*out;
	return errno ? -1 : 1;
}

static bool parse_float(struct jv s, double *out)
{
	char buf[128], *end;

	if (!number_text(s, buf, sizeof buf) || strpbrk(buf, "xX(pP"))
		return false;
	*out = strtod(buf, &end);
	return end > buf && !*end;
}

static int from_float(struct jx *x, double f, struct jv *out)
{
	if (isnan(f) || isinf(f))
		return jx_raise(x, "cannot convert float %s to integer", isnan(f) ? "NaN" : "infinity");
	if (f < -9.2e18 || f > 9.2e18)
		return jx_raise(x, "integer does not fit in 64 bits");
	*out = jv_int((int64_t)f);
	return 0;
}

static int fn_int(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const struct jv missing = given(a->v[0]) ? a->v[0] : jv_int(0);
	int64_t base = given(a->v[1]) && jv_isint(a->v[1]) ? jv_asint(a->v[1]) : 10, i = 0;
	double f;
	int got;

	if (self.type == J_UNDEF)
		return jx_raise_undef(x, self);
	if (base != 0 && (base < 2 || base > 36))
		base = 10;
	*out = missing;
	got = self.type == J_STR ? parse_int(self, (int)base, &i) : 0;
	if (got < 0)
		return jx_raise(x, "integer does not fit in 64 bits");
	if (jv_isint(self))
		*out = jv_int(jv_asint(self));
	else if (self.type == J_FLOAT)
		return from_float(x, self.u.f, out);
	else if (got)
		*out = jv_int(i);
	else if (self.type == J_STR && parse_float(self, &f) && isfinite(f))
		return from_float(x, f, out);
	return 0;
}

static int fn_float(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	double f;

	if (self.type == J_UNDEF)
		return jx_raise_undef(x, self);
	*out = given(a->v[0]) ? a->v[0] : jv_float(0);
	if (jv_isnum(self))
		*out = jv_float(jv_asfloat(self));
	else if (self.type == J_STR && parse_float(self, &f))
		*out = jv_float(f);
	return 0;
}

/* Correct rounding in decimal, halves to even, as Python's round(). */
static double round_to(double f, int digits)
{
	char buf[400];

	if (!isfinite(f) || digits > 22)
		return f;
	if (digits < 0) {
		const double p = pow(10, -digits);

		return nearbyint(f / p) * p;
	}
	snprintf(buf, sizeof buf, "%.*f", digits, f);
	return strtod(buf, NULL);
}

/* To tens, hundreds …, halves to even. */
static int round_int(struct jx *x, int64_t n, int digits, struct jv *out)
{
	const int64_t half19 = 5000000000000000000;
	int64_t p = 1, rest, whole;

	if (digits == -19 && (n > half19 || n < -half19))
		return jx_raise(x, "integer does not fit in 64 bits");
	for (int i = digits; i < 0 && i >= -18; i++)
		p *= 10;
	rest = n % p;
	whole = digits < -18 ? 0 : n - rest;
	rest = digits < -18 ? 0 : rest;
	if ((rest > p / 2 || (rest == p / 2 && rest && whole / p % 2)) && __builtin_add_overflow(whole, p, &whole))
		return jx_raise(x, "integer does not fit in 64 bits");
	if ((-rest > p / 2 || (-rest == p / 2 && rest && whole / p % 2)) && __builtin_sub_overflow(whole, p, &whole))
		return jx_raise(x, "integer does not fit in 64 bits");
	*out = jv_int(whole);
	return 0;
}

static int fn_round(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const int64_t digits = given(a->v[0]) && jv_isint(a->v[0]) ? jv_asint(a->v[0]) : 0;
	const int d = digits > 300 ? 300 : digits < -300 ? -300 : (int)digits;
	const struct jv how = a->v[1];
	const double p = pow(10, d);

	if (given(how) && !jstr_is(&how, "common") && !jstr_is(&how, "ceil") && !jstr_is(&how, "floor"))
		return jx_raise(x, "method must be common, ceil or floor");
	if (self.type == J_UNDEF)
		return jx_raise_undef(x, self);
	if (!jv_isnum(self))
		return jx_raise(x, "type %s doesn't define __round__ method", jv_typename(self));
	if (given(how) && !jstr_is(&how, "common")) {
		const double f = jv_asfloat(self) * p;

		if (!isfinite(f))
			return jx_raise(x, "cannot convert float %s to integer", isnan(f) ? "NaN" : "infinity");
		*out = jv_float(jv_isint(self) && d >= 0 ? jv_asfloat(self) : (jstr_is(&how, "ceil") ? ceil(f) : floor(f)) / p);
		return 0;
	}
	if (jv_isint(self))
		return round_int(x, jv_asint(self), d, out);
	*out = jv_float(round_to(self.u.f, d));
	return 0;
}

/* -- fields ------------------------------------------------------------------------ */

/* How one value is laid out; both kinds of patterns come down to this. */
struct field {
	char type;		/* d x X o b e E f F g G % s c r; 0: by the value */
	char align;		/* '<' '>' '^' '='; 0: by the value */
	char sign;		/* '+', ' ' or 0 */
	bool alt, zero;
	bool spec;		/* anything was asked for */
	char comma;		/* between thousands: ',' '_' or 0 */
	uint32_t fill;
	uint32_t tag;		/* who wrote the pattern: what it adds is theirs */
	int64_t width, prec;	/* -1: none */
};

static void pad(struct jx *x, struct jbuf *b, int64_t n, uint32_t fill, uint32_t tag)
{
	for (; n > 0 && !x->h->failed; n--)
		jbuf_add_utf8(x->h, b, fill, tag);
}

/* Text of a number: head (sign, prefix), digits, more zeros, tail. Padding with zeros comes behind the head. */
struct number { const char *head, *digits; int64_t zeros; const char *tail; };

static void put_number(struct jx *x, struct jbuf *b, const struct field *f, const struct number *t)
{
	const int64_t n = (int64_t)(strlen(t->head) + strlen(t->digits) + strlen(t->tail)) + t->zeros;
	const int64_t room = f->width > n ? f->width - n : 0;
	const char align = f->zero && !f->align ? '=' : f->align ? f->align : '>';
	const uint32_t fill = f->zero && f->fill == ' ' ? '0' : f->fill;

	pad(x, b, align == '>' ? room : align == '^' ? room / 2 : 0, fill, f->tag);
	jbuf_adds(x->h, b, t->head, f->tag);
	pad(x, b, align == '=' ? room : 0, fill, f->tag);
	jbuf_adds(x->h, b, t->digits, f->tag);
	pad(x, b, t->zeros, '0', f->tag);
	jbuf_adds(x->h, b, t->tail, f->tag);
	pad(x, b, align == '<' ? room : align == '^' ? room - room / 2 : 0, fill, f->tag);
}

static void put_string(struct jx *x, struct jbuf *b, const struct field *f, struct jv s)
{
	int64_t room;

	jheap_walk(x->h, s.len);
	if (f->prec >= 0)
		s = jstr_sub(s, 0, ju_offset(jstr_p(&s), s.len, (size_t)f->prec));
	room = f->width - (int64_t)jstr_chars(&s);
	pad(x, b, f->align == '>' ? room : f->align == '^' ? room / 2 : 0, f->fill, f->tag);
	jbuf_add_str(x->h, b, s);
	pad(x, b, f->align == '>' ? 0 : f->align == '^' ? room - room / 2 : room, f->fill, f->tag);
}

/* Commas between the thousands of the whole part. */
static void group(const char *digits, char comma, char *out, size_t size)
{
	const size_t whole = strspn(digits, "0123456789");
	size_t o = 0;

	for (size_t i = 0; digits[i] && o + 2 < size; i++) {
		if (i && i < whole && (whole - i) % 3 == 0)
			out[o++] = comma;
		out[o++] = digits[i];
	}
	out[o] = '\0';
}

static void put_int(struct jx *x, struct jbuf *b, const struct field *f, int64_t i)
{
	const uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
	char digits[80], grouped[120], head[8];
	size_t o = sizeof digits;
	const unsigned base = f->type == 'x' || f->type == 'X' ? 16 : f->type == 'o' ? 8 : f->type == 'b' ? 2 : 10;
	uint64_t v = u;

	digits[--o] = '\0';
	do {
		digits[--o] = (f->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef")[v % base];
		v /= base;
	} while (v);
	snprintf(head, sizeof head, "%s%s%.*s", i < 0 ? "-" : f->sign == '+' ? "+" : f->sign ? " " : "",
		 f->alt && base != 10 ? "0" : "", f->alt && base != 10 ? 1 : 0, &f->type);
	group(digits + o, f->comma, grouped, sizeof grouped);
	put_number(x, b, f, &(struct number){ head, f->comma ? grouped : digits + o, 0, "" });
}

/* No double has more digits that are not 0 behind its point. */
enum { MAX_PREC = 1100, MAX_DIGITS = MAX_PREC + 320 };

static void put_float(struct jx *x, struct jbuf *b, const struct field *f, double v)
{
	const char type = f->type == '%' ? 'f' : f->type;
	const int prec = f->prec < 0 ? 6 : f->prec > MAX_PREC ? MAX_PREC : (int)f->prec;
	const bool keeps_zeros = isfinite(v) && (f->alt || !strchr("gG", type));
	struct number t = {
		.zeros = keeps_zeros && f->prec > MAX_PREC ? f->prec - MAX_PREC : 0,
		.tail = f->type == '%' ? "%" : "",
	};
	char fmt[16], digits[MAX_DIGITS], grouped[MAX_DIGITS + 120], tail[8], *exp;
	const char *head = signbit(v) ? "-" : f->sign == '+' ? "+" : f->sign ? " " : "";

	snprintf(fmt, sizeof fmt, f->alt ? "%%#.*%c" : "%%.*%c", type);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(digits, sizeof digits - 1, fmt, prec, fabs(f->type == '%' ? v * 100 : v));
#pragma GCC diagnostic pop
	exp = isfinite(v) ? strpbrk(digits, "eE") : NULL;
	if (exp) {		/* zeros come before it */
		snprintf(tail, sizeof tail, "%s", exp);
		*exp = '\0';
		t.tail = tail;
	}
	group(digits, f->comma, grouped, sizeof grouped);
	t.head = head;
	t.digits = f->comma ? grouped : digits;
	put_number(x, b, f, &t);
}

/* A float's own text, with the sign and the commas that the field asks for. */
static void put_shortest(struct jx *x, struct jbuf *b, const struct field *f, double v)
{
	const char *head = signbit(v) ? "-" : f->sign == '+' ? "+" : f->sign ? " " : "";
	const struct jv text = jv_str(x->h, jv_float(fabs(v)));
	char digits[64], grouped[100];

	snprintf(digits, sizeof digits, "%.*s", (int)text.len, jstr_p(&text));
	group(digits, f->comma, grouped, sizeof grouped);
	put_number(x, b, f, &(struct number){ head, f->comma ? grouped : digits, 0, "" });
}

/* The value's own text when the field names no type. */
static int put_plain(struct jx *x, struct jbuf *b, struct field *f, struct jv v)
{
	if (jv_isint(v) && (v.type != J_BOOL || f->spec)) {
		put_int(x, b, f, jv_asint(v));
	} else if (v.type == J_FLOAT && f->spec && f->prec < 0) {
		put_shortest(x, b, f, v.u.f);
	} else if (v.type == J_FLOAT && f->prec >= 0) {
		f->type = 'g';
		put_float(x, b, f, v.u.f);
	} else {
		if (v.type == J_FLOAT && !f->align)
			f->align = '>';
		put_string(x, b, f, jv_str(x->h, v));
	}
	return 0;
}

static int put_field(struct jx *x, struct jbuf *b, struct field *f, struct jv v)
{
	f->tag = v.user && jv_isnum(v) ? JTAG_USER : f->tag;
	if (f->width > JINJA_MAX_OUTPUT || (f->prec > JINJA_MAX_OUTPUT && v.type != J_STR && f->type != 's')) {
		x->h->failed = JFAIL_OUTPUT;
		return jx_limit(x);
	}
	if (!f->type)
		return put_plain(x, b, f, v);
	if (f->type == 's') {
		put_string(x, b, f, jv_str(x->h, v));
		return 0;
	}
	if (f->type == 'c') {
		struct jbuf *c = jbuf_new(x->h, 0);

		if (!jv_isint(v) || jv_asint(v) < 0 || jv_asint(v) > 0x10ffff)
			return jx_raise(x, "%%c requires int or char");
		jbuf_add_utf8(x->h, c, (uint32_t)jv_asint(v), JTAG_USER);
		put_string(x, b, f, jbuf_value(c));
		return 0;
	}
	if (!jv_isnum(v))
		return v.type == J_UNDEF ? jx_raise_undef(x, v) :
		       jx_raise(x, "%%%c format: a number is required, not %s", f->type, jv_typename(v));
	if (strchr("xXo", f->type) && !jv_isint(v))
		return jx_raise(x, "%%%c format: an integer is required, not %s", f->type, jv_typename(v));
	if (strchr("dxXob", f->type) && !jv_isint(v) && from_float(x, v.u.f, &v))
		return -1;
	if (strchr("dxXob", f->type))
		put_int(x, b, f, jv_asint(v));
	else
		put_float(x, b, f, jv_asfloat(v));
	return 0;
}

/* -- "%s" -------------------------------------------------------------------------- */

/* A count in the pattern; at most nine digits. */
static size_t count(const char *p, size_t n, int64_t *out)
{
	size_t i = 0;

	*out = 0;
	for (; i < n && i < 9 && p[i] >= '0' && p[i] <= '9'; i++)
		*out = *out * 10 + (p[i] - '0');
	return i;
}

/* The field behind a '%' at p; returns bytes taken, 0 when it does not end. */
static size_t percent_field(const char *p, size_t n, struct field *f, struct jv pattern, struct jv *key)
{
	size_t i = 0;

	*f = (struct field){ .fill = ' ', .width = -1, .prec = -1 };
	f->tag = jstr_tag(&pattern, (size_t)(p - 1 - jstr_p(&pattern)));
	*key = (struct jv){ .type = J_MISSING };
	if (i < n && p[i] == '(') {
		const char *end = memchr(p, ')', n);

		if (!end)
			return 0;
		*key = jstr_sub(pattern, (size_t)(p + 1 - jstr_p(&pattern)), (size_t)(end - p) - 1);
		i = (size_t)(end - p) + 1;
	}
	for (; i < n && p[i] && strchr("-+ #0", p[i]); i++) {
		f->align = p[i] == '-' ? '<' : f->align;
		f->sign = p[i] == '+' || (p[i] == ' ' && !f->sign) ? p[i] : f->sign;
		f->alt |= p[i] == '#';
		f->zero |= p[i] == '0';
	}
	i += count(p + i, n - i, &f->width);
	if (i < n && p[i] == '.') {
		i++;
		i += count(p + i, n - i, &f->prec);
	}
	while (i < n && (p[i] == 'h' || p[i] == 'l' || p[i] == 'L'))
		i++;
	if (i >= n)
		return 0;
	f->type = p[i];
	if (f->align == '<')
		f->zero = false;
	return i + 1;
}

static int percent_value(struct jx *x, struct jv args, struct jv key, uint32_t *used, struct jv *out)
{
	const struct jv *v;

	if (given(key)) {
		if (args.type != J_DICT)
			return jx_raise(x, "format requires a mapping");
		v = jdict_get(args.u.dict, key);
		if (!v)
			return jx_raise(x, "key is missing in a format");
		*out = *v;
		return 0;
	}
	if (args.type != J_TUPLE) {
		*out = args;
		return (*used)++ ? jx_raise(x, "not enough arguments for format string") : 0;
	}
	if (*used >= args.u.list->n)
		return jx_raise(x, "not enough arguments for format string");
	*out = args.u.list->v[(*used)++];
	return 0;
}

static int percent_put(struct jx *x, struct jbuf *b, struct field *f, struct jv v)
{
	struct jbuf *r;

	if (!strchr("diuxXoeEfFgGsrac", f->type))
		return jx_raise(x, "unsupported format character '%c' (0x%x)", f->type > 31 && f->type < 127 ? f->type : '?',
				(unsigned char)f->type);
	if (f->type == 'i' || f->type == 'u')
		f->type = 'd';
	if (f->type == 'r' || f->type == 'a') {
		r = jbuf_new(x->h, 0);
		jv_repr(x->h, r, v);
		v = jbuf_value(r);
		f->type = 's';
	}
	if (f->type == 'c' && v.type == J_STR && jstr_chars(&v) == 1)
		f->type = 's';
	if (f->type == 's' && !f->align)
		f->align = '>';
	return put_field(x, b, f, v);
}

/* pattern % args */
static int percent(struct jx *x, struct jv pattern, struct jv args, struct jv *out)
{
	struct jbuf *b = jbuf_new(x->h, 0);
	const char *p = jstr_p(&pattern);
	uint32_t used = 0;
	struct field f;
	struct jv key, v;
	size_t i = 0, k;

	while (i < pattern.len && jheap_step(x->h, 1)) {
		const char *next = memchr(p + i, '%', pattern.len - i);
		const size_t plain = next ? (size_t)(next - p) - i : pattern.len - i;

		jbuf_add_str(x->h, b, jstr_sub(pattern, i, plain));
		i += plain;
		if (!next)
			break;
		k = percent_field(p + i + 1, pattern.len - i - 1, &f, pattern, &key);
		if (!k)
			return jx_raise(x, "incomplete format");
		if (f.type == '%')
			jbuf_add_str(x->h, b, jstr_sub(pattern, i + k, 1));
		else if (percent_value(x, args, key, &used, &v) || percent_put(x, b, &f, v))
			return -1;
		i += 1 + k;
	}
	if (args.type == J_TUPLE && used < args.u.list->n)
		return jx_raise(x, "not all arguments converted during string formatting");
	/* what has items by key or index may be left unused */
	if (args.type != J_TUPLE && args.type != J_DICT && args.type != J_LIST && args.type != J_RANGE && !used)
		return jx_raise(x, "not all arguments converted during string formatting");
	*out = jbuf_value(b);
	return 0;
}

static int fn_percent(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return percent(x, self, a->v[0], out);
}

static int fn_format(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct jv args;

	if (a->n && a->n_kw)
		return jx_raise(x, "can't handle positional and keyword arguments at the same time");
	if (a->n_kw) {
		args = jv_dict(x->h, J_DICT);
		for (uint32_t i = 0; i < a->n_kw && !x->h->failed; i++)
			jdict_set(args.u.dict, a->kw[i].key, a->kw[i].val);
	} else {
		args = jv_list(x->h, J_TUPLE, a->n);
		for (uint32_t i = 0; i < a->n && !x->h->failed; i++)
			jlist_add(x->h, args.u.list, a->v[i]);
	}
	return x->h->failed ? jx_limit(x) : percent(x, jv_str(x->h, self), args, out);
}

/* -- "{}" -------------------------------------------------------------------------- */

struct braces {
	struct jx *x;
	const struct jargs *args;
	struct jv mapping;	/* of format_map, or J_MISSING */
	struct jv pattern;
	uint32_t next;		/* place of the next "{}" */
	struct jbuf *b;
};

static int base_value(struct braces *w, struct jv name, struct jv *out)
{
	const char *p = jstr_p(&name);
	int64_t i;

	if (given(w->mapping))
		return jx_getitem(w->x, w->mapping, name, out);
	if (!name.len || count(p, name.len, &i) == name.len) {
		i = name.len ? i : w->next++;
		if (i >= w->args->n)
			return jx_raise(w->x, "Replacement index %lld out of range for positional args tuple", (long long)i);
		*out = w->args->v[i];
		return 0;
	}
	for (uint32_t k = 0; k < w->args->n_kw; k++) {
		if (jv_equal(w->x->h, w->args->kw[k].key, name)) {
			*out = w->args->kw[k].val;
			return 0;
		}
	}
	return jx_raise_text(w->x, p, name.len);
}

/* "name.attr[key]" : the name, and the way from there. */
static int field_value(struct braces *w, struct jv path, struct jv *out)
{
	const char *p = jstr_p(&path);
	size_t i = 0, n;
	struct jv key;
	int64_t index;

	while (i < path.len && p[i] != '.' && p[i] != '[')
		i++;
	if (base_value(w, jstr_sub(path, 0, i), out))
		return -1;
	while (i < path.len) {
		const bool item = p[i] == '[';

		for (n = 1; i + n < path.len && (item ? p[i + n] != ']' : p[i + n] != '.' && p[i + n] != '['); n++)
			;
		key = jstr_sub(path, i + 1, n - 1);
		if (item && key.len && count(jstr_p(&key), key.len, &index) == key.len)
			key = jv_int(index);
		if (item ? jx_getitem(w->x, *out, key, out) :
			   jx_getattr(w->x, *out, key, jv_hash(w->x->h, key), out))
			return -1;
		i += n + item;
	}
	return 0;
}

/* [[fill]align][sign][#][0][width][,][.precision][type] */
static int parse_spec(struct jx *x, struct jv spec, struct field *f)
{
	const char *p = jstr_p(&spec);
	size_t n = spec.len, i = 0, k;
	uint32_t cp = ' ';

	*f = (struct field){ .fill = ' ', .width = -1, .prec = -1, .tag = jstr_any(&spec) };
	k = n ? ju_next(p, n, &cp) : 0;
	if (k < n && strchr("<>^=", p[k])) {
		f->fill = cp;
		f->align = p[k];
		i = k + 1;
	} else if (n && p[0] && strchr("<>^=", p[0])) {
		f->align = p[0];
		i = 1;
	}
	if (i < n && (p[i] == '+' || p[i] == '-' || p[i] == ' '))
		f->sign = p[i] == '-' ? 0 : p[i], i++;
	if (i < n && p[i] == '#')
		f->alt = true, i++;
	if (i < n && p[i] == '0')
		f->zero = true, i++;
	k = count(p + i, n - i, &f->width);
	i += k;
	if (i < n && (p[i] == ',' || p[i] == '_'))
		f->comma = p[i++];
	if (i < n && p[i] == '.')
		i += 1 + count(p + i + 1, n - i - 1, &f->prec);
	if (i < n && p[i] && strchr("dxXobeEfFgGn%sc", p[i]))
		f->type = p[i++];
	f->spec = n > 0;
	return i == n ? 0 : jx_raise(x, "Invalid format specifier");
}

/* Python knows each type's letters. */
static bool fits(const struct field *f, struct jv v)
{
	return strchr(v.type == J_STR ? "s" : v.type == J_FLOAT ? "eEfFgGn%" : jv_isint(v) ? "dxXobceEfFgGn%" : "", f->type);
}

static int put_braces(struct braces *w, struct jv body)
{
	const char *p = jstr_p(&body);
	size_t end = 0, spec;
	struct field f;
	struct jbuf *r;
	struct jv v;
	char conv = 0;

	while (end < body.len && p[end] != '!' && p[end] != ':')
		end++;
	spec = end;
	if (spec < body.len && p[spec] == '!') {
		conv = spec + 1 < body.len ? p[spec + 1] : 0;
		spec += 2;
	}
	if (spec < body.len && p[spec] != ':')
		return jx_raise(w->x, "expected ':' after conversion specifier");
	if (field_value(w, jstr_sub(body, 0, end), &v))
		return -1;
	if (spec + 1 < body.len && memchr(p + spec, '{', body.len - spec))
		return jx_raise(w->x, "fields inside a format specifier are not supported");
	if (parse_spec(w->x, spec < body.len ? jstr_sub(body, spec + 1, body.len - spec - 1) : jstr_sub(body, 0, 0), &f))
		return -1;
	if (conv == 'r' || conv == 'a') {
		r = jbuf_new(w->x->h, 0);
		jv_repr(w->x->h, r, v);
		v = jbuf_value(r);
	} else if (conv) {
		v = jv_str(w->x->h, v);
	}
	if (f.type && !fits(&f, v))
		return jx_raise(w->x, "Unknown format code '%c' for object of type '%s'", f.type, jv_typename(v));
	if (f.type == 'n')
		f.type = v.type == J_FLOAT ? 'g' : 'd';
	return put_field(w->x, w->b, &f, v);
}

static int format_braces(struct braces *w, struct jv *out)
{
	const struct jv s = w->pattern;
	const char *p = jstr_p(&s);
	size_t i = 0, n;

	while (i < s.len && jheap_step(w->x->h, 1)) {
		for (n = 0; i + n < s.len && p[i + n] != '{' && p[i + n] != '}'; n++)
			;
		jbuf_add_str(w->x->h, w->b, jstr_sub(s, i, n));
		i += n;
		if (i >= s.len)
			break;
		if (i + 1 < s.len && p[i + 1] == p[i]) {
			jbuf_add_str(w->x->h, w->b, jstr_sub(s, i, 1));
			i += 2;
			continue;
		}
		if (p[i] == '}')
			return jx_raise(w->x, "Single '}' encountered in format string");
		for (n = 1; i + n < s.len && p[i + n] != '}'; n++)
			;
		if (i + n >= s.len)
			return jx_raise(w->x, "expected '}' before end of string");
		if (put_braces(w, jstr_sub(s, i + 1, n - 1)))
			return -1;
		i += n + 1;
	}
	*out = jbuf_value(w->b);
	return 0;
}

int jlib_str_format(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct braces w = { .x = x, .args = a, .pattern = self, .b = jbuf_new(x->h, 0), .mapping.type = J_MISSING };

	return format_braces(&w, out);
}

int jlib_str_format_map(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	struct braces w = { .x = x, .args = a, .pattern = self, .b = jbuf_new(x->h, 0), .mapping = a->v[0] };

	return format_braces(&w, out);
}

const struct jbuiltin jlib_number_filters[] = {
	{ "int", fn_int, "default base", 0 },
	{ "float", fn_float, "default", 0 },
	{ "abs", fn_abs, NULL, 0 },
	{ "round", fn_round, "precision method", 0 },
	{ "format", fn_format, "*", 0 },
	{ "%", fn_percent, "args", 1 },		/* no template can spell this name */
	{ NULL, NULL, NULL, 0 },
};
