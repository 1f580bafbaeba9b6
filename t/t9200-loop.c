/* The loop: wakes coalesced, one timer, signals on the loop's thread, standard input, no busy turns. */
#include "config.h"
#include "app/loop.h"
#include "engine/base/os.h"
#include "t/lib/tap.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct seen {
	struct loop *l;
	int inputs, wakes, timers, turns, signals[NSIG];
	int wakes_at_turn;	/* wakes told since the turn before: never more than one */
	bool doubled;
	pthread_t thread;
	bool wrong_thread;
	int quit_wakes, quit_sig;	/* leave after so many wakes; after this signal */
};

static void check_thread(struct seen *s)
{
	if (!pthread_equal(s->thread, pthread_self()))
		s->wrong_thread = true;
}

static void on_input(void *arg)
{
	struct seen *s = arg;
	char buf[16];

	check_thread(s);
	s->inputs++;
	if (read(STDIN_FILENO, buf, sizeof buf) == 0) {
		loop_watch_input(s->l, false);
		loop_quit(s->l, 7);
	}
}

static void on_signal(void *arg, int sig)
{
	struct seen *s = arg;

	check_thread(s);
	s->signals[sig]++;
	if (sig == s->quit_sig)
		loop_quit(s->l, sig);
}

static void on_wake(void *arg)
{
	struct seen *s = arg;

	check_thread(s);
	s->wakes++;
	if (s->wakes_at_turn++)
		s->doubled = true;
	if (s->quit_wakes && s->wakes >= s->quit_wakes)
		loop_quit(s->l, 0);
}

static void on_timer(void *arg)
{
	struct seen *s = arg;

	check_thread(s);
	s->timers++;
	loop_quit(s->l, 3);
}

static void on_turn(void *arg)
{
	struct seen *s = arg;

	check_thread(s);
	s->turns++;
	s->wakes_at_turn = 0;
}

static const struct loop_ops ops = {
	.input = on_input, .signal = on_signal, .wake = on_wake, .timer = on_timer, .turn = on_turn,
};

static void start(struct seen *s)
{
	struct err e;

	*s = (struct seen){ .thread = pthread_self() };
	if (loop_new(&s->l, &ops, s, &e))
		tap_bail("%s", e.msg);
	loop_watch_input(s->l, false);
}

static void test_wakes(void)
{
	struct seen s;

	start(&s);
	for (int i = 0; i < 100000; i++)
		loop_wake(s.l);
	loop_timer(s.l, 20);
	ok(loop_run(s.l) == 3, "the loop returns what loop_quit() was given");
	ok(s.wakes == 1, "a hundred thousand wakes before a turn are one (%d)", s.wakes);
	ok(s.turns == 3, "a turn before the first wait, one for the wake, one for the timer (%d)", s.turns);
	loop_free(s.l);
}

enum { WAKERS = 3, WAKES = 20000 };

static void *wake_often(void *arg)
{
	for (int i = 0; i < WAKES; i++) {
		loop_wake(arg);
		if (i % 16 == 0)
			sched_yield();
	}
	return NULL;
}

static void test_threads(void)
{
	pthread_t t[WAKERS];
	struct seen s;

	start(&s);
	for (int i = 0; i < WAKERS; i++)
		pthread_create(&t[i], NULL, wake_often, s.l);
	loop_timer(s.l, 300);
	loop_run(s.l);
	for (int i = 0; i < WAKERS; i++)
		pthread_join(t[i], NULL);
	ok(s.wakes >= 1 && s.wakes <= WAKERS * WAKES, "wakes of other threads arrive (%d)", s.wakes);
	ok(!s.doubled, "never two of them in one turn");
	ok(!s.wrong_thread, "everything is told on the loop's thread");
	/* the last wake of all must not be lost */
	s.wakes = 0;
	s.quit_wakes = 1;
	loop_wake(s.l);
	loop_timer(s.l, 2000);
	ok(loop_run(s.l) == 0, "a wake between two runs is not lost");
	loop_free(s.l);
}

