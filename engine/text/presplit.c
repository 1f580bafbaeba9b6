/*
 * The table of pre-split expressions, and PCRE2 to run them: compiled once a vocabulary,
 * matched under limits that grow with the text, so that the work is linear or an error.
 *
 * Sources: the tokenizer.json of each maker (mpt and olmo have GPT-NeoX-20B's, which
 * normalizes); names and groups as in llama.cpp's llama-vocab.cpp (Aug 2026).
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "config.h"

#include "engine/base/xio.h"
#include "engine/text/presplit.h"
#include "engine/text/utf8.h"

#include <pcre2.h>
#include <string.h>

/* White space and what is none; in a class, and as one. */
#define WS "\\p{Z}\\x09-\\x0d\\x{85}"
#define S "[" WS "]"
#define NOT_S "[^" WS "]"
#define BLANKS S "+(?!" NOT_S ")"	/* white space, but not the last before a word */

#define GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^" WS "\\p{L}\\p{N}]+|" BLANKS
#define SHORT "(?i:'s|'t|'re|'ve|'m|'ll|'d)"	/* contractions */
#define TAIL "|" S "*[\\r\\n]+|" BLANKS "|" S "+"
#define WORDS(digits) \
	SHORT "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" digits "| ?[^" WS "\\p{L}\\p{N}]+[\\r\\n]*" TAIL
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define CASED(after, digits) \
	"[^\\r\\n\\p{L}\\p{N}]?" UPPER "*" LOWER "+" after "|[^\\r\\n\\p{L}\\p{N}]?" UPPER "+" LOWER "*" after \
	"|" digits "| ?[^" WS "\\p{L}\\p{N}]+[\\r\\n/]*" TAIL
/* The cased letters as deepseek-llm lists them: of an older Unicode, so no class says the same. */
#define DEEPSEEK_LETTERS \
	"A-Za-z\\x{b5}\\x{c0}-\\x{d6}\\x{d8}-\\x{f6}\\x{f8}-\\x{1ba}\\x{1bc}-\\x{1bf}" \
	"\\x{1c4}-\\x{293}\\x{295}-\\x{2af}\\x{370}-\\x{373}\\x{376}\\x{377}\\x{37b}-\\x{37d}" \
	"\\x{37f}\\x{386}\\x{388}-\\x{38a}\\x{38c}\\x{38e}-\\x{3a1}\\x{3a3}-\\x{3f5}" \
	"\\x{3f7}-\\x{481}\\x{48a}-\\x{52f}\\x{531}-\\x{556}\\x{10a0}-\\x{10c5}" \
	"\\x{13a0}-\\x{13f5}\\x{13f8}-\\x{13fd}\\x{1c90}-\\x{1cba}\\x{1cbd}-\\x{1cbf}" \
	"\\x{1d00}-\\x{1d2b}\\x{1d6b}-\\x{1d77}\\x{1d79}-\\x{1d9a}\\x{1e00}-\\x{1f15}" \
	"\\x{1f18}-\\x{1f1d}\\x{1f20}-\\x{1f45}\\x{1f48}-\\x{1f4d}\\x{1f50}-\\x{1f57}" \
	"\\x{1f59}\\x{1f5b}\\x{1f5d}\\x{1f5f}-\\x{1f7d}\\x{1f80}-\\x{1fb4}\\x{1fb6}-\\x{1fbc}" \
	"\\x{1fbe}\\x{1fc2}-\\x{1fc4}\\x{1fc6}-\\x{1fcc}\\x{1fd0}-\\x{1fd3}" \
	"\\x{1fd6}-\\x{1fdb}\\x{1fe0}-\\x{1fec}\\x{1ff2}-\\x{1ff4}\\x{1ff6}-\\x{1ffc}" \
	"\\x{2102}\\x{2107}\\x{210a}-\\x{2113}\\x{2115}\\x{2119}-\\x{211d}\\x{2124}\\x{2126}" \
	"\\x{2128}\\x{212a}-\\x{212d}\\x{212f}-\\x{2134}\\x{2139}\\x{213c}-\\x{213f}" \
	"\\x{2145}-\\x{2149}\\x{214e}\\x{2183}\\x{2184}\\x{2c00}-\\x{2c7b}\\x{2c7e}-\\x{2ce4}" \
	"\\x{2ceb}-\\x{2cee}\\x{2cf2}\\x{2cf3}\\x{a640}-\\x{a66d}\\x{a680}-\\x{a69b}" \
	"\\x{a722}-\\x{a76f}\\x{a771}-\\x{a787}\\x{a78b}-\\x{a78e}\\x{ab70}-\\x{abbf}" \
	"\\x{fb00}-\\x{fb06}\\x{fb13}-\\x{fb17}\\x{ff21}-\\x{ff3a}\\x{ff41}-\\x{ff5a}" \
	"\\x{10400}-\\x{1044f}\\x{104b0}-\\x{104d3}\\x{104d8}-\\x{104fb}\\x{10c80}-\\x{10cb2}" \
	"\\x{10cc0}-\\x{10cf2}\\x{118a0}-\\x{118df}\\x{1e900}-\\x{1e943}"
