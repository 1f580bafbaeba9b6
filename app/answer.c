#include "config.h"
#include "app/answer.h"

double answer_prefill_rate(const struct answer_stats *s)
{
	return s->prefill_ns > 0 ? (double)s->n_prefill * 1e9 / (double)s->prefill_ns : 0;
}

double answer_decode_rate(const struct answer_stats *s)
{
	return s->decode_ns > 0 && s->n_gen > 1 ? (double)(s->n_gen - 1) * 1e9 / (double)s->decode_ns : 0;
}
