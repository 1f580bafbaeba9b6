#include "config.h"
#include "engine/base/xio.h"
#include "engine/base/os.h"
#include "engine/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static xio_fault_fn *fault_fn;
static void *fault_arg;

void xio_set_fault(xio_fault_fn *fn, void *arg)
{
	fault_fn = fn;
	fault_arg = arg;
}

/* True when the operation must fail; errno tells how. */
static bool fault(const char *op)
{
	int e;

	if (!fault_fn)
		return false;
	e = fault_fn(op, fault_arg);
	if (!e)
		return false;
	errno = e;
	return true;
}

void *mem_alloc(size_t n)
{
	return fault("malloc") ? NULL : malloc(n ? n : 1);
}

void *mem_calloc(size_t n, size_t size)
{
	return fault("malloc") ? NULL : calloc(n ? n : 1, size ? size : 1);
}

void *mem_realloc(void *p, size_t n)
{
	return fault("malloc") ? NULL : realloc(p, n ? n : 1);
}

void *mem_array(size_t n, size_t size)
{
	return mem_rearray(NULL, n, size);
}

void *mem_rearray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return mem_realloc(p, bytes);
}

/* Large blocks are walked over in strides that would miss the TLB at every step. */
enum { HUGE_PAGE = 2 << 20, HUGE_FROM = 2 * HUGE_PAGE };

void *mem_aligned(size_t n)
{
	const bool huge = n >= HUGE_FROM;
	void *p;

	if (fault("malloc") || posix_memalign(&p, huge ? HUGE_PAGE : 64, n ? n : 64))
		return NULL;
	if (huge)
		os_want_huge(p, n / HUGE_PAGE * HUGE_PAGE);
	return p;
}

