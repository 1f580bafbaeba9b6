/* Types whose blocks are 32 weights, AVX-512 with VNNI. */
#include "config.h"
#include "engine/kernels/kern_avx512vnni_block.h"
#include "engine/kernels/kern_plain.h"

PLAIN_TYPES(BLOCK_FN)

void kern_avx512vnni_plain_init(struct kern *k)
{
	PLAIN_TYPES(BLOCK_SET)
}

void kern_init_avx512vnni(struct kern *k)
{
	k->name = "avx512vnni";
	k->panel = ROWS;
	kern_avx512vnni_plain_init(k);
	kern_avx512vnni_super_init(k);
	kern_avx512vnni_float_init(k);
	kern_avx512vnni_ops_init(k);
	kern_avx512vnni_attn_init(k);
}
