/*
 * Merging neighbours, best first, leftmost on ties: what byte-level BPE and SentencePiece
 * have in common. A short piece is scanned for its best pair again and again; a longer one
 * keeps its pairs in a heap, O(n log n).
 *
 * A very long piece (a megabyte of blanks, a text without any) is merged in windows that
 * stay in cache, by this rule: a row of tokens is what merging the whole makes exactly if
 * every two neighbours in it are what merging the bytes of these two makes. (Merges to the
 * left and right of a token's edge only change when something happens, not in which
 * order on either side; so an edge that is crossed in the whole is crossed in the two.)
 * Inside a window that holds by itself, and where two windows meet it is tried.
 *
 * Inline, so that the question "what do these two make?" is too.
 */
#ifndef ENGINE_TEXT_MERGE_H
#define ENGINE_TEXT_MERGE_H

#include "engine/base/xio.h"
#include "engine/text/vocab_impl.h"

/* Fills s[] with the smallest parts of [p, p+n) (at, len, id); returns how many. At most n. */
typedef size_t merge_parts_fn(const struct vocab *v, const char *p, size_t n, struct sym *s);
/* Sets l->key and l->made for l followed by r; the text is what parts were made from. */
typedef void merge_pair_fn(const struct vocab *v, const char *text, struct sym *l, const struct sym *r);
/* A finished part becomes ids. */
typedef int merge_emit_fn(struct work *w, const char *text, const struct sym *s);

enum {
	MERGE_SHORT = 24,	/* parts */
	MERGE_WINDOW = 4096,	/* bytes */
};

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
static inline int32_t merge_join(const struct vocab *v, const char *text, struct sym *s, int32_t i, merge_pair_fn *pair)
{
	struct sym *l = &s[i], *r = &s[l->next];

	l->id = l->made;
	l->len += r->len;
	l->next = r->next;
	r->key = KEY_NONE;
	l->key = KEY_NONE;
	if (l->next >= 0) {
		s[l->next].prev = i;
		pair(v, text, l, &s[l->next]);
	}
	if (l->prev >= 0)
		pair(v, text, &s[l->prev], l);
	return l->prev;
}

static inline void merge_short(const struct vocab *v, const char *text, struct sym *s, merge_pair_fn *pair)
{
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
		merge_join(v, text, s, best, pair);
	}
}

/* A pair whose key changed since it was pushed is stale: it was pushed again, or is no more. */
static inline int merge_long(struct work *w, const char *text, struct sym *s, size_t n, merge_pair_fn *pair)
{
	if (work_heap(w, 2 * n) < 0)	/* a join takes one off and puts two on */
		return -1;
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
		before = merge_join(w->v, text, s, i, pair);
		if (s[i].key != KEY_NONE)
			heap_push(w, (uint64_t)s[i].key << 32 | (uint32_t)i);
		if (before >= 0 && s[before].key != KEY_NONE)
			heap_push(w, (uint64_t)s[before].key << 32 | (uint32_t)before);
	}
	return 0;
}

/* Afterwards the chain from s[0] by next is what is left of the text's parts. */
static inline int merge_all(struct work *w, const char *text, size_t n, struct sym *s,
			    merge_parts_fn *parts, merge_pair_fn *pair)
{
	size_t count = parts(w->v, text, n, s);

	for (size_t i = 0; i < count; i++) {
		s[i].prev = (int32_t)i - 1;
		s[i].next = i + 1 < count ? (int32_t)i + 1 : -1;
		s[i].key = KEY_NONE;
		if (i + 1 < count)
			pair(w->v, text, &s[i], &s[i + 1]);
	}
	if (count > MERGE_SHORT)
		return merge_long(w, text, s, count, pair);
	merge_short(w->v, text, s, pair);
	return 0;
}

/* Does merging these bytes leave two parts that meet at `edge`? 1, 0, or -1. */
static inline int merge_meets(struct work *w, const char *text, size_t n, size_t edge, struct sym *s,
			      merge_parts_fn *parts, merge_pair_fn *pair)
{
	if (merge_all(w, text, n, s, parts, pair) < 0)
		return -1;
	return s[0].len == edge && s[s[0].next].next < 0;
}

/*
 * Windows of `size` bytes; what lies near the end of one waits for the next. 1 when all is
 * emitted, 0 when two windows did not fit, -1 an error.
 */
static inline int merge_windows(struct work *w, const char *p, size_t n, size_t size, merge_parts_fn *parts,
				merge_pair_fn *pair, merge_emit_fn *emit)
{
	size_t at = 0, last = 0;	/* last: bytes of the part before `at` */

	while (at < n) {
		size_t len = size < n - at ? size : n - at, keep;
		struct sym *s;
		int32_t i = 0;
		int fits;

		while (at + len < n && len > 1 && (p[at + len] & 0xc0) == 0x80)
			len--;		/* not inside a character */
		keep = at + len == n ? len : len - len / 8;
		if (work_syms(w, len + 2 * (size_t)w->v->longest + 8) < 0)
			return -1;
		s = w->sym;
		if (merge_all(w, p + at, len, s, parts, pair) < 0)
			return -1;
		if (s[0].len > keep)
			return 0;
		if (last) {
			fits = merge_meets(w, p + at - last, last + s[0].len, last, s + len, parts, pair);
			if (fits <= 0)
				return fits;
		}
		for (size_t end = 0; i >= 0 && end + s[i].len <= keep; i = s[i].next) {
			if (emit(w, p + at, &s[i]) < 0)
				return -1;
			last = s[i].len;
			end += last;
		}
		at += i < 0 ? len : s[i].at;
	}
	return 1;
}

/* A piece of text → ids. */
static inline int merge_text(struct work *w, const char *p, size_t n, merge_parts_fn *parts, merge_pair_fn *pair,
			     merge_emit_fn *emit)
{
	size_t before = w->out->n;

	for (size_t size = MERGE_WINDOW;; size *= 2) {
		int done = merge_windows(w, p, n, size, parts, pair, emit);

		if (done)
			return done < 0 ? -1 : 0;
		w->out->n = before;
	}
}

#endif
