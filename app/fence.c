#include "config.h"
#include "app/fence.h"

#include <stdbool.h>
#include <string.h>

enum { MARKS = 3, INDENT = 3 };

/* What a line begins with; n 0: it is no fence. */
static struct fence begins(const char *line, size_t n)
{
	struct fence f = { 0 };

	while (f.indent < n && f.indent < INDENT && line[f.indent] == ' ')
		f.indent++;
	if (f.indent == n || (line[f.indent] != '`' && line[f.indent] != '~'))
		return f;
	f.mark = line[f.indent];
	while (f.indent + f.n < n && line[f.indent + f.n] == f.mark)
		f.n++;
	f.n = f.n >= MARKS ? f.n : 0;
	return f;
}

static bool blank_behind(const char *line, size_t n, size_t at)
{
	while (at < n && strchr(" \t\r", line[at]))
		at++;
	return at == n;
}

enum fence_line fence_next(struct fence *f, const char *line, size_t n)
{
	const struct fence now = begins(line, n);
	const size_t behind = now.indent + now.n;

	if (f->n) {
		if (!now.n || now.n < f->n || now.mark != f->mark || !blank_behind(line, n, behind))
			return FENCE_INSIDE;
		f->n = 0;
		return FENCE_CLOSES;
	}
	/* backticks behind them: code in a line of text */
	if (!now.n || (now.mark == '`' && memchr(line + behind, '`', n - behind)))
		return FENCE_OUTSIDE;
	*f = now;
	return FENCE_OPENS;
}
