#include "config.h"
#include "app/recall.h"

#include "app/paths.h"
#include "engine/base/str.h"
#include "engine/base/xio.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 16 << 20, ENTRY_MAX = 64 << 10 };

static int find_file(struct str *path, struct err *e)
{
	str_init(path, 0);
	if (paths_dir(PATHS_STATE, path, e) || xio_mkdirs(path->p, e))
		return -1;
	str_adds(path, "/messages");
	return path->failed ? err_set(e, ERR_NOMEM, "no memory for earlier messages") : 0;
}

static void unescape(const char *s, size_t n, struct str *out)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\\' && i + 1 < n)
			str_addc(out, s[++i] == 'n' ? '\n' : s[i]);
		else
			str_addc(out, s[i]);
	}
}

static void escape(const char *s, struct str *out)
{
	for (; *s; s++) {
		if (*s == '\n')
			str_adds(out, "\\n");
		else if (*s == '\\')
			str_adds(out, "\\\\");
		else
			str_addc(out, *s);
	}
	str_addc(out, '\n');
}

static void tell_last(const char *s, size_t n, int max, void (*entry)(void *arg, const char *text), void *arg)
{
	const char *at = s + n, *end = s + n;
	struct str text;

	for (int lines = 0; at > s; at--)
		if (at[-1] == '\n' && at != end && ++lines == max)
			break;
	str_init(&text, 0);
	while (at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));

		if (!nl)	/* a write that was cut off */
			break;
		str_clear(&text);
		unescape(at, (size_t)(nl - at), &text);
		if (text.len)
			entry(arg, text.p);
		at = nl + 1;
	}
	str_release(&text);
}

int recall_load(int max, void (*entry)(void *arg, const char *text), void *arg, struct err *e)
{
	struct str path, all;
	int r = -1;

	str_init(&all, FILE_MAX + 1);
	if (find_file(&path, e))
		goto out;
	if (access(path.p, F_OK) || !xio_slurp(path.p, &all, e))
		r = 0;
	if (!r)
		tell_last(all.p, all.len, max, entry, arg);
out:
	str_release(&all);
	str_release(&path);
	return r;
}

int recall_add(const char *text, struct err *e)
{
	struct str path, line;
	struct stat st;
	int fd = -1, r = -1;

	str_init(&line, ENTRY_MAX);
	if (find_file(&path, e))
		goto out;
	escape(text, &line);
	if (line.failed) {	/* a book is not worth recalling */
		r = 0;
		goto out;
	}
	fd = xio_open(path.p, O_WRONLY | O_CREAT | O_APPEND, 0600, e);
	if (fd < 0)
		goto out;
	r = !fstat(fd, &st) && st.st_size > FILE_MAX - ENTRY_MAX && ftruncate(fd, 0) ? err_errno(e, "%s", path.p) :
	    xio_write(fd, line.p, line.len, path.p, e);
	if (xio_close(fd, path.p, r ? NULL : e))
		r = -1;
out:
	str_release(&line);
	str_release(&path);
	return r;
}
