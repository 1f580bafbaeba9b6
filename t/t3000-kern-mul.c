/*
 * Products with weights: the scalar definition against decoded weights in double, every
 * instruction set against scalar, and every output the same bits in whatever company.
 */
#include "config.h"
#include "engine/base/xio.h"
#include "engine/kernels/cpu.h"
#include "engine/kernels/kern.h"
#include "engine/kernels/kern_pack.h"
#include "t/helper/blocks.h"
#include "t/lib/tap.h"

#include <math.h>
#include <stdio.h>

enum { ROWS = 37, TOKENS = 129, FEW = 9, MAX_K = 2304, CANARY = 0x7fabcdef };

static float x[TOKENS * MAX_K], y[TOKENS * ROWS], part[TOKENS * ROWS], scalar[TOKENS * ROWS];
static uint8_t w[ROWS * MAX_K * 4];
static _Alignas(64) char acts[TOKENS * MAX_K * 2];
static double want[TOKENS * ROWS], bound[TOKENS * ROWS];
static const char *const how_names[BLOCKS_N] = { "random", "zero", "ones", "low", "huge", "tiny" };

struct sample {
	const struct blocks_type *type;
	enum blocks_how how;
	struct kern_acts a;
	int64_t stride;
};

/* Tokens 0, 1, 2: zeros, all +127, all -127; then random with one outlier a group. */
static void sample_fill(struct sample *s, int64_t k, const struct kern *kern, uint64_t *seed)
{
	s->a = (struct kern_acts){ .t = TOKENS, .k = k, .x = x };
	s->stride = k / s->type->block * s->type->bytes;
	blocks_fill(s->type, w, ROWS * k, s->how, seed);
	if (s->how != BLOCKS_RANDOM)
		s->a.t = FEW;
	for (int64_t t = 0; t < s->a.t; t++)
		for (int64_t i = 0; i < k; i++)
			x[t * k + i] = t == 0 ? 0 : t == 1 ? 1 : t == 2 ? -1 :
				       blocks_uniform(seed) * (blocks_rand(seed) % 32 ? 1 : 8);
	kern_acts_place(&s->a, acts);
	if (k % KERN_ACT_BLOCK == 0)
		for (int64_t t = 0; t < s->a.t; t++)
			kern->quant_q8(&s->a, &(struct kern_span){ t, 0, k, x + t * k });
}

/* Σ w·x in double, and what rounding may do to it: a part of max |w| · Σ |x|. */
static void reference(const struct sample *s, bool rounded)
{
	static float row[MAX_K];
	const int64_t k = s->a.k;

	for (int64_t r = 0; r < ROWS; r++) {
		float max = 0;

		quant_by_id(s->type->id)->decode(w + r * s->stride, row, k);
		for (int64_t i = 0; i < k; i++)
			max = fmaxf(max, fabsf(row[i]));
		for (int64_t t = 0; t < s->a.t; t++) {
			double sum = 0, size = 0;

			for (int64_t i = 0; i < k; i++) {
				const int64_t at = t * k + i;
				const double v = rounded ? (double)s->a.q[at] * s->a.d[at / KERN_ACT_BLOCK] : x[at];

				sum += row[i] * v;
				size += fabs(v);
			}
			want[t * ROWS + r] = sum;
			bound[t * ROWS + r] = 2e-6 * max * size;
		}
	}
}

/* y against want. */
static bool near(const struct sample *s)
{
	for (int64_t i = 0; i < s->a.t * ROWS; i++)
		if (!(fabs(y[i] - want[i]) <= bound[i])) {
			printf("# k %d %s: token %d row %d: %g, not %g ± %g\n", (int)s->a.k, how_names[s->how],
			       (int)(i / ROWS), (int)(i % ROWS), y[i], want[i], bound[i]);
			return false;
		}
	return true;
}

static void run(kern_mul_fn *fn, const struct kern_acts *a, int64_t stride, int64_t r0, int64_t r1, float *out)
{
	const struct kern_mul m = { .w = w, .w_stride = stride, .a = a, .r0 = r0, .r1 = r1, .y = out, .ldy = ROWS };

	fn(&m);
}

