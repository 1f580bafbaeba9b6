#include "config.h"
#include "app/termtext.h"

#include <string.h>
#include <unictype.h>

enum { CR = 0x0d, ZWNJ = 0x200c, ZWJ = 0x200d, REPLACEMENT = 0xfffd, BLACK_FLAG = 0x1f3f4, TAG_END = 0xe007f };

static const struct { uint32_t cp; const char *shown; } bidi_names[] = {
	{ 0x202a, "<LRE>" }, { 0x202b, "<RLE>" }, { 0x202c, "<PDF>" }, { 0x202d, "<LRO>" }, { 0x202e, "<RLO>" },
	{ 0x2066, "<LRI>" }, { 0x2067, "<RLI>" }, { 0x2068, "<FSI>" }, { 0x2069, "<PDI>" },
};

/* Blocks whose scripts form conjuncts, where ZWJ and ZWNJ choose the form. */
static const struct { uint32_t first, last; } indic_blocks[] = {
	{ 0x0900, 0x0dff },	/* Devanagari … Sinhala */
	{ 0x0f00, 0x109f },	/* Tibetan, Myanmar */
	{ 0x1780, 0x17ff },	/* Khmer */
	{ 0x1900, 0x1aaf },	/* Limbu … Tai Tham */
	{ 0x1b00, 0x1c4f },	/* Balinese … Lepcha */
	{ 0xa800, 0xa82f }, { 0xa840, 0xa8ff }, { 0xa930, 0xa95f }, { 0xa980, 0xa9ff }, { 0xaa00, 0xaa7f },
	{ 0xaae0, 0xaaff }, { 0xabc0, 0xabff },
	{ 0x10a00, 0x10a5f }, { 0x11000, 0x11fff },
};

static bool is_indic(uint32_t c)
{
	for (size_t i = 0; i < sizeof indic_blocks / sizeof *indic_blocks; i++)
		if (c >= indic_blocks[i].first && c <= indic_blocks[i].last)
			return true;
	return false;
}

static bool is_joining(uint32_t c)
{
	const int j = uc_joining_type(c);

	return j == UC_JOINING_TYPE_D || j == UC_JOINING_TYPE_R || j == UC_JOINING_TYPE_L || j == UC_JOINING_TYPE_C;
}

/*
 * What emoji sequences are joined from: pictographs, and the few older symbols in them. libunistring
 * before 1.1 has no Extended_Pictographic, so the blocks that hold them are named (emoji-data.txt, 15.1).
 */
static bool is_pictograph(uint32_t c)
{
	return (c >= 0x1f000 && c <= 0x1faff) || (c >= 0x2190 && c <= 0x21ff) || (c >= 0x2300 && c <= 0x23ff) ||
	       (c >= 0x2600 && c <= 0x27bf) || (c >= 0x2b00 && c <= 0x2bff) || c == 0x3030 || c == 0x303d;
}

static bool is_variation(uint32_t c)
{
	return (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xe0100 && c <= 0xe01ef) || (c >= 0x180b && c <= 0x180d);
}

static bool is_mark(uint32_t c)
{
	return uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Mn | UC_CATEGORY_MASK_Me) ||
	       (c >= 0x1f3fb && c <= 0x1f3ff);
}

/* Characters that never draw and are not among those told apart in the header. */
static bool is_invisible(uint32_t c)
{
	return uc_is_property_default_ignorable_code_point(c) || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0x206a && c <= 0x206f);
}

/* May the held ZWNJ or ZWJ stand between the base and the next character (0 at the end)? */
static bool joiner_stays(const struct termtext *t, uint32_t next)
{
	if (!t->base)
		return false;
	if (is_indic(t->base))
		return true;
	if (is_joining(t->base))
		return t->held == ZWJ || is_joining(next);
	return t->held == ZWJ && is_pictograph(t->base) && is_pictograph(next);
}

static void settle_held(struct termtext *t, uint32_t next, struct str *out)
{
	if (t->held == CR && next != '\n')
		str_add_utf8(out, REPLACEMENT);
	else if (t->held && t->held != CR && joiner_stays(t, next))
		str_add_utf8(out, t->held);
	t->held = 0;
}

static const char *bidi_name(uint32_t c)
{
	for (size_t i = 0; i < sizeof bidi_names / sizeof *bidi_names; i++)
		if (bidi_names[i].cp == c)
			return bidi_names[i].shown;
	return NULL;
}

