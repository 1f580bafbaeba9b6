#!/bin/sh
test_description='logits: every position, whole or not at all'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
T=$TEST_BUILD/tidbit
M=$TIDBIT_PROFILES/stories260K.gguf
V=512
cd "$TRASH" || exit 99
printf '1 403\n407\t261   378\r\n 9 12 400 33\n' >ids
i=0; while [ $i -lt 150 ]; do echo $((i * 37 % V)); i=$((i + 1)); done >long

# fails PATTERN ARGS...: exit 1, one line, and no file is left
fails () {
	pattern=$1; shift; rm -f o
	test_code 1 "$T" logits -m "$M" -o o "$@" 2>err </dev/null; r=$?
	cat err; [ $r -eq 0 ] && grep -q -e "$pattern" err && [ "$(wc -l <err)" = 1 ] && [ ! -e o ] && ! ls o.* 2>/dev/null
}

test_expect_success 'ids x vocabulary float32' '
	"$T" logits -m "$M" --tokens ids -o a && [ "$(wc -c <a)" = $((9 * V * 4)) ] && ! ls a.*
'
test_expect_success 'the file is nobody else'"'"'s' '[ "$(stat -c %a a 2>/dev/null || stat -f %Lp a)" = 600 ]'
test_expect_success 'on standard output it is the same' '"$T" logits -m "$M" --tokens ids -o - >b && cmp a b'
test_expect_success 'ids from standard input' '"$T" logits -m "$M" --tokens - -o b <ids && cmp a b'
test_expect_success 'bit for bit the same for all chunks and threads' '
	"$T" logits -m "$M" --tokens long -o a -t 1 && [ "$(wc -c <a)" = $((150 * V * 4)) ] &&
	for c in 1 7 64 150; do
		for t in 1 2; do "$T" logits -m "$M" --tokens long -o b -t $t --chunk $c && cmp a b || exit 1; done
	done
'
test_expect_success 'a prefix of the ids gives a prefix of the logits' '
	head -n 40 long >short && "$T" logits -m "$M" --tokens short -o b && head -c $((40 * V * 4)) a | cmp - b
'
test_expect_success 'another level, another KV type and other instruction sets give other bits' '
	for x in "-q Q4_0" "--kv f32"; do
		"$T" logits -m "$M" --tokens long -o b $x && [ "$(wc -c <b)" = "$(wc -c <a)" ] && ! cmp -s a b || exit 1
	done
	"$T" logits -m "$M" --tokens long -o b --isa scalar && [ "$(wc -c <b)" = "$(wc -c <a)" ]
'
test_expect_success 'an unknown instruction set names those that are there' 'fails "scalar" --tokens ids --isa sse9'
test_expect_success 'a word that is no id: its offset' 'echo 1 2 three >x && fails "offset 4: expected a token id, found .three" --tokens x'
test_expect_success 'a number with something behind it' 'echo 1 2x >x && fails "offset 2" --tokens x'
test_expect_success 'a negative one' 'echo 1 -2 >x && fails "offset 2" --tokens x'
test_expect_success 'an id outside the vocabulary' 'echo 1 512 >x && fails "offset 2: id 512 is outside the vocabulary of 512" --tokens x'
test_expect_success 'one that no integer holds' 'echo 99999999999999999999999 >x && fails "offset 0" --tokens x'
test_expect_success 'no ids' 'printf " \n" >x && fails "no token ids" --tokens x'
test_expect_success 'no file of ids' 'fails "nowhere" --tokens nowhere'
test_expect_success 'binary ids do not reach the terminal' 'printf "1 \033]0;x\007" >x && fails "offset 2" --tokens x && ! LC_ALL=C grep "[^[:print:]]" err'
test_expect_success 'more ids than the context: what would do' 'fails "-c 150" --tokens long -c 100'
test_expect_success 'a context above the trained one is taken with a warning' '
	"$T" logits -m "$M" --tokens ids -o b -c 600 2>err && grep -q "more than the 512" err && [ "$(wc -c <b)" = $((9 * V * 4)) ]
'
test_expect_success 'a failure leaves what was there before' '
	echo precious >o && echo x >x && test_code 1 "$T" logits -m "$M" --tokens x -o o && [ "$(cat o)" = precious ]
'
test_expect_success 'a place that cannot be written, a full disk' '
	test_code 1 "$T" logits -m "$M" --tokens ids -o nowhere/o 2>err && [ "$(wc -l <err)" = 1 ] &&
	{ [ ! -e /dev/full ] || test_code 1 "$T" logits -m "$M" --tokens ids -o /dev/full; }
'
test_expect_success 'a link is written through, and what stood there keeps its mode' '
	mkdir -p d && echo old >d/real && chmod 640 d/real && ln -s d/real ln1 && ln -s ln1 ln2 && "$T" logits -m "$M" --tokens ids -o ln2 &&
	"$T" logits -m "$M" --tokens ids -o b && cmp b d/real && [ -L ln1 ] && [ -L ln2 ] && [ "$(ls d)" = real ] &&
	[ "$(stat -c %a d/real 2>/dev/null || stat -f %Lp d/real)" = 640 ] &&
	ln -s nowhere/x ln3 && test_code 1 "$T" logits -m "$M" --tokens ids -o ln3 2>err && grep "ln3: cannot follow this link" err && [ -L ln3 ]
'
test_expect_success 'what is missing is told, exit 2' '
	test_code 2 "$T" logits && test_code 2 "$T" logits -m "$M" && test_code 2 "$T" logits -m "$M" --tokens ids
'
test_expect_success 'nothing that it is made from is replaced' '
	cp "$M" m.gguf && cp ids ids2 && ln -s ids2 link &&
	for o in m.gguf ids2 link; do
		test_code 1 "$T" logits -m m.gguf --tokens ids2 -o $o 2>err && grep "would replace it" err && [ "$(wc -l <err)" = 1 ] || exit 1
	done &&
	cmp m.gguf "$M" && cmp ids ids2 && [ -L link ]
'
test_done
