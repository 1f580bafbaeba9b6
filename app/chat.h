/*
 * A chat: the conversation, its commands, and what is known about the model, on the main
 * thread. The screen (ui/) and plain mode both stand on this; neither decides anything.
 *
 * Calls here change the state and post jobs; chat_pump() takes the worker's events. `version`
 * grows with every visible change, so that a view knows when to paint, and each item has its
 * own, so that only what changed is laid out again. An item's version is taken from the
 * chat's: no two items ever have had the same, so that a layout kept under (item, version)
 * is never a stranger's. Items go away: when a message is refused, and by /clear.
 *
 * A message may be submitted while the model loads: it waits in the worker's queue. While a
 * level is being made the level in use answers it at once, and the switch follows when that
 * answer has ended (one that ran when the switch was asked for is stopped as soon as the level is there); it waits while the new level takes over. While an answer runs it is refused and
 * comes back as the draft.
 */
#ifndef APP_CHAT_H
#define APP_CHAT_H

#include "app/energy.h"
#include "app/worker.h"

enum item_kind {
	ITEM_USER,
	ITEM_ANSWER,
	ITEM_NOTE,		/* tidbit speaking: help, stats, errors, a change of level or model */
};

struct chat_item {
	enum item_kind kind;
	bool error;			/* ITEM_NOTE: a complaint */
	char *label;			/* ITEM_ANSWER: "smollm2-135m · Q4_1" */
	struct str text;
	struct eng_ids ids;		/* ITEM_ANSWER: as sampled … */
	uint64_t vocab;			/* … from this vocabulary (worker.h) */
	struct answer_stats stats;	/* ITEM_ANSWER */
	enum answer_end end;
	int32_t n_think;		/* ITEM_ANSWER: tokens up to the end of its thinking, so far */
	size_t attached;		/* ITEM_USER: bytes at its beginning that are files' … */
	char *attached_names;		/* … which, and how large they are; or NULL */
	bool restored;			/* said in an earlier run */
	bool gone;			/* left out of what the model sees: the context had no room */
	bool running;			/* ITEM_ANSWER still streaming, or waiting for its turn */
	unsigned serial;		/* 1, 2, … as they were made; grows along items[] */
	unsigned version;
};

enum chat_state { CHAT_LOADING, CHAT_IDLE, CHAT_PREFILL, CHAT_DECODE, CHAT_SWITCHING, CHAT_FAILED };

enum { CHAT_RATE_HISTORY = 128, CHAT_SETTINGS = 32 };

struct chat_level {
	char name[16];
	uint64_t bytes;
	double bpw;
	char act[12];			/* what it was multiplied with, "" not in use yet */
	bool own;			/* the file's own */
	bool made;			/* has been in use here */
	bool beside;			/* no rung of the ladder: asked for by name */
	double rate;			/* measured decode tok/s, 0 none */
};

/*
 * Things to choose from: the note that asks numbers them, and a number alone as the next message
 * takes one; a number that is none of them is complained of. Anything else that is submitted ends the choice.
 */
enum { CHAT_CHOICES = 40 };
struct chat_choice { char label[160]; char command[64]; };	/* a line of slash_run() */

