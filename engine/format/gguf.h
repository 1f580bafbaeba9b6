/*
 * GGUF files, read. The format: github.com/ggml-org/ggml docs/gguf.md (versions 2
 * and 3; version 1 has 32-bit counts and is refused, as its makers' reader does).
 *
 *   magic "GGUF" | u32 version | u64 tensors | u64 keys
 *   keys:    string key, u32 type, value (string: u64 length + bytes; array: u32 type, u64 count, values)
 *   tensors: string name, u32 dims, u64 ne[dims] (fastest first), u32 type, u64 offset
 *   padding to general.alignment (default 32), then the data; offsets count from there
 *
 * A big-endian file has the same layout with every number swapped (its version reads as
 * 0x03000000). A model may lie in several files, name-00001-of-0000N.gguf and so on: the
 * first holds the keys that count, each holds its own tensors; opening the first opens all.
 *
 * Everything in it is hostile: each count is held against the bytes that are left
 * before memory is taken, products and sums are checked, names and shapes are
 * bounded (caps below), tensors may not overlap. The file is mapped; strings and numbers
 * are read in place. It may be cut while mapped: format/map.h turns that into zeros and a
 * flag, gguf_check() into an error.
 *
 * Once open a gguf does not change, and any number of threads may read it.
 */
#ifndef ENGINE_FORMAT_GGUF_H
#define ENGINE_FORMAT_GGUF_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bounds of the loader (docs: "Defaults" of the security page). */
enum {
	GGUF_MAX_KEYS = 65536,
	GGUF_MAX_TENSORS = 65536,
	GGUF_MAX_KEY = 65536,			/* bytes of a key or tensor name */
	GGUF_MAX_STRING = 16 << 20,
	GGUF_MAX_DIMS = 4,
	GGUF_MAX_ALIGN = 1 << 20,
	GGUF_MAX_DEPTH = 8,			/* arrays in arrays; they are skipped, never read */
	GGUF_MAX_PARTS = 1024,
};

enum gguf_type {
	GGUF_U8, GGUF_I8, GGUF_U16, GGUF_I16, GGUF_U32, GGUF_I32, GGUF_F32, GGUF_BOOL,
	GGUF_STRING, GGUF_ARRAY, GGUF_U64, GGUF_I64, GGUF_F64, GGUF_NTYPES
};

/* A string inside the mapping: not NUL-terminated, may hold any byte. */
struct gguf_str { const char *p; size_t n; };

struct gguf_kv {
	struct gguf_str key;
	enum gguf_type type;		/* of the value; of the elements when is_array */
	bool is_array;
	uint64_t count;			/* elements; 1 unless is_array */
	uint64_t at;			/* file offset of the value (of the first element) */
};

/* How a tensor type lies in a file. Format does not know types: whoever opens a file tells. */
struct gguf_layout {
	const char *name;		/* "Q4_0" */
	int block, bytes;		/* weights a block and bytes a block; a row is whole blocks */
	bool flat;			/* blocks run on across rows: the tensor is whole blocks */
	int tail;			/* bytes after the last row, once a tensor; they begin with an F32 */
	/* what byte order matters to */
	bool word;			/* a block is one 32-bit number */
	int n_half, half[2];		/* else: 16-bit numbers in a block, and where */
};
/* Fills *out; false for a type it does not know. quant_layout() of quant/layout.h is the one to pass. */
typedef bool gguf_layout_fn(uint32_t type, struct gguf_layout *out);

struct gguf_tensor {
	const char *name;		/* NUL-terminated copy, owned by the gguf */
	int n_dims;
	int64_t ne[GGUF_MAX_DIMS];	/* fastest first; 1 beyond n_dims. A matrix [out, in]: ne[0] = in, ne[1] = out */
	uint32_t type;			/* quant type id (quant/quant.h) */
	uint64_t offset;		/* in the file, absolute */
	size_t bytes;			/* what its type and shape need; checked to lie inside the file */
	const void *data;		/* in the mapping; NULL in a big-endian file until gguf_make_native() */
	uint64_t info_at;		/* file offset of its entry, for messages */
	int part;			/* the file of a sharded model that holds it */
};

