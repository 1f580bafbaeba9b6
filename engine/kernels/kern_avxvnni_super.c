/* Types whose blocks are 256 weights, AVX-VNNI. */
#include "config.h"
#include "engine/kernels/kern_avxvnni.h"
#include "engine/kernels/kern_super.h"

SUPER_TYPES(BLOCK_FN)

void kern_avxvnni_super_init(struct kern *k)
{
	SUPER_TYPES(BLOCK_SET)
}
