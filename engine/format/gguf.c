/* Reading GGUF: parts are mapped and parsed one after the other, then what holds across parts is checked. */
#include "config.h"
#include "engine/format/gguf.h"
#include "engine/base/xio.h"
#include "engine/format/map.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	HEADER = 24,
	MIN_KEY = 8 + 1 + 4 + 1,		/* length, one byte, type, one byte of value */
	MIN_TENSOR = 8 + 1 + 4 + 8 + 4 + 8,	/* length, one byte, dims, ne[1], type, offset */
	MIN_ALIGN = 8, DEFAULT_ALIGN = 32,
};

/* width: bytes of a value; of strings and arrays the least that one takes */
static const struct { const char *name; unsigned width; bool integer, is_signed; } types[GGUF_NTYPES] = {
	[GGUF_U8] = { "u8", 1, true, false },	[GGUF_I8] = { "i8", 1, true, true },
	[GGUF_U16] = { "u16", 2, true, false },	[GGUF_I16] = { "i16", 2, true, true },
	[GGUF_U32] = { "u32", 4, true, false },	[GGUF_I32] = { "i32", 4, true, true },
	[GGUF_U64] = { "u64", 8, true, false },	[GGUF_I64] = { "i64", 8, true, true },
	[GGUF_F32] = { "f32", 4, false, true },	[GGUF_F64] = { "f64", 8, false, true },
	[GGUF_BOOL] = { "bool", 1, false, false },
	[GGUF_STRING] = { "string", 8, false, false },
	[GGUF_ARRAY] = { "array", 12, false, false },
};

/* Names in order: found by halving, so no choice of names by the file makes a lookup slow. */
struct name { const char *p; size_t n; size_t i; };
struct index { struct name *v; size_t n; };

struct part {
	char *path;
	struct map *map;
	const unsigned char *p;
	uint64_t size;
	bool swapped;
	uint32_t version;
	uint64_t align, data_at;
	struct gguf_kv *kv;
	size_t n_kv;
	struct index keys;
};

struct gguf {
	gguf_layout_fn *layout;
	struct part *parts;
	int n_parts;
	struct gguf_tensor *tensors;
	size_t n_tensors;
	struct index names;
};

/* A place in a part while it is parsed, and what is being read there, for messages. */
struct cursor {
	const struct part *f;
	uint64_t at;
	const char *kind;		/* "key", "tensor"; NULL in the header */
	uint64_t i;
	struct gguf_str name;
	struct err *e;
};

/* Long paths keep their end: that is what tells files apart. */
static const char *shown(const char *path, char *buf, size_t size)
{
	const size_t n = strlen(path), keep = size - 4;

	if (n < size)
		return path;
	snprintf(buf, size, "...%s", path + n - keep);
	return buf;
}

