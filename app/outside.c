#include "config.h"
#include "app/outside.h"

#include "engine/base/xio.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GRACE_MS = 500 };	/* for an editor to put its own files away */

static const char *editor(void)
{
	const char *v = getenv("VISUAL"), *e = getenv("EDITOR");

	return v && *v ? v : e && *e ? e : "vi";
}

static volatile sig_atomic_t killed;

static void on_kill(int sig)
{
	killed = sig;
}

static void on_child(int sig)
{
	(void)sig;
}

/* $EDITOR may have arguments, so a shell reads it. */
static void become(const char *path)
{
	char cmd[512];

	if (snprintf(cmd, sizeof(cmd), "%s \"$1\"", editor()) < (int)sizeof(cmd))
		execl("/bin/sh", "sh", "-c", cmd, "sh", path, (char *)NULL);
	_exit(127);
}

/* Gone by itself, or by force after a while. */
static void end_child(pid_t pid, int *status)
{
	static const struct timespec step = { 0, 20000000 };

	kill(pid, SIGTERM);
	kill(pid, SIGCONT);
	for (int i = 0; i < GRACE_MS / 20; i++) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return;
		nanosleep(&step, NULL);
	}
	kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
}

/* Until it has ended; a signal that ends us ends it first. */
static void wait_child(pid_t pid, const sigset_t *open, int *status)
{
	while (!waitpid(pid, status, WNOHANG)) {
		if (killed) {
			end_child(pid, status);
			return;
		}
		sigsuspend(open);
	}
}

/* What each signal does meanwhile. Ctrl-Z stops the editor and us together. */
static const struct { int sig; void (*handler)(int); } meanwhile[] = {
	{ SIGINT, SIG_IGN }, { SIGQUIT, SIG_IGN }, { SIGTSTP, SIG_DFL }, { SIGCHLD, on_child },
	{ SIGTERM, on_kill }, { SIGHUP, on_kill },
};
enum { N_MEANWHILE = sizeof(meanwhile) / sizeof(meanwhile[0]) };

static int run(const char *path, struct err *e)
{
	struct sigaction old[N_MEANWHILE], act = { .sa_flags = 0 };
	sigset_t held, before;
	int status = 0;
	pid_t pid;

	killed = 0;
	sigemptyset(&held);
	sigaddset(&held, SIGCHLD);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigprocmask(SIG_BLOCK, &held, &before);
	sigemptyset(&act.sa_mask);
	for (int i = 0; i < N_MEANWHILE; i++) {
		act.sa_handler = meanwhile[i].handler;
		sigaction(meanwhile[i].sig, &act, &old[i]);
	}
	pid = fork();
	if (!pid) {
		for (int i = 0; i < N_MEANWHILE; i++)
			signal(meanwhile[i].sig, SIG_DFL);
		sigprocmask(SIG_SETMASK, &before, NULL);
		become(path);
	}
	if (pid > 0)
		wait_child(pid, &before, &status);
	for (int i = 0; i < N_MEANWHILE; i++)
		sigaction(meanwhile[i].sig, &old[i], NULL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	/* the loop takes it from here: the terminal is put back, what was written is kept */
	if (killed) {
		raise(killed);
		return 0;
	}
	if (pid < 0)
		return err_errno(e, "cannot run %s", editor());
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	return err_set(e, ERR_ARG, "%s did not end well (code %d)", editor(), WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static int write_copy(const char *path, int fd, const char *text, size_t n, struct err *e)
{
	int r = xio_write(fd, text, n, path, e);

	if (!r && n && text[n - 1] != '\n')
		r = xio_write(fd, "\n", 1, path, e);
	if (xio_close(fd, path, r ? NULL : e))
		r = -1;
	return r;
}

int outside_edit(const char *text, size_t n, const char *suffix, struct str *back, void (*leave)(void), void (*resume)(void),
		 struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	struct str path;
	int fd, r = -1;

	str_init(&path, 0);
	str_addf(&path, "%s/tidbit-XXXXXX%s", tmp && *tmp ? tmp : "/tmp", suffix);
	fd = path.failed ? -1 : mkstemps(path.p, (int)strlen(suffix));
	if (fd < 0) {
		str_release(&path);
		return err_errno(e, "cannot make a file for the editor");
	}
	if (!write_copy(path.p, fd, text, n, e)) {
		leave();
		r = run(path.p, e);
		resume();
	}
	if (!r && back)
		r = xio_slurp_regular(path.p, back, e);
	xio_unlink(path.p, NULL);
	str_release(&path);
	return r;
}
