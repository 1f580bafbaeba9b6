/* What the AMX files share: they add to the AVX-512 kernels what takes tiles. Included by kern_amx*.c only. */
#ifndef ENGINE_KERNELS_KERN_AMX_H
#define ENGINE_KERNELS_KERN_AMX_H

#include "engine/kernels/kern.h"

void kern_amx_plain_init(struct kern *k);	/* blocks of 32 */
void kern_amx_super_init(struct kern *k);	/* blocks of 256 */

#endif
