/*
 * A benchmark: a plan of cases (level × test), measured in rounds, and what comes out as rows.
 *
 * A case is llama-bench's: ppN computes N random ids into an empty session at once, tgN
 * computes N random ids one by one, each the real one-token step of a chat; with a depth, behind
 * as many ids that are computed before and not timed. Ids come from a
 * fixed seed and are the same for every level. Only engine calls are inside the timed part.
 * Each case is warmed up until two runs agree; then each round measures every case once, so
 * that what the machine does meanwhile falls on all of them.
 *
 * All levels are in memory at the same time while it runs.
 */
#ifndef APP_BENCH_H
#define APP_BENCH_H

#include "app/rig.h"

#include <stdio.h>

enum bench_kind { BENCH_PREFILL, BENCH_DECODE };

/* mean, sample standard deviation (n - 1), and half the width of the mean's 95 % interval (Student's t) */
struct bench_stat { double mean, sd, ci95; };
/* n >= 1; sd and ci95 are 0 for one sample. */
struct bench_stat bench_stat(const double *samples, int n);

struct bench_level {
	struct eng_weights *weights;
	struct eng_session *session;
};

struct bench_case {
	enum bench_kind kind;
	int32_t n;			/* tokens */
	const struct bench_level *level;
	double *ns;			/* one a round */
	char time[24];			/* when its first round began, UTC: 2026-01-31T12:00:00Z */
};

struct bench {
	struct rig rig;			/* engine and model; its weights and session are not used */
	const struct opts *o;
	struct bench_level *levels;
	int n_levels;
	struct bench_case *cases;	/* by level, prefill before decode */
	int n_cases;
	int32_t *ids;
};

/*
 * Makes plan and levels by the options: level a list with commas (NULL: the file's own), bench_p,
 * bench_n (0 leaves a test out), reps. ERR_ARG names what is wrong with the list. Call bench_free()
 * whatever happened.
 */
int bench_init(struct bench *b, const struct opts *o, struct err *e);
void bench_free(struct bench *b);
/* Warm-up and all rounds. ERR_CANCELLED after Ctrl-C. */
int bench_run(struct bench *b, struct err *e);

/*
 * Measures each case once more, counting its works (eng_profile), and writes a table of them: time
 * and, held against the machine's limits (measured now when they were not before), the share of the
 * time that the memory or the arithmetic alone would have taken.
 */
int bench_profile(const struct bench *b, FILE *f, struct err *e);

/* Runs a case until two times agree, a few times at most. */
int bench_warm(const struct bench *b, const struct bench_case *c, struct err *e);
/* One measurement of a case: n tokens of its kind, *ns what they took. */
int bench_once(const struct bench *b, const struct bench_case *c, int32_t n, double *ns, struct err *e);

/* A case as it is shown; strings are borrowed from the bench or static. */
struct bench_row {
	const char *build_commit, *cpu_info, *model_filename, *model_type, *type_k, *type_v, *act, *test_time;
	const char *level, *level_note, *isa;
	int64_t model_size, model_n_params, n_batch, n_threads, n_prompt, n_gen, n_depth;
	int64_t avg_ns, stddev_ns;
	double avg_ts, stddev_ts, ci95_ts, bpw;
	const double *samples_ns;
	const double *samples_ts;
	int n_samples;
	/* what the strings and samples above stand in */
	char type_text[96], file_text[512];
	double ts[];
};
/* NULL: no memory. The caller frees it (mem_free). */
struct bench_row *bench_row(const struct bench *b, const struct bench_case *c);

#endif
