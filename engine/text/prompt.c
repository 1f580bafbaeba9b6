/* Messages → variables of the template → text and spans → ids. */
#include "config.h"
#include "engine/base/xio.h"
#include "engine/text/prompt.h"

#include <jansson.h>
#include <string.h>

struct prompt_template {
	struct jinja *jinja;
	char *bos, *eos;	/* "" when the model has none */
};

/* -- kinds ------------------------------------------------------------------------- */

/* The first row whose strings all occur names the template. */
static const struct { const char *kind, *has[2]; } kinds[] = {
	{ "phi4", { "<|im_sep|>" } },
	{ "chatml", { "<|im_start|>" } },
	{ "llama3", { "<|start_header_id|>" } },
	{ "gemma", { "<start_of_turn>" } },
	{ "gpt-oss", { "<|start|>", "<|message|>" } },
	{ "granite", { "<|start_of_role|>" } },
	{ "command-r", { "<|START_OF_TURN_TOKEN|>" } },
	{ "deepseek", { "<\xef\xbd\x9c" "Assistant\xef\xbd\x9c>" } },
	{ "llama2", { "[INST]", "<<SYS>>" } },
	{ "mistral", { "[INST]" } },
	{ "chatglm", { "[gMASK]" } },
	{ "phi4-mini", { "<|end|>", "<|tool|>" } },
	{ "phi3", { "<|end|>", "<|assistant|>" } },
	{ "zephyr", { "<|user|>", "eos_token" } },
	{ "bitnet", { "<|eot_id|>", "capitalize" } },
	{ "vicuna", { "USER: ", "ASSISTANT:" } },
	{ "alpaca", { "### Instruction:" } },
	{ "rwkv", { "User: ", "Assistant:" } },
};

const char *prompt_kind(const char *src, size_t n)
{
	if (!src || !n)
		return "none";
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		bool all = true;

		for (int k = 0; k < 2 && kinds[i].has[k] && all; k++)
			all = memmem(src, n, kinds[i].has[k], strlen(kinds[i].has[k]));
		if (all)
			return kinds[i].kind;
	}
	return "custom";
}

/* -- templates --------------------------------------------------------------------- */

static char *token_text(const struct vocab *v, int32_t id)
{
	const struct gguf_str s = v && id >= 0 ? vocab_token(v, id) : (struct gguf_str){ "", 0 };

	return mem_strndup(s.p, s.n);
}

int prompt_compile(struct prompt_template **out, const char *src, size_t n, const struct vocab *v,
		   struct jinja_where *where, struct err *e)
{
	struct prompt_template *t = mem_calloc(1, sizeof *t);

	*out = NULL;
	if (!t)
		return err_set(e, ERR_NOMEM, "no memory for the chat template");
	if (jinja_compile(&t->jinja, src, n, where, e))
		goto fail;
	t->bos = token_text(v, v ? vocab_bos(v) : -1);
	t->eos = token_text(v, v ? vocab_eos(v) : -1);
	if (!t->bos || !t->eos) {
		err_set(e, ERR_NOMEM, "no memory for the chat template");
		goto fail;
	}
	*out = t;
	return 0;
fail:
	prompt_free(t);
	return -1;
}

int prompt_load(struct prompt_template **out, const struct gguf *g, const struct vocab *v, struct err *e)
{
	const char *const key = "tokenizer.chat_template";
	struct jinja_where where = { 0, 0 };
	struct gguf_str src;

	*out = NULL;
	if (!gguf_find(g, key))
		return err_set(e, ERR_NOT_FOUND, "%s: no chat template", gguf_path(g));
	if (gguf_get_str(g, key, &src, e) < 0)
		return -1;
	if (prompt_compile(out, src.p, src.n, v, &where, e))
		return err_context(e, "%s: chat template, line %d, column %d", gguf_path(g), where.line, where.column);
	return 0;
}

/* -- families' templates, for files that have none ----------------------------------- */

struct family_template {
	const char *has[2];	/* control tokens of the vocabulary */
	const char *source, *note;
	const char *arch;	/* what the architecture's name begins with; NULL: any */
};

#define STANDS_IN(whose, by) "it has no chat template: " whose " stands in for it, by its " by

