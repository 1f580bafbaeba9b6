/*
 * The chat in lines, for pipes, files, screen readers and --plain. Answers go to standard
 * output, everything else to standard error. Stands on the same chat, worker and loop as
 * the screen. Lines are taken only while nothing runs, so that a pipe's lines are asked one
 * after the other.
 */
#include "config.h"
#include "app/chat.h"
#include "app/slash.h"
#include "app/cmd.h"
#include "app/draft.h"
#include "app/keep.h"
#include "app/plainline.h"
#include "app/recall.h"
#include "app/termtext.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_CAP = 16 << 20, RECALL = 1000 };	/* RECALL: earlier messages that are remembered */
enum { KEEP_MS = 900, KEEP_RUNNING_MS = 5000 };	/* after a change, until the conversation is kept; while it streams */
/* What takes longer is told in sentences, each on a line of its own: nothing is drawn over. */
static const int64_t status_first_ns = 2000000000, status_step_ns = 10000000000;

struct plain {
	struct chat *c;
	struct loop *l;
	const struct opts *o;
	bool tty_in, tty_out, tty_err;
	/* lines of a pipe or a file */
	struct str in;
	bool eof, unread;	/* unread: what comes cannot be read */
	/* lines of a terminal */
	bool armed;		/* one Ctrl-C on an empty line: another leaves */
	bool forgetful;		/* messages cannot be kept for the next run */
	bool keeps;		/* the conversation is kept, in case of an end by no key … */
	bool keep_due, unkept, killed;	/* … soon; it could not be (told once); that end has come */
	uint64_t kept;		/* as it was looked at last: keep_changed() */
	/* what has been printed */
	unsigned said;		/* serial of the last item that is out whole */
	const struct chat_item *resumed;	/* an answer that goes on behind what was said */
	unsigned current;	/* serial of the answer that is being printed */
	size_t printed;		/* bytes of it that are told, on either side */
	bool thinking;		/* the last of them were thinking */
	enum think_state was;	/* … as it was told last: think_told_late() */
	bool late;		/* that was said */
	char last;		/* byte of it on standard output; 0 none yet */
	struct termtext filter;
	int64_t status_ns;	/* when something long is told of next; 0: nothing runs */
	bool interrupted, greeted;
	/* of a pipe: which answer is being asked for, from 1 on, and whether it is out yet */
	unsigned turn;
	bool asked;
};

/* -- output ------------------------------------------------------------------------- */

static void show_status(struct plain *p)
{
	const struct chat *c = p->c;
	const int64_t now = os_now_ns();

	if (!p->tty_err || !c->what) {
		p->status_ns = 0;
	} else if (!p->status_ns) {
		p->status_ns = now + status_first_ns;
	} else if (now >= p->status_ns) {
		p->status_ns = now + status_step_ns;
		fprintf(stderr, "%s: %d %%\n", c->what, c->total > 0 ? (int)(100.0 * (double)c->done / (double)c->total) : 0);
	}
}

static void say(struct plain *p, const char *before, const char *text, size_t n)
{
	struct str s;

	(void)p;
	str_init(&s, 0);
	termtext_whole(text, n, TERMTEXT_LINES, &s);
	fprintf(stderr, "%s%s\n", before, s.p);
	str_release(&s);
}

static void lost_output(struct plain *p)
{
	if (!cmd_reader_gone())
		fprintf(stderr, "tidbit: cannot write to standard output\n");
	loop_quit(p->l, EXIT_FAIL);
}

static void put_out(struct plain *p, const char *text, size_t n)
{
	if (n && fwrite(text, 1, n, stdout) != n)
		lost_output(p);
}

/* A terminal sees the answer through the filter. */
static void put_answer(struct plain *p, const char *text, size_t n)
{
	struct str s;

	if (n)
		p->last = text[n - 1];
	if (!p->tty_out) {
		put_out(p, text, n);
		return;
	}
	str_init(&s, 0);
	termtext_add(&p->filter, text, n, &s);
	put_out(p, s.p, s.len);
	str_release(&s);
}

/* Thinking is no part of the answer: it is told where somebody reads along. */
static void put_thinking(struct plain *p, const char *text, size_t n)
{
	struct str s;

	if (!p->tty_err)
		return;
	str_init(&s, 0);
	termtext_whole(text, n, TERMTEXT_LINES, &s);
	fprintf(stderr, "%s%s", p->thinking ? "" : "thinking: ", s.p);
	p->thinking = true;
	str_release(&s);
}

