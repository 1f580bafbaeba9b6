#!/bin/sh
test_description='commands in lines: models, turns taken back and changed, settings, what goes into files'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
model=$TIDBIT_PROFILES/stories260K.gguf
[ -r "$model" ] || { test_skip 'commands of the chat' "no model at $model"; test_done; }
cd "$TRASH" || exit 99
models=$HOME/.local/share/tidbit/models
mkdir -p "$models" && "$TEST_BUILD/t/helper/mkmodel" tiny-qwen3 Q8_0 "$models/tiny-qwen3-Q8_0.gguf" >/dev/null || exit 99

chat () { "$TEST_BUILD/tidbit" chat "$model" --temp 0 -t 2 -n 8 "$@"; }
fails () { test_code 1 chat "$@"; }
lines () { n=$(wc -l <"$1"); [ "$n" -eq "$2" ] || { cat "$1" err; echo "$n lines, expected $2"; return 1; }; }
said () { cat err; grep -q -e "$1" err; }

test_expect_success '/undo takes the last turn back: what follows stands where it stood' '
	printf "Once upon a time\n One day\n" | chat >want 2>err && printf "Once upon a time\n The cat\n/undo\n One day\n/undo\n/undo\n/undo\n" | fails >out 2>err &&
	lines out 3 && sed -n "1p;3p" out | cmp - want && said "took turn 2 back: 1 before it" && said "took turn 1 back: nothing" && said "nothing to undo"
'
test_expect_success '/regen writes the last answer anew' '
	printf "/regen\nOnce upon a time\n/regen\n" | fails >out 2>err && lines out 2 && [ "$(sort -u out | wc -l)" = 1 ] && said "no answer to write anew" &&
	printf "Once upon a time\n/set temp 2\n/set seed 5\n/regen\n" | chat >out 2>err && lines out 2 && [ "$(sort -u out | wc -l)" = 2 ]
'
test_expect_success '/edit N: the next message takes the place of that one, and what followed goes' '
	printf " The cat\n" | chat >want 2>err && printf "Once upon a time\n One day\n/edit 1\n The cat\n/export a.json\n" | chat >out 2>err && lines out 3 &&
	sed -n 3p out | cmp - want && grep -c "\"role\": \"user\"" a.json | grep -qx 1 && printf "/edit\nOnce\n/edit 2\n/edit x\n" | fails >out 2>err && said "no message to change" &&
	said "no message 2: 1 has been asked" && said "number of a message"
'
test_expect_success '/model goes on with another one, names as in the list, in any case' '
	printf "Once upon a time\n/model TINY-qwen3\n and then\n/export b.json\n/show\n" | chat >out 2>err && said "now tiny-qwen3 · Q8_0 · .*another vocabulary" &&
	grep -q "\"model\": \"stories260K\"" b.json && grep -q "\"level\": \"F32\"" b.json && grep -q "\"model\": \"tiny-qwen3\"" b.json && said "^family: qwen3"
'
test_expect_success '/model: what is no model leaves the old one, and the exit code tells' '
	test_code 1 sh -c "printf \"Once upon a time\n/model tiny-qwne3\n/model ./none.gguf\n and then\n\" | \"$TEST_BUILD/tidbit\" chat \"$model\" --temp 0 -n 8" >out 2>err;
	lines out 2 && said "still stories260K: .*did you mean tiny-qwen3" && said "still stories260K: .*none.gguf"
'
test_expect_success '/model takes files too, with ~ for the home folder' '
	printf "Once upon a time\n/model ~/.local/share/tidbit/models/tiny-qwen3-Q8_0.gguf\n and\n" | chat >out 2>err && said "now tiny-qwen3 · Q8_0"
'
test_expect_success '/model at a level; one that is none is part of the name' '
	printf "Once upon a time\n/model TINY-qwen3  q4_0\n and then\n/export lv.json\n" | chat >out 2>err && said "now tiny-qwen3 · Q4_0 · " &&
	grep -q "\"level\": \"Q4_0\"" lv.json &&
	test_code 1 sh -c "echo \"/model tiny-qwen3 q9_9\" | \"$TEST_BUILD/tidbit\" chat \"$model\"" >out 2>err; said "tiny-qwen3 q9_9"
'
test_expect_success '/model alone lists them' '
	echo /model | chat >out 2>err && said "^tiny-qwen3: Q8_0, .*, qwen3"
