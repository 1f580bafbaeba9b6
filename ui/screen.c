/*
 * The chat screen: what is where, which key does what, and when it is painted. Owned by the
 * main thread; everything happens in the loop's callbacks, and only turn() paints.
 */
#include "config.h"
#include "ui/ui.h"

#include "app/chat.h"
#include "app/inputrc.h"
#include "app/draft.h"
#include "app/keep.h"
#include "app/clip.h"
#include "app/outside.h"
#include "app/recall.h"
#include "app/scribe.h"
#include "app/slash.h"
#include "app/termtext.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"
#include "ui/bidi.h"
#include "ui/binding.h"
#include "ui/frame.h"
#include "ui/gauge.h"
#include "ui/header.h"
#include "ui/input.h"
#include "ui/pane_chat.h"
#include "ui/pane_help.h"
#include "ui/pane_models.h"
#include "ui/prompt.h"
#include "ui/term.h"
#include "ui/ttysync.h"
#include "ui/width.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	STREAM_MS = 33,		/* between paints while text streams; a key paints at once */
	HELD_MS = 4, HELD_MOST_MS = 128,	/* until the next try while the terminal takes nothing, twice as long each time */
	READ = 64 * 1024,
	WHEEL_ROWS = 3,
	LONG_S = 10,		/* an answer that a bell is rung for */
	MEANT_MS = 1000,	/* after an answer's end, for which a SIGINT is meant for the answer */
	BY_HAND_MS = 1000,	/* from Esc to Enter, for a new line */
	TYPED_READS = 16,	/* of READ bytes, before what a signal means is decided */
	HINT = 160,
	WEIGH_MS = 120,		/* after a key, until what is typed is counted */
	DRAFT_MS = 700,		/* after a key, until what is typed is kept */
	SUSPEND_MS = 1000,	/* a file system that takes its time over that does not hold Ctrl-Z up */
	KEEP_MS = 900, KEEP_RUNNING_MS = 5000,	/* after a change, until the conversation is kept; while it streams */
	RECALL = 1000,		/* earlier messages that are remembered */
};

/* One timer, several things that wait for it. */
enum deadline { AT_KEY, AT_PAINT, AT_GAUGE, AT_WEIGH, AT_DRAFT, AT_KEEP, N_DEADLINES };

struct screen {
	struct loop *loop;
	struct chat *c;
	struct input *input;
	struct keys *keys;
	struct pane *chat, *help, *list;	/* help and list NULL: closed */
	enum where focus;
	bool bare;			/* the conversation alone */
	struct prompt prompt;		/* what to search for */
	struct gauge_reading reading;
	unsigned reading_version;
	int64_t reading_ns, paint_ns;
	int64_t deadline[N_DEADLINES];	/* os_now_ns() time, 0: none */
	bool dirty, urgent;
	int64_t esc_ns;			/* when a lone Esc came that closed nothing; 0: another key followed */
	bool leaving;			/* Ctrl-C on nothing: the next one leaves */
	char hint[HINT];	/* one line instead of the keys, until the next key */
	bool gone;			/* the terminal is */
	bool interrupted;		/* SIGINT came */
	int64_t over_ns;		/* when an answer ended by itself; 0: nothing is running late for it */
	bool draft_kept;		/* there is a file */
	struct scribe *scribe;
	int held_ms;			/* between the last tries while the terminal took nothing; 0: it does */
	bool unkept;			/* what cannot be kept was told */
	size_t kept_items;		/* … of how many items it was then */
	uint64_t kept;			/* the conversation as it was looked at last: keep_changed() */
	struct ttysync tty;
	char theme[64];			/* as --theme or /set said, "": nothing */
	int64_t key_ns, asked_ns;	/* of the last key; of the answer that is out */
};

/* -- time ----------------------------------------------------------------------------- */

static void wait_until(struct screen *s, enum deadline d, int64_t ns)
{
	int64_t first = 0, now = os_now_ns();

	s->deadline[d] = ns;
	for (int i = 0; i < N_DEADLINES; i++)
		if (s->deadline[i] && (!first || s->deadline[i] < first))
			first = s->deadline[i];
	loop_timer(s->loop, !first ? -1 : first <= now ? 0 : (first - now + 999999) / 1000000);
}

static bool passed(struct screen *s, enum deadline d, int64_t now)
{
	if (!s->deadline[d] || s->deadline[d] > now)
		return false;
	s->deadline[d] = 0;
	return true;
}

/* -- the key line --------------------------------------------------------------------- */

static struct pane *front(const struct screen *s)
{
	return s->help ? s->help : s->list ? s->list : s->chat;
}

/* Where keys go. */
static enum where place(const struct screen *s)
{
	return s->help ? IN_HELP : s->list ? IN_LIST : s->focus;
}

static bool running(const struct chat *c)
{
	return c->answer || c->n_switches || c->saver;
}

