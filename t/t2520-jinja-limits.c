/* Templates that would take for ever, or all memory: each ends soon, in little room, with an error. */
#include "config.h"
#include "engine/base/os.h"
#include "engine/base/str.h"
#include "t/lib/jinja-cases.h"
#include "t/lib/tap.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_MS = 250, MAX_MB = 16 };

/* The sanitizers' own time and shadow memory are not the engine's. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLOW = 20, COUNT_MEMORY = 0 };
#else
enum { SLOW = 1, COUNT_MEMORY = 1 };
#endif

static const struct { const char *name, *src; } bombs[] = {
	{ "range", "{{ range(1000000000)|list|length }}" },
	{ "range at its limit, often", "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}" },
	{ "nested loops", "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}x{% endfor %}{% endfor %}{% endfor %}" },
	{ "lists of ranges", "{% set ns = namespace(l=[]) %}{% for i in range(1000) %}{% set ns.l = ns.l + [range(99999)|list] %}{% endfor %}" },
	{ "repeated string", "{{ 'x' * 1000000000 }}" },
	{ "repeated list", "{{ ([1] * 1000000000)|length }}" },
	{ "repeated, and again", "{{ ('x' * 100000) * 100000 }}" },
	{ "doubled string", "{% set ns = namespace(s='ab') %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s|length }}" },
	{ "doubled by ~", "{% set ns = namespace(s='ab') %}{% for i in range(64) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}" },
	{ "doubled list", "{% set ns = namespace(s=[1]) %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}" },
	{ "doubled by join", "{% set ns = namespace(s='ab') %}{% for i in range(64) %}{% set ns.s = [ns.s, ns.s]|join(ns.s) %}{% endfor %}" },
	{ "doubled by replace", "{% set ns = namespace(s='aa') %}{% for i in range(64) %}{% set ns.s = ns.s|replace('a', 'aaa') %}{% endfor %}" },
	{ "doubled by format", "{% set ns = namespace(s='ab') %}{% for i in range(64) %}{% set ns.s = '%s%s' % (ns.s, ns.s) %}{% endfor %}" },
	{ "a wide field", "{{ '%999999999d' % 1 }}" },
	{ "a wide field in braces", "{{ '{:999999999}'.format(1) }}" },
	{ "a long fraction", "{{ '%.999999999f' % 1 }}" },
	{ "a long fraction in braces", "{{ '{:.999999999e}'.format(1.5) }}" },
	{ "JSON indented far", "{{ [1]|tojson(indent=2000000000) }}" },
	{ "a time of many words", "{{ strftime_now('%c' * 500000) }}" },
	{ "a wide time", "{{ strftime_now('%999999999Y') }}" },
	{ "times again and again", "{% for i in range(100000) %}{{ strftime_now('%c' * 5000)|length }}{% endfor %}" },
	{ "a wide line", "{{ 'a'.center(999999999) }}" },
	{ "indented", "{{ ('\n' * 4000)|indent(100000, blank=true) }}" },
	{ "indented JSON", "{{ [[[[1]]]]|tojson(indent='x' * 3000000) }}" },
	{ "slices of one list", "{% for i in range(100000) %}{{ range(100000)|list|slice(99999)|list|length }}{% endfor %}" },
	{ "nested tuples", "{% set ns = namespace(t=(1,)) %}{% for i in range(99) %}{% set ns.t = (ns.t, ns.t) %}{% endfor %}{{ ns.t }}" },
	{ "nested tuples compared",
	  "{% set ns = namespace(t=(1,), u=(1,)) %}{% for i in range(99) %}{% set ns.t = (ns.t, ns.t) %}{% set ns.u = (ns.u, ns.u) %}{% endfor %}"
	  "{{ ns.t == ns.u }}" },
	{ "nested tuples ordered",
	  "{% set ns = namespace(t=(1,), u=(1,)) %}{% for i in range(99) %}{% set ns.t = (ns.t, ns.t) %}{% set ns.u = (ns.u, ns.u) %}{% endfor %}"
	  "{{ ns.t < ns.u }}" },
	{ "nested tuples as JSON", "{% set ns = namespace(t=(1,)) %}{% for i in range(99) %}{% set ns.t = (ns.t, ns.t) %}{% endfor %}{{ ns.t|tojson }}" },
	{ "a list in itself", "{% set l = [] %}{% set _ = l.append(l) %}{% for i in range(20) %}{% set _ = l.append(l) %}{% endfor %}{{ l|tojson }}" },
	{ "a list in itself, printed", "{% set l = [] %}{% for i in range(20) %}{% set _ = l.append(l) %}{% endfor %}{{ l }}" },
	{ "a list that grows as it is read", "{% set l = [1] %}{% for x in l %}{% set _ = l.append(x) %}{% endfor %}" },
	{ "a macro that calls itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}" },
	{ "a macro that calls itself twice", "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(100) }}" },
	{ "two macros", "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}" },
	{ "a caller", "{% macro m() %}{{ caller() }}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}{% call m() %}{% endcall %}" },
	{ "a recursive loop", "{% set l = [] %}{% set _ = l.append(l) %}{% for x in l recursive %}{{ loop(x) }}{% endfor %}" },
	{ "a long output", "{% for i in range(100000) %}{{ 'x' * 1000 }}{% endfor %}" },
	{ "a long output of text", "{% for i in range(100000) %}{% for j in range(9) %}a line that says nothing much at all, again{% endfor %}{% endfor %}" },
	{ "captured output", "{% set ns = namespace(s='x' * 1000) %}{% for i in range(100) %}{% set s %}{{ ns.s }}{{ ns.s }}{% endset %}{% set ns.s = s %}{% endfor %}" },
	{ "searching in vain", "{% set s = 'a' * 2000000 %}{% set t = 'a' * 1000000 ~ 'b' %}{% for i in range(100000) %}{% if t in s %}{% endif %}{% endfor %}" },
	{ "searching backwards", "{% set s = 'a' * 2000000 %}{% set t = 'b' ~ 'a' * 1000000 %}{% for i in range(100000) %}{{ s.rfind(t) }}{% endfor %}" },
	{ "searching backwards for what nearly fits", "{% set s = 'a' * 2000000 %}{% set t = 'a' * 1000000 ~ 'b' %}{% for i in range(100000) %}{{ s.rfind(t) }}{% endfor %}" },
	{ "splitting backwards", "{% set s = 'ab' * 1000000 %}{% for i in range(100000) %}{{ s.rsplit('b')|length }}{% endfor %}" },
	{ "equal strings", "{% set s = 'a' * 2000000 %}{% set t = ('a' * 1999999) ~ 'a' %}{% for i in range(100000) %}{{ s == t }}{% endfor %}" },
	{ "counting characters", "{% set s = '\xc3\xa9' * 1000000 %}{% for i in range(100000) %}{{ s|length }}{{ s[-1] }}{% endfor %}" },
	{ "counting words", "{% set s = 'a b ' * 500000 %}{% for i in range(100000) %}{{ s|wordcount }}{{ s.istitle() }}{% endfor %}" },
	{ "stripping", "{% set s = ' ' * 2000000 %}{% for i in range(100000) %}{{ s.strip() }}{{ s|trim }}{{ s.isspace() }}{% endfor %}" },
	{ "stripping a set", "{% set s = 'a' * 1000000 %}{% set t = 'b' * 1000000 ~ 'a' %}{{ s.strip(t) }}" },
	{ "prefixes", "{% set s = 'a' * 2000000 %}{% for i in range(100000) %}{{ s.startswith(s) }}{{ s.endswith(s) }}{% endfor %}" },
	{ "case", "{% set s = '\xc3\x9f' * 500000 %}{% for i in range(100000) %}{{ s|upper|length }}{% endfor %}" },
	{ "characters one by one", "{% set s = 'a' * 2000000 %}{% for i in range(100000) %}{{ s[::-1]|length }}{% endfor %}" },
	{ "far steps back", "{% set s = '\xc3\xa9' * 1000000 %}{% for i in range(100000) %}{{ s[::-400000] }}{% endfor %}" },
	{ "truncating", "{% set s = '\xc3\xa9' * 1000000 %}{% for i in range(100000) %}{{ s|truncate(999990)|length }}{% endfor %}" },
	{ "sorting", "{% set l = range(99999)|list %}{% for i in range(100000) %}{{ l|sort(reverse=true)|first }}{% endfor %}" },
	{ "popping the first", "{% set l = range(99999)|list %}{% for i in range(99999) %}{% set _ = l.pop(0) %}{% set _ = l.insert(0, 1) %}{% endfor %}" },
	{ "a power", "{{ 10 ** 1000000000 }}" },
	{ "power after power", "{% for i in range(100000) %}{{ 1 ** 9223372036854775807 }}{{ (-1) ** 9223372036854775807 }}{{ 2 ** 60 }}{{ [i] * 100 }}{% endfor %}" },
	{ "a large dict", "{% set d = dict(range(99999)|map('string')|map('list')|map('first')|list|batch(2)) %}{% for i in range(100000) %}{% set e = dict(d) %}{{ d == e }}{% endfor %}{{ 'x' * 99999999 }}" },
	{ "scopes kept", "{% set l = [] %}{% for i in range(100000) %}{% set a = i %}{% macro m() %}{{ a }}{% endmacro %}{% set _ = l.append(m) %}{% endfor %}" },
	{ "tags stripped", "{% set s = '<!-->' * 40000 %}{% for i in range(100000) %}{{ s|striptags|length }}{% endfor %}" },
	{ "attributes of XML", "{% set d = {'a' * 1000000: '<' * 1000000} %}{% for i in range(100000) %}{{ d|xmlattr|length }}{% endfor %}" },
	{ "many names", "{% for i in range(100000) %}{{ namespace(a=1,b=2,c=3,d=4,e=5,f=6,g=7,h=8,i=9,j=10) }}{% endfor %}" },
};

struct result { bool error; int64_t ms; size_t mb; char msg[sizeof ((struct err *)0)->msg]; };

/* In a process of its own, whose memory is its own. Time is the processor's: others use it too. */
static struct result render_alone(const char *src, size_t n)
{
	struct result r = { 0 };
	struct jinja_out out;
	struct err e = { 0 };
	json_t *ctx = json_object();
	const size_t before = os_rss();
	const clock_t start = clock();

