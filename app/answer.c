#include "config.h"
#include "app/answer.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

#include <string.h>

double answer_prefill_rate(const struct answer_stats *s)
{
	return s->prefill_ns > 0 ? (double)s->n_prefill * 1e9 / (double)s->prefill_ns : 0;
}

double answer_decode_rate(const struct answer_stats *s)
{
	return answer_decode_rate_since(s, &(struct answer_stats){ 0 });
}

double answer_decode_rate_since(const struct answer_stats *s, const struct answer_stats *had)
{
	const int64_t ns = s->decode_ns - had->decode_ns;
	const int32_t n = s->n_decode - had->n_decode;

	return ns > 0 && n > 0 ? (double)n * 1e9 / (double)ns : 0;
}

void answer_stats_join(struct answer_stats *s, const struct answer_stats *had)
{
	if (!had->n_gen)
		return;
	/* its own tokens were a part of the prompt when it went on */
	s->n_prompt -= had->n_gen;
	s->n_reused = had->n_reused;
	s->n_prefill = had->n_prefill;
	s->prefill_ns = had->prefill_ns;
	s->first_ns = had->first_ns;
	s->n_gen += had->n_gen;
	s->decode_ns += had->decode_ns;
	s->n_decode += had->n_decode;
	s->n_think = s->n_thought;
}

const char *answer_end_text(enum answer_end end)
{
	static const char *const texts[] = {
		[ANSWER_DONE] = "", [ANSWER_LENGTH] = "cut at -n", [ANSWER_CONTEXT] = "the context is full",
		[ANSWER_STOPPED] = "stopped", [ANSWER_STOP_TEXT] = "a stop text",
	};

	return texts[end];
}

bool answer_only_thought(const struct answer_stats *s, enum answer_end end)
{
	return s->think.state == THINK_INSIDE && end != ANSWER_STOPPED;
}

const char *answer_why_only_thought(enum answer_end end)
{
	static const char *const texts[] = {
		[ANSWER_DONE] = "it was never closed; --think off asks for none",
		[ANSWER_LENGTH] = "-n allows more, --think off asks for none",
		[ANSWER_CONTEXT] = "-c makes room for more, --think off asks for none",
		[ANSWER_STOPPED] = "",
		[ANSWER_STOP_TEXT] = "a stop text came in it",
	};

	return texts[end];
}

bool answer_can_go_on(enum answer_end end)
{
	return end == ANSWER_LENGTH || end == ANSWER_CONTEXT || end == ANSWER_STOPPED;
}

/* What the loop keeps beside the caller's struct answer. */
struct run {
	struct answer *a;
	struct eng_stream *stream;
	struct eng_ids all;		/* prompt and answer: what the session is to hold */
	struct str text;		/* of the answer, what it began with included */
	int32_t open_id, close_id;	/* the marks of thinking as tokens, or -1 */
	size_t shown;			/* bytes of it that the caller has */
	size_t *ends;			/* (ids.n) how long the text was after each token */
	size_t n_ends;
	int64_t start_ns;
};

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "no memory for the answer");
}

static int add(struct eng_ids *l, int32_t id, struct err *e)
{
	return eng_ids_add(l, id) < 0 ? err_set(e, ERR_NOMEM, "no memory for token %zu", l->n) : 0;
}

/* -- thinking ------------------------------------------------------------------------ */

/* The mark as a token, of a model that was trained to write it; -1 when it is none. */
static int32_t one_token(struct eng_model *m, const char *mark)
{
	struct eng_ids ids = { 0 };
	struct err e;
	const bool one = mark && *mark && !eng_encode(m, mark, strlen(mark), ENG_TEXT_SPECIAL, &ids, &e) && ids.n == 1;
	const int32_t id = one ? ids.p[0] : -1;

	eng_ids_release(&ids);
	return id;
}

/* Does the prompt, but for the answer it may hold already, end with the opening mark? */
static bool opened(const struct answer *a)
{
	enum { LAST = 16 };		/* tokens that hold the mark and a line end, whatever the vocabulary */
	const int32_t n = a->n_prompt - a->n_begun, from = n > LAST ? n - LAST : 0;
	struct str tail;
	struct err e;
	bool yes;

	str_init(&tail, 0);
	yes = n > 0 && !eng_decode(a->model, a->prompt + from, (size_t)(n - from), true, &tail, &e) &&
	      think_opens(a->marks.open, tail.p, tail.len);
	str_release(&tail);
	return yes;
}

static void begin_thinking(struct run *r)
{
	struct answer *a = r->a;

	a->stats.may_think = r->close_id >= 0 && !a->no_thinking;
	think_init(&a->stats.think, opened(a));
	a->stats.think.strict = a->no_thinking;
}

/* The thinking in what the answer began with, one token at a time: how many of them it takes. */
static void think_begun(struct run *r, int32_t n)
{
	struct think *t = &r->a->stats.think;
	const bool was_over = t->state == THINK_OVER;

	think_feed(t, &r->a->marks, r->text.p, r->text.len, false);
	if (t->state == THINK_INSIDE || (t->state == THINK_OVER && !was_over))
		r->a->stats.n_thought = n;
}

/* -- beginning ----------------------------------------------------------------------- */