/* What a key does now; NULL: nothing, so it is not shown. */
static const char *word_now(void *arg, enum action a)
{
	const struct screen *s = arg;
	bool empty = input_empty(s->input);
	const char *word = action_word(a);

	switch (a) {
	case ACT_SEND:
		return s->c->answer && !chat_is_command(input_text(s->input)) ? (s->c->queued ? NULL : "queue") : word;
	case ACT_LEVEL_UP:
		return chat_next_level(s->c, -1) >= 0 ? word : NULL;
	case ACT_LEVEL_DOWN:
		return chat_next_level(s->c, 1) >= 0 ? word : NULL;
	case ACT_INTERRUPT:
		return running(s->c) ? "stop" : empty ? NULL : "clear";
	case ACT_CLOSE:
		return s->help || place(s) != IN_INPUT || s->c->cut ? word : NULL;
	case ACT_OPEN:
		return !s->help && pane_models_take(s->list) ? word : NULL;
	case ACT_SORT:
		return s->help ? NULL : word;
	case ACT_MODELS:
		return s->list || running(s->c) ? NULL : word;
	case ACT_PAGE_UP:
		return s->focus == IN_INPUT && front(s)->ops->more(front(s)) ? word : NULL;
	case ACT_FOLLOW:
		return !s->help && pane_chat_scrolled(s->chat) && empty ? word : NULL;
	case ACT_LINE_UP:
		return empty && s->c->queued ? word : NULL;
	case ACT_LEAVE:
		return empty && !running(s->c) ? word : NULL;
	case ACT_FOCUS:
		return place(s) == IN_INPUT && s->c->n_items && !s->help ? word : NULL;
	case ACT_NEXT:
		return pane_chat_searched(s->chat) ? word : NULL;
	case ACT_UNFOLD:
		return pane_chat_foldable(s->chat) ? word : NULL;
	default:
		return word;
	}
}

static const char *hint_now(const struct screen *s, int cols)
{
	return s->hint[0] ? s->hint : input_hint(s->input, cols);
}

static void draw_keys(struct screen *s, const struct frame *f)
{
	struct box b = f->keys.h ? f->keys : f->line.h ? f->line : f->low_rule;
	const char *hint = hint_now(s, b.w - 2);
	struct str line;

	if (hint && b.h) {
		draw_blank(b.y, b.x, b.w);
		style_set(STYLE_WARN);
		draw(b.y, b.x + 1, b.w - 1, hint);
		return;
	}
	if (!f->keys.h)
		return;
	str_init(&line, 1024);
	binding_line(&line, b.w - 2, style_ascii(), place(s), word_now, s);
	style_set(STYLE_DIM);
	draw(b.y, b.x + 1, b.w - 1, line.p);
	str_release(&line);
}

/* The message that waits for the answer to end, as much as fits of its first line; or the one that is changed. */
static void draw_queued(const struct screen *s, struct box b)
{
	struct str text;
	int x = b.x + (b.w >= 40);

	if (!b.h)
		return;
	if (!s->c->queued) {
		char buf[96];

		snprintf(buf, sizeof(buf), "changes message %d: what followed goes", chat_turn_of(s->c, s->c->cut));
		style_set(STYLE_WARN);
		draw(b.y, x, b.w - x, buf);
		return;
	}
	str_init(&text, 4096);
	termtext_whole(s->c->queued, strnlen(s->c->queued, 1024), 0, &text);
	style_set(STYLE_WARN);
	x += draw(b.y, x, b.w - x, "waits: ");
	style_set(STYLE_DIM);
	draw(b.y, x, b.w - x - 1, text.p);
	str_release(&text);
}

/* -- painting ------------------------------------------------------------------------- */

/* Gauges are read at most so often; what changed since is shown when the time has come. */
static void read_gauges(struct screen *s, int64_t now)
{
	int64_t due = s->reading_ns + (int64_t)GAUGE_PERIOD_MS * 1000000;

	if (s->reading.c && s->reading_version == s->c->version)
		return;
	if (s->reading.c && now < due) {
		wait_until(s, AT_GAUGE, due);
		return;
	}
	gauge_read(&s->reading, s->c);
	s->reading_version = s->c->version;
	s->reading_ns = now;
}

static struct frame frame_now(const struct screen *s)
{
	if (s->bare)
		return (struct frame){ .body = { 0, 0, LINES, COLS } };
	return frame_of(LINES, COLS, s->prompt.open ? 1 : input_rows(s->input, COLS), s->c->queued || s->c->cut);
}

static void paint(struct screen *s)
{
	struct frame f;
	char title[128];
	int y = 0, x = 0;

	header_title(s->c, title, sizeof(title));
	ttysync_apply(&s->tty, s->c->o, title);
	read_gauges(s, os_now_ns());
	f = frame_now(s);
	erase();
	frame_draw_rules(&f);
	header_draw(s->c, s->help, f.header);
	front(s)->ops->draw(front(s), f.body);
	if (f.column.h)
		gauge_column(&s->reading, f.column);
	if (f.line.h)
		gauge_line(&s->reading, (struct box){ f.line.y, f.line.x + 1, 1, f.line.w - 2 });
	draw_keys(s, &f);
	draw_queued(s, f.queued);
	if (s->bare)
		y = LINES - 1;
	else if (s->prompt.open)
		prompt_draw(&s->prompt, f.input, &y, &x);
	else
		input_draw(s->input, f.input, place(s) == IN_INPUT, &y, &x);
	if (place(s) == IN_CONVERSATION && !s->prompt.open)
		pane_chat_caret(s->chat, &y, &x);
	style_set(STYLE_TEXT);
	move(y < LINES ? y : LINES - 1, x < COLS ? x : COLS - 1);
	refresh();
}

