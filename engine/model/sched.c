/*
 * The scheduler: brings sessions to their lists of ids, step by step. A step takes rows of
 * every session that is not there yet: one of each first, so that no answer waits for another
 * one's prompt, then more in turn, up to the largest chunk beside them.
 */
#include "config.h"
#include "engine/base/xio.h"
#include "engine/model/forward.h"
#include "engine/model/session.h"

#include <inttypes.h>
#include <string.h>

static int check_ids(const struct eng_turn *t, struct err *e)
{
	const struct eng_session *s = t->session;
	const int32_t n_vocab = s->w->model->cfg.n_vocab;

	if (t->n > s->kv.n_ctx)
		return err_set(e, ERR_CONTEXT, "%d tokens do not fit into a context of %" PRId64, t->n, s->kv.n_ctx);
	for (int32_t i = 0; i < t->n; i++)
		if (t->ids[i] < 0 || t->ids[i] >= n_vocab)
			return err_set(e, ERR_ARG, "token %d at position %d is outside the vocabulary of %d",
				       t->ids[i], i, n_vocab);
	return 0;
}

/* Everything that can be seen before anything is changed. */
static int check(const struct eng_turn *t, int n, struct err *e)
{
	int ret = 0;

	for (int i = 0; i < n && !ret; i++) {
		if (t[i].session->turn.in)
			ret = err_set(e, ERR_ARG, "a session cannot be in a step twice");
		else if (t[i].session->w != t[0].session->w || t[i].session->act != t[0].session->act)
			ret = err_set(e, ERR_ARG, "sessions of different weights or activations cannot share a step");
		else
			ret = check_ids(&t[i], e);
		t[i].session->turn.in = true;
	}
	for (int i = 0; i < n; i++)
		t[i].session->turn.in = false;
	return ret;
}

static int want_chunk_logits(struct eng_session *s, struct err *e)
{
	const size_t n_vocab = (size_t)s->w->model->cfg.n_vocab;

	if (!s->turn.st->logits || s->chunk_logits)
		return 0;
	s->chunk_logits = mem_array((size_t)s->chunk, n_vocab * sizeof *s->chunk_logits);
	return s->chunk_logits ? 0 : err_set(e, ERR_NOMEM, "no memory for the logits of a chunk of %d", s->chunk);
}

/*
 * Keeps the common prefix. Where more than a token follows, a turn has ended here: the place is
 * marked, and so is the end of the new prompt.
 */
static void begin(const struct eng_turn *t)
{
	struct eng_session *s = t->session;
	int32_t keep = 0;

	s->turn.ids = t->ids;
	s->turn.n = t->n;
	s->turn.st = t->st ? t->st : &s->turn.own;
	while (keep < t->n && keep < s->n && s->ids[keep] == t->ids[keep])
		keep++;
	if (keep == t->n && t->n && (s->n > t->n || !s->have_logits))
		keep = t->n - 1;
	session_rewind(s, keep);
	if (t->n - s->n > 1)
		kv_mark(&s->kv, s->n);
	s->turn.from = s->n;
	s->turn.st->reused = s->n;
	s->turn.st->again = keep - s->n;
	s->turn.st->computed = 0;
}

/* How many rows each session has in the next step; all together. */
static int plan(const struct eng_turn *t, int n)
{
	int used = 0, most = n - 1, chunk = 0;

	for (int i = 0; i < n; i++) {
		struct eng_session *s = t[i].session;

		s->turn.take = s->n < s->turn.n;
		used += s->turn.take;
		chunk = s->chunk > chunk ? s->chunk : chunk;
	}
	most += chunk;
	for (int i = 0; i < n; i++) {
		struct eng_session *s = t[i].session;
		const int left = s->turn.n - s->n, own = left < s->chunk ? left : s->chunk;
		const int more = own - s->turn.take < most - used ? own - s->turn.take : most - used;

		if (more > 0) {
			s->turn.take += more;
			used += more;
		}
	}
	return used;
}

