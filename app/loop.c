/*
 * The loop. Everything that is not standard input comes through one pipe: signal handlers
 * and other threads leave a flag and write a byte. Owned by the main thread.
 */
#include "config.h"
#include "app/loop.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

static const int loop_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT };
enum { N_SIGNALS = sizeof loop_signals / sizeof loop_signals[0] };

struct loop {
	struct loop_ops ops;
	void *arg;
	int rd;
	struct sigaction old[N_SIGNALS];
	int64_t deadline;	/* of the timer; -1: none */
	bool watch, quit;
	int value;
	atomic_bool woken;	/* loop_wake() was called and not yet told */
};

/* What handlers may touch: all lock-free, and it outlives every loop. */
static atomic_int wake_fd = -1;
static atomic_bool raised[N_SIGNALS];

static void poke(void)
{
	const int saved = errno;
	const int fd = atomic_load(&wake_fd);

	/* a full pipe is as good as one more byte: the reader will wake */
	if (fd >= 0) {
		const ssize_t n = write(fd, "", 1);

		(void)n;
	}
	errno = saved;
}

static void (*volatile on_kill)(void);

void loop_on_kill(void (*fn)(void))
{
	on_kill = fn;
}

static void on_signal(int sig)
{
	void (*const kill_fn)(void) = on_kill;
	const int saved = errno;

	for (int i = 0; i < N_SIGNALS; i++)
		if (loop_signals[i] == sig)
			atomic_store(&raised[i], true);
	poke();
	if (kill_fn && (sig == SIGTERM || sig == SIGHUP))
		kill_fn();
	errno = saved;
}

/* pipe2() in what every system has. */
static int open_pipe(int fd[2], struct err *e)
{
	if (pipe(fd) < 0)
		return err_errno(e, "cannot make a pipe for signals");
	for (int i = 0; i < 2; i++) {
		if (fcntl(fd[i], F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd[i], F_SETFL, O_NONBLOCK) < 0) {
			err_errno(e, "cannot set up the pipe for signals");
			close(fd[0]);
			close(fd[1]);
			return -1;
		}
	}
	return 0;
}

int loop_new(struct loop **out, const struct loop_ops *ops, void *arg, struct err *e)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct loop *l = mem_calloc(1, sizeof *l);
	int fd[2];

	assert(atomic_load(&wake_fd) < 0);
	if (!l)
		return err_set(e, ERR_NOMEM, "no memory for the loop");
	if (open_pipe(fd, e)) {
		mem_free(l);
		return -1;
	}
	l->ops = *ops;
	l->arg = arg;
	l->rd = fd[0];
	l->deadline = -1;
	l->watch = true;
	for (int i = 0; i < N_SIGNALS; i++)
		atomic_store(&raised[i], false);
	atomic_store(&wake_fd, fd[1]);
	sigfillset(&sa.sa_mask);
	for (int i = 0; i < N_SIGNALS; i++) {
		sigaction(loop_signals[i], NULL, &l->old[i]);
		/* what was ignored when we were started (nohup, a shell's background job) stays so */
		if (l->old[i].sa_handler != SIG_IGN || loop_signals[i] == SIGWINCH)
			sigaction(loop_signals[i], &sa, NULL);
	}
	*out = l;
	return 0;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	for (int i = 0; i < N_SIGNALS; i++)
		sigaction(loop_signals[i], &l->old[i], NULL);
	close(atomic_exchange(&wake_fd, -1));
	close(l->rd);
	mem_free(l);
}

static bool take_signals(struct loop *l)
{
	bool any = false;

	for (int i = 0; i < N_SIGNALS; i++) {
		if (!atomic_exchange(&raised[i], false))
			continue;
		any = true;
		if (l->ops.signal)
			l->ops.signal(l->arg, loop_signals[i]);
	}
	return any;
}

static bool take_timer(struct loop *l)
{
	if (l->deadline < 0 || os_now_ns() < l->deadline)
		return false;
	l->deadline = -1;
	if (l->ops.timer)
		l->ops.timer(l->arg);
	return true;
}

static bool take_wake(struct loop *l)
{
	if (!atomic_exchange(&l->woken, false))
		return false;
	if (l->ops.wake)
		l->ops.wake(l->arg);
	return true;
}

static void drain(int fd)
{
	char buf[64];

	while (read(fd, buf, sizeof buf) > 0)
		continue;
}

/* Milliseconds to wait, rounded up: a timer that fires early would turn the loop twice. */
static int wait_ms(const struct loop *l)
{
	int64_t ms;

	if (l->deadline < 0)
		return -1;
	ms = (l->deadline - os_now_ns() + 999999) / 1000000;
	return ms < 0 ? 0 : ms > INT_MAX ? INT_MAX : (int)ms;
}

/* One turn: waits, tells everybody, then lets `turn` paint once. */
static void turn(struct loop *l)
{
	struct pollfd fds[2] = {
		{ .fd = l->rd, .events = POLLIN },
		{ .fd = l->watch ? STDIN_FILENO : -1, .events = POLLIN },
	};
	const int n = poll(fds, 2, wait_ms(l));
	bool any;

	if (n < 0)
		fds[0].revents = fds[1].revents = 0;
	/* the pipe is emptied before the flags are read: a flag set in between has its byte still */
	if (fds[0].revents)
		drain(l->rd);
	any = take_signals(l);
	any |= take_timer(l);
	any |= take_wake(l);
	if (fds[1].revents && l->watch && !l->quit) {
		any = true;
		if (l->ops.input)
			l->ops.input(l->arg);
	}
	if (any && l->ops.turn)
		l->ops.turn(l->arg);
}

int loop_run(struct loop *l)
{
	if (l->ops.turn)
		l->ops.turn(l->arg);
	while (!l->quit)
		turn(l);
	l->quit = false;
	return l->value;
}

void loop_quit(struct loop *l, int value)
{
	l->quit = true;
	l->value = value;
}

void loop_timer(struct loop *l, int64_t ms)
{
	l->deadline = ms < 0 ? -1 : os_now_ns() + ms * 1000000;
}

void loop_wake(struct loop *l)
{
	if (!atomic_exchange(&l->woken, true))
		poke();
}

void loop_watch_input(struct loop *l, bool on)
{
	l->watch = on;
}

void loop_suspend(struct loop *l)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL }, ours;
	sigset_t set, old;

	(void)l;
	sigemptyset(&dfl.sa_mask);
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	sigaction(SIGTSTP, &dfl, &ours);
	pthread_sigmask(SIG_UNBLOCK, &set, &old);
	raise(SIGTSTP);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	sigaction(SIGTSTP, &ours, NULL);
}

void loop_block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (int i = 0; i < N_SIGNALS; i++)
		sigaddset(&set, loop_signals[i]);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}
