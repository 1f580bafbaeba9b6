/* Types whose blocks are 256 weights, AVX2. */
#include "config.h"
#include "engine/kernels/kern_avx2_mad.h"
#include "engine/kernels/kern_super.h"

SUPER_TYPES(BLOCK_FN)

void kern_avx2_super_init(struct kern *k)
{
	SUPER_TYPES(BLOCK_SET)
}
