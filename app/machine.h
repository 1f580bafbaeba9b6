/*
 * What is known of this machine: its limits as eng_probe() measured them, kept in
 * $XDG_CACHE_HOME/tidbit so that they are measured once. A processor, a number of cores or an
 * amount of memory that is another one (a virtual machine moves) is another machine: each has a
 * file of its own.
 */
#ifndef APP_MACHINE_H
#define APP_MACHINE_H

#include "engine/engine.h"

#include <jansson.h>

struct machine {
	char cpu[128];			/* its name as people know it, as the system tells it */
	uint64_t memory;		/* bytes */
	int64_t when;			/* it was measured, seconds since 1970 */
	struct eng_machine limits;
};

/*
 * The figures that are kept for this machine; with `again`, or when there are none, it is
 * measured first. A file that is damaged counts for none. What cannot be kept is an error in
 * `unkept` (its code is ERR_NONE else), and the figures are good all the same.
 */
int machine_get(bool again, eng_progress_fn *progress, void *arg, struct machine *out, struct err *unkept,
		struct err *e);

/* The figures that are kept, and nothing else: false when this machine was not measured yet. */
bool machine_kept(struct machine *out);

/*
 * Its figures as members "read" and "peak" of a JSON object, lists with an object for each. The file
 * that keeps them and `show --machine -o json` name things differently, and the latter in 10⁹.
 */
struct machine_names { const char *bytes, *read_rate, *peak_rate; double unit; };
void machine_add_limits(json_t *o, const struct eng_machine *m, const struct machine_names *names);

#endif
