/*
 * Errors: a code to branch on and a sentence to show. Every function of the
 * engine that can fail takes a struct err * last and returns 0 or -1; the engine
 * itself never prints and never exits.
 *
 * A message names what failed, which file, which field, at what offset, what was
 * expected and found, and what to try, in one line and without a final newline.
 * Text that comes from a file is quoted by the caller of err_set() only through
 * err_quote(), so that no control byte reaches a terminal by way of an error.
 */
#ifndef ENGINE_BASE_ERR_H
#define ENGINE_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

/* code, short name: the name is what -o json prints. */
#define ERR_CODES(X) \
	X(ERR_NONE, "ok") \
	X(ERR_NOMEM, "no-memory") \
	X(ERR_IO, "io") \
	X(ERR_FORMAT, "malformed") \
	X(ERR_UNSUPPORTED, "unsupported") \
	X(ERR_LIMIT, "limit") \
	X(ERR_ARG, "argument") \
	X(ERR_CANCELLED, "cancelled") \
	X(ERR_CONTEXT, "context-full") \
	X(ERR_TEMPLATE, "template") \
	X(ERR_NOT_FOUND, "not-found") \
	X(ERR_PIPE, "reader-gone")

enum err_code {
#define ERR_ENUM(code, name) code,
	ERR_CODES(ERR_ENUM)
#undef ERR_ENUM
	ERR_N
};

struct err {
	enum err_code code;
	char msg[512];
};

/* Sets code and message (cut to fit); returns -1, so that `return err_set(...)` reads well. err may be NULL. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, with ": <strerror(errno)>" after it. */
int err_errno(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "<text>: " before the message that is there: once, on the way up. Returns -1. */
int err_context(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

const char *err_code_name(enum err_code code);

/*
 * Copies at most n bytes of text from outside into buf for use in a message: control
 * bytes, C1 controls and invalid UTF-8 become '?', long text is cut with "...". Returns buf.
 */
const char *err_quote(char *buf, size_t size, const char *text, size_t n);

#endif