/* Tokens t0 … t0+n-1, rows r0 … r1-1 alone: the same bits as in y, and nothing else written. */
static bool same_part(kern_mul_fn *fn, const struct sample *s, int64_t t0, int64_t n, int64_t r0, int64_t r1)
{
	struct kern_acts a = s->a;
	const uint32_t canary = CANARY;

	a.t = n;
	a.x += t0 * a.k;
	a.q += t0 * a.k;
	a.d += t0 * (a.k / KERN_ACT_BLOCK);
	a.sum += t0 * (a.k / 16);
	for (int64_t i = 0; i < n * ROWS; i++)
		memcpy(part + i, &canary, sizeof canary);
	run(fn, &a, s->stride, r0, r1, part);
	for (int64_t i = 0; i < n * ROWS; i++) {
		const bool mine = i % ROWS >= r0 && i % ROWS < r1;

		if (memcmp(part + i, mine ? (const void *)(y + t0 * ROWS + i) : &canary, sizeof *part)) {
			printf("# %d tokens from %d, rows %d-%d: token %d row %d differs\n", (int)n, (int)t0, (int)r0,
			       (int)r1, (int)(t0 + i / ROWS), (int)(i % ROWS));
			return false;
		}
	}
	return true;
}

static bool same_bits(kern_mul_fn *fn, const struct sample *s)
{
	static const int64_t rows[][2] = { { 0, 1 }, { 3, 10 }, { 5, 14 }, { 8, 24 }, { 9, 36 }, { 36, 37 }, { 1, 33 } };
	static const int64_t tokens[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 64, TOKENS };
	bool good = true;

	for (size_t t = 0; t < sizeof tokens / sizeof *tokens; t++)
		good = good && same_part(fn, s, (TOKENS - tokens[t]) / 2, tokens[t], 0, ROWS);
	for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
		good = good && same_part(fn, s, 1, 1, rows[r][0], rows[r][1]) &&
		       same_part(fn, s, 0, FEW + (int64_t)r % 3, rows[r][0], rows[r][1]);
	return good;
}

/* Packed weights, and rows of another panel's alignment: the same bits as from the file's rows. */
static bool same_packed(const struct kern *kern, kern_mul_fn *fn, const struct sample *s)
{
	static const int64_t rows[][2] = { { 0, ROWS }, { 0, 1 }, { 3, 10 }, { 16, 32 }, { 17, 33 }, { 36, 37 } };
	static _Alignas(64) uint8_t packed[(ROWS + 16) * MAX_K * 4];
	static float row[MAX_K], got[MAX_K];
	const struct quant_type *t = quant_by_id(s->type->id);
	const int64_t k = s->a.k, bytes = kern_panel_bytes(t, kern->panel, k);
	bool good = true;

	for (int64_t r = 0; r < ROWS; r += kern->panel)
		kern_pack(t, kern->panel, w + r * s->stride, s->stride,
			  (int)(ROWS - r < kern->panel ? ROWS - r : kern->panel), k, packed + r / kern->panel * bytes);
	for (int64_t r = 0; r < ROWS && good; r++) {
		const int64_t from = k / t->block / 3 * t->block;

		t->decode(w + r * s->stride, row, k);
		kern_decode(t, packed, bytes, kern->panel, k, r, from, k - from, got);
		good = !memcmp(got, row + from, (size_t)(k - from) * sizeof *got);
	}
	for (int64_t n = 1; n <= s->a.t && good; n += n < 12 ? 1 : 39)
		for (size_t i = 0; i < sizeof rows / sizeof *rows && good; i++) {
			struct kern_acts a = s->a;
			const struct kern_mul m = { .w = packed, .w_stride = bytes, .panel = kern->panel, .a = &a,
						    .r0 = rows[i][0], .r1 = rows[i][1], .y = part, .ldy = ROWS };

			a.t = n;
			memset(part, 0, sizeof part);
			fn(&m);
			for (int64_t j = 0; j < n; j++)
				good = good && !memcmp(part + j * ROWS + m.r0, y + j * ROWS + m.r0,
						       (size_t)(m.r1 - m.r0) * sizeof *part);
			if (!good)
				printf("# packed, k %d, %d tokens, rows %d-%d: differ\n", (int)k, (int)n, (int)m.r0, (int)m.r1);
		}
	return good;
}

