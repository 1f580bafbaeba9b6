/*
 * Byte-level BPE: the alphabet that files spell tokens in, the table of merges, and a
 * piece of text → ids. Pieces come from presplit.c by way of encode.c.
 */
#include "config.h"

#include "engine/base/xio.h"
#include "engine/text/merge.h"
#include "engine/text/utf8.h"

#include <stdlib.h>
#include <string.h>

/*
 * GPT-2's alphabet (openai/gpt-2 encoder.py, bytes_to_unicode): a byte that prints in
 * Latin-1 stands for itself, the other 68 are U+0100 and on, in order. Returns the byte
 * for a code point, or -1.
 */
static int alphabet_byte(uint32_t cp)
{
	if ((cp >= 0x21 && cp <= 0x7e) || (cp >= 0xa1 && cp <= 0xac) || (cp >= 0xae && cp <= 0xff))
		return (int)cp;
	if (cp < 0x100 || cp > 0x143)
		return -1;
	cp -= 0x100;
	if (cp <= 0x20)
		return (int)cp;			/* 00 … 20 */
	if (cp <= 0x42)
		return (int)cp - 0x21 + 0x7f;	/* 7f … a0 */
	return 0xad;
}

size_t bpe_decode(char *to, const char *s, size_t n, bool *plain)
{
	size_t len = 0;

	*plain = true;
	for (size_t i = 0; i < n;) {
		int k = utf8_char(s + i, n - i), b = k > 0 ? alphabet_byte(utf8_code(s + i, k)) : -1;

		if (b >= 0) {
			to[len++] = (char)b;
		} else {
			*plain = false;
			if (k <= 0)
				k = 1;
			memcpy(to + len, s + i, (size_t)k);
			len += (size_t)k;
		}
		i += (size_t)k;
	}
	return len;
}

/* -- the table of merges ------------------------------------------------------------ */

/*
 * A table of some megabytes is filled and asked at random places: merges are taken a batch
 * at a time, and each step asks for what the next one will read.
 */
enum { BATCH = 32 };

struct merge {
	char *text;			/* left and right, one after the other */
	size_t left_n, right_n;		/* left_n 0: none */
	uint32_t left_hash, right_hash, rank;
	int32_t left, right, made;
};

/* A merge is "left right". */
static void merge_read(const struct vocab *v, struct gguf_str s, uint32_t rank, struct merge *m)
{
	const char *space = NULL;
	bool plain;

	m->left_n = 0;
	m->rank = rank;
	if (s.n >= 3 && s.n <= 4 * (size_t)v->longest + 1)
		space = memchr(s.p + 1, ' ', s.n - 1);
	if (!space)
		return;
	m->left_n = bpe_decode(m->text, s.p, (size_t)(space - s.p), &plain);
	m->right_n = bpe_decode(m->text + m->left_n, space + 1, s.n - (size_t)(space - s.p) - 1, &plain);
	m->left_hash = vocab_hash(v->seed, m->text, m->left_n);
	m->right_hash = vocab_hash(v->seed, m->text + m->left_n, m->right_n);
	__builtin_prefetch(&v->slots[m->left_hash & v->slot_mask]);
	__builtin_prefetch(&v->slots[m->right_hash & v->slot_mask]);
}

static void merge_touch(const struct vocab *v, const struct merge *m)
{
	int32_t left = v->slots[m->left_hash & v->slot_mask].id, right = v->slots[m->right_hash & v->slot_mask].id;

	if (left >= 0)
		__builtin_prefetch(&v->off[left]);
	if (right >= 0)
		__builtin_prefetch(&v->off[right]);
}

/* One that names no tokens of the vocabulary can never apply. Most make the token after the last one made. */
static void merge_find(const struct vocab *v, struct merge *m, int32_t *last)
{
	size_t n = m->left_n + m->right_n;

	m->made = -1;
	m->left = vocab_look_hash(v, m->left_hash, m->text, m->left_n, true);
	m->right = vocab_look_hash(v, m->right_hash, m->text + m->left_n, m->right_n, true);
	if (m->left < 0 || m->right < 0)
		return;
	if (*last + 1 < v->n && v->flags[*last + 1] & TOKEN_MERGES && vocab_is(v, *last + 1, m->text, n))
		m->made = *last + 1;
	else
		m->made = vocab_look(v, m->text, n, true);
	if (m->made < 0)
		return;
	*last = m->made;
	__builtin_prefetch(&v->pairs[pair_hash(v, m->left, m->right) & v->pair_mask]);
}

