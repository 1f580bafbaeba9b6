/* What a file says of itself: classes, levels, shapes of families that are not known, BOS by default. */
#include "config.h"
#include "engine/engine.h"
#include "engine/make/level.h"
#include "engine/model/model.h"
#include "t/lib/ggufmake.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct eng *eng;

/* Takes m. NULL when it does not open. */
static struct eng_model *look(struct ggufmake *m, const char *name)
{
	struct eng_model *out = NULL;
	struct err e = { 0 };

	gm_write(m, tmp_path(name));
	gm_free(m);
	ok(eng_model_open(eng, tmp_path(name), true, &out, &e) == 0, "%s opens %s", name, e.msg);
	return out;
}

static void classes(void)
{
	static const struct { int64_t n; enum eng_class c; const char *name; } rows[] = {
		{ 1, ENG_TINY, "tiny" }, { 99999999, ENG_TINY, "tiny" }, { 100000000, ENG_MICRO, "micro" },
		{ 1499999999, ENG_MICRO, "micro" }, { 1500000000, ENG_SMALL, "small" },
		{ 13999999999, ENG_SMALL, "small" }, { 14000000000, ENG_MEDIUM, "medium" },
		{ 30000000000, ENG_MEDIUM, "medium" }, { 30000000001, ENG_LARGE, "large" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ggufmake *m = gm_new();
		struct eng_model *x;

		gm_str(m, "general.architecture", "nobody");
		/* a type that nobody knows: its weights take no room here */
		gm_tensor(m, "w", 999, 1, &rows[i].n, NULL, 0);
		x = look(m, "class.gguf");
		ok(x && x->info.n_params == rows[i].n && x->info.cls == rows[i].c &&
		   !strcmp(eng_class_name(x->info.cls), rows[i].name), "%s", rows[i].name);
		eng_model_close(x);
	}
}

static void levels_agree(void)
{
	bool same = true;

	for (const struct level *l = levels; l->name; l++) {
		struct ggufmake *m = gm_new();
		struct eng_model *x;

		gm_str(m, "general.architecture", "nobody");
		gm_u32(m, "general.file_type", (uint32_t)l->ftype);
		gm_tensor(m, "w", l->base, 1, (const int64_t[]){ 256 }, NULL, 4096);
		x = look(m, "level.gguf");
		if (!x || strcmp(x->info.level, l->name)) {
			printf("# %s is told as %s\n", l->name, x ? x->info.level : "nothing");
			same = false;
		}
		eng_model_close(x);
	}
	ok(same, "a file made at a level says that level");
}

static void by_types(void)
{
	struct ggufmake *m = gm_new();
	struct eng_model *x;
	const struct eng_info *in;

	gm_str(m, "general.architecture", "nobody");
	gm_tensor(m, "a", GM_F32, 1, (const int64_t[]){ 32 }, NULL, 128);
	gm_tensor(m, "b", QUANT_Q4_0, 2, (const int64_t[]){ 64, 8 }, NULL, 288);
	gm_tensor(m, "c", QUANT_Q4_0, 1, (const int64_t[]){ 32 }, NULL, 18);
	gm_tensor(m, "output.weight", 16, 1, (const int64_t[]){ 256 }, NULL, 66);	/* IQ2_XXS */
	x = look(m, "my model.gguf");
	if (!x)
		return;
	in = &x->info;
	ok(!strcmp(in->name, "my model") && !strcmp(in->level, "Q4_0"), "without the keys: the file's name, the type of most");
	ok(in->n_types == 3 && !strcmp(in->types[0].type, "Q4_0") && in->types[0].tensors == 2 &&
	   in->types[0].params == 544 && in->types[0].bytes == 306 && !strcmp(in->types[1].type, "F32") &&
	   !strcmp(in->types[2].type, "IQ2_XXS"), "types are counted, largest first");
	ok(in->tensor_bytes == 500 && fabs(in->bpw - 8.0 * 500 / 832) < 1e-12 && !in->tied, "sums");
	ok(in->note && !in->family && !in->kv_bytes_token && !strcmp(in->template_kind, "none") &&
	   !strcmp(in->tokenizer, "none"), "what is not there is not told");
	eng_model_close(x);
}

static void guessed(void)
{
	struct ggufmake *m = gm_new();
	struct eng_model *x;
	const struct eng_info *in;

	gm_str(m, "general.architecture", "nobody");
	gm_u32(m, "nobody.context_length", 100);
	gm_u32(m, "nobody.embedding_length", 64);
	gm_u32(m, "nobody.block_count", 3);
	gm_u32(m, "nobody.attention.head_count", 8);
	gm_i32s(m, "nobody.attention.head_count_kv", (const int32_t[]){ 1, 4, -7 }, 3);
	gm_str(m, "nobody.feed_forward_length", "many");
	gm_u64(m, "nobody.rope.dimension_count", UINT64_MAX);
	gm_tensor(m, "token_embd.weight", GM_F32, 2, (const int64_t[]){ 4, 5 }, NULL, 80);
	x = look(m, "guess.gguf");
	if (!x)
		return;
	in = &x->info;
	ok(in->n_ctx_train == 100 && in->n_layer == 3 && in->n_head == 8 && in->n_head_kv == 4 && in->head_dim == 8 &&
	   in->n_vocab == 5 && in->tied, "the usual keys; of an array the largest");
	ok(in->n_ff == 0 && in->n_rot == 0, "what makes no sense is not told");
	ok(in->kv_bytes_token == 3 * 4 * (8 + 8) * 2, "bytes a token");
	eng_model_close(x);
	m = gm_new();
	gm_str(m, "general.architecture", "nobody");
	gm_u32(m, "nobody.block_count", INT32_MAX);
	gm_u32(m, "nobody.attention.head_count", INT32_MAX);
	gm_u32(m, "nobody.attention.key_length", INT32_MAX);
	gm_tensor(m, "w", GM_F32, 1, (const int64_t[]){ 4 }, NULL, 16);
	x = look(m, "guess.gguf");
	ok(x && x->info.kv_bytes_token == 0, "a product that does not fit is not told");
	eng_model_close(x);
}

/* The short rule of info.c against the vocabulary itself. */
static void bos(void)
{
	static const char *const files[] = {
		"qwen/ggml-vocab-qwen2", "phi-4-mini/ggml-vocab-phi-4-mini", "llama3/ggml-vocab-llama3",
		"smollm/ggml-vocab-smollm", "conformance/ggml-vocab-phi-3", "conformance/ggml-vocab-gpt-2",
		"conformance/ggml-vocab-llama-spm",
	};

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char name[128];
		const char *path;
		struct eng_model *x = NULL;
		struct err e = { 0 };

		snprintf(name, sizeof name, "tokenizers/%s.gguf", files[i]);
		path = tmp_data(name);
		if (!path) {
			tap_skip("no reference data");
			continue;
		}
		if (eng_model_open(eng, path, true, &x, &e) < 0 || model_text(x, &e) < 0)
			ok(0, "%s: %s", files[i], e.msg);
		else
			ok(x->info.add_bos == vocab_add_bos(x->vocab) && x->info.n_tokens == vocab_size(x->vocab),
			   "%s: BOS and tokens as the vocabulary has them", files[i]);
		eng_model_close(x);
	}
}

