#!/bin/sh
test_description='list: the models of all stores, each once; and models by name'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
T=$TEST_BUILD/tidbit
S=$TIDBIT_PROFILES/stories260K.gguf
OWN=$HOME/.local/share/tidbit/models
HUB=$HOME/.cache/huggingface/hub
OLLAMA=$HOME/.ollama/models
unset OLLAMA_MODELS HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE LLAMA_CACHE

# le8 N, le4 N: little-endian numbers below 256; str S: a GGUF string
le8 () { printf "\\$(printf %o "$1")\0\0\0\0\0\0\0"; }
le4 () { printf "\\$(printf %o "$1")\0\0\0"; }
str () { le8 "$(printf "$1" | wc -c)"; printf "$1"; }
# keys KEY VALUE...: a file of text keys alone
keys () {
	printf 'GGUF\3\0\0\0'; le8 0; le8 $(($# / 2))
	while [ $# -gt 0 ]; do str "$1"; le4 8; str "$2"; shift 2; done
}
# another FILE: a copy of the model that is another file, and another name in it
another () { mkdir -p "$(dirname "$1")"; cp "$S" "$1"; chmod u+w "$1"; }
list () { "$T" list >"$TRASH/out" 2>"$TRASH/err" || { cat "$TRASH/err"; return 1; }; cat "$TRASH/out" "$TRASH/err"; }
# has PATTERN...: each is a line of the list
has () { for p; do grep -q -e "$p" "$TRASH/out" || { echo "no line: $p"; return 1; }; done; }
# rows: models in the list
rows () { "$T" list -o json | grep -c '^    "id":'; }
# path NAME: what show says the file is
path () { "$T" show "$1" 2>"$TRASH/err" | sed -n 2p; cat "$TRASH/err" >&2; }
fails () {	# fails PATTERN COMMAND...: exit 1, one line
	p=$1; shift
	test_code 1 "$@" >"$TRASH/out" 2>"$TRASH/err" </dev/null || { cat "$TRASH/err"; return 1; }
	cat "$TRASH/err"
	[ "$(wc -l <"$TRASH/err")" -eq 1 ] && grep -q -e "$p" "$TRASH/err"
}

test_expect_success 'nothing anywhere: told, exit 0; JSON is an empty list' '
	list && [ ! -s "$TRASH/out" ] && grep -q "no models are here" "$TRASH/err" &&
	[ "$("$T" list -o json)" = "[]" ]
'
test_expect_success 'tidbit'"'"'s own folder: name, level, size, class, family' '
	another "$OWN/Tiny-Stories.F32.gguf" && list &&
	has "^tiny-stories  *F32  *1.01 MiB  *260K  *tiny  *llama  *tidbit$" && [ "$(rows)" = 1 ]
'
test_expect_success 'links of both kinds, and a folder that leads to itself, show nothing twice' '
	ln -s Tiny-Stories.F32.gguf "$OWN/also.gguf" && ln "$OWN/Tiny-Stories.F32.gguf" "$OWN/again.gguf" &&
	mkdir "$OWN/sub" && ln -s .. "$OWN/sub/up" && ln -s . "$OWN/here" && [ "$(rows)" = 1 ] &&
	rm -r "$OWN/sub" "$OWN/here"
'
test_expect_success 'and each of its names will do' '
	for n in also again tiny-stories TINY-STORIES Tiny-Stories.F32 tiny-stories:f32 tiny-stories.f32.gguf \
		 also.gguf tidbit/tiny-stories tidbit/also:F32; do
		path "$n" | grep -q "^$OWN/[a-zA-Z0-9.-]*gguf$" || { echo "not $n"; exit 1; }
	done && rm "$OWN/also.gguf" "$OWN/again.gguf"
'
test_expect_success 'hidden files, unfinished ones, folders and pipes by such a name are none' '
	: >"$OWN/.hidden.gguf" && : >"$OWN/x.gguf.part" && mkdir "$OWN/dir.gguf" && mkfifo "$OWN/pipe.gguf" &&
	[ "$(rows)" = 1 ] && rm -r "$OWN/dir.gguf" "$OWN/pipe.gguf" "$OWN/x.gguf.part" "$OWN/.hidden.gguf"
'
test_expect_success 'a folder may be named like a file' '
	another "$OWN/Dir.gguf/inside.gguf" && another "$OWN/Dir.gguf/model.gguf" && list && has "^inside  .*tidbit$" "^dir.gguf  .*tidbit$" &&
	[ "$(rows)" = 3 ] && rm -r "$OWN/Dir.gguf"
'
test_expect_success 'what accompanies models is left out by what it says it is, and by no name' '
	keys general.type imatrix >"$OWN/x.gguf" && keys general.type mmproj general.architecture clip >"$OWN/y.gguf" &&
	keys general.type adapter general.architecture llama >"$OWN/lora.gguf" &&
	keys general.architecture clip >"$OWN/vision.gguf" && [ "$(rows)" = 1 ] &&
	"$T" show "$OWN/x.gguf" >"$TRASH/out" && has "^cannot be run: an importance matrix" &&
	fails "x.gguf: an importance matrix for quantizing, not a model" "$T" run "$OWN/x.gguf" hi &&
	rm "$OWN/x.gguf" "$OWN/y.gguf" "$OWN/lora.gguf" "$OWN/vision.gguf" &&
	another "$OWN/imatrix-tuned.gguf" && another "$OWN/mmproj-less.gguf" && list && has "^imatrix-tuned  " "^mmproj-less  " && [ "$(rows)" = 3 ] &&
	rm "$OWN/imatrix-tuned.gguf" "$OWN/mmproj-less.gguf"
'
test_expect_success 'a damaged one stands in the list with the reason, and opening it tells the same' '
	head -c 300000 "$S" >"$OWN/cut.gguf" && printf GGUF >"$OWN/stub.gguf" && ln -s nowhere.gguf "$OWN/gone.gguf" &&
	list && has "^cut " "^    damaged: tensor .* offset .*expected" "^stub " "^gone " "damaged: its data is not there" &&
	"$T" list -o json | grep -A16 "\"id\": \"cut\"" | grep -q "\"damaged\": \"tensor" &&
	fails "cut.gguf: tensor" "$T" show cut && rm "$OWN/cut.gguf" "$OWN/stub.gguf" "$OWN/gone.gguf"
'
test_expect_success 'one that is sound and cannot be run is told apart' '
	keys general.architecture martian general.name x >"$OWN/martian.gguf" && list &&
	has "^martian " "^    cannot be run: a vocabulary alone" && ! grep -q damaged "$TRASH/out" && rm "$OWN/martian.gguf"
'
test_expect_success 'parts are one model; without the first it is damaged, once' '
	for i in 1 2 3; do another "$OWN/big-0000$i-of-00003.gguf"; done && list &&
	[ "$(grep -c "^big " "$TRASH/out")" = 1 ] && rm "$OWN/big-00001-of-00003.gguf" && list &&
	[ "$(grep -c "^big " "$TRASH/out")" = 1 ] && rm "$OWN"/big-*
'
C=$TIDBIT_DATA/models/container
if [ -f "$C/stories260K-split-00001-of-00003.gguf" ]; then
	test_expect_success 'parts that are sound: the size of all; one missing is the reason' '
		cp "$C"/stories260K-split-0000?-of-00003.gguf "$OWN/" && list &&
		has "^stories260k-split  *F32  *1.01 MiB" && ! grep -q damaged "$TRASH/out" && chmod u+w "$OWN"/* &&
		rm "$OWN/stories260K-split-00003-of-00003.gguf" && list && has "damaged:.*00003-of-00003" && rm "$OWN"/stories*
	'
else
	test_skip 'parts that are sound: the size of all; one missing is the reason' 'no reference data'
fi
test_expect_success 'folders of tidbit.conf, with ~ and with subfolders' '
	mkdir -p "$HOME/.config/tidbit" "$HOME/mine" && another "$HOME/mine/a/b/Deep_One-F32.gguf" &&
	another "$TRASH/other/model.gguf" &&
	printf "[models]\nfolder = ~/mine\nfolder = %s\nfolder = ~/not-there\n" "$TRASH/other" >"$HOME/.config/tidbit/tidbit.conf" &&
	list && has "^deep_one  .*folder$" "^other  .*folder$" && [ "$(rows)" = 3 ]
'
test_expect_success 'the Hugging Face cache: links into blobs, named by repository too' '
	d=$(printf hf | sha256sum | cut -c1-64) && r=$HUB/models--some-org--Story-GGUF && mkdir -p "$r/blobs" "$r/snapshots/abc" "$r/snapshots/def" &&
	another "$r/blobs/$d" && ln -s "../../blobs/$d" "$r/snapshots/abc/Story-F32.gguf" &&
	ln -s "../../blobs/$d" "$r/snapshots/def/Story-F32.gguf" && list && has "^story  .*hf$" && [ "$(rows)" = 4 ] &&
	path some-org/story-gguf | grep -q "/Story-F32.gguf$" && path hf/story:f32 | grep -q "/Story-F32.gguf$" &&
	"$T" list -o json | grep -q "\"sha256\": \"$d\""
'
test_expect_success 'a file there that says nothing goes by its repository, whatever the commit and the folder of its level' '
	r=$HUB/models--an-org--Fine-Model-GGUF && c=0123456789abcdef0123456789abcdef01234567 && another "$r/snapshots/$c/model.gguf" &&
	another "$r/snapshots/$c/F16/ggml-model-f32.gguf" && another "$r/snapshots/$c/Q4_K_M/Q4_K_M.gguf" && another "$r/snapshots/$c/part-two/model.gguf" && list &&
	has "^hf/fine-model-gguf:F32  \|^/.*$c/model.gguf " "^part-two  .*hf$" && ! grep -q "^0123" "$TRASH/out" && ! grep -q "^$c" "$TRASH/out" &&
	rm -r "$r/snapshots/$c/F16" "$r/snapshots/$c/Q4_K_M" "$r/snapshots/$c/part-two" && list && has "^fine-model-gguf  .*hf$" &&
	path an-org/fine-model-gguf | grep -q "/$c/model.gguf$" && path fine-model-gguf | grep -q "/$c/model.gguf$" && rm -r "$r"
'
test_expect_success 'HF_HOME and HF_HUB_CACHE move it' '
	HF_HOME=$TRASH/none && export HF_HOME && [ "$(rows)" = 3 ] && HF_HUB_CACHE=$HUB && export HF_HUB_CACHE && [ "$(rows)" = 4 ]
'
test_expect_success 'LM Studio, GPT4All, Jan, llama.cpp' '
	another "$HOME/.lmstudio/models/pub/Model-X-GGUF/Model-X-F32.gguf" &&
	another "$HOME/.local/share/nomic.ai/GPT4All/g4a.gguf" &&
	another "$HOME/.local/share/Jan/data/llamacpp/models/Janny/model.gguf" &&
	another "$HOME/.cache/llama.cpp/lc.gguf" && list &&
	has "^model-x  .*lmstudio$" "^g4a  .*gpt4all$" "^janny  .*jan$" "^lc  .*llama.cpp$" && [ "$(rows)" = 8 ] &&
	path pub/model-x-gguf | grep -q Model-X-F32
'
# manifest PATH DIGEST [TYPE]
manifest () {
	mkdir -p "$OLLAMA/manifests/$(dirname "$1")"
	printf '{"schemaVersion":2,"layers":[{"mediaType":"application/vnd.ollama.image.license","digest":"sha256:00"},{"mediaType":"application/vnd.ollama.image.%s","digest":"%s","size":1}]}' \
		"${3:-model}" "$2" >"$OLLAMA/manifests/$1"
}
test_expect_success 'Ollama: names as it says them, a blob of two tags once' '
	d=$(printf ol | sha256sum | cut -c1-64) && another "$OLLAMA/blobs/sha256-$d" &&
	manifest registry.ollama.ai/library/storyteller/latest "sha256:$d" &&
	manifest registry.ollama.ai/library/storyteller/small "sha256:$d" &&
	manifest registry.ollama.ai/someone/other/v1 "sha256:$d" && manifest hf.co/org/repo/Q4_0 "sha256:$d" &&
	manifest registry.ollama.ai/library/just-an-adapter/latest "sha256:$d" adapter &&
	list && [ "$(rows)" = 9 ] && grep -q "  ollama$" "$TRASH/out" &&
	for n in storyteller storyteller:latest storyteller:small someone/other:v1 hf.co/org/repo:Q4_0 ollama/storyteller; do
		path "$n" | grep -q "sha256-$d$" || { echo "not $n"; exit 1; }
	done
'
test_expect_success 'a blob that the Hugging Face cache has too is one model, by both names' '
	d=$(printf hf | sha256sum | cut -c1-64) && cp "$HUB/models--some-org--Story-GGUF/blobs/$d" "$OLLAMA/blobs/sha256-$d" &&
	manifest hf.co/some-org/story/f32 "sha256:$d" && [ "$(rows)" = 9 ] && path hf.co/some-org/story:f32 | grep -q "/Story-F32.gguf$"
'
test_expect_success 'manifests that lie: paths for digests, no JSON, no blob, deeper and shallower ones' '
	before=$(rows) && manifest hf.co/sound "sha256:$(printf %064d 7)" && manifest registry.ollama.ai/library/evil/a "sha256:../../../../../../etc/passwd" &&
	manifest registry.ollama.ai/library/evil/b "../../x" && manifest registry.ollama.ai/library/evil/c "sha256:$(printf %064d 7)" &&
	printf "{nonsense" >"$OLLAMA/manifests/registry.ollama.ai/library/evil/d" &&
	printf "[]" >"$OLLAMA/manifests/registry.ollama.ai/library/evil/e" &&
	printf "{\"layers\":{\"a\":3}}" >"$OLLAMA/manifests/registry.ollama.ai/library/evil/f" &&
	printf "{\"layers\":[3,null,{\"mediaType\":5}]}" >"$OLLAMA/manifests/registry.ollama.ai/library/evil/g" &&
	: >"$OLLAMA/manifests/registry.ollama.ai/shallow" && list && [ "$(rows)" = $((before + 6)) ] &&
	[ "$(grep -c "^evil:" "$TRASH/out")" = 6 ] && L=$OLLAMA/manifests/registry.ollama.ai/library/evil &&
	for v in show "run --raw" "logits --tokens $TRASH/ids -o $TRASH/l -m"; do
		fails "$L/a: its manifest names no blob: the digest .sha256:../../../../../../etc/passwd. is malformed" "$T" $v evil:a &&
		fails "$L/b: its manifest names no blob: the digest .../../x. is malformed" "$T" $v evil:b &&
		fails "$L/c: its manifest names a blob that is not there: sha256-0*7$" "$T" $v evil:c &&
		fails "$L/d: its manifest is no JSON: line 1, column" "$T" $v evil:d &&
		fails "$L/e: its manifest has no list of layers" "$T" $v evil:e && fails "$L/f: its manifest has no list of layers" "$T" $v evil:f || exit 1
	done && fails "sound: magic .*found JSON (a manifest of Ollama" "$T" show "$OLLAMA/manifests/hf.co/sound" && rm -r "$L" "$OLLAMA/manifests/hf.co/sound"
'
test_expect_success 'OLLAMA_MODELS moves it' '
	(OLLAMA_MODELS=$TRASH/none && export OLLAMA_MODELS && list && ! grep -q "ollama$" "$TRASH/out")
'
test_expect_success 'two levels of a name: its id has the level, the bare name lists the candidates' '
	"$T" quantize "$S" "$OWN/Tiny-Stories.Q8_0.gguf" q8_0 2>"$TRASH/err" >"$TRASH/out" && list &&
	has "^tiny-stories:F32 " "^tiny-stories:Q8_0 " &&
	fails "is 2 models: .*tiny-stories:F32.*tiny-stories:Q8_0\|is 2 models: .*tiny-stories:Q8_0.*tiny-stories:F32" "$T" show tiny-stories &&
	path tiny-stories:q8_0 | grep -q "Tiny-Stories.Q8_0.gguf$" &&
	fails "no model .tiny-stories:q5_1. is here; there is tiny-stories" "$T" show tiny-stories:q5_1
'
test_expect_success 'the same name and level in two places: the place tells them apart' '
	another "$HOME/mine/tiny-stories-f32.gguf" && list && has "^tidbit/tiny-stories:F32 " "^folder/tiny-stories:F32 " &&
	path folder/tiny-stories:f32 | grep -q "/mine/tiny-stories-f32.gguf$" && rm "$HOME/mine/tiny-stories-f32.gguf"
'
test_expect_success 'every id of the list opens its own path' '
	"$T" list -o json >"$TRASH/json" && sed -n "s/^    \"id\": \"\(.*\)\",/\1/p" "$TRASH/json" >"$TRASH/ids" &&
	sed -n "s/^    \"path\": \"\(.*\)\",/\1/p" "$TRASH/json" >"$TRASH/paths" && [ "$(wc -l <"$TRASH/ids")" -ge 9 ] &&
	while read -r id; do path "$id"; done <"$TRASH/ids" >"$TRASH/opened" && cmp "$TRASH/paths" "$TRASH/opened"
'
test_expect_success 'JSON has the fields that --help names, and no others' '
	"$T" list --help | tr ",:;" "   " >"$TRASH/help" &&
	for f in $(sed -n "s/^    \"\([a-z_0-9]*\)\":.*/\1/p" "$TRASH/json" | sort -u); do
		grep -q -w -e "$f" "$TRASH/help" || { echo "$f is not told"; exit 1; }
	done
'
test_expect_success 'a name will do in every verb that opens a model' '
	printf "1 2 3" >"$TRASH/ids" && a=$("$T" run storyteller "Once upon" --raw --temp 0 -n 5) &&
	b=$("$T" run "$S" "Once upon" --raw --temp 0 -n 5 2>/dev/null) && [ "$a" = "$b" ] &&
	"$T" logits -m storyteller --tokens "$TRASH/ids" -o "$TRASH/l" && [ -s "$TRASH/l" ] &&
	echo hello | "$T" tokenize -m storyteller >"$TRASH/t" && [ -s "$TRASH/t" ] &&
	"$T" bench -m storyteller -p 4 -n 2 -r 1 -o csv | grep -q . &&
	"$T" quantize storyteller "$TRASH/q.gguf" q8_0 >/dev/null 2>&1 && [ -s "$TRASH/q.gguf" ] &&
	echo "{\"context\":{},\"source\":\"x\"}" | "$T" template -m storyteller --jsonl | grep -q "\"x\"" &&
	echo /bye | "$T" storyteller >"$TRASH/out" 2>&1 && echo /bye | "$T" chat storyteller >"$TRASH/out" 2>&1
'
test_expect_success 'a file by that name comes before the list; a folder does not' '
	cd "$TRASH" && mkdir g4a && path g4a | grep -q "GPT4All/g4a.gguf$" && rmdir g4a && cp "$S" g4a && [ "$(path g4a)" = g4a ]
'
test_expect_success 'a name that is none: the nearest is told; what is a path stays one' '
	fails "did you mean storyteller" "$T" show storytelller && fails "neither a file nor in tidbit list" "$T" run qqqqqq hello &&
	mkdir "$TRASH/qqqqqq" && (cd "$TRASH" && fails "qqqqqq.: it is a folder, and not in tidbit list" "$T" run qqqqqq hello) &&
	fails "nowhere/x: cannot open" "$T" show nowhere/x && fails "x.gguf: cannot open" "$T" run x.gguf hello &&
	test_code 2 "$T" storytelle 2>"$TRASH/err" && grep -q "unknown verb" "$TRASH/err"
'
test_expect_success 'hostile names do not reach the terminal' '
	evil=$(printf "e\033]52;c;AAAA\007\302\233\302\205\342\200\256x") && another "$OWN/$evil.gguf" && another "$HOME/mine/$(printf "n\nl\t\177").gguf" &&
	keys general.name "a\033[31m" general.architecture "\033]0;t\007" >"$OWN/arch.gguf" &&
	printf "GGUF\3\0\0\0\377\377" >"$OWN/$(printf "z\033[2Jz").gguf" && list &&
	for f in "list" "list -o json" "show e" "run e hi"; do
		"$T" $f >"$TRASH/bytes" 2>&1 </dev/null || :
		! LC_ALL=C tr -d "\n" <"$TRASH/bytes" | LC_ALL=C grep -q "[[:cntrl:]]" || { echo "in $f"; exit 1; }
		! LC_ALL=C grep -q "$(printf "\302[\200-\237]")" "$TRASH/bytes" || { echo "C1 in $f"; exit 1; }
		! grep -q "$(printf "\342\200\256")" "$TRASH/bytes" || { echo "bidi in $f"; exit 1; }
	done
'
test_expect_success 'three hundred of them take less than a second' '
	rm -rf "$OWN" "$HOME/mine" && mkdir "$OWN" && i=0 && while [ $i -lt 300 ]; do cp "$S" "$OWN/m$i.gguf"; i=$((i + 1)); done &&
	start=$(date +%s%N) && [ "$(rows)" -ge 300 ] && ms=$((($(date +%s%N) - start) / 1000000)) && echo "$ms ms" && [ $ms -lt 3000 ]
'
test_done
