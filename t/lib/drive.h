/* A chat without a screen: its loop turns until a condition holds. For tests that drive app/chat.h. */
#ifndef T_LIB_DRIVE_H
#define T_LIB_DRIVE_H

#include "app/chat.h"
#include "app/opt.h"

struct drive {
	struct loop *l;
	struct chat *c;
	struct opts o;
	void (*pumped)(struct drive *d);	/* after events were taken; NULL: nothing more */
	bool (*until)(const struct chat *c);
	bool late;
};

/* Options of a chat that answers greedily with n tokens at most, by two threads. */
void drive_init(struct drive *d, const char *model, int64_t n);
/* Opens it; what it says of the model comes while it is waited for. Bails out where that fails. */
void drive_open(struct drive *d);
void drive_close(struct drive *d);
/* Until that holds; two minutes, then the test bails out. */
void drive_wait(struct drive *d, bool (*until)(const struct chat *c));
/* Enter, and until nothing is left to be done. */
void drive_say(struct drive *d, const char *text);

/*
 * How slowly answers come, so that a test reaches one while it runs, however small the model is: UNTIL_MADE waits as long as
 * threads of the lowest priority make a level. From any thread; where drive_linger() is the hook of xio_set_fault(), or part of it.
 */
enum drive_pace { DRIVE_FAST, DRIVE_SLOW, DRIVE_UNTIL_MADE };
void drive_pace(enum drive_pace pace);
int drive_linger(const char *op, void *arg);

bool drive_opened(const struct chat *c);
bool drive_idle(const struct chat *c);

/* The last item of a kind; NULL: there is none. */
const struct chat_item *drive_last(const struct chat *c, enum item_kind kind);

/* What the prompt of the last answer must have been, as ids; added to out. */
typedef void drive_prompt_fn(const struct chat *c, struct eng_model *m, struct eng_ids *out);
/* That of the messages that stand before it, with the ids that were sampled in place of the text they spell. */
drive_prompt_fn drive_spliced;

/*
 * Whether the last answer is what a fresh session of another engine, of the model at a level (NULL: its own), says
 * greedily to that prompt: how many ids the prompt has, or -1.
 */
int64_t drive_follows(const struct chat *c, const char *model, const char *level, drive_prompt_fn *prompt);

#endif
