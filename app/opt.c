#include "config.h"
#include "app/opt.h"
#include "app/levelname.h"
#include "engine/base/str.h"
#include "engine/base/xio.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define AT(field) offsetof(struct opts, field)

const struct opt opt_table[] = {
	{ "model", .letter = 'm', .arg = "MODEL", .type = OPT_TEXT, .at = AT(model),
	  .help = "the model: a GGUF file, or a name of tidbit list" },
	{ "level", .letter = 'q', .arg = "LEVEL", .type = OPT_LEVEL, .at = AT(level),
	  .unset = "as the file has it", .help = "quantization level to compute at, made in memory when the file has another" },
	{ "levels", "level", 'q', "LEVELS", OPT_LEVELS, AT(level), .unset = "as the file has it",
	  .help = "levels to measure, with commas: q8_0,q5_1,q4_0" },
	{ "system", .arg = "TEXT", .type = OPT_TEXT, .at = AT(system), .help = "system message" },
	{ "raw", .type = OPT_FLAG, .at = AT(raw),
	  .help = "no chat template: go on writing the prompt" },
	{ "max-tokens", .letter = 'n', .arg = "N", .type = OPT_LONG, .at = AT(n), .min = -1, .max = INT32_MAX,
	  .unset = "until it ends", .help = "most tokens of an answer" },
	{ "temp", .arg = "T", .type = OPT_REAL, .at = AT(sample.temp), .min = 0, .max = 100,
	  .help = "temperature; 0 always takes the likeliest token" },
	{ "top-k", .arg = "K", .type = OPT_INT, .at = AT(sample.top_k), .min = 0, .max = INT_MAX,
	  .help = "sample among the K likeliest tokens; 0 for all" },
	{ "top-p", .arg = "P", .type = OPT_REAL, .at = AT(sample.top_p), .min = 0, .max = 1,
	  .help = "sample among the likeliest that make up P; 1 for all" },
	{ "min-p", .arg = "P", .type = OPT_REAL, .at = AT(sample.min_p), .min = 0, .max = 1,
	  .help = "leave out tokens less likely than P times the best; 0 for none" },
	{ "repeat-penalty", .arg = "R", .type = OPT_REAL, .at = AT(sample.repeat_penalty), .min = 0.01, .max = 100,
	  .help = "penalty on the last 64 tokens; 1 for none" },
	{ "seed", .arg = "S", .type = OPT_SEED, .at = AT(sample.seed), .unset = "a fresh one, which is told",
	  .help = "start of the random numbers" },
	{ "ctx", .letter = 'c', .arg = "N", .type = OPT_LONG, .at = AT(n_ctx), .min = 0, .max = ENG_CTX_MAX,
	  .unset = "the trained context, at most 8192", .help = "context in tokens" },
	{ "kv", .arg = "TYPE", .type = OPT_KV, .at = AT(kv),
	  .help = "type of the keys and values kept" },
	{ "act", .arg = "KIND", .type = OPT_CHOICE, .at = AT(act), .choices = "auto int8 int16 f32", .unset = "auto",
	  .help = "activations: rounded to 8 or 16 bits, auto to 16 where 8 lose too much, or unrounded (slow, exact)" },
	{ "switch-from", .arg = "LEVEL", .type = OPT_LEVEL, .at = AT(switch_from),
	  .help = "level to begin at; -q is the one to switch to" },
	{ "at", .arg = "POS", .type = OPT_LONG, .at = AT(switch_at), .min = 0, .max = INT32_MAX,
	  .unset = "0", .help = "position of the switch: that many ids were computed before it" },
	{ "mode", .arg = "MODE", .type = OPT_CHOICE, .at = AT(switch_mode), .choices = "exact borrowed", .unset = "exact",
	  .help = "compute everything again after the switch, or keep the old level's keys and values" },
	{ "with", .arg = "IDS", .type = OPT_TEXT, .at = AT(with_path),
	  .help = "file of ids of a second session, decoded in the same steps" },
	{ "force", .type = OPT_FLAG, .at = AT(force),
	  .help = "go on when the memory does not suffice: weights are read from the file again and again" },
	{ "threads", .letter = 't', .arg = "N", .type = OPT_INT, .at = AT(threads), .min = 0, .max = 1024,
	  .unset = "physical cores that may be used", .help = "threads to compute with" },
	{ "isa", .arg = "SETS", .type = OPT_TEXT, .at = AT(isa), .unset = "all of this machine",
	  .help = "instruction sets to use, with commas, as --version names them" },
	{ "chunk", .arg = "N", .type = OPT_INT, .at = AT(chunk), .min = 0, .max = 65536,
	  .unset = "the engine's choice", .help = "most prompt tokens computed together" },
	{ "stats", .type = OPT_FLAG, .at = AT(stats),
	  .help = "figures of the answer on standard error, also when it is no terminal" },
	{ "plain", .type = OPT_FLAG, .at = AT(plain),
	  .help = "plain lines in place of the screen" },
	{ "ascii", .type = OPT_FLAG, .at = AT(ascii), .help = "draw with ASCII alone" },
	{ "private", .type = OPT_FLAG, .at = AT(private),
	  .help = "keep nothing of what was typed or said" },
	{ "bidi", .arg = "WHO", .type = OPT_CHOICE, .at = AT(bidi), .choices = "auto app terminal", .unset = "auto",
	  .help = "who puts right-to-left text in order" },
	{ "theme", .arg = "NAME", .type = OPT_TEXT, .at = AT(theme), .unset = "one that suits the terminal",
	  .help = "colours of the screen: dark, light, mono, contrast, or your own" },
	{ "bell", .arg = "WHEN", .type = OPT_CHOICE, .at = AT(bell), .choices = "on off", .unset = "on",
	  .help = "a bell when a long answer ends and the terminal is not looked at" },
	{ "mouse", .arg = "WHEN", .type = OPT_CHOICE, .at = AT(mouse), .choices = "on off", .unset = "off",
	  .help = "the wheel scrolls the conversation; selecting text then wants Shift" },
	{ "gauges", .arg = "NAMES", .type = OPT_TEXT, .at = AT(gauges), .unset = "all",
	  .help = "gauges beside the conversation, in order, with commas; | is a blank row" },
	{ "offline", .type = OPT_FLAG, .at = AT(offline),
	  .help = "for ./bootstrap run: get no model; tidbit itself never opens a connection" },
	{ "tokens", .arg = "IDS", .type = OPT_TEXT, .at = AT(tokens_path),
	  .help = "file of token ids apart by white space; - for standard input" },
	{ "out", .letter = 'o', .arg = "FILE", .type = OPT_TEXT, .at = AT(out_path),
	  .help = "where the result goes; - for standard output" },
	{ "output", .letter = 'o', .arg = "FORMAT", .type = OPT_CHOICE, .at = AT(format), .choices = "md csv json",
	  .unset = "md", .help = "form of the table" },
	{ "output-show", "output", 'o', "FORMAT", OPT_CHOICE, AT(format), .choices = "text json",
	  .unset = "text", .help = "form of what is shown" },
	{ "output-list", "output", 'o', "FORMAT", OPT_CHOICE, AT(format), .choices = "text json names",
	  .unset = "text", .help = "form of the list" },
	{ "profile", .type = OPT_FLAG, .at = AT(profile),
	  .help = "tell where the time goes instead: each kind of work, and its share of what the machine can" },
	{ "n-depth", .letter = 'd', .arg = "N", .type = OPT_LONG, .at = AT(bench_d), .min = 0, .max = ENG_CTX_MAX,
	  .help = "tokens that stand before each test" },
	{ "n-prompt", .letter = 'p', .arg = "N", .type = OPT_LONG, .at = AT(bench_p), .min = 0, .max = ENG_CTX_MAX,
	  .help = "tokens of the prefill test; 0 for none" },
	{ "n-gen", .letter = 'n', .arg = "N", .type = OPT_LONG, .at = AT(bench_n), .min = 0, .max = ENG_CTX_MAX,
	  .help = "tokens of the decode test; 0 for none" },
	{ "repetitions", .letter = 'r', .arg = "R", .type = OPT_INT, .at = AT(reps), .min = 1, .max = 10000,
	  .help = "times each test is measured" },
	{ "machine", .type = OPT_FLAG, .at = AT(machine),
	  .help = "this machine in place of a file: how fast it reads and multiplies" },
	{ "again", .type = OPT_FLAG, .at = AT(again), .help = "measure it anew" },
	{ "jsonl", .type = OPT_FLAG, .at = AT(jsonl),
	  .help = "a JSON value a line in, one a line out" },
	{ "ids", .type = OPT_FLAG, .at = AT(ids),
	  .help = "the token ids too, as a chat would feed them" },
	{ "now", .arg = "TIME", .type = OPT_TEXT, .at = AT(now), .unset = "now",
	  .help = "what the clock says, as 2025-07-04T12:34:56, local time" },
	{ "special", .type = OPT_FLAG, .at = AT(special),
	  .help = "control tokens are read from the text, and written into it" },
	{ "bos", .type = OPT_FLAG, .at = AT(bos), .help = "begin with BOS if the model does" },
	{ "detokenize", .type = OPT_FLAG, .at = AT(detokenize), .help = "from ids to the text" },
	{ "pieces", .type = OPT_FLAG, .at = AT(pieces),
	  .help = "beside each id what it stands for, as a JSON string" },
	{ "stop", .arg = "TEXT", .type = OPT_LIST, .at = AT(stop),
	  .help = "end the answer before this text; may be given again" },
	{ "file", .letter = 'f', .arg = "FILE", .type = OPT_TEXT, .at = AT(prompt_file),
	  .help = "a file that is the prompt, or follows the PROMPT on a line of its own" },
	{ "think", .arg = "WHEN", .type = OPT_CHOICE, .at = AT(think), .choices = "auto on off", .unset = "auto",
	  .help = "whether the model thinks before it answers, where its template can be told" },
	{ "tools", .arg = "FILE", .type = OPT_TEXT, .at = AT(tools_path),
	  .help = "tools for the model, a JSON array, passed to its template" },
	{ "context-policy", .arg = "POLICY", .type = OPT_CHOICE, .at = AT(policy), .choices = "ask drop-oldest refuse",
	  .unset = "ask", .help = "what to do with a message that the context has no room for" },
	{ "null", .type = OPT_FLAG, .at = AT(null),
	  .help = "end each answer with a NUL byte in place of a line end" },
	{ "tensor-type", .arg = "REGEX=TYPE", .type = OPT_LIST, .at = AT(tensor_types),
	  .help = "type of the tensors in whose name REGEX is found; may be given again, the first that fits counts" },
	{ "output-tensor-type", .arg = "TYPE", .type = OPT_TYPE, .at = AT(output_type), .unset = "as the level has it",
	  .help = "type of the output matrix" },
	{ "token-embedding-type", .arg = "TYPE", .type = OPT_TYPE, .at = AT(embd_type), .unset = "as the level has it",
	  .help = "type of the token embedding" },
	{ "allow-requantize", .type = OPT_FLAG, .at = AT(requantize),
	  .help = "take a model that is quantized already: what was lost stays lost" },
	{ "dry-run", .type = OPT_FLAG, .at = AT(dry_run),
	  .help = "tell every tensor's type and size, and write nothing" },
	{ "replace", "force", .type = OPT_FLAG, .at = AT(replace),
	  .help = "replace OUT without asking" },
	{ "help", .letter = 'h', .type = OPT_FLAG, .at = AT(help), .help = "this help" },
	{ 0 }
};

