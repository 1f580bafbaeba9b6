/*
 * How much of the machine a rate of tokens uses: of the memory's bandwidth and of the arithmetic, both
 * as they were measured (machine.h), and which of the two holds it up.
 */
#ifndef APP_LIMITS_H
#define APP_LIMITS_H

#include "engine/engine.h"

enum limit { LIMIT_UNKNOWN, LIMIT_NEITHER, LIMIT_MEMORY, LIMIT_COMPUTE };

struct limits_load {
	const struct eng_info *info;
	uint64_t weights;	/* bytes of all tensors at the level */
	double bpw;
	uint64_t kv;		/* bytes that a token's attention reads */
	int64_t n_past;		/* positions that it looks back on */
	double rate;		/* tokens/s */
	int together;		/* tokens that go through the weights at once: 1 in decoding, the chunk in a prefill */
	const char *isa;
	const char *peak;	/* the arithmetic: "int8", "f32" */
	int passes;		/* int16 is two rows of int8 */
	int threads;
};

struct limits {
	double bandwidth, peak;			/* bytes/s and operations/s that this machine can; 0 not known */
	double share_bandwidth, share_peak;	/* 0 … 1, and more where the measuring was slow */
	enum limit what;			/* the larger share; neither when both are below LIMITS_LOW */
};

#define LIMITS_LOW 0.4

/* Bytes/s from the smallest buffer that is no smaller than `bytes`, by as many threads or the next fewer; 0 not known. */
double limits_read_rate(const struct eng_machine *m, uint64_t bytes, int threads);
/* Operations/s of a type ("int8", "f32") by this instruction set, or the next lower one that has any; 0 not known. */
double limits_peak_rate(const struct eng_machine *m, const char *isa, const char *type, int threads);

/* m: as measured; n_read 0 for a machine that was not. */
void limits_find(const struct eng_machine *m, const struct limits_load *l, struct limits *out);

#endif
