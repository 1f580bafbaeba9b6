/* The help: made from the rows of the keys and of the commands, so that it cannot be out of date. */
#ifndef UI_PANE_HELP_H
#define UI_PANE_HELP_H

#include "ui/pane.h"

/* NULL without memory. */
struct pane *pane_help_new(void);

#endif
