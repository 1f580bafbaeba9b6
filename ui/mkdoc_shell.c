/* Completions for bash, zsh and fish. What is fixed is written here as it will stand; what the tables say goes between. */
#include "config.h"
#include "ui/mkdoc.h"

#include <stdio.h>
#include <string.h>

enum { PLACES = 8 };	/* arguments of a verb, at most */

static const char *const kind_names[] = {
	[MKDOC_ANY] = "any", [MKDOC_WORDS] = "words", [MKDOC_LIST] = "list", [MKDOC_THEME] = "theme", [MKDOC_MODEL] = "model",
	[MKDOC_FILE] = "file",
};

static const struct { const char *word, *help; } globals[] = {
	{ "--help", "all verbs" }, { "--version", "version, build, instruction sets and libraries" },
};
enum { N_GLOBALS = sizeof(globals) / sizeof(globals[0]) };

/* Between single quotes; `quote` is how one stands there itself. */
static void add_quoted(struct str *out, const char *s, const char *quote, const char *escaped)
{
	for (; *s; s++) {
		if (*s == '\'') {
			str_adds(out, quote);
			continue;
		}
		if (strchr(escaped, *s))
			str_addc(out, '\\');
		str_addc(out, *s);
	}
}

static const char *no_blank(const struct str *words)
{
	return words->p + (words->len && words->p[0] == ' ');
}

/* One argument of a verb that something is known of, n from 0 on. */
typedef void argument_fn(struct str *out, const struct cmd *v, int n, enum mkdoc_kind kind, const struct str *words);

static void each_argument(struct str *out, const struct cmd *v, argument_fn *add)
{
	struct str words;

	str_init(&words, 0);
	for (int n = 0; n < PLACES; n++) {
		enum mkdoc_kind kind;

		str_clear(&words);
		kind = mkdoc_argument(v, n, &words);
		if (kind != MKDOC_ANY)
			add(out, v, n, kind, &words);
	}
	str_release(&words);
}

/* -- bash --------------------------------------------------------------------------------- */

static const char bash_head[] =
	"# bash completion for tidbit: made by the build from the program's tables\n\n";

