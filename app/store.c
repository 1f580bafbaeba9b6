#include "config.h"
#include "app/cmd.h"
#include "app/store.h"
#include "engine/base/xio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { MAX_ENTRIES = 1 << 20, MAX_WORD = 4096 };

/* -- collecting ---------------------------------------------------------------------- */

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void add_name(struct store *s, struct store_model *m, const char *name)
{
	if (!name || m->n_names == STORE_MAX_NAMES)
		return;
	for (int i = 0; i < m->n_names; i++)
		if (!strcasecmp(m->names[i], name))
			return;
	m->names[m->n_names] = mem_strdup(name);
	if (m->names[m->n_names])
		m->n_names++;
	else
		s->failed = true;
}

/* "llama3.2:latest" goes by "llama3.2" as well. */
static void add_untagged(struct store *s, struct store_model *m, const char *name)
{
	static const char tag[] = ":latest";
	const size_t n = name ? strlen(name) : 0;
	char *alone;

	if (n < sizeof tag || strcmp(name + n + 1 - sizeof tag, tag))
		return;
	alone = mem_strndup(name, n + 1 - sizeof tag);
	s->failed |= !alone;
	add_name(s, m, alone);
	mem_free(alone);
}

/* A file's name without .gguf, part and, where it is known, level. */
static size_t stem_of(const char *file, const char *level)
{
	static const char part[] = "-00001-of-00002";
	static const struct { const char *level, *as; } also[] = { { "F16", "fp16" }, { "F32", "fp32" } };
	size_t n = strlen(file), k = strlen(level);

	if (n > 5 && !strcasecmp(file + n - 5, ".gguf"))
		n -= 5;
	if (n > strlen(part) && file[n - 15] == '-' && !strncmp(file + n - 9, "-of-", 4) &&
	    strspn(file + n - 14, "0123456789") == 5)
		n -= strlen(part);
	if (k && n > k + 1 && strchr("-._", file[n - k - 1]) && !strncasecmp(file + n - k, level, k))
		return n - k - 1;
	for (size_t i = 0; i < sizeof also / sizeof *also; i++) {
		k = strlen(also[i].as);
		if (!strcmp(level, also[i].level) && n > k + 1 && strchr("-._", file[n - k - 1]) &&
		    !strncasecmp(file + n - k, also[i].as, k))
			return n - k - 1;
	}
	return n;
}

static void lower(char *s)
{
	for (; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

/* Files of which only the folder tells what they are. */
static bool says_nothing(const char *file, size_t stem)
{
	static const char *const words[] = { "model", "ggml-model", "weights" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strlen(words[i]) == stem && !strncasecmp(file, words[i], stem))
			return true;
	return false;
}

static bool is_level(const char *s, size_t n)
{
	char name[24];

	snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : 0), s);
	return *name && (eng_level_known(name) || !strcasecmp(name, "fp16") || !strcasecmp(name, "fp32"));
}

/* Does the folder that begins at `at` hold a commit of a repository: …/snapshots/COMMIT? */
static bool is_snapshot(const char *path, const char *at)
{
	static const char above[] = "/snapshots/";
	const size_t n = sizeof above - 1;

	return (size_t)(at - path) >= n && !memcmp(at - n, above, n);
}

/* The folder above a file that says what it is: not one that is a level, and a repository's name for its commits. */
static const char *telling_folder(const char *path, const char *file, const char *repo, size_t *n)
{
	for (const char *end = file - 1, *at; end > path; end = at - 1) {
		for (at = end; at > path && at[-1] != '/'; at--)
			continue;
		*n = (size_t)(end - at);
		if (repo && is_snapshot(path, at)) {
			at = strrchr(repo, '/');
			at = at ? at + 1 : repo;
			*n = strlen(at);
			return at;
		}
		if (!is_level(at, *n))
			return at;
	}
	*n = strlen(file);
	return file;
}

