/* The command /quant: the levels of the model, and switching between them. */
#include "config.h"
#include "app/slash.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { N_NAMES = 32 };

/* In plain lines: to choose from, where somebody is there. */
static void offer_levels(struct chat *c)
{
	char bytes[32], rate[48], command[32];

	c->n_choices = 0;
	for (int i = 0; i < c->n_levels; i++) {
		const struct chat_level *l = &c->levels[i];

		rate[0] = '\0';
		if (l->rate > 0)
			snprintf(rate, sizeof rate, ", %.1f tokens per second", l->rate);
		snprintf(command, sizeof command, "/quant %s", l->name);
		chat_offer(c, command, "%s, %s, %.2f bits per weight%s%s%s%s", l->name,
			   chat_bytes(bytes, sizeof bytes, l->bytes), l->bpw, rate, l->own ? ", as the file has it" : "",
			   profile_recommends(&c->opened->profile, l->name) ? ", recommended" : "",
			   i == c->target ? ", in use" : "");
	}
	chat_ask_choice(c, c->can_ask ? "levels, best first; a number takes one" : "levels, best first");
	if (!c->can_ask)
		c->n_choices = 0;
}

static void list_levels(struct chat *c)
{
	struct str s;

	if (c->lines) {
		offer_levels(c);
		return;
	}
	str_init(&s, 0);
	for (int i = 0; i < c->n_levels; i++) {
		const struct chat_level *l = &c->levels[i];
		char bytes[32];

		str_addf(&s, "%s%s %-7s %10s %6.2f bpw", i ? "\n" : "", i == c->target ? "▸" : " ", l->name,
			 chat_bytes(bytes, sizeof bytes, l->bytes), l->bpw);
		if (l->rate > 0)
			str_addf(&s, "  %.1f tok/s", l->rate);
		if (l->own)
			str_adds(&s, "  as the file has it");
		if (profile_recommends(&c->opened->profile, l->name))
			str_adds(&s, "  recommended");
	}
	chat_note(c, "%s", s.p);
	str_release(&s);
}

static void unknown_level(struct chat *c, const char *arg)
{
	const char *names[N_NAMES + 1] = { NULL };
	struct str s;

	str_init(&s, 0);
	str_adds(&s, "there are ");
	for (int i = 0; i < c->n_levels && i < N_NAMES; i++) {
		names[i] = c->levels[i].name;
		str_addf(&s, "%s%s", i ? ", " : "", names[i]);
	}
	slash_unknown(c, "level", arg, names, s.p);
	str_release(&s);
}

/* Takes the words that begin with -- out of args. False: one of them is unknown. */
static bool quant_how(struct chat *c, char *args, unsigned *how)
{
	static const struct { const char *word; unsigned how; } words[] = {
		{ "--exact", CHAT_EXACT }, { "--borrowed", CHAT_BORROWED }, { "--go-on", CHAT_GO_ON },
	};
	char *save = NULL, *to = args;

	*how = 0;
	for (char *w = strtok_r(args, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		size_t i = 0;

		while (i < sizeof words / sizeof *words && strcmp(words[i].word, w))
			i++;
		if (i < sizeof words / sizeof *words) {
			*how |= words[i].how;
		} else if (!strncmp(w, "--", 2)) {
			chat_complain(c, "/quant: there are --exact, --borrowed and --go-on");
			return false;
		} else {
			memmove(to, w, strlen(w) + 1);
			to += strlen(to);
		}
	}
	*to = '\0';
	return true;
}

void slash_quant(struct chat *c, const char *words)
{
	char args[64];
	unsigned how;

	snprintf(args, sizeof args, "%s", words);
	if (!quant_how(c, args, &how))
		return;
	if (!c->info) {
		chat_complain(c, "the model is not open yet");
		return;
	}
	if (!*args) {
		list_levels(c);
		return;
	}
	if (!strcmp(args, "+") || !strcmp(args, "-")) {
		chat_switch_level(c, c->target + (*args == '+' ? -1 : 1), how);
		return;
	}
	for (int i = 0; i < c->n_levels; i++) {
		if (strcasecmp(c->levels[i].name, args))
			continue;
		if (i == c->target)
			chat_note(c, "%s is in use already", c->levels[i].name);
		chat_switch_level(c, i, how);
		return;
	}
	unknown_level(c, args);
}
