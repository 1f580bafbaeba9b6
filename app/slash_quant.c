/* The command /quant: the levels of the model, and switching between them. */
#include "config.h"
#include "app/slash.h"
#include "engine/base/xio.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

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

/* Only of this command: what else it does with the level. */
enum { SAVE = CHAT_GO_ON << 1 };

/* Takes the words that begin with -- out of args. False: one of them is unknown. */
static bool quant_how(struct chat *c, char *args, unsigned *how)
{
	static const struct { const char *word; unsigned how; } words[] = {
		{ "--exact", CHAT_EXACT }, { "--borrowed", CHAT_BORROWED }, { "--go-on", CHAT_GO_ON }, { "--save", SAVE },
	};
	char *to = args, *w = args;
	size_t all;

	*how = 0;
	for (; *w; w += all) {
		const size_t n = strcspn(w, " \t");
		size_t i = 0;

		/* what is between words stays: a file's name may have blanks */
		all = n + strspn(w + n, " \t");
		while (i < sizeof words / sizeof *words && (strlen(words[i].word) != n || strncmp(words[i].word, w, n)))
			i++;
		if (i < sizeof words / sizeof *words) {
			*how |= words[i].how;
		} else if (!strncmp(w, "--", 2)) {
			chat_complain(c, "/quant: there are --exact, --borrowed, --go-on and --save");
			return false;
		} else {
			memmove(to, w, all);
			to += all;
		}
	}
	while (to > args && strchr(" \t", to[-1]))
		to--;
	*to = '\0';
	return true;
}

static void take_level(struct chat *c, int i, unsigned how, const char *file)
{
	if (i == c->target && !(how & SAVE))
		chat_note(c, "%s is in use already", c->levels[i].name);
	chat_switch_level(c, i, how & ~(unsigned)SAVE);
	if (how & SAVE)
		chat_save_level(c, i, file);
}

static void quant(struct chat *c, char *args)
{
	unsigned how;
	struct err e;
	char *file;
	int i, step;

	if (!quant_how(c, args, &how))
		return;
	if ((how & CHAT_EXACT) && (how & CHAT_BORROWED)) {
		chat_complain(c, "/quant: a switch is --exact or --borrowed, not both");
		return;
	}
	if (!*args && !(how & SAVE)) {
		list_levels(c);
		return;
	}
	file = args + strcspn(args, " \t");
	if (*file)
		*file++ = '\0';
	file += strspn(file, " \t");
	if (*file && !(how & SAVE)) {
		chat_complain(c, "/quant takes one level");
		return;
	}
	step = !strcmp(args, "+") ? -1 : !strcmp(args, "-");
	i = step ? chat_next_level(c, step) : *args ? chat_find_level(c, args, &e) : c->target;
	if (i >= 0)
		take_level(c, i, how, file);
	else if (!step)
		chat_complain(c, "%s", e.msg);
	else
		chat_complain(c, "the ladder has no %s level than %s", step < 0 ? "better" : "smaller", c->levels[c->target].name);
}

void slash_quant(struct chat *c, const char *words)
{
	char *args;

	if (!c->info) {
		chat_complain(c, "the model is not open yet");
		return;
	}
	args = mem_strdup(words);
	if (args)
		quant(c, args);
	mem_free(args);
}
