/* Tiles of 16 × 64 bytes times 64 × 16: four sums keep the unit busy. Loads and floats are AVX-512's. */
#include "config.h"
#include "engine/kernels/probe.h"

static const struct { uint8_t palette, start_row, none[14]; uint16_t bytes[16]; uint8_t rows[16]; } tiles = {
	.palette = 1, .bytes = { 64, 64, 64, 64, 64, 64, 64, 64 }, .rows = { 16, 16, 16, 16, 16, 16, 16, 16 },
};
static const uint8_t ones[16 * 64] = { 1 };

static void int8_amx(int64_t rounds)
{
	__asm__ volatile(
		"ldtilecfg %1\n\t"
		"tileloadd (%2,%3,1), %%tmm4\n\t"
		"tileloadd (%2,%3,1), %%tmm5\n\t"
		"tileloadd (%2,%3,1), %%tmm6\n\t"
		"tileloadd (%2,%3,1), %%tmm7\n\t"
		"tilezero %%tmm0\n\t"
		"tilezero %%tmm1\n\t"
		"tilezero %%tmm2\n\t"
		"tilezero %%tmm3\n"
		"1:\n\t"
		"tdpbssd %%tmm6, %%tmm4, %%tmm0\n\t"
		"tdpbssd %%tmm7, %%tmm4, %%tmm1\n\t"
		"tdpbssd %%tmm6, %%tmm5, %%tmm2\n\t"
		"tdpbssd %%tmm7, %%tmm5, %%tmm3\n\t"
		"dec %0\n\t"
		"jnz 1b\n\t"
		"tilerelease"
		: "+r"(rounds) : "m"(tiles), "r"(ones), "r"((int64_t)64), "m"(ones) : "cc");
}

const struct probe_ops probe_amx = { .isa = "amx", .int8 = int8_amx, .int8_ops = 4 * 16 * 16 * 64 * 2 };
