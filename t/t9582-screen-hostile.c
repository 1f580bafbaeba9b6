/*
 * Hostile text through every way that text has to the screen: pasted, sent, read from a file, quoted by
 * an error, kept by an earlier run, said by a model, the names of files, what a model says of itself.
 * Each payload ends in a marker that is seen nowhere else: it has to be seen on the screen, and of
 * what is sent to the terminal all has to be on the list in t/lib/screenpty.c.
 * A part of them here; 5,000 with TIDBIT_CAMPAIGN=1 (make screen-campaign). TIDBIT_SURFACE=NAME: only that one.
 */
#include "config.h"
#include "t/lib/ggufmake.h"
#include "t/lib/model.h"
#include "t/lib/scr.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAYLOAD = 512, MARK = 16, ROWS = 40, COLS = 118, OTHER_COLS = 131, SEVERAL = 20 };

static char *model;		/* the shipped one */
static char silent[600];	/* one that has room for much and nothing to say */
static bool *got;		/* by payload of this surface */

/* -- payloads ------------------------------------------------------------------------- */

static const char *const evil[] = {
	"\033]0;title\007", "\033]2;title\033\\", "\033]52;c;ZXZpbA==\007", "\033]8;;http://evil\033\\", "\033[2J", "\033[31m", "\033[?1049l",
	"\033[6n", "\033[c", "\033P$q m\033\\", "\033_G\033\\", "\033^x\033\\", "\033c", "\033[!p", "\033#8", "\033(0", "\033[8h", "\033[5i",
	"\033[?2004l", "\033[201~", "\033[200~", "\r\n", "\b\b\b", "\177", "\007", "\016", "\v\f", "\302\233""31m", "\302\235""0;x\302\234",
	"\302\220q\302\234", "\302\205", "\342\200\256abc", "\342\201\246x\342\201\251", "\342\200\213\342\200\213", "\357\273\277", "\360\237\217\264\363\240\201\247\363\240\201\277",
	"\xff\xfe\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9", "e\314\201\314\201\314\201\314\201\314\201\314\201\314\201",
	"\341\205\237\343\205\244", "`\033[1m`", "```\n\033[1m\n```", "|\033[2J|\n|-|\n|\302\233m|", "[x](\033]0;y\007)", "<\033[0m>", "# \033[7m",
	"\t\t\t", "%n%s%x", "$(reboot)", "\\u001b[2J", "\302\240\302\255", "\033\033\033[[[", "\033[999999999999999999999999m", "\302\200\302\237",
	"\364\217\200\200", "```c \033[m\n", "| a | \033c | b |\n", "\n[x]: \033[c\n", "<!-- \033[2K -->", "\023\021\032\034\003", "&#27;[c",
};
enum { N_EVIL = sizeof evil / sizeof *evil };

static void marker(char *buf, int i)
{
	snprintf(buf, MARK, "M%05dZ", i);
}

/* Some pieces and some bytes. */
static size_t pieces(char *buf, size_t size, int i)
{
	size_t n = 0;

	for (uint32_t k = 1 + scr_draw(4); k; k--) {
		const char *e = evil[scr_draw(3) ? scr_draw(N_EVIL) : (uint32_t)i % N_EVIL];

		n += (size_t)snprintf(buf + n, size - n, "%s%s", scr_draw(2) ? "a " : "", e);
		if (!scr_draw(3))
			buf[n++] = (char)(1 + scr_draw(255));
	}
	buf[n] = 0;
	return n;
}

/* Kept until the next surface, so that what is not seen can be told. */
static char (*sent)[PAYLOAD];

static const char *payload(int i)
{
	const size_t n = pieces(sent[i], PAYLOAD - MARK, i);

	snprintf(sent[i] + n, PAYLOAD - n, " M%05dZ", i);
	return sent[i];
}

/* For what is cut at its end. */
static const char *marked_first(int i)
{
	const size_t n = (size_t)snprintf(sent[i], PAYLOAD, "M%05dZ", i);

	pieces(sent[i] + n, PAYLOAD - n, i);
	return sent[i];
}

static void begin(int n)
{
	sent = calloc((size_t)n, sizeof *sent);
	got = calloc((size_t)n, sizeof *got);
}

