#include "config.h"
#include "app/tools.h"
#include "engine/base/xio.h"

#include <jansson.h>
#include <string.h>

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
	else if (!json_is_array(j))
		r = err_set(e, ERR_FORMAT, "%s: expected a JSON array of tools", path);
	json_decref(j);
	return r;
}
