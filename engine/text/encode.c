/*
 * A text and its spans → ids: finds the tokens that are matched as they stand, and hands
 * what lies between two of them, as one run, to BPE (bpe.c, through presplit.c) or
 * SentencePiece (spm.c).
 */
#include "config.h"

#include "engine/base/xio.h"
#include "engine/text/utf8.h"
#include "engine/text/vocab_impl.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <uninorm.h>

/* -- lists of ids ------------------------------------------------------------------- */

static int ids_room(struct ids *l, size_t more)
{
	size_t size = l->size ? l->size : 64;
	int32_t *p;

	if (more > SIZE_MAX / 8 - l->n)
		return -1;
	if (l->n + more <= l->size)
		return 0;
	while (size < l->n + more)
		size *= 2;
	p = mem_rearray(l->p, size, sizeof *p);
	if (!p)
		return -1;
	l->p = p;
	l->size = size;
	return 0;
}

int ids_add(struct ids *l, int32_t id)
{
	if (l->n == l->size && ids_room(l, 1) < 0)
		return -1;
	l->p[l->n++] = id;
	return 0;
}

int ids_append(struct ids *l, const int32_t *p, size_t n)
{
	if (n == 0)
		return 0;
	if (ids_room(l, n) < 0)
		return -1;
	memcpy(l->p + l->n, p, n * sizeof *p);
	l->n += n;
	return 0;
}

void ids_release(struct ids *l)
{
	mem_free(l->p);
	*l = (struct ids){ 0 };
}

/* -- memory of one call ------------------------------------------------------------- */

int work_add(struct work *w, int32_t id)
{
	if (ids_add(w->out, id) < 0)
		return err_set(w->e, ERR_NOMEM, "tokenizing: no memory for %zu tokens", w->out->n);
	return 0;
}

int work_syms(struct work *w, size_t n)
{
	size_t size = n < 1024 ? 1024 : n;
	struct sym *s;

	if (n <= w->sym_size)
		return 0;
	s = mem_rearray(w->sym, size, sizeof *s);
	if (!s)
		return err_set(w->e, ERR_NOMEM, "tokenizing: no memory for a word of %zu bytes", n);
	w->sym = s;
	w->sym_size = size;
	return 0;
}

int work_heap(struct work *w, size_t n)
{
	size_t size = n < 256 ? 256 : n;
	uint64_t *h;

	if (n <= w->heap_size)
		return 0;
	h = mem_rearray(w->heap, size, sizeof *h);
	if (!h)
		return err_set(w->e, ERR_NOMEM, "tokenizing: no memory for a word of %zu parts", n / 2);
	w->heap = h;
	w->heap_size = size;
	return 0;
}

int work_buf(struct work *w, size_t n)
{
	char *p;

	if (n <= w->buf_size)
		return 0;
	p = mem_realloc(w->buf, n + n / 2);
	if (!p)
		return err_set(w->e, ERR_NOMEM, "tokenizing: no memory for a text of %zu bytes", n);
	w->buf = p;
	w->buf_size = n + n / 2;
	return 0;
}

/* -- runs --------------------------------------------------------------------------- */

static int piece(void *arg, const char *p, size_t n)
{
	return bpe_encode(arg, p, n);
}

/*
 * Blocks whose characters NFC leaves alone and that begin nothing it would compose
 * (Unicode 15: NFC_QC=Yes, ccc=0 all through).
 */
static const struct { uint32_t first, last; } inert[] = {
	{ 0x0000, 0x02ff }, { 0x0400, 0x0482 }, { 0x05d0, 0x05ea }, { 0x0620, 0x064a }, { 0x2010, 0x2027 },
	{ 0x3001, 0x3029 }, { 0x3041, 0x3096 }, { 0x30a0, 0x30ff }, { 0x3400, 0x9fff }, { 0xac00, 0xd7a3 },
	{ 0xff01, 0xffef }, { 0x1f300, 0x1faff },
};

static bool is_nfc(const char *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		int k = utf8_char(p + i, n - i);
		uint32_t c = utf8_code(p + i, k);
		size_t b = 0;

		if (c > 0x2ff) {
			while (b < sizeof inert / sizeof *inert && c > inert[b].last)
				b++;
			if (b == sizeof inert / sizeof *inert || c < inert[b].first)
				return false;
		}
		i += (size_t)k;
	}
	return true;
}

static int bpe_valid(struct work *w, const char *p, size_t n)
{
	uint8_t *made;
	size_t len;
	int ret;

	if (!(w->v->row->flags & PRESPLIT_NFC) || is_nfc(p, n))
		return presplit_text(w->split, p, n, w->e);
	len = n + n / 2 + 64;
	if (work_buf(w, len) < 0)
		return -1;
	made = u8_normalize(UNINORM_NFC, (const uint8_t *)p, n, (uint8_t *)w->buf, &len);
	if (!made)
		return err_set(w->e, ERR_NOMEM, "tokenizing: no memory to normalize %zu bytes", n);
	ret = presplit_text(w->split, (char *)made, len, w->e);
	if (made != (uint8_t *)w->buf)
		free(made);
	return ret;
}

