#include "config.h"
#include "engine/make/ladder.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"
#include "engine/kernels/kern_pack.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The rungs that a user is offered beside the file's own; any other level can be asked for by name. */
static const char *const rungs[] = { "Q8_0", "Q5_1", "Q4_0" };

enum {
	MAKE_PIECE = 1 << 22,		/* weights between two calls of progress */
	PACK_ROWS = 64,			/* rows at a time: whole panels of any set */
};

static struct level_model rules_of(const struct eng_model *m)
{
	const struct layer_config *l = &m->cfg.layer[0];

	return (struct level_model){ .n_layer = m->cfg.n_layer, .n_gqa = l->n_head / l->n_head_kv,
				     .has_output = !m->alive->tied };
}

/* The type a view gets at a level; its own when the rules leave it alone. */
static const struct quant_type *target(const struct level *l, const struct level_model *lm, const struct view *v)
{
	const struct quant_type *t = level_tensor_type(l, lm, v->name, 2, (int64_t[]){ v->cols, v->rows });

	return t ? t : v->type;
}

/* -- making ------------------------------------------------------------------------ */

struct making {
	struct eng_model *m;
	struct pool *pool;
	const struct level *l;
	struct level_model lm;
	eng_progress_fn *progress;
	void *arg;
	int64_t done, total;
	int64_t bytes, used;		/* of the store: what made views take together, and have taken */
	struct eng_weights *w;
	struct err *e;
	/* the piece at work */
	struct view from, *to;
	int64_t lo, hi;
	atomic_bool failed, uneven;
	_Atomic uint32_t scale;		/* the bits of a ternary tensor's; 0: none yet */
};

/* All magnitudes but zero must be one: the first thread to see one says which. */
static void measure(void *arg, int ith, int nth)
{
	struct making *k = arg;
	float *row = mem_aligned((size_t)k->from.cols * sizeof *row), scale = 0;
	uint32_t seen = 0, bits;
	bool even = true;
	int64_t lo, hi;

	if (!row) {
		atomic_store(&k->failed, true);
		return;
	}
	pool_share(k->from.rows, 1, ith, nth, &lo, &hi);
	for (int64_t r = lo; r < hi && even; r++) {
		view_decode_row(&k->from, r, row);
		even = quant_ternary(row, k->from.cols, &scale);
	}
	memcpy(&bits, &scale, sizeof bits);
	if (!even || (bits && !atomic_compare_exchange_strong(&k->scale, &seen, bits) && seen != bits))
		atomic_store(&k->uneven, true);
	mem_free(row);
}

/* The scale that a type with a tail wants; 1 for any other. */
static int find_scale(struct making *k, const struct quant_type *t, float *out)
{
	uint32_t bits;

	*out = 1;
	if (!t->tail)
		return 0;
	atomic_store(&k->scale, 0);
	pool_run(k->pool, measure, k);
	if (atomic_load(&k->failed))
		return err_set(k->e, ERR_NOMEM, "no memory for a row of tensor %s", k->from.name);
	if (atomic_load(&k->uneven))
		return err_set(k->e, ERR_ARG, "tensor %s is not ternary (-s, 0, s): it cannot be stored as %s",
			       k->from.name, t->name);
	bits = atomic_load(&k->scale);
	memcpy(out, &bits, sizeof *out);
	return 0;
}

/* Rows lo … hi as the level has them: encoded, unless the file has them so, and packed where kernels want it. */
static void convert_rows(struct making *k, int64_t lo, int64_t hi, float *row, char *encoded)
{
	const struct view *from = &k->from, *to = k->to;
	const bool encode = to->type != from->type;
	const int64_t bytes = quant_row_bytes(to->type, to->cols), step = to->panel ? to->panel : 1;

	for (int64_t r = lo; r < hi; r += step) {
		const int n = (int)(hi - r < step ? hi - r : step);
		char *out = to->made + r / step * to->stride;

		for (int i = 0; encode && i < n; i++) {
			view_decode_row(from, r + i, row);
			kern_codec(&k->m->eng->kern, to->type)
				->encode(row, to->panel ? encoded + i * bytes : out, to->cols);
		}
		if (to->panel)
			kern_pack(to->type, to->panel, encode ? encoded : (const char *)from->data + r * from->stride,
				  encode ? bytes : from->stride, n, to->cols, out);
	}
}