char *mem_strndup(const char *s, size_t n)
{
	char *p = n < SIZE_MAX ? mem_alloc(n + 1) : NULL;

	if (!p)
		return NULL;
	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *mem_strdup(const char *s)
{
	return mem_strndup(s, strlen(s));
}

void mem_free(void *p)
{
	free(p);
}

int xio_open(const char *path, int flags, int mode, struct err *e)
{
	int fd;

	do {
		fd = fault("open") ? -1 : open(path, flags | O_CLOEXEC, mode);
	} while (fd < 0 && errno == EINTR);
	return fd < 0 ? err_errno(e, "%s: cannot open", path) : fd;
}

/* What one system call is asked for: some refuse more than an int, none takes more than 2 GiB. */
static size_t portion(size_t n)
{
	return n < 1u << 30 ? n : 1u << 30;
}

int xio_pread(int fd, void *buf, size_t n, uint64_t off, const char *path, struct err *e)
{
	char *p = buf;

	while (n) {
		const ssize_t k = fault("read") ? -1 : pread(fd, p, portion(n), (off_t)off);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_errno(e, "%s: cannot read at offset %ju", path, (uintmax_t)off);
		if (!k)
			return err_set(e, ERR_FORMAT, "%s: the file ends at offset %ju, %zu bytes early",
				       path, (uintmax_t)off, n);
		p += k;
		n -= (size_t)k;
		off += (size_t)k;
	}
	return 0;
}

ssize_t xio_read(int fd, void *buf, size_t n, const char *path, struct err *e)
{
	ssize_t k;

	do {
		k = fault("read") ? -1 : read(fd, buf, portion(n));
	} while (k < 0 && errno == EINTR);
	return k < 0 ? err_errno(e, "%s: cannot read", path) : k;
}

int xio_write(int fd, const void *buf, size_t n, const char *path, struct err *e)
{
	const char *p = buf;

	while (n) {
		const ssize_t k = fault("write") ? -1 : write(fd, p, portion(n));

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_errno(e, "%s: cannot write", path);
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

int xio_pwrite(int fd, const void *buf, size_t n, uint64_t off, const char *path, struct err *e)
{
	const char *p = buf;

	while (n) {
		const ssize_t k = fault("write") ? -1 : pwrite(fd, p, portion(n), (off_t)off);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_errno(e, "%s: cannot write at offset %ju", path, (uintmax_t)off);
		p += k;
		n -= (size_t)k;
		off += (size_t)k;
	}
	return 0;
}

static int to_disk(int fd)
{
#ifdef F_FULLFSYNC
	/* macOS: fsync() leaves it in the drive's cache; not every file system knows the other */
	if (!fcntl(fd, F_FULLFSYNC))
		return 0;
#endif
	return fsync(fd);
}

int xio_fsync(int fd, const char *path, struct err *e)
{
	int r;

	do {
		r = fault("fsync") ? -1 : to_disk(fd);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? err_errno(e, "%s: cannot write to disk", path) : 0;
}

int xio_rename(const char *from, const char *to, struct err *e)
{
	if (fault("rename") || rename(from, to) < 0)
		return err_errno(e, "%s: cannot rename to %s", from, to);
	return 0;
}

int xio_unlink(const char *path, struct err *e)
{
	return fault("unlink") || unlink(path) < 0 ? err_errno(e, "%s: cannot remove", path) : 0;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? mem_strndup(path, slash == path ? 1 : (size_t)(slash - path)) : mem_strdup(".");
}

enum { FD_NAME = 40 };

static const char *fd_name(int fd, char *buf)
{
	snprintf(buf, FD_NAME, "/proc/self/fd/%d", fd);
	return buf;
}

int xio_open_nameless(const char *path, int mode, struct err *e)
{
#ifdef O_TMPFILE
	char *folder = folder_of(path), name[FD_NAME];
	int fd;

	if (!folder)
		return err_set(e, ERR_NOMEM, "no memory for a path");
	fd = xio_open(folder, O_RDWR | O_TMPFILE, mode, e);
	mem_free(folder);
	if (fd < 0 || !access(fd_name(fd, name), F_OK))
		return fd;
	/* without /proc it would never get a name */
	xio_close(fd, path, NULL);
	return err_set(e, ERR_UNSUPPORTED, "%s: files have names here", path);
#else
	(void)mode;
	return err_set(e, ERR_UNSUPPORTED, "%s: files have names here", path);
#endif
}

int xio_link(int fd, const char *to, struct err *e)
{
	char from[FD_NAME];

	if (fault("link") || linkat(AT_FDCWD, fd_name(fd, from), AT_FDCWD, to, AT_SYMLINK_FOLLOW) < 0)
		return err_errno(e, "%s: cannot give a file this name", to);
	return 0;
}

int xio_fsync_folder(const char *path, struct err *e)
{
	char *folder = folder_of(path);
	int fd, r;

	if (!folder)
		return err_set(e, ERR_NOMEM, "no memory for a path");
	fd = xio_open(folder, O_RDONLY | O_DIRECTORY, 0, e);
	r = fd < 0 ? -1 : xio_fsync(fd, folder, e);
	xio_close(fd, folder, NULL);
	mem_free(folder);
	return r;
}

char *xio_target(const char *path, struct err *e)
{
	char real[PATH_MAX], *copy;
	const char *name = path;
	struct stat st;

	if (!lstat(path, &st) && S_ISLNK(st.st_mode))
		name = realpath(path, real);
	if (!name) {
		err_errno(e, "%s: cannot follow this link", path);
		return NULL;
	}
	if (!stat(name, &st) && !S_ISREG(st.st_mode)) {
		err_set(e, ERR_IO, "%s: is %s", path, S_ISDIR(st.st_mode) ? "a folder" : "not a regular file");
		return NULL;
	}
	copy = folder_of(name);
	if (copy && stat(copy, &st) < 0) {
		err_errno(e, "%s: cannot write into folder %s", path, copy);
		mem_free(copy);
		return NULL;
	}
	mem_free(copy);
	copy = mem_strdup(name);
	if (!copy)
		err_set(e, ERR_NOMEM, "no memory for a path");
	return copy;
}

static bool one_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool xio_same(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && one_file(&x, &y);
}

bool xio_named(int fd, const char *path)
{
	struct stat x, y;

	return !fstat(fd, &x) && !stat(path, &y) && one_file(&x, &y);
}

int xio_close(int fd, const char *path, struct err *e)
{
	if (fd < 0)
		return 0;
	/* after EINTR the descriptor is gone on Linux: closing again would hit a stranger's */
	if (close(fd) < 0 && errno != EINTR)
		return err_errno(e, "%s: cannot close", path);
	if (fault("close"))
		return err_errno(e, "%s: cannot close", path);
	return 0;
}

int xio_size(int fd, uint64_t *size, const char *path, struct err *e)
{
	struct stat st;

	if (fault("stat") || fstat(fd, &st) < 0)
		return err_errno(e, "%s: cannot tell its size", path);
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_IO, "%s: is a folder, not a file", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_IO, "%s: is not a regular file", path);
	*size = (uint64_t)st.st_size;
	return 0;
}

void *xio_map(int fd, size_t size, const char *path, struct err *e)
{
	void *p = fault("mmap") ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (p == MAP_FAILED) {
		err_errno(e, "%s: cannot map %zu bytes", path, size);
		return NULL;
	}
	return p;
}

void xio_unmap(void *p, size_t size)
{
	if (p)
		munmap(p, size);
}

int xio_open_regular(const char *path, struct err *e)
{
	const int fd = xio_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, e);
	uint64_t size;

	if (fd < 0 || !xio_size(fd, &size, path, e))
		return fd;
	xio_close(fd, path, NULL);
	return -1;
}

static int read_all(int fd, const char *name, struct str *s, struct err *e)
{
	char buf[16384];

	for (;;) {
		const ssize_t k = fault("read") ? -1 : read(fd, buf, sizeof buf);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_errno(e, "%s: cannot read", name);
		if (!k)
			return 0;
		str_add(s, buf, (size_t)k);
		if (s->failed)
			return err_set(e, ERR_LIMIT, "%s: larger than the %zu bytes that are taken here", name, s->cap);
	}
}

static int slurp(int fd, const char *path, struct str *s, struct err *e)
{
	const int r = fd < 0 ? -1 : read_all(fd, path, s, e);

	xio_close(fd, path, NULL);
	return r;
}

int xio_slurp(const char *path, struct str *s, struct err *e)
{
	if (!strcmp(path, "-"))
		return read_all(STDIN_FILENO, "standard input", s, e);
	return slurp(xio_open(path, O_RDONLY, 0, e), path, s, e);
}

int xio_slurp_regular(const char *path, struct str *s, struct err *e)
{
	return slurp(xio_open_regular(path, e), path, s, e);
}

int xio_mkdirs(const char *path, struct err *e)
{
	char *p = mem_strdup(path);
	int r = 0;

	if (!p)
		return err_set(e, ERR_NOMEM, "no memory for a path");
	for (char *q = p + 1; !r; q++) {
		const char c = *q;

		if (c && c != '/')
			continue;
		*q = '\0';
		if (mkdir(p, 0700) < 0 && errno != EEXIST)
			r = err_errno(e, "%s: cannot make this folder", p);
		*q = c;
		if (!c)
			break;
	}
	mem_free(p);
	return r;
}

/* -- whole files --------------------------------------------------------------------- */

enum { PUT_TRIES = 64 };

/* A file of a name beside `path` that nobody has; what an ended program left under one is passed by. */
static int open_beside(const char *path, int mode, struct str *name, struct err *e)
{
	static atomic_uint count;
	int fd = -1;

	for (int i = 0; fd < 0 && i < PUT_TRIES; i++) {
		str_clear(name);
		str_addf(name, "%s.%ld-%u.new", path, (long)getpid(), atomic_fetch_add(&count, 1));
		if (name->failed)
			return err_set(e, ERR_NOMEM, "no memory for a path");
		fd = xio_open(name->p, O_WRONLY | O_CREAT | O_EXCL, mode, e);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	return fd < 0 ? err_errno(e, "%s: cannot write", path) : fd;
}

/* Other people may use the file that is replaced. */
static void take_mode(int fd, const char *path)
{
	struct stat st;

	if (!stat(path, &st))
		(void)!fchmod(fd, st.st_mode & 0777);
}

static int fill(int fd, const void *p, size_t n, unsigned how, const char *path, struct err *e)
{
	int r = xio_write(fd, p, n, path, e);

	if (!r && !(how & XIO_HASTY))
		r = xio_fsync(fd, path, e);
	return xio_close(fd, path, r ? NULL : e) ? -1 : r;
}

static int taken(const char *path, struct err *e)
{
	return err_set(e, ERR_ARG, "%s is there already", path);
}

/* The name, unless it is taken: by a link, or where file systems have none by taking it before it is replaced. */
static int name_new(const char *from, const char *to, struct err *e)
{
	int fd;

	if (!fault("link") && !link(from, to)) {
		unlink(from);
		return 0;
	}
	if (errno == EEXIST)
		return taken(to, e);
	if (errno != EPERM && errno != ENOTSUP && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK)
		return err_errno(e, "%s: cannot give a file this name", to);
	fd = xio_open(to, O_WRONLY | O_CREAT | O_EXCL, 0600, e);
	if (fd < 0)
		return errno == EEXIST ? taken(to, e) : -1;
	xio_close(fd, to, NULL);
	if (!xio_rename(from, to, e))
		return 0;
	unlink(to);
	return -1;
}

int xio_put(const char *path, const void *p, size_t n, int mode, unsigned how, struct err *e)
{
	const bool neu = how & XIO_NEW;
	char *target = neu ? NULL : xio_target(path, e);
	const char *to = neu ? path : target;
	struct stat st;
	struct str part;
	int fd, r = -1;

	str_init(&part, 0);
	if (!to)
		goto out;
	if (neu && !lstat(path, &st)) {
		taken(path, e);
		goto out;
	}
	fd = open_beside(to, mode, &part, e);
	if (fd < 0)
		goto out;
	if (how & XIO_MODE)
		take_mode(fd, to);
	r = fill(fd, p, n, how, to, e);
	if (!r)
		r = neu ? name_new(part.p, to, e) : xio_rename(part.p, to, e);
	if (r)
		unlink(part.p);
	else if (!(how & XIO_HASTY))
		xio_fsync_folder(to, NULL);
out:
	str_release(&part);
	mem_free(target);
	return r;
}
