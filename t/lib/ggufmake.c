#include "config.h"
#include "t/lib/ggufmake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct buf { unsigned char *p; size_t n, size; };

struct spot { char *name; enum gm_field field; size_t at; };

struct tensor { char *name; uint32_t type; int n_dims; int64_t ne[8]; uint64_t offset; };

struct ggufmake {
	bool big;
	uint32_t version, align;
	bool align_set;
	struct buf keys, data, file;
	uint64_t hole;			/* bytes behind the data */
	size_t n_keys;
	struct tensor *tensors;
	size_t n_tensors;
	struct spot *spots;		/* of keys: offsets in `keys`; of tensors: in the file, once built */
	size_t n_spots, n_key_spots;
	bool built;
};

enum { HEADER = 24 };
enum { T_U8, T_I8, T_U16, T_I16, T_U32, T_I32, T_F32, T_BOOL, T_STRING, T_ARRAY, T_U64, T_I64, T_F64 };

static void *must(void *p)
{
	if (!p) {
		fputs("Bail out! ggufmake: no memory or misuse\n", stdout);
		abort();
	}
	return p;
}

static void add(struct buf *b, const void *p, size_t n)
{
	if (b->n + n > b->size) {
		b->size = (b->n + n) * 2;
		b->p = must(realloc(b->p, b->size));
	}
	if (!n)
		return;
	if (p)
		memcpy(b->p + b->n, p, n);
	else
		memset(b->p + b->n, 0, n);
	b->n += n;
}

static void store(unsigned char *p, int width, uint64_t v, bool big)
{
	for (int i = 0; i < width; i++)
		p[big ? width - 1 - i : i] = (unsigned char)(v >> 8 * i);
}

static void add_num(const struct ggufmake *m, struct buf *b, int width, uint64_t v)
{
	unsigned char bytes[8];

	store(bytes, width, v, m->big);
	add(b, bytes, (size_t)width);
}

static void add_text(const struct ggufmake *m, struct buf *b, const char *s, size_t n)
{
	add_num(m, b, 8, n);
	add(b, s, n);
}

/* Room for one more of n things: doubled whenever n is a power of two. */
static void *room(void *p, size_t n, size_t size)
{
	return n & (n - 1) ? p : must(realloc(p, (n ? 2 * n : 1) * size));
}

static void mark(struct ggufmake *m, const char *name, enum gm_field field, size_t at)
{
	m->spots = room(m->spots, m->n_spots, sizeof *m->spots);
	m->spots[m->n_spots++] = (struct spot){ must(strdup(name ? name : "")), field, at };
}

struct ggufmake *gm_new(void)
{
	struct ggufmake *m = must(calloc(1, sizeof *m));

	m->version = 3;
	m->align = 32;
	return m;
}

static void drop_spots(struct ggufmake *m, size_t keep)
{
	while (m->n_spots > keep)
		free(m->spots[--m->n_spots].name);
}

void gm_free(struct ggufmake *m)
{
	drop_spots(m, 0);
	for (size_t i = 0; i < m->n_tensors; i++)
		free(m->tensors[i].name);
	free(m->tensors);
	free(m->spots);
	free(m->keys.p);
	free(m->data.p);
	free(m->file.p);
	free(m);
}

void gm_version(struct ggufmake *m, uint32_t version)
{
	m->version = version;
}

void gm_big_endian(struct ggufmake *m)
{
	m->big = true;
}

/* A change after the file was built: what the building added goes. */
static void reopen(struct ggufmake *m)
{
	if (m->built)
		drop_spots(m, m->n_key_spots);
	m->built = false;
}

static void begin_key(struct ggufmake *m, const char *key, uint32_t type)
{
	reopen(m);
	m->n_keys++;
	mark(m, key, GM_NAME, HEADER + m->keys.n);
	add_text(m, &m->keys, key, strlen(key));
	mark(m, key, GM_TYPE, HEADER + m->keys.n);
	add_num(m, &m->keys, 4, type);
	if (type != T_ARRAY)
		mark(m, key, GM_VALUE, HEADER + m->keys.n);
	m->n_key_spots = m->n_spots;
}

