#include "config.h"
#include "engine/base/str.h"
#include "engine/base/xio.h"
#include "engine/quant/layout.h"
#include "engine/quant/quant.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUPER = 256, MAX_BYTES = SUPER * 4 };

static uint64_t rng = 88172645463325252u;

static uint64_t random64(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	return rng ^= rng << 17;
}

static float from_bits(uint32_t u)
{
	float f;

	memcpy(&f, &u, sizeof f);
	return f;
}

static uint32_t bits_of(float f)
{
	uint32_t u;

	memcpy(&u, &f, sizeof u);
	return u;
}

/* -- the table --------------------------------------------------------------------- */

static void test_table(void)
{
	int n = 0;
	bool unique = true, layouts = true, found = true;

	for (const struct quant_type *t = quant_types; t->name; t++, n++) {
		struct gguf_layout l;
		char lower[16] = "";

		for (const struct quant_type *o = t + 1; o->name; o++)
			unique = unique && o->id != t->id && strcmp(o->name, t->name) != 0;
		layouts = layouts && quant_layout(t->id, &l) && !strcmp(l.name, t->name) &&
			  l.block == t->block && l.bytes == t->bytes && l.tail == t->tail;
		for (size_t i = 0; t->name[i]; i++)
			lower[i] = (char)tolower((unsigned char)t->name[i]);
		found = found && quant_by_id(t->id) == t && quant_by_name(t->name) == t &&
			quant_by_name(lower) == t && t->decode && t->encode && SUPER % t->block == 0;
	}
	ok(n == 18, "eighteen types (%d)", n);
	ok(unique, "ids and names are unique");
	ok(found, "each is found by id and by name in any case, and goes both ways");
	ok(layouts, "the reader of files has the same blocks and bytes");
	ok(!quant_by_id(4) && !quant_by_id(UINT32_MAX) && !quant_by_name("Q4") && !quant_by_name(""),
	   "what is not in the table is not found");
}

static void test_sizes(void)
{
	const struct quant_type *q = quant_by_id(QUANT_Q4_0), *k = quant_by_id(QUANT_Q6_K);
	const struct quant_type *f = quant_by_id(QUANT_F32), *s = quant_by_id(QUANT_I2_S);

	ok(quant_row_bytes(q, 64) == 36 && quant_row_bytes(k, 512) == 420 && quant_row_bytes(f, 3) == 12,
	   "bytes of a row");
	ok(quant_row_bytes(q, 33) == -1 && quant_row_bytes(k, 128) == -1 && quant_row_bytes(q, -32) == -1,
	   "a row that is no whole blocks has none");
	ok(quant_row_bytes(f, INT64_MAX) == -1 && quant_row_bytes(f, INT64_MAX / 4) > 0, "nor one too long to count");
	ok(quant_tensor_bytes(s, 256, 3) == 64 * 3 + 32 && quant_tensor_bytes(q, 64, 10) == 360,
	   "a tensor's bytes, with the tail where there is one");
	ok(quant_tensor_bytes(f, 1 << 30, INT64_C(1) << 40) == -1 && quant_tensor_bytes(q, 33, 1) == -1 &&
	   quant_tensor_bytes(q, 32, -1) == -1 && quant_tensor_bytes(f, 0, 5) == 0, "and its bounds");
}

/* -- halves ------------------------------------------------------------------------ */

static double half_value(unsigned h)
{
	const unsigned e = h >> 10 & 31, m = h & 1023;
	const double v = e ? ldexp(1024 + m, (int)e - 25) : ldexp(m, -24);

	return h & 0x8000 ? -v : v;
}

/* Nearest half by search over all of them, to even on ties: slow, and written differently. */
static unsigned nearest_half(double f)
{
	const double a = fabs(f);
	unsigned lo = 0, hi = 0x7c00;	/* 0x7c00 stands for 65536 here */

	while (hi - lo > 1) {
		const unsigned mid = (lo + hi) / 2;

		if (half_value(mid) <= a)
			lo = mid;
		else
			hi = mid;
	}
	if (half_value(hi) - a < a - half_value(lo) || (half_value(hi) - a == a - half_value(lo) && hi % 2 == 0))
		lo = hi;
	return lo | (signbit(f) ? 0x8000u : 0);
}

