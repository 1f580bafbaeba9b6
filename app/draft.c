#include "config.h"
#include "app/draft.h"
#include "app/paths.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TOKEN = 17, TOKEN_MAX = 32, TRIES = 64, DAY = 24 * 60 * 60 };

static const char *const prefixes[] = { [DRAFT_TYPED] = "draft-", [DRAFT_CHAT] = "chat-" };
static const char running[] = "running-", unfinished[] = ".new";

/* The name under which this program keeps its own, "" none yet, and the lock on it. */
static struct {
	pthread_mutex_t lock;
	char token[TOKEN];
	int fd;
} own = { PTHREAD_MUTEX_INITIALIZER, "", -1 };

/* -- names ---------------------------------------------------------------------------- */

static int find_dir(struct str *dir, struct err *e)
{
	str_init(dir, 0);
	return paths_dir(PATHS_STATE, dir, e) || xio_mkdirs(dir->p, e) ? -1 : 0;
}

static int path_in(const char *dir, const char *prefix, const char *token, struct str *path, struct err *e)
{
	str_clear(path);
	str_addf(path, "%s/%s%s", dir, prefix, token);
	return path->failed ? err_set(e, ERR_NOMEM, "no memory for the draft") : 0;
}

static void draw(char *token)
{
	uint64_t r;

	if (getentropy(&r, sizeof r))
		r = (uint64_t)os_now_ns() << 20 ^ (uint64_t)getpid();
	snprintf(token, TOKEN, "%016" PRIx64, r);
}

/* What follows the prefix, NULL: it is no such name. */
static const char *token_of(const char *prefix, const char *name)
{
	const size_t n = strlen(prefix);
	const char *t = name + n;

	if (strncmp(name, prefix, n) || !*t || strlen(t) > TOKEN_MAX)
		return NULL;
	return t[strspn(t, "0123456789abcdef")] ? NULL : t;
}

/* -- who runs ----------------------------------------------------------------------------- */

