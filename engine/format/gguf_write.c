#include "config.h"
#include "engine/format/gguf_write.h"
#include "engine/base/str.h"
#include "engine/base/xio.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ALIGN = 32, FORMAT = 3, HEAD_CAP = 512 << 20, TRIES = 100 };

struct slot { uint64_t at, bytes; };	/* of a tensor's data, from where data begins */

struct gguf_writer {
	struct str kv, infos;		/* the two parts of the head, as bytes */
	uint64_t n_kv;
	struct slot *slots;
	size_t n_slots, size_slots;
	uint64_t data, end;		/* where data begins; its length so far */
	char *path, *temp;
	int fd;
};

int gguf_writer_new(struct gguf_writer **out, struct err *e)
{
	struct gguf_writer *w = mem_calloc(1, sizeof *w);

	*out = w;
	if (!w)
		return err_set(e, ERR_NOMEM, "no memory for writing a file");
	str_init(&w->kv, HEAD_CAP);
	str_init(&w->infos, HEAD_CAP);
	w->fd = -1;
	return 0;
}

void gguf_writer_free(struct gguf_writer *w)
{
	if (!w)
		return;
	xio_close(w->fd, w->path, NULL);
	if (w->temp)
		xio_unlink(w->temp, NULL);
	str_release(&w->kv);
	str_release(&w->infos);
	mem_free(w->slots);
	mem_free(w->path);
	mem_free(w->temp);
	mem_free(w);
}

/* -- fields ------------------------------------------------------------------------ */

static void add_uint(struct str *s, uint64_t v, int width)
{
	unsigned char b[8];

	for (int i = 0; i < width; i++)
		b[i] = (unsigned char)(v >> 8 * i);
	str_add(s, b, (size_t)width);
}

static void add_f32(struct str *s, float v)
{
	uint32_t u;

	memcpy(&u, &v, sizeof u);
	add_uint(s, u, 4);
}

static void add_f64(struct str *s, double v)
{
	uint64_t u;

	memcpy(&u, &v, sizeof u);
	add_uint(s, u, 8);
}

static void add_string(struct str *s, const char *p, size_t n)
{
	add_uint(s, n, 8);
	str_add(s, p, n);
}

static void begin_key(struct gguf_writer *w, const char *key, size_t n, enum gguf_type type)
{
	add_string(&w->kv, key, n);
	add_uint(&w->kv, type, 4);
	w->n_kv++;
}

static void begin_array(struct gguf_writer *w, const char *key, enum gguf_type type, size_t n)
{
	begin_key(w, key, strlen(key), GGUF_ARRAY);
	add_uint(&w->kv, type, 4);
	add_uint(&w->kv, n, 8);
}

void gguf_writer_u32(struct gguf_writer *w, const char *key, uint32_t v)
{
	begin_key(w, key, strlen(key), GGUF_U32);
	add_uint(&w->kv, v, 4);
}

void gguf_writer_f32(struct gguf_writer *w, const char *key, float v)
{
	begin_key(w, key, strlen(key), GGUF_F32);
	add_f32(&w->kv, v);
}

void gguf_writer_bool(struct gguf_writer *w, const char *key, bool v)
{
	begin_key(w, key, strlen(key), GGUF_BOOL);
	add_uint(&w->kv, v, 1);
}

void gguf_writer_str(struct gguf_writer *w, const char *key, const char *v, size_t n)
{
	begin_key(w, key, strlen(key), GGUF_STRING);
	add_string(&w->kv, v, n);
}

void gguf_writer_i32s(struct gguf_writer *w, const char *key, const int32_t *v, size_t n)
{
	begin_array(w, key, GGUF_I32, n);
	for (size_t i = 0; i < n; i++)
		add_uint(&w->kv, (uint32_t)v[i], 4);
}

void gguf_writer_f32s(struct gguf_writer *w, const char *key, const float *v, size_t n)
{
	begin_array(w, key, GGUF_F32, n);
	for (size_t i = 0; i < n; i++)
		add_f32(&w->kv, v[i]);
}

