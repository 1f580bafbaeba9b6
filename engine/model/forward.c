/*
 * The graph. All threads of the pool run step() together and meet at barriers; between
 * two barriers each thread writes what no other reads. Shapes in comments are
 * (rows of the step, values).
 */
#include "config.h"
#include "engine/model/forward.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"
#include "engine/model/rope.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
	MUL_GRAIN = 32,		/* matrix rows are shared out in units of this: whole panels */
	ATTN_TOKENS = 64,	/* most tokens in one call of attention */
	ATTN_CALLS = 4,		/* calls of it a thread should have to choose from */
	MUL_CALL = 64,		/* most matrix rows in one kernel call of a chunk: cancelling is seen between calls */
	MUL_CALL_F32 = 8,	/* the same with unrounded activations */
};

struct step {
	const struct eng_weights *w;
	const struct config *c;
	const struct kern *k;
	struct pool *pool;
	const struct row *rows;
	int n;
	int n_logits;
	enum eng_act act;
	const atomic_bool **cancel;	/* (n_cancel) those of the sessions */
	int n_cancel;
	bool stop;			/* one of them was set: written by thread 0 */
	struct eng_work *profile;	/* (WORK_N) or NULL; thread 0's */
	int64_t since;			/* when the work at hand began */
	float *x;			/* (n, n_embd) the residual stream */
	float *h;			/* (n, n_embd) normed; a matrix's output before it is added */
	float *q;			/* (max_head, n, head_dim): queries by head, so that a head's tokens are neighbours */
	float *kx, *vx;			/* (max_head_kv, n, head_dim) */
	float *o;			/* (n, max_head × head_dim): attention's output */
	float *gate;			/* (n, max_ff): gated, where that is not rounded at once */
	float *slices;			/* (threads, 2, slice): the rows that a thread works on; two for gate and up */
	float *cs[ROPE_N];		/* (n, n_rot) cosines and sines; NULL when no layer wants them */
	void *rounded[2];		/* activations rounded to int8, with scales and sums; [1]: of gated ones … */
	void *rest[2];			/* … and what that left over, likewise */
	const void **pages;		/* (threads, 2 × pages of the context) */
	int64_t n_pages;
	const struct row **out_rows;	/* (n_logits) those that want logits */
	float *logits;			/* (n_logits, n_vocab) when more than one is wanted */
};

/* Hands out pieces of one block of memory, each aligned to 64 bytes. With p NULL it only counts. */
struct carve { char *p; size_t used; };

static void *carve(struct carve *v, int64_t n, size_t size)
{
	void *r = v->p ? v->p + v->used : NULL;

	v->used += ((size_t)n * size + 63) & ~(size_t)63;
	return r;
}

/*
 * Rows of a matrix in one kernel call, whole panels where there are several: about the work of `most` by a chunk; a
 * lone token's share is one call or a few.
 */
static int64_t call_rows(int64_t most, int64_t tokens)
{
	const int64_t rows = tokens >= 64 ? most : most * 64 / (tokens ? tokens : 1);

	return rows < MUL_GRAIN ? rows : rows / MUL_GRAIN * MUL_GRAIN;
}

/* Room for all tokens' outputs of one call. */
static int64_t slice_floats(const struct step *s)
{
	return s->n * call_rows(MUL_CALL, s->n);
}

/* A thread's two. */
static float *slices_of(const struct step *s, int ith)
{
	return s->slices + 2 * ith * slice_floats(s);
}

/* Tokens of a tile of rounded activations, or 0: kern.h. */
static int tile_of(const struct kern *k, int64_t tokens)
{
	return k->tile && tokens >= k->tiles_from ? k->tile : 0;
}

/* Room for rounded activations of all tokens of the step, or of the fewer that want logits. */
static int64_t rounded_bytes(const struct step *s, int64_t k)
{
	const size_t tiles = kern_acts_bytes(s->n, k, tile_of(s->k, s->n)), rows = kern_acts_bytes(s->n, k, 0);

	return (int64_t)(tiles > rows ? tiles : rows);
}

