/*
 * File to file: a plan (what type each tensor gets), then each tensor in pieces of whole
 * blocks, which every thread reads, decodes, encodes and writes on its own. A piece is the
 * same weights whatever the number of threads, and so is the file.
 */
#include "config.h"
#include "engine/base/os.h"
#include "engine/base/pool.h"
#include "engine/base/str.h"
#include "engine/base/xio.h"
#include "engine/format/gguf_write.h"
#include "engine/make/level.h"
#include "engine/model/model.h"
#include "engine/quant/layout.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <pcre2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 18 };	/* weights: a megabyte of floats; a multiple of every block */

struct override { pcre2_code *code; const struct quant_type *type; bool used; };

struct item {
	const struct gguf_tensor *t;
	struct gguf_layout from;
	const struct quant_type *to;	/* NULL: it is copied */
	struct override *by_pattern;	/* that fits, or NULL */
	long nth;			/* of the tensors that a rule counts */
	int64_t n;			/* weights */
	uint64_t bytes;			/* in the new file */
};

struct quantizer {
	struct eng *eng;
	const struct eng_quantize_opts *opts;
	const struct level *level;
	struct level_model rules;
	const struct quant_type *output_type, *embd_type;
	struct override *overrides;
	pcre2_match_data *match;
	struct gguf *g;
	int *fd;			/* of the parts */
	struct item *items;
	int64_t n_items;
	struct gguf_writer *w;
	int64_t done, total;		/* weights */
	struct eng_quantize_result *res;
};

/* One tensor, shared by the threads. */
struct work {
	struct quantizer *q;
	const struct item *it;
	int64_t number;
	bool measure;			/* look for the scale of a ternary tensor, write nothing */
	float from_scale;		/* of the source's tail */
	_Atomic int64_t next;		/* piece */
	_Atomic int64_t finished;	/* weights */
	_Atomic uint32_t scale;		/* the ternary scale's bits; 0: none yet */
	atomic_bool stop;
	atomic_flag told;		/* the error is somebody's already */
	struct err *e;
};

/* -- the plan ---------------------------------------------------------------------- */

static int find_type(const char *name, const struct quant_type **out, struct err *e)
{
	struct str all;
	char q[64];

	*out = name ? quant_by_name(name) : NULL;
	if (!name || *out)
		return 0;
	str_init(&all, 400);
	for (const struct quant_type *t = quant_types; t->name; t++)
		str_addf(&all, "%s%s", t == quant_types ? "" : " ", t->name);
	err_set(e, ERR_ARG, "'%s' is no tensor type; there are: %s",
		err_quote(q, sizeof q, name, strlen(name)), all.p);
	str_release(&all);
	return -1;
}

static int compile(struct quantizer *q, struct err *e)
{
	q->overrides = mem_calloc(q->opts->n_overrides, sizeof *q->overrides);
	q->match = pcre2_match_data_create(1, NULL);
	if (!q->overrides || !q->match)
		return err_set(e, ERR_NOMEM, "no memory for patterns");
	for (size_t i = 0; i < q->opts->n_overrides; i++) {
		const struct eng_override *o = &q->opts->overrides[i];
		char text[128], shown[80];
		PCRE2_SIZE at;
		int rc;

		if (find_type(o->type, &q->overrides[i].type, e) < 0)
			return -1;
		q->overrides[i].code = pcre2_compile((PCRE2_SPTR)o->pattern, PCRE2_ZERO_TERMINATED,
						     0, &rc, &at, NULL);
		if (q->overrides[i].code)
			continue;
		if (pcre2_get_error_message(rc, (PCRE2_UCHAR *)text, sizeof text) < 0)
			strcpy(text, "not a pattern");
		return err_set(e, ERR_ARG, "pattern '%s', at character %zu: %s",
			       err_quote(shown, sizeof shown, o->pattern, strlen(o->pattern)),
			       at + 1, text);
	}
	return 0;
}

