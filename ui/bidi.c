#include "config.h"
#include "ui/bidi.h"

#include "engine/base/xio.h"
#include "ui/width.h"

#include <fribidi.h>
#include <string.h>
#include <unictype.h>
#include <unistr.h>

enum { LINE_MAX_BYTES = 65536 };

static bool enabled = true;

void bidi_enable(bool on)
{
	enabled = on;
}

bool bidi_enabled(void)
{
	return enabled;
}

bool bidi_needed(const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		ucs4_t cp;
		int k;

		/* all of them are at U+0590 or above */
		if ((uint8_t)s[i] < 0xd6) {
			i++;
			continue;
		}
		k = u8_mbtoucr(&cp, (const uint8_t *)s + i, n - i);
		if (k <= 0)
			return false;
		if (uc_bidi_class(cp) == UC_BIDI_R || uc_bidi_class(cp) == UC_BIDI_AL)
			return true;
		i += (size_t)k;
	}
	return false;
}

/* The line's characters with their levels. at[i]: its byte. */
struct levels {
	FriBidiChar *cp;
	size_t *at;
	FriBidiLevel *level;
	FriBidiCharType *type;
	FriBidiBracketType *bracket;
	size_t n;
	FriBidiParType base;
};

static void levels_release(struct levels *l)
{
	mem_free(l->cp);
	mem_free(l->at);
	mem_free(l->level);
	mem_free(l->type);
	mem_free(l->bracket);
}

static bool find_levels(struct levels *l, const char *s, size_t n, enum bidi_base base)
{
	*l = (struct levels){ .base = base == BIDI_LTR ? FRIBIDI_PAR_LTR : FRIBIDI_PAR_ON };
	l->cp = mem_array(n, sizeof(*l->cp));
	l->at = mem_array(n, sizeof(*l->at));
	l->level = mem_array(n, sizeof(*l->level));
	l->type = mem_array(n, sizeof(*l->type));
	l->bracket = mem_array(n, sizeof(*l->bracket));
	if (!l->cp || !l->at || !l->level || !l->type || !l->bracket)
		return false;
	for (size_t i = 0; i < n;) {
		ucs4_t cp;
		int k = u8_mbtoucr(&cp, (const uint8_t *)s + i, n - i);

		l->cp[l->n] = k > 0 ? cp : 0xfffd;
		l->at[l->n++] = i;
		i += k > 0 ? (size_t)k : 1;
	}
	fribidi_get_bidi_types(l->cp, (FriBidiStrIndex)l->n, l->type);
	fribidi_get_bracket_types(l->cp, (FriBidiStrIndex)l->n, l->type, l->bracket);
	return fribidi_get_par_embedding_levels_ex(l->type, l->bracket, (FriBidiStrIndex)l->n, &l->base, l->level) > 0;
}

/* L2: from the highest level down, what is at it or above turns round. */
static void reorder(struct bidi_cluster *p, FriBidiLevel *level, size_t n)
{
	int top = 0;

	for (size_t i = 0; i < n; i++)
		top = level[i] > top ? level[i] : top;
	for (int at = top; at > 0; at--) {
		for (size_t i = 0; i < n; i++) {
			size_t a = i, b;

			while (i < n && level[i] >= at)
				i++;
			for (b = i; a + 1 < b; a++) {
				struct bidi_cluster c = p[a];
				FriBidiLevel l = level[a];

				b--;
				p[a] = p[b];
				level[a] = level[b];
				p[b] = c;
				level[b] = l;
			}
		}
	}
}

static void take_clusters(struct bidi_row *r, FriBidiLevel *level, const struct levels *l, const char *s, size_t off, size_t len)
{
	const FriBidiLevel base = FRIBIDI_IS_RTL(l->base);
	size_t at = 0, i = off;

	while (i < off + len) {
		struct bidi_cluster c = { .off = i };
		FriBidiChar other;

		c.len = width_next(s + i, off + len - i, &c.cols);
		while (at + 1 < l->n && l->at[at + 1] <= i)
			at++;
		level[r->n] = l->level[at];
		c.rtl = l->level[at] & 1;
		if (c.rtl && fribidi_get_mirror_char(l->cp[at], &other) && c.cols == 1)
			c.mirror = other;
		r->cols += c.cols;
		r->p[r->n++] = c;
		i += c.len;
	}
	/* L1: blanks at the row's end stand at the paragraph's end */
	for (size_t k = r->n; k && s[r->p[k - 1].off] == ' '; k--)
		level[k - 1] = base;
}

bool bidi_order(struct bidi_row *out, const char *line, size_t n, size_t off, size_t len, enum bidi_base base)
{
	FriBidiLevel *level = NULL;
	struct levels l = { 0 };
	bool good = false;

	*out = (struct bidi_row){ 0 };
	if (!n || !len || n > LINE_MAX_BYTES || !find_levels(&l, line, n, base))
		goto out;
	out->p = mem_array(len, sizeof(*out->p));
	level = mem_array(len, sizeof(*level));
	if (!out->p || !level)
		goto out;
	take_clusters(out, level, &l, line, off, len);
	reorder(out->p, level, out->n);
	out->rtl = FRIBIDI_IS_RTL(l.base);
	good = true;
out:
	levels_release(&l);
	mem_free(level);
	if (!good)
		bidi_release(out);
	return good;
}

void bidi_release(struct bidi_row *r)
{
	mem_free(r->p);
	r->p = NULL;
	r->n = 0;
}
