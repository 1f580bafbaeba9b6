/*
 * The outermost layer: what the rooms make possible, behind engine.h. Version and threads,
 * opening, and text.
 */
#include "config.h"
#include "engine/engine.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"
#include "engine/kernels/cpu.h"
#include "engine/make/ladder.h"
#include "engine/model/model.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <string.h>
#include <unistring/version.h>

const char *eng_version(void)
{
	return PACKAGE_VERSION;
}

const char *eng_isa_names(char *buf, size_t size)
{
	return cpu_names(cpu_flags(), buf, size);
}

const char *eng_isa_built(char *buf, size_t size)
{
	return cpu_names(cpu_built, buf, size);
}

const char *eng_libraries(char *buf, size_t size)
{
	char pcre[64];

	pcre2_config(PCRE2_CONFIG_VERSION, pcre);
	pcre[strcspn(pcre, " ")] = '\0';
	snprintf(buf, size, "PCRE2 %s, libunistring %d.%d", pcre, _libunistring_version >> 16 & 255,
		 _libunistring_version >> 8 & 255);
	return buf;
}

int eng_new(struct eng **out, const struct eng_opts *opts, struct err *e)
{
	unsigned flags = cpu_flags();
	struct eng *g;

	*out = NULL;
	if (opts->threads < 0 || opts->threads > 1024)
		return err_set(e, ERR_ARG, "%d threads: expected 1 to 1024, or 0 for all cores", opts->threads);
	if (opts->isa && cpu_parse(opts->isa, &flags, e) < 0)
		return -1;
	g = mem_calloc(1, sizeof *g);
	if (!g)
		return err_set(e, ERR_NOMEM, "no memory for the engine");
	kern_fill(&g->kern, flags);
	g->pool = pool_new(opts->threads ? opts->threads : os_compute_threads(), e);
	if (!g->pool) {
		mem_free(g);
		return -1;
	}
	*out = g;
	return 0;
}

void eng_free(struct eng *g)
{
	if (!g)
		return;
	pool_free(g->pool);
	mem_free(g->scratch.p);
	mem_free(g->rows);
	mem_free(g->profile);
	mem_free(g);
}

int eng_threads(const struct eng *g)
{
	return pool_threads(g->pool);
}

const char *eng_isa(const struct eng *g)
{
	return g->kern.name;
}

int eng_model_open(struct eng *g, const char *path, bool inspect, struct eng_model **out, struct err *e)
{
	if (model_open(g, path, inspect, out, e) < 0)
		return -1;
	if (!(*out)->info.note && ladder_list(*out, e) < 0) {
		eng_model_close(*out);
		*out = NULL;
		return -1;
	}
	return 0;
}

/* -- names ------------------------------------------------------------------------- */

const char *eng_family_name(int i)
{
	for (const struct family *f = families; f->arch; f++) {
		if (i-- == 0)
			return f->arch;
		/* the name is another word */
		if (strcmp(f->name, f->arch) && i-- == 0)
			return f->name;
	}
	return NULL;
}

const char *eng_level_name(int i)
{
	return i < LEVELS_MAX ? levels[i].name : NULL;
}

const char *eng_type_name(int i)
{
	const struct quant_type *t = quant_types;

	while (t->name && i--)
		t++;
	return t->name;
}

bool eng_level_known(const char *name)
{
	return level_by_name(name) != NULL;
}

/* -- text -------------------------------------------------------------------------- */

_Static_assert(sizeof(struct eng_ids) == sizeof(struct ids), "one list of ids on both sides of the border");

void eng_ids_release(struct eng_ids *l)
{
	ids_release((struct ids *)l);
}

int eng_ids_add(struct eng_ids *l, int32_t id)
{
	return ids_add((struct ids *)l, id);
}

int eng_text(struct eng_model *m, struct err *e)
{
	return model_text(m, e);
}

