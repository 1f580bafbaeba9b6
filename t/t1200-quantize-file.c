#include "config.h"
#include "engine/base/pool.h"
#include "engine/base/str.h"
#include "engine/base/xio.h"
#include "engine/kernels/cpu.h"
#include "engine/make/level.h"
#include "engine/model/model.h"
#include "engine/quant/layout.h"
#include "t/lib/ggufmake.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct eng one, two;	/* of as many threads, plain code and the best; all that eng_quantize() takes of an eng */
static char source[1024];

/* Paths that stay: tmp_path() lends its memory for a few calls only. */
enum { N_PATHS = 16 };
static char paths[N_PATHS][1024];

static const char *path_of(const char *name)
{
	for (int i = 0; i < N_PATHS; i++) {
		const char *slash = strrchr(paths[i], '/');

		if (slash && !strcmp(slash + 1, name))
			return paths[i];
		if (!slash)
			return snprintf(paths[i], sizeof paths[i], "%s", tmp_path(name)) > 0 ? paths[i] : NULL;
	}
	abort();
}

static int quantize(struct eng *g, const char *in, const char *out, const char *level, struct err *e)
{
	const struct eng_quantize_opts o = { .level = level };
	struct eng_quantize_result r;

	return eng_quantize(g, in, out, &o, &r, e);
}

static struct gguf *open_file(const char *path)
{
	struct gguf *g;
	struct err e;

	if (gguf_open(&g, path, quant_layout, &e) < 0) {
		printf("# %s\n", e.msg);
		return NULL;
	}
	return g;
}

/* Files in the temporary folder whose name holds `part`. */
static int left_over(const char *part)
{
	char folder[1024];
	struct dirent *f;
	DIR *d;
	int n = 0;

	snprintf(folder, sizeof folder, "%s", tmp_path("x"));
	*strrchr(folder, '/') = '\0';
	d = opendir(folder);
	while (d && (f = readdir(d)))
		n += strstr(f->d_name, part) != NULL;
	if (d)
		closedir(d);
	return n;
}

static bool same_files(const char *a, const char *b)
{
	struct str x, y;
	struct err e;
	bool same;

	str_init(&x, 0);
	str_init(&y, 0);
	same = !xio_slurp(a, &x, &e) && !xio_slurp(b, &y, &e) && x.len == y.len && !memcmp(x.p, y.p, x.len);
	str_release(&x);
	str_release(&y);
	return same;
}

/* Tensors of b whose type or bytes are others in a. */
static int differing(const char *a, const char *b)
{
	struct gguf *x = open_file(a), *y = open_file(b);
	int n = 0;

	if (!x || !y || gguf_n_tensors(x) != gguf_n_tensors(y))
		n = -1;
	for (int64_t i = 0; !n && i < gguf_n_tensors(y); i++) {
		const struct gguf_tensor *t = gguf_tensor_at(y, i), *s = gguf_tensor_find(x, t->name);

		n += !s || s->type != t->type || s->bytes != t->bytes || memcmp(s->data, t->data, t->bytes) != 0;
	}
	gguf_close(x);
	gguf_close(y);
	return n;
}

/* -- every level, against rules and encoders called here ----------------------------- */

static bool tensor_right(const struct gguf_tensor *src, const struct gguf *g, const struct level *l)
{
	const struct gguf_tensor *made = gguf_tensor_find(g, src->name);
	const struct level_model m = { .n_layer = 5, .n_gqa = 2, .has_output = false };
	const struct quant_type *to = level_tensor_type(l, &m, src->name, src->n_dims, src->ne);
	const int64_t n = src->ne[0] * src->ne[1];
	bool right;
	void *q;

	if (!made)
		return false;
	if (!to)
		return made->type == src->type && made->bytes == src->bytes && !memcmp(made->data, src->data, src->bytes);
	q = malloc((size_t)quant_row_bytes(to, n));
	to->encode(src->data, q, n);	/* the source is F32 */
	right = made->type == (uint32_t)to->id && made->bytes == (size_t)quant_row_bytes(to, n) &&
		!memcmp(made->data, q, made->bytes) && made->ne[0] == src->ne[0] && made->ne[1] == src->ne[1];
	free(q);
	return right;
}

