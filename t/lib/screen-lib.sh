# For tests that drive the screen through a real terminal emulator: tmux, with a server, a
# socket and a configuration of its own. Sourced after test-lib.sh; calls for nothing outside.
#
#   screen_start W H         a shell in a terminal of that size; it and the test are in $TRASH
#   screen_type TEXT         types it as it is; screen_keys takes tmux's names of keys
#   screen_wait REGEX [S]    until a line of the screen matches, at most S seconds (10)
#   screen_gone REGEX [S]    until none does
#   screen_text              the screen
#   screen_open ARGS...      tidbit on the shipped model, up to its first screen. It has no template and says so
#                            ("instead of answering"): that an answer runs is "answering *F1", in the header
SCREEN_MODEL=$TIDBIT_PROFILES/stories260K.gguf
screen_tmux () { tmux -u -S "$TRASH/tmux" -f "$TRASH/tmux.conf" "$@"; }
# What is hung up on still puts its draft and conversation away.
screen_stop () {
	screen_tmux kill-server 2>/dev/null
	for i in 1 2 3 4 5; do rm -rf "$TRASH" 2>/dev/null && break; sleep 0.3; done
}
trap screen_stop EXIT

screen_missing () {
	command -v tmux >/dev/null || { echo "no tmux here"; return; }
	[ -r "$SCREEN_MODEL" ] || { echo "no model at $SCREEN_MODEL"; return; }
	LC_ALL=C.UTF-8 tmux -V >/dev/null 2>&1 || echo "tmux does not run here"
}
screen_start () {
	screen_tmux kill-server 2>/dev/null
	cd "$TRASH" || return 1
	# Told before the terminal is made: a status line taken away later changes its size under the program.
	printf 'set -g escape-time 0\nset -g status off\n' >tmux.conf
	# the server that is leaving may still answer
	screen_until 5 screen_tmux new-session -d -x "$1" -y "$2" -c "$TRASH" "env LC_ALL=C.UTF-8 PS1='\$ ' ENV= HISTFILE= sh -i"
	screen_wait '^\$'
}
screen_text () { screen_tmux capture-pane -p; }
screen_keys () { screen_tmux send-keys "$@"; }
screen_type () { screen_tmux send-keys -l -- "$1"; }
screen_run () { screen_type "$1"; screen_keys Enter; }
# tmux puts off a size that follows another within a quarter of a second, and may forget it: it is asked until the
# terminal has it.
screen_size () {
	screen_until 5 screen_sized "$1" "$2"
}
screen_sized () {
	screen_tmux resize-window -x "$1" -y "$2"
	[ "$(stty size <"$(screen_tmux display-message -p '#{pane_tty}')")" = "$2 $1" ]
}
# What tmux knows of the terminal: screen_mode alternate_on
screen_mode () { screen_tmux display-message -p "#{$1}"; }
# screen_until SECONDS COMMAND...
screen_until () {
	left=$(($1 * 20)); shift
	until "$@"; do
		left=$((left - 1))
		[ $left -gt 0 ] || { echo "in vain: $*"; screen_text; return 1; }
		sleep 0.05
	done
}
screen_shows () { screen_text | grep -q -e "$1"; }
screen_hides () { ! screen_shows "$1"; }
screen_wait () { screen_until "${2:-10}" screen_shows "$1"; }
screen_gone () { screen_until "${2:-10}" screen_hides "$1"; }
screen_open () {
	[ -x "$TEST_BUILD/tidbit" ] || { echo "no $TEST_BUILD/tidbit"; return 1; }
	screen_run "sh -c 'echo \$\$ >pid; exec \"$TEST_BUILD/tidbit\" \"$SCREEN_MODEL\" $*'"
	screen_wait 'Enter send' 20
}