static void begin_array(struct ggufmake *m, const char *key, uint32_t type, size_t n)
{
	begin_key(m, key, T_ARRAY);
	mark(m, key, GM_ELEM_TYPE, HEADER + m->keys.n);
	add_num(m, &m->keys, 4, type);
	mark(m, key, GM_COUNT, HEADER + m->keys.n);
	add_num(m, &m->keys, 8, n);
	mark(m, key, GM_VALUE, HEADER + m->keys.n);
	m->n_key_spots = m->n_spots;
}

static void scalar(struct ggufmake *m, const char *key, uint32_t type, int width, uint64_t v)
{
	begin_key(m, key, type);
	add_num(m, &m->keys, width, v);
}

void gm_align(struct ggufmake *m, uint32_t align)
{
	m->align = align;
	gm_u32(m, "general.alignment", align);
}

void gm_u8(struct ggufmake *m, const char *key, uint8_t v) { scalar(m, key, T_U8, 1, v); }
void gm_i8(struct ggufmake *m, const char *key, int8_t v) { scalar(m, key, T_I8, 1, (uint64_t)v); }
void gm_u16(struct ggufmake *m, const char *key, uint16_t v) { scalar(m, key, T_U16, 2, v); }
void gm_i16(struct ggufmake *m, const char *key, int16_t v) { scalar(m, key, T_I16, 2, (uint64_t)v); }
void gm_u32(struct ggufmake *m, const char *key, uint32_t v) { scalar(m, key, T_U32, 4, v); }
void gm_i32(struct ggufmake *m, const char *key, int32_t v) { scalar(m, key, T_I32, 4, (uint64_t)v); }
void gm_u64(struct ggufmake *m, const char *key, uint64_t v) { scalar(m, key, T_U64, 8, v); }
void gm_i64(struct ggufmake *m, const char *key, int64_t v) { scalar(m, key, T_I64, 8, (uint64_t)v); }
void gm_bool(struct ggufmake *m, const char *key, bool v) { scalar(m, key, T_BOOL, 1, v); }

static uint32_t f32_bits(float v)
{
	uint32_t bits;

	memcpy(&bits, &v, 4);
	return bits;
}

void gm_f32(struct ggufmake *m, const char *key, float v)
{
	scalar(m, key, T_F32, 4, f32_bits(v));
}

void gm_f64(struct ggufmake *m, const char *key, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, 8);
	scalar(m, key, T_F64, 8, bits);
}

void gm_strn(struct ggufmake *m, const char *key, const char *v, size_t n)
{
	begin_key(m, key, T_STRING);
	add_text(m, &m->keys, v, n);
}

void gm_str(struct ggufmake *m, const char *key, const char *v)
{
	gm_strn(m, key, v, strlen(v));
}

void gm_i32s(struct ggufmake *m, const char *key, const int32_t *v, size_t n)
{
	begin_array(m, key, T_I32, n);
	for (size_t i = 0; i < n; i++)
		add_num(m, &m->keys, 4, (uint64_t)v[i]);
}

void gm_f32s(struct ggufmake *m, const char *key, const float *v, size_t n)
{
	begin_array(m, key, T_F32, n);
	for (size_t i = 0; i < n; i++)
		add_num(m, &m->keys, 4, f32_bits(v[i]));
}

void gm_bools(struct ggufmake *m, const char *key, const bool *v, size_t n)
{
	begin_array(m, key, T_BOOL, n);
	for (size_t i = 0; i < n; i++)
		add_num(m, &m->keys, 1, v[i]);
}

void gm_strs(struct ggufmake *m, const char *key, const char *const *v, size_t n)
{
	begin_array(m, key, T_STRING, n);
	for (size_t i = 0; i < n; i++)
		add_text(m, &m->keys, v[i], strlen(v[i]));
}

void gm_raw(struct ggufmake *m, const char *key, uint32_t type, const void *value, size_t n)
{
	begin_key(m, key, type);
	add(&m->keys, value, n);
}

