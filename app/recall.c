#include "config.h"
#include "app/recall.h"

#include "app/paths.h"
#include "engine/base/str.h"
#include "engine/base/xio.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file of more loses its beginning; a message is kept up to a size. */
enum { FILE_MAX = 16 << 20, FILE_KEPT = 12 << 20, ENTRY_MAX = 4 << 20 };
enum { TRIES = 20, TRY_US = 10000 };

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

/* The newest part that may be read; a message that is not there whole is none of it. */
static int read_newest(const char *path, size_t most, struct str *out, struct err *e)
{
	const int fd = xio_open_regular(path, e);
	uint64_t size, from = 0, done = 0;
	char buf[16384];
	size_t n;
	int r = -1;

	if (fd < 0 || xio_size(fd, &size, path, e))
		goto out;
	if (size > most) {
		/* one before it: it may end a line */
		from = size - most - 1;
		size = most + 1;
	}
	for (r = 0; !r && size; size -= n, done += n) {
		n = size < sizeof buf ? (size_t)size : sizeof buf;
		r = xio_pread(fd, buf, n, from + done, path, e);
		str_add(out, buf, n);
	}
	if (!r && out->failed)
		r = err_set(e, ERR_NOMEM, "no memory for earlier messages");
	if (!r && from) {
		const char *nl = memchr(out->p, '\n', out->len);

		str_erase(out, 0, nl ? (size_t)(nl + 1 - out->p) : out->len);
	}
out:
	xio_close(fd, path, NULL);
	return r;
}

int recall_load(int max, void (*entry)(void *arg, const char *text), void *arg, struct err *e)
{
	struct str path, all;
	int r = -1;

	str_init(&all, 0);
	if (find_file(&path, e))
		goto out;
	if (access(path.p, F_OK) || !read_newest(path.p, FILE_MAX, &all, e))
		r = 0;
	if (!r)
		tell_last(all.p, all.len, max, entry, arg);
out:
	str_release(&all);
	str_release(&path);
	return r;
}

/* -- writing -------------------------------------------------------------------------- */

/*
 * Open to append, and sure to be the one that has the name: who cuts the file holds it alone and puts
 * another in its place. Where files cannot be held nobody waits.
 */
static int open_held(const char *path, struct err *e)
{
	int fd = -1;

	for (int i = 0; i < TRIES; i++) {
		fd = xio_open(path, O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY, 0600, e);
		if (fd < 0)
			return -1;
		if ((!flock(fd, LOCK_SH | LOCK_NB) || errno != EWOULDBLOCK) && xio_named(fd, path))
			return fd;
		xio_close(fd, path, NULL);
		usleep(TRY_US);
	}
	return err_set(e, ERR_IO, "%s: another program does not let go of it", path);
}

/* Too large: its newest part takes its place. Whoever writes to it now keeps it as it is, for a later time. */
static int cut_oldest(int fd, const char *path, struct err *e)
{
	struct str s;
	int r;

	if (flock(fd, LOCK_EX | LOCK_NB))
		return 0;
	str_init(&s, 0);
	r = read_newest(path, FILE_KEPT, &s, e);
	if (!r)
		r = xio_put(path, s.p, s.len, 0600, XIO_HASTY, e);
	str_release(&s);
	return r;
}

static int append(const char *path, const struct str *line, struct err *e)
{
	const int fd = open_held(path, e);
	uint64_t size;
	char last = '\n';
	int r = -1;

	if (fd < 0)
		return -1;
	if (xio_size(fd, &size, path, e) || (size && xio_pread(fd, &last, 1, size - 1, path, e)))
		goto out;
	/* behind a write that was cut off a line begins anew */
	r = last == '\n' ? 0 : xio_write(fd, "\n", 1, path, e);
	if (!r)
		r = xio_write(fd, line->p, line->len, path, e);
	if (!r && size + line->len > FILE_MAX)
		r = cut_oldest(fd, path, e);
out:
	return xio_close(fd, path, r ? NULL : e) ? -1 : r;
}

int recall_add(const char *text, struct err *e)
{
	struct str path, line;
	int r = -1;

	str_init(&line, ENTRY_MAX);
	if (find_file(&path, e))
		goto out;
	escape(text, &line);
	r = line.failed ? err_set(e, ERR_LIMIT, "a message of more than %d MiB is sent, but not kept for ↑", ENTRY_MAX >> 20) :
	    append(path.p, &line, e);
out:
	str_release(&line);
	str_release(&path);
	return r;
}