'
if command -v python3 >/dev/null; then test_expect_success 'its prompt is what template --ids says of the same conversation' '
	printf "Once upon a time\n/model tiny-qwen3\n and then\n/export c.json\n" | chat >out 2>err &&
	python3 - >t.jsonl <<-END &&
		import json
		d = json.load(open("c.json"))
		m = [{"role": x["role"], "content": x["content"]} for x in d["messages"]][:-1]
		print(json.dumps({"context": {"messages": m, "add_generation_prompt": True}}))
	END
	"$TEST_BUILD/tidbit" template --jsonl --ids -m tiny-qwen3 <t.jsonl >r.jsonl &&
	python3 -c "import json; r = json.load(open(\"r.jsonl\")); d = json.load(open(\"c.json\")); print(len(r[\"ids\"]), d[\"messages\"][-1]); raise SystemExit(len(r[\"ids\"]) != d[\"messages\"][-1][\"prompt_tokens\"])"
'; else test_skip 'its prompt is what template --ids says' 'no python3 here'; fi
test_expect_success '/set: ranges, the default beside what was set, options by both names' '
	printf "/set temp 0.5\n/set top-k 7\n/set repeat_penalty 1.5\n/set switch borrowed\n/set switch never\n/set temp 101\n/set\n" | fails >out 2>err &&
	said "^temp is 0.5: .*(0 to 100; default: 0.8)" && said "^top_k is 7: .*(0 or more; default: 40)" && said "^repeat is 1.5" &&
	said "^switch is borrowed: .*(exact, borrowed; default: exact)" && said "switch: expected one of exact, borrowed, got .never" && said "temp: expected a number from 0 to 100, got .101"
'
test_expect_success '/system holds from the next answer on, off takes it away' '
	printf "/system Be brief.\n/system\nHi\n/export d.json\n/system off\n/system\n/export e.json\n" | chat >out 2>err && said "^system message: Be brief" &&
	grep -q "\"system\": \"Be brief.\"" d.json && ! grep -q "\"system\"" e.json && said "no system message, but"
'
test_expect_success '/export: three forms, a name of its own, and never over what is there' '
	printf "Once upon a time\n/export t.md\n/export t.txt\n/export t.json\n/export t.md\n/export t.md --force\n/export --force new name.md\n/export t.doc\n/export\n/export json\n" | fails >out 2>err &&
	grep -qx "## you" t.md && grep -qx "## stories260K · F32" t.md && grep -qx "you:" t.txt && said "t.md is there already: /export t.md --force" && said "wrote t.md" &&
	grep -q "\"temp\": 0.0" t.json && ! grep -q "\"temp\": null" t.json && [ -s "new name.md" ] && said "writes md, json or txt" && ls tidbit-*.md tidbit-*.json && [ "$(stat -c %a t.json)" = 600 ] && head -n 1 out >text &&
	grep -qF "$(cat text)" t.txt && echo /export | fails >out 2>err && said "nothing has been said"
'
test_expect_success '/export through a link replaces what it leads to; a folder that is not there is told' '
	ln -s t.txt link.txt && printf "Once upon a time\n/export link.txt --force\n/export none/x.md\n" | fails >out 2>err && [ -L link.txt ] && said "wrote link.txt" && said "none/x.md"
'
test_expect_success '/export --force leaves a file to those who may read it; what cannot be written is named as it was asked for' '
	echo old >open.md && chmod 644 open.md && echo old >shut.md && chmod 600 shut.md &&
	printf "Once upon a time\n/export open.md --force\n/export shut.md --force\n/export none/x/y.md\n/export none/x/y.json --force\n" | fails >out 2>err &&
	[ "$(stat -c %a open.md)" = 644 ] && [ "$(stat -c %a shut.md)" = 600 ] && grep -q "## you" open.md shut.md &&
	said "none/x/y.md: cannot write: No such" && said "none/x/y.json: cannot write" && ! grep "[.]new" err
