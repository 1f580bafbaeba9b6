/*
 * Memory and strings of a rendering: the arena, buffers with runs of authorship, and
 * UTF-8 as Python's str sees it. Knows nothing of the language.
 */
#include "config.h"
#include "engine/base/xio.h"
#include "engine/text/jinja.h"
#include "engine/text/jinja_val.h"

#include <stdio.h>
#include <string.h>
#include <unistr.h>
#include <unictype.h>

enum { CHUNK = 16 << 10, BIG = 2048, ALIGN = 16 };

struct jchunk { struct jchunk *next; size_t size; };

void jheap_init(struct jheap *h, size_t cap)
{
	*h = (struct jheap){ .cap = cap };
}

void jheap_release(struct jheap *h)
{
	for (struct jbuf *b = h->big; b; b = b->next)
		mem_free(b->p);		/* the jbuf itself lies in a chunk */
	for (struct jchunk *c = h->chunks, *next; c; c = next) {
		next = c->next;
		mem_free(c);
	}
	jheap_init(h, h->cap);
}

bool jheap_step(struct jheap *h, size_t n)
{
	if (h->failed)
		return false;
	if (n > JINJA_MAX_STEPS - h->steps) {
		h->failed = JFAIL_STEPS;
		return false;
	}
	h->steps += (uint32_t)n;
	return true;
}

bool jheap_scan(struct jheap *h, size_t n)
{
	return jheap_step(h, n / 64);
}

bool jheap_walk(struct jheap *h, size_t n)
{
	return jheap_step(h, n / 16);
}

static bool charge(struct jheap *h, size_t n)
{
	if (h->failed)
		return false;
	if (n > h->cap - h->used) {
		h->failed = JFAIL_MEMORY;
		return false;
	}
	h->used += n;
	return true;
}