/* The first row that fits: those that share tokens with a more common one come before it. */
static const struct family_template families[] = {
	{ { "<|start_header_id|>", "<|eot_id|>" },
	  "{{ bos_token }}{% for m in messages %}{{ m.role | capitalize }}: {{ m.content | trim }}<|eot_id|>{% endfor %}"
	  "{% if add_generation_prompt %}Assistant: {% endif %}",
	  STANDS_IN("that of BitNet", "architecture"), "bitnet" },
	{ { "<|im_start|>", "<|im_sep|>" },
	  "{% for m in messages %}<|im_start|>{{ m.role }}<|im_sep|>{{ m.content }}<|im_end|>{% endfor %}"
	  "{% if add_generation_prompt %}<|im_start|>assistant<|im_sep|>{% endif %}",
	  STANDS_IN("that of Phi-4", "tokens"), NULL },
	{ { "<|im_start|>", "<|im_end|>" },
	  "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
	  "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
	  STANDS_IN("ChatML", "tokens"), NULL },
	{ { "<|start_header_id|>", "<|eot_id|>" },
	  "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
	  "{{ m.content | trim }}<|eot_id|>{% endfor %}"
	  "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}",
	  STANDS_IN("that of Llama 3", "tokens"), NULL },
	{ { "<start_of_turn>", "<end_of_turn>" },
	  "{{ bos_token }}{% set ns = namespace(first='') %}{% for m in messages %}"
	  "{% if m.role == 'system' %}{% set ns.first = m.content | trim + '\n\n' %}{% else %}"
	  "<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n{{ ns.first }}{% set ns.first = '' %}"
	  "{{ m.content | trim }}<end_of_turn>\n{% endif %}{% endfor %}"
	  "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}",
	  STANDS_IN("that of Gemma", "tokens"), NULL },
	{ { "<|end|>", "<|tool|>" },
	  "{% for m in messages %}{{ '<|system|>' if m.role == 'system' else '<|assistant|>' if m.role == 'assistant' "
	  "else '<|user|>' }}{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}",
	  STANDS_IN("that of Phi-4-mini", "tokens"), NULL },
	{ { "<|assistant|>", "<|end|>" },
	  "{% for m in messages %}{{ '<|system|>' if m.role == 'system' else '<|assistant|>' if m.role == 'assistant' "
	  "else '<|user|>' }}\n{{ m.content }}<|end|>\n{% endfor %}"
	  "{% if add_generation_prompt %}<|assistant|>\n{% endif %}",
	  STANDS_IN("that of Phi", "tokens"), NULL },
};

const char *prompt_of_family(struct prompt_template **out, const struct vocab *v, const char *arch)
{
	*out = NULL;
	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		const struct family_template *f = &families[i];
		bool all = !f->arch || !strncmp(arch ? arch : "", f->arch, strlen(f->arch));

		for (int k = 0; k < 2; k++) {
			const int32_t id = vocab_find(v, f->has[k], strlen(f->has[k]));

			all &= id >= 0 && vocab_attr(v, id) == VOCAB_CONTROL;
		}
		if (all)
			return prompt_compile(out, f->source, strlen(f->source), v, NULL, NULL) ? NULL : f->note;
	}
	return NULL;
}

void prompt_free(struct prompt_template *t)
{
	if (!t)
		return;
	jinja_free(t->jinja);
	mem_free(t->bos);
	mem_free(t->eos);
	mem_free(t);
}

/* -- rendering --------------------------------------------------------------------- */

static int set_tokens(struct jinja_ctx *c, const struct prompt_template *t)
{
	return jinja_ctx_set(c, "bos_token", jval_str(c, t->bos, strlen(t->bos), false)) ||
	       jinja_ctx_set(c, "eos_token", jval_str(c, t->eos, strlen(t->eos), false)) ? -1 : 0;
}

static struct jval *content(struct jinja_ctx *c, const struct prompt_msg *m, uint32_t mark)
{
	struct jval *list, *d;

	if (!m->n_parts)
		return m->n_ids ? jval_marked(c, m->text, m->len, mark) : jval_str(c, m->text, m->len, true);
	list = jval_list(c);
	for (size_t i = 0; i < m->n_parts; i++) {
		d = jval_dict(c);
		if (jval_set(d, "type", jval_str(c, "text", 4, true)) ||
		    jval_set(d, "text", jval_str(c, m->parts[i].text, m->parts[i].len, true)) || jval_append(list, d))
			return NULL;
	}
	return list;
}

static int set_messages(struct jinja_ctx *c, const struct prompt_msg *msgs, size_t n)
{
	struct jval *list = jval_list(c), *d;

	for (size_t i = 0; i < n; i++) {
		const struct prompt_msg *m = &msgs[i];

		d = jval_dict(c);
		if (jval_set(d, "role", jval_str(c, m->role, strlen(m->role), true)) ||
		    jval_set(d, "content", content(c, m, (uint32_t)i)) || jval_append(list, d))
			return -1;
	}
	return jinja_ctx_set(c, "messages", list);
}

