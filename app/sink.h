/*
 * Where the rows of a benchmark go: a form is a file sink_NAME.c with a const struct sink_ops
 * and a row in sink.c. Machine forms have llama-bench's field names, in its order, so that
 * scripts that read one read the other; what only tidbit knows follows after them.
 */
#ifndef APP_SINK_H
#define APP_SINK_H

#include "app/bench.h"

#include <stdio.h>

enum sink_type { SINK_TEXT, SINK_INT, SINK_REAL };

struct sink_field {
	const char *name;
	enum sink_type type;
	size_t at;		/* offset in struct bench_row */
};
/* Fields of one value; the samples are lists and each form's own. Ends with name NULL. */
extern const struct sink_field sink_fields[];

static inline const void *sink_value(const struct sink_field *f, const struct bench_row *r)
{
	return (const char *)r + f->at;
}

struct sink_ops {
	const char *name;	/* as -o takes it */
	/* rows are written between begin and end; first is true for the first of them */
	void (*begin)(FILE *f);
	void (*row)(FILE *f, const struct bench_row *r, bool first);
	void (*end)(FILE *f);
};

/* NULL: md. Asserts that the name is known (the option's row lists them). */
const struct sink_ops *sink_by_name(const char *name);

extern const struct sink_ops sink_md, sink_csv, sink_json;

#endif
