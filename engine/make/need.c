#include "config.h"
#include "engine/make/need.h"
#include "engine/base/os.h"
#include "engine/make/ladder.h"
#include "engine/model/forward.h"
#include "engine/model/session.h"

#include <strings.h>

/* What a session of n_ctx positions takes beside the weights. */
static void session_need(const struct eng_model *m, const struct eng_session_opts *o, int64_t n_ctx, struct eng_need *n)
{
	const struct config *c = &m->cfg;
	const int64_t row = kern_kv_row(&m->eng->kern, (enum kern_kv)o->kv, c->head_dim);
	const int64_t most = o->chunk > 0 ? o->chunk : SESSION_CHUNK, chunk = most < n_ctx ? most : n_ctx;
	const int64_t n_logits = o->all_logits ? chunk : 1;
	const uint64_t logits = (uint64_t)(o->all_logits ? chunk + 1 : 1) * (uint64_t)c->n_vocab * sizeof(float);

	n->n_ctx = n_ctx;
	n->kv = kv_need(c, row, n_ctx, chunk);
	n->scratch = forward_scratch(m, (int)chunk, (int)n_logits, n_ctx) + logits + (uint64_t)n_ctx * sizeof(int32_t);
	n->total = n->weights + n->kv + n->scratch;
}

/* The largest context, in whole pages, that fits beside weights of that size; 0: none. */
static int64_t largest_context(const struct eng_model *m, const struct eng_session_opts *o, uint64_t weights,
			       int64_t n_ctx, uint64_t available)
{
	int64_t lo = 0, hi = n_ctx / KERN_PAGE;		/* lo fits */

	while (lo < hi) {
		const int64_t mid = (lo + hi + 1) / 2;
		struct eng_need n = { .weights = weights };

		session_need(m, o, mid * KERN_PAGE, &n);
		if (n.total <= available)
			lo = mid;
		else
			hi = mid - 1;
	}
	return lo * KERN_PAGE;
}

/* The largest level below in size that fits with the whole context; else the smallest, with what it leaves. */
static void look_for_level(const struct eng_model *m, const struct eng_session_opts *o, struct eng_need *out)
{
	for (int i = 0; i < m->n_levels; i++) {
		const struct eng_level *l = &m->levels[i];
		struct eng_need n = { .weights = l->bytes };

		session_need(m, o, out->n_ctx, &n);
		if (l->bytes >= out->weights || n.total > out->available)
			continue;
		out->fit_level = l->name;
		out->fit_level_ctx = out->n_ctx;
		return;
	}
	if (out->fit_ctx || !m->n_levels || m->levels[m->n_levels - 1].bytes >= out->weights)
		return;
	out->fit_level_ctx = largest_context(m, o, m->levels[m->n_levels - 1].bytes, out->n_ctx, out->available);
	if (out->fit_level_ctx)
		out->fit_level = m->levels[m->n_levels - 1].name;
}

/* Of weights that are alive, only what lies in the file is still to be had. */
static int weights_need(struct eng_model *m, const char *level, uint64_t *out, struct err *e)
{
	const struct level *l;

	for (const struct eng_weights *w = m->alive; w; w = w->next)
		if (!level || !strcasecmp(w->level, level)) {
			*out = w == m->alive ? w->info.bytes : w->mapped;
			return 0;
		}
	if (level_parse(level, &l, e) < 0)
		return -1;
	*out = ladder_bytes(m, l, NULL);
	return 0;
}

int need_of(struct eng_model *m, const char *level, const struct eng_session_opts *opts, uint64_t available,
	    struct eng_need *out, struct err *e)
{
	*out = (struct eng_need){ .available = available };
	if (m->info.note)
		return err_set(e, ERR_UNSUPPORTED, "%s: %s", m->info.path, m->info.note);
	if (weights_need(m, level, &out->weights, e) < 0)
		return -1;
	session_need(m, opts, session_ctx(m, opts), out);
	out->fits = !available || out->total <= available;
	if (out->fits)
		return 0;
	out->fit_ctx = largest_context(m, opts, out->weights, out->n_ctx, available);
	look_for_level(m, opts, out);
	return 0;
}

int eng_model_need(struct eng_model *m, const char *level, const struct eng_session_opts *opts, struct eng_need *out,
		   struct err *e)
{
	return need_of(m, level, opts, os_mem_available(), out, e);
}