struct chat {
	struct loop *loop;
	struct worker *worker;
	struct opts *o;			/* the session's options; /set changes them */
	enum chat_state state;
	unsigned version;
	struct chat_item **items;
	size_t n_items;
	/* the model */
	const struct opened *opened;	/* NULL until one is open … */
	const struct eng_info *info;	/* … and what its file says */
	char *name;			/* for header and labels */
	char *opening;			/* what was asked for and is being opened in its place; NULL */
	struct chat_level *levels;
	int n_levels;
	int level;			/* the one in use */
	int target;			/* where a switch is heading; = level when none */
	/* progress of what runs: what NULL when nothing tells */
	const char *what;
	int64_t done, total;
	int64_t made, to_make;		/* of the target's weights, which are made beside what runs; to_make 0: none are */
	/* gauges */
	struct gauges g;
	double rates[CHAT_RATE_HISTORY];	/* decode tok/s, newest last */
	int n_rates;
	double joules;			/* of the whole package, a token of the running or last answer; 0 not known */
	int64_t next_adds;		/* what the message that is being typed adds to the context, and what goes before it again: chat_weigh() */
	bool next_about;		/* … by its length, not counted */
	bool quit;			/* /bye */
	bool failed;			/* something that was asked for was not done */
	bool can_ask;			/* somebody is there to choose; set by the view */
	bool lines;			/* a view of plain lines: sentences in place of tables; set by it */
	struct chat_choice *choices;	/* (CHAT_CHOICES) */
	int n_choices;			/* 0: nothing is asked */
	struct room room;		/* of the message that waits for a choice */
	char *left;			/* the file of a conversation that an ended run has left: keep.h; or NULL */
	struct saver *saver;		/* a level is written to a file … */
	char *saving;			/* … this one, so far: */
	int64_t saved, to_save;
	struct err why;			/* CHAT_FAILED: why no model is open */
	bool borrowed;			/* the KV is of other levels, since the last switch */
	char *queued;			/* a message that is asked when the answer has ended, or NULL */
	unsigned cut;			/* serial of the message that the next one takes the place of; 0 none */
	/* how text gets to the terminal's clipboard; set by the view, NULL where there is no terminal */
	void (*to_terminal)(const char *bytes, size_t n);
	/* Takes a theme, or says why not; set by the view, NULL where there are none. */
	int (*take_theme)(const char *name, struct err *e);
	const char *(*theme_name)(int i);	/* those there are, NULL behind the last; or NULL */
	char *draft;			/* a refused message comes back here for the input line; or NULL (mem_free) */
	/* chat.c's own */
	unsigned n_made;		/* items ever */
	struct chat_item *answer;	/* the answer that is out: running, or waiting in the queue */
	struct chat_item *held;		/* a message that did not fit, while it is asked what to do */
	bool resumed;			/* the answer that is out goes on with text that it has */
	struct answer_stats had;	/* what it had cost when it was asked for */
	int64_t most;			/* tokens that it may have in all; -1: no limit */
	bool go_on;			/* once the context has grown, the last answer goes on */
	bool drop_oldest;		/* for this message, as /context drop says */
	int n_gone;			/* turns that are left out */
	char *attached;			/* files that go before the next message; or NULL */
	char *attached_names;		/* … which, and how large they are */
	bool again;			/* it was stopped for a switch: asked again if it had not begun */
	bool go_on_there;		/* the answer that a switch stopped goes on at the new level */
	int n_switches;			/* jobs that are out and change level, model or context */
	bool late;			/* … that one is run now: what was read since is not its */
	char *after;			/* a command that is run when the answer that it stops has ended */
	char *system;			/* what /system said; o->system is it */
	char *set[CHAT_SETTINGS];	/* what /set said, by its rows; options point at them */
	int64_t ctx_before;		/* of the model in use */
	char what_buf[32];
	int64_t rate_ns;		/* when the last rate was appended */
	struct energy energy;
	int32_t energy_from;		/* tokens of the answer when it was read first; 0: not yet */
	double energy_before;
	int64_t energy_ns;
	char *to_weigh;			/* … and is not counted yet, or NULL */
	bool weighing;			/* a JOB_COUNT is out … */
	bool weighs_said;		/* … of what is said so far alone */
	bool typing;			/* a message is being typed */
	int64_t said;			/* tokens so far that the next message computes again; 0: none, or not counted yet */
	bool said_due;			/* … they are to be counted */
	struct chat_rate { uint64_t key; double rate; } *known;	/* measured, of a model at a level; n_known */
	size_t n_known;
};

int chat_new(struct chat **out, struct loop *l, struct opts *o, struct err *e);
void chat_free(struct chat *c);

/*
 * Enter: a message, or a command when it begins with '/'. With "//" it is a message that begins with one of them; the
 * draft and a message that waits have both. While an answer runs only commands that may run then are taken; a message
 * is refused with a note and kept as the draft.
 */
bool chat_is_command(const char *text);
void chat_submit(struct chat *c, const char *text);
/* A message for when the running answer has ended; in place of one that waits already. */
void chat_queue(struct chat *c, const char *text);
/* What it is going to be is typed still: c->next_adds is about right at once, and counted as soon as the worker has time. */
void chat_weigh(struct chat *c, const char *text);
/* What is said so far is not in the context, and the next message brings it all: that is counted as soon as may be. */
void chat_weigh_said(struct chat *c);
/* It becomes the draft again; false when none waits. */
bool chat_unqueue(struct chat *c);
/* It was stopped for a switch, and goes on as soon as that is done. */
bool chat_pauses(const struct chat *c, const struct chat_item *i);
/* Stops what runs, an answer before a switch; true when something did. A message that waits becomes the draft again. */
bool chat_stop(struct chat *c);
/*
 * The level of that name; one that can be made of the model gets a row beside the ladder. -1: ERR_ARG names
 * those there are, ERR_UNSUPPORTED tells why it cannot be made.
 */
