/* Template source → tokens. The rules of white space are those of Jinja 3.1. */
#include "config.h"
#include "engine/text/jinja_lex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uniname.h>
#include <unictype.h>

static const char *const texts[JT_N] = {
#define JT_TEXT(t, text) [t] = text,
	JTOKENS(JT_TEXT)
#undef JT_TEXT
};

const char *jtok_text(enum jtok t)
{
	return texts[t];
}

static void locate(struct jlex *x, size_t at)
{
	for (; x->seen < at; x->seen++) {
		if (x->src[x->seen] == '\n') {
			x->line++;
			x->column = 1;
		} else if ((x->src[x->seen] & 0xc0) != 0x80) {
			x->column++;
		}
	}
}

static int fail(struct jlex *x, size_t at, const char *fmt, const char *arg)
{
	char quoted[200];

	locate(x, at);
	if (x->where)
		*x->where = (struct jinja_where){ x->line, x->column };
	return err_set(x->e, ERR_TEMPLATE, fmt, err_quote(quoted, sizeof quoted, arg, strlen(arg)));
}

/* In Jinja's words, with the place counted in characters from the beginning. */
static int unexpected_char(struct jlex *x, size_t i)
{
	const char quote = x->src[i] == '\'' ? '"' : '\'';
	char text[80];
	int n;

	n = snprintf(text, sizeof text, "%c%.*s%c at %zu", quote, (int)ju_next(x->src + i, x->n - i, NULL), x->src + i, quote,
		     ju_chars(x->src, i));
	return n > 0 ? fail(x, i, "unexpected char %s", text) : -1;
}

int jlex_init(struct jlex *x, struct jheap *h, const char *src, size_t n, struct jinja_where *where, struct err *e)
{
	char *p;
	size_t k = 0;

	*x = (struct jlex){ .h = h, .line_start = true, .line = 1, .column = 1, .where = where, .e = e };
	p = jheap_alloc(h, n + 1);
	if (!p)
		return err_set(e, ERR_NOMEM, "no memory for the chat template");
	for (size_t i = 0; i < n; i++) {
		p[k++] = src[i] == '\r' ? '\n' : src[i];
		if (src[i] == '\r' && i + 1 < n && src[i + 1] == '\n')
			i++;
	}
	if (k && p[k - 1] == '\n')
		k--;
	p[k] = '\0';
	x->src = p;
	x->n = k;
	return 0;
}

static char at(const struct jlex *x, size_t i)
{
	return i < x->n ? x->src[i] : '\0';
}

static size_t skip_space(const struct jlex *x, size_t i)
{
	uint32_t cp;

	while (i < x->n) {
		const size_t k = ju_next(x->src + i, x->n - i, &cp);

		if (!ju_space(cp))
			break;
		i += k;
	}
	return i;
}

/* End of the text that begins at `from` when a tag with this sign stands at `to`. */
static size_t strip_before(const struct jlex *x, size_t from, size_t to, char sign, bool is_var)
{
	size_t line = to, end = to;
	uint32_t cp;

	while (end > from) {
		const size_t k = ju_prev(x->src + from, end - from, &cp);

		if (!ju_space(cp))
			break;
		end -= k;
	}
	if (sign == '-')
		return end;
	if (sign == '+' || is_var)
		return to;
	while (line > from && x->src[line - 1] != '\n')
		line--;
	return end <= line && (line > from || x->line_start) ? line : to;
}

/* Behind a closing delimiter: i is after it, sign the one before it. */
static size_t close_tag(struct jlex *x, size_t i, char sign, bool trim)
{
	const size_t was = i;

	if (sign == '-')
		i = skip_space(x, i);
	else if (trim && sign != '+' && at(x, i) == '\n')
		i++;
	x->line_start = i > was && x->src[i - 1] == '\n';
	return i;
}

/* "{% word %}" at i with any signs; returns the place after "%}" and its sign, or 0. */
static size_t match_word(const struct jlex *x, size_t i, const char *word, char *open, char *close)
{
	const size_t n = strlen(word);

	if (at(x, i) != '{' || at(x, i + 1) != '%')
		return 0;
	i += 2;
	*open = at(x, i) == '-' || at(x, i) == '+' ? x->src[i++] : 0;
	i = skip_space(x, i);
	if (x->n - i < n || memcmp(x->src + i, word, n))
		return 0;
	i = skip_space(x, i + n);
	*close = at(x, i) == '-' || at(x, i) == '+' ? x->src[i++] : 0;
	return at(x, i) == '%' && at(x, i + 1) == '}' ? i + 2 : 0;
}

static void token(struct jlex *x, struct jtoken *t, enum jtok type, size_t from, size_t to)
{
	locate(x, from);
	*t = (struct jtoken){
		.type = type, .p = x->src + from, .n = (uint32_t)(to - from), .line = x->line, .column = x->column,
	};
}

