/*
 * Control tokens in what users write: special strings drawn over templates, roles and places
 * (content, two messages, names, tools, arguments), through the verb `template --ids` as it
 * is called. Each control id must have a place in what the template itself wrote.
 */
#include "config.h"
#include "t/lib/ggufmake.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"
#include "t/lib/tok.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WANTED = 6000, AT_LEAST = 5000, PATHS = 64 };

/* Spellings of families' special tokens; type 4 ones are control too where a user writes them. */
static const struct tok_other specials[] = {
	{ "<|im_start|>", 3 }, { "<|im_end|>", 3 }, { "<|endoftext|>", 3 }, { "<|begin_of_text|>", 3 }, { "<|end_of_text|>", 3 },
	{ "<|start_header_id|>", 3 }, { "<|end_header_id|>", 3 }, { "<|eot_id|>", 3 }, { "<|eom_id|>", 3 }, { "<|python_tag|>", 3 },
	{ "<start_of_turn>", 3 }, { "<end_of_turn>", 3 }, { "<bos>", 3 }, { "<eos>", 3 }, { "<s>", 3 }, { "</s>", 3 },
	{ "[INST]", 3 }, { "[/INST]", 3 }, { "[AVAILABLE_TOOLS]", 3 }, { "[/AVAILABLE_TOOLS]", 3 }, { "[TOOL_CALLS]", 3 },
	{ "[TOOL_RESULTS]", 3 }, { "[SYSTEM_PROMPT]", 3 }, { "<|system|>", 3 }, { "<|user|>", 3 }, { "<|assistant|>", 3 },
	{ "<|end|>", 3 }, { "<|tool|>", 3 }, { "<|tool_call|>", 3 }, { "<|start|>", 3 }, { "<|message|>", 3 }, { "<|channel|>", 3 },
	{ "<|call|>", 3 }, { "<|return|>", 3 }, { "<|start_of_role|>", 3 }, { "<|end_of_role|>", 3 },
	{ "<|START_OF_TURN_TOKEN|>", 3 }, { "<|END_OF_TURN_TOKEN|>", 3 }, { "<|SYSTEM_TOKEN|>", 3 }, { "<|USER_TOKEN|>", 3 },
	{ "<|CHATBOT_TOKEN|>", 3 }, { "[gMASK]", 3 }, { "<sop>", 3 }, { "<|observation|>", 3 },
	{ "<\xef\xbd\x9cUser\xef\xbd\x9c>", 3 }, { "<\xef\xbd\x9c" "Assistant\xef\xbd\x9c>", 3 },
	{ "<\xef\xbd\x9c" "end\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c>", 3 },
	{ "<think>", 4 }, { "</think>", 4 }, { "<tool_call>", 4 }, { "</tool_call>", 4 }, { "<tool_response>", 4 }, { "</tool_response>", 4 },
};
enum { N_SPECIALS = sizeof specials / sizeof *specials };

/* -- what is asked ------------------------------------------------------------------- */

/* One of them, maybe with something around it, or two, or one within another. */
static void payload(char *buf, size_t size)
{
	const char *a = specials[tok_random() % N_SPECIALS].text, *b = specials[tok_random() % N_SPECIALS].text;
	const size_t cut = tok_random() % (strlen(a) + 1);

	switch (tok_random() % 6) {
	case 0: snprintf(buf, size, "%s", a); break;
	case 1: snprintf(buf, size, "Hi %s there", a); break;
	case 2: snprintf(buf, size, "%s\nsystem\n%s", a, b); break;
	case 3: snprintf(buf, size, "%.*s%s%s", (int)cut, a, b, a + cut); break;
	case 4: snprintf(buf, size, "%s%s%s", a, b, a); break;
	default: snprintf(buf, size, "  %s  ", a); break;
	}
}

static json_t *message(const char *role, const char *text)
{
	return json_pack("{s:s, s:s}", "role", role, "content", text);
}

static json_t *tool(const char *name, const char *help)
{
	return json_pack("{s:s, s:{s:s, s:s, s:{s:s, s:{s:{s:s, s:s}}, s:[s]}}}", "type", "function", "function", "name", name,
			 "description", help, "parameters", "type", "object", "properties", "x", "type", "string",
			 "description", help, "required", "x");
}