/* What is new of an answer, each part to its place. */
static void put_parts(struct plain *p, const struct chat_item *i)
{
	const bool hold = !p->tty_out && i->stats.may_think;
	enum think_part what;
	size_t from, to;

	if (think_told_late(&i->stats.think, &p->was, p->printed)) {
		p->late = true;
		fprintf(stderr, "%stidbit: %s\n", p->last && p->last != '\n' && p->tty_out ? "\n" : "", THINK_LATE);
	}
	do {
		what = think_next(&i->stats.think, i->text.len, !i->running, hold, &p->printed, &from, &to);
		if (what == THINK_PART_THINKING)
			put_thinking(p, i->text.p + from, to - from);
		if (what == THINK_PART_ANSWER && p->thinking) {
			fputs("\nanswer:\n", stderr);
			p->thinking = false;
		}
		if (what == THINK_PART_ANSWER)
			put_answer(p, i->text.p + from, to - from);
	} while (what == THINK_PART_THINKING);
}

/* What an answer cost, as the screen's last line of it: on a terminal, or with --stats. */
static void put_cost(struct plain *p, const struct chat_item *i)
{
	const struct answer_stats *s = &i->stats;
	const char *end = answer_end_text(i->end);

	if (p->tty_err || p->o->stats)
		fprintf(stderr, "%.1f tok/s · %d tokens · first %.2f s · prompt %d: %d reused, %d prefilled%s%s\n",
			answer_decode_rate(s), s->n_gen, (double)s->first_ns / 1e9, s->n_prompt, s->n_reused,
			s->n_prefill, *end ? " · " : "", end);
}

/* The end of an answer is a line end, unless it has one; with --null a NUL byte. */
static void end_answer(struct plain *p)
{
	struct str s;

	str_init(&s, 0);
	if (p->tty_out)
		termtext_end(&p->filter, &s);
	put_out(p, s.p, s.len);
	str_release(&s);
	if (p->thinking)
		fputc('\n', stderr);
	p->thinking = false;
	if (p->o->null)
		put_out(p, "", 1);
	else if (p->last != '\n')
		put_out(p, "\n", 1);
}

/* Returns false while the answer is not over. */
static bool print_answer(struct plain *p, const struct chat_item *i)
{
	if (p->current != i->serial) {
		p->current = i->serial;
		p->printed = 0;
		p->last = 0;
		p->thinking = false;
		p->was = THINK_UNKNOWN;
		p->late = false;
		termtext_init(&p->filter, TERMTEXT_LINES);
	}
	put_parts(p, i);
	if (!i->running)
		end_answer(p);
	if (!i->running && i->stats.think.unopened && !p->late && !p->tty_out)
		fprintf(stderr, "tidbit: %s\n", THINK_CUT);
	if (fflush(stdout))
		lost_output(p);
	if (!i->running)
		put_cost(p, i);
	p->asked &= i->running;
	return !i->running;
}

/* The last answer goes on, although its end is told: what comes now is printed behind it. */
static void print_resumed(struct plain *p)
{
	const struct chat_item *i = p->c->answer;

	if (i && i->serial <= p->said && !p->resumed) {
		p->resumed = i;
		p->current = i->serial;
		p->printed = SIZE_MAX;
		p->last = 0;
		p->thinking = false;
		p->was = THINK_UNKNOWN;
		p->late = i->stats.think.unopened;
		termtext_init(&p->filter, TERMTEXT_LINES);
	}
	if (!p->resumed || (p->c->resumed && p->resumed->running))
		return;
	/* its first new text tells where that begins: a character that was cut is whole now */
	if (p->printed == SIZE_MAX)
		p->printed = p->c->resumed ? p->resumed->text.len : p->resumed->stats.begun;
	if (print_answer(p, p->resumed))
		p->resumed = NULL;
}

/* What is said of a turn that has no answer names it. */
static void say_note(struct plain *p, const struct chat_item *i)
{
	char before[48];

	snprintf(before, sizeof before, "tidbit: turn %u: ", p->turn);
	say(p, !i->error ? "" : p->asked && !p->c->answer ? before : "tidbit: ", i->text.p, i->text.len);
}

static void print_new(struct plain *p)
{
	print_resumed(p);
	for (size_t k = 0; k < p->c->n_items && !p->resumed; k++) {
		const struct chat_item *i = p->c->items[k];

		if (i->serial <= p->said)
			continue;
		if (i->kind == ITEM_NOTE)
			say_note(p, i);
		if (i->kind == ITEM_ANSWER && !i->restored && !print_answer(p, i))
			break;
		p->said = i->serial;
	}
	show_status(p);
}

static void greet(struct plain *p)
{
	const struct chat *c = p->c;
	char bytes[32];

	if (p->greeted || !c->info || !p->tty_in)
		return;
	p->greeted = true;
	fprintf(stderr, "%s · %s · %s · context %lld · seed %llu · /help\n", c->name, c->levels[c->level].name,
		chat_bytes(bytes, sizeof bytes, c->levels[c->level].bytes), (long long)c->g.ctx_size,
		(unsigned long long)p->o->sample.seed);
}

