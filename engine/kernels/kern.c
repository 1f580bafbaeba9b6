#include "config.h"
#include "engine/kernels/kern.h"
#include "engine/kernels/cpu.h"

void kern_fill(struct kern *k, unsigned flags)
{
	*k = (struct kern){ .codecs = quant_codecs };
	kern_init_scalar(k);
#ifdef HAVE_ISA_AVX2
	if (flags & CPU_AVX2) {
		kern_init_avx2(k);
		k->codecs = quant_codecs_avx2;
	}
#endif
#ifdef HAVE_ISA_AVXVNNI
	if (flags & CPU_AVXVNNI)
		kern_init_avxvnni(k);
#endif
#ifdef HAVE_ISA_AVX512VNNI
	if (flags & CPU_AVX512VNNI) {
		kern_init_avx512vnni(k);
		k->codecs = quant_codecs_avx512vnni;
	}
#endif
#ifdef HAVE_ISA_AMX
	if (flags & CPU_AMX && flags & CPU_AVX512VNNI)	/* it does the many tokens only */
		kern_init_amx(k);
#endif
#ifdef HAVE_ISA_NEON
	if (flags & CPU_NEON)
		kern_init_neon(k);
#endif
#ifdef HAVE_ISA_DOTPROD
	if (flags & CPU_DOTPROD)
		kern_init_dotprod(k);
#endif
	(void)flags;
}

/* Each array starts on a cache line; t and k are bounded by what the caller could allocate x for. */
static size_t lines(int64_t bytes)
{
	return ((size_t)bytes + 63) & ~(size_t)63;
}

/* Groups, and places for groups that are not there. */
static int64_t places(int64_t t, int64_t k, int tile)
{
	const int64_t groups = k / KERN_ACT_BLOCK;

	return tile ? (t + tile - 1) / tile * tile * (groups + groups % 2) : t * groups;
}

size_t kern_acts_bytes(int64_t t, int64_t k, int tile)
{
	const int64_t n = places(t, k, tile);

	return lines(n * KERN_ACT_BLOCK) + lines(n * (int64_t)sizeof(float)) + lines(2 * n * (int64_t)sizeof(int16_t));
}

void kern_acts_place(struct kern_acts *a, void *buf)
{
	const int64_t n = places(a->t, a->k, a->tile);
	char *p = buf;

	a->q = (int8_t *)p;
	p += lines(n * KERN_ACT_BLOCK);
	a->d = (float *)p;
	p += lines(n * (int64_t)sizeof(float));
	a->sum = (int16_t *)p;
}
