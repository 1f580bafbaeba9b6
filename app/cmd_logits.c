/*
 * The verb logits: what the model gives for a list of ids, every position's logits as float32.
 * A workbench for comparing engines, levels and settings; nothing is added to the ids.
 */
#include "config.h"
#include "app/cmd.h"
#include "app/interrupt.h"
#include "app/meter.h"
#include "app/opt.h"
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
	char *target;		/* where it comes to lie: behind a link what that leads to */
	struct str temp;	/* path written to; "" when the place is written itself */
	int fd;
};

/* Only a regular file, or one that is not there yet, can be put in place whole. */
static bool replaceable(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 || S_ISREG(st.st_mode);
}

/* A file that stood there keeps its mode. */
static void keep_mode(const struct result *r)
{
	struct stat st;

	if (!stat(r->target, &st))
		(void)!fchmod(r->fd, st.st_mode & 0777);
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
		r->target = xio_target(path, e);
		r->fd = -1;
		if (!r->target)
			return -1;
		str_addf(&r->temp, "%s.%ld.part", r->target, (long)getpid());
		r->fd = xio_open(r->temp.p, O_WRONLY | O_CREAT | O_EXCL, 0666, e);
		if (r->fd < 0)
			str_clear(&r->temp);
		else
			keep_mode(r);
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
		ret = xio_rename(r->temp.p, r->target, e);
	if (ret && r->temp.len)
		unlink(r->temp.p);
	str_release(&r->temp);
	mem_free(r->target);
	return ret;
}

/* -- computing --------------------------------------------------------------------------------- */

struct job {
	struct rig *rig;
	const struct opts *o;
	struct eng_ids ids, with_ids;
	struct eng_weights *old;	/* of --switch-from */
	struct eng_session *with;	/* of --with: decodes its ids over and over beside the other */
	int32_t with_len;
	struct result out;
	struct meter meter;
	int64_t n_vocab;
	bool written;			/* are the rows computed now part of the result? */
	bool failed;
	struct err err;
};

static void write_row(void *arg, int32_t pos, const float *logits)
{
	struct job *j = arg;
	const size_t n = (size_t)j->n_vocab * sizeof *logits;

	(void)pos;
	_Static_assert(sizeof(float) == 4 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
		       "rows are written as they lie in memory");
	if (j->failed || !j->written || xio_write(j->out.fd, logits, n, j->out.name, &j->err) == 0)
		return;
	j->failed = true;
	eng_session_cancel(j->rig->session);
}

/* Brings the session to the first n ids, chunk by chunk, each beside a token of the other session. */
static int advance(struct job *j, int32_t n, struct err *e)
{
	struct eng_session *s = j->rig->session;
	struct eng_sync st = { .logits = j->written ? write_row : NULL, .logits_arg = j };
	struct eng_turn turns[2] = { { s, j->ids.p, 0, &st }, { j->with, j->with_ids.p, 0, NULL } };

	for (int32_t at; (at = eng_session_len(s)) < n;) {
		const int32_t chunk = eng_session_chunk(s);

		j->with_len = j->with_len < (int32_t)j->with_ids.n ? j->with_len + 1 : 1;
		turns[0].n = n - at < chunk ? n : at + chunk;
		turns[1].n = j->with_len;
		if (eng_sync_many(turns, j->with ? 2 : 1, e) < 0)
			return -1;
		if (!meter_progress(&j->meter, turns[0].n, (int64_t)j->ids.n))
			return err_set(e, ERR_CANCELLED, "stopped");
	}
	return 0;
}

static int bind(struct job *j, struct eng_weights *w, enum eng_bind how, struct err *e)
{
	if (eng_session_bind(j->rig->session, w, how, e) < 0)
		return -1;
	return j->with ? eng_session_bind(j->with, w, how, e) : 0;
}

/* Everything at one level, or up to a position at the old one first. */
static int compute(struct job *j, struct err *e)
{
	const int32_t n = (int32_t)j->ids.n, at = (int32_t)j->o->switch_at;
	const bool borrowed = j->o->switch_mode && !strcmp(j->o->switch_mode, "borrowed");

	if (j->old) {
		j->written = borrowed;
		if (bind(j, j->old, ENG_BIND_EXACT, e) < 0 || advance(j, at, e) < 0 ||
		    bind(j, j->rig->weights, borrowed ? ENG_BIND_BORROWED : ENG_BIND_EXACT, e) < 0)
			return -1;
		j->with_len = borrowed ? j->with_len : 0;
	}
	j->written = true;
	return advance(j, n, e);
}

static int compute_into(struct job *j, struct err *e)
{
	int ret = result_open(&j->out, j->o->out_path, e);

	if (!ret) {
		meter_init(&j->meter, "computing");
		ret = compute(j, e);
		meter_clear(&j->meter);
	}
	if (j->failed) {
		*e = j->err;
		ret = -1;
	}
	return result_close(&j->out, ret == 0, e);
}

