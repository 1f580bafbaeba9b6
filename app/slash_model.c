/* The commands /model and /show: which model, and what it is. */
#include "config.h"
#include "app/slash.h"
#include "app/store.h"
#include "app/units.h"
#include "engine/base/xio.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SHOW_COLUMNS = 11, LIST_COLUMNS = 34 };

/* -- /model ----------------------------------------------------------------------------- */

static void add_model(struct chat *c, struct str *s, const struct store_model *m)
{
	char bytes[32], params[32];

	str_adds(s, s->len ? "\n" : "");
	if (!c->lines)
		str_adds(s, c->info && !strcmp(m->path, c->info->path) ? "▸ " : "  ");
	slash_name(c, s, m->id, LIST_COLUMNS);
	str_addf(s, "%s, %s, %s, %s", m->level, units_bytes(bytes, sizeof bytes, m->bytes),
		 units_params(params, sizeof params, m->n_params), m->family ? m->family : m->arch);
	if (m->note)
		str_addf(s, ", cannot be run: %s", m->note);
}

/* In plain lines a number takes one, where somebody is there. */
static void offer_model(struct chat *c, const struct store_model *m)
{
	char bytes[32], command[sizeof c->choices->command];
	const int n = snprintf(command, sizeof command, "/model %s", m->id);

	if (!m->note && n < (int)sizeof command)
		chat_offer(c, command, "%s, %s, %s, %s%s", m->id, m->level, units_bytes(bytes, sizeof bytes, m->bytes),
			   m->family ? m->family : m->arch, c->info && !strcmp(m->path, c->info->path) ? ", in use" : "");
}

static void list_models(struct chat *c)
{
	struct store st = { 0 };
	struct str s;
	struct err e;

	if (store_scan(&st, c->o->folders, &e) < 0) {
		chat_complain(c, "%s", e.msg);
		return;
	}
	str_init(&s, 0);
	c->n_choices = 0;
	for (size_t i = 0; i < st.n; i++) {
		if (st.models[i].damaged)
			continue;
		if (c->lines && c->can_ask)
			offer_model(c, &st.models[i]);
		else
			add_model(c, &s, &st.models[i]);
	}
	if (c->n_choices)
		chat_ask_choice(c, "models; a number takes one");
	else
		chat_note(c, "%s", s.len ? s.p : "no models are here: ./bootstrap run gets one; /model takes a file too");
	str_release(&s);
	store_release(&st);
}

/* "NAME LEVEL" is cut in two; a file's name may have blanks of its own. NULL: no level stands there. */
static char *level_behind(char *words)
{
	size_t at = strlen(words);
	char *level;

	while (at && !strchr(" \t", words[at - 1]))
		at--;
	level = words + at;
	while (at && strchr(" \t", words[at - 1]))
		at--;
	if (!at || !eng_level_known(level))
		return NULL;
	words[at] = '\0';
	return level;
}

void slash_model(struct chat *c, const char *args)
{
	char *word, *level;

	if (!*args) {
		list_models(c);
		return;
	}
	word = mem_strdup(args);
	if (!word)
		return;
	level = level_behind(word);
	chat_open_model(c, word, level);
	mem_free(word);
}

/* -- /show ------------------------------------------------------------------------------- */

static void line(const struct chat *c, struct str *s, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void line(const struct chat *c, struct str *s, const char *name, const char *fmt, ...)
{
	va_list ap;

	str_adds(s, s->len ? "\n" : "");
	slash_name(c, s, name, SHOW_COLUMNS);
	va_start(ap, fmt);
	str_vaddf(s, fmt, ap);
	va_end(ap);
}

static void show_shape(const struct chat *c, struct str *s, const struct eng_info *in)
{
	char params[32], bytes[32];

	line(c, s, "family", "%s (%s), %s weights: %s", in->family ? in->family : in->arch, in->arch,
	     units_params(params, sizeof params, in->n_params), eng_class_name(in->cls));
	line(c, s, "shape", "%lld layers of %lld, %lld heads, %lld for keys and values", (long long)in->n_layer,
	     (long long)in->n_embd, (long long)in->n_head, (long long)in->n_head_kv);
	line(c, s, "context", "%lld tokens here, %lld trained, %s of keys and values a token at F16", (long long)c->g.ctx_size,
	     (long long)in->n_ctx_train, units_bytes(bytes, sizeof bytes, (uint64_t)in->kv_bytes_token));
	line(c, s, "tokenizer", "%s, %lld tokens", in->tokenizer, (long long)in->n_tokens);
	line(c, s, "template", "%s", in->template_kind);
}

void slash_show(struct chat *c, const char *args)
{
	const struct eng_info *in = c->info;
	const struct chat_level *l = c->level < c->n_levels ? &c->levels[c->level] : NULL;
	char bytes[32];
	struct str s;

	(void)args;
	if (!in) {
		chat_complain(c, "the model is not open yet");
		return;
	}
	str_init(&s, 0);
	line(c, &s, "name", "%s", in->name);
	line(c, &s, "file", "%s", in->path);
	if (l)
		line(c, &s, "level", "%s, %s, %.2f bits per weight; the file has %s", l->name,
		     units_bytes(bytes, sizeof bytes, l->bytes), l->bpw, in->level);
	show_shape(c, &s, in);
	if (*in->license)
		line(c, &s, "license", "%s", in->license);
	if (*c->opened->profile.sections)
		line(c, &s, "profile", "%s", c->opened->profile.sections);
	if (c->o->system && *c->o->system)
		line(c, &s, "system", "%s", c->o->system);
	chat_note(c, "%s", s.p);
	str_release(&s);
}
