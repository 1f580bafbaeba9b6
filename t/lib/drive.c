#include "config.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"
#include "t/lib/drive.h"
#include "t/lib/model.h"
#include "t/lib/tap.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { WAIT_MS = 120000, LOWEST = 19 };

static pthread_t main_thread;
static atomic_int slowness;

static void on_wake(void *arg)
{
	struct drive *d = arg;

	chat_pump(d->c);
	if (d->pumped)
		d->pumped(d);
}

static void on_turn(void *arg)
{
	struct drive *d = arg;

	if (d->until(d->c))
		loop_quit(d->l, 0);
}

static void on_timer(void *arg)
{
	struct drive *d = arg;

	d->late = true;
	loop_quit(d->l, 1);
}

static const struct loop_ops ops = { .wake = on_wake, .turn = on_turn, .timer = on_timer };

void drive_init(struct drive *d, const char *model, int64_t n)
{
	main_thread = pthread_self();
	os_large_apart();
	*d = (struct drive){ .o = opt_defaults };
	d->o.model = model;
	d->o.threads = 2;
	d->o.sample.temp = 0;
	opt_give(opt_by_key("temp"), &d->o);
	d->o.n = n;
}

void drive_open(struct drive *d)
{
	struct err e;

	if (loop_new(&d->l, &ops, d, &e) || chat_new(&d->c, d->l, &d->o, &e))
		tap_bail("%s", e.msg);
	loop_watch_input(d->l, false);
}

void drive_close(struct drive *d)
{
	chat_free(d->c);
	loop_free(d->l);
}

void drive_wait(struct drive *d, bool (*until)(const struct chat *c))
{
	d->until = until;
	loop_timer(d->l, WAIT_MS);
	loop_run(d->l);
	loop_timer(d->l, -1);
	if (d->late)
		tap_bail("waited in vain");
}

void drive_say(struct drive *d, const char *text)
{
	chat_submit(d->c, text);
	drive_wait(d, drive_idle);
}

/* Is there a thread of the lowest priority? */
static bool making(void)
{
	DIR *d = opendir("/proc/self/task");
	const struct dirent *t;
	bool any = false;

	if (!d)
		return false;
	while (!any && (t = readdir(d)))
		any = t->d_name[0] != '.' && getpriority(PRIO_PROCESS, (id_t)atoi(t->d_name)) == LOWEST;
	closedir(d);
	return any;
}

void drive_pace(enum drive_pace pace)
{
	atomic_store(&slowness, (int)pace);
}

int drive_linger(const char *op, void *arg)
{
	const int pace = atomic_load(&slowness);

	(void)arg;
	if (pace == DRIVE_FAST || strcmp(op, "malloc") || pthread_equal(pthread_self(), main_thread) ||
	    getpriority(PRIO_PROCESS, 0) == LOWEST)
		return 0;
	do
		usleep(1000);
	while (pace == DRIVE_UNTIL_MADE && making());
	return 0;
}

bool drive_opened(const struct chat *c)
{
	return c->state != CHAT_LOADING;
}

bool drive_idle(const struct chat *c)
{
	return c->state == CHAT_IDLE && !c->answer && !c->n_switches && !c->after;
}

const struct chat_item *drive_last(const struct chat *c, enum item_kind kind)
{
	for (size_t i = c->n_items; i--;)
		if (c->items[i]->kind == kind)
			return c->items[i];
	return NULL;
}

void drive_spliced(const struct chat *c, struct eng_model *m, struct eng_ids *out)
{
	struct eng_msg *msgs = mem_calloc(c->n_items, sizeof *msgs);
	const struct chat_item *stop = drive_last(c, ITEM_ANSWER);
	struct err e;
	size_t n = 0;

	for (size_t i = 0; i < c->n_items && c->items[i] != stop; i++) {
		const struct chat_item *it = c->items[i];

		if (it->kind != ITEM_NOTE)
			msgs[n++] = (struct eng_msg){ .role = it->kind == ITEM_USER ? "user" : "assistant",
				.text = it->text.p, .len = it->text.len, .ids = it->ids.p, .n_ids = it->ids.n };
	}
	if (eng_chat(m, msgs, n, NULL, out, &e))
		printf("# %s\n", e.msg);
	mem_free(msgs);
}

int64_t drive_follows(const struct chat *c, const char *model, const char *level, drive_prompt_fn *prompt)
{
	const struct chat_item *a = drive_last(c, ITEM_ANSWER);
	struct eng *g = new_engine(1, NULL);
	struct eng_model *m = open_model(g, model);
	struct eng_weights *w = weights_at(m, level);
	struct eng_session *s = new_session(w, ENG_KV_F16, 0, 0);
	struct eng_ids ids = { 0 };
	size_t n;
	bool same;

	prompt(c, m, &ids);
	n = ids.n;
	for (size_t i = 0; i < a->ids.n; i++)
		eng_ids_add(&ids, 0);
	go_on(s, ids.p, (int32_t)n, (int32_t)a->ids.n);
	same = n && a->ids.n && !memcmp(ids.p + n, a->ids.p, a->ids.n * sizeof *a->ids.p);
	eng_ids_release(&ids);
	eng_session_free(s);
	eng_weights_release(w);
	eng_model_close(m);
	eng_free(g);
	return same ? (int64_t)n : -1;
}
