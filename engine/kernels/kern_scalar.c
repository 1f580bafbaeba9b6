/* Scalar definitions of what is neither a product with weights nor attention. */
#include "config.h"
#include "engine/kernels/kern_scalar.h"

#include <float.h>
#include <math.h>

static void round_group(const float *x, int8_t *q, float *d, int16_t *sum)
{
	float amax = 0;
	bool finite = true;

	for (int i = 0; i < KERN_ACT_BLOCK; i++) {
		amax = fmaxf(amax, fabsf(x[i]));
		finite &= isfinite(x[i]) != 0;
	}
	*d = finite ? amax / 127 : NAN;
	if (*d < FLT_MIN)
		*d = 0;
	sum[0] = sum[1] = 0;
	for (int i = 0; i < KERN_ACT_BLOCK; i++) {
		q[i] = *d > 0 ? (int8_t)rintf(x[i] / *d) : 0;
		sum[i / 16] = (int16_t)(sum[i / 16] + q[i]);
	}
}

static void quant_q8(const struct kern_acts *a, int64_t t0, int64_t t1)
{
	const int64_t groups = a->k / KERN_ACT_BLOCK;

	for (int64_t g = t0 * groups; g < t1 * groups; g++)
		round_group(a->x + g * KERN_ACT_BLOCK, a->q + g * KERN_ACT_BLOCK, a->d + g, a->sum + 2 * g);
}

static void round_token(const struct kern_acts *a, int64_t t)
{
	const float *x = a->x + t * a->k;
	const int64_t groups = a->k / KERN_ACT_BLOCK;
	float amax = 1e-5f, s;
	bool finite = true;

	for (int64_t i = 0; i < a->k; i++) {
		amax = fmaxf(amax, fabsf(x[i]));
		finite &= isfinite(x[i]) != 0;
	}
	s = 127 / amax;
	for (int64_t g = 0; g < groups; g++) {
		const int64_t at = t * groups + g;

		a->d[at] = finite ? 1 / s : NAN;
		a->sum[2 * at] = a->sum[2 * at + 1] = 0;
		for (int i = 0; i < KERN_ACT_BLOCK; i++) {
			const int8_t q = finite ? (int8_t)rintf(x[g * KERN_ACT_BLOCK + i] * s) : 0;

			a->q[at * KERN_ACT_BLOCK + i] = q;
			a->sum[2 * at + i / 16] = (int16_t)(a->sum[2 * at + i / 16] + q);
		}
	}
}

static void quant_q8_token(const struct kern_acts *a, int64_t t0, int64_t t1)
{
	for (int64_t t = t0; t < t1; t++)
		round_token(a, t);
}

static void rest_q8(const struct kern_acts *a, const struct kern_acts *rest, int64_t t0, int64_t t1)
{
	const int64_t groups = a->k / KERN_ACT_BLOCK;

	for (int64_t g = t0 * groups; g < t1 * groups; g++) {
		const float d = a->d[g], small = d / 254;
		const int64_t at = g * KERN_ACT_BLOCK;

		rest->d[g] = small;
		rest->sum[2 * g] = rest->sum[2 * g + 1] = 0;
		for (int i = 0; i < KERN_ACT_BLOCK; i++) {
			const float left = fmaf(-d, a->q[at + i], a->x[at + i]);
			const float q = small >= FLT_MIN ? nearbyintf(left / small) : 0;

			rest->q[at + i] = (int8_t)(q < -127 ? -127 : q > 127 ? 127 : q);
			rest->sum[2 * g + i / 16] += rest->q[at + i];
		}
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

static void swiglu(float *y, const float *gate, const float *up, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		const float e = expf(-fabsf(gate[i]));	/* never overflows */

		y[i] = gate[i] * ((gate[i] < 0 ? e : 1) / (1 + e)) * up[i];
	}
}

static void geglu(float *y, const float *gate, const float *up, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		const float x = gate[i], u = 0x1.988454p-1f * (x + 0.044715f * x * x * x);
		const float e = expf(-2 * fabsf(u));	/* (1 + tanh u) / 2 = 1 / (1 + e^-2u) */

		y[i] = x * ((u < 0 ? e : 1) / (1 + e)) * up[i];
	}
}

static void relu2glu(float *y, const float *gate, const float *up, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		const float x = gate[i] < 0 ? 0 : gate[i];

		y[i] = x * x * up[i];
	}
}

void kern_init_scalar(struct kern *k)
{
	k->name = "scalar";
	k->quant_q8 = quant_q8;
	k->quant_q8_token = quant_q8_token;
	k->rest_q8 = rest_q8;
	k->rmsnorm = rmsnorm;
	k->add = add;
	k->swiglu = swiglu;
	k->geglu = geglu;
	k->relu2glu = relu2glu;
	kern_scalar_mul_init(k);
	kern_scalar_attn_init(k);
}