static bool keys_right(const struct gguf *src, const struct gguf *made, const struct level *l)
{
	int64_t ftype = -1, version = -1;
	bool right = true;

	for (int64_t i = 0; i < gguf_n_kv(src); i++) {
		const struct gguf_kv *a = gguf_kv_at(src, i), *b;
		char key[256];

		snprintf(key, sizeof key, "%.*s", (int)a->key.n, a->key.p);
		b = gguf_find(made, key);
		right = right && b && (!strcmp(key, "general.file_type") ||
				       (b->type == a->type && b->count == a->count && b->is_array == a->is_array));
	}
	return right && gguf_get_i64(made, "general.file_type", &ftype, NULL) == 1 && ftype == l->ftype &&
	       gguf_get_i64(made, "general.quantization_version", &version, NULL) == 1 && version == 2;
}

static void test_level(const struct level *l)
{
	const char *a = path_of("a.gguf"), *b = path_of("b.gguf");
	struct gguf *src = open_file(source), *made;
	struct err e;
	bool right = true;

	if (!ok(!quantize(&one, source, a, l->name, &e) && !quantize(&two, source, b, l->name, &e), "%s is written",
		l->name))
		return;
	made = open_file(a);
	for (int64_t i = 0; made && i < gguf_n_tensors(src); i++)
		right = right && tensor_right(gguf_tensor_at(src, i), made, l);
	ok(made && right && gguf_n_tensors(made) == gguf_n_tensors(src), "%s: types and bytes", l->name);
	ok(made && keys_right(src, made, l), "%s: keys", l->name);
	ok(same_files(a, b), "%s: the same file by two threads", l->name);
	gguf_close(made);
	gguf_close(src);
	unlink(a);
	unlink(b);
}

static void test_strings(void)
{
	const char *a = path_of("a.gguf");
	struct gguf *src = open_file(source), *made = NULL;
	const struct gguf_kv *x = NULL, *y = NULL;
	struct gguf_str *s = NULL, *t = NULL;
	struct err e;
	bool same;

	if (!quantize(&one, source, a, "Q8_0", &e))
		made = open_file(a);
	same = made && gguf_get_array(src, "tokenizer.ggml.tokens", GGUF_STRING, &x, &e) == 1 &&
	       gguf_get_array(made, "tokenizer.ggml.tokens", GGUF_STRING, &y, &e) == 1 && x->count == y->count;
	if (same) {
		s = malloc(x->count * sizeof *s);
		t = malloc(x->count * sizeof *t);
		same = !gguf_strings(src, x, s, &e) && !gguf_strings(made, y, t, &e);
		for (uint64_t i = 0; same && i < x->count; i++)
			same = s[i].n == t[i].n && !memcmp(s[i].p, t[i].p, s[i].n);
	}
	ok(same && x->count == 512, "the vocabulary is copied");
	same = made && gguf_get_array(src, "tokenizer.ggml.scores", GGUF_F32, &x, &e) == 1 &&
	       gguf_get_array(made, "tokenizer.ggml.scores", GGUF_F32, &y, &e) == 1;
	for (uint64_t i = 0; same && i < x->count; i++)
		same = gguf_elem_f64(src, x, i) == gguf_elem_f64(made, y, i);
	ok(same, "and its scores");
	free(s);
	free(t);
	gguf_close(src);
	gguf_close(made);
}

/* -- the reference's files ----------------------------------------------------------- */

static void test_reference(void)
{
	char name[128];
	int n = 0;

	for (const struct level *l = levels; l->name; l++) {
		const char *want, *got = path_of("got.gguf");
		struct err e;
		int wrong;

		snprintf(name, sizeof name, "models/stories260K/quant/stories260K-%s.gguf", l->name);
		want = tmp_data(name);
		if (!want)
			continue;
		wrong = quantize(&two, source, got, l->name, &e) ? -1 : differing(got, want);
		ok(!wrong, "%s: tensor by tensor what llama-quantize wrote (%d differ)", l->name, wrong);
		ok(same_files(got, want), "%s: and byte by byte", l->name);
		n++;
	}
	if (!n)
		tap_skip("the reference data is not here");
}

