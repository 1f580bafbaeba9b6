/*
 * The user's inputrc is read by readline itself, which would wait for a pipe or a device that stands
 * there. Asked before readline's first call.
 */
#ifndef APP_INPUTRC_H
#define APP_INPUTRC_H

#include "engine/base/err.h"

/* -1: there is one that is no file; readline is told to do without it. None at all is no fault. */
int inputrc_check(struct err *e);

#endif
