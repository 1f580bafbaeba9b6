/* Types whose blocks are 32 weights, AVX-VNNI. */
#include "config.h"
#include "engine/kernels/kern_avxvnni.h"
#include "engine/kernels/kern_plain.h"

PLAIN_TYPES(BLOCK_FN)

void kern_avxvnni_plain_init(struct kern *k)
{
	PLAIN_TYPES(BLOCK_SET)
}

void kern_init_avxvnni(struct kern *k)
{
	k->name = "avxvnni";
	kern_avxvnni_plain_init(k);
	kern_avxvnni_super_init(k);
}
