/*
 * Merging neighbours, best first, leftmost on ties: what byte-level BPE and SentencePiece
 * have in common. A short piece is scanned for its best pair again and again; a long one
 * keeps its pairs in a heap. O(n log n).
 *
 * Inline, so that the question "what do these two make?" is too.
 */
#ifndef ENGINE_TEXT_MERGE_H
#define ENGINE_TEXT_MERGE_H

#include "engine/base/xio.h"
#include "engine/text/vocab_impl.h"

/* Sets l->key and l->made for l followed by r. */
typedef void merge_pair_fn(const struct vocab *v, const char *text, struct sym *l, const struct sym *r);

enum { MERGE_SHORT = 24 };

static inline void heap_down(uint64_t *h, size_t n, size_t i)
{
	uint64_t x = h[i];

	for (;;) {
		size_t c = 2 * i + 1;

		if (c >= n)
			break;
		if (c + 1 < n && h[c + 1] < h[c])
			c++;
		if (x <= h[c])
			break;
		h[i] = h[c];
		i = c;
	}
	h[i] = x;
}

static inline uint64_t heap_pop(struct work *w)
{
	uint64_t top = w->heap[0];

	w->heap[0] = w->heap[--w->heap_n];
	if (w->heap_n)
		heap_down(w->heap, w->heap_n, 0);
	return top;
}

static inline void heap_push(struct work *w, uint64_t x)
{
	size_t i = w->heap_n++;

	while (i > 0 && w->heap[(i - 1) / 2] > x) {
		w->heap[i] = w->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	w->heap[i] = x;
}

/* Joins i with the one after it and asks again on both sides. Returns the index before i, or -1. */
static inline int32_t merge_join(struct work *w, const char *text, int32_t i, merge_pair_fn *pair)
{
	struct sym *s = w->sym, *l = &s[i], *r = &s[l->next];

	l->id = l->made;
	l->len += r->len;
	l->next = r->next;
	r->key = KEY_NONE;
	l->key = KEY_NONE;
	if (l->next >= 0) {
		s[l->next].prev = i;
		pair(w->v, text, l, &s[l->next]);
	}
	if (l->prev >= 0)
		pair(w->v, text, &s[l->prev], l);
	return l->prev;
}

static inline void merge_short(struct work *w, const char *text, merge_pair_fn *pair)
{
	struct sym *s = w->sym;

	for (;;) {
		int32_t best = -1;
		uint32_t key = KEY_NONE;

		for (int32_t i = 0; i >= 0; i = s[i].next) {
			if (s[i].key < key) {
				key = s[i].key;
				best = i;
			}
		}
		if (best < 0)
			return;
		merge_join(w, text, best, pair);
	}
}

/* A pair whose key changed since it was pushed is stale: it was pushed again, or is no more. */
static inline int merge_long(struct work *w, const char *text, size_t n, merge_pair_fn *pair)
{
	struct sym *s = w->sym;
	size_t want = n * 2 + 2;	/* a join takes two off and puts two on, at most */

	if (w->heap_size < want) {
		uint64_t *h = mem_rearray(w->heap, want, sizeof *h);

		if (!h)
			return err_set(w->e, ERR_NOMEM, "tokenizing: no memory for %zu pairs", want);
		w->heap = h;
		w->heap_size = want;
	}
	w->heap_n = 0;
	for (size_t i = 0; i < n; i++)
		if (s[i].key != KEY_NONE)
			w->heap[w->heap_n++] = (uint64_t)s[i].key << 32 | i;
	for (size_t i = w->heap_n / 2; i-- > 0;)
		heap_down(w->heap, w->heap_n, i);
	while (w->heap_n) {
		uint64_t x = heap_pop(w);
		int32_t i = (int32_t)(uint32_t)x, before;

		if (s[i].key != (uint32_t)(x >> 32))
			continue;
		before = merge_join(w, text, i, pair);
		if (s[i].key != KEY_NONE)
			heap_push(w, (uint64_t)s[i].key << 32 | (uint32_t)i);
		if (before >= 0 && s[before].key != KEY_NONE)
			heap_push(w, (uint64_t)s[before].key << 32 | (uint32_t)before);
	}
	return 0;
}

/* w->sym[0 … n-1] hold id, at and len; afterwards the chain from 0 by next is what is left. */
static inline int merge_all(struct work *w, const char *text, size_t n, merge_pair_fn *pair)
{
	struct sym *s = w->sym;

	for (size_t i = 0; i < n; i++) {
		s[i].prev = (int32_t)i - 1;
		s[i].next = i + 1 < n ? (int32_t)i + 1 : -1;
		s[i].key = KEY_NONE;
		if (i + 1 < n)
			pair(w->v, text, &s[i], &s[i + 1]);
	}
	if (n > MERGE_SHORT)
		return merge_long(w, text, n, pair);
	merge_short(w, text, pair);
	return 0;
}

#endif
