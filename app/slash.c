/*
 * The chat's commands: rows. Help, completion, the nearest name to a mistyped one and what
 * may run beside an answer all come from them. What they have to say becomes notes.
 */
#include "config.h"
#include "app/chat.h"
#include "app/opt.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { N_NAMES = 32 };

/* Columns of UTF-8 text that is all narrow, as our own rows are. */
static int width(const char *s)
{
	int w = 0;

	for (; *s; s++)
		w += ((unsigned char)*s & 0xc0) != 0x80;
	return w;
}

static void add_padded(struct str *s, const char *text, int columns)
{
	str_adds(s, text);
	for (int w = width(text); w < columns; w++)
		str_addc(s, ' ');
}

/* "name   " before what it is; in plain lines "name: ". */
static void add_name(const struct chat *c, struct str *s, const char *name, int columns)
{
	if (c->lines)
		str_addf(s, "%s: ", name);
	else
		add_padded(s, name, columns);
}

/* -- /help -------------------------------------------------------------------------- */

static void help(struct chat *c, const char *args)
{
	struct str s;

	(void)args;
	str_init(&s, 0);
	for (const struct slash *r = slashes; r->name; r++) {
		char left[64];

		snprintf(left, sizeof left, "%s/%s%s%s", c->lines ? "" : "  ", r->name, *r->args ? " " : "", r->args);
		str_adds(&s, r == slashes ? "" : "\n");
		add_name(c, &s, left, 22);
		str_adds(&s, r->help);
	}
	chat_note(c, "%s", s.p);
	str_release(&s);
}

/* -- /quant ------------------------------------------------------------------------- */

/* In plain lines: to choose from, where somebody is there. */
static void offer_levels(struct chat *c)
{
	char bytes[32], rate[48], command[32];

	c->n_choices = 0;
	for (int i = 0; i < c->n_levels; i++) {
		const struct chat_level *l = &c->levels[i];

		rate[0] = '\0';
		if (l->rate > 0)
			snprintf(rate, sizeof rate, ", %.1f tokens per second", l->rate);
		snprintf(command, sizeof command, "/quant %s", l->name);
		chat_offer(c, command, "%s, %s, %.2f bits per weight%s%s%s%s", l->name,
			   chat_bytes(bytes, sizeof bytes, l->bytes), l->bpw, rate, l->own ? ", as the file has it" : "",
			   profile_recommends(worker_profile(c->worker), l->name) ? ", recommended" : "",
			   i == c->target ? ", in use" : "");
	}
	chat_ask_choice(c, c->can_ask ? "levels, best first; a number takes one" : "levels, best first");
	if (!c->can_ask)
		c->n_choices = 0;
}

static void list_levels(struct chat *c)
{
	struct str s;

	if (c->lines) {
		offer_levels(c);
		return;
	}
	str_init(&s, 0);
	for (int i = 0; i < c->n_levels; i++) {
		const struct chat_level *l = &c->levels[i];
		char bytes[32];

		str_addf(&s, "%s%s %-7s %10s %6.2f bpw", i ? "\n" : "", i == c->target ? "▸" : " ", l->name,
			 chat_bytes(bytes, sizeof bytes, l->bytes), l->bpw);
		if (l->rate > 0)
			str_addf(&s, "  %.1f tok/s", l->rate);
		if (l->own)
			str_adds(&s, "  as the file has it");
		if (profile_recommends(worker_profile(c->worker), l->name))
			str_adds(&s, "  recommended");
	}
	chat_note(c, "%s", s.p);
	str_release(&s);
}

static void unknown_level(struct chat *c, const char *arg)
{
	const char *names[N_NAMES + 1] = { NULL };
	const char *near;
	char quoted[64];
	struct str s;

	str_init(&s, 0);
	for (int i = 0; i < c->n_levels && i < N_NAMES; i++) {
		names[i] = c->levels[i].name;
		str_addf(&s, "%s%s", i ? ", " : "", names[i]);
	}
	near = cmd_nearest(arg, names);
	err_quote(quoted, sizeof quoted, arg, strlen(arg));
	if (near)
		chat_complain(c, "no level \"%s\": did you mean %s? There are %s", quoted, near, s.p);
	else
		chat_complain(c, "no level \"%s\": there are %s", quoted, s.p);
	str_release(&s);
}

