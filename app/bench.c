#include "config.h"
#include "app/bench.h"
#include "app/interrupt.h"
#include "app/meter.h"
#include "app/termtext.h"
#include "app/units.h"
#include "engine/base/os.h"
#include "engine/base/str.h"
#include "engine/base/xio.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	BENCH_WARM_MAX = 4,	/* warm-up runs of a case, at most */
	BENCH_WARM_DECODE = 16,	/* tokens of a decode's warm-up run */
};
static const double warm_agrees = 0.05;
static const uint64_t ids_seed = 42;

/* -- statistics --------------------------------------------------------------------------- */

/* 97.5 % points of Student's t for 1 … 30 degrees of freedom; beyond, the normal's is near enough. */
static double student_t(int df)
{
	static const double t[] = {
		12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
		2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
		2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
	};

	return df <= 30 ? t[df - 1] : 1.96 + 2.5 / df;
}

struct bench_stat bench_stat(const double *samples, int n)
{
	struct bench_stat s = { 0 };

	assert(n > 0);
	for (int i = 0; i < n; i++)
		s.mean += samples[i] / n;
	if (n < 2)
		return s;
	for (int i = 0; i < n; i++)
		s.sd += (samples[i] - s.mean) * (samples[i] - s.mean);
	s.sd = sqrt(s.sd / (n - 1));
	s.ci95 = student_t(n - 1) * s.sd / sqrt(n);
	return s;
}

/* -- the plan -------------------------------------------------------------------------------- */

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static int64_t longest(const struct opts *o)
{
	return o->bench_d + (o->bench_p > o->bench_n ? o->bench_p : o->bench_n);
}

/* The context is -c's, else what the model was trained on: tests that need more are not measured. */
static int check_context(const struct bench *b, struct err *e)
{
	const int64_t n = longest(b->o), trained = eng_model_info(b->rig.model)->n_ctx_train;
	const int64_t most = b->o->n_ctx ? b->o->n_ctx : trained;

	if (n <= most)
		return 0;
	return err_set(e, ERR_CONTEXT, "%s-%c %lld does not fit a context of %lld%s; -c %lld makes it large enough",
		       b->o->bench_d ? "-d with " : "", b->o->bench_p >= b->o->bench_n ? 'p' : 'n',
		       (long long)(n - b->o->bench_d), (long long)most,
		       b->o->n_ctx ? "" : ", which the model was trained on", (long long)n);
}

static int make_ids(struct bench *b, struct err *e)
{
	const int64_t n = longest(b->o), n_vocab = eng_model_info(b->rig.model)->n_vocab;
	uint64_t state = ids_seed;

	b->ids = mem_array((size_t)n, sizeof *b->ids);
	if (!b->ids)
		return err_set(e, ERR_NOMEM, "no memory for %lld ids", (long long)n);
	for (int64_t i = 0; i < n; i++)
		b->ids[i] = (int32_t)(next_random(&state) % (uint64_t)n_vocab);
	return 0;
}

/* The first level of a list with commas into name; the rest of the list, NULL when that was the last. */
static const char *next_level(const char *list, char *name, size_t size)
{
	const size_t n = strcspn(list, ",");

	snprintf(name, size, "%.*s", (int)(n < size ? n : size - 1), list);
	return list[n] ? list + n + 1 : NULL;
}

static int add_level(struct bench *b, const char *name, struct err *e)
{
	struct rig r = { .eng = b->rig.eng, .model = b->rig.model };
	const int64_t n_ctx = b->o->n_ctx ? b->o->n_ctx : longest(b->o);
	struct bench_level *more;
	int ret;

	if (b->n_levels == INTERRUPT_SESSIONS)
		return err_set(e, ERR_LIMIT, "more than %d levels at once", INTERRUPT_SESSIONS);
	more = mem_rearray(b->levels, (size_t)b->n_levels + 1, sizeof *more);
	if (!more)
		return err_set(e, ERR_NOMEM, "no memory for a level");
	b->levels = more;
	ret = rig_session(&r, b->o, name, n_ctx, e);
	/* taken over also when only the weights were made: bench_free() is what frees */
	b->levels[b->n_levels++] = (struct bench_level){ r.weights, r.session };
	return ret;
}