static void test_containers(void)
{
	static const char *const names[] = {
		"stories260K-v2.gguf", "stories260K-align128.gguf", "stories260K-bigendian.gguf",
		"stories260K-split-00001-of-00003.gguf",
	};
	const char *plain = path_of("plain.gguf");
	char name[128];
	struct err e = { 0 };

	quantize(&two, source, plain, "Q4_K_M", &e);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *in, *out = path_of("odd.gguf");

		snprintf(name, sizeof name, "models/container/%s", names[i]);
		in = tmp_data(name);
		if (!in) {
			tap_skip("%s is not here", names[i]);
			continue;
		}
		ok(!quantize(&two, in, out, "Q4_K_M", &e) && !differing(out, plain), "the same tensors from %s (%s)",
		   names[i], e.msg);
		if (strstr(names[i], "split")) {
			struct gguf *g = open_file(out);

			ok(g && !gguf_find(g, "split.count") && gguf_n_parts(g) == 1, "shards become one file");
			gguf_close(g);
		}
	}
}

/* -- options ------------------------------------------------------------------------- */

struct told { int n, q4_0; uint64_t bytes; };

static void tell(void *arg, const char *name, const char *from, const char *to, uint64_t bytes)
{
	struct told *t = arg;

	(void)name;
	(void)from;
	t->n++;
	t->q4_0 += !strcmp(to, "Q4_0");
	t->bytes += bytes;
}

static uint32_t type_in(const char *path, const char *tensor)
{
	struct gguf *g = open_file(path);
	const struct gguf_tensor *t = g ? gguf_tensor_find(g, tensor) : NULL;
	const uint32_t type = t ? t->type : UINT32_MAX;

	gguf_close(g);
	return type;
}

static void test_options(void)
{
	const struct eng_override over[] = { { "blk\\.[01]\\.attn_k", "Q5_1" }, { "attn_(q|k)\\.", "f16" } };
	struct told told = { 0 };
	struct eng_quantize_opts o = { .level = "q4_0", .dry_run = true, .tensor = tell, .arg = &told };
	struct eng_quantize_result r;
	struct err e;
	const char *out = path_of("opts.gguf");
	struct stat st;

	ok(!eng_quantize(&one, source, out, &o, &r, &e) && access(out, F_OK) < 0, "a dry run writes nothing");
	ok(told.n == 47 && r.tensors == 47 && told.q4_0 == 30 && told.bytes == r.bytes_out && r.changed == 36 &&
	   r.fallbacks == 5, "and tells every tensor");
	o = (struct eng_quantize_opts){ .level = "Q4_0", .overrides = over, .n_overrides = 2, .output_type = "Q5_0" };
	ok(!eng_quantize(&one, source, out, &o, &r, &e), "types by pattern");
	ok(type_in(out, "blk.1.attn_k.weight") == QUANT_Q5_1 && type_in(out, "blk.2.attn_k.weight") == QUANT_F16 &&
	   type_in(out, "blk.0.attn_q.weight") == QUANT_F16 && type_in(out, "blk.0.attn_v.weight") == QUANT_Q4_0,
	   "the first that fits counts");
	ok(type_in(out, "token_embd.weight") == QUANT_Q5_0 && type_in(out, "output_norm.weight") == QUANT_F32,
	   "the output's type, of the tied embedding here");
	ok(!stat(out, &st) && (uint64_t)st.st_size > r.bytes_out, "the tensors fit into the file");
	o = (struct eng_quantize_opts){ .level = "Q4_0", .embd_type = "Q6_K" };
	ok(!eng_quantize(&one, source, out, &o, &r, &e) && type_in(out, "token_embd.weight") == QUANT_Q8_0,
	   "a type that the row length forbids falls back");
	unlink(out);
}

static bool refused(const char *in, const struct eng_quantize_opts *o, enum err_code code, const char *says)
{
	const char *out = path_of("refused.gguf");
	struct eng_quantize_result r;
	struct err e = { 0 };
	const int rc = eng_quantize(&one, in, out, o, &r, &e);

	if (rc < 0 && e.code == code && strstr(e.msg, says) && access(out, F_OK) < 0 && !left_over(".part"))
		return true;
	printf("# %d, %s\n", rc, e.msg);
	return false;
}

