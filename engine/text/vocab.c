/*
 * A file's keys → the vocabulary's tables. The texts of tokens are copied and turned into
 * the bytes they stand for, so that nothing depends on the file afterwards: byte-level BPE
 * leaves GPT-2's alphabet, SentencePiece's U+2581 becomes a blank, <0x0A> the byte 0A.
 */
#include "config.h"

#include "engine/base/os.h"
#include "engine/base/xio.h"
#include "engine/text/utf8.h"
#include "engine/text/vocab_impl.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum {
	MAX_TOKENS = 1000000,	/* the largest known has 262,144 */
	MAX_TOKEN = 4096,	/* bytes; the longest known have 1,024 */
};

/*
 * What tokens of these spellings are, whatever else the file says: by llama.cpp's list
 * (llama-vocab.cpp, Aug 2026), for control tokens and user-defined ones, which become
 * control tokens by it; never for normal ones.
 */
static const struct { const char *text; bool end; } control[] = {
	{ "<|eot_id|>", true }, { "<|im_end|>", true }, { "<|end|>", true }, { "<|return|>", true },
	{ "<|call|>", true }, { "<|flush|>", true }, { "<|calls|>", true }, { "<end_of_turn>", true },
	{ "<|endoftext|>", true }, { "</s>", true }, { "<|eom_id|>", true }, { "<EOT>", true }, { "_<EOT>", true },
	{ "[EOT]", true }, { "[EOS]", true }, { "<|end_of_text|>", true }, { "<end_of_utterance>", true },
	{ "<eos>", true }, { "<turn|>", true }, { "<｜end▁of▁sentence｜>", true }, { "[e~[", true },
	{ "<|fim_pad|>", true }, { "<fim-pad>", true }, { "<fim_pad>", true }, { "<PAD>", true }, { "[PAD]", true },
	{ "<|fim_repo|>", true }, { "<|repo_name|>", true }, { "<fim-repo>", true }, { "<REPO>", true },
	{ "<reponame>", true }, { "<|file_sep|>", true },
	{ "<|fim_prefix|>", false }, { "<fim-prefix>", false }, { "<fim_prefix>", false }, { "<｜fim▁begin｜>", false },
	{ "<PRE>", false }, { "▁<PRE>", false }, { "<|code_prefix|>", false }, { "<|prefix|>", false },
	{ "<|fim_suffix|>", false }, { "<fim-suffix>", false }, { "<fim_suffix>", false }, { "<｜fim▁hole｜>", false },
	{ "<SUF>", false }, { "▁<SUF>", false }, { "<|code_suffix|>", false }, { "<|suffix|>", false },
	{ "<|fim_middle|>", false }, { "<fim-middle>", false }, { "<fim_middle>", false }, { "<｜fim▁end｜>", false },
	{ "<MID>", false }, { "▁<MID>", false }, { "<|code_middle|>", false }, { "<|middle|>", false },
};

/* Keys that name a token, and their defaults as llama.cpp has them. */
static const struct { const char *key; size_t at; int32_t spm, bpe; } ids_of[] = {
	{ "tokenizer.ggml.bos_token_id", offsetof(struct vocab, bos), 1, 11 },
	{ "tokenizer.ggml.eos_token_id", offsetof(struct vocab, eos), 2, 11 },
	{ "tokenizer.ggml.unknown_token_id", offsetof(struct vocab, unk), 0, -1 },
	{ "tokenizer.ggml.eot_token_id", offsetof(struct vocab, eot), -1, -1 },
	{ "tokenizer.ggml.eom_token_id", offsetof(struct vocab, eom), -1, -1 },
	{ "tokenizer.ggml.padding_token_id", offsetof(struct vocab, pad), -1, -1 },
};

static const char key_tokens[] = "tokenizer.ggml.tokens";
static const char key_scores[] = "tokenizer.ggml.scores";
static const char key_types[] = "tokenizer.ggml.token_type";

/* -- which tokenizer ---------------------------------------------------------------- */

