/*
 * Room in the context: what to say of a conversation that it does not hold, before anything
 * is computed or lost. A turn is a question and what was answered; the first one to go is the
 * oldest. The system message stays.
 */
#ifndef APP_ROOM_H
#define APP_ROOM_H

#include "engine/engine.h"

struct room {
	int64_t need, ctx;	/* tokens of all of it, and positions that there are */
	int turns;		/* the new question's among them */
	int drop;		/* this many of the oldest must go; 0: the last one alone is too long */
	int64_t left;		/* tokens then */
	int64_t prefill_ns;	/* what computing those takes, about; 0: not known */
	int64_t grow_ctx;	/* a context that holds all of it and an answer */
	uint64_t grow_bytes;	/* what its keys and values take more; 0: not known */
};

/* The ids of the conversation without its first `drop` turns, appended to out. */
typedef int room_tokens_fn(void *arg, int drop, struct eng_ids *out, struct err *e);

/* How many positions are kept free for an answer of at most n_max tokens (-1: no limit). */
int64_t room_for_answer(int64_t ctx, int64_t n_max);
/*
 * Finds what must go. In: r->need, ctx, turns. On success with r->drop, `ids` are those of what stays;
 * with drop 0 they are as they were.
 */
int room_find(struct room *r, int64_t n_max, room_tokens_fn *tokens, void *arg, struct eng_ids *ids, struct err *e);
/* "this does not fit: …": turns are numbered from the beginning of the chat, `gone` of which went before. */
void room_text(const struct room *r, int gone, struct str *out);
/* "turns 2 to 5", "turn 1" */
void room_turns(const struct room *r, int gone, struct str *out);

#endif
