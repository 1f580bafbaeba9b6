/*
 * The models that are on this machine: in tidbit's own folder, in those that tidbit.conf names,
 * and in the stores of other programs, which are read and never written.
 *
 * A model is a GGUF file, or the first of one in parts. The same file behind several names,
 * links or manifests is one model; two whose digests are told by their store and are equal as
 * well. What is no model of text (mmproj, imatrix, adapters) is left out. Only headers are read.
 *
 * Names, paths and reasons come from outside: they go through termtext on their way to a
 * terminal. No function here writes anything.
 */
#ifndef APP_STORE_H
#define APP_STORE_H

#include "engine/engine.h"

#include <sys/types.h>

enum { STORE_MAX_MODELS = 16384, STORE_MAX_NAMES = 16 };

struct store_model {
	char *id;		/* what to type to mean this one: name, name:level, place/name:level, or the path */
	char *name;		/* the file's without ending, part and level, or its folder's, in lower case; as Ollama says it */
	char *path;		/* of the file, of the first part */
	char *repo;		/* "org/name" where its store tells it; or NULL */
	const char *place;	/* whose it is: "tidbit", "folder", "ollama", … (store_places.c) */
	char *names[STORE_MAX_NAMES];	/* other names of it: the file's, "org/repo", those of its other places */
	int n_names;
	char *damaged;		/* why it cannot be read; the fields below are unknown then */
	char *note;		/* why it cannot be run although it is sound; or NULL */
	char arch[64], level[24];
	const char *family;	/* what it runs as; NULL when it cannot; static */
	enum eng_class cls;
	int64_t n_params;
	uint64_t bytes;		/* of all parts; of a damaged one what its file has */
	/* identity, store.c's own */
	dev_t dev;
	ino_t ino;
	char digest[65];	/* sha256 in hex where the store tells it, else "" */
	size_t place_no;	/* places in the order they are looked at */
	bool link;		/* the path is a symbolic link */
	size_t order;		/* which of two that are the same is told: the lower */
};

struct store {
	struct store_model *models;	/* by name, the largest first */
	size_t n, size;
	bool cut;			/* there are more than are taken */
	bool failed;			/* memory ran out */
	size_t budget;			/* folder entries that may still be read */
	size_t place_no;		/* of the place that is looked at */
};

/* `folders`: of tidbit.conf, NULL-ended, or NULL. Folders that are not there are empty. {0} first. */
int store_scan(struct store *s, const char *const *folders, struct err *e);
void store_release(struct store *s);

/*
 * The model that a name means, in any case: an id, a name, "name:level", a file's name, "org/repo",
 * each also behind "place/". ERR_NOT_FOUND tells the nearest, ERR_ARG the candidates.
 */
int store_find(const struct store *s, const char *name, const struct store_model **out, struct err *e);

/*
 * Makes the path of what a user named as a model: appended to `path` when it is no file but in the store;
 * for one that is damaged the reason is the error.
 * Nothing is appended where the word is to be opened as it is: a file, or what can only be one.
 */
int store_resolve(const char *word, const char *const *folders, struct str *path, struct err *e);

/*
 * Completion: the i-th id of a model that can be read, NULL after the last. At i 0 the list is read
 * anew; what is returned is good until then. The main thread's.
 */
const char *store_word(const char *const *folders, int i);

/* -- between store.c and store_places.c ---------------------------------------------- */

/* A file that was found. All strings are copied. */
struct store_file {
	const char *path, *place;
	const char *name;	/* as its store names it, or NULL: by the file */
	const char *repo;	/* "org/repo" or NULL */
	const char *digest;	/* or NULL */
	const char *damaged;	/* its store itself tells that it is not whole; or NULL */
};
void store_add(struct store *s, const struct store_file *f);
/* Finds the files of all places. */
void store_places(struct store *s, const char *const *folders);

#endif
