/*
 * The verb run: one prompt, one answer on stdout, nothing else there. Everything tidbit has
 * to say itself goes to stderr.
 */
#include "config.h"
#include "app/answer.h"
#include "app/cmd.h"
#include "app/interrupt.h"
#include "app/meter.h"
#include "app/profile.h"
#include "app/rig.h"
#include "app/termtext.h"
#include "app/tools.h"
#include "app/units.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RUN_PROMPT_MAX = 64 << 20 };

static int positional(struct opts *o, int i, const char *arg)
{
	i += o->model_set;
	if (i > 1)
		return -1;
	*(i ? &o->prompt : &o->model) = arg;
	return 0;
}

/* -- the prompt ------------------------------------------------------------------------ */

/* A pipe, a file or a socket has something to say; a terminal and /dev/null have not. */
static bool stdin_speaks(void)
{
	struct stat st;

	return !fstat(STDIN_FILENO, &st) && (S_ISFIFO(st.st_mode) || S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode));
}

/*
 * Appends a file, or with "-" what standard input holds, after a line end if a prompt stands before
 * it; in a chat its last line end is dropped.
 */
static int read_file(const char *path, bool raw, struct str *prompt, struct err *e)
{
	struct str in;
	int r;

	str_init(&in, RUN_PROMPT_MAX);
	r = xio_slurp(path, &in, e);
	if (!r && !raw && in.len && in.p[in.len - 1] == '\n')
		str_cut(&in, in.len - 1);
	if (!r && in.len) {
		if (prompt->len)
			str_addc(prompt, '\n');
		str_add(prompt, in.p, in.len);
	}
	str_release(&in);
	return r;
}

/* What an answer stands on besides the model. */
struct setting {
	struct profile profile;
	struct stop stop;
	struct str tools;		/* JSON, "" for none */
};

static int setting_open(struct setting *s, const struct rig *r, struct opts *o, struct err *e)
{
	struct str complaints;
	int rc;

	str_init(&s->tools, 0);
	str_init(&complaints, 0);
	rc = profile_load(&s->profile, eng_model_info(r->model), &complaints, e);
	cmd_notes(&complaints);
	str_release(&complaints);
	if (rc)
		return rc;
	profile_fill(&s->profile, o);
	for (int i = 0; i < s->profile.n_stops; i++)
		stop_add(&s->stop, s->profile.stops[i]);
	for (int i = 0; i < o->stop.n; i++)
		stop_add(&s->stop, o->stop.v[i]);
	return o->tools_path ? tools_read(o->tools_path, &s->tools, e) : 0;
}

static void setting_close(struct setting *s)
{
	profile_release(&s->profile);
	str_release(&s->tools);
}

static int tokens(struct rig *r, const struct opts *o, const struct setting *s, const struct str *prompt,
		  struct eng_ids *ids, struct err *e)
{
	const struct eng_chat_opts co = {
		.thinking = !strcmp(o->think, "on") ? 1 : !strcmp(o->think, "off") ? 0 : -1,
		.tools = s->tools.len ? s->tools.p : NULL,
	};
	struct eng_msg msgs[2];
	const char *why = NULL;
	size_t n = 0;

	if (!o->raw && eng_has_template(r->model, &why)) {
		if (why)
			cmd_note("%s", why);
		if (s->tools.len && !tools_heard(r->model, s->tools.p))
			cmd_note("the model's template makes nothing of --tools");
		if (co.thinking > 0 && !thinking_heard(r->model))
			cmd_note("the model's template makes nothing of --think on");
		if (o->system)
			msgs[n++] = (struct eng_msg){ .role = "system", .text = o->system, .len = strlen(o->system) };
		msgs[n++] = (struct eng_msg){ .role = "user", .text = prompt->p, .len = prompt->len };
		return eng_chat(r->model, msgs, n, &co, ids, e);
	}
	if (!o->raw)
		cmd_note("the model goes on with the prompt instead of answering it: %s",
			 why ? why : "it has no chat template");
	if (o->system)
		cmd_note("--system has no place without a chat template: left out");
	if (o->tools_path)
		cmd_note("--tools has no place without a chat template: left out");
	if (co.thinking > 0)
		cmd_note("--think on has no place without a chat template: left out");
	return eng_tokenize(r->model, prompt->p, prompt->len, false, ids, e);
}

/* -- the answer --------------------------------------------------------------------------- */

struct output {
	struct rig *rig;
	struct meter meter;
	bool terminal;		/* stdout is one: the text is filtered */
	bool thinks_aloud;	/* standard error is one: the thinking goes there */
	struct termtext filter;
	struct str all;		/* of the answer */
	size_t told;		/* bytes of it */
	enum think_state was;	/* … as it was told last: think_told_late() */
	bool late;		/* that was said */
	struct str buf;
	char last;		/* byte written last */
	bool failed;
	struct err err;
};

static void put(struct output *out, const char *p, size_t n)
{
	if (out->failed || !n)
		return;
	if (xio_write(STDOUT_FILENO, p, n, "standard output", &out->err) < 0) {
		out->failed = true;
		eng_session_cancel(out->rig->session);
	}
	out->last = p[n - 1];
}

