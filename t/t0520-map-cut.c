/* A file that is cut while it is mapped: zeros and a flag, no signal; other faults go where they went before. */
#include "config.h"
#include "engine/base/pool.h"
#include "engine/format/gguf.h"
#include "engine/format/map.h"
#include "engine/quant/layout.h"
#include "t/lib/ggufmake.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGES = 16 };

static size_t page;

static const char *file_of(const char *name, unsigned char fill)
{
	const char *path = tmp_path(name);
	unsigned char *p = malloc(PAGES * page);

	memset(p, fill, PAGES * page);
	tmp_write(path, p, PAGES * page);
	free(p);
	return path;
}

static unsigned sum(const unsigned char *p, size_t n)
{
	unsigned s = 0;

	for (size_t i = 0; i < n; i += 64)
		s += *(const volatile unsigned char *)(p + i);
	return s;
}

static void cut(void)
{
	const char *path = file_of("a", 1);
	const unsigned full = (unsigned)(page / 64);
	struct map *m = NULL, *other = NULL;
	struct err e = { 0 };

	ok(!map_open(&m, path, &e) && !map_open(&other, file_of("b", 2), &e), "two files are mapped %s", e.msg);
	ok(map_size(m) == PAGES * page && sum(map_data(m), map_size(m)) == PAGES * full && !map_was_cut(m),
	   "read whole, nothing is flagged");
	ok(!truncate(path, (off_t)(4 * page + 100)), "one is cut in its fifth page");
	ok(sum(map_data(m), 4 * page) == 4 * full && !map_was_cut(m), "what is still there reads as before");
	ok(map_data(m)[4 * page + 99] == 1 && map_data(m)[4 * page + 100] == 0 && !map_was_cut(m),
	   "the rest of the last page is zeros, as the system has it");
	ok(map_data(m)[PAGES * page - 1] == 0 && map_was_cut(m), "beyond it there are zeros and the flag");
	ok(sum(map_data(m) + 5 * page, (PAGES - 5) * page) == 0, "all the way");
	ok(sum(map_data(m), 4 * page) == 4 * full, "what comes before the cut stays");
	ok(!map_was_cut(other) && sum(map_data(other), map_size(other)) == 2 * PAGES * full, "the other file is as it was");
	map_close(m);
	ok(!map_open(&m, path, &e) && map_size(m) == 4 * page + 100 && !map_was_cut(m), "opened again it is only shorter");
	map_close(m);
	map_close(other);
	map_close(NULL);
}

static void cut_writable(void)
{
	const char *path = file_of("w", 1);
	struct map *m = NULL;
	struct err e = { 0 };
	unsigned char *p;
	int fd;
	char c = 0;

	ok(!map_open(&m, path, &e), "mapped %s", e.msg);
	p = map_make_writable(m, &e);
	ok(p && p == map_data(m), "made writable %s", e.msg);
	p[0] = 42;
	fd = open(path, O_RDONLY);
	ok(read(fd, &c, 1) == 1 && c == 1, "what is written stays out of the file");
	close(fd);
	ok(!truncate(path, 0), "cut to nothing");
	p[7 * page] = 43;
	ok(map_was_cut(m) && p[7 * page] == 43, "a write beyond the end is flagged too");
	map_close(m);
}

#ifndef __SANITIZE_THREAD__
static void touch(void *arg, int ith, int nth)
{
	const struct map *m = arg;

	for (int i = ith; i < PAGES; i += nth)
		(void)sum(map_data(m) + (size_t)i * page, page);
}

static void cut_threads(void)
{
	struct pool *p = pool_new(4, NULL);
	bool all = p != NULL;

	for (int i = 0; i < 50 && all; i++) {
		const char *path = file_of("t", 3);
		struct map *m = NULL;

		all = !map_open(&m, path, NULL) && !truncate(path, (off_t)page);
		pool_run(p, touch, m);
		all = all && map_was_cut(m) && map_data(m)[0] == 3;
		map_close(m);
	}
	ok(all, "four threads run into it at once, fifty times");
	if (p)
		pool_free(p);
}
#endif

