/* Every accessor of gguf.h on files that the test writes, in both byte orders, whole and in parts. */
#include "config.h"
#include "engine/format/gguf.h"
#include "engine/quant/layout.h"
#include "engine/quant/quant.h"
#include "t/lib/ggufmake.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static float weights[64 * 3];
static uint16_t halves[32];
static const char *const words[] = { "hello", "", "w\xc3\xb6rld" };
static const int32_t ints[] = { -1, 0, 7, INT32_MAX };
static const float floats[] = { 0.5f, -2.25f };

static void some_keys(struct ggufmake *m)
{
	/* value of a list of two lists: ([u8] 1 2) ([u8] 3), little endian as no one reads it */
	static const unsigned char nested[] = {
		9, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 2,
		0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3,
	};
	static const unsigned char nested_big[] = {
		0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 2,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3,
	};
	size_t n;
	const bool big = gm_bytes(m, &n)[4] == 0;

	gm_str(m, "general.architecture", "llama");
	gm_u8(m, "k.u8", 200);
	gm_i8(m, "k.i8", -100);
	gm_u16(m, "k.u16", 60000);
	gm_i16(m, "k.i16", -30000);
	gm_u32(m, "k.u32", 4000000000u);
	gm_i32(m, "k.i32", -2000000000);
	gm_u64(m, "k.u64", (uint64_t)1 << 40);
	gm_u64(m, "k.u64.top", UINT64_MAX);
	gm_i64(m, "k.i64", -((int64_t)1 << 40));
	gm_f32(m, "k.f32", 0.25f);
	gm_f64(m, "k.f64", 1e-200);
	gm_f32(m, "k.nan", NAN);
	gm_bool(m, "k.true", true);
	gm_bool(m, "k.false", false);
	gm_u8(m, "k.two", 2);
	gm_strn(m, "k.bytes", "a\0b\xff", 4);
	gm_strs(m, "k.words", words, 3);
	gm_strs(m, "k.none", words, 0);
	gm_i32s(m, "k.ints", ints, 4);
	gm_f32s(m, "k.floats", floats, 2);
	gm_bools(m, "k.bools", (const bool[]){ true, false }, 2);
	gm_raw(m, "k.nested", 9, big ? nested_big : nested, sizeof nested);
}

static void some_tensors(struct ggufmake *m)
{
	static const unsigned char q8[34] = { 0x00, 0x3c, 1, 2, 3 };

	gm_tensor(m, "a.weight", GM_F32, 2, (const int64_t[]){ 64, 3 }, weights, sizeof weights);
	gm_tensor(m, "b.weight", GM_F16, 1, (const int64_t[]){ 32 }, halves, sizeof halves);
	gm_tensor(m, "c.weight", QUANT_Q8_0, 3, (const int64_t[]){ 32, 1, 1 }, q8, sizeof q8);
	gm_tensor(m, "d.unknown", 999, 1, (const int64_t[]){ 7 }, NULL, 5);
}

static struct gguf *open_ok(const char *path, const char *what)
{
	struct gguf *g = NULL;
	struct err e = { 0 };

	ok(gguf_open(&g, path, quant_layout, &e) == 0, "%s opens %s", what, e.msg);
	return g;
}