static void lay_out(struct step *s, struct carve *v, int nth, int64_t n_ctx)
{
	const struct config *c = s->c;
	const int64_t n = s->n;
	int64_t widest = (int64_t)c->max_head * c->head_dim;

	widest = c->n_embd > widest ? c->n_embd : widest;
	s->n_pages = (n_ctx + KERN_PAGE - 1) / KERN_PAGE;
	s->x = carve(v, n * c->n_embd, sizeof(float));
	s->h = carve(v, n * c->n_embd, sizeof(float));
	s->q = carve(v, n * c->max_head * c->head_dim, sizeof(float));
	s->o = carve(v, n * c->max_head * c->head_dim, sizeof(float));
	s->kx = carve(v, n * c->max_head_kv * c->head_dim, sizeof(float));
	s->vx = carve(v, n * c->max_head_kv * c->head_dim, sizeof(float));
	s->gate = carve(v, n * c->max_ff, sizeof(float));
	s->slices = carve(v, nth * 2 * slice_floats(s), sizeof(float));
	for (int i = 0; i < ROPE_N; i++)
		s->cs[i] = i == ROPE_WINDOW && !c->window ? NULL : carve(v, n * c->n_rot, sizeof(float));
	for (int i = 0; i < 2; i++) {
		s->rounded[i] = carve(v, rounded_bytes(s, i ? c->max_ff : widest), 1);
		s->rest[i] = carve(v, rounded_bytes(s, i ? c->max_ff : widest), 1);
	}
	s->pages = carve(v, 2 * nth * s->n_pages, sizeof *s->pages);
	s->out_rows = carve(v, s->n_logits, sizeof *s->out_rows);
	s->cancel = carve(v, n, sizeof *s->cancel);
	s->logits = s->n_logits > 1 ? carve(v, (int64_t)s->n_logits * c->n_vocab, sizeof(float)) : NULL;
}

size_t forward_scratch(const struct eng_model *m, int n, int n_logits, int64_t n_ctx)
{
	struct step s = { .c = &m->cfg, .k = &m->eng->kern, .n = n, .n_logits = n_logits };
	struct carve v = { 0 };

	lay_out(&s, &v, pool_threads(m->eng->pool), n_ctx);
	return v.used;
}

static bool cancelled(const struct step *s)
{
	for (int i = 0; i < s->n_cancel; i++)
		if (atomic_load_explicit(s->cancel[i], memory_order_relaxed))
			return true;
	return false;
}

/* What was done since the last mark, up to a barrier that has been passed. */
static void mark(struct step *s, int ith, enum forward_work work)
{
	int64_t now;

	if (!s->profile || ith)
		return;
	now = os_now_ns();
	s->profile[work].ns += now - s->since;
	s->since = now;
}

static void mark_attn(struct step *s, int ith, const struct layer_config *l)
{
	for (int t = 0; t < s->n && s->profile && !ith; t++) {
		const struct row *r = &s->rows[t];
		const int64_t all = r->pos + 1, seen = l->window && all > l->window ? l->window : all;

		s->profile[WORK_ATTN].f32_ops += 4.0 * (double)seen * l->n_head * s->c->head_dim;
		/* neighbours share what they read */
		if (t + 1 == s->n || s->rows[t + 1].kv != r->kv)
			s->profile[WORK_ATTN].bytes += 2.0 * (double)seen * l->n_head_kv * (double)r->kv->row;
	}
}

/* -- pieces of the graph: each does thread ith's share -------------------------------- */

/* What is multiplied: as it is, rounded, and what rounding left over. */
struct input {
	struct kern_acts a, rest;
	float *x;		/* a.x */
	bool trained;		/* rounding is part of the model: by token, and what it leaves over is lost */
};

static struct input input(const struct step *s, int which, float *x, int64_t t, int64_t k, bool trained)
{
	const int tile = tile_of(s->k, t);
	struct input in = { .a = { .t = t, .k = k, .tile = tile, .x = x }, .rest = { .t = t, .k = k, .tile = tile },
			    .x = x, .trained = trained };