static void convert(void *arg, int ith, int nth)
{
	struct making *k = arg;
	const int64_t bytes = quant_row_bytes(k->to->type, k->to->cols);
	float *row = mem_aligned((size_t)k->from.cols * sizeof *row);
	char *encoded = mem_aligned((size_t)(bytes * (k->to->panel + 1)));
	int64_t lo, hi;

	if (!row || !encoded) {
		atomic_store(&k->failed, true);
		goto out;
	}
	pool_share(k->hi - k->lo, k->to->panel ? k->to->panel : 1, ith, nth, &lo, &hi);
	convert_rows(k, k->lo + lo, k->lo + hi, row, encoded);
out:
	mem_free(row);
	mem_free(encoded);
}

/* The type that a view gets. */
static const struct quant_type *made_type(const struct making *k, const struct view *v)
{
	return k->l ? target(k->l, &k->lm, v) : v->type;
}

/* Whether a level has a view otherwise than the file. */
static bool changes(const struct making *k, const struct view *v)
{
	return made_type(k, v) != v->type || k->m->eng->kern.panel;
}

/* How a view lies in memory at type t; returns the bytes it takes there, whole cache lines. */
static int64_t lay_out(const struct making *k, struct view *v, const struct quant_type *t)
{
	const int panel = k->m->eng->kern.panel;

	v->type = t;
	v->panel = panel;
	v->stride = panel ? kern_panel_bytes(t, panel, v->cols) : quant_row_bytes(t, v->cols);
	return (view_bytes(v) - t->tail + 63) & ~(int64_t)63;
}

static int count_view(void *arg, struct view *v, int layer)
{
	struct making *k = arg;
	struct view made = *v;

	(void)layer;
	if (!changes(k, v))
		return 0;
	k->total += v->rows * v->cols;
	k->bytes += lay_out(k, &made, made_type(k, v));
	return 0;
}

static int make_view(void *arg, struct view *v, int layer)
{
	struct making *k = arg;
	const struct quant_type *t = made_type(k, v);
	const int64_t piece = (MAKE_PIECE / v->cols / PACK_ROWS + 1) * PACK_ROWS;

	(void)layer;
	if (!changes(k, v))
		return 0;
	if (t != v->type && (!k->m->eng->kern.type[t->id].mul || !t->encode))
		return err_set(k->e, ERR_UNSUPPORTED, "%s: level %s needs type %s, which cannot be made here",
			       gguf_path(k->m->gguf), k->l->name, t->name);
	k->from = *v;
	if (t != v->type && find_scale(k, t, &v->scale) < 0)
		return -1;
	v->data = v->made = k->w->store + k->used;
	k->used += lay_out(k, v, t);
	k->to = v;
	for (k->lo = 0; k->lo < v->rows; k->lo = k->hi) {
		k->hi = k->lo + piece < v->rows ? k->lo + piece : v->rows;
		pool_run(k->pool, convert, k);
		if (atomic_load(&k->failed))
			return err_set(k->e, ERR_NOMEM, "no memory for a row of tensor %s", v->name);
		k->done += (k->hi - k->lo) * v->cols;
		if (k->progress && !k->progress(k->arg, k->done, k->total))
			return err_set(k->e, ERR_CANCELLED, "stopped");
		/* the file's pages of these rows are no longer read by this level */
		if (!gguf_is_swapped(k->m->gguf))
			os_drop((const char *)k->from.data + k->lo * k->from.stride,
				(size_t)((k->hi - k->lo) * k->from.stride));
	}
	return 0;
}

static double level_bits(const struct level *l)
{
	const struct quant_type *t = quant_by_id(l->base);

	return 8.0 * t->bytes / t->block;
}

