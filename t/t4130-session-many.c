/*
 * Many sessions in one step: to the bit what each computes alone, whoever is beside it, and
 * at little more than the price of one.
 */
#include "config.h"
#include "engine/engine.h"
#include "engine/base/os.h"
#include "t/lib/model.h"
#include "t/lib/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLOW = true };
#else
enum { SLOW = false };
#endif

enum { MANY = 8, LEN = 150 };

static int32_t lists[MANY][LEN];
static int64_t n_vocab;

static void fill(void)
{
	for (int s = 0; s < MANY; s++)
		for (int i = 0; i < LEN; i++)
			lists[s][i] = i ? 3 + (i * (37 + s) + 11 * s) % 200 : 1;
}

static struct eng_session *session(struct eng_weights *w, enum eng_kv kv, enum eng_act act, int chunk)
{
	const struct eng_session_opts o = { .n_ctx = 256, .kv = kv, .act = act, .chunk = chunk };
	struct eng_session *s = NULL;

	if (eng_session_new(w, &o, &s, NULL) < 0)
		abort();
	return s;
}

static bool same_logits(const struct eng_session *a, const struct eng_session *b)
{
	return !memcmp(eng_session_logits(a), eng_session_logits(b), (size_t)n_vocab * sizeof(float));
}

/* Lists of different lengths at once, then token by token, some sitting out; each against itself alone. */
static bool company_changes_nothing(struct eng_weights *w, enum eng_kv kv, enum eng_act act)
{
	struct eng_session *s[MANY], *alone[MANY];
	struct eng_turn t[MANY];
	struct eng_sync st[MANY] = { 0 };
	bool same = true, counted = true;

	for (int i = 0; i < MANY; i++) {
		s[i] = session(w, kv, act, i % 2 ? 32 : 0);
		alone[i] = session(w, kv, act, i % 3 ? 0 : 5);
		t[i] = (struct eng_turn){ s[i], lists[i], 1 + i * 17, &st[i] };
	}
	same = eng_sync_many(t, MANY, NULL) == 0;
	for (int i = 0; i < MANY; i++)
		counted = counted && st[i].computed == t[i].n && !st[i].reused && eng_session_len(s[i]) == t[i].n;
	for (int step = 0; step < 6 && same; step++) {
		for (int i = 0; i < MANY; i++)
			t[i].n += (i + step) % 3 != 0;
		same = eng_sync_many(t, MANY, NULL) == 0;
	}
	for (int i = 0; i < MANY && same; i++)
		same = eng_session_sync(alone[i], lists[i], t[i].n, NULL, NULL) == 0 && same_logits(s[i], alone[i]);
	for (int i = 0; i < MANY; i++) {
		eng_session_free(s[i]);
		eng_session_free(alone[i]);
	}
	return same && counted;
}

static void test_company(struct eng *g, const char *path, const char *name)
{
	static const char *const levels[] = { NULL, "F16", "Q8_0", "Q5_1", "Q4_0", "Q4_K_M" };
	struct eng_model *m;

	if (!path) {
		tap_skip("no reference data for %s", name);
		return;
	}
	m = open_model(g, path);
	n_vocab = eng_model_info(m)->n_vocab;
	for (size_t l = 0; l < sizeof levels / sizeof *levels; l++) {
		struct eng_weights *w = weights_at(m, levels[l]);

		for (int kv = 0; kv < (l ? 1 : ENG_KV_N); kv++)
			ok(company_changes_nothing(w, (enum eng_kv)kv, ENG_ACT_AUTO), "%s at %s, cache %s: the same bits in company",
			   name, eng_weights_info(w)->level, eng_kv_name((enum eng_kv)kv));
		if (l == 0 || l == 4)
			ok(company_changes_nothing(w, ENG_KV_F16, ENG_ACT_F32), "%s at %s, unrounded activations", name,
			   eng_weights_info(w)->level);
		eng_weights_release(w);
	}
	eng_model_close(m);
}

