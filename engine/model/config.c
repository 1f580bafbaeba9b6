#include "config.h"
#include "engine/model/config.h"
#include "engine/base/xio.h"
#include "engine/kernels/kern.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Reading keys of one architecture. */
struct reader {
	const struct gguf *g;
	const char *arch;
	struct err *e;
	bool failed;
	char key[96];
};

static const char *key_of(struct reader *r, const char *name)
{
	snprintf(r->key, sizeof r->key, "%s.%s", r->arch, name);
	return r->key;
}

static void fail(struct reader *r, const struct gguf_kv *kv, const char *fmt, long long v)
{
	char what[160];

	if (r->failed)
		return;
	r->failed = true;
	snprintf(what, sizeof what, fmt, v);
	if (kv)
		err_set(r->e, ERR_FORMAT, "%s: key %s at offset %" PRIu64 ": %s", gguf_path(r->g), r->key, kv->at, what);
	else
		err_set(r->e, ERR_FORMAT, "%s: key %s: %s", gguf_path(r->g), r->key, what);
}

/* An integer in lo … hi; absent: def, or an error when def < 0. */
static int64_t get_int(struct reader *r, const char *name, int64_t def, int64_t lo, int64_t hi)
{
	int64_t v = def;
	int got;

	if (r->failed)
		return lo;
	key_of(r, name);
	got = gguf_get_i64(r->g, r->key, &v, r->e);
	if (got < 0)
		r->failed = true;
	else if (!got && def < 0)
		fail(r, NULL, "is missing", 0);
	else if (v < lo || v > hi)
		fail(r, gguf_find(r->g, r->key), v < lo ? "is %lld, too small" : "is %lld, too large", (long long)v);
	return r->failed ? lo : v;
}

static double get_num(struct reader *r, const char *name, double def, double lo, double hi)
{
	double v = def;
	int got;

	if (r->failed)
		return def;
	key_of(r, name);
	got = gguf_get_f64(r->g, r->key, &v, r->e);
	if (got < 0)
		r->failed = true;
	else if (!got && isnan(def))
		fail(r, NULL, "is missing", 0);
	else if (!(v >= lo && v <= hi))
		fail(r, gguf_find(r->g, r->key), "is out of range", 0);
	return r->failed ? 1 : v;
}

static bool is(struct gguf_str s, const char *word)
{
	return s.n == strlen(word) && !memcmp(s.p, word, s.n);
}

/* A count per layer: one number for all, or an array of n_layer. out is a member of layer[0]. */
static void get_per_layer(struct reader *r, const char *name, int64_t def, int64_t hi, struct config *c, size_t member)
{
	const struct gguf_kv *kv;

	if (r->failed)
		return;
	kv = gguf_find(r->g, key_of(r, name));
	if (kv && kv->is_array && kv->count != (uint64_t)c->n_layer) {
		fail(r, kv, "has %lld values, not one for each layer", (long long)kv->count);
		return;
	}
	if (kv && kv->is_array && gguf_get_array(r->g, r->key, kv->type, &kv, r->e) < 0) {
		r->failed = true;
		return;
	}
	if (kv && kv->is_array && (kv->type == GGUF_STRING || kv->type == GGUF_F32 || kv->type == GGUF_F64)) {
		fail(r, kv, "is no array of integers", 0);
		return;
	}
	for (int32_t i = 0; i < c->n_layer && !r->failed; i++) {
		int32_t *out = (int32_t *)((char *)&c->layer[i] + member);
		const int64_t v = kv && kv->is_array ? gguf_elem_i64(r->g, kv, (uint64_t)i) : get_int(r, name, def, 1, hi);

		if (v < 1 || v > hi)
			fail(r, kv, "has the value %lld", (long long)v);
		*out = (int32_t)v;
	}
}

/*
 * Linear scaling divides positions; yarn does so for slow pairs alone, and makes scores sharper:
 * the factor for that is 1 + ln(factor) / 10 (arXiv 2309.00071). Longrope's factors are tensors.
 */
