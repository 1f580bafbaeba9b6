#include "config.h"
#include "t/helper/mkvocab.h"
#include "engine/base/str.h"
#include "engine/base/xio.h"

#include <string.h>

enum { NORMAL = 1, UNKNOWN = 2, CONTROL = 3, BYTE = 6 };	/* tokenizer.ggml.token_type */
enum { MAX_SPECIALS = 8 };

/* What a control token is for: its number goes under that key. */
enum role { NO_ROLE, BOS, EOS, EOT, UNK, PAD, ROLES };

static const char *const role_keys[ROLES] = {
	[BOS] = "tokenizer.ggml.bos_token_id", [EOS] = "tokenizer.ggml.eos_token_id",
	[EOT] = "tokenizer.ggml.eot_token_id", [UNK] = "tokenizer.ggml.unknown_token_id",
	[PAD] = "tokenizer.ggml.padding_token_id",
};

struct special { const char *text; enum role role; };

struct mkvocab {
	const char *name;
	const char *pre;		/* NULL: SentencePiece */
	bool add_bos;
	const char *template;
	struct special special[MAX_SPECIALS];
};

#define CHATML \
	"{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}" \
	"{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
#define LLAMA3 \
	"{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n" \
	"{{ m.content | trim }}<|eot_id|>{% endfor %}" \
	"{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
#define PHI \
	"{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}" \
	"{% if add_generation_prompt %}<|assistant|>{% endif %}"
#define GEMMA \
	"{{ bos_token }}{% for m in messages %}<start_of_turn>" \
	"{{ 'model' if m.role == 'assistant' else 'user' }}\n{{ m.content | trim }}<end_of_turn>\n{% endfor %}" \
	"{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"

static const struct mkvocab vocabs[] = {
	{ "qwen2", "qwen2", false, CHATML,
	  { { "<|endoftext|>", PAD }, { "<|im_start|>", NO_ROLE }, { "<|im_end|>", EOS } } },
	{ "smollm", "smollm", false, CHATML,
	  { { "<|endoftext|>", UNK }, { "<|im_start|>", BOS }, { "<|im_end|>", EOS } } },
	{ "smaug-bpe", "smaug-bpe", false, CHATML,
	  { { "<|begin_of_text|>", BOS }, { "<|im_start|>", NO_ROLE }, { "<|im_end|>", EOS } } },
	{ "llama-bpe", "llama-bpe", true, LLAMA3,
	  { { "<|begin_of_text|>", BOS }, { "<|end_of_text|>", EOS }, { "<|start_header_id|>", NO_ROLE },
	    { "<|end_header_id|>", NO_ROLE }, { "<|eot_id|>", EOT } } },
	{ "gpt-4o", "gpt-4o", false, PHI,
	  { { "<|endoftext|>", EOS }, { "<|end|>", EOT }, { "<|system|>", NO_ROLE }, { "<|user|>", NO_ROLE },
	    { "<|assistant|>", NO_ROLE } } },
	{ "phi3", NULL, false, PHI,
	  { { "<unk>", UNK }, { "<s>", BOS }, { "</s>", NO_ROLE }, { "<|endoftext|>", EOS }, { "<|end|>", EOT },
	    { "<|system|>", NO_ROLE }, { "<|user|>", NO_ROLE }, { "<|assistant|>", NO_ROLE } } },
	{ "gemma", NULL, true, GEMMA,
	  { { "<pad>", PAD }, { "<eos>", EOS }, { "<bos>", BOS }, { "<unk>", UNK },
	    { "<start_of_turn>", NO_ROLE }, { "<end_of_turn>", EOT } } },
};

const struct mkvocab *mkvocab_find(const char *name)
{
	for (size_t i = 0; i < sizeof vocabs / sizeof *vocabs; i++)
		if (!strcmp(vocabs[i].name, name))
			return &vocabs[i];
	return NULL;
}

/* -- a growing list of strings ------------------------------------------------------- */

struct list {
	struct str text;
	size_t *at;		/* (n + 1) where each begins in text */
	int n, cap;
};

static int list_init(struct list *l, int cap, struct err *e)
{
	str_init(&l->text, 0);
	l->n = 0;
	l->cap = cap;
	l->at = mem_calloc((size_t)cap + 1, sizeof *l->at);
	return l->at ? 0 : err_set(e, ERR_NOMEM, "no memory for %d tokens", cap);
}

static void list_release(struct list *l)
{
	str_release(&l->text);
	mem_free(l->at);
}

/* What was added to the text since the last call is one more string. */
static void list_end(struct list *l)
{
	l->at[++l->n] = l->text.len;
}

static bool list_full(const struct list *l)
{
	return l->n == l->cap;
}

static int list_write(const struct list *l, struct gguf_writer *w, const char *key, struct err *e)
{
	struct gguf_str *s = mem_array((size_t)l->n, sizeof *s);

	if (!s || l->text.failed) {
		mem_free(s);
		return err_set(e, ERR_NOMEM, "no memory for %s", key);
	}
	for (int i = 0; i < l->n; i++)
		s[i] = (struct gguf_str){ l->text.p + l->at[i], l->at[i + 1] - l->at[i] };
	gguf_writer_strs(w, key, s, (size_t)l->n);
	mem_free(s);
	return 0;
}

/* -- tokens -------------------------------------------------------------------------- */

struct making {
	const struct mkvocab *v;
	struct list tokens, merges;
	int32_t type[MKVOCAB_MAX];
};

static void end_token(struct making *k, int type)
{
	k->type[k->tokens.n] = type;
	list_end(&k->tokens);
}

