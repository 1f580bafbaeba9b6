/*
 * Packed weights: the bytes of a file's rows in the order in which kernels want them. As
 * many rows as a vector has lanes stand together as a panel. A block's bytes are taken as
 * words of four; word i of all rows lies side by side, so that one aligned load fetches it
 * for every row, a lane each:
 *
 *	words   block 0   word 0: row 0, row 1, …, row 15
 *	                  word 1: row 0, row 1, …, row 15
 *	                  …
 *	        block 1   …
 *	halves  block 0   row 0, row 1, …, row 15		(two bytes each)
 *	        block 1   …
 *
 * A block of 4n + 2 bytes has its scale among the halves, which follow the words of the
 * whole panel; the block's other bytes close ranks. Nothing is computed: packing permutes
 * bytes, takes as many as the file (but for the last panel, filled up with zero rows, and
 * for panels being whole cache lines), and a row can be had back as it was.
 */
#ifndef ENGINE_KERNELS_KERN_PACK_H
#define ENGINE_KERNELS_KERN_PACK_H

#include "engine/quant/quant.h"

/* Bytes of a panel of so many rows of k weights, k a multiple of the block. */
int64_t kern_panel_bytes(const struct quant_type *t, int panel, int64_t k);

/* Packs n ≤ panel rows of k weights, `stride` bytes apart. */
void kern_pack(const struct quant_type *t, int panel, const void *rows, int64_t stride, int n, int64_t k, void *dst);

/*
 * Weights k0 … k0+k-1 of row r of a matrix as floats, both multiples of the block: as in a
 * file (panel 0, rows `stride` bytes apart) or packed (panels `stride` bytes apart, rows of cols).
 */
void kern_decode(const struct quant_type *t, const void *w, int64_t stride, int panel, int64_t cols, int64_t r,
		 int64_t k0, int64_t k, float *dst);

#endif
