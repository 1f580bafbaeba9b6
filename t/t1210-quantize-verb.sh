#!/bin/sh
test_description='quantize from the command line: every level of every family, options, refusals, interruptions'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
T=$TEST_BUILD/tidbit
mk="$TEST_BUILD/t/helper/mkmodel"
cd "$TRASH" || exit 99

# fails CODE PATTERN ARGUMENT...: quantize says so in one line, and nothing is left
fails () {
	code=$1 pattern=$2; shift 2
	ls >before
	test_code "$code" "$T" quantize "$@" >out 2>err </dev/null || { cat out err; return 1; }
	cat err
	ls >after
	[ ! -s out ] && grep -q -e "$pattern" err && cmp before after
}
touch out err before after

# The file made at a level is the one that quantize makes from floats: mkmodel knows the layout on
# its own, rules and encoders are the reference's (t1100, t1000).
all=$("$mk" 2>&1 | sed -n "s/^levels: //p")
# same SHAPE LEVEL...
same () {
	s=$1; shift
	"$mk" $s F32 in.gguf || return 1
	for l in "$@"; do
		case $s/$l in tiny-bitnet/*) ;; */I2_S) continue ;; esac
		"$mk" $s $l want.gguf && "$T" quantize in.gguf got.gguf $l >out 2>err && cmp got.gguf want.gguf ||
			{ echo "$s $l"; cat err; return 1; }
	done
}
test_expect_success 'there are all levels' '[ $(echo $all | wc -w) -ge 23 ]'
test_expect_success 'a model at every level, byte by byte' 'same tiny-llama $all'
test_expect_success 'ternary weights' 'same tiny-bitnet I2_S TQ1_0 TQ2_0 Q4_0'
test_expect_success 'odd rows' 'same tiny-odd Q8_0 Q4_K_M IQ4_XS TQ2_0'
for s in tiny-qwen2 tiny-qwen3 tiny-phi3 tiny-gemma3 tiny-smollm3; do
	test_expect_success "$s at some levels" 'same $s Q8_0 Q5_K_M IQ4_XS'
done
rm -f in.gguf want.gguf got.gguf

"$mk" tiny-llama F16 in.gguf
test_expect_success 'the seed makes the weights, and they are the same every time' '
	"$mk" tiny-llama F16 a && cmp a in.gguf && "$mk" tiny-llama F16 b --seed 2 && ! cmp -s a b; rm -f a b
'
test_expect_success 'shapes in families where there can be no such model: one line' '
	none () { test_code 2 "$mk" $1 F16 a --arch $2 2>err && cat err && [ "$(wc -l <err)" = 1 ] && grep -q "$1 cannot be made as $2: .*$3" err && [ ! -e a ]; } &&
	none tiny-qwen3 qwen2 "4 heads of 128 make 512" && none tiny-qwen3 bitnet 512 && none tiny-qwen3 phi3 512 && none tiny-llama bitnet output &&
	none tiny-phi3 llama "turns whole heads" && none tiny-phi3 qwen3 rope && none tiny-llama3 bitnet-25 "own kind" && none phi-4-mini smollm3 rope &&
	for a in llama qwen2 qwen3 phi3 gemma3 smollm3 bitnet; do "$mk" tiny-llama3 Q8_0 a --arch $a || exit 1; done && rm a
'
test_expect_success 'what is told: level, bits, sizes' '
	"$T" quantize in.gguf o.gguf q4_k_m >out 2>err && [ ! -s err ] &&
	grep -q "^o.gguf: Q4_K_M, 4.85 bits per weight, 2.48 MiB of tensors from 8.20 MiB in " out
'
test_expect_success 'what is made can be run' '
	"$T" run o.gguf hello -n 4 --temp 0 >out && [ -s out ]
'
test_expect_success 'threads and short names make no other file' '
	for t in 1 2 3 7; do "$T" quantize in.gguf p.gguf Q4_K -t $t >out && cmp o.gguf p.gguf || exit 1; done
'
test_expect_success 'one type by pattern, the first that fits' '
	"$T" quantize in.gguf p.gguf Q4_0 --tensor-type "blk\.[01]\.attn_(k|v)=q8_0" --tensor-type attn_k=Q5_1 >out &&
	"$T" quantize p.gguf F32 --dry-run --allow-requantize >out &&
	grep -q "^blk.0.attn_k.weight  *Q8_0 " out && grep -q "^blk.1.attn_v.weight  *Q8_0 " out &&
	grep -q "^blk.2.attn_k.weight  *Q5_1 " out && grep -q "^blk.2.attn_v.weight  *Q4_0 " out
