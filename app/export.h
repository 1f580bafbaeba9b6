/*
 * A conversation as a file: Markdown and plain text to read, JSON with all that is known of each answer
 * (model, level, token ids, figures). Notes of tidbit's are no part of it; thinking is, apart.
 */
#ifndef APP_EXPORT_H
#define APP_EXPORT_H

#include "app/chat.h"

enum export_form { EXPORT_MD, EXPORT_JSON, EXPORT_TXT, EXPORT_N };

const char *export_form_name(enum export_form f);	/* "md" */
/* "json", "notes.json" → EXPORT_JSON; EXPORT_N for another ending or none. */
enum export_form export_form_of(const char *name);

int export_text(const struct chat *c, enum export_form f, struct str *out, struct err *e);
/*
 * Writes it (0600). What stands there already is left alone (ERR_ARG) but with `replace`: then it is
 * whole, the old one or the new one, whatever happens.
 */
int export_file(const struct chat *c, const char *path, enum export_form f, bool replace, struct err *e);
/* "2026-11-21-171203" of now, for names of files; returns buf. */
const char *export_time(char *buf, size_t size);

#endif
