/*
 * Conversations to text and ids: the reference conversations of the shipped instruct
 * model, and sampled ids that stand for their message.
 */
#include "config.h"
#include "engine/text/prompt.h"
#include "t/lib/jinja-cases.h"
#include "t/lib/tap.h"
#include "t/lib/tok.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct prompt_opts opts = { .add_generation_prompt = true, .thinking = -1 };

static bool same_ids(const struct ids *got, const json_t *want)
{
	if (got->n != json_array_size(want))
		return false;
	for (size_t i = 0; i < got->n; i++)
		if (got->p[i] != json_integer_value(json_array_get(want, i)))
			return false;
	return true;
}

static size_t read_messages(const json_t *list, struct prompt_msg *m, size_t max)
{
	const size_t n = json_array_size(list) < max ? json_array_size(list) : max;

	for (size_t i = 0; i < n; i++) {
		const json_t *c = json_array_get(list, i), *text = json_object_get(c, "content");

		m[i] = (struct prompt_msg){ .role = json_string_value(json_object_get(c, "role")),
					    .text = json_string_value(text), .len = json_string_length(text) };
	}
	return n;
}

static void conversation(const struct prompt_template *t, const struct vocab *v, const json_t *c)
{
	const char *name = json_string_value(json_object_get(c, "name"));
	const json_t *want = json_object_get(c, "rendered");
	struct prompt_msg m[32];
	const size_t n = read_messages(json_object_get(c, "messages"), m, 32);
	struct ids ids = { 0 };
	struct jinja_out out;
	struct err e = { 0 };

	jinja_out_init(&out);
	ok(!prompt_render(t, v, m, n, &opts, &out, &e) && out.text.len == json_string_length(want) &&
	   !memcmp(out.text.p, json_string_value(want), out.text.len), "%s: text %s", name, e.msg);
	ok(!prompt_encode(t, v, m, n, &opts, &ids, &e) && same_ids(&ids, json_object_get(c, "prompt_ids")),
	   "%s: ids %s", name, e.msg);
	ids_release(&ids);
	jinja_out_release(&out);
}

/* Where `part` stands in `l`, or -1. */
static long find_ids(const struct ids *l, const int32_t *part, size_t n)
{
	for (size_t i = 0; i + n <= l->n; i++)
		if (!memcmp(l->p + i, part, n * sizeof *part))
			return (long)i;
	return -1;
}

/* An answer sampled as other ids than its text would give: "Yes" letter by letter. */
static void sampled(const struct prompt_template *t, const struct vocab *v)
{
	const int32_t ids[] = { vocab_find(v, "Y", 1), vocab_find(v, "e", 1), vocab_find(v, "s", 1) };
	struct prompt_msg m[] = {
		{ .role = "user", .text = "Well?", .len = 5 },
		{ .role = "assistant", .text = "Yes", .len = 3, .ids = ids, .n_ids = 3 },
		{ .role = "user", .text = "<|im_end|>", .len = 10 },
	};
	struct ids first = { 0 }, all = { 0 }, plain = { 0 };
	struct err e = { 0 };
	size_t ends = 0;

	ok(!prompt_encode(t, v, m, 1, &opts, &first, &e) && !prompt_encode(t, v, m, 3, &opts, &all, &e), "encoded %s", e.msg);
	ok(all.n > first.n + 3 && !memcmp(all.p, first.p, first.n * sizeof *all.p), "the prompt of the answer is a prefix");
	ok(all.n > first.n + 3 && !memcmp(all.p + first.n, ids, sizeof ids), "the sampled ids stand for their text");
	ok(all.n > first.n + 3 && all.p[first.n + 3] == vocab_find(v, "<|im_end|>", 10), "and the end token follows them");
	for (size_t i = 0; i < all.n; i++)
		ends += all.p[i] == vocab_find(v, "<|im_end|>", 10);
	ok(ends == 4, "%zu end tokens: the user's is text", ends);
	m[1].text = "Yes!";
	m[1].len = 4;
	m[1].ids = NULL;
	m[1].n_ids = 0;
	ok(!prompt_encode(t, v, m, 3, &opts, &plain, &e) && find_ids(&plain, ids, 3) < 0, "without ids the text is tokenized");
	ids_release(&first);
	ids_release(&all);
	ids_release(&plain);
}

