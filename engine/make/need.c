#include "config.h"
#include "engine/make/need.h"
#include "engine/base/os.h"
#include "engine/make/ladder.h"
#include "engine/model/forward.h"
#include "engine/model/session.h"

#include <strings.h>

/* What is suggested leaves this part of the memory alone: it is not quite the same a moment later. */
enum { SPARE = 64 };

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

/*
 * The largest context, in whole pages, that fits beside weights of that size: no more than was asked
 * for, and than the model was trained on. 0: none.
 */
static int64_t largest_context(const struct eng_model *m, const struct eng_session_opts *o, uint64_t weights,
			       int64_t n_ctx, uint64_t room)
{
	const int64_t trained = m->cfg.n_ctx_train, most = n_ctx < trained ? n_ctx : trained;
	int64_t lo = 0, hi = most / KERN_PAGE;		/* lo fits */

	while (lo < hi) {
		const int64_t mid = (lo + hi + 1) / 2;
		struct eng_need n = { .weights = weights };

		session_need(m, o, mid * KERN_PAGE, &n);
		if (n.total <= room)
			lo = mid;
		else
			hi = mid - 1;
	}
	return lo * KERN_PAGE;
}

/* A level that could be asked for in place of the one that does not fit. */
struct rival { const char *name; uint64_t bytes; bool odd; };

static bool is_ternary(enum quant_id t)
{
	return t == QUANT_TQ1_0 || t == QUANT_TQ2_0 || t == QUANT_I2_S;
}

/* The file's own level and all that can be made of it. Whether weights are ternary only making I2_S would tell. */
static int gather_rivals(const struct eng_model *m, uint64_t below, struct rival *out)
{
	const struct level *own = level_by_name(m->alive->level);
	const bool ternary = m->cfg.family->flags & FAMILY_SUB_NORMS || (own && is_ternary(own->base));
	int n = 0;

	if (m->alive->info.bytes < below)
		out[n++] = (struct rival){ m->alive->level, m->alive->info.bytes, false };
	for (const struct level *l = levels; l->name; l++) {
		const uint64_t bytes = ladder_bytes(m, l, NULL);

		if (l != own && !l->ternary && bytes < below && ladder_can(m, l))
			out[n++] = (struct rival){ l->name, bytes, is_ternary(l->base) && !ternary };
	}
	return n;
}

/*
 * The largest of them that fits with the whole context; else the smallest, with what it leaves. Those
 * made for ternary weights are the last resort of others.
 */
static void look_for_level(const struct eng_model *m, const struct eng_session_opts *o, uint64_t room,
			   struct eng_need *out)
{
	struct rival r[LEVELS_MAX + 1];
	const int n = gather_rivals(m, out->weights, r);

	for (int odd = 0; odd < 2 && !out->fit_level; odd++) {
		const struct rival *largest = NULL, *smallest = NULL;

		for (int i = 0; i < n; i++) {
			struct eng_need need = { .weights = r[i].bytes };

			if (r[i].odd != odd)
				continue;
			session_need(m, o, out->n_ctx, &need);
			if (need.total <= room && (!largest || r[i].bytes > largest->bytes))
				largest = &r[i];
			if (!smallest || r[i].bytes < smallest->bytes)
				smallest = &r[i];
		}
		out->fit_level_ctx = largest ? out->n_ctx :
				     smallest && !out->fit_ctx ? largest_context(m, o, smallest->bytes, out->n_ctx, room) : 0;
		if (out->fit_level_ctx)
			out->fit_level = largest ? largest->name : smallest->name;
	}
}

/*
 * Of weights that are alive, only what lies in the file is still to be had; the file's own are
 * alive beside what was packed of them.
 */
static int weights_need(struct eng_model *m, const char *level, uint64_t *out, struct err *e)
{
	const struct level *l = level ? level_by_name(level) : NULL;
	const char *name = l ? l->name : level;
	const bool own = !name || !strcasecmp(m->alive->level, name);

	for (const struct eng_weights *w = m->alive->next; w; w = w->next)
		if (own ? !w->info.made : !strcasecmp(w->level, name)) {
			*out = w->mapped;
			return 0;
		}
	if (!own && level_parse(level, &l, e) < 0)
		return -1;
	*out = own ? m->alive->info.bytes : ladder_bytes(m, l, NULL);
	return 0;
}

int need_of(struct eng_model *m, const char *level, const struct eng_session_opts *opts, uint64_t available,
	    struct eng_need *out, struct err *e)
{
	uint64_t room;

	*out = (struct eng_need){ .available = available };
	if (m->info.note)
		return err_set(e, ERR_UNSUPPORTED, "%s: %s", m->info.path, m->info.note);
	if (weights_need(m, level, &out->weights, e) < 0)
		return -1;
	session_need(m, opts, session_ctx(m, opts), out);
	out->fits = !available || out->total <= available;
	if (out->fits)
		return 0;
	room = available - available / SPARE;
	out->fit_ctx = largest_context(m, opts, out->weights, out->n_ctx, room);
	look_for_level(m, opts, room, out);
	return 0;
}

int eng_model_need(struct eng_model *m, const char *level, const struct eng_session_opts *opts, struct eng_need *out,
		   struct err *e)
{
	return need_of(m, level, opts, os_mem_available(), out, e);
}
