/*
 * The verb logits: what the model gives for a list of ids, every position's logits as float32.
 * A workbench for comparing engines, levels and settings; nothing is added to the ids.
 */
#include "config.h"
#include "app/cmd.h"
#include "app/interrupt.h"
#include "app/meter.h"
#include "app/rig.h"
#include "engine/base/str.h"
#include "engine/base/xio.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IDS_FILE_MAX = 256 << 20 };

/* -- ids --------------------------------------------------------------------------------- */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The number at text[*at], which moves behind it. */
static int one_id(const struct str *text, size_t *at, int64_t n_vocab, const char *path, int32_t *out, struct err *e)
{
	const size_t start = *at;
	int64_t v = 0;
	char q[48];
	size_t end = start;

	while (end < text->len && !is_space(text->p[end]))
		end++;
	for (; *at < end && text->p[*at] >= '0' && text->p[*at] <= '9' && v <= INT32_MAX; ++*at)
		v = v * 10 + (text->p[*at] - '0');
	err_quote(q, sizeof q, text->p + start, end - start);
	if (*at < end && v <= INT32_MAX)
		return err_set(e, ERR_FORMAT, "%s: offset %zu: expected a token id, found '%s'", path, start, q);
	if (v >= n_vocab)
		return err_set(e, ERR_ARG, "%s: offset %zu: id %s is outside the vocabulary of %lld", path, start, q,
			       (long long)n_vocab);
	*out = (int32_t)v;
	return 0;
}

static int read_ids(const char *path, int64_t n_vocab, struct eng_ids *ids, struct err *e)
{
	const char *name = strcmp(path, "-") ? path : "standard input";
	struct str text;
	int r;

	str_init(&text, IDS_FILE_MAX);
	r = xio_slurp(path, &text, e);
	for (size_t at = 0; !r && at < text.len;) {
		int32_t id = 0;

		if (is_space(text.p[at])) {
			at++;
			continue;
		}
		r = one_id(&text, &at, n_vocab, name, &id, e);
		if (!r && eng_ids_add(ids, id) < 0)
			r = err_set(e, ERR_NOMEM, "%s: no memory for %zu ids", name, ids->n);
	}
	str_release(&text);
	if (!r && !ids->n)
		r = err_set(e, ERR_FORMAT, "%s: holds no token ids", name);
	if (!r && ids->n > INT32_MAX)
		r = err_set(e, ERR_LIMIT, "%s: holds more ids than a context can", name);
	return r;
}

/* -- the result, beside its place until it is whole ----------------------------------------- */

struct result {
	const char *name;	/* for messages */
	struct str temp;	/* path written to; "" when the place is written itself */
	int fd;
};

/* Only a regular file, or one that is not there yet, can be put in place whole. */
static bool replaceable(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 || S_ISREG(st.st_mode);
}

static int result_open(struct result *r, const char *path, struct err *e)
{
	str_init(&r->temp, 0);
	r->name = path;
	if (!strcmp(path, "-")) {
		r->name = "standard output";
		r->fd = STDOUT_FILENO;
		return 0;
	}
	if (replaceable(path)) {
		str_addf(&r->temp, "%s.%ld.part", path, (long)getpid());
		r->fd = xio_open(r->temp.p, O_WRONLY | O_CREAT | O_EXCL, 0666, e);
		if (r->fd < 0)
			str_clear(&r->temp);
	} else {
		r->fd = xio_open(path, O_WRONLY, 0, e);
	}
	return r->fd < 0 ? -1 : 0;
}

/* Puts it in place, or takes it away when the work failed (ok false). */
static int result_close(struct result *r, bool ok, struct err *e)
{
	int ret = ok ? 0 : -1;

	if (ok && r->temp.len)
		ret = xio_fsync(r->fd, r->temp.p, e);
	if (r->fd > STDERR_FILENO && xio_close(r->fd, r->name, ret ? NULL : e) < 0)
		ret = -1;
	if (!ret && r->temp.len)
		ret = xio_rename(r->temp.p, r->name, e);
	if (ret && r->temp.len)
		unlink(r->temp.p);
	str_release(&r->temp);
	return ret;
}

/* -- computing --------------------------------------------------------------------------------- */

struct job {
	struct result out;
	struct meter meter;
	struct eng_session *session;
	int64_t n_vocab;
	struct err err;
	bool failed;
};

static void write_row(void *arg, int32_t pos, const float *logits)
{
	struct job *j = arg;
	const size_t n = (size_t)j->n_vocab * sizeof *logits;

	(void)pos;
	_Static_assert(sizeof(float) == 4 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
		       "rows are written as they lie in memory");
	if (j->failed || xio_write(j->out.fd, logits, n, j->out.name, &j->err) == 0)
		return;
	j->failed = true;
	eng_session_cancel(j->session);
}

static bool on_progress(void *arg, int64_t done, int64_t total)
{
	struct job *j = arg;

	return meter_progress(&j->meter, done, total);
}

static int compute(struct rig *r, const struct opts *o, const struct eng_ids *ids, struct err *e)
{
	struct job j = { .session = r->session, .n_vocab = eng_model_info(r->model)->n_vocab };
	struct eng_sync st = { .progress = on_progress, .progress_arg = &j, .logits = write_row, .logits_arg = &j };
	int ret = -1;

	if ((int64_t)ids->n > eng_session_ctx(r->session))
		return err_set(e, ERR_CONTEXT, "%zu ids do not fit a context of %lld; -c %zu makes it large enough",
			       ids->n, (long long)eng_session_ctx(r->session), ids->n);
	if (result_open(&j.out, o->out_path, e) == 0) {
		meter_init(&j.meter, "computing");
		ret = eng_session_sync(r->session, ids->p, (int32_t)ids->n, &st, e);
		meter_clear(&j.meter);
	}
	if (j.failed) {
		*e = j.err;
		ret = -1;
	}
	return result_close(&j.out, ret == 0, e);
}

static int run(struct opts *o)
{
	struct eng_ids ids = { 0 };
	struct rig r = { 0 };
	struct err e;
	int ret;

	if (!o->model || !o->tokens_path || !o->out_path)
		return cmd_usage(&cmd_logits, "logits needs %s", !o->model ? "a model: -m FILE" :
				 !o->tokens_path ? "ids: --tokens IDS" : "a place for the result: -o FILE");
	ret = rig_open(&r, o, &e);
	if (!ret)
		ret = read_ids(o->tokens_path, eng_model_info(r.model)->n_vocab, &ids, &e);
	interrupt_catch();
	if (!ret) {
		rig_note_context(&r, o);
		ret = rig_session(&r, o, o->level, o->n_ctx, &e);
	}
	if (!ret)
		ret = compute(&r, o, &ids, &e);
	rig_close(&r);
	eng_ids_release(&ids);
	return ret < 0 ? rig_fail(&e) : EXIT_OK;
}

static const char *const takes[] = {
	"model", "tokens", "out", "level", "kv", "ctx", "chunk", "threads", "isa", "help", NULL
};

static const char *const notes[] = {
	"IDS is a file of token ids apart by white space; nothing is added to them. The result is ids x vocabulary "
	"float32, little endian, in the order of the ids; it appears whole or not at all.",
	NULL
};

const struct cmd cmd_logits = {
	.name = "logits", .args = "", .help = "the logits of every position of a list of token ids",
	.opts = takes, .notes = notes, .run = run,
};