static int read_kind(struct vocab *v, const struct gguf *g, struct err *e)
{
	struct gguf_str model, pre = { "", 0 };
	char shown[64];
	int got = gguf_get_str(g, "tokenizer.ggml.model", &model, e);

	if (got < 0 || gguf_get_str(g, "tokenizer.ggml.pre", &pre, e) < 0)
		return -1;
	if (!got || (model.n == 4 && !memcmp(model.p, "none", 4)) || (model.n == 8 && !memcmp(model.p, "no_vocab", 8)))
		return err_set(e, ERR_NOT_FOUND, "the file has no vocabulary");
	if (model.n == 5 && !memcmp(model.p, "llama", 5)) {
		v->kind = VOCAB_SPM;
		v->add_bos = v->add_space_prefix = true;
		return 0;
	}
	if (model.n != 4 || memcmp(model.p, "gpt2", 4))
		return err_set(e, ERR_UNSUPPORTED, "tokenizer.ggml.model is \"%s\"; \"gpt2\" and \"llama\" are known",
			       err_quote(shown, sizeof shown, model.p, model.n));
	v->kind = VOCAB_BPE;
	v->row = presplit_find(pre.p, pre.n);
	if (!v->row)
		return err_set(e, ERR_UNSUPPORTED, "tokenizer.ggml.pre is \"%s\", which tidbit does not know",
			       err_quote(shown, sizeof shown, pre.p, pre.n));
	v->add_bos = v->row->flags & PRESPLIT_ADD_BOS;
	v->ignore_merges = v->row->flags & PRESPLIT_IGNORE_MERGES;
	return presplit_new(&v->split, v->row, e);
}

/* -- tokens ------------------------------------------------------------------------- */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* <0x0A>, or the byte itself. */
static int byte_of(struct gguf_str s)
{
	if (s.n == 1)
		return (unsigned char)s.p[0];
	if (s.n != 6 || memcmp(s.p, "<0x", 3) || s.p[5] != '>' || hex(s.p[3]) < 0 || hex(s.p[4]) < 0)
		return -1;
	return hex(s.p[3]) << 4 | hex(s.p[4]);
}

static size_t blanks_decode(char *to, const char *s, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n;) {
		if (n - i >= 3 && !memcmp(s + i, "\xe2\x96\x81", 3)) {
			to[len++] = ' ';
			i += 3;
		} else {
			to[len++] = s[i++];
		}
	}
	return len;
}

/* The bytes that token `id` stands for, at `to`; what is decoded is never longer than what it was. */
static int token_read(struct vocab *v, int32_t id, struct gguf_str s, char *to, size_t *len, struct err *e)
{
	char shown[64];
	bool plain;
	int byte;

	memcpy(to, s.p, s.n);
	*len = s.n;
	switch (v->flags[id] & TOKEN_ATTR) {
	case VOCAB_BYTE:
		byte = byte_of(s);
		if (byte < 0)
			return err_set(e, ERR_FORMAT, "%s: token %d is of type byte (6), but \"%s\" is none; <0x00> to <0xFF> are",
				       key_tokens, (int)id, err_quote(shown, sizeof shown, s.p, s.n));
		to[0] = (char)byte;
		*len = 1;
		if (v->kind == VOCAB_SPM && v->byte_id[byte] < 0)
			v->byte_id[byte] = id;
		return 0;
	case VOCAB_NORMAL:
		if (v->kind == VOCAB_SPM) {
			*len = blanks_decode(to, s.p, s.n);
			v->flags[id] |= TOKEN_MERGES;
		} else {
			*len = bpe_decode(to, s.p, s.n, &plain);
			if (plain)
				v->flags[id] |= TOKEN_MERGES;
		}
		if (*len > v->longest)
			v->longest = (uint32_t)*len;
		return 0;
	case VOCAB_USER:
		if (v->kind == VOCAB_SPM)
			*len = blanks_decode(to, s.p, s.n);
		return 0;
	default:
		return 0;
	}
}

static int read_types(struct vocab *v, const struct gguf *g, struct err *e)
{
	const struct gguf_kv *kv;
	int got = gguf_get_array(g, key_types, GGUF_I32, &kv, e);

	if (got < 0)
		return -1;
	if (got && kv->count < (uint64_t)v->n)
		return err_set(e, ERR_FORMAT, "%s has %llu entries, %s has %d", key_types,
			       (unsigned long long)kv->count, key_tokens, (int)v->n);
	for (int32_t i = 0; i < v->n; i++) {
		int64_t type = got ? gguf_elem_i64(g, kv, (uint64_t)i) : VOCAB_NORMAL;

		v->flags[i] = type >= VOCAB_NORMAL && type <= VOCAB_BYTE ? (unsigned char)type : VOCAB_NORMAL;
	}
	return 0;
}

