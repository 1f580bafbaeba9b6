/*
 * One answer, from a conversation to its last token: the loop that run, chat and (later)
 * the server share, and the one place where an answer's figures are taken.
 */
#ifndef APP_ANSWER_H
#define APP_ANSWER_H

#include "app/stop.h"
#include "app/think.h"
#include "engine/engine.h"

struct answer_stats {
	int32_t n_prompt;	/* tokens of the whole prompt */
	int32_t n_reused;	/* of those, already in the KV cache */
	int32_t n_prefill;	/* of those, computed now */
	int32_t n_gen;		/* tokens sampled, the end token not counted */
	int64_t prefill_ns;	/* in sync for the prompt */
	int64_t first_ns;	/* from the call to the first token sampled (TTFT) */
	int64_t decode_ns;	/* in sync + sample for the tokens after the first, the end token apart … */
	int32_t n_decode;	/* … and how many those are: n_gen - 1, less where an answer was gone on with */
	int32_t n_think;	/* of n_gen, up to the end of the thinking */
	int32_t n_thought;	/* the same of the whole answer, with the tokens that it began with */
	bool may_think;		/* the closing mark is a token of its own: it may come without an opening one */
	struct think think;	/* places in the text of the answer, what it began with included */
	size_t begun;		/* bytes of text that it began with (n_begun) */
};
/* tokens/s; 0 when nothing was timed. */
double answer_prefill_rate(const struct answer_stats *s);
double answer_decode_rate(const struct answer_stats *s);
/* The decode rate of what came after `had`, which is of the same answer. */
double answer_decode_rate_since(const struct answer_stats *s, const struct answer_stats *had);
/* An answer that had those figures was gone on with, and what came then has these: s becomes those of the whole of it. */
void answer_stats_join(struct answer_stats *s, const struct answer_stats *had);

enum answer_end {
	ANSWER_DONE,		/* an end token */
	ANSWER_LENGTH,		/* the token limit */
	ANSWER_CONTEXT,		/* the context is full */
	ANSWER_STOPPED,		/* cancelled */
	ANSWER_STOP_TEXT,	/* a stop text; it is not part of the answer */
};
/* "", "cut at -n", "the context is full", "stopped", "a stop text" */
const char *answer_end_text(enum answer_end end);
/* Did it end by itself, by a stop text or a limit before its thinking was over? What can be done then. */
bool answer_only_thought(const struct answer_stats *s, enum answer_end end);
const char *answer_why_only_thought(enum answer_end end);
/* Is there more to come, were it not for what ended it? */
bool answer_can_go_on(enum answer_end end);

struct answer {
	/* in */
	struct eng_model *model;
	struct eng_session *session;
	struct eng_sampler *sampler;
	const int32_t *prompt;		/* whole prompt ids */
	int32_t n_prompt;
	int64_t n_max;			/* most tokens, -1: no limit */
	bool at_start;			/* raw text from the start of a text (detokenizer) */
	int32_t n_begun;		/* ids at the end of the prompt that are this answer's already */
	const struct stop *stop;	/* texts that end it, or NULL */
	struct think_marks marks;
	bool no_thinking;		/* it is switched off: a closing mark that nothing opened is text */
	/* called after each token with its text (whole characters; n may be 0) and figures so far; may be NULL */
	void (*text)(void *arg, const char *text, size_t n, const struct answer_stats *s);
	/* called while prefilling; false stops; may be NULL */
	eng_progress_fn *progress;
	void *arg;
	/* out */
	/*
	 * sampled, without the end token; the caller releases. None when a stop text begins in the
	 * middle of a token: then no ids spell the text.
	 */
	struct eng_ids ids;
	struct answer_stats stats;
	enum answer_end end;
};

/*
 * Runs it. ERR_CONTEXT when the prompt does not fit (nothing is lost). Cancelling
 * (eng_session_cancel from any thread) is no error: end is ANSWER_STOPPED.
 */
int answer_run(struct answer *a, struct err *e);

#endif
