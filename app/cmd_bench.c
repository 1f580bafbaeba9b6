/* The verb bench: levels of a model side by side, prefill and decode apart. */
#include "config.h"
#include "app/bench.h"
#include "app/interrupt.h"
#include "app/sink.h"
#include "engine/base/xio.h"

#include <string.h>

static int positional(struct opts *o, int i, const char *arg)
{
	if (i > 0 || o->model_set)
		return -1;
	o->model = arg;
	return 0;
}

static int show(const struct bench *b, struct err *e)
{
	const struct sink_ops *sink = sink_by_name(b->o->format);

	sink->begin(stdout);
	for (int i = 0; i < b->n_cases; i++) {
		struct bench_row *r = bench_row(b, &b->cases[i]);

		if (!r)
			return err_set(e, ERR_NOMEM, "no memory for a row");
		sink->row(stdout, r, i == 0);
		mem_free(r);
	}
	sink->end(stdout);
	return 0;
}

/* What a level was made from is worth knowing where the table has no column for it. */
static void tell_notes(const struct bench *b)
{
	for (int i = 0; i < b->n_levels; i++) {
		const struct eng_weights_info *w = eng_weights_info(b->levels[i].weights);

		if (w->note)
			cmd_note("%s: %s", w->level, w->note);
	}
}

static int run(struct opts *o)
{
	struct bench b;
	struct err e;
	int ret;

	if (!o->model)
		return cmd_usage(&cmd_bench, "bench needs a model: -m MODEL");
	if (!o->bench_p && !o->bench_n)
		return cmd_usage(&cmd_bench, "nothing to measure: -p and -n are both 0");
	if (o->profile && o->format && strcmp(o->format, "md"))
		return cmd_usage(&cmd_bench, "--profile tells a table: no --output %s", o->format);
	interrupt_catch();
	ret = bench_init(&b, o, &e);
	if (!ret)
		tell_notes(&b);
	if (!ret && o->profile)
		ret = bench_profile(&b, stdout, &e);
	else if (!ret && !(ret = bench_run(&b, &e)))
		ret = show(&b, &e);
	bench_free(&b);
	return ret < 0 ? rig_fail(&e) : EXIT_OK;
}

static const char *const takes[] = {
	"model", "levels", "n-prompt", "n-gen", "n-depth", "repetitions", "profile", "threads", "output",
	"kv", "act", "ctx", "chunk", "force", "isa", "help", NULL
};

static const char *const notes[] = {
	"ppN computes N tokens of a prompt together, tgN computes N tokens one after the other, as an answer does; @ dN "
	"behind N tokens more. "
	"Each is warmed up first; repetitions go over all levels in turn. The table tells mean and standard deviation.",
	NULL
};

const struct cmd cmd_bench = {
	.name = "bench", .args = "[MODEL]", .help = "measure prefill and decode speed, one row a level and test",
	.opts = takes, .notes = notes, .positional = positional, .run = run,
};