static void to_terminal(const char *bytes, size_t n)
{
	fwrite(bytes, 1, n, stderr);
	fflush(stderr);
}

/* -- lines of a terminal ------------------------------------------------------------- */

static char *complete(void *arg, const char *line, size_t start, size_t end, int i)
{
	return slash_complete(((struct plain *)arg)->c, line, start, end, i);
}

/* Of an earlier run. */
static void recall(void *arg, const char *text)
{
	(void)arg;
	plainline_remember(text);
}

/* A message that is sent, for this run and the next ones; one that the disk refuses is told once. */
static void remember_sent(struct plain *p, const char *line)
{
	struct err e;

	plainline_remember(line);
	if (!*line || p->o->private || !recall_add(line, &e))
		return;
	if (e.code != ERR_LIMIT && p->forgetful)
		return;
	p->forgetful |= e.code != ERR_LIMIT;
	say(p, "tidbit: ", e.msg, strlen(e.msg));
}

static void on_line(void *arg, char *line)
{
	struct plain *p = arg;

	p->armed = false;
	if (!line) {
		p->eof = true;
		/* who hangs up ends the input too, and leaves by no key */
		p->killed = !isatty(STDIN_FILENO);
		return;
	}
	remember_sent(p, line);
	chat_submit(p->c, line);
	free(line);
}

static void complain(void *arg, const char *text)
{
	say(arg, "tidbit: ", text, strlen(text));
}

static void start_lines(struct plain *p)
{
	static const struct plainline_ops ops = { .line = on_line, .complete = complete, .complain = complain };
	struct err e;

	plainline_start(&ops, p, RECALL);
	if (p->o->private)
		return;
	if (recall_load(RECALL, recall, NULL, &e))
		say(p, "tidbit: ", e.msg, strlen(e.msg));
	p->keeps = true;
	keep_offer(p->c);
}

static void prompt(struct plain *p)
{
	/* a message that was refused or stopped before its first token is there to be changed */
	plainline_prompt(p->c->draft);
	mem_free(p->c->draft);
	p->c->draft = NULL;
	loop_watch_input(p->l, true);
}

/* -- what an unforeseen end must not take away -------------------------------------------- */

/* The conversation goes to a file a little later. */
static void keep_soon(struct plain *p)
{
	if (!p->keeps || p->keep_due || !keep_changed(p->c, &p->kept))
		return;
	p->keep_due = true;
	loop_timer(p->l, p->c->answer ? KEEP_RUNNING_MS : KEEP_MS);
}

static void keep_now(struct plain *p)
{
	struct err e;

	p->keep_due = false;
	keep_changed(p->c, &p->kept);
	if (!keep_write(p->c, &e) || p->unkept)
		return;
	p->unkept = true;
	say(p, "tidbit: ", e.msg, strlen(e.msg));
}

static void on_timer(void *arg)
{
	keep_now(arg);
}

/* Who leaves by a key leaves nothing; nor does a model that could not be opened take anything away. */
static void end_keeping(struct plain *p)
{
	if (p->keeps && p->killed)
		keep_now(p);
	else if (p->keeps && p->c->state != CHAT_FAILED)
		keep_drop();
	draft_end();
}

/* -- lines of a pipe or a file -------------------------------------------------------- */

/* Takes the next whole line (at the end also what is left); NULL when there is none. */
static char *take_line(struct plain *p)
{
	const char *nl = memchr(p->in.p, '\n', p->in.len);
	size_t n = nl ? (size_t)(nl - p->in.p) : p->in.len, used = nl ? n + 1 : n;
	char *line;

	if (!nl && (!p->eof || !n))
		return NULL;
	if (n && p->in.p[n - 1] == '\r')
		n--;
	line = mem_strndup(p->in.p, n);
	str_erase(&p->in, 0, used);
	/* a C string cannot hold one, and no model was trained on one */
	for (size_t i = 0; line && i < n; i++)
		if (!line[i])
			line[i] = ' ';
	return line;
}

static void read_some(struct plain *p)
{
	char buf[16384];
	struct err e;
	const ssize_t n = xio_read(STDIN_FILENO, buf, sizeof buf, "standard input", &e);

	if (n <= 0)
		p->eof = true;
	if (n < 0) {
		p->unread = true;
		say(p, "tidbit: ", e.msg, strlen(e.msg));
	}
	if (n > 0)
		str_add(&p->in, buf, (size_t)n);
	if (p->in.failed) {
		fprintf(stderr, "tidbit: a line is longer than the %d MiB that are taken\n", LINE_CAP >> 20);
		loop_quit(p->l, EXIT_FAIL);
	}
}

