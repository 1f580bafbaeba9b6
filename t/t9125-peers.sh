#!/bin/sh
test_description='peers.sh: rounds beside peers, their tables read as they are'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
cd "$TRASH" || exit 99

# A program with llama-bench's table: what it was asked goes into asked, 100 tokens/s come out.
cat >bench <<'END_OF_BENCH'
#!/bin/sh
echo "$@" >>asked
p=0 n=0 times=1
[ "$1" != bench ] || times=3
while [ $# -gt 0 ]; do
	case $1 in
	-p) p=$2 ;;
	-n) n=$2 ;;
	-gp) p=${2%,*} n=${2#*,} both=1 ;;
	esac
	shift
done
row () { echo "\"Xeon\",\"-1,0\",\"$1\",\"$2\",\"${times}00.5\""; }
echo cpu_info,ser,n_prompt,n_gen,avg_ts
if [ -n "${both-}" ]; then row "$p" "$n"; else
	[ "$p" = 0 ] || row "$p" 0
	[ "$n" = 0 ] || row 0 "$n"
fi
END_OF_BENCH
chmod +x bench
: >model.gguf
peers () { sh "$TEST_SRC/t/peers.sh" --tidbit ./bench --threads 1 --rounds 2 "$@" >out 2>err; }

test_expect_success 'prefill and decode, ratios to the best of settings' '
	peers --llama-bench ./bench --ik-llama-bench ./bench -p 64 -n 16 model.gguf &&
	grep -q "^  tidbit  *pp64  *300.50 tokens/s  (2 rounds" out && grep -q "^  ik_llama.cpp_fa1_rtr1  *tg16  *100.50" out &&
	grep -q "^  pp64: 2.99 times llama.cpp" out && grep -q "^  tg16: 2.99 times ik_llama.cpp" out && [ ! -s err ]
'
test_expect_success 'behind a depth each is asked in its own words' '
	rm -f asked && peers --llama-bench ./bench --ik-llama-bench ./bench -p 64 -n 16 -d 32 --act int8 model.gguf &&
	grep -q -e "^bench.* -d 32 --act int8" asked && grep -q -e "-p 64 -n 16 -d 32 -fa 1 -ctk f16" asked &&
	grep -q -e "-p 0 -n 0 -gp 32,16 -fa 1 -rtr 1 -ctk f16" asked && grep -q "^  tg16: 2.99 times ik_llama.cpp" out &&
	! grep -q "pp.*times ik_llama" out
'
test_expect_success 'a quantized cache for everyone, which peers have with -fa 1' '
	rm -f asked && peers --llama-bench ./bench -p 64 -n 0 --kv q8_0 model.gguf && grep -q "^bench.* --kv q8_0" asked &&
	grep -q -e "-fa 1 -ctk q8_0 -ctv q8_0" asked && ! grep -q -e "-fa 0" asked
'
test_expect_success 'what cannot be is told' '
	! peers --llama-bench ./nosuch model.gguf && grep -q "nosuch cannot be run" err && ! peers -p 64 && grep -q "no model" err &&
	! peers --rounds x model.gguf && grep -q "rounds wants a number" err && ! peers --rounds 0 model.gguf &&
	! peers nofile.gguf && grep -q "nofile.gguf cannot be read" err &&
	! peers --threads 0 model.gguf && grep -q "threads wants at least 1" err &&
	! peers -p 0 -n 0 model.gguf && grep -q "nothing to measure" err &&
	! peers --tidbit ./nosuch model.gguf && grep -q "nosuch cannot be run" err && [ "$(wc -l <err)" -eq 1 ]
'
test_expect_success 'one that fails is told, and the others go on' '
	printf "#!/bin/sh\n./bench \"\$@\"\necho it broke >&2\necho broken: see broken --help >&2\nexit 3\n" >broken && chmod +x broken &&
	! peers --llama-bench ./broken -p 64 -n 0 model.gguf && grep -q "broken: it broke" err && grep -q "^  tidbit  *pp64" out &&
	! grep -q "times" out && ! grep -q "llama.cpp" out
'
test_done
