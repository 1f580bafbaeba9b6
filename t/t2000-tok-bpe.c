/*
 * Byte-level BPE: made vocabularies against merging by its definition, the reference
 * vocabularies against the ids that others gave, time in proportion to the text.
 */
#include "config.h"

#include "engine/base/xio.h"
#include "engine/text/presplit.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"
#include "t/lib/tok.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* l o w e r, with "low" and "er" */
static const int lower[][2] = { { 'l', 'o' }, { 256, 'w' }, { 'e', 'r' }, { ' ', 'l' }, { 'r', ' ' }, { '1', '2' }, { ' ', ' ' } };
enum { LO = 256, LOW, ER, _L, R_, D12, TWO };

static struct vocab *small(const char *pre)
{
	return tok_made(tok_bpe(&(struct tok_bpe){ .pre = pre, .merge = lower, .n_merges = 7 }), NULL);
}

static void is(const struct vocab *v, const char *text, const char *want, const char *what)
{
	const char *got = tok_of(v, text, 0);

	ok(!strcmp(got, want), "%s (%s)", what, got);
}

static void test_small(void)
{
	struct vocab *v = small("gpt-2");

	is(v, "", "", "no text, no ids");
	is(v, "lower", "257 258", "merges by rank");
	is(v, "lol", "256 108", "the leftmost of two");
	/* " l" ranks below "lo" and "er" */
	is(v, "ower low", "111 119 258 32 257", "a better merge takes the letter first");
	is(v, "er l", "258 259", "pieces begin with their blank");
	is(v, "l12", "108 261", "letters and digits apart, digits together in gpt-2");
	is(v, "    l", "262 32 259", "blanks but for the last one");
	is(v, "\n\nl", "10 10 108", "what no expression matches is a piece");
	is(v, "\xff\xfel\xe4\xbd", "255 254 108 228 189", "bytes that are no UTF-8, one by one");
	is(v, "l\x01", "108 1", "control bytes");
	ok(vocab_find(v, "low", 3) == LOW && vocab_find(v, "  ", 2) == TWO && vocab_find(v, "no", 2) < 0, "tokens are found by their bytes");
	ok(vocab_kind(v) == VOCAB_BPE && !strcmp(vocab_pre(v), "gpt-2") && vocab_size(v) == 263, "what it is");
	ok(!vocab_add_bos(v) && vocab_bos(v) == 11 && vocab_eos(v) == 11 && !vocab_is_end(v, 11),
	   "defaults, and a default that is an ordinary token ends nothing");
	vocab_free(v);
	v = small("smollm");
	is(v, "l12", "108 49 50", "digits one by one in smollm");
	vocab_free(v);
	v = small(NULL);
	ok(!strcmp(vocab_pre(v), "default"), "no name is default");
	vocab_free(v);
	v = tok_made(tok_bpe(&(struct tok_bpe){ .pre = "gpt-2", .merge = lower, .n_merges = 7, .without = "ow" }), NULL);
	is(v, "lower", "108 258", "bytes that the vocabulary misses are dropped");
	vocab_free(v);
	v = small("llama-bpe");
	ok(vocab_add_bos(v), "llama-bpe begins with BOS");
	is(v, "low 123", "257 32 261 51", "up to three digits");
	vocab_free(v);
}

