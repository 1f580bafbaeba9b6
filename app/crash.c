#include "config.h"
#include "app/crash.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

enum { SIGNAL_STACK = 64 * 1024 };

/* The loop answers SIGINT SIGTERM SIGHUP SIGWINCH SIGTSTP SIGCONT; the rest of those that would end the program are these. */
static const int deadly[] = {
	SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP, SIGQUIT, SIGALRM, SIGVTALRM,
	SIGPROF, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ,
#ifdef SIGPOLL
	SIGPOLL,
#endif
#ifdef SIGPWR
	SIGPWR,
#endif
#ifdef SIGSTKFLT
	SIGSTKFLT,
#endif
};
enum { N_DEADLY = sizeof(deadly) / sizeof(deadly[0]) };

static struct sigaction before[N_DEADLY];
static char signal_stack[SIGNAL_STACK];
static void (*volatile put_back_fn)(void);

static void crash(int sig)
{
	void (*const fn)(void) = put_back_fn;
	int kept = errno;

	if (fn)
		fn();
	/* A fault goes to whoever had the signal before (a sanitizer, the default) when we return. */
	for (int i = 0; i < N_DEADLY; i++)
		if (deadly[i] == sig)
			sigaction(sig, &before[i], NULL);
	errno = kept;
	raise(sig);
}

void crash_take(void (*put_back)(void))
{
	struct sigaction sa;
	stack_t st;

	if (!sigaltstack(NULL, &st) && (st.ss_flags & SS_DISABLE)) {
		st.ss_sp = signal_stack;
		st.ss_size = sizeof(signal_stack);
		st.ss_flags = 0;
		sigaltstack(&st, NULL);
	}
	put_back_fn = put_back;
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = crash;
	sa.sa_flags = SA_ONSTACK;
	sigemptyset(&sa.sa_mask);
	for (int i = 0; i < N_DEADLY; i++) {
		sigaction(deadly[i], NULL, &before[i]);
		if (!(before[i].sa_flags & SA_SIGINFO) && before[i].sa_handler == SIG_IGN)
			continue;
		sigaction(deadly[i], &sa, NULL);
	}
}

void crash_give(void)
{
	for (int i = 0; i < N_DEADLY; i++)
		sigaction(deadly[i], &before[i], NULL);
	put_back_fn = NULL;
}
