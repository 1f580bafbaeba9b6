/*
 * The user's inputrc is read by readline itself, which would wait for a pipe or a device that stands
 * there or is included ($include), and never end with a file that includes itself. Asked before
 * readline's first call, and before it reads the file again.
 */
#ifndef APP_INPUTRC_H
#define APP_INPUTRC_H

#include "engine/base/err.h"

/*
 * -1: one of them is no file, or they go too deep; readline is told to do without all of it, for it
 * cannot be told to leave a line out. None at all is no fault.
 */
int inputrc_check(struct err *e);

#endif
