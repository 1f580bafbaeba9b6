#include "config.h"

#include "engine/format/gguf.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"
#include "t/lib/tok.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *grab(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		tap_bail("no memory");
	return p;
}

static struct vocab *try_open(const char *path, struct err *e)
{
	struct gguf *g;
	struct vocab *v = NULL;

	if (gguf_open(&g, path, NULL, e) < 0)
		return NULL;
	if (vocab_load(&v, g, e) < 0)
		v = NULL;
	gguf_close(g);		/* a vocabulary stands by itself */
	return v;
}

struct vocab *tok_open(const char *path)
{
	struct err e;
	struct vocab *v = try_open(path, &e);

	if (!v)
		tap_bail("%s", e.msg);
	return v;
}

struct vocab *tok_shipped(void)
{
	const char *dir = getenv("TIDBIT_PROFILES");
	char path[4096];

	snprintf(path, sizeof path, "%s/stories260K.gguf", dir ? dir : "profiles");
	return tok_open(path);
}

struct vocab *tok_data(const char *rel)
{
	const char *path = tmp_data(rel);

	return path ? tok_open(path) : NULL;
}

struct vocab *tok_made(struct ggufmake *m, struct err *e)
{
	const char *path = tmp_path("made.gguf");

	gm_write(m, path);
	gm_free(m);
	return e ? try_open(path, e) : tok_open(path);
}

void tok_refused(struct ggufmake *m, enum err_code code, const char *part)
{
	struct err e = { 0 };
	struct vocab *v = tok_made(m, &e);

	ok(!v && e.code == code && strstr(e.msg, part), "refused: %s", v ? "not at all" : e.msg);
	vocab_free(v);
}

/* -- making ------------------------------------------------------------------------- */

/* A byte's letter in files: what prints in Latin-1 is itself, the others follow U+0100 in order. */
static size_t letter(char *to, unsigned byte)
{
	unsigned code = 0x100;

	for (unsigned b = 0; b < 256; b++) {
		bool prints = (b > 0x20 && b < 0x7f) || (b > 0xa0 && b != 0xad);

		if (b == byte) {
			if (prints)
				code = b;
			break;
		}
		code += !prints;
	}
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	to[0] = (char)(0xc0 | code >> 6);
	to[1] = (char)(0x80 | (code & 0x3f));
	return 2;
}

struct ggufmake *tok_bpe(const struct tok_bpe *b)
{
	int n = 256 + b->n_merges + b->n_other;
	char **text = grab((size_t)n * sizeof *text), **merge = grab((size_t)b->n_merges * sizeof *merge);
	int32_t *type = grab((size_t)n * sizeof *type);
	struct ggufmake *m = gm_new();

	for (int i = 0; i < 256; i++) {
		text[i] = grab(16);
		text[i][letter(text[i], (unsigned)i)] = '\0';
		type[i] = 1;
		if (i && b->without && strchr(b->without, i)) {
			sprintf(text[i], "[none%d]", i);
			type[i] = 5;
		}
	}
	for (int i = 0; i < b->n_merges; i++) {
		const char *l = text[b->merge[i][0]], *r = text[b->merge[i][1]];

		text[256 + i] = grab(strlen(l) + strlen(r) + 1);
		sprintf(text[256 + i], "%s%s", l, r);
		type[256 + i] = 1;
	}
	for (int i = 0; i < b->n_merges; i++) {
		const int *two = b->merge[b->order ? b->order[i] : i];

		merge[i] = grab(strlen(text[two[0]]) + strlen(text[two[1]]) + 2);
		sprintf(merge[i], "%s %s", text[two[0]], text[two[1]]);
	}
	for (int i = 0; i < b->n_other; i++) {
		text[256 + b->n_merges + i] = grab(strlen(b->other[i].text) + 1);
		strcpy(text[256 + b->n_merges + i], b->other[i].text);
		type[256 + b->n_merges + i] = b->other[i].type;
	}
	gm_str(m, "general.architecture", "llama");
	gm_str(m, "tokenizer.ggml.model", "gpt2");
	if (b->pre)
		gm_str(m, "tokenizer.ggml.pre", b->pre);
	gm_strs(m, "tokenizer.ggml.tokens", (const char *const *)text, (size_t)n);
	gm_i32s(m, "tokenizer.ggml.token_type", type, (size_t)n);
	gm_strs(m, "tokenizer.ggml.merges", (const char *const *)merge, (size_t)b->n_merges);
	for (int i = 0; i < n; i++)
		free(text[i]);
	for (int i = 0; i < b->n_merges; i++)
		free(merge[i]);
	free(text);
	free(merge);
	free(type);
	return m;
}