static void test_whole(void)
{
	/* "abc" is a token that "b c" first keeps from being made */
	static const int abc[][2] = { { 'b', 'c' }, { 'a', 'b' }, { 257, 'c' } };
	struct tok_bpe b = { .pre = "llama-bpe", .merge = abc, .n_merges = 3 };
	struct vocab *v = tok_made(tok_bpe(&b), NULL);

	is(v, "abc", "258", "ignore_merges: a piece that is a token");
	is(v, "abcd", "97 256 100", "but not inside a longer one");
	vocab_free(v);
	b.pre = "qwen2";
	v = tok_made(tok_bpe(&b), NULL);
	is(v, "abc", "97 256", "elsewhere merges decide");
	is(v, "e\xcc\x81", "195 169", "NFC before, in qwen2");
	is(v, "a\xff" "e\xcc\x81", "97 255 195 169", "NFC around what is no UTF-8");
	vocab_free(v);
	b.pre = "gpt-2";
	v = tok_made(tok_bpe(&b), NULL);
	is(v, "e\xcc\x81", "101 204 129", "and not in gpt-2");
	vocab_free(v);
	b.pre = "mpt";
	v = tok_made(tok_bpe(&b), NULL);
	is(v, "e\xcc\x81", "195 169", "but in mpt, whose text is split alike");
	vocab_free(v);
}

/* The makers' rows, each compiled and run: pieces that join to the text, and none empty. */
static int count_piece(void *arg, const char *p, size_t n)
{
	struct str *s = arg;

	str_add(s, p, n);
	return n ? 0 : -1;
}

static void test_rows(void)
{
	static const char text[] = "I'll go  to\tRome in 2024,\r\n\r\n  O\xcc\x88L \xe4\xb8\xad\xe6\x96\x87\xe3\x80\x82\xd8\xb3\xd9\x84\xd8\xa7\xd9\x85 #1!!  \n ";
	int right = 0, rows = 0;

	for (const struct presplit_row *row; (row = presplit_at((size_t)rows)); rows++) {
		struct presplit *p;
		struct presplit_run *r;
		struct err e;
		struct str s;

		str_init(&s, 0);
		if (presplit_new(&p, row, &e) < 0) {
			printf("# %s: %s\n", row->name, e.msg);
			continue;
		}
		r = presplit_open(p, count_piece, &s, &e);
		right += r && presplit_text(r, text, sizeof text - 1, &e) == 0 && s.len == sizeof text - 1 &&
			 !memcmp(s.p, text, s.len) && presplit_find(row->name, strlen(row->name)) == row;
		presplit_close(r);
		presplit_free(p);
		str_release(&s);
	}
	ok(rows > 40 && right == rows, "all %d rows cut a text without losing a byte", rows);
	ok(!presplit_find("gpt-3", 5), "an unknown name is none");
}

/* -- by definition ------------------------------------------------------------------ */

enum { MERGES = 220, IDS = 256 + MERGES, LONG = 9000 };

struct table {
	int merge[MERGES][2], order[MERGES];
	short rank[IDS][IDS], made[IDS][IDS];	/* rank -1: no merge */
};

static int64_t rank_of(void *arg, const struct tok_part *l, const struct tok_part *r, int32_t *to)
{
	const struct table *t = arg;

	*to = t->made[l->id][r->id];
	return t->rank[l->id][r->id];
}

/* Merges of tokens of "abc" before them, in this order in the file, or shuffled. */
static void random_table(struct table *t, bool shuffle)
{
	static char spelled[IDS][64];

	memset(t->rank, 0xff, sizeof t->rank);
	for (int i = 0; i < 256; i++)
		snprintf(spelled[i], sizeof spelled[i], "%c", i);
	for (int i = 0; i < MERGES;) {
		char both[128];
		bool known = false;

		for (int k = 0; k < 2; k++) {
			int x = (int)(tok_random() % (unsigned)(3 + i));

			t->merge[i][k] = x < 3 ? 'a' + x : 256 + x - 3;
		}
		snprintf(both, sizeof both, "%s%s", spelled[t->merge[i][0]], spelled[t->merge[i][1]]);
		for (int k = 0; k < i; k++)
			known |= !strcmp(both, spelled[256 + k]);
		if (known || strlen(both) > 40)
			continue;
		strcpy(spelled[256 + i], both);
		t->order[i] = i;
		i++;
	}
	for (int i = MERGES - 1; shuffle && i > 0; i--) {
		int k = (int)(tok_random() % (unsigned)(i + 1)), x = t->order[i];

		t->order[i] = t->order[k];
		t->order[k] = x;
	}
	for (int i = 0; i < MERGES; i++) {
		const int *two = t->merge[t->order[i]];

		t->rank[two[0]][two[1]] = (short)i;
		t->made[two[0]][two[1]] = (short)(256 + t->order[i]);
	}
}

