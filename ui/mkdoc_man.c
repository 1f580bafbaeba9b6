/* tidbit(1), in the man macros. */
#include "config.h"
#include "ui/mkdoc.h"

#include "app/slash.h"
#include "engine/base/xio.h"
#include "ui/binding.h"

#include <stdio.h>
#include <string.h>

static const char changed[] = "2026-11-21";	/* what is written here */

/* -- roff ------------------------------------------------------------------------------ */

/* Characters that roff would take for its own, or set as another than the keyboard's. */
static void add_text(struct str *out, const char *s)
{
	static const struct { char c; const char *as; } odd[] = {
		{ '\\', "\\e" }, { '-', "\\-" }, { '~', "\\(ti" }, { '^', "\\(ha" }, { '`', "\\(ga" }, { '\'', "\\(aq" },
		{ '"', "\\(dq" },
	};

	for (bool start = true; *s; s++) {
		size_t i = 0;

		while (i < sizeof(odd) / sizeof(odd[0]) && odd[i].c != *s)
			i++;
		if (start && *s == '.')
			str_adds(out, "\\&");
		if (i < sizeof(odd) / sizeof(odd[0]))
			str_adds(out, odd[i].as);
		else
			str_addc(out, *s);
		start = *s == '\n';
	}
}

/* A line of text. */
static void line(struct str *out, const char *s)
{
	add_text(out, s);
	str_addc(out, '\n');
}

static void section(struct str *out, const char *name)
{
	str_addf(out, ".SH %s\n", name);
}

/* The same with a capital at its beginning. */
static void add_sentence(struct str *out, const char *s)
{
	if (*s >= 'a' && *s <= 'z')
		str_addc(out, (char)(*s++ - 'a' + 'A'));
	add_text(out, s);
}

/* Its first word in bold, what follows as it is: CAPITALS are what stands for something. */
static void term(struct str *out, const char *s)
{
	const size_t n = strcspn(s, " ");
	char first[128];

	snprintf(first, sizeof(first), "%.*s", (int)n, s);
	str_adds(out, ".TP\n\\fB");
	add_text(out, first);
	str_adds(out, "\\fR");
	add_text(out, s + n);
	str_addc(out, '\n');
}

/* Lines of a help's notes: an empty one parts, "- " begins an item. */
static void notes(struct str *out, const char *const *lines)
{
	for (bool fresh = true; lines && *lines; lines++) {
		if (!**lines) {
			fresh = true;
			continue;
		}
		if (!strncmp(*lines, "- ", 2))
			str_adds(out, ".IP \\(bu 2\n");
		else if (fresh)
			str_adds(out, ".PP\n");
		line(out, *lines + (strncmp(*lines, "- ", 2) ? 0 : 2));
		fresh = !strncmp(*lines, "- ", 2);
	}
}

/* -- verbs and options --------------------------------------------------------------------- */

static void verb_options(struct str *out, const struct cmd *v)
{
	str_adds(out, ".PP\nOptions:");
	for (const char *const *k = v->opts; *k; k++) {
		const struct opt *r = opt_by_key(*k);

		str_adds(out, k == v->opts ? " " : ", ");
		str_adds(out, "\\fB");
		add_text(out, "--");
		add_text(out, opt_name(r));
		str_adds(out, "\\fR");
	}
	str_adds(out, ".\n");
}

static void verbs(struct str *out)
{
	section(out, "VERBS");
	line(out, "Without a verb it is chat.");
	for (const struct cmd *const *v = cmd_verbs; *v; v++) {
		char head[160];

		snprintf(head, sizeof(head), "%s%s%s", (*v)->name, (*v)->args[0] ? " " : "", (*v)->args);
		str_adds(out, ".SS ");
		add_text(out, head);
		str_addc(out, '\n');
		add_sentence(out, (*v)->help);
		str_adds(out, ".\n");
		verb_options(out, *v);
		notes(out, (*v)->notes);
	}
}

static void option_verbs(struct str *out, const struct opt *r)
{
	int n = 0;

	for (const struct cmd *const *v = cmd_verbs; *v; v++)
		n += mkdoc_takes(*v, r);
	if (cmd_verbs[n]) {
		n = 0;
		for (const struct cmd *const *v = cmd_verbs; *v; v++)
			if (mkdoc_takes(*v, r))
				str_addf(out, "%s%s", n++ ? ", " : "of ", (*v)->name);
	} else {
		str_adds(out, "of all verbs");
	}
}

