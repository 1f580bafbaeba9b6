/* A line that is asked for at the bottom of the screen: what to search for. */
#ifndef UI_PROMPT_H
#define UI_PROMPT_H

#include "ui/key.h"
#include "ui/style.h"

struct prompt {
	bool open;
	const char *before;	/* "/" */
	struct str text;
};

enum prompt_end { PROMPT_MORE, PROMPT_DONE, PROMPT_GONE };

void prompt_init(struct prompt *p);
void prompt_release(struct prompt *p);
void prompt_open(struct prompt *p, const char *before);
/* Enter: DONE, Esc or Backspace on nothing: GONE; both close it, the text stays until it is opened again. */
enum prompt_end prompt_key(struct prompt *p, const struct key *k);
/* Draws it in the first row of b; where the caret is. */
void prompt_draw(const struct prompt *p, struct box b, int *y, int *x);

#endif