/* What stands in the input goes to a file; when there is nothing, so does the file. */
static void keep_draft(struct screen *s)
{
	struct str text;

	if (!s->input || !s->c || s->c->o->private || (input_empty(s->input) && !s->draft_kept))
		return;
	str_init(&text, 0);
	input_save(s->input, NULL, &text);
	if (!text.len && s->c->queued)
		input_save(s->input, s->c->queued, &text);
	if (!text.failed) {
		const size_t n = text.len;

		scribe_keep(s->scribe, DRAFT_TYPED, str_take(&text), n);
		s->draft_kept = n > 0;
	}
	str_release(&text);
}

/* What the gauges tell of the message before it is sent. */
static void weigh(struct screen *s)
{
	struct str text;

	str_init(&text, 0);
	input_whole(s->input, &text);
	if (!text.failed)
		chat_weigh(s->c, text.p);
	s->dirty = true;
	str_release(&text);
}

static void hint(struct screen *s, const char *text)
{
	snprintf(s->hint, sizeof(s->hint), "%s", text);
}

static void tell(struct screen *s, const struct err *e)
{
	struct str clean;

	str_init(&clean, 1024);
	termtext_whole(e->msg, strlen(e->msg), 0, &clean);
	hint(s, clean.p);
	str_release(&clean);
}

/* Once, in the conversation, where it stays: after that the program goes on without. */
static void tell_unkept(struct screen *s, const struct err *e)
{
	if (s->unkept)
		return;
	s->unkept = true;
	chat_complain(s->c, "what is typed and said here cannot be kept: %s", e->msg);
	s->dirty = true;
}

static void look_for_unkept(struct screen *s)
{
	struct err e;

	if (scribe_failed(s->scribe, &e))
		tell_unkept(s, &e);
}

/* The conversation goes to a file a little later; more of a running answer may wait longer. */
static void keep_soon(struct screen *s)
{
	const bool more = s->c->answer && s->c->n_items == s->kept_items;
	const int64_t at = os_now_ns() + (int64_t)(more ? KEEP_RUNNING_MS : KEEP_MS) * 1000000;

	if (s->c->o->private || !keep_changed(s->c, &s->kept))
		return;
	if (!s->deadline[AT_KEEP] || at < s->deadline[AT_KEEP])
		wait_until(s, AT_KEEP, at);
}

static void keep_chat(struct screen *s)
{
	struct err e = { 0 };
	struct str text;

	str_init(&text, 0);
	keep_changed(s->c, &s->kept);
	s->kept_items = s->c->n_items;
	if (!keep_text(s->c, &text, &e)) {
		const size_t n = text.len;

		scribe_keep(s->scribe, DRAFT_CHAT, str_take(&text), n);
	}
	if (e.code)
		tell_unkept(s, &e);
	str_release(&text);
}

static void changed(struct screen *s)
{
	s->dirty = s->urgent = true;
}

static void interrupted(struct screen *s);

static void on_wake(void *arg);

static void turn(void *arg)
{
	struct screen *s = arg;
	int64_t now, due = s->paint_ns + (int64_t)STREAM_MS * 1000000;

	if (s->interrupted)
		interrupted(s);
	now = os_now_ns();
	if (s->c->quit)
		loop_quit(s->loop, EXIT_OK);
	keep_soon(s);
	if (!s->dirty || s->gone)
		return;
	if (!term_writable()) {
		s->held_ms = !s->held_ms ? HELD_MS : s->held_ms < HELD_MOST_MS ? 2 * s->held_ms : HELD_MOST_MS;
		wait_until(s, AT_PAINT, now + (int64_t)s->held_ms * 1000000);
		return;
	}
	s->held_ms = 0;
	if (!s->urgent && now < due) {
		wait_until(s, AT_PAINT, due);
		return;
	}
	/* text that came unheard is seen with whatever else is */
	if (s->c->state == CHAT_DECODE)
		on_wake(s);
	s->dirty = s->urgent = false;
	s->deadline[AT_PAINT] = 0;
	paint(s);
	s->paint_ns = os_now_ns();
	if (s->c->state == CHAT_DECODE) {	/* no token need wake us before the next paint */
		due = s->paint_ns + (int64_t)STREAM_MS * 1000000;
		chat_hush(s->c, due);
		wait_until(s, AT_PAINT, due);
	}
}

/* -- actions -------------------------------------------------------------------------- */

