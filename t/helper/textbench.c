/*
 * Time of the text room: textbench MODEL.gguf [TEMPLATE.jinja]
 *
 * Tokenizing: for texts of one class and mixtures, 64 KiB to 1 MiB, the median of 5 and its
 * ratio to the half (at most 2.3 where time is linear). Rendering: 200 messages through the
 * template (at most 5 ms).
 */
#include "config.h"
#include "engine/base/xio.h"
#include "engine/format/gguf.h"
#include "engine/text/prompt.h"
#include "engine/text/vocab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SMALLEST = 64 << 10, LARGEST = 1 << 20, RUNS = 5, MESSAGES = 200, MIXTURES = 24 };

static const struct { const char *name, *unit; } classes[] = {
	{ "letters", "a" }, { "words", "the quick brown fox " }, { "digits", "7" }, { "blanks", " " }, { "lines", "\n" },
	{ "blanks and lines", " \n" }, { "tabs", "\t" }, { "punctuation", "!" }, { "capitals", "AbC" }, { "han", "\xe4\xb8\xad" },
	{ "arabic", "\xd8\xa7\xd9\x84\xd8\xb3 " }, { "hindi", "\xe0\xa4\xb9\xe0\xa4\xbf" }, { "combining", "e\xcc\x81" },
	{ "marks", "\xcc\x81" }, { "emoji", "\xf0\x9f\x99\x82" }, { "invalid", "\xff" }, { "half characters", "\xe4\xb8" },
	{ "apostrophes", "'s" }, { "code", "\tif (x[i] != 0) { y += f(x, 12); }\n" }, { "brackets", "<|" }, { "zeros", "" },
};

/* The thread's own time: other programs on the machine do not count. */
static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int order(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double encode_ms(const struct vocab *v, const char *text, size_t n, size_t *ids)
{
	int64_t t[RUNS];

	for (int i = 0; i < RUNS; i++) {
		struct ids l = { 0 };
		struct err e;
		const int64_t start = cpu_ns();

		if (vocab_encode(v, text, n, NULL, 0, 0, &l, &e) < 0) {
			fprintf(stderr, "%s\n", e.msg);
			exit(1);
		}
		t[i] = cpu_ns() - start;
		*ids = l.n;
		ids_release(&l);
	}
	qsort(t, RUNS, sizeof *t, order);
	return (double)t[RUNS / 2] / 1e6;
}

static void fill(char *text, size_t n, const char *unit)
{
	const size_t len = *unit ? strlen(unit) : 1;

	for (size_t i = 0; i < n; i++)
		text[i] = unit[i % len];
}

static uint32_t draw(uint32_t *seed, uint32_t n)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % n;
}

/* Runs of a few of the classes in turn, drawn once and repeated: short and long ones. */
static void mix(char *text, size_t n, uint32_t seed)
{
	const char *unit[4];
	const uint32_t kinds = 2 + draw(&seed, 3), period = 64u << draw(&seed, 9);
	size_t at = 0;

	for (uint32_t i = 0; i < kinds; i++)
		unit[i] = classes[draw(&seed, sizeof classes / sizeof *classes)].unit;
	while (at < n && at < period) {
		const char *u = unit[draw(&seed, kinds)];
		const size_t len = *u ? strlen(u) : 1, run = 1 + draw(&seed, 1u << draw(&seed, 11));

		for (size_t i = 0; i < run * len && at < n; i++)
			text[at++] = u[i % len];
	}
	for (size_t i = at; i < n; i++)
		text[i] = text[i - at];
}

/* The worst ratio of a doubling. */
static double doubling(const struct vocab *v, const char *name, const char *text)
{
	double before = 0, ms = 0, ratio = 0;
	size_t ids = 0;

	for (size_t n = SMALLEST; n <= LARGEST; n *= 2) {
		ms = encode_ms(v, text, n, &ids);
		if (before > 0 && ms / before > ratio)
			ratio = ms / before;
		before = ms;
	}
	printf("%-18s 1 MiB %8.2f ms  %8zu ids  worst doubling %.2f\n", name, ms, ids, ratio);
	return ratio;
}

static double tokenizing(const struct vocab *v, char *text)
{
	double worst = 0, ratio;
	char name[32];

	for (uint32_t c = 0; c < sizeof classes / sizeof *classes + MIXTURES; c++) {
		const uint32_t k = c - sizeof classes / sizeof *classes;

		if (c < sizeof classes / sizeof *classes) {
			fill(text, LARGEST, classes[c].unit);
			snprintf(name, sizeof name, "%s", classes[c].name);
		} else {
			mix(text, LARGEST, k + 1);
			snprintf(name, sizeof name, "mixture %u", k + 1);
		}
		ratio = doubling(v, name, text);
		worst = ratio > worst ? ratio : worst;
	}
	return worst;
}

static int rendering(const struct vocab *v, const char *path)
{
	static const struct prompt_opts po = { .add_generation_prompt = true, .thinking = -1 };
	static const char text[] = "A message of about the length that people write: two lines,\nand some of them a little longer.";
	struct prompt_msg m[MESSAGES];
	struct prompt_template *t = NULL;
	int64_t times[RUNS];
	size_t bytes = 0;
	struct str src;
	struct err e;

	str_init(&src, 0);
	if (xio_slurp(path, &src, &e) < 0 || prompt_compile(&t, src.p, src.len, v, NULL, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return 1;
	}
	for (int i = 0; i < MESSAGES; i++)
		m[i] = (struct prompt_msg){ .role = i % 2 ? "assistant" : "user", .text = text, .len = sizeof text - 1 };
	for (int i = 0; i < RUNS; i++) {
		struct jinja_out out;
		const int64_t start = cpu_ns();

		jinja_out_init(&out);
		if (prompt_render(t, v, m, MESSAGES, &po, &out, &e) < 0)
			fprintf(stderr, "%s\n", e.msg);
		times[i] = cpu_ns() - start;
		bytes = out.text.len;
		jinja_out_release(&out);
	}
	qsort(times, RUNS, sizeof *times, order);
	printf("%d messages, %zu bytes, rendered in %.2f ms\n", MESSAGES, bytes, (double)times[RUNS / 2] / 1e6);
	prompt_free(t);
	str_release(&src);
	return 0;
}

int main(int argc, char **argv)
{
	struct gguf *g = NULL;
	struct vocab *v = NULL;
	char *text = malloc(LARGEST);
	struct err e;
	int r = 0;

	if (argc < 2 || !text) {
		fprintf(stderr, "usage: %s MODEL.gguf [TEMPLATE.jinja]\n", argv[0]);
		return 2;
	}
	if (gguf_open(&g, argv[1], NULL, &e) < 0 || vocab_load(&v, g, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return 1;
	}
	printf("worst doubling of all: %.2f\n", tokenizing(v, text));
	if (argc > 2)
		r = rendering(v, argv[2]);
	vocab_free(v);
	gguf_close(g);
	free(text);
	return r;
}
