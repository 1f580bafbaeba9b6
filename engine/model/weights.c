#include "config.h"
#include "engine/model/weights.h"
#include "engine/base/xio.h"
#include "engine/kernels/kern_pack.h"
#include "engine/model/model.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void view_decode_row(const struct view *v, int64_t row, float *dst)
{
	kern_decode(v->type, v->data, v->stride, v->panel, v->cols, row, 0, v->cols, dst);
	for (int64_t i = 0; v->scale != 1 && i < v->cols; i++)
		dst[i] *= v->scale;
}

int64_t view_bytes(const struct view *v)
{
	return (v->panel ? (v->rows + v->panel - 1) / v->panel : v->rows) * v->stride + v->type->tail;
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
	if (!t->bytes)
		return err_set(e, ERR_UNSUPPORTED, "%s: tensor %s at offset %" PRIu64 ": type %u is not one that is known here",
			       gguf_path(g), name, t->info_at, t->type);
	return 0;
}

/* What is asked of a tensor: rows × cols of it from row `from` on, of `total`; a vector is a row, from … in it. */
struct wanted {
	const char *name;
	int64_t rows, cols, from, total;
	bool must;
};

/* A factor on a matrix' product: the tensor of one value beside it. */
static int open_factor(struct eng_model *m, struct view *v, struct err *e)
{
	static const char end[] = ".weight";
	const size_t n = strlen(v->name), stem = n < sizeof end ? 0 : n - (sizeof end - 1);
	const struct gguf_tensor *t;
	const struct quant_type *type;
	char name[80];

	v->factor = 1;
	if (n >= sizeof name || !stem || strcmp(v->name + stem, end) != 0)
		return 0;
	snprintf(name, sizeof name, "%.*s.scale", (int)stem, v->name);
	if (find(m->gguf, name, 1, 1, false, &t, e) < 0)
		return -1;
	if (!t)
		return 0;
	type = quant_by_id(t->type);
	if (!type || type->block != 1)
		return err_set(e, ERR_FORMAT, "%s: tensor %s at offset %" PRIu64 ": is no number", gguf_path(m->gguf), name,
			       t->info_at);
	type->decode(t->data, &v->factor, 1);
	return 0;
}

static int open_view(struct eng_model *m, struct view *v, const struct wanted *w, struct err *e)
{
	const struct gguf_tensor *t;
	const struct quant_type *type;

	*v = (struct view){ 0 };
	if (find(m->gguf, w->name, w->total, w->cols, true, &t, e) < 0)
		return -1;
	type = quant_by_id(t->type);
	*v = (struct view){ .name = t->name, .type = type, .rows = w->rows, .cols = w->cols };
	v->stride = type ? quant_row_bytes(type, w->cols) : -1;
	if (v->stride < 0 || (!m->look && !m->eng->kern.type[t->type].mul))
		return err_set(e, ERR_UNSUPPORTED, "%s: tensor %s at offset %" PRIu64 ": there is no kernel for type %s",
			       gguf_path(m->gguf), w->name, t->info_at, type ? type->name : "?");
	if (m->look)
		return 0;
	v->data = (const char *)t->data + w->from * v->stride;
	v->scale = quant_tail_scale(type, (const char *)t->data + w->total * v->stride);
	if (!isfinite(v->scale))
		return err_set(e, ERR_FORMAT, "%s: tensor %s at offset %" PRIu64 ": its scale is no number",
			       gguf_path(m->gguf), w->name, t->info_at);
	return open_factor(m, v, e);
}

/* A vector as floats of our own: small, and the file may hold it in another type or [n, 1]. */
static int open_vector(struct eng_model *m, float **out, const struct wanted *w, struct err *e)
{
	const struct gguf_tensor *t;
	const struct quant_type *type;

	*out = NULL;
	if (find(m->gguf, w->name, 1, w->total, w->must, &t, e) < 0)
		return -1;
	if (!t)
		return 0;
	type = quant_by_id(t->type);
	if (!type || type->block != 1)
		return err_set(e, type ? ERR_FORMAT : ERR_UNSUPPORTED, "%s: tensor %s at offset %" PRIu64
			       ": a vector of type %s", gguf_path(m->gguf), w->name, t->info_at, type ? type->name : "?");
	if (m->look)
		return 0;
	*out = mem_aligned((size_t)w->cols * sizeof **out);
	if (!*out)
		return err_set(e, ERR_NOMEM, "%s: no memory for tensor %s", gguf_path(m->gguf), w->name);
	type->decode((const char *)t->data + w->from * type->bytes, *out, w->cols);
	return 0;
}

/* What a layer's tensors may be part of. total 0: it is not there. */
struct wholes {
	struct { const char *matrix, *bias; int64_t total; } of[WHOLE_N];
};

static struct wholes find_wholes(const struct eng_model *m, int32_t i)
{
	const struct config *c = &m->cfg;
	const struct layer_config *l = &c->layer[i];
	struct wholes o = { .of = { [WHOLE_QKV] = { "attn_qkv.weight", "attn_qkv.bias", 0 },
				    [WHOLE_UP] = { "ffn_up.weight", "ffn_up.bias", 0 } } };
	char name[64];