static void get_rope(struct reader *r, struct config *c)
{
	struct rope_config *o = &c->rope[ROPE_FULL], *w = &c->rope[ROPE_WINDOW];
	struct gguf_str type = { NULL, 0 };
	double factor;

	c->n_rot = (int32_t)get_int(r, "rope.dimension_count", c->head_dim, 0, c->head_dim);
	if (c->n_rot % 2)
		fail(r, gguf_find(r->g, r->key), "is %lld, not even", c->n_rot);
	*o = (struct rope_config){ .freq_scale = 1 };
	o->base = (float)get_num(r, "rope.freq_base", 10000, 1e-3, 1e12);
	o->ctx_orig = get_int(r, "rope.scaling.original_context_length", c->n_ctx_train, 1, INT32_MAX);
	factor = get_num(r, "rope.scale_linear", 0, 0, 1e6);
	factor = get_num(r, "rope.scaling.factor", factor, 0, 1e6);
	if (!r->failed && gguf_get_str(r->g, key_of(r, "rope.scaling.type"), &type, r->e) < 0)
		r->failed = true;
	if (!r->failed && type.n && !is(type, "none") && !is(type, "linear") && !is(type, "yarn") && !is(type, "longrope"))
		fail(r, gguf_find(r->g, r->key), "is none of none, linear, yarn and longrope", 0);
	if (get_int(r, "expert_count", 0, 0, INT32_MAX) > 0)
		fail(r, gguf_find(r->g, r->key), "is not 0: mixtures of experts cannot be run", 0);
	o->attn = (float)get_num(r, "rope.scaling.attn_factor", 1, 0, 1e3);
	o->beta_fast = (float)get_num(r, "rope.scaling.yarn_beta_fast", 32, 0, 1e6);
	o->beta_slow = (float)get_num(r, "rope.scaling.yarn_beta_slow", 1, 0, 1e6);
	if (factor > 0 && !is(type, "none"))
		o->freq_scale = (float)(1 / factor);
	*w = *o;
	if (is(type, "yarn")) {
		o->ext = (float)get_num(r, "rope.scaling.yarn_ext_factor", 1, 0, 1);
		if (o->ext != 0 && o->freq_scale < 1)
			o->attn *= 1 + 0.1f * logf(1 / o->freq_scale);
	}
	if (c->family->window_base > 0) {
		w->base = c->family->window_base;
		w->freq_scale = 1;
	} else {
		*w = *o;
	}
	w->base = (float)get_num(r, "rope.freq_base_swa", (double)w->base, 1e-3, 1e12);
}

/* Which layers see a window: by a period, or told one by one. */
static void get_windows(struct reader *r, struct config *c)
{
	const struct family *f = c->family;
	const struct gguf_kv *kv;
	int64_t period;
	bool each;

	if (r->failed || !f->window_period)
		return;
	c->window = get_int(r, "attention.sliding_window", f->window, 0, INT32_MAX);
	if (r->failed || !c->window)
		return;
	kv = gguf_find(r->g, key_of(r, "attention.sliding_window_pattern"));
	each = kv && kv->is_array;
	if (each && gguf_get_array(r->g, r->key, kv->type == GGUF_BOOL ? GGUF_BOOL : GGUF_I32, &kv, r->e) < 0)
		r->failed = true;
	else if (each && kv->count != (uint64_t)c->n_layer)
		fail(r, kv, "has %lld values, not one for each layer", (long long)kv->count);
	period = each ? 1 : get_int(r, "attention.sliding_window_pattern", f->window_period, 0, INT32_MAX);
	for (int32_t i = 0; i < c->n_layer && !r->failed; i++) {
		const bool windowed = each ? gguf_elem_i64(r->g, kv, (uint64_t)i) != 0 : !period || i % period < period - 1;

		c->layer[i].window = windowed ? (int32_t)c->window : 0;
	}
}

static void check_heads(struct reader *r, struct config *c)
{
	for (int32_t i = 0; i < c->n_layer && !r->failed; i++) {
		struct layer_config *l = &c->layer[i];
		const bool nope = c->n_rot == 0 || (c->family->flags & FAMILY_NOPE4 && (i + 1) % 4 == 0);

		l->rope = nope ? ROPE_NOT : l->window ? ROPE_WINDOW : ROPE_FULL;
		if (l->n_head % l->n_head_kv || l->n_head / l->n_head_kv > KERN_MAX_GROUP) {
			key_of(r, "attention.head_count");
			fail(r, gguf_find(r->g, r->key), "does not share the KV heads evenly (%lld query heads)", l->n_head);
		}
		c->max_head = l->n_head > c->max_head ? l->n_head : c->max_head;
		c->max_head_kv = l->n_head_kv > c->max_head_kv ? l->n_head_kv : c->max_head_kv;
		c->max_ff = l->n_ff > c->max_ff ? l->n_ff : c->max_ff;
	}
}

static void get_scales(struct reader *r, struct config *c, int64_t heads)
{
	const struct family *f = c->family;
	const int64_t wide = c->n_layer == f->layers_wide ? c->n_embd / heads : c->head_dim;

	c->attn_scale = (float)get_num(r, "attention.scale", 0, 0, 1e3);
	if (c->attn_scale == 0)
		c->attn_scale = 1 / sqrtf((float)(wide ? wide : 1));
	c->embd_scale = f->flags & FAMILY_SCALE_EMBD ? sqrtf((float)c->n_embd) : 1;
	if (f->attn_softcap > 0)
		c->attn_softcap = (float)get_num(r, "attn_logit_softcapping", (double)f->attn_softcap, 0, 1e6);
	c->logit_softcap = (float)get_num(r, "final_logit_softcapping", (double)f->logit_softcap, 0, 1e6);
}

