/* Damaged files: each class gives its code and a message with field and offset; nothing leaks, whatever fails. */
#include "config.h"
#include "engine/base/xio.h"
#include "engine/format/gguf.h"
#include "engine/quant/layout.h"
#include "engine/quant/quant.h"
#include "t/lib/ggufmake.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { U8 = 0, F32 = 6, STRING = 8, ARRAY = 9 };	/* value types */

static const char *const words[] = { "one", "two", "three" };

/* Small, but with every kind of field in it. */
static struct ggufmake *base(bool big)
{
	struct ggufmake *m = gm_new();
	static const float data[64];

	if (big)
		gm_big_endian(m);
	gm_align(m, 32);
	gm_str(m, "general.architecture", "llama");
	gm_u32(m, "llama.block_count", 2);
	gm_f32(m, "llama.rope.freq_base", 10000);
	gm_bool(m, "tokenizer.ggml.add_bos_token", true);
	gm_strs(m, "tokenizer.ggml.tokens", words, 3);
	gm_f32s(m, "tokenizer.ggml.scores", data, 3);
	gm_tensor(m, "a.weight", GM_F32, 2, (const int64_t[]){ 8, 8 }, data, 256);
	gm_tensor(m, "b.weight", QUANT_Q8_0, 1, (const int64_t[]){ 64 }, NULL, 68);
	gm_tensor(m, "c.weight", QUANT_I2_S, 2, (const int64_t[]){ 64, 2 }, NULL, 64);
	return m;
}

static int try(const char *path, struct err *e)
{
	struct gguf *g = NULL;
	const int r = gguf_open(&g, path, quant_layout, e);

	if (!r)
		gguf_close(g);
	return r;
}

/* at < 0: no offset is asked for */
static void refused(const char *path, const char *what, enum err_code code, int64_t at, const char *words_in)
{
	struct err e = { 0 };
	const int r = try(path, &e);
	char offset[48] = "";

	if (at >= 0)
		snprintf(offset, sizeof offset, " at offset %" PRId64 ": expected ", at);
	ok(r < 0 && e.code == code && strstr(e.msg, words_in) && strstr(e.msg, offset) && !strchr(e.msg, '\n'),
	   "%s: %s: %s", what, err_code_name(e.code), e.msg);
}

static void refused_make(struct ggufmake *m, const char *what, enum err_code code, int64_t at, const char *words_in)
{
	const char *path = tmp_path("bad.gguf");

	gm_write(m, path);
	refused(path, what, code, at, words_in);
	gm_free(m);
}

