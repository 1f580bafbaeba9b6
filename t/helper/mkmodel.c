/*
 * mkmodel SHAPE LEVEL OUT [--seed N] [--vocab N] [--arch A]: a model of a real one's shape
 * with random weights, at any level, to measure and to test with where the real one is not
 * at hand. Without arguments it tells the shapes.
 *
 * The weights are chunks drawn from a stock, one for each spread that tensors have, encoded
 * once a type. So a model of any size takes seconds and little memory, and a level's file is
 * byte for byte what `tidbit quantize` makes of the same model at F32: encoders look at no
 * more than a chunk. Numbers come from integer arithmetic alone and are the same everywhere.
 */
#include "config.h"
#include "engine/base/hash.h"
#include "engine/base/str.h"
#include "engine/base/xio.h"
#include "engine/format/gguf_write.h"
#include "engine/make/level.h"
#include "t/helper/mkvocab.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- families and shapes ------------------------------------------------------------- */

enum {
	QKV_BIAS = 1,		/* biases of query, key and value */
	QK_NORM = 2,		/* norms of each head's query and key */
	FUSED = 4,		/* attn_qkv, and gate and up in one */
	SANDWICH = 8,		/* norms behind attention and feed-forward too */
	WINDOW = 16,		/* most layers see a window */
	SUB_NORMS = 32,		/* norms before attn_output and ffn_down */
	TERNARY = 64,		/* matrices of -s, 0, s */
	ROPE_FREQS = 128,	/* takes divisors of rope's angles, one list */
	LONGROPE = 256,		/* takes two lists, for short and long contexts */
	/* what llama.cpp (Aug 2026) asks of a family, so that it loads what is made */
	SQUARE = 512,		/* all heads together are as wide as the embedding */
	TIED = 1024,		/* the embedding is the output matrix */
	PART_ROT = 2048,	/* rope may turn a part of a head */
	OWN = 4096,		/* shapes of its own kind alone: llama.cpp knows the graph as bitnet */
};

static const struct family { const char *arch; unsigned flags; double eps; } families[] = {
	{ "llama", ROPE_FREQS, 1e-5 },
	{ "qwen2", QKV_BIAS | SQUARE, 1e-6 },
	{ "qwen3", QK_NORM, 1e-6 },
	{ "phi3", FUSED | LONGROPE | SQUARE | PART_ROT, 1e-5 },
	{ "gemma3", QK_NORM | SANDWICH | WINDOW | PART_ROT, 1e-6 },
	{ "smollm3", 0, 1e-6 },
	{ "bitnet-b1.58", SUB_NORMS | TERNARY | SQUARE | TIED | PART_ROT | OWN, 1e-5 },
	{ "bitnet-25", SUB_NORMS | TERNARY | SQUARE | TIED | PART_ROT | OWN, 1e-5 },
	{ "bitnet", SUB_NORMS | TERNARY | SQUARE | TIED | PART_ROT, 1e-5 },
};