static void take_draft(struct screen *s)
{
	if (!s->c->draft)
		return;
	/* What was typed since is worth more: the draft is then in the history. */
	if (input_empty(s->input))
		input_take_back(s->input, s->c->draft);
	mem_free(s->c->draft);
	s->c->draft = NULL;
}

/* For /set, before it says that it is so; take_settings() tells of mistakes in the user's own. */
static int try_theme(const char *name, struct err *e)
{
	struct str complaints;
	int r;

	str_init(&complaints, 16384);
	r = style_theme(name, &complaints, e);
	str_release(&complaints);
	return r;
}

/* What /set changed that the screen has to do with. */
static void take_settings(struct screen *s)
{
	struct opts *o = s->c->o;
	struct str complaints;
	struct err e = { 0 };

	if (!o->theme || !strcmp(o->theme, s->theme))
		return;
	str_init(&complaints, 16384);
	if (style_theme(o->theme, &complaints, &e)) {
		chat_complain(s->c, "%s", e.msg);
		o->theme = style_theme_now();
	}
	snprintf(s->theme, sizeof(s->theme), "%s", o->theme);
	if (complaints.len)
		chat_complain(s->c, "%s", complaints.p);
	str_release(&complaints);
	clearok(curscr, TRUE);
}

static void on_send(void *arg, const char *text)
{
	struct screen *s = arg;
	struct err e = { 0 };

	if (!s->c->o->private && recall_add(text, &e)) {
		if (e.code == ERR_LIMIT)
			tell(s, &e);
		else
			tell_unkept(s, &e);
	}
	if (s->c->answer && !chat_is_command(text))
		chat_queue(s->c, text);
	else
		chat_submit(s->c, text);
	take_settings(s);
	chat_weigh(s->c, "");
	s->asked_ns = os_now_ns();
	s->chat->ops->end(s->chat);
	if (s->c->quit)
		loop_quit(s->loop, EXIT_OK);
}


static void send_message(struct screen *s)
{
	if (s->c->queued && !chat_is_command(input_text(s->input))) {
		hint(s, "one message waits already: Up takes it back");
		return;
	}
	input_send(s->input);
	take_draft(s);
}

/* What comes from a file is as little to be trusted as what is pasted; its last line end is the editor's. */
static void replace_text(struct screen *s, struct str *text)
{
	while (text->len && text->p[text->len - 1] == '\n')
		str_cut(text, text->len - 1);
	input_replace(s->input, text->p, text->len);
}

/* The message in the user's editor. */
static void on_edit(void *arg)
{
	struct screen *s = arg;
	struct str text, back;
	struct err e = { 0 };

	str_init(&text, 0);
	str_init(&back, 0);
	input_whole(s->input, &text);
	if (text.failed || outside_edit(text.p, text.len, ".md", &back, term_leave, term_resume, &e))
		tell(s, &e);
	else
		replace_text(s, &back);
	ttysync_again(&s->tty);
	changed(s);
	str_release(&text);
	str_release(&back);
}

static void close_help(struct screen *s)
{
	if (s->help)
		s->help->ops->free(s->help);
	s->help = NULL;
}

static void interrupt(struct screen *s)
{
	bool again = s->leaving;

	s->leaving = false;
	if (chat_stop(s->c))
		return;
	chat_edit_leave(s->c);
	if (input_clear(s->input))
		return;
	if (again) {
		loop_quit(s->loop, EXIT_OK);
		return;
	}
	s->leaving = true;
	hint(s, "Ctrl-C again to quit");
}

static void suspend(struct screen *s)
{
	/* it may never be continued */
	if (!s->c->o->private) {
		keep_draft(s);
		keep_chat(s);
		scribe_wait(s->scribe, SUSPEND_MS);
	}
	term_suspend();
	ttysync_again(&s->tty);
	changed(s);
}

/* -- the conversation under the keys --------------------------------------------------- */

static void set_focus(struct screen *s, enum where where)
{
	if (where == IN_CONVERSATION && !s->c->n_items)
		return;
	s->focus = where;
	pane_chat_focus(s->chat, where == IN_CONVERSATION);
}

static void copy_marked(struct screen *s)
{
	char told[HINT];
	struct err e = { 0 };
	struct str text;

	str_init(&text, 0);
	if (!pane_chat_take(s->chat, &text) || text.failed)
		hint(s, "nothing to copy");
	else if (clip_send(text.p, text.len, term_send, !s->c->o->private, told, sizeof(told), &e))
		tell(s, &e);
	else
		hint(s, told);
	str_release(&text);
}

static void open_marked(struct screen *s)
{
	struct err e = { 0 };
	struct str text;

	str_init(&text, 0);
	if (pane_chat_take(s->chat, &text) && !text.failed && outside_edit(text.p, text.len, ".md", NULL, term_leave, term_resume, &e))
		tell(s, &e);
	ttysync_again(&s->tty);
	str_release(&text);
}