static void test_halves(void)
{
	bool exact = true, back = true, nearest = true, nan = true, bf = true;

	for (unsigned h = 0; h < 0x10000; h++) {
		const float f = quant_f16_to_f32((uint16_t)h);

		if ((h & 0x7c00) == 0x7c00) {
			nan = nan && ((h & 0x3ff) ? isnan(f) && isnan(quant_f16_to_f32(quant_f32_to_f16(f))) :
				      isinf(f) && quant_f32_to_f16(f) == h);
			continue;
		}
		exact = exact && (double)f == half_value(h) && !signbit(f) == !(h & 0x8000);
		back = back && quant_f32_to_f16(f) == h;
	}
	ok(exact, "every finite half decodes to its value");
	ok(back, "and comes back");
	ok(nan, "infinities and NaN stay what they are");
	for (int i = 0; i < 400000; i++) {
		/* exponents from below the smallest half to above the largest; half of them ties or next to one */
		const uint32_t e = 127 - 28 + (uint32_t)(random64() % 46);
		uint32_t u = e << 23 | (uint32_t)(random64() & 0x807fffff);

		if (i % 2)
			u = (u & ~0x1fffu) + 0x1000 + (uint32_t)(random64() % 3) - 1;
		nearest = nearest && quant_f32_to_f16(from_bits(u)) == nearest_half(from_bits(u));
	}
	ok(nearest, "floats go to the nearest half, to even on ties");
	ok(quant_f32_to_f16(65519.996f) == 0x7bff && quant_f32_to_f16(65520.0f) == 0x7c00 &&
	   quant_f32_to_f16(-FLT_MAX) == 0xfc00 && quant_f32_to_f16(0x1p-25f) == 0 &&
	   quant_f32_to_f16(from_bits(bits_of(0x1p-25f) + 1)) == 1 && quant_f32_to_f16(-0.0f) == 0x8000 &&
	   quant_f32_to_f16(FLT_TRUE_MIN) == 0, "and the ends of the range");
	for (int i = 0; i < 400000; i++) {
		const uint32_t u = (uint32_t)random64();
		const float f = from_bits(u), lo = from_bits(u & 0xffff0000), hi = from_bits((u & 0xffff0000) + 0x10000);
		const uint16_t b = quant_f32_to_bf16(f);
		const double down = fabs((double)f - lo), up = fabs((double)hi - f);

		if (!isfinite(f) || !isfinite(hi))
			continue;
		bf = bf && quant_bf16_to_f32(b) == (down < up || (down == up && !(u >> 16 & 1)) ? lo : hi);
	}
	ok(bf && isnan(quant_bf16_to_f32(quant_f32_to_bf16(from_bits(0x7f800001)))) &&
	   quant_f32_to_bf16(INFINITY) == 0x7f80 && quant_f32_to_bf16(FLT_MAX) == 0x7f80, "bfloat16 too");
}

/* -- bytes of the reference -------------------------------------------------------- */

static int hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static size_t unhex(const char *s, uint8_t *out)
{
	size_t n = 0;

	for (; isxdigit((unsigned char)s[0]) && isxdigit((unsigned char)s[1]); s += 2)
		out[n++] = (uint8_t)(hex_digit(s[0]) << 4 | hex_digit(s[1]));
	return n;
}

static void check_line(char *line, const float *input, int *types)
{
	const struct quant_type *t;
	uint8_t packed[MAX_BYTES], ours[MAX_BYTES];
	float decoded[SUPER], back[SUPER];
	char *bytes = strchr(line, ' '), *floats = bytes ? strchr(bytes + 1, ' ') : NULL;
	size_t n;

	if (!floats)
		return;
	*bytes++ = '\0';
	*floats++ = '\0';
	t = quant_by_name(line);
	if (!ok(t, "%s is in the table", line))
		return;
	n = unhex(bytes, packed);
	unhex(floats, (uint8_t *)decoded);
	t->encode(input, ours, SUPER);
	ok((int64_t)n == quant_row_bytes(t, SUPER) && !memcmp(ours, packed, n), "%s encodes to the reference's bytes", t->name);
	t->decode(packed, back, SUPER);
	ok(!memcmp(back, decoded, sizeof back), "%s decodes to the reference's floats", t->name);
	++*types;
}