/* Every token has its row; rows beyond the tokens are never sampled. */
static int check_tokens(const struct gguf *g, const struct gguf_tensor *embd, struct err *e)
{
	const struct gguf_kv *tokens;

	if (gguf_get_array(g, "tokenizer.ggml.tokens", GGUF_STRING, &tokens, NULL) != 1 ||
	    tokens->count <= (uint64_t)embd->ne[1])
		return 0;
	return err_set(e, ERR_FORMAT, "%s: tensor token_embd.weight at offset %" PRIu64 ": %" PRId64 " rows, but key "
		       "tokenizer.ggml.tokens has %" PRIu64 " tokens", gguf_path(g), embd->info_at, embd->ne[1], tokens->count);
}

int config_load(struct config *c, const struct gguf *g, struct err *e)
{
	struct gguf_str arch = { NULL, 0 };
	struct reader r = { .g = g, .e = e };
	const struct gguf_tensor *embd;
	int64_t heads;

	*c = (struct config){ 0 };
	if (gguf_get_str(g, "general.architecture", &arch, e) < 0)
		return -1;
	if (!arch.p)
		return err_set(e, ERR_FORMAT, "%s: key general.architecture is missing", gguf_path(g));
	c->family = family_find(arch.p, arch.n);
	if (!c->family) {
		char q[80];

		return err_set(e, ERR_UNSUPPORTED, "%s: architecture '%s' is not one that can be run here",
			       gguf_path(g), err_quote(q, sizeof q, arch.p, arch.n));
	}
	r.arch = c->family->arch;
	c->n_layer = (int32_t)get_int(&r, "block_count", -1, 1, CONFIG_MAX_LAYERS);
	c->n_embd = (int32_t)get_int(&r, "embedding_length", -1, 1, CONFIG_MAX_EMBD);
	c->n_ctx_train = get_int(&r, "context_length", -1, 1, INT32_MAX);
	if (r.failed)
		return -1;
	c->layer = mem_calloc((size_t)c->n_layer, sizeof *c->layer);
	if (!c->layer)
		return err_set(e, ERR_NOMEM, "%s: no memory for %d layers", gguf_path(g), c->n_layer);
	get_per_layer(&r, "attention.head_count", -1, CONFIG_MAX_HEADS, c, offsetof(struct layer_config, n_head));
	heads = r.failed ? 1 : c->layer[0].n_head;
	for (int32_t i = 0; i < c->n_layer; i++)
		c->layer[i].n_head_kv = c->layer[i].n_head;
	if (gguf_find(g, key_of(&r, "attention.head_count_kv")))
		get_per_layer(&r, "attention.head_count_kv", -1, CONFIG_MAX_HEADS, c,
			      offsetof(struct layer_config, n_head_kv));
	get_per_layer(&r, "feed_forward_length", -1, CONFIG_MAX_FF, c, offsetof(struct layer_config, n_ff));
	c->head_dim = (int32_t)get_int(&r, "attention.key_length", c->n_embd / heads, 1, KERN_KV_MAX_HEAD);
	if (get_int(&r, "attention.value_length", c->head_dim, 1, KERN_KV_MAX_HEAD) != c->head_dim)
		fail(&r, gguf_find(g, r.key), "differs from attention.key_length (%lld), which is not supported", c->head_dim);
	c->norm_eps = (float)get_num(&r, "attention.layer_norm_rms_epsilon", NAN, 0, 1);
	get_scales(&r, c, heads);
	get_rope(&r, c);
	get_windows(&r, c);
	check_heads(&r, c);
	if (r.failed)
		return -1;
	embd = gguf_tensor_find(g, "token_embd.weight");
	if (!embd)
		return err_set(e, ERR_FORMAT, "%s: tensor token_embd.weight is missing", gguf_path(g));
	if (embd->ne[1] > CONFIG_MAX_VOCAB)
		return err_set(e, ERR_FORMAT, "%s: tensor token_embd.weight at offset %" PRIu64 ": %" PRId64
			       " rows, more than any vocabulary", gguf_path(g), embd->info_at, embd->ne[1]);
	c->n_vocab = (int32_t)embd->ne[1];
	return check_tokens(g, embd, e);
}

void config_release(struct config *c)
{
	mem_free(c->layer);
	*c = (struct config){ 0 };
}

int64_t config_kv_values(const struct config *c)
{
	int64_t n = 0;

	for (int32_t i = 0; i < c->n_layer; i++)
		n += 2 * (int64_t)c->layer[i].n_head_kv * c->head_dim;
	return n;
}