/* With a rest, here the tokens in another order, an output is the sum of both products. */
static bool same_rest(kern_mul_fn *fn, const struct sample *s)
{
	const int64_t k = s->a.k, groups = k / KERN_ACT_BLOCK;
	bool good = true;

	for (int64_t n = 1; 2 * n <= s->a.t && good; n += n < 12 ? 1 : 39) {
		struct kern_acts a = s->a, rest = s->a;
		const struct kern_mul m = { .w = w, .w_stride = s->stride, .a = &a, .rest = &rest, .r1 = ROWS,
					    .y = part, .ldy = ROWS };

		a.t = rest.t = n;
		rest.q += n * k;
		rest.d += n * groups;
		rest.sum += n * groups * 2;
		fn(&m);
		for (int64_t i = 0; i < n * ROWS && good; i++)
			good = part[i] == y[i] + y[i + n * ROWS];
		if (!good)
			printf("# rest, k %d, %d tokens: differ\n", (int)k, (int)n);
	}
	return good;
}

/* Activations in tiles, and again as the rest of others: the same bits. */
static bool same_tiles(const struct kern *kern, kern_mul_fn *fn, const struct sample *s)
{
	static _Alignas(64) char tiles[2][(TOKENS + 15) * (MAX_K + 32) * 2];
	static float plain[TOKENS * ROWS];
	static const int64_t rows[][2] = { { 0, ROWS }, { 3, 10 }, { 17, 33 } };
	const int64_t k = s->a.k, groups = k / KERN_ACT_BLOCK;
	bool good = true;

	for (int64_t n = 1; 2 * n <= s->a.t && good; n += n < 20 ? 1 : 15)
		for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows && good; i++) {
			struct kern_acts a[2] = { s->a, s->a }, b[2];
			struct kern_mul m = { .w = w, .w_stride = s->stride, .a = a, .rest = i % 2 ? a + 1 : NULL,
					      .r0 = rows[i / 2][0], .r1 = rows[i / 2][1], .y = plain, .ldy = ROWS };

			memset(tiles, 0xff, sizeof tiles);
			for (int j = 0; j < 2; j++) {
				a[j].t = n;
				a[j].q += j * n * k;
				a[j].d += j * n * groups;
				a[j].sum += j * n * groups * 2;
				b[j] = (struct kern_acts){ .t = n, .k = k, .tile = kern->tile };
				kern_acts_place(&b[j], tiles[j]);
				for (int64_t g = 0; g < n * groups; g++) {
					const int64_t at = kern_act_group(&b[j], g / groups, g % groups);

					memcpy(b[j].q + at * KERN_ACT_BLOCK, a[j].q + g * KERN_ACT_BLOCK, KERN_ACT_BLOCK);
					b[j].d[at] = a[j].d[g];
					memcpy(b[j].sum + 2 * at, a[j].sum + 2 * g, 2 * sizeof *b[j].sum);
				}
			}
			memset(plain, 0x7f, sizeof plain);
			memset(part, 0x7f, sizeof part);
			fn(&m);
			m.a = b;
			m.rest = m.rest ? b + 1 : NULL;
			m.y = part;
			kern->type[s->type->id].mul_tiles(&m);
			good = !memcmp(part, plain, sizeof part);
			if (!good)
				printf("# tiles, k %d %s, %d tokens, rows %d-%d%s: differ\n", (int)k, how_names[s->how], (int)n,
				       (int)m.r0, (int)m.r1, m.rest ? ", with a rest" : "");
		}
	return good;
}

/* Two ways to the same integer sums: the same bits. */
static void test_equal(const struct blocks_type *t, const struct kern *kern, const struct kern *other, const struct kern *scalars)
{
	static const int64_t sizes[] = { 32, 256, 576, MAX_K };
	bool same = true;
	uint64_t seed = t->id + 1;

	for (int how = 0; how < BLOCKS_N && same; how++)
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes && same; i++) {
			struct sample s = { .type = t, .how = how };

			if (sizes[i] % t->block)
				continue;
			sample_fill(&s, sizes[i], scalars, &seed);
			run(kern->type[t->id].mul, &s.a, s.stride, 0, ROWS, y);
			run(other->type[t->id].mul, &s.a, s.stride, 0, ROWS, scalar);
			same = !memcmp(y, scalar, (size_t)(s.a.t * ROWS) * sizeof *y);
			if (!same)
				printf("# k %d %s: differ\n", (int)s.a.k, how_names[how]);
		}
	ok(same, "%s %s: the same bits as %s", kern->name, quant_by_id(t->id)->name, other->name);
}

