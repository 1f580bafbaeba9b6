#!/bin/sh
test_description='completions of shells are driven, the man page is clean, F1 tells all'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
. "${TEST_SRC:-.}/t/lib/screen-lib.sh"
docs=$TEST_BUILD/ui/doc
[ -r "$docs/tidbit.1" ] || docs=$TEST_SRC/ui/doc
[ -r "$docs/tidbit.1" ] || { test_skip 'completions' 'none were made'; test_done; }
cd "$TRASH" || exit 99
PATH=$TEST_BUILD:$PATH
models=$HOME/.local/share/tidbit/models
mkdir -p "$models"
"$TEST_BUILD/t/helper/mkmodel" tiny-qwen3 Q8_0 "$models/tiny-qwen3-Q8_0.gguf" >/dev/null &&
	"$TEST_BUILD/t/helper/mkmodel" tiny-qwen3 Q4_0 "$models/tiny-qwen3-Q4_0.gguf" >/dev/null || exit 99
cp "$SCREEN_MODEL" "$models/stories260K.gguf"
printf 'GGUFnonsense' >"$models/broken.gguf"
: >notes.txt; : >my.gguf

test_expect_success 'list -o names: what to type, without those that cannot be opened' '
	tidbit list -o names >out 2>err && cat out err && [ ! -s err ] && printf "stories260k\ntiny-qwen3:Q4_0\ntiny-qwen3:Q8_0\n" >want &&
	sort out | tr "[:upper:]" "[:lower:]" >a && tr "[:upper:]" "[:lower:]" <want | cmp - a
'
if command -v groff >/dev/null; then
	test_expect_success 'groff has nothing to say of the man page' '
		groff -ww -man -Tutf8 -Kutf8 -z "$docs/tidbit.1" >out 2>&1 && cat out && [ ! -s out ]'
else
	test_skip 'groff has nothing to say' 'no groff here'
fi
if command -v mandoc >/dev/null; then
	test_expect_success 'nor has mandoc' 'mandoc -Tlint "$docs/tidbit.1" >out 2>&1; cat out; [ ! -s out ]'
else
	test_skip 'nor has mandoc' 'no mandoc here'
fi
for s in "zsh zsh/_tidbit" "fish fish/tidbit.fish"; do
	if command -v ${s% *} >/dev/null; then
		test_expect_success "${s% *} reads its completions" "${s% *} -n \"\$docs/${s#* }\""
	else
		test_skip "${s% *} reads its completions" "no ${s% *} here"
	fi
done
command -v bash >/dev/null || { test_skip 'bash completes' 'no bash here'; test_done; }

