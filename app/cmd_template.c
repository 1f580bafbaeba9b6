/*
 * The verb template: chat templates tried on conversations, a line of JSON for each. A
 * workbench for comparing with other engines; it shows who wrote each byte.
 */
#include "config.h"
#include "app/cmd.h"
#include "engine/base/str.h"
#include "engine/base/xio.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE_MAX_BYTES = 64 << 20, TEMPLATE_MAX = 4 << 20 };

/* -- one line ---------------------------------------------------------------------- */

/* `said`: the message in full where the template gave it; it may be empty. */
static json_t *failure(const struct err *e, const struct str *said, int line, int column)
{
	json_t *o = json_object(), *text = said && said->len ? json_stringn(said->p, said->len) : NULL;

	json_object_set_new(o, "error", text ? text : json_string(e->msg));

	if (line) {
		json_object_set_new(o, "line", json_integer(line));
		json_object_set_new(o, "column", json_integer(column));
	}
	return o;
}

static json_t *spans_json(const struct eng_rendering *r)
{
	json_t *a = json_array();

	for (size_t i = 0; i < r->n_spans; i++)
		json_array_append_new(a, json_pack("[I,I,s]", (json_int_t)r->spans[i].start, (json_int_t)r->spans[i].end,
						   r->spans[i].user ? "user" : "template"));
	return a;
}

static json_t *ids_json(const struct eng_ids *ids)
{
	json_t *a = json_array();

	for (size_t i = 0; i < ids->n; i++)
		json_array_append_new(a, json_integer(ids->p[i]));
	return a;
}

static json_t *success(const struct eng_rendering *r, bool ids)
{
	json_t *o = json_object(), *text = json_stringn(r->text.p, r->text.len);
	struct err e;

	if (!text) {
		json_decref(o);
		err_set(&e, ERR_FORMAT, "the text is not UTF-8");
		return failure(&e, NULL, 0, 0);
	}
	json_object_set_new(o, "text", text);
	json_object_set_new(o, "spans", spans_json(r));
	if (ids)
		json_object_set_new(o, "ids", ids_json(&r->ids));
	return o;
}

/* The template that the line names or holds; left NULL when it does neither. */
static int find_source(const json_t *in, struct str *file, struct eng_template_job *job, struct err *e)
{
	const json_t *source = json_object_get(in, "source"), *path = json_object_get(in, "template");

	if (source && path)
		return err_set(e, ERR_FORMAT, "both \"source\" and \"template\": a line has one of them, or neither");
	if (json_is_string(source)) {
		job->source = json_string_value(source);
		job->len = json_string_length(source);
	} else if (json_is_string(path)) {
		if (xio_slurp(json_string_value(path), file, e) < 0)
			return -1;
		job->source = file->p;
		job->len = file->len;
	} else if (source || path) {
		return err_set(e, ERR_FORMAT, "\"%s\" is no string", source ? "source" : "template");
	}
	return 0;
}

