/* JSON and template values. */
#ifndef ENGINE_TEXT_JINJA_JSON_H
#define ENGINE_TEXT_JINJA_JSON_H

#include "engine/text/jinja_lib.h"

/* JSON text → a value whose every part is the user's. */
int jjson_read(struct jheap *h, const char *text, size_t n, struct jv *out, struct err *e);
/* tojson(ensure_ascii=False, indent=None, separators=None, sort_keys=False) */
int jjson_filter(struct jx *x, struct jv self, const struct jargs *a, struct jv *out);

#endif
