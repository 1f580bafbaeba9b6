#include "config.h"
#include "app/plainline.h"
#include "app/crash.h"
#include "app/inputrc.h"
#include "app/outside.h"
#include "app/termtext.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <readline/readline.h>
#include <readline/history.h>

/* readline's callbacks carry no argument. */
static const struct plainline_ops *told;
static void *told_arg;
static bool prompting;

/* -- the terminal ----------------------------------------------------------------------- */

static struct termios before;
static volatile sig_atomic_t taken;

/* Who runs in the background and changes it is stopped. */
static bool ours(void)
{
	const pid_t front = tcgetpgrp(STDIN_FILENO);

	return front < 0 || front == getpgrp();
}

static void set_modes(bool echo)
{
	struct termios t = before;

	if (!taken || !ours())
		return;
	t.c_iflag &= ~(tcflag_t)ICRNL;
	if (!echo)
		t.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSANOW, &t);
}

/* In a handler too. */
static void put_back(void)
{
	if (taken && ours())
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

/* readline takes a terminal that does not echo for one on which nothing shall be seen. */
static void prep(int meta)
{
	set_modes(true);
	rl_prep_terminal(meta);
}

static void deprep(void)
{
	rl_deprep_terminal();
	set_modes(false);
}

static void lend(void)
{
	rl_deprep_terminal();
	put_back();
}

/* A shell may have changed its modes meanwhile: those are the ones to put back at the end. */
static void take_back(void)
{
	if (taken && ours())
		tcgetattr(STDIN_FILENO, &before);
	if (prompting)
		prep(1);
	else
		set_modes(false);
}

void plainline_open(void)
{
	static bool at_exit;

	if (tcgetattr(STDIN_FILENO, &before))
		return;
	taken = true;
	crash_take(put_back);
	if (!at_exit)
		at_exit = !atexit(plainline_close);
	set_modes(false);
}

void plainline_close(void)
{
	if (!taken)
		return;
	plainline_leave();
	put_back();
	taken = false;
	crash_give();
}

/* -- completion ------------------------------------------------------------------------- */

static char *complete_one(const char *text, int state)
{
	const size_t start = (size_t)rl_point - strlen(text);

	return told->complete(told_arg, rl_line_buffer, start, (size_t)rl_point, state);
}

static char **complete(const char *text, int start, int end)
{
	(void)start;
	(void)end;
	rl_attempted_completion_over = 1;
	return rl_completion_matches(text, complete_one);
}

/* -- keys ----------------------------------------------------------------------------- */

static int insert_newline(int count, int key)
{
	(void)count;
	(void)key;
	return rl_insert_text("\n") == 1 ? 0 : 1;
}

static int edit_message(int count, int key)
{
	struct str back, clean;
	struct err e;

	(void)count;
	(void)key;
	str_init(&back, 0);
	str_init(&clean, 0);
	fputc('\n', stderr);
	if (outside_edit(rl_line_buffer, (size_t)rl_end, ".md", &back, lend, take_back, &e)) {
		told->complain(told_arg, e.msg);
	} else {
		termtext_whole(back.p, back.len, TERMTEXT_LINES | TERMTEXT_MARKS, &clean);
		while (clean.len && clean.p[clean.len - 1] == '\n')
			str_cut(&clean, clean.len - 1);
		rl_begin_undo_group();
		rl_delete_text(0, rl_end);
		rl_point = 0;
		rl_insert_text(clean.p);
		rl_end_undo_group();
	}
	str_release(&clean);
	str_release(&back);
	rl_on_new_line();
	rl_redisplay();
	return 0;
}

/* Where a key has a meaning of readline's own it is taken: before inputrc is read, which may give it back. */
static const struct { const char *map, *keys; rl_command_func_t *to; } keys[] = {
	{ "emacs", "\\C-j", insert_newline },
	{ "emacs", "\\e\\C-m", insert_newline },
	{ "emacs", "\\e\\C-j", insert_newline },
	{ "emacs", "\\C-x\\C-e", edit_message },
	{ "vi-insert", "\\C-j", insert_newline },
	{ "vi-insert", "\\C-x\\C-e", edit_message },
	{ "vi-command", "v", edit_message },
};

static void bind_keys(void)
{
	rl_add_defun("insert-newline", insert_newline, -1);
	rl_add_defun("edit-message", edit_message, -1);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		rl_bind_keyseq_in_map(keys[i].keys, keys[i].to, rl_get_keymap_by_name(keys[i].map));
	if (RL_ISSTATE(RL_STATE_INITIALIZED))
		rl_re_read_init_file(1, 0);
}

/* -- the line --------------------------------------------------------------------------- */

static void on_line(char *line)
{
	plainline_leave();
	if (!line)
		fputc('\n', stderr);
	told->line(told_arg, line);
}

void plainline_start(const struct plainline_ops *ops, void *arg, int history)
{
	struct err e;

	told = ops;
	told_arg = arg;
	if (inputrc_check(&e))
		ops->complain(arg, e.msg);
	rl_readline_name = "tidbit";
	rl_outstream = stderr;
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_change_environment = 0;
	rl_prep_term_function = prep;
	rl_deprep_term_function = deprep;
	rl_attempted_completion_function = complete;
	rl_completer_word_break_characters = (char *)" \t\n";
	bind_keys();
	using_history();
	stifle_history(history);
}

void plainline_prompt(const char *draft)
{
	if (prompting)
		return;
	rl_callback_handler_install("> ", on_line);
	prompting = true;
	if (!draft)
		return;
	rl_insert_text(draft);
	rl_redisplay();
}

bool plainline_prompting(void)
{
	return prompting;
}

void plainline_leave(void)
{
	if (prompting)
		rl_callback_handler_remove();
	prompting = false;
}

void plainline_read(void)
{
	rl_callback_read_char();
}

bool plainline_interrupt(const char *says)
{
	const bool empty = rl_end == 0;

	rl_free_line_state();
	rl_callback_sigcleanup();
	fprintf(stderr, "\n%s%s", empty ? says : "", empty ? "\n" : "");
	rl_kill_full_line(1, 0);
	rl_on_new_line();
	rl_redisplay();
	return empty;
}

void plainline_lend(void)
{
	lend();
}

void plainline_take_back(void)
{
	take_back();
	if (prompting)
		rl_forced_update_display();
}

void plainline_resize(void)
{
	if (prompting)
		rl_resize_terminal();
}

void plainline_remember(const char *line)
{
	const HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;

	if (*line && (!last || strcmp(last->line, line)))
		add_history(line);
}
