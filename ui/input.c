#include "config.h"
#include "ui/input.h"

#include "app/inputrc.h"
#include "app/termtext.h"
#include "engine/base/xio.h"
#include "ui/bidi.h"
#include "ui/width.h"

#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <unistr.h>

#include <readline/history.h>
#include <readline/readline.h>

enum { HISTORY_MAX = 1000, TAB_COLS = 4, LIST_MAX = 1 << 20, HINT_MAX = 1024, ROOMY = 40, TIGHT = 8 };
enum { LIST_GAP = 2, MORE_COLS = 20, SENT_BACK = 8 };
enum { CTRL_G = 7 };

/*
 * A long paste is one character of the last private plane, so that readline's undo, kill ring and
 * history carry it as what it is. The same character from outside is not let in.
 */
enum { PASTE_FIRST = 0x10f000, PASTES = 0xff0, PASTE_LINES = 10, PASTE_BYTES = 4096, PASTE_UTF8 = 4 };

/* In a file a paste stands between two control characters, which no pasted text has, nor any that is read back. */
enum { PASTE_BEGIN = 2, PASTE_END = 3 };
static const char replacement[] = "\xef\xbf\xbd";

struct paste { char *text; char label[40]; };

struct line { size_t off, len; bool wrapped; /* goes on in the next row */ };

struct input {
	struct input_ops ops;
	void *arg;
	FILE *null;			/* where readline writes what it wants to write */
	struct str queue;		/* bytes that readline has not read */
	size_t queue_at;
	/* layout of the text */
	bool stale;
	int cols;			/* of text in a row */
	struct line *lines;
	size_t n_lines, size;
	size_t top;			/* first row seen */
	int goal;			/* the column that moving up and down keeps; -1 none */
	/* after Tab: what there is, each with a final 0, and which part of that is shown */
	struct str list, hint;
	bool listed, again;		/* it is shown; it was, when this key came */
	size_t first, behind;
	struct paste *pastes;
	int n_pastes;
};

static struct input *the;		/* readline's callbacks have no argument */

/* -- readline's side ------------------------------------------------------------------ */

/* A command that reads more than it was given is stopped: nothing here may wait. */
static int get_char(FILE *f)
{
	(void)f;
	if (the->queue_at < the->queue.len)
		return (unsigned char)the->queue.p[the->queue_at++];
	return CTRL_G;
}

static int bytes_queued(void)
{
	return the->queue_at < the->queue.len;
}

static void redisplay(void)
{
	the->stale = true;
}

/* The paste that stands at s, NULL: none. */
static const struct paste *paste_at(const char *s, size_t n)
{
	ucs4_t cp;

	if (n < PASTE_UTF8 || (uint8_t)s[0] != 0xf4 || u8_mbtoucr(&cp, (const uint8_t *)s, n) != PASTE_UTF8)
		return NULL;
	return cp >= PASTE_FIRST && cp < PASTE_FIRST + (ucs4_t)the->n_pastes ? &the->pastes[cp - PASTE_FIRST] : NULL;
}

static void expand(const char *s, struct str *out)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n;) {
		const struct paste *p = paste_at(s + i, n - i);

		if (p)
			str_adds(out, p->text);
		else
			str_addc(out, s[i]);
		i += p ? PASTE_UTF8 : 1;
	}
}

/* As a file has it. */
static void expand_framed(const char *s, struct str *out)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n;) {
		const struct paste *p = paste_at(s + i, n - i);

		if (p)
			str_addf(out, "%c%s%c", PASTE_BEGIN, p->text, PASTE_END);
		else if (s[i] == PASTE_BEGIN || s[i] == PASTE_END)
			str_adds(out, replacement);
		else
			str_addc(out, s[i]);
		i += p ? PASTE_UTF8 : 1;
	}
}

/* The line of the history that was sent as this text; the text itself when there is none. */
static const char *sent_as(const char *text)
{
	const char *line = text;
	struct str whole;

	str_init(&whole, 0);
	for (int i = history_length; line == text && i > 0 && i > history_length - SENT_BACK; i--) {
		HIST_ENTRY *h = history_get(history_base + i - 1);

		str_clear(&whole);
		expand(h ? h->line : "", &whole);
		if (!whole.failed && !strcmp(whole.p, text))
			line = h->line;
	}
	str_release(&whole);
	return line;
}