static void test_refusals(void)
{
	const char *low = path_of("low.gguf"), *high = path_of("high.gguf"), *link = path_of("link.gguf");
	struct eng_quantize_opts o = { .level = "Q4_9" };
	struct eng_quantize_result r;
	struct err e;

	ok(refused(source, &o, ERR_ARG, "Q4_K_M"), "an unknown level; the message names those there are");
	o = (struct eng_quantize_opts){ .level = "Q4_0", .output_type = "Q4_K_M" };
	ok(refused(source, &o, ERR_ARG, "no tensor type"), "an unknown type");
	o = (struct eng_quantize_opts){ .level = "Q4_0", .n_overrides = 1,
					.overrides = &(struct eng_override){ "a(b", "Q8_0" } };
	ok(refused(source, &o, ERR_ARG, "pattern 'a(b'"), "a pattern that does not compile");
	o = (struct eng_quantize_opts){ .level = "Q8_0" };
	ok(refused("/nonexistent.gguf", &o, ERR_IO, "/nonexistent.gguf"), "a file that is not there");
	quantize(&one, source, low, "Q4_0", &e);
	ok(refused(low, &o, ERR_ARG, "quantized already (Q"), "a source that is quantized");
	o.requantize = true;
	ok(!eng_quantize(&one, low, high, &o, &r, &e) && type_in(high, "blk.0.attn_q.weight") == QUANT_Q8_0,
	   "unless it is asked for");
	ok(!eng_quantize(&one, high, low, &o, &r, &e) && r.changed == 0 && !differing(low, high),
	   "what has its type already is copied");
	unlink(link);
	ok(eng_quantize(&one, high, high, &o, &r, &e) < 0 && e.code == ERR_ARG && !symlink(high, link) &&
	   eng_quantize(&one, high, link, &o, &r, &e) < 0 && e.code == ERR_ARG && !differing(high, low),
	   "the input under any name is not written over");
	unlink(low);
	unlink(high);
	unlink(link);
}

/* -- stopping and failing ------------------------------------------------------------ */

struct watch { int calls, stop_at; int64_t last; bool rising; };

static bool watch(void *arg, int64_t done, int64_t total)
{
	struct watch *w = arg;

	w->rising = w->rising && done >= w->last && done <= total;
	w->last = done;
	return ++w->calls != w->stop_at;
}

static void test_stopping(void)
{
	struct watch w = { .rising = true };
	struct eng_quantize_opts o = { .level = "Q8_0", .progress = watch, .arg = &w };
	struct eng_quantize_result r;
	const char *out = path_of("stop.gguf");
	struct err e;

	ok(!eng_quantize(&one, source, out, &o, &r, &e) && w.rising && w.last == r.params && w.calls >= 47,
	   "progress rises to the number of weights");
	unlink(out);
	w = (struct watch){ .stop_at = 20, .rising = true };
	ok(eng_quantize(&two, source, out, &o, &r, &e) < 0 && e.code == ERR_CANCELLED && access(out, F_OK) < 0 &&
	   !left_over(".part"), "stopped half way, nothing is left");
}

struct plan { int at, n; const char *spare; char hit[16]; };

static int strike(const char *op, void *arg)
{
	struct plan *p = arg;

	if (!strcmp(op, p->spare) || p->n++ != p->at)
		return 0;
	snprintf(p->hit, sizeof p->hit, "%s", op);
	return ENOSPC;
}

static void test_faults(void)
{
	const char *out = path_of("fault.gguf");
	struct plan p = { .at = -1, .spare = "unlink" };
	struct str old;
	struct err e;
	int ops, failed = 0, silent = 0, wrong = 0;

	tmp_write(out, "old", 3);
	xio_set_fault(strike, &p);
	ok(!quantize(&one, source, out, "Q4_0", &e), "operations are counted");
	xio_set_fault(NULL, NULL);
	ops = p.n;
	tmp_write(out, "old", 3);
	for (int at = 0; at < ops; at += at < 60 || at > ops - 30 ? 1 : 13) {
		int r;

		p = (struct plan){ .at = at, .spare = "unlink" };
		e = (struct err){ 0 };
		xio_set_fault(strike, &p);
		r = quantize(&one, source, out, "Q4_0", &e);
		xio_set_fault(NULL, NULL);
		if (!r) {
			/* closing what was only read, and making the name last: no byte hangs on these */
			silent++;
			wrong += strcmp(p.hit, "close") && at < ops - 5;
			tmp_write(out, "old", 3);
			continue;
		}
		failed++;
		str_init(&old, 0);
		if (!e.msg[0] || left_over(".part") || xio_slurp(out, &old, NULL) < 0 || strcmp(old.p, "old")) {
			wrong++;
			printf("# operation %d: '%s', %d left, now %zu bytes\n", at, e.msg, left_over(".part"), old.len);
			tmp_write(out, "old", 3);
		}
		str_release(&old);
	}
	ok(ops > 200 && failed > 80 && silent <= 6 && !wrong,
	   "each operation failing (%d of %d): an error, the old file stays, nothing is left", failed, ops);
	unlink(out);
}