static int fail(const struct cursor *c, enum err_code code, uint64_t at, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
static int fail(const struct cursor *c, enum err_code code, uint64_t at, const char *field, const char *fmt, ...)
{
	char path[160], name[80], who[128] = "", what[200];
	va_list ap;

	if (c->name.n)
		snprintf(who, sizeof who, "%s \"%s\", ", c->kind, err_quote(name, sizeof name, c->name.p, c->name.n));
	else if (c->kind)
		snprintf(who, sizeof who, "%s %" PRIu64 ", ", c->kind, c->i);
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	return err_set(c->e, code, "%s: %s%s at offset %" PRIu64 ": %s",
		       shown(c->f->path, path, sizeof path), who, field, at, what);
}

/* -- numbers and strings ----------------------------------------------------------- */

static uint64_t number(const struct part *f, uint64_t at, unsigned width)
{
	uint16_t w;
	uint32_t d;
	uint64_t q;

	assert(width <= f->size && at <= f->size - width);
	switch (width) {
	case 1:
		return f->p[at];
	case 2:
		memcpy(&w, f->p + at, 2);
		return f->swapped ? __builtin_bswap16(w) : w;
	case 4:
		memcpy(&d, f->p + at, 4);
		return f->swapped ? __builtin_bswap32(d) : d;
	default:
		memcpy(&q, f->p + at, 8);
		return f->swapped ? __builtin_bswap64(q) : q;
	}
}

static uint64_t left(const struct cursor *c)
{
	return c->f->size - c->at;
}

static int take(struct cursor *c, const char *field, unsigned width, uint64_t *out)
{
	*out = 0;
	if (left(c) < width)
		return fail(c, ERR_FORMAT, c->at, field, "expected %u bytes, found the end of the file after %" PRIu64,
			    width, left(c));
	*out = number(c->f, c->at, width);
	c->at += width;
	return 0;
}

static int take_string(struct cursor *c, const char *field, uint64_t most, struct gguf_str *out)
{
	const uint64_t at = c->at;
	uint64_t n;

	if (take(c, field, 8, &n) < 0)
		return -1;
	if (n > left(c))
		return fail(c, ERR_FORMAT, at, field, "expected a length of at most %" PRIu64
			    " (the rest of the file), found %" PRIu64, left(c), n);
	if (n > most)
		return fail(c, ERR_LIMIT, at, field, "expected at most %" PRIu64 " bytes, found %" PRIu64, most, n);
	*out = (struct gguf_str){ (const char *)c->f->p + c->at, (size_t)n };
	c->at += n;
	return 0;
}

/* A key or a tensor's name; becomes the cursor's. */
static int take_name(struct cursor *c, const char *kind, uint64_t i)
{
	const uint64_t at = c->at;
	struct gguf_str s;

	c->kind = kind;
	c->i = i;
	c->name.n = 0;
	if (take_string(c, "name", GGUF_MAX_KEY, &s) < 0)
		return -1;
	if (!s.n)
		return fail(c, ERR_FORMAT, at, "name", "expected at least one byte, found an empty name");
	if (memchr(s.p, '\0', s.n))
		return fail(c, ERR_FORMAT, at, "name", "expected text, found a NUL byte");
	c->name = s;
	return 0;
}

static int take_type(struct cursor *c, const char *field, enum gguf_type *out)
{
	const uint64_t at = c->at;
	uint64_t v;

	if (take(c, field, 4, &v) < 0)
		return -1;
	if (v >= GGUF_NTYPES)
		return fail(c, ERR_FORMAT, at, field, "expected a value type from 0 to %d, found %" PRIu64,
			    GGUF_NTYPES - 1, v);
	*out = (enum gguf_type)v;
	return 0;
}

/* -- keys -------------------------------------------------------------------------- */

static int skip_values(struct cursor *c, enum gguf_type type, uint64_t count, int depth);

static int take_array(struct cursor *c, int depth, enum gguf_type *type, uint64_t *count, uint64_t *first)
{
	uint64_t at;

	if (depth >= GGUF_MAX_DEPTH)
		return fail(c, ERR_LIMIT, c->at, "array", "expected at most %d arrays in each other, found more",
			    GGUF_MAX_DEPTH);
	if (take_type(c, "element type", type) < 0)
		return -1;
	at = c->at;
	if (take(c, "count", 8, count) < 0)
		return -1;
	if (*count > left(c) / types[*type].width)
		return fail(c, ERR_FORMAT, at, "count", "expected at most %" PRIu64
			    " elements of %s in the rest of the file, found %" PRIu64,
			    left(c) / types[*type].width, types[*type].name, *count);
	*first = c->at;
	return skip_values(c, *type, *count, depth + 1);
}

static int skip_values(struct cursor *c, enum gguf_type type, uint64_t count, int depth)
{
	const unsigned width = types[type].width;

	if (type != GGUF_STRING && type != GGUF_ARRAY) {
		if (count > left(c) / width)
			return fail(c, ERR_FORMAT, c->at, "value", "expected %u bytes, found the end of the file after %"
				    PRIu64, width, left(c));
		c->at += count * width;
		return 0;
	}
	for (uint64_t i = 0; i < count; i++) {
		struct gguf_str s;
		enum gguf_type inner;
		uint64_t n, first;

		if (type == GGUF_STRING ? take_string(c, "string", GGUF_MAX_STRING, &s) < 0 :
		    take_array(c, depth, &inner, &n, &first) < 0)
			return -1;
	}
	return 0;
}

static int take_kv(struct cursor *c, uint64_t i, struct gguf_kv *kv)
{
	if (take_name(c, "key", i) < 0 || take_type(c, "type", &kv->type) < 0)
		return -1;
	kv->key = c->name;
	kv->is_array = kv->type == GGUF_ARRAY;
	if (kv->is_array)
		return take_array(c, 0, &kv->type, &kv->count, &kv->at);
	kv->count = 1;
	kv->at = c->at;
	return skip_values(c, kv->type, 1, 0);
}

static int name_order(const void *va, const void *vb)
{
	const struct name *a = va, *b = vb;
	const int r = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);

	if (r)
		return r;
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	return a->i < b->i ? -1 : a->i > b->i;
}

/* Sorts; the later one of the first two names that are alike, or NULL. */
static const struct name *index_sort(struct index *x)
{
	qsort(x->v, x->n, sizeof *x->v, name_order);
	for (size_t i = 1; i < x->n; i++)
		if (x->v[i].n == x->v[i - 1].n && !memcmp(x->v[i].p, x->v[i - 1].p, x->v[i].n))
			return &x->v[i];
	return NULL;
}

