/* What is neither a product with weights nor attention, NEON. */
#include "config.h"
#include "engine/kernels/kern_neon.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

/* 32 numbers of eight bits, and the sums of their halves. */
INLINE void pack_group(const int32x4_t *n, int8_t *q, int16_t *sum)
{
	UNROLL
	for (int h = 0; h < 2; h++) {
		const int32x4_t *v = n + 4 * h;
		const int16x8_t lo = vcombine_s16(vmovn_s32(v[0]), vmovn_s32(v[1]));
		const int16x8_t hi = vcombine_s16(vmovn_s32(v[2]), vmovn_s32(v[3]));
		const int8x16_t bytes = vcombine_s8(vmovn_s16(lo), vmovn_s16(hi));

		vst1q_s8(q + 16 * h, bytes);
		sum[h] = vaddlvq_s8(bytes);
	}
}

/* Magnitudes are compared as integers, where NaN and infinity are the largest. */
INLINE uint32x4_t magnitude(float32x4_t v)
{
	return vandq_u32(vreinterpretq_u32_f32(v), vdupq_n_u32(0x7fffffff));
}

INLINE float largest(uint32x4_t magnitudes)
{
	const uint32_t bits = vmaxvq_u32(magnitudes);
	float f;

	memcpy(&f, &bits, sizeof f);
	return f;
}

/* The same bits as the scalar definition. */
static int round_groups(const float *x, int8_t *q, float *d, int16_t *sum, int64_t left)
{
	uint32x4_t max = vdupq_n_u32(0);
	float32x4_t v[8];
	int32x4_t n[8];
	float amax;

	(void)left;
	UNROLL
	for (int i = 0; i < 8; i++) {
		v[i] = vld1q_f32(x + 4 * i);
		max = vmaxq_u32(max, magnitude(v[i]));
	}
	amax = largest(max);
	*d = amax <= FLT_MAX ? amax / 127 : NAN;
	if (*d < FLT_MIN)
		*d = 0;
	UNROLL
	for (int i = 0; i < 8; i++)
		n[i] = *d > 0 ? vcvtnq_s32_f32(vdivq_f32(v[i], vdupq_n_f32(*d))) : vdupq_n_s32(0);
	pack_group(n, q, sum);
	return 1;
}

static float largest_of(const float *x, int64_t n)
{
	uint32x4_t max = vdupq_n_u32(0);

	for (int64_t i = 0; i < n; i += 4)
		max = vmaxq_u32(max, magnitude(vld1q_f32(x + i)));
	return largest(max);
}

static void round_by(const float *x, float by, int8_t *q, int16_t *sum)
{
	int32x4_t n[8];

	UNROLL
	for (int i = 0; i < 8; i++)
		n[i] = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x + 4 * i), by));
	pack_group(n, q, sum);
}

static void rest_group(const float *x, const int8_t *q, float d, int8_t *rest, float *rest_d, int16_t *sum)
{
	const float small = d / 254;
	int32x4_t n[8];

	UNROLL
	for (int i = 0; i < 8; i++) {
		const int16x8_t q8 = vmovl_s8(vld1_s8(q + i / 2 * 8));
		const float32x4_t whole = vcvtq_f32_s32(vmovl_s16(i % 2 ? vget_high_s16(q8) : vget_low_s16(q8)));
		const float32x4_t left = vfmsq_n_f32(vld1q_f32(x + 4 * i), whole, d);

		n[i] = small >= FLT_MIN ? vcvtnq_s32_f32(vdivq_f32(left, vdupq_n_f32(small))) : vdupq_n_s32(0);
		n[i] = vmaxq_s32(vminq_s32(n[i], vdupq_n_s32(127)), vdupq_n_s32(-127));
	}
	*rest_d = small;
	pack_group(n, rest, sum);
}