	kern_acts_place(&in.a, s->rounded[which]);
	kern_acts_place(&in.rest, s->rest[which]);
	return in;
}

/* What goes into a layer's matrices; `which` of the places for rounded ones it takes. */
static struct input layer_input(const struct step *s, int which, float *x, int64_t k)
{
	return input(s, which, x, s->n, k, s->act != ENG_ACT_F32 && s->c->family->flags & FAMILY_ACT_TOKEN);
}

static bool rounds(const struct step *s, const struct view *v)
{
	return v->type && s->act != ENG_ACT_F32 && s->k->type[v->type->id].act == KERN_ACT_Q8;
}

static kern_mul_fn *mul_of(const struct step *s, const struct view *v, const struct input *in)
{
	const struct kern_type *t = &s->k->type[v->type->id];

	return s->act == ENG_ACT_F32 ? t->mul_f32 : in->a.tile && t->act == KERN_ACT_Q8 ? t->mul_tiles : t->mul;
}

static bool is_wide(const struct step *s, const struct view *v, const struct input *in)
{
	return rounds(s, v) && !in->trained && (s->act == ENG_ACT_INT16 || (s->act == ENG_ACT_AUTO && v->type->wide));
}

/* A product with a matrix; what is kept at 16 bits is multiplied twice. */
static void mark_mul(struct step *s, int ith, enum forward_work work, const struct view *v, const struct input *in)
{
	const double ops = 2.0 * (double)v->rows * (double)v->cols * (double)in->a.t * (is_wide(s, v, in) ? 2 : 1);

	if (!s->profile || ith)
		return;
	s->profile[work].bytes += (double)view_bytes(v);
	*(s->act != ENG_ACT_F32 && s->k->type[v->type->id].act == KERN_ACT_Q8 ? &s->profile[work].int8_ops :
										&s->profile[work].f32_ops) += ops;
}

/* A token as rounding leaves it, in floats: for matrices that are not multiplied as integers. */
static void keep_rounded(float *x, int64_t k)
{
	float amax = 1e-5f, s;

	for (int64_t i = 0; i < k; i++)
		amax = fabsf(x[i]) > amax ? fabsf(x[i]) : amax;
	s = 127 / amax;
	for (int64_t i = 0; i < k; i++)
		x[i] = rintf(x[i] * s) / s;
}

/* Rounds token t as the matrices that it goes into want it. */
static void round_input(const struct step *s, const struct input *in, const struct view *const *v, int n, int64_t t)
{
	const struct kern_span span = { t, 0, in->a.k, in->x + t * in->a.k };
	bool once = false, twice = false, never = false;

	for (int i = 0; i < n; i++) {
		once |= rounds(s, v[i]);
		twice |= is_wide(s, v[i], in);
		never |= !rounds(s, v[i]);
	}
	if (once)
		(in->trained ? s->k->quant_q8_token : s->k->quant_q8)(&in->a, &span);
	if (twice)
		s->k->rest_q8(&in->a, &in->rest, &span);
	if (never && in->trained)
		keep_rounded(in->x + t * in->a.k, in->a.k);
}

/* A matrix's rows lo … hi for all tokens, y from row y0 on, in calls short enough to be cancelled between. */
static void mul_rows(const struct step *s, const struct view *v, const struct input *in, int64_t lo, int64_t hi,
		     float *y, int64_t y0, int64_t ldy)
{
	struct kern_mul m = { .w = v->data, .w_stride = v->stride, .panel = v->panel, .a = &in->a,
			      .rest = is_wide(s, v, in) ? &in->rest : NULL, .y = y, .ldy = ldy, .y0 = y0 };
	const float gain = v->scale * v->factor;
	const int64_t step = call_rows(s->act == ENG_ACT_F32 ? MUL_CALL_F32 : MUL_CALL, in->a.t);

	for (int64_t r = lo; r < hi && !cancelled(s); r += step) {
		m.r0 = r;
		m.r1 = r + step < hi ? r + step : hi;
		mul_of(s, v, in)(&m);
	}
	for (int64_t t = 0; t < in->a.t && gain != 1; t++)
		for (int64_t r = lo; r < hi; r++)
			y[t * ldy + r - y0] *= gain;
}