static void accepted(char *line)
{
	HIST_ENTRY *last;
	struct str whole;

	if (!line)
		return;
	if (*line) {
		last = history_length ? history_get(history_base + history_length - 1) : NULL;
		if (!last || strcmp(last->line, line))
			add_history(line);
		str_init(&whole, 0);
		expand(line, &whole);
		if (!whole.failed)
			the->ops.send(the->arg, whole.p);
		str_release(&whole);
	}
	free(line);
	the->stale = true;
}

static char *generate(const char *text, int state)
{
	return the->ops.complete(the->arg, rl_line_buffer, (size_t)rl_point - strlen(text), (size_t)rl_point, state);
}

static char **complete(const char *text, int start, int end)
{
	(void)start;
	(void)end;
	rl_attempted_completion_over = 1;
	return rl_completion_matches(text, generate);
}

/* Of files the list tells last components, as readline does: the folder, which all have, stands in the line. */
static size_t folder_of(const char *common)
{
	const char *slash = rl_filename_completion_desired ? strrchr(common, '/') : NULL;

	return slash ? (size_t)(slash - common) + 1 : 0;
}

/* The same list once more: its next part. */
static void show_matches(char **matches, int n, int longest)
{
	struct str list;
	size_t cut;
	bool same;

	(void)longest;
	str_init(&list, LIST_MAX);
	cut = folder_of(matches[0]);
	for (int i = 1; i <= n; i++)
		str_add(&list, matches[i] + cut, strlen(matches[i] + cut) + 1);
	same = the->again && list.len == the->list.len && !memcmp(list.p, the->list.p, list.len);
	the->first = same && the->behind < list.len ? the->behind : 0;
	str_release(&the->list);
	the->list = list;
	the->listed = list.len > 0;
}

static void drain(struct input *in)
{
	while (in->queue_at < in->queue.len)
		rl_callback_read_char();
	str_clear(&in->queue);
	in->queue_at = 0;
}

static void push(struct input *in, const char *p, size_t n)
{
	str_add(&in->queue, p, n);
	drain(in);
}

/* -- commands that know lines and clusters ---------------------------------------------- */

static int line_from(int at)
{
	while (at > 0 && rl_line_buffer[at - 1] != '\n')
		at--;
	return at;
}

static int line_to(int at)
{
	while (at < rl_end && rl_line_buffer[at] != '\n')
		at++;
	return at;
}

static int to_line_start(int count, int key)
{
	(void)count;
	(void)key;
	rl_point = line_from(rl_point);
	return 0;
}

static int to_line_end(int count, int key)
{
	(void)count;
	(void)key;
	rl_point = line_to(rl_point);
	return 0;
}

/* At a line's end the line end itself goes. */
static int kill_to_end(int count, int key)
{
	int to = line_to(rl_point);

	(void)count;
	(void)key;
	return rl_kill_text(rl_point, to == rl_point && to < rl_end ? to + 1 : to);
}

static int kill_to_start(int count, int key)
{
	int from = line_from(rl_point);

	(void)count;
	(void)key;
	rl_kill_text(from, rl_point);
	rl_point = from;
	return 0;
}

static int edit_outside(int count, int key)
{
	(void)count;
	(void)key;
	the->ops.edit(the->arg);
	return 0;
}

static int read_again(int count, int key);

static const struct { rl_command_func_t *from, *to; } replaced[] = {
	{ rl_beg_of_line, to_line_start }, { rl_end_of_line, to_line_end },
	{ rl_kill_line, kill_to_end }, { rl_unix_line_discard, kill_to_start }, { rl_backward_kill_line, kill_to_start },
	{ rl_re_read_init_file, read_again },
};

