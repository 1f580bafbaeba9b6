#include "config.h"
#include "engine/model/info.h"
#include "engine/base/xio.h"
#include "engine/quant/layout.h"
#include "engine/quant/quant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TYPES = 64 };	/* kinds of tensors told apart; a file with more is a prank, its rest is one row */

struct store {
	char name[200], arch[64], license[200], kind[32], tokenizer[96], level[24];
	struct eng_type_count types[MAX_TYPES];
	uint32_t id[MAX_TYPES];
	char type_name[MAX_TYPES][24];
};

/* general.file_type as llama.cpp (Aug 2026) numbers it. 40 is I2_S too: see level_of(). */
static const struct { int64_t ftype; const char *name; } ftypes[] = {
	{ 0, "F32" },		{ 1, "F16" },		{ 2, "Q4_0" },		{ 3, "Q4_1" },
	{ 7, "Q8_0" },		{ 8, "Q5_0" },		{ 9, "Q5_1" },		{ 10, "Q2_K" },
	{ 11, "Q3_K_S" },	{ 12, "Q3_K_M" },	{ 13, "Q3_K_L" },	{ 14, "Q4_K_S" },
	{ 15, "Q4_K_M" },	{ 16, "Q5_K_S" },	{ 17, "Q5_K_M" },	{ 18, "Q6_K" },
	{ 19, "IQ2_XXS" },	{ 20, "IQ2_XS" },	{ 21, "Q2_K_S" },	{ 22, "IQ3_XS" },
	{ 23, "IQ3_XXS" },	{ 24, "IQ1_S" },	{ 25, "IQ4_NL" },	{ 26, "IQ3_S" },
	{ 27, "IQ3_M" },	{ 28, "IQ2_S" },	{ 29, "IQ2_M" },	{ 30, "IQ4_XS" },
	{ 31, "IQ1_M" },	{ 32, "BF16" },		{ 36, "TQ1_0" },	{ 37, "TQ2_0" },
	{ 38, "MXFP4_MOE" },	{ 39, "NVFP4" },	{ 40, "Q1_0" },		{ 41, "Q2_0" },
};

static const struct { enum eng_class c; const char *name; int64_t below; } classes[] = {
	{ ENG_TINY, "tiny", 100000000 },
	{ ENG_MICRO, "micro", 1500000000 },
	{ ENG_SMALL, "small", 14000000000 },
	{ ENG_MEDIUM, "medium", 30000000001 },
	{ ENG_LARGE, "large", INT64_MAX },
};

const char *eng_class_name(enum eng_class c)
{
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
		if (classes[i].c == c)
			return classes[i].name;
	return "unknown";
}

static enum eng_class class_of(int64_t params)
{
	size_t i = 0;

	while (i < sizeof classes / sizeof *classes - 1 && params >= classes[i].below)
		i++;
	return classes[i].c;
}

/* -- keys -------------------------------------------------------------------------- */

static const char *text_of(const struct gguf *g, const char *key, char *buf, size_t size)
{
	struct gguf_str s = { "", 0 };

	gguf_get_str(g, key, &s, NULL);
	return err_quote(buf, size, s.p, s.n);
}

/* A key of the architecture, or the largest value of one that has an array; 0 when there is none that makes sense. */
static int64_t hyper(const struct gguf *g, const char *arch, const char *name)
{
	const struct gguf_kv *kv;
	int64_t v = 0;
	char key[160];

	snprintf(key, sizeof key, "%s.%s", arch, name);
	if (gguf_get_array(g, key, GGUF_I32, &kv, NULL) == 1) {
		for (uint64_t i = 0; i < kv->count && i < CONFIG_MAX_LAYERS; i++)
			if (gguf_elem_i64(g, kv, i) > v)
				v = gguf_elem_i64(g, kv, i);
	} else {
		gguf_get_i64(g, key, &v, NULL);
	}
	return v < 0 || v > INT32_MAX ? 0 : v;
}