static void option(struct str *out, const struct opt *r)
{
	char letter[8] = "", range[512], value[128], env[64];
	struct str left;

	str_init(&left, 0);
	if (r->letter)
		snprintf(letter, sizeof(letter), "-%c, ", r->letter);
	str_adds(out, ".TP\n\\fB");
	str_addf(&left, "%s--%s", letter, opt_name(r));
	add_text(out, left.p);
	str_adds(out, "\\fR");
	if (r->arg) {
		str_adds(out, " \\fI");
		add_text(out, r->arg);
		str_adds(out, "\\fR");
	}
	str_addc(out, '\n');
	add_sentence(out, r->help);
	str_clear(&left);
	opt_range(r, range, sizeof(range));
	opt_default_text(r, value, sizeof(value));
	if (r->type != OPT_FLAG && *range)
		str_addf(&left, "; %s", range);
	if (*value)
		str_addf(&left, "; default: %s", value);
	str_adds(&left, " (");
	option_verbs(&left, r);
	if (strcmp(r->key, "help"))
		str_addf(&left, "; %s", opt_env(r, env, sizeof(env)));
	str_adds(&left, ").");
	line(out, left.p);
	str_release(&left);
}

static void options(struct str *out)
{
	section(out, "OPTIONS");
	line(out, "Values stand apart, behind = or behind the letter; options and arguments in any order; -- ends the options; "
		  "the last one given wins. In parentheses: the verbs that take it, and the variable of the environment that gives "
		  "its default.");
	for (const struct opt *r = opt_table; r->key; r++)
		option(out, r);
}

/* -- the chat ----------------------------------------------------------------------------------- */

static void commands(struct str *out)
{
	struct str s;

	section(out, "COMMANDS OF THE CHAT");
	line(out, "A message that begins with / is a command. Tab completes commands and what follows them.");
	str_init(&s, 0);
	for (const struct slash *c = slashes; c->name; c++) {
		str_clear(&s);
		str_addf(&s, "/%s%s%s", c->name, *c->args ? " " : "", c->args);
		term(out, s.p);
		str_clear(&s);
		add_sentence(out, c->help);
		str_addf(&s, ".%s", c->when == SLASH_STOPS ? " Stops a running answer first." :
			 c->when == SLASH_ALONE ? " Not beside a running answer." : "");
		line(out, s.p);
	}
	term(out, SLASH_TEXT);
	str_clear(&s);
	add_sentence(&s, SLASH_TEXT_HELP);
	str_adds(&s, ".");
	line(out, s.p);
	str_release(&s);
}

static void settings(struct str *out)
{
	struct setting s;

	str_adds(out, ".SS Settings\n");
	line(out, "What /set changes; what nobody has set is as the model's profile has it.");
	for (int i = 0; slash_setting(i, &s); i++) {
		term(out, s.name);
		add_sentence(out, s.help);
		str_adds(out, *s.takes ? " (" : "");
		add_text(out, s.takes);
		str_adds(out, *s.takes ? ").\n" : ".\n");
	}
}

static void keys(struct str *out)
{
	static const struct { enum where where; const char *title; } places[] = {
		{ IN_INPUT, "While you write" }, { IN_CONVERSATION, "While you read" }, { IN_LIST, "In a list" },
		{ IN_HELP, "In the help; any other key closes it" },
		{ ALWAYS, "In all of them" },
	};
	struct str s;

	section(out, "KEYS");
	line(out, "What no row takes belongs to readline. A file keys.conf in the folder of the configuration changes them; "
		  "F1 lists what holds.");
	str_init(&s, 0);
	bindings_builtin();
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		str_addf(out, ".SS %s\n", places[i].title);
		for (enum action a = ACT_NONE + 1; a < ACT_N; a++) {
			str_clear(&s);
			binding_keys(a, places[i].where, true, &s);
			if (!s.len)
				continue;
			str_adds(out, ".TP\n\\fB");
			add_text(out, s.p);
			str_adds(out, "\\fR\n");
			add_sentence(out, action_help(a));
			str_adds(out, ".\n");
		}
	}
	str_release(&s);
}

/* -- the rest ------------------------------------------------------------------------------------ */

struct named { const char *name, *help; };

static void list(struct str *out, const struct named *n)
{
	for (; n->name; n++) {
		str_adds(out, ".TP\n\\fB");
		add_text(out, n->name);
		str_adds(out, "\\fR\n");
		line(out, n->help);
	}
}