/* One field of the base file overwritten. `add` moves to a field behind the marked one. */
static const struct poke {
	const char *what, *name;
	enum gm_field field;
	int add, width;
	uint64_t v;
	enum err_code code;
	const char *words;
	int said;		/* the message points this far behind the marked field */
} pokes[] = {
	{ "no version", NULL, GM_VERSION, 0, 4, 0, ERR_UNSUPPORTED, "version", 0 },
	{ "version 1", NULL, GM_VERSION, 0, 4, 1, ERR_UNSUPPORTED, "expected 2 or 3, found 1", 0 },
	{ "version 4", NULL, GM_VERSION, 0, 4, 4, ERR_UNSUPPORTED, "found 4", 0 },
	{ "version 2^32 - 1", NULL, GM_VERSION, 0, 4, UINT32_MAX, ERR_UNSUPPORTED, "found 4294967295", 0 },
	{ "tensor count 2^64 - 1", NULL, GM_N_TENSORS, 0, 8, UINT64_MAX, ERR_FORMAT, "tensor count", 0 },
	{ "tensor count one more", NULL, GM_N_TENSORS, 0, 8, 4, ERR_FORMAT, "name", -1 },
	{ "key count 2^63", NULL, GM_N_KEYS, 0, 8, (uint64_t)1 << 63, ERR_FORMAT, "key count", 0 },
	{ "key count one more", NULL, GM_N_KEYS, 0, 8, 8, ERR_FORMAT, "tensor 0, name", -1 },
	{ "key count one less", NULL, GM_N_KEYS, 0, 8, 6, ERR_LIMIT, "dimensions", -1 },
	{ "key length 2^64 - 1", "general.architecture", GM_NAME, 0, 8, UINT64_MAX, ERR_FORMAT, "name", 0 },
	{ "key length beyond the file", "general.architecture", GM_NAME, 0, 8, 5000, ERR_FORMAT, "rest of the file", 0 },
	{ "empty key", "general.architecture", GM_NAME, 0, 8, 0, ERR_FORMAT, "empty", 0 },
	{ "value type 13", "llama.block_count", GM_TYPE, 0, 4, 13, ERR_FORMAT, "from 0 to 12, found 13", 0 },
	{ "value type 2^32 - 1", "llama.block_count", GM_TYPE, 0, 4, UINT32_MAX, ERR_FORMAT, "\"llama.block_count\", type", 0 },
	{ "string length 2^64 - 8", "general.architecture", GM_VALUE, 0, 8, UINT64_MAX - 7, ERR_FORMAT, "string", 0 },
	{ "element type 99", "tokenizer.ggml.tokens", GM_ELEM_TYPE, 0, 4, 99, ERR_FORMAT, "element type", 0 },
	{ "count of strings 2^61", "tokenizer.ggml.tokens", GM_COUNT, 0, 8, (uint64_t)1 << 61, ERR_FORMAT, "count", 0 },
	{ "count of floats 2^62", "tokenizer.ggml.scores", GM_COUNT, 0, 8, (uint64_t)1 << 62, ERR_FORMAT, "elements of f32", 0 },
	{ "string in an array 2^40 long", "tokenizer.ggml.tokens", GM_VALUE, 0, 8, (uint64_t)1 << 40, ERR_FORMAT, "string", 0 },
	{ "alignment 0", "general.alignment", GM_VALUE, 0, 4, 0, ERR_FORMAT, "a power of two from 8", 0 },
	{ "alignment 1", "general.alignment", GM_VALUE, 0, 4, 1, ERR_FORMAT, "a power of two from 8", 0 },
	{ "alignment 48", "general.alignment", GM_VALUE, 0, 4, 48, ERR_FORMAT, "found 48", 0 },
	{ "alignment 2 MiB", "general.alignment", GM_VALUE, 0, 4, 2 << 20, ERR_LIMIT, "to 1048576", 0 },
	{ "alignment 2^32 - 1", "general.alignment", GM_VALUE, 0, 4, UINT32_MAX, ERR_FORMAT, "power of two", 0 },
	{ "alignment of type f32", "general.alignment", GM_TYPE, 0, 4, F32, ERR_FORMAT, "expected an integer, found f32", 4 },
	{ "tensor name 2^63 long", "b.weight", GM_NAME, 0, 8, (uint64_t)1 << 63, ERR_FORMAT, "tensor 1, name", 0 },
	{ "empty tensor name", "b.weight", GM_NAME, 0, 8, 0, ERR_FORMAT, "tensor 1, name", 0 },
	{ "no dimensions", "a.weight", GM_DIMS, 0, 4, 0, ERR_FORMAT, "1 to 4, found 0", 0 },
	{ "five dimensions", "a.weight", GM_DIMS, 0, 4, 5, ERR_LIMIT, "1 to 4, found 5", 0 },
	{ "2^32 - 1 dimensions", "a.weight", GM_DIMS, 0, 4, UINT32_MAX, ERR_LIMIT, "dimensions", 0 },
	{ "a dimension of 0", "a.weight", GM_NE, 0, 8, 0, ERR_FORMAT, "\"a.weight\", shape", 0 },
	{ "the second dimension 0", "a.weight", GM_NE, 8, 8, 0, ERR_FORMAT, "found 0", 8 },
	{ "a dimension of -1", "a.weight", GM_NE, 0, 8, UINT64_MAX, ERR_FORMAT, "shape", 0 },
	{ "a product over 2^63", "a.weight", GM_NE, 0, 8, (uint64_t)1 << 61, ERR_FORMAT, "fewer than 2^63 weights", -1 },
	{ "bytes over 2^63", "a.weight", GM_NE, 0, 8, (uint64_t)1 << 59, ERR_FORMAT, "below 2^63 bytes", -1 },
	{ "bytes that wrap once padded", "b.weight", GM_NE, 0, 8, INT64_MAX - 31, ERR_FORMAT, "below 2^63 bytes", -1 },
	{ "more bytes than the file", "a.weight", GM_NE, 0, 8, 1 << 20, ERR_FORMAT, "data offset", -1 },
	{ "a row that is no whole block", "b.weight", GM_NE, 0, 8, 33, ERR_FORMAT, "a multiple of 32 for Q8_0, found 33", 8 },
	{ "an I2_S tensor that is no whole block", "c.weight", GM_NE, 0, 8, 63, ERR_FORMAT, "a multiple of 128 for I2_S", 16 },
	{ "offset 2^64 - 32", "b.weight", GM_OFFSET, 0, 8, UINT64_MAX - 31, ERR_FORMAT, "data offset", 0 },
	{ "offset at the end", "b.weight", GM_OFFSET, 0, 8, 4096, ERR_FORMAT, "found them at 4096", 0 },
	{ "offset not aligned", "b.weight", GM_OFFSET, 0, 8, 257, ERR_FORMAT, "a multiple of 32, found 257", 0 },
	{ "two tensors on the same bytes", "b.weight", GM_OFFSET, 0, 8, 224, ERR_FORMAT, "behind \"a.weight\"", -1 },
	{ "a tensor inside another", "c.weight", GM_OFFSET, 0, 8, 32, ERR_FORMAT, "behind \"a.weight\"", -1 },
};

