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
	unit_cases();
	chat_cases();
	return tap_done();
}