struct ggufmake *tok_spm(const struct tok_piece *p, int n, unsigned how)
{
	static const char *const llama[] = { "<unk>", "<s>", "</s>" }, *const gemma[] = { "<pad>", "<eos>", "<bos>" };
	int first = how & TOK_BYTES ? 259 : 3, all = first + n;
	const char **text = grab((size_t)all * sizeof *text);
	char (*byte)[8] = grab(256 * sizeof *byte);
	int32_t *type = grab((size_t)all * sizeof *type);
	float *score = grab((size_t)all * sizeof *score);
	struct ggufmake *m = gm_new();

	for (int i = 0; i < all; i++) {
		text[i] = i < 3 ? (how & TOK_GEMMA ? gemma[i] : llama[i]) : NULL;
		type[i] = i == 0 && !(how & TOK_GEMMA) ? 2 : i < 3 ? 3 : 6;
		score[i] = 0;
		if (i >= first) {
			text[i] = p[i - first].text;
			type[i] = p[i - first].type;
			score[i] = p[i - first].score;
		} else if (i >= 3) {
			snprintf(byte[i - 3], sizeof byte[0], "<0x%02X>", (unsigned)(i - 3) & 0xff);
			text[i] = byte[i - 3];
		}
	}
	gm_str(m, "general.architecture", "llama");
	gm_str(m, "tokenizer.ggml.model", "llama");
	gm_strs(m, "tokenizer.ggml.tokens", text, (size_t)all);
	gm_i32s(m, "tokenizer.ggml.token_type", type, (size_t)all);
	gm_f32s(m, "tokenizer.ggml.scores", score, (size_t)all);
	if (how & TOK_GEMMA) {
		gm_u32(m, "tokenizer.ggml.eos_token_id", 1);
		gm_u32(m, "tokenizer.ggml.bos_token_id", 2);
		gm_bool(m, "tokenizer.ggml.add_space_prefix", false);
	}
	free(text);
	free(byte);
	free(type);
	free(score);
	return m;
}

/* -- asking ------------------------------------------------------------------------- */

struct ids tok_ids(const struct vocab *v, const char *text, size_t n, unsigned flags)
{
	struct ids l = { 0 };
	struct err e;

	if (vocab_encode(v, text, n, NULL, 0, flags, &l, &e) < 0)
		tap_bail("%s", e.msg);
	return l;
}

const char *tok_list(const struct ids *l)
{
	static char buf[2][1 << 16];
	static int which;
	char *p = buf[which = !which];
	size_t at = 0;

	p[0] = '\0';
	for (size_t i = 0; i < l->n && at < sizeof buf[0] - 16; i++)
		at += (size_t)sprintf(p + at, "%s%d", i ? " " : "", (int)l->p[i]);
	return p;
}

const char *tok_of(const struct vocab *v, const char *text, unsigned flags)
{
	struct ids l = tok_ids(v, text, strlen(text), flags);
	const char *s = tok_list(&l);

	ids_release(&l);
	return s;
}

bool tok_back(const struct vocab *v, const struct ids *l, const char *text, size_t n, bool special)
{
	struct detok d;
	struct str s;
	bool same;

	str_init(&s, 0);
	detok_init(&d, v, special, true);
	d.raw = true;
	for (size_t i = 0; i < l->n; i++)
		detok_push(&d, l->p[i], &s);
	detok_end(&d, &s);
	same = !s.failed && s.len == n && !memcmp(s.p, text, n);
	str_release(&s);
	return same;
}

