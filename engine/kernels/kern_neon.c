#include "config.h"
#include "engine/kernels/kern_neon.h"

void kern_init_neon(struct kern *k)
{
	k->name = "neon";
	k->panel = 4;
	kern_neon_plain_init(k);
	kern_neon_super_init(k);
	kern_neon_float_init(k);
	kern_neon_ops_init(k);
	kern_neon_attn_init(k);
}