/* A model that asks for what is not computed here is refused by the key that asks; what: "" for none. */
static void unknown_ways(const char *scaling, uint32_t experts, const char *what)
{
	const char *path = tmp_path("ways.gguf");
	struct ggufmake *m = gm_new();
	struct eng_model *x = NULL;
	struct err e = { 0 };

	gm_str(m, "general.architecture", "llama");
	gm_u32(m, "llama.block_count", 1);
	gm_u32(m, "llama.context_length", 64);
	gm_u32(m, "llama.embedding_length", 32);
	gm_u32(m, "llama.feed_forward_length", 32);
	gm_u32(m, "llama.attention.head_count", 4);
	gm_f32(m, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
	gm_str(m, "llama.rope.scaling.type", scaling);
	gm_u32(m, "llama.expert_count", experts);
	gm_u32(m, "llama.vocab_size", 4);
	gm_tensor(m, "token_embd.weight", GM_F32, 2, (const int64_t[]){ 32, 4 }, NULL, 512);
	gm_write(m, path);
	gm_free(m);
	/* without weights it is refused in any case: by a tensor, when nothing is wrong before */
	ok(eng_model_open(eng, path, false, &x, &e) < 0 && strstr(e.msg, *what ? what : "tensor"), "scaling %s, %u experts: %s",
	   scaling, experts, e.msg);
}

int main(void)
{
	const struct eng_opts o = { .threads = 1 };
	struct err e;

	if (eng_new(&eng, &o, &e) < 0) {
		ok(0, "the engine starts: %s", e.msg);
		return tap_done();
	}
	classes();
	levels_agree();
	by_types();
	guessed();
	bos();
	unknown_ways("weird", 0, "key llama.rope.scaling.type");
	unknown_ways("linear", 8, "key llama.expert_count");
	unknown_ways("yarn", 0, "");
	eng_free(eng);
	return tap_done();
}
