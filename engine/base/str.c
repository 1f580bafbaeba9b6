#include "config.h"
#include "engine/base/str.h"
#include "engine/base/xio.h"

#include <stdio.h>
#include <string.h>

static char empty[1];

void str_init(struct str *s, size_t cap)
{
	*s = (struct str){ .p = empty, .cap = cap ? cap : (size_t)1 << 30 };
}

void str_release(struct str *s)
{
	if (s->p != empty)
		mem_free(s->p);
	str_init(s, s->cap);
}

void str_clear(struct str *s)
{
	s->len = 0;
	s->failed = false;
	if (s->size)
		s->p[0] = '\0';
}

static bool grow(struct str *s, size_t add)
{
	size_t want = s->size ? s->size : 64;
	char *p;

	if (s->failed || add > s->cap - s->len) {
		s->failed = true;
		return false;
	}
	if (s->len + add + 1 <= s->size)
		return true;
	while (want < s->len + add + 1)
		want *= 2;
	p = mem_realloc(s->p == empty ? NULL : s->p, want);
	if (!p) {
		s->failed = true;
		return false;
	}
	s->p = p;
	s->size = want;
	return true;
}

void str_add(struct str *s, const void *p, size_t n)
{
	if (!n || !grow(s, n))
		return;
	memcpy(s->p + s->len, p, n);
	s->len += n;
	s->p[s->len] = '\0';
}

void str_adds(struct str *s, const char *z)
{
	str_add(s, z, strlen(z));
}

void str_addc(struct str *s, char c)
{
	str_add(s, &c, 1);
}

void str_vaddf(struct str *s, const char *fmt, va_list ap)
{
	va_list copy;
	int n;

	va_copy(copy, ap);
	n = vsnprintf(NULL, 0, fmt, copy);
	va_end(copy);
	if (n <= 0 || !grow(s, (size_t)n))
		return;
	vsnprintf(s->p + s->len, (size_t)n + 1, fmt, ap);
	s->len += (size_t)n;
}

void str_addf(struct str *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(s, fmt, ap);
	va_end(ap);
}

void str_add_utf8(struct str *s, unsigned cp)
{
	char b[4];
	size_t n;

	if (cp < 0x80) {
		b[0] = (char)cp;
		n = 1;
	} else if (cp < 0x800) {
		b[0] = (char)(0xc0 | cp >> 6);
		b[1] = (char)(0x80 | (cp & 63));
		n = 2;
	} else if (cp < 0x10000) {
		b[0] = (char)(0xe0 | cp >> 12);
		b[1] = (char)(0x80 | (cp >> 6 & 63));
		b[2] = (char)(0x80 | (cp & 63));
		n = 3;
	} else {
		b[0] = (char)(0xf0 | cp >> 18);
		b[1] = (char)(0x80 | (cp >> 12 & 63));
		b[2] = (char)(0x80 | (cp >> 6 & 63));
		b[3] = (char)(0x80 | (cp & 63));
		n = 4;
	}
	str_add(s, b, n);
}

void str_cut(struct str *s, size_t n)
{
	if (n >= s->len)
		return;
	s->len = n;
	s->p[n] = '\0';
}

void str_erase(struct str *s, size_t at, size_t n)
{
	if (at >= s->len)
		return;
	if (n > s->len - at)
		n = s->len - at;
	memmove(s->p + at, s->p + at + n, s->len - at - n + 1);
	s->len -= n;
}

char *str_take(struct str *s)
{
	char *p;

	if (s->failed || (!s->size && !grow(s, 1))) {
		str_release(s);
		return NULL;
	}
	p = s->p;
	p[s->len] = '\0';
	str_init(s, s->cap);
	return p;
}
