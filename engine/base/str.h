/*
 * A byte buffer that grows up to a cap. It never fails in the middle: once memory
 * or the cap runs out, `failed` is set, later additions do nothing, and the caller
 * looks once at the end. p is always NUL-terminated (the NUL is not counted), so
 * it can be printed even when empty or failed.
 */
#ifndef ENGINE_BASE_STR_H
#define ENGINE_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct str {
	char *p;	/* bytes, NUL-terminated; "" when nothing was added */
	size_t len;
	size_t size;	/* allocated */
	size_t cap;	/* most bytes that may be held */
	bool failed;	/* an addition was refused */
};

/* cap 0 means 1 GiB. */
void str_init(struct str *s, size_t cap);
void str_release(struct str *s);
/* Empties and forgives a failure; keeps the memory. */
void str_clear(struct str *s);
void str_add(struct str *s, const void *p, size_t n);
void str_adds(struct str *s, const char *z);
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_vaddf(struct str *s, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Appends a Unicode scalar value as UTF-8. */
void str_add_utf8(struct str *s, unsigned cp);
/* Shortens to n bytes; n > len does nothing. */
void str_cut(struct str *s, size_t n);
/* Takes `n` bytes out at `at`. */
void str_erase(struct str *s, size_t at, size_t n);
/* Hands the bytes to the caller (mem_free) and leaves s empty. NULL after a failure. */
char *str_take(struct str *s);

#endif