static const char *level_word(const struct chat *c, int i)
{
	return i < c->n_levels ? c->levels[i].name : NULL;
}

/* Takes the words that begin with -- out of args. False: one of them is unknown. */
static bool quant_how(struct chat *c, char *args, unsigned *how)
{
	static const struct { const char *word; unsigned how; } words[] = {
		{ "--exact", CHAT_EXACT }, { "--borrowed", CHAT_BORROWED }, { "--go-on", CHAT_GO_ON },
	};
	char *save = NULL, *to = args;

	*how = 0;
	for (char *w = strtok_r(args, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		size_t i = 0;

		while (i < sizeof words / sizeof *words && strcmp(words[i].word, w))
			i++;
		if (i < sizeof words / sizeof *words) {
			*how |= words[i].how;
		} else if (!strncmp(w, "--", 2)) {
			chat_complain(c, "/quant: there are --exact, --borrowed and --go-on");
			return false;
		} else {
			memmove(to, w, strlen(w) + 1);
			to += strlen(to);
		}
	}
	*to = '\0';
	return true;
}

static void quant(struct chat *c, const char *words)
{
	char args[64];
	unsigned how;

	snprintf(args, sizeof args, "%s", words);
	if (!quant_how(c, args, &how))
		return;
	if (!c->info) {
		chat_complain(c, "the model is not open yet");
		return;
	}
	if (!*args) {
		list_levels(c);
		return;
	}
	if (!strcmp(args, "+") || !strcmp(args, "-")) {
		chat_switch_level(c, c->target + (*args == '+' ? -1 : 1), how);
		return;
	}
	for (int i = 0; i < c->n_levels; i++) {
		if (strcasecmp(c->levels[i].name, args))
			continue;
		if (i == c->target)
			chat_note(c, "%s is in use already", c->levels[i].name);
		chat_switch_level(c, i, how);
		return;
	}
	unknown_level(c, args);
}

/* -- /set --------------------------------------------------------------------------- */

enum set_type { SET_DOUBLE, SET_INT, SET_UINT64, SET_INT64 };

struct set_row {
	const char *name, *help;
	enum set_type type;
	size_t offset;		/* in struct opts */
	double lo, hi;		/* whole numbers as they are; SET_UINT64 takes all that fit */
	const char *option;	/* of opt.h, that profiles speak of; NULL */
};

static const struct set_row settings[] = {
	{ "temp", "randomness; 0: always the likeliest token", SET_DOUBLE, offsetof(struct opts, sample.temp), 0, 100, "temp" },
	{ "top_k", "keep this many likeliest tokens; 0: all", SET_INT, offsetof(struct opts, sample.top_k), 0, 1e6, "top-k" },
	{ "top_p", "keep the likeliest tokens up to this sum; 1: all", SET_DOUBLE, offsetof(struct opts, sample.top_p), 0, 1,
	  "top-p" },
	{ "min_p", "drop tokens below this part of the likeliest; 0: none", SET_DOUBLE, offsetof(struct opts, sample.min_p), 0, 1,
	  "min-p" },
	{ "repeat", "penalty for the last 64 tokens; 1: none", SET_DOUBLE, offsetof(struct opts, sample.repeat_penalty), 0.01, 100,
	  "repeat-penalty" },
	{ "seed", "the same seed gives the same answers", SET_UINT64, offsetof(struct opts, sample.seed), 0, 0, NULL },
	{ "n", "most tokens of an answer; -1: until it ends", SET_INT64, offsetof(struct opts, n), -1, 1e9, NULL },
	{ .name = NULL },
};

static void add_value(struct str *s, const struct set_row *r, const struct opts *o)
{
	const void *p = (const char *)o + r->offset;

	switch (r->type) {
	case SET_DOUBLE: str_addf(s, "%g", *(const double *)p); break;
	case SET_INT: str_addf(s, "%d", *(const int *)p); break;
	case SET_UINT64: str_addf(s, "%llu", (unsigned long long)*(const uint64_t *)p); break;
	case SET_INT64: str_addf(s, "%lld", (long long)*(const int64_t *)p); break;
	}
}

static int parse_uint64(const char *arg, uint64_t *v)
{
	char *end;

	errno = 0;
	*v = strtoull(arg, &end, 10);
	return errno || end == arg || *end || strchr(arg, '-') ? -1 : 0;
}

static int parse_number(const struct set_row *r, const char *arg, double *v)
{
	char *end;

	*v = strtod(arg, &end);
	if (end == arg || *end || !isfinite(*v) || *v < r->lo || *v > r->hi)
		return -1;
	return r->type != SET_DOUBLE && *v != floor(*v) ? -1 : 0;
}

static int set_value(const struct set_row *r, struct opts *o, const char *arg)
{
	void *p = (char *)o + r->offset;
	double v = 0;
	uint64_t u = 0;

	if (r->type == SET_UINT64 ? parse_uint64(arg, &u) : parse_number(r, arg, &v))
		return -1;
	switch (r->type) {
	case SET_DOUBLE: *(double *)p = v; break;
	case SET_INT: *(int *)p = (int)v; break;
	case SET_UINT64: *(uint64_t *)p = u; break;
	case SET_INT64: *(int64_t *)p = (int64_t)v; break;
	}
	return 0;
}

/* What the model's profile says where the value is another. */
static void add_profile(const struct chat *c, struct str *s, const struct set_row *r, const char *value)
{
	const struct profile *p = worker_profile(c->worker);
	const struct opt *o = r->option ? opt_by_key(r->option) : NULL;
	struct str v;

	if (!o || !c->info || !p->has[o - opt_table])
		return;
	str_init(&v, 0);
	add_value(&v, r, &p->values[!strcmp(c->o->think, "off")]);
	if (strcmp(v.p, value))
		str_addf(s, " (the model's profile: %s)", v.p);
	str_release(&v);
}

static void add_setting(const struct chat *c, struct str *s, const struct set_row *r, const char *value)
{
	str_adds(s, s->len ? "\n" : "");
	if (c->lines)
		str_addf(s, "%s is %s: %s", r->name, value, r->help);
	else
		str_addf(s, "  %-7s %-10s  %s", r->name, value, r->help);
	add_profile(c, s, r, value);
}

static void list_settings(struct chat *c)
{
	struct str s, v;

	str_init(&s, 0);
	str_init(&v, 0);
	for (const struct set_row *r = settings; r->name; r++) {
		str_clear(&v);
		add_value(&v, r, c->o);
		add_setting(c, &s, r, v.p);
	}
	chat_note(c, "%s", s.p);
	str_release(&s);
	str_release(&v);
}

static void unknown_setting(struct chat *c, const char *name)
{
	const char *names[N_NAMES + 1] = { NULL };
	const char *near;
	char quoted[64];
	int n = 0;

	for (const struct set_row *r = settings; r->name && n < N_NAMES; r++)
		names[n++] = r->name;
	near = cmd_nearest(name, names);
	err_quote(quoted, sizeof quoted, name, strlen(name));
	chat_complain(c, near ? "no setting \"%s\": did you mean %s?" : "no setting \"%s\": /set lists them", quoted,
		      near);
}

static void say_range(struct chat *c, const struct set_row *r)
{
	if (r->type == SET_UINT64)
		chat_complain(c, "%s takes a whole number from 0 on", r->name);
	else
		chat_complain(c, "%s takes %s from %g to %.10g", r->name,
			      r->type == SET_DOUBLE ? "a number" : "a whole number", r->lo, r->hi);
}

static void set_one(struct chat *c, const struct set_row *r, const char *arg)
{
	struct str v;

	if (*arg && set_value(r, c->o, arg)) {
		say_range(c, r);
		return;
	}
	if (*arg && r->option)
		opt_give(opt_by_key(r->option), c->o);
	str_init(&v, 0);
	add_value(&v, r, c->o);
	chat_note(c, *arg && c->answer ? "%s %s, from the next answer on" : "%s %s", r->name, v.p);
	str_release(&v);
}

static const char *setting_word(const struct chat *c, int i)
{
	(void)c;
	return settings[i].name;
}

static void set(struct chat *c, const char *args)
{
	const size_t n = strcspn(args, " \t=");
	const char *value = args + n + strspn(args + n, " \t=");
	char name[32];

	if (!*args) {
		list_settings(c);
		return;
	}
	snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), args);
	for (char *p = name; *p; p++)
		if (*p == '-')
			*p = '_';
	for (const struct set_row *r = settings; r->name; r++) {
		if (!strcasecmp(r->name, name)) {
			set_one(c, r, value);
			return;
		}
	}
	unknown_setting(c, name);
}