static char letter_at(size_t i, int kind)
{
	switch (kind) {
	case 0:
		return (char)('a' + tok_random() % 3);
	case 1:
		return 'a';
	case 2:
		return (char)('a' + i % 2);
	default:
		return (char)('a' + i % 7 % 3);
	}
}

/* One word of several windows. */
static void test_definition(void)
{
	static char text[LONG];
	static struct tok_part part[LONG];
	static struct table t;
	int right = 0, all = 0;

	for (int round = 0; round < 8; round++) {
		struct vocab *v;

		random_table(&t, round & 1);
		v = tok_made(tok_bpe(&(struct tok_bpe){
			.pre = "gpt-2", .merge = (const int (*)[2])t.merge, .order = t.order, .n_merges = MERGES,
		}), NULL);
		for (int kind = 0; kind < 4; kind++) {
			const size_t n = kind == 0 ? LONG - (size_t)round : 4500 + (size_t)round;

			for (size_t i = 0; i < n; i++) {
				text[i] = letter_at(i, kind);
				part[i] = (struct tok_part){ .at = i, .len = 1, .id = (unsigned char)text[i] };
			}
			right += tok_merges_as(v, text, part, n, rank_of, &t);
			all++;
		}
		vocab_free(v);
	}
	ok(right == all, "%d of %d long words as the definition has them", right, all);
}

/* -- refused ------------------------------------------------------------------------ */

static struct ggufmake *with_id(const char *key, uint32_t id)
{
	struct ggufmake *m = tok_bpe(&(struct tok_bpe){ .pre = "gpt-2", .merge = lower, .n_merges = 7 });

	gm_u32(m, key, id);
	return m;
}

static struct ggufmake *of_model(const char *name)
{
	struct ggufmake *m = gm_new();

	gm_str(m, "tokenizer.ggml.model", name);
	return m;
}

static void test_refused(void)
{
	static const char *const two[] = { "a", "b" };
	struct ggufmake *m = gm_new();

	gm_str(m, "general.architecture", "llama");
	tok_refused(m, ERR_NOT_FOUND, "no vocabulary");
	tok_refused(of_model("rwkv"), ERR_UNSUPPORTED, "\"rwkv\"");
	m = of_model("gpt2");
	gm_str(m, "tokenizer.ggml.pre", "smol\x1b[31m");
	tok_refused(m, ERR_UNSUPPORTED, "tokenizer.ggml.pre is \"smol?[31m\"");
	tok_refused(of_model("gpt2"), ERR_NOT_FOUND, "tokenizer.ggml.tokens");
	m = of_model("gpt2");
	gm_strs(m, "tokenizer.ggml.tokens", two, 2);
	tok_refused(m, ERR_FORMAT, "tokenizer.ggml.merges");
	m = of_model("gpt2");
	gm_strs(m, "tokenizer.ggml.tokens", two, 2);
	gm_i32s(m, "tokenizer.ggml.token_type", (int32_t[]){ 1 }, 1);
	tok_refused(m, ERR_FORMAT, "tokenizer.ggml.token_type has 1");
	tok_refused(with_id("tokenizer.ggml.eos_token_id", 263), ERR_FORMAT, "eos_token_id is 263");
	tok_refused(with_id("tokenizer.ggml.bos_token_id", UINT32_MAX), ERR_FORMAT, "bos_token_id");
	tok_refused(with_id("tokenizer.ggml.padding_token_id", 9999), ERR_FORMAT, "padding_token_id");
}

/* -- without memory ----------------------------------------------------------------- */

