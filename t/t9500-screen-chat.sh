#!/bin/sh
test_description='the chat screen, driven through a terminal'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
. "${TEST_SRC:-.}/t/lib/screen-lib.sh"
why=$(screen_missing)
[ -z "$why" ] || { test_skip 'the chat screen' "$why"; test_done; }

# tokens in the context, as the gauge tells them
context () { screen_text | sed -n 's|.*context *\([0-9,]*\) */.*|\1|p' | tr -d ,; }
moved () { now=$(context); [ -n "$now" ] && [ "$now" != "$1" ]; }
long () { [ "$(context)" -gt 1500 ]; }
cursor () { screen_tmux display-message -p '#{cursor_x},#{cursor_y}'; }
stands () { [ "$(cursor)" = "$1" ]; }
at () { screen_until 5 stands "$1" || { echo "cursor at $(cursor), not $1"; return 1; }; }

screen_start 118 40
test_expect_success 'it opens on the model' '
	screen_run "stty -a >before; echo was here" && screen_wait "^was here" &&
	screen_open --temp 0 -c 40000 -t 1 &&
	screen_wait "tidbit   stories260K · F32 · 32.00 bpw · tiny" &&
	screen_wait "▸ F32" && screen_wait "F1 help"
'
test_expect_success 'the key line shows only keys that work' '
	screen_hides "Ctrl-C" && screen_hides "PgUp" && screen_shows "Alt-↓ level" && screen_hides "Alt-↑"
'
test_expect_success 'a message is typed, the caret behind it' '
	screen_type "One day" && screen_wait "^ › One day" && at 10,38 &&
	screen_wait "Ctrl-C clear"
'
test_expect_success 'the answer streams and the gauges move' '
	screen_keys Enter && screen_wait "answering *F1" &&
	screen_wait "decode  *[0-9.]* tok/s" && first=$(context) && screen_until 10 moved "$first" &&
	second=$(context) && screen_until 10 moved "$second" &&
	screen_shows "first token  *[0-9.]* s" && screen_shows "Ctrl-C stop"
'
test_expect_success 'typing goes on beside it' '
	screen_type "next" && screen_wait "^ › next" && screen_wait "Enter queue" && screen_keys C-u && screen_gone "› next"
'
test_expect_success 'a scrolled view does not move while text streams' '
	screen_until 60 long && screen_keys PPage && screen_wait "End follow" &&
	screen_text | sed -n "3,37s/│.*//p" >one && n=$(context) && screen_until 10 moved "$n" && sleep 0.3 &&
	screen_text | sed -n "3,37s/│.*//p" >two && cmp one two && screen_shows "answering *F1"
'
test_expect_success 'End follows again' '
	screen_keys PPage PPage PPage PPage PPage PPage PPage PPage && screen_wait "^ you" && screen_shows "^   One day" && screen_gone "PgUp" &&
	screen_keys End && screen_gone "End follow" && screen_shows "PgUp" && screen_wait "tok/s · [0-9,]* tokens · "
'
test_expect_success 'Ctrl-C stops the answer, not the program' '
	screen_shows "answering *F1" && screen_keys C-c && screen_wait "stopped · .* tok/s" 5 && screen_gone "answering *F1"
'
test_expect_success 'Alt-Down switches the level, with what it cost told' '
	screen_keys M-Down && screen_wait "▸ Q8_0" 30 && screen_wait "stories260K · Q8_0" && screen_wait "now Q8_0" 30
