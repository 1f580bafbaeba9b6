/* Profiles of families: which sections hold, who wins, what is said of mistakes. */
#include "config.h"
#include "app/opt.h"
#include "app/profile.h"
#include "engine/base/xio.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct eng_info qwen = {
	.path = "/m/Qwen3-0.6B-Q4_0.gguf", .name = "Qwen3 0.6B", .arch = "qwen3", .family = "qwen3", .tokenizer = "gpt2/qwen2",
};

static const char ours[] =
	"[q]\nfamily = qwen3\ntemp = 0.6\ntop-k = 20\nstop = \"\\nUser:\", ###\nlevels = Q8_0, Q4_0\n"
	"[q off]\nfamily = qwen3\nthinking = off\ntemp = 0.7\n"
	"[q 2507]\nname = qwen3*2507*\ntemp = 0.9\n"
	"[other]\nfamily = llama, gemma3\ntemp = 0.1\nthink = \"<a>\", \"</a>\"\n";

static const char *put(const char *name, const char *text)
{
	const char *path = tmp_path(name);

	tmp_write(path, text, strlen(text));
	return path;
}

static int read_two(struct profile *p, const struct eng_info *info, const char *a, const char *b, struct str *complaints)
{
	const char *paths[2] = { a ? put("ours.conf", a) : "/nonexistent/families.conf", b ? put("theirs.conf", b) : NULL };
	struct err e;

	str_clear(complaints);
	return profile_read(p, info, paths, b ? 2 : 1, complaints, &e);
}

static double temp_of(const struct profile *p, const char *think)
{
	struct opts o = opt_defaults;

	o.think = think;
	profile_fill(p, &o);
	return o.sample.temp;
}

static void sections(void)
{
	struct eng_info other = qwen;
	struct profile p;
	struct str c;

	str_init(&c, 0);
	ok(!read_two(&p, &qwen, ours, NULL, &c) && !c.len, "read without complaints: %s", c.p);
	ok(!strcmp(p.sections, "q, q off"), "the sections that hold: %s", p.sections);
	ok(temp_of(&p, "auto") == 0.6 && temp_of(&p, "on") == 0.6 && temp_of(&p, "off") == 0.7,
	   "thinking off has values of its own");
	ok(p.n_stops == 2 && !strcmp(p.stops[0], "\nUser:") && !strcmp(p.stops[1], "###"), "texts quoted and bare");
	ok(profile_recommends(&p, "q4_0") && !profile_recommends(&p, "Q5_1"), "levels");
	ok(!strcmp(p.think_open, "<think>") && !strcmp(p.think_close, "</think>"), "the usual marks");
	profile_release(&p);

	other.name = "Qwen3 4B Instruct 2507";
	ok(!read_two(&p, &other, ours, NULL, &c) && temp_of(&p, "auto") == 0.9, "by name: later sections win");
	profile_release(&p);

	other = (struct eng_info){ .path = "x.gguf", .name = "x", .arch = "gemma3", .family = "gemma3", .tokenizer = "llama" };
	ok(!read_two(&p, &other, ours, NULL, &c) && temp_of(&p, "auto") == 0.1 && !strcmp(p.think_open, "<a>"),
	   "another family, one of a list");
	profile_release(&p);

	other.family = other.arch = "mystery";
	ok(!read_two(&p, &other, ours, NULL, &c) && !*p.sections && temp_of(&p, "auto") == opt_defaults.sample.temp,
	   "nothing known: as by default");
	profile_release(&p);
	ok(!read_two(&p, &qwen, NULL, NULL, &c) && !c.len, "a file that is not there says nothing");
	profile_release(&p);
	str_release(&c);
}

static void users(void)
{
	struct profile p;
	struct opts o = opt_defaults;
	struct str c;

	str_init(&c, 0);
	ok(!read_two(&p, &qwen, ours, "[q]\ntemp = 0.25\nstop = \"\"\nstop = END\n[mine]\nname = *0.6b*\ntop-p = 0.5\n", &c) && !c.len,
	   "the user's file: %s", c.p);
	ok(temp_of(&p, "auto") == 0.25, "a section of the same name has its conditions, and wins");
	ok(p.n_stops == 1 && !strcmp(p.stops[0], "END"), "an empty text begins the list anew");
	o.sample.temp = 1.5;
	opt_give(opt_by_key("temp"), &o);
	profile_fill(&p, &o);
	ok(o.sample.temp == 1.5 && o.sample.top_k == 20 && o.sample.top_p == 0.5, "what was given stands over both");
	profile_release(&p);
	str_release(&c);
}