'
test_expect_success '/export that fails midway leaves the old file' '
	[ ! -e /dev/full ] || { cp t.md before && printf "Once upon a time\n/export /dev/full --force\n" | fails >out 2>err; cmp t.md before && ! ls ./*.new; }
'
test_expect_success '/new keeps what was said, --private does not' '
	printf "Once upon a time\n/new\nOnce upon a time\n/new\n/new\n" | chat >out 2>err && lines out 2 && [ "$(sort -u out | wc -l)" = 1 ] &&
	said "is kept in .*/chats/.*json" && [ "$(ls home/.local/state/tidbit/chats | wc -l)" = 2 ] && rm -r home/.local/state/tidbit &&
	printf "Once upon a time\n/new\n" | chat --private >out 2>err && [ ! -e home/.local/state/tidbit ]
'
test_expect_success 'what cannot be asked of a level, of the context, or of no answer is told' '
	printf "/quant q8_0 --borrowed --exact\n/quant +\n/quant tq2_0\n/quant -\n/quant -\n/quant -\n/quant -\n/context grow 999999999\n/context grow x\n/copy code\n" | fails >out 2>err && cat err &&
	said "exact or --borrowed, not both" && ! said "now Q8_0" && said "no better level than F32" && said "no smaller level than Q" &&
	said "16777216 tokens at most" && said "takes a number of tokens" && said "no answer to copy" && ! said "no code in"
'
test_expect_success '/copy without a terminal and without a tool says so' '
	printf "Once upon a time\n/copy\n/copy code\n/copy x\n" | test_code 1 env -u TMUX -u DISPLAY -u WAYLAND_DISPLAY "$TEST_BUILD/tidbit" chat "$model" --temp 0 -n 8 >out 2>err &&
	said "no terminal to copy by\|sent .* to pbcopy" && said "no code in the last answer" && said "/copy takes code or all"
'
test_expect_success 'a file that does not say how text is split: one warning, in chat, run, tokenize and template --ids' '
	LC_ALL=C sed "s/tokenizer.ggml.pre/tokenizer.ggml.xxx/" "$models/tiny-qwen3-Q8_0.gguf" >nopre.gguf && ! cmp -s nopre.gguf "$models/tiny-qwen3-Q8_0.gguf" &&
	printf "Hi\nHi\n" | "$TEST_BUILD/tidbit" chat nopre.gguf -n 3 >out 2>err && said "nopre.gguf: has no tokenizer.ggml.pre" && [ "$(grep -c ggml.pre err)" = 1 ] &&
	"$TEST_BUILD/tidbit" run nopre.gguf Hi -n 3 >out 2>err && [ "$(grep -c ggml.pre err)" = 1 ] &&
	"$TEST_BUILD/tidbit" run "$models/tiny-qwen3-Q8_0.gguf" Hi -n 3 >out 2>err && ! grep ggml.pre err &&
	echo Hi | "$TEST_BUILD/tidbit" tokenize -m nopre.gguf >out 2>err && [ "$(grep -c ggml.pre err)" = 1 ] &&
	echo "{\"source\":\"Hi\",\"context\":{}}" >in && "$TEST_BUILD/tidbit" template -m nopre.gguf --jsonl --ids <in >out 2>err &&
	[ "$(grep -c ggml.pre err)" = 1 ] && "$TEST_BUILD/tidbit" template -m nopre.gguf --jsonl <in 2>&1 >out | cmp - /dev/null
'
test_expect_success '--tools: a note for a template that makes nothing of them, none for one that does' '
	printf "[{\"type\": \"function\"}]" >tools.json && plain=$models/tiny-qwen3-Q8_0.gguf &&
	LC_ALL=C sed "s/add_generation_prompt/tools                /" "$plain" >tools.gguf && ! cmp -s tools.gguf "$plain" &&
	"$TEST_BUILD/tidbit" run "$plain" Hi -n 3 --tools tools.json >out 2>err && said "makes nothing of --tools" &&
	"$TEST_BUILD/tidbit" run tools.gguf Hi -n 3 --tools tools.json >out 2>err && ! grep "makes nothing" err &&
	echo Hi | "$TEST_BUILD/tidbit" chat tools.gguf -n 3 --tools tools.json >out 2>err && ! grep "makes nothing" err
'
test_expect_success '--think on: a note for a template that cannot be told, none for one that can, nor without the option' '
	plain=$models/tiny-qwen3-Q8_0.gguf && LC_ALL=C sed "s/add_generation_prompt/enable_thinking      /" "$plain" >told.gguf && ! cmp -s told.gguf "$plain" &&
	"$TEST_BUILD/tidbit" run "$plain" Hi -n 3 --think on >out 2>err && said "makes nothing of --think on" &&
	echo Hi | "$TEST_BUILD/tidbit" chat "$plain" -n 3 --think on >out 2>err && said "makes nothing of --think on" &&
	"$TEST_BUILD/tidbit" run "$plain" Hi -n 3 >out 2>err && ! grep "makes nothing" err &&
	"$TEST_BUILD/tidbit" run told.gguf Hi -n 3 --think on >out 2>err && ! grep "makes nothing" err &&
	echo Hi | "$TEST_BUILD/tidbit" chat told.gguf -n 3 --think on >out 2>err && ! grep "makes nothing" err
'
test_expect_success '--tools: what chat and run feed is what template --ids makes of the same tools' '
	tools="[{\"type\": \"function\", \"function\": {\"name\": \"weather\", \"parameters\": {\"z\": 1, \"a\": \"é\"}}}]" &&
	printf "%s" "$tools" >tools.json && LC_ALL=C sed "s/{% if add_generation_prompt %}/{% if 1 %}{{ tools | tojson }}/" \
		"$models/tiny-qwen3-Q8_0.gguf" >tools.gguf && ! cmp -s tools.gguf "$models/tiny-qwen3-Q8_0.gguf" &&
	for t in "$tools" "[]"; do
		printf "{\"context\": {\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}], \"add_generation_prompt\": true, \"tools\": %s}}\n" "$t"
	done >in && "$TEST_BUILD/tidbit" template -m tools.gguf --jsonl --ids <in >lines 2>err &&
	head -n 1 lines | grep -F "\\\"z\\\": 1, \\\"a\\\": \\\"é\\\"" && ids=$(head -n 1 lines | sed "s/.*\"ids\": *\[//; s/\].*//" | tr , "\n" | wc -l) &&
	few=$(sed -n 2p lines | sed "s/.*\"ids\": *\[//; s/\].*//" | tr , "\n" | wc -l) && [ "$ids" -gt "$((few + 20))" ] &&
	echo Hi | "$TEST_BUILD/tidbit" chat --plain tools.gguf -n 3 --stats --tools tools.json >out 2>err && said "prompt $ids: 0 reused" &&
	"$TEST_BUILD/tidbit" run tools.gguf Hi -n 3 --stats --tools tools.json >out 2>err && said "prompt $ids tokens" &&
	printf "[]" >tools.json && echo Hi | "$TEST_BUILD/tidbit" chat --plain tools.gguf -n 3 --stats --tools tools.json >out 2>err &&
	said "prompt $few: 0 reused"
'
test_expect_success 'a template that opens the thinking itself: all of it is thinking, and nothing of it an answer' '
	LC_ALL=C sed "s/<|im_start|>assistant/assistant     <think>/" "$models/tiny-qwen3-Q8_0.gguf" >thinks.gguf && ! cmp -s thinks.gguf "$models/tiny-qwen3-Q8_0.gguf" &&
	"$TEST_BUILD/tidbit" run "$models/tiny-qwen3-Q8_0.gguf" Hi -n 5 --temp 0 >out 2>err && [ "$(wc -c <out)" -gt 1 ] &&
	"$TEST_BUILD/tidbit" run thinks.gguf Hi -n 5 --temp 0 >out 2>err && said "ended inside its thinking, 5 tokens" && [ "$(wc -c <out)" -le 1 ] &&
	printf "Hi\nHi\n" | "$TEST_BUILD/tidbit" chat thinks.gguf -n 5 --temp 0 >out 2>err && [ "$(wc -c <out)" -eq 2 ]
'
test_expect_success 'what comes near a command is named' '
	printf "/modle\n/rgeen\n/zzzzzz\n" | fails >out 2>err && said "did you mean /model" && said "did you mean /regen" && said "no command /zzzzzz: /help lists them"
'
test_expect_success 'what a command does not take stops it; help helps on one' '
	printf "Hi\n/clear now\n/undo 5\n/show foo\n/help /quant\n/help zzzzzz\n" | fails >out 2>err && said "/clear stands alone: \"now\" is too much" &&
	said "/undo stands alone: \"5\" is too much" && said "/show stands alone" && said "/quant \[LEVEL" && ! said "/undo: " && said "no command /zzzzzz"
'
test_expect_success 'what a pipe has asked to be written is written before the end' '
	printf "/quant q4_0 --save s.gguf\n" | chat >out 2>err && said "^s.gguf is written: Q4_0" && "$TEST_BUILD/tidbit" show s.gguf | grep Q4_0 &&
	printf "/quant q8_0 --save none/s.gguf\n" | fails >out 2>err && said "none/s.gguf"
'
test_done
