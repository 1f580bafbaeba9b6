/*
 * The input line of a chat in plain lines, on a terminal: readline with the user's inputrc, which has the
 * last word on every key. Alt-Enter and Ctrl-J put a line end into the message (insert-newline), Ctrl-X
 * Ctrl-E opens it in $EDITOR (edit-message). One in a program, on the main thread; all it draws goes to
 * standard error.
 */
#ifndef APP_PLAINLINE_H
#define APP_PLAINLINE_H

#include <stdbool.h>
#include <stddef.h>

struct plainline_ops {
	void (*line)(void *arg, char *text);		/* was sent: free() it; NULL: the input has ended */
	/* the i-th way to complete line[start, end), from malloc; NULL after the last */
	char *(*complete)(void *arg, const char *line, size_t start, size_t end, int i);
	void (*complain)(void *arg, const char *text);
};

/*
 * The terminal, before a model is opened: until the first prompt and between prompts nothing typed is echoed (the next
 * prompt shows it) and Enter stays told from Ctrl-J. Put back by plainline_close(), exit() and signals that end the program.
 */
void plainline_open(void);
void plainline_close(void);
/* Before the first prompt. history: how many lines Up finds. */
void plainline_start(const struct plainline_ops *ops, void *arg, int history);
/* Takes the terminal and prompts; with a draft (or NULL) in the line. Nothing happens when it prompts already. */
void plainline_prompt(const char *draft);
bool plainline_prompting(void);
/* Steps aside, before anything else is printed. */
void plainline_leave(void);
/* Standard input can be read: may call ops->line, at which time the terminal is given back. */
void plainline_read(void);
/* Ctrl-C: what is typed goes, and `says` is told if nothing was; true then. */
bool plainline_interrupt(const char *says);
/* Around a stop, prompting or not, and after a new size. */
void plainline_lend(void);
void plainline_take_back(void);
void plainline_resize(void);
/* A line that Up finds, but for one that it finds already. */
void plainline_remember(const char *line);

#endif
