#!/bin/sh
test_description='tokenize: text to ids and back, as bytes and as lines of JSON'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
T=$TEST_BUILD/tidbit
M=$TIDBIT_PROFILES/stories260K.gguf
cd "$TRASH" || exit 99

# fails PATTERN ARGS...: standard input from ./in; exit 1, one line
fails () {
	pattern=$1; shift
	test_code 1 "$T" tokenize -m "$M" "$@" <in >out 2>err; r=$?
	cat err; [ $r -eq 0 ] && grep -q -e "$pattern" err && [ "$(wc -l <err)" = 1 ]
}

test_expect_success 'ids, one a line' '
	printf "Hello world" | "$T" tokenize -m "$M" >a && printf "%s\n" 346 306 414 263 304 341 >b && cmp a b
'
test_expect_success 'BOS where it is asked for' '[ "$(printf a | "$T" tokenize -m "$M" --bos | tr "\n" " ")" = "1 261 " ]'
test_expect_success 'control tokens where they are asked for' '
	[ "$(printf "<s>" | "$T" tokenize -m "$M" | wc -l)" = 4 ] && [ "$(printf "<s>" | "$T" tokenize -m "$M" --special)" = 1 ]
'
test_expect_success 'pieces beside the ids' '
	printf "a\n" | "$T" tokenize -m "$M" --pieces >a && printf "261\t\" a\"\n13\t\"\\\\n\"\n" >b && cat a b && cmp a b
'
test_expect_success 'the same bytes back, whatever they are (but for U+2581, a blank here)' '
	for f in "$T" "$M"; do
		head -c 100000 "$f" | LC_ALL=C tr -d "\\201" >text && "$T" tokenize -m "$M" <text >ids && "$T" tokenize -m "$M" --detokenize <ids >back &&
		cmp text back || exit 1
	done
'
test_expect_success 'no text, no ids, and back' '
	"$T" tokenize -m "$M" </dev/null >a && [ ! -s a ] && "$T" tokenize -m "$M" --detokenize </dev/null >a && [ ! -s a ]
'
test_expect_success 'lines of JSON, and back' '
	printf "%s\n" "\"\"" "\"Hello world\"" "\"\\u0000\\ud83d\\ude42\"" >in &&
	"$T" tokenize -m "$M" --jsonl <in >a && printf "%s\n" "[]" "[346,306,414,263,304,341]" "[410,3,243,162,156,133]" >b &&
	cmp a b && "$T" tokenize -m "$M" --jsonl --detokenize <a >b && sed -n 2p b | grep -qx "\"Hello world\"" &&
	"$T" tokenize -m "$M" --jsonl <b | cmp - a
'
test_expect_success 'half a character is U+FFFD in JSON, once' '
	printf "\"\357\277\275\"\n" >b && echo "[410,231,187]" | "$T" tokenize -m "$M" --jsonl --detokenize | cmp - b
'
echo '"a' >in
test_expect_success 'a line that is no JSON is named' 'fails "line 1: no JSON" --jsonl'
printf '"a"\n[1]\n' >in
test_expect_success 'or no string' 'fails "line 2: expected a JSON string" --jsonl'
echo '[1,"x"]' >in
test_expect_success 'or no id' 'fails "line 1: expected an id as element 1" --jsonl --detokenize'
echo '[512]' >in
test_expect_success 'or an id that the vocabulary has not' 'fails "id 512 is outside the vocabulary of 512" --jsonl --detokenize'
echo '1 2 -3' >in
test_expect_success 'a word that is no id: its offset' 'fails "offset 4: expected a token id" --detokenize'
test_expect_success 'without a model: exit 2' 'test_code 2 "$T" tokenize </dev/null'
test_expect_success 'contradictions: exit 2' 'test_code 2 "$T" tokenize -m "$M" --detokenize --pieces </dev/null'
if [ -d "$TIDBIT_DATA/tokenizers" ]; then
	test_expect_success 'a vocabulary alone, of any architecture' '
		[ "$(printf "Hello world" | "$T" tokenize -m "$TIDBIT_DATA/tokenizers/conformance/ggml-vocab-falcon.gguf" | wc -l)" = 2 ]
	'
else
	test_skip 'a vocabulary alone, of any architecture' 'no reference data'
fi
test_done
