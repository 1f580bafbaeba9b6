#!/bin/sh
test_description='what an unforeseen end leaves, and what of the terminal comes back'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
. "${TEST_SRC:-.}/t/lib/screen-lib.sh"
why=$(screen_missing)
[ -z "$why" ] || { test_skip 'leaving and coming back' "$why"; test_done; }
STATE=$HOME/.local/state/tidbit
kept () { ls "$STATE"/$1-* 2>/dev/null | wc -l; }
has () { [ "$(kept "$1")" = "$2" ] || { echo "$(kept "$1") files $1"; ls -l "$STATE"; return 1; }; }
title () { [ "$(screen_mode pane_title)" = "$1" ] || { echo "title: $(screen_mode pane_title)"; return 1; }; }
ends () { pid=$(cat pid); kill -"$1" "$pid"; gone () { ! kill -0 "$pid" 2>/dev/null; }; screen_until 10 gone; }

screen_start 110 30
test_expect_success 'the title tells model, level and state' '
	screen_run "printf \"\\033]2;before\\007\"; clear" && screen_until 5 title before && screen_open --temp 0 -t 1 -c 100000 &&
	screen_until 5 title "tidbit stories260K F32" && screen_run "One day" && screen_until 5 title "answering: tidbit stories260K F32"
'
test_expect_success 'and is as before after a signal' 'ends TERM && screen_until 5 title before'
test_expect_success 'the conversation is kept, for its owner alone' '
	has chat 1 && [ "$(stat -c %a "$STATE"/chat-*)" = 600 ] && grep -q "One day" "$STATE"/chat-*
'
test_expect_success 'it is offered in a line that takes no keys' '
	screen_run clear && screen_open --temp 0 -t 1 -n 20 -c 100000 && screen_wait "brings its 2 messages back" &&
	screen_type word && screen_wait "› word" && screen_keys C-u
'
test_expect_success '/restore brings it back, and it goes on' '
	screen_run "/restore" && screen_wait "stopped · " && screen_hides "brings its" && has chat 1 &&
	screen_run "/stats" && screen_wait "answer of  *[a-z]" && screen_wait "first token  *[0-9]" &&
	screen_run " and" && screen_wait "token limit" 20 && screen_run "/stats" && screen_wait "[1-9][0-9]* prefilled" &&
	screen_run "/restore" && screen_wait "no conversation was left"
'
test_expect_success 'a second after an answer it is kept, whole' '
	there () { grep -q "\"ids\":\[[0-9]" "$STATE"/chat-* 2>/dev/null; } && screen_until 5 there
'
test_expect_success 'who leaves by a key leaves none' '
	screen_keys C-d && screen_wait "^\\$" && has chat 0 && has draft 0
'
test_expect_success 'a crash keeps it too, and what was typed' '
	screen_run "ulimit -c 0; clear" && screen_open --temp 0 -t 1 -n 20 && screen_run Lily && screen_wait "token limit" 20 &&
	screen_type "half a message" && both () { [ "$(kept chat)" = 1 ] && [ "$(kept draft)" = 1 ]; } && screen_until 5 both &&
	ends SEGV && screen_wait "^\\$" && screen_run "clear; \"$TEST_BUILD/tidbit\" \"$SCREEN_MODEL\" --temp 0 -t 1" &&
	screen_wait "brings its 2" && screen_wait "is here again" && screen_wait "› half a message" && screen_keys C-c C-d && screen_wait "^\\$" && has chat 1
'
test_expect_success 'who was offered it and left without it is offered it again, until it is forgotten' '
	screen_run clear && screen_open --temp 0 -t 1 -n 5 && screen_wait "brings its 2" && screen_run "/restore dorp" && screen_wait "takes drop" &&
	has chat 1 && screen_run "/restore drop" && screen_wait "is forgotten" && has chat 0 && screen_run "/restore" &&
	screen_wait "no conversation was left" && screen_keys C-d && screen_wait "^\\$"
