#include "config.h"
#include "ui/term.h"

#include "app/crash.h"
#include "engine/base/os.h"
#include "engine/base/str.h"
#include "ui/ttyask.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

enum {
	UNREAD_MS = 100,
	ANSWERS_COME_MS = 1000, ANSWER_MS = 50,	/* until no answer is expected any more; when leaving before */
};

/* Signals that curses would take for itself when it starts. */
static const int curses_takes[] = { SIGINT, SIGTERM, SIGTSTP, SIGWINCH };
enum { N_CURSES_TAKES = sizeof(curses_takes) / sizeof(curses_takes[0]) };

static SCREEN *screen;
static bool atexit_set;
static struct termios tty_before, tty_screen;

/* Made while starting, so that a crash needs nothing but write(2). */
static struct { char p[256]; size_t n; } enter_bytes, leave_bytes;
static size_t first_bytes;		/* of enter_bytes: questions, which are asked once, follow */
static volatile sig_atomic_t on_screen;
/* To be put back, and how. */
static volatile sig_atomic_t titles, bidi_off, scroll_was;
static const char title_push[] = "\033[22;0t", title_pop[] = "\033[23;0t";
static const char bidi_on[] = "\033[8h", scroll_on[] = "\033[?1007h";
static bool mouse_on;
static int64_t asked_ns;		/* questions are out since then; 0: none */

static void write_all(const char *p, size_t n)
{
	while (n) {
		ssize_t k = write(STDOUT_FILENO, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return;
		p += k;
		n -= (size_t)k;
	}
}

/* A terminal that is held (Ctrl-S) or not read must not keep us from leaving it. */
static void free_output(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

	if (poll(&p, 1, 0))
		return;
	/* Linux takes TCOON only after TCOOFF: a stop by Ctrl-S is not its business otherwise. */
	tcflow(STDOUT_FILENO, TCOOFF);
	tcflow(STDOUT_FILENO, TCOON);
	if (!poll(&p, 1, UNREAD_MS))
		tcflush(STDOUT_FILENO, TCOFLUSH);
}

/* In a handler too. */
static void put_back(void)
{
	if (bidi_off)
		write_all(bidi_on, sizeof(bidi_on) - 1);
	if (scroll_was)
		write_all(scroll_on, sizeof(scroll_on) - 1);
	write_all(leave_bytes.p, leave_bytes.n);
	if (titles)
		write_all(title_pop, sizeof(title_pop) - 1);
}

void term_let_go(void)
{
	if (on_screen)
		free_output();
}

static void crash(void)
{
	if (!on_screen)
		return;
	on_screen = 0;
	free_output();
	put_back();
	tcsetattr(STDIN_FILENO, TCSANOW, &tty_before);
}

/* -- the bytes that enter and leave the screen ---------------------------------------- */

static struct str *collecting;

static int collect(int c)
{
	str_addc(collecting, (char)c);
	return c;
}

static void add_cap(const char *name)
{
	char *s = tigetstr((char *)name);

	if (s && s != (char *)-1)
		tputs(s, 1, collect);
}

/* What is asked and pushed goes to those only that read it. */
static void make_sequences(void)
{
	static const char *const leave[] = { "sgr0", "op", "rmkx", "rmcup", "cnorm" };
	const bool ask = tty_like_xterm() && !tty_multiplexed();
	struct str s;

	str_init(&s, sizeof(enter_bytes.p));
	collecting = &s;
	titles = tty_has_title();
	add_cap("smkx");
	str_adds(&s, "\033[?2004h\033[?1004h");
	if (titles)
		str_adds(&s, title_push);
	first_bytes = s.len;
	if (ask)
		str_adds(&s, tty_questions);
	str_adds(&s, "\033[?1007l");
	memcpy(enter_bytes.p, s.p, s.len);
	enter_bytes.n = s.len;
	str_clear(&s);
	str_adds(&s, "\033[?2004l\033[?1004l\033[?1006l\033[?1000l");
	for (size_t i = 0; i < sizeof(leave) / sizeof(leave[0]); i++)
		add_cap(leave[i]);
	str_adds(&s, "\r");
	memcpy(leave_bytes.p, s.p, s.len);
	leave_bytes.n = s.len;
	str_release(&s);
	asked_ns = ask ? os_now_ns() : 0;
}

/* -- start and stop ------------------------------------------------------------------- */

static void set_modes(void)
{
	tcgetattr(STDIN_FILENO, &tty_screen);
	tty_screen.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | ISTRIP | BRKINT);
	tty_screen.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | ISIG | IEXTEN);
	tty_screen.c_cc[VMIN] = 1;
	tty_screen.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &tty_screen);
	/* From now on curses comes back from endwin() to these modes. */
	def_prog_mode();
}

