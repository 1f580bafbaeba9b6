/*
 * The running conversation, kept in a file of its own (draft.h) so that a crash or a signal does not
 * take it away; the next run offers it, and /restore brings it back with its token ids. Whoever
 * leaves by a key leaves none.
 */
#ifndef APP_KEEP_H
#define APP_KEEP_H

#include "app/chat.h"

/* Has something been said or answered since? Remembers in *seen what it was asked about. */
bool keep_changed(const struct chat *c, uint64_t *seen);
/* It as the file has it; nothing with nothing said. */
int keep_text(const struct chat *c, struct str *out, struct err *e);
/* Writes it; with nothing said, the file goes. */
int keep_write(const struct chat *c, struct err *e);
/* Looks for the newest that an ended run has left, and tells of it in a note. It stays until it is taken or dropped. */
void keep_offer(struct chat *c);
/* Left by a key: our own goes. */
void keep_drop(void);

#endif
