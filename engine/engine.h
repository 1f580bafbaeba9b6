/*
 * tidbit's engine: the one header that app and ui see.
 *
 * Three things, from outside in:
 *
 *   eng          threads and instruction set: made once a program
 *   eng_model    an open file: hyper-parameters, tokenizer, template, and its weights at
 *                several levels (as the file has them, or made in memory). Immutable to
 *                its users, shared by any number of sessions.
 *   eng_session  a list of token ids with its KV cache. Belongs to one thread.
 *
 * A caller always hands the *whole* list of ids to eng_session_sync(): the common prefix
 * is reused, the rest is computed. Chatting, editing, regenerating, switching levels and
 * branching are all that one call.
 *
 * A position's logits are bit-identical whatever the chunks, the threads and the company
 * they were computed in, and whether the position was prefilled or decoded.
 *
 * The engine never prints and never exits. Functions return 0 or -1 (or a pointer or
 * NULL) with a struct err last: engine/base/err.h. Unless a function says otherwise it
 * is called from one thread at a time: the one that computes. Times are the caller's to
 * take, with os_now_ns() around these calls.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "engine/base/err.h"
#include "engine/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* -- the program ------------------------------------------------------------------- */

const char *eng_version(void);
/* Names of the instruction sets that this machine can use, best last: "scalar,avx2". */
const char *eng_isa_names(char *buf, size_t size);
/* The same of those that this build knows, on whatever machine it runs. */
const char *eng_isa_built(char *buf, size_t size);
/* "PCRE2 10.42, libunistring 1.0" : what the engine was linked with. */
const char *eng_libraries(char *buf, size_t size);

struct eng;
struct eng_opts {
	int threads;		/* 0: physical cores that this process may use */
	const char *isa;	/* names with commas to use, NULL for all that there are */
};
int eng_new(struct eng **out, const struct eng_opts *opts, struct err *e);
void eng_free(struct eng *g);
int eng_threads(const struct eng *g);
const char *eng_isa(const struct eng *g);	/* best set in use: "avx2" */

/* -- the machine ------------------------------------------------------------------- */

/* Called while something long runs; returning false stops it with ERR_CANCELLED. */
typedef bool eng_progress_fn(void *arg, int64_t done, int64_t total);

enum { ENG_MACHINE_READS = 192, ENG_MACHINE_PEAKS = 128 };

/* The machine's limits, as they were measured. Rates are those of all threads together. */
struct eng_read_rate { uint64_t bytes; int threads; double rate; };			/* bytes/s from a buffer */
struct eng_peak { char isa[32], type[16]; int threads; double rate; };	/* operations/s, 2 a multiply-add; "int8", "f32" */
struct eng_machine {
	int threads;			/* the most that were measured with */
	int64_t ns;			/* what measuring took */
	struct eng_read_rate read[ENG_MACHINE_READS];
	int n_read;
	struct eng_peak peak[ENG_MACHINE_PEAKS];
	int n_peak;
};
/*
 * Measures: reading buffers of 16 KiB up to 4 GiB or a quarter of what memory is free, int8 and F32
 * arithmetic by every instruction set that is here, each with 1, 2, 4 … and all threads (threads 0:
 * physical cores). It takes some ten seconds, more on many cores. progress (may be NULL) can stop it within some
 * milliseconds. Any thread, but what else runs is measured along.
 */
int eng_probe(int threads, eng_progress_fn *progress, void *arg, struct eng_machine *out, struct err *e);

/* -- models ------------------------------------------------------------------------ */

/* Classes by the real count of parameters, half-open: < 100 M, < 1.5 B, < 14 B, <= 30 B. */
enum eng_class { ENG_TINY, ENG_MICRO, ENG_SMALL, ENG_MEDIUM, ENG_LARGE };
const char *eng_class_name(enum eng_class c);

struct eng_type_count { const char *type; int64_t tensors, params; uint64_t bytes; };

