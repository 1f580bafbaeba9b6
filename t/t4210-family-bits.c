/*
 * Families, levels and layouts against themselves: the same bits whatever the threads and the
 * chunks, whether tensors are fused, and in which type small vectors are stored; levels in
 * memory as in files; ids beyond the vocabulary.
 */
#include "config.h"
#include "engine/engine.h"
#include "t/lib/model.h"
#include "t/lib/tap.h"
#include "t/lib/tiny.h"
#include "t/lib/tmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VOCAB = 64, N = 100, SEED = 3 };

#define WIDE .embd = 256, .heads = 4, .kv = 2, .head_dim = 64, .ff = 256, .vocab = VOCAB, .ctx = 512

static const struct tiny llama = { .name = "llama", .arch = "llama", WIDE, .layers = 2 };
static const struct tiny qwen3 = { .name = "qwen3", .arch = "qwen3", WIDE, .layers = 2, .has = TINY_QK_NORM };
static const struct tiny phi3 = { .name = "phi3", .arch = "phi3", WIDE, .layers = 2, .has = TINY_FUSED_QKV | TINY_FUSED_UP };
static const struct tiny gemma3 = { .name = "gemma3", .arch = "gemma3", WIDE, .layers = 3, .window = 20, .period = 3,
				    .has = TINY_QK_NORM | TINY_POST_NORMS };
static const struct tiny bitnet = { .name = "bitnet", .arch = "bitnet-b1.58", WIDE, .layers = 2,
				    .has = TINY_SUB_NORMS | TINY_I2_S };

static int32_t ids[N];

static struct eng_model *open_tiny(struct eng *g, const struct tiny *t, const char *file)
{
	tiny_write(t, SEED, tmp_path(file));
	return open_model(g, tmp_path(file));
}

/* All logits of N positions in chunks. */
static float *run(struct eng_model *m, const char *level, int chunk)
{
	struct eng_weights *w = weights_at(m, level);
	struct eng_session *s = new_session(w, ENG_KV_F16, 256, chunk);
	float *all = logits_of(s, ids, N);

	eng_session_free(s);
	eng_weights_release(w);
	return all;
}

static bool same(const float *a, const float *b)
{
	return !memcmp(a, b, (size_t)N * VOCAB * sizeof *a);
}

/* -- threads, chunks, prefill and decode ------------------------------------------------ */

static void check_company(const struct tiny *t, const char *const *levels)
{
	static const int chunks[] = { 64, 7, 1 };
	float *first[8] = { NULL };
	bool right[8];

	for (int threads = 1; threads <= 3; threads++) {
		struct eng *g = new_engine(threads, NULL);
		struct eng_model *m = open_tiny(g, t, "company.gguf");

		for (int l = 0; levels[l]; l++)
			for (size_t c = 0; c < sizeof chunks / sizeof *chunks; c++) {
				float *got = run(m, levels[l], chunks[c]);

				if (!first[l]) {
					first[l] = got;
					right[l] = true;
					continue;
				}
				right[l] = right[l] && same(first[l], got);
				free(got);
			}
		eng_model_close(m);
		eng_free(g);
	}
	for (int l = 0; levels[l]; l++) {
		ok(right[l], "%s at %s: the same bits with 1 to 3 threads, prefilled and decoded", t->name, levels[l]);
		for (int k = 0; k < l; k++)
			ok(!same(first[k], first[l]), "%s at %s: not those of %s", t->name, levels[l], levels[k]);
	}
	for (int l = 0; levels[l]; l++)
		free(first[l]);
}

/* -- layouts ------------------------------------------------------------------------------ */

static void check_same_model(struct eng *g, const struct tiny *a, const struct tiny *b, const char *level, const char *what)
{
	struct eng_model *x = open_tiny(g, a, "a.gguf"), *y = open_tiny(g, b, "b.gguf");
	float *p = run(x, level, 0), *q = run(y, level, 0);

	ok(same(p, q), "%s at %s: %s", a->name, level ? level : "F32", what);
	free(p);
	free(q);
	eng_model_close(x);
	eng_model_close(y);
}

