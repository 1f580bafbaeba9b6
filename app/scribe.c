#include "config.h"
#include "app/scribe.h"
#include "app/loop.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

#include <pthread.h>
#include <time.h>

enum { KINDS = DRAFT_CHAT + 1 };

struct scribe {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more, done;
	struct loop *loop;
	bool writing;
	struct { char *text; size_t n; bool waits; } next[KINDS];
	bool stop, failed;
	struct err err;
};

/* Under the lock, which is left while it is written. */
static void write_next(struct scribe *s, enum draft d)
{
	char *text = s->next[d].text;
	const size_t n = s->next[d].n;
	struct err e;
	int r;

	s->next[d].text = NULL;
	s->next[d].waits = false;
	s->writing = true;
	pthread_mutex_unlock(&s->lock);
	r = draft_keep(d, n ? text : "", n, &e);
	mem_free(text);
	pthread_mutex_lock(&s->lock);
	s->writing = false;
	pthread_cond_broadcast(&s->done);
	if (!r)
		return;
	s->err = e;
	s->failed = true;
	if (s->loop)
		loop_wake(s->loop);
}

static void *work(void *arg)
{
	struct scribe *s = arg;
	int d;

	loop_block_signals();
	pthread_mutex_lock(&s->lock);
	for (;;) {
		for (d = 0; d < KINDS && !s->next[d].waits; d++)
			continue;
		if (d < KINDS)
			write_next(s, (enum draft)d);
		else if (s->stop)
			break;
		else
			pthread_cond_wait(&s->more, &s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int scribe_new(struct scribe **out, struct loop *l, struct err *e)
{
	struct scribe *s = mem_calloc(1, sizeof *s);

	if (!s)
		return err_set(e, ERR_NOMEM, "no memory to keep drafts");
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->more, NULL);
	pthread_cond_init(&s->done, NULL);
	s->loop = l;
	if (os_thread(&s->thread, work, s)) {
		pthread_mutex_destroy(&s->lock);
		pthread_cond_destroy(&s->more);
		pthread_cond_destroy(&s->done);
		mem_free(s);
		return err_set(e, ERR_LIMIT, "cannot start a thread that keeps drafts");
	}
	*out = s;
	return 0;
}

void scribe_keep(struct scribe *s, enum draft d, char *text, size_t n)
{
	if (!s) {
		draft_keep(d, n ? text : "", n, NULL);
		mem_free(text);
		return;
	}
	pthread_mutex_lock(&s->lock);
	mem_free(s->next[d].text);
	s->next[d].text = text;
	s->next[d].n = n;
	s->next[d].waits = true;
	pthread_cond_signal(&s->more);
	pthread_mutex_unlock(&s->lock);
}

bool scribe_failed(struct scribe *s, struct err *e)
{
	bool failed;

	if (!s)
		return false;
	pthread_mutex_lock(&s->lock);
	failed = s->failed;
	if (failed)
		*e = s->err;
	s->failed = false;
	pthread_mutex_unlock(&s->lock);
	return failed;
}

void scribe_wait(struct scribe *s, int ms)
{
	struct timespec until;
	bool waits = true;

	if (!s)
		return;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&s->lock);
	while (waits) {
		waits = s->writing;
		for (int d = 0; d < KINDS; d++)
			waits = waits || s->next[d].waits;
		if (waits && pthread_cond_timedwait(&s->done, &s->lock, &until))
			break;
	}
	pthread_mutex_unlock(&s->lock);
}

void scribe_free(struct scribe *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_signal(&s->more);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->more);
	pthread_cond_destroy(&s->done);
	mem_free(s);
}
