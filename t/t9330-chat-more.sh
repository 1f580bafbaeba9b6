#!/bin/sh
test_description='chat and run in lines: room in the context, going on, files, stop texts, profiles of the user'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
. "${TEST_SRC:-.}/t/lib/screen-lib.sh"
model=$TIDBIT_PROFILES/stories260K.gguf
cd "$TRASH" || exit 99
chat () { "$TEST_BUILD/tidbit" chat "$model" --temp 0 "$@"; }
fails () { test_code 1 chat "$@"; }
run () { "$TEST_BUILD/tidbit" run "$model" --temp 0 "$@"; }
lines () { [ "$(wc -l <"$1")" -eq "$2" ] || { cat "$1"; return 1; }; }
# turns N WORDS: messages of so many words
turns () { awk -v n="$1" -v w="$2" 'BEGIN { for (i = 0; i < n; i++) { for (k = 0; k < w; k++) printf "sun "; print "" } }'; }

test_expect_success '--null ends each answer with a NUL, and with nothing else' '
	printf "Once upon a time\nThe cat\n" | chat -n 10 2>err >out && [ "$(tr -dc "\\0" <out | wc -c)" = 0 ] && lines out 2 &&
	printf "Once upon a time\nThe cat\n" | chat -n 10 --null 2>err >nul && [ "$(tr -dc "\\0" <nul | wc -c)" = 2 ] &&
	tr "\\0" "\\n" <nul | cmp - out
'
test_expect_success 'tables are sentences, and what is on standard output is answers' '
	printf "/help\n/set\n/quant\n/stats\n/context\n" | chat >out 2>err && lines out 0 &&
	grep -q "^/continue: " err && grep -q "^temp is 0: " err && grep -q "^2. Q8_0, .* bits per weight" err &&
	grep -q "^no answer yet" err && grep -q "the context holds 512 tokens" err && ! grep -q "  " err
'
test_expect_success 'a stop text over the borders of tokens ends the answer before it' '
	run "Once upon a time" -n 20 >whole 2>err && grep -q "little girl named Lily" whole &&
	run "Once upon a time" -n 20 --stop "tle girl na" >out 2>err && printf ", there was a lit\n" | cmp - out &&
	printf "Once upon a time\n" | chat -n 20 --stop nothing --stop "a little" >out 2>err && printf ", there was \n" | cmp - out
'
test_expect_success 'an empty stop text is a wrong call; in a profile it ends the list of ours' '
	test_code 2 run "Once upon a time" -n 3 --stop "" >out 2>err && lines out 0 && grep -q -e "--stop: expected a text that is not empty" err &&
	TIDBIT_STOP="" run "Once upon a time" -n 3 >out 2>err && lines out 1
'
test_expect_success 'the next turn stands on the answer that a stop text cut' '
	printf "Once upon a time\n and\n" | chat -n 20 --stop "tle girl na" --stats >out 2>err && lines out 2 &&
	grep -q "a stop text" err
'
test_expect_success 'stop texts of the user'"'"'s profile, and its sampling' '
	mkdir -p "$HOME/.config/tidbit" && cat >"$HOME/.config/tidbit/families.conf" <<-\END &&
	# mine
	[stories]
	name = stories*
	temp = 0.125
	stop = " girl"
	END
	"$TEST_BUILD/tidbit" run "$model" "Once upon a time" -n 20 --temp 0 >out 2>err && printf ", there was a little\n" | cmp - out &&
	echo /set | "$TEST_BUILD/tidbit" chat "$model" 2>err && grep -q "^temp is 0.125" err &&
	echo /set | "$TEST_BUILD/tidbit" chat "$model" --temp 0.5 2>err && grep -q "^temp is 0.5: .*profile: 0.125" err
'
test_expect_success 'mistakes in it are told with their line, and harm nothing' '
	printf "[stories]\nname = stories*\n\ntmep = 1\n" >"$HOME/.config/tidbit/families.conf" &&
	run "Once upon a time" -n 5 >out 2>err && lines out 1 &&
	grep -q "families.conf: line 4: unknown key .tmep.: did you mean temp?" err &&
	echo "One day" | chat -n 5 >out 2>err && lines out 1 && grep -q "line 4: unknown key" err
'
test_expect_success 'a closing mark without its opening one: a pipe is told what it should not have had, or has not got it' '
	printf "[stories]\nname = stories*\nthink = \"<no>\", \"a little g\"\n" >"$HOME/.config/tidbit/families.conf" &&
	echo "Once upon a time" | chat -n 12 >out 2>err && case $(cat out) in *there*irl*) grep "^tidbit: what came before this was thinking" err ;; *) grep "irl" out && grep "is left out, as thinking" err ;; esac &&
	run "Once upon a time" -n 12 >out 2>err && grep "^tidbit: what came before this was thinking" err &&
	printf "[stories]\nname = stories*\nthink = \"<no>\", \"was\"\n" >"$HOME/.config/tidbit/families.conf" &&
	echo "Once upon a time" | chat -n 12 >out 2>err && ! grep "there" out && grep girl out && ! grep "what came before" err &&
	run "Once upon a time" -n 12 >out 2>err && ! grep "there" out && grep girl out && [ "$(grep -c "is left out, as thinking" err)" = 1 ] &&
	echo "Once upon a time" | chat -n 12 >out 2>err && [ "$(grep -c "is left out, as thinking" err)" = 1 ] &&
	run "Once upon a time" -n 12 --raw >want 2>err &&
	run "Once upon a time" -n 12 --think off >out 2>err && cmp want out && ! grep "as thinking" err &&
	echo "Once upon a time" | chat -n 12 --think off >out 2>err && cmp want out && ! grep "as thinking" err
