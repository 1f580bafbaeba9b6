/*
 * The verb tokenize: text → ids and back, through the tokenizer that chat uses. A workbench:
 * whole standard input as it is, or line by line as JSON.
 */
#include "config.h"
#include "app/cmd.h"
#include "engine/base/str.h"
#include "engine/base/xio.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

enum { INPUT_MAX = 512 << 20 };

struct job {
	const struct opts *o;
	struct eng_model *model;
	struct eng_ids ids;
	struct str text;
};

/* -- out --------------------------------------------------------------------------- */

/* How many bytes at the beginning of what is no UTF-8 one U+FFFD stands for. */
static size_t bad_bytes(const uint8_t *p, size_t n)
{
	ucs4_t c;
	size_t k = 1;

	while (k < n && k < 4 && u8_mbtoucr(&c, p, k) == -2)
		k++;
	return k == 1 || u8_mbtoucr(&c, p, k) == -2 ? k : k - 1;
}

/* A JSON string of bytes; what is no UTF-8 becomes U+FFFD. */
static int print_json(const char *p, size_t n, struct err *e)
{
	const uint8_t *at = (const uint8_t *)p, *end = at + n;
	struct str s;
	json_t *j;
	char *line;

	str_init(&s, 0);
	while (at < end) {
		const uint8_t *bad = u8_check(at, (size_t)(end - at));

		str_add(&s, at, (size_t)((bad ? bad : end) - at));
		at = bad ? bad + bad_bytes(bad, (size_t)(end - bad)) : end;
		if (bad)
			str_adds(&s, "\xef\xbf\xbd");
	}
	j = s.failed ? NULL : json_stringn(s.p, s.len);
	line = j ? json_dumps(j, JSON_ENCODE_ANY) : NULL;
	if (line)
		fputs(line, stdout);
	json_decref(j);
	str_release(&s);
	if (!line)
		return err_set(e, ERR_NOMEM, "no memory for a text of %zu bytes", n);
	free(line);
	return 0;
}

static int print_piece(struct job *j, int32_t id, struct err *e)
{
	size_t n = 0;
	const char *p = eng_token(j->model, id, &n);

	return print_json(p ? p : "", n, e);
}

static int print_array(struct job *j, struct err *e)
{
	putchar('[');
	for (size_t i = 0; i < j->ids.n; i++) {
		printf(j->o->pieces ? "%s[%" PRId32 "," : "%s%" PRId32, i ? "," : "", j->ids.p[i]);
		if (j->o->pieces) {
			if (print_piece(j, j->ids.p[i], e) < 0)
				return -1;
			putchar(']');
		}
	}
	puts("]");
	return 0;
}

static int print_lines(struct job *j, struct err *e)
{
	for (size_t i = 0; i < j->ids.n; i++) {
		printf("%" PRId32, j->ids.p[i]);
		if (j->o->pieces) {
			putchar('\t');
			if (print_piece(j, j->ids.p[i], e) < 0)
				return -1;
		}
		putchar('\n');
	}
	return 0;
}

/* -- in ---------------------------------------------------------------------------- */

static int add_id(struct job *j, int64_t id, struct err *e)
{
	if (id < 0 || id > INT32_MAX)
		return err_set(e, ERR_ARG, "%" PRId64 " is no token id", id);
	if (eng_ids_add(&j->ids, (int32_t)id) < 0)
		return err_set(e, ERR_NOMEM, "no memory for %zu ids", j->ids.n);
	return 0;
}

static int read_array(struct job *j, const json_t *list, struct err *e)
{
	j->ids.n = 0;
	if (!json_is_array(list))
		return err_set(e, ERR_FORMAT, "expected a JSON array of ids");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);

		if (!json_is_integer(v))
			return err_set(e, ERR_FORMAT, "expected an id as element %zu of the array", i);
		if (add_id(j, json_integer_value(v), e) < 0)
			return -1;
	}
	return 0;
}

/* Ids apart by white space. */
static int read_words(struct job *j, const char *p, size_t n, struct err *e)
{
	static const char space[] = " \t\n\v\f\r";
	char shown[48];
	size_t i = 0;

	while (i < n) {
		int64_t id = 0;
		size_t at = i;

		if (p[i] && strchr(space, p[i])) {
			i++;
			continue;
		}
		for (; i < n && p[i] >= '0' && p[i] <= '9' && id <= INT32_MAX; i++)
			id = id * 10 + (p[i] - '0');
		if (i < n && !(p[i] && strchr(space, p[i])))
			return err_set(e, ERR_FORMAT, "offset %zu: expected a token id, found '%s'", at,
				       err_quote(shown, sizeof shown, p + at, n - at < 16 ? n - at : 16));
		if (add_id(j, id, e) < 0)
			return -1;
	}
	return 0;
}

