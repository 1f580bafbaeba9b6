#include "config.h"
#include "ui/key.h"

#include "engine/base/xio.h"

#include <curses.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <unistr.h>

enum {
	SEQUENCE_MAX = 64,		/* longer ones are noise */
	SEQUENCE_WAIT_MS = 100,		/* for the rest of a sequence that has begun: a slow line may cut it */
	PASTE_MAX = 16 << 20,
	STRINGS_MAX = 128,
};

static const char paste_end[] = "\033[201~";
enum { PASTE_END_LEN = sizeof(paste_end) - 1 };

struct string_key { char p[16]; size_t n; uint32_t code; unsigned mods; };

struct keys {
	struct str buf;			/* bytes not taken yet begin at pos */
	size_t pos;
	bool late;			/* what is held will not be completed */
	bool pasting, stalled;
	bool answering;			/* in a string of the terminal's, which nobody asked for */
	struct str paste, given;	/* arriving; handed out */
	char synth[16];
	struct string_key strings[STRINGS_MAX];
	int n_strings;
};

/* -- tables --------------------------------------------------------------------------- */

static const struct { const char *name, *symbol; } key_names[] = {
#define KEY_NAME(id, name, symbol) { name, symbol },
	KEY_CODES(KEY_NAME)
#undef KEY_NAME
};

static const struct { const char *name; uint32_t code; } plain_names[] = {
	{ "Enter", K_ENTER }, { "Tab", K_TAB }, { "Esc", K_ESC },
	{ "Backspace", K_BACKSPACE }, { "Space", ' ' },
};

static const struct { const char *cap; uint32_t code; unsigned mods; } caps[] = {
	{ "kcuu1", K_UP, 0 }, { "kcud1", K_DOWN, 0 }, { "kcub1", K_LEFT, 0 }, { "kcuf1", K_RIGHT, 0 },
	{ "khome", K_HOME, 0 }, { "kend", K_END, 0 }, { "kpp", K_PGUP, 0 }, { "knp", K_PGDN, 0 },
	{ "kich1", K_INSERT, 0 }, { "kdch1", K_DELETE, 0 }, { "kcbt", K_TAB, MOD_SHIFT },
	{ "kf1", K_F1, 0 }, { "kf2", K_F2, 0 }, { "kf3", K_F3, 0 }, { "kf4", K_F4, 0 },
	{ "kf5", K_F5, 0 }, { "kf6", K_F6, 0 }, { "kf7", K_F7, 0 }, { "kf8", K_F8, 0 },
	{ "kf9", K_F9, 0 }, { "kf10", K_F10, 0 }, { "kf11", K_F11, 0 }, { "kf12", K_F12, 0 },
	{ "kri", K_UP, MOD_SHIFT }, { "kind", K_DOWN, MOD_SHIFT },
	{ "kLFT", K_LEFT, MOD_SHIFT }, { "kRIT", K_RIGHT, MOD_SHIFT }, { "kHOM", K_HOME, MOD_SHIFT },
	{ "kEND", K_END, MOD_SHIFT }, { "kNXT", K_PGDN, MOD_SHIFT }, { "kPRV", K_PGUP, MOD_SHIFT },
	{ "kDC", K_DELETE, MOD_SHIFT }, { "kIC", K_INSERT, MOD_SHIFT },
};

/* ncurses' extended names: these and a digit, xterm's parameter for the modifiers (3 is Alt). */
static const struct { const char *cap; uint32_t code; } modified_caps[] = {
	{ "kUP", K_UP }, { "kDN", K_DOWN }, { "kLFT", K_LEFT }, { "kRIT", K_RIGHT }, { "kHOM", K_HOME },
	{ "kEND", K_END }, { "kNXT", K_PGDN }, { "kPRV", K_PGUP }, { "kDC", K_DELETE }, { "kIC", K_INSERT },
};

/* CSI n ~ */
static const struct { unsigned n; uint32_t code; } tilde[] = {
	{ 1, K_HOME }, { 2, K_INSERT }, { 3, K_DELETE }, { 4, K_END }, { 5, K_PGUP }, { 6, K_PGDN },
	{ 7, K_HOME }, { 8, K_END }, { 11, K_F1 }, { 12, K_F2 }, { 13, K_F3 }, { 14, K_F4 },
	{ 15, K_F5 }, { 17, K_F6 }, { 18, K_F7 }, { 19, K_F8 }, { 20, K_F9 }, { 21, K_F10 },
	{ 23, K_F11 }, { 24, K_F12 },
};