const struct opts opt_defaults = {
	.kv = ENG_KV_F16,
	.sample = { .temp = 0.8, .top_k = 40, .top_p = 0.95, .min_p = 0.05, .repeat_penalty = 1 },
	.n = -1, .think = "auto", .policy = "ask",
	.bench_p = 512, .bench_n = 128, .reps = 5,
};

_Static_assert(sizeof opt_table / sizeof *opt_table <= OPT_MAX, "OPT_MAX is too small");

const struct opt *opt_find(const char *key)
{
	const struct opt *r = opt_table;

	while (r->key && strcmp(r->key, key))
		r++;
	return r->key ? r : NULL;
}

const struct opt *opt_by_key(const char *key)
{
	const struct opt *r = opt_find(key);

	assert(r);
	return r;
}

bool opt_given(const struct opt *r, const struct opts *o)
{
	return o->given[r - opt_table];
}

void opt_give(const struct opt *r, struct opts *o)
{
	o->given[r - opt_table] = true;
}

void opt_copy(const struct opt *r, struct opts *to, const struct opts *from)
{
	static const size_t sizes[] = {
		[OPT_FLAG] = sizeof(bool), [OPT_TEXT] = sizeof(char *), [OPT_INT] = sizeof(int), [OPT_LONG] = sizeof(int64_t),
		[OPT_REAL] = sizeof(double), [OPT_SEED] = sizeof(uint64_t), [OPT_KV] = sizeof(enum eng_kv),
		[OPT_CHOICE] = sizeof(char *), [OPT_LEVEL] = sizeof(char *), [OPT_LEVELS] = sizeof(char *),
		[OPT_TYPE] = sizeof(char *), [OPT_LIST] = sizeof(struct opt_list),
	};

	memcpy((char *)to + r->at, (const char *)from + r->at, sizes[r->type]);
}

