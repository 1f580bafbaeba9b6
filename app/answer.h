/*
 * One answer, from a conversation to its last token: the loop that run, chat and (later)
 * the server share, and the one place where an answer's figures are taken.
 */
#ifndef APP_ANSWER_H
#define APP_ANSWER_H

#include "engine/engine.h"

struct answer_stats {
	int32_t n_prompt;	/* tokens of the whole prompt */
	int32_t n_reused;	/* of those, already in the KV cache */
	int32_t n_prefill;	/* of those, computed now */
	int32_t n_gen;		/* tokens sampled, the end token not counted */
	int64_t prefill_ns;	/* in sync for the prompt */
	int64_t first_ns;	/* from the call to the first token sampled (TTFT) */
	int64_t decode_ns;	/* in sync + sample for the tokens after the first, the end token apart */
};
/* tokens/s; 0 when nothing was timed. Decode counts the tokens that decode_ns covers: n_gen - 1. */
double answer_prefill_rate(const struct answer_stats *s);
double answer_decode_rate(const struct answer_stats *s);

enum answer_end {
	ANSWER_DONE,		/* an end token */
	ANSWER_LENGTH,		/* the token limit */
	ANSWER_CONTEXT,		/* the context is full */
	ANSWER_STOPPED,		/* cancelled */
};

struct answer {
	/* in */
	struct eng_model *model;
	struct eng_session *session;
	struct eng_sampler *sampler;
	const int32_t *prompt;		/* whole prompt ids */
	int32_t n_prompt;
	int64_t n_max;			/* most tokens, -1: no limit */
	bool at_start;			/* raw text from the start of a text (detokenizer) */
	/* called after each token with its text (whole characters; n may be 0) and figures so far; may be NULL */
	void (*text)(void *arg, const char *text, size_t n, const struct answer_stats *s);
	/* called while prefilling; false stops; may be NULL */
	eng_progress_fn *progress;
	void *arg;
	/* out */
	struct eng_ids ids;		/* sampled, without the end token; the caller releases */
	struct answer_stats stats;
	enum answer_end end;
};

/*
 * Runs it. ERR_CONTEXT when the prompt does not fit (nothing is lost). Cancelling
 * (eng_session_cancel from any thread) is no error: end is ANSWER_STOPPED.
 */
int answer_run(struct answer *a, struct err *e);

#endif