'
test_expect_success 'a pattern that decides nothing is told' '
	"$T" quantize in.gguf p.gguf Q4_0 --tensor-type zebra=q8_0 >out 2>err && grep -q "zebra.*decides no" err &&
	"$T" quantize in.gguf p.gguf F16 --tensor-type attn_k=q8_0 >out 2>err && grep -q "attn_k.*decides no.*F16" err &&
	"$T" quantize in.gguf p.gguf Q4_0 --tensor-type zebra=q8_0 --tensor-type attn_k=q8_0 --tensor-type yak=f16 >out 2>err &&
	[ "$(wc -l <err)" = 2 ] && grep -q "zebra.*decides no" err && grep -q "yak.*decides no" err
'
test_expect_success 'a pattern that takes too long to look for is an error, not one that is not found' '
	fails 1 "pattern .*on tensor .*: match limit" in.gguf p2.gguf Q4_0 --tensor-type "^(([a-z._0-9]+)+)+[!?]=q8_0"
'
test_expect_success 'types of output matrix and embedding' '
	"$T" quantize in.gguf p.gguf Q4_0 --output-tensor-type q5_0 --token-embedding-type=bf16 >out &&
	"$T" quantize p.gguf F32 --dry-run --allow-requantize >out &&
	grep -q "^output.weight  *Q5_0 " out && grep -q "^token_embd.weight  *BF16 " out && grep -q "^blk.0.attn_q.weight  *Q4_0 " out
'
test_expect_success 'a dry run tells every tensor and writes nothing' '
	rm -f p.gguf && "$T" quantize in.gguf p.gguf Q6_K --dry-run >out && [ ! -e p.gguf ] && cat out &&
	[ $(wc -l <out) -eq 49 ] && grep -q "^blk.4.ffn_up.weight  *F16  *-> Q6_K " out &&
	grep -q "^blk.4.ffn_norm.weight  *F32 " out && grep -q "^would be: Q6_K, 6.5" out
'
test_expect_success 'an importance matrix that is missed' '
	"$T" quantize in.gguf p.gguf Q2_K_S >out 2>err && grep -q "importance matrix" err &&
	"$T" quantize in.gguf p.gguf Q2_K >out 2>err && [ ! -s err ]
'
test_expect_success 'rows that are no whole blocks' '
	"$mk" tiny-odd F16 odd.gguf && "$T" quantize odd.gguf p.gguf Q4_K_M >out 2>err &&
	grep -q "29 of 50 tensors get another type" err && "$T" show p.gguf >out && grep -q "^  F16 " out && grep -q "^  Q5_0 " out
'
test_expect_success 'a quantized source is taken when it is asked for' '
	fails 1 "o.gguf: tensor .* is quantized already (Q.*--allow-requantize" o.gguf p2.gguf Q8_0 &&
	"$T" quantize o.gguf p.gguf Q8_0 --allow-requantize >out
'
test_expect_success 'ternary weights, and others that are none' '
	fails 1 "tensor .* is not ternary" in.gguf p2.gguf I2_S
'
test_expect_success 'a level made in memory is the file that would be written' '
	echo 5 9 300 77 411 12 3 >ids
	for s in tiny-phi3 tiny-bitnet; do
		"$mk" $s F16 m.gguf || exit 1
		for l in Q8_0 Q4_K_M TQ1_0; do
			"$T" quantize m.gguf p.gguf $l >out && "$T" logits -m p.gguf --tokens ids -o file &&
			"$T" logits -m m.gguf -q $l --tokens ids -o made && cmp file made || { echo "$s $l"; exit 1; }
		done
	done
	"$T" quantize m.gguf p.gguf I2_S >out && "$T" logits -m p.gguf --tokens ids -o file &&
	"$T" logits -m m.gguf -q i2_s --tokens ids -o made && cmp file made &&
	"$T" quantize p.gguf q.gguf Q8_0 --allow-requantize >out && "$T" logits -m q.gguf --tokens ids -o file &&
	"$T" logits -m p.gguf -q q8_0 --tokens ids -o made && cmp file made
'
rm -f m.gguf p.gguf q.gguf odd.gguf

