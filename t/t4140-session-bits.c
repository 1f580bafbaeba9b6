/*
 * A position's logits are the same bits for every number of threads and every chunk, token by
 * token among them, at every level; an exact switch is a fresh session, to the bit.
 */
#include "config.h"
#include "engine/engine.h"
#include "t/lib/model.h"
#include "t/lib/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 100, TURN = 75 };

static const struct { const char *level; enum eng_act act; } cases[] = {
	{ "F16", ENG_ACT_AUTO }, { "Q8_0", ENG_ACT_AUTO }, { "Q5_1", ENG_ACT_AUTO }, { "Q4_0", ENG_ACT_AUTO },
	{ "Q4_K_M", ENG_ACT_AUTO }, { "TQ2_0", ENG_ACT_AUTO }, { "Q8_0", ENG_ACT_INT8 }, { "Q5_1", ENG_ACT_INT16 },
	{ "Q4_K_M", ENG_ACT_INT16 }, { "Q4_0", ENG_ACT_F32 },
};
enum { N_CASES = sizeof cases / sizeof *cases };
static int32_t ids[N];

static float *compute(struct eng_weights *w, enum eng_act act, int chunk)
{
	const struct eng_session_opts o = { .n_ctx = 256, .act = act, .chunk = chunk };
	struct eng_session *s = NULL;
	float *all;

	if (eng_session_new(w, &o, &s, NULL) < 0)
		abort();
	all = logits_of(s, ids, N);
	eng_session_free(s);
	return all;
}

struct result { float *p[N_CASES]; size_t bytes; };

/* The first one sets what all others are compared with; more threads try fewer sizes. */
static bool all_same(struct eng_weights *w, int i, int threads, struct result *r)
{
	static const int chunks[] = { 0, 7, 1, 64 };
	bool same = true;

	for (int c = 0; c < 5 - threads - (threads > 1); c++) {
		float *p = compute(w, cases[i].act, chunks[c]);

		if (!r->p[i])
			r->p[i] = p;
		else
			same = same && !memcmp(p, r->p[i], r->bytes);
		if (r->p[i] != p)
			free(p);
	}
	return same;
}

/* After TURN tokens at one level, the rest at another: what a session does that knew only that one. */
static bool switches(struct eng_weights *from, struct eng_weights *to, const float *want, size_t row)
{
	struct eng_session *s = new_session(from, ENG_KV_F16, 256, 0);
	struct eng_sync st = { 0 };
	float *all;
	bool same;

	same = eng_session_sync(s, ids, TURN, NULL, NULL) == 0 && eng_session_bind(s, to, ENG_BIND_EXACT, NULL) == 0;
	all = logits_of(s, ids, N);
	same = same && !memcmp(all, want, N * row);
	free(all);
	eng_session_free(s);
	/* borrowed: the rows before are the old level's, the next token starts at once */
	s = new_session(from, ENG_KV_F16, 256, 0);
	same = same && eng_session_sync(s, ids, TURN, NULL, NULL) == 0 &&
	       eng_session_bind(s, to, ENG_BIND_BORROWED, NULL) == 0 && eng_session_sync(s, ids, N, &st, NULL) == 0 &&
	       st.reused == TURN && st.computed == N - TURN &&
	       memcmp(eng_session_logits(s), (const char *)want + (N - 1) * row, row) != 0;
	eng_session_free(s);
	return same;
}

static void test_model(const char *path, const char *name)
{
	struct result r = { 0 };
	bool same[N_CASES], exact = true;

	if (!path) {
		tap_skip("no reference data for %s", name);
		return;
	}
	for (int l = 0; l < N_CASES; l++)
		same[l] = true;
	for (int threads = 1; threads <= 3; threads++) {
		struct eng *g = new_engine(threads, NULL);
		struct eng_model *m = open_model(g, path);
		struct eng_weights *from = weights_at(m, NULL);
		const size_t row = (size_t)eng_model_info(m)->n_vocab * sizeof(float);

		r.bytes = N * row;
		for (int l = 0; l < N_CASES; l++) {
			struct eng_weights *w = weights_at(m, cases[l].level);

			same[l] = all_same(w, l, threads, &r) && same[l];
			if (threads == 2 && l == 3)
				exact = switches(from, w, r.p[l], row);
			eng_weights_release(w);
		}
		eng_weights_release(from);
		eng_model_close(m);
		eng_free(g);
	}
	for (int l = 0; l < N_CASES; l++) {
		ok(same[l], "%s at %s, activations %s: the same bits for all threads and chunks", name, cases[l].level,
		   eng_act_name(cases[l].act));
		free(r.p[l]);
	}
	ok(exact, "%s: an exact switch is a fresh session; a borrowed one keeps what it has", name);
}

int main(void)
{
	static const struct { const char *file, *name; } models[] = {
		{ "llama-gqa-untied", "llama" }, { "qwen3-headdim32", "qwen3" }, { "gemma3-swa8", "gemma3 with a window" },
		{ "bitnet-b158-i2s", "bitnet" },
	};
	char *own = shipped_model();

	for (int i = 0; i < N; i++)
		ids[i] = i ? 3 + i * 37 % 200 : 1;
	test_model(own, "stories260K");
	free(own);
	for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
		char rel[80], *path;

		snprintf(rel, sizeof rel, "models/synthetic/%s.gguf", models[i].file);
		path = data_path(rel);
		test_model(path, models[i].name);
		free(path);
	}
	return tap_done_min(8);
}
