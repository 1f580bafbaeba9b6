/* Types whose blocks are 32 weights, NEON. */
#include "config.h"
#include "engine/kernels/kern_neon_mla.h"
#include "engine/kernels/kern_plain.h"

PLAIN_TYPES(BLOCK_FN)

void kern_neon_plain_init(struct kern *k)
{
	PLAIN_TYPES(BLOCK_SET)
}
