#include "config.h"
#include "t/lib/mutant.h"

#include "engine/base/err.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
	K_MAGIC, K_VERSION, K_N_TENSORS, K_N_KEYS,
	K_KEY_LEN, K_KEY_TEXT, K_KEY_TYPE, K_INT, K_FLOAT, K_BOOL, K_TEXT_LEN, K_TEXT,
	K_ELEM_TYPE, K_COUNT, K_ELEM, K_ELEM_LEN,
	K_NAME_LEN, K_NAME, K_DIMS, K_NE, K_TYPE, K_OFFSET, K_DATA, K_END, N_KINDS
};

struct field {
	enum kind kind;
	size_t at, n;			/* place and width */
	const unsigned char *owner;	/* the key's or tensor's name */
	size_t owner_n;
};

struct mutants {
	const unsigned char *p;
	size_t size, data_at;
	struct field *v;
	size_t n;
	size_t first[N_KINDS + 1];	/* of each kind, once sorted */
};

enum { U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 };
static const size_t widths[] = { 1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8 };
enum { FORMAT = 1 << ERR_FORMAT, LIMIT = 1 << ERR_LIMIT, UNSUPPORTED = 1 << ERR_UNSUPPORTED,
       CONTEXT = 1 << ERR_CONTEXT, ARG = 1 << ERR_ARG };

/* -- numbers ----------------------------------------------------------------------- */