const char *opt_env(const struct opt *r, char *buf, size_t size)
{
	snprintf(buf, size, "TIDBIT_%s", opt_name(r));
	for (char *p = buf; *p; p++)
		*p = *p == '-' ? '_' : *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
	return buf;
}

/* One of the words is meant where none was given; of other texts the default is no value that could be written. */
static const char *unset_word(const struct opt *r)
{
	return r->type == OPT_CHOICE && r->unset ? r->unset : "";
}

const char *opt_value_text(const struct opt *r, const struct opts *o, char *buf, size_t size)
{
	const char *p = (const char *)o + r->at;

	buf[0] = '\0';
	switch (r->type) {
	case OPT_FLAG: snprintf(buf, size, "%s", *(const bool *)p ? "on" : "off"); break;
	case OPT_INT: snprintf(buf, size, "%d", *(const int *)p); break;
	case OPT_LONG: snprintf(buf, size, "%lld", (long long)*(const int64_t *)p); break;
	case OPT_REAL: snprintf(buf, size, "%g", *(const double *)p); break;
	case OPT_SEED: snprintf(buf, size, "%llu", (unsigned long long)*(const uint64_t *)p); break;
	case OPT_KV: snprintf(buf, size, "%s", eng_kv_name(*(const enum eng_kv *)p)); break;
	case OPT_TEXT:
	case OPT_LEVEL:
	case OPT_LEVELS:
	case OPT_TYPE:
	case OPT_CHOICE: snprintf(buf, size, "%s", *(const char *const *)p ? *(const char *const *)p : unset_word(r)); break;
	case OPT_LIST: break;
	}
	return buf;
}

