/*
 * Ids → text, one token at a time: bytes of a character that is not whole yet are held
 * back, so that what comes out is always valid UTF-8 (unless raw bytes are asked for).
 */
#include "config.h"

#include "engine/text/utf8.h"
#include "engine/text/vocab_impl.h"

#include <string.h>

static const char replacement[] = "\xef\xbf\xbd";	/* U+FFFD */

void detok_init(struct detok *d, const struct vocab *v, bool special, bool at_start)
{
	*d = (struct detok){ .v = v, .special = special, .drop = at_start && v->add_space_prefix };
}

/* Whole characters go out, ill-formed bytes as U+FFFD; what may become a character is held. */
static void put(struct detok *d, const char *p, size_t n, struct str *out)
{
	while (d->n_held && n) {
		int k;

		d->held[d->n_held++] = *p;
		k = utf8_char(d->held, (size_t)d->n_held);
		if (k == 0) {
			p++;
			n--;
			continue;
		}
		if (k > 0) {
			str_add(out, d->held, (size_t)k);
			p++;
			n--;
		} else {	/* the byte at p is not a part of it */
			str_adds(out, replacement);
		}
		d->n_held = 0;
	}
	while (n) {
		size_t good = utf8_valid(p, n);
		int k;

		str_add(out, p, good);
		p += good;
		n -= good;
		if (n == 0)
			return;
		k = utf8_char(p, n);
		if (k == 0) {
			memcpy(d->held, p, n);
			d->n_held = (int)n;
			return;
		}
		str_adds(out, replacement);
		p += -k;
		n -= (size_t)-k;
	}
}

void detok_push(struct detok *d, int32_t id, struct str *out)
{
	const struct vocab *v = d->v;
	const char *p;
	size_t n;
	bool hidden, matched;

	if (id < 0 || id >= v->n)
		return;
	switch (v->flags[id] & TOKEN_ATTR) {
	case VOCAB_CONTROL:
	case VOCAB_UNKNOWN:
	case VOCAB_UNUSED:
		hidden = true;
		break;
	default:
		hidden = false;
	}
	if (hidden && !d->special)
		return;
	p = vocab_text(v, id, &n);
	if (n == 0)
		return;
	matched = hidden || (v->flags[id] & TOKEN_ATTR) == VOCAB_USER;
	if (d->drop && !matched && *p == ' ') {
		p++;
		n--;
	}
	/* what is matched as it stands gets a blank after it in encoding, and none before it */
	d->drop = matched && v->add_space_prefix;
	if (d->raw)
		str_add(out, p, n);
	else
		put(d, p, n, out);
}

void detok_end(struct detok *d, struct str *out)
{
	if (d->n_held)
		str_adds(out, replacement);
	d->n_held = 0;
}