static int skip_comment(struct jlex *x, size_t open, size_t i)
{
	for (; i + 1 < x->n; i++) {
		if (x->src[i] == '#' && x->src[i + 1] == '}') {
			const char sign = i > x->pos ? x->src[i - 1] : 0;

			x->pos = close_tag(x, i + 2, sign == '-' || sign == '+' ? sign : 0, true);
			return 0;
		}
	}
	return x->pos == x->n ? 0 : fail(x, open, "Missing end of comment tag", "");
}

/* A raw block whose opening tag ends at i: its text becomes a token. */
static int lex_raw(struct jlex *x, size_t open, size_t i, struct jtoken *t)
{
	char before, after;

	for (size_t k = i; k + 1 < x->n; k++) {
		const size_t end = match_word(x, k, "endraw", &before, &after);

		if (end) {
			token(x, t, JT_DATA, i, strip_before(x, i, k, before, false));
			x->pos = close_tag(x, end, after, true);
			return 0;
		}
	}
	if (i == x->n) {	/* an opening with nothing behind it passes, as it does in Jinja */
		x->pos = i;
		return 0;
	}
	return fail(x, open, "Missing end of raw directive", "");
}

/* The next tag at or after i. */
static size_t find_tag(const struct jlex *x, size_t i)
{
	while (i < x->n) {
		const char *p = memchr(x->src + i, '{', x->n - i);

		if (!p)
			break;
		i = (size_t)(p - x->src);
		if (at(x, i + 1) == '%' || at(x, i + 1) == '{' || at(x, i + 1) == '#')
			return i;
		i++;
	}
	return x->n;
}

static int open_tag(struct jlex *x, size_t tag, struct jtoken *t)
{
	char before, after;
	const size_t raw = match_word(x, tag, "raw", &before, &after);
	const char sign = at(x, tag + 2);

	if (raw && after != '+') {
		x->line_start = false;
		t->n = 0;
		return lex_raw(x, tag, after == '-' ? skip_space(x, raw) : raw, t);
	}
	x->pos = tag + 2 + (sign == '-' || sign == '+');
	x->line_start = false;
	t->n = 0;
	if (at(x, tag + 1) == '#')
		return skip_comment(x, tag, x->pos);
	x->mode = at(x, tag + 1) == '%' ? JLEX_BLOCK : JLEX_VAR;
	x->pending = x->mode == JLEX_BLOCK ? JT_BLOCK_BEGIN : JT_VAR_BEGIN;
	x->pending_at = tag;
	return 0;
}

/* Text up to the next tag; empty text is passed over. */
static int lex_root(struct jlex *x, struct jtoken *t)
{
	while (x->pos < x->n) {
		const size_t from = x->pos, tag = find_tag(x, from);
		size_t to = tag;

		if (tag < x->n) {
			const char sign = at(x, tag + 2);

			to = strip_before(x, from, tag, sign, at(x, tag + 1) == '{');
		}
		if (to > from) {	/* the tag is looked at again */
			token(x, t, JT_DATA, from, to);
			x->pos = tag;
			return 0;
		}
		if (tag == x->n)
			break;
		if (open_tag(x, tag, t))
			return -1;
		if (t->n)
			return 0;
		if (x->pending)
			return jlex_next(x, t);
	}
	token(x, t, JT_EOF, x->n, x->n);
	return 0;
}

/* -- between delimiters ------------------------------------------------------------ */

/* Digits with single underscores between them; returns the end. */
static size_t digits(const struct jlex *x, size_t i)
{
	while (at(x, i) >= '0' && at(x, i) <= '9')
		i += at(x, i + 1) == '_' && at(x, i + 2) >= '0' && at(x, i + 2) <= '9' ? 2 : 1;
	return i;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* End of the fraction and exponent that make the number a float, or 0. */
static size_t float_end(const struct jlex *x, size_t from, size_t i)
{
	size_t k = i, exp;

	if (from && x->src[from - 1] == '.')
		return 0;
	if (at(x, k) == '.' && is_digit(at(x, k + 1)))
		k = digits(x, k + 1);
	if (at(x, k) == 'e' || at(x, k) == 'E') {
		exp = k + 1 + (at(x, k + 1) == '+' || at(x, k + 1) == '-');
		if (is_digit(at(x, exp)))
			return digits(x, exp);
	}
	return k > i ? k : 0;
}

static int digit_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

static int lex_integer(struct jlex *x, size_t from, size_t i, int base, struct jtoken *t)
{
	int64_t v = 0;

	for (;; i++) {
		if (at(x, i) == '_' && digit_value(at(x, i + 1)) < base)
			continue;
		if (digit_value(at(x, i)) >= base || (base == 10 && i > from && x->src[from] == '0' && at(x, i) != '0'))
			break;
		if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit_value(at(x, i)), &v))
			return fail(x, from, "integer does not fit in 64 bits", "");
	}
	token(x, t, JT_INT, from, i);
	t->i = v;
	x->pos = i;
	return 0;
}

