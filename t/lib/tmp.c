#include "config.h"
#include "t/lib/tmp.h"
#include "t/lib/tap.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[512];
static char slots[8][1024];
static int slot;

static void clean(void)
{
	DIR *d = opendir(folder);
	struct dirent *f;
	char path[1024];

	while (d && (f = readdir(d))) {
		snprintf(path, sizeof path, "%s/%s", folder, f->d_name);
		if (strcmp(f->d_name, ".") && strcmp(f->d_name, ".."))
			unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(folder);
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
