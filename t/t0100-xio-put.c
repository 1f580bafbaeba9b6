/* A file whole or not at all: each call that writes one fails in turn, and names that are taken stay. */
#include "config.h"
#include "engine/base/str.h"
#include "engine/base/xio.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[512], path[600];

static bool holds(const char *file, const char *want)
{
	struct str s;
	bool same;

	str_init(&s, 1 << 20);
	same = !xio_slurp(file, &s, NULL) && s.len == strlen(want) && !memcmp(s.p, want, s.len);
	str_release(&s);
	return same;
}

/* Names in the folder. */
static int count(void)
{
	DIR *d = opendir(folder);
	int n = -2;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static int put(const char *file, const char *text, unsigned how, struct err *e)
{
	*e = (struct err){ 0 };
	return xio_put(file, text, strlen(text), 0600, how, e);
}

/* -- calls that fail ------------------------------------------------------------------ */

struct strike { int left, err; char op[16]; bool synced; };

static int strike(const char *op, void *arg)
{
	struct strike *s = arg;

	s->synced |= !strcmp(op, "fsync");
	if (s->left-- != 0)
		return 0;
	snprintf(s->op, sizeof s->op, "%s", op);
	return s->err;
}

static void test_failures(const char *file, unsigned how, int min)
{
	const bool neu = how & XIO_NEW;
	bool whole = true, told = true;
	struct strike s;
	struct err e;
	int i;

	for (i = 0; i < 100; i++) {
		unlink(file);
		if (!neu)
			put(file, "old", 0, &e);
		s = (struct strike){ .left = i, .err = EIO };
		xio_set_fault(strike, &s);
		if (put(file, "new", how, &e)) {
			xio_set_fault(NULL, NULL);
			whole = whole && (neu ? access(file, F_OK) : holds(file, "old")) && count() == !neu;
			told = told && e.code != ERR_NONE && (e.code == ERR_NOMEM || strstr(e.msg, file));
			if (!whole || !told)
				printf("# %s failed: %s, %d names\n", s.op, e.msg, count());
		}
		xio_set_fault(NULL, NULL);
		if (s.left >= 0)
			break;
	}
	ok(whole && i >= min, "%s: each of %d calls fails, and %s", neu ? "new" : "replaced", i,
	   neu ? "nothing is there" : "the old file is whole");
	ok(told, "and the path is told");
	ok(holds(file, "new") && count() == 1, "the last time it is written");
}

/* -- names ---------------------------------------------------------------------------- */

static int intrude(const char *op, void *arg)
{
	if (!strcmp(op, arg))
		tmp_write(path, "theirs", 6);
	return 0;
}

static int no_links(const char *op, void *arg)
{
	(void)arg;
	return strcmp(op, "link") ? 0 : EPERM;
}

static void test_names(void)
{
	char link_path[700];
	struct stat st;
	struct err e;

	tmp_write(path, "theirs", 6);
	ok(put(path, "ours", XIO_NEW, &e) < 0 && e.code == ERR_ARG && strstr(e.msg, "there already") && holds(path, "theirs"),
	   "a new file takes no name that is taken: %s", e.msg);
	unlink(path);
	xio_set_fault(intrude, "fsync");
	ok(put(path, "ours", XIO_NEW, &e) < 0 && e.code == ERR_ARG && holds(path, "theirs") && count() == 1,
	   "nor one that is taken while it is written");
	xio_set_fault(no_links, NULL);
	ok(put(path, "ours", XIO_NEW, &e) < 0 && holds(path, "theirs"), "nor where there are no links");
	unlink(path);
	ok(!put(path, "ours", XIO_NEW, &e) && holds(path, "ours") && count() == 1, "a free one it has there too");
	xio_set_fault(NULL, NULL);
	ok(!stat(path, &st) && (st.st_mode & 0777) == 0600, "with the mode that was asked for");

	snprintf(link_path, sizeof link_path, "%s/link", folder);
	if (symlink("file", link_path))
		abort();
	ok(!put(link_path, "through", 0, &e) && !lstat(link_path, &st) && S_ISLNK(st.st_mode) && holds(path, "through"),
	   "a link stays, what it leads to is replaced");
	ok(put(link_path, "ours", XIO_NEW, &e) < 0 && holds(path, "through"), "it is a name that is taken");
	unlink(path);
	ok(put(link_path, "ours", XIO_NEW, &e) < 0 && access(path, F_OK), "also where it leads nowhere");
	unlink(link_path);
	ok(put(folder, "x", 0, &e) < 0 && strstr(e.msg, "folder"), "a folder is no file: %s", e.msg);
	ok(put("/nonexistent/file", "x", 0, &e) < 0 && put("/nonexistent/file", "x", XIO_NEW, &e) < 0 && e.code == ERR_IO,
	   "where there is no folder there is no file: %s", e.msg);
}

static void test_haste(void)
{
	struct strike s = { .left = -1 };
	struct err e;

	xio_set_fault(strike, &s);
	put(path, "a", XIO_HASTY, &e);
	ok(!s.synced && holds(path, "a"), "in haste the disk is not waited for");
	put(path, "b", 0, &e);
	ok(s.synced && holds(path, "b"), "otherwise it is");
	xio_set_fault(NULL, NULL);
	unlink(path);
}

int main(void)
{
	snprintf(folder, sizeof folder, "%s", tmp_path("put"));
	if (mkdir(folder, 0700))
		abort();
	snprintf(path, sizeof path, "%s/file", folder);
	test_failures(path, 0, 6);
	test_failures(path, XIO_NEW, 6);
	unlink(path);
	test_names();
	test_haste();
	rmdir(folder);
	return tap_done();
}
