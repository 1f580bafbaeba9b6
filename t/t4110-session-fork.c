/*
 * Forks of sessions, and going back in models with windows: cheap where that was promised,
 * and always to the bit what a fresh session computes.
 */
#include "config.h"
#include "engine/engine.h"
#include "t/lib/model.h"
#include "t/lib/tap.h"

#include <stdlib.h>
#include <string.h>

enum { LONG = 4000, MORE = 60, TURNS = 25, END = TURNS * 70 };

static int32_t ids[LONG + MORE], other[LONG + MORE];
static int64_t n_vocab;

static void fill(void)
{
	for (int i = 0; i < LONG + MORE; i++) {
		ids[i] = i ? 3 + i * 53 % 200 : 1;
		other[i] = i ? 3 + i * 29 % 200 : 1;
	}
}

static bool same_logits(const struct eng_session *a, const struct eng_session *b)
{
	return !memcmp(eng_session_logits(a), eng_session_logits(b), (size_t)n_vocab * sizeof(float));
}

static uint64_t own_bytes(const struct eng_session *s)
{
	struct eng_mem m;

	eng_session_mem(s, &m);
	return m.kv_used - m.kv_shared;
}

static void test_fork(struct eng_weights *w)
{
	const int64_t layers = eng_model_info(model_of(w))->n_layer;
	struct eng_session *a = new_session(w, ENG_KV_F16, 8192, 0), *b = NULL, *c = NULL;
	struct eng_session *fresh = new_session(w, ENG_KV_F16, 8192, 0);
	struct eng_sync st = { 0 };
	struct eng_mem m;
	struct err e = { 0 };
	uint64_t page;

	eng_session_sync(a, ids, 64, NULL, &e);
	eng_session_mem(a, &m);
	page = m.kv_used / (uint64_t)layers;
	eng_session_sync(a, ids, LONG, NULL, &e);
	ok(own_bytes(a) == (uint64_t)layers * page * 63, "4,000 tokens take 63 pages a layer, all its own");
	ok(eng_session_fork(a, &b, &e) == 0 && own_bytes(a) == 0 && own_bytes(b) == 0, "a fork takes no page");
	ok(eng_session_len(b) == LONG && !memcmp(eng_session_ids(b), ids, LONG * sizeof *ids) && same_logits(a, b) &&
	   eng_session_ctx(b) == 8192 && eng_session_chunk(b) == eng_session_chunk(a), "and stands where the first one does");
	memcpy(other, ids, LONG * sizeof *ids);
	ok(eng_session_sync(b, other, LONG + 1, &st, &e) == 0 && st.reused == LONG && own_bytes(b) == (uint64_t)layers * page,
	   "its next token takes one page a layer");
	ok(eng_session_sync(b, other, LONG + 20, &st, &e) == 0 && own_bytes(b) == (uint64_t)layers * page, "and so do those that follow");
	ok(eng_session_sync(a, ids, LONG + MORE, &st, &e) == 0 && st.reused == LONG, "the first goes on by itself");
	eng_session_sync(fresh, ids, LONG + MORE, NULL, &e);
	ok(same_logits(a, fresh), "to the bits of a fresh session");
	eng_session_sync(fresh, other, LONG + 20, NULL, &e);
	ok(same_logits(b, fresh), "as does the fork");
	ok(eng_session_fork(b, &c, &e) == 0, "a fork of a fork");
	eng_session_free(a);
	eng_session_free(b);
	ok(own_bytes(c) == (uint64_t)layers * page * 63 && same_logits(c, fresh), "outlives both");
	ok(eng_session_sync(c, ids, 100, &st, &e) == 0 && st.reused == 99 && own_bytes(c) == (uint64_t)layers * page * 2,
	   "and goes back");
	eng_session_sync(fresh, ids, 100, NULL, &e);
	ok(same_logits(c, fresh), "to the same bits");
	eng_session_cancel(c);
	ok(eng_session_fork(c, &a, &e) == 0 && eng_session_sync(a, ids, 120, NULL, &e) == 0, "a fork of what was cancelled is not");
	eng_session_free(a);
	a = NULL;
	eng_session_sync(fresh, NULL, 0, NULL, &e);
	ok(eng_session_fork(fresh, &a, &e) == 0 && !eng_session_len(a) && !eng_session_logits(a), "nothing has a fork too");
	eng_session_free(a);
	eng_session_free(c);
	eng_session_free(fresh);
}

