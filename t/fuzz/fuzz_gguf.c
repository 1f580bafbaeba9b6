/*
 * libFuzzer: any bytes as a GGUF file. Opened, and everything in it read by every accessor.
 * `make fuzz` builds it (clang); HACKING tells how to run it and where seeds come from.
 */
#include "config.h"
#include "engine/base/err.h"
#include "engine/format/gguf.h"
#include "engine/quant/layout.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static volatile unsigned sink;

static void touch(const void *p, size_t n)
{
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i++)
		sink += b[i];
}

static void read_key(const struct gguf *g, const struct gguf_kv *kv)
{
	char key[256];
	const struct gguf_kv *array;
	struct gguf_str s, *list;
	struct err e;
	int64_t i;
	double d;
	bool b;

	touch(kv->key.p, kv->key.n);
	if (kv->key.n < sizeof key) {
		memcpy(key, kv->key.p, kv->key.n);
		key[kv->key.n] = '\0';
		if (gguf_find(g, key) != kv)
			abort();
		gguf_get_i64(g, key, &i, &e);
		gguf_get_f64(g, key, &d, &e);
		gguf_get_bool(g, key, &b, &e);
		if (gguf_get_str(g, key, &s, &e) == 1)
			touch(s.p, s.n);
		if (gguf_get_array(g, key, kv->type, &array, &e) == 1 && array != kv)
			abort();
	}
	if (kv->type == GGUF_STRING) {
		list = malloc(kv->count * sizeof *list + 1);
		if (gguf_strings(g, kv, list, &e) < 0)
			abort();
		for (uint64_t k = 0; k < kv->count; k++)
			touch(list[k].p, list[k].n);
		free(list);
	} else if (kv->type != GGUF_ARRAY) {
		for (uint64_t k = 0; k < kv->count; k++)
			sink += gguf_elem_f64(g, kv, k) > 0;
		for (uint64_t k = 0; kv->type != GGUF_F32 && kv->type != GGUF_F64 && k < kv->count; k++)
			sink += (unsigned)gguf_elem_i64(g, kv, k);
	}
}

static void read_all(struct gguf *g)
{
	struct err e;

	for (int64_t i = 0; i < gguf_n_kv(g); i++)
		read_key(g, gguf_kv_at(g, i));
	if (gguf_make_native(g, &e) < 0)
		abort();
	for (int64_t i = 0; i < gguf_n_tensors(g); i++) {
		const struct gguf_tensor *t = gguf_tensor_at(g, i);

		if (gguf_tensor_find(g, t->name) != t)
			abort();
		if (t->data)
			touch(t->data, t->bytes);
	}
	if (gguf_check(g, &e) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static int fd = -1;
	static char path[64];
	struct gguf *g = NULL;
	struct err e = { 0 };

	if (fd < 0) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	if (gguf_open(&g, path, quant_layout, &e) < 0) {
		if (!e.code || !*e.msg || strchr(e.msg, '\n'))
			abort();
		return 0;
	}
	read_all(g);
	gguf_close(g);
	return 0;
}
