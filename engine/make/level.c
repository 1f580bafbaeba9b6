#include "config.h"
#include "engine/make/level.h"
#include "engine/base/str.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SAME(t) { LEVEL_NONE, QUANT_##t, QUANT_##t }
#define WHEN(w, t, r) { LEVEL_##w, QUANT_##t, QUANT_##r }
/* A level whose matrices are all of one type. */
#define PLAIN(t, file_type, text) \
	{ .name = #t, .ftype = file_type, .base = QUANT_##t, .help = text, .attn_v = SAME(t), \
	  .ffn_down = SAME(t), .attn_output = SAME(t), .token_embd = SAME(t) }

const struct level levels[] = {
	PLAIN(F32, 0, "32-bit floats: exact, four bytes a weight"),
	PLAIN(F16, 1, "half precision, as most models are published"),
	PLAIN(BF16, 32, "bfloat16: the range of F32, fewer digits than F16"),
	PLAIN(Q8_0, 7, "8.5 bits: hardly told from the original"),
	PLAIN(Q6_K, 18, "6.6 bits: very close to the original"),
	PLAIN(Q5_1, 9, "6 bits with a minimum a block"),
	{ .name = "Q5_K_M", .ftype = 17, .base = QUANT_Q5_K,
	  .help = "5.7 bits: mixed with Q6_K where it pays",
	  .attn_v = WHEN(MORE_BITS, Q6_K, Q5_K), .ffn_down = WHEN(MORE_BITS, Q6_K, Q5_K),
	  .attn_output = SAME(Q5_K), .token_embd = SAME(Q5_K) },
	{ .name = "Q5_K_S", .ftype = 16, .base = QUANT_Q5_K, .help = "5.5 bits in super-blocks",
	  .attn_v = SAME(Q5_K), .ffn_down = SAME(Q5_K), .attn_output = SAME(Q5_K), .token_embd = SAME(Q5_K) },
	PLAIN(Q5_0, 8, "5.5 bits, the plain way"),
	PLAIN(Q4_1, 3, "5 bits: 4 with a minimum a block"),
	{ .name = "Q4_K_M", .ftype = 15, .base = QUANT_Q4_K,
	  .help = "4.8 bits: the usual choice, mixed with Q6_K where it pays",
	  .attn_v = WHEN(MORE_BITS, Q6_K, Q4_K), .ffn_down = WHEN(MORE_BITS, Q6_K, Q4_K),
	  .attn_output = SAME(Q4_K), .token_embd = SAME(Q4_K) },
	{ .name = "Q4_K_S", .ftype = 14, .base = QUANT_Q4_K, .help = "4.6 bits in super-blocks",
	  .attn_v = WHEN(FIRST4, Q5_K, Q4_K), .ffn_down = WHEN(EIGHTH, Q5_K, Q4_K),
	  .attn_output = SAME(Q4_K), .token_embd = SAME(Q4_K) },
	PLAIN(Q4_0, 2, "4.5 bits, the plain way: fast"),
	{ .name = "IQ4_NL", .ftype = 25, .base = QUANT_IQ4_NL, .help = "4.5 bits on an uneven grid",
	  .attn_v = WHEN(GQA4, Q5_K, IQ4_NL), .ffn_down = WHEN(EIGHTH, Q5_K, IQ4_NL),
	  .attn_output = SAME(IQ4_NL), .token_embd = SAME(IQ4_NL) },
	{ .name = "IQ4_XS", .ftype = 30, .base = QUANT_IQ4_XS, .help = "4.25 bits on an uneven grid, in super-blocks",
	  .attn_v = WHEN(GQA4, Q5_K, IQ4_XS), .ffn_down = WHEN(EIGHTH, Q5_K, IQ4_XS),
	  .attn_output = SAME(IQ4_XS), .token_embd = SAME(IQ4_XS) },
	{ .name = "Q3_K_L", .ftype = 13, .base = QUANT_Q3_K, .help = "4.2 bits: Q3_K mixed with Q5_K",
	  .attn_v = SAME(Q5_K), .ffn_down = SAME(Q5_K), .attn_output = SAME(Q5_K), .token_embd = SAME(Q3_K) },
	{ .name = "Q3_K_M", .ftype = 12, .base = QUANT_Q3_K, .help = "3.9 bits: Q3_K mixed with Q4_K",
	  .attn_v = WHEN(FIRST2, Q5_K, Q4_K), .ffn_down = WHEN(SIXTEENTH, Q5_K, Q4_K),
	  .attn_output = SAME(Q4_K), .token_embd = SAME(Q3_K) },
	{ .name = "Q3_K_S", .ftype = 11, .base = QUANT_Q3_K, .help = "3.4 bits: a loss that shows",
	  .attn_v = SAME(Q3_K), .ffn_down = SAME(Q3_K), .attn_output = SAME(Q3_K), .token_embd = SAME(Q3_K) },
	{ .name = "Q2_K", .ftype = 10, .base = QUANT_Q2_K, .help = "3 bits: Q2_K mixed with Q3_K; a great loss",
	  .attn_v = WHEN(GQA4, Q4_K, Q3_K), .ffn_down = SAME(Q3_K), .attn_output = SAME(Q3_K),
	  .token_embd = SAME(Q2_K) },
	{ .name = "Q2_K_S", .ftype = 21, .base = QUANT_Q2_K, .help = "2.6 bits: a very great loss",
	  .attn_v = WHEN(GQA4, Q4_K, Q2_K), .ffn_down = WHEN(EIGHTH, Q4_K, Q2_K),
	  .attn_output = SAME(Q2_K), .token_embd = SAME(Q2_K), .wants_imatrix = true },
	{ .name = "TQ2_0", .ftype = 37, .base = QUANT_TQ2_0, .help = "2.1 bits, for ternary models",
	  .attn_v = SAME(TQ2_0), .ffn_down = SAME(TQ2_0), .attn_output = SAME(TQ2_0), .token_embd = SAME(Q4_K) },
	{ .name = "I2_S", .ftype = 40, .base = QUANT_I2_S, .help = "2 bits and a scale a tensor: ternary models only",
	  .attn_v = SAME(I2_S), .ffn_down = SAME(I2_S), .attn_output = SAME(I2_S), .token_embd = SAME(F16),
	  .ternary = true },
	{ .name = "TQ1_0", .ftype = 36, .base = QUANT_TQ1_0, .help = "1.7 bits, for ternary models",
	  .attn_v = SAME(TQ1_0), .ffn_down = SAME(TQ1_0), .attn_output = SAME(TQ1_0), .token_embd = SAME(Q4_K) },
	{ .name = NULL },
};