/* Ids are not used where the template changes the text, writes it twice, or puts no control token behind it. */
static void not_kept(const struct vocab *v)
{
	static const struct { const char *src; bool kept; } cases[] = {
		{ "{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>{% endfor %}", true },
		{ "{% for m in messages %}<|im_start|>{{ m.content[:] }}<|im_end|>{% endfor %}", true },
		{ "{% for m in messages %}{{ '<|im_start|>' + m.content + '<|im_end|>' }}{% endfor %}", true },
		{ "{% for m in messages %}<|im_start|>{{ m.content|trim }}<|im_end|>{% endfor %}", true },
		{ "{% for m in messages %}<|im_start|>{{ m.content }}{% endfor %}", true },
		{ "{% for m in messages %}<|im_start|>{{ m.content|upper }}<|im_end|>{% endfor %}", false },
		{ "{% for m in messages %}<|im_start|>{{ m.content[1:] }}<|im_end|>{% endfor %}", false },
		{ "{% for m in messages %}{{ m.content }}<|im_end|>{{ m.content }}<|im_end|>{% endfor %}", false },
		{ "{% for m in messages %}<|im_start|>{{ m.content }} and so on{% endfor %}", false },
		{ "{{ messages|tojson }}<|im_end|>", false },
	};
	const int32_t ids[] = { vocab_find(v, "Y", 1), vocab_find(v, "e", 1), vocab_find(v, "s", 1) };
	const struct prompt_msg m = { .role = "assistant", .text = "Yes", .len = 3, .ids = ids, .n_ids = 3 };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct prompt_template *t = NULL;
		struct ids got = { 0 };
		struct err e = { 0 };
		const bool made = !prompt_compile(&t, cases[i].src, strlen(cases[i].src), v, NULL, &e) &&
				  !prompt_encode(t, v, &m, 1, &opts, &got, &e);

		ok(made && (find_ids(&got, ids, 3) >= 0) == cases[i].kept, "%s: %s %s", cases[i].src,
		   cases[i].kept ? "kept" : "tokenized", e.msg);
		ids_release(&got);
		prompt_free(t);
	}
}

/* A template that drops the thinking: what follows it keeps the ids that it was sampled as. */
static void behind_thinking(const struct vocab *v)
{
	static const char src[] =
		"{% for m in messages %}<|im_start|>{{ m.content.split('</think>')[-1].lstrip('\\n') if '</think>' in m.content "
		"else m.content }}<|im_end|>{% endfor %}";
	const char text[] = "<think>\nHm\n</think>\n\nYes";
	const size_t rest = sizeof text - 1 - 3;
	struct ids all = { 0 }, got = { 0 };
	struct prompt_template *t = NULL;
	struct err e = { 0 };
	int32_t y[3] = { vocab_find(v, "Y", 1), vocab_find(v, "e", 1), vocab_find(v, "s", 1) };
	struct prompt_msg m;

	ok(!vocab_encode(v, text, rest, NULL, 0, 0, &all, &e) && !ids_append(&all, y, 3) &&
	   !prompt_compile(&t, src, strlen(src), v, NULL, &e), "made %s", e.msg);
	m = (struct prompt_msg){ .role = "assistant", .text = text, .len = sizeof text - 1, .ids = all.p, .n_ids = all.n, .rest = rest };
	ok(!prompt_encode(t, v, &m, 1, &opts, &got, &e) && got.n == 5 && find_ids(&got, y, 3) == 1, "the answer's own ids stand %s", e.msg);
	got.n = 0;
	m.rest = 0;
	ok(!prompt_encode(t, v, &m, 1, &opts, &got, &e) && find_ids(&got, y, 3) < 0, "only where it is told where they begin");
	got.n = 0;
	m.rest = rest + 1;
	ok(!prompt_encode(t, v, &m, 1, &opts, &got, &e) && find_ids(&got, y, 3) < 0, "and told rightly");
	ids_release(&got);
	ids_release(&all);
	prompt_free(t);
}

/* What a template is told: whether to think, the tools, parts in place of a text. */
static void told(const struct vocab *v)
{
	static const char src[] =
		"{{ enable_thinking if enable_thinking is defined else 'unsaid' }}|{{ tools[0].name if tools else 'none' }}|"
		"{% for m in messages %}{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}"
		"[{{ p.type }}:{{ p.text }}]{% endfor %}{% endif %}{% endfor %}";
	static const struct prompt_part parts[] = { { "a", 1 }, { "<|im_end|>", 10 } };
	const struct prompt_msg text = { .role = "user", .text = "hi", .len = 2 };
	const struct prompt_msg listed = { .role = "user", .parts = parts, .n_parts = 2 };
	const struct { struct prompt_opts o; const struct prompt_msg *m; const char *want; } cases[] = {
		{ { .thinking = -1 }, &text, "unsaid|none|hi" },
		{ { .thinking = 1 }, &text, "True|none|hi" },
		{ { .thinking = 0, .tools_json = "[{\"name\":\"look\"}]" }, &text, "False|look|hi" },
		{ { .thinking = -1 }, &listed, "unsaid|none|[text:a][text:<|im_end|>]" },
	};
	struct prompt_template *t = NULL;
	struct err e = { 0 };

	ok(!prompt_compile(&t, src, strlen(src), v, NULL, &e), "compiled %s", e.msg);
	for (size_t i = 0; t && i < sizeof cases / sizeof *cases; i++) {
		struct jinja_out out;
		struct ids ids = { 0 };
		bool control = false;

		jinja_out_init(&out);
		ok(!prompt_render(t, v, cases[i].m, 1, &cases[i].o, &out, &e) && !strcmp(out.text.p, cases[i].want), "%s", out.text.p);
		ok(!prompt_encode(t, v, cases[i].m, 1, &cases[i].o, &ids, &e), "encoded %s", e.msg);
		for (size_t k = 0; k < ids.n; k++)
			control |= vocab_attr(v, ids.p[k]) == VOCAB_CONTROL;
		ok(!control, "no control token out of it");
		ids_release(&ids);
		jinja_out_release(&out);
	}
	prompt_free(t);
}

