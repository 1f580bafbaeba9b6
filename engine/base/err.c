#include "config.h"
#include "engine/base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -1;
	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	return -1;
}

int err_errno(struct err *e, const char *fmt, ...)
{
	const int saved = errno;
	va_list ap;
	size_t n;

	if (!e)
		return -1;
	e->code = saved == ENOMEM ? ERR_NOMEM : saved == EPIPE ? ERR_PIPE : ERR_IO;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	n = strlen(e->msg);
	snprintf(e->msg + n, sizeof e->msg - n, ": %s", strerror(saved));
	errno = saved;
	return -1;
}

int err_context(struct err *e, const char *fmt, ...)
{
	char old[sizeof e->msg];
	va_list ap;
	size_t n;

	if (!e)
		return -1;
	memcpy(old, e->msg, sizeof old);
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	n = strlen(e->msg);
	snprintf(e->msg + n, sizeof e->msg - n, ": %s", old);
	return -1;
}

const char *err_code_name(enum err_code code)
{
	static const char *const names[ERR_N] = {
#define ERR_NAME(c, name) [c] = name,
		ERR_CODES(ERR_NAME)
#undef ERR_NAME
	};

	return code >= 0 && code < ERR_N ? names[code] : "unknown";
}

/* Length of the valid, printable UTF-8 sequence at s, or 0. */
static size_t printable(const unsigned char *s, size_t n)
{
	if (s[0] >= 0x20 && s[0] < 0x7f)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf && n >= 2 && (s[1] & 0xc0) == 0x80)
		return s[0] == 0xc2 && s[1] < 0xa0 ? 0 : 2;
	if (s[0] >= 0xe0 && s[0] <= 0xef && n >= 3 && (s[1] & 0xc0) == 0x80 && (s[2] & 0xc0) == 0x80) {
		const unsigned cp = (s[0] & 15u) << 12 | (s[1] & 63u) << 6 | (s[2] & 63u);

		/* no surrogates, no zero-width and direction marks */
		if (cp < 0x800 || (cp >= 0xd800 && cp < 0xe000) || (cp >= 0x200b && cp <= 0x200f) ||
		    (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff)
			return 0;
		return 3;
	}
	if (s[0] >= 0xf0 && s[0] <= 0xf4 && n >= 4 && (s[1] & 0xc0) == 0x80 &&
	    (s[2] & 0xc0) == 0x80 && (s[3] & 0xc0) == 0x80) {
		const unsigned cp = (s[0] & 7u) << 18 | (s[1] & 63u) << 12 | (s[2] & 63u) << 6 | (s[3] & 63u);

		return cp >= 0x10000 && cp < 0xe0000 ? 4 : 0;
	}
	return 0;
}

const char *err_quote(char *buf, size_t size, const char *text, size_t n)
{
	size_t o = 0, i = 0;

	while (i < n && o + 8 < size) {
		const size_t k = printable((const unsigned char *)text + i, n - i);

		if (k) {
			memcpy(buf + o, text + i, k);
			o += k;
			i += k;
		} else {
			buf[o++] = '?';
			i++;
		}
	}
	if (i < n && o + 4 <= size) {
		memcpy(buf + o, "...", 3);
		o += 3;
	}
	if (size)
		buf[o < size ? o : size - 1] = '\0';
	return buf;
}