# -- refusals -----------------------------------------------------------------------------
test_expect_success 'wrong calls' '
	fails 2 "name IN, OUT and LEVEL" && fails 2 "name IN, OUT and LEVEL" in.gguf x.gguf && fails 2 "one too many" a b c d &&
	fails 2 "unknown option --tensor-typ; did you mean --tensor-type" in.gguf x.gguf Q4_0 --tensor-typ a=q4_0 &&
	fails 2 "expected REGEX=TYPE, got .attn" in.gguf x.gguf Q4_0 --tensor-type attn &&
	fails 2 "tensor-type: .Q4_K_M. is no tensor type; did you mean Q4_K" in.gguf x.gguf Q4_0 --tensor-type attn=Q4_K_M &&
	fails 1 "pattern .a(b., at character 4" in.gguf x.gguf Q4_0 --tensor-type "a(b=Q4_0" &&
	fails 2 "output-tensor-type: .Q9_9. is no tensor type; there are: F32 " in.gguf x.gguf Q4_0 --output-tensor-type Q9_9 &&
	fails 2 "token-embedding-type: .q8_9. is no tensor type; did you mean Q8_0" in.gguf x.gguf Q4_0 --token-embedding-type q8_9 &&
	fails 2 "Q9_9. is no quantization level; there are: F32 .*Q4_K_M" in.gguf x.gguf Q9_9 &&
	fails 2 "q4km. is no quantization level; did you mean Q4_K_M" in.gguf x.gguf q4km &&
	fails 2 "the name is empty" in.gguf "" Q8_0 && [ "$(wc -l <err)" = 1 ] &&
	fails 2 "not written to standard output" in.gguf - Q8_0 && [ "$(wc -l <err)" = 1 ] && fails 2 "the name is empty" in.gguf "" Q8_0 --dry-run
'
test_expect_success 'the model is not written over while it is read, under whatever name' '
	cp in.gguf keep && ln -s in.gguf soft.gguf && ln in.gguf hard.gguf && ln -s soft.gguf soft2.gguf || exit 1
	for o in in.gguf ./in.gguf soft.gguf hard.gguf soft2.gguf; do fails 1 "would be written over" in.gguf $o Q8_0 || exit 1; done
	fails 1 "would be written over" soft2.gguf hard.gguf Q8_0 && cmp in.gguf keep
'
test_expect_success 'places where no file can be' '
	mkdir -p folder && ln -s nowhere lost.gguf &&
	fails 1 "^tidbit: folder: is a folder" in.gguf folder Q8_0 && fails 1 "no/such" in.gguf no/such/x.gguf Q8_0 &&
	fails 1 "/dev/null: is not a regular file" in.gguf /dev/null Q8_0 && [ -c /dev/null ] &&
	fails 1 "lost.gguf: cannot follow this link" in.gguf lost.gguf Q8_0 && fails 1 "^tidbit: none.gguf:" none.gguf x.gguf Q8_0 &&
	fails 1 "the name of the model is empty" "" x.gguf Q8_0
'
test_expect_success 'a dry run refuses what the work would: not ternary, IN as OUT, no such folder, a link to nowhere' '
	fails 1 "tensor .* is not ternary" in.gguf p2.gguf I2_S --dry-run && fails 1 "tensor .* is not ternary" in.gguf I2_S --dry-run &&
	fails 1 "would be written over" in.gguf soft2.gguf Q8_0 --dry-run && fails 1 "no/such" in.gguf no/such/x.gguf Q8_0 --dry-run &&
	fails 1 "^tidbit: folder: is a folder" in.gguf folder Q8_0 --dry-run && fails 1 "cannot follow" in.gguf lost.gguf Q8_0 --dry-run &&
	{ [ "$(id -u)" = 0 ] || { mkdir shut && chmod 500 shut && fails 1 "shut.*cannot write" in.gguf shut/x.gguf Q8_0 --dry-run; }; }
'
test_expect_success 'a link is followed, and what stood there is replaced' '
	echo old >folder/real.gguf && ln -s folder/real.gguf link.gguf && "$T" quantize in.gguf link.gguf Q4_K_M >out &&
	[ -h link.gguf ] && cmp folder/real.gguf o.gguf && [ $(ls folder | wc -l) -eq 1 ]
'
test_expect_success 'a file that grows too large is an error, and the old one stays' '
	echo old >x.gguf && (ulimit -f 2000 && fails 1 "x.gguf: cannot write .*large" in.gguf x.gguf Q8_0) && echo old | cmp - x.gguf
'

# on_tmpfs SIZE: quantizes into a file system of that size
cat >on_tmpfs.sh <<-'E'
	mount -t tmpfs -o size=$1 none small && cd small && "$T" quantize ../in.gguf x.gguf Q8_0 && ls >../in-small
