#!/bin/sh
test_description='reading: the mark, copying, searching, the bare view, keys and themes of the user'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
. "${TEST_SRC:-.}/t/lib/screen-lib.sh"
why=$(screen_missing)
[ -z "$why" ] || { test_skip 'reading in the chat screen' "$why"; test_done; }

# The text of the row that is marked: what is drawn in reverse.
marked () { screen_tmux capture-pane -p -e | grep "$(printf '\033')\[[0-9;]*7m" | sed "s/$(printf '\033')\[[0-9;]*m//g"; }
marks () { marked | grep -q -e "$1"; }
moved () { [ "$(marked)" != "$was" ]; }
# A row further down unless it is reached: the note on top takes as many rows as the model's path is long.
down_to () {
	marks "$1" && return
	was=$(marked)
	screen_keys j && screen_until 5 moved && marks "$1"
}
# tmux's buffer, into which the program inside it copies
buffer_is () { screen_tmux show-buffer 2>/dev/null | cmp -s - "$1"; }

screen_start 100 30
screen_run "PS1='\$ '; VISUAL=$TRASH/edit; export VISUAL"
cat >edit <<'END'
#!/bin/sh
cp "$1" opened
echo "${WORDS-}" >>"$1"
END
chmod +x edit
mkdir -p home/.config/tidbit
test_expect_success 'Ctrl-O marks a row of the conversation, the key line tells what can be done' '
	screen_open --temp 0 -n 60 -t 1 && screen_wait "goes on with" && screen_run "Once upon a time" && screen_wait "token limit" 20 &&
	screen_keys C-o && screen_wait "y copy" && screen_until 15 marks "[^ ]" && screen_hides "Enter send"
'
test_expect_success 'k and j move it' '
	screen_keys g && screen_until 15 marks "goes on with" && screen_until 15 down_to "^ *you" &&
	screen_keys j && screen_until 15 marks "Once upon" && screen_keys G && screen_until 15 marks "tok/s" &&
	screen_keys g && screen_until 15 marks "goes on with" && screen_until 15 down_to "Once upon"
'
test_expect_success 'letters do not go to the message' '
	screen_type zx && screen_keys k j && screen_until 15 marks "Once upon" && screen_hides "› *zx"
'
test_expect_success 'y sends the source of what the mark stands in' '
	printf "Once upon a time" >want && screen_keys y && screen_wait "sent 16 bytes to tmux" &&
	screen_until 5 buffer_is want
'
test_expect_success 'e opens a copy in the editor, and the screen comes back' '
	screen_keys e && screen_until 5 test -f opened && screen_wait "y copy" && [ "$(cat opened)" = "Once upon a time" ]
'
test_expect_success '/ searches while it is typed, small letters match capitals' '
	screen_keys G && screen_type / && screen_wait "^ /$" && screen_type "once up" && screen_wait "^ /once up" &&
	screen_until 15 marks "Once upon" && screen_keys Enter && screen_gone "^ /once" && screen_keys n && screen_wait "n next"
'
test_expect_success 'a bad pattern is told, one that is nowhere too' '
	screen_type "/(" && screen_keys Enter && screen_wait "parenthesis" && screen_type "/nowhere" && screen_keys Enter &&
	screen_wait "not found"
'
test_expect_success 'Esc ends the search, then the reading' '
	screen_keys Escape && screen_gone "n next" && screen_keys Escape && screen_wait "Enter send"
'
test_expect_success 'F8 shows the conversation alone, F8 or Esc brings the rest back' '
	screen_keys F8 && screen_gone "─" && screen_wait "^Once upon a time" && screen_keys F8 && screen_wait "^   Once upon" &&
	screen_keys F8 && screen_gone "─" && screen_keys Escape && screen_wait "─"
'
test_expect_success 'a paste goes to the message' '
	screen_keys C-o && screen_wait "y copy" && screen_tmux set-buffer pasted && screen_tmux paste-buffer -p &&
	screen_wait "^ › pasted" && screen_keys C-c && screen_wait "^ ›$" && screen_run "/bye" && screen_gone "y copy\\|Enter send"
'
test_expect_success "keys of the user's own: one more, one given back, one that is wrong" '
	printf "[always]\nF9 = help\nF1 = readline\n[input]\nC-j = nonsense\n[nowhere]\na = send\n" >home/.config/tidbit/keys.conf &&
	screen_run clear && screen_open --temp 0 && screen_wait "keys.conf: line 5: no" && screen_wait "line 7: no" &&
	screen_keys F9 && screen_wait "keys while you write" && screen_keys F9 && screen_gone "keys while" && screen_keys F1 &&
	screen_type x && screen_wait "› .*x" && screen_hides "keys while" && screen_keys C-c && screen_run "/bye" && screen_gone "Enter send"
'
test_expect_success 'themes: one of ours, one of the user, an unknown one' '
	rm home/.config/tidbit/keys.conf && printf "[mine]\nkey = red\ndim = bright-blue\n" >home/.config/tidbit/themes.conf &&
	screen_run clear && screen_open --temp 0 --theme mine && screen_tmux capture-pane -p -e >seen &&
	grep -q "$(printf "\033")\[[0-9;]*\(94\|34\)m" seen && screen_run "/set theme nosuch" && screen_wait "! no theme" &&
	screen_hides "theme nosuch" && screen_run "/set theme mono" && screen_wait "theme mono" && screen_tmux capture-pane -p -e >seen &&
	! grep -q "$(printf "\033")\[[0-9;]*\(94\|34\)m" seen && screen_run "/bye" && screen_gone "Enter send" &&
	screen_run "clear; \"$TEST_BUILD/tidbit\" --theme none \"$SCREEN_MODEL\"" && screen_wait "! no theme \"none\": there are dark, light, mono, contrast, mine" && screen_wait "Enter send" &&
	screen_run "/bye" && screen_gone "Enter send" && printf "[bad]\nnosuch = red\nkey = nocolour\n" >>home/.config/tidbit/themes.conf &&
	screen_run "clear; \"$TEST_BUILD/tidbit\" --theme bad \"$SCREEN_MODEL\"" && screen_wait "theme \"bad\": none of its rows" && screen_hides "there are dark" && screen_wait "Enter send" &&
	screen_run "/set" && screen_wait "^ *theme  *\(dark\|mono\) " &&
	screen_shows "│ sampling temp 0.8 top-p 0.95$" && screen_run "/set temp 0.6543" && screen_wait "│ *temp 0.6543 top-p 0.95$" &&
	screen_size 99 40 && screen_wait "^ *[–0-9.]* tok/s .*  prefill *[–0-9.]* tok/s" && screen_size 118 40 && screen_run "/bye" && screen_gone "Enter send"
'
test_expect_success 'mono draws no colour' '
	screen_run clear && screen_open --temp 0 -n 9 --theme mono && screen_run Lily && screen_wait "token limit" 20 &&
	screen_tmux capture-pane -p -e >seen && ! grep -q "$(printf "\033")\[[0-9;]*3[0-7]m" seen && screen_run "/bye" && screen_gone "Enter send"
'
test_done