/* Tells what is lost, byte for byte. */
static void settle(const char *surface, int n)
{
	int lost = 0;

	for (int i = 0; i < n; i++) {
		if (got[i] || ++lost > SEVERAL)
			continue;
		printf("# M%05dZ was not seen: ", i);
		for (const char *p = sent[i]; *p; p++)
			printf(*p >= ' ' && *p < 0x7f && *p != '\\' ? "%c" : "\\x%02x", (unsigned char)*p);
		printf("\n");
	}
	ok(!lost, "%s: each of %d markers is seen (%d are not)", surface, n, lost);
	free(sent);
	free(got);
}

/* -- the screen ----------------------------------------------------------------------- */

/* All of it again, so that what stands there comes as it stands; at another width what a row's end cut is whole. */
static bool seen(struct screenpty *s, const char *text)
{
	uint64_t from = s->total;
	bool found;

	scr_type(s, "\014");
	if (screenpty_until(s, from, text, 1000 * tap_patience()) >= 0)
		return true;
	screenpty_size(s, ROWS, OTHER_COLS);
	screenpty_read(s, 50, 500);
	from = s->total;
	scr_type(s, "\014");
	found = screenpty_until(s, from, text, 3000 * tap_patience()) >= 0;
	screenpty_size(s, ROWS, COLS);
	screenpty_read(s, 50, 500);
	return found;
}

static bool sees(struct screenpty *s, int i)
{
	char mark[MARK];

	marker(mark, i);
	return seen(s, mark);
}

/* What it has drawn before is not taken for what it draws next. */
static void rest(struct screenpty *s)
{
	screenpty_read(s, 30, 1000 * tap_patience());
}

/* All of it as it stands. */
static void redraw(struct screenpty *s)
{
	const uint64_t from = s->total;

	scr_type(s, "\014");
	scr_wait(s, from, "\033[2J");
	rest(s);
}

/* Which markers came since. */
static int scan(const struct screenpty *s, uint64_t from, int n)
{
	const char *p = s->kept + (from > s->total - s->n ? from - (s->total - s->n) : 0), *end = s->kept + s->n;
	int neu = 0, i, len;

	for (; p < end; p++) {
		len = 0;
		/* names are listed in small letters */
		if (end - p < 7 || (*p | 0x20) != 'm' || sscanf(p + 1, "%5d%*1[Zz]%n", &i, &len) != 1 || len != 6 || i < 0 || i >= n || got[i])
			continue;
		got[i] = true;
		neu++;
	}
	return neu;
}

/* The conversation from its beginning to its end, a page at a time, in two widths. */
static void read_through(struct screenpty *s, int n)
{
	scr_type(s, "\017");
	for (int cols = COLS; cols; cols = cols == COLS ? OTHER_COLS : 0) {
		screenpty_size(s, ROWS, cols);
		screenpty_read(s, 200, 1000);
		scr_type(s, "g");
		for (int pages = 0, old = 0; pages < 2 * n && old < 8; pages++) {
			uint64_t from;

			rest(s);
			from = s->total;
			redraw(s);
			old = scan(s, from, n) ? 0 : old + 1;
			scr_type(s, "\033[6~");
		}
	}
	screenpty_size(s, ROWS, COLS);
	scr_type(s, "i");
	rest(s);
}

static void paste(struct screenpty *s, const char *text)
{
	char copy[PAYLOAD];

	snprintf(copy, sizeof copy, "%s", text);
	/* the end of a paste cannot be in one */
	for (char *end; (end = strstr(copy, "\033[201~"));)
		*end = '?';
	scr_type(s, "\033[200~");
	scr_type(s, copy);
	scr_type(s, "\033[201~");
}

/* -- what a user brings --------------------------------------------------------------- */

static void pasted(int n)
{
	struct screenpty *s = scr_open_raw(model, ROWS, COLS, "-n", "1");

	for (int i = 0; i < n; i++) {
		paste(s, payload(i));
		got[i] = sees(s, i);
		scr_type(s, " \003");
		rest(s);
	}
	scr_finish(s, "pasted");
}

