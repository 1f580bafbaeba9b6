#include "config.h"
#include "t/lib/screenpty.h"
#include "engine/base/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* -- what may be sent ---------------------------------------------------------------- */

/*
 * Sequences that draw or set what is put back; '#' stands for numbers and semicolons. From the
 * terminfo entry of xterm-256color as curses uses it, and our own.
 */
static const char *const allowed[] = {
	/* cursor, erasing, scrolling, colours */
	"[#H", "[H", "[#A", "[A", "[#B", "[B", "[#C", "[C", "[#D", "[D", "[#G", "[G", "[#d", "[d", "[#J", "[J", "[#K", "[K",
	"[#X", "[#P", "[P", "[#@", "[@", "[#L", "[L", "[#M", "[M", "[#S", "[S", "[#T", "[T", "[#b", "[#r", "[r", "[#m", "[m",
	"(B", ")0", "7", "8", "M", "=", ">", "[4l", "[4h", "[!p", "[?3;4l",
	/* modes of curses': keypad, cursor, screen */
	"[?1h", "[?1l", "[?12l", "[?12h", "[?25l", "[?25h", "[?12;25h", "[?1049h", "[?1049l", "[?7h", "[?7l", "[39;49m", "[?1034h",
	/* ours: paste, focus, wheel, right to left, title, questions */
	"[?2004h", "[?2004l", "[?1004h", "[?1004l", "[?1000h", "[?1000l", "[?1006h", "[?1006l", "[?1007h", "[?1007l", "[8l", "[8h",
	"[22;0t", "[23;0t", "[22;0;0t", "[23;0;0t", "[8$p", "[?1007$p", "[c",
};

static bool matches(const char *rule, const char *s, size_t n)
{
	size_t i = 0;

	for (; *rule; rule++) {
		if (*rule == '#') {
			const size_t from = i;

			while (i < n && (s[i] == ';' || s[i] == ':' || (s[i] >= '0' && s[i] <= '9')))
				i++;
			if (i == from)
				return false;
		} else if (i == n || s[i++] != *rule) {
			return false;
		}
	}
	return i == n;
}

static void odd(struct screenpty *s, const char *what)
{
	size_t at;

	if (s->odd[0])
		return;
	at = (size_t)snprintf(s->odd, sizeof s->odd, "%s:", what);
	for (size_t i = 0; i < s->n_seq && at + 4 < sizeof s->odd; i++)
		at += (size_t)snprintf(s->odd + at, sizeof s->odd - at, " %02x", (unsigned char)s->seq[i]);
}

/* A title is printable text and nothing else. */
static bool title(const char *p, size_t n)
{
	if (n < 2 || memcmp(p, "]2", 2))
		return false;
	for (size_t i = 2; i < n; i++)
		if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f || (i + 1 < n && p[i] == '\xc2' && (unsigned char)p[i + 1] < 0xa0))
			return false;
	return true;
}

enum { TEXT, ESC, CSI, OSC, UTF8 };

static void end_sequence(struct screenpty *s)
{
	for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
		if (matches(allowed[i], s->seq, s->n_seq)) {
			s->state = TEXT;
			return;
		}
	odd(s, "a sequence on no list");
	s->state = TEXT;
}

static void text_byte(struct screenpty *s, unsigned char c)
{
	s->n_seq = 0;
	s->seq[s->n_seq++] = (char)c;
	if (c == 0x1b) {
		s->state = ESC;
		s->n_seq = 0;
	} else if (c == 0xc2) {
		s->state = UTF8;
	} else if ((c < 0x20 && !strchr("\r\n\b\t\a\016\017", c)) || c == 0 || c == 0x7f) {
		odd(s, "a control byte");
	}
}