static const char bash_tail[] =
	"# Of the lines read those that begin with $1, in any case; $2 stands before each.\n"
	"_tidbit_add()\n"
	"{\n"
	"\tlocal begin=${1,,} w\n"
	"\twhile IFS= read -r w; do\n"
	"\t\t[[ -n $w && ${w,,} == \"$begin\"* ]] && COMPREPLY+=(\"$2$w\")\n"
	"\tdone\n"
	"}\n\n"
	"# Files and folders; of the files only those that $3 leaves.\n"
	"_tidbit_files()\n"
	"{\n"
	"\tlocal f\n"
	"\twhile IFS= read -r f; do\n"
	"\t\t[[ -n $f ]] && COMPREPLY+=(\"$2$f\")\n"
	"\tdone < <({ compgen -f -X \"$3\" -- \"$1\"; [[ -z $3 ]] || compgen -d -- \"$1\"; } | sort -u)\n"
	"\tcompopt -o filenames 2>/dev/null\n"
	"}\n\n"
	"# Sections of the user's own file.\n"
	"_tidbit_themes()\n"
	"{\n"
	"\tlocal file=${XDG_CONFIG_HOME:-$HOME/.config}/tidbit/themes.conf\n"
	"\t[[ -f $file ]] && sed -n 's/^\\[\\(..*\\)\\].*/\\1/p' \"$file\"\n"
	"}\n\n"
	"# What is begun with $1 and is of $kind; $2 stands before it.\n"
	"_tidbit_offer()\n"
	"{\n"
	"\tlocal before=\n"
	"\tcase $kind in\n"
	"\twords) _tidbit_add \"$1\" \"$2\" <<<\"${words// /$'\\n'}\" ;;\n"
	"\tlist)\n"
	"\t\t[[ $1 == *,* ]] && before=${1%,*},\n"
	"\t\t_tidbit_add \"${1#\"$before\"}\" \"$2$before\" <<<\"${words// /$'\\n'}\" ;;\n"
	"\ttheme)\n"
	"\t\t_tidbit_add \"$1\" \"$2\" < <({ printf '%s\\n' $words; _tidbit_themes; } | sort -u) ;;\n"
	"\tmodel)\n"
	"\t\t_tidbit_add \"$1\" \"$2\" < <(\"$program\" list -o names 2>/dev/null)\n"
	"\t\t_tidbit_files \"$1\" \"$2\" '!*.[gG][gG][uU][fF]' ;;\n"
	"\tfile) _tidbit_files \"$1\" \"$2\" ;;\n"
	"\tesac\n"
	"}\n\n"
	"_tidbit()\n"
	"{\n"
	"\tlocal line=${COMP_LINE:0:COMP_POINT} cur= program verb=chat named= waits= ended= kind words w strip r\n"
	"\tlocal -i i n=0\n"
	"\tlocal -a typed found\n"
	"\t# apart at blanks alone: names have colons in them\n"
	"\tread -ra typed <<<\"$line\"\n"
	"\tprogram=${typed[0]}\n"
	"\tif [[ $line != *[[:blank:]] ]]; then\n"
	"\t\tcur=${typed[${#typed[@]}-1]}\n"
	"\t\ttyped=(\"${typed[@]:0:${#typed[@]}-1}\")\n"
	"\tfi\n"
	"\tCOMPREPLY=()\n"
	"\tfor ((i = 1; i < ${#typed[@]}; i++)); do\n"
	"\t\tw=${typed[i]}\n"
	"\t\t[[ \" $_tidbit_verbs \" == *\" $w \"* ]] && { verb=$w named=$i; break; }\n"
	"\tdone\n"
	"\tfor ((i = 1; i < ${#typed[@]}; i++)); do\n"
	"\t\tw=${typed[i]} waits=\n"
	"\t\t[[ $i == \"$named\" ]] && continue\n"
	"\t\tif [[ $w == -- && -z $ended ]]; then\n"
	"\t\t\tended=1\n"
	"\t\telif [[ $w == -?* && -z $ended ]]; then\n"
	"\t\t\t_tidbit_value \"$verb:$w\" && waits=$w && i+=1\n"
	"\t\telse\n"
	"\t\t\tn+=1\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tif [[ -n $waits && $i -gt ${#typed[@]} ]]; then\n"
	"\t\t_tidbit_value \"$verb:$waits\"\n"
	"\t\t_tidbit_offer \"$cur\" \"\"\n"
	"\telif [[ $cur == --*=* && -z $ended ]]; then\n"
	"\t\t_tidbit_value \"$verb:${cur%%=*}\" && _tidbit_offer \"${cur#*=}\" \"${cur%%=*}=\"\n"
	"\telif [[ $cur == -* && -z $ended ]]; then\n"
	"\t\t_tidbit_options \"$verb\"\n"
	"\t\t[[ -z $named && $n == 0 ]] && words+=\" $_tidbit_globals\"\n"
	"\t\tkind=words\n"
	"\t\t_tidbit_offer \"$cur\" \"\"\n"
	"\telse\n"
	"\t\t_tidbit_argument \"$verb:$n\"\n"
	"\t\t_tidbit_offer \"$cur\" \"\"\n"
	"\t\tif [[ -z $named && $n == 0 ]]; then\n"
	"\t\t\tkind=words words=$_tidbit_verbs\n"
	"\t\t\t_tidbit_offer \"$cur\" \"\"\n"
	"\t\tfi\n"
	"\tfi\n"
	"\t# readline takes what stands behind the last : or = for the word\n"
	"\tif [[ $cur == *[:=]* ]]; then\n"
	"\t\tstrip=${cur%\"${cur##*[:=]}\"}\n"
	"\t\tfor r in \"${COMPREPLY[@]}\"; do\n"
	"\t\t\tfound+=(\"${r:${#strip}}\")\n"
	"\t\tdone\n"
	"\t\tCOMPREPLY=(\"${found[@]}\")\n"
	"\tfi\n"
	"}\n"
	"complete -F _tidbit tidbit\n";

static void verb_names(struct str *out)
{
	for (const struct cmd *const *v = cmd_verbs; *v; v++)
		str_addf(out, "%s%s", v == cmd_verbs ? "" : " ", (*v)->name);
}

/* "chat:--temp|run:--temp" : who takes the row, by both of its names. */
static void bash_patterns(struct str *out, const struct opt *r)
{
	int n = 0;

	for (const struct cmd *const *v = cmd_verbs; *v; v++) {
		if (!mkdoc_takes(*v, r))
			continue;
		str_addf(out, "%s%s:--%s", n++ ? "|" : "", (*v)->name, opt_name(r));
		if (r->letter)
			str_addf(out, "|%s:-%c", (*v)->name, r->letter);
	}
}