static const struct named environment[] = {
	{ "TIDBIT_*", "Each option has a default in the environment: TIDBIT_ and its long name in capitals, as TIDBIT_TOP_K=20; 1 or 0 "
		      "for switches." },
	{ "TIDBIT_PROFILES", "The folder of profiles, where it is not the installed one." },
	{ "NO_COLOR", "No colours." },
	{ "VISUAL, EDITOR", "The editor for messages." },
	{ "XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_STATE_HOME, XDG_CACHE_HOME", "Where the folders below lie, in place of ~/.config, "
									    "~/.local/share, ~/.local/state, ~/.cache." },
	{ NULL, NULL },
};

static const struct named files[] = {
	{ "~/.config/tidbit/tidbit.conf", "Defaults of options, in [defaults] and in a section for each verb; folders of models in "
					  "[models]." },
	{ "~/.config/tidbit/keys.conf, themes.conf, families.conf", "Keys, themes and profiles of models that are read after those "
								    "that come along, in the same form." },
	{ "~/.local/share/tidbit/models", "Models." },
	{ "~/.local/state/tidbit/messages, chats", "Earlier messages, and conversations that /new kept; nothing with --private." },
	{ NULL, NULL },
};

static const struct named codes[] = {
	{ "0", "All is well." }, { "1", "A failure, told on standard error." }, { "2", "A wrong call." }, { "130", "Interrupted." },
	{ NULL, NULL },
};

static void examples(struct str *out)
{
	static const struct named rows[] = {
		{ "tidbit", "A chat with the model that is here." },
		{ "tidbit run smollm2-135m-instruct \"Why is the sky blue?\" | less", "An answer on standard output." },
		{ "tidbit bench -m model.gguf -q q8_0,q4_0 -o csv", "Two levels of a model side by side." },
		{ NULL, NULL },
	};

	section(out, "EXAMPLES");
	list(out, rows);
}

static void head(struct str *out)
{
	str_adds(out, ".\\\" Made by the build from the program's tables.\n");
	str_addf(out, ".TH TIDBIT 1 \"%s\" \"tidbit %s\" \"User Commands\"\n", changed, PACKAGE_VERSION);
	section(out, "NAME");
	str_adds(out, "tidbit \\- chat with small language models on this machine, and measure them\n");
	section(out, "SYNOPSIS");
	str_adds(out, ".B tidbit\n");
	line(out, "[MODEL] [OPTION...]");
	str_adds(out, ".br\n.B tidbit\n");
	line(out, "VERB [ARGUMENT...] [OPTION...]");
	section(out, "DESCRIPTION");
	line(out, "tidbit runs quantized language models (GGUF files) on the processor, with an engine of its own. Answers stream in; beside "
		  "them stand tokens per second, time to first token and memory. The level of quantization and the model itself are "
		  "switched in the middle of a conversation, and levels are put side by side: size, bits per weight, speed. Nothing "
		  "leaves the machine.");
	str_adds(out, ".PP\n");
	line(out, "A model is a file, or a name of tidbit list. On a terminal the chat has a screen; otherwise, and with --plain, it "
		  "reads and writes lines: answers on standard output, everything else on standard error.");
}

/* Lines of text end at a sentence's end, and at a blank before they are too long; none begins as a request. */
static void fold(struct str *out, const char *s)
{
	enum { COLUMNS = 78 };
	size_t at = 0;

	while (*s) {
		const size_t n = strcspn(s, " \n");
		const bool sentence = at > 1 && out->p[out->len - 1] == '.' && *s >= 'A' && *s <= 'Z';

		if (at && (at + 1 + n > COLUMNS || sentence)) {
			str_addc(out, '\n');
			at = 0;
		} else if (at) {
			str_addc(out, ' ');
			at++;
		}
		if (!at && n && (*s == '.' || *s == '\''))
			str_adds(out, "\\&");
		str_add(out, s, n);
		at += n;
		s += n;
		if (*s == '\n') {
			str_addc(out, '\n');
			at = 0;
			s++;
		}
		s += strspn(s, " ");
	}
}

static void wrap(struct str *out, const char *s)
{
	while (*s) {
		const size_t n = strcspn(s, "\n") + 1;
		char *text;

		if (*s == '.') {
			str_add(out, s, n);
		} else {
			text = mem_strndup(s, n);
			fold(out, text ? text : "");
			mem_free(text);
		}
		s += n;
	}
}

void mkdoc_man(struct str *out)
{
	struct str s;

	str_init(&s, 0);
	head(&s);
	verbs(&s);
	options(&s);
	commands(&s);
	settings(&s);
	keys(&s);
	section(&s, "ENVIRONMENT");
	list(&s, environment);
	section(&s, "FILES");
	list(&s, files);
	section(&s, "EXIT STATUS");
	list(&s, codes);
	examples(&s);
	wrap(out, s.p);
	str_release(&s);
}
