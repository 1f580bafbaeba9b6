/* Comma-separated values (RFC 4180), every value quoted, one header line. */
#include "config.h"
#include "app/sink.h"

static void quoted(FILE *f, const char *text)
{
	fputc('"', f);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', f);
		fputc(*text, f);
	}
	fputc('"', f);
}

static void begin(FILE *f)
{
	for (const struct sink_field *d = sink_fields; d->name; d++)
		fprintf(f, "%s%s", d == sink_fields ? "" : ",", d->name);
	fputc('\n', f);
}

static void row(FILE *f, const struct bench_row *r, bool first)
{
	(void)first;
	for (const struct sink_field *d = sink_fields; d->name; d++) {
		const void *v = sink_value(d, r);

		if (d != sink_fields)
			fputc(',', f);
		switch (d->type) {
		case SINK_TEXT:
			quoted(f, *(const char *const *)v);
			break;
		case SINK_INT:
			fprintf(f, "\"%lld\"", (long long)*(const int64_t *)v);
			break;
		case SINK_REAL:
			fprintf(f, "\"%f\"", *(const double *)v);
			break;
		}
	}
	fputc('\n', f);
}

static void end(FILE *f)
{
	(void)f;
}

const struct sink_ops sink_csv = { .name = "csv", .begin = begin, .row = row, .end = end };
