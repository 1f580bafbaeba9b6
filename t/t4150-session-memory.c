/*
 * What sessions take: told before, within what was told, and lost without harm. Each
 * allocation fails in turn, and whoever is left goes on to the same bits.
 */
#include "config.h"
#include "engine/base/xio.h"
#include "engine/engine.h"
#include "engine/make/level.h"
#include "engine/make/need.h"
#include "engine/model/model.h"
#include "t/lib/model.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 100 };

static int32_t ids[N], others[N];
static int64_t n_vocab;

/* -- told before ------------------------------------------------------------------------- */

/* What must be there so that suggestions come to n bytes: they leave a 64th. */
static uint64_t spared(uint64_t n)
{
	return n + n / 63 + 1;
}

/* Asked for exactly as it is suggested it fits, and nothing larger would with as much to spare. */
static bool suggests_well(struct eng_model *m, const char *level, const struct eng_session_opts *o, const struct eng_need *n)
{
	struct eng_session_opts c = *o;
	const uint64_t room = n->available - n->available / 64;
	const int64_t most = n->n_ctx < eng_model_info(m)->n_ctx_train ? n->n_ctx : eng_model_info(m)->n_ctx_train;
	struct eng_need got, next;
	struct err e;
	bool fine = true;

	if (n->fit_ctx) {
		c.n_ctx = n->fit_ctx;
		fine = need_of(m, level, &c, n->available, &got, &e) == 0 && got.fits && n->fit_ctx <= most;
		c.n_ctx += 64;
		fine = fine && need_of(m, level, &c, 0, &next, &e) == 0 && (next.total > room || c.n_ctx > most);
	}
	c.n_ctx = n->fit_level_ctx;
	if (n->fit_level)
		fine = fine && need_of(m, n->fit_level, &c, n->available, &got, &e) == 0 && got.fits && got.weights < n->weights;
	for (const struct level *l = levels; l->name && fine; l++) {
		const bool odd = !strncmp(l->name, "TQ", 2), own = odd && n->fit_level && !strncmp(n->fit_level, "TQ", 2);

		c.n_ctx = n->n_ctx;
		if (l->ternary || odd != own || need_of(m, l->name, &c, 0, &next, &e) < 0 || next.weights >= n->weights)
			continue;
		if (next.total <= room)		/* fits whole: what is suggested does too, and is not smaller */
			fine = n->fit_level && n->fit_level_ctx == n->n_ctx && got.weights >= next.weights;
	}
	if (!fine)
		printf("# -c %d, %s -c %d\n", (int)n->fit_ctx, n->fit_level ? n->fit_level : "-", (int)n->fit_level_ctx);
	return fine;
}

/* Whatever there is, from nothing to enough; how many levels are named on the way. */
static void test_suggestions(struct eng_model *m, const char *level, int64_t n_ctx, int at_least)
{
	const struct eng_session_opts o = { .n_ctx = n_ctx, .kv = ENG_KV_Q8_0 };
	const char *last = NULL;
	struct eng_need all, n;
	bool fine = true, none = false;
	struct err e;
	int named = 0;

	need_of(m, level, &o, 0, &all, &e);
	for (int i = 1; i < 400 && fine; i++) {
		fine = need_of(m, level, &o, all.total * (uint64_t)i / 400, &n, &e) == 0 && !n.fits && suggests_well(m, level, &o, &n);
		named += n.fit_level && n.fit_level != last;
		last = n.fit_level;
		none |= !n.fit_level && !n.fit_ctx;
	}
	ok(fine && named >= at_least && none, "what is suggested fits, and nothing larger does: %d levels, %d tokens", named, (int)n_ctx);
}

