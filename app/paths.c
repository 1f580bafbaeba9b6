#include "config.h"
#include "app/paths.h"
#include "engine/base/xio.h"

#include <dirent.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct { const char *env, *fallback; } kinds[] = {
	[PATHS_CONFIG] = { "XDG_CONFIG_HOME", "/.config" },
	[PATHS_DATA] = { "XDG_DATA_HOME", "/.local/share" },
	[PATHS_STATE] = { "XDG_STATE_HOME", "/.local/state" },
	[PATHS_CACHE] = { "XDG_CACHE_HOME", "/.cache" },
};

static const char *program;

static bool is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static bool is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

static const char *home(void)
{
	const char *h = getenv("HOME");
	const struct passwd *pw;

	if (h && h[0] == '/')
		return h;
	pw = getpwuid(getuid());
	return pw ? pw->pw_dir : NULL;
}

int paths_base(enum paths_kind kind, struct str *out, struct err *e)
{
	const char *dir = getenv(kinds[kind].env);

	if (dir && dir[0] == '/') {
		str_adds(out, dir);
		return 0;
	}
	dir = home();
	if (!dir)
		return err_set(e, ERR_NOT_FOUND, "no home folder: set HOME or %s", kinds[kind].env);
	str_addf(out, "%s%s", dir, kinds[kind].fallback);
	return 0;
}

int paths_dir(enum paths_kind kind, struct str *out, struct err *e)
{
	if (paths_base(kind, out, e) < 0)
		return -1;
	str_adds(out, "/tidbit");
	return 0;
}

int paths_expand(const char *path, struct str *out, struct err *e)
{
	const char *h;

	if (path[0] != '~' || (path[1] && path[1] != '/')) {
		str_adds(out, path);
		return 0;
	}
	h = home();
	if (!h)
		return err_set(e, ERR_NOT_FOUND, "no home folder for ~: set HOME");
	str_addf(out, "%s%s", h, path + 1);
	return 0;
}

void paths_set_program(const char *argv0)
{
	program = argv0;
}

/* The folder that the executable is in; "" when the system does not tell. */
static void program_dir(char *buf, size_t size)
{
	char *real = realpath("/proc/self/exe", NULL);
	char *slash;

	if (!real && program && strchr(program, '/'))
		real = realpath(program, NULL);
	buf[0] = '\0';
	if (!real)
		return;
	slash = strrchr(real, '/');
	if (slash && (size_t)(slash - real) < size) {
		memcpy(buf, real, (size_t)(slash - real));
		buf[slash - real] = '\0';
	}
	free(real);
}

int paths_profiles(struct str *out, struct err *e)
{
	const size_t start = out->len;
	const char *env = getenv("TIDBIT_PROFILES");
	char dir[4096];

	if (env && *env) {
		str_adds(out, env);
		return 0;
	}
	program_dir(dir, sizeof dir);
	if (dir[0]) {
		static const char *const beside[] = { "/profiles", "/../share/tidbit/profiles" };

		for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
			str_addf(out, "%s%s", dir, beside[i]);
			if (is_dir(out->p + start))
				return 0;
			str_cut(out, start);
		}
	}
	str_adds(out, TIDBIT_PROFILES);
	if (is_dir(out->p + start))
		return 0;
	str_cut(out, start);
	return err_set(e, ERR_NOT_FOUND, "the profiles folder is neither beside the program nor at %s; "
		       "TIDBIT_PROFILES can name it", TIDBIT_PROFILES);
}

static bool is_gguf(const char *name)
{
	const size_t n = strlen(name);

	return n > 5 && name[0] != '.' && !strcasecmp(name + n - 5, ".gguf");
}

/* Appends "/NAME" of the first *.gguf by name in dir; false when there is none. */
static bool first_model(const char *dir, struct str *out)
{
	const size_t start = out->len;
	DIR *d = opendir(dir);
	const struct dirent *ent;
	char *best = NULL;

	if (!d)
		return false;
	while ((ent = readdir(d))) {
		if (!is_gguf(ent->d_name) || (best && strcmp(ent->d_name, best) >= 0))
			continue;
		str_addf(out, "/%s", ent->d_name);
		if (is_file(out->p)) {
			mem_free(best);
			best = mem_strdup(ent->d_name);
		}
		str_cut(out, start);
	}
	closedir(d);
	if (best)
		str_addf(out, "/%s", best);
	mem_free(best);
	return out->len > start;
}

/* out holds nothing yet. */
static bool fetched_model(struct str *out)
{
	struct str dir;
	bool found = false;

	str_init(&dir, 0);
	if (!paths_dir(PATHS_DATA, &dir, NULL)) {
		str_adds(&dir, "/models");
		str_addf(out, "%s/%s", dir.p, PATHS_FETCHED_MODEL);
		found = is_file(out->p);
		if (!found) {
			str_clear(out);
			str_adds(out, dir.p);
			found = first_model(dir.p, out);
		}
	}
	str_release(&dir);
	return found;
}

int paths_default_model(struct str *out, bool *shipped, struct err *e)
{
	str_clear(out);
	*shipped = false;
	if (fetched_model(out))
		return 0;
	str_clear(out);
	*shipped = true;
	if (paths_profiles(out, e) < 0)
		return -1;
	str_addf(out, "/%s", PATHS_SHIPPED_MODEL);
	if (!is_file(out->p))
		return err_set(e, ERR_NOT_FOUND, "no model was named, and there is none at %s", out->p);
	return 0;
}