static void put_buf(struct output *out)
{
	put(out, out->buf.p, out->buf.len);
	str_clear(&out->buf);
}

static void put_answer(struct output *out, const char *text, size_t n)
{
	if (!out->terminal) {
		put(out, text, n);
		return;
	}
	termtext_add(&out->filter, text, n, &out->buf);
	put_buf(out);
}

/* Thinking is no part of the answer. */
static void put_thinking(struct output *out, const char *text, size_t n)
{
	struct str s;

	if (!out->thinks_aloud)
		return;
	str_init(&s, 0);
	termtext_whole(text, n, TERMTEXT_LINES, &s);
	fputs(s.p, stderr);
	str_release(&s);
}

static void tell(struct output *out, const struct answer_stats *s, bool whole)
{
	const bool hold = !out->terminal && s->may_think;
	enum think_part what;
	size_t from, to;

	if (think_told_late(&s->think, &out->was, out->told)) {
		out->late = true;
		fprintf(stderr, "%stidbit: %s\n", out->last != '\n' && out->terminal ? "\n" : "", THINK_LATE);
	}
	do {
		const bool was_thinking = out->told && out->told <= s->think.to;

		what = think_next(&s->think, out->all.len, whole, hold, &out->told, &from, &to);
		if (what == THINK_PART_THINKING)
			put_thinking(out, out->all.p + from, to - from);
		if (what == THINK_PART_ANSWER && was_thinking && out->thinks_aloud)
			fputs("\n\n", stderr);
		if (what == THINK_PART_ANSWER)
			put_answer(out, out->all.p + from, to - from);
	} while (what == THINK_PART_THINKING);
}

static void on_text(void *arg, const char *text, size_t n, const struct answer_stats *s)
{
	struct output *out = arg;

	meter_clear(&out->meter);
	str_add(&out->all, text, n);
	tell(out, s, false);
}

static bool on_progress(void *arg, int64_t done, int64_t total)
{
	struct output *out = arg;

	return meter_progress(&out->meter, done, total);
}

static void output_init(struct output *out, struct rig *r)
{
	*out = (struct output){
		.rig = r, .terminal = isatty(STDOUT_FILENO), .thinks_aloud = isatty(STDERR_FILENO), .last = '\n',
	};
	meter_init(&out->meter, "reading the prompt");
	termtext_init(&out->filter, TERMTEXT_LINES);
	str_init(&out->buf, 0);
	str_init(&out->all, 0);
}

/* An answer is whole lines, one that failed too; one that was stopped before its first token is none. */
static void output_end(struct output *out, const struct answer *a, bool complete)
{
	meter_clear(&out->meter);
	tell(out, &a->stats, true);
	termtext_end(&out->filter, &out->buf);
	put_buf(out);
	if (out->last != '\n' || (complete && !a->stats.n_gen && a->end != ANSWER_STOPPED))
		put(out, "\n", 1);
	if (a->stats.think.unopened && !out->late && !out->terminal)
		cmd_note("%s", THINK_CUT);
}

/* -- figures --------------------------------------------------------------------------------- */

static void tell_speed(const struct answer *a)
{
	const struct answer_stats *s = &a->stats;
	char first[32] = "none";

	if (s->first_ns)
		units_time(first, sizeof first, s->first_ns);
	fprintf(stderr, "prompt %d tokens, prefill %.1f tok/s, first token %s, decode %.1f tok/s, answer %d tokens%s%s\n",
		s->n_prompt, answer_prefill_rate(s), first, answer_decode_rate(s), s->n_gen,
		*answer_end_text(a->end) ? ", " : "", answer_end_text(a->end));
}

/* The parts add up to the resident set: "other" is the program, its libraries and the file's header. */
static void tell_memory(const struct rig *r)
{
	char rss[32], weights[32], made[32], kv[32], kv_all[32], scratch[32], other[32];
	const uint64_t all = os_rss();
	struct eng_mem m;
	uint64_t parts;

	eng_session_mem(r->session, &m);
	parts = m.weights_resident + m.weights_made + m.kv_used + m.scratch;
	fprintf(stderr, "RSS %s: weights %s mapped + %s made, KV %s of %s, scratch %s, other %s\n",
		units_bytes(rss, sizeof rss, all), units_bytes(weights, sizeof weights, m.weights_resident),
		units_bytes(made, sizeof made, m.weights_made), units_bytes(kv, sizeof kv, m.kv_used),
		units_bytes(kv_all, sizeof kv_all, m.kv_reserved), units_bytes(scratch, sizeof scratch, m.scratch),
		units_bytes(other, sizeof other, all > parts ? all - parts : 0));
}

static void tell_model(const struct rig *r, const struct opts *o)
{
	const struct eng_weights_info *w = eng_weights_info(r->weights);
	char bytes[32];

	fprintf(stderr, "level %s, %.2f bpw, %s%s%s, %d x %s, activations %s, KV %s", w->level, w->bpw,
		units_bytes(bytes, sizeof bytes, w->bytes), w->note ? ", " : "", w->note ? w->note : "",
		eng_threads(r->eng), eng_isa(r->eng), eng_session_act(r->session), eng_kv_name(o->kv));
	if (o->sample.temp > 0)
		fprintf(stderr, ", seed %llu", (unsigned long long)o->sample.seed);
	fputc('\n', stderr);
}

