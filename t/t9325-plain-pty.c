/*
 * Plain lines on a pseudo terminal of the test's: what is typed before there is a prompt waits for it as it was typed,
 * and whatever ends the program leaves the terminal as it was found. The program is frozen where the test must be first.
 */
#include "config.h"
#include "engine/base/os.h"
#include "t/lib/model.h"
#include "t/lib/scr.h"
#include "t/lib/tap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_MS = 20000, MEET_MS = 1000, TRIES = 20 };

static char *model;

static struct screenpty *start(const char *which, const char *n)
{
	const char *args[] = { "chat", which, "--plain", "--private", "--temp", "0", "-c", "100000", "-n", n, NULL };
	struct screenpty *s = screenpty_open(24, 80, args);

	if (!s) {
		tap_skip("no program or no pseudo terminal");
		exit(tap_done());
	}
	return s;
}

/* Does it wait for a prompt, Enter being told from Ctrl-J and nothing echoed? */
static bool between(const struct screenpty *s)
{
	struct termios t;

	return !tcgetattr(s->slave, &t) && !(t.c_iflag & ICRNL) && (t.c_lflag & ICANON) && !(t.c_lflag & ECHO);
}

/* Until it does, and it stands still there; false: the prompt was sooner. */
static bool freeze(struct screenpty *s)
{
	const int64_t end = os_now_ns() + (int64_t)MEET_MS * tap_patience() * 1000000;
	siginfo_t info;

	while (!between(s) && os_now_ns() < end && screenpty_alive(s))
		;
	kill(s->pid, SIGSTOP);
	waitid(P_PID, (id_t)s->pid, &info, WSTOPPED | WEXITED | WNOWAIT);
	screenpty_read(s, 0, 1000);
	return between(s);
}

static void thaw(struct screenpty *s)
{
	kill(s->pid, SIGCONT);
}

/* Frozen before its first prompt. */
static struct screenpty *start_frozen(void)
{
	for (int i = 0; i < TRIES; i++) {
		struct screenpty *s = start(model, "8");

		if (freeze(s) && screenpty_until(s, 0, "> ", 0) < 0)
			return s;
		screenpty_close(s);
	}
	return NULL;
}

/* Frozen in an answer that has begun. */
static struct screenpty *start_answering(const char *n)
{
	for (int i = 0; i < TRIES; i++) {
		struct screenpty *s = start(model, n);

		scr_wait(s, 0, "> ");
		scr_type(s, "One\r");
		scr_wait(s, 0, "day");
		if (freeze(s))
			return s;
		screenpty_close(s);
	}
	tap_bail("no answer was slow enough to be met");
}

static int count(const struct screenpty *s, const char *text)
{
	const char *p = s->kept;
	int n = 0;

	while ((p = memmem(p, (size_t)(s->kept + s->n - p), text, strlen(text)))) {
		n++;
		p += strlen(text);
	}
	return n;
}

static void test_first(void)
{
	struct screenpty *s = start_frozen();

	if (!s) {
		tap_skip("what is typed before the first prompt: the prompt was always sooner");
		return;
	}
	scr_type(s, "Once upon a time\r");
	screenpty_read(s, 50, 100);
	ok(!count(s, "Once"), "what is typed before the first prompt is not echoed");
	thaw(s);
	ok(screenpty_until(s, 0, "tok/s", WAIT_MS * tap_patience()) >= 0 && count(s, "> Once upon a time") == 1,
	   "Enter before the first prompt sends");
	scr_wait(s, 0, "8 tokens");
	scr_finish(s, "typed early");
}

static void test_between(void)
{
	struct screenpty *s = start_answering("60");

	scr_type(s, "a\nb\rTwo\r");
	thaw(s);
	ok(screenpty_until(s, 0, "> Two", WAIT_MS * tap_patience()) >= 0, "what is typed during an answer is asked when it has ended");
	while (count(s, "60 tokens") < 3 && screenpty_until(s, s->total, "60 tokens", WAIT_MS * tap_patience()) >= 0)
		;
	ok(count(s, "60 tokens") == 3, "a line a turn, and Ctrl-J none of its own (%d of 3)", count(s, "60 tokens"));
	ok(count(s, "> a") == 1 && count(s, "Two") == 1, "each is seen once, at its prompt");
	scr_finish(s, "typed meanwhile");
}

static void end(struct screenpty *s, const char *what)
{
	const int status = screenpty_end(s, true, WAIT_MS * tap_patience());

	ok(status >= 0 && screenpty_restored(s), "%s: the terminal's modes are as before (%d)", what, status);
	screenpty_close(s);
	scr_clean();
}

/* Whatever ends it, wherever it is. */
static void test_ends(void)
{
	static const struct { int sig; const char *what; } ends[] = {
		{ SIGSEGV, "a crash" }, { SIGABRT, "abort()" }, { SIGQUIT, "Ctrl-\\" }, { SIGTERM, "the end of a session" },
	};
	struct screenpty *s;
	char what[80];

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		s = start_answering("-1");
		kill(s->pid, ends[i].sig);
		thaw(s);
		snprintf(what, sizeof what, "%s in an answer", ends[i].what);
		end(s, what);
		s = start(model, "8");
		scr_wait(s, 0, "> ");
		kill(s->pid, ends[i].sig);
		snprintf(what, sizeof what, "%s at the prompt", ends[i].what);
		end(s, what);
		s = start_frozen();
		if (!s)
			continue;
		kill(s->pid, ends[i].sig);
		thaw(s);
		snprintf(what, sizeof what, "%s before the first prompt", ends[i].what);
		end(s, what);
	}
	s = start(model, "8");
	scr_wait(s, 0, "> ");
	scr_type(s, "\004");
	end(s, "the end of input");
	end(start("/nonexistent.gguf", "8"), "no model");
}

int main(void)
{
	scr_init();
	model = shipped_model();
	test_first();
	test_between();
	test_ends();
	free(model);
	return scr_done();
}
