/*
 * The kernels: a table of function pointers, filled with the scalar definitions and
 * then with each better instruction set over them. Which sets are used is decided at
 * run time (cpu.h) and can be masked.
 *
 * One rule stands above speed: an output depends on its own weights and activations
 * only, in one fixed order of k. The same row and token give the same bits whether
 * they are computed alone, in a chunk of 500, or by another thread. (Two instruction
 * sets agree within a tolerance, and in bits only where t3000 says so.)
 *
 * Nothing here allocates, locks, or fails; all functions may run on any number of
 * threads over disjoint outputs.
 */
#ifndef ENGINE_KERNELS_KERN_H
#define ENGINE_KERNELS_KERN_H

#include "engine/quant/quant.h"

#include <stdatomic.h>
#include <stdint.h>

enum {
	KERN_ACT_BLOCK = 32,	/* activations share a scale in groups of this many along k */
	KERN_PAGE = 64,		/* positions in a page of the KV cache */
	KERN_KV_MAX_HEAD = 512,	/* largest head size */
	KERN_MAX_GROUP = 64,	/* most query heads that share a KV head */
};

/* What activations a weight type is multiplied with. */
enum kern_act {
	KERN_ACT_F32,		/* as they are: x */
	KERN_ACT_Q8,		/* rounded to int8 per 32: q, d, sum */
};

/*
 * Activations of t tokens, k values each, k a multiple of 32 for KERN_ACT_Q8.
 * Rounding, per group of 32: amax = max |x|, d = amax / 127, q = x / d to the nearest
 * (half to even). A group too small for a normal d is all 0; one that holds infinity or
 * NaN has d NaN and q 0, so that every output it reaches is NaN. The sums are kept as
 * integers, per half group, because offsets and minimums of weights meet them exactly.
 *
 * Groups lie token after token, or in tiles for kernels that take `tile` tokens at once:
 * two groups of the first token, the same two of the second …, then the next two of all;
 * what stands in the places of tokens and groups that are not there is nobody's concern.
 */
struct kern_acts {
	int64_t t, k;
	int tile;		/* tokens in a tile; 0: token after token */
	const float *x;		/* (t, k) */
	int8_t *q;		/* (groups, 32), -127 … 127 */
	float *d;		/* (groups) */
	int16_t *sum;		/* (groups, 2): Σ q */
};

/* Where group g of token t lies among them. */
static inline int64_t kern_act_group(const struct kern_acts *a, int64_t t, int64_t g)
{
	const int64_t groups = a->k / KERN_ACT_BLOCK;

	if (!a->tile)
		return t * groups + g;
	return ((t / a->tile * ((groups + 1) / 2) + g / 2) * a->tile + t % a->tile) * 2 + g % 2;
}

/* Bytes that q, d and sum of t tokens take together, and how they are laid out in them (buf aligned to 64). */
size_t kern_acts_bytes(int64_t t, int64_t k, int tile);
void kern_acts_place(struct kern_acts *a, void *buf);

/*
 * y[token][row] = Σ_k w[row][k] · x[token][k] for rows r0 ≤ row < r1 and all tokens. With
 * `rest` the activations are kept at 16 bits: a token's products with a and with rest are
 * two outputs, each summed in the order of k, and added at the end.
 */
struct kern_mul {
	const void *w;			/* row 0 of the matrix … */
	int64_t w_stride;		/* … rows, or panels of `panel` rows (kern_pack.h), so many bytes apart */
	int panel;			/* 0: rows as in a file; else struct kern's of the same instruction set */
	const struct kern_acts *a, *rest;	/* rest: NULL, or of the same shape and order */
	int64_t r0, r1;
	float *y;			/* (t, ldy): rows from y0 ≤ r0 on */
	int64_t ldy, y0;
};
typedef void kern_mul_fn(const struct kern_mul *m);

/* A token's x, n values from its k0 on, both multiples of 32: what is rounded at a time. */
struct kern_span { int64_t t, k0, n; const float *x; };

/*
 * Rounds a span into a->q, a->d and a->sum. By token instead of by group: the span is the whole
 * token, amax over it, at least 1e-5, s = 127 / amax, q = x s to the nearest, and every group
 * has d = 1 / s; NaN or infinity anywhere spoils the token.
 */
typedef void kern_quant_fn(const struct kern_acts *a, const struct kern_span *s);

/*
 * Rounds what that rounding left over: per group rest->d = a->d / 254, rest->q = (x - d q) / rest->d to
 * the nearest, within -127 … 127; x - d q is one operation (fma), for d q may lie beyond a float. Products with
 * a and with rest, added, are products with x kept at 16 bits.
 */
typedef void kern_rest_fn(const struct kern_acts *a, const struct kern_acts *rest, const struct kern_span *s);

