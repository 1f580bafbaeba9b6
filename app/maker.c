#include "config.h"
#include "app/maker.h"
#include "app/loop.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

#include <pthread.h>

struct maker {
	pthread_t thread;
	struct eng_model *m;
	const char *level;
	int threads;
	eng_progress_fn *progress;
	void (*ended)(void *arg);
	void *arg;
	/* the thread's own, and the owner's after it */
	struct eng_weights *weights;
	struct err err;
	int result;
};

/* A priority that was given up does not come back: a thread of its own has it, and ends. */
static void *make(void *arg)
{
	struct maker *k = arg;

	loop_block_signals();
	os_idle_priority();
	k->result = eng_weights_make(k->m, k->level, k->threads, k->progress, k->arg, &k->weights, &k->err);
	k->ended(k->arg);
	return NULL;
}

int maker_new(struct maker **out, struct eng_model *m, const char *level, int threads, eng_progress_fn *progress,
	      void (*ended)(void *arg), void *arg, struct err *e)
{
	struct maker *k = mem_calloc(1, sizeof *k);

	if (!k)
		return err_set(e, ERR_NOMEM, "no memory to make a level");
	k->m = m;
	k->level = level;
	k->threads = threads;
	k->progress = progress;
	k->ended = ended;
	k->arg = arg;
	*out = k;
	if (!os_thread(&k->thread, make, k))
		return 0;
	mem_free(k);
	*out = NULL;
	return err_set(e, ERR_LIMIT, "cannot start a thread that makes a level");
}

const struct eng_weights *maker_weights(const struct maker *k)
{
	return k->weights;
}

int maker_free(struct maker *k, struct eng_weights **out, struct err *e)
{
	int r;

	pthread_join(k->thread, NULL);
	r = k->result;
	*out = k->weights;
	if (r)
		*e = k->err;
	mem_free(k);
	return r;
}
