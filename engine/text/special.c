/*
 * Tokens that are matched as they stand in a text, before anything is merged: control
 * tokens where they are asked for, user-defined ones (type 4), and of these in the user's
 * own text only the harmless: white space, HTML tags, single letters.
 */
#include "config.h"

#include "engine/base/xio.h"
#include "engine/text/utf8.h"
#include "engine/text/vocab_impl.h"

#include <ctype.h>
#include <string.h>

enum { SPECIAL_MAX = 1024 };	/* bytes: a text is searched at every place for as many */

/* Elements of HTML, and <bbox>, which Gemma's vocabulary has among them. */
static const char *const tags[] = {
	"a", "abbr", "article", "aside", "audio", "b", "bbox", "blockquote", "body", "br", "button", "canvas",
	"caption", "center", "cite", "code", "col", "colgroup", "dd", "del", "details", "div", "dl", "dt", "em",
	"figcaption", "figure", "font", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header",
	"hr", "html", "i", "iframe", "img", "input", "ins", "kbd", "label", "li", "link", "main", "mark", "meta",
	"nav", "ol", "option", "p", "pre", "q", "s", "samp", "section", "select", "small", "span", "strong",
	"style", "sub", "summary", "sup", "svg", "table", "tbody", "td", "textarea", "tfoot", "th", "thead",
	"time", "title", "tr", "tt", "u", "ul", "var", "video",
};

static bool is_tag(const char *p, size_t n)
{
	if (n < 3 || p[0] != '<' || p[n - 1] != '>')
		return false;
	p++;
	n -= 2;
	if (*p == '/') {
		p++;
		n--;
	} else if (p[n - 1] == '/') {
		n--;
	}
	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
		if (strlen(tags[i]) == n && !memcmp(tags[i], p, n))
			return true;
	return false;
}

static bool is_blank(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!memcmp(p + i, "\xe2\x96\x81", n - i < 3 ? n - i : 3) && n - i >= 3)
			i += 2;
		else if (!isspace((unsigned char)p[i]))
			return false;
	}
	return true;
}

static bool is_one_character(const char *p, size_t n)
{
	return utf8_char(p, n) == (int)n;
}

static unsigned match_of(const struct vocab *v, int32_t id)
{
	size_t n;
	const char *p = vocab_text(v, id, &n);

	if (n == 0)
		return 0;
	switch (v->flags[id] & TOKEN_ATTR) {
	case VOCAB_CONTROL:
	case VOCAB_UNKNOWN:
		return MATCH_CONTROL;
	case VOCAB_USER:
		return is_blank(p, n) || is_tag(p, n) || is_one_character(p, n) ? MATCH_PLAIN | MATCH_USER : MATCH_PLAIN;
	default:
		return 0;
	}
}

/* The tree was made large enough for all bytes of all tokens. */
static void trie_add(struct trie *t, const char *p, size_t n, int32_t id, unsigned match)
{
	int32_t *link = &t->root[(unsigned char)p[0]];
	int32_t at = 0;

	t->first[(unsigned char)p[0]] |= (unsigned char)match;
	for (size_t i = 0; i < n; i++) {
		unsigned char byte = (unsigned char)p[i];

		for (at = *link; at && t->p[at].byte != byte; at = t->p[at].sibling)
			;
		if (!at) {
			at = t->n++;
			t->p[at] = (struct trie_node){ .sibling = *link, .id = -1, .byte = byte };
			*link = at;
		}
		link = &t->p[at].child;
	}
	if (t->p[at].id < 0) {
		t->p[at].id = id;
		t->p[at].match = (unsigned char)match;
	}
}

int special_build(struct vocab *v, struct err *e)
{
	struct trie *t = &v->trie;
	size_t bytes = 1;

	for (int32_t id = 0; id < v->n; id++) {
		size_t n = v->off[id + 1] - v->off[id];

		if (!match_of(v, id))
			continue;
		if (n > SPECIAL_MAX)
			return err_set(e, ERR_LIMIT, "tokenizer.ggml.tokens: special token %d has %zu bytes, more than %d",
				       (int)id, n, SPECIAL_MAX);
		bytes += n;
	}
	if (bytes > INT32_MAX)
		return err_set(e, ERR_LIMIT, "tokenizer.ggml.tokens: special tokens of %zu bytes", bytes);
	t->p = mem_array(bytes, sizeof *t->p);
	if (!t->p)
		return err_set(e, ERR_NOMEM, "no memory for the tokenizer's special tokens");
	t->n = 1;
	for (int32_t id = 0; id < v->n; id++) {
		unsigned match = match_of(v, id);
		size_t n;
		const char *p = vocab_text(v, id, &n);

		if (match)
			trie_add(t, p, n, id, match);
	}
	return 0;
}

void special_free(struct vocab *v)
{
	mem_free(v->trie.p);
}

int32_t special_match(const struct vocab *v, const char *p, size_t n, unsigned match, size_t *len)
{
	const struct trie *t = &v->trie;
	int32_t at, found = -1;

	if (n == 0 || !(t->first[(unsigned char)p[0]] & match))
		return -1;
	at = t->root[(unsigned char)p[0]];
	for (size_t i = 0; at;) {
		if (t->p[at].byte != (unsigned char)p[i]) {
			at = t->p[at].sibling;
			continue;
		}
		i++;
		if (t->p[at].match & match) {
			found = t->p[at].id;
			*len = i;
		}
		if (i == n)
			break;
		at = t->p[at].child;
	}
	return found;
}
