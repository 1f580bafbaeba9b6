#!/bin/sh
test_description='tidbit.conf: defaults by section; mistakes are told by line'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
T=$TEST_BUILD/tidbit
S=$TIDBIT_PROFILES/stories260K.gguf
F=$HOME/.config/tidbit/tidbit.conf
mkdir -p "$HOME/.config/tidbit"

conf () { printf "$1" >"$F"; }
# stats ARGS...: what run tells of its settings
stats () { "$T" run "$S" "Once upon" --raw --stats "$@" >"$TRASH/out" 2>"$TRASH/err" </dev/null; code=$?; cat "$TRASH/err"; return $code; }
# wrong LINE PATTERN: the file is refused, its line named
wrong () {
	test_code 2 "$T" list >"$TRASH/out" 2>"$TRASH/err" || return 1
	cat "$TRASH/err"
	[ ! -s "$TRASH/out" ] && grep -q "^tidbit: $F: line $1: .*$2" "$TRASH/err"
}

test_expect_success 'no file: nothing is said' 'stats -n 2 -t 1 && grep -q "answer 2 tokens" "$TRASH/err"'
test_expect_success 'defaults of every verb, of one verb; comments and blanks' '
	conf "# mine\n\n[defaults]\nthreads = 1\n; more\n[run]\nmax-tokens = 3\ntemp=0 ; greedy\n[bench]\nmax-reps\n" &&
	wrong 10 "expected .section. or key = value" &&
	conf "# mine\n\n[defaults]\nthreads = 1\nmax-tokens = 7\n; more\n[run]\nmax-tokens = 3\ntemp=0 ; greedy\n" && stats &&
	grep -q "answer 3 tokens" "$TRASH/err" && grep -q ", 1 x " "$TRASH/err" && ! grep -q seed "$TRASH/err"
'
test_expect_success 'the environment wins over the file, the command line over both' '
	TIDBIT_MAX_TOKENS=4 && export TIDBIT_MAX_TOKENS && stats && grep -q "answer 4 tokens" "$TRASH/err" &&
	stats -n 5 && grep -q "answer 5 tokens" "$TRASH/err"
'
test_expect_success 'of another verb, and the last of two' '
	conf "[chat]\nmax-tokens = 9\n[run]\nmax-tokens = 9\nmax-tokens = 2\n" && stats && grep -q "answer 2 tokens" "$TRASH/err"
'
test_expect_success 'a value that goes on' '
	conf "[template]\njsonl = yes\nmodel = %s\n[run]\nmax-tokens = 2\nsystem = one\n  two = 2\n  [three]\n" "$S" && stats &&
	grep -q "answer 2 tokens" "$TRASH/err"
'
test_expect_success 'a form of output that only some verbs have' '
	conf "[defaults]\noutput = csv\n" && "$T" bench -m "$S" -p 2 -n 0 -r 1 | grep -q , && "$T" show "$S" | grep -q "^  layers" &&
	conf "[show]\noutput = csv\n" && wrong 2 "output: expected one of text, json, got .csv."
'
test_expect_success 'unknown section, key of a verb, key of defaults, key of models: the nearest' '
	conf "[defalts]\nthreads = 1\n" && wrong 2 "unknown section .defalts.; did you mean defaults?" &&
	conf "[run]\n\ntepm = 1\n" && wrong 3 "unknown key of .run. .tepm.; did you mean temp?" &&
	conf "[defaults]\nthreds = 1\n" && wrong 2 "unknown key of .defaults. .threds.; did you mean threads?" &&
	conf "[models]\nfoldr = /x\n" && wrong 2 "unknown key of .models. .foldr.; did you mean folder?" &&
	conf "[show]\nthreads = 1\n" && wrong 2 "unknown key of .show. .threads." &&
	conf "[run]\nhelp = 1\n" && wrong 2 "unknown key" && conf "threads = 1\n" && wrong 1 "a section comes first"