/* Whatever keys the user's inputrc has given to them. */
static void replace_in(Keymap map, int depth)
{
	for (int i = 0; i < KEYMAP_SIZE; i++) {
		if (map[i].type == ISKMAP && depth < 4)
			replace_in((Keymap)(void *)map[i].function, depth + 1);
		for (size_t k = 0; map[i].type == ISFUNC && k < sizeof(replaced) / sizeof(replaced[0]); k++)
			if (map[i].function == replaced[k].from)
				map[i].function = replaced[k].to;
	}
}

static void bind_commands(void)
{
	static const char *const maps[] = { "emacs", "vi-insert", "vi-command" };

	rl_add_defun("edit-message", edit_outside, -1);
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		Keymap map = rl_get_keymap_by_name(maps[i]);

		if (i < 2)
			rl_bind_keyseq_if_unbound_in_map("\\C-x\\C-e", edit_outside, map);
		else
			rl_bind_key_if_unbound_in_map('v', edit_outside, map);
		replace_in(map, 0);
	}
}

/* What must hold whatever the user's inputrc says. */
static void settle(void)
{
	bind_commands();
	/* Esc is told from Alt by our own decoder; what readline sees is settled. */
	rl_variable_bind("keyseq-timeout", "0");
	rl_variable_bind("enable-bracketed-paste", "off");
}

static int read_again(int count, int key)
{
	static bool refused;
	struct err e = { 0 };

	/* what was refused readline would still take for the file to read */
	refused = refused || inputrc_check(&e);
	if (e.code)
		the->ops.complain(the->arg, e.msg);
	if (!refused)
		rl_re_read_init_file(count, key);
	settle();
	return 0;
}

int input_new(struct input **out, const struct input_ops *ops, void *arg, struct err *e)
{
	struct input *in = mem_calloc(1, sizeof(*in));
	int fd;

	if (!in)
		return err_set(e, ERR_NOMEM, "no memory for the input line");
	in->ops = *ops;
	in->arg = arg;
	in->goal = -1;
	in->stale = true;
	str_init(&in->queue, 0);
	str_init(&in->list, LIST_MAX);
	str_init(&in->hint, HINT_MAX);
	fd = xio_open("/dev/null", O_WRONLY, 0, e);
	in->null = fd < 0 ? NULL : fdopen(fd, "w");
	if (!in->null) {
		if (fd >= 0)
			close(fd);
		input_free(in);
		return -1;
	}
	the = in;
	rl_readline_name = "tidbit";
	rl_outstream = in->null;
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_change_environment = 0;
	rl_prep_term_function = NULL;
	rl_deprep_term_function = NULL;
	rl_redisplay_function = redisplay;
	rl_getc_function = get_char;
	rl_input_available_hook = bytes_queued;
	rl_attempted_completion_function = complete;
	rl_completion_display_matches_hook = show_matches;
	rl_completion_query_items = -1;
	rl_completer_word_break_characters = (char *)" \t\n";
	/* Before the user's inputrc, which has the last word. */
	rl_variable_bind("bell-style", "none");
	rl_variable_bind("show-all-if-ambiguous", "on");
	rl_initialize();
	settle();
	using_history();
	stifle_history(HISTORY_MAX);
	rl_callback_handler_install("", accepted);
	*out = in;
	return 0;
}

/* As it was: on a terminal that cannot be drawn on, plain lines use it next. */
static void give_back_readline(void)
{
	rl_outstream = NULL;
	rl_prep_term_function = rl_prep_terminal;
	rl_deprep_term_function = rl_deprep_terminal;
	rl_redisplay_function = rl_redisplay;
	rl_getc_function = rl_getc;
	rl_input_available_hook = NULL;
	rl_attempted_completion_function = NULL;
	rl_completion_display_matches_hook = NULL;
	rl_completion_query_items = 100;
}

void input_free(struct input *in)
{
	if (!in)
		return;
	if (the == in) {
		rl_callback_handler_remove();
		give_back_readline();
		the = NULL;
	}
	if (in->null)
		fclose(in->null);
	str_release(&in->queue);
	str_release(&in->list);
	str_release(&in->hint);
	for (int i = 0; i < in->n_pastes; i++)
		mem_free(in->pastes[i].text);
	mem_free(in->pastes);
	mem_free(in->lines);
	mem_free(in);
}

