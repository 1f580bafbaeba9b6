#include "config.h"
#include "engine/model/model.h"
#include "engine/base/os.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"
#include "engine/model/info.h"
#include "engine/quant/layout.h"

#include <inttypes.h>
#include <string.h>

/* What a file says it is that is not a model; NULL when it says nothing of the kind. */
static const char *other_kind(const struct gguf *g)
{
	static const struct { const char *kind, *note; } kinds[] = {
		{ "imatrix", "an importance matrix for quantizing, not a model" },
		{ "adapter", "an adapter to a model, not a model" },
		{ "mmproj", "the eyes and ears of a model, not a model" },
	};
	struct gguf_str s;

	if (gguf_get_str(g, "general.type", &s, NULL) != 1)
		return NULL;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strlen(kinds[i].kind) == s.n && !memcmp(kinds[i].kind, s.p, s.n))
			return kinds[i].note;
	return NULL;
}

/* Why a file cannot be run although it may be looked at; NULL when it can. */
static const char *only_to_look_at(const struct gguf *g, const struct err *config_err)
{
	if (other_kind(g))
		return other_kind(g);
	if (!gguf_n_tensors(g))
		return "a vocabulary alone: there are no weights to run";
	if (config_err->code == ERR_UNSUPPORTED)
		return "this architecture is not one that can be run here";
	return NULL;
}

static int open_config(struct eng_model *m, bool inspect, struct err *e)
{
	struct err ce = { 0 };
	const char *note;

	if (!other_kind(m->gguf) && config_load(&m->cfg, m->gguf, &ce) == 0)
		return info_load(m, e);
	note = only_to_look_at(m->gguf, &ce);
	if (!inspect || !note) {
		if (note && (!gguf_n_tensors(m->gguf) || other_kind(m->gguf)))
			return err_set(e, ERR_UNSUPPORTED, "%s: %s", gguf_path(m->gguf), note);
		*e = ce;
		return -1;
	}
	config_release(&m->cfg);
	if (info_load(m, e) < 0)
		return -1;
	m->info.note = note;
	return 0;
}

/* The tensors of a big-endian file are turned round in memory, all of them. */
static int check_swapped(const struct eng_model *m, struct err *e)
{
	const uint64_t have = os_mem_available();

	if (!gguf_is_swapped(m->gguf) || !have || m->info.tensor_bytes <= have)
		return 0;
	return err_set(e, ERR_LIMIT, "%s: a big-endian file of %" PRIu64 " MiB needs as much memory, %" PRIu64
		       " MiB are available", gguf_path(m->gguf), m->info.tensor_bytes >> 20, have >> 20);
}

int model_open(struct eng *g, const char *path, bool inspect, struct eng_model **out, struct err *e)
{
	struct eng_model *m = mem_calloc(1, sizeof *m);
	struct err ignored;

	*out = NULL;
	if (!e)
		e = &ignored;
	if (!m)
		return err_set(e, ERR_NOMEM, "%s: no memory for a model", path);
	m->eng = g;
	if (gguf_open(&m->gguf, path, quant_layout, e) < 0 || open_config(m, inspect, e) < 0)
		goto fail;
	if (!m->info.note) {
		if (check_swapped(m, e) < 0 || gguf_make_native(m->gguf, e) < 0)
			goto fail;
		m->alive = weights_open(m, e);
		if (!m->alive)
			goto fail;
	}
	*out = m;
	return 0;
fail:
	eng_model_close(m);
	return -1;
}

/* What a message says behind the file's name. */
static const char *behind_path(const struct eng_model *m, const char *msg)
{
	const size_t n = strlen(gguf_path(m->gguf));

	return !strncmp(msg, gguf_path(m->gguf), n) && !strncmp(msg + n, ": ", 2) ? msg + n + 2 : msg;
}

int eng_model_look(const char *path, struct eng_model **out, struct err *e)
{
	struct eng_model *m = mem_calloc(1, sizeof *m);

	*out = NULL;
	if (!m)
		return err_set(e, ERR_NOMEM, "%s: no memory for a model", path);
	m->look = true;
	if (gguf_open(&m->gguf, path, quant_layout, e) < 0 || open_config(m, true, e) < 0)
		goto fail;
	if (!m->info.note && !(m->alive = weights_open(m, &m->look_err))) {
		if (m->look_err.code != ERR_UNSUPPORTED) {
			*e = m->look_err;
			goto fail;
		}
		m->info.note = behind_path(m, m->look_err.msg);
	}
	*out = m;
	return 0;
fail:
	eng_model_close(m);
	return -1;
}

void eng_model_close(struct eng_model *m)
{
	if (!m)
		return;
	/* the file's own weights are the model's; all others are gone by now */
	weights_free(m->alive);
	prompt_free(m->tmpl);
	vocab_free(m->vocab);
	mem_free(m->levels);
	info_release(m);
	config_release(&m->cfg);
	gguf_close(m->gguf);
	mem_free(m);
}

const struct eng_info *eng_model_info(const struct eng_model *m)
{
	return &m->info;
}

void eng_model_stay_mapped(struct eng_model *m)
{
	m->stays_mapped = true;
}

struct eng_weights *eng_weights_ref(struct eng_weights *w)
{
	w->refs++;
	return w;
}

void eng_weights_release(struct eng_weights *w)
{
	if (!w || --w->refs)
		return;
	for (struct eng_weights **p = &w->model->alive; *p; p = &(*p)->next)
		if (*p == w) {
			*p = w->next;
			break;
		}
	weights_free(w);
	os_give_back();
}

const struct eng_weights_info *eng_weights_info(const struct eng_weights *w)
{
	return &w->info;
}

int model_text(struct eng_model *m, struct err *e)
{
	if (m->text == TEXT_UNTRIED) {
		m->text = TEXT_FAILED;
		if (vocab_load(&m->vocab, m->gguf, &m->text_err) == 0) {
			m->text = TEXT_READY;
			prompt_load(&m->tmpl, m->gguf, m->vocab, &m->tmpl_err);
			if (!m->tmpl && m->tmpl_err.code == ERR_NOT_FOUND)
				m->tmpl_note = prompt_of_family(&m->tmpl, m->vocab, m->info.arch);
		}
	}
	if (m->text == TEXT_READY)
		return 0;
	if (e)
		*e = m->text_err;
	return -1;
}

bool eng_is_end(const struct eng_model *m, int32_t id)
{
	return m->vocab && vocab_is_end(m->vocab, id);
}
