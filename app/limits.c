#include "config.h"
#include "app/limits.h"

#include <string.h>

/* A row of the embedding is all that is read of it, where it is not the output matrix too. */
static int64_t embedding(const struct eng_info *i)
{
	return i->tied ? 0 : i->n_vocab * i->n_embd;
}

static double bytes_token(const struct limits_load *l)
{
	const double skipped = (double)embedding(l->info) * l->bpw / 8;
	const double weights = (double)l->weights - skipped;

	return (weights > 0 ? weights : 0) / (l->together > 0 ? l->together : 1) + (double)l->kv;
}

/* A multiplication and an addition a weight; the same a number of keys and of values. */
static double ops_token(const struct limits_load *l)
{
	const struct eng_info *i = l->info;
	const double attention = 4.0 * (double)i->n_layer * (double)i->n_head * (double)i->head_dim * (double)l->n_past;

	return 2.0 * l->passes * (double)(i->n_params - embedding(i)) + attention;
}

double limits_read_rate(const struct eng_machine *m, uint64_t bytes, int threads)
{
	const struct eng_read_rate *best = NULL;

	for (int i = 0; i < m->n_read; i++) {
		const struct eng_read_rate *r = &m->read[i];
		const bool holds = r->bytes >= bytes, held = best && best->bytes >= bytes;

		if (r->threads > threads)
			continue;
		if (!best || r->threads > best->threads ||
		    (r->threads == best->threads && (holds != held ? holds : holds ? r->bytes < best->bytes : r->bytes > best->bytes)))
			best = r;
	}
	return best ? best->rate : 0;
}

/* A set's place among those that were measured, which are told from the least to the best; -1: it was not. */
static int place_of(const struct eng_machine *m, const char *isa)
{
	for (int i = 0; i < m->n_peak; i++)
		if (!strcmp(m->peak[i].isa, isa))
			return i;
	return -1;
}

double limits_peak_rate(const struct eng_machine *m, const char *isa, const char *type, int threads)
{
	const struct eng_peak *best = NULL;

	for (int i = 0; i < m->n_peak; i++) {
		const struct eng_peak *p = &m->peak[i];
		const int set = place_of(m, p->isa), had = best ? place_of(m, best->isa) : -1;

		if (p->threads > threads || strcmp(p->type, type) || set > place_of(m, isa))
			continue;
		if (set > had || (set == had && p->threads > best->threads))
			best = p;
	}
	return best ? best->rate : 0;
}

void limits_find(const struct eng_machine *m, const struct limits_load *l, struct limits *out)
{
	*out = (struct limits){ .bandwidth = limits_read_rate(m, l->weights + l->kv, l->threads),
				.peak = limits_peak_rate(m, l->isa, l->peak, l->threads) };
	if (out->bandwidth <= 0 || out->peak <= 0 || l->rate <= 0)
		return;
	out->share_bandwidth = l->rate * bytes_token(l) / out->bandwidth;
	out->share_peak = l->rate * ops_token(l) / out->peak;
	if (out->share_bandwidth < LIMITS_LOW && out->share_peak < LIMITS_LOW)
		out->what = LIMIT_NEITHER;
	else
		out->what = out->share_bandwidth >= out->share_peak ? LIMIT_MEMORY : LIMIT_COMPUTE;
}
