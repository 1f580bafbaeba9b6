/* Loaders of the types whose blocks are 256 weights, for kern_block.h: eight blocks of 32 at a time, through memory. */
#ifndef ENGINE_KERNELS_KERN_SUPER_H
#define ENGINE_KERNELS_KERN_SUPER_H

#include "engine/kernels/kern_plain.h"

INLINE void load_32(const uint8_t *p, int64_t stride, vec o[8])
{
	load_16(p, stride, o);
	load_16(p + 16, stride, o + 4);
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
INLINE void load_pairs(const uint8_t *p, int64_t stride, struct block *o)
{
	UNROLL
	for (int half = 0; half < 2; half++) {
		vec v[8];

		load_32(p + half * 32, stride, v);
		UNROLL
		for (int n = 0; n < 4; n++)
			UNROLL
			for (int j = 0; j < 8; j++)
				o[4 * half + n].w[j] = bits(v[j], 2 * n, 0, 3);
	}
}

/* Four bits a weight, 64 weights in 32 bytes, 32 weights at one shift. */
INLINE void load_nibbles(const uint8_t *p, int64_t stride, struct block *o)
{
	UNROLL
	for (int pair = 0; pair < 4; pair++) {
		vec v[8];

		load_32(p + pair * 32, stride, v);
		UNROLL
		for (int j = 0; j < 8; j++) {
			o[2 * pair].w[j] = bits(v[j], 0, 0, 15);
			o[2 * pair + 1].w[j] = bits(v[j], 4, 0, 15);
		}
	}
}

static void load_q2_k(const uint8_t *p, int64_t stride, struct block *o)
{
	const vec dm = load_4(p + 80, stride);
	const vecf m = vf_neg(v_low_halves(v_srl32(dm, 16)));
	vec v[4], sc[4];

	load_pairs(p + 16, stride, o);
	load_16(p, stride, v);
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

static void load_q3_k(const uint8_t *p, int64_t stride, struct block *o)
{
	const vec low[2] = { load_4(p + 96, stride), load_4(p + 100, stride) }, high = load_4(p + 104, stride);
	vec v[8], sc[4];

	load_pairs(p + 32, stride, o);
	load_32(p, stride, v);
	UNROLL
	for (int i = 0; i < SUBS; i++)
		UNROLL
		for (int j = 0; j < 8; j++)
			o[i].w[j] = v_or(o[i].w[j], bits(v[j], i, 2, 4));
	UNROLL
	for (int i = 0; i < 4; i++)
		sc[i] = v_sub8(v_or(bits(low[i % 2], i / 2 * 4, 0, 15), bits(high, 2 * i, 4, 0x30)), v_set8(32));
	set_scales(o, sc);
	set_d(o, v_low_halves(v_srl32(load_4(p + 106, stride), 16)));
}

/* d, dmin and twelve bytes of six-bit scales and minimums. */
INLINE void load_scales_k(const uint8_t *p, int64_t stride, struct block *o)
{
	vec v[4], sc[2], mn[2];

	load_16(p, stride, v);
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

static void load_q4_k(const uint8_t *p, int64_t stride, struct block *o)
{
	load_nibbles(p + 16, stride, o);
	load_scales_k(p, stride, o);
}

static void load_q5_k(const uint8_t *p, int64_t stride, struct block *o)
{
	vec v[8];

	load_nibbles(p + 48, stride, o);
	load_32(p + 16, stride, v);
	UNROLL
	for (int i = 0; i < SUBS; i++)
		UNROLL
		for (int j = 0; j < 8; j++)
			o[i].w[j] = v_or(o[i].w[j], bits(v[j], i, 4, 16));
	load_scales_k(p, stride, o);
}

static void load_q6_k(const uint8_t *p, int64_t stride, struct block *o)
{
	vec sc[4];

	UNROLL
	for (int half = 0; half < 2; half++) {
		vec low[2][8], high[8];

		load_32(p + half * 64, stride, low[0]);
		load_32(p + half * 64 + 32, stride, low[1]);
		load_32(p + 128 + half * 32, stride, high);
		UNROLL
		for (int n = 0; n < 4; n++)
			UNROLL
			for (int j = 0; j < 8; j++)
				o[4 * half + n].w[j] = v_or(bits(low[n % 2][j], n / 2 * 4, 0, 15),
							    bits(high[j], 2 * n, 4, 0x30));
	}
	load_16(p + 192, stride, sc);
	set_scales(o, sc);
	set_d(o, v_low_halves(v_srl32(load_4(p + 206, stride), 16)));
}

static void load_iq4_xs(const uint8_t *p, int64_t stride, struct block *o)
{
	const vec head = load_4(p, stride), low = load_4(p + 4, stride);
	const vecf d = v_low_halves(head);

	UNROLL
	for (int i = 0; i < SUBS; i++) {
		const vec sc = v_or(v_and(v_srl32(low, 4 * i), v_set32(15)),
				    v_and(v_srl32(head, 12 + 2 * i), v_set32(48)));

		nibbles(p + 8 + 16 * i, stride, o[i].w);
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

static void load_tq1_0(const uint8_t *p, int64_t stride, struct block *o)
{
	vec v[8], tail[4], last = load_4(p + 48, stride);

	load_32(p, stride, v);
	load_16(p + 32, stride, tail);
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
	set_d(o, v_low_halves(v_srl32(load_4(p + 50, stride), 16)));
}

static void load_tq2_0(const uint8_t *p, int64_t stride, struct block *o)
{
	load_pairs(p, stride, o);
	set_d(o, v_low_halves(v_srl32(load_4(p + 62, stride), 16)));
}

/* Pairs of bits, 128 weights in 32 bytes, the first 32 in the highest; the scale is the tensor's. */
static void load_i2_s(const uint8_t *p, int64_t stride, struct block *o)
{
	vec v[8];

	load_32(p, stride, v);
	UNROLL
	for (int n = 0; n < 4; n++) {
		UNROLL
		for (int j = 0; j < 8; j++)
			o[n].w[j] = bits(v[j], 6 - 2 * n, 0, 3);
		o[n].d = vf_one();
	}
}

#define SUPER_TYPES(X) \
	X(Q2_K, load_q2_k, .per = SUBS, .bytes = 84, .max = 3, .min = true, .scale = true) \
	X(Q3_K, load_q3_k, .per = SUBS, .bytes = 110, .max = 7, .offset = 4, .scale = true) \
	X(Q4_K, load_q4_k, .per = SUBS, .bytes = 144, .max = 15, .min = true) \
	X(Q5_K, load_q5_k, .per = SUBS, .bytes = 176, .max = 31, .min = true) \
	X(Q6_K, load_q6_k, .per = SUBS, .bytes = 210, .max = 63, .offset = 32, .scale = true) \
	X(IQ4_XS, load_iq4_xs, .per = SUBS, .bytes = 136, .sign = true) \
	X(TQ1_0, load_tq1_0, .per = SUBS, .bytes = 54, .max = 2, .offset = 1) \
	X(TQ2_0, load_tq2_0, .per = SUBS, .bytes = 66, .max = 2, .offset = 1) \
	X(I2_S, load_i2_s, .per = SUBS / 2, .bytes = 32, .max = 3, .offset = 1)

#endif
