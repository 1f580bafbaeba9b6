#include "config.h"
#include "app/room.h"
#include "app/units.h"

int64_t room_for_answer(int64_t ctx, int64_t n_max)
{
	const int64_t part = ctx / 8 > 0 ? ctx / 8 : 1;

	return n_max >= 0 && n_max < part ? (n_max > 0 ? n_max : 1) : part;
}

static void take(struct eng_ids *to, struct eng_ids *from)
{
	eng_ids_release(to);
	*to = *from;
	*from = (struct eng_ids){ 0 };
}

/* The fewest turns without which at most `limit` tokens are left, by halving: without more of them it is shorter. */
static int fewest(struct room *r, int64_t limit, room_tokens_fn *tokens, void *arg, struct eng_ids *best, struct err *e)
{
	struct eng_ids got = { 0 };
	int lo = 1, hi = r->turns - 1, rc = 0;

	r->drop = 0;
	while (lo <= hi && !rc) {
		const int mid = lo + (hi - lo) / 2;

		got.n = 0;
		rc = tokens(arg, mid, &got, e);
		if (rc)
			break;
		if ((int64_t)got.n <= limit) {
			r->drop = mid;
			take(best, &got);
			hi = mid - 1;
		} else {
			lo = mid + 1;
		}
	}
	eng_ids_release(&got);
	return rc;
}

int room_find(struct room *r, int64_t n_max, room_tokens_fn *tokens, void *arg, struct eng_ids *ids, struct err *e)
{
	const int64_t answer = room_for_answer(r->ctx, n_max);
	struct eng_ids best = { 0 };

	r->grow_ctx = (r->need + answer + r->need / 4 + 255) / 256 * 256;
	if (fewest(r, r->ctx - answer, tokens, arg, &best, e) < 0 ||
	    /* a long last question leaves less for its answer */
	    (!r->drop && fewest(r, r->ctx - 1, tokens, arg, &best, e) < 0)) {
		eng_ids_release(&best);
		return -1;
	}
	r->left = r->drop ? (int64_t)best.n : 0;
	if (r->drop)
		take(ids, &best);
	eng_ids_release(&best);
	return 0;
}

void room_turns(const struct room *r, int gone, struct str *out)
{
	if (r->drop == 1)
		str_addf(out, "turn %d", gone + 1);
	else
		str_addf(out, "turns %d to %d", gone + 1, gone + r->drop);
}

void room_text(const struct room *r, int gone, struct str *out)
{
	char buf[32];

	str_addf(out, "this does not fit: the conversation with it takes %lld tokens, the context holds %lld",
		 (long long)r->need, (long long)r->ctx);
	if (!r->drop) {
		str_adds(out, r->turns > 1 ? "; also without all earlier turns" : "");
		return;
	}
	str_adds(out, "; without ");
	room_turns(r, gone, out);
	str_addf(out, " it takes %lld", (long long)r->left);
	if (r->prefill_ns > 0)
		str_addf(out, ", about %s to read", units_time(buf, sizeof buf, r->prefill_ns));
}