static bool index_find(const struct index *x, const char *name, size_t *out)
{
	const size_t n = strlen(name);
	size_t lo = 0, hi = x->n;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;
		const struct name *m = &x->v[mid];
		int r = memcmp(name, m->p, n < m->n ? n : m->n);

		if (!r)
			r = n < m->n ? -1 : n > m->n;
		if (!r) {
			*out = m->i;
			return true;
		}
		if (r < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return false;
}

static int take_keys(struct cursor *c, struct part *f, uint64_t n)
{
	const struct name *twice;

	f->kv = mem_calloc((size_t)n, sizeof *f->kv);
	f->keys.v = mem_calloc((size_t)n, sizeof *f->keys.v);
	if (!f->kv || !f->keys.v)
		return err_set(c->e, ERR_NOMEM, "no memory for the %" PRIu64 " keys of a model", n);
	for (; f->n_kv < n; f->n_kv++) {
		struct gguf_kv *kv = &f->kv[f->n_kv];

		if (take_kv(c, f->n_kv, kv) < 0)
			return -1;
		f->keys.v[f->n_kv] = (struct name){ kv->key.p, kv->key.n, f->n_kv };
	}
	f->keys.n = (size_t)n;
	twice = index_sort(&f->keys);
	if (twice) {
		c->name = (struct gguf_str){ twice->p, twice->n };
		return fail(c, ERR_FORMAT, (uint64_t)((const unsigned char *)twice->p - f->p) - 8, "name",
			    "expected each key once, found it a second time");
	}
	c->kind = NULL;
	c->name.n = 0;
	return 0;
}

/* -- typed reads ------------------------------------------------------------------- */

static const struct gguf_kv *part_find(const struct part *f, const char *key)
{
	size_t i;

	return index_find(&f->keys, key, &i) ? &f->kv[i] : NULL;
}

static int wrong(const struct part *f, const struct gguf_kv *kv, struct err *e, const char *wanted)
{
	const struct cursor c = { .f = f, .kind = "key", .name = kv->key, .e = e };

	return fail(&c, ERR_FORMAT, kv->at, "value", "expected %s, found %s%s", wanted,
		    kv->is_array ? "an array of " : "", types[kv->type].name);
}

static int64_t elem_i64(const struct part *f, const struct gguf_kv *kv, uint64_t i)
{
	const unsigned width = types[kv->type].width;
	const uint64_t v = number(f, kv->at + i * width, width);

	if (!types[kv->type].is_signed)
		return (int64_t)v;
	switch (width) {
	case 1:
		return (int8_t)v;
	case 2:
		return (int16_t)v;
	case 4:
		return (int32_t)v;
	default:
		return (int64_t)v;
	}
}

static double elem_f64(const struct part *f, const struct gguf_kv *kv, uint64_t i)
{
	if (kv->type == GGUF_F32) {
		const uint32_t bits = (uint32_t)number(f, kv->at + i * 4, 4);
		float v;

		memcpy(&v, &bits, 4);
		return (double)v;
	}
	if (kv->type == GGUF_F64) {
		const uint64_t bits = number(f, kv->at + i * 8, 8);
		double v;

		memcpy(&v, &bits, 8);
		return v;
	}
	return kv->type == GGUF_U64 ? (double)(uint64_t)elem_i64(f, kv, i) : (double)elem_i64(f, kv, i);
}

static int part_i64(const struct part *f, const char *key, int64_t *out, struct err *e)
{
	const struct gguf_kv *kv = part_find(f, key);
	int64_t v;

	if (!kv)
		return 0;
	if (kv->is_array || !types[kv->type].integer)
		return wrong(f, kv, e, "an integer");
	v = elem_i64(f, kv, 0);
	if (kv->type == GGUF_U64 && v < 0) {
		const struct cursor c = { .f = f, .kind = "key", .name = kv->key, .e = e };

		return fail(&c, ERR_FORMAT, kv->at, "value", "expected at most %" PRId64 ", found %" PRIu64,
			    INT64_MAX, (uint64_t)v);
	}
	*out = v;
	return 1;
}

int gguf_get_i64(const struct gguf *g, const char *key, int64_t *out, struct err *e)
{
	return part_i64(&g->parts[0], key, out, e);
}

int gguf_get_f64(const struct gguf *g, const char *key, double *out, struct err *e)
{
	const struct part *f = &g->parts[0];
	const struct gguf_kv *kv = part_find(f, key);
	double v;

	if (!kv)
		return 0;
	if (kv->is_array || !(types[kv->type].integer || kv->type == GGUF_F32 || kv->type == GGUF_F64))
		return wrong(f, kv, e, "a number");
	v = elem_f64(f, kv, 0);
	if (!isfinite(v)) {
		const struct cursor c = { .f = f, .kind = "key", .name = kv->key, .e = e };

		return fail(&c, ERR_FORMAT, kv->at, "value", "expected a finite number, found %f", v);
	}
	*out = v;
	return 1;
}

int gguf_get_bool(const struct gguf *g, const char *key, bool *out, struct err *e)
{
	const struct part *f = &g->parts[0];
	const struct gguf_kv *kv = part_find(f, key);
	int64_t v;

	if (!kv)
		return 0;
	if (kv->is_array || kv->type != GGUF_BOOL)
		return wrong(f, kv, e, "a bool");
	v = elem_i64(f, kv, 0);
	if (v > 1) {
		const struct cursor c = { .f = f, .kind = "key", .name = kv->key, .e = e };

		return fail(&c, ERR_FORMAT, kv->at, "value", "expected 0 or 1, found %" PRId64, v);
	}
	*out = v != 0;
	return 1;
}

int gguf_strings(const struct gguf *g, const struct gguf_kv *kv, struct gguf_str *out, struct err *e)
{
	struct cursor c = { .f = &g->parts[0], .at = kv->at, .kind = "key", .name = kv->key, .e = e };

	if (kv->type != GGUF_STRING)
		return wrong(c.f, kv, e, "strings");
	/* the lengths are checked again: the file may have been written to since it was opened */
	for (uint64_t i = 0; i < kv->count; i++)
		if (take_string(&c, "string", GGUF_MAX_STRING, &out[i]) < 0)
			return -1;
	return 0;
}

int gguf_get_str(const struct gguf *g, const char *key, struct gguf_str *out, struct err *e)
{
	const struct gguf_kv *kv = gguf_find(g, key);
	struct gguf_str s;

	if (!kv)
		return 0;
	if (kv->is_array || kv->type != GGUF_STRING)
		return wrong(&g->parts[0], kv, e, "a string");
	if (gguf_strings(g, kv, &s, e) < 0)
		return -1;
	*out = s;
	return 1;
}

int gguf_get_array(const struct gguf *g, const char *key, enum gguf_type elem,
		   const struct gguf_kv **out, struct err *e)
{
	const struct gguf_kv *kv = gguf_find(g, key);
	char wanted[64];
	bool fits;

	if (!kv)
		return 0;
	fits = kv->type == elem || (elem == GGUF_I32 && types[kv->type].integer) ||
	       (elem == GGUF_F32 && kv->type == GGUF_F64);
	if (!kv->is_array || !fits) {
		snprintf(wanted, sizeof wanted, "an array of %s", types[elem].name);
		return wrong(&g->parts[0], kv, e, wanted);
	}
	*out = kv;
	return 1;
}

int64_t gguf_elem_i64(const struct gguf *g, const struct gguf_kv *kv, uint64_t i)
{
	assert(i < kv->count && (types[kv->type].integer || kv->type == GGUF_BOOL));
	return elem_i64(&g->parts[0], kv, i);
}

double gguf_elem_f64(const struct gguf *g, const struct gguf_kv *kv, uint64_t i)
{
	assert(i < kv->count && kv->type != GGUF_STRING && kv->type != GGUF_ARRAY);
	return elem_f64(&g->parts[0], kv, i);
}

/* -- tensors ----------------------------------------------------------------------- */

/* Bytes by shape and layout. The cursor stands after the entry, whose type field lies at `at`. */
static int tensor_bytes(const struct cursor *c, struct gguf_tensor *t, const struct gguf_layout *l, uint64_t at)
{
	int64_t n = 1, run, bytes;

	for (int d = 0; d < GGUF_MAX_DIMS; d++)
		if (__builtin_mul_overflow(n, t->ne[d], &n))
			return fail(c, ERR_FORMAT, t->info_at, "shape", "expected fewer than 2^63 weights, found %" PRId64
				    " x %" PRId64 " x %" PRId64 " x %" PRId64, t->ne[0], t->ne[1], t->ne[2], t->ne[3]);
	if (!l)
		return 0;
	run = l->flat ? n : t->ne[0];
	if (run % l->block)
		return fail(c, ERR_FORMAT, at, "type", "expected %s of a multiple of %d for %s, found %" PRId64,
			    l->flat ? "a tensor" : "rows", l->block, l->name, run);
	if (__builtin_mul_overflow(run / l->block, (int64_t)l->bytes, &bytes) ||
	    __builtin_mul_overflow(bytes, n / run, &bytes) ||
	    __builtin_add_overflow(bytes, (int64_t)l->tail, &bytes) || (uint64_t)bytes > SIZE_MAX / 2)
		return fail(c, ERR_FORMAT, t->info_at, "shape", "expected a size below 2^63 bytes, found %" PRId64
			    " weights of %s", n, l->name);
	t->bytes = (size_t)bytes;
	return 0;
}

static int take_shape(struct cursor *c, struct gguf_tensor *t)
{
	const uint64_t at = c->at;
	uint64_t dims, ne;

	if (take(c, "dimensions", 4, &dims) < 0)
		return -1;
	if (dims < 1 || dims > GGUF_MAX_DIMS)
		return fail(c, dims ? ERR_LIMIT : ERR_FORMAT, at, "dimensions", "expected 1 to %d, found %" PRIu64,
			    GGUF_MAX_DIMS, dims);
	t->n_dims = (int)dims;
	for (int d = 0; d < GGUF_MAX_DIMS; d++)
		t->ne[d] = 1;
	for (int d = 0; d < t->n_dims; d++) {
		const uint64_t where = c->at;

		if (take(c, "shape", 8, &ne) < 0)
			return -1;
		if (!ne || ne > INT64_MAX)
			return fail(c, ERR_FORMAT, where, "shape", "expected 1 to 2^63 - 1, found %" PRIu64, ne);
		t->ne[d] = (int64_t)ne;
	}
	return 0;
}

static int take_tensor(struct cursor *c, gguf_layout_fn *layout, uint64_t i, struct gguf_tensor *t)
{
	struct gguf_layout l;
	uint64_t at, v;

	t->info_at = c->at;
	if (take_name(c, "tensor", i) < 0 || take_shape(c, t) < 0)
		return -1;
	at = c->at;
	if (take(c, "type", 4, &v) < 0)
		return -1;
	t->type = (uint32_t)v;
	if (tensor_bytes(c, t, layout && layout(t->type, &l) ? &l : NULL, at) < 0)
		return -1;
	at = c->at;
	if (take(c, "data offset", 8, &t->offset) < 0)
		return -1;
	if (t->offset % c->f->align)
		return fail(c, ERR_FORMAT, at, "data offset", "expected a multiple of %" PRIu64 ", found %" PRIu64,
			    c->f->align, t->offset);
	t->name = mem_strndup(c->name.p, c->name.n);
	return t->name ? 0 : err_set(c->e, ERR_NOMEM, "no memory for a tensor's name");
}

/* Offsets become absolute once it is known where the data starts. */
static int place_tensor(struct cursor *c, struct gguf_tensor *t)
{
	const struct part *f = c->f;
	const uint64_t at = t->info_at + 8 + strlen(t->name) + 4 + 8 * (uint64_t)t->n_dims + 4;
	const uint64_t room = f->size > f->data_at ? f->size - f->data_at : 0;

	c->kind = "tensor";
	c->name = (struct gguf_str){ t->name, strlen(t->name) };
	if (t->offset > room || t->bytes > room - t->offset)
		return fail(c, ERR_FORMAT, at, "data offset", "expected %zu bytes inside the file's %" PRIu64
			    " of data, found them at %" PRIu64, t->bytes, room, t->offset);
	t->offset += f->data_at;
	if (t->bytes && !f->swapped)
		t->data = f->p + t->offset;
	return 0;
}

struct extent { uint64_t at, end; size_t i; };

static int extent_order(const void *va, const void *vb)
{
	const struct extent *a = va, *b = vb;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return a->i < b->i ? -1 : a->i > b->i;
}

/* Two tensors on the same bytes: no writer does that, and a quantizer would write them twice. */
static int check_overlap(struct cursor *c, const struct gguf_tensor *t, size_t n)
{
	struct extent *x = mem_array(n, sizeof *x);
	int r = 0;

	if (!x)
		return err_set(c->e, ERR_NOMEM, "no memory to check %zu tensors", n);
	for (size_t i = 0; i < n; i++)
		x[i] = (struct extent){ t[i].offset, t[i].offset + t[i].bytes, i };
	qsort(x, n, sizeof *x, extent_order);
	for (size_t i = 1; i < n && !r; i++) {
		const struct gguf_tensor *a = &t[x[i - 1].i], *b = &t[x[i].i];
		char name[80];

		if (x[i].at >= x[i - 1].end || !b->bytes)
			continue;
		c->kind = "tensor";
		c->name = (struct gguf_str){ b->name, strlen(b->name) };
		r = fail(c, ERR_FORMAT, b->info_at, "data", "expected at %" PRIu64 " or after, behind \"%s\", found at %"
			 PRIu64, x[i - 1].end, err_quote(name, sizeof name, a->name, strlen(a->name)), x[i].at);
	}
	mem_free(x);
	return r;
}

static int take_tensors(struct cursor *c, struct gguf *g, struct part *f, uint64_t n)
{
	const size_t first = g->n_tensors, all = first + (size_t)n;
	struct gguf_tensor *t;

	if (all > GGUF_MAX_TENSORS)
		return fail(c, ERR_LIMIT, 8, "tensor count", "expected at most %d in all parts, found %zu",
			    GGUF_MAX_TENSORS, all);
	t = mem_rearray(g->tensors, all ? all : 1, sizeof *t);
	if (!t)
		return err_set(c->e, ERR_NOMEM, "no memory for the %zu tensors of a model", all);
	g->tensors = t;
	for (uint64_t i = 0; i < n; i++) {
		t = &g->tensors[g->n_tensors++];
		*t = (struct gguf_tensor){ .part = (int)(f - g->parts) };
		if (take_tensor(c, g->layout, i, t) < 0)
			return -1;
	}
	f->data_at = (c->at + f->align - 1) / f->align * f->align;
	for (size_t i = first; i < all; i++)
		if (place_tensor(c, &g->tensors[i]) < 0)
			return -1;
	return check_overlap(c, g->tensors + first, (size_t)n);
}

/* -- the file ---------------------------------------------------------------------- */

/* What people try to open by mistake. */
static const struct { const char *magic, *what; } strangers[] = {
	{ "tjgg", "an old GGML file: convert the model again" },
	{ "fmgg", "an old GGML file: convert the model again" },
	{ "lmgg", "an old GGML file: convert the model again" },
	{ "PK\3\4", "a zip archive (a PyTorch checkpoint?)" },
	{ "vers", "text (a Git LFS pointer: the model itself was not downloaded?)" },
	{ "{\"sc", "JSON (a manifest of Ollama? its name in tidbit list opens the model)" },
	{ "<!DO", "a web page (a download that failed?)" },
	{ "<htm", "a web page (a download that failed?)" },
};

static int check_magic(const struct cursor *c)
{
	char hex[16], *h = hex;

	if (c->f->size < 4)
		return fail(c, ERR_FORMAT, 0, "magic", "expected \"GGUF\", found a file of %" PRIu64 " bytes", c->f->size);
	if (!memcmp(c->f->p, "GGUF", 4))
		return 0;
	for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
		if (!memcmp(c->f->p, strangers[i].magic, 4))
			return fail(c, ERR_FORMAT, 0, "magic", "expected \"GGUF\", found %s", strangers[i].what);
	for (int i = 0; i < 4; i++)
		h += snprintf(h, 4, " %02x", c->f->p[i]);
	return fail(c, ERR_FORMAT, 0, "magic", "expected \"GGUF\" (47 47 55 46), found%s", hex);
}

/* The version tells the byte order too: written the other way round it would be above 16 M. */
static int take_version(struct cursor *c, struct part *f)
{
	uint64_t v;

	if (take(c, "version", 4, &v) < 0)
		return -1;
	f->swapped = v > 0xffff;
	if (f->swapped)
		v = __builtin_bswap32((uint32_t)v);
	f->version = (uint32_t)v;
	if (v != 2 && v != 3)
		return fail(c, ERR_UNSUPPORTED, 4, "version", "expected 2 or 3, found %" PRIu64 "%s", v,
			    v == 1 ? " (of 2023, convert the model again)" : "");
	return 0;
}

static int take_count(struct cursor *c, const char *field, unsigned least, uint64_t most, uint64_t *n)
{
	const uint64_t at = c->at, fit = c->f->size > HEADER ? (c->f->size - HEADER) / least : 0;

	if (take(c, field, 8, n) < 0)
		return -1;
	if (*n > fit)
		return fail(c, ERR_FORMAT, at, field, "expected at most %" PRIu64 " in a file of %" PRIu64
			    " bytes, found %" PRIu64, fit, c->f->size, *n);
	if (*n > most)
		return fail(c, ERR_LIMIT, at, field, "expected at most %" PRIu64 ", found %" PRIu64, most, *n);
	return 0;
}

static int read_align(struct cursor *c, struct part *f)
{
	const struct gguf_kv *kv = part_find(f, "general.alignment");
	int64_t v = DEFAULT_ALIGN;

	if (part_i64(f, "general.alignment", &v, c->e) < 0)
		return -1;
	if (v < MIN_ALIGN || v > GGUF_MAX_ALIGN || (v & (v - 1))) {
		c->kind = "key";
		c->name = kv->key;
		return fail(c, v > GGUF_MAX_ALIGN && !(v & (v - 1)) ? ERR_LIMIT : ERR_FORMAT, kv->at, "value",
			    "expected a power of two from %d to %d, found %" PRId64, MIN_ALIGN, GGUF_MAX_ALIGN, v);
	}
	f->align = (uint64_t)v;
	return 0;
}

static int parse(struct gguf *g, struct part *f, struct err *e)
{
	struct cursor c = { .f = f, .e = e };
	uint64_t n_tensors, n_keys;

	if (check_magic(&c) < 0)
		return -1;
	c.at = 4;
	if (take_version(&c, f) < 0 ||
	    take_count(&c, "tensor count", MIN_TENSOR, GGUF_MAX_TENSORS, &n_tensors) < 0 ||
	    take_count(&c, "key count", MIN_KEY, GGUF_MAX_KEYS, &n_keys) < 0 ||
	    take_keys(&c, f, n_keys) < 0 || read_align(&c, f) < 0)
		return -1;
	return take_tensors(&c, g, f, n_tensors);
}

/* Takes the path. */
static int open_part(struct gguf *g, struct part *f, char *path, struct err *e)
{
	*f = (struct part){ .path = path };
	g->n_parts++;
	if (!path)
		return err_set(e, ERR_NOMEM, "no memory to open a model");
	if (map_open(&f->map, path, e) < 0)
		return -1;
	f->p = map_data(f->map);
	f->size = map_size(f->map);
	if (parse(g, f, e) < 0) {
		/* a file that is cut meanwhile reads as zeros: that is the reason then, not what the zeros look like */
		gguf_check(g, e);
		return -1;
	}
	return gguf_check(g, e);
}

/* -- parts ------------------------------------------------------------------------- */

/* "-00001-of-00003.gguf" and its length, which is the same for all parts of all models. */
static size_t part_end(char *buf, size_t size, int i, int n)
{
	return (size_t)snprintf(buf, size, "-%05d-of-%05d.gguf", i + 1, n);
}

static bool is_first_part(const char *path, int n)
{
	char end[32];
	const size_t len = strlen(path), k = part_end(end, sizeof end, 0, n);

	return len >= k && !strcmp(path + len - k, end);
}

/* The path of part i (from 0) by that of the first; NULL: no memory. */
static char *part_path(const char *first, int i, int n)
{
	char end[32], *path = mem_strdup(first);
	const size_t k = part_end(end, sizeof end, i, n);

	if (path)
		memcpy(path + strlen(path) - k, end, k);
	return path;
}

/* split.no and split.count of a part; a file that is no part has 0 of 1. */
static int split_of(const struct part *f, int64_t *no, int64_t *count, struct err *e)
{
	*no = 0;
	*count = 1;
	return part_i64(f, "split.no", no, e) < 0 || part_i64(f, "split.count", count, e) < 0 ? -1 : 0;
}

static int bad_split(const struct part *f, const char *key, struct err *e, const char *wanted, int64_t found)
{
	const struct gguf_kv *kv = part_find(f, key);
	char path[160];

	if (!kv)
		return err_set(e, ERR_FORMAT, "%s: key \"%s\": expected %s, found none",
			       shown(f->path, path, sizeof path), key, wanted);
	return fail(&(struct cursor){ .f = f, .kind = "key", .name = kv->key, .e = e }, ERR_FORMAT, kv->at, "value",
		    "expected %s, found %" PRId64, wanted, found);
}

static int open_other(struct gguf *g, int i, int n, struct err *e)
{
	struct part *f = &g->parts[i];
	int64_t no, count;
	char wanted[32];

	if (open_part(g, f, part_path(g->parts[0].path, i, n), e) < 0) {
		if (e && e->code == ERR_IO && !f->map)
			e->code = ERR_NOT_FOUND;
		return err_context(e, "part %d of %d", i + 1, n);
	}
	if (split_of(f, &no, &count, e) < 0)
		return -1;
	snprintf(wanted, sizeof wanted, "%d", n);
	if (count != n)
		return bad_split(f, "split.count", e, wanted, count);
	snprintf(wanted, sizeof wanted, "%d", i);
	if (no != i)
		return bad_split(f, "split.no", e, wanted, no);
	return 0;
}

/* A part that is not the first was opened: that one is named, and told whether it is there. */
static int later_part(const struct part *f, int64_t no, int n, struct err *e)
{
	char end[32], path[160], name[120];
	const size_t len = strlen(f->path), k = no > 0 && no < n ? part_end(end, sizeof end, (int)no, n) : 0;
	const char *base;
	char *first;
	bool there;

	if (!k || len < k || strcmp(f->path + len - k, end))
		return bad_split(f, "split.no", e, "0, the first part (open that one)", no);
	first = mem_strdup(f->path);
	if (!first)
		return err_set(e, ERR_NOMEM, "no memory for a path");
	part_end(end, sizeof end, 0, n);
	memcpy(first + len - k, end, k);
	there = !access(first, F_OK);
	base = strrchr(first, '/') ? strrchr(first, '/') + 1 : first;
	err_set(e, there ? ERR_FORMAT : ERR_NOT_FOUND, there ? "%s: key \"split.no\": part %d of %d: the first, %s, is the one to open" :
		"%s: key \"split.no\": part %d of %d: the first, %s, is missing", shown(f->path, path, sizeof path), (int)no + 1, n,
		err_quote(name, sizeof name, base, strlen(base)));
	mem_free(first);
	return -1;
}

static int open_others(struct gguf *g, struct err *e)
{
	struct part *f = g->parts;
	int64_t no, n, all;
	char wanted[64];

	if (split_of(f, &no, &n, e) < 0)
		return -1;
	if (n < 1 || n > GGUF_MAX_PARTS) {
		snprintf(wanted, sizeof wanted, "1 to %d", GGUF_MAX_PARTS);
		return bad_split(f, "split.count", e, wanted, n);
	}
	if (n == 1)
		return 0;
	if (no)
		return later_part(f, no, (int)n, e);
	if (!is_first_part(f->path, (int)n)) {
		snprintf(wanted, sizeof wanted, "a file name that ends in -00001-of-%05d.gguf", (int)n);
		return bad_split(f, "split.count", e, wanted, n);
	}
	f = mem_rearray(g->parts, (size_t)n, sizeof *f);
	if (!f)
		return err_set(e, ERR_NOMEM, "no memory for the %d parts of a model", (int)n);
	g->parts = f;
	for (int i = 1; i < (int)n; i++)
		if (open_other(g, i, (int)n, e) < 0)
			return -1;
	all = (int64_t)g->n_tensors;
	if (part_i64(f, "split.tensors.count", &all, e) < 0)
		return -1;
	snprintf(wanted, sizeof wanted, "%zu tensors, as there are in all parts", g->n_tensors);
	return all == (int64_t)g->n_tensors ? 0 : bad_split(f, "split.tensors.count", e, wanted, all);
}

static int index_tensors(struct gguf *g, struct err *e)
{
	const struct name *twice;

	g->names.v = mem_array(g->n_tensors, sizeof *g->names.v);
	if (!g->names.v)
		return err_set(e, ERR_NOMEM, "no memory for the names of %zu tensors", g->n_tensors);
	g->names.n = g->n_tensors;
	for (size_t i = 0; i < g->n_tensors; i++)
		g->names.v[i] = (struct name){ g->tensors[i].name, strlen(g->tensors[i].name), i };
	twice = index_sort(&g->names);
	if (twice) {
		const struct gguf_tensor *t = &g->tensors[twice->i];
		const struct cursor c = { .f = &g->parts[t->part], .kind = "tensor",
					  .name = { twice->p, twice->n }, .e = e };

		return fail(&c, ERR_FORMAT, t->info_at, "name", "expected each tensor once, found it a second time");
	}
	return 0;
}

int gguf_open(struct gguf **out, const char *path, gguf_layout_fn *layout, struct err *e)
{
	struct gguf *g = mem_calloc(1, sizeof *g);

	if (g)
		g->parts = mem_calloc(1, sizeof *g->parts);
	if (!g || !g->parts) {
		mem_free(g);
		return err_set(e, ERR_NOMEM, "%s: no memory to open it", path);
	}
	g->layout = layout;
	if (open_part(g, g->parts, mem_strdup(path), e) < 0 || open_others(g, e) < 0 || index_tensors(g, e) < 0) {
		gguf_close(g);
		return -1;
	}
	*out = g;
	return 0;
}

void gguf_close(struct gguf *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->n_tensors; i++)
		mem_free((char *)g->tensors[i].name);
	mem_free(g->tensors);
	mem_free(g->names.v);
	for (int i = 0; i < g->n_parts; i++) {
		mem_free(g->parts[i].kv);
		mem_free(g->parts[i].keys.v);
		map_close(g->parts[i].map);
		mem_free(g->parts[i].path);
	}
	mem_free(g->parts);
	mem_free(g);
}

