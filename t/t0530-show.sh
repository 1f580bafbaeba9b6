#!/bin/sh
test_description='show: what a file is, for people and as JSON; a damaged one is a line'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
T=$TEST_BUILD/tidbit
S=$TIDBIT_PROFILES/stories260K.gguf
C=$TIDBIT_DATA/models/container

# le8 N, le4 N: little-endian numbers below 256; str S: a GGUF string
le8 () { printf "\\$(printf %o "$1")\0\0\0\0\0\0\0"; }
le4 () { printf "\\$(printf %o "$1")\0\0\0"; }
str () { le8 "$(printf "$1" | wc -c)"; printf "$1"; }
# vocab KEY VALUE...: a file of text keys alone
vocab () {
	printf 'GGUF\3\0\0\0'; le8 0; le8 $(($# / 2))
	while [ $# -gt 0 ]; do str "$1"; le4 8; str "$2"; shift 2; done
}
# bad FILE PATTERN: exit 1, nothing on stdout, one line on stderr with the file and the pattern
bad () {
	test_code 1 "$T" show "$1" >"$TRASH/out" 2>"$TRASH/err" || return 1
	cat "$TRASH/err"
	[ ! -s "$TRASH/out" ] && [ "$(wc -l <"$TRASH/err")" -eq 1 ] &&
		grep -q "^tidbit: .*$(basename "$1")" "$TRASH/err" && grep -q -e "$2" "$TRASH/err"
}
# has PATTERN...: each is a line of $TRASH/out
has () {
	for p; do grep -q -e "$p" "$TRASH/out" || { echo "no line: $p"; cat "$TRASH/out"; return 1; }; done
}

test_expect_success 'a model for people' '
	"$T" show "$S" >"$TRASH/out" && head -n 1 "$TRASH/out" | grep -q "^stories260K$" &&
	has "^  architecture  llama$" "^  class  *tiny, 260K parameters (260032)$" "^  layers  *5$" \
	    "^  heads  *8 query, 4 key/value, 8 wide$" "^  vocabulary  *512, the embedding is the output" \
	    "^  KV cache  *640 B a token at F16, 320 KiB for the whole" "^  tokenizer  *llama" "^  template  *none$" \
	    "^  type  *tensors"
'
test_expect_success 'no line of it is wider than 80 columns' '
	! grep -v "^/" "$TRASH/out" | grep "^.\{81\}"
'
test_expect_success 'a model as JSON: the fields that --help names, and no others' '
	"$T" show -o json "$S" >"$TRASH/out" &&
	has "\"architecture\": \"llama\"" "\"parameters\": 260032" "\"kv_bytes_per_token\": 640" \
	    "\"tied_output\": true" "\"note\": null" "\"context_length\": 512" "\"heads_kv\": 4" &&
	"$T" show --help | tr ",:;" "   " >"$TRASH/help" &&
	for f in $(sed -n "s/^  \"\([a-z_]*\)\".*/\1/p" "$TRASH/out"); do
		grep -q -w -e "$f" "$TRASH/help" || { echo "$f is not told"; exit 1; }
	done
'
test_expect_success 'the sums are those of the types' '
	"$T" show -o json "$S" | awk "
		/\"types\"/ { in_types = 1 } /^  \\]/ { in_types = 0 }
		{ gsub(/[\",:]/, \"\") }
		in_types && \$1 == \"bytes\" { bytes += \$2 } in_types && \$1 == \"parameters\" { n += \$2 }
		!in_types && \$1 == \"tensor_bytes\" { all = \$2 } !in_types && \$1 == \"parameters\" { params = \$2 }
		END { print bytes, all, n, params; exit !(bytes > 0 && bytes == all && n == params) }"
'
# poked WORD SKIP BYTES: broken.gguf, a copy of the model with other bytes SKIP behind the word's first place in it
poked () {
	at=$(LC_ALL=C grep -abo -e "$1" "$S" | head -n 1 | cut -d: -f1) && [ "$at" ] && cp "$S" "$TRASH/broken.gguf" &&
	chmod u+w "$TRASH/broken.gguf" &&
	printf "$3" | dd of="$TRASH/broken.gguf" bs=1 conv=notrunc seek=$((at + ${#1} + $2)) 2>/dev/null
}
# both PATTERN: show and run say the same, one line with the file once
both () {
	bad "$TRASH/broken.gguf" "$1" && cp "$TRASH/err" "$TRASH/said" && [ "$(grep -o broken.gguf "$TRASH/err" | wc -l)" = 1 ] &&
	test_code 1 "$T" run "$TRASH/broken.gguf" hello >"$TRASH/out" 2>"$TRASH/err" </dev/null && [ ! -s "$TRASH/out" ] &&
	diff "$TRASH/said" "$TRASH/err" && ! "$T" chat --plain "$TRASH/broken.gguf" </dev/null >"$TRASH/out" 2>&1 &&
	grep -q -e "$1" "$TRASH/out"
}
test_expect_success 'keys of the tokenizer that cannot be: a line with file and field, by show, run and chat' '
	poked tokenizer.ggml.add_space_prefix 4 "\002" && both "tokenizer.ggml.add_space_prefix" &&
	poked tokenizer.ggml.add_bos_token 4 "\377" && both "tokenizer.ggml.add_bos_token" &&
	poked tokenizer.ggml.unknown_token_id 4 "\000\002" && both "tokenizer.ggml.unknown_token_id is 512, .* 512 tokens" &&
	poked tokenizer.ggml.eos_token_id 4 "\377\377\377\377" && both "tokenizer.ggml.eos_token_id" &&
	poked tokenizer.ggml.unknown_token_id 0 "\010" && both "tokenizer.ggml.unknown_token_id\|tokenizer.ggml.add_bos" &&
	poked tokenizer.ggml.token_type 4 "\006" && both "tokenizer.ggml.token_type"
'
test_expect_success 'fewer rows in the embedding than tokens: refused when it is opened' '
	poked token_embd.weight 12 "\377\001" && both "token_embd.weight at offset .*: 511 rows, .*tokens has 512" &&
	echo 1 2 3 >"$TRASH/ids" && test_code 1 "$T" logits -m "$TRASH/broken.gguf" --tokens "$TRASH/ids" -o "$TRASH/l" 2>"$TRASH/err" &&
	diff "$TRASH/said" "$TRASH/err"
'
test_expect_success 'a vocabulary alone is shown with the reason' '
	vocab general.architecture llama general.name words tokenizer.ggml.model gpt2 tokenizer.ggml.pre smollm \
		>"$TRASH/v.gguf" &&
	"$T" show "$TRASH/v.gguf" >"$TRASH/out" &&
	has "^words$" "^cannot be run: a vocabulary alone" "^  tokenizer  *gpt2/smollm$" &&
	"$T" show -o json "$TRASH/v.gguf" >"$TRASH/out" && has "\"note\": \"a vocabulary alone" "\"level\": null"
'
test_expect_success 'no control byte of the file reaches the terminal' '
	vocab general.architecture "lla\033[2Jma" general.name "n\033]52;c;Zm9v\007\302\233m\342\200\256x" \
		general.license "\001\377" >"$TRASH/c.gguf" &&
	"$T" show "$TRASH/c.gguf" >"$TRASH/out" && "$T" show -o json "$TRASH/c.gguf" >>"$TRASH/out" &&
	! LC_ALL=C grep -q "$(printf "[\001-\010\013-\037\177]")" "$TRASH/out" &&
	! LC_ALL=C grep -q "$(printf "\302[\200-\237]")" "$TRASH/out" && ! LC_ALL=C grep -q "$(printf "\342\200\256")" "$TRASH/out"
'
test_expect_success 'nor of its path' '
	p="$TRASH/$(printf "a\033[31mb\377").gguf"; cp "$TRASH/v.gguf" "$p" && "$T" show "$p" >"$TRASH/out" &&
	"$T" show -o json "$p" >>"$TRASH/out" && ! LC_ALL=C grep -q "$(printf "[\033\377]")" "$TRASH/out" &&
	printf GGUX >"$p" && { "$T" show "$p" 2>"$TRASH/out"; ! LC_ALL=C grep -q "$(printf "[\033\377]")" "$TRASH/out"; }
'
test_expect_success 'what is not there, a folder, an empty file' '
	bad "$TRASH/absent.gguf" "No such file" && bad "$TRASH" "is a folder" && : >"$TRASH/e.gguf" && bad "$TRASH/e.gguf" empty
'
test_expect_success 'half of a model: the field and the offset' '
	head -c 400000 "$S" >"$TRASH/half.gguf" && bad "$TRASH/half.gguf" "tensor .*data offset at offset [0-9]*: expected .* found"
'
test_expect_success 'no file, two files' '
	test_code 2 "$T" show && test_code 2 "$T" show "$S" "$S"
'
test_expect_success 'a full disk is a failure' '
	[ ! -w /dev/full ] || { test_code 1 "$T" show "$S" >/dev/full && test_code 1 "$T" show -o json "$S" >/dev/full; }
'
if [ -d "$C" ]; then
	while read -r name pattern; do
		test_expect_success "$name" 'bad "$C/$name.gguf" "$pattern"'
	done <<-END
	bad-header-only tensor count at offset 8
	bad-kvcount key count at offset 16
	bad-magic magic at offset 0
	bad-missing-tensor blk.2.ffn_up.weight is missing
	bad-tensor-shape blk.1.ffn_up.weight at offset 12623: shape 64 x 100, expected 64 x 172
	bad-truncated data offset at offset 12846
	bad-version1 version at offset 4
	stories260K-split-00002-of-00003 the first, stories260K-split-00001-of-00003.gguf, is the one to open
	END
	for f in v2 align128 bigendian f16norms split-00001-of-00003; do
		test_expect_success "$f is as good as the plain one" '
			"$T" show -o json "$C/stories260K-$f.gguf" >"$TRASH/out" && has "\"parameters\": 260032" "\"note\": null"
		'
	done
	# the best of three, for a machine that is busy; sanitizers take their time to start
	limit=0.1; grep -q "^SAN_FLAGS = ." "$TEST_BUILD/Makefile" && limit=2
	test_expect_success 'each within 100 ms' '
		for f in "$C"/bad-*.gguf; do
			for i in 1 2 3; do timeout $limit "$T" show "$f"; code=$?; [ $code -eq 1 ] && break; done
			[ $code -eq 1 ] || { echo "$f: $code"; exit 1; }
		done
	'
else
	test_skip 'damaged and odd files' 'no reference data'
fi
test_done
