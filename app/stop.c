#include "config.h"
#include "app/stop.h"

#include <string.h>

void stop_add(struct stop *s, const char *text)
{
	if (*text && s->n < STOP_MAX)
		s->texts[s->n++] = text;
}

/* From where on text[from, n) could be the beginning of `stop`; n when nowhere. */
static size_t begins(const char *stop, const char *text, size_t n, size_t from)
{
	const size_t len = strlen(stop);
	size_t at = n - from < len ? from : n - len + 1;

	while (at < n && memcmp(text + at, stop, n - at))
		at++;
	return at;
}

size_t stop_find(const struct stop *s, const char *text, size_t n, size_t from, size_t *safe)
{
	size_t first = n, end = n + 1;

	*safe = n;
	for (int i = 0; i < s->n; i++) {
		const size_t len = strlen(s->texts[i]);
		const char *p = memmem(text + from, n - from, s->texts[i], len);
		const size_t at = p ? (size_t)(p - text) : n, hold = begins(s->texts[i], text, n, from);

		if (p && (at + len < end || (at + len == end && at < first))) {
			first = at;
			end = at + len;
		}
		if (hold < *safe)
			*safe = hold;
	}
	if (first < n)
		*safe = first;
	return first;
}
