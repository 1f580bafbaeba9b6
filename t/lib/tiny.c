#include "config.h"
#include "t/lib/tiny.h"
#include "engine/quant/quant.h"
#include "t/lib/ggufmake.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct writing {
	const struct tiny *t;
	struct ggufmake *m;
	uint64_t state;
};

/* -127 … 127, over 128 */
static float draw(struct writing *w)
{
	w->state = w->state * 6364136223846793005u + 1442695040888963407u;
	return (float)((int)((w->state >> 33) % 255) - 127) / 128;
}

static void *take(size_t n)
{
	void *p = malloc(n);

	if (!p)
		abort();
	return p;
}

/* n values mid ± spread, in BF16: F16 has them too. */
static void vector(struct writing *w, const char *name, int64_t n, float mid, float spread)
{
	const unsigned has = w->t->has;
	const struct quant_type *type = quant_by_id(has & TINY_F16_NORMS ? QUANT_F16 :
						    has & TINY_BF16_NORMS ? QUANT_BF16 : QUANT_F32);
	float *x = take((size_t)n * sizeof *x);
	char *bytes = take((size_t)(n * type->bytes));

	for (int64_t i = 0; i < n; i++)
		x[i] = quant_bf16_to_f32(quant_f32_to_bf16(mid + spread * draw(w)));
	type->encode(x, bytes, n);
	gm_tensor(w->m, name, (uint32_t)type->id, 1, &n, bytes, (size_t)(n * type->bytes));
	free(bytes);
	free(x);
}

static void layer_vector(struct writing *w, int il, const char *name, int64_t n, float mid, float spread)
{
	char full[96];

	snprintf(full, sizeof full, "blk.%d.%s", il, name);
	vector(w, full, n, mid, spread);
}

static void matrix(struct writing *w, const char *name, int64_t cols, int64_t rows, float spread)
{
	const int64_t n = cols * rows, ne[] = { cols, rows };
	float *x = take((size_t)n * sizeof *x);

	for (int64_t i = 0; i < n; i++)
		x[i] = spread * draw(w);
	gm_tensor(w->m, name, GM_F32, 2, ne, x, (size_t)n * sizeof *x);
	free(x);
}

/* Thirds of -s, 0, s. */
static void ternary(struct writing *w, const char *name, int64_t cols, int64_t rows, float s)
{
	const struct quant_type *type = quant_by_id(QUANT_I2_S);
	const int64_t n = cols * rows, ne[] = { cols, rows }, bytes = quant_tensor_bytes(type, cols, rows);
	float *x = take((size_t)n * sizeof *x);
	char *p = take((size_t)bytes);

	for (int64_t i = 0; i < n; i++) {
		const float u = draw(w);

		x[i] = u < -1.0f / 3 ? -1 : u > 1.0f / 3 ? 1 : 0;
	}
	type->encode(x, p, n);
	quant_tail_write(type, s, p + bytes - type->tail);
	gm_tensor(w->m, name, QUANT_I2_S, 2, ne, p, (size_t)bytes);
	free(p);
	free(x);
}

static void layer_matrix(struct writing *w, int il, const char *stem, int64_t cols, int64_t rows)
{
	const float spread = ldexpf(1, -(int)(log2((double)cols) / 2));
	char name[64];

	snprintf(name, sizeof name, "blk.%d.%s.weight", il, stem);
	if (w->t->has & TINY_I2_S)
		ternary(w, name, cols, rows, spread);
	else
		matrix(w, name, cols, rows, spread);
	snprintf(name, sizeof name, "%s.scale", stem);
	if (w->t->has & TINY_SCALES)
		layer_vector(w, il, name, 1, 1, 0.5f);
}

static void key(char *buf, size_t size, const struct writing *w, const char *name)
{
	snprintf(buf, size, "%s.%s", w->t->arch, name);
}

static void put_int(struct writing *w, const char *name, int v)
{
	char k[96];

	key(k, sizeof k, w, name);
	if (v)
		gm_u32(w->m, k, (uint32_t)v);
}