/* What a file says of itself. Strings are UTF-8 from the file with control bytes replaced; owned by the model. */
struct eng_info {
	const char *path;
	const char *name;		/* general.name, else the file's name without .gguf */
	const char *arch;		/* general.architecture */
	const char *family;		/* the row it runs by: "llama"; NULL when unknown */
	const char *level;		/* "Q4_1": from general.file_type, else the type of most weights */
	const char *license;		/* or "" */
	const char *kind;		/* general.type: "model" (also when it does not say), "adapter", "mmproj", … */
	const char *note;		/* why it cannot be run, for show; NULL when it can */
	uint32_t gguf_version;
	uint64_t file_bytes, tensor_bytes;
	int64_t n_tensors, n_params, n_keys;
	double bpw;			/* bits per weight over all tensors */
	enum eng_class cls;
	int64_t n_ctx_train, n_embd, n_layer, n_head, n_head_kv, head_dim, n_ff, n_vocab, n_rot;
	int64_t n_window;		/* positions that window_layers of the layers see; 0: all see everything */
	int64_t window_layers;
	double rope_base, norm_eps;
	double rope_base_window;	/* in layers with a window */
	const char *rope_scaling;	/* "none", "linear", "yarn", "longrope", "by pair"; NULL when unknown */
	double rope_factor;		/* of linear and yarn */
	int64_t n_ctx_orig;		/* of yarn and longrope: trained on before it was stretched */
	bool tied;			/* the embedding is the output matrix too */
	int64_t kv_bytes_token;		/* at F16 */
	int64_t kv_bytes_window;	/* of those, in layers with a window */
	const char *tokenizer;		/* "gpt2/smollm", "llama"; "none" */
	int64_t n_tokens;		/* in the vocabulary */
	bool add_bos;
	const char *template_kind;	/* "chatml", …, "none" */
	const struct eng_type_count *types;
	int n_types;
};

struct eng_model;

/*
 * Opens and checks a model. With `inspect`, also files that cannot be run (a vocabulary
 * alone, an unknown family) are opened, for eng_model_info(); info.note tells why.
 * The tokenizer is built when text is first needed.
 */
int eng_model_open(struct eng *g, const char *path, bool inspect, struct eng_model **out, struct err *e);
/*
 * What a file is, from its headers alone, for lists of files: the same checks, but no weight
 * is read and none can be had; only eng_model_info() and eng_model_close() are for it. Files
 * that cannot be run are opened with info.note. Any thread.
 */
int eng_model_look(const char *path, struct eng_model **out, struct err *e);
/* All weights and sessions of the model must be gone. */
void eng_model_close(struct eng_model *m);
const struct eng_info *eng_model_info(const struct eng_model *m);

/* -- weights: a model at a level --------------------------------------------------- */

struct eng_weights;	/* counted references */

struct eng_weights_info {
	const char *level;	/* "Q4_0" */
	bool made;		/* in memory, not as the file has it */
	const char *note;	/* "made from Q4_1: no better than it", or NULL */
	uint64_t bytes;		/* of all tensors at this level, as a file stores them */
	double bpw;
};

/*
 * The weights at a level: NULL or the file's own level name gives the file's, packed for the
 * kernels in memory that replaces its pages (or as they lie in the file, when there is no
 * room); others ("q8_0", any case) are made in memory, by the rules and encoders of quantize,
 * or found if they are alive. ERR_ARG names the levels for an unknown one.
 */
int eng_weights_get(struct eng_model *m, const char *level, eng_progress_fn *progress, void *arg,
		    struct eng_weights **out, struct err *e);
/*
 * The same, but what has to be made is made by `threads` threads (0: as many as the engine has) that are
 * started for it and have the calling thread's priority: for making something in the background. Sessions
 * of the model may compute meanwhile (eng_session_sync, what is asked of text, of sessions that are there);
 * nothing else of it may be called: no weights are taken or released, no session is made or freed.
 */
int eng_weights_make(struct eng_model *m, const char *level, int threads, eng_progress_fn *progress, void *arg,
		     struct eng_weights **out, struct err *e);
