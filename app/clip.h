/*
 * Text to the clipboard, by whatever this terminal has: tmux's buffer (which hands it on), the
 * desktop's own tool, OSC 52. None of them answers, so nobody can say "copied": what is told is
 * what was sent, and by which way.
 */
#ifndef APP_CLIP_H
#define APP_CLIP_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* OSC 52 takes no more in several terminals: what is longer goes to a file. */
enum { CLIP_MAX = 70 * 1024 };

/* Bytes to the terminal, between those of others; NULL where there is none. */
typedef void clip_terminal_fn(const char *bytes, size_t n);

/*
 * Sends it and puts what was done into `told`: "sent 214 bytes to tmux". Never waits. With `keep` what is
 * too much may be written to a file; else, and where there is no way at all, it is an error.
 */
int clip_send(const char *text, size_t n, clip_terminal_fn *terminal, bool keep, char *told, size_t size, struct err *e);

#endif
