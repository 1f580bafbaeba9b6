/* The verb quantize: a model file at another level. The engine does the work; here are words and questions. */
#include "config.h"
#include "app/interrupt.h"
#include "app/levelname.h"
#include "app/meter.h"
#include "app/rig.h"
#include "app/termtext.h"
#include "app/units.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int positional(struct opts *o, int i, const char *arg)
{
	const char **const at[] = { &o->file, &o->out_path, &o->level };

	if (i >= 3)
		return -1;
	*at[i] = arg;
	return 0;
}

/* -- types by name ----------------------------------------------------------------- */

/* REGEX=TYPE, cut at the last '=': a pattern may hold one. ERR_ARG is a wrong call. */
static int split(const char *text, struct eng_override *out, struct err *e)
{
	const char *eq = strrchr(text, '=');
	char q[80];

	if (!eq || eq == text || !eq[1])
		return err_set(e, ERR_ARG, "--tensor-type: expected REGEX=TYPE, got '%s'",
			       err_quote(q, sizeof q, text, strlen(text)));
	if (levelname_check_type("--tensor-type", eq + 1, e) < 0)
		return -1;
	out->pattern = mem_strndup(text, (size_t)(eq - text));
	out->type = eq + 1;
	return out->pattern ? 0 : err_set(e, ERR_NOMEM, "no memory for a pattern");
}

/* What options say, for the engine; the patterns are to be freed. */
static int gather(const struct opts *o, struct eng_quantize_opts *q, struct eng_override *list, struct err *e)
{
	*q = (struct eng_quantize_opts){ .level = o->level, .overrides = list, .output_type = o->output_type,
					 .embd_type = o->embd_type, .requantize = o->requantize };
	for (; q->n_overrides < (size_t)o->tensor_types.n; q->n_overrides++)
		if (split(o->tensor_types.v[q->n_overrides], &list[q->n_overrides], e) < 0)
			return -1;
	return 0;
}

/* -- what is told ------------------------------------------------------------------ */

/* A line that holds names from outside, on standard output. */
static void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void print(const char *fmt, ...)
{
	struct str raw, line;
	va_list ap;

	str_init(&raw, 1 << 20);
	str_init(&line, 1 << 22);
	va_start(ap, fmt);
	str_vaddf(&raw, fmt, ap);
	va_end(ap);
	termtext_whole(raw.p, raw.len, 0, &line);
	puts(line.p);
	str_release(&raw);
	str_release(&line);
}

static void tell_tensor(void *arg, const char *name, const char *from, const char *to, uint64_t bytes)
{
	char size[32];

	(void)arg;
	print("%-32s %-6s %s %-6s %10s", name, from, strcmp(from, to) ? "->" : "  ", strcmp(from, to) ? to : "",
	      units_bytes(size, sizeof size, bytes));
}

/* What the engine is told to tell: how far it is, and before that what the options come to. */
struct telling { struct meter meter; const char *level; };

static bool tell_progress(void *arg, int64_t done, int64_t total)
{
	struct telling *t = arg;

	return meter_progress(&t->meter, done, total);
}

static void tell_unused(void *arg, const char *pattern)
{
	const struct telling *t = arg;

	cmd_note("--tensor-type: '%s' decides no tensor's type at %s", pattern, t->level);
}

static void tell_notes(const struct opts *o, const struct eng_quantize_result *r)
{
	if (r->warning)
		cmd_note("%s: %s", o->level, r->warning);
	if (r->fallbacks)
		cmd_note("%lld of %lld tensors get another type than the level's: their rows are no whole blocks of it",
			 (long long)r->fallbacks, (long long)r->tensors);
}

static void tell_result(const struct opts *o, const struct eng_quantize_result *r, int64_t ns)
{
	char from[32], to[32], time[48] = "";

	if (!o->dry_run) {
		strcpy(time, " in ");
		units_time(time + 4, sizeof time - 4, ns);
	}
	print("%s: %s, %.2f bits per weight, %s of tensors from %s%s", o->dry_run ? "would be" : o->out_path,
	      r->level, r->bpw, units_bytes(to, sizeof to, r->bytes_out), units_bytes(from, sizeof from, r->bytes_in),
	      time);
}

/* -- the work ---------------------------------------------------------------------- */

/*
 * A file that stands where OUT is to go is somebody's model: a person is asked, a script knows
 * what it does. Nothing is asked for a call that cannot succeed.
 */