/* From now on the file's level is given as it lies in the file: for one that is used where memory does not suffice. */
void eng_model_stay_mapped(struct eng_model *m);
struct eng_weights *eng_weights_ref(struct eng_weights *w);
void eng_weights_release(struct eng_weights *w);
const struct eng_weights_info *eng_weights_info(const struct eng_weights *w);

/* What levels and types of tensors there are, by name; NULL behind the last. Any thread. */
const char *eng_level_name(int i);
const char *eng_type_name(int i);
const char *eng_family_name(int i);		/* of families, and of architectures: "llama", "bitnet", "bitnet-b1.58" */
bool eng_level_known(const char *name);		/* any case; "Q4_K" too, which is Q4_K_M */

/* The ladder: levels that can be asked of this model, best first. Any thread. */
struct eng_level {
	const char *name;	/* "Q8_0" */
	bool own;		/* the file's own */
	uint64_t bytes;		/* what its tensors take or would take */
	double bpw;
};
int eng_model_levels(const struct eng_model *m, const struct eng_level **out);	/* how many */
/*
 * Any other level, by name ("q6_k"), and what it would take; nothing is made. ERR_ARG for an unknown one,
 * ERR_UNSUPPORTED when it cannot be made of this model here. Any thread.
 */
int eng_model_level(const struct eng_model *m, const char *name, struct eng_level *out, struct err *e);

/* -- sessions ---------------------------------------------------------------------- */

enum eng_kv { ENG_KV_F16, ENG_KV_BF16, ENG_KV_F32, ENG_KV_Q8_0, ENG_KV_N };
const char *eng_kv_name(enum eng_kv kv);
int eng_kv_parse(const char *name, enum eng_kv *out, struct err *e);

/*
 * What weights are multiplied with: activations rounded to 8 bits, or to 16 (twice the work, but
 * not the time when memory is waited for), or by AUTO to 16 where 8 would lose more than a tenth of
 * what the weights' type loses itself; or unrounded, which is slower and the definition. A model
 * that was trained with rounded activations (BitNet) has them as it was trained, but for F32.
 */
enum eng_act { ENG_ACT_AUTO, ENG_ACT_INT8, ENG_ACT_INT16, ENG_ACT_F32, ENG_ACT_N };
const char *eng_act_name(enum eng_act act);
int eng_act_parse(const char *name, enum eng_act *out, struct err *e);

enum { ENG_CTX_MAX = 1 << 24 };	/* positions of a session, at most */
struct eng_session_opts {
	int64_t n_ctx;		/* positions; 0: min(trained, 8192) */
	enum eng_kv kv;
	enum eng_act act;
	int chunk;		/* most tokens computed together in a prefill; 0: the default */
	bool all_logits;	/* every position's will be asked for: they count in eng_need */
};

struct eng_session;

int eng_session_new(struct eng_weights *w, const struct eng_session_opts *opts,
		    struct eng_session **out, struct err *e);
/*
 * A second session that stands where this one does, with its options; uncancelled. Keys and
 * values are shared page by page and copied when one of the two writes into a shared page, so
 * that a fork takes no memory for what both hold. Sessions that share belong to one thread.
 */
int eng_session_fork(const struct eng_session *s, struct eng_session **out, struct err *e);
void eng_session_free(struct eng_session *s);
int64_t eng_session_ctx(const struct eng_session *s);
int eng_session_chunk(const struct eng_session *s);	/* most tokens computed together */
int32_t eng_session_len(const struct eng_session *s);
const int32_t *eng_session_ids(const struct eng_session *s);
/* What its matrices are multiplied with: "int8", "int16", "int8/16" when it depends on the matrix, "f32". Static. */
const char *eng_session_act(const struct eng_session *s);
struct eng_weights *eng_session_weights(const struct eng_session *s);	/* borrowed */

struct eng_sync {
	/* out */
	int32_t reused, computed;	/* tokens whose KV was there, and that were computed */
	/*
	 * Of those computed: tokens that the session held, but sliding windows had given back what
	 * they see. Ends of turns can be gone back to for nothing, other places rarely.
	 */
	int32_t again;
	/* in, may be NULL: called after each chunk with the tokens done so far */
	eng_progress_fn *progress;
	void *progress_arg;
	/* in, may be NULL: every computed position's logits, (n_vocab), in order */
	void (*logits)(void *arg, int32_t pos, const float *logits);
	void *logits_arg;
};