static void pokes_run(bool big)
{
	for (size_t i = 0; i < sizeof pokes / sizeof *pokes; i++) {
		const struct poke *p = &pokes[i];
		struct ggufmake *m = base(big);
		const size_t at = gm_spot(m, p->name, p->field);

		gm_poke(m, at + (size_t)p->add, p->width, p->v);
		refused_make(m, p->what, p->code, p->said < 0 ? -1 : (int64_t)at + p->said, p->words);
	}
}

static void headers(void)
{
	static const struct { const char *bytes; size_t n; const char *words; } rows[] = {
		{ "G", 1, "magic" }, { "GGUF", 4, "version at offset 4" }, { "GGUF\3\0\0", 7, "version at offset 4" },
		{ "GGUF\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 19, "key count at offset 16" },
		{ "GGUX\3\0\0\0", 8, "found 47 47 55 58" }, { "FUGG\3\0\0\0", 8, "magic" },
		{ "tjgg\1\0\0\0", 8, "an old GGML file" }, { "PK\3\4 and so on", 12, "zip" },
		{ "version https://git-lfs", 20, "Git LFS" }, { "<!DOCTYPE html>", 15, "a web page" },
		{ "\x1b[2J", 4, "found 1b 5b 32 4a" },
	};
	struct err e = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		tmp_write(tmp_path("head.gguf"), rows[i].bytes, rows[i].n);
		refused(tmp_path("head.gguf"), "header", ERR_FORMAT, -1, rows[i].words);
	}
	tmp_write(tmp_path("head.gguf"), "", 0);
	refused(tmp_path("head.gguf"), "empty", ERR_FORMAT, -1, "the file is empty");
	refused(tmp_path("absent.gguf"), "absent", ERR_IO, -1, "absent.gguf: cannot open: No such file");
	ok(try("/dev/zero", &e) < 0 && e.code == ERR_IO, "a device: %s", e.msg);
	ok(try("/", &e) < 0 && e.code == ERR_IO, "a folder: %s", e.msg);
}

static void names(void)
{
	struct ggufmake *m = base(false);
	struct err e = { 0 };
	size_t at;
	char *s;

	at = 24;
	gm_u32(m, "llama.block_count", 3);
	refused_make(m, "a key twice", ERR_FORMAT, -1, "key \"llama.block_count\", name");
	m = base(false);
	gm_tensor(m, "b.weight", GM_F32, 1, (const int64_t[]){ 4 }, NULL, 16);
	refused_make(m, "a tensor twice", ERR_FORMAT, -1, "tensor \"b.weight\", name");
	m = base(false);
	at = gm_spot(m, "llama.block_count", GM_NAME);
	gm_poke(m, at + 8 + 5, 1, 0);
	refused_make(m, "NUL in a key", ERR_FORMAT, (int64_t)at, "found a NUL byte");
	m = base(false);
	at = gm_spot(m, "b.weight", GM_NAME);
	gm_poke(m, at + 8, 1, 0);
	refused_make(m, "NUL in a tensor's name", ERR_FORMAT, (int64_t)at, "found a NUL byte");
	m = base(false);
	at = gm_spot(m, "b.weight", GM_NAME);
	gm_poke(m, at + 8, 1, 0x1b);
	gm_poke(m, at + 9, 1, 0x9b);
	gm_poke(m, gm_spot(m, "b.weight", GM_DIMS), 4, 0);
	gm_write(m, tmp_path("bad.gguf"));
	ok(try(tmp_path("bad.gguf"), &e) < 0 && strstr(e.msg, "\"??weight\"") && !strchr(e.msg, 0x1b),
	   "no control byte by way of an error: %s", e.msg);
	gm_free(m);

	s = calloc(1, (16 << 20) + 2);
	memset(s, 'x', (16 << 20) + 1);
	m = base(false);
	gm_str(m, "long", s);
	refused_make(m, "a string of 16 MiB + 1", ERR_LIMIT, -1, "key \"long\", string");
	s[16 << 20] = '\0';
	m = base(false);
	gm_str(m, "long", s);
	gm_write(m, tmp_path("long.gguf"));
	ok(!try(tmp_path("long.gguf"), &e), "a string of 16 MiB is taken");
	gm_free(m);
	s[65537] = '\0';
	m = base(false);
	gm_u8(m, s, 1);
	refused_make(m, "a key of 64 KiB + 1", ERR_LIMIT, -1, "key 7, name");
	s[65536] = '\0';
	m = base(false);
	gm_u8(m, s, 1);
	gm_write(m, tmp_path("long.gguf"));
	ok(!try(tmp_path("long.gguf"), &e), "a key of 64 KiB is taken");
	gm_free(m);
	free(s);
}

