/* Where things are looked for, and which model is opened when none is named. */
#include "config.h"
#include "app/paths.h"
#include "engine/base/xio.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *root, *models, *profiles;

static void test_dirs(void)
{
	struct str s;
	struct err e;

	str_init(&s, 0);
	setenv("HOME", "/home/somebody", 1);
	unsetenv("XDG_CONFIG_HOME");
	ok(!paths_dir(PATHS_CONFIG, &s, &e) && !strcmp(s.p, "/home/somebody/.config/tidbit"), "default of XDG_CONFIG_HOME");
	str_clear(&s);
	setenv("XDG_CONFIG_HOME", "relative", 1);
	ok(!paths_dir(PATHS_CONFIG, &s, &e) && !strcmp(s.p, "/home/somebody/.config/tidbit"), "a relative one is ignored");
	str_clear(&s);
	setenv("XDG_STATE_HOME", "/x", 1);
	ok(!paths_dir(PATHS_STATE, &s, &e) && !strcmp(s.p, "/x/tidbit"), "an absolute one is used");
	str_release(&s);
}

static bool opens(const char *dir, const char *name, bool want_shipped)
{
	struct str s, want;
	struct err e;
	bool shipped, same;

	str_init(&s, 0);
	str_init(&want, 0);
	str_addf(&want, "%s/%s", dir, name);
	same = !paths_default_model(&s, &shipped, &e) && !strcmp(s.p, want.p) && shipped == want_shipped;
	str_release(&s);
	str_release(&want);
	return same;
}

/* dir/name with one byte in it; `gone` takes it away again. */
static void file(const char *dir, const char *name, bool gone)
{
	struct str s;

	str_init(&s, 0);
	str_addf(&s, "%s/%s", dir, name);
	if (gone)
		unlink(s.p);
	else
		tmp_write(s.p, "x", 1);
	str_release(&s);
}

static void test_default_model(void)
{
	struct str s;
	struct err e;
	bool shipped;

	setenv("XDG_DATA_HOME", root, 1);
	setenv("TIDBIT_PROFILES", profiles, 1);
	str_init(&s, 0);
	ok(paths_default_model(&s, &shipped, &e) < 0 && e.code == ERR_NOT_FOUND, "nothing anywhere is an error");
	str_release(&s);
	file(profiles, PATHS_SHIPPED_MODEL, false);
	ok(opens(profiles, PATHS_SHIPPED_MODEL, true), "none fetched: the shipped one");
	xio_mkdirs(models, &e);
	ok(opens(profiles, PATHS_SHIPPED_MODEL, true), "an empty folder is no model");
	file(models, "b.gguf", false);
	file(models, "a.GGUF", false);
	file(models, ".0.gguf", false);
	file(models, "a.gguf.part", false);
	ok(opens(models, "a.GGUF", false), "the first by name; hidden and unfinished ones are none");
	file(models, PATHS_FETCHED_MODEL, false);
	ok(opens(models, PATHS_FETCHED_MODEL, false), "the fetched one before others");
	file(models, PATHS_FETCHED_MODEL, true);
	file(models, "a.GGUF", true);
	ok(opens(models, "b.gguf", false), "another when it is gone");
	file(models, "b.gguf", true);
	file(models, ".0.gguf", true);
	file(models, "a.gguf.part", true);
	file(profiles, PATHS_SHIPPED_MODEL, true);
}

int main(void)
{
	struct err e;

	root = mem_strdup(tmp_path("data"));
	models = mem_strdup(tmp_path("data/tidbit/models"));
	profiles = mem_strdup(tmp_path("profiles"));
	xio_mkdirs(profiles, &e);
	test_dirs();
	test_default_model();
	rmdir(models);
	rmdir(tmp_path("data/tidbit"));
	rmdir(root);
	rmdir(profiles);
	mem_free(root);
	mem_free(models);
	mem_free(profiles);
	return tap_done();
}
