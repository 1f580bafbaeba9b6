#include "config.h"
#include "app/export.h"
#include "app/fence.h"
#include "app/field.h"
#include "engine/base/xio.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char *const forms[EXPORT_N] = { "md", "json", "txt" };

const char *export_form_name(enum export_form f)
{
	return forms[f];
}

enum export_form export_form_of(const char *name)
{
	const char *dot = strrchr(name, '.'), *end = dot ? dot + 1 : name;
	enum export_form f = 0;

	while (f < EXPORT_N && strcasecmp(forms[f], end))
		f++;
	return f;
}

const char *export_time(char *buf, size_t size)
{
	const time_t now = time(NULL);
	struct tm tm;

	if (!localtime_r(&now, &tm) || !strftime(buf, size, "%Y-%m-%d-%H%M%S", &tm))
		snprintf(buf, size, "%lld", (long long)now);
	return buf;
}

/* -- what an answer is made of ----------------------------------------------------------- */

struct part { const char *p; size_t n; };

static struct part thinking_of(const struct chat_item *i)
{
	const struct think *t = &i->stats.think;

	if ((t->state != THINK_OVER && t->state != THINK_INSIDE) || t->to > i->text.len || t->from > t->to)
		return (struct part){ "", 0 };
	return (struct part){ i->text.p + t->from, t->to - t->from };
}

static struct part body_of(const struct chat_item *i)
{
	const struct think *t = &i->stats.think;
	const size_t from = i->kind != ITEM_ANSWER ? 0 : t->state == THINK_INSIDE ? i->text.len :
			    t->state == THINK_OVER && t->rest <= i->text.len ? t->rest : 0;

	return (struct part){ i->text.p + from, i->text.len - from };
}

/* -- to read -------------------------------------------------------------------------------- */

static void add_body(struct str *s, struct part p, const char *before)
{
	for (size_t i = 0; i < p.n; i++) {
		if (!i || p.p[i - 1] == '\n')
			str_adds(s, before);
		str_addc(s, p.p[i]);
	}
	if (p.n)
		str_adds(s, p.p[p.n - 1] == '\n' ? "\n" : "\n\n");
}

/* A fence that the text leaves open is closed: what follows in the file is no code. */
static void add_markdown(struct str *s, struct part p)
{
	const char *at = p.p, *end = p.p + p.n;
	struct fence f = { 0 };

	while (at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));

		fence_next(&f, at, (size_t)((nl ? nl : end) - at));
		at = nl ? nl + 1 : end;
	}
	str_add(s, p.p, p.n);
	if (p.n && p.p[p.n - 1] != '\n')
		str_addc(s, '\n');
	for (size_t i = 0; f.n && i < f.indent; i++)
		str_addc(s, ' ');
	for (size_t i = 0; i < f.n; i++)
		str_addc(s, f.mark);
	if (p.n)
		str_adds(s, f.n ? "\n\n" : "\n");
}

static void add_message(struct str *s, const char *who, const struct chat_item *i, bool md)
{
	const struct part thinking = i->kind == ITEM_ANSWER ? thinking_of(i) : (struct part){ "", 0 };

	str_addf(s, md ? "## %s\n\n" : "%s:\n\n", who);
	if (thinking.n && !md)
		str_adds(s, "(thinking)\n");
	add_body(s, thinking, md ? "> " : "    ");
	if (thinking.n && !md)
		str_adds(s, "(answer)\n");
	if (md)
		add_markdown(s, body_of(i));
	else
		add_body(s, body_of(i), "");
}

static void add_readable(const struct chat *c, struct str *s, bool md)
{
	if (c->o->system && *c->o->system) {
		const struct part system = { c->o->system, strlen(c->o->system) };

		str_adds(s, md ? "## system\n\n" : "system:\n\n");
		if (md)
			add_markdown(s, system);
		else
			add_body(s, system, "");
	}
	for (size_t i = 0; i < c->n_items; i++) {
		const struct chat_item *it = c->items[i];

		if (it->kind == ITEM_USER)
			add_message(s, "you", it, md);
		if (it->kind == ITEM_ANSWER)
			add_message(s, it->label ? it->label : "answer", it, md);
	}
	if (s->len)
		str_cut(s, s->len - 1);
}

/* -- for programs ------------------------------------------------------------------------------ */

static json_t *text_of(struct part p)
{
	char *z = mem_strndup(p.p, p.n);
	json_t *j = z ? json_string(z) : NULL;

	if (z && !j)
		j = field_string(z);
	mem_free(z);
	return j;
}

