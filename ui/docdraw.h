/* Draws one row of a doc: what stands before it, then its text with its looks and what was found in it. */
#ifndef UI_DOCDRAW_H
#define UI_DOCDRAW_H

#include "ui/doc.h"
#include "ui/find.h"

/* found may be NULL. Nothing is drawn beyond max columns. */
void doc_draw_row(const struct doc *d, const struct doc_row *row, int y, int x, int max, const struct find *found);

#endif