/* The last byte of CSI 1 ; mods X and of SS3 X. */
static const struct { char last; uint32_t code; unsigned mods; } letters[] = {
	{ 'A', K_UP, 0 }, { 'B', K_DOWN, 0 }, { 'C', K_RIGHT, 0 }, { 'D', K_LEFT, 0 },
	{ 'H', K_HOME, 0 }, { 'F', K_END, 0 }, { 'P', K_F1, 0 }, { 'Q', K_F2, 0 },
	{ 'R', K_F3, 0 }, { 'S', K_F4, 0 }, { 'Z', K_TAB, MOD_SHIFT },
};

#define N(table) (sizeof(table) / sizeof((table)[0]))

/* -- life ----------------------------------------------------------------------------- */

static void add_string(struct keys *k, const char *cap, uint32_t code, unsigned mods)
{
	const char *s = tigetstr((char *)cap);
	struct string_key *t;
	size_t n;

	if (!s || s == (const char *)-1 || k->n_strings == STRINGS_MAX)
		return;
	n = strlen(s);
	if (n < 2 || n > sizeof(t->p) || s[0] != K_ESC)
		return;
	t = &k->strings[k->n_strings++];
	memcpy(t->p, s, n);
	t->n = n;
	t->code = code;
	t->mods = mods;
}

static void add_strings(struct keys *k)
{
	char cap[8];

	for (size_t i = 0; i < N(caps); i++)
		add_string(k, caps[i].cap, caps[i].code, caps[i].mods);
	for (size_t i = 0; i < N(modified_caps); i++) {
		for (unsigned m = 3; m <= 8; m++) {
			snprintf(cap, sizeof(cap), "%s%u", modified_caps[i].cap, m);
			add_string(k, cap, modified_caps[i].code, m - 1);
		}
	}
}

struct keys *keys_new(bool terminfo)
{
	struct keys *k = mem_calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	str_init(&k->buf, PASTE_MAX);
	str_init(&k->paste, PASTE_MAX);
	str_init(&k->given, PASTE_MAX);
	if (terminfo)
		add_strings(k);
	return k;
}

void keys_free(struct keys *k)
{
	if (!k)
		return;
	str_release(&k->buf);
	str_release(&k->paste);
	str_release(&k->given);
	mem_free(k);
}

/* -- one key from bytes: how many it took, 0 when more are needed; code 0 means swallowed -- */

static void key_set(struct key *out, uint32_t code, unsigned mods)
{
	out->code = code;
	out->mods = mods;
}

/* xterm's parameter: 1 and the bits; 8 is Meta, which is Alt to us. */
static unsigned mods_of(unsigned param)
{
	unsigned m = param ? param - 1 : 0;

	return (m & 7) | (m & 8 ? MOD_ALT : 0);
}

/* What readline would have got from a terminal without such forms. */
static void synthesize(struct keys *k, struct key *out)
{
	size_t n = 0;
	uint32_t c = out->code;

	if (out->mods & MOD_ALT)
		k->synth[n++] = K_ESC;
	if (c < 0x80 && out->mods & MOD_CTRL && c >= '@' && c < 0x7f) {
		k->synth[n++] = (char)(c & 0x1f);
	} else {
		int w = u8_uctomb((uint8_t *)k->synth + n, c, 8);

		n += w > 0 ? (size_t)w : 0;
	}
	out->bytes = k->synth;
	out->n = n;
}

/* A character with modifiers, as the CSI u family tells it. */
static void modified(struct keys *k, uint32_t c, unsigned mods, struct key *out)
{
	if (!c || c >= K_FIRST || (c >= 0xd800 && c <= 0xf8ff) || (c < 0x20 && c != K_ENTER && c != K_TAB && c != K_ESC)) {
		key_set(out, 0, 0);	/* the private range holds keypad and media keys */
		return;
	}
	if (c >= ' ' && c < 0x7f) {
		if (mods & MOD_SHIFT && !(mods & MOD_CTRL))
			c = (uint32_t)toupper((int)c);
		if (mods & MOD_CTRL)
			c = (uint32_t)tolower((int)c);
	}
	if (c >= ' ' && c != K_BACKSPACE)
		mods &= ~(unsigned)MOD_SHIFT;
	key_set(out, c, mods);
	synthesize(k, out);
}