static struct row *rows_get(struct eng *g, int n, struct err *e)
{
	if (n > g->n_rows) {
		mem_free(g->rows);
		g->rows = mem_array((size_t)n, sizeof *g->rows);
		g->n_rows = g->rows ? n : 0;
	}
	if (!g->rows)
		err_set(e, ERR_NOMEM, "no memory for a step of %d tokens", n);
	return g->rows;
}

static void fill_rows(struct eng_session *s, struct row *rows)
{
	const int64_t n_vocab = s->w->model->cfg.n_vocab;

	for (int i = 0; i < s->turn.take; i++) {
		const int32_t pos = s->n + i;

		rows[i] = (struct row){ .kv = &s->kv, .pos = pos, .token = s->turn.ids[pos], .cancel = &s->cancel };
		if (s->turn.st->logits)
			rows[i].logits = s->chunk_logits + i * n_vocab;
		else if (pos == s->turn.n - 1)
			rows[i].logits = s->logits;
	}
	if (s->turn.take)
		s->have_logits = false;
}

/* What the step computed is the session's now. */
static void commit(struct eng_session *s)
{
	const int64_t n_vocab = s->w->model->cfg.n_vocab;
	struct eng_sync *st = s->turn.st;
	const int32_t from = s->n;
	const int n = s->turn.take;

	if (!n)
		return;
	memcpy(s->ids + from, s->turn.ids + from, (size_t)n * sizeof *s->ids);
	s->n += n;
	st->computed += n;
	for (int i = 0; i < n && st->logits; i++)
		st->logits(st->logits_arg, from + i, s->chunk_logits + i * n_vocab);
	if (s->n == s->turn.n) {
		if (st->logits)
			memcpy(s->logits, s->chunk_logits + (n - 1) * n_vocab, (size_t)n_vocab * sizeof *s->logits);
		s->have_logits = true;
		if (s->n - s->turn.from > 1)
			kv_mark(&s->kv, s->n - 1);
	}
	kv_slide(&s->kv, s->n);
}

static int run_step(const struct eng_turn *t, int n, int n_rows, struct err *e)
{
	const struct eng_session *first = t[0].session;
	const struct eng_model *m = first->w->model;
	struct row *rows = rows_get(m->eng, n_rows, e);
	int ret = rows ? 0 : -1;

	for (int i = 0, at = 0; i < n && !ret; at += t[i++].session->turn.take) {
		struct eng_session *s = t[i].session;

		ret = kv_reserve(&s->kv, s->n, s->n + s->turn.take, e);
		fill_rows(s, rows + at);
	}
	if (!ret && (forward(first->w, rows, n_rows, first->act, e) < 0 || gguf_check(m->gguf, e) < 0))
		ret = -1;
	for (int i = 0; i < n; i++) {
		if (ret)
			kv_truncate(&t[i].session->kv, t[i].session->n);
		else
			commit(t[i].session);
	}
	return ret;
}

/* False when one of the callers wants no more. */
static bool tell_progress(const struct eng_turn *t, int n)
{
	bool on = true;

	for (int i = 0; i < n; i++) {
		const struct eng_session *s = t[i].session;
		const struct eng_sync *st = s->turn.st;

		if (s->turn.take && st->progress &&
		    !st->progress(st->progress_arg, s->n - s->turn.from, s->turn.n - s->turn.from) && s->n < s->turn.n)
			on = false;
	}
	return on;
}

int eng_sync_many(const struct eng_turn *t, int n, struct err *e)
{
	if (check(t, n, e) < 0)
		return -1;
	for (int i = 0; i < n; i++)
		begin(&t[i]);
	for (int i = 0; i < n; i++)
		if (want_chunk_logits(t[i].session, e) < 0)
			return -1;
	for (int rows; (rows = plan(t, n));) {
		if (run_step(t, n, rows, e) < 0)
			return -1;
		if (!tell_progress(t, n))
			return err_set(e, ERR_CANCELLED, "stopped");
	}
	return 0;
}

int eng_session_sync(struct eng_session *s, const int32_t *ids, int32_t n, struct eng_sync *st, struct err *e)
{
	return eng_sync_many(&(struct eng_turn){ s, ids, n, st }, 1, e);
}
