/*
 * What an unforeseen end must not take away, in files (0600, in the user's state folder): what was being
 * typed, and the conversation. Each running program has its own, under a name that it has drawn. A
 * second file of that name is locked as long as it runs, on whatever machine that shares the folder
 * and in whatever container: what belongs to a running program is left alone, the rest was left behind.
 * That stays until it is taken, for DRAFT_DAYS at most, and of each kind the newest DRAFT_MOST.
 */
#ifndef APP_DRAFT_H
#define APP_DRAFT_H

#include "engine/base/err.h"
#include "engine/base/str.h"

enum draft { DRAFT_TYPED, DRAFT_CHAT };
enum { DRAFT_DAYS = 30, DRAFT_MOST = 16 };

/* Replaces what is kept; n 0: nothing is any more. From any thread. */
int draft_keep(enum draft d, const char *text, size_t n, struct err *e);
/* Leaves a text behind as if its program had ended; its path is appended. */
int draft_leave(enum draft d, const char *text, size_t n, struct str *path, struct err *e);
/* Calls each for the paths that were left behind, newest first, until it returns true. */
int draft_each(enum draft d, bool (*each)(void *arg, const char *path), void *arg, struct err *e);
/* The text of the newest, whose file goes; out stays empty when there is none. */
int draft_take(enum draft d, struct str *out, struct err *e);
/* The program ends: what it still keeps is left behind from now on. */
void draft_end(void);

#endif
