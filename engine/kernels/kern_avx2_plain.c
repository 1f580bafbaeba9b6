/* Types whose blocks are 32 weights, AVX2. */
#include "config.h"
#include "engine/kernels/kern_avx2_block.h"

INLINE void nibbles(const uint8_t *p, int64_t stride, __m256i w[8])
{
	const __m256i low = _mm256_set1_epi8(15);
	__m256i v[4];

	load_16(p, stride, v);
	UNROLL
	for (int j = 0; j < 4; j++) {
		w[j] = _mm256_and_si256(v[j], low);
		w[j + 4] = _mm256_and_si256(_mm256_srli_epi16(v[j], 4), low);
	}
}

/* Adds 16 where the weight's bit of the row's 32 is set. */
INLINE void fifth_bits(__m256i bits, __m256i w[8])
{
	const __m256i one_each = _mm256_set1_epi32(0x08040201);
	const __m256i sixteen = _mm256_setr_epi8(0, 16, 16, 0, 16, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0,
						 0, 16, 16, 0, 16, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0);
	const __m256i first = _mm256_setr_epi8(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12,
					       0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12);

	UNROLL
	for (int j = 0; j < 8; j++) {
		const __m256i byte = _mm256_shuffle_epi8(bits, _mm256_add_epi8(first, _mm256_set1_epi8((char)(j / 2))));
		const __m256i bit = _mm256_and_si256(j % 2 ? _mm256_srli_epi16(byte, 4) : byte, one_each);

		w[j] = _mm256_or_si256(w[j], _mm256_shuffle_epi8(sixteen, bit));
	}
}

INLINE void load_q4_0(const uint8_t *p, int64_t stride, struct block *o)
{
	nibbles(p + 2, stride, o->w);
	o->d = low_halves(load_4(p, stride));
}

INLINE void load_q4_1(const uint8_t *p, int64_t stride, struct block *o)
{
	nibbles(p + 4, stride, o->w);
	halves(load_4(p, stride), &o->d, &o->m);
}

INLINE void load_q5_0(const uint8_t *p, int64_t stride, struct block *o)
{
	nibbles(p + 6, stride, o->w);
	fifth_bits(load_4(p + 2, stride), o->w);
	o->d = low_halves(load_4(p, stride));
}

INLINE void load_q5_1(const uint8_t *p, int64_t stride, struct block *o)
{
	nibbles(p + 8, stride, o->w);
	fifth_bits(load_4(p + 4, stride), o->w);
	halves(load_4(p, stride), &o->d, &o->m);
}

INLINE void load_q8_0(const uint8_t *p, int64_t stride, struct block *o)
{
	load_16(p + 2, stride, o->w);
	load_16(p + 18, stride, o->w + 4);
	o->d = low_halves(load_4(p, stride));
}

INLINE void load_iq4_nl(const uint8_t *p, int64_t stride, struct block *o)
{
	const __m256i values = _mm256_broadcastsi128_si256(
		_mm_setr_epi8(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113));

	nibbles(p + 2, stride, o->w);
	UNROLL
	for (int j = 0; j < 8; j++)
		o->w[j] = _mm256_shuffle_epi8(values, o->w[j]);
	o->d = low_halves(load_4(p, stride));
}

#define TYPES(X) \
	X(Q4_0, load_q4_0, .bytes = 18, .run = 4, .offset = 8) \
	X(Q4_1, load_q4_1, .bytes = 20, .run = 4, .min = true) \
	X(Q5_0, load_q5_0, .bytes = 22, .run = 4, .offset = 16) \
	X(Q5_1, load_q5_1, .bytes = 24, .run = 4, .min = true) \
	X(Q8_0, load_q8_0, .bytes = 34, .run = 1, .sign = true) \
	X(IQ4_NL, load_iq4_nl, .bytes = 18, .run = 1, .sign = true)

#define TYPE_FN(id, load, ...) \
	static void mul_##id(const struct kern_mul *m) \
	{ \
		mul_rows(m, (struct form){ .per = 1, __VA_ARGS__ }, load); \
	}
TYPES(TYPE_FN)

void kern_avx2_plain_init(struct kern *k)
{
#define TYPE_SET(id, load, ...) k->type[QUANT_##id].mul = mul_##id;
	TYPES(TYPE_SET)
}