/* A matrix's rows lo … hi, whose outputs are heads: each head's by itself, all tokens of it. */
static void mul_heads(const struct step *s, const struct view *v, const struct input *in, int64_t lo, int64_t hi, float *y)
{
	const int64_t hd = s->c->head_dim;

	for (int64_t r = lo, end; r < hi; r = end) {
		end = (r / hd + 1) * hd < hi ? (r / hd + 1) * hd : hi;
		mul_rows(s, v, in, r, end, y + r / hd * hd * s->n, r / hd * hd, hd);
	}
}

/*
 * Several matrices of one input as if their rows stood one below the other: each thread
 * takes an equal part of the whole.
 */
struct out { const struct view *v; float *y; };

static void mul_share(const struct step *s, const struct out *o, int n, const struct input *in, int ith, int nth)
{
	int64_t total = 0, lo, hi, at = 0;

	for (int i = 0; i < n; i++)
		total += o[i].v->rows;
	pool_share(total, MUL_GRAIN, ith, nth, &lo, &hi);
	for (int i = 0; i < n; at += o[i++].v->rows) {
		const int64_t from = lo > at ? lo - at : 0, to = hi - at < o[i].v->rows ? hi - at : o[i].v->rows;

		if (from < to)
			mul_heads(s, o[i].v, in, from, to, o[i].y);
	}
}

/* x += v · a + bias, a slice of rows at a time that stays in the cache. */
static void add_slices(const struct step *s, const struct view *v, const float *bias, const struct input *in, int ith,
		       int64_t lo, int64_t hi)
{
	const int64_t step = call_rows(MUL_CALL, s->n);
	float *slice = slices_of(s, ith);

	for (int64_t r = lo; r < hi && !cancelled(s); r += step) {
		const int64_t n = hi - r < step ? hi - r : step;

		mul_rows(s, v, in, r, r + n, slice, r, n);
		for (int64_t t = 0; t < s->n; t++) {
			if (bias)
				s->k->add(slice + t * n, bias + r, n);
			s->k->add(s->x + t * v->rows + r, slice + t * n, n);
		}
	}
}

/*
 * One matrix whose result is added to the residual stream: x += v · a, or x += norm(v · a), for
 * which whole rows are waited for.
 */
static void mul_add(const struct step *s, const struct view *v, const float *bias, const float *norm,
		    const struct input *in, int ith, int nth)
{
	const int64_t n = v->rows;
	int64_t lo, hi, t0, t1;

	pool_share(n, MUL_GRAIN, ith, nth, &lo, &hi);
	if (norm)
		mul_rows(s, v, in, lo, hi, s->h, 0, n);
	else
		add_slices(s, v, bias, in, ith, lo, hi);
	for (int64_t t = 0; t < s->n && norm && bias; t++)
		s->k->add(s->h + t * n + lo, bias + lo, hi - lo);
	pool_barrier(s->pool);
	if (!norm)
		return;
	pool_share(s->n, 1, ith, nth, &t0, &t1);
	for (int64_t t = t0; t < t1; t++) {
		s->k->rmsnorm(s->h + t * n, s->h + t * n, norm, n, s->c->norm_eps);
		s->k->add(s->x + t * n, s->h + t * n, n);
	}
	/* no barrier: what comes next is a norm, and a token's is computed by the same thread */
}

/* h = norm(x), rounded as the matrices want it. */
static void norm_share(const struct step *s, const float *weight, const struct view *const *v, int n,
		       struct input *in, int ith, int nth)
{
	int64_t t0, t1;

	pool_share(s->n, 1, ith, nth, &t0, &t1);
	*in = layer_input(s, 0, s->h, s->c->n_embd);
	for (int64_t t = t0; t < t1; t++) {
		s->k->rmsnorm(s->h + t * s->c->n_embd, s->x + t * s->c->n_embd, weight, s->c->n_embd, s->c->norm_eps);
		round_input(s, in, v, n, t);
	}
}