static void bash_values(struct str *out)
{
	struct str words;

	str_adds(out, "# What an option's value is: kind and words. False: it takes none.\n_tidbit_value()\n{\n\twords=\n\tcase $1 in\n");
	str_init(&words, 0);
	for (const struct opt *r = opt_table; r->key; r++) {
		enum mkdoc_kind kind;

		if (r->type == OPT_FLAG)
			continue;
		str_clear(&words);
		kind = mkdoc_value(r, &words);
		str_addc(out, '\t');
		bash_patterns(out, r);
		str_addf(out, ") kind=%s words='%s' ;;\n", kind_names[kind], no_blank(&words));
	}
	str_adds(out, "\t*) return 1 ;;\n\tesac\n}\n\n");
	str_release(&words);
}

static void bash_argument(struct str *out, const struct cmd *v, int n, enum mkdoc_kind kind, const struct str *words)
{
	str_addf(out, "\t%s:%d) kind=%s words='%s' ;;\n", v->name, n, kind_names[kind], no_blank(words));
}

static void bash_arguments(struct str *out)
{
	str_adds(out, "# What the n-th argument of a verb is.\n_tidbit_argument()\n{\n\tkind=any words=\n\tcase $1 in\n");
	for (const struct cmd *const *v = cmd_verbs; *v; v++)
		each_argument(out, *v, bash_argument);
	str_adds(out, "\tesac\n}\n\n");
}

void mkdoc_bash(struct str *out)
{
	str_adds(out, bash_head);
	str_adds(out, "_tidbit_verbs='");
	verb_names(out);
	str_adds(out, "'\n_tidbit_globals='");
	for (int i = 0; i < N_GLOBALS; i++)
		str_addf(out, "%s%s", i ? " " : "", globals[i].word);
	str_adds(out, "'\n\n");
	bash_values(out);
	bash_arguments(out);
	str_adds(out, "_tidbit_options()\n{\n\tcase $1 in\n");
	for (const struct cmd *const *v = cmd_verbs; *v; v++) {
		str_addf(out, "\t%s) words='", (*v)->name);
		for (const char *const *k = (*v)->opts; *k; k++) {
			const struct opt *r = opt_by_key(*k);

			str_addf(out, "%s--%s", k == (*v)->opts ? "" : " ", opt_name(r));
			if (r->letter)
				str_addf(out, " -%c", r->letter);
		}
		str_adds(out, "' ;;\n");
	}
	str_adds(out, "\tesac\n}\n\n");
	str_adds(out, bash_tail);
}

/* -- zsh ------------------------------------------------------------------------------------ */

static const char zsh_head[] =
	"#compdef tidbit\n"
	"# zsh completion for tidbit: made by the build from the program's tables\n\n"
	"_tidbit_models() {\n"
	"\tlocal expl\n"
	"\tlocal -a names\n"
	"\tnames=(${(f)\"$(_call_program models ${(q)words[1]} list -o names 2>/dev/null)\"})\n"
	"\t_wanted models expl model compadd -M 'm:{a-zA-Z}={A-Za-z}' -a names\n"
	"\t_files -g '*.gguf(-.)'\n"
	"}\n\n"
	"# words in any case; with commas between them\n"
	"_tidbit_words() {\n\tcompadd -M 'm:{a-zA-Z}={A-Za-z}' - \"$@\"\n}\n\n"
	"# and sections of the user's own file\n"
	"_tidbit_theme() {\n"
	"\tlocal file=${XDG_CONFIG_HOME:-$HOME/.config}/tidbit/themes.conf\n"
	"\tlocal -a own\n"
	"\t[[ -f $file ]] && own=(${(f)\"$(sed -n 's/^\\[\\(..*\\)\\].*/\\1/p' $file)\"})\n"
	"\t_tidbit_words \"$@\" $own\n"
	"}\n\n"
	"_tidbit_list() {\n\t_sequence compadd -M 'm:{a-zA-Z}={A-Za-z}' - \"$@\"\n}\n\n";

static const char zsh_tail[] =
	"\tif [[ -n $named ]]; then\n"
	"\t\targs=('1:verb: ' ${args/#(#b)([0-9]##):/$((match[1]+1)):})\n"
	"\telse\n"
	"\t\targs=('1: :_tidbit_first')\n"
	"\tfi\n"
	"\t_arguments -s -S $opts $args\n"
	"}\n\n"
	"_tidbit \"$@\"\n";