int gguf_check(const struct gguf *g, struct err *e)
{
	for (int i = 0; i < g->n_parts; i++) {
		char path[160];

		if (g->parts[i].map && map_was_cut(g->parts[i].map))
			return err_set(e, ERR_IO, "%s: the file was cut or could not be read while in use",
				       shown(g->parts[i].path, path, sizeof path));
	}
	return 0;
}

static void swap(unsigned char *p, int n)
{
	for (int i = 0; i < n / 2; i++) {
		const unsigned char b = p[i];

		p[i] = p[n - 1 - i];
		p[n - 1 - i] = b;
	}
}

void gguf_swap_blocks(const struct gguf_layout *l, void *blocks, size_t n)
{
	unsigned char *p = blocks;

	for (unsigned char *end = p + n; p < end; p += l->bytes) {
		if (l->word)
			swap(p, 4);
		for (int i = 0; i < l->n_half; i++)
			swap(p + l->half[i], 2);
	}
}

static void swap_tensor(const struct gguf_layout *l, unsigned char *p, size_t n)
{
	gguf_swap_blocks(l, p, n - (size_t)l->tail);
	if (l->tail)
		swap(p + n - l->tail, 4);
}

int gguf_make_native(struct gguf *g, struct err *e)
{
	for (int i = 0; i < g->n_parts; i++)
		if (g->parts[i].swapped && !map_make_writable(g->parts[i].map, e))
			return -1;
	for (size_t i = 0; i < g->n_tensors; i++) {
		struct gguf_tensor *t = &g->tensors[i];
		const struct part *f = &g->parts[t->part];
		unsigned char *p = (unsigned char *)f->p + t->offset;
		struct gguf_layout l;

		if (!f->swapped || !t->bytes || t->data || !g->layout(t->type, &l))
			continue;
		swap_tensor(&l, p, t->bytes);
		t->data = p;
	}
	return gguf_check(g, e);
}

