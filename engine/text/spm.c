/*
 * SentencePiece's BPE ("llama"): pairs are merged by the score of what they make, highest
 * first; what no token spells becomes the tokens of its bytes. Blanks stand for U+2581
 * inside: vocab.c turned the tokens' round, here the text is.
 *
 * SentencePiece merges a whole run at once. Merges never reach across two bytes that no
 * token holds side by side, so the run is cut there first, which gives the same tokens
 * and keeps the pieces short.
 */
#include "config.h"

#include "engine/text/merge.h"
#include "engine/text/utf8.h"

#include <string.h>

static const char mark[3] = { '\xe2', '\x96', '\x81' };	/* U+2581 */

static void spm_pair(const struct vocab *v, const char *text, struct sym *l, const struct sym *r)
{
	size_t n = (size_t)l->len + r->len;

	l->made = n > v->longest ? -1 : vocab_look(v, text + l->at, n, true);
	l->key = l->made < 0 ? KEY_NONE : v->key[l->made];
}

static size_t spm_parts(const struct vocab *v, const char *p, size_t n, struct sym *s)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i += s[count++].len) {
		int k = utf8_char(p + i, n - i);

		s[count].at = (uint32_t)i;
		s[count].len = k > 0 ? (uint32_t)k : 1;
		s[count].id = vocab_look(v, p + i, s[count].len, true);
	}
	return count;
}

static int spm_emit(struct work *w, const char *text, const struct sym *s)
{
	const struct vocab *v = w->v;

	if (s->id >= 0)
		return work_add(w, s->id);
	for (uint32_t i = 0; i < s->len; i++) {
		int32_t id = v->byte_id[(unsigned char)text[s->at + i]];

		if (id < 0)
			return v->unk < 0 ? 0 : work_add(w, v->unk);	/* one for the character */
		if (work_add(w, id) < 0)
			return -1;
	}
	return 0;
}

static bool joined(const struct vocab *v, char a, char b)
{
	unsigned i = (unsigned)(unsigned char)a << 8 | (unsigned char)b;

	return v->joins[i >> 3] >> (i & 7) & 1;
}

int spm_encode(struct work *w, const char *p, size_t n, bool prefix)
{
	size_t len = 0, at = 0;

	if (work_buf(w, n + 1) < 0)
		return -1;
	if (prefix)
		w->buf[len++] = ' ';
	for (size_t i = 0; i < n;) {
		if (n - i >= 3 && p[i] == mark[0] && !memcmp(p + i, mark, 3)) {
			w->buf[len++] = ' ';
			i += 3;
		} else {
			w->buf[len++] = p[i++];
		}
	}
	while (at < len) {
		size_t end = at;

		do {
			int k = utf8_char(w->buf + end, len - end);

			end += k > 0 ? (size_t)k : 1;
		} while (end < len && joined(w->v, w->buf[end - 1], w->buf[end]));
		if (merge_text(w, w->buf + at, end - at, spm_parts, spm_pair, spm_emit) < 0)
			return -1;
		at = end;
	}
	return 0;
}