const char *opt_default_text(const struct opt *r, char *buf, size_t size)
{
	buf[0] = '\0';
	if (r->unset)
		snprintf(buf, size, "%s", r->unset);
	else if (r->type != OPT_FLAG)
		opt_value_text(r, &opt_defaults, buf, size);
	return buf;
}

static void add_words(char *buf, size_t size, const char *words)
{
	size_t n;

	for (; *words; words += n + (words[n] == ' ')) {
		const size_t at = strlen(buf);

		n = strcspn(words, " ");
		snprintf(buf + at, size - at, "%s%.*s", at ? ", " : "", (int)n, words);
	}
}

const char *opt_range(const struct opt *r, char *buf, size_t size)
{
	buf[0] = '\0';
	switch (r->type) {
	case OPT_FLAG: snprintf(buf, size, "on, off"); break;
	case OPT_INT:
	case OPT_LONG: snprintf(buf, size, r->max >= INT32_MAX ? "%.0f or more" : "%.0f to %.0f", r->min, r->max); break;
	case OPT_REAL: snprintf(buf, size, "%g to %g", r->min, r->max); break;
	case OPT_SEED: snprintf(buf, size, "0 or more"); break;
	case OPT_CHOICE: add_words(buf, size, r->choices); break;
	case OPT_KV:
		for (int i = 0; i < ENG_KV_N; i++)
			add_words(buf, size, eng_kv_name((enum eng_kv)i));
		break;
	case OPT_LEVEL:
	case OPT_LEVELS:
		for (int i = 0; eng_level_name(i); i++)
			add_words(buf, size, eng_level_name(i));
		break;
	case OPT_TYPE:
		for (int i = 0; eng_type_name(i); i++)
			add_words(buf, size, eng_type_name(i));
		break;
	case OPT_TEXT:
	case OPT_LIST: break;
	}
	return buf;
}