static void test_need(struct eng_model *m)
{
	const struct eng_session_opts o = { .n_ctx = 4096, .kv = ENG_KV_F32 };
	const struct eng_session_opts small = { .n_ctx = 448, .kv = ENG_KV_F32 };
	const struct eng_info *info = eng_model_info(m);
	struct eng_need all, n, s;
	struct err e = { 0 };

	ok(need_of(m, NULL, &o, 0, &all, &e) == 0 && all.fits, "where nobody knows what there is everything fits");
	ok(all.weights == info->tensor_bytes, "the weights to the byte: %d KiB", (int)(all.weights >> 10));
	ok(all.kv == 4096u * (uint64_t)info->kv_bytes_token * 2 && all.n_ctx == 4096, "the cache to the byte: %d KiB", (int)(all.kv >> 10));
	ok(all.total == all.weights + all.kv + all.scratch, "parts that add up");
	ok(need_of(m, NULL, &o, all.total, &n, &e) == 0 && n.fits, "what is just enough is enough");
	need_of(m, NULL, &o, all.total - 1, &n, &e);
	ok(!n.fits && suggests_well(m, NULL, &o, &n), "a byte less is not: %d of context", (int)n.fit_ctx);
	need_of(m, NULL, &small, 0, &s, &e);
	need_of(m, NULL, &o, spared(s.total), &n, &e);
	ok(!n.fits && n.fit_ctx == 448, "what 448 of it need: %d", (int)n.fit_ctx);
	need_of(m, NULL, &o, spared(s.total) - 2, &n, &e);
	ok(!n.fits && n.fit_ctx == 448 - 64, "and a little less: a page less");
	need_of(m, "Q8_0", &o, 0, &s, &e);
	need_of(m, NULL, &o, spared(s.total), &n, &e);
	ok(!n.fits && n.fit_level && !strcmp(n.fit_level, "Q8_0") &&
	   n.fit_level_ctx == 4096, "what Q8_0 needs: %s fits", n.fit_level ? n.fit_level : "nothing");
	need_of(m, "F16", &(struct eng_session_opts){ .n_ctx = ENG_CTX_MAX }, all.total, &n, &e);
	ok(!n.fits && n.fit_ctx == 512, "no more context than it was trained on: %d", (int)n.fit_ctx);
	ok(need_of(m, NULL, &o, 1000, &n, &e) == 0 && !n.fits && !n.fit_ctx && !n.fit_level, "nothing at all");
	ok(need_of(m, "q17", &o, 0, &n, &e) < 0 && e.code == ERR_ARG, "an unknown level: %s", e.msg);
}

/* What is there already is not needed again, packed or as the file has it; unless it must stay in the file. */
static void test_alive(struct eng_model *m)
{
	const struct eng_session_opts o = { .n_ctx = 128 };
	struct eng_weights *own, *made;
	struct eng_session *s = NULL;
	struct eng_need before, n, other;
	struct eng_mem mem;
	bool packed;

	eng_model_stay_mapped(m);
	own = weights_at(m, NULL);
	eng_session_new(own, &o, &s, NULL);
	eng_session_mem(s, &mem);
	need_of(m, NULL, &o, 0, &before, NULL);
	ok(mem.weights_mapped && mem.weights_mapped + mem.weights_made == before.weights, "weights that stay in the file");
	eng_session_free(s);
	eng_weights_release(own);
	m->stays_mapped = false;
	need_of(m, "q4_k", &o, 0, &other, NULL);
	own = weights_at(m, NULL);
	made = weights_at(m, "q4_k");
	packed = own != m->alive;
	need_of(m, NULL, &o, 0, &n, NULL);
	ok(packed ? n.weights == own->mapped && n.weights < before.weights : n.weights == before.weights,
	   "%s weights that are alive: %d KiB of %d to be had", packed ? "packed" : "mapped", (int)(n.weights >> 10),
	   (int)(before.weights >> 10));
	need_of(m, "Q4_K_M", &o, 0, &n, NULL);
	ok(n.weights == made->mapped && n.weights < other.weights, "made ones, by any of their names");
	eng_weights_release(own);
	eng_weights_release(made);
	need_of(m, NULL, &o, 0, &n, NULL);
	ok(n.weights == before.weights, "and all when they are gone");
}

static void test_within(struct eng_model *m, enum eng_kv kv)
{
	const struct eng_session_opts o = { .n_ctx = 1024, .kv = kv, .chunk = 64 };
	struct eng_weights *w = weights_at(m, NULL);
	struct eng_session *s = NULL;
	int32_t *many = calloc(1024, sizeof *many);
	struct eng_need need;
	struct eng_mem mem = { 0 };
	bool within = true;

	eng_model_need(m, NULL, &o, &need, NULL);
	for (int i = 0; i < 1024; i++)
		many[i] = 3 + i * 7 % 200;
	within = eng_session_new(w, &o, &s, NULL) == 0;
	for (int32_t n = 100; n <= 1024 && within; n += 84)
		within = eng_session_sync(s, many, n, NULL, NULL) == 0;
	eng_session_mem(s, &mem);
	ok(within && mem.kv_used <= need.kv && mem.kv_reserved == need.kv, "a full context, cache %s: %d of %d KiB",
	   eng_kv_name(kv), (int)(mem.kv_used >> 10), (int)(need.kv >> 10));
	eng_session_free(s);
	eng_weights_release(w);
	free(many);
}

/* -- failing ----------------------------------------------------------------------------- */

static int fail_at(const char *op, void *arg)
{
	int *left = arg;

	return !strcmp(op, "malloc") && (*left)-- == 0 ? ENOMEM : 0;
}

static void count_logits(void *arg, int32_t pos, const float *logits)
{
	(void)pos, (void)logits;
	++*(int *)arg;
}