static uint64_t load(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

static uint64_t mix(uint64_t *s)
{
	uint64_t z = *s += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint64_t below(uint64_t *s, uint64_t n)
{
	return mix(s) % n;
}

/* -- the fields of a sound file ------------------------------------------------------ */

struct scan { struct mutants *m; size_t at; const unsigned char *owner; size_t owner_n; bool bad; };

static void add(struct scan *s, enum kind kind, size_t n)
{
	struct mutants *m = s->m;

	if (s->bad || n > m->size - s->at) {
		s->bad = true;
		return;
	}
	if (!(m->n & (m->n - 1)))
		m->v = realloc(m->v, (m->n ? 2 * m->n : 1) * sizeof *m->v);
	if (!m->v)
		abort();
	m->v[m->n++] = (struct field){ kind, s->at, n, s->owner, s->owner_n };
	s->at += n;
}

static uint64_t number(struct scan *s, enum kind kind, size_t n)
{
	const size_t at = s->at;

	add(s, kind, n);
	return s->bad ? 0 : load(s->m->p + at, n);
}

static void text(struct scan *s, enum kind len, enum kind bytes, bool owner)
{
	const size_t mark = s->m->n;
	const uint64_t n = number(s, len, 8);

	if (owner) {
		s->owner = s->m->p + s->at;
		s->owner_n = (size_t)n;
		if (!s->bad)
			s->m->v[mark].owner = s->owner, s->m->v[mark].owner_n = (size_t)n;
	}
	if (n)
		add(s, bytes, (size_t)n);
}

static enum kind scalar_kind(uint64_t type)
{
	return type == F32 || type == F64 ? K_FLOAT : type == BOOL ? K_BOOL : K_INT;
}

static void one_key(struct scan *s)
{
	uint64_t type, n;

	text(s, K_KEY_LEN, K_KEY_TEXT, true);
	type = number(s, K_KEY_TYPE, 4);
	if (type == STRING) {
		text(s, K_TEXT_LEN, K_TEXT, false);
		return;
	}
	if (type != ARRAY) {
		add(s, scalar_kind(type), type <= F64 ? widths[type] : SIZE_MAX);
		return;
	}
	type = number(s, K_ELEM_TYPE, 4);
	n = number(s, K_COUNT, 8);
	for (uint64_t i = 0; i < n && !s->bad; i++)
		if (type == STRING)
			text(s, K_ELEM_LEN, K_ELEM, false);
		else
			add(s, K_ELEM, type <= F64 && type != ARRAY ? widths[type] : SIZE_MAX);
}

static void one_tensor(struct scan *s)
{
	uint64_t dims;

	text(s, K_NAME_LEN, K_NAME, true);
	dims = number(s, K_DIMS, 4);
	for (uint64_t d = 0; d < dims && !s->bad; d++)
		add(s, K_NE, 8);
	add(s, K_TYPE, 4);
	add(s, K_OFFSET, 8);
}

static int by_kind(const void *va, const void *vb)
{
	const struct field *a = va, *b = vb;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

struct mutants *mutants_new(const unsigned char *file, size_t n)
{
	struct mutants *m = calloc(1, sizeof *m);
	struct scan s = { .m = m };
	uint64_t tensors, keys;

	if (!m)
		abort();
	m->p = file;
	m->size = n;
	add(&s, K_MAGIC, 4);
	add(&s, K_VERSION, 4);
	tensors = number(&s, K_N_TENSORS, 8);
	keys = number(&s, K_N_KEYS, 8);
	while (keys-- && !s.bad)
		one_key(&s);
	while (tensors-- && !s.bad)
		one_tensor(&s);
	m->data_at = (s.at + 31) / 32 * 32;
	if (s.bad || m->data_at + 4096 > n) {
		mutants_free(m);
		return NULL;
	}
	s.owner_n = 0;
	s.at = m->data_at;
	add(&s, K_DATA, n - m->data_at);
	s.at = 0;
	add(&s, K_END, 1);
	qsort(m->v, m->n, sizeof *m->v, by_kind);
	for (size_t i = m->n; i-- > 0; )
		m->first[m->v[i].kind] = i;
	m->first[N_KINDS] = m->n;
	return m;
}

void mutants_free(struct mutants *m)
{
	free(m->v);
	free(m);
}

/* -- what can be done to a field ------------------------------------------------------ */

struct work { const struct mutants *m; const struct field *f; uint64_t rnd; struct mutant *out; };

static void expect(struct work *w, bool refuse, unsigned codes)
{
	w->out->refuse = refuse;
	w->out->codes = codes;
}

static void patch(struct work *w, size_t at, const void *bytes, size_t n)
{
	struct mutant *o = w->out;

	if (n > MUTANT_BYTES)
		n = MUTANT_BYTES;
	memcpy(o->patch[o->n_patches].bytes, bytes, n);
	o->patch[o->n_patches].at = at;
	o->patch[o->n_patches++].n = n;
}

static void put(struct work *w, uint64_t v)
{
	unsigned char b[8];
	const size_t n = w->f->n < 8 ? w->f->n : 8, k = strlen(w->out->what);

	for (size_t i = 0; i < n; i++)
		b[i] = (unsigned char)(v >> 8 * i);
	patch(w, w->f->at, b, n);
	snprintf(w->out->what + k, sizeof w->out->what - k, ": %" PRIu64 " -> %" PRIu64, load(w->m->p + w->f->at, n), v);
}

static uint64_t old(const struct work *w)
{
	return load(w->m->p + w->f->at, w->f->n);
}

static bool owned_by(const struct work *w, const char *name)
{
	return w->f->owner_n == strlen(name) && !memcmp(w->f->owner, name, w->f->owner_n);
}

static uint64_t pick(struct work *w, const uint64_t *v, size_t n)
{
	return v[below(&w->rnd, n)];
}
#define PICK(w, ...) pick(w, (const uint64_t[]){ __VA_ARGS__ }, sizeof((const uint64_t[]){ __VA_ARGS__ }) / 8)

static uint64_t huge(struct work *w)
{
	return PICK(w, UINT64_MAX, INT64_MAX, (uint64_t)1 << 63, (uint64_t)1 << 61, (uint64_t)1 << 40, UINT64_MAX - 31,
		    UINT32_MAX, (uint64_t)1 << 33);
}

static void magic(struct work *w)
{
	unsigned char c;
	const size_t i = (size_t)below(&w->rnd, 4);

	c = (unsigned char)(w->m->p[i] ^ (1 + below(&w->rnd, 255)));
	patch(w, i, &c, 1);
	expect(w, true, FORMAT);
}

static void version(struct work *w)
{
	put(w, PICK(w, 0, 1, 4, 5, 100, 0x01000000, 0x04000000, UINT32_MAX));
	expect(w, true, UNSUPPORTED);
}

/* Written the other way round: the counts are beyond the file then. */
static void order(struct work *w)
{
	put(w, PICK(w, 0x02000000, 0x03000000));
	expect(w, true, FORMAT);
}

static void count_huge(struct work *w)
{
	put(w, huge(w));
	expect(w, true, FORMAT);
}

/* The reader comes out of step: what it meets then cannot be told but that it fails. */
static void count_off(struct work *w)
{
	put(w, old(w) + PICK(w, 1, 2, UINT64_MAX));
	expect(w, !(w->f->kind == K_N_TENSORS && w->out->patch[0].bytes[0] < (unsigned char)old(w)),
	       FORMAT | LIMIT | UNSUPPORTED);
}

static void length_huge(struct work *w)
{
	put(w, huge(w));
	expect(w, true, FORMAT);
}

static void length_off(struct work *w)
{
	put(w, old(w) + PICK(w, 1, 2, 3, UINT64_MAX, UINT64_MAX - 1));
	expect(w, false, FORMAT | LIMIT | UNSUPPORTED);
}

static void length_zero(struct work *w)
{
	put(w, 0);
	expect(w, true, FORMAT);
}

static void nul(struct work *w)
{
	const size_t i = (size_t)below(&w->rnd, w->f->n);

	patch(w, w->f->at + i, "", 1);
	expect(w, true, FORMAT);
}

/* A name that is another's of the same length, so that there are two of it. */
static void twin(struct work *w)
{
	const struct mutants *m = w->m;
	const size_t lo = m->first[w->f->kind], hi = m->first[w->f->kind + 1], n = hi - lo, from = (size_t)below(&w->rnd, n);

	for (size_t i = 0; i < n; i++) {
		const struct field *o = &m->v[lo + (from + i) % n];

		if (o == w->f || o->n != w->f->n || o->n > 2 * MUTANT_BYTES || o->owner == w->f->owner)
			continue;
		patch(w, w->f->at, m->p + o->at, o->n);
		if (o->n > MUTANT_BYTES)
			patch(w, w->f->at + MUTANT_BYTES, m->p + o->at + MUTANT_BYTES, o->n - MUTANT_BYTES);
		expect(w, true, FORMAT);
		return;
	}
	nul(w);
}

/* What a llama cannot do without. */
static const char *const required[] = {
	"general.architecture", "llama.context_length", "llama.embedding_length", "llama.block_count",
	"llama.feed_forward_length", "llama.attention.head_count", "llama.attention.layer_norm_rms_epsilon",
};

static bool is_required(const struct work *w)
{
	for (size_t i = 0; i < sizeof required / sizeof *required; i++)
		if (owned_by(w, required[i]))
			return true;
	return false;
}

static void key_renamed(struct work *w)
{
	const size_t i = (size_t)below(&w->rnd, w->f->n);
	/* a letter that no key has */
	patch(w, w->f->at + i, "Z", 1);
	expect(w, is_required(w), FORMAT);
}

static void type_unknown(struct work *w)
{
	put(w, PICK(w, 13, 14, 255, 65536, UINT32_MAX));
	expect(w, true, FORMAT);
}

static void type_other(struct work *w)
{
	put(w, (old(w) + 1 + below(&w->rnd, 12)) % 13);
	expect(w, false, FORMAT | LIMIT | UNSUPPORTED);
}

/* Values of hyper-parameters that cannot be, and some that can. */
static const struct { const char *key; uint64_t v; bool refuse; } values[] = {
	{ "llama.block_count", 0, true }, { "llama.block_count", 1025, true },
	{ "llama.block_count", UINT32_MAX, true }, { "llama.block_count", 6, true },
	{ "llama.block_count", 4, false }, { "llama.embedding_length", 0, true },
	{ "llama.embedding_length", 63, true }, { "llama.embedding_length", 65, true },
	{ "llama.embedding_length", 128, true }, { "llama.embedding_length", 1 << 30, true },
	{ "llama.feed_forward_length", 0, true }, { "llama.feed_forward_length", 171, true },
	{ "llama.feed_forward_length", 1 << 30, true }, { "llama.attention.head_count", 0, true },
	{ "llama.attention.head_count", 3, true }, { "llama.attention.head_count", 1 << 20, true },
	{ "llama.attention.head_count", UINT32_MAX, true }, { "llama.attention.head_count_kv", 0, true },
	{ "llama.attention.head_count_kv", 3, true }, { "llama.attention.head_count_kv", 8, true },
	{ "llama.attention.head_count_kv", UINT32_MAX, true }, { "llama.context_length", 0, true },
	{ "llama.context_length", UINT32_MAX, true }, { "llama.context_length", 1, false },
	{ "llama.context_length", 1 << 20, false }, { "llama.rope.dimension_count", 7, true },
	{ "llama.rope.dimension_count", 1000, true }, { "llama.rope.dimension_count", 4, false },
	{ "llama.rope.dimension_count", UINT32_MAX, true }, { "general.file_type", 12345, false },
	{ "llama.attention.layer_norm_rms_epsilon", 0x7fc00000, true },		/* NaN */
	{ "llama.attention.layer_norm_rms_epsilon", 0x7f800000, true },		/* Inf */
	{ "llama.attention.layer_norm_rms_epsilon", 0xbf800000, true },		/* -1 */
	{ "llama.rope.freq_base", 0x7fc00000, true }, { "llama.rope.freq_base", 0, true },
	{ "llama.rope.freq_base", 0xff800000, true }, { "llama.rope.freq_base", 0x42c80000, false },	/* 100 */
};

static void hyper(struct work *w)
{
	const struct mutants *m = w->m;
	const size_t n = sizeof values / sizeof *values, from = (size_t)below(&w->rnd, n);

	for (size_t i = 0; i < n; i++) {
		const char *key = values[(from + i) % n].key;

		for (size_t k = m->first[K_INT]; k < m->first[K_BOOL]; k++) {
			w->f = &m->v[k];
			if (!owned_by(w, key))
				continue;
			snprintf(w->out->what, sizeof w->out->what, "%s, value", key);
			put(w, values[(from + i) % n].v);
			expect(w, values[(from + i) % n].refuse, FORMAT);
			return;
		}
	}
}

static void any_value(struct work *w)
{
	put(w, below(&w->rnd, 2) ? mix(&w->rnd) : PICK(w, 0, 1, 2, 255, INT32_MAX, UINT32_MAX));
	expect(w, false, FORMAT | CONTEXT | ARG | UNSUPPORTED | LIMIT);
}

static void architecture(struct work *w)
{
	const struct mutants *m = w->m;

	for (size_t k = m->first[K_TEXT]; k < m->first[K_TEXT + 1]; k++) {
		w->f = &m->v[k];
		if (!owned_by(w, "general.architecture"))
			continue;
		snprintf(w->out->what, sizeof w->out->what, "general.architecture, a letter changed");
		patch(w, w->f->at + below(&w->rnd, w->f->n), "\x1b", 1);
		expect(w, true, UNSUPPORTED);
		return;
	}
}

static void any_text(struct work *w)
{
	const unsigned char c = (unsigned char)mix(&w->rnd);

	patch(w, w->f->at + below(&w->rnd, w->f->n), &c, 1);
	expect(w, false, FORMAT | UNSUPPORTED);
}

static void dims(struct work *w)
{
	const uint64_t v = PICK(w, 0, 5, 6, 64, 65536, UINT32_MAX);

	put(w, v);
	expect(w, true, v ? LIMIT : FORMAT);
}

static void dims_off(struct work *w)
{
	uint64_t v = 1 + below(&w->rnd, 4);

	if (v == old(w))
		v = v % 4 + 1;
	put(w, v);
	expect(w, true, FORMAT | LIMIT | UNSUPPORTED);
}

static void shape_huge(struct work *w)
{
	put(w, PICK(w, 0, UINT64_MAX, INT64_MAX, (uint64_t)1 << 63, (uint64_t)1 << 62, (uint64_t)1 << 60, (uint64_t)1 << 40));
	expect(w, true, FORMAT);
}

static void shape_off(struct work *w)
{
	put(w, old(w) + PICK(w, 1, UINT64_MAX, 32, 256, old(w)));
	expect(w, true, FORMAT);
}

static void tensor_type(struct work *w)
{
	uint64_t v = below(&w->rnd, 48);

	if (v == old(w))
		v = 1000;
	put(w, v);
	expect(w, false, FORMAT | UNSUPPORTED);
}

static void tensor_type_unknown(struct work *w)
{
	put(w, PICK(w, 4, 5, 31, 33, 37, 43, 1000, UINT32_MAX));
	expect(w, true, UNSUPPORTED);
}

static void offset_off(struct work *w)
{
	put(w, old(w) + 1 + below(&w->rnd, 31));
	expect(w, true, FORMAT);
}

static void offset_huge(struct work *w)
{
	put(w, PICK(w, UINT64_MAX, UINT64_MAX - 31, (uint64_t)1 << 63, (uint64_t)1 << 40, UINT64_MAX / 32 * 32,
		    w->m->size / 32 * 32));
	expect(w, true, FORMAT);
}

/* Onto another tensor. */
static void offset_other(struct work *w)
{
	const size_t lo = w->m->first[K_OFFSET], n = w->m->first[K_OFFSET + 1] - lo;
	const struct field *o = &w->m->v[lo + below(&w->rnd, n)];

	if (o == w->f)
		o = &w->m->v[lo + (size_t)(o - w->m->v - (ptrdiff_t)lo + 1) % n];
	put(w, load(w->m->p + o->at, 8));
	expect(w, true, FORMAT);
}

static void name_changed(struct work *w)
{
	patch(w, w->f->at + below(&w->rnd, w->f->n), "Z", 1);
	expect(w, !owned_by(w, "output.weight"), FORMAT);
}

/* Weights may be anything: numbers come out, be they not-a-number. */
static void data(struct work *w)
{
	unsigned char b[MUTANT_BYTES];
	const bool ones = below(&w->rnd, 2);

	for (size_t i = 0; i < sizeof b; i++)
		b[i] = ones ? 0xff : (unsigned char)mix(&w->rnd);
	patch(w, w->f->at + below(&w->rnd, w->f->n - sizeof b), b, sizeof b);
	expect(w, false, 0);
}

static void cut_head(struct work *w)
{
	w->out->size = (size_t)below(&w->rnd, w->m->data_at);
	expect(w, true, FORMAT);
}

static void cut_data(struct work *w)
{
	w->out->size = w->m->data_at + (size_t)below(&w->rnd, w->m->size - w->m->data_at - 64);
	expect(w, true, FORMAT);
}

static void longer(struct work *w)
{
	w->out->size += 1 + (size_t)below(&w->rnd, 4096);
	expect(w, false, 0);
}

static const struct { const char *name; enum kind kind; void (*make)(struct work *w); } makers[] = {
	{ "magic", K_MAGIC, magic },		{ "version", K_VERSION, version },
	{ "byte order", K_VERSION, order },
	{ "tensor count", K_N_TENSORS, count_huge },	{ "tensor count", K_N_TENSORS, count_off },
	{ "key count", K_N_KEYS, count_huge },	{ "key count", K_N_KEYS, count_off },
	{ "key length", K_KEY_LEN, length_huge },	{ "key length", K_KEY_LEN, length_off },
	{ "key length", K_KEY_LEN, length_zero },
	{ "NUL in a key", K_KEY_TEXT, nul },	{ "key twice", K_KEY_TEXT, twin },
	{ "key renamed", K_KEY_TEXT, key_renamed },
	{ "value type", K_KEY_TYPE, type_unknown },	{ "value type", K_KEY_TYPE, type_other },
	{ "value", K_INT, hyper },	{ "value", K_INT, hyper },	{ "value", K_INT, hyper },
	{ "value", K_INT, any_value },	{ "value", K_FLOAT, any_value },	{ "value", K_BOOL, any_value },
	{ "text length", K_TEXT_LEN, length_huge },	{ "text length", K_TEXT_LEN, length_off },
	{ "architecture", K_TEXT, architecture },	{ "text", K_TEXT, any_text },
	{ "element type", K_ELEM_TYPE, type_unknown },	{ "element type", K_ELEM_TYPE, type_other },
	{ "count", K_COUNT, count_huge },	{ "count", K_COUNT, count_off },
	{ "element", K_ELEM, any_text },
	{ "length of an element", K_ELEM_LEN, length_huge },	{ "length of an element", K_ELEM_LEN, length_off },
	{ "name length", K_NAME_LEN, length_huge },	{ "name length", K_NAME_LEN, length_off },
	{ "name length", K_NAME_LEN, length_zero },
	{ "NUL in a name", K_NAME, nul },	{ "tensor twice", K_NAME, twin },	{ "name", K_NAME, name_changed },
	{ "dimensions", K_DIMS, dims },		{ "dimensions", K_DIMS, dims_off },
	{ "shape", K_NE, shape_huge },		{ "shape", K_NE, shape_off },
	{ "type", K_TYPE, tensor_type },	{ "type", K_TYPE, tensor_type_unknown },
	{ "offset", K_OFFSET, offset_off },	{ "offset", K_OFFSET, offset_huge },
	{ "offset", K_OFFSET, offset_other },
	{ "weights", K_DATA, data },		{ "cut in the head", K_END, cut_head },
	{ "cut in the data", K_END, cut_data },	{ "longer", K_END, longer },
};

void mutants_make(const struct mutants *m, uint64_t count, struct mutant *out)
{
	struct work w = { .m = m, .rnd = count, .out = out };
	size_t i, n;

	*out = (struct mutant){ .size = m->size };
	mix(&w.rnd);
	do {
		i = (size_t)below(&w.rnd, sizeof makers / sizeof *makers);
		n = m->first[makers[i].kind + 1] - m->first[makers[i].kind];
	} while (!n);
	w.f = &m->v[m->first[makers[i].kind] + (size_t)below(&w.rnd, n)];
	snprintf(out->what, sizeof out->what, "%.*s%s%s at %zu", (int)(w.f->owner_n < 80 ? w.f->owner_n : 80),
		 w.f->owner ? (const char *)w.f->owner : "", w.f->owner_n ? ", " : "", makers[i].name, w.f->at);
	makers[i].make(&w);
}