/* Sent as they are; the model says a word. */
static void prompts(int n)
{
	struct screenpty *s = scr_open_raw(silent, ROWS, COLS, NULL, NULL);

	for (int i = 0; i < n; i++) {
		paste(s, payload(i));
		rest(s);
		scr_type(s, "\r");
		rest(s);
		got[i] = sees(s, i);
		if (i % SEVERAL == SEVERAL - 1)
			scr_type(s, "/clear\r");
	}
	scr_finish(s, "prompts");
}

/* Commands that there are not, values that cannot be, files that are not there: the complaint quotes them. */
static void errors(int n)
{
	static const char *const commands[] = { "/", "/set bidi ", "/read ", "/model ", "/show ", "/set theme ", "/help " };
	struct screenpty *s = scr_open_raw(model, ROWS, COLS, "-n", "1");
	char line[PAYLOAD];

	for (int i = 0; i < n; i++) {
		snprintf(line, sizeof line, "%s", marked_first(i));
		/* more than a line is a message, and a file's name has its folders */
		for (char *p = line; *p; p++)
			if (strchr("\r\n\v\f/", *p))
				*p = '?';
		scr_type(s, commands[(size_t)i % (sizeof commands / sizeof *commands)]);
		paste(s, line);
		rest(s);
		scr_type(s, "\r");
		rest(s);
		got[i] = sees(s, i);
	}
	scr_finish(s, "errors");
}

/* A file's bytes become a message's. */
static void files(int n)
{
	struct screenpty *s = scr_open_raw(silent, ROWS, COLS, NULL, NULL);
	char path[600], line[700];

	snprintf(path, sizeof path, "%s", tmp_path("read"));
	snprintf(line, sizeof line, "/read %s\r", path);
	for (int i = 0; i < n; i++) {
		const char *p = payload(i);

		tmp_write(path, p, strlen(p));
		scr_type(s, line);
		rest(s);
		scr_type(s, "x\r");
		rest(s);
		got[i] = sees(s, i);
		scr_type(s, "/clear\r");
		rest(s);
	}
	unlink(path);
	scr_finish(s, "files");
}

/* -- what was kept -------------------------------------------------------------------- */

/* A string of JSON: characters where there are any, bytes where not. */
static void put_json(FILE *f, const char *s)
{
	for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
		const int len = *p >= 0xf0 && *p < 0xf5 ? 4 : *p >= 0xe0 && *p < 0xf0 ? 3 : *p >= 0xc2 && *p < 0xe0 ? 2 : 1;
		uint32_t c = len == 1 ? *p : *p & (0x7fu >> len);
		int k = 1;

		while (k < len && (p[k] & 0xc0) == 0x80)
			c = c << 6 | (p[k++] & 0x3fu);
		if (k < len || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || (len == 3 && c < 0x800) || (len == 4 && c < 0x10000))
			c = *p;
		else
			p += len - 1;
		if (c >= 0x10000)
			fprintf(f, "\\u%04x", 0xd800 + ((c - 0x10000) >> 10));
		fprintf(f, "\\u%04x", c >= 0x10000 ? 0xdc00 + ((c - 0x10000) & 0x3ff) : c);
	}
}

/* What a run of before has left: messages, answers, their labels, and names. */
static void restored(int n)
{
	char path[700];
	struct screenpty *s;
	FILE *f;

	snprintf(path, sizeof path, "%s/.local/state/tidbit/chat-4194303", getenv("HOME"));
	f = fopen(path, "w");
	fprintf(f, "{\"form\":1,\"model\":\"\\u001b]0;x\\u0007\\u009b31m\",\"messages\":[");
	for (int i = 0; i < n; i++) {
		fprintf(f, "%s{\"role\":\"%s\",\"label\":\"\\u001b[2J\\u009dlabel\",\"text\":\"", i ? "," : "", i % 2 ? "assistant" : "user");
		put_json(f, payload(i));
		fprintf(f, "\"}");
	}
	fprintf(f, "]}");
	fclose(f);
	s = scr_open(model, ROWS, COLS, "-n", "4");
	scr_type(s, "\003/restore\r");
	screenpty_read(s, 200, 2000);
	read_through(s, n);
	scr_finish(s, "restored");
}

/* -- models --------------------------------------------------------------------------- */

enum { BYTE_0 = 3, FIRST = BYTE_0 + 256, EMBD = 128 };