/* -- what the options ask for ------------------------------------------------------------------- */

static int check_length(const struct job *j, const struct eng_ids *ids, struct err *e)
{
	const int64_t n_ctx = eng_session_ctx(j->rig->session);

	if ((int64_t)ids->n <= n_ctx)
		return 0;
	return err_set(e, ERR_CONTEXT, "%zu ids do not fit a context of %lld; -c %zu makes it large enough",
		       ids->n, (long long)n_ctx, ids->n);
}

static int open_switch(struct job *j, struct err *e)
{
	struct eng_session_opts so;

	if (!j->o->switch_from)
		return 0;
	if (j->o->switch_at > (int64_t)j->ids.n)
		return err_set(e, ERR_ARG, "--at %lld is behind the %zu ids", (long long)j->o->switch_at, j->ids.n);
	if (rig_session_opts(j->o, j->o->n_ctx, &so, e) < 0 || rig_need(j->rig, j->o, j->o->switch_from, &so, e) < 0)
		return -1;
	return rig_weights(j->rig, j->o->switch_from, &j->old, e);
}

static int open_company(struct job *j, struct err *e)
{
	struct eng_session_opts so;

	if (!j->o->with_path)
		return 0;
	if (read_ids(j->o->with_path, j->n_vocab, &j->with_ids, e) < 0 || check_length(j, &j->with_ids, e) < 0 ||
	    rig_session_opts(j->o, j->o->n_ctx, &so, e) < 0 || rig_need(j->rig, j->o, j->o->level, &so, e) < 0)
		return -1;
	return eng_session_new(j->rig->weights, &so, &j->with, e);
}

static int open_job(struct job *j, struct err *e)
{
	const struct opts *o = j->o;

	if (rig_open(j->rig, o, e) < 0)
		return -1;
	j->n_vocab = eng_model_info(j->rig->model)->n_vocab;
	if (read_ids(o->tokens_path, j->n_vocab, &j->ids, e) < 0)
		return -1;
	interrupt_catch();
	rig_note_context(j->rig, o);
	if (rig_session(j->rig, o, o->level, o->n_ctx, e) < 0 || check_length(j, &j->ids, e) < 0)
		return -1;
	return open_switch(j, e) < 0 ? -1 : open_company(j, e);
}

static void close_job(struct job *j)
{
	eng_session_free(j->with);
	eng_weights_release(j->old);
	rig_close(j->rig);
	eng_ids_release(&j->ids);
	eng_ids_release(&j->with_ids);
}

static bool given(const struct opts *o, const char *key)
{
	return opt_given(opt_by_key(key), o);
}

static const char *missing(const struct opts *o)
{
	if (!o->model)
		return "a model: -m MODEL";
	if (!o->tokens_path)
		return "ids: --tokens IDS";
	if (!o->out_path)
		return "a place for the result: -o FILE";
	if (!o->switch_from && (given(o, "at") || given(o, "mode")))
		return "the level before the switch: --switch-from LEVEL";
	if (o->with_path && !strcmp(o->with_path, "-") && !strcmp(o->tokens_path, "-"))
		return "two lists of ids: standard input holds one";
	return NULL;
}

/* The result replaces nothing that it is made from. */
static int check_place(const struct opts *o, struct err *e)
{
	const char *const from[] = { o->model, o->tokens_path, o->with_path };

	for (size_t i = 0; i < sizeof from / sizeof *from; i++)
		if (from[i] && xio_same(from[i], o->out_path))
			return err_set(e, ERR_ARG, "%s: is read for the result, which would replace it; name another file",
				       o->out_path);
	return 0;
}

static int run(struct opts *o)
{
	struct rig r = { 0 };
	struct job j = { .rig = &r, .o = o };
	struct err e;
	int ret;

	if (missing(o))
		return cmd_usage(&cmd_logits, "logits needs %s", missing(o));
	ret = check_place(o, &e);
	if (!ret)
		ret = open_job(&j, &e);
	if (!ret)
		ret = compute_into(&j, &e);
	close_job(&j);
	return ret < 0 ? rig_fail(&e) : EXIT_OK;
}

static const char *const takes[] = {
	"model", "tokens", "out", "level", "kv", "act", "switch-from", "at", "mode", "with", "ctx", "chunk", "force",
	"threads", "isa", "help", NULL
};

static const char *const notes[] = {
	"IDS is a file of token ids apart by white space; nothing is added to them. The result is ids x vocabulary "
	"float32, little endian, in the order of the ids; it appears whole or not at all.",
	"With --switch-from, the ids before --at are computed at that level and the rest at -q's: exact gives every row "
	"as -q's level gives it, borrowed the rows before --at as the old one gave them. --with changes no bit of the result.",
	NULL
};

const struct cmd cmd_logits = {
	.name = "logits", .args = "", .help = "the logits of every position of a list of token ids",
	.opts = takes, .notes = notes, .run = run,
};
