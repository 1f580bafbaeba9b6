#include "config.h"
#include "engine/kernels/kern.h"

void kern_init_scalar(struct kern *k)
{
	k->name = "scalar";
}
