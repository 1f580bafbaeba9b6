/* Types whose blocks are 256 weights, AMX. */
#include "config.h"
#include "engine/kernels/kern_amx.h"
#include "engine/kernels/kern_amx_block.h"
#include "engine/kernels/kern_super.h"

SUPER_TYPES(TILES_FN)

void kern_amx_super_init(struct kern *k)
{
	SUPER_TYPES(TILES_SET)
}
