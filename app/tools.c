#include "config.h"
#include "app/tools.h"
#include "engine/base/xio.h"

#include <jansson.h>
#include <string.h>

static bool all_objects(const json_t *array)
{
	const json_t *v;
	size_t i;

	json_array_foreach(array, i, v)
		if (!json_is_object(v))
			return false;
	return json_is_array(array);
}

int tools_read(const char *path, struct str *out, struct err *e)
{
	json_error_t at;
	json_t *j;
	char q[96];
	int r = 0;

	str_clear(out);
	if (xio_slurp(path, out, e) < 0)
		return -1;
	j = json_loadb(out->p, out->len, 0, &at);
	if (!j)
		r = err_set(e, ERR_FORMAT, "%s: line %d, column %d: %s", path, at.line, at.column,
			    err_quote(q, sizeof q, at.text, strlen(at.text)));
	else if (!all_objects(j))
		r = err_set(e, ERR_FORMAT, "%s: expected a JSON array of tools, each an object", path);
	json_decref(j);
	return r;
}

/* Does the template make another prompt of the one than of the other? True where it fails: that is told elsewhere. */
static bool differ(struct eng_model *m, const struct eng_chat_opts *one, const struct eng_chat_opts *other)
{
	const struct eng_msg msg = { .role = "user", .text = "?", .len = 1 };
	struct eng_ids a = { 0 }, b = { 0 };
	struct err e;
	bool heard = true;

	if (!eng_has_template(m, NULL))
		heard = false;
	else if (!eng_chat(m, &msg, 1, one, &a, &e) && !eng_chat(m, &msg, 1, other, &b, &e))
		heard = a.n != b.n || memcmp(a.p, b.p, a.n * sizeof *a.p);
	eng_ids_release(&a);
	eng_ids_release(&b);
	return heard;
}

bool tools_heard(struct eng_model *m, const char *tools)
{
	return differ(m, &(struct eng_chat_opts){ .thinking = -1, .tools = tools }, &(struct eng_chat_opts){ .thinking = -1 });
}

bool thinking_heard(struct eng_model *m)
{
	return differ(m, &(struct eng_chat_opts){ .thinking = 1 }, &(struct eng_chat_opts){ .thinking = 0 });
}