/* -- editing -------------------------------------------------------------------------- */

static void touched(struct input *in)
{
	in->goal = -1;
	in->stale = true;
	in->again = in->listed;
	in->listed = false;
}

/* readline moves by characters: a caret in the middle of a cluster goes on the way it went. */
static void snap(int before)
{
	int at = line_from(rl_point), prev = at;

	while (at < rl_point) {
		int w;

		prev = at;
		at += (int)width_next(rl_line_buffer + at, (size_t)(rl_end - at), &w);
	}
	if (at != rl_point)
		rl_point = rl_point > before ? at : prev;
}

/* Has readline something for all of it? */
static bool bound(const char *p, size_t n)
{
	int type = ISFUNC;

	return rl_function_of_keyseq_len(p, n, rl_get_keymap(), &type) && type != ISKMAP;
}

/*
 * What readline is to get for a key; false: nothing, because it would take a sequence that it does
 * not know for its first part, and the rest for text. Other terminals' forms are told as xterm's.
 */
static bool bytes_of(const struct key *k, char buf[KEY_XTERM], const char **p, size_t *n)
{
	const bool sequence = k->n > 1 && k->bytes[0] == K_ESC &&
			      (k->code >= K_FIRST || k->n > 2 || k->bytes[1] == '[' || k->bytes[1] == 'O');

	*p = k->bytes;
	*n = k->n;
	if (!sequence || bound(*p, *n))
		return true;
	*p = buf;
	*n = key_xterm(k, buf);
	return *n && bound(*p, *n);
}

void input_key(struct input *in, const struct key *k)
{
	int before = rl_point, end = rl_end;
	char buf[KEY_XTERM];
	const char *p;
	size_t n;

	touched(in);
	if (k->n == PASTE_UTF8 && k->code >= PASTE_FIRST && k->code < PASTE_FIRST + PASTES)
		return;
	if (!bytes_of(k, buf, &p, &n))
		return;
	push(in, p, n);
	if (rl_end == end)
		snap(before);
}

bool input_searching(const struct input *in)
{
	(void)in;
	return RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH) != 0;
}

static bool in_vi_map(const char *name)
{
	return rl_editing_mode == 0 && rl_get_keymap() == rl_get_keymap_by_name(name);
}

bool input_wants_esc(const struct input *in)
{
	return input_searching(in) || in_vi_map("vi-insert");
}

static bool in_the_middle(void)
{
	return RL_ISSTATE(RL_STATE_NUMERICARG | RL_STATE_MULTIKEY | RL_STATE_VIMOTION | RL_STATE_CHARSEARCH);
}

void input_esc(struct input *in)
{
	touched(in);
	if (in_the_middle())
		push(in, "\007", 1);
}

/* Ends what readline is in the middle of, so that text can go in. */
static void ready(struct input *in)
{
	if (input_searching(in))
		push(in, "\033", 1);
	else if (in_the_middle())
		push(in, "\007", 1);
	if (in_vi_map("vi-command"))
		rl_vi_insertion_mode(1, 0);
}

static void insert(struct input *in, const char *text)
{
	touched(in);
	ready(in);
	rl_begin_undo_group();
	rl_insert_text(text);
	rl_end_undo_group();
}

static int count_lines(const char *s)
{
	int n = *s != 0;

	for (; *s; s++)
		n += *s == '\n' && s[1];
	return n;
}

/* Characters that stand for pastes, from outside. */
static void drop_foreign(struct str *s)
{
	for (size_t i = 0; i + PASTE_UTF8 <= s->len; i++) {
		ucs4_t cp;

		if ((uint8_t)s->p[i] == 0xf4 && u8_mbtoucr(&cp, (const uint8_t *)s->p + i, s->len - i) == PASTE_UTF8 &&
		    cp >= PASTE_FIRST && cp < PASTE_FIRST + PASTES)
			memcpy(s->p + i, "\xef\xbf\xbd ", PASTE_UTF8);
	}
}

static void clean_text(const char *p, size_t n, struct str *out)
{
	str_init(out, 0);
	termtext_whole(p, n, TERMTEXT_LINES | TERMTEXT_MARKS, out);
	drop_foreign(out);
}