static int read_tokens(struct vocab *v, const struct gguf *g, struct err *e)
{
	const struct gguf_kv *kv;
	struct gguf_str *list = NULL;
	size_t bytes = 0, at = 0;
	int got = gguf_get_array(g, key_tokens, GGUF_STRING, &kv, e), ret = -1;

	if (got < 0)
		return -1;
	if (!got || kv->count == 0)
		return err_set(e, got ? ERR_FORMAT : ERR_NOT_FOUND, "%s is %s", key_tokens, got ? "empty" : "missing");
	if (kv->count > MAX_TOKENS)
		return err_set(e, ERR_LIMIT, "%s has %llu entries, more than %d", key_tokens,
			       (unsigned long long)kv->count, MAX_TOKENS);
	v->n = (int32_t)kv->count;
	list = mem_array(kv->count, sizeof *list);
	v->flags = mem_alloc(kv->count);
	v->off = mem_array(kv->count + 1, sizeof *v->off);
	if (!list || !v->flags || !v->off) {
		err_set(e, ERR_NOMEM, "no memory for %d tokens", (int)v->n);
		goto out;
	}
	if (read_types(v, g, e) < 0 || gguf_strings(g, kv, list, e) < 0)
		goto out;
	for (int32_t i = 0; i < v->n; i++) {
		bytes += list[i].n;	/* stays below 4 GiB */
		if (list[i].n > MAX_TOKEN) {
			err_set(e, ERR_LIMIT, "%s: token %d has %zu bytes, more than %d", key_tokens, (int)i, list[i].n,
				MAX_TOKEN);
			goto out;
		}
	}
	v->text = mem_alloc(bytes + 1);
	if (!v->text) {
		err_set(e, ERR_NOMEM, "no memory for tokens of %zu bytes", bytes);
		goto out;
	}
	for (int32_t i = 0; i < v->n; i++) {
		size_t len;

		v->off[i] = (uint32_t)at;
		if (token_read(v, i, list[i], v->text + at, &len, e) < 0)
			goto out;
		at += len;
	}
	v->off[v->n] = (uint32_t)at;
	ret = 0;
out:
	mem_free(list);
	return ret;
}

static int hash_tokens(struct vocab *v, struct err *e)
{
	uint32_t size = 64, *hash = mem_array((size_t)v->n, sizeof *hash);

	while (size < 2 * (uint32_t)v->n)
		size *= 2;
	v->slot_mask = size - 1;
	v->slots = mem_array(size, sizeof *v->slots);
	if (!v->slots || !hash) {
		mem_free(hash);
		return err_set(e, ERR_NOMEM, "no memory for %d tokens", (int)v->n);
	}
	v->seed = vocab_mix((uint64_t)os_now_ns() ^ (uint64_t)(uintptr_t)v->slots * 0x9e3779b97f4a7c15u);
	memset(v->slots, 0xff, size * sizeof *v->slots);
	for (int32_t id = 0; id < v->n; id++)
		hash[id] = vocab_hash(v->seed, v->text + v->off[id], v->off[id + 1] - v->off[id]);
	for (int32_t id = 0; id < v->n; id++) {
		uint32_t i = hash[id] & v->slot_mask;

		if (v->n - id > 16)
			__builtin_prefetch(&v->slots[hash[id + 16] & v->slot_mask]);
		if (v->off[id + 1] == v->off[id] || (v->flags[id] & TOKEN_ATTR) == VOCAB_BYTE)
			continue;
		/* of two that are spelled alike the first is found */
		while (v->slots[i].id >= 0)
			i = (i + 1) & v->slot_mask;
		v->slots[i] = (struct slot){ hash[id], id };
	}
	mem_free(hash);
	return 0;
}

/* -- what they mean ----------------------------------------------------------------- */

static void promote(struct vocab *v)
{
	for (size_t i = 0; i < sizeof control / sizeof *control; i++) {
		const char *text = control[i].text;
		int32_t id = vocab_look(v, text, strlen(text), false), s;

		if (id < 0)
			continue;
		/* </s> closes <s>: where that is user-defined, as in Gemma, the two are HTML */
		s = !strcmp(text, "</s>") ? vocab_look(v, "<s>", 3, false) : -1;
		if (s >= 0 && (v->flags[s] & TOKEN_ATTR) == VOCAB_USER)
			continue;
		if ((v->flags[id] & TOKEN_ATTR) == VOCAB_USER)
			v->flags[id] = (unsigned char)((v->flags[id] & ~TOKEN_ATTR) | VOCAB_CONTROL);
		if (control[i].end && (v->flags[id] & TOKEN_ATTR) == VOCAB_CONTROL)
			v->flags[id] |= TOKEN_END;
	}
}

