#include "config.h"
#include "engine/kernels/kern.h"
#include "engine/kernels/cpu.h"

void kern_fill(struct kern *k, unsigned flags)
{
	*k = (struct kern){ 0 };
	kern_init_scalar(k);
#ifdef HAVE_ISA_AVX2
	if (flags & CPU_AVX2)
		kern_init_avx2(k);
#endif
	(void)flags;
}