/* Figures as the models' makers publish them. */
static const struct shape {
	const char *name, *arch, *vocab;
	int embd, layers, heads, kv, head_dim, ff, n_vocab, ctx;
	double base;		/* of rope */
	bool untied;
	int rot;		/* dimensions that rope turns; 0: all of a head */
	int ctx_orig;		/* trained before it was stretched; 0: it was not */
	int factor;		/* of the stretching */
	int window;
} shapes[] = {
	{ "qwen3-0.6b", "qwen3", "qwen2", 1024, 28, 16, 8, 128, 3072, 151936, 40960, .base = 1e6 },
	{ "qwen3-1.7b", "qwen3", "qwen2", 2048, 28, 16, 8, 128, 6144, 151936, 40960, .base = 1e6 },
	{ "qwen3-4b", "qwen3", "qwen2", 2560, 36, 32, 8, 128, 9728, 151936, 40960, .base = 1e6 },
	{ "qwen3-8b", "qwen3", "qwen2", 4096, 36, 32, 8, 128, 12288, 151936, 40960, .base = 1e6,
	  .untied = true },
	{ "qwen2.5-0.5b", "qwen2", "qwen2", 896, 24, 14, 2, 64, 4864, 151936, 32768, .base = 1e6 },
	{ "qwen2.5-1.5b", "qwen2", "qwen2", 1536, 28, 12, 2, 128, 8960, 151936, 32768,
	  .base = 1e6 },
	{ "llama-3.2-1b", "llama", "llama-bpe", 2048, 16, 32, 8, 64, 8192, 128256, 131072,
	  .base = 5e5,
	  .ctx_orig = 8192, .factor = 32 },
	{ "llama-3.2-3b", "llama", "llama-bpe", 3072, 28, 24, 8, 128, 8192, 128256, 131072,
	  .base = 5e5,
	  .ctx_orig = 8192, .factor = 32 },
	{ "llama-3.1-8b", "llama", "llama-bpe", 4096, 32, 32, 8, 128, 14336, 128256, 131072,
	  .base = 5e5,
	  .untied = true, .ctx_orig = 8192, .factor = 8 },
	{ "smollm2-135m", "llama", "smollm", 576, 30, 9, 3, 64, 1536, 49152, 8192, .base = 1e5 },
	{ "smollm2-360m", "llama", "smollm", 960, 32, 15, 5, 64, 2560, 49152, 8192, .base = 1e5 },
	{ "smollm2-1.7b", "llama", "smollm", 2048, 24, 32, 32, 64, 8192, 49152, 8192,
	  .base = 1.3e5 },
	{ "smollm3-3b", "smollm3", "smaug-bpe", 2048, 36, 16, 4, 128, 11008, 128256, 65536,
	  .base = 5e6 },
	{ "gemma3-270m", "gemma3", "gemma", 640, 18, 4, 1, 256, 2048, 262144, 32768, .base = 1e6,
	  .window = 512 },
	{ "gemma3-1b", "gemma3", "gemma", 1152, 26, 4, 1, 256, 6912, 262144, 32768, .base = 1e6,
	  .window = 512 },
	{ "gemma3-4b", "gemma3", "gemma", 2560, 34, 8, 4, 256, 10240, 262144, 131072, .base = 1e6,
	  .ctx_orig = 131072, .factor = 8, .window = 1024 },
	{ "phi-4-mini", "phi3", "gpt-4o", 3072, 32, 24, 8, 128, 8192, 200064, 131072, .base = 1e4,
	  .rot = 96, .ctx_orig = 4096, .factor = 32 },
	{ "phi-3.5-mini", "phi3", "phi3", 3072, 32, 32, 32, 96, 8192, 32064, 131072, .base = 1e4,
	  .untied = true, .ctx_orig = 4096, .factor = 32 },
	{ "bitnet-2b4t", "bitnet-b1.58", "llama-bpe", 2560, 30, 20, 5, 128, 6912, 128256, 4096,
	  .base = 5e5 },
	{ "tiny-llama", "llama", "llama-bpe", 256, 5, 8, 2, 32, 768, 1024, 2048, .base = 1e4,
	  .untied = true },
	{ "tiny-llama3", "llama", "llama-bpe", 256, 4, 4, 2, 64, 512, 1024, 8192, .base = 5e5,
	  .ctx_orig = 1024, .factor = 8 },
	{ "tiny-qwen2", "qwen2", "qwen2", 256, 4, 4, 1, 64, 768, 1024, 2048, .base = 1e6 },
	{ "tiny-qwen3", "qwen3", "qwen2", 256, 8, 4, 2, 128, 768, 1024, 2048, .base = 1e6 },
	{ "tiny-phi3", "phi3", "phi3", 256, 4, 4, 2, 64, 512, 1024, 8192, .base = 1e4,
	  .rot = 48, .ctx_orig = 1024, .factor = 8 },
	{ "tiny-gemma3", "gemma3", "gemma", 256, 8, 4, 1, 64, 512, 1024, 2048, .base = 1e6,
	  .window = 64 },
	{ "tiny-smollm3", "smollm3", "smaug-bpe", 256, 8, 4, 2, 64, 768, 1024, 2048, .base = 5e6 },
	{ "tiny-bitnet", "bitnet-b1.58", "llama-bpe", 256, 4, 4, 2, 64, 768, 1024, 2048,
	  .base = 5e5 },
	/* rows of 192 suit blocks of 32 only; rows of 344 suit none */
	{ "tiny-odd", "qwen2", "smollm", 192, 4, 6, 2, 32, 344, 600, 2048, .base = 1e4 },
};

