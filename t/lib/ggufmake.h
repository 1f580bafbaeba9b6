/*
 * Builds GGUF files in memory, for tests: models of any shape, vocabularies, and broken
 * files. It knows the format on its own, so that what it writes is a second opinion on
 * what the engine reads. Misuse and lack of memory abort.
 *
 *	struct ggufmake *m = gm_new();
 *	gm_str(m, "general.architecture", "llama");
 *	gm_u32(m, "llama.block_count", 2);
 *	gm_tensor(m, "token_embd.weight", GM_F32, 2, (int64_t[]){ 64, 512 }, data, sizeof data);
 *	gm_write(m, path);
 *	gm_free(m);
 *
 * Keys and tensors come out in the order of the calls. gm_spot() tells where a field went,
 * so that a test can break that one and look for its offset in the message.
 */
#ifndef T_LIB_GGUFMAKE_H
#define T_LIB_GGUFMAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GM_F32 = 0, GM_F16 = 1 };	/* tensor types that gm_tensor swaps for big-endian files */

struct ggufmake;

struct ggufmake *gm_new(void);
void gm_free(struct ggufmake *m);

/* Before the first key. Version 3, alignment 32 (written as a key when set), little endian. */
void gm_version(struct ggufmake *m, uint32_t version);
void gm_big_endian(struct ggufmake *m);
void gm_align(struct ggufmake *m, uint32_t align);

void gm_u8(struct ggufmake *m, const char *key, uint8_t v);
void gm_i8(struct ggufmake *m, const char *key, int8_t v);
void gm_u16(struct ggufmake *m, const char *key, uint16_t v);
void gm_i16(struct ggufmake *m, const char *key, int16_t v);
void gm_u32(struct ggufmake *m, const char *key, uint32_t v);
void gm_i32(struct ggufmake *m, const char *key, int32_t v);
void gm_u64(struct ggufmake *m, const char *key, uint64_t v);
void gm_i64(struct ggufmake *m, const char *key, int64_t v);
void gm_f32(struct ggufmake *m, const char *key, float v);
void gm_f64(struct ggufmake *m, const char *key, double v);
void gm_bool(struct ggufmake *m, const char *key, bool v);
void gm_str(struct ggufmake *m, const char *key, const char *v);
void gm_strn(struct ggufmake *m, const char *key, const char *v, size_t n);
void gm_i32s(struct ggufmake *m, const char *key, const int32_t *v, size_t n);
void gm_f32s(struct ggufmake *m, const char *key, const float *v, size_t n);
void gm_bools(struct ggufmake *m, const char *key, const bool *v, size_t n);
void gm_strs(struct ggufmake *m, const char *key, const char *const *v, size_t n);
/* Any value: the type's number and bytes as they are to stand in the file. */
void gm_raw(struct ggufmake *m, const char *key, uint32_t type, const void *value, size_t n);

/*
 * ne fastest first. `bytes` of data are copied and padded; data NULL gives zeros. The offset
 * is where the data comes to lie.
 */
void gm_tensor(struct ggufmake *m, const char *name, uint32_t type, int n_dims, const int64_t *ne,
	       const void *data, size_t bytes);

/*
 * A tensor of zeros that are nowhere in memory: gm_write() leaves a hole in the file, gm_bytes()
 * has none of it. After the last gm_tensor().
 */
void gm_hole(struct ggufmake *m, const char *name, uint32_t type, int n_dims, const int64_t *ne, uint64_t bytes);

/* The whole file; owned by m, may be changed in place, void at the next key or tensor. */
unsigned char *gm_bytes(struct ggufmake *m, size_t *n);
void gm_write(struct ggufmake *m, const char *path);

enum gm_field {
	GM_NAME,		/* the length of the key or tensor name */
	GM_TYPE,		/* of a value or a tensor */
	GM_VALUE,		/* a scalar, a string's length */
	GM_ELEM_TYPE, GM_COUNT,	/* of an array */
	GM_DIMS, GM_NE, GM_OFFSET,
	GM_N_TENSORS, GM_N_KEYS, GM_VERSION,	/* name NULL */
};
/* File offset of a field of the key or tensor of that name; aborts when there is none. */
size_t gm_spot(struct ggufmake *m, const char *name, enum gm_field field);
/* Overwrites `width` bytes at an offset with a number in the file's byte order. */
void gm_poke(struct ggufmake *m, size_t at, int width, uint64_t v);

#endif