static json_t *render_line(struct eng_model *m, const struct str *line, const struct opts *o, const struct tm *now)
{
	struct eng_template_job job = { .now = now, .ids = o->ids };
	struct eng_rendering r;
	struct err e = { 0 };
	struct str file;
	json_error_t at;
	json_t *in = json_loadb(line->p, line->len, JSON_ALLOW_NUL, &at), *out;
	char *context = NULL;
	int rc = -1;

	eng_rendering_init(&r);
	str_init(&file, TEMPLATE_MAX);
	if (!json_is_object(in)) {
		err_set(&e, ERR_FORMAT, "expected a JSON object in a line: %s", in ? "another value" : at.text);
	} else if (!find_source(in, &file, &job, &e)) {
		const json_t *vars = json_object_get(in, "context");

		context = vars ? json_dumps(vars, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
		job.context = context ? context : "{}";
		job.context_len = strlen(job.context);
		rc = vars && !context ? err_set(&e, ERR_NOMEM, "no memory for the conversation")
				      : eng_template_render(m, &job, &r, &e);
	}
	out = rc ? failure(&e, &r.text, r.line, r.column) : success(&r, o->ids);
	free(context);		/* jansson's own allocation */
	json_decref(in);
	str_release(&file);
	eng_rendering_release(&r);
	return out;
}

/* -- all lines --------------------------------------------------------------------- */

/* 1: a line; 0: the end; -1: longer than is taken, or it could not be read. */
static int read_line(struct str *line)
{
	char buf[4096];

	str_clear(line);
	while (fgets(buf, sizeof buf, stdin)) {
		const size_t n = strlen(buf);

		str_add(line, buf, n);
		if (line->failed)
			return -1;
		if (n && buf[n - 1] == '\n')
			return 1;
	}
	return ferror(stdin) ? -1 : line->len > 0;
}

static int print_json(json_t *o)
{
	const int bad = !o || json_dumpf(o, stdout, JSON_COMPACT) < 0 || putchar('\n') == EOF;

	json_decref(o);
	return bad ? -1 : fflush(stdout);
}

/* *bad: some line came to an error. */
static int all_lines(struct eng_model *m, const struct opts *o, const struct tm *now, bool *bad, struct err *e)
{
	struct str line;
	json_t *out;
	int rc;

	str_init(&line, LINE_MAX_BYTES);
	while ((rc = read_line(&line)) > 0) {
		out = render_line(m, &line, o, now);
		*bad |= json_object_get(out, "error") != NULL;
		if (print_json(out)) {
			rc = err_errno(e, "cannot write the result");
			goto out;
		}
	}
	if (rc)
		err_set(e, ERR_IO, "standard input: cannot be read, or has a line of more than %d bytes", LINE_MAX_BYTES);
out:
	str_release(&line);
	return rc;
}

/* -- the verb ---------------------------------------------------------------------- */

static int parse_time(const char *text, struct tm *out)
{
	static const char *const forms[] = {
		"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d",
	};

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		const char *end;

		*out = (struct tm){ .tm_isdst = -1 };
		end = strptime(text, forms[i], out);
		if (end && !*end) {
			const int day = out->tm_mday;

			/* fills in the day of the week, and makes the 30th of February another day */
			return mktime(out) == (time_t)-1 || out->tm_mday != day ? -1 : 0;
		}
	}
	return -1;
}

static int no_positional(struct opts *o, int i, const char *arg)
{
	(void)o;
	(void)i;
	(void)arg;
	return -1;
}

static int run(struct opts *o)
{
	const struct eng_opts eo = { .threads = 1 };
	struct eng *g = NULL;
	struct eng_model *m = NULL;
	struct err e = { 0 };
	struct tm now;
	bool bad = false;
	int code = EXIT_OK;

	if (!o->jsonl)
		return cmd_usage(&cmd_template, "template: say --jsonl, and give lines on standard input");
	if (o->ids && !o->model)
		return cmd_usage(&cmd_template, "template: --ids needs a model's vocabulary: -m MODEL");
	if (o->now && parse_time(o->now, &now))
		return cmd_usage(&cmd_template, "--now: expected a time as 2025-07-04T12:34:56, got '%s'", o->now);
	if (o->model && (eng_new(&g, &eo, &e) < 0 || eng_model_open(g, o->model, true, &m, &e) < 0))
		code = cmd_fail(&e);
	if (o->ids && !code)
		cmd_note_split(m);
	if (!code && all_lines(m, o, o->now ? &now : NULL, &bad, &e))
		code = cmd_fail(&e);
	if (!code && bad)
		code = EXIT_FAIL;
	eng_model_close(m);
	eng_free(g);
	return code;
}

static const char *const takes[] = { "model", "jsonl", "ids", "now", "help", NULL };

static const char *const notes[] = {
	"Each line of standard input is a JSON object with \"context\", the variables (messages, tools, "
	"add_generation_prompt and so on), and \"template\", a file, or \"source\", the template itself; without either "
	"the model's own is taken.",
	"",
	"Each line of the result has \"text\" and \"spans\": who wrote which bytes, as [start, end, \"template\"|\"user\"]; "
	"with --ids also \"ids\". In place of these \"error\", with \"line\" and \"column\" of the template; "
	"the exit status is 1 then.",
	NULL
};

const struct cmd cmd_template = {
	.name = "template", .args = "",
	.help = "render chat templates: a workbench for comparing",
	.opts = takes, .notes = notes, .positional = no_positional, .run = run,
};
