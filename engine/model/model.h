/*
 * An open model: the file, its configuration, its text side (built when first needed),
 * and the weights that are alive.
 */
#ifndef ENGINE_MODEL_MODEL_H
#define ENGINE_MODEL_MODEL_H

#include "engine/base/pool.h"
#include "engine/engine.h"
#include "engine/format/gguf.h"
#include "engine/kernels/kern.h"
#include "engine/model/config.h"
#include "engine/model/weights.h"
#include "engine/text/prompt.h"
#include "engine/text/vocab.h"

/* Memory that forward() works in: grown when needed, one for all sessions of an eng. */
struct scratch {
	char *p;
	size_t size;
};

struct row;

struct eng {
	struct pool *pool;
	struct kern kern;
	char isa[32];
	struct scratch scratch;
	struct eng_work *profile;	/* NULL: nothing is counted */
	struct row *rows;		/* (n_rows) of a step: sched.c; likewise grown */
	int n_rows;
};

struct eng_model {
	struct eng *eng;
	struct gguf *gguf;
	struct config cfg;		/* of a model that can be run; else zero */
	struct eng_info info;
	void *info_store;		/* what info's strings and types point into */
	bool look;			/* opened by eng_model_look(): there is no eng, and no data is read */
	struct err look_err;		/* what info.note tells then */
	bool stays_mapped;		/* its own level is not packed */
	struct eng_weights *alive;	/* list; first the mapping as it is, what all others are made from */
	struct eng_level *levels;
	int n_levels;
	/* text: built once, when first needed; the error is kept and told again */
	enum { TEXT_UNTRIED, TEXT_READY, TEXT_FAILED } text;
	struct err text_err;
	struct vocab *vocab;
	struct prompt_template *tmpl;	/* NULL: tmpl_err tells why */
	const char *tmpl_note;		/* NULL, or whose it is; static */
	struct err tmpl_err;
};

/* What eng_model_open() does but for the list of levels. */
int model_open(struct eng *g, const char *path, bool inspect, struct eng_model **out, struct err *e);
/* Builds vocabulary and template if that was not done yet. */
int model_text(struct eng_model *m, struct err *e);

#endif
