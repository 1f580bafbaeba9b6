/* Attention and the KV cache's types, scalar. */
#include "config.h"
#include "engine/kernels/kern_scalar.h"

#include <math.h>
#include <string.h>

/* Value i of a key or value of the cache. */
typedef float load_fn(const char *row, int64_t i);

static float load_f16(const char *row, int64_t i)
{
	uint16_t h;

	memcpy(&h, row + 2 * i, sizeof h);
	return quant_f16_to_f32(h);
}

static float load_bf16(const char *row, int64_t i)
{
	uint16_t h;

	memcpy(&h, row + 2 * i, sizeof h);
	return quant_bf16_to_f32(h);
}

static float load_f32(const char *row, int64_t i)
{
	float f;

	memcpy(&f, row + 4 * i, sizeof f);
	return f;
}

/* Blocks of a scale (half) and 32 numbers. */
enum { Q8_BLOCK = 32, Q8_BYTES = 34 };

static float load_q8_0(const char *row, int64_t i)
{
	const char *block = row + i / Q8_BLOCK * Q8_BYTES;

	return load_f16(block, 0) * (float)(int8_t)block[2 + i % Q8_BLOCK];
}

static void store_f16(void *dst, const float *src, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		const uint16_t h = quant_f32_to_f16(src[i]);

		memcpy((char *)dst + 2 * i, &h, sizeof h);
	}
}

static void store_bf16(void *dst, const float *src, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		const uint16_t h = quant_f32_to_bf16(src[i]);

		memcpy((char *)dst + 2 * i, &h, sizeof h);
	}
}

static void store_f32(void *dst, const float *src, int64_t n)
{
	memcpy(dst, src, (size_t)n * sizeof *src);
}

/* As weights are encoded. */
static void store_q8_0(void *dst, const float *src, int64_t n)
{
	const struct quant_type *t = quant_by_id(QUANT_Q8_0);
	const int64_t whole = n / Q8_BLOCK * Q8_BLOCK;
	float last[Q8_BLOCK] = { 0 };

	t->encode(src, dst, whole);
	if (whole == n)
		return;
	memcpy(last, src + whole, (size_t)(n - whole) * sizeof *src);
	t->encode(last, (char *)dst + whole / Q8_BLOCK * Q8_BYTES, Q8_BLOCK);
}

/* What one query head has gathered so far. */
struct fold {
	float max, sum;
	float *acc;		/* (hd) */
};

/* Folds keys from … n-1 of a page, rows `row` bytes apart, into f. */
static void fold_page(const struct kern_attn *a, const float *q, const char *k, const char *v, int from, int n,
		      load_fn *load, int64_t row, struct fold *f)
{
	float p[KERN_PAGE], max = f->max, shrink;

	for (int j = from; j < n; j++) {
		p[j] = 0;
		for (int i = 0; i < a->hd; i++)
			p[j] += q[i] * load(k + j * row, i);
		p[j] *= a->scale;
		if (a->softcap > 0)
			p[j] = a->softcap * tanhf(p[j] / a->softcap);
		max = fmaxf(max, p[j]);
	}
	shrink = expf(f->max - max);
	f->max = max;
	f->sum *= shrink;
	for (int i = 0; i < a->hd; i++)
		f->acc[i] *= shrink;
	for (int j = from; j < n; j++) {
		p[j] = expf(p[j] - max);
		f->sum += p[j];
		for (int i = 0; i < a->hd; i++)
			f->acc[i] += p[j] * load(v + j * row, i);
	}
}

static void attn_token(const struct kern_attn *a, load_fn *load, int64_t row)
{
	for (int h = 0; h < a->g; h++) {
		struct fold f = { -INFINITY, 0, a->out + h * a->ldo };

		for (int i = 0; i < a->hd; i++)
			f.acc[i] = 0;
		for (int64_t j = a->first / KERN_PAGE * KERN_PAGE; j < a->n; j += KERN_PAGE)
			fold_page(a, a->q + h * a->ldq, a->kpage[j / KERN_PAGE], a->vpage[j / KERN_PAGE],
				  a->first > j ? (int)(a->first - j) : 0,
				  a->n - j < KERN_PAGE ? (int)(a->n - j) : KERN_PAGE, load, row, &f);
		for (int i = 0; i < a->hd; i++)
			f.acc[i] /= f.sum;
	}
}

static void attn(const struct kern_attn *a, load_fn *load, int64_t row)
{
	for (int i = 0; i < a->t; i++) {
		const struct kern_attn one = kern_attn_token(a, i);

		attn_token(&one, load, row);
	}
}

static void attn_f16(const struct kern_attn *a)
{
	attn(a, load_f16, 2 * a->hd);
}

static void attn_bf16(const struct kern_attn *a)
{
	attn(a, load_bf16, 2 * a->hd);
}

static void attn_f32(const struct kern_attn *a)
{
	attn(a, load_f32, 4 * a->hd);
}

static void attn_q8_0(const struct kern_attn *a)
{
	attn(a, load_q8_0, (a->hd + Q8_BLOCK - 1) / Q8_BLOCK * Q8_BYTES);
}

#define KV_SET(id, kv_block, kv_bytes, name) do { \
	k->kv[KERN_KV_##id].block = kv_block; \
	k->kv[KERN_KV_##id].bytes = kv_bytes; \
	k->kv[KERN_KV_##id].store = store_##name; \
	k->kv[KERN_KV_##id].attn = attn_##name; \
} while (0)

void kern_scalar_attn_init(struct kern *k)
{
	KV_SET(F16, 1, 2, f16);
	KV_SET(BF16, 1, 2, bf16);
	KV_SET(F32, 1, 4, f32);
	KV_SET(Q8_0, Q8_BLOCK, Q8_BYTES, q8_0);
}
