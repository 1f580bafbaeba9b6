/*
 * Twenty-four accumulators: more than the sixteen that four pipes of four cycles keep busy. Without
 * dotprod an int8 product is smull, smlal2 and sadalp, as in the kernels: 16 multiply-adds.
 */
#include "config.h"
#include "engine/kernels/probe.h"

#define EACH_16(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define EACH_24(X) EACH_16(X) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23)
#define ALL \
	"v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", \
	"v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v30", "v31", "cc", "memory"

#define LOAD(a, b) "ldp q" #a ", q" #b ", [%0], #32\n\t"
#define LOAD_256 \
	LOAD(0, 1) LOAD(2, 3) LOAD(4, 5) LOAD(6, 7) LOAD(8, 9) LOAD(10, 11) LOAD(12, 13) LOAD(14, 15)

static void read_neon(const void *p, size_t n)
{
	__asm__ volatile("1:\n\t"
		LOAD_256 LOAD_256 LOAD_256 LOAD_256
		"cmp %0, %1\n\t"
		"b.lo 1b"
		: "+r"(p) : "r"((const char *)p + n) : ALL);
}

#define ZERO(a) "movi v" #a ".4s, #0\n\t"
/* Accumulator `a` by way of `t`: 1 times 1 in every byte. */
#define DOT(a, t) \
	"smull v" #t ".8h, v30.8b, v31.8b\n\t" \
	"smlal2 v" #t ".8h, v30.16b, v31.16b\n\t" \
	"sadalp v" #a ".4s, v" #t ".8h\n\t"

static void int8_neon(int64_t rounds)
{
	__asm__ volatile(
		"movi v30.16b, #1\n\t"
		"movi v31.16b, #1\n\t"
		EACH_16(ZERO)
		"1:\n\t"
		DOT(0, 16) DOT(1, 17) DOT(2, 18) DOT(3, 19) DOT(4, 20) DOT(5, 21) DOT(6, 22) DOT(7, 23)
		DOT(8, 24) DOT(9, 25) DOT(10, 26) DOT(11, 27) DOT(12, 16) DOT(13, 17) DOT(14, 18) DOT(15, 19)
		"subs %0, %0, #1\n\t"
		"b.ne 1b"
		: "+r"(rounds) : : ALL);
}

#define SMALL(a) "fmov v" #a ".4s, #1.0\n\t"
#define FMA(a) "fmla v" #a ".4s, v30.4s, v31.4s\n\t"

/* 2^24 steps on, adding 1/16 changes nothing any more: it stays a normal number. */
static void f32_neon(int64_t rounds)
{
	__asm__ volatile(
		"fmov v30.4s, #0.25\n\t"
		"fmov v31.4s, #0.25\n\t"
		EACH_24(SMALL)
		"1:\n\t"
		EACH_24(FMA)
		"subs %0, %0, #1\n\t"
		"b.ne 1b"
		: "+r"(rounds) : : ALL);
}

const struct probe_ops probe_neon = {
	.isa = "neon", .read = read_neon,
	.int8 = int8_neon, .int8_ops = 16 * 16 * 2, .f32 = f32_neon, .f32_ops = 24 * 4 * 2,
};
