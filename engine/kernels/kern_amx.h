/* What the AMX files share: they add to the AVX-512 kernels what takes tiles. Included by kern_amx*.c only. */
#ifndef ENGINE_KERNELS_KERN_AMX_H
#define ENGINE_KERNELS_KERN_AMX_H

#include "engine/kernels/kern.h"

void kern_amx_plain_init(struct kern *k);	/* blocks of 32 */
void kern_amx_super_init(struct kern *k);	/* blocks of 256 */
void kern_amx_attn_init(struct kern *k);

/* What tile registers hold: rows, and bytes of each. */
struct tile_config { uint8_t palette, start_row, none[14]; uint16_t bytes[16]; uint8_t rows[16]; };

/* Of the compilers that have intrinsics, some lose stores to what these read: the operands are told here. */
#define TILE_CONFIG(c) __asm__ volatile("ldtilecfg %0" : : "m"(c))
#define TILE_RELEASE __asm__ volatile("tilerelease")
#define TILE_LOAD(tile, p, stride, size) \
	__asm__ volatile("tileloadd (%0,%1,1), %%tmm" #tile \
			 : : "r"(p), "r"((ptrdiff_t)(stride)), "m"(*(const uint8_t (*)[size])(p)))
#define TILE_STORE(tile, p, stride, size) \
	__asm__ volatile("tilestored %%tmm" #tile ", (%1,%2,1)" \
			 : "=m"(*(uint8_t (*)[size])(p)) : "r"(p), "r"((ptrdiff_t)(stride)))
#define TILE_ZERO(tile) __asm__ volatile("tilezero %tmm" #tile)
/* tdpbssd of bytes, tdpbf16ps of BF16 */
#define TILE_MUL(op, to, first, second) __asm__ volatile(op " %tmm" #second ", %tmm" #first ", %tmm" #to)

#endif
