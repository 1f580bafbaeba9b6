#include "config.h"
#include "ui/find.h"

#include "engine/base/xio.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { MATCH_LIMIT = 100000, DEPTH_LIMIT = 1000, HEAP_KIB = 4096 };

struct find {
	pcre2_code *code;
	pcre2_match_data *match;
	pcre2_match_context *limits;
};

/* A capital that is not part of an escape such as \W. */
static bool has_capital(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n;) {
		ucs4_t cp;
		int k = u8_mbtoucr(&cp, (const uint8_t *)s + i, n - i);

		if (k <= 0)
			return true;
		if (cp == '\\')
			i++;
		else if (uc_is_upper(cp))
			return true;
		i += (size_t)k;
	}
	return false;
}

int find_new(struct find **out, const char *pattern, struct err *e)
{
	struct find *f = mem_calloc(1, sizeof(*f));
	uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;
	char why[120];
	PCRE2_SIZE at;
	int code;

	if (!f)
		return err_set(e, ERR_NOMEM, "no memory to search");
	if (!has_capital(pattern))
		options |= PCRE2_CASELESS;
	f->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &code, &at, NULL);
	if (!f->code) {
		find_free(f);
		pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof(why));
		return err_set(e, ERR_ARG, "%s, at character %zu", why, (size_t)at);
	}
	f->match = pcre2_match_data_create_from_pattern(f->code, NULL);
	f->limits = pcre2_match_context_create(NULL);
	if (!f->match || !f->limits) {
		find_free(f);
		return err_set(e, ERR_NOMEM, "no memory to search");
	}
	pcre2_set_match_limit(f->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(f->limits, DEPTH_LIMIT);
	pcre2_set_heap_limit(f->limits, HEAP_KIB);
	*out = f;
	return 0;
}

void find_free(struct find *f)
{
	if (!f)
		return;
	pcre2_match_context_free(f->limits);
	pcre2_match_data_free(f->match);
	pcre2_code_free(f->code);
	mem_free(f);
}

int find_in(const struct find *f, const char *s, size_t n, struct find_range *ranges, int max)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(f->match);
	size_t from = 0;
	int found = 0;

	while (from < n && found < max) {
		int r = pcre2_match(f->code, (PCRE2_SPTR)s, n, from, PCRE2_NOTEMPTY | PCRE2_NO_UTF_CHECK, f->match, f->limits);

		if (r < 0 || at[1] <= from || at[0] >= at[1])
			break;
		ranges[found++] = (struct find_range){ at[0], at[1] };
		from = at[1];
	}
	return found;
}