static void next_match(struct screen *s, int step)
{
	if (!pane_chat_searched(s->chat))
		hint(s, "nothing is searched for: / begins");
	else if (!pane_chat_next(s->chat, step))
		hint(s, "not found");
}

static void close_list(struct screen *s)
{
	if (s->list)
		s->list->ops->free(s->list);
	s->list = NULL;
}

/* The models here, read anew; what the one in use has taken is there for another. */
static void toggle_models(struct screen *s)
{
	const struct eng_mem *mem = &s->c->g.mem;
	struct err e = { 0 };
	struct models *m;

	if (s->list) {
		close_list(s);
		return;
	}
	close_help(s);
	if (models_new(&m, s->loop, s->c->o, mem->kv_used + mem->scratch + mem->weights_made, &e))
		tell(s, &e);
	else
		s->list = pane_models_new(m, s->c);
}

static void open_marked_model(struct screen *s)
{
	const char *path = pane_models_take(s->list);

	if (!path)
		return;
	if (!s->c->info || strcmp(path, s->c->info->path))
		chat_open_model(s->c, path, NULL);
	close_list(s);
	s->chat->ops->end(s->chat);
}

/* What the names in a list must match. */
static void filter_key(struct screen *s, const struct key *k)
{
	struct err e = { 0 };
	enum prompt_end end = prompt_key(&s->prompt, k);

	if (pane_models_filter(s->list, end == PROMPT_GONE ? NULL : s->prompt.text.p, &e) && end == PROMPT_DONE)
		tell(s, &e);
}

/* What is typed is looked for at once; a pattern that is not whole yet finds nothing and is no mistake. */
static void search_key(struct screen *s, const struct key *k)
{
	struct err e = { 0 };

	if (s->list) {
		filter_key(s, k);
		return;
	}
	switch (prompt_key(&s->prompt, k)) {
	case PROMPT_MORE:
		if (pane_chat_search(s->chat, s->prompt.text.p, &e))
			pane_chat_search(s->chat, NULL, NULL);
		break;
	case PROMPT_DONE:
		if (pane_chat_search(s->chat, s->prompt.text.p, &e))
			tell(s, &e);
		else if (s->prompt.text.len)
			next_match(s, -1);
		break;
	case PROMPT_GONE:
		pane_chat_search(s->chat, NULL, NULL);
		break;
	}
}

static void set_bare(struct screen *s, bool on)
{
	s->bare = on;
	pane_chat_bare(s->chat, on);
	clearok(curscr, TRUE);
}

/* What is open goes, the innermost first. False: nothing was. */
static bool close_innermost(struct screen *s)
{
	if (s->help)
		close_help(s);
	else if (s->list)
		close_list(s);
	else if (s->bare)
		set_bare(s, false);
	else if (s->focus == IN_CONVERSATION && pane_chat_searched(s->chat))
		pane_chat_search(s->chat, NULL, NULL);
	else if (s->focus == IN_CONVERSATION)
		set_focus(s, IN_INPUT);
	else if (chat_stop(s->c))
		return true;
	else if (s->c->cut)
		interrupt(s);
	else
		return false;
	return true;
}

static void toggle_help(struct screen *s)
{
	if (s->help)
		close_help(s);
	else
		s->help = pane_help_new();
}

/* Of the conversation's own keys. */
static bool act_reading(struct screen *s, enum action a)
{
	struct pane *p = front(s);

	switch (a) {
	case ACT_ROW_UP:
	case ACT_ROW_DOWN:
		p->ops->step(p, a == ACT_ROW_UP ? -1 : 1);
		return true;
	case ACT_TOP:
		p->ops->home(p);
		return true;
	case ACT_BOTTOM:
		p->ops->end(p);
		return true;
	case ACT_OPEN:
		open_marked_model(s);
		return true;
	case ACT_SORT:
		pane_models_sort(s->list);
		return true;
	case ACT_COPY:
		copy_marked(s);
		return true;
	case ACT_EDITOR:
		open_marked(s);
		return true;
	case ACT_SEARCH:
		prompt_open(&s->prompt, "/");
		return true;
	case ACT_NEXT:
	case ACT_PREVIOUS:
		next_match(s, a == ACT_NEXT ? 1 : -1);
		return true;
	case ACT_UNFOLD:
		if (!pane_chat_fold(s->chat))
			set_focus(s, IN_INPUT);
		return true;
	case ACT_WRITE:
		set_focus(s, IN_INPUT);
		return true;
	default:
		return false;
	}
}

static void step_level(struct screen *s, int step)
{
	const struct chat *c = s->c;
	char text[HINT];

	if (chat_step_level(s->c, step) || !c->n_levels)
		return;
	snprintf(text, sizeof(text), step < 0 ? "%s is the highest level that this model's file allows" :
		 "%s is the lowest level on the ladder; /quant NAME takes others", c->levels[c->target].name);
	hint(s, text);
}

