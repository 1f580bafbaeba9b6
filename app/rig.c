#include "config.h"
#include "app/rig.h"
#include "app/interrupt.h"
#include "app/levelname.h"
#include "app/meter.h"
#include "app/need.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* The pool's threads inherit a mask with the signals blocked: handlers run on the main thread alone. */
int rig_engine(struct rig *r, const struct opts *o, struct err *e)
{
	const struct eng_opts eo = { .threads = o->threads, .isa = o->isa };
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = eng_new(&r->eng, &eo, e);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret;
}

int rig_open(struct rig *r, const struct opts *o, struct err *e)
{
	if (rig_engine(r, o, e) < 0)
		return -1;
	return eng_model_open(r->eng, o->model, false, &r->model, e);
}

int rig_session_opts(const struct opts *o, int64_t n_ctx, struct eng_session_opts *so, struct err *e)
{
	*so = (struct eng_session_opts){ .n_ctx = n_ctx, .kv = o->kv, .chunk = o->chunk, .all_logits = o->tokens_path };
	return o->act ? eng_act_parse(o->act, &so->act, e) : 0;
}

int rig_need(const struct rig *r, const struct opts *o, const char *level, const struct eng_session_opts *so,
	     struct err *e)
{
	struct eng_need n;
	char text[200];

	if (need_check(r->model, level, so, o->force, &n, e) < 0)
		return -1;
	if (o->stats || isatty(STDERR_FILENO))
		cmd_note("%s", need_text(text, sizeof text, &n));
	return 0;
}

int rig_weights(struct rig *r, const char *level, struct eng_weights **out, struct err *e)
{
	struct meter m;
	char what[48];
	int ret;

	meter_init(&m, levelname_work(what, sizeof what, eng_model_info(r->model), level));
	ret = eng_weights_get(r->model, level, meter_progress, &m, out, e);
	meter_clear(&m);
	return ret;
}

int rig_session(struct rig *r, const struct opts *o, const char *level, int64_t n_ctx, struct err *e)
{
	struct eng_session_opts so;

	if (rig_session_opts(o, n_ctx, &so, e) < 0 || rig_need(r, o, level, &so, e) < 0 ||
	    rig_weights(r, level, &r->weights, e) < 0 ||
	    eng_session_new(r->weights, &so, &r->session, e) < 0)
		return -1;
	interrupt_watch(r->session);
	return 0;
}

void rig_close(struct rig *r)
{
	if (r->session) {
		interrupt_unwatch(r->session);
		eng_session_free(r->session);
	}
	eng_weights_release(r->weights);
	if (r->model)
		eng_model_close(r->model);
	eng_free(r->eng);
	*r = (struct rig){ 0 };
}

void rig_note_context(const struct rig *r, const struct opts *o)
{
	const int64_t trained = eng_model_info(r->model)->n_ctx_train;

	if (trained > 0 && o->n_ctx > trained)
		cmd_note("a context of %lld is more than the %lld the model was trained on",
			 (long long)o->n_ctx, (long long)trained);
}

int rig_fail(const struct err *e)
{
	if (e->code == ERR_CANCELLED && interrupt_seen())
		return interrupt_exit();
	return cmd_fail(e);
}
