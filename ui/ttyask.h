/*
 * What terminals can be told and asked: by their names in the environment, and by what they report
 * themselves. Sequences that a terminal might print instead of obeying are sent to those only that
 * are known to read them.
 */
#ifndef UI_TTYASK_H
#define UI_TTYASK_H

#include "ui/key.h"

#include <stdbool.h>

/* tmux or screen: what is sent is for them, and what is behind them cannot be asked. */
bool tty_multiplexed(void);
/* Reads xterm's sequences: reports of modes, titles. TERM decides. */
bool tty_like_xterm(void);
bool tty_has_title(void);

/* Who orders right-to-left text, as far as the terminal goes. */
enum tty_bidi {
	TTY_BIDI_NONE,		/* it leaves that to programs */
	TTY_BIDI_SWITCH,	/* it does, until told not to: ECMA-48's BDSM, CSI 8 l and CSI 8 h */
	TTY_BIDI_ITSELF,	/* it does, and cannot be told */
};
/* By a table of known terminals. */
enum tty_bidi tty_known_bidi(void);

/* Modes that are asked for. */
enum { TTY_MODE_BIDI = 8, TTY_MODE_SCROLL = 1007 | KEY_REPORT_PRIVATE };
/* Asks for both, and then for what every terminal answers: no report comes after that one. Static text. */
extern const char tty_questions[];
/* A report's value (DECRPM): 0 the mode is not known, 1 set, 2 reset, 3 and 4 the same for good. */
static inline bool tty_mode_known(unsigned value)
{
	return value >= 1 && value <= 4;
}

#endif
