/*
 * Conversations to text and ids: the reference conversations of the shipped instruct
 * model, and sampled ids that stand for their message.
 */
#include "config.h"
#include "engine/text/prompt.h"
#include "t/lib/jinja-cases.h"
#include "t/lib/tap.h"

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
	if (ref) {
		snprintf(path, sizeof path, "%s/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf", dir ? dir : ".");
		with_model(path, ref);
	}
	json_decref(ref);
	return tap_done();
}
