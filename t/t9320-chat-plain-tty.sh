#!/bin/sh
test_description='the chat in plain lines, on a terminal'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
. "${TEST_SRC:-.}/t/lib/screen-lib.sh"
why=$(screen_missing)
[ -z "$why" ] || { test_skip 'plain lines on a terminal' "$why"; test_done; }

chat () {
	screen_run clear && screen_gone '^>' &&
	screen_run "\"$TEST_BUILD/tidbit\" --plain \"$SCREEN_MODEL\" $*; echo left with \$?" && screen_wait '^>' 20
}
screen_start 100 40
test_expect_success 'it greets and prompts' '
	screen_run "stty -a >before; stty -g >was; echo was here" && screen_wait "^was here" &&
	chat --temp 0 -n 8 && screen_wait "stories260K · F32 .* context 512"
'
test_expect_success 'an answer, what it cost, and the prompt again' '
	screen_run "Once upon a time" && screen_wait "^, there was" && screen_wait "tok/s · 8 tokens" && screen_wait "^>$"
'
test_expect_success 'Tab completes commands and levels' '
	screen_type "/qu" && screen_keys Tab && screen_wait "^> /quant" &&
	screen_type "q4_0" && screen_keys Tab && screen_wait "^> /quant Q4_0" && screen_keys Enter && screen_wait "^now Q4_0"
'
test_expect_success 'the history comes back' '
	screen_keys Up Up && screen_wait "^> Once upon a time$" && screen_keys C-u
'
test_expect_success 'Ctrl-C stops an answer and not the program' '
	screen_run "/set n -1" && screen_wait "^n -1" && screen_run "/clear" && screen_run "One" && screen_wait "^ day\|^,\|^ time" &&
	screen_keys C-c && screen_wait "stopped\|context is full" && screen_wait "^>$"
'
test_expect_success 'Ctrl-C clears what is typed' '
	screen_keys C-l && screen_type "something" && screen_wait "^> something" && screen_keys C-c && sleep 0.2 &&
	screen_type "else" && screen_wait "^> else$" && screen_keys C-u
'
test_expect_success 'a resize, a stop and a return harm nothing' '
	screen_size 40 20 && screen_type "/he" && screen_wait "^> /he" && screen_keys C-z && screen_wait "left with 148" &&
	screen_run "clear; fg; echo left with \$?" && screen_gone "left with 148" && screen_wait "^> /he" && screen_keys C-u && screen_size 100 40
'
test_expect_success 'a stop in an answer lends the terminal as it was; what is typed after the return is asked next' '
	screen_run "/set n 400" && screen_wait "^n 400" && screen_run "/clear" && screen_run "One" && screen_wait "day" && screen_keys C-z &&
	screen_wait "left with 148" && screen_run "clear; stty -a >mid; fg; echo left with \$?" && screen_gone "left with 148" &&
	screen_run "/set n 7" && cmp before mid && screen_wait "^> /set n 7" 60 && screen_wait "^n 7" && screen_wait "^>$"
'
test_expect_success 'Ctrl-C twice on an empty line leaves with 130' '
	screen_keys C-c && screen_wait "again leaves" && screen_keys C-c && screen_wait "^[$ ]*left with 130"
'
test_expect_success 'the end of input leaves with 0' '
	chat && screen_keys C-d && screen_wait "^[$ ]*left with 0"
'
test_expect_success 'messages of an earlier run come back; with --private none do, and none are kept' '
	chat -n 3 && screen_run "One day a cat" && screen_wait "tok/s · 3 tokens" && screen_keys C-d &&
	screen_wait "^[$ ]*left with 0" && chat -n 3 && screen_keys Up && screen_wait "^> One day a cat$" &&
	screen_keys C-u C-d && screen_wait "^[$ ]*left with 0" && chat -n 3 --private && screen_keys Up && sleep 0.2 &&
	screen_hides "One day a cat" && screen_run "Not kept" && screen_wait "tok/s · 3 tokens" && screen_keys C-d &&
	screen_wait "^[$ ]*left with 0" && ! grep -r "Not kept" "$HOME/.local/state/tidbit"
