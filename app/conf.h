/*
 * tidbit.conf: what the user wants otherwise than the program does, in
 * $XDG_CONFIG_HOME/tidbit. Read, never written.
 *
 *	[defaults]		options of every verb that takes them, by their long names
 *	threads = 4
 *	[bench]			options of one verb; they win over [defaults]
 *	repetitions = 10
 *	[models]
 *	folder = ~/models	where models lie; as many lines as there are folders
 *
 * The form is that of inifile.h. The environment and the command line win over the file; of an
 * option that may be given again and again, all count. The keys are the rows of opt.c.
 *
 * A complaint names file and line: an unknown section or key (and the nearest), a value that the
 * option does not take, a line that is none of these. With one of them the file counts for nothing.
 */
#ifndef APP_CONF_H
#define APP_CONF_H

#include "app/cmd.h"

struct conf;

/*
 * Reads the file; without one, *out says nothing. ERR_ARG for one with mistakes, a line each in
 * `complaints`; other errors when it cannot be read. What conf_apply() hands out lives as long as it.
 */
int conf_load(struct conf **out, struct str *complaints, struct err *e);
void conf_free(struct conf *c);
/* The folders of models, NULL-ended; NULL when there are none. c may be NULL, as below. */
const char *const *conf_folders(const struct conf *c);
/* Makes what the file says for a verb values that were given (opt_given), and sets o->folders. */
void conf_apply(const struct conf *c, const struct cmd *verb, struct opts *o);

#endif
