/*
 * The one key decoder: bytes of the terminal in, keys out. curses' getch() is not used.
 *
 * It knows the strings of the terminal's terminfo entry, the CSI and SS3 forms of xterm with
 * their modifiers, rxvt's and the Linux console's, "CSI u" and "CSI 27 ; mod ; code ~", Alt as
 * an ESC before a key, and bracketed paste. Whatever the bytes and however they are cut, it
 * takes all of them and gives each at most once; a sequence that it cannot read is swallowed, and
 * so is an answer of the terminal (OSC, DCS, APC) that nobody waits for.
 *
 * A lone ESC can only be told by time: while key_wait() is not 0, call key_late() when that
 * many milliseconds passed without a byte.
 */
#ifndef UI_KEY_H
#define UI_KEY_H

#include "engine/base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* As in xterm's parameters, less one. */
enum key_mod { MOD_SHIFT = 1, MOD_ALT = 2, MOD_CTRL = 4 };

/* Name in texts, symbol on the screen (NULL: the name). */
#define KEY_CODES(X) \
	X(UP, "Up", "\xe2\x86\x91") \
	X(DOWN, "Down", "\xe2\x86\x93") \
	X(RIGHT, "Right", "\xe2\x86\x92") \
	X(LEFT, "Left", "\xe2\x86\x90") \
	X(HOME, "Home", NULL) \
	X(END, "End", NULL) \
	X(INSERT, "Insert", NULL) \
	X(DELETE, "Delete", NULL) \
	X(PGUP, "PgUp", NULL) \
	X(PGDN, "PgDn", NULL) \
	X(F1, "F1", NULL) X(F2, "F2", NULL) X(F3, "F3", NULL) X(F4, "F4", NULL) \
	X(F5, "F5", NULL) X(F6, "F6", NULL) X(F7, "F7", NULL) X(F8, "F8", NULL) \
	X(F9, "F9", NULL) X(F10, "F10", NULL) X(F11, "F11", NULL) X(F12, "F12", NULL) \
	X(WHEEL_UP, "WheelUp", NULL) \
	X(WHEEL_DOWN, "WheelDown", NULL) \
	X(PASTE, "paste", NULL) \
	X(FOCUS, "focus", NULL)		/* the terminal has it, or not (report[1]) */ \
	X(REPORT, "report", NULL)	/* report[0]: a mode, [1]: its value */

enum key_code {
	K_ENTER = '\r',
	K_TAB = '\t',
	K_ESC = 0x1b,
	K_BACKSPACE = 0x7f,
	K_FIRST = 0x110000,	/* after the last Unicode scalar value; itself no key */
#define KEY_ENUM(id, name, symbol) K_##id,
	KEY_CODES(KEY_ENUM)
#undef KEY_ENUM
	K_N
};

struct key {
	uint32_t code;		/* a Unicode scalar value or an enum key_code; Ctrl-A is 'a' with MOD_CTRL */
	unsigned mods;
	const char *bytes;	/* as readline wants them; K_PASTE: the text. Valid until the next call */
	size_t n;
	unsigned report[2];
};

enum { KEY_REPORT_PRIVATE = 0x10000, KEY_REPORT_DEVICE = 0x20000 };	/* of "CSI ? mode"; of the terminal itself: no mode */

enum { KEY_WAIT_MS = 25, KEY_PASTE_WAIT_MS = 1000 };

struct keys;

/* terminfo: take the strings of the terminal that curses has opened. */
struct keys *keys_new(bool terminfo);
void keys_free(struct keys *k);
void key_feed(struct keys *k, const char *p, size_t n);
/* The next whole key; false when there is none (yet). */
bool key_next(struct keys *k, struct key *out);
/* Milliseconds after which what is held should be taken for what it is; 0: nothing is held. */
int key_wait(const struct keys *k);
/* The time has come: call key_next() again. */
void key_late(struct keys *k);

/* As xterm sends a key without a character: what readline's own bindings are for. 0: it has no such form. */
enum { KEY_XTERM = 16 };
size_t key_xterm(const struct key *k, char buf[KEY_XTERM]);
/* "C-j", "M-Enter", "S-F1", "PgUp", "x" → key (code and mods); false when it is none. */
bool key_parse(const char *name, struct key *out);
/* "Ctrl-J", "Alt-↑" (with ascii "Alt-Up"): for people. key_symbol() leaves the modifiers away. */
void key_label(const struct key *k, bool ascii, struct str *out);
const char *key_symbol(const struct key *k, bool ascii, char buf[8]);
static inline bool key_is(const struct key *k, uint32_t code, unsigned mods)
{
	return k->code == code && k->mods == mods;
}

#endif