/* y = x / sqrt(mean(x²) + eps) × w; x (n), w (n), y (n); y may be x. */
typedef void kern_rmsnorm_fn(float *y, const float *x, const float *w, int64_t n, float eps);
/* y += x */
typedef void kern_add_fn(float *y, const float *x, int64_t n);
/* y = f(gate) × up; y may be gate. */
typedef void kern_glu_fn(float *y, const float *gate, const float *up, int64_t n);

/*
 * Attention of query heads that share one KV head, of tokens at following positions, over
 * keys at absolute positions in pages of KERN_PAGE: the first token's over first … n-1, each
 * next one's over a key more and, with a window, over as many at most. Pages wholly below
 * that are not looked at.
 * Softmax is folded page by page in order: running maximum m and sum l per head, the
 * accumulator rescaled when m grows; so the result depends on first, n and the keys alone.
 */
struct kern_attn {
	int t;				/* tokens, at least 1 */
	const float *q;			/* (t, ldt) of (g, ldq): g query heads of hd values */
	int64_t ldt, ldq;
	int g, hd;
	/* per page: KERN_PAGE keys and values of this KV head in the cache's type, kern_kv_row() bytes each */
	const void *const *kpage;
	const void *const *vpage;
	int64_t first, n, window;	/* window 0: first holds for all tokens */
	float scale;			/* on the scores; usually 1 / sqrt(hd) */
	float softcap;			/* then c tanh(score / c); 0: not */
	float *out;			/* (t, ldto) of (g, ldo) */
	int64_t ldto, ldo;
};

/* Token i of them alone. */
static inline struct kern_attn kern_attn_token(const struct kern_attn *a, int i)
{
	struct kern_attn o = *a;

	o.t = 1;
	o.q += i * a->ldt;
	o.out += i * a->ldto;
	o.n += i;
	if (a->window)
		o.first = o.n > a->window ? o.n - a->window : 0;
	return o;
}

typedef void kern_attn_fn(const struct kern_attn *a);

/*
 * Writes n floats, one head's key or value, in the cache's type: whole blocks, the last one
 * filled up with zeros.
 */
typedef void kern_store_fn(void *dst, const float *src, int64_t n);

/* Types of the KV cache: a row here is all that a new one needs. */
enum kern_kv { KERN_KV_F16, KERN_KV_BF16, KERN_KV_F32, KERN_KV_Q8_0, KERN_KV_N };

struct kern_type {
	enum kern_act act;
	kern_mul_fn *mul;		/* with activations as `act` says; NULL: no kernel for this type */
	kern_mul_fn *mul_tiles;		/* the same bits from rounded ones in tiles (kern_acts); NULL: not made for them */
	kern_mul_fn *mul_f32;		/* decoded weights with x as it is: the definition, slow */
};

struct kern {
	const char *name;		/* of the best set in use: "avx2" */
	int panel;			/* rows of a panel of packed weights; 0: none are packed */
	int tile;			/* tokens of a tile, which all types take that round theirs; 0: none do … */
	int tiles_from;			/* … where there are at least so many tokens */
	const struct quant_codec *codecs;	/* in the order of quant_types[]: kern_codec() */
	/* by quant id (gaps have mul NULL) */
	struct kern_type type[64];
	kern_quant_fn *quant_q8;
	kern_quant_fn *quant_q8_token;	/* one scale a token, see above */
	kern_rest_fn *rest_q8;
	kern_rmsnorm_fn *rmsnorm;
	kern_add_fn *add;
	kern_glu_fn *swiglu;		/* x / (1 + e^-x) */
	kern_glu_fn *geglu;		/* x / 2 (1 + tanh(√(2/π) (x + 0.044715 x³))) */
	kern_glu_fn *relu2glu;		/* max(x, 0)² */
	struct {
		int block, bytes;	/* values kept together, and what they take */
		kern_store_fn *store;
		kern_attn_fn *attn;
	} kv[KERN_KV_N];
};

/* A type's functions by the instruction set in use; their results are the definition's. */
static inline const struct quant_codec *kern_codec(const struct kern *k, const struct quant_type *t)
{
	return &k->codecs[t - quant_types];
}

/* Bytes of one key or value of hd floats in a cache's type. */
static inline int64_t kern_kv_row(const struct kern *k, enum kern_kv type, int64_t hd)
{
	return (hd + k->kv[type].block - 1) / k->kv[type].block * k->kv[type].bytes;
}

/* Fills k for a set of cpu flags (cpu.h): scalar first, then each better set that the flags name. */
void kern_fill(struct kern *k, unsigned flags);

void kern_init_scalar(struct kern *k);
void kern_init_avx2(struct kern *k);
void kern_init_avxvnni(struct kern *k);
void kern_init_avx512vnni(struct kern *k);
void kern_init_amx(struct kern *k);
void kern_init_neon(struct kern *k);
void kern_init_dotprod(struct kern *k);

#endif
