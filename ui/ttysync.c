#include "config.h"
#include "ui/ttysync.h"

#include "ui/bidi.h"
#include "ui/term.h"

#include <stdio.h>
#include <string.h>

void ttysync_init(struct ttysync *t)
{
	*t = (struct ttysync){ .bidi = tty_known_bidi() };
}

bool ttysync_key(struct ttysync *t, const struct key *k)
{
	if (k->code == K_FOCUS) {
		t->tells_focus = true;
		t->looked_at = k->report[1];
		return true;
	}
	if (k->code != K_REPORT)
		return false;
	if (k->report[0] == TTY_MODE_BIDI && tty_mode_known(k->report[1]))
		t->bidi = TTY_BIDI_SWITCH;
	else if (k->report[0] == TTY_MODE_SCROLL)
		term_scroll_was(k->report[1] == 1);
	else if (k->report[0] == KEY_REPORT_DEVICE)
		term_answered();
	return true;
}

static bool apply_bidi(const struct ttysync *t, const char *who)
{
	const bool automatic = !who || !strcmp(who, "auto");
	const bool own = automatic ? t->bidi != TTY_BIDI_ITSELF : !strcmp(who, "app");
	const bool changed = own != bidi_enabled();

	bidi_enable(own);
	term_bidi(own && t->bidi == TTY_BIDI_SWITCH);
	return changed;
}

bool ttysync_apply(struct ttysync *t, const struct opts *o, const char *title)
{
	term_mouse(o->mouse && !strcmp(o->mouse, "on"));
	if (!t->titled || strcmp(t->title, title)) {
		snprintf(t->title, sizeof(t->title), "%s", title);
		term_title(t->title);
		t->titled = true;
	}
	if (t->ring)
		term_send("\a", 1);
	t->ring = false;
	return apply_bidi(t, o->bidi);
}

void ttysync_again(struct ttysync *t)
{
	t->titled = false;
}

void ttysync_ring(struct ttysync *t, const struct opts *o, bool touched)
{
	const bool wanted = !o->bell || !strcmp(o->bell, "on");

	t->ring |= wanted && !(t->tells_focus ? t->looked_at : touched);
}