'
test_expect_success 'an answer that ends inside its thinking is told of, at the limit and at a stop text' '
	printf "[stories]\nname = stories*\nthink = \", there\", \"</no>\"\n" >"$HOME/.config/tidbit/families.conf" &&
	echo "Once upon a time" | chat -n 5 >out 2>err && grep -q "^the answer ended inside its thinking, 5 tokens: -n allows more" err &&
	echo "Once upon a time" | chat -n 20 --stop "little" >out 2>err && grep -q "inside its thinking, .*: a stop text came in it" err &&
	run "Once upon a time" -n 5 >out 2>err && grep -q "the answer ended inside its thinking, 5 tokens" err
'
rm -f "$HOME/.config/tidbit/families.conf"
test_expect_success '-f is the prompt, behind the PROMPT, before standard input; - is standard input' '
	printf "Once upon a time\n" >file && run "Once upon a time" -n 5 >want 2>err && run -f file -n 5 >out 2>err </dev/null &&
	cmp want out && run -n 5 -f - <file >out 2>err && cmp want out &&
	run "$(printf "One day\nOnce upon a time\nThe cat")" -n 5 >want 2>err </dev/null &&
	printf "The cat\n" | run "One day" -f file -n 5 >out 2>err && cmp want out && test_code 1 run -f /nonexistent 2>err &&
	grep -q "/nonexistent" err
'
test_expect_success '/continue goes on with an answer that was cut, as if it had not been' '
	run "Once upon a time" -n 24 >want 2>err &&
	printf "Once upon a time\n/continue\n/continue\n" | chat -n 8 >out 2>err && lines out 3 && tr -d "\n" <out >a && tr -d "\n" <want | cmp - a &&
	echo /continue | fails >out 2>err && lines out 0 && grep -q "no answer to go on with" err &&
	printf "Once upon a time\n/continue\n" | fails -n 20 --stop "tle girl na" >out 2>err && lines out 1 && grep -q "a stop text ended the last answer" err
'
test_expect_success '/read puts a file before the message' '
	printf "Once upon a time\n" >file && printf "/read file\n The cat\n" | chat -n 5 >out 2>err && lines out 1 && grep -q "17 bytes\|[0-9]* bytes" err &&
	run "$(printf "file:\nOnce upon a time\n\n The cat")" -n 5 >want 2>err </dev/null && cmp want out &&
	printf "a\\0b" >bin && printf "/read bin\n/read none\n/read\n" | fails >out 2>err && lines out 0 && grep -q "this is no text" err &&
	grep -q "none" err && grep -q "needs a file" err
'
test_expect_success '/read takes files: a pipe or a terminal is refused, not waited for' '
	mkfifo pipe && ln -s pipe link && printf "/read pipe\n/read link\n/read /dev/tty\n/read /dev/stdin\n/read -\n/read .\n The cat\n" >in &&
	cat in | timeout 30 "$TEST_BUILD/tidbit" chat "$model" --temp 0 -t 2 -n 5 >out 2>err; cat err; lines out 1 && [ "$(grep -c "regular file" err)" = 3 ]
'
test_expect_success '/read tells what waits, and /clear and /new drop it' '
	printf "/read file\n/read\n/clear\n/read\n/read file\n/new\n The cat\n" | fails -n 5 >out 2>err && run " The cat" -n 5 >want 2>/dev/null &&
	cmp want out && [ "$(grep -c "^goes with the next message: file, 17 bytes" err)" = 3 ] && grep -q "needs a file: none waits" err &&
	[ "$(grep -c "^no longer goes with the next message: file, 17 bytes" err)" = 2 ]
'
test_expect_success 'no room: refused with figures, nothing is lost, the rest is answered' '
	{ turns 3 50; echo " and"; } >in && test_code 1 chat -n 5 -c 256 <in >out 2>err && lines out 4 &&
	grep -q "does not fit: .* takes [0-9]* tokens, the context holds 256; without turn 1 it takes [0-9]*, about .* to read" err
'
test_expect_success '--context-policy drop-oldest leaves out the oldest turns, says which, and answers' '
	chat -n 5 -c 256 --context-policy drop-oldest <in >out 2>err && lines out 4 && grep -q "^left out turn 1: all of it takes" err &&
	turns 8 50 | chat -n 5 -c 256 --context-policy drop-oldest >out 2>err && lines out 8 && grep -q "^left out turn 6" err
