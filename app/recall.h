/*
 * The messages of earlier runs: a file of one line each (\n and \\ written out), 0600, in the
 * user's state folder, for the screen and for plain lines alike. Written as they are sent, so that
 * nothing is lost with the terminal.
 */
#ifndef APP_RECALL_H
#define APP_RECALL_H

#include "engine/base/err.h"

/* Calls entry for the last `max` of them, oldest first. A file that is not there has none. */
int recall_load(int max, void (*entry)(void *arg, const char *text), void *arg, struct err *e);
/* The oldest go when the file has become too large. ERR_LIMIT: this one is too large to be kept. */
int recall_add(const char *text, struct err *e);

#endif
