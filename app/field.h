/*
 * Members of JSON objects, as every -o json of ours writes them: what is not known is null.
 * Objects are dumped with JSON_ENSURE_ASCII, so that no character of a file's reaches a terminal.
 */
#ifndef APP_FIELD_H
#define APP_FIELD_H

#include <jansson.h>
#include <stdint.h>

/* NULL and "" are null; text that is no UTF-8, or has a DEL in it (a path), goes through termtext. */
json_t *field_string(const char *v);
void field_text(json_t *o, const char *key, const char *v);
void field_count(json_t *o, const char *key, uint64_t v);
/* 0 is null. */
void field_known(json_t *o, const char *key, int64_t v);
void field_real(json_t *o, const char *key, double v);

#endif
