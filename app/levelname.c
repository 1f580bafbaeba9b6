#include "config.h"
#include "app/levelname.h"
#include "app/cmd.h"
#include "engine/base/str.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MAX_NAMES = 64, MAX_NAME = 32 };

/* Names are in capitals, and users' words in any case. */
static const char *nearest(const char *word, const char *const *names)
{
	char upper[MAX_NAME];
	size_t n = 0;

	for (; word[n] && n < sizeof upper - 1; n++)
		upper[n] = word[n] >= 'a' && word[n] <= 'z' ? (char)(word[n] - 'a' + 'A') : word[n];
	upper[n] = '\0';
	return word[n] ? NULL : cmd_nearest(upper, names);
}

static int unknown(const char *what, const char *kind, const char *word, const char *(*name)(int i), struct err *e)
{
	const char *names[MAX_NAMES] = { NULL }, *near;
	struct str all;
	char q[64];

	str_init(&all, 400);
	for (int i = 0; i < MAX_NAMES - 1 && name(i); i++) {
		names[i] = name(i);
		str_addf(&all, "%s%s", i ? " " : "", names[i]);
	}
	near = nearest(word, names);
	err_set(e, ERR_ARG, "%s: '%s' is no %s%s%s; there are: %s", what, err_quote(q, sizeof q, word, strlen(word)), kind,
		near ? "; did you mean " : "", near ? near : "", all.p);
	str_release(&all);
	return -1;
}

int levelname_check(const char *what, const char *name, struct err *e)
{
	return eng_level_known(name) ? 0 : unknown(what, "quantization level", name, eng_level_name, e);
}

int levelname_check_list(const char *what, const char *list, struct err *e)
{
	char name[MAX_NAME];

	for (;; list++) {
		const size_t n = strcspn(list, ",");

		snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), list);
		if (!n)
			return err_set(e, ERR_ARG, "%s: the list of levels has an empty place", what);
		if (levelname_check(what, name, e) < 0)
			return -1;
		list += n;
		if (!*list)
			return 0;
	}
}

int levelname_check_type(const char *what, const char *name, struct err *e)
{
	for (int i = 0; eng_type_name(i); i++)
		if (!strcasecmp(eng_type_name(i), name))
			return 0;
	return unknown(what, "tensor type", name, eng_type_name, e);
}

const char *levelname_work(char *buf, size_t size, const struct eng_info *info, const char *level)
{
	const bool own = !level || !strcasecmp(level, info->level);

	snprintf(buf, size, "%s%.16s", own ? "loading" : "making ", own ? "" : level);
	return buf;
}