/* A conversation of turns: a prompt of 40 and an answer of 30, token by token. */
static void turns(struct eng_session *s, int n)
{
	for (int t = 0; t < n; t++)
		for (int32_t i = 40; i <= 70; i++)
			eng_session_sync(s, ids, t * 70 + i, NULL, NULL);
}

/*
 * Goes to a list that shares `same` tokens with what is held, then on by 10: by `reused` of them, what is
 * missing told, and to the bits of a fresh session.
 */
static void goes_back(struct eng_session *s, struct eng_session *fresh, int32_t same, int32_t reused, const char *what)
{
	struct eng_sync st = { 0 };
	int32_t list[LONG];
	int ret;

	memcpy(list, ids, sizeof list);
	for (int32_t i = same; i < same + 10; i++)
		list[i] = 250 - i % 40;
	eng_session_sync(fresh, NULL, 0, NULL, NULL);
	ret = eng_session_sync(s, list, same + 10, &st, NULL);
	eng_session_sync(fresh, list, same + 10, NULL, NULL);
	ok(ret == 0 && st.reused == reused && st.again == same - reused && st.computed == same + 10 - reused && same_logits(s, fresh),
	   "%s: %d reused, %d again", what, st.reused, st.again);
}

static void test_windows(struct eng_weights *w)
{
	struct eng_session *s = new_session(w, ENG_KV_F32, 2048, 32), *fresh = new_session(w, ENG_KV_F32, 2048, 0);
	struct eng_session *fork = NULL;
	struct eng_mem m;
	uint64_t all;

	turns(s, TURNS);
	eng_session_mem(s, &m);
	all = (uint64_t)(TURNS * 70 + 63) / 64 * 64 * (uint64_t)eng_model_info(model_of(w))->kv_bytes_token * 2;
	ok(m.kv_used < all, "layers with a window give pages back: %d KiB of %d", (int)(m.kv_used >> 10), (int)(all >> 10));
	eng_session_sync(fresh, ids, TURNS * 70, NULL, NULL);
	ok(same_logits(s, fresh), "and nothing is missed");
	ok(eng_session_fork(s, &fork, NULL) == 0, "a fork");
	goes_back(s, fresh, END - 30, END - 31, "regenerating goes back to the prompt's end");
	goes_back(fork, fresh, END - 68, END - 70, "undo to the turn before, in the fork");
	goes_back(s, fresh, END - 70, END - 70, "and in the first");
	goes_back(fork, fresh, END - 135, END - 140, "another turn back");
	goes_back(fork, fresh, 20, 0, "far back is from the beginning");
	eng_session_free(s);
	eng_session_free(fork);
	eng_session_free(fresh);
}

static void with_model(struct eng *g, const char *path, void (*test)(struct eng_weights *w))
{
	struct eng_model *m;
	struct eng_weights *w;

	if (!path) {
		tap_skip("no reference data");
		return;
	}
	m = open_model(g, path);
	w = weights_at(m, NULL);
	n_vocab = eng_model_info(m)->n_vocab;
	test(w);
	eng_weights_release(w);
	eng_model_close(m);
}

int main(void)
{
	struct eng *g = new_engine(2, NULL);
	char *own = shipped_model(), *gemma = data_path("models/synthetic/gemma3-swa8.gguf");

	fill();
	with_model(g, own, test_fork);
	with_model(g, gemma, test_windows);
	eng_free(g);
	free(own);
	free(gemma);
	return tap_done_min(14);
}
