#include "config.h"
#include "app/answer.h"
#include "engine/base/os.h"

#include <string.h>

double answer_prefill_rate(const struct answer_stats *s)
{
	return s->prefill_ns > 0 ? (double)s->n_prefill * 1e9 / (double)s->prefill_ns : 0;
}

double answer_decode_rate(const struct answer_stats *s)
{
	return s->decode_ns > 0 && s->n_gen > 1 ? (double)(s->n_gen - 1) * 1e9 / (double)s->decode_ns : 0;
}

/* What the loop keeps beside the caller's struct answer. */
struct run {
	struct answer *a;
	struct eng_stream *stream;
	struct eng_ids all;		/* prompt and answer: what the session is to hold */
	struct str text;
	int64_t start_ns;
};

static int add(struct eng_ids *l, int32_t id, struct err *e)
{
	return eng_ids_add(l, id) < 0 ? err_set(e, ERR_NOMEM, "no memory for token %zu", l->n) : 0;
}

static int begin(struct run *r, struct err *e)
{
	struct answer *a = r->a;

	memset(&a->stats, 0, sizeof a->stats);
	a->ids.n = 0;
	a->stats.n_prompt = a->n_prompt;
	if (a->n_prompt < 1)
		return err_set(e, ERR_ARG, "the prompt has no tokens: there is nothing to go on from");
	for (int32_t i = 0; i < a->n_prompt; i++)
		if (add(&r->all, a->prompt[i], e) < 0)
			return -1;
	r->stream = eng_stream_new(a->model, a->at_start, e);
	return r->stream ? 0 : -1;
}

static int prefill(struct run *r, struct err *e)
{
	struct answer *a = r->a;
	struct eng_sync st = { .progress = a->progress, .progress_arg = a->arg };
	const int64_t t = os_now_ns();
	const int ret = eng_session_sync(a->session, r->all.p, (int32_t)r->all.n, &st, e);

	a->stats.prefill_ns = os_now_ns() - t;
	a->stats.n_reused = st.reused;
	a->stats.n_prefill = st.computed;
	return ret;
}

/* One step of the session by the last token, and the next token; its time is the caller's to count. */
static int step(struct run *r, int32_t *id, int64_t *ns, struct err *e)
{
	struct answer *a = r->a;
	const int64_t t = os_now_ns();
	struct eng_sync st = { 0 };

	if (a->ids.n && eng_session_sync(a->session, r->all.p, (int32_t)r->all.n, &st, e) < 0)
		return -1;
	*id = eng_sample(a->sampler, a->session);
	*ns = os_now_ns() - t;
	return *id < 0 ? err_set(e, ERR_NOMEM, "no memory to choose a token") : 0;
}

static void show(struct run *r)
{
	struct answer *a = r->a;

	if (a->text)
		a->text(a->arg, r->text.p, r->text.len, &a->stats);
	str_clear(&r->text);
}

static int take(struct run *r, int32_t id, int64_t ns, struct err *e)
{
	struct answer *a = r->a;

	if (add(&a->ids, id, e) < 0 || add(&r->all, id, e) < 0)
		return -1;
	if (a->stats.n_gen++)
		a->stats.decode_ns += ns;
	eng_stream_push(r->stream, id, &r->text);
	show(r);
	return 0;
}

/* Tokens until something ends the answer; a->end tells what. */
static int generate(struct run *r, struct err *e)
{
	struct answer *a = r->a;
	int32_t id;
	int64_t ns;

	for (;;) {
		if (a->n_max >= 0 && a->stats.n_gen >= a->n_max) {
			a->end = ANSWER_LENGTH;
			return 0;
		}
		if ((int64_t)r->all.n > eng_session_ctx(a->session)) {
			a->end = ANSWER_CONTEXT;
			return 0;
		}
		if (step(r, &id, &ns, e) < 0)
			return -1;
		if (!a->stats.n_gen)
			a->stats.first_ns = os_now_ns() - r->start_ns;
		if (eng_is_end(a->model, id)) {
			a->end = ANSWER_DONE;
			return 0;
		}
		if (take(r, id, ns, e) < 0)
			return -1;
	}
}

int answer_run(struct answer *a, struct err *e)
{
	struct run r = { .a = a, .start_ns = os_now_ns() };
	struct err why;
	int ret;

	str_init(&r.text, 0);
	ret = begin(&r, &why);
	if (!ret)
		ret = prefill(&r, &why);
	if (!ret)
		ret = generate(&r, &why);
	if (ret < 0 && why.code == ERR_CANCELLED) {
		a->end = ANSWER_STOPPED;
		ret = 0;
	}
	if (r.stream) {
		eng_stream_end(r.stream, &r.text);
		if (r.text.len)
			show(&r);
		eng_stream_free(r.stream);
	}
	if (ret < 0 && e)
		*e = why;
	eng_ids_release(&r.all);
	str_release(&r.text);
	return ret;
}