/* A super-block of every type that travels with the sources. */
static void test_stored(void)
{
	const char *src = getenv("TEST_SRC");
	char path[4096];
	float input[SUPER];
	struct str s;
	struct err e;
	int types = 0;

	snprintf(path, sizeof path, "%s/t/data/quant-blocks.txt", src ? src : ".");
	str_init(&s, 1 << 20);
	if (ok(!xio_slurp(path, &s, &e), "the stored blocks are there")) {
		for (char *save, *line = strtok_r(s.p, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
			if (!strncmp(line, "input ", 6))
				unhex(line + 6, (uint8_t *)input);
			else if (line[0] != '#')
				check_line(line, input, &types);
		}
	}
	ok(types == 16, "sixteen types are compared (%d)", types);
	str_release(&s);
}

static char *read_data(const char *type, const char *suffix, size_t *n)
{
	char name[64] = "quants/";
	struct str s;
	struct err e;
	const char *path;

	/* the files are named as the peer spells types: q4_0, q4_K */
	for (size_t i = 0, o = strlen(name); type[i] && o < 32; i++, o++) {
		name[o] = type[i] == 'K' ? 'K' : (char)tolower((unsigned char)type[i]);
		name[o + 1] = '\0';
	}
	strcat(name, suffix);
	path = tmp_data(name);
	if (!path)
		return NULL;
	str_init(&s, 64 << 20);
	if (xio_slurp(path, &s, &e) < 0)
		return NULL;
	*n = s.len;
	return str_take(&s);
}

static void test_type_data(const struct quant_type *t, const float *x, int64_t n)
{
	const int64_t want = quant_row_bytes(t, n);
	size_t qn, dn;
	char *q = read_data(t->name, ".q", &qn), *d = read_data(t->name, ".deq.f32", &dn);
	uint8_t *ours = malloc((size_t)want);
	float *back = malloc((size_t)n * sizeof *back);

	if (q && d && ours && back) {
		t->encode(x, ours, n);
		ok((int64_t)qn == want && !memcmp(ours, q, qn), "%s: all blocks of the reference data", t->name);
		t->decode(q, back, n);
		ok(dn == (size_t)n * 4 && !memcmp(back, d, dn), "%s: decoded to the bit", t->name);
	} else {
		ok(t->id == QUANT_F32 || t->id == QUANT_I2_S, "%s has reference data", t->name);
	}
	free(q);
	free(d);
	free(ours);
	free(back);
}

static void test_data(void)
{
	size_t n;
	char *input = read_data("input", ".f32", &n);

	if (!input) {
		tap_skip("the reference data is not here");
		return;
	}
	for (const struct quant_type *t = quant_types; t->name; t++)
		test_type_data(t, (const float *)(const void *)input, (int64_t)(n / 4));
	free(input);
}

/* -- hostile weights and bytes ------------------------------------------------------ */

static void fill(float *x, const float *values, size_t n)
{
	for (int i = 0; i < SUPER; i++)
		x[i] = n ? values[random64() % n] : from_bits((uint32_t)random64());
}

/* Between two tame blocks, and away from any alignment: nothing leaks, nothing is written beside. */
static bool survives(const struct quant_type *t, const float *x, const float *tame)
{
	const size_t row = (size_t)quant_row_bytes(t, SUPER);
	uint8_t alone[MAX_BYTES], buf[3 * MAX_BYTES + 3], again[MAX_BYTES];
	float three[3 * SUPER], back[SUPER + 1], back2[SUPER];
	bool good;

	memcpy(three, tame, sizeof back2);
	memcpy(three + SUPER, x, sizeof back2);
	memcpy(three + 2 * SUPER, tame, sizeof back2);
	memset(buf, 0xa5, sizeof buf);
	t->encode(tame, alone, SUPER);
	t->encode(three, buf + 1, 3 * SUPER);
	good = buf[0] == 0xa5 && buf[1 + 3 * row] == 0xa5 && !memcmp(buf + 1, alone, row) &&
	       !memcmp(buf + 1 + 2 * row, alone, row);
	t->encode(x, again, SUPER);
	good = good && !memcmp(again, buf + 1 + row, row);
	back[SUPER] = 42.0f;
	t->decode(again, back, SUPER);
	t->decode(buf + 1 + row, back2, SUPER);
	return good && back[SUPER] == 42.0f && !memcmp(back, back2, sizeof back2);
}

static void test_edges(void)
{
	static const struct { const char *what; float v[6]; size_t n; } cases[] = {
		{ "zeros", { 0.0f }, 1 },
		{ "both zeros", { 0.0f, -0.0f }, 2 },
		{ "denormals", { FLT_TRUE_MIN, -FLT_TRUE_MIN, 1e-40f, 0.0f, -1e-41f }, 5 },
		{ "tiny normals", { FLT_MIN, -FLT_MIN, 2e-38f, 3e-39f }, 4 },
		{ "the largest", { FLT_MAX, -FLT_MAX, 1.0f }, 3 },
		{ "NaN alone", { NAN }, 1 },
		{ "some NaN", { NAN, 1.0f, -2.0f, 0.5f }, 4 },
		{ "infinities", { INFINITY, -INFINITY }, 2 },
		{ "one infinity", { INFINITY, 1.0f, -1.0f }, 3 },
		{ "all there is", { NAN, INFINITY, -INFINITY, FLT_MAX, -0.0f, FLT_TRUE_MIN }, 6 },
		{ "any bits", { 0 }, 0 },
	};
	float tame[SUPER], x[SUPER];

	for (int i = 0; i < SUPER; i++)
		tame[i] = sinf((float)i) * 0.1f;
	for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
		bool good = true;

		for (const struct quant_type *t = quant_types; t->name; t++)
			for (int round = 0; round < 20; round++) {
				fill(x, cases[c].v, cases[c].n);
				good = survives(t, x, tame) && good;
			}
		ok(good, "every type takes weights of %s", cases[c].what);
	}
}