/* A sign for each column: two tokens have few in common. */
static float sign(uint32_t token, uint32_t col)
{
	uint32_t x = token * 2654435761u + col * 40503u + 12345;

	x ^= x >> 16;
	x *= 2246822519u;
	x ^= x >> 13;
	x *= 3266489917u;
	x ^= x >> 16;
	return x & 1 ? 1 : -1;
}

static void ones(struct ggufmake *m, const char *name)
{
	float one[EMBD];

	for (int i = 0; i < EMBD; i++)
		one[i] = 1;
	gm_tensor(m, name, GM_F32, 1, (int64_t[]){ EMBD }, one, sizeof one);
}

static void zeros(struct ggufmake *m, const char *name, int64_t cols, int64_t rows)
{
	gm_tensor(m, name, GM_F32, 2, (int64_t[]){ cols, rows }, NULL, (size_t)(cols * rows) * sizeof(float));
}

/* Its one layer adds nothing: what comes next is the token whose row is like this one's embedding, and that is the next. */
static void weights(struct ggufmake *m, int vocab)
{
	float *in = malloc((size_t)vocab * EMBD * sizeof *in), *out = calloc((size_t)vocab * EMBD, sizeof *out);

	for (int t = 0; t < vocab; t++)
		for (int k = 0; k < EMBD; k++)
			in[t * EMBD + k] = sign(t < FIRST ? 0 : (uint32_t)t, (uint32_t)k);
	for (int t = FIRST; t < vocab; t++)
		memcpy(out + t * EMBD, in + (t == FIRST ? 0 : t - 1) * EMBD, EMBD * sizeof *out);
	/* and after the last one the end */
	memcpy(out + 2 * EMBD, in + (vocab - 1) * EMBD, EMBD * sizeof *out);
	gm_tensor(m, "token_embd.weight", GM_F32, 2, (int64_t[]){ EMBD, vocab }, in, (size_t)vocab * EMBD * sizeof *in);
	gm_tensor(m, "output.weight", GM_F32, 2, (int64_t[]){ EMBD, vocab }, out, (size_t)vocab * EMBD * sizeof *out);
	free(in);
	free(out);
	ones(m, "output_norm.weight");
	ones(m, "blk.0.attn_norm.weight");
	ones(m, "blk.0.ffn_norm.weight");
	zeros(m, "blk.0.attn_q.weight", EMBD, EMBD);
	zeros(m, "blk.0.attn_k.weight", EMBD, EMBD);
	zeros(m, "blk.0.attn_v.weight", EMBD, EMBD);
	zeros(m, "blk.0.attn_output.weight", EMBD, EMBD);
	zeros(m, "blk.0.ffn_gate.weight", EMBD, EMBD);
	zeros(m, "blk.0.ffn_up.weight", EMBD, EMBD);
	zeros(m, "blk.0.ffn_down.weight", EMBD, EMBD);
}

