/*
 * Memory that ends at any place: each snippet is compiled and rendered with room for one
 * allocation more at a time, until it fits. Every time before that is the error of the
 * limit, and the last gives what it gives with plenty. The snippets use every filter, test,
 * function and method that the tables have, and every statement.
 */
#include "config.h"
#include "engine/text/jinja.h"
#include "engine/text/jinja_eval.h"
#include "engine/text/jinja_json.h"
#include "t/lib/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char variables[] =
	"{\"s\": \"Hello W\\u00f6rld\", \"n\": null, \"i\": 7, \"f\": 2.5, \"l\": [3, 1, 2], \"w\": [\"b\", \"A\", \"c\"], \"e\": [],"
	" \"d\": {\"b\": 1, \"A\": [1, 2], \"z\": {\"q\": \"x\"}}, \"ml\": \"a\\n b\\n\\n  c\\r\\nd\\t.\", \"u\": \"\\u00df \\u0130 \\u03a3\","
	" \"m\": [{\"role\": \"user\", \"content\": \"hi\", \"x\": 1}, {\"role\": \"assistant\", \"content\": \"yo\", \"x\": 2},"
	" {\"role\": \"user\", \"content\": \"again\", \"x\": 3}]}";

static const char *const snippets[] = {
	/* statements */
	"text {# nothing #}{{ s }}{{ i, f }}",
	"{% if i > 9 %}a{% elif i == 7 %}b{{ n }}{% else %}c{% endif %}",
	"{% for x in l if x > 1 %}{{ x }}{{ loop.index }}{{ loop.length }}{{ loop.last }}{% else %}none{% endfor %}",
	"{% for x in s %}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.revindex }}{% if loop.index > 3 %}{% break %}{% endif %}{% continue %}{% endfor %}",
	"{% for k, v in d.items() %}{{ k ~ v }}{{ loop.cycle('a', 'b') }}{{ loop.changed(v) }}{% endfor %}",
	"{% for x in [1, [2, [3]]] recursive %}{% if x is iterable %}{{ loop(x) }}{% else %}{{ x }}{{ loop.depth }}{% endif %}{% endfor %}",
	"{% for x in e %}{% else %}nothing{% endfor %}{% for x in m | map(attribute='role') %}{{ loop }}{% endfor %}",
	"{% set a = 1 %}{% set a, b = 'xy' %}{% set c %}in {{ a }}{% endset %}{% set g | upper %}in{% endset %}{{ b ~ c ~ g }}",
	"{% set ns = namespace(a=1, b='x') %}{% set ns.a = ns.a + 1 %}{% set ns.c = [] %}{{ ns.a }}{{ ns.c }}{{ ns }}",
	"{% macro f(a, b=2, c=s) %}{{ a }}{{ b }}{{ c }}{{ varargs }}{{ kwargs }}{{ caller is defined }}{% endmacro %}{{ f(1, 2, 3, 4, z=5) }}{{ f(1, b=s) }}",
	"{% macro f(a) %}<{{ caller(a, 2) }}>{% endmacro %}{% call(x, y) f('q') %}{{ x }}{{ y }}{% endcall %}{{ f }}{{ f.name }}{{ f.arguments }}",
	"{% macro f(a) %}{{ a is defined }}{{ a }}{% endmacro %}{{ f() }}{{ f(*[1]) }}{{ f(**{'a': 2}) }}",
	"{% filter upper | replace('B', 'x') %}a{{ 'b' }}{% endfilter %}",
	"{% with a = 1, b = s %}{{ a ~ b }}{% endwith %}{% generation %}{{ s }}{% endgeneration %}",
	"{% block here %}{{ s }}{% endblock %}{% autoescape false %}{{ s }}{% endautoescape %}{% raw %}{{ }}{% endraw %}",
	"{% set k = 1 %}{% for x in l %}{% set k = x %}{% macro g() %}{{ k }}{% endmacro %}{{ g() }}{% endfor %}{{ k }}",
	/* expressions */
	"{{ 1 + 2 * 3 - 4 / 5 // 6 % 7 ** 2 }}{{ -i }}{{ +f }}{{ not n }}{{ 2 ** -1 }}{{ 1.5 // 0.4 }}{{ 1e300 }}{{ 7.5 % 2 }}",
	"{{ s + 'x' }}{{ 'x' * 3 }}{{ 3 * [1] }}{{ [1] + l }}{{ (1,) + (2, 3) }}{{ s ~ i ~ n ~ l }}",
	"{{ 1 < i < 9 <= 9 != 8 }}{{ 'a' < 'b' }}{{ [1, 2] >= [1] }}{{ 'W' in s }}{{ 3 not in l }}{{ 'b' in d }}{{ l == [3, 1, 2] }}{{ d != {} }}",
	"{{ i if n else f }}{{ n or s and l }}{{ 'a' if n }}{{ missing }}{{ missing is defined }}{{ d.nothing }}",
	"{{ {'a': [1, (2, 'x')], 1: none, (1, 2): true} }}{{ [] }}{{ () }}{{ 'quote\\'s \\n \\u00e9' }}{{ 1.0 }}{{ [s, \"it's\"] }}",
	"{{ l[0] }}{{ l[-1] }}{{ l[1:] }}{{ s[::-1] }}{{ s[1:9:3] }}{{ d['b'] }}{{ d.z.q }}{{ m[0].role }}{{ (1, 2, 3)[::2] }}{{ range(9)[2:4] | list }}{{ s[-1] }}",
	"{{ l.nothing }}{{ d[5] }}{{ 5[5] }}{{ s[99] }}{{ l.append }}{{ range }}",
	"{{ missing.x }}", "{{ missing + 1 }}", "{{ n.x.y }}", "{{ d.b.c.d }}", "{{ missing() }}", "{{ l[0][0][0] }}", "{{ d() }}",
	"{{ [1] < ['a'] }}", "{{ {[]: 1} }}", "{{ 1 + 'a' }}", "{{ -s }}", "{{ namespace().x.y }}", "{% for a in 5 %}{% endfor %}",
	"{% set a, b = 5 %}", "{% set a, b = [1] %}", "{{ s.center() }}", "{{ s.center(width=1, width=2) }}", "{{ s | map(attribute='x', y=1) | list }}",
	"{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}", "{% macro f(a) %}{% endmacro %}{{ f(q=2) }}", "{{ [] | first.x }}", "{{ ([] | first).x }}",
	"{% if 0 %}{{ s | nothing }}{% endif %}{{ i is nothing }}", "{{ l | map('nothing') | list }}", "{{ l | select('nothing') | list }}",
	"{{ s | }}", "{% for %}", "{% nothing %}", "{{ 'open", "{% if 1 %}", "{{ 'a' 'b' }}", "{{ '\\N{LATIN SMALL LETTER A}' }}", "{{ 1_000 }}{{ 0x1f }}{{ 1e3 }}",
	/* functions */
	"{{ raise_exception(s ~ ' raised') }}", "{{ strftime_now('%d %b %Y') }}", "{{ range(3) | list }}{{ range(9, 1, -3) }}", "{{ range(1, 'a') }}",
	"{{ dict(a=1, b=s) }}{{ dict([('x', 1)], y=2) }}{{ dict(d) }}", "{{ dict([[1, 2, 3]]) }}", "{{ namespace(d, q=1) }}",
	"{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.current }}{{ c.next() }}{{ c.reset() }}{{ c }}",
	"{% set j = joiner() %}{% set k = joiner('; ') %}{{ j() }}a{{ j() }}b{{ k() }}{{ k() }}",
	/* filters */
	"{{ '7' | int }}{{ 'ff' | int(base=16) }}{{ 'x' | int(default=3) }}{{ '2.5' | float }}{{ s | float(1.5) }}{{ -3 | abs }}{{ 2.567 | round(1, 'floor') }}{{ f | round }}",
	"{{ '%s %d %5.2f %-5x| %r %%' | format(s, i, f, 255, s) }}{{ '%(a)s' | format(a=s) }}{{ '%s-%s' % (s, l) }}{{ '%c%o%e%g' % ('x', 8, f, f) }}",
	"{{ l | first }}{{ l | last }}{{ l | length }}{{ s | count }}{{ s | list }}{{ e | first }}{{ e | last }}{{ d | list }}{{ e | min }}",
	"{{ l | join(', ') }}{{ m | join('|', attribute='role') }}{{ w | join(s) }}{{ d | items | list }}{{ missing | items | list }}",
	"{{ l | map('string') | list }}{{ m | map(attribute='role') | list }}{{ m | map(attribute='q', default=s) | list }}{{ w | map('replace', 'b', s) | list }}",
	"{{ l | select('odd') | list }}{{ l | reject('eq', 1) | list }}{{ m | selectattr('x', 'gt', 1) | list }}{{ m | rejectattr('role', 'equalto', 'user') | list }}{{ l | select | list }}",
	"{{ missing | default(s) }}{{ n | d('x', true) }}{{ l | reverse | list }}{{ s | reverse }}",
	"{{ l | sort }}{{ w | sort }}{{ w | sort(case_sensitive=true, reverse=true) }}{{ m | sort(attribute='role,x') }}{{ s | sort }}{{ range(40) | sort }}",
	"{{ d | dictsort }}{{ d | dictsort(by='key', reverse=true, case_sensitive=true) }}{{ {'a': 2, 'b': 1} | dictsort(by='value') }}",
	"{{ w | unique | list }}{{ m | unique(attribute='role') | list }}{{ l | min }}{{ w | max }}{{ m | max(attribute='x') }}{{ l | sum }}{{ m | sum(attribute='x', start=5) }}",
	"{% for g in m | groupby('role') %}{{ g.grouper }}{{ g.list | length }}{{ g }}{% endfor %}{{ m | groupby('q', default='x') }}",
	"{{ range(7) | batch(3, 'x') | list }}{{ range(7) | slice(3, 'x') | list }}{{ d | attr('b') }}{{ s | attr('upper') }}{{ [s] | random }}",
	"{{ s | upper }}{{ u | lower }}{{ u | upper }}{{ s | capitalize }}{{ s | title }}{{ ml | trim }}{{ s | trim('Hd') }}{{ s | replace('l', s) }}{{ s | replace('', '.', 3) }}",
	"{{ ml | indent }}{{ ml | indent('>> ', true, true) }}{{ s | truncate(7, true) }}{{ s | truncate(5, false, '..', 0) }}{{ s | center(30) }}{{ s | wordcount }}",
	"{{ d | tojson }}{{ m | tojson(indent=2) }}{{ d | tojson(ensure_ascii=true, sort_keys=true, separators=(',', ':')) }}{{ ml | tojson }}{{ u | tojson(ensure_ascii=true) }}{{ [1.5, none, true] | tojson(indent='--') }}",
	"{{ i | string }}{{ '<b>' | safe }}{{ '<b>' | safe + '<i>' }}{{ '<&\"' | escape }}{{ '<' | e }}{{ '<' | safe | forceescape }}{{ [s | safe] }}",
	"{{ (s ~ '/&') | urlencode }}{{ {'a b': s} | urlencode }}{{ l | pprint }}{{ 123456 | filesizeformat }}{{ 1 | filesizeformat(true) }}{{ '<p>a <b>b</b>' | striptags }}{{ {'a': s, 'b': '<'} | xmlattr }}",
	"{{ d | pprint }}", "{{ s | urlize }}", "{{ s | wordwrap }}", "{{ l | sort(attribute='x') }}", "{{ [1, 'a'] | sort }}", "{{ n | tojson | tojson | upper }}",
	"{{ l | tojson(separators=1) }}", "{{ range | tojson }}", "{{ s | batch }}", "{{ d | random }}", "{{ '%d' % s }}", "{{ '%q' % 1 }}", "{{ '%(a)s' % d }}",
	/* tests */
	"{{ s is defined }}{{ s is undefined }}{{ n is none }}{{ n is boolean }}{{ n is true }}{{ n is false }}{{ i is integer }}{{ f is float }}{{ i is number }}",
	"{{ s is string }}{{ d is mapping }}{{ l is sequence }}{{ l is iterable }}{{ range is callable }}{{ s is escaped }}{{ 'upper' is filter }}{{ 'odd' is test }}",
	"{{ i is odd }}{{ i is even }}{{ i is divisibleby 3 }}{{ s is sameas s }}{{ s is lower }}{{ s is upper }}{{ 1 is in l }}{{ i is eq 7 }}{{ i is equalto 7 }}{{ i is ne 7 }}",
	"{{ i is lt 8 }}{{ i is lessthan 8 }}{{ i is le 8 }}{{ i is gt 8 }}{{ i is greaterthan 8 }}{{ i is ge 8 }}{{ l | select('==', 1) | list }}{{ l | select('!=', 1) | list }}",
	"{{ l | select('<', 2) | list }}{{ l | select('<=', 2) | list }}{{ l | select('>', 2) | list }}{{ l | select('>=', 2) | list }}{{ l | select('in', [1]) | list }}",
	/* methods */
	"{{ '  a '.strip() }}{{ s.lstrip('H') }}{{ s.rstrip('d') }}{{ s.split() }}{{ s.split('l', 1) }}{{ s.rsplit('l', 1) }}{{ ml.rsplit() }}{{ ml.splitlines() }}{{ ml.splitlines(true) }}",
	"{{ s.startswith('H') }}{{ s.endswith(('x', 'd')) }}{{ s.replace('l', 'LL', 2) }}{{ s.upper() }}{{ s.lower() }}{{ s.title() }}{{ s.capitalize() }}{{ s.swapcase() }}{{ u.casefold() }}",
	"{{ s.find('l') }}{{ s.rfind('l') }}{{ s.index('l', 1, 9) }}{{ s.rindex('l') }}{{ s.count('l') }}{{ s.join(['a', 'b', 'c']) }}{{ s.partition('l') }}{{ s.rpartition('l') }}",
	"{{ s.removeprefix('H') }}{{ s.removesuffix('d') }}{{ s.ljust(20, '.') }}{{ s.rjust(20) }}{{ s.center(20, '*') }}{{ '-7'.zfill(6) }}{{ ml.expandtabs(4) }}",
	"{{ s.isalpha() }}{{ s.isdigit() }}{{ s.isdecimal() }}{{ s.isnumeric() }}{{ s.isalnum() }}{{ s.isspace() }}{{ s.isprintable() }}{{ s.isascii() }}{{ s.islower() }}{{ s.isupper() }}{{ s.istitle() }}{{ s.isidentifier() }}",
	"{{ '{} {0!r} {a:>8} {b.z.q} {c[0]:05d} {{}}'.format(s, a=s, b=d, c=l) }}", "{{ '{} {:,} {!r:10}'.format(s, 12345, s) }}{{ '{s:*^20}'.format_map({'s': s}) }}{{ '{:e} {:%} {:x}'.format(f, f, 255) }}",
	"{% set a = [1] %}{{ a.append(s) }}{{ a.extend(l) }}{{ a.insert(1, s) }}{{ a.pop() }}{{ a.pop(0) }}{{ a.copy() }}{{ a.index(3) }}{{ a.count(3) }}{{ a.clear() }}{{ a }}{{ (1, 2).index(2) }}{{ (1, 2).count(1) }}",
	"{{ d.get('b') }}{{ d.get('q', s) }}{{ d.items() }}{{ d.keys() }}{{ d.values() }}{{ d.copy() }}{{ d.keys() | list }}{{ 1.0.is_integer() }}{{ f.is_integer() }}",
	"{{ s.index('q') }}", "{{ l.index(s) }}", "{{ e.pop() }}", "{{ d.get([]) }}", "{{ d.pop('b') }}", "{{ s.split('') }}", "{{ '{'.format() }}", "{{ '{q}'.format() }}",
	/* large strings, whose bytes lie outside the arena */
	"{% set b = s * 400 %}{{ (b ~ s) | length }}{{ (b | upper | replace('L', '.')) | length }}{{ [b, b] | join(s) | length }}{{ b | tojson | length }}{{ b.center(9000) | length }}{{ (b + b)[:9] }}",
};

