/*
 * The chat's commands: rows. Help, completion, the nearest name to a mistyped one, the man page and
 * what may run beside an answer all come from them.
 */
#include "config.h"
#include "app/slash.h"
#include "app/opt.h"
#include "app/paths.h"
#include "engine/base/xio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { N_NAMES = 64 };

/* -- what commands share ------------------------------------------------------------ */

/* Columns of UTF-8 text that is all narrow, as our own rows are. */
static int width(const char *s)
{
	int w = 0;

	for (; *s; s++)
		w += ((unsigned char)*s & 0xc0) != 0x80;
	return w;
}

void slash_name(const struct chat *c, struct str *s, const char *name, int columns)
{
	if (c->lines) {
		str_addf(s, "%s: ", name);
		return;
	}
	str_adds(s, name);
	for (int w = width(name); w < columns; w++)
		str_addc(s, ' ');
}

void slash_unknown(struct chat *c, const char *what, const char *word, const char *const *names, const char *otherwise)
{
	const char *near = cmd_nearest(word, names), *slash = *what == '/' ? "/" : "";
	char quoted[64];

	err_quote(quoted, sizeof quoted, word, strlen(word));
	if (*slash)
		chat_complain(c, near ? "no command /%s: did you mean /%s? (//%s sends it as a message)" :
			      "no command /%s: %s; //%s sends it as a message", quoted, near ? near : otherwise, quoted);
	else if (near)
		chat_complain(c, "no %s \"%s\": did you mean %s? (%s)", what, quoted, near, otherwise);
	else
		chat_complain(c, "no %s \"%s\": %s", what, quoted, otherwise);
}

static const struct slash *find_command(const char *name)
{
	for (const struct slash *r = slashes; r->name; r++)
		if (!strcasecmp(r->name, name))
			return r;
	return NULL;
}

static void unknown_command(struct chat *c, const char *name)
{
	const char *names[N_NAMES + 1] = { NULL };
	int n = 0;

	for (const struct slash *r = slashes; r->name && n < N_NAMES; r++)
		names[n++] = r->name;
	slash_unknown(c, "/", name, names, "/help lists them");
}

/* -- /help -------------------------------------------------------------------------- */

enum { HELP_COLUMNS = 24 };

static void help_row(struct chat *c, struct str *s, const struct slash *r)
{
	char left[96];

	snprintf(left, sizeof left, "%s/%s%s%s", c->lines ? "" : "  ", r->name, *r->args ? " " : "", r->args);
	slash_name(c, s, left, HELP_COLUMNS);
	if (!c->lines && width(left) >= HELP_COLUMNS) {
		str_addc(s, '\n');
		slash_name(c, s, "", HELP_COLUMNS);
	}
	str_adds(s, r->help);
}

static void help(struct chat *c, const char *args)
{
	const struct slash *only = *args ? find_command(args + (*args == '/')) : NULL;
	struct str s;

	if (*args && !only) {
		unknown_command(c, args + (*args == '/'));
		return;
	}
	str_init(&s, 0);
	for (const struct slash *r = only ? only : slashes; r->name; r++) {
		help_row(c, &s, r);
		if (only)
			break;
		str_addc(&s, '\n');
	}
	if (!only) {
		str_adds(&s, c->lines ? "" : "  ");
		slash_name(c, &s, SLASH_TEXT, HELP_COLUMNS - 2);
		str_adds(&s, SLASH_TEXT_HELP);
	}
	chat_note(c, "%s", s.p);
	str_release(&s);
}

/* -- /think, /system ------------------------------------------------------------------ */

static void think(struct chat *c, const char *args)
{
	static const struct { const char *word, *says; } words[] = {
		{ "on", "thinking is on" }, { "off", "thinking is off" },
		{ "auto", "whether it thinks is left to the model" },
	};
	const char *word = *args ? args : c->o->think;
	size_t i = 0;

	while (i < sizeof words / sizeof *words && strcasecmp(words[i].word, word))
		i++;
	if (i == sizeof words / sizeof *words) {
		chat_complain(c, "/think takes on, off or auto");
		return;
	}
	c->o->think = words[i].word;
	if (c->opened)
		profile_fill(&c->opened->profile, c->o);
	chat_note(c, *args ? "%s, for templates that know it" : "%s", words[i].says);
}

static void system_message(struct chat *c, const char *args)
{
	const char *now = c->o->system;
	char *neu = strcasecmp(args, "off") ? mem_strdup(args) : NULL;

	if (!*args) {
		if (now && *now)
			chat_note(c, "system message: %s", now);
		else
			chat_note(c, "no system message, but for what the model's template brings");
		mem_free(neu);
		return;
	}
	mem_free(c->system);
	c->o->system = c->system = neu;
	chat_note(c, neu ? "this system message holds from the next answer on: all before it is read again" :
		  "no system message from the next answer on");
}

/* -- turns ----------------------------------------------------------------------------- */

static void undo(struct chat *c, const char *args)
{
	const int n = chat_turns(c);

	(void)args;
	if (chat_undo(c))
		chat_note(c, n > 1 ? "took turn %d back: %d before it" : "took turn %d back: nothing has been said", n, n - 1);
}

static void regen(struct chat *c, const char *args)
{
	(void)args;
	chat_regen(c);
}

