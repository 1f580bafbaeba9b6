/* Real chat templates: every rendering of the set, byte for byte, and every error with its message. */
#include "config.h"
#include "t/lib/jinja-cases.h"
#include "t/lib/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Errors of raise_exception and of undefined values read as Jinja2 puts them. */
static bool right_message(const json_t *c, const struct err *e)
{
	const char *message = json_string_value(json_object_get(c, "message"));

	return message && strstr(e->msg, message);
}

static bool right(const json_t *c, int rc, const struct jinja_out *out, const struct jinja_where *where, const struct err *e)
{
	const json_t *want = json_object_get(c, "expected");

	if (!want)
		return rc && right_message(c, e) && where->line > 0;
	return !rc && out->text.len == json_string_length(want) &&
	       !memcmp(out->text.p, json_string_value(want), out->text.len);
}

static void one(const json_t *c)
{
	const char *file = json_string_value(json_object_get(c, "template"));
	struct jinja_where where = { 0, 0 };
	struct jinja_out out;
	struct err e = { 0 };
	char path[512], *src;
	size_t n = 0;
	int rc;

	snprintf(path, sizeof path, "templates/%s", file);
	src = slurp_data(path, &n);
	jinja_out_init(&out);
	rc = src ? render_json(src, n, json_object_get(c, "context"), &out, &where, &e) : -1;
	if (!ok(src && right(c, rc, &out, &where, &e), "%s %s", file, json_string_value(json_object_get(c, "case"))))
		printf("# %d:%d: %s\n", where.line, where.column, rc ? e.msg : "rendered otherwise");
	jinja_out_release(&out);
	free(src);
}

int main(void)
{
	json_t *j = load_data("templates/expected.json"), *c;
	size_t i;

	if (!j) {
		printf("1..0 # SKIP the set of renderings is not here\n");
		return 0;
	}
	json_array_foreach(json_object_get(j, "cases"), i, c)
		one(c);
	json_decref(j);
	return tap_done();
}
