#include "config.h"
#include "ui/draft.h"

#include "app/paths.h"
#include "engine/base/xio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DRAFT_MAX = 16 << 20 };

static const char prefix[] = "draft-";

/* DIR/draft-PID */
static int path_of(struct str *path, long pid, struct err *e)
{
	str_init(path, 0);
	if (paths_dir(PATHS_STATE, path, e) || xio_mkdirs(path->p, e))
		return -1;
	str_addf(path, "/%s%ld", prefix, pid);
	return path->failed ? err_set(e, ERR_NOMEM, "no memory for the draft") : 0;
}

int draft_keep(const char *text, size_t n, struct err *e)
{
	struct str path, part;
	int fd, r = -1;

	str_init(&part, 0);
	if (path_of(&path, (long)getpid(), e))
		goto out;
	if (!n) {
		r = unlink(path.p) && errno != ENOENT ? err_errno(e, "%s", path.p) : 0;
		goto out;
	}
	str_addf(&part, "%s.new", path.p);
	fd = xio_open(part.p, O_WRONLY | O_CREAT | O_TRUNC, 0600, e);
	if (fd < 0)
		goto out;
	r = xio_write(fd, text, n, part.p, e);
	if (xio_close(fd, part.p, r ? NULL : e))
		r = -1;
	if (!r)
		r = xio_rename(part.p, path.p, e);
out:
	str_release(&part);
	str_release(&path);
	return r;
}

/* The process that wrote it, 0: it is no draft. */
static long writer(const char *name)
{
	char *end;
	long pid;

	if (strncmp(name, prefix, sizeof(prefix) - 1))
		return 0;
	pid = strtol(name + sizeof(prefix) - 1, &end, 10);
	return *end || pid < 1 ? 0 : pid;
}

static bool ended(long pid)
{
	return pid != (long)getpid() && kill((pid_t)pid, 0) && errno == ESRCH;
}

int draft_take(struct str *out, struct err *e)
{
	struct str dir, path;
	struct dirent *d;
	DIR *folder;
	int r = -1;

	str_init(&dir, 0);
	str_init(&path, 0);
	if (paths_dir(PATHS_STATE, &dir, e))
		goto out;
	r = 0;
	folder = opendir(dir.p);
	while (folder && (d = readdir(folder))) {
		if (!writer(d->d_name) || !ended(writer(d->d_name)))
			continue;
		str_clear(&path);
		str_addf(&path, "%s/%s", dir.p, d->d_name);
		r = xio_slurp(path.p, out, e);
		if (!r)
			r = xio_unlink(path.p, e);
		break;
	}
	if (folder)
		closedir(folder);
out:
	str_release(&dir);
	str_release(&path);
	return r;
}
