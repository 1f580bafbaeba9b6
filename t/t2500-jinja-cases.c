/* Templates and what they must render to: small ones held here, and the sets of unit cases. */
#include "config.h"
#include "t/lib/jinja-cases.h"
#include "t/lib/tap.h"

#include <stdio.h>
#include <string.h>

/* template, context, text; NULL: an error, whose message holds `error` */
static const struct { const char *src, *ctx, *want, *error; } cases[] = {
	{ "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
	  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
	  "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}], \"add_generation_prompt\": true}",
	  "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", NULL },
	{ "  {%- if true %}\n  a\n{%- endif %}\n", "{}", "  a", NULL },
	{ "{% for x in xs if x > 1 %}{{ loop.index }}/{{ loop.length }} {% else %}none{% endfor %}", "{\"xs\": [1, 2, 3]}",
	  "1/2 2/2 ", NULL },
	{ "{% macro m(a, b=2) %}{{ a }}{{ b }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 3, 4, c=5) }}", "{}",
	  "13(4,){'c': 5}", NULL },
	{ "{% set ns = namespace(n=0) %}{% for x in 'abc' %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}", "{}", "3", NULL },
	{ "{% for x in xs %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 4 %}{% break %}{% endif %}{{ x }}{% endfor %}",
	  "{\"xs\": [1, 2, 3, 4, 5]}", "13", NULL },
	{ "{% generation %}a{% set x = 1 %}{% endgeneration %}{{ x is defined }}", "{}", "aFalse", NULL },
	{ "{{ {'b': [1, 2.0, none], 'a': '\xc3\xa9<'}|tojson }}", "{}", "{\"b\": [1, 2.0, null], \"a\": \"\xc3\xa9<\"}", NULL },
	{ "{{ strftime_now('%d %b %Y %H:%M') }}", "{}", "04 Jul 2025 12:34", NULL },
	{ "{{ x }}{{ x.y }}", "{}", NULL, "'x' is undefined" },
	{ "{{ m.y.z }}", "{\"m\": {}}", NULL, "'dict object' has no attribute 'y'" },
	{ "{{ m[0].z }}", "{\"m\": []}", NULL, "list object has no element 0" },
	{ "{{ 'a' + 1 }}", "{}", NULL, "can only concatenate str (not \"int\") to str" },
	{ "\n{{ raise_exception('no ' ~ who) }}", "{\"who\": \"one\"}", NULL, "no one" },
	{ "{% if x %}", "{}", NULL, "Unexpected end of template. Jinja was looking for the following tags: 'elif' or 'else' or 'endif'. The innermost block that needs to be closed is 'if'." },
	{ "{% foo %}", "{}", NULL, "Encountered unknown tag 'foo'." },
	{ "{{ 'x' }", "{}", NULL, "unexpected '}'" },
	{ "{% set _ = xs.append(3) %}{{ xs }}", "{\"xs\": [1]}", "[1, 3]", NULL },
	{ "{{ xs.sort() }}", "{\"xs\": [1]}", NULL, "access to attribute 'sort' of 'list' object is unsafe." },
	{ "{% include 'x' %}", "{}", NULL, "'include' is not allowed" },
	{ "{{ '%-5s|%05.1f|%x' % ('ab', 3.14159, 255) }}", "{}", "ab   |003.1|ff", NULL },
	{ "{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }}", "{}", "3 -4 2 3.5 1024", NULL },
	{ "{{ 1e16 }} {{ 0.1 }} {{ 1e-5 }} {{ 100.0 }} {{ 123456789.25 }}", "{}", "1e+16 0.1 1e-05 100.0 123456789.25", NULL },
	{ "{{ 'a\\x41\\u00e9\\n\\q'|tojson }}", "{}", "\"aA\xc3\xa9\\n\\\\q\"", NULL },
	{ "{%- for k, g in xs|groupby('k') %}{{ k }}:{{ g|map(attribute='v')|join(',') }};{% endfor %}",
	  "{\"xs\": [{\"k\": 2, \"v\": \"a\"}, {\"k\": 1, \"v\": \"b\"}, {\"k\": 2, \"v\": \"c\"}]}", "1:b;2:a,c;", NULL },
	{ "{% for x in t recursive %}{{ x.n }}{% if x.c %}({{ loop(x.c) }}){% endif %}{% endfor %}",
	  "{\"t\": [{\"n\": 1, \"c\": [{\"n\": 2}, {\"n\": 3}]}]}", "1(23)", NULL },
	{ "{% raw %}{{ x }}{% endraw %}{# no #}{{ '}}' }}", "{}", "{{ x }}}}", NULL },
	{ "a\r\nb\r\n", "{}", "a\nb", NULL },
	/* found by comparing with Jinja2 on templates made by chance */
	{ "{{ [1, 2]|slice(2, 0)|list }}", "{}", "[[1, 0], [2, 0]]", NULL },
	{ "{{ '{:+} {:_} {:n}'.format(2.5, 1234567, 3) }}", "{}", "+2.5 1_234_567 3", NULL },
	{ "{{ '{:b}'.format(2.5) }}", "{}", NULL, "Unknown format code 'b' for object of type 'float'" },
	{ "{{ '%x' % 2.5 }}", "{}", NULL, "%x format: an integer is required, not float" },
	{ "{{ 1e22|int }}", "{}", NULL, "integer does not fit in 64 bits" },
	{ "{{ (-8) ** 0.5 }}", "{}", NULL, "complex numbers are not supported" },
	{ "{{ -1.0 % 0.5 }} {{ 1.0 % -0.5 }}", "{}", "0.0 -0.0", NULL },
	{ "{{ 'a\\r\\nb\\n\\nc\\r'|indent(1) }}|{{ 'a\\n'|indent(1, true, true) }}|", "{}", "a\n b\n\n c| a\n |", NULL },
	{ "{{ 'ab'.rfind('', 3) }}{{ 'ab'.find('', 2) }}{{ ('<'|e)|list }}", "{}", "-12['&', 'l', 't', ';']", NULL },
	{ "{{ ['<'|e] }}", "{}", "[Markup('&lt;')]", NULL },
	{ "{% macro m() %}{{ kwargs }}{% endmacro %}{% call m() %}{% endcall %}", "{}", "{'caller': <Macro anonymous>}", NULL },
	{ "{{ [{'a': 1}, {}]|groupby('a', default=0)|map(attribute='grouper')|list }}", "{}", "[0, 1]", NULL },
	{ "\n{{ (1 if false).x }}", "{}", NULL,
	  "the inline if-expression on line 2 evaluated to false and no else section was defined." },
	{ "{% for x in [1] %}{{ loop.none.x }}{% endfor %}", "{}", NULL, "'jinja2.runtime.LoopContext object' has no attribute 'none'" },
	{ "{% set ns.x = y.z %}", "{}", NULL, "cannot assign attribute on non-namespace object" },
	{ "{{ 5|filesizeformat }} {{ 1|filesizeformat }} {{ 1536|filesizeformat(true) }} {{ 12345678|filesizeformat }}", "{}",
	  "5 Bytes 1 Byte 1.5 KiB 12.3 MB", NULL },
	{ "{{ '<p>a <!-- > <b> -->&amp;\n <i>b</i></p> c < d'|striptags }}", "{}", "a & b c < d", NULL },
	{ "<x{{ {'a': 1, 'b': none, 'c': '\"'}|xmlattr }}>", "{}", "<x a=\"1\" c=\"&#34;\">", NULL },
	{ "{{ [7, 7]|random }}{{ []|random is defined }}", "{}", "7False", NULL },
	{ "{% if x %}{% else %}{% for a in [1, [2]] recursive %}{{ a if a is number else loop(a) }}{% endfor %}{% endif %}", "{}", "12", NULL },
	{ "{% if x %}{% else %}{{ 1 is not odd }}{% endif %}", "{}", "False", NULL },
	{ "{{ none|map('upper')|list }}{{ nil|selectattr('x')|list }}{{ 0|select|list }}", "{}", "[][][]", NULL },
	{ "{{ xs|sort(attribute='v')|map(attribute='k')|join }}", "{\"xs\": [{\"k\": 2}, {\"k\": 1}]}", "21", NULL },
	{ "{{ xs|sort(attribute='v,k')|map(attribute='k')|join }}", "{\"xs\": [{\"k\": 2}, {\"k\": 1}]}", "12", NULL },
	{ "{{ xs|sort(attribute='v') }}", "{\"xs\": [{\"v\": 2}, {\"k\": 1}]}", NULL, "'dict object' has no attribute 'v'" },
	{ "{{ none[1:] }}{{ 7[:2] }}{{ {'a': 1}[::2]|default('d') }}", "{}", "d", NULL },
	{ "{{ none[1:].x }}", "{}", NULL, "have slices" },
	{ "{{ '\xce\x9f\xce\x94\xce\xa5\xce\xa3\xce\xa3\xce\x95\xce\xa5\xce\xa3'.lower() }}", "{}",
	  "\xce\xbf\xce\xb4\xcf\x85\xcf\x83\xcf\x83\xce\xb5\xcf\x85\xcf\x82", NULL },
	{ "{{ '\xce\x91\xce\xa3\xcc\x81. \xce\xa3 a\xce\xa3-\xce\xa3'.lower() }}", "{}",
	  "\xce\xb1\xcf\x82\xcc\x81. \xcf\x83 a\xcf\x82-\xcf\x83", NULL },
	{ "{{ '\xce\x91\xce\xa3'|title }}{{ '\xce\x91\xce\xa3'.title() }}{{ '\xce\x91\xce\xa3'|capitalize }}", "{}",
	  "\xce\x91\xcf\x83\xce\x91\xcf\x82\xce\x91\xcf\x82", NULL },
	{ "{{ 'abc'|filesizeformat }}", "{}", NULL, "could not convert string to float: 'abc'" },
	{ "{% macro m(a, b=1) %}{{ m.name }}{{ m.arguments }}{{ m.catch_varargs }}{{ varargs }}{% endmacro %}{{ m() }}", "{}",
	  "m('a', 'b')True()", NULL },
	{ "{{ 1e3 // 0.1 }} {{ -1e3 // 0.3 }} {{ 0.0 // -1 }} {{ 7.5 // 2 }}", "{}", "9999.0 -3334.0 -0.0 3.0", NULL },
	{ "{{ 9007199254740993|round(-1) }} {{ 25|round(-1) }} {{ 35|round(-1) }} {{ -25|round(-1) }} {{ -26|round(-1) }} {{ 7|round(-2) }}",
	  "{}", "9007199254740990 20 40 -20 -30 0", NULL },
	{ "{{ 9007199254740993|round }} {{ 5|round(-1) }} {{ 9223372036854775807|round(-20) }} {{ 1234|round(-3) }}", "{}",
	  "9007199254740993 0 0 1000", NULL },
	{ "{{ 9223372036854775807|round(-1) }}", "{}", NULL, "integer does not fit in 64 bits" },
	{ "{{ 'a' % [1] }}{{ -0.5|filesizeformat }}", "{}", "a0 Bytes", NULL },
	{ "{{ [1, {'a': ('b',)}]|pprint }}", "{}", "[1, {'a': ('b',)}]", NULL },
	{ "{{ {'b': 1, 'a': 2}|pprint }}", "{}", NULL, "pprint is supported for" },
	{ "{{ ('a' * 79)|pprint }}", "{}", NULL, "pprint is supported for" },
	{ "{{ range(5)[-100:0:-1] }}{{ range(2, 20, 3)[1:4]|list }}{{ range(5)[::-2]|list }}", "{}", "range(-1, 0, -1)[5, 8, 11][4, 2, 0]", NULL },
	{ "{{ '%c' % 'ab' }}", "{}", NULL, "%c requires int or char" },
	{ "{{ 1000 / 9007199254740993 }}", "{}", "1.1102230246251564e-13", NULL },
	{ "{% for x in [1, 2] %}{% break %}{% else %}E{% endfor %}{% for x in [1, 2] %}{% continue %}{% else %}F{% endfor %}"
	  "{% for x in [1, 2] %}{% if x == 2 %}{% break %}{% endif %}{% else %}G{% endfor %}{% for x in [] %}{% else %}H{% endfor %}",
	  "{}", "EFH", NULL },
	{ "{{ '%d' % 1e20 }}", "{}", NULL, "integer does not fit in 64 bits" },
	{ "{{ 'ffffffffffffffffff'|int(base=16) }}", "{}", NULL, "integer does not fit in 64 bits" },
	{ "{{ '0x1f'|int(base=0) }} {{ '-0b11'|int(7, 0) }} {{ '012'|int(7, 0) }} {{ '00'|int(7, 0) }} {{ '0x0x1'|int(7, 16) }} {{ '%d' % -2.7 }}",
	  "{}", "31 -3 12 0 7 -2", NULL },
	{ "{{ (-9223372036854775807 - 1) % -1 }} {{ 9223372036854775807 % -270601 }} {{ -9223372036854775807 % 9223372036854775807 }} {{ -7 % 3 }} {{ 7 % -3 }}",
	  "{}", "0 -207370 0 2 -2", NULL },
	/* what does not exist is an error before anything is rendered, but for what stands right inside an if */
	{ "{% macro m() %}{{ 'a'|trim.x }}{% endmacro %}", "{}", NULL, "No filter named 'trim.x'." },
	{ "{{ 'a'|nix|nox }}", "{}", NULL, "No filter named 'nox'." },
	{ "{% if false %}{{ 'a'|nix }}{% endif %}{{ 1 if true else 1|nix }}b", "{}", "1b", NULL },
	{ "{% if true %}{{ 'a'|nix }}{% endif %}", "{}", NULL, "No filter named 'nix' found." },
	{ "{% if false %}{% for x in [] %}{{ x is nix }}{% endfor %}{% endif %}", "{}", NULL, "No test named 'nix'." },
	/* the first mistake is the one that is told */
	{ "{{ f(% }", "{}", NULL, "unexpected '%'" },
	{ "{% genera!tion %}", "{}", NULL, "Encountered unknown tag 'genera'." },
};