static bool new_chunk(struct jheap *h, size_t need)
{
	const size_t head = (sizeof(struct jchunk) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	const size_t size = head + (need > CHUNK ? need : CHUNK);
	struct jchunk *c;

	if (!charge(h, size))
		return false;
	c = mem_alloc(size);
	if (!c) {
		h->failed = JFAIL_NOMEM;
		return false;
	}
	*c = (struct jchunk){ .next = h->chunks, .size = size };
	h->chunks = c;
	h->at = (char *)c + head;
	h->end = (char *)c + size;
	return true;
}

void *jheap_alloc(struct jheap *h, size_t n)
{
	void *p;

	if (h->failed || n > h->cap) {
		h->failed = h->failed ? h->failed : JFAIL_MEMORY;
		return NULL;
	}
	n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if ((size_t)(h->end - h->at) < n && !new_chunk(h, n))
		return NULL;
	p = h->at;
	h->at += n;
	return memset(p, 0, n);
}

void *jheap_array(struct jheap *h, size_t n, size_t size)
{
	if (size && n > h->cap / size) {
		h->failed = h->failed ? h->failed : JFAIL_MEMORY;
		return NULL;
	}
	return jheap_alloc(h, n * size);
}

void *jheap_more(struct jheap *h, void *p, size_t n, uint32_t *room, size_t size)
{
	const size_t want = *room ? (size_t)*room * 2 : 4;
	void *q;

	if (n < *room)
		return p;
	q = jheap_array(h, want, size);
	if (!q)
		return NULL;
	if (n)
		memcpy(q, p, n * size);
	*room = (uint32_t)want;
	return q;
}

/* -- buffers ----------------------------------------------------------------------- */

struct jbuf *jbuf_new(struct jheap *h, size_t reserve)
{
	struct jbuf *b = jheap_alloc(h, sizeof *b);

	if (!b)
		return NULL;
	b->spans = &b->one;
	b->room = 1;
	if (reserve && reserve < BIG) {
		b->p = jheap_alloc(h, reserve);
		b->size = b->p ? (uint32_t)((reserve + ALIGN - 1) & ~(size_t)(ALIGN - 1)) : 0;
	}
	return b;
}

struct jbuf *jbuf_static(struct jheap *h, const char *p, size_t n)
{
	struct jbuf *b = jbuf_new(h, 0);

	if (!b)
		return NULL;
	b->p = (char *)(uintptr_t)p;
	b->len = (uint32_t)n;
	b->one = (struct jspan){ .end = (uint32_t)n, .tag = JTAG_TEMPLATE };
	b->n_spans = n != 0;
	return b;
}

static bool grow(struct jheap *h, struct jbuf *b, size_t need)
{
	size_t want;
	char *p;

	if (need <= b->size)
		return true;
	if (need > JINJA_MAX_OUTPUT) {
		h->failed = h->failed ? h->failed : JFAIL_OUTPUT;
		return false;
	}
	if (need < BIG / 2) {
		want = need * 2 < 32 ? 32 : need * 2;
		p = jheap_alloc(h, want);
		if (p && b->len)
			memcpy(p, b->p, b->len);
	} else {
		want = need + need / 4;
		if (!charge(h, want - (b->big ? b->size : 0)))
			return false;
		p = mem_realloc(b->big ? b->p : NULL, want);
		if (!p) {
			h->failed = JFAIL_NOMEM;
			return false;
		}
		if (!b->big) {
			if (b->len)
				memcpy(p, b->p, b->len);
			b->big = true;
			b->next = h->big;
			h->big = b;
		}
	}
	if (!p)
		return false;
	b->p = p;
	b->size = (uint32_t)want;
	return true;
}

static void add_span(struct jheap *h, struct jbuf *b, size_t n, uint32_t tag)
{
	struct jspan *s;

	if (b->n_spans && b->spans[b->n_spans - 1].tag == tag) {
		b->spans[b->n_spans - 1].end += (uint32_t)n;
		return;
	}
	s = jheap_more(h, b->spans, b->n_spans, &b->room, sizeof *s);
	if (!s)
		return;
	b->spans = s;
	s[b->n_spans++] = (struct jspan){ .end = b->len + (uint32_t)n, .tag = tag };
}

void jbuf_add(struct jheap *h, struct jbuf *b, const char *p, size_t n, uint32_t tag)
{
	if (!n || !b || h->failed || !grow(h, b, (size_t)b->len + n))
		return;
	add_span(h, b, n, tag);
	if (h->failed)
		return;
	memcpy(b->p + b->len, p, n);
	b->len += (uint32_t)n;
}

void jbuf_adds(struct jheap *h, struct jbuf *b, const char *z, uint32_t tag)
{
	jbuf_add(h, b, z, strlen(z), tag);
}

void jbuf_addf(struct jheap *h, struct jbuf *b, uint32_t tag, const char *fmt, ...)
{
	char tmp[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(tmp, sizeof tmp, fmt, ap);
	va_end(ap);
	if (n > 0)
		jbuf_add(h, b, tmp, (size_t)n < sizeof tmp ? (size_t)n : sizeof tmp - 1, tag);
}

void jbuf_add_utf8(struct jheap *h, struct jbuf *b, uint32_t cp, uint32_t tag)
{
	uint8_t u[6];
	int n = u8_uctomb(u, cp, sizeof u);

	if (n <= 0)
		n = u8_uctomb(u, 0xfffd, sizeof u);
	jbuf_add(h, b, (const char *)u, (size_t)n, tag);
}

/* First run of b that reaches beyond `at`. */
static uint32_t span_at(const struct jbuf *b, size_t at)
{
	uint32_t lo = 0, hi = b->n_spans;

	while (lo < hi) {
		const uint32_t mid = lo + (hi - lo) / 2;

		if (b->spans[mid].end > at)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

void jstr_runs(const struct jv *s, jspan_fn *fn, void *arg)
{
	const struct jbuf *b = s->u.buf;
	size_t at = s->off;
	const size_t end = at + s->len;

	for (uint32_t i = span_at(b, at); at < end && i < b->n_spans; i++) {
		const size_t to = b->spans[i].end < end ? b->spans[i].end : end;

		fn(arg, b->p + at, to - at, b->spans[i].tag);
		at = to;
	}
}

void jbuf_add_str(struct jheap *h, struct jbuf *b, struct jv s)
{
	const struct jbuf *from = s.u.buf;
	size_t at = s.off;
	const size_t end = at + s.len;

	/* from may be b itself: its bytes may move and its runs grow while we copy */
	if (!b || !s.len || !grow(h, b, (size_t)b->len + s.len))
		return;
	for (uint32_t i = span_at(from, at); at < end && i < from->n_spans && !h->failed; i++) {
		const struct jspan sp = from->spans[i];
		const size_t to = sp.end < end ? sp.end : end;

		jbuf_add(h, b, from->p + at, to - at, sp.tag);
		at = to;
	}
}

struct jv jbuf_value(struct jbuf *b)
{
	static char empty[1];
	static struct jbuf none = { .p = empty };

	if (!b)
		b = &none;
	return (struct jv){ .type = J_STR, .u.buf = b, .len = b->len };
}

struct jv jstr(struct jheap *h, const char *p, size_t n, uint32_t tag)
{
	struct jbuf *b = jbuf_new(h, n);

	jbuf_add(h, b, p, n, tag);
	return jbuf_value(b);
}

struct jv jstr_z(struct jheap *h, const char *z)
{
	return jstr(h, z, strlen(z), JTAG_TEMPLATE);
}

const char *jstr_p(const struct jv *s)
{
	return s->len ? s->u.buf->p + s->off : "";
}

struct jv jstr_sub(struct jv s, size_t off, size_t len)
{
	s.off += (uint32_t)off;
	s.len = (uint32_t)len;
	return s;
}

struct jv jstr_cat(struct jheap *h, struct jv l, struct jv r)
{
	struct jbuf *b = l.u.buf;

	if (!r.len)
		return l;
	if (!l.len)
		return r;
	if (b->size && l.off + l.len == b->len) {
		jbuf_add_str(h, b, r);
		l.len += r.len;
		l.safe = false;
		if (h->failed)
			return jbuf_value(NULL);
		return l;
	}
	b = jbuf_new(h, (size_t)l.len + r.len);
	jbuf_add_str(h, b, l);
	jbuf_add_str(h, b, r);
	return jbuf_value(b);
}

uint32_t jstr_tag(const struct jv *s, size_t at)
{
	const struct jbuf *b = s->u.buf;
	const uint32_t i = span_at(b, s->off + at);

	return i < b->n_spans ? b->spans[i].tag : JTAG_TEMPLATE;
}

static void any_run(void *arg, const char *p, size_t n, uint32_t tag)
{
	(void)p;
	(void)n;
	if (tag != JTAG_TEMPLATE)
		*(uint32_t *)arg = JTAG_USER;
}

uint32_t jstr_any(const struct jv *s)
{
	uint32_t tag = JTAG_TEMPLATE;

	jstr_runs(s, any_run, &tag);
	return tag;
}

bool jstr_is(const struct jv *s, const char *z)
{
	const size_t n = strlen(z);

	return s->type == J_STR && s->len == n && !memcmp(jstr_p(s), z, n);
}

size_t jstr_chars(const struct jv *s)
{
	return ju_chars(jstr_p(s), s->len);
}

/* -- UTF-8 ------------------------------------------------------------------------- */

/* Well-formed sequences by their first byte: Unicode, table 3-7. */
static size_t decode(const unsigned char *p, size_t n, uint32_t *cp)
{
	const unsigned c = p[0];

	if (c < 0xc2 || c > 0xf4)
		return 0;
	if (n < 2 || (p[1] & 0xc0) != 0x80)
		return 0;
	*cp = (c & 0x1f) << 6 | (p[1] & 0x3fu);
	if (c < 0xe0)
		return 2;
	if (n < 3 || (p[2] & 0xc0) != 0x80)
		return 0;
	*cp = (c & 0x0f) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
	if (c < 0xf0)
		return *cp >= 0x800 && (*cp < 0xd800 || *cp > 0xdfff) ? 3 : 0;
	if (n < 4 || (p[3] & 0xc0) != 0x80)
		return 0;
	*cp = (c & 0x07) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
	return *cp >= 0x10000 && *cp <= 0x10ffff ? 4 : 0;
}

size_t ju_next(const char *p, size_t n, uint32_t *cp)
{
	uint32_t c = (unsigned char)*p;
	size_t k = 1;

	if (c & 0x80) {
		k = decode((const unsigned char *)p, n, &c);
		if (!k) {
			c = 0xfffd;
			k = 1;
		}
	}
	if (cp)
		*cp = c;
	return k;
}

size_t ju_prev(const char *p, size_t n, uint32_t *cp)
{
	size_t k = 1;

	while (k < 4 && k < n && (p[n - k] & 0xc0) == 0x80)
		k++;
	if (ju_next(p + n - k, k, cp) == k)
		return k;
	if (cp)
		*cp = 0xfffd;
	return 1;
}

static bool eight_ascii(const char *p)
{
	uint64_t u;

	memcpy(&u, p, sizeof u);
	return !(u & 0x8080808080808080u);
}

size_t ju_chars(const char *p, size_t n)
{
	size_t i = 0, k = 0;

	while (i < n) {
		if (n - i >= 8 && eight_ascii(p + i)) {
			i += 8;
			k += 8;
		} else {
			i += ju_next(p + i, n - i, NULL);
			k++;
		}
	}
	return k;
}

size_t ju_offset(const char *p, size_t n, size_t k)
{
	size_t i = 0;

	while (k && i < n) {
		if (k >= 8 && n - i >= 8 && eight_ascii(p + i)) {
			i += 8;
			k -= 8;
		} else {
			i += ju_next(p + i, n - i, NULL);
			k--;
		}
	}
	return i;
}

bool ju_space(uint32_t cp)
{
	if (cp < 0x80)
		return cp == ' ' || (cp >= 9 && cp <= 13) || (cp >= 0x1c && cp <= 0x1f);
	return cp == 0x85 || cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) ||
	       cp == 0x2028 || cp == 0x2029 || cp == 0x202f || cp == 0x205f || cp == 0x3000;
}
