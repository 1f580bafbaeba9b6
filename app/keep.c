#include "config.h"
#include "app/keep.h"
#include "app/chat_impl.h"
#include "app/draft.h"
#include "app/field.h"
#include "app/slash.h"
#include "engine/base/hash.h"
#include "engine/base/xio.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FORM = 1, KEPT_MAX = 64 << 20 };

static const char *const roles[] = { [ITEM_USER] = "user", [ITEM_ANSWER] = "assistant" };

bool keep_changed(const struct chat *c, uint64_t *seen)
{
	uint64_t now = HASH_EMPTY;
	bool changed;

	for (size_t i = 0; i < c->n_items; i++)
		if (c->items[i]->kind != ITEM_NOTE)
			now = hash_number(now, c->items[i]->version);
	changed = now != *seen;
	*seen = now;
	return changed;
}

/* -- writing ------------------------------------------------------------------------- */

static json_t *ids_of(const struct chat_item *it)
{
	json_t *a = json_array();

	for (size_t i = 0; i < it->ids.n; i++)
		json_array_append_new(a, json_integer(it->ids.p[i]));
	return a;
}

/* Sizes and times of an answer, and where its thinking stands in the text. */
static void add_answer(json_t *o, const struct chat_item *it)
{
	const struct answer_stats *s = &it->stats;
	char vocab[32];

	snprintf(vocab, sizeof vocab, "%016" PRIx64, it->vocab);
	field_text(o, "label", it->label);
	field_text(o, "vocabulary", vocab);
	json_object_set_new(o, "ids", ids_of(it));
	json_object_set_new(o, "end", json_integer(it->running ? ANSWER_STOPPED : it->end));
	json_object_set_new(o, "figures", json_pack("[i,i,I,I,I,i,i,i,i]", s->n_gen, it->n_think, (json_int_t)s->first_ns,
						    (json_int_t)s->decode_ns, (json_int_t)s->prefill_ns, s->n_prefill,
						    s->n_decode, s->n_prompt, s->n_reused));
	json_object_set_new(o, "think", json_pack("[i,I,I,I]", (int)s->think.state, (json_int_t)s->think.from,
						  (json_int_t)s->think.to, (json_int_t)s->think.rest));
}

static json_t *item_of(const struct chat_item *it)
{
	json_t *o = json_object();

	field_text(o, "role", roles[it->kind]);
	json_object_set_new(o, "text", field_string(it->text.p));
	json_object_set_new(o, "gone", json_boolean(it->gone));
	if (it->attached) {
		json_object_set_new(o, "attached", json_integer((json_int_t)it->attached));
		field_text(o, "files", it->attached_names);
	}
	if (it->kind == ITEM_ANSWER)
		add_answer(o, it);
	return o;
}

int keep_text(const struct chat *c, struct str *out, struct err *e)
{
	json_t *o = json_object(), *list = json_array();
	char *text = NULL;
	size_t n = 0;

	for (size_t i = 0; i < c->n_items; i++) {
		if (c->items[i]->kind == ITEM_NOTE || (c->items[i]->running && !c->items[i]->text.len))
			continue;
		json_array_append_new(list, item_of(c->items[i]));
		n++;
	}
	json_object_set_new(o, "form", json_integer(FORM));
	field_text(o, "model", c->name);
	json_object_set_new(o, "messages", list);
	if (n)
		text = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
	str_adds(out, text ? text : "");
	/* jansson's own, by its allocator */
	free(text);
	json_decref(o);
	return (n && !text) || out->failed ? err_set(e, ERR_NOMEM, "no memory to keep the conversation") : 0;
}

int keep_write(const struct chat *c, struct err *e)
{
	struct str text;
	int r;

	str_init(&text, 0);
	r = keep_text(c, &text, e);
	if (!r)
		r = draft_keep(DRAFT_CHAT, text.p, text.len, e);
	str_release(&text);
	return r;
}

/* -- reading ------------------------------------------------------------------------- */

static json_t *read_kept(const char *path)
{
	struct str text;
	json_t *o = NULL;

	str_init(&text, KEPT_MAX);
	if (!xio_slurp_regular(path, &text, NULL))
		o = json_loadb(text.p, text.len, 0, NULL);
	if (json_integer_value(json_object_get(o, "form")) != FORM || !json_array_size(json_object_get(o, "messages"))) {
		json_decref(o);
		o = NULL;
	}
	str_release(&text);
	return o;
}