/* -- values ------------------------------------------------------------------------ */

static int bad_value(const char *what, const char *value, struct err *e, const char *expected, ...)
	__attribute__((format(printf, 4, 5)));

static int bad_value(const char *what, const char *value, struct err *e, const char *expected, ...)
{
	char q[64], text[256];
	va_list ap;

	va_start(ap, expected);
	vsnprintf(text, sizeof text, expected, ap);
	va_end(ap);
	return err_set(e, ERR_ARG, "%s: expected %s, got '%s'", what, text,
		       err_quote(q, sizeof q, value, strlen(value)));
}

static int set_whole(const struct opt *r, char *at, const char *what, const char *value, struct err *e)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(value, &end, 10);
	if (end == value || *end || errno || (double)v < r->min || (double)v > r->max)
		return bad_value(what, value, e, "a whole number from %.0f to %.0f", r->min, r->max);
	if (r->type == OPT_INT)
		*(int *)at = (int)v;
	else
		*(int64_t *)at = v;
	return 0;
}

static int set_real(const struct opt *r, char *at, const char *what, const char *value, struct err *e)
{
	char *end;
	const double v = strtod(value, &end);

	if (end == value || *end || !isfinite(v) || v < r->min || v > r->max)
		return bad_value(what, value, e, "a number from %g to %g", r->min, r->max);
	*(double *)at = v;
	return 0;
}

static int set_seed(char *at, const char *what, const char *value, struct err *e)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end || errno)
		return bad_value(what, value, e, "a whole number from 0 to %llu", ULLONG_MAX);
	*(uint64_t *)at = v;
	return 0;
}

static int none_of_them(const struct opt *r, const char *what, const char *value, struct err *e)
{
	char words[128];

	return bad_value(what, value, e, "one of %s", opt_range(r, words, sizeof words));
}

static int set_kv(const struct opt *r, char *at, const char *what, const char *value, struct err *e)
{
	struct err why;

	return eng_kv_parse(value, (enum eng_kv *)at, &why) ? none_of_them(r, what, value, e) : 0;
}

static int set_choice(const struct opt *r, char *at, const char *what, const char *value, struct err *e)
{
	size_t n;

	for (const char *p = r->choices; *p; p += n + (p[n] == ' ')) {
		n = strcspn(p, " ");
		if (strlen(value) == n && !memcmp(p, value, n)) {
			*(const char **)at = value;
			return 0;
		}
	}
	return none_of_them(r, what, value, e);
}

typedef int check_fn(const char *what, const char *value, struct err *e);

static int set_checked(check_fn *check, char *at, const char *what, const char *value, struct err *e)
{
	if (check(what, value, e) < 0)
		return -1;
	*(const char **)at = value;
	return 0;
}

static int set_flag(char *at, const char *what, const char *value, struct err *e)
{
	static const struct { const char *word; bool on; } words[] = {
		{ "1", true }, { "yes", true }, { "on", true }, { "true", true },
		{ "0", false }, { "no", false }, { "off", false }, { "false", false }, { "", false },
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcasecmp(words[i].word, value))
			continue;
		*(bool *)at = words[i].on;
		return 0;
	}
	return bad_value(what, value, e, "1 or 0");
}

