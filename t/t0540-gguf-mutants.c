/*
 * Mutants of real models, each with what must come of it told beforehand: refused with the
 * right class, in a line, or loaded and able to compute. MUTANTS tells how many (500).
 */
#include "config.h"
#include "engine/engine.h"
#include "t/lib/mutant.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct eng *eng;
static const char *path;

static unsigned char *read_all(const char *name, size_t *n)
{
	struct stat st;
	unsigned char *p;
	FILE *f = fopen(name, "rb");

	if (!f || fstat(fileno(f), &st) < 0)
		return NULL;
	*n = (size_t)st.st_size;
	p = malloc(*n + 1);
	if (!p || fread(p, 1, *n, f) != *n)
		abort();
	fclose(f);
	return p;
}

static void put(int fd, const void *p, size_t n, size_t at)
{
	if (pwrite(fd, p, n, (off_t)at) != (ssize_t)n)
		abort();
}

/* Changes the file, and back again. */
static void apply(int fd, const struct mutant *u)
{
	for (int i = 0; i < u->n_patches; i++)
		put(fd, u->patch[i].bytes, u->patch[i].n, u->patch[i].at);
	if (ftruncate(fd, (off_t)u->size))
		abort();
}

static void undo(int fd, const struct mutant *u, const unsigned char *p, size_t n)
{
	for (int i = 0; i < u->n_patches; i++)
		put(fd, p + u->patch[i].at, u->patch[i].n, u->patch[i].at);
	if (u->size < n)
		put(fd, p + u->size, n - u->size, u->size);
	if (ftruncate(fd, (off_t)n))
		abort();
}

/* A few tokens through a model that loaded: 0, or the code that stopped it. */
static int use(struct eng_model *m, struct err *e)
{
	static const int32_t ids[] = { 1, 2, 3 };
	const struct eng_session_opts so = { .n_ctx = 16 };
	struct eng_sync st = { 0 };
	struct eng_ids text = { 0 };
	struct eng_weights *w = NULL;
	struct eng_session *s = NULL;
	struct err ignored;
	int r = -1;

	if (!eng_weights_get(m, NULL, NULL, NULL, &w, e) && !eng_session_new(w, &so, &s, e) &&
	    !eng_session_sync(s, ids, 3, &st, e))
		r = 0;
	/* text may be damaged while the rest is sound: an error then, no harm */
	if (!eng_tokenize(m, "Once upon a time", 16, false, &text, &ignored) && !text.n)
		r = -1;
	eng_ids_release(&text);
	eng_session_free(s);
	eng_weights_release(w);
	return r;
}

/* What show does: also files that cannot be run. What it tells must be there. */
static bool inspect(const char *file)
{
	struct eng_model *m = NULL;
	const struct eng_info *in;
	struct err e;
	bool r;

	if (eng_model_open(eng, file, true, &m, &e) < 0)
		return true;
	in = eng_model_info(m);
	r = in->name && in->arch && in->level && in->tokenizer && in->template_kind && in->n_params >= 0 &&
	    in->kv_bytes_token >= 0 && !strchr(in->arch, '\033') && !strchr(in->name, '\033');
	eng_model_close(m);
	return r;
}

static bool sound(const char *file, const struct mutant *u, struct err *e)
{
	struct eng_model *m = NULL;
	int r;

	*e = (struct err){ 0 };
	if (eng_model_open(eng, file, false, &m, e) < 0)
		return u->codes >> e->code & 1 && *e->msg && !strchr(e->msg, '\n') && !strchr(e->msg, '\033') &&
		       strstr(e->msg, "mutant.gguf");
	r = use(m, e);
	eng_model_close(m);
	return !u->refuse && (!r || u->codes >> e->code & 1);
}

static void family(const char *name, const char *file, uint64_t count)
{
	size_t n;
	unsigned char *p = read_all(file, &n);
	struct mutants *s = p ? mutants_new(p, n) : NULL;
	uint64_t wrong = 0, refused = 0, must = 0;
	int fd;

	ok(s != NULL, "%s: its fields are found", name);
	if (!s) {
		free(p);
		return;
	}
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	put(fd, p, n, 0);
	for (uint64_t i = 0; i < count; i++) {
		struct mutant u;
		struct err e;

		mutants_make(s, i, &u);
		apply(fd, &u);
		must += u.refuse;
		if (!sound(path, &u, &e) || !inspect(path)) {
			if (++wrong < 20)
				printf("# mutant %" PRIu64 " (%s): %s, found %s: %s\n", i, u.what,
				       u.refuse ? "must be refused" : "may load", err_code_name(e.code), e.msg);
		}
		refused += e.code != ERR_NONE;
		undo(fd, &u, p, n);
	}
	ok(!wrong, "%s: %" PRIu64 " of %" PRIu64 " mutants were not what they should be", name, wrong, count);
	ok(must * 10 >= count * 6 && refused >= must, "%s: %" PRIu64 " had to be refused, %" PRIu64 " were", name, must,
	   refused);
	close(fd);
	mutants_free(s);
	free(p);
}

int main(void)
{
	const char *number = getenv("MUTANTS"), *shipped = getenv("TIDBIT_PROFILES"), *quant;
	const uint64_t count = number && *number ? strtoull(number, NULL, 10) : 500;
	const struct eng_opts o = { .threads = 1 };
	struct err e;
	char file[1024];

	path = tmp_path("mutant.gguf");
	if (eng_new(&eng, &o, &e) < 0) {
		ok(0, "the engine starts: %s", e.msg);
		return tap_done();
	}
	snprintf(file, sizeof file, "%s/stories260K.gguf", shipped ? shipped : "profiles");
	quant = tmp_data("models/stories260K/quant/stories260K-Q4_0.gguf");
	family("F32", file, quant ? count / 2 : count);
	if (quant)
		family("Q4_0", quant, count - count / 2);
	else
		tap_skip("no reference data");
	eng_free(eng);
	return tap_done();
}