/* The first pattern that is found in a name, or NULL. One that takes too long to look for is an error. */
static int overridden(const struct quantizer *q, const char *name, struct override **out, struct err *e)
{
	char text[128], shown[80], where[80];

	*out = NULL;
	for (size_t i = 0; i < q->opts->n_overrides && !*out; i++) {
		const char *pattern = q->opts->overrides[i].pattern;
		const int rc = pcre2_match(q->overrides[i].code, (PCRE2_SPTR)name, strlen(name), 0, 0, q->match, NULL);

		if (rc >= 0) {
			*out = &q->overrides[i];
		} else if (rc != PCRE2_ERROR_NOMATCH) {
			if (pcre2_get_error_message(rc, (PCRE2_UCHAR *)text, sizeof text) < 0)
				strcpy(text, "cannot be looked for");
			return err_set(e, ERR_ARG, "pattern '%s' on tensor %s: %s",
				       err_quote(shown, sizeof shown, pattern, strlen(pattern)),
				       err_quote(where, sizeof where, name, strlen(name)), text);
		}
	}
	return 0;
}

static bool of_floats(const struct quantizer *q)
{
	return quant_by_id(q->level->base)->block == 1;
}

/*
 * What the user asked of this tensor, or what the rules say, before its row length is looked
 * at; NULL: it stays. The order is llama-quantize's: at a level of floats neither patterns nor
 * a tied output's type count.
 */
static const struct quant_type *wanted(struct quantizer *q, const struct item *it)
{
	const struct gguf_tensor *t = it->t;
	const bool embd = !strcmp(t->name, "token_embd.weight");
	const struct quant_type *by_rule;

	by_rule = level_tensor_nth(q->level, &q->rules, t->name, t->n_dims, t->ne, it->nth);
	if (!by_rule)
		return NULL;
	if (embd && q->embd_type)
		return q->embd_type;
	if (!strcmp(t->name, "output.weight") && q->output_type)
		return q->output_type;
	if (of_floats(q))
		return by_rule;
	if (it->by_pattern) {
		it->by_pattern->used = true;
		return it->by_pattern->type;
	}
	return embd && !q->rules.has_output && q->output_type ? q->output_type : by_rule;
}

static int64_t first_of(const struct gguf *g, const char *arch, const char *key, int64_t otherwise)
{
	const struct gguf_kv *kv;
	char name[192];
	int64_t v = otherwise;

	snprintf(name, sizeof name, "%s.%s", arch, key);
	if (gguf_get_array(g, name, GGUF_I32, &kv, NULL) == 1)
		return kv->count ? gguf_elem_i64(g, kv, 0) : otherwise;
	return gguf_get_i64(g, name, &v, NULL) == 1 ? v : otherwise;
}

static int gather_rules(struct quantizer *q, struct err *e)
{
	struct gguf_str s;
	char arch[128];
	int64_t heads, kv_heads, layers;
	const int r = gguf_get_str(q->g, "general.architecture", &s, e);

	if (r < 0)
		return -1;
	if (!r || s.n >= sizeof arch)
		return err_set(e, ERR_FORMAT, "%s: key general.architecture is missing or too long",
			       gguf_path(q->g));
	memcpy(arch, s.p, s.n);
	arch[s.n] = '\0';
	layers = first_of(q->g, arch, "block_count", 0);
	heads = first_of(q->g, arch, "attention.head_count", 1);
	kv_heads = first_of(q->g, arch, "attention.head_count_kv", heads);
	q->rules.n_layer = layers > 0 && layers < 1 << 20 ? (int)layers : 0;
	q->rules.n_gqa = kv_heads > 0 && heads / kv_heads < 1 << 20 ? (int)(heads / kv_heads) : 0;
	q->rules.has_output = gguf_tensor_find(q->g, "output.weight") != NULL;
	return 0;
}

/* Not what the level's base is made for: its rows are no whole blocks of it. */
static bool falls_back(const struct quantizer *q, const struct item *it, const struct quant_type *to)
{
	return it->t->ne[0] % to->block || (!it->by_pattern && it->t->ne[0] % quant_by_id(q->level->base)->block);
}