#define CJK "[\\x{4e00}-\\x{9fa5}\\x{800}-\\x{4e00}\\x{ac00}-\\x{d7ff}]+"

enum split {
	SPLIT_DEFAULT, SPLIT_GPT2, SPLIT_SMOLLM, SPLIT_QWEN2, SPLIT_QWEN35, SPLIT_LLAMA3, SPLIT_GPT4O, SPLIT_TEKKEN,
	SPLIT_DEEPSEEK_LLM, SPLIT_DEEPSEEK_CODER, SPLIT_DEEPSEEK3, SPLIT_FALCON, SPLIT_N
};

enum { MAX_PASSES = 6 };

static const char *const splits[SPLIT_N][MAX_PASSES] = {
	[SPLIT_DEFAULT] = { "[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]" },
	[SPLIT_GPT2] = { GPT2 },
	[SPLIT_SMOLLM] = { "\\p{N}", GPT2 },
	[SPLIT_QWEN2] = { WORDS("\\p{N}") },
	[SPLIT_QWEN35] = {
		SHORT "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^" WS "\\p{L}\\p{M}\\p{N}]+[\\r\\n]*" TAIL
	},
	[SPLIT_LLAMA3] = { WORDS("\\p{N}{1,3}") },
	[SPLIT_GPT4O] = { CASED(SHORT "?", "\\p{N}{1,3}") },
	[SPLIT_TEKKEN] = { CASED("", "\\p{N}") },
	/* The makers' "\s+$" tries every blank of a run; from the run's first one it is the same piece in linear time. */
	[SPLIT_DEEPSEEK_LLM] = {
		"[\\r\\n]", S "?[" DEEPSEEK_LETTERS "]+",
		S "?[!-/:-~\\x{ff01}-\\x{ff0f}\\x{ff1a}-\\x{ff5e}\\x{2018}-\\x{201f}\\x{3000}-\\x{3002}]+",
		"(?<!" S ")" S "++\\z", CJK, "\\p{N}+"
	},
	[SPLIT_DEEPSEEK_CODER] = { "[\\r\\n]", S "?\\p{L}+", S "?\\p{P}+", CJK, "\\p{N}" },
	[SPLIT_DEEPSEEK3] = {
		"\\p{N}{1,3}", "[\\x{4e00}-\\x{9fa5}\\x{3040}-\\x{30ff}]+",
		"[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
		"| ?[\\p{P}\\p{S}]+[\\r\\n]*" TAIL
	},
	[SPLIT_FALCON] = { "[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2, "[0-9][0-9][0-9]" },
};

/* llama3's vocabulary holds words that no merges reach. */
#define WHOLE PRESPLIT_IGNORE_MERGES
#define BOS PRESPLIT_ADD_BOS

static const struct presplit_row rows[] = {
	{ "default", SPLIT_DEFAULT, 0 },
	{ "gpt-2", SPLIT_GPT2, 0 }, { "phi-2", SPLIT_GPT2, 0 }, { "mpt", SPLIT_GPT2, PRESPLIT_NFC },
	{ "olmo", SPLIT_GPT2, PRESPLIT_NFC }, { "jais", SPLIT_GPT2, 0 }, { "modern-bert", SPLIT_GPT2, 0 },
	{ "gigachat", SPLIT_GPT2, 0 }, { "a.x-4.0", SPLIT_GPT2, 0 }, { "mellum", SPLIT_GPT2, 0 },
	{ "exaone4", SPLIT_GPT2, 0 }, { "trillion", SPLIT_GPT2, 0 }, { "granite-docling", SPLIT_GPT2, 0 },
	{ "smollm", SPLIT_SMOLLM, 0 }, { "starcoder", SPLIT_SMOLLM, 0 }, { "refact", SPLIT_SMOLLM, 0 },
	{ "command-r", SPLIT_SMOLLM, 0 }, { "codeshell", SPLIT_SMOLLM, 0 }, { "exaone", SPLIT_SMOLLM, 0 },
	{ "minerva-7b", SPLIT_SMOLLM, 0 }, { "mellum2", SPLIT_SMOLLM, 0 },
	{ "qwen2", SPLIT_QWEN2, PRESPLIT_NFC }, { "deepseek-r1-qwen", SPLIT_QWEN2, 0 },
	{ "megrez", SPLIT_QWEN2, PRESPLIT_NFC }, { "kormo", SPLIT_QWEN2, 0 }, { "stablelm2", SPLIT_QWEN2, 0 },
	{ "hunyuan", SPLIT_QWEN2, 0 }, { "solar-open", SPLIT_QWEN2, 0 }, { "grok-2", SPLIT_QWEN2, 0 },
	{ "qwen35", SPLIT_QWEN35, PRESPLIT_NFC },
	{ "llama-bpe", SPLIT_LLAMA3, WHOLE | BOS }, { "llama3", SPLIT_LLAMA3, WHOLE | BOS },
	{ "llama-v3", SPLIT_LLAMA3, WHOLE | BOS }, { "falcon3", SPLIT_LLAMA3, WHOLE | BOS },
	{ "falcon-h1", SPLIT_LLAMA3, WHOLE | BOS }, { "pixtral", SPLIT_LLAMA3, WHOLE | BOS },
	{ "midm-2.0", SPLIT_LLAMA3, WHOLE | BOS }, { "lfm2", SPLIT_LLAMA3, WHOLE | BOS },
	{ "smaug-bpe", SPLIT_LLAMA3, WHOLE }, { "dbrx", SPLIT_LLAMA3, 0 },
	{ "glm4", SPLIT_LLAMA3, PRESPLIT_NO_BOS }, { "chatglm-bpe", SPLIT_LLAMA3, PRESPLIT_NO_BOS },
	{ "gpt-4o", SPLIT_GPT4O, 0 }, { "llama4", SPLIT_GPT4O, 0 }, { "kanana2", SPLIT_GPT4O, 0 },
	{ "talkie", SPLIT_GPT4O, 0 }, { "minimax-m2", SPLIT_GPT4O, 0 },
	{ "tekken", SPLIT_TEKKEN, WHOLE | BOS },
	{ "deepseek-llm", SPLIT_DEEPSEEK_LLM, 0 }, { "deepseek-coder", SPLIT_DEEPSEEK_CODER, 0 },
	{ "deepseek-v3", SPLIT_DEEPSEEK3, 0 }, { "hunyuan-dense", SPLIT_DEEPSEEK3, 0 },
	{ "joyai-llm", SPLIT_DEEPSEEK3, 0 },
	{ "falcon", SPLIT_FALCON, 0 },
};

const struct presplit_row *presplit_at(size_t i)
{
	return i < sizeof rows / sizeof *rows ? &rows[i] : NULL;
}

const struct presplit_row *presplit_find(const char *name, size_t n)
{
	if (n == 0)
		return &rows[0];
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strlen(rows[i].name) == n && !memcmp(rows[i].name, name, n))
			return &rows[i];
	return NULL;
}

