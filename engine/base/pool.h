/*
 * A team of threads for compute. The caller is thread 0; the others sleep between
 * runs. Inside a run, all threads execute the same function and meet at barriers:
 * a whole forward step is one run, so that a token costs one wake and not one per
 * operation. A waiting thread spins at most 50 microseconds, then sleeps: an idle
 * pool uses no processor.
 *
 * A pool belongs to one thread at a time: pool_run() is not reentrant.
 */
#ifndef ENGINE_BASE_POOL_H
#define ENGINE_BASE_POOL_H

#include "engine/base/err.h"

#include <stdint.h>

struct pool;

typedef void pool_fn(void *arg, int ith, int nth);

/* threads >= 1, the caller included. NULL on failure. */
struct pool *pool_new(int threads, struct err *e);
void pool_free(struct pool *p);
int pool_threads(const struct pool *p);

/* Runs fn(arg, ith, nth) on every thread and returns when all have returned. */
void pool_run(struct pool *p, pool_fn *fn, void *arg);

/* Inside a run, by every thread: returns when all have called it. Orders memory like a lock. */
void pool_barrier(struct pool *p);

/* The ith of nth equal shares of n items, in steps of `grain`: [*lo, *hi). */
void pool_share(int64_t n, int64_t grain, int ith, int nth, int64_t *lo, int64_t *hi);

#endif