void gguf_writer_strs(struct gguf_writer *w, const char *key, const struct gguf_str *v, size_t n)
{
	begin_array(w, key, GGUF_STRING, n);
	for (size_t i = 0; i < n; i++)
		add_string(&w->kv, v[i].p, v[i].n);
}

/* -- keys of another file ---------------------------------------------------------- */

static int copy_strings(struct gguf_writer *w, const struct gguf *g, const struct gguf_kv *kv,
			struct err *e)
{
	struct gguf_str *s = mem_array(kv->count, sizeof *s);
	int r;

	if (!s)
		return err_set(e, ERR_NOMEM, "no memory for %" PRIu64 " strings", kv->count);
	r = gguf_strings(g, kv, s, e);
	for (uint64_t i = 0; i < kv->count && !r; i++)
		add_string(&w->kv, s[i].p, s[i].n);
	mem_free(s);
	return r;
}

int gguf_writer_copy(struct gguf_writer *w, const struct gguf *g, const struct gguf_kv *kv,
		     struct err *e)
{
	static const int width[GGUF_NTYPES] = {
		[GGUF_U8] = 1, [GGUF_I8] = 1, [GGUF_BOOL] = 1, [GGUF_U16] = 2, [GGUF_I16] = 2,
		[GGUF_U32] = 4, [GGUF_I32] = 4, [GGUF_U64] = 8, [GGUF_I64] = 8,
	};
	char q[80];

	if (kv->type == GGUF_ARRAY)
		return err_set(e, ERR_UNSUPPORTED,
			       "%s: key '%s' is an array of arrays, which cannot be copied",
			       gguf_path(g), err_quote(q, sizeof q, kv->key.p, kv->key.n));
	begin_key(w, kv->key.p, kv->key.n, kv->is_array ? GGUF_ARRAY : kv->type);
	if (kv->is_array) {
		add_uint(&w->kv, kv->type, 4);
		add_uint(&w->kv, kv->count, 8);
	}
	if (kv->type == GGUF_STRING)
		return copy_strings(w, g, kv, e);
	for (uint64_t i = 0; i < kv->count; i++) {
		if (kv->type == GGUF_F32)
			add_f32(&w->kv, (float)gguf_elem_f64(g, kv, i));
		else if (kv->type == GGUF_F64)
			add_f64(&w->kv, gguf_elem_f64(g, kv, i));
		else
			add_uint(&w->kv, (uint64_t)gguf_elem_i64(g, kv, i), width[kv->type]);
	}
	return 0;
}

/* -- tensors ----------------------------------------------------------------------- */

static int grow_slots(struct gguf_writer *w, struct err *e)
{
	const size_t size = w->size_slots ? 2 * w->size_slots : 256;
	struct slot *s = mem_rearray(w->slots, size, sizeof *s);

	if (!s)
		return err_set(e, ERR_NOMEM, "no memory for a list of tensors");
	w->slots = s;
	w->size_slots = size;
	return 0;
}

int gguf_writer_tensor(struct gguf_writer *w, const char *name, uint32_t type, int n_dims,
		       const int64_t *ne, uint64_t bytes, struct err *e)
{
	if (bytes > INT64_MAX - ALIGN - w->end)
		return err_set(e, ERR_LIMIT, "tensor %s makes the file longer than 2^63 bytes",
			       name);
	if (w->n_slots == w->size_slots && grow_slots(w, e) < 0)
		return -1;
	add_string(&w->infos, name, strlen(name));
	add_uint(&w->infos, (uint64_t)n_dims, 4);
	for (int i = 0; i < n_dims; i++)
		add_uint(&w->infos, (uint64_t)ne[i], 8);
	add_uint(&w->infos, type, 4);
	add_uint(&w->infos, w->end, 8);
	w->slots[w->n_slots++] = (struct slot){ .at = w->end, .bytes = bytes };
	w->end += (bytes + ALIGN - 1) / ALIGN * ALIGN;
	return 0;
}

/* -- the file ---------------------------------------------------------------------- */

/* A name that was free, for the new file or for the one that has none yet. */
static int try_name(struct gguf_writer *w, struct err *e)
{
	if (w->fd >= 0)
		return xio_link(w->fd, w->temp, e);
	w->fd = xio_open(w->temp, O_RDWR | O_CREAT | O_EXCL, 0666, e);
	return w->fd < 0 ? -1 : 0;
}

