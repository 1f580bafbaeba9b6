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

static void pair_add(struct vocab *v, int32_t left, int32_t right, int32_t made, uint32_t rank)
{
	uint32_t i = pair_hash(v, left, right) & v->pair_mask;

	for (; v->pairs[i].left >= 0; i = (i + 1) & v->pair_mask)
		if (v->pairs[i].left == left && v->pairs[i].right == right)
			return;		/* the first rank stands */
	v->pairs[i] = (struct pair){ left, right, made, rank };
}

/* A merge is "left right"; one that names no tokens of the vocabulary can never apply. */
static void merge_read(struct vocab *v, struct gguf_str s, uint32_t rank, char *buf)
{
	const char *space;
	size_t l, r;
	int32_t left, right, made;
	bool plain;

	if (s.n < 3 || s.n > 4 * (size_t)v->longest + 1)
		return;
	space = memchr(s.p + 1, ' ', s.n - 1);
	if (!space)
		return;
	l = bpe_decode(buf, s.p, (size_t)(space - s.p), &plain);
	r = bpe_decode(buf + l, space + 1, s.n - (size_t)(space - s.p) - 1, &plain);
	left = vocab_look(v, buf, l, true);
	right = left < 0 ? -1 : vocab_look(v, buf + l, r, true);
	made = right < 0 ? -1 : vocab_look(v, buf, l + r, true);
	if (made >= 0)
		pair_add(v, left, right, made, rank);
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
	buf = mem_alloc(4 * (size_t)v->longest + 2);
	if (!v->pairs || !list || !buf) {
		err_set(e, ERR_NOMEM, "no memory for %llu merges", (unsigned long long)kv->count);
		goto out;
	}
	memset(v->pairs, 0xff, size * sizeof *v->pairs);
	if (gguf_strings(g, kv, list, e) < 0)
		goto out;
	for (uint64_t i = 0; i < kv->count; i++)
		merge_read(v, list[i], (uint32_t)i, buf);
	ret = 0;
out:
	mem_free(buf);
	mem_free(list);
	return ret;
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
	if (work_syms(w, n) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		w->sym[i].at = (uint32_t)i;
		w->sym[i].len = 1;
		w->sym[i].id = v->byte_id[(unsigned char)p[i]];
	}
	if (merge_all(w, p, n, bpe_pair) < 0)
		return -1;
	for (int32_t i = 0; i >= 0; i = w->sym[i].next)
		if (w->sym[i].id >= 0 && work_add(w, w->sym[i].id) < 0)
			return -1;
	return 0;
}