/* Another program that looks for the ended ones may take a name away before it is locked: the next one, then. */
static int hold_new(const char *dir, struct err *e)
{
	struct str path;
	int fd = -1;

	str_init(&path, 0);
	for (int i = 0; i < TRIES; i++) {
		draw(own.token);
		if (path_in(dir, running, own.token, &path, e))
			break;
		fd = xio_open(path.p, O_RDWR | O_CREAT | O_EXCL, 0600, e);
		if (fd < 0 && errno != EEXIST)
			break;
		if (fd >= 0 && (!flock(fd, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK) && xio_named(fd, path.p))
			break;
		xio_close(fd, path.p, NULL);
		fd = -1;
	}
	str_release(&path);
	own.fd = fd;
	if (fd < 0)
		own.token[0] = '\0';
	return fd < 0 ? -1 : 0;
}

/* The program's own name, which is held from the first time on; a folder that was taken away is there anew. */
static int hold(const char *dir, char *token, struct err *e)
{
	struct str path;
	int r;

	str_init(&path, 0);
	pthread_mutex_lock(&own.lock);
	r = own.fd < 0 ? -1 : path_in(dir, running, own.token, &path, e);
	if (r || !xio_named(own.fd, path.p)) {
		xio_close(own.fd, path.p, NULL);
		r = hold_new(dir, e);
	}
	memcpy(token, own.token, TOKEN);
	pthread_mutex_unlock(&own.lock);
	str_release(&path);
	return r;
}

/* Where nothing can be locked, what was written a day ago has been left. */
static bool ended(const char *dir, const char *token, time_t written)
{
	struct str path;
	bool over;
	int fd;

	str_init(&path, 0);
	if (path_in(dir, running, token, &path, NULL)) {
		str_release(&path);
		return false;
	}
	fd = xio_open(path.p, O_RDWR | O_NONBLOCK | O_NOCTTY, 0, NULL);
	over = fd < 0 ? errno == ENOENT : !flock(fd, LOCK_EX | LOCK_NB) ||
	       (errno != EWOULDBLOCK && written < time(NULL) - DAY);
	if (fd >= 0 && over)
		unlink(path.p);
	xio_close(fd, path.p, NULL);
	str_release(&path);
	return over;
}

void draft_end(void)
{
	struct str dir, path;

	str_init(&dir, 0);
	str_init(&path, 0);
	pthread_mutex_lock(&own.lock);
	if (own.fd >= 0 && !find_dir(&dir, NULL) && !path_in(dir.p, running, own.token, &path, NULL) &&
	    xio_named(own.fd, path.p))
		unlink(path.p);
	xio_close(own.fd, "", NULL);
	own.fd = -1;
	pthread_mutex_unlock(&own.lock);
	str_release(&path);
	str_release(&dir);
}

/* -- writing -------------------------------------------------------------------------------- */

int draft_keep(enum draft d, const char *text, size_t n, struct err *e)
{
	struct str dir, path;
	char token[TOKEN];
	int r = -1;

	str_init(&path, 0);
	if (find_dir(&dir, e) || hold(dir.p, token, e) || path_in(dir.p, prefixes[d], token, &path, e))
		goto out;
	if (n)
		r = xio_put(path.p, text, n, 0600, XIO_HASTY, e);
	else
		r = unlink(path.p) && errno != ENOENT ? err_errno(e, "%s", path.p) : 0;
out:
	str_release(&path);
	str_release(&dir);
	return r;
}

int draft_leave(enum draft d, const char *text, size_t n, struct str *path, struct err *e)
{
	char token[TOKEN];
	struct str dir;
	int r = -1;

	draw(token);
	if (!find_dir(&dir, e) && !path_in(dir.p, prefixes[d], token, path, e))
		r = xio_put(path->p, text, n, 0600, XIO_NEW, e);
	str_release(&dir);
	return r;
}

/* -- what was left --------------------------------------------------------------------------- */

/* Newest first. */
struct left { size_t n; struct { char *path; struct timespec when; } of[DRAFT_MOST + 1]; };

static bool newer(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

static void add_left(struct left *l, const char *path, const struct timespec *when)
{
	size_t at = l->n;
	char *copy = mem_strdup(path);

	if (!copy)
		return;
	while (at && newer(when, &l->of[at - 1].when))
		at--;
	memmove(l->of + at + 1, l->of + at, (l->n - at) * sizeof *l->of);
	l->of[at].path = copy;
	l->of[at].when = *when;
	if (++l->n <= DRAFT_MOST)
		return;
	unlink(l->of[--l->n].path);
	mem_free(l->of[l->n].path);
}

/* A file that was being written when its program ended. */
static bool is_unfinished(enum draft d, const char *name)
{
	const size_t n = strlen(name), k = sizeof unfinished - 1;

	return !strncmp(name, prefixes[d], strlen(prefixes[d])) && n > k && !strcmp(name + n - k, unfinished);
}

static void look_at(enum draft d, const char *dir, const char *name, struct left *l)
{
	const char *token = token_of(prefixes[d], name), *runs = token_of(running, name);
	const time_t now = time(NULL);
	struct str path;
	struct stat st;

	str_init(&path, 0);
	str_addf(&path, "%s/%s", dir, name);
	if (path.failed || (!token && !runs && !is_unfinished(d, name)) || lstat(path.p, &st) || !S_ISREG(st.st_mode))
		goto out;
	if (runs)
		ended(dir, runs, st.st_mtime);
	else if (!token && st.st_mtime < now - DAY)
		unlink(path.p);
	else if (token && ended(dir, token, st.st_mtime)) {
		if (st.st_mtime < now - (time_t)DRAFT_DAYS * DAY)
			unlink(path.p);
		else
			add_left(l, path.p, &st.st_mtim);
	}
out:
	str_release(&path);
}

int draft_each(enum draft d, bool (*each)(void *arg, const char *path), void *arg, struct err *e)
{
	struct left l = { 0 };
	struct dirent *entry;
	struct str dir;
	bool done = false;
	DIR *folder;
	int r;

	str_init(&dir, 0);
	r = paths_dir(PATHS_STATE, &dir, e);
	folder = r ? NULL : opendir(dir.p);
	while (folder && (entry = readdir(folder)))
		look_at(d, dir.p, entry->d_name, &l);
	if (folder)
		closedir(folder);
	for (size_t i = 0; i < l.n; i++) {
		done = done || each(arg, l.of[i].path);
		mem_free(l.of[i].path);
	}
	str_release(&dir);
	return r;
}

static bool take_path(void *arg, const char *path)
{
	str_adds(arg, path);
	return true;
}

int draft_take(enum draft d, struct str *out, struct err *e)
{
	struct str path;
	int r;

	str_init(&path, 0);
	r = draft_each(d, take_path, &path, e);
	if (!r && path.len)
		r = xio_slurp_regular(path.p, out, e) ? -1 : xio_unlink(path.p, e);
	str_release(&path);
	return r;
}