'
LEFT="{\"form\":1,\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"text\":\"old talk\",\"gone\":false}]}"
test_expect_success '/restore in a conversation keeps that one: the next changes back' '
	printf "%s" "$LEFT" >"$STATE/chat-77" && screen_run clear && screen_open --temp 0 -t 1 -n 5 && screen_wait "brings its 1" && screen_run "brand new" &&
	screen_wait "token limit" 20 && screen_run "/restore" && screen_wait "^   old talk" && screen_hides "brand new" && screen_wait "changes back" &&
	grep -q "brand new" "$STATE"/chat-* && screen_run "/restore" && screen_wait "^   brand new" && screen_hides "^   old talk" &&
	screen_run "/restore" && screen_wait "^   old talk" && screen_run "/clear" && screen_run "/restore" && screen_wait "^   brand new" && screen_run "/restore" &&
	screen_wait "no conversation was left" && screen_keys C-d && screen_wait "^\\$" && has chat 0
'
test_expect_success 'one that another window has taken is not there; the next one is' '
	printf "%s" "$LEFT" >"$STATE/chat-77" && screen_run clear && screen_open --temp 0 -t 1 -n 5 && screen_wait "brings its 1" && screen_wait "instead of answering" && mv "$STATE/chat-77" "$STATE/chat-78" &&
	screen_run "/restore" && screen_wait "^   old talk" && screen_keys C-d && screen_wait "^\\$" && has chat 0
'
left () {
	printf "%s" "{\"form\":1,\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"text\":\"old talk\"},{\"role\":\"assistant\",\"label\":\"m\",\"text\":\"$1\"}]}" >"$STATE/chat-77"
}
test_expect_success '/export md closes the fence that a stopped answer leaves open, by its own marks; txt is as it was' '
	left "so:\\n\\n~~~~ c\\nint x;\\n~~~\\n\`\`\`\`\`" && screen_run clear && screen_open --temp 0 -t 1 -n 5 && screen_wait "brings its 2" && screen_run "/restore" &&
	screen_wait "^   old talk" && screen_run "\`\`\`sh" && screen_wait "token limit" && screen_run "/export f.md" && screen_run "/export f.txt" && screen_wait "wrote .*txt" &&
	cat f.md f.txt && sed -n "/^~~~~ c/,/^## you/p" f.md >got && printf "~~~~ c\nint x;\n~~~\n\`\`\`\`\`\n~~~~\n\n## you\n" | cmp - got &&
	sed -n "/^\`\`\`sh/,/^## /p" f.md | sed -n 2p | grep -qx "\`\`\`" && ! grep -x "~~~~" f.txt && screen_keys C-d && screen_wait "^\\$"
'
test_expect_success '/copy code tells of an empty block that it is empty' '
	left "\`\`\`\\n\`\`\`\\n" && screen_run clear && screen_open --temp 0 -t 1 -n 5 && screen_wait "brings its 2" && screen_run "/restore" && screen_wait "^   old talk" &&
	screen_run "/copy code" && screen_wait "block of code is empty" && screen_keys C-d && screen_wait "^\\$"
'
test_expect_success 'Ctrl-Z keeps the conversation and what is typed at once' '
	screen_run clear && screen_open --temp 0 -t 1 -n 5 && screen_run "Lily" && screen_wait "token limit" 20 && screen_type "begun" && screen_keys C-z &&
	screen_until 10 screen_shows "topped" && grep -q Lily "$STATE"/chat-* && grep -q begun "$STATE"/draft-* && screen_run "clear; fg" && screen_wait "› begun" &&
	screen_keys C-u C-d && screen_wait "^\\$" && has chat 0 && has draft 0
'
test_expect_success 'where nothing can be kept a line says so, and a signal is a signal' '
	: >plain && screen_run "clear; XDG_STATE_HOME=$PWD/plain \"$TEST_BUILD/tidbit\" \"$SCREEN_MODEL\" --temp 0 -t 1 -n 5; echo left with \$?" &&
	screen_wait "cannot be kept: " && screen_run " One day" && screen_wait "token limit" 20 && [ "$(screen_text | grep -c "cannot be kept")" = 1 ] &&
	kill -TERM "$(pgrep -n -P "$(screen_mode pane_pid)" tidbit)" && screen_wait "left with 143"