/* Ids are of use only to the vocabulary that they come from; a file may say anything. */
static void take_ids(const struct chat *c, struct chat_item *it, const json_t *ids)
{
	const json_t *v;
	size_t i;

	json_array_foreach(ids, i, v) {
		const json_int_t id = json_integer_value(v);

		if (it->vocab != c->opened->vocab || id < 0 || id >= c->info->n_tokens || eng_ids_add(&it->ids, (int32_t)id)) {
			eng_ids_release(&it->ids);
			it->ids = (struct eng_ids){ 0 };
			return;
		}
	}
}

static int64_t number_at(const json_t *list, size_t i, int64_t most)
{
	const json_int_t n = json_integer_value(json_array_get(list, i));

	return n < 0 || n > most ? 0 : n;
}

static void take_answer(const struct chat *c, struct chat_item *it, const json_t *o)
{
	const json_t *f = json_object_get(o, "figures"), *t = json_object_get(o, "think");
	const char *label = json_string_value(json_object_get(o, "label"));
	const char *vocab = json_string_value(json_object_get(o, "vocabulary"));
	const int64_t end = json_integer_value(json_object_get(o, "end")), len = (int64_t)it->text.len;
	struct think *k = &it->stats.think;

	it->label = mem_strdup(label ? label : "");
	it->vocab = vocab ? strtoull(vocab, NULL, 16) : 0;
	it->end = end >= ANSWER_DONE && end <= ANSWER_STOP_TEXT ? (enum answer_end)end : ANSWER_STOPPED;
	it->stats.n_gen = (int32_t)number_at(f, 0, INT32_MAX);
	it->n_think = (int32_t)number_at(f, 1, INT32_MAX);
	it->stats.n_think = it->n_think < it->stats.n_gen ? it->n_think : it->stats.n_gen;
	it->stats.first_ns = number_at(f, 2, INT64_MAX);
	it->stats.decode_ns = number_at(f, 3, INT64_MAX);
	it->stats.prefill_ns = number_at(f, 4, INT64_MAX);
	it->stats.n_prefill = (int32_t)number_at(f, 5, INT32_MAX);
	/* older files end here */
	it->stats.n_decode = json_array_size(f) > 6 ? (int32_t)number_at(f, 6, INT32_MAX) : it->stats.n_gen - (it->stats.n_gen > 0);
	it->stats.n_prompt = (int32_t)number_at(f, 7, INT32_MAX);
	it->stats.n_reused = (int32_t)number_at(f, 8, INT32_MAX);
	k->state = (enum think_state)number_at(t, 0, THINK_NONE);
	k->from = (size_t)number_at(t, 1, len);
	k->to = (size_t)number_at(t, 2, len);
	k->rest = (size_t)number_at(t, 3, len);
	if (k->from > k->to || k->to > k->rest)
		*k = (struct think){ .state = THINK_NONE };
	take_ids(c, it, json_object_get(o, "ids"));
}

/* Files end with an empty line. */
static void take_attached(struct chat_item *it, const json_t *o)
{
	const json_int_t n = json_integer_value(json_object_get(o, "attached"));
	const char *names = json_string_value(json_object_get(o, "files"));

	if (it->kind != ITEM_USER || !names || n < 2 || n > (json_int_t)it->text.len || memcmp(it->text.p + n - 2, "\n\n", 2))
		return;
	it->attached_names = mem_strdup(names);
	it->attached = it->attached_names ? (size_t)n : 0;
}

static bool take_item(struct chat *c, const json_t *o)
{
	const char *role = json_string_value(json_object_get(o, "role"));
	const json_t *text = json_object_get(o, "text");
	struct chat_item *it;

	if (!role || !json_is_string(text))
		return false;
	it = chat_add_item(c, strcmp(role, roles[ITEM_USER]) ? ITEM_ANSWER : ITEM_USER);
	if (!it)
		return false;
	str_add(&it->text, json_string_value(text), json_string_length(text));
	it->gone = json_is_true(json_object_get(o, "gone"));
	it->restored = true;
	take_attached(it, o);
	c->n_gone += it->gone && it->kind == ITEM_USER;
	if (it->kind == ITEM_ANSWER)
		take_answer(c, it, o);
	return true;
}

static void set_left(struct chat *c, const char *path)
{
	mem_free(c->left);
	c->left = path ? mem_strdup(path) : NULL;
}