/* -- ternary ------------------------------------------------------------------------- */

static void test_ternary(void)
{
	enum { COLS = 256, ROWS = 4 };
	const char *in = path_of("t-in.gguf"), *packed = path_of("t-i2s.gguf"), *back = path_of("t-out.gguf");
	const char *other = path_of("t-other.gguf");
	const char *bitnet = tmp_data("models/synthetic/bitnet-b158-i2s.gguf");
	const struct eng_quantize_opts ternary = { .level = "I2_S" };
	const struct eng_quantize_opts to_float = { .level = "F32", .requantize = true };
	struct eng_quantize_result r;
	struct ggufmake *m = gm_new();
	static float x[COLS * ROWS];
	struct err e;

	for (int i = 0; i < COLS * ROWS; i++)
		x[i] = 0.0173f * (float)(i * i % 7 % 3 - 1);
	gm_str(m, "general.architecture", "bitnet-b1.58");
	gm_u32(m, "bitnet-b1.58.block_count", 1);
	gm_tensor(m, "blk.0.ffn_up.weight", GM_F32, 2, (int64_t[]){ COLS, ROWS }, x, sizeof x);
	gm_tensor(m, "blk.0.ffn_norm.weight", GM_F32, 1, (int64_t[]){ COLS }, x, COLS * 4);
	gm_write(m, in);
	x[COLS * ROWS - 1] = 0.5f;
	gm_tensor(m, "blk.0.ffn_down.weight", GM_F32, 2, (int64_t[]){ COLS, ROWS }, x, sizeof x);
	gm_write(m, other);
	gm_free(m);
	ok(refused(other, &ternary, ERR_ARG, "blk.0.ffn_down.weight is not ternary"), "weights that are not ternary as I2_S");
	ok(!quantize(&two, in, packed, "I2_S", &e) && type_in(packed, "blk.0.ffn_up.weight") == QUANT_I2_S,
	   "ternary weights go to I2_S");
	ok(!eng_quantize(&two, packed, back, &to_float, &r, &e) && !differing(back, in), "and come back exactly");
	if (!bitnet) {
		tap_skip("the bitnet model is not here");
		return;
	}
	ok(!eng_quantize(&two, bitnet, back, &to_float, &r, &e) && type_in(back, "blk.0.ffn_up.weight") == QUANT_F32 &&
	   !quantize(&two, back, packed, "I2_S", &e), "a model goes to floats and back");
	{
		struct gguf *a = open_file(bitnet), *b = open_file(packed);
		int same = 0, all = 0;

		for (int64_t i = 0; a && b && i < gguf_n_tensors(a); i++) {
			const struct gguf_tensor *t = gguf_tensor_at(a, i), *u = gguf_tensor_find(b, t->name);

			if (t->type != QUANT_I2_S)
				continue;
			all++;
			same += u && u->type == t->type && u->bytes == t->bytes && !memcmp(u->data, t->data, t->bytes);
		}
		ok(all > 0 && same == all, "with the bytes it had (%d of %d tensors)", same, all);
		gguf_close(a);
		gguf_close(b);
	}
}

int main(void)
{
	const char *profiles = getenv("TIDBIT_PROFILES");
	struct err e;

	snprintf(source, sizeof source, "%s/stories260K.gguf", profiles ? profiles : "profiles");
	one.pool = pool_new(1, &e);
	two.pool = pool_new(2, &e);
	kern_fill(&one.kern, 0);
	kern_fill(&two.kern, cpu_flags());
	for (const struct level *l = levels; l->name; l++)
		if (!l->ternary)
			test_level(l);
	test_strings();
	test_reference();
	test_containers();
	test_options();
	test_refusals();
	test_stopping();
	test_faults();
	test_ternary();
	pool_free(one.pool);
	pool_free(two.pool);
	return tap_done_min(100);
}