static void check_layouts(struct eng *g)
{
	struct tiny a = llama, b = llama;

	b.has = TINY_FUSED_QKV;
	check_same_model(g, &a, &b, NULL, "query, key and value in one tensor");
	check_same_model(g, &a, &b, "Q4_0", "query, key and value in one tensor");
	a.has = TINY_BIAS_QKV;
	b.has |= TINY_BIAS_QKV;
	check_same_model(g, &a, &b, NULL, "and their biases");
	a.has = b.has = TINY_BIAS_QKV | TINY_BIAS_ALL;
	b.has |= TINY_F16_NORMS;
	check_same_model(g, &a, &b, NULL, "norms and biases in F16");
	b.has = a.has | TINY_BF16_NORMS;
	check_same_model(g, &a, &b, NULL, "norms and biases in BF16");
	a = b = gemma3;
	b.has |= TINY_BF16_NORMS;
	check_same_model(g, &a, &b, "Q8_0", "norms behind in BF16");
}

/* -- levels --------------------------------------------------------------------------------- */

static void check_level(struct eng *g, const struct tiny *t, const char *level)
{
	const struct eng_quantize_opts o = { .level = level, .requantize = true };
	struct eng_quantize_result res;
	struct eng_model *m = open_tiny(g, t, "from.gguf"), *made;
	struct eng_weights *w = weights_at(m, level), *v;
	struct err e = { 0 };
	float *p, *q;

	if (!ok(eng_quantize(g, tmp_path("from.gguf"), tmp_path("to.gguf"), &o, &res, &e) == 0, "%s is quantized to %s%s",
		t->name, level, e.msg))
		return;
	made = open_model(g, tmp_path("to.gguf"));
	v = weights_at(made, NULL);
	p = run(m, level, 0);
	q = run(made, NULL, 0);
	ok(same(p, q), "%s at %s: in memory as in a file", t->name, level);
	ok(eng_weights_info(w)->bytes == eng_weights_info(v)->bytes, "and as large: %llu and %llu",
	   (unsigned long long)eng_weights_info(w)->bytes, (unsigned long long)eng_weights_info(v)->bytes);
	free(p);
	free(q);
	eng_weights_release(v);
	eng_weights_release(w);
	eng_model_close(made);
	eng_model_close(m);
}

/* I2_S holds what is ternary without loss, and nothing else. */
static void check_ternary(struct eng *g)
{
	const struct eng_quantize_opts o = { .level = "F32", .requantize = true };
	struct eng_quantize_result res;
	struct eng_model *m = open_tiny(g, &bitnet, "from.gguf"), *l = open_tiny(g, &llama, "llama.gguf"), *floats;
	struct eng_weights *w = NULL;
	struct err e = { 0 };
	float *p = run(m, NULL, 0), *q;

	ok(eng_quantize(g, tmp_path("from.gguf"), tmp_path("to.gguf"), &o, &res, &e) == 0, "bitnet in floats%s", e.msg);
	floats = open_model(g, tmp_path("to.gguf"));
	q = run(floats, "I2_S", 0);
	ok(same(p, q), "and back");
	ok(eng_weights_get(l, "I2_S", NULL, NULL, &w, &e) < 0 && e.code == ERR_ARG && strstr(e.msg, "blk.0.attn_q.weight"),
	   "what is not ternary: %s", e.msg);
	free(p);
	free(q);
	eng_model_close(floats);
	eng_model_close(l);
	eng_model_close(m);
}

/* -- windows, vocabularies --------------------------------------------------------------------- */

static void check_window(struct eng *g)
{
	struct eng_model *m = open_tiny(g, &gemma3, "window.gguf");
	struct eng_weights *w = weights_at(m, NULL);
	struct eng_session *s = new_session(w, ENG_KV_F16, 512, 32);
	int32_t many[480];
	struct eng_mem mem;
	struct err e = { 0 };
	const uint64_t page = (uint64_t)64 * 2 * 2 * 64 * 2;	/* positions, keys and values, heads, values of two bytes */

	for (int i = 0; i < 480; i++)
		many[i] = ids[i % N];
	ok(eng_session_sync(s, many, 480, NULL, &e) == 0, "480 positions%s", e.msg);
	eng_session_mem(s, &mem);
	/* one layer of three holds all; the two others what their window touches, at work and at marks */
	ok(mem.kv_used >= 8 * page && mem.kv_used <= (8 + 2 * 4) * page, "windows give pages back: %llu of %llu are held",
	   (unsigned long long)(mem.kv_used / page), 3ull * 8);
	eng_session_free(s);
	eng_weights_release(w);
	eng_model_close(m);
}

