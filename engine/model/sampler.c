/*
 * Sampling: repetition penalty, temperature, top-k, top-p, min-p, in this order (that of the
 * makers' own reference code, for which their recommended settings are given), then one draw.
 */
#include "config.h"
#include "engine/base/xio.h"
#include "engine/model/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REPEAT_LAST = 64 };

struct candidate { int32_t id; float logit; };

struct eng_sampler {
	struct eng_sample_opts o;
	uint64_t state;			/* of the generator */
	struct candidate *c;
	double *p;
	int32_t size;
};

struct eng_sampler *eng_sampler_new(const struct eng_sample_opts *opts, struct err *e)
{
	struct eng_sampler *s = mem_calloc(1, sizeof *s);

	if (!s) {
		err_set(e, ERR_NOMEM, "no memory for a sampler");
		return NULL;
	}
	s->o = *opts;
	s->state = opts->seed;
	return s;
}

void eng_sampler_free(struct eng_sampler *s)
{
	if (!s)
		return;
	mem_free(s->c);
	mem_free(s->p);
	mem_free(s);
}

void eng_sampler_set(struct eng_sampler *s, const struct eng_sample_opts *opts)
{
	if (opts->seed != s->o.seed)
		s->state = opts->seed;
	s->o = *opts;
}

/* SplitMix64 (Steele, Lea, Flood 2014) → [0, 1) with 53 bits. */
static double draw(struct eng_sampler *s)
{
	uint64_t z = s->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	return (double)(z >> 11) * 0x1p-53;
}

/* Higher logit first, then lower id: one order on every machine. */
static int by_logit(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->logit != y->logit)
		return x->logit > y->logit ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int32_t greedy(const struct candidate *c, int32_t n)
{
	int32_t best = 0;

	for (int32_t i = 1; i < n; i++)
		if (c[i].logit > c[best].logit)
			best = i;
	return c[best].id;
}

/* Each id of the last REPEAT_LAST once: divided when positive, multiplied when negative (arXiv 1909.05858). */
static void penalize(struct candidate *c, int32_t n, const struct eng_session *ses, double penalty)
{
	const int32_t from = ses->n > REPEAT_LAST ? ses->n - REPEAT_LAST : 0;

	for (int32_t i = from; i < ses->n; i++) {
		const int32_t id = ses->ids[i];
		int32_t j = from;

		while (ses->ids[j] != id)
			j++;
		if (j < i || id >= n)
			continue;
		c[id].logit = (float)(c[id].logit > 0 ? c[id].logit / penalty : c[id].logit * penalty);
	}
}

/* Restores the heap c[0 … k-1], worst at the root, below `at`. */
static void sift(struct candidate *c, int32_t k, int32_t at)
{
	for (int32_t j; (j = 2 * at + 1) < k; at = j) {
		const struct candidate t = c[at];

		if (j + 1 < k && by_logit(&c[j + 1], &c[j]) > 0)
			j++;
		if (by_logit(&c[j], &t) <= 0)
			return;
		c[at] = c[j];
		c[j] = t;
	}
}

/* The k best of n to the front, in order. */
static void keep_best(struct candidate *c, int32_t n, int32_t k)
{
	for (int32_t i = k / 2 - 1; i >= 0 && k < n; i--)
		sift(c, k, i);
	for (int32_t i = k; i < n; i++)
		if (by_logit(&c[i], &c[0]) < 0) {
			c[0] = c[i];
			sift(c, k, 0);
		}
	qsort(c, (size_t)k, sizeof *c, by_logit);
}

static int32_t pick(struct eng_sampler *s, int32_t n)
{
	const int32_t k = s->o.top_k > 0 && s->o.top_k < n ? s->o.top_k : n;
	double sum = 0, kept = 0, u;
	int32_t m;

	keep_best(s->c, n, k);
	if (!isfinite(s->c[0].logit))
		return s->c[0].id;
	for (int32_t i = 0; i < k; i++)
		sum += s->p[i] = exp(((double)s->c[i].logit - s->c[0].logit) / s->o.temp);
	for (m = 0; m < k; m++) {
		if (m && (kept >= s->o.top_p * sum || s->p[m] < s->o.min_p * s->p[0]))
			break;
		kept += s->p[m];
	}
	u = draw(s) * kept;
	for (int32_t i = 0; i < m; i++) {
		u -= s->p[i];
		if (u < 0)
			return s->c[i].id;
	}
	return s->c[0].id;
}

int32_t eng_sample(struct eng_sampler *s, const struct eng_session *ses)
{
	const struct eng_model *m = ses->w->model;
	const float *logits = eng_session_logits(ses);
	int32_t n = m->cfg.n_vocab;

	if (!logits)
		return -1;
	/* rows of the embedding beyond the vocabulary are no tokens */
	if (m->info.n_tokens > 0 && m->info.n_tokens < n)
		n = (int32_t)m->info.n_tokens;
	if (s->size < n) {
		mem_free(s->c);
		mem_free(s->p);
		s->c = mem_array((size_t)n, sizeof *s->c);
		s->p = mem_array((size_t)n, sizeof *s->p);
		s->size = s->c && s->p ? n : 0;
		if (!s->size)
			return -1;
	}
	for (int32_t i = 0; i < n; i++)
		s->c[i] = (struct candidate){ i, isnan(logits[i]) ? -INFINITY : logits[i] };
	if (s->o.repeat_penalty != 1)
		penalize(s->c, n, ses, s->o.repeat_penalty);
	return s->o.temp > 0 ? pick(s, n) : greedy(s->c, n);
}
