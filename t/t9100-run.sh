#!/bin/sh
test_description='run: one answer on stdout, everything else on stderr'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
T=$TEST_BUILD/tidbit
M=$TIDBIT_PROFILES/stories260K.gguf
SMOL=$TIDBIT_DATA/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf
story=', there was a little girl named Lily. She loved to play outside in the park.'

# a shell that started this in the background has SIGINT ignored
if env --default-signal=INT true 2>/dev/null; then INT='env --default-signal=INT'; else INT=; fi

test_expect_success 'greedy: the known story, ending in one newline, and nothing else' '
	"$T" run "$M" "Once upon a time" --temp 0 -n 30 </dev/null >"$TRASH/a" 2>"$TRASH/err" &&
	head -c ${#story} "$TRASH/a" | grep -qxF -e "$story" &&
	[ "$(tail -c 1 "$TRASH/a" | od -An -tx1 | tr -d " ")" = 0a ] && [ "$(wc -l <"$TRASH/a")" = 1 ]
'
test_expect_success 'a model without a template says that it goes on with the text; --raw need not' '
	grep -q "goes on with the prompt" "$TRASH/err" &&
	"$T" run --raw "$M" "Once upon a time" --temp 0 -n 30 </dev/null >"$TRASH/b" 2>"$TRASH/err" &&
	cmp "$TRASH/a" "$TRASH/b" && [ ! -s "$TRASH/err" ]
'
test_expect_success 'no figures on a stderr that is no terminal, but with --stats' '
	"$T" run --raw "$M" "Once upon a time" --temp 0 -n 30 --stats </dev/null 2>"$TRASH/err" >"$TRASH/b" &&
	cmp "$TRASH/a" "$TRASH/b" && cat "$TRASH/err" &&
	grep -q "^prompt 5 tokens, prefill [0-9.]* tok/s, first token .*, decode [0-9.]* tok/s, answer 30 tokens, cut at -n" "$TRASH/err" &&
	grep -q "^RSS .* weights .* KV .* scratch .* other " "$TRASH/err" && grep -q "^level F32" "$TRASH/err"
'
test_expect_success 'standard input is the prompt' '
	printf "Once upon a time\n" | "$T" run "$M" --temp 0 -n 30 >"$TRASH/b" 2>/dev/null && cat "$TRASH/b" && cmp "$TRASH/a" "$TRASH/b"
'
test_expect_success 'standard input from a file follows the prompt on its own line' '
	printf "upon a time\n" >"$TRASH/in" &&
	"$T" run "$M" Once --temp 0 -n 30 <"$TRASH/in" >"$TRASH/b" 2>/dev/null &&
	"$T" run "$M" "Once
upon a time" --temp 0 -n 30 </dev/null >"$TRASH/c" 2>/dev/null && cmp "$TRASH/b" "$TRASH/c" && ! cmp -s "$TRASH/a" "$TRASH/b"
'
test_expect_success 'with --raw standard input is taken to the byte' '
	printf "Once upon a time" | "$T" run --raw "$M" --temp 0 -n 30 >"$TRASH/b" && cmp "$TRASH/a" "$TRASH/b" &&
	printf "Once upon a time\n" | "$T" run --raw "$M" --temp 0 -n 30 >"$TRASH/b" && ! cmp -s "$TRASH/a" "$TRASH/b"
'
test_expect_success '-m and MODEL are the same' '
	"$T" run -m "$M" "Once upon a time" --temp 0 -n30 </dev/null >"$TRASH/b" 2>/dev/null && cmp "$TRASH/a" "$TRASH/b"
'
test_expect_success 'no prompt and none to be had: usage' '
	test_code 2 "$T" run "$M" </dev/null && test_code 2 "$T" run </dev/null
'
test_expect_success '-n 0 computes the prompt and says nothing' '
	[ "$("$T" run --raw "$M" Once -n 0 </dev/null)" = "" ]
'
test_expect_success 'the context'"'"'s end is said' '
	"$T" run --raw "$M" "Once upon a time" --temp 0 -c 32 </dev/null >"$TRASH/b" 2>"$TRASH/err" &&
	grep -q "the context is full" "$TRASH/err" && [ -s "$TRASH/b" ]
'
test_expect_success 'a prompt that does not fit is one line, exit 1, and nothing on stdout' '
	test_code 1 "$T" run --raw "$M" "Once upon a time there was a little girl" -c 4 </dev/null >"$TRASH/b" 2>"$TRASH/err" &&
	[ ! -s "$TRASH/b" ] && [ "$(wc -l <"$TRASH/err")" = 1 ]
'
test_expect_success 'a context above the trained one is taken with a warning' '
	"$T" run --raw "$M" Once -n 2 -c 1000 </dev/null 2>&1 >/dev/null | grep -q "more than the 512"
'
test_expect_success 'the same seed gives the same text, whatever the threads; another gives another' '
	"$T" run --raw "$M" "Once upon a time" --seed 7 --temp 1.5 -n 40 -t 1 </dev/null >"$TRASH/b" &&
	"$T" run --raw "$M" "Once upon a time" --seed 7 --temp 1.5 -n 40 -t 2 </dev/null >"$TRASH/c" &&
	"$T" run --raw "$M" "Once upon a time" --seed 8 --temp 1.5 -n 40 </dev/null >"$TRASH/d" &&
	cmp "$TRASH/b" "$TRASH/c" && ! cmp -s "$TRASH/b" "$TRASH/d"
'
test_expect_success 'without a seed a fresh one is told, and it gives the same text again' '
	"$T" run --raw "$M" "Once upon a time" --temp 1.5 -n 40 --stats </dev/null >"$TRASH/b" 2>"$TRASH/err" &&
	seed=$(sed -n "s/.*seed \([0-9]*\)$/\1/p" "$TRASH/err") && [ "$seed" ] &&
	"$T" run --raw "$M" "Once upon a time" --temp 1.5 -n 40 --seed "$seed" </dev/null >"$TRASH/c" && cmp "$TRASH/b" "$TRASH/c"
'
test_expect_success 'a level made in memory answers, in any case; one that is not is an error' '
	"$T" run --raw "$M" "Once upon a time" --temp 0 -n 8 -q q8_0 --stats </dev/null 2>&1 | grep -q "^level Q8_0" &&
	test_code 2 "$T" run --raw "$M" Once -q q17_x </dev/null 2>"$TRASH/err" && grep -qi "q8_0" "$TRASH/err" &&
	test_code 2 "$T" run --raw "$M" Once -q q8_1 </dev/null 2>"$TRASH/err" && grep -q "did you mean Q8_0" "$TRASH/err"
'
test_expect_success 'a missing model, a folder, a file that is no model: one line, exit 1' '
	for f in ./nowhere.gguf "$TRASH" "$TEST_SRC/configure.ac"; do
		test_code 1 "$T" run "$f" hi </dev/null >"$TRASH/b" 2>"$TRASH/err" || exit 1
		[ ! -s "$TRASH/b" ] && [ "$(wc -l <"$TRASH/err")" = 1 ] || { cat "$TRASH/err"; exit 1; }
	done
'
test_expect_success 'Ctrl-C ends the answer: a whole line, exit 130' '
	command -v timeout >/dev/null || exit 0
	test_code 130 $INT timeout -s INT --preserve-status 4 \
		"$T" run --raw "$M" "Once upon a time" --temp 0 -c 1000000 </dev/null >"$TRASH/b" 2>"$TRASH/err" &&
	[ "$(tail -c 1 "$TRASH/b" | od -An -tx1 | tr -d " ")" = 0a ] && [ "$(wc -c <"$TRASH/b")" -gt 20 ]
'
test_expect_success 'a reader that goes away is noticed, exit 1, and nothing is said of it' '
	{ "$T" run --raw "$M" "Once upon a time" -c 1000000 </dev/null 2>"$TRASH/err"; echo $? >"$TRASH/code"; } |
		head -c 20 >/dev/null
	cat "$TRASH/err" "$TRASH/code"; [ "$(cat "$TRASH/code")" = 1 ] && ! grep -v "the model was trained on" "$TRASH/err"
'
# gone ARGS...: nobody reads what it writes
gone () {
	{ sleep 0.2 2>/dev/null || sleep 1; "$T" "$@" <"$TRASH/in" 2>"$TRASH/err"; echo $? >"$TRASH/code"; } | true
	cat "$TRASH/err" "$TRASH/code"; [ "$(cat "$TRASH/code")" = 1 ] && ! grep -i "pipe\|cannot write" "$TRASH/err"
}
test_expect_success 'nor by other verbs' '
	echo "1 2 3" >"$TRASH/ids" && yes hello | head -n 2 >"$TRASH/in" &&
	gone logits -m "$M" --tokens "$TRASH/ids" -o - && gone show "$M" && gone show "$M" -o json && gone list -o json &&
	gone --help && gone bench "$M" -p 4 -n 2 -r 1 && gone tokenize -m "$M" && gone chat "$M" --plain -n 4
'
test_expect_success 'a full disk is noticed, exit 1' '
	[ -e /dev/full ] || exit 0
	test_code 1 "$T" run --raw "$M" Once -n 5 </dev/null >/dev/full
'
if [ -e "$SMOL" ]; then
	test_expect_success 'a real model answers by its template' '
		"$T" run "$SMOL" "What is the capital of Japan?" --temp 0 -n 16 </dev/null 2>"$TRASH/err" | grep Tokyo &&
		[ ! -s "$TRASH/err" ]
	'
	test_expect_success 'a system message changes the prompt' '
		"$T" run "$SMOL" Hi --system "You are a pirate." --temp 0 -n 1 --stats </dev/null 2>&1 >/dev/null | grep "^prompt" >"$TRASH/a" &&
		"$T" run "$SMOL" Hi --temp 0 -n 1 --stats </dev/null 2>&1 >/dev/null | grep "^prompt" >"$TRASH/b" &&
		! [ "$(cut -d" " -f2 "$TRASH/a")" = "$(cut -d" " -f2 "$TRASH/b")" ]
	'
	test_expect_success 'a level from a lower source says so' '
		"$T" run "$SMOL" Hi -q q8_0 -n 1 --stats </dev/null 2>&1 >/dev/null | grep "made from Q4_1: no better than it"
	'
else
	test_skip 'a real model answers by its template' 'no reference data'
fi
test_done
