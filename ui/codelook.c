#include "config.h"
#include "ui/codelook.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

struct codelook {
	const char *names;		/* with blanks between and around */
	const char *line;		/* begins a comment to the line's end */
	const char *open, *close;	/* around a comment over lines */
	const char *quotes;
	const char *words;		/* with blanks between and around */
};

#define C_WORDS " auto break case char const continue default do double else enum extern float for goto if inline int " \
	"long return short signed sizeof static struct switch typedef union unsigned void volatile while bool true false NULL "
#define CC_WORDS "class delete namespace new nullptr operator private protected public template this throw try catch " \
	"using virtual override final noexcept constexpr mutable explicit friend typename "

static const struct codelook languages[] = {
	{ " c h ", "//", "/*", "*/", "\"'", C_WORDS },
	{ " cpp c++ cc cxx hpp cuda ", "//", "/*", "*/", "\"'", C_WORDS CC_WORDS },
	{ " java kotlin kt scala c# cs csharp swift dart ", "//", "/*", "*/", "\"'", C_WORDS
	  "class extends implements import interface package private protected public new this super throw throws try "
	  "catch finally abstract final null var val fun func let guard override using namespace boolean String " },
	{ " js javascript ts typescript jsx tsx ", "//", "/*", "*/", "\"'`",
	  " async await break case catch class const continue default delete do else export extends false finally for from "
	  "function if import in instanceof interface let new null of return static super switch this throw true try type "
	  "typeof undefined var void while yield " },
	{ " go golang ", "//", "/*", "*/", "\"'`",
	  " break case chan const continue default defer else false for func go goto if import interface map nil package "
	  "range return select struct switch true type var " },
	{ " rust rs ", "//", "/*", "*/", "\"",
	  " as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move "
	  "mut pub ref return self Self static struct super trait true type unsafe use where while " },
	{ " python py python3 ", "#", "\"\"\"", "\"\"\"", "\"'",
	  " and as assert async await break class continue def del elif else except False finally for from global if import "
	  "in is lambda None nonlocal not or pass raise return True try while with yield self " },
	{ " ruby rb ", "#", NULL, NULL, "\"'",
	  " alias and begin break case class def do else elsif end ensure false for if in module next nil not or redo rescue "
	  "retry return self super then true undef unless until when while yield require " },
	{ " sh bash shell zsh console ", "#", NULL, NULL, "\"'",
	  " case do done elif else esac export fi for function if in local return then until while exit set unset " },
	{ " sql sqlite ", "--", "/*", "*/", "'\"",
	  " select from where and or not insert into values update set delete create table index view drop alter join left "
	  "right inner outer on as group by order having limit union null primary key references default unique distinct "
	  "case when then else end with in is like between " },
	{ " lua ", "--", NULL, NULL, "\"'",
	  " and break do else elseif end false for function if in local nil not or repeat return then true until while " },
	{ " json json5 ", NULL, NULL, NULL, "\"", " true false null " },
	{ " yaml yml toml ini conf make makefile dockerfile r perl pl nix ", "#", NULL, NULL, "\"'", " true false yes no null if else for while return function " },
	{ " haskell hs elm ", "--", "{-", "-}", "\"",
	  " case class data deriving do else if import in instance let module newtype of then type where " },
	{ " lisp scheme clojure elisp ", ";", NULL, NULL, "\"", " define defun defn let lambda if cond quote begin set! fn def nil " },
};

/* Is " word " in a list? sql is written in both cases. */
static bool listed(const char *list, const char *word, size_t n)
{
	for (const char *p = list; p && *p; p++) {
		const char *end = strchr(p + 1, ' ');

		if (!end)
			break;
		if ((size_t)(end - p - 1) == n && !strncmp(p + 1, word, n))
			return true;
		p = end - 1;
	}
	return false;
}

const struct codelook *codelook_find(const char *name, size_t n)
{
	char low[16];

	if (!n || n >= sizeof(low))
		return NULL;
	for (size_t i = 0; i < n; i++)
		low[i] = (char)tolower((unsigned char)name[i]);
	for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
		if (listed(languages[i].names, low, n))
			return &languages[i];
	return NULL;
}

static bool begins(const char *s, size_t n, const char *with)
{
	return with && n >= strlen(with) && !memcmp(s, with, strlen(with));
}

static bool word_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_word(const struct codelook *c, const char *s, size_t n)
{
	char low[16];

	if (n >= sizeof(low))
		return false;
	if (listed(c->words, s, n))
		return true;
	if (!c->line || strcmp(c->line, "--"))
		return false;
	for (size_t i = 0; i < n; i++)
		low[i] = (char)tolower((unsigned char)s[i]);
	return listed(c->words, low, n);
}

static size_t string_end(const char *s, size_t n)
{
	size_t i = 1;

	while (i < n && s[i] != s[0])
		i += s[i] == '\\' ? 2 : 1;
	return i < n ? i + 1 : n;
}

static size_t comment_end(const struct codelook *c, const char *s, size_t n, size_t from, int *state)
{
	for (size_t i = from; i < n; i++) {
		if (begins(s + i, n - i, c->close)) {
			*state = 0;
			return i + strlen(c->close);
		}
	}
	*state = 1;
	return n;
}

/* The next piece that looks one way. */
static size_t piece(const struct codelook *c, int *state, const char *s, size_t n, enum style *style)
{
	size_t k = 0;

	*style = STYLE_COMMENT;
	if (*state)
		return comment_end(c, s, n, 0, state);
	if (begins(s, n, c->open))
		return comment_end(c, s, n, strlen(c->open), state);
	if (begins(s, n, c->line))
		return n;
	*style = STYLE_LITERAL;
	if (strchr(c->quotes, s[0]))
		return string_end(s, n);
	if (isdigit((unsigned char)s[0])) {
		while (k < n && (isalnum((unsigned char)s[k]) || s[k] == '.' || s[k] == '_'))
			k++;
		return k;
	}
	while (k < n && word_byte(s[k]))
		k++;
	*style = k && is_word(c, s, k) ? STYLE_WORD : STYLE_TEXT;
	return k ? k : 1;
}

void codelook_add(struct doc *d, const struct codelook *c, int *state, const char *s, size_t n)
{
	size_t line = d->text.len;

	while (n) {
		enum style style = STYLE_TEXT;
		size_t k = c ? piece(c, state, s, n, &style) : n;

		doc_look(d, (struct look){ (unsigned char)style, 0 });
		doc_add(d, line, s, k);
		s += k;
		n -= k;
	}
}
