/* The machine's limits: measured once, kept, and measured again when what is kept is not this machine's. */
#include "config.h"
#include "app/machine.h"
#include "app/paths.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct machine first, m;
static char folder[1024], file[1536];

static bool count(void *arg, int64_t done, int64_t total)
{
	int64_t *last = arg;

	(void)total;
	*last = done;
	return true;
}

static bool never(void *arg, int64_t done, int64_t total)
{
	(void)done;
	(void)total;
	++*(int *)arg;
	return false;
}

/* Would it be measured? What would is stopped at once. */
static bool measures(bool again)
{
	struct err unkept, e = { 0 };
	int asked = 0;
	const int r = machine_get(again, never, &asked, &m, &unkept, &e);

	return r < 0 && e.code == ERR_CANCELLED && asked == 1;
}

/* Little: enough to see that the largest buffers are left out. A sanitizer needs room of its own. */
static void limit_memory(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	const struct rlimit lim = { (rlim_t)700 << 20, (rlim_t)700 << 20 };

	setrlimit(RLIMIT_AS, &lim);
#endif
}

static double best_read(uint64_t bytes, int threads)
{
	for (int i = 0; i < first.limits.n_read; i++)
		if (first.limits.read[i].bytes == bytes && first.limits.read[i].threads == threads)
			return first.limits.read[i].rate;
	return 0;
}

static void find_file(void)
{
	DIR *d = opendir(folder);
	struct dirent *ent;

	while (d && (ent = readdir(d)))
		if (!strncmp(ent->d_name, "machine-", 8))
			snprintf(file, sizeof file, "%s/%s", folder, ent->d_name);
	if (d)
		closedir(d);
}

static void test_measured(void)
{
	struct err unkept, e = { 0 };
	int64_t done = 0;
	struct stat st;
	bool positive = true;
	const int r = machine_get(false, count, &done, &first, &unkept, &e);

	if (!ok(!r && !unkept.code, "it is measured: %s%s", e.msg, unkept.msg))
		exit(tap_done());
	for (int i = 0; i < first.limits.n_read; i++)
		positive &= first.limits.read[i].rate > 1e6 && first.limits.read[i].threads >= 1;
	for (int i = 0; i < first.limits.n_peak; i++)
		positive &= first.limits.peak[i].rate > 1e6;
	ok(positive && first.limits.n_read >= 4 && first.limits.n_peak >= 2, "%d and %d figures, each of which can be",
	   first.limits.n_read, first.limits.n_peak);
	ok(done >= 3 * (first.limits.n_read + first.limits.n_peak) - 1, "progress went through all of them");
	ok(best_read(16 << 10, 1) > best_read(64 << 20, 1), "what the cache holds comes faster (%.0f and %.0f GB/s)",
	   best_read(16 << 10, 1) / 1e9, best_read(64 << 20, 1) / 1e9);
	find_file();
	ok(*file && !stat(file, &st) && (st.st_mode & 0777) == 0600, "the file is the user's alone");
}

static bool same_limits(const struct eng_machine *a, const struct eng_machine *b)
{
	bool same = a->threads == b->threads && a->n_read == b->n_read && a->n_peak == b->n_peak;

	for (int i = 0; i < a->n_read && same; i++)
		same = a->read[i].bytes == b->read[i].bytes && a->read[i].threads == b->read[i].threads &&
		       a->read[i].rate == b->read[i].rate;
	for (int i = 0; i < a->n_peak && same; i++)
		same = !strcmp(a->peak[i].isa, b->peak[i].isa) && !strcmp(a->peak[i].type, b->peak[i].type) &&
		       a->peak[i].threads == b->peak[i].threads && a->peak[i].rate == b->peak[i].rate;
	return same;
}

static void test_kept(void)
{
	struct err unkept, e = { 0 };
	int asked = 0;

	ok(!machine_get(false, never, &asked, &m, &unkept, &e) && !asked, "what is kept is not measured again");
	ok(m.when == first.when && same_limits(&m.limits, &first.limits), "and is the same");
	ok(measures(true), "unless it is asked for");
	ok(!machine_get(false, never, &asked, &m, &unkept, &e) && !asked, "being stopped leaves what was kept");
}

static char *slurp(void)
{
	struct str s;
	struct err e;

	str_init(&s, 0);
	xio_slurp(file, &s, &e);
	return str_take(&s);
}

/* The file with `what` made `with` counts for none. */
static void test_changed(const char *text, const char *what, const char *with)
{
	const char *at = strstr(text, what);
	struct str s;

	str_init(&s, 0);
	if (at)
		str_addf(&s, "%.*s%s%s", (int)(at - text), text, with, at + strlen(what));
	tmp_write(file, s.p, s.len);
	ok(at && measures(false), "%s made %s: it is measured again", what, with);
	str_release(&s);
}

static void test_damaged(void)
{
	char *text = slurp();

	test_changed(text, "\"cpu\": \"", "\"cpu\": \"another ");
	test_changed(text, "\"form\": ", "\"form\": 9");
	test_changed(text, "\"threads\": ", "\"threads\": 77");
	test_changed(text, "\"memory_bytes\": ", "\"memory_bytes\": 9");
	test_changed(text, "\"per_second\": ", "\"per_second\": -");
	test_changed(text, "\"bytes\": ", "\"bytes\": \"many\", \"b\": ");
	test_changed(text, "\"type\": \"", "\"type\": 3, \"t\": \"");
	test_changed(text, "{", "[");
	tmp_write(file, text, strlen(text) / 2);
	ok(measures(false), "half of it: it is measured again");
	tmp_write(file, "", 0);
	ok(measures(false), "nothing: it is measured again");
	unlink(file);
	mem_free(text);
}

int main(void)
{
	setenv("XDG_CACHE_HOME", tmp_path("."), 1);
	snprintf(folder, sizeof folder, "%s/tidbit", getenv("XDG_CACHE_HOME"));
	limit_memory();
	test_measured();
	test_kept();
	test_damaged();
	rmdir(folder);
	return tap_done_min(15);
}