static void put_float(struct writing *w, const char *name, double v)
{
	char k[96];

	key(k, sizeof k, w, name);
	if (v != 0)
		gm_f32(w->m, k, (float)v);
}

static int kv_of(const struct tiny *t, int il)
{
	return t->has & TINY_ARRAYS && il % 2 ? t->kv / 2 : t->kv;
}

static int ff_of(const struct tiny *t, int il)
{
	return t->has & TINY_ARRAYS && il % 2 ? t->ff / 2 : t->ff;
}

static void put_counts(struct writing *w, const char *name, int v, int (*of)(const struct tiny *, int))
{
	int32_t each[64];
	char k[96];

	if (!(w->t->has & TINY_ARRAYS)) {
		put_int(w, name, v);
		return;
	}
	for (int i = 0; i < w->t->layers; i++)
		each[i] = of(w->t, i);
	key(k, sizeof k, w, name);
	gm_i32s(w->m, k, each, (size_t)w->t->layers);
}

static void tokens(struct writing *w)
{
	const size_t n = (size_t)w->t->vocab * 3 / 4;
	char (*text)[24] = take(n * sizeof *text);
	const char **p = take(n * sizeof *p);
	float *scores = take(n * sizeof *scores);
	int32_t *types = take(n * sizeof *types);

	for (size_t i = 0; i < n; i++) {
		snprintf(text[i], sizeof text[i], i < 3 ? "<%zu>" : "t%zu", i);
		p[i] = text[i];
		scores[i] = -(float)i;
		types[i] = i == 0 ? 2 : i < 3 ? 3 : 1;
	}
	gm_str(w->m, "tokenizer.ggml.model", "llama");
	gm_strs(w->m, "tokenizer.ggml.tokens", p, n);
	gm_f32s(w->m, "tokenizer.ggml.scores", scores, n);
	gm_i32s(w->m, "tokenizer.ggml.token_type", types, n);
	free(types);
	free(scores);
	free(p);
	free(text);
}

static void keys(struct writing *w)
{
	const struct tiny *t = w->t;
	char k[96];

	gm_str(w->m, "general.architecture", t->arch);
	gm_str(w->m, "general.name", t->name);
	put_int(w, "context_length", t->ctx);
	put_int(w, "embedding_length", t->embd);
	put_int(w, "block_count", t->layers);
	put_int(w, "vocab_size", t->vocab);
	put_int(w, "attention.head_count", t->heads);
	put_counts(w, "attention.head_count_kv", t->kv, kv_of);
	put_counts(w, "feed_forward_length", t->ff, ff_of);
	put_int(w, "attention.key_length", t->head_dim);
	put_int(w, "attention.value_length", t->head_dim);
	put_int(w, "rope.dimension_count", t->rot);
	put_float(w, "attention.layer_norm_rms_epsilon", 1e-5);
	put_float(w, "rope.freq_base", t->base);
	put_float(w, "rope.scaling.factor", t->factor);
	put_float(w, "rope.scaling.attn_factor", t->attn_factor);
	put_int(w, "rope.scaling.original_context_length", t->ctx_orig);
	key(k, sizeof k, w, "rope.scaling.type");
	if (t->scaling)
		gm_str(w->m, k, t->scaling);
	put_int(w, "attention.sliding_window", t->window);
	put_int(w, "attention.sliding_window_pattern", t->period);
	key(k, sizeof k, w, "attention.sliding_window_pattern");
	if (t->windows) {
		bool each[64];

		for (int i = 0; i < t->layers; i++)
			each[i] = t->windows[i] != 0;
		gm_bools(w->m, k, each, (size_t)t->layers);
	}
	put_float(w, "attn_logit_softcapping", t->attn_cap);
	put_float(w, "final_logit_softcapping", t->logit_cap);
	if (t->has & TINY_TOKENS)
		tokens(w);
	else
		gm_str(w->m, "tokenizer.ggml.model", "none");
}

