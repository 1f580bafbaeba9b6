/* Sessions: prefixes reused, rewinds, refusals, cancelling, exact and borrowed switches. */
#include "config.h"
#include "engine/engine.h"
#include "t/lib/model.h"
#include "t/lib/tap.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { N = 200 };

static int32_t ids[512];
static int64_t n_vocab;

static void fill(void)
{
	for (int i = 0; i < 512; i++)
		ids[i] = i ? 3 + i * 53 % 500 : 1;
}

static void reuse(struct eng_weights *w)
{
	struct eng_session *s = new_session(w, ENG_KV_F16, 256, 16), *fresh = new_session(w, ENG_KV_F16, 256, 0);
	struct eng_sync st = { 0 };
	struct err e = { 0 };
	int32_t other[N];

	ok(eng_session_sync(s, ids, 100, &st, &e) == 0 && st.computed == 100 && st.reused == 0, "a first sync computes all");
	ok(eng_session_sync(s, ids, 120, &st, &e) == 0 && st.computed == 20 && st.reused == 100, "a longer list only its end");
	ok(eng_session_sync(s, ids, 120, &st, &e) == 0 && st.computed == 0 && st.reused == 120 && eng_session_logits(s),
	   "the same list nothing");
	ok(eng_session_sync(s, ids, 70, &st, &e) == 0 && st.computed == 1 && st.reused == 69 && eng_session_len(s) == 70,
	   "a shorter one rewinds and computes its last token");
	memcpy(other, ids, sizeof other);
	other[30] = 7;
	ok(eng_session_sync(s, other, N, &st, &e) == 0 && st.reused == 30 && st.computed == N - 30, "an edit computes from there");
	eng_session_sync(fresh, other, N, NULL, &e);
	ok(!memcmp(eng_session_logits(s), eng_session_logits(fresh), (size_t)n_vocab * sizeof(float)),
	   "and ends in the bits of a fresh session");
	ok(!memcmp(eng_session_ids(s), other, sizeof other), "the session holds the list");
	ok(eng_session_sync(s, other, 257, &st, &e) < 0 && e.code == ERR_CONTEXT && eng_session_len(s) == N,
	   "more than the context is refused and nothing lost: %s", e.msg);
	other[5] = 1 << 30;
	ok(eng_session_sync(s, other, N, &st, &e) < 0 && e.code == ERR_ARG && eng_session_len(s) == N,
	   "an id outside the vocabulary too: %s", e.msg);
	other[5] = -1;
	ok(eng_session_sync(s, other, N, &st, &e) < 0 && e.code == ERR_ARG, "and a negative one: %s", e.msg);
	ok(eng_session_sync(s, NULL, 0, &st, &e) == 0 && !eng_session_len(s) && !eng_session_logits(s), "no ids empty it");
	eng_session_free(s);
	eng_session_free(fresh);
}

static void switching(struct eng_model *m, const char *level)
{
	struct eng_weights *own = weights_at(m, NULL), *w = weights_at(m, level);
	struct eng_session *s = new_session(own, ENG_KV_F16, 256, 0), *fresh = new_session(w, ENG_KV_F16, 256, 0);
	int32_t a[N], b[N];
	struct eng_sync st = { 0 };
	struct err e = { 0 };

	memcpy(a, ids, sizeof a);
	go_on(s, a, 60, 40);
	memcpy(b, a, sizeof b);
	ok(eng_session_bind(s, w, ENG_BIND_EXACT, &e) == 0 && eng_session_weights(s) == w, "%s: bound", level);
	ok(eng_session_sync(s, a, 100, &st, &e) == 0 && st.computed == 100, "%s: exact computes the transcript again", level);
	go_on(s, a, 100, 50);
	go_on(fresh, b, 100, 50);
	ok(!memcmp(a, b, 150 * sizeof *a), "%s: the ids that follow are a fresh session's", level);
	ok(eng_session_bind(s, own, ENG_BIND_BORROWED, &e) == 0 && eng_session_sync(s, a, 151, &st, &e) == 0 && st.reused == 150,
	   "%s: borrowed keeps the cache", level);
	eng_session_free(s);
	eng_session_free(fresh);
	eng_weights_release(w);
	eng_weights_release(own);
}