/* Bias, per-head norm and rope of a head of a token. */
static void turn_head(const struct step *s, const struct layer_config *l, int64_t t, const float *bias, const float *norm,
		      float *x)
{
	const struct config *c = s->c;

	if (bias)
		s->k->add(x, bias, c->head_dim);
	if (norm)
		s->k->rmsnorm(x, x, norm, c->head_dim, c->norm_eps);
	if (l->rope != ROPE_NOT)
		rope_turn(c, x, s->cs[l->rope] + t * c->n_rot);
}

/* The queries of each (KV head, token), its key and its value; these into the cache. */
static void rope_share(const struct step *s, const struct layer *y, int32_t il, int ith, int nth)
{
	const struct layer_config *l = &s->c->layer[il];
	const int64_t hd = s->c->head_dim;
	const int g = l->n_head / l->n_head_kv;
	int64_t lo, hi;

	pool_share((int64_t)s->n * l->n_head_kv, 1, ith, nth, &lo, &hi);
	for (int64_t i = lo; i < hi; i++) {
		const int64_t t = i % s->n, kvh = i / s->n;
		const struct row *r = &s->rows[t];
		float *k = s->kx + i * hd, *v = s->vx + i * hd;
		const int64_t page = r->pos / KERN_PAGE, at = r->pos % KERN_PAGE * r->kv->row;

		for (int64_t h = kvh * g; h < (kvh + 1) * g; h++)
			turn_head(s, l, t, y->bq ? y->bq + h * hd : NULL, y->q_norm, s->q + (h * s->n + t) * hd);
		turn_head(s, l, t, y->bk ? y->bk + kvh * hd : NULL, y->k_norm, k);
		if (y->bv)
			s->k->add(v, y->bv + kvh * hd, hd);
		s->k->kv[r->kv->type].store((char *)kv_keys(r->kv, il, page, (int32_t)kvh) + at, k, hd);
		s->k->kv[r->kv->type].store((char *)kv_values(r->kv, il, page, (int32_t)kvh) + at, v, hd);
	}
}

/* How many rows from t on, of most, are one session's at following positions. */
static int run_of(const struct step *s, int t, int most)
{
	int n = 1;

	while (t + n < s->n && n < most && s->rows[t + n].kv == s->rows[t].kv &&
	       s->rows[t + n].pos == s->rows[t].pos + n)
		n++;
	return n;
}

/* Attention of n rows from t on, over the keys of one head. */
static void attn_run(const struct step *s, int32_t il, int t, int n, int32_t kvh, const void **kp, const void **vp)
{
	const struct config *c = s->c;
	const struct layer_config *l = &c->layer[il];
	const struct row *r = &s->rows[t];
	const int g = l->n_head / l->n_head_kv;
	const int64_t hd = c->head_dim, ld = l->n_head * hd;
	const int64_t first = l->window && r->pos >= l->window ? r->pos - l->window + 1 : 0;

	for (int64_t p = first / KERN_PAGE; p * KERN_PAGE < r->pos + n; p++) {
		kp[p] = kv_keys(r->kv, il, p, kvh);
		vp[p] = kv_values(r->kv, il, p, kvh);
	}
	s->k->kv[r->kv->type].attn(&(struct kern_attn){
		.t = n, .q = s->q + ((int64_t)kvh * g * s->n + t) * hd, .ldt = hd, .ldq = s->n * hd, .g = g, .hd = c->head_dim,
		.kpage = kp, .vpage = vp, .first = first, .n = r->pos + 1, .window = l->window, .scale = c->attn_scale,
		.softcap = c->attn_softcap, .out = s->o + t * ld + kvh * g * hd, .ldto = ld, .ldo = hd });
}

