/* Whose a draft is: that of a program that runs is nobody else's, one that was left is found by whoever comes. */
#include "config.h"
#include "app/draft.h"
#include "engine/base/xio.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DAY = 24 * 60 * 60 };

static const char *dir;

static int count(const char *pattern)
{
	char path[700];
	glob_t g;
	int n;

	snprintf(path, sizeof path, "%s/%s", dir, pattern);
	n = glob(path, 0, NULL, &g) ? 0 : (int)g.gl_pathc;
	if (n)
		globfree(&g);
	return n;
}

static bool all(void *arg, const char *path)
{
	struct str s;

	str_init(&s, 0);
	if (!xio_slurp_regular(path, &s, NULL))
		str_addf(arg, "%s.", s.p);
	str_release(&s);
	return false;
}

static const char *left(enum draft d)
{
	static struct str s;
	struct err e;

	if (!s.p)
		str_init(&s, 0);
	str_clear(&s);
	if (draft_each(d, all, &s, &e))
		printf("# %s\n", e.msg);
	return s.p;
}

static void put(const char *name, const char *text, time_t age)
{
	char path[700];
	const struct timespec when[2] = { { .tv_sec = time(NULL) - age }, { .tv_sec = time(NULL) - age } };

	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (xio_put(path, text, strlen(text), 0600, XIO_HASTY, NULL) || utimensat(AT_FDCWD, path, when, 0))
		abort();
}

/* A program that keeps something and waits for its end. */
static pid_t window(const char *text)
{
	int said[2];
	char c;
	pid_t pid;

	if (pipe(said))
		abort();
	pid = fork();
	if (!pid) {
		struct err e = { 0 };

		if (draft_keep(DRAFT_CHAT, text, strlen(text), &e))
			_exit(1);
		if (write(said[1], "k", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(said[1]);
	if (read(said[0], &c, 1) != 1)
		abort();
	close(said[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_windows(void)
{
	struct str path, out;
	struct err e = { 0 };
	pid_t a, b;

	a = window("one");
	b = window("two");
	ok(count("chat-*") == 2 && !*left(DRAFT_CHAT), "what running programs keep is not found");
	ok(count("running-*") == 2, "nor is what tells that they run taken away");
	end(a);
	ok(!strcmp(left(DRAFT_CHAT), "one."), "what an ended one kept is");
	ok(count("running-*") == 1, "it does not run any more");
	end(b);
	ok(strstr(left(DRAFT_CHAT), "one.") && strstr(left(DRAFT_CHAT), "two."), "and so is the other's: it stays until it is taken");
	/* whatever number a program has, it is not told by it */
	a = window("three");
	ok(!strstr(left(DRAFT_CHAT), "three"), "a third one's is its own");
	end(a);
	str_init(&out, 0);
	put("draft-ab", "typed", 5);
	ok(!draft_take(DRAFT_TYPED, &out, &e) && !strcmp(out.p, "typed") && !count("draft-*"), "what is taken is gone");
	str_release(&out);
	str_init(&path, 0);
	ok(!draft_leave(DRAFT_CHAT, "aside", 5, &path, &e) && strstr(left(DRAFT_CHAT), "aside."), "what is left on purpose is found at once");
	str_release(&path);
	draft_keep(DRAFT_CHAT, "mine", 4, &e);
	ok(!strstr(left(DRAFT_CHAT), "mine"), "one's own is not found");
	draft_end();
	ok(strstr(left(DRAFT_CHAT), "mine") && !count("running-*"), "until one has ended");
}

/* The folder goes while a program runs that has its files there. */
static void test_folder(void)
{
	struct err e = { 0 };
	char command[700];
	pid_t pid;

	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	draft_keep(DRAFT_CHAT, "before", 6, &e);
	if (system(command))
		abort();
	ok(!draft_keep(DRAFT_CHAT, "after", 5, &e) && count("running-*") == 1, "a folder that was taken away is there anew");
	pid = fork();
	if (!pid)
		_exit(*left(DRAFT_CHAT) != 0);
	waitpid(pid, &(int){ 0 }, 0);
	ok(count("chat-*") == 1 && !*left(DRAFT_CHAT), "and what is in it is somebody's");
	draft_keep(DRAFT_CHAT, "", 0, &e);
	draft_end();
}

static void test_age(void)
{
	char name[64], text[16];

	put("chat-01", "old", 31 * DAY);
	put("chat-02", "recent", 29 * DAY);
	put("chat-03.4-0.new", "half", 2 * DAY);
	put("chat-04.4-0.new", "being written", 0);
	put("chat-not", "a stranger's", 99 * DAY);
	ok(!strcmp(left(DRAFT_CHAT), "recent."), "what was left a month ago is not told any more");
	ok(!count("chat-01") && !count("chat-03*") && count("chat-04*") && count("chat-not"), "and is gone, as is what was never finished");
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "chat-a%d", i);
		snprintf(text, sizeof text, "n%d", i);
		put(name, text, 1000 - i);
	}
	ok(!strncmp(left(DRAFT_CHAT), "n19.n18.", 8), "the newest comes first");
	ok(count("chat-a*") == DRAFT_MOST && !count("chat-a3") && count("chat-a4") && !count("chat-02"), "of many the newest %d stay", DRAFT_MOST);
}

int main(void)
{
	dir = tmp_state();
	test_windows();
	test_folder();
	test_age();
	return tap_done();
}
