#!/bin/sh
test_description='writing: a message that waits, long pastes, the editor, earlier runs, lines, right to left'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
. "${TEST_SRC:-.}/t/lib/screen-lib.sh"
why=$(screen_missing)
[ -z "$why" ] || { test_skip 'writing in the chat screen' "$why"; test_done; }

cursor () { screen_tmux display-message -p '#{cursor_x},#{cursor_y}'; }
stands () { [ "$(cursor)" = "$1" ]; }
at () { screen_until 5 stands "$1"; }
screen_start 118 40
screen_run "VISUAL=$TRASH/edit; export VISUAL"
cat >edit <<'END'
#!/bin/sh
cp "$1" opened
printf 'from the editor\nsecond\n' >"$1"
END
chmod +x edit
paste_file () { screen_tmux load-buffer "$1" && screen_tmux paste-buffer -p -r; }

test_expect_success 'Enter beside an answer queues the message, which is shown' '
	screen_open --temp 0 -c 40000 -t 1 && screen_run "One day" && screen_wait "answering *F1" && screen_run "And then" &&
	screen_wait "^ waits: And then" && screen_shows "answering *F1" && screen_type more && screen_keys Enter &&
	screen_wait "waits already" && screen_keys C-u && screen_wait "^ ›$"
'
test_expect_success 'Up takes it back' '
	screen_wait "↑ take back" && screen_keys Up && screen_wait "^ › And then" && screen_hides "waits:" && screen_hides "take back"
'
test_expect_success 'stopping the answer gives it back too' '
	screen_keys Enter && screen_wait "waits: And then" && screen_keys C-c && screen_wait "stopped · " &&
	screen_wait "^ › And then" && screen_hides "waits:" && screen_keys C-c && screen_wait "^ ›$"
'
# Both are typed at once, so that the second cannot come too late.
test_expect_success 'when the answer ends it is asked' '
	screen_run "/clear" && screen_gone "^ you" && screen_run "/set n 300" && screen_wait "n 300" &&
	screen_type "$(printf "One day\rAnd then\r")" && screen_wait "^   And then" 60 && screen_wait "token limit · .* 300 tokens" 60 &&
	screen_gone "waits:" && screen_gone "answering *F1" 60 && screen_run "/set n 5" && screen_wait "n 5" && screen_hides "› And then"
'
test_expect_success 'a long paste is one character with its name' '
	seq 1 214 >lines && paste_file lines && screen_wait "^ › .pasted 214 lines.$" && screen_type x &&
	screen_wait "214 lines.x$" && screen_keys BSpace BSpace && screen_wait "^ ›$" && screen_keys C-_ &&
	screen_wait "^ › .pasted 214 lines.$"
'
test_expect_success 'it is killed and put back as what it is, the same words typed stay words' '
	screen_keys C-u && screen_wait "^ ›$" && screen_keys C-y && screen_wait "^ › .pasted 214 lines.$" && screen_keys C-u &&
	screen_type "[pasted 214 lines]" && screen_keys Left BSpace && screen_wait "pasted 214 line.$" && screen_keys C-e C-u
'
test_expect_success 'the editor gets it in full, and what it writes comes back' '
	screen_keys C-y && screen_wait "pasted 214 line.$" && screen_keys C-u && screen_wait "^ ›$" && paste_file lines &&
	screen_wait "pasted 214 lines" && screen_keys C-x C-e && screen_wait "^ › from the editor" && screen_wait "^   second$" &&
	cmp lines opened
'
test_expect_success 'Home, End, Ctrl-U and Ctrl-K work on the line of the caret' '
	at 9,38 && screen_keys C-a && screen_until 5 at 3,38 && screen_keys Up C-e && screen_until 5 at 18,37 && screen_keys C-u &&
	screen_wait "^ ›$" && screen_shows "^   second$" && screen_keys C-k && screen_wait "^ › second$" && screen_keys C-e C-u &&
	screen_wait "^ ›$"
'
test_expect_success 'a message of three lines is one entry in the next run too' '
	screen_run "/clear" && screen_type "first \\\\ line" && screen_keys C-j && screen_type two && screen_keys C-j && screen_type three &&
	screen_keys Enter && screen_wait "token limit" && screen_run "/bye" && screen_gone "Enter send" &&
	[ "$(stat -c %a home/.local/state/tidbit/messages)" = 600 ] && screen_run clear && screen_open --temp 0 &&
	screen_keys Up && screen_wait "^ › /bye" && screen_keys Up && screen_wait "^ › first .. line" && screen_shows "^   three"
