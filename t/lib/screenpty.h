/*
 * The program on a pseudo terminal of the test's: what is typed, every byte that it sends, how long
 * that takes, and what it leaves. TERM is xterm-256color; nobody answers what the terminal is asked.
 */
#ifndef T_LIB_SCREENPTY_H
#define T_LIB_SCREENPTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <termios.h>

enum { SCREENPTY_KEPT = 1 << 20 };

struct screenpty {
	int master, slave;
	pid_t pid;
	struct termios before;
	char kept[SCREENPTY_KEPT];	/* the newest bytes … */
	size_t n;			/* … this many */
	uint64_t total;			/* all that ever came */
	/* the checker */
	int state;
	char seq[256];
	size_t n_seq;
	char odd[256];			/* the first sequence that is on no list, for people; "" none */
};

/* args: NULL-ended, behind the program's name. NULL when there is no terminal to be had or no program. */
struct screenpty *screenpty_open(int rows, int cols, const char *const *args);
/* On a terminal without flow control: no Ctrl-S in what is typed stops it. */
struct screenpty *screenpty_open_raw(int rows, int cols, const char *const *args);
/* Reads what comes until nothing did for `quiet` ms, at most `ms`. Every byte is checked. */
void screenpty_read(struct screenpty *s, int quiet, int ms);
/* Until the text comes in what was read since `from` (a total); milliseconds, -1: it did not within ms. */
double screenpty_until(struct screenpty *s, uint64_t from, const char *text, int ms);
void screenpty_type(struct screenpty *s, const char *text, size_t n);
void screenpty_size(struct screenpty *s, int rows, int cols);
/* What reading does with each byte. */
void screenpty_check(struct screenpty *s, const char *p, size_t n);
bool screenpty_alive(struct screenpty *s);
/* Waits for its end, reading or not; the exit status as waitpid has it, -1: it has not ended within ms (and is killed). */
int screenpty_end(struct screenpty *s, bool reading, int ms);
/* Are the terminal's modes as they were before? */
bool screenpty_restored(const struct screenpty *s);
void screenpty_close(struct screenpty *s);
/* Resident bytes, processor time and switches of all its threads. */
struct screenpty_use { uint64_t rss, cpu_ticks, switches; };
void screenpty_use(const struct screenpty *s, struct screenpty_use *u);

#endif