static int read_ids(struct vocab *v, const struct gguf *g, struct err *e)
{
	for (size_t i = 0; i < sizeof ids_of / sizeof *ids_of; i++) {
		int32_t *to = (int32_t *)((char *)v + ids_of[i].at);
		int64_t id = v->kind == VOCAB_SPM ? ids_of[i].spm : ids_of[i].bpe;
		int got;

		if (v->row && (v->row->flags & PRESPLIT_NO_BOS) && to == &v->bos)
			id = -1;
		got = gguf_get_i64(g, ids_of[i].key, &id, e);
		if (got < 0)
			return -1;
		if (got && (id < 0 || id >= v->n))
			return err_set(e, ERR_FORMAT, "%s is %lld, but the vocabulary has %d tokens", ids_of[i].key,
				       (long long)id, (int)v->n);
		*to = id < v->n ? (int32_t)id : -1;
		/* a token that only a default makes an end is one if it is a control token */
		if (*to >= 0 && (to == &v->eos || to == &v->eot || to == &v->eom) &&
		    (got || (v->flags[*to] & TOKEN_ATTR) == VOCAB_CONTROL))
			v->flags[*to] |= TOKEN_END;
	}
	return 0;
}

static int read_adds(struct vocab *v, const struct gguf *g, struct err *e)
{
	int bos = gguf_get_bool(g, "tokenizer.ggml.add_bos_token", &v->add_bos, e);
	int eos = gguf_get_bool(g, "tokenizer.ggml.add_eos_token", &v->add_eos, e);
	bool prefix = v->add_space_prefix;

	if (bos < 0 || eos < 0 || gguf_get_bool(g, "tokenizer.ggml.add_space_prefix", &prefix, e) < 0)
		return -1;
	if (v->kind == VOCAB_SPM)
		v->add_space_prefix = prefix;
	if (bos && v->add_bos && v->bos < 0)
		return err_set(e, ERR_FORMAT, "tokenizer.ggml.add_bos_token is true, but there is no BOS token");
	if (eos && v->add_eos && v->eos < 0)
		return err_set(e, ERR_FORMAT, "tokenizer.ggml.add_eos_token is true, but there is no EOS token");
	v->add_bos = v->add_bos && v->bos >= 0;
	v->add_eos = v->add_eos && v->eos >= 0;
	return 0;
}

/*
 * Phi-3's special tokens swallow the white space after them (its tokenizer_config.json:
 * rstrip), but for three. No key says so: the architecture does, or the name.
 */
static int mark_rstrip(struct vocab *v, const struct gguf *g, struct err *e)
{
	static const char *const keep[] = { "<unk>", "<s>", "<|endoftext|>" };
	struct gguf_str arch = { "", 0 };

	if (gguf_get_str(g, "general.architecture", &arch, e) < 0)
		return -1;
	if (v->kind != VOCAB_SPM || arch.n != 4 || memcmp(arch.p, "phi3", 4))
		return 0;
	for (int32_t i = 0; i < v->n; i++) {
		int attr = v->flags[i] & TOKEN_ATTR;

		if (attr == VOCAB_CONTROL || attr == VOCAB_USER || attr == VOCAB_UNKNOWN)
			v->flags[i] |= TOKEN_RSTRIP;
	}
	for (size_t i = 0; i < sizeof keep / sizeof *keep; i++) {
		int32_t id = vocab_look(v, keep[i], strlen(keep[i]), false);

		if (id >= 0)
			v->flags[id] &= (unsigned char)~TOKEN_RSTRIP;
	}
	return 0;
}

/* -- SentencePiece ------------------------------------------------------------------ */

/* Numbers in the order of the scores, high scores first: what the heap compares. */
static uint32_t key_of(double score)
{
	float f = isnan(score) ? -INFINITY : (float)score + 0.0f;	/* -0 is 0 */
	uint32_t bits;

	memcpy(&bits, &f, sizeof bits);
	bits = bits >> 31 ? ~bits : bits | 0x80000000u;	/* grows with f */
	bits = ~bits;
	return bits < KEY_NONE ? bits : KEY_NONE - 1;
}