/*
 * Makes the session hold exactly ids[0 … n-1]: keeps the common prefix, drops what
 * differs, computes the rest in chunks; afterwards eng_session_logits() are those of the
 * last position. When nothing is left to compute, the last token is computed again.
 * ERR_CONTEXT when n exceeds the context (nothing is changed). ERR_CANCELLED after
 * eng_session_cancel(): the session then stands at its last whole chunk. ERR_ARG for an
 * id outside the vocabulary. n 0 empties the session.
 */
int eng_session_sync(struct eng_session *s, const int32_t *ids, int32_t n, struct eng_sync *st, struct err *e);

/*
 * The same for several sessions at once, which go through the weights together: the chunk of
 * one and the next tokens of others cost little more than one of them. The sessions are
 * distinct, bound to the same weights and of one eng_act (else ERR_ARG); each has its own list
 * and its own st, or NULL. What a session computes is to the bit what it computes alone.
 * A step is one for all: after a failure, and when one session is cancelled, each
 * stands at the end of the last whole step.
 */
struct eng_turn {
	struct eng_session *session;
	const int32_t *ids;
	int32_t n;
	struct eng_sync *st;
};
int eng_sync_many(const struct eng_turn *turns, int n, struct err *e);

/* Logits after the last position: (n_vocab), valid until the next sync. NULL when empty. */
const float *eng_session_logits(const struct eng_session *s);

/* From any thread: stops a running sync within 50 ms. Stays set until cleared. */
void eng_session_cancel(struct eng_session *s);
void eng_session_uncancel(struct eng_session *s);

/*
 * Binds the session to other weights of the same model. EXACT drops the KV: the next sync
 * computes everything again. BORROWED keeps it: the next answer starts at once, on keys
 * and values that the old level made.
 */
enum eng_bind { ENG_BIND_EXACT, ENG_BIND_BORROWED };
int eng_session_bind(struct eng_session *s, struct eng_weights *w, enum eng_bind how, struct err *e);

/* Memory as parts that add up, bytes. Any thread that holds the session still. */
struct eng_mem {
	uint64_t weights_mapped;	/* tensor bytes used from the mapping */
	uint64_t weights_resident;	/* of those, in memory */
	uint64_t weights_made;		/* packed or made in memory */
	uint64_t kv_used, kv_reserved;	/* pages taken; what the whole context would take */
	uint64_t kv_shared;		/* of kv_used, what other sessions hold too */
	uint64_t scratch;
};
void eng_session_mem(const struct eng_session *s, struct eng_mem *m);

/*
 * The same before it is taken: what a model at a level (NULL: the file's own) and a session
 * will have taken when its context is full, and what this machine and the process's control
 * groups leave for it. Weights in a mapping count whole: a model that is not all in memory is
 * read from the disk again for every token. Where it does not fit, what would.
 */
struct eng_need {
	uint64_t weights, kv, scratch, total;
	uint64_t available;		/* without swapping; 0: the system does not tell */
	int64_t n_ctx;			/* the context that this is for */
	bool fits;
	/*
	 * What would fit, with something to spare. Contexts are no larger than what was asked for and
	 * what the model was trained on; levels are all that can be made of it.
	 */
	int64_t fit_ctx;		/* the largest context that fits at this level; 0: none */
	const char *fit_level;		/* the largest level that fits, or NULL … */
	int64_t fit_level_ctx;		/* … with this context: n_ctx, or when nothing else fits what the smallest leaves */
};
int eng_model_need(struct eng_model *m, const char *level, const struct eng_session_opts *opts, struct eng_need *out,
		   struct err *e);

/*
 * Where the time of a step goes, while it is counted: per kind of work, as thread 0 sees it (its
 * waiting for others included), with the bytes of weights, keys and values that it reads and the
 * operations that it takes, two a multiply-add, those on rounded activations apart. Not while a
 * sync runs.
 */
