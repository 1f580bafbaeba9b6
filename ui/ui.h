/* The curses screen. The only thing that main.c knows of ui/. */
#ifndef UI_UI_H
#define UI_UI_H

#include "app/cmd.h"

/*
 * Opens the chat on the terminal and returns the exit code. The terminal is as before on
 * every way out: return, SIGTERM, SIGHUP, a crash.
 */
int ui_chat(struct opts *o);

#endif