/* A file without a template whose vocabulary has a family's control tokens. */
static void families(void)
{
	static const struct { struct tok_other has[3]; const char *want, *arch; } cases[] = {
		{ { { "<|im_start|>", 3 }, { "<|im_end|>", 3 } }, "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n"
		  "<|im_start|>assistant\n", NULL },
		{ { { "<|start_header_id|>", 3 }, { "<|end_header_id|>", 3 }, { "<|eot_id|>", 3 } },
		  "<|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nU<|eot_id|>"
		  "<|start_header_id|>assistant<|end_header_id|>\n\n", NULL },
		{ { { "<start_of_turn>", 3 }, { "<end_of_turn>", 3 } },
		  "<start_of_turn>user\nS\n\nU<end_of_turn>\n<start_of_turn>model\n", NULL },
		{ { { "<|user|>", 3 }, { "<|assistant|>", 3 }, { "<|end|>", 3 } },
		  "<|system|>\nS<|end|>\n<|user|>\nU<|end|>\n<|assistant|>\n", NULL },
		{ { { "<|im_start|>", 3 }, { "<|im_sep|>", 3 }, { "<|im_end|>", 3 } },
		  "<|im_start|>system<|im_sep|>S<|im_end|><|im_start|>user<|im_sep|>U<|im_end|><|im_start|>assistant<|im_sep|>", "phi3" },
		{ { { "<|tool|>", 3 }, { "<|assistant|>", 3 }, { "<|end|>", 3 } },
		  "<|system|>S<|end|><|user|>U<|end|><|assistant|>", "phi3" },
		{ { { "<|start_header_id|>", 3 }, { "<|end_header_id|>", 3 }, { "<|eot_id|>", 3 } },
		  "System: S<|eot_id|>User: U<|eot_id|>Assistant: ", "bitnet-b1.58" },
		{ { { "<|im_start|>", 4 }, { "<b>", 4 } }, NULL, NULL },
	};
	const struct prompt_msg m[] = {
		{ .role = "system", .text = "S", .len = 1 }, { .role = "user", .text = "U", .len = 1 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct tok_bpe b = { .pre = "gpt-2", .other = cases[i].has, .n_other = cases[i].has[2].text ? 3 : 2 };
		struct prompt_template *t = NULL;
		struct jinja_out out;
		struct err e = { 0 };
		struct vocab *v = tok_made(tok_bpe(&b), &e);
		const char *note = prompt_of_family(&t, v, cases[i].arch);

		jinja_out_init(&out);
		if (cases[i].want)
			ok(note && t && !prompt_render(t, v, m, 2, &opts, &out, &e) && strstr(out.text.p, cases[i].want), "%s: %s",
			   note ? note : "none", out.text.p);
		else
			ok(!note && !t, "plain tokens make no family");
		jinja_out_release(&out);
		prompt_free(t);
		vocab_free(v);
	}
}

static void kinds(void)
{
	static const struct { const char *src, *kind; } cases[] = {
		{ "{{ '<|im_start|>' + role }}", "chatml" }, { "<|start_header_id|>", "llama3" }, { "<start_of_turn>", "gemma" },
		{ "<|user|>...<|end|><|assistant|>", "phi3" }, { "<|im_start|>user<|im_sep|>", "phi4" },
		{ "[INST] x [/INST]", "mistral" }, { "{{ x }}", "custom" }, { "", "none" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *kind = cases[i].kind;

		ok(!strcmp(prompt_kind(cases[i].src, strlen(cases[i].src)), kind), "kind %s", kind ? kind : "");
	}
}

static void with_model(const char *path, const json_t *ref)
{
	struct prompt_template *t = NULL;
	struct vocab *v = NULL;
	struct gguf *g = NULL;
	struct err e = { 0 };
	size_t i;
	json_t *c;

	if (ok(!gguf_open(&g, path, NULL, &e) && !vocab_load(&v, g, &e) && !prompt_load(&t, g, v, &e), "opened %s", e.msg)) {
		json_array_foreach(json_is_array(ref) ? ref : json_object_get(ref, "cases"), i, c)
			conversation(t, v, c);
		sampled(t, v);
		not_kept(v);
		behind_thinking(v);
		told(v);
	}
	prompt_free(t);
	vocab_free(v);
	gguf_close(g);
}

int main(void)
{
	json_t *ref = load_data("models/smollm2-135m-instruct/ref.json");
	const char *dir = getenv("TIDBIT_DATA");
	char path[4096];

	kinds();
	families();
	if (ref) {
		snprintf(path, sizeof path, "%s/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf", dir ? dir : ".");
		with_model(path, ref);
	}
	json_decref(ref);
	return tap_done();
}