static void one(const char *src, const json_t *ctx, const char *want, const char *error, const char *name)
{
	struct jinja_where where = { 0, 0 };
	struct jinja_out out;
	struct err e = { 0 };
	int rc;

	jinja_out_init(&out);
	rc = render_json(src, strlen(src), ctx, &out, &where, &e);
	if (want)
		ok(!rc && !strcmp(out.text.p, want), "%s", name);
	else
		ok(rc && strstr(e.msg, error ? error : "") && where.line > 0 && where.column > 0, "%s", name);
	if (rc && want)
		printf("# %d:%d: %s\n", where.line, where.column, e.msg);
	else if (want && strcmp(out.text.p, want))
		printf("# got [%s]\n", out.text.p);
	else if (!want && (!rc || !strstr(e.msg, error ? error : "")))
		printf("# got %s\n", rc ? e.msg : out.text.p);
	jinja_out_release(&out);
}

/* Where mistakes stand, and messages that an error's one line would cut or clean. */
static void places(void)
{
	static const struct { const char *src; int line; const char *said; } at[] = {
		{ "a\n{{ x\n\n", 2, "unexpected end of template, expected 'end of print statement'." },
		{ "{% if 1 %}a\n\nb\n", 1, NULL },
		{ "a\n{{ 1 +\n 2|nix }}", 3, "No filter named 'nix'." },
		{ "a\n{{ raise_exception('one\ntwo\t\xc3\xa9') }}", 2, "one\ntwo\t\xc3\xa9" },
	};

	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		struct jinja_where where = { 0, 0 };
		struct jinja_out out;
		struct err e = { 0 };
		json_t *ctx = json_object();

		jinja_out_init(&out);
		ok(render_json(at[i].src, strlen(at[i].src), ctx, &out, &where, &e) && where.line == at[i].line,
		   "line %d: %s", at[i].line, e.msg);
		if (at[i].said && strchr(at[i].said, '\n'))
			ok(!strcmp(out.text.p, at[i].said) && !strchr(e.msg, '\n'), "its message in full");
		jinja_out_release(&out);
		json_decref(ctx);
	}
}

