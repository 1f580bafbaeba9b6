#include "config.h"
#include "engine/base/str.h"
#include "engine/make/level.h"
#include "t/lib/tap.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_table(void)
{
	bool unique = true, found = true;
	int n = 0;

	for (const struct level *l = levels; l->name; l++, n++) {
		for (const struct level *o = l + 1; o->name; o++)
			unique = unique && strcmp(o->name, l->name) != 0 && o->ftype != l->ftype;
		found = found && level_by_name(l->name) == l && level_by_ftype(l->ftype) == l && l->help && *l->help &&
			quant_by_id(l->base) && quant_by_id(l->attn_v.type) && quant_by_id(l->attn_v.rest) &&
			quant_by_id(l->ffn_down.type) && quant_by_id(l->ffn_down.rest) &&
			quant_by_id(l->attn_output.rest) && quant_by_id(l->token_embd.rest);
	}
	ok(n == 23, "all levels are there (%d)", n);
	ok(unique, "names and file types are unique");
	ok(found, "each is found, and made of types that exist");
	ok(level_by_name("q4_k_m") == level_by_name("Q4_K_M") && !level_by_name("Q4_2") && !level_by_name(""),
	   "names in any case, and no others");
	ok(level_by_name("q4_k") && level_by_name("q4_k") == level_by_name("Q4_K_M") && !level_by_name("Q2_K_M"),
	   "the usual mix by its short name");
	ok(!level_by_ftype(4) && !level_by_ftype(-1) && !level_by_ftype(INT64_MAX), "file types that are no level");
	for (const struct quant_type *t = quant_types; t->name; t++) {
		const struct level *l = levels;

		while (l->name && l->base != t->id)
			l++;
		ok(l->name, "%s is the base of a level", t->name);
	}
}

/* -- what the peer chose ------------------------------------------------------------ */

static int wrong_types(const struct level *l, const struct level_model *m, json_t *tensors, json_t *own, json_t *want)
{
	int wrong = 0;

	for (size_t i = 0; i < json_array_size(tensors); i++) {
		json_t *t = json_array_get(tensors, i);
		const char *name = json_string_value(json_array_get(t, 0));
		int64_t ne[4] = { 1, 1, 1, 1 };
		const int n = (int)json_array_size(t) - 1;
		const struct quant_type *q;
		int64_t got;

		for (int k = 0; k < n && k < 4; k++)
			ne[k] = json_integer_value(json_array_get(t, (size_t)k + 1));
		q = level_tensor_type(l, m, name, n, ne);
		got = q ? (int64_t)q->id : json_integer_value(json_array_get(own, i));
		if (got == json_integer_value(json_array_get(want, i)))
			continue;
		if (!wrong++)
			printf("# %s: type %d for %d\n", name, (int)got,
			       (int)json_integer_value(json_array_get(want, i)));
	}
	return wrong;
}

static int test_model(json_t *j)
{
	const struct level_model m = {
		.n_layer = (int)json_integer_value(json_object_get(j, "n_layer")),
		.n_gqa = (int)json_integer_value(json_object_get(j, "n_gqa")),
		.has_output = json_is_true(json_object_get(j, "has_output")),
	};
	json_t *tensors = json_object_get(j, "tensors"), *own = json_object_get(j, "own"), *want;
	const char *name;
	int n = 0;

	json_object_foreach(json_object_get(j, "levels"), name, want) {
		const struct level *l = level_by_name(name);

		if (!ok(l, "%s is a level", name))
			continue;
		ok(json_array_size(want) == json_array_size(tensors) && !wrong_types(l, &m, tensors, own, want),
		   "%s, %s: every tensor's type", json_string_value(json_object_get(j, "name")), name);
		n++;
	}
	return n;
}

