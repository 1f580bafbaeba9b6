#include "config.h"
#include "engine/model/weights.h"
#include "engine/base/xio.h"
#include "engine/model/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void view_decode_row(const struct view *v, int64_t row, float *dst)
{
	v->type->decode((const char *)v->data + row * v->stride, dst, v->cols);
}

/* Looks a tensor up and checks its shape; *t is NULL for an absent one that need not be there. */
static int find(const struct gguf *g, const char *name, int64_t rows, int64_t cols, bool must,
		const struct gguf_tensor **out, struct err *e)
{
	const struct gguf_tensor *t = gguf_tensor_find(g, name);

	*out = t;
	if (!t)
		return must ? err_set(e, ERR_FORMAT, "%s: tensor %s is missing", gguf_path(g), name) : 0;
	if (t->ne[0] != cols || t->ne[1] != rows || t->ne[2] != 1 || t->ne[3] != 1)
		return err_set(e, ERR_FORMAT, "%s: tensor %s at offset %" PRIu64 ": shape %" PRId64 " x %" PRId64
			       ", expected %" PRId64 " x %" PRId64, gguf_path(g), name, t->info_at,
			       t->ne[0], t->ne[1], cols, rows);
	if (!t->data)
		return err_set(e, ERR_UNSUPPORTED, "%s: tensor %s at offset %" PRIu64 ": type %u is not one that is known here",
			       gguf_path(g), name, t->info_at, t->type);
	return 0;
}

static int open_view(struct eng_model *m, struct view *v, const char *name, int64_t rows, int64_t cols,
		     bool must, struct err *e)
{
	const struct gguf_tensor *t;

	*v = (struct view){ 0 };
	if (find(m->gguf, name, rows, cols, must, &t, e) < 0)
		return -1;
	if (!t)
		return 0;
	*v = (struct view){ .name = t->name, .type = quant_by_id(t->type), .layout = LAYOUT_FILE, .rows = rows,
			    .cols = cols, .data = t->data };
	v->stride = v->type ? quant_row_bytes(v->type, cols) : -1;
	if (v->stride < 0 || !m->eng->kern.type[t->type].mul)
		return err_set(e, ERR_UNSUPPORTED, "%s: tensor %s at offset %" PRIu64 ": there is no kernel for type %s",
			       gguf_path(m->gguf), name, t->info_at, v->type ? v->type->name : "?");
	return 0;
}

/* A vector as floats of our own: small, and the file may hold it in another type or [n, 1]. */
static int open_vector(struct eng_model *m, float **out, const char *name, int64_t len, bool must, struct err *e)
{
	const struct gguf_tensor *t;
	const struct quant_type *type;

	*out = NULL;
	if (find(m->gguf, name, 1, len, must, &t, e) < 0)
		return -1;
	if (!t)
		return 0;
	type = quant_by_id(t->type);
	if (!type || type->block != 1)
		return err_set(e, type ? ERR_FORMAT : ERR_UNSUPPORTED, "%s: tensor %s at offset %" PRIu64
			       ": a vector of type %s", gguf_path(m->gguf), name, t->info_at, type ? type->name : "?");
	*out = mem_aligned((size_t)len * sizeof **out);
	if (!*out)
		return err_set(e, ERR_NOMEM, "%s: no memory for tensor %s", gguf_path(m->gguf), name);
	type->decode(t->data, *out, len);
	return 0;
}

static int open_layer(struct eng_model *m, struct layer *y, int32_t i, struct err *e)
{
	const struct config *c = &m->cfg;
	const struct layer_config *l = &c->layer[i];
	char name[64];

#define OPEN(id, tensor, n_rows, n_cols, must) \
	snprintf(name, sizeof name, "blk.%d." tensor, (int)i); \
	if (open_view(m, &y->id, name, n_rows, n_cols, must, e) < 0) \
		return -1;
	LAYER_MATRICES(OPEN)
#undef OPEN
#define OPEN(id, tensor, len, must) \
	snprintf(name, sizeof name, "blk.%d." tensor, (int)i); \
	if (open_vector(m, &y->id, name, len, must, e) < 0) \
		return -1;
	LAYER_VECTORS(OPEN)
#undef OPEN
	return 0;
}