/* llama-quantize makes such a tensor with an importance matrix only. */
static bool wants_imatrix(const struct quantizer *q, const struct gguf_tensor *t,
			  const struct quant_type *to)
{
	return q->level->wants_imatrix && to->id == QUANT_Q2_K &&
	       strcmp(t->name, "token_embd.weight") && strcmp(t->name, "output.weight");
}

static int plan_tensor(struct quantizer *q, struct item *it, struct err *e)
{
	const struct gguf_tensor *t = it->t;
	const struct quant_type *from = quant_by_id(t->type), *to = wanted(q, it);
	const char *path = gguf_part_path(q->g, t->part);
	struct eng_quantize_result *res = q->res;
	char name[96];

	err_quote(name, sizeof name, t->name, strlen(t->name));
	if (!quant_layout(t->type, &it->from))
		return err_set(e, ERR_UNSUPPORTED, "%s: tensor %s has the unknown type %u", path,
			       name, (unsigned)t->type);
	if (to) {
		res->fallbacks += falls_back(q, it, to);
		to = level_fallback(to, t->ne[0]);
		if (wants_imatrix(q, t, to))
			res->warning = "made without an importance matrix, which this level wants: expect poor answers";
	}
	it->n = t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3];
	it->to = to && to != from ? to : NULL;
	it->bytes = t->bytes;
	if (it->to)
		it->bytes = (uint64_t)quant_tensor_bytes(to, t->ne[0],
							 t->ne[1] * t->ne[2] * t->ne[3]);
	if (it->to && (!from || it->n % from->block))
		return err_set(e, ERR_UNSUPPORTED,
			       "%s: tensor %s has type %s, which cannot be decoded here", path,
			       name, it->from.name);
	if (it->to && from->block > 1 && !q->opts->requantize)
		return err_set(e, ERR_ARG, "%s: tensor %s is quantized already (%s): what was lost "
			       "there stays lost; --allow-requantize does it all the same", path,
			       name, from->name);
	res->tensors++;
	res->params += it->n;
	res->changed += it->to != NULL;
	res->bytes_in += t->bytes;
	res->bytes_out += it->bytes;
	q->total += it->n;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const long x = *(const long *)a, y = *(const long *)b;

	return x < y ? -1 : x > y;
}

/* How many of the sorted numbers are smaller. */
static long count_below(const long *v, long n, long than)
{
	long lo = 0;

	while (lo < n) {
		const long mid = lo + (n - lo) / 2;

		if (v[mid] < than)
			lo = mid + 1;
		else
			n = mid;
	}
	return lo;
}

/*
 * Which of the attn_v and ffn_down tensors each one is: the layer's number, less those before
 * it whose type a pattern decides.
 */
static int number_items(struct quantizer *q, struct err *e)
{
	long *layers = mem_array((size_t)q->n_items, LEVEL_ROWS * sizeof *layers), layer;
	long *taken[LEVEL_ROWS], n[LEVEL_ROWS] = { 0 };
	int ret = 0;

	if (!layers)
		return err_set(e, ERR_NOMEM, "no memory for a list of layers");
	for (int r = 0; r < LEVEL_ROWS; r++)
		taken[r] = layers + r * q->n_items;
	for (struct item *it = q->items; it < q->items + q->n_items; it++) {
		const enum level_row r = level_counts(it->t->name, &layer);

		if (!of_floats(q) && overridden(q, it->t->name, &it->by_pattern, e) < 0) {
			ret = -1;
			goto out;
		}
		if (it->by_pattern && r < LEVEL_ROWS)
			taken[r][n[r]++] = layer;
	}
	for (int r = 0; r < LEVEL_ROWS; r++)
		qsort(taken[r], (size_t)n[r], sizeof **taken, by_number);
	for (struct item *it = q->items; it < q->items + q->n_items; it++) {
		const enum level_row r = level_counts(it->t->name, &layer);

		it->nth = r < LEVEL_ROWS ? layer - count_below(taken[r], n[r], layer) : layer;
	}
out:
	mem_free(layers);
	return ret;
}

