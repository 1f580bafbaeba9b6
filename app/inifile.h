/*
 * Settings in INI files, by inih, with what it leaves out: every row is told with its line,
 * lines that are too long or are no rows are told with theirs, and reading goes on after
 * each, so that one mistake does not take the rest of the file with it.
 *
 *	# a comment; also behind a blank and a semicolon
 *	[section]
 *	key = value
 *	  and more of it	a line that begins with a blank goes on with the value above it, as a line of its own
 */
#ifndef APP_INIFILE_H
#define APP_INIFILE_H

#include "engine/base/str.h"
#include "engine/base/err.h"

enum { INIFILE_MAX_BYTES = 1 << 20, INIFILE_MAX_LINE = 190 };

/*
 * One row. section is "" before the first heading. Returns 0, or -1 with a sentence in e: it is
 * told with the file and the line before it.
 */
typedef int inifile_row_fn(void *arg, const char *section, const char *key, const char *value, struct err *e);
/*
 * Reads a file. What is wrong with its rows goes to complaints, a line each: "PATH: line 3: …".
 * Returns -1 only when the file cannot be read (ERR_NOT_FOUND when there is none), as a pipe cannot.
 * UTF-8's byte order mark may stand in front.
 */
int inifile_read(const char *path, inifile_row_fn *row, void *arg, struct str *complaints, struct err *e);
/* The same of a text that is there; `name` stands for the file in complaints. */
void inifile_text(const char *text, size_t n, const char *name, inifile_row_fn *row, void *arg, struct str *complaints);

#endif
