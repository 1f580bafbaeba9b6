/*
 * The test's own temporary folder: made at first use under $TMPDIR, gone at exit with the
 * what is in it (also after a failed test; not after a crash).
 */
#ifndef T_LIB_TMP_H
#define T_LIB_TMP_H

#include <stddef.h>

/* "<folder>/name"; a few such strings stay valid at a time. */
const char *tmp_path(const char *name);
/* Where tidbit keeps its state, for this process: $XDG_STATE_HOME is set to a folder there, and its own in that is made. */
const char *tmp_state(void);
void tmp_write(const char *path, const void *p, size_t n);
/* A file of the reference data, or NULL when it is not there. The same memory as tmp_path(). */
const char *tmp_data(const char *name);

#endif