/* Each (run of tokens, KV head) is one call; they cost alike only for neighbours, so threads take turns. */
static void attn_share(const struct step *s, int32_t il, int ith, int nth)
{
	const struct layer_config *l = &s->c->layer[il];
	const void **kp = s->pages + 2 * ith * s->n_pages, **vp = kp + s->n_pages;
	const int fair = s->n * l->n_head_kv / (ATTN_CALLS * nth);
	const int most = fair < 1 ? 1 : fair < ATTN_TOKENS ? fair : ATTN_TOKENS;
	int item = 0;

	for (int t = 0, n; t < s->n; t += n) {
		n = run_of(s, t, most);
		for (int32_t kvh = 0; kvh < l->n_head_kv; kvh++)
			if (item++ % nth == ith && !cancelled(s))
				attn_run(s, il, t, n, kvh, kp, vp);
	}
}

/* The norm inside, where there is one, and rounding. */
static void round_share(const struct step *s, const struct input *in, const float *norm, const struct view *v,
			int ith, int nth)
{
	const int64_t k = in->a.k;
	int64_t t0, t1;

	pool_share(s->n, 1, ith, nth, &t0, &t1);
	for (int64_t t = t0; t < t1; t++) {
		if (norm)
			s->k->rmsnorm(in->x + t * k, in->x + t * k, norm, k, s->c->norm_eps);
		round_input(s, in, &v, 1, t);
	}
}

static void attention(struct step *s, int32_t il, int ith, int nth)
{
	const struct layer *y = &s->w->layer[il];
	const struct view *const into[] = { &y->wq, &y->wk, &y->wv };
	const struct out out[] = { { &y->wq, s->q }, { &y->wk, s->kx }, { &y->wv, s->vx } };
	struct input in;

	norm_share(s, y->attn_norm, into, 3, &in, ith, nth);
	pool_barrier(s->pool);
	mark(s, ith, WORK_NORM);
	mul_share(s, out, 3, &in, ith, nth);
	pool_barrier(s->pool);
	mark(s, ith, WORK_QKV);
	for (int i = 0; i < 3; i++)
		mark_mul(s, ith, WORK_QKV, into[i], &in);
	rope_share(s, y, il, ith, nth);
	pool_barrier(s->pool);
	mark(s, ith, WORK_ROPE);
	attn_share(s, il, ith, nth);
	pool_barrier(s->pool);
	mark(s, ith, WORK_ATTN);
	mark_attn(s, ith, &s->c->layer[il]);
	in = layer_input(s, 0, s->o, y->wo.cols);
	round_share(s, &in, y->attn_sub_norm, &y->wo, ith, nth);
	pool_barrier(s->pool);
	mark(s, ith, WORK_ROUND_O);
	mul_add(s, &y->wo, y->bo, y->attn_post_norm, &in, ith, nth);
	mark(s, ith, WORK_O);
	mark_mul(s, ith, WORK_O, &y->wo, &in);
}

/* y = f(gate) × up of a token's rows from r on, biases before. */
static void gate_rows(const struct step *s, const struct layer *y, float *gate, float *up, int64_t r, int64_t n, float *out)
{
	kern_glu_fn *const glu[] = { [GATE_SILU] = s->k->swiglu, [GATE_GELU] = s->k->geglu, [GATE_RELU2] = s->k->relu2glu };

	if (y->bgate)
		s->k->add(gate, y->bgate + r, n);
	if (y->bup)
		s->k->add(up, y->bup + r, n);
	glu[s->c->family->gate](out, gate, up, n);
}

/*
 * Gate and up together, a slice of rows of both at a time that stays in the cache: multiplied,
 * gated, and rounded at once where that goes group by group; else gated into s->gate.
 */
static void gate_up(const struct step *s, const struct layer *y, const struct input *in, const struct input *gated,
		    bool at_once, int ith, int nth)
{
	const int64_t step = call_rows(MUL_CALL, s->n), ff = y->gate.rows;
	float *gate = slices_of(s, ith), *up = gate + slice_floats(s);
	int64_t lo, hi;

	pool_share(ff, MUL_GRAIN, ith, nth, &lo, &hi);
	for (int64_t r = lo; r < hi && !cancelled(s); r += step) {
		const int64_t n = hi - r < step ? hi - r : step;

		mul_rows(s, &y->gate, in, r, r + n, gate, r, n);
		mul_rows(s, &y->up, in, r, r + n, up, r, n);
		for (int64_t t = 0; t < s->n; t++) {
			float *g = gate + t * n;
			const struct kern_span span = { t, r, n, g };

			gate_rows(s, y, g, up + t * n, r, n, at_once ? g : s->gate + t * ff + r);
			if (at_once)
				s->k->quant_q8(&gated->a, &span);
			if (at_once && is_wide(s, &y->down, gated))
				s->k->rest_q8(&gated->a, &gated->rest, &span);
		}
	}
}

