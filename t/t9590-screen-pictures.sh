#!/bin/sh
test_description='stored pictures: everyone'"'"'s text, emoji, themes, and what a narrow screen keeps'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
. "${TEST_SRC:-.}/t/lib/screen-lib.sh"
why=$(screen_missing)
[ -z "$why" ] || { test_skip 'pictures' "$why"; test_done; }
cd "$TRASH" || exit 99
DATA=$TEST_SRC/t/data
STORED=$DATA/screens
# picture NAME [COMMAND]: what stands on the screen is what is stored; TEST_STORE=1 stores it, to be looked at
picture () {
	name=$1; shift
	{ [ $# -gt 0 ] && "$@" || screen_text; } | sed 's/ *$//' >"$name.now"
	[ -z "$TEST_STORE" ] || cp "$name.now" "$STORED/$name"
	cmp -s "$name.now" "$STORED/$name" || { diff "$STORED/$name" "$name.now"; return 1; }
}
# What ran last leaves nothing behind, and no message of its own.
leave () {
	[ ! -r pid ] || kill -KILL "$(cat pid)" 2>/dev/null
	screen_tmux kill-server 2>/dev/null; sleep 0.2; rm -f "$HOME"/.local/state/tidbit/*
}
with_looks () { screen_tmux capture-pane -p -e; }
json () { sed 's/[\\"]/\\&/g; s/	/ /; s/$/\\n\\n/' "$1" | tr -d '\n'; }
# chat TEXT...: a conversation that an ended run has left, the answers among it
chat () {
	mkdir -p "$HOME/.local/state/tidbit"
	{
		printf '{"form":1,"model":"m","messages":['; first=
		for text; do
			printf '%s{"role":"%s","label":"a model · Q4_0","text":"%s"}' "$first" "${first:+assistant}" "$text"; first=,
		done
		printf ']}'
	} | sed 's/"role":""/"role":"user"/' >"$HOME/.local/state/tidbit/chat-4194303"
}
# show W H ARGS...: brings it back, once there is a model to read it
show () {
	screen_start "$1" "$2"; shift 2
	screen_open --temp 0 -t 1 "$@" && screen_wait "instead of answering" && screen_run "/restore" && screen_gone "brings its" && screen_wait "a model"
}
test_expect_success 'fifteen languages' '
	cut -f 2 "$DATA/languages.txt" >texts && chat "Article 1" "$(json texts)" && show 90 44 && screen_keys F8 && screen_gone "Enter send" && picture languages
'
test_expect_success 'the same on 40 columns' '
	screen_keys F8 && screen_wait "Enter send" && screen_size 40 60 && screen_keys F8 && screen_wait "^Article 1" && picture languages-narrow
'
test_expect_success 'emoji: no row drifts' '
	leave; chat "faces" "$(json "$DATA/emoji.txt")" && show 60 20 && screen_keys F8 && screen_gone "Enter send" && picture emoji
'
test_expect_success 'the caret in text of each language' '
	screen_keys F8 && screen_wait "Enter send" && : >carets &&
	while IFS="	" read -r lang text; do
		screen_type "$text" && screen_keys Home Right Right Right && sleep 0.2 &&
		echo "$lang $(screen_mode cursor_x) $(screen_mode cursor_y)" >>carets && screen_keys End && sleep 0.1 &&
		echo "$lang end $(screen_mode cursor_x)" >>carets && screen_keys C-u C-c || exit 1
	done <"$DATA/languages.txt" && screen_keys C-c && picture carets cat carets
'
ANSWER='# A heading\n\nSome *soft* and **strong** text, `code`, and a [link](https://example.org).\n\n- one\n- [x] two\n\n> quoted\n\n```c\nint main(void) { return 42; } /* why */\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n'
for theme in dark light mono contrast; do
	test_expect_success "theme $theme, with its attributes" "
		leave; chat 'How does it look?' '$ANSWER' && show 80 40 --theme $theme && screen_keys F8 &&
		screen_gone 'Enter send' && picture theme-$theme with_looks
	"
done
test_expect_success 'parts go where there is no room: the key line below 60 columns, the gauges below 10 rows, all but text below 20' '
	screen_keys F8 && screen_wait "Enter send" && screen_type word && screen_wait "› word" &&
	screen_size 59 24 && screen_gone "Enter send" && screen_wait "tok/s" && screen_size 80 15 && screen_gone "Enter send" &&
	screen_wait "tok/s   context" && screen_size 80 9 && screen_gone "tok/s" && screen_wait "tidbit   stories" &&
	screen_size 80 3 && screen_gone "tidbit   stories" && screen_wait "› word" && screen_size 19 24 && screen_gone "stories" && screen_shows "› word"
'
test_expect_success 'gauges are chosen and ordered in tidbit.conf; a name that is none is told' '
	leave; mkdir -p "$HOME/.config/tidbit" && printf "[chat]\ngauges = rss, free, | decode levels\n" >"$HOME/.config/tidbit/tidbit.conf" &&
	screen_start 118 30 && screen_open --temp 0 -t 1 && screen_wait "│ RSS " && screen_wait "level  *size" && screen_text >shot && sed -n "3p" shot | grep -q "│ RSS " &&
	sed -n "4p" shot | grep -q "│ free " && sed -n "6p" shot | grep -q "│ decode " && ! grep -q "prefill" shot && grep -q "level  *size" shot &&
	screen_keys C-d && screen_wait "^\\$" && printf "[chat]\ngauges = rss decod\n" >"$HOME/.config/tidbit/tidbit.conf" && screen_run clear &&
	screen_open --temp 0 -t 1 && screen_wait "there is no .decod.; did you mean decode" && screen_wait "prefill" && rm "$HOME/.config/tidbit/tidbit.conf"
'
test_expect_success 'the parts of the memory add up to the RSS' '
	screen_keys C-u && screen_run "One day" && screen_wait "tokens · " 20 && screen_keys C-c && sleep 0.5 && screen_run "/stats" && screen_wait "RSS .*peak" &&
	screen_text | cut -c1-70 | awk "
		function bytes(n, u) { return n * (u ~ /^KiB/ ? 1024 : u ~ /^MiB/ ? 1048576 : 1) }
		\$2 ~ /^[0-9.]+\$/ && \$3 ~ /iB/ { part[\$1] = bytes(\$2, \$3) }
		END { sum = part[\"weights\"] + part[\"made\"] + part[\"KV\"] + part[\"scratch\"] + part[\"other\"]; gap = sum - part[\"RSS\"];
			if (gap < 0) gap = -gap; print sum, part[\"RSS\"]; exit !(part[\"RSS\"] > 0 && part[\"other\"] > 0 && gap < 25165824) }"
'
test_done
