/*
 * Writes drafts (draft.h) beside the thread that has the terminal: a file system may take its time
 * over a file, and keys do not wait for that. Of each kind the newest text is written, what is
 * overtaken before its turn is not.
 */
#ifndef APP_SCRIBE_H
#define APP_SCRIBE_H

#include "app/draft.h"

struct loop;
struct scribe;

/* l is woken when something went wrong, NULL: nobody is. */
int scribe_new(struct scribe **out, struct loop *l, struct err *e);
/* Takes the text (mem_free); n 0: the file goes. Without a scribe (NULL) it is written before this returns. */
void scribe_keep(struct scribe *s, enum draft d, char *text, size_t n);
/* What went wrong since it was asked last; false: nothing. */
bool scribe_failed(struct scribe *s, struct err *e);
/* Waits until all that was taken is written, not longer than that. */
void scribe_wait(struct scribe *s, int ms);
/* Waits until all is written. */
void scribe_free(struct scribe *s);

#endif