static int lex_number(struct jlex *x, struct jtoken *t)
{
	static const struct { char letter; int base; } bases[] = { { 'b', 2 }, { 'o', 8 }, { 'x', 16 } };
	const size_t from = x->pos, end = float_end(x, from, digits(x, from));
	char text[64];
	size_t n = 0;

	if (!end) {
		for (size_t k = 0; at(x, from) == '0' && k < 3; k++)
			if ((at(x, from + 1) | 0x20) == bases[k].letter && digit_value(at(x, from + 2)) < bases[k].base)
				return lex_integer(x, from, from + 2, bases[k].base, t);
		return lex_integer(x, from, from, 10, t);
	}
	for (size_t i = from; i < end && n + 1 < sizeof text; i++)
		if (x->src[i] != '_')
			text[n++] = x->src[i];
	text[n] = '\0';
	token(x, t, JT_FLOAT, from, end);
	t->f = strtod(text, NULL);
	x->pos = end;
	return 0;
}

static bool name_char(uint32_t cp, bool first)
{
	if (cp < 0x80)
		return cp == '_' || (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') ||
		       (!first && cp >= '0' && cp <= '9');
	return first ? uc_is_property_xid_start(cp) : uc_is_property_xid_continue(cp);
}

static bool lex_name(struct jlex *x, struct jtoken *t)
{
	size_t i = x->pos;
	uint32_t cp;

	while (i < x->n) {
		const size_t k = ju_next(x->src + i, x->n - i, &cp);

		if (!name_char(cp, i == x->pos))
			break;
		i += k;
	}
	if (i == x->pos)
		return false;
	token(x, t, JT_NAME, x->pos, i);
	x->pos = i;
	return true;
}

/* -- strings ----------------------------------------------------------------------- */

static const struct { char letter, value; } simple_escapes[] = {
	{ 'n', '\n' }, { 't', '\t' }, { 'r', '\r' }, { '\\', '\\' }, { '\'', '\'' }, { '"', '"' },
	{ 'a', '\a' }, { 'b', '\b' }, { 'f', '\f' }, { 'v', '\v' },
};

/* \xhh, \uhhhh, \Uhhhhhhhh: p stands on the letter. Returns bytes used, 0 when malformed. */
static size_t hex_escape(const char *p, size_t n, uint32_t *cp)
{
	const size_t want = *p == 'x' ? 2 : *p == 'u' ? 4 : 8;

	*cp = 0;
	if (n <= want)
		return 0;
	for (size_t i = 1; i <= want; i++) {
		const int d = digit_value(p[i]);

		if (d > 15)
			return 0;
		*cp = *cp << 4 | (uint32_t)d;
	}
	return *cp <= 0x10ffff ? want + 1 : 0;
}

static size_t named_escape(const char *p, size_t n, uint32_t *cp)
{
	char name[128];
	const char *end = n > 2 && p[1] == '{' ? memchr(p, '}', n) : NULL;
	const size_t len = end ? (size_t)(end - p) - 2 : 0;

	if (!len || len >= sizeof name)
		return 0;
	memcpy(name, p + 2, len);
	name[len] = '\0';
	*cp = unicode_name_character(name);
	return *cp == UNINAME_INVALID ? 0 : len + 3;
}

/* One escape; p stands behind the backslash. Returns bytes used; 0: keep the backslash; SIZE_MAX: malformed. */
static size_t escape(const char *p, size_t n, struct jheap *h, struct jbuf *b)
{
	uint32_t cp = 0;
	size_t k;

	for (size_t i = 0; i < sizeof simple_escapes / sizeof *simple_escapes; i++) {
		if (*p == simple_escapes[i].letter) {
			jbuf_add(h, b, &simple_escapes[i].value, 1, JTAG_TEMPLATE);
			return 1;
		}
	}
	if (*p == '\n')
		return 1;
	if (*p >= '0' && *p <= '7') {
		for (k = 0; k < 3 && k < n && p[k] >= '0' && p[k] <= '7'; k++)
			cp = cp * 8 + (uint32_t)(p[k] - '0');
	} else if (*p == 'x' || *p == 'u' || *p == 'U') {
		k = hex_escape(p, n, &cp);
	} else if (*p == 'N') {
		k = named_escape(p, n, &cp);
	} else {
		return 0;
	}
	if (!k)
		return SIZE_MAX;
	jbuf_add_utf8(h, b, cp, JTAG_TEMPLATE);
	return k;
}

static int unescape(struct jlex *x, size_t from, struct jtoken *t)
{
	struct jbuf *b = jbuf_new(x->h, t->n);

	for (size_t i = 0; i < t->n;) {
		const char *next = memchr(t->p + i, '\\', t->n - i);
		const size_t plain = next ? (size_t)(next - t->p) - i : t->n - i;
		size_t k;

		jbuf_add(x->h, b, t->p + i, plain, JTAG_TEMPLATE);
		i += plain;
		if (i + 1 >= t->n)
			break;
		k = escape(t->p + i + 1, t->n - i - 1, x->h, b);
		if (k == SIZE_MAX)
			return fail(x, from, "malformed escape in a string", "");
		if (!k)
			jbuf_add(x->h, b, "\\", 1, JTAG_TEMPLATE);
		i += 1 + k;
	}
	if (x->h->failed)
		return err_set(x->e, ERR_NOMEM, "no memory for the chat template");
	t->p = b->p ? b->p : "";
	t->n = b->len;
	return 0;
}

static int lex_string(struct jlex *x, struct jtoken *t)
{
	const size_t from = x->pos;
	const char quote = x->src[from];
	size_t i = from + 1;
	bool plain = true;

	while (i < x->n && x->src[i] != quote) {
		plain = plain && x->src[i] != '\\';
		i += x->src[i] == '\\' ? 2 : 1;
	}
	if (i >= x->n)
		return unexpected_char(x, from);
	token(x, t, JT_STRING, from, i + 1);
	t->p++;
	t->n -= 2;
	x->pos = i + 1;
	return plain ? 0 : unescape(x, from, t);
}

/* -- operators --------------------------------------------------------------------- */

static int balance(struct jlex *x, enum jtok type)
{
	static const char closing[JT_N] = { [JT_LBRACKET] = ']', [JT_LPAREN] = ')', [JT_LBRACE] = '}' };
	char text[2] = "";

	if (closing[type]) {
		if (x->n_nest == JLEX_NEST)
			return fail(x, x->pos, "brackets are nested too deeply", "");
		x->nest[x->n_nest++] = closing[type];
		return 0;
	}
	if (type != JT_RBRACKET && type != JT_RPAREN && type != JT_RBRACE)
		return 0;
	if (!x->n_nest)
		return fail(x, x->pos, "unexpected '%s'", texts[type]);
	text[0] = x->nest[--x->n_nest];
	if (text[0] != texts[type][0]) {
		fail(x, x->pos, "unexpected '%s'", texts[type]);
		return err_set(x->e, ERR_TEMPLATE, "unexpected '%s', expected '%s'", texts[type], text);
	}
	return 0;
}

static int lex_operator(struct jlex *x, struct jtoken *t)
{
	for (enum jtok k = JT_FLOORDIV; k < JT_N; k++) {	/* the long ones come first */
		const size_t n = strlen(texts[k]);

		if (x->n - x->pos >= n && !memcmp(x->src + x->pos, texts[k], n)) {
			if (balance(x, k))
				return -1;
			token(x, t, k, x->pos, x->pos + n);
			x->pos += n;
			return 0;
		}
	}
	return unexpected_char(x, x->pos);
}

/* "%}" or "}}" with its sign, when nothing is left to close. */
static bool lex_close(struct jlex *x, struct jtoken *t)
{
	const bool block = x->mode == JLEX_BLOCK;
	const char c = at(x, x->pos);
	const char sign = c == '-' || (c == '+' && block) ? c : 0;
	const size_t i = x->pos + (sign != 0);

	if (x->n_nest || at(x, i) != (block ? '%' : '}') || at(x, i + 1) != '}')
		return false;
	token(x, t, block ? JT_BLOCK_END : JT_VAR_END, x->pos, i + 2);
	x->pos = close_tag(x, i + 2, sign, block);
	x->mode = JLEX_ROOT;
	return true;
}

int jlex_next(struct jlex *x, struct jtoken *t)
{
	char c;

	if (x->pending) {
		token(x, t, x->pending, x->pending_at, x->pending_at + 2);
		x->pending = JT_EOF;
		return 0;
	}
	if (x->mode == JLEX_ROOT)
		return lex_root(x, t);
	x->pos = skip_space(x, x->pos);
	c = at(x, x->pos);
	if (x->pos >= x->n) {
		token(x, t, JT_EOF, x->n, x->n);
		return 0;
	}
	if (lex_close(x, t))
		return 0;
	if (is_digit(c))
		return lex_number(x, t);
	if (c == '"' || c == '\'')
		return lex_string(x, t);
	return lex_name(x, t) ? 0 : lex_operator(x, t);
}
