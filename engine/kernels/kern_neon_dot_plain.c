/* Types whose blocks are 32 weights, NEON with dot products. */
#include "config.h"
#include "engine/kernels/kern_neon_dot.h"
#include "engine/kernels/kern_plain.h"

PLAIN_TYPES(BLOCK_FN)

void kern_neon_dot_plain_init(struct kern *k)
{
	PLAIN_TYPES(BLOCK_SET)
}

void kern_init_dotprod(struct kern *k)
{
	k->name = "dotprod";
	kern_neon_dot_plain_init(k);
	kern_neon_dot_super_init(k);
}
