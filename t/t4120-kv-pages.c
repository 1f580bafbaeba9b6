/*
 * The cache's pages by themselves: taken, shared, copied, given back below windows, and found
 * again by marks; every page is freed in the end, also when memory runs out at any point.
 */
#include "config.h"
#include "engine/base/xio.h"
#include "engine/model/kv.h"
#include "t/lib/tap.h"

#include <errno.h>
#include <string.h>

enum { LAYERS = 4, HEADS = 2, ROW = 16, CTX = 1024, WINDOW = 100, PAGE_BYTES = HEADS * 2 * KERN_PAGE * ROW };

static struct layer_config layers[LAYERS] = {
	{ .n_head_kv = HEADS }, { .n_head_kv = HEADS, .window = WINDOW },
	{ .n_head_kv = HEADS }, { .n_head_kv = HEADS, .window = WINDOW },
};
static const struct config windowed = { .n_layer = LAYERS, .head_dim = 8, .layer = layers };
static struct layer_config plain_layers[LAYERS] = {
	{ .n_head_kv = HEADS }, { .n_head_kv = HEADS }, { .n_head_kv = HEADS }, { .n_head_kv = HEADS },
};
static const struct config plain = { .n_layer = LAYERS, .head_dim = 8, .layer = plain_layers };

static struct kv cache(const struct config *c)
{
	struct kv kv;

	if (kv_init(&kv, c, KERN_KV_F16, ROW, CTX, NULL) < 0)
		tap_skip("no memory");
	return kv;
}

/* What position p of a layer and head holds, told by one byte of its key and one of its value. */
static unsigned char *cell(const struct kv *kv, int32_t l, int64_t p, int value)
{
	char *at = value ? kv_values(kv, l, p / KERN_PAGE, 1) : kv_keys(kv, l, p / KERN_PAGE, 1);

	return (unsigned char *)at + p % KERN_PAGE * ROW;
}

/* Positions from … to-1, as a step writes them: told apart by their session. */
static bool write_kv(struct kv *kv, int64_t from, int64_t to, int session)
{
	if (kv_reserve(kv, from, to, NULL) < 0)
		return false;
	for (int32_t l = 0; l < LAYERS; l++)
		for (int64_t p = from; p < to; p++) {
			*cell(kv, l, p, 0) = (unsigned char)(p * 7 + l + session * 31);
			*cell(kv, l, p, 1) = (unsigned char)(p * 5 + l + session * 17);
		}
	kv_slide(kv, to);
	return true;
}

/* All that position n sees is there, written by session a below `turn` and by b from there on. */
static bool reads(const struct kv *kv, int64_t n, int64_t turn, int a, int b)
{
	for (int32_t l = 0; l < LAYERS; l++) {
		const int64_t w = kv->cfg->layer[l].window;

		for (int64_t p = w && n >= w ? n - w + 1 : 0; p < n; p++) {
			const int s = p < turn ? a : b;

			if (!kv->page[l * kv->n_pages + p / KERN_PAGE] ||
			    *cell(kv, l, p, 0) != (unsigned char)(p * 7 + l + s * 31) ||
			    *cell(kv, l, p, 1) != (unsigned char)(p * 5 + l + s * 17))
				return false;
		}
	}
	return true;
}

static int held(const struct kv *kv, int32_t l)
{
	int n = 0;

	for (int64_t i = 0; i < kv->n_pages; i++)
		n += kv->page[l * kv->n_pages + i] != NULL;
	return n;
}

static uint64_t shared(const struct kv *kv)
{
	uint64_t s;

	kv_bytes(kv, &s);
	return s;
}

static void test_fork(void)
{
	struct kv a = cache(&plain), b;

	ok(kv_bytes(&a, NULL) == 0, "nothing is taken in advance");
	ok(write_kv(&a, 0, 1000, 1) && kv_bytes(&a, NULL) == LAYERS * 16 * PAGE_BYTES, "1000 positions take 16 pages a layer");
	ok(shared(&a) == 0, "which are nobody else's");
	ok(kv_fork(&b, &a, NULL) == 0 && shared(&a) == kv_bytes(&a, NULL) && kv_bytes(&b, NULL) == kv_bytes(&a, NULL),
	   "a fork shares them all");
	ok(write_kv(&b, 1000, 1001, 2) && kv_bytes(&b, NULL) - shared(&b) == LAYERS * PAGE_BYTES, "its first word takes a page a layer");
	ok(reads(&b, 1001, 1000, 1, 2) && reads(&a, 1000, 1000, 1, 1), "each reads what it wrote");
	ok(write_kv(&a, 1000, 1010, 1) && reads(&a, 1010, 1010, 1, 1) && reads(&b, 1001, 1000, 1, 2), "and goes on for itself");
	ok(kv_rewind(&b, 70) == 70 && write_kv(&b, 70, 200, 2) && reads(&b, 200, 70, 1, 2) && reads(&a, 1010, 1010, 1, 1),
	   "going back and writing anew leaves the other alone");
	kv_release(&a);
	ok(reads(&b, 200, 70, 1, 2) && shared(&b) == 0, "what is left belongs to who is left");
	kv_release(&b);
}

