/* Row 1: the model, its level, where a switch is heading, and what goes on; the tab's title tells the same in short. */
#ifndef UI_HEADER_H
#define UI_HEADER_H

#include "app/chat.h"
#include "ui/style.h"

/* back: help is open. */
void header_draw(const struct chat *c, bool back, struct box b);
/* "answering: tidbit SmolLM2-135M-Instruct Q4_1": filtered text. */
void header_title(const struct chat *c, char *buf, size_t size);

#endif