/* True: done. False: the key is readline's after all. */
static bool act(struct screen *s, enum action a)
{
	struct pane *p = front(s);

	switch (a) {
	case ACT_SEND:
		send_message(s);
		return true;
	case ACT_NEWLINE:
		input_newline(s->input);
		return true;
	case ACT_LEVEL_UP:
	case ACT_LEVEL_DOWN:
		step_level(s, a == ACT_LEVEL_UP ? -1 : 1);
		return true;
	case ACT_INTERRUPT:
		interrupt(s);
		return true;
	case ACT_CLOSE:
		return close_innermost(s);
	case ACT_PAGE_UP:
	case ACT_PAGE_DOWN:
		p->ops->page(p, a == ACT_PAGE_UP ? -1 : 1);
		return true;
	case ACT_SCROLL_UP:
	case ACT_SCROLL_DOWN:
		p->ops->roll(p, a == ACT_SCROLL_UP ? -WHEEL_ROWS : WHEEL_ROWS);
		return true;
	case ACT_FOCUS:
		set_focus(s, s->focus == IN_INPUT ? IN_CONVERSATION : IN_INPUT);
		return true;
	case ACT_BARE:
		set_bare(s, !s->bare);
		return true;
	case ACT_MODELS:
		toggle_models(s);
		return true;
	case ACT_HELP:
		toggle_help(s);
		return true;
	case ACT_REDRAW:
		term_resized();
		clearok(curscr, TRUE);
		return true;
	case ACT_SUSPEND:
		suspend(s);
		return true;
	case ACT_LEAVE:
		if (!input_empty(s->input))
			return false;
		loop_quit(s->loop, EXIT_OK);
		return true;
	case ACT_LINE_UP:
	case ACT_LINE_DOWN:
		if (a == ACT_LINE_UP && input_empty(s->input) && chat_unqueue(s->c)) {
			take_draft(s);
			return true;
		}
		return input_move(s->input, a == ACT_LINE_UP ? -1 : 1);
	default:
		return act_reading(s, a);
	}
}

/* End on its own moves in the message if there is one; with Ctrl it never does. */
static bool follow(struct screen *s, const struct key *k)
{
	if (!k->mods && !input_empty(s->input))
		return false;
	front(s)->ops->end(front(s));
	return true;
}

/* Keys that readline needs while it searches. */
static bool searching_key(const struct screen *s, enum action a)
{
	return input_searching(s->input) && (a == ACT_SEND || a == ACT_NEWLINE || a == ACT_CLOSE);
}

/* A key for what is being written. */
static void write_key(struct screen *s, const struct key *k, enum action a)
{
	/* Esc, Enter: Alt-Enter by hand */
	if (a == ACT_SEND && s->esc_ns && os_now_ns() - s->esc_ns < (int64_t)BY_HAND_MS * 1000000)
		a = ACT_NEWLINE;
	s->esc_ns = 0;
	if (a == ACT_CLOSE && !s->help && !s->bare && input_wants_esc(s->input))
		a = ACT_NONE;
	if (a && !searching_key(s, a) && (a == ACT_FOLLOW ? follow(s, k) : act(s, a)))
		return;
	if (k->code == K_ESC && a == ACT_CLOSE && !input_searching(s->input)) {
		input_esc(s->input);
		s->esc_ns = os_now_ns();
		return;
	}
	input_key(s->input, k);
	take_draft(s);
}

/* A key for the conversation: what it does not know does nothing. */
static void read_key(struct screen *s, enum action a)
{
	s->esc_ns = 0;
	if (a == ACT_FOLLOW)
		front(s)->ops->end(front(s));
	else if (a)
		act(s, a);
}

/* What has no use for a key in the help lets it go to what lies below, where it is seen what it does. */
static enum action action_of(struct screen *s, const struct key *k)
{
	enum action a = binding_find(k, place(s));

	if (!s->help || a)
		return a;
	close_help(s);
	return binding_find(k, place(s));
}

static void on_key(struct screen *s, const struct key *k)
{
	enum action a;
	bool leaving;

	if (ttysync_key(&s->tty, k)) {
		s->dirty = true;
		return;
	}
	a = s->prompt.open ? ACT_NONE : action_of(s, k);
	leaving = s->leaving && a == ACT_INTERRUPT;
	s->key_ns = os_now_ns();
	if (!s->deadline[AT_WEIGH])
		wait_until(s, AT_WEIGH, os_now_ns() + (int64_t)WEIGH_MS * 1000000);
	if (!s->deadline[AT_DRAFT])
		wait_until(s, AT_DRAFT, os_now_ns() + (int64_t)DRAFT_MS * 1000000);
	s->leaving = leaving;
	s->hint[0] = 0;
	changed(s);
	if (s->prompt.open) {
		search_key(s, k);
		return;
	}
	if (k->code == K_PASTE) {
		close_list(s);
		set_focus(s, IN_INPUT);
		s->esc_ns = 0;
		input_paste(s->input, k->bytes, k->n);
	} else if (place(s) != IN_INPUT) {
		read_key(s, a);
	} else {
		write_key(s, k, a);
	}
}