static char *name_of(const char *path, const char *level, const char *repo)
{
	const char *part = file_name(path);
	size_t n = stem_of(part, level);
	char *name;

	if (says_nothing(part, n) || is_level(part, n))
		part = telling_folder(path, part, repo, &n);
	name = mem_strndup(part, n);
	if (name)
		lower(name);
	return name;
}

static void model_release(struct store_model *m)
{
	for (int i = 0; i < m->n_names; i++)
		mem_free(m->names[i]);
	mem_free(m->id);
	mem_free(m->name);
	mem_free(m->path);
	mem_free(m->repo);
	mem_free(m->damaged);
	mem_free(m->note);
}

void store_add(struct store *s, const struct store_file *f)
{
	struct store_model *m, *grown;
	struct stat st, link;
	bool there;

	if (s->n == STORE_MAX_MODELS) {
		s->cut = true;
		return;
	}
	there = !stat(f->path, &st);
	if (there && !S_ISREG(st.st_mode))
		return;
	if (s->n == s->size) {
		const size_t size = s->size ? 2 * s->size : 64;

		grown = mem_rearray(s->models, size, sizeof *grown);
		if (!grown) {
			s->failed = true;
			return;
		}
		s->models = grown;
		s->size = size;
	}
	m = &s->models[s->n];
	*m = (struct store_model){ .place = f->place, .place_no = s->place_no, .path = mem_strdup(f->path) };
	m->name = f->name ? mem_strdup(f->name) : NULL;
	m->repo = f->repo ? mem_strdup(f->repo) : NULL;
	if (!m->path || (f->name && !m->name) || (f->repo && !m->repo)) {
		s->failed = true;
		model_release(m);
		return;
	}
	s->n++;
	m->link = !lstat(f->path, &link) && S_ISLNK(link.st_mode);
	if (there) {
		m->dev = st.st_dev;
		m->ino = st.st_ino;
		m->bytes = (uint64_t)st.st_size;
	}
	if (f->digest)
		snprintf(m->digest, sizeof m->digest, "%s", f->digest);
	if (f->damaged || !there) {
		m->damaged = mem_strdup(f->damaged ? f->damaged : "its data is not there: a link or a manifest leads nowhere");
		s->failed |= !m->damaged;
	}
	add_name(s, m, f->name);
	add_untagged(s, m, f->name);
	add_name(s, m, f->repo);
	if (!f->name)
		add_name(s, m, file_name(f->path));
}

void store_release(struct store *s)
{
	for (size_t i = 0; i < s->n; i++)
		model_release(&s->models[i]);
	mem_free(s->models);
	*s = (struct store){ 0 };
}

/* -- one model once ------------------------------------------------------------------ */

static int slashes_in(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += *s == '/';
	return n;
}

/* The place that comes first; there a file before links to it; folders are read in any order, so names decide. */
static int by_preference(const void *va, const void *vb)
{
	const struct store_model *a = va, *b = vb;

	if (a->place_no != b->place_no)
		return a->place_no < b->place_no ? -1 : 1;
	if (a->link != b->link)
		return a->link ? 1 : -1;
	if (strcmp(a->path, b->path) || !a->name || !b->name)
		return strcmp(a->path, b->path);
	/* one blob by several names: "llama:1b" before "org/llama:1b" */
	if (slashes_in(a->name) != slashes_in(b->name))
		return slashes_in(a->name) - slashes_in(b->name);
	return strcmp(a->name, b->name);
}

