/*
 * Every family against logits that another program computed in double precision from the same
 * files (t/data/family-logits.json; it agrees with llama.cpp of Aug 2026 where that knows the
 * graph). The models are written here. With an argument they are left in that folder.
 */
#include "config.h"
#include "engine/engine.h"
#include "t/lib/model.h"
#include "t/lib/tap.h"
#include "t/lib/tiny.h"
#include "t/lib/tmp.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VOCAB = 48, SEED = 20, LONG = 80, SHORT = 12 };

#define TINY .embd = 64, .heads = 4, .kv = 2, .head_dim = 16, .ff = 96, .vocab = VOCAB, .ctx = 256
#define GEMMA .embd = 32, .heads = 2, .kv = 1, .head_dim = 24, .ff = 40, .vocab = VOCAB, .ctx = 256
#define BITNET .embd = 128, .layers = 2, .heads = 4, .kv = 2, .head_dim = 32, .ff = 256, .vocab = VOCAB, .ctx = 256, \
	.base = 500000

static const int windows[] = { 1, 0, 1, 0, 0 };

static const struct test {
	struct tiny m;
	int n;			/* ids */
	int n_ctx;		/* of the session; 0: LONG */
	bool rounded;		/* int8 activations, as it was trained */
} tests[] = {
	{ { .name = "llama", .arch = "llama", TINY, .layers = 2 }, SHORT, 0, false },
	{ { .name = "llama-biases", .arch = "llama", TINY, .layers = 2, .has = TINY_OUTPUT | TINY_BIAS_QKV | TINY_BIAS_ALL | TINY_ROPE_FREQS },
	  SHORT, 0, false },
	{ { .name = "llama-linear", .arch = "llama", TINY, .layers = 2, .scaling = "linear", .factor = 4 }, SHORT, 0, false },
	{ { .name = "llama-yarn", .arch = "llama", TINY, .layers = 2, .scaling = "yarn", .factor = 8, .ctx_orig = 32 }, LONG, 0, false },
	{ { .name = "llama-arrays", .arch = "llama", TINY, .layers = 2, .has = TINY_ARRAYS }, SHORT, 0, false },
	{ { .name = "qwen2", .arch = "qwen2", TINY, .layers = 2, .has = TINY_BIAS_QKV, .base = 1e6 }, SHORT, 0, false },
	{ { .name = "qwen3", .arch = "qwen3", .has = TINY_QK_NORM, .embd = 48, .layers = 2, .heads = 4, .kv = 1, .head_dim = 32,
	    .ff = 80, .vocab = VOCAB, .ctx = 256, .base = 1e6 }, SHORT, 0, false },
	{ { .name = "phi3-short", .arch = "phi3", TINY, .layers = 2, .has = TINY_FUSED_QKV | TINY_FUSED_UP | TINY_LONGROPE, .rot = 12,
	    .scaling = "longrope", .attn_factor = 1.19, .ctx_orig = 256 }, SHORT, 256, false },
	{ { .name = "phi3-long", .arch = "phi3", TINY, .layers = 2, .has = TINY_FUSED_QKV | TINY_FUSED_UP | TINY_LONGROPE, .rot = 12,
	    .scaling = "longrope", .attn_factor = 1.19, .ctx_orig = 256 }, SHORT, 257, false },
	{ { .name = "phi3-biases", .arch = "phi3", TINY, .layers = 2, .has = TINY_FUSED_QKV | TINY_FUSED_UP | TINY_BIAS_QKV }, SHORT, 0, false },
	{ { .name = "gemma2", .arch = "gemma2", GEMMA, .layers = 4, .has = TINY_POST_NORMS, .window = 5, .attn_cap = 2,
	    .logit_cap = 3 }, SHORT, 0, false },
	{ { .name = "gemma3", .arch = "gemma3", GEMMA, .layers = 7, .has = TINY_POST_NORMS | TINY_QK_NORM, .window = 10,
	    .base = 1e6, .factor = 8, .scaling = "linear" }, LONG, 0, false },
	{ { .name = "gemma3-windows", .arch = "gemma3", GEMMA, .layers = 5, .has = TINY_POST_NORMS | TINY_QK_NORM, .window = 3,
	    .windows = windows, .logit_cap = 0.5 }, SHORT, 0, false },
	{ { .name = "smollm3", .arch = "smollm3", TINY, .layers = 5, .base = 5e6 }, SHORT, 0, false },
	{ { .name = "bitnet", .arch = "bitnet", BITNET, .has = TINY_SUB_NORMS | TINY_SCALES }, SHORT, 0, false },
	{ { .name = "bitnet-b1.58", .arch = "bitnet-b1.58", BITNET, .has = TINY_SUB_NORMS | TINY_I2_S }, SHORT, 0, true },
	{ { .name = "bitnet-b1.58-exact", .arch = "bitnet-b1.58", BITNET, .has = TINY_SUB_NORMS | TINY_I2_S }, SHORT, 0, false },
	{ { .name = "bitnet-25", .arch = "bitnet-25", BITNET, .has = TINY_SUB_NORMS }, SHORT, 0, true },
};
enum { TESTS = sizeof tests / sizeof *tests };