/* What a file is told to be. */
static void check_told(struct eng *g)
{
	static const struct { struct tiny t; const char *scaling; double factor; int64_t window, layers, kv, kv_window; } rows[] = {
		{ { .arch = "llama", WIDE, .layers = 2 }, "none", 0, 0, 0, 1024, 0 },
		{ { .arch = "llama", WIDE, .layers = 2, .has = TINY_ROPE_FREQS }, "by pair", 0, 0, 0, 1024, 0 },
		{ { .arch = "qwen2", WIDE, .layers = 2, .scaling = "yarn", .factor = 4 }, "yarn", 4, 0, 0, 1024, 0 },
		{ { .arch = "phi3", WIDE, .layers = 1, .has = TINY_FUSED_QKV | TINY_FUSED_UP | TINY_LONGROPE,
		    .scaling = "longrope" }, "longrope", 0, 0, 0, 512, 0 },
		{ { .arch = "gemma3", WIDE, .layers = 7, .has = TINY_QK_NORM | TINY_POST_NORMS, .window = 9, .factor = 8 },
		  "linear", 8, 9, 6, 3584, 3072 },
		{ { .arch = "gemma3", WIDE, .layers = 7, .has = TINY_QK_NORM | TINY_POST_NORMS }, "none", 0, 0, 0, 3584, 0 },
		{ { .arch = "llama", WIDE, .layers = 2, .window = 9 }, "none", 0, 0, 0, 1024, 0 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct tiny t = rows[i].t;
		struct eng_model *m;
		const struct eng_info *in;

		t.name = "told";
		m = open_tiny(g, &t, "told.gguf");
		in = eng_model_info(m);
		ok(!strcmp(in->rope_scaling, rows[i].scaling) && in->rope_factor == rows[i].factor &&
		   in->n_window == rows[i].window && in->window_layers == rows[i].layers &&
		   in->kv_bytes_token == rows[i].kv && in->kv_bytes_window == rows[i].kv_window &&
		   (in->n_window ? in->rope_base_window == 10000 : in->rope_base_window == 0), "%s with rope %s, window %d",
		   t.arch, rows[i].scaling, (int)rows[i].window);
		eng_model_close(m);
	}
}

static void check_beyond(struct eng *g)
{
	const struct tiny t = { .name = "rows", .arch = "llama", WIDE, .layers = 1, .has = TINY_OUTPUT | TINY_TOKENS };
	const struct eng_sample_opts opts[] = { { .top_p = 1, .repeat_penalty = 1 },
						{ .temp = 50, .top_p = 1, .repeat_penalty = 1, .seed = 1 } };
	struct eng_model *m = open_tiny(g, &t, "rows.gguf");
	struct eng_weights *w = weights_at(m, NULL);
	struct eng_session *s = new_session(w, ENG_KV_F16, 256, 0);
	int beyond = 0, seen = 0, sampled = 0;

	ok(eng_model_info(m)->n_vocab == VOCAB && eng_model_info(m)->n_tokens == VOCAB * 3 / 4, "rows beyond the vocabulary");
	for (int n = 1; n <= N; n++) {
		eng_session_sync(s, ids, n, NULL, NULL);
		beyond += best(eng_session_logits(s), VOCAB) >= VOCAB * 3 / 4;
		for (int i = 0; i < 2; i++) {
			struct eng_sampler *p = eng_sampler_new(&opts[i], NULL);
			const int32_t id = eng_sample(p, s);

			sampled += id >= VOCAB * 3 / 4 || id < 0;
			seen++;
			eng_sampler_free(p);
		}
	}
	ok(beyond > 5, "are often the best (%d of %d)", beyond, N);
	ok(seen == 2 * N && !sampled, "and never sampled");
	eng_session_free(s);
	eng_weights_release(w);
	eng_model_close(m);
}

int main(void)
{
	static const char *const levels[] = { "F16", "Q8_0", "Q5_1", "Q4_0", "Q4_K_M", NULL };
	static const char *const of_bitnet[] = { "F16", "Q8_0", "Q4_0", "Q6_K", "TQ2_0", "I2_S", NULL };
	struct eng *g = new_engine(2, NULL);

	for (int i = 0; i < N; i++)
		ids[i] = (i * 37 + 11) % VOCAB;
	check_company(&llama, levels);
	check_company(&qwen3, levels);
	check_company(&gemma3, levels);
	check_company(&phi3, levels);
	check_company(&bitnet, of_bitnet);
	check_layouts(g);
	check_level(g, &phi3, "Q4_K_M");
	check_level(g, &phi3, "Q8_0");
	check_level(g, &gemma3, "Q5_K_M");
	check_level(g, &bitnet, "TQ1_0");
	check_level(g, &bitnet, "Q4_0");
	check_ternary(g);
	check_window(g);
	check_told(g);
	check_beyond(g);
	eng_free(g);
	return tap_done_min(100);
}