static void test_window(void)
{
	struct kv kv = cache(&windowed);
	bool seen = true;
	int most = 0;

	for (int64_t p = 0; p < 1000; p++) {
		seen = write_kv(&kv, p, p + 1, 1) && seen && reads(&kv, p + 1, CTX, 1, 1) && reads(&kv, p, CTX, 1, 1);
		most = held(&kv, 1) > most ? held(&kv, 1) : most;
	}
	ok(seen, "token by token: what the last and the next position see is there");
	ok(most == 3 && held(&kv, 0) == 16, "a window of %d never takes more than %d pages", WINDOW, most);
	ok(kv_rewind(&kv, 999) == 999 && reads(&kv, 999, CTX, 1, 1), "the last token can be taken back");
	ok(kv_rewind(&kv, 700) == 0 && kv_bytes(&kv, NULL) == 0, "without a mark going back is beginning anew");
	ok(write_kv(&kv, 0, 300, 1) && write_kv(&kv, 300, 900, 1) && reads(&kv, 900, CTX, 1, 1), "in large chunks");
	ok(kv_bytes(&kv, NULL) <= kv_need(&windowed, ROW, CTX, 600), "within what was told before");
	kv_release(&kv);
}

static void test_marks(void)
{
	struct kv kv = cache(&windowed), fork;

	for (int64_t p = 0; p < 900; p += 100) {
		write_kv(&kv, p, p + 100, 1);
		kv_mark(&kv, p + 100);
	}
	ok(kv.n_marks == KV_MARKS, "the last %d ends of turns are kept", KV_MARKS);
	ok(kv_bytes(&kv, NULL) <= kv_need(&windowed, ROW, CTX, 100), "within what was told before");
	ok(kv_fork(&fork, &kv, NULL) == 0 && shared(&fork) == kv_bytes(&fork, NULL), "a fork has them too");
	ok(kv_rewind(&kv, 730) == 700 && reads(&kv, 700, CTX, 1, 1) && kv.n_marks == 6, "730 of 900: from the mark at 700");
	ok(write_kv(&kv, 700, 760, 2) && reads(&kv, 760, 700, 1, 2) && reads(&fork, 900, CTX, 1, 1), "another text from there");
	ok(kv_rewind(&kv, 700) == 700 && reads(&kv, 700, CTX, 1, 1), "and back once more");
	ok(kv_rewind(&fork, 800) == 800 && reads(&fork, 800, CTX, 1, 1), "the fork goes its own way back");
	ok(kv_rewind(&kv, 230) == 200 && reads(&kv, 200, CTX, 1, 1), "to the oldest mark");
	ok(kv_rewind(&kv, 150) == 0 && kv_bytes(&kv, NULL) == 0, "below it there is only the beginning");
	kv_release(&kv);
	ok(kv_rewind(&fork, 500) == 500 && reads(&fork, 500, CTX, 1, 1), "which the fork still has");
	kv_release(&fork);
	kv = cache(&plain);
	write_kv(&kv, 0, 300, 1);
	kv_mark(&kv, 300);
	ok(!kv.n_marks && kv_rewind(&kv, 123) == 123 && reads(&kv, 123, CTX, 1, 1), "without windows there is nothing to mark");
	kv_release(&kv);
}

/* -- when memory runs out ---------------------------------------------------------------- */

static int fail_at(const char *op, void *arg)
{
	int *left = arg;

	return !strcmp(op, "malloc") && (*left)-- == 0 ? ENOMEM : 0;
}

static bool exhausted(int at)
{
	struct kv a = cache(&windowed), b = { 0 };
	int left = at;
	bool sound, done;

	write_kv(&a, 0, 300, 1);
	kv_mark(&a, 299);
	xio_set_fault(fail_at, &left);
	done = kv_fork(&b, &a, NULL) == 0;
	if (done && !kv_reserve(&b, 300, 420, NULL)) {
		xio_set_fault(NULL, NULL);
		write_kv(&b, 300, 420, 2);
		xio_set_fault(fail_at, &left);
		kv_mark(&b, 419);
	} else if (done) {
		kv_truncate(&b, 300);
		done = false;
	}
	xio_set_fault(NULL, NULL);
	sound = reads(&a, 300, CTX, 1, 1) && (!done || reads(&b, 420, 300, 1, 2)) &&
		(done || !b.page || reads(&b, 300, CTX, 1, 1));
	/* whoever is left goes on */
	sound = sound && write_kv(&a, 300, 500, 1) && reads(&a, 500, CTX, 1, 1);
	kv_release(&a);
	kv_release(&b);
	return sound && (left < 0 || done);
}

int main(void)
{
	bool sound = true;
	int at = 0;

	test_fork();
	test_window();
	test_marks();
	for (; at < 40; at++)
		sound = sound && exhausted(at);
	ok(sound, "each allocation failing in turn: nothing is lost, and everything goes on");
	return tap_done_min(26);
}
