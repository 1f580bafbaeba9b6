#include "config.h"
#include "app/clip.h"

#include "app/paths.h"
#include "engine/base/str.h"
#include "engine/base/xio.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Used where the variable is set and the program is there; the first that is. */
static const struct { const char *env, *name; const char *argv[6]; } tools[] = {
	{ "TMUX", "tmux", { "tmux", "load-buffer", "-w", "-", NULL } },
	{ "WAYLAND_DISPLAY", "wl-copy", { "wl-copy", NULL } },
	{ "DISPLAY", "xclip", { "xclip", "-selection", "clipboard", NULL } },
	{ NULL, "pbcopy", { "pbcopy", NULL } },
};
enum { N_TOOLS = sizeof(tools) / sizeof(tools[0]), TMUX = 0 };

static bool in_path(const char *name)
{
	const char *p = getenv("PATH");
	char buf[1024];

	for (; p && *p; p += strcspn(p, ":"), p += *p == ':') {
		int n = (int)strcspn(p, ":");

		if (n && snprintf(buf, sizeof(buf), "%.*s/%s", n, p, name) < (int)sizeof(buf) && !access(buf, X_OK))
			return true;
	}
	return false;
}

/* The child of a child, so that nobody has to wait for it; it reads a file that has no name any more. */
static int run(const char *const *argv, int in)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -1;
	if (!pid) {
		int null = open("/dev/null", O_WRONLY);
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		if (fork())
			_exit(0);
		setsid();
		dup2(in, STDIN_FILENO);
		if (null >= 0) {
			dup2(null, STDOUT_FILENO);
			dup2(null, STDERR_FILENO);
		}
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	/* ECHILD: somebody before us has children waited for by the system */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return 0;
}

static int to_tool(int i, const char *text, size_t n, struct err *e)
{
	FILE *f = tmpfile();
	int r = -1;

	if (!f)
		return err_errno(e, "no file to copy by");
	if (xio_write(fileno(f), text, n, "the copy", e))
		goto out;
	if (lseek(fileno(f), 0, SEEK_SET) < 0 || run(tools[i].argv, fileno(f)))
		err_errno(e, "cannot run %s", tools[i].name);
	else
		r = 0;
out:
	fclose(f);
	return r;
}

static void to_terminal(const char *text, size_t n, clip_terminal_fn *terminal)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)text;
	struct str s;

	str_init(&s, 0);
	str_adds(&s, "\033]52;c;");
	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)p[i] << 16 | (i + 1 < n ? (unsigned)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);

		str_addc(&s, digits[v >> 18]);
		str_addc(&s, digits[v >> 12 & 63]);
		str_addc(&s, i + 1 < n ? digits[v >> 6 & 63] : '=');
		str_addc(&s, i + 2 < n ? digits[v & 63] : '=');
	}
	str_adds(&s, "\033\\");
	if (!s.failed)
		terminal(s.p, s.len);
	str_release(&s);
}

static int to_file(const char *text, size_t n, char *told, size_t size, struct err *e)
{
	struct str path;
	int r = -1;

	str_init(&path, 0);
	if (paths_dir(PATHS_CACHE, &path, e) || xio_mkdirs(path.p, e))
		goto out;
	str_adds(&path, "/copied.txt");
	r = xio_put(path.p, text, n, 0600, XIO_HASTY, e);
	if (!r)
		snprintf(told, size, "%zu bytes are too much for a terminal: written to %s", n, path.p);
out:
	str_release(&path);
	return r;
}

int clip_send(const char *text, size_t n, clip_terminal_fn *terminal, bool keep, char *told, size_t size, struct err *e)
{
	int i = 0;

	while (i < N_TOOLS && ((tools[i].env && !getenv(tools[i].env)) || !in_path(tools[i].name)))
		i++;
	if (i == N_TOOLS && !terminal)
		return err_set(e, ERR_UNSUPPORTED, "there is no terminal to copy by, and no tmux, wl-copy, xclip or pbcopy");
	if (i == N_TOOLS && n > CLIP_MAX && !keep)
		return err_set(e, ERR_LIMIT, "%zu bytes are too much for a terminal, and nothing is kept: /export writes a file", n);
	if (i == N_TOOLS && n > CLIP_MAX)
		return to_file(text, n, told, size, e);
	if (i < N_TOOLS && to_tool(i, text, n, e))
		return -1;
	if (i != TMUX && n <= CLIP_MAX && terminal)
		to_terminal(text, n, terminal);
	snprintf(told, size, "sent %zu bytes to %s", n, i < N_TOOLS ? tools[i].name : "the terminal (OSC 52)");
	return 0;
}
