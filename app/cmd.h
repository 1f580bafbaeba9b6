/*
 * The verbs and their options, as tables: --help, VERB --help, completion and the parser
 * read the same rows. A new verb is a file app/cmd_NAME.c with a const struct cmd and a
 * row in cmd.c; a new option is a row in opt.c and its place in the verb's list.
 *
 * Exit codes: 0 ok, 1 failure, 2 usage, 130 interrupted.
 */
#ifndef APP_CMD_H
#define APP_CMD_H

#include "engine/engine.h"

#include <stdbool.h>
#include <stdint.h>

enum { EXIT_OK = 0, EXIT_FAIL = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

enum { OPT_MAX = 96, OPT_LIST_MAX = 64 };	/* rows that there may be; values of one OPT_LIST */
struct opt_list { const char *v[OPT_LIST_MAX]; int n; };

/*
 * Values of all options, filled with defaults. One struct for every verb: an option means the
 * same wherever it is taken. Strings point into argv or the environment (TIDBIT_* gives a
 * default for each option: TIDBIT_THREADS for -t/--threads).
 */
struct opts {
	const char *model;		/* -m, or the positional MODEL */
	const char *prompt;		/* positional PROMPT of run */
	const char *file;		/* positional FILE of show, IN of quantize */
	const char *system;
	const char *level;		/* -q; bench takes a list with commas; LEVEL of quantize */
	const char *isa;
	const char *tokens_path;	/* --tokens */
	const char *out_path;		/* -o of logits, OUT of quantize */
	const char *now;		/* --now of template: ISO 8601, local */
	const char *format;		/* -o of show and bench: md, csv, json */
	enum eng_kv kv;
	const char *act;		/* auto, int8, int16, f32; NULL: the default */
	const char *switch_from;	/* of logits: the level before the switch … */
	int64_t switch_at;		/* … its position … */
	const char *switch_mode;	/* … exact or borrowed */
	const char *with_path;		/* --with of logits */
	bool force;			/* also when the memory does not suffice */
	struct eng_sample_opts sample;
	bool seed_set;			/* else a fresh seed, which is told */
	int64_t n;			/* -n: most tokens of an answer; -1: until it or the context ends */
	int64_t n_ctx;
	int threads;			/* -t; bench takes one number */
	int chunk;
	bool profile;			/* bench: where the time goes */
	int64_t bench_p, bench_n, bench_d;	/* -p, -n and -d of bench */
	int reps;			/* -r */
	bool raw, stats, plain, ascii;
	bool offline;			/* bootstrap reads it: nothing here opens a connection */
	bool jsonl, ids;
	bool machine, again;		/* of show */
	bool special, bos, detokenize, pieces;	/* of tokenize */
	struct opt_list stop;		/* --stop */
	const char *prompt_file;	/* -f of run */
	const char *think;		/* auto, on, off */
	const char *tools_path;		/* --tools */
	const char *policy;		/* --context-policy: ask, drop-oldest, refuse */
	bool null;			/* --null */
	const char *output_type, *embd_type;	/* of quantize */
	struct opt_list tensor_types;	/* REGEX=TYPE */
	bool requantize, dry_run, replace;
	const char *theme;		/* of the screen */
	const char *gauges;		/* which, and in what order; NULL: the default */
	const char *bell, *mouse;	/* on, off */
	const char *bidi;		/* auto, app, terminal */
	bool private;			/* nothing that was typed is kept */
	bool help;
	bool given[OPT_MAX];		/* by row of opt_table */
	bool model_set;			/* the model came by -m: positionals begin after it */
	const char *const *folders;	/* of models, from tidbit.conf; NULL-ended, or NULL */
	const char *note;		/* something to tell when the chat opens, or NULL: "no model was named: …" */
};

struct cmd {
	const char *name;
	const char *args;		/* "MODEL [PROMPT]" */
	const char *help;		/* one line */
	const char *const *opts;	/* keys of the options it takes (opt.h), NULL-ended: "temp", "threads" */
	const char *const *notes;	/* more lines of VERB --help, NULL-ended; or NULL */
	/* max positionals and where they go is the verb's own business */
	int (*positional)(struct opts *o, int i, const char *arg);	/* 0, or -1: too many */
	int (*run)(struct opts *o);	/* returns the exit code; prints its own error line */
};

/*
 * Parses argv and runs the verb; what is left on stdout is written out, and a failure of that is
 * a failure. ui_chat is what opens the screen (main.c wires it). SIGPIPE is ignored from here on:
 * a reader that has gone is a write error, and told to nobody.
 */
typedef int cmd_chat_fn(struct opts *o);
int cmd_main(int argc, char **argv, cmd_chat_fn *ui_chat);

/* Opens the chat that the options ask for: the screen on a terminal, else plain lines. */
int cmd_open_chat(struct opts *o);

/* The rows of cmd.c. */
extern const struct cmd *const cmd_verbs[];	/* NULL-ended */
extern const struct cmd cmd_chat, cmd_run, cmd_bench, cmd_logits, cmd_show, cmd_list, cmd_tokenize, cmd_template,
	cmd_quantize, cmd_help, cmd_version;

/*
 * Prints "tidbit: <message>" on stderr (through the terminal filter) and returns EXIT_FAIL. A reader
 * that has gone (ERR_PIPE: `| head`) has what it wanted: nothing is said.
 */
int cmd_fail(const struct err *e);
/* Has standard output's reader gone? For failures that have no struct err. */
bool cmd_reader_gone(void);

/* The same for a wrong call that only the verb can see; adds where help is. Returns EXIT_USAGE. */
int cmd_usage(const struct cmd *verb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "tidbit: <text>" on stderr, filtered: a warning or something worth knowing. */
void cmd_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Such a note for each line of a text. */
void cmd_notes(const struct str *lines);
/* The file does not say how its text is split: for verbs that read text but no profile. */
void cmd_note_split(const struct eng_model *m);

/* The name among `names` (NULL-ended) closest to `word` by edit distance, or NULL when none is near. */
const char *cmd_nearest(const char *word, const char *const *names);

#endif