void gm_tensor(struct ggufmake *m, const char *name, uint32_t type, int n_dims, const int64_t *ne,
	       const void *data, size_t bytes)
{
	const size_t width = type == GM_F32 ? 4 : type == GM_F16 ? 2 : 1;
	struct tensor *t;

	reopen(m);
	must(n_dims <= 8 ? m : NULL);
	m->tensors = room(m->tensors, m->n_tensors, sizeof *m->tensors);
	t = &m->tensors[m->n_tensors++];
	*t = (struct tensor){ .name = must(strdup(name)), .type = type, .n_dims = n_dims };
	memcpy(t->ne, ne, (size_t)n_dims * sizeof *ne);
	if (m->align && m->data.n % m->align)
		add(&m->data, NULL, m->align - m->data.n % m->align);
	t->offset = m->data.n;
	add(&m->data, data, bytes);
	for (size_t i = 0; m->big && i < bytes / width; i++) {
		unsigned char *p = m->data.p + t->offset + i * width, v[4];

		memcpy(v, p, width);
		for (size_t k = 0; k < width; k++)
			p[k] = v[width - 1 - k];
	}
}

void gm_hole(struct ggufmake *m, const char *name, uint32_t type, int n_dims, const int64_t *ne, uint64_t bytes)
{
	const uint64_t align = m->align ? m->align : 1, at = (m->data.n + m->hole + align - 1) / align * align;

	gm_tensor(m, name, type, n_dims, ne, NULL, 0);
	m->tensors[m->n_tensors - 1].offset = at;
	m->hole = at + bytes - m->data.n;
}

static void build(struct ggufmake *m)
{
	struct buf *f = &m->file;

	if (m->built)
		return;
	f->n = 0;
	add(f, "GGUF", 4);
	mark(m, NULL, GM_VERSION, f->n);
	add_num(m, f, 4, m->version);
	mark(m, NULL, GM_N_TENSORS, f->n);
	add_num(m, f, 8, m->n_tensors);
	mark(m, NULL, GM_N_KEYS, f->n);
	add_num(m, f, 8, m->n_keys);
	add(f, m->keys.p, m->keys.n);
	for (size_t i = 0; i < m->n_tensors; i++) {
		const struct tensor *t = &m->tensors[i];

		mark(m, t->name, GM_NAME, f->n);
		add_text(m, f, t->name, strlen(t->name));
		mark(m, t->name, GM_DIMS, f->n);
		add_num(m, f, 4, (uint64_t)t->n_dims);
		mark(m, t->name, GM_NE, f->n);
		for (int d = 0; d < t->n_dims; d++)
			add_num(m, f, 8, (uint64_t)t->ne[d]);
		mark(m, t->name, GM_TYPE, f->n);
		add_num(m, f, 4, t->type);
		mark(m, t->name, GM_OFFSET, f->n);
		add_num(m, f, 8, t->offset);
	}
	if (m->n_tensors) {
		if (m->align && f->n % m->align)
			add(f, NULL, m->align - f->n % m->align);
		add(f, m->data.p, m->data.n);
	}
	m->built = true;
}

unsigned char *gm_bytes(struct ggufmake *m, size_t *n)
{
	build(m);
	*n = m->file.n;
	return m->file.p;
}

void gm_write(struct ggufmake *m, const char *path)
{
	FILE *f;

	build(m);
	f = must(fopen(path, "wb"));
	must(fwrite(m->file.p, 1, m->file.n, f) == m->file.n ? m : NULL);
	must(!m->hole || (!fflush(f) && !ftruncate(fileno(f), (off_t)(m->file.n + m->hole))) ? m : NULL);
	must(fclose(f) ? NULL : m);
}

size_t gm_spot(struct ggufmake *m, const char *name, enum gm_field field)
{
	build(m);
	for (size_t i = 0; i < m->n_spots; i++)
		if (m->spots[i].field == field && !strcmp(m->spots[i].name, name ? name : ""))
			return m->spots[i].at;
	must(NULL);
	return 0;
}

void gm_poke(struct ggufmake *m, size_t at, int width, uint64_t v)
{
	build(m);
	must(at + (size_t)width <= m->file.n ? m : NULL);
	store(m->file.p + at, width, v, m->big);
}