static size_t utf8_char(const uint8_t *p, size_t n, bool late, struct key *out)
{
	ucs4_t c;
	int w = u8_mbtoucr(&c, p, n);

	if (w == -2 && !late)
		return 0;
	key_set(out, w > 0 ? c : 0xfffd, 0);
	if (w > 0)
		return (size_t)w;
	out->bytes = "\xef\xbf\xbd";
	out->n = 3;
	return 1;
}

/* A key without ESC: a control or a character. */
static size_t single(const uint8_t *p, size_t n, bool late, struct key *out)
{
	uint8_t c = p[0];

	if (c >= 0x80)
		return utf8_char(p, n, late, out);
	if (c == K_ENTER || c == K_TAB || c == K_ESC || c >= ' ')
		key_set(out, c, 0);
	else
		key_set(out, c == 0 ? ' ' : c < 0x1b ? c + 0x60u : c + 0x40u, MOD_CTRL);
	return 1;
}

static bool letter(char last, unsigned mods, struct key *out)
{
	for (size_t i = 0; i < N(letters); i++) {
		if (letters[i].last == last) {
			key_set(out, letters[i].code, mods | letters[i].mods);
			return true;
		}
	}
	if (last >= 'a' && last <= 'd') {	/* rxvt: CSI with Shift, SS3 with Ctrl */
		static const uint32_t arrows[] = { K_UP, K_DOWN, K_RIGHT, K_LEFT };

		key_set(out, arrows[last - 'a'], mods);
		return true;
	}
	return false;
}

static void number(struct keys *k, const unsigned *param, int n_param, char last, struct key *out)
{
	unsigned mods = mods_of(n_param > 1 ? param[1] : 0);

	if (param[0] == 27 && n_param == 3) {
		modified(k, param[2], mods, out);
		return;
	}
	if (param[0] == 200) {
		k->pasting = true;
		k->stalled = false;
		return;
	}
	if (last == '^' || last == '@')
		mods |= MOD_CTRL;
	if (last == '$' || last == '@')
		mods |= MOD_SHIFT;
	for (size_t i = 0; i < N(tilde); i++)
		if (tilde[i].n == param[0])
			key_set(out, tilde[i].code, mods);
}

static int parameters(const uint8_t *p, const uint8_t *end, unsigned *param, int max)
{
	int n = 0;
	bool sub = false;

	memset(param, 0, sizeof(*param) * (size_t)max);
	for (; p < end; p++) {
		if (*p == ';') {
			sub = false;
			if (++n == max)
				return max;
		} else if (*p == ':') {
			sub = true;
		} else if (!sub && param[n] < 0x200000) {
			param[n] = param[n] * 10 + (*p - '0');
		}
	}
	return n + 1;
}

/* What was asked for, and the mouse's wheel; other reports are swallowed. */
static void report(const uint8_t *p, size_t digits, size_t last, struct key *out)
{
	const bool private = p[2] == '?';
	unsigned param[3];

	parameters(p + 2 + (p[2] >= '<'), p + digits, param, 3);
	if (p[2] == '<' && p[last] == 'M' && (param[0] & 0xc3 & ~1u) == 64) {
		/* bits of the button: 4 Shift, 8 Alt, 16 Ctrl */
		key_set(out, param[0] & 1 ? K_WHEEL_DOWN : K_WHEEL_UP, mods_of((param[0] >> 2 & 7) + 1));
	} else if (p[last] == 'y' && last == digits + 1 && p[digits] == '$') {
		key_set(out, K_REPORT, 0);
		out->report[0] = param[0] | (private ? KEY_REPORT_PRIVATE : 0);
		out->report[1] = param[1];
	} else if (p[last] == 'c' && last == digits && private) {
		key_set(out, K_REPORT, 0);
		out->report[0] = KEY_REPORT_DEVICE;
	}
}