static void cut_gguf(void)
{
	struct ggufmake *m = gm_new();
	const char *path = tmp_path("cut.gguf");
	const struct gguf_tensor *t;
	struct gguf *g = NULL;
	struct gguf_str s;
	struct err e = { 0 };
	char *text = malloc(PAGES * page);

	memset(text, 'x', PAGES * page);
	gm_strn(m, "text", text, PAGES * page - 1);
	gm_tensor(m, "w", GM_F32, 1, (const int64_t[]){ 4096 }, text, 16384);
	gm_write(m, path);
	ok(!gguf_open(&g, path, quant_layout, &e) && !gguf_check(g, &e), "a model is opened %s", e.msg);
	t = gguf_tensor_find(g, "w");
	ok(!truncate(path, 1000), "and cut");
	ok(((const unsigned char *)t->data)[16383] == 0, "its weights read as zeros");
	ok(gguf_check(g, &e) < 0 && e.code == ERR_IO && strstr(e.msg, "cut.gguf: the file was cut"), "%s", e.msg);
	ok(gguf_get_str(g, "text", &s, &e) == 1 && sum((const unsigned char *)s.p, s.n) < 'x' * 1000,
	   "its text can be read without harm");
	gguf_close(g);
	gm_free(m);
	free(text);
}

static sigjmp_buf back;
static volatile sig_atomic_t caught;

static void on_sigbus(int sig)
{
	caught = sig;
	siglongjmp(back, 1);
}

/* A mapping that map.h knows nothing of, whose page is gone. */
static volatile unsigned char *hole(void)
{
	const char *path = file_of("hole", 1);
	const int fd = open(path, O_RDONLY);
	unsigned char *p = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);

	close(fd);
	if (p == MAP_FAILED || truncate(path, 0))
		abort();
	return p;
}

static void chained(void)
{
	struct sigaction ours = { .sa_handler = on_sigbus }, was;
	struct map *m = NULL;
	volatile unsigned char *p = hole();
	const char *path = file_of("c", 1);

	sigaction(SIGBUS, &ours, &was);
	ok(!map_open(&m, path, NULL), "a handler was set before a mapping");
	if (!sigsetjmp(back, 1))
		(void)*p;
	ok(caught == SIGBUS, "a fault elsewhere is that handler's");
	caught = 0;
	ok(!truncate(path, 0) && map_data(m)[0] == 0 && !caught && map_was_cut(m), "a fault in the mapping is not");
	map_close(m);
	sigaction(SIGBUS, &was, NULL);
	munmap((void *)p, page);
}

/* How a child ends that does this: the signal's number, or 1000 + exit code. */
static int fate(void (*fn)(void))
{
	int status;
	const pid_t pid = fork();

	if (!pid) {
		signal(SIGBUS, SIG_DFL);
		fn();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 1000 + WEXITSTATUS(status);
}

static void read_hole(void)
{
	struct map *m = NULL;

	map_open(&m, file_of("d", 1), NULL);
	(void)*hole();
}

static void send_signal(void)
{
	struct map *m = NULL;

	map_open(&m, file_of("d", 1), NULL);
	raise(SIGBUS);
}

static void read_cut(void)
{
	const char *path = file_of("d", 1);
	struct map *m = NULL;

	if (map_open(&m, path, NULL) || truncate(path, 0))
		_exit(2);
	_exit(map_data(m)[0] == 0 && map_was_cut(m) ? 0 : 3);
}

int main(void)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	cut();
	cut_writable();
#ifdef __SANITIZE_THREAD__
	tap_skip("four threads run into it at once: a page that is replaced under a reader looks like a race here");
#else
	cut_threads();
#endif
	cut_gguf();
	chained();
	ok(fate(read_hole) == SIGBUS, "without a handler a fault elsewhere ends the program");
	ok(fate(send_signal) == SIGBUS, "and so does the signal itself");
	ok(fate(read_cut) == 1000, "a cut mapping does not");
	return tap_done();
}
