#include "config.h"
#include "ui/builtin.h"

#include "app/paths.h"

void builtin_user(const char *name, inifile_row_fn *row, void *arg, struct str *complaints)
{
	struct err e = { 0 };
	struct str path;

	str_init(&path, 0);
	if (!paths_dir(PATHS_CONFIG, &path, &e)) {
		str_addf(&path, "/%s", name);
		if (inifile_read(path.p, row, arg, complaints, &e) && e.code != ERR_NOT_FOUND)
			str_addf(complaints, "%s%s", complaints->len ? "\n" : "", e.msg);
	}
	str_release(&path);
}
