#include "config.h"
#include "app/models.h"
#include "app/rig.h"
#include "app/store.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

struct models {
	struct loop *loop;
	const struct opts *o;
	uint64_t spare;
	pthread_t thread;
	atomic_bool stop;
	/* the thread's own until rows are there, then only read */
	struct store store;
	struct err err;
	/* under the lock */
	pthread_mutex_t lock;
	struct models_row *rows;
	char **whys;		/* as many as rows */
	size_t n;
	bool read;
	unsigned version;
};

/* What was changed under the lock can be seen. */
static void unlock_and_tell(struct models *m)
{
	m->version++;
	pthread_mutex_unlock(&m->lock);
	loop_wake(m->loop);
}

/* -- the thread ----------------------------------------------------------------------- */

static int make_rows(struct models *m, struct models_row **rows, char ***whys)
{
	*rows = mem_calloc(m->store.n + 1, sizeof **rows);
	*whys = mem_calloc(m->store.n + 1, sizeof **whys);
	if (!*rows || !*whys) {
		mem_free(*rows);
		mem_free(*whys);
		return err_set(&m->err, ERR_NOMEM, "no memory for the list of models");
	}
	for (size_t i = 0; i < m->store.n; i++) {
		const struct store_model *s = &m->store.models[i];

		(*rows)[i] = (struct models_row){
			.id = s->id, .path = s->path, .family = s->family ? s->family : s->arch, .level = s->level,
			.cls = s->n_params ? eng_class_name(s->cls) : "", .bytes = s->bytes, .n_params = s->n_params,
			.fit = s->damaged || s->note ? MODELS_BAD : MODELS_UNKNOWN, .why = s->damaged ? s->damaged : s->note,
		};
	}
	return 0;
}

static void read_store(struct models *m)
{
	struct models_row *rows = NULL;
	char **whys = NULL;

	if (!store_scan(&m->store, m->o->folders, &m->err))
		make_rows(m, &rows, &whys);
	pthread_mutex_lock(&m->lock);
	m->rows = rows;
	m->whys = whys;
	m->n = rows ? m->store.n : 0;
	m->read = true;
	unlock_and_tell(m);
}

/* What a model needs is the engine's to say, of the open file; nothing of its weights is read. */
static int need_of(const struct models *m, struct eng *g, const char *path, struct eng_need *need, struct err *e)
{
	struct eng_session_opts so;
	struct eng_model *em;
	int r;

	if (rig_session_opts(m->o, m->o->n_ctx, &so, e) || eng_model_open(g, path, false, &em, e))
		return -1;
	r = eng_model_need(em, NULL, &so, need, e);
	eng_model_close(em);
	return r;
}

static void look_at(struct models *m, struct eng *g, size_t i)
{
	struct models_row row = m->rows[i];
	struct eng_need need = { 0 };
	struct err e;
	char *why = NULL;

	if (need_of(m, g, row.path, &need, &e)) {
		row.fit = MODELS_BAD;
		why = mem_strdup(e.msg);
		row.why = why ? why : "it cannot be opened";
	} else {
		row.need = need.total;
		row.n_ctx = need.n_ctx;
		row.fit_ctx = need.fit_ctx;
		row.fit = need.fits || need.total <= need.available + m->spare ? MODELS_FITS :
			  need.fit_ctx ? MODELS_FITS_LESS : MODELS_FITS_NOT;
	}
	pthread_mutex_lock(&m->lock);
	m->rows[i] = row;
	m->whys[i] = why;
	unlock_and_tell(m);
}

static void *run(void *arg)
{
	static const struct eng_opts one = { .threads = 1 };
	struct models *m = arg;
	struct eng *g = NULL;
	struct err e;

	loop_block_signals();
	os_idle_priority();
	read_store(m);
	if (m->n && !eng_new(&g, &one, &e))
		for (size_t i = 0; i < m->n && !atomic_load(&m->stop); i++)
			if (m->rows[i].fit == MODELS_UNKNOWN)
				look_at(m, g, i);
	eng_free(g);
	return NULL;
}

/* -- for the main thread ----------------------------------------------------------------- */

int models_new(struct models **out, struct loop *l, const struct opts *o, uint64_t spare, struct err *e)
{
	struct models *m = mem_calloc(1, sizeof *m);

	if (!m)
		return err_set(e, ERR_NOMEM, "no memory for the list of models");
	m->loop = l;
	m->o = o;
	m->spare = spare;
	pthread_mutex_init(&m->lock, NULL);
	if (os_thread(&m->thread, run, m)) {
		pthread_mutex_destroy(&m->lock);
		mem_free(m);
		return err_set(e, ERR_LIMIT, "cannot start a thread for the list of models");
	}
	*out = m;
	return 0;
}

void models_free(struct models *m)
{
	if (!m)
		return;
	atomic_store(&m->stop, true);
	pthread_join(m->thread, NULL);
	for (size_t i = 0; i < m->n; i++)
		mem_free(m->whys[i]);
	mem_free(m->whys);
	mem_free(m->rows);
	store_release(&m->store);
	pthread_mutex_destroy(&m->lock);
	mem_free(m);
}

unsigned models_version(struct models *m)
{
	unsigned v;

	pthread_mutex_lock(&m->lock);
	v = m->version;
	pthread_mutex_unlock(&m->lock);
	return v;
}

bool models_count(struct models *m, size_t *n, const char **why)
{
	bool read;

	pthread_mutex_lock(&m->lock);
	read = m->read;
	*n = m->n;
	*why = read && m->err.code ? m->err.msg : NULL;
	pthread_mutex_unlock(&m->lock);
	return read;
}

void models_row(struct models *m, size_t i, struct models_row *out)
{
	pthread_mutex_lock(&m->lock);
	*out = m->rows[i];
	pthread_mutex_unlock(&m->lock);
}