static int spm_build(struct vocab *v, const struct gguf *g, struct err *e)
{
	const struct gguf_kv *kv;
	int got = gguf_get_array(g, key_scores, GGUF_F32, &kv, e);

	if (got < 0)
		return -1;
	if (got && kv->count < (uint64_t)v->n)
		return err_set(e, ERR_FORMAT, "%s has %llu entries, %s has %d", key_scores,
			       (unsigned long long)kv->count, key_tokens, (int)v->n);
	v->key = mem_array((size_t)v->n, sizeof *v->key);
	if (!v->key)
		return err_set(e, ERR_NOMEM, "no memory for %d scores", (int)v->n);
	for (int32_t id = 0; id < v->n; id++) {
		size_t n;
		const char *p = vocab_text(v, id, &n);

		v->key[id] = key_of(got ? gguf_elem_f64(g, kv, (uint64_t)id) : 0);
		if (!(v->flags[id] & TOKEN_MERGES))
			continue;
		for (size_t i = 1; i < n; i++) {
			unsigned bit = (unsigned)(unsigned char)p[i - 1] << 8 | (unsigned char)p[i];

			v->joins[bit >> 3] |= (unsigned char)(1 << (bit & 7));
		}
	}
	return 0;
}

/* -- the whole ---------------------------------------------------------------------- */

static int load(struct vocab *v, const struct gguf *g, struct err *e)
{
	memset(v->byte_id, 0xff, sizeof v->byte_id);
	if (read_kind(v, g, e) < 0 || read_tokens(v, g, e) < 0 || hash_tokens(v, e) < 0)
		return -1;
	promote(v);
	if (read_ids(v, g, e) < 0 || read_adds(v, g, e) < 0 || mark_rstrip(v, g, e) < 0)
		return -1;
	if (special_build(v, e) < 0)
		return -1;
	if (v->kind == VOCAB_SPM)
		return spm_build(v, g, e);
	for (int b = 0; b < 256; b++) {
		char c = (char)b;

		v->byte_id[b] = vocab_look(v, &c, 1, true);
	}
	return bpe_build(v, g, e);
}

int vocab_load(struct vocab **out, const struct gguf *g, struct err *e)
{
	struct vocab *v = mem_calloc(1, sizeof *v);
	struct err own = { 0 };
	char path[256];
	size_t n;

	if (!v)
		return err_set(e, ERR_NOMEM, "no memory for a vocabulary");
	if (load(v, g, &own) < 0 || gguf_check(g, &own) < 0) {
		vocab_free(v);
		/* what reading a key says names the file already */
		n = strlen(err_quote(path, sizeof path, gguf_path(g), strlen(gguf_path(g))));
		if (strncmp(own.msg, path, n) || strncmp(own.msg + n, ": ", 2))
			err_context(&own, "%s", path);
		if (e)
			*e = own;
		return -1;
	}
	*out = v;
	return 0;
}

void vocab_free(struct vocab *v)
{
	if (!v)
		return;
	presplit_free(v->split);
	special_free(v);
	mem_free(v->text);
	mem_free(v->off);
	mem_free(v->flags);
	mem_free(v->key);
	mem_free(v->slots);
	mem_free(v->pairs);
	mem_free(v);
}

/* -- questions ---------------------------------------------------------------------- */

enum vocab_kind vocab_kind(const struct vocab *v)
{
	return v->kind;
}

const char *vocab_pre(const struct vocab *v)
{
	return v->row ? v->row->name : "";
}

int32_t vocab_size(const struct vocab *v)
{
	return v->n;
}

struct gguf_str vocab_token(const struct vocab *v, int32_t id)
{
	struct gguf_str s = { "", 0 };

	if (id >= 0 && id < v->n)
		s.p = vocab_text(v, id, &s.n);
	return s;
}

enum vocab_attr vocab_attr(const struct vocab *v, int32_t id)
{
	return id >= 0 && id < v->n ? (enum vocab_attr)(v->flags[id] & TOKEN_ATTR) : VOCAB_UNUSED;
}

int32_t vocab_bos(const struct vocab *v)
{
	return v->bos;
}

int32_t vocab_eos(const struct vocab *v)
{
	return v->eos;
}

bool vocab_add_bos(const struct vocab *v)
{
	return v->add_bos;
}

bool vocab_add_eos(const struct vocab *v)
{
	return v->add_eos;
}

int32_t vocab_find(const struct vocab *v, const char *text, size_t n)
{
	int32_t id = vocab_look(v, text, n, false);

	return id >= 0 ? id : vocab_look(v, text, n, true);
}

bool vocab_is_end(const struct vocab *v, int32_t id)
{
	return id >= 0 && id < v->n && v->flags[id] & TOKEN_END;
}
