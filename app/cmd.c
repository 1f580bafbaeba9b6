#include "config.h"
#include "app/chat.h"
#include "app/cmd.h"
#include "app/conf.h"
#include "app/help.h"
#include "app/opt.h"
#include "app/paths.h"
#include "app/store.h"
#include "app/termtext.h"
#include "engine/base/str.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

const struct cmd *const cmd_verbs[] = {
	&cmd_chat,
	&cmd_run,
	&cmd_bench,
	&cmd_logits,
	&cmd_show,
	&cmd_list,
	&cmd_tokenize,
	&cmd_template,
	&cmd_quantize,
	&cmd_help,
	&cmd_version,
	NULL
};

static cmd_chat_fn *screen;

/* The screen takes a terminal at both ends, and one that can move its cursor. */
int cmd_open_chat(struct opts *o)
{
	const char *term = getenv("TERM");
	const bool able = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb");

	return able && !o->plain ? screen(o) : chat_plain(o);
}

/* -- messages ------------------------------------------------------------------------ */

static void say(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

static void say(const char *fmt, va_list ap)
{
	struct str raw, line;

	str_init(&raw, 1 << 16);
	str_init(&line, 1 << 18);
	str_vaddf(&raw, fmt, ap);
	str_adds(&line, "tidbit: ");
	termtext_whole(raw.p, raw.len, 0, &line);
	str_addc(&line, '\n');
	fflush(stdout);
	fputs(line.p, stderr);
	str_release(&raw);
	str_release(&line);
}

void cmd_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void cmd_notes(const struct str *lines)
{
	for (size_t at = 0, n; at < lines->len; at += n + 1) {
		n = strcspn(lines->p + at, "\n");
		cmd_note("%.*s", (int)n, lines->p + at);
	}
}

void cmd_note_split(const struct eng_model *m)
{
	struct str doubts;

	str_init(&doubts, 0);
	profile_doubt_split(eng_model_info(m), &doubts);
	cmd_notes(&doubts);
	str_release(&doubts);
}

int cmd_fail(const struct err *e)
{
	if (e->code != ERR_PIPE)
		cmd_note("%s", e->msg);
	return EXIT_FAIL;
}

bool cmd_reader_gone(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&p, 1, 0) > 0 && p.revents & (POLLERR | POLLHUP);
}

static int usage_end(const struct cmd *verb)
{
	fprintf(stderr, "tidbit: see tidbit %s%s--help\n", verb ? verb->name : "", verb ? " " : "");
	return EXIT_USAGE;
}

int cmd_usage(const struct cmd *verb, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	return usage_end(verb);
}

/* -- nearest name --------------------------------------------------------------------- */

enum { NEAR_MAX = 31 };		/* longer words have no nearest */

static int min3(int a, int b, int c)
{
	const int m = a < b ? a : b;

	return m < c ? m : c;
}

