#!/bin/sh
# overhead.sh [--tidbit PATH] [--pairs N] [-n TOKENS] [--size WxH] [--under "COMMAND"] [--chat "OPTIONS"] MODEL
# What the screen costs: decode tok/s of the same answer by `tidbit run` and in the screen, in the same terminal
# (tmux, a server of its own), by turns, so that what the machine does meanwhile falls on both. Both tell what
# the answer loop measures: from token to token without what is done with the text. --under "chrt -f 10" or
# "nice -n -15" keeps other programs from it; tmux runs under it too. Needs tmux; told are medians and their ratio.
set -u
tidbit=tidbit pairs=15 n=256 size=118x40 under= chat=
die () { echo "overhead.sh: $*" >&2; exit 2; }
while [ $# -gt 0 ]; do
	case $1 in
	--tidbit|--pairs|-n|--size|--under|--chat) [ $# -gt 1 ] || die "$1 wants a value" ;;
	-*) die "unknown option $1" ;;
	*) break ;;
	esac
	case $1 in
	--tidbit) tidbit=$2 ;;
	--pairs) pairs=$2 ;;
	-n) n=$2 ;;
	--size) size=$2 ;;
	--under) under=$2 ;;
	--chat) chat=$2 ;;
	esac
	shift 2
done
[ $# -eq 1 ] || die "one model"
[ -r "$1" ] || die "$1 cannot be read"
command -v tmux >/dev/null || die "no tmux"
tidbit=$(command -v "$tidbit") && tidbit=$(realpath "$tidbit") || die "no tidbit"
model=$(realpath "$1")
tmp=$(mktemp -d) || exit 1
tm () { tmux -u -S "$tmp/socket" -f "$tmp/conf" "$@"; }
trap 'tm kill-server 2>/dev/null; rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
LC_ALL=C.UTF-8 HOME=$tmp PS1='$ ' ENV=
export LC_ALL HOME PS1 ENV
unset XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_CACHE_HOME
printf 'set -g escape-time 0\nset -g status off\n' >"$tmp/conf"
prompt='Tell me a long story about a lighthouse keeper and the sea.'

# until the screen has that, asked once a second: asking costs time as well
shows () {
	for i in $(seq 120); do
		tm capture-pane -p -S -200 | grep -q -e "$1" && return
		sleep 1
	done
	die "\"$1\" was never seen: $(tm capture-pane -p)"
}
typed () { tm send-keys -l -- "$1"; tm send-keys Enter; }
begin () { typed "clear; tput clear; tmux -S $tmp/socket clear-history; echo begun"; sleep 0.5; }

by_run () {
	begin
	typed "\"$tidbit\" run \"$model\" \"$prompt\" --temp 0 -n $n --stats 2>$tmp/run; echo 'the 'end"
	shows '^the end'
	sed -n 's/.*decode \([0-9.]*\) tok.*answer '"$n"' tokens.*/\1/p' "$tmp/run"
}
by_screen () {
	begin
	typed "\"$tidbit\" chat \"$model\" --temp 0 -n $n --private $chat"
	shows 'Enter send'
	typed "$prompt"
	shows "tok/s . $n tokens"
	typed /stats
	shows "answer *$n tokens at"
	tm capture-pane -p | sed -n "s/.*answer *$n tokens at \([0-9.]*\) tok.*/\1/p" | head -n 1
	typed /bye
	sleep 0.5
}
median () { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

$under tmux -u -S "$tmp/socket" -f "$tmp/conf" new-session -d -x "${size%x*}" -y "${size#*x}" "sh -i" || die "tmux does not run here"
sleep 0.5
for i in $(seq "$pairs"); do
	if [ $((i % 2)) = 1 ]; then
		a=$(by_run); b=$(by_screen)
	else
		b=$(by_screen); a=$(by_run)
	fi
	[ -n "$a" ] && [ -n "$b" ] || die "no figures: an answer of fewer than $n tokens?"
	echo "$a" >>"$tmp/a"; echo "$b" >>"$tmp/b"
	echo "$i: run $a, screen $b tok/s"
done
a=$(median <"$tmp/a") b=$(median <"$tmp/b")
awk -v a="$a" -v b="$b" -v n="$pairs" 'BEGIN { printf "medians of %d pairs: run %.1f, screen %.1f tok/s: %.1f %%\n", n, a, b, 100 * b / a }'