int eng_tokenize(struct eng_model *m, const char *text, size_t n, bool special, struct eng_ids *out, struct err *e)
{
	if (model_text(m, e) < 0)
		return -1;
	return vocab_encode(m->vocab, text, n, NULL, 0, TOK_BOS | (special ? TOK_SPECIAL : 0), (struct ids *)out, e);
}

int eng_encode(struct eng_model *m, const char *text, size_t n, unsigned how, struct eng_ids *out, struct err *e)
{
	const unsigned flags = (how & ENG_TEXT_SPECIAL ? TOK_SPECIAL : 0) | (how & ENG_TEXT_BOS ? TOK_BOS : 0);

	if (model_text(m, e) < 0)
		return -1;
	return vocab_encode(m->vocab, text, n, NULL, 0, flags, (struct ids *)out, e);
}

int eng_decode(struct eng_model *m, const int32_t *ids, size_t n, bool special, struct str *out, struct err *e)
{
	struct detok d;

	if (model_text(m, e) < 0)
		return -1;
	detok_init(&d, m->vocab, special, true);
	d.raw = true;
	for (size_t i = 0; i < n; i++) {
		if (ids[i] < 0 || ids[i] >= vocab_size(m->vocab))
			return err_set(e, ERR_ARG, "id %d is outside the vocabulary of %d", ids[i], vocab_size(m->vocab));
		detok_push(&d, ids[i], out);
	}
	detok_end(&d, out);
	return out->failed ? err_set(e, ERR_NOMEM, "no memory for a text of %zu bytes", out->len) : 0;
}

const char *eng_token(struct eng_model *m, int32_t id, size_t *n)
{
	struct gguf_str s;

	if (model_text(m, NULL) < 0 || id < 0 || id >= vocab_size(m->vocab))
		return NULL;
	s = vocab_token(m->vocab, id);
	*n = s.n;
	return s.p;
}

struct eng_stream { struct detok d; };

struct eng_stream *eng_stream_new(struct eng_model *m, bool at_start, struct err *e)
{
	struct eng_stream *st;

	if (model_text(m, e) < 0)
		return NULL;
	st = mem_alloc(sizeof *st);
	if (!st) {
		err_set(e, ERR_NOMEM, "no memory for a stream of text");
		return NULL;
	}
	detok_init(&st->d, m->vocab, false, at_start);
	return st;
}

void eng_stream_free(struct eng_stream *st)
{
	mem_free(st);
}

void eng_stream_push(struct eng_stream *st, int32_t id, struct str *out)
{
	detok_push(&st->d, id, out);
}

void eng_stream_end(struct eng_stream *st, struct str *out)
{
	detok_end(&st->d, out);
}

bool eng_has_template(struct eng_model *m, const char **why)
{
	struct err e;
	const bool text = model_text(m, &e) == 0;

	if (why)
		*why = !text ? m->text_err.msg : m->tmpl ? m->tmpl_note : m->tmpl_err.msg;
	return text && m->tmpl;
}

/* No template: the texts in a row, an assistant's by the ids it was sampled as. */
static int raw_tokens(struct eng_model *m, const struct prompt_msg *msgs, size_t n, struct ids *out, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct prompt_msg *p = &msgs[i];
		const unsigned flags = i ? 0 : TOK_BOS;
		int r = 0;

		if (p->ids)
			r = ids_append(out, p->ids, p->n_ids) < 0 ? err_set(e, ERR_NOMEM, "no memory for %zu tokens", p->n_ids) : 0;
		else if (!p->n_parts)
			r = vocab_encode(m->vocab, p->text, p->len, NULL, 0, flags, out, e);
		for (size_t k = 0; !r && !p->ids && k < p->n_parts; k++)
			r = vocab_encode(m->vocab, p->parts[k].text, p->parts[k].len, NULL, 0, k ? 0 : flags, out, e);
		if (r < 0)
			return -1;
	}
	return 0;
}

_Static_assert(sizeof(struct eng_part) == sizeof(struct prompt_part), "one list of parts on both sides of the border");

