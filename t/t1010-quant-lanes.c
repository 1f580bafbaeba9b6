/*
 * The types' functions as they are compiled for each instruction set, beside one lane: the
 * same bytes for any weights, and the same floats for any bytes.
 */
#include "config.h"
#include "engine/kernels/cpu.h"
#include "engine/kernels/kern.h"
#include "t/lib/tap.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SUPER = 256, MOST = 5 * SUPER, ROUNDS = 40 };	/* five: no whole number of lanes */

extern const struct quant_codec quant_codecs_scalar[];

static uint64_t rng = 88172645463325252u;

static uint64_t random64(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	return rng ^= rng << 17;
}

/* -1 … 1 */
static float even(void)
{
	return (float)(int32_t)random64() * 0x1p-31f;
}

static float from_bits(uint32_t u)
{
	float f;

	memcpy(&f, &u, sizeof f);
	return f;
}

/* -- weights: a value at a time, i of MOST ------------------------------------------ */

static float bell(int i)
{
	float s = 0;

	(void)i;
	for (int k = 0; k < 6; k++)
		s += even();
	return 0.02f * s;
}

static float above(int i) { return 1.0f + 0.25f * bell(i); }
static float below(int i) { return -1.0f + 0.25f * bell(i); }
static float constant(int i) { return 0.1f * (float)(i / 32 % 7 - 3); }
static float outlier(int i) { return i % 32 == i / 32 ? 1e4f : bell(i); }
static float ramp(int i) { return (float)(i % 32 - 12) * 0.125f; }
/* every weight half way between two codes of a scale that is a power of two */
static float ties(int i) { return i % 16 ? (float)((int)(random64() % 62) - 31) * 0x1p-6f : -0.5f; }
static float ternary(int i) { (void)i; return (float)((int)(random64() % 3) - 1) * 0.375f; }
static float few(int i) { return i % 16 < 14 ? 0.0f : bell(i); }
static float nearly_flat(int i) { (void)i; return from_bits(0x3f800000 + (uint32_t)(random64() % 3)); }
/* sub-blocks from 1e-18 to 1e18: most scales of a super-block vanish beside the largest */
static float far_apart(int i) { return bell(i) * powf(10.0f, (float)(i / 16 * 7 % 37 - 18)); }
static float tiny(int i) { return bell(i) * 1e-15f; }
static float denormal(int i) { (void)i; return from_bits((uint32_t)random64() & 0x80ffffff); }
static float huge(int i) { (void)i; return even() * FLT_MAX; }
static float finite_bits(int i)
{
	const float f = from_bits((uint32_t)random64());

	return isfinite(f) ? f : (float)i;
}

static float one_of(const float *v, size_t n) { return v[random64() % n]; }
static float zeros(int i) { (void)i; return one_of((const float[]){ 0.0f, -0.0f }, 2); }
static float infinite(int i) { (void)i; return one_of((const float[]){ INFINITY, -INFINITY, 1.0f, -2.0f }, 4); }
static float an_infinity(int i) { return random64() % 64 ? bell(i) : even() * INFINITY; }
static float nans(int i) { return random64() % 16 ? bell(i) : NAN; }
static float all_nan(int i) { (void)i; return NAN; }
static float anything(int i)
{
	static const float v[] = { NAN, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, -0.0f, FLT_TRUE_MIN, 1e-20f };

	return random64() % 8 ? bell(i) : one_of(v, sizeof v / sizeof *v);
}

static const struct { const char *name; float (*weight)(int i); } weights[] = {
	{ "a bell's", bell }, { "all above zero", above }, { "all below zero", below }, { "constants", constant },
	{ "an outlier", outlier }, { "a ramp", ramp }, { "ties", ties }, { "ternary ones", ternary },
	{ "few that are not zero", few }, { "nearly flat", nearly_flat }, { "far apart", far_apart },
	{ "tiny", tiny }, { "denormal", denormal }, { "huge", huge }, { "any finite bits", finite_bits },
	{ "zeros", zeros }, { "infinite", infinite }, { "an infinity", an_infinity }, { "some NaN", nans },
	{ "NaN alone", all_nan }, { "anything", anything },
};
enum { WEIGHTS = sizeof weights / sizeof *weights };

/* -- the comparison ---------------------------------------------------------------- */

static bool encodes(const struct quant_type *t, const struct quant_codec *c, const struct quant_codec *one,
		    const float *x, int64_t n)
{
	const size_t bytes = (size_t)quant_row_bytes(t, n);
	uint8_t a[4 * MOST + 1], b[4 * MOST + 1];

	memset(a, 0xa5, sizeof a);
	memset(b, 0xa5, sizeof b);
	one->encode(x, a, n);
	c->encode(x, b, n);
	return !memcmp(a, b, sizeof a) && b[bytes] == 0xa5;
}

static void test_encode(const char *set, const struct quant_type *t, const struct quant_codec *c,
			const struct quant_codec *one)
{
	float x[MOST];

	for (int w = 0; w < WEIGHTS; w++) {
		bool same = true;

		for (int round = 0; round < ROUNDS && same; round++) {
			/* from one block to all of them */
			const int64_t most = MOST / t->block;
			const int64_t some = 1 + (int64_t)(random64() >> 1) % most;
			const int64_t n = (round < 2 ? most : some) * t->block;

			for (int i = 0; i < MOST; i++)
				x[i] = weights[w].weight(i);
			same = encodes(t, c, one, x, n);
		}
		if (!same)
			ok(false, "%s, %s: the bytes of one lane for weights: %s", set, t->name,
			   weights[w].name);
	}
	ok(true, "%s, %s: %d kinds of weights", set, t->name, WEIGHTS);
}

static bool same_float(float a, float b)
{
	return !memcmp(&a, &b, sizeof a) || (isnan(a) && isnan(b));
}

static void test_decode(const char *set, const struct quant_type *t, const struct quant_codec *c,
			const struct quant_codec *one)
{
	uint8_t packed[4 * MOST + 1];
	float a[MOST], b[MOST + 1];
	bool same = true;

	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < sizeof packed; i++)
			packed[i] = (uint8_t)random64();
		b[MOST] = 42.0f;
		one->decode(packed + round % 2, a, MOST);
		c->decode(packed + round % 2, b, MOST);
		for (int i = 0; i < MOST; i++)
			same = same && same_float(a[i], b[i]);
		same = same && b[MOST] == 42.0f;
	}
	ok(same, "%s, %s: the floats of one lane for any bytes", set, t->name);
}

int main(void)
{
	const unsigned have = cpu_flags();

	for (int set = -1; set < CPU_N; set++) {
		const unsigned flags = set < 0 ? 0 : 1u << set;
		char name[64];
		struct kern k;

		if (flags & ~have)
			continue;
		kern_fill(&k, flags);
		cpu_names(flags, name, sizeof name);
		for (const struct quant_type *t = quant_types; t->name; t++) {
			const struct quant_codec *one = &quant_codecs_scalar[t - quant_types];

			test_encode(name, t, kern_codec(&k, t), one);
			test_decode(name, t, kern_codec(&k, t), one);
		}
	}
	return tap_done_min(36);
}
