/* Types whose blocks are 256 weights, NEON. */
#include "config.h"
#include "engine/kernels/kern_neon_mla.h"
#include "engine/kernels/kern_super.h"

SUPER_TYPES(BLOCK_FN)

void kern_neon_super_init(struct kern *k)
{
	SUPER_TYPES(BLOCK_SET)
}