static int fail_at(const char *op, void *arg)
{
	int *left = arg;

	return !strcmp(op, "malloc") && (*left)-- == 0 ? ENOMEM : 0;
}

/* Each allocation of building and of tokenizing fails in turn: an error, and what was there stays. */
static void test_memory(void)
{
	static const char text[] = "lower low 123 e\xcc\x81 <|x|>\n aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const struct tok_other other[] = { { "<|x|>", 3 } };
	const char *path = tmp_path("memory.gguf");
	struct ggufmake *m = tok_bpe(&(struct tok_bpe){ .pre = "qwen2", .merge = lower, .n_merges = 7, .other = other, .n_other = 1 });
	struct gguf *g;
	struct vocab *v = NULL;
	struct err e = { 0 };
	int at = 0, good = 0, left;

	gm_write(m, path);
	gm_free(m);
	if (gguf_open(&g, path, NULL, &e) < 0)
		tap_bail("%s", e.msg);
	for (bool done = false; !done; at++) {
		left = at;
		xio_set_fault(fail_at, &left);
		done = vocab_load(&v, g, &e) == 0 && left >= 0;
		xio_set_fault(NULL, NULL);
		good += done || v || e.code == ERR_NOMEM;	/* v: what failed was JIT's, which can be done without */
		if (!done) {
			vocab_free(v);
			v = NULL;
		}
	}
	ok(good == at && at > 10, "building: %d allocations fail in turn", at - 1);
	at = good = 0;
	for (bool done = false; !done; at++) {
		struct ids l = { 0 };
		int ret;

		ids_add(&l, 7);
		left = at;
		xio_set_fault(fail_at, &left);
		ret = vocab_encode(v, text, sizeof text - 1, NULL, 0, TOK_SPECIAL, &l, &e);
		xio_set_fault(NULL, NULL);
		done = ret == 0 && left >= 0;
		good += ret == 0 ? l.n > 10 : l.n == 1 && l.p[0] == 7 && e.code == ERR_NOMEM;
		ids_release(&l);
	}
	ok(good == at && at > 4, "tokenizing: %d allocations fail in turn", at - 1);
	vocab_free(v);
	gguf_close(g);
}

/* -- time --------------------------------------------------------------------------- */

static double now(void)
{
	return (double)tap_cpu_ns() * 1e-9;
}

/* Seconds for n bytes of a class, the best of three. */
static double seconds(const struct vocab *v, char *text, size_t n, const char *unit)
{
	double best = 1e9;

	for (size_t i = 0; i < n; i++)
		text[i] = unit[i % strlen(unit)];
	for (int k = 0; k < 3; k++) {
		double t = now(), s;
		struct ids l = tok_ids(v, text, n, 0);

		s = now() - t;
		best = s < best ? s : best;
		ids_release(&l);
	}
	return best;
}

/* Eight times the text in eight times the time; what is quadratic takes 64 times. The bound is for busy machines. */
static void test_time(void)
{
	static const char *const units[] = { "a", " ", "\n", "7", "!", "A", "ab", "low ", "     x", "  \n", "'s", "\xff", "\xcc\x81" };
	static const char *const pres[] = { "qwen2", "gpt-4o", "smollm", "deepseek-llm", "falcon" };
	enum { FEW = 32 << 10 };
	char *text = malloc(8 * FEW);

	for (size_t p = 0; text && p < sizeof pres / sizeof *pres; p++) {
		struct vocab *v = small(pres[p]);
		double worst = 0;
		const char *slow = "";

		for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
			double few = seconds(v, text, FEW, units[u]), many = seconds(v, text, 8 * FEW, units[u]);

			if (many / few > worst) {
				worst = many / few;
				slow = units[u];
			}
		}
		ok(worst < 24, "%s: time grows with the text (8 times the text, %.1f times the time; 0x%02x ...)", pres[p],
		   worst, (unsigned)(unsigned char)*slow);
		vocab_free(v);
	}
	free(text);
}

