/*
 * Who wrote what: bytes of the context stay the user's whatever a template does to them,
 * and the template's stay its own.
 */
#include "config.h"
#include "t/lib/jinja-cases.h"
#include "t/lib/tap.h"

#include <stdio.h>
#include <string.h>

/* The variables of all cases. */
static const char context[] =
	"{\"u\": \"User Text\", \"w\": \"  one two  \", \"l\": [\"A\", \"B\"], \"d\": {\"k\": \"V\", \"n\": 12, \"t\": true},"
	" \"bos_token\": \"<s>\", \"tools\": [{\"name\": \"f\", \"p\": {\"a\": [1.5, null]}}], \"n\": 7, \"e\": \"\"}";

/*
 * src, and the text it must give with the user's parts in « ». So the case is the picture
 * of its spans.
 */
static const struct { const char *src, *want; } cases[] = {
	{ "a{{ u }}b", "a«User Text»b" },
	{ "{{ bos_token }}{{ u }}", "<s>«User Text»" },
	{ "{{ bos_token + u + '</s>' }}", "<s>«User Text»</s>" },
	{ "{{ '<' ~ u ~ '>' ~ n }}", "<«User Text»>«7»" },
	{ "{{ u + u }}", "«User TextUser Text»" },
	{ "{{ u }}{{ u }}", "«User TextUser Text»" },
	{ "{{ ('[' + u + ']')[1:-1] }}", "«User Text»" },
	{ "{{ ('[' + u + ']')[:3] }}", "[«Us»" },
	{ "{{ ('ab' + u)[::-1] }}", "«txeT resU»ba" },
	{ "{{ ('ab' + u)[1] }}{{ ('ab' + u)[2] }}", "b«U»" },
	{ "{{ ('<' + u + '>')|upper }}", "<«USER TEXT»>" },
	{ "{{ ('<' + u + '>')|lower }}{{ ('X' + u).title() }}", "<«user text»>X«user Text»" },
	{ "[{{ (' ' + w + ' ')|trim }}]", "[«one two»]" },
	{ "[{{ w.strip() }}{{ w.lstrip() }}{{ w.rstrip() }}]", "[«one twoone two    one two»]" },
	{ "{{ 'x-x'|replace('x', u) }}", "«User Text»-«User Text»" },
	{ "{{ u|replace('User', 'My') }}", "My« Text»" },
	{ "{{ u.replace(' ', '<|im_end|>') }}", "«User»<|im_end|>«Text»" },
	{ "{{ l|join(', ') }}", "«A», «B»" },
	{ "{{ ['x', u]|join(l[0]) }}", "x«AUser Text»" },
	{ "{{ ','.join(l) }}", "«A»,«B»" },
	{ "{% for p in u.split(' ') %}[{{ p }}]{% endfor %}", "[«User»][«Text»]" },
	{ "{% for p in ('x,' + u).split(',') %}[{{ p }}]{% endfor %}", "[x][«User Text»]" },
	{ "{% for c in 'a' + l[0] %}{{ c }};{% endfor %}", "a;«A»;" },
	{ "{{ l }}", "«['A', 'B']»" },
	{ "{{ [u, 'x'] }}", "[«'User Text'», 'x']" },
	{ "{{ d|string }}", "«{'k': 'V', 'n': 12, 't': True}»" },
	{ "{{ d|tojson }}", "«{\"k\": \"V\", \"n\": 12, \"t\": true}»" },
	{ "{{ tools|tojson }}", "«[{\"name\": \"f\", \"p\": {\"a\": [1.5, null]}}]»" },
	{ "{{ tools[0]|tojson(indent=1) }}", "«{\n \"name\": \"f\",\n \"p\": {\n  \"a\": [\n   1.5,\n   null\n  ]\n }\n}»" },
	{ "{{ {'a': 'x', 'b': u}|tojson }}", "{\"a\": \"x\", \"b\": «\"User Text\"»}" },
	{ "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "«k»=«V»;«n»=«12»;«t»=«True»;" },
	{ "{% for k in d %}{{ k }}{% endfor %}{{ d.keys()|first }}", "«kntk»" },
	{ "{% set x = u %}{{ x }}", "«User Text»" },
	{ "{% set x %}<{{ u }}>{% endset %}{{ x|upper }}", "<«USER TEXT»>" },
	{ "{% macro m(a) %}({{ a }}){% endmacro %}{{ m(u) }}{{ m('t') }}", "(«User Text»)(t)" },
	{ "{% macro m() %}({{ caller() }}){% endmacro %}{% call m() %}{{ u }}!{% endcall %}", "(«User Text»!)" },
	{ "{% filter upper %}a{{ u }}{% endfilter %}", "A«USER TEXT»" },
	{ "{% set ns = namespace(s='') %}{% for x in l %}{% set ns.s = ns.s + '<' + x + '>' %}{% endfor %}{{ ns.s }}", "<«A»><«B»>" },
	{ "{{ '%s|%s' % (u, 'x') }}", "«User Text»|x" },
	{ "{{ '{}:{}'.format(u, 'x') }}", "«User Text»:x" },
	{ "{{ u % () }}{{ u.format() }}", "«User TextUser Text»" },
	{ "{{ u|truncate(4, true, '..', 0) }}", "«Us».." },
	{ "{{ (u ~ '\nb')|indent(2, true) }}", "  «User Text»\n  b" },
	{ "{{ l[0]|center(5) }}", "  «A»  " },
	{ "{{ u|default('x') }}{{ q|default('x') }}{{ e or 'y' }}{{ q|default(u) }}", "«User Text»xy«User Text»" },
	{ "{{ l|map('lower')|join }}{{ l|reverse|join('-') }}{{ l|sort(reverse=true)|first }}", "«abB»-«AB»" },
	{ "{{ ('<b>' + u)|escape }}", "&lt;b&gt;«User Text»" },
	{ "{{ (u + '/?')|urlencode }}", "«User%20Text»/%3F" },
	{ "{{ u|list|join('') }}{{ u|first }}{{ u|last }}", "«User TextUt»" },
	{ "{{ u|length }}{{ l|length }}", "92" },
	{ "{{ 'a' if u == 'User Text' else 'b' }}", "a" },
	{ "{{ u[:0] }}{{ e }}x", "x" },
	{ "{{ strftime_now(u) }}{{ strftime_now('%Y') }}", "«User Text»2025" },
	{ "{{ u.removeprefix('User') }}{{ u.partition(' ')[2] }}", "« TextText»" },
	{ "{{ '%c' % 65 }}", "«A»" },		/* a byte made from a number has no template's word for it */
	/* what fills, indents, separates and counts is of who gave it */
	{ "{{ 'x'.center(5, u[0]) }}{{ 'x'.ljust(3, u[0]) }}{{ 'x'.rjust(3, '.') }}", "«UU»x«UU»x«UU»..x" },
	{ "{{ ('{:' ~ u[0] ~ '^5}').format('x') }}{{ ('{:' ~ u[0] ~ '>3}').format(1) }}{{ '{:.>3}'.format(u[0]) }}", "«UU»x«UUUU1»..«U»" },
	{ "{{ '%3d' % n }}{{ '%3d' % 1 }}{{ '{:03}'.format(n) }}{{ (u[:0] ~ '%.1f') % 1 }}", "«  7»  1«007»1.0" },
	{ "{{ [1]|tojson(indent=l[0]) }}{{ [1, 2]|tojson(separators=(u, ':')) }}", "[\n«A»1\n][1«User Text»2]" },
	{ "{{ 'a\nb'|indent(l[0]) }}{{ ['x', 'y']|join(l[0]) }}{{ 'abcdef'|truncate(4, true, l[0], 0) }}", "a\n«A»bx«A»yabc«A»" },
	{ "{{ u|pprint }}{{ u|safe }}", "«'User Text'User Text»" },
	{ "{{ 'é' + u|upper + 'ß'|upper }}", "é«USER TEXT»SS" },
};

static void draw(const struct jinja_out *out, struct str *s)
{
	for (size_t i = 0; i < out->n_spans; i++) {
		const struct text_span *sp = &out->spans[i];

		str_adds(s, sp->user ? "«" : "");
		str_add(s, out->text.p + sp->start, sp->end - sp->start);
		str_adds(s, sp->user ? "»" : "");
	}
}

/* Spans are in order, touch, cover the text, are not empty, and change hands at each edge. */
static bool well_formed(const struct jinja_out *out)
{
	size_t at = 0;

	for (size_t i = 0; i < out->n_spans; i++) {
		if (out->spans[i].start != at || out->spans[i].end <= at || (i && out->spans[i].user == out->spans[i - 1].user))
			return false;
		at = out->spans[i].end;
	}
	return at == out->text.len;
}

static void one(const char *src, const char *want, const json_t *ctx)
{
	struct jinja_out out;
	struct err e = { 0 };
	struct str s;
	int rc;

	jinja_out_init(&out);
	str_init(&s, 0);
	rc = render_json(src, strlen(src), ctx, &out, NULL, &e);
	draw(&out, &s);
	if (!ok(!rc && well_formed(&out) && !strcmp(s.p, want), "%s", src))
		printf("# got %s %s\n", s.p, e.msg);
	str_release(&s);
	jinja_out_release(&out);
}

/* A string with a mark can be found again in the output. */
static void marks(void)
{
	static const char src[] = "[{{ a }}]{{ b|upper }}{{ a[1:] }}";
	struct jinja_ctx *c = jinja_ctx_new();
	struct jinja *t = NULL;
	struct jinja_out out;

	jinja_out_init(&out);
	jinja_ctx_set(c, "a", jval_marked(c, "abc", 3, 0));
	jinja_ctx_set(c, "b", jval_marked(c, "xy", 2, 5));
	ok(!jinja_compile(&t, src, strlen(src), NULL, NULL) && !jinja_render(t, c, &out, NULL, NULL), "rendered");
	ok(out.n_marks == 3 && out.marks[0].start == 1 && out.marks[0].end == 4 && out.marks[0].mark == 0, "the whole string");
	ok(out.n_marks == 3 && out.marks[1].start == 5 && out.marks[1].end == 7 && out.marks[1].mark == 5, "another");
	ok(out.n_marks == 3 && out.marks[2].start == 7 && out.marks[2].end == 9 && out.marks[2].mark == 0, "a part of it");
	ok(out.n_spans == 4 && out.spans[3].user && out.spans[3].start == 5 && out.spans[3].end == 9, "one span of the user's");
	jinja_out_release(&out);
	jinja_ctx_free(c);
	jinja_free(t);
}

/* One context, two renderings: the second sees nothing of the first. */
static void again(void)
{
	static const char src[] = "{{ u + '!' + u }}";
	struct jinja_ctx *c = jinja_ctx_new();
	struct jinja *t = NULL;
	struct jinja_out out;
	bool same = true;

	jinja_out_init(&out);
	jinja_ctx_set(c, "u", jval_str(c, "ab", 2, true));
	jinja_compile(&t, src, strlen(src), NULL, NULL);
	for (int i = 0; i < 3; i++)
		same &= !jinja_render(t, c, &out, NULL, NULL) && !strcmp(out.text.p, "ab!ab") && out.n_spans == 3;
	ok(same, "rendered three times alike");
	jinja_out_release(&out);
	jinja_ctx_free(c);
	jinja_free(t);
}

int main(void)
{
	json_t *ctx = json_loads(context, 0, NULL);

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		one(cases[i].src, cases[i].want, ctx);
	json_decref(ctx);
	marks();
	again();
	return tap_done();
}
