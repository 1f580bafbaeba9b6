/*
 * The terminal: curses started and put back, the modes of the tty, bracketed paste, the
 * alternate screen, suspend, and the handler that leaves a whole terminal behind a crash.
 * Nothing else in the program changes what the shell finds afterwards.
 *
 * Main thread only, but for the crash handler, which may run in any.
 *
 * Modes while the screen is open: no echo, byte by byte, Enter (CR) told from Ctrl-J (LF),
 * Ctrl-C, Ctrl-Z and Ctrl-\ read as keys, Ctrl-V and Ctrl-O not eaten by the driver; Ctrl-S
 * and Ctrl-Q as they were found.
 */
#ifndef UI_TERM_H
#define UI_TERM_H

#include "engine/base/err.h"

#include <stdbool.h>

/*
 * Opens the screen. Call it after setlocale(), after readline is initialized (which moves
 * curses' idea of the terminal) and after the signal handlers of the loop stand: those for
 * signals that would kill the program are set here (app/crash.h), the loop's are left alone.
 * The terminal is asked what it can (ui/ttyask.h); answers come as keys.
 * ERR_UNSUPPORTED when the terminal cannot do it; the tty is then as it was.
 */
int term_start(struct err *e);
/* Puts everything back. May be called twice; exit() calls it too. */
void term_stop(void);

/* Stops the whole job as Ctrl-Z does in other programs; returns when it goes on. */
void term_suspend(void);
/* Gives the terminal to another program; term_resume() takes it back. */
void term_leave(void);
/* A sequence that draws nothing, in order with what is drawn. */
void term_send(const char *p, size_t n);
/* The tab's title, of filtered text, where there is one; what was there before comes back at the end. */
void term_title(const char *text);
/* The wheel comes as keys; other buttons are swallowed. */
void term_mouse(bool on);
/* A terminal that orders right-to-left text does so no more. */
void term_bidi(bool off);
/* What it answered: its wheel walked through programs' lines, and shall again; all answers are there. */
void term_scroll_was(bool on);
void term_answered(void);
/* After a stop that came without us (SIGSTOP): takes the screen again. */
void term_resume(void);
/* Asks the kernel for the size and tells curses; true when it changed. Never below 1×1. */
bool term_resized(void);
/* In a signal's handler: a write that the terminal holds comes to an end. */
void term_let_go(void);
/* Would a write to the terminal be taken now? False while the user holds it with Ctrl-S. */
bool term_writable(void);

#endif
