#include "config.h"
#include "t/lib/jinja-cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int set_variable(struct jinja_ctx *c, const char *name, const json_t *v, struct err *e)
{
	const bool own = !strcmp(name, "bos_token") || !strcmp(name, "eos_token");
	struct jval *val;
	char *text;
	int rc;

	if (own && json_is_string(v)) {
		val = jval_str(c, json_string_value(v), json_string_length(v), false);
		return jinja_ctx_set(c, name, val);
	}
	text = json_dumps(v, JSON_ENCODE_ANY);
	rc = jval_from_json(c, text, strlen(text), &val, e) || jinja_ctx_set(c, name, val) ? -1 : 0;
	free(text);
	return rc;
}

int render_json(const char *src, size_t n, const json_t *context, struct jinja_out *out, struct jinja_where *where,
		struct err *e)
{
	const struct tm now = {
		.tm_year = 125, .tm_mon = 6, .tm_mday = 4, .tm_hour = 12, .tm_min = 34, .tm_sec = 56, .tm_wday = 5, .tm_yday = 184,
	};
	struct jinja_ctx *c = jinja_ctx_new();
	struct jinja *t = NULL;
	const char *name;
	json_t *v;
	int rc = jinja_compile(&t, src, n, where, e);

	jinja_ctx_set_now(c, &now);
	if (!rc)
		json_object_foreach((json_t *)(uintptr_t)context, name, v)
			rc |= set_variable(c, name, v, e);
	if (!rc)
		rc = jinja_render(t, c, out, where, e);
	jinja_ctx_free(c);
	jinja_free(t);
	return rc;
}

char *slurp_data(const char *name, size_t *n)
{
	const char *dir = getenv("TIDBIT_DATA");
	char path[4096], *p = NULL;
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir ? dir : ".", name);
	f = fopen(path, "rb");
	if (!f)
		return NULL;
	if (!fseek(f, 0, SEEK_END)) {
		const long size = ftell(f);

		rewind(f);
		p = size >= 0 ? malloc((size_t)size + 1) : NULL;
		*n = p ? fread(p, 1, (size_t)size, f) : 0;
		if (p)
			p[*n] = '\0';
	}
	fclose(f);
	return p;
}

json_t *load_data(const char *name)
{
	size_t n;
	char *text = slurp_data(name, &n);
	json_t *j = text ? json_loadb(text, n, JSON_ALLOW_NUL, NULL) : NULL;

	if (!j)
		printf("# SKIP %s is not here\n", name);
	free(text);
	return j;
}
