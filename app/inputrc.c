#include "config.h"
#include "app/inputrc.h"
#include "app/paths.h"
#include "engine/base/str.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char nothing[] = "/dev/null";

int inputrc_check(struct err *e)
{
	const char *name = getenv("INPUTRC");
	struct stat st;
	struct str path;
	int r = 0;

	str_init(&path, 0);
	name = name && *name ? name : "~/.inputrc";
	if (strcmp(name, nothing) && !paths_expand(name, &path, NULL) && !stat(path.p, &st) && !S_ISREG(st.st_mode)) {
		r = err_set(e, ERR_IO, "%s: is not a regular file; keys are as readline has them", path.p);
		setenv("INPUTRC", nothing, 1);
	}
	str_release(&path);
	return r;
}