int chat_find_level(struct chat *c, const char *name, struct err *e);
/* The next rung towards better (-1) or smaller (+1) from where a switch is heading; -1: there is none. */
int chat_next_level(const struct chat *c, int step);
/* To that one; false: at the end of the ladder nothing happens. */
bool chat_step_level(struct chat *c, int step);
/*
 * Heads for a level: the target is shown at once. A running answer goes on until the level is there, and is
 * stopped then, its text stays; with GO_ON the new level goes on with it. Without a word --mode decides between EXACT (what the
 * session held is computed again) and BORROWED (it stays as the old level made it).
 */
enum chat_switch { CHAT_EXACT = 1, CHAT_BORROWED = 2, CHAT_GO_ON = 4 };
void chat_set_level(struct chat *c, int level);
void chat_switch_level(struct chat *c, int level, unsigned how);
/*
 * Opens another model beside the one in use: a name of `tidbit list`, or a file; at a level, NULL: as the
 * file has it. When it is whole the conversation is its, by text; if it cannot be opened all stays as it
 * is. A running answer is stopped, its text stays; one that had not begun is the new model's.
 */
void chat_open_model(struct chat *c, const char *word, const char *level);
/* Writes a level to a file, "": one beside the model's, with quantize's code; answers go on meanwhile. */
void chat_save_level(struct chat *c, int level, const char *file);
/* Empties the conversation and the session. Not while an answer runs. */
void chat_reset(struct chat *c);
/* Turns are counted from 1, those that were left out as well. */
int chat_turns(const struct chat *c);
/* Takes the last question and what followed it out. Not while an answer runs; false when there is none. */
bool chat_undo(struct chat *c);
/* Asks the last question again, in place of its answer. */
bool chat_regen(struct chat *c);
/*
 * The turn's message becomes the draft, and the next message that is sent takes its place: all from
 * it on goes then. chat_edit_leave() leaves everything as it is. turn 0: the last.
 */
bool chat_edit(struct chat *c, int turn);
void chat_edit_leave(struct chat *c);
int chat_turn_of(const struct chat *c, unsigned serial);
/* The last answer, which was stopped or cut, goes on where it ended. False (and told) when there is none. */
bool chat_continue(struct chat *c);
/*
 * What to do about the message that does not fit: leave turns out, make the context larger (0: as large as
 * needed), or let it be.
 */
void chat_drop(struct chat *c);
void chat_grow(struct chat *c, int64_t n_ctx);
void chat_leave(struct chat *c);
/* Puts a file's text before the next message. */
int chat_attach(struct chat *c, const char *path, struct err *e);
/* What goes before it, in words: "a.txt, 17 bytes"; while c->attached. */
const char *chat_attached(const struct chat *c);
/* Nothing goes before it any more; says what did. */
void chat_detach(struct chat *c);
/* Adds something to choose from, for the next chat_ask_choice(). */
void chat_offer(struct chat *c, const char *command, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Asks: the question and what was offered, numbered. */
void chat_ask_choice(struct chat *c, const char *question);
/* tidbit speaks: an item of its own at the end. */
void chat_note(struct chat *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Something that was asked for was not done: without somebody at a terminal the program fails in the end. */
void chat_complain(struct chat *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* It looks like that, but all was done. */
void chat_doubt(struct chat *c, const char *text);
/* Bytes for people, in powers of 1024: "93.5 MiB". Returns buf. */
const char *chat_bytes(char *buf, size_t size, uint64_t bytes);
/* Takes the worker's events; true when something visible changed. */
bool chat_pump(struct chat *c);
/* Until then (os_now_ns()) text wakes the loop no more: whoever says so pumps by then. */
void chat_hush(struct chat *c, int64_t until_ns);

/* On something that is no terminal, and with --plain: lines. Returns the exit code. */
int chat_plain(struct opts *o);

#endif