static void zsh_text(struct str *out, const char *s)
{
	add_quoted(out, s, "'\\''", "[]\\");
}

static void zsh_action(struct str *out, enum mkdoc_kind kind, const struct str *words)
{
	switch (kind) {
	case MKDOC_WORDS:
	case MKDOC_LIST:
	case MKDOC_THEME:
		/* the blank before it: called as it stands */
		str_addf(out, " _tidbit_%s %s", kind_names[kind], no_blank(words));
		break;
	case MKDOC_MODEL:
		str_adds(out, "_tidbit_models");
		break;
	case MKDOC_FILE:
		str_adds(out, "_files");
		break;
	default:
		str_adds(out, " ");
		break;
	}
}

/* '(-t --threads)-t+[help]:N:action' */
static void zsh_spelled(struct str *out, const struct opt *r, bool letter)
{
	struct str words;
	enum mkdoc_kind kind;

	str_adds(out, "\t\t\t'");
	if (r->type == OPT_LIST)
		str_addc(out, '*');
	else if (r->letter)
		str_addf(out, "(-%c --%s)", r->letter, opt_name(r));
	if (letter)
		str_addf(out, "-%c%s[", r->letter, r->type == OPT_FLAG ? "" : "+");
	else
		str_addf(out, "--%s%s[", opt_name(r), r->type == OPT_FLAG ? "" : "=");
	zsh_text(out, r->help);
	str_addc(out, ']');
	if (r->type != OPT_FLAG) {
		str_init(&words, 0);
		kind = mkdoc_value(r, &words);
		str_addf(out, ":%s:", r->arg);
		zsh_action(out, kind, &words);
		str_release(&words);
	}
	str_adds(out, "'\n");
}

static void zsh_argument(struct str *out, const struct cmd *v, int n, enum mkdoc_kind kind, const struct str *words)
{
	(void)v;
	str_addf(out, "\t\t\t'%d: :", n + 1);
	zsh_action(out, kind, words);
	str_adds(out, "'\n");
}

static void zsh_verb(struct str *out, const struct cmd *v)
{
	str_addf(out, "\t(%s)\n\t\topts=(\n", v->name);
	for (const char *const *k = v->opts; *k; k++) {
		if (opt_by_key(*k)->letter)
			zsh_spelled(out, opt_by_key(*k), true);
		zsh_spelled(out, opt_by_key(*k), false);
	}
	str_adds(out, "\t\t)\n\t\targs=(\n");
	each_argument(out, v, zsh_argument);
	str_adds(out, "\t\t)\n\t\t;;\n");
}

void mkdoc_zsh(struct str *out)
{
	str_adds(out, zsh_head);
	str_adds(out, "_tidbit_verbs=(\n");
	for (const struct cmd *const *v = cmd_verbs; *v; v++) {
		str_addf(out, "\t'%s:", (*v)->name);
		add_quoted(out, (*v)->help, "'\\''", "\\:");
		str_adds(out, "'\n");
	}
	str_adds(out, ")\n\n_tidbit_first() {\n\t_describe -t verbs verb _tidbit_verbs\n\t_tidbit_models\n}\n\n"
		      "_tidbit() {\n\tsetopt localoptions extendedglob\n\tlocal verb=chat named= w\n\tlocal -a opts args\n"
		      "\tfor w in ${words[2,CURRENT-1]}; do\n"
		      "\t\tif (( ${_tidbit_verbs[(I)$w:*]} )); then\n\t\t\tverb=$w named=1\n\t\t\tbreak\n\t\tfi\n\tdone\n\tcase $verb in\n");
	for (const struct cmd *const *v = cmd_verbs; *v; v++)
		zsh_verb(out, *v);
	str_adds(out, "\tesac\n\tif [[ -z $named ]]; then\n\t\topts+=(\n");
	for (int i = 1; i < N_GLOBALS; i++)
		str_addf(out, "\t\t\t'%s[%s]'\n", globals[i].word, globals[i].help);
	str_adds(out, "\t\t)\n\tfi\n");
	str_adds(out, zsh_tail);
}

/* -- fish ----------------------------------------------------------------------------------- */

static void fish_text(struct str *out, const char *s)
{
	add_quoted(out, s, "\\'", "\\");
}