/* Edits between a and b, two neighbours in the wrong order counting as one (optimal string alignment). */
static int distance(const char *a, size_t n, const char *b, size_t m)
{
	int d[NEAR_MAX + 1][NEAR_MAX + 1];

	for (size_t i = 0; i <= n; i++)
		d[i][0] = (int)i;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = (int)j;
	for (size_t i = 1; i <= n; i++) {
		for (size_t j = 1; j <= m; j++) {
			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[n][m];
}

const char *cmd_nearest(const char *word, const char *const *names)
{
	const size_t n = strlen(word);
	const char *best = NULL;
	int best_d = 0;

	if (!n || n > NEAR_MAX)
		return NULL;
	for (; *names; names++) {
		const size_t m = strlen(*names);
		/* a beginning is a better guess than a misspelling */
		const bool begins = n >= 2 && !strncmp(word, *names, n);
		const int d = begins ? 0 : m <= NEAR_MAX ? distance(word, n, *names, m) : NEAR_MAX;

		if (d <= (int)(n < m ? m : n) / 3 && (!best || d < best_d)) {
			best = *names;
			best_d = d;
		}
	}
	return best;
}

/* -- finding the verb ------------------------------------------------------------------ */

static const struct cmd *verb_by_name(const char *name)
{
	for (const struct cmd *const *v = cmd_verbs; *v; v++)
		if (!strcmp((*v)->name, name))
			return *v;
	return NULL;
}

static const char *verb_nearest(const char *word)
{
	const char *names[sizeof cmd_verbs / sizeof *cmd_verbs];
	int n = 0;

	for (const struct cmd *const *v = cmd_verbs; *v; v++)
		names[n++] = (*v)->name;
	names[n] = NULL;
	return cmd_nearest(word, names);
}

static bool looks_like_model(const char *word, const char *const *folders)
{
	const size_t n = strlen(word);
	struct stat st;
	struct str path;
	struct err e;
	bool known;

	if (strchr(word, '/') || (n > 5 && !strcasecmp(word + n - 5, ".gguf")) || !stat(word, &st))
		return true;
	str_init(&path, 0);
	known = !store_resolve(word, folders, &path, &e) || e.code == ERR_ARG;
	str_release(&path);
	return known;
}

static int unknown_verb(const char *word)
{
	const char *near = verb_nearest(word);
	char q[64];

	err_quote(q, sizeof q, word, strlen(word));
	if (near)
		return cmd_usage(NULL, "unknown verb '%s'; did you mean %s?", q, near);
	return cmd_usage(NULL, "unknown verb '%s', and no model by that name", q);
}

/* The first word may be one of these; behind a verb, --help is the verb's. */
static const struct { const char *word; const struct cmd *verb; } globals[] = {
	{ "--help", &cmd_help }, { "-h", &cmd_help }, { "--version", &cmd_version }, { "-V", &cmd_version },
};

/*
 * The verb is the first word that is no option and no option's value; where that looks like a
 * model, or there is none, it is chat. *at is where the verb stands, 0 for nowhere. NULL: unknown.
 */
static const struct cmd *find_verb(int argc, char **argv, const char *const *folders, int *at)
{
	*at = 1;
	for (size_t i = 0; argc > 1 && i < sizeof globals / sizeof *globals; i++)
		if (!strcmp(argv[1], globals[i].word))
			return globals[i].verb;
	*at = 0;
	for (int i = 1; i < argc; i++) {
		const struct cmd *verb;

		switch (opt_word(argv[i])) {
		case OPT_WORD_UNKNOWN:
		case OPT_WORD_END:
			return &cmd_chat;
		case OPT_WORD_TAKES_NEXT:
			i++;
			break;
		case OPT_WORD_ALONE:
			break;
		case OPT_WORD_PLAIN:
			verb = verb_by_name(argv[i]);
			*at = verb || !looks_like_model(argv[i], folders) ? i : 0;
			return verb || *at ? verb : &cmd_chat;
		}
	}
	return &cmd_chat;
}

/* -- help and version as verbs ----------------------------------------------------------- */

static int take_word(struct opts *o, int i, const char *arg)
{
	if (i > 0)
		return -1;
	o->prompt = arg;
	return 0;
}

static int run_help(struct opts *o)
{
	const struct cmd *verb = o->prompt ? verb_by_name(o->prompt) : NULL;

	if (o->prompt && !verb)
		return unknown_verb(o->prompt);
	if (verb)
		help_verb(verb, stdout);
	else
		help_all(cmd_verbs, stdout);
	return EXIT_OK;
}

static int run_version(struct opts *o)
{
	(void)o;
	help_version(stdout);
	return EXIT_OK;
}

static const char *const only_help[] = { "help", NULL };

const struct cmd cmd_help = {
	.name = "help", .args = "[VERB]", .help = "this help, or that of a verb",
	.opts = only_help, .positional = take_word, .run = run_help,
};

const struct cmd cmd_version = {
	.name = "version", .args = "", .help = "version, build, instruction sets and libraries",
	.opts = only_help, .run = run_version,
};

/* -- main --------------------------------------------------------------------------------- */

/* Where options hold a model: a name of the list becomes a path. One struct str for each. */
static const size_t model_fields[] = { offsetof(struct opts, model), offsetof(struct opts, file) };

enum { N_MODEL_FIELDS = sizeof model_fields / sizeof *model_fields };

static int name_models(struct opts *o, struct str *paths, struct err *e)
{
	for (int i = 0; i < N_MODEL_FIELDS; i++) {
		const char **at = (const char **)((char *)o + model_fields[i]);

		if (!*at)
			continue;
		if (!**at)
			return err_set(e, ERR_ARG, "the name of the model is empty");
		if (store_resolve(*at, o->folders, &paths[i], e) < 0)
			return -1;
		if (paths[i].len)
			*at = paths[i].p;
	}
	return 0;
}

/* The options before the verb count as well: its word is taken out. */
static int parse(const struct cmd *verb, int at, const struct opts *base, int argc, char **argv, struct opts *o)
{
	struct err e;

	for (int i = at; at && i > 1; i--)
		argv[i] = argv[i - 1];
	if (opt_parse(verb, cmd_verbs, base, argc - 1 - (at > 0), argv + 1 + (at > 0), o, &e) < 0) {
		cmd_fail(&e);
		return usage_end(verb);
	}
	return EXIT_OK;
}

/* What tidbit.conf is wrong about, a line each; or why it cannot be read. */
static int fail_conf(const struct str *complaints, const struct err *e)
{
	if (!complaints->len)
		return cmd_fail(e);
	cmd_notes(complaints);
	return EXIT_USAGE;
}

/* conf_err: what there is to say against tidbit.conf; help and version run all the same. */
static int run_verb(const struct cmd *verb, struct opts *o, const struct str *complaints, const struct err *conf_err)
{
	struct str paths[N_MODEL_FIELDS];
	struct err e;
	int code;

	if (o->help) {
		help_verb(verb, stdout);
		return EXIT_OK;
	}
	if (conf_err->code && verb != &cmd_help && verb != &cmd_version)
		return fail_conf(complaints, conf_err);
	for (int i = 0; i < N_MODEL_FIELDS; i++)
		str_init(&paths[i], 0);
	code = name_models(o, paths, &e) < 0 ? cmd_fail(&e) : verb->run(o);
	for (int i = 0; i < N_MODEL_FIELDS; i++)
		str_release(&paths[i]);
	return code;
}

static int dispatch(int argc, char **argv)
{
	struct opts o, base = opt_defaults;
	struct err conf_err = { 0 };
	struct str complaints;
	const struct cmd *verb;
	struct conf *conf;
	int at, code;

	str_init(&complaints, 1 << 20);
	/* a file that is wrong does not stand in the way of what needs none: help among it */
	if (!conf_load(&conf, &complaints, &conf_err))
		conf_err.code = ERR_NONE;
	verb = find_verb(argc, argv, conf_folders(conf), &at);
	if (verb) {
		conf_apply(conf, verb, &base);
		code = parse(verb, at, &base, argc, argv, &o);
		if (code == EXIT_OK)
			code = run_verb(verb, &o, &complaints, &conf_err);
	} else {
		code = unknown_verb(argv[at]);
	}
	conf_free(conf);
	str_release(&complaints);
	return code;
}

int cmd_main(int argc, char **argv, cmd_chat_fn *ui_chat)
{
	int code;

	screen = ui_chat;
	paths_set_program(argc > 0 ? argv[0] : NULL);
	signal(SIGPIPE, SIG_IGN);
	/* a file that grows too large is an error like a full disk */
	signal(SIGXFSZ, SIG_IGN);
	code = dispatch(argc, argv);
	if ((fflush(stdout) || ferror(stdout)) && code == EXIT_OK) {
		if (!cmd_reader_gone())
			cmd_note("cannot write to standard output: %s", strerror(errno));
		code = EXIT_FAIL;
	}
	return code;
}