static double hyper_f(const struct gguf *g, const char *arch, const char *name)
{
	char key[160];
	double v = 0;

	snprintf(key, sizeof key, "%s.%s", arch, name);
	gguf_get_f64(g, key, &v, NULL);
	return v;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void names(struct eng_info *in, struct store *s, const struct gguf *g)
{
	in->path = gguf_path(g);
	in->name = text_of(g, "general.name", s->name, sizeof s->name);
	if (!*in->name) {
		const char *file = file_name(in->path);
		size_t n = strlen(file);

		if (n > 5 && !strcmp(file + n - 5, ".gguf"))
			n -= 5;
		in->name = err_quote(s->name, sizeof s->name, file, n);
	}
	in->arch = text_of(g, "general.architecture", s->arch, sizeof s->arch);
	in->kind = text_of(g, "general.type", s->kind, sizeof s->kind);
	if (!*in->kind)
		in->kind = "model";
	in->license = text_of(g, "general.license", s->license, sizeof s->license);
}

/* -- tensors ----------------------------------------------------------------------- */

static struct eng_type_count *count_of(struct eng_info *in, struct store *s, uint32_t type)
{
	struct gguf_layout l;
	char *name;
	int i;

	for (i = 0; i < in->n_types; i++)
		if (s->id[i] == type || i == MAX_TYPES - 1)
			return &s->types[i];
	name = s->type_name[i];
	if (i == MAX_TYPES - 1)
		snprintf(name, sizeof s->type_name[0], "others");
	else if (quant_layout(type, &l))
		snprintf(name, sizeof s->type_name[0], "%s", l.name);
	else
		snprintf(name, sizeof s->type_name[0], "type %u", type);
	s->id[i] = type;
	s->types[i] = (struct eng_type_count){ .type = name };
	in->n_types++;
	return &s->types[i];
}

/* Shapes of unknown types are not held against the file: the sum may go through the roof. */
static void add_params(int64_t *sum, int64_t n)
{
	if (__builtin_add_overflow(*sum, n, sum))
		*sum = INT64_MAX;
}

static int by_bytes(const void *va, const void *vb)
{
	const struct eng_type_count *a = va, *b = vb;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return strcmp(a->type, b->type);
}

static void tensors(struct eng_info *in, struct store *s, const struct gguf *g)
{
	in->n_tensors = gguf_n_tensors(g);
	for (int64_t i = 0; i < in->n_tensors; i++) {
		const struct gguf_tensor *t = gguf_tensor_at(g, i);
		struct eng_type_count *c = count_of(in, s, t->type);
		const int64_t n = t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3];	/* gguf_open saw that it fits */

		c->tensors++;
		c->bytes += t->bytes;
		add_params(&c->params, n);
		add_params(&in->n_params, n);
		in->tensor_bytes += t->bytes;
	}
	in->types = s->types;
	in->bpw = in->n_params ? 8.0 * (double)in->tensor_bytes / (double)in->n_params : 0;
	in->cls = class_of(in->n_params);
	in->tied = in->n_tensors && !gguf_tensor_find(g, "output.weight");
}

static const char *level_of(const struct eng_info *in, struct store *s, const struct gguf *g)
{
	const char *most = "none";
	int64_t ftype = -1, params = 0;
	bool i2_s = false;

	for (int i = 0; i < in->n_types; i++) {
		i2_s |= s->id[i] == QUANT_I2_S;
		if (s->types[i].params > params) {
			params = s->types[i].params;
			most = s->types[i].type;
		}
	}
	gguf_get_i64(g, "general.file_type", &ftype, NULL);
	for (size_t i = 0; i < sizeof ftypes / sizeof *ftypes && in->n_tensors; i++)
		if (ftypes[i].ftype == ftype)
			most = ftypes[i].name;
	/* two makers gave the number 40 to two types */
	if (ftype == 40 && i2_s)
		most = "I2_S";
	snprintf(s->level, sizeof s->level, "%s", most);
	return s->level;
}

/* -- shape of the network ---------------------------------------------------------- */

static void rope_known(struct eng_info *in, const struct config *c, const struct gguf *g)
{
	const struct rope_config *r = &c->rope[ROPE_FULL];

	in->rope_base = (double)r->base;
	in->rope_base_window = c->window ? (double)c->rope[ROPE_WINDOW].base : 0;
	in->rope_factor = r->freq_scale != 1 ? 1 / (double)r->freq_scale : 0;
	in->rope_scaling = r->ext != 0 ? "yarn" : gguf_tensor_find(g, "rope_freqs.weight") ? "by pair" :
			   gguf_tensor_find(g, "rope_factors_long.weight") ? "longrope" : in->rope_factor > 0 ? "linear" : "none";
	in->n_ctx_orig = r->ctx_orig;
}

static void shape_known(struct eng_info *in, const struct config *c, const struct gguf *g)
{
	in->family = c->family->name;
	in->n_ctx_train = c->n_ctx_train;
	in->n_embd = c->n_embd;
	in->n_layer = c->n_layer;
	in->n_head = c->max_head;
	in->n_head_kv = c->max_head_kv;
	in->head_dim = c->head_dim;
	in->n_ff = c->max_ff;
	in->n_vocab = c->n_vocab;
	in->n_rot = c->n_rot;
	rope_known(in, c, g);
	for (int32_t i = 0; i < c->n_layer; i++) {
		in->window_layers += c->layer[i].window > 0;
		in->kv_bytes_window += c->layer[i].window ? 4 * (int64_t)c->layer[i].n_head_kv * c->head_dim : 0;
	}
	in->n_window = in->window_layers ? c->window : 0;
	in->norm_eps = (double)c->norm_eps;
	in->kv_bytes_token = 2 * config_kv_values(c);
}

