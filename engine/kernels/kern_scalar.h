/* The scalar definitions, by family; kern_init_scalar() puts them together. */
#ifndef ENGINE_KERNELS_KERN_SCALAR_H
#define ENGINE_KERNELS_KERN_SCALAR_H

#include "engine/kernels/kern.h"

void kern_scalar_mul_init(struct kern *k);
void kern_scalar_attn_init(struct kern *k);

#endif
