/* Drafts that another thread writes: none is waited for, the newest counts, all are there in the end. */
#include "config.h"
#include "app/scribe.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_bool slow, broken;
static atomic_int writes;

static int fault(const char *op, void *arg)
{
	(void)arg;
	if (strcmp(op, "write"))
		return 0;
	atomic_fetch_add(&writes, 1);
	while (atomic_load(&slow))
		usleep(1000);
	return atomic_load(&broken) ? ENOSPC : 0;
}

static void keep(struct scribe *s, enum draft d, const char *text)
{
	scribe_keep(s, d, *text ? mem_strdup(text) : NULL, strlen(text));
}

static bool holds(const char *name, const char *want)
{
	char path[900];
	struct str s;
	bool same;

	snprintf(path, sizeof path, "%s/tidbit/%s%ld", getenv("XDG_STATE_HOME"), name, (long)getpid());
	if (!want)
		return access(path, F_OK) != 0;
	str_init(&s, 1 << 20);
	same = !xio_slurp(path, &s, NULL) && s.len == strlen(want) && !memcmp(s.p, want, s.len);
	str_release(&s);
	return same;
}

int main(void)
{
	char text[32], state[600];
	struct scribe *s;
	struct err e = { 0 };
	int64_t t;
	bool told;

	snprintf(state, sizeof state, "%s", tmp_path("state"));
	setenv("XDG_STATE_HOME", state, 1);
	xio_set_fault(fault, NULL);
	atomic_store(&slow, true);
	if (scribe_new(&s, &e))
		abort();
	t = os_now_ns();
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof text, "text %d", i);
		keep(s, DRAFT_TYPED, text);
		keep(s, DRAFT_CHAT, text);
	}
	ok(os_now_ns() - t < 2000000000 && holds("draft-", NULL), "a disk that takes its time keeps nobody waiting");
	atomic_store(&slow, false);
	scribe_free(s);
	ok(holds("draft-", "text 99") && holds("chat-", "text 99"), "the newest of both is there when it has ended");
	ok(atomic_load(&writes) <= 4, "what was overtaken was not written (%d of 200 were)", atomic_load(&writes));

	if (scribe_new(&s, &e))
		abort();
	ok(!scribe_failed(s, &e), "nothing has failed");
	atomic_store(&broken, true);
	keep(s, DRAFT_TYPED, "lost");
	for (told = false, t = 0; !told && t < 5000; t++, usleep(1000))
		told = scribe_failed(s, &e);
	ok(told && strstr(e.msg, "draft-") && !scribe_failed(s, &e), "a failure is told, once: %s", e.msg);
	ok(holds("draft-", "text 99"), "and what was there still is");
	atomic_store(&broken, false);
	keep(s, DRAFT_TYPED, "");
	keep(s, DRAFT_CHAT, "");
	scribe_free(s);
	ok(holds("draft-", NULL) && holds("chat-", NULL), "files of nothing go");
	keep(NULL, DRAFT_TYPED, "alone");
	ok(holds("draft-", "alone"), "without a scribe it is written at once");
	keep(NULL, DRAFT_TYPED, "");
	snprintf(text, sizeof text, "/tidbit");
	strncat(state, text, sizeof state - strlen(state) - 1);
	rmdir(state);
	rmdir(getenv("XDG_STATE_HOME"));
	return tap_done();
}