/* -- /stats ------------------------------------------------------------------------- */

enum { STATS_COLUMNS = 13 };

static void add_answer_stats(const struct chat *c, struct str *s)
{
	const struct answer_stats *a = &c->g.stats;

	if (!a->n_prompt && !a->n_gen) {
		str_adds(s, "no answer yet\n");
		return;
	}
	add_name(c, s, "prompt", STATS_COLUMNS);
	str_addf(s, "%d tokens: %d reused, %d prefilled", a->n_prompt, a->n_reused, a->n_prefill);
	if (answer_prefill_rate(a) > 0)
		str_addf(s, " at %.1f tok/s", answer_prefill_rate(a));
	str_addc(s, '\n');
	add_name(c, s, "first token", STATS_COLUMNS);
	str_addf(s, "%.2f s\n", (double)a->first_ns / 1e9);
	add_name(c, s, "answer", STATS_COLUMNS);
	str_addf(s, "%d tokens", a->n_gen);
	if (a->n_think)
		str_addf(s, ", %d of them thinking", a->n_think);
	if (answer_decode_rate(a) > 0)
		str_addf(s, " at %.1f tok/s", answer_decode_rate(a));
	str_addc(s, '\n');
}

static void add_memory(const struct chat *c, struct str *s, const char *name, uint64_t bytes, const char *more)
{
	char buf[32];

	add_name(c, s, name, STATS_COLUMNS);
	str_addf(s, c->lines ? "%s%s\n" : "%10s%s\n", chat_bytes(buf, sizeof buf, bytes), more + (c->lines && *more == ' '));
}