/* -- the reference data ------------------------------------------------------------- */

static const struct { const char *name, *path; } known[] = {
	{ "gpt-2", "tokenizers/conformance/ggml-vocab-gpt-2.gguf" },
	{ "smollm", "tokenizers/smollm/ggml-vocab-smollm.gguf" },
	{ "qwen2", "tokenizers/qwen/ggml-vocab-qwen2.gguf" },
	{ "qwen3", "tokenizers/qwen/ggml-vocab-qwen3.gguf" },
	{ "llama3", "tokenizers/llama3/ggml-vocab-llama3.gguf" },
	{ "phi-4-mini", "tokenizers/phi-4-mini/ggml-vocab-phi-4-mini.gguf" },
	{ "deepseek-llm", "tokenizers/conformance/ggml-vocab-deepseek-llm.gguf" },
	{ "falcon", "tokenizers/conformance/ggml-vocab-falcon.gguf" },
};

/* Conformance files: name, and whose vocabulary they go with. */
static const struct { const char *name, *path; } lists[] = {
	{ "gpt-2", "tokenizers/conformance/ggml-vocab-gpt-2.gguf" },
	{ "qwen2", "tokenizers/qwen/ggml-vocab-qwen2.gguf" },
	{ "llama-bpe", "tokenizers/llama3/ggml-vocab-llama3.gguf" },
	{ "deepseek-llm", "tokenizers/conformance/ggml-vocab-deepseek-llm.gguf" },
	{ "deepseek-coder", "tokenizers/conformance/ggml-vocab-deepseek-coder.gguf" },
	{ "falcon", "tokenizers/conformance/ggml-vocab-falcon.gguf" },
	{ "mpt", "tokenizers/conformance/ggml-vocab-mpt.gguf" },
	{ "refact", "tokenizers/conformance/ggml-vocab-refact.gguf" },
	{ "starcoder", "tokenizers/conformance/ggml-vocab-starcoder.gguf" },
};

static void test_list(const char *name, const char *path)
{
	static const char between[] = "\n__ggml_vocab_test__\n";
	char file[256], *text, *next, *line;
	struct vocab *v = tok_data(path);
	struct str in, out;
	struct err e;
	int right = 0, all = 0;

	snprintf(file, sizeof file, "tokenizers/conformance/ggml-vocab-%s.gguf.inp", name);
	if (!v || !tmp_data(file)) {
		tap_skip("%s: no reference data", name);
		vocab_free(v);
		return;
	}
	str_init(&in, 0);
	str_init(&out, 0);
	if (xio_slurp(tmp_data(file), &in, &e) < 0)
		printf("# %s\n", e.msg);
	memcpy(strstr(file, ".inp"), ".out", 4);
	if (xio_slurp(tmp_data(file), &out, &e) < 0)
		printf("# %s\n", e.msg);
	text = in.p;
	line = out.p;
	while (text && *line) {
		char *end = strchr(line, '\n'), want[1 << 14];
		size_t n = 0;

		next = strstr(text, between);
		if (next)
			*next = '\0';
		if (end)
			*end = '\0';
		for (char *w = strtok(line, " "); w; w = strtok(NULL, " "))
			n += (size_t)snprintf(want + n, sizeof want - n, "%s%s", n ? " " : "", w);
		want[n] = '\0';
		right += !strcmp(tok_of(v, text, 0), want);
		all++;
		text = next ? next + strlen(between) : NULL;
		line = end ? end + 1 : (char *)"";
	}
	ok(all > 40 && right == all, "%s: %d of %d conformance texts", name, right, all);
	str_release(&in);
	str_release(&out);
	vocab_free(v);
}

int main(void)
{
	test_small();
	test_whole();
	test_rows();
	test_definition();
	test_refused();
	test_memory();
	test_time();
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		tok_peer_cases(known[i].name, known[i].path);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		test_list(lists[i].name, lists[i].path);
	return tap_done_min(30);
}
