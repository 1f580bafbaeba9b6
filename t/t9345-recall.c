/* Earlier messages: whole in any size that is kept, the oldest go first, and what is no file is waited for by nobody. */
#include "config.h"
#include "app/recall.h"
#include "engine/base/str.h"
#include "engine/base/xio.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1 << 20, ALL = 1000000, CHILDREN = 2, EACH = 200, LONG = 10000 };

static char path[700];

struct seen { int n; char first[32], last[32]; size_t last_n; int of[CHILDREN]; };

static void see(void *arg, const char *text)
{
	struct seen *s = arg;
	int child, i;

	snprintf(s->n++ ? s->last : s->first, sizeof s->first, "%.30s", text);
	s->last_n = strlen(text);
	if (sscanf(text, "child %d message %d", &child, &i) == 2 && child < CHILDREN && i == s->of[child])
		s->of[child]++;
}

static struct seen load(void)
{
	struct seen s = { 0 };
	struct err e;

	if (recall_load(ALL, see, &s, &e))
		printf("# %s\n", e.msg);
	return s;
}

static char *message(const char *head, size_t n)
{
	char *p = malloc(n + 1);

	if (!p)
		abort();
	memset(p, 'x', n);
	memcpy(p, head, strlen(head));
	p[n] = '\0';
	return p;
}

static bool add(const char *head, size_t n, struct err *e)
{
	char *p = message(head, n);
	const bool good = !recall_add(p, e);

	free(p);
	return good;
}

static void fill(size_t n)
{
	char line[100] = "old 0";
	FILE *f = fopen(path, "w");

	if (!f)
		abort();
	for (size_t i = 0; i < n; i += sizeof line) {
		snprintf(line, sizeof line, "old %zu", i / sizeof line);
		for (size_t k = strlen(line); k < sizeof line - 1; k++)
			line[k] = 'y';
		line[sizeof line - 1] = '\n';
		fwrite(line, sizeof line, 1, f);
	}
	if (fclose(f))
		abort();
}

static void test_no_file(void)
{
	struct seen s = { 0 };
	struct err e = { 0 };
	struct str all;
	int fd;

	/* who waits after all is ended by it */
	alarm(20);
	if (mkfifo(path, 0600))
		abort();
	str_init(&all, 0);
	ok(xio_slurp_regular(path, &all, &e) && strstr(e.msg, "regular"), "a pipe is not waited for: %s", e.msg);
	ok(xio_slurp_regular("/dev/tty", &all, &e), "nor is a terminal: %s", e.msg);
	ok(recall_load(ALL, see, &s, &e) && strstr(e.msg, "regular"), "nor are messages in one: %s", e.msg);
	ok(recall_add("hi", &e), "nor anybody who would read it: %s", e.msg);
	fd = open(path, O_RDWR);
	ok(recall_add("hi", &e) && strstr(e.msg, "regular"), "who reads it gets nothing: %s", e.msg);
	close(fd);
	unlink(path);
	str_release(&all);
	alarm(0);
}

static void test_sizes(void)
{
	struct err e = { 0 };
	struct seen s;
	struct stat st;
	bool good;

	ok(add("paste", MIB, &e) && (s = load()).n == 1 && !strncmp(s.first, "paste", 5),
	   "a message of 1 MiB is kept");
	ok(load().last_n == MIB, "whole");
	ok(!add("book", 5 * MIB, &e) && e.code == ERR_LIMIT && load().n == 1, "a larger one is not, and that is told: %s", e.msg);
	if (xio_put(path, "one\nhal", 7, 0600, 0, &e) || !add("next", 4, &e))
		abort();
	s = load();
	ok(s.n == 3 && !strcmp(s.last, "next"), "a message behind a write that was cut off is one of its own: %s", s.last);
	unlink(path);
	fill(16 * MIB - 200);
	st.st_size = 0;
	good = add("newest", 1000, &e) && !stat(path, &st);
	ok(good && st.st_size <= 16 * MIB && st.st_size > 8 * MIB, "a file that is full loses a part: %lld bytes", (long long)st.st_size);
	s = load();
	ok(s.n > 100000 && !strncmp(s.last, "newest", 6) && !strncmp(s.first, "old ", 4) && atoi(s.first + 4) > 1000,
	   "the oldest: %d messages, the first of them %.12s", s.n, s.first);
	ok((st.st_mode & 0777) == 0600, "it is its owner's alone");
	fill(17 * MIB);
	s = load();
	ok(s.n > 100000 && !strncmp(s.first, "old ", 4), "the newest part of one that is larger still: %d messages", s.n);
	unlink(path);
}

static void test_windows(void)
{
	char head[64];
	struct err e;
	struct seen s;
	int status, failed = 0;

	fill(15 * MIB);
	for (int k = 0; k < CHILDREN; k++) {
		if (fork())
			continue;
		for (int i = 0; i < EACH; i++) {
			snprintf(head, sizeof head, "child %d message %d ", k, i);
			if (!add(head, LONG, &e))
				_exit(1);
		}
		_exit(0);
	}
	while (wait(&status) > 0)
		failed += status != 0;
	s = load();
	ok(!failed && s.of[0] == EACH && s.of[1] == EACH, "two windows that write while it is cut lose none (%d, %d of %d)",
	   s.of[0], s.of[1], EACH);
}

int main(void)
{
	snprintf(path, sizeof path, "%s/messages", tmp_state());
	test_no_file();
	test_sizes();
	test_windows();
	return tap_done();
}
