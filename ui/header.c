#include "config.h"
#include "ui/header.h"

#include "app/termtext.h"
#include "ui/gauge.h"
#include "ui/width.h"

#include <stdio.h>
#include <string.h>

/* Columns from which on there is room for parts. */
enum { CLASS_MIN_COLS = 100, FULL_HEADER_COLS = 80, HELP_MIN_COLS = 60, NAME_MIN_COLS = 4 };

static void state_text(const struct chat *c, char *buf, size_t size)
{
	static const char *const words[] = {
		[CHAT_LOADING] = "loading", [CHAT_IDLE] = "", [CHAT_PREFILL] = "prefill",
		[CHAT_DECODE] = "answering", [CHAT_SWITCHING] = "switching", [CHAT_FAILED] = "no model",
	};
	char percent[16];
	bool progress = c->what && c->state != CHAT_IDLE && c->state != CHAT_FAILED;

	gauge_percent(percent, sizeof(percent), c->done, c->total);
	if (progress)
		snprintf(buf, size, "%s %5s", c->what, percent);
	else if (c->saver && c->state == CHAT_IDLE)
		snprintf(buf, size, "writing %5s", gauge_percent(percent, sizeof(percent), c->saved, c->to_save));
	else
		snprintf(buf, size, "%s", words[c->state]);
}

/* " · Q4_1", or while a switch goes on " · Q4_1 → Q4_0", with how far it is where an answer takes that place. */
static void level_text(const struct chat *c, struct str *out)
{
	char percent[16];

	if (!c->n_levels)
		return;
	str_addf(out, " %s %s", glyph(GLYPH_DOT), c->levels[c->level].name);
	if (c->target != c->level)
		str_addf(out, " %s %s", glyph(GLYPH_ARROW), c->levels[c->target].name);
	if (c->to_make && c->answer)
		str_addf(out, " %5s", gauge_percent(percent, sizeof(percent), c->made, c->to_make));
	if (c->opening) {
		str_addf(out, " %s ", glyph(GLYPH_ARROW));
		termtext_whole(c->opening, strlen(c->opening), 0, out);
	}
}

static void class_text(const struct chat *c, int cols, struct str *out)
{
	const char *dot = glyph(GLYPH_DOT);

	if (c->borrowed && cols >= FULL_HEADER_COLS)
		str_addf(out, " %s borrowed KV", dot);
	if (c->n_levels && cols >= FULL_HEADER_COLS)
		str_addf(out, " %s %.2f bpw", dot, c->levels[c->level].bpw);
	if (c->info && cols >= CLASS_MIN_COLS)
		str_addf(out, " %s %s", dot, eng_class_name(c->info->cls));
}

/* The end of a long name is worth less than what stands behind it. Returns the columns taken. */
static int draw_name(const struct chat *c, int y, int x, int max)
{
	struct str name;
	int w;

	if (max <= 0)
		return 0;
	str_init(&name, 1024);
	termtext_whole(c->name ? c->name : "", c->name ? strlen(c->name) : 0, 0, &name);
	style_set(STYLE_STRONG);
	w = width_of(name.p, name.len);
	if (w <= max) {
		draw(y, x, max, name.p);
	} else {
		w = draw(y, x, max - 1, name.p);
		w += draw(y, x + w, 1, glyph(GLYPH_ELLIPSIS));
	}
	str_release(&name);
	return w;
}

void header_draw(const struct chat *c, bool back, struct box b)
{
	struct str level, class;
	char state[96];
	int x = b.x + 1, end = b.w - 1, room;

	if (!b.h)
		return;
	str_init(&level, 256);
	str_init(&class, 256);
	level_text(c, &level);
	class_text(c, b.w, &class);
	state_text(c, state, sizeof(state));
	if (b.w >= HELP_MIN_COLS) {
		style_set(STYLE_DIM);
		draw_right(b.y, b.x, end, back ? "F1 back" : "F1 help");
		end -= 10;
	}
	if (*state) {
		style_set(c->state == CHAT_FAILED ? STYLE_ERROR : STYLE_WARN);
		draw_right(b.y, b.x, end, state);
		end -= width_of(state, strlen(state)) + 2;
	}
	style_set(STYLE_DIM);
	if (b.w >= FULL_HEADER_COLS)
		x += draw(b.y, x, end - x, "tidbit") + 3;
	room = end - x - width_of(level.p, level.len) - width_of(class.p, class.len);
	if (room < NAME_MIN_COLS && end - x > NAME_MIN_COLS)
		room = NAME_MIN_COLS;
	x += draw_name(c, b.y, x, room);
	style_set(STYLE_LEVEL);
	x += draw(b.y, x, end - x, level.p);
	style_set(STYLE_DIM);
	draw(b.y, x, end - x, class.p);
	str_release(&level);
	str_release(&class);
}

void header_title(const struct chat *c, char *buf, size_t size)
{
	char state[96], text[192];
	struct str clean;

	state_text(c, state, sizeof(state));
	/* how far it is would be another title ten times a second */
	state[strcspn(state, "0123456789")] = 0;
	while (*state && state[strlen(state) - 1] == ' ')
		state[strlen(state) - 1] = 0;
	snprintf(text, sizeof(text), "%s%stidbit %s%s%s", state, *state ? ": " : "", c->name ? c->name : "",
		 c->n_levels ? " " : "", c->n_levels ? c->levels[c->level].name : "");
	str_init(&clean, 1024);
	termtext_whole(text, strlen(text), 0, &clean);
	snprintf(buf, size, "%.*s", (int)(clean.len < size ? clean.len : size - 1), clean.p);
	str_release(&clean);
}