struct eng_weights *weights_open(struct eng_model *m, struct err *e)
{
	const struct config *c = &m->cfg;
	struct eng_weights *w = mem_calloc(1, sizeof *w);

	if (!w || !(w->layer = mem_calloc((size_t)c->n_layer, sizeof *w->layer))) {
		mem_free(w);
		err_set(e, ERR_NOMEM, "%s: no memory for the weights of %d layers", gguf_path(m->gguf), c->n_layer);
		return NULL;
	}
	w->model = m;
	w->refs = 1;
	w->tied = !gguf_tensor_find(m->gguf, "output.weight");
	snprintf(w->level, sizeof w->level, "%s", m->info.level ? m->info.level : "");
	w->info.level = w->level;
	if (open_view(m, &w->embd, "token_embd.weight", c->n_vocab, c->n_embd, true, e) < 0 ||
	    (!w->tied && open_view(m, &w->output, "output.weight", c->n_vocab, c->n_embd, true, e) < 0) ||
	    open_vector(m, &w->output_norm, "output_norm.weight", c->n_embd, true, e) < 0 ||
	    open_vector(m, &w->rope_freqs, "rope_freqs.weight", c->n_rot / 2, false, e) < 0)
		goto fail;
	if (w->tied)
		w->output = w->embd;
	for (int32_t i = 0; i < c->n_layer; i++)
		if (open_layer(m, &w->layer[i], i, e) < 0)
			goto fail;
	weights_account(w);
	return w;
fail:
	weights_free(w);
	return NULL;
}

int weights_each_view(struct eng_weights *w, weights_view_fn *fn, void *arg)
{
	int r = fn(arg, &w->embd, -1);

	if (w->tied)
		w->output = w->embd;
	else if (!r)
		r = fn(arg, &w->output, -1);
	for (int32_t i = 0; i < w->model->cfg.n_layer && !r; i++) {
		struct layer *y = &w->layer[i];

#define EACH(id, name, rows, cols, must) \
		if (!r && y->id.type) \
			r = fn(arg, &y->id, i);
		LAYER_MATRICES(EACH)
#undef EACH
	}
	return r;
}

struct sums { uint64_t mapped, made; int64_t params; };

static int add_view(void *arg, struct view *v, int layer)
{
	struct sums *s = arg;
	const uint64_t bytes = (uint64_t)v->rows * (uint64_t)v->stride;

	(void)layer;
	*(v->owned ? &s->made : &s->mapped) += bytes;
	s->params += v->rows * v->cols;
	return 0;
}

void weights_account(struct eng_weights *w)
{
	const struct config *c = &w->model->cfg;
	struct sums s = { 0 };
	int64_t vec = c->n_embd + (w->rope_freqs ? c->n_rot / 2 : 0);

	weights_each_view(w, add_view, &s);
	for (int32_t i = 0; i < c->n_layer; i++) {
		const struct layer_config *l = &c->layer[i];
		const struct layer *y = &w->layer[i];

#define COUNT(id, name, len, must) \
		if (y->id) \
			vec += len;
		LAYER_VECTORS(COUNT)
#undef COUNT
		(void)l;
	}
	w->mapped = s.mapped;
	w->made = s.made + (uint64_t)vec * sizeof(float);
	w->info.bytes = w->mapped + w->made;
	w->info.bpw = 8.0 * (double)w->info.bytes / (double)(s.params + vec);
}

static int free_view(void *arg, struct view *v, int layer)
{
	(void)arg;
	(void)layer;
	mem_free(v->owned);
	return 0;
}

void weights_free(struct eng_weights *w)
{
	if (!w)
		return;
	weights_each_view(w, free_view, NULL);
	for (int32_t i = 0; i < w->model->cfg.n_layer; i++) {
		struct layer *y = &w->layer[i];

#define FREE(id, name, len, must) mem_free(y->id);
		LAYER_VECTORS(FREE)
#undef FREE
	}
	mem_free(w->output_norm);
	mem_free(w->rope_freqs);
	mem_free(w->layer);
	mem_free(w);
}
