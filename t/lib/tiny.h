/*
 * Models of a few thousand weights, of any family and with whatever a family may have, written
 * by the test that runs them. Weights are multiples of 2^-7 times a power of two, drawn from
 * the seed: the same on every machine, and exact as F32, F16 and BF16 alike.
 */
#ifndef T_LIB_TINY_H
#define T_LIB_TINY_H

#include <stdint.h>

/* What a model has beside the matrices and norms that all have. */
enum tiny_has {
	TINY_OUTPUT = 1,	/* a matrix of its own */
	TINY_BIAS_QKV = 2,
	TINY_BIAS_ALL = 4,	/* of attention's output and the feed-forward's matrices too */
	TINY_QK_NORM = 8,
	TINY_FUSED_QKV = 16,
	TINY_FUSED_UP = 32,
	TINY_POST_NORMS = 64,
	TINY_SUB_NORMS = 128,
	TINY_I2_S = 256,	/* the layers' matrices */
	TINY_SCALES = 512,	/* a factor beside each of them */
	TINY_ROPE_FREQS = 1024,
	TINY_LONGROPE = 2048,
	TINY_F16_NORMS = 4096, TINY_BF16_NORMS = 8192,	/* norms, biases, factors */
	TINY_ARRAYS = 1 << 14,	/* head_count_kv and feed_forward_length by layer: every second has half */
	TINY_TOKENS = 1 << 15,	/* a vocabulary of three quarters of the rows */
};

struct tiny {
	const char *name, *arch;
	unsigned has;
	int embd, layers, heads, kv, head_dim, ff, vocab, ctx;
	int rot;			/* 0: head_dim */
	double base;			/* of rope; 0: no key, as all below */
	const char *scaling;
	double factor, attn_factor;
	int ctx_orig;
	int window, period;
	double attn_cap, logit_cap;
	const int *windows;		/* (layers): by layer instead of by period */
};

void tiny_write(const struct tiny *t, uint64_t seed, const char *path);

#endif