static size_t csi(struct keys *k, const uint8_t *p, size_t n, struct key *out)
{
	unsigned param[3];
	size_t i = 2, digits;
	int n_param;
	char last;

	if (n > 2 && p[2] == '[') {	/* the Linux console's F1 to F5 */
		if (n == 3)
			return 0;
		if (p[3] >= 'A' && p[3] <= 'E')
			key_set(out, K_F1 + (p[3] - 'A'), 0);
		return 4;
	}
	while (i < n && p[i] >= 0x30 && p[i] <= 0x3f)
		i++;
	digits = i;
	if (i < n && p[i] == '$' && i > 2 && !memchr(p + 2, ';', i - 2) && p[2] <= '9')
		goto final;
	while (i < n && p[i] >= 0x20 && p[i] <= 0x2f)
		i++;
	if (i == n)
		return n < SEQUENCE_MAX ? 0 : n;
	if (p[i] < 0x40 || p[i] > 0x7e)
		return i;
	if (i != digits || (i > 2 && p[2] >= '<')) {
		report(p, digits, i, out);
		return i + 1;
	}
	if (i == 2 && (p[i] == 'I' || p[i] == 'O')) {
		key_set(out, K_FOCUS, 0);
		out->report[1] = p[i] == 'I';
		return i + 1;
	}
final:
	last = (char)p[i];
	n_param = parameters(p + 2, p + digits, param, 3);
	if (last == '~' || last == '^' || last == '$' || last == '@')
		number(k, param, n_param, last, out);
	else if (last == 'u')
		modified(k, param[0], mods_of(n_param > 1 ? param[1] : 0), out);
	else if (last == 'M')
		return n < i + 4 ? 0 : i + 4;
	else
		letter(last, last >= 'a' ? MOD_SHIFT : mods_of(param[n_param > 1 ? 1 : 0]), out);
	return i + 1;
}

static size_t ss3(struct keys *k, const uint8_t *p, size_t n, struct key *out)
{
	static const char keypad[] = "*+,-./0123456789";	/* j … y */
	unsigned mods = 0;
	size_t i = 2;

	if (i < n && p[i] >= '1' && p[i] <= '9')
		mods = mods_of(p[i++] - '0');
	if (i >= n)
		return 0;
	if (p[i] < 0x40 || p[i] > 0x7e)
		return i;
	if (p[i] == 'M') {
		modified(k, K_ENTER, mods, out);
	} else if (p[i] >= 'j' && p[i] <= 'y') {
		modified(k, (uint32_t)keypad[p[i] - 'j'], mods, out);
	} else {
		letter((char)p[i], p[i] >= 'a' ? MOD_CTRL : mods, out);
	}
	return i + 1;
}

/*
 * OSC, DCS and APC: answers of the terminal that come too late for who asked, and how they begin.
 * Alt with the same letter is a key, so that less than this is not taken for one.
 */
static const struct { char introducer; const char *first; } answers[] = {
	{ ']', "0123456789Ll" }, { 'P', "0123456789>!|" }, { '_', "G" },
};

static const char *answer_begins(uint8_t introducer)
{
	for (size_t i = 0; i < N(answers); i++)
		if (answers[i].introducer == (char)introducer)
			return answers[i].first;
	return NULL;
}

static size_t terminfo_key(const struct keys *k, const uint8_t *p, size_t n, bool *partial, struct key *out)
{
	size_t best = 0;

	for (int i = 0; i < k->n_strings; i++) {
		const struct string_key *t = &k->strings[i];

		if (n >= t->n && t->n > best && !memcmp(p, t->p, t->n)) {
			best = t->n;
			key_set(out, t->code, t->mods);
		} else if (n < t->n && !memcmp(p, t->p, n)) {
			*partial = true;
		}
	}
	return best;
}

static size_t take(struct keys *k, const uint8_t *p, size_t n, bool late, struct key *out);

static size_t escape(struct keys *k, const uint8_t *p, size_t n, bool late, struct key *out)
{
	bool partial = false;
	size_t used = n > 1 ? terminfo_key(k, p, n, &partial, out) : 0;

	if (used)
		return used;
	if (n == 1 || (partial && !late)) {
		key_set(out, K_ESC, 0);
		return late ? 1 : 0;
	}
	if (p[1] == '[' || p[1] == 'O') {
		used = p[1] == '[' ? csi(k, p, n, out) : ss3(k, p, n, out);
		if (used || !late)
			return used;
		if (n > 2) {		/* the rest never came */
			key_set(out, 0, 0);
			return n;
		}
	}
	if (answer_begins(p[1])) {
		if (n == 2 && !late)
			return 0;
		if (n > 2 && p[2] && strchr(answer_begins(p[1]), p[2])) {
			k->answering = true;
			key_set(out, 0, 0);
			return 3;
		}
	}
	if (p[1] == K_ESC) {
		used = take(k, p + 1, n - 1, late, out);
		if (!used)
			return 0;
		if (out->code >= K_FIRST)
			out->mods |= MOD_ALT;
		if (out->code >= K_FIRST || !out->code)
			return used + 1;
		key_set(out, K_ESC, 0);
		out->bytes = NULL;
		return 1;
	}
	used = single(p + 1, n - 1, late, out);
	if (!used)
		return 0;
	out->mods |= MOD_ALT;
	return used + 1;
}