static int add_levels(struct bench *b, struct err *e)
{
	char name[32];

	if (!b->o->level)
		return add_level(b, NULL, e);
	for (const char *list = b->o->level; list;) {
		list = next_level(list, name, sizeof name);
		if (!name[0])
			return err_set(e, ERR_ARG, "the list of levels has an empty place");
		if (add_level(b, name, e) < 0)
			return -1;
	}
	return 0;
}

static int add_case(struct bench *b, const struct bench_level *l, enum bench_kind kind, int64_t n, struct err *e)
{
	struct bench_case *c = &b->cases[b->n_cases];

	if (!n)
		return 0;
	*c = (struct bench_case){ .kind = kind, .n = (int32_t)n, .level = l };
	c->ns = mem_array((size_t)b->o->reps, sizeof *c->ns);
	if (!c->ns)
		return err_set(e, ERR_NOMEM, "no memory for %d repetitions", b->o->reps);
	b->n_cases++;
	return 0;
}

int bench_init(struct bench *b, const struct opts *o, struct err *e)
{
	*b = (struct bench){ .o = o };
	if (rig_open(&b->rig, o, e) < 0 || check_context(b, e) < 0)
		return -1;
	rig_note_context(&b->rig, o);
	if (make_ids(b, e) < 0 || add_levels(b, e) < 0)
		return -1;
	b->cases = mem_array((size_t)b->n_levels * 2, sizeof *b->cases);
	if (!b->cases)
		return err_set(e, ERR_NOMEM, "no memory for the plan");
	for (int i = 0; i < b->n_levels; i++)
		if (add_case(b, &b->levels[i], BENCH_PREFILL, o->bench_p, e) < 0 ||
		    add_case(b, &b->levels[i], BENCH_DECODE, o->bench_n, e) < 0)
			return -1;
	return 0;
}

void bench_free(struct bench *b)
{
	for (int i = 0; i < b->n_cases; i++)
		mem_free(b->cases[i].ns);
	for (int i = 0; i < b->n_levels; i++) {
		interrupt_unwatch(b->levels[i].session);
		eng_session_free(b->levels[i].session);
		eng_weights_release(b->levels[i].weights);
	}
	mem_free(b->cases);
	mem_free(b->levels);
	mem_free(b->ids);
	rig_close(&b->rig);
}

/* -- measuring ----------------------------------------------------------------------------------- */

static int prefill_once(struct eng_session *s, const int32_t *ids, int32_t to, struct err *e)
{
	struct eng_sync st = { 0 };

	return eng_session_sync(s, ids, to, &st, e);
}

static int decode_once(struct eng_session *s, const int32_t *ids, int32_t from, int32_t to, struct err *e)
{
	struct eng_sync st = { 0 };

	for (int32_t i = from + 1; i <= to; i++)
		if (eng_session_sync(s, ids, i, &st, e) < 0)
			return -1;
	return 0;
}

/* Those of the depth stand before. */
int bench_once(const struct bench *b, const struct bench_case *c, int32_t n, double *ns, struct err *e)
{
	struct eng_session *s = c->level->session;
	const int32_t depth = (int32_t)b->o->bench_d;
	struct eng_sync st = { 0 };
	int64_t t;
	int ret;

	if (eng_session_sync(s, b->ids, depth, &st, e) < 0)
		return -1;
	t = os_now_ns();
	ret = c->kind == BENCH_PREFILL ? prefill_once(s, b->ids, depth + n, e) :
					 decode_once(s, b->ids, depth, depth + n, e);
	*ns = (double)(os_now_ns() - t);
	return ret;
}