static const struct family *find_family(const char *arch)
{
	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		if (!strcmp(families[i].arch, arch))
			return &families[i];
	return NULL;
}

static const struct shape *find_shape(const char *name)
{
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		if (!strcmp(shapes[i].name, name))
			return &shapes[i];
	return NULL;
}

/* -- random numbers -------------------------------------------------------------------- */

static uint64_t next64(uint64_t *s)
{
	uint64_t z = *s += 0x9e3779b97f4a7c15u;	/* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* -1 … 1 */
static float uniform(uint64_t *s)
{
	return (float)((int64_t)(next64(s) >> 40) - (1 << 23)) / (1 << 23);
}

/* Close to a normal distribution of mean 0 and deviation 1: the sum of eight numbers of 16 bits. */
static float normal(uint64_t *s)
{
	const uint64_t a = next64(s), b = next64(s);
	int32_t sum = 0;

	for (int i = 0; i < 64; i += 16)
		sum += (int32_t)(a >> i & 0xffff) + (int32_t)(b >> i & 0xffff);
	return (float)(sum - 8 * 32768 + 4) * (1.0f / 53509.0f);	/* 65536 × sqrt(8 / 12) */
}

static uint64_t hash(uint64_t seed, const char *name)
{
	uint64_t h = hash_bytes(HASH_EMPTY, name, strlen(name));

	return next64(&h) ^ next64(&seed);
}

/* -- stocks ---------------------------------------------------------------------------- */

enum { CHUNK = 256, MANY = 2048, FEW = 128, STOCKS = 32 };

struct stock {
	const struct quant_type *type;
	float spread;
	bool ternary;
	char *data;			/* encoded chunks */
};

struct model {
	const struct shape *shape;
	const struct family *family;
	const struct level *level;
	struct level_model rules;
	int n_vocab;
	uint64_t seed;
	struct gguf_writer *w;
	struct tensor *tensors;
	int n_tensors, size_tensors;
	bool failed;			/* no memory for a tensor */
	struct stock stocks[STOCKS];
	int n_stocks;
};

/* Enough that no two rows are alike; the encoders' time is what small models take. */
static int n_chunks(const struct model *m)
{
	return m->shape->embd < 512 ? FEW : MANY;
}

static void fill_stock(const struct model *m, const struct stock *p, float *x)
{
	uint64_t s = hash(m->seed, p->ternary ? "ternary" : "normal");

	for (int i = 0; i < CHUNK * n_chunks(m); i++)
		x[i] = p->spread * (p->ternary ? (float)((int)(next64(&s) >> 33) % 3 - 1) : normal(&s));
}

/* The stock of a kind, made when it is first asked for; NULL: no memory. */
static const char *stock_of(struct model *m, const struct quant_type *t, float spread, bool ternary)
{
	const int64_t n = CHUNK * n_chunks(m);
	struct stock *p = m->stocks;
	float *x;

	for (; p < m->stocks + m->n_stocks; p++)
		if (p->type == t && p->spread == spread && p->ternary == ternary)
			return p->data;
	if (m->n_stocks == STOCKS)
		mem_free((--p, --m->n_stocks, p->data));
	x = mem_aligned((size_t)n * sizeof *x);
	*p = (struct stock){ t, spread, ternary, mem_alloc((size_t)quant_row_bytes(t, n)) };
	if (!x || !p->data) {
		mem_free(p->data);
		mem_free(x);
		return NULL;
	}
	fill_stock(m, p, x);
	t->encode(x, p->data, n);
	mem_free(x);
	m->n_stocks++;
	return p->data;
}

/* -- tensors --------------------------------------------------------------------------- */

enum fill { MATRIX, TERNARY_MATRIX, NORM, BIAS, FACTORS };

struct tensor {
	char name[64];
	enum fill fill;
	int n_dims;
	int64_t ne[2];			/* fastest first */
	float spread;			/* of a matrix: deviation, or magnitude if ternary */
	const float *factors;		/* of FACTORS; they live as long as the model is made */
	const struct quant_type *type;
};

static struct tensor *add(struct model *m, enum fill fill, int n_dims, int64_t cols, int64_t rows, const char *fmt,
			  ...) __attribute__((format(printf, 6, 7)));
static struct tensor *add(struct model *m, enum fill fill, int n_dims, int64_t cols, int64_t rows, const char *fmt,
			  ...)
{
	static struct tensor spare;
	struct tensor *t;
	va_list ap;

	if (m->n_tensors == m->size_tensors) {
		const int size = 2 * m->size_tensors + 64;

		t = mem_rearray(m->tensors, (size_t)size, sizeof *t);
		if (!t) {
			m->failed = true;
			return &spare;
		}
		m->tensors = t;
		m->size_tensors = size;
	}
	t = &m->tensors[m->n_tensors++];
	*t = (struct tensor){ .fill = fill, .n_dims = n_dims, .ne = { cols, rows } };
	va_start(ap, fmt);
	vsnprintf(t->name, sizeof t->name, fmt, ap);
	va_end(ap);
	t->type = level_tensor_type(m->level, &m->rules, t->name, n_dims, t->ne);
	if (!t->type)
		t->type = quant_by_id(QUANT_F32);
	return t;
}

/*
 * A layer's matrix: what goes in with deviation 1 comes out with `gain`. Ternary weights are
 * not zero two times in three.
 */
static void add_matrix(struct model *m, int layer, const char *name, int64_t cols, int64_t rows, double gain)
{
	const bool ternary = m->family->flags & TERNARY;
	struct tensor *t = add(m, ternary ? TERNARY_MATRIX : MATRIX, 2, cols, rows, "blk.%d.%s.weight", layer, name);

	t->spread = (float)(gain * sqrt((ternary ? 1.5 : 1.0) / (double)cols));
}

static void add_norm(struct model *m, int layer, const char *name, int64_t n)
{
	add(m, NORM, 1, n, 1, "blk.%d.%s.weight", layer, name);
}

static void add_attention(struct model *m, int i, double out_gain)
{
	const struct shape *s = m->shape;
	const unsigned f = m->family->flags;
	const int64_t q = (int64_t)s->heads * s->head_dim, kv = (int64_t)s->kv * s->head_dim;

	add_norm(m, i, "attn_norm", s->embd);
	if (f & FUSED) {
		add_matrix(m, i, "attn_qkv", s->embd, q + 2 * kv, 1);
	} else {
		add_matrix(m, i, "attn_q", s->embd, q, 1);
		add_matrix(m, i, "attn_k", s->embd, kv, 1);
		add_matrix(m, i, "attn_v", s->embd, kv, 1);
	}
	if (f & QKV_BIAS) {
		add(m, BIAS, 1, q, 1, "blk.%d.attn_q.bias", i);
		add(m, BIAS, 1, kv, 1, "blk.%d.attn_k.bias", i);
		add(m, BIAS, 1, kv, 1, "blk.%d.attn_v.bias", i);
	}
	if (f & QK_NORM) {
		add_norm(m, i, "attn_q_norm", s->head_dim);
		add_norm(m, i, "attn_k_norm", s->head_dim);
	}
	if (f & SUB_NORMS)
		add_norm(m, i, "attn_sub_norm", q);
	add_matrix(m, i, "attn_output", q, s->embd, out_gain);
	if (f & SANDWICH)
		add_norm(m, i, "post_attention_norm", s->embd);
}

static void add_feed_forward(struct model *m, int i, double out_gain)
{
	const struct shape *s = m->shape;
	const unsigned f = m->family->flags;

	add_norm(m, i, "ffn_norm", s->embd);
	if (!(f & FUSED))
		add_matrix(m, i, "ffn_gate", s->embd, s->ff, 1);
	add_matrix(m, i, "ffn_up", s->embd, f & FUSED ? 2 * s->ff : s->ff, 1);
	if (f & SUB_NORMS)
		add_norm(m, i, "ffn_sub_norm", s->ff);
	add_matrix(m, i, "ffn_down", s->ff, s->embd, out_gain);
	if (f & SANDWICH)
		add_norm(m, i, "post_ffw_norm", s->embd);
}

static void add_factors(struct model *m, const char *name, const float *factors)
{
	const struct shape *s = m->shape;

	add(m, FACTORS, 1, (s->rot ? s->rot : s->head_dim) / 2, 1, "%s", name)->factors = factors;
}

/* How Llama 3.1 stretches the angles that turn slowly (llama-models: low factor 1, high factor 4). */
static void llama3_factors(const struct shape *s, float *out)
{
	for (int i = 0; i < s->head_dim / 2; i++) {
		const double wave = 6.283185307179586 * pow(s->base, 2.0 * i / s->head_dim);
		const double turns = s->ctx_orig / wave, smooth = (turns - 1) / 3;

		out[i] = (float)(turns > 4 ? 1 : turns < 1 ? s->factor : 1 / ((1 - smooth) / s->factor + smooth));
	}
}

/* Phi-4-mini's long factors begin so; its short ones are 1. */
static void long_factors(const struct shape *s, float *out)
{
	const double most = s->factor + 1;

	for (int i = 0; i < (s->rot ? s->rot : s->head_dim) / 2; i++) {
		const double f = pow(1.118320672, i);

		out[i] = (float)(f < most ? f : most);
	}
}

/* -1 for tensors outside of the layers. */
static long layer_number(const char *name)
{
	return strncmp(name, "blk.", 4) ? -1 : strtol(name + 4, NULL, 10);
}

/* The order that quantize writes. */
static int by_layer(const void *a, const void *b)
{
	const char *x = ((const struct tensor *)a)->name, *y = ((const struct tensor *)b)->name;
	const long m = layer_number(x), n = layer_number(y);

	return m != n ? (m < n ? -1 : 1) : strcmp(x, y);
}

enum { MAX_HALF = 128 };	/* pairs of a head */

static void add_all(struct model *m)
{
	static float ones[MAX_HALF], stretched[MAX_HALF];
	const struct shape *s = m->shape;
	/* what 2 × layers branches add to the stream stays near what it began with */
	const double out_gain = 1 / sqrt(2.0 * s->layers);

	add(m, MATRIX, 2, s->embd, m->n_vocab, "token_embd.weight")->spread = (float)(2 / sqrt(s->embd));
	add(m, NORM, 1, s->embd, 1, "output_norm.weight");
	if (s->untied)
		add(m, MATRIX, 2, s->embd, m->n_vocab, "output.weight")->spread = (float)(2 / sqrt(s->embd));
	if (s->ctx_orig && m->family->flags & ROPE_FREQS) {
		llama3_factors(s, stretched);
		add_factors(m, "rope_freqs.weight", stretched);
	}
	if (s->ctx_orig && m->family->flags & LONGROPE) {
		for (int i = 0; i < MAX_HALF; i++)
			ones[i] = 1;
		long_factors(s, stretched);
		add_factors(m, "rope_factors_long.weight", stretched);
		add_factors(m, "rope_factors_short.weight", ones);
	}
	for (int i = 0; i < s->layers; i++) {
		add_attention(m, i, out_gain);
		add_feed_forward(m, i, out_gain);
	}
	qsort(m->tensors, (size_t)m->n_tensors, sizeof *m->tensors, by_layer);
}

/* -- writing --------------------------------------------------------------------------- */

/* A norm's weights lie around 1, a bias's around 0. */
static int put_vector(struct model *m, int number, struct err *e)
{
	const struct tensor *t = &m->tensors[number];
	const size_t n = (size_t)t->ne[0];
	float *x = mem_array(2 * n, sizeof *x);		/* and as the file has it */
	uint64_t s = hash(m->seed, t->name);
	int r;

	if (!x)
		return err_set(e, ERR_NOMEM, "no memory for tensor %s", t->name);
	for (size_t i = 0; i < n; i++)
		x[i] = t->fill == FACTORS ? t->factors[i] : (t->fill == NORM) + 0.2f * uniform(&s);
	t->type->encode(x, x + n, t->ne[0]);
	r = gguf_writer_put(m->w, number, 0, x + n, n * sizeof *x, e);
	mem_free(x);
	return r;
}

static int put_matrix(struct model *m, int number, char *buf, size_t size, struct err *e)
{
	const struct tensor *t = &m->tensors[number];
	const int64_t n = t->ne[0] * t->ne[1];
	const char *stock = stock_of(m, t->type, t->spread, t->fill == TERNARY_MATRIX);
	const size_t chunk = (size_t)quant_row_bytes(t->type, CHUNK), total = (size_t)quant_row_bytes(t->type, n);
	const uint64_t chunks = (uint64_t)n_chunks(m);
	uint64_t s = hash(m->seed, t->name), at = 0;
	unsigned char tail[64];

	if (!stock)
		return err_set(e, ERR_NOMEM, "no memory for tensor %s", t->name);
	while (at < total) {
		size_t fill = 0;

		for (; fill + chunk <= size && at + fill < total; fill += chunk)
			memcpy(buf + fill, stock + next64(&s) % chunks * chunk, chunk);
		fill = fill < total - at ? fill : (size_t)(total - at);
		if (gguf_writer_put(m->w, number, at, buf, fill, e) < 0)
			return -1;
		at += fill;
	}
	if (!t->type->tail)
		return 0;
	quant_tail_write(t->type, t->spread, tail);
	return gguf_writer_put(m->w, number, total, tail, (size_t)t->type->tail, e);
}

static void key_u32(struct model *m, const char *name, int v)
{
	char key[96];

	snprintf(key, sizeof key, "%s.%s", m->family->arch, name);
	gguf_writer_u32(m->w, key, (uint32_t)v);
}

static void key_f32(struct model *m, const char *name, double v)
{
	char key[96];

	snprintf(key, sizeof key, "%s.%s", m->family->arch, name);
	gguf_writer_f32(m->w, key, (float)v);
}

static void put_rope(struct model *m)
{
	const struct shape *s = m->shape;
	const unsigned f = m->family->flags;
	char key[96];

	key_u32(m, "rope.dimension_count", s->rot ? s->rot : s->head_dim);
	key_f32(m, "rope.freq_base", s->base);
	if (!s->ctx_orig)
		return;
	if (f & LONGROPE) {
		key_u32(m, "rope.scaling.original_context_length", s->ctx_orig);
		key_f32(m, "rope.scaling.attn_factor", sqrt(1 + log(s->ctx / (double)s->ctx_orig) / log(s->ctx_orig)));
	} else if (f & WINDOW) {
		snprintf(key, sizeof key, "%s.rope.scaling.type", m->family->arch);
		gguf_writer_str(m->w, key, "linear", 6);
		key_f32(m, "rope.scaling.factor", s->factor);
	}
}

static void put_keys(struct model *m)
{
	const struct shape *s = m->shape;

	gguf_writer_str(m->w, "general.architecture", m->family->arch, strlen(m->family->arch));
	gguf_writer_str(m->w, "general.type", "model", 5);
	gguf_writer_str(m->w, "general.name", s->name, strlen(s->name));
	key_u32(m, "block_count", s->layers);
	key_u32(m, "context_length", s->ctx);
	key_u32(m, "embedding_length", s->embd);
	key_u32(m, "feed_forward_length", s->ff);
	key_u32(m, "attention.head_count", s->heads);
	key_u32(m, "attention.head_count_kv", s->kv);
	key_u32(m, "attention.key_length", s->head_dim);
	key_u32(m, "attention.value_length", s->head_dim);
	key_f32(m, "attention.layer_norm_rms_epsilon", m->family->eps);
	if (m->family->flags & (WINDOW | LONGROPE))
		key_u32(m, "attention.sliding_window", s->window ? s->window : m->family->flags & WINDOW ? 512 : s->ctx);
	key_u32(m, "vocab_size", m->n_vocab);
	put_rope(m);
}

static int write_model(struct model *m, const char *path, struct err *e)
{
	const size_t size = 1 << 20;
	char *buf = mem_alloc(size);
	int r = -1;

	if (!buf || m->failed) {
		err_set(e, ERR_NOMEM, "no memory");
		goto out;
	}
	if (gguf_writer_new(&m->w, e) < 0)
		goto out;
	put_keys(m);
	if (mkvocab_write(mkvocab_find(m->shape->vocab), m->w, m->n_vocab, e) < 0)
		goto out;
	gguf_writer_u32(m->w, "general.quantization_version", 2);
	gguf_writer_u32(m->w, "general.file_type", (uint32_t)m->level->ftype);
	for (int i = 0; i < m->n_tensors; i++) {
		const struct tensor *t = &m->tensors[i];

		if (gguf_writer_tensor(m->w, t->name, t->type->id, t->n_dims, t->ne,
				       (uint64_t)quant_tensor_bytes(t->type, t->ne[0], t->ne[1]), e) < 0)
			goto out;
	}
	if (gguf_writer_open(m->w, path, e) < 0)
		goto out;
	for (int i = 0; i < m->n_tensors; i++)
		if ((m->tensors[i].fill <= TERNARY_MATRIX ? put_matrix(m, i, buf, size, e) : put_vector(m, i, e)) < 0)
			goto out;
	r = gguf_writer_commit(m->w, e);
out:
	gguf_writer_free(m->w);
	mem_free(buf);
	for (int i = 0; i < m->n_stocks; i++)
		mem_free(m->stocks[i].data);
	mem_free(m->tensors);
	return r;
}

/* -- the program ------------------------------------------------------------------------ */

static int usage(void)
{
	fputs("usage: mkmodel SHAPE LEVEL OUT [--seed N] [--vocab N] [--arch A]\n\nshapes:", stderr);
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		fprintf(stderr, " %s", shapes[i].name);
	fputs("\nlevels:", stderr);
	for (const struct level *l = levels; l->name; l++)
		fprintf(stderr, " %s", l->name);
	fputs("\narchitectures:", stderr);
	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		fprintf(stderr, " %s", families[i].arch);
	fputc('\n', stderr);
	return 2;
}

static int number(const char *what, const char *text, uint64_t lo, uint64_t hi, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && !errno && *out >= lo && *out <= hi)
		return 0;
	fprintf(stderr, "mkmodel: %s: a number from %" PRIu64 " to %" PRIu64 " is expected\n", what, lo, hi);
	return -1;
}