	jinja_out_init(&out);
	r.error = render_json(src, n, ctx, &out, NULL, &e);
	r.ms = (int64_t)(clock() - start) * 1000 / CLOCKS_PER_SEC;
	r.mb = (os_rss_peak() - before) >> 20;
	snprintf(r.msg, sizeof r.msg, "%s", r.error ? e.msg : "rendered");
	jinja_out_release(&out);
	json_decref(ctx);
	return r;
}

static void bomb(const char *name, const char *src)
{
	const int64_t most_ms = (int64_t)MAX_MS * SLOW * tap_patience();
	const bool count_memory = COUNT_MEMORY && tap_patience() == 1;	/* an emulator's memory is its own */
	struct result r = { .msg = "died" };
	int fd[2], status = -1;
	pid_t pid;

	fflush(stdout);
	if (pipe(fd) || (pid = fork()) < 0)
		return;
	if (!pid) {
		r = render_alone(src, strlen(src));
		_exit(write(fd[1], &r, sizeof r) != sizeof r);
	}
	close(fd[1]);
	if (read(fd[0], &r, sizeof r) != sizeof r)
		r.error = false;
	close(fd[0]);
	waitpid(pid, &status, 0);
	ok(!status && r.error && r.msg[0] && r.ms <= most_ms && (!count_memory || r.mb <= MAX_MB), "%s: %s", name, r.msg);
	if (r.ms > most_ms / 4 || r.mb > MAX_MB)
		printf("# %lld ms, %zu MB\n", (long long)r.ms, r.mb);
}