static void stats(struct chat *c, const char *args)
{
	const struct eng_mem *m = &c->g.mem;
	const uint64_t rss = os_rss(), parts = m->weights_resident + m->weights_made + m->kv_used + m->scratch;
	char of[64], buf[32];
	struct str s;

	(void)args;
	str_init(&s, 0);
	add_answer_stats(c, &s);
	add_name(c, &s, "context", STATS_COLUMNS);
	str_addf(&s, "%lld of %lld tokens\n", (long long)c->g.ctx_used, (long long)c->g.ctx_size);
	snprintf(of, sizeof of, "  resident of %s mapped", chat_bytes(buf, sizeof buf, m->weights_mapped));
	if (m->weights_mapped)
		add_memory(c, &s, "weights", m->weights_resident, of);
	if (m->weights_made)
		add_memory(c, &s, "made", m->weights_made, "  made in memory");
	snprintf(of, sizeof of, "  of %s", chat_bytes(buf, sizeof buf, m->kv_reserved));
	add_memory(c, &s, "KV", m->kv_used, of);
	add_memory(c, &s, "scratch", m->scratch, "");
	add_memory(c, &s, "other", rss > parts ? rss - parts : 0, "");
	snprintf(of, sizeof of, "  peak %s", chat_bytes(buf, sizeof buf, os_rss_peak()));
	add_memory(c, &s, "RSS", rss, of);
	str_cut(&s, s.len - 1);
	chat_note(c, "%s", s.p);
	str_release(&s);
}

