/* What holds an answer up, energy a token, and memory as parts that add up. */
#include "config.h"
#include "app/energy.h"
#include "app/limits.h"
#include "app/memory.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"
#include "t/lib/model.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool near(double a, double b)
{
	return fabs(a - b) <= 1e-9 * fabs(b) + 1e-12;
}

static void test_limits(void)
{
	static const struct eng_machine m = {
		.threads = 4, .n_read = 5, .n_peak = 4,
		.read = { { 1 << 20, 2, 100e9 }, { 64 << 20, 2, 20e9 }, { 1 << 30, 2, 10e9 }, { 64 << 20, 4, 30e9 }, { 64 << 20, 1, 12e9 } },
		.peak = { { "avx2", "int8", 2, 200e9 }, { "avx512", "int8", 2, 400e9 }, { "avx512", "int8", 1, 210e9 }, { "avx2", "f32", 2, 90e9 } },
	};
	const struct eng_info info = { .n_params = 110000000, .n_vocab = 10000, .n_embd = 1000, .n_layer = 2, .n_head = 4, .head_dim = 8, .tied = false };
	struct limits_load l = { .info = &info, .weights = 60000000, .bpw = 4.5, .rate = 100, .together = 1, .isa = "avx2", .peak = "int8", .passes = 1, .threads = 2 };
	const double bytes = 60000000 - 10000 * 1000 * 4.5 / 8, ops = 2.0 * (110000000 - 10000000);
	struct limits out;

	limits_find(&m, &l, &out);
	ok(near(out.bandwidth, 20e9) && near(out.peak, 200e9), "the next larger buffer and the same threads and instruction set count");
	ok(near(out.share_bandwidth, 100 * bytes / 20e9) && near(out.share_peak, 100 * ops / 200e9),
	   "an embedding of its own is not read (%.3f, %.3f)", out.share_bandwidth, out.share_peak);
	ok(out.what == LIMIT_NEITHER, "below 40 %% neither");
	l.rate = 160;
	limits_find(&m, &l, &out);
	ok(out.what == LIMIT_MEMORY && out.share_bandwidth > 0.4, "memory when its share is the larger");
	l.together = 64;
	l.rate = 900;
	limits_find(&m, &l, &out);
	ok(out.what == LIMIT_COMPUTE && out.share_bandwidth < 0.1, "in a prefill the weights are read once a chunk");
	l.kv = 1 << 30;
	l.together = 1;
	l.rate = 5;
	limits_find(&m, &l, &out);
	ok(near(out.bandwidth, 10e9) && out.what == LIMIT_MEMORY, "keys and values are read too, and count for the size");
	l.threads = 3;
	l.kv = 0;
	l.isa = "vnni";
	limits_find(&m, &l, &out);
	ok(near(out.bandwidth, 20e9) && out.peak == 0, "the next fewer threads; of an instruction set that was not measured nothing");
	l.rate = 0;
	limits_find(&m, &l, &out);
	ok(out.what == LIMIT_UNKNOWN && out.bandwidth > 0, "nothing runs: nothing is told");
	limits_find(&(struct eng_machine){ 0 }, &l, &out);
	ok(out.what == LIMIT_UNKNOWN && out.bandwidth == 0, "a machine that was not measured");
}

static void write_counter(const char *root, const char *name, const char *text)
{
	char path[1400];

	snprintf(path, sizeof path, "%s/%s", root, name);
	tmp_write(path, text, strlen(text));
}

static void test_energy(void)
{
	char root[512], dir[700];
	struct energy e;

	snprintf(root, sizeof root, "%s", tmp_path("rapl"));
	ok(!energy_open(&e, root) && energy_read(&e) == 0, "no counters: nothing");
	mkdir(root, 0700);
	for (int i = 0; i < 3; i++) {
		snprintf(dir, sizeof dir, "%s/intel-rapl:%d", root, i);
		mkdir(dir, 0700);
		write_counter(dir, "name", i == 2 ? "psys\n" : i ? "package-1\n" : "package-0\n");
		write_counter(dir, "energy_uj", "1000000\n");
		write_counter(dir, "max_energy_range_uj", "5000000\n");
	}
	energy_open(&e, root);
	ok(e.n == 2, "packages, and no other zones (%d)", e.n);
	ok(energy_read(&e) == 0, "nothing was used yet");
	write_counter(root, "intel-rapl:0/energy_uj", "3500000\n");
	ok(near(energy_read(&e), 2.5), "microjoules become joules");
	write_counter(root, "intel-rapl:0/energy_uj", "500000\n");
	write_counter(root, "intel-rapl:1/energy_uj", "1250000\n");
	ok(near(energy_read(&e), 2.5 + 2 + 0.25), "a counter that began anew, and a second package (%g)", e.joules);
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 4; k++) {
			static const char *const names[] = { "name", "energy_uj", "max_energy_range_uj", "" };

			snprintf(dir, sizeof dir, "%s/intel-rapl:%d/%s", root, i, names[k]);
			remove(dir);
		}
	rmdir(root);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

/* Within 5 % or 24 MiB of what the kernel says, at every level and with a context that grows. */
static void add_up(const struct eng_session *s, const char *what)
{
	struct eng_mem em;
	struct memory m;
	double gap;

	eng_session_mem(s, &em);
	memory_read(&m, &em);
	gap = fabs((double)memory_sum(&m) - (double)m.rss);
	ok(m.counted && (gap <= 0.05 * (double)m.rss || gap <= 24 << 20), "%s: parts of %.1f MiB, %.1f resident (weights %.1f KV %.1f scratch %.1f other %.1f)",
	   what, (double)memory_sum(&m) / (1 << 20), (double)m.rss / (1 << 20), (double)m.weights / (1 << 20), (double)m.kv / (1 << 20),
	   (double)m.scratch / (1 << 20), (double)m.other / (1 << 20));
}

static void test_memory(void)
{
	char *path = data_path("models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
	int32_t ids[600];
	struct eng_session *s;
	struct eng_weights *w;
	struct eng_model *m;
	struct eng *g;

	if (!path || os_heap() == SIZE_MAX || os_image() == SIZE_MAX) {
		tap_skip("memory that adds up: %s", path ? "the system does not count it" : "no reference data");
		free(path);
		return;
	}
	for (int i = 0; i < 600; i++)
		ids[i] = 300 + i;
	g = new_engine(2, NULL);
	m = open_model(g, path);
	w = weights_at(m, NULL);
	s = new_session(w, ENG_KV_F16, 8192, 0);
	eng_session_sync(s, ids, 1, NULL, NULL);
	add_up(s, "a model from its file");
	free(logits_of(s, ids, 600));
	add_up(s, "600 tokens later");
	eng_weights_release(w);
	w = weights_at(m, "Q8_0");
	eng_session_bind(s, w, ENG_BIND_EXACT, NULL);
	free(logits_of(s, ids, 64));
	add_up(s, "a level made in memory");
	eng_session_free(s);
	eng_weights_release(w);
	eng_model_close(m);
	eng_free(g);
	free(path);
}

int main(void)
{
	test_limits();
	test_energy();
	if (SANITIZED)
		tap_skip("memory that adds up: a sanitizer's own is in it");
	else
		test_memory();
	return tap_done();
}
