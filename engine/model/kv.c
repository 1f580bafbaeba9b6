#include "config.h"
#include "engine/model/kv.h"
#include "engine/base/xio.h"

#include <inttypes.h>
#include <string.h>

struct kv_page {
	int refs;
	_Alignas(64) char data[];
};

/* The pages that position pos sees in the layers with a window. Immutable. */
struct kv_mark {
	int refs;
	int64_t pos;
	int64_t width;			/* most pages of a layer */
	struct kv_page *page[];		/* (n_layer, width), NULL in layers without a window */
};

static size_t page_bytes(const struct config *c, int64_t row, int32_t layer)
{
	return (size_t)c->layer[layer].n_head_kv * 2 * KERN_PAGE * (size_t)row;
}

static struct kv_page **slot_of(const struct kv *kv, int32_t layer, int64_t i)
{
	return &kv->page[layer * kv->n_pages + i];
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

static struct kv_page *share(struct kv_page *p)
{
	if (p)
		p->refs++;
	return p;
}

int kv_fork(struct kv *kv, const struct kv *from, struct err *e)
{
	if (kv_init(kv, from->cfg, from->type, from->row, from->n_ctx, e) < 0)
		return -1;
	for (int32_t l = 0; l < from->cfg->n_layer; l++)
		for (int64_t i = 0; i < from->top; i++)
			*slot_of(kv, l, i) = share(*slot_of(from, l, i));
	kv->top = from->top;
	for (; kv->n_marks < from->n_marks; kv->n_marks++) {
		kv->mark[kv->n_marks] = from->mark[kv->n_marks];
		kv->mark[kv->n_marks]->refs++;
	}
	return 0;
}

static void drop(struct kv_page **slot)
{
	struct kv_page *p = *slot;

	*slot = NULL;
	if (p && !--p->refs)
		mem_free(p);
}

/* The page in slot becomes ours alone: taken when absent, copied when shared. */
static int own(const struct kv *kv, int32_t layer, struct kv_page **slot, struct err *e)
{
	const size_t n = page_bytes(kv->cfg, kv->row, layer);
	struct kv_page *old = *slot, *p;

	if (old && old->refs == 1)
		return 0;
	p = mem_aligned(sizeof *p + n);
	if (!p)
		return err_set(e, ERR_NOMEM, "no memory for a page of the KV cache (%zu bytes; %" PRIu64
			       " MiB are in use): take a smaller context", n, kv_bytes(kv, NULL) >> 20);
	if (old)
		memcpy(p->data, old->data, n);
	else
		memset(p->data, 0, n);
	p->refs = 1;
	drop(slot);
	*slot = p;
	return 0;
}

int kv_reserve(struct kv *kv, int64_t from, int64_t to, struct err *e)
{
	for (int32_t l = 0; l < kv->cfg->n_layer; l++)
		for (int64_t i = from / KERN_PAGE; i * KERN_PAGE < to; i++)
			if (own(kv, l, slot_of(kv, l, i), e) < 0)
				return -1;
			else if (i >= kv->top)
				kv->top = i + 1;
	return 0;
}

static void truncate_layer(struct kv *kv, int32_t l, int64_t n)
{
	for (int64_t i = (n + KERN_PAGE - 1) / KERN_PAGE; i < kv->top; i++)
		drop(slot_of(kv, l, i));
}

void kv_truncate(struct kv *kv, int64_t n)
{
	for (int32_t l = 0; l < kv->cfg->n_layer; l++)
		truncate_layer(kv, l, n);
	n = (n + KERN_PAGE - 1) / KERN_PAGE;
	kv->top = n < kv->top ? n : kv->top;
}

/* -- windows ------------------------------------------------------------------------- */

/* Pages lo … hi-1 hold what position pos sees below itself in a layer. */
static void seen(const struct kv *kv, int32_t l, int64_t pos, int64_t *lo, int64_t *hi)
{
	const int64_t window = kv->cfg->layer[l].window, first = window && pos >= window ? pos - window + 1 : 0;

	*lo = first / KERN_PAGE;
	*hi = first < pos ? (pos - 1) / KERN_PAGE + 1 : *lo;
}

void kv_slide(struct kv *kv, int64_t n)
{
	for (int32_t l = 0; n > 0 && l < kv->cfg->n_layer; l++) {
		int64_t lo, hi;

		seen(kv, l, n - 1, &lo, &hi);
		/* pages are given back in order: below the first absent one none is left */
		while (lo > 0 && *slot_of(kv, l, lo - 1))
			drop(slot_of(kv, l, --lo));
	}
}

/* Where a mark keeps page i of a layer; NULL when it does not. */
static struct kv_page **mark_slot(const struct kv *kv, struct kv_mark *m, int32_t l, int64_t i)
{
	int64_t lo, hi;

