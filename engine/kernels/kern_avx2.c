#include "config.h"
#include "engine/kernels/kern_avx2.h"

void kern_init_avx2(struct kern *k)
{
	k->name = "avx2";
	k->panel = 8;
	kern_avx2_plain_init(k);
	kern_avx2_super_init(k);
	kern_avx2_float_init(k);
	kern_avx2_ops_init(k);
	kern_avx2_attn_init(k);
}