/* Bytes that are no UTF-8 are tokens of their own. */
static int bpe_run(struct work *w, const char *p, size_t n)
{
	while (n) {
		size_t good = utf8_valid(p, n);

		if (good && bpe_valid(w, p, good) < 0)
			return -1;
		p += good;
		n -= good;
		if (n) {
			if (bpe_encode(w, p, 1) < 0)
				return -1;
			p++;
			n--;
		}
	}
	return 0;
}

/* -- matching ----------------------------------------------------------------------- */

struct scan {
	const struct vocab *v;
	const char *text;
	const struct text_span *span;
	size_t n_spans, cur;
	unsigned flags;
};

static unsigned match_in(const struct scan *s)
{
	if (s->span[s->cur].user)
		return MATCH_USER;
	return s->flags & TOK_SPECIAL ? MATCH_PLAIN | MATCH_CONTROL : MATCH_PLAIN;
}

/* The next token that stands in the text at or after *at. Matches do not cross the edges of spans. */
static int32_t scan_next(struct scan *s, size_t *at, size_t *len)
{
	for (; s->cur < s->n_spans; s->cur++) {
		size_t end = s->span[s->cur].end;
		unsigned match = match_in(s);

		for (; *at < end; ++*at) {
			int32_t id;

			if (!(s->v->trie.first[(unsigned char)s->text[*at]] & match))
				continue;
			id = special_match(s->v, s->text + *at, end - *at, match, len);
			if (id >= 0)
				return id;
		}
	}
	return -1;
}

static int encode(struct work *w, struct scan *s, size_t n)
{
	const struct vocab *v = w->v;
	bool after_special = true, bos = (s->flags & TOK_BOS) && v->add_bos;
	size_t from = 0, at = 0, len = 0, start = w->out->n;

	if (bos && work_add(w, v->bos) < 0)
		return -1;
	for (;;) {
		int32_t id = scan_next(s, &at, &len);
		size_t end = id < 0 ? n : at;

		if (end > from) {
			int ret = v->kind == VOCAB_SPM ?
				spm_encode(w, s->text + from, end - from, after_special && v->add_space_prefix) :
				bpe_run(w, s->text + from, end - from);

			if (ret < 0)
				return -1;
			after_special = false;
		}
		if (id < 0)
			break;
		if (!(bos && id == v->bos && at == 0) && work_add(w, id) < 0)
			return -1;
		after_special = true;
		at += len;
		if (v->flags[id] & TOKEN_RSTRIP)
			while (at < n && isspace((unsigned char)s->text[at]))
				at++;
		from = at;
	}
	if ((s->flags & TOK_EOS) && v->add_eos && (w->out->n == start || w->out->p[w->out->n - 1] != v->eos))
		return work_add(w, v->eos);
	return 0;
}

static int check_spans(const struct text_span *span, size_t n_spans, size_t n, struct err *e)
{
	size_t at = 0;

	for (size_t i = 0; i < n_spans; i++) {
		if (span[i].start != at || span[i].end < at || span[i].end > n)
			return err_set(e, ERR_ARG, "tokenizing: span %zu does not follow the one before", i);
		at = span[i].end;
	}
	return at == n ? 0 : err_set(e, ERR_ARG, "tokenizing: the spans end at %zu, the text at %zu", at, n);
}

int vocab_encode(const struct vocab *v, const char *text, size_t n, const struct text_span *spans,
		 size_t n_spans, unsigned flags, struct ids *out, struct err *e)
{
	const struct text_span all = { 0, n, false };
	struct work w = { .v = v, .out = out, .e = e };
	struct scan s = { v, text, spans, n_spans, 0, flags };
	size_t before = out->n;
	int ret = -1;

	if (n > INT32_MAX / 2)
		return err_set(e, ERR_LIMIT, "tokenizing: a text of %zu bytes is too long", n);
	if (!spans) {
		s.span = &all;
		s.n_spans = 1;
	} else if (check_spans(spans, n_spans, n, e) < 0) {
		return -1;
	}
	if (v->kind == VOCAB_BPE) {
		w.split = presplit_open(v->split, piece, &w, e);
		if (!w.split)
			return -1;
	}
	ret = encode(&w, &s, n);
	if (ret < 0)
		out->n = before;
	presplit_close(w.split);
	mem_free(w.sym);
	mem_free(w.heap);
	mem_free(w.buf);
	return ret;
}
