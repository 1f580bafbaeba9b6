/* Loaders of the types whose blocks are 256 weights, for kern_block.h: eight blocks of 32 at a time, through memory; words are counted without the half. */
#ifndef ENGINE_KERNELS_KERN_SUPER_H
#define ENGINE_KERNELS_KERN_SUPER_H

#include "engine/kernels/kern_plain.h"

INLINE void load_8_words(const struct source *s, int i, vec o[8])
{
	load_words(s, i, o);
	load_words(s, i + 4, o + 4);
}

/* v shifted so that bit `from` of each byte becomes bit `to`, then masked. */
INLINE vec bits(vec v, int from, int to, int mask)
{
	return v_and(from > to ? v_srl16(v, from - to) : from < to ? v_sll16(v, to - from) : v, v_set8(mask));
}

/* Byte b of each lane. */
INLINE vec byte_of(vec v, int b)
{
	return v_and(v_srl32(v, 8 * b), v_set32(255));
}

INLINE void set_d(struct block *o, vecf d)
{
	UNROLL
	for (int i = 0; i < SUBS; i++)
		o[i].d = d;
}

/* Sixteen signed scales, four in a lane of each vector. */
INLINE void set_scales(struct block *o, const vec sc[4])
{
	UNROLL
	for (int i = 0; i < SUBS; i++) {
		o[i].sc[0] = v_scale(sc[i / 2], i % 2 * 2);
		o[i].sc[1] = v_scale(sc[i / 2], i % 2 * 2 + 1);
	}
}

/* Two bits a weight, 128 weights in 32 bytes, 32 weights at one shift. */
INLINE void load_pairs(const struct source *s, int at, struct block *o)
{
	UNROLL
	for (int half = 0; half < 2; half++) {
		vec v[8];

		load_8_words(s, at + half * 8, v);
		UNROLL
		for (int n = 0; n < 4; n++)
			UNROLL
			for (int j = 0; j < 8; j++)
				o[4 * half + n].w[j] = bits(v[j], 2 * n, 0, 3);
	}
}

/* Four bits a weight, 64 weights in 32 bytes, 32 weights at one shift. */
INLINE void load_nibbles(const struct source *s, int at, struct block *o)
{
	UNROLL
	for (int pair = 0; pair < 4; pair++) {
		vec v[8];

		load_8_words(s, at + pair * 8, v);
		UNROLL
		for (int j = 0; j < 8; j++) {
			o[2 * pair].w[j] = bits(v[j], 0, 0, 15);
			o[2 * pair + 1].w[j] = bits(v[j], 4, 0, 15);
		}
	}
}

static void load_q2_k(const struct source *s, struct block *o)
{
	const vec dm = load_word(s, 20);
	const vecf m = vf_neg(v_low_halves(v_srl32(dm, 16)));
	vec v[4], sc[4];

	load_pairs(s, 4, o);
	load_words(s, 0, v);
	UNROLL
	for (int i = 0; i < 4; i++)
		sc[i] = bits(v[i], 0, 0, 15);
	set_scales(o, sc);
	set_d(o, v_low_halves(dm));
	UNROLL
	for (int i = 0; i < SUBS; i++) {
		o[i].m = m;
		o[i].mn = v_pair(bits(v[i / 2], 4, 0, 15), i % 2 * 2);
	}
}

static void load_q3_k(const struct source *s, struct block *o)
{
	const vec low[2] = { load_word(s, 24), load_word(s, 25) }, high = load_word(s, 26);
	vec v[8], sc[4];

	load_pairs(s, 8, o);
	load_8_words(s, 0, v);
	UNROLL
	for (int i = 0; i < SUBS; i++)
		UNROLL
		for (int j = 0; j < 8; j++)
			o[i].w[j] = v_or(o[i].w[j], bits(v[j], i, 2, 4));
	UNROLL
	for (int i = 0; i < 4; i++)
		sc[i] = v_sub8(v_or(bits(low[i % 2], i / 2 * 4, 0, 15), bits(high, 2 * i, 4, 0x30)), v_set8(32));
	set_scales(o, sc);
	set_d(o, load_half(s));
}

/* d, dmin and twelve bytes of six-bit scales and minimums. */
INLINE void load_scales_k(const struct source *s, struct block *o)
{
	vec v[4], sc[2], mn[2];

	load_words(s, 0, v);
	const vecf d = v_low_halves(v[0]), m = vf_neg(v_low_halves(v_srl32(v[0], 16)));

	sc[0] = bits(v[1], 0, 0, 63);
	mn[0] = bits(v[2], 0, 0, 63);
	sc[1] = v_or(bits(v[3], 0, 0, 15), bits(v[1], 6, 4, 0x30));
	mn[1] = v_or(bits(v[3], 4, 0, 15), bits(v[2], 6, 4, 0x30));
	UNROLL
	for (int i = 0; i < SUBS; i++) {
		o[i].d = vf_mul(d, v_to_float(byte_of(sc[i / 4], i % 4)));
		o[i].m = vf_mul(m, v_to_float(byte_of(mn[i / 4], i % 4)));
	}
}