static void enter(void)
{
	on_screen = 1;
	write_all(enter_bytes.p, asked_ns ? enter_bytes.n : first_bytes);
	if (!asked_ns)
		write_all("\033[?1007l", 8);
}

/* Answers that are still on their way would be typed into the shell. */
static void drop_answers(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	const int64_t end = os_now_ns() + (int64_t)ANSWER_MS * 1000000;
	char buf[256];

	if (!asked_ns || os_now_ns() - asked_ns > (int64_t)ANSWERS_COME_MS * 1000000)
		return;
	while (os_now_ns() < end && poll(&p, 1, ANSWER_MS) > 0) {
		const ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

		/* the last of them, and what comes before a person has looked up */
		if (n <= 0 || memchr(buf, 'c', (size_t)n))
			break;
	}
	asked_ns = 0;
}

static void leave(void)
{
	free_output();
	drop_answers();
	/* Before endwin(), so that the last thing the terminal hears is curses' own farewell. */
	write_all("\033[?2004l", 8);
	endwin();
	put_back();
	tcsetattr(STDIN_FILENO, TCSADRAIN, &tty_before);
	on_screen = bidi_off = mouse_on = false;
}

int term_start(struct err *e)
{
	struct sigaction kept[N_CURSES_TAKES];

	if (tcgetattr(STDIN_FILENO, &tty_before))
		return err_errno(e, "standard input is no terminal");
	for (int i = 0; i < N_CURSES_TAKES; i++)
		sigaction(curses_takes[i], NULL, &kept[i]);
	screen = newterm(NULL, stdout, stdin);
	for (int i = 0; i < N_CURSES_TAKES; i++)
		sigaction(curses_takes[i], &kept[i], NULL);
	if (!screen)
		return err_set(e, ERR_UNSUPPORTED, "curses does not know the terminal \"%.40s\" (TERM)",
			       getenv("TERM") ? getenv("TERM") : "");
	make_sequences();
	crash_take(crash);
	if (!atexit_set)
		atexit_set = !atexit(term_stop);
	nonl();
	set_modes();
	intrflush(NULL, FALSE);
	leaveok(stdscr, FALSE);
	idlok(stdscr, FALSE);
	enter();
	term_resized();
	return 0;
}

void term_stop(void)
{
	if (!screen)
		return;
	if (on_screen)
		leave();
	crash_give();
	delscreen(screen);
	screen = NULL;
}

void term_leave(void)
{
	leave();
}

void term_send(const char *p, size_t n)
{
	fflush(stdout);
	write_all(p, n);
}

void term_title(const char *text)
{
	if (!titles)
		return;
	term_send("\033]2;", 4);
	term_send(text, strlen(text));
	term_send("\a", 1);
}

void term_mouse(bool on)
{
	static const char start[] = "\033[?1000h\033[?1006h", stop[] = "\033[?1006l\033[?1000l";

	if (on != mouse_on)
		term_send(on ? start : stop, sizeof(start) - 1);
	mouse_on = on;
}

void term_bidi(bool off)
{
	if (off == (bool)bidi_off)
		return;
	if (off)
		bidi_off = true;
	term_send(off ? "\033[8l" : bidi_on, sizeof(bidi_on) - 1);
	bidi_off = off;
}

void term_scroll_was(bool on)
{
	scroll_was = on;
}

void term_answered(void)
{
	asked_ns = 0;
}

void term_resume(void)
{
	tcsetattr(STDIN_FILENO, TCSADRAIN, &tty_screen);
	doupdate();
	reset_prog_mode();
	enter();
	term_resized();
	clearok(curscr, TRUE);
}

void term_suspend(void)
{
	struct sigaction kept, sa;

	leave();
	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGTSTP, &sa, &kept);
	/* The rest of the job first; then ourselves, in this thread, so that nothing below runs too early. */
	kill(0, SIGTSTP);
	sa.sa_handler = SIG_DFL;
	sigaction(SIGTSTP, &sa, NULL);
	raise(SIGTSTP);
	sigaction(SIGTSTP, &kept, NULL);
	/* A shell may have changed its modes meanwhile: those are the ones to put back at the end. */
	tcgetattr(STDIN_FILENO, &tty_before);
	term_resume();
}

bool term_resized(void)
{
	struct winsize ws;
	int rows, cols;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) || (!ws.ws_row && !ws.ws_col))
		return false;
	rows = ws.ws_row ? ws.ws_row : 1;
	cols = ws.ws_col ? ws.ws_col : 1;
	if (rows == LINES && cols == COLS)
		return false;
	resizeterm(rows, cols);
	return true;
}

bool term_writable(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&p, 1, 0) != 0;
}
