/*
 * Steps that all tests of the screen on a pseudo terminal take (t/lib/screenpty.h). They end the
 * test when there is no terminal, or when what has to come does not.
 */
#ifndef T_LIB_SCR_H
#define T_LIB_SCR_H

#include "t/lib/screenpty.h"

/* A home of the test's own, and none of the variables that a terminal would be known by. */
void scr_init(void);
/* That home goes; the status to exit with. */
int scr_done(void);

/* tidbit chat on that model, up to its first screen, with one more option and its value. */
struct screenpty *scr_open(const char *model, int rows, int cols, const char *more, const char *value);
/* On a terminal that has no keys of its own (stty -ixon): each byte is the program's. */
struct screenpty *scr_open_raw(const char *model, int rows, int cols, const char *more, const char *value);
/* Ends it by SIGTERM: the status, the terminal's modes, and every sequence that was sent are looked at. */
void scr_finish(struct screenpty *s, const char *what);

void scr_type(struct screenpty *s, const char *text);
void scr_wait(struct screenpty *s, uint64_t from, const char *text);

/* Does one of the files of the state that begin so hold that? They are gone afterwards. */
bool scr_left(const char *prefix, const char *text);
/* Nothing is left to the next one. */
void scr_clean(void);

/* 0 … below - 1, the same numbers every time. */
uint32_t scr_draw(uint32_t below);

#endif