struct eng_work { const char *name; int64_t ns; double bytes, int8_ops, f32_ops; };
void eng_profile(struct eng *g, bool on);	/* on: counts from 0 */
int eng_profile_works(const struct eng *g, const struct eng_work **out);	/* how many; in the order of the step */

/* -- text -------------------------------------------------------------------------- */

struct eng_ids { int32_t *p; size_t n, size; };		/* {0} is empty */
void eng_ids_release(struct eng_ids *l);
int eng_ids_add(struct eng_ids *l, int32_t id);

/*
 * Builds the tokenizer if that was not done yet. ERR_NOT_FOUND: the file has none; ERR_UNSUPPORTED:
 * one that is not known; else what is wrong with its keys. Files opened with `inspect` too.
 */
int eng_text(struct eng_model *m, struct err *e);
/* Raw text → ids; BOS if the file says so; control tokens in the text are matched only with `special`. */
int eng_tokenize(struct eng_model *m, const char *text, size_t n, bool special, struct eng_ids *out, struct err *e);
/*
 * The tokenizer alone, for a workbench; also for files that were opened with `inspect`.
 * Text → ids with nothing added but what is asked for; user-defined tokens are matched.
 */
enum { ENG_TEXT_SPECIAL = 1, ENG_TEXT_BOS = 2 };
int eng_encode(struct eng_model *m, const char *text, size_t n, unsigned how, struct eng_ids *out, struct err *e);
/*
 * Ids → the text's bytes, exactly; with `special`, control tokens by their spelling. ERR_ARG for an
 * id outside the vocabulary.
 */
int eng_decode(struct eng_model *m, const int32_t *ids, size_t n, bool special, struct str *out, struct err *e);
/* The bytes a token stands for; NULL for an id outside the vocabulary. Owned by the model, not NUL-terminated. */
const char *eng_token(struct eng_model *m, int32_t id, size_t *n);
/* Does this id end an answer? False as long as no text was needed. */
bool eng_is_end(const struct eng_model *m, int32_t id);

/* Ids → text as a stream that holds back half characters. */
struct eng_stream;
struct eng_stream *eng_stream_new(struct eng_model *m, bool at_start, struct err *e);
void eng_stream_free(struct eng_stream *st);
void eng_stream_push(struct eng_stream *st, int32_t id, struct str *out);
void eng_stream_end(struct eng_stream *st, struct str *out);

struct eng_part { const char *text; size_t len; };

struct eng_msg {
	const char *role;		/* "system", "user", "assistant", "tool" */
	const char *text;
	size_t len;
	const int32_t *ids;		/* assistant: as it was sampled, without the end token; or NULL */
	size_t n_ids;
	size_t rest;			/* assistant: where the answer begins behind the thinking; 0: at the start */
	const struct eng_part *parts;	/* the content as a list of texts, in place of text; or NULL */
	size_t n_parts;
};

/* What a template is told besides the messages. {-1, NULL} leaves all to it. */
struct eng_chat_opts {
	int thinking;			/* enable_thinking: 1, 0, or -1 not to say */
	const char *tools;		/* a JSON array, or NULL */
};

/*
 * True when there is a chat template that can be used: the file's, or its family's where it has
 * none but the tokens of one. *why (may be NULL) then is NULL, or tells whose it is; else it
 * tells why there is none.
 */
bool eng_has_template(struct eng_model *m, const char **why);
/*
 * Conversation → ids, with the header of the next answer at the end. A model without a
 * template gets the texts in a row (raw continuation).
 */
int eng_chat_tokens(struct eng_model *m, const struct eng_msg *msgs, size_t n, struct eng_ids *out, struct err *e);
/* The same with more to tell the template; opts may be NULL. */
int eng_chat(struct eng_model *m, const struct eng_msg *msgs, size_t n, const struct eng_chat_opts *opts,
	     struct eng_ids *out, struct err *e);

/* -- making files ------------------------------------------------------------------ */

/* Tensors whose name a PCRE2 pattern is found in get this type; the first that fits. */
struct eng_override { const char *pattern, *type; };

