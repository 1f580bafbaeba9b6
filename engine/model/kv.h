/*
 * The KV cache: per layer a table of pages, each of KERN_PAGE positions aligned to absolute
 * positions. Pages have counted references and are copied when a shared one is written,
 * so that a fork costs no copy. A page holds, for every KV head,
 *
 *	keys   (n_head_kv, KERN_PAGE, head_dim)
 *	values (n_head_kv, KERN_PAGE, head_dim)
 *
 * in the cache's type. Memory is taken page by page; layers with a window give back the
 * pages that no later position sees. What such a layer has given back is gone: marks hold
 * the window's pages of some positions, so that going back to one of those costs nothing.
 *
 * All caches of a model belong to one thread at a time, since they share pages.
 */
#ifndef ENGINE_MODEL_KV_H
#define ENGINE_MODEL_KV_H

#include "engine/kernels/kern.h"
#include "engine/model/config.h"

enum { KV_MARKS = 8 };			/* two a turn: the last four turns can be gone back to */

struct kv_page;
struct kv_mark;

struct kv {
	const struct config *cfg;
	enum kern_kv type;
	int64_t row;			/* bytes of a head's key or value: kern_kv_row() */
	int64_t n_ctx;
	int64_t n_pages;		/* entries of each table */
	int64_t top;			/* entries from here on are NULL in every layer */
	struct kv_page **page;		/* (n_layer, n_pages), NULL where not taken or given back */
	struct kv_mark *mark[KV_MARKS];	/* in ascending positions */
	int n_marks;
};

int kv_init(struct kv *kv, const struct config *cfg, enum kern_kv type, int64_t row, int64_t n_ctx, struct err *e);
/* A cache that holds what `from` holds: no page is copied before one of them is written. */
int kv_fork(struct kv *kv, const struct kv *from, struct err *e);
void kv_release(struct kv *kv);
/* Makes the pages of positions from … to-1 exist and be ours alone. On failure nothing is lost. */
int kv_reserve(struct kv *kv, int64_t from, int64_t to, struct err *e);
/* Gives back the pages that hold no position below n. */
void kv_truncate(struct kv *kv, int64_t n);

/* n positions are held: gives back the pages that neither position n-1 nor any later one sees. */
void kv_slide(struct kv *kv, int64_t n);
/*
 * Keeps what position n sees, so that kv_rewind() finds it. The oldest mark goes when there
 * are too many. Without windows, and without memory, it does nothing.
 */
void kv_mark(struct kv *kv, int64_t n);
/*
 * Goes back to n positions, or to the nearest below from which the cache can go on: a mark,
 * or none at all. Returns which.
 */
int64_t kv_rewind(struct kv *kv, int64_t n);

/* Bytes of the pages that this cache holds, marks included; *shared: of those, what another cache holds too. */
uint64_t kv_bytes(const struct kv *kv, uint64_t *shared);
/* What a context of n_ctx takes at most, marks included, when up to `ahead` positions are computed together. */
uint64_t kv_need(const struct config *cfg, int64_t row, int64_t n_ctx, int64_t ahead);

/* Keys and values of a KV head in page `i` of a layer: KERN_PAGE of them, kv->row bytes apart. */
void *kv_keys(const struct kv *kv, int32_t layer, int64_t i, int32_t head);
void *kv_values(const struct kv *kv, int32_t layer, int64_t i, int32_t head);

#endif
