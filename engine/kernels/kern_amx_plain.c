/* Types whose blocks are 32 weights, AMX. */
#include "config.h"
#include "engine/kernels/kern_amx.h"
#include "engine/kernels/kern_amx_block.h"
#include "engine/kernels/kern_plain.h"

PLAIN_TYPES(TILES_FN)

void kern_amx_plain_init(struct kern *k)
{
	PLAIN_TYPES(TILES_SET)
}

void kern_init_amx(struct kern *k)
{
	k->name = "amx";
	k->tile = TILE;
	k->tiles_from = 64;	/* measured: fewer are faster by VNNI */
	kern_amx_plain_init(k);
	kern_amx_super_init(k);
	kern_amx_attn_init(k);
}