static void edit(struct chat *c, const char *args)
{
	char *end;
	const long n = strtol(args, &end, 10);

	if (*end || (*args && (n < 1 || n > INT32_MAX))) {
		chat_complain(c, "/edit takes the number of a message, from 1 on; alone it takes the last");
		return;
	}
	if (chat_edit(c, *args ? (int)n : 0) && c->lines)
		chat_note(c, "message %d%s: what is sent next takes its place, and all after it goes",
			  chat_turn_of(c, c->cut), c->can_ask ? " is here to be changed" : "");
}

static void go_on(struct chat *c, const char *args)
{
	(void)args;
	chat_continue(c);
}

/* -- /read ------------------------------------------------------------------------------ */

static void read_file(struct chat *c, const char *args)
{
	struct str path;
	struct err e;

	if (!*args) {
		if (c->attached)
			chat_note(c, "goes with the next message: %s (/clear drops it)", chat_attached(c));
		else
			chat_complain(c, "/read needs a file: none waits for the next message");
		return;
	}
	str_init(&path, 0);
	if (paths_expand(args, &path, &e) < 0 || chat_attach(c, path.p, &e) < 0)
		chat_complain(c, "%s", e.msg);
	else
		chat_note(c, "goes with the next message: %s", chat_attached(c));
	str_release(&path);
}

/* -- the rest ----------------------------------------------------------------------- */

static void clear(struct chat *c, const char *args)
{
	(void)args;
	chat_reset(c);
	chat_detach(c);
}

static void bye(struct chat *c, const char *args)
{
	(void)args;
	c->quit = true;
	c->version++;
}

const struct slash slashes[] = {
	{ "help", "[COMMAND]", "these commands, or one of them", SLASH_BESIDE, help },
	{ "model", "[MODEL [LEVEL]]", "another model takes the conversation over; alone: list the models", SLASH_BESIDE, slash_model },
	{ "quant", "[LEVEL|+|-] [FILE] [--exact] [--borrowed] [--go-on] [--save]", "switch the quantization level; alone: list the levels",
	  SLASH_BESIDE, slash_quant },
	{ "set", "[NAME [VALUE]]", "change how answers are sampled; alone: list the settings", SLASH_BESIDE, slash_set },
	{ "show", "", "what is known of the model", SLASH_BESIDE, slash_show },
	{ "system", "[TEXT|off]", "the system message; alone: show it", SLASH_BESIDE, system_message },
	{ "think", "[on|off|auto]", "whether the model thinks before it answers", SLASH_BESIDE, think },
	{ "regen", "", "write the last answer anew", SLASH_STOPS, regen },
	{ "edit", "[N]", "change message N, alone the last: sending it cuts what followed", SLASH_STOPS, edit },
	{ "undo", "", "take the last message and its answer back", SLASH_STOPS, undo },
	{ "continue", "", "go on with an answer that was stopped or cut", SLASH_ALONE, go_on },
	{ "read", "[FILE]", "put a file before the next message; alone: what waits for it", SLASH_BESIDE, read_file },
	{ "stats", "", "what the last answer cost, and where the memory is", SLASH_BESIDE, slash_stats },
	{ "context", "[drop|grow [N]|more [N]|leave]", "room in the context; what to do about a message that has none", SLASH_ALONE,
	  slash_context },
	{ "copy", "[code|all]", "copy the last answer, its last code block, or everything", SLASH_BESIDE, slash_copy },
	{ "export", "[FILE|md|json|txt] [--force]", "write the conversation to a file; --force replaces one", SLASH_BESIDE,
	  slash_export },
	{ "new", "", "keep this conversation in a file and begin another", SLASH_EMPTIES, slash_new },
	{ "clear", "", "empty the conversation", SLASH_EMPTIES, clear },
	{ "restore", "[drop]", "bring back the conversation that an earlier run was ended in; drop: forget it", SLASH_ALONE, slash_restore },
	{ "bye", "", "leave", SLASH_BESIDE, bye },
	{ .name = NULL },
};

/* -- running ----------------------------------------------------------------------------- */

static void trim(char *s)
{
	size_t n = strlen(s);

	while (n && strchr(" \t\r\n", s[n - 1]))
		s[--n] = '\0';
}

/* The answer goes first; the command follows when it has ended. */
static void run_later(struct chat *c, const char *line)
{
	char *copy = mem_strdup(line);

	if (!copy)
		return;
	chat_stop(c);
	mem_free(c->after);
	c->after = copy;
}

static void run(struct chat *c, const struct slash *r, const char *args, const char *line)
{
	if (!*r->args && *args) {
		char quoted[64];

		err_quote(quoted, sizeof quoted, args, strlen(args));
		chat_complain(c, "/%s stands alone: \"%s\" is too much", r->name, quoted);
	} else if (c->answer && r->when == SLASH_ALONE) {
		chat_complain(c, "/%s: an answer is running, Ctrl-C stops it", r->name);
	} else if (c->answer && (r->when == SLASH_STOPS || r->when == SLASH_EMPTIES)) {
		if (r->when == SLASH_EMPTIES)
			chat_detach(c);
		run_later(c, line);
	} else {
		r->run(c, args);
	}
}

void slash_run(struct chat *c, const char *line)
{
	char *copy = mem_strdup(line + 1);
	const struct slash *r;
	char *args;

	if (!copy)
		return;
	trim(copy);
	args = copy + strcspn(copy, " \t\n");
	if (*args)
		*args++ = '\0';
	args += strspn(args, " \t\n");
	r = find_command(copy);
	if (r)
		run(c, r, args, line);
	else
		unknown_command(c, copy);
	mem_free(copy);
}