static int by_order(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

static void put_in_order(struct store *s)
{
	if (s->n)
		qsort(s->models, s->n, sizeof *s->models, by_preference);
	for (size_t i = 0; i < s->n; i++)
		s->models[i].order = i;
}

/* Same file beside same file, the one that was found first in front. */
static int by_inode(const void *va, const void *vb)
{
	const struct store_model *a = va, *b = vb;

	if (a->dev != b->dev)
		return a->dev < b->dev ? -1 : 1;
	if (a->ino != b->ino)
		return a->ino < b->ino ? -1 : 1;
	return by_order(a->order, b->order);
}

static int by_digest(const void *va, const void *vb)
{
	const struct store_model *a = va, *b = vb;
	const int r = strcmp(a->digest, b->digest);

	if (r)
		return r;
	/* of two that ought to be the same, the whole one */
	if (!a->damaged != !b->damaged)
		return a->damaged ? 1 : -1;
	return by_order(a->order, b->order);
}

static bool same_inode(const struct store_model *a, const struct store_model *b)
{
	return a->ino && a->dev == b->dev && a->ino == b->ino;
}

static bool same_digest(const struct store_model *a, const struct store_model *b)
{
	return *a->digest && !strcmp(a->digest, b->digest) && (a->bytes == b->bytes || b->damaged);
}

/* Sorts and folds neighbours that are the same into the first, which learns the others' names. */
static void fold(struct store *s, int (*order)(const void *, const void *),
		 bool (*same)(const struct store_model *, const struct store_model *))
{
	size_t out = 0;

	if (!s->n)
		return;
	qsort(s->models, s->n, sizeof *s->models, order);
	for (size_t i = 1; i < s->n; i++) {
		struct store_model *kept = &s->models[out], *m = &s->models[i];

		if (!same(kept, m)) {
			s->models[++out] = *m;
			continue;
		}
		for (int k = 0; k < m->n_names; k++)
			add_name(s, kept, m->names[k]);
		if (!*kept->digest)
			memcpy(kept->digest, m->digest, sizeof kept->digest);
		model_release(m);
	}
	s->n = out + 1;
}

/* -- looking at files ------------------------------------------------------------------ */

/* A message without the path before it: the list has that anyway. */
static const char *reason(const struct store_model *m, const struct err *e)
{
	const size_t n = strlen(m->path);

	return !strncmp(e->msg, m->path, n) && !strncmp(e->msg + n, ": ", 2) ? e->msg + n + 2 : e->msg;
}

/* False for what is no model of text. */
static bool look(struct store *s, struct store_model *m)
{
	const struct eng_info *in;
	struct eng_model *em;
	struct err e;
	bool wanted;

	if (m->damaged)
		return true;
	if (eng_model_look(m->path, &em, &e) < 0) {
		m->damaged = mem_strdup(reason(m, &e));
		s->failed |= !m->damaged;
		return true;
	}
	in = eng_model_info(em);
	wanted = !strcmp(in->kind, "model") && strcmp(in->arch, "clip");
	snprintf(m->arch, sizeof m->arch, "%s", in->arch);
	snprintf(m->level, sizeof m->level, "%s", in->n_tensors ? in->level : "");
	m->family = in->family;
	m->cls = in->cls;
	m->n_params = in->n_params;
	m->bytes = in->file_bytes;
	if (in->note) {
		m->note = mem_strdup(in->note);
		s->failed |= !m->note;
	}
	eng_model_close(em);
	return wanted;
}

static void look_at_all(struct store *s)
{
	size_t out = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct store_model *m = &s->models[i];

		if (!look(s, m)) {
			model_release(m);
			continue;
		}
		if (!m->name)
			m->name = name_of(m->path, m->level, m->repo);
		s->failed |= !m->name;
		s->models[out++] = *m;
	}
	s->n = out;
}

/* -- ids ------------------------------------------------------------------------------- */

static int by_name(const void *va, const void *vb)
{
	const struct store_model *a = va, *b = vb;
	const int r = strcasecmp(a->name, b->name);

	if (r)
		return r;
	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return by_order(a->order, b->order);
}

enum id_form { ID_NAME, ID_LEVEL, ID_PLACE, ID_PATH };

static bool same_at(const struct store_model *a, const struct store_model *b, enum id_form form)
{
	return !strcasecmp(a->name, b->name) && (form < ID_LEVEL || !strcasecmp(a->level, b->level)) &&
	       (form < ID_PLACE || !strcmp(a->place, b->place));
}