static size_t take(struct keys *k, const uint8_t *p, size_t n, bool late, struct key *out)
{
	memset(out, 0, sizeof(*out));
	if (p[0] == K_ESC)
		return escape(k, p, n, late, out);
	return single(p, n, late, out);
}

/* -- paste ---------------------------------------------------------------------------- */

static bool give_paste(struct keys *k, struct key *out)
{
	str_clear(&k->given);
	for (size_t i = 0; i < k->paste.len; i++) {
		char c = k->paste.p[i];

		if (c == '\r' && i + 1 < k->paste.len && k->paste.p[i + 1] == '\n')
			continue;
		str_addc(&k->given, c == '\r' ? '\n' : c);
	}
	str_clear(&k->paste);
	key_set(out, K_PASTE, 0);
	out->bytes = k->given.p;
	out->n = k->given.len;
	return out->n > 0;
}

/*
 * After a stall the end may never come: a key that cannot be pasted text is a person again, and so is a
 * single character that comes alone. But for line ends: a message must not be sent by what may be pasted.
 */
static bool person_again(const uint8_t *p, size_t n)
{
	const bool alone = p[0] < 0xc0 ? n == 1 : n == (p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4);

	if (alone && p[0] != K_ESC && p[0] != '\r' && p[0] != '\n')
		return true;
	return p[0] == 0x03 || (p[0] == K_ESC && memcmp(p, paste_end, n < PASTE_END_LEN ? n : PASTE_END_LEN) != 0);
}

static bool next_paste(struct keys *k, struct key *out)
{
	const char *p = k->buf.p + k->pos;
	size_t n = k->buf.len - k->pos, i = 0;
	const char *esc;

	if (n && k->stalled && person_again((const uint8_t *)p, n)) {
		k->pasting = k->stalled = false;
		return give_paste(k, out);
	}
	while (i < n) {
		esc = memchr(p + i, K_ESC, n - i);
		if (!esc) {
			i = n;
			break;
		}
		i = (size_t)(esc - p);
		if (n - i >= PASTE_END_LEN && !memcmp(esc, paste_end, PASTE_END_LEN)) {
			str_add(&k->paste, p, i);
			k->pos += i + PASTE_END_LEN;
			k->pasting = k->stalled = false;
			return give_paste(k, out);
		}
		if (n - i < PASTE_END_LEN && !memcmp(esc, paste_end, n - i))
			break;		/* perhaps the end: wait for the rest */
		i++;
	}
	str_add(&k->paste, p, i);
	k->pos += i;
	if (!k->late)
		return false;
	k->stalled = true;
	return give_paste(k, out);
}

/* -- answers of the terminal ---------------------------------------------------------- */

/*
 * To their end, BEL or ESC \\; false: more must come. There is no control character in them: one
 * is a person again, and what stalls has ended too.
 */
static bool skip_answer(struct keys *k)
{
	const char *p = k->buf.p + k->pos;
	size_t n = k->buf.len - k->pos, i = 0;

	while (i < n && (uint8_t)p[i] >= ' ' && p[i] != K_BACKSPACE)
		i++;
	k->pos += i;
	p += i;
	n -= i;
	if (!k->late && (!n || (n == 1 && *p == K_ESC)))
		return false;
	k->answering = false;
	if (n && *p == '\a')
		k->pos++;
	else if (n > 1 && *p == K_ESC && p[1] == '\\')
		k->pos += 2;
	return true;
}

/* -- the stream ----------------------------------------------------------------------- */

void key_feed(struct keys *k, const char *p, size_t n)
{
	if (k->pos == k->buf.len) {
		str_clear(&k->buf);
		k->pos = 0;
	} else if (k->pos > 4096) {
		str_erase(&k->buf, 0, k->pos);
		k->pos = 0;
	}
	k->late = false;
	str_add(&k->buf, p, n);
}

bool key_next(struct keys *k, struct key *out)
{
	while (k->pos < k->buf.len || ((k->pasting || k->answering) && k->late)) {
		const uint8_t *p = (const uint8_t *)k->buf.p + k->pos;
		size_t used;

		if (k->answering) {
			if (!skip_answer(k))
				break;
			continue;
		}
		if (k->pasting) {
			if (next_paste(k, out))
				return true;
			if (k->pasting)
				break;
			continue;
		}
		used = take(k, p, k->buf.len - k->pos, k->late, out);
		if (!used)
			break;
		k->pos += used;
		if (out->code) {
			if (!out->bytes) {
				out->bytes = (const char *)p;
				out->n = used;
			}
			return true;
		}
	}
	k->late = false;
	return false;
}