'
# curses keeps a block of its own for a terminal that it does not know
test_expect_success 'a terminal that is not known gets plain lines' '
	screen_run clear && screen_gone "^>" && screen_run "TERM=nosuchterm ASAN_OPTIONS=detect_leaks=0 \"$TEST_BUILD/tidbit\" \"$SCREEN_MODEL\" --temp 0 -n 8; echo left with \$?" &&
	screen_wait "^>" && screen_run "Once upon a time" && screen_wait "^, there was" && screen_wait "tok/s · 8 tokens" &&
	screen_wait "^>$" && screen_keys C-d && screen_wait "^[$ ]*left with 0"
'
test_expect_success 'Ctrl-J and Alt-Enter are line ends; the editor gets all of them and gives back' '
	printf "#!/bin/sh\ncp \"\$1\" seen; printf \"One\\nday\\n\" >\"\$1\"\n" >ed && chmod +x ed &&
	screen_run "EDITOR=$TRASH/ed; export EDITOR; unset VISUAL" && chat -n 3 && screen_type "a" && screen_keys C-j &&
	screen_type "b" && screen_keys M-Enter && screen_type "c" && screen_wait "^c$" && screen_keys C-x C-e &&
	screen_until 10 test -s seen && printf "a\nb\nc\n" | cmp - seen && screen_wait "^day$" && screen_keys Enter &&
	screen_wait "tok/s · 3 tokens" && screen_run "/export two.json" && screen_until 10 test -s two.json &&
	grep "One.nday" two.json && screen_wait "^>$" && screen_keys C-d && screen_wait "^[$ ]*left with 0"
'
test_expect_success 'the user'\''s inputrc has the last word' '
	printf "\"\\C-j\": accept-line\n" >rc && screen_run "INPUTRC=$TRASH/rc; export INPUTRC" && chat -n 4 && screen_type "One" &&
	screen_keys C-j && screen_wait "tok/s · 4 tokens" && screen_keys C-d && screen_wait "^[$ ]*left with 0"
'
test_expect_success 'a file that was read is not poured into the line when its message comes back' '
	{ head -c 4000 /dev/zero | tr "\0" x; echo; } >big && chat -n 3 && screen_run "/read big" && screen_wait "^goes with the next" &&
	screen_run "What is it" && screen_wait "^2. change the message" && screen_run 2 &&
	screen_wait "^goes with the next message again: .*big, 4001 bytes" && screen_wait "^> What is it$" && screen_hides xxxx &&
	screen_keys C-u && screen_run "/read" && screen_wait "message: .*big, 4001 bytes" && screen_wait "^>$" && screen_keys C-d &&
	screen_wait "^[$ ]*left with 0"
'
kept () { grep -c Remember "$HOME"/.local/state/tidbit/chat-* 2>/dev/null; }
killed () {
	chat -n 3 "$@" && screen_run "Remember me" && screen_wait "tok/s · 3 tokens" && sleep 1.5 && kept >count
	kill -9 "$(pgrep -P "$(screen_mode pane_pid)" tidbit)" && screen_wait "left with 137" && screen_type "stty \$(cat was); echo as it was" &&
	screen_keys C-j && screen_wait "^as it was" && screen_run "clear" && screen_gone "left with"
}
test_expect_success 'a killed chat is offered to the next one, and comes back; who leaves by a key leaves nothing' '
	killed; [ "$(cat count)" = 1 ] && [ -z "$(find "$HOME/.local/state/tidbit" -name "chat-*" -perm /077)" ] &&
	chat -n 3 && screen_wait "/restore brings its 2" && screen_run "/restore" &&
	screen_wait "^2 messages are back" && screen_wait "^> Remember me" && screen_run "/regen" && screen_wait "tok/s · 3 tokens" &&
	screen_keys C-d && screen_wait "^[$ ]*left with 0" && [ -z "$(kept)" ]
'
test_expect_success 'with --private nothing is kept' '
	rm -f count; killed --private; [ -e count ] && [ ! -s count ]
'
test_expect_success 'the terminal is as before' '
	screen_run "clear; stty -a >after; echo is here" && screen_wait "^[$ ]*is here" && cmp before after
'
test_done