static int set_opts(struct jinja_ctx *c, const struct prompt_opts *o, struct err *e)
{
	struct jval *tools;

	if (jinja_ctx_set(c, "add_generation_prompt", jval_bool(c, o->add_generation_prompt)) ||
	    (o->thinking >= 0 && jinja_ctx_set(c, "enable_thinking", jval_bool(c, o->thinking))))
		return err_set(e, ERR_NOMEM, "no memory for the conversation");
	if (!o->tools_json)
		return 0;
	if (jval_from_json(c, o->tools_json, strlen(o->tools_json), &tools, e))
		return err_context(e, "tools");
	return jinja_ctx_set(c, "tools", tools) ? err_set(e, ERR_NOMEM, "no memory for the conversation") : 0;
}

int prompt_render(const struct prompt_template *t, const struct vocab *v, const struct prompt_msg *msgs, size_t n,
		const struct prompt_opts *opts, struct jinja_out *out, struct err *e)
{
	struct jinja_ctx *c = jinja_ctx_new();
	struct jinja_where where = { 0, 0 };
	int rc = -1;

	(void)v;
	if (!c || set_tokens(c, t) || set_messages(c, msgs, n))
		err_set(e, ERR_LIMIT, "the conversation is too large for its template");
	else
		rc = set_opts(c, opts, e);
	if (!rc) {
		rc = jinja_render(t->jinja, c, out, &where, e);
		if (rc)
			err_context(e, "chat template, line %d, column %d", where.line, where.column);
	}
	jinja_ctx_free(c);
	return rc;
}

/* The strings of bos_token and eos_token are the model's, not a user's. */
static int set_json(struct jinja_ctx *c, const json_t *vars, struct err *e)
{
	const char *name;
	struct jval *val;
	json_t *v;
	char *text;
	int rc = 0;

	json_object_foreach((json_t *)(uintptr_t)vars, name, v) {
		if (json_is_string(v) && (!strcmp(name, "bos_token") || !strcmp(name, "eos_token"))) {
			val = jval_str(c, json_string_value(v), json_string_length(v), false);
		} else {
			text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
			rc = text ? jval_from_json(c, text, strlen(text), &val, e)
				  : err_set(e, ERR_NOMEM, "no memory for the conversation");
			free(text);	/* jansson's own allocation */
		}
		if (rc)
			return -1;
		if (jinja_ctx_set(c, name, val))
			return err_set(e, ERR_LIMIT, "the conversation is too large for its template");
	}
	return 0;
}

int prompt_render_json(const struct prompt_template *t, const char *context, size_t n, const struct tm *now,
		       struct jinja_out *out, struct jinja_where *where, struct err *e)
{
	struct jinja_ctx *c = jinja_ctx_new();
	json_error_t at;
	json_t *vars = json_loadb(context, n, JSON_ALLOW_NUL, &at);
	int rc = -1;

	if (where)
		*where = (struct jinja_where){ 0, 0 };
	if (!c || set_tokens(c, t))
		err_set(e, ERR_NOMEM, "no memory for the conversation");
	else if (!json_is_object(vars))
		err_set(e, ERR_FORMAT, "the context is no JSON object");
	else
		rc = set_json(c, vars, e);
	if (!rc && now)
		jinja_ctx_set_now(c, now);
	if (!rc)
		rc = jinja_render(t->jinja, c, out, where, e);
	json_decref(vars);
	jinja_ctx_free(c);
	return rc;
}

/* -- ids --------------------------------------------------------------------------- */

enum { EDGE = 512 };	/* bytes that are enough to see which token stands first */

/* Text [from, to) with its spans. */
static int encode_part(const struct vocab *v, const struct jinja_out *r, size_t from, size_t to, unsigned flags,
		       struct ids *out, struct err *e)
{
	struct text_span *spans = mem_array(r->n_spans + 1, sizeof *spans);
	size_t n = 0;
	int rc;

	if (!spans)
		return err_set(e, ERR_NOMEM, "no memory for the conversation");
	for (size_t i = 0; i < r->n_spans; i++) {
		const struct text_span s = r->spans[i];
		const size_t start = s.start > from ? s.start : from, end = s.end < to ? s.end : to;

		if (start < end)
			spans[n++] = (struct text_span){ start - from, end - from, s.user };
	}
	rc = vocab_encode(v, r->text.p + from, to - from, spans, n, flags, out, e);
	mem_free(spans);
	return rc;
}