/* head, n times `open`, middle, n times `close` */
static void nested(const char *name, const char *open, const char *middle, const char *close, int n)
{
	struct str s;

	str_init(&s, 8 << 20);
	for (int i = 0; i < n; i++)
		str_adds(&s, open);
	str_adds(&s, middle);
	for (int i = 0; i < n; i++)
		str_adds(&s, close);
	bomb(name, s.p);
	str_release(&s);
}

static void chained(const char *name, const char *head, const char *link, const char *tail, int n)
{
	struct str s;

	str_init(&s, 8 << 20);
	str_adds(&s, head);
	for (int i = 0; i < n; i++)
		str_adds(&s, link);
	str_adds(&s, tail);
	bomb(name, s.p);
	str_release(&s);
}

/* A scope of many variables, looked at often. */
static void many_names(void)
{
	struct str s;

	str_init(&s, 8 << 20);
	str_adds(&s, "{% set ");
	for (int i = 0; i < 20000; i++)
		str_addf(&s, "%sa%d", i ? "," : "", i);
	str_adds(&s, " = range(20000) %}{% for i in range(100000) %}{{ a19999 }}{{ a0 }}{% endfor %}");
	bomb("a scope of 20,000 names", s.p);
	str_clear(&s);
	str_adds(&s, "{% macro m(");
	for (int i = 0; i < 30000; i++)
		str_addf(&s, "%sa%d", i ? "," : "", i);
	str_adds(&s, ") %}{% endmacro %}{% for i in range(100000) %}{{ m() }}{% endfor %}");
	bomb("a macro of 30,000 parameters", s.p);
	str_release(&s);
}

