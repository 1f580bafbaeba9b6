#include "config.h"
#include "ui/ttyask.h"

#include <stdlib.h>
#include <string.h>

/* A report of mode 8, of private mode 1007, and the primary device attributes. */
const char tty_questions[] = "\033[8$p\033[?1007$p\033[c";

static const char *env(const char *name)
{
	const char *v = getenv(name);

	return v ? v : "";
}

bool tty_multiplexed(void)
{
	return *env("TMUX") || *env("STY");
}

static bool begins(const char *const *list, const char *term)
{
	for (; *list; list++)
		if (!strncmp(term, *list, strlen(*list)))
			return true;
	return false;
}

bool tty_like_xterm(void)
{
	static const char *const terms[] = {
		"xterm", "vte", "gnome", "konsole", "foot", "alacritty", "kitty", "wezterm", "contour", "mlterm", "mintty",
		"rxvt-unicode", "ghostty", NULL
	};

	return begins(terms, env("TERM"));
}

bool tty_has_title(void)
{
	static const char *const more[] = { "tmux", "screen", "rxvt", "st-", NULL };

	return tty_like_xterm() || begins(more, env("TERM"));
}

/*
 * BDSM: VTE since 0.58, mlterm and mintty by their manuals. Konsole and Apple's Terminal order each
 * line by themselves.
 */
enum tty_bidi tty_known_bidi(void)
{
	static const struct { const char *env, *value; enum tty_bidi who; } known[] = {
		{ "TERM_PROGRAM", "mintty", TTY_BIDI_SWITCH },
		{ "TERM_PROGRAM", "Apple_Terminal", TTY_BIDI_ITSELF },
		{ "MLTERM", NULL, TTY_BIDI_SWITCH },
		{ "VTE_VERSION", NULL, TTY_BIDI_SWITCH },
		{ "KONSOLE_VERSION", NULL, TTY_BIDI_ITSELF },
	};

	if (tty_multiplexed())
		return TTY_BIDI_NONE;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const char *v = env(known[i].env);

		if (*v && (!known[i].value || !strcmp(v, known[i].value)))
			return known[i].who;
	}
	return TTY_BIDI_NONE;
}