'
test_expect_success 'nor when it is known only later: the folder is gone, or the disk is full' '
	screen_run "mkdir later; clear; XDG_STATE_HOME=$PWD/later \"$TEST_BUILD/tidbit\" \"$SCREEN_MODEL\" --temp 0 -t 1 -n 5; echo left with \$?" &&
	screen_wait "Enter send" && screen_gone "cannot be kept" && mv later later.gone && : >later && screen_type "begun" && screen_wait "cannot be kept: " &&
	screen_keys C-c C-d && screen_wait "left with 0"
'

test_expect_success '--private keeps nothing' '
	screen_run clear && screen_open --temp 0 -t 1 -n 20 --private && screen_run Lily && screen_wait "token limit" 20 &&
	screen_type "half a message" && sleep 1.5 && ends TERM && has chat 0 && has draft 0
'
test_expect_success 'a damaged file is no offer' '
	for bad in "" "{" "[]" "{\"form\":1,\"messages\":[]}" "{\"form\":9,\"messages\":[{}]}"; do
		printf "%s" "$bad" >"$STATE/chat-999999" && screen_run clear && screen_open --temp 0 -t 1 && screen_hides "brings its" &&
		screen_keys C-d && screen_wait "^\\$" || exit 1
	done
'
test_expect_success 'one that says impossible things harms nothing' '
	printf "%s" "{\"form\":1,\"model\":\"\\u001b]0;x\\u0007\",\"messages\":[{\"role\":\"user\",\"text\":\"hi\"},{\"role\":\"assistant\",\"text\":\"\\u001b[2J\",\"ids\":[-1,99999999,\"x\",null],\"end\":77,\"figures\":[-1,1e99,{}],\"think\":[99,5,3,1]},{\"role\":7},8]}" >"$STATE/chat-999999" &&
	screen_run clear && screen_open --temp 0 -t 1 -n 20 && screen_wait "brings its 4" && screen_wait "instead of answering" && screen_run "/restore" && screen_wait "^   hi" &&
	screen_run "go" && screen_wait "token limit" 20 && screen_keys C-d && screen_wait "^\\$"
'
test_expect_success 'SIGTERM while the editor runs: the editor ends, the terminal is whole, the text is kept' '
	cat >editor <<-\EOF &&
	#!/bin/sh
	echo saved in the editor >"$1"; echo editing; exec sleep 100
	EOF
	chmod +x editor && screen_run "EDITOR=$PWD/editor; export EDITOR; clear; stty -a >before; echo was here" && screen_wait "^was here" &&
	screen_open --temp 0 -t 1 && screen_type "begun" && screen_keys C-x C-e && screen_wait editing && ends TERM &&
	screen_wait "^was here" && screen_run "stty -a >after; echo then here" && screen_wait "^[$ ]*then here" && cmp before after &&
	[ "$(screen_mode alternate_on)" = 0 ] && grep -q "saved in the editor" "$STATE"/draft-* && rm "$STATE"/draft-*
'
test_expect_success 'pipes in place of messages and inputrc are told, not waited for' '
	mv "$STATE/messages" messages && mkfifo "$STATE/messages" "$HOME/.inputrc" &&
	screen_run "clear; \"$TEST_BUILD/tidbit\" \"$SCREEN_MODEL\" --temp 0 -t 1" &&
	screen_wait "inputrc: is not a regular file" && screen_wait "messages: is not a regular file" && screen_run "/bye" && screen_wait "^\\$" &&
	rm "$STATE/messages" "$HOME/.inputrc" && mv messages "$STATE/messages"
