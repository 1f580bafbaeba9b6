#include "config.h"
#include "app/handover.h"
#include "app/need.h"
#include "app/rig.h"
#include "app/units.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

#include <stdio.h>
#include <string.h>

void level_report(const struct eng_session *s, struct level_report *r)
{
	const struct eng_weights_info *wi = eng_weights_info(eng_session_weights(s));

	snprintf(r->name, sizeof r->name, "%s", wi->level);
	snprintf(r->note, sizeof r->note, "%s", wi->note ? wi->note : "");
	snprintf(r->act, sizeof r->act, "%s", eng_session_act(s));
	r->made = wi->made;
	r->bytes = wi->bytes;
	r->bpw = wi->bpw;
}

/* As the session that is handed over; what the options say was in order when that was made. */
static struct eng_session_opts session_opts(const struct handover *h)
{
	struct eng_session_opts so;

	rig_session_opts(h->o, eng_session_ctx(h->session), &so, NULL);
	return so;
}

/* What there is is asked for while the old level and its KV are there: an exact switch needs room beside them. */
int handover_check(const struct handover *h, struct err *e)
{
	const struct eng_session_opts so = session_opts(h);
	const int32_t held = eng_session_len(h->session);
	char old[32], kept[96];
	struct eng_need need;
	struct eng_mem mem;
	size_t n;

	if (need_check(h->model, h->level, &so, h->o->force, &need, e) == 0)
		return 0;
	if (e->code != ERR_LIMIT || !held || h->borrowed)
		return -1;
	eng_session_mem(h->session, &mem);
	snprintf(kept, sizeof kept, "; the KV of %d tokens, %s, stays until the new one is whole (--borrowed needs no other)",
		 held, units_bytes(old, sizeof old, mem.kv_used));
	n = strlen(e->msg);
	snprintf(e->msg + n, sizeof e->msg - n, "%s", kept);
	return -1;
}

/* The new KV beside the old one. */
static int compute_again(struct handover *h, struct eng_weights *neu, const int32_t *ids, int32_t n,
			 struct level_report *r, struct err *e)
{
	const struct eng_session_opts so = session_opts(h);
	struct eng_sync st = { .progress = h->progress, .progress_arg = h->arg };
	const int64_t start = os_now_ns();
	struct eng_session *s = NULL;

	if (eng_session_new(neu, &so, &s, e))
		return -1;
	h->begin(h->arg, "prefill", NULL, s);
	if (eng_session_sync(s, ids, n, &st, e)) {
		h->begin(h->arg, "", NULL, h->session);
		eng_session_free(s);
		return -1;
	}
	eng_session_free(h->session);
	h->session = s;
	r->prefilled = n;
	r->prefill_ns = os_now_ns() - start;
	return 0;
}

static int hand_over(struct handover *h, struct eng_weights *neu, struct level_report *r, struct err *e)
{
	const int32_t n = eng_session_len(h->session);
	int32_t *ids;
	int ret;

	r->held = n;
	if (h->borrowed || !n) {
		r->borrowed = h->borrowed && n;
		return eng_session_bind(h->session, neu, h->borrowed ? ENG_BIND_BORROWED : ENG_BIND_EXACT, e);
	}
	ids = mem_array((size_t)n, sizeof *ids);
	if (!ids)
		return err_set(e, ERR_NOMEM, "no memory for the conversation's tokens");
	memcpy(ids, eng_session_ids(h->session), (size_t)n * sizeof *ids);
	ret = compute_again(h, neu, ids, n, r, e);
	mem_free(ids);
	return ret;
}

int handover_run(struct handover *h, struct eng_weights *neu, struct level_report *r, struct err *e)
{
	struct eng_weights *old = h->weights;
	const int ret = neu == old ? 0 : hand_over(h, neu, r, e);

	if (ret || neu == old) {
		eng_weights_release(neu);
		return ret;
	}
	h->weights = neu;
	eng_weights_release(old);
	return 0;
}