static void held(void)
{
	char name[64];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		json_t *ctx = json_loads(cases[i].ctx, 0, NULL);

		snprintf(name, sizeof name, "case %zu", i + 1);
		one(cases[i].src, ctx, cases[i].want, cases[i].error, name);
		json_decref(ctx);
	}
}

static const char *text(const json_t *c, const char *key)
{
	return json_string_value(json_object_get(c, key));
}

/* The set holds the lists of these two as pop() left them: what was popped is put back. */
static void undo_pop(json_t *c)
{
	json_t *list = json_object_get(json_object_get(c, "vars"), "arr");

	if (!strcmp(text(c, "name"), "array.pop() last"))
		json_array_append_new(list, json_string("c"));
	else if (!strcmp(text(c, "name"), "array.pop() with index"))
		json_array_insert_new(list, 0, json_string("a"));
}

static void unit_cases(void)
{
	json_t *j = load_data("templates/jinja_cases.json"), *c;
	size_t i;

	if (!j)
		return;
	json_array_foreach(json_object_get(j, "cases"), i, c) {
		undo_pop(c);
		one(text(c, "template"), json_object_get(c, "vars"), text(c, "expected"), NULL, text(c, "name"));
	}
	json_decref(j);
}

static void chat_cases(void)
{
	static const char *const vars[] = { "messages", "bos_token", "eos_token", "add_generation_prompt" };
	json_t *j = load_data("templates/llama_cpp_chat_cases.json"), *c, *ctx;
	size_t i;

	if (!j)
		return;
	json_array_foreach(json_object_get(j, "cases"), i, c) {
		if (!json_is_true(json_object_get(c, "jinja2_agrees")))
			continue;
		ctx = json_object();
		for (size_t k = 0; k < 4; k++)
			json_object_set(ctx, vars[k], json_object_get(c, vars[k]));
		one(text(c, "template"), ctx, text(c, "expected_jinja"), NULL, text(c, "name"));
		json_decref(ctx);
	}
	json_decref(j);
}

int main(void)
{
	held();
	places();
	unit_cases();
	chat_cases();
	return tap_done();
}