size_t tok_merge(struct tok_part *p, size_t n, tok_key_fn *key, void *arg)
{
	for (size_t i = 0; i + 1 < n; i++)
		p[i].key = key(arg, &p[i], &p[i + 1], &p[i].made);
	for (;;) {
		size_t best = n;

		for (size_t i = 0; i + 1 < n; i++)
			if (p[i].key >= 0 && (best == n || p[i].key < p[best].key))
				best = i;
		if (best == n)
			return n;
		p[best].len += p[best + 1].len;
		p[best].id = p[best].made;
		memmove(p + best + 1, p + best + 2, (n - best - 2) * sizeof *p);
		n--;
		if (best + 1 < n)
			p[best].key = key(arg, &p[best], &p[best + 1], &p[best].made);
		if (best > 0)
			p[best - 1].key = key(arg, &p[best - 1], &p[best], &p[best - 1].made);
	}
}

bool tok_merges_as(const struct vocab *v, const char *text, struct tok_part *p, size_t n, tok_key_fn *key, void *arg)
{
	const size_t left = tok_merge(p, n, key, arg);
	struct ids got = tok_ids(v, text, n, 0);
	bool same = got.n == left;

	for (size_t i = 0; same && i < left; i++)
		same = got.p[i] == p[i].id;
	ids_release(&got);
	return same;
}

/* -- others' answers ---------------------------------------------------------------- */

static json_t *cases_of(const char *folder, const char *name, json_t **root)
{
	char rel[256];
	const char *path;

	snprintf(rel, sizeof rel, "tokenizers/%s/%s.json", folder, name);
	path = tmp_data(rel);
	*root = path ? json_load_file(path, 0, NULL) : NULL;
	return json_object_get(*root, "cases");
}

static bool same_ids(const struct vocab *v, json_t *text, unsigned flags, json_t *want)
{
	struct ids l = tok_ids(v, json_string_value(text), json_string_length(text), flags);
	bool same = json_is_array(want) && l.n == json_array_size(want);

	for (size_t i = 0; same && i < l.n; i++)
		same = json_integer_value(json_array_get(want, i)) == l.p[i];
	ids_release(&l);
	return same;
}

/* The original's answer to a text on which the peer differs, or NULL. */
static json_t *oracle_of(json_t *oracle, const char *text)
{
	for (size_t i = 0; i < json_array_size(oracle); i++) {
		json_t *c = json_array_get(oracle, i), *agrees = json_object_get(c, "peer_agrees");

		if (json_is_false(agrees) && !strcmp(json_string_value(json_object_get(c, "text")), text))
			return json_object_get(c, "ids");
	}
	return NULL;
}

void tok_peer_cases(const char *name, const char *path)
{
	json_t *root, *peer = cases_of("peer_cases", name, &root), *root2;
	json_t *oracle = cases_of("oracle_cases", !strcmp(name, "qwen3") ? "qwen2" : name, &root2);
	struct vocab *v = peer ? tok_data(path) : NULL;
	int right = 0, all = 0;

	for (size_t i = 0; v && i < json_array_size(peer); i++) {
		json_t *c = json_array_get(peer, i), *text = json_object_get(c, "text");
		const char *s = json_string_value(text);
		/* Qwen's </s> is an ordinary token, and <tool_call> is none of the expression's business */
		bool ordinary = !strncmp(name, "qwen", 4) && strstr(s, "</s>");
		json_t *better = strstr(s, "<tool_call>") ? NULL : oracle_of(oracle, s);
		bool good = same_ids(v, text, 0, better ? better : json_object_get(c, "ids"));

		if (!better)
			good = good && same_ids(v, text, TOK_BOS, json_object_get(c, "ids_add_special"));
		if (!better && !ordinary)
			good = good && same_ids(v, text, TOK_SPECIAL, json_object_get(c, "ids_parse_special"));
		if (!good)
			printf("# %s: text %zu\n", name, i);
		right += good;
		all++;
	}
	if (v)
		ok(all > 100 && right == all, "%s: %d of %d texts as others have them", name, right, all);
	else
		tap_skip("%s: no reference data", name);
	vocab_free(v);
	json_decref(root);
	json_decref(root2);
}

uint32_t tok_random(void)
{
	static uint64_t x = 0x2545f4914f6cdd1du;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)(x >> 32);
}