'
test_expect_success '--private keeps nothing' '
	screen_keys C-c C-d && screen_gone "Enter send" && cp home/.local/state/tidbit/messages before && screen_run clear &&
	screen_open --temp 0 -n 3 --private && screen_run secret && screen_wait "token limit" && screen_keys Up && screen_wait "› secret" &&
	screen_keys C-c && screen_wait "^ ›$" && cmp before home/.local/state/tidbit/messages
'
test_expect_success 'the caret steps by what a reader takes for one character' '
	screen_type "aनिb" && screen_wait "› aनिb" && screen_keys Left Left && screen_until 5 at 4,38 && screen_keys Left &&
	screen_until 5 at 3,38 && screen_keys Right Right && screen_type X && screen_wait "› aनिXb" && screen_keys C-c && screen_wait "^ ›$"
'
test_expect_success 'Hangul spelled in jamo is seen as syllables, a wide character keeps its marks' '
	screen_type "A$(printf "\341\204\222\341\205\241\341\206\253")B$(printf "\343\201\213\343\202\231")C" &&
	screen_wait "^ › A한B$(printf "\343\201\213\343\202\231")C$" && screen_until 5 at 10,38 && screen_keys C-c && screen_wait "^ ›$"
'
# tmux hands on what is typed at once, so that only time tells Esc from Alt.
esc () { screen_keys Escape && sleep 0.2; }
test_expect_success 'Esc with nothing open is no half of Alt' '
	esc && screen_type dog && screen_wait "^ › dog$" && esc && screen_type d && screen_wait "^ › dogd$" && esc && screen_keys Up &&
	screen_type x && screen_hides "\[A" && screen_keys C-c && screen_wait "^ ›$" &&
	esc && screen_run "/thinks" && screen_wait "no command /thinks" && screen_wait "^ ›$"
'
test_expect_success 'Alt itself is, and Esc ends what readline is in the middle of' '
	screen_type "one two" && screen_keys M-b M-d && screen_wait "^ › one$" && screen_keys C-x Escape && sleep 0.2 && screen_type e &&
	screen_wait "^ › one e$" && screen_keys C-e M-4 Escape && sleep 0.2 && screen_type z && screen_wait "^ › one ez$" &&
	screen_keys C-c && screen_wait "^ ›$"
'
test_expect_success 'Esc and Enter by hand is a new line' '
	screen_type up && screen_keys Escape && sleep 0.1 && screen_keys Enter && screen_type down && screen_wait "^ › up$" &&
	screen_wait "^   down$" && screen_keys C-c && screen_wait "^ ›$"
'
test_expect_success 'keys that nothing has a use for type nothing' '
	screen_keys F5 F6 F7 F9 F10 F11 F12 S-Up S-Down S-Left S-Right S-Home S-End S-F3 M-F3 C-F5 C-PPage S-PPage M-PPage BTab &&
	screen_tmux send-keys -H 1b 1b 4f 52 1b 5b 4d 21 21 21 1b c3 a9 && screen_type . && screen_wait "^ › \.$" && screen_keys C-c &&
	screen_wait "^ ›$"
'
test_expect_success 'other forms of keys that readline knows move as those do' '
	screen_type "one two" && screen_tmux send-keys -H 1b 1b 5b 44 && screen_type x && screen_wait "^ › one xtwo$" &&
	screen_tmux send-keys -H 1b 5b 37 7e && screen_type y && screen_wait "^ › yone xtwo$" && screen_keys C-c && screen_wait "^ ›$"
'
test_expect_success 'what a terminal answers too late types nothing' '
	screen_type a && screen_tmux send-keys -H 1b 5d 31 31 3b 72 67 62 3a 30 2f 30 2f 30 07 && screen_type b &&
	screen_tmux send-keys -H 1b 50 31 24 72 30 6d 1b 5c && screen_type c && screen_wait "^ › abc$" && screen_keys C-c && screen_wait "^ ›$"
'
test_expect_success 'right to left: the text stands at the right, the caret at its left' '
	screen_type "אב 12" && screen_wait "12 בא" && screen_until 5 at 111,38 && screen_keys C-a && screen_until 5 at 116,38 &&
	screen_keys C-c && screen_wait "^ ›$"
'
test_expect_success '--bidi terminal leaves the order to the terminal' '
	screen_run "/bye" && screen_gone "Enter send" && screen_run clear && screen_open --temp 0 --bidi terminal &&
	screen_type "אב 12" && screen_wait "^ › אב 12" && screen_keys C-c && screen_wait "^ ›$"
