/* Renders a template with a JSON context, for the tests of templates. */
#ifndef T_LIB_JINJA_CASES_H
#define T_LIB_JINJA_CASES_H

#include "engine/text/jinja.h"

#include <jansson.h>

/*
 * Context: an object whose members are the variables; bos_token and eos_token count as the
 * template's own. The clock stands at 2025-07-04 12:34:56, a Friday.
 */
int render_json(const char *src, size_t n, const json_t *context, struct jinja_out *out, struct jinja_where *where,
		struct err *e);
/* Reads a JSON file below $TIDBIT_DATA; NULL (and a line "# SKIP") when it is not there. */
json_t *load_data(const char *name);
/* A file's bytes, 0 ended; free(). */
char *slurp_data(const char *name, size_t *n);

#endif