/* Four chains of each half of eight values; the halves are added first. */
INLINE void add_squares(float64x2_t sum[2], float32x4_t v)
{
	const float64x2_t lo = vcvt_f64_f32(vget_low_f32(v)), hi = vcvt_high_f64_f32(v);

	sum[0] = vfmaq_f64(sum[0], lo, lo);
	sum[1] = vfmaq_f64(sum[1], hi, hi);
}

static void rmsnorm(float *y, const float *x, const float *w, int64_t n, float eps)
{
	float64x2_t lo[2] = { vdupq_n_f64(0), vdupq_n_f64(0) }, hi[2] = { vdupq_n_f64(0), vdupq_n_f64(0) };
	double sum;
	float scale;
	int64_t i = 0;

	for (; i + 8 <= n; i += 8) {
		add_squares(lo, vld1q_f32(x + i));
		add_squares(hi, vld1q_f32(x + i + 4));
	}
	sum = vpaddd_f64(vaddq_f64(lo[0], hi[0])) + vpaddd_f64(vaddq_f64(lo[1], hi[1]));
	for (; i < n; i++)
		sum += (double)x[i] * x[i];
	scale = (float)(1 / sqrt(sum / (double)n + eps));
	for (i = 0; i + 4 <= n; i += 4)
		vst1q_f32(y + i, vmulq_f32(vmulq_n_f32(vld1q_f32(x + i), scale), vld1q_f32(w + i)));
	for (; i < n; i++)
		y[i] = x[i] * scale * w[i];
}

static void add(float *y, const float *x, int64_t n)
{
	int64_t i = 0;

	for (; i + 4 <= n; i += 4)
		vst1q_f32(y + i, vaddq_f32(vld1q_f32(y + i), vld1q_f32(x + i)));
	for (; i < n; i++)
		y[i] += x[i];
}

/* 1 / (1 + e^-x) */
INLINE float32x4_t sigmoid(float32x4_t x)
{
	const float32x4_t one = vdupq_n_f32(1);
	const float32x4_t e = exp_lanes(vnegq_f32(vabsq_f32(x)));
	const uint32x4_t negative = vreinterpretq_u32_s32(vshrq_n_s32(vreinterpretq_s32_f32(x), 31));

	return vdivq_f32(vbslq_f32(negative, e, one), vaddq_f32(one, e));
}

typedef float32x4_t gate_fn(float32x4_t x);

INLINE float32x4_t silu(float32x4_t x)
{
	return vmulq_f32(x, sigmoid(x));
}

/* x (1 + tanh u) / 2 = x / (1 + e^-2u) */
INLINE float32x4_t gelu(float32x4_t x)
{
	const float32x4_t cube = vmulq_f32(vmulq_f32(vmulq_f32(vdupq_n_f32(0.044715f), x), x), x);
	const float32x4_t u = vmulq_f32(vdupq_n_f32(0x1.988454p-1f), vaddq_f32(x, cube));

	return vmulq_f32(x, sigmoid(vaddq_f32(u, u)));
}

/* NaN stays: vmaxq passes it on. */
INLINE float32x4_t relu2(float32x4_t x)
{
	const float32x4_t r = vmaxq_f32(vdupq_n_f32(0), x);

	return vmulq_f32(r, r);
}

INLINE void glu(gate_fn *f, float *y, const float *gate, const float *up, int64_t n)
{
	int64_t i = 0;

	for (; i + 4 <= n; i += 4)
		vst1q_f32(y + i, vmulq_f32(f(vld1q_f32(gate + i)), vld1q_f32(up + i)));
	if (i < n) {
		const struct f8 g = f8_load_some(gate + i, n - i), u = f8_load_some(up + i, n - i);

		f8_store_some(y + i, (struct f8){ vmulq_f32(f(g.lo), u.lo), g.hi }, n - i);
	}
}

#include "engine/kernels/kern_ops.h"

void kern_neon_ops_init(struct kern *k)
{
	ops_set(k);
}
