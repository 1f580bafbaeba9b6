/* Tests: what stands behind `is`. */
#include "config.h"
#include "engine/text/jinja_eval.h"

#include <string.h>

#define TEST(name, expr) \
	static int is_##name(struct jx *x, struct jv self, const struct jargs *a, struct jv *out) \
	{ \
		(void)x; \
		(void)a; \
		*out = jv_bool(expr); \
		return 0; \
	}

TEST(defined, self.type != J_UNDEF)
TEST(undefined, self.type == J_UNDEF)
TEST(none, self.type == J_NONE)
TEST(boolean, self.type == J_BOOL)
TEST(true, self.type == J_BOOL && self.u.b)
TEST(false, self.type == J_BOOL && !self.u.b)
TEST(integer, self.type == J_INT)
TEST(float, self.type == J_FLOAT)
TEST(number, jv_isnum(self))
TEST(string, self.type == J_STR)
TEST(mapping, self.type == J_DICT)
TEST(sequence, self.type == J_UNDEF || self.type == J_STR || self.type == J_LIST || self.type == J_TUPLE ||
     self.type == J_DICT || self.type == J_RANGE)
TEST(iterable, self.type == J_UNDEF || self.type == J_STR || self.type == J_LIST || self.type == J_TUPLE ||
     self.type == J_DICT || self.type == J_RANGE || self.type == J_ITER || self.type == J_VIEW || self.type == J_LOOP)
TEST(callable, self.type == J_FUNC || self.type == J_METHOD || self.type == J_MACRO || self.type == J_JOINER ||
     self.type == J_UNDEF || self.type == J_LOOP)
TEST(escaped, self.type == J_STR && self.safe)
TEST(filter, self.type == J_STR && jlib_filter(&self))
TEST(test, self.type == J_STR && jlib_test(&self))
#undef TEST

/* self % n == want, for integers as Python has it. */
static int remainder_is(struct jx *x, struct jv self, struct jv n, int64_t want, struct jv *out)
{
	struct jv r;

	if (jx_binary(x, JOP_MOD, self, n, &r))
		return -1;
	*out = jv_bool(jv_equal(x->h, r, jv_int(want)));
	return 0;
}

static int is_odd(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)a;
	return remainder_is(x, self, jv_int(2), 1, out);
}

static int is_even(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	(void)a;
	return remainder_is(x, self, jv_int(2), 0, out);
}

static int is_divisibleby(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	return remainder_is(x, self, a->v[0], 0, out);
}

static int is_sameas(struct jx *x, struct jv self, const struct jargs *a, struct jv *out)
{
	const struct jv o = a->v[0];
	/* strings and numbers of one value are one object as far as a template can tell */
	const bool scalar = self.type <= J_STR;

	*out = jv_bool(self.type == o.type && (scalar ? jv_equal(x->h, self, o) : self.u.list == o.u.list));
	return 0;
}

static int compare(struct jx *x, enum jop op, struct jv l, struct jv r, struct jv *out)
{
	bool yes;

	if (jx_compare(x, op, l, r, &yes))
		return -1;
	*out = jv_bool(yes);
	return 0;
}

#define COMPARE(name, op) \
	static int is_##name(struct jx *x, struct jv self, const struct jargs *a, struct jv *out) \
	{ \
		return compare(x, op, self, a->v[0], out); \
	}
COMPARE(eq, JOP_EQ)
COMPARE(ne, JOP_NE)
COMPARE(lt, JOP_LT)
COMPARE(le, JOP_LE)
COMPARE(gt, JOP_GT)
COMPARE(ge, JOP_GE)
COMPARE(in, JOP_IN)
#undef COMPARE

const struct jbuiltin jlib_tests[] = {
	{ "defined", is_defined, NULL, 0 },
	{ "undefined", is_undefined, NULL, 0 },
	{ "none", is_none, NULL, 0 },
	{ "boolean", is_boolean, NULL, 0 },
	{ "true", is_true, NULL, 0 },
	{ "false", is_false, NULL, 0 },
	{ "integer", is_integer, NULL, 0 },
	{ "float", is_float, NULL, 0 },
	{ "number", is_number, NULL, 0 },
	{ "string", is_string, NULL, 0 },
	{ "mapping", is_mapping, NULL, 0 },
	{ "sequence", is_sequence, NULL, 0 },
	{ "iterable", is_iterable, NULL, 0 },
	{ "callable", is_callable, NULL, 0 },
	{ "escaped", is_escaped, NULL, 0 },
	{ "filter", is_filter, NULL, 0 },
	{ "test", is_test, NULL, 0 },
	{ "odd", is_odd, NULL, 0 },
	{ "even", is_even, NULL, 0 },
	{ "divisibleby", is_divisibleby, "num", 1 },
	{ "sameas", is_sameas, "other", 1 },
	{ "lower", jlib_is_lower, NULL, 0 },
	{ "upper", jlib_is_upper, NULL, 0 },
	{ "in", is_in, "seq", 1 },
	{ "eq", is_eq, "b", 1 },
	{ "equalto", is_eq, "b", 1 },
	{ "==", is_eq, "b", 1 },
	{ "ne", is_ne, "b", 1 },
	{ "!=", is_ne, "b", 1 },
	{ "lt", is_lt, "b", 1 },
	{ "lessthan", is_lt, "b", 1 },
	{ "<", is_lt, "b", 1 },
	{ "le", is_le, "b", 1 },
	{ "<=", is_le, "b", 1 },
	{ "gt", is_gt, "b", 1 },
	{ "greaterthan", is_gt, "b", 1 },
	{ ">", is_gt, "b", 1 },
	{ "ge", is_ge, "b", 1 },
	{ ">=", is_ge, "b", 1 },
	{ NULL, NULL, NULL, 0 },
};