/* -1 for tensors outside of the layers. */
static long layer_number(const char *name)
{
	return strncmp(name, "blk.", 4) ? -1 : strtol(name + 4, NULL, 10);
}

/* What belongs to no layer first, then layer by layer, by name: so llama-quantize writes them. */
static int by_layer(const void *a, const void *b)
{
	const char *x = ((const struct item *)a)->t->name, *y = ((const struct item *)b)->t->name;
	const long m = layer_number(x), n = layer_number(y);

	return m != n ? (m < n ? -1 : 1) : strcmp(x, y);
}

static void tell_plan(const struct quantizer *q)
{
	struct eng_quantize_result *res = q->res;

	for (int64_t i = 0; i < q->n_items && q->opts->tensor; i++) {
		const struct item *it = &q->items[i];

		q->opts->tensor(q->opts->arg, it->t->name, it->from.name,
				it->to ? it->to->name : it->from.name, it->bytes);
	}
	if (res->params)
		res->bpw = 8.0 * (double)res->bytes_out / (double)res->params;
	for (size_t i = 0; i < q->opts->n_overrides && q->opts->unused; i++)
		if (!q->overrides[i].used)
			q->opts->unused(q->opts->arg, q->opts->overrides[i].pattern);
	if (of_floats(q) && q->output_type && !q->rules.has_output)
		res->warning = "the output matrix is the embedding, whose type the level decides";
}

static int plan(struct quantizer *q, struct err *e)
{
	q->n_items = gguf_n_tensors(q->g);
	q->items = mem_calloc((size_t)q->n_items, sizeof *q->items);
	if (!q->items)
		return err_set(e, ERR_NOMEM, "no memory for a list of tensors");
	for (int64_t i = 0; i < q->n_items; i++)
		q->items[i].t = gguf_tensor_at(q->g, i);
	qsort(q->items, (size_t)q->n_items, sizeof *q->items, by_layer);
	if (number_items(q, e) < 0)
		return -1;
	for (int64_t i = 0; i < q->n_items; i++)
		if (plan_tensor(q, &q->items[i], e) < 0)
			return -1;
	return 0;
}

/* -- the work ---------------------------------------------------------------------- */

/* Bytes of the source's weights [lo, lo + n), in this machine's order; lo is whole blocks. */
static int read_piece(const struct work *k, int64_t lo, int64_t n, void *buf, struct err *e)
{
	const struct gguf_tensor *t = k->it->t;
	const struct gguf_layout *l = &k->it->from;
	const size_t bytes = (size_t)(n / l->block * l->bytes);

	if (xio_pread(k->q->fd[t->part], buf, bytes,
		      t->offset + (uint64_t)(lo / l->block * l->bytes),
		      gguf_part_path(k->q->g, t->part), e) < 0)
		return -1;
	if (!t->data)
		gguf_swap_blocks(l, buf, bytes);
	return 0;
}

/* All magnitudes but zero must be one: the first thread to see one says which. */
static int measure(struct work *k, const float *x, int64_t n, struct err *e)
{
	uint32_t seen = 0, bits;
	float scale = 0.0f;
	char name[96];

	if (quant_ternary(x, n, &scale)) {
		memcpy(&bits, &scale, sizeof bits);
		if (!bits || atomic_compare_exchange_strong(&k->scale, &seen, bits) || seen == bits)
			return 0;
	}
	return err_set(e, ERR_ARG, "tensor %s is not ternary (-s, 0, s): it cannot be stored as %s",
		       err_quote(name, sizeof name, k->it->t->name, strlen(k->it->t->name)),
		       k->it->to->name);
}

static int convert(struct work *k, int64_t lo, int64_t n, void *raw, float *x, struct err *e)
{
	const struct quant_type *from = quant_by_id(k->it->t->type), *to = k->it->to;
	const struct kern *kern = &k->q->eng->kern;

	if (read_piece(k, lo, n, raw, e) < 0)
		return -1;
	kern_codec(kern, from)->decode(raw, x, n);
	for (int64_t i = 0; i < n && from->tail; i++)
		x[i] *= k->from_scale;
	if (k->measure)
		return measure(k, x, n, e);
	kern_codec(kern, to)->encode(x, raw, n);
	return gguf_writer_put(k->q->w, k->number, (uint64_t)(lo / to->block * to->bytes), raw,
			       (size_t)(n / to->block * to->bytes), e);
}