/* -- /think ------------------------------------------------------------------------- */

static const char *const think_words[] = { "on", "off", "auto", NULL };

static const char *think_word(const struct chat *c, int i)
{
	(void)c;
	return think_words[i];
}

static void think(struct chat *c, const char *args)
{
	static const char *const says[] = {
		"thinking is on", "thinking is off", "whether it thinks is left to the model",
	};
	const char *word = *args ? args : c->o->think;
	int i = 0;

	while (think_words[i] && strcasecmp(think_words[i], word))
		i++;
	if (!think_words[i]) {
		chat_complain(c, "/think takes on, off or auto");
		return;
	}
	c->o->think = think_words[i];
	if (c->info)
		profile_fill(worker_profile(c->worker), c->o);
	chat_note(c, *args ? "%s, for templates that know it" : "%s", says[i]);
}

/* -- /continue, /read, /context -------------------------------------------------------- */

static void go_on(struct chat *c, const char *args)
{
	(void)args;
	chat_continue(c);
}

static void read_file(struct chat *c, const char *args)
{
	const size_t before = c->attached ? strlen(c->attached) : 0;
	struct str path;
	struct err e;

	if (!*args) {
		chat_complain(c, "/read needs a file");
		return;
	}
	str_init(&path, 0);
	if (args[0] == '~' && args[1] == '/' && getenv("HOME"))
		str_addf(&path, "%s%s", getenv("HOME"), args + 1);
	else
		str_adds(&path, args);
	if (chat_attach(c, path.p, &e) < 0)
		chat_complain(c, "%s", e.msg);
	else
		chat_note(c, "%s goes with the next message: %zu bytes", path.p, strlen(c->attached) - before);
	str_release(&path);
}

static void show_context(struct chat *c)
{
	char used[32], all[32];

	chat_note(c, "the context holds %lld tokens, %lld are in use: %s of %s for keys and values%s", (long long)c->g.ctx_size,
		  (long long)c->g.ctx_used, chat_bytes(used, sizeof used, c->g.mem.kv_used),
		  chat_bytes(all, sizeof all, c->g.mem.kv_reserved), c->held ? "; a message waits for room" : "");
}

static const char *const context_words[] = { "drop", "grow", "more", "leave", NULL };

static const char *context_word(const struct chat *c, int i)
{
	(void)c;
	return context_words[i];
}

static void grow(struct chat *c, const char *args)
{
	char *end;
	const long long n = strtoll(args, &end, 10);

	if (*end || n < 0 || n > ENG_CTX_MAX)
		chat_complain(c, "/context grow takes a number of tokens");
	else
		chat_grow(c, n);
}

static void more(struct chat *c, const char *args)
{
	c->go_on = true;
	grow(c, args);
}

static void drop(struct chat *c, const char *args)
{
	(void)args;
	chat_drop(c);
}

static void leave(struct chat *c, const char *args)
{
	(void)args;
	chat_leave(c);
}

static void context(struct chat *c, const char *args)
{
	static void (*const runs[])(struct chat *c, const char *args) = { drop, grow, more, leave };
	const size_t n = strcspn(args, " \t");

	if (!c->info) {
		chat_complain(c, "the model is not open yet");
		return;
	}
	if (!*args) {
		show_context(c);
		return;
	}
	for (int i = 0; context_words[i]; i++) {
		if (strlen(context_words[i]) != n || strncasecmp(context_words[i], args, n))
			continue;
		runs[i](c, args + n + strspn(args + n, " \t"));
		return;
	}
	chat_complain(c, "/context takes drop, grow [N], more or leave");
}

/* -- the rest ----------------------------------------------------------------------- */