static void feed_forward(struct step *s, int32_t il, int ith, int nth)
{
	const struct layer *y = &s->w->layer[il];
	const struct view *const into[] = { &y->gate, &y->up };
	const struct input gated = layer_input(s, 1, s->gate, y->gate.rows);
	const bool at_once = rounds(s, &y->down) && !gated.trained && !y->ffn_sub_norm;
	struct input in;

	norm_share(s, y->ffn_norm, into, 2, &in, ith, nth);
	pool_barrier(s->pool);
	mark(s, ith, WORK_NORM);
	gate_up(s, y, &in, &gated, at_once, ith, nth);
	pool_barrier(s->pool);
	mark(s, ith, WORK_UP);
	for (int i = 0; i < 2; i++)
		mark_mul(s, ith, WORK_UP, into[i], &in);
	if (!at_once) {
		round_share(s, &gated, y->ffn_sub_norm, &y->down, ith, nth);
		pool_barrier(s->pool);
		mark(s, ith, WORK_GATE);
	}
	mul_add(s, &y->down, y->bdown, y->ffn_post_norm, &gated, ith, nth);
	mark(s, ith, WORK_DOWN);
	mark_mul(s, ith, WORK_DOWN, &y->down, &gated);
}

/* Logits of the rows that want them: their residuals are gathered, normed and multiplied. */
static void head(struct step *s, int ith, int nth)
{
	const struct config *c = s->c;
	const struct view *const v = &s->w->output;
	struct input in = input(s, 0, s->h, s->n_logits, c->n_embd, false);
	float *y = s->n_logits > 1 ? s->logits : s->out_rows[0]->logits;
	int64_t lo, hi;

	pool_barrier(s->pool);
	pool_share(s->n_logits, 1, ith, nth, &lo, &hi);
	for (int64_t i = lo; i < hi; i++) {
		s->k->rmsnorm(s->h + i * c->n_embd, s->x + (s->out_rows[i] - s->rows) * c->n_embd, s->w->output_norm,
			      c->n_embd, c->norm_eps);
		round_input(s, &in, &v, 1, i);
	}
	pool_barrier(s->pool);
	mark(s, ith, WORK_HEAD_NORM);
	pool_share(v->rows, MUL_GRAIN, ith, nth, &lo, &hi);
	mul_rows(s, v, &in, lo, hi, y, 0, c->n_vocab);
	for (int64_t i = 0; i < s->n_logits; i++) {
		float *out = s->out_rows[i]->logits, *from = y + i * c->n_vocab;

		for (int64_t r = lo; r < hi && c->logit_softcap > 0; r++)
			from[r] = c->logit_softcap * tanhf(from[r] / c->logit_softcap);
		if (from != out)
			memcpy(out + lo, from + lo, (size_t)(hi - lo) * sizeof *out);
	}
	mark(s, ith, WORK_HEAD);
	mark_mul(s, ith, WORK_HEAD, v, &in);
}

/* Divisors of the angles: a model stretched to long contexts has others for sessions that are long. */
static const float *freqs_of(const struct step *s, const struct row *r)
{
	const struct eng_weights *w = s->w;

	if (w->rope_freqs)
		return w->rope_freqs;
	return r->kv->n_ctx > s->c->rope[ROPE_FULL].ctx_orig ? w->rope_long : w->rope_short;
}

