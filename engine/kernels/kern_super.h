/* Loaders of the types whose blocks are 256 weights, for kern_piece.h; words are counted without the half. */
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

/* Sixteen signed scales, four in a lane of each vector: the block's two. */
INLINE void set_scales(struct block *o, int i, vec four)
{
	o->sc[0] = v_scale(four, i % 2 * 2);
	o->sc[1] = v_scale(four, i % 2 * 2 + 1);
}

/* Two bits a weight, 128 weights in 32 bytes, 32 weights at one shift. */
INLINE void load_pairs(const struct source *s, int at, int i, vec w[8])
{
	load_8_words(s, at + i / 4 * 8, w);
	UNROLL
	for (int j = 0; j < 8; j++)
		w[j] = bits(w[j], i % 4 * 2, 0, 3);
}

/* Four bits a weight, 64 weights in 32 bytes, 32 weights at one shift. */
INLINE void load_nibbles(const struct source *s, int at, int i, vec w[8])
{
	load_8_words(s, at + i / 2 * 8, w);
	UNROLL
	for (int j = 0; j < 8; j++)
		w[j] = bits(w[j], i % 2 * 4, 0, 15);
}

/* Bit i of each byte of eight words, as bit `to` of each weight. */
INLINE void add_bits(const struct source *s, int at, int i, int to, vec w[8])
{
	vec v[8];

	load_8_words(s, at, v);
	UNROLL
	for (int j = 0; j < 8; j++)
		w[j] = v_or(w[j], bits(v[j], i, to, 1 << to));
}

INLINE void load_q2_k(const struct source *s, int i, struct block *o)
{
	const vec dm = load_word(s, 20), v = load_word(s, i / 2);

	load_pairs(s, 4, i, o->w);
	set_scales(o, i, bits(v, 0, 0, 15));
	o->mn = v_pair(bits(v, 4, 0, 15), i % 2 * 2);
	o->d = v_low_halves(dm);
	o->m = vf_neg(v_low_halves(v_srl32(dm, 16)));
}

INLINE void load_q3_k(const struct source *s, int i, struct block *o)
{
	const vec low = load_word(s, 24 + i / 2 % 2), high = load_word(s, 26);
	const vec sc = v_or(bits(low, i / 4 * 4, 0, 15), bits(high, i / 2 * 2, 4, 0x30));

	load_pairs(s, 8, i, o->w);
	add_bits(s, 0, i, 2, o->w);
	set_scales(o, i, v_sub8(sc, v_set8(32)));
	o->d = load_half(s);
}

/* d, dmin and twelve bytes of six-bit scales and minimums. */
INLINE void load_scales_k(const struct source *s, int i, struct block *o)
{
	const vec dm = load_word(s, 0), last = load_word(s, 3);
	vec sc = load_word(s, 1), mn = load_word(s, 2);

	sc = i < 4 ? bits(sc, 0, 0, 63) : v_or(bits(last, 0, 0, 15), bits(sc, 6, 4, 0x30));
	mn = i < 4 ? bits(mn, 0, 0, 63) : v_or(bits(last, 4, 0, 15), bits(mn, 6, 4, 0x30));
	o->d = vf_mul(v_low_halves(dm), v_to_float(byte_of(sc, i % 4)));
	o->m = vf_mul(vf_neg(v_low_halves(v_srl32(dm, 16))), v_to_float(byte_of(mn, i % 4)));
}

INLINE void load_q4_k(const struct source *s, int i, struct block *o)
{
	load_nibbles(s, 4, i, o->w);
	load_scales_k(s, i, o);
}

INLINE void load_q5_k(const struct source *s, int i, struct block *o)
{
	load_nibbles(s, 12, i, o->w);
	add_bits(s, 4, i, 4, o->w);
	load_scales_k(s, i, o);
}

INLINE void load_q6_k(const struct source *s, int i, struct block *o)
{
	vec high[8];

	load_8_words(s, i / 4 * 16 + i % 2 * 8, o->w);
	load_8_words(s, 32 + i / 4 * 8, high);
	UNROLL
	for (int j = 0; j < 8; j++)
		o->w[j] = v_or(bits(o->w[j], i % 4 / 2 * 4, 0, 15), bits(high[j], i % 4 * 2, 4, 0x30));
	set_scales(o, i, load_word(s, 48 + i / 2));
	o->d = load_half(s);
}

INLINE void load_iq4_xs(const struct source *s, int i, struct block *o)
{
	const vec head = load_word(s, 0), low = load_word(s, 1);
	const vec sc = v_or(v_and(v_srl32(low, 4 * i), v_set32(15)), v_and(v_srl32(head, 12 + 2 * i), v_set32(48)));

	nibbles(s, 2 + 4 * i, o->w);
	table_values(o->w);
	o->d = vf_mul(v_low_halves(head), v_to_float(v_sub32(sc, v_set32(32))));
}

INLINE vec times_3(vec v)
{
	return v_add8(v, v_add8(v, v));
}

/* Base-3 digit n of a fraction of 256: 3^(n+1) · byte / 256, mod 3. */
INLINE vec digit(vec v, int n)
{
	UNROLL
	for (int i = 0; i < n; i++)
		v = times_3(v);
	return v_add8(v_at_least(v, 86), v_at_least(v, 171));
}

/* Five digits of 32 bytes, then of 16, then four of 4. */
INLINE void load_tq1_0(const struct source *s, int i, struct block *o)
{
	UNROLL
	for (int j = 0; j < 8; j++) {
		const int n = i < 5 ? i : i < 7 || j < 4 ? (i - 5) * 2 + j / 4 : j - 4;

		o->w[j] = digit(load_word(s, i < 5 ? j : i < 7 || j < 4 ? 8 + j % 4 : 12), n);
	}
	o->d = load_half(s);
}

INLINE void load_tq2_0(const struct source *s, int i, struct block *o)
{
	load_pairs(s, 0, i, o->w);
	o->d = load_half(s);
}

/* Pairs of bits, 128 weights in 32 bytes, the first 32 in the highest; the scale is the tensor's. */
INLINE void load_i2_s(const struct source *s, int i, struct block *o)
{
	load_pairs(s, 0, 3 - i, o->w);
	o->d = vf_one();
}

#define SUPER_TYPES(X) \
	X(Q2_K, load_q2_k, .per = SUBS, .words = 21, .max = 3, .min = true, .scale = true, .fold = true) \
	X(Q3_K, load_q3_k, .per = SUBS, .words = 27, .max = 7, .offset = 4, .scale = true) \
	X(Q4_K, load_q4_k, .per = SUBS, .words = 36, .max = 15, .min = true) \
	X(Q5_K, load_q5_k, .per = SUBS, .words = 44, .max = 31, .min = true) \
	X(Q6_K, load_q6_k, .per = SUBS, .words = 52, .max = 63, .offset = 32, .scale = true) \
	X(IQ4_XS, load_iq4_xs, .per = SUBS, .words = 34, .sign = true) \
	X(TQ1_0, load_tq1_0, .per = SUBS, .words = 13, .max = 2, .offset = 1) \
	X(TQ2_0, load_tq2_0, .per = SUBS, .words = 16, .max = 2, .offset = 1) \
	X(I2_S, load_i2_s, .per = SUBS / 2, .words = 8, .max = 3, .offset = 1)

#endif
