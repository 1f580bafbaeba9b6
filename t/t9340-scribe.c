/* Drafts that another thread writes: none is waited for, the newest counts, all are there in the end. */
#include "config.h"
#include "app/loop.h"
#include "app/scribe.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <errno.h>
#include <glob.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_bool slow, broken;
static atomic_int writes;
static const char *state;

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
	glob_t g;
	bool same;

	snprintf(path, sizeof path, "%s/%s????????????????", state, name);
	if (glob(path, 0, NULL, &g) || g.gl_pathc != 1)
		return !want;
	snprintf(path, sizeof path, "%s", g.gl_pathv[0]);
	globfree(&g);
	if (!want)
		return false;
	str_init(&s, 1 << 20);
	same = !xio_slurp(path, &s, NULL) && s.len == strlen(want) && !memcmp(s.p, want, s.len);
	str_release(&s);
	return same;
}

static struct loop *l;

static void woken(void *arg)
{
	(void)arg;
	loop_quit(l, 0);
}

/* Nobody has woken it. */
static void late(void *arg)
{
	(void)arg;
	loop_quit(l, 1);
}

int main(void)
{
	static const struct loop_ops ops = { .wake = woken, .timer = late };
	char text[32];
	struct scribe *s;
	struct err e = { 0 };
	int64_t t;
	bool told;

	state = tmp_state();
	xio_set_fault(fault, NULL);
	atomic_store(&slow, true);
	if (loop_new(&l, &ops, NULL, &e))
		abort();
	loop_watch_input(l, false);
	loop_timer(l, 20000);
	if (scribe_new(&s, NULL, &e))
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

	if (scribe_new(&s, l, &e))
		abort();
	ok(!scribe_failed(s, &e), "nothing has failed");
	atomic_store(&broken, true);
	keep(s, DRAFT_TYPED, "lost");
	loop_run(l);
	told = scribe_failed(s, &e);
	ok(told && strstr(e.msg, "draft-") && !scribe_failed(s, &e), "a failure is told, once: %s", e.msg);
	ok(holds("draft-", "text 99"), "and what was there still is");
	atomic_store(&broken, false);
	atomic_store(&slow, true);
	keep(s, DRAFT_TYPED, "late");
	t = os_now_ns();
	scribe_wait(s, 50);
	t = os_now_ns() - t;
	ok(t >= 50000000 && t < 2000000000 && holds("draft-", "text 99"), "a disk that takes its time is not waited for longer than was said");
	atomic_store(&slow, false);
	scribe_wait(s, 60000);
	ok(holds("draft-", "late"), "what was taken is written when it was waited for");
	keep(s, DRAFT_TYPED, "");
	keep(s, DRAFT_CHAT, "");
	scribe_free(s);
	ok(holds("draft-", NULL) && holds("chat-", NULL), "files of nothing go");
	keep(NULL, DRAFT_TYPED, "alone");
	ok(holds("draft-", "alone"), "without a scribe it is written at once");
	keep(NULL, DRAFT_TYPED, "");
	draft_end();
	loop_free(l);
	return tap_done();
}