static void counts(void)
{
	struct ggufmake *m = gm_new();
	const int64_t ne[] = { 1 };
	struct err e = { 0 };
	int64_t ns;
	char name[32];

	/* names alike but for their end are the worst that a sorted list can be given */
	for (int i = 0; i < 65536; i++) {
		snprintf(name, sizeof name, "key.key.key.%d", i);
		gm_u8(m, name, 1);
	}
	gm_write(m, tmp_path("many.gguf"));
	ns = tap_cpu_ns();
	ok(!try(tmp_path("many.gguf"), &e), "65,536 keys are taken %s", e.msg);
	ns = tap_cpu_ns() - ns;
	ok(ns < 3000000000 * tap_patience(), "and not in quadratic time: %" PRId64 " ms", ns / 1000000);
	gm_u8(m, "one more", 1);
	refused_make(m, "65,537 keys", ERR_LIMIT, 16, "key count");
	m = gm_new();
	for (int i = 0; i < 65536; i++) {
		snprintf(name, sizeof name, "blk.%d.weight", i);
		gm_tensor(m, name, GM_F32, 1, ne, NULL, 4);
	}
	gm_write(m, tmp_path("many.gguf"));
	ns = tap_cpu_ns();
	ok(!try(tmp_path("many.gguf"), &e), "65,536 tensors are taken %s", e.msg);
	ns = tap_cpu_ns() - ns;
	ok(ns < 3000000000 * tap_patience(), "and not in quadratic time: %" PRId64 " ms", ns / 1000000);
	gm_tensor(m, "one more", GM_F32, 1, ne, NULL, 4);
	refused_make(m, "65,537 tensors", ERR_LIMIT, 8, "tensor count");
}

/* Arrays in arrays: n levels, the innermost one byte. */
static size_t nest(unsigned char *p, int n)
{
	unsigned char *const first = p;

	for (int i = 0; i < n; i++) {
		memset(p, 0, 12);
		p[0] = i < n - 1 ? ARRAY : U8;
		p[4] = 1;
		p += 12;
	}
	*p++ = 7;
	return (size_t)(p - first);
}

static void nested(void)
{
	unsigned char v[1024 * 12 + 1];
	struct ggufmake *m = gm_new();
	struct err e = { 0 };

	gm_raw(m, "deep", ARRAY, v, nest(v, GGUF_MAX_DEPTH));
	gm_write(m, tmp_path("deep.gguf"));
	ok(!try(tmp_path("deep.gguf"), &e), "%d arrays in each other are stepped over %s", GGUF_MAX_DEPTH, e.msg);
	gm_free(m);
	m = gm_new();
	gm_raw(m, "deep", ARRAY, v, nest(v, GGUF_MAX_DEPTH + 1));
	refused_make(m, "one more", ERR_LIMIT, -1, "key \"deep\", array");
	m = gm_new();
	gm_raw(m, "deep", ARRAY, v, nest(v, 1024));
	refused_make(m, "a thousand", ERR_LIMIT, -1, "key \"deep\", array");
	m = gm_new();
	nest(v, 2);
	memset(v + 4, 0xff, 8);
	gm_raw(m, "deep", ARRAY, v, 25);
	refused_make(m, "2^64 - 1 inner arrays", ERR_FORMAT, -1, "elements of array");
	m = gm_new();
	nest(v, 2);
	memset(v + 16, 0xff, 8);
	gm_raw(m, "deep", ARRAY, v, 25);
	refused_make(m, "2^64 - 1 inner values", ERR_FORMAT, -1, "elements of u8");
}