struct gguf;

/*
 * Opens and checks a file. Tensors of a type that `layout` does not know are kept with
 * bytes 0 and data NULL; with layout NULL (who reads keys alone) that is all of them. It
 * knows more types than can be decoded: ask quant_by_id() before using data.
 * Errors: ERR_IO, ERR_NOT_FOUND (a part is missing), ERR_FORMAT (message: file, field, byte
 * offset, expected and found), ERR_UNSUPPORTED (version), ERR_LIMIT, ERR_NOMEM. The caller
 * closes; all that was got from a gguf lives as long as it.
 */
int gguf_open(struct gguf **out, const char *path, gguf_layout_fn *layout, struct err *e);
void gguf_close(struct gguf *g);

/*
 * Was every byte read so far really the file's? ERR_IO after it was cut (or its disk failed)
 * while mapped. For callers to ask after each piece of work. Any thread.
 */
int gguf_check(const struct gguf *g, struct err *e);

/*
 * Big-endian files: makes the tensors' data this machine's, in memory of its own (as much
 * as the tensors take). Nothing to do for others. Before the gguf is shared.
 */
int gguf_make_native(struct gguf *g, struct err *e);
bool gguf_is_swapped(const struct gguf *g);
/* The same for n bytes of whole blocks in the caller's memory, read from such a file piece by piece. */
void gguf_swap_blocks(const struct gguf_layout *l, void *p, size_t n);

const char *gguf_path(const struct gguf *g);
uint32_t gguf_version(const struct gguf *g);
uint64_t gguf_file_size(const struct gguf *g);	/* all parts together */
uint64_t gguf_alignment(const struct gguf *g);
int gguf_n_parts(const struct gguf *g);
const char *gguf_part_path(const struct gguf *g, int i);

int64_t gguf_n_kv(const struct gguf *g);
const struct gguf_kv *gguf_kv_at(const struct gguf *g, int64_t i);
/* NULL when absent. Sorted: a lookup does not walk the keys, and no choice of names makes it slow. */
const struct gguf_kv *gguf_find(const struct gguf *g, const char *key);

int64_t gguf_n_tensors(const struct gguf *g);
const struct gguf_tensor *gguf_tensor_at(const struct gguf *g, int64_t i);
const struct gguf_tensor *gguf_tensor_find(const struct gguf *g, const char *name);
const char *gguf_type_name(enum gguf_type t);	/* "u32", "string" */

/*
 * Typed reads by key. Return 1 when found, 0 when absent (out is left as it was, so
 * that the caller's default stands), -1 with an error when the key has another type or
 * the value does not fit. Integers of any width are taken for an integer; F32, F64 or an
 * integer for a number, which must be finite; a bool is 0 or 1.
 */
int gguf_get_i64(const struct gguf *g, const char *key, int64_t *out, struct err *e);
int gguf_get_f64(const struct gguf *g, const char *key, double *out, struct err *e);
int gguf_get_bool(const struct gguf *g, const char *key, bool *out, struct err *e);
int gguf_get_str(const struct gguf *g, const char *key, struct gguf_str *out, struct err *e);
/*
 * An array of the wanted kind; element reads below are by index and in bounds of kv->count.
 * GGUF_I32 and GGUF_F32 stand for integers and floating numbers of any width.
 */
int gguf_get_array(const struct gguf *g, const char *key, enum gguf_type elem,
		   const struct gguf_kv **out, struct err *e);

/* Element i of an array of numbers (or the scalar, i = 0), in the file's byte order. */
int64_t gguf_elem_i64(const struct gguf *g, const struct gguf_kv *kv, uint64_t i);
double gguf_elem_f64(const struct gguf *g, const struct gguf_kv *kv, uint64_t i);
/*
 * All strings of a string array, in order: out[count], one pass. The strings point into
 * the mapping.
 */
int gguf_strings(const struct gguf *g, const struct gguf_kv *kv, struct gguf_str *out, struct err *e);

#endif