static struct prompt_msg to_prompt(const struct eng_msg *m)
{
	return (struct prompt_msg){
		.role = m->role, .text = m->text, .len = m->len, .ids = m->ids, .n_ids = m->n_ids, .rest = m->rest,
		.parts = (const struct prompt_part *)m->parts, .n_parts = m->parts ? m->n_parts : 0,
	};
}

int eng_chat(struct eng_model *m, const struct eng_msg *msgs, size_t n, const struct eng_chat_opts *opts,
	     struct eng_ids *out, struct err *e)
{
	const struct prompt_opts po = {
		.add_generation_prompt = true, .thinking = opts ? opts->thinking : -1, .tools_json = opts ? opts->tools : NULL,
	};
	struct prompt_msg *pm;
	int r;

	if (model_text(m, e) < 0)
		return -1;
	pm = mem_array(n, sizeof *pm);
	if (!pm)
		return err_set(e, ERR_NOMEM, "no memory for a conversation of %zu messages", n);
	for (size_t i = 0; i < n; i++)
		pm[i] = to_prompt(&msgs[i]);
	r = m->tmpl ? prompt_encode(m->tmpl, m->vocab, pm, n, &po, (struct ids *)out, e) :
		raw_tokens(m, pm, n, (struct ids *)out, e);
	mem_free(pm);
	return r;
}

int eng_chat_tokens(struct eng_model *m, const struct eng_msg *msgs, size_t n, struct eng_ids *out, struct err *e)
{
	return eng_chat(m, msgs, n, NULL, out, e);
}

/* -- a template by itself -------------------------------------------------------------- */

void eng_rendering_init(struct eng_rendering *r)
{
	*r = (struct eng_rendering){ 0 };
	str_init(&r->text, 0);
}

void eng_rendering_release(struct eng_rendering *r)
{
	str_release(&r->text);
	mem_free(r->spans);
	eng_ids_release(&r->ids);
	eng_rendering_init(r);
}

static int take_rendering(struct jinja_out *o, struct eng_rendering *out, struct err *e)
{
	out->spans = mem_array(o->n_spans + 1, sizeof *out->spans);
	if (!out->spans)
		return err_set(e, ERR_NOMEM, "no memory for a text of %zu spans", o->n_spans);
	for (size_t i = 0; i < o->n_spans; i++)
		out->spans[i] = (struct eng_span){ o->spans[i].start, o->spans[i].end, o->spans[i].user };
	out->n_spans = o->n_spans;
	str_add(&out->text, o->text.p, o->text.len);
	return out->text.failed ? err_set(e, ERR_NOMEM, "no memory for a text of %zu bytes", o->text.len) : 0;
}

int eng_template_render(struct eng_model *m, const struct eng_template_job *job, struct eng_rendering *out,
			struct err *e)
{
	struct jinja_where where = { 0, 0 };
	struct prompt_template *own = NULL;
	const struct prompt_template *t;
	struct jinja_out o;
	int rc = -1;

	eng_rendering_release(out);
	jinja_out_init(&o);
	if ((!m && (job->ids || !job->source)) || (m && model_text(m, e) < 0))
		return m ? -1 : err_set(e, ERR_ARG, "no template was given, and no model that has one");
	if (job->source && prompt_compile(&own, job->source, job->len, m ? m->vocab : NULL, &where, e) < 0)
		goto out;
	t = job->source ? own : m->tmpl;
	if (!t) {
		*e = m->tmpl_err;
		goto out;
	}
	if (prompt_render_json(t, job->context, job->context_len, job->now, &o, &where, e) < 0) {
		str_add(&out->text, o.text.p, o.text.len);	/* the message in full */
		goto out;
	}
	if (take_rendering(&o, out, e) < 0 ||
	    (job->ids && prompt_encode_out(m->vocab, &o, NULL, 0, (struct ids *)&out->ids, e) < 0))
		goto out;
	rc = 0;
out:
	out->line = where.line;
	out->column = where.column;
	prompt_free(own);
	jinja_out_release(&o);
	return rc;
}