static void merge_add(struct vocab *v, const struct merge *m)
{
	uint32_t i = pair_hash(v, m->left, m->right) & v->pair_mask;

	for (; v->pairs[i].left >= 0; i = (i + 1) & v->pair_mask)
		if (v->pairs[i].left == m->left && v->pairs[i].right == m->right)
			return;		/* the first rank stands */
	v->pairs[i] = (struct pair){ m->left, m->right, m->made, m->rank };
}

static void read_merges(struct vocab *v, const struct gguf_str *list, size_t n, char *buf)
{
	struct merge m[BATCH];
	int32_t last = -1;

	for (int i = 0; i < BATCH; i++)
		m[i].text = buf + (size_t)i * (4 * (size_t)v->longest + 2);
	for (size_t at = 0; at < n; at += BATCH) {
		int count = n - at < BATCH ? (int)(n - at) : BATCH;

		for (int i = 0; i < count; i++)
			merge_read(v, list[at + (size_t)i], (uint32_t)(at + (size_t)i), &m[i]);
		for (int i = 0; i < count; i++)
			if (m[i].left_n)
				merge_touch(v, &m[i]);
		for (int i = 0; i < count; i++)
			if (m[i].left_n)
				merge_find(v, &m[i], &last);
		for (int i = 0; i < count; i++)
			if (m[i].left_n && m[i].made >= 0)
				merge_add(v, &m[i]);
	}
}

int bpe_build(struct vocab *v, const struct gguf *g, struct err *e)
{
	const struct gguf_kv *kv;
	struct gguf_str *list = NULL;
	char *buf = NULL;
	uint32_t size = 64;
	int got = gguf_get_array(g, "tokenizer.ggml.merges", GGUF_STRING, &kv, e), ret = -1;

	if (got < 0)
		return -1;
	if (!got)
		return err_set(e, ERR_FORMAT, "tokenizer.ggml.merges is missing, which a \"gpt2\" tokenizer needs");
	if (kv->count >= KEY_NONE / 4)
		return err_set(e, ERR_LIMIT, "tokenizer.ggml.merges has %llu entries", (unsigned long long)kv->count);
	while (size < kv->count + kv->count / 2)
		size *= 2;
	v->pair_mask = size - 1;
	v->pairs = mem_array(size, sizeof *v->pairs);
	list = mem_array(kv->count + 1, sizeof *list);
	buf = mem_array(BATCH, 4 * (size_t)v->longest + 2);
	if (!v->pairs || !list || !buf) {
		err_set(e, ERR_NOMEM, "no memory for %llu merges", (unsigned long long)kv->count);
		goto out;
	}
	memset(v->pairs, 0xff, size * sizeof *v->pairs);
	if (gguf_strings(g, kv, list, e) < 0)
		goto out;
	read_merges(v, list, kv->count, buf);
	ret = 0;
out:
	mem_free(buf);
	mem_free(list);
	return ret;
}

/* -- a piece of text ---------------------------------------------------------------- */

static size_t bpe_parts(const struct vocab *v, const char *p, size_t n, struct sym *s)
{
	for (size_t i = 0; i < n; i++) {
		s[i].at = (uint32_t)i;
		s[i].len = 1;
		s[i].id = v->byte_id[(unsigned char)p[i]];
	}
	return n;
}

static void bpe_pair(const struct vocab *v, const char *text, struct sym *l, const struct sym *r)
{
	const struct pair *p = NULL;

	(void)text;
	if (l->id >= 0 && r->id >= 0)
		p = vocab_pair(v, l->id, r->id);
	l->key = p ? p->rank : KEY_NONE;
	l->made = p ? p->made : -1;
}

/* A byte that the vocabulary does not have is dropped, as its makers' tokenizers do. */
static int bpe_emit(struct work *w, const char *text, const struct sym *s)
{
	(void)text;
	return s->id < 0 ? 0 : work_add(w, s->id);
}

int bpe_encode(struct work *w, const char *p, size_t n)
{
	const struct vocab *v = w->v;
	int32_t whole = -1;

	if (n == 1)
		whole = v->byte_id[(unsigned char)*p];
	else if (v->ignore_merges && n <= v->longest)
		whole = vocab_look(v, p, n, true);
	if (whole >= 0)
		return work_add(w, whole);
	return merge_text(w, p, n, bpe_parts, bpe_pair, bpe_emit);
}