static int ask(struct eng *g, const struct opts *o, struct eng_quantize_opts q, struct err *e)
{
	struct eng_quantize_result r;
	char size[32], answer[16];
	struct stat st;

	if (o->replace || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) || stat(o->out_path, &st) < 0 ||
	    !S_ISREG(st.st_mode) || xio_same(o->file, o->out_path))
		return 0;
	q.dry_run = true;
	if (eng_quantize(g, o->file, o->out_path, &q, &r, e) < 0)
		return -1;
	cmd_note("%s is there already, %s; replace it? [y/N]", o->out_path,
		 units_bytes(size, sizeof size, (uint64_t)st.st_size));
	if (fgets(answer, sizeof answer, stdin) && (*answer == 'y' || *answer == 'Y'))
		return 0;
	return err_set(e, ERR_CANCELLED, "%s is left as it is", o->out_path);
}

static int work(struct eng *g, const struct opts *o, struct eng_quantize_opts *q, struct err *e)
{
	struct eng_quantize_result r;
	const int64_t start = os_now_ns();
	char what[48];
	struct telling t = { .level = o->level };
	int ret;

	snprintf(what, sizeof what, "making %.32s", o->level);
	meter_init(&t.meter, what);
	q->progress = tell_progress;
	q->arg = &t;
	q->dry_run = o->dry_run;
	q->unused = tell_unused;
	if (o->dry_run)
		q->tensor = tell_tensor;
	ret = eng_quantize(g, o->file, o->out_path, q, &r, e);
	meter_clear(&t.meter);
	if (ret < 0)
		return -1;
	tell_notes(o, &r);
	tell_result(o, &r, os_now_ns() - start);
	return 0;
}

static int run_with(struct opts *o, struct eng_override *list)
{
	struct eng_quantize_opts q;
	struct rig rig = { 0 };
	struct err e;
	int ret;

	if (gather(o, &q, list, &e) < 0)
		return e.code == ERR_ARG ? cmd_usage(&cmd_quantize, "%s", e.msg) : cmd_fail(&e);
	ret = rig_engine(&rig, o, &e);
	if (!ret && !o->dry_run)
		ret = ask(rig.eng, o, q, &e);
	interrupt_catch();
	if (!ret)
		ret = work(rig.eng, o, &q, &e);
	rig_close(&rig);
	return ret < 0 ? rig_fail(&e) : EXIT_OK;
}

/* What can be no name of a file, or would be taken for another thing; NULL: it may be one. */
static const char *bad_place(const char *out)
{
	if (out && !*out)
		return "the name is empty; name a file";
	if (out && !strcmp(out, "-"))
		return "a model is not written to standard output; name a file (./- is one of that name)";
	return NULL;
}

static int run(struct opts *o)
{
	struct eng_override *list;
	const char *why;
	struct err e;
	int code;

	if (o->dry_run && !o->level) {
		o->level = o->out_path;
		o->out_path = NULL;
	}
	if (!o->file || !o->level || (!o->out_path && !o->dry_run))
		return cmd_usage(&cmd_quantize, "quantize: name IN, OUT and LEVEL");
	if (levelname_check("LEVEL", o->level, &e) < 0)
		return cmd_usage(&cmd_quantize, "%s", e.msg);
	why = bad_place(o->out_path);
	if (why) {
		cmd_note("OUT: %s", why);
		return EXIT_USAGE;
	}
	list = mem_calloc((size_t)o->tensor_types.n, sizeof *list);
	if (!list) {
		cmd_note("no memory for patterns");
		return EXIT_FAIL;
	}
	code = run_with(o, list);
	for (int i = 0; i < o->tensor_types.n; i++)
		mem_free((void *)list[i].pattern);
	mem_free(list);
	return code;
}

static const char *const takes[] = {
	"threads", "tensor-type", "output-tensor-type", "token-embedding-type", "allow-requantize", "dry-run",
	"replace", "help", NULL
};

static const char *const notes[] = {
	"IN is a GGUF file; of a model in parts, the first. OUT appears when it is whole: until then, after Ctrl-C "
	"and after an error what stood there stays. A file that stands there is replaced; on a terminal tidbit asks.",
	"",
	"LEVEL is one type for all matrices (F32 F16 BF16 Q8_0 Q6_K Q5_1 Q5_0 Q4_1 Q4_0 IQ4_NL IQ4_XS TQ2_0 TQ1_0), "
	"or a mix (Q5_K_M Q5_K_S Q4_K_M Q4_K_S Q3_K_L Q3_K_M Q3_K_S Q2_K Q2_K_S). I2_S takes ternary weights only. "
	"Norms and biases stay as they are; the output matrix gets more bits. With --dry-run, OUT may be left out.",
	"",
	"REGEX is a Perl-compatible pattern: --tensor-type 'blk\\.[0-3]\\.ffn_down=Q8_0'.",
	NULL
};

const struct cmd cmd_quantize = {
	.name = "quantize", .args = "IN OUT LEVEL", .help = "write a model file at another quantization level",
	.opts = takes, .notes = notes, .positional = positional, .run = run,
};