/* Beside the final name, so that the rename stays inside one file system. */
static int take_name(struct gguf_writer *w, struct err *e)
{
	const size_t size = strlen(w->path) + 48;

	w->temp = mem_alloc(size);
	if (!w->temp)
		return err_set(e, ERR_NOMEM, "no memory for a path");
	for (int i = 0; i < TRIES; i++) {
		snprintf(w->temp, size, "%s.%ld-%d.part", w->path, (long)getpid(), i);
		if (!try_name(w, e))
			return 0;
		if (access(w->temp, F_OK) < 0)
			break;
	}
	/* what is not ours must not be removed */
	mem_free(w->temp);
	w->temp = NULL;
	return -1;
}

/* Without a name while it is written, where that can be: whatever ends the program, nothing is left. */
static int open_file(struct gguf_writer *w, const char *path, struct err *e)
{
	w->path = mem_strdup(path);
	if (!w->path)
		return err_set(e, ERR_NOMEM, "no memory for a path");
	w->fd = xio_open_nameless(path, 0666, NULL);
	return w->fd < 0 ? take_name(w, e) : 0;
}

/* Magic, version, two counts, keys, tensors. */
static uint64_t head_bytes(const struct gguf_writer *w)
{
	return 4 + 4 + 8 + 8 + w->kv.len + w->infos.len;
}

static uint64_t data_start(const struct gguf_writer *w)
{
	return (head_bytes(w) + ALIGN - 1) / ALIGN * ALIGN;
}

uint64_t gguf_writer_size(const struct gguf_writer *w)
{
	return data_start(w) + w->end;
}

static int write_head(struct gguf_writer *w, struct err *e)
{
	static const char zero[ALIGN];
	struct str s;
	uint64_t head = head_bytes(w), at;
	int r = 0;

	str_init(&s, 0);
	str_adds(&s, "GGUF");
	add_uint(&s, FORMAT, 4);
	add_uint(&s, w->n_slots, 8);
	add_uint(&s, w->n_kv, 8);
	w->data = data_start(w);
	at = s.len;
	if (s.failed || w->kv.failed || w->infos.failed)
		r = err_set(e, ERR_NOMEM, "no memory for the head of %s", w->path);
	if (r < 0 || xio_pwrite(w->fd, s.p, s.len, 0, w->path, e) < 0 ||
	    xio_pwrite(w->fd, w->kv.p, w->kv.len, at, w->path, e) < 0 ||
	    xio_pwrite(w->fd, w->infos.p, w->infos.len, at + w->kv.len, w->path, e) < 0 ||
	    xio_pwrite(w->fd, zero, (size_t)(w->data - head), head, w->path, e) < 0)
		r = -1;
	/* the last byte gives the length: what lies before it and is not put reads as zero */
	if (!r && w->end && xio_pwrite(w->fd, zero, 1, w->data + w->end - 1, w->path, e) < 0)
		r = -1;
	str_release(&s);
	return r;
}

int gguf_writer_open(struct gguf_writer *w, const char *path, struct err *e)
{
	return open_file(w, path, e) < 0 ? -1 : write_head(w, e);
}


int gguf_writer_put(struct gguf_writer *w, int64_t tensor, uint64_t at, const void *p, size_t n,
		    struct err *e)
{
	const struct slot *s = &w->slots[tensor];

	assert(at <= s->bytes && n <= s->bytes - at);
	return xio_pwrite(w->fd, p, n, w->data + s->at + at, w->path, e);
}

int gguf_writer_commit(struct gguf_writer *w, struct err *e)
{
	const int fd = w->fd;

	if (xio_fsync(fd, w->path, e) < 0 || (!w->temp && take_name(w, e) < 0))
		return -1;
	w->fd = -1;
	if (xio_close(fd, w->path, e) < 0 || xio_rename(w->temp, w->path, e) < 0)
		return -1;
	mem_free(w->temp);
	w->temp = NULL;
	/* the name too must outlive a power cut; not every file system can be asked for that */
	xio_fsync_folder(w->path, NULL);
	return 0;
}