'
test_expect_success '--context-policy refuse, and ask where nobody answers, are the same' '
	test_code 1 chat -n 5 -c 256 --context-policy refuse <in >out 2>err && lines out 4 &&
	test_code 2 "$TEST_BUILD/tidbit" chat "$model" --context-policy never </dev/null 2>err
'
test_expect_success '9,000 tokens into a context of 8,192: one message alone is refused under each policy' '
	turns 1 4600 >big && for p in ask drop-oldest refuse; do
		test_code 1 chat -c 8192 --context-policy $p -n 3 <big >out 2>err && lines out 1 && grep -q "does not fit: .* takes 9[0-9]* tokens, the context holds 8192" err || exit 1
	done
'
test_expect_success '9,000 tokens in turns: refuse keeps them, drop-oldest goes on' '
	turns 3 1550 >big && test_code 1 chat -c 8192 -n 3 --context-policy refuse <big >out 2>err && lines out 3 && grep -q "without turn 1 it takes" err &&
	chat -c 8192 -n 3 --context-policy drop-oldest <big >out 2>err && lines out 3 && grep -q "^left out turn 1: all of it takes 9[0-9]* tokens, the context holds 8192" err
'
test_expect_success 'an answer that reaches the end of the context says so' '
	turns 1 120 | chat -c 256 >out 2>err && lines out 1 && grep -q "the context of 256 is full.*-c" err &&
	printf "Once upon a time\n" | chat -c 64 >out 2>err && printf "Once upon a time\n" | chat -c 512 -n 70 >whole 2>/dev/null &&
	said=$(sed -n "s/.*is full.*\(\/context grow [0-9]*\) makes .*/\1/p" err) && [ "$said" = "/context grow 128" ] &&
	printf "Once upon a time\n/context grow 512\n/continue\n" | chat -c 64 -n 65 >on 2>err &&
	tr -d "\n" <on >a && tr -d "\n" <whole | cut -c1-200 >b && grep -qF "$(cat b)" a &&
	printf "%0800d\n" 0 | test_code 1 chat -c 64 >out 2>err && grep -q "does not fit.*/context grow [0-9]* or -c makes it larger" err
'
test_expect_success '--tools is checked before anything is asked' '
	printf "{}" >t.json && test_code 1 run hi --tools t.json 2>err && grep -q "t.json: expected a JSON array" err &&
	printf "[{}, 1]" >t.json && test_code 1 run hi --tools t.json 2>err && grep -q "t.json: expected .*each an object" err &&
	printf "[{\"type\": \"function\"}]" >t.json && echo "One day" | chat -n 3 --tools t.json >out 2>err && lines out 1 &&
	[ "$(grep -c "makes nothing of --tools" err)" = 1 ] &&
	printf "[\n{,}]" >t.json && test_code 1 run hi --tools t.json 2>err && grep -q "t.json: line 2" err &&
	printf "[]" >t.json && run "One day" -n 3 --tools t.json >out 2>err && lines out 1
'

why=$(screen_missing)
[ -z "$why" ] || { test_skip 'choices on a terminal' "$why"; test_done; }
screen_start 100 40
test_expect_success 'on a terminal it is asked: a number leaves turns out' '
	screen_run "\"$TEST_BUILD/tidbit\" --plain \"$SCREEN_MODEL\" --temp 0 -n 5 -c 256; echo left with \$?" && screen_wait "^>" 20 &&
	screen_run "$(turns 1 50)" && screen_wait "tok/s · 5 tokens" && screen_keys C-l && screen_run "$(turns 1 90)" &&
	screen_wait "^1. leave out turn 1: about" && screen_wait "^2. a context of " && screen_wait "^3. change the message" &&
	screen_run 1 && screen_wait "^left out turn 1" && screen_wait "^>$"
'
test_expect_success 'another number makes the context larger, and the message is asked' '
	screen_keys C-l && screen_run "$(turns 1 90)" && screen_wait "^2. a context of" && screen_run 2 &&
	screen_wait "the context holds [0-9]* tokens now" && screen_wait "tok/s · 5 tokens"
'
test_expect_success 'an answer that fills the context offers a larger one, in which it goes on' '
	screen_keys C-l && screen_run "/set n -1" && screen_wait "^n -1" && screen_run "/clear" && screen_run "/new" && screen_run "$(turns 1 90)" &&
	screen_wait "is full: the answer stops here" 30 && screen_wait "^1. go on in a context of" && screen_wait "^2. leave it" && screen_run 2 &&
	screen_run "/set n 5" && screen_wait "^n 5"
'
test_expect_success 'levels are chosen by number' '
	screen_keys C-l && screen_run /quant && screen_wait "^2. Q8_0" && screen_run 99 && screen_wait "99 is none of them: a number from 1 to" &&
	screen_run 2 && screen_wait "^now Q8_0"
'
test_expect_success 'nothing was drawn over' '
	screen_keys C-d && screen_wait "^[$ ]*left with 0"
'
test_done
