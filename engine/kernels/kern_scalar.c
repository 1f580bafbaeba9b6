/* Scalar definitions of what is neither a product with weights nor attention. */
#include "config.h"
#include "engine/kernels/kern_scalar.h"

#include <float.h>
#include <math.h>

static float largest_of(const float *x, int64_t n)
{
	float amax = 0;
	bool finite = true;

	for (int64_t i = 0; i < n; i++) {
		amax = fmaxf(amax, fabsf(x[i]));
		finite &= isfinite(x[i]) != 0;
	}
	return finite ? amax : NAN;
}

static int round_groups(const float *x, int8_t *q, float *d, int16_t *sum, int64_t left)
{
	const float amax = largest_of(x, KERN_ACT_BLOCK);

	(void)left;
	*d = amax <= FLT_MAX ? amax / 127 : NAN;
	if (*d < FLT_MIN)
		*d = 0;
	sum[0] = sum[1] = 0;
	for (int i = 0; i < KERN_ACT_BLOCK; i++) {
		q[i] = *d > 0 ? (int8_t)rintf(x[i] / *d) : 0;
		sum[i / 16] = (int16_t)(sum[i / 16] + q[i]);
	}
	return 1;
}

static void round_by(const float *x, float by, int8_t *q, int16_t *sum)
{
	sum[0] = sum[1] = 0;
	for (int i = 0; i < KERN_ACT_BLOCK; i++) {
		q[i] = (int8_t)rintf(x[i] * by);
		sum[i / 16] = (int16_t)(sum[i / 16] + q[i]);
	}
}

static void rest_group(const float *x, const int8_t *q, float d, int8_t *rest, float *rest_d, int16_t *sum)
{
	const float small = d / 254;

	*rest_d = small;
	sum[0] = sum[1] = 0;
	for (int i = 0; i < KERN_ACT_BLOCK; i++) {
		const float left = fmaf(-d, q[i], x[i]);
		const float r = small >= FLT_MIN ? nearbyintf(left / small) : 0;

		rest[i] = (int8_t)(r < -127 ? -127 : r > 127 ? 127 : r);
		sum[i / 16] = (int16_t)(sum[i / 16] + rest[i]);
	}
}

static void rmsnorm(float *y, const float *x, const float *w, int64_t n, float eps)
{
	double sum = 0;
	float scale;

	for (int64_t i = 0; i < n; i++)
		sum += (double)x[i] * x[i];
	scale = (float)(1 / sqrt(sum / (double)n + eps));
	for (int64_t i = 0; i < n; i++)
		y[i] = x[i] * scale * w[i];
}

static void add(float *y, const float *x, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		y[i] += x[i];
}

typedef float gate_fn(float x);

static float silu(float x)
{
	const float e = expf(-fabsf(x));	/* never overflows */

	return x * ((x < 0 ? e : 1) / (1 + e));
}

static float gelu(float x)
{
	const float u = 0x1.988454p-1f * (x + 0.044715f * x * x * x);
	const float e = expf(-2 * fabsf(u));	/* (1 + tanh u) / 2 = 1 / (1 + e^-2u) */

	return x * ((u < 0 ? e : 1) / (1 + e));
}

static float relu2(float x)
{
	const float r = x < 0 ? 0 : x;

	return r * r;
}

static void glu(gate_fn *f, float *y, const float *gate, const float *up, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		y[i] = f(gate[i]) * up[i];
}

#include "engine/kernels/kern_ops.h"

void kern_init_scalar(struct kern *k)
{
	k->name = "scalar";
	ops_set(k);
	kern_scalar_mul_init(k);
	kern_scalar_attn_init(k);
}