static char *corpus;

/* Every row of a table must be used: before stands what precedes it in a template. */
static void covered(const struct jbuiltin *table, const char *kind, const char *before, const char *quoted)
{
	for (; table->name; table++) {
		char a[64], b[64];

		if (!strcmp(table->name, "%"))
			continue;
		snprintf(a, sizeof a, "%s%s", before, table->name);
		snprintf(b, sizeof b, "%s'%s'", quoted, table->name);
		if (!strstr(corpus, a) && !strstr(corpus, b))
			ok(false, "no snippet uses the %s %s", kind, table->name);
	}
}

static void everything_is_used(void)
{
	size_t n = 1;

	for (size_t i = 0; i < sizeof snippets / sizeof *snippets; i++)
		n += strlen(snippets[i]);
	corpus = calloc(1, n);
	for (size_t i = 0; corpus && i < sizeof snippets / sizeof *snippets; i++)
		strcat(corpus, snippets[i]);
	covered(jlib_string_filters, "filter", "| ", "map(");
	covered(jlib_seq_filters, "filter", "| ", "map(");
	covered(jlib_text_filters, "filter", "| ", "map(");
	covered(jlib_number_filters, "filter", "| ", "map(");
	covered(jlib_tests, "test", "is ", "select(");
	covered(jlib_string_methods, "method", ".", ".");
	covered(jlib_globals, "function", " ", " ");
	ok(corpus != NULL, "the snippets are a corpus");
	free(corpus);
}