E
mkdir -p small && export T
on_tmpfs () { rm -f in-small; unshare -rm sh ./on_tmpfs.sh "$1" >out 2>err; }
if unshare -rm mount -t tmpfs -o size=4k none small 2>/dev/null; then
	test_expect_success 'space is counted in whole pages: just enough is enough, a page less is told before any is taken' '
		page=$(getconf PAGESIZE) && "$T" quantize in.gguf s.gguf Q8_0 >out && n=$(($(wc -c <s.gguf) + page - 1)) && n=$((n / page * page)) &&
		on_tmpfs $n && [ "$(cat in-small)" = x.gguf ] && ! on_tmpfs $((n - page)) && cat err && [ ! -e in-small ] &&
		[ "$(wc -l <err)" = 1 ] && grep -q "x.gguf: no space: it takes 4[.][0-9] MiB, and 4[.][0-9] MiB are free" err
	'
	test_expect_success 'a file system without a bound has room' 'on_tmpfs 0 && [ "$(cat in-small)" = x.gguf ]'
else
	test_skip 'space is counted in whole pages' 'nothing can be mounted here'
fi
rm -rf small in-small s.gguf

# -- interruptions ------------------------------------------------------------------------
"$mk" smollm2-135m Q8_0 long.gguf
# The new file is open: it has no name yet where that can be.
begun () {
	ls y.gguf.*.part >/dev/null 2>&1 || ls -l "/proc/$(cat child 2>/dev/null)/fd" 2>/dev/null | grep -q -e " -> .*/#[0-9]* (deleted)"
}
# stopped SIGNAL CODE: as soon as the new file is open; making it takes some seconds more. timeout hands
# the signal on, so that the program does not ignore it as background jobs of a script do.
stopped () {
	rm -f child; : >child; ls >before
	timeout --preserve-status -s $1 100 sh -c 'echo $$ >child; exec "$T" quantize long.gguf y.gguf IQ4_XS --allow-requantize -t 1' >out 2>err &
	pid=$! tries=0
	until begun; do
		tries=$((tries + 1)); [ $tries -lt 2000 ] && kill -0 $pid 2>/dev/null || { cat out err; echo "it never began"; return 1; }
		sleep 0.01 2>/dev/null || sleep 1
	done
	kill -ALRM $pid; wait $pid; code=$?
	ls >after; cat out err
	[ $code -eq $2 ] && [ ! -s out ] && cmp before after
}
if timeout --preserve-status 5 true 2>/dev/null; then
	test_expect_success 'Ctrl-C leaves nothing behind' 'stopped INT 130 && [ ! -s err ]'
	test_expect_success 'nor does a request to end' 'stopped TERM 143'
	test_expect_success 'nor a killing, where files need no name' '
		case $(uname) in Linux) stopped KILL 137 ;; *) echo skipped ;; esac
	'
	test_expect_success 'what stood there stays' '
		echo old >y.gguf && stopped INT 130 && echo old | cmp - y.gguf; r=$?; rm -f y.gguf; exit $r
	'
fi
. "${TEST_SRC:-.}/t/lib/screen-lib.sh"
why=$(screen_missing)
if [ -n "$why" ]; then
	test_skip 'quantize on a terminal' "$why"
else
	screen_start 100 20
	test_expect_success 'on a terminal it tells how far it is, until Ctrl-C' '
		screen_run "cd \"$TRASH\"; \"$T\" quantize long.gguf y.gguf IQ4_XS --allow-requantize -t 1; echo left with \$?" &&
		screen_wait "^making IQ4_XS  [0-9]* %" && screen_keys C-c && screen_wait "^left with 130" && [ ! -e y.gguf ]
	'
	test_expect_success 'it asks before it replaces a file' '
		echo old >z.gguf && screen_run "clear; \"$T\" quantize in.gguf z.gguf Q8_0; echo left with \$?" &&
		screen_wait "z.gguf is there already, 4 B; replace it" && screen_run n && screen_wait "z.gguf is left as it is" &&
		screen_wait "^left with 1" && echo old | cmp - z.gguf &&
		screen_run "clear; \"$T\" quantize in.gguf z.gguf Q8_0; echo left with \$?" &&
		screen_wait "replace it" && screen_run y && screen_wait "^left with 0" && [ $(wc -c <z.gguf) -gt 1000000 ]
	'
	test_expect_success 'but not when it is told to, nor for a call that must fail' '
		screen_run "clear; \"$T\" quantize in.gguf z.gguf Q4_0 --force; echo left with \$?" && screen_wait "^left with 0" &&
		screen_run "clear; \"$T\" quantize in.gguf z.gguf Q44; echo left with \$?" && screen_wait "^left with 2" &&
		screen_wait "no quantization level"
	'
fi
test_done