static void numbers(const struct gguf *g, const char *what)
{
	static const struct { const char *key; int64_t v; } rows[] = {
		{ "k.u8", 200 }, { "k.i8", -100 }, { "k.u16", 60000 }, { "k.i16", -30000 }, { "k.u32", 4000000000 },
		{ "k.i32", -2000000000 }, { "k.u64", (int64_t)1 << 40 }, { "k.i64", -((int64_t)1 << 40) },
	};
	struct err e = { 0 };
	int64_t v = 12;
	double d = 3;
	bool b = true;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ok(gguf_get_i64(g, rows[i].key, &v, &e) == 1 && v == rows[i].v, "%s: %s as an integer", what, rows[i].key);
		ok(gguf_get_f64(g, rows[i].key, &d, &e) == 1 && d == (double)rows[i].v, "%s: %s as a number", what,
		   rows[i].key);
	}
	ok(gguf_get_f64(g, "k.f32", &d, &e) == 1 && d == 0.25, "%s: f32", what);
	ok(gguf_get_f64(g, "k.f64", &d, &e) == 1 && d == 1e-200, "%s: f64", what);
	ok(gguf_get_f64(g, "k.u64.top", &d, &e) == 1 && d == (double)UINT64_MAX, "%s: u64 keeps its sign", what);
	ok(gguf_get_bool(g, "k.false", &b, &e) == 1 && !b, "%s: false", what);
	ok(gguf_get_bool(g, "k.true", &b, &e) == 1 && b, "%s: true", what);
	v = 12;
	d = 3;
	ok(gguf_get_i64(g, "k", &v, &e) == 0 && v == 12, "%s: an absent integer leaves the default", what);
	ok(gguf_get_f64(g, "k.f32x", &d, &e) == 0 && d == 3, "%s: an absent number leaves the default", what);
	ok(gguf_get_bool(g, "", &b, &e) == 0 && b, "%s: an absent bool leaves the default", what);
}

static void refusals(const struct gguf *g)
{
	const struct gguf_kv *kv;
	struct gguf_str s;
	struct err e = { 0 };
	int64_t v = 12;
	double d = 3;
	bool b;

	ok(gguf_get_i64(g, "k.u64.top", &v, &e) < 0 && v == 12 && e.code == ERR_FORMAT, "2^64 - 1 is no int64: %s", e.msg);
	ok(gguf_get_i64(g, "k.f32", &v, &e) < 0 && strstr(e.msg, "expected an integer, found f32"), "%s", e.msg);
	ok(gguf_get_i64(g, "k.ints", &v, &e) < 0 && strstr(e.msg, "found an array of i32"), "%s", e.msg);
	ok(gguf_get_f64(g, "k.nan", &d, &e) < 0 && d == 3 && strstr(e.msg, "finite"), "%s", e.msg);
	ok(gguf_get_f64(g, "k.true", &d, &e) < 0 && strstr(e.msg, "found bool"), "%s", e.msg);
	ok(gguf_get_bool(g, "k.u8", &b, &e) < 0 && strstr(e.msg, "expected a bool, found u8"), "%s", e.msg);
	ok(gguf_get_str(g, "k.u8", &s, &e) < 0 && strstr(e.msg, "expected a string"), "%s", e.msg);
	ok(gguf_get_str(g, "k.words", &s, &e) < 0 && strstr(e.msg, "found an array of string"), "%s", e.msg);
	ok(gguf_get_array(g, "k.u8", GGUF_I32, &kv, &e) < 0 && strstr(e.msg, "expected an array of i32, found u8"), "%s", e.msg);
	ok(gguf_get_array(g, "k.words", GGUF_F32, &kv, &e) < 0 && e.code == ERR_FORMAT, "%s", e.msg);
	ok(gguf_get_array(g, "k.nested", GGUF_I32, &kv, &e) < 0 && e.code == ERR_FORMAT, "%s", e.msg);
	ok(gguf_strings(g, gguf_find(g, "k.ints"), &s, &e) < 0, "strings of an array of i32: %s", e.msg);
	ok(strstr(e.msg, "read.gguf: key \"k.ints\", value at offset "), "a message names file, field and offset");
}

