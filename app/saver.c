#include "config.h"
#include "app/saver.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

#include <pthread.h>
#include <stdatomic.h>

static const int64_t wake_step_ns = 100000000;

struct saver {
	struct loop *loop;
	pthread_t thread;
	char *in, *path, *level;
	int threads;
	atomic_bool cancelled, ended;
	_Atomic int64_t done, total;
	/* the thread's own, and the owner's after it */
	int64_t wake_ns;
	struct eng_quantize_result result;
	struct err err;
	int r;
};

static bool on_progress(void *arg, int64_t done, int64_t total)
{
	struct saver *s = arg;
	const int64_t now = os_now_ns();

	atomic_store(&s->done, done);
	atomic_store(&s->total, total);
	if (now - s->wake_ns >= wake_step_ns) {
		s->wake_ns = now;
		loop_wake(s->loop);
	}
	return !atomic_load(&s->cancelled);
}

static int write_file(struct saver *s)
{
	const struct eng_opts eo = { .threads = s->threads };
	const struct eng_quantize_opts q = { .level = s->level, .requantize = true, .progress = on_progress, .arg = s };
	struct eng *g = NULL;
	int r;

	if (eng_new(&g, &eo, &s->err))
		return -1;
	r = eng_quantize(g, s->in, s->path, &q, &s->result, &s->err);
	eng_free(g);
	return r;
}

static void *work(void *arg)
{
	struct saver *s = arg;

	loop_block_signals();
	os_idle_priority();
	s->r = write_file(s);
	atomic_store(&s->ended, true);
	loop_wake(s->loop);
	return NULL;
}

static void release(struct saver *s)
{
	mem_free(s->in);
	mem_free(s->path);
	mem_free(s->level);
	mem_free(s);
}

int saver_new(struct saver **out, struct loop *l, const char *in, const char *path, const char *level, int threads,
	      struct err *e)
{
	struct saver *s = mem_calloc(1, sizeof *s);

	if (!s)
		return err_set(e, ERR_NOMEM, "no memory to save a level");
	s->loop = l;
	s->threads = threads;
	s->in = mem_strdup(in);
	s->path = mem_strdup(path);
	s->level = mem_strdup(level);
	atomic_init(&s->cancelled, false);
	atomic_init(&s->ended, false);
	if (!s->in || !s->path || !s->level || os_thread(&s->thread, work, s)) {
		release(s);
		return err_set(e, ERR_NOMEM, "no memory to save a level");
	}
	*out = s;
	return 0;
}

bool saver_ended(struct saver *s, int64_t *done, int64_t *total)
{
	*done = atomic_load(&s->done);
	*total = atomic_load(&s->total);
	return atomic_load(&s->ended);
}

void saver_cancel(struct saver *s)
{
	atomic_store(&s->cancelled, true);
}

int saver_free(struct saver *s, struct eng_quantize_result *r, struct err *e)
{
	int ret;

	if (!s)
		return 0;
	pthread_join(s->thread, NULL);
	ret = s->r;
	if (r)
		*r = s->result;
	if (e)
		*e = s->err;
	release(s);
	return ret;
}