static int control_at(const struct vocab *v, const struct jinja_out *r, size_t at, bool *yes, struct err *e)
{
	const size_t to = r->text.len - at > EDGE ? at + EDGE : r->text.len;
	struct ids ids = { 0 };
	int rc;

	*yes = at == r->text.len;
	if (*yes)
		return 0;
	rc = encode_part(v, r, at, to, TOK_SPECIAL, &ids, e);
	*yes = !rc && ids.n && (vocab_attr(v, ids.p[0]) == VOCAB_CONTROL || vocab_is_end(v, ids.p[0]));
	ids_release(&ids);
	return rc;
}

static bool is_text(const struct jinja_out *r, const struct jinja_mark *k, const struct prompt_msg *m, size_t from)
{
	return k->end - k->start == m->len - from && !memcmp(r->text.p + k->start, m->text + from, m->len - from);
}

/* How many bytes a token adds to the text of an answer. */
static size_t spelled(const struct vocab *v, int32_t id)
{
	const enum vocab_attr a = vocab_attr(v, id);

	return a == VOCAB_CONTROL || a == VOCAB_UNKNOWN || a == VOCAB_UNUSED ? 0 : vocab_token(v, id).n;
}

/* The last n bytes of a sampled message are which of its last ids? False when they begin inside a token. */
static bool last_ids(const struct vocab *v, const struct prompt_msg *m, size_t n, size_t *first)
{
	size_t at = m->n_ids, have = 0;

	while (at && have < n)
		have += spelled(v, m->ids[--at]);
	*first = at;
	return have == n;
}

/* Do sampled ids stand for this run: of the whole message, or of what follows the thinking in it? From which on? */
static bool sampled_run(const struct vocab *v, const struct jinja_out *r, const struct jinja_mark *k,
			const struct prompt_msg *m, size_t *first)
{
	*first = 0;
	if (is_text(r, k, m, 0))
		return true;
	return m->rest && m->rest < m->len && is_text(r, k, m, m->rest) && last_ids(v, m, m->len - m->rest, first);
}

/* In how many runs does each message stand? (n), the caller frees; NULL without memory. */
static uint32_t *count_runs(const struct jinja_out *r, size_t n)
{
	uint32_t *runs = mem_calloc(n + 1, sizeof *runs);

	for (size_t i = 0; runs && i < r->n_marks; i++)
		if (r->marks[i].mark < n)
			runs[r->marks[i].mark]++;
	return runs;
}

int prompt_encode_out(const struct vocab *v, const struct jinja_out *r, const struct prompt_msg *msgs, size_t n,
		      struct ids *out, struct err *e)
{
	uint32_t *runs = count_runs(r, n);
	unsigned flags = TOK_SPECIAL | TOK_BOS;
	size_t from = 0;
	bool edge;
	int rc = runs ? 0 : err_set(e, ERR_NOMEM, "no memory for the conversation");

	for (size_t i = 0; !rc && i < r->n_marks; i++) {
		const struct jinja_mark *k = &r->marks[i];
		const struct prompt_msg *m = k->mark < n ? &msgs[k->mark] : NULL;
		size_t first;

		if (!m || runs[k->mark] != 1 || !sampled_run(v, r, k, m, &first))
			continue;
		rc = control_at(v, r, k->end, &edge, e);
		if (rc || !edge)
			continue;
		rc = encode_part(v, r, from, k->start, flags, out, e);
		if (!rc && ids_append(out, m->ids + first, m->n_ids - first))
			rc = err_set(e, ERR_NOMEM, "no memory for the conversation");
		from = k->end;
		flags = TOK_SPECIAL;
	}
	if (!rc && (from < r->text.len || !from))
		rc = encode_part(v, r, from, r->text.len, flags, out, e);
	mem_free(runs);
	return rc;
}

int prompt_encode(const struct prompt_template *t, const struct vocab *v, const struct prompt_msg *msgs, size_t n,
		const struct prompt_opts *opts, struct ids *out, struct err *e)
{
	struct jinja_out r;
	int rc;

	jinja_out_init(&r);
	rc = prompt_render(t, v, msgs, n, opts, &r, e) || prompt_encode_out(v, &r, msgs, n, out, e) ? -1 : 0;
	jinja_out_release(&r);
	return rc;
}
