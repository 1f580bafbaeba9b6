/*
 * libFuzzer: a template, rendered with a conversation. Whatever the template: an error with a
 * message, or a text that its spans cover, within the limits.
 */
#include "config.h"
#include "t/lib/jinja-cases.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const char conversation[] =
	"{\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":\"a <b> \\u00e9\\n\"},"
	"{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"x\"}],\"tool_calls\":[{\"id\":\"1\",\"type\":\"function\","
	"\"function\":{\"name\":\"f\",\"arguments\":{\"x\":[1,2.5,null,true]}}}]},{\"role\":\"tool\",\"content\":\"42\"}],"
	"\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\"}}],\"add_generation_prompt\":true,"
	"\"bos_token\":\"<s>\",\"eos_token\":\"</s>\",\"enable_thinking\":false,\"n\":7,\"s\":\"user\",\"l\":[3,1,2],\"d\":{\"k\":\"v\"}}";

static void check(const struct jinja_out *o)
{
	size_t at = 0;

	for (size_t i = 0; i < o->n_spans; i++) {
		if (o->spans[i].start != at || o->spans[i].end < at)
			abort();
		at = o->spans[i].end;
	}
	if (at != o->text.len || at > JINJA_MAX_OUTPUT || o->text.failed)
		abort();
	for (size_t i = 0; i < o->n_marks; i++)
		if (o->marks[i].end > at || o->marks[i].start > o->marks[i].end)
			abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static json_t *ctx;
	struct jinja_where where = { 0, 0 };
	struct jinja_out out;
	struct err e = { 0 };

	if (!ctx)
		ctx = json_loads(conversation, 0, NULL);
	jinja_out_init(&out);
	if (!render_json((const char *)data, size, ctx, &out, &where, &e))
		check(&out);
	else if (!e.code || !*e.msg)
		abort();
	jinja_out_release(&out);
	return 0;
}