static void take_keys(struct screen *s)
{
	struct key k;
	int ms;

	while (key_next(s->keys, &k))
		on_key(s, &k);
	ms = key_wait(s->keys);
	wait_until(s, AT_KEY, ms ? os_now_ns() + (int64_t)ms * 1000000 : 0);
}

/* -- the loop's callbacks ------------------------------------------------------------- */

static void on_input(void *arg)
{
	struct screen *s = arg;
	char buf[READ];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		s->gone = true;
		loop_watch_input(s->loop, false);
		loop_quit(s->loop, EXIT_FAIL);
		return;
	}
	key_feed(s->keys, buf, (size_t)n);
	take_keys(s);
}

static void on_signal(void *arg, int sig)
{
	struct screen *s = arg;

	switch (sig) {
	case SIGWINCH:
		term_resized();
		changed(s);
		break;
	case SIGTSTP:
		suspend(s);
		break;
	case SIGCONT:
		term_resume();
		ttysync_again(&s->tty);
		changed(s);
		break;
	case SIGINT:
		s->interrupted = true;
		break;
	default:
		s->gone = sig == SIGHUP;
		loop_quit(s->loop, 128 + sig);
		break;
	}
}

/* Did it come to its end, rather than to be stopped or taken back? */
static bool ended_by_itself(const struct chat *c, const struct chat_item *i)
{
	for (size_t k = c->n_items; k--;)
		if (c->items[k] == i)
			return !i->running && i->end != ANSWER_STOPPED;
	return false;
}

/* A bell for one that took its time while nobody looked. */
static void answer_over(struct screen *s, const struct chat_item *before)
{
	const int64_t now = os_now_ns();

	if (before && before != s->c->answer)
		s->over_ns = ended_by_itself(s->c, before) ? now : 0;

	if (before && before != s->c->answer && now - s->asked_ns >= (int64_t)LONG_S * 1000000000)
		ttysync_ring(&s->tty, s->c->o, s->key_ns > s->asked_ns);
	if (before != s->c->answer)
		s->asked_ns = now;
}

static void on_wake(void *arg)
{
	struct screen *s = arg;

	if (s->list && pane_models_changed(s->list))
		s->dirty = true;
	const struct chat_item *answer = s->c->answer;

	look_for_unkept(s);
	if (!chat_pump(s->c))
		return;
	answer_over(s, answer);
	if (s->c->state == CHAT_FAILED)
		loop_quit(s->loop, EXIT_FAIL);
	take_draft(s);
	s->dirty = true;
}

/*
 * A signal overtakes what was typed before it, and an answer's end that nobody has seen yet. Both come
 * first: a message whose answer it is meant to stop is sent, and what it was too late for does not end the program.
 */
static void interrupted(struct screen *s)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	s->interrupted = false;
	for (int i = 0; i < TYPED_READS && !s->gone && poll(&p, 1, 0) > 0; i++)
		on_input(s);
	on_wake(s);
	changed(s);
	if (chat_stop(s->c) || s->gone)
		return;
	if (s->over_ns && os_now_ns() - s->over_ns < (int64_t)MEANT_MS * 1000000)
		hint(s, "the answer had ended already; interrupting again quits");
	else
		loop_quit(s->loop, EXIT_INTERRUPTED);
	s->over_ns = 0;
}

static void on_timer(void *arg)
{
	struct screen *s = arg;
	int64_t now = os_now_ns();

	if (passed(s, AT_KEY, now)) {
		key_late(s->keys);
		take_keys(s);
	}
	if (passed(s, AT_PAINT, now))
		on_wake(s);
	if (passed(s, AT_GAUGE, now))
		s->dirty = true;
	if (passed(s, AT_WEIGH, now))
		weigh(s);
	if (passed(s, AT_DRAFT, now))
		keep_draft(s);
	if (passed(s, AT_KEEP, now))
		keep_chat(s);
	for (int i = 0; i < N_DEADLINES; i++)
		if (s->deadline[i])
			wait_until(s, (enum deadline)i, s->deadline[i]);
}

/* -- completion ----------------------------------------------------------------------- */

static char *complete(void *arg, const char *line, size_t start, size_t end, int i)
{
	return slash_complete(((struct screen *)arg)->c, line, start, end, i);
}

/* -- start and end -------------------------------------------------------------------- */

/*
 * Text inside is UTF-8 whatever the locale. In C and POSIX, which say nothing about the
 * terminal, C.UTF-8 is as good a guess; in another charset only ASCII is drawn. readline sets the
 * locale by the environment, with every line anew: from now on that says the same.
 */
static bool set_locale(void)
{
	const char *now = setlocale(LC_CTYPE, "");
	bool mute = !now || !strcmp(now, "C") || !strcmp(now, "POSIX");

	if (!strcmp(nl_langinfo(CODESET), "UTF-8"))
		return true;
	if (!setlocale(LC_CTYPE, "C.UTF-8") && !setlocale(LC_CTYPE, "en_US.UTF-8"))
		return false;
	setenv("LC_ALL", setlocale(LC_CTYPE, NULL), 1);
	return mute;
}

