/* Types whose blocks are 256 weights, AVX-512 with VNNI. */
#include "config.h"
#include "engine/kernels/kern_avx512vnni_block.h"
#include "engine/kernels/kern_super.h"

SUPER_TYPES(BLOCK_FN)

void kern_avx512vnni_super_init(struct kern *k)
{
	SUPER_TYPES(BLOCK_SET)
}