_Static_assert(sizeof levels / sizeof *levels <= LEVELS_MAX, "LEVELS_MAX is too small");

/* Short for the mix that is usually meant. */
static const struct { const char *name, *level; } aliases[] = {
	{ "Q3_K", "Q3_K_M" }, { "Q4_K", "Q4_K_M" }, { "Q5_K", "Q5_K_M" },
};

const struct level *level_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
		if (!strcasecmp(aliases[i].name, name))
			name = aliases[i].level;
	for (const struct level *l = levels; l->name; l++)
		if (!strcasecmp(l->name, name))
			return l;
	return NULL;
}

const struct level *level_by_ftype(int64_t ftype)
{
	for (const struct level *l = levels; l->name; l++)
		if (l->ftype == ftype)
			return l;
	return NULL;
}

int level_parse(const char *name, const struct level **out, struct err *e)
{
	struct str all;
	char q[64];

	*out = level_by_name(name);
	if (*out)
		return 0;
	str_init(&all, 400);
	for (const struct level *l = levels; l->name; l++)
		str_addf(&all, "%s%s", l == levels ? "" : " ", l->name);
	err_set(e, ERR_ARG, "'%s' is no quantization level; there are: %s", err_quote(q, sizeof q, name, strlen(name)),
		all.p);
	str_release(&all);
	return -1;
}

/* -- kinds of tensors -------------------------------------------------------------- */

enum kind { KIND_OUTPUT, KIND_EMBD, KIND_ATTN_V, KIND_ATTN_OUTPUT, KIND_FFN_DOWN, KIND_OTHER };

/* By a part of the name; the first that fits. */
static const struct { const char *part; enum kind kind; } kinds[] = {
	{ "attn_qkv.weight", KIND_ATTN_V },
	{ "attn_kv_b.weight", KIND_ATTN_V },
	{ "attn_v.weight", KIND_ATTN_V },
	{ "attn_output.weight", KIND_ATTN_OUTPUT },
	{ "ffn_down", KIND_FFN_DOWN },
};

/* Matrices that are small or touchy, and stay as they are. */
static const char *const left_alone[] = {
	"_norm.weight", "ffn_gate_inp.weight", "position_embd", "token_types", "ssm_conv1d", "altup", "laurel",
	"per_layer_model_proj", "attn_rel_b.weight",
};

static bool may_quantize(const char *name, int n_dims, const int64_t *ne)
{
	static const char end[] = "weight";
	const size_t n = strlen(name);
	int dims = n_dims;

	while (dims > 1 && ne[dims - 1] == 1)
		dims--;
	if (dims < 2 || n < sizeof end - 1 || strcmp(name + n - (sizeof end - 1), end) != 0)
		return false;
	for (size_t i = 0; i < sizeof left_alone / sizeof *left_alone; i++)
		if (strstr(name, left_alone[i]))
			return false;
	return true;
}

