#include "config.h"
#include "ui/outside.h"

#include "engine/base/xio.h"
#include "ui/term.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *editor(void)
{
	const char *v = getenv("VISUAL"), *e = getenv("EDITOR");

	return v && *v ? v : e && *e ? e : "vi";
}

/* $EDITOR may have arguments, so a shell reads it. Ctrl-Z stops the editor and us together. */
static int run(const char *path, struct err *e)
{
	static const int left[] = { SIGINT, SIGQUIT, SIGTSTP };
	struct sigaction old[3], act = { .sa_handler = SIG_IGN };
	pid_t pid;
	int status = 0;

	sigemptyset(&act.sa_mask);
	for (int i = 0; i < 3; i++) {
		act.sa_handler = left[i] == SIGTSTP ? SIG_DFL : SIG_IGN;
		sigaction(left[i], &act, &old[i]);
	}
	pid = fork();
	if (!pid) {
		char cmd[512];

		for (int i = 0; i < 3; i++)
			signal(left[i], SIG_DFL);
		if (snprintf(cmd, sizeof(cmd), "%s \"$1\"", editor()) < (int)sizeof(cmd))
			execl("/bin/sh", "sh", "-c", cmd, "sh", path, (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	for (int i = 0; i < 3; i++)
		sigaction(left[i], &old[i], NULL);
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

int outside_edit(const char *text, size_t n, const char *suffix, struct str *back, struct err *e)
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
		term_leave();
		r = run(path.p, e);
		term_resume();
	}
	if (!r && back)
		r = xio_slurp(path.p, back, e);
	xio_unlink(path.p, NULL);
	str_release(&path);
	return r;
}