/* Leaves room for just n bytes more. */
static void tighten(struct jheap *h, size_t n)
{
	if (!h->at)
		jheap_alloc(h, 1);
	h->cap = h->used;
	if ((size_t)(h->end - h->at) > n)
		h->end = h->at + n;
}

/* The heap's newest chunk may hold less than is needed: more of it, in the arena and in all. */
static void give(struct jheap *h, size_t n)
{
	if (n >= 8 << 10)
		h->cap = h->used + n;
	else
		tighten(h, n);
}

struct outcome { int rc; struct err e; struct jinja_out out; };

static void render(const struct jinja *t, const size_t *room, struct outcome *o)
{
	const struct tm now = { .tm_year = 125, .tm_mon = 6, .tm_mday = 4 };
	struct jinja_ctx *c = jinja_ctx_new();
	struct jv all;

	memset(&o->e, 0, sizeof o->e);
	jinja_out_init(&o->out);
	o->rc = jjson_read(&c->heap, variables, sizeof variables - 1, &all, &o->e);
	jinja_ctx_set_now(c, &now);
	if (!o->rc) {
		c->vars = all.u.dict;
		if (room)
			give(&c->heap, *room);
		o->rc = jinja_render(t, c, &o->out, NULL, &o->e);
	}
	jinja_ctx_free(c);
}