/* -- compiled ----------------------------------------------------------------------- */

struct presplit {
	pcre2_general_context *memory;
	int n;
	pcre2_code *code[MAX_PASSES];
};

static void *pcre_alloc(PCRE2_SIZE n, void *arg)
{
	(void)arg;
	return mem_alloc(n);
}

static void pcre_free(void *p, void *arg)
{
	(void)arg;
	mem_free(p);
}

/* What PCRE2 says, in an error of ours. */
static int pcre_fail(struct err *e, enum err_code code, int rc)
{
	PCRE2_UCHAR text[128];

	if (pcre2_get_error_message(rc, text, sizeof text) < 0)
		text[0] = '\0';
	return err_set(e, code, "cutting the text before tokenizing: %s (PCRE2 error %d)", (const char *)text, rc);
}

int presplit_new(struct presplit **out, const struct presplit_row *row, struct err *e)
{
	struct presplit *p = mem_calloc(1, sizeof *p);

	if (!p)
		return err_set(e, ERR_NOMEM, "no memory for a tokenizer");
	p->memory = pcre2_general_context_create(pcre_alloc, pcre_free, NULL);
	if (!p->memory) {
		presplit_free(p);
		return err_set(e, ERR_NOMEM, "no memory for a tokenizer");
	}
	for (; p->n < MAX_PASSES && splits[row->split][p->n]; p->n++) {
		pcre2_compile_context *context = pcre2_compile_context_create(p->memory);
		PCRE2_SIZE at;
		int rc = PCRE2_ERROR_NOMEMORY;

		if (context)
			p->code[p->n] = pcre2_compile((PCRE2_SPTR)splits[row->split][p->n], PCRE2_ZERO_TERMINATED,
						      PCRE2_UTF | PCRE2_UCP, &rc, &at, context);
		pcre2_compile_context_free(context);
		if (!p->code[p->n]) {
			presplit_free(p);
			return pcre_fail(e, ERR_NOMEM, rc);
		}
		/* the expressions are ours and the text is checked: what JIT asks for; without it they run as well */
		pcre2_jit_compile(p->code[p->n], PCRE2_JIT_COMPLETE);
	}
	*out = p;
	return 0;
}