/* True: it is long, and stands in the text as one character. */
static bool add_paste(struct input *in, const struct str *text)
{
	int lines = count_lines(text->p);
	struct paste *p;
	uint8_t mark[8];

	if ((lines <= PASTE_LINES && text->len <= PASTE_BYTES) || in->n_pastes == PASTES)
		return false;
	p = mem_rearray(in->pastes, (size_t)in->n_pastes + 1, sizeof(*p));
	if (!p)
		return false;
	in->pastes = p;
	p += in->n_pastes;
	p->text = mem_strdup(text->p);
	if (!p->text)
		return false;
	if (lines > 1)
		snprintf(p->label, sizeof(p->label), "[pasted %d lines]", lines);
	else
		snprintf(p->label, sizeof(p->label), "[pasted %zu bytes]", text->len);
	mark[u8_uctomb(mark, (ucs4_t)(PASTE_FIRST + in->n_pastes++), 7)] = 0;
	insert(in, (const char *)mark);
	return true;
}

void input_paste(struct input *in, const char *p, size_t n)
{
	struct str clean;

	clean_text(p, n, &clean);
	if (!clean.failed && !add_paste(in, &clean))
		insert(in, clean.p);
	str_release(&clean);
}

static void insert_words(struct input *in, const char *p, size_t n)
{
	struct str clean;

	clean_text(p, n, &clean);
	if (!clean.failed)
		insert(in, clean.p);
	str_release(&clean);
}

void input_load(struct input *in, const char *p, size_t n)
{
	const char *const end = p + n;

	touched(in);
	ready(in);
	rl_begin_undo_group();
	while (p < end) {
		const char *from = memchr(p, PASTE_BEGIN, (size_t)(end - p)), *to;

		from = from ? from : end;
		insert_words(in, p, (size_t)(from - p));
		if (from == end)
			break;
		from++;
		to = memchr(from, PASTE_END, (size_t)(end - from));
		input_paste(in, from, (size_t)((to ? to : end) - from));
		p = to ? to + 1 : end;
	}
	rl_end_undo_group();
}

/* Where a paste of the line stands in the text, the first of them that does; p NULL: no more. */
struct found { const struct paste *p; const char *at, *mark; };

static struct found find_paste(const char *line, const char *text)
{
	const size_t n = strlen(line);

	for (size_t i = 0; i < n; i++) {
		const struct paste *p = paste_at(line + i, n - i);
		const char *at = p ? strstr(text, p->text) : NULL;

		if (at)
			return (struct found){ p, at, line + i };
	}
	return (struct found){ NULL, NULL, NULL };
}

void input_replace(struct input *in, const char *text, size_t n)
{
	const char *line, *at;
	struct str clean, out;
	struct found f;

	clean_text(text, n, &clean);
	str_init(&out, 0);
	line = rl_line_buffer;
	at = clean.p;
	while ((f = find_paste(line, at)).p) {
		str_add(&out, at, (size_t)(f.at - at));
		str_add(&out, f.mark, PASTE_UTF8);
		at = f.at + strlen(f.p->text);
		line = f.mark + PASTE_UTF8;
	}
	str_adds(&out, at);
	if (!clean.failed && !out.failed)
		input_set(in, out.p);
	str_release(&out);
	str_release(&clean);
}

void input_whole(const struct input *in, struct str *out)
{
	(void)in;
	expand(rl_line_buffer, out);
}

void input_save(const struct input *in, const char *sent, struct str *out)
{
	(void)in;
	expand_framed(sent ? sent_as(sent) : rl_line_buffer, out);
}

void input_recall(struct input *in, const char *text)
{
	(void)in;
	add_history(text);
	using_history();	/* the newest is where Up begins */
}

void input_newline(struct input *in)
{
	insert(in, "\n");
}

void input_send(struct input *in)
{
	touched(in);
	push(in, "\r", 1);
}

/* The text goes; where it was an earlier message, that one stays in the history as it was. */
static void fresh_line(void)
{
	rl_revert_line(1, 0);
	rl_maybe_replace_line();
	using_history();
	rl_maybe_unsave_line();
	rl_replace_line("", 1);
	rl_point = rl_mark = 0;
}

