/*
 * Sixteen registers: twelve accumulators (a fused multiply-add takes four cycles on each of two
 * ports), three that products pass through, operands in the rest. Without VNNI an int8 product is
 * vpmaddubsw, vpmaddwd by ones, and vpaddd: 32 multiply-adds in three instructions.
 */
#include "config.h"
#include "engine/kernels/probe.h"

/* 1 in every byte is 257 in every word and a small number in every float: sums stay where they are normal. */
static const uint32_t operand[3] = { 0x01010101, 0x00010001, 0x3f000000 /* 0.5f */ };

#define LOAD(r) "vmovdqa " #r "*32(%0), %%ymm" #r "\n\t"
#define LOAD_HIGH(r) "vmovdqa 512+" #r "*32(%0), %%ymm" #r "\n\t"

static void read_avx2(const void *p, size_t n)
{
	__asm__ volatile("1:\n\t"
		LOAD(0) LOAD(1) LOAD(2) LOAD(3) LOAD(4) LOAD(5) LOAD(6) LOAD(7)
		LOAD(8) LOAD(9) LOAD(10) LOAD(11) LOAD(12) LOAD(13) LOAD(14) LOAD(15)
		LOAD_HIGH(0) LOAD_HIGH(1) LOAD_HIGH(2) LOAD_HIGH(3) LOAD_HIGH(4) LOAD_HIGH(5) LOAD_HIGH(6) LOAD_HIGH(7)
		LOAD_HIGH(8) LOAD_HIGH(9) LOAD_HIGH(10) LOAD_HIGH(11) LOAD_HIGH(12) LOAD_HIGH(13) LOAD_HIGH(14) LOAD_HIGH(15)
		"add $1024, %0\n\t"
		"cmp %1, %0\n\t"
		"jb 1b\n\t"
		"vzeroupper"
		: "+r"(p) : "r"((const char *)p + n)
		: "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
		  "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory");
}

/* Accumulator `a` by way of `t`. */
#define DOT(a, t) \
	"vpmaddubsw %%ymm15, %%ymm15, %%ymm" #t "\n\t" \
	"vpmaddwd %%ymm14, %%ymm" #t ", %%ymm" #t "\n\t" \
	"vpaddd %%ymm" #t ", %%ymm" #a ", %%ymm" #a "\n\t"
#define ZERO(a) "vpxor %%ymm" #a ", %%ymm" #a ", %%ymm" #a "\n\t"

static void int8_avx2(int64_t rounds)
{
	__asm__ volatile(
		"vpbroadcastd (%1), %%ymm15\n\t"
		"vpbroadcastd 4(%1), %%ymm14\n\t"
		ZERO(0) ZERO(1) ZERO(2) ZERO(3) ZERO(4) ZERO(5) ZERO(6) ZERO(7)
		"1:\n\t"
		DOT(0, 8) DOT(1, 9) DOT(2, 10) DOT(3, 11) DOT(4, 12) DOT(5, 13) DOT(6, 8) DOT(7, 9)
		"dec %0\n\t"
		"jnz 1b\n\t"
		"vzeroupper"
		: "+r"(rounds) : "r"(operand)
		: "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
		  "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory");
}

#define FMA(a) "vfmadd213ps %%ymm14, %%ymm15, %%ymm" #a "\n\t"
#define HALF(a) "vmovaps %%ymm15, %%ymm" #a "\n\t"

/* a = a * 0.5 + 0.5: it stays near 1 */
static void f32_avx2(int64_t rounds)
{
	__asm__ volatile(
		"vbroadcastss 8(%1), %%ymm15\n\t"
		"vmovaps %%ymm15, %%ymm14\n\t"
		HALF(0) HALF(1) HALF(2) HALF(3) HALF(4) HALF(5) HALF(6) HALF(7) HALF(8) HALF(9) HALF(10) HALF(11)
		"1:\n\t"
		FMA(0) FMA(1) FMA(2) FMA(3) FMA(4) FMA(5) FMA(6) FMA(7) FMA(8) FMA(9) FMA(10) FMA(11)
		"dec %0\n\t"
		"jnz 1b\n\t"
		"vzeroupper"
		: "+r"(rounds) : "r"(operand)
		: "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
		  "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory");
}

const struct probe_ops probe_avx2 = {
	.isa = "avx2", .read = read_avx2,
	.int8 = int8_avx2, .int8_ops = 8 * 32 * 2, .f32 = f32_avx2, .f32_ops = 12 * 8 * 2,
};