'
# The line about the draft stands where the keys are.
open_draft () {
	screen_run "sh -c 'echo \$\$ >pid; exec \"$TEST_BUILD/tidbit\" \"$SCREEN_MODEL\" --temp 0 -n 3'" &&
	screen_wait "is here again" 20 && screen_wait "^ › half a sen"
}
kept () { cat home/.local/state/tidbit/draft-* 2>/dev/null; }
test_expect_success 'what was typed outlives a crash, and comes back in the next run' '
	screen_run "/bye" && screen_gone "Enter send" && screen_run "ulimit -c 0; clear" && screen_open --temp 0 && screen_type "half a sen" &&
	typed () { [ -n "$(kept)" ]; } && screen_until 5 typed && kill -SEGV "$(cat pid)" && screen_wait "Segmentation\|DEADLYSIGNAL" &&
	screen_run clear && screen_gone Segmentation && open_draft && kill -TERM "$(cat pid)" && screen_gone "› half" && [ "$(kept)" = "half a sen" ] &&
	[ "$(stat -c %a home/.local/state/tidbit/draft-*)" = 600 ]
'
# comes_back REGEX: the program ends without being asked, and the next one has it
comes_back () {
	sleep 1.3 && kill -SEGV "$(cat pid)" && screen_wait "Segmentation\|DEADLYSIGNAL" && screen_run clear && screen_gone Segmentation &&
	screen_run "sh -c 'echo \$\$ >pid; exec \"$TEST_BUILD/tidbit\" \"$SCREEN_MODEL\" --temp 0 -n 3'" && screen_wait "is here again" 20 && screen_wait "$1"
}
test_expect_success 'twelve typed lines come back as lines, a paste among words as a paste' '
	screen_run clear && open_draft && screen_keys C-c && screen_wait "^ ›$" &&
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do screen_type "typed $i"; screen_keys C-j; done && screen_type end && screen_wait "^   end$" &&
	comes_back "^   end$" && screen_shows "^   typed 12$" && screen_hides pasted && screen_keys C-c && screen_wait "^ ›$" &&
	screen_type "before " && paste_file lines && screen_type " behind" && screen_wait "before .pasted 214 lines. behind$" &&
	comes_back "^ › before .pasted 214 lines. behind$" && screen_keys C-c && screen_wait "^ ›$"
'
test_expect_success 'the editor leaves pastes what they are and words words' '
	printf "#!/bin/sh\nsed -i s/before/after/ \"\$1\"; seq -f more%%g 12 >>\"\$1\"\n" >edit && screen_type "before " && paste_file lines && screen_keys C-x C-e &&
	screen_wait "^   more12$" && screen_keys Up Up Up Up Up Up Up Up Up Up Up && screen_wait "› after .pasted 214 lines.more1$" && screen_keys C-c &&
	screen_wait "^ ›$" && screen_run "/bye" && screen_gone "Enter send"
'
test_expect_success 'what was sent or cleared does not' '
	screen_run clear && screen_open --temp 0 -n 3 && screen_run sent && screen_wait "token limit" &&
	screen_run "/bye" && screen_gone "Enter send" && ! ls home/.local/state/tidbit | grep draft
'
test_expect_success 'Tab lists the last components of paths, not the folders that stand in the line already' '
	mkdir -p a-folder/with-a-long-name/and-another && for f in first final fish; do : >a-folder/with-a-long-name/and-another/$f; done &&
	screen_run clear && screen_open --temp 0 && screen_type "/read $TRASH/a-folder/with-a-long-name/and-another/fi" && screen_keys Tab &&
	screen_wait "^ final  first  fish *$" && screen_keys C-c C-d && screen_gone "Enter send"
'
test_expect_success 'vi mode is told before the prompt where the inputrc wants it, by its own strings' '
	printf "set editing-mode vi\nset show-mode-in-prompt on\nset vi-ins-mode-string \"\\\\1\\\\e[6 q\\\\2+i\"\n" >vi.rc &&
	screen_run clear && screen_run "INPUTRC=$TRASH/vi.rc; export INPUTRC; clear" && screen_open --temp 0 && screen_wait "^ +i› *$" && screen_type word &&
	screen_wait "^ +i› word$" && at 9,38 && screen_keys Escape && screen_wait "^ (cmd)› word$" && screen_type xi && screen_wait "^ +i› wor$" &&
	screen_keys C-c C-d && screen_gone "Enter send"
'
test_expect_success 'so is emacs mode; without the setting nothing is' '
	printf "set show-mode-in-prompt on\n" >vi.rc && screen_run clear && screen_open --temp 0 && screen_wait "^ @› *$" && screen_keys C-d && screen_gone "Enter send" &&
	: >vi.rc && screen_run clear && screen_open --temp 0 && screen_wait "^ › *$"
'
test_done
