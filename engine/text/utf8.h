/*
 * UTF-8, checked by hand: one character at a time, or the longest valid beginning of a
 * text. (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.)
 */
#ifndef ENGINE_TEXT_UTF8_H
#define ENGINE_TEXT_UTF8_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * The character at p, n > 0 bytes at hand. > 0: it is valid and so many bytes long. 0: the
 * text ends inside it. < 0: ill-formed; the first -r bytes are its longest piece that
 * could have begun a character (what U+FFFD stands for once), at least 1.
 */
static inline int utf8_char(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned char c = p[0], lo = 0x80, hi = 0xbf;
	int need;

	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf) {
		need = 2;
	} else if ((c & 0xf0) == 0xe0) {
		need = 3;
		lo = c == 0xe0 ? 0xa0 : 0x80;
		hi = c == 0xed ? 0x9f : 0xbf;
	} else if (c >= 0xf0 && c <= 0xf4) {
		need = 4;
		lo = c == 0xf0 ? 0x90 : 0x80;
		hi = c == 0xf4 ? 0x8f : 0xbf;
	} else {
		return -1;
	}
	for (int i = 1; i < need; i++) {
		if ((size_t)i == n)
			return 0;
		if (p[i] < lo || p[i] > hi)
			return -i;
		lo = 0x80;
		hi = 0xbf;
	}
	return need;
}

/* Bytes at the beginning of [s, s+n) that are whole, valid characters. */
static inline size_t utf8_valid(const char *s, size_t n)
{
	size_t i = 0;
	uint64_t x;

	while (i < n) {
		int k;

		if (n - i >= 8) {
			memcpy(&x, s + i, 8);
			if (!(x & 0x8080808080808080u)) {
				i += 8;
				continue;
			}
		}
		k = utf8_char(s + i, n - i);
		if (k <= 0)
			break;
		i += (size_t)k;
	}
	return i;
}

/* The code point of a valid character of k bytes. */
static inline uint32_t utf8_code(const char *s, int k)
{
	const unsigned char *p = (const unsigned char *)s;

	switch (k) {
	case 1:
		return p[0];
	case 2:
		return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
	case 3:
		return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
	default:
		return (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
	}
}

#endif