int bench_warm(const struct bench *b, const struct bench_case *c, struct err *e)
{
	const int32_t n = c->kind == BENCH_DECODE && c->n > BENCH_WARM_DECODE ? BENCH_WARM_DECODE : c->n;
	double last = 0, ns;

	for (int i = 0; i < BENCH_WARM_MAX; i++) {
		if (bench_once(b, c, n, &ns, e) < 0)
			return -1;
		if (i && fabs(ns - last) <= warm_agrees * last)
			break;
		last = ns;
	}
	return 0;
}

int bench_run(struct bench *b, struct err *e)
{
	const int64_t total = (int64_t)b->n_cases * (b->o->reps + 1);
	int64_t done = 0;
	struct meter m;
	int ret = 0;

	meter_init(&m, "measuring");
	for (int i = 0; !ret && i < b->n_cases; i++) {
		meter_update(&m, done++, total);
		ret = bench_warm(b, &b->cases[i], e);
	}
	for (int round = 0; !ret && round < b->o->reps; round++) {
		for (int i = 0; !ret && i < b->n_cases; i++) {
			struct bench_case *c = &b->cases[i];
			const time_t now = time(NULL);
			struct tm tm;

			if (!round)
				strftime(c->time, sizeof c->time, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
			meter_update(&m, done++, total);
			ret = bench_once(b, c, c->n, &c->ns[round], e);
		}
	}
	meter_clear(&m);
	return ret;
}

/* -- rows -------------------------------------------------------------------------------------------- */

static void row_texts(struct bench_row *r, const struct eng_info *info)
{
	struct str s;
	char params[32];

	snprintf(r->type_text, sizeof r->type_text, "%s %s %s", info->arch,
		 units_params(params, sizeof params, info->n_params), r->level);
	/* formats for machines want UTF-8 as much as terminals do */
	str_init(&s, 0);
	termtext_whole(info->path, strlen(info->path), 0, &s);
	snprintf(r->file_text, sizeof r->file_text, "%s", s.p);
	str_release(&s);
	r->model_type = r->type_text;
	r->model_filename = r->file_text;
}

static void row_figures(struct bench_row *r, const struct bench_case *c, int n)
{
	struct bench_stat s = bench_stat(c->ns, n);

	r->n_samples = n;
	r->samples_ns = c->ns;
	r->samples_ts = r->ts;
	r->avg_ns = llround(s.mean);
	r->stddev_ns = llround(s.sd);
	for (int i = 0; i < n; i++)
		r->ts[i] = c->ns[i] > 0 ? c->n * 1e9 / c->ns[i] : 0;
	s = bench_stat(r->ts, n);
	r->avg_ts = s.mean;
	r->stddev_ts = s.sd;
	r->ci95_ts = s.ci95;
}

struct bench_row *bench_row(const struct bench *b, const struct bench_case *c)
{
	const struct eng_info *info = eng_model_info(b->rig.model);
	const struct eng_weights_info *w = eng_weights_info(c->level->weights);
	struct bench_row *r = mem_calloc(1, sizeof *r + (size_t)b->o->reps * sizeof *r->ts);

	if (!r)
		return NULL;
	r->build_commit = eng_version();
	r->cpu_info = os_cpu_name();
	r->level = w->level;
	r->level_note = w->note ? w->note : "";
	r->bpw = w->bpw;
	r->isa = eng_isa(b->rig.eng);
	r->type_k = r->type_v = eng_kv_name(b->o->kv);
	r->model_size = (int64_t)w->bytes;
	r->model_n_params = info->n_params;
	r->n_batch = eng_session_chunk(c->level->session);
	r->n_threads = eng_threads(b->rig.eng);
	r->n_prompt = c->kind == BENCH_PREFILL ? c->n : 0;
	r->n_gen = c->kind == BENCH_DECODE ? c->n : 0;
	r->n_depth = b->o->bench_d;
	r->act = eng_session_act(c->level->session);
	r->test_time = c->time;
	row_texts(r, info);
	row_figures(r, c, b->o->reps);
	return r;
}
