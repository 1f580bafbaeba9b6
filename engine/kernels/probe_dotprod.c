/* NEON with the dot products of ARMv8.2: an sdot is 16 multiply-adds. Loads and floats are NEON's. */
#include "config.h"
#include "engine/kernels/probe.h"

#define EACH_24(X) \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) \
	X(20) X(21) X(22) X(23)
#define ZERO(a) "movi v" #a ".4s, #0\n\t"
#define DOT(a) "sdot v" #a ".4s, v30.16b, v31.16b\n\t"

static void int8_dotprod(int64_t rounds)
{
	__asm__ volatile(
		"movi v30.16b, #1\n\t"
		"movi v31.16b, #1\n\t"
		EACH_24(ZERO)
		"1:\n\t"
		EACH_24(DOT)
		"subs %0, %0, #1\n\t"
		"b.ne 1b"
		: "+r"(rounds) : :
		"v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15",
		"v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v30", "v31", "cc");
}

const struct probe_ops probe_dotprod = { .isa = "dotprod", .int8 = int8_dotprod, .int8_ops = 24 * 16 * 2 };
