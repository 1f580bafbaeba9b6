#include "config.h"
#include "app/argspec.h"

#include <string.h>

struct part { const char *p; size_t n; };

/* The next piece of *rest that ends at `end` outside of brackets; n 0 after the last. */
static struct part next_part(struct part *rest, char end)
{
	struct part got = { rest->p, 0 };
	int depth = 0;

	while (got.n < rest->n && (depth || rest->p[got.n] != end)) {
		depth += rest->p[got.n] == '[';
		depth -= rest->p[got.n] == ']';
		got.n++;
	}
	rest->p += got.n + (got.n < rest->n);
	rest->n -= got.n + (got.n < rest->n);
	return got;
}

static struct part inside(struct part p)
{
	while (p.n > 1 && p.p[0] == '[' && p.p[p.n - 1] == ']') {
		p.p++;
		p.n -= 2;
	}
	return p;
}

struct search { int n, i; char *buf; };

static bool is_option(struct part p)
{
	return p.n > 1 && p.p[0] == '-';
}

/* One place: what may stand there, or places of their own inside brackets. Takes `at`, returns the place behind it. */
static int look(struct part p, int at, struct search *s, bool *found)
{
	struct part choices = inside(p), choice, word;
	int behind = at;

	while (choices.n && !*found) {
		int k = at;

		choice = next_part(&choices, '|');
		while (choice.n && !*found) {
			word = next_part(&choice, ' ');
			if (!word.n)
				continue;
			if (word.p[0] == '[') {
				k = look(word, k, s, found);
				continue;
			}
			if ((is_option(word) ? ARGSPEC_OPTIONS : k) == s->n && word.n < ARGSPEC_WORD && s->i-- == 0) {
				memcpy(s->buf, word.p, word.n);
				s->buf[word.n] = '\0';
				*found = true;
			}
			k += !is_option(word);
		}
		if (k > behind)
			behind = k;
	}
	return behind;
}

bool argspec_word(const char *spec, int n, int i, char buf[ARGSPEC_WORD])
{
	struct part rest = { spec, strlen(spec) };
	struct search s = { n, i, buf };
	bool found = false;
	int at = 0;

	while (rest.n && !found)
		at = look(next_part(&rest, ' '), at, &s, &found);
	return found;
}

bool argspec_stands(const char *word)
{
	return word[0] >= 'A' && word[0] <= 'Z';
}