static int copy(struct work *k, int64_t lo, int64_t n, void *raw, struct err *e)
{
	const struct gguf_layout *l = &k->it->from;

	if (read_piece(k, lo, n, raw, e) < 0)
		return -1;
	return gguf_writer_put(k->q->w, k->number, (uint64_t)(lo / l->block * l->bytes), raw,
			       (size_t)(n / l->block * l->bytes), e);
}

static void fail(struct work *k, const struct err *e)
{
	if (!atomic_flag_test_and_set(&k->told))
		*k->e = *e;
	atomic_store(&k->stop, true);
}

/* The calling thread tells how far all are. */
static bool go_on(const struct work *k, int ith)
{
	const struct eng_quantize_opts *o = k->q->opts;

	return ith || k->measure || !o->progress ||
	       o->progress(o->arg, k->q->done + atomic_load(&k->finished), k->q->total);
}

static void run(void *arg, int ith, int nth)
{
	struct work *k = arg;
	/* packed bytes of either side; the widest, of F64 and I64, are only copied */
	void *raw = mem_alloc(PIECE * sizeof(double));
	float *x = k->it->to ? mem_aligned(PIECE * sizeof *x) : NULL;
	struct err e;

	(void)nth;
	if (!raw || (k->it->to && !x)) {
		err_set(&e, ERR_NOMEM, "no memory for a piece of a tensor");
		fail(k, &e);
	}
	while (!atomic_load(&k->stop)) {
		const int64_t lo = atomic_fetch_add(&k->next, 1) * PIECE;
		const int64_t n = k->it->n - lo < PIECE ? k->it->n - lo : PIECE;

		if (n <= 0)
			break;
		if ((k->it->to ? convert(k, lo, n, raw, x, &e) : copy(k, lo, n, raw, &e)) < 0) {
			fail(k, &e);
			break;
		}
		atomic_fetch_add(&k->finished, n);
		if (!go_on(k, ith)) {
			err_set(&e, ERR_CANCELLED, "stopped");
			fail(k, &e);
		}
	}
	mem_free(raw);
	mem_free(x);
}

static int read_tail(struct work *k, unsigned char *tail, size_t size, struct err *e)
{
	const struct gguf_tensor *t = k->it->t;
	const size_t n = (size_t)k->it->from.tail;

	if (n > size)
		return err_set(e, ERR_UNSUPPORTED, "a tail of %zu bytes", n);
	if (xio_pread(k->q->fd[t->part], tail, n, t->offset + t->bytes - n,
		      gguf_part_path(k->q->g, t->part), e) < 0)
		return -1;
	if (!t->data)
		gguf_swap_blocks(&(struct gguf_layout){ .bytes = 4, .word = true }, tail, 4);
	return 0;
}

static int run_all(struct work *k)
{
	atomic_store(&k->next, 0);
	pool_run(k->q->eng->pool, run, k);
	return atomic_load(&k->stop) ? -1 : 0;
}

/* A tensor's work, with what stands behind its weights in `tail`. */
static int begin(struct work *k, unsigned char *tail, size_t size)
{
	if (!k->it->from.tail)
		return 0;
	if (read_tail(k, tail, size, k->e) < 0)
		return -1;
	if (k->it->to)
		k->from_scale = quant_tail_scale(quant_by_id(k->it->t->type), tail);
	return 0;
}

/* The scale of a ternary tensor, over all of it. */
static int measure_all(struct work *k, float *scale)
{
	uint32_t bits;

	k->measure = true;
	if (run_all(k) < 0)
		return -1;
	k->measure = false;
	atomic_store(&k->finished, 0);
	bits = atomic_load(&k->scale);
	memcpy(scale, &bits, sizeof bits);
	return 0;
}