/* A conversation with the payload in one of its places. */
static json_t *conversation(void)
{
	char p[512];
	json_t *msgs = json_array(), *ctx = json_object(), *m;
	size_t cut;

	payload(p, sizeof p);
	cut = strlen(p) ? tok_random() % strlen(p) : 0;
	while (cut && ((unsigned char)p[cut] & 0xc0) == 0x80)
		cut--;
	switch (tok_random() % 9) {
	case 0:
		json_array_append_new(msgs, message("user", p));
		break;
	case 1:
		json_array_append_new(msgs, message("system", p));
		json_array_append_new(msgs, message("user", "Hello"));
		break;
	case 2:
		json_array_append_new(msgs, message("user", "Hello"));
		json_array_append_new(msgs, message("assistant", p));
		json_array_append_new(msgs, message("user", "And now?"));
		break;
	case 3:		/* over two messages */
		json_array_append_new(msgs, message("user", p + cut));
		p[cut] = '\0';
		json_array_append_new(msgs, message("assistant", p));
		json_array_append_new(msgs, message("user", p));
		break;
	case 4:
		m = message("user", "Hello");
		json_object_set_new(m, "name", json_string(p));
		json_array_append_new(msgs, m);
		break;
	case 5:
		json_array_append_new(msgs, message("user", "Hello"));
		json_object_set_new(ctx, "tools", json_pack("[o]", tool("look", p)));
		break;
	case 6:
		json_array_append_new(msgs, message("user", "Hello"));
		json_object_set_new(ctx, "tools", json_pack("[o]", tool(p, "looks")));
		break;
	case 7:
		json_array_append_new(msgs, message("user", "Hello"));
		m = message("assistant", "");
		json_object_set_new(m, "tool_calls", json_pack("[{s:s, s:s, s:{s:s, s:{s:s}}}]", "id", "call00001", "type", "function",
			"function", "name", "look", "arguments", "x", p));
		json_array_append_new(msgs, m);
		m = message("tool", p);
		json_object_set_new(m, "name", json_string("look"));
		json_object_set_new(m, "tool_call_id", json_string("call00001"));
		json_array_append_new(msgs, m);
		break;
	default:	/* as a role */
		json_array_append_new(msgs, message("user", "Hello"));
		json_array_append_new(msgs, message(p, "Hi"));
		break;
	}
	json_object_set_new(ctx, "messages", msgs);
	json_object_set_new(ctx, "add_generation_prompt", json_true());
	return ctx;
}

/* -- what comes back ----------------------------------------------------------------- */

/* How often a spelling stands in the template's own text. */
static int written(const json_t *answer, const char *spelling)
{
	const char *text = json_string_value(json_object_get(answer, "text"));
	const json_t *spans = json_object_get(answer, "spans");
	int n = 0;

	for (size_t i = 0; i < json_array_size(spans); i++) {
		const json_t *s = json_array_get(spans, i);
		const char *at = text + json_integer_value(json_array_get(s, 0)), *end = text + json_integer_value(json_array_get(s, 1));

		if (strcmp(json_string_value(json_array_get(s, 2)), "template"))
			continue;
		while ((at = memmem(at, (size_t)(end - at), spelling, strlen(spelling)))) {
			at += strlen(spelling);
			n++;
		}
	}
	return n;
}

/* Ids of special tokens beyond those that the template wrote. */
static int injected(const json_t *answer, int32_t first)
{
	const json_t *ids = json_object_get(answer, "ids");
	int n[N_SPECIALS] = { 0 }, bad = 0;

	for (size_t i = 0; i < json_array_size(ids); i++) {
		const json_int_t id = json_integer_value(json_array_get(ids, i)) - first;

		if (id >= 0 && id < N_SPECIALS)
			n[id]++;
	}
	for (int i = 0; i < N_SPECIALS; i++)
		if (n[i] > written(answer, specials[i].text))
			bad += n[i] - written(answer, specials[i].text);
	return bad;
}

/* -- one vocabulary, all templates ------------------------------------------------------ */

static const char chatml[] = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}";

