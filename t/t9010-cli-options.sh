#!/bin/sh
test_description='verbs, options and help come from the same rows, and wrong calls are told what is near'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
T=$TEST_BUILD/tidbit

# says CODE PATTERN COMMAND...: nothing on stdout, a line on stderr that matches
says () {
	code=$1 pattern=$2; shift 2
	test_code "$code" "$@" >"$TRASH/out" 2>"$TRASH/err" </dev/null || { cat "$TRASH/out" "$TRASH/err"; return 1; }
	cat "$TRASH/err"
	[ ! -s "$TRASH/out" ] && grep -q -e "$pattern" "$TRASH/err"
}

test_expect_success 'help tells every verb, exit 0' '
	"$T" --help >"$TRASH/help" && for v in chat run bench logits show help version; do
		grep -q "^  $v" "$TRASH/help" || { echo "no $v"; exit 1; }
	done
'
test_expect_success 'help, -h and --help are the same, and so are the two ways to a verb'"'"'s' '
	"$T" help >"$TRASH/a" && "$T" -h >"$TRASH/b" && cmp "$TRASH/help" "$TRASH/a" && cmp "$TRASH/a" "$TRASH/b" &&
	"$T" help run >"$TRASH/a" && "$T" run --help >"$TRASH/b" && cmp "$TRASH/a" "$TRASH/b"
'
test_expect_success 'every verb has a help whose options are in one column, 80 wide at most' '
	for v in $(sed -n "s/^  \([a-z]*\).*/\1/p" "$TRASH/help"); do
		"$T" "$v" --help >"$TRASH/v" || exit 1
		grep -q "^usage: tidbit $v" "$TRASH/v" && grep -q -e "-h, --help" "$TRASH/v" || exit 1
		awk -v v="$v" "length(\$0) > 80 { print v \": \" \$0; exit 1 }" "$TRASH/v" || exit 1
	done
'
test_expect_success 'a default and an argument'"'"'s name stand in the help' '
	"$T" bench --help | grep -q -e "-r, --repetitions R .*default: 5" &&
	"$T" run --help | grep -q -e "--min-p P"
'
test_expect_success 'unknown verb: the nearest, exit 2' 'says 2 "did you mean bench" "$T" bnech'
test_expect_success 'unknown verb with nothing near it' 'says 2 "unknown verb .zzzzzz." "$T" zzzzzz'
test_expect_success 'a verb behind options is found' 'says 2 "run needs a PROMPT" "$T" --temp 0 -n 3 run x.gguf'
test_expect_success 'unknown option: the nearest, exit 2' 'says 2 "did you mean --temp" "$T" run x.gguf hi --tmep 0'
test_expect_success 'an option of another verb names the verbs that take it' '
	says 2 "run does not take --tokens; these do: logits" "$T" run x.gguf hi --tokens ids &&
	says 2 "logits does not take -r; these do: bench" "$T" logits -r 3
'
test_expect_success 'a bad number: what was expected, and the range' '
	says 2 "^tidbit: --temp: expected a number from 0 to 100, got .hot." "$T" run x hi --temp hot &&
	says 2 "from 0 to 100, got .101." "$T" run x hi --temp=101 &&
	says 2 "from 0 to 100, got .nan." "$T" run x hi --temp nan &&
	says 2 "whole number from 1 to 10000, got .0." "$T" bench -r0 &&
	says 2 "whole number" "$T" run x hi -n 1.5 &&
	says 2 "whole number" "$T" run x hi -n 99999999999999999999 &&
	says 2 "from 0 to 18446744073709551615" "$T" run x hi --seed -1
'
test_expect_success 'a bad choice names the choices' '
	says 2 "expected one of md, csv, json, got .xml." "$T" bench -o xml &&
	says 2 "one of f16, bf16, f32, q8_0" "$T" run x hi --kv f17
'
test_expect_success 'a missing value, a value too many, a word too many' '
	says 2 "needs a value: --temp T" "$T" run x hi --temp &&
	says 2 "takes no value" "$T" run x hi --raw=yes &&
	says 2 "one too many" "$T" run x hi there &&
	says 2 "one too many" "$T" chat -m x.gguf y.gguf
'
test_expect_success 'the environment gives defaults, the command line wins, a bad one is named' '
	export TIDBIT_TEMP=warm && says 2 "TIDBIT_TEMP: expected a number" "$T" run x hi &&
	export TIDBIT_TEMP=0 TIDBIT_RAW=perhaps && says 2 "TIDBIT_RAW: expected 1 or 0" "$T" run x hi &&
	export TIDBIT_RAW=1 && says 1 "nowhere.gguf" "$T" run ./nowhere.gguf hi --temp 1
'
test_expect_success '-- ends the options' '
	says 1 "nowhere.gguf" "$T" run ./nowhere.gguf -- --raw
'
test_expect_success 'values stand apart, behind = or behind the letter' '
	for a in "-n 5" "-n5" "--max-tokens 5" "--max-tokens=5" "-n -1"; do
		says 1 "nowhere.gguf" "$T" run ./nowhere.gguf hi $a || exit 1
	done
'
test_expect_success 'control bytes of an argument do not come out again' '
	"$T" "$(printf "\033]0;x\007")" 2>"$TRASH/err" || :
	! LC_ALL=C grep -q "[^[:print:]]" "$TRASH/err"
'
test_expect_success 'a full disk is noticed' '
	[ ! -e /dev/full ] || says 1 "standard output" sh -c "\"$T\" --help >/dev/full"
'
test_expect_success 'closed standard streams: no crash, and the loss is noticed' '
	sh -c "\"$T\" --help >&- 2>/dev/null"; [ $? -eq 1 ] && sh -c "\"$T\" --help <&- 2>&-" | grep -q usage
'
test_expect_success 'a stack that is too small is told, one that may grow does' '
	! sh -c "ulimit -s 300; \"$T\" --help" >"$TRASH/out" 2>"$TRASH/err" &&
	grep -q "stack.*ulimit -s" "$TRASH/err" && [ ! -s "$TRASH/out" ] &&
	sh -c "ulimit -S -s 300; \"$T\" --help" | grep -q usage
'
test_expect_success 'numbers have a point in every language' '
	LC_ALL=de_DE.UTF-8 "$T" run --help | grep -q "0\.8"
'
test_done
