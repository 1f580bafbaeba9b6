/* Models by name, from inside: completion, and a list that memory or the system fails. */
#include "config.h"
#include "app/store.h"
#include "engine/base/xio.h"
#include "t/lib/model.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[1024];
static const char *const folders[] = { folder, NULL };

static void copy(const char *name, size_t cut)
{
	char *from = shipped_model(), path[1200];
	struct str s;
	struct err e;

	str_init(&s, 0);
	if (xio_slurp(from, &s, &e) < 0)
		abort();
	snprintf(path, sizeof path, "%s/%s", folder, name);
	tmp_write(path, s.p, cut ? cut : s.len);
	str_release(&s);
	free(from);
}

static void test_words(void)
{
	ok(!store_word(NULL, 0), "no folder: no word");
	ok(!strcmp(store_word(folders, 0), "b") && !strcmp(store_word(folders, 1), "c") && !store_word(folders, 2),
	   "the ids, in order, without the damaged one");
}

static int left;
static bool for_good;

static int fault(const char *op, void *arg)
{
	(void)op;
	(void)arg;
	return left-- == 0 || (for_good && left < 0) ? ENOMEM : 0;
}

/* Every allocation and every call fails in turn: a list, perhaps with a damaged one more, or an error. */
static void test_faults(void)
{
	bool fine = true;
	int i;

	for (int both = 0; both < 2; both++) {
		for_good = both;
		for (i = 0; i < 3000; i++) {
			struct store s = { 0 };
			struct err e = { 0 };
			int r;

			left = i;
			xio_set_fault(fault, NULL);
			r = store_scan(&s, folders, &e);
			xio_set_fault(NULL, NULL);
			fine &= r ? e.code != ERR_NONE && !s.n : s.n <= 3;
			store_release(&s);
			if (left >= 0)
				break;
		}
		ok(fine && i > 20 && i < 3000, "each of %d operations fails %s", i, both ? "for good" : "once");
	}
}

int main(void)
{
	setenv("HOME", tmp_path("home"), 1);
	setenv("XDG_DATA_HOME", tmp_path("data"), 1);
	setenv("XDG_CACHE_HOME", tmp_path("cache"), 1);
	setenv("XDG_CONFIG_HOME", tmp_path("config"), 1);
	unsetenv("HF_HOME");
	unsetenv("HF_HUB_CACHE");
	unsetenv("HUGGINGFACE_HUB_CACHE");
	unsetenv("LLAMA_CACHE");
	setenv("OLLAMA_MODELS", tmp_path("ollama"), 1);
	snprintf(folder, sizeof folder, "%s", tmp_path("."));
	copy("c.gguf", 0);
	copy("b.gguf", 0);
	copy("a.gguf", 1000);
	test_words();
	test_faults();
	return tap_done();
}
