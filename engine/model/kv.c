#include "config.h"
#include "engine/model/kv.h"
#include "engine/base/xio.h"

#include <inttypes.h>
#include <string.h>

struct kv_page {
	int refs;
	_Alignas(64) char data[];
};

static size_t page_bytes(const struct kv *kv, int32_t layer)
{
	return (size_t)kv->cfg->layer[layer].n_head_kv * 2 * KERN_PAGE * (size_t)kv->row;
}

int kv_init(struct kv *kv, const struct config *cfg, enum kern_kv type, int64_t row, int64_t n_ctx, struct err *e)
{
	*kv = (struct kv){ .cfg = cfg, .type = type, .row = row, .n_ctx = n_ctx,
			   .n_pages = (n_ctx + KERN_PAGE - 1) / KERN_PAGE };
	kv->page = mem_calloc((size_t)cfg->n_layer * (size_t)kv->n_pages, sizeof *kv->page);
	if (!kv->page)
		return err_set(e, ERR_NOMEM, "no memory for the page table of a context of %" PRId64, n_ctx);
	return 0;
}

static void drop(struct kv *kv, int32_t layer, struct kv_page **slot)
{
	struct kv_page *p = *slot;

	if (!p)
		return;
	*slot = NULL;
	kv->used -= page_bytes(kv, layer);
	if (!--p->refs)
		mem_free(p);
}

void kv_release(struct kv *kv)
{
	if (kv->page)
		kv_truncate(kv, 0);
	mem_free(kv->page);
	*kv = (struct kv){ 0 };
}

/* The page in slot becomes ours alone: taken when absent, copied when shared. */
static int own(struct kv *kv, int32_t layer, struct kv_page **slot, struct err *e)
{
	const size_t n = page_bytes(kv, layer);
	struct kv_page *old = *slot, *p;

	if (old && old->refs == 1)
		return 0;
	p = mem_aligned(sizeof *p + n);
	if (!p)
		return err_set(e, ERR_NOMEM, "no memory for a page of the KV cache (%zu bytes; %" PRIu64
			       " MiB are in use): take a smaller context", n, kv->used >> 20);
	if (old)
		memcpy(p->data, old->data, n);
	else
		memset(p->data, 0, n);
	p->refs = 1;
	drop(kv, layer, slot);
	*slot = p;
	kv->used += n;
	return 0;
}

int kv_reserve(struct kv *kv, int64_t from, int64_t to, struct err *e)
{
	for (int32_t l = 0; l < kv->cfg->n_layer; l++)
		for (int64_t i = from / KERN_PAGE; i * KERN_PAGE < to; i++)
			if (own(kv, l, &kv->page[l * kv->n_pages + i], e) < 0)
				return -1;
	return 0;
}

void kv_truncate(struct kv *kv, int64_t n)
{
	for (int32_t l = 0; l < kv->cfg->n_layer; l++)
		for (int64_t i = (n + KERN_PAGE - 1) / KERN_PAGE; i < kv->n_pages; i++)
			drop(kv, l, &kv->page[l * kv->n_pages + i]);
}

uint64_t kv_full_bytes(const struct kv *kv)
{
	uint64_t n = 0;

	for (int32_t l = 0; l < kv->cfg->n_layer; l++)
		n += page_bytes(kv, l) * (uint64_t)kv->n_pages;
	return n;
}

void *kv_keys(const struct kv *kv, int32_t layer, int64_t i, int32_t head)
{
	return kv->page[layer * kv->n_pages + i]->data + head * KERN_PAGE * kv->row;
}

void *kv_values(const struct kv *kv, int32_t layer, int64_t i, int32_t head)
{
	return kv_keys(kv, layer, i, kv->cfg->layer[layer].n_head_kv + head);
}
