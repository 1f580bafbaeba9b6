/*
 * The KV cache: per layer a table of pages, each of KERN_PAGE positions aligned to absolute
 * positions. Pages have counted references and are copied when a shared one is written,
 * so that a fork costs no copy. A page holds, for every KV head,
 *
 *	keys   (n_head_kv, KERN_PAGE, head_dim)
 *	values (n_head_kv, KERN_PAGE, head_dim)
 *
 * in the cache's type. Memory is taken page by page.
 */
#ifndef ENGINE_MODEL_KV_H
#define ENGINE_MODEL_KV_H

#include "engine/kernels/kern.h"
#include "engine/model/config.h"

struct kv_page;

struct kv {
	const struct config *cfg;
	enum kern_kv type;
	int64_t row;			/* bytes of a head's key or value: kern_kv_row() */
	int64_t n_ctx;
	int64_t n_pages;		/* entries of each table */
	struct kv_page **page;		/* (n_layer, n_pages), NULL where not taken */
	uint64_t used;			/* bytes of pages this cache holds */
};

int kv_init(struct kv *kv, const struct config *cfg, enum kern_kv type, int64_t row, int64_t n_ctx, struct err *e);
void kv_release(struct kv *kv);
/* Makes the pages of positions from … to-1 exist and be ours alone. On failure nothing is lost. */
int kv_reserve(struct kv *kv, int64_t from, int64_t to, struct err *e);
/* Gives back the pages that hold no position below n. */
void kv_truncate(struct kv *kv, int64_t n);
/* What the whole context takes, bytes. */
uint64_t kv_full_bytes(const struct kv *kv);

/* Keys and values of a KV head in page `i` of a layer: KERN_PAGE of them, kv->row bytes apart. */
void *kv_keys(const struct kv *kv, int32_t layer, int64_t i, int32_t head);
void *kv_values(const struct kv *kv, int32_t layer, int64_t i, int32_t head);

#endif
