#include "config.h"
#include "engine/kernels/kern.h"

void kern_init_avx2(struct kern *k)
{
	k->name = "avx2";
}
