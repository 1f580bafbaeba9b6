/* Attention and the KV cache's types, scalar. */
#include "config.h"
#include "engine/kernels/kern_scalar.h"

#include <math.h>
#include <string.h>

/* Value i of a row of the cache. */
typedef float load_fn(const void *row, int64_t i);

static float load_f16(const void *row, int64_t i)
{
	uint16_t h;

	memcpy(&h, (const char *)row + 2 * i, sizeof h);
	return quant_f16_to_f32(h);
}

static float load_f32(const void *row, int64_t i)
{
	float f;

	memcpy(&f, (const char *)row + 4 * i, sizeof f);
	return f;
}

static void store_f16(void *dst, const float *src, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		const uint16_t h = quant_f32_to_f16(src[i]);

		memcpy((char *)dst + 2 * i, &h, sizeof h);
	}
}

static void store_f32(void *dst, const float *src, int64_t n)
{
	memcpy(dst, src, (size_t)n * sizeof *src);
}

/* What one query head has gathered so far. */
struct fold {
	float max, sum;
	float *acc;		/* (hd) */
};

/* Folds n <= KERN_PAGE keys into f. */
static void fold_page(const struct kern_attn *a, const float *q, const void *k, const void *v, int n,
		      load_fn *load, struct fold *f)
{
	float p[KERN_PAGE], max = f->max, shrink;

	for (int j = 0; j < n; j++) {
		p[j] = 0;
		for (int i = 0; i < a->hd; i++)
			p[j] += q[i] * load(k, (int64_t)j * a->hd + i);
		p[j] *= a->scale;
		max = fmaxf(max, p[j]);
	}
	shrink = expf(f->max - max);
	f->max = max;
	f->sum *= shrink;
	for (int i = 0; i < a->hd; i++)
		f->acc[i] *= shrink;
	for (int j = 0; j < n; j++) {
		p[j] = expf(p[j] - max);
		f->sum += p[j];
		for (int i = 0; i < a->hd; i++)
			f->acc[i] += p[j] * load(v, (int64_t)j * a->hd + i);
	}
}

static void attn(const struct kern_attn *a, load_fn *load)
{
	for (int h = 0; h < a->g; h++) {
		struct fold f = { -INFINITY, 0, a->out + h * a->ldo };

		for (int i = 0; i < a->hd; i++)
			f.acc[i] = 0;
		for (int64_t j = 0; j < a->n; j += KERN_PAGE)
			fold_page(a, a->q + h * a->ldq, a->kpage[j / KERN_PAGE], a->vpage[j / KERN_PAGE],
				  a->n - j < KERN_PAGE ? (int)(a->n - j) : KERN_PAGE, load, &f);
		for (int i = 0; i < a->hd; i++)
			f.acc[i] /= f.sum;
	}
}

static void attn_f16(const struct kern_attn *a)
{
	attn(a, load_f16);
}

static void attn_f32(const struct kern_attn *a)
{
	attn(a, load_f32);
}

void kern_scalar_attn_init(struct kern *k)
{
	k->kv[KERN_KV_F16].bytes = 2;
	k->kv[KERN_KV_F16].store = store_f16;
	k->kv[KERN_KV_F16].attn = attn_f16;
	k->kv[KERN_KV_F32].bytes = 4;
	k->kv[KERN_KV_F32].store = store_f32;
	k->kv[KERN_KV_F32].attn = attn_f32;
}