static int set_list(char *at, const char *what, const char *value, struct err *e)
{
	struct opt_list *l = (struct opt_list *)at;

	if (!*value)
		return bad_value(what, value, e, "a text that is not empty");
	if (l->n == OPT_LIST_MAX)
		return err_set(e, ERR_ARG, "%s: at most %d are taken", what, OPT_LIST_MAX);
	l->v[l->n++] = value;
	return 0;
}

int opt_set(const struct opt *r, struct opts *o, const char *what, const char *value, struct err *e)
{
	char *at = (char *)o + r->at;

	switch (r->type) {
	case OPT_FLAG:
		return set_flag(at, what, value, e);
	case OPT_TEXT:
		*(const char **)at = value;
		return 0;
	case OPT_INT:
	case OPT_LONG:
		return set_whole(r, at, what, value, e);
	case OPT_REAL:
		return set_real(r, at, what, value, e);
	case OPT_SEED:
		o->seed_set = true;
		return set_seed(at, what, value, e);
	case OPT_KV:
		return set_kv(r, at, what, value, e);
	case OPT_CHOICE:
		return set_choice(r, at, what, value, e);
	case OPT_LEVEL:
		return set_checked(levelname_check, at, what, value, e);
	case OPT_LEVELS:
		return set_checked(levelname_check_list, at, what, value, e);
	case OPT_TYPE:
		return set_checked(levelname_check_type, at, what, value, e);
	case OPT_LIST:
		return set_list(at, what, value, e);
	}
	return 0;
}

/* The same from the user. */
static int give(const struct opt *r, struct opts *o, const char *what, const char *value, struct err *e)
{
	opt_give(r, o);
	return opt_set(r, o, what, value, e);
}

/* -- finding an option --------------------------------------------------------------- */

static bool named(const struct opt *r, const char *name, size_t n)
{
	return strlen(opt_name(r)) == n && !memcmp(opt_name(r), name, n);
}

/* One word of the command line as an option: a long name or a letter. */
struct spelled { const char *name; size_t n; char letter; };

static bool matches(const struct opt *r, const struct spelled *s)
{
	return s->letter ? r->letter == s->letter : named(r, s->name, s->n);
}

static struct spelled spell(const char *arg)
{
	struct spelled s = { 0 };

	if (arg[1] == '-') {
		s.name = arg + 2;
		s.n = strcspn(s.name, "=");
	} else {
		s.letter = arg[1];
	}
	return s;
}

static const struct opt *of_verb(const struct cmd *verb, const struct spelled *s)
{
	for (const char *const *k = verb->opts; *k; k++)
		if (matches(opt_by_key(*k), s))
			return opt_by_key(*k);
	return NULL;
}

static const struct opt *of_any(const struct spelled *s)
{
	for (const struct opt *r = opt_table; r->key; r++)
		if (matches(r, s))
			return r;
	return NULL;
}

static const char *verb_nearest(const struct cmd *verb, const char *word)
{
	const char *names[sizeof opt_table / sizeof *opt_table];
	int n = 0;

	for (const char *const *k = verb->opts; *k; k++)
		names[n++] = opt_name(opt_by_key(*k));
	names[n] = NULL;
	return cmd_nearest(word, names);
}

static int unknown(const struct cmd *verb, const struct cmd *const *all, const char *arg,
		   const struct spelled *s, struct err *e)
{
	char q[64], word[64], verbs[256] = "";
	const char *near = NULL;

	err_quote(q, sizeof q, arg, s->letter ? 2 : s->n + 2);
	for (; *all; all++) {
		const size_t n = strlen(verbs);

		if (of_verb(*all, s))
			snprintf(verbs + n, sizeof verbs - n, "%s%s", n ? ", " : "", (*all)->name);
	}
	if (verbs[0])
		return err_set(e, ERR_ARG, "%s does not take %s; these do: %s", verb->name, q, verbs);
	if (!s->letter) {
		snprintf(word, sizeof word, "%.*s", (int)(s->n < 63 ? s->n : 63), s->name);
		near = verb_nearest(verb, word);
	}
	return near ? err_set(e, ERR_ARG, "unknown option %s; did you mean --%s?", q, near) :
		      err_set(e, ERR_ARG, "unknown option %s", q);
}

