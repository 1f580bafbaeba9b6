/* How kernels are put together from small functions: all inlined, short loops without a branch. */
#ifndef ENGINE_KERNELS_KERN_INLINE_H
#define ENGINE_KERNELS_KERN_INLINE_H

#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* The compiler moves no instruction past it; values stay known. Where fetches must stay as far apart as they are written. */
#define KEEP_ORDER __asm__ volatile("")

INLINE int load_u32(const void *p)
{
	int v;

	memcpy(&v, p, sizeof v);
	return v;
}

#endif
