/* The verb show: what a model file says of itself, for people or as JSON. Opens no screen, runs nothing. */
#include "config.h"
#include "app/cmd.h"
#include "app/field.h"
#include "app/show.h"
#include "app/termtext.h"
#include "app/units.h"
#include "engine/base/str.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { LABEL = 14, MAX_TEXT = 1 << 20 };

/* -- for people -------------------------------------------------------------------- */

static void row(struct str *s, const char *label, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void row(struct str *s, const char *label, const char *fmt, ...)
{
	va_list ap;

	str_addf(s, "  %-*s", LABEL, label);
	va_start(ap, fmt);
	str_vaddf(s, fmt, ap);
	va_end(ap);
	str_addc(s, '\n');
}

static double bpw(uint64_t bytes, int64_t params)
{
	return params > 0 ? 8.0 * (double)bytes / (double)params : 0;
}

static void show_file(struct str *s, const struct eng_info *in)
{
	char a[32], b[32];

	/* one line each, whatever they hold */
	termtext_whole(in->name, strlen(in->name), 0, s);
	str_addc(s, '\n');
	termtext_whole(in->path, strlen(in->path), 0, s);
	str_addc(s, '\n');
	if (in->note)
		str_addf(s, "cannot be run: %s\n", in->note);
	str_addc(s, '\n');
	if (!in->family || !strcmp(in->family, in->arch))
		row(s, "architecture", "%s", *in->arch ? in->arch : "not told");
	else
		row(s, "architecture", "%s, runs as %s", in->arch, in->family);
	if (in->n_tensors) {
		row(s, "class", "%s, %s parameters (%" PRId64 ")", eng_class_name(in->cls),
		    units_params(a, sizeof a, in->n_params), in->n_params);
		row(s, "level", "%s, %.2f bits per weight", in->level, in->bpw);
	}
	if (in->n_tensors)
		row(s, "size", "%s of tensors in %s, GGUF version %u", units_bytes(a, sizeof a, in->tensor_bytes),
		    units_bytes(b, sizeof b, in->file_bytes), in->gguf_version);
	else
		row(s, "size", "%s, GGUF version %u", units_bytes(b, sizeof b, in->file_bytes), in->gguf_version);
	if (*in->license)
		row(s, "license", "%s", in->license);
}

static void show_rope(struct str *s, const struct eng_info *in)
{
	const char *how = in->rope_scaling ? in->rope_scaling : "none";
	struct str t;

	if (!in->n_rot || in->rope_base <= 0)
		return;
	str_init(&t, MAX_TEXT);
	str_addf(&t, "base %.9g, %" PRId64 " dimensions", in->rope_base, in->n_rot);
	if (in->rope_base_window > 0 && in->rope_base_window != in->rope_base)
		str_addf(&t, "; base %.9g in windows", in->rope_base_window);
	row(s, "rope", "%s", t.p);
	str_clear(&t);
	str_addf(&t, "%s", how);
	if (in->rope_factor > 0)
		str_addf(&t, ", %.9g times", in->rope_factor);
	if (!strcmp(how, "yarn"))
		str_addf(&t, " from %" PRId64 " tokens", in->n_ctx_orig);
	if (!strcmp(how, "longrope"))
		str_addf(&t, ", its long factors in contexts of more than %" PRId64, in->n_ctx_orig);
	if (strcmp(how, "none") != 0)
		row(s, "rope scaling", "%s", t.p);
	str_release(&t);
}

/* Bytes of the cache at F16 when the context is full. */
static double kv_whole(const struct eng_info *in)
{
	const double seen = (double)(in->n_window < in->n_ctx_train ? in->n_window : in->n_ctx_train);

	return (double)(in->kv_bytes_token - in->kv_bytes_window) * (double)in->n_ctx_train +
	       (double)in->kv_bytes_window * seen;
}

/* Rows whose number is not known (0) are left out. */
static void show_shape(struct str *s, const struct eng_info *in)
{
	char a[32], b[32];

	str_addc(s, '\n');
	if (in->n_ctx_train)
		row(s, "context", "%" PRId64 " tokens as trained", in->n_ctx_train);
	if (in->n_layer)
		row(s, "layers", "%" PRId64, in->n_layer);
	if (in->n_embd)
		row(s, "embedding", "%" PRId64, in->n_embd);
	if (in->n_head)
		row(s, "heads", "%" PRId64 " query, %" PRId64 " key/value, %" PRId64 " wide", in->n_head,
		    in->n_head_kv, in->head_dim);
	if (in->n_ff)
		row(s, "feed-forward", "%" PRId64, in->n_ff);
	if (in->n_vocab)
		row(s, "vocabulary", "%" PRId64 "%s", in->n_vocab,
		    in->tied ? ", the embedding is the output matrix too" : "");
	if (in->n_window)
		row(s, "windows", "%" PRId64 " of the layers see %" PRId64 " tokens and no more", in->window_layers,
		    in->n_window);
	show_rope(s, in);
	if (in->norm_eps > 0)
		row(s, "norm epsilon", "%g", in->norm_eps);
	if (in->kv_bytes_token) {
		const double whole = kv_whole(in);

		row(s, "KV cache", "%s a token at F16, %s for the whole context",
		    units_bytes(a, sizeof a, (uint64_t)in->kv_bytes_token),
		    units_bytes(b, sizeof b, whole < 1e18 ? (uint64_t)whole : UINT64_MAX));
	}
	str_addc(s, '\n');
	if (in->n_tokens)
		row(s, "tokenizer", "%s, %" PRId64 " tokens, %s", in->tokenizer, in->n_tokens,
		    in->add_bos ? "begins with BOS" : "no BOS");
	else
		row(s, "tokenizer", "%s", in->tokenizer);
	row(s, "template", "%s", in->template_kind);
	row(s, "keys", "%" PRId64, in->n_keys);
}

static void type_row(struct str *s, const char *type, int64_t tensors, int64_t params, uint64_t bytes)
{
	char size[32];

	str_addf(s, "  %-*s%8" PRId64 "%16" PRId64 "%12s%14.2f\n", LABEL, type, tensors, params,
		 units_bytes(size, sizeof size, bytes), bpw(bytes, params));
}

static void show_types(struct str *s, const struct eng_info *in)
{
	if (!in->n_tensors)
		return;
	str_addf(s, "\n  %-*s%8s%16s%12s%14s\n", LABEL, "type", "tensors", "parameters", "size", "bits/weight");
	for (int i = 0; i < in->n_types; i++)
		type_row(s, in->types[i].type, in->types[i].tensors, in->types[i].params, in->types[i].bytes);
	if (in->n_types > 1)
		type_row(s, "all", in->n_tensors, in->n_params, in->tensor_bytes);
}

static int print_text(const struct eng_info *in)
{
	struct err e = { 0 };
	struct str raw, out;
	int code = EXIT_OK;

	str_init(&raw, MAX_TEXT);
	str_init(&out, 4 * MAX_TEXT);
	show_file(&raw, in);
	show_shape(&raw, in);
	show_types(&raw, in);
	termtext_whole(raw.p, raw.len, TERMTEXT_LINES, &out);
	if (raw.failed || out.failed) {
		err_set(&e, ERR_NOMEM, "no memory to show %s", in->path);
		code = cmd_fail(&e);
	} else {
		fwrite(out.p, 1, out.len, stdout);
	}
	str_release(&raw);
	str_release(&out);
	return code;
}

/* -- JSON -------------------------------------------------------------------------- */

static json_t *types_json(const struct eng_info *in)
{
	json_t *list = json_array();

	for (int i = 0; i < in->n_types; i++) {
		const struct eng_type_count *t = &in->types[i];
		json_t *o = json_object();

		field_text(o, "type", t->type);
		field_count(o, "tensors", (uint64_t)t->tensors);
		field_count(o, "parameters", (uint64_t)t->params);
		field_count(o, "bytes", t->bytes);
		field_real(o, "bits_per_weight", bpw(t->bytes, t->params));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *info_json(const struct eng_info *in)
{
	json_t *o = json_object();

	field_text(o, "path", in->path);
	field_text(o, "name", in->name);
	field_text(o, "architecture", in->arch);
	field_text(o, "family", in->family);
	field_text(o, "note", in->note);
	field_text(o, "license", in->license);
	field_text(o, "class", in->n_tensors ? eng_class_name(in->cls) : NULL);
	field_text(o, "level", in->n_tensors ? in->level : NULL);
	field_count(o, "gguf_version", in->gguf_version);
	field_count(o, "keys", (uint64_t)in->n_keys);
	field_count(o, "file_bytes", in->file_bytes);
	field_count(o, "tensor_bytes", in->tensor_bytes);
	field_count(o, "tensors", (uint64_t)in->n_tensors);
	field_count(o, "parameters", (uint64_t)in->n_params);
	field_real(o, "bits_per_weight", in->bpw);
	json_object_set_new(o, "types", types_json(in));
	field_known(o, "context_length", in->n_ctx_train);
	field_known(o, "layers", in->n_layer);
	field_known(o, "embedding_length", in->n_embd);
	field_known(o, "heads", in->n_head);
	field_known(o, "heads_kv", in->n_head_kv);
	field_known(o, "head_dim", in->head_dim);
	field_known(o, "feed_forward_length", in->n_ff);
	field_known(o, "vocabulary", in->n_vocab);
	json_object_set_new(o, "tied_output", in->n_tensors ? json_boolean(in->tied) : json_null());
	field_known(o, "rope_dimensions", in->n_rot);
	field_real(o, "rope_base", in->rope_base);
	field_text(o, "rope_scaling", in->rope_scaling);
	field_real(o, "rope_factor", in->rope_factor);
	field_known(o, "window", in->n_window);
	field_known(o, "window_layers", in->window_layers);
	field_real(o, "norm_epsilon", in->norm_eps);
	field_known(o, "kv_bytes_per_token", in->kv_bytes_token);
	field_text(o, "tokenizer", in->tokenizer);
	field_count(o, "tokens", (uint64_t)in->n_tokens);
	json_object_set_new(o, "add_bos", json_boolean(in->add_bos));
	field_text(o, "template", in->template_kind);
	return o;
}

static int print_json(const struct eng_info *in)
{
	json_t *o = info_json(in);
	struct err e;

	if (!o || json_dumpf(o, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(6)) < 0) {
		json_decref(o);
		err_set(&e, cmd_reader_gone() ? ERR_PIPE : ERR_IO, "cannot write what %s is", in->path);
		return cmd_fail(&e);
	}
	putchar('\n');
	json_decref(o);
	return EXIT_OK;
}

/* -- the verb ---------------------------------------------------------------------- */

static int take_file(struct opts *o, int i, const char *arg)
{
	if (i > 0)
		return -1;
	o->file = arg;
	return 0;
}

/* A file without a tokenizer, or with one that is not known here, is sound all the same. */
static int check_text(struct eng_model *m, struct err *e)
{
	return eng_text(m, e) < 0 && e->code != ERR_NOT_FOUND && e->code != ERR_UNSUPPORTED ? -1 : 0;
}

static int run(struct opts *o)
{
	const struct eng_opts eo = { .threads = 1 };
	struct eng *g = NULL;
	struct eng_model *m = NULL;
	struct err e = { 0 };
	int code;

	if (o->again && !o->machine)
		return cmd_usage(&cmd_show, "--again goes with --machine");
	if (!o->file == !o->machine)
		return cmd_usage(&cmd_show, o->file ? "show: a FILE or --machine, one of them" : "show: name a FILE");
	if (o->machine)
		return show_machine(o);
	if (eng_new(&g, &eo, &e) < 0 || eng_model_open(g, o->file, true, &m, &e) < 0 || check_text(m, &e) < 0)
		code = cmd_fail(&e);
	else if (o->format && !strcmp(o->format, "json"))
		code = print_json(eng_model_info(m));
	else
		code = print_text(eng_model_info(m));
	eng_model_close(m);
	eng_free(g);
	return code;
}

static const char *const takes[] = { "output-show", "machine", "again", "help", NULL };

static const char *const notes[] = {
	"FILE is a GGUF file; of a model in parts, the first. A file that can be looked at but not run (a vocabulary "
	"alone, an unknown architecture) is shown with the reason. A damaged one is an error: one line with field, "
	"offset, what was expected and what was found, and exit code 1.",
	"",
	"-o json prints one object; what the file does not tell is null:",
	"- path, name, architecture, license: text",
	"- family: what it runs as; note: why it cannot be run",
	"- class: tiny, micro, small, medium or large, by the parameters",
	"- level: as people name it, \"Q4_1\"; bits_per_weight: over all tensors",
	"- gguf_version, keys, tensors, parameters: numbers",
	"- file_bytes, tensor_bytes: of the file (of all parts), of the tensors in it",
	"- types: a list, largest first, of type, tensors, parameters, bytes, bits_per_weight",
	"- context_length, layers, embedding_length, heads, heads_kv, head_dim, feed_forward_length, vocabulary, "
	"rope_dimensions, rope_base, norm_epsilon: the shape of the network; the largest of its layers",
	"- rope_scaling: none, linear, yarn, longrope, by pair; rope_factor: how many times; window, window_layers: how far "
	"that many layers see",
	"- tied_output: is the embedding the output matrix too?",
	"- kv_bytes_per_token: of the KV cache at F16",
	"- tokenizer: kind and pre-split, \"gpt2/smollm\"; tokens: how many; add_bos: does a text begin with BOS?",
	"- template: \"chatml\", \"custom\", \"none\" and so on",
	"",
	"--machine measures how fast this machine reads buffers of all sizes up to 4 GiB or a quarter of "
	"the free memory, and how many operations a second (a multiply-add is two) it does on int8 and F32 by each "
	"instruction set; with one thread, two, four and all. The figures are the best of many short samples; GB and Gop are "
	"10^9. They are kept in $XDG_CACHE_HOME/tidbit. With -o json:",
	"- cpu, cores, memory_bytes, isa: what it is; measured: when; seconds: how long that took",
	"- read: a list of buffer_bytes, threads, gb_per_s; peak: a list of isa, type, threads, gop_per_s",
	NULL
};

const struct cmd cmd_show = {
	.name = "show", .args = "[FILE]",
	.help = "what a model file is: shape, types, size, tokenizer, memory a token takes",
	.opts = takes, .notes = notes, .positional = take_file, .run = run,
};