static bool same(const struct outcome *a, const struct outcome *b)
{
	return a->rc == b->rc && a->e.code == b->e.code && !strcmp(a->e.msg, b->e.msg) && a->out.text.len == b->out.text.len &&
	       (!a->out.text.len || !memcmp(a->out.text.p, b->out.text.p, a->out.text.len)) && a->out.n_spans == b->out.n_spans;
}

/* In the arena every allocation is a multiple of 16 bytes: no boundary is stepped over. */
static size_t wider(size_t room)
{
	return room < 8 << 10 ? room + 16 : room + room / 7;
}

static bool parses_in(const char *src, size_t room, int want, const char *msg, bool *fits)
{
	struct jinja t = { .names.n = 0 };
	struct jinja_where where;
	struct err e = { 0 };
	int rc;

	jheap_init(&t.heap, 12 << 20);
	jheap_alloc(&t.heap, 1);
	give(&t.heap, room);
	rc = jparse(&t, src, strlen(src), &where, &e);
	*fits = !t.heap.failed && rc == want && !strcmp(e.msg, msg);
	jheap_release(&t.heap);
	return *fits || (rc && e.msg[0]);
}

static void sweep_parse(const char *src, int want, const char *msg)
{
	bool good = true, fits = false;
	size_t room = 0;

	for (; good && !fits && room < 4 << 20; room = wider(room))
		good = parses_in(src, room, want, msg, &fits);
	ok(good && fits, "parsed in %zu bytes: %.60s", room, src);
}