void screenpty_check(struct screenpty *s, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const unsigned char c = (unsigned char)p[i];

		if (s->n_seq == sizeof s->seq)
			odd(s, "a sequence without end");
		switch (s->n_seq == sizeof s->seq ? TEXT : s->state) {
		case TEXT:
			text_byte(s, c);
			break;
		case UTF8:	/* C1 as UTF-8 */
			s->state = TEXT;
			if (c < 0xa0)
				odd(s, "a C1 control");
			break;
		case ESC:
			s->seq[s->n_seq++] = (char)c;
			if (c == '[')
				s->state = CSI;
			else if (c == ']')
				s->state = OSC;
			else if (c >= 0x30)
				end_sequence(s);
			break;
		case CSI:
			s->seq[s->n_seq++] = (char)c;
			if (c >= 0x40)
				end_sequence(s);
			break;
		case OSC:
			if (c == '\a') {
				if (!title(s->seq, s->n_seq))
					odd(s, "an OSC that is no title");
				s->state = TEXT;
				s->n_seq = 0;
			} else {
				s->seq[s->n_seq++] = (char)c;
			}
			break;
		}
	}
}

/* -- the terminal -------------------------------------------------------------------- */

static void child(const struct screenpty *s, const char *tty, const char *program, const char *const *args)
{
	const char *argv[32] = { program };
	int fd;

	for (int i = 0; args[i] && i < 30; i++)
		argv[i + 1] = args[i];
	setsid();
	fd = open(tty, O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) < 0)
		_exit(126);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	for (int i = 3; i < 64; i++)
		close(i);
	(void)s;
	/* a make in the background of a script has these ignored, a terminal's shell has not */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	setenv("TERM", "xterm-256color", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	unsetenv("TMUX");
	unsetenv("STY");
	unsetenv("LINES");
	unsetenv("COLUMNS");
	execv(program, (char *const *)argv);
	_exit(127);
}

static struct screenpty *open_as(bool ixon, int rows, int cols, const char *const *args)
{
	const char *build = getenv("TEST_BUILD");
	struct screenpty *s = calloc(1, sizeof *s);
	char program[512], tty[128];

	snprintf(program, sizeof program, "%s/tidbit", build ? build : ".");
	s->master = posix_openpt(O_RDWR | O_NOCTTY);
	if (access(program, X_OK) || s->master < 0 || grantpt(s->master) || unlockpt(s->master) || !ptsname(s->master)) {
		free(s);
		return NULL;
	}
	snprintf(tty, sizeof tty, "%s", ptsname(s->master));
	s->slave = open(tty, O_RDWR | O_NOCTTY);
	tcgetattr(s->slave, &s->before);
	if (!ixon) {
		s->before.c_iflag &= ~(tcflag_t)IXON;
		tcsetattr(s->slave, TCSANOW, &s->before);
	}
	screenpty_size(s, rows, cols);
	s->pid = fork();
	if (!s->pid)
		child(s, tty, program, args);
	return s;
}

struct screenpty *screenpty_open(int rows, int cols, const char *const *args)
{
	return open_as(true, rows, cols, args);
}

struct screenpty *screenpty_open_raw(int rows, int cols, const char *const *args)
{
	return open_as(false, rows, cols, args);
}

static void keep(struct screenpty *s, const char *p, size_t n)
{
	if (s->n + n > sizeof s->kept) {
		const size_t drop = s->n / 2 > n ? s->n / 2 : n;

		memmove(s->kept, s->kept + drop, s->n - drop);
		s->n -= drop;
	}
	memcpy(s->kept + s->n, p, n);
	s->n += n;
	s->total += n;
	screenpty_check(s, p, n);
}

/* What is there within ms; false: nothing. */
static bool take(struct screenpty *s, int ms)
{
	struct pollfd p = { .fd = s->master, .events = POLLIN };
	char buf[65536];
	ssize_t n;

	if (poll(&p, 1, ms) <= 0)
		return false;
	n = read(s->master, buf, sizeof buf);
	if (n > 0)
		keep(s, buf, (size_t)n);
	return n > 0;
}

void screenpty_read(struct screenpty *s, int quiet, int ms)
{
	const int64_t end = os_now_ns() + (int64_t)ms * 1000000;

	while (os_now_ns() < end && take(s, quiet))
		continue;
}

