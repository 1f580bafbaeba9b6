/*
 * Where programs keep their models, and how. A new place is a row; a new way to keep them is a
 * function.
 */
#include "config.h"
#include "app/paths.h"
#include "app/store.h"
#include "engine/base/xio.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DEPTH = 8, MAX_MANIFEST = 1 << 20, MAX_PARTS = 1024, DIGEST = 64 };

/* -- walking ------------------------------------------------------------------------- */

struct walk {
	struct store *s;
	const char *place;
	struct str path;		/* of where the walk stands */
	size_t root;			/* its length at the root */
	/* folders that it is in, so that a link to one of them is not followed */
	struct { dev_t dev; ino_t ino; } in[MAX_DEPTH + 1];
};

static bool ends_with(const char *name, const char *end)
{
	const size_t n = strlen(name), m = strlen(end);

	return n > m && !strcasecmp(name + n - m, end);
}

/* A folder may be named like a file, and is one all the same. What accompanies models is told by what it says it is. */
static bool is_model_file(const char *name, const char *path)
{
	struct stat st;

	return ends_with(name, ".gguf") && (stat(path, &st) || !S_ISDIR(st.st_mode));
}

/* "-00002-of-00005.gguf" at the end of a name: the number, else 0. */
static int part_number(const char *end)
{
	static const char digits[] = "0123456789";

	if (*end != '-' || strspn(end + 1, digits) != 5 || strncmp(end + 6, "-of-", 4) || strspn(end + 10, digits) != 5)
		return 0;
	return atoi(end + 1);
}

/* A part that is told by a lower one: the first, or if that is gone the lowest there is. */
static bool is_later_part(struct walk *w, size_t dir)
{
	const size_t n = strlen("-00002-of-00005.gguf");
	char *end = w->path.p + w->path.len - n, saved[6], number[16];
	bool lower = false;
	int k;

	if (w->path.len - dir <= n || (k = part_number(end)) < 2)
		return false;
	memcpy(saved, end + 1, 5);
	for (int i = 1; i < k && i <= MAX_PARTS && !lower; i++) {
		snprintf(number, sizeof number, "%05d", i);
		memcpy(end + 1, number, 5);
		lower = !access(w->path.p, F_OK);
	}
	memcpy(end + 1, saved, 5);
	return lower;
}

typedef void file_fn(struct walk *w, size_t dir);

static bool loops(const struct walk *w, int depth, const struct stat *st)
{
	for (int i = 0; i < depth; i++)
		if (w->in[i].dev == st->st_dev && w->in[i].ino == st->st_ino)
			return true;
	return false;
}

/* Calls fn for every model file below w->path, which is the same again afterwards. */
static void walk(struct walk *w, int depth, file_fn *fn)
{
	const size_t dir = w->path.len;
	const struct dirent *ent;
	struct stat st;
	DIR *d;

	if (depth > MAX_DEPTH || stat(w->path.p, &st) || !S_ISDIR(st.st_mode) || loops(w, depth, &st))
		return;
	w->in[depth].dev = st.st_dev;
	w->in[depth].ino = st.st_ino;
	d = opendir(w->path.p);
	while (d && (ent = readdir(d)) && w->s->budget) {
		if (ent->d_name[0] == '.')
			continue;
		w->s->budget--;
		str_addf(&w->path, "/%s", ent->d_name);
		if (is_model_file(ent->d_name, w->path.p))
			fn(w, dir);
		else if (ent->d_type == DT_DIR || ent->d_type == DT_LNK || ent->d_type == DT_UNKNOWN)
			walk(w, depth + 1, fn);
		str_cut(&w->path, dir);
	}
	if (d)
		closedir(d);
}

/* The 64 hexadecimal digits that a name ends with, in lower case; false when it does not. */
static bool digest_of(const char *name, char *out)
{
	const size_t n = strlen(name);

	if (n < DIGEST || strspn(name + n - DIGEST, "0123456789abcdef") != DIGEST)
		return false;
	memcpy(out, name + n - DIGEST, DIGEST + 1);
	return true;
}

/* Stores that name a blob by its digest show it by links. */
static bool link_digest(const char *path, char *out)
{
	char target[4096];
	const ssize_t n = readlink(path, target, sizeof target - 1);

	if (n <= 0)
		return false;
	target[n] = '\0';
	return digest_of(target, out);
}

static void add(struct walk *w, size_t dir, const char *repo)
{
	char digest[DIGEST + 1];
	struct store_file f = { .path = w->path.p, .place = w->place, .repo = repo };

	if (w->path.failed || is_later_part(w, dir))
		return;
	if (link_digest(w->path.p, digest))
		f.digest = digest;
	store_add(w->s, &f);
}

static void take_file(struct walk *w, size_t dir)
{
	add(w, dir, NULL);
}

static void tree(struct walk *w)
{
	walk(w, 0, take_file);
}