'
test_expect_success 'values that options do not take' '
	conf "[defaults]\ntemp = hot\n" && wrong 2 "temp: expected a number from 0 to 100, got .hot." &&
	conf "[defaults]\n\n\nthreads = 99999\n" && wrong 4 "threads: expected a whole number" &&
	conf "[run]\nkv = f17\n" && wrong 2 "kv: expected one of" && conf "[run]\nraw = perhaps\n" && wrong 2 "raw: expected 1 or 0" &&
	conf "[models]\nfolder = here\n" && wrong 2 "folder: expected a path that begins with / or"
'
test_expect_success 'levels too, in their places: one for run, a list for bench, either in defaults' '
	conf "[defaults]\nlevel = q9_9\n" && wrong 2 "level: .q9_9. is no quantization level" &&
	conf "[defaults]\n\nlevel = q8_1\n" && wrong 3 "level: .q8_1. is no quantization level; did you mean Q8_0" &&
	conf "[run]\nlevel = q8_0,q4_0\n" && wrong 2 "level: .q8_0,q4_0. is no" && conf "[quantize]\ntoken-embedding-type = x\n" && wrong 2 "no tensor type" &&
	conf "[defaults]\nlevel = q8_0,q4_0\n[run]\nmax-tokens = 1\n" && stats && grep -q "level F32" "$TRASH/err" &&
	conf "[defaults]\nlevel = q8_0\n[run]\nmax-tokens = 1\n" && stats && grep -q "level Q8_0" "$TRASH/err"
'
test_expect_success 'a byte order mark of UTF-8 is none of the text; UTF-16 is told' '
	conf "\357\273\277[run]\nmax-tokens = 2\n" && stats && grep -q "answer 2 tokens" "$TRASH/err" &&
	conf "\357\273\277[run]\nno\n" && wrong 2 "expected" &&
	conf "\377\376[\000r\000" && test_code 1 "$T" list 2>"$TRASH/err" && grep -q "tidbit.conf: is UTF-16; save it as UTF-8" "$TRASH/err"
'
test_expect_success 'every mistake is told, not only the first' '
	conf "[run]\ntepm = 1\nno\n[bench]\nrepetitions = 0\n" && wrong 2 tepm && wrong 3 expected && wrong 5 "repetitions: expected" &&
	[ "$(wc -l <"$TRASH/err")" = 3 ]
'
test_expect_success 'lines that are no lines: too long, NUL, a heading without its end; no control byte comes out' '
	{ echo "[run]"; printf "system = "; head -c 5000 /dev/zero | tr "\0" a; echo; } >"$F" && wrong 2 "too long" &&
	printf "[run]\nsystem = a\0b\n" >"$F" && wrong 2 "NUL" && conf "[run\nx=1\n" && wrong 1 "heading" &&
	printf "[run]\n\033]0;x\007 = \033[31m\n" >"$F" && wrong 2 "unknown key" && ! LC_ALL=C tr -d "\n" <"$TRASH/err" | LC_ALL=C grep -q "[[:cntrl:]]"
'
test_expect_success 'help and version do not need it' '
	conf "[run]\nnonsense\n" && "$T" --help | grep -q usage && "$T" run --help | grep -q usage && "$T" --version | grep -q tidbit
'
test_expect_success 'a pipe, a folder in its place, a file too large: told' '
	rm "$F" && mkfifo "$F" && { command -v timeout >/dev/null || exit 0; } &&
	test_code 1 timeout 5 "$T" list 2>"$TRASH/err" && cat "$TRASH/err" && grep -q "tidbit.conf: is no regular file" "$TRASH/err" &&
	rm "$F" && mkdir "$F" && test_code 1 "$T" list 2>"$TRASH/err" && cat "$TRASH/err" && grep -q "tidbit.conf" "$TRASH/err" && rmdir "$F" &&
	head -c 2000000 /dev/zero | tr "\0" "\n" >"$F" && test_code 1 "$T" list 2>"$TRASH/err" && grep -q "tidbit.conf: larger" "$TRASH/err"
'
test_expect_success 'XDG_CONFIG_HOME moves it' '
	rm "$F" && mkdir -p "$TRASH/c/tidbit" && printf "[run]\nmax-tokens = 6\n" >"$TRASH/c/tidbit/tidbit.conf" &&
	XDG_CONFIG_HOME=$TRASH/c && export XDG_CONFIG_HOME && stats && grep -q "answer 6 tokens" "$TRASH/err"
'
test_done
