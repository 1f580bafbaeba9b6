/*
 * Text to the clipboard, by whatever this terminal has: tmux's buffer (which hands it on), the
 * desktop's own tool, OSC 52. None of them answers, so nobody can say "copied": what is told is
 * what was sent, and by which way.
 */
#ifndef UI_CLIP_H
#define UI_CLIP_H

#include "engine/base/err.h"

#include <stddef.h>

/* OSC 52 takes no more in several terminals: what is longer goes to a file. */
enum { CLIP_MAX = 70 * 1024 };

/* Sends it and puts what was done into `told`: "sent 214 bytes to tmux". Never waits. */
int clip_send(const char *text, size_t n, char *told, size_t size, struct err *e);

#endif
