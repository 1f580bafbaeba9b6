/*
 * The engine against logits that another program computed, and against itself: the same
 * bits whatever the chunks and the threads.
 */
#include "config.h"
#include "engine/engine.h"
#include "t/lib/model.h"
#include "t/lib/tap.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double nmse(const float *got, const json_t *want)
{
	double d = 0, n = 0;
	const size_t len = json_array_size(want);

	for (size_t i = 0; i < len; i++) {
		const double w = json_number_value(json_array_get(want, i));

		d += (got[i] - w) * (got[i] - w);
		n += w * w;
	}
	return len ? d / n : INFINITY;
}

/* One reference case: logits after the prompt, the best token at each position, the greedy text. */
static void check_case(struct eng_weights *w, const json_t *c, double limit, bool exact, const char *name)
{
	const json_t *prompt = json_object_get(c, "prompt_ids"), *argmax = json_object_get(c, "prompt_argmax");
	const json_t *greedy = json_object_get(c, "greedy_ids");
	const int32_t n = (int32_t)json_array_size(prompt);
	const int64_t n_vocab = eng_model_info(model_of(w))->n_vocab;
	struct eng_session *s = new_session(w, ENG_KV_F32, 512, 0);
	int32_t *ids = calloc(512, sizeof *ids);
	float *all;
	double err;
	int same = 0, told = 0;

	for (int32_t i = 0; i < n; i++)
		ids[i] = (int32_t)json_integer_value(json_array_get(prompt, (size_t)i));
	all = logits_of(s, ids, n);
	err = nmse(all + (n - 1) * n_vocab, json_object_get(c, "last_prompt_logits"));
	ok(err <= limit, "%s: nmse %.2g", name, err);
	for (int32_t i = 0; i < n; i++)
		same += best(all + i * n_vocab, n_vocab) == json_integer_value(json_array_get(argmax, (size_t)i));
	ok(!exact || same == n, "%s: best token at %d of %d positions", name, same, n);
	for (size_t i = 0; exact && i < json_array_size(greedy) && n + told < 500; i++, told++) {
		const int32_t id = best(eng_session_logits(s), n_vocab);

		if (id != json_integer_value(json_array_get(greedy, i)))
			break;
		ids[n + told] = id;
		if (eng_session_sync(s, ids, n + told + 1, NULL, NULL) < 0)
			break;
	}
	ok(!exact || told == (int)json_array_size(greedy), "%s: the same %d tokens follow", name, told);
	free(all);
	free(ids);
	eng_session_free(s);
}

static void check_ref(struct eng *g, const char *model, const char *ref, const char *level, double limit, bool exact)
{
	char *mp = data_path(model), *rp = data_path(ref);
	json_t *j = mp && rp ? json_load_file(rp, 0, NULL) : NULL;
	struct eng_model *m = NULL;
	struct eng_weights *w = NULL;
	struct err e = { 0 };
	size_t i;
	json_t *c;

	if (!j) {
		tap_skip("no reference data for %s", ref);
		goto out;
	}
	if (!ok(eng_model_open(g, mp, false, &m, &e) == 0 && eng_weights_get(m, level, NULL, NULL, &w, &e) == 0,
		"%s opens%s%s", model, *e.msg ? ": " : "", e.msg))
		goto out;
	json_array_foreach(json_object_get(j, "cases"), i, c) {
		char name[200];

		snprintf(name, sizeof name, "%s%s%s case %zu", model, level ? " at " : "", level ? level : "", i);
		check_case(w, c, limit, exact, name);
	}
out:
	eng_weights_release(w);
	eng_model_close(m);
	json_decref(j);
	free(mp);
	free(rp);
}