/* A model that says these pieces one after the other, whatever it is told; n 0: one that says nothing. */
static void make_model(const char *path, const char *name, const char *license, const char *const *say, int n)
{
	static char bytes[256][8];
	const int vocab = FIRST + n + !n;
	const char **text = calloc((size_t)vocab, sizeof *text);
	float *scores = calloc((size_t)vocab, sizeof *scores);
	int32_t *types = calloc((size_t)vocab, sizeof *types);
	struct ggufmake *m = gm_new();

	for (int t = 0; t < vocab; t++) {
		types[t] = t == 0 ? 2 : t < BYTE_0 ? 3 : t < FIRST ? 6 : 1;
		if (t >= BYTE_0 && t < FIRST)
			snprintf(bytes[t - BYTE_0], sizeof bytes[0], "<0x%02X>", (unsigned)(t - BYTE_0));
		text[t] = t == 0 ? "<unk>" : t == 1 ? "<s>" : t == 2 ? "</s>" : t < FIRST ? bytes[t - BYTE_0] : n ? say[t - FIRST] : "none";
		scores[t] = t < FIRST ? 0 : -1000 - (float)t;
	}
	gm_str(m, "general.architecture", "llama");
	gm_str(m, "general.name", name);
	gm_str(m, "general.license", license);
	gm_u32(m, "llama.context_length", 8192);
	gm_u32(m, "llama.embedding_length", EMBD);
	gm_u32(m, "llama.block_count", 1);
	gm_u32(m, "llama.feed_forward_length", EMBD);
	gm_u32(m, "llama.attention.head_count", 2);
	gm_u32(m, "llama.attention.head_count_kv", 2);
	gm_u32(m, "llama.rope.dimension_count", EMBD / 2);
	gm_f32(m, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
	gm_str(m, "tokenizer.ggml.model", "llama");
	gm_strs(m, "tokenizer.ggml.tokens", text, (size_t)vocab);
	gm_f32s(m, "tokenizer.ggml.scores", scores, (size_t)vocab);
	gm_i32s(m, "tokenizer.ggml.token_type", types, (size_t)vocab);
	gm_u32(m, "tokenizer.ggml.bos_token_id", 1);
	gm_u32(m, "tokenizer.ggml.eos_token_id", 2);
	weights(m, vocab);
	gm_write(m, path);
	gm_free(m);
	free(types);
	free(scores);
	free(text);
}

/* Each payload is two of the model's pieces, cut at any byte: a sequence, or a character, that is whole only on the screen. */
static void answers(int n)
{
	char *(*halves)[2] = calloc((size_t)n, sizeof *halves), path[600];
	struct screenpty *s;
	uint64_t from;

	for (int i = 0; i < n; i++) {
		const char *p = payload(i);
		const size_t cut = 1 + scr_draw((uint32_t)strlen(p) - 7);	/* not into the marker */

		halves[i][0] = strndup(p, cut);
		halves[i][1] = calloc(1, strlen(p) + 3);
		sprintf(halves[i][1], "%s%s", p + cut, i % 7 == 6 ? "\n\n" : i % 3 ? "\n" : " ");
	}
	snprintf(path, sizeof path, "%s", tmp_path("answers.gguf"));
	make_model(path, "m", "", (const char *const *)halves, 2 * n);
	s = scr_open(path, ROWS, COLS, "--temp", "0");
	from = s->total;
	scr_type(s, "x\r");
	scr_wait(s, from, " tokens \302\267");
	rest(s);
	read_through(s, n);
	scr_finish(s, "answers");
	unlink(path);
	for (int i = 0; i < n; i++) {
		free(halves[i][0]);
		free(halves[i][1]);
	}
	free(halves);
}

/* Names and licenses; the file's own name is plain. */
static void metadata(int n)
{
	struct screenpty *s = scr_open(model, ROWS, COLS, "-n", "1");
	char path[600], line[700], mark[MARK];

	for (int i = 0; i < n; i++) {
		const char *p = marked_first(i);

		snprintf(path, sizeof path, "%s", tmp_path(i % 2 ? "odd.gguf" : "even.gguf"));
		make_model(path, i / 2 % 2 ? p : "m", i / 2 % 2 ? "x" : p, NULL, 0);
		marker(mark, i);
		snprintf(line, sizeof line, "/model %s\r", path);
		scr_type(s, line);
		/* it is opened meanwhile */
		for (int tries = 0; tries < 5 && !got[i]; tries++) {
			screenpty_read(s, 100, 1000 * tap_patience());
			scr_type(s, "/show\r");
			rest(s);
			got[i] = seen(s, mark);
		}
		scr_type(s, "/clear\r");
		rest(s);
	}
	unlink(tmp_path("odd.gguf"));
	unlink(tmp_path("even.gguf"));
	scr_finish(s, "metadata");
}

/* What a file can be called. */
static void file_name(char *buf, size_t size, const char *first, const char *text, const char *last)
{
	snprintf(buf, size, "%s%s%s", first, text, last);
	for (char *p = buf; *p; p++)
		if (*p == '/')
			*p = '_';
}

/* Models in the user's folder, as F3 lists them. */
static void listed(int n)
{
	char dir[600], name[PAYLOAD + 8], path[1200], command[700];
	struct screenpty *s;

	snprintf(dir, sizeof dir, "%s/.local/share/tidbit/models", getenv("HOME"));
	snprintf(command, sizeof command, "mkdir -p '%s'", dir);
	if (system(command))
		exit(99);
	for (int i = 0; i < n; i++) {
		file_name(name, sizeof name, "", marked_first(i), ".gguf");
		snprintf(path, sizeof path, "%s/%s", dir, name);
		make_model(path, "m", "", NULL, 0);
	}
	s = scr_open(model, ROWS, COLS, "-n", "1");
	scr_type(s, "\033OR");
	screenpty_read(s, 1000, 20000 * tap_patience());
	for (int pages = 0; pages < n / 4 + 4; pages++) {
		uint64_t from;

		rest(s);
		from = s->total;
		redraw(s);
		scan(s, from, n);
		scr_type(s, "\033[6~");
	}
	scr_type(s, "\033");
	screenpty_read(s, 200, 1000);
	scr_finish(s, "names in the list of models");
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	if (system(command))
		exit(99);
}

/* Names that Tab completes, and then reads. */
static void completed(int n)
{
	char name[PAYLOAD + 16], path[1200], line[700], dir[600];
	struct screenpty *s = scr_open(model, ROWS, COLS, "-n", "1");

	snprintf(dir, sizeof dir, "%s/names", getenv("HOME"));
	mkdir(dir, 0700);
	for (int i = 0; i < n; i++) {
		char first[16];

		snprintf(first, sizeof first, "f%05d", i);
		file_name(name, sizeof name, first, payload(i), "");
		snprintf(path, sizeof path, "%s/%s", dir, name);
		tmp_write(path, "x", 1);
		snprintf(line, sizeof line, "/read %s/%s\t", dir, first);
		scr_type(s, line);
		rest(s);
		got[i] = sees(s, i);
		scr_type(s, " \003");
		rest(s);
		unlink(path);
	}
	rmdir(dir);
	scr_finish(s, "names that are completed");
}

/* -- the list ------------------------------------------------------------------------- */

/* The checker tells good from bad. */
static void test_checker(void)
{
	static const char *const bad[] = {
		"\033]52;c;x\007", "\033]2;a\033b\007", "\033[6n", "\033[?47h", "\302\233x", "\005", "\177", "\033P", "\033[8p", "\033c",
	};
	static const char *const good[] = { "\033[12;40H\033(B\033[m\033[38;5;1mtext \303\251\302\267\r\n\033[K", "\033]2;a title\007\033[?2004h" };
	struct screenpty *s;
	int caught = 0, passed = 0;

	for (size_t i = 0; i < sizeof bad / sizeof *bad + sizeof good / sizeof *good; i++) {
		const bool is_bad = i < sizeof bad / sizeof *bad;
		const char *text = is_bad ? bad[i] : good[i - sizeof bad / sizeof *bad];

		s = calloc(1, sizeof *s);
		screenpty_check(s, text, strlen(text));
		*(is_bad ? &caught : &passed) += is_bad == (s->odd[0] != 0);
		free(s);
	}
	ok(caught == sizeof bad / sizeof *bad && passed == sizeof good / sizeof *good, "sequences on no list are told (%d), others pass (%d)",
	   caught, passed);
}

static const struct { const char *name; int part, all; void (*run)(int n); } surfaces[] = {
	{ "pasted", 60, 1000, pasted }, { "prompts", 40, 700, prompts }, { "errors", 40, 700, errors }, { "files", 20, 400, files },
	{ "restored", 100, 1000, restored }, { "answers", 100, 700, answers }, { "metadata", 10, 200, metadata },
	{ "listed", 20, 200, listed }, { "completed", 10, 100, completed },
};

int main(void)
{
	const bool full = getenv("TIDBIT_CAMPAIGN") != NULL;
	const char *only = getenv("TIDBIT_SURFACE");

	setvbuf(stdout, NULL, _IOLBF, 0);
	scr_init();
	model = shipped_model();
	snprintf(silent, sizeof silent, "%s", tmp_path("silent.gguf"));
	make_model(silent, "silent", "", NULL, 0);
	test_checker();
	for (size_t i = 0; i < sizeof surfaces / sizeof *surfaces; i++) {
		const int n = full ? surfaces[i].all : surfaces[i].part;

		if (only && strcmp(only, surfaces[i].name))
			continue;
		begin(n);
		surfaces[i].run(n);
		settle(surfaces[i].name, n);
	}
	unlink(silent);
	free(model);
	return scr_done();
}
