#include "config.h"
#include "engine/model/session.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"
#include "engine/model/forward.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

/* What the cache's types are called, in the order of enum eng_kv and enum kern_kv. */
static const char *const kv_names[ENG_KV_N] = {
	[ENG_KV_F16] = "f16", [ENG_KV_BF16] = "bf16", [ENG_KV_F32] = "f32", [ENG_KV_Q8_0] = "q8_0",
};
_Static_assert((int)ENG_KV_F16 == KERN_KV_F16 && (int)ENG_KV_BF16 == KERN_KV_BF16 && (int)ENG_KV_F32 == KERN_KV_F32 &&
	       (int)ENG_KV_Q8_0 == KERN_KV_Q8_0 && (int)ENG_KV_N == KERN_KV_N, "the engine's cache types are the kernels'");

const char *eng_kv_name(enum eng_kv kv)
{
	return kv_names[kv];
}

int eng_kv_parse(const char *name, enum eng_kv *out, struct err *e)
{
	char all[64] = "", q[64];

	for (int i = 0; i < ENG_KV_N; i++) {
		if (!strcasecmp(name, kv_names[i])) {
			*out = (enum eng_kv)i;
			return 0;
		}
		strncat(all, i ? ", " : "", sizeof all - strlen(all) - 1);
		strncat(all, kv_names[i], sizeof all - strlen(all) - 1);
	}
	return err_set(e, ERR_ARG, "'%s' is no type of the KV cache; there are: %s",
		       err_quote(q, sizeof q, name, strlen(name)), all);
}

int eng_session_new(struct eng_weights *w, const struct eng_session_opts *opts, struct eng_session **out, struct err *e)
{
	const struct eng_model *m = w->model;
	const int64_t trained = m->cfg.n_ctx_train;
	int64_t n_ctx = opts->n_ctx ? opts->n_ctx : trained < SESSION_CTX_DEFAULT ? trained : SESSION_CTX_DEFAULT;
	struct eng_session *s;

	*out = NULL;
	if (n_ctx < 1 || n_ctx > SESSION_MAX_CTX)
		return err_set(e, ERR_ARG, "a context of %" PRId64 " positions is out of range (1 to %d)",
			       n_ctx, SESSION_MAX_CTX);
	s = mem_calloc(1, sizeof *s);
	if (!s)
		return err_set(e, ERR_NOMEM, "no memory for a session");
	s->w = eng_weights_ref(w);
	s->chunk = opts->chunk > 0 ? opts->chunk : SESSION_CHUNK;
	if (s->chunk > n_ctx)
		s->chunk = (int)n_ctx;
	atomic_init(&s->cancel, false);
	s->ids = mem_array((size_t)n_ctx, sizeof *s->ids);
	s->rows = mem_array((size_t)s->chunk, sizeof *s->rows);
	s->logits = mem_aligned((size_t)m->cfg.n_vocab * sizeof *s->logits);
	if (!s->ids || !s->rows || !s->logits) {
		err_set(e, ERR_NOMEM, "no memory for a session of %" PRId64 " positions", n_ctx);
		goto fail;
	}
	if (kv_init(&s->kv, &m->cfg, (enum kern_kv)opts->kv, kern_kv_row(&m->eng->kern, (enum kern_kv)opts->kv, m->cfg.head_dim), n_ctx, e) < 0)
		goto fail;
	*out = s;
	return 0;
fail:
	eng_session_free(s);
	return -1;
}

void eng_session_free(struct eng_session *s)
{
	if (!s)
		return;
	kv_release(&s->kv);
	eng_weights_release(s->w);
	mem_free(s->ids);
	mem_free(s->rows);
	mem_free(s->logits);
	mem_free(s->chunk_logits);
	mem_free(s);
}

int64_t eng_session_ctx(const struct eng_session *s)
{
	return s->kv.n_ctx;
}

int eng_session_chunk(const struct eng_session *s)
{
	return s->chunk;
}

int32_t eng_session_len(const struct eng_session *s)
{
	return s->n;
}

const int32_t *eng_session_ids(const struct eng_session *s)
{
	return s->ids;
}

struct eng_weights *eng_session_weights(const struct eng_session *s)
{
	return s->w;
}

const float *eng_session_logits(const struct eng_session *s)
{
	return s->have_logits ? s->logits : NULL;
}

void eng_session_cancel(struct eng_session *s)
{
	atomic_store(&s->cancel, true);
}

void eng_session_uncancel(struct eng_session *s)
{
	atomic_store(&s->cancel, false);
}

/* Positions n and above are forgotten. */
static void rewind_to(struct eng_session *s, int32_t n)
{
	if (n == s->n)
		return;
	kv_truncate(&s->kv, n);
	s->n = n;
	s->have_logits = false;
}