/* GPT-2's letters for bytes: what prints stands for itself, the rest goes from U+0100 on. */
static void byte_tokens(struct making *k)
{
	unsigned next = 256;

	for (unsigned b = 0; b < 256; b++) {
		const bool prints = (b > 32 && b < 127) || (b > 160 && b != 173);

		str_add_utf8(&k->tokens.text, prints ? b : next++);
		end_token(k, NORMAL);
	}
}

static void raw_byte_tokens(struct making *k)
{
	for (unsigned b = 0; b < 256; b++) {
		str_addf(&k->tokens.text, "<0x%02X>", b);
		end_token(k, BYTE);
	}
}

static void special_tokens(struct making *k)
{
	for (const struct special *s = k->v->special; s < k->v->special + MAX_SPECIALS && s->text; s++) {
		str_adds(&k->tokens.text, s->text);
		end_token(k, s->role == UNK && !k->v->pre ? UNKNOWN : CONTROL);
	}
}

static int n_specials(const struct mkvocab *v)
{
	int n = 0;

	while (n < MAX_SPECIALS && v->special[n].text)
		n++;
	return n;
}

enum { LETTERS = 27 };

/* Letter i; the last is a blank as the tokenizer writes it. */
static void add_letter(const struct mkvocab *v, struct str *s, int i)
{
	if (i < LETTERS - 1)
		str_addc(s, (char)('a' + i));
	else
		str_add_utf8(s, v->pre ? 0x120 : 0x2581);
}

static int power(int n)
{
	return n ? LETTERS * power(n - 1) : 1;
}

/* The word-th string of n letters. */
static void add_letters(const struct mkvocab *v, struct str *s, int word, int n)
{
	for (int i = n - 1; i >= 0; i--)
		add_letter(v, s, word / power(i) % LETTERS);
}

/* The first two letters and what follows them, or one and one: both are tokens that came before. */
static void add_merge(struct making *k, int word, int n)
{
	const int right = n == 2 ? 1 : n - 2;

	add_letters(k->v, &k->merges.text, word / power(right), n - right);
	str_addc(&k->merges.text, ' ');
	add_letters(k->v, &k->merges.text, word % power(right), right);
	list_end(&k->merges);
}

/* Words of two letters and more, `limit` tokens in all. */
static void word_tokens(struct making *k, int limit)
{
	for (int n = k->v->pre ? 2 : 1; n <= 4; n++)
		for (int word = 0; word < power(n) && k->tokens.n < limit; word++) {
			add_letters(k->v, &k->tokens.text, word, n);
			end_token(k, NORMAL);
			if (k->v->pre && !list_full(&k->merges))
				add_merge(k, word, n);
		}
}

/* -- keys ---------------------------------------------------------------------------- */

static void write_specials(const struct making *k, struct gguf_writer *w, int first)
{
	for (int i = 0; i < n_specials(k->v); i++)
		if (k->v->special[i].role)
			gguf_writer_u32(w, role_keys[k->v->special[i].role], (uint32_t)(first + i));
}

/* The earlier a piece, the sooner it is put together. */
static int write_scores(struct gguf_writer *w, int n, struct err *e)
{
	float *scores = mem_array((size_t)n, sizeof *scores);

	if (!scores)
		return err_set(e, ERR_NOMEM, "no memory for scores");
	for (int i = 0; i < n; i++)
		scores[i] = -(float)i;
	gguf_writer_f32s(w, "tokenizer.ggml.scores", scores, (size_t)n);
	mem_free(scores);
	return 0;
}

static int write_keys(const struct making *k, struct gguf_writer *w, int first_special, struct err *e)
{
	const struct mkvocab *v = k->v;
	const char *model = v->pre ? "gpt2" : "llama";

	gguf_writer_str(w, "tokenizer.ggml.model", model, strlen(model));
	if (v->pre)
		gguf_writer_str(w, "tokenizer.ggml.pre", v->pre, strlen(v->pre));
	if (list_write(&k->tokens, w, "tokenizer.ggml.tokens", e) < 0)
		return -1;
	gguf_writer_i32s(w, "tokenizer.ggml.token_type", k->type, (size_t)k->tokens.n);
	if (v->pre ? list_write(&k->merges, w, "tokenizer.ggml.merges", e) : write_scores(w, k->tokens.n, e))
		return -1;
	write_specials(k, w, first_special);
	gguf_writer_bool(w, "tokenizer.ggml.add_bos_token", v->add_bos);
	gguf_writer_bool(w, "tokenizer.ggml.add_space_prefix", false);
	gguf_writer_str(w, "tokenizer.chat_template", v->template, strlen(v->template));
	return 0;
}

int mkvocab_write(const struct mkvocab *v, struct gguf_writer *w, int n, struct err *e)
{
	struct making *k = mem_calloc(1, sizeof *k);
	int first, r = -1;

	if (!k)
		return err_set(e, ERR_NOMEM, "no memory for a vocabulary");
	k->v = v;
	if (list_init(&k->tokens, n, e) < 0 || list_init(&k->merges, n, e) < 0)
		goto out;
	if (v->pre) {
		byte_tokens(k);
		word_tokens(k, n - n_specials(v));
		first = k->tokens.n;
		special_tokens(k);
	} else {
		first = 0;
		special_tokens(k);
		raw_byte_tokens(k);
		word_tokens(k, n);
	}
	if (k->tokens.n != n)
		err_set(e, ERR_LIMIT, "there are words for %d tokens only", k->tokens.n);
	else
		r = write_keys(k, w, first, e);
out:
	list_release(&k->tokens);
	list_release(&k->merges);
	mem_free(k);
	return r;
}