	seen(kv, l, m->pos, &lo, &hi);
	return kv->cfg->layer[l].window && i >= lo && i < hi ? &m->page[l * m->width + i - lo] : NULL;
}

static void forget(struct kv *kv, struct kv_mark *m)
{
	if (--m->refs)
		return;
	for (int64_t k = 0; k < kv->cfg->n_layer * m->width; k++)
		drop(&m->page[k]);
	mem_free(m);
}

/* Is there all that position n sees? What is given back goes from below, so the lowest page tells. */
static bool holds(const struct kv *kv, int64_t n)
{
	for (int32_t l = 0; l < kv->cfg->n_layer; l++) {
		int64_t lo, hi;

		seen(kv, l, n, &lo, &hi);
		if (lo < hi && !*slot_of(kv, l, lo))
			return false;
	}
	return true;
}

/* Most pages that position n sees in a layer with a window; 0 when there is none. */
static int64_t width(const struct kv *kv, int64_t n)
{
	int64_t most = 0, lo, hi;

	for (int32_t l = 0; l < kv->cfg->n_layer; l++) {
		seen(kv, l, n, &lo, &hi);
		if (kv->cfg->layer[l].window && hi - lo > most)
			most = hi - lo;
	}
	return most;
}

void kv_mark(struct kv *kv, int64_t n)
{
	const int64_t wide = width(kv, n);
	struct kv_mark *m;

	if (!wide || !holds(kv, n) || (kv->n_marks && kv->mark[kv->n_marks - 1]->pos >= n))
		return;
	m = mem_calloc(1, sizeof *m + (size_t)(kv->cfg->n_layer * wide) * sizeof *m->page);
	if (!m)
		return;
	m->refs = 1;
	m->pos = n;
	m->width = wide;
	for (int32_t l = 0; l < kv->cfg->n_layer; l++)
		for (int64_t i = 0; i < kv->top; i++)
			if (mark_slot(kv, m, l, i))
				*mark_slot(kv, m, l, i) = share(*slot_of(kv, l, i));
	if (kv->n_marks == KV_MARKS) {
		forget(kv, kv->mark[0]);
		memmove(kv->mark, kv->mark + 1, (size_t)--kv->n_marks * sizeof *kv->mark);
	}
	kv->mark[kv->n_marks++] = m;
}

/* The windowed layers hold the mark's pages and no others. */
static void restore(struct kv *kv, struct kv_mark *m)
{
	for (int32_t l = 0; l < kv->cfg->n_layer; l++) {
		if (!kv->cfg->layer[l].window)
			continue;
		truncate_layer(kv, l, 0);
		for (int64_t i = 0; m && i * KERN_PAGE < m->pos; i++)
			if (mark_slot(kv, m, l, i))
				*slot_of(kv, l, i) = share(*mark_slot(kv, m, l, i));
	}
}

int64_t kv_rewind(struct kv *kv, int64_t n)
{
	while (kv->n_marks && kv->mark[kv->n_marks - 1]->pos > n)
		forget(kv, kv->mark[--kv->n_marks]);
	if (!holds(kv, n)) {
		struct kv_mark *m = kv->n_marks ? kv->mark[kv->n_marks - 1] : NULL;

		n = m ? m->pos : 0;
		restore(kv, m);
	}
	kv_truncate(kv, n);
	return n;
}

void kv_release(struct kv *kv)
{
	while (kv->n_marks)
		forget(kv, kv->mark[--kv->n_marks]);
	if (kv->page)
		kv_truncate(kv, 0);
	mem_free(kv->page);
	*kv = (struct kv){ 0 };
}

/* -- what it takes --------------------------------------------------------------------- */

/* The page of the table (which -1) or of a mark at a place; NULL when there is none. */
static const struct kv_page *page_at(const struct kv *kv, int which, int32_t l, int64_t i)
{
	struct kv_page **slot = which < 0 ? slot_of(kv, l, i) : mark_slot(kv, kv->mark[which], l, i);

	return slot ? *slot : NULL;
}

/* Is `which` the first to hold the page at a place? Does another cache hold it, by itself or by a mark of both? */
static bool first_holder(const struct kv *kv, int which, int32_t l, int64_t i, bool *shared)
{
	const struct kv_page *p = page_at(kv, which, l, i);
	bool first = true;
	int ours = 0;

	*shared = false;
	for (int j = -1; j < kv->n_marks; j++)
		if (page_at(kv, j, l, i) == p) {
			ours++;
			first = first && j >= which;
			*shared = *shared || (j >= 0 && kv->mark[j]->refs > 1);
		}
	*shared = *shared || p->refs > ours;
	return first;
}

uint64_t kv_bytes(const struct kv *kv, uint64_t *shared)
{
	uint64_t held = 0, also = 0;

	for (int32_t l = 0; l < kv->cfg->n_layer; l++)
		for (int64_t i = 0; i < kv->top; i++)
			for (int j = -1; j < kv->n_marks; j++) {
				bool others;

				if (!page_at(kv, j, l, i) || !first_holder(kv, j, l, i, &others))
					continue;
				held += page_bytes(kv->cfg, kv->row, l);
				also += others ? page_bytes(kv->cfg, kv->row, l) : 0;
			}
	if (shared)
		*shared = also;
	return held;
}

uint64_t kv_need(const struct config *cfg, int64_t row, int64_t n_ctx, int64_t ahead)
{
	const int64_t all = (n_ctx + KERN_PAGE - 1) / KERN_PAGE;
	uint64_t sum = 0;

	for (int32_t l = 0; l < cfg->n_layer; l++) {
		const int64_t w = cfg->layer[l].window;
		/* an unaligned run of k positions touches up to (k - 2) / 64 + 2 pages */
		const int64_t now = (w + ahead) / KERN_PAGE + 2, marked = KV_MARKS * (w / KERN_PAGE + 2);
		int64_t n = all;

		if (w && now + marked < all + KV_MARKS)
			n = now + marked;
		else if (w)
			n = all + KV_MARKS;
		sum += (uint64_t)n * page_bytes(cfg, row, l);
	}
	return sum;
}

void *kv_keys(const struct kv *kv, int32_t layer, int64_t i, int32_t head)
{
	return (*slot_of(kv, layer, i))->data + head * KERN_PAGE * kv->row;
}

void *kv_values(const struct kv *kv, int32_t layer, int64_t i, int32_t head)
{
	return kv_keys(kv, layer, i, kv->cfg->layer[layer].n_head_kv + head);
}