/* The shortest form that no other model has: those of one name are neighbours. */
static enum id_form id_form(const struct store *s, size_t at)
{
	const struct store_model *m = &s->models[at];
	enum id_form form = ID_NAME;

	for (; form < ID_PATH; form++) {
		bool alone = form == ID_NAME || *m->level;

		for (size_t i = at; alone && i-- && same_at(m, &s->models[i], ID_NAME);)
			alone = !same_at(m, &s->models[i], form);
		for (size_t i = at + 1; alone && i < s->n && same_at(m, &s->models[i], ID_NAME); i++)
			alone = !same_at(m, &s->models[i], form);
		if (alone)
			break;
	}
	return form;
}

static void make_id(struct store *s, size_t at)
{
	struct store_model *m = &s->models[at];
	struct str id;

	str_init(&id, 0);
	switch (id_form(s, at)) {
	case ID_NAME: str_adds(&id, m->name); break;
	case ID_LEVEL: str_addf(&id, "%s:%s", m->name, m->level); break;
	case ID_PLACE: str_addf(&id, "%s/%s:%s", m->place, m->name, m->level); break;
	case ID_PATH: str_adds(&id, m->path); break;
	}
	m->id = str_take(&id);
	s->failed |= !m->id;
}

int store_scan(struct store *s, const char *const *folders, struct err *e)
{
	s->budget = MAX_ENTRIES;
	store_places(s, folders);
	put_in_order(s);
	fold(s, by_inode, same_inode);
	fold(s, by_digest, same_digest);
	look_at_all(s);
	if (!s->failed && s->n) {
		qsort(s->models, s->n, sizeof *s->models, by_name);
		for (size_t i = 0; i < s->n; i++)
			make_id(s, i);
	}
	s->cut |= !s->budget;
	if (!s->failed)
		return 0;
	store_release(s);
	return err_set(e, ERR_NOMEM, "no memory for the list of models");
}

/* -- names ------------------------------------------------------------------------------ */

/* Is the word this form of a name, or that with the level behind it? */
static bool means(const char *word, const char *form, size_t n, const char *level)
{
	if (strncasecmp(word, form, n))
		return false;
	return !word[n] || (word[n] == ':' && *level && !strcasecmp(word + n + 1, level));
}

static bool matches_plain(const struct store_model *m, const char *word)
{
	if (means(word, m->name, strlen(m->name), m->level))
		return true;
	for (int i = 0; i < m->n_names; i++) {
		const char *f = m->names[i];
		const size_t n = strlen(f);

		if (means(word, f, n, m->level))
			return true;
		if (n > 5 && !strcasecmp(f + n - 5, ".gguf") &&
		    (means(word, f, n - 5, m->level) || means(word, f, stem_of(f, m->level), m->level)))
			return true;
	}
	return false;
}

static bool matches(const struct store_model *m, const char *word)
{
	const size_t n = strlen(m->place);

	return !strcasecmp(word, m->id) || matches_plain(m, word) ||
	       (!strncasecmp(word, m->place, n) && word[n] == '/' && matches_plain(m, word + n + 1));
}

struct found {
	const struct store_model *first;
	int n;			/* those that can be read, else all */
	bool sound;
	struct str names;
};

static void gather(const struct store *s, const char *word, struct found *f)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct store_model *m = &s->models[i];

		if (!matches(m, word) || (m->damaged && f->sound))
			continue;
		if (!m->damaged && !f->sound) {
			f->sound = true;
			f->n = 0;
			str_clear(&f->names);
		}
		if (!f->n++)
			f->first = m;
		str_addf(&f->names, "%s%s", f->n > 1 ? ", " : "", m->id);
	}
}