static void attention(struct writing *w, int il)
{
	const struct tiny *t = w->t;
	const int64_t q = (int64_t)t->heads * t->head_dim, kv = (int64_t)kv_of(t, il) * t->head_dim;

	layer_vector(w, il, "attn_norm.weight", t->embd, 1, 0.5f);
	if (t->has & TINY_FUSED_QKV) {
		layer_matrix(w, il, "attn_qkv", t->embd, q + 2 * kv);
	} else {
		layer_matrix(w, il, "attn_q", t->embd, q);
		layer_matrix(w, il, "attn_k", t->embd, kv);
		layer_matrix(w, il, "attn_v", t->embd, kv);
	}
	layer_matrix(w, il, "attn_output", q, t->embd);
	if (t->has & TINY_BIAS_QKV && t->has & TINY_FUSED_QKV) {
		layer_vector(w, il, "attn_qkv.bias", q + 2 * kv, 0, 0.5f);
	} else if (t->has & TINY_BIAS_QKV) {
		layer_vector(w, il, "attn_q.bias", q, 0, 0.5f);
		layer_vector(w, il, "attn_k.bias", kv, 0, 0.5f);
		layer_vector(w, il, "attn_v.bias", kv, 0, 0.5f);
	}
	if (t->has & TINY_BIAS_ALL)
		layer_vector(w, il, "attn_output.bias", t->embd, 0, 0.5f);
	if (t->has & TINY_QK_NORM) {
		layer_vector(w, il, "attn_q_norm.weight", t->head_dim, 1, 0.5f);
		layer_vector(w, il, "attn_k_norm.weight", t->head_dim, 1, 0.5f);
	}
	if (t->has & TINY_SUB_NORMS)
		layer_vector(w, il, "attn_sub_norm.weight", q, 1, 0.5f);
	if (t->has & TINY_POST_NORMS)
		layer_vector(w, il, "post_attention_norm.weight", t->embd, 1, 0.5f);
}

static void feed_forward(struct writing *w, int il)
{
	const struct tiny *t = w->t;
	const int64_t ff = ff_of(t, il);

	layer_vector(w, il, "ffn_norm.weight", t->embd, 1, 0.5f);
	if (t->has & TINY_FUSED_UP) {
		layer_matrix(w, il, "ffn_up", t->embd, 2 * ff);
	} else {
		layer_matrix(w, il, "ffn_gate", t->embd, ff);
		layer_matrix(w, il, "ffn_up", t->embd, ff);
	}
	layer_matrix(w, il, "ffn_down", ff, t->embd);
	if (t->has & TINY_BIAS_ALL) {
		layer_vector(w, il, "ffn_gate.bias", ff, 0, 0.5f);
		layer_vector(w, il, "ffn_up.bias", ff, 0, 0.5f);
		layer_vector(w, il, "ffn_down.bias", t->embd, 0, 0.5f);
	}
	if (t->has & TINY_SUB_NORMS)
		layer_vector(w, il, "ffn_sub_norm.weight", ff, 1, 0.5f);
	if (t->has & TINY_POST_NORMS)
		layer_vector(w, il, "post_ffw_norm.weight", t->embd, 1, 0.5f);
}

void tiny_write(const struct tiny *t, uint64_t seed, const char *path)
{
	struct writing w = { .t = t, .m = gm_new(), .state = seed };
	const int rot = t->rot ? t->rot : t->head_dim;

	keys(&w);
	matrix(&w, "token_embd.weight", t->embd, t->vocab, 0.5f);
	vector(&w, "output_norm.weight", t->embd, 1, 0.5f);
	if (t->has & TINY_OUTPUT)
		matrix(&w, "output.weight", t->embd, t->vocab, 0.25f);
	if (t->has & TINY_ROPE_FREQS)
		vector(&w, "rope_freqs.weight", rot / 2, 3, 2);
	if (t->has & TINY_LONGROPE) {
		vector(&w, "rope_factors_short.weight", rot / 2, 1.5f, 0.5f);
		vector(&w, "rope_factors_long.weight", rot / 2, 8, 4);
	}
	for (int il = 0; il < t->layers; il++) {
		attention(&w, il);
		feed_forward(&w, il);
	}
	gm_write(w.m, path);
	gm_free(w.m);
}
