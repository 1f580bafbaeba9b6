/*
 * A file mapped for reading that may be cut, or fail to be read, while it is in use. The
 * kernel answers a touch beyond the end with SIGBUS. Here that becomes zeros and a flag:
 * a handler, installed with the first mapping, puts zero pages where the file was and
 * marks the mapping; whoever read asks map_was_cut() afterwards and throws the result away.
 * A SIGBUS anywhere else goes to the handler that was there before, or ends the program.
 *
 * A handler for SIGBUS that is set later takes this one's place until the next map_open():
 * set such handlers first (a crash handler that restores the screen does).
 */
#ifndef ENGINE_FORMAT_MAP_H
#define ENGINE_FORMAT_MAP_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct map;

/*
 * Maps the whole of a regular, not empty file, read-only. ERR_IO, ERR_FORMAT (empty),
 * ERR_LIMIT (larger than the address space), ERR_NOMEM. map_close(NULL) does nothing.
 */
int map_open(struct map **out, const char *path, struct err *e);
void map_close(struct map *m);

const unsigned char *map_data(const struct map *m);
size_t map_size(const struct map *m);
/*
 * Lets the pages be written: a page written becomes memory of our own, the file stays as it
 * is. Returns the data, or NULL. Before the mapping is shared.
 */
unsigned char *map_make_writable(struct map *m, struct err *e);
/* Has a touch since map_open() met a page that the file no longer has? Any thread. */
bool map_was_cut(const struct map *m);

#endif
