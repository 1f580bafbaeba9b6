/*
 * Energy as the processor counts it (RAPL, /sys/class/powercap): of whole packages, so of all that
 * runs on the machine and not of this program alone. Most systems let only root read it.
 */
#ifndef APP_ENERGY_H
#define APP_ENERGY_H

#include <stdbool.h>
#include <stdint.h>

enum { ENERGY_PACKAGES = 16 };

struct energy {
	char path[ENERGY_PACKAGES][96];		/* of counters, in microjoules */
	uint64_t range[ENERGY_PACKAGES];	/* where they begin anew */
	uint64_t last[ENERGY_PACKAGES];
	int n;					/* packages; 0: none that can be read */
	double joules;				/* since energy_open() */
};

/* Finds the packages below root, NULL: "/sys/class/powercap". False: none can be read. */
bool energy_open(struct energy *e, const char *root);
/*
 * Adds what was used since the last call; returns the sum, joules. Call it at least once a minute, or a counter may
 * go round unseen.
 */
double energy_read(struct energy *e);

#endif