/* Chunks of 1, 7, 64 and threads of 1, 2, 3 give the same bits; F16 and F32 caches, each level. */
static void check_bits(void)
{
	enum { N = 140 };
	static const char *const levels[] = { NULL, "Q8_0", "Q5_1", "Q4_0" };
	static const int chunks[] = { 64, 7, 1 };
	char *path = shipped_model();
	int32_t ids[N];

	for (int i = 0; i < N; i++)
		ids[i] = i ? 3 + i * 37 % 500 : 1;
	for (size_t l = 0; l < sizeof levels / sizeof *levels; l++)
		for (int kv = 0; kv < (levels[l] ? 1 : ENG_KV_N); kv++) {
			float *first = NULL;
			size_t bytes = 0;

			for (int threads = 1; threads <= 3; threads++)
				for (size_t c = 0; c < sizeof chunks / sizeof *chunks; c++) {
					struct eng *g = new_engine(threads, NULL);
					struct eng_model *m = open_model(g, path);
					struct eng_weights *w = weights_at(m, levels[l]);
					struct eng_session *s = new_session(w, (enum eng_kv)kv, 256, chunks[c]);
					float *got = logits_of(s, ids, N);

					bytes = N * sizeof *got * (size_t)eng_model_info(m)->n_vocab;
					if (!first)
						first = got;
					else {
						ok(!memcmp(first, got, bytes), "%s, cache %s: %d threads, chunk %d: the same bits",
						   levels[l] ? levels[l] : "F32", eng_kv_name((enum eng_kv)kv), threads, chunks[c]);
						free(got);
					}
					eng_session_free(s);
					eng_weights_release(w);
					eng_model_close(m);
					eng_free(g);
				}
			free(first);
		}
	free(path);
}

/* A level made in memory is the level that was made as a file. */
static void check_made(struct eng *g, const char *level)
{
	char rel[100], *fp;
	char *path = shipped_model();
	int32_t ids[100];

	for (int i = 0; i < 100; i++)
		ids[i] = i ? 3 + i * 41 % 500 : 1;
	snprintf(rel, sizeof rel, "models/stories260K/quant/stories260K-%s.gguf", level);
	fp = data_path(rel);
	if (!fp) {
		tap_skip("no %s", rel);
	} else {
		struct eng_model *a = open_model(g, path), *b = open_model(g, fp);
		struct eng_weights *wa = weights_at(a, level), *wb = weights_at(b, NULL);
		struct eng_session *sa = new_session(wa, ENG_KV_F16, 128, 0), *sb = new_session(wb, ENG_KV_F16, 128, 0);
		float *la = logits_of(sa, ids, 100), *lb = logits_of(sb, ids, 100);

		ok(!memcmp(la, lb, 100 * sizeof *la * (size_t)eng_model_info(a)->n_vocab),
		   "%s made in memory gives the bits of the peer's file", level);
		ok(eng_weights_info(wa)->bytes == eng_weights_info(wb)->bytes, "and takes as many bytes");
		free(la);
		free(lb);
		eng_session_free(sa);
		eng_session_free(sb);
		eng_weights_release(wa);
		eng_weights_release(wb);
		eng_model_close(a);
		eng_model_close(b);
	}
	free(fp);
	free(path);
}

int main(void)
{
	struct eng *g = new_engine(2, NULL), *plain = new_engine(1, "scalar");
	static const char *const quants[] = { "Q8_0", "Q5_1", "Q4_1", "Q4_0" };
	static const char *const synthetic[] = {
		"llama-gqa-untied", "llama3-ropefreqs", "llama-linear4", "llama-yarn4", "qwen2-bias", "qwen3-headdim32",
		"phi3-longrope-long", "gemma3-softcap", "gemma3-swa8", "smollm3-nope",
	};

	check_ref(g, "models/stories260K/stories260K-F32.gguf", "models/stories260K/ref-F32.json", NULL, 1e-6, true);
	check_ref(plain, "models/stories260K/stories260K-F32.gguf", "models/stories260K/ref-F32.json", NULL, 1e-6, true);
	check_ref(g, "models/stories260K/stories260K-F16.gguf", "models/stories260K/ref-F16.json", NULL, 1e-4, false);
	for (size_t i = 0; i < sizeof quants / sizeof *quants; i++) {
		char model[100], ref[100];

		snprintf(model, sizeof model, "models/stories260K/quant/stories260K-%s.gguf", quants[i]);
		snprintf(ref, sizeof ref, "models/stories260K/quant/stories260K-%s.ref.json", quants[i]);
		check_ref(g, model, ref, NULL, 5e-4, false);
		check_ref(plain, model, ref, NULL, 5e-4, false);
		check_made(g, quants[i]);
	}
	for (size_t i = 0; i < sizeof synthetic / sizeof *synthetic; i++) {
		char model[100], ref[100];

		snprintf(model, sizeof model, "models/synthetic/%s.gguf", synthetic[i]);
		snprintf(ref, sizeof ref, "models/synthetic/%s.ref.json", synthetic[i]);
		check_ref(g, model, ref, NULL, 1e-6, true);
	}
	eng_free(g);
	eng_free(plain);
	check_bits();
	return tap_done_min(40);
}
