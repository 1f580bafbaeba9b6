/* The same tensors out of every container, the counting of layers under patterns, and the memory it takes. */
#include "config.h"
#include "engine/base/os.h"
#include "engine/base/pool.h"
#include "engine/base/str.h"
#include "engine/base/xio.h"
#include "engine/kernels/cpu.h"
#include "engine/make/level.h"
#include "engine/model/model.h"
#include "engine/quant/layout.h"
#include "t/lib/ggufmake.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLS = 256, ROWS = 24, LAYERS = 16, PARTS = 3 };

static struct eng eng;
static float weights[COLS * ROWS];

static void fill(uint32_t seed)
{
	for (int i = 0; i < COLS * ROWS; i++) {
		seed = seed * 1664525 + 1013904223;
		weights[i] = (float)(int32_t)seed / 2147483648.0f;
	}
}

static void keys(struct ggufmake *m, int part)
{
	gm_str(m, "general.architecture", "llama");
	gm_u32(m, "llama.block_count", LAYERS);
	gm_u32(m, "llama.attention.head_count", 8);
	gm_u32(m, "llama.attention.head_count_kv", 4);
	gm_f64(m, "general.number", 0.1);
	gm_i64(m, "general.large", -1234567890123);
	gm_bools(m, "general.flags", (const bool[]){ true, false, true }, 3);
	gm_strs(m, "general.tags", (const char *const[]){ "a", "", "a long one" }, 3);
	if (part < 0)
		return;
	gm_u16(m, "split.no", (uint16_t)part);
	gm_u16(m, "split.count", PARTS);
	gm_i32(m, "split.tensors.count", 2 * LAYERS + 2);
}

static void tensor(struct ggufmake *m, const char *name, uint32_t seed, int rows)
{
	fill(seed);
	gm_tensor(m, name, GM_F32, rows > 1 ? 2 : 1, (int64_t[]){ COLS, rows }, weights,
		  (size_t)(COLS * rows) * sizeof *weights);
}

/* Tensors of a part, or all (-1): a layer's go to one part, those of the layers not in order. */
static void tensors(struct ggufmake *m, int part)
{
	char name[64];

	if (part <= 0) {
		tensor(m, "output_norm.weight", 1, 1);
		tensor(m, "token_embd.weight", 2, ROWS);
	}
	for (int k = 0; k < LAYERS; k++) {
		const int i = k * 7 % LAYERS;

		if (part >= 0 && i % PARTS != part)
			continue;
		snprintf(name, sizeof name, "blk.%d.attn_v.weight", i);
		tensor(m, name, (uint32_t)(10 + i), ROWS);
		snprintf(name, sizeof name, "blk.%d.ffn_down.weight", i);
		tensor(m, name, (uint32_t)(100 + i), ROWS / 2);
	}
}

static void make(const char *path, int part, bool big, uint32_t align, uint32_t version)
{
	struct ggufmake *m = gm_new();

	gm_version(m, version);
	if (big)
		gm_big_endian(m);
	if (align)
		gm_align(m, align);
	keys(m, part);
	tensors(m, part);
	gm_write(m, path);
	gm_free(m);
}

static int quantize(const char *in, const char *out, const struct eng_quantize_opts *o, struct err *e)
{
	struct eng_quantize_result r;

	return eng_quantize(&eng, in, out, o, &r, e);
}

static bool same_files(const char *a, const char *b)
{
	struct str x, y;
	bool same;

	str_init(&x, 0);
	str_init(&y, 0);
	same = !xio_slurp(a, &x, NULL) && !xio_slurp(b, &y, NULL) && x.len && x.len == y.len && !memcmp(x.p, y.p, x.len);
	str_release(&x);
	str_release(&y);
	return same;
}

static void test_containers(void)
{
	static const char *const levels_tried[] = { "Q4_K_M", "F16", "Q5_1", "F32" };
	char plain[512], big[512], wide[512], old[512], part[PARTS][512], want[512], got[512];
	struct err e = { 0 };

	snprintf(plain, sizeof plain, "%s", tmp_path("plain.gguf"));
	snprintf(big, sizeof big, "%s", tmp_path("big.gguf"));
	snprintf(wide, sizeof wide, "%s", tmp_path("wide.gguf"));
	snprintf(old, sizeof old, "%s", tmp_path("old.gguf"));
	snprintf(want, sizeof want, "%s", tmp_path("want.gguf"));
	snprintf(got, sizeof got, "%s", tmp_path("got.gguf"));
	make(plain, -1, false, 0, 3);
	make(big, -1, true, 0, 3);
	make(wide, -1, false, 512, 3);
	make(old, -1, false, 0, 2);
	for (int i = 0; i < PARTS; i++) {
		char name[64];

		snprintf(name, sizeof name, "parts-%05d-of-%05d.gguf", i + 1, PARTS);
		snprintf(part[i], sizeof part[i], "%s", tmp_path(name));
		make(part[i], i, false, 0, 3);
	}
	for (size_t i = 0; i < sizeof levels_tried / sizeof *levels_tried; i++) {
		const struct eng_quantize_opts o = { .level = levels_tried[i] };
		const struct { const char *what, *path; } odd[] = {
			{ "a big-endian file", big }, { "another alignment", wide }, { "version 2", old },
			{ "three parts", part[0] },
		};

		ok(!quantize(plain, want, &o, &e), "%s from a plain file", o.level);
		for (size_t k = 0; k < sizeof odd / sizeof *odd; k++)
			ok(!quantize(odd[k].path, got, &o, &e) && same_files(got, want), "%s from %s: the same file (%s)",
			   o.level, odd[k].what, e.msg);
	}
	ok(quantize(part[0], part[2], &(struct eng_quantize_opts){ .level = "Q8_0" }, &e) < 0 && e.code == ERR_ARG,
	   "no part is written over");
	unlink(part[1]);
	ok(quantize(part[0], got, &(struct eng_quantize_opts){ .level = "Q8_0" }, &e) < 0 && e.code == ERR_NOT_FOUND &&
	   strstr(e.msg, "parts-00002-of-00003.gguf"), "a missing part is named");
}

