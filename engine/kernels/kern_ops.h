/*
 * What neither multiplies weights nor attends, as all instruction sets do it. A set's file
 * brings the work on one group or token, the gates as functions of a vector, and glu(), then
 * includes this: the walks over tokens stand here, and ops_set() that fills the table.
 */
#ifndef ENGINE_KERNELS_KERN_OPS_H
#define ENGINE_KERNELS_KERN_OPS_H

#include "engine/kernels/kern.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { CLAIM = 8 };	/* groups ahead */

/* Rounds the first of `left` groups that follow one another, or as many as the set does at once: how many. */
static int round_groups(const float *x, int8_t *q, float *d, int16_t *sum, int64_t left);
/* The largest magnitude of n; above FLT_MAX or NaN where one is not finite. */
static float largest_of(const float *x, int64_t n);
/* A group times `by`, to the nearest. */
static void round_by(const float *x, float by, int8_t *q, int16_t *sum);
/* What q · d left of x, in steps of d / 254. */
static void rest_group(const float *x, const int8_t *q, float d, int8_t *rest, float *rest_d, int16_t *sum);

/* Lines that a group will be written to: in tiles they lie too far apart for the hardware to foresee. */
static void claim(const struct kern_acts *a, int64_t at)
{
	__builtin_prefetch(a->q + at * KERN_ACT_BLOCK, 1);
	__builtin_prefetch(a->d + at, 1);
	__builtin_prefetch(a->sum + 2 * at, 1);
}

static void quant_q8(const struct kern_acts *a, const struct kern_span *s)
{
	const int64_t from = s->k0 / KERN_ACT_BLOCK, to = from + s->n / KERN_ACT_BLOCK;

	for (int64_t g = from; g < to;) {
		const int64_t at = kern_act_group(a, s->t, g), pair = 2 - g % 2;

		if (a->tile && g + CLAIM < a->k / KERN_ACT_BLOCK)
			claim(a, kern_act_group(a, s->t, g + CLAIM));
		g += round_groups(s->x + (g - from) * KERN_ACT_BLOCK, a->q + at * KERN_ACT_BLOCK, a->d + at,
				  a->sum + 2 * at, a->tile && pair < to - g ? pair : to - g);
	}
}

static void quant_q8_token(const struct kern_acts *a, const struct kern_span *s)
{
	const float amax = largest_of(s->x, s->n), by = 127 / (amax > 1e-5f ? amax : 1e-5f);
	const bool finite = amax <= FLT_MAX;

	for (int64_t g = 0; g < s->n / KERN_ACT_BLOCK; g++) {
		const int64_t at = kern_act_group(a, s->t, g);

		a->d[at] = finite ? 1 / by : NAN;
		if (finite)
			round_by(s->x + g * KERN_ACT_BLOCK, by, a->q + at * KERN_ACT_BLOCK, a->sum + 2 * at);
		else {
			memset(a->q + at * KERN_ACT_BLOCK, 0, KERN_ACT_BLOCK);
			a->sum[2 * at] = a->sum[2 * at + 1] = 0;
		}
	}
}

static void rest_q8(const struct kern_acts *a, const struct kern_acts *rest, const struct kern_span *s)
{
	for (int64_t i = 0; i < s->n; i += KERN_ACT_BLOCK) {
		const int64_t at = kern_act_group(a, s->t, (s->k0 + i) / KERN_ACT_BLOCK);

		rest_group(s->x + i, a->q + at * KERN_ACT_BLOCK, a->d[at], rest->q + at * KERN_ACT_BLOCK, rest->d + at,
			   rest->sum + 2 * at);
	}
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
