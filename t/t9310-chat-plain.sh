#!/bin/sh
test_description='the chat in plain lines, through pipes'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
model=$TIDBIT_PROFILES/stories260K.gguf
cd "$TRASH" || exit 99
chat () { "$TEST_BUILD/tidbit" chat "$model" --temp 0 "$@"; }
fails () { test_code 1 chat "$@"; }
lines () { [ "$(wc -l <"$1")" -eq "$2" ] || { cat "$1"; return 1; }; }

test_expect_success 'three lines piped in are three answers and nothing else on standard output' '
	printf "Once upon a time\nThe cat\nOne day\n" | chat -n 10 >out 2>err && lines out 3 && ! grep -q "^$" out
'
test_expect_success 'the first is what run says' '
	"$TEST_BUILD/tidbit" run "$model" "Once upon a time" --temp 0 -n 10 >one 2>/dev/null &&
	head -n 1 out >first && cmp one first
'
test_expect_success 'the last line may have no end, and empty lines are nothing' '
	printf "Once upon a time\r\n\n  \nThe cat" | chat -n 10 >two 2>err && head -n 2 out >want && cmp two want
'
test_expect_success 'commands talk on standard error, and answers go on' '
	printf "Once upon a time\n/stats\n/set n 3\n/quant q8_0\n/hlep\n The\n/bye\nnever\n" | fails -n 10 >cmd 2>err &&
	lines cmd 2 && grep "prefilled" err && grep "^n 3" err && grep "now Q8_0" err && grep "did you mean /help" err
'
test_expect_success 'nothing of what is going on is drawn when standard error is no terminal' '
	! grep -q "$(printf "\r")" err && ! grep -q tok/s.*first err
'
test_expect_success '--stats tells what an answer cost' '
	printf "One day\n" | chat -n 5 --stats >out 2>err && lines out 1 && grep "tok/s · 5 tokens" err
'
test_expect_success 'the same text again after /new, with the same seed' '
	printf "One day\n/new\nOne day\n" | chat --temp 1 --seed 7 -n 12 >out 2>err && lines out 2 &&
	[ "$(sort -u out | wc -l)" -eq 1 ]
'
test_expect_success 'two slashes are a message that begins with one; one slash is a command, and says how' '
	printf "//etc is\n/etc\n/export said.json\n" | fails -n 3 >out 2>err && lines out 1 && grep "\"/etc is\"" said.json &&
	grep "no command /etc: .*//etc sends it" err && printf "/help\n" | chat 2>&1 | grep "^//TEXT: "
'
test_expect_success 'a pipe keeps no conversation, and is offered none' '
	state=$HOME/.local/state/tidbit && mkdir -p "$state" && printf "%s" \
	"{\"form\":1,\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"text\":\"hi\",\"gone\":false}]}" >"$state/chat-99999999" &&
	{ echo "One day"; sleep 2; ls "$state" >during; } | chat -n 3 >out 2>err && grep -q chat-99999999 during &&
	[ "$(grep -c chat- during)" -eq 1 ] && ! grep restore err && [ -e "$state/chat-99999999" ] && rm -r "$state"
'
test_expect_success 'nothing in, nothing out' '
	chat </dev/null >out 2>err && lines out 0
'
test_expect_success 'a message that does not fit is told, and has an empty line; the others are answered, exit 1' '
	{ echo "One day"; head -c 5000 /dev/zero | tr "\\0" x; echo; echo " The"; } >in &&
	test_code 1 chat -n 5 <in >out 2>err && lines out 3 && [ -z "$(sed -n 2p out)" ] && grep "^tidbit: turn 2: .*does not fit" err &&
	test_code 1 chat -n 5 --null <in >nul 2>err && tr "\\0" "\\n" <nul | cmp - out
'
test_expect_success 'standard input that cannot be read is a failure' '
	test_code 1 chat --plain <. >out 2>err && lines out 0 && grep "^tidbit: standard input" err
'
test_expect_success 'no model: one line, exit 1' '
	echo hi >in && test_code 1 "$TEST_BUILD/tidbit" chat /nonexistent.gguf <in >out 2>err && lines out 0 && lines err 1 &&
	grep "^tidbit: /nonexistent.gguf" err
'
test_expect_success 'a level that is none is a wrong call: exit 2' '
	test_code 2 chat -q q9_9 <in >out 2>err && lines out 0 && lines err 2
'
test_expect_success 'bytes that are no text harm nothing' '
	printf "One \000 \377\376 \033[31m day\n" | chat -n 5 >out 2>err && lines out 1
'
test_expect_success 'standard output that is full is a failure' '
	[ -c /dev/full ] || exit 0
	echo "One day" >in && test_code 1 chat -n 5 <in >/dev/full 2>err && grep "standard output" err
'
# A non-interactive shell starts background jobs with SIGINT ignored, and so it stays for them.
test_expect_success 'SIGINT ends it with 130, SIGTERM with 143' '
	command -v python3 >/dev/null || exit 0
	cat >sig.py <<-\END
	import signal, subprocess, sys, time
	for sig, want in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
	    p = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
	                         preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
	    p.stdin.write(b"Once upon a time\n"); p.stdin.flush()
	    first = p.stdout.read(1)
	    p.send_signal(sig)
	    rest, err = p.communicate(timeout=20)
	    if p.returncode != want or not first: sys.exit("%d: %r" % (p.returncode, err))
	END
	python3 sig.py "$TEST_BUILD/tidbit" chat "$model" --temp 0 -c 4000
'
test_done