double screenpty_until(struct screenpty *s, uint64_t from, const char *text, int ms)
{
	const int64_t start = os_now_ns(), end = start + (int64_t)ms * 1000000;

	do {
		const uint64_t first = s->total - s->n;
		const size_t at = from > first ? (size_t)(from - first) : 0;

		if (at < s->n && memmem(s->kept + at, s->n - at, text, strlen(text)))
			return (double)(os_now_ns() - start) / 1e6;
		take(s, 5);
	} while (os_now_ns() < end);
	return -1;
}

void screenpty_type(struct screenpty *s, const char *text, size_t n)
{
	struct pollfd p = { .fd = s->master, .events = POLLOUT };

	while (n) {
		const ssize_t k = poll(&p, 1, 5000) > 0 ? write(s->master, text, n < 1024 ? n : 1024) : -1;

		if (k <= 0)
			return;
		text += k;
		n -= (size_t)k;
		if (n)
			take(s, 0);
	}
}

void screenpty_size(struct screenpty *s, int rows, int cols)
{
	struct winsize ws = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };

	ioctl(s->master, TIOCSWINSZ, &ws);
}

bool screenpty_alive(struct screenpty *s)
{
	siginfo_t info = { 0 };

	return !waitid(P_PID, (id_t)s->pid, &info, WEXITED | WNOHANG | WNOWAIT) && !info.si_pid;
}

int screenpty_end(struct screenpty *s, bool reading, int ms)
{
	const int64_t end = os_now_ns() + (int64_t)ms * 1000000;
	int status;

	while (os_now_ns() < end) {
		if (waitpid(s->pid, &status, WNOHANG) == s->pid) {
			s->pid = 0;
			screenpty_read(s, 0, 1000);
			return status;
		}
		if (reading)
			take(s, 5);
		else
			usleep(5000);
	}
	return -1;
}

bool screenpty_restored(const struct screenpty *s)
{
	struct termios now;

	return !tcgetattr(s->slave, &now) && now.c_iflag == s->before.c_iflag && now.c_oflag == s->before.c_oflag &&
	       now.c_cflag == s->before.c_cflag && now.c_lflag == s->before.c_lflag &&
	       !memcmp(now.c_cc, s->before.c_cc, sizeof now.c_cc);
}

void screenpty_close(struct screenpty *s)
{
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	close(s->slave);
	close(s->master);
	free(s);
}

/* -- what it uses -------------------------------------------------------------------- */

static uint64_t switches_of(const char *dir)
{
	char path[600], line[128];
	unsigned long long v;
	uint64_t sum = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s/status", dir);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "voluntary_ctxt_switches: %llu", &v) == 1 || sscanf(line, "nonvoluntary_ctxt_switches: %llu", &v) == 1)
			sum += v;
	if (f)
		fclose(f);
	return sum;
}

void screenpty_use(const struct screenpty *s, struct screenpty_use *u)
{
	unsigned long long pages = 0, user = 0, sys = 0;
	char path[400], line[1024];
	struct dirent *d;
	DIR *dir;
	FILE *f;

	*u = (struct screenpty_use){ 0 };
	snprintf(path, sizeof path, "/proc/%d/statm", (int)s->pid);
	f = fopen(path, "r");
	if (f && fscanf(f, "%*u %llu", &pages) == 1)
		u->rss = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	if (f)
		fclose(f);
	snprintf(path, sizeof path, "/proc/%d/stat", (int)s->pid);
	f = fopen(path, "r");
	if (f && fgets(line, sizeof line, f) && strrchr(line, ')') &&
	    sscanf(strrchr(line, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &sys) == 2)
		u->cpu_ticks = user + sys;
	if (f)
		fclose(f);
	snprintf(path, sizeof path, "/proc/%d/task", (int)s->pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		char task[512];

		if (d->d_name[0] == '.')
			continue;
		snprintf(task, sizeof task, "%s/%.64s", path, d->d_name);
		u->switches += switches_of(task);
	}
	if (dir)
		closedir(dir);
}