bool input_clear(struct input *in)
{
	bool busy = input_searching(in) || RL_ISSTATE(RL_STATE_NUMERICARG | RL_STATE_MULTIKEY);

	touched(in);
	if (busy)
		push(in, "\007", 1);
	if (!rl_end)
		return busy;
	rl_kill_text(0, rl_end);
	fresh_line();
	ready(in);
	return true;
}

void input_set(struct input *in, const char *text)
{
	touched(in);
	rl_replace_line(text, 1);
	rl_point = rl_end;
}

void input_take_back(struct input *in, const char *text)
{
	input_set(in, sent_as(text));
}

const char *input_text(const struct input *in)
{
	(void)in;
	return rl_line_buffer;
}

bool input_empty(const struct input *in)
{
	return rl_end == 0 && !input_searching(in);
}

/* How many words there are from `at` on. */
static int words_from(const struct input *in, size_t at)
{
	int n = 0;

	for (; at < in->list.len; at++)
		n += !in->list.p[at];
	return n;
}

/* Of the list, from `first` on, what fits into so many columns, but one word at least; returns what is behind it. */
static size_t fit_words(const struct input *in, int cols)
{
	size_t at = in->first;

	for (int used = 0; at < in->list.len;) {
		const size_t n = strlen(in->list.p + at);

		used += width_of(in->list.p + at, n);
		if (used > cols && at > in->first)
			break;
		used += LIST_GAP;
		at += n + 1;
	}
	return at;
}

const char *input_hint(struct input *in, int cols)
{
	if (!in->listed)
		return NULL;
	str_clear(&in->hint);
	in->behind = fit_words(in, cols);
	if (in->behind < in->list.len || in->first)
		in->behind = fit_words(in, cols - MORE_COLS);
	for (size_t at = in->first; at < in->behind; at += strlen(in->list.p + at) + 1)
		str_addf(&in->hint, "%s%s", at > in->first ? "  " : "", in->list.p + at);
	if (in->behind < in->list.len)
		str_addf(&in->hint, "  %s Tab: %d more", glyph(GLYPH_ELLIPSIS), words_from(in, in->behind));
	else if (in->first)
		str_addf(&in->hint, "  %s Tab: the first", glyph(GLYPH_ELLIPSIS));
	return in->hint.p;
}

/* -- layout --------------------------------------------------------------------------- */

static size_t next(const char *s, size_t n, int *w)
{
	const struct paste *p = paste_at(s, n);

	if (p) {
		*w = (int)strlen(p->label);
		return PASTE_UTF8;
	}
	if (*s != '\t')
		return width_next(s, n, w);
	*w = TAB_COLS;
	return 1;
}

static void add_line(struct input *in, size_t off, size_t len, bool wrapped)
{
	if (in->n_lines == in->size) {
		size_t size = in->size ? in->size * 2 : 16;
		struct line *p = mem_rearray(in->lines, size, sizeof(*p));

		if (!p)
			return;
		in->lines = p;
		in->size = size;
	}
	in->lines[in->n_lines++] = (struct line){ off, len, wrapped };
}

/* Rows break between clusters, anywhere: nothing moves while a word grows. */
static void lay_out(struct input *in, int cols)
{
	const char *s = rl_line_buffer;
	size_t n = (size_t)rl_end, start = 0, i = 0;
	int used = 0;

	if (!in->stale && in->cols == cols)
		return;
	in->stale = false;
	in->cols = cols;
	in->n_lines = 0;
	while (i < n) {
		int w;
		size_t k;

		if (s[i] == '\n') {
			add_line(in, start, i - start, false);
			start = ++i;
			used = 0;
			continue;
		}
		k = next(s + i, n - i, &w);
		if (used + w > cols && i > start) {
			add_line(in, start, i - start, true);
			start = i;
			used = 0;
		}
		used += w;
		i += k;
	}
	add_line(in, start, n - start, used >= cols);
	if (used >= cols)	/* the caret behind a full row stands in the next */
		add_line(in, n, 0, false);
}