/* As far as it can be told by the usual keys; 0 where it cannot. */
static void shape_guessed(struct eng_info *in, const struct gguf *g)
{
	const struct gguf_tensor *embd = gguf_tensor_find(g, "token_embd.weight");
	const char *a = in->arch;
	int64_t v;

	in->n_ctx_train = hyper(g, a, "context_length");
	in->n_embd = hyper(g, a, "embedding_length");
	in->n_layer = hyper(g, a, "block_count");
	in->n_head = hyper(g, a, "attention.head_count");
	in->n_head_kv = hyper(g, a, "attention.head_count_kv");
	if (!in->n_head_kv)
		in->n_head_kv = in->n_head;
	in->head_dim = hyper(g, a, "attention.key_length");
	if (!in->head_dim && in->n_head)
		in->head_dim = in->n_embd / in->n_head;
	v = hyper(g, a, "attention.value_length");
	in->n_ff = hyper(g, a, "feed_forward_length");
	in->n_vocab = embd ? embd->ne[1] : 0;
	in->n_rot = hyper(g, a, "rope.dimension_count");
	in->rope_base = hyper_f(g, a, "rope.freq_base");
	in->norm_eps = hyper_f(g, a, "attention.layer_norm_rms_epsilon");
	if (__builtin_mul_overflow(in->n_layer * in->n_head_kv, 2 * (in->head_dim + (v ? v : in->head_dim)),
				   &in->kv_bytes_token))
		in->kv_bytes_token = 0;
}

/* -- text -------------------------------------------------------------------------- */

/* Who adds BOS when the file does not say: "llama" always, "gpt2" with these pre-splits. */
static bool bos_by_default(const char *model, const char *pre)
{
	static const char *const with[] = { "llama-bpe", "llama3", "llama-v3", "tekken", "chameleon" };

	if (!strcmp(model, "llama"))
		return true;
	for (size_t i = 0; i < sizeof with / sizeof *with; i++)
		if (!strcmp(model, "gpt2") && !strcmp(pre, with[i]))
			return true;
	return false;
}

static void text(struct eng_info *in, struct store *s, const struct gguf *g)
{
	const struct gguf_kv *tokens;
	struct gguf_str tmpl;
	char model[40], pre[40];

	in->tokenizer = s->tokenizer;
	text_of(g, "tokenizer.ggml.model", model, sizeof model);
	text_of(g, "tokenizer.ggml.pre", pre, sizeof pre);
	snprintf(s->tokenizer, sizeof s->tokenizer, "%s%s%s", *model ? model : "none", *model && *pre ? "/" : "",
		 *model ? pre : "");
	if (gguf_get_array(g, "tokenizer.ggml.tokens", GGUF_STRING, &tokens, NULL) == 1)
		in->n_tokens = (int64_t)tokens->count;
	in->add_bos = bos_by_default(model, pre);
	gguf_get_bool(g, "tokenizer.ggml.add_bos_token", &in->add_bos, NULL);
	in->template_kind = gguf_get_str(g, "tokenizer.chat_template", &tmpl, NULL) == 1 ?
		prompt_kind(tmpl.p, tmpl.n) : "none";
}

int info_load(struct eng_model *m, struct err *e)
{
	struct store *s = mem_calloc(1, sizeof *s);
	struct eng_info *in = &m->info;

	if (!s)
		return err_set(e, ERR_NOMEM, "%s: no memory to tell what it is", gguf_path(m->gguf));
	m->info_store = s;
	*in = (struct eng_info){ .gguf_version = gguf_version(m->gguf), .file_bytes = gguf_file_size(m->gguf),
				 .n_keys = gguf_n_kv(m->gguf) };
	names(in, s, m->gguf);
	tensors(in, s, m->gguf);
	in->level = level_of(in, s, m->gguf);
	qsort(s->types, (size_t)in->n_types, sizeof *s->types, by_bytes);
	if (m->cfg.family)
		shape_known(in, &m->cfg, m->gguf);
	else
		shape_guessed(in, m->gguf);
	text(in, s, m->gguf);
	return gguf_check(m->gguf, e);
}

void info_release(struct eng_model *m)
{
	mem_free(m->info_store);
	m->info_store = NULL;
}