/* Embedding and angles of a token. */
static void begin_token(const struct step *s, int64_t t)
{
	const struct config *c = s->c;
	const struct row *r = &s->rows[t];
	float *x = s->x + t * c->n_embd;

	view_decode_row(&s->w->embd, r->token, x);
	for (int32_t i = 0; i < c->n_embd && c->embd_scale != 1; i++)
		x[i] *= c->embd_scale;
	for (int i = 0; i < ROPE_N && c->n_rot; i++)
		if (s->cs[i])
			rope_angles(&c->rope[i], c->n_rot, i == ROPE_FULL ? freqs_of(s, r) : NULL, r->pos,
				    s->cs[i] + t * c->n_rot);
}

static void step(void *arg, int ith, int nth)
{
	struct step *s = arg;
	const struct config *c = s->c;
	int64_t lo, hi;

	pool_share(s->n, 1, ith, nth, &lo, &hi);
	for (int64_t t = lo; t < hi; t++)
		begin_token(s, t);
	mark(s, ith, WORK_BEGIN);
	/* no barrier: a token's norm is computed by the thread that fetched it, and rope comes after one */
	for (int32_t il = 0; il < c->n_layer && !s->stop; il++) {
		attention(s, il, ith, nth);
		/* all threads leave together: barriers lie between this and the next look at it, and between two of these */
		if (!ith)
			s->stop = cancelled(s);
		feed_forward(s, il, ith, nth);
	}
	if (s->n_logits && !s->stop)
		head(s, ith, nth);
}

static const char *const work_names[WORK_N] = {
#define WORK_NAME(id, name) name,
	FORWARD_WORKS(WORK_NAME)
#undef WORK_NAME
};

void eng_profile(struct eng *g, bool on)
{
	if (on && !g->profile)
		g->profile = mem_array(WORK_N, sizeof *g->profile);
	if (!on || !g->profile) {
		mem_free(g->profile);
		g->profile = NULL;
		return;
	}
	for (int i = 0; i < WORK_N; i++)
		g->profile[i] = (struct eng_work){ .name = work_names[i] };
}

int eng_profile_works(const struct eng *g, const struct eng_work **out)
{
	*out = g->profile;
	return g->profile ? WORK_N : 0;
}

static int count_logits(const struct row *rows, int n)
{
	int k = 0;

	for (int i = 0; i < n; i++)
		k += rows[i].logits != NULL;
	return k;
}

static char *scratch_get(struct scratch *s, size_t n, struct err *e)
{
	if (n > s->size) {
		mem_free(s->p);
		s->p = mem_aligned(n);
		s->size = s->p ? n : 0;
	}
	if (!s->p)
		err_set(e, ERR_NOMEM, "no memory for %zu bytes of scratch", n);
	return s->p;
}

/* Rows of one session stand side by side and share its flag. */
static void gather_cancels(struct step *s)
{
	for (int i = 0; i < s->n; i++)
		if (s->rows[i].cancel && (!i || s->rows[i].cancel != s->rows[i - 1].cancel))
			s->cancel[s->n_cancel++] = s->rows[i].cancel;
}

int forward(const struct eng_weights *w, const struct row *rows, int n, enum eng_act act, struct err *e)
{
	const struct eng_model *m = w->model;
	struct eng *g = m->eng;
	struct step s = { .w = w, .c = &m->cfg, .k = &g->kern, .pool = g->pool, .rows = rows, .n = n,
			  .n_logits = count_logits(rows, n), .act = act, .profile = g->profile };
	struct carve v = { 0 };
	int64_t n_ctx = 0;

	for (int i = 0; i < n; i++)
		n_ctx = rows[i].kv->n_ctx > n_ctx ? rows[i].kv->n_ctx : n_ctx;
	v.p = scratch_get(&g->scratch, forward_scratch(m, n, s.n_logits, n_ctx), e);
	if (!v.p)
		return -1;
	lay_out(&s, &v, pool_threads(g->pool), n_ctx);
	gather_cancels(&s);
	for (int i = 0, k = 0; i < n; i++)
		if (rows[i].logits)
			s.out_rows[k++] = &rows[i];
	s.since = os_now_ns();
	pool_run(g->pool, step, &s);
	return s.stop || cancelled(&s) ? err_set(e, ERR_CANCELLED, "stopped") : 0;
}
