#!/bin/sh
test_description='memory: what is needed is told and held against what there is, before it is taken'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
T=$TEST_BUILD/tidbit
M=$TIDBIT_PROFILES/stories260K.gguf
cd "$TRASH" || exit 99
printf '1 403 407 261 378 9 12 400 33\n' >ids
# twice what this machine has, so that it is too much on every one
have=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo 2>/dev/null)
gib=$((${have:-0} / 524288)); [ $gib -ge 40 ] || gib=40
"$TEST_BUILD/t/helper/sparsemodel" big.gguf $gib 4 && "$TEST_BUILD/t/helper/sparsemodel" wide.gguf 0.05 64 ||
	{ echo "1..0 # SKIP no sparse files here"; exit 0; }

# refused ARGS...: exit 1, one line with need, have, a way out; at once, and nothing else is written. Weights can be read
# from the disk again and again, and --force is offered; not for keys and values that do not fit.
refused () {
	refused_only "$@" && grep -q -e "--force" err
}
refused_only () {
	test_code 1 timeout 20 "$T" "$@" >out 2>err </dev/null; r=$?
	cat err; [ $r -eq 0 ] && [ ! -s out ] && [ "$(grep -vc trained err)" = 1 ] &&
	grep -q "needs .* (weights .*, KV .* tokens, scratch .*), .* available" err
}

test_expect_success 'a model larger than the machine is refused by every verb that computes' '
	refused run big.gguf hi && refused run big.gguf hi -q f16 && refused bench big.gguf -p 4 -n 0 &&
	refused logits -m big.gguf --tokens ids -o o && [ ! -e o ]
'
test_expect_success 'by the chat too' '
	echo hi | timeout 20 "$T" chat big.gguf --plain >out 2>err; cat out err; cat out err | grep -q "needs .* available"
'
# What else runs on the machine takes memory between two calls: a refusal is followed to what it then suggests.
test_expect_success 'a context that is too large: the largest that fits, which then does, as it is told' '
	c=16777216
	for try in 1 2 3 4 5; do
		refused_only logits -m wide.gguf --tokens ids -o o -c $c --kv f32 && ! grep -q -e "--force" err || exit 1
		last=$c; c=$(sed -n "s/.*; -c \([0-9]*\) fits.*/\1/p" err)
		[ "$c" -gt 0 ] && [ "$c" -lt $last ] || exit 1
		"$T" logits -m wide.gguf --tokens ids -o a -c $c --kv f32 && exit 0
	done
	exit 1
'
test_expect_success 'no context beyond the trained one is suggested, nor one that -c does not take' '
	test_code 2 "$T" logits -m wide.gguf --tokens ids -o o -c 16777217 2>err && grep "from 0 to 16777216, got" err
'
# begins ARGS...: it is not refused, but begins to work, and is stopped then: the level takes its time
begins () {
	timeout -k 1 2 "$T" "$@" --stats >out 2>err </dev/null
	cat err; ! grep -q -e "--force" err && head -n 1 err | grep -q "needs .* available"
}
if timeout 5 true 2>/dev/null; then
	test_expect_success 'a level that fits is named, the largest, and is taken then as it is told' '
		level=
		for try in 1 2 3 4 5; do
			refused run big.gguf hi $level || exit 1
			grep -q "no level of it fits" err && exit 0
			level=$(sed -n "s/.*; \(-q [A-Z0-9_]*\( -c [0-9]*\)*\) fits.*/\1/p" err) && [ "$level" ] || exit 1
			begins run big.gguf hi --raw $level && exit 0
		done
		exit 1
	'
else
	test_skip 'a level that fits is named, the largest, and is taken then as it is told' 'no timeout'
fi
test_expect_success 'with --force it runs all the same, to the same bits' '
	"$T" logits -m wide.gguf --tokens ids -o b -c 16777216 --kv f32 --force && cmp a b
'
test_expect_success 'the need is told beforehand, with --stats, and adds up' '
	"$T" run --raw "$M" "Once upon a time" --temp 0 -n 4 --stats </dev/null >out 2>err &&
	head -n 1 err | grep "needs .* (weights [0-9.]* [KM]iB, KV .* for 512 tokens, scratch .*), .* available"
'
test_expect_success 'what each type of cache needs: Q8_0 takes whole blocks of 32, and a head is 8 wide here' '
	kv () { "$T" run --raw "$M" Once -n 1 --stats --kv $1 -c 8192 </dev/null 2>&1 >out | sed -n "s/.*KV \([0-9.]* [KM]iB\) for.*/\1/p"; } &&
	[ "$(kv f32)" = "10.0 MiB" ] && [ "$(kv f16)" = "5.00 MiB" ] && [ "$(kv bf16)" = "5.00 MiB" ] &&
	[ "$(kv q8_0)" = "10.6 MiB" ]
'
test_done
