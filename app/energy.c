#include "config.h"
#include "app/energy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool number_in(const char *path, uint64_t *out)
{
	FILE *f = fopen(path, "re");
	bool ok;

	if (!f)
		return false;
	ok = fscanf(f, "%" SCNu64, out) == 1;
	fclose(f);
	return ok;
}

/* A package is a zone of its own; cores and memory controllers are zones below one. */
static bool is_package(const char *zone)
{
	char path[96], name[32] = "";
	FILE *f;

	snprintf(path, sizeof path, "%s/name", zone);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(name, sizeof name, f))
		name[0] = '\0';
	fclose(f);
	return !strncmp(name, "package", 7);
}

bool energy_open(struct energy *e, const char *root)
{
	*e = (struct energy){ 0 };
	for (int i = 0; i < ENERGY_PACKAGES; i++) {
		char zone[64], path[96];

		if (snprintf(zone, sizeof zone, "%s/intel-rapl:%d", root ? root : "/sys/class/powercap", i) >= (int)sizeof zone)
			break;
		snprintf(e->path[e->n], sizeof e->path[0], "%s/energy_uj", zone);
		snprintf(path, sizeof path, "%s/max_energy_range_uj", zone);
		if (is_package(zone) && number_in(e->path[e->n], &e->last[e->n]) && number_in(path, &e->range[e->n]))
			e->n++;
	}
	return e->n > 0;
}

double energy_read(struct energy *e)
{
	for (int i = 0; i < e->n; i++) {
		uint64_t now;

		if (!number_in(e->path[i], &now))
			continue;
		e->joules += (double)(now >= e->last[i] ? now - e->last[i] : now + e->range[i] - e->last[i]) / 1e6;
		e->last[i] = now;
	}
	return e->joules;
}
