/* Turns of a conversation: a question and what came after it, taken back, changed or asked again. */
#include "config.h"
#include "app/chat_impl.h"

#include <string.h>

/* Where the turn's message stands (from 1 on); n_items when there is none. */
static size_t find_turn(const struct chat *c, int turn)
{
	size_t i = 0;

	for (; i < c->n_items; i++)
		if (c->items[i]->kind == ITEM_USER && !--turn)
			break;
	return i;
}

int chat_turns(const struct chat *c)
{
	int n = 0;

	for (size_t i = 0; i < c->n_items; i++)
		n += c->items[i]->kind == ITEM_USER;
	return n;
}

int chat_turn_of(const struct chat *c, unsigned serial)
{
	int n = 0;

	for (size_t i = 0; i < c->n_items && c->items[i]->serial <= serial; i++)
		n += c->items[i]->kind == ITEM_USER;
	return n;
}

/* All from the item on goes. */
static void drop_from(struct chat *c, size_t at)
{
	chat_drop_items(c, at);
	c->n_gone = 0;
	for (size_t i = 0; i < c->n_items; i++)
		c->n_gone += c->items[i]->kind == ITEM_USER && c->items[i]->gone;
	c->n_choices = 0;
}

void chat_cut(struct chat *c)
{
	const int turn = chat_turn_of(c, c->cut);
	const size_t at = find_turn(c, turn);

	if (turn && at < c->n_items && c->items[at]->serial == c->cut) {
		chat_reattach(c, c->items[at]);
		drop_from(c, at);
	}
	c->cut = 0;
}

bool chat_undo(struct chat *c)
{
	const int n = chat_turns(c);

	if (!n) {
		chat_complain(c, "there is nothing to undo");
		return false;
	}
	chat_edit_leave(c);
	drop_from(c, find_turn(c, n));
	return true;
}

bool chat_regen(struct chat *c)
{
	const int n = chat_turns(c);

	if (!n || c->state == CHAT_FAILED) {
		chat_complain(c, "there is no answer to write anew");
		return false;
	}
	chat_edit_leave(c);
	drop_from(c, find_turn(c, n) + 1);
	if (chat_ask_again(c))
		return true;
	chat_complain(c, "no memory to ask again");
	return false;
}

bool chat_edit(struct chat *c, int turn)
{
	const int n = chat_turns(c);
	const size_t at = find_turn(c, turn > 0 ? turn : n);

	if (!n || turn > n) {
		if (n)
			chat_complain(c, "there is no message %d: %d %s been asked", turn, n, n == 1 ? "has" : "have");
		else
			chat_complain(c, "there is no message to change");
		return false;
	}
	c->cut = c->items[at]->serial;
	chat_give_back(c, c->items[at]->text.p + c->items[at]->attached);
	if (c->items[at]->attached)
		chat_note(c, "goes before it as it did: %s", c->items[at]->attached_names ? c->items[at]->attached_names : "");
	return true;
}

void chat_edit_leave(struct chat *c)
{
	if (c->cut)
		chat_touch(c, NULL);
	c->cut = 0;
}
