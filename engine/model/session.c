#include "config.h"
#include "engine/model/session.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

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

static const char *const act_names[ENG_ACT_N] = { [ENG_ACT_AUTO] = "auto", [ENG_ACT_INT8] = "int8",
						  [ENG_ACT_INT16] = "int16", [ENG_ACT_F32] = "f32" };

const char *eng_act_name(enum eng_act act)
{
	return act_names[act];
}

int eng_act_parse(const char *name, enum eng_act *out, struct err *e)
{
	char q[64];

	for (int i = 0; i < ENG_ACT_N; i++)
		if (!strcasecmp(name, act_names[i])) {
			*out = (enum eng_act)i;
			return 0;
		}
	return err_set(e, ERR_ARG, "'%s' is no kind of activations; there are: auto, int8, int16, f32",
		       err_quote(q, sizeof q, name, strlen(name)));
}

int64_t session_ctx(const struct eng_model *m, const struct eng_session_opts *opts)
{
	const int64_t trained = m->cfg.n_ctx_train;

	return opts->n_ctx ? opts->n_ctx : trained < SESSION_CTX_DEFAULT ? trained : SESSION_CTX_DEFAULT;
}

/* All but the cache. */
static struct eng_session *new_session(struct eng_weights *w, int64_t n_ctx, struct err *e)
{
	struct eng_session *s = mem_calloc(1, sizeof *s);

	if (s) {
		s->w = eng_weights_ref(w);
		atomic_init(&s->cancel, false);
		s->ids = mem_array((size_t)n_ctx, sizeof *s->ids);
		s->logits = mem_aligned((size_t)w->model->cfg.n_vocab * sizeof *s->logits);
		if (s->ids && s->logits)
			return s;
	}
	eng_session_free(s);
	err_set(e, ERR_NOMEM, "no memory for a session of %" PRId64 " positions", n_ctx);
	return NULL;
}

int eng_session_new(struct eng_weights *w, const struct eng_session_opts *opts, struct eng_session **out, struct err *e)
{
	const struct eng_model *m = w->model;
	const int64_t n_ctx = session_ctx(m, opts);
	const enum kern_kv type = (enum kern_kv)opts->kv;
	struct eng_session *s;

	*out = NULL;
	if (n_ctx < 1 || n_ctx > SESSION_MAX_CTX)
		return err_set(e, ERR_ARG, "a context of %" PRId64 " positions is out of range (1 to %d)",
			       n_ctx, SESSION_MAX_CTX);
	s = new_session(w, n_ctx, e);
	if (!s)
		return -1;
	s->act = opts->act;
	s->chunk = opts->chunk > 0 ? opts->chunk : SESSION_CHUNK;
	if (s->chunk > n_ctx)
		s->chunk = (int)n_ctx;
	if (kv_init(&s->kv, &m->cfg, type, kern_kv_row(&m->eng->kern, type, m->cfg.head_dim), n_ctx, e) < 0) {
		eng_session_free(s);
		return -1;
	}
	*out = s;
	return 0;
}

int eng_session_fork(const struct eng_session *from, struct eng_session **out, struct err *e)
{
	const size_t logits = (size_t)from->w->model->cfg.n_vocab * sizeof *from->logits;
	struct eng_session *s = new_session(from->w, from->kv.n_ctx, e);

	*out = NULL;
	if (!s)
		return -1;
	if (kv_fork(&s->kv, &from->kv, e) < 0) {
		eng_session_free(s);
		return -1;
	}
	s->act = from->act;
	s->chunk = from->chunk;
	s->n = from->n;
	if (s->n)
		memcpy(s->ids, from->ids, (size_t)s->n * sizeof *s->ids);
	s->have_logits = from->have_logits;
	if (s->have_logits)
		memcpy(s->logits, from->logits, logits);
	*out = s;
	return 0;
}

void eng_session_free(struct eng_session *s)
{
	if (!s)
		return;
	kv_release(&s->kv);
	eng_weights_release(s->w);
	mem_free(s->ids);
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

void session_rewind(struct eng_session *s, int32_t n)
{
	if (n == s->n)
		return;
	s->n = (int32_t)kv_rewind(&s->kv, n);
	s->have_logits = false;
}

int eng_session_bind(struct eng_session *s, struct eng_weights *w, enum eng_bind how, struct err *e)
{
	if (w->model != s->w->model)
		return err_set(e, ERR_ARG, "weights of another model");
	if (how == ENG_BIND_EXACT && w != s->w)
		session_rewind(s, 0);
	s->have_logits = s->have_logits && w == s->w;
	eng_weights_ref(w);
	eng_weights_release(s->w);
	s->w = w;
	return 0;
}

struct acts { const struct eng_session *s; bool narrow, wide; };

static int add_act(void *arg, struct view *v, int layer)
{
	struct acts *a = arg;
	const struct eng_model *m = a->s->w->model;
	const bool trained = m->cfg.family->flags & FAMILY_ACT_TOKEN;

	/* the embedding's rows are looked up, unless they are the output matrix too */
	if (!v->type || m->eng->kern.type[v->type->id].act != KERN_ACT_Q8 || (layer < 0 && v == &a->s->w->embd && !a->s->w->tied))
		return 0;
	if (!trained && (a->s->act == ENG_ACT_INT16 || (a->s->act == ENG_ACT_AUTO && v->type->wide)))
		a->wide = true;
	else
		a->narrow = true;
	return 0;
}

const char *eng_session_act(const struct eng_session *s)
{
	struct acts a = { .s = s };

	if (s->act != ENG_ACT_F32)
		weights_each_view(s->w, add_act, &a);
	return a.wide && a.narrow ? "int8/16" : a.wide ? "int16" : a.narrow ? "int8" : "f32";
}

static int add_resident(void *arg, struct view *v, int layer)
{
	uint64_t *sum = arg;
	size_t in;

	(void)layer;
	if (v->made || *sum == UINT64_MAX)
		return 0;
	in = os_resident(v->data, (size_t)(v->rows * v->stride));
	*sum = in == SIZE_MAX ? UINT64_MAX : *sum + in;
	return 0;
}

void eng_session_mem(const struct eng_session *s, struct eng_mem *m)
{
	*m = (struct eng_mem){ .weights_mapped = s->w->mapped, .weights_made = s->w->made,
			       .kv_reserved = kv_need(s->kv.cfg, s->kv.row, s->kv.n_ctx, s->chunk),
			       .scratch = s->w->model->eng->scratch.size };
	m->kv_used = kv_bytes(&s->kv, &m->kv_shared);
	weights_each_view(s->w, add_resident, &m->weights_resident);
	if (m->weights_resident == UINT64_MAX)
		m->weights_resident = s->w->mapped;
	m->scratch += (uint64_t)s->w->model->cfg.n_vocab * sizeof(float) * (s->chunk_logits ? (uint64_t)s->chunk + 1 : 1);
	m->scratch += (uint64_t)s->kv.n_ctx * sizeof *s->ids;
}
