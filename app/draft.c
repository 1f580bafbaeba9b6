#include "config.h"
#include "app/draft.h"
#include "app/paths.h"
#include "engine/base/xio.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DRAFT_MAX = 16 << 20 };

static const char *const prefixes[] = { [DRAFT_TYPED] = "draft-", [DRAFT_CHAT] = "chat-" };

/* DIR/draft-PID */
static int path_of(enum draft d, struct str *path, long pid, struct err *e)
{
	str_init(path, 0);
	if (paths_dir(PATHS_STATE, path, e) || xio_mkdirs(path->p, e))
		return -1;
	str_addf(path, "/%s%ld", prefixes[d], pid);
	return path->failed ? err_set(e, ERR_NOMEM, "no memory for the draft") : 0;
}

int draft_keep(enum draft d, const char *text, size_t n, struct err *e)
{
	struct str path;
	int r = -1;

	if (path_of(d, &path, (long)getpid(), e))
		goto out;
	if (n)
		r = xio_put(path.p, text, n, 0600, XIO_HASTY, e);
	else
		r = unlink(path.p) && errno != ENOENT ? err_errno(e, "%s", path.p) : 0;
out:
	str_release(&path);
	return r;
}

/* The process that wrote it, 0: it is none of these. */
static long writer(enum draft d, const char *name)
{
	const size_t n = strlen(prefixes[d]);
	char *end;
	long pid;

	if (strncmp(name, prefixes[d], n))
		return 0;
	pid = strtol(name + n, &end, 10);
	return *end || pid < 1 ? 0 : pid;
}

static bool ended(long pid)
{
	return pid != (long)getpid() && kill((pid_t)pid, 0) && errno == ESRCH;
}

static void find_in(enum draft d, const char *dir, DIR *folder, struct str *out)
{
	time_t newest = 0;
	struct dirent *entry;
	struct str path;
	struct stat st;

	str_init(&path, 0);
	while ((entry = readdir(folder))) {
		if (!writer(d, entry->d_name) || !ended(writer(d, entry->d_name)))
			continue;
		str_clear(&path);
		str_addf(&path, "%s/%s", dir, entry->d_name);
		if (path.failed || lstat(path.p, &st) || !S_ISREG(st.st_mode))
			continue;
		if (out->len && st.st_mtime < newest)
			continue;
		newest = st.st_mtime;
		str_clear(out);
		str_adds(out, path.p);
	}
	str_release(&path);
}

int draft_find(enum draft d, struct str *path, struct err *e)
{
	struct str dir;
	DIR *folder;
	int r;

	str_init(&dir, 0);
	r = paths_dir(PATHS_STATE, &dir, e);
	folder = r ? NULL : opendir(dir.p);
	if (folder) {
		find_in(d, dir.p, folder, path);
		closedir(folder);
	}
	str_release(&dir);
	return r;
}

int draft_take(enum draft d, struct str *out, struct err *e)
{
	struct str path;
	int r;

	str_init(&path, 0);
	r = draft_find(d, &path, e);
	if (!r && path.len)
		r = xio_slurp_regular(path.p, out, e) ? -1 : xio_unlink(path.p, e);
	str_release(&path);
	return r;
}