static void test_zero(void)
{
	bool zero = true;
	float x[SUPER] = { 0 };
	uint8_t buf[MAX_BYTES];

	for (const struct quant_type *t = quant_types; t->name; t++) {
		t->encode(x, buf, SUPER);
		t->decode(buf, x, SUPER);
		for (int i = 0; i < SUPER; i++)
			zero = zero && x[i] == 0.0f;
	}
	ok(zero, "zeros come back as zeros from every type");
}

static void test_any_bytes(void)
{
	uint8_t buf[MAX_BYTES + 1];
	float a[SUPER + 1], b[SUPER];
	bool good = true;

	for (const struct quant_type *t = quant_types; t->name; t++) {
		const size_t row = (size_t)quant_row_bytes(t, SUPER);

		for (int round = 0; round < 200; round++) {
			for (size_t i = 0; i < row; i++)
				buf[i] = (uint8_t)random64();
			a[SUPER] = 42.0f;
			t->decode(buf, a, SUPER);
			memmove(buf + 1, buf, row);
			t->decode(buf + 1, b, SUPER);
			good = good && a[SUPER] == 42.0f && !memcmp(a, b, sizeof b);
		}
	}
	ok(good, "every type decodes any bytes, at any alignment");
}

/* -- ternary ----------------------------------------------------------------------- */

static void test_ternary(void)
{
	const struct quant_type *t = quant_by_id(QUANT_I2_S);
	static const enum quant_id ids[] = { QUANT_TQ1_0, QUANT_TQ2_0, QUANT_I2_S };
	float x[SUPER], back[SUPER], scale = 0.0f;
	uint8_t buf[MAX_BYTES], tail[32];
	bool same = true;

	for (int i = 0; i < SUPER; i++)
		x[i] = 0.375f * (float)((int)(random64() % 3) - 1);
	for (size_t k = 0; k < sizeof ids / sizeof *ids; k++) {
		const struct quant_type *q = quant_by_id(ids[k]);

		q->encode(x, buf, SUPER);
		q->decode(buf, back, SUPER);
		for (int i = 0; i < SUPER; i++)
			same = same && back[i] * (q->tail ? 0.375f : 1.0f) == x[i];
	}
	ok(same, "ternary weights come back exactly");
	ok(quant_ternary(x, SUPER, &scale) && scale == 0.375f, "and are known as such, with their scale");
	ok(quant_ternary(x, 0, &scale) && scale == 0.375f, "in pieces too");
	x[7] = 0.5f;
	ok(!quant_ternary(x, SUPER, &scale), "a second magnitude is none");
	scale = 0.0f;
	ok(!quant_ternary(&(float){ NAN }, 1, &scale) && !quant_ternary(&(float){ INFINITY }, 1, &scale) && scale == 0.0f,
	   "nor are NaN and infinity");
	memset(tail, 0xff, sizeof tail);
	quant_tail_write(t, 1.5f, tail);
	ok(quant_tail_scale(t, tail) == 1.5f && !memcmp(tail, "\0\0\xc0\x3f\0\0\0\0", 8) && tail[31] == 0,
	   "the scale lies little endian at the start of a tail of zeros");
	ok(quant_tail_scale(quant_by_id(QUANT_Q8_0), NULL) == 1.0f, "types without a tail have the scale 1");
	memset(x, 0, sizeof x);
	x[0] = 1.0f;
	x[32] = -1.0f;
	x[96 + 5] = 1.0f;
	t->encode(x, buf, 128);
	ok(buf[0] == (2 << 6 | 0 << 4 | 1 << 2 | 1) && buf[5] == (1 << 6 | 1 << 4 | 1 << 2 | 2) && buf[31] == 0x55,
	   "I2_S: weight p is in bits 6-7 of byte p, p + 32 below it, and so on");
}

int main(void)
{
	test_table();
	test_sizes();
	test_halves();
	test_stored();
	test_data();
	test_edges();
	test_zero();
	test_any_bytes();
	test_ternary();
	return tap_done_min(80);
}
