/*
 * Ctrl-C and its like for the verbs that compute and leave: the first one asks the work to
 * stop, so that it can end cleanly; a second one ends the program at once.
 *
 * One session or more may be told to the handler, which cancels them: that is one atomic store,
 * so a handler may do it.
 */
#ifndef APP_INTERRUPT_H
#define APP_INTERRUPT_H

#include "engine/engine.h"

enum { INTERRUPT_SESSIONS = 32 };

/* From here on SIGINT, SIGTERM and SIGHUP (unless ignored) are taken. */
void interrupt_catch(void);
/* Has one come? Also for progress callbacks: false stops them. */
bool interrupt_seen(void);
/* What the program exits with then: 130 for Ctrl-C, 128 + the signal's number. */
int interrupt_exit(void);
/* A session to cancel, up to INTERRUPT_SESSIONS; told when one has come already. */
void interrupt_watch(struct eng_session *s);
/* Before it is freed. */
void interrupt_unwatch(struct eng_session *s);

#endif