/* ROOT/publisher/model/….gguf */
static void take_published(struct walk *w, size_t dir)
{
	const char *rel = w->path.p + w->root + 1, *slash = strchr(rel, '/');
	char repo[512];

	slash = slash ? strchr(slash + 1, '/') : NULL;
	if (!slash || (size_t)(slash - rel) >= sizeof repo) {
		add(w, dir, NULL);
		return;
	}
	memcpy(repo, rel, (size_t)(slash - rel));
	repo[slash - rel] = '\0';
	add(w, dir, repo);
}

static void published(struct walk *w)
{
	walk(w, 0, take_published);
}

/* ROOT/models--org--name/snapshots/COMMIT/….gguf, links into ../../blobs */
static void take_snapshot(struct walk *w, size_t dir)
{
	static const char prefix[] = "models--";
	const char *rel = w->path.p + w->root + 1;
	char repo[512];
	size_t n = 0;

	for (rel += strlen(prefix); *rel && *rel != '/' && n < sizeof repo - 1; rel++) {
		const bool cut = !strncmp(rel, "--", 2) && !memchr(repo, '/', n);

		repo[n++] = cut ? '/' : *rel;
		rel += cut;
	}
	repo[n] = '\0';
	add(w, dir, repo);
}

static void hub(struct walk *w)
{
	const struct dirent *ent;
	DIR *d = opendir(w->path.p);

	while (d && (ent = readdir(d)) && w->s->budget) {
		w->s->budget--;
		if (strncmp(ent->d_name, "models--", 8))
			continue;
		str_addf(&w->path, "/%s/snapshots", ent->d_name);
		walk(w, 0, take_snapshot);
		str_cut(&w->path, w->root);
	}
	if (d)
		closedir(d);
}

/* -- Ollama -------------------------------------------------------------------------- */

/* The layer that is the model; NULL when there is none. */
static const json_t *model_layer(const json_t *manifest)
{
	const json_t *l;
	size_t i;

	json_array_foreach(json_object_get(manifest, "layers"), i, l) {
		const char *type = json_string_value(json_object_get(l, "mediaType"));

		if (type && !strcmp(type, "application/vnd.ollama.image.model"))
			return l;
	}
	return NULL;
}

/*
 * What is wrong with a manifest goes to `why`; else the model's digest, "" when it holds no model. Copies nothing
 * that is no digest.
 */
static void read_manifest(const char *path, char *digest, char *why, size_t size)
{
	const json_t *layer;
	struct str text;
	json_error_t je;
	struct err e;
	json_t *j;
	char q[80];

	str_init(&text, MAX_MANIFEST);
	*digest = *why = '\0';
	if (xio_slurp_regular(path, &text, &e) < 0) {
		snprintf(why, size, "its manifest cannot be read");
	} else if (!(j = json_loadb(text.p, text.len, 0, &je))) {
		snprintf(why, size, "its manifest is no JSON: line %d, column %d", je.line, je.column);
	} else {
		layer = model_layer(j);
		if (!json_is_array(json_object_get(j, "layers"))) {
			snprintf(why, size, "its manifest has no list of layers");
		} else if (layer) {
			const char *d = json_string_value(json_object_get(layer, "digest"));

			if (!d || strlen(d) != 7 + DIGEST || strncmp(d, "sha256:", 7) || !digest_of(d, digest))
				snprintf(why, size, "its manifest names no blob: the digest '%s' is malformed",
					 d ? err_quote(q, sizeof q, d, strlen(d)) : "");
		}
		json_decref(j);
	}
	str_release(&text);
}

/* "llama3.2:1b", "org/model:tag", "hf.co/org/model:tag" from the path below manifests/. */
static void ollama_name(const char *rel, struct str *out)
{
	static const char *const usual[] = { "registry.ollama.ai/library/", "registry.ollama.ai/" };
	const char *tag;

	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		if (!strncmp(rel, usual[i], strlen(usual[i]))) {
			rel += strlen(usual[i]);
			break;
		}
	tag = strrchr(rel, '/');
	str_addf(out, "%.*s:%s", (int)(tag - rel), rel, tag + 1);
}

static void take_manifest(struct walk *w, size_t manifests)
{
	struct str blob, name;
	struct store_file f = { .place = w->place, .path = w->path.p };
	char digest[DIGEST + 1], why[200];

	str_init(&blob, 0);
	str_init(&name, 0);
	ollama_name(w->path.p + manifests + 1, &name);
	f.name = name.p;
	read_manifest(w->path.p, digest, why, sizeof why);
	if (!*why && *digest) {
		str_addf(&blob, "%.*s/blobs/sha256-%s", (int)w->root, w->path.p, digest);
		if (access(blob.p, F_OK) < 0)
			snprintf(why, sizeof why, "its manifest names a blob that is not there: sha256-%s", digest);
		else
			f.path = blob.p;
		f.digest = digest;
	}
	f.damaged = *why ? why : NULL;
	if (*why || *digest)
		store_add(w->s, &f);
	str_release(&blob);
	str_release(&name);
}