cat >drive <<'END'
. "$1"
COMP_LINE=$2 COMP_POINT=${#2} COMPREPLY=()
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
_tidbit
((${#COMPREPLY[@]})) && printf '%s\n' "${COMPREPLY[@]}"
exit 0
END
# completes LINE WANT...: exactly these, in any order
completes () {
	bash drive "$docs/bash/tidbit" "$1" >got 2>err || { cat err; return 1; }
	cat got err
	[ -s err ] && return 1
	shift; [ $# -eq 0 ] || printf '%s\n' "$@" | sort >want
	[ $# -gt 0 ] || : >want
	sort got | cmp - want
}
offers () {
	bash drive "$docs/bash/tidbit" "$1" >got 2>err; cat got err
	[ ! -s err ] || return 1
	shift; for w; do grep -qxF -e "$w" got || { echo "no $w"; return 1; }; done
}
test_expect_success 'bash: verbs, and models beside them' '
	completes "tidbit be" bench && offers "tidbit " run bench quantize help stories260k my.gguf && completes "tidbit sto" stories260k
'
test_expect_success 'bash: options of the verb, of chat where there is none' '
	completes "tidbit run --temp" --temp && completes "tidbit bench --rep" --repetitions && completes "tidbit run --rep" --repeat-penalty &&
	completes "tidbit --priv" --private && completes "tidbit --vers" --version && completes "tidbit list --vers"
'
for v in $(tidbit --help | sed -n 's/^  \([a-z]*\).*/\1/p'); do
	test_expect_success "bash: all options of $v, and no others" '
		tidbit $v --help | sed -n "s/^  -., \(--[a-z-]*\).*/\1/p; s/^      \(--[a-z-]*\).*/\1/p" | sort >want && bash drive "$docs/bash/tidbit" "tidbit $v --" |
		grep -vx -e "-." | sort >got && [ -s want ] && diff want got
	'
done
test_expect_success 'bash: values that are words, apart, behind = and behind a comma' '
	completes "tidbit run x hi --kv q" q8_0 && completes "tidbit run x hi --kv=f" f16 f32 && completes "tidbit bench -o j" json &&
	completes "tidbit bench -q q8_0,q5_1,tq1" q8_0,q5_1,TQ1_0 && completes "tidbit run -q iq4_x" IQ4_XS && completes "tidbit run x -n " &&
	completes "tidbit chat --mode b" borrowed
'
test_expect_success 'bash: values from tables of the screen and of the engine' '
	completes "tidbit chat --theme " dark light mono contrast && completes "tidbit --theme=co" contrast && completes "tidbit chat --gauges dec" decode &&
	completes "tidbit chat --gauges decode,ba" decode,bandwidth && offers "tidbit chat --gauges " rss threads energy && offers "tidbit run x --isa " scalar &&
	completes "tidbit run x --isa scalar,sca" scalar,scalar && completes "tidbit chat --act int" int8 int16 && completes "tidbit chat --kv " f32 f16 bf16 q8_0 &&
	completes "tidbit chat --context-policy d" drop-oldest && completes "tidbit list -o n" names && completes "tidbit show --output j" json
'
test_expect_success 'bash: the user'\''s own themes' '
	mkdir -p conf/tidbit && printf "# mine\n[dusk]\ntext = bold\n[dark]\ntext =\n" >conf/tidbit/themes.conf && XDG_CONFIG_HOME=$PWD/conf && export XDG_CONFIG_HOME &&
	completes "tidbit chat --theme du" dusk && completes "tidbit --theme=d" dark dusk; r=$?
	unset XDG_CONFIG_HOME; [ $r = 0 ] && ! offers "tidbit chat --theme " dusk && offers "tidbit chat --theme " dark
'
test_expect_success 'bash: where a model stands only files of models and folders are offered' '
	mkdir -p folder && : >big.GGUF && offers "tidbit " folder my.gguf big.GGUF && ! grep -x notes.txt got && offers "tidbit chat " folder my.gguf && ! grep -x notes.txt got &&
	completes "tidbit chat fo" folder && offers "tidbit run -f " notes.txt folder
'
test_expect_success 'zsh and fish have the same values' '
	grep -q -e "--theme=.*_tidbit_theme dark light mono contrast" "$docs/zsh/_tidbit" && grep -q -e "--gauges=.*_tidbit_list decode graph" "$docs/zsh/_tidbit" &&
	grep -q -e "-l theme -x -a .dark light mono contrast (__tidbit_themes)" "$docs/fish/tidbit.fish" && grep -q -e "-l gauges -x -a .(__tidbit_list decode graph" "$docs/fish/tidbit.fish" &&
	grep -q -e "-l isa -x -a .(__tidbit_list scalar" "$docs/fish/tidbit.fish" && ! grep complete_suffix "$docs/fish/tidbit.fish"
'
test_expect_success 'bash: models by name, with a colon in it, and files' '
	completes "tidbit run -m tiny-qwen3:q8" Q8_0 && completes "tidbit run -m=sto" && completes "tidbit run --model=sto" stories260k &&
	completes "tidbit run sto" stories260k && completes "tidbit show m" my.gguf && completes "tidbit run -f no" notes.txt && completes "tidbit run sto no"
'
test_expect_success 'bash: arguments of quantize and help' '
	completes "tidbit quantize my" my.gguf && completes "tidbit quantize my.gguf out.gguf q4_k_s" Q4_K_S && completes "tidbit help quan" quantize &&
	completes "tidbit quantize --dry-run my.gguf out.gguf tq1" TQ1_0
'
test_expect_success 'bash: behind -- nothing is an option' 'completes "tidbit run stories260k -- --te"'

why=$(screen_missing)
[ -z "$why" ] || { test_skip 'in a terminal' "$why"; test_done; }
screen_start 118 200
test_expect_success 'bash: Tab in a terminal' '
	screen_run "PATH=$TEST_BUILD:\$PATH bash --norc --noprofile" && screen_run "PS1=:; . \"$docs/bash/tidbit\"; clear" && screen_wait "^:$" &&
	screen_type "tidbit run tiny-qwen3:Q8" && screen_keys Tab && screen_wait "^:tidbit run tiny-qwen3:Q8_0" && screen_type "--thr" && screen_keys Tab &&
	screen_wait "tiny-qwen3:Q8_0 --threads" && screen_keys C-c && screen_run exit && screen_wait "^exit"
'
test_expect_success 'F1 tells every command and every key' '
	screen_run clear && screen_open --temp 0 && screen_run /help && screen_wait "  /bye  *leave" && screen_text | sed -n "s/^ . *\(\/[a-z]*\) .*/\1/p" | sort -u >commands &&
	screen_keys F1 && screen_wait "while you write" && screen_text >help && cat commands && [ "$(wc -l <commands)" -ge 19 ] &&
	while read -r c; do grep -q "^ $c " help || { echo "no $c"; exit 1; }; done <commands &&
	sed -n "s/^\([A-Za-z/?-][A-Za-z0-9-]*\) = .*/\1/p" "$TIDBIT_PROFILES/keys.conf" | sed "s/C-/Ctrl-/; s/M-/Alt-/; s/S-/Shift-/; s/Up\$/[↑U]p*/; s/Down\$/[↓D]o*w*n*/; s/-\([a-z]\)\$/-\U\1/; s/?/[?]/" >keys &&
	while read -r k; do grep -q -e "$k" help || { echo "no $k"; exit 1; }; done <keys
'
test_done