static void test_type(const struct blocks_type *t, const struct kern *kern, const struct kern *scalars, bool f32)
{
	static const int64_t sizes[] = { 32, 96, 256, 576, 1536, MAX_K }, odd_sizes[] = { 1, 8, 172, 576, 1040, MAX_K };
	const struct quant_type *qt = quant_by_id(t->id);
	kern_mul_fn *fn = f32 ? kern->type[t->id].mul_f32 : kern->type[t->id].mul;
	kern_mul_fn *definition = f32 ? scalars->type[t->id].mul_f32 : scalars->type[t->id].mul;
	const bool rounded = !f32 && kern->type[t->id].act == KERN_ACT_Q8;
	const bool packs = kern->panel;
	const bool tiles = rounded && kern->type[t->id].mul_tiles;
	bool right = true, same = true, packed = true, rest = true, tiled = true;
	uint64_t seed = t->id + 1;

	for (int how = 0; how < (f32 ? 1 : BLOCKS_N); how++)
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			const int64_t k = t->block == 1 ? odd_sizes[i] : sizes[i];
			struct sample s = { .type = t, .how = how };

			if (k % t->block)
				continue;
			sample_fill(&s, k, scalars, &seed);
			run(fn, &s.a, s.stride, 0, ROWS, y);
			reference(&s, rounded);
			right = right && near(&s);
			if (fn != definition) {
				run(definition, &s.a, s.stride, 0, ROWS, scalar);
				for (int64_t j = 0; j < s.a.t * ROWS; j++)
					want[j] = scalar[j];
				right = right && near(&s);
			}
			if (how == BLOCKS_RANDOM && i % 2)
				same = same && same_bits(fn, &s);
			if (how == BLOCKS_RANDOM && packs)
				packed = packed && same_packed(kern, fn, &s);
			if (how == BLOCKS_RANDOM && rounded)
				rest = rest && same_rest(fn, &s);
			if (tiles)
				tiled = tiled && same_tiles(kern, fn, &s);
		}
	ok(right, "%s %s%s: near %s", kern->name, qt->name, f32 ? ", activations as they are" : "",
	   fn == definition ? "decoded weights in double" : "scalar, and decoded weights in double");
	ok(same, "%s %s%s: the same bits in any company", kern->name, qt->name, f32 ? ", activations as they are" : "");
	if (packs)
		ok(packed, "%s %s%s: packed, the same bits", kern->name, qt->name, f32 ? ", activations as they are" : "");
	if (rounded)
		ok(rest, "%s %s: activations in two parts", kern->name, qt->name);
	if (tiles)
		ok(tiled, "%s %s: activations in tiles, the same bits", kern->name, qt->name);
}

/* Sets that differ from the one before in how bytes are multiplied, and in nothing else. */
static const unsigned dots = CPU_AVXVNNI | CPU_DOTPROD;

int main(void)
{
	struct kern scalars, kern, lower;

	kern_fill(&scalars, 0);
	for (int set = -1; set < CPU_N; set++) {
		if (set >= 0 && !(cpu_flags() >> set & 1))
			continue;
		kern_fill(&kern, set < 0 ? 0 : (2u << set) - 1);
		kern_fill(&lower, set < 0 ? 0 : (1u << set) - 1);
		for (size_t i = 0; i < sizeof blocks_types / sizeof *blocks_types; i++) {
			const struct blocks_type *t = &blocks_types[i];
			const struct kern_type *type = &kern.type[t->id], *below = &lower.type[t->id];

			if (!quant_by_id(t->id))
				continue;
			if (set < 0 || type->mul != below->mul || type->mul_tiles != below->mul_tiles)
				test_type(t, &kern, &scalars, false);
			if (set >= 0 && dots >> set & 1 && type->act == KERN_ACT_Q8)
				test_equal(t, &kern, &lower, &scalars);
			if (type->mul_f32 != type->mul && (set < 0 || type->mul_f32 != below->mul_f32))
				test_type(t, &kern, &scalars, true);
		}
	}
	return tap_done();
}
