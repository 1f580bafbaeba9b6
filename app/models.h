/*
 * The models that are here, for choosing one: the list of `tidbit list`, and whether each fits into the
 * memory that is free. Read on a thread of its own at idle priority: rows come first, what they need
 * after that, one by one, with a wake of the loop for each.
 */
#ifndef APP_MODELS_H
#define APP_MODELS_H

#include "app/cmd.h"
#include "app/loop.h"

enum models_fit {
	MODELS_UNKNOWN,		/* not looked at yet */
	MODELS_FITS,
	MODELS_FITS_LESS,	/* with a context of fit_ctx */
	MODELS_FITS_NOT,
	MODELS_BAD,		/* it cannot be opened: why */
};

/* Texts come from outside; they live as long as the list. */
struct models_row {
	const char *id;		/* what to type for it */
	const char *path, *family, *cls, *level;
	uint64_t bytes;		/* of the file */
	int64_t n_params;
	enum models_fit fit;
	uint64_t need;		/* weights, keys and values of the whole context, scratch; 0: not known */
	int64_t n_ctx, fit_ctx;
	const char *why;	/* MODELS_BAD; else NULL */
};

struct models;

/* o is borrowed until models_free(). `spare`: bytes that are given back when another model is opened. */
int models_new(struct models **out, struct loop *l, const struct opts *o, uint64_t spare, struct err *e);
void models_free(struct models *m);
/* Grows with what there is to see. */
unsigned models_version(struct models *m);
/* How many rows there are; false: the folders are still being read. Why they cannot be: *why, else NULL. */
bool models_count(struct models *m, size_t *n, const char **why);
/* A copy of the i-th row. */
void models_row(struct models *m, size_t i, struct models_row *out);

#endif
