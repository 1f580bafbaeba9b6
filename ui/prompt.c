#include "config.h"
#include "ui/prompt.h"

#include "app/termtext.h"
#include "ui/width.h"

#include <string.h>

enum { MAX = 1024 };

void prompt_init(struct prompt *p)
{
	p->open = false;
	str_init(&p->text, MAX);
}

void prompt_release(struct prompt *p)
{
	str_release(&p->text);
}

void prompt_open(struct prompt *p, const char *before)
{
	p->open = true;
	p->before = before;
	str_clear(&p->text);
}

static enum prompt_end close_with(struct prompt *p, enum prompt_end end)
{
	p->open = false;
	return end;
}

static void cut_word(struct str *s)
{
	while (s->len && s->p[s->len - 1] == ' ')
		str_cut(s, s->len - 1);
	while (s->len && s->p[s->len - 1] != ' ')
		str_cut(s, width_prev(s->p, s->len));
}

enum prompt_end prompt_key(struct prompt *p, const struct key *k)
{
	struct str *s = &p->text;

	if (k->code == K_PASTE) {
		termtext_whole(k->bytes, k->n, 0, s);
	} else if (key_is(k, K_ENTER, 0)) {
		return close_with(p, PROMPT_DONE);
	} else if (k->code == K_ESC || key_is(k, 'c', MOD_CTRL) || key_is(k, 'g', MOD_CTRL)) {
		return close_with(p, PROMPT_GONE);
	} else if (k->code == K_BACKSPACE || key_is(k, 'h', MOD_CTRL)) {
		if (!s->len)
			return close_with(p, PROMPT_GONE);
		str_cut(s, width_prev(s->p, s->len));
	} else if (key_is(k, 'u', MOD_CTRL)) {
		str_clear(s);
	} else if (key_is(k, 'w', MOD_CTRL)) {
		cut_word(s);
	} else if (!(k->mods & (MOD_CTRL | MOD_ALT)) && k->code >= ' ' && k->code < K_FIRST && k->code != K_BACKSPACE) {
		str_add_utf8(s, k->code);
	}
	/* a paste that was too long */
	if (s->failed) {
		str_clear(s);
	}
	return PROMPT_MORE;
}

void prompt_draw(const struct prompt *p, struct box b, int *y, int *x)
{
	int at = b.w >= 40, w = width_of(p->text.p, p->text.len), room;

	style_set(STYLE_STRONG);
	at += draw(b.y, b.x + at, b.w - at, p->before);
	room = b.w - at - 1;
	style_set(STYLE_TEXT);
	if (w <= room)
		draw(b.y, b.x + at, room, p->text.p);
	else
		draw_right(b.y, b.x + at, room > 0 ? room : 0, p->text.p);
	*y = b.y;
	*x = b.x + at + (w <= room ? w : room > 0 ? room : 0);
}