static void complaints(void)
{
	static const struct { const char *text, *says; } cases[] = {
		{ "[q]\nfamily = qwen3\ntmep = 1\n", "line 3: unknown key \"tmep\": did you mean temp?" },
		{ "[q]\nfamily = qwen3\n\n# c\ntemp = hot\n", "line 5: temp: expected a number from 0 to 100, got 'hot'" },
		{ "[q]\nfamily = qwen3\ntop-k = -1\n", "line 3: top-k: expected a whole number" },
		{ "temp = 1\n", "line 1: a row before the first [section]" },
		{ "[x]\ntemp = 1\n", "line 2: section [x] has no condition" },
		{ "[q]\nfamily = qwen3\ntemp = 1\nname = *\n", "line 4: a condition behind other rows" },
		{ "[q]\nfamily = qwen3\nthink = \"<a>\"\n", "line 3: think: expected two texts" },
		{ "[q]\nfamily = qwen3\nstop = \"a\n", "line 3: a quoted text" },
		{ "[q]\nfamily = qwen3\nstop = a,,b\n", "line 3: nothing between two commas" },
		{ "[q]\nfamily = qwen3\nhello\n", "line 3: expected [section] or key = value" },
		{ "[q]\nfamily = nosuch\n", "line 2: family: 'nosuch' is none that is known" },
		{ "[q]\nfamily = qwen33\n", "did you mean qwen3" },
		{ "[q]\nfamily = qwen3\nlevels = Q9, banana\n", "line 3: levels: 'Q9' is no quantization level" },
		{ "[q\n", "line 1: a heading without its ]" },
		{ "[q]\nthinking = maybe\n", "line 2: thinking: expected on or off" },
		/* a section that does not hold is checked too */
		{ "[l]\nfamily = llama\ntemp = hot\n", "line 3: temp: expected" },
	};
	char line[512] = "[q]\nfamily = qwen3\nstop = ";
	struct profile p;
	struct str c;

	str_init(&c, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const int rc = read_two(&p, &qwen, cases[i].text, NULL, &c);

		ok(!rc && strstr(c.p, cases[i].says) && strstr(c.p, "ours.conf: "), "%s", c.p);
		profile_release(&p);
	}
	ok(!read_two(&p, &qwen, "[q]\nfamily = qwen3\nbad = 1\ntemp = 0.3\nworse = 2\n", NULL, &c) && temp_of(&p, "auto") == 0.3 &&
	   strstr(c.p, "line 3") && strstr(c.p, "line 5"), "a mistake does not take the rest with it");
	profile_release(&p);
	ok(!read_two(&p, &qwen, ours, "[q]\nlevels = Q6_K, banana\n", &c) && strstr(c.p, "theirs.conf: line 2") && p.n_levels == 2 &&
	   profile_recommends(&p, "Q4_0") && !profile_recommends(&p, "Q6_K"), "wrong levels leave those there were");
	profile_release(&p);
	ok(!read_two(&p, &qwen, "[q]\nfamily = nosuch\ntemp = 0.3\n", NULL, &c) && temp_of(&p, "auto") == opt_defaults.sample.temp,
	   "a section of a family that is not known is nobody's");
	profile_release(&p);
	ok(!read_two(&p, &qwen, "[q]\nfamily = bitnet-b1.58, qwen*\n", NULL, &c) && !c.len, "patterns and architectures");
	profile_release(&p);
	memset(line + strlen(line), 'x', 300);
	ok(!read_two(&p, &qwen, line, NULL, &c) && strstr(c.p, "line 3: the line is too long"), "long lines: %s", c.p);
	profile_release(&p);
	str_release(&c);
}

/* What is shipped has no mistakes, and says what the makers say. */
static void shipped(void)
{
	static const struct { struct eng_info info; double temp, off; int top_k; } models[] = {
		{ { .path = "a/Qwen3-0.6B-Q8_0.gguf", .name = "Qwen3 0.6B", .family = "qwen3", .tokenizer = "gpt2/qwen2" }, 0.6, 0.7, 20 },
		{ { .path = "Qwen3-4B-Instruct-2507-Q4_0.gguf", .name = "x", .family = "qwen3", .tokenizer = "gpt2/qwen2" }, 0.7, 0.7, 20 },
		{ { .path = "l.gguf", .name = "Llama 3.2 1B", .family = "llama", .tokenizer = "gpt2/llama-bpe" }, 0.6, 0.6, 0 },
		{ { .path = "s.gguf", .name = "SmolLM2 135M", .family = "llama", .tokenizer = "gpt2/smollm" }, 0.2, 0.2, 0 },
		{ { .path = "l.gguf", .name = "Llama 2 7B", .family = "llama", .tokenizer = "llama" }, 0.8, 0.8, 40 },
		{ { .path = "g.gguf", .name = "Gemma 3 1b It", .family = "gemma3", .tokenizer = "llama" }, 1, 1, 64 },
		{ { .path = "p.gguf", .name = "Phi 4 Mini Instruct", .family = "phi3", .tokenizer = "gpt2/gpt-4o" }, 0, 0, 40 },
		{ { .path = "p.gguf", .name = "Phi 4 Mini Reasoning", .family = "phi3", .tokenizer = "gpt2/gpt-4o" }, 0.8, 0.8, 40 },
	};
	const char *dir = getenv("TIDBIT_PROFILES");
	char path[4096];
	const char *paths[] = { path };
	struct str c;

	snprintf(path, sizeof path, "%s/%s", dir ? dir : "profiles", PROFILE_FILE);
	str_init(&c, 0);
	for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
		struct opts o = opt_defaults;
		struct profile p;
		struct err e = { 0 };

		ok(!profile_read(&p, &models[i].info, paths, 1, &c, &e) && !c.len, "%s: %s%s", models[i].info.name, c.p, e.msg);
		profile_fill(&p, &o);
		ok(temp_of(&p, "auto") == models[i].temp && temp_of(&p, "off") == models[i].off && o.sample.top_k == models[i].top_k,
		   "%s (%s): temp %g, top-k %d", models[i].info.name, p.sections, o.sample.temp, o.sample.top_k);
		profile_release(&p);
	}
	str_release(&c);
}

int main(void)
{
	sections();
	users();
	complaints();
	shipped();
	return tap_done();
}
