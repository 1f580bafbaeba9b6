#!/bin/sh
test_description='logits: activations, types of cache, a switch of levels, and company'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
T=$TEST_BUILD/tidbit
M=$TIDBIT_PROFILES/stories260K.gguf
V=512
cd "$TRASH" || exit 99
i=0; while [ $i -lt 150 ]; do echo $((i * 37 % V)); i=$((i + 1)); done >ids
i=0; while [ $i -lt 70 ]; do echo $((i * 91 % V)); i=$((i + 1)); done >others
logits () { "$T" logits -m "$M" --tokens ids -o "$@"; }
rows () { head -c $(($2 * V * 4)) "$1"; }
logits q8 -q q8_0 && logits q4 -q q4_0 || exit 99

test_expect_success 'unrounded activations are other bits, the same for all chunks and threads' '
	logits a -q q4_0 --act f32 && ! cmp -s a q4 && logits b -q q4_0 --act auto && cmp b q4 &&
	for x in "--chunk 1 -t 1" "--chunk 7 -t 2" "-t 3" "--with others"; do logits b -q q4_0 --act f32 $x && cmp a b || exit 1; done
'
test_expect_success 'activations at 8 bits and at 16 are other bits, the same for all chunks and company' '
	for act in int8 int16; do
		logits $act -q q4_0 --act $act && ! cmp -s $act a &&
		for x in "--chunk 1 -t 1" "--chunk 7 -t 2" "-t 3" "--with others"; do
			logits b -q q4_0 --act $act $x && cmp $act b || exit 1
		done || exit 1
	done && ! cmp -s int8 int16
'
test_expect_success 'each type of cache has its bits, the same for all chunks' '
	for k in f16 bf16 f32 q8_0; do
		logits $k --kv $k && logits b --kv $k --chunk 1 --with others && cmp $k b || exit 1
	done && ! cmp -s f16 bf16 && ! cmp -s f16 f32 && ! cmp -s f16 q8_0
'
test_expect_success 'an exact switch: every row as -q gives it' '
	for at in 0 1 64 75 150; do logits b -q q4_0 --switch-from q8_0 --at $at --mode exact && cmp q4 b || exit 1; done &&
	logits b -q q4_0 --switch-from q8_0 --at 75 && cmp q4 b
'
test_expect_success 'a borrowed one: the rows before as the old level gave them, the others as neither' '
	logits b -q q4_0 --switch-from q8_0 --at 75 --mode borrowed && [ "$(wc -c <b)" = "$(wc -c <q4)" ] &&
	rows q8 75 >want && rows b 75 | cmp - want && ! cmp -s b q8 && tail -c $((75 * V * 4)) b >x && tail -c $((75 * V * 4)) q4 >y && ! cmp -s x y
'
test_expect_success 'at the edges it is one level or the other' '
	logits b -q q4_0 --switch-from q8_0 --at 0 --mode borrowed && cmp b q4 &&
	logits b -q q4_0 --switch-from q8_0 --at 150 --mode borrowed && cmp b q8
'
test_expect_success 'the same for all chunks, threads and neighbours' '
	logits a -q q4_0 --switch-from q8_0 --at 75 --mode borrowed &&
	for x in "--chunk 1" "--chunk 7 -t 1" "--with others" "--with others --chunk 10 -t 2"; do
		logits b -q q4_0 --switch-from q8_0 --at 75 --mode borrowed $x && cmp a b || exit 1
	done
'
test_expect_success 'company changes nothing, whoever it is' '
	for w in others ids; do for c in 1 16 150; do logits b -q q4_0 --with $w --chunk $c && cmp b q4 || exit 1; done; done
'
test_expect_success 'what cannot be is told: exit 1 for the ids, 2 for the call' '
	test_code 1 "$T" logits -m "$M" --tokens ids -o o --switch-from q8_0 --at 151 2>err && grep -q "151" err &&
	for x in "--at 3" "--at 0" "--mode exact"; do
		test_code 2 "$T" logits -m "$M" --tokens ids -o o $x 2>err && grep -q -e "--switch-from" err || exit 1
	done &&
	test_code 2 "$T" logits -m "$M" --tokens - --with - -o o <ids 2>err && grep -q "standard input holds one" err &&
	test_code 2 "$T" logits -m "$M" --tokens ids -o o --switch-from q8_0 --mode half 2>err && grep -q "one of exact, borrowed" err &&
	test_code 2 "$T" logits -m "$M" --tokens ids -o o --act f64 2>err && grep -q "one of auto, int8, int16, f32" err &&
	test_code 2 "$T" logits -m "$M" --tokens ids -o o --switch-from q17 2>err && grep -q "Q4_0" err &&
	test_code 1 "$T" logits -m "$M" --tokens ids -o o --with nowhere 2>err && grep -q "nowhere" err && [ ! -e o ]
'
test_done
