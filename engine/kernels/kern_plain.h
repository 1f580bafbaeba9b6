/* Loaders of the types whose blocks are 32 weights, for kern_piece.h. */
#ifndef ENGINE_KERNELS_KERN_PLAIN_H
#define ENGINE_KERNELS_KERN_PLAIN_H

#include "engine/kernels/kern_piece.h"

/* Low nibbles are the first half of the block, high ones the second. */
INLINE void nibbles(const struct source *s, int at, vec w[8])
{
	const vec low = v_set8(15);
	vec v[4];

	load_words(s, at, v);
	UNROLL
	for (int j = 0; j < 4; j++) {
		w[j] = v_and(v[j], low);
		w[j + 4] = v_and(v_srl16(v[j], 4), low);
	}
}

/* Adds 16 where the weight's bit of the row's 32 is set. */
INLINE void fifth_bits(vec bits, vec w[8])
{
	const vec one_each = v_set32(0x08040201), first = v_quads(0, 0x04040404, 0x08080808, 0x0c0c0c0c);
	const vec sixteen = v_quads(0x00101000, 0x00000010, 0x00000010, 0);	/* at 1, 2, 4 and 8 */

	UNROLL
	for (int j = 0; j < 8; j++) {
		const vec byte = v_shuffle(bits, v_or(first, v_set8(j / 2)));
		const vec bit = v_and(j % 2 ? v_srl16(byte, 4) : byte, one_each);

		w[j] = v_or(w[j], v_shuffle(sixteen, bit));
	}
}

INLINE void table_values(vec w[8])
{
	/* -127 -104 -83 -65, -49 -35 -22 -10, 1 13 25 38, 53 69 89 113 */
	const vec values = v_quads((int)0xbfad9881, (int)0xf6eaddcf, 0x26190d01, 0x71594535);

	UNROLL
	for (int j = 0; j < 8; j++)
		w[j] = v_shuffle(values, w[j]);
}

INLINE void load_q4_0(const struct source *s, int i, struct block *o)
{
	(void)i;
	nibbles(s, 0, o->w);
	o->d = load_half(s);
}

INLINE void load_q4_1(const struct source *s, int i, struct block *o)
{
	(void)i;
	const vec dm = load_word(s, 0);

	nibbles(s, 1, o->w);
	o->d = v_low_halves(dm);
	o->m = v_low_halves(v_srl32(dm, 16));
}

INLINE void load_q5_0(const struct source *s, int i, struct block *o)
{
	(void)i;
	nibbles(s, 1, o->w);
	fifth_bits(load_word(s, 0), o->w);
	o->d = load_half(s);
}

INLINE void load_q5_1(const struct source *s, int i, struct block *o)
{
	(void)i;
	const vec dm = load_word(s, 0);

	nibbles(s, 2, o->w);
	fifth_bits(load_word(s, 1), o->w);
	o->d = v_low_halves(dm);
	o->m = v_low_halves(v_srl32(dm, 16));
}

INLINE void load_q8_0(const struct source *s, int i, struct block *o)
{
	(void)i;
	load_words(s, 0, o->w);
	load_words(s, 4, o->w + 4);
	o->d = load_half(s);
}

INLINE void load_iq4_nl(const struct source *s, int i, struct block *o)
{
	(void)i;
	nibbles(s, 0, o->w);
	table_values(o->w);
	o->d = load_half(s);
}

#define PLAIN_TYPES(X) \
	X(Q4_0, load_q4_0, .per = 1, .words = 4, .max = 15, .offset = 8) \
	X(Q4_1, load_q4_1, .per = 1, .words = 5, .max = 15, .min = true) \
	X(Q5_0, load_q5_0, .per = 1, .words = 5, .max = 31, .offset = 16) \
	X(Q5_1, load_q5_1, .per = 1, .words = 6, .max = 31, .min = true) \
	X(Q8_0, load_q8_0, .per = 1, .words = 8, .sign = true) \
	X(IQ4_NL, load_iq4_nl, .per = 1, .words = 4, .sign = true)

#endif