static void load_q4_k(const struct source *s, struct block *o)
{
	load_nibbles(s, 4, o);
	load_scales_k(s, o);
}

static void load_q5_k(const struct source *s, struct block *o)
{
	vec v[8];

	load_nibbles(s, 12, o);
	load_8_words(s, 4, v);
	UNROLL
	for (int i = 0; i < SUBS; i++)
		UNROLL
		for (int j = 0; j < 8; j++)
			o[i].w[j] = v_or(o[i].w[j], bits(v[j], i, 4, 16));
	load_scales_k(s, o);
}

static void load_q6_k(const struct source *s, struct block *o)
{
	vec sc[4];

	UNROLL
	for (int half = 0; half < 2; half++) {
		vec low[2][8], high[8];

		load_8_words(s, half * 16, low[0]);
		load_8_words(s, half * 16 + 8, low[1]);
		load_8_words(s, 32 + half * 8, high);
		UNROLL
		for (int n = 0; n < 4; n++)
			UNROLL
			for (int j = 0; j < 8; j++)
				o[4 * half + n].w[j] = v_or(bits(low[n % 2][j], n / 2 * 4, 0, 15),
							    bits(high[j], 2 * n, 4, 0x30));
	}
	load_words(s, 48, sc);
	set_scales(o, sc);
	set_d(o, load_half(s));
}

static void load_iq4_xs(const struct source *s, struct block *o)
{
	const vec head = load_word(s, 0), low = load_word(s, 1);
	const vecf d = v_low_halves(head);

	UNROLL
	for (int i = 0; i < SUBS; i++) {
		const vec sc = v_or(v_and(v_srl32(low, 4 * i), v_set32(15)),
				    v_and(v_srl32(head, 12 + 2 * i), v_set32(48)));

		nibbles(s, 2 + 4 * i, o[i].w);
		table_values(o[i].w);
		o[i].d = vf_mul(d, v_to_float(v_sub32(sc, v_set32(32))));
	}
}

/* The leading base-3 digit of a fraction of 256: 3 · byte / 256. */
INLINE vec lead_digit(vec v)
{
	return v_add8(v_at_least(v, 86), v_at_least(v, 171));
}

INLINE vec times_3(vec v)
{
	return v_add8(v, v_add8(v, v));
}

static void load_tq1_0(const struct source *s, struct block *o)
{
	vec v[8], tail[4], last = load_word(s, 12);

	load_8_words(s, 0, v);
	load_words(s, 8, tail);
	UNROLL
	for (int n = 0; n < 5; n++) {
		UNROLL
		for (int j = 0; j < 8; j++) {
			o[n].w[j] = lead_digit(v[j]);
			v[j] = times_3(v[j]);
		}
		UNROLL
		for (int j = 0; j < 4; j++) {
			o[5 + n / 2].w[n % 2 * 4 + j] = lead_digit(tail[j]);
			tail[j] = times_3(tail[j]);
		}
	}
	UNROLL
	for (int n = 0; n < 4; n++) {
		o[7].w[4 + n] = lead_digit(last);
		last = times_3(last);
	}
	set_d(o, load_half(s));
}

static void load_tq2_0(const struct source *s, struct block *o)
{
	load_pairs(s, 0, o);
	set_d(o, load_half(s));
}

/* Pairs of bits, 128 weights in 32 bytes, the first 32 in the highest; the scale is the tensor's. */
static void load_i2_s(const struct source *s, struct block *o)
{
	vec v[8];

	load_8_words(s, 0, v);
	UNROLL
	for (int n = 0; n < 4; n++) {
		UNROLL
		for (int j = 0; j < 8; j++)
			o[n].w[j] = bits(v[j], 6 - 2 * n, 0, 3);
		o[n].d = vf_one();
	}
}

#define SUPER_TYPES(X) \
	X(Q2_K, load_q2_k, .per = SUBS, .words = 21, .max = 3, .min = true, .scale = true) \
	X(Q3_K, load_q3_k, .per = SUBS, .words = 27, .max = 7, .offset = 4, .scale = true) \
	X(Q4_K, load_q4_k, .per = SUBS, .words = 36, .max = 15, .min = true) \
	X(Q5_K, load_q5_k, .per = SUBS, .words = 44, .max = 31, .min = true) \
	X(Q6_K, load_q6_k, .per = SUBS, .words = 52, .max = 63, .offset = 32, .scale = true) \
	X(IQ4_XS, load_iq4_xs, .per = SUBS, .words = 34, .sign = true) \
	X(TQ1_0, load_tq1_0, .per = SUBS, .words = 13, .max = 2, .offset = 1) \
	X(TQ2_0, load_tq2_0, .per = SUBS, .words = 16, .max = 2, .offset = 1) \
	X(I2_S, load_i2_s, .per = SUBS / 2, .words = 8, .max = 3, .offset = 1)

#endif
