#!/bin/sh
test_description='the terminal is as before, whatever ended the program'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
. "${TEST_SRC:-.}/t/lib/screen-lib.sh"
why=$(screen_missing)
[ -z "$why" ] || { test_skip 'the terminal is restored' "$why"; test_done; }

# A paste that comes without brackets: the mode is off. It comes twice, from the terminal and from cat, which reads by then.
pasted_twice () { [ "$(screen_text | grep -c "^pasted")" = 2 ]; }
paste_is_bare () {
	screen_run "clear; cat -v" && screen_gone was.here && screen_tmux set-buffer "pasted
" && screen_tmux paste-buffer -p && screen_until 10 pasted_twice && screen_hides "200~" && screen_keys C-c && screen_wait '^\$'
}
restored () {
	screen_wait "^was here" && screen_run "stty -a >after; echo then here" && screen_wait "^[$ ]*then here" &&
	cmp before after && [ "$(screen_mode alternate_on)" = 0 ] && [ "$(screen_mode cursor_flag)" = 1 ] &&
	[ "$(screen_mode keypad_cursor_flag)" = 0 ] && paste_is_bare
}
# killed SIGNAL: in a terminal of its own, in the middle of an answer that lasts
killed () {
	screen_start 100 30 && screen_run "ulimit -c 0" &&
	screen_run "clear; stty -a >before; echo was here" && screen_wait "^was here" &&
	screen_open --temp 0 -c 100000 -t 1 && screen_run "One day" && screen_wait "answering *F1" &&
	kill -"$1" "$(cat pid)" && restored
}

screen_start 100 30
screen_run "ulimit -c 0"
# refused CODE PATTERN ARGS: nothing to chat with; a line on the shell's screen, and the exit code
refused () {
	code=$1 pattern=$2; shift 2
	screen_run "clear; stty -a >before; echo was here" && screen_wait "^was here" &&
	screen_run "\"$TEST_BUILD/tidbit\" $*; echo left with \$?" && screen_wait "^[$ ]*left with $code" &&
	screen_wait "^tidbit: .*$pattern" && restored
}
test_expect_success 'no such model' 'refused 1 "nope.gguf" /nope.gguf'
test_expect_success 'no such level' 'refused 2 "no quantization level" "\"$SCREEN_MODEL\"" -q nope'
test_expect_success 'no such context' '
	refused 2 "from 0 to 16777216" "\"$SCREEN_MODEL\"" -c 99999999 && "$TEST_BUILD/t/helper/sparsemodel" wide.gguf 0.05 64 &&
	refused 1 needs "\"$PWD/wide.gguf\"" -c 16777216 --kv f32
'
for sig in TERM HUP SEGV BUS FPE ILL ABRT QUIT USR1 ALRM XCPU; do
	test_expect_success "SIG$sig while an answer streams" "killed $sig"
done
test_expect_success 'SIGINT stops the answer, then ends with 130' '
	screen_run "clear; stty -a >before; echo was here" && screen_wait "^was here" &&
	screen_open --temp 0 -c 100000 -t 1 && screen_run "One day" && screen_wait "answering *F1" &&
	kill -INT "$(cat pid)" && screen_wait "stopped · " && kill -INT "$(cat pid)" &&
	screen_wait "^was here" && screen_run "echo code \$?" && screen_wait "code 130" && restored
'
test_expect_success 'stopped from outside, continued, and whole again' '
	screen_run "clear; stty -a >before; echo was here" && screen_wait "^was here" && screen_open --temp 0 &&
	kill -TSTP "$(cat pid)" && screen_wait Stopped && screen_run "stty -a >after; clear; fg" &&
	screen_wait "Enter send" && cmp before after && kill -STOP "$(cat pid)" && screen_wait Stopped &&
	screen_type fg && screen_keys C-j && screen_wait "Enter send" && screen_type back && screen_wait "› back" && screen_keys C-u C-d &&
	screen_gone "Enter send" && screen_run "stty -a >after; echo then here" && screen_wait "^[$ ]*then here" && cmp before after
'
test_expect_success 'SIGTERM while the output is held by Ctrl-S' '
	screen_run "clear; stty -a >before; echo was here" && screen_wait "^was here" &&
	screen_open --temp 0 -c 100000 -t 1 && screen_run "One day" && screen_wait "answering *F1" && screen_keys C-s && sleep 0.5 &&
	kill -TERM "$(cat pid)" && restored
'
test_expect_success 'a terminal that goes away takes the program with it' '
	screen_run clear && screen_open --temp 0 && pid=$(cat pid) && screen_tmux kill-server &&
	gone () { ! kill -0 "$pid" 2>/dev/null; } && screen_until 10 gone
'
test_done