/* Row and column of the caret; inside a cluster it stands at its start. */
static void caret(const struct input *in, size_t *row, int *col)
{
	size_t point = (size_t)rl_point, r = 0, i;
	int w;

	while (r + 1 < in->n_lines && in->lines[r + 1].off <= point)
		r++;
	*row = r;
	*col = 0;
	if (!in->n_lines)
		return;
	for (i = in->lines[r].off; i < point;) {
		i += next(rl_line_buffer + i, (size_t)rl_end - i, &w);
		if (i <= point)
			*col += w;
	}
}

bool input_move(struct input *in, int rows)
{
	size_t row, i, end;
	const struct line *l;
	int col, at = 0, goal;

	if (input_searching(in) || in->cols < 1)
		return false;
	in->stale = true;
	lay_out(in, in->cols);
	caret(in, &row, &col);
	if (!in->n_lines || (rows < 0 ? row == 0 : row + 1 >= in->n_lines))
		return false;
	goal = in->goal >= 0 ? in->goal : col;
	l = &in->lines[rows < 0 ? row - 1 : row + 1];
	end = l->off + l->len;
	for (i = l->off; i < end;) {
		int w;
		size_t k = next(rl_line_buffer + i, end - i, &w);

		if (at + w > goal || (l->wrapped && i + k == end))
			break;
		at += w;
		i += k;
	}
	rl_point = (int)i;
	touched(in);
	in->goal = goal;
	return true;
}

/* readline's own words (a search, an argument) in place of the prompt; else NULL. */
static const char *message(void)
{
	return rl_display_prompt && rl_display_prompt != rl_prompt && *rl_display_prompt ? rl_display_prompt : NULL;
}

/* What readline would put before the prompt for the mode that it is in: show-mode-in-prompt, and the strings for it. */
static const char *mode_variable(void)
{
	const char *shown = rl_variable_value("show-mode-in-prompt");

	if (!shown || strcmp(shown, "on"))
		return NULL;
	if (rl_editing_mode)
		return "emacs-mode-string";
	return in_vi_map("vi-insert") ? "vi-ins-mode-string" : "vi-cmd-mode-string";
}

/* As far as it can be seen: what stands between \1 and \2 was for the terminal. Appended; returns its columns. */
static int mode_text(int w, struct str *out)
{
	const char *variable = mode_variable(), *s = variable ? rl_variable_value(variable) : NULL;
	struct str seen;
	int cols;

	str_init(&seen, HINT_MAX);
	for (bool hidden = false; s && *s; s++) {
		hidden = *s == RL_PROMPT_START_IGNORE || (hidden && *s != RL_PROMPT_END_IGNORE);
		if (!hidden && *s != RL_PROMPT_END_IGNORE)
			str_addc(&seen, *s);
	}
	str_clear(out);
	termtext_whole(seen.p, seen.len, 0, out);
	str_release(&seen);
	cols = out->failed ? 0 : width_of(out->p, out->len);
	return w >= TIGHT && cols <= w / 3 ? cols : 0;
}

/* Columns before the text. */
static int lead(int w)
{
	struct str mode;
	int cols;

	str_init(&mode, HINT_MAX);
	cols = mode_text(w, &mode);
	str_release(&mode);
	return cols + (w >= ROOMY ? 3 : w >= TIGHT ? 2 : 0);
}

static int text_cols(int w)
{
	int cols = w - lead(w) - (w >= ROOMY);

	return cols < 1 ? 1 : cols;
}

int input_rows(struct input *in, int cols)
{
	lay_out(in, text_cols(cols));
	return (int)(in->n_lines ? in->n_lines : 1) + (message() && cols >= TIGHT);
}

/* The logical line that a row is part of. */
static void line_around(const struct line *l, size_t *from, size_t *to)
{
	const char *s = rl_line_buffer;

	for (*from = l->off; *from && s[*from - 1] != '\n'; --*from)
		;
	for (*to = l->off + l->len; *to < (size_t)rl_end && s[*to] != '\n'; ++*to)
		;
}

