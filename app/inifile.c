#include "config.h"
#include "app/inifile.h"
#include "engine/base/xio.h"

#include <errno.h>
#include <ini.h>
#include <string.h>
#include <sys/stat.h>

/* inih tells no lines: the reader that it calls for each counts them. */
struct reading {
	const char *at, *end;
	int line;
	const char *name;
	inifile_row_fn *row;
	void *arg;
	struct str *complaints;
	bool goes_on;			/* the line begins with a blank */
	/* the row that is read, until it is sure that it does not go on */
	struct str section, key, value;
	int row_line;			/* 0: there is none */
};

static void complain(struct reading *r, int line, const char *what)
{
	str_addf(r->complaints, "%s%s: line %d: %s", r->complaints->len ? "\n" : "", r->name, line, what);
}

/* The row is whole: it is handed on. */
static void flush(struct reading *r)
{
	struct err e = { 0 };

	if (!r->row_line)
		return;
	if (r->section.failed || r->key.failed || r->value.failed)
		complain(r, r->row_line, "no memory for this line");
	else if (r->row(r->arg, r->section.p, r->key.p, r->value.p, &e) < 0)
		complain(r, r->row_line, e.msg);
	r->row_line = 0;
}

/* Has the line something in it that should have been a row or a heading, and inih took it for neither? */
static void check_line(struct reading *r, const char *line, size_t n)
{
	while (n && strchr(" \t\r\n", line[n - 1]))
		n--;
	while (n && (*line == ' ' || *line == '\t')) {
		line++;
		n--;
	}
	if (!n || strchr(";#", *line))
		return;
	/* more of a value may be anything */
	if (r->goes_on && r->row_line)
		return;
	flush(r);
	if (*line == '[' && !memchr(line, ']', n))
		complain(r, r->line, "a heading without its ]");
	else if (*line != '[' && !memchr(line, '=', n) && !memchr(line, ':', n))
		complain(r, r->line, "expected [section] or key = value");
}

static char *next_line(char *buf, int size, void *arg)
{
	struct reading *r = arg;
	const char *start = r->at;
	const char *nl = r->at < r->end ? memchr(r->at, '\n', (size_t)(r->end - r->at)) : NULL;
	size_t n;

	if (start >= r->end)
		return NULL;
	r->at = nl ? nl + 1 : r->end;
	r->line++;
	n = (size_t)(r->at - start);
	/* what is left out is told, and takes its place as an empty line */
	if (n + 1 > (size_t)size || n > INIFILE_MAX_LINE || memchr(start, '\0', n)) {
		complain(r, r->line, memchr(start, '\0', n) ? "a NUL byte" : "the line is too long");
		n = 0;
	} else {
		r->goes_on = *start == ' ' || *start == '\t';
		check_line(r, start, n);
	}
	memcpy(buf, start, n);
	buf[n] = '\0';
	if (!n)
		memcpy(buf, "\n", 2);
	return buf;
}

static int on_row(void *arg, const char *section, const char *key, const char *value)
{
	struct reading *r = arg;

	if (r->goes_on && r->row_line && !strcmp(key, r->key.p) && !strcmp(section, r->section.p)) {
		str_addf(&r->value, "\n%s", value ? value : "");
		return 1;
	}
	flush(r);
	str_clear(&r->section);
	str_clear(&r->key);
	str_clear(&r->value);
	str_adds(&r->section, section);
	str_adds(&r->key, key);
	str_adds(&r->value, value ? value : "");
	r->row_line = r->line;
	return 1;
}

void inifile_text(const char *text, size_t n, const char *name, inifile_row_fn *row, void *arg, struct str *complaints)
{
	static const char mark[] = "\xef\xbb\xbf";	/* of UTF-8, as some editors write it */
	const size_t skip = n >= 3 && !memcmp(text, mark, 3) ? 3 : 0;
	struct reading r = {
		.at = text + skip, .end = text + n, .name = name, .row = row, .arg = arg, .complaints = complaints,
	};

	str_init(&r.section, 0);
	str_init(&r.key, 0);
	str_init(&r.value, INIFILE_MAX_BYTES);
	ini_parse_stream(next_line, &r, on_row, &r);
	flush(&r);
	str_release(&r.section);
	str_release(&r.key);
	str_release(&r.value);
}

int inifile_read(const char *path, inifile_row_fn *row, void *arg, struct str *complaints, struct err *e)
{
	struct stat st;
	struct str s;
	int r;

	if (stat(path, &st)) {
		if (errno == ENOENT || errno == ENOTDIR)
			return err_set(e, ERR_NOT_FOUND, "%s: there is no such file", path);
	} else if (S_ISDIR(st.st_mode) || !S_ISREG(st.st_mode)) {
		/* a pipe would be waited for */
		return err_set(e, ERR_IO, "%s: is %s, not a file of settings", path,
			       S_ISDIR(st.st_mode) ? "a folder" : "no regular file");
	}
	str_init(&s, INIFILE_MAX_BYTES);
	r = xio_slurp_regular(path, &s, e);
	if (!r && s.len >= 2 && (!memcmp(s.p, "\xff\xfe", 2) || !memcmp(s.p, "\xfe\xff", 2)))
		r = err_set(e, ERR_FORMAT, "%s: is UTF-16; save it as UTF-8", path);
	if (!r)
		inifile_text(s.p, s.len, path, row, arg, complaints);
	str_release(&s);
	return r;
}