/* -- the four ways ------------------------------------------------------------------- */

static int encode(struct job *j, const char *p, size_t n, struct err *e)
{
	const unsigned how = (j->o->special ? ENG_TEXT_SPECIAL : 0) | (j->o->bos ? ENG_TEXT_BOS : 0);

	j->ids.n = 0;
	return eng_encode(j->model, p, n, how, &j->ids, e);
}

static int decode(struct job *j, struct err *e)
{
	str_clear(&j->text);
	return eng_decode(j->model, j->ids.p, j->ids.n, j->o->special, &j->text, e);
}

static int do_line(struct job *j, const char *line, size_t n, struct err *e)
{
	json_error_t why;
	json_t *v = json_loadb(line, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
	int r;

	if (!v)
		return err_set(e, ERR_FORMAT, "no JSON: %s", why.text);
	if (j->o->detokenize) {
		r = read_array(j, v, e);
		r = r < 0 ? r : decode(j, e);
		r = r < 0 ? r : print_json(j->text.p, j->text.len, e);
		if (r == 0)
			putchar('\n');
	} else if (json_is_string(v)) {
		r = encode(j, json_string_value(v), json_string_length(v), e);
		r = r < 0 ? r : print_array(j, e);
	} else {
		r = err_set(e, ERR_FORMAT, "expected a JSON string");
	}
	json_decref(v);
	return r;
}

static int do_lines(struct job *j, struct err *e)
{
	char *line = NULL;
	size_t size = 0, at = 0;
	ssize_t n;
	int r = 0;

	while (!r && (n = getline(&line, &size, stdin)) >= 0) {
		at++;
		r = do_line(j, line, (size_t)n, e);
		if (r < 0)
			err_context(e, "standard input: line %zu", at);
	}
	free(line);
	if (!r && ferror(stdin))
		r = err_errno(e, "standard input: cannot read");
	return r;
}

static int do_whole(struct job *j, struct err *e)
{
	struct str in;
	int r;

	str_init(&in, INPUT_MAX);
	r = xio_slurp("-", &in, e);
	if (!r && j->o->detokenize) {
		r = read_words(j, in.p, in.len, e);
		r = r < 0 ? r : decode(j, e);
		if (r < 0)
			err_context(e, "standard input");
		else
			fwrite(j->text.p, 1, j->text.len, stdout);
	} else if (!r) {
		r = encode(j, in.p, in.len, e);
		r = r < 0 ? r : print_lines(j, e);
	}
	str_release(&in);
	return r;
}

static int run(struct opts *o)
{
	const struct eng_opts eo = { .threads = 1 };
	struct job j = { .o = o };
	struct eng *g = NULL;
	struct err e = { 0 };
	int r;

	if (!o->model)
		return cmd_usage(&cmd_tokenize, "tokenize needs a model: -m MODEL");
	if (o->detokenize && (o->pieces || o->bos))
		return cmd_usage(&cmd_tokenize, "--detokenize goes with neither --pieces nor --bos");
	str_init(&j.text, 0);
	r = eng_new(&g, &eo, &e);
	r = r < 0 ? r : eng_model_open(g, o->model, true, &j.model, &e);
	if (!r && !o->detokenize)
		cmd_note_split(j.model);
	r = r < 0 ? r : o->jsonl ? do_lines(&j, &e) : do_whole(&j, &e);
	str_release(&j.text);
	eng_ids_release(&j.ids);
	eng_model_close(j.model);
	eng_free(g);
	return r < 0 ? cmd_fail(&e) : EXIT_OK;
}

static const char *const takes[] = {
	"model", "special", "bos", "jsonl", "detokenize", "pieces", "help", NULL
};

static const char *const notes[] = {
	"Standard input is the text, byte for byte; the ids come one a line. With --detokenize the ids, apart by white "
	"space, are turned back into the same bytes. With --jsonl each line is a JSON string and becomes an array of ids, "
	"or the other way round; bytes that are no UTF-8 become U+FFFD. Files that hold a vocabulary alone are taken too.",
	NULL
};

const struct cmd cmd_tokenize = {
	.name = "tokenize", .args = "", .help = "text to token ids and back",
	.opts = takes, .notes = notes, .run = run,
};