#define WORK(q_, i_, e_) \
	{ .q = (q_), .it = &(q_)->items[i_], .number = (i_), .from_scale = 1.0f, .e = (e_), .told = ATOMIC_FLAG_INIT }

static int find_scale(struct quantizer *q, int64_t i, float *scale, struct err *e)
{
	struct work k = WORK(q, i, e);
	unsigned char tail[64];

	return begin(&k, tail, sizeof tail) < 0 ? -1 : measure_all(&k, scale);
}

static int make_tensor(struct quantizer *q, int64_t i, struct err *e)
{
	struct work k = WORK(q, i, e);
	unsigned char tail[64];
	const int from_tail = k.it->from.tail, to_tail = k.it->to ? k.it->to->tail : 0;

	if (begin(&k, tail, sizeof tail) < 0)
		return -1;
	if (from_tail && !k.it->to &&
	    gguf_writer_put(q->w, i, k.it->bytes - (uint64_t)from_tail, tail, (size_t)from_tail,
			    e) < 0)
		return -1;
	if (to_tail) {
		float scale;

		if (measure_all(&k, &scale) < 0)
			return -1;
		quant_tail_write(k.it->to, scale, tail);
		if (gguf_writer_put(q->w, i, k.it->bytes - (uint64_t)to_tail, tail, (size_t)to_tail,
				    e) < 0)
			return -1;
	}
	if (run_all(&k) < 0)
		return -1;
	q->done += k.it->n;
	/* again: another thread may have taken all the pieces */
	if (q->opts->progress && !q->opts->progress(q->opts->arg, q->done, q->total))
		return err_set(e, ERR_CANCELLED, "stopped");
	return 0;
}

/* -- the file ---------------------------------------------------------------------- */

/* The file's keys, but for those that speak of what changes. */
static int copy_keys(struct quantizer *q, struct err *e)
{
	static const char *const left[] = {
		"general.file_type", "general.quantization_version", "general.alignment",
		"split.no", "split.count", "split.tensors.count",
	};
	const uint32_t version = 2;	/* of the block formats, as llama.cpp counts them */

	for (int64_t i = 0; i < gguf_n_kv(q->g); i++) {
		const struct gguf_kv *kv = gguf_kv_at(q->g, i);
		bool skip = false;

		for (size_t k = 0; k < sizeof left / sizeof *left; k++)
			skip = skip || (kv->key.n == strlen(left[k]) &&
					!memcmp(kv->key.p, left[k], kv->key.n));
		if (!skip && gguf_writer_copy(q->w, q->g, kv, e) < 0)
			return -1;
	}
	gguf_writer_u32(q->w, "general.quantization_version", version);
	gguf_writer_u32(q->w, "general.file_type", (uint32_t)q->level->ftype);
	return 0;
}

static int open_parts(struct quantizer *q, const char *out, struct err *e)
{
	const int n = gguf_n_parts(q->g);

	q->fd = mem_array((size_t)n, sizeof *q->fd);
	if (!q->fd)
		return err_set(e, ERR_NOMEM, "no memory for a list of files");
	for (int i = 0; i < n; i++)
		q->fd[i] = -1;
	for (int i = 0; i < n; i++) {
		const char *path = gguf_part_path(q->g, i);

		if (out && xio_same(path, out))
			return err_set(e, ERR_ARG, "%s: would be written over while it is read; "
				       "name another file", path);
		q->fd[i] = xio_open(path, O_RDONLY, 0, e);
		if (q->fd[i] < 0)
			return -1;
	}
	return 0;
}

