/*
 * GGUF files, written: version 3, little endian, alignment 32. Keys first, then the list of
 * tensors with their sizes, then the data of each in any order and from any thread; the
 * file takes its name only when it is whole.
 *
 *	gguf_writer_new(&w, e);
 *	gguf_writer_copy(w, g, kv, e);			any number of keys
 *	gguf_writer_tensor(w, "token_embd.weight", type, 2, ne, bytes, e);
 *	gguf_writer_open(w, path, e);			a file in the same folder, with all but the data
 *	gguf_writer_put(w, 0, 0, data, bytes, e);	tensor 0 from its byte 0 on
 *	gguf_writer_commit(w, e);			on disk, then renamed to path
 *	gguf_writer_free(w);				removes what was not committed
 *
 * What is never put is zero. Keys must not repeat: readers refuse that.
 */
#ifndef ENGINE_FORMAT_GGUF_WRITE_H
#define ENGINE_FORMAT_GGUF_WRITE_H

#include "engine/format/gguf.h"

struct gguf_writer;

int gguf_writer_new(struct gguf_writer **out, struct err *e);
void gguf_writer_free(struct gguf_writer *w);

/* Before gguf_writer_open(). Lack of memory is told there. */
void gguf_writer_u32(struct gguf_writer *w, const char *key, uint32_t v);
void gguf_writer_f32(struct gguf_writer *w, const char *key, float v);
void gguf_writer_bool(struct gguf_writer *w, const char *key, bool v);
void gguf_writer_str(struct gguf_writer *w, const char *key, const char *v, size_t n);
void gguf_writer_i32s(struct gguf_writer *w, const char *key, const int32_t *v, size_t n);
void gguf_writer_f32s(struct gguf_writer *w, const char *key, const float *v, size_t n);
void gguf_writer_strs(struct gguf_writer *w, const char *key, const struct gguf_str *v, size_t n);
/* A key of an open file, of either byte order. ERR_UNSUPPORTED: an array of arrays. */
int gguf_writer_copy(struct gguf_writer *w, const struct gguf *g, const struct gguf_kv *kv,
		     struct err *e);
/* Tensors get the numbers 0, 1, … in the order of these calls. ne fastest first. */
int gguf_writer_tensor(struct gguf_writer *w, const char *name, uint32_t type, int n_dims,
		       const int64_t *ne, uint64_t bytes, struct err *e);

int gguf_writer_open(struct gguf_writer *w, const char *path, struct err *e);
uint64_t gguf_writer_size(const struct gguf_writer *w);		/* of the whole file, when all is told */
/* Any thread; the bytes must lie inside the tensor. */
int gguf_writer_put(struct gguf_writer *w, int64_t tensor, uint64_t at, const void *p, size_t n,
		    struct err *e);
int gguf_writer_commit(struct gguf_writer *w, struct err *e);

#endif
