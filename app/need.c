#include "config.h"
#include "app/need.h"
#include "app/units.h"

#include <stdio.h>

const char *need_text(char *buf, size_t size, const struct eng_need *n)
{
	char total[32], weights[32], kv[32], scratch[32], have[32];

	snprintf(buf, size, "needs %s (weights %s, KV %s for %lld tokens, scratch %s), %s available",
		 units_bytes(total, sizeof total, n->total), units_bytes(weights, sizeof weights, n->weights),
		 units_bytes(kv, sizeof kv, n->kv), (long long)n->n_ctx, units_bytes(scratch, sizeof scratch, n->scratch),
		 n->available ? units_bytes(have, sizeof have, n->available) : "an unknown amount");
	return buf;
}

/* "; -c 2048 fits; -q Q4_0 fits" */
static const char *what_fits(char *buf, size_t size, const struct eng_need *n)
{
	int at = 0;

	buf[0] = '\0';
	if (n->fit_ctx)
		at += snprintf(buf, size, "; -c %lld fits", (long long)n->fit_ctx);
	if (n->fit_level && n->fit_level_ctx == n->n_ctx)
		at += snprintf(buf + at, size - (size_t)at, "; -q %s fits", n->fit_level);
	else if (n->fit_level)
		at += snprintf(buf + at, size - (size_t)at, "; -q %s -c %lld fits", n->fit_level, (long long)n->fit_level_ctx);
	if (!at)
		snprintf(buf, size, "; no level of it fits");
	return buf;
}

int need_check(struct eng_model *m, const char *level, const struct eng_session_opts *so, bool force,
	       struct eng_need *out, struct err *e)
{
	const struct eng_info *info = eng_model_info(m);
	char need[200], fits[100];

	if (eng_model_need(m, level, so, out, e) < 0)
		return -1;
	/* pages of a mapping can be given back and read again, packed weights cannot */
	if (!out->fits && force)
		eng_model_stay_mapped(m);
	if (out->fits || force)
		return 0;
	/* weights can be read from the disk again and again, keys and values cannot */
	return err_set(e, ERR_LIMIT, "%s at %s %s%s%s", info->name, level ? level : info->level,
		       need_text(need, sizeof need, out), what_fits(fits, sizeof fits, out),
		       out->kv + out->scratch < out->available ? "; --force runs it all the same, from the disk" : "");
}
