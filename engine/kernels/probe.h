/*
 * The loops that measure a machine: how fast it reads, and how fast it multiplies. One set per
 * instruction set, in a file of its own; the driver is probe.c, the border eng_probe() of engine.h.
 *
 * A loop does nothing but what it counts. Those of an instruction set are written in assembly, so
 * that no compiler merges accumulators that look alike, keeps them in memory, or drops what nobody
 * reads; the scalar ones are C, as the scalar kernels are, and every accumulator starts different.
 */
#ifndef ENGINE_KERNELS_PROBE_H
#define ENGINE_KERNELS_PROBE_H

#include <stddef.h>
#include <stdint.h>

enum { PROBE_READ_STEP = 1024 };	/* bytes that read() takes at a time */

struct probe_ops {
	const char *isa;		/* as cpu.h names it */
	/* Loads every byte of [p, p+n) into registers; p on a cache line, n in steps. NULL: as the set below it. */
	void (*read)(const void *p, size_t n);
	/* Multiplies and adds, `rounds` times: a round is as many operations, 2 a multiply-add. NULL as above. */
	void (*int8)(int64_t rounds);
	int int8_ops;
	void (*f32)(int64_t rounds);
	int f32_ops;
};

/* Those that this build has, each with what it needs of the processor (cpu.h), better ones later; ends with ops NULL. */
struct probe_set { unsigned flag; const struct probe_ops *ops; };
extern const struct probe_set probe_sets[];

extern const struct probe_ops probe_scalar, probe_avx2, probe_avxvnni, probe_avx512vnni, probe_amx, probe_neon, probe_dotprod;

#endif
