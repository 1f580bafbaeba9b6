#!/bin/sh
test_description='models in the screen: the list, opening one in the conversation, messages taken back and changed'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
. "${TEST_SRC:-.}/t/lib/screen-lib.sh"
why=$(screen_missing)
[ -z "$why" ] || { test_skip 'models in the chat screen' "$why"; test_done; }

models=$HOME/.local/share/tidbit/models
mkdir -p "$models"
for s in tiny-llama3 tiny-qwen3; do
	"$TEST_BUILD/t/helper/mkmodel" $s Q8_0 "$models/$s-Q8_0.gguf" >/dev/null || exit 99
done
cp "$SCREEN_MODEL" "$models/stories260K.gguf"
printf 'GGUFnonsense' >"$models/broken.gguf"
SCREEN_MODEL=stories260k
twice () { [ "$(screen_text | grep -c "$1")" -ge 2 ]; }
screen_start 118 40

test_expect_success 'F3 lists what is here, with what it needs and whether it fits; the one in use is marked' '
	screen_open --temp 0 -n 20 && screen_run "Once upon a time" && screen_wait "token limit" && screen_keys F3 &&
	screen_wait "4 models by name" && screen_wait "name  *family  *class  *level  *size  *needs  *fits" &&
	screen_wait "▸ stories260k  *llama  *tiny  *F32  *[0-9.]* [KM]iB  *[0-9.]* [KM]iB  *in use" &&
	screen_wait "  tiny-qwen3  *qwen3  *tiny  *Q8_0  *[0-9.]* MiB  *[0-9.]* MiB  *fits" && screen_shows "^ q close"
'
test_expect_success 'Enter on the one in use closes the list and changes nothing' '
	screen_keys Enter && screen_gone "4 models" && screen_hides "now stories260K" && screen_keys F3 && screen_wait "4 models by name"
'
test_expect_success 'one that cannot be opened says why, and the old one stays' '
	screen_keys g && screen_wait "▸ broken" && screen_shows "version at offset 4" && screen_keys Enter &&
	screen_wait "! still stories260K: " && screen_wait "version at offset 4" && screen_shows "stories260K · F32" && screen_hides "models by"
'
test_expect_success '/ leaves those that match, Esc brings all back' '
	screen_keys F3 && screen_wait "4 models" && screen_type "/QWEN" && screen_wait "0 match /QWEN/" && screen_keys BSpace BSpace BSpace BSpace &&
	screen_type "qwen" && screen_wait "1 matches /qwen/" && screen_hides "tiny-llama3" && screen_keys Escape && screen_wait "tiny-llama3" &&
	screen_hides "match"
'
test_expect_success 's sorts' '
	screen_keys s && screen_wait "by size" && screen_keys s && screen_wait "by what they need" && screen_keys s && screen_wait "by name"
'
test_expect_success 'Enter opens one in the conversation, which says so' '
	screen_keys G && screen_wait "▸ tiny-qwen3" && screen_keys Enter && screen_wait "now tiny-qwen3 · Q8_0" &&
	screen_wait "^ tidbit   tiny-qwen3 · Q8_0" && screen_shows "Once upon a time" && screen_run "Go on" && screen_wait "^ tiny-qwen3 · Q8_0"
'
test_expect_success '/model completes names, and opens one' '
	screen_wait "token limit.*" && screen_type "/mod" && screen_keys Tab && screen_wait "› /model" && screen_type "tiny-l" && screen_keys Tab &&
	screen_wait "› /model tiny-llama3" && screen_keys Enter && screen_wait "now tiny-llama3 · Q8_0"
'
test_expect_success '/model beside an answer stops it' '
	screen_run "/model stories260k" && screen_wait "now stories260K" && screen_run "/clear" && screen_gone "^ you" &&
	screen_run "/context grow 40000" && screen_wait "holds 40000" && screen_run "/set n 100000" && screen_run "One day" && screen_wait "answering *F1" && screen_run "/model tiny-qwen3" &&
	screen_wait "stopped · " && screen_wait "now tiny-qwen3 · Q8_0" && screen_run "/set n 5" && screen_wait "n 5"
'
test_expect_success 'every key of the list at small sizes, and none of them loses the screen' '
	for size in "80 24" "40 12" "20 6" "1 1"; do
		screen_size $size && screen_keys F3 j k G g PPage NPage s F3 || exit 1
	done; screen_size 118 40 && screen_wait "^ tidbit   tiny-qwen3"
'
test_expect_success '/edit brings a message back and cuts when it is sent; Esc leaves it' '
	screen_run "/clear" && screen_gone "^ you" && screen_run first && screen_wait "token limit" && screen_run "/clear" && screen_gone "^ you" &&
	screen_run "one" && screen_wait "token limit" && screen_run "two" && screen_until 10 twice "token limit" && screen_run "/edit 1" &&
	screen_wait "changes message 1" && screen_wait "^ › one" && screen_keys Escape && screen_gone "changes message" && screen_wait "^ ›$" &&
	screen_run "/edit" && screen_wait "changes message 2" && screen_type " more" && screen_keys Enter && screen_wait "^   two more" &&
	screen_hides "changes message" && screen_hides "^   two  " && screen_shows "^   one  "
'
test_expect_success '/undo takes the last turn back, beside an answer too' '
	screen_until 10 twice "token limit" && screen_run "/undo" && screen_gone "two more" && screen_shows "took turn 2 back" && screen_run "/set n 100000" &&
	screen_run "three" && screen_wait "answering *F1" && screen_run "/undo" && screen_gone "^   three" && screen_shows "^   one  " && screen_hides "answering *F1"
'
test_expect_success '/copy says what was sent, /export writes and does not overwrite' '
	screen_run "/copy all" && screen_wait "sent [0-9]* bytes to tmux" && screen_run "/export talk.md" && screen_wait "wrote talk.md: [0-9]* bytes" &&
	screen_run "/export talk.md" && screen_wait "talk.md is there already: /export talk.md --force" && grep -q "^## you" talk.md &&
	[ "$(stat -c %a talk.md)" = 600 ]
'
test_expect_success '/new keeps the conversation in a file' '
	screen_run "/new" && screen_gone "^ you" && screen_wait "what was said is kept in" && [ "$(ls home/.local/state/tidbit/chats | wc -l)" = 1 ] &&
	[ "$(stat -c %a home/.local/state/tidbit/chats/*)" = 600 ]
'
test_done
