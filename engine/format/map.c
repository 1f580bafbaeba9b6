#include "config.h"
#include "engine/format/map.h"
#include "engine/base/xio.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif
#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

/*
 * What the handler reads. Ranges are never freed, only used again: a handler that walks the
 * list on another thread must not meet memory that is gone.
 */
struct range {
	atomic_uintptr_t lo, hi;	/* lo 0: free */
	atomic_int prot;
	atomic_bool cut;
	struct range *next;
};

struct map {
	unsigned char *p;
	size_t size;
	struct range *range;
};

static _Atomic(struct range *) ranges;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* taking ranges, setting the handler */
static struct sigaction before;
static uintptr_t page_size;

/* Async-signal-safe on every system we know: mmap is a bare system call there. */
static bool patch(uintptr_t at)
{
	for (struct range *r = atomic_load(&ranges); r; r = r->next) {
		const uintptr_t lo = atomic_load(&r->lo), hi = atomic_load(&r->hi);
		const uintptr_t page = at & ~(page_size - 1);

		if (!lo || at < lo || at >= hi)
			continue;
		atomic_store(&r->cut, true);
		/* to the end of the mapping: what follows is void too, and a fault a page is slow */
		return mmap((void *)page, hi - page, atomic_load(&r->prot),
			    MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED;
	}
	return false;
}

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	static _Thread_local volatile sig_atomic_t inside;

	if (info->si_code > 0 && patch((uintptr_t)info->si_addr))
		return;
	if (!inside && (before.sa_flags & SA_SIGINFO)) {
		inside = 1;
		before.sa_sigaction(sig, info, context);
		inside = 0;
	} else if (!inside && before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
		inside = 1;
		before.sa_handler(sig);
		inside = 0;
	} else {
		/* a fault comes again when we return; a signal that was sent does not */
		signal(sig, SIG_DFL);
		if (info->si_code <= 0)
			raise(sig);
	}
}

/* Under the lock. Someone may have put a handler over ours since: then that is the one before. */
static int install(struct err *e)
{
	struct sigaction now, ours = { .sa_flags = SA_SIGINFO | SA_ONSTACK };

	if (sigaction(SIGBUS, NULL, &now) < 0)
		return err_errno(e, "cannot look at the handler of SIGBUS");
	if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_sigbus)
		return 0;
	page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	before = now;
	ours.sa_sigaction = on_sigbus;
	sigemptyset(&ours.sa_mask);
	return sigaction(SIGBUS, &ours, NULL) < 0 ? err_errno(e, "cannot handle SIGBUS") : 0;
}

static struct range *range_take(struct err *e)
{
	struct range *r;

	for (r = atomic_load(&ranges); r; r = r->next)
		if (!atomic_load(&r->lo))
			return r;
	r = mem_calloc(1, sizeof *r);
	if (!r) {
		err_set(e, ERR_NOMEM, "no memory to map a file");
		return NULL;
	}
	r->next = atomic_load(&ranges);
	atomic_store(&ranges, r);
	return r;
}

static int guard(struct map *m, struct err *e)
{
	struct range *r = NULL;

	pthread_mutex_lock(&lock);
	if (!install(e))
		r = range_take(e);
	if (r) {
		const uintptr_t lo = (uintptr_t)m->p;

		atomic_store(&r->cut, false);
		atomic_store(&r->prot, PROT_READ);
		atomic_store(&r->hi, (lo + m->size + page_size - 1) & ~(page_size - 1));
		atomic_store(&r->lo, lo);
		m->range = r;
	}
	pthread_mutex_unlock(&lock);
	return r ? 0 : -1;
}

int map_open(struct map **out, const char *path, struct err *e)
{
	const int fd = xio_open_regular(path, e);
	struct map *m = NULL;
	uint64_t size, again;
	int r = -1;

	if (fd < 0)
		return -1;
	m = mem_calloc(1, sizeof *m);
	if (!m) {
		err_set(e, ERR_NOMEM, "%s: no memory to open it", path);
		goto out;
	}
	if (xio_size(fd, &size, path, e) < 0)
		goto out;
	if (!size) {
		err_set(e, ERR_FORMAT, "%s: the file is empty", path);
		goto out;
	}
	if (size > SIZE_MAX / 2) {
		err_set(e, ERR_LIMIT, "%s: %ju bytes are more than this machine can map", path, (uintmax_t)size);
		goto out;
	}
	m->p = xio_map(fd, (size_t)size, path, e);
	if (!m->p)
		goto out;
	m->size = (size_t)size;
	if (guard(m, e) < 0 || xio_size(fd, &again, path, e) < 0)
		goto out;
	if (again < size) {
		err_set(e, ERR_IO, "%s: the file was cut from %ju to %ju bytes while it was opened",
			path, (uintmax_t)size, (uintmax_t)again);
		goto out;
	}
	*out = m;
	m = NULL;
	r = 0;
out:
	map_close(m);
	xio_close(fd, path, NULL);
	return r;
}

void map_close(struct map *m)
{
	if (!m)
		return;
	/* the range goes first: once unmapped, the addresses may become another mapping's */
	if (m->range)
		atomic_store(&m->range->lo, 0);
	xio_unmap(m->p, m->size);
	mem_free(m);
}

const unsigned char *map_data(const struct map *m)
{
	return m->p;
}

size_t map_size(const struct map *m)
{
	return m->size;
}

unsigned char *map_make_writable(struct map *m, struct err *e)
{
	atomic_store(&m->range->prot, PROT_READ | PROT_WRITE);
	if (mprotect(m->p, m->size, PROT_READ | PROT_WRITE) < 0) {
		err_errno(e, "cannot make %zu mapped bytes writable", m->size);
		return NULL;
	}
	return m->p;
}

bool map_was_cut(const struct map *m)
{
	return atomic_load(&m->range->cut);
}