'
test_expect_success 'Alt-Up in its other two forms goes back' '
	screen_type "$(printf "\033[1;9A")" && screen_wait "▸ F32" 30 && screen_keys M-Down && screen_wait "▸ Q8_0" 30 &&
	screen_type "$(printf "\033\033[A")" && screen_wait "▸ F32" 30
'
test_expect_success 'at the ends of the ladder both keys say so' '
	screen_keys M-Up && screen_wait "F32 is the highest level that this model.s file allows" && screen_shows "▸ F32" &&
	screen_keys M-Down M-Down M-Down && screen_wait "▸ Q4_0" 30 && screen_hides "highest level" &&
	screen_keys M-Down && screen_wait "Q4_0 is the lowest level on the ladder; /quant NAME takes others" && screen_shows "▸ Q4_0"
'
test_expect_success '/quant does the same' '
	screen_run "/quant q4_0" && screen_wait "▸ Q4_0" 30 && screen_wait "now Q4_0" 30
'
test_expect_success 'the conversation goes on: only what is new is prefilled' '
	screen_run "/set n 20" && screen_run " and" && screen_wait "token limit · " 30 &&
	screen_run "/stats" && screen_wait "tokens: [1-9][0-9]* reused"
'
test_expect_success 'a borrowed switch keeps the KV and says so' '
	screen_run "/clear" && screen_gone "^ you" && screen_run " and" && screen_wait "token limit · " 30 &&
	screen_run "/quant q5_1 --borrowed" && screen_wait "▸ Q5_1" 30 && screen_wait "borrowed: the KV of [0-9]* tokens" &&
	screen_run " then" && screen_wait "stories260K · Q5_1 · borrowed KV" && screen_run "/quant q5_1 --nonsense" &&
	screen_wait "there are --exact"
'
test_expect_success 'an answer goes on at the level that it is switched to' '
	screen_run "/quant f32" && screen_wait "▸ F32" 30 && screen_run "/clear" && screen_gone "^ you" &&
	screen_run "/set n -1" && screen_run "Lily" && screen_wait "answering *F1" &&
	screen_run "/quant q8_0 --go-on" && screen_wait "▸ Q8_0" 30 && screen_wait "answering *F1" &&
	screen_keys C-c && screen_wait "stopped · " && screen_keys C-o g && screen_wait "stories260K · F32 → Q8_0" &&
	screen_keys C-o End && screen_run "/set n 20" && screen_run "/quant q4_0" && screen_wait "▸ Q4_0" 30
'
test_expect_success 'several lines, history, and Tab' '
	screen_run "/clear" && screen_gone "^ you" &&
	screen_type one && screen_keys C-j && screen_type two && screen_wait "^   two" && at 6,38 &&
	screen_keys M-Enter && screen_type three && screen_wait "^   three" && screen_shows "^ › one" &&
	screen_keys Up Up && at 6,36 && screen_keys C-c && screen_wait "^ ›$" &&
	screen_keys Up && screen_wait "› /clear" && screen_keys C-c && screen_wait "^ ›$" &&
	screen_type "/qu" && screen_keys Tab && screen_wait "^ › /quant" &&
	screen_keys Tab && screen_wait "^ *+  -  BF16  F16  F32 .*Q4_0  Q4_1.* … Tab: [0-9]* more" &&
	screen_keys Tab && screen_wait "^ [A-Z].*  TQ2_0  … Tab: the first" && screen_keys Tab && screen_wait "^ *+  -  BF16" && screen_keys C-c && screen_wait "^ ›$"
'
test_expect_success 'a list that is too long says so, and Tab goes on in it; themes are words too' '
	screen_type "/" && screen_keys Tab && screen_wait "^ /bye  /clear .* … Tab: [0-9]* more" && screen_hides "/undo" &&
	screen_keys Tab && screen_wait "  /undo  … Tab: the first" && screen_keys Tab && screen_wait "^ /bye  /clear" &&
	screen_type r && screen_gone "/bye" && screen_keys Tab && screen_wait "/re" && screen_keys Tab && screen_wait "^ /read  /regen  /restore$" &&
	screen_keys C-c && screen_wait "^ ›$" && screen_type "/set theme " && screen_keys Tab && screen_wait "^ contrast  dark  light  mono$" &&
	screen_keys C-c && screen_wait "^ ›$"
'
test_expect_success 'Ctrl-R searches, Esc takes what it found' '
	screen_keys C-r && screen_type "quant q4" && screen_wait "i-search.*quant q4" && screen_wait "› /quant q4_0" &&
	screen_keys Escape && screen_gone i-search && screen_shows "› /quant q4_0" && screen_keys C-c && screen_wait "^ ›$"
'
test_expect_success 'a pasted text is not sent, its controls are not kept' '
	printf "first\r\nsecond\033]0;evil\007" >paste && screen_tmux load-buffer paste &&
	screen_tmux paste-buffer -p -r && screen_wait "^ › first" && screen_wait "^   second.]0;evil" &&
	screen_hides "^ you" && screen_keys C-c && screen_wait "^ ›$"
'
test_expect_success 'wide and combining characters: the caret is where it belongs' '
	screen_type "漢字é" && screen_wait "› 漢字é" && at 8,38 && screen_keys Left && screen_until 5 at 7,38 &&
	screen_keys Left && screen_until 5 at 5,38 && screen_keys C-c && screen_wait "^ ›$"
'
test_expect_success 'help: F1, and Esc closes it' '
	screen_keys F1 && screen_wait "Ctrl-J, Alt-Enter, Shift-Enter" && screen_keys NPage && screen_wait "^ commands" && screen_wait "/quant" &&
	screen_wait "q close" && screen_keys Escape && screen_gone "^ commands"
'
test_expect_success 'help: its own keys move and close it, what is typed closes it and is seen' '
	screen_keys F1 && screen_wait "keys while you write" && screen_keys j Down && screen_gone "keys while you write" &&
	screen_keys g && screen_wait "keys while you write" && screen_keys q && screen_gone "keys while you write" && screen_wait "^ ›$" &&
	screen_keys F1 && screen_wait "keys while you write" && screen_type "/he" && screen_gone "keys while you write" && screen_wait "^ › /he$" &&
	screen_keys C-c && screen_wait "^ ›$"
'
test_expect_success '/help tells the commands' '
	screen_run "/help" && screen_wait "/bye  *leave"
'
test_expect_success 'below 100 columns the gauges are one line' '
	screen_size 80 24 && screen_wait "tok/s   context" && screen_hides "threads" && screen_wait "Enter send"
'
test_expect_success '40 columns: the keys go' '
	screen_size 40 20 && screen_gone "Enter send" && screen_wait "stories260K · Q4_0"
'
test_expect_success '30 by 8: the gauges go' '
	screen_size 30 8 && screen_gone "context" && screen_wait "stories260K" && screen_type small && screen_wait "› small"
'
test_expect_success '20 by 3: text and caret' '
	screen_size 20 3 && screen_gone "stories260K" && screen_shows "› small"
'
test_expect_success '1 by 1, and back' '
	screen_size 1 1 && sleep 0.2 && screen_size 118 40 && screen_wait "^ › small" && screen_wait "▸ Q4_0" &&
	screen_wait "Enter send" && screen_keys C-c && screen_wait "^ ›$"
'
test_expect_success 'resized while an answer streams' '
	screen_run "/set n -1" && screen_run "Lily" && screen_wait "answering *F1" &&
	for size in "30 8" "200 50" "1 1" "60 10" "7 3" "100 16" "3 60" "118 40"; do
		screen_tmux resize-window -x ${size% *} -y ${size#* }; sleep 0.05
	done && screen_keys C-c && screen_size 118 40 && screen_gone "answering *F1" && screen_wait "^ ›$" && screen_wait "threads"
'
test_expect_success 'Ctrl-Z and back' '
	screen_keys C-z && screen_wait "Stopped" && [ "$(screen_mode alternate_on)" = 0 ] &&
	screen_run "stty -a >during; fg" && screen_wait "Enter send" && cmp before during &&
	screen_type again && screen_wait "› again" && screen_keys C-u && screen_wait "^ ›$"
'
test_expect_success '/bye leaves the terminal as it was' '
	screen_run "/bye" && screen_wait "^was here" && screen_run "echo code \$?; stty -a >after" &&
	screen_wait "^[$ ]*code 0" && cmp before after && [ "$(screen_mode alternate_on)" = 0 ] &&
	[ "$(screen_mode cursor_flag)" = 1 ]
'
test_expect_success 'Ctrl-C on nothing asks once, Ctrl-D leaves' '
	screen_run clear && screen_open --temp 0 && screen_keys C-c && screen_wait "again to quit" && screen_type x &&
	screen_gone "again to quit" && screen_keys C-c && screen_keys C-c && screen_wait "again to quit" &&
	screen_keys C-c && screen_gone "Enter send" && screen_wait "^\\$\$" &&
	screen_open --temp 0 && screen_keys C-d && screen_gone "Enter send"
'
test_expect_success '--ascii draws nothing else' '
	screen_run clear && screen_open --temp 0 --ascii -n 30 && screen_run Lily && screen_wait "token limit" 20 &&
	screen_wait "^ >$" && screen_shows "^ stories260K - F32" && ! screen_text | LC_ALL=C grep -q "[^ -~]" && screen_run "/bye" && screen_gone "Enter send"
'
test_expect_success '--ascii where text of others can be shown: it is, frames and marks are ASCII' '
	screen_run clear && screen_open --temp 0 --ascii -n 3 && screen_type "é漢… x" && screen_wait "^ > é漢~ x$" && screen_keys C-c && screen_wait "^ >$" &&
	screen_run "/bye" && screen_gone "Enter send"
'
test_expect_success 'NO_COLOR: no colours' '
	screen_run "clear; NO_COLOR=1; export NO_COLOR" && screen_open --temp 0 -n 30 && screen_run Lily &&
	screen_wait "token limit" 20 && screen_tmux capture-pane -p -e >seen && ! grep -q "$(printf "\033")\[[0-9;]*3[0-7]m" seen &&
	screen_run "/bye" && screen_gone "Enter send"
'
test_expect_success 'an answer that ends inside its thinking is told of' '
	mkdir -p "$HOME/.config/tidbit" && printf "[stories]\nname = stories*\nthink = \", there\", \"</no>\"\n" >"$HOME/.config/tidbit/families.conf" &&
	screen_run clear && screen_open --temp 0 -n 5 && screen_run "Once upon a time" &&
	screen_wait "ended inside its thinking, 5 tokens: -n allows more" && screen_run "/bye" && screen_gone "Enter send" &&
	rm "$HOME/.config/tidbit/families.conf"
'
test_done
