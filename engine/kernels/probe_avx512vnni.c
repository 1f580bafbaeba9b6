/*
 * Thirty-two registers: twenty-four accumulators, more than the ten that two ports of five cycles
 * keep busy. A vpdpbusd is 64 multiply-adds, a fused multiply-add of floats 16.
 */
#include "config.h"
#include "engine/kernels/probe.h"

static const uint32_t operand[2] = { 0x01010101, 0x3f000000 /* 0.5f */ };

#define EACH_16(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define EACH_24(X) EACH_16(X) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23)
#define ALL \
	"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", \
	"xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm30", \
	"xmm31", "cc", "memory"

#define LOAD(r) "vmovdqa64 " #r "*64(%0), %%zmm" #r "\n\t"

static void read_avx512(const void *p, size_t n)
{
	__asm__ volatile("1:\n\t"
		EACH_16(LOAD)
		"add $1024, %0\n\t"
		"cmp %1, %0\n\t"
		"jb 1b\n\t"
		"vzeroupper"
		: "+r"(p) : "r"((const char *)p + n) : ALL);
}

#define ZERO(a) "vpxord %%zmm" #a ", %%zmm" #a ", %%zmm" #a "\n\t"
#define DOT(a) "vpdpbusd %%zmm31, %%zmm30, %%zmm" #a "\n\t"

static void int8_avx512(int64_t rounds)
{
	__asm__ volatile(
		"vpbroadcastd (%1), %%zmm30\n\t"
		"vmovdqa64 %%zmm30, %%zmm31\n\t"
		EACH_24(ZERO)
		"1:\n\t"
		EACH_24(DOT)
		"dec %0\n\t"
		"jnz 1b\n\t"
		"vzeroupper"
		: "+r"(rounds) : "r"(operand) : ALL);
}

#define HALF(a) "vmovaps %%zmm31, %%zmm" #a "\n\t"
#define FMA(a) "vfmadd213ps %%zmm30, %%zmm31, %%zmm" #a "\n\t"

/* a = a * 0.5 + 0.5: it stays near 1 */
static void f32_avx512(int64_t rounds)
{
	__asm__ volatile(
		"vbroadcastss 4(%1), %%zmm31\n\t"
		"vmovaps %%zmm31, %%zmm30\n\t"
		EACH_24(HALF)
		"1:\n\t"
		EACH_24(FMA)
		"dec %0\n\t"
		"jnz 1b\n\t"
		"vzeroupper"
		: "+r"(rounds) : "r"(operand) : ALL);
}

const struct probe_ops probe_avx512vnni = {
	.isa = "avx512vnni", .read = read_avx512,
	.int8 = int8_avx512, .int8_ops = 24 * 64 * 2, .f32 = f32_avx512, .f32_ops = 24 * 16 * 2,
};