void presplit_free(struct presplit *p)
{
	if (!p)
		return;
	for (int i = 0; i < MAX_PASSES; i++)
		pcre2_code_free(p->code[i]);
	pcre2_general_context_free(p->memory);
	mem_free(p);
}

/* -- one thread's use --------------------------------------------------------------- */

struct presplit_run {
	const struct presplit *p;
	presplit_fn *fn;
	void *arg;
	pcre2_match_data *match;
	pcre2_match_context *limits;
	struct err *e;
};

struct presplit_run *presplit_open(const struct presplit *p, presplit_fn *fn, void *arg, struct err *e)
{
	struct presplit_run *r = mem_calloc(1, sizeof *r);

	if (r) {
		r->p = p;
		r->fn = fn;
		r->arg = arg;
		r->match = pcre2_match_data_create(1, p->memory);
		r->limits = pcre2_match_context_create(p->memory);
	}
	if (!r || !r->match || !r->limits) {
		presplit_close(r);
		err_set(e, ERR_NOMEM, "no memory for tokenizing");
		return NULL;
	}
	pcre2_set_depth_limit(r->limits, 1000);
	pcre2_set_heap_limit(r->limits, 64 * 1024);
	return r;
}

void presplit_close(struct presplit_run *r)
{
	if (!r)
		return;
	pcre2_match_data_free(r->match);
	pcre2_match_context_free(r->limits);
	mem_free(r);
}

/* The next match in [p, p+n) from `from`: 1 with its place in ovector, 0 none, -1 an error. */
static int next_match(struct presplit_run *r, int pass, const char *p, size_t n, size_t from)
{
	const pcre2_code *code = r->p->code[pass];
	int rc = pcre2_match(code, (PCRE2_SPTR)p, n, from, PCRE2_NO_UTF_CHECK, r->match, r->limits);

	if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
		rc = pcre2_match(code, (PCRE2_SPTR)p, n, from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, r->match, r->limits);
	if (rc >= 0)
		return 1;
	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	return pcre_fail(r->e, rc == PCRE2_ERROR_NOMEMORY ? ERR_NOMEM : ERR_LIMIT, rc);
}

static int split(struct presplit_run *r, int pass, const char *p, size_t n)
{
	const size_t *found = pcre2_get_ovector_pointer(r->match);
	size_t at = 0, from = 0;

	if (pass == r->p->n)
		return r->fn(r->arg, p, n);
	while (from < n) {
		int got = next_match(r, pass, p, n, from);
		size_t start = found[0], end = found[1];

		if (got < 0)
			return -1;
		if (!got)
			break;
		if (end == start) {	/* no row matches nothing; should one, go on after it */
			from = end + (end < n ? (size_t)utf8_char(p + end, n - end) : 1);
			continue;
		}
		if (start > at && split(r, pass + 1, p + at, start - at) < 0)
			return -1;
		if (split(r, pass + 1, p + start, end - start) < 0)
			return -1;
		at = from = end;
	}
	return at < n ? split(r, pass + 1, p + at, n - at) : 0;
}

int presplit_text(struct presplit_run *r, const char *text, size_t n, struct err *e)
{
	/* a run of blanks is walked back once: a few steps a byte */
	size_t steps = 1000000 + 64 * (n < UINT32_MAX / 128 ? n : UINT32_MAX / 128);

	pcre2_set_match_limit(r->limits, (uint32_t)steps);
	r->e = e;
	return split(r, 0, text, n);
}