/* -- the loop's events ----------------------------------------------------------------- */

static bool idle(const struct plain *p)
{
	return p->c->state == CHAT_IDLE && !p->c->answer;
}

/* A turn without an answer has an empty one, so that the n-th answer is the n-th turn's. */
static void end_turn(struct plain *p)
{
	if (!p->asked)
		return;
	p->asked = false;
	put_out(p, p->o->null ? "" : "\n", 1);
	if (fflush(stdout))
		lost_output(p);
}

static void next_lines(struct plain *p)
{
	char *line;

	while (idle(p) && !p->c->quit) {
		end_turn(p);
		line = take_line(p);
		if (!line)
			break;
		chat_submit(p->c, line);
		mem_free(line);
		p->asked = p->c->answer;
		p->turn += p->asked;
		print_new(p);
	}
	loop_watch_input(p->l, idle(p) && !p->eof);
}

/* Nothing more comes; what a pipe has asked for is done first. */
static bool at_end(const struct plain *p)
{
	return p->eof && !p->in.len && (p->tty_in || !p->c->saver);
}

static void quit(struct plain *p)
{
	bool failed;

	if (p->c->saver)
		chat_complain(p->c, "%s is not written: the chat was left first", p->c->saving ? p->c->saving : "the level");
	print_new(p);
	failed = p->unread || (p->c->failed && !p->tty_in);
	loop_quit(p->l, p->interrupted ? EXIT_INTERRUPTED : failed ? EXIT_FAIL : EXIT_OK);
}

static void on_turn(void *arg)
{
	struct plain *p = arg;

	keep_soon(p);
	greet(p);
	print_new(p);
	if (p->c->state == CHAT_FAILED) {
		loop_quit(p->l, cmd_fail(&p->c->why));
		return;
	}
	if (!p->tty_in && !p->interrupted)
		next_lines(p);
	if (p->c->quit || (idle(p) && (p->interrupted || at_end(p))))
		quit(p);
	else if (p->tty_in && idle(p))
		prompt(p);
	else if (p->tty_in)
		loop_watch_input(p->l, false);
}

static void on_wake(void *arg)
{
	struct plain *p = arg;

	chat_pump(p->c);
}

static void on_input(void *arg)
{
	struct plain *p = arg;

	if (p->tty_in) {
		p->armed = false;
		plainline_read();
	} else {
		read_some(p);
	}
}

/* Ctrl-C: stops what runs, else clears the line, else asks once and leaves. */
static void on_interrupt(struct plain *p)
{
	if (!p->tty_in)
		p->interrupted = true;
	if (chat_stop(p->c))
		return;
	if (!plainline_prompting() || p->armed) {
		p->interrupted = true;
		if (plainline_prompting())
			fputc('\n', stderr);
		quit(p);
		return;
	}
	chat_edit_leave(p->c);
	p->armed = plainline_interrupt("Ctrl-C again leaves");
}

static void on_stop(struct plain *p)
{
	if (p->keeps)
		keep_now(p);
	plainline_lend();
	loop_suspend(p->l);
	plainline_take_back();
}

static void on_signal(void *arg, int sig)
{
	struct plain *p = arg;

	switch (sig) {
	case SIGINT:
		on_interrupt(p);
		break;
	case SIGTSTP:
		on_stop(p);
		break;
	case SIGWINCH:
		plainline_resize();
		break;
	case SIGTERM:
	case SIGHUP:
		p->killed = true;
		loop_quit(p->l, 128 + sig);
		break;
	default:
		break;
	}
}

int chat_plain(struct opts *o)
{
	static const struct loop_ops ops = {
		.input = on_input, .signal = on_signal, .wake = on_wake, .timer = on_timer, .turn = on_turn,
	};
	struct plain p = {
		.o = o, .tty_in = isatty(STDIN_FILENO), .tty_out = isatty(STDOUT_FILENO),
		.tty_err = isatty(STDERR_FILENO),
	};
	struct err e;
	int r;

	str_init(&p.in, LINE_CAP);
	if (loop_new(&p.l, &ops, &p, &e)) {
		r = cmd_fail(&e);
		goto out;
	}
	if (p.tty_in)
		plainline_open();
	if (chat_new(&p.c, p.l, o, &e)) {
		r = cmd_fail(&e);
		goto out;
	}
	loop_watch_input(p.l, false);
	p.c->lines = true;
	p.c->can_ask = p.tty_in;
	if (p.tty_err)
		p.c->to_terminal = to_terminal;
	if (p.tty_in)
		start_lines(&p);
	r = loop_run(p.l);
	plainline_leave();
	end_keeping(&p);
out:
	plainline_close();
	chat_free(p.c);
	loop_free(p.l);
	str_release(&p.in);
	return r;
}