/* Has the row something that is not drawn as it is? */
static bool has_odd(const struct line *l)
{
	for (size_t i = 0; i < l->len; i++)
		if (rl_line_buffer[l->off + i] == '\t' || paste_at(rl_line_buffer + l->off + i, l->len - i))
			return true;
	return false;
}

/*
 * A row with right-to-left text, and the caret in it where it is the caret's row (x NULL: it is
 * not): on the cluster that it is before, and behind everything to the left where the line ends.
 */
static bool draw_bidi(const struct line *l, int y, int left, int max, int *x)
{
	size_t from, to, point = (size_t)rl_point;
	struct bidi_row r;
	int at;

	line_around(l, &from, &to);
	if (!bidi_enabled() || !bidi_needed(rl_line_buffer + from, to - from) || has_odd(l) ||
	    !bidi_order(&r, rl_line_buffer + from, to - from, l->off - from, l->len, BIDI_AUTO))
		return false;
	at = r.rtl ? left + max - r.cols : left;
	if (x)
		*x = r.rtl ? (at > left ? at - 1 : left) : at + (r.cols < max ? r.cols : max - 1);
	for (size_t i = 0; i < r.n; i++) {
		const struct bidi_cluster *c = &r.p[i];

		if (c->mirror)
			draw_char(y, at, c->cols, c->mirror);
		else
			draw_text(y, at, c->cols, rl_line_buffer + from + c->off, c->len);
		if (x && point >= from + c->off && point < from + c->off + c->len)
			*x = at;
		at += c->cols;
	}
	bidi_release(&r);
	return true;
}

static void draw_line(const struct line *l, int y, int x, int max)
{
	const char *s = rl_line_buffer;

	for (size_t i = l->off, end = l->off + l->len; i < end && max > 0;) {
		const struct paste *p = paste_at(s + i, end - i);
		int used = 0, w;
		size_t k = 0;

		if (p) {
			style_set(STYLE_WARN);
			used = draw(y, x, max, p->label);
			style_set(STYLE_TEXT);
			k = PASTE_UTF8;
		} else if (s[i] == '\t') {
			used = TAB_COLS;
			k = 1;
		} else {
			while (i + k < end && s[i + k] != '\t' && !paste_at(s + i + k, end - i - k))
				k += width_next(s + i + k, end - i - k, &w);
			used = draw_text(y, x, max, s + i, k);
		}
		x += used;
		max -= used;
		i += k;
	}
}

void input_draw(struct input *in, struct box b, bool focus, int *y, int *x)
{
	const char *said = b.w >= TIGHT && b.h > 1 ? message() : NULL;
	size_t row, h;
	int col, margin = b.w >= ROOMY, left = b.x + lead(b.w), max = text_cols(b.w), mark;
	struct str mode;

	lay_out(in, max);
	caret(in, &row, &col);
	if (said) {
		style_set(STYLE_WARN);
		draw(b.y, b.x + margin, b.w - margin, said);
		b.y++;
		b.h--;
	}
	h = b.h > 0 ? (size_t)b.h : 1;
	if (in->top + h > in->n_lines)
		in->top = in->n_lines > h ? in->n_lines - h : 0;
	if (row < in->top)
		in->top = row;
	if (row >= in->top + h)
		in->top = row - h + 1;
	str_init(&mode, HINT_MAX);
	mark = b.x + margin + mode_text(b.w, &mode);
	style_set(STYLE_DIM);
	draw(b.y, b.x + margin, mark - b.x - margin, mode.p);
	str_release(&mode);
	style_set(focus ? STYLE_STRONG : STYLE_DIM);
	if (lead(b.w))
		draw(b.y, mark, 1, in->top ? glyph(GLYPH_ELLIPSIS) : glyph(GLYPH_PROMPT));
	style_set(STYLE_TEXT);
	*y = b.y + (int)(row - in->top);
	*x = left + (col < max ? col : max - 1);
	for (size_t i = 0; i < h && in->top + i < in->n_lines; i++) {
		const struct line *l = &in->lines[in->top + i];

		if (!draw_bidi(l, b.y + (int)i, left, max, in->top + i == row ? x : NULL))
			draw_line(l, b.y + (int)i, left, max);
	}
}