'
# TEXT: the inputrc; MESSAGE: what is said of it, in the screen and in plain lines
# An Enter before the prompt would be the terminal's line feed, and with that a key of its own.
refused () {
	printf "$1" >"$HOME/.inputrc" && screen_run clear && screen_open --temp 0 -t 1 && screen_wait "$2" && screen_run "/bye" && screen_wait "^\\$" &&
	screen_run "clear; \"$TEST_BUILD/tidbit\" chat \"$SCREEN_MODEL\" --temp 0 -t 1 --plain" && screen_wait "$2" &&
	screen_wait "^> *\$" && screen_run "/bye" && screen_wait "^\\$"
}
test_expect_success 'nor is a pipe or a terminal that the inputrc includes, and one that includes itself ends' '
	mkfifo pipe && refused "set bell-style none\n\$include $PWD/pipe\n" "pipe: is not a regular file" &&
	printf " \$ Include\t/dev/tty\r\n" >more && refused "\$include $PWD/more\n" "/dev/tty: is not a regular file" &&
	refused "\$include ~/.inputrc\n" "goes deeper than"
'
test_expect_success 'nor when it is read again; one that includes what there is, and what there is not, is used' '
	printf "\"\\\\C-t\": \"twice\"\n" >more && printf "\$include $PWD/none\n\$include $PWD/more\n" >"$HOME/.inputrc" && screen_run clear &&
	screen_open --temp 0 -t 1 && screen_keys C-t && screen_wait "^ › twice$" && rm more && mkfifo more && screen_keys C-x C-r &&
	screen_wait "more: is not a regular file" && screen_keys C-x C-r && screen_type x && screen_wait "^ › twicex$" && screen_keys C-a && screen_type y &&
	screen_wait "^ › ytwicex$" && screen_keys C-c && screen_run "/bye" && screen_wait "^\\$" && rm "$HOME/.inputrc" pipe more
'

locale8=$(locale -a 2>/dev/null | grep -i 'iso8859' | head -n 1)
test_expect_success 'in the C locale, which says nothing of the terminal, C.UTF-8 is taken' '
	screen_run "LC_ALL=C; export LC_ALL; clear" && screen_open --temp 0 -t 1 && screen_wait "stories260K · F32" && screen_type "é漢" &&
	screen_wait "› é漢" && screen_keys C-u && screen_run "/set n 5" && screen_run "Über" && screen_wait "^ stories260K · F32" &&
	screen_wait "token limit · " && screen_shows "^   Über" && screen_type "é漢" && screen_wait "› é漢" && screen_keys C-u C-d && screen_wait "^\\$"
'
if [ -n "$locale8" ]; then
test_expect_success 'another charset gets ASCII, and a line says so' '
	screen_run "LC_ALL=$locale8; clear" && screen_open --temp 0 -t 1 && screen_wait "only ASCII is drawn" &&
	screen_wait "stories260K - F32" && screen_keys C-d && screen_wait "^\\$" && screen_run "LC_ALL=C.UTF-8"
'
else
	test_skip 'another charset gets ASCII, and a line says so' 'no such locale here'
	screen_run "LC_ALL=C.UTF-8"
fi
test_expect_success 'the wheel scrolls once it is asked to, and the mode goes at the end' '
	screen_run clear && screen_open --temp 0 -t 1 -n 700 -c 40000 && screen_run "One day" && screen_wait "token limit" 30 &&
	screen_run "/set mouse on" && screen_wait "mouse on" && on () { [ "$(screen_mode mouse_sgr_flag)" = 1 ]; } && screen_until 5 on &&
	screen_text >one && screen_type "$(printf "\033[<64;5;5M\033[<64;5;5M\033[<64;5;5M")" && screen_wait "End follow" &&
	screen_type "$(printf "\033[<65;5;5M\033[<65;5;5M\033[<65;5;5M")" && screen_gone "End follow" &&
	screen_run "/set theme light" && screen_wait "theme light" && screen_run "/set theme nope" && screen_wait "there are dark, light, mono" &&
	screen_keys C-d && screen_wait "^\\$" && off () { [ "$(screen_mode mouse_any_flag)" = 0 ]; } && screen_until 5 off
'
test_done