bool gguf_is_swapped(const struct gguf *g)
{
	return g->parts[0].swapped;
}

const char *gguf_path(const struct gguf *g)
{
	return g->parts[0].path;
}

uint32_t gguf_version(const struct gguf *g)
{
	return g->parts[0].version;
}

uint64_t gguf_file_size(const struct gguf *g)
{
	uint64_t n = 0;

	for (int i = 0; i < g->n_parts; i++)
		n += g->parts[i].size;
	return n;
}

uint64_t gguf_alignment(const struct gguf *g)
{
	return g->parts[0].align;
}

int gguf_n_parts(const struct gguf *g)
{
	return g->n_parts;
}

const char *gguf_part_path(const struct gguf *g, int i)
{
	return g->parts[i].path;
}

int64_t gguf_n_kv(const struct gguf *g)
{
	return (int64_t)g->parts[0].n_kv;
}

const struct gguf_kv *gguf_kv_at(const struct gguf *g, int64_t i)
{
	return &g->parts[0].kv[i];
}

const struct gguf_kv *gguf_find(const struct gguf *g, const char *key)
{
	return part_find(&g->parts[0], key);
}

int64_t gguf_n_tensors(const struct gguf *g)
{
	return (int64_t)g->n_tensors;
}

const struct gguf_tensor *gguf_tensor_at(const struct gguf *g, int64_t i)
{
	return &g->tensors[i];
}

const struct gguf_tensor *gguf_tensor_find(const struct gguf *g, const char *name)
{
	size_t i;

	return index_find(&g->names, name, &i) ? &g->tensors[i] : NULL;
}

const char *gguf_type_name(enum gguf_type t)
{
	return t < GGUF_NTYPES ? types[t].name : "unknown";
}
