/* What this program is and what it was built from, for --version. */
#ifndef APP_VERSION_H
#define APP_VERSION_H

#include "engine/base/str.h"

/* Appends the lines of --version. */
void version_text(struct str *out);

#endif
