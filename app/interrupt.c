#include "config.h"
#include "app/interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_int seen;
static _Atomic(struct eng_session *) sessions[INTERRUPT_SESSIONS];

static void on_signal(int sig)
{
	atomic_store(&seen, sig);
	for (int i = 0; i < INTERRUPT_SESSIONS; i++) {
		struct eng_session *s = atomic_load(&sessions[i]);

		if (s)
			eng_session_cancel(s);
	}
}

void interrupt_catch(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND }, old;

	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &sa, NULL);
}

bool interrupt_seen(void)
{
	return atomic_load(&seen) != 0;
}

int interrupt_exit(void)
{
	return 128 + atomic_load(&seen);
}

void interrupt_watch(struct eng_session *s)
{
	for (int i = 0; i < INTERRUPT_SESSIONS; i++) {
		struct eng_session *none = NULL;

		if (atomic_compare_exchange_strong(&sessions[i], &none, s))
			break;
	}
	if (interrupt_seen())
		eng_session_cancel(s);
}

void interrupt_unwatch(struct eng_session *s)
{
	for (int i = 0; i < INTERRUPT_SESSIONS; i++) {
		struct eng_session *it = s;

		if (atomic_compare_exchange_strong(&sessions[i], &it, NULL))
			break;
	}
}