struct canceller { struct eng_session *s; int64_t after_ns, at_ns; };

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void *cancel_later(void *arg)
{
	struct canceller *c = arg;
	struct timespec ts = { 0, c->after_ns };

	nanosleep(&ts, NULL);
	c->at_ns = now();
	eng_session_cancel(c->s);
	return NULL;
}

static void cancelling(struct eng_weights *w)
{
	struct eng_session *s = new_session(w, ENG_KV_F16, 16384, 64), *fresh = new_session(w, ENG_KV_F16, 16384, 0);
	int32_t *many = malloc(16000 * sizeof *many);
	struct canceller c = { .s = s, .after_ns = 30000000 };
	struct err e = { 0 };
	pthread_t t;
	int64_t end;
	int32_t len;

	for (int i = 0; i < 16000; i++)
		many[i] = i ? 3 + i * 53 % 500 : 1;
	pthread_create(&t, NULL, cancel_later, &c);
	ok(eng_session_sync(s, many, 16000, NULL, &e) < 0 && e.code == ERR_CANCELLED, "a long prefill is cancelled");
	end = now();
	pthread_join(t, NULL);
	ok(end - c.at_ns < 50000000 * (int64_t)tap_patience(), "within 50 ms (%.1f)", (double)(end - c.at_ns) / 1e6);
	len = eng_session_len(s);
	ok(len % 64 == 0 && len < 16000, "it stands at its last whole chunk (%d)", len);
	ok(eng_session_sync(s, many, len + 10, NULL, &e) < 0 && e.code == ERR_CANCELLED, "cancelled stays cancelled");
	eng_session_uncancel(s);
	ok(eng_session_sync(s, many, len + 10, NULL, &e) == 0, "until it is cleared");
	eng_session_sync(fresh, many, len + 10, NULL, &e);
	ok(!memcmp(eng_session_logits(s), eng_session_logits(fresh), (size_t)n_vocab * sizeof(float)),
	   "and goes on as if nothing had been");
	eng_session_free(s);
	eng_session_free(fresh);
	free(many);
}

static bool stop_at_once(void *arg, int64_t done, int64_t total)
{
	(void)arg;
	(void)done;
	(void)total;
	return false;
}

static void levels(struct eng_model *m)
{
	const struct eng_level *l;
	const int n = eng_model_levels(m, &l);
	struct eng_weights *w = NULL;
	struct err e = { 0 };
	int sizes = 0;

	ok(n == 4 && l[0].own && !strcmp(l[0].name, "F32"), "four levels, the file's own first");
	for (int i = 0; i < n; i++) {
		w = weights_at(m, l[i].name);
		sizes += eng_weights_info(w)->bytes == l[i].bytes;
		eng_weights_release(w);
	}
	ok(sizes == n, "each takes the bytes that were told before");
	ok(eng_weights_get(m, "q9_9", NULL, NULL, &w, &e) < 0 && e.code == ERR_ARG && strstr(e.msg, "Q4_0"),
	   "an unknown level is told with those there are: %s", e.msg);
	ok(eng_weights_get(m, "q5_1", stop_at_once, NULL, &w, &e) < 0 && e.code == ERR_CANCELLED && !w, "making can be stopped");
}

int main(void)
{
	struct eng *g = new_engine(2, NULL);
	char *path = shipped_model();
	struct eng_model *m = open_model(g, path);
	struct eng_weights *w = weights_at(m, NULL);

	fill();
	n_vocab = eng_model_info(m)->n_vocab;
	reuse(w);
	levels(m);
	switching(m, "q4_0");
	switching(m, "Q8_0");
	cancelling(w);
	eng_weights_release(w);
	eng_model_close(m);
	eng_free(g);
	free(path);
	return tap_done_min(29);
}