static void test_stored(void)
{
	const char *src = getenv("TEST_SRC");
	char path[4096];
	json_error_t je;
	json_t *root, *models, *m;
	size_t i;
	int n = 0;

	snprintf(path, sizeof path, "%s/t/data/level-types.json", src ? src : ".");
	root = json_load_file(path, 0, &je);
	models = json_object_get(root, "models");
	ok(root, "the stored choices are there");
	json_array_foreach(models, i, m)
		n += test_model(m);
	ok(n == 103, "103 models at levels compared (%d)", n);
	json_decref(root);
}

/* -- by hand ----------------------------------------------------------------------- */

static const char *type_at(const char *level, struct level_model m, const char *name, int64_t cols)
{
	const struct quant_type *t = level_tensor_type(level_by_name(level), &m, name, 2, (int64_t[]){ cols, 256 });

	return t ? t->name : "-";
}

static void test_rules(void)
{
	const struct level_model small = { 24, 1, false }, many = { 32, 4, true }, large = { 80, 8, true };

	ok(!strcmp(type_at("Q4_K_M", large, "blk.20.attn_v.weight", 8192), "Q5_K") &&
	   !strcmp(type_at("Q4_K_M", large, "blk.0.attn_v.weight", 8192), "Q6_K") &&
	   !strcmp(type_at("Q4_K_M", large, "blk.20.attn_q.weight", 8192), "Q4_K"), "80 layers: attn_v gets more");
	ok(!strcmp(type_at("Q2_K_S", many, "blk.9.attn_v.weight", 4096), "Q4_K") &&
	   !strcmp(type_at("Q2_K_S", small, "blk.9.attn_v.weight", 4096), "Q2_K") &&
	   !strcmp(type_at("Q2_K_S", many, "blk.3.ffn_down.weight", 4096), "Q4_K") &&
	   !strcmp(type_at("Q2_K_S", many, "blk.4.ffn_down.weight", 4096), "Q2_K"), "Q2_K_S with whole super-blocks");
	ok(!strcmp(type_at("Q3_K_M", many, "blk.1.attn_qkv.weight", 4096), "Q5_K") &&
	   !strcmp(type_at("Q3_K_M", many, "blk.2.attn_qkv.weight", 4096), "Q4_K"), "a fused attn_qkv counts as attn_v");
	ok(!strcmp(type_at("Q8_0", small, "blk.0.ffn_down.weight", 172), "F16") &&
	   !strcmp(type_at("Q4_0", small, "token_embd.weight", 100), "F16") &&
	   !strcmp(type_at("IQ4_XS", small, "blk.5.ffn_up.weight", 31), "F16"), "rows that not even 32 divides: F16");
	ok(!strcmp(type_at("Q4_K_M", small, "blk.0.attn_norm.weight", 256), "-") &&
	   !strcmp(type_at("Q4_K_M", small, "blk.0.attn_q.bias", 256), "-") &&
	   !strcmp(type_at("F16", small, "rope_factors_long.x", 256), "-") &&
	   !strcmp(type_at("Q4_0", small, "weigh", 256), "-") && !strcmp(type_at("Q4_0", small, "", 256), "-"),
	   "norms, biases and what is no weight stay");
	ok(!level_tensor_type(level_by_name("Q4_0"), &small, "rope_freqs.weight", 1, (int64_t[]){ 64 }) &&
	   !level_tensor_type(level_by_name("Q4_0"), &small, "blk.0.x.weight", 2, (int64_t[]){ 64, 1 }),
	   "so does what is no matrix");
	ok(!strcmp(type_at("F16", small, "token_embd.weight", 100), "F16") &&
	   !strcmp(type_at("BF16", many, "output.weight", 100), "BF16") &&
	   !strcmp(type_at("F32", many, "blk.3.ffn_down.weight", 7), "F32"), "levels of floats know no exception");
	ok(!strcmp(type_at("I2_S", small, "token_embd.weight", 256), "F16") &&
	   !strcmp(type_at("I2_S", small, "blk.3.ffn_down.weight", 256), "I2_S") && level_by_name("I2_S")->ternary,
	   "I2_S leaves the vocabulary in halves");
}

int main(void)
{
	test_table();
	test_stored();
	test_rules();
	return tap_done_min(230);
}