/* What the source takes away from a made level, if it was quantized already. */
static void note_source(struct eng_weights *w, const struct eng_model *m, const struct level *l)
{
	const struct level *own = level_by_name(m->info.level);

	if (!own || quant_by_id(own->base)->block == 1)
		return;
	snprintf(w->note, sizeof w->note, level_bits(own) <= level_bits(l) ?
		 "made from %s: no better than it" : "made from %s: a little worse than from the original", own->name);
	w->info.note = w->note;
}

/* The weights at a level, by a pool's threads; l NULL: at the file's own, in the order that kernels want. */
static struct eng_weights *make(struct eng_model *m, const struct level *l, struct pool *pool,
				eng_progress_fn *progress, void *arg, struct err *e)
{
	struct making k = { .m = m, .pool = pool, .l = l, .lm = rules_of(m), .progress = progress, .arg = arg, .e = e };
	struct eng_weights *w = k.w = weights_open(m, e);

	if (!w)
		return NULL;
	atomic_init(&k.failed, false);
	atomic_init(&k.uneven, false);
	if (l) {
		snprintf(w->level, sizeof w->level, "%s", l->name);
		w->info.made = true;
		note_source(w, m, l);
	}
	weights_each_view(w, count_view, &k);
	w->store = mem_aligned((size_t)k.bytes);
	if (!w->store) {
		err_set(e, ERR_NOMEM, "%s: no memory for the weights (%" PRId64 " bytes)", gguf_path(m->gguf), k.bytes);
		goto fail;
	}
	if (weights_each_view(w, make_view, &k) < 0 || gguf_check(m->gguf, e) < 0)
		goto fail;
	if (w->tied)
		w->output = w->embd;
	weights_account(w);
	return w;
fail:
	weights_free(w);
	return NULL;
}

/* In a pool of its own with that many threads; 0: in the engine's. */
static struct eng_weights *make_in(struct eng_model *m, const struct level *l, int threads, eng_progress_fn *progress,
				   void *arg, struct err *e)
{
	struct pool *own = threads ? pool_new(threads, e) : NULL;
	struct eng_weights *w = NULL;

	if (own || !threads)
		w = make(m, l, own ? own : m->eng->pool, progress, arg, e);
	pool_free(own);
	return w;
}

/* Into the list of those alive, behind the file's. */
static struct eng_weights *enlist(struct eng_model *m, struct eng_weights *w)
{
	if (w) {
		w->next = m->alive->next;
		m->alive->next = w;
	}
	return w;
}

/*
 * The file's own level: packed, or straight from the mapping where no kernel wants it packed or
 * there is no memory for it (the mapping may be larger than that: it is read again and again).
 */
static struct eng_weights *own_level(struct eng_model *m, int threads, eng_progress_fn *progress, void *arg,
				     struct err *e)
{
	const uint64_t available = os_mem_available();
	struct making k = { .m = m };

	for (struct eng_weights *w = m->alive->next; w; w = w->next)
		if (!w->info.made)
			return eng_weights_ref(w);
	weights_each_view(m->alive, count_view, &k);
	if (!k.total || m->stays_mapped || (available && m->alive->info.bytes > available))
		return eng_weights_ref(m->alive);
	return enlist(m, make_in(m, NULL, threads, progress, arg, e));
}

static int get(struct eng_model *m, const char *level, int threads, eng_progress_fn *progress, void *arg,
	       struct eng_weights **out, struct err *e)
{
	const struct level *l = level ? level_by_name(level) : NULL;
	const char *name = l ? l->name : level;		/* "Q4_K" is another name of Q4_K_M */

	*out = NULL;
	if (m->info.note)
		return err_set(e, ERR_UNSUPPORTED, "%s: %s", gguf_path(m->gguf), m->info.note);
	if (!name || !strcasecmp(m->alive->level, name)) {
		*out = own_level(m, threads, progress, arg, e);
		return *out ? 0 : -1;
	}
	for (struct eng_weights *w = m->alive->next; w; w = w->next)
		if (!strcasecmp(w->level, name)) {
			*out = eng_weights_ref(w);
			return 0;
		}
	if (level_parse(level, &l, e) < 0)
		return -1;
	*out = enlist(m, make_in(m, l, threads, progress, arg, e));
	return *out ? 0 : -1;
}