/* Manifests lie at manifests/HOST/NAMESPACE/MODEL/TAG: `levels` more folders to go. */
static void manifests(struct walk *w, size_t top, int levels)
{
	const size_t dir = w->path.len;
	const struct dirent *ent;
	DIR *d = opendir(w->path.p);

	while (d && (ent = readdir(d)) && w->s->budget) {
		struct stat st;

		if (ent->d_name[0] == '.')
			continue;
		w->s->budget--;
		str_addf(&w->path, "/%s", ent->d_name);
		if (!w->path.failed && !stat(w->path.p, &st)) {
			if (levels && S_ISDIR(st.st_mode))
				manifests(w, top, levels - 1);
			else if (!levels && S_ISREG(st.st_mode))
				take_manifest(w, top);
		}
		str_cut(&w->path, dir);
	}
	if (d)
		closedir(d);
}

static void ollama(struct walk *w)
{
	str_adds(&w->path, "/manifests");
	manifests(w, w->path.len, 3);
}

/* -- the places ---------------------------------------------------------------------- */

/* Where a root is: a variable of the environment, or below a folder of the user's. */
enum base { BASE_END, BASE_ENV, BASE_HOME, BASE_DATA, BASE_CONFIG, BASE_CACHE, BASE_ROOT };

struct root { enum base base; const char *env, *below; };

/* A variable that is set ends the search of a place: whoever sets it has moved the store. */
static const struct place {
	const char *name;
	void (*scan)(struct walk *w);
	struct root roots[6];
} places[] = {
	{ "tidbit", tree, { { BASE_DATA, NULL, "/tidbit/models" } } },
	{ "lmstudio", published, { { BASE_HOME, NULL, "/.lmstudio/models" }, { BASE_CACHE, NULL, "/lm-studio/models" } } },
	{ "hf", hub, {
		{ BASE_ENV, "HF_HUB_CACHE", "" },
		{ BASE_ENV, "HUGGINGFACE_HUB_CACHE", "" },
		{ BASE_ENV, "HF_HOME", "/hub" },
		{ BASE_CACHE, NULL, "/huggingface/hub" } } },
	{ "llama.cpp", tree, {
		{ BASE_ENV, "LLAMA_CACHE", "" },
		{ BASE_CACHE, NULL, "/llama.cpp" },
		{ BASE_HOME, NULL, "/Library/Caches/llama.cpp" } } },
	{ "gpt4all", tree, {
		{ BASE_DATA, NULL, "/nomic.ai/GPT4All" },
		{ BASE_HOME, NULL, "/Library/Application Support/nomic.ai/GPT4All" } } },
	{ "jan", tree, {
		{ BASE_DATA, NULL, "/Jan/data/llamacpp/models" },
		{ BASE_CONFIG, NULL, "/Jan/data/llamacpp/models" },
		{ BASE_HOME, NULL, "/Library/Application Support/Jan/data/llamacpp/models" } } },
	{ "ollama", ollama, {
		{ BASE_ENV, "OLLAMA_MODELS", "" },
		{ BASE_HOME, NULL, "/.ollama/models" },
		{ BASE_ROOT, NULL, "/usr/share/ollama/.ollama/models" } } },
};

static void root_path(const struct root *r, struct str *out)
{
	static const enum paths_kind kinds[] = {
		[BASE_DATA] = PATHS_DATA, [BASE_CONFIG] = PATHS_CONFIG, [BASE_CACHE] = PATHS_CACHE,
	};
	const char *v = r->env ? getenv(r->env) : NULL;

	if (r->base == BASE_ENV && v && *v)
		paths_expand(v, out, NULL);
	else if (r->base == BASE_HOME)
		paths_expand("~", out, NULL);
	else if (r->base == BASE_DATA || r->base == BASE_CONFIG || r->base == BASE_CACHE)
		paths_base(kinds[r->base], out, NULL);
	if (out->len || r->base == BASE_ROOT)
		str_adds(out, r->below);
}

static void scan_root(struct store *s, const char *place, void (*scan)(struct walk *w), const char *root)
{
	struct walk w = { .s = s, .place = place };

	if (root[0] != '/')
		return;
	s->place_no++;
	str_init(&w.path, 1 << 16);
	str_adds(&w.path, root);
	w.root = w.path.len;
	scan(&w);
	str_release(&w.path);
}

void store_places(struct store *s, const char *const *folders)
{
	struct str root;

	str_init(&root, 1 << 16);
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		for (const struct root *r = places[i].roots; r->base != BASE_END; r++) {
			str_clear(&root);
			root_path(r, &root);
			scan_root(s, places[i].name, places[i].scan, root.p);
			if (r->base == BASE_ENV && root.len)
				break;
		}
		/* the user's own folders come behind tidbit's */
		for (const char *const *f = i ? NULL : folders; f && *f; f++)
			scan_root(s, "folder", tree, *f);
	}
	str_release(&root);
}