/* -- patterns and counts ------------------------------------------------------------- */

struct types { char v[LAYERS][16], down[LAYERS][16]; };

static void note(void *arg, const char *name, const char *from, const char *to, uint64_t bytes)
{
	struct types *t = arg;
	char what[32];
	int i;

	(void)from;
	(void)bytes;
	if (sscanf(name, "blk.%d.%31s", &i, what) == 2)
		snprintf(*what == 'a' ? t->v[i] : t->down[i], sizeof t->v[i], "%s", to);
}

/*
 * Of 16 layers Q4_K_M lifts 0, 1, 14, 15 and from 4 on every third. With layers 1 and 3 decided by a
 * pattern, layer 2 is the second that is counted, 4 the third, and so on.
 */
static void test_counts(void)
{
	const struct eng_override over = { "blk\\.[13]\\.attn_v", "Q8_0" };
	struct types t = { 0 };
	struct eng_quantize_opts o = { .level = "Q4_K_M", .dry_run = true, .tensor = note, .arg = &t };
	struct eng_quantize_result r;
	char plain[512];
	struct err e;
	bool right = true, counted = true;

	snprintf(plain, sizeof plain, "%s", tmp_path("plain.gguf"));
	ok(!eng_quantize(&eng, plain, NULL, &o, &r, &e) && r.tensors == 2 * LAYERS + 2 &&
	   !strcmp(r.level, "Q4_K_M"), "a dry run needs no output");
	for (int i = 0; i < LAYERS; i++) {
		const char *want = i < 2 || i >= 14 || (i - 2) % 3 == 2 ? "Q6_K" : "Q4_K";

		right = right && !strcmp(t.v[i], want) && !strcmp(t.down[i], want);
	}
	ok(right, "layers by their number, whatever the order in the file");
	o.overrides = &over;
	o.n_overrides = 1;
	eng_quantize(&eng, plain, NULL, &o, &r, &e);
	for (int i = 0; i < LAYERS; i++) {
		const int nth = i - (i > 1) - (i > 3);
		const bool more = nth < 2 || nth >= 14 || (nth - 2) % 3 == 2;

		counted = counted && !strcmp(t.v[i], i == 1 || i == 3 ? "Q8_0" : more ? "Q6_K" : "Q4_K");
		counted = counted && !strcmp(t.down[i], i < 2 || i >= 14 || (i - 2) % 3 == 2 ? "Q6_K" : "Q4_K");
	}
	ok(counted, "what a pattern decides is not counted");
}

/* -- memory -------------------------------------------------------------------------- */

/* A quarter of a gigabyte that is all hole: what is read piece by piece costs no more than the pieces. */
static void test_memory(void)
{
	enum { WIDE = 8192 };
	const int64_t ne[] = { WIDE, 8192 };
	const struct eng_quantize_opts o = { .level = "Q8_0" };
	struct ggufmake *m = gm_new();
	char in[512], out[512];
	struct err e = { 0 };
	size_t before, after;

	snprintf(in, sizeof in, "%s", tmp_path("large.gguf"));
	snprintf(out, sizeof out, "%s", tmp_path("large-q8.gguf"));
	gm_str(m, "general.architecture", "llama");
	gm_u32(m, "llama.block_count", 1);
	gm_hole(m, "blk.0.ffn_up.weight", GM_F32, 2, ne, (uint64_t)(ne[0] * ne[1]) * 4);
	gm_write(m, in);
	gm_free(m);
	before = os_rss_peak();
	ok(!quantize(in, out, &o, &e), "256 MiB of weights (%s)", e.msg);
	after = os_rss_peak();
	ok(after - before < 48u << 20, "in %zu MiB of memory", (after - before) >> 20);
	unlink(in);
	unlink(out);
}

int main(void)
{
	struct err e;

	eng.pool = pool_new(3, &e);
	kern_fill(&eng.kern, cpu_flags());
	test_memory();
	test_containers();
	test_counts();
	pool_free(eng.pool);
	return tap_done_min(25);
}
