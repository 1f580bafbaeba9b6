/* An array of objects, with every sample. */
#include "config.h"
#include "app/sink.h"

#include <jansson.h>

static json_t *value(const struct sink_field *d, const struct bench_row *r)
{
	const void *v = sink_value(d, r);

	switch (d->type) {
	case SINK_TEXT:
		return json_string(*(const char *const *)v);
	case SINK_INT:
		return json_integer(*(const int64_t *)v);
	case SINK_REAL:
		return json_real(*(const double *)v);
	}
	return NULL;
}

static json_t *samples(const double *v, int n, bool whole)
{
	json_t *list = json_array();

	for (int i = 0; i < n; i++)
		json_array_append_new(list, whole ? json_integer((json_int_t)v[i]) : json_real(v[i]));
	return list;
}

static void begin(FILE *f)
{
	fputc('[', f);
}

static void row(FILE *f, const struct bench_row *r, bool first)
{
	json_t *o = json_object();

	for (const struct sink_field *d = sink_fields; d->name; d++)
		json_object_set_new(o, d->name, value(d, r));
	json_object_set_new(o, "samples_ns", samples(r->samples_ns, r->n_samples, true));
	json_object_set_new(o, "samples_ts", samples(r->samples_ts, r->n_samples, false));
	fputs(first ? "\n" : ",\n", f);
	json_dumpf(o, f, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	json_decref(o);
}

static void end(FILE *f)
{
	fputs("\n]\n", f);
}

const struct sink_ops sink_json = { .name = "json", .begin = begin, .row = row, .end = end };
