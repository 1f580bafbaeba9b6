/* Instruction sets: what this build has kernels for, and what this machine can run. */
#ifndef ENGINE_KERNELS_CPU_H
#define ENGINE_KERNELS_CPU_H

#include "engine/base/err.h"

/* flag, name for --isa and --version. HACKING tells what a new set takes. */
#define CPU_SETS(X) \
	X(CPU_AVX2, "avx2") \
	X(CPU_AVXVNNI, "avxvnni") \
	X(CPU_AVX512VNNI, "avx512vnni") \
	X(CPU_AMX, "amx") \
	X(CPU_NEON, "neon") \
	X(CPU_DOTPROD, "dotprod")

enum cpu_bit {
#define CPU_BIT(flag, name) flag##_BIT,
	CPU_SETS(CPU_BIT)
#undef CPU_BIT
	CPU_N
};
enum cpu_flags {
#define CPU_FLAG(flag, name) flag = 1 << flag##_BIT,
	CPU_SETS(CPU_FLAG)
#undef CPU_FLAG
};

/* What this build knows. */
extern const unsigned cpu_built;
/* What this machine has of it. */
unsigned cpu_flags(void);
/* Names with commas ("scalar,avx2"; scalar is always there) → flags; an unknown or absent set is an error. */
int cpu_parse(const char *names, unsigned *flags, struct err *e);
/* "scalar,avx2" for a set of flags, into buf; returns buf. */
const char *cpu_names(unsigned flags, char *buf, size_t size);

#endif
