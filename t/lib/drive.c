#include "config.h"
#include "t/lib/drive.h"

#include <stdio.h>
#include <stdlib.h>

enum { WAIT_MS = 120000 };

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

	if (loop_new(&d->l, &ops, d, &e) || chat_new(&d->c, d->l, &d->o, &e)) {
		printf("Bail out! %s\n", e.msg);
		exit(1);
	}
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
	if (d->late) {
		printf("Bail out! waited in vain\n");
		exit(1);
	}
}

void drive_say(struct drive *d, const char *text)
{
	chat_submit(d->c, text);
	drive_wait(d, drive_idle);
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