static void fish_functions(struct str *out)
{
	str_adds(out, "# fish completion for tidbit: made by the build from the program's tables\n\n"
		      "function __tidbit_named\n\tfor w in (commandline -opc)[2..-1]\n\t\tif contains -- $w ");
	verb_names(out);
	str_adds(out, "\n\t\t\techo $w\n\t\t\treturn 0\n\t\tend\n\tend\n\treturn 1\nend\n\n"
		      "function __tidbit_is\n\tset -l verb (__tidbit_named)\n\tor set verb chat\n\tcontains -- $verb $argv\nend\n\n"
		      "function __tidbit_models\n\tset -l words (commandline -opc)\n\tcommand $words[1] list -o names 2>/dev/null\n"
		      "\t__fish_complete_path (commandline -ct) | string match -r -i '^.*(?:/|\\.gguf)(?:\\t.*)?$'\nend\n\n"
		      "# \"q8_0,q4\": a list is completed behind its last comma\n"
		      "function __tidbit_list\n\tset -l before (string replace -rf '^(.*,).*$' '$1' -- (commandline -ct))\n"
		      "\tfor w in $argv\n\t\techo $before$w\n\tend\nend\n\n"
		      "function __tidbit_themes\n\tset -l file $HOME/.config/tidbit/themes.conf\n"
		      "\ttest -n \"$XDG_CONFIG_HOME\"; and set file $XDG_CONFIG_HOME/tidbit/themes.conf\n"
		      "\ttest -f $file; and sed -n 's/^\\[\\(..*\\)\\].*/\\1/p' $file\nend\n\n"
		      "complete -c tidbit -f\n");
}

static void fish_values(struct str *out, enum mkdoc_kind kind, const struct str *words, bool option)
{
	switch (kind) {
	case MKDOC_WORDS:
		str_addf(out, "%s -a '%s'", option ? " -x" : "", no_blank(words));
		break;
	case MKDOC_LIST:
		str_addf(out, "%s -a '(__tidbit_list %s)'", option ? " -x" : "", no_blank(words));
		break;
	case MKDOC_THEME:
		str_addf(out, "%s -a '%s (__tidbit_themes)'", option ? " -x" : "", no_blank(words));
		break;
	case MKDOC_MODEL:
		str_addf(out, "%s -a '(__tidbit_models)'", option ? " -x" : "");
		break;
	case MKDOC_FILE:
		str_adds(out, option ? " -r -F" : " -F");
		break;
	default:
		str_adds(out, option ? " -x" : "");
		break;
	}
}

static void fish_option(struct str *out, const struct opt *r)
{
	struct str words;
	enum mkdoc_kind kind;

	str_adds(out, "complete -c tidbit -n '__tidbit_is");
	for (const struct cmd *const *v = cmd_verbs; *v; v++)
		if (mkdoc_takes(*v, r))
			str_addf(out, " %s", (*v)->name);
	str_adds(out, "'");
	if (r->letter)
		str_addf(out, " -s %c", r->letter);
	str_addf(out, " -l %s", opt_name(r));
	if (r->type != OPT_FLAG) {
		str_init(&words, 0);
		kind = mkdoc_value(r, &words);
		fish_values(out, kind, &words, true);
		str_release(&words);
	}
	str_adds(out, " -d '");
	fish_text(out, r->help);
	str_adds(out, "'\n");
}

static void fish_argument(struct str *out, const struct cmd *v, int n, enum mkdoc_kind kind, const struct str *words)
{
	(void)n;
	str_addf(out, "complete -c tidbit -n '__tidbit_is %s'", v->name);
	fish_values(out, kind, words, false);
	str_addc(out, '\n');
}

void mkdoc_fish(struct str *out)
{
	fish_functions(out);
	for (const struct cmd *const *v = cmd_verbs; *v; v++) {
		str_addf(out, "complete -c tidbit -n 'not __tidbit_named' -a %s -d '", (*v)->name);
		fish_text(out, (*v)->help);
		str_adds(out, "'\n");
	}
	for (int i = 1; i < N_GLOBALS; i++)
		str_addf(out, "complete -c tidbit -n 'not __tidbit_named' -l %s -d '%s'\n", globals[i].word + 2, globals[i].help);
	for (const struct opt *r = opt_table; r->key; r++)
		fish_option(out, r);
	for (const struct cmd *const *v = cmd_verbs; *v; v++)
		each_argument(out, *v, fish_argument);
}
