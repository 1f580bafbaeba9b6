#include "config.h"
#include "app/inputrc.h"
#include "app/paths.h"
#include "engine/base/str.h"
#include "engine/base/xio.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { DEPTH = 8 };		/* of files in files: readline itself has no end */

static const char nothing[] = "/dev/null";

static int check_file(const char *name, int depth, struct err *e);

/* The file that "$include FILE" names, as readline reads that; NULL: the line is something else. */
static const char *included(char *line)
{
	static const char directive[] = "include";
	char *p = line + strspn(line, " \t");

	if (*p != '$')
		return NULL;
	p += 1 + strspn(p + 1, " \t");
	if (strncasecmp(p, directive, sizeof directive - 1) || !strchr(" \t", p[sizeof directive - 1]))
		return NULL;
	p += sizeof directive - 1;
	p += strspn(p, " \t");
	p[strcspn(p, "\r")] = 0;
	return *p ? p : NULL;
}

static int check_lines(char *text, int depth, struct err *e)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *name = included(line);

		if (name && check_file(name, depth + 1, e))
			return -1;
	}
	return 0;
}

static int check_file(const char *name, int depth, struct err *e)
{
	struct str path, text;
	struct stat st;
	int r = 0;

	str_init(&path, 0);
	str_init(&text, 0);
	if (paths_expand(name, &path, NULL) || stat(path.p, &st))
		goto out;		/* readline goes on without it */
	if (depth > DEPTH)
		r = err_set(e, ERR_LIMIT, "%s: $include goes deeper than %d files; keys are as readline has them", path.p, DEPTH);
	else if (!S_ISREG(st.st_mode))
		r = err_set(e, ERR_IO, "%s: is not a regular file; keys are as readline has them", path.p);
	else if (!xio_slurp_regular(path.p, &text, NULL) && text.len)
		r = check_lines(text.p, depth, e);
out:
	str_release(&text);
	str_release(&path);
	return r;
}

int inputrc_check(struct err *e)
{
	const char *name = getenv("INPUTRC");

	name = name && *name ? name : "~/.inputrc";
	if (!strcmp(name, nothing) || !check_file(name, 0, e))
		return 0;
	setenv("INPUTRC", nothing, 1);
	return -1;
}
