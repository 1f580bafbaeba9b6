/* --help and --version, made from the rows of cmd.c and opt.c. */
#ifndef APP_HELP_H
#define APP_HELP_H

#include "app/cmd.h"

#include <stdio.h>

/* All verbs (NULL-ended). */
void help_all(const struct cmd *const *verbs, FILE *f);
/* One verb with its options. */
void help_verb(const struct cmd *verb, FILE *f);
void help_version(FILE *f);

#endif
