#include "config.h"
#include "app/maker.h"
#include "app/loop.h"
#include "engine/base/os.h"

#include <pthread.h>

struct making {
	struct eng_model *m;
	const char *level;
	int threads;
	eng_progress_fn *progress;
	void *arg;
	struct eng_weights **out;
	struct err *e;
	int result;
};

static void *make(void *arg)
{
	struct making *k = arg;

	loop_block_signals();
	os_idle_priority();
	k->result = eng_weights_make(k->m, k->level, k->threads, k->progress, k->arg, k->out, k->e);
	return NULL;
}

/* A priority that was given up does not come back: a thread of its own has it, and ends. */
int maker_weights(struct eng_model *m, const char *level, int threads, eng_progress_fn *progress, void *arg,
		  struct eng_weights **out, struct err *e)
{
	struct making k = { .m = m, .level = level, .threads = threads, .progress = progress, .arg = arg, .out = out, .e = e };
	pthread_t thread;

	if (pthread_create(&thread, NULL, make, &k))
		return eng_weights_get(m, level, progress, arg, out, e);
	pthread_join(thread, NULL);
	return k.result;
}