/* Of a damaged one, or one that a later version has written, nothing is said. */
static bool offer_one(void *arg, const char *path)
{
	struct chat *c = arg;
	json_t *o = read_kept(path);
	const size_t n = json_array_size(json_object_get(o, "messages"));
	const char *model = json_string_value(json_object_get(o, "model"));

	if (n) {
		chat_note(c, "an earlier run was ended in the middle of a conversation with %s: /restore brings its "
			  "%zu message%s back, /restore drop forgets it", model ? model : "a model", n, n == 1 ? "" : "s");
		set_left(c, path);
	}
	json_decref(o);
	return n > 0;
}

void keep_offer(struct chat *c)
{
	set_left(c, NULL);
	draft_each(DRAFT_CHAT, offer_one, c, NULL);
}

void keep_drop(void)
{
	draft_keep(DRAFT_CHAT, "", 0, NULL);
}

/* Plain lines show what comes anew: of the rest, what was said last. */
static void tell_restored(struct chat *c)
{
	enum { ASKED_MAX = 200 };
	struct str s;

	str_init(&s, 0);
	str_addf(&s, "%zu message%s back", c->n_items, c->n_items == 1 ? " is" : "s are");
	for (size_t i = c->n_items > 2 ? c->n_items - 2 : 0; i < c->n_items; i++) {
		const struct chat_item *it = c->items[i];
		const struct think *t = &it->stats.think;
		const size_t from = it->kind == ITEM_USER ? it->attached :
				    t->state == THINK_INSIDE ? it->text.len : t->state == THINK_OVER ? t->rest : 0;
		const size_t all = it->text.len - from;
		size_t n = it->kind == ITEM_USER && all > ASKED_MAX ? ASKED_MAX : all;

		while (n < all && ((unsigned char)it->text.p[from + n] & 0xc0) == 0x80)
			n++;
		str_adds(&s, it->kind == ITEM_USER ? "\n> " : "\n");
		str_add(&s, it->text.p + from, n);
		str_adds(&s, n < all ? "…" : "");
	}
	chat_note(c, "%s", s.p);
	str_release(&s);
}

static bool find_one(void *arg, const char *path)
{
	json_t *o = read_kept(path);

	if (o)
		set_left(arg, path);
	json_decref(o);
	return o;
}

/* The one that was offered; another window may have taken it: then the next. */
static json_t *read_left(struct chat *c)
{
	json_t *o = c->left ? read_kept(c->left) : NULL;

	if (o || !c->left)
		return o;
	set_left(c, NULL);
	draft_each(DRAFT_CHAT, find_one, c, NULL);
	return c->left ? read_kept(c->left) : NULL;
}

/* What is here goes to a file of its own before another conversation takes its place. */
static int put_aside(const struct chat *c, struct str *path, struct err *e)
{
	struct str text;
	int r;

	if (!chat_turns(c))
		return 0;
	str_init(&text, 0);
	r = keep_text(c, &text, e);
	if (!r && text.len)
		r = draft_leave(DRAFT_CHAT, text.p, text.len, path, e);
	str_release(&text);
	return r;
}

static void take_place(struct chat *c, const json_t *messages, const char *aside)
{
	const json_t *v;
	struct err e;
	size_t i;

	chat_leave(c);
	chat_reset(c);
	json_array_foreach(messages, i, v)
		take_item(c, v);
	if (c->lines)
		tell_restored(c);
	chat_weigh_said(c);
	/* it is this program's from now on */
	if (keep_write(c, &e))
		chat_complain(c, "%s", e.msg);
	else
		xio_unlink(c->left, NULL);
	if (*aside) {
		set_left(c, aside);
		chat_note(c, "the conversation that was here is kept: /restore changes back to it");
	} else {
		keep_offer(c);
	}
	chat_touch(c, NULL);
}

static void drop_left(struct chat *c)
{
	struct err e;

	if (xio_unlink(c->left, &e)) {
		chat_complain(c, "%s", e.msg);
		return;
	}
	chat_note(c, "that conversation is forgotten");
	keep_offer(c);
}

void slash_restore(struct chat *c, const char *args)
{
	json_t *o = read_left(c);
	struct str aside;
	struct err e;

	str_init(&aside, 0);
	if (*args && strcasecmp(args, "drop"))
		chat_complain(c, "/restore takes drop; alone it brings the conversation back");
	else if (!o)
		chat_complain(c, "no conversation was left");
	else if (*args)
		drop_left(c);
	else if (!c->info)
		chat_complain(c, "the model is not open yet");
	else if (put_aside(c, &aside, &e))
		chat_complain(c, "%s: /export keeps what is here, /clear empties it", e.msg);
	else
		take_place(c, json_object_get(o, "messages"), aside.p);
	str_release(&aside);
	json_decref(o);
}
