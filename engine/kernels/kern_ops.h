/*
 * What neither multiplies weights nor attends, as all instruction sets do it. A set's file
 * brings the work on one group or token, the gates as functions of a vector, and glu(), then
 * includes this: the walks over tokens stand here, and ops_set() that fills the table.
 */
#ifndef ENGINE_KERNELS_KERN_OPS_H
#define ENGINE_KERNELS_KERN_OPS_H

#include "engine/kernels/kern.h"

/* Rounds the first of `left` groups that follow one another, or as many as the set does at once: how many. */
static int round_groups(const float *x, int8_t *q, float *d, int16_t *sum, int64_t left);
static void round_token(const struct kern_acts *a, int64_t t);
/* What q · d left of x, in steps of d / 254. */
static void rest_group(const float *x, const int8_t *q, float d, int8_t *rest, float *rest_d, int16_t *sum);

static void quant_q8(const struct kern_acts *a, int64_t t0, int64_t t1)
{
	const int64_t groups = a->k / KERN_ACT_BLOCK;

	for (int64_t g = t0 * groups; g < t1 * groups;)
		g += round_groups(a->x + g * KERN_ACT_BLOCK, a->q + g * KERN_ACT_BLOCK, a->d + g, a->sum + 2 * g, t1 * groups - g);
}

static void quant_q8_token(const struct kern_acts *a, int64_t t0, int64_t t1)
{
	for (int64_t t = t0; t < t1; t++)
		round_token(a, t);
}

static void rest_q8(const struct kern_acts *a, const struct kern_acts *rest, int64_t t0, int64_t t1)
{
	const int64_t groups = a->k / KERN_ACT_BLOCK;

	for (int64_t g = t0 * groups; g < t1 * groups; g++)
		rest_group(a->x + g * KERN_ACT_BLOCK, a->q + g * KERN_ACT_BLOCK, a->d[g], rest->q + g * KERN_ACT_BLOCK,
			   rest->d + g, rest->sum + 2 * g);
}

static void swiglu(float *y, const float *gate, const float *up, int64_t n)
{
	glu(silu, y, gate, up, n);
}

static void geglu(float *y, const float *gate, const float *up, int64_t n)
{
	glu(gelu, y, gate, up, n);
}

static void relu2glu(float *y, const float *gate, const float *up, int64_t n)
{
	glu(relu2, y, gate, up, n);
}

static void ops_set(struct kern *k)
{
	k->quant_q8 = quant_q8;
	k->quant_q8_token = quant_q8_token;
	k->rest_q8 = rest_q8;
	k->rmsnorm = rmsnorm;
	k->add = add;
	k->swiglu = swiglu;
	k->geglu = geglu;
	k->relu2glu = relu2glu;
}

#endif
