#include "config.h"
#include "engine/kernels/cpu.h"
#include "engine/base/os.h"

#include <stdio.h>
#include <string.h>

#ifdef HAVE_ISA_AVX2
#include <cpuid.h>

/* Not every compiler's __builtin_cpu_supports() knows these. */
static int has_f16c(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && c & bit_F16C;
}

#ifdef HAVE_ISA_AVXVNNI
/* Leaf 7, subleaf 1, EAX bit 4; EAX of subleaf 0 is the last subleaf. */
static int has_avxvnni(void)
{
	unsigned a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) &&
	       a & 1 << 4;
}
#endif
#endif
#ifdef HAVE_ISA_AMX
/* Products of BF16, tiles, and products of int8: bits 22, 24 and 25 of leaf 7's EDX. */
static int has_amx(void)
{
	unsigned a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 22 & 13) == 13;
}
#endif

static const char *const set_names[] = {
#define CPU_NAME(flag, name) name,
	CPU_SETS(CPU_NAME)
#undef CPU_NAME
};

const unsigned cpu_built = 0
#ifdef HAVE_ISA_AVX2
	| CPU_AVX2
#endif
#ifdef HAVE_ISA_AVXVNNI
	| CPU_AVXVNNI
#endif
#ifdef HAVE_ISA_AVX512VNNI
	| CPU_AVX512VNNI
#endif
#ifdef HAVE_ISA_AMX
	| CPU_AMX
#endif
#ifdef HAVE_ISA_NEON
	| CPU_NEON
#endif
#ifdef HAVE_ISA_DOTPROD
	| CPU_DOTPROD
#endif
	;

unsigned cpu_flags(void)
{
	unsigned f = 0;

#ifdef HAVE_ISA_AVX2
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c())
		f |= CPU_AVX2;
#endif
#ifdef HAVE_ISA_AVXVNNI
	if (f & CPU_AVX2 && has_avxvnni())
		f |= CPU_AVXVNNI;
#endif
#ifdef HAVE_ISA_AVX512VNNI
	if (f & CPU_AVX2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
	    __builtin_cpu_supports("avx512vnni"))
		f |= CPU_AVX512VNNI;
#endif
#ifdef HAVE_ISA_AMX
	if (f & CPU_AVX512VNNI && has_amx() && os_allow_amx())
		f |= CPU_AMX;
#endif
#ifdef HAVE_ISA_NEON
	f |= CPU_NEON;			/* every aarch64 has it */
#endif
#ifdef HAVE_ISA_DOTPROD
	if (os_has_dotprod())
		f |= CPU_DOTPROD;
#endif
	return f;
}

int cpu_parse(const char *names, unsigned *flags, struct err *e)
{
	char have[128];

	*flags = 0;
	while (*names) {
		const size_t n = strcspn(names, ",");
		int i = -1;

		if (n != strlen("scalar") || memcmp(names, "scalar", n)) {
			for (i = 0; i < CPU_N; i++)
				if (strlen(set_names[i]) == n && !memcmp(names, set_names[i], n))
					break;
			if (i == CPU_N || !(cpu_flags() & 1u << i)) {
				char q[64];

				return err_set(e, ERR_ARG, "instruction set '%s' is not %s; there are: %s",
					       err_quote(q, sizeof q, names, n), i == CPU_N ? "known" : "here",
					       cpu_names(cpu_flags(), have, sizeof have));
			}
			*flags |= 1u << i;
		}
		names += n + (names[n] == ',');
	}
	if (*flags & CPU_AMX && !(*flags & CPU_AVX512VNNI))
		return err_set(e, ERR_ARG, "instruction set 'amx' does many tokens only: it wants avx512vnni beside it");
	return 0;
}

const char *cpu_names(unsigned flags, char *buf, size_t size)
{
	size_t n = (size_t)snprintf(buf, size, "scalar");

	for (int i = 0; i < CPU_N && n < size; i++)
		if (flags & 1u << i)
			n += (size_t)snprintf(buf + n, size - n, ",%s", set_names[i]);
	return buf;
}
