/*
 * What the sets with vpdpbusd share: weights unsigned, sums that are floats without a conversion.
 *
 * LIFT is 1.5 · 2^23. An integer s below 2^22 added to its bits gives the bits of LIFT + s, so that
 * sums that begin with them become floats by a subtraction, or by none: fma(d, LIFT + s, -LIFT · d)
 * rounds once and gives what d · s would, for d of at most 22 bits times LIFT is exact. The largest
 * sum is that of int8 weights, 32 · 255 · 127.
 */
#ifndef ENGINE_KERNELS_KERN_LIFT_H
#define ENGINE_KERNELS_KERN_LIFT_H

#include "engine/kernels/kern_piece.h"

#define LIFT 0x1.8p23f
enum { LIFT_BITS = 0x4b400000 };

/* int8 weights as w + 128. */
INLINE struct form adjust_form(struct form f)
{
	f.offset = f.sign ? 128 : f.offset;
	return f;
}

INLINE bool start_wanted(const struct form f)
{
	return f.offset || (f.min && !f.scale);
}

#endif