/* The text of one more token: with the marks of thinking, also where they are control tokens and silent. */
static void push(const struct run *r, struct eng_stream *st, int32_t id, struct str *out)
{
	const size_t before = out->len;

	eng_stream_push(st, id, out);
	if (out->len == before && id >= 0 && (id == r->open_id || id == r->close_id))
		str_adds(out, id == r->open_id ? r->a->marks.open : r->a->marks.close);
}

/* What the answer holds already: its text, and the half character that the stream goes on with. */
static void take_begun(struct run *r)
{
	struct answer *a = r->a;

	for (int32_t i = 0; i < a->n_begun; i++) {
		push(r, r->stream, a->prompt[a->n_prompt - a->n_begun + i], &r->text);
		think_begun(r, i + 1);
	}
	r->shown = a->stats.begun = r->text.len;
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
	if (!r->stream)
		return -1;
	r->open_id = one_token(a->model, a->marks.open);
	r->close_id = one_token(a->model, a->marks.close);
	begin_thinking(r);
	take_begun(r);
	return 0;
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

/* Tells the caller the text up to `to`. */
static void show(struct run *r, size_t to)
{
	struct answer *a = r->a;
	struct think *t = &a->stats.think;
	const bool was_over = t->state == THINK_OVER;

	think_feed(t, &a->marks, r->text.p, to, false);
	if (t->state == THINK_INSIDE || (t->state == THINK_OVER && !was_over)) {
		a->stats.n_think = a->stats.n_gen;
		a->stats.n_thought = a->n_begun + a->stats.n_gen;
	}
	if (a->text)
		a->text(a->arg, r->text.p + r->shown, to - r->shown, &a->stats);
	r->shown = to;
}

static int note_end(struct run *r, struct err *e)
{
	if ((r->n_ends & (r->n_ends + 1)) == 0) {
		size_t *p = mem_rearray(r->ends, 2 * (r->n_ends + 1), sizeof *p);

		if (!p)
			return no_memory(e);
		r->ends = p;
	}
	r->ends[r->n_ends++] = r->text.len;
	return 0;
}

/* Do the first n ids spell exactly the new text up to `to`? */
static bool spells(struct run *r, size_t n, size_t to)
{
	const struct answer *a = r->a;
	struct eng_stream *st = eng_stream_new(a->model, a->at_start, NULL);
	struct str s;
	bool same = false;

	if (!st)
		return false;
	str_init(&s, 0);
	for (int32_t i = a->n_prompt - a->n_begun; i < a->n_prompt; i++)
		push(r, st, a->prompt[i], &s);
	for (size_t i = 0; i < n; i++)
		push(r, st, a->ids.p[i], &s);
	eng_stream_end(st, &s);
	same = !s.failed && s.len == to && !memcmp(s.p, r->text.p, to);
	str_release(&s);
	eng_stream_free(st);
	return same;
}

/* A stop text begins at `at`: the answer ends there, and its ids with the token that ends there. */
static void cut(struct run *r, size_t at)
{
	struct answer *a = r->a;
	size_t n = 0;

	while (n < r->n_ends && (n ? r->ends[n - 1] : a->stats.begun) < at)
		n++;
	a->ids.n = spells(r, n, at) ? n : 0;
	str_cut(&r->text, at);
	a->end = ANSWER_STOP_TEXT;
}

/* One more token; *stopped when its text ends the answer. */
static int take(struct run *r, int32_t id, int64_t ns, bool *stopped, struct err *e)
{
	static const struct stop none = { .n = 0 };
	struct answer *a = r->a;
	size_t at, safe;

	if (add(&a->ids, id, e) < 0 || add(&r->all, id, e) < 0)
		return -1;
	if (a->stats.n_gen++) {
		a->stats.decode_ns += ns;
		a->stats.n_decode++;
	}
	push(r, r->stream, id, &r->text);
	if (r->text.failed || note_end(r, e) < 0)
		return no_memory(e);
	at = stop_find(a->stop ? a->stop : &none, r->text.p, r->text.len, r->shown, &safe);
	*stopped = at < r->text.len;
	if (*stopped)
		cut(r, at);
	show(r, safe);
	return 0;
}

/* Tokens until something ends the answer; a->end tells what. */
static int generate(struct run *r, struct err *e)
{
	struct answer *a = r->a;
	bool stopped = false;
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
		if (take(r, id, ns, &stopped, e) < 0)
			return -1;
		if (stopped)
			return 0;
	}
}

/* What was held back comes out; what the thinking is can be told now. */
static void finish(struct run *r)
{
	struct answer *a = r->a;

	if (a->end != ANSWER_STOP_TEXT)
		eng_stream_end(r->stream, &r->text);
	think_feed(&a->stats.think, &a->marks, r->text.p, r->text.len, true);
	if (r->shown < r->text.len)
		show(r, r->text.len);
}

int answer_run(struct answer *a, struct err *e)
{
	struct run r = { .a = a, .start_ns = os_now_ns() };
	struct err why;
	int ret;

	a->end = ANSWER_DONE;
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
		finish(&r);
		eng_stream_free(r.stream);
	}
	if (ret < 0 && e)
		*e = why;
	eng_ids_release(&r.all);
	mem_free(r.ends);
	str_release(&r.text);
	return ret;
}
