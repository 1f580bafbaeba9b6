/* Compiled templates, contexts, and rendering: the outside of the engine. */
#include "config.h"
#include "engine/base/xio.h"
#include "engine/text/jinja.h"
#include "engine/text/jinja_eval.h"
#include "engine/text/jinja_json.h"

#include <string.h>

/* A tree takes more room than its source: this is for half a megabyte of dense code. */
enum { TREE_MEMORY = 12 << 20 };

int jinja_compile(struct jinja **out, const char *src, size_t n, struct jinja_where *where, struct err *e)
{
	struct jinja *t;

	*out = NULL;
	if (where)
		*where = (struct jinja_where){ 0, 0 };
	if (n > JINJA_MAX_SOURCE)
		return err_set(e, ERR_LIMIT, "the chat template has %zu bytes; at most %d are read", n, JINJA_MAX_SOURCE);
	t = mem_calloc(1, sizeof *t);
	if (!t)
		return err_set(e, ERR_NOMEM, "no memory for the chat template");
	jheap_init(&t->heap, TREE_MEMORY);
	if (jparse(t, src, n, where, e)) {
		jinja_free(t);
		return -1;
	}
	*out = t;
	return 0;
}

void jinja_free(struct jinja *t)
{
	if (!t)
		return;
	jheap_release(&t->heap);
	mem_free(t);
}

/* -- contexts ---------------------------------------------------------------------- */

struct jval { struct jinja_ctx *c; struct jv v; };

struct jinja_ctx *jinja_ctx_new(void)
{
	struct jinja_ctx *c = mem_calloc(1, sizeof *c);

	if (!c)
		return NULL;
	jheap_init(&c->heap, JINJA_MAX_MEMORY);
	c->vars = jv_dict(&c->heap, J_DICT).u.dict;
	if (c->heap.failed) {
		jinja_ctx_free(c);
		return NULL;
	}
	return c;
}

void jinja_ctx_free(struct jinja_ctx *c)
{
	if (!c)
		return;
	jheap_release(&c->heap);
	mem_free(c);
}

void jinja_ctx_set_now(struct jinja_ctx *c, const struct tm *now)
{
	c->now = *now;
	c->now_set = true;
}

static struct jval *boxed(struct jinja_ctx *c, struct jv v)
{
	struct jval *p = c->heap.failed ? NULL : jheap_alloc(&c->heap, sizeof *p);

	if (p)
		*p = (struct jval){ c, v };
	return p;
}

struct jval *jval_bool(struct jinja_ctx *c, bool b)
{
	return boxed(c, jv_bool(b));
}

struct jval *jval_str(struct jinja_ctx *c, const char *s, size_t n, bool user)
{
	return boxed(c, jstr(&c->heap, s, n, user ? JTAG_USER : JTAG_TEMPLATE));
}

struct jval *jval_marked(struct jinja_ctx *c, const char *s, size_t n, uint32_t mark)
{
	return boxed(c, jstr(&c->heap, s, n, JTAG_MARK + mark));
}

struct jval *jval_list(struct jinja_ctx *c)
{
	struct jv v = jv_list(&c->heap, J_LIST, 0);

	v.user = true;
	return boxed(c, v);
}

struct jval *jval_dict(struct jinja_ctx *c)
{
	struct jv v = jv_dict(&c->heap, J_DICT);

	v.user = true;
	return boxed(c, v);
}

int jval_append(struct jval *list, struct jval *v)
{
	return list && v ? jlist_add(&list->c->heap, list->v.u.list, v->v) : -1;
}

int jval_set(struct jval *dict, const char *key, struct jval *v)
{
	if (!dict || !v)
		return -1;
	return jdict_set(dict->v.u.dict, jstr(&dict->c->heap, key, strlen(key), JTAG_USER), v->v) ||
	       dict->c->heap.failed ? -1 : 0;
}

int jval_from_json(struct jinja_ctx *c, const char *json, size_t n, struct jval **out, struct err *e)
{
	struct jv v;

	if (jjson_read(&c->heap, json, n, &v, e))
		return -1;
	*out = boxed(c, v);
	return *out ? 0 : err_set(e, ERR_NOMEM, "no memory for the conversation");
}

int jinja_ctx_set(struct jinja_ctx *c, const char *name, struct jval *v)
{
	return v ? jdict_set(c->vars, jstr(&c->heap, name, strlen(name), JTAG_TEMPLATE), v->v) : -1;
}

/* -- output ------------------------------------------------------------------------ */

void jinja_out_init(struct jinja_out *o)
{
	*o = (struct jinja_out){ 0 };
	str_init(&o->text, JINJA_MAX_OUTPUT);
}

void jinja_out_release(struct jinja_out *o)
{
	str_release(&o->text);
	mem_free(o->spans);
	mem_free(o->marks);
	jinja_out_init(o);
}

/* Runs of the output as spans and marks; neighbours of one author are one span. */
static int take_spans(struct jinja_out *o, const struct jbuf *b)
{
	size_t from = 0;

	o->spans = mem_array(b->n_spans + 1, sizeof *o->spans);
	o->marks = mem_array(b->n_spans + 1, sizeof *o->marks);
	if (!o->spans || !o->marks)
		return -1;
	for (uint32_t i = 0; i < b->n_spans; from = b->spans[i++].end) {
		const struct jspan s = b->spans[i];
		const bool user = s.tag != JTAG_TEMPLATE;

		if (s.tag >= JTAG_MARK)
			o->marks[o->n_marks++] = (struct jinja_mark){ from, s.end, s.tag - JTAG_MARK };
		if (o->n_spans && o->spans[o->n_spans - 1].user == user)
			o->spans[o->n_spans - 1].end = s.end;
		else
			o->spans[o->n_spans++] = (struct text_span){ from, s.end, user };
	}
	return 0;
}

/* -- rendering --------------------------------------------------------------------- */

static int render(struct jx *x, struct jinja_out *out)
{
	x->globals = jheap_array(x->h, (size_t)x->t->names.n + 1, sizeof *x->globals);
	x->frame = jx_frame(x, NULL);
	x->out = jbuf_new(x->h, 0);
	if (x->h->failed)
		return jx_limit(x);
	if (jx_run(x, &x->t->body))
		return -1;
	str_add(&out->text, x->out->p, x->out->len);
	if (out->text.failed || take_spans(out, x->out))
		return err_set(x->e, ERR_NOMEM, "no memory for the rendered conversation");
	return 0;
}

int jinja_render(const struct jinja *t, struct jinja_ctx *c, struct jinja_out *out, struct jinja_where *where,
		 struct err *e)
{
	struct err local = { 0 };
	struct jx x = { .t = t, .c = c, .h = &c->heap, .e = e ? e : &local };
	int rc;

	jinja_out_release(out);
	c->heap.steps = 0;
	rc = c->heap.failed ? jx_limit(&x) : render(&x, out);
	if (rc)
		jinja_out_release(out);
	if (rc && x.e->code == ERR_TEMPLATE && x.said.type == J_STR)
		str_add(&out->text, jstr_p(&x.said), x.said.len);
	if (where)
		*where = x.where;
	return rc;
}