static enum kind kind_of(const char *name)
{
	if (!strcmp(name, "output.weight"))
		return KIND_OUTPUT;
	if (!strcmp(name, "token_embd.weight") || !strcmp(name, "per_layer_token_embd.weight"))
		return KIND_EMBD;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strstr(name, kinds[i].part))
			return kinds[i].kind;
	return KIND_OTHER;
}

/* N of "blk.N."; 0 in names without. */
static long layer_of(const char *name)
{
	return strncmp(name, "blk.", 4) ? 0 : strtol(name + 4, NULL, 10);
}

/* -- rules ------------------------------------------------------------------------- */

static bool applies(enum level_when when, const struct level_model *m, long i)
{
	const long n = m->n_layer;

	switch (when) {
	case LEVEL_NONE:
		return false;
	case LEVEL_ALL:
		return true;
	case LEVEL_GQA4:
		return m->n_gqa >= 4;
	case LEVEL_FIRST2:
		return i < 2;
	case LEVEL_FIRST4:
		return i < 4;
	case LEVEL_EIGHTH:
		return i < n / 8;
	case LEVEL_SIXTEENTH:
		return i < n / 16;
	case LEVEL_MORE_BITS:
		return i < n / 8 || i >= 7 * n / 8 || (i - n / 8) % 3 == 2;
	}
	return false;
}

static enum quant_id by_rule(const struct level_rule *r, const struct level_model *m, long nth)
{
	return applies(r->when, m, nth) ? r->type : r->rest;
}

/* Who multiplies the whole vocabulary gets more than the rest. */
static enum quant_id output_type(const struct level *l, int64_t row)
{
	if (l->ternary)
		return QUANT_F16;
	if (row % quant_by_id(l->base)->block || l->base == QUANT_Q8_0)
		return QUANT_Q8_0;
	return QUANT_Q6_K;
}

/* 70-billion models (80 layers, few KV heads): attn_v is small there and many heads share it. */
static enum quant_id attn_v_type(const struct level *l, const struct level_model *m, long nth)
{
	const enum quant_id t = by_rule(&l->attn_v, m, nth);
	const bool large = m->n_layer == 80 && m->n_gqa > 1;

	return large && (t == QUANT_Q3_K || t == QUANT_Q4_K) ? QUANT_Q5_K : t;
}

static enum quant_id mixed_type(const struct level *l, const struct level_model *m,
				const char *name, int64_t row, long nth)
{
	enum kind kind = kind_of(name);

	if (kind == KIND_EMBD && !m->has_output)
		kind = KIND_OUTPUT;
	switch (kind) {
	case KIND_OUTPUT:
		return output_type(l, row);
	case KIND_EMBD:
		return by_rule(&l->token_embd, m, nth);
	case KIND_ATTN_V:
		return attn_v_type(l, m, nth);
	case KIND_ATTN_OUTPUT:
		return by_rule(&l->attn_output, m, nth);
	case KIND_FFN_DOWN:
		return by_rule(&l->ffn_down, m, nth);
	case KIND_OTHER:
		break;
	}
	return l->base;
}

const struct quant_type *level_fallback(const struct quant_type *t, int64_t row)
{
	static const struct { enum quant_id from, to; } shorter[] = {
		{ QUANT_IQ4_XS, QUANT_IQ4_NL }, { QUANT_Q2_K, QUANT_Q4_0 }, { QUANT_Q3_K, QUANT_Q4_0 },
		{ QUANT_TQ1_0, QUANT_Q4_0 }, { QUANT_TQ2_0, QUANT_Q4_0 }, { QUANT_Q4_K, QUANT_Q5_0 },
		{ QUANT_Q5_K, QUANT_Q5_1 }, { QUANT_Q6_K, QUANT_Q8_0 },
	};

	for (size_t i = 0; row % t->block && i < sizeof shorter / sizeof *shorter; i++)
		if (shorter[i].from == t->id)
			t = quant_by_id(shorter[i].to);
	return row % t->block ? quant_by_id(QUANT_F16) : t;
}

enum level_row level_counts(const char *name, long *layer)
{
	const enum kind kind = kind_of(name);

	*layer = layer_of(name);
	return kind == KIND_ATTN_V ? LEVEL_ROW_V : kind == KIND_FFN_DOWN ? LEVEL_ROW_DOWN : LEVEL_ROWS;
}

const struct quant_type *level_tensor_nth(const struct level *l, const struct level_model *m,
					  const char *name, int n_dims, const int64_t *ne, long nth)
{
	const struct quant_type *base = quant_by_id(l->base);

	if (!may_quantize(name, n_dims, ne))
		return NULL;
	if (base->block == 1)
		return base;
	return level_fallback(quant_by_id(mixed_type(l, m, name, ne[0], nth)), ne[0]);
}

const struct quant_type *level_tensor_type(const struct level *l, const struct level_model *m,
					   const char *name, int n_dims, const int64_t *ne)
{
	return level_tensor_nth(l, m, name, n_dims, ne, layer_of(name));
}
