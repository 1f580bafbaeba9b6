#include "config.h"
#include "app/sink.h"

#include <assert.h>
#include <string.h>

#define AT(field) offsetof(struct bench_row, field)

const struct sink_field sink_fields[] = {
	{ "build_commit", SINK_TEXT, AT(build_commit) },
	{ "cpu_info", SINK_TEXT, AT(cpu_info) },
	{ "model_filename", SINK_TEXT, AT(model_filename) },
	{ "model_type", SINK_TEXT, AT(model_type) },
	{ "model_size", SINK_INT, AT(model_size) },
	{ "model_n_params", SINK_INT, AT(model_n_params) },
	{ "n_batch", SINK_INT, AT(n_batch) },
	{ "n_threads", SINK_INT, AT(n_threads) },
	{ "type_k", SINK_TEXT, AT(type_k) },
	{ "type_v", SINK_TEXT, AT(type_v) },
	{ "n_prompt", SINK_INT, AT(n_prompt) },
	{ "n_gen", SINK_INT, AT(n_gen) },
	{ "n_depth", SINK_INT, AT(n_depth) },
	{ "test_time", SINK_TEXT, AT(test_time) },
	{ "avg_ns", SINK_INT, AT(avg_ns) },
	{ "stddev_ns", SINK_INT, AT(stddev_ns) },
	{ "avg_ts", SINK_REAL, AT(avg_ts) },
	{ "stddev_ts", SINK_REAL, AT(stddev_ts) },
	{ "ci95_ts", SINK_REAL, AT(ci95_ts) },
	{ "level", SINK_TEXT, AT(level) },
	{ "level_note", SINK_TEXT, AT(level_note) },
	{ "bpw", SINK_REAL, AT(bpw) },
	{ "isa", SINK_TEXT, AT(isa) },
	{ "act", SINK_TEXT, AT(act) },
	{ 0 }
};

const struct sink_ops *sink_by_name(const char *name)
{
	static const struct sink_ops *const sinks[] = { &sink_md, &sink_csv, &sink_json };

	for (size_t i = 0; i < sizeof sinks / sizeof *sinks; i++)
		if (!name || !strcmp(sinks[i]->name, name))
			return sinks[i];
	assert(!"an option's choice without a sink");
	return &sink_md;
}
