#include "config.h"
#include "app/help.h"
#include "app/opt.h"
#include "app/version.h"

#include <string.h>

enum { HELP_COLUMNS = 80, HELP_MAX_LEFT = 30 };

/* Text from column `indent` on, broken at blanks; the cursor stands at `at`. */
static void wrapped(FILE *f, const char *text, int indent, int at)
{
	while (*text) {
		const int n = (int)strcspn(text, " ");

		if (at > indent && at + 1 + n > HELP_COLUMNS) {
			fputc('\n', f);
			at = 0;
		}
		if (at > indent) {
			fputc(' ', f);
			at++;
		} else {
			fprintf(f, "%*s", indent - at, "");
			at = indent;
		}
		fprintf(f, "%.*s", n, text);
		at += n;
		text += n;
		text += *text == ' ';
	}
	fputc('\n', f);
}

/* "  LEFT    text": what is too wide for its column has a line of its own. */
static void row(FILE *f, const char *left, int width, const char *text)
{
	int at = fprintf(f, "  %s", left);

	if (at + 2 > width + 4) {
		fputc('\n', f);
		at = 0;
	}
	wrapped(f, text, width + 4, at);
}

static int widest(int width, const char *left)
{
	const int n = (int)strlen(left);

	return n > width && n <= HELP_MAX_LEFT ? n : width;
}

static void verb_left(const struct cmd *v, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s", v->name, v->args[0] ? " " : "", v->args);
}

void help_all(const struct cmd *const *verbs, FILE *f)
{
	char left[128];
	int width = 0;

	fputs("usage: tidbit [MODEL.gguf] [OPTION...]\n"
	      "       tidbit VERB [ARGUMENT...] [OPTION...]\n\n"
	      "Chat with small language models on this machine, and measure them.\n\n", f);
	for (const struct cmd *const *v = verbs; *v; v++) {
		verb_left(*v, left, sizeof left);
		width = widest(width, left);
	}
	for (const struct cmd *const *v = verbs; *v; v++) {
		verb_left(*v, left, sizeof left);
		row(f, left, width, (*v)->help);
	}
	fputs("\ntidbit VERB --help tells a verb's options. Each option has a default in the\n"
	      "environment: TIDBIT_THREADS=4 for --threads 4. Exit codes: 0 ok, 1 failure,\n"
	      "2 usage, 130 interrupted.\n", f);
}

static void option_left(const struct opt *r, char *buf, size_t size)
{
	char letter[8] = "    ";

	if (r->letter)
		snprintf(letter, sizeof letter, "-%c, ", r->letter);
	snprintf(buf, size, "%s--%s%s%s", letter, opt_name(r), r->arg ? " " : "", r->arg ? r->arg : "");
}

static void option(FILE *f, const struct opt *r, int width)
{
	const bool words = r->type == OPT_CHOICE || r->type == OPT_KV;
	char left[128], text[512], value[128], choices[128] = "";

	option_left(r, left, sizeof left);
	opt_default_text(r, value, sizeof value);
	if (words)
		opt_range(r, choices, sizeof choices);
	snprintf(text, sizeof text, "%s%s%s%s%s%s", r->help, words ? ": " : "", choices, value[0] ? " (default: " : "", value,
		 value[0] ? ")" : "");
	row(f, left, width, text);
}

void help_verb(const struct cmd *verb, FILE *f)
{
	char left[128];
	int width = 0;

	verb_left(verb, left, sizeof left);
	fprintf(f, "usage: tidbit %s [OPTION...]\n\n", left);
	wrapped(f, verb->help, 0, 0);
	fputc('\n', f);
	for (const char *const *k = verb->opts; *k; k++) {
		option_left(opt_by_key(*k), left, sizeof left);
		width = widest(width, left);
	}
	for (const char *const *k = verb->opts; *k; k++)
		option(f, opt_by_key(*k), width);
	if (verb->notes)
		fputc('\n', f);
	for (const char *const *n = verb->notes; n && *n; n++)
		wrapped(f, *n, 0, 0);
}

void help_version(FILE *f)
{
	struct str s;

	str_init(&s, 1 << 16);
	version_text(&s);
	fputs(s.p, f);
	str_release(&s);
}