static int unfit(const char *what, const char *name)
{
	fprintf(stderr, "mkmodel: %s '%s'\n", what, name);
	return usage();
}

/* Is there a model of that shape in that family? */
static int check_family(const struct shape *s, const struct family *f)
{
	const int wide = s->heads * s->head_dim;
	char why[128] = "";

	if (f->flags & OWN && !(find_family(s->arch)->flags & OWN))
		snprintf(why, sizeof why, "it takes the shapes of its own kind");
	else if (f->flags & SQUARE && wide != s->embd)
		snprintf(why, sizeof why, "%d heads of %d make %d, and it wants the embedding's %d", s->heads, s->head_dim, wide,
			 s->embd);
	else if (f->flags & TIED && s->untied)
		snprintf(why, sizeof why, "it has no output matrix, and the shape has one");
	else if (!(f->flags & PART_ROT) && s->rot && s->rot != s->head_dim)
		snprintf(why, sizeof why, "its rope turns whole heads of %d, and the shape's %d of them", s->head_dim, s->rot);
	if (!*why)
		return 0;
	fprintf(stderr, "mkmodel: %s cannot be made as %s: %s\n", s->name, f->arch, why);
	return -1;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' }, { "vocab", required_argument, NULL, 'v' },
		{ "arch", required_argument, NULL, 'a' }, { NULL, 0, NULL, 0 },
	};
	struct model m = { .seed = 1 };
	const char *arch = NULL;
	uint64_t vocab = 0;
	struct err e;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'a')
			arch = optarg;
		else if (c == 's' && number("--seed", optarg, 0, UINT64_MAX, &m.seed) < 0)
			return 2;
		else if (c == 'v' && number("--vocab", optarg, MKVOCAB_MIN, MKVOCAB_MAX, &vocab) < 0)
			return 2;
		else if (c == '?')
			return usage();
	}
	if (argc - optind != 3)
		return usage();
	m.shape = find_shape(argv[optind]);
	if (!m.shape)
		return unfit("there is no shape", argv[optind]);
	m.level = level_by_name(argv[optind + 1]);
	if (!m.level)
		return unfit("there is no level", argv[optind + 1]);
	m.family = find_family(arch ? arch : m.shape->arch);
	if (!m.family)
		return unfit("there is no architecture", arch);
	if (check_family(m.shape, m.family) < 0)
		return 2;
	if (m.level->ternary && !(m.family->flags & TERNARY))
		return unfit("for ternary models only:", m.level->name);
	m.n_vocab = vocab ? (int)vocab : m.shape->n_vocab;
	m.rules = (struct level_model){ m.shape->layers, m.shape->heads / m.shape->kv, m.shape->untied };
	add_all(&m);
	if (write_model(&m, argv[optind + 2], &e) < 0) {
		fprintf(stderr, "mkmodel: %s\n", e.msg);
		return 1;
	}
	return 0;
}
