/* Every row of verbs, options, commands, settings and keys is found in help, man page and completions. */
#include "config.h"
#include "app/help.h"
#include "app/opt.h"
#include "app/slash.h"
#include "engine/base/xio.h"
#include "t/lib/tap.h"
#include "ui/binding.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct str man, bash, zsh, fish;

/* The build's, else the tarball's. */
static void doc(const char *name, struct str *out)
{
	static const char *const places[] = { "TEST_BUILD", "TEST_SRC" };
	char path[4096];
	struct err e;

	str_init(out, 0);
	for (int i = 0; i < 2; i++) {
		const char *top = getenv(places[i]);

		snprintf(path, sizeof path, "%s/ui/doc/%s", top ? top : ".", name);
		if (!xio_slurp(path, out, &e))
			return;
		str_clear(out);
	}
	printf("1..0 # SKIP no %s was made\n", name);
	exit(0);
}

/* What a reader sees of roff: one line, escapes undone. */
static void plain(struct str *s)
{
	static const struct { const char *from, *to; } escapes[] = {
		{ "\\fB", "" }, { "\\fR", "" }, { "\\fI", "" }, { "\\&", "" }, { "\\-", "-" }, { "\\e", "\\" }, { "\\(ti", "~" },
		{ "\\(ha", "^" }, { "\\(ga", "`" }, { "\\(aq", "'" }, { "\\(dq", "\"" }, { "\\(bu", "*" },
	};
	struct str out;

	str_init(&out, 0);
	for (const char *p = s->p; *p;) {
		size_t i = 0;

		while (i < sizeof escapes / sizeof *escapes && strncmp(p, escapes[i].from, strlen(escapes[i].from)))
			i++;
		if (i < sizeof escapes / sizeof *escapes) {
			str_adds(&out, escapes[i].to);
			p += strlen(escapes[i].from);
		} else {
			str_addc(&out, *p == '\n' ? ' ' : *p);
			p++;
		}
	}
	str_release(s);
	*s = out;
}

/* As a word: nothing that could be more of it stands beside it. */
static bool has(const struct str *in, const char *what)
{
	const size_t n = strlen(what);

	for (const char *p = in->p; (p = strstr(p, what)); p++) {
		const bool before = p == in->p || !(isalnum((unsigned char)p[-1]) || p[-1] == '-') || !isalnum((unsigned char)*what);

		if (before && !isalnum((unsigned char)p[n]) && p[n] != '-' && p[n] != '_')
			return true;
	}
	return false;
}

/* A sentence of help; its first letter may have become a capital. */
static bool tells(const struct str *in, const char *help)
{
	return strstr(in->p, help + 1) != NULL;
}

static void help_of(const struct cmd *v, struct str *out)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	str_init(out, 0);
	if (!f)
		exit(1);
	if (v)
		help_verb(v, f);
	else
		help_all(cmd_verbs, f);
	fclose(f);
	str_add(out, text, n);
	free(text);
}

static bool takes(const struct cmd *v, const struct opt *r)
{
	for (const char *const *k = v->opts; *k; k++)
		if (!strcmp(*k, r->key))
			return true;
	return false;
}

static void test_verbs(void)
{
	struct str help;

	help_of(NULL, &help);
	for (const struct cmd *const *v = cmd_verbs; *v; v++)
		ok(has(&help, (*v)->name) && has(&man, (*v)->name) && tells(&man, (*v)->help) && has(&bash, (*v)->name) &&
		   has(&zsh, (*v)->name) && has(&fish, (*v)->name), "%s", (*v)->name);
	str_release(&help);
}

static void test_option(const struct opt *r)
{
	char spelled[64], letter[8] = "", env[64], in_fish[64];
	bool helps = true;

	snprintf(spelled, sizeof spelled, "--%s", opt_name(r));
	snprintf(in_fish, sizeof in_fish, "-l %s", opt_name(r));
	if (r->letter)
		snprintf(letter, sizeof letter, "-%c", r->letter);
	for (const struct cmd *const *v = cmd_verbs; *v; v++) {
		struct str help;

		help_of(*v, &help);
		helps &= !takes(*v, r) || (has(&help, spelled) && (!r->letter || has(&help, letter)));
		str_release(&help);
	}
	ok(helps, "%s in the help of its verbs", spelled);
	ok(has(&man, spelled) && tells(&man, r->help) && (!strcmp(r->key, "help") || has(&man, opt_env(r, env, sizeof env))),
	   "%s in the man page", spelled);
	ok(has(&bash, spelled) && strstr(zsh.p, spelled) && has(&fish, in_fish) && (!r->letter || (has(&bash, letter) && strstr(zsh.p, letter))),
	   "%s in completions", spelled);
}

static void test_commands(void)
{
	struct setting s;

	for (const struct slash *c = slashes; c->name; c++) {
		char word[64];

		snprintf(word, sizeof word, "/%s%s%s", c->name, *c->args ? " " : "", c->args);
		ok(strstr(man.p, word) && tells(&man, c->help), "%s in the man page", word);
	}
	for (int i = 0; slash_setting(i, &s); i++)
		ok(has(&man, s.name) && tells(&man, s.help) && strstr(man.p, s.takes), "setting %s in the man page", s.name);
}

static void test_keys(void)
{
	const struct binding *b;
	int n;

	bindings_builtin();
	b = bindings(&n);
	ok(n > 30, "%d keys", n);
	for (int i = 0; i < n; i++) {
		struct str label;

		str_init(&label, 0);
		key_label(&b[i].key, true, &label);
		ok(strstr(man.p, label.p) && tells(&man, action_help(b[i].action)), "%s: %s", label.p, action_help(b[i].action));
		str_release(&label);
	}
}

int main(void)
{
	doc("tidbit.1", &man);
	doc("bash/tidbit", &bash);
	doc("zsh/_tidbit", &zsh);
	doc("fish/tidbit.fish", &fish);
	plain(&man);
	test_verbs();
	for (const struct opt *r = opt_table; r->key; r++)
		test_option(r);
	test_commands();
	test_keys();
	str_release(&man);
	str_release(&bash);
	str_release(&zsh);
	str_release(&fish);
	return tap_done();
}