static void test_wrong(struct eng_model *m)
{
	struct eng_weights *w = weights_at(m, NULL), *other = weights_at(m, "Q8_0");
	struct eng_session *a = session(w, ENG_KV_F16, ENG_ACT_AUTO, 0), *b = session(other, ENG_KV_F16, ENG_ACT_AUTO, 0);
	struct eng_session *c = session(w, ENG_KV_F16, ENG_ACT_F32, 0), *d = session(w, ENG_KV_Q8_0, ENG_ACT_AUTO, 0);
	struct eng_turn t[2] = { { a, lists[0], 9, NULL }, { a, lists[0], 9, NULL } };
	struct err e = { 0 };

	ok(eng_sync_many(t, 2, &e) < 0 && e.code == ERR_ARG && !eng_session_len(a), "a session twice: %s", e.msg);
	t[1].session = b;
	ok(eng_sync_many(t, 2, &e) < 0 && e.code == ERR_ARG && !eng_session_len(a), "two levels: %s", e.msg);
	t[1].session = c;
	ok(eng_sync_many(t, 2, &e) < 0 && e.code == ERR_ARG, "two kinds of activations: %s", e.msg);
	t[1].session = d;
	t[1].n = 257;
	ok(eng_sync_many(t, 2, &e) < 0 && e.code == ERR_CONTEXT && !eng_session_len(a), "one list too long: %s", e.msg);
	t[1].n = 9;
	ok(eng_sync_many(t, 2, &e) == 0 && eng_session_len(d) == 9, "two types of cache go together");
	t[0].n = t[1].n = 100;
	eng_session_cancel(d);
	ok(eng_sync_many(t, 2, &e) < 0 && e.code == ERR_CANCELLED && eng_session_len(a) == 9 && eng_session_len(d) == 9,
	   "one cancelled stops the step: %s", e.msg);
	ok(eng_session_sync(a, lists[0], 100, NULL, &e) == 0, "the other goes on alone");
	eng_session_uncancel(d);
	ok(eng_sync_many(t, 2, &e) == 0 && eng_session_len(d) == 100, "and both, when that is cleared");
	ok(eng_sync_many(t, 0, &e) == 0, "nobody has nothing to do");
	eng_session_free(a);
	eng_session_free(b);
	eng_session_free(c);
	eng_session_free(d);
	eng_weights_release(other);
	eng_weights_release(w);
}

/* The best of several steps in which the first n sessions decode a token each, ns. */
static int64_t step_time(struct eng_session **s, int n, int32_t *len)
{
	int64_t best_ns = INT64_MAX;

	for (int round = 0; round < 12; round++) {
		struct eng_turn t[MANY];
		int64_t at;

		for (int i = 0; i < n; i++)
			t[i] = (struct eng_turn){ s[i], lists[i], ++len[i], NULL };
		at = os_now_ns();
		if (eng_sync_many(t, n, NULL) < 0)
			abort();
		at = os_now_ns() - at;
		best_ns = at < best_ns ? at : best_ns;
	}
	return best_ns;
}

/* A machine that is busy with something else is asked again. */
static void test_price(struct eng *g, const char *path)
{
	struct eng_session *s[MANY];
	struct eng_model *m;
	struct eng_weights *w;
	double ratio = 99;

	if (!path || SLOW) {
		tap_skip("the price of a step: %s", path ? "sanitizers have prices of their own" : "no reference data");
		return;
	}
	m = open_model(g, path);
	w = weights_at(m, NULL);
	for (int try = 0; try < 5 && ratio > 2.5; try++) {
		int32_t len[MANY];
		int64_t one, all;

		for (int i = 0; i < MANY; i++) {
			s[i] = session(w, ENG_KV_F16, ENG_ACT_AUTO, 0);
			len[i] = 64;
			eng_session_sync(s[i], lists[i], len[i], NULL, NULL);
		}
		one = step_time(s, 1, len);
		all = step_time(s, MANY, len);
		ratio = (double)all / (double)one;
		for (int i = 0; i < MANY; i++)
			eng_session_free(s[i]);
	}
	ok(ratio <= 2.5, "a step of 8 sessions costs %.2f steps of one", ratio);
	eng_weights_release(w);
	eng_model_close(m);
}

int main(void)
{
	struct eng *g = new_engine(2, NULL);
	static const struct { const char *file, *name; } others[] = {
		{ "qwen3-headdim32", "qwen3" }, { "gemma3-swa8", "gemma3" }, { "bitnet-b158-i2s", "bitnet" },
		{ "phi3-longrope-long", "phi3" },
	};
	char *own = shipped_model();
	char *smol = data_path("models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
	struct eng_model *m = open_model(g, own);

	fill();
	n_vocab = eng_model_info(m)->n_vocab;
	test_wrong(m);
	eng_model_close(m);
	test_company(g, own, "stories260K");
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		char rel[80], *path;

		snprintf(rel, sizeof rel, "models/synthetic/%s.gguf", others[i].file);
		path = data_path(rel);
		test_company(g, path, others[i].name);
		free(path);
	}
	test_price(g, smol);
	eng_free(g);
	free(own);
	free(smol);
	return tap_done_min(20);
}