static bool has_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb");
}

static void screen_free(struct screen *s)
{
	loop_on_kill(NULL);
	term_stop();
	scribe_free(s->scribe);
	close_help(s);
	close_list(s);
	if (s->chat)
		s->chat->ops->free(s->chat);
	chat_free(s->c);
	keys_free(s->keys);
	prompt_release(&s->prompt);
	input_free(s->input);
	loop_free(s->loop);
}

static void recall(void *arg, const char *text)
{
	input_recall(((struct screen *)arg)->input, text);
}

/* What an earlier run left comes back where it was, and a line says so. */
static void offer_draft(struct screen *s)
{
	struct err e = { 0 };
	struct str text;

	str_init(&text, 0);
	if (draft_take(DRAFT_TYPED, &text, &e))
		tell_unkept(s, &e);
	if (text.len) {
		input_load(s->input, text.p, text.len);
		hint(s, "what was typed when the last run ended is here again; Ctrl-C clears it");
		wait_until(s, AT_DRAFT, os_now_ns() + 1);
	}
	str_release(&text);
}

/* A theme that is not there is told of, as keys are that cannot be read; it is no reason not to begin. */
static void begin_theme(struct opts *o, struct str *complaints)
{
	struct str again;
	struct err e = { 0 };

	if (!style_theme(o->theme, complaints, &e))
		return;
	str_addf(complaints, "%s%s", complaints->len ? "\n" : "", e.msg);
	str_init(&again, 16384);
	style_theme(NULL, &again, &e);
	str_release(&again);
	o->theme = style_theme_now();
}

static void on_complaint(void *arg, const char *what)
{
	struct screen *s = arg;

	chat_complain(s->c, "%s", what);
}

static int start(struct screen *s, struct opts *o, struct err *e)
{
	static const struct loop_ops loop_ops = { on_input, on_signal, on_wake, on_timer, turn };
	static const struct input_ops input_ops = { on_send, complete, on_edit, on_complaint };
	bool utf8 = set_locale();
	struct err odd = { 0 };
	struct str complaints;

	inputrc_check(&odd);
	if (loop_new(&s->loop, &loop_ops, s, e) || input_new(&s->input, &input_ops, s, e) || term_start(e) ||
	    (!o->private && scribe_new(&s->scribe, s->loop, e)))
		return -1;
	loop_on_kill(term_let_go);
	style_init(o->ascii || !utf8, !utf8);
	str_init(&complaints, 16384);
	bindings_load(&complaints);
	begin_theme(o, &complaints);
	if (chat_new(&s->c, s->loop, o, e)) {
		str_release(&complaints);
		return -1;
	}
	if (complaints.len)
		chat_complain(s->c, "%s", complaints.p);
	str_release(&complaints);
	if (odd.code)
		chat_complain(s->c, "%s", odd.msg);
	prompt_init(&s->prompt);
	ttysync_init(&s->tty);
	snprintf(s->theme, sizeof(s->theme), "%s", o->theme ? o->theme : "");
	if (!utf8 && !o->ascii)
		chat_note(s->c, "this locale has no UTF-8: only ASCII is drawn, as with --ascii");
	if (gauge_choose(o->gauges, e)) {
		chat_complain(s->c, "%s", e->msg);
		gauge_choose(NULL, NULL);
	}
	s->keys = keys_new(true);
	s->c->can_ask = true;
	s->c->to_terminal = term_send;
	s->c->take_theme = try_theme;
	s->c->theme_name = style_theme_name;
	s->chat = pane_chat_new(s->c, &s->reading);
	if (!s->keys || !s->chat)
		return err_set(e, ERR_NOMEM, "no memory for the screen");
	if (!o->private && recall_load(RECALL, recall, s, &odd))
		tell_unkept(s, &odd);
	if (!o->private) {
		keep_offer(s->c);
		offer_draft(s);
	}
	changed(s);
	return 0;
}

int ui_chat(struct opts *o)
{
	struct screen s = { 0 };
	struct err e = { 0 };
	bool killed;
	int code;

	if (o->plain || !has_terminal())
		return chat_plain(o);
	if (start(&s, o, &e)) {
		screen_free(&s);
		return e.code == ERR_UNSUPPORTED ? chat_plain(o) : cmd_fail(&e);
	}
	code = loop_run(s.loop);
	e = (struct err){ 0 };
	/* killed, or the terminal went: what was typed is for the next run; who leaves by a key has it in the history */
	killed = code > 128 || s.gone;
	if (killed)
		keep_draft(&s);
	else if (s.draft_kept)
		scribe_keep(s.scribe, DRAFT_TYPED, NULL, 0);
	if (!o->private && killed)
		keep_chat(&s);
	scribe_free(s.scribe);
	s.scribe = NULL;
	if (!o->private && !killed)
		keep_drop();
	draft_end();
	if (s.c->state == CHAT_FAILED)
		e = s.c->why;
	screen_free(&s);
	return e.code ? cmd_fail(&e) : code;
}