/* Two sessions, a fork and a step of three of them: stops at the first failure. Returns how far it came. */
static int scene(struct eng_weights *w, struct eng_session **s, struct err *e)
{
	const struct eng_session_opts o = { .n_ctx = 256, .chunk = 16 };
	int told = 0;
	struct eng_sync st = { .logits = count_logits, .logits_arg = &told };
	struct eng_turn t[3] = { { NULL, ids, N, NULL }, { NULL, others, 90, NULL }, { NULL, ids, 80, &st } };

	if (eng_session_new(w, &o, &s[0], e) < 0 || eng_session_new(w, &o, &s[1], e) < 0)
		return 0;
	if (eng_session_sync(s[0], ids, 70, NULL, e) < 0)
		return 1;
	if (eng_session_fork(s[0], &s[2], e) < 0)
		return 2;
	for (int i = 0; i < 3; i++)
		t[i].session = s[i];
	return eng_sync_many(t, 3, e) < 0 ? 3 : 4;
}

/* Whatever there is now comes to the same end. */
static bool sound(struct eng_session *s, const int32_t *list, const float *want)
{
	return !s || (eng_session_sync(s, list, N, NULL, NULL) == 0 &&
		      !memcmp(eng_session_logits(s), want, (size_t)n_vocab * sizeof *want));
}

static void test_failing(const char *path)
{
	float *want[2];
	bool whole = true, told = true;
	int at = 0, reached[5] = { 0 };

	for (bool through = false; !through && at < 2000; at++) {
		struct eng *g = new_engine(1, NULL);
		struct eng_model *m = open_model(g, path);
		struct eng_weights *w = weights_at(m, NULL);
		struct eng_session *s[3] = { NULL };
		struct err e = { 0 };
		int left = at, how;

		n_vocab = eng_model_info(m)->n_vocab;
		if (!at) {
			struct eng_session *fresh = new_session(w, ENG_KV_F16, 256, 0);

			for (int i = 0; i < 2; i++) {
				eng_session_sync(fresh, i ? others : ids, N, NULL, NULL);
				want[i] = malloc((size_t)n_vocab * sizeof **want);
				memcpy(want[i], eng_session_logits(fresh), (size_t)n_vocab * sizeof **want);
			}
			eng_session_free(fresh);
		}
		xio_set_fault(fail_at, &left);
		how = scene(w, s, &e);
		xio_set_fault(NULL, NULL);
		reached[how]++;
		through = how == 4 && left >= 0;
		told = told && (how == 4 || (e.code == ERR_NOMEM && *e.msg));
		whole = whole && sound(s[0], ids, want[0]) && sound(s[1], others, want[1]) && sound(s[2], ids, want[0]);
		for (int i = 0; i < 3; i++)
			eng_session_free(s[i]);
		eng_weights_release(w);
		eng_model_close(m);
		eng_free(g);
	}
	ok(at > 20 && at < 2000 && reached[0] && reached[1] && reached[2] && reached[3] && reached[4],
	   "each of %d allocations failed once, in every step", at - 1);
	ok(told, "which was told each time");
	ok(whole, "and whoever was left went on to the same bits");
	free(want[0]);
	free(want[1]);
}

int main(void)
{
	struct eng *g = new_engine(1, NULL);
	char *own = shipped_model(), *gemma = data_path("models/synthetic/gemma3-swa8.gguf");
	struct eng_model *m = open_model(g, own), *q8_0;

	for (int i = 0; i < N; i++) {
		ids[i] = i ? 3 + i * 37 % 200 : 1;
		others[i] = i ? 3 + i * 29 % 200 : 1;
	}
	test_need(m);
	test_suggestions(m, NULL, 512, 7);
	test_suggestions(m, NULL, 64, 8);
	test_suggestions(m, "Q8_0", 512, 5);
	test_alive(m);
	eng_quantize(g, own, tmp_path("q8_0.gguf"), &(struct eng_quantize_opts){ .level = "Q8_0" }, &(struct eng_quantize_result){ 0 }, NULL);
	q8_0 = open_model(g, tmp_path("q8_0.gguf"));
	test_alive(q8_0);
	eng_model_close(q8_0);
	for (int kv = 0; kv < ENG_KV_N; kv++)
		test_within(m, (enum eng_kv)kv);
	eng_model_close(m);
	if (gemma) {
		m = open_model(g, gemma);
		test_within(m, ENG_KV_F16);
		eng_model_close(m);
	} else {
		tap_skip("no reference data with a window");
	}
	eng_free(g);
	test_failing(own);
	if (gemma)
		test_failing(gemma);
	else
		tap_skip("no reference data with a window");
	free(own);
	free(gemma);
	return tap_done_min(19);
}
