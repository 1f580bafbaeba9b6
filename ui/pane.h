/*
 * A pane: something that fills a box of the screen and can be moved through. One file each
 * (pane_NAME.c); the first member of its struct is this one. Panes never write outside their
 * box and never refresh: the screen paints once a turn.
 */
#ifndef UI_PANE_H
#define UI_PANE_H

#include "ui/style.h"

struct pane;

struct pane_ops {
	const char *name;
	void (*draw)(struct pane *p, struct box b);
	/* Moves by pages (negative: up). */
	void (*page)(struct pane *p, int pages);
	/* Moves what is seen by rows; a mark stays where it is, on the screen if it can. */
	void (*roll)(struct pane *p, int rows);
	/* Moves by rows: its mark, where it has one. */
	void (*step)(struct pane *p, int rows);
	void (*home)(struct pane *p);
	/* Goes to the end and stays there while it grows. */
	void (*end)(struct pane *p);
	/* Is there something above or below what is seen? */
	bool (*more)(const struct pane *p);
	void (*free)(struct pane *p);
};

struct pane { const struct pane_ops *ops; };

#endif