/* What is large but honest must still work. */
static void honest(void)
{
	static const char src[] =
		"{% set ns = namespace(s='') %}{% for m in messages %}{% set ns.s = ns.s + m.role + ': ' + m.content + '\n' %}"
		"{% endfor %}{{ ns.s }}";
	json_t *ctx = json_object(), *list = json_array();
	struct jinja_out out;
	struct err e = { 0 };
	struct str text;

	str_init(&text, 1 << 20);
	while (text.len < 8000)
		str_adds(&text, "Some sentence of a conversation. ");
	for (int i = 0; i < 400; i++)
		json_array_append_new(list, json_pack("{s:s,s:s}", "role", i % 2 ? "assistant" : "user", "content", text.p));
	json_object_set_new(ctx, "messages", list);
	jinja_out_init(&out);
	ok(!render_json(src, strlen(src), ctx, &out, NULL, &e) && out.text.len > 400 * text.len, "3 MB of conversation, built up: %s", e.msg);
	jinja_out_release(&out);
	str_release(&text);
	json_decref(ctx);
}

/* Wide, and within the limits: nothing of it is left out. */
static void wide(void)
{
	static const struct { const char *src, *want; } cases[] = {
		{ "{{ ('%.2000f' % 1)|length }}{{ ('%.2000f' % 0.1)[1098:] == '0' * 904 }}", "2002True" },
		{ "{{ ('%.2000e' % 1.5)|length }}{{ ('%.2000e' % 1.5)[-5:] }}", "20060e+00" },
		{ "{{ ('%#.2000g' % 1)|length }} {{ '%.2000g' % 1 }} {{ '%.2000f' % ('inf'|float) }}", "2001 1 inf" },
		{ "{{ ('{:.1500%}'.format(0.1))|length }}{{ '{:,.1f}'.format(12345.678) }}", "150412,345.7" },
		{ "{{ ([1]|tojson(indent=2000))|length }}{{ ([1]|tojson(indent=0))|length }}", "20055" },
		{ "{{ strftime_now('%c' * 5000)|length }} {{ strftime_now('')|length }} {{ strftime_now('%Y.') }}", "120000 0 2025." },
		{ "{{ '%.999999999s' % 'x' }}", "x" },
	};
	json_t *ctx = json_object();
	struct jinja_out out;

	jinja_out_init(&out);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err e = { 0 };

		const int rc = render_json(cases[i].src, strlen(cases[i].src), ctx, &out, NULL, &e);

		ok(!rc && !strcmp(out.text.p, cases[i].want), "%s: %s%s", cases[i].src, out.text.len ? out.text.p : "", e.msg);
	}
	jinja_out_release(&out);
	json_decref(ctx);
}

int main(void)
{
	wide();
	for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++)
		bomb(bombs[i].name, bombs[i].src);
	for (int n = 150; n <= 100000; n *= 20) {
		struct str s;

		str_init(&s, 8 << 20);
		str_adds(&s, "{{ ");
		for (int i = 0; i < n; i++)
			str_adds(&s, "[");
		bomb("lists in lists", s.p);
		str_release(&s);
		nested("ifs in ifs", "{% if 1 %}", "", "{% endif %}", n);
		nested("loops in loops", "{% for i in range(9) %}", "x", "{% endfor %}", n);
		nested("macros in macros", "{% macro m() %}", "", "{% endmacro %}", n);
		chained("minus minus", "{{ ", "- ", "1 }}", n);
		chained("not not", "{{ ", "not ", "1 }}", n);
		chained("inline ifs", "{{ 1", " if 1 else 1", " }}", n);
	}
	chained("a long sum", "{{ 1", " + 1", " }}", 100000);
	chained("a long chain of attributes", "{{ x", ".x", " }}", 100000);
	chained("a long chain of filters", "{{ 'x'", "|upper", " }}", 100000);
	chained("a long chain of calls", "{{ x", "()", " }}", 100000);
	chained("a source without end", "", "x", "", 2 << 20);
	chained("code without end", "", "{{1}}", "", 200000);
	chained("names without end", "{{ '", "\\N{x}", "' }}", 10000);
	many_names();
	honest();
	return tap_done();
}
