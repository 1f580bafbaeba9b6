/*
 * The one door to the allocator and to the file system: every malloc, open, read,
 * write, rename and fsync of ours passes here, so that a test can make each of
 * them fail in turn and see that nothing is lost. A NULL hook costs one load.
 */
#ifndef ENGINE_BASE_XIO_H
#define ENGINE_BASE_XIO_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Memory. The same contracts as malloc and friends; sizes that overflow give NULL. */
void *mem_alloc(size_t n);
void *mem_calloc(size_t n, size_t size);
void *mem_realloc(void *p, size_t n);
/* n × size with the product checked. */
void *mem_array(size_t n, size_t size);
void *mem_rearray(void *p, size_t n, size_t size);
/* Aligned to 64 bytes, for rows that kernels read; freed by mem_free. */
void *mem_aligned(size_t n);
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t n);
void mem_free(void *p);

/* Files. All retry EINTR, finish short reads and writes, and open with O_CLOEXEC. */
int xio_open(const char *path, int flags, int mode, struct err *e);
/* Reads exactly n bytes at offset; a file that ends before is ERR_FORMAT. */
int xio_pread(int fd, void *buf, size_t n, uint64_t off, const char *path, struct err *e);
/* What can be had now, at most n bytes (a terminal, a pipe); 0 at the end. Unlike the others it may be short. */
ssize_t xio_read(int fd, void *buf, size_t n, const char *path, struct err *e);
int xio_write(int fd, const void *buf, size_t n, const char *path, struct err *e);
int xio_pwrite(int fd, const void *buf, size_t n, uint64_t off, const char *path, struct err *e);
int xio_fsync(int fd, const char *path, struct err *e);
int xio_rename(const char *from, const char *to, struct err *e);
int xio_unlink(const char *path, struct err *e);
/*
 * A file without a name in the folder of `path`, for reading and writing: gone with its last
 * descriptor, however the program ends. -1 where system or file system has no such thing (an
 * error of any kind: try a named one). xio_link() gives it the name `to`, which must be free.
 */
int xio_open_nameless(const char *path, int mode, struct err *e);
int xio_link(int fd, const char *to, struct err *e);
/* Makes the names in the folder of `path` last, after a rename. */
int xio_fsync_folder(const char *path, struct err *e);
/*
 * The file that stands, or would stand, under a name: where a symbolic link leads, else the
 * name itself; to be freed with mem_free(). NULL with ERR_IO for a folder, a device, a link
 * that leads nowhere.
 */
char *xio_target(const char *path, struct err *e);
/* Do both names lead to one file? False when either leads to none. */
bool xio_same(const char *a, const char *b);
/* Does the name (still) lead to the file that is open? */
bool xio_named(int fd, const char *path);
/*
 * A file whole or not at all: written under another name beside it, brought to the disk, given
 * its name; whoever reads it meanwhile finds the old one or the new one. A symbolic link stays,
 * what it leads to is replaced. Whatever fails leaves the old file, and nothing beside it.
 */
enum {
	XIO_NEW = 1,		/* a name that is taken stays whose it is: ERR_ARG, also if it was taken just now */
	XIO_MODE = 2,		/* a file that is replaced keeps its mode */
	XIO_HASTY = 4,		/* not waited for the disk: for what outlives the program, and need not outlive the machine */
};
int xio_put(const char *path, const void *p, size_t n, int mode, unsigned how, struct err *e);
/* Closes and reports a delayed write error; fd -1 is ignored. */
int xio_close(int fd, const char *path, struct err *e);
/* Size and identity of an open regular file; anything else is an error. */
int xio_size(int fd, uint64_t *size, const char *path, struct err *e);
/* A read-only private mapping of the whole file (size > 0). */
void *xio_map(int fd, size_t size, const char *path, struct err *e);
void xio_unmap(void *p, size_t size);
/* Whole file into s (its cap bounds the size). path "-" is standard input. */
struct str;
int xio_slurp(const char *path, struct str *s, struct err *e);
/*
 * For a program that people sit at: a regular file, to be read. A pipe or a terminal, which would be
 * waited for, a device and a folder are ERR_IO at once.
 */
int xio_open_regular(const char *path, struct err *e);
int xio_slurp_regular(const char *path, struct str *s, struct err *e);
/* Makes a folder and its parents, 0700. */
int xio_mkdirs(const char *path, struct err *e);

/*
 * The test's door. The hook is asked before each operation with its name ("malloc",
 * "open", "read", "write", "fsync", "rename", "link", "unlink", "close", "mmap") and returns 0 to go on
 * or an errno to fail with. Set before any thread is started.
 */
typedef int xio_fault_fn(const char *op, void *arg);
void xio_set_fault(xio_fault_fn *fn, void *arg);

#endif
