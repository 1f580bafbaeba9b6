#include "config.h"
#include "engine/base/pool.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum { SPIN_NS = 50000 };

/*
 * A word that threads wait on until it changes. Waiters spin, then sleep on the
 * condition; `sleepers` tells the changer whether anyone must be woken.
 */
struct gate {
	_Alignas(64) atomic_uint word;
	atomic_int sleepers;
	pthread_mutex_t lock;
	pthread_cond_t cond;
};

struct pool {
	int nth;
	int64_t spin_ns;	/* 0 where threads outnumber cores: who spins keeps the one that it waits for from running */
	struct gate go;		/* counts runs */
	struct gate phase;	/* counts barriers */
	_Alignas(64) atomic_int arrived;
	pool_fn *fn;
	void *arg;
	bool quit;
	int started;
	struct worker { struct pool *p; int ith; pthread_t id; } *workers;
};

static void gate_init(struct gate *g)
{
	atomic_init(&g->word, 0);
	atomic_init(&g->sleepers, 0);
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->cond, NULL);
}

static void gate_destroy(struct gate *g)
{
	pthread_mutex_destroy(&g->lock);
	pthread_cond_destroy(&g->cond);
}

static void gate_wait(struct gate *g, unsigned old, int64_t spin_ns)
{
	const int64_t until = os_now_ns() + spin_ns;

	do {
		for (int i = 0; i < 64; i++) {
			if (atomic_load_explicit(&g->word, memory_order_acquire) != old)
				return;
			os_relax();
		}
	} while (os_now_ns() < until);
	pthread_mutex_lock(&g->lock);
	/* seq_cst on both sides: either we see the new word or the changer sees a sleeper */
	atomic_fetch_add(&g->sleepers, 1);
	while (atomic_load(&g->word) == old)
		pthread_cond_wait(&g->cond, &g->lock);
	atomic_fetch_sub(&g->sleepers, 1);
	pthread_mutex_unlock(&g->lock);
}

static void gate_open(struct gate *g)
{
	atomic_fetch_add(&g->word, 1);
	if (atomic_load(&g->sleepers)) {
		pthread_mutex_lock(&g->lock);
		pthread_cond_broadcast(&g->cond);
		pthread_mutex_unlock(&g->lock);
	}
}

void pool_barrier(struct pool *p)
{
	unsigned old;

	if (p->nth == 1)
		return;
	old = atomic_load_explicit(&p->phase.word, memory_order_acquire);
	if (atomic_fetch_add(&p->arrived, 1) == p->nth - 1) {
		atomic_store_explicit(&p->arrived, 0, memory_order_relaxed);
		gate_open(&p->phase);
	} else {
		gate_wait(&p->phase, old, p->spin_ns);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct pool *p = w->p;
	unsigned seen = 0;

	for (;;) {
		gate_wait(&p->go, seen, p->spin_ns);
		seen++;
		if (p->quit)
			return NULL;
		p->fn(p->arg, w->ith, p->nth);
		pool_barrier(p);
	}
}

void pool_run(struct pool *p, pool_fn *fn, void *arg)
{
	if (p->nth == 1) {
		fn(arg, 0, 1);
		return;
	}
	p->fn = fn;
	p->arg = arg;
	gate_open(&p->go);
	fn(arg, 0, p->nth);
	pool_barrier(p);
}

struct pool *pool_new(int threads, struct err *e)
{
	struct pool *p = mem_aligned(sizeof *p);
	static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP };
	sigset_t all, old;

	if (!p)
		goto nomem;
	*p = (struct pool){ .nth = threads < 1 ? 1 : threads, .spin_ns = threads > sysconf(_SC_NPROCESSORS_ONLN) ? 0 : SPIN_NS };
	gate_init(&p->go);
	gate_init(&p->phase);
	atomic_init(&p->arrived, 0);
	p->workers = mem_calloc((size_t)p->nth, sizeof *p->workers);
	if (!p->workers)
		goto nomem;
	/* signals are the main thread's business, but for those that a thread's own fault raises */
	sigfillset(&all);
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		sigdelset(&all, own[i]);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (int i = 1; i < p->nth; i++) {
		struct worker *w = &p->workers[i];

		*w = (struct worker){ .p = p, .ith = i };
		if (os_thread(&w->id, work, w)) {
			pthread_sigmask(SIG_SETMASK, &old, NULL);
			err_set(e, ERR_NOMEM, "cannot start compute thread %d of %d", i, p->nth);
			pool_free(p);
			return NULL;
		}
		p->started = i;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return p;
nomem:
	err_set(e, ERR_NOMEM, "no memory for %d compute threads", threads);
	pool_free(p);
	return NULL;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	if (p->workers) {
		p->quit = true;
		gate_open(&p->go);
		for (int i = 1; i <= p->started; i++)
			pthread_join(p->workers[i].id, NULL);
	}
	gate_destroy(&p->go);
	gate_destroy(&p->phase);
	mem_free(p->workers);
	mem_free(p);
}

int pool_threads(const struct pool *p)
{
	return p->nth;
}

void pool_share(int64_t n, int64_t grain, int ith, int nth, int64_t *lo, int64_t *hi)
{
	const int64_t units = (n + grain - 1) / grain;

	*lo = units * ith / nth * grain;
	*hi = units * (ith + 1) / nth * grain;
	if (*lo > n)
		*lo = n;
	if (*hi > n)
		*hi = n;
}
