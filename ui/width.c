#include "config.h"
#include "ui/width.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unictype.h>
#include <unigbrk.h>
#include <uninorm.h>
#include <unistr.h>
#include <uniwidth.h>

enum {
	CELL_MARKS = 4,		/* zero-width characters that curses keeps on one cell (CCHARW_MAX - 1) */
	CLUSTER_COLS = 8,	/* a longer cluster is cut: no script needs it */
	SCAN_MAX = 512,		/* bytes looked at for its end, so that a hostile one is not read again and again */
	DOTTED_CIRCLE = 0x25cc,
	REPLACEMENT = 0xfffd,
};

struct cells { wchar_t p[WIDTH_CELLS]; int n, cols; };

static void put(struct cells *c, ucs4_t cp, int cols)
{
	c->p[c->n++] = (wchar_t)cp;
	c->cols += cols;
}

static int width_char(ucs4_t cp)
{
	int w = wcwidth((wchar_t)cp);

	if (w < 0)
		w = uc_width(cp, "UTF-8");
	return w < 0 ? 1 : w;
}

/* Newer than the C library. */
static bool unknown(ucs4_t cp)
{
	return wcwidth((wchar_t)cp) < 0;
}

/* Steers the terminal or hides text: shown as a replacement. */
static bool forbidden(ucs4_t cp)
{
	return (cp >= 0x80 && cp < 0xa0) || (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) ||
	       cp == 0x2028 || cp == 0x2029 || (cp >= 0xfff9 && cp <= 0xfffb) || (cp >= 0xe0000 && cp <= 0xe007f);
}

/* Takes no cell and need not be sent. */
static bool invisible(ucs4_t cp)
{
	return cp == 0x200b || cp == 0x200e || cp == 0x200f || cp == 0x61c || cp == 0x2060 || cp == 0xfeff;
}

/* In flags of regions: never drawn by themselves. */
static bool tag(ucs4_t cp)
{
	return cp >= 0xe0020 && cp <= 0xe007f;
}

static bool emoji_part(ucs4_t cp)
{
	return cp == 0x200d || cp == 0xfe0f || cp == 0x20e3 || uc_is_property_emoji_modifier(cp);
}

/* Is this several characters that make one picture, of a width that terminals do not agree on? */
static bool doubtful_emoji(const uint8_t *s, size_t n)
{
	ucs4_t cp;
	int k = u8_mbtoucr(&cp, s, n), sum;

	if (k <= 0 || (size_t)k == n || !uc_is_property_emoji(cp))
		return false;
	sum = width_char(cp);
	bool parts = false, tags = false;
	for (size_t i = (size_t)k; i < n; i += (size_t)k) {
		k = u8_mbtoucr(&cp, s + i, n - i);
		if (k <= 0)
			return false;
		parts |= emoji_part(cp);
		tags |= tag(cp);
		sum += width_char(cp);
	}
	return tags || (parts && sum != 2);
}

/* Vowels and finals of Hangul go into the syllable before them: few terminals put jamo together. */
static bool compose(struct cells *c, ucs4_t cp)
{
	ucs4_t whole;

	if (!c->n || cp < 0x1161 || cp > 0x11c2)
		return false;
	whole = uc_composition((ucs4_t)c->p[c->n - 1], cp);
	if (!whole)
		return false;
	c->p[c->n - 1] = (wchar_t)whole;
	return true;
}

/* A byte that stands alone: a control or no UTF-8. */
static size_t odd_byte(uint8_t b, struct cells *c)
{
	if (b < 0x20 || b == 0x7f) {
		put(c, '^', 1);
		put(c, b ^ 0x40u, 1);
	} else {
		put(c, REPLACEMENT, 1);
	}
	return 1;
}

/*
 * libunistring finds a cluster's end by looking at two characters, but two rules need more:
 * pictures joined by ZWJ belong together (GB11), flags are pairs (GB12).
 */