static void clear(struct chat *c, const char *args)
{
	(void)args;
	chat_reset(c);
}

static void bye(struct chat *c, const char *args)
{
	(void)args;
	c->quit = true;
	c->version++;
}

const struct slash slashes[] = {
	{ "help", "", "these commands", true, help, NULL },
	{ "quant", "[LEVEL|+|-] [--borrowed] [--go-on]", "switch the quantization level; alone: list the levels", true, quant, level_word },
	{ "set", "[NAME [VALUE]]", "change how answers are sampled; alone: list the settings", true, set, setting_word },
	{ "think", "[on|off|auto]", "whether the model thinks before it answers", true, think, think_word },
	{ "continue", "", "go on with an answer that was stopped or cut", false, go_on, NULL },
	{ "read", "FILE", "put a file before the next message", true, read_file, NULL },
	{ "context", "[drop|grow [N]|leave]", "room in the context; what to do about a message that has none", false, context,
	  context_word },
	{ "stats", "", "what the last answer cost, and where the memory is", true, stats, NULL },
	{ "clear", "", "empty the conversation", false, clear, NULL },
	{ "new", "", "begin another conversation", false, clear, NULL },
	{ "bye", "", "leave", true, bye, NULL },
	{ .name = NULL },
};

static void unknown_command(struct chat *c, const char *name)
{
	const char *names[N_NAMES + 1] = { NULL };
	const char *near;
	char quoted[64];
	int n = 0;

	for (const struct slash *r = slashes; r->name && n < N_NAMES; r++)
		names[n++] = r->name;
	near = cmd_nearest(name, names);
	err_quote(quoted, sizeof quoted, name, strlen(name));
	if (near)
		chat_complain(c, "no command /%s: did you mean /%s?", quoted, near);
	else
		chat_complain(c, "no command /%s: /help lists them", quoted);
}

static void trim(char *s)
{
	size_t n = strlen(s);

	while (n && strchr(" \t\r\n", s[n - 1]))
		s[--n] = '\0';
}

void slash_run(struct chat *c, const char *line)
{
	char *copy = mem_strdup(line + 1);
	char *args;

	if (!copy)
		return;
	trim(copy);
	args = copy + strcspn(copy, " \t\n");
	if (*args)
		*args++ = '\0';
	args += strspn(args, " \t\n");
	for (const struct slash *r = slashes; r->name; r++) {
		if (strcasecmp(r->name, copy))
			continue;
		if (c->answer && !r->while_running)
			chat_complain(c, "/%s: an answer is running, Ctrl-C stops it", r->name);
		else
			r->run(c, args);
		goto out;
	}
	unknown_command(c, copy);
out:
	mem_free(copy);
}

/* -- completion --------------------------------------------------------------------- */

static const struct slash *command_of(const char *line, size_t n)
{
	const size_t len = strcspn(line, " \t");

	for (const struct slash *r = slashes; r->name && len && len <= n; r++)
		if (strlen(r->name) == len - 1 && !strncasecmp(line + 1, r->name, len - 1))
			return r;
	return NULL;
}

/* The i-th of all words that can stand there, NULL after the last. */
static const char *candidate(const struct chat *c, const struct slash *of, int i)
{
	return of ? (of->arg ? of->arg(c, i) : NULL) : slashes[i].name;
}

char *slash_complete(const struct chat *c, const char *line, size_t start, size_t end, int i)
{
	const struct slash *of = start ? command_of(line, start) : NULL;
	const char *word = line + start + !start, *name;
	const size_t n = end > start ? end - start - !start : 0;

	if (line[0] != '/' || !end || (start && !of))
		return NULL;
	for (int k = 0; (name = candidate(c, of, k)); k++) {
		struct str s;

		if (strncasecmp(name, word, n) || i--)
			continue;
		str_init(&s, 0);
		str_addf(&s, "%s%s", start ? "" : "/", name);
		return str_take(&s);
	}
	return NULL;
}