/* Alt with what may also begin an answer. */
static bool may_be_alt(const struct keys *k)
{
	return k->buf.len - k->pos == 2 && answer_begins((uint8_t)k->buf.p[k->pos + 1]);
}

int key_wait(const struct keys *k)
{
	size_t held = k->buf.len - k->pos;

	if (k->pasting)
		return k->stalled && !k->paste.len ? 0 : KEY_PASTE_WAIT_MS;
	if (k->answering)
		return SEQUENCE_WAIT_MS;
	return !held ? 0 : held == 1 || may_be_alt(k) ? KEY_WAIT_MS : SEQUENCE_WAIT_MS;
}

void key_late(struct keys *k)
{
	k->late = true;
}

/* -- xterm's form --------------------------------------------------------------------- */

size_t key_xterm(const struct key *k, char buf[KEY_XTERM])
{
	unsigned n = 0;
	char last = '~';

	for (size_t i = 0; i < N(tilde) && !n; i++)
		if (tilde[i].code == k->code)
			n = tilde[i].n;
	for (size_t i = 0; i < N(letters); i++)
		if (letters[i].code == k->code && !letters[i].mods)
			last = letters[i].last;
	if (!n && last == '~')
		return 0;
	if (last == '~')
		return (size_t)(k->mods ? snprintf(buf, KEY_XTERM, "\033[%u;%u~", n, k->mods + 1) :
				snprintf(buf, KEY_XTERM, "\033[%u~", n));
	return (size_t)(k->mods ? snprintf(buf, KEY_XTERM, "\033[1;%u%c", k->mods + 1, last) :
			snprintf(buf, KEY_XTERM, last >= 'P' ? "\033O%c" : "\033[%c", last));
}

/* -- names ---------------------------------------------------------------------------- */

static bool code_of(const char *name, uint32_t *code)
{
	size_t n = strlen(name);
	ucs4_t c;

	for (size_t i = 0; i < N(plain_names); i++) {
		if (!strcasecmp(plain_names[i].name, name)) {
			*code = plain_names[i].code;
			return true;
		}
	}
	for (size_t i = 0; i < N(key_names); i++) {
		if (!strcasecmp(key_names[i].name, name)) {
			*code = K_FIRST + 1 + (uint32_t)i;
			return true;
		}
	}
	if (!n || u8_mbtoucr(&c, (const uint8_t *)name, n) != (int)n || c < ' ')
		return false;
	*code = c;
	return true;
}

bool key_parse(const char *name, struct key *out)
{
	static const struct { char letter; unsigned mod; } prefixes[] = {
		{ 'C', MOD_CTRL }, { 'M', MOD_ALT }, { 'S', MOD_SHIFT },
	};

	memset(out, 0, sizeof(*out));
	while (name[0] && name[1] == '-' && name[2]) {
		unsigned mod = 0;

		for (size_t i = 0; i < N(prefixes); i++)
			if (prefixes[i].letter == name[0])
				mod = prefixes[i].mod;
		if (!mod)
			return false;
		out->mods |= mod;
		name += 2;
	}
	return code_of(name, &out->code);
}

const char *key_symbol(const struct key *k, bool ascii, char buf[8])
{
	for (size_t i = 0; i < N(plain_names); i++)
		if (plain_names[i].code == k->code)
			return plain_names[i].name;
	if (k->code > K_FIRST && k->code < K_N) {
		size_t i = k->code - K_FIRST - 1;

		return !ascii && key_names[i].symbol ? key_names[i].symbol : key_names[i].name;
	}
	if (k->code < 0x80 && k->mods)
		snprintf(buf, 8, "%c", toupper((int)k->code));
	else
		buf[u8_uctomb((uint8_t *)buf, k->code, 7)] = 0;
	return buf;
}

void key_label(const struct key *k, bool ascii, struct str *out)
{
	static const struct { unsigned mod; const char *name; } mods[] = {
		{ MOD_CTRL, "Ctrl-" }, { MOD_ALT, "Alt-" }, { MOD_SHIFT, "Shift-" },
	};
	char buf[8];

	for (size_t i = 0; i < N(mods); i++)
		if (k->mods & mods[i].mod)
			str_adds(out, mods[i].name);
	str_adds(out, key_symbol(k, ascii, buf));
}