static size_t cluster_bytes(const uint8_t *s, size_t n, ucs4_t first)
{
	const uint8_t *all = s + (n < SCAN_MAX ? n : SCAN_MAX), *end;
	ucs4_t cp;

	if (uc_graphemeclusterbreak_property(first) == GBP_RI) {
		size_t two = 4;

		if (n < 8 || u8_mbtoucr(&cp, s + 4, n - 4) <= 0 || uc_graphemeclusterbreak_property(cp) != GBP_RI)
			two = 0;
		end = u8_grapheme_next(s + two, all);
		/* Marks after the pair stay with it; a third flag letter does not. */
		if (end && end > s + two + 4 && u8_mbtoucr(&cp, s + two + 4, (size_t)(end - s) - two - 4) > 0 &&
		    uc_graphemeclusterbreak_property(cp) == GBP_RI)
			end = s + two + 4;
		return end ? (size_t)(end - s) : 1;
	}
	end = u8_grapheme_next(s, all);
	if (!end)
		return 1;
	while (end < all && end - s > 3 && !memcmp(end - 3, "\xe2\x80\x8d", 3) &&
	       uc_is_property_extended_pictographic(first) && u8_mbtoucr(&cp, end, (size_t)(all - end)) > 0 &&
	       uc_is_property_extended_pictographic(cp))
		end = u8_grapheme_next(end, all);
	return (size_t)(end - s);
}

static size_t cluster(const uint8_t *s, size_t n, struct cells *c)
{
	size_t len, i = 0;
	int marks = 0;
	ucs4_t cp;

	c->n = c->cols = 0;
	if (s[0] >= ' ' && s[0] < 0x7f && (n == 1 || s[1] < 0x80)) {
		put(c, s[0], 1);
		return 1;
	}
	if (s[0] < ' ' || s[0] == 0x7f || u8_mbtoucr(&cp, s, n) <= 0)
		return odd_byte(s[0], c);
	len = cluster_bytes(s, n, cp);
	if (doubtful_emoji(s, len)) {
		put(c, cp, width_char(cp));
		return len;
	}
	while (i < len) {
		int k = u8_mbtoucr(&cp, s + i, len - i), w;

		if (k <= 0)
			break;
		w = width_char(cp);
		if (forbidden(cp)) {
			if (c->cols)
				break;
			put(c, REPLACEMENT, 1);
			return (size_t)k;
		}
		if (invisible(cp) || (!w && unknown(cp)) || (!w && compose(c, cp))) {
			i += (size_t)k;
			continue;
		}
		if (!w && !c->n)
			put(c, DOTTED_CIRCLE, 1);
		if (w)
			marks = 0;
		else if (++marks > CELL_MARKS)
			break;
		if (c->cols + w > CLUSTER_COLS || c->n + 3 >= WIDTH_CELLS)
			break;
		if (w == 2 && unknown(cp)) {	/* curses would take it for one column */
			put(c, REPLACEMENT, 1);
			put(c, ' ', 1);
		} else {
			put(c, cp, w);
		}
		i += (size_t)k;
	}
	return i ? i : 1;
}

size_t width_next(const char *s, size_t n, int *cols)
{
	struct cells c;
	size_t used;

	if (s[0] >= ' ' && s[0] < 0x7f && (n == 1 || (uint8_t)s[1] < 0x80)) {
		*cols = 1;
		return 1;
	}
	used = cluster((const uint8_t *)s, n, &c);
	*cols = c.cols;
	return used;
}

size_t width_cells(const char *s, size_t n, int *cols, wchar_t out[WIDTH_CELLS])
{
	struct cells c;
	size_t used = cluster((const uint8_t *)s, n, &c);

	memcpy(out, c.p, sizeof(c.p[0]) * (size_t)c.n);
	out[c.n] = 0;
	*cols = c.cols;
	return used;
}

int width_of(const char *s, size_t n)
{
	int sum = 0, w;

	for (size_t i = 0; i < n; sum += w)
		i += width_next(s + i, n - i, &w);
	return sum;
}

size_t width_prev(const char *s, size_t at)
{
	/* From the start of the line: clusters can only be told forwards. */
	size_t i = at, last;

	while (i > 0 && s[i - 1] != '\n')
		i--;
	if (i == at)
		return at - 1;
	do {
		int w;

		last = i;
		i += width_next(s + i, at - i, &w);
	} while (i < at);
	return last;
}