enum opt_word opt_word(const char *arg)
{
	const struct opt *r;
	struct spelled s;

	if (arg[0] != '-' || !arg[1])
		return OPT_WORD_PLAIN;
	if (!strcmp(arg, "--"))
		return OPT_WORD_END;
	s = spell(arg);
	r = of_any(&s);
	if (!r)
		return OPT_WORD_UNKNOWN;
	if (r->type == OPT_FLAG || (s.letter ? arg[2] : s.name[s.n]))
		return OPT_WORD_ALONE;
	return OPT_WORD_TAKES_NEXT;
}

/* -- parsing --------------------------------------------------------------------------- */

static int from_environment(const struct cmd *verb, struct opts *o, struct err *e)
{
	char env[64];

	for (const char *const *k = verb->opts; *k; k++) {
		const struct opt *r = opt_by_key(*k);
		const char *value = getenv(opt_env(r, env, sizeof env));

		/* a variable that is set to nothing is as one that is not set */
		if (value && *value && strcmp(r->key, "help") && give(r, o, env, value, e) < 0)
			return -1;
	}
	return 0;
}

/* The option at args[*i]; moves *i when the value is the next argument. */
static int one_option(const struct cmd *verb, const struct cmd *const *all, int n, char **args, int *i,
		      struct opts *o, struct err *e)
{
	char *arg = args[*i];
	const struct spelled s = spell(arg);
	const struct opt *r = of_verb(verb, &s);
	const char *value = s.letter ? (arg[2] ? arg + 2 : NULL) : s.name[s.n] ? s.name + s.n + 1 : NULL;
	char what[64], q[64];

	if (!r)
		return unknown(verb, all, arg, &s, e);
	if (s.letter)
		snprintf(what, sizeof what, "-%c", s.letter);
	else
		snprintf(what, sizeof what, "--%s", opt_name(r));
	if (r->type == OPT_FLAG) {
		if (value)
			return err_set(e, ERR_ARG, "%s takes no value, got '%s'", what,
				       err_quote(q, sizeof q, value, strlen(value)));
		*(bool *)((char *)o + r->at) = true;
		opt_give(r, o);
		return 0;
	}
	if (!value && *i + 1 < n)
		value = args[++*i];
	if (!value)
		return err_set(e, ERR_ARG, "%s needs a value: %s %s", what, what, r->arg);
	if (r->at == AT(model))
		o->model_set = true;
	return give(r, o, what, value, e);
}

static int positionals(const struct cmd *verb, int n, const char *const *words, struct opts *o, struct err *e)
{
	char q[64];

	for (int i = 0; i < n; i++)
		if (!verb->positional || verb->positional(o, i, words[i]) < 0)
			return err_set(e, ERR_ARG, "%s takes %s; '%s' is one too many", verb->name,
				       verb->args[0] ? verb->args : "options only",
				       err_quote(q, sizeof q, words[i], strlen(words[i])));
	return 0;
}

int opt_parse(const struct cmd *verb, const struct cmd *const *all, const struct opts *base, int n, char **args,
	      struct opts *o, struct err *e)
{
	const char **words = mem_array((size_t)n + 1, sizeof *words);
	int n_words = 0, r = -1;
	bool options = true;

	if (!words)
		return err_set(e, ERR_NOMEM, "no memory for the arguments");
	*o = *base;
	if (from_environment(verb, o, e) < 0)
		goto out;
	for (int i = 0; i < n; i++) {
		const enum opt_word w = options ? opt_word(args[i]) : OPT_WORD_PLAIN;

		if (w == OPT_WORD_END)
			options = false;
		else if (w == OPT_WORD_PLAIN)
			words[n_words++] = args[i];
		else if (one_option(verb, all, n, args, &i, o, e) < 0)
			goto out;
	}
	r = o->help ? 0 : positionals(verb, n_words, words, o, e);
out:
	mem_free(words);
	return r;
}