static void sweep_render(const struct jinja *t, const char *src)
{
	struct outcome plenty, tight;
	bool good = true, fits = false;
	size_t room = 0;

	render(t, NULL, &plenty);
	for (; good && !fits && room < 4 << 20; room = wider(room)) {
		render(t, &room, &tight);
		fits = same(&plenty, &tight);
		good = fits || (tight.rc && tight.e.code == ERR_LIMIT && strstr(tight.e.msg, "too much memory") && !tight.out.text.len);
		if (!good)
			printf("# %zu bytes: %d \"%s\" \"%.*s\"\n", room, tight.rc, tight.e.msg, (int)tight.out.text.len,
			       tight.out.text.len ? tight.out.text.p : "");
		jinja_out_release(&tight.out);
	}
	ok(good && fits, "rendered in %zu bytes: %.60s", room, src);
	if (plenty.rc)
		printf("# %s\n", plenty.e.msg);
	jinja_out_release(&plenty.out);
}

int main(void)
{
	everything_is_used();
	for (size_t i = 0; i < sizeof snippets / sizeof *snippets; i++) {
		struct err e = { 0 };
		struct jinja *t;
		const int rc = jinja_compile(&t, snippets[i], strlen(snippets[i]), NULL, &e);

		sweep_parse(snippets[i], rc, e.msg);
		if (!rc)
			sweep_render(t, snippets[i]);
		jinja_free(t);
	}
	return tap_done();
}
