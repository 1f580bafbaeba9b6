/*
 * What a template can call: filters, tests, methods and global functions, each a row of
 * a table with the names of its parameters. Arguments arrive bound: one slot for each
 * parameter, J_MISSING where the caller gave none.
 */
#ifndef ENGINE_TEXT_JINJA_LIB_H
#define ENGINE_TEXT_JINJA_LIB_H

#include "engine/text/jinja_val.h"

struct jx;

enum { JARGS_MAX = 8 };

struct jargs {
	struct jv *v;			/* bound: n_params slots; raw: the positional ones */
	uint32_t n;
	const struct jentry *kw;	/* raw only: the keywords */
	uint32_t n_kw;
};

/* self: what is filtered, tested, or whose method it is; J_MISSING for global functions. */
typedef int jbuiltin_fn(struct jx *x, struct jv self, const struct jargs *a, struct jv *out);

struct jbuiltin {
	const char *name;
	jbuiltin_fn *fn;
	const char *params;	/* "width first blank"; "*" : arguments arrive raw */
	int required;		/* of the parameters */
};

struct jmethod { struct jv self; const struct jbuiltin *fn; };

const struct jbuiltin *jlib_filter(const struct jv *name);
const struct jbuiltin *jlib_test(const struct jv *name);
const struct jbuiltin *jlib_global(const struct jv *name);
/* A method of a type by name; *forbidden when Python has it but a template may not call it. */
const struct jbuiltin *jlib_method(enum jtype type, const struct jv *name, bool *forbidden);

/* Shared between tables. */
jbuiltin_fn jlib_is_lower, jlib_is_upper, jlib_str_format, jlib_str_format_map;

/* Rows of one table each, in the file that has their subject. Ended by a NULL name. */
extern const struct jbuiltin jlib_string_filters[], jlib_seq_filters[], jlib_text_filters[], jlib_number_filters[],
	jlib_tests[], jlib_string_methods[], jlib_globals[];

#endif
