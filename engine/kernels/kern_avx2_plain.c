/* Types whose blocks are 32 weights, AVX2. */
#include "config.h"
#include "engine/kernels/kern_avx2_mad.h"
#include "engine/kernels/kern_plain.h"

PLAIN_TYPES(BLOCK_FN)

void kern_avx2_plain_init(struct kern *k)
{
	PLAIN_TYPES(BLOCK_SET)
}