int eng_weights_get(struct eng_model *m, const char *level, eng_progress_fn *progress, void *arg,
		    struct eng_weights **out, struct err *e)
{
	return get(m, level, 0, progress, arg, out, e);
}

int eng_weights_make(struct eng_model *m, const char *level, int threads, eng_progress_fn *progress, void *arg,
		     struct eng_weights **out, struct err *e)
{
	return get(m, level, threads > 0 ? threads : pool_threads(m->eng->pool), progress, arg, out, e);
}

/* -- the list ---------------------------------------------------------------------- */

struct sizing { const struct level *l; struct level_model lm; const struct kern *kern; int64_t bytes, params; };

static int can_view(void *arg, struct view *v, int layer)
{
	const struct sizing *s = arg;
	const struct quant_type *t = target(s->l, &s->lm, v);

	(void)layer;
	return t == v->type || (t->encode && s->kern->type[t->id].mul) ? 0 : -1;
}

bool ladder_can(const struct eng_model *m, const struct level *l)
{
	struct sizing s = { .l = l, .lm = rules_of(m), .kern = &m->eng->kern };

	return weights_each_view(m->alive, can_view, &s) == 0;
}

static int size_view(void *arg, struct view *v, int layer)
{
	struct sizing *s = arg;
	const int64_t row = quant_row_bytes(target(s->l, &s->lm, v), v->cols);

	(void)layer;
	s->bytes += v->rows * row + target(s->l, &s->lm, v)->tail;
	s->params += v->rows * v->cols;
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	const struct eng_level *x = a, *y = b;

	return x->bytes > y->bytes ? -1 : x->bytes < y->bytes;
}

uint64_t ladder_bytes(const struct eng_model *m, const struct level *l, double *bpw)
{
	const uint64_t vectors = m->alive->made;
	struct sizing s = { .l = l, .lm = rules_of(m) };

	weights_each_view(m->alive, size_view, &s);
	if (bpw)
		*bpw = 8.0 * ((double)s.bytes + (double)vectors) / ((double)s.params + (double)vectors / 4);
	return (uint64_t)s.bytes + vectors;
}

int ladder_list(struct eng_model *m, struct err *e)
{
	m->levels = mem_calloc(sizeof rungs / sizeof *rungs + 1, sizeof *m->levels);
	if (!m->levels)
		return err_set(e, ERR_NOMEM, "no memory for the list of levels");
	m->levels[m->n_levels++] = (struct eng_level){ .name = m->alive->info.level, .own = true,
						       .bytes = m->alive->info.bytes, .bpw = m->alive->info.bpw };
	for (size_t i = 0; i < sizeof rungs / sizeof *rungs; i++) {
		const struct level *l = level_by_name(rungs[i]);
		struct eng_level *row = &m->levels[m->n_levels];

		if (!l || !strcasecmp(rungs[i], m->alive->info.level))
			continue;
		row->name = l->name;
		row->bytes = ladder_bytes(m, l, &row->bpw);
		m->n_levels++;
	}
	qsort(m->levels, (size_t)m->n_levels, sizeof *m->levels, by_bytes);
	return 0;
}

int eng_model_level(const struct eng_model *m, const char *name, struct eng_level *out, struct err *e)
{
	const struct level *l;

	for (int i = 0; i < m->n_levels; i++) {
		if (!strcasecmp(m->levels[i].name, name)) {
			*out = m->levels[i];
			return 0;
		}
	}
	if (level_parse(name, &l, e) < 0)
		return -1;
	if (!ladder_can(m, l))
		return err_set(e, ERR_UNSUPPORTED, "%s: level %s cannot be made here", gguf_path(m->gguf), l->name);
	*out = (struct eng_level){ .name = l->name };
	out->bytes = ladder_bytes(m, l, &out->bpw);
	return 0;
}

int eng_model_levels(const struct eng_model *m, const struct eng_level **out)
{
	*out = m->levels;
	return m->n_levels;
}