/* -- the verb ---------------------------------------------------------------------------------- */

static int answer(struct rig *r, const struct opts *o, const struct setting *s, const struct str *prompt, struct err *e)
{
	struct eng_ids ids = { 0 };
	struct answer a = {
		.model = r->model, .session = r->session, .n_max = o->n, .stop = &s->stop,
		.marks = { o->raw ? "" : s->profile.think_open, o->raw ? "" : s->profile.think_close },
		.no_thinking = !strcmp(o->think, "off"),
	};
	struct output out;
	int code = -1;

	if (tokens(r, o, s, prompt, &ids, e) < 0)
		goto out;
	a.sampler = eng_sampler_new(&o->sample, e);
	if (!a.sampler)
		goto out;
	output_init(&out, r);
	a.prompt = ids.p;
	a.n_prompt = (int32_t)ids.n;
	a.at_start = !prompt->len;
	a.text = on_text;
	a.progress = on_progress;
	a.arg = &out;
	code = answer_run(&a, e);
	output_end(&out, &a, code == 0);
	str_release(&out.buf);
	str_release(&out.all);
	if (code < 0)
		goto out;
	if (o->stats || isatty(STDERR_FILENO)) {
		tell_speed(&a);
		tell_memory(r);
		tell_model(r, o);
	} else if (a.end == ANSWER_CONTEXT) {
		cmd_note("the context is full: the answer stops after %d tokens; -c makes it larger", a.stats.n_gen);
	}
	if (answer_only_thought(&a.stats, a.end))
		cmd_note("the answer ended inside its thinking, %d tokens: %s", a.stats.n_thought,
			 answer_why_only_thought(a.end));
	if (out.failed)
		code = cmd_fail(&out.err);
	else
		code = interrupt_seen() ? interrupt_exit() : EXIT_OK;
out:
	eng_sampler_free(a.sampler);
	eng_ids_release(&a.ids);
	eng_ids_release(&ids);
	return code;
}

static int compute(struct opts *o, const struct str *prompt)
{
	struct setting s = { 0 };
	struct rig r = { 0 };
	struct err e;
	int code = -1;

	interrupt_catch();
	if (!o->seed_set)
		o->sample.seed = (uint64_t)os_now_ns();
	if (rig_open(&r, o, &e) < 0 || eng_text(r.model, &e) < 0)
		goto out;
	rig_note_context(&r, o);
	if (setting_open(&s, &r, o, &e) == 0 && rig_session(&r, o, o->level, o->n_ctx, &e) == 0)
		code = answer(&r, o, &s, prompt, &e);
out:
	setting_close(&s);
	rig_close(&r);
	return code < 0 ? rig_fail(&e) : code;
}

static int run(struct opts *o)
{
	/* -f - is standard input by its name */
	const bool speaks = stdin_speaks() && !(o->prompt_file && !strcmp(o->prompt_file, "-"));
	struct str prompt;
	struct err e;
	int code;

	if (!o->model)
		return cmd_usage(&cmd_run, "run needs a MODEL");
	if (!o->prompt && !o->prompt_file && !speaks && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return cmd_open_chat(o);
	if (!o->prompt && !o->prompt_file && !speaks)
		return cmd_usage(&cmd_run, "run needs a PROMPT, as an argument, in a file (-f) or on standard input");
	str_init(&prompt, RUN_PROMPT_MAX);
	str_adds(&prompt, o->prompt ? o->prompt : "");
	if ((o->prompt_file && read_file(o->prompt_file, o->raw, &prompt, &e) < 0) ||
	    (speaks && read_file("-", o->raw, &prompt, &e) < 0))
		code = cmd_fail(&e);
	else if (prompt.failed)
		code = cmd_usage(&cmd_run, "the prompt is larger than %d MiB", RUN_PROMPT_MAX >> 20);
	else
		code = compute(o, &prompt);
	str_release(&prompt);
	return code;
}

static const char *const takes[] = {
	"model", "file", "raw", "system", "think", "tools", "stop",
	"temp", "top-k", "top-p", "min-p", "repeat-penalty", "seed", "max-tokens",
	"level", "kv", "act", "ctx", "force", "threads", "isa", "chunk", "stats", "plain", "ascii", "offline", "help", NULL
};

static const char *const notes[] = {
	"Standard input, when it is a pipe or a file, is the prompt, or follows the PROMPT on a line of its own. "
	"Without a prompt, on a terminal, the chat opens.",
	"The answer goes to standard output; what it cost goes to standard error when that is a terminal, or with "
	"--stats. Ctrl-C ends the answer, exit code 130.",
	NULL
};

const struct cmd cmd_run = {
	.name = "run", .args = "MODEL [PROMPT]", .help = "one answer on standard output",
	.opts = takes, .notes = notes, .positional = positional, .run = run,
};