	snprintf(name, sizeof name, "blk.%d.attn_qkv.weight", (int)i);
	if (gguf_tensor_find(m->gguf, name))
		o.of[WHOLE_QKV].total = LAYER_Q + 2 * LAYER_KV;
	if (c->family->flags & FAMILY_FUSED_UP)
		o.of[WHOLE_UP].total = 2 * (int64_t)l->n_ff;
	return o;
}

static int open_layer(struct eng_model *m, struct layer *y, int32_t i, struct err *e)
{
	const struct config *c = &m->cfg;
	const struct layer_config *l = &c->layer[i];
	const struct wholes o = find_wholes(m, i);
	struct wanted w;
	char name[64];

#define PART(whole, alone, part_of, at) \
	if (o.of[whole].total) { \
		w.from = at; \
		w.total = o.of[whole].total; \
	} \
	snprintf(name, sizeof name, "blk.%d.%s", (int)i, o.of[whole].total ? o.of[whole].part_of : alone);
#define OPEN(id, tensor, n_rows, n_cols, whole, at) \
	w = (struct wanted){ .name = name, .rows = n_rows, .cols = n_cols, .total = n_rows }; \
	PART(whole, tensor, matrix, at) \
	if (open_view(m, &y->id, &w, e) < 0) \
		return -1;
	LAYER_MATRICES(OPEN)
#undef OPEN
#define OPEN(id, tensor, len, needed, whole, at) \
	w = (struct wanted){ .name = name, .cols = len, .total = len, .must = needed }; \
	PART(whole, tensor, bias, at) \
	if (open_vector(m, &y->id, &w, e) < 0) \
		return -1;
	LAYER_VECTORS(OPEN)
#undef OPEN
#undef PART
	return 0;
}

/* What is there once. */
static int open_top(struct eng_model *m, struct eng_weights *w, struct err *e)
{
	const struct config *c = &m->cfg;
	const struct { float **out; const char *name; int64_t n; bool must; } vectors[] = {
		{ &w->output_norm, "output_norm.weight", c->n_embd, true },
		{ &w->rope_freqs, "rope_freqs.weight", c->n_rot / 2, false },
		{ &w->rope_short, "rope_factors_short.weight", c->n_rot / 2, false },
		{ &w->rope_long, "rope_factors_long.weight", c->n_rot / 2, false },
	};
	struct wanted v = { .name = "token_embd.weight", .rows = c->n_vocab, .cols = c->n_embd, .total = c->n_vocab };

	if (open_view(m, &w->embd, &v, e) < 0)
		return -1;
	v.name = "output.weight";
	if (!w->tied && open_view(m, &w->output, &v, e) < 0)
		return -1;
	if (w->tied)
		w->output = w->embd;
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		v = (struct wanted){ .name = vectors[i].name, .cols = vectors[i].n, .total = vectors[i].n,
				     .must = vectors[i].must };
		if (open_vector(m, vectors[i].out, &v, e) < 0)
			return -1;
	}
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
	if (open_top(m, w, e) < 0)
		goto fail;
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

#define EACH(id, name, rows, cols, whole, from) \
		if (!r && y->id.type) \
			r = fn(arg, &y->id, i);
		LAYER_MATRICES(EACH)
#undef EACH
	}
	return r;
}

struct sums { uint64_t mapped, made, stored; int64_t params; };

static int add_view(void *arg, struct view *v, int layer)
{
	struct sums *s = arg;
	const uint64_t bytes = (uint64_t)view_bytes(v);

	(void)layer;
	*(v->made ? &s->made : &s->mapped) += bytes;
	s->stored += (uint64_t)(v->rows * quant_row_bytes(v->type, v->cols) + v->type->tail);
	s->params += v->rows * v->cols;
	return 0;
}

void weights_account(struct eng_weights *w)
{
	const struct config *c = &w->model->cfg;
	struct sums s = { 0 };
	int64_t vec = c->n_embd + (!!w->rope_freqs + !!w->rope_short + !!w->rope_long) * (c->n_rot / 2);

	weights_each_view(w, add_view, &s);
	for (int32_t i = 0; i < c->n_layer; i++) {
		const struct layer_config *l = &c->layer[i];
		const struct layer *y = &w->layer[i];

#define COUNT(id, name, len, must, whole, from) \
		if (y->id) \
			vec += len;
		LAYER_VECTORS(COUNT)
#undef COUNT
		(void)l;
	}
	w->mapped = s.mapped;
	w->made = s.made + (uint64_t)vec * sizeof(float);
	w->info.bytes = s.stored + (uint64_t)vec * sizeof(float);
	w->info.bpw = 8.0 * (double)w->info.bytes / (double)(s.params + vec);
}

void weights_free(struct eng_weights *w)
{
	if (!w)
		return;
	for (int32_t i = 0; i < w->model->cfg.n_layer; i++) {
		struct layer *y = &w->layer[i];

#define FREE(id, name, len, must, whole, from) mem_free(y->id);
		LAYER_VECTORS(FREE)
#undef FREE
	}
	mem_free(w->store);
	mem_free(w->output_norm);
	mem_free(w->rope_freqs);
	mem_free(w->rope_short);
	mem_free(w->rope_long);
	mem_free(w->layer);
	mem_free(w);
}