static void arrays(const struct gguf *g, const char *what)
{
	const struct gguf_kv *kv = NULL;
	struct gguf_str s[3] = { { NULL, 0 } };
	struct err e = { 0 };
	bool same;

	ok(gguf_get_str(g, "k.bytes", s, &e) == 1 && s->n == 4 && !memcmp(s->p, "a\0b\xff", 4), "%s: any bytes", what);
	ok(gguf_get_array(g, "k.words", GGUF_STRING, &kv, &e) == 1 && kv->count == 3, "%s: strings", what);
	ok(kv && gguf_strings(g, kv, s, &e) == 0, "%s: read in one pass", what);
	same = true;
	for (int i = 0; i < 3; i++)
		same &= s[i].n == strlen(words[i]) && !memcmp(s[i].p, words[i], s[i].n);
	ok(same, "%s: each as it was written", what);
	ok(gguf_get_array(g, "k.none", GGUF_STRING, &kv, &e) == 1 && kv->count == 0 && !gguf_strings(g, kv, NULL, &e),
	   "%s: no strings", what);
	ok(gguf_get_array(g, "k.ints", GGUF_I32, &kv, &e) == 1 && kv->count == 4, "%s: integers", what);
	same = true;
	for (uint64_t i = 0; i < 4; i++)
		same &= gguf_elem_i64(g, kv, i) == ints[i] && gguf_elem_f64(g, kv, i) == ints[i];
	ok(same, "%s: each as it was written", what);
	ok(gguf_get_array(g, "k.floats", GGUF_F32, &kv, &e) == 1 && kv->count == 2 &&
	   gguf_elem_f64(g, kv, 0) == 0.5 && gguf_elem_f64(g, kv, 1) == -2.25, "%s: floats", what);
	ok(gguf_get_array(g, "k.bools", GGUF_BOOL, &kv, &e) == 1 && kv->count == 2 &&
	   gguf_elem_i64(g, kv, 0) == 1 && gguf_elem_i64(g, kv, 1) == 0, "%s: bools", what);
	kv = gguf_find(g, "k.nested");
	ok(kv && kv->is_array && kv->type == GGUF_ARRAY && kv->count == 2, "%s: an array of arrays is stepped over", what);
	ok(gguf_get_array(g, "k.absent", GGUF_I32, &kv, &e) == 0, "%s: an absent array", what);
}

static void tensors(struct gguf *g, const char *what)
{
	static const char *const names[] = { "a.weight", "b.weight", "c.weight", "d.unknown" };
	struct err e = { 0 };
	const struct gguf_tensor *t;
	const unsigned char *q;
	bool same = true;

	ok(gguf_n_tensors(g) == 4, "%s: four tensors", what);
	for (int64_t i = 0; i < 4; i++)
		same &= !strcmp(gguf_tensor_at(g, i)->name, names[i]) && gguf_tensor_find(g, names[i]) == gguf_tensor_at(g, i);
	ok(same, "%s: found by place and by name", what);
	ok(!gguf_tensor_find(g, "a.weigh") && !gguf_tensor_find(g, "a.weight2") && !gguf_tensor_find(g, ""),
	   "%s: others are not found", what);
	t = gguf_tensor_find(g, "a.weight");
	ok(!gguf_is_swapped(g) == !!t->data, "%s: data is there unless it must be swapped first", what);
	ok(gguf_make_native(g, &e) == 0, "%s: made native %s", what, e.msg);
	ok(gguf_make_native(g, &e) == 0, "%s: once is enough", what);
	ok(t->n_dims == 2 && t->ne[0] == 64 && t->ne[1] == 3 && t->ne[2] == 1 && t->ne[3] == 1 && t->bytes == 768,
	   "%s: shape and size", what);
	ok(t->data && !memcmp(t->data, weights, sizeof weights), "%s: F32 as it was written", what);
	t = gguf_tensor_find(g, "b.weight");
	ok(t->data && !memcmp(t->data, halves, sizeof halves), "%s: F16 as it was written", what);
	t = gguf_tensor_find(g, "c.weight");
	q = t->data;
	ok(t->bytes == 34 && q && q[2] == 1 && q[4] == 3 && q[gguf_is_swapped(g) ? 0 : 1] == 0x3c,
	   "%s: of a block only the scale is swapped", what);
	t = gguf_tensor_find(g, "d.unknown");
	ok(t->type == 999 && t->bytes == 0 && !t->data && t->ne[0] == 7, "%s: an unknown type has no data", what);
}

