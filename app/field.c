#include "config.h"
#include "app/field.h"
#include "app/termtext.h"

#include <string.h>

enum { FIELD_MAX = 1 << 20 };

json_t *field_string(const char *v)
{
	/* jansson escapes every control character but this one */
	json_t *j = !v || !*v ? json_null() : strchr(v, 0x7f) ? NULL : json_string(v);
	struct str s;

	if (j)
		return j;
	str_init(&s, FIELD_MAX);
	termtext_whole(v, strlen(v), 0, &s);
	j = json_string(s.p);
	str_release(&s);
	return j;
}

void field_text(json_t *o, const char *key, const char *v)
{
	json_object_set_new(o, key, field_string(v));
}

void field_count(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v));
}

void field_known(json_t *o, const char *key, int64_t v)
{
	json_object_set_new(o, key, v ? json_integer(v) : json_null());
}

void field_real(json_t *o, const char *key, double v)
{
	json_object_set_new(o, key, v > 0 ? json_real(v) : json_null());
}