/* Every length of a small file: all shorter ones are refused, and say where. */
static void every_length(bool big, bool weights)
{
	struct ggufmake *m = base(big), *keys = gm_new();
	const char *path = tmp_path("cut.gguf");
	struct err e = { 0 };
	int silent = 0, other = 0;
	size_t n;

	gm_str(keys, "general.architecture", "llama");
	gm_strs(keys, "tokenizer.ggml.tokens", words, 3);
	gm_write(weights ? m : keys, path);
	gm_bytes(weights ? m : keys, &n);
	ok(!try(path, &e), "the whole file opens %s", e.msg);
	for (size_t len = n; len-- > 0; ) {
		if (truncate(path, (off_t)len))
			break;
		e = (struct err){ 0 };
		if (!try(path, &e) || e.code != ERR_FORMAT)
			other++;
		if (!strstr(e.msg, len ? " at offset " : "empty"))
			silent++;
	}
	ok(!other, "%s, %s: cut at each of %zu lengths it is malformed, not %d times", big ? "big endian" : "little endian",
	   weights ? "with weights" : "keys alone", n, other);
	ok(!silent, "and the place is told, not %d times", silent);
	gm_free(m);
	gm_free(keys);
}

/* The n-th operation fails, once or from then on. */
struct fault { int n, count; bool on; };

static int fail_nth(const char *op, void *arg)
{
	struct fault *f = arg;
	const int i = f->count++;

	(void)op;
	return i == f->n || (f->on && i > f->n) ? ENOMEM : 0;
}

static void every_fault(bool for_good)
{
	struct ggufmake *m = base(false);
	struct fault f = { 0, 0, for_good };
	struct err e;
	int failed = 0, bad = 0;

	gm_u16(m, "split.count", 2);
	gm_u16(m, "split.no", 0);
	gm_write(m, tmp_path("f-00001-of-00002.gguf"));
	gm_free(m);
	m = gm_new();
	gm_u16(m, "split.count", 2);
	gm_u16(m, "split.no", 1);
	gm_tensor(m, "d.weight", GM_F32, 1, (const int64_t[]){ 4 }, NULL, 16);
	gm_write(m, tmp_path("f-00002-of-00002.gguf"));
	gm_free(m);
	for (f.n = 0; f.n < 1000; f.n++) {
		e = (struct err){ 0 };
		f.count = 0;
		xio_set_fault(fail_nth, &f);
		if (!try(tmp_path("f-00001-of-00002.gguf"), &e)) {
			xio_set_fault(NULL, NULL);
			/* a close that fails harms nobody who only read */
			if (f.count <= f.n)
				break;
			continue;
		}
		xio_set_fault(NULL, NULL);
		failed++;
		if (e.code != ERR_NOMEM || !*e.msg) {
			printf("# operation %d: %s: %s\n", f.n, err_code_name(e.code), e.msg);
			bad++;
		}
	}
	ok(failed > 15 && f.n < 1000 && !bad, "each of %d operations fails %s: an error, nothing else", failed,
	   for_good ? "for good" : "once");
}

static void reference(void)
{
	static const struct { const char *name; enum err_code code; const char *words; } rows[] = {
		{ "header-only", ERR_FORMAT, "tensor count at offset 8" },
		{ "kvcount", ERR_FORMAT, "key count at offset 16" },
		{ "magic", ERR_FORMAT, "magic at offset 0" },
		{ "truncated", ERR_FORMAT, "tensor \"blk.2.attn_k.weight\", data offset at offset 12846" },
		{ "version1", ERR_UNSUPPORTED, "version at offset 4" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char name[80];
		const char *path;
		int64_t ns = tap_cpu_ns();

		snprintf(name, sizeof name, "models/container/bad-%s.gguf", rows[i].name);
		path = tmp_data(name);
		if (!path) {
			tap_skip("no reference data");
			continue;
		}
		refused(path, rows[i].name, rows[i].code, -1, rows[i].words);
		ns = tap_cpu_ns() - ns;
		ok(ns < 100000000, "within 100 ms");
	}
}

int main(void)
{
	struct ggufmake *m;

	m = base(false);
	gm_write(m, tmp_path("good.gguf"));
	ok(!try(tmp_path("good.gguf"), NULL), "the file that is damaged below is good");
	gm_free(m);
	headers();
	pokes_run(false);
	pokes_run(true);
	names();
	counts();
	nested();
	every_length(false, true);
	every_length(true, true);
	every_length(false, false);
	every_fault(false);
	every_fault(true);
	reference();
	return tap_done();
}