static void whole(const char *what, uint32_t version, bool big, uint32_t align)
{
	struct ggufmake *m = gm_new();
	const char *path = tmp_path("read.gguf");
	struct gguf *g;
	size_t n;

	gm_version(m, version);
	if (big)
		gm_big_endian(m);
	if (align)
		gm_align(m, align);
	some_keys(m);
	some_tensors(m);
	gm_write(m, path);
	gm_bytes(m, &n);
	g = open_ok(path, what);
	if (g) {
		ok(gguf_version(g) == version && gguf_is_swapped(g) == big, "%s: version and byte order", what);
		ok(gguf_alignment(g) == (align ? align : 32) && gguf_file_size(g) == n && gguf_n_parts(g) == 1 &&
		   !strcmp(gguf_path(g), path) && !strcmp(gguf_part_path(g, 0), path), "%s: what it says of itself", what);
		ok(gguf_n_kv(g) == 23 + !!align && !strncmp(gguf_kv_at(g, !!align)->key.p, "general.architecture", 20),
		   "%s: keys by place", what);
		numbers(g, what);
		arrays(g, what);
		tensors(g, what);
		if (!big)
			refusals(g);
	}
	gguf_close(g);
	gm_free(m);
}

static void part(int no, int count, const char *name)
{
	struct ggufmake *m = gm_new();
	char tensor[16];
	const float v[8] = { (float)no };

	if (no == 0)
		gm_str(m, "general.architecture", "llama");
	gm_u16(m, "split.no", (uint16_t)no);
	gm_u16(m, "split.count", (uint16_t)count);
	gm_i32(m, "split.tensors.count", 3);
	snprintf(tensor, sizeof tensor, "t.%d", no);
	gm_tensor(m, tensor, GM_F32, 1, (const int64_t[]){ 8 }, v, sizeof v);
	gm_write(m, tmp_path(name));
	gm_free(m);
}

static void refuse(const char *name, enum err_code code, const char *part_of_message)
{
	struct gguf *g = NULL;
	struct err e = { 0 };
	const int r = gguf_open(&g, tmp_path(name), quant_layout, &e);

	ok(r < 0 && e.code == code && strstr(e.msg, part_of_message), "%s: %s", err_code_name(e.code), e.msg);
	if (!r)
		gguf_close(g);
}

static void parts(void)
{
	struct gguf *g;
	bool same = true;

	part(0, 3, "m-00001-of-00003.gguf");
	part(1, 3, "m-00002-of-00003.gguf");
	refuse("m-00001-of-00003.gguf", ERR_NOT_FOUND, "m-00003-of-00003.gguf: cannot open");
	part(2, 3, "m-00003-of-00003.gguf");
	g = open_ok(tmp_path("m-00001-of-00003.gguf"), "three parts");
	if (g) {
		ok(gguf_n_parts(g) == 3 && strstr(gguf_part_path(g, 2), "m-00003-of-00003.gguf"), "parts and their paths");
		ok(gguf_n_tensors(g) == 3, "tensors of all parts");
		for (int i = 0; i < 3; i++) {
			char name[16];
			const struct gguf_tensor *t;

			snprintf(name, sizeof name, "t.%d", i);
			t = gguf_tensor_find(g, name);
			same &= t && t->part == i && t->data && *(const float *)t->data == (float)i;
		}
		ok(same, "each in its part, with its data");
		ok(gguf_file_size(g) > 3 * 32, "the size is that of all");
	}
	gguf_close(g);
	refuse("m-00002-of-00003.gguf", ERR_FORMAT, "part 2 of 3: the first, m-00001-of-00003.gguf, is the one to open");
	unlink(tmp_path("m-00001-of-00003.gguf"));
	refuse("m-00003-of-00003.gguf", ERR_NOT_FOUND, "part 3 of 3: the first, m-00001-of-00003.gguf, is missing");
	part(1, 3, "odd-name.gguf");
	refuse("odd-name.gguf", ERR_FORMAT, "open that one");
	part(0, 3, "m-00001-of-00003.gguf");
	part(0, 3, "m-00002-of-00003.gguf");
	refuse("m-00001-of-00003.gguf", ERR_FORMAT, "expected 1, found 0");
	part(1, 2, "m-00002-of-00003.gguf");
	refuse("m-00001-of-00003.gguf", ERR_FORMAT, "expected 3, found 2");
	part(1, 3, "m-00002-of-00003.gguf");
	part(0, 3, "other.gguf");
	refuse("other.gguf", ERR_FORMAT, "a file name that ends in -00001-of-00003.gguf");
	part(0, 2, "m-00001-of-00002.gguf");
	part(1, 2, "m-00002-of-00002.gguf");
	refuse("m-00001-of-00002.gguf", ERR_FORMAT, "2 tensors, as there are in all parts, found 3");
}