/* Said before the work, to whole blocks: file systems count by them. */
static int check_room(const struct quantizer *q, const char *out, struct err *e)
{
	char *folder = mem_strdup(out), *slash = folder ? strrchr(folder, '/') : NULL;
	uint64_t need = gguf_writer_size(q->w), have, block;
	int r = 0;

	if (!folder)
		return err_set(e, ERR_NOMEM, "no memory for a path");
	if (slash)
		slash[slash == folder] = '\0';
	have = os_disk_free(slash ? folder : ".", &block);
	need = (need + block - 1) / block * block;
	if (access(slash ? folder : ".", W_OK | X_OK) < 0)
		r = err_errno(e, "%s: cannot write into this folder", slash ? folder : ".");
	else if (have < need)
		r = err_set(e, ERR_IO, "%s: no space: it takes %.1f MiB, and %.1f MiB are free", out,
			    ceil((double)need * 10 / (1 << 20)) / 10, floor((double)have * 10 / (1 << 20)) / 10);
	mem_free(folder);
	return r;
}

static int tell_tensors(struct quantizer *q, struct err *e)
{
	for (int64_t i = 0; i < q->n_items; i++) {
		const struct item *it = &q->items[i];
		const uint32_t type = it->to ? it->to->id : it->t->type;

		if (gguf_writer_tensor(q->w, it->t->name, type, it->t->n_dims, it->t->ne, it->bytes,
				       e) < 0)
			return -1;
	}
	return 0;
}

/* All that can be seen before anything is written; target NULL: it is not known where to. */
static int prepare(struct quantizer *q, const char *target, struct err *e)
{
	if (open_parts(q, target, e) < 0 || gguf_writer_new(&q->w, e) < 0 || copy_keys(q, e) < 0 || tell_tensors(q, e) < 0)
		return -1;
	return target ? check_room(q, target, e) : 0;
}

static int write_file(struct quantizer *q, const char *target, struct err *e)
{
	if (gguf_writer_open(q->w, target, e) < 0)
		return -1;
	for (int64_t i = 0; i < q->n_items; i++)
		if (make_tensor(q, i, e) < 0)
			return -1;
	return gguf_writer_commit(q->w, e);
}

/* Are the weights what their types want? */
static int try_tensors(struct quantizer *q, struct err *e)
{
	for (int64_t i = 0; i < q->n_items; i++) {
		float scale;

		if (q->items[i].to && q->items[i].to->tail && find_scale(q, i, &scale, e) < 0)
			return -1;
	}
	return 0;
}

static int work(struct quantizer *q, const char *out, struct err *e)
{
	char *target = out ? xio_target(out, e) : NULL;
	int r = out && !target ? -1 : prepare(q, target, e);

	if (!r && q->opts->dry_run)
		r = try_tensors(q, e);
	if (!r)
		tell_plan(q);
	if (!r && !q->opts->dry_run)
		r = write_file(q, target, e);
	mem_free(target);
	return r;
}

static int start(struct quantizer *q, const char *in, struct err *e)
{
	if (level_parse(q->opts->level, &q->level, e) < 0)
		return -1;
	q->res->level = q->level->name;
	if (find_type(q->opts->output_type, &q->output_type, e) < 0 ||
	    find_type(q->opts->embd_type, &q->embd_type, e) < 0 || compile(q, e) < 0 ||
	    gguf_open(&q->g, in, quant_layout, e) < 0 || gather_rules(q, e) < 0)
		return -1;
	return plan(q, e);
}

static void finish(struct quantizer *q)
{
	gguf_writer_free(q->w);
	for (int i = 0; q->fd && i < gguf_n_parts(q->g); i++)
		xio_close(q->fd[i], gguf_part_path(q->g, i), NULL);
	mem_free(q->fd);
	mem_free(q->items);
	for (size_t i = 0; q->overrides && i < q->opts->n_overrides; i++)
		pcre2_code_free(q->overrides[i].code);
	mem_free(q->overrides);
	pcre2_match_data_free(q->match);
	gguf_close(q->g);
}

int eng_quantize(struct eng *g, const char *in, const char *out,
		 const struct eng_quantize_opts *opts, struct eng_quantize_result *res,
		 struct err *e)
{
	struct quantizer q = { .eng = g, .opts = opts, .res = res };
	int r;

	*res = (struct eng_quantize_result){ 0 };
	r = start(&q, in, e);
	if (!r)
		r = work(&q, out, e);
	finish(&q);
	return r;
}