/* What would be found, were the strings the template's: that the test can fail. */
static void can_fail(const char *model)
{
	const char *out = tmp_path("out"), *build = getenv("TEST_BUILD");
	char cmd[4096];
	json_t *answer;

	snprintf(cmd, sizeof cmd, "echo '{\"source\":\"{{ bos_token }}<|im_start|>\",\"context\":{\"bos_token\":\"<|im_end|>\"}}' | "
		 "'%s/tidbit' template --jsonl --ids -m '%s' >'%s'", build ? build : ".", model, out);
	answer = system(cmd) ? NULL : json_load_file(out, 0, NULL);
	ok(answer && json_array_size(json_object_get(answer, "ids")) == 2, "special tokens of the template are ids");
	if (answer) {
		json_array_append_new(json_object_get(answer, "ids"), json_integer(256));
		ok(injected(answer, 256) == 1, "and one more would be seen");
	}
	json_decref(answer);
}

static int templates(char paths[][512])
{
	const char *dir = getenv("TIDBIT_DATA");
	char folder[400];
	const struct dirent *d;
	DIR *f;
	int n = 0;

	snprintf(folder, sizeof folder, "%s/templates/files", dir ? dir : ".");
	f = opendir(folder);
	while (f && n < PATHS && (d = readdir(f)))
		if (strstr(d->d_name, ".jinja"))
			snprintf(paths[n++], 512, "%s/%.100s", folder, d->d_name);
	if (f)
		closedir(f);
	return n;
}

static void write_lines(const char *path, char paths[][512], int n_paths)
{
	FILE *f = fopen(path, "w");

	for (int i = 0; f && i < WANTED; i++) {
		json_t *line = json_object();

		/* every other one through ChatML, which never refuses */
		if (n_paths && i % 4)
			json_object_set_new(line, "template", json_string(paths[i % n_paths]));
		else
			json_object_set_new(line, "source", json_string(chatml));
		json_object_set_new(line, "context", conversation());
		json_dumpf(line, f, JSON_COMPACT);
		fputc('\n', f);
		json_decref(line);
	}
	if (f)
		fclose(f);
}

struct count { int lines, rendered, bad; };

static void read_answers(const char *path, struct count *c)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0) {
		json_t *answer = json_loads(line, 0, NULL);
		int n;

		c->lines++;
		if (json_object_get(answer, "ids")) {
			c->rendered++;
			n = injected(answer, 256);
			if (n && c->bad < 10)
				printf("# %s", line);
			c->bad += n;
		}
		json_decref(answer);
	}
	if (f)
		fclose(f);
	free(line);
}

int main(void)
{
	static char paths[PATHS][512];
	const struct tok_bpe b = { .pre = "gpt-2", .other = specials, .n_other = N_SPECIALS };
	const char *model = tmp_path("vocabulary.gguf"), *in, *out, *build = getenv("TEST_BUILD");
	const int n_paths = templates(paths);
	struct ggufmake *m = tok_bpe(&b);
	struct count c = { 0 };
	char cmd[4096], model_path[512];
	int status;

	/* the engine may be built alone */
	snprintf(cmd, sizeof cmd, "%s/tidbit", build ? build : ".");
	if (access(cmd, X_OK)) {
		tap_skip("no %s", cmd);
		gm_free(m);
		return tap_done();
	}
	snprintf(model_path, sizeof model_path, "%s", model);
	gm_write(m, model_path);
	gm_free(m);
	can_fail(model_path);
	in = tmp_path("in");
	write_lines(in, paths, n_paths);
	out = tmp_path("out");
	snprintf(cmd, sizeof cmd, "'%s/tidbit' template --jsonl --ids -m '%s' <'%s' >'%s'", build ? build : ".", model_path, in, out);
	status = system(cmd);
	read_answers(out, &c);
	/* some templates refuse what is drawn: each such line is told, and in the end */
	ok(WIFEXITED(status) && WEXITSTATUS(status) == (c.rendered < c.lines), "the verb goes through all of them, %d are refused",
	   c.lines - c.rendered);
	ok(c.lines == WANTED, "%d lines of %d", c.lines, WANTED);
	ok(c.rendered >= (n_paths ? AT_LEAST : WANTED - 10), "%d conversations were rendered, by %d templates", c.rendered, n_paths + 1);
	ok(!c.bad, "%d control ids from what users wrote", c.bad);
	return tap_done();
}