static void layouts(void)
{
	bool same = true;

	for (const struct quant_type *t = quant_types; t->name; t++) {
		struct gguf_layout l;

		if (!quant_layout(t->id, &l) || strcmp(l.name, t->name) || l.block != t->block || l.bytes != t->bytes) {
			same = false;
			printf("# %s differs\n", t->name);
		}
	}
	ok(same, "layouts agree with the table of types");
}

static void bare(void)
{
	struct ggufmake *m = gm_new();
	struct gguf *g = NULL;
	struct err e = { 0 };

	some_tensors(m);
	gm_write(m, tmp_path("bare.gguf"));
	ok(gguf_open(&g, tmp_path("bare.gguf"), NULL, &e) == 0 && gguf_n_kv(g) == 0 && gguf_n_tensors(g) == 4 &&
	   !gguf_tensor_at(g, 0)->data, "without layouts keys alone are read %s", e.msg);
	gguf_close(g);
	gm_free(m);
	m = gm_new();
	gm_write(m, tmp_path("empty.gguf"));
	ok(gguf_open(&g, tmp_path("empty.gguf"), quant_layout, &e) == 0 && gguf_n_tensors(g) == 0 && gguf_check(g, &e) == 0,
	   "a header alone is a file of nothing");
	gguf_close(g);
	gguf_close(NULL);
	gm_free(m);
	ok(!strcmp(gguf_type_name(GGUF_STRING), "string") && !strcmp(gguf_type_name((enum gguf_type)77), "unknown"),
	   "types have names");
}

/* The same model written by someone else, both ways round. */
static void reference(void)
{
	const char *a = tmp_data("models/stories260K/stories260K-F32.gguf");
	const char *b = tmp_data("models/container/stories260K-bigendian.gguf");
	struct gguf *ga, *gb;
	struct err e;
	bool same;

	if (!a || !b) {
		tap_skip("no reference data");
		return;
	}
	ga = open_ok(a, "little endian");
	gb = open_ok(b, "big endian");
	same = ga && gb && !gguf_make_native(gb, &e) && gguf_n_tensors(ga) == gguf_n_tensors(gb) &&
	       gguf_n_kv(ga) == gguf_n_kv(gb);
	for (int64_t i = 0; same && i < gguf_n_tensors(ga); i++) {
		const struct gguf_tensor *x = gguf_tensor_at(ga, i), *y = gguf_tensor_find(gb, x->name);

		same = y && x->bytes == y->bytes && x->data && y->data && !memcmp(x->data, y->data, x->bytes);
	}
	ok(same, "a big-endian file holds the same weights");
	gguf_close(ga);
	gguf_close(gb);
}

int main(void)
{
	for (int i = 0; i < 64 * 3; i++)
		weights[i] = (float)(i - 90) / 7;
	for (int i = 0; i < 32; i++)
		halves[i] = (uint16_t)(0x3c00 + i);
	whole("v3", 3, false, 0);
	whole("v2", 2, false, 0);
	whole("big endian", 3, true, 0);
	whole("alignment 8", 3, false, 8);
	whole("alignment 4096", 3, false, 4096);
	whole("alignment 1 MiB", 3, false, 1 << 20);
	parts();
	bare();
	layouts();
	reference();
	return tap_done();
}