static int check_ids(const struct eng_session *s, const int32_t *ids, int32_t n, struct err *e)
{
	const int32_t n_vocab = s->w->model->cfg.n_vocab;

	if (n > s->kv.n_ctx)
		return err_set(e, ERR_CONTEXT, "%d tokens do not fit into a context of %" PRId64, n, s->kv.n_ctx);
	for (int32_t i = 0; i < n; i++)
		if (ids[i] < 0 || ids[i] >= n_vocab)
			return err_set(e, ERR_ARG, "token %d at position %d is outside the vocabulary of %d",
				       ids[i], i, n_vocab);
	return 0;
}

/* Where logits of row i of a chunk of n go; NULL: not wanted. */
static float *logits_of(const struct eng_session *s, const struct eng_sync *st, int i, bool last)
{
	if (st->logits)
		return s->chunk_logits + (int64_t)i * s->w->model->cfg.n_vocab;
	return last ? s->logits : NULL;
}

/* Computes positions s->n … s->n + n - 1. */
static int run_chunk(struct eng_session *s, const int32_t *ids, int n, bool last, struct eng_sync *st, struct err *e)
{
	const int64_t n_vocab = s->w->model->cfg.n_vocab;
	const int32_t from = s->n;

	if (kv_reserve(&s->kv, from, from + n, e) < 0)
		return -1;
	for (int i = 0; i < n; i++)
		s->rows[i] = (struct row){ .kv = &s->kv, .pos = from + i, .token = ids[i],
					   .logits = logits_of(s, st, i, last && i == n - 1) };
	s->have_logits = false;
	if (forward(s->w, s->rows, n, &s->cancel, e) < 0 || gguf_check(s->w->model->gguf, e) < 0) {
		kv_truncate(&s->kv, from);
		return -1;
	}
	memcpy(s->ids + from, ids, (size_t)n * sizeof *ids);
	s->n = from + n;
	st->computed += n;
	for (int i = 0; i < n && st->logits; i++)
		st->logits(st->logits_arg, from + i, s->chunk_logits + i * n_vocab);
	if (last && st->logits)
		memcpy(s->logits, s->chunk_logits + (n - 1) * n_vocab, (size_t)n_vocab * sizeof *s->logits);
	s->have_logits = last;
	return 0;
}

int eng_session_sync(struct eng_session *s, const int32_t *ids, int32_t n, struct eng_sync *st, struct err *e)
{
	struct eng_sync none = { 0 };
	int32_t keep = 0;

	if (!st)
		st = &none;
	st->reused = st->computed = 0;
	if (check_ids(s, ids, n, e) < 0)
		return -1;
	while (keep < n && keep < s->n && s->ids[keep] == ids[keep])
		keep++;
	if (keep == n && n && (s->n > n || !s->have_logits))
		keep = n - 1;
	rewind_to(s, keep);
	st->reused = keep;
	if (st->logits && !s->chunk_logits) {
		s->chunk_logits = mem_array((size_t)s->chunk, (size_t)s->w->model->cfg.n_vocab * sizeof *s->chunk_logits);
		if (!s->chunk_logits)
			return err_set(e, ERR_NOMEM, "no memory for the logits of a chunk of %d", s->chunk);
	}
	for (int32_t done = keep; done < n; done = s->n) {
		const int k = n - done < s->chunk ? n - done : s->chunk;

		if (run_chunk(s, ids + done, k, done + k == n, st, e) < 0)
			return -1;
		if (st->progress && !st->progress(st->progress_arg, s->n - keep, n - keep) && s->n < n)
			return err_set(e, ERR_CANCELLED, "stopped");
	}
	return 0;
}

int eng_session_bind(struct eng_session *s, struct eng_weights *w, enum eng_bind how, struct err *e)
{
	if (w->model != s->w->model)
		return err_set(e, ERR_ARG, "weights of another model");
	if (how == ENG_BIND_EXACT && w != s->w)
		rewind_to(s, 0);
	s->have_logits = s->have_logits && w == s->w;
	eng_weights_ref(w);
	eng_weights_release(s->w);
	s->w = w;
	return 0;
}

static int add_resident(void *arg, struct view *v, int layer)
{
	uint64_t *sum = arg;
	size_t in;

	(void)layer;
	if (v->owned || *sum == UINT64_MAX)
		return 0;
	in = os_resident(v->data, (size_t)(v->rows * v->stride));
	*sum = in == SIZE_MAX ? UINT64_MAX : *sum + in;
	return 0;
}

void eng_session_mem(const struct eng_session *s, struct eng_mem *m)
{
	*m = (struct eng_mem){ .weights_mapped = s->w->mapped, .weights_made = s->w->made,
			       .kv_used = s->kv.used, .kv_reserved = kv_full_bytes(&s->kv),
			       .scratch = s->w->model->eng->scratch.size };
	weights_each_view(s->w, add_resident, &m->weights_resident);
	if (m->weights_resident == UINT64_MAX)
		m->weights_resident = s->w->mapped;
	m->scratch += (uint64_t)s->w->model->cfg.n_vocab * sizeof(float) * (s->chunk_logits ? (uint64_t)s->chunk + 1 : 1);
	m->scratch += (uint64_t)s->kv.n_ctx * sizeof *s->ids;
}