/* The id or other name that is closest to a word; NULL when none is near. */
static const char *nearest(const struct store *s, const char *word)
{
	const char **all = mem_array(s->n * (STORE_MAX_NAMES + 1) + 1, sizeof *all), *near;
	size_t n = 0;

	if (!all)
		return NULL;
	for (size_t i = 0; i < s->n; i++) {
		all[n++] = s->models[i].id;
		for (int k = 0; k < s->models[i].n_names; k++)
			all[n++] = s->models[i].names[k];
	}
	all[n] = NULL;
	near = cmd_nearest(word, all);
	mem_free(all);
	return near;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* What is told of a name that is none: other levels of it, or what is near. */
static int unknown(const struct store *s, const char *word, struct err *e)
{
	const char *colon = strrchr(word, ':'), *near = nearest(s, word);
	struct found others = { 0 };
	char q[128], base[MAX_WORD], list[256];

	err_quote(q, sizeof q, word, strlen(word));
	str_init(&others.names, 0);
	if (colon && (size_t)(colon - word) < sizeof base) {
		snprintf(base, sizeof base, "%.*s", (int)(colon - word), word);
		gather(s, base, &others);
	}
	if (others.n)
		err_set(e, ERR_NOT_FOUND, "no model '%s' is here; there is %s, and -q makes other levels of it", q,
			err_quote(list, sizeof list, others.names.p, others.names.len));
	else if (near)
		err_set(e, ERR_NOT_FOUND, "no model '%s': neither a file nor in tidbit list; did you mean %s?", q,
			err_quote(list, sizeof list, near, strlen(near)));
	else
		err_set(e, ERR_NOT_FOUND, "no model '%s': %s in tidbit list", q, is_folder(word) ? "it is a folder, and not" :
			"neither a file nor");
	str_release(&others.names);
	return -1;
}

int store_find(const struct store *s, const char *name, const struct store_model **out, struct err *e)
{
	struct found f = { 0 };
	char q[128], list[300];
	int r = 0;

	*out = NULL;
	/* an id is one model's, whatever else may go by that name */
	for (size_t i = 0; i < s->n; i++)
		if (!strcasecmp(s->models[i].id, name)) {
			*out = &s->models[i];
			return 0;
		}
	str_init(&f.names, 0);
	gather(s, name, &f);
	if (!f.n) {
		r = unknown(s, name, e);
	} else if (f.n > 1) {
		err_quote(q, sizeof q, name, strlen(name));
		r = err_set(e, ERR_ARG, "'%s' is %d models: %s", q, f.n,
			    err_quote(list, sizeof list, f.names.p, f.names.len));
	} else {
		*out = f.first;
	}
	str_release(&f.names);
	return r;
}

/* What is written as a path is one. */
static bool is_path(const char *word)
{
	struct stat st;

	if (!stat(word, &st))
		return !S_ISDIR(st.st_mode);
	return !*word || word[0] == '/' || word[0] == '~' || !strncmp(word, "./", 2) || !strncmp(word, "../", 3) ||
	       strlen(word) >= MAX_WORD;
}

static bool could_be_path(const char *word)
{
	const size_t n = strlen(word);

	return strchr(word, '/') || (n > 5 && !strcasecmp(word + n - 5, ".gguf"));
}

int store_resolve(const char *word, const char *const *folders, struct str *path, struct err *e)
{
	const struct store_model *m;
	struct store s = { 0 };
	int r;

	if (is_path(word))
		return 0;
	r = store_scan(&s, folders, e);
	r = r < 0 ? r : store_find(&s, word, &m, e);
	if (!r && m->damaged)
		r = err_set(e, ERR_FORMAT, "%s: %s", m->path, m->damaged);
	else if (!r)
		str_adds(path, m->path);
	else if (e->code == ERR_NOT_FOUND && could_be_path(word))
		r = 0;
	store_release(&s);
	return r;
}

const char *store_word(const char *const *folders, int i)
{
	static struct store s;
	struct err e;

	if (!i) {
		store_release(&s);
		if (store_scan(&s, folders, &e) < 0)
			return NULL;
	}
	for (size_t k = 0; k < s.n; k++)
		if (!s.models[k].damaged && i-- == 0)
			return s.models[k].id;
	return NULL;
}
