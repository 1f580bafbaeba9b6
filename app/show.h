/* The verb show, in two files: of a model (cmd_show.c), and of this machine. */
#ifndef APP_SHOW_H
#define APP_SHOW_H

#include "app/cmd.h"

/* Prints the machine's limits, measured before if they are not known; the exit code. */
int show_machine(const struct opts *o);

#endif
