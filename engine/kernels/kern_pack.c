#include "config.h"
#include "engine/kernels/kern_pack.h"

#include <string.h>

enum { BUF = 512 };		/* bytes of a row put together at a time */

/* Where a block of 4n + 2 bytes has its half. */
static const struct { enum quant_id id; int at; } halves[] = {
	{ QUANT_Q4_0, 0 }, { QUANT_Q5_0, 0 }, { QUANT_Q8_0, 0 }, { QUANT_IQ4_NL, 0 }, { QUANT_Q3_K, 108 },
	{ QUANT_Q6_K, 208 }, { QUANT_TQ1_0, 52 }, { QUANT_TQ2_0, 64 },
};

struct parts {
	int words, before;	/* of four bytes; those before the half. F16 and BF16: none, a half alone */
	bool half;
};

static struct parts parts_of(const struct quant_type *t)
{
	struct parts p = { .words = t->bytes / 4, .half = t->bytes % 4 == 2 };

	for (size_t i = 0; i < sizeof halves / sizeof *halves; i++)
		if (halves[i].id == t->id)
			p.before = halves[i].at / 4;
	return p;
}

int64_t kern_panel_bytes(const struct quant_type *t, int panel, int64_t k)
{
	return (k / t->block * t->bytes * panel + 63) & ~(int64_t)63;
}

/* Where a word of a row's block lies in the file's block. */
static int word_at(const struct parts *p, int i)
{
	return 4 * i + (p->half && i >= p->before ? 2 : 0);
}

void kern_pack(const struct quant_type *t, int panel, const void *rows, int64_t stride, int n, int64_t k, void *dst)
{
	const struct parts p = parts_of(t);
	const int64_t blocks = k / t->block;
	const uint8_t *src = rows;
	uint8_t *words = dst, *half = words + 4 * blocks * p.words * panel;

	for (int64_t b = 0; b < blocks; b++, src += t->bytes) {
		for (int i = 0; i < p.words; i++, words += 4 * (ptrdiff_t)panel) {
			const uint8_t *from = src + word_at(&p, i);

			for (int r = 0; r < n; r++)
				memcpy(words + 4 * r, from + r * stride, 4);
			memset(words + 4 * n, 0, 4 * (size_t)(panel - n));
		}
		if (!p.half)
			continue;
		for (int r = 0; r < n; r++)
			memcpy(half + 2 * r, src + 4 * p.before + r * stride, 2);
		memset(half + 2 * n, 0, 2 * (size_t)(panel - n));
		half += 2 * panel;
	}
}

/* Blocks from … to-1 of row r of a panel, as in a file. */
static void unpack(const struct quant_type *t, int panel, const uint8_t *src, int64_t blocks, int r, int64_t from,
		   int64_t to, uint8_t *out)
{
	const struct parts p = parts_of(t);
	const uint8_t *words = src + 4 * r, *half = src + 4 * blocks * p.words * panel + 2 * r;

	for (int64_t b = from; b < to; b++, out += t->bytes) {
		for (int i = 0; i < p.words; i++)
			memcpy(out + word_at(&p, i), words + 4 * (b * p.words + i) * panel, 4);
		if (p.half)
			memcpy(out + 4 * p.before, half + 2 * b * panel, 2);
	}
}

void kern_decode(const struct quant_type *t, const void *w, int64_t stride, int panel, int64_t cols, int64_t r,
		 int64_t k0, int64_t k, float *dst)
{
	const int64_t first = k0 / t->block, n = k / t->block;
	const int64_t some = BUF / t->bytes;
	const uint8_t *src = w;
	uint8_t buf[BUF];

	if (!panel) {
		t->decode(src + r * stride + first * t->bytes, dst, k);
		return;
	}
	src += r / panel * stride;
	for (int64_t b = 0; b < n; b += some) {
		const int64_t end = n - b < some ? n : b + some;

		unpack(t, panel, src, cols / t->block, (int)(r % panel), first + b, first + end, buf);
		t->decode(buf, dst + b * t->block, (end - b) * t->block);
	}
}