static void test_timer(void)
{
	struct seen s;
	int64_t t;

	start(&s);
	loop_timer(s.l, 5000);
	loop_timer(s.l, 30);
	t = os_now_ns();
	loop_run(s.l);
	t = os_now_ns() - t;
	ok(t >= 30000000 && t < 2000000000, "a later call replaces the timer (%.1f ms)", (double)t / 1e6);
	ok(s.timers == 1 && s.turns == 2, "it fires once and never early (%d turns)", s.turns);
	loop_timer(s.l, 10);
	loop_timer(s.l, -1);
	s.quit_sig = SIGWINCH;
	t = os_now_ns();
	if (!fork()) {
		usleep(60000);
		kill(getppid(), SIGWINCH);
		_exit(0);
	}
	loop_run(s.l);
	ok(s.timers == 1, "-1 stops it");
	wait(NULL);
	loop_free(s.l);
}

static void test_signals(void)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT };
	struct sigaction sa;
	struct seen s;
	bool all = true;

	/* Started in the background of a script, SIGINT comes ignored. */
	for (size_t i = 0; i < sizeof sigs / sizeof *sigs; i++)
		signal(sigs[i], SIG_DFL);
	start(&s);
	for (size_t i = 0; i < sizeof sigs / sizeof *sigs; i++)
		for (int k = 0; k < 3; k++)
			raise(sigs[i]);
	loop_timer(s.l, 10);
	loop_run(s.l);
	for (size_t i = 0; i < sizeof sigs / sizeof *sigs; i++)
		all = all && s.signals[sigs[i]] == 1;
	ok(all, "each of the six signals is told, once a turn");
	loop_free(s.l);
	sigaction(SIGTERM, NULL, &sa);
	ok(sa.sa_handler == SIG_DFL, "what was there before comes back");
	signal(SIGHUP, SIG_IGN);
	start(&s);
	sigaction(SIGHUP, NULL, &sa);
	ok(sa.sa_handler == SIG_IGN, "an ignored signal (nohup) stays ignored");
	loop_free(s.l);
	signal(SIGHUP, SIG_DFL);
}

/* A child stops itself by loop_suspend() and goes on when continued. */
static void test_suspend(void)
{
	const pid_t pid = fork();
	int status;
	struct seen s;

	if (!pid) {
		/* a group of its own with a parent outside it: the kernel stops no orphans */
		setpgid(0, 0);
		start(&s);
		loop_suspend(s.l);
		s.quit_sig = SIGCONT;
		loop_timer(s.l, 3000);
		_exit(loop_run(s.l) == SIGCONT ? 0 : 1);
	}
	setpgid(pid, pid);
	waitpid(pid, &status, WUNTRACED);
	ok(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP, "loop_suspend() stops the program as SIGTSTP does");
	kill(pid, SIGCONT);
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && !WEXITSTATUS(status), "continued, it tells SIGCONT");
}

static void test_input(void)
{
	int fd[2], r;
	struct seen s;

	if (pipe(fd) || dup2(fd[0], STDIN_FILENO) < 0)
		exit(1);
	start(&s);
	loop_watch_input(s.l, true);
	ok(write(fd[1], "x", 1) == 1, "something to read");
	close(fd[1]);
	r = loop_run(s.l);
	ok(r == 7 && s.inputs == 2, "input and its end are told (%d)", s.inputs);
	ok(!(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK), "standard input stays blocking");
	/* the end of file can be read for ever: a loop that does not watch it must sleep */
	s.turns = 0;
	loop_timer(s.l, 200);
	loop_run(s.l);
	ok(s.turns == 2, "unwatched, its end turns nothing (%d turns)", s.turns);
	loop_free(s.l);
}

static void test_idle(void)
{
	struct rusage a, b;
	struct seen s;
	double used;

	start(&s);
	loop_timer(s.l, 500);
	getrusage(RUSAGE_SELF, &a);
	loop_run(s.l);
	getrusage(RUSAGE_SELF, &b);
	used = (double)(b.ru_utime.tv_sec - a.ru_utime.tv_sec + b.ru_stime.tv_sec - a.ru_stime.tv_sec) +
	       (double)(b.ru_utime.tv_usec - a.ru_utime.tv_usec + b.ru_stime.tv_usec - a.ru_stime.tv_usec) / 1e6;
	ok(used < 0.02, "half a second of waiting costs no processor (%.1f ms)", used * 1e3);
	loop_free(s.l);
}

int main(void)
{
	test_wakes();
	test_threads();
	test_timer();
	test_signals();
	test_suspend();
	test_input();
	test_idle();
	return tap_done();
}