static json_t *ids_of(const struct eng_ids *ids)
{
	json_t *a = json_array();

	for (size_t i = 0; a && i < ids->n; i++)
		json_array_append_new(a, json_integer(ids->p[i]));
	return a;
}

static void add_figures(json_t *o, const struct chat_item *i)
{
	const struct answer_stats *a = &i->stats;

	field_count(o, "prompt_tokens", (uint64_t)a->n_prompt);
	field_count(o, "reused_tokens", (uint64_t)a->n_reused);
	field_count(o, "answer_tokens", (uint64_t)a->n_gen);
	field_count(o, "thinking_tokens", (uint64_t)a->n_think);
	field_real(o, "first_token_seconds", (double)a->first_ns / 1e9);
	field_real(o, "prefill_tokens_per_second", answer_prefill_rate(a));
	field_real(o, "decode_tokens_per_second", answer_decode_rate(a));
}

/* "SmolLM2-135M-Instruct · Q4_1 · borrowed KV": whose it is, and by what. */
static void add_label(json_t *o, const char *label)
{
	static const char dot[] = " · ";
	const char *at = strstr(label, dot);

	json_object_set_new(o, "model", text_of((struct part){ label, at ? (size_t)(at - label) : strlen(label) }));
	field_text(o, "level", at ? at + sizeof dot - 1 : NULL);
}

static json_t *message_of(const struct chat_item *i)
{
	json_t *o = json_object();

	field_text(o, "role", i->kind == ITEM_USER ? "user" : "assistant");
	json_object_set_new(o, "content", text_of(body_of(i)));
	if (i->kind == ITEM_USER)
		return o;
	if (thinking_of(i).n)
		json_object_set_new(o, "thinking", text_of(thinking_of(i)));
	add_label(o, i->label ? i->label : "");
	field_text(o, "end", *answer_end_text(i->end) ? answer_end_text(i->end) : "done");
	json_object_set_new(o, "ids", ids_of(&i->ids));
	add_figures(o, i);
	return o;
}

static json_t *sampling_of(const struct opts *o)
{
	json_t *j = json_object();
	/* a string: whole numbers of JSON are signed here, and doubles to many readers */
	char seed[24];

	snprintf(seed, sizeof seed, "%llu", (unsigned long long)o->sample.seed);
	json_object_set_new(j, "temp", json_real(o->sample.temp));
	json_object_set_new(j, "top_k", json_integer(o->sample.top_k));
	json_object_set_new(j, "top_p", json_real(o->sample.top_p));
	json_object_set_new(j, "min_p", json_real(o->sample.min_p));
	field_real(j, "repeat_penalty", o->sample.repeat_penalty);
	field_text(j, "seed", seed);
	return j;
}

static int add_json(const struct chat *c, struct str *s, struct err *e)
{
	json_t *o = json_object(), *messages = json_array();
	char when[32], *text;
	int r = -1;

	field_text(o, "tidbit", PACKAGE_VERSION);
	field_text(o, "exported", export_time(when, sizeof when));
	field_text(o, "model", c->name);
	field_text(o, "file", c->info ? c->info->path : NULL);
	field_text(o, "level", c->level < c->n_levels ? c->levels[c->level].name : NULL);
	if (c->o->system && *c->o->system)
		json_object_set_new(o, "system", text_of((struct part){ c->o->system, strlen(c->o->system) }));
	json_object_set_new(o, "sampling", sampling_of(c->o));
	for (size_t i = 0; i < c->n_items; i++)
		if (c->items[i]->kind != ITEM_NOTE)
			json_array_append_new(messages, message_of(c->items[i]));
	json_object_set_new(o, "messages", messages);
	text = json_dumps(o, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	if (text) {
		str_adds(s, text);
		str_addc(s, '\n');
		r = 0;
	} else {
		err_set(e, ERR_NOMEM, "no memory for the conversation");
	}
	free(text);
	json_decref(o);
	return r;
}

int export_text(const struct chat *c, enum export_form f, struct str *out, struct err *e)
{
	if (f == EXPORT_JSON) {
		if (add_json(c, out, e))
			return -1;
	} else {
		add_readable(c, out, f == EXPORT_MD);
	}
	return out->failed ? err_set(e, ERR_NOMEM, "no memory for the conversation") : 0;
}

/* -- files ---------------------------------------------------------------------------------------- */

int export_file(const struct chat *c, const char *path, enum export_form f, bool replace, struct err *e)
{
	struct str s;
	int r;

	str_init(&s, 0);
	r = export_text(c, f, &s, e);
	if (!r)
		r = xio_put(path, s.p, s.len, 0600, replace ? XIO_MODE : XIO_NEW, e);
	str_release(&s);
	return r;
}