struct eng_quantize_opts {
	const char *level;			/* "Q4_K_M", any case */
	const struct eng_override *overrides;	/* over the level's rules, but for levels of floats */
	size_t n_overrides;
	const char *output_type;		/* of output.weight (of a tied embedding too), or NULL */
	const char *embd_type;			/* of token_embd.weight, or NULL */
	bool requantize;			/* take tensors that are quantized already */
	bool dry_run;				/* tell, refuse what must be, and write nothing; out may be NULL */
	eng_progress_fn *progress;		/* by the calling thread, in weights; false stops it */
	/* every tensor in order, before any is made: its type here and there, and its bytes there */
	void (*tensor)(void *arg, const char *name, const char *from, const char *to, uint64_t bytes);
	/* likewise every pattern that decided no tensor's type */
	void (*unused)(void *arg, const char *pattern);
	void *arg;
};

struct eng_quantize_result {
	int64_t tensors, changed, params;
	int64_t fallbacks;			/* that got another type because of an odd row length */
	uint64_t bytes_in, bytes_out;		/* of the tensors */
	double bpw;				/* afterwards */
	const char *level;			/* as it is written: "Q4_K_M"; static */
	const char *warning;			/* or NULL; static */
};

/*
 * Writes a model at another level: tensor by tensor the same bytes as the level made in
 * memory, and the same file as llama.cpp's llama-quantize. The input may be sharded or big-endian
 * and is read piece by piece, so that memory stays small whatever its size. The output appears under its name only when it is whole;
 * after an error (ERR_CANCELLED among them) nothing is left of it. ERR_ARG: an unknown level
 * or type, a pattern that does not compile, the output is the input, a quantized source
 * without `requantize`, I2_S for weights that are not ternary.
 */
int eng_quantize(struct eng *g, const char *in, const char *out, const struct eng_quantize_opts *opts,
		 struct eng_quantize_result *res, struct err *e);

/* A chat template tried on variables: the workbench behind the verb `template`. */
struct eng_template_job {
	const char *source;		/* NULL: the model's own */
	size_t len;
	const char *context;		/* a JSON object: the variables */
	size_t context_len;
	const struct tm *now;		/* the clock of strftime_now; NULL: the real one */
	bool ids;			/* the text as a chat would feed it, too */
};

/* Bytes [start, end) of a text: written by the user, or by the template. */
struct eng_span { size_t start, end; bool user; };

struct eng_rendering {
	struct str text;		/* after an error: the template's own message in full, or empty */
	struct eng_span *spans;		/* in order; they touch, and cover the text */
	size_t n_spans;
	struct eng_ids ids;
	int line, column;		/* of the template, where an error stands; 0 unknown */
};
void eng_rendering_init(struct eng_rendering *r);
void eng_rendering_release(struct eng_rendering *r);

/*
 * m may be NULL where the source is given and no ids are asked for. Strings of the context
 * are the user's but for bos_token and eos_token, which are the model's unless it sets them.
 */
int eng_template_render(struct eng_model *m, const struct eng_template_job *job, struct eng_rendering *out,
			struct err *e);

/* -- sampling ---------------------------------------------------------------------- */

struct eng_sample_opts {
	double temp;		/* 0: greedy, the lowest id on equal logits */
	int top_k;		/* 0: off */
	double top_p;		/* 1: off */
	double min_p;		/* 0: off */
	double repeat_penalty;	/* 1: off; over the last 64 tokens, prompt included */
	uint64_t seed;
};

struct eng_sampler;
struct eng_sampler *eng_sampler_new(const struct eng_sample_opts *opts, struct err *e);
void eng_sampler_free(struct eng_sampler *s);
/* The options may change in the middle of a conversation; a changed seed starts its sequence anew. */
void eng_sampler_set(struct eng_sampler *s, const struct eng_sample_opts *opts);
/*
 * Picks from the session's logits. The same seed, options and logits give the same id on
 * every machine and thread count. Ids beyond the vocabulary are never picked.
 */
int32_t eng_sample(struct eng_sampler *s, const struct eng_session *ses);

#endif
