#include "config.h"
#include "t/lib/scr.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char home[512];

void scr_init(void)
{
	static const char *const unset[] = { "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "NO_COLOR", "VTE_VERSION",
					     "MLTERM", "TERM_PROGRAM", "KONSOLE_VERSION", "COLORTERM" };
	char command[600];

	snprintf(home, sizeof home, "%s", tmp_path("home"));
	snprintf(command, sizeof command, "mkdir -p '%s/.local/state/tidbit'", home);
	if (system(command))
		exit(99);
	setenv("HOME", home, 1);
	for (size_t i = 0; i < sizeof unset / sizeof *unset; i++)
		unsetenv(unset[i]);
	signal(SIGPIPE, SIG_IGN);
}

int scr_done(void)
{
	char command[600];

	snprintf(command, sizeof command, "rm -rf '%s'", home);
	return system(command) ? 99 : tap_done();
}

void scr_type(struct screenpty *s, const char *text)
{
	screenpty_type(s, text, strlen(text));
}

void scr_wait(struct screenpty *s, uint64_t from, const char *text)
{
	if (screenpty_until(s, from, text, 20000 * tap_patience()) < 0) {
		printf("Bail out! \"%s\" was never seen\n", text);
		screenpty_close(s);
		exit(1);
	}
}

static struct screenpty *open_on(const char *model, bool ixon, int rows, int cols, const char *more, const char *value)
{
	const char *args[] = { "chat", model, "--seed", "7", "--temp", "0.9", more, value, NULL };
	struct screenpty *s = ixon ? screenpty_open(rows, cols, args) : screenpty_open_raw(rows, cols, args);

	if (!s) {
		tap_skip("no program or no pseudo terminal");
		exit(tap_done());
	}
	scr_wait(s, 0, "Enter");
	screenpty_read(s, 300, 3000);
	return s;
}

struct screenpty *scr_open(const char *model, int rows, int cols, const char *more, const char *value)
{
	return open_on(model, true, rows, cols, more, value);
}

struct screenpty *scr_open_raw(const char *model, int rows, int cols, const char *more, const char *value)
{
	return open_on(model, false, rows, cols, more, value);
}

void scr_finish(struct screenpty *s, const char *what)
{
	int status;

	kill(s->pid, SIGTERM);
	status = screenpty_end(s, true, 5000 * tap_patience());
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGTERM, "%s: it ends by the signal (%d)", what, status);
	ok(screenpty_restored(s), "%s: the terminal's modes are as before", what);
	ok(!s->odd[0], "%s: nothing was sent that is on no list (%s)", what, s->odd);
	screenpty_close(s);
	scr_clean();
}

bool scr_left(const char *prefix, const char *text)
{
	char path[1024], buf[4096];
	struct dirent *d;
	bool found = false;
	DIR *f;

	snprintf(path, sizeof path, "%s/.local/state/tidbit", home);
	f = opendir(path);
	while (f && (d = readdir(f))) {
		FILE *file;
		size_t n;

		if (strncmp(d->d_name, prefix, strlen(prefix)))
			continue;
		snprintf(path, sizeof path, "%s/.local/state/tidbit/%s", home, d->d_name);
		file = fopen(path, "r");
		n = file ? fread(buf, 1, sizeof buf - 1, file) : 0;
		buf[n] = 0;
		found |= strstr(buf, text) != NULL;
		if (file)
			fclose(file);
		remove(path);
	}
	if (f)
		closedir(f);
	return found;
}

void scr_clean(void)
{
	scr_left("draft-", "");
	scr_left("chat-", "");
	scr_left("messages", "");
}

uint32_t scr_draw(uint32_t below)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)(x >> 32) % below;
}
