/*
 * AVX-VNNI: sixteen registers, fourteen accumulators, more than the ten that two ports of five cycles keep
 * busy. A vpdpbusd, here the VEX instruction, is 32 multiply-adds. Loads and floats are AVX2's.
 */
#include "config.h"
#include "engine/kernels/probe.h"

static const uint32_t operand = 0x01010101;

#define EACH_14(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)
#define ZERO(a) "vpxor %%ymm" #a ", %%ymm" #a ", %%ymm" #a "\n\t"
#define DOT(a) "%{vex%} vpdpbusd %%ymm15, %%ymm14, %%ymm" #a "\n\t"

static void int8_avxvnni(int64_t rounds)
{
	__asm__ volatile(
		"vpbroadcastd %1, %%ymm14\n\t"
		"vmovdqa %%ymm14, %%ymm15\n\t"
		EACH_14(ZERO)
		"1:\n\t"
		EACH_14(DOT)
		"dec %0\n\t"
		"jnz 1b\n\t"
		"vzeroupper"
		: "+r"(rounds) : "m"(operand)
		: "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
		  "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory");
}

const struct probe_ops probe_avxvnni = { .isa = "avxvnni", .int8 = int8_avxvnni, .int8_ops = 14 * 32 * 2 };