static void ids_fill(int32_t *ids, int n)
{
	for (int i = 0; i < n; i++)
		ids[i] = (i * 29 + i * i * 7 + 5) % VOCAB;
}

static float *run(struct eng *g, const struct test *t, const char *path)
{
	const struct eng_session_opts o = { .n_ctx = t->n_ctx ? t->n_ctx : LONG, .kv = ENG_KV_F32,
					    .act = t->rounded ? ENG_ACT_AUTO : ENG_ACT_F32 };
	struct eng_model *m = open_model(g, path);
	struct eng_weights *w = weights_at(m, NULL);
	struct eng_session *s = NULL;
	struct err e = { 0 };
	int32_t ids[LONG];
	float *all = NULL;

	ids_fill(ids, t->n);
	if (ok(eng_session_new(w, &o, &s, &e) == 0, "%s: a session%s", t->m.name, e.msg))
		all = logits_of(s, ids, t->n);
	eng_session_free(s);
	eng_weights_release(w);
	eng_model_close(m);
	return all;
}

static void check(struct eng *g, const char *isa, const struct test *t, const json_t *want)
{
	const char *path = tmp_path("tiny.gguf");
	double d = 0, n = 0;
	float *all;

	tiny_write(&t->m, SEED, path);
	all = run(g, t, path);
	for (int i = 0; all && i < VOCAB; i++) {
		const double w = json_number_value(json_array_get(want, (size_t)i)), v = all[(t->n - 1) * VOCAB + i];

		d += (v - w) * (v - w);
		n += w * w;
	}
	/* rounding to int8 may fall to the other side where float and double differ */
	ok(all && json_array_size(want) == VOCAB && d <= (t->rounded ? 1e-4 : 1e-10) * n, "%s, %s: nmse %.2g", t->m.name, isa,
	   d / n);
	free(all);
}

static int leave(const char *dir)
{
	for (int i = 0; i < TESTS; i++) {
		char path[1000];
		int32_t ids[LONG];

		snprintf(path, sizeof path, "%s/%s.gguf", dir, tests[i].m.name);
		tiny_write(&tests[i].m, SEED, path);
		ids_fill(ids, tests[i].n);
		printf("%s %d %s", tests[i].m.name, tests[i].n_ctx ? tests[i].n_ctx : LONG, tests[i].rounded ? "int8" : "f32");
		for (int k = 0; k < tests[i].n; k++)
			printf(" %d", ids[k]);
		printf("\n");
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const isas[] = { "scalar", NULL };
	const char *src = getenv("TEST_SRC");
	char path[1000];
	json_t *j;

	if (argc > 1)
		return leave(argv[1]);
	snprintf(path, sizeof path, "%s/t/data/family-logits.json", src ? src : ".");
	j = json_load_file(path, 0, NULL);
	if (!ok(j != NULL, "the stored logits are there"))
		return tap_done();
	for (size_t k = 0; k < sizeof isas / sizeof *isas; k++) {
		struct eng *g = new_engine(2, isas[k]);

		for (int i = 0; i < TESTS; i++)
			check(g, eng_isa(g), &tests[i], json_object_get(j, tests[i].m.name));
		eng_free(g);
	}
	json_decref(j);
	return tap_done_min(1 + 2 * 2 * TESTS);
}