static void break_line(struct termtext *t, struct str *out)
{
	str_addc(out, t->flags & TERMTEXT_LINES ? '\n' : ' ');
	t->base = 0;
}

/* Of the C0 controls only these three mean something in a text. */
static void control(struct termtext *t, uint32_t c, struct str *out)
{
	if (c == '\n')
		break_line(t, out);
	else if (c == '\t')
		str_addc(out, t->flags & TERMTEXT_LINES ? '\t' : ' ');
	else if (c == CR)
		t->held = CR;
	else
		str_add_utf8(out, REPLACEMENT);
	t->base = 0;
}

static void keep(struct termtext *t, uint32_t c, struct str *out)
{
	str_add_utf8(out, c);
	if (!is_mark(c))
		t->base = c;
}

static void tag(struct termtext *t, uint32_t c, struct str *out)
{
	if (t->flag)
		str_add_utf8(out, c);
	t->flag = t->flag && c != TAG_END;
}

static void character(struct termtext *t, uint32_t c, struct str *out)
{
	const char *name;

	if (t->held)
		settle_held(t, c, out);
	if (c >= 0xe0020 && c <= TAG_END) {
		tag(t, c, out);
		return;
	}
	t->flag = c == BLACK_FLAG;
	if (c < 0x20) {
		control(t, c, out);
	} else if (c < 0x7f) {
		str_addc(out, (char)c);
		t->base = c;
	} else if (c < 0xa0 || (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef)) {
		keep(t, REPLACEMENT, out);
	} else if (c == ZWNJ || c == ZWJ) {
		t->held = c;
	} else if (c == 0x2028 || c == 0x2029) {
		break_line(t, out);
	} else if ((name = bidi_name(c))) {
		str_adds(out, name);
		t->base = '>';
	} else if (c == 0x200e || c == 0x200f || c == 0x061c) {
		if (t->flags & TERMTEXT_MARKS)
			str_add_utf8(out, c);
	} else if (is_variation(c)) {
		if (t->base)
			str_add_utf8(out, c);
	} else if (!is_invisible(c)) {
		keep(t, c, out);
	}
}

/* How many bytes a character has that begins so; 0: none begins so. */
static int length_of(unsigned char c)
{
	return c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
}

/* May c be the nth byte (n >= 1) of the character that begins with `first`? (Unicode, table 3-7) */
static bool may_follow(unsigned char first, int n, unsigned char c)
{
	if (n == 1 && first == 0xe0)
		return c >= 0xa0 && c <= 0xbf;
	if (n == 1 && first == 0xed)
		return c >= 0x80 && c <= 0x9f;
	if (n == 1 && first == 0xf0)
		return c >= 0x90 && c <= 0xbf;
	if (n == 1 && first == 0xf4)
		return c >= 0x80 && c <= 0x8f;
	return c >= 0x80 && c <= 0xbf;
}

static uint32_t decode(const unsigned char *p, int n)
{
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	for (int i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

static void byte(struct termtext *t, unsigned char c, struct str *out)
{
	if (t->n_part && !may_follow(t->part[0], t->n_part, c)) {
		t->n_part = 0;
		character(t, REPLACEMENT, out);
	}
	if (!t->n_part && !length_of(c)) {
		character(t, REPLACEMENT, out);
		return;
	}
	t->part[t->n_part++] = c;
	if (t->n_part == length_of(t->part[0])) {
		const int n = t->n_part;

		t->n_part = 0;
		character(t, decode(t->part, n), out);
	}
}

void termtext_init(struct termtext *t, unsigned flags)
{
	*t = (struct termtext){ .flags = flags };
}

void termtext_add(struct termtext *t, const char *s, size_t n, struct str *out)
{
	for (size_t i = 0; i < n; i++)
		byte(t, (unsigned char)s[i], out);
}

void termtext_end(struct termtext *t, struct str *out)
{
	if (t->n_part) {
		t->n_part = 0;
		character(t, REPLACEMENT, out);
	}
	if (t->held)
		settle_held(t, 0, out);
	termtext_init(t, t->flags);
}

void termtext_whole(const char *s, size_t n, unsigned flags, struct str *out)
{
	struct termtext t;

	termtext_init(&t, flags);
	termtext_add(&t, s, n, out);
	termtext_end(&t, out);
}
