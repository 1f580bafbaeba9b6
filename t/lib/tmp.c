#include "config.h"
#include "engine/base/xio.h"
#include "t/lib/tmp.h"
#include "t/lib/tap.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[512];
static char slots[8][1024];
static int slot;

static int drop(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	remove(path);
	return 0;
}

static void clean(void)
{
	nftw(folder, drop, 8, FTW_DEPTH | FTW_PHYS);
}

const char *tmp_path(const char *name)
{
	char *p = slots[slot++ % 8];

	if (!*folder) {
		const char *base = getenv("TMPDIR");

		snprintf(folder, sizeof folder, "%s/tidbit-test-XXXXXX", base && *base ? base : "/tmp");
		if (!mkdtemp(folder))
			tap_bail("cannot make a temporary folder");
		atexit(clean);
	}
	snprintf(p, sizeof slots[0], "%s/%s", folder, name);
	return p;
}

const char *tmp_state(void)
{
	static char state[sizeof slots[0]];
	const char *home = tmp_path("state");

	snprintf(state, sizeof state, "%s/tidbit", home);
	if (setenv("XDG_STATE_HOME", home, 1) || xio_mkdirs(state, NULL))
		tap_bail("cannot make a temporary folder");
	return state;
}

void tmp_write(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(p, 1, n, f) != n || fclose(f))
		tap_bail("cannot write a temporary file");
}

const char *tmp_data(const char *name)
{
	const char *base = getenv("TIDBIT_DATA");
	char *p = slots[slot++ % 8];

	if (!base)
		return NULL;
	snprintf(p, sizeof slots[0], "%s/%s", base, name);
	return access(p, R_OK) ? NULL : p;
}
