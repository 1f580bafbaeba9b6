/*
 * The text files that the screen cannot do without, as they are in profiles/, built in; and the
 * user's of the same name, read after them.
 */
#ifndef UI_BUILTIN_H
#define UI_BUILTIN_H

#include "app/inifile.h"

extern const char builtin_keys[], builtin_themes[];	/* keys.conf, themes.conf */

/* Reads NAME in the user's folder; there need not be one. */
void builtin_user(const char *name, inifile_row_fn *row, void *arg, struct str *complaints);

#endif
