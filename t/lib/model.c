#include "config.h"
#include "t/lib/model.h"
#include "engine/model/weights.h"
#include "t/lib/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *bail(const char *what, const struct err *e)
{
	tap_bail("%s: %s", what, e->msg);
}

char *data_path(const char *rel)
{
	const char *dir = getenv("TIDBIT_DATA");
	const size_t n = strlen(dir ? dir : "") + strlen(rel) + 2;
	char *p = dir ? malloc(n) : NULL;

	if (!p)
		return NULL;
	snprintf(p, n, "%s/%s", dir, rel);
	if (!access(p, R_OK))
		return p;
	free(p);
	return NULL;
}

char *shipped_model(void)
{
	const char *dir = getenv("TIDBIT_PROFILES");
	char *p = malloc(strlen(dir ? dir : "profiles") + 40);

	if (p)
		sprintf(p, "%s/stories260K.gguf", dir ? dir : "profiles");
	return p;
}

struct eng *new_engine(int threads, const char *isa)
{
	const struct eng_opts o = { .threads = threads, .isa = isa };
	struct err e = { 0 };
	struct eng *g;

	return eng_new(&g, &o, &e) < 0 ? bail("eng_new", &e) : g;
}

struct eng_model *open_model(struct eng *g, const char *path)
{
	struct err e = { 0 };
	struct eng_model *m;

	return eng_model_open(g, path, false, &m, &e) < 0 ? bail("eng_model_open", &e) : m;
}

struct eng_weights *weights_at(struct eng_model *m, const char *level)
{
	struct err e = { 0 };
	struct eng_weights *w;

	return eng_weights_get(m, level, NULL, NULL, &w, &e) < 0 ? bail("eng_weights_get", &e) : w;
}

struct eng_model *model_of(const struct eng_weights *w)
{
	return w->model;
}

struct eng_session *new_session(struct eng_weights *w, enum eng_kv kv, int64_t n_ctx, int chunk)
{
	const struct eng_session_opts o = { .n_ctx = n_ctx, .kv = kv, .chunk = chunk };
	struct err e = { 0 };
	struct eng_session *s;

	return eng_session_new(w, &o, &s, &e) < 0 ? bail("eng_session_new", &e) : s;
}

struct take { float *p; int64_t n_vocab; int32_t n; };

static void take_logits(void *arg, int32_t pos, const float *logits)
{
	struct take *t = arg;

	(void)pos;
	memcpy(t->p + t->n++ * t->n_vocab, logits, (size_t)t->n_vocab * sizeof *logits);
}

float *logits_of(struct eng_session *s, const int32_t *ids, int32_t n)
{
	struct take t = { .n_vocab = eng_model_info(model_of(eng_session_weights(s)))->n_vocab };
	struct eng_sync st = { .logits = take_logits, .logits_arg = &t };
	struct err e = { 0 };

	t.p = malloc((size_t)n * (size_t)t.n_vocab * sizeof *t.p);
	if (!t.p || eng_session_sync(s, ids, n, &st, &e) < 0)
		return bail("eng_session_sync", &e);
	return t.p;
}

int32_t best(const float *logits, int64_t n)
{
	int32_t b = 0;

	for (int32_t i = 1; i < n; i++)
		if (logits[i] > logits[b])
			b = i;
	return b;
}

void go_on(struct eng_session *s, int32_t *ids, int32_t n, int32_t k)
{
	const int64_t n_vocab = eng_model_info(model_of(eng_session_weights(s)))->n_vocab;
	struct err e = { 0 };

	for (int32_t i = 0; i <= k; i++) {
		if (eng_session_sync(s, ids, n + i, NULL, &e) < 0)
			bail("eng_session_sync", &e);
		if (i < k)
			ids[n + i] = best(eng_session_logits(s), n_vocab);
	}
}
